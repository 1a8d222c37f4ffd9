use model::{
    Access, ActivityKind, Afterwards, Conflict, Failure, Keys, Noted, OwnerChangeId,
    OwnerChangeState, Permission, Reach, Terms, UserId,
};
use store::{
    ActivityFilter, ChangeFacts, NewOwnerChange, NewPause, OwnerChange, OwnerChangeFacts,
    OwnerOfferFacts, OwnerStep, PauseChange, Store, WantedOwners,
};
use test_database::{TestDatabase, apply, on_both};

use crate::areas::service;
use crate::story::{
    Bakery, DAY, HOUR, at, at_once, change, email, entry, granted, mail, offer, token,
};

use ActivityKind::{OwnerAccepted, OwnerHandedOver, OwnerLapsed, OwnerMade, OwnerOffered};
use OwnerChangeState::{Done, Lapsed, Offered, Stopped, Waiting};
use Permission::{BillingPay, ServicesManage};

const OVER: Failure = Failure::Conflict(Conflict::OwnerChangeOver);

fn new(afterwards: Option<Afterwards>) -> NewOwnerChange {
    NewOwnerChange { afterwards, entry: entry(OwnerOffered), bounds: Vec::new() }
}

/// An owner asks somebody, unless they were asked already or can't be.
async fn ask(
    bakery: &Bakery,
    by: UserId,
    to: UserId,
    afterwards: Option<Afterwards>,
    seconds: u64,
) -> Result<OwnerChangeId, Failure> {
    let decide = |facts: &OwnerOfferFacts| {
        facts.by.actor.must_own()?;
        match facts.asked || facts.target.held.is_owner() {
            true => Err(Failure::Conflict(Conflict::OwnerChangeAsked)),
            false => Ok(new(afterwards)),
        }
    };
    bakery.store.offer_ownership(bakery.id, by, to, at(seconds), decide).await
}

/// Somebody takes a step that is open to them, as long as the change is.
async fn take(
    store: &Store,
    bakery: &Bakery,
    by: UserId,
    id: OwnerChangeId,
    step: OwnerStep,
    seconds: u64,
) -> Result<OwnerChange, Failure> {
    let decide = |facts: &OwnerChangeFacts| match facts.change.state.is_open() {
        true => Ok(step),
        false => Err(OVER),
    };
    store.step_owner_change(bakery.id, by, id, at(seconds), decide).await
}

fn accepting(due: u64) -> OwnerStep {
    OwnerStep::Accept(at(due), entry(OwnerAccepted).after(Noted::Since(at(due))))
}

fn stopping() -> OwnerStep {
    OwnerStep::Stop(entry(ActivityKind::OwnerStopped))
}

/// Ingrid asks somebody, who accepts: it comes true at this second.
async fn waiting(
    bakery: &Bakery,
    to: UserId,
    afterwards: Option<Afterwards>,
    due: u64,
) -> OwnerChangeId {
    let id = ask(bakery, bakery.ingrid, to, afterwards, 1).await.unwrap();
    take(&bakery.store, bakery, to, id, accepting(due), 2).await.unwrap();
    id
}

async fn state(bakery: &Bakery, id: OwnerChangeId) -> Option<OwnerChangeState> {
    bakery.store.owner_change(bakery.id, id).await.unwrap().map(|change| change.state)
}

async fn kinds(bakery: &Bakery) -> Vec<ActivityKind> {
    let rows = bakery.store.activity(bakery.id, &ActivityFilter::default(), 50).await.unwrap();
    rows.into_iter().map(|row| row.entry.kind).collect()
}

async fn owners(bakery: &Bakery) -> Vec<String> {
    let owners = bakery.store.owners(bakery.id, 50).await.unwrap();
    owners.into_iter().map(|owner| owner.full_name).collect()
}

/// The mails about owners that nobody took yet, as their recipients' first names.
async fn told(bakery: &Bakery, seconds: u64) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(mail) = bakery.store.take_mail(HOUR, at(seconds)).await.unwrap() {
        if mail.mail.kind() == model::MailKind::OwnerNews {
            told.push(mail.to.as_str().split('@').next().unwrap().to_owned());
        }
    }
    told.sort();
    told
}

/// Somebody stops being an owner, as long as there is another.
async fn step_down(
    store: &Store,
    bakery: &Bakery,
    user: UserId,
    to: Option<Access>,
    seconds: u64,
) -> Result<(), Failure> {
    let decide = |facts: &ChangeFacts| match facts.target.held.is_owner() && facts.other_owners == 0
    {
        true => Err(Failure::Conflict(Conflict::LastOwner)),
        false => Ok(Some(change(to))),
    };
    store.change_membership(bakery.id, user, user, at(seconds), decide).await
}

