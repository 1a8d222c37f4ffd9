//! Which page shows which form: it is taken there and nowhere else.

use crate::address::{
    ADD_PASSKEY, AUTHENTICATOR, AUTHENTICATOR_OFF, CALLBACK, CALLBACK_OF_ACCOUNT, CANCEL, COMPANY,
    DECLINE, DETAILS, EMAIL, EMAIL_LINK, FORGOT, FORGOT_SENT, GUIDE, HELP, IDENTITY, INVITE, JOIN,
    LEAVE, LINK, MAIL, MAILBOX, MANAGE, ONWARD, PASSKEY, POLICY, PROFILE, RECOVERY_CODES, REMOVE,
    REPORT, RESET, SECOND_FACTOR, SECURITY, SERVICES, SIGN_IN, SIGN_OUT, SINGLE_SIGN_ON, USERS,
};

/// A form's server function, and the pages that show it. None means: all that ask who their reader is,
/// and they may be any.
type Shown = (&'static str, Option<&'static [&'static str]>);

/// The pages with the switch between languages.
const NARROW: &[&str] = &[
    SIGN_IN,
    SECOND_FACTOR,
    COMPANY,
    ONWARD,
    LINK,
    FORGOT,
    FORGOT_SENT,
    RESET,
    JOIN,
    DECLINE,
    REPORT,
    EMAIL_LINK,
    MAILBOX,
    MAIL,
];

const SHOWN: &[Shown] = &[
    ("account/change-details", Some(&[DETAILS])),
    ("account/leave", Some(&[LEAVE])),
    ("help/feedback", Some(&[HELP, GUIDE])),
    ("invitations/decline", Some(&[DECLINE])),
    ("invitations/join", Some(&[JOIN])),
    ("invitations/join-with-new-login", Some(&[JOIN])),
    ("invitations/join-with-password", Some(&[JOIN])),
    ("invitations/report", Some(&[REPORT])),
    ("language/choose", Some(NARROW)),
    ("policies/bound-sessions", Some(&[POLICY])),
    ("policies/demand-factor", Some(&[POLICY])),
    ("policies/demand-no-factor", Some(&[POLICY])),
    ("policies/limit-domains", Some(&[POLICY])),
    ("policies/remind", Some(&[POLICY])),
    ("profile/change-email", Some(&[EMAIL])),
    ("profile/confirm-email", Some(&[EMAIL_LINK])),
    ("profile/save", Some(&[PROFILE])),
    ("profile/undo-email", Some(&[EMAIL_LINK])),
    ("security/add-passkey", Some(&[ADD_PASSKEY])),
    ("security/begin-app", Some(&[SECURITY, AUTHENTICATOR])),
    ("security/begin-passkey", Some(&[SECURITY])),
    ("security/change-password", Some(&[SECURITY])),
    ("security/end-device", Some(&[SECURITY])),
    ("security/end-other-devices", Some(&[SECURITY])),
    ("security/remove-passkey", Some(&[PASSKEY])),
    ("security/rename-passkey", Some(&[PASSKEY])),
    ("security/renew-codes", Some(&[RECOVERY_CODES])),
    ("security/request-reset", Some(&[FORGOT])),
    ("security/reset", Some(&[RESET])),
    ("security/turn-app-off", Some(&[AUTHENTICATOR_OFF])),
    ("security/turn-app-on", Some(&[AUTHENTICATOR])),
    ("security/unlink", Some(&[IDENTITY])),
    ("services/show-passwords", Some(&[SERVICES])),
    ("sign-in", Some(&[SIGN_IN])),
    ("sign-in/arrive", Some(&[CALLBACK, CALLBACK_OF_ACCOUNT])),
    ("sign-in/confirm", None),
    ("sign-in/confirm-by-factor", None),
    ("sign-in/go-on", None),
    ("sign-in/link", Some(&[LINK])),
    ("sign-in/passkey", Some(&[SIGN_IN])),
    ("sign-in/second-factor", Some(&[SECOND_FACTOR])),
    ("sign-in/with", Some(&[SIGN_IN, JOIN])),
    ("sign-in/with-company", Some(&[COMPANY, SINGLE_SIGN_ON])),
    ("sign-out", Some(&[SIGN_OUT])),
    ("single-sign-on/add-domain", Some(&[SINGLE_SIGN_ON])),
    ("single-sign-on/lift", Some(&[SINGLE_SIGN_ON])),
    ("single-sign-on/prove-domain", Some(&[SINGLE_SIGN_ON])),
    ("single-sign-on/remove-domain", Some(&[SINGLE_SIGN_ON])),
    ("single-sign-on/remove-provider", Some(&[SINGLE_SIGN_ON])),
    ("single-sign-on/require", Some(&[SINGLE_SIGN_ON])),
    ("single-sign-on/set-provider", Some(&[SINGLE_SIGN_ON])),
    ("users/cancel", Some(&[CANCEL])),
    ("users/change-permissions", Some(&[MANAGE])),
    ("users/invite", Some(&[INVITE])),
    ("users/remove-access", Some(&[REMOVE])),
    ("users/resend", Some(&[USERS, HELP])),
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
