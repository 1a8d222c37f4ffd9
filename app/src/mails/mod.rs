//! The mails in words: subject, text and HTML from a mail's facts.

mod letter;
mod names;

use domain::operator_commands::command;
use domain::zones;
use leptos::prelude::*;
use leptos_i18n::Locale as _;
use model::{
    AccessOutline, AccountNumber, AskedFor, ChangedOwner, EmailNews, EndStage, FactorNews,
    GivenEnd, IdentityNews, Language, Mail, Outline, Outlines, OwnerChangeId, OwnerNews,
    OwnerNewsReader, Permission, ProvidersChange, Reached, Secret, Timestamp, TypedName,
};

use crate::address::{
    EMAIL_LINK, FORGOT, JOIN, OWNER_CHANGE, RESET, SECURITY, SIGN_IN, USERS, address_of,
};
use crate::browsers::browser;
use crate::formats::first_day;
use crate::mails::letter::{Around, Letter, html, text};
use crate::mails::names::Harmless;
use crate::places::with_place;
use crate::site::Site;
use crate::when::server::exact;
use crate::{contact, formats, languages, words};

/// How many people a mail names before it only counts the others.
const MOST_NAMED: usize = 20;

/// A mail in words.
#[derive(Clone, Debug)]
pub struct Written {
    /// The subject, on one line.
    pub subject: String,
    /// The plain text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// By which time zones a mail tells when something is, and as seen from when.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The time zone of the account that it tells of, if that has one: its days end there.
    pub account: Option<&'a str>,
    /// The time zone that the recipient chose for their login, if they did.
    pub own: Option<&'a str>,
    /// When it was queued.
    pub queued_at: Timestamp,
}

impl Told<'_> {
    /// In the provider's time zone, as seen from this moment.
    #[must_use]
    pub const fn at(queued_at: Timestamp) -> Self {
        Self { account: None, own: None, queued_at }
    }
}

/// Puts a mail into words, in this language and these time zones, or else in the provider's. Its links
/// lead to the configured public address.
#[must_use]
pub fn write(mail: &Mail, language: Option<&Language>, told: Told<'_>, site: &Site) -> Written {
    let locale = language.and_then(languages::spoken).unwrap_or(site.language);
    Owner::new().with(|| {
        provide_context(locale);
        let days = zones::first(told.account.into_iter().chain([site.time_zone.as_str()]));
        formats::Zones::of_mail(told.own, days).read_at(told.queued_at).provide();
        written(mail, locale.as_str(), site)
    })
}

fn written(mail: &Mail, language: &str, site: &Site) -> Written {
    let letter = letter(mail, site);
    let around = Around {
        greeting: words!(mail.greeting),
        sent_by: words!(mail.sent_by, provider = site.provider.clone()),
        contact: contact::sentence(site),
        site,
    };
    let (text, html) = (text(&letter, &around), html(&letter, &around, language));
    Written { subject: one_line(&letter.subject), text, html }
}

/// The mail's `Message-ID` (RFC 5322 section 3.6.4): the same for every try to send it.
#[must_use]
pub fn message_id(id: impl std::fmt::Display, site: &Site) -> String {
    let host = site.public_url.split("://").nth(1).unwrap_or("latchkey");
    let host = host.split(['/', ':']).next().unwrap_or("latchkey");
    format!("<{id}@{host}>")
}