async fn pause(store: &Store, bakery: &Bakery, user: UserId, seconds: u64) -> Result<(), Failure> {
    let decide = |facts: &ChangeFacts| match facts.target.held.is_owner() {
        true => Err(Failure::Conflict(Conflict::OwnersStay)),
        false => Ok(Some(PauseChange {
            pause: Some(NewPause { by: facts.by.actor.user, why: String::new() }),
            entry: entry(ActivityKind::AccessPaused),
            mail: mail("mei@example.com"),
        })),
    };
    store.change_pause(bakery.id, bakery.ingrid, user, at(seconds), decide).await
}

#[apply(on_both!)]
async fn a_change_comes_back_as_it_was_made_and_accepted(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    let shop = service("Webshop");
    db.store.add_service(bakery.id, &shop).await.unwrap();
    let terms = Terms {
        services: Reach::of(false, [shop.id]),
        domains: Reach::NOTHING,
        until: Some(at(900)),
        ..Terms::whole([ServicesManage].into_iter().collect())
    };
    let left = Afterwards::User(terms, "Until the books are closed".to_owned());
    let id = ask(&bakery, bakery.ingrid, mei, Some(left.clone()), 5).await.unwrap();
    let found = db.store.owner_change(bakery.id, id).await.unwrap().unwrap();
    assert_eq!((found.user, found.person.email), (mei, email("mei@example.com")));
    assert_eq!((found.made_by, found.made_by_name.as_str()), (Some(bakery.ingrid), "Ingrid Berg"));
    assert_eq!((found.state, found.asked_at, found.due_at), (Offered, at(5), None));
    assert_eq!(found.afterwards, Some(left));
    assert_eq!(told(&bakery, 5).await, ["ingrid", "mei"], "at once, also whoever offers it");

    take(&db.store, &bakery, mei, id, accepting(100), 7).await.unwrap();
    let found = db.store.open_owner_changes(bakery.id, 9).await.unwrap().remove(0);
    assert_eq!((found.state, found.accepted_at), (Waiting, Some(at(7))));
    assert_eq!(found.due_at, Some(at(100)));
    assert_eq!(told(&bakery, 7).await, ["ingrid"]);
    let again = take(&db.store, &bakery, mei, id, accepting(50), 8).await;
    assert_eq!(again.unwrap_err(), OVER);
    let seen = db.store.memberships(mei, None, 9, at(8)).await.unwrap();
    assert_eq!(seen[0].becoming, Some((id, Some(at(100)))));
}

/// Somebody looks in one of these ways at who owns the account, when the moment has come.
async fn sees_an_owner(bakery: &Bakery, mei: UserId, way: u8) -> bool {
    let (store, ingrid) = (&bakery.store, bakery.ingrid);
    let mut others = 0;
    let count = |facts: &ChangeFacts| {
        others = facts.other_owners;
        Ok(Some(change(Some(Access::Owner))))
    };
    match way {
        0 => bakery.acting(mei, 100).await.keys == Keys::Owner,
        1 => store.memberships(mei, None, 9, at(100)).await.unwrap()[0].held.is_owner(),
        2 => {
            store.change_membership(bakery.id, ingrid, ingrid, at(100), count).await.unwrap();
            others == 1
        }
        3 => {
            let opened = store.open_invitation(&token(9), at(100)).await.unwrap().unwrap();
            opened.inviter_access == Some(Access::Owner)
        }
        4 => store.leaving_accounts(mei, at(100)).await.unwrap()[0].0.owner,
        5 => {
            let left = store.leaving_accounts(ingrid, at(100)).await.unwrap();
            left[0].0.other_owners == 1
        }
        6 => store.own_accounts(mei, uuid::Uuid::nil(), 9, at(100)).await.unwrap()[0].owner,
        7 => {
            let listed = store.accounts(None, 99, at(100)).await.unwrap();
            let row = listed.into_iter().find(|row| row.id == bakery.id).unwrap();
            row.owners == 2
        }
        8 => {
            store.settle_due_owners(bakery.id, at(100)).await.unwrap();
            owners(bakery).await == ["Ingrid Berg", "Mei"]
        }
        _ => {
            assert_eq!(store.due_owner_accounts(9, at(99)).await.unwrap(), []);
            assert_eq!(store.due_owner_accounts(9, at(100)).await.unwrap(), [bakery.id]);
            store.settle_owners(bakery.id, at(100)).await.unwrap();
            true
        }
    }
}

