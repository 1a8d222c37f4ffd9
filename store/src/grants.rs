//! Grants: what memberships that are no owner's hold, with the services and domains that they name.
//! They are read in three ways: as keys, by which a request is checked; in rows, which tell how many
//! things they reach; and by name, under the account's lock, for giving and taking back.

use std::collections::{BTreeSet, HashMap};

use model::{
    Access, AccessOutline, AccountId, EndStage, Failure, GivenAccess, GivenGrant, GrantId, Key,
    Keys, Noted, NotedGrant, Outline, Permission, PermissionSet, Reach, Reached, Terms, Through,
    Timestamp, UserId,
};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use sqlx::{query, query_as};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::Store;
use crate::db::{Differing, Tx, count, new_id, read, sql, write};

/// An id as text, as a part of SQL for one of the two databases.
macro_rules! id_text {
    (sqlite $id:literal) => {
        concat!("hex(", $id, ")")
    };
    (postgres $id:literal) => {
        concat!("CAST(", $id, " AS TEXT)")
    };
}

/// The texts of several rows as one.
macro_rules! joined {
    (sqlite $text:expr, $between:literal) => {
        concat!("group_concat(", $text, ", '", $between, "')")
    };
    (postgres $text:expr, $between:literal) => {
        concat!("string_agg(", $text, ", '", $between, "')")
    };
}

/// The ids of a parameter that [`list`] wrote.
macro_rules! ids_in {
    (sqlite $list:literal) => {
        concat!("(SELECT unhex(value, '-') FROM json_each(", $list, "))")
    };
    (postgres $list:literal) => {
        concat!(
            "(SELECT CAST(id AS UUID) FROM json_array_elements_text(CAST(",
            $list,
            " AS JSON)) AS listed (id))"
        )
    };
}

/// A part of a parameter that [`holder`] wrote: an id.
macro_rules! id_in {
    (sqlite $holder:literal, $name:literal) => {
        concat!("unhex(json_extract(", $holder, ", '$.", $name, "'), '-')")
    };
    (postgres $holder:literal, $name:literal) => {
        concat!("CAST(CAST(", $holder, " AS JSON) ->> '", $name, "' AS UUID)")
    };
}

/// A part of it: the moment at which somebody's grants haven't lapsed.
macro_rules! moment_in {
    (sqlite $holder:literal) => {
        concat!("json_extract(", $holder, ", '$.at')")
    };
    (postgres $holder:literal) => {
        concat!("CAST(CAST(", $holder, " AS JSON) ->> 'at' AS BIGINT)")
    };
}

/// Whether the grant or draft `h` has one of the permissions that are a part of it. `IS TRUE` keeps SQLite
/// from asking that of each thing that the grant names, instead of the grant.
macro_rules! opens {
    (sqlite $holder:literal) => {
        $crate::grants::opens!(@ concat!("json_each(", $holder, ", '$.permissions') AS p"))
    };
    (postgres $holder:literal) => {
        $crate::grants::opens!(@ concat!(
            "json_array_elements_text(CAST(", $holder, " AS JSON) -> 'permissions') AS p (value)"
        ))
    };
    (@ $patterns:expr) => {
        concat!(
            " AND EXISTS (SELECT 1 FROM ",
            $patterns,
            " WHERE (' ' || h.permissions || ' ') LIKE p.value ESCAPE '!') IS TRUE"
        )
    };
}

/// A column of the grants `h` in the account $1 that are whoever's a parameter that [`holder`] wrote
/// tells, have not lapsed and name things `n`, and in the same manner of their draft. They are found by
/// the grants, of which somebody has few, and not by the things, which many grants name.
macro_rules! through {
    ($db:ident $column:expr, $things:literal, $holder:literal, $($which:expr),+) => {
        concat!(
            "SELECT ",
            $column,
            " FROM grants h CROSS JOIN grant_",
            $things,
            " n WHERE h.account_id = $1 AND h.user_id = ",
            $crate::grants::id_in!($db $holder, "user"),
            " AND h.id IS DISTINCT FROM ",
            $crate::grants::id_in!($db $holder, "changes"),
            " AND (h.until IS NULL OR h.until > ",
            $crate::grants::moment_in!($db $holder),
            ") AND n.grant_id = h.id",
            $($which,)+
            " UNION ALL SELECT ",
            $column,
            " FROM drafts h CROSS JOIN draft_",
            $things,
            " n WHERE h.account_id = $1 AND h.id = ",
            $crate::grants::id_in!($db $holder, "draft"),
            " AND (h.until IS NULL OR h.until > ",
            $crate::grants::moment_in!($db $holder),
            ") AND n.draft_id = h.id",
            $($which),+
        )
    };
}

