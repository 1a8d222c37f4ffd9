//! Answering an invitation: opening its link, joining, declining, and reporting who sent it.

use model::{
    Access, AccountNumber, ActivityKind, Conflict, EmailAddress, Failure, Field, FieldErrors,
    FullName, GivenAccess, InvitationState, Mail, Noted, Password, Timestamp, UserId,
};
use store::{
    Answer, AnswerFacts, Joiner, JoiningOwner, NewActivity, NewMail, NewReport, NewSession,
    NewUser, OpenedInvitation,
};

use super::{claiming, left_of, to_own};
use crate::sessions::{self, Begun};
use crate::viewer::{Viewer, must_be_confirmed};
use crate::{Client, Latchkey, Token, emails, guesses, passwords};

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
    /// Their address.
    pub inviter_email: Option<EmailAddress>,
    /// What joining opens now: no more than the inviter could still grant (rule 7).
    pub access: Access,
    /// When whoever joins now becomes an owner, if they do.
    pub owner_from: Option<Timestamp>,
    /// Until when it can be accepted; of what waits without an end, by this link.
    pub expires_at: Timestamp,
    /// Whether it waits without an end, and the link alone runs out.
    pub waits: bool,
    /// What the provider calls them; empty if it doesn't say.
    pub called: String,
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
/// be accepted, [`Conflict::LinkSpent`] when it takes a newer link; [`Failure::Unavailable`].
pub async fn open(
    latchkey: &Latchkey,
    token: &str,
    viewer: Option<&Viewer>,
) -> Result<Opened, Failure> {
    let token = Token::parse(token).ok_or(Failure::NotFound)?;
    let now = latchkey.now();
    let opened = latchkey.store.open_invitation(&token.hash(), now).await?;
    let opened = opened.ok_or(Failure::NotFound)?;
    let access = acceptable(latchkey, &opened, now)?.access();
    let asks = match (viewer, opened.login) {
        (Some(viewer), _) if viewer.email == opened.invitation.email => Asks::Yes,
        (Some(_), _) => Asks::OtherUser,
        (None, Some(_)) => Asks::Password,
        (None, None) => Asks::NewLogin,
    };
    let owner_from = to_own(&opened).then(|| now.after(latchkey.settings.owner_wait));
    Ok(Opened {
        owner_from,
        expires_at: opened.link_until.unwrap_or(opened.invitation.expires_at),
        waits: opened.invitation.waits,
        called: opened.invitation.full_name,
        email: opened.invitation.email,
        account_number: opened.account_number,
        account_name: opened.account_name,
        inviter_name: opened.inviter_name,
        inviter_email: opened.inviter_email,
        access,
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

/// Joins as the user who is signed in with the invited address. To become an owner takes a fresh proof of
/// who they are.
///
/// # Errors
/// [`Failure::Unconfirmed`]; [`Conflict::OtherAddress`] when they are signed in with another;
/// [`Failure::NotFound`]; other [`Conflict`]s; [`Failure::Unavailable`].
pub async fn join_signed_in(
    latchkey: &Latchkey,
    token: &str,
    viewer: &Viewer,
    client: &Client,
) -> Result<JoinedAccount, Failure> {
    let joiner = |facts: &AnswerFacts| {
        let joiner = existing(facts, viewer.user, viewer.full_name.clone())?;
        let opened = &facts.opened;
        if opened.invitation.offered.is_owner() || to_own(opened) {
            must_be_confirmed(latchkey, viewer)?;
        }
        Ok(joiner)
    };
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
    let now = latchkey.now();
    let decide = |facts: &AnswerFacts| {
        let given = acceptable(latchkey, &facts.opened, now)?;
        let (joiner, name) = joiner(facts)?;
        if facts.in_account {
            return Err(Failure::Conflict(Conflict::AlreadyInAccount));
        }
        let user = match &joiner {
            Joiner::Existing(user) => *user,
            Joiner::New(user) => user.id,
        };
        let kind = ActivityKind::InvitationAccepted;
        let entry = NewActivity::by(Some(user), &name, kind, &client.address)
            .about(Some(user), &name)
            .after(&given);
        let opened = &facts.opened;
        account.clone_from(&opened.account_name);
        let mail = to_inviter(
            opened,
            client,
            Mail::InvitationAccepted {
                account: opened.account_name.clone().into(),
                name: name.into(),
                email: (&opened.invitation.email).into(),
                access: given.outline(),
            },
        );
        let due_at = now.after(latchkey.settings.owner_wait);
        let owner = to_own(opened).then(|| {
            let accepted = ActivityKind::OwnerAccepted;
            let entry =
                NewActivity::by(Some(user), entry.actor_name.as_str(), accepted, &client.address)
                    .about(Some(user), &entry.actor_name)
                    .after(Noted::Since(due_at));
            JoiningOwner { due_at, entry }
        });
        let session = session.map(Box::new);
        Ok(Answer::Accept { joiner, given, owner, session, entry, mail })
    };
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
        let (entry, mail) = declining(latchkey, facts, client)?;
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
        let (entry, mail) = declining(latchkey, facts, client)?;
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
    latchkey: &Latchkey,
    facts: &AnswerFacts,
    client: &Client,
) -> Result<(NewActivity, Option<NewMail>), Failure> {
    let opened = &facts.opened;
    still_pending(latchkey, opened, latchkey.now())?;
    let email = opened.invitation.email.to_string();
    let name = facts.login_name.as_ref().unwrap_or(&email);
    let kind = ActivityKind::InvitationDeclined;
    let entry = NewActivity::by(opened.login, name, kind, &client.address)
        .about(opened.login, &email)
        .before(&opened.invitation);
    let (account, email) = (opened.account_name.clone().into(), email.into());
    Ok((entry, to_inviter(opened, client, Mail::InvitationDeclined { account, email })))
}

/// What is reported of an inviter; none when that is the provider.
fn reporting(latchkey: &Latchkey, opened: &OpenedInvitation) -> Option<NewReport> {
    let inviter = opened.inviter_name.clone()?;
    let inviter_email = opened.inviter_email.as_ref()?.to_string();
    let reported = Mail::InvitationReported {
        account_number: opened.account_number,
        account: opened.account_name.clone().into(),
        inviter: inviter.clone().into(),
        inviter_email: inviter_email.clone().into(),
        email: (&opened.invitation.email).into(),
    };
    let operator = latchkey.settings.operator_email.clone();
    let mail = operator.map(|operator| NewMail::to(operator, reported));
    Some(NewReport { inviter_name: inviter, inviter_email, mail })
}

/// What accepting would open at this moment (rule 7): the offer, cut to what the inviter could
/// still grant.
fn acceptable(
    latchkey: &Latchkey,
    opened: &OpenedInvitation,
    now: Timestamp,
) -> Result<GivenAccess, Failure> {
    still_pending(latchkey, opened, now)?;
    if opened.login.is_none() && opened.held_until.is_some() {
        return Err(Failure::Conflict(Conflict::AddressHeld));
    }
    // Owners may have narrowed the domains since it was sent. Should they widen them again in time,
    // it works again.
    if !opened.domains.take(&opened.invitation.email) {
        return Err(Failure::Conflict(Conflict::OtherDomain));
    }
    left_of(&opened.invitation, opened.inviter_access.as_ref(), now)
}

fn still_pending(
    latchkey: &Latchkey,
    opened: &OpenedInvitation,
    now: Timestamp,
) -> Result<(), Failure> {
    if claiming::is_over(latchkey, opened, now) {
        return Err(Failure::Conflict(Conflict::LinkSpent));
    }
    match opened.invitation.state {
        InvitationState::Pending if opened.replaced => {
            Err(Failure::Conflict(Conflict::LinkReplaced))
        }
        InvitationState::Pending => Ok(()),
        state => Err(Failure::Conflict(Conflict::Invitation(state))),
    }
}

fn to_inviter(opened: &OpenedInvitation, client: &Client, mail: Mail) -> Option<NewMail> {
    // Whoever lost their access to the account learns nothing more about it.
    opened.inviter_access.as_ref().filter(|access| **access != Access::NONE)?;
    let inviter = opened.inviter_email.clone()?;
    Some(NewMail::to(inviter, mail).language(client.language.clone()))
}
