//! The route table: one line a page.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{SsrMode, path};

use crate::access_requests::ask::AskPage;
use crate::access_requests::decline::DeclineRequestPage;
use crate::account::details::DetailsPage;
use crate::account::leave::LeavePage;
use crate::account::list::AccountsPage;
use crate::account::overview::OverviewPage;
use crate::activity::LogPage;
use crate::billing::BillingPage;
use crate::domains::DomainsPage;
use crate::domains::domain::DomainPage;
use crate::help::{GuidePage, GuidesPage, HelpPage};
use crate::lazy_page::LazyPage;
use crate::loading::Waiting;
use crate::owners::change::OwnerChangePage;
use crate::owners::hand_over::HandOverPage;
use crate::owners::make::MakeOwnerPage;
use crate::owners::step_down::StepDownPage;
use crate::policies::PolicyPage;
use crate::reaching::things::ReachedPage;
use crate::reaching::{DomainReachingPage, HavingPage, ServiceReachingPage};
use crate::rejected::Taken;
use crate::services::ServicesPage;
use crate::services::service::ServicePage;
use crate::single_sign_on::SingleSignOnPage;
use crate::successors::name::SuccessorPage;
use crate::successors::take_over::TakeOverPage;
use crate::support::SupportPage;
use crate::support::request::RequestPage;
use crate::title::HasErrors;
use crate::ui::failed::ElsewherePage;
use crate::ui::go::{Go, Revision};
use crate::users::cancel::CancelPage;
use crate::users::extra::ExtraPage;
use crate::users::invite::InvitePage;
use crate::users::list::UsersPage;
use crate::users::manage::ManagePage;
use crate::users::remove::RemovePage;
#[cfg(feature = "ssr")]
use {
    crate::identities::link::LinkPage,
    crate::identities::onward::OnwardPage,
    crate::identities::unlink::UnlinkPage,
    crate::invitations::decline::DeclinePage,
    crate::invitations::join::JoinPage,
    crate::invitations::report::ReportPage,
    crate::mailbox::{MailPage, MailboxPage},
    crate::profile::ProfilePage,
    crate::profile::delete::DeleteLoginPage,
    crate::profile::email::{EmailLinkPage, EmailPage},
    crate::security::SecurityPage,
    crate::security::authenticator::{AuthenticatorPage, CodesPage, TurnOffPage},
    crate::security::forgot::{ForgotPage, ForgotSentPage},
    crate::security::passkeys::{AddPasskeyPage, PasskeyPage},
    crate::security::reset::ResetPage,
    crate::sign_in::SignInPage,
    crate::sign_in::second_factor::SecondFactorPage,
    crate::single_sign_on::sign_in::CompanyPage,
    crate::ui::failed::NotFoundPage,
    leptos_router::hooks::use_location,
};

/// A page is sent when it is whole: status, cookies and redirects are settled by then.
const ASYNC: SsrMode = SsrMode::Async;

