//! What the areas show: services, domains, invoices and support requests.

use std::collections::BTreeSet;

use model::{
    AccountId, Actor, Area, Failure, Keys, Link, ListPlace, NamedBy, PermissionSet, Scope, Through,
    Timestamp, UserId,
};
use sqlx::{query, query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::Store;
use crate::db::{Differing, Tx, count, limit, plain, read, sql, write};
use crate::grants::{holder, ids_in, joined, list, opens, through};

/// Whether one of the grants or drafts that [`holder`] wrote down names a thing `t` of the account $1.
macro_rules! is_named {
    ($db:ident $things:literal, $id:literal, $holder:literal) => {
        concat!(
            "t.id IN (",
            $crate::grants::through!(
                $db concat!("n.", $id), $things, $holder, $crate::grants::opens!($db $holder)
            ),
            ")"
        )
    };
}

/// One of a scope's conditions, which a thing `t` of the account $1 fulfils: any does, or one of these
/// grants or drafts names it.
macro_rules! fulfils {
    ($db:ident $things:literal, $id:literal, $any:literal, $holder:literal) => {
        concat!("(", $any, " OR ", $crate::areas::is_named!($db $things, $id, $holder), ")")
    };
}

pub(crate) use {fulfils, is_named};

/// Things `t` of an account that a scope opens: those that fulfil its two conditions, each as whether
/// any does and whose grants ($2 to $5).
macro_rules! opened {
    ($db:ident $things:literal, $id:literal) => {
        concat!(
            "t.account_id = $1 AND ",
            $crate::areas::fulfils!($db $things, $id, "$2", "$3"),
            " AND ",
            $crate::areas::fulfils!($db $things, $id, "$4", "$5")
        )
    };
}

pub(crate) use opened;

/// What those of somebody's grants and drafts open that name the thing `t`.
macro_rules! named_by {
    ($db:ident $things:literal, $id:literal, $holder:literal) => {
        concat!(
            "(SELECT ",
            joined!($db "k.permissions", " "),
            " FROM (SELECT DISTINCT a.permissions FROM (",
            through!($db "h.permissions", $things, $holder, " AND n.", $id, " = t.id"),
            ") a) k)"
        )
    };
}

/// Things `t` that [`opened!`] has; of each, what those of the actor's grants open that name it ($6), and
/// of those of the eyes that they look through ($7).
macro_rules! things {
    ($db:ident $columns:literal, $things:literal, $id:literal, $tail:expr) => {
        concat!(
            "SELECT ",
            $columns,
            ", ",
            named_by!($db $things, $id, "$6"),
            " AS named_by_own, ",
            named_by!($db $things, $id, "$7"),
            " AS named_by_theirs FROM ",
            $things,
            " t WHERE ",
            opened!($db $things, $id),
            " ",
            $tail
        )
    };
}

/// Those things `t` that come by name after the place ($8, $9), at most $10.
macro_rules! page_after {
    () => {
        "AND (t.name, t.id) > ($8, $9) ORDER BY t.name, t.id LIMIT $10"
    };
}

/// Those that come before it, the last first.
macro_rules! page_before {
    () => {
        "AND (t.name, t.id) < ($8, $9) ORDER BY t.name DESC, t.id DESC LIMIT $10"
    };
}

macro_rules! services {
    ($db:ident $tail:expr) => {
        things!(
            $db "t.id, t.name, t.plan, t.state, t.renews_at, t.login_name, t.login_password, t.open_link, t.renew_link",
            "services", "service_id", $tail
        )
    };
}

macro_rules! domains {
    ($db:ident $tail:expr) => {
        things!(
            $db "t.id, t.name, t.state, t.expires_at, t.locked, t.renew_link",
            "domains", "domain_id", $tail
        )
    };
}

/// Things `t` of an account for choosing, of those that [`opened!`] has: those whose name holds $6, and
/// those with the ids $7, which come first.
macro_rules! choices {
    ($db:ident $things:literal, $id:literal) => {
        concat!(
            "SELECT t.id, t.name FROM ",
            $things,
            " t WHERE ",
            opened!($db $things, $id),
            " AND (lower(t.name) LIKE $6 ESCAPE '!' OR t.id IN ",
            ids_in!($db "$7"),
            ") ORDER BY CASE WHEN t.id IN ",
            ids_in!($db "$7"),
            " THEN 0 ELSE 1 END, t.name, t.id LIMIT $8"
        )
    };
}

/// These counts of the things `t` that [`opened!`] has, summed up under their names. Those that grants
/// name are looked up, few as they are, where any other count goes through all of the account's.
macro_rules! counted {
    ($db:ident $things:literal, $id:literal, $sums:literal, $counts:expr) => {
        concat!(
            "SELECT ",
            $sums,
            " FROM (",
            counted!(@ $db $things, $id, $counts, "$2 AND t.account_id = $1"),
            " UNION ALL ",
            counted!(
                @ $db $things, $id, $counts, "NOT $2 AND ", counted!(@looked_up $db), " AND ",
                is_named!($db $things, $id, "$3")
            ),
            ") c"
        )
    };
    (@ $db:ident $things:literal, $id:literal, $counts:expr, $($which:expr),+) => {
        concat!(
            "SELECT ", $counts, " FROM ", $things, " t WHERE ", $($which,)+ " AND ",
            fulfils!($db $things, $id, "$4", "$5")
        )
    };
    // The sign keeps SQLite from going by the account.
    (@looked_up sqlite) => { "+t.account_id = $1" };
    (@looked_up postgres) => { "t.account_id = $1" };
}

/// How many of the things `t` that [`opened!`] has. Those that grants name needn't be looked at: they are the
/// account's, and there.
macro_rules! number {
    ($db:ident $things:literal, $id:literal) => {
        concat!(
            "SELECT CAST(sum(c.number) AS BIGINT) FROM (",
            counted!(@ $db $things, $id, "count(*) AS number", "$2 AND t.account_id = $1"),
            " UNION ALL SELECT count(*) FROM (SELECT DISTINCT i.id FROM (",
            through!($db concat!("n.", $id, " AS id"), $things, "$3", opens!($db "$3")),
            ") i) t WHERE NOT $2 AND ",
            fulfils!($db $things, $id, "$4", "$5"),
            ") c"
        )
    };
}

/// How many there are, and for how many of them this holds.
macro_rules! standing {
    ($db:ident $things:literal, $id:literal, $holds:literal) => {
        counted!(
            $db $things, $id, "CAST(sum(c.number) AS BIGINT), CAST(sum(c.held) AS BIGINT)",
            concat!("count(*) AS number, count(CASE WHEN ", $holds, " THEN 1 END) AS held")
        )
    };
}

macro_rules! there {
    ($db:ident $table:literal) => {
        concat!("SELECT t.id FROM ", $table, " t WHERE t.account_id = $1 AND t.id IN ", ids_in!($db "$2"))
    };
}

sql! {
    SERVICE_CHOICES = choices!(sqlite "services", "service_id"),
        on Postgres choices!(postgres "services", "service_id");
    DOMAIN_CHOICES = choices!(sqlite "domains", "domain_id"),
        on Postgres choices!(postgres "domains", "domain_id");
    COUNT_SERVICES = number!(sqlite "services", "service_id"),
        on Postgres number!(postgres "services", "service_id");
    COUNT_DOMAINS = number!(sqlite "domains", "domain_id"),
        on Postgres number!(postgres "domains", "domain_id");
    SERVICES_THERE = there!(sqlite "services"), on Postgres there!(postgres "services");
    DOMAINS_THERE = there!(sqlite "domains"), on Postgres there!(postgres "domains");
    SERVICES_STANDING = standing!(sqlite "services", "service_id", "t.state = 'suspended'"),
        on Postgres standing!(postgres "services", "service_id", "t.state = 'suspended'");
    DOMAINS_STANDING = standing!(sqlite "domains", "domain_id", "t.expires_at < $6"),
        on Postgres standing!(postgres "domains", "domain_id", "t.expires_at < $6");
    SERVICES = services!(sqlite page_after!()), on Postgres services!(postgres page_after!());
    SERVICES_BEFORE = services!(sqlite page_before!()),
        on Postgres services!(postgres page_before!());
    SERVICE = services!(sqlite "AND t.id = $8"), on Postgres services!(postgres "AND t.id = $8");
    DOMAINS = domains!(sqlite page_after!()), on Postgres domains!(postgres page_after!());
    DOMAINS_BEFORE = domains!(sqlite page_before!()),
        on Postgres domains!(postgres page_before!());
    DOMAIN = domains!(sqlite "AND t.id = $8"), on Postgres domains!(postgres "AND t.id = $8");
    INVOICES = "SELECT id, number, issued_at, due_at, total_minor, currency, state, pay_link, pdf_link \
                FROM invoices WHERE account_id = $1 ORDER BY issued_at DESC, id DESC LIMIT $2";
    FORGET_OPENED_BY = "UPDATE support_requests SET opened_by = '' WHERE opened_by_id = $1";
    /// Of two with one name in an account, nobody knows which opened it.
    FORGET_OPENED_BY_NAME = "UPDATE support_requests SET opened_by = '' \
                        WHERE opened_by = $2 AND opened_by_id IS NULL AND account_id IN \
                            (SELECT account_id FROM memberships WHERE user_id = $1) \
                            AND NOT EXISTS ( \
                                SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id \
                                WHERE m.account_id = support_requests.account_id \
                                    AND u.id <> $1 AND u.full_name = $2)";
    SUPPORT_REQUESTS = "SELECT id, number, subject, state, opened_by, updated_at, open_link \
                        FROM support_requests WHERE account_id = $1 \
                        ORDER BY updated_at DESC, id DESC LIMIT $2";
    SUPPORT_REQUEST = "SELECT id, number, subject, state, opened_by, updated_at, open_link \
                       FROM support_requests WHERE account_id = $1 AND id = $2";
    INSERT_SERVICE = "INSERT INTO services \
                          (account_id, id, name, plan, state, renews_at, login_name, \
                           login_password, open_link, renew_link) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    INSERT_DOMAIN = "INSERT INTO domains \
                         (account_id, id, name, state, expires_at, locked, renew_link) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7)";
    INSERT_INVOICE = "INSERT INTO invoices \
                          (account_id, id, number, issued_at, due_at, total_minor, currency, \
                           state, pay_link, pdf_link) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    INSERT_SUPPORT_REQUEST = "INSERT INTO support_requests \
                                  (account_id, id, number, subject, state, opened_by, updated_at, \
                                   open_link) \
                              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
}

