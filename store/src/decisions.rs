//! Decisions: what is known of somebody and of a thing when the provider's own systems ask whether they
//! may do something to it. One statement reads all of it.

use model::{
    AccountId, AccountNumber, Area, DoorKey, DoorRef, EmailAddress, Failure, GrantId, Key, Keys,
    NamedBy, Pause, Permission, PermissionSet, ResourceKind, Scope, Timestamp, UserId,
};
use serde::Deserialize;
use sqlx::query_as;
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::areas::{conditions, opened};
use crate::db::{Differing, limit, read, sql};
use crate::grants::pattern;
use crate::memberships::{PauseRow, required, standing};
use crate::policies::PolicyRow;
use crate::tokens::{FoundToken, token_columns};
use crate::{AccountPolicy, Store, StoredToken};

/// What the grants of the membership `m` open that haven't lapsed at $3, which of them name the thing,
/// who gave them, and until when, as JSON.
macro_rules! given {
    (sqlite $names:expr) => {
        given!(@ "json_group_array(json_object('id', hex(g.id), ", $names, "))")
    };
    (postgres $names:expr) => {
        given!(@ "CAST(json_agg(json_build_object('id', g.id, ", $names, ")) AS TEXT)")
    };
    (@ $rows:literal, $names:expr, $end:literal) => {
        concat!(
            "(SELECT ",
            $rows,
            "'permissions', g.permissions, 'services', CAST(g.all_services AS INTEGER), \
             'domains', CAST(g.all_domains AS INTEGER), 'names', CAST(",
            $names,
            " AS INTEGER), 'until', g.until, 'by', i.full_name, 'at', g.given_at",
            $end,
            " FROM grants g LEFT JOIN users i ON i.id = g.given_by \
              WHERE g.account_id = m.account_id AND g.user_id = m.user_id \
                  AND (g.until IS NULL OR g.until > $3))"
        )
    };
}

/// Whether a grant `g` names a thing.
macro_rules! names {
    ($names:literal, $thing:literal, $id:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM ",
            $names,
            " n WHERE n.grant_id = g.id AND n.",
            $thing,
            " = ",
            $id,
            ")"
        )
    };
}

/// What a [`StandingRow`] reads, of memberships as `m` at $3.
macro_rules! standing_columns {
    ($db:ident $names:expr) => {
        concat!(
            "m.user_id, m.owner, m.keys, m.paused_at, b.full_name AS paused_by, \
             coalesce(m.paused_why, '') AS paused_why, ",
            given!($db $names),
            " AS given, ",
            required!()
        )
    };
}

/// No grant names what has no reach.
macro_rules! unnamed {
    () => {
        "FALSE"
    };
}

/// The user with the id $1 or, if that is none, with the address $2.
macro_rules! subject {
    () => {
        "coalesce($1, (SELECT s.id FROM users s WHERE s.email_key = $2))"
    };
}

/// A thing, its account, and how the user of [`subject!`] stands in that, if they are in it. Beside it the
/// token with the prefix $5, so that it is known in the same answer who asks.
macro_rules! facts {
    ($db:ident $id:literal, $from:literal, $names:expr, $which:literal) => {
        concat!(
            "SELECT a.id AS account_id, a.number, a.ref AS account_ref, a.owners_due_at, ",
            $id,
            " AS thing_id, ",
            token_columns!(),
            ", ",
            standing_columns!($db $names),
            " FROM ",
            $from,
            " LEFT JOIN tokens k ON k.prefix = $5 \
              LEFT JOIN memberships m ON m.account_id = a.id AND m.user_id = ",
            subject!(),
            " LEFT JOIN users b ON b.id = m.paused_by \
              LEFT JOIN account_policies p ON p.account_id = m.account_id WHERE ",
            $which
        )
    };
}

macro_rules! account_facts {
    ($db:ident $which:literal) => {
        facts!($db "a.id", "accounts a", unnamed!(), $which)
    };
}

