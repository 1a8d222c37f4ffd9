//! Invitations: sending, resending and cancelling them, opening their link, and answering.

use std::time::Duration;

use model::{
    Access, AccountNumber, ActivityKind, Actor, Conflict, Cursor, EmailAddress, EmailDomains,
    Failure, Field, FieldErrors, FieldProblem, FullName, InvitationState, Limited, Mail, PAGE_SIZE,
    Password, Permission, PermissionSet, Timestamp, UserId,
};
use store::{
    Answer, AnswerFacts, Bound, InvitationFacts, InvitationStep, Joiner, NewActivity, NewMail,
    NewReport, NewSession, NewUser, Offer, OfferFacts, Offered, OpenedInvitation,
};
pub use store::{Invitation, PendingInvitation, Tracked, TrackedMail};

use crate::sessions::{self, Begun};
use crate::users::parse_permissions;
use crate::viewer::Viewer;
use crate::{Client, Latchkey, Token, emails, guesses, passwords};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What sending came to.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The invited address.
    pub email: EmailAddress,
    /// The token of a link to be copied now; it isn't stored. The mail has another one: joining by
    /// that proves the address, by this one it doesn't.
    pub token: Token,
    /// Whether a pending invitation was updated instead of a new one made.
    pub updated: bool,
}

/// Invites an address with these permissions. A pending invitation of that address gets them
/// instead, and a new link.
///
/// # Errors
/// [`Failure::Invalid`]; [`Failure::OtherDomain`]; [`Failure::NotAllowed`] naming the administrator
/// right or the permission that the actor lacks; [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn send(
    latchkey: &Latchkey,
    actor: &Actor,
    email: &str,
    permissions: &[String],
    client: &Client,
) -> Result<Sent, Failure> {
    actor.must(Permission::AccountUsers)?;
    let mut errors = FieldErrors::default();
    let email = errors.take(Field::Email, EmailAddress::parse(email));
    let chosen = parse_permissions(permissions)
        .and_then(|chosen| if chosen.is_empty() { Err(FieldProblem::Missing) } else { Ok(chosen) });
    let permissions = errors.take(Field::Permissions, chosen);
    let (Some(email), Some(permissions)) = (email, permissions) else {
        return Err(errors.into_failure());
    };
    actor.must_grant(permissions)?;

    let (token, copy) = two_tokens(latchkey);
    let now = latchkey.now();
    let decide = |facts: &OfferFacts| {
        facts.actor.must_grant(permissions)?;
        if facts.in_account {
            return Err(Failure::field(Field::Email, FieldProblem::AlreadyInAccount));
        }
        if !facts.domains.take(&email) {
            return Err(Failure::OtherDomain(facts.domains.clone()));
        }
        if facts.reported {
            return Err(Failure::field(Field::Email, FieldProblem::TakesNoInvitations));
        }
        // The provider's offer to a first owner is nobody else's to replace.
        if let Some(Access::Owner) = facts.pending.as_ref().map(|invitation| invitation.access) {
            return Err(Failure::Conflict(Conflict::OwnersStay));
        }
        let pending = facts
            .pending
            .as_ref()
            .filter(|invitation| invitation.state == InvitationState::Pending);
        let kind = match pending {
            Some(_) => ActivityKind::InvitationChanged,
            None => ActivityKind::InvitationSent,
        };
        let entry = NewActivity {
            before: pending.map(|invitation| invitation.access.permissions().into()),
            after: Some(permissions.into()),
            ..entry(kind, &facts.actor, &facts.actor_name, &email, client)
        };
        let inviter = Some(facts.actor_name.clone());
        let access = Access::Granted(permissions);
        let bounds = bounds(latchkey, &facts.actor, &email);
        let offer = offer(
            latchkey,
            &token,
            &facts.account_name,
            inviter,
            &email,
            access,
            now,
            entry,
            client,
        );
        Ok(Offer { bounds, copy_hash: Some(copy.hash()), ..offer })
    };
    let offered =
        latchkey.store.offer_invitation(actor.account, actor.user, &email, now, decide).await?;
    Ok(Sent { email, token: copy, updated: matches!(offered, Offered::Updated(_)) })
}

/// A limit of invitation mails that is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedUp {
    /// Which one.
    pub of: Limited,
    /// How many mails an hour there are.
    pub most: u32,
    /// Until when no more are sent.
    pub until: Timestamp,
}