#[apply(on_both!)]
async fn whoever_looks_after_the_waiting_time_finds_an_owner(db: TestDatabase) {
    for way in 0..10 {
        let bakery = Bakery::another(&db.store, way).await;
        let mei = format!("mei{way}@example.com");
        let mei = bakery.with("Mei", &mei, granted(&[BillingPay])).await;
        if way == 3 {
            let decide = |_: &_| Ok(offer(9, granted(&[BillingPay])));
            let to = email("kari@example.com");
            db.store.offer_invitation(bakery.id, mei, &to, at(0), decide).await.unwrap();
        }
        let id = waiting(&bakery, mei, None, 100).await;
        assert_ne!(bakery.acting(mei, 99).await.keys, Keys::Owner);
        assert_eq!(state(&bakery, id).await, Some(Waiting));
        assert!(sees_an_owner(&bakery, mei, way).await, "{way}");
        assert_eq!(state(&bakery, id).await, Some(Done));
        assert_eq!(bakery.access(mei).await, Access::Owner);
        let found = db.store.membership(mei, bakery.number, None, at(101)).await.unwrap().unwrap();
        assert_eq!(found.owners_due_at, None);
    }
}

#[apply(on_both!)]
async fn what_came_true_is_told_with_when_it_did(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.with("Olav", "olav@example.com", Access::Owner).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    waiting(&bakery, mei, None, 100).await;
    told(&bakery, 2).await;
    bakery.acting(mei, 500).await;
    let rows = db.store.activity(bakery.id, &ActivityFilter::default(), 1).await.unwrap();
    let entry = &rows[0].entry;
    assert_eq!((entry.kind, rows[0].at), (OwnerMade, at(500)), "written when somebody looked");
    assert_eq!(entry.after, Some(Noted::Since(at(100))));
    let Some(Noted::Grants(before)) = &entry.before else { panic!("{entry:?}") };
    let before: Vec<_> = before.iter().map(|grant| grant.outline.permissions).collect();
    let Access::Granted(had) = granted(&[BillingPay]) else { panic!("granted") };
    assert_eq!(before, had.iter().map(|terms| terms.permissions).collect::<Vec<_>>());
    assert_eq!((entry.actor, entry.subject), (Some(bakery.ingrid), Some(mei)));
    assert_eq!(told(&bakery, 500).await, ["ingrid", "mei", "olav"]);
    bakery.acting(mei, 600).await;
    assert_eq!(told(&bakery, 600).await, [""; 0], "once");
}

#[apply(on_both!)]
async fn handing_over_makes_one_an_owner_and_the_other_what_they_chose(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    let (shop, gone) = (service("Webshop"), service("Old website"));
    for service in [&shop, &gone] {
        db.store.add_service(bakery.id, service).await.unwrap();
    }
    let terms = |services: Reach| Terms {
        services,
        domains: Reach::NOTHING,
        ..Terms::whole([ServicesManage].into_iter().collect())
    };
    let chosen = terms(Reach::of(false, [shop.id, gone.id]));
    let left = Afterwards::User(chosen, "Sold".to_owned());
    let id = waiting(&bakery, mei, Some(left), 100).await;
    db.run("DELETE FROM services WHERE name = 'Old website'").await;
    db.store.settle_owners(bakery.id, at(100)).await.unwrap();
    assert_eq!(state(&bakery, id).await, Some(Done));
    assert_eq!(owners(&bakery).await, ["Mei"]);
    let kept = bakery.access(bakery.ingrid).await;
    assert_eq!(kept, std::iter::once(terms(Reach::of(false, [shop.id]))).collect());
    assert_eq!(kinds(&bakery).await[..2], [OwnerHandedOver, OwnerMade]);

    // And back, to leave.
    let ingrid = bakery.ingrid;
    let id = ask(&bakery, mei, ingrid, Some(Afterwards::Out), 200).await.unwrap();
    take(&db.store, &bakery, ingrid, id, accepting(300), 201).await.unwrap();
    told(&bakery, 201).await;
    assert_eq!(bakery.acting(ingrid, 300).await.keys, Keys::Owner);
    assert!(!db.store.is_in(bakery.id, mei).await.unwrap());
    assert_eq!(owners(&bakery).await, ["Ingrid Berg"]);
    assert_eq!(told(&bakery, 300).await, ["ingrid", "mei"]);
}

#[apply(on_both!)]
async fn nothing_comes_true_of_the_word_of_somebody_who_owns_the_account_no_more(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let olav = bakery.with("Olav", "olav@example.com", Access::Owner).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    let tom = bakery.with("Tom", "tom@example.com", granted(&[BillingPay])).await;
    let made = waiting(&bakery, mei, None, 100).await;
    let handed = ask(&bakery, bakery.ingrid, tom, Some(Afterwards::Out), 3).await.unwrap();
    told(&bakery, 3).await;
    let user = Some(granted(&[BillingPay]));
    step_down(&db.store, &bakery, bakery.ingrid, user, 50).await.unwrap();
    for id in [made, handed] {
        assert_eq!(state(&bakery, id).await, Some(Lapsed));
    }
    assert!(!bakery.acting(mei, 100).await.keys.is_owner());
    assert_eq!(owners(&bakery).await, ["Olav"]);
    let told = told(&bakery, 50).await;
    assert_eq!(told, ["ingrid", "ingrid", "ingrid", "mei", "olav", "olav", "olav", "tom"]);
    assert!(db.store.is_in(bakery.id, olav).await.unwrap());
}

