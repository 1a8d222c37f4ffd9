//! Every address: which pages there are, what is known of a page by its address alone, and how one
//! is written.

use std::fmt::Display;

use leptos::prelude::*;
use model::{AccountNumber, Permission};

use crate::frame::AccountFrame;
use crate::title::Around;

#[cfg(feature = "ssr")]
use model::Cursor;

/// What the paths of pages outside any account begin with that the account which their reader comes from
/// stays around.
const STAYS_AROUND: [&str; 4] = ["demo", "help", "profile", "security"];

/// What is known of a page by its address.
#[cfg(feature = "ssr")]
#[derive(Clone, Copy)]
struct Page {
    /// Its path, with `{name}` where a part may be anything.
    path: &'static str,
    /// Whether it comes to life in the browser.
    lives: bool,
    /// Whether its path holds a key: that must not get into a log.
    holds_key: bool,
    /// Whether it, or one beside it, can ask for a passkey.
    asks_for_passkeys: bool,
}

#[cfg(feature = "ssr")]
impl Page {
    const fn still(path: &'static str) -> Self {
        Self { path, lives: false, holds_key: false, asks_for_passkeys: false }
    }

    const fn living(path: &'static str) -> Self {
        Self { lives: true, ..Self::still(path) }
    }

    const fn holds_key(self) -> Self {
        Self { holds_key: true, ..self }
    }

    const fn asks_for_passkeys(self) -> Self {
        Self { asks_for_passkeys: true, ..self }
    }
}

/// Makes the table: a constant a page, what the server has to know of it, and the guide that belongs to
/// it with the place in that. Where none is said, it is the one to managing users.
macro_rules! pages {
    ($($name:ident: $path:literal, $life:ident $($more:ident)? $(, guide $guide:literal $place:literal)?;)*) => {
        $(
            #[cfg_attr(
                not(feature = "ssr"),
                allow(dead_code, reason = "the browser's half leads to some of the pages only")
            )]
            pub(crate) const $name: &str = $path;
        )*

        #[cfg(feature = "ssr")]
        static PAGES: &[Page] = &[$(Page::$life($path)$(.$more())?),*];

        static PLACES: &[(&str, &str, &str)] = &[$($(($path, $guide, $place),)?)*];
    };
}