/// Which limit keeps the actor from inviting anybody now: their own or the account's, whichever
/// lasts longer.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn used_up(latchkey: &Latchkey, actor: &Actor) -> Result<Option<UsedUp>, Failure> {
    actor.must(Permission::AccountUsers)?;
    let own = used_up_until(latchkey, &by_inviter(latchkey, actor)).await?;
    let accounts = used_up_until(latchkey, &by_account(latchkey, actor)).await?;
    Ok(own.into_iter().chain(accounts).max_by_key(|used_up| used_up.until))
}

/// Until when no more mails may be sent to this address, if they are used up.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn address_used_up_until(
    latchkey: &Latchkey,
    actor: &Actor,
    email: &EmailAddress,
) -> Result<Option<Timestamp>, Failure> {
    let from_account = used_up_until(latchkey, &to_address(latchkey, actor, email)).await?;
    let from_all = used_up_until(latchkey, &to_address_from_all(latchkey, email)).await?;
    Ok(from_account.into_iter().chain(from_all).map(|used_up| used_up.until).max())
}

async fn used_up_until(latchkey: &Latchkey, bound: &Bound) -> Result<Option<UsedUp>, Failure> {
    let attempts = latchkey.store.attempts(&bound.key, bound.window, latchkey.now()).await?;
    let used_up = attempts.filter(|attempts| attempts.count >= bound.most);
    Ok(used_up.map(|attempts| UsedUp { of: bound.of, most: bound.most, until: attempts.until }))
}

/// The domains that the account's policy lets invitations go to; without any, every one.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn allowed_domains(latchkey: &Latchkey, actor: &Actor) -> Result<EmailDomains, Failure> {
    actor.must(Permission::AccountUsers)?;
    Ok(latchkey.store.policy(actor.account).await?.domains)
}

/// What became of an address: why somebody doesn't get their invitation.
#[derive(Clone, Debug)]
pub enum Whereabouts {
    /// Nobody invited that address; whether the account's policy allows it.
    NotInvited(bool),
    /// Whoever has it is in the account.
    InAccount,
    /// The newest invitation of it, and whether the account's policy allows the address.
    Invited(Box<Tracked>, bool),
}

/// Looks for an address among the account's users and invitations.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Invalid`] for what is no address,
/// [`Failure::Unavailable`].
pub async fn track(
    latchkey: &Latchkey,
    actor: &Actor,
    email: &str,
) -> Result<Whereabouts, Failure> {
    actor.must(Permission::AccountUsers)?;
    let email =
        EmailAddress::parse(email).map_err(|problem| Failure::field(Field::Email, problem))?;
    if latchkey.store.is_in_account(actor.account, &email).await? {
        return Ok(Whereabouts::InAccount);
    }
    let tracked = latchkey.store.track_invitation(actor.account, &email, latchkey.now()).await?;
    let allowed = allowed_domains(latchkey, actor).await?.take(&email);
    Ok(match tracked {
        Some(found) => Whereabouts::Invited(Box::new(found), allowed),
        None => Whereabouts::NotInvited(allowed),
    })
}

/// Sends a pending or expired invitation again with a new link; the clock starts anew.
///
/// # Errors
/// [`Failure::NotAllowed`] when the actor couldn't offer this now; [`Failure::NotFound`];
/// [`Conflict::Invitation`] when it isn't pending any more; [`Conflict::OtherDomain`];
/// [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn resend(
    latchkey: &Latchkey,
    actor: &Actor,
    id: &str,
    client: &Client,
) -> Result<Sent, Failure> {
    let invitation = find(latchkey, actor, id).await?;
    let (token, copy) = two_tokens(latchkey);
    let now = latchkey.now();
    let decide = |facts: &InvitationFacts| {
        let invitation = &facts.invitation;
        let (InvitationState::Pending | InvitationState::Expired) = invitation.state else {
            return Err(Failure::Conflict(Conflict::Invitation(invitation.state)));
        };
        // Whoever resends sees the link: it must open no more than they could offer themselves.
        may_offer(&facts.actor, invitation.access)?;
        if !facts.domains.take(&invitation.email) {
            return Err(Failure::Conflict(Conflict::OtherDomain));
        }
        let permissions = Some(invitation.access.permissions().into());
        let kind = ActivityKind::InvitationResent;
        let entry = NewActivity {
            after: permissions,
            ..entry(kind, &facts.actor, &facts.actor_name, &invitation.email, client)
        };
        // It is their offer from now on: whoever invited first may have lost the right to.
        let inviter = invitation.inviter.map(|_| facts.actor_name.clone());
        let (email, access) = (&invitation.email, invitation.access);
        let offer = offer(
            latchkey,
            &token,
            &facts.account_name,
            inviter,
            email,
            access,
            now,
            entry,
            client,
        );
        let bounds = bounds(latchkey, &facts.actor, email);
        Ok(InvitationStep::Resend(Offer { bounds, copy_hash: Some(copy.hash()), ..offer }))
    };
    let (account, user) = (actor.account, actor.user);
    latchkey.store.step_invitation(account, user, invitation.id, now, decide).await?;
    Ok(Sent { email: invitation.email, token: copy, updated: false })
}

