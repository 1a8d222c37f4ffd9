//! Removing somebody's access: asked once more, on this page, or in a dialog that `living.js` makes of it.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::address::{MANAGE, REMOVE, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;
use crate::users::api::{self, ManageView};

/// `/accounts/{n}/users/{id}/remove`
pub(crate) struct RemovePage(Loading<ManageView>);

#[lazy_route]
impl LazyRoute for RemovePage {
    fn data() -> Self {
        Self(load!(asked => api::ManagePage {
            account: asked.account(),
            user: asked.part("user"),
            draft: String::new(),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Users, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let number = account.number;
            let name = view.person.name.clone();
            let heading = words!(manage.remove_heading, name = name.clone());
            let page = address_of(MANAGE, &[&number, &view.person.id]);
            let remove = address_of(REMOVE, &[&number, &view.person.id]);
            let content = if let Some(tip) = view.tip {
                view! { <p>{tip}</p> }.into_any()
            } else {
                let text = words!(
                    manage.remove_text,
                    name = name,
                    email = view.person.email,
                    account = account.name
                );
                let loses = (!view.loses.is_empty()).then(|| {
                    let lines = view.loses.into_iter().map(|line| view! { <li>{line}</li> });
                    view! {
                        <p>{words!(manage.loses)}</p>
                        <ul>{lines.collect_view()}</ul>
                    }
                });
                view! {
                    <p>{text}</p>
                    {loses}
                    <Form form={endpoint::<api::RemoveAccess>()} action=remove>
                        <input type="hidden" name="account" value=number.to_string() />
                        <input type="hidden" name="user" value=view.person.id.to_string() />
                        <div class="form-actions">
                            <SubmitButton class="button-danger" words=words!(manage.remove) />
                            <a class="button" href=page.clone()>{words!(form.cancel)}</a>
                        </div>
                    </Form>
                }
                .into_any()
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
