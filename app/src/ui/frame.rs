//! What stands around the content: header with the account menu, navigation, footer.

use leptos::prelude::*;
use maud::{Markup, html};
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
use crate::ui::avatar::avatar;
use crate::ui::form::Form;
use crate::ui::icon::{Icon, icon};
use crate::ui::notice::NoticeLine;
use crate::ui::still::still;
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
    let navigation = frame.account.as_ref().map(|account| areas(account, here));
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
        {skip_link()}
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

/// What leads past everything that stands on each page.
fn skip_link() -> AnyView {
    still(html! { a.skip-link href="#main" rel="external" { (words!(frame.skip)) } })
}

/// That the account will take more than the reader has, until they have it.
fn closes((sentence, set_up): (String, String)) -> AnyView {
    still(html! {
        div.notice.notice-warning {
            p { (sentence) }
            a.button href=(from_here(SECURITY)) rel="external" { (set_up) }
        }
    })
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
        {skip_link()}
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
    let home = html! {
        a.provider href="/" rel="external" {
            @if mark {
                img.provider-mark src="/provider-mark" alt="";
            } @else {
                span.provider-mark { (icon(Icon::Key)) }
            }
            span.provider-name translate="no" { (provider) }
        }
    };
    let name = account.as_ref().map(|account| {
        let name = &account.name;
        if others.is_empty() && !more {
            return still(html! { span.site-header-account translate="no" { (name) } });
        }
        switch(name, &others, more)
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
            {still(home)}
            {name}
            {menu}
        </header>
    }
}

/// The button with the account's name, and the panel with the reader's others: the browser's own popover,
/// as below. Where there are more than it names, and of very many it names none, they are looked for on the
/// page of all of them.
fn switch(name: &str, others: &[(AccountNumber, String)], more: bool) -> AnyView {
    let button = html! {
        button.account-switch
            type="button"
            popovertarget="account-switch"
            aria-label={ (words!(frame.switch)) ": " (name) }
        {
            span translate="no" { (name) }
            (icon(Icon::Down))
        }
    };
    let named = (!others.is_empty()).then(|| {
        still(html! {
            ul {
                @for (number, name) in others {
                    li {
                        a href=(address_of(ACCOUNT, &[number])) dir="auto" translate="no" { (name) }
                    }
                }
            }
        })
    });
    let search = more.then(|| {
        still(html! {
            form.account-search method="get" action=(ACCOUNTS) role="search" {
                input
                    type="search"
                    name="search"
                    aria-label=(words!(accounts.search))
                    placeholder=(words!(accounts.search));
                button.button type="submit" { (words!(users.search_button)) }
            }
        })
    });
    view! {
        <div class="site-header-account">
            {still(button)}
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
    let help = help_for(&path(), account.as_ref());
    let PersonView { id, name, email } = user;
    let button = html! {
        button.account-menu-button
            type="button"
            popovertarget="account-menu"
            aria-label=(name)
        {
            (avatar(id, &name))
            span.account-menu-name translate="no" { (name) }
            (icon(Icon::Down))
        }
    };
    let who = html! {
        p.account-menu-who translate="no" {
            strong { (name) }
            span { (email) }
        }
    };
    let entries = html! {
        ul {
            @if let Some(account) = &account { (inside(account)) }
            (entry(&beside(PROFILE, left), Some("external"), &words!(frame.profile)))
            (entry(&beside(SECURITY, left), Some("external"), &words!(frame.security)))
            // With one account left the server leads on to it: only a page loaded whole follows.
            @if several { (entry(ACCOUNTS, Some("external"), &words!(frame.switch))) }
            (entry(&help, None, &words!(frame.help)))
            @if mailbox {
                (entry(&beside(MAILBOX, left), Some("external"), &words!(frame.mailbox)))
            }
        }
    };
    view! {
        <div class="account-menu">
            {still(button)}
            <div
                class="account-menu-panel"
                id="account-menu"
                popover="auto"
                on:click=close_panel
            >
                {still(who)}
                {still(entries)}
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

/// The entries of the menu that lead to pages of the account.
fn inside(account: &AccountFrame) -> Markup {
    // Who will be refused is told so by a page that is loaded whole, with the status that fits.
    let loaded = |needs| (!account.opens(needs)).then_some("external");
    let (users, details) = (Permission::AccountUsers, Permission::AccountProfile);
    let to = |page| address_of(page, &[&account.number]);
    html! {
        (entry(&to(USERS), loaded(users), &words!(frame.user_management)))
        (entry(&to(DETAILS), loaded(details), &words!(frame.account_details)))
    }
}

fn entry(href: &str, rel: Option<&str>, words: &str) -> Markup {
    html! { li { a href=(href) rel=[rel] { (words) } } }
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
fn areas(account: &AccountFrame, here: Here) -> AnyView {
    let here = here.entry();
    still(html! {
        nav.areas aria-label=(words!(frame.areas)) {
            ul {
                @for (to, page, picture) in entries(account) {
                    li {
                        a
                            href=(address_of(page, &[&account.number]))
                            aria-current=[(to == here).then_some("page")]
                        {
                            (icon(picture))
                            span { (to.name()) }
                        }
                    }
                }
            }
        }
    })
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