/// Takes a pending or expired invitation back: its link is dead from now on.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`]; [`Conflict::Invitation`] when it was answered
/// or cancelled already; [`Failure::Unavailable`].
pub async fn cancel(
    latchkey: &Latchkey,
    actor: &Actor,
    id: &str,
    client: &Client,
) -> Result<EmailAddress, Failure> {
    let invitation = find(latchkey, actor, id).await?;
    let decide = |facts: &InvitationFacts| {
        facts.actor.must(Permission::AccountUsers)?;
        let invitation = &facts.invitation;
        let (InvitationState::Pending | InvitationState::Expired) = invitation.state else {
            return Err(Failure::Conflict(Conflict::Invitation(invitation.state)));
        };
        let kind = ActivityKind::InvitationCancelled;
        let before = Some(invitation.access.permissions().into());
        let entry = entry(kind, &facts.actor, &facts.actor_name, &invitation.email, client);
        Ok(InvitationStep::Cancel { entry: NewActivity { before, ..entry } })
    };
    let (account, user, now) = (actor.account, actor.user, latchkey.now());
    latchkey.store.step_invitation(account, user, invitation.id, now, decide).await?;
    Ok(invitation.email)
}

/// One invitation of the account.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`]; [`Failure::Unavailable`].
pub async fn find(latchkey: &Latchkey, actor: &Actor, id: &str) -> Result<Invitation, Failure> {
    actor.must(Permission::AccountUsers)?;
    let id = id.parse().map_err(|_| Failure::NotFound)?;
    let found = latchkey.store.invitation(actor.account, id, latchkey.now()).await?;
    found.ok_or(Failure::NotFound)
}

/// A pending (or expired) invitation in the account's list.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The invitation, and what became of its mail.
    pub row: PendingInvitation,
    /// Whether it still opens all that it offers: its inviter could grant all of it now (rule 7).
    pub opens_all: bool,
    /// Whether the account takes in addresses of its domain.
    pub fits_domains: bool,
}

/// One page of the account's pending invitations.
#[derive(Clone, Debug)]
pub struct PendingPage {
    /// The invitations.
    pub invitations: Vec<Waiting>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// The account's invitations that wait for an answer or ran out unanswered.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn pending(
    latchkey: &Latchkey,
    actor: &Actor,
    after: Option<&Cursor>,
) -> Result<PendingPage, Failure> {
    actor.must(Permission::AccountUsers)?;
    let (account, now) = (actor.account, latchkey.now());
    let mut invitations =
        latchkey.store.pending_invitations(account, after, PAGE_SIZE + 1, now).await?;
    let more = invitations.len() > PAGE_SIZE;
    invitations.truncate(PAGE_SIZE);
    let next = invitations.last().filter(|_| more).map(PendingInvitation::cursor);
    let domains = allowed_domains(latchkey, actor).await?;
    let waiting = |row: PendingInvitation| {
        let offered = row.invitation.access;
        let opens_all = row.invitation.inviter.is_none()
            || grantable(offered, row.inviter_access).is_ok_and(|left| left == offered);
        let fits_domains = domains.take(&row.invitation.email);
        Waiting { row, opens_all, fits_domains }
    };
    Ok(PendingPage { invitations: invitations.into_iter().map(waiting).collect(), next })
}

/// What an invitation's page says and asks.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The invited address.
    pub email: EmailAddress,
    /// The account's number.
    pub account_number: AccountNumber,
    /// The account's name.
    pub account_name: String,
    /// The inviter's name; none for the provider.
    pub inviter_name: Option<String>,
    /// What joining opens now: no more than the inviter could still grant (rule 7).
    pub access: Access,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
    /// Whether nobody but the invited mailbox got the link: using it proves the address.
    pub by_mail: bool,
    /// What the person who opened it is asked for.
    pub asks: Asks,
}

