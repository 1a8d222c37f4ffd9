//! The address of a login: proving it, changing it, and taking a change back.
//!
//! An address becomes a login's once a link that only its mailbox got was opened by whoever is signed
//! in with the login. Both halves count: who has the mailbox alone can't be talked into giving it to
//! somebody else's login, and who has the login alone doesn't get the address.

use std::time::Duration;

use model::{
    Conflict, EmailAddress, EmailDomain, EmailNews, Failure, Field, FieldProblem, Mail, MailKind,
    TypedAddress, UserId,
};
use store::{EmailChange, EmailFacts, NewEmailChange, NewMail, NewPassword, NewReset, NewUndo};

use crate::viewer::{Viewer, must_be_confirmed};
use crate::{Client, Latchkey, Token, mails, passwords, policies};

const HOUR: Duration = Duration::from_secs(60 * 60);
/// How long the link to a wanted address works.
const ASKED_FOR: Duration = HOUR;
/// How long a change can be taken back.
const UNDONE_WITHIN: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How the address of a login stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is proven, and no other one is wanted.
    Proven,
    /// It is proven, and this one shall take its place.
    Changing(EmailAddress),
    /// It isn't proven yet.
    Unproven,
}

/// How the address of the viewer's login stands.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn standing(latchkey: &Latchkey, viewer: &Viewer) -> Result<Standing, Failure> {
    let standing = latchkey.store.email_standing(viewer.user, latchkey.now()).await?;
    Ok(match standing.asked {
        _ if !standing.proven => Standing::Unproven,
        Some(change) => Standing::Changing(change.after),
        None => Standing::Proven,
    })
}

/// Sends a link to the address that the viewer wants for their login, or to the one that they have
/// when that isn't proven yet. The present address is told. Another login's address gets no link but
/// a mail that says so; the answer is the same (OWASP ASVS 5.0 V6.3.8).
///
/// # Errors
/// [`Failure::Unconfirmed`]; [`Failure::Invalid`]; [`Failure::TooMany`]; [`Failure::Unavailable`].
pub async fn ask(
    latchkey: &Latchkey,
    viewer: &Viewer,
    email: &str,
    client: &Client,
) -> Result<EmailAddress, Failure> {
    must_be_confirmed(latchkey, viewer)?;
    let email =
        EmailAddress::parse(email).map_err(|problem| Failure::field(Field::Email, problem))?;
    mails::count(latchkey, MailKind::EmailChange, &viewer.user.to_string()).await?;
    mails::count(latchkey, MailKind::EmailChange, email.key()).await?;
    wish(latchkey, viewer.user, &email, client).await?;
    Ok(email)
}

/// Sends the link that proves the address of a login which was just made without it.
pub(crate) async fn ask_for_proof(
    latchkey: &Latchkey,
    user: UserId,
    email: &EmailAddress,
    client: &Client,
) {
    // The login is made. A failure is in the log already, and their profile lets them ask again.
    let _ = wish(latchkey, user, email, client).await;
}

async fn wish(
    latchkey: &Latchkey,
    user: UserId,
    email: &EmailAddress,
    client: &Client,
) -> Result<(), Failure> {
    let (token, now) = (Token::new(latchkey.random.as_ref()), latchkey.now());
    let expires_at = now.after(ASKED_FOR);
    let decide = |facts: &EmailFacts| {
        let refuse = |problem| Err(Failure::field(Field::Email, problem));
        let before = TypedAddress::from(&facts.present);
        let token = token.secret().clone();
        let to_wanted = match (*email == facts.present, facts.proven) {
            (true, true) => return refuse(FieldProblem::SameAddress),
            (true, false) => {
                let proof = Mail::EmailProof { expires_at, token };
                return Ok(vec![mail(email, proof, client)]);
            }
            (false, false) => return refuse(FieldProblem::Unproven),
            (false, true) if facts.taken => Mail::EmailTaken { at: now },
            (false, true) => Mail::EmailChange { before: before.clone(), expires_at, token },
        };
        let (news, after) = (EmailNews::Asked, email.into());
        let asked = Mail::EmailNews { news, before, after, at: now };
        Ok(vec![mail(email, to_wanted, client), mail(&facts.present, asked, client)])
    };
    let change =
        NewEmailChange { user, after: email.clone(), token_hash: token.hash(), expires_at };
    latchkey.store.ask_email_change(&change, now, decide).await
}

/// What the link to a wanted address says and asks.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The address that the login has.
    pub before: EmailAddress,
    /// The address that it shall have; the same where that is to be proven.
    pub after: EmailAddress,
    /// Whose login it is.
    pub asks: Asks,
    /// The account that won't open for the login any more, as its owners require single sign-on.
    pub closes: Option<String>,
}

/// What confirming an address takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Nothing but a yes: they are signed in with the login.
    Yes,
    /// Signing in with it first.
    SignIn,
    /// Signing out first: they are signed in with another login.
    OtherUser,
}

