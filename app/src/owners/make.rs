//! Making somebody an owner: what that means, before they are asked.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::address::{MAKE_OWNER, MANAGE, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::owners::api::{self, MakeOwnerView};
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;

/// `/accounts/{n}/users/{id}/owner`
pub(crate) struct MakeOwnerPage(Loading<MakeOwnerView>);

#[lazy_route]
impl LazyRoute for MakeOwnerPage {
    fn data() -> Self {
        Self(load!(asked => api::MakeOwnerPage {
            account: asked.account(),
            user: asked.part("user"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Users, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let (number, user) = (account.number, view.person.id);
            let name = view.person.name;
            let heading = words!(owners.make_heading, name = name.clone());
            let page = address_of(MANAGE, &[&number, &user]);
            let all = words!(owners.means_all, name = name.clone(), account = account.name);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <div class="confirm">
                    <h1><bdi>{heading}</bdi></h1>
                    <p><bdi>{all}</bdi></p>
                    <p><bdi>{words!(owners.means_always, name = name.clone())}</bdi></p>
                    <p><bdi>{view.waits}</bdi></p>
                    <Form
                        form={endpoint::<api::MakeOwner>()}
                        action=address_of(MAKE_OWNER, &[&number, &user])
                    >
                        <input type="hidden" name="account" value=number.to_string() />
                        <input type="hidden" name="user" value=user.to_string() />
                        <div class="form-actions">
                            <SubmitButton words=words!(owners.make, name = name) />
                            <a class="button" href=page>{words!(form.cancel)}</a>
                        </div>
                    </Form>
                </div>
            }
            .into_any()
        })
    }
}