// Pages whose paths have the same first part come to life, hold a key and ask for passkeys all or none
// (`begins_like` asks by that part): so an address that is no page is treated like those around it.
// `help_for` takes the first page that fits: one with a name stands before one that may have any.
pages! {
    ACCOUNTS: "/accounts", living;
    ACCOUNT: "/accounts/{account}", living;
    USERS: "/accounts/{account}/users", living, guide "users" "#step-2";
    INVITE: "/accounts/{account}/users/invite", living, guide "users" "#step-2";
    MANAGE: "/accounts/{account}/users/{user}", living, guide "users" "#step-3";
    EXTRA: "/accounts/{account}/users/{user}/extra/{grant}", living, guide "users" "#step-3";
    REACHED: "/accounts/{account}/users/{user}/reaches/{area}", living, guide "users" "#step-3";
    HAVING: "/accounts/{account}/users/permissions/{permission}", living, guide "users" "#step-3";
    MAKE_OWNER: "/accounts/{account}/users/{user}/owner", living, guide "account" "#owners";
    HAND_OVER: "/accounts/{account}/users/{user}/hand-over", living, guide "account" "#owners";
    SUCCESSOR: "/accounts/{account}/owners/successor", living, guide "account" "#successor";
    OWNER_CHANGE: "/accounts/{account}/owners/{change}", living, guide "account" "#owners";
    STEP_DOWN: "/accounts/{account}/step-down", living, guide "account" "#owners";
    TAKE_OVER: "/accounts/{account}/take-over", living, guide "account" "#successor";
    REMOVE: "/accounts/{account}/users/{user}/remove", living, guide "users" "#step-3";
    CANCEL: "/accounts/{account}/invitations/{invitation}/cancel", living, guide "users" "#no-mail";
    DECLINE_REQUEST: "/accounts/{account}/requests/{request}/decline", living, guide "users" "#step-3";
    ASK: "/accounts/{account}/ask", living;
    SERVICES: "/accounts/{account}/services", living;
    SERVICE: "/accounts/{account}/services/{service}", living;
    SERVICE_REACHING: "/accounts/{account}/services/{service}/access", living, guide "users" "#step-3";
    DOMAINS: "/accounts/{account}/domains", living;
    DOMAIN: "/accounts/{account}/domains/{domain}", living;
    DOMAIN_REACHING: "/accounts/{account}/domains/{domain}/access", living, guide "users" "#step-3";
    BILLING: "/accounts/{account}/billing", living, guide "billing" "";
    SUPPORT: "/accounts/{account}/support", living;
    SUPPORT_REQUEST: "/accounts/{account}/support/{request}", living;
    DETAILS: "/accounts/{account}/account", living, guide "account" "";
    POLICY: "/accounts/{account}/policy", living, guide "account" "";
    SINGLE_SIGN_ON: "/accounts/{account}/single-sign-on", living;
    LEAVE: "/accounts/{account}/leave", living, guide "account" "#leave";
    LOG: "/accounts/{account}/log", living, guide "account" "#log";
    GUIDES: "/help", living;
    HELP: "/help/users", living;
    GUIDE: "/help/{guide}", living;

    SIGN_IN: "/sign-in", still asks_for_passkeys;
    SECOND_FACTOR: "/sign-in/second-factor", still asks_for_passkeys;
    COMPANY: "/sign-in/single-sign-on", still asks_for_passkeys;
    ONWARD: "/sign-in/onward", still asks_for_passkeys;
    LINK: "/sign-in/link", still asks_for_passkeys;
    FORGOT: "/forgot-password", still;
    FORGOT_SENT: "/forgot-password/sent", still;
    RESET: "/reset/{token}", still holds_key;
    JOIN: "/invitations/{token}", still holds_key;
    DECLINE: "/invitations/{token}/decline", still holds_key;
    REPORT: "/invitations/{token}/report", still holds_key;
    PROFILE: "/profile", still, guide "security" "";
    EMAIL: "/profile/email", still;
    DELETE_LOGIN: "/profile/delete", still, guide "security" "";
    EMAIL_LINK: "/email/{step}/{token}", still holds_key;
    SECURITY: "/security", still asks_for_passkeys, guide "security" "";
    AUTHENTICATOR: "/security/authenticator", still asks_for_passkeys;
    AUTHENTICATOR_OFF: "/security/authenticator/off", still asks_for_passkeys;
    ADD_PASSKEY: "/security/passkeys/add", still asks_for_passkeys;
    PASSKEY: "/security/passkeys/{passkey}", still asks_for_passkeys;
    RECOVERY_CODES: "/security/recovery-codes", still asks_for_passkeys;
    IDENTITY: "/security/identities/{identity}", still asks_for_passkeys;
    MAILBOX: "/demo/mailbox", still;
    MAIL: "/demo/mailbox/{mail}", still;
}

/// Takes the form for signing out, which stands on all pages.
pub const SIGN_OUT: &str = "/sign-out";

/// What is known of the reader, as a file.
#[cfg(feature = "ssr")]
pub const OWN_DATA: &str = "/profile/data.json";

/// Where an identity provider sends browsers back to.
#[cfg(feature = "ssr")]
pub const CALLBACK: &str = "/sign-in/callback";

/// The same for an account's own.
#[cfg(feature = "ssr")]
pub const CALLBACK_OF_ACCOUNT: &str = "/sign-in/callback/{account}";

/// The mark of the provider.
#[cfg(feature = "ssr")]
pub const PROVIDER_MARK: &str = "/provider-mark";

/// The provider's accent colours.
#[cfg(feature = "ssr")]
pub const PROVIDER_STYLE: &str = "/provider.css";