macro_rules! invoice_facts {
    ($db:ident $which:literal) => {
        facts!($db "t.id", "invoices t JOIN accounts a ON a.id = t.account_id", unnamed!(), $which)
    };
}

macro_rules! request_facts {
    ($db:ident $which:literal) => {
        facts!(
            $db "t.id", "support_requests t JOIN accounts a ON a.id = t.account_id", unnamed!(),
            $which
        )
    };
}

macro_rules! service_facts {
    ($db:ident $which:literal) => {
        facts!(
            $db "t.id", "services t JOIN accounts a ON a.id = t.account_id",
            names!("grant_services", "service_id", "t.id"), $which
        )
    };
}

macro_rules! domain_facts {
    ($db:ident $which:literal) => {
        facts!(
            $db "t.id", "domains t JOIN accounts a ON a.id = t.account_id",
            names!("grant_domains", "domain_id", "t.id"), $which
        )
    };
}

/// The users of the account $1 behind the user $2 who may come into question: owners, and whoever has a
/// grant with a permission like $4 that hasn't lapsed at $3.
macro_rules! candidates {
    ($db:ident $names:expr, $reaches:expr) => {
        concat!(
            "SELECT ",
            standing_columns!($db $names),
            " FROM memberships m LEFT JOIN users b ON b.id = m.paused_by \
                  LEFT JOIN account_policies p ON p.account_id = m.account_id \
              WHERE m.account_id = $1 AND m.user_id > $2 \
                  AND (m.owner OR EXISTS (SELECT 1 FROM grants g \
                       WHERE g.account_id = m.account_id AND g.user_id = m.user_id \
                           AND (g.until IS NULL OR g.until > $3) \
                           AND (' ' || g.permissions || ' ') LIKE $4 ESCAPE '!'",
            $reaches,
            ")) ORDER BY m.user_id LIMIT $5"
        )
    };
}

macro_rules! account_candidates {
    ($db:ident) => {
        candidates!($db unnamed!(), "")
    };
}

macro_rules! service_candidates {
    ($db:ident) => {
        candidates!(
            $db names!("grant_services", "service_id", "$6"),
            " AND (g.all_services OR EXISTS (SELECT 1 FROM grant_services n \
                   WHERE n.grant_id = g.id AND n.service_id = $6))"
        )
    };
}

macro_rules! domain_candidates {
    ($db:ident) => {
        candidates!(
            $db names!("grant_domains", "domain_id", "$6"),
            " AND (g.all_domains OR EXISTS (SELECT 1 FROM grant_domains n \
                   WHERE n.grant_id = g.id AND n.domain_id = $6))"
        )
    };
}

/// How the user of [`subject!`] stands in their accounts from $4 on.
macro_rules! accounts_of {
    ($db:ident) => {
        concat!(
            "SELECT a.id AS account_id, a.number, a.ref AS account_ref, a.owners_due_at, \
                 a.id AS thing_id, ",
            standing_columns!($db unnamed!()),
            " FROM memberships m JOIN accounts a ON a.id = m.account_id \
                  LEFT JOIN users b ON b.id = m.paused_by \
                  LEFT JOIN account_policies p ON p.account_id = m.account_id \
              WHERE m.user_id = ",
            subject!(),
            " AND m.account_id >= $4 ORDER BY m.account_id LIMIT $5"
        )
    };
}

/// Things that [`opened!`] has, behind the one with the id $6.
macro_rules! opened_things {
    ($db:ident $things:literal, $id:literal) => {
        concat!(
            "SELECT t.id, t.ref FROM ",
            $things,
            " t WHERE ",
            opened!($db $things, $id),
            " AND t.id > $6 ORDER BY t.id LIMIT $7"
        )
    };
}