/// Which things of a kind belong to a row, as one text.
macro_rules! named {
    ($db:ident $thing:literal, $table:literal, $owner:literal, $id:literal) => {
        concat!(
            "(SELECT ",
            $crate::grants::joined!($db $crate::grants::id_text!($db $thing), ","),
            " FROM ",
            $table,
            " n WHERE n.",
            $owner,
            " = ",
            $id,
            ")"
        )
    };
}

pub(crate) use {id_in, id_text, ids_in, joined, moment_in, named, opens, through};

macro_rules! rows {
    ($($which:expr),+) => {
        concat!(
            "SELECT g.account_id, g.user_id, g.id, g.permissions, g.all_services, g.all_domains, \
                 (SELECT count(*) FROM grant_services n WHERE n.grant_id = g.id) AS services, \
                 (SELECT count(*) FROM grant_domains n WHERE n.grant_id = g.id) AS domains, \
                 g.until, g.why, u.full_name AS given_by, g.given_at \
             FROM grants g LEFT JOIN users u ON u.id = g.given_by WHERE ",
            $($which,)+
            " ORDER BY g.id"
        )
    };
}

/// What `m`, who isn't an owner, holds in rows, as JSON.
macro_rules! held_json {
    (sqlite) => {
        $crate::grants::held_json!(@ "json_group_array(json_object('id', hex(g.id)", "")
    };
    (postgres) => {
        $crate::grants::held_json!(@ "CAST(json_agg(json_build_object('id', g.id", " AS TEXT)")
    };
    (@ $begin:literal, $end:literal) => {
        concat!(
            "CASE WHEN NOT m.owner THEN (SELECT ",
            $begin,
            ", 'permissions', g.permissions, \
                'all_services', CAST(g.all_services AS INTEGER), \
                'all_domains', CAST(g.all_domains AS INTEGER), \
                'services', (SELECT count(*) FROM grant_services n WHERE n.grant_id = g.id), \
                'domains', (SELECT count(*) FROM grant_domains n WHERE n.grant_id = g.id), \
                'until', g.until, 'why', g.why, 'given_by', y.full_name, \
                'given_at', g.given_at) ORDER BY g.id)",
            $end,
            " FROM grants g LEFT JOIN users y ON y.id = g.given_by \
              WHERE g.account_id = m.account_id AND g.user_id = m.user_id) END AS held, "
        )
    };
}

pub(crate) use held_json;

macro_rules! of_members {
    ($db:ident) => {
        rows!("g.account_id = $1 AND g.user_id IN ", ids_in!($db "$2"))
    };
}

macro_rules! of_accounts {
    ($db:ident) => {
        rows!("g.user_id = $1 AND g.account_id IN ", ids_in!($db "$2"))
    };
}

macro_rules! by_name {
    ($db:ident) => {
        concat!(
            "SELECT g.user_id, g.id, g.permissions, g.all_services, g.all_domains, ",
            named!($db "n.service_id", "grant_services", "grant_id", "g.id"),
            " AS services, ",
            named!($db "n.domain_id", "grant_domains", "grant_id", "g.id"),
            " AS domains, g.until, g.why, g.given_by, g.given_at \
             FROM grants g WHERE g.account_id = $1 AND g.user_id IN ",
            ids_in!($db "$2"),
            " ORDER BY g.id"
        )
    };
}

/// Names things for a grant or an invitation. Those that aren't the account's, or are deleted by now,
/// are left out.
macro_rules! name {
    (sqlite $into:literal, $things:literal) => {
        concat!(
            "INSERT INTO ",
            $into,
            " SELECT $1, t.id FROM ",
            $things,
            " t WHERE t.account_id = $2 AND t.id IN ",
            $crate::grants::ids_in!(sqlite "$3")
        )
    };
    (postgres $into:literal, $things:literal) => {
        concat!(
            "INSERT INTO ",
            $into,
            " SELECT CAST($1 AS UUID), t.id FROM ",
            $things,
            " t WHERE t.account_id = $2 AND t.id IN ",
            $crate::grants::ids_in!(postgres "$3"),
            " FOR KEY SHARE OF t"
        )
    };
}

