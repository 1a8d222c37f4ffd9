//! From the product's words to the reader's language: every text that a component shows comes
//! through here.

use leptos::prelude::*;
use model::{Area, Permission, PermissionSet};

use crate::Locale;

#[cfg(feature = "ssr")]
use domain::{areas::Totals, giving::Hold};
#[cfg(feature = "ssr")]
use model::{
    AccessChange, AccessOutline, Conflict, EmailDomains, Failure, Field, FieldProblem, Guessable,
    InvitationState, Limit, Limited, MOST_GRANTS, NotIdentified, NotedGrant, Outline, Outlines,
    Pause, PausedAccess, PolicyRule, Reached, SessionSpan, Timestamp,
};

/// The text with this key in the reader's language: `words!(users.heading)`,
/// `words!(users.manage, name = name)`.
macro_rules! words {
    ($($key:tt)*) => {
        leptos_i18n::td_string!($crate::words::locale(), $($key)*).to_string()
    };
}

/// The language of the present request or page.
pub(crate) fn locale() -> Locale {
    use_context::<Locale>().unwrap_or_default()
}

/// Puts it where each word looks for it first, and not last.
pub(crate) fn keep_locale_near() {
    provide_context(locale());
}

/// The label of a permission's checkbox.
pub(crate) fn label(permission: Permission) -> String {
    match permission {
        Permission::ServicesView => words!(permission.services_view),
        Permission::ServicesManage => words!(permission.services_manage),
        Permission::ServicesCredentials => words!(permission.services_credentials),
        Permission::ServicesSignIn => words!(permission.services_sign_in),
        Permission::ServicesOrder => words!(permission.services_order),
        Permission::DomainsView => words!(permission.domains_view),
        Permission::DomainsManage => words!(permission.domains_manage),
        Permission::DomainsTransfer => words!(permission.domains_transfer),
        Permission::BillingView => words!(permission.billing_view),
        Permission::BillingPay => words!(permission.billing_pay),
        Permission::BillingDetails => words!(permission.billing_details),
        Permission::SupportView => words!(permission.support_view),
        Permission::SupportOpen => words!(permission.support_open),
        Permission::AccountProfile => words!(permission.account_profile),
        Permission::AccountUsers => words!(permission.account_users),
        Permission::AccountLog => words!(permission.account_log),
    }
}

/// The line that explains a permission.
pub(crate) fn hint(permission: Permission) -> String {
    match permission {
        Permission::ServicesView => words!(permission.services_view_hint),
        Permission::ServicesManage => words!(permission.services_manage_hint),
        Permission::ServicesCredentials => words!(permission.services_credentials_hint),
        Permission::ServicesSignIn => words!(permission.services_sign_in_hint),
        Permission::ServicesOrder => words!(permission.services_order_hint),
        Permission::DomainsView => words!(permission.domains_view_hint),
        Permission::DomainsManage => words!(permission.domains_manage_hint),
        Permission::DomainsTransfer => words!(permission.domains_transfer_hint),
        Permission::BillingView => words!(permission.billing_view_hint),
        Permission::BillingPay => words!(permission.billing_pay_hint),
        Permission::BillingDetails => words!(permission.billing_details_hint),
        Permission::SupportView => words!(permission.support_view_hint),
        Permission::SupportOpen => words!(permission.support_open_hint),
        Permission::AccountProfile => words!(permission.account_profile_hint),
        Permission::AccountUsers => words!(permission.account_users_hint),
        Permission::AccountLog => words!(permission.account_log_hint),
    }
}

#[cfg(feature = "ssr")]
/// The permission in one or two words, behind its area's name.
fn short(permission: Permission) -> String {
    match permission {
        Permission::ServicesView => words!(permission.services_view_short),
        Permission::ServicesManage => words!(permission.services_manage_short),
        Permission::ServicesCredentials => words!(permission.services_credentials_short),
        Permission::ServicesSignIn => words!(permission.services_sign_in_short),
        Permission::ServicesOrder => words!(permission.services_order_short),
        Permission::DomainsView => words!(permission.domains_view_short),
        Permission::DomainsManage => words!(permission.domains_manage_short),
        Permission::DomainsTransfer => words!(permission.domains_transfer_short),
        Permission::BillingView => words!(permission.billing_view_short),
        Permission::BillingPay => words!(permission.billing_pay_short),
        Permission::BillingDetails => words!(permission.billing_details_short),
        Permission::SupportView => words!(permission.support_view_short),
        Permission::SupportOpen => words!(permission.support_open_short),
        Permission::AccountProfile => words!(permission.account_profile_short),
        Permission::AccountUsers => words!(permission.account_users_short),
        Permission::AccountLog => words!(permission.account_log_short),
    }
}

