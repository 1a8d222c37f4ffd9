//! The route table: one line a page.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{Lazy, LazyRoute, SsrMode, path};

use crate::account::details::DetailsPage;
use crate::account::leave::LeavePage;
use crate::account::list::AccountsPage;
use crate::account::overview::OverviewPage;
use crate::activity::LogPage;
use crate::billing::BillingPage;
use crate::domains::DomainsPage;
use crate::help::{GuidePage, HelpPage};
use crate::invitations::decline::DeclinePage;
use crate::invitations::join::JoinPage;
use crate::invitations::report::ReportPage;
use crate::mailbox::{MailPage, MailboxPage};
use crate::page::{HasErrors, Revision, Taken, Waiting};
use crate::security::SecurityPage;
use crate::security::authenticator::{AuthenticatorPage, CodesPage, TurnOffPage};
use crate::security::forgot::{ForgotPage, ForgotSentPage};
use crate::security::profile::ProfilePage;
use crate::security::reset::ResetPage;
use crate::services::ServicesPage;
use crate::sign_in::SignInPage;
use crate::sign_in::second_factor::SecondFactorPage;
use crate::support::SupportPage;
use crate::ui::failed::NotFoundPage;
use crate::ui::frame::Go;
use crate::users::cancel::CancelPage;
use crate::users::invite::InvitePage;
use crate::users::list::UsersPage;
use crate::users::manage::ManagePage;
use crate::users::remove::RemovePage;

/// The whole application.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    #[cfg(feature = "hydrate")]
    provide_context(crate::languages::of_document());
    provide_context(Revision(RwSignal::new(0)));
    provide_context(HasErrors(RwSignal::new(false)));
    provide_context(Taken::default());
    #[cfg(feature = "ssr")]
    if let Some(confirming) = use_context::<crate::page::Confirming>() {
        return crate::sign_in::confirm::confirm_page(confirming);
    }
    let waiting = Waiting(RwSignal::new(false));
    provide_context(waiting);
    let (is_routing, set_is_routing) = signal(false);
    let on_its_way = move || is_routing.get() || waiting.0.get();
    view! {
        <Router set_is_routing>
            {move || on_its_way().then(|| view! { <div class="progress"></div> })}
            <Pages />
        </Router>
    }
    .into_any()
}

#[component]
fn Pages() -> impl IntoView {
    provide_context(Go::new());
    const ASYNC: SsrMode = SsrMode::Async;
    view! {
        <FlatRoutes fallback=NotFoundPage>
            <Route ssr=ASYNC path=path!("/sign-in") view={page::<SignInPage>()} />
            <Route ssr=ASYNC path=path!("/sign-in/second-factor") view={page::<SecondFactorPage>()} />
            <Route ssr=ASYNC path=path!("/forgot-password") view={page::<ForgotPage>()} />
            <Route ssr=ASYNC path=path!("/forgot-password/sent") view={page::<ForgotSentPage>()} />
            <Route ssr=ASYNC path=path!("/reset/:token") view={page::<ResetPage>()} />
            <Route ssr=ASYNC path=path!("/invitations/:token") view={page::<JoinPage>()} />
            <Route ssr=ASYNC path=path!("/invitations/:token/decline") view={page::<DeclinePage>()} />
            <Route ssr=ASYNC path=path!("/invitations/:token/report") view={page::<ReportPage>()} />
            <Route ssr=ASYNC path=path!("/accounts") view={page::<AccountsPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account") view={page::<OverviewPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/users") view={page::<UsersPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/users/invite") view={page::<InvitePage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/users/:user") view={page::<ManagePage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/users/:user/remove") view={page::<RemovePage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/invitations/:invitation/cancel") view={page::<CancelPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/services") view={page::<ServicesPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/domains") view={page::<DomainsPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/billing") view={page::<BillingPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/support") view={page::<SupportPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/account") view={page::<DetailsPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/leave") view={page::<LeavePage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/log") view={page::<LogPage>()} />
            <Route ssr=ASYNC path=path!("/profile") view={page::<ProfilePage>()} />
            <Route ssr=ASYNC path=path!("/security") view={page::<SecurityPage>()} />
            <Route ssr=ASYNC path=path!("/security/authenticator") view={page::<AuthenticatorPage>()} />
            <Route ssr=ASYNC path=path!("/security/authenticator/off") view={page::<TurnOffPage>()} />
            <Route ssr=ASYNC path=path!("/security/recovery-codes") view={page::<CodesPage>()} />
            <Route ssr=ASYNC path=path!("/help/users") view={page::<HelpPage>()} />
            <Route ssr=ASYNC path=path!("/help/:guide") view={page::<GuidePage>()} />
            <Route ssr=ASYNC path=path!("/demo/mailbox") view={page::<MailboxPage>()} />
            <Route ssr=ASYNC path=path!("/demo/mailbox/:mail") view={page::<MailPage>()} />
        </FlatRoutes>
    }
}

/// A page whose WASM is fetched when it is first gone to.
fn page<T: LazyRoute>() -> Lazy<T> {
    Lazy::new()
}
