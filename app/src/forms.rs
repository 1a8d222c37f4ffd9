//! Which page shows which form: it is taken there and nowhere else.

/// A form's server function, and the pages that show it. None means: all that ask who their reader is,
/// and they may be any.
type Shown = (&'static str, Option<&'static [&'static str]>);

const USERS: &str = "/accounts/{account}/users";
const POLICY: &str = "/accounts/{account}/policy";
const SINGLE_SIGN_ON: &str = "/accounts/{account}/single-sign-on";
const COMPANY: &str = "/sign-in/single-sign-on";
const JOIN: &str = "/invitations/{token}";
const EMAIL_LINK: &str = "/email/{step}/{token}";
const SECURITY: &str = "/security";
const PASSKEY: &str = "/security/passkeys/{passkey}";

/// The pages with the switch between languages.
const NARROW: &[&str] = &[
    "/sign-in",
    "/sign-in/second-factor",
    COMPANY,
    "/sign-in/onward",
    "/sign-in/link",
    "/forgot-password",
    "/forgot-password/sent",
    "/reset/{token}",
    JOIN,
    "/invitations/{token}/decline",
    "/invitations/{token}/report",
    EMAIL_LINK,
    "/demo/mailbox",
    "/demo/mailbox/{mail}",
];

const SHOWN: &[Shown] = &[
    ("account/change-details", Some(&["/accounts/{account}/account"])),
    ("account/leave", Some(&["/accounts/{account}/leave"])),
    ("help/feedback", Some(&["/help/users", "/help/{guide}"])),
    ("invitations/decline", Some(&["/invitations/{token}/decline"])),
    ("invitations/join", Some(&[JOIN])),
    ("invitations/join-with-new-login", Some(&[JOIN])),
    ("invitations/join-with-password", Some(&[JOIN])),
    ("invitations/report", Some(&["/invitations/{token}/report"])),
    ("language/choose", Some(NARROW)),
    ("policies/bound-sessions", Some(&[POLICY])),
    ("policies/demand-factor", Some(&[POLICY])),
    ("policies/demand-no-factor", Some(&[POLICY])),
    ("policies/limit-domains", Some(&[POLICY])),
    ("policies/remind", Some(&[POLICY])),
    ("profile/change-email", Some(&["/profile/email"])),
    ("profile/confirm-email", Some(&[EMAIL_LINK])),
    ("profile/save", Some(&["/profile"])),
    ("profile/undo-email", Some(&[EMAIL_LINK])),
    ("security/add-passkey", Some(&["/security/passkeys/add"])),
    ("security/begin-app", Some(&[SECURITY, "/security/authenticator"])),
    ("security/begin-passkey", Some(&[SECURITY])),
    ("security/change-password", Some(&[SECURITY])),
    ("security/end-device", Some(&[SECURITY])),
    ("security/end-other-devices", Some(&[SECURITY])),
    ("security/remove-passkey", Some(&[PASSKEY])),
    ("security/rename-passkey", Some(&[PASSKEY])),
    ("security/renew-codes", Some(&["/security/recovery-codes"])),
    ("security/request-reset", Some(&["/forgot-password"])),
    ("security/reset", Some(&["/reset/{token}"])),
    ("security/turn-app-off", Some(&["/security/authenticator/off"])),
    ("security/turn-app-on", Some(&["/security/authenticator"])),
    ("security/unlink", Some(&["/security/identities/{identity}"])),
    ("services/show-passwords", Some(&["/accounts/{account}/services"])),
    ("sign-in", Some(&["/sign-in"])),
    ("sign-in/arrive", Some(&["/sign-in/callback", "/sign-in/callback/{account}"])),
    ("sign-in/confirm", None),
    ("sign-in/confirm-by-factor", None),
    ("sign-in/go-on", None),
    ("sign-in/link", Some(&["/sign-in/link"])),
    ("sign-in/passkey", Some(&["/sign-in"])),
    ("sign-in/second-factor", Some(&["/sign-in/second-factor"])),
    ("sign-in/with", Some(&["/sign-in", JOIN])),
    ("sign-in/with-company", Some(&[COMPANY, SINGLE_SIGN_ON])),
    ("sign-out", Some(&["/sign-out"])),
    ("single-sign-on/add-domain", Some(&[SINGLE_SIGN_ON])),
    ("single-sign-on/lift", Some(&[SINGLE_SIGN_ON])),
    ("single-sign-on/prove-domain", Some(&[SINGLE_SIGN_ON])),
    ("single-sign-on/remove-domain", Some(&[SINGLE_SIGN_ON])),
    ("single-sign-on/remove-provider", Some(&[SINGLE_SIGN_ON])),
    ("single-sign-on/require", Some(&[SINGLE_SIGN_ON])),
    ("single-sign-on/set-provider", Some(&[SINGLE_SIGN_ON])),
    ("users/cancel", Some(&["/accounts/{account}/invitations/{invitation}/cancel"])),
    ("users/change-permissions", Some(&["/accounts/{account}/users/{user}"])),
    ("users/invite", Some(&["/accounts/{account}/users/invite"])),
    ("users/remove-access", Some(&["/accounts/{account}/users/{user}/remove"])),
    ("users/resend", Some(&[USERS, "/help/users"])),
];

/// The server functions that `public/passkeys.js` calls at their own addresses, to have the browser
/// asked for a passkey. They change nothing but what they remember of that.
pub const ASK_FOR_PASSKEY: [&str; 4] = [
    "security/ask-for-proof",
    "security/ask-to-make-passkey",
    "sign-in/ask-for-passkey",
    "sign-in/ask-for-second-step",
];

/// The pages that show this form, with `{name}` where a part may be anything; none when it is no form
/// of ours, or when any may.
#[must_use]
pub fn pages_with(form: &str) -> &'static [&'static str] {
    let shown = SHOWN.iter().find(|(known, _)| *known == form);
    shown.and_then(|(_, pages)| *pages).unwrap_or_default()
}

/// Whether the page with this path, which is `page` in the route table, shows this form with these
/// values: what both say of the account or the person is the same.
#[must_use]
pub fn is_shown(form: &str, page: &str, path: &str, values: &[(String, String)]) -> bool {
    let Some((_, pages)) = SHOWN.iter().find(|(known, _)| *known == form) else { return false };
    let says = |(name, part): (&str, &str)| {
        let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        let told = name.map(|name| values.iter().filter(move |(told, _)| told == name));
        told.into_iter().flatten().all(|(_, value)| value == part)
    };
    pages.is_none_or(|pages| pages.contains(&page))
        && page.split('/').zip(path.split('/')).all(says)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::http::Method;

    use super::*;

    #[test]
    fn every_form_is_on_a_page() {
        let known = leptos::server_fn::axum::server_fn_paths();
        let known = known.filter(|(_, method)| *method == Method::POST);
        let known: BTreeSet<_> = known.map(|(path, _)| path.trim_start_matches("/api/")).collect();
        let forms = SHOWN.iter().map(|(form, _)| *form).chain(ASK_FOR_PASSKEY);
        let forms: BTreeSet<_> = forms.collect();
        assert_eq!(known, forms);
        let elsewhere = ["/sign-out", "/sign-in/callback", "/sign-in/callback/{account}"];
        let pages = crate::pages();
        for page in SHOWN.iter().flat_map(|(form, _)| pages_with(form)) {
            assert!(elsewhere.contains(page) || pages.iter().any(|known| known == page), "{page}");
        }
    }

    #[test]
    fn a_form_belongs_to_its_page_and_to_what_that_is_about() {
        let account = |number: &str| vec![("account".to_owned(), number.to_owned())];
        let (page, path) = ("/accounts/{account}/users/invite", "/accounts/100001/users/invite");
        assert!(is_shown("users/invite", page, path, &account("100001")));
        assert!(is_shown("users/invite", page, path, &[]));
        assert!(!is_shown("users/invite", page, path, &account("100002")));
        let both = [account("100001"), account("100002")].concat();
        assert!(!is_shown("users/invite", page, path, &both));
        assert!(!is_shown("users/cancel", page, path, &account("100001")));
        assert!(!is_shown("no/such/form", page, path, &[]));
        assert!(is_shown("sign-in/confirm", page, path, &[]));
        assert!(is_shown("users/resend", "/help/users", "/help/users", &account("100001")));
    }
}
