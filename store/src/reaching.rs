//! Who reaches what: the users whom a permission, a service or a domain is open to at a moment, and the
//! things that somebody's grants reach.

use std::collections::BTreeSet;

use model::{
    AccountId, Area, Cursor, Failure, GrantId, ListPlace, Permission, Reached, Scope, Timestamp,
};
use sqlx::{query_as, query_scalar};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::areas::{Thing, conditions, fulfils, stands_at, to_side};
use crate::db::{Differing, count, limit, plain, read, sql};
use crate::grants::{GrantRow, ids_in, list, pattern};
use crate::memberships::{MemberRow, members};
use crate::{Member, Store};

/// Owners, and users who aren't paused with a grant that has a permission like $6 and hasn't lapsed
/// at $5.
macro_rules! reaching {
    ($reaches:expr) => {
        members!(
            "",
            " AND (m.name_key, m.user_id) > ($2, $3) \
              AND (m.owner OR m.paused_at IS NULL AND EXISTS (SELECT 1 FROM grants g \
                   WHERE g.account_id = m.account_id AND g.user_id = m.user_id \
                       AND (g.until IS NULL OR g.until > $5) \
                       AND (' ' || g.permissions || ' ') LIKE $6 ESCAPE '!'",
            $reaches,
            ")) ORDER BY m.name_key, m.user_id LIMIT $4"
        )
    };
}

/// The thing $7, or anything at all if that is none.
macro_rules! names_it {
    ($all:literal, $names:literal, $thing:literal) => {
        concat!(
            " AND (g.",
            $all,
            " OR EXISTS (SELECT 1 FROM ",
            $names,
            " n WHERE n.grant_id = g.id AND n.",
            $thing,
            " = coalesce($7, n.",
            $thing,
            ")))"
        )
    };
}

macro_rules! naming {
    ($db:ident $names:literal, $thing:literal) => {
        concat!(
            "SELECT grant_id FROM ",
            $names,
            " WHERE ",
            $thing,
            " = $1 AND grant_id IN ",
            ids_in!($db "$2")
        )
    };
}

/// Things `t` of an account that both of two scopes open: those that fulfil the four conditions of
/// both, each as whether any does and whose grants ($2 to $9). Of those a page, and how many there are.
macro_rules! reached {
    ($db:ident $things:literal, $thing:literal, $page:expr) => {
        concat!(
            "SELECT f.id, f.name, f.found FROM \
                 (SELECT t.id, t.name, count(*) OVER () AS found FROM ",
            $things,
            " t WHERE t.account_id = $1 AND ",
            fulfils!($db $things, $thing, "$2", "$3"),
            " AND ",
            fulfils!($db $things, $thing, "$4", "$5"),
            " AND ",
            fulfils!($db $things, $thing, "$6", "$7"),
            " AND ",
            fulfils!($db $things, $thing, "$8", "$9"),
            ") f WHERE ",
            $page
        )
    };
}

/// Those that come by name after the place ($10, $11), at most $12.
macro_rules! page_after {
    () => {
        "(f.name, f.id) > ($10, $11) ORDER BY f.name, f.id LIMIT $12"
    };
}

/// Those that come before it, the last first.
macro_rules! page_before {
    () => {
        "(f.name, f.id) < ($10, $11) ORDER BY f.name DESC, f.id DESC LIMIT $12"
    };
}

sql! {
    REACHING_ACCOUNT = reaching!("");
    REACHING_SERVICES = reaching!(names_it!("all_services", "grant_services", "service_id"));
    REACHING_DOMAINS = reaching!(names_it!("all_domains", "grant_domains", "domain_id"));
    NAMING_SERVICE = naming!(sqlite "grant_services", "service_id"),
        on Postgres naming!(postgres "grant_services", "service_id");
    NAMING_DOMAIN = naming!(sqlite "grant_domains", "domain_id"),
        on Postgres naming!(postgres "grant_domains", "domain_id");
    REACHED_SERVICES = reached!(sqlite "services", "service_id", page_after!()),
        on Postgres reached!(postgres "services", "service_id", page_after!());
    REACHED_SERVICES_BEFORE = reached!(sqlite "services", "service_id", page_before!()),
        on Postgres reached!(postgres "services", "service_id", page_before!());
    REACHED_DOMAINS = reached!(sqlite "domains", "domain_id", page_after!()),
        on Postgres reached!(postgres "domains", "domain_id", page_after!());
    REACHED_DOMAINS_BEFORE = reached!(sqlite "domains", "domain_id", page_before!()),
        on Postgres reached!(postgres "domains", "domain_id", page_before!());
}

/// What somebody may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reachable {
    /// What the permission is about, on anything.
    Permission(Permission),
    /// A service.
    Service(Uuid),
    /// A domain.
    Domain(Uuid),
}

impl Reachable {
    /// The area that it belongs to.
    const fn area(self) -> Area {
        match self {
            Self::Permission(permission) => permission.area(),
            Self::Service(_) => Area::Services,
            Self::Domain(_) => Area::Domains,
        }
    }

    const fn thing(self) -> Option<Uuid> {
        match self {
            Self::Permission(_) => None,
            Self::Service(id) | Self::Domain(id) => Some(id),
        }
    }

    /// The LIKE pattern that permissions with a space around them fit.
    fn pattern(self) -> String {
        match self {
            Self::Permission(permission) => pattern(permission),
            Self::Service(_) | Self::Domain(_) => format!("% {}.%", self.area().id()),
        }
    }

