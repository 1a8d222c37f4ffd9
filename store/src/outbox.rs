//! The outbox: mails written in the transaction that causes them, sent afterwards by a worker. Where
//! somebody causes many, they wait behind those of others, and what is about the same becomes one.

use std::collections::HashMap;
use std::time::Duration;

use model::{
    AccountId, EmailAddress, Failure, InvitationId, Language, Mail, MailBound, MailKind,
    StoredMail, Timestamp,
};
use sqlx::{query, query_as};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::Store;
use crate::db::{Tx, ask, count, limit, new_id, read, sql, unavailable, unreadable, write};

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
                         ORDER BY due_at + lag, id LIMIT 1",
            $lock,
            ") RETURNING id, email, email_key, language, facts, attempts - 1 AS attempts, queued_at"
        )
    };
}

/// The end of a change to a mail that is out or given up: one to somebody whose login is deleted keeps
/// nothing of them.
macro_rules! forgets_the_deleted {
    () => {
        ", email = CASE WHEN kind = 'login_deleted' THEN '' ELSE email END, \
         email_key = CASE WHEN kind = 'login_deleted' THEN '' ELSE email_key END, \
         sender = CASE WHEN kind = 'login_deleted' THEN '' ELSE sender END"
    };
}

pub(crate) use forgets_the_deleted;

/// Notes what became of a mail. A mail server's answer may hold the recipient.
macro_rules! ended {
    ($state:literal) => {
        concat!(
            "UPDATE outbox SET state = '",
            $state,
            "', facts = NULL, ended_at = $3, \
             answer = CASE WHEN kind = 'login_deleted' THEN '' ELSE $2 END",
            forgets_the_deleted!(),
            " WHERE id = $1 AND state = 'queued'"
        )
    };
}

/// Queues what a JSON array tells, in the language of each recipient as [`QUEUE`].
macro_rules! queue_all {
    (sqlite) => {
        "INSERT INTO outbox \
             (id, email, email_key, kind, facts, state, attempts, due_at, queued_at, language, \
              sender, lag) \
         SELECT unhex(value ->> 'id', '-'), value ->> 'email', value ->> 'key', value ->> 'kind', \
             value ->> 'facts', 'queued', 0, $2, $2, \
             coalesce((SELECT language FROM users WHERE email_key = value ->> 'key'), \
                      value ->> 'language'), $3, value ->> 'lag' \
         FROM json_each($1)"
    };
    (postgres) => {
        "INSERT INTO outbox \
             (id, email, email_key, kind, facts, state, attempts, due_at, queued_at, language, \
              sender, lag) \
         SELECT CAST(value ->> 'id' AS UUID), value ->> 'email', value ->> 'key', value ->> 'kind', \
             value ->> 'facts', 'queued', 0, $2, $2, \
             coalesce((SELECT language FROM users WHERE email_key = value ->> 'key'), \
                      value ->> 'language'), $3, CAST(value ->> 'lag' AS BIGINT) \
         FROM json_array_elements(CAST($1 AS JSON)) AS listed (value)"
    };
}

