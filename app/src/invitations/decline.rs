//! Declining an invitation: asked once more.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::address::{DECLINE, JOIN, address_of};
use crate::endpoint::endpoint;
use crate::invitations::api::{self, JoinView};
use crate::invitations::join::dead;
use crate::loading::{Loading, narrow};
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};

/// `/invitations/{token}/decline`
pub(crate) struct DeclinePage(Loading<JoinView>);

#[lazy_route]
impl LazyRoute for DeclinePage {
    fn data() -> Self {
        Self(load!(asked => api::JoinPage { token: asked.part("token") }))
    }

    fn view(this: Self) -> AnyView {
        narrow(this.0, |view, frame| {
            let invitation = match view {
                JoinView::Open(invitation) => *invitation,
                JoinView::Dead(reason) => return dead(reason, frame),
            };
            let heading = words!(join.decline_heading, account = invitation.account);
            let text = match invitation.inviter {
                Some(inviter) => words!(join.decline_text, inviter = inviter),
                None => words!(join.decline_text_provider),
            };
            let page = address_of(JOIN, &[&invitation.token]);
            let decline = address_of(DECLINE, &[&invitation.token]);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <h1>{heading}</h1>
                <p>{text}</p>
                <Form form={endpoint::<api::Decline>()} action=decline>
                    <input type="hidden" name="token" value=invitation.token />
                    <div class="form-actions">
                        <SubmitButton class="button-danger" words=words!(join.decline) />
                        <a class="button" href=page rel="external">{words!(join.decline_back)}</a>
                    </div>
                </Form>
            }
            .into_any()
        })
    }
}