    /// Whether the grant opens it at this moment; `naming` are the grants that name the thing.
    fn is_open(self, grant: &GrantRow, naming: &BTreeSet<GrantId>, now: Timestamp) -> bool {
        let outline = &grant.outline;
        let permitted = match self {
            Self::Permission(permission) => outline.permissions.contains(permission),
            Self::Service(_) | Self::Domain(_) => {
                outline.permissions.in_area(self.area()).next().is_some()
            }
        };
        let reached = match self.area() {
            Area::Services => outline.services,
            Area::Domains => outline.domains,
            Area::Billing | Area::Support | Area::Account => Reached::All,
        };
        let reaches = match (reached, self.thing()) {
            (Reached::All, _) => true,
            (Reached::These(things), None) => things > 0,
            (Reached::These(_), Some(_)) => naming.contains(&grant.id),
        };
        permitted && reaches && outline.until.is_none_or(|until| now < until)
    }
}

/// A user who reaches something.
#[derive(Clone, Debug)]
pub struct Reaching {
    /// The user.
    pub member: Member,
    /// The grants that open it to them; an owner needs none.
    pub through: Vec<GrantRow>,
}

/// Things of an area that somebody reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReachedThings {
    /// Those of a page, by name.
    pub things: Vec<Thing>,
    /// How many there are, on all pages; nothing where the page is empty.
    pub count: u32,
}

#[derive(FromRow)]
struct ReachedRow {
    id: Uuid,
    name: String,
    found: i64,
}

impl Store {
    /// The account's users who reach this at this moment, by name, at most `most`. The cursor of a row
    /// is what [`Member::cursor`] says.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn reaching(
        &self,
        account: AccountId,
        what: Reachable,
        after: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Reaching>, Failure> {
        let (key, id) =
            after.map_or((String::new(), Uuid::nil()), |after| (plain(&after.key), after.id));
        let pattern = what.pattern();
        let text = match what.area() {
            Area::Services => REACHING_SERVICES,
            Area::Domains => REACHING_DOMAINS,
            Area::Billing | Area::Support | Area::Account => REACHING_ACCOUNT,
        };
        let takes_thing = text != REACHING_ACCOUNT;
        let rows: Vec<MemberRow> = read!(self, db => {
            let page = query_as(text)
                .bind(Uuid::from(account))
                .bind(&key)
                .bind(id)
                .bind(limit(most))
                .bind(now.as_micros())
                .bind(&pattern);
            let page = if takes_thing { page.bind(what.thing()) } else { page };
            page.fetch_all(db)
        })?;
        let members = self.with_grants(account, rows).await?;
        let naming = self.naming(what, &members).await?;
        let reaching = |member: Member| {
            let grants = member.held.grants().iter();
            let through = grants.filter(|grant| what.is_open(grant, &naming, now)).cloned();
            Reaching { through: through.collect(), member }
        };
        Ok(members.into_iter().map(reaching).collect())
    }

    /// Those of the grants of these users that name the thing.
    async fn naming(
        &self,
        what: Reachable,
        members: &[Member],
    ) -> Result<BTreeSet<GrantId>, Failure> {
        let (text, thing) = match what {
            Reachable::Permission(_) => return Ok(BTreeSet::new()),
            Reachable::Service(id) => (NAMING_SERVICE.at(self), id),
            Reachable::Domain(id) => (NAMING_DOMAIN.at(self), id),
        };
        let grants = members.iter().flat_map(|member| member.held.grants());
        let grants = list(grants.map(|grant| Uuid::from(grant.id)));
        let found: Vec<Uuid> =
            read!(self, db => query_scalar(text).bind(thing).bind(&grants).fetch_all(db))?;
        Ok(found.into_iter().map(GrantId::from).collect())
    }

    /// The services of the account that both scopes open, by name: those of the page that lies there,
    /// at most `most`, and how many there are.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn reached_services(
        &self,
        account: AccountId,
        scopes: [&Scope; 2],
        place: &ListPlace,
        most: usize,
    ) -> Result<ReachedThings, Failure> {
        let statement = to_side(place, REACHED_SERVICES, REACHED_SERVICES_BEFORE);
        self.reached(statement, account, scopes, place, most).await
    }

    /// The domains of the account that both scopes open, in the same manner.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn reached_domains(
        &self,
        account: AccountId,
        scopes: [&Scope; 2],
        place: &ListPlace,
        most: usize,
    ) -> Result<ReachedThings, Failure> {
        let statement = to_side(place, REACHED_DOMAINS, REACHED_DOMAINS_BEFORE);
        self.reached(statement, account, scopes, place, most).await
    }

    async fn reached(
        &self,
        (text, backwards): (Differing, bool),
        account: AccountId,
        scopes: [&Scope; 2],
        place: &ListPlace,
        most: usize,
    ) -> Result<ReachedThings, Failure> {
        let text = text.at(self);
        let [one, other] = scopes.map(conditions);
        let (key, id) = stands_at(place);
        let mut rows: Vec<ReachedRow> = read!(self, db => {
            let things = query_as(text).bind(Uuid::from(account));
            let conditions = one.iter().chain(&other);
            let bind = conditions.fold(things, |bind, (any, grants)| bind.bind(*any).bind(grants));
            bind.bind(&key).bind(id).bind(limit(most)).fetch_all(db)
        })?;
        if backwards {
            rows.reverse();
        }
        let count = rows.first().map_or(0, |row| count(row.found));
        let thing = |row: ReachedRow| Thing { id: row.id, name: row.name };
        Ok(ReachedThings { things: rows.into_iter().map(thing).collect(), count })
    }
}