/// The permission as what somebody does, inside a sentence.
pub(crate) fn phrase(permission: Permission) -> String {
    match permission {
        Permission::ServicesView => words!(permission.services_view_phrase),
        Permission::ServicesManage => words!(permission.services_manage_phrase),
        Permission::ServicesCredentials => words!(permission.services_credentials_phrase),
        Permission::ServicesSignIn => words!(permission.services_sign_in_phrase),
        Permission::ServicesOrder => words!(permission.services_order_phrase),
        Permission::DomainsView => words!(permission.domains_view_phrase),
        Permission::DomainsManage => words!(permission.domains_manage_phrase),
        Permission::DomainsTransfer => words!(permission.domains_transfer_phrase),
        Permission::BillingView => words!(permission.billing_view_phrase),
        Permission::BillingPay => words!(permission.billing_pay_phrase),
        Permission::BillingDetails => words!(permission.billing_details_phrase),
        Permission::SupportView => words!(permission.support_view_phrase),
        Permission::SupportOpen => words!(permission.support_open_phrase),
        Permission::AccountProfile => words!(permission.account_profile_phrase),
        Permission::AccountUsers => words!(permission.account_users_phrase),
        Permission::AccountLog => words!(permission.account_log_phrase),
    }
}

/// The name of an area.
pub(crate) fn area(area: Area) -> String {
    match area {
        Area::Services => words!(area.services),
        Area::Domains => words!(area.domains),
        Area::Billing => words!(area.billing),
        Area::Support => words!(area.support),
        Area::Account => words!(area.account),
    }
}

/// What an area holds, in a sentence.
pub(crate) fn area_hint(area: Area) -> String {
    match area {
        Area::Services => words!(area.services_hint),
        Area::Domains => words!(area.domains_hint),
        Area::Billing => words!(area.billing_hint),
        Area::Support => words!(area.support_hint),
        Area::Account => words!(area.account_hint),
    }
}

/// Access in one line: "Owner", or "Services: see and manage (2 services) · Billing: see".
#[cfg(feature = "ssr")]
pub(crate) fn access_line(access: &AccessOutline) -> String {
    access_line_of(access, Totals::default())
}

/// The same where it is known how many things there are: "Services: see and manage (2 of 9)".
#[cfg(feature = "ssr")]
pub(crate) fn access_line_of(access: &AccessOutline, totals: Totals) -> String {
    match access {
        AccessOutline::Owner => words!(access.owner),
        AccessOutline::Granted(outlines) => {
            let of_all =
                |outline: &Outline, area: Area| match (area, outline.services, outline.domains) {
                    (Area::Services, Reached::These(some), _) => {
                        totals.services.map(|all| (some, all))
                    }
                    (Area::Domains, _, Reached::These(some)) => {
                        totals.domains.map(|all| (some, all))
                    }
                    _ => None,
                };
            let reached = |outline: &Outline, area: Area| match of_all(outline, area) {
                Some((some, all)) => Some(words!(area.count, some = some, all = all)),
                None => reached(outline, area),
            };
            let line = |outline: &Outline| grant_line(outline, |area| reached(outline, area));
            let lines: Vec<_> = outlines.iter().map(line).collect();
            if lines.is_empty() { words!(access.none) } else { lines.join("; ") }
        }
    }
}

/// A grant in one line, the areas and its end set apart by middle dots.
#[cfg(feature = "ssr")]
fn grant_line(outline: &Outline, reached: impl Fn(Area) -> Option<String>) -> String {
    area_lines(outline, reached).chain(until(outline)).collect::<Vec<_>>().join(" · ")
}

/// Grants, a line for each area of each, without when they end.
#[cfg(feature = "ssr")]
pub(crate) fn access_lines(outlines: &Outlines) -> Vec<String> {
    let lines = |outline| area_lines(outline, |area| reached(outline, area));
    outlines.iter().flat_map(lines).collect()
}

/// What a grant opens, a line an area.
#[cfg(feature = "ssr")]
fn area_lines(
    outline: &Outline,
    reached: impl Fn(Area) -> Option<String>,
) -> impl Iterator<Item = String> {
    Area::ALL.into_iter().filter_map(move |of| {
        let verbs: Vec<_> = outline.permissions.in_area(of).map(short).collect();
        let verbs = and(verbs, |first, last| words!(access.verbs, first = first, last = last))?;
        let line = words!(access.area, area = area(of), verbs = verbs);
        Some(match reached(of) {
            Some(things) => format!("{line} ({things})"),
            None => line,
        })
    })
}

/// How many things of an area a grant reaches, unless it is all.
#[cfg(feature = "ssr")]
fn reached(outline: &Outline, area: Area) -> Option<String> {
    match (area, outline.services, outline.domains) {
        (Area::Services, Reached::These(count), _) => {
            Some(words!(overview.services, count = count))
        }
        (Area::Domains, _, Reached::These(count)) => Some(words!(overview.domains, count = count)),
        _ => None,
    }
}

