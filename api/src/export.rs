//! Export: all of an account, in the shapes that the door answers, so that a provider can leave or move.

use std::io::{self, Write};

use domain::door::{
    self, Behind, DoorAccount, DoorDomain, DoorInvoice, DoorService, DoorSupportRequest, Kept,
};
use domain::tokens::Token;
use domain::{Latchkey, members_by_provider};
use model::{AccountNumber, DoorKey, Failure, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::activity::Activity;
use crate::import::operator;
use crate::invitations::Invitation;
use crate::members;
use crate::support_requests::Message;
use crate::things::Resource;

/// How many things are read at a time.
const PAGE: usize = 200;

/// Why an export broke off.
#[derive(Debug)]
pub enum NotExported {
    /// There is no such account, or the database can't be asked.
    Failed(Failure),
    /// It can't be written where it was to go.
    Unwritten(io::Error),
}

impl From<Failure> for NotExported {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for NotExported {
    fn from(error: io::Error) -> Self {
        Self::Unwritten(error)
    }
}

impl From<serde_json::Error> for NotExported {
    fn from(error: serde_json::Error) -> Self {
        Self::Unwritten(error.into())
    }
}

/// Writes an account as one JSON object, a thing to a line. Passwords at services are in it only if that
/// is said.
///
/// # Errors
/// [`NotExported`].
pub async fn export(
    latchkey: &Latchkey,
    account: AccountNumber,
    passwords: bool,
    into: &mut (dyn Write + Send),
) -> Result<(), NotExported> {
    let (token, key) = (operator(), DoorKey::Number(account));
    let kept = door::find::<DoorAccount>(latchkey, &token, &key).await?;
    let mut out = Out { latchkey, token: &token, account: &key, into };
    write!(out.into, "{{\n\"account\": ")?;
    serde_json::to_writer(&mut *out.into, &DoorAccount::show(&kept))?;
    out.members().await?;
    out.invitations().await?;
    out.things::<DoorService>("services", |service| match passwords {
        true => service.writable().remove("login_password").map(|it| ("login_password", it)),
        false => None,
    })
    .await?;
    out.things::<DoorDomain>("domains", |_| None).await?;
    out.things::<DoorInvoice>("invoices", |_| None).await?;
    out.support_requests().await?;
    out.activity().await?;
    writeln!(out.into, "\n}}")?;
    out.into.flush()?;
    Ok(())
}

/// Where an account is written to.
struct Out<'a> {
    latchkey: &'a Latchkey,
    token: &'a Token,
    account: &'a DoorKey,
    into: &'a mut (dyn Write + Send),
}

impl Out<'_> {
    fn begin(&mut self, list: &str) -> io::Result<()> {
        write!(self.into, ",\n\"{list}\": [")
    }

    fn end(&mut self, empty: bool) -> io::Result<()> {
        self.into.write_all(if empty { b"]" } else { b"\n]" })
    }

    fn item(&mut self, first: bool, item: &impl Serialize) -> Result<(), NotExported> {
        self.into.write_all(if first { b"\n  " } else { b",\n  " })?;
        Ok(serde_json::to_writer(&mut *self.into, item)?)
    }

    /// All of the account's things of a kind.
    async fn all<R: Resource>(&self) -> Result<Vec<Kept<R>>, Failure> {
        let (mut behind, mut all) = (begin(), Vec::new());
        loop {
            let (latchkey, account) = (self.latchkey, Some(self.account));
            let page = door::list::<R>(latchkey, self.token, account, behind, PAGE).await?.rows;
            let last = page.last().filter(|_| page.len() == PAGE);
            let next = last.map(|last| Behind { changed: last.changed, id: last.id });
            all.extend(page);
            match next {
                Some(next) => behind = next,
                None => return Ok(all),
            }
        }
    }

    /// A list of the account's things of a kind, each with what it holds besides what the door answers.
    async fn things<R: Resource>(
        &mut self,
        list: &str,
        besides: impl Fn(&R) -> Option<(&'static str, Value)>,
    ) -> Result<(), NotExported> {
        self.begin(list)?;
        let all = self.all::<R>().await?;
        for (index, kept) in all.iter().enumerate() {
            self.item(index == 0, &shown(kept, besides(&kept.thing))?)?;
        }
        Ok(self.end(all.is_empty())?)
    }

    async fn support_requests(&mut self) -> Result<(), NotExported> {
        self.begin("support_requests")?;
        let all = self.all::<DoorSupportRequest>().await?;
        for (index, kept) in all.iter().enumerate() {
            let messages = self.messages(kept.id).await?;
            self.item(index == 0, &shown(kept, Some(("messages", json!(messages))))?)?;
        }
        Ok(self.end(all.is_empty())?)
    }

    async fn messages(&self, request: Uuid) -> Result<Vec<Message>, NotExported> {
        let (request, mut behind, mut all) = (DoorKey::Id(request), begin(), Vec::new());
        loop {
            let (latchkey, token) = (self.latchkey, self.token);
            let page = door::messages(latchkey, token, &request, behind, PAGE).await?;
            all.extend(page.iter().map(Message::show));
            match page.last().filter(|_| page.len() == PAGE) {
                Some(last) => behind = Behind { changed: last.changed, id: last.id },
                None => return Ok(all),
            }
        }
    }

    async fn members(&mut self) -> Result<(), NotExported> {
        self.begin("members")?;
        let (mut behind, mut first) = (begin(), true);
        loop {
            let (latchkey, token) = (self.latchkey, self.token);
            let page = members_by_provider::list(latchkey, token, self.account, behind, PAGE);
            let page = page.await?;
            for (_, member) in &page.rows {
                self.item(first, &members::show(member, &page.things))?;
                first = false;
            }
            match page.rows.last().filter(|_| page.rows.len() == PAGE) {
                Some((last, _)) => behind = *last,
                None => break,
            }
        }
        Ok(self.end(first)?)
    }

    async fn invitations(&mut self) -> Result<(), NotExported> {
        self.begin("invitations")?;
        let (mut behind, mut first) = (None, true);
        loop {
            let (latchkey, token) = (self.latchkey, self.token);
            let page =
                members_by_provider::invitations(latchkey, token, self.account, behind, PAGE);
            let (rows, things) = page.await?;
            for pending in &rows {
                let inviter = pending.inviter_name.as_deref();
                self.item(first, &Invitation::show(&pending.invitation, inviter, &things))?;
                first = false;
            }
            match rows.last().filter(|_| rows.len() == PAGE) {
                Some(last) => behind = Some(last.invitation.id.into()),
                None => break,
            }
        }
        Ok(self.end(first)?)
    }

    async fn activity(&mut self) -> Result<(), NotExported> {
        self.begin("activity")?;
        let (mut after, mut first) = (0, true);
        loop {
            let (latchkey, token) = (self.latchkey, self.token);
            let rows = door::activity(latchkey, token, self.account, after, PAGE).await?;
            for row in &rows {
                self.item(first, &Activity::show(row))?;
                first = false;
            }
            match rows.last().filter(|_| rows.len() == PAGE) {
                Some(last) => after = last.sequence,
                None => break,
            }
        }
        Ok(self.end(first)?)
    }
}

/// A thing as the door answers it, and what it holds besides.
fn shown<R: Resource>(
    kept: &Kept<R>,
    besides: Option<(&'static str, Value)>,
) -> serde_json::Result<Value> {
    let mut shown = serde_json::to_value(R::show(kept))?;
    if let (Some((name, value)), Some(object)) = (besides, shown.as_object_mut()) {
        object.insert(name.to_owned(), value);
    }
    Ok(shown)
}

/// Before everything.
const fn begin() -> Behind {
    Behind::since(Timestamp::from_micros(0))
}