/// A service that the provider runs for the account.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its id.
    pub id: Uuid,
    /// Its name, such as "Webshop".
    pub name: String,
    /// What was ordered, such as "Managed hosting M".
    pub plan: String,
    /// `active`, `suspended` or `ended`.
    pub state: String,
    /// When it renews.
    pub renews_at: Timestamp,
    /// The login name at the service.
    pub login_name: String,
    /// The password at the service.
    pub login_password: model::Secret,
    /// Where it is signed in to.
    pub open_link: Option<Link>,
    /// Where it is renewed.
    pub renew_link: Option<Link>,
    /// What those of the grants and drafts of whoever it is read for open that name it.
    pub named_by: NamedBy,
}

/// A domain name.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Its id.
    pub id: Uuid,
    /// The name, such as `example.com`.
    pub name: String,
    /// `active`, `transferring` or `expired`.
    pub state: String,
    /// When it runs out.
    pub expires_at: Timestamp,
    /// Whether transfers away are locked.
    pub locked: bool,
    /// Where it is renewed.
    pub renew_link: Option<Link>,
    /// What those of the grants and drafts of whoever it is read for open that name it.
    pub named_by: NamedBy,
}

/// What [`named_by!`] reads.
#[derive(FromRow)]
struct NamedByRow {
    named_by_own: Option<String>,
    named_by_theirs: Option<String>,
}