/// A grant in one line that says of each area what it reaches there, also where that is all.
#[cfg(feature = "ssr")]
pub(crate) fn reaching_line(outline: &Outline) -> String {
    grant_line(outline, |area| {
        let all = || match area {
            Area::Services => Some(words!(reaching.all_services)),
            Area::Domains => Some(words!(reaching.all_domains)),
            Area::Billing | Area::Support | Area::Account => None,
        };
        reached(outline, area).or_else(all)
    })
}

/// On what somebody has a permission that they could give, and until when.
#[cfg(feature = "ssr")]
pub(crate) fn hold(hold: &Hold) -> String {
    let things = hold.things.as_ref().map(|(count, names)| {
        let (rest, shown) = (count.saturating_sub(names.len()), names.clone());
        match (names.is_empty(), rest, hold.permission.area()) {
            (true, _, Area::Domains) => words!(overview.domains, count = *count),
            (true, ..) => words!(overview.services, count = *count),
            (false, 0, _) => list(shown),
            (false, more, _) => {
                words!(access.and_more, names = shown.join(", "), count = more)
            }
        }
    });
    let until = hold.until.map(|until| words!(access.until, when = crate::formats::end(until)));
    match (things, until) {
        (Some(things), Some(until)) => words!(bounds.held_both, things = things, until = until),
        (Some(things), None) => words!(bounds.held_on, things = things),
        (None, until) => words!(bounds.held_until, until = until.unwrap_or_default()),
    }
}

/// When a grant ends, if it does.
#[cfg(feature = "ssr")]
fn until(outline: &Outline) -> Option<String> {
    outline.until.map(|until| words!(access.until, when = crate::formats::end(until)))
}

/// What bounds grants, after what they let somebody do: "2 services, until 31 January". None if
/// nothing does.
#[cfg(feature = "ssr")]
pub(crate) fn bounds(outlines: &Outlines) -> Option<String> {
    let bounds = |outline: &Outline| {
        let reached = Area::ALL.into_iter().filter_map(|area| reached(outline, area));
        let bounds: Vec<_> = reached.chain(until(outline)).collect();
        (!bounds.is_empty()).then(|| bounds.join(", "))
    };
    let bounds: Vec<_> = outlines.iter().filter_map(bounds).collect();
    (!bounds.is_empty()).then(|| bounds.join("; "))
}

/// How many things that a grant reaches, or accounts, are named on a page; the CSV names all.
#[cfg(feature = "ssr")]
const MOST_NAMED: usize = 10;

/// Which things of an area a grant in the log reaches, unless it is all: by name, or how many in rows
/// of earlier versions.
#[cfg(feature = "ssr")]
fn named(grant: &NotedGrant, area: Area) -> Option<String> {
    let names = grant.names(area);
    if names.is_empty() {
        return reached(&grant.outline, area);
    }
    Some(first_of(names))
}

/// Names in a row, the first of them if there are many.
#[cfg(feature = "ssr")]
fn first_of(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(MOST_NAMED).cloned().collect();
    match names.len().saturating_sub(MOST_NAMED) {
        0 => list(shown),
        more => words!(access.and_more, names = shown.join(", "), count = more),
    }
}

#[cfg(feature = "ssr")]
fn why(grant: &NotedGrant) -> Option<String> {
    let why = Some(grant.why.clone()).filter(|why| !why.is_empty());
    why.map(|why| words!(access.why, why = why))
}

/// What bounds grants in the log, and why they were given: "Webshop and Mail, until 31 January". None
/// if there is nothing to say.
#[cfg(feature = "ssr")]
pub(crate) fn noted_bounds(grants: &[NotedGrant]) -> Option<String> {
    let bounds = |grant: &NotedGrant| {
        let things = Area::ALL.into_iter().filter_map(|area| named(grant, area));
        let bounds: Vec<_> = things.chain(until(&grant.outline)).chain(why(grant)).collect();
        (!bounds.is_empty()).then(|| bounds.join(", "))
    };
    let bounds: Vec<_> = grants.iter().filter_map(bounds).collect();
    (!bounds.is_empty()).then(|| bounds.join("; "))
}

/// Grants in the log in one line: "Services: see and manage (Webshop and Mail) · until 31 January".
#[cfg(feature = "ssr")]
pub(crate) fn noted_line(grants: &[NotedGrant]) -> String {
    let line = |grant: &NotedGrant| {
        let line = grant_line(&grant.outline, |area| named(grant, area));
        std::iter::once(line).chain(why(grant)).collect::<Vec<_>>().join(" · ")
    };
    let lines: Vec<_> = grants.iter().map(line).collect();
    if lines.is_empty() { words!(access.none) } else { lines.join("; ") }
}