/// Names are typed by people: no line break of theirs reaches a header.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn letter(mail: &Mail, site: &Site) -> Letter {
    let url = &site.public_url;
    let confirm =
        |token: &Secret| format!("{url}{}", address_of(EMAIL_LINK, &[&"confirm", &token.expose()]));
    match mail {
        Mail::Invitation {
            account,
            inviter,
            inviter_email,
            access,
            becomes_owner,
            expires_at,
            token,
        } => {
            let inviter = inviter.as_ref().map(Harmless::harmless);
            let unknown = match inviter.clone() {
                Some(inviter) => words!(mail.invitation_unknown_person, inviter = inviter),
                None => words!(mail.invitation_unknown, inviter = site.provider.clone()),
            };
            let inviter = inviter.unwrap_or_else(|| site.provider.clone());
            let provider = site.provider.clone();
            let account = account.harmless();
            let opens = match access {
                _ if *becomes_owner => words!(mail.invitation_becomes_owner),
                AccessOutline::Owner => words!(mail.invitation_owner),
                AccessOutline::Granted(outlines) => {
                    let phrases = words::bounded_abilities(outlines).unwrap_or_default();
                    words!(mail.invitation_access, phrases = phrases)
                }
            };
            let subject = words!(
                mail.invitation_subject,
                inviter = inviter.clone(),
                account = account.clone()
            );
            let invites = match inviter_email {
                Some(email) => words!(
                    mail.invitation_lead_person,
                    inviter = inviter,
                    email = email.harmless(),
                    account = account,
                    provider = provider
                ),
                None => words!(
                    mail.invitation_lead,
                    inviter = inviter,
                    account = account,
                    provider = provider
                ),
            };
            Letter {
                subject,
                lead: vec![
                    invites,
                    opens,
                    words!(mail.invitation_until, when = formats::end(*expires_at)),
                ],
                button: Some((
                    words!(mail.invitation_button),
                    format!("{url}{}", address_of(JOIN, &[&token.expose()])),
                )),
                after: vec![unknown],
            }
        }
        Mail::InvitationAccepted { account, name, email, access } => {
            let (account, name, email) = (account.harmless(), name.harmless(), email.harmless());
            let subject =
                words!(mail.accepted_subject, name = name.clone(), account = account.clone());
            let lead = match access {
                AccessOutline::Owner => {
                    words!(mail.accepted_owner, name = name, email = email, account = account)
                }
                AccessOutline::Granted(outlines) => words!(
                    mail.accepted_lead,
                    name = name,
                    email = email,
                    account = account,
                    phrases = words::bounded_abilities(outlines).unwrap_or_default()
                ),
            };
            Letter { subject, lead: vec![lead], ..Letter::default() }
        }
        Mail::InvitationDeclined { account, email } => Letter {
            subject: words!(
                mail.declined_subject,
                email = email.harmless(),
                account = account.harmless()
            ),
            lead: vec![words!(
                mail.declined_lead,
                email = email.harmless(),
                account = account.harmless()
            )],
            ..Letter::default()
        },
        Mail::InvitationReported { account_number, account, inviter, inviter_email, email } => {
            let (account, inviter) = (account.harmless(), inviter.harmless());
            Letter {
                subject: words!(
                    mail.reported_subject,
                    account = account.clone(),
                    number = account_number.to_string()
                ),
                lead: vec![
                    words!(
                        mail.reported_lead,
                        inviter = inviter,
                        inviter_email = inviter_email.harmless(),
                        email = email.harmless(),
                        account = account,
                        number = account_number.to_string()
                    ),
                    words!(mail.reported_since),
                ],
                button: None,
                after: vec![words!(
                    mail.reported_lift,
                    command = command(
                        "latchkey report lift",
                        &[&account_number.to_string(), email.as_typed()]
                    )
                )],
            }
        }
        Mail::WebhookOff { endpoint, url, why, tried_since } => Letter {
            subject: words!(mail.webhook_off_subject, url = url.harmless()),
            lead: vec![
                words!(
                    mail.webhook_off_lead,
                    url = url.harmless(),
                    when = exact(*tried_since),
                    why = why.harmless()
                ),
                words!(mail.webhook_off_since),
            ],
            button: None,
            after: vec![words!(
                mail.webhook_off_on,
                command = command("latchkey webhook on", &[endpoint])
            )],
        },
        Mail::PermissionsChanged { account, changed_by, before, after } => {
            let (account, by) = (account.harmless(), changed_by.harmless());
            let phrases = |one: &Outlines, other: &Outlines| {
                let changed: Vec<_> = one.permissions().difference(other.permissions()).collect();
                let phrases = words::phrases(changed.iter().copied())?;
                let opening = AccessOutline::Granted(one.clone()).opening(&changed);
                Some(match words::bounds(&opening) {
                    Some(bounds) => format!("{phrases} ({bounds})"),
                    None => phrases,
                })
            };
            let added =
                phrases(after, before).map(|phrases| words!(mail.changed_added, phrases = phrases));
            let removed = phrases(before, after)
                .map(|phrases| words!(mail.changed_removed, phrases = phrases));
            let [was, is] = kept(before, after);
            let on_things = is.iter().any(reaches_these);
            // On other things, or until another day: in numbers two things are like two others.
            let bounded = was != is || on_things || (added.is_none() && removed.is_none());
            let bounded = bounded.then(|| stands_now(after)).flatten();
            let things = (was == is && on_things).then(|| words!(mail.changed_things));
            let first =
                words!(mail.changed_lead, changed_by = by.clone(), account = account.clone());
            Letter {
                subject: words!(mail.changed_subject, account = account),
                lead: [Some(first), added, removed, bounded, things]
                    .into_iter()
                    .flatten()
                    .collect(),
                button: None,
                after: vec![words!(mail.changed_unexpected, changed_by = by)],
            }
        }
        Mail::AccessRemoved { account, removed_by } => {
            let account = account.harmless();
            let lead = match removed_by {
                Some(by) => {
                    words!(mail.removed_lead, removed_by = by.harmless(), account = account.clone())
                }
                None => words!(mail.left_lead, account = account.clone()),
            };
            Letter {
                subject: words!(mail.removed_subject, account = account),
                lead: vec![lead],
                ..Letter::default()
            }
        }
        Mail::AccessPaused { account, changed_by, paused } => {
            let (account, by) = (account.harmless(), changed_by.harmless());
            let ask = words!(mail.changed_unexpected, changed_by = by.clone());
            let Some(why) = paused else {
                let lead = words!(mail.resumed_lead, changed_by = by, account = account.clone());
                let subject = words!(mail.resumed_subject, account = account);
                return Letter { subject, lead: vec![lead], ..Letter::default() };
            };
            let why = Some(why.harmless()).filter(|why| !why.is_empty());
            let why = why.map(|why| words!(log.reason, reason = why));
            let lead = words!(mail.paused_lead, changed_by = by, account = account.clone());
            Letter {
                subject: words!(mail.paused_subject, account = account),
                lead: std::iter::once(lead).chain(why).collect(),
                button: None,
                after: vec![ask],
            }
        }
        Mail::AccessEnds { account, ending, stage } => {
            let account = account.harmless();
            let phrases = words::bounded_abilities(ending).unwrap_or_default();
            let (subject, lead) = match stage {
                EndStage::Week | EndStage::Day => (
                    match stage {
                        EndStage::Week => words!(mail.ends_week_subject, account = account.clone()),
                        _ => words!(mail.ends_day_subject, account = account.clone()),
                    },
                    words!(mail.ends_lead, account = account, phrases = phrases),
                ),
                EndStage::Ended => (
                    words!(mail.ended_subject, account = account.clone()),
                    words!(mail.ended_lead, account = account, phrases = phrases),
                ),
            };
            let after = vec![words!(mail.ends_ask)];
            Letter { subject, lead: vec![lead], button: None, after }
        }
        Mail::GivenEnds { account, account_number, given, stage } => {
            let account = account.harmless();
            let subject = match stage {
                EndStage::Week => words!(mail.given_week_subject, account = account.clone()),
                EndStage::Day => words!(mail.given_day_subject, account = account.clone()),
                EndStage::Ended => words!(mail.given_ended_subject, account = account.clone()),
            };
            let lead = match stage {
                EndStage::Week | EndStage::Day => words!(mail.given_lead, account = account),
                EndStage::Ended => words!(mail.given_ended_lead, account = account),
            };
            let line = |given: &GivenEnd| {
                words!(
                    mail.given_line,
                    name = given.name.harmless(),
                    email = given.email.harmless(),
                    phrases = words::bounded_abilities(&given.ending).unwrap_or_default()
                )
            };
            let more = given.len().saturating_sub(MOST_NAMED);
            let more = (more > 0).then(|| words!(mail.given_more, count = more));
            let lines = given.iter().take(MOST_NAMED).map(line).chain(more);
            Letter {
                subject,
                lead: std::iter::once(lead).chain(lines).collect(),
                button: Some((
                    words!(frame.user_management),
                    format!("{url}{}", address_of(USERS, &[account_number])),
                )),
                after: vec![words!(mail.given_anew)],
            }
        }
        Mail::AccessRequested { account, account_number, asked } => {
            let account = account.harmless();
            Letter {
                subject: words!(mail.requested_subject, account = account.clone()),
                lead: std::iter::once(words!(mail.requested_lead, account = account))
                    .chain(asked.iter().map(asked_line))
                    .collect(),
                button: Some((
                    words!(frame.user_management),
                    format!("{url}{}#requests", address_of(USERS, &[account_number])),
                )),
                after: vec![words!(mail.requested_after)],
            }
        }
        Mail::AccessRequestDeclined { account, declined_by, permission, thing, words } => {
            let (account, by) = (account.harmless(), declined_by.harmless());
            let lead = words!(
                mail.request_declined_lead,
                declined_by = by.clone(),
                what = asked_what(*permission, thing.as_ref()),
                account = account.clone()
            );
            let said = Some(words.harmless()).filter(|said| !said.is_empty());
            let said = said.map(|said| words!(log.reason, reason = said));
            Letter {
                subject: words!(mail.request_declined_subject, account = account),
                lead: std::iter::once(lead).chain(said).collect(),
                button: None,
                after: vec![words!(mail.request_declined_after, declined_by = by)],
            }
        }
        Mail::OwnerNews { account, account_number, reader, name, news, change } => Letter {
            button: owner_news_button(*account_number, *reader, news, *change, url),
            ..owner_news(&account.harmless(), *reader, &name.harmless(), news)
        },
        Mail::AccessWaits { account, access, expires_at, token } => {
            let (account, provider) = (account.harmless(), site.provider.clone());
            let opens = match access {
                AccessOutline::Owner => words!(mail.invitation_owner),
                AccessOutline::Granted(outlines) => {
                    let phrases = words::bounded_abilities(outlines).unwrap_or_default();
                    words!(mail.invitation_access, phrases = phrases)
                }
            };
            Letter {
                subject: words!(mail.waits_subject, account = account.clone()),
                lead: vec![
                    words!(mail.waits_lead, account = account, provider = provider),
                    opens,
                    words!(mail.waits_until, when = exact(*expires_at)),
                ],
                button: Some((
                    words!(mail.waits_button),
                    format!("{url}{}", address_of(JOIN, &[&token.expose()])),
                )),
                after: vec![words!(mail.waits_unexpected)],
            }
        }
        Mail::PasswordReset { expires_at, token } => Letter {
            subject: words!(mail.reset_subject),
            lead: vec![
                words!(mail.reset_lead, provider = site.provider.clone()),
                words!(mail.reset_until, when = exact(*expires_at)),
            ],
            button: Some((
                words!(mail.reset_button),
                format!("{url}{}", address_of(RESET, &[&token.expose()])),
            )),
            after: vec![words!(mail.reset_unexpected)],
        },
        Mail::PasswordChanged { by_link, at, user_agent, address } => {
            let (browser, when) = (browser(user_agent), exact(*at));
            let address = with_place(address, site.places.as_ref());
            let lead = if *by_link {
                words!(mail.password_by_link, browser = browser, address = address, when = when)
            } else {
                words!(mail.password_lead, browser = browser, address = address, when = when)
            };
            Letter {
                subject: words!(mail.password_subject, provider = site.provider.clone()),
                lead: vec![lead, words!(mail.password_unexpected)],
                button: Some((words!(mail.reset_button), format!("{url}{FORGOT}"))),
                after: vec![words!(mail.password_mailbox)],
            }
        }
        Mail::LoginDeleted { at, user_agent, address } => Letter {
            subject: words!(mail.deleted_subject, provider = site.provider.clone()),
            lead: vec![
                words!(
                    mail.deleted_lead,
                    browser = browser(user_agent),
                    address = with_place(address, site.places.as_ref()),
                    when = exact(*at)
                ),
                words!(mail.deleted_kept),
            ],
            button: None,
            after: vec![words!(mail.deleted_unexpected)],
        },
        Mail::Several { times, since, last } => several(*times, *since, last, site),
        Mail::NewDevice { at, user_agent, address } => Letter {
            subject: words!(mail.device_subject, provider = site.provider.clone()),
            lead: vec![
                words!(
                    mail.device_lead,
                    browser = browser(user_agent),
                    address = with_place(address, site.places.as_ref()),
                    when = exact(*at)
                ),
                words!(mail.device_unknown),
            ],
            button: Some((words!(mail.security_button), format!("{url}{SECURITY}"))),
            after: Vec::new(),
        },
        Mail::SecondFactorRequired { account, from, closed } => {
            let (account, when) = (account.harmless(), first_day(*from));
            let (subject, lead) = if *closed {
                (
                    words!(mail.closed_subject, account = account.clone()),
                    words!(mail.closed_lead, account = account, when = when),
                )
            } else {
                (
                    words!(mail.required_subject, account = account.clone()),
                    words!(mail.required_lead, account = account, when = when),
                )
            };
            Letter {
                subject,
                lead: vec![lead, words!(mail.required_how)],
                button: Some((words!(policy.set_up), format!("{url}{SECURITY}"))),
                after: vec![words!(mail.required_others)],
            }
        }
        Mail::PolicyChanged { account, changed_by, before, after } => Letter {
            subject: words!(mail.policy_subject, account = account.harmless()),
            lead: vec![
                words!(
                    mail.policy_lead,
                    changed_by = changed_by.harmless(),
                    account = account.harmless()
                ),
                words!(log.rule_before, rule = names::rule(before)),
                words!(log.rule_after, rule = names::rule(after)),
            ],
            button: None,
            after: vec![words!(mail.changed_unexpected, changed_by = changed_by.harmless())],
        },
        Mail::OwnersChangedByProvider { account, changed_by, owners, why } => {
            let (account, by) = (account.harmless(), changed_by.harmless());
            let only_invited = owners.iter().all(|owner| owner.news == ProvidersChange::Invited);
            let subject = match only_invited {
                true => words!(mail.owner_invited_subject, account = account.clone()),
                false => words!(mail.owners_subject, account = account.clone()),
            };
            let lines = owners.iter().map(|owner| owner_line(owner, &by, &account));
            let why = Some(why.harmless()).filter(|why| !why.is_empty());
            let why = why.map(|why| words!(log.reason, reason = why));
            Letter {
                subject,
                lead: lines.chain(why).collect(),
                button: None,
                after: vec![words!(mail.changed_unexpected, changed_by = by.clone())],
            }
        }
        Mail::FactorChanged { news, at } => Letter {
            subject: words!(mail.factor_subject, provider = site.provider.clone()),
            lead: vec![
                match news {
                    FactorNews::AppOn => words!(mail.factor_on, when = exact(*at)),
                    FactorNews::AppOff => words!(mail.factor_off, when = exact(*at)),
                    FactorNews::CodesRenewed => words!(mail.factor_codes, when = exact(*at)),
                    FactorNews::PasskeyAdded => words!(mail.passkey_added, when = exact(*at)),
                    FactorNews::PasskeyRemoved => words!(mail.passkey_removed, when = exact(*at)),
                    FactorNews::AllRemoved => words!(mail.factors_removed, when = exact(*at)),
                },
                words!(mail.factor_unexpected),
            ],
            button: Some((words!(mail.security_button), format!("{url}{SECURITY}"))),
            after: Vec::new(),
        },
        Mail::EmailProof { expires_at, token } => Letter {
            subject: words!(mail.proof_subject, provider = site.provider.clone()),
            lead: vec![
                words!(mail.proof_lead, provider = site.provider.clone()),
                words!(mail.email_until, when = exact(*expires_at)),
            ],
            button: Some((words!(mail.email_button), confirm(token))),
            after: vec![words!(mail.proof_unexpected, url = format!("{url}{FORGOT}"))],
        },
        Mail::EmailChange { before, expires_at, token } => Letter {
            subject: words!(mail.proof_subject, provider = site.provider.clone()),
            lead: vec![
                words!(
                    mail.email_lead,
                    before = before.harmless(),
                    provider = site.provider.clone()
                ),
                words!(mail.email_until, when = exact(*expires_at)),
            ],
            button: Some((words!(mail.email_button), confirm(token))),
            after: vec![words!(mail.email_unexpected)],
        },
        Mail::EmailTaken { at } => Letter {
            subject: words!(mail.taken_subject, provider = site.provider.clone()),
            lead: vec![
                words!(mail.taken_lead, provider = site.provider.clone(), when = exact(*at)),
                words!(mail.taken_cure),
            ],
            button: Some((words!(sign_in.button), format!("{url}{SIGN_IN}"))),
            after: vec![words!(mail.taken_unexpected)],
        },
        Mail::EmailUndo { after, expires_at, token } => Letter {
            subject: words!(mail.email_changed_subject, provider = site.provider.clone()),
            lead: vec![
                words!(mail.undo_lead, after = after.harmless(), provider = site.provider.clone()),
                words!(mail.undo_until, when = exact(*expires_at)),
            ],
            button: Some((
                words!(email.undo_button),
                format!("{url}{}", address_of(EMAIL_LINK, &[&"undo", &token.expose()])),
            )),
            after: vec![words!(mail.undo_after)],
        },
        Mail::EmailNews { news, before, after, at } => {
            let (before, after, when) = (before.harmless(), after.harmless(), exact(*at));
            let (subject, lead, unexpected) = match news {
                EmailNews::Asked => (
                    words!(mail.asked_subject, provider = site.provider.clone()),
                    words!(mail.asked_lead, before = before, after = after, when = when),
                    Some(words!(mail.asked_unexpected)),
                ),
                EmailNews::Changed => (
                    words!(mail.email_changed_subject, provider = site.provider.clone()),
                    words!(mail.email_changed_lead, before = before, after = after, when = when),
                    None,
                ),
                EmailNews::Undone => (
                    words!(mail.undone_subject, provider = site.provider.clone()),
                    words!(mail.undone_lead, before = before, after = after, when = when),
                    None,
                ),
            };
            let lead = std::iter::once(lead).chain(unexpected).collect();
            Letter { subject, lead, ..Letter::default() }
        }
        Mail::IdentityChanged { news, provider, at } => {
            let (by, when) = (provider.harmless(), exact(*at));
            Letter {
                subject: words!(mail.identity_subject, provider = site.provider.clone()),
                lead: vec![
                    match news {
                        IdentityNews::Linked => {
                            words!(mail.identity_linked, by = by, when = when)
                        }
                        IdentityNews::Unlinked => {
                            words!(mail.identity_unlinked, by = by, when = when)
                        }
                    },
                    words!(mail.identity_unexpected),
                ],
                button: Some((words!(mail.security_button), format!("{url}{SECURITY}"))),
                after: Vec::new(),
            }
        }
    }
}

