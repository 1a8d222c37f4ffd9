//! The live checks: what stands in the way of this reader, at this moment, in words.

use domain::invitations::{Tracked, TrackedMail, Whereabouts};
use model::{
    Delivery, Failure, FieldErrors, InvitationState, Limited, Mail, On, Permission, Timestamp,
};

use crate::help::api::{Found, FoundMail, HelpView};
use crate::mails::{self, Told};
use crate::request::{self, Inside};
use crate::ui::state::Mood;
use crate::when::server::exact;
use crate::{formats, words};

/// What the guide says about somebody in an account.
pub(crate) async fn page(inside: &Inside, email: String) -> Result<HelpView, Failure> {
    let actor = &inside.acting.actor;
    let inviting = inviting(inside).await?;
    let may_ask = actor.may(Permission::AccountUsers, On::Account);
    let asked = email.trim();
    let mail = if may_ask && !asked.is_empty() { Some(mail(inside, asked).await?) } else { None };
    Ok(HelpView { inviting, email, mail, may_ask, accounts: Vec::new() })
}

/// What the guide says about somebody outside any account, who can look from one of these.
pub(crate) fn anywhere(accounts: Vec<(String, String)>) -> HelpView {
    let advice = if accounts.is_empty() {
        words!(help.inviting_anywhere_advice)
    } else {
        words!(help.inviting_anywhere_choose)
    };
    let inviting =
        Found { mood: Mood::Quiet, verdict: words!(help.inviting_anywhere), advice: vec![advice] };
    HelpView { inviting, email: String::new(), mail: None, may_ask: false, accounts }
}

async fn inviting(inside: &Inside) -> Result<Found, Failure> {
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let account = inside.acting.name.clone();
    if !actor.may(Permission::AccountUsers, On::Account) {
        let owners = domain::accounts::owners(latchkey, actor).await?;
        let owners = owners.into_iter().map(|owner| owner.full_name).collect();
        return Ok(Found {
            mood: Mood::Trouble,
            verdict: words!(
                help.inviting_no,
                account = account,
                permission = words::label(Permission::AccountUsers)
            ),
            advice: vec![words!(help.inviting_no_advice, owners = words::list(owners))],
        });
    }
    if let Some(limit) = domain::invitations::used_up(latchkey, actor).await? {
        let verdict = match limit.of {
            Limited::InvitationsOfInviter => words!(help.inviting_limit_own, count = limit.most),
            _ => words!(help.inviting_limit, account = account, count = limit.most),
        };
        return Ok(Found {
            mood: Mood::Waiting,
            verdict,
            advice: vec![words!(help.inviting_limit_advice, when = exact(limit.until))],
        });
    }
    let advice = if actor.owns() {
        words!(help.inviting_owner)
    } else {
        let own = domain::accounts::own_access(latchkey, actor).await?;
        words!(help.inviting_held, held = words::access_line(&own))
    };
    let mut advice = vec![advice];
    let domains = domain::invitations::allowed_domains(latchkey, actor).await?;
    if !domains.is_empty() {
        let domains = words::list(domains.iter().map(ToString::to_string).collect());
        advice.push(words!(help.inviting_domains, domains = domains));
    }
    let verdict = words!(help.inviting_yes, account = account);
    Ok(Found { mood: Mood::Ok, verdict, advice })
}

async fn mail(inside: &Inside, email: &str) -> Result<FoundMail, Failure> {
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let plain = |mood, verdict, advice| FoundMail {
        found: Found { mood, verdict, advice },
        facts: Vec::new(),
        resend: None,
    };
    Ok(match domain::invitations::track(latchkey, actor, email).await {
        Err(Failure::Invalid(FieldErrors(problems))) => {
            let words = problems.iter().map(|p| words::field_problem(p.field, p.problem));
            plain(Mood::Trouble, words.collect(), Vec::new())
        }
        Err(failure) => return Err(failure),
        Ok(Whereabouts::NotInvited(allowed)) => plain(
            Mood::Trouble,
            words!(help.mail_not_invited, email = email),
            vec![if allowed {
                words!(help.mail_not_invited_advice)
            } else {
                words!(failure.other_domain)
            }],
        ),
        Ok(Whereabouts::InAccount) => plain(
            Mood::Ok,
            words!(help.mail_in_account, email = email),
            vec![words!(help.mail_in_account_advice)],
        ),
        Ok(Whereabouts::Invited(tracked, false)) if is_open(&tracked) => {
            plain(Mood::Trouble, words!(pending.other_domain), vec![words!(failure.other_domain)])
        }
        Ok(Whereabouts::Invited(tracked, _)) => {
            let email = &tracked.invitation.email;
            let limited =
                domain::invitations::address_used_up_until(latchkey, actor, email).await?;
            invited(inside, &tracked, limited)
        }
    })
}