impl From<NamedByRow> for NamedBy {
    fn from(row: NamedByRow) -> Self {
        let opened = |stored: Option<String>| {
            PermissionSet::from_stored(stored.as_deref().unwrap_or_default())
        };
        Self { own: opened(row.named_by_own), theirs: opened(row.named_by_theirs) }
    }
}

#[derive(FromRow)]
struct ServiceRow {
    id: Uuid,
    name: String,
    plan: String,
    state: String,
    renews_at: i64,
    login_name: String,
    login_password: String,
    open_link: Option<String>,
    renew_link: Option<String>,
    #[sqlx(flatten)]
    named_by: NamedByRow,
}

impl From<ServiceRow> for Service {
    fn from(row: ServiceRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            plan: row.plan,
            state: row.state,
            renews_at: Timestamp::from_micros(row.renews_at),
            login_name: row.login_name,
            login_password: model::Secret::from(row.login_password),
            open_link: row.open_link.map(Link::from_stored),
            renew_link: row.renew_link.map(Link::from_stored),
            named_by: row.named_by.into(),
        }
    }
}

#[derive(FromRow)]
struct DomainRow {
    id: Uuid,
    name: String,
    state: String,
    expires_at: i64,
    locked: bool,
    renew_link: Option<String>,
    #[sqlx(flatten)]
    named_by: NamedByRow,
}