/// What the provider made of an owner, in a line.
fn owner_line(owner: &ChangedOwner, by: &str, account: &str) -> String {
    let (by, account) = (by.to_owned(), account.to_owned());
    let (name, email) = (owner.name.harmless(), owner.email.harmless());
    match (owner.news, owner.is_reader) {
        (ProvidersChange::Added, true) => {
            words!(mail.owner_added_you, changed_by = by, account = account)
        }
        (ProvidersChange::Added, false) => {
            words!(mail.owner_added, changed_by = by, name = name, email = email, account = account)
        }
        (ProvidersChange::Removed, true) => {
            words!(mail.owner_removed_you, changed_by = by, account = account)
        }
        (ProvidersChange::Removed, false) => words!(
            mail.owner_removed,
            changed_by = by,
            name = name,
            email = email,
            account = account
        ),
        (ProvidersChange::Invited, _) => {
            words!(mail.owner_invited, changed_by = by, email = email, account = account)
        }
    }
}

/// Who asks for what, until when and why, in a line.
fn asked_line(asked: &AskedFor) -> String {
    let line = words!(
        mail.requested_line,
        name = asked.name.harmless(),
        email = asked.email.harmless(),
        what = asked_what(asked.permission, asked.thing.as_ref()),
        why = asked.why.harmless()
    );
    match asked.until {
        Some(until) => {
            format!("{line} {}", words!(mail.requested_until, when = formats::end(until)))
        }
        None => line,
    }
}

