//! `latchkey user show`: why somebody can or can't do something.

use anyhow::{Result, bail};
use app::operator_words;
use app::request::Site;
use domain::user_records::{self, AccountRecord, Closed, LoginRecord, UserRecord};
use model::{Delivery, InvitationState, Pause, PolicyRule, Timestamp};
use serde_json::{Value, json};
use store::{InvitingAccount, Tracked};

use super::told::{Told, moment};
use super::{address, exact, explain, open, plain};
use crate::config::Config;

/// Shows all that opens or closes something to whoever has this address.
pub(super) async fn show(config: &Config, email: &str) -> Result<Told> {
    let email = address(email)?;
    let latchkey = open(config).await?;
    let record = user_records::find(&latchkey, &email).await.map_err(explain)?;
    latchkey.store.close().await;
    if record.login.is_none() && record.invitations.is_empty() {
        bail!("there is no login with the address {email}, and no invitation waits for it");
    }
    let site = config.site();
    let UserRecord { login, tries, accounts, invitations } = &record;
    let waits = tries
        .waits
        .iter()
        .map(|(network, until)| json!({ "network": network, "until": moment(*until) }));
    let facts = json!({
        "email": email.as_str(),
        "login": login.as_ref().map(login_facts),
        "wrong_tries_elsewhere": tries.elsewhere,
        "waits": waits.collect::<Vec<_>>(),
        "accounts": accounts.iter().map(|one| account_facts(one, &site)).collect::<Vec<_>>(),
        "invitations": invitations.iter().map(|one| invitation_facts(one, &site)).collect::<Vec<_>>(),
    });
    let told = Told::new(facts).lines(match login {
        Some(login) => login_lines(login),
        None => vec![format!("{email} has no login")],
    });
    let waits = tries.waits.iter().map(|(network, until)| {
        format!("  waits: a try to sign in from {network} is heard at {}", exact(*until))
    });
    let elsewhere = (tries.elsewhere > 0).then(|| {
        format!(
            "  wrong passwords from places where they never signed in, within a day: {}",
            tries.elsewhere
        )
    });
    let none = login.as_ref().filter(|_| accounts.is_empty());
    let none = none.map(|_| "They are in no account".to_owned());
    let accounts = accounts.iter().flat_map(|account| account_lines(account, &site));
    let invitations = invitations.iter().flat_map(|invitation| invitation_lines(invitation, &site));
    let told = told.lines(waits.chain(elsewhere));
    Ok(told.lines(none.into_iter().chain(accounts).chain(invitations)))
}

fn login_lines(login: &LoginRecord) -> Vec<String> {
    let app = login.app_since.map(|since| format!("authenticator app since {}", exact(since)));
    let passkeys = login.passkeys.iter().map(|passkey| format!("passkey {}", plain(&passkey.name)));
    let factors: Vec<_> = app.into_iter().chain(passkeys).collect();
    let factors = match factors.is_empty() {
        true => "none".to_owned(),
        false => format!("{}; recovery codes left: {}", factors.join(", "), login.recovery_codes),
    };
    let sessions = match login.sessions.first() {
        None => "none".to_owned(),
        Some(last) => {
            format!("{}, last used {}", login.sessions.len(), exact(last.last_seen_at))
        }
    };
    let language = login.language.as_ref().map_or("not chosen", |language| language.tag());
    vec![
        format!("{} <{}>", plain(&login.full_name), login.email),
        format!("  language: {language}"),
        format!("  second factors: {factors}"),
        format!("  sign-ins by identity providers: {}", login.identities.len()),
        format!("  sessions: {sessions}"),
    ]
}

fn login_facts(login: &LoginRecord) -> Value {
    let passkeys = login
        .passkeys
        .iter()
        .map(|passkey| json!({ "name": passkey.name, "since": moment(passkey.since) }));
    json!({
        "name": login.full_name,
        "email": login.email.as_str(),
        "language": login.language.as_ref().map(|language| language.tag()),
        "authenticator_app_since": login.app_since.map(moment),
        "passkeys": passkeys.collect::<Vec<_>>(),
        "recovery_codes": login.recovery_codes,
        "identities": login.identities.len(),
        "sessions": login.sessions.len(),
        "last_used_at": login.sessions.first().map(|last| moment(last.last_seen_at)),
    })
}

/// What the account requires of everybody, as far as it requires something.
fn rules(account: &AccountRecord) -> Vec<PolicyRule> {
    let policy = &account.policy;
    let factor = policy.factor.map(|factor| PolicyRule::SecondFactor(Some(factor.from)));
    let spans = policy.sessions;
    let bounds = spans.idle.is_some() || spans.absolute.is_some();
    let sessions = bounds.then_some(PolicyRule::Sessions(spans));
    let domains = Some(&policy.domains).filter(|domains| !domains.is_empty());
    let domains = domains.map(|domains| PolicyRule::Domains(domains.clone()));
    [factor, sessions, domains].into_iter().flatten().collect()
}

fn account_lines(account: &AccountRecord, site: &Site) -> Vec<String> {
    let zone = account.time_zone.as_deref();
    let access = operator_words::access(&account.access, zone, site);
    let access = access.iter().map(|line| format!("  access: {line}"));
    let closed = account.closed.iter().map(|closed| format!("  closed: {}", why_closed(closed)));
    let closes = account
        .closes_at
        .map(|at| format!("  closes on {}, unless they set up a second factor before", exact(at)));
    let rules = rules(account);
    let rules = rules
        .iter()
        .map(|rule| format!("  required: {}", plain(&operator_words::rule(rule, zone, site))));
    std::iter::once(format!("Account {} {}", account.number, plain(&account.name)))
        .chain(access)
        .chain(closed)
        .chain(closes)
        .chain(rules)
        .collect()
}

