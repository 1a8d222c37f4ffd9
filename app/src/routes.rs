//! The route table: one line a page.

use leptos::prelude::*;
use leptos::tachys::view::iterators::StaticVec;
use leptos_meta::provide_meta_context;
use leptos_router::any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute};
use leptos_router::components::{FlatRoutes, RouteChildren, Router};
#[cfg(feature = "hydrate")]
use leptos_router::{ChooseView, MatchInterface, RouteDefs};
use leptos_router::{NestedRoute, SsrMode, path};

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
        let paths = |pages: fn() -> Pages| {
            let list = move || view! { <Router><FlatRoutes fallback=|| () children=children(pages) /></Router> };
            let listed = leptos_axum::generate_route_list(list);
            listed.into_iter().map(|page| page.path().to_owned())
        };
        paths(living_pages).chain(paths(still_pages)).collect()
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
            <Shown />
        </Router>
    }
    .into_any()
}

/// The page at this address. What doesn't come to life isn't known to the browser's half.
#[component]
fn Shown() -> impl IntoView {
    provide_context(Go::new());
    #[cfg(feature = "ssr")]
    if !crate::address::comes_to_life(&use_location().pathname.get_untracked()) {
        return view! { <FlatRoutes fallback=NotFoundPage children=children(still_pages) /> }
            .into_any();
    }
    view! { <FlatRoutes fallback=ElsewherePage children=children(living_pages) /> }.into_any()
}

/// Fetches the code of what the document shows: it comes to life without waiting for anything.
#[cfg(feature = "hydrate")]
pub async fn fetch_what_is_shown() {
    let path = location().pathname().unwrap_or_default();
    if let Some(page) = RouteDefs::new(living_pages()).match_route(&path) {
        page.into_view_and_child().0.preload().await;
    }
    crate::ui::refused::fetch_if_shown().await;
}

/// Pages, of which the first with a path that fits is shown.
type Pages = StaticVec<AnyNestedRoute>;

/// What the router takes them as.
fn children(pages: fn() -> Pages) -> RouteChildren<Pages> {
    RouteChildren::to_children(pages)
}

/// Each page by its path. `scripts/front.mjs` reads these lines, too.
macro_rules! routes {
    ($($path:tt => $page:ty),+ $(,)?) => {
        StaticVec::from(vec![
            $(NestedRoute::new(path!($path), LazyPage::of::<$page>()).ssr_mode(ASYNC).into_any_nested_route()),+
        ])
    };
}

/// The pages that the browser's half brings to life, and can show by itself from then on.
fn living_pages() -> Pages {
    routes! {
        "/accounts" => AccountsPage,
        "/accounts/:account" => OverviewPage,
        "/accounts/:account/users" => UsersPage,
        "/accounts/:account/users/invite" => InvitePage,
        "/accounts/:account/users/:user" => ManagePage,
        "/accounts/:account/users/:user/extra/:grant" => ExtraPage,
        "/accounts/:account/users/:user/reaches/:area" => ReachedPage,
        "/accounts/:account/users/permissions/:permission" => HavingPage,
        "/accounts/:account/users/:user/owner" => MakeOwnerPage,
        "/accounts/:account/users/:user/hand-over" => HandOverPage,
        "/accounts/:account/owners/successor" => SuccessorPage,
        "/accounts/:account/owners/:change" => OwnerChangePage,
        "/accounts/:account/step-down" => StepDownPage,
        "/accounts/:account/take-over" => TakeOverPage,
        "/accounts/:account/users/:user/remove" => RemovePage,
        "/accounts/:account/invitations/:invitation/cancel" => CancelPage,
        "/accounts/:account/requests/:request/decline" => DeclineRequestPage,
        "/accounts/:account/ask" => AskPage,
        "/accounts/:account/services" => ServicesPage,
        "/accounts/:account/services/:service" => ServicePage,
        "/accounts/:account/services/:service/access" => ServiceReachingPage,
        "/accounts/:account/domains" => DomainsPage,
        "/accounts/:account/domains/:domain" => DomainPage,
        "/accounts/:account/domains/:domain/access" => DomainReachingPage,
        "/accounts/:account/billing" => BillingPage,
        "/accounts/:account/support" => SupportPage,
        "/accounts/:account/support/:request" => RequestPage,
        "/accounts/:account/account" => DetailsPage,
        "/accounts/:account/policy" => PolicyPage,
        "/accounts/:account/single-sign-on" => SingleSignOnPage,
        "/accounts/:account/leave" => LeavePage,
        "/accounts/:account/log" => LogPage,
        "/help" => GuidesPage,
        "/help/users" => HelpPage,
        "/help/:guide" => GuidePage,
    }
}

/// The pages that are loaded whole, and need no script.
#[cfg(feature = "ssr")]
fn still_pages() -> Pages {
    routes! {
        "/sign-in" => SignInPage,
        "/sign-in/second-factor" => SecondFactorPage,
        "/sign-in/single-sign-on" => CompanyPage,
        "/sign-in/onward" => OnwardPage,
        "/sign-in/link" => LinkPage,
        "/forgot-password" => ForgotPage,
        "/forgot-password/sent" => ForgotSentPage,
        "/reset/:token" => ResetPage,
        "/invitations/:token" => JoinPage,
        "/invitations/:token/decline" => DeclinePage,
        "/invitations/:token/report" => ReportPage,
        "/profile" => ProfilePage,
        "/profile/email" => EmailPage,
        "/profile/delete" => DeleteLoginPage,
        "/email/:step/:token" => EmailLinkPage,
        "/security" => SecurityPage,
        "/security/authenticator" => AuthenticatorPage,
        "/security/authenticator/off" => TurnOffPage,
        "/security/passkeys/add" => AddPasskeyPage,
        "/security/passkeys/:passkey" => PasskeyPage,
        "/security/recovery-codes" => CodesPage,
        "/security/identities/:identity" => UnlinkPage,
        "/demo/mailbox" => MailboxPage,
        "/demo/mailbox/:mail" => MailPage,
    }
}