impl From<DomainRow> for Domain {
    fn from(row: DomainRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            state: row.state,
            expires_at: Timestamp::from_micros(row.expires_at),
            locked: row.locked,
            renew_link: row.renew_link.map(Link::from_stored),
            named_by: row.named_by.into(),
        }
    }
}

/// A service or a domain, to be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// How many services or domains there are, and how many of them somebody should look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThingsStanding {
    /// All of them.
    pub all: u32,
    /// Services that are suspended, or domains that expire soon.
    pub trouble: u32,
}

impl From<(i64, i64)> for ThingsStanding {
    fn from((all, trouble): (i64, i64)) -> Self {
        Self { all: count(all), trouble: count(trouble) }
    }
}

/// An invoice.
#[derive(Clone, Debug)]
pub struct Invoice {
    /// Its id.
    pub id: Uuid,
    /// Its number as printed.
    pub number: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it is due.
    pub due_at: Timestamp,
    /// The total in the currency's smallest unit.
    pub total_minor: i64,
    /// The currency (ISO 4217).
    pub currency: String,
    /// `open`, `overdue` or `paid`.
    pub state: String,
    /// Where it is paid.
    pub pay_link: Option<Link>,
    /// Where it is read as it was printed.
    pub pdf_link: Option<Link>,
}

#[derive(FromRow)]
struct InvoiceRow {
    id: Uuid,
    number: String,
    issued_at: i64,
    due_at: i64,
    total_minor: i64,
    currency: String,
    state: String,
    pay_link: Option<String>,
    pdf_link: Option<String>,
}

impl From<InvoiceRow> for Invoice {
    fn from(row: InvoiceRow) -> Self {
        Self {
            id: row.id,
            number: row.number,
            issued_at: Timestamp::from_micros(row.issued_at),
            due_at: Timestamp::from_micros(row.due_at),
            total_minor: row.total_minor,
            currency: row.currency,
            state: row.state,
            pay_link: row.pay_link.map(Link::from_stored),
            pdf_link: row.pdf_link.map(Link::from_stored),
        }
    }
}

/// A conversation with the provider's support.
#[derive(Clone, Debug)]
pub struct SupportRequest {
    /// Its id.
    pub id: Uuid,
    /// Its number as shown.
    pub number: String,
    /// What it is about.
    pub subject: String,
    /// `open`, `answered` or `closed`.
    pub state: String,
    /// Who opened it.
    pub opened_by: String,
    /// When something was last said.
    pub updated_at: Timestamp,
    /// Where it is answered.
    pub open_link: Option<Link>,
}

#[derive(FromRow)]
struct SupportRequestRow {
    id: Uuid,
    number: String,
    subject: String,
    state: String,
    opened_by: String,
    updated_at: i64,
    open_link: Option<String>,
}

impl From<SupportRequestRow> for SupportRequest {
    fn from(row: SupportRequestRow) -> Self {
        Self {
            id: row.id,
            number: row.number,
            subject: row.subject,
            state: row.state,
            opened_by: row.opened_by,
            updated_at: Timestamp::from_micros(row.updated_at),
            open_link: row.open_link.map(Link::from_stored),
        }
    }
}

/// A scope's two conditions, each as the two parameters that [`fulfils!`] takes.
pub(crate) fn conditions(scope: &Scope) -> [(bool, String); 2] {
    scope.conditions().map(|through| (through.is_none(), holder(through)))
}

