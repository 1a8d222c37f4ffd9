//! The outbox: mails written in the transaction that causes them, sent afterwards by a worker.

use std::time::Duration;

use model::{EmailAddress, Failure, InvitationId, Language, Mail, MailKind, Timestamp};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use crate::Store;
use crate::db::{Tx, count, limit, new_id, read, sql, unreadable, write};

/// No mail is put off for longer.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// Takes a mail that is due. What is due later than any mail is put off was queued or put off by a
/// clock that ran ahead: it is due, and from now on it counts as queued now.
macro_rules! take_mail {
    ($lock:literal) => {
        concat!(
            "UPDATE outbox SET due_at = $2, attempts = attempts + 1, \
                 queued_at = CASE WHEN queued_at > $1 THEN $1 ELSE queued_at END \
             WHERE id = (SELECT id FROM outbox \
                         WHERE state = 'queued' AND (due_at <= $1 OR due_at > $3) \
                         ORDER BY due_at, id LIMIT 1",
            $lock,
            ") RETURNING id, email, email_key, language, facts, attempts - 1 AS attempts, queued_at"
        )
    };
}

sql! {
    /// In the recipient's language if they have a login with one.
    QUEUE = "INSERT INTO outbox \
                 (id, email, email_key, kind, facts, state, attempts, due_at, invitation_id, \
                  queued_at, language) \
             VALUES ($1, $2, $3, $4, $5, 'queued', 0, $6, $7, $6, \
                     coalesce((SELECT language FROM users WHERE email_key = $3), $8))";
    TAKE = take_mail!(""),
        // Here workers stand side by side: each skips what another is just taking.
        on Postgres take_mail!(" FOR UPDATE SKIP LOCKED");
    SENT = "UPDATE outbox SET state = 'sent', facts = NULL, answer = $2, ended_at = $3 \
            WHERE id = $1 AND state = 'queued'";
    KEPT = "UPDATE outbox SET state = 'kept', ended_at = $2 WHERE id = $1 AND state = 'queued'";
    DEFERRED = "UPDATE outbox SET answer = $2, due_at = $3 WHERE id = $1 AND state = 'queued'";
    FAILED = "UPDATE outbox SET state = 'failed', facts = NULL, answer = $2, ended_at = $3 \
              WHERE id = $1 AND state = 'queued'";
    KEPT_MAILS = "SELECT id, email, email_key, language, facts, attempts, queued_at FROM outbox \
                  WHERE state = 'kept' ORDER BY id DESC LIMIT $1";
    KEPT_MAIL = "SELECT id, email, email_key, language, facts, attempts, queued_at FROM outbox \
                 WHERE state = 'kept' AND id = $1";
    DROP_QUEUED = "DELETE FROM outbox WHERE invitation_id = $1 AND state = 'queued'";
    DROP_QUEUED_RESETS = "DELETE FROM outbox \
                          WHERE email_key = $1 AND kind = $2 AND state = 'queued'";
}

/// A mail to be queued.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// The recipient.
    pub to: EmailAddress,
    /// The sender's language, for recipients who have none; none for the provider's.
    pub language: Option<Language>,
    /// Its facts.
    pub mail: Mail,
    /// The invitation whose delivery state it is.
    pub invitation: Option<InvitationId>,
}

/// A mail that this node took on to send.
#[derive(Clone, Debug)]
pub struct QueuedMail {
    /// Its id; also the left half of its `Message-ID`.
    pub id: Uuid,
    /// The recipient.
    pub to: EmailAddress,
    /// The language that it is written in; none for the provider's.
    pub language: Option<Language>,
    /// Its facts.
    pub mail: Mail,
    /// How often it was tried before.
    pub attempts: u32,
    /// When it was queued.
    pub queued_at: Timestamp,
}

/// A mail that was kept instead of sent, for the demo's mailbox.
#[derive(Clone, Debug)]
pub struct KeptMail {
    /// Its id.
    pub id: Uuid,
    /// The recipient.
    pub to: EmailAddress,
    /// The language that it is written in; none for the provider's.
    pub language: Option<Language>,
    /// Its facts.
    pub mail: Mail,
    /// When it was queued.
    pub queued_at: Timestamp,
}

#[derive(FromRow)]
struct MailRow {
    id: Uuid,
    email: String,
    email_key: String,
    language: Option<String>,
    facts: Option<String>,
    attempts: i64,
    queued_at: i64,
}