/// What grants let somebody do, to stand after "to" or "can", each with what bounds it. None for no
/// grant.
#[cfg(feature = "ssr")]
pub(crate) fn bounded_abilities(outlines: &Outlines) -> Option<String> {
    let one = |outline: &Outline| {
        let phrases = abilities(outline.permissions)?;
        Some(match bounds(&std::iter::once(*outline).collect()) {
            Some(bounds) => format!("{phrases} ({bounds})"),
            None => phrases,
        })
    };
    let phrases: Vec<_> = outlines.iter().filter_map(one).collect();
    (!phrases.is_empty()).then(|| phrases.join("; "))
}

/// What the permissions let somebody do, to stand after "to" or "can": "see services and pay
/// invoices". Whoever pays invoices sees them: that isn't said. None for no permission.
#[cfg(feature = "ssr")]
pub(crate) fn abilities(permissions: PermissionSet) -> Option<String> {
    phrases(model::foremost(permissions.iter()))
}

/// The permissions one by one, to stand after "to" or "can". None for no permission.
pub(crate) fn phrases(permissions: impl Iterator<Item = Permission>) -> Option<String> {
    in_a_row(permissions.map(phrase).collect())
}

/// The permissions one by one, to stand after "no longer". None for no permission.
#[cfg(feature = "ssr")]
fn either(permissions: impl Iterator<Item = Permission>) -> Option<String> {
    let phrases = permissions.map(phrase).collect();
    and(phrases, |first, last| words!(access.either, first = first, last = last))
}

/// That somebody's access was saved, how it changed, and whether they are told. Without the change it is
/// said that it did.
#[cfg(feature = "ssr")]
pub(crate) fn access_saved(name: &str, change: Option<&AccessChange>, told: bool) -> String {
    let name = name.to_owned();
    let gained = change.and_then(|change| phrases(model::foremost(change.gained())));
    let lost = change.and_then(|change| either(change.lost()));
    let who = match (gained, lost) {
        (Some(gained), Some(lost)) => {
            words!(notice.access_both, name = name, gained = gained, lost = lost)
        }
        (Some(gained), None) => words!(notice.access_gained, name = name, gained = gained),
        (None, Some(lost)) => words!(notice.access_lost, name = name, lost = lost),
        (None, None) => words!(notice.access_changed, name = name),
    };
    let services = change.and_then(|change| change.services).map(|reached| match reached {
        Reached::All => words!(reaching.all_services),
        Reached::These(count) => words!(overview.services, count = count),
    });
    let domains = change.and_then(|change| change.domains).map(|reached| match reached {
        Reached::All => words!(reaching.all_domains),
        Reached::These(count) => words!(overview.domains, count = count),
    });
    let reaches = services.into_iter().chain(domains);
    let reaches = reaches.map(|things| words!(notice.access_reaches, things = things));
    let ends = change.filter(|change| change.ends_otherwise).map(|change| match change.until {
        Some(until) => words!(notice.access_ends, when = crate::formats::end(until)),
        None => words!(notice.access_endless),
    });
    let told = told.then(|| words!(notice.access_told));
    let sentences = std::iter::once(who).chain(reaches).chain(ends).chain(told);
    let sentences: Vec<_> = sentences.collect();
    format!("{}. {}", words!(notice.changes_saved), sentences.join(" "))
}

/// Phrases as one, to stand after "to" or "can".
fn in_a_row(phrases: Vec<String>) -> Option<String> {
    let two = phrases.len() == 2;
    and(phrases, |first, last| {
        if two {
            words!(access.two_phrases, first = first, last = last)
        } else {
            words!(access.phrases, first = first, last = last)
        }
    })
}

/// What a person will be able to do with these permissions, as a sentence: what they are bounded to in
/// an area stands behind its last, and until when at the end.
pub(crate) fn access_summary(
    permissions: PermissionSet,
    bound: impl Fn(Area) -> Option<String>,
    until: Option<String>,
) -> String {
    let mut bounded = until.is_some();
    let mut phrases = Vec::new();
    let foremost: Vec<_> = model::foremost(permissions.iter()).collect();
    for (at, permission) in foremost.iter().enumerate() {
        let area = permission.area();
        let is_last = foremost.get(at + 1).is_none_or(|next| next.area() != area);
        let bound = Some(area).filter(|_| is_last).and_then(&bound);
        bounded |= bound.is_some();
        phrases.push(match bound {
            Some(bound) => format!("{} ({bound})", phrase(*permission)),
            None => phrase(*permission),
        });
    }
    if permissions == PermissionSet::all() && !bounded {
        return words!(access.summary_all);
    }
    match in_a_row(phrases) {
        Some(phrases) => {
            let phrases = std::iter::once(phrases).chain(until).collect::<Vec<_>>().join(", ");
            words!(access.summary, phrases = phrases)
        }
        None => words!(access.summary_none),
    }
}

