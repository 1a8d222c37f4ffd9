//! Which page shows which form: it is taken there and nowhere else.

use leptos::server_fn::ServerFn;

use crate::address::{
    ACCOUNT, ACCOUNTS, ADD_PASSKEY, ASK, AUTHENTICATOR, AUTHENTICATOR_OFF, CALLBACK,
    CALLBACK_OF_ACCOUNT, CANCEL, COMPANY, DECLINE, DECLINE_REQUEST, DELETE_LOGIN, DETAILS, EMAIL,
    EMAIL_LINK, EXTRA, FORGOT, FORGOT_SENT, GUIDE, HAND_OVER, HELP, IDENTITY, INVITE, JOIN, LEAVE,
    LINK, MAIL, MAILBOX, MAKE_OWNER, MANAGE, ONWARD, OWNER_CHANGE, PASSKEY, POLICY, PROFILE,
    RECOVERY_CODES, REMOVE, REPORT, RESET, SECOND_FACTOR, SECURITY, SERVICE, SERVICES, SIGN_IN,
    SIGN_OUT, SINGLE_SIGN_ON, STEP_DOWN, SUCCESSOR, TAKE_OVER, USERS,
};
use crate::endpoint::{Endpoint, endpoint};
use crate::{
    access_requests, account, eyes, help, identities, invitations, languages, owners, policies,
    profile, security, services, sign_in, sign_out, single_sign_on, successors, users,
};

/// A form's server function, and the pages that show it. None means: all that ask who their reader is,
/// and they may be any.
type Shown = (Endpoint, Option<&'static [&'static str]>);

/// This form, shown by these pages.
const fn shown<F: ServerFn>(pages: &'static [&'static str]) -> Shown {
    (endpoint::<F>(), Some(pages))
}

/// This form, shown by any page that asks who its reader is.
const fn shown_anywhere<F: ServerFn>() -> Shown {
    (endpoint::<F>(), None)
}

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
    shown::<access_requests::api::Ask>(&[ASK]),
    shown::<access_requests::api::Decline>(&[DECLINE_REQUEST]),
    shown::<access_requests::api::Withdraw>(&[ASK]),
    shown::<account::api::ChangeDetails>(&[DETAILS]),
    shown::<account::api::Leave>(&[LEAVE]),
    shown::<account::api::SeeWaiting>(&[ACCOUNTS]),
    shown::<eyes::BeginEyes>(&[MANAGE]),
    shown::<eyes::EndEyes>(&[ACCOUNT]),
    shown::<help::api::GiveFeedback>(&[HELP, GUIDE]),
    shown::<identities::api::Arrive>(&[CALLBACK, CALLBACK_OF_ACCOUNT]),
    shown::<identities::api::LinkIdentity>(&[LINK]),
    shown::<identities::api::SignInWith>(&[SIGN_IN, JOIN]),
    shown::<identities::api::Unlink>(&[IDENTITY]),
    shown::<invitations::api::Decline>(&[DECLINE]),
    shown::<invitations::api::Join>(&[JOIN]),
    shown::<invitations::api::JoinWithNewLogin>(&[JOIN]),
    shown::<invitations::api::JoinWithPassword>(&[JOIN]),
    shown::<invitations::api::Report>(&[REPORT]),
    shown::<languages::choose::ChooseLanguage>(NARROW),
    shown::<owners::api::AcceptOwnership>(&[OWNER_CHANGE]),
    shown::<owners::api::DeclineOwnership>(&[OWNER_CHANGE]),
    shown::<owners::api::HandOver>(&[HAND_OVER]),
    shown::<owners::api::MakeOwner>(&[MAKE_OWNER]),
    shown::<owners::api::StepDown>(&[STEP_DOWN]),
    shown::<owners::api::StopOwnerChange>(&[OWNER_CHANGE]),
    shown::<policies::api::BoundSessions>(&[POLICY]),
    shown::<policies::api::RequireFactor>(&[POLICY]),
    shown::<policies::api::RequireNoFactor>(&[POLICY]),
    shown::<policies::api::LimitDomains>(&[POLICY]),
    shown::<policies::api::Remind>(&[POLICY]),
    shown::<profile::api::ChangeEmail>(&[EMAIL]),
    shown::<profile::api::ConfirmEmail>(&[EMAIL_LINK]),
    shown::<profile::api::DeleteLogin>(&[DELETE_LOGIN]),
    shown::<profile::api::SaveProfile>(&[PROFILE]),
    shown::<profile::api::UndoEmail>(&[EMAIL_LINK]),
    shown::<security::api::AddPasskey>(&[ADD_PASSKEY]),
    shown::<security::api::BeginApp>(&[SECURITY, AUTHENTICATOR]),
    shown::<security::api::BeginPasskey>(&[SECURITY]),
    shown::<security::api::ChangePassword>(&[SECURITY]),
    shown::<security::api::EndDevice>(&[SECURITY]),
    shown::<security::api::EndOtherDevices>(&[SECURITY]),
    shown::<security::api::RemovePasskey>(&[PASSKEY]),
    shown::<security::api::RenamePasskey>(&[PASSKEY]),
    shown::<security::api::RenewCodes>(&[RECOVERY_CODES]),
    shown::<security::api::RequestReset>(&[FORGOT]),
    shown::<security::api::Reset>(&[RESET]),
    shown::<security::api::TurnAppOff>(&[AUTHENTICATOR_OFF]),
    shown::<security::api::TurnAppOn>(&[AUTHENTICATOR]),
    shown::<services::api::ShowPasswords>(&[SERVICES, SERVICE]),
    shown_anywhere::<sign_in::api::Confirm>(),
    shown_anywhere::<sign_in::api::ConfirmByFactor>(),
    shown_anywhere::<sign_in::api::GoOn>(),
    shown::<sign_in::api::SecondFactor>(&[SECOND_FACTOR]),
    shown::<sign_in::api::SignIn>(&[SIGN_IN]),
    shown::<sign_in::api::SignInWithPasskey>(&[SIGN_IN]),
    shown::<sign_out::SignOut>(&[SIGN_OUT]),
    shown::<single_sign_on::api::AddDomain>(&[SINGLE_SIGN_ON]),
    shown::<single_sign_on::api::Lift>(&[SINGLE_SIGN_ON]),
    shown::<single_sign_on::api::ProveDomain>(&[SINGLE_SIGN_ON]),
    shown::<single_sign_on::api::RemoveDomain>(&[SINGLE_SIGN_ON]),
    shown::<single_sign_on::api::RemoveProvider>(&[SINGLE_SIGN_ON]),
    shown::<single_sign_on::api::Require>(&[SINGLE_SIGN_ON]),
    shown::<single_sign_on::api::SetProvider>(&[SINGLE_SIGN_ON]),
    shown::<single_sign_on::api::SignInWithCompany>(&[COMPANY, SINGLE_SIGN_ON]),
    shown::<successors::api::Answer>(&[OWNER_CHANGE]),
    shown::<successors::api::Name>(&[SUCCESSOR]),
    shown::<successors::api::Remove>(&[SUCCESSOR]),
    shown::<successors::api::TakeOver>(&[TAKE_OVER]),
    shown::<users::api::Cancel>(&[CANCEL]),
    shown::<users::api::ChangePermissions>(&[MANAGE]),
    shown::<users::api::Invite>(&[INVITE]),
    shown::<users::api::PauseAccess>(&[MANAGE]),
    shown::<users::api::RemoveAccess>(&[REMOVE]),
    shown::<users::api::RenewAccess>(&[MANAGE]),
    shown::<users::api::Resend>(&[USERS, HELP]),
    shown::<users::api::ResumeAccess>(&[MANAGE]),
    shown::<users::extra::api::ChangeExtra>(&[EXTRA]),
    shown::<users::extra::api::GiveExtra>(&[EXTRA]),
    shown::<users::extra::api::TakeBack>(&[MANAGE]),
];

