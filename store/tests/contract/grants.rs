use std::path::Path;

use model::{
    Access, Actor, Key, Keys, ListPlace, On, Permission, PermissionSet, Reach, Reached, Scope,
    Terms, Timestamp,
};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};
use store::{ChangeFacts, Grant, Holding, MembershipChange, Store};
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::areas::{domain, service};
use crate::story::{
    Bakery, accept, account, at, change, email, grant, granted, offer, token, user,
};

use Permission::{AccountUsers, BillingView, DomainsView, ServicesCredentials, ServicesView};

fn set(permissions: &[Permission]) -> PermissionSet {
    permissions.iter().copied().collect()
}

/// These permissions on these services, and no domain.
fn on(permissions: &[Permission], services: &[Uuid], until: Option<Timestamp>) -> Terms {
    let services = Reach::of(false, services.iter().copied());
    Terms { services, domains: Reach::NOTHING, until, ..Terms::whole(set(permissions)) }
}

fn access(terms: impl IntoIterator<Item = Terms>) -> Access {
    terms.into_iter().collect()
}

/// Adds services with these names to the bakery; answers their ids.
async fn services<const N: usize>(bakery: &Bakery, names: [&str; N]) -> [Uuid; N] {
    let services = names.map(service);
    for service in &services {
        bakery.store.add_service(bakery.id, service).await.unwrap();
    }
    services.map(|service| service.id)
}

/// The names of the services that a permission opens to somebody.
async fn listed(bakery: &Bakery, actor: &Actor, permission: Permission) -> Vec<String> {
    let scope = actor.reach(permission).unwrap();
    let services = bakery.store.services(actor, &scope, &ListPlace::First, 9).await.unwrap();
    for service in &services {
        let same = bakery.store.service(actor, &scope, service.id).await.unwrap().unwrap();
        assert_eq!(same.named_by, service.named_by);
        assert!(actor.may(permission, On::Service(&service.named_by)));
    }
    services.into_iter().map(|service| service.name).collect()
}

/// A database as it was before there were grants: Kari owns an account, where Amira has two
/// permissions, given by Kari, and Tom none; Ola is invited.
async fn of_earlier(url: &str) -> [Uuid; 4] {
    let [account, kari, amira, tom] = [1, 2, 3, 4].map(Uuid::from_u128);
    let sqlite = url.starts_with("sqlite:");
    let id = |id: Uuid| match sqlite {
        true => format!("x'{}'", id.simple()),
        false => format!("'{id}'"),
    };
    let hash = if sqlite {
        format!("x'{}'", "01".repeat(32))
    } else {
        format!("'\\x{}'", "01".repeat(32))
    };
    let mut statements = format!(
        "INSERT INTO accounts VALUES ({}, 100001, 'Bakery', '', '', '', '', 0);",
        id(account)
    );
    for (user, name) in [(kari, "kari"), (amira, "amira"), (tom, "tom")] {
        let user = id(user);
        statements += &format!(
            "INSERT INTO users (id, email, email_key, full_name, password_hash, created_at) \
             VALUES ({user}, '{name}@example.com', '{name}@example.com', '{name}', '', 0);"
        );
    }
    for (user, owner, permissions, by) in [
        (kari, "TRUE", "", "NULL".to_owned()),
        (amira, "FALSE", "services.view billing.view billing.everything", id(kari)),
        (tom, "FALSE", "", "NULL".to_owned()),
    ] {
        let (account, user) = (id(account), id(user));
        statements += &format!(
            "INSERT INTO memberships \
                 (account_id, user_id, owner, permissions, since, invited_by, name_key) \
             VALUES ({account}, {user}, {owner}, '{permissions}', 7, {by}, 'x');"
        );
    }
    let (invitation, account_id, kari_id) = (id(Uuid::from_u128(9)), id(account), id(kari));
    statements += &format!(
        "INSERT INTO invitations \
             (id, account_id, email, email_key, owner, permissions, inviter_id, state, sent_at, \
              expires_at, current_token_hash, created_at) \
         VALUES ({invitation}, {account_id}, 'ola@example.com', 'ola@example.com', FALSE, \
                 'services.view', {kari_id}, 'pending', 0, {}, {hash}, 0); \
         INSERT INTO invitation_tokens (token_hash, invitation_id, issued_at) \
         VALUES ({hash}, {invitation}, 0)",
        at(100).as_micros()
    );
    if sqlite {
        let pool = SqlitePool::connect(&format!("{url}?mode=rwc")).await.unwrap();
        let earlier = Migrator::new(Path::new("migrations/sqlite")).await.unwrap();
        earlier.run_to(14, &pool).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&pool).await.unwrap();
        pool.close().await;
    } else {
        let pool = PgPool::connect(url).await.unwrap();
        let earlier = Migrator::new(Path::new("migrations/postgres")).await.unwrap();
        earlier.run_to(14, &pool).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&pool).await.unwrap();
        pool.close().await;
    }
    [account, kari, amira, tom]
}

