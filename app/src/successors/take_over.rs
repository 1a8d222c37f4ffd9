//! Asking for an account as its successor: what happens then, before it does.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::address::{ACCOUNT, TAKE_OVER, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::successors::api::{self, TakeOverView};
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;

/// `/accounts/{n}/take-over`
pub(crate) struct TakeOverPage(Loading<TakeOverView>);

#[lazy_route]
impl LazyRoute for TakeOverPage {
    fn data() -> Self {
        Self(load!(asked => api::TakeOverPage { account: asked.account() }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let (number, name) = (account.number, account.name);
            let heading = words!(successor.take_heading, account = name.clone());
            let content = match view.asked {
                Some(change) => view! {
                    <p>{words!(failure.takeover_asked)}</p>
                    <p><a class="button" href=change>{words!(owners.show)}</a></p>
                }
                .into_any(),
                None => {
                    let back = address_of(ACCOUNT, &[&number]);
                    view! {
                        <p>{words!(successor.take_means)}</p>
                        <p>{words!(successor.take_told)}</p>
                        <p>{view.when}</p>
                        <Form
                            form={endpoint::<api::TakeOver>()}
                            action=address_of(TAKE_OVER, &[&number])
                        >
                            <input type="hidden" name="account" value=number.to_string() />
                            <div class="form-actions">
                                <SubmitButton words=words!(successor.take_over, account = name) />
                                <a class="button" href=back>{words!(form.cancel)}</a>
                            </div>
                        </Form>
                    }
                    .into_any()
                }
            };
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <div class="confirm">
                    <h1><bdi>{heading}</bdi></h1>
                    {content}
                </div>
            }
            .into_any()
        })
    }
}