sql! {
    ACCOUNT = account_facts!(sqlite "a.id = $4"), on Postgres account_facts!(postgres "a.id = $4");
    ACCOUNT_BY_NUMBER = account_facts!(sqlite "a.number = $4"),
        on Postgres account_facts!(postgres "a.number = $4");
    ACCOUNT_BY_REF = account_facts!(sqlite "a.ref = $4"),
        on Postgres account_facts!(postgres "a.ref = $4");
    SERVICE = service_facts!(sqlite "t.id = $4"), on Postgres service_facts!(postgres "t.id = $4");
    SERVICE_BY_REF = service_facts!(sqlite "t.ref = $4"),
        on Postgres service_facts!(postgres "t.ref = $4");
    DOMAIN = domain_facts!(sqlite "t.id = $4"), on Postgres domain_facts!(postgres "t.id = $4");
    DOMAIN_BY_REF = domain_facts!(sqlite "t.ref = $4"),
        on Postgres domain_facts!(postgres "t.ref = $4");
    INVOICE = invoice_facts!(sqlite "t.id = $4"), on Postgres invoice_facts!(postgres "t.id = $4");
    INVOICE_BY_REF = invoice_facts!(sqlite "t.ref = $4"),
        on Postgres invoice_facts!(postgres "t.ref = $4");
    REQUEST = request_facts!(sqlite "t.id = $4"), on Postgres request_facts!(postgres "t.id = $4");
    REQUEST_BY_REF = request_facts!(sqlite "t.ref = $4"),
        on Postgres request_facts!(postgres "t.ref = $4");
    CANDIDATES = account_candidates!(sqlite), on Postgres account_candidates!(postgres);
    SERVICE_CANDIDATES = service_candidates!(sqlite), on Postgres service_candidates!(postgres);
    DOMAIN_CANDIDATES = domain_candidates!(sqlite), on Postgres domain_candidates!(postgres);
    ACCOUNTS_OF = accounts_of!(sqlite), on Postgres accounts_of!(postgres);
    OPENED_SERVICES = opened_things!(sqlite "services", "service_id"),
        on Postgres opened_things!(postgres "services", "service_id");
    OPENED_DOMAINS = opened_things!(sqlite "domains", "domain_id"),
        on Postgres opened_things!(postgres "domains", "domain_id");
    INVOICES = "SELECT id, ref FROM invoices \
                WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    REQUESTS = "SELECT id, ref FROM support_requests \
                WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3";
}

/// By what a user is named to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedUser {
    /// Their id.
    Id(UserId),
    /// Their address.
    Email(EmailAddress),
}

/// A thing, and how somebody stands in its account.
#[derive(Clone, Debug)]
pub struct DecisionFacts {
    /// The account.
    pub account: AccountId,
    /// How the account is named: by the provider's id, or else by its number.
    pub account_key: DoorKey,
    /// The thing; the account itself, if that was asked about.
    pub thing: Uuid,
    /// When it has an owner more, if somebody waits to become one.
    pub owners_due_at: Option<Timestamp>,
    /// How they stand there; none if they aren't in it.
    pub standing: Option<Standing>,
}

/// How somebody stands in an account at a moment, whoever asks.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The user.
    pub user: UserId,
    /// What they may do there.
    pub keys: Keys,
    /// Why that is nothing, if their access is paused.
    pub pause: Option<Pause>,
    /// What those of their grants open that name the thing.
    pub named_by: NamedBy,
    /// Their grants that haven't lapsed; an owner needs none.
    pub given: Vec<Given>,
    /// Whether they have a second factor.
    pub second_factor: bool,
    /// What the account requires of them.
    pub policy: AccountPolicy,
    /// Whether it requires that they sign in with its own identity provider.
    pub single_sign_on: bool,
    /// Whether it required that of an address that they gave up since.
    pub gave_address_up: bool,
    /// Whether they had a second factor, which they still have, before it was required.
    pub had_factor: bool,
}