async fn what_everybody_had_is_one_grant(store: &Store, [account, kari, amira, tom]: [Uuid; 4]) {
    store.migrate().await.unwrap();
    let account = account.into();
    let member = async |user: Uuid| store.member(account, user.into()).await.unwrap().unwrap();
    assert!(member(kari).await.held.is_owner());
    let held = member(amira).await.held;
    let store::Held::Granted(rows) = &held else { panic!("an owner") };
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].given_by.as_deref(), Some("kari"));
    assert_eq!(rows[0].given_at, Timestamp::from_micros(7));
    let permissions = set(&[ServicesView, BillingView]);
    assert_eq!(held.outline(), Access::granted(permissions).outline());
    let Holding::Granted(grants) = store.holding(account, tom.into(), false).await.unwrap() else {
        panic!("an owner")
    };
    assert!(grants.len() == 1 && grants[0].given_by.is_none());

    let number = model::AccountNumber::from_stored(100_001);
    let amira = store.membership(amira.into(), number, None, at(0)).await.unwrap().unwrap();
    let Keys::Granted(keys) = amira.keys else { panic!("an owner") };
    assert!(keys.len() == 1 && keys[0].all_services && keys[0].permissions == permissions);
    let opened = store.open_invitation(&token(1), at(1)).await.unwrap().unwrap();
    assert_eq!(opened.invitation.offered.access(), granted(&[ServicesView]));
}

#[tokio::test]
async fn what_everybody_had_on_sqlite_is_one_grant_after_migrating() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("latchkey.db").display());
    let people = of_earlier(&url).await;
    what_everybody_had_is_one_grant(&Store::open(&url).await.unwrap(), people).await;
}

#[tokio::test]
async fn what_everybody_had_on_postgres_is_one_grant_after_migrating() {
    let url = test_database::empty_postgres_url().await;
    let people = of_earlier(&url).await;
    what_everybody_had_is_one_grant(&Store::open(&url).await.unwrap(), people).await;
}

#[apply(on_both!)]
async fn a_grant_opens_nothing_from_its_end_on_and_stays(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let [shop] = services(&bakery, ["Shop"]).await;
    let until = Some(at(10));
    let held = access([
        on(&[ServicesView], &[shop], until),
        Terms { until, ..Terms::whole(set(&[AccountUsers])) },
    ]);
    let amira = bakery.with("Amira", "amira@example.com", held.clone()).await;
    let open = async |seconds| bakery.acting(amira, seconds).await.keys.open();
    assert_eq!(open(9).await, held.permissions());
    assert_eq!(open(10).await, PermissionSet::EMPTY);
    assert_eq!(bakery.access(amira).await, held);
    for (seconds, live) in [(9, held), (10, Access::NONE)] {
        let decide = |facts: &ChangeFacts| {
            assert_eq!(facts.by.access, live);
            assert_eq!(facts.by.actor.keys.open(), live.permissions());
            Ok(None)
        };
        let (id, ingrid) = (bakery.id, bakery.ingrid);
        db.store.change_membership(id, amira, ingrid, at(seconds), decide).await.unwrap();
    }
}