/// What the reader can do, as a sentence.
#[cfg(feature = "ssr")]
pub(crate) fn your_access(access: &AccessOutline) -> String {
    match access {
        AccessOutline::Owner => words!(access.you_own),
        AccessOutline::Granted(outlines) => match bounded_abilities(outlines) {
            Some(phrases) => words!(access.you_can, phrases = phrases),
            None => words!(access.none),
        },
    }
}

/// What the reader will be able to do after joining, as a sentence.
#[cfg(feature = "ssr")]
pub(crate) fn access_after_joining(access: &AccessOutline) -> String {
    match access {
        AccessOutline::Owner => words!(access.you_will_own),
        AccessOutline::Granted(outlines) => match bounded_abilities(outlines) {
            Some(phrases) => words!(access.you_may_join, phrases = phrases),
            None => words!(access.none),
        },
    }
}

fn and(mut items: Vec<String>, join: impl Fn(String, String) -> String) -> Option<String> {
    let last = items.pop()?;
    if items.is_empty() { Some(last) } else { Some(join(items.join(", "), last)) }
}

/// Whether these are the mail server's own words (RFC 5321 section 4.2: three digits first), or
/// ours, for the operator, on why there are none.
#[cfg(feature = "ssr")]
pub(crate) fn said_by_mail_server(answer: &str) -> bool {
    answer.bytes().take_while(u8::is_ascii_digit).count() == 3
}

/// Names in a row: "Ingrid, Olav and Mei".
#[cfg(feature = "ssr")]
pub(crate) fn list(names: Vec<String>) -> String {
    and(names, |first, last| words!(access.verbs, first = first, last = last)).unwrap_or_default()
}

/// Since when somebody's access is paused.
#[cfg(feature = "ssr")]
pub(crate) fn paused_since(since: Timestamp) -> String {
    words!(pause.since, day = crate::formats::own_day(since))
}

/// Why an account is closed to the reader, whose access is paused: since when, and whom to ask.
#[cfg(feature = "ssr")]
fn paused(paused: &PausedAccess) -> String {
    crate::request::in_zone_of(paused.time_zone.as_deref());
    let (account, day) = (paused.account.clone(), crate::formats::own_day(paused.pause.since()));
    let state = match &paused.pause {
        Pause::Lapsed { since } => {
            words!(pause.lapsed, account = account, day = crate::formats::last_day(*since))
        }
        Pause::ByHand { why, .. } if why.is_empty() => {
            words!(pause.paused, account = account, day = day)
        }
        Pause::ByHand { by: Some(by), why, .. } => words!(
            pause.paused_why_by,
            account = account,
            day = day,
            by = by.clone(),
            why = why.clone()
        ),
        Pause::ByHand { why, .. } => {
            words!(pause.paused_why, account = account, day = day, why = why.clone())
        }
    };
    format!("{state} {}", words!(pause.ask, owners = list(paused.owners.clone())))
}

/// A rule of an account's policy, as it is set.
#[cfg(feature = "ssr")]
pub(crate) fn rule(rule: &PolicyRule) -> String {
    match rule {
        PolicyRule::SecondFactor(None) => words!(policy.rule_no_factor),
        PolicyRule::SecondFactor(Some(from)) => {
            words!(policy.rule_factor, when = crate::formats::first_day(*from))
        }
        PolicyRule::Sessions(spans) => words!(
            policy.rule_sessions,
            idle = span_or_usual(spans.idle),
            absolute = span_or_usual(spans.absolute)
        ),
        PolicyRule::Domains(domains) if domains.is_empty() => words!(policy.rule_no_domains),
        PolicyRule::Domains(domains) => {
            words!(policy.rule_domains, domains = self::domains(domains))
        }
        PolicyRule::ProvenDomains(domains) if domains.is_empty() => words!(sso.rule_none_proven),
        PolicyRule::ProvenDomains(domains) => {
            words!(sso.rule_proven, domains = self::domains(domains))
        }
        PolicyRule::IdentityProvider(None) => words!(sso.rule_no_provider),
        PolicyRule::IdentityProvider(Some(setting)) => {
            let (issuer, client_id) = (setting.issuer.clone(), setting.client_id.clone());
            if setting.new_secret {
                words!(sso.rule_new_secret, issuer = issuer, client_id = client_id)
            } else {
                words!(sso.rule_provider, issuer = issuer, client_id = client_id)
            }
        }
        PolicyRule::SingleSignOn(true) => words!(sso.rule_required),
        PolicyRule::SingleSignOn(false) => words!(sso.rule_optional),
    }
}

/// For how long a session may open an account.
#[cfg(feature = "ssr")]
pub(crate) fn span(span: SessionSpan) -> String {
    match span {
        SessionSpan::HalfHour => words!(policy.half_hour),
        SessionSpan::Hour => words!(policy.hour),
        SessionSpan::EightHours => words!(policy.eight_hours),
        SessionSpan::Day => words!(policy.day),
        SessionSpan::Week => words!(policy.week),
    }
}