fn account_facts(account: &AccountRecord, site: &Site) -> Value {
    let zone = account.time_zone.as_deref();
    let rules = rules(account);
    let rules = rules.iter().map(|rule| operator_words::rule(rule, zone, site));
    let closed = account.closed.iter().map(|closed| {
        json!({ "why": closed_id(closed), "since": since(closed).map(moment), "words": why_closed(closed) })
    });
    json!({
        "account": account.number.get(),
        "name": account.name,
        "is_owner": account.access == model::AccessOutline::Owner,
        "access": operator_words::access(&account.access, zone, site),
        "is_open": account.closed.is_empty(),
        "closed": closed.collect::<Vec<_>>(),
        "closes_at": account.closes_at.map(moment),
        "required": rules.collect::<Vec<_>>(),
    })
}

const fn closed_id(closed: &Closed) -> &'static str {
    match closed {
        Closed::Paused(Pause::ByHand { .. }) => "paused",
        Closed::Paused(Pause::Lapsed { .. }) => "lapsed",
        Closed::HoldsNothing => "holds_nothing",
        Closed::NoSecondFactor(_) => "no_second_factor",
        Closed::SingleSignOn => "single_sign_on",
        Closed::AddressGivenUp => "address_given_up",
    }
}

const fn since(closed: &Closed) -> Option<Timestamp> {
    match closed {
        Closed::Paused(pause) => Some(pause.since()),
        Closed::NoSecondFactor(from) => Some(*from),
        Closed::HoldsNothing | Closed::SingleSignOn | Closed::AddressGivenUp => None,
    }
}

fn why_closed(closed: &Closed) -> String {
    match closed {
        Closed::Paused(Pause::ByHand { since, by, why }) => {
            let by = by.as_ref().map(|by| format!(" by {}", plain(by))).unwrap_or_default();
            let why = Some(plain(why)).filter(|why| !why.is_empty());
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            format!("paused since {}{by}{why}", exact(*since))
        }
        Closed::Paused(Pause::Lapsed { since }) => {
            format!("all that they were given ended on {}", exact(*since))
        }
        Closed::HoldsNothing => "they were given nothing".to_owned(),
        Closed::NoSecondFactor(from) => {
            format!("it takes a second factor since {}, and they have none", exact(*from))
        }
        Closed::SingleSignOn => {
            "it opens only after signing in with the company's identity provider".to_owned()
        }
        Closed::AddressGivenUp => "it takes a sign-in with the company's identity provider, and \
                                   they gave up their address there"
            .to_owned(),
    }
}

fn invitation_lines((account, tracked): &(InvitingAccount, Tracked), site: &Site) -> Vec<String> {
    let invitation = &tracked.invitation;
    let state = match invitation.state {
        InvitationState::Expired => format!("expired on {}", exact(invitation.expires_at)),
        _ if invitation.waits => "waits until they come".to_owned(),
        _ => format!("pending until {}", exact(invitation.expires_at)),
    };
    let by = tracked.inviter_name.as_ref().map_or_else(|| site.provider.clone(), |by| plain(by));
    let offered = operator_words::access(&invitation.offered.outline(), None, site);
    vec![
        format!("Invitation to account {} {}", account.number, plain(&account.name)),
        format!("  {state}, by {by}"),
        format!("  offers: {}", offered.join("; ")),
        format!("  its mail: {}", mail_words(tracked)),
    ]
}

fn mail_words(tracked: &Tracked) -> String {
    if tracked.invitation.waits {
        return "none was sent".to_owned();
    }
    let Some(mail) = &tracked.mail else { return "forgotten by now".to_owned() };
    match &mail.delivery {
        Delivery::Queued { answer: None } => "waits to be sent".to_owned(),
        Delivery::Queued { answer: Some(answer) } => {
            format!(
                "is tried again at {}; the mail server said: {}",
                exact(mail.due_at),
                plain(answer)
            )
        }
        Delivery::Sent => "the mail server took it".to_owned(),
        Delivery::Kept => "is in the demo's mailbox".to_owned(),
        Delivery::Failed { answer } => format!("the mail server refused it: {}", plain(answer)),
    }
}

fn invitation_facts((account, tracked): &(InvitingAccount, Tracked), site: &Site) -> Value {
    let invitation = &tracked.invitation;
    json!({
        "account": account.number.get(),
        "name": account.name,
        "state": match invitation.state {
            InvitationState::Expired => "expired",
            _ if invitation.waits => "waiting",
            _ => "pending",
        },
        "is_owner": invitation.offered.is_owner(),
        "inviter": tracked.inviter_name,
        "offers": operator_words::access(&invitation.offered.outline(), None, site),
        "sent_at": (!invitation.waits).then(|| moment(invitation.sent_at)),
        "expires_at": (!invitation.waits).then(|| moment(invitation.expires_at)),
        "mail": tracked.mail.as_ref().filter(|_| !invitation.waits).map(|mail| match &mail.delivery {
            Delivery::Queued { .. } => "queued",
            Delivery::Sent => "sent",
            Delivery::Kept => "kept",
            Delivery::Failed { .. } => "failed",
        }),
    })
}