pub(crate) use name;

sql! {
    OF_MEMBERS = of_members!(sqlite), on Postgres of_members!(postgres);
    OF_ACCOUNTS = of_accounts!(sqlite), on Postgres of_accounts!(postgres);
    BY_NAME = by_name!(sqlite), on Postgres by_name!(postgres);
    INSERT = "INSERT INTO grants \
                  (id, account_id, user_id, permissions, all_services, all_domains, until, why, \
                   given_by, given_at, told) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    /// Another end is told of anew.
    CHANGE = "UPDATE grants SET permissions = $2, all_services = $3, all_domains = $4, \
                  until = $5, why = $6, given_by = $7, given_at = $8, \
                  told = CASE WHEN until = $5 THEN told ELSE $9 END \
              WHERE id = $1";
    END = "DELETE FROM grants WHERE id = $1";
    FORGET_SERVICES = "DELETE FROM grant_services WHERE grant_id = $1";
    FORGET_DOMAINS = "DELETE FROM grant_domains WHERE grant_id = $1";
    NAME_SERVICES = name!(sqlite "grant_services", "services"),
        on Postgres name!(postgres "grant_services", "services");
    NAME_DOMAINS = name!(sqlite "grant_domains", "domains"),
        on Postgres name!(postgres "grant_domains", "domains");
}

/// A grant, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// What it opens, and until when.
    pub terms: Terms,
    /// Why it was given; empty if nobody said.
    pub why: String,
    /// Who gave it; none for the provider, and for somebody who is gone.
    pub given_by: Option<UserId>,
    /// When it was given, or changed last.
    pub given_at: Timestamp,
}

/// What a membership holds, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    /// Everything, always.
    Owner,
    /// These grants, in the order of their ids.
    Granted(Vec<Grant>),
}

impl Holding {
    /// The grants; an owner needs none.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        match self {
            Self::Owner => &[],
            Self::Granted(grants) => grants,
        }
    }

    /// What it opens, lapsed or not.
    #[must_use]
    pub fn access(&self) -> Access {
        match self {
            Self::Owner => Access::Owner,
            Self::Granted(grants) => grants.iter().map(|grant| grant.terms.clone()).collect(),
        }
    }

    /// What opens something at this moment.
    pub(crate) fn keys(&self, now: Timestamp) -> Keys {
        match self {
            Self::Owner => Keys::Owner,
            Self::Granted(grants) => {
                let live = grants.iter().filter(|grant| grant.terms.is_live(now));
                Keys::Granted(live.map(|grant| Key::of(&grant.terms)).collect())
            }
        }
    }
}

/// What a row of the log notes of it.
impl From<&Holding> for Noted {
    fn from(holding: &Holding) -> Self {
        match holding {
            Holding::Owner => Self::Owner,
            Holding::Granted(grants) => {
                grants.iter().map(|grant| NotedGrant::of(&grant.terms, &grant.why)).collect()
            }
        }
    }
}

/// A grant in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// Its id.
    pub id: GrantId,
    /// What it opens, in numbers, and until when.
    pub outline: Outline,
    /// Why it was given; empty if nobody said.
    pub why: String,
    /// Who gave it, by name, if that is known.
    pub given_by: Option<String>,
    /// When it was given, or changed last.
    pub given_at: Timestamp,
}

/// What a membership holds, in rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Everything, always.
    Owner,
    /// These grants, in the order of their ids.
    Granted(Vec<GrantRow>),
}

impl Held {
    /// Whether it is an owner's.
    #[must_use]
    pub const fn is_owner(&self) -> bool {
        matches!(self, Self::Owner)
    }

    /// When its last grant ended, if all of them did.
    #[must_use]
    pub fn lapsed_at(&self, now: Timestamp) -> Option<Timestamp> {
        let Self::Granted(rows) = self else { return None };
        let ends: Option<Vec<_>> = rows.iter().map(|row| row.outline.until).collect();
        ends?.into_iter().max().filter(|last| *last <= now)
    }