/// What joining takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asks {
    /// A name and a password: nobody has this address yet.
    NewLogin,
    /// The password of the login that has this address.
    Password,
    /// Nothing but a yes: they are signed in with this address.
    Yes,
    /// Signing out first: they are signed in with another address.
    OtherUser,
}

/// Opens an invitation's link. Changes nothing: mail scanners do this too.
///
/// # Errors
/// [`Failure::NotFound`] for an unknown link; [`Conflict`] saying how things stand when it can't
/// be accepted; [`Failure::Unavailable`].
pub async fn open(
    latchkey: &Latchkey,
    token: &str,
    viewer: Option<&Viewer>,
) -> Result<Opened, Failure> {
    let token = Token::parse(token).ok_or(Failure::NotFound)?;
    let opened = latchkey.store.open_invitation(&token.hash(), latchkey.now()).await?;
    let opened = opened.ok_or(Failure::NotFound)?;
    let access = acceptable(&opened)?;
    let asks = match (viewer, opened.login) {
        (Some(viewer), _) if viewer.email == opened.invitation.email => Asks::Yes,
        (Some(_), _) => Asks::OtherUser,
        (None, Some(_)) => Asks::Password,
        (None, None) => Asks::NewLogin,
    };
    Ok(Opened {
        email: opened.invitation.email,
        account_number: opened.account_number,
        account_name: opened.account_name,
        inviter_name: opened.inviter_name,
        access,
        expires_at: opened.invitation.expires_at,
        by_mail: opened.by_mail,
        asks,
    })
}

/// An account that somebody joined.
#[derive(Clone, Debug)]
pub struct JoinedAccount {
    /// Its number.
    pub number: AccountNumber,
    /// Its name.
    pub name: String,
}

/// Creates a login for the invited address and joins with it, signed in from then on. By a link that
/// didn't come by mail the address isn't proven thereby: then a link that does goes to it.
///
/// # Errors
/// [`Failure::Invalid`]; [`Failure::NotFound`]; [`Conflict`], also [`Conflict::LoginExists`];
/// [`Failure::Unavailable`].
pub async fn join_with_new_login(
    latchkey: &Latchkey,
    token: &str,
    full_name: &str,
    password: &str,
    client: &Client,
) -> Result<(JoinedAccount, Begun), Failure> {
    // How things stand comes first: nobody fills in a form for a dead link.
    let opened = open(latchkey, token, None).await?;
    if opened.asks != Asks::NewLogin {
        return Err(Failure::Conflict(Conflict::LoginExists));
    }
    let mut errors = FieldErrors::default();
    let full_name = errors.take(Field::FullName, FullName::parse(full_name));
    let password = errors.take(Field::Password, Password::parse_new(password));
    let (Some(full_name), Some(password)) = (full_name, password) else {
        return Err(errors.into_failure());
    };
    let id = UserId::from(latchkey.new_id());
    let email = opened.email.clone();
    let name = full_name.as_str().to_owned();
    let password_hash =
        passwords::choose(latchkey, Field::Password, password, &name, &email).await?;
    let (begun, session) = sessions::first_session(latchkey, client, password_hash.clone());
    let language = client.language.clone();
    let user = NewUser { id, email, full_name, password_hash, language };
    let joiner = move |facts: &AnswerFacts| match facts.opened.login {
        Some(_) => Err(Failure::Conflict(Conflict::LoginExists)),
        None => Ok((Joiner::New(user), name)),
    };
    let account = join(latchkey, token, client, Some(session), joiner).await?;
    guesses::is_here(latchkey, &opened.email, id, client).await;
    if !opened.by_mail {
        emails::ask_for_proof(latchkey, id, &opened.email, client).await;
    }
    Ok((account, begun))
}

/// What joining with a password came to.
#[derive(Clone, Debug)]
pub enum Joined {
    /// They are in the account, and signed in.
    Wholly(JoinedAccount, Begun),
    /// The password was right and a second factor is still to come: they join once signed in.
    HalfWay(Token),
}