#[apply(on_both!)]
async fn lists_hold_what_somebodys_grants_reach(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let [archive, mail, shop] = services(&bakery, ["Archive", "Mail", "Shop"]).await;
    let own = domain("own.example", true);
    db.store.add_domain(bakery.id, &own).await.unwrap();
    db.store.add_domain(bakery.id, &domain("other.example", true)).await.unwrap();
    let held = access([
        on(&[ServicesView], &[archive, shop], None),
        on(&[ServicesCredentials], &[shop], None),
        on(&[ServicesView], &[mail], Some(at(10))),
        Terms { domains: Reach::of(false, [own.id]), ..Terms::whole(set(&[DomainsView])) },
    ]);
    let mei = bakery.with("Mei", "mei@example.com", held).await;
    // What others reach is none of hers.
    let all = access([on(&[ServicesView], &[archive, mail, shop], None)]);
    bakery.with("Tom", "tom@example.com", all).await;

    let early = bakery.acting(mei, 9).await;
    assert_eq!(listed(&bakery, &early, ServicesView).await, ["Archive", "Mail", "Shop"]);
    let late = bakery.acting(mei, 10).await;
    assert_eq!(listed(&bakery, &late, ServicesView).await, ["Archive", "Shop"]);
    assert_eq!(listed(&bakery, &late, ServicesCredentials).await, ["Shop"]);
    let scope = late.reach(ServicesView).unwrap();
    let services = db.store.services(&late, &scope, &ListPlace::First, 9).await.unwrap();
    let shown = services
        .iter()
        .map(|service| late.may(ServicesCredentials, On::Service(&service.named_by)));
    assert_eq!(shown.collect::<Vec<_>>(), [false, true]);
    assert!(db.store.service(&late, &scope, mail).await.unwrap().is_none());
    assert_eq!(db.store.services(&late, &scope, &ListPlace::First, 1).await.unwrap().len(), 1);
    let scope = late.reach(DomainsView).unwrap();
    let domains = db.store.domains(&late, &scope, &ListPlace::First, 9).await.unwrap();
    assert_eq!(domains.iter().map(|domain| domain.id).collect::<Vec<_>>(), [own.id]);
    assert!(db.store.domain(&late, &scope, own.id).await.unwrap().is_some());

    let ingrid = bakery.acting(bakery.ingrid, 9).await;
    assert_eq!(listed(&bakery, &ingrid, ServicesView).await, ["Archive", "Mail", "Shop"]);
    let (agency, _) = account(&db.store, "Agency").await;
    let elsewhere = Actor { account: agency, ..ingrid };
    assert!(
        db.store.services(&elsewhere, &Scope::All, &ListPlace::First, 9).await.unwrap().is_empty()
    );
    assert!(db.store.service(&elsewhere, &Scope::All, shop).await.unwrap().is_none());
}

/// The names of the services on which a permission is open to somebody, of all that they see.
async fn open_on(bakery: &Bakery, actor: &Actor, permission: Permission) -> Vec<String> {
    let scope = actor.reach(ServicesView).unwrap();
    let services = bakery.store.services(actor, &scope, &ListPlace::First, 9).await.unwrap();
    let open = |service: &store::Service| actor.may(permission, On::Service(&service.named_by));
    services.into_iter().filter(open).map(|service| service.name).collect()
}