    /// The grants; an owner needs none.
    #[must_use]
    pub fn grants(&self) -> &[GrantRow] {
        match self {
            Self::Owner => &[],
            Self::Granted(rows) => rows,
        }
    }

    /// The same without what only rows tell; lapsed grants are in it.
    #[must_use]
    pub fn outline(&self) -> AccessOutline {
        match self {
            Self::Owner => AccessOutline::Owner,
            Self::Granted(rows) => {
                AccessOutline::Granted(rows.iter().map(|row| row.outline).collect())
            }
        }
    }

    /// An owner's, or what is to be filled in.
    pub(crate) const fn begun(owner: bool) -> Self {
        if owner { Self::Owner } else { Self::Granted(Vec::new()) }
    }

    pub(crate) fn fill(&mut self, found: Option<Vec<GrantRow>>) {
        if let Self::Granted(rows) = self {
            *rows = found.unwrap_or_default();
        }
    }
}

#[derive(FromRow)]
struct Row {
    account_id: Uuid,
    user_id: Uuid,
    #[sqlx(flatten)]
    grant: Columns,
}

#[derive(FromRow, Deserialize)]
struct Columns {
    id: Uuid,
    permissions: String,
    #[serde(deserialize_with = "is_one")]
    all_services: bool,
    #[serde(deserialize_with = "is_one")]
    all_domains: bool,
    services: i64,
    domains: i64,
    until: Option<i64>,
    why: String,
    given_by: Option<String>,
    given_at: i64,
}

fn is_one<'de, D: Deserializer<'de>>(number: D) -> Result<bool, D::Error> {
    u8::deserialize(number).map(|number| number == 1)
}

/// What [`held_json!`] reads.
pub(crate) fn read_held(stored: &str) -> Result<Vec<GrantRow>, Failure> {
    let rows: Vec<Columns> = serde_json::from_str(stored).map_err(|error| {
        tracing::error!(%error, "grants can't be read");
        Failure::Unavailable
    })?;
    Ok(rows.into_iter().map(GrantRow::from).collect())
}

impl From<Row> for GrantRow {
    fn from(row: Row) -> Self {
        row.grant.into()
    }
}

impl From<Columns> for GrantRow {
    fn from(row: Columns) -> Self {
        let permissions = PermissionSet::from_stored(&row.permissions);
        let has = |area| permissions.in_area(area).next().is_some();
        let reached = |area, all, things| match all || !has(area) {
            true => Reached::All,
            false => Reached::These(count(things)),
        };
        Self {
            id: row.id.into(),
            outline: Outline {
                permissions,
                services: reached(model::Area::Services, row.all_services, row.services),
                domains: reached(model::Area::Domains, row.all_domains, row.domains),
                until: row.until.map(Timestamp::from_micros),
            },
            why: row.why,
            given_by: row.given_by,
            given_at: Timestamp::from_micros(row.given_at),
        }
    }
}

/// Terms as a row of a grant, or of an invitation that offers one, holds them.
#[derive(FromRow)]
pub(crate) struct TermsRow {
    pub(crate) permissions: String,
    all_services: bool,
    all_domains: bool,
    pub(crate) services: Option<String>,
    pub(crate) domains: Option<String>,
    until: Option<i64>,
}

impl From<TermsRow> for Terms {
    fn from(row: TermsRow) -> Self {
        let reach = |all, ids: Option<String>| Reach::of(all, ids_of(ids.as_deref()));
        Self {
            permissions: PermissionSet::from_stored(&row.permissions),
            services: reach(row.all_services, row.services),
            domains: reach(row.all_domains, row.domains),
            until: row.until.map(Timestamp::from_micros),
        }
        .opening()
    }
}

#[derive(FromRow)]
struct ByNameRow {
    user_id: Uuid,
    id: Uuid,
    #[sqlx(flatten)]
    terms: TermsRow,
    why: String,
    given_by: Option<Uuid>,
    given_at: i64,
}

impl From<ByNameRow> for Grant {
    fn from(row: ByNameRow) -> Self {
        Self {
            id: row.id.into(),
            terms: row.terms.into(),
            why: row.why,
            given_by: row.given_by.map(UserId::from),
            given_at: Timestamp::from_micros(row.given_at),
        }
    }
}