/// A grant, as a decision tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Its id.
    pub grant: GrantId,
    /// What it opens.
    pub key: Key,
    /// What it opens on the thing by naming it: nothing unless it does.
    pub named_by: NamedBy,
    /// Its end.
    pub until: Option<Timestamp>,
    /// Who gave it, by name, if that is known.
    pub by: Option<String>,
    /// When it was given, or changed last.
    pub at: Timestamp,
}

#[derive(FromRow)]
struct AskedRow {
    #[sqlx(flatten)]
    token: FoundToken,
    #[sqlx(flatten)]
    facts: FactsRow,
}

#[derive(FromRow)]
struct FactsRow {
    account_id: Uuid,
    number: i64,
    account_ref: Option<String>,
    owners_due_at: Option<i64>,
    thing_id: Uuid,
    #[sqlx(flatten)]
    standing: StandingRow,
}

#[derive(FromRow)]
struct StandingRow {
    user_id: Option<Uuid>,
    owner: Option<bool>,
    keys: Option<String>,
    #[sqlx(flatten)]
    pause: PauseRow,
    given: Option<String>,
    second_factor: bool,
    single_sign_on: bool,
    gave_address_up: bool,
    had_factor: bool,
    #[sqlx(flatten)]
    policy: PolicyRow,
}

#[derive(Deserialize)]
struct GivenRow<'a> {
    id: Uuid,
    permissions: &'a str,
    services: u8,
    domains: u8,
    names: u8,
    until: Option<i64>,
    by: Option<String>,
    at: i64,
}

impl FactsRow {
    fn read(self, now: Timestamp) -> DecisionFacts {
        let number = DoorKey::Number(AccountNumber::from_stored(self.number));
        DecisionFacts {
            account: self.account_id.into(),
            account_key: named_by_ref(self.account_ref).unwrap_or(number),
            thing: self.thing_id,
            owners_due_at: self.owners_due_at.map(Timestamp::from_micros),
            standing: self.standing.read(now),
        }
    }
}

impl StandingRow {
    /// None of somebody who isn't in the account.
    fn read(self, now: Timestamp) -> Option<Standing> {
        let (user, owner) = self.user_id.zip(self.owner)?;
        let kept = self.keys.unwrap_or_default();
        let (keys, pause) = standing(owner, &kept, self.pause, now);
        let given = read_given(self.given.as_deref());
        Some(Standing {
            user: user.into(),
            keys,
            pause,
            named_by: NamedBy {
                own: given.iter().flat_map(|given| given.named_by.own.iter()).collect(),
                ..NamedBy::default()
            },
            given,
            second_factor: self.second_factor,
            policy: self.policy.into(),
            single_sign_on: self.single_sign_on,
            gave_address_up: self.gave_address_up,
            had_factor: self.had_factor,
        })
    }
}

/// What [`given!`] reads.
fn read_given(stored: Option<&str>) -> Vec<Given> {
    let rows: Vec<GivenRow<'_>> = match stored.map(serde_json::from_str).transpose() {
        Ok(rows) => rows.unwrap_or_default(),
        Err(error) => {
            tracing::error!(%error, "grants can't be read");
            return Vec::new();
        }
    };
    let given = |row: GivenRow<'_>| {
        let permissions = PermissionSet::from_stored(row.permissions);
        let own = if row.names == 1 { permissions } else { PermissionSet::EMPTY };
        Given {
            grant: row.id.into(),
            key: Key {
                permissions,
                all_services: row.services == 1,
                all_domains: row.domains == 1,
            },
            named_by: NamedBy { own, ..NamedBy::default() },
            until: row.until.map(Timestamp::from_micros),
            by: row.by,
            at: Timestamp::from_micros(row.at),
        }
    };
    rows.into_iter().map(given).collect()
}

/// The provider's id of a thing, if it has one.
fn named_by_ref(stored: Option<String>) -> Option<DoorKey> {
    stored.map(DoorRef::from_stored).map(DoorKey::Ref)
}

