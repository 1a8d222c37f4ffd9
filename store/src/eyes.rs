//! Eyes: through whose a session looks at an account, and until when.

use model::{
    AccountId, Draft, Eyes, Failure, GrantId, Key, Keys, PermissionSet, SessionId, Timestamp,
    UserId,
};
use sqlx::{query, query_as};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, alive, read, sql, write};
use crate::grants::{joined, read_keys};
use crate::memberships::{change_facts, locked_actor};
use crate::{ChangeFacts, LockedActor, NewDraft, Store, TokenHash, drafts};

/// The keys that the membership `m` keeps; beside a draft `d` without the grant that this changes.
macro_rules! kept {
    ($db:ident) => {
        concat!(
            "CASE WHEN d.changes IS NULL THEN m.keys ELSE (SELECT ",
            joined!($db "coalesce(CAST(g.until AS TEXT), '-') || ' ' \
                || CAST(g.all_services AS INTEGER) || ' ' \
                || CAST(g.all_domains AS INTEGER) || ' ' || g.permissions", ";"),
            " FROM grants g \
              WHERE g.account_id = m.account_id AND g.user_id = m.user_id AND g.id <> d.changes) END"
        )
    };
}

macro_rules! eyes {
    ($db:ident) => {
        concat!(
            "SELECT e.user_id, u.full_name, coalesce(m.owner, FALSE) AS owner, \
                 m.paused_at IS NOT NULL AS paused, ",
            kept!($db),
            " AS keys, d.id AS draft, d.changes, d.permissions, d.all_services, d.all_domains, \
                 d.until \
             FROM eyes e \
                 LEFT JOIN memberships m ON m.account_id = e.account_id AND m.user_id = e.user_id \
                 LEFT JOIN users u ON u.id = m.user_id \
                 LEFT JOIN drafts d ON d.id = e.draft_id \
             WHERE e.session_id = $1 AND e.token_hash = $2 AND e.account_id = $3 AND ",
            alive!("e.expires_at", "$4")
        )
    };
}

/// A session that is over begins nothing.
macro_rules! begin {
    ($columns:literal, $of:literal, $lock:literal) => {
        concat!(
            "INSERT INTO eyes (session_id, token_hash, expires_at, draft_id, ",
            $columns,
            ") SELECT s.id, $2, $4, $5, ",
            $of,
            $lock,
            " ON CONFLICT (session_id) DO UPDATE \
             SET token_hash = excluded.token_hash, expires_at = excluded.expires_at, \
                 draft_id = excluded.draft_id, account_id = excluded.account_id, \
                 user_id = excluded.user_id"
        )
    };
}

macro_rules! begin_as_user {
    ($lock:literal) => {
        begin!(
            "account_id, user_id",
            "m.account_id, m.user_id FROM sessions s, memberships m \
             WHERE s.id = $1 AND m.account_id = $3 AND m.user_id = $6",
            $lock
        )
    };
}

macro_rules! begin_as_new {
    ($lock:literal) => {
        begin!(
            "account_id",
            "a.id FROM sessions s, accounts a WHERE s.id = $1 AND a.id = $3",
            $lock
        )
    };
}

sql! {
    EYES = eyes!(sqlite), on Postgres eyes!(postgres);
    BEGIN_AS_USER = begin_as_user!(""),
        // Both stay until it is written. SQLite has one writer at a time anyway.
        on Postgres begin_as_user!(" FOR KEY SHARE");
    BEGIN_AS_NEW = begin_as_new!(""), on Postgres begin_as_new!(" FOR KEY SHARE");
    END = "DELETE FROM eyes WHERE session_id = $1";
}

/// A look that begins.
#[derive(Clone, Copy, Debug)]
pub struct NewEyes {
    /// The session that looks.
    pub session: SessionId,
    /// The SHA-256 of what its browser is recognised by.
    pub token_hash: TokenHash,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Eyes that a session looks through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundEyes {
    /// The eyes, with what their owner may do at this moment: nothing while their access is paused.
    pub eyes: Eyes,
    /// Their owner's name; none of somebody new.
    pub full_name: Option<String>,
}

#[derive(FromRow)]
struct EyesRow {
    user_id: Option<Uuid>,
    full_name: Option<String>,
    owner: bool,
    paused: bool,
    keys: Option<String>,
    draft: Option<Uuid>,
    changes: Option<Uuid>,
    permissions: Option<String>,
    all_services: Option<bool>,
    all_domains: Option<bool>,
    until: Option<i64>,
}

impl EyesRow {
    /// The eyes at this moment. A draft is nobody's, so that its id is no user's either.
    fn found(self, now: Timestamp) -> Option<FoundEyes> {
        let draft =
            self.draft.map(|id| Draft { id: id.into(), changes: self.changes.map(GrantId::from) });
        let keys = match self.paused && !self.owner {
            true => Keys::Granted(Vec::new()),
            false => self.keys(draft, now),
        };
        let user = self.user_id.or(self.draft)?.into();
        Some(FoundEyes { eyes: Eyes { user, keys, draft }, full_name: self.full_name })
    }

