//! What the provider's own systems read and write: things by the provider's own ids, in the order in
//! which they changed.

use std::collections::BTreeSet;

use model::{
    AccountId, AccountNumber, Conflict, DoorKey, DoorRef, EmailAddress, Failure, Link, Secret,
    Timestamp,
};
use sqlx::{query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::{Tx, limit, read, sql};
use crate::grants::{ids_in, list};
use crate::{NewActivity, Offer, Store, activity, invitations, locks};

macro_rules! accounts_locked {
    ($db:ident $lock:literal) => {
        concat!("SELECT id FROM accounts WHERE id IN ", ids_in!($db "$1"), " ORDER BY id", $lock)
    };
}

sql! {
    /// The greatest number that a change has.
    LAST_CHANGE = "SELECT last FROM changes";
    ACCOUNT_BY_REF = "SELECT id, number, ref AS reference FROM accounts WHERE ref = $1";
    ACCOUNT_BY_ID = "SELECT id, number, ref AS reference FROM accounts WHERE id = $1";
    ACCOUNT_BY_NUMBER = "SELECT id, number, ref AS reference FROM accounts WHERE number = $1";
    /// In the order of their ids, so that nobody waits in a circle.
    ACCOUNTS_LOCKED = accounts_locked!(sqlite ""), on Postgres accounts_locked!(postgres " FOR UPDATE");
}

/// An account as things name it that belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountKey {
    /// Its id.
    pub id: AccountId,
    /// Its public number.
    pub number: AccountNumber,
    /// The provider's own id of it, if there is one.
    pub reference: Option<DoorRef>,
}

/// A thing as the door keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept<T> {
    /// Its id.
    pub id: Uuid,
    /// The provider's own id of it, if there is one.
    pub reference: Option<DoorRef>,
    /// Whose it is; an account is its own.
    pub account: AccountKey,
    /// When it changed last: greater than that of all that could be read before.
    pub changed: Timestamp,
    /// What it is.
    pub thing: T,
}

/// What one row of a request is about.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The thing.
    pub key: DoorKey,
    /// The account whose it is to be, if the row names one.
    pub account: Option<DoorKey>,
}

/// What becomes of a thing.
#[derive(Clone, Debug)]
pub enum Step<T> {
    /// It stays as it is.
    Leave,
    /// It comes about, or changes, and is this account's. An account is its own.
    Write {
        /// Whose it is; none for an account.
        account: Option<AccountId>,
        /// What it is.
        thing: T,
    },
    /// It is deleted.
    Remove,
}

/// What was decided on a row.
#[derive(Clone, Debug)]
pub struct Decided<T> {
    /// What becomes of the thing.
    pub step: Step<T>,
    /// The id that it gets, if it comes about.
    pub id: Uuid,
    /// The rows of accounts' logs that tell of it.
    pub entries: Vec<(AccountId, NewActivity)>,
    /// Who is invited as the first owner of an account that comes about.
    pub owner: Option<(EmailAddress, Offer)>,
}

/// How a thing was and is.
#[derive(Clone, Debug, PartialEq)]
pub struct Done<T> {
    /// Before; none if it came about.
    pub before: Option<Kept<T>>,
    /// Now; none if it was deleted.
    pub after: Option<Kept<T>>,
}

/// What came of a request's rows, in their order.
#[derive(Clone, Debug)]
pub struct Changes<T, R> {
    /// What came of each, or why nothing did.
    pub rows: Vec<Result<Done<T>, R>>,
    /// Whether it was written: all of it, or nothing.
    pub written: bool,
}

/// Where a page of a list begins: behind this change of this thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The change.
    pub changed: Timestamp,
    /// The thing.
    pub id: Uuid,
}