/// What happens to the owners of an account, to whoever reads it.
fn owner_news(account: &str, reader: OwnerNewsReader, name: &str, news: &OwnerNews) -> Letter {
    let (account, name) = (account.to_owned(), name.to_owned());
    let yours = reader == OwnerNewsReader::Person;
    let not = match yours {
        true => words!(mail.owner_not_yours_subject, account = account.clone()),
        false => words!(mail.owner_not_subject, name = name.clone(), account = account.clone()),
    };
    let letter = |subject, lead, after: Vec<String>| Letter { subject, lead, button: None, after };
    match news {
        OwnerNews::Offered { by, handed } if yours => {
            let by = by.harmless();
            let lead = match handed {
                true => {
                    words!(mail.owner_asked_handed, by = by.clone(), account = account.clone())
                }
                false => words!(mail.owner_asked_lead, by = by.clone(), account = account.clone()),
            };
            let subject = words!(mail.owner_asked_subject, account = account);
            letter(subject, vec![lead], vec![words!(mail.owner_asked_after, by = by)])
        }
        OwnerNews::Offered { by, handed } => {
            let (by, of) = (by.harmless(), account.clone());
            let lead = match handed {
                true => words!(mail.owner_handed_lead, by = by, account = of, name = name.clone()),
                false => {
                    words!(mail.owner_offered_lead, by = by, account = of, name = name.clone())
                }
            };
            let subject =
                words!(mail.owner_offered_subject, name = name.clone(), account = account);
            letter(subject, vec![lead], vec![words!(mail.owner_offered_after, name = name)])
        }
        OwnerNews::Waiting { by, handed, due_at } => {
            let by = by.harmless();
            let lead = words!(
                mail.owner_waiting_lead,
                by = by.clone(),
                name = name.clone(),
                account = account.clone(),
                when = exact(*due_at)
            );
            let handed = handed.then(|| words!(mail.owner_waiting_handed, by = by));
            let subject = words!(mail.owner_waiting_subject, name = name, account = account);
            let lead = std::iter::once(lead).chain(handed).collect();
            letter(subject, lead, vec![words!(mail.owner_waiting_after)])
        }
        OwnerNews::Done { by, handed } => match reader {
            OwnerNewsReader::Person => {
                let lead = words!(mail.owner_yours_lead, account = account.clone());
                letter(words!(mail.owner_yours_subject, account = account), vec![lead], Vec::new())
            }
            OwnerNewsReader::Giver => {
                let lead = words!(mail.owner_gave_lead, name = name, account = account.clone());
                letter(words!(mail.owner_gave_subject, account = account), vec![lead], Vec::new())
            }
            OwnerNewsReader::Owner => {
                let (by, of, who) = (by.harmless(), account.clone(), name.clone());
                let lead = match handed {
                    true => words!(mail.owner_done_handed, by = by, account = of, name = who),
                    false => words!(mail.owner_done_lead, by = by, account = of, name = who),
                };
                let subject = words!(mail.owner_done_subject, name = name, account = account);
                letter(subject, vec![lead], Vec::new())
            }
        },
        OwnerNews::Stopped { by } => {
            let by = by.harmless();
            let lead = words!(mail.owner_stopped_lead, by = by, name = name, account = account);
            letter(not, vec![lead], Vec::new())
        }
        OwnerNews::Declined => {
            let lead = words!(mail.owner_declined_lead, name = name, account = account);
            letter(not, vec![lead], Vec::new())
        }
        OwnerNews::Lapsed => {
            let lead = words!(mail.owner_lapsed_lead, name = name, account = account);
            letter(not, vec![lead], Vec::new())
        }
        OwnerNews::NotHanded { by } => {
            let (by, of) = (by.harmless(), account.clone());
            let lead = words!(mail.owner_not_handed_lead, by = by, name = name, account = of);
            letter(words!(mail.owner_not_handed_subject, account = account), vec![lead], Vec::new())
        }
        OwnerNews::Invited { by } => {
            let (by, of) = (by.harmless(), account.clone());
            let lead = words!(mail.owner_invites_lead, by = by, email = name, account = of);
            let subject = words!(mail.owner_invited_subject, account = account);
            letter(subject, vec![lead], vec![words!(mail.owner_invites_after)])
        }
        OwnerNews::SuccessorNamed { .. }
        | OwnerNews::SuccessorRemoved { .. }
        | OwnerNews::TakeoverAsked { .. }
        | OwnerNews::TakeoverAnswered { .. }
        | OwnerNews::TakenOver => successor_news(account, yours, name, not, news),
        OwnerNews::SteppedDown if yours => {
            let lead = words!(mail.owner_you_stepped_down_lead, account = account.clone());
            let subject = words!(mail.owner_you_stepped_down_subject, account = account);
            letter(subject, vec![lead], vec![words!(mail.owner_you_stepped_down_after)])
        }
        OwnerNews::SteppedDown | OwnerNews::Left => {
            let (who, of) = (name.clone(), account.clone());
            let lead = match news {
                OwnerNews::Left => words!(mail.owner_left_lead, name = who, account = of),
                _ => words!(mail.owner_stepped_down_lead, name = who, account = of),
            };
            let subject = words!(mail.owner_stepped_down_subject, name = name, account = account);
            letter(subject, vec![lead], Vec::new())
        }
    }
}