impl Store {
    /// Fills in what these members of an account hold.
    pub(crate) async fn fill_members<'a>(
        &self,
        account: AccountId,
        members: impl Iterator<Item = (UserId, &'a mut Held)>,
    ) -> Result<(), Failure> {
        let mut members = granted(members);
        if members.is_empty() {
            return Ok(());
        }
        let users = list(members.iter().map(|(user, _)| Uuid::from(*user)));
        let text = OF_MEMBERS.at(self);
        let rows: Vec<Row> = read!(self, db => query_as(text)
            .bind(Uuid::from(account))
            .bind(&users)
            .fetch_all(db))?;
        let mut found = grouped(rows, |row| row.user_id);
        for (user, held) in &mut members {
            held.fill(found.remove(&Uuid::from(*user)));
        }
        Ok(())
    }

    /// Fills in what a user holds in these accounts.
    pub(crate) async fn fill_accounts<'a>(
        &self,
        user: UserId,
        accounts: impl Iterator<Item = (AccountId, &'a mut Held)>,
    ) -> Result<(), Failure> {
        let mut accounts = granted(accounts);
        if accounts.is_empty() {
            return Ok(());
        }
        let ids = list(accounts.iter().map(|(account, _)| Uuid::from(*account)));
        let text = OF_ACCOUNTS.at(self);
        let rows: Vec<Row> = read!(self, db => query_as(text)
            .bind(Uuid::from(user))
            .bind(&ids)
            .fetch_all(db))?;
        let mut found = grouped(rows, |row| row.account_id);
        for (account, held) in &mut accounts {
            held.fill(found.remove(&Uuid::from(*account)));
        }
        Ok(())
    }

    /// What a user of an account holds in rows; `owner` is whether they own it.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn held(
        &self,
        account: AccountId,
        user: UserId,
        owner: bool,
    ) -> Result<Held, Failure> {
        let mut held = Held::begun(owner);
        self.fill_members(account, std::iter::once((user, &mut held))).await?;
        Ok(held)
    }

    /// What a user of an account holds by name; `owner` is whether they own it.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn holding(
        &self,
        account: AccountId,
        user: UserId,
        owner: bool,
    ) -> Result<Holding, Failure> {
        if owner {
            return Ok(Holding::Owner);
        }
        let user = Uuid::from(user);
        let found = self.grants_of(account, &BTreeSet::from([user])).await?.remove(&user);
        Ok(Holding::Granted(found.unwrap_or_default()))
    }

    /// What these users of an account hold by name, unless they own it.
    pub(crate) async fn grants_of(
        &self,
        account: AccountId,
        users: &BTreeSet<Uuid>,
    ) -> Result<HashMap<Uuid, Vec<Grant>>, Failure> {
        if users.is_empty() {
            return Ok(HashMap::new());
        }
        let text = BY_NAME.at(self);
        let users = list(users.iter().copied());
        let rows: Vec<ByNameRow> = read!(self, db => query_as(text)
            .bind(Uuid::from(account))
            .bind(&users)
            .fetch_all(db))?;
        Ok(grouped(rows, |row| row.user_id))
    }
}

/// What a user of an account, which is locked, holds by name.
pub(crate) async fn holding(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
    owner: bool,
) -> Result<Holding, Failure> {
    if owner {
        return Ok(Holding::Owner);
    }
    let user = Uuid::from(user);
    let found = held_by(tx, account, [user]).await?.remove(&user);
    Ok(Holding::Granted(found.unwrap_or_default()))
}