#[apply(on_both!)]
async fn whoever_leaves_or_is_paused_becomes_no_owner(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    let tom = bakery.with("Tom", "tom@example.com", granted(&[BillingPay])).await;
    let left = waiting(&bakery, mei, None, 100).await;
    let paused = waiting(&bakery, tom, None, 100).await;
    step_down(&db.store, &bakery, mei, None, 50).await.unwrap();
    assert_eq!(state(&bakery, left).await, None, "it went with the membership");
    assert!(kinds(&bakery).await.contains(&OwnerLapsed), "the log tells of it");
    pause(&db.store, &bakery, tom, 60).await.unwrap();
    assert_eq!(state(&bakery, paused).await, Some(Waiting), "it may be resumed in time");
    db.store.settle_owners(bakery.id, at(100)).await.unwrap();
    assert_eq!(state(&bakery, paused).await, Some(Lapsed));
    assert_eq!(owners(&bakery).await, ["Ingrid Berg"]);
}

#[apply(on_both!)]
async fn whose_grants_ended_becomes_an_owner_all_the_same(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let until = Terms { until: Some(at(50)), ..Terms::whole([BillingPay].into_iter().collect()) };
    let mei = bakery.with("Mei", "mei@example.com", std::iter::once(until).collect()).await;
    waiting(&bakery, mei, None, 100).await;
    let found = db.store.membership(mei, bakery.number, None, at(100)).await.unwrap().unwrap();
    assert_eq!((found.keys, found.pause), (Keys::Owner, None));
}

#[apply(on_both!)]
async fn fifty_who_ask_one_person_at_once_ask_once(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    let asked = at_once(50, |_| {
        let (id, ingrid, store, number) =
            (bakery.id, bakery.ingrid, db.store.clone(), bakery.number);
        async move {
            let bakery = Bakery { store, id, number, ingrid };
            ask(&bakery, ingrid, mei, None, 1).await
        }
    })
    .await;
    assert_eq!(asked.iter().filter(|asked| asked.is_ok()).count(), 1);
    assert_eq!(db.store.open_owner_changes(bakery.id, 9).await.unwrap().len(), 1);
}

#[apply(on_both!)]
async fn owners_who_step_down_fifty_times_at_once_leave_one(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let olav = bakery.with("Olav", "olav@example.com", Access::Owner).await;
    let pair = [bakery.ingrid, olav];
    let outcomes = at_once(50, |place| {
        let (id, ingrid, store, number) =
            (bakery.id, bakery.ingrid, db.store.clone(), bakery.number);
        let user = pair[usize::from(place % 2)];
        async move {
            let bakery = Bakery { store: store.clone(), id, number, ingrid };
            step_down(&store, &bakery, user, Some(granted(&[BillingPay])), 5).await
        }
    })
    .await;
    assert!(outcomes.contains(&Err(Failure::Conflict(Conflict::LastOwner))));
    assert_eq!(owners(&bakery).await.len(), 1);
}

#[apply(on_both!)]
async fn what_is_stopped_as_its_waiting_time_ends_has_one_outcome(db: TestDatabase) {
    for round in 0..3_u8 {
        let bakery = Bakery::another(&db.store, round).await;
        let olav = format!("olav{round}@example.com");
        let olav = bakery.with("Olav", &olav, Access::Owner).await;
        let mei = format!("mei{round}@example.com");
        let mei = bakery.with("Mei", &mei, granted(&[BillingPay])).await;
        let change = waiting(&bakery, mei, Some(Afterwards::Out), 100).await;
        let stopped = at_once(50, |place| {
            let (id, ingrid, number) = (bakery.id, bakery.ingrid, bakery.number);
            let store = db.store.clone();
            async move {
                let bakery = Bakery { store: store.clone(), id, number, ingrid };
                match place % 2 {
                    // By a clock that hasn't come to the moment.
                    0 => take(&store, &bakery, olav, change, stopping(), 99).await.is_ok(),
                    _ => {
                        store.settle_owners(id, at(100)).await.unwrap();
                        false
                    }
                }
            }
        })
        .await;
        let stops = stopped.into_iter().filter(|stopped| *stopped).count();
        match state(&bakery, change).await {
            Some(Stopped) => {
                assert_eq!(stops, 1);
                assert_eq!(owners(&bakery).await, ["Ingrid Berg", "Olav"]);
            }
            Some(Done) => {
                assert_eq!(stops, 0);
                assert_eq!(owners(&bakery).await, ["Mei", "Olav"]);
                assert!(!db.store.is_in(bakery.id, bakery.ingrid).await.unwrap());
            }
            other => panic!("{other:?}"),
        }
        let ends = kinds(&bakery).await.into_iter();
        let ends = ends.filter(|kind| [ActivityKind::OwnerStopped, OwnerMade].contains(kind));
        assert_eq!(ends.count(), 1);
    }
}