impl Behind {
    /// The beginning of everything that changed at this moment or later.
    #[must_use]
    pub const fn since(moment: Timestamp) -> Self {
        Self { changed: moment, id: Uuid::nil() }
    }
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct DoorPage<T> {
    /// The things, in the order in which they changed last.
    pub rows: Vec<Kept<T>>,
    /// From when on is to be asked next time, by whoever read all pages.
    pub as_of: Timestamp,
}

#[derive(FromRow)]
struct AccountKeyRow {
    id: Uuid,
    number: i64,
    reference: Option<String>,
}

impl std::convert::From<AccountKeyRow> for AccountKey {
    fn from(row: AccountKeyRow) -> Self {
        Self {
            id: row.id.into(),
            number: AccountNumber::from_stored(row.number),
            reference: row.reference.map(DoorRef::from_stored),
        }
    }
}

/// What stands before the columns of a thing's own.
#[derive(FromRow)]
struct KeptRow<C> {
    id: Uuid,
    reference: Option<String>,
    changed: i64,
    account_id: Uuid,
    account_number: i64,
    account_reference: Option<String>,
    #[sqlx(flatten)]
    columns: C,
}

impl<C, T: std::convert::From<C>> std::convert::From<KeptRow<C>> for Kept<T> {
    fn from(row: KeptRow<C>) -> Self {
        Self {
            id: row.id,
            reference: row.reference.map(DoorRef::from_stored),
            account: AccountKey {
                id: row.account_id.into(),
                number: AccountNumber::from_stored(row.account_number),
                reference: row.account_reference.map(DoorRef::from_stored),
            },
            changed: Timestamp::from_micros(row.changed),
            thing: row.columns.into(),
        }
    }
}

/// How a value stands in the database.
trait Stored: Sized {
    type In;

    fn stored(&self) -> Self::In;

    fn read(stored: Self::In) -> Self;
}

macro_rules! stored_as_it_is {
    ($($kind:ty),*) => {
        $(impl Stored for $kind {
            type In = Self;

            fn stored(&self) -> Self {
                self.clone()
            }

            fn read(stored: Self) -> Self {
                stored
            }
        })*
    };
}

stored_as_it_is!(String, bool, i64);

impl Stored for Timestamp {
    type In = i64;

    fn stored(&self) -> i64 {
        self.as_micros()
    }

    fn read(stored: i64) -> Self {
        Self::from_micros(stored)
    }
}

impl Stored for Secret {
    type In = String;

    fn stored(&self) -> String {
        self.expose().to_owned()
    }

    fn read(stored: String) -> Self {
        stored.into()
    }
}

impl Stored for Option<Link> {
    type In = Option<String>;

    fn stored(&self) -> Option<String> {
        self.as_ref().map(Link::to_string)
    }

    fn read(stored: Option<String>) -> Self {
        stored.map(Link::from_stored)
    }
}

/// The account with this key.
async fn account_key(tx: &mut Tx, key: &DoorKey) -> Result<Option<AccountKey>, Failure> {
    let row: Option<AccountKeyRow> = match key {
        DoorKey::Ref(reference) => {
            let reference = reference.as_str();
            read!(tx, db => query_as(ACCOUNT_BY_REF).bind(reference).fetch_optional(db))?
        }
        DoorKey::Id(id) => read!(tx, db => query_as(ACCOUNT_BY_ID).bind(id).fetch_optional(db))?,
        DoorKey::Number(number) => {
            let number = number.get();
            read!(tx, db => query_as(ACCOUNT_BY_NUMBER).bind(number).fetch_optional(db))?
        }
    };
    Ok(row.map(AccountKey::from))
}

impl Store {
    /// The account with this key.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn account_at_door(&self, key: &DoorKey) -> Result<Option<AccountKey>, Failure> {
        let row: Option<AccountKeyRow> = match key {
            DoorKey::Ref(reference) => {
                let reference = reference.as_str();
                read!(self, db => query_as(ACCOUNT_BY_REF).bind(reference).fetch_optional(db))?
            }
            DoorKey::Id(id) => {
                read!(self, db => query_as(ACCOUNT_BY_ID).bind(id).fetch_optional(db))?
            }
            DoorKey::Number(number) => {
                let number = number.get();
                read!(self, db => query_as(ACCOUNT_BY_NUMBER).bind(number).fetch_optional(db))?
            }
        };
        Ok(row.map(AccountKey::from))
    }

    /// From when on whoever begins to read now is to ask next time. To be asked before what is read.
    pub(crate) async fn as_of(&self) -> Result<Timestamp, Failure> {
        let last: i64 = read!(self, db => query_scalar(LAST_CHANGE).fetch_one(db))?;
        Ok(Timestamp::from_micros(last.saturating_add(1)))
    }
}

/// Locks accounts, in the order of their ids.
async fn lock_accounts(tx: &mut Tx, ids: &BTreeSet<Uuid>) -> Result<(), Failure> {
    let text = ACCOUNTS_LOCKED.on(tx);
    let ids = list(ids.iter().copied());
    let _: Vec<Uuid> = read!(tx, db => query_scalar(text).bind(&ids).fetch_all(db))?;
    Ok(())
}