/// Joins with the login that has the invited address, by its password; signed in from then on.
///
/// # Errors
/// [`Failure::Invalid`]; [`Failure::TooMany`]; [`Failure::NotFound`]; [`Conflict`];
/// [`Failure::Unavailable`].
pub async fn join_with_password(
    latchkey: &Latchkey,
    token: &str,
    password: &str,
    client: &Client,
) -> Result<Joined, Failure> {
    let opened = open(latchkey, token, None).await?;
    let password = Password::parse_given(password)
        .map_err(|problem| Failure::field(Field::Password, problem))?;
    let login = passwords::verify(latchkey, &opened.email, password, client).await?;
    if login.second_factor {
        return sessions::half_way(latchkey, &login).await.map(Joined::HalfWay);
    }
    let (begun, session) = sessions::new_session(latchkey, client, &login);
    let joiner = move |facts: &AnswerFacts| existing(facts, login.id, login.full_name);
    let account = join(latchkey, token, client, Some(session), joiner).await?;
    Ok(Joined::Wholly(account, begun))
}

/// Joins as the user who is signed in with the invited address.
///
/// # Errors
/// [`Conflict::OtherAddress`] when they are signed in with another; [`Failure::NotFound`]; other
/// [`Conflict`]s; [`Failure::Unavailable`].
pub async fn join_signed_in(
    latchkey: &Latchkey,
    token: &str,
    viewer: &Viewer,
    client: &Client,
) -> Result<JoinedAccount, Failure> {
    let joiner = |facts: &AnswerFacts| existing(facts, viewer.user, viewer.full_name.clone());
    join(latchkey, token, client, None, joiner).await
}

/// The joiner with this login, if it has the invited address at this moment: it may have changed since
/// they proved who they are.
fn existing(facts: &AnswerFacts, user: UserId, name: String) -> Result<(Joiner, String), Failure> {
    match facts.opened.login {
        Some(login) if login == user => Ok((Joiner::Existing(user), name)),
        _ => Err(Failure::Conflict(Conflict::OtherAddress)),
    }
}

async fn join(
    latchkey: &Latchkey,
    token: &str,
    client: &Client,
    session: Option<NewSession>,
    joiner: impl FnOnce(&AnswerFacts) -> Result<(Joiner, String), Failure> + Send,
) -> Result<JoinedAccount, Failure> {
    let token = Token::parse(token).ok_or(Failure::NotFound)?;
    let mut account = String::new();
    let decide = |facts: &AnswerFacts| {
        let access = acceptable(&facts.opened)?;
        let (joiner, name) = joiner(facts)?;
        if facts.in_account {
            return Err(Failure::Conflict(Conflict::AlreadyInAccount));
        }
        let user = match &joiner {
            Joiner::Existing(user) => *user,
            Joiner::New(user) => user.id,
        };
        let entry = NewActivity {
            kind: ActivityKind::InvitationAccepted,
            actor: Some(user),
            actor_name: name.clone(),
            subject: Some(user),
            subject_name: name.clone(),
            before: None,
            after: Some(access.permissions().into()),
            address: client.address.clone(),
        };
        let opened = &facts.opened;
        account.clone_from(&opened.account_name);
        let mail = to_inviter(
            opened,
            client,
            Mail::InvitationAccepted {
                account: opened.account_name.clone(),
                name,
                email: opened.invitation.email.to_string(),
                access,
            },
        );
        let session = session.map(Box::new);
        Ok(Answer::Accept { joiner, access, session, entry, mail })
    };
    let now = latchkey.now();
    let number = latchkey.store.answer_invitation(&token.hash(), now, decide).await?;
    Ok(JoinedAccount { number, name: account })
}

/// Declines an invitation. Whoever holds the link may.
///
/// # Errors
/// [`Failure::NotFound`]; [`Conflict`] when it isn't pending any more; [`Failure::Unavailable`].
pub async fn decline(latchkey: &Latchkey, token: &str, client: &Client) -> Result<(), Failure> {
    let token = Token::parse(token).ok_or(Failure::NotFound)?;
    let decide = |facts: &AnswerFacts| {
        let (entry, mail) = declining(facts, client)?;
        Ok(Answer::Decline { entry, mail, report: None })
    };
    latchkey.store.answer_invitation(&token.hash(), latchkey.now(), decide).await.map(|_| ())
}

