//! Drafts: what a form would give that isn't sent, as eyes have it, and what was typed into the form.

use model::{AccountId, Draft, Failure, GrantId, SessionId, Terms, Timestamp};
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use crate::Store;
use crate::db::{Tx, alive, read, sql, write};
use crate::grants::{TermsRow, name, name_things, named};

macro_rules! terms {
    ($db:ident) => {
        concat!(
            "SELECT d.permissions, d.all_services, d.all_domains, ",
            named!($db "n.service_id", "draft_services", "draft_id", "d.id"),
            " AS services, ",
            named!($db "n.domain_id", "draft_domains", "draft_id", "d.id"),
            " AS domains, d.until FROM drafts d WHERE d.id = $1"
        )
    };
}

/// A session that is over drafts nothing.
macro_rules! insert {
    ($lock:literal) => {
        concat!(
            "INSERT INTO drafts \
                 (id, session_id, account_id, changes, permissions, all_services, all_domains, \
                  until, page, typed, expires_at) \
             SELECT $2, s.id, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM sessions s WHERE s.id = $1",
            $lock
        )
    };
}

sql! {
    TERMS = terms!(sqlite), on Postgres terms!(postgres);
    INSERT = insert!(""),
        // It stays until this is written. SQLite has one writer at a time anyway.
        on Postgres insert!(" FOR KEY SHARE");
    NAME_SERVICES = name!(sqlite "draft_services", "services"),
        on Postgres name!(postgres "draft_services", "services");
    NAME_DOMAINS = name!(sqlite "draft_domains", "domains"),
        on Postgres name!(postgres "draft_domains", "domains");
    /// The eyes that have it go with it.
    FORGET = "DELETE FROM drafts WHERE session_id = $1";
    PAGE = concat!(
        "SELECT page FROM drafts WHERE id = $1 AND session_id = $2 AND ",
        alive!("expires_at", "$3")
    );
    TYPED = concat!(
        "SELECT typed FROM drafts \
         WHERE id = $1 AND session_id = $2 AND account_id = $3 AND page = $4 AND ",
        alive!("expires_at", "$5")
    );
}

/// A draft that a session is to see an account with.
#[derive(Clone, Debug)]
pub struct NewDraft {
    /// The draft.
    pub draft: Draft,
    /// What it would open.
    pub terms: Terms,
    /// The address of the form's page.
    pub page: String,
    /// What was typed into the form.
    pub typed: String,
    /// Until when that is kept.
    pub expires_at: Timestamp,
}

impl Store {
    /// What a draft would open; nothing if it is gone.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn draft_terms(&self, draft: GrantId) -> Result<Option<Terms>, Failure> {
        let text = TERMS.at(self);
        let row: Option<TermsRow> =
            read!(self, db => query_as(text).bind(Uuid::from(draft)).fetch_optional(db))?;
        Ok(row.map(Terms::from))
    }

    /// The address of the page whose form this draft of the session's comes from.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn draft_page(
        &self,
        draft: GrantId,
        session: SessionId,
        now: Timestamp,
    ) -> Result<Option<String>, Failure> {
        read!(self, db => query_scalar(PAGE)
            .bind(Uuid::from(draft))
            .bind(Uuid::from(session))
            .bind(now.as_micros())
            .fetch_optional(db))
    }

    /// What was typed into the form that this draft of the session's comes from, if it is on this page
    /// of this account.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn draft_typed(
        &self,
        draft: GrantId,
        session: SessionId,
        (account, page): (AccountId, &str),
        now: Timestamp,
    ) -> Result<Option<String>, Failure> {
        read!(self, db => query_scalar(TYPED)
            .bind(Uuid::from(draft))
            .bind(Uuid::from(session))
            .bind(Uuid::from(account))
            .bind(page)
            .bind(now.as_micros())
            .fetch_optional(db))
    }
}

/// Gives a session a draft in an account, which is locked, in place of the one that it had.
///
/// # Errors
/// [`Failure::SignedOut`] when the session is over; [`Failure::Unavailable`].
pub(crate) async fn begin(
    tx: &mut Tx,
    session: SessionId,
    account: AccountId,
    new: &NewDraft,
) -> Result<(), Failure> {
    write!(tx, db => query(FORGET).bind(Uuid::from(session)).execute(db))?;
    let (text, id, terms) = (INSERT.on(tx), Uuid::from(new.draft.id), &new.terms);
    let begun = write!(tx, db => query(text)
        .bind(Uuid::from(session))
        .bind(id)
        .bind(Uuid::from(account))
        .bind(new.draft.changes.map(Uuid::from))
        .bind(terms.permissions.to_stored())
        .bind(terms.services.is_all())
        .bind(terms.domains.is_all())
        .bind(terms.until.map(Timestamp::as_micros))
        .bind(&new.page)
        .bind(&new.typed)
        .bind(new.expires_at.as_micros())
        .execute(db))?;
    if begun == 0 {
        return Err(Failure::SignedOut);
    }
    name_things(tx, account, id, terms, [NAME_SERVICES, NAME_DOMAINS]).await
}