sql! {
    QUEUE_ALL = queue_all!(sqlite), on Postgres queue_all!(postgres);
    OWN_ZONES = "SELECT email_key, time_zone FROM users WHERE time_zone IS NOT NULL \
                     AND email_key IN (SELECT value FROM json_each($1))",
        on Postgres "SELECT email_key, time_zone FROM users WHERE time_zone IS NOT NULL \
                     AND email_key IN (SELECT json_array_elements_text(CAST($1 AS JSON)))";
    /// In the recipient's language if they have a login with one.
    QUEUE = "INSERT INTO outbox \
                 (id, email, email_key, kind, facts, state, attempts, due_at, invitation_id, \
                  queued_at, language, sender, lag, topic) \
             VALUES ($1, $2, $3, $4, $5, 'queued', 0, $9, $7, $6, \
                     coalesce((SELECT language FROM users WHERE email_key = $3), $8), \
                     $10, $11, $12)";
    /// Where the last of the sender's mails stands that could go out now, in which time zone the account's
    /// days end, and in which one whoever has the address is told times.
    CIRCUMSTANCES = "SELECT (SELECT due_at + lag FROM outbox \
                             WHERE state = 'queued' AND sender = $1 AND due_at <= $2 \
                             ORDER BY due_at + lag DESC LIMIT 1) AS last, \
                         (SELECT time_zone FROM accounts WHERE id = $3) AS of_account, \
                         (SELECT time_zone FROM users WHERE email_key = $4) AS own";
    ABOUT = "SELECT id, state = 'queued' AS waits, ended_at, queued_at FROM outbox \
             WHERE email_key = $1 AND topic = $2 ORDER BY id DESC LIMIT $3";
    DROP_ABOUT = "DELETE FROM outbox WHERE email_key = $1 AND topic = $2 AND state = 'queued'";
    TAKE_BACK = "DELETE FROM outbox WHERE id = $1 AND state = 'queued' \
                 RETURNING facts, attempts, due_at, queued_at";
    TAKE = take_mail!(""),
        // Here workers stand side by side: each skips what another is just taking.
        on Postgres take_mail!(" FOR UPDATE SKIP LOCKED");
    SENT = ended!("sent");
    KEPT = "UPDATE outbox SET state = 'kept', ended_at = $2 WHERE id = $1 AND state = 'queued'";
    DEFERRED = "UPDATE outbox SET answer = $2, due_at = $3 WHERE id = $1 AND state = 'queued'";
    FAILED = ended!("failed");
    KEPT_MAILS = "SELECT id, email, email_key, language, facts, attempts, queued_at FROM outbox \
                  WHERE state = 'kept' ORDER BY id DESC LIMIT $1";
    KEPT_MAIL = "SELECT id, email, email_key, language, facts, attempts, queued_at FROM outbox \
                 WHERE state = 'kept' AND id = $1";
    WAITING = "SELECT count(*) OVER (), answer FROM outbox \
               WHERE state = 'queued' AND answer IS NOT NULL ORDER BY id DESC LIMIT 1";
    DROP_QUEUED = "DELETE FROM outbox WHERE invitation_id = $1 AND state = 'queued'";
    DROP_ALL_TO = "DELETE FROM outbox WHERE email_key = $1";
    DROP_QUEUED_RESETS = "DELETE FROM outbox \
                          WHERE email_key = $1 AND kind = $2 AND state = 'queued'";
}

/// How far a sender's mails stand behind each other: whoever causes a hundred at once has the last of
/// them wait behind what others cause within a hundred seconds. Where nobody else does, none waits.
const STEP: i64 = 1_000_000;
/// What is about the same goes out at once so often in this time,
const SHORT: Duration = Duration::from_secs(10 * 60);
/// and once more in this one.
const LONG: Duration = Duration::from_secs(60 * 60);

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

impl NewMail {
    /// A mail to somebody, in the provider's language unless they have one.
    #[must_use]
    pub fn to(to: EmailAddress, mail: Mail) -> Self {
        Self { to, language: None, mail, invitation: None }
    }

    /// In this language, if it is one, should the recipient have none.
    #[must_use]
    pub fn language(self, language: Option<Language>) -> Self {
        Self { language, ..self }
    }

    /// The mail whose fate is the invitation's delivery state.
    #[must_use]
    pub fn invitation(self, id: InvitationId) -> Self {
        Self { invitation: Some(id), ..self }
    }
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
    /// The time zone of the account that it tells of; none for the provider's.
    pub time_zone: Option<String>,
    /// The time zone that the recipient chose for their login, if they did.
    pub own_zone: Option<String>,
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
    /// The time zone of the account that it tells of; none for the provider's.
    pub time_zone: Option<String>,
    /// The time zone that the recipient chose for their login, if they did.
    pub own_zone: Option<String>,
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
        let facts = self.facts.as_deref().unwrap_or_default();
        let StoredMail { mail, time_zone, own_zone } =
            serde_json::from_str(facts).map_err(unreadable)?;
        Ok(QueuedMail {
            id: self.id,
            to: EmailAddress::from_stored(self.email, self.email_key),
            language: self.language.as_deref().and_then(Language::parse),
            mail,
            time_zone,
            own_zone,
            attempts: count(self.attempts),
            queued_at: Timestamp::from_micros(self.queued_at),
        })
    }
}