fn keyed(rows: Vec<(Uuid, Option<String>)>) -> Vec<(Uuid, DoorKey)> {
    let keyed = |(id, reference)| (id, named_by_ref(reference).unwrap_or(DoorKey::Id(id)));
    rows.into_iter().map(keyed).collect()
}

/// The user's id and address, as [`subject!`] takes them.
fn named(user: &NamedUser) -> (Option<Uuid>, &str) {
    match user {
        NamedUser::Id(id) => (Some(Uuid::from(*id)), ""),
        NamedUser::Email(email) => (None, email.key()),
    }
}

impl Store {
    /// A thing and how somebody stands in its account at a moment; none if there is no such thing. With it
    /// comes the token with this prefix, if there is one, whatever became of it.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn decision_facts(
        &self,
        kind: ResourceKind,
        thing: &DoorKey,
        user: &NamedUser,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<(DecisionFacts, Option<StoredToken>)>, Failure> {
        use ResourceKind::{Account, Domain, Invoice, Request, Service};
        let text = match (kind, thing) {
            (Account, DoorKey::Id(_)) => ACCOUNT,
            (Account, DoorKey::Ref(_)) => ACCOUNT_BY_REF,
            (Account, DoorKey::Number(_)) => ACCOUNT_BY_NUMBER,
            (Service, DoorKey::Id(_)) => SERVICE,
            (Service, DoorKey::Ref(_)) => SERVICE_BY_REF,
            (Domain, DoorKey::Id(_)) => DOMAIN,
            (Domain, DoorKey::Ref(_)) => DOMAIN_BY_REF,
            (Invoice, DoorKey::Id(_)) => INVOICE,
            (Invoice, DoorKey::Ref(_)) => INVOICE_BY_REF,
            (Request, DoorKey::Id(_)) => REQUEST,
            (Request, DoorKey::Ref(_)) => REQUEST_BY_REF,
            (Service | Domain | Invoice | Request, DoorKey::Number(_)) => return Ok(None),
        };
        let (text, (id, email)) = (text.at(self), named(user));
        let row: Option<AskedRow> = read!(self, db => {
            let asked = query_as(text).bind(id).bind(email).bind(now.as_micros());
            let asked = match thing {
                DoorKey::Id(id) => asked.bind(*id),
                DoorKey::Ref(reference) => asked.bind(reference.as_str()),
                DoorKey::Number(number) => asked.bind(number.get()),
            };
            asked.bind(token).fetch_optional(db)
        })?;
        row.map(|row| Ok((row.facts.read(now), row.token.read()?))).transpose()
    }

    /// How those of the account's users behind `after` stand at a moment to whom a permission may be open
    /// on the thing, by id, at most `most`: who isn't among them, it isn't open to.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn decision_candidates(
        &self,
        account: AccountId,
        permission: Permission,
        thing: Uuid,
        after: Option<UserId>,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Standing>, Failure> {
        let text = match permission.area() {
            Area::Services => SERVICE_CANDIDATES,
            Area::Domains => DOMAIN_CANDIDATES,
            Area::Billing | Area::Support | Area::Account => CANDIDATES,
        };
        let takes_thing = matches!(permission.area(), Area::Services | Area::Domains);
        let text = text.at(self);
        let pattern = pattern(permission);
        let rows: Vec<StandingRow> = read!(self, db => {
            let page = query_as(text)
                .bind(Uuid::from(account))
                .bind(after.map_or(Uuid::nil(), Uuid::from))
                .bind(now.as_micros())
                .bind(&pattern)
                .bind(limit(most));
            let page = if takes_thing { page.bind(thing) } else { page };
            page.fetch_all(db)
        })?;
        Ok(rows.into_iter().filter_map(|row| row.read(now)).collect())
    }

