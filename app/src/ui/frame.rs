//! What stands around the content: header with the account menu, navigation, footer.

use leptos::prelude::*;
use model::{AccountNumber, Area, Permission};

use crate::address::{
    ACCOUNT, ACCOUNTS, BILLING, DETAILS, DOMAINS, LOG, MAILBOX, POLICY, PROFILE, SECURITY,
    SERVICES, SIGN_OUT, SUPPORT, USERS, address_of, beside, from_here, help_for, path,
};
use crate::endpoint::endpoint;
use crate::eyes::EyesStrip;
use crate::frame::{AccountFrame, Frame, PersonView};
use crate::notice::Said;
use crate::owners::strip::{strips, strips_elsewhere};
use crate::problem::Way;
use crate::sign_out::SignOut;
use crate::ui::avatar::Avatar;
use crate::ui::form::Form;
use crate::ui::icon::{Icon, icon};
use crate::ui::notice::NoticeLine;
use crate::wire::shared;
use crate::words;

/// Where the reader is: which entry of the navigation is the present one, and what the refused
/// page calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Here {
    /// The account's overview.
    Overview,
    /// One of the areas' own pages.
    Area(Area),
    /// User management.
    Users,
    /// The activity log.
    Log,
    /// The account's policy.
    Policy,
    /// The account's own identity provider.
    SingleSignOn,
    /// A page outside the navigation.
    Elsewhere,
}

impl Here {
    /// The page's name.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Overview => words!(frame.overview),
            Self::Area(Area::Account) => words!(frame.account_details),
            Self::Area(area) => words::area(area),
            Self::Users => words!(frame.user_management),
            Self::Log => words!(frame.log),
            Self::Policy => words!(frame.policy),
            Self::SingleSignOn => words!(frame.single_sign_on),
            Self::Elsewhere => words!(frame.home),
        }
    }

    /// The navigation's entry that it is found under.
    const fn entry(self) -> Self {
        match self {
            Self::SingleSignOn => Self::Policy,
            here => here,
        }
    }
}

/// A page's content within its frame.
#[component]
pub(crate) fn Content(
    /// What the header and the navigation show.
    frame: Frame,
    /// Where the reader is.
    here: Here,
    /// What the last form came to.
    notice: Option<Said>,
    /// The content.
    children: Children,
) -> impl IntoView {
    let closes = frame.account.as_ref().and_then(|account| account.closes.clone()).map(closes);
    let navigation =
        frame.account.clone().map(|account| view! { <Areas account=account here=here /> });
    let eyes = frame.account.as_ref().and_then(|account| {
        let number = account.number;
        account.eyes.clone().map(|eyes| view! { <EyesStrip number=number eyes=eyes /> })
    });
    let waiting =
        frame.account.as_ref().map(|account| strips(account.number, account.waiting.clone()));
    let elsewhere = strips_elsewhere(frame.waiting.clone());
    let class = if navigation.is_some() { "frame" } else { "frame frame-plain" };
    let children = children();
    let untaken = untaken();
    #[cfg(feature = "hydrate")]
    take_focus();
    view! {
        <a class="skip-link" href="#main" rel="external">{words!(frame.skip)}</a>
        <div class="app">
            <Header frame=frame />
            {eyes}
            <div class=class>
                {navigation}
                <main class="content" id="main" tabindex="-1">
                    {untaken}
                    {closes}
                    {waiting}
                    {elsewhere}
                    {notice.map(|notice| view! { <NoticeLine notice=notice /> })}
                    {children}
                </main>
            </div>
        </div>
    }
}

/// That the account will take more than the reader has, until they have it.
fn closes((sentence, set_up): (String, String)) -> impl IntoView {
    view! {
        <div class="notice notice-warning">
            <p>{sentence}</p>
            <a class="button" href=from_here(SECURITY) rel="external">{set_up}</a>
        </div>
    }
}

/// A page of one narrow column, such as the sign-in page.
#[component]
pub(crate) fn Narrow(
    /// What the header shows.
    frame: Frame,
    /// What the last form came to.
    #[prop(default = None)]
    notice: Option<Said>,
    /// The content.
    children: Children,
) -> impl IntoView {
    let children = children();
    let untaken = untaken();
    #[cfg(feature = "hydrate")]
    take_focus();
    view! {
        <a class="skip-link" href="#main" rel="external">{words!(frame.skip)}</a>
        <div class="app">
            <Header frame=frame />
            <main class="narrow" id="main" tabindex="-1">
                {untaken}
                {notice.map(|notice| view! { <NoticeLine notice=notice /> })}
                {children}
            </main>
        </div>
    }
}