/// What goes out as it stands in `public/`.
#[cfg(feature = "ssr")]
pub const FILES: [&str; 3] = ["/favicon.svg", "/passkeys.js", "/robots.txt"];

/// What the files that were built have in front of them.
#[cfg(feature = "ssr")]
pub const BUILT: &str = "/pkg/";

/// Whether the page with this path comes to life in the browser. Sign-in and join pages, and those
/// about the reader's own login, don't need to: they only fetch the files ahead, for the page that
/// follows.
#[cfg(feature = "ssr")]
pub(crate) fn comes_to_life(path: &str) -> bool {
    begins_like(path, |page| page.lives)
}

/// Whether the page with this path can ask for a passkey.
#[cfg(feature = "ssr")]
pub(crate) fn asks_for_passkeys(path: &str) -> bool {
    begins_like(path, |page| page.asks_for_passkeys)
}

/// The path as it may stand in a log: where pages hold a key in theirs, all behind its first part may
/// be one.
#[cfg(feature = "ssr")]
#[must_use]
pub fn logged(path: &str) -> String {
    let parts = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    match parts {
        Some((first, _)) if begins_like(path, |page| page.holds_key) => format!("/{first}/…"),
        _ => path.to_owned(),
    }
}

/// Whether what is at this path is the same for everybody, as files are.
#[cfg(feature = "ssr")]
#[must_use]
pub fn is_same_for_all(path: &str) -> bool {
    path.starts_with(BUILT)
        || FILES.contains(&path)
        || [PROVIDER_MARK, PROVIDER_STYLE].contains(&path)
}

/// Whether the path's first part is that of such a page.
#[cfg(feature = "ssr")]
fn begins_like(path: &str, is: fn(&Page) -> bool) -> bool {
    PAGES.iter().any(|page| is(page) && first(page.path) == first(path))
}

fn first(path: &str) -> Option<&str> {
    path.strip_prefix('/')?.split('/').next()
}

/// The guide, and the place in it, that fits the page with this path.
pub(crate) fn help_for(path: &str, account: Option<&AccountFrame>) -> String {
    let number = account.map(|account| account.number);
    let own = number.map(|number| number.to_string()).unwrap_or_default();
    let is_here = |page: &str| {
        let mut parts = path.split('/');
        let fits = page.split('/').all(|part| match parts.next() {
            Some(here) if part == "{account}" => here == own,
            Some(here) => part.starts_with('{') || part == here,
            None => false,
        });
        fits && parts.next().is_none()
    };
    let found = PLACES.iter().copied().find(|&(page, ..)| is_here(page));
    let (_, guide, place) = found.unwrap_or(("", "users", ""));
    let cannot_invite = place == "#step-2"
        && account.is_some_and(|account| !account.opens(Permission::AccountUsers));
    self::guide(guide, number, if cannot_invite { "#cannot-invite" } else { place })
}

/// The address of a guide as it is read from this account, and of a place in it.
pub(crate) fn guide(guide: &str, number: Option<AccountNumber>, place: &str) -> String {
    beside(&address_of(GUIDE, &[&guide]), number) + place
}

/// The address as it is gone to from this account: that of a page which the account stays around names
/// it, unless it names one already.
pub(crate) fn beside(address: &str, number: Option<AccountNumber>) -> String {
    let (page, place) = match address.split_once('#') {
        Some((page, place)) => (page, Some(place)),
        None => (address, None),
    };
    let (path, query) = match page.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (page, None),
    };
    let names_one =
        query.is_some_and(|query| query.split('&').any(|of| of.starts_with("account=")));
    let stays = first(path).is_some_and(|first| STAYS_AROUND.contains(&first));
    let Some(number) = number.filter(|_| stays && !names_one) else { return address.to_owned() };
    let mut beside = format!("{page}{}account={number}", if query.is_some() { '&' } else { '?' });
    if let Some(place) = place {
        beside.push('#');
        beside.push_str(place);
    }
    beside
}