/// What these users of an account, which is locked, hold by name, unless they own it.
pub(crate) async fn held_by(
    tx: &mut Tx,
    account: AccountId,
    users: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Vec<Grant>>, Failure> {
    let text = BY_NAME.on(tx);
    let users = list(users);
    let rows: Vec<ByNameRow> = read!(tx, db => query_as(text)
        .bind(Uuid::from(account))
        .bind(&users)
        .fetch_all(db))?;
    Ok(grouped(rows, |row| row.user_id))
}

/// What a user of an account, which is locked, holds in rows.
pub(crate) async fn held(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
    owner: bool,
) -> Result<Held, Failure> {
    if owner {
        return Ok(Held::Owner);
    }
    let mut found = rows_of(tx, account, &BTreeSet::from([Uuid::from(user)])).await?;
    Ok(Held::Granted(found.remove(&Uuid::from(user)).unwrap_or_default()))
}

/// What these users of an account, which is locked, hold in rows, unless they own it.
pub(crate) async fn rows_of(
    tx: &mut Tx,
    account: AccountId,
    users: &BTreeSet<Uuid>,
) -> Result<HashMap<Uuid, Vec<GrantRow>>, Failure> {
    let text = OF_MEMBERS.on(tx);
    let users = list(users.iter().copied());
    let rows: Vec<Row> = read!(tx, db => query_as(text)
        .bind(Uuid::from(account))
        .bind(&users)
        .fetch_all(db))?;
    Ok(grouped(rows, |row| row.user_id))
}

/// Gives somebody who just joined an account, which is locked, what they are given.
pub(crate) async fn begin(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
    given: &GivenAccess,
    given_by: Option<UserId>,
    now: Timestamp,
) -> Result<(), Failure> {
    for GivenGrant { terms, why } in given.grants() {
        let (id, terms, why) = (new_id(now).into(), terms.clone(), why.clone());
        let grant = Grant { id, terms, why, given_by, given_at: now };
        insert(tx, account, user, &grant, now).await?;
    }
    Ok(())
}

/// Has somebody hold other grants than before, in an account that is locked. A grant is the same if
/// its id is.
pub(crate) async fn replace(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
    before: &[Grant],
    after: &[Grant],
    now: Timestamp,
) -> Result<(), Failure> {
    for ended in before.iter().filter(|grant| after.iter().all(|kept| kept.id != grant.id)) {
        write!(tx, db => query(END).bind(Uuid::from(ended.id)).execute(db))?;
    }
    for grant in after {
        match before.iter().find(|earlier| earlier.id == grant.id) {
            Some(same) if same == grant => {}
            Some(_) => change(tx, account, grant, now).await?,
            None => insert(tx, account, user, grant, now).await?,
        }
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    account: AccountId,
    user: UserId,
    grant: &Grant,
    now: Timestamp,
) -> Result<(), Failure> {
    let terms = &grant.terms;
    write!(tx, db => query(INSERT)
        .bind(Uuid::from(grant.id))
        .bind(Uuid::from(account))
        .bind(Uuid::from(user))
        .bind(terms.permissions.to_stored())
        .bind(terms.services.is_all())
        .bind(terms.domains.is_all())
        .bind(terms.until.map(Timestamp::as_micros))
        .bind(&grant.why)
        .bind(grant.given_by.map(Uuid::from))
        .bind(grant.given_at.as_micros())
        .bind(known_end(terms, now))
        .execute(db))?;
    name_things(tx, account, grant.id.into(), terms, [NAME_SERVICES, NAME_DOMAINS]).await
}

/// How near the end is as it is given: whoever gives it, and gets it, knows that.
fn known_end(terms: &Terms, now: Timestamp) -> i64 {
    terms.until.and_then(|until| EndStage::of(until, now)).map_or(0, EndStage::number)
}

async fn change(
    tx: &mut Tx,
    account: AccountId,
    grant: &Grant,
    now: Timestamp,
) -> Result<(), Failure> {
    let (id, terms) = (Uuid::from(grant.id), &grant.terms);
    write!(tx, db => query(CHANGE)
        .bind(id)
        .bind(terms.permissions.to_stored())
        .bind(terms.services.is_all())
        .bind(terms.domains.is_all())
        .bind(terms.until.map(Timestamp::as_micros))
        .bind(&grant.why)
        .bind(grant.given_by.map(Uuid::from))
        .bind(grant.given_at.as_micros())
        .bind(known_end(terms, now))
        .execute(db))?;
    for forget in [FORGET_SERVICES, FORGET_DOMAINS] {
        write!(tx, db => query(forget).bind(id).execute(db))?;
    }
    name_things(tx, account, id, terms, [NAME_SERVICES, NAME_DOMAINS]).await
}

/// Writes which services and domains of the account are named by what has this id.
pub(crate) async fn name_things(
    tx: &mut Tx,
    account: AccountId,
    id: Uuid,
    terms: &Terms,
    [services, domains]: [Differing; 2],
) -> Result<(), Failure> {
    for (text, reach) in [(services, &terms.services), (domains, &terms.domains)] {
        let Reach::These(things) = reach else { continue };
        if things.is_empty() {
            continue;
        }
        let (text, things) = (text.on(tx), list(things.iter().copied()));
        write!(tx, db => query(text)
            .bind(id)
            .bind(Uuid::from(account))
            .bind(&things)
            .execute(db))?;
    }
    Ok(())
}

/// The keys that a membership keeps, as they are at a moment: those of grants that haven't lapsed, and
/// when the last of all did or will, unless one has no end.
pub(crate) fn read_keys(kept: &str, now: Timestamp) -> (Vec<Key>, Option<Timestamp>) {
    let mut live = Vec::new();
    let mut ends = Vec::new();
    for kind in kept.split_terminator(';') {
        let mut parts = kind.splitn(4, ' ');
        let mut part = || parts.next().unwrap_or_default();
        let until = part().parse().ok().map(Timestamp::from_micros);
        let (all_services, all_domains) = (part() == "1", part() == "1");
        ends.push(until);
        if until.is_none_or(|until| now < until) {
            let permissions = PermissionSet::from_stored(part());
            live.push(Key { permissions, all_services, all_domains });
        }
    }
    let ends: Option<Vec<_>> = ends.into_iter().collect();
    (live, ends.and_then(|ends| ends.into_iter().max()))
}

/// Whose grants things are to be named by as one parameter, which [`through!`] and [`opens!`] take
/// apart; of nobody, nothing is named.
pub(crate) fn holder(through: Option<&Through>) -> String {
    let Some(Through { user, permissions, draft, at }) = through else { return "{}".to_owned() };
    let patterns: Vec<_> = permissions.iter().copied().map(pattern).collect();
    let id = |id: GrantId| Uuid::from(id).to_string();
    json!({
        "user": Uuid::from(*user).to_string(),
        "permissions": patterns,
        "draft": draft.map(|draft| id(draft.id)),
        "changes": draft.and_then(|draft| draft.changes).map(id),
        "at": at.as_micros(),
    })
    .to_string()
}

/// The LIKE pattern that stored permissions with a space around them fit if this one is among them.
pub(crate) fn pattern(permission: Permission) -> String {
    format!("% {} %", permission.id().replace('_', "!_"))
}

/// Ids as one parameter: [`ids_in!`] takes it apart.
pub(crate) fn list(ids: impl IntoIterator<Item = Uuid>) -> String {
    let ids: Vec<_> = ids.into_iter().map(|id| format!("\"{id}\"")).collect();
    format!("[{}]", ids.join(","))
}

/// The ids that [`joined!`] put into one text, set apart by commas.
pub(crate) fn ids_of(text: Option<&str>) -> impl Iterator<Item = Uuid> {
    let ids = text.unwrap_or_default().split(',');
    ids.filter_map(|id| Uuid::parse_str(id).ok())
}

/// Those of whom there is something to fill in.
fn granted<'a, T>(memberships: impl Iterator<Item = (T, &'a mut Held)>) -> Vec<(T, &'a mut Held)> {
    memberships.filter(|(_, held)| !held.is_owner()).collect()
}