/// Declines an invitation of somebody whom the invited person doesn't know: the account can't
/// invite the address again, and the operator is told. To the account it looks as [`decline`].
/// Answers the account's name.
///
/// # Errors
/// As [`decline`]; [`Failure::NotFound`] also for an invitation of the provider's.
pub async fn report(latchkey: &Latchkey, token: &str, client: &Client) -> Result<String, Failure> {
    let token = Token::parse(token).ok_or(Failure::NotFound)?;
    let mut account = String::new();
    let decide = |facts: &AnswerFacts| {
        let (entry, mail) = declining(facts, client)?;
        let report = reporting(latchkey, &facts.opened).ok_or(Failure::NotFound)?;
        account.clone_from(&facts.opened.account_name);
        Ok(Answer::Decline { entry, mail, report: Some(report) })
    };
    let now = latchkey.now();
    let number = latchkey.store.answer_invitation(&token.hash(), now, decide).await?;
    tracing::warn!(account = %number, "an inviter was reported: see `latchkey report list`");
    Ok(account)
}

/// What declining writes: the log's row, and the mail to the inviter.
fn declining(
    facts: &AnswerFacts,
    client: &Client,
) -> Result<(NewActivity, Option<NewMail>), Failure> {
    let opened = &facts.opened;
    still_pending(opened)?;
    let email = opened.invitation.email.to_string();
    let entry = NewActivity {
        kind: ActivityKind::InvitationDeclined,
        actor: opened.login,
        actor_name: facts.login_name.clone().unwrap_or_else(|| email.clone()),
        subject: opened.login,
        subject_name: email.clone(),
        before: Some(opened.invitation.access.permissions().into()),
        after: None,
        address: client.address.clone(),
    };
    let account = opened.account_name.clone();
    Ok((entry, to_inviter(opened, client, Mail::InvitationDeclined { account, email })))
}

/// What is reported of an inviter; none when that is the provider.
fn reporting(latchkey: &Latchkey, opened: &OpenedInvitation) -> Option<NewReport> {
    let inviter = opened.inviter_name.clone()?;
    let inviter_email = opened.inviter_email.as_ref()?.to_string();
    let mail = latchkey.settings.operator_email.clone().map(|to| NewMail {
        to,
        language: None,
        mail: Mail::InvitationReported {
            account_number: opened.account_number,
            account: opened.account_name.clone(),
            inviter: inviter.clone(),
            inviter_email: inviter_email.clone(),
            email: opened.invitation.email.to_string(),
        },
        invitation: None,
    });
    Some(NewReport { inviter_name: inviter, inviter_email, mail })
}

/// What accepting would open at this moment (rule 7): the offer, cut to what the inviter could
/// still grant.
fn acceptable(opened: &OpenedInvitation) -> Result<Access, Failure> {
    still_pending(opened)?;
    if opened.login.is_none() && opened.held_until.is_some() {
        return Err(Failure::Conflict(Conflict::AddressHeld));
    }
    // Owners may have narrowed the domains since it was sent. Should they widen them again in time,
    // it works again.
    if !opened.domains.take(&opened.invitation.email) {
        return Err(Failure::Conflict(Conflict::OtherDomain));
    }
    if opened.invitation.inviter.is_none() {
        return Ok(opened.invitation.access);
    }
    grantable(opened.invitation.access, opened.inviter_access)
}

/// What is left of an offer when it is cut to what its inviter could grant now.
fn grantable(offered: Access, inviter: Option<Access>) -> Result<Access, Failure> {
    let inviter = inviter.filter(|access| access.may(Permission::AccountUsers));
    let grantable = inviter.map_or(PermissionSet::EMPTY, Access::permissions);
    match offered {
        Access::Owner if inviter.is_some_and(Access::is_owner) => Ok(Access::Owner),
        Access::Owner => Err(Failure::Conflict(Conflict::NothingLeftToGrant)),
        Access::Granted(offered) => match offered.intersection(grantable) {
            PermissionSet::EMPTY => Err(Failure::Conflict(Conflict::NothingLeftToGrant)),
            left => Ok(Access::Granted(left)),
        },
    }
}

fn still_pending(opened: &OpenedInvitation) -> Result<(), Failure> {
    match opened.invitation.state {
        InvitationState::Pending if opened.replaced => {
            Err(Failure::Conflict(Conflict::LinkReplaced))
        }
        InvitationState::Pending => Ok(()),
        state => Err(Failure::Conflict(Conflict::Invitation(state))),
    }
}