/// What happens about an account's successor, to them or to an owner; `not` says that they become none.
fn successor_news(
    account: String,
    yours: bool,
    name: String,
    not: String,
    news: &OwnerNews,
) -> Letter {
    let letter = |subject, lead, after: Vec<String>| Letter { subject, lead, button: None, after };
    let of = account.clone();
    match news {
        OwnerNews::SuccessorNamed { by, days } if yours => {
            let lead =
                words!(mail.successor_you_lead, by = by.harmless(), account = of, days = *days);
            let after = words!(mail.successor_you_after, account = account.clone());
            let subject = words!(mail.successor_you_subject, account = account);
            letter(subject, vec![lead], vec![after])
        }
        OwnerNews::SuccessorNamed { by, days } => {
            let lead = words!(
                mail.successor_lead,
                by = by.harmless(),
                name = name.clone(),
                account = of,
                days = *days
            );
            let subject = words!(mail.successor_subject, name = name, account = account);
            letter(subject, vec![lead], Vec::new())
        }
        OwnerNews::SuccessorRemoved { by } if yours => {
            let lead = words!(mail.successor_not_you_lead, by = by.harmless(), account = of);
            let subject = words!(mail.successor_not_you_subject, account = account);
            letter(subject, vec![lead], Vec::new())
        }
        OwnerNews::SuccessorRemoved { by } => {
            let (by, who) = (by.harmless(), name.clone());
            let lead = words!(mail.successor_not_lead, by = by, name = who, account = of);
            let subject = words!(mail.successor_not_subject, name = name, account = account);
            letter(subject, vec![lead], Vec::new())
        }
        OwnerNews::TakeoverAsked { asked_at, due_at, again } => {
            let lead = words!(
                mail.takeover_lead,
                name = name.clone(),
                account = of,
                day = formats::own_day(*asked_at),
                when = exact(*due_at)
            );
            let again = again.then(|| words!(mail.takeover_again));
            let subject = words!(mail.takeover_subject, name = name, account = account);
            let lead = std::iter::once(lead).chain(again).collect();
            letter(subject, lead, vec![words!(mail.takeover_after)])
        }
        OwnerNews::TakeoverAnswered { by } => {
            let by = by.harmless();
            let lead = words!(mail.takeover_answered, by = by, name = name, account = account);
            letter(not, vec![lead], Vec::new())
        }
        _ if yours => {
            let lead = words!(mail.owner_yours_lead, account = of);
            letter(words!(mail.owner_yours_subject, account = account), vec![lead], Vec::new())
        }
        _ => {
            let lead = words!(mail.taken_over_lead, name = name.clone(), account = of);
            let subject = words!(mail.owner_done_subject, name = name, account = account);
            letter(subject, vec![lead], Vec::new())
        }
    }
}