/// Whose grants, of the actor's and of the eyes that they look through, a thing is read with, each as
/// the parameter that [`named_by!`] takes. An owner needs none.
fn read_with(actor: &Actor) -> [String; 2] {
    let held = |keys: &Keys, user, draft| {
        let (permissions, at) = (Vec::new(), actor.at);
        let grants = Through { user, permissions, draft, at };
        holder(Some(&grants).filter(|_| !keys.is_owner()))
    };
    let theirs = actor.eyes.as_ref().map(|eyes| held(&eyes.keys, eyes.user, eyes.draft));
    [held(&actor.keys, actor.user, None), theirs.unwrap_or_else(|| holder(None))]
}

/// A pattern for `LIKE` that finds names with this in them, whatever it is. Of its letters only A to Z
/// lose their case, the same on both databases.
fn holding(search: &str) -> String {
    let mut pattern = String::from("%");
    for character in plain(search).trim().chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}

/// The statement about the things of this area.
const fn of_area(area: Area, services: Differing, domains: Differing) -> Differing {
    match area {
        Area::Domains => domains,
        Area::Services | Area::Billing | Area::Support | Area::Account => services,
    }
}

/// Where a page of things by name lies, as a statement's parameters say it: at the beginning that is
/// before the first row.
pub(crate) fn stands_at(place: &ListPlace) -> (String, Uuid) {
    match place {
        ListPlace::First => (String::new(), Uuid::nil()),
        ListPlace::After(row) | ListPlace::Before(row) => (plain(&row.key), row.id),
    }
}

/// The statement of the two for a page that lies there, and whether its rows come backwards.
pub(crate) const fn to_side(
    place: &ListPlace,
    after: Differing,
    before: Differing,
) -> (Differing, bool) {
    match place {
        ListPlace::First | ListPlace::After(_) => (after, false),
        ListPlace::Before(_) => (before, true),
    }
}

/// A page of things that a scope opens to an actor.
macro_rules! paged {
    ($store:expr, $after:expr, $before:expr, $actor:expr, $scope:expr, $place:expr, $most:expr) => {{
        let (text, backwards) = to_side($place, $after, $before);
        let (key, id) = stands_at($place);
        let found = reached!($store, text, $actor, $scope, fetch_all, &key, id, limit($most));
        found.map(|mut rows: Vec<_>| {
            if backwards {
                rows.reverse();
            }
            rows
        })
    }};
}

macro_rules! listed {
    ($store:expr, $text:expr, $account:expr, $most:expr) => {
        read!($store, db => query_as($text)
            .bind(Uuid::from($account))
            .bind(limit($most))
            .fetch_all(db))
    };
}

/// Asks for things that a scope opens to an actor: the last parameters are where the page lies and how
/// much it holds, or the one thing's id.
macro_rules! reached {
    ($store:expr, $text:expr, $actor:expr, $scope:expr, $fetch:ident, $($last:expr),+) => {{
        let text = $text.at($store);
        let [(any, grants), (also_any, also_grants)] = conditions($scope);
        let [own, theirs] = read_with($actor);
        read!($store, db => query_as(text)
            .bind(Uuid::from($actor.account))
            .bind(any)
            .bind(&grants)
            .bind(also_any)
            .bind(&also_grants)
            .bind(&own)
            .bind(&theirs)
            $(.bind($last))+
            .$fetch(db))
    }};
}