/// The address as it is gone to from this page, around which there may be an account. Forms go to theirs
/// by it, and what a form came to is led to by `request::redirect`, so that the account is kept.
pub(crate) fn from_here(address: &str) -> String {
    let around = use_context::<Around>().and_then(|Around(account)| account);
    beside(address, around.map(|account| account.0))
}

/// A page's address: its path with these as the parts that may be anything, in their order.
pub(crate) fn address_of(page: &str, parts: &[&dyn Display]) -> String {
    let mut parts = parts.iter();
    let mut address = String::with_capacity(page.len());
    for part in page.split('/').skip(1) {
        address.push('/');
        match part.starts_with('{').then(|| parts.next()).flatten() {
            Some(own) => address.push_str(&own.to_string()),
            None => address.push_str(part),
        }
    }
    address
}

/// The address of the sign-in page that leads on to this one.
pub(crate) fn sign_in_for(next: &str) -> String {
    leading_on(SIGN_IN, next)
}

/// The address of a page of signing in that leads on to this one.
pub(crate) fn leading_on(page: &str, next: &str) -> String {
    let mut address = page.to_owned();
    address.push_str("?next=");
    address.push_str(&escape_query(next));
    address
}

/// The page's path. On the server from the request itself: the page that asks who one is has no router.
pub(crate) fn path() -> String {
    #[cfg(feature = "ssr")]
    return use_context::<axum::http::request::Parts>()
        .map(|parts| parts.uri.path().to_owned())
        .unwrap_or_default();
    #[cfg(not(feature = "ssr"))]
    leptos_router::hooks::use_location().pathname.get_untracked()
}

/// The path, if it leads to a page of this site and nowhere else.
#[cfg(any(feature = "ssr", test))]
#[must_use]
pub fn same_site(path: &str) -> Option<&str> {
    let inside = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.contains(|c: char| c.is_control() || !c.is_ascii());
    inside.then_some(path)
}

/// A cursor as it stands in a query.
#[cfg(feature = "ssr")]
pub(crate) fn write_cursor(cursor: &Cursor) -> String {
    escape_query(&format!("{}~{}", cursor.id, cursor.key))
}

/// Reads it back; a broken one means the first page.
#[cfg(feature = "ssr")]
pub(crate) fn read_cursor(text: &str) -> Option<Cursor> {
    let (id, key) = text.split_once('~')?;
    Some(Cursor { id: id.parse().ok()?, key: key.to_owned() })
}