/// The paths of all pages, with `{name}` where a part may be anything.
#[cfg(feature = "ssr")]
#[must_use]
pub fn pages() -> &'static [String] {
    // Once in a process, before its first page: while Leptos lists routes it keeps every resource of
    // the whole process from loading, and a page that is rendered meanwhile would wait for ever.
    static PAGES: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| {
        let paths = |pages: fn() -> AnyView| {
            let list = move || view! { <Router>{pages()}</Router> };
            let listed = leptos_axum::generate_route_list(list);
            listed.into_iter().map(|page| page.path().to_owned())
        };
        let living = paths(|| view! { <LivingPages /> }.into_any());
        living.chain(paths(|| view! { <StillPages /> }.into_any())).collect()
    });
    &PAGES
}

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
    if let Some(confirming) = use_context::<crate::rejected::Confirming>() {
        return crate::sign_in::confirm::confirm_page(confirming);
    }
    #[cfg(feature = "ssr")]
    if let Some(form) = use_context::<crate::rejected::OfAnother>() {
        return crate::sign_in::of_another::of_another_page(form);
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

/// The pages at this address. What doesn't come to life isn't known to the browser's half.
#[component]
fn Pages() -> impl IntoView {
    provide_context(Go::new());
    #[cfg(feature = "ssr")]
    if !crate::address::comes_to_life(&use_location().pathname.get_untracked()) {
        return view! { <StillPages /> }.into_any();
    }
    view! { <LivingPages /> }.into_any()
}

/// The pages that the browser's half brings to life, and can show by itself from then on.
#[component]
fn LivingPages() -> impl IntoView {
    view! {
        <FlatRoutes fallback=ElsewherePage>
            <Route ssr=ASYNC path=path!("/accounts") view={LazyPage::of::<AccountsPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account") view={LazyPage::of::<OverviewPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/users") view={LazyPage::of::<UsersPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/users/invite") view={LazyPage::of::<InvitePage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/users/:user") view={LazyPage::of::<ManagePage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/users/:user/extra/:grant") view={LazyPage::of::<ExtraPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/users/:user/reaches/:area") view={LazyPage::of::<ReachedPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/users/permissions/:permission") view={LazyPage::of::<HavingPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/users/:user/owner") view={LazyPage::of::<MakeOwnerPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/users/:user/hand-over") view={LazyPage::of::<HandOverPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/owners/successor") view={LazyPage::of::<SuccessorPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/owners/:change") view={LazyPage::of::<OwnerChangePage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/step-down") view={LazyPage::of::<StepDownPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/take-over") view={LazyPage::of::<TakeOverPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/users/:user/remove") view={LazyPage::of::<RemovePage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/invitations/:invitation/cancel") view={LazyPage::of::<CancelPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/requests/:request/decline") view={LazyPage::of::<DeclineRequestPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/ask") view={LazyPage::of::<AskPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/services") view={LazyPage::of::<ServicesPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/services/:service") view={LazyPage::of::<ServicePage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/services/:service/access") view={LazyPage::of::<ServiceReachingPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/domains") view={LazyPage::of::<DomainsPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/domains/:domain") view={LazyPage::of::<DomainPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/domains/:domain/access") view={LazyPage::of::<DomainReachingPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/billing") view={LazyPage::of::<BillingPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/support") view={LazyPage::of::<SupportPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/support/:request") view={LazyPage::of::<RequestPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/account") view={LazyPage::of::<DetailsPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/policy") view={LazyPage::of::<PolicyPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/single-sign-on") view={LazyPage::of::<SingleSignOnPage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/leave") view={LazyPage::of::<LeavePage>()} />
            <Route ssr=ASYNC path=path!("/accounts/:account/log") view={LazyPage::of::<LogPage>()} />
            <Route ssr=ASYNC path=path!("/help") view={LazyPage::of::<GuidesPage>()} />
            <Route ssr=ASYNC path=path!("/help/users") view={LazyPage::of::<HelpPage>()} />
            <Route ssr=ASYNC path=path!("/help/:guide") view={LazyPage::of::<GuidePage>()} />
        </FlatRoutes>
    }
}

/// The pages that are loaded whole, and need no script.
#[cfg(feature = "ssr")]
#[component]
fn StillPages() -> impl IntoView {
    view! {
        <FlatRoutes fallback=NotFoundPage>
            <Route ssr=ASYNC path=path!("/sign-in") view={LazyPage::of::<SignInPage>()} />
            <Route ssr=ASYNC path=path!("/sign-in/second-factor") view={LazyPage::of::<SecondFactorPage>()} />
            <Route ssr=ASYNC path=path!("/sign-in/single-sign-on") view={LazyPage::of::<CompanyPage>()} />
            <Route ssr=ASYNC path=path!("/sign-in/onward") view={LazyPage::of::<OnwardPage>()} />
            <Route ssr=ASYNC path=path!("/sign-in/link") view={LazyPage::of::<LinkPage>()} />
            <Route ssr=ASYNC path=path!("/forgot-password") view={LazyPage::of::<ForgotPage>()} />
            <Route ssr=ASYNC path=path!("/forgot-password/sent") view={LazyPage::of::<ForgotSentPage>()} />
            <Route ssr=ASYNC path=path!("/reset/:token") view={LazyPage::of::<ResetPage>()} />
            <Route ssr=ASYNC path=path!("/invitations/:token") view={LazyPage::of::<JoinPage>()} />
            <Route ssr=ASYNC path=path!("/invitations/:token/decline") view={LazyPage::of::<DeclinePage>()} />
            <Route ssr=ASYNC path=path!("/invitations/:token/report") view={LazyPage::of::<ReportPage>()} />
            <Route ssr=ASYNC path=path!("/profile") view={LazyPage::of::<ProfilePage>()} />
            <Route ssr=ASYNC path=path!("/profile/email") view={LazyPage::of::<EmailPage>()} />
            <Route ssr=ASYNC path=path!("/profile/delete") view={LazyPage::of::<DeleteLoginPage>()} />
            <Route ssr=ASYNC path=path!("/email/:step/:token") view={LazyPage::of::<EmailLinkPage>()} />
            <Route ssr=ASYNC path=path!("/security") view={LazyPage::of::<SecurityPage>()} />
            <Route ssr=ASYNC path=path!("/security/authenticator") view={LazyPage::of::<AuthenticatorPage>()} />
            <Route ssr=ASYNC path=path!("/security/authenticator/off") view={LazyPage::of::<TurnOffPage>()} />
            <Route ssr=ASYNC path=path!("/security/passkeys/add") view={LazyPage::of::<AddPasskeyPage>()} />
            <Route ssr=ASYNC path=path!("/security/passkeys/:passkey") view={LazyPage::of::<PasskeyPage>()} />
            <Route ssr=ASYNC path=path!("/security/recovery-codes") view={LazyPage::of::<CodesPage>()} />
            <Route ssr=ASYNC path=path!("/security/identities/:identity") view={LazyPage::of::<UnlinkPage>()} />
            <Route ssr=ASYNC path=path!("/demo/mailbox") view={LazyPage::of::<MailboxPage>()} />
            <Route ssr=ASYNC path=path!("/demo/mailbox/:mail") view={LazyPage::of::<MailPage>()} />
        </FlatRoutes>
    }
}