    fn keys(&self, draft: Option<Draft>, now: Timestamp) -> Keys {
        if self.owner {
            return Keys::Owner;
        }
        let (live, _) = read_keys(self.keys.as_deref().unwrap_or_default(), now);
        let keys = Keys::Granted(live);
        if draft.is_none() {
            return keys;
        }
        let is_live = self.until.is_none_or(|until| now < Timestamp::from_micros(until));
        let key = is_live.then(|| Key {
            permissions: PermissionSet::from_stored(
                self.permissions.as_deref().unwrap_or_default(),
            ),
            all_services: self.all_services == Some(true),
            all_domains: self.all_domains == Some(true),
        });
        keys.with_draft(key)
    }
}

impl Store {
    /// Has a session look at the account through `target`'s eyes, in place of those that it looked
    /// through before: locks the account, reads the facts, asks `decide`, which answers the draft that
    /// they have, if they have one.
    ///
    /// # Errors
    /// What `decide` answers; [`Failure::NotFound`] when either of the two isn't in the account;
    /// [`Failure::SignedOut`] when the session is over; [`Failure::Unavailable`].
    pub async fn begin_eyes(
        &self,
        account: AccountId,
        actor: UserId,
        target: UserId,
        new: NewEyes,
        now: Timestamp,
        decide: impl FnOnce(&ChangeFacts) -> Result<Option<NewDraft>, Failure> + Send,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let facts = change_facts(&mut tx, account, actor, target, now).await?;
        let draft = decide(&facts)?;
        begin(&mut tx, account, Some(target), new, draft.as_ref()).await?;
        tx.commit().await
    }

    /// The same through the eyes of somebody new, who has nothing but the draft.
    ///
    /// # Errors
    /// What `decide` answers; [`Failure::NotFound`] when the actor isn't in the account;
    /// [`Failure::SignedOut`] when the session is over; [`Failure::Unavailable`].
    pub async fn begin_new_eyes(
        &self,
        account: AccountId,
        actor: UserId,
        new: NewEyes,
        now: Timestamp,
        decide: impl FnOnce(&LockedActor) -> Result<NewDraft, Failure> + Send,
    ) -> Result<(), Failure> {
        let mut tx = self.begin_locking([account.into()]).await?;
        let by = locked_actor(&mut tx, account, actor, now).await?;
        let draft = decide(&by)?;
        begin(&mut tx, account, None, new, Some(&draft)).await?;
        tx.commit().await
    }

    /// The eyes through which the session looks at this account at this moment, in a browser that
    /// holds this token.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn eyes(
        &self,
        session: SessionId,
        token_hash: &TokenHash,
        account: AccountId,
        now: Timestamp,
    ) -> Result<Option<FoundEyes>, Failure> {
        let text = EYES.at(self);
        let row: Option<EyesRow> = read!(self, db => query_as(text)
            .bind(Uuid::from(session))
            .bind(&token_hash[..])
            .bind(Uuid::from(account))
            .bind(now.as_micros())
            .fetch_optional(db))?;
        Ok(row.and_then(|row| row.found(now)))
    }

    /// Has the session see with its own eyes again.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn end_eyes(&self, session: SessionId) -> Result<(), Failure> {
        write!(self, db => query(END).bind(Uuid::from(session)).execute(db))?;
        Ok(())
    }
}

/// Has a session look at an account, which is locked, through the eyes of this user or of somebody new.
async fn begin(
    tx: &mut Tx,
    account: AccountId,
    user: Option<UserId>,
    new: NewEyes,
    draft: Option<&NewDraft>,
) -> Result<(), Failure> {
    if let Some(draft) = draft {
        drafts::begin(tx, new.session, account, draft).await?;
    }
    let text = if user.is_some() { BEGIN_AS_USER.on(tx) } else { BEGIN_AS_NEW.on(tx) };
    let begun = write!(tx, db => {
        let begin = query(text)
            .bind(Uuid::from(new.session))
            .bind(&new.token_hash[..])
            .bind(Uuid::from(account))
            .bind(new.expires_at.as_micros())
            .bind(draft.map(|new| Uuid::from(new.draft.id)));
        match user {
            Some(user) => begin.bind(Uuid::from(user)),
            None => begin,
        }
        .execute(db)
    })?;
    if begun == 0 { Err(Failure::SignedOut) } else { Ok(()) }
}