#[cfg(feature = "ssr")]
fn span_or_usual(chosen: Option<SessionSpan>) -> String {
    chosen.map_or_else(|| words!(policy.usual), span)
}

/// Domains in a row: "nordlys.example and ledger.example".
#[cfg(feature = "ssr")]
pub(crate) fn domains(domains: &EmailDomains) -> String {
    list(domains.iter().map(ToString::to_string).collect())
}

/// That an account will take a second factor which the reader doesn't have, and the words that lead
/// to one.
#[cfg(feature = "ssr")]
pub(crate) fn closes(at: Timestamp) -> (String, String) {
    let when = crate::formats::first_day(at);
    (words!(policy.closes, when = when), words!(policy.set_up))
}

/// What is wrong with a field, and what to do.
#[cfg(feature = "ssr")]
pub(crate) fn field_problem(field: Field, problem: FieldProblem) -> String {
    use FieldProblem as P;
    match (field, problem) {
        (Field::Email, P::Missing) => words!(problem.email_missing),
        (Field::Email, P::TooLong) => words!(problem.email_too_long),
        (Field::Email, P::AlreadyInAccount(_)) => words!(problem.email_in_account),
        (Field::Email, P::TakesNoInvitations) => words!(problem.email_takes_none),
        (Field::Email, P::SameAddress) => words!(problem.email_same),
        (Field::Email, P::OtherAddress) => words!(problem.email_not_yours),
        (Field::Email, P::Unproven) => words!(problem.email_unproven),
        (Field::Email, P::NoSingleSignOn) => words!(problem.no_single_sign_on),
        (Field::Email, _) => words!(problem.email_malformed),
        (Field::Permissions, P::Missing) => words!(problem.permissions_missing),
        (Field::Permissions, P::NothingLeft) => words!(problem.permissions_missing_manage),
        (Field::Permissions | Field::Permission, _) => words!(problem.permissions_unknown),
        (Field::FullName, P::Missing) => words!(problem.full_name_missing),
        (Field::FullName, P::TooLong) => words!(problem.full_name_too_long),
        (Field::FullName, _) => words!(problem.full_name_malformed),
        (Field::Password | Field::NewPassword, P::Missing) => words!(problem.password_missing),
        (Field::Password | Field::NewPassword, P::TooShort) => words!(problem.password_too_short),
        (Field::Password | Field::NewPassword, P::TooShortWithFactor) => {
            words!(problem.password_too_short_with_factor)
        }
        (Field::Password | Field::NewPassword, P::TooLong) => words!(problem.password_too_long),
        (Field::Password | Field::NewPassword, P::Guessable(why)) => guessable(why),
        (Field::Password, P::WrongCredentials) => words!(problem.credentials_wrong),
        (Field::Password | Field::NewPassword, _) => words!(problem.password_wrong),
        (Field::Code, P::Missing) => words!(problem.code_missing),
        (Field::Code, P::WrongCode) => words!(problem.code_wrong),
        (Field::Code, _) => words!(problem.code_malformed),
        (Field::Passkey, P::Missing) => words!(problem.passkey_missing),
        (Field::Passkey, P::NoPasskey) => words!(problem.passkey_not_given),
        (Field::Passkey, P::NoPasskeyHere) => words!(problem.passkey_not_here),
        (Field::Passkey, P::PasskeyKnown) => words!(problem.passkey_known),
        (Field::Passkey, P::CopiedPasskey) => words!(problem.passkey_copied),
        (Field::Passkey, P::ChangedPasskey) => words!(problem.passkey_changed),
        (Field::Passkey, _) => words!(problem.passkey_wrong),
        (Field::PasskeyName, P::Missing) => words!(problem.passkey_name_missing),
        (Field::PasskeyName, P::TooLong) => words!(problem.passkey_name_too_long),
        (Field::Becomes, _) => words!(problem.becomes_missing),
        (Field::Successor, _) => words!(problem.successor_missing),
        (Field::WaitDays, _) => {
            words!(problem.wait_days, least = model::WaitDays::LEAST, most = model::WaitDays::MOST)
        }
        (Field::Helped, _) => words!(problem.helped_missing),
        (Field::Comment, P::TooLong) => words!(problem.comment_too_long),
        (Field::AccountName, P::Missing) => words!(problem.account_name_missing),
        (Field::Days, _) => words!(problem.days, most = domain::policies::LONGEST_GRACE),
        (Field::SessionIdle | Field::SessionAbsolute, _) => words!(problem.span_unknown),
        (Field::PauseReason, P::TooLong) => {
            words!(problem.too_long, most = domain::users::LONGEST_REASON)
        }
        (Field::Domains, P::TooLong) => words!(problem.domains_many, most = EmailDomains::MOST),
        (Field::Domains, _) => words!(problem.domains_malformed),
        (Field::Domain, P::AlreadyListed) => words!(problem.domain_listed),
        (Field::Domain, _) => words!(problem.domain_malformed),
        (Field::Issuer, P::TooLong) => {
            words!(problem.too_long, most = domain::single_sign_on::LONGEST_ISSUER)
        }
        (Field::ClientId | Field::ClientSecret, P::TooLong) => {
            words!(problem.too_long, most = domain::single_sign_on::LONGEST_CREDENTIAL)
        }
        (Field::Issuer, P::Unanswered) => words!(problem.issuer_unanswered),
        (Field::Issuer, P::NoDescription) => words!(problem.issuer_no_provider),
        (Field::Issuer, P::OtherIssuer) => words!(problem.issuer_other),
        (Field::Issuer, _) => words!(problem.issuer_malformed),
        (Field::WhichServices, P::Missing) => words!(problem.services_missing),
        (Field::WhichDomains, P::Missing) => words!(problem.which_domains_missing),
        (Field::WhichServices | Field::WhichDomains, _) => words!(problem.things_unknown),
        (Field::TimeZone, _) => words!(problem.time_zone),
        (Field::Words, P::TooLong) => {
            words!(problem.too_long, most = domain::access_requests::LONGEST_WORDS)
        }
        (Field::Until, P::Past) => words!(problem.until_past),
        (Field::Until, P::TooFar) => words!(problem.until_too_far),
        (Field::ToDay, P::Past) => words!(problem.days_turned),
        (Field::Until | Field::FromDay | Field::ToDay, _) => words!(problem.until_malformed),
        (Field::Form, _) => words!(problem.form_malformed),
        (_, P::Missing) => words!(problem.text_missing),
        (_, P::TooLong) => words!(problem.text_too_long),
        (_, _) => words!(problem.text_malformed),
    }
}