fn may_offer(actor: &Actor, access: Access) -> Result<(), Failure> {
    match access {
        Access::Owner if actor.access.is_owner() => Ok(()),
        Access::Owner => Err(Failure::Conflict(Conflict::OwnersStay)),
        Access::Granted(permissions) => actor.must_grant(permissions),
    }
}

/// The token for the mail, and another one for a link that somebody is shown.
pub(crate) fn two_tokens(latchkey: &Latchkey) -> (Token, Token) {
    let random = latchkey.random.as_ref();
    (Token::new(random), Token::new(random))
}

/// What an invitation mail counts against: it is bounded from both ends, so that nobody floods and
/// nobody is flooded. Only mails that go out count; a try that comes to nothing uses nothing up.
fn bounds(latchkey: &Latchkey, actor: &Actor, email: &EmailAddress) -> Vec<Bound> {
    vec![
        by_inviter(latchkey, actor),
        to_address(latchkey, actor, email),
        by_account(latchkey, actor),
        to_address_from_all(latchkey, email),
    ]
}

fn by_inviter(latchkey: &Latchkey, actor: &Actor) -> Bound {
    let key = format!("invite:by:{}", actor.user);
    let most = latchkey.settings.invitations_per_inviter;
    Bound { key, most, window: HOUR, of: Limited::InvitationsOfInviter }
}

fn to_address(latchkey: &Latchkey, actor: &Actor, email: &EmailAddress) -> Bound {
    let key = format!("invite:{}:{}", uuid::Uuid::from(actor.account), email.key());
    let most = latchkey.settings.invitations_per_address;
    Bound { key, most, window: HOUR, of: Limited::InvitationsToAddress }
}

fn by_account(latchkey: &Latchkey, actor: &Actor) -> Bound {
    let key = format!("invite:{}", uuid::Uuid::from(actor.account));
    let most = latchkey.settings.invitations_per_account;
    Bound { key, most, window: HOUR, of: Limited::InvitationsOfAccount }
}

fn to_address_from_all(latchkey: &Latchkey, email: &EmailAddress) -> Bound {
    let key = format!("invite:to:{}", email.key());
    let most = latchkey.settings.invitations_to_address;
    Bound { key, most, window: DAY, of: Limited::InvitationsToAddress }
}

fn to_inviter(opened: &OpenedInvitation, client: &Client, mail: Mail) -> Option<NewMail> {
    // Whoever lost their access to the account learns nothing more about it.
    opened.inviter_access?;
    let to = opened.inviter_email.clone()?;
    let language = client.language.clone();
    Some(NewMail { to, language, mail, invitation: None })
}

/// The offer to own the account, with the log's row and the mail.
pub(crate) fn offer_to_own(
    latchkey: &Latchkey,
    token: &Token,
    facts: &OfferFacts,
    email: &EmailAddress,
    now: Timestamp,
    client: &Client,
) -> Offer {
    let kind = ActivityKind::InvitationSent;
    let entry = entry(kind, &facts.actor, &facts.actor_name, email, client);
    let entry = NewActivity { after: Some(Access::Owner.permissions().into()), ..entry };
    let inviter = Some(facts.actor_name.clone());
    let access = Access::Owner;
    offer(latchkey, token, &facts.account_name, inviter, email, access, now, entry, client)
}

#[expect(clippy::too_many_arguments, reason = "the parts of one mail, all of them needed")]
fn offer(
    latchkey: &Latchkey,
    token: &Token,
    account: &str,
    inviter: Option<String>,
    email: &EmailAddress,
    access: Access,
    now: Timestamp,
    entry: NewActivity,
    client: &Client,
) -> Offer {
    let expires_at = now.after(latchkey.settings.invitation_lifetime);
    let mail = Mail::Invitation {
        account: account.to_owned(),
        inviter,
        access,
        expires_at,
        token: token.secret().clone(),
    };
    Offer {
        access,
        token_hash: token.hash(),
        copy_hash: None,
        expires_at,
        entry,
        mail: NewMail {
            to: email.clone(),
            language: client.language.clone(),
            mail,
            invitation: None,
        },
        bounds: Vec::new(),
    }
}

fn entry(
    kind: ActivityKind,
    actor: &Actor,
    actor_name: &str,
    about: &EmailAddress,
    client: &Client,
) -> NewActivity {
    NewActivity {
        kind,
        actor: Some(actor.user),
        actor_name: actor_name.to_owned(),
        subject: None,
        subject_name: about.to_string(),
        before: None,
        after: None,
        address: client.address.clone(),
    }
}