#[apply(on_both!)]
async fn grants_of_several_ends_and_permissions_reach_what_each_names(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let [archive, mail, shop, till] = services(&bakery, ["Archive", "Mail", "Shop", "Till"]).await;
    let held = access([
        on(&[ServicesView], &[archive], Some(at(10))),
        on(&[ServicesView], &[mail], Some(at(20))),
        on(&[ServicesView], &[shop], None),
        on(&[ServicesCredentials], &[mail, till], Some(at(30))),
    ]);
    let mei = bakery.with("Mei", "mei@example.com", held).await;
    let all = access([on(&[ServicesCredentials], &[archive, mail, shop, till], None)]);
    bakery.with("Tom", "tom@example.com", all).await;
    for (seconds, seen, opened, keys) in [
        (9, &["Archive", "Mail", "Shop", "Till"][..], &["Mail", "Till"][..], 2),
        (10, &["Mail", "Shop", "Till"], &["Mail", "Till"], 2),
        (20, &["Mail", "Shop", "Till"], &["Mail", "Till"], 2),
        (30, &["Shop"], &[], 1),
    ] {
        let actor = bakery.acting(mei, seconds).await;
        let Keys::Granted(found) = &actor.keys else { panic!("an owner") };
        assert_eq!(found.len(), keys, "at {seconds}");
        assert_eq!(listed(&bakery, &actor, ServicesView).await, seen, "at {seconds}");
        assert_eq!(open_on(&bakery, &actor, ServicesCredentials).await, opened, "at {seconds}");
        match actor.reach(ServicesCredentials) {
            Ok(_) => assert_eq!(listed(&bakery, &actor, ServicesCredentials).await, opened),
            Err(_) => assert!(opened.is_empty(), "at {seconds}"),
        }
    }
    // Whatever an earlier version left out, or a later one put in.
    db.run("UPDATE grants SET permissions = 'services.later services.credentials'").await;
    let actor = bakery.acting(mei, 20).await;
    assert_eq!(listed(&bakery, &actor, ServicesView).await, ["Mail", "Shop", "Till"]);
    assert_eq!(open_on(&bakery, &actor, ServicesCredentials).await, ["Mail", "Shop", "Till"]);
}

#[apply(on_both!)]
async fn grants_that_differ_in_nothing_but_what_they_name_are_one_key(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let names = ["Archive", "Mail", "Shop"];
    let [archive, mail, shop] = services(&bakery, names).await;
    let grants = (0..200).map(|number| match number % 3 {
        0 => on(&[ServicesView], &[archive, mail], Some(at(10))),
        1 => on(&[ServicesView], &[mail], Some(at(20 + number))),
        _ => on(&[ServicesView], &[shop], None),
    });
    let mei = bakery.with("Mei", "mei@example.com", access(grants)).await;
    let permissions = set(&[ServicesView]);
    let key = Key { permissions, all_services: false, all_domains: false };
    let one = Keys::Granted(vec![key]);
    for (seconds, seen) in [(9, &names[..]), (10, &["Mail", "Shop"]), (220, &["Shop"])] {
        let actor = bakery.acting(mei, seconds).await;
        assert_eq!((&actor.keys, seconds), (&one, seconds));
        assert_eq!(listed(&bakery, &actor, ServicesView).await, seen, "at {seconds}");
    }
    // Those that reach all of an area are another kind than those that reach some.
    let held = access([
        Terms { services: Reach::All, domains: Reach::NOTHING, ..on(&[ServicesView], &[], None) },
        Terms { domains: Reach::All, ..on(&[ServicesView, DomainsView], &[shop], None) },
        on(&[ServicesView, DomainsView], &[mail], None),
    ]);
    let amira = bakery.with("Amira", "amira@example.com", held).await;
    let actor = bakery.acting(amira, 1).await;
    let Keys::Granted(keys) = &actor.keys else { panic!("an owner") };
    assert_eq!(keys.len(), 3);
    assert_eq!(actor.reach(ServicesView), Ok(Scope::All));
    assert_eq!(actor.reach(DomainsView), Ok(Scope::All));
}

#[apply(on_both!)]
async fn a_membership_keeps_the_keys_of_its_grants_whoever_writes_them(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let [shop] = services(&bakery, ["Shop"]).await;
    let held = access([
        on(&[ServicesView], &[shop], Some(at(10))),
        on(&[ServicesView], &[shop], Some(at(20))),
        Terms::whole(set(&[BillingView])),
    ]);
    let mei = bakery.with("Mei", "mei@example.com", held.clone()).await;
    let tom = bakery.with("Tom", "tom@example.com", held.clone()).await;
    let open = async |user, seconds| {
        let open = bakery.acting(user, seconds).await.keys.open();
        open.iter().collect::<Vec<_>>()
    };
    assert_eq!(open(mei, 19).await, [ServicesView, BillingView]);
    assert_eq!(open(mei, 20).await, [BillingView]);
    let of_mei = "user_id IN (SELECT id FROM users WHERE full_name = 'Mei')";
    let later = format!("UPDATE grants SET until = {} ", at(30).as_micros());
    db.run(&format!("{later} WHERE until IS NOT NULL AND {of_mei}")).await;
    assert_eq!(open(mei, 29).await, [ServicesView, BillingView], "a later end");
    db.run(&format!("DELETE FROM grants WHERE until IS NULL AND {of_mei}")).await;
    assert_eq!(open(mei, 29).await, [ServicesView], "and one that is gone");
    db.run(&format!("DELETE FROM grants WHERE {of_mei}")).await;
    assert_eq!(open(mei, 1).await, []);
    assert_eq!(open(tom, 19).await, [ServicesView, BillingView], "nobody else's");
}