/// Why a password would be guessed soon, and what makes a better one.
#[cfg(feature = "ssr")]
fn guessable(why: Guessable) -> String {
    match why {
        Guessable::Common => words!(problem.password_common),
        Guessable::Personal => words!(problem.password_personal),
        Guessable::Repeats => words!(problem.password_repeats),
        Guessable::Keys => words!(problem.password_keys),
        Guessable::Sequence => words!(problem.password_sequence),
        Guessable::Date => words!(problem.password_date),
        Guessable::Word => words!(problem.password_word),
    }
}

/// What happened and what to do, for a failure that is about no single field.
#[cfg(feature = "ssr")]
pub(crate) fn failure(failure: &Failure) -> String {
    match failure {
        Failure::Invalid(_) => words!(problem.form_malformed),
        Failure::SignedOut => words!(failure.signed_out),
        Failure::Unconfirmed => words!(failure.unconfirmed),
        Failure::FactorUnconfirmed => words!(failure.factor_unconfirmed),
        Failure::NotAllowed(permission) => {
            words!(failure.not_allowed, permission = label(*permission))
        }
        Failure::OutOfReach(permission) => {
            words!(failure.out_of_reach, permission = label(*permission))
        }
        Failure::EndsEarlier(permission) => {
            words!(failure.ends_earlier, permission = label(*permission))
        }
        Failure::OwnersOnly => words!(failure.owners_only),
        Failure::NoSecondFactor => words!(failure.no_second_factor),
        Failure::SingleSignOn => words!(failure.single_sign_on),
        Failure::AddressGivenUp => words!(failure.address_given_up),
        Failure::VouchedLongAgo => words!(failure.vouched_long_ago),
        Failure::Paused(paused) => self::paused(paused),
        Failure::ThroughEyes(name) => crate::eyes::read_only(name.clone()),
        Failure::OtherDomain(domains) => {
            words!(problem.email_domain, domains = self::domains(domains))
        }
        Failure::NotFound => words!(failure.not_found),
        Failure::NoRecord(domain) => words!(failure.no_record, domain = domain.to_string()),
        Failure::NameServers(domain) => words!(failure.name_servers, domain = domain.to_string()),
        Failure::Conflict(reason) => conflict(*reason),
        Failure::OnlyOwner(accounts) => words!(failure.only_owner, accounts = first_of(accounts)),
        Failure::TooMany(limit) => too_many(*limit),
        Failure::IdentityProvider => words!(failure.identity_provider),
        Failure::Unavailable => words!(failure.unavailable),
    }
}