impl Store {
    /// The services of the actor's account that the scope opens to them, by name: those of the page
    /// that lies there, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn services(
        &self,
        actor: &Actor,
        scope: &Scope,
        place: &ListPlace,
        most: usize,
    ) -> Result<Vec<Service>, Failure> {
        let rows: Vec<ServiceRow> =
            paged!(self, SERVICES, SERVICES_BEFORE, actor, scope, place, most)?;
        Ok(rows.into_iter().map(Service::from).collect())
    }

    /// One of these services; none if there is no such one, or it is out of the scope.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn service(
        &self,
        actor: &Actor,
        scope: &Scope,
        id: Uuid,
    ) -> Result<Option<Service>, Failure> {
        let row: Option<ServiceRow> = reached!(self, SERVICE, actor, scope, fetch_optional, id)?;
        Ok(row.map(Service::from))
    }

    /// The domains of the actor's account that the scope opens to them, in the same manner.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn domains(
        &self,
        actor: &Actor,
        scope: &Scope,
        place: &ListPlace,
        most: usize,
    ) -> Result<Vec<Domain>, Failure> {
        let rows: Vec<DomainRow> =
            paged!(self, DOMAINS, DOMAINS_BEFORE, actor, scope, place, most)?;
        Ok(rows.into_iter().map(Domain::from).collect())
    }

    /// One of these domains; none if there is no such one, or it is out of the scope.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn domain(
        &self,
        actor: &Actor,
        scope: &Scope,
        id: Uuid,
    ) -> Result<Option<Domain>, Failure> {
        let row: Option<DomainRow> = reached!(self, DOMAIN, actor, scope, fetch_optional, id)?;
        Ok(row.map(Domain::from))
    }

    /// The services or domains of the actor's account that the scope opens to them and whose name
    /// holds what is searched for, by name, at most `most`; before them those with the ids in `first`,
    /// whatever they are called.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn choices(
        &self,
        actor: &Actor,
        scope: &Scope,
        area: Area,
        search: &str,
        first: &BTreeSet<Uuid>,
        most: usize,
    ) -> Result<Vec<Thing>, Failure> {
        let text = of_area(area, SERVICE_CHOICES, DOMAIN_CHOICES).at(self);
        let [(any, grants), (also_any, also_grants)] = conditions(scope);
        let like = holding(search);
        let first_ids = list(first.iter().copied());
        let rows: Vec<(Uuid, String)> = read!(self, db => query_as(text)
            .bind(Uuid::from(actor.account))
            .bind(any)
            .bind(&grants)
            .bind(also_any)
            .bind(&also_grants)
            .bind(&like)
            .bind(&first_ids)
            .bind(limit(most.saturating_add(first.len())))
            .fetch_all(db))?;
        Ok(rows.into_iter().map(|(id, name)| Thing { id, name }).collect())
    }

    /// How many services or domains of the actor's account the scope opens to them.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn count_things(
        &self,
        actor: &Actor,
        scope: &Scope,
        area: Area,
    ) -> Result<u32, Failure> {
        let text = of_area(area, COUNT_SERVICES, COUNT_DOMAINS).at(self);
        let [(any, grants), (also_any, also_grants)] = conditions(scope);
        let found: i64 = read!(self, db => query_scalar(text)
            .bind(Uuid::from(actor.account))
            .bind(any)
            .bind(&grants)
            .bind(also_any)
            .bind(&also_grants)
            .fetch_one(db))?;
        Ok(count(found))
    }

    /// How many services of the actor's account the scope opens to them, and how many of those are
    /// suspended.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn services_standing(
        &self,
        actor: &Actor,
        scope: &Scope,
    ) -> Result<ThingsStanding, Failure> {
        let text = SERVICES_STANDING.at(self);
        let [(any, grants), (also_any, also_grants)] = conditions(scope);
        let found: (i64, i64) = read!(self, db => query_as(text)
            .bind(Uuid::from(actor.account))
            .bind(any)
            .bind(&grants)
            .bind(also_any)
            .bind(&also_grants)
            .fetch_one(db))?;
        Ok(found.into())
    }

    /// How many domains of the actor's account the scope opens to them, and how many of those expire
    /// before this moment.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn domains_standing(
        &self,
        actor: &Actor,
        scope: &Scope,
        soon: Timestamp,
    ) -> Result<ThingsStanding, Failure> {
        let text = DOMAINS_STANDING.at(self);
        let [(any, grants), (also_any, also_grants)] = conditions(scope);
        let found: (i64, i64) = read!(self, db => query_as(text)
            .bind(Uuid::from(actor.account))
            .bind(any)
            .bind(&grants)
            .bind(also_any)
            .bind(&also_grants)
            .bind(soon.as_micros())
            .fetch_one(db))?;
        Ok(found.into())
    }

    /// Which of these are services or domains of the account.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn there(
        &self,
        account: AccountId,
        area: Area,
        ids: &BTreeSet<Uuid>,
    ) -> Result<BTreeSet<Uuid>, Failure> {
        let text = of_area(area, SERVICES_THERE, DOMAINS_THERE).at(self);
        let ids = list(ids.iter().copied());
        let found: Vec<Uuid> = read!(self, db => query_scalar(text)
            .bind(Uuid::from(account))
            .bind(&ids)
            .fetch_all(db))?;
        Ok(found.into_iter().collect())
    }

    /// The account's invoices, newest first, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn invoices(&self, account: AccountId, most: usize) -> Result<Vec<Invoice>, Failure> {
        let rows: Vec<InvoiceRow> = listed!(self, INVOICES, account, most)?;
        Ok(rows.into_iter().map(Invoice::from).collect())
    }

    /// The account's support requests, the last touched first, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn support_requests(
        &self,
        account: AccountId,
        most: usize,
    ) -> Result<Vec<SupportRequest>, Failure> {
        let rows: Vec<SupportRequestRow> = listed!(self, SUPPORT_REQUESTS, account, most)?;
        Ok(rows.into_iter().map(SupportRequest::from).collect())
    }

    /// One of the account's support requests.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn support_request(
        &self,
        account: AccountId,
        id: Uuid,
    ) -> Result<Option<SupportRequest>, Failure> {
        let row: Option<SupportRequestRow> = read!(self, db => query_as(SUPPORT_REQUEST)
            .bind(Uuid::from(account))
            .bind(id)
            .fetch_optional(db))?;
        Ok(row.map(SupportRequest::from))
    }

    /// Adds a service.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn add_service(&self, account: AccountId, service: &Service) -> Result<(), Failure> {
        write!(self, db => query(INSERT_SERVICE)
            .bind(Uuid::from(account))
            .bind(service.id)
            .bind(&service.name)
            .bind(&service.plan)
            .bind(&service.state)
            .bind(service.renews_at.as_micros())
            .bind(&service.login_name)
            .bind(service.login_password.expose())
            .bind(service.open_link.as_ref().map(Link::as_str))
            .bind(service.renew_link.as_ref().map(Link::as_str))
            .execute(db))?;
        Ok(())
    }

    /// Adds a domain.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn add_domain(&self, account: AccountId, domain: &Domain) -> Result<(), Failure> {
        write!(self, db => query(INSERT_DOMAIN)
            .bind(Uuid::from(account))
            .bind(domain.id)
            .bind(&domain.name)
            .bind(&domain.state)
            .bind(domain.expires_at.as_micros())
            .bind(domain.locked)
            .bind(domain.renew_link.as_ref().map(Link::as_str))
            .execute(db))?;
        Ok(())
    }

    /// Adds an invoice.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn add_invoice(&self, account: AccountId, invoice: &Invoice) -> Result<(), Failure> {
        write!(self, db => query(INSERT_INVOICE)
            .bind(Uuid::from(account))
            .bind(invoice.id)
            .bind(&invoice.number)
            .bind(invoice.issued_at.as_micros())
            .bind(invoice.due_at.as_micros())
            .bind(invoice.total_minor)
            .bind(&invoice.currency)
            .bind(&invoice.state)
            .bind(invoice.pay_link.as_ref().map(Link::as_str))
            .bind(invoice.pdf_link.as_ref().map(Link::as_str))
            .execute(db))?;
        Ok(())
    }

    /// Adds a support request.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn add_support_request(
        &self,
        account: AccountId,
        request: &SupportRequest,
    ) -> Result<(), Failure> {
        write!(self, db => query(INSERT_SUPPORT_REQUEST)
            .bind(Uuid::from(account))
            .bind(request.id)
            .bind(&request.number)
            .bind(&request.subject)
            .bind(&request.state)
            .bind(&request.opened_by)
            .bind(request.updated_at.as_micros())
            .bind(request.open_link.as_ref().map(Link::as_str))
            .execute(db))?;
        Ok(())
    }
}

/// Takes somebody's name out of the support requests that they opened, in whichever account; where it
/// isn't known by whom it was, those of their name in the accounts that they are in.
pub(crate) async fn forget_opened_by(tx: &mut Tx, user: UserId, name: &str) -> Result<(), Failure> {
    write!(tx, db => query(FORGET_OPENED_BY).bind(Uuid::from(user)).execute(db))?;
    write!(tx, db => query(FORGET_OPENED_BY_NAME).bind(Uuid::from(user)).bind(name).execute(db))?;
    Ok(())
}