#[apply(on_both!)]
async fn a_thing_that_is_deleted_or_moves_leaves_the_reaches(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let [gone, moved, stays] = services(&bakery, ["Gone", "Moved", "Stays"]).await;
    let held = on(&[ServicesView], &[gone, moved, stays], None);
    let mei = bakery.with("Mei", "mei@example.com", access([held.clone()])).await;
    let (id, ingrid, to) = (bakery.id, bakery.ingrid, email("tom@example.com"));
    let decide = |_: &_| Ok(offer(1, access([held])));
    db.store.offer_invitation(id, ingrid, &to, at(0), decide).await.unwrap();
    account(&db.store, "Agency").await;
    db.run(
        "DELETE FROM services WHERE name = 'Gone'; \
         UPDATE services SET account_id = (SELECT id FROM accounts WHERE name = 'Agency') \
         WHERE name = 'Moved'",
    )
    .await;
    let left = access([on(&[ServicesView], &[stays], None)]);
    assert_eq!(bakery.access(mei).await, left);
    let opened = db.store.open_invitation(&token(1), at(1)).await.unwrap().unwrap();
    assert_eq!(opened.invitation.offered.access(), left);
    db.run("UPDATE services SET account_id = (SELECT id FROM accounts WHERE name = 'Bakery')")
        .await;
    assert_eq!(bakery.access(mei).await, left, "nor does it come back");
    db.run("DELETE FROM services").await;
    let member = db.store.member(id, mei).await.unwrap().unwrap();
    let store::Held::Granted(rows) = member.held else { panic!("an owner") };
    assert_eq!(rows[0].outline.services, Reached::These(0), "and the grant says so");
    assert_eq!(listed(&bakery, &bakery.acting(mei, 1).await, ServicesView).await, [""; 0]);
}

#[apply(on_both!)]
async fn nothing_of_another_account_is_ever_named(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (agency, _) = account(&db.store, "Agency").await;
    let (own, foreign) = (service("Own"), service("Foreign"));
    db.store.add_service(bakery.id, &own).await.unwrap();
    db.store.add_service(agency, &foreign).await.unwrap();
    let nowhere = Uuid::new_v4();
    let held = access([on(&[ServicesView], &[own.id, foreign.id, nowhere], None)]);
    let mei = bakery.with("Mei", "mei@example.com", held.clone()).await;
    let left = access([on(&[ServicesView], &[own.id], None)]);
    assert_eq!(bakery.access(mei).await, left);
    let (id, ingrid, to) = (bakery.id, bakery.ingrid, email("tom@example.com"));
    let decide = |_: &_| Ok(offer(1, held));
    db.store.offer_invitation(id, ingrid, &to, at(0), decide).await.unwrap();
    let opened = db.store.open_invitation(&token(1), at(1)).await.unwrap().unwrap();
    assert_eq!(opened.invitation.offered.access(), left);
}