/// Opens the link to a wanted address. Changes nothing: mail scanners do this too.
///
/// # Errors
/// [`Conflict::LinkSpent`], [`Failure::Unavailable`].
pub async fn open(
    latchkey: &Latchkey,
    token: &str,
    viewer: Option<&Viewer>,
) -> Result<Opened, Failure> {
    let token = Token::parse(token).ok_or(spent())?;
    let change = latchkey.store.asked_email_change(&token.hash(), latchkey.now()).await?;
    let EmailChange { user, before, after } = change.ok_or(spent())?;
    let asks = match viewer {
        Some(viewer) if viewer.user == user => Asks::Yes,
        Some(_) => Asks::OtherUser,
        None => Asks::SignIn,
    };
    let closes = match asks {
        Asks::Yes => account_that_closes(latchkey, user, &before, &after).await?,
        Asks::OtherUser | Asks::SignIn => None,
    };
    Ok(Opened { before, after, asks, closes })
}

/// The account that won't open for the user with another address: its provider, which is required of
/// them, doesn't know it.
async fn account_that_closes(
    latchkey: &Latchkey,
    user: UserId,
    before: &EmailAddress,
    after: &EmailAddress,
) -> Result<Option<String>, Failure> {
    let store = &latchkey.store;
    let provider = store.provider_of_domain(&EmailDomain::of(before)).await?;
    let Some(provider) = provider else { return Ok(None) };
    let membership = store.membership(user, provider.number, None, latchkey.now()).await?;
    let required = membership.is_some_and(|membership| {
        membership.single_sign_on && !policies::by_themselves(&membership)
    });
    let closes = required && !store.has_proven(provider.account, &EmailDomain::of(after)).await?;
    Ok(closes.then_some(provider.name))
}

/// Gives the viewer's login the address that the link was sent to, and ends their other sessions.
/// Both addresses are told; the old one gets a link that takes it back.
///
/// # Errors
/// [`Conflict::LinkSpent`], also for the link of somebody else's login;
/// [`Conflict::AddressTaken`]: that is told, as whoever has the link has the mailbox;
/// [`Conflict::LastOwnersAddress`]; [`Failure::Unavailable`].
pub async fn confirm(
    latchkey: &Latchkey,
    viewer: &Viewer,
    session: &Token,
    token: &str,
    client: &Client,
) -> Result<EmailAddress, Failure> {
    let token = Token::parse(token).ok_or(spent())?;
    let (undo, now) = (Token::new(latchkey.random.as_ref()), latchkey.now());
    let until = now.after(UNDONE_WITHIN);
    let language = viewer.language.clone().or_else(|| client.language.clone());
    let client = Client { language, ..client.clone() };
    let mails = |change: &EmailChange| {
        let [before, after] = [&change.before, &change.after].map(TypedAddress::from);
        let token = undo.secret().clone();
        let back = Mail::EmailUndo { after: after.clone(), expires_at: until, token };
        let news = Mail::EmailNews { news: EmailNews::Changed, before, after, at: now };
        vec![mail(&change.before, back, &client), mail(&change.after, news, &client)]
    };
    let (hash, keep) = (token.hash(), session.hash());
    let undo = NewUndo { token_hash: undo.hash(), until };
    let store = &latchkey.store;
    let change = store.confirm_email_change(&hash, viewer.user, &keep, &undo, now, mails).await?;
    tracing::info!(user = %viewer.user, "a login's address was confirmed");
    Ok(change.after)
}

/// What the link that takes a change back is about: the address before, and the one after. Changes
/// nothing.
///
/// # Errors
/// [`Conflict::LinkSpent`], [`Failure::Unavailable`].
pub async fn open_undo(
    latchkey: &Latchkey,
    token: &str,
) -> Result<(EmailAddress, EmailAddress), Failure> {
    let token = Token::parse(token).ok_or(spent())?;
    let change = latchkey.store.done_email_change(&token.hash(), latchkey.now()).await?;
    change.map(|change| (change.before, change.after)).ok_or(spent())
}

/// Takes a change back: the login has its old address again, every session ends, and the password is
/// nobody's until a new one is chosen by the link that this answers. Second factors from before the
/// change was asked for stay. Whoever has the link has the old mailbox; that is all it takes.
///
/// # Errors
/// [`Conflict::LinkSpent`], [`Conflict::AddressTaken`], [`Failure::Unavailable`].
pub async fn undo(
    latchkey: &Latchkey,
    token: &str,
    client: &Client,
) -> Result<(EmailAddress, Token), Failure> {
    open_undo(latchkey, token).await?;
    let token = Token::parse(token).ok_or(spent())?;
    let hash = passwords::of_nobody(latchkey.random.as_ref());
    let now = latchkey.now();
    let mails = |change: &EmailChange| {
        let [before, after] = [&change.before, &change.after].map(TypedAddress::from);
        let news = Mail::EmailNews { news: EmailNews::Undone, before, after, at: now };
        vec![mail(&change.before, news.clone(), client), mail(&change.after, news, client)]
    };
    let choose = Token::new(latchkey.random.as_ref());
    let expires_at = now.after(latchkey.settings.reset_lifetime);
    let reset = NewReset { token_hash: choose.hash(), expires_at, mailed: true };
    let unknown = NewPassword { hash, short: false, told: None };
    let (store, undo) = (&latchkey.store, token.hash());
    let undone = store.undo_email_change(&undo, &unknown, &reset, now, mails).await?;
    let change = undone.ok_or(spent())?;
    tracing::warn!(user = %change.user, "the change of a login's address was taken back");
    Ok((change.before, choose))
}

fn spent() -> Failure {
    Failure::Conflict(Conflict::LinkSpent)
}

fn mail(to: &EmailAddress, mail: Mail, client: &Client) -> NewMail {
    NewMail::to(to.clone(), mail).language(client.language.clone())
}