    /// How somebody stands at a moment in their accounts from this one on, by id, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn standings(
        &self,
        user: &NamedUser,
        from: Option<AccountId>,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<DecisionFacts>, Failure> {
        let (text, (id, email)) = (ACCOUNTS_OF.at(self), named(user));
        let rows: Vec<FactsRow> = read!(self, db => query_as(text)
            .bind(id)
            .bind(email)
            .bind(now.as_micros())
            .bind(from.map_or(Uuid::nil(), Uuid::from))
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(rows.into_iter().map(|row| row.read(now)).collect())
    }

    /// The account's things of a kind behind `after` that a scope opens, by id, at most `most`, and how
    /// each is named; none of accounts, which are no things.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn things_behind(
        &self,
        account: AccountId,
        kind: ResourceKind,
        scope: &Scope,
        after: Option<Uuid>,
        most: usize,
    ) -> Result<Vec<(Uuid, DoorKey)>, Failure> {
        let (account, after) = (Uuid::from(account), after.unwrap_or_default());
        match kind {
            ResourceKind::Account => Ok(Vec::new()),
            ResourceKind::Service => {
                self.opened_behind(OPENED_SERVICES, account, scope, after, most).await
            }
            ResourceKind::Domain => {
                self.opened_behind(OPENED_DOMAINS, account, scope, after, most).await
            }
            ResourceKind::Invoice => self.behind(INVOICES, account, after, most).await,
            ResourceKind::Request => self.behind(REQUESTS, account, after, most).await,
        }
    }

    async fn opened_behind(
        &self,
        text: Differing,
        account: Uuid,
        scope: &Scope,
        after: Uuid,
        most: usize,
    ) -> Result<Vec<(Uuid, DoorKey)>, Failure> {
        let text = text.at(self);
        let [(any, grants), (also_any, also_grants)] = conditions(scope);
        let rows: Vec<(Uuid, Option<String>)> = read!(self, db => query_as(text)
            .bind(account)
            .bind(any)
            .bind(&grants)
            .bind(also_any)
            .bind(&also_grants)
            .bind(after)
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(keyed(rows))
    }

    async fn behind(
        &self,
        text: &'static str,
        account: Uuid,
        after: Uuid,
        most: usize,
    ) -> Result<Vec<(Uuid, DoorKey)>, Failure> {
        let rows: Vec<(Uuid, Option<String>)> = read!(self, db => query_as(text)
            .bind(account)
            .bind(after)
            .bind(limit(most))
            .fetch_all(db))?;
        Ok(keyed(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_told_whatever_their_givers_are_called() {
        let [one, two] = [1, 0xab << 120].map(Uuid::from_u128);
        let upper = one.simple().to_string().to_uppercase();
        let stored = format!(
            r#"[{{"id":"{upper}","permissions":"billing.pay","services":1,"domains":0,"names":1,
                  "until":null,"by":"a, \"b\" ;:é","at":5}},
                {{"id":"{two}","permissions":"","services":0,"domains":1,"names":0,
                  "until":7,"by":null,"at":6}}]"#
        );
        let moment = Timestamp::from_micros;
        let by = Some("a, \"b\" ;:é".to_owned());
        let permissions = [Permission::BillingPay].into_iter().collect();
        let key = Key { permissions, all_services: true, all_domains: false };
        let named_by = NamedBy { own: permissions, ..NamedBy::default() };
        let first = Given { grant: one.into(), key, named_by, until: None, by, at: moment(5) };
        let second = Given {
            grant: two.into(),
            key: Key { permissions: PermissionSet::EMPTY, all_services: false, all_domains: true },
            named_by: NamedBy::default(),
            until: Some(moment(7)),
            by: None,
            at: moment(6),
        };
        let expected = [first, second];
        assert_eq!(read_given(Some(&stored)), expected);
        assert_eq!(read_given(Some("[]")), []);
        assert_eq!(read_given(None), []);
    }
}