impl MailRow {
    fn read(self) -> Result<QueuedMail, Failure> {
        Ok(QueuedMail {
            id: self.id,
            to: EmailAddress::from_stored(self.email, self.email_key),
            language: self.language.as_deref().and_then(Language::parse),
            mail: serde_json::from_str(self.facts.as_deref().unwrap_or_default())
                .map_err(unreadable)?,
            attempts: count(self.attempts),
            queued_at: Timestamp::from_micros(self.queued_at),
        })
    }
}

impl From<QueuedMail> for KeptMail {
    fn from(mail: QueuedMail) -> Self {
        let QueuedMail { id, to, language, mail, queued_at, .. } = mail;
        Self { id, to, language, mail, queued_at }
    }
}

impl Store {
    /// Takes on the oldest mail that is due, for `lease`: until then no other node takes it.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn take_mail(
        &self,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Option<QueuedMail>, Failure> {
        let mut tx = self.begin().await?;
        let text = TAKE.on(&tx);
        let row: Option<MailRow> = read!(tx, db => query_as(text)
            .bind(now.as_micros())
            .bind(now.after(lease).as_micros())
            .bind(now.after(lease.max(LONGEST_WAIT)).as_micros())
            .fetch_optional(db))?;
        tx.commit().await?;
        row.map(MailRow::read).transpose()
    }

    /// Notes that the mail server took the mail, and erases its facts.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn mail_sent(&self, id: Uuid, answer: &str, now: Timestamp) -> Result<(), Failure> {
        write!(self, db => query(SENT)
            .bind(id)
            .bind(answer)
            .bind(now.as_micros())
            .execute(db))?;
        Ok(())
    }

    /// Notes that the mail is kept, facts and all, as there is no mail server (demo).
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn mail_kept(&self, id: Uuid, now: Timestamp) -> Result<(), Failure> {
        write!(self, db => query(KEPT).bind(id).bind(now.as_micros()).execute(db))?;
        Ok(())
    }

    /// Notes that the mail server put us off, and when to try again.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn mail_deferred(
        &self,
        id: Uuid,
        answer: &str,
        try_again_at: Timestamp,
    ) -> Result<(), Failure> {
        write!(self, db => query(DEFERRED)
            .bind(id)
            .bind(answer)
            .bind(try_again_at.as_micros())
            .execute(db))?;
        Ok(())
    }

    /// Notes that the mail is given up, and erases its facts.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn mail_failed(&self, id: Uuid, answer: &str, now: Timestamp) -> Result<(), Failure> {
        write!(self, db => query(FAILED)
            .bind(id)
            .bind(answer)
            .bind(now.as_micros())
            .execute(db))?;
        Ok(())
    }

    /// The newest kept mails, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn kept_mails(&self, most: usize) -> Result<Vec<KeptMail>, Failure> {
        let rows: Vec<MailRow> =
            read!(self, db => query_as(KEPT_MAILS).bind(limit(most)).fetch_all(db))?;
        rows.into_iter().map(|row| row.read().map(KeptMail::from)).collect()
    }

    /// One kept mail.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn kept_mail(&self, id: Uuid) -> Result<Option<KeptMail>, Failure> {
        let row: Option<MailRow> =
            read!(self, db => query_as(KEPT_MAIL).bind(id).fetch_optional(db))?;
        row.map(|row| row.read().map(KeptMail::from)).transpose()
    }
}

pub(crate) async fn queue(tx: &mut Tx, mail: &NewMail, now: Timestamp) -> Result<(), Failure> {
    let facts = serde_json::to_string(&mail.mail).map_err(unreadable)?;
    write!(tx, db => query(QUEUE)
        .bind(new_id(now))
        .bind(mail.to.as_str())
        .bind(mail.to.key())
        .bind(mail.mail.kind().id())
        .bind(&facts)
        .bind(now.as_micros())
        .bind(mail.invitation.map(Uuid::from))
        .bind(mail.language.as_ref().map(Language::tag))
        .execute(db))?;
    Ok(())
}

/// Takes back what waits to be sent about an invitation: its link is dead from now on.
pub(crate) async fn drop_queued(tx: &mut Tx, invitation: InvitationId) -> Result<(), Failure> {
    write!(tx, db => query(DROP_QUEUED).bind(Uuid::from(invitation)).execute(db))?;
    Ok(())
}

/// Takes back the reset links that wait to be sent to somebody: a newer one replaces them.
pub(crate) async fn drop_queued_resets(tx: &mut Tx, to: &EmailAddress) -> Result<(), Failure> {
    let kind = MailKind::PasswordReset.id();
    write!(tx, db => query(DROP_QUEUED_RESETS).bind(to.key()).bind(kind).execute(db))?;
    Ok(())
}