fn grouped<R, T: From<R>>(rows: Vec<R>, by: impl Fn(&R) -> Uuid) -> HashMap<Uuid, Vec<T>> {
    let mut found: HashMap<Uuid, Vec<T>> = HashMap::new();
    for row in rows {
        found.entry(by(&row)).or_default().push(row.into());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_kept() {
        let at = Timestamp::from_micros;
        let key = |permissions: &[Permission], all_services, all_domains| Key {
            permissions: permissions.iter().copied().collect(),
            all_services,
            all_domains,
        };
        let [view, pay] = [Permission::ServicesView, Permission::BillingPay];
        let (bookkeeper, nothing) = (key(&[pay], true, false), key(&[], false, true));
        let kept = "90 1 0 billing.pay;- 0 1 ;70 0 0 services.view";
        assert_eq!(read_keys(kept, at(69)).0, [bookkeeper, nothing, key(&[view], false, false)]);
        assert_eq!(
            read_keys(kept, at(70)),
            (vec![bookkeeper, nothing], None),
            "at the very moment"
        );
        assert_eq!(read_keys(kept, at(90)).0, [nothing]);
        assert_eq!(read_keys("90 1 0 billing.pay;70 0 0 ", at(90)), (Vec::new(), Some(at(90))));
        assert_eq!(read_keys("", at(0)), (Vec::new(), None));
    }
}