/// A text as it may stand in a query (RFC 3986 section 3.4).
pub(crate) fn escape_query(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                escaped.push(byte as char);
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use model::PermissionSet;

    use super::*;

    #[test]
    fn only_paths_of_this_site_are_gone_to() {
        for path in ["/", "/accounts/1/users?search=a%20b", "/a/b"] {
            assert_eq!(same_site(path), Some(path));
        }
        for path in ["", "//evil.example", "https://evil.example", "/\\evil", "/a\nb", "/ø"] {
            assert_eq!(same_site(path), None, "{path}");
        }
    }

    #[test]
    fn a_query_is_escaped() {
        assert_eq!(escape_query("/a?b=c&d=é"), "/a%3Fb%3Dc%26d%3D%C3%A9");
    }

    #[test]
    fn an_address_has_its_own_parts() {
        assert_eq!(address_of(ACCOUNTS, &[]), "/accounts");
        assert_eq!(address_of(USERS, &[&7]), "/accounts/7/users");
        assert_eq!(address_of(REMOVE, &[&7, &"x"]), "/accounts/7/users/x/remove");
        assert_eq!(address_of(EMAIL_LINK, &[&"undo", &"{key}"]), "/email/undo/{key}");
    }

    #[test]
    fn pages_that_an_account_stays_around_name_it() {
        let number = Some(AccountNumber::from_stored(100_001));
        for (address, named) in [
            ("/security", "/security?account=100001"),
            ("/security/passkeys/x", "/security/passkeys/x?account=100001"),
            ("/help/users?email=x#no-mail", "/help/users?email=x&account=100001#no-mail"),
            ("/help/users?account=100002", "/help/users?account=100002"),
            ("/profile#x", "/profile?account=100001#x"),
            ("/accounts/100002", "/accounts/100002"),
            ("/sign-in?next=/security", "/sign-in?next=/security"),
            ("/", "/"),
        ] {
            assert_eq!(beside(address, number), named);
            assert_eq!(beside(address, None), address);
        }
    }

    #[test]
    fn help_opens_where_it_fits() {
        let account = |owner| AccountFrame {
            number: AccountNumber::from_stored(100_001),
            name: "Bakery".to_owned(),
            owner,
            open: PermissionSet::EMPTY,
            closes: None,
            eyes: None,
            waiting: Vec::new(),
        };
        let (owner, guest) = (account(true), account(false));
        let cases = [
            ("/accounts/100001", Some(&owner), "/help/users?account=100001"),
            ("/accounts/100001/users", Some(&owner), "/help/users?account=100001#step-2"),
            ("/accounts/100001/users", Some(&guest), "/help/users?account=100001#cannot-invite"),
            ("/accounts/100001/users/7", Some(&owner), "/help/users?account=100001#step-3"),
            ("/accounts/100001/billing", Some(&owner), "/help/billing?account=100001"),
            ("/accounts/100001/account", Some(&owner), "/help/account?account=100001"),
            ("/accounts/100001/log", Some(&owner), "/help/account?account=100001#log"),
            ("/security", None, "/help/security"),
            ("/accounts", None, "/help/users"),
        ];
        for (path, account, expected) in cases {
            assert_eq!(help_for(path, account), expected, "{path}");
        }
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn every_page_is_in_the_table_once() {
        let mut table: Vec<_> = PAGES.iter().map(|page| page.path).collect();
        let mut routes: Vec<_> = crate::pages().iter().map(String::as_str).collect();
        // The route table says those first that come to life.
        let living = PAGES.iter().filter(|page| page.lives).count();
        for (place, path) in routes.iter().enumerate() {
            assert_eq!(comes_to_life(path), place < living, "{path}");
        }
        table.sort_unstable();
        routes.sort_unstable();
        assert_eq!(table, routes);
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn pages_below_one_first_part_are_of_one_kind() {
        for page in PAGES {
            assert_eq!(comes_to_life(page.path), page.lives, "{}", page.path);
            assert_eq!(asks_for_passkeys(page.path), page.asks_for_passkeys, "{}", page.path);
            assert_eq!(logged(page.path) != page.path, page.holds_key, "{}", page.path);
        }
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn every_page_with_a_key_in_its_path_is_marked() {
        // What is no key: ids, numbers, and names of ours.
        let harmless = [
            "account",
            "user",
            "grant",
            "permission",
            "change",
            "invitation",
            "request",
            "service",
            "domain",
            "guide",
            "step",
            "passkey",
            "identity",
            "mail",
            "area",
        ];
        for page in PAGES {
            let parts = page.path.split('/').filter_map(|part| part.strip_prefix('{'));
            let mut parts = parts.map(|part| part.trim_end_matches('}'));
            let key = parts.any(|part| !harmless.contains(&part));
            assert_eq!(key, page.holds_key, "{}", page.path);
        }
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn no_key_gets_into_the_log() {
        for (path, expected) in [
            ("/invitations/abc", "/invitations/…"),
            ("/invitations/abc/decline", "/invitations/…"),
            ("/invitations/", "/invitations/…"),
            ("/reset/abc", "/reset/…"),
            ("/email/undo/abc", "/email/…"),
            ("/invitations", "/invitations"),
            ("/accounts/100001/invitations/7/cancel", "/accounts/100001/invitations/7/cancel"),
            ("/profile/email", "/profile/email"),
            ("/", "/"),
            ("*", "*"),
        ] {
            assert_eq!(logged(path), expected);
        }
    }
}