#[apply(on_both!)]
async fn a_change_adds_changes_and_ends_grants_and_leaves_the_others(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let [mail, shop] = services(&bakery, ["Mail", "Shop"]).await;
    let mei = bakery.with("Mei", "mei@example.com", Access::NONE).await;
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let hold = async |grants: &[Grant]| {
        let holding = Some(Holding::Granted(grants.to_vec()));
        let change = MembershipChange { holding, ..change(None) };
        let decide = |_: &ChangeFacts| Ok(Some(change));
        db.store.change_membership(id, ingrid, mei, at(1), decide).await.unwrap();
        let held = db.store.holding(id, mei, false).await.unwrap();
        assert_eq!(held.grants(), grants);
    };
    let begun = Grant { given_by: Some(ingrid), ..grant(on(&[ServicesView], &[mail, shop], None)) };
    let whole = Grant { given_at: at(1), ..grant(Terms::whole(set(&[BillingView]))) };
    let lasts = Grant { given_at: at(2), ..grant(on(&[ServicesCredentials], &[shop], None)) };
    hold(&[begun.clone(), whole.clone(), lasts.clone()]).await;
    let narrowed = Grant {
        terms: on(&[ServicesView, ServicesCredentials], &[mail], Some(at(50))),
        why: "For the summer".to_owned(),
        // It stays in its place, whenever it was changed.
        given_at: at(9),
        ..begun
    };
    let later = Grant { given_at: at(3), ..grant(Terms::whole(set(&[DomainsView]))) };
    hold(&[narrowed.clone(), lasts.clone(), later]).await;
    let widened = Grant { terms: Terms::whole(set(&[ServicesView])), ..narrowed };
    hold(&[widened, lasts]).await;
    hold(&[]).await;
}

#[apply(on_both!)]
async fn an_invitation_offers_what_it_named_last_and_gives_it(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let [mail, shop] = services(&bakery, ["Mail", "Shop"]).await;
    let (id, to) = (bakery.id, email("mei@example.com"));
    let bounded =
        [Terms::whole(set(&[AccountUsers])), on(&[ServicesView], &[mail, shop], Some(at(50)))];
    let amira = bakery.with("Amira", "amira@example.com", access(bounded.clone())).await;
    let mut offered = None;
    for (number, terms) in [
        (1, on(&[ServicesView], &[mail, shop], None)),
        (2, on(&[ServicesView, BillingView], &[shop], Some(at(60)))),
    ] {
        let access = access([terms]);
        let decide = |_: &_| Ok(offer(number, access.clone()));
        db.store.offer_invitation(id, amira, &to, at(0), decide).await.unwrap();
        offered = Some(access);
    }
    let opened = db.store.open_invitation(&token(2), at(1)).await.unwrap().unwrap();
    assert_eq!(Some(&opened.invitation.offered.access()), offered.as_ref());
    assert_eq!(opened.inviter_access, Some(access(bounded)));
    let pending = db.store.pending_invitations(id, None, 9, at(50)).await.unwrap();
    assert_eq!(Some(&pending[0].invitation.offered.access()), offered.as_ref());
    let lapsed = Some(Access::granted(set(&[AccountUsers])));
    assert_eq!(pending[0].inviter_access, lapsed);

    let mei = user(&db.store, "Mei", "mei@example.com").await;
    let decide = |facts: &store::AnswerFacts| {
        assert_eq!(facts.opened.inviter_access, lapsed);
        Ok(accept(store::Joiner::Existing(mei), facts.opened.invitation.offered.access()))
    };
    db.store.answer_invitation(&token(2), at(50), decide).await.unwrap();
    assert_eq!(Some(bakery.access(mei).await), offered);
    let member = db.store.member(id, mei).await.unwrap().unwrap();
    let store::Held::Granted(rows) = member.held else { panic!("an owner") };
    assert_eq!((rows[0].given_by.as_deref(), rows[0].given_at), (Some("Amira"), at(50)));
    assert_eq!(rows[0].outline.services, Reached::These(1));
}

#[apply(on_both!)]
async fn a_list_of_users_tells_what_each_holds(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let [shop] = services(&bakery, ["Shop"]).await;
    for number in 0..30 {
        let terms = match number % 3 {
            0 => Terms::whole(set(&[BillingView])),
            1 => on(&[ServicesView], &[shop], Some(at(number))),
            _ => Terms::whole(PermissionSet::EMPTY),
        };
        let address = format!("p{number}@example.com");
        bakery.with(&format!("P{number:02}"), &address, access([terms])).await;
    }
    let users = db.store.users(bakery.id, &store::UsersQuery::default(), 99).await.unwrap();
    for (number, member) in users.iter().skip(1).enumerate() {
        let access = bakery.access(member.user).await;
        assert_eq!(member.held.outline(), access.outline(), "{number}");
    }
    assert!(users[0].held.is_owner(), "Ingrid comes first");
}