#[apply(on_both!)]
async fn by_a_clock_that_has_come_to_the_moment_nothing_is_stopped(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    let id = waiting(&bakery, mei, None, 100).await;
    let late = take(&db.store, &bakery, bakery.ingrid, id, stopping(), 100).await;
    assert_eq!(late.unwrap_err(), OVER);
    assert_eq!(bakery.acting(mei, 100).await.keys, Keys::Owner);
}

#[apply(on_both!)]
async fn whoever_is_paused_or_leaves_as_the_waiting_time_ends_is_an_owner_or_isnt(
    db: TestDatabase,
) {
    for round in 0..4_u8 {
        let bakery = Bakery::another(&db.store, round).await;
        let mei = format!("mei{round}@example.com");
        let mei = bakery.with("Mei", &mei, granted(&[BillingPay])).await;
        let change = waiting(&bakery, mei, Some(Afterwards::Out), 100).await;
        let outcomes = at_once(50, |place| {
            let (id, ingrid, number) = (bakery.id, bakery.ingrid, bakery.number);
            let store = db.store.clone();
            async move {
                let bakery = Bakery { store: store.clone(), id, number, ingrid };
                match (place % 2, round % 2) {
                    (0, 0) => pause(&store, &bakery, mei, 99).await.is_ok(),
                    (0, _) => step_down(&store, &bakery, mei, None, 99).await.is_ok(),
                    _ => {
                        store.settle_owners(id, at(100)).await.unwrap();
                        false
                    }
                }
            }
        })
        .await;
        let went = outcomes.contains(&true);
        let found = state(&bakery, change).await;
        let owners = owners(&bakery).await;
        match (found, round % 2) {
            (Some(Done), _) => {
                assert!(!went, "the last owner neither is paused nor leaves");
                assert_eq!(owners, ["Mei"]);
            }
            (Some(Lapsed), 0) | (None, 1) => {
                assert!(went);
                assert_eq!(owners, ["Ingrid Berg"]);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[apply(on_both!)]
async fn nodes_whose_clocks_are_a_minute_apart_agree(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    let id = waiting(&bakery, mei, Some(Afterwards::Out), 100).await;
    let ahead = Store::open(&db.url).await.unwrap();
    let seen = async |store: &Store, user, seconds| {
        let found = store.membership(user, bakery.number, None, at(seconds)).await.unwrap();
        found.map(|found| found.keys.is_owner())
    };
    // Neither has come to it.
    assert_eq!(seen(&db.store, mei, 30).await, Some(false));
    assert_eq!(seen(&ahead, mei, 90).await, Some(false));
    // The one that is ahead has; from then on it is so for both.
    assert_eq!(seen(&ahead, mei, 100).await, Some(true));
    assert_eq!(seen(&db.store, mei, 40).await, Some(true));
    assert_eq!(seen(&db.store, bakery.ingrid, 40).await, None);
    assert_eq!(state(&bakery, id).await, Some(Done));

    let outcomes = at_once(50, |place| {
        let store = if place % 2 == 0 { ahead.clone() } else { db.store.clone() };
        let (id, seconds) = (bakery.id, if place % 2 == 0 { 260 } else { 200 });
        async move { store.settle_owners(id, at(seconds)).await }
    })
    .await;
    assert!(outcomes.iter().all(Result::is_ok));
    let made = kinds(&bakery).await.into_iter().filter(|kind| *kind == OwnerMade);
    assert_eq!(made.count(), 1);
}

#[apply(on_both!)]
async fn what_a_clock_ran_ahead_with_waits_no_longer_than_any(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    let year = 365 * 24 * 60 * 60;
    waiting(&bakery, mei, None, year).await;
    db.store.sweep(DAY, DAY, at(10)).await.unwrap();
    let week = 7 * 24 * 60 * 60;
    assert!(!bakery.acting(mei, 9 + week).await.keys.is_owner());
    assert!(bakery.acting(mei, 10 + week).await.keys.is_owner());
    db.store.sweep(DAY, DAY, at(year)).await.unwrap();
    assert!(db.store.open_owner_changes(bakery.id, 9).await.unwrap().is_empty());
}

/// The same bakery for a task of its own.
fn same(bakery: &Bakery) -> Bakery {
    let (id, number, ingrid) = (bakery.id, bakery.number, bakery.ingrid);
    Bakery { store: bakery.store.clone(), id, number, ingrid }
}

/// The operator adds and removes these, as long as somebody owns the account afterwards.
async fn by_provider(
    bakery: &Bakery,
    added: Option<&str>,
    removed: Option<&str>,
    seconds: u64,
) -> Result<(), Failure> {
    let (added, removed) = (added.map(email), removed.map(email));
    let wanted = WantedOwners { added: added.as_ref(), removed: removed.as_ref() };
    let decide = crate::owners_by_provider::keep_an_owner;
    let store = &bakery.store;
    store.change_owners_by_provider(bakery.id, wanted, at(seconds), decide).await.map(drop)
}

#[apply(on_both!)]
async fn whoever_owns_the_account_by_another_way_is_handed_nothing(db: TestDatabase) {
    for accepted in [false, true] {
        let round = u8::from(accepted);
        let bakery = Bakery::another(&db.store, round).await;
        let (address, first_name) = (format!("mei{round}@example.com"), format!("mei{round}"));
        let mei = bakery.with("Mei", &address, granted(&[BillingPay])).await;
        let id = ask(&bakery, bakery.ingrid, mei, Some(Afterwards::Out), 1).await.unwrap();
        if accepted {
            take(&db.store, &bakery, mei, id, accepting(100), 2).await.unwrap();
        }
        told(&bakery, 2).await;
        by_provider(&bakery, Some(&address), None, 5).await.unwrap();
        assert_eq!(state(&bakery, id).await, Some(Lapsed));
        assert!(kinds(&bakery).await.contains(&OwnerLapsed), "the log tells of it");
        let mut news = Vec::new();
        while let Some(mail) = bakery.store.take_mail(HOUR, at(6)).await.unwrap() {
            if let model::Mail::OwnerNews { news: told, .. } = mail.mail {
                news.push((mail.to.as_str().split('@').next().unwrap().to_owned(), told));
            }
        }
        news.sort_by(|one, other| one.0.cmp(&other.0));
        let not_handed = model::OwnerNews::NotHanded { by: "Ingrid Berg".into() };
        let ingrid = format!("ingrid{round}");
        assert_eq!(news, [(ingrid, not_handed.clone()), (first_name, not_handed)]);
        db.store.settle_owners(bakery.id, at(100)).await.unwrap();
        assert_eq!(owners(&bakery).await, ["Ingrid Berg", "Mei"], "nobody left by that");
        let found = db.store.membership(mei, bakery.number, None, at(101)).await.unwrap().unwrap();
        assert_eq!(found.owners_due_at, None);
    }
}

#[apply(on_both!)]
async fn whoever_is_made_an_owner_by_another_way_waits_no_more(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    let id = waiting(&bakery, mei, None, 100).await;
    by_provider(&bakery, Some("mei@example.com"), None, 5).await.unwrap();
    assert_eq!(state(&bakery, id).await, Some(Done));
    assert!(!kinds(&bakery).await.contains(&OwnerLapsed));
}

#[apply(on_both!)]
async fn whoever_leaves_as_an_owner_is_told_of_to_the_others(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let olav = bakery.with("Olav", "olav@example.com", Access::Owner).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    let tom = bakery.with("Tom", "tom@example.com", Access::Owner).await;
    step_down(&db.store, &bakery, mei, None, 5).await.unwrap();
    assert_eq!(told(&bakery, 5).await, [""; 0], "she owned nothing");
    step_down(&db.store, &bakery, tom, None, 6).await.unwrap();
    assert_eq!(told(&bakery, 6).await, ["ingrid", "olav"]);
    step_down(&db.store, &bakery, olav, Some(granted(&[BillingPay])), 7).await.unwrap();
    assert_eq!(told(&bakery, 7).await, ["ingrid", "olav"], "and to whoever stays as a user");
}

#[apply(on_both!)]
async fn owners_are_told_of_an_invitation_as_an_owner_when_that_is_asked_for(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.with("Olav", "olav@example.com", Access::Owner).await;
    let to = email("kari@example.com");
    for (tells_owners, number) in [(true, 1), (false, 2)] {
        let decide = |_: &_| {
            let offer = offer(number, granted(&[BillingPay]));
            Ok(store::Offer { as_owner: true, tells_owners, ..offer })
        };
        let by = bakery.ingrid;
        let offered = db.store.offer_invitation(bakery.id, by, &to, at(1), decide).await;
        offered.unwrap();
        let expected: &[&str] = if tells_owners { &["ingrid", "olav"] } else { &[] };
        assert_eq!(told(&bakery, 1).await, expected);
    }
}

#[apply(on_both!)]
async fn an_owner_sees_from_outside_what_waits_in_each_account_of_theirs(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    let tom = bakery.with("Tom", "tom@example.com", granted(&[BillingPay])).await;
    let (agency, number) = crate::story::account(&db.store, "Agency").await;
    db.store.add_member(agency, bakery.ingrid, Access::Owner, at(0)).await.unwrap();
    db.store.add_member(agency, mei, granted(&[BillingPay]), at(0)).await.unwrap();
    waiting(&bakery, mei, None, 200).await;
    ask(&bakery, bakery.ingrid, tom, None, 3).await.unwrap();
    let there = Bakery { number, id: agency, ..same(&bakery) };
    waiting(&there, mei, Some(Afterwards::Out), 100).await;
    let seen = async |user, most, seconds| {
        let found = db.store.waiting_elsewhere(user, most, at(seconds)).await.unwrap();
        found.into_iter().map(|change| (change.account_name, change.name)).collect::<Vec<_>>()
    };
    let [agencys, bakerys] =
        ["Agency", "Bakery"].map(|account| (account.to_owned(), "Mei".to_owned()));
    let both = [agencys.clone(), bakerys.clone()];
    assert_eq!(seen(bakery.ingrid, 9, 10).await, both, "the next one first");
    assert_eq!(seen(bakery.ingrid, 1, 10).await, [agencys]);
    assert_eq!(seen(mei, 9, 10).await, [], "it is about her, and she owns nothing");
    // What is due waits no more, whether anybody settled it or not.
    assert_eq!(seen(bakery.ingrid, 9, 100).await, [bakerys]);
    assert_eq!(seen(bakery.ingrid, 9, 200).await, []);
}

#[apply(on_both!)]
async fn a_login_deleted_as_the_waiting_time_ends_leaves_an_owner(db: TestDatabase) {
    for round in 0..4_u8 {
        let bakery = Bakery::another(&db.store, round).await;
        let mei = format!("mei{round}@example.com");
        let mei = bakery.with("Mei", &mei, granted(&[BillingPay])).await;
        let olav = format!("olav{round}@example.com");
        bakery.with("Olav", &olav, Access::Owner).await;
        let change = waiting(&bakery, mei, Some(Afterwards::Out), 100).await;
        // Whoever hands the account over, or who gets it.
        let (giver, leaver) = (round % 2 == 0, [bakery.ingrid, mei][usize::from(round % 2)]);
        let outcomes = at_once(50, |place| {
            let (store, id) = (db.store.clone(), bakery.id);
            async move {
                if place % 2 == 0 {
                    let decide = crate::leaving::unless_alone;
                    return store.delete_login(leaver, at(99), decide).await.is_ok();
                }
                store.settle_owners(id, at(100)).await.unwrap();
                false
            }
        })
        .await;
        assert!(outcomes.contains(&true), "the other owner is left");
        assert!(db.store.login_of(leaver).await.unwrap().is_none());
        let (found, owners) = (state(&bakery, change).await, owners(&bakery).await);
        match (giver, found) {
            (true, Some(Done)) => assert_eq!(owners, ["Mei", "Olav"]),
            (true, Some(Lapsed)) => assert_eq!(owners, ["Olav"]),
            // Before it was true, or after: it went with her.
            (false, None) => assert!(["Ingrid Berg", "Olav"].ends_with(&strs(&owners))),
            other => panic!("{other:?}"),
        }
    }
}

fn strs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

#[apply(on_both!)]
async fn a_login_deleted_as_the_waiting_time_ends_leaves_an_owner_where_there_is_one(
    db: TestDatabase,
) {
    for round in 0..4_u8 {
        let bakery = Bakery::another(&db.store, round).await;
        let mei = format!("mei{round}@example.com");
        let mei = bakery.with("Mei", &mei, granted(&[BillingPay])).await;
        let change = waiting(&bakery, mei, Some(Afterwards::Out), 100).await;
        let pair = [bakery.ingrid, mei];
        let outcomes = at_once(50, |place| {
            let (store, id, leaver) = (db.store.clone(), bakery.id, pair[usize::from(place % 2)]);
            async move {
                match place % 4 {
                    0 | 1 => {
                        let decide = crate::leaving::unless_alone;
                        let moment = at(if place % 8 < 4 { 99 } else { 100 });
                        store.delete_login(leaver, moment, decide).await.map(drop)
                    }
                    _ => store.settle_owners(id, at(100)).await,
                }
            }
        })
        .await;
        for outcome in &outcomes {
            let settled =
                matches!(outcome, Ok(()) | Err(Failure::OnlyOwner(_) | Failure::NotFound));
            assert!(settled, "{outcomes:?}");
        }
        let owners = owners(&bakery).await;
        assert_eq!(owners.len(), 1, "{owners:?}");
        match state(&bakery, change).await {
            Some(Done) => assert_eq!(owners, ["Mei"]),
            None => assert_eq!(owners, ["Ingrid Berg"]),
            other => panic!("{other:?}"),
        }
    }
}

#[apply(on_both!)]
async fn what_the_operator_does_to_a_change_leaves_an_owner(db: TestDatabase) {
    for round in 0..6_u8 {
        let bakery = Bakery::another(&db.store, round).await;
        let [mei, kari] = ["mei", "kari"].map(|name| format!("{name}{round}@example.com"));
        let ingrid = format!("ingrid{round}@example.com");
        let chosen = bakery.with("Mei", &mei, granted(&[BillingPay])).await;
        crate::story::user(&db.store, "Kari", &kari).await;
        // Offered, or waiting, to own the account alone.
        let handed = Some(Afterwards::Out);
        let change = match round % 2 {
            0 => ask(&bakery, bakery.ingrid, chosen, handed, 1).await.unwrap(),
            _ => waiting(&bakery, chosen, handed, 100).await,
        };
        let outcomes = at_once(50, |place| {
            let bakery = same(&bakery);
            let (mei, kari, ingrid) = (mei.clone(), kari.clone(), ingrid.clone());
            async move {
                match (place % 3, round / 2) {
                    (0, 0) => by_provider(&bakery, Some(&mei), None, 99).await,
                    (0, 1) => by_provider(&bakery, Some(&mei), Some(&ingrid), 99).await,
                    (0, _) => by_provider(&bakery, Some(&kari), Some(&ingrid), 99).await,
                    (1, _) => by_provider(&bakery, None, Some(&ingrid), 99).await,
                    _ => bakery.store.settle_owners(bakery.id, at(100)).await,
                }
            }
        })
        .await;
        for outcome in &outcomes {
            let last = Err(Failure::Conflict(Conflict::LastOwner));
            assert!([Ok(()), last].contains(outcome), "{outcomes:?}");
        }
        let owners = owners(&bakery).await;
        assert!(!owners.is_empty(), "{round}");
        let found = state(&bakery, change).await.unwrap();
        assert!([Done, Lapsed].contains(&found), "{found:?}: nothing goes on waiting");
        let seen = db.store.settle_owners(bakery.id, at(200)).await;
        assert_eq!((seen, owners), (Ok(()), self::owners(&bakery).await), "nor comes true later");
    }
}

#[apply(on_both!)]
async fn fifty_at_once_who_step_down_hand_over_stop_and_settle_leave_an_owner(db: TestDatabase) {
    for round in 0..4_u8 {
        let bakery = Bakery::another(&db.store, round).await;
        let olav = format!("olav{round}@example.com");
        let olav = bakery.with("Olav", &olav, Access::Owner).await;
        let mei = format!("mei{round}@example.com");
        let mei = bakery.with("Mei", &mei, granted(&[BillingPay])).await;
        let tom = format!("tom{round}@example.com");
        let tom = bakery.with("Tom", &tom, granted(&[BillingPay])).await;
        // One hands the account over; the other hands it to somebody else meanwhile.
        let change = waiting(&bakery, mei, Some(Afterwards::Out), 100).await;
        let outcomes = at_once(50, |place| {
            let bakery = same(&bakery);
            async move {
                let store = bakery.store.clone();
                let user = Some(granted(&[BillingPay]));
                match place % 6 {
                    0 => step_down(&store, &bakery, bakery.ingrid, user, 99).await,
                    1 => step_down(&store, &bakery, olav, user, 99).await,
                    2 => take(&store, &bakery, olav, change, stopping(), 99).await.map(drop),
                    3 => {
                        let afterwards = Some(Afterwards::Out);
                        let id = ask(&bakery, olav, tom, afterwards, 99).await?;
                        take(&store, &bakery, tom, id, accepting(100), 99).await.map(drop)
                    }
                    4 => step_down(&store, &bakery, mei, None, 100).await,
                    _ => store.settle_owners(bakery.id, at(100)).await,
                }
            }
        })
        .await;
        for outcome in &outcomes {
            let settled = matches!(
                outcome,
                Ok(())
                    | Err(Failure::Conflict(_)
                        | Failure::NotFound
                        | Failure::OwnersOnly
                        | Failure::NotAllowed(_))
            );
            assert!(settled, "{outcomes:?}");
        }
        db.store.settle_owners(bakery.id, at(200)).await.unwrap();
        assert!(!owners(&bakery).await.is_empty(), "{round}");
        assert!(db.store.open_owner_changes(bakery.id, 9).await.unwrap().is_empty());
    }
}
