//! Server functions of the demo's mailbox.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::problem::Problem;
use crate::when::Moment;

use {crate::mails, crate::request, model::Failure};

/// A mail in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MailboxRow {
    /// Its id.
    pub(crate) id: String,
    /// The recipient.
    pub(crate) to: String,
    /// The subject.
    pub(crate) subject: String,
    /// When it was written.
    pub(crate) at: Moment,
}

/// One mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MailView {
    /// Its id.
    pub(crate) id: String,
    /// The recipient.
    pub(crate) to: String,
    /// The subject.
    pub(crate) subject: String,
    /// When it was written.
    pub(crate) at: Moment,
    /// The text part, its links apart.
    pub(crate) text: Vec<Piece>,
    /// The headers.
    pub(crate) headers: String,
}

/// A piece of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    /// The text.
    pub(crate) text: String,
    /// Whether it is an address to go to.
    pub(crate) link: bool,
}

/// The demo's mails, newest first. There is no such page outside the demo, nor when it sends mail.
#[server(prefix = "/api", endpoint = "demo/mailbox", input = GetUrl)]
pub(crate) async fn mailbox_page() -> Result<Page<Vec<MailboxRow>>, Problem> {
    where_mail_is_kept()?;
    let latchkey = request::latchkey()?;
    let now = latchkey.now();
    let mails = domain::mails::mailbox(&latchkey).await?;
    let row = |mail: domain::mails::KeptMail| MailboxRow {
        id: mail.id.to_string(),
        to: mail.to.to_string(),
        subject: written(&mail).subject,
        at: Moment::new(mail.queued_at, now),
    };
    page(mails.into_iter().map(row).collect()).await
}

/// One of the demo's mails.
#[server(prefix = "/api", endpoint = "demo/mail", input = GetUrl)]
pub(crate) async fn mail_page(mail: String) -> Result<Page<MailView>, Problem> {
    where_mail_is_kept()?;
    let (latchkey, site) = (request::latchkey()?, request::site());
    let kept = domain::mails::kept(&latchkey, &mail).await?;
    let written = written(&kept);
    let view = MailView {
        id: kept.id.to_string(),
        to: kept.to.to_string(),
        at: Moment::new(kept.queued_at, latchkey.now()),
        text: pieces(&written.text),
        headers: format!(
            "From: {}\nTo: {}\nSubject: {}\nMessage-ID: {}\nAuto-Submitted: auto-generated",
            site.mail_from,
            kept.to.key(),
            written.subject,
            mails::message_id(kept.id, &site),
        ),
        subject: written.subject,
    };
    page(view).await
}

/// The page, for readers who are signed in as any other of theirs outside of accounts.
async fn page<T>(content: T) -> Result<Page<T>, Problem> {
    match request::signed_in() {
        Ok(viewer) => request::own_page(&viewer, content).await,
        Err(_) => request::plain_page(None, content).await,
    }
}

fn written(mail: &domain::mails::KeptMail) -> mails::Written {
    let told = mails::Told {
        account: mail.time_zone.as_deref(),
        own: mail.own_zone.as_deref(),
        queued_at: mail.queued_at,
    };
    mails::write(&mail.mail, mail.language.as_ref(), told, &request::site())
}

fn where_mail_is_kept() -> Result<(), Problem> {
    if request::site().mailbox { Ok(()) } else { Err(Failure::NotFound.into()) }
}

/// Sets the links apart from the text around them.
fn pieces(text: &str) -> Vec<Piece> {
    let pieces = text.split_inclusive('\n').map(|line| {
        let link = line.starts_with("http://") || line.starts_with("https://");
        Piece { text: line.to_owned(), link }
    });
    pieces.collect()
}