/// What leads to where it can be answered or stopped, or to how it stands.
fn owner_news_button(
    number: AccountNumber,
    reader: OwnerNewsReader,
    news: &OwnerNews,
    change: Option<OwnerChangeId>,
    url: &str,
) -> Option<(String, String)> {
    let page = match change {
        Some(change) => address_of(OWNER_CHANGE, &[&number, &change]),
        None => address_of(USERS, &[&number]),
    };
    let label = match (news, reader) {
        (OwnerNews::Offered { .. }, OwnerNewsReader::Person) => words!(mail.owner_asked_button),
        (_, OwnerNewsReader::Owner) => words!(mail.owner_show),
        _ => return None,
    };
    Some((label, format!("{url}{page}")))
}

/// A permission, and the thing that it is asked for on.
fn asked_what(permission: Permission, thing: Option<&TypedName>) -> String {
    let label = words::label(permission);
    match thing {
        Some(thing) => words!(requests.what_on, what = label, thing = thing.harmless()),
        None => label,
    }
}

/// What the last of several mails tells, and that there were others.
fn several(times: u32, since: Timestamp, last: &Mail, site: &Site) -> Letter {
    let mut letter = letter(last, site);
    let (times, when) = (times.to_string(), exact(since));
    let told = match last {
        Mail::NewDevice { .. } => words!(mail.several_sign_ins, times = times, when = when),
        Mail::AccessRequested { .. } => {
            words!(mail.several_requests, times = times, when = when)
        }
        Mail::InvitationReported { .. } => words!(
            mail.several_reports,
            times = times,
            when = when,
            command = command("latchkey report list", &[])
        ),
        _ => words!(mail.several, times = times, when = when),
    };
    if let Mail::PermissionsChanged { after, .. } = last
        && let Some(now) = stands_now(after)
        && !letter.lead.contains(&now)
    {
        letter.lead.push(now);
    }
    letter.lead.push(told);
    letter
}

/// How it stands after a change of what somebody may do; none if that is nothing.
fn stands_now(after: &Outlines) -> Option<String> {
    let phrases = words::bounded_abilities(after)?;
    Some(words!(mail.changed_now, phrases = phrases))
}

/// What opens the permissions that were there before and are there after.
fn kept(before: &Outlines, after: &Outlines) -> [Outlines; 2] {
    let both: Vec<_> = before.permissions().intersection(after.permissions()).iter().collect();
    [before, after].map(|one| AccessOutline::Granted(one.clone()).opening(&both))
}

/// Whether it is about some of the services or domains and not about all.
fn reaches_these(outline: &Outline) -> bool {
    [outline.services, outline.domains].iter().any(|reached| *reached != Reached::All)
}