/// What there was too much of, and how long to wait.
#[cfg(feature = "ssr")]
fn too_many(limit: Limit) -> String {
    let wait = crate::when::server::wait(limit.retry_after_seconds);
    match limit.of {
        Limited::Tries => words!(failure.too_many, wait = wait),
        Limited::InvitationsOfInviter => words!(failure.too_many_by_inviter, wait = wait),
        Limited::InvitationsOfAccount => words!(failure.too_many_by_account, wait = wait),
        Limited::InvitationsToAddress => words!(failure.too_many_to_address, wait = wait),
        Limited::Reminders => words!(failure.too_many_reminders, wait = wait),
        Limited::AccessRequests => words!(failure.too_many_requests, wait = wait),
        Limited::OwnerChanges => words!(failure.too_many_owner_changes, wait = wait),
        Limited::Takeovers => words!(failure.too_many_takeovers, wait = wait),
    }
}

/// Why signing in with an identity provider came to nothing, and who can mend it.
#[cfg(feature = "ssr")]
fn not_identified(reason: NotIdentified) -> String {
    match reason {
        NotIdentified::Cancelled => words!(failure.not_identified_cancelled),
        NotIdentified::Busy => words!(failure.not_identified_busy),
        NotIdentified::SetUp => words!(failure.not_identified_set_up),
        NotIdentified::Secret => words!(failure.not_identified_secret),
        NotIdentified::Late => words!(failure.not_identified_late),
        NotIdentified::Clock => words!(failure.not_identified_clock),
        NotIdentified::Audience => words!(failure.not_identified_audience),
        NotIdentified::Issuer => words!(failure.not_identified_issuer),
        NotIdentified::Untrusted => words!(failure.not_identified),
    }
}

/// How things stand, and what to do.
#[cfg(feature = "ssr")]
pub(crate) fn conflict(conflict: Conflict) -> String {
    match conflict {
        Conflict::Invitation(InvitationState::Pending) => words!(failure.invitation_pending),
        Conflict::Invitation(InvitationState::Accepted) => words!(failure.invitation_accepted),
        Conflict::Invitation(InvitationState::Declined) => words!(failure.invitation_declined),
        Conflict::Invitation(InvitationState::Cancelled) => words!(failure.invitation_cancelled),
        Conflict::Invitation(InvitationState::Expired) => words!(failure.invitation_expired),
        Conflict::LinkReplaced => words!(failure.link_replaced),
        Conflict::AlreadyInAccount => words!(failure.already_in_account),
        Conflict::LastOwner => words!(failure.last_owner),
        Conflict::LastOwnersAddress => words!(failure.last_owners_address),
        Conflict::OwnersStay => words!(failure.owners_stay),
        Conflict::OwnPermissions => words!(failure.own_permissions),
        Conflict::OtherAddress => words!(failure.other_address),
        Conflict::LoginExists => words!(failure.login_exists),
        Conflict::NothingLeftToGrant => words!(failure.nothing_left),
        Conflict::LinkSpent => words!(failure.link_spent),
        Conflict::SignInOver => words!(failure.sign_in_over),
        Conflict::NotIdentified(reason) => not_identified(reason),
        Conflict::AddressUnverified => words!(failure.address_unverified),
        Conflict::AddressUnverifiedThere => words!(failure.address_unverified_there),
        Conflict::NoLogin => words!(failure.no_login),
        Conflict::OtherLogin => words!(failure.other_login),
        Conflict::SetupOver => words!(failure.setup_over),
        Conflict::ShortPassword => words!(failure.short_password),
        Conflict::PasskeyOver => words!(failure.passkey_over),
        Conflict::TooManyPasskeys => words!(failure.too_many_passkeys),
        Conflict::ChangedMeanwhile => words!(failure.changed_meanwhile),
        Conflict::AddressTaken => words!(failure.address_taken),
        Conflict::AddressHeld => words!(failure.address_held),
        Conflict::SecondFactorFirst => words!(failure.second_factor_first),
        Conflict::OtherDomain => words!(failure.other_domain),
        Conflict::NotInAccount => words!(failure.not_in_account),
        Conflict::DomainTaken => crate::contact::ask(words!(failure.domain_taken)),
        Conflict::NoSingleSignOn => words!(sso.not_yet),
        Conflict::SignInFirst => words!(sso.try_first),
        Conflict::WhileRequired => words!(failure.while_required),
        Conflict::TooManyDomains => words!(failure.too_many_domains, most = EmailDomains::MOST),
        Conflict::TooManyGrants => words!(failure.too_many_grants, most = MOST_GRANTS),
        Conflict::HeldAlready => words!(failure.held_already),
        Conflict::AskedAlready => words!(failure.asked_already),
        Conflict::RequestOver => words!(failure.request_over),
        Conflict::OwnerAlready => words!(failure.owner_already),
        Conflict::OwnerChangeAsked => words!(failure.owner_change_asked),
        Conflict::HandedAlready => words!(failure.handed_already),
        Conflict::OwnerChangeOver => words!(failure.owner_change_over),
        Conflict::PausedUser => words!(failure.paused_user),
        Conflict::TakeoverAsked => words!(failure.takeover_asked),
    }
}