/// Whether it could be accepted, or sent again.
fn is_open(tracked: &Tracked) -> bool {
    matches!(tracked.invitation.state, InvitationState::Pending | InvitationState::Expired)
}

fn invited(inside: &Inside, tracked: &Tracked, limited: Option<Timestamp>) -> FoundMail {
    let invitation = &tracked.invitation;
    let email = invitation.email.to_string();
    let ended = tracked.ended_at.map(exact).unwrap_or_default();
    let (mood, verdict, advice) = match invitation.state {
        InvitationState::Pending => return pending(inside, tracked, limited),
        InvitationState::Expired => (
            Mood::Trouble,
            words!(
                help.mail_expired,
                email = email,
                when = formats::last_day(invitation.expires_at)
            ),
            words!(help.mail_expired_advice),
        ),
        InvitationState::Accepted => (
            Mood::Quiet,
            words!(help.mail_accepted, email = email, when = ended),
            words!(help.mail_accepted_advice),
        ),
        InvitationState::Declined => (
            Mood::Quiet,
            words!(help.mail_declined, email = email, when = ended),
            words!(help.mail_declined_advice),
        ),
        InvitationState::Cancelled => (
            Mood::Trouble,
            words!(help.mail_cancelled, email = email, when = ended),
            words!(help.mail_cancelled_advice),
        ),
    };
    let expired = invitation.state == InvitationState::Expired;
    FoundMail {
        found: Found { mood, verdict, advice: vec![advice] },
        facts: Vec::new(),
        resend: expired.then(|| invitation.id.to_string()),
    }
}

fn pending(inside: &Inside, tracked: &Tracked, limited: Option<Timestamp>) -> FoundMail {
    let invitation = &tracked.invitation;
    if invitation.waits {
        let verdict = words!(help.mail_waits, email = invitation.email.to_string());
        let advice = vec![words!(help.mail_waits_advice)];
        return FoundMail {
            found: Found { mood: Mood::Waiting, verdict, advice },
            facts: Vec::new(),
            resend: Some(invitation.id.to_string()),
        };
    }
    let site = request::site();
    let (mood, verdict, advice) = delivery(tracked.mail.as_ref(), &invitation.email.to_string());
    let mail = Mail::Invitation {
        account: inside.acting.name.clone().into(),
        inviter: tracked.inviter_name.clone().map(Into::into),
        // Of this letter its subject is shown.
        inviter_email: None,
        access: invitation.offered.outline(),
        becomes_owner: invitation.as_owner,
        expires_at: invitation.expires_at,
        token: String::new().into(),
    };
    let language = tracked.mail.as_ref().and_then(|mail| mail.language.as_ref());
    let mut advice = vec![advice];
    if let Some(until) = limited {
        advice.push(words!(help.mail_limit, when = exact(until)));
    }
    let told = Told::at(inside.latchkey.now());
    let facts = vec![
        (words!(help.mail_sender), site.mail_from.clone()),
        (words!(help.mail_subject), mails::write(&mail, language, told, &site).subject),
        (words!(help.mail_until), formats::end(invitation.expires_at)),
    ];
    FoundMail {
        found: Found { mood, verdict, advice },
        facts,
        resend: Some(invitation.id.to_string()),
    }
}

fn delivery(mail: Option<&TrackedMail>, email: &str) -> (Mood, String, String) {
    let Some(mail) = mail else {
        return (
            Mood::Waiting,
            words!(help.mail_queued, email = email),
            words!(help.mail_queued_advice),
        );
    };
    match &mail.delivery {
        Delivery::Kept => {
            (Mood::Ok, words!(help.mail_kept, email = email), words!(help.mail_kept_advice))
        }
        Delivery::Sent => (
            Mood::Ok,
            words!(
                help.mail_sent,
                email = email,
                when = mail.ended_at.map(exact).unwrap_or_default()
            ),
            words!(help.mail_sent_advice),
        ),
        Delivery::Failed { answer } if !answer.starts_with('5') => (
            Mood::Trouble,
            words!(help.mail_given_up, email = email),
            words!(help.mail_given_up_advice),
        ),
        Delivery::Failed { answer } => (
            Mood::Trouble,
            words!(help.mail_refused, email = email, answer = answer.clone()),
            words!(help.mail_refused_advice),
        ),
        Delivery::Queued { answer: Some(answer) } if !words::said_by_mail_server(answer) => (
            Mood::Waiting,
            words!(help.mail_unreached, email = email),
            words!(help.mail_deferred_advice, when = exact(mail.due_at)),
        ),
        Delivery::Queued { answer: Some(answer) } => (
            Mood::Waiting,
            words!(help.mail_deferred, email = email, answer = answer.clone()),
            words!(help.mail_deferred_advice, when = exact(mail.due_at)),
        ),
        Delivery::Queued { answer: None } => (
            Mood::Waiting,
            words!(help.mail_queued, email = email),
            words!(help.mail_queued_advice),
        ),
    }
}