impl From<QueuedMail> for KeptMail {
    fn from(mail: QueuedMail) -> Self {
        let QueuedMail { id, to, language, mail, time_zone, own_zone, queued_at, .. } = mail;
        Self { id, to, language, mail, time_zone, own_zone, queued_at }
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
        let text = TAKE.at(self);
        // To its end, where a statement by itself is committed.
        let taken: Vec<MailRow> = ask!(self.writer(), db => query_as(text)
            .bind(now.as_micros())
            .bind(now.after(lease).as_micros())
            .bind(now.after(lease.max(LONGEST_WAIT)).as_micros())
            .fetch_all(db))
        .map_err(unavailable)?;
        taken.into_iter().next().map(MailRow::read).transpose()
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

    /// How many mails wait after a try that came to nothing, and what was answered to the newest.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn waiting_mails(&self) -> Result<Option<(u32, String)>, Failure> {
        let row: Option<(i64, String)> = read!(self, db => query_as(WAITING).fetch_optional(db))?;
        Ok(row.map(|(mails, answer)| (count(mails), answer)))
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

/// Queues a mail, which somebody's doing in this account causes; or outside of any.
pub(crate) async fn queue(
    tx: &mut Tx,
    mail: &NewMail,
    account: Option<AccountId>,
    now: Timestamp,
) -> Result<(), Failure> {
    let topic = topic(mail, account);
    let (told, due_at) = match &topic {
        Some(topic) => gather(tx, mail, topic, now).await?,
        None => (mail.mail.clone(), now),
    };
    let sender = account.map_or_else(|| mail.to.key().to_owned(), |id| Uuid::from(id).to_string());
    let Circumstances { lag, time_zone, own_zone } =
        circumstances(tx, &sender, account, mail.to.key(), now).await?;
    let stored = StoredMail { mail: told, time_zone, own_zone };
    let facts = serde_json::to_string(&stored).map_err(unreadable)?;
    write!(tx, db => query(QUEUE)
        .bind(new_id(now))
        .bind(mail.to.as_str())
        .bind(mail.to.key())
        .bind(mail.mail.kind().id())
        .bind(&facts)
        .bind(now.as_micros())
        .bind(mail.invitation.map(Uuid::from))
        .bind(mail.language.as_ref().map(Language::tag))
        .bind(due_at.as_micros())
        .bind(&sender)
        .bind(lag)
        .bind(&topic)
        .execute(db))?;
    Ok(())
}

/// Queues several mails of an account to different people, none of which is gathered with others: in as
/// many statements as one, as whoever waits for the account's lock waits for them.
pub(crate) async fn queue_all(
    tx: &mut Tx,
    mails: &[NewMail],
    account: AccountId,
    now: Timestamp,
) -> Result<(), Failure> {
    let sender = Uuid::from(account).to_string();
    let Circumstances { mut lag, time_zone, .. } =
        circumstances(tx, &sender, Some(account), "", now).await?;
    let keys: Vec<_> = mails.iter().map(|mail| mail.to.key()).collect();
    let (text, keys) = (OWN_ZONES.on(tx), serde_json::to_string(&keys).map_err(unreadable)?);
    let zones: Vec<(String, String)> = read!(tx, db => query_as(text).bind(&keys).fetch_all(db))?;
    let zones: HashMap<_, _> = zones.into_iter().collect();
    let mut rows = Vec::new();
    for mail in mails {
        let own_zone = zones.get(mail.to.key()).cloned();
        let stored = StoredMail { mail: mail.mail.clone(), time_zone: time_zone.clone(), own_zone };
        rows.push(serde_json::json!({
            "id": new_id(now).to_string(),
            "email": mail.to.as_str(),
            "key": mail.to.key(),
            "kind": mail.mail.kind().id(),
            "facts": serde_json::to_string(&stored).map_err(unreadable)?,
            "language": mail.language.as_ref().map(Language::tag),
            "lag": lag,
        }));
        lag += STEP;
    }
    let (text, rows) = (QUEUE_ALL.on(tx), serde_json::to_string(&rows).map_err(unreadable)?);
    write!(tx, db => query(text)
        .bind(&rows)
        .bind(now.as_micros())
        .bind(&sender)
        .execute(db))?;
    Ok(())
}

/// What a mail is queued in.
struct Circumstances {
    /// How far it stands behind those of the same sender that could go out now.
    lag: i64,
    /// The time zone in which the account's days end, if it has its own.
    time_zone: Option<String>,
    /// The one in which its recipient is told times, if they chose one.
    own_zone: Option<String>,
}

async fn circumstances(
    tx: &mut Tx,
    sender: &str,
    account: Option<AccountId>,
    address: &str,
    now: Timestamp,
) -> Result<Circumstances, Failure> {
    let (last, time_zone, own_zone): (Option<i64>, _, _) = read!(tx, db => query_as(CIRCUMSTANCES)
            .bind(sender)
            .bind(now.as_micros())
            .bind(account.map(Uuid::from))
            .bind(address)
            .fetch_one(db))?;
    let lag = last.map_or(0, |last| (last + STEP - now.as_micros()).max(0));
    Ok(Circumstances { lag, time_zone, own_zone })
}

/// Asks what is asked before a mail is queued, where none is, so that it takes as long.
pub(crate) async fn queue_nothing(
    tx: &mut Tx,
    address: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    circumstances(tx, address, None, address, now).await.map(drop)
}

/// What a mail is about, if others about the same may become one with it. That somebody's access ended
/// takes the place of what changed about it before.
fn topic(mail: &NewMail, account: Option<AccountId>) -> Option<String> {
    let kind = match mail.mail.kind() {
        MailKind::AccessRemoved if mail.invitation.is_none() => MailKind::PermissionsChanged,
        kind => kind,
    };
    let gathered = matches!(kind.bound(), MailBound::Gathered { .. });
    gathered.then(|| written(kind, account, &mail.mail.about()))
}

/// Drops what waits to be sent to somebody of this kind, about this account.
pub(crate) async fn drop_about(
    tx: &mut Tx,
    to: &EmailAddress,
    kind: MailKind,
    account: AccountId,
) -> Result<(), Failure> {
    let topic = written(kind, Some(account), "");
    write!(tx, db => query(DROP_ABOUT).bind(to.key()).bind(topic).execute(db))?;
    Ok(())
}

fn written(kind: MailKind, account: Option<AccountId>, about: &str) -> String {
    let account = account.map(|id| Uuid::from(id).to_string()).unwrap_or_default();
    format!("{} {account} {about}", kind.id())
}

/// What a mail tells, and when it goes out, beside those about the same that went out before or wait.
/// One that waits is taken back, and this one tells of it too: it may be on its way just now, and what
/// became of it since mustn't be lost.
async fn gather(
    tx: &mut Tx,
    mail: &NewMail,
    topic: &str,
    now: Timestamp,
) -> Result<(Mail, Timestamp), Failure> {
    let (key, told) = (mail.to.key(), mail.mail.clone());
    let MailBound::Gathered { at_once } = told.kind().bound() else {
        write!(tx, db => query(DROP_ABOUT).bind(key).bind(topic).execute(db))?;
        return Ok((told, now));
    };
    let at_once = usize::try_from(at_once).unwrap_or(usize::MAX);
    let rows: Vec<AboutRow> = read!(tx, db => query_as(ABOUT)
        .bind(key)
        .bind(topic)
        .bind(limit(at_once.saturating_add(1)))
        .fetch_all(db))?;
    // What lists what ends is told of one moment in one mail.
    let beside = rows.iter().find(|row| row.waits && row.queued_at == now.as_micros());
    if let Some(beside) = beside.filter(|_| told.lists())
        && let Some(taken) = take_back(tx, beside.id).await?
    {
        let due_at = taken.due_at(now);
        let told = match taken.mail {
            Some(earlier) => told.joined_with(earlier),
            None => told,
        };
        return Ok((told, due_at));
    }
    // The clock may have gone back since one went out.
    let went_out = |place: usize| {
        rows.get(place).map(|row| row.ended_at.map_or(now, Timestamp::from_micros).min(now))
    };
    let bounds = [(at_once.saturating_sub(1), SHORT), (at_once, LONG)];
    let free_at =
        bounds.into_iter().filter_map(|(place, pause)| Some(went_out(place)?.after(pause)));
    let free_at = free_at.max().unwrap_or(now).max(now);
    if free_at == now {
        return Ok((told, now));
    }
    let Some(waiting) = rows.iter().find(|row| row.waits) else { return Ok((told, free_at)) };
    let Some(taken) = take_back(tx, waiting.id).await? else { return Ok((told, free_at)) };
    let due_at = taken.due_at(free_at);
    let told = match taken.mail {
        Some(earlier) => told.gathered_with(earlier, taken.queued_at),
        None => told,
    };
    Ok((told, due_at))
}

/// A mail about the same.
#[derive(FromRow)]
struct AboutRow {
    id: Uuid,
    waits: bool,
    ended_at: Option<i64>,
    queued_at: i64,
}

/// A mail that waited and is taken back.
struct TakenBack {
    /// What this version can't read is told no more; how it stands now is.
    mail: Option<Mail>,
    was_tried: bool,
    due_at: Timestamp,
    queued_at: Timestamp,
}

impl TakenBack {
    /// When what takes its place is due: as it was itself, or at this moment if it was tried.
    fn due_at(&self, if_tried: Timestamp) -> Timestamp {
        if self.was_tried { if_tried } else { self.due_at }
    }
}

async fn take_back(tx: &mut Tx, id: Uuid) -> Result<Option<TakenBack>, Failure> {
    let row: Option<(Option<String>, i64, i64, i64)> =
        read!(tx, db => query_as(TAKE_BACK).bind(id).fetch_optional(db))?;
    Ok(row.map(|(facts, attempts, due_at, queued_at)| TakenBack {
        mail: serde_json::from_str(facts.as_deref().unwrap_or_default()).ok(),
        was_tried: attempts > 0,
        due_at: Timestamp::from_micros(due_at),
        queued_at: Timestamp::from_micros(queued_at),
    }))
}

/// Takes back what waits to be sent about an invitation: its link is dead from now on.
pub(crate) async fn drop_queued(tx: &mut Tx, invitation: InvitationId) -> Result<(), Failure> {
    write!(tx, db => query(DROP_QUEUED).bind(Uuid::from(invitation)).execute(db))?;
    Ok(())
}

/// Deletes every mail to somebody, sent or not.
pub(crate) async fn drop_all_to(tx: &mut Tx, to: &EmailAddress) -> Result<(), Failure> {
    write!(tx, db => query(DROP_ALL_TO).bind(to.key()).execute(db))?;
    Ok(())
}

/// Takes back the reset links that wait to be sent to somebody: a newer one replaces them.
pub(crate) async fn drop_queued_resets(tx: &mut Tx, to: &EmailAddress) -> Result<(), Failure> {
    let kind = MailKind::PasswordReset.id();
    write!(tx, db => query(DROP_QUEUED_RESETS).bind(to.key()).bind(kind).execute(db))?;
    Ok(())
}