/// What is wrong with a form that isn't on the page any more. Asked for after the content: only then
/// it is known whether one of its forms says it.
fn untaken() -> impl IntoView {
    shared(crate::rejected::untaken).map(|told| {
        let wrong = told.0.into_iter().filter(|(target, _)| Way::read(target).is_none());
        let lines = wrong.map(|(_, words)| view! { <p>{words}</p> });
        view! { <div class="notice notice-warning" role="alert">{lines.collect_view()}</div> }
    })
}

/// Puts the focus where the reader goes on, and so has it read out: on what the last form came to,
/// on the field that is to be filled in, else on the page's heading. A page that the browser loaded begins
/// at its top by itself.
#[cfg(feature = "hydrate")]
fn take_focus() {
    use leptos::wasm_bindgen::JsCast as _;
    if crate::ui::go::is_hydrating() {
        return;
    }
    // It is made before it stands in the page, and only there can it take the focus.
    request_animation_frame(|| {
        let html = |found: web_sys::Element| found.dyn_into::<web_sys::HtmlElement>().ok();
        let find = |which| document().query_selector(which).ok().flatten().and_then(html);
        if let Some(wanted) = find("#notice, main [autofocus]") {
            let _focused = wanted.focus();
        } else if let Some(heading) = find("main h1") {
            heading.set_tab_index(-1);
            // Where the page stands is the address's to say.
            let stay = web_sys::FocusOptions::new();
            stay.set_prevent_scroll(true);
            let _focused = heading.focus_with_options(&stay);
        }
    });
}

#[component]
fn Header(frame: Frame) -> impl IntoView {
    let Frame { provider, mark, mailbox, user, several, others, more, account, .. } = frame;
    let mark = if mark {
        view! { <img class="provider-mark" src="/provider-mark" alt="" /> }.into_any()
    } else {
        view! { <span class="provider-mark">{icon(Icon::Key)}</span> }.into_any()
    };
    let name = account.as_ref().map(|account| {
        let name = account.name.clone();
        if others.is_empty() && !more {
            return view! { <span class="site-header-account" translate="no">{name}</span> }
                .into_any();
        }
        switch(name, others, more)
    });
    let menu = match user {
        Some(user) => {
            view! { <AccountMenu user=user account=account several=several mailbox=mailbox /> }
                .into_any()
        }
        None => ().into_any(),
    };
    view! {
        <header class="site-header">
            <a class="provider" href="/" rel="external">
                {mark}
                <span class="provider-name" translate="no">{provider}</span>
            </a>
            {name}
            {menu}
        </header>
    }
}

/// The button with the account's name, and the panel with the reader's others: the browser's own popover,
/// as below. Where there are more than it names, and of very many it names none, they are looked for on the
/// page of all of them.
fn switch(name: String, others: Vec<(AccountNumber, String)>, more: bool) -> AnyView {
    let label = format!("{}: {name}", words!(frame.switch));
    let named = (!others.is_empty()).then(|| {
        let links = others.into_iter().map(|(number, name)| {
            let href = address_of(ACCOUNT, &[&number]);
            view! { <li><a href=href dir="auto" translate="no">{name}</a></li> }
        });
        view! { <ul>{links.collect_view()}</ul> }
    });
    let search = more.then(|| {
        view! {
            <form class="account-search" method="get" action=ACCOUNTS role="search">
                <input
                    type="search"
                    name="search"
                    aria-label=words!(accounts.search)
                    placeholder=words!(accounts.search)
                />
                <button class="button" type="submit">{words!(users.search_button)}</button>
            </form>
        }
    });
    view! {
        <div class="site-header-account">
            <button
                type="button"
                class="account-switch"
                popovertarget="account-switch"
                aria-label=label
            >
                <span translate="no">{name}</span>
                {icon(Icon::Down)}
            </button>
            <div
                class="account-menu-panel account-switch-panel"
                id="account-switch"
                popover="auto"
                on:click=close_panel
            >
                {named}
                {search}
            </div>
        </div>
    }
    .into_any()
}

