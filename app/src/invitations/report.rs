//! "I don't know this person": asked once more.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::address::{JOIN, REPORT, address_of};
use crate::endpoint::endpoint;
use crate::invitations::api::{self, JoinView};
use crate::invitations::join::dead;
use crate::loading::{Loading, narrow};
use crate::title::PageTitle;
use crate::ui::form::{Form, SubmitButton};

/// `/invitations/{token}/report`
pub(crate) struct ReportPage(Loading<JoinView>);

#[lazy_route]
impl LazyRoute for ReportPage {
    fn data() -> Self {
        Self(load!(asked => api::JoinPage { token: asked.part("token") }))
    }

    fn view(this: Self) -> AnyView {
        narrow(this.0, |view, frame| {
            let invitation = match view {
                JoinView::Open(invitation) => *invitation,
                JoinView::Dead(reason) => return dead(reason, frame),
            };
            // Of the provider's own invitation there is nobody to report: the join page has no
            // button that leads here.
            let inviter = invitation.inviter.unwrap_or_else(|| frame.provider.clone());
            let heading = words!(join.report_heading, inviter = inviter.clone());
            let text = words!(
                join.report_text,
                inviter = inviter,
                account = invitation.account,
                email = invitation.email,
                provider = frame.provider.clone()
            );
            let page = address_of(JOIN, &[&invitation.token]);
            let report = address_of(REPORT, &[&invitation.token]);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <h1>{heading}</h1>
                <p>{text}</p>
                <Form form={endpoint::<api::Report>()} action=report>
                    <input type="hidden" name="token" value=invitation.token />
                    <div class="form-actions">
                        <SubmitButton class="button-danger" words=words!(join.report) />
                        <a class="button" href=page rel="external">{words!(join.decline_back)}</a>
                    </div>
                </Form>
            }
            .into_any()
        })
    }
}