/// The server functions that `public/passkeys.js` calls at their own addresses, to have the browser
/// asked for a passkey. They change nothing but what they remember of that.
pub const ASK_FOR_PASSKEY: [&str; 4] = [
    endpoint::<security::api::AskForProof>().name(),
    endpoint::<security::api::AskToMakePasskey>().name(),
    endpoint::<sign_in::api::AskForPasskey>().name(),
    endpoint::<sign_in::api::AskForSecondStep>().name(),
];

/// The forms that take lists of services and domains, and may be as large as these are long.
pub const TAKE_LISTS: [&str; 6] = [
    endpoint::<owners::api::HandOver>().name(),
    endpoint::<owners::api::StepDown>().name(),
    endpoint::<users::api::ChangePermissions>().name(),
    endpoint::<users::api::Invite>().name(),
    endpoint::<users::extra::api::ChangeExtra>().name(),
    endpoint::<users::extra::api::GiveExtra>().name(),
];

/// The server functions by which somebody proves who they are before another form is carried out.
pub const CONFIRM: [&str; 2] = [
    endpoint::<sign_in::api::Confirm>().name(),
    endpoint::<sign_in::api::ConfirmByFactor>().name(),
];

/// The server function that takes browsers back from an identity provider.
pub const ARRIVE: &str = endpoint::<identities::api::Arrive>().name();

/// The pages that show this form, with `{name}` where a part may be anything; none when it is no form
/// of ours, or when any may.
#[must_use]
pub fn pages_with(form: &str) -> &'static [&'static str] {
    let shown = SHOWN.iter().find(|(known, _)| known.name() == form);
    shown.and_then(|(_, pages)| *pages).unwrap_or_default()
}

/// Whether the page with this path, which is `page` in the route table, shows this form with these
/// values: what both say of the account or the person is the same.
#[must_use]
pub fn is_shown(form: &str, page: &str, path: &str, values: &[(String, String)]) -> bool {
    let Some((_, pages)) = SHOWN.iter().find(|(known, _)| known.name() == form) else {
        return false;
    };
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
        let forms = SHOWN.iter().map(|(form, _)| form.name()).chain(ASK_FOR_PASSKEY);
        let forms: BTreeSet<_> = forms.collect();
        assert_eq!(known, forms);
        let elsewhere = ["/sign-out", "/sign-in/callback", "/sign-in/callback/{account}"];
        let pages = crate::pages();
        for page in SHOWN.iter().flat_map(|(form, _)| pages_with(form.name())) {
            assert!(elsewhere.contains(page) || pages.iter().any(|known| known == page), "{page}");
        }
    }

    #[test]
    fn the_script_for_passkeys_knows_forms_and_questions_that_there_are() {
        let script = include_str!("../../public/passkeys.js").lines();
        let pair = |line: &'static str| {
            line.trim().strip_prefix("['")?.strip_suffix("'],")?.split_once("', '")
        };
        let pairs: Vec<_> = script.filter_map(pair).collect();
        assert!(!pairs.is_empty());
        for (form, question) in pairs {
            assert!(SHOWN.iter().any(|(known, _)| known.name() == form), "{form}");
            assert!(ASK_FOR_PASSKEY.contains(&question), "{question}");
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