/// What the statements about a kind of thing begin with.
macro_rules! kept {
    ("accounts", $columns:literal) => {
        concat!(
            "SELECT t.id, t.ref AS reference, t.changed, t.id AS account_id, \
                 t.number AS account_number, t.ref AS account_reference, ",
            $columns,
            " FROM accounts t"
        )
    };
    ($table:literal, $columns:literal) => {
        concat!(
            "SELECT t.id, t.ref AS reference, t.changed, a.id AS account_id, \
                 a.number AS account_number, a.ref AS account_reference, ",
            $columns,
            " FROM ",
            $table,
            " t JOIN accounts a ON a.id = t.account_id"
        )
    };
}

/// Which account a thing is, or whose it is.
macro_rules! owned {
    ("accounts") => {
        "t.id"
    };
    ($table:literal) => {
        "t.account_id"
    };
}

/// Makes all that the door does with a kind of thing: its type, its statements, and the methods of the
/// store, of which one writes and two read.
macro_rules! things {
    (
        $(#[$about:meta])* $module:ident: $thing:ident, $table:tt, $columns:literal,
        insert $insert:literal, update $update:literal,
        by $change:ident, $find:ident, $list:ident,
        { $($(#[$field_about:meta])* $field:ident: $kind:ty,)* }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $thing {
            $($(#[$field_about])* pub $field: $kind,)*
        }

        pub(crate) mod $module {
            use sqlx::query;

            use crate::db::{read, taken_as, write};

            use super::*;

            sql! {
                BY_REF = concat!(kept!($table, $columns), " WHERE t.ref = $1");
                BY_ID = concat!(kept!($table, $columns), " WHERE t.id = $1");
                LIST = concat!(
                    kept!($table, $columns),
                    " WHERE (t.changed, t.id) > ($1, $2) ORDER BY t.changed, t.id LIMIT $3"
                );
                LIST_OF_ACCOUNT = concat!(
                    kept!($table, $columns),
                    " WHERE ", owned!($table), " = $4 AND (t.changed, t.id) > ($1, $2) \
                     ORDER BY t.changed, t.id LIMIT $3"
                );
                OWNED_BY_REF =
                    concat!("SELECT ", owned!($table), " FROM ", $table, " t WHERE t.ref = $1");
                OWNED_BY_ID =
                    concat!("SELECT ", owned!($table), " FROM ", $table, " t WHERE t.id = $1");
                INSERT = $insert;
                UPDATE = $update;
                REMOVE = concat!("DELETE FROM ", $table, " WHERE id = $1");
            }

            #[derive(FromRow)]
            struct Columns {
                $($field: <$kind as Stored>::In,)*
            }

            impl std::convert::From<Columns> for $thing {
                fn from(columns: Columns) -> Self {
                    Self { $($field: Stored::read(columns.$field),)* }
                }
            }

            async fn find(tx: &mut Tx, key: &DoorKey) -> Result<Option<Kept<$thing>>, Failure> {
                let row: Option<KeptRow<Columns>> = match things!(@id tx, $table, key) {
                    DoorKey::Ref(reference) => {
                        let reference = reference.as_str();
                        read!(tx, db => query_as(BY_REF).bind(reference).fetch_optional(db))?
                    }
                    DoorKey::Id(id) => {
                        read!(tx, db => query_as(BY_ID).bind(id).fetch_optional(db))?
                    }
                    DoorKey::Number(_) => None,
                };
                Ok(row.map(Kept::from))
            }

            async fn store(
                tx: &mut Tx,
                new: bool,
                id: Uuid,
                reference: Option<&DoorRef>,
                account: Option<AccountId>,
                thing: &$thing,
                now: Timestamp,
            ) -> Result<(), Failure> {
                let reference = reference.map(DoorRef::as_str);
                let text = if new { INSERT } else { UPDATE };
                things!(@bind $table, tx, text, new, id, reference, account, thing, now, $($field)*)?;
                Ok(())
            }

            impl Store {
                /// The thing with this key, whosever it is.
                ///
                /// # Errors
                /// [`Failure::Unavailable`].
                pub async fn $find(&self, key: &DoorKey) -> Result<Option<Kept<$thing>>, Failure> {
                    let row: Option<KeptRow<Columns>> = match things!(@key_here self, $table, key) {
                        DoorKey::Ref(reference) => {
                            let reference = reference.as_str();
                            read!(self, db => query_as(BY_REF).bind(reference).fetch_optional(db))?
                        }
                        DoorKey::Id(id) => {
                            read!(self, db => query_as(BY_ID).bind(id).fetch_optional(db))?
                        }
                        DoorKey::Number(_) => None,
                    };
                    Ok(row.map(Kept::from))
                }

                /// The things behind this place in the order of changes, of one account or of all, at
                /// most `most`.
                ///
                /// # Errors
                /// [`Failure::Unavailable`].
                pub async fn $list(
                    &self,
                    account: Option<AccountId>,
                    behind: Behind,
                    most: usize,
                ) -> Result<DoorPage<$thing>, Failure> {
                    let as_of = self.as_of().await?;
                    let changed = behind.changed.as_micros();
                    let rows: Vec<KeptRow<Columns>> = match account {
                        None => read!(self, db => query_as(LIST)
                            .bind(changed)
                            .bind(behind.id)
                            .bind(limit(most))
                            .fetch_all(db))?,
                        Some(account) => read!(self, db => query_as(LIST_OF_ACCOUNT)
                            .bind(changed)
                            .bind(behind.id)
                            .bind(limit(most))
                            .bind(Uuid::from(account))
                            .fetch_all(db))?,
                    };
                    Ok(DoorPage { rows: rows.into_iter().map(Kept::from).collect(), as_of })
                }

                /// Changes things as was asked, one row after the other, and logs it: all of it, or
                /// nothing if one row comes to nothing. `decide` is told the number of the row, the
                /// thing as it stands, and the account that the row names. Without `write` it is found
                /// out what would come of it.
                ///
                /// # Errors
                /// [`Conflict::ChangedMeanwhile`], also when somebody else made a thing with the same
                /// key at the same moment; [`Failure::Unavailable`].
                pub async fn $change<R>(
                    &self,
                    asked: &[Asked],
                    write: bool,
                    now: Timestamp,
                    mut decide: impl FnMut(
                        usize,
                        Option<&Kept<$thing>>,
                        Option<&AccountKey>,
                    ) -> Result<Decided<$thing>, R>
                    + Send,
                ) -> Result<Changes<$thing, R>, Failure>
                where
                    R: Send,
                {
                    let mut ids = BTreeSet::new();
                    for row in asked {
                        if let Some(account) = &row.account {
                            let found = self.account_at_door(account).await?;
                            ids.extend(found.map(|account| Uuid::from(account.id)));
                        }
                        let owned: Option<Uuid> = match things!(@key_here self, $table, &row.key) {
                            DoorKey::Ref(reference) => {
                                let reference = reference.as_str();
                                read!(self, db => query_scalar(OWNED_BY_REF)
                                    .bind(reference)
                                    .fetch_optional(db))?
                            }
                            DoorKey::Id(id) => read!(self, db => query_scalar(OWNED_BY_ID)
                                .bind(id)
                                .fetch_optional(db))?,
                            DoorKey::Number(_) => None,
                        };
                        ids.extend(owned);
                    }
                    let mut tx = self.begin_locking(ids.iter().copied()).await?;
                    lock_accounts(&mut tx, &ids).await?;
                    things!(@numbers $table, tx);
                    let meanwhile = || Failure::Conflict(Conflict::ChangedMeanwhile);
                    let mut rows = Vec::with_capacity(asked.len());
                    for (index, row) in asked.iter().enumerate() {
                        let before = find(&mut tx, &row.key).await?;
                        let account = match &row.account {
                            Some(key) => account_key(&mut tx, key).await?,
                            None => None,
                        };
                        let owner = before.as_ref().map(|kept| kept.account.id);
                        let mut touched = owner.into_iter().chain(account.as_ref().map(|a| a.id));
                        if touched.any(|id| !ids.contains(&Uuid::from(id))) {
                            return Err(meanwhile());
                        }
                        let decided = match decide(index, before.as_ref(), account.as_ref()) {
                            Ok(decided) => decided,
                            Err(refused) => {
                                rows.push(Err(refused));
                                continue;
                            }
                        };
                        let id = before.as_ref().map_or(decided.id, |kept| kept.id);
                        let after = match decided.step {
                            Step::Leave => before.clone(),
                            Step::Remove => {
                                write!(tx, db => query(REMOVE).bind(id).execute(db))?;
                                None
                            }
                            Step::Write { account, thing } => {
                                let own = match &row.key {
                                    DoorKey::Ref(reference) => Some(reference),
                                    DoorKey::Id(_) | DoorKey::Number(_) => None,
                                };
                                let new = before.is_none();
                                let known = before.as_ref().and_then(|b| b.reference.as_ref());
                                let reference = known.or(own);
                                store(&mut tx, new, id, reference, account, &thing, now).await?;
                                // What comes about later in the same request may name it.
                                things!(@own $table, ids, id);
                                find(&mut tx, &DoorKey::Id(id)).await?
                            }
                        };
                        for (account, entry) in &decided.entries {
                            activity::append(&mut tx, *account, entry, now).await?;
                        }
                        if let Some((owner, offer)) = decided.owner {
                            invitations::offer_first(&mut tx, id.into(), &owner, offer, now).await?;
                        }
                        rows.push(Ok(Done { before, after }));
                    }
                    let written = write && rows.iter().all(Result::is_ok);
                    if written {
                        tx.commit().await?;
                    }
                    Ok(Changes { rows, written })
                }
            }
        }
    };
    // An account is named by its number, too.
    (@id $tx:ident, "accounts", $key:ident) => {
        match $key {
            DoorKey::Number(_) => match account_key($tx, $key).await? {
                Some(account) => DoorKey::Id(account.id.into()),
                None => return Ok(None),
            },
            key => key.clone(),
        }
    };
    (@id $tx:ident, $table:tt, $key:ident) => { $key };
    (@key_here $store:ident, "accounts", $key:expr) => {
        match $key {
            key @ DoorKey::Number(_) => match $store.account_at_door(key).await? {
                Some(account) => DoorKey::Id(account.id.into()),
                None => key.clone(),
            },
            key => key.clone(),
        }
    };
    (@key_here $store:ident, $table:tt, $key:expr) => { $key };
    (@numbers "accounts", $tx:ident) => { locks::numbers(&mut $tx).await?; };
    (@numbers $table:tt, $tx:ident) => {};
    (@own "accounts", $ids:ident, $id:ident) => { $ids.insert($id); };
    (@own $table:tt, $ids:ident, $id:ident) => {};
    // An account is its own, and notes when it came about.
    (
        @bind "accounts", $tx:ident, $text:ident, $new:ident, $id:ident, $reference:ident,
        $account:ident, $thing:ident, $now:ident, $($field:ident)*
    ) => {{
        let _ = $account;
        write!($tx, db => {
            let asked = query($text).bind($id).bind($reference);
            $(let asked = asked.bind(Stored::stored(&$thing.$field));)*
            let asked = if $new { asked.bind($now.as_micros()) } else { asked };
            asked.execute(db)
        }, taken_as(Conflict::ChangedMeanwhile))
    }};
    (
        @bind $table:tt, $tx:ident, $text:ident, $new:ident, $id:ident, $reference:ident,
        $account:ident, $thing:ident, $now:ident, $($field:ident)*
    ) => {{
        let _ = $now;
        write!($tx, db => {
            let asked = query($text).bind($id).bind($reference).bind($account.map(Uuid::from));
            $(let asked = asked.bind(Stored::stored(&$thing.$field));)*
            asked.execute(db)
        }, taken_as(Conflict::ChangedMeanwhile))
    }};
}

things! {
    /// An account, as the provider keeps it.
    accounts: DoorAccount, "accounts",
        "t.name, t.street, t.postal_code, t.town, t.country, coalesce(t.time_zone, '') AS time_zone",
        insert "INSERT INTO accounts \
                    (id, ref, number, name, street, postal_code, town, country, time_zone, \
                     created_at) \
                SELECT $1, $2, coalesce(max(number), 100000) + 1, $3, $4, $5, $6, $7, \
                    nullif($8, ''), $9 \
                FROM accounts",
        update "UPDATE accounts \
                SET ref = $2, name = $3, street = $4, postal_code = $5, town = $6, country = $7, \
                    time_zone = nullif($8, '') \
                WHERE id = $1",
        by change_accounts_at_door, find_account_at_door, list_accounts_at_door,
    {
        /// Its name.
        name: String,
        /// Street and number.
        street: String,
        /// Postal code.
        postal_code: String,
        /// Town.
        town: String,
        /// Country.
        country: String,
        /// The time zone in which its days end; empty for the provider's.
        time_zone: String,
    }
}

things! {
    /// A service, as the provider keeps it.
    services: DoorService, "services",
        "t.name, t.plan, t.state, t.renews_at, t.login_name, t.login_password, t.open_link, t.renew_link",
        insert "INSERT INTO services \
                    (id, ref, account_id, name, plan, state, renews_at, login_name, login_password, \
                     open_link, renew_link) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        update "UPDATE services \
                SET ref = $2, account_id = $3, name = $4, plan = $5, state = $6, renews_at = $7, \
                    login_name = $8, login_password = $9, open_link = $10, renew_link = $11 \
                WHERE id = $1",
        by change_services_at_door, find_service_at_door, list_services_at_door,
    {
        /// Its name.
        name: String,
        /// What was ordered.
        plan: String,
        /// `active`, `suspended` or `ended`.
        state: String,
        /// When it renews.
        renews_at: Timestamp,
        /// The login name at the service; empty if it has none.
        login_name: String,
        /// The password at the service; empty if it has none.
        login_password: Secret,
        /// Where it is signed in to.
        open_link: Option<Link>,
        /// Where it is renewed.
        renew_link: Option<Link>,
    }
}

things! {
    /// A domain, as the provider keeps it.
    domains: DoorDomain, "domains", "t.name, t.state, t.expires_at, t.locked, t.renew_link",
        insert "INSERT INTO domains \
                    (id, ref, account_id, name, state, expires_at, locked, renew_link) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        update "UPDATE domains \
                SET ref = $2, account_id = $3, name = $4, state = $5, expires_at = $6, locked = $7, \
                    renew_link = $8 \
                WHERE id = $1",
        by change_domains_at_door, find_domain_at_door, list_domains_at_door,
    {
        /// The name.
        name: String,
        /// `active`, `transferring` or `expired`.
        state: String,
        /// When it runs out.
        expires_at: Timestamp,
        /// Whether transfers away are locked.
        locked: bool,
        /// Where it is renewed.
        renew_link: Option<Link>,
    }
}

things! {
    /// An invoice, as the provider keeps it.
    invoices: DoorInvoice, "invoices",
        "t.number, t.issued_at, t.due_at, t.total_minor, t.currency, t.state, t.pay_link, t.pdf_link",
        insert "INSERT INTO invoices \
                    (id, ref, account_id, number, issued_at, due_at, total_minor, currency, state, \
                     pay_link, pdf_link) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        update "UPDATE invoices \
                SET ref = $2, account_id = $3, number = $4, issued_at = $5, due_at = $6, \
                    total_minor = $7, currency = $8, state = $9, pay_link = $10, pdf_link = $11 \
                WHERE id = $1",
        by change_invoices_at_door, find_invoice_at_door, list_invoices_at_door,
    {
        /// Its number as printed.
        number: String,
        /// When it was issued.
        issued_at: Timestamp,
        /// When it is due.
        due_at: Timestamp,
        /// The total in the currency's smallest unit.
        total_minor: i64,
        /// The currency (ISO 4217).
        currency: String,
        /// `open`, `overdue` or `paid`.
        state: String,
        /// Where it is paid.
        pay_link: Option<Link>,
        /// Where it is read as it was printed.
        pdf_link: Option<Link>,
    }
}

things! {
    /// A support request, as the provider keeps it.
    support_requests: DoorSupportRequest, "support_requests",
        "t.number, t.subject, t.state, t.opened_by, t.updated_at, t.open_link",
        insert "INSERT INTO support_requests \
                    (id, ref, account_id, number, subject, state, opened_by, updated_at, open_link) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        update "UPDATE support_requests \
                SET ref = $2, account_id = $3, number = $4, subject = $5, state = $6, \
                    opened_by = $7, updated_at = $8, open_link = $9 \
                WHERE id = $1",
        by change_support_requests_at_door, find_support_request_at_door,
            list_support_requests_at_door,
    {
        /// Its number as shown.
        number: String,
        /// What it is about.
        subject: String,
        /// `open`, `answered` or `closed`.
        state: String,
        /// Who opened it.
        opened_by: String,
        /// When something was last said.
        updated_at: Timestamp,
        /// Where it is answered.
        open_link: Option<Link>,
    }
}