/// The button with the reader's own name, and the panel that it opens. The browser's own popover
/// does the work, so that it needs no script: Tab walks it, Escape closes it and the focus
/// returns.
#[component]
fn AccountMenu(
    user: PersonView,
    account: Option<AccountFrame>,
    several: bool,
    mailbox: bool,
) -> impl IntoView {
    let left = account.as_ref().map(|account| account.number);
    let inside = account.as_ref().map(|account| {
        let number = account.number;
        // Who will be refused is told so by a page that is loaded whole, with the status that fits.
        let loaded = |needs| (!account.opens(needs)).then_some("external");
        view! {
            <li>
                <a href=address_of(USERS, &[&number]) rel=loaded(Permission::AccountUsers)>
                    {words!(frame.user_management)}
                </a>
            </li>
            <li>
                <a
                    href=address_of(DETAILS, &[&number])
                    rel=loaded(Permission::AccountProfile)
                >
                    {words!(frame.account_details)}
                </a>
            </li>
        }
    });
    let several = several.then(|| {
        // With one account left the server leads on to it: only a page loaded whole follows.
        view! { <li><a href=ACCOUNTS rel="external">{words!(frame.switch)}</a></li> }
    });
    let help = help_for(&path(), account.as_ref());
    let mailbox = mailbox.then(|| {
        let href = beside(MAILBOX, left);
        view! { <li><a href=href rel="external">{words!(frame.mailbox)}</a></li> }
    });
    let PersonView { id, name, email } = user;
    view! {
        <div class="account-menu">
            <button
                type="button"
                class="account-menu-button"
                popovertarget="account-menu"
                aria-label=name.clone()
            >
                <Avatar id=id name=name.clone() />
                <span class="account-menu-name" translate="no">{name.clone()}</span>
                {icon(Icon::Down)}
            </button>
            <div
                class="account-menu-panel"
                id="account-menu"
                popover="auto"
                on:click=close_panel
            >
                <p class="account-menu-who" translate="no">
                    <strong>{name}</strong>
                    <span>{email}</span>
                </p>
                <ul>
                    {inside}
                    <li>
                        <a href=beside(PROFILE, left) rel="external">{words!(frame.profile)}</a>
                    </li>
                    <li>
                        <a href=beside(SECURITY, left) rel="external">{words!(frame.security)}</a>
                    </li>
                    {several}
                    <li><a href=help>{words!(frame.help)}</a></li>
                    {mailbox}
                </ul>
                <Form
                    form={endpoint::<SignOut>()}
                    action=SIGN_OUT
                    class="account-menu-form"
                    summary=false
                >
                    <button type="submit" class="link-button">{words!(frame.sign_out)}</button>
                </Form>
            </div>
        </div>
    }
}

/// A link in the panel leads to another page: the panel must not stay open over it.
fn close_panel(event: leptos::ev::MouseEvent) {
    #[cfg(feature = "hydrate")]
    {
        use leptos::wasm_bindgen::JsCast as _;
        let link = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .and_then(|element| element.closest("a").ok().flatten());
        let panel = document().query_selector(":popover-open").ok().flatten();
        if let (Some(_), Some(panel)) = (link, panel)
            && let Ok(panel) = panel.dyn_into::<web_sys::HtmlElement>()
        {
            let _closed = panel.hide_popover();
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = event;
}

/// The areas that the reader may enter.
#[component]
fn Areas(account: AccountFrame, here: Here) -> impl IntoView {
    let number = account.number;
    let here = here.entry();
    let entries = entries(&account).into_iter().map(move |(to, page, picture)| {
        let href = address_of(page, &[&number]);
        view! {
            <li>
                <a href=href aria-current=(to == here).then_some("page")>
                    {icon(picture)}
                    <span>{to.name()}</span>
                </a>
            </li>
        }
    });
    view! {
        <nav class="areas" aria-label=words!(frame.areas)>
            <ul>{entries.collect_view()}</ul>
        </nav>
    }
}

/// The navigation's entries that are open to the reader, with their pages.
fn entries(account: &AccountFrame) -> Vec<(Here, &'static str, Icon)> {
    let all = [
        (None, Here::Overview, ACCOUNT, Icon::Home),
        (Some(Permission::ServicesView), Here::Area(Area::Services), SERVICES, Icon::Server),
        (Some(Permission::DomainsView), Here::Area(Area::Domains), DOMAINS, Icon::Globe),
        (Some(Permission::BillingView), Here::Area(Area::Billing), BILLING, Icon::Invoice),
        (Some(Permission::SupportView), Here::Area(Area::Support), SUPPORT, Icon::Speech),
        (Some(Permission::AccountUsers), Here::Users, USERS, Icon::People),
        (Some(Permission::AccountProfile), Here::Area(Area::Account), DETAILS, Icon::Card),
        (Some(Permission::AccountLog), Here::Log, LOG, Icon::Clock),
    ];
    let open = all.into_iter().filter(|(needs, ..)| needs.is_none_or(|needs| account.opens(needs)));
    let open = open.map(|(_, here, page, picture)| (here, page, picture));
    // No permission opens what only owners decide.
    open.chain(account.owner.then_some((Here::Policy, POLICY, Icon::Lock))).collect()
}
