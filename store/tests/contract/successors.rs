use model::{
    Access, ActivityKind, Conflict, Failure, Keys, Mail, Noted, OwnerChangeId, OwnerChangeState,
    OwnerNews, Permission, Terms, UserId, WaitDays,
};
use store::{
    ActivityFilter, ChangeFacts, NewPause, NewTakeover, OwnerChangeFacts, OwnerStep, PauseChange,
    Store, SuccessorChange, SuccessorFacts, TakeoverFacts,
};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{Bakery, DAY, HOUR, at, at_once, change, email, entry, granted, mail};

use ActivityKind::{
    AccountTakenOver, OwnerLapsed, OwnerStopped, SuccessorNamed, SuccessorRemoved,
    TakeoverAnswered, TakeoverAsked,
};
use OwnerChangeState::{Done, Lapsed, Stopped, Waiting};
use Permission::BillingPay;

/// A day, in seconds.
const DAYS: u64 = 24 * 60 * 60;
const OVER: Failure = Failure::Conflict(Conflict::OwnerChangeOver);

/// The same bakery for a task of its own.
fn same(bakery: &Bakery, store: &Store) -> Bakery {
    let (id, number, ingrid) = (bakery.id, bakery.number, bakery.ingrid);
    Bakery { store: store.clone(), id, number, ingrid }
}

/// Ingrid names somebody who waits two weeks, or nobody.
async fn name(bakery: &Bakery, named: Option<UserId>, seconds: u64) -> Result<(), Failure> {
    let decide = |facts: &SuccessorFacts| {
        facts.by.actor.must_own()?;
        let kind = if facts.named.is_some() { SuccessorNamed } else { SuccessorRemoved };
        Ok(SuccessorChange {
            wait: facts.named.as_ref().map(|_| WaitDays::default()),
            entry: entry(kind),
            stopped: entry(OwnerStopped),
            bounds: Vec::new(),
        })
    };
    bakery.store.change_successor(bakery.id, bakery.ingrid, named, at(seconds), decide).await
}

/// Somebody asks for the account: it comes true at this second.
async fn take_over(
    bakery: &Bakery,
    user: UserId,
    due: u64,
    seconds: u64,
) -> Result<OwnerChangeId, Failure> {
    let decide = |facts: &TakeoverFacts| {
        let successor = facts.successor.as_ref().filter(|successor| successor.user == user);
        successor.ok_or(Failure::NotFound)?;
        match facts.asked {
            true => Err(Failure::Conflict(Conflict::TakeoverAsked)),
            false => Ok(NewTakeover {
                due_at: at(due),
                entry: entry(TakeoverAsked).after(Noted::Since(at(due))),
                bounds: Vec::new(),
            }),
        }
    };
    bakery.store.take_over(bakery.id, user, at(seconds), decide).await
}

/// An owner says no, or that they are here, as long as it is open.
async fn end(
    bakery: &Bakery,
    owner: UserId,
    id: OwnerChangeId,
    step: OwnerStep,
    seconds: u64,
) -> Result<(), Failure> {
    let decide = |facts: &OwnerChangeFacts| {
        facts.by.actor.must_own()?;
        match facts.change.state.is_open() {
            true => Ok(step),
            false => Err(OVER),
        }
    };
    bakery.store.step_owner_change(bakery.id, owner, id, at(seconds), decide).await.map(drop)
}

fn stopping() -> OwnerStep {
    OwnerStep::Stop(entry(OwnerStopped))
}

pub(crate) async fn pause(bakery: &Bakery, user: UserId, seconds: u64) -> Result<(), Failure> {
    let decide = |facts: &ChangeFacts| match facts.target.held.is_owner() {
        true => Err(Failure::Conflict(Conflict::OwnersStay)),
        false => Ok(Some(PauseChange {
            pause: Some(NewPause { by: facts.by.actor.user, why: String::new() }),
            entry: entry(ActivityKind::AccessPaused),
            mail: mail("mei@example.com"),
        })),
    };
    bakery.store.change_pause(bakery.id, bakery.ingrid, user, at(seconds), decide).await
}

async fn state(bakery: &Bakery, id: OwnerChangeId) -> Option<OwnerChangeState> {
    bakery.store.owner_change(bakery.id, id).await.unwrap().map(|change| change.state)
}

async fn successor(bakery: &Bakery) -> Option<UserId> {
    bakery.store.successor(bakery.id).await.unwrap().map(|successor| successor.user)
}

async fn owners(bakery: &Bakery) -> Vec<String> {
    let owners = bakery.store.owners(bakery.id, 50).await.unwrap();
    owners.into_iter().map(|owner| owner.full_name).collect()
}

async fn count(bakery: &Bakery, kinds: &[ActivityKind]) -> usize {
    let rows = bakery.store.activity(bakery.id, &ActivityFilter::default(), 50).await.unwrap();
    rows.iter().filter(|row| kinds.contains(&row.entry.kind)).count()
}

/// Sends what waits. Of the mails about owners: their recipients' first names, and what they tell.
async fn told(bakery: &Bakery, seconds: u64) -> Vec<(String, OwnerNews)> {
    let mut told = Vec::new();
    while let Some(mail) = bakery.store.take_mail(HOUR, at(seconds)).await.unwrap() {
        bakery.store.mail_sent(mail.id, "250 ok", at(seconds)).await.unwrap();
        if let Mail::OwnerNews { news, .. } = mail.mail {
            told.push((mail.to.as_str().split('@').next().unwrap().to_owned(), news));
        }
    }
    told.sort_by(|one, other| one.0.cmp(&other.0));
    told
}

fn names(told: &[(String, OwnerNews)]) -> Vec<&str> {
    told.iter().map(|(name, _)| name.as_str()).collect()
}

/// Mei, whom Ingrid named, asks for the account: it comes true at second 100.
async fn waiting(bakery: &Bakery, address: &str) -> (UserId, OwnerChangeId) {
    let mei = bakery.with("Mei", address, granted(&[BillingPay])).await;
    name(bakery, Some(mei), 1).await.unwrap();
    let id = take_over(bakery, mei, 100, 2).await.unwrap();
    (mei, id)
}

#[apply(on_both!)]
async fn a_successor_comes_back_as_they_were_named_and_all_owners_know(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.with("Olav", "olav@example.com", Access::Owner).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    let tom = bakery.with("Tom", "tom@example.com", granted(&[BillingPay])).await;
    assert!(db.store.successor(bakery.id).await.unwrap().is_none());
    assert!(!db.store.memberships(mei, None, 9, at(0)).await.unwrap()[0].successor);
    name(&bakery, Some(mei), 5).await.unwrap();
    let found = db.store.successor(bakery.id).await.unwrap().unwrap();
    assert_eq!((found.user, found.person.email), (mei, email("mei@example.com")));
    assert_eq!((found.named_by.as_deref(), found.named_at), (Some("Ingrid Berg"), at(5)));
    assert_eq!(found.wait, WaitDays::default());
    assert!(db.store.memberships(mei, None, 9, at(6)).await.unwrap()[0].successor);
    assert!(!db.store.memberships(tom, None, 9, at(6)).await.unwrap()[0].successor);
    let named = OwnerNews::SuccessorNamed { by: "Ingrid Berg".into(), days: 14 };
    let news = told(&bakery, 6).await;
    assert_eq!(names(&news), ["ingrid", "mei", "olav"]);
    assert!(news.iter().all(|(_, news)| *news == named));

    // Another takes their place, and nobody that one's.
    name(&bakery, Some(tom), 7).await.unwrap();
    assert_eq!(successor(&bakery).await, Some(tom));
    assert_eq!(names(&told(&bakery, 7).await), ["ingrid", "mei", "olav", "tom"]);
    name(&bakery, None, 8).await.unwrap();
    assert_eq!(successor(&bakery).await, None);
    assert_eq!(names(&told(&bakery, 8).await), ["ingrid", "olav", "tom"]);
    assert_eq!(count(&bakery, &[SuccessorNamed]).await, 2);
}

#[apply(on_both!)]
async fn whoever_takes_over_becomes_an_owner_beside_the_others(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (mei, id) = waiting(&bakery, "mei@example.com").await;
    let asked = |news: &OwnerNews| matches!(news, OwnerNews::TakeoverAsked { again: false, .. });
    let news = told(&bakery, 2).await;
    let news: Vec<_> = news.into_iter().filter(|(_, news)| asked(news)).collect();
    assert_eq!(names(&news), ["ingrid"]);
    assert_eq!(state(&bakery, id).await, Some(Waiting));
    let again = take_over(&bakery, mei, 200, 3).await;
    assert_eq!(again, Err(Failure::Conflict(Conflict::TakeoverAsked)));
    assert_ne!(bakery.acting(mei, 99).await.keys, Keys::Owner);
    assert_eq!(bakery.acting(mei, 100).await.keys, Keys::Owner);
    assert_eq!(state(&bakery, id).await, Some(Done));
    assert_eq!(owners(&bakery).await, ["Ingrid Berg", "Mei"]);
    assert_eq!(successor(&bakery).await, None, "an owner is nobody's successor");
    let rows = db.store.activity(bakery.id, &ActivityFilter::default(), 1).await.unwrap();
    assert_eq!((rows[0].entry.kind, rows[0].entry.subject), (AccountTakenOver, Some(mei)));
    assert_eq!(rows[0].entry.after, Some(Noted::Since(at(100))));
    let news = told(&bakery, 100).await;
    assert_eq!(names(&news), ["ingrid", "mei"]);
    assert!(news.iter().all(|(_, news)| *news == OwnerNews::TakenOver));
}

#[apply(on_both!)]
async fn nobody_but_the_successor_takes_over(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    let tom = bakery.with("Tom", "tom@example.com", granted(&[BillingPay])).await;
    assert_eq!(take_over(&bakery, mei, 100, 1).await, Err(Failure::NotFound));
    name(&bakery, Some(mei), 2).await.unwrap();
    assert_eq!(take_over(&bakery, tom, 100, 3).await, Err(Failure::NotFound));
    // One whose membership ends is none any more, also when they come back.
    let gone = |_: &ChangeFacts| Ok(Some(change(None)));
    db.store.change_membership(bakery.id, bakery.ingrid, mei, at(4), gone).await.unwrap();
    assert_eq!(successor(&bakery).await, None);
    db.store.add_member(bakery.id, mei, granted(&[BillingPay]), at(5)).await.unwrap();
    assert_eq!(take_over(&bakery, mei, 100, 6).await, Err(Failure::NotFound));
}

#[apply(on_both!)]
async fn an_owner_who_is_here_ends_it_and_another_successor_does(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let tom = bakery.with("Tom", "tom@example.com", granted(&[BillingPay])).await;
    let (mei, first) = waiting(&bakery, "mei@example.com").await;
    told(&bakery, 2).await;
    let here = OwnerStep::Answer(entry(TakeoverAnswered));
    end(&bakery, bakery.ingrid, first, here, 50).await.unwrap();
    assert_eq!(state(&bakery, first).await, Some(Stopped));
    let answered = OwnerNews::TakeoverAnswered { by: "Ingrid Berg".into() };
    let news = told(&bakery, 50).await;
    assert_eq!(names(&news), ["ingrid", "mei"]);
    assert!(news.iter().all(|(_, news)| *news == answered));
    assert_eq!(successor(&bakery).await, Some(mei), "they may ask again");

    let second = take_over(&bakery, mei, 100, 51).await.unwrap();
    name(&bakery, Some(mei), 52).await.unwrap();
    assert_eq!(state(&bakery, second).await, Some(Waiting), "the same with other days");
    name(&bakery, Some(tom), 53).await.unwrap();
    assert_eq!(state(&bakery, second).await, Some(Stopped));
    assert_eq!(count(&bakery, &[OwnerStopped]).await, 1);
    assert!(!bakery.acting(mei, 100).await.keys.is_owner());

    let third = take_over(&bakery, tom, 200, 101).await.unwrap();
    name(&bakery, None, 102).await.unwrap();
    assert_eq!(state(&bakery, third).await, Some(Stopped));
    db.store.settle_owners(bakery.id, at(200)).await.unwrap();
    assert_eq!(owners(&bakery).await, ["Ingrid Berg"]);
}

#[apply(on_both!)]
async fn whose_access_is_paused_or_ended_takes_nothing_over(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (mei, paused) = waiting(&bakery, "mei@example.com").await;
    told(&bakery, 2).await;
    pause(&bakery, mei, 50).await.unwrap();
    assert_eq!(state(&bakery, paused).await, Some(Lapsed), "at once, resumed or not");
    let news = told(&bakery, 50).await;
    assert_eq!(names(&news), ["ingrid", "mei"]);
    assert!(news.iter().all(|(_, news)| *news == OwnerNews::Lapsed));
    db.store.settle_owners(bakery.id, at(100)).await.unwrap();
    assert_eq!(owners(&bakery).await, ["Ingrid Berg"]);

    let until = Terms { until: Some(at(180)), ..Terms::whole([BillingPay].into_iter().collect()) };
    let tom = bakery.with("Tom", "tom@example.com", std::iter::once(until).collect()).await;
    name(&bakery, Some(tom), 110).await.unwrap();
    let ended = take_over(&bakery, tom, 200, 111).await.unwrap();
    db.store.settle_owners(bakery.id, at(500)).await.unwrap();
    assert_eq!(state(&bakery, ended).await, Some(Lapsed));
    assert_eq!(count(&bakery, &[OwnerLapsed]).await, 2);
    assert_eq!(owners(&bakery).await, ["Ingrid Berg"]);
}

/// Ingrid gives somebody what they hold anew, until this second.
async fn give_until(bakery: &Bakery, user: UserId, until: u64, seconds: u64) {
    let until =
        Terms { until: Some(at(until)), ..Terms::whole([BillingPay].into_iter().collect()) };
    let decide = |_: &ChangeFacts| Ok(Some(change(Some(std::iter::once(until).collect()))));
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    bakery.store.change_membership(id, ingrid, user, at(seconds), decide).await.unwrap();
}

#[apply(on_both!)]
async fn whose_access_ends_meanwhile_takes_nothing_over_from_then_on(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let until = Terms { until: Some(at(60)), ..Terms::whole([BillingPay].into_iter().collect()) };
    let tom = bakery.with("Tom", "tom@example.com", std::iter::once(until).collect()).await;
    name(&bakery, Some(tom), 1).await.unwrap();
    let first = take_over(&bakery, tom, 200, 2).await.unwrap();
    told(&bakery, 2).await;
    // Whoever looks finds it so, long before the days are over.
    let due = async |seconds| db.store.due_owner_accounts(9, at(seconds)).await.unwrap();
    assert_eq!(due(59).await, []);
    assert_eq!(due(60).await, [bakery.id]);
    bakery.acting(bakery.ingrid, 59).await;
    assert_eq!(state(&bakery, first).await, Some(Waiting));
    bakery.acting(bakery.ingrid, 60).await;
    assert_eq!(state(&bakery, first).await, Some(Lapsed));
    let news = told(&bakery, 60).await;
    assert_eq!(names(&news), ["ingrid", "tom"]);
    assert!(news.iter().all(|(_, news)| *news == OwnerNews::Lapsed));
    assert_eq!(due(300).await, []);

    // Given anew, they may ask anew; and what is given longer or shorter meanwhile counts.
    give_until(&bakery, tom, 500, 70).await;
    let second = take_over(&bakery, tom, 300, 71).await.unwrap();
    give_until(&bakery, tom, 100, 72).await;
    assert_eq!(due(100).await, [bakery.id]);
    give_until(&bakery, tom, 400, 73).await;
    assert_eq!((due(299).await, due(300).await), (vec![], vec![bakery.id]));
    db.store.settle_owners(bakery.id, at(300)).await.unwrap();
    assert_eq!(state(&bakery, second).await, Some(Done));
    assert_eq!(owners(&bakery).await, ["Ingrid Berg", "Tom"]);
}

#[apply(on_both!)]
async fn whose_access_was_given_anew_too_late_takes_nothing_over(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let until = Terms { until: Some(at(60)), ..Terms::whole([BillingPay].into_iter().collect()) };
    let tom = bakery.with("Tom", "tom@example.com", std::iter::once(until).collect()).await;
    name(&bakery, Some(tom), 1).await.unwrap();
    let id = take_over(&bakery, tom, 200, 2).await.unwrap();
    // Nobody looked while it had ended: who gives it anew does.
    give_until(&bakery, tom, 500, 100).await;
    assert_eq!(state(&bakery, id).await, Some(Lapsed));
    db.store.settle_owners(bakery.id, at(200)).await.unwrap();
    assert_eq!(owners(&bakery).await, ["Ingrid Berg"]);
}

#[apply(on_both!)]
async fn a_no_as_the_days_end_has_one_outcome(db: TestDatabase) {
    for round in 0..3_u8 {
        let bakery = Bakery::another(&db.store, round).await;
        let olav = format!("olav{round}@example.com");
        let olav = bakery.with("Olav", &olav, Access::Owner).await;
        let (_, id) = waiting(&bakery, &format!("mei{round}@example.com")).await;
        let outcomes = at_once(50, |place| {
            let bakery = same(&bakery, &db.store);
            async move {
                match place % 3 {
                    // By clocks that haven't come to the moment.
                    0 => end(&bakery, olav, id, stopping(), 99).await.is_ok(),
                    1 => {
                        let here = OwnerStep::Answer(entry(TakeoverAnswered));
                        end(&bakery, bakery.ingrid, id, here, 99).await.is_ok()
                    }
                    _ => {
                        bakery.store.settle_owners(bakery.id, at(100)).await.unwrap();
                        false
                    }
                }
            }
        })
        .await;
        let ends = outcomes.into_iter().filter(|ended| *ended).count();
        let owners = owners(&bakery).await.len();
        match state(&bakery, id).await {
            Some(Stopped) => assert_eq!((ends, owners), (1, 2)),
            Some(Done) => assert_eq!((ends, owners), (0, 3)),
            other => panic!("{other:?}"),
        }
        let kinds = [OwnerStopped, TakeoverAnswered, AccountTakenOver];
        assert_eq!(count(&bakery, &kinds).await, 1);
    }
}

#[apply(on_both!)]
async fn a_successor_removed_or_paused_as_the_days_end_is_an_owner_or_isnt(db: TestDatabase) {
    for round in 0..4_u8 {
        let bakery = Bakery::another(&db.store, round).await;
        let (mei, id) = waiting(&bakery, &format!("mei{round}@example.com")).await;
        let outcomes = at_once(50, |place| {
            let bakery = same(&bakery, &db.store);
            async move {
                match (place % 2, round % 2) {
                    (0, 0) => pause(&bakery, mei, 99).await.is_ok(),
                    (0, _) => {
                        let was = successor(&bakery).await;
                        name(&bakery, None, 99).await.is_ok() && was.is_some()
                    }
                    _ => {
                        bakery.store.settle_owners(bakery.id, at(100)).await.unwrap();
                        false
                    }
                }
            }
        })
        .await;
        let owners = owners(&bakery).await;
        match (state(&bakery, id).await, round % 2) {
            (Some(Done), _) => assert_eq!(owners, ["Ingrid Berg", "Mei"]),
            (Some(Lapsed), 0) | (Some(Stopped), 1) => {
                assert!(outcomes.contains(&true));
                assert_eq!(owners, ["Ingrid Berg"]);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(count(&bakery, &[OwnerStopped, OwnerLapsed, AccountTakenOver]).await, 1);
    }
}

#[apply(on_both!)]
async fn fifty_requests_at_once_are_one(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    name(&bakery, Some(mei), 1).await.unwrap();
    let asked = at_once(50, |_| {
        let bakery = same(&bakery, &db.store);
        async move { take_over(&bakery, mei, 100, 2).await }
    })
    .await;
    assert_eq!(asked.iter().filter(|asked| asked.is_ok()).count(), 1);
    assert_eq!(count(&bakery, &[TakeoverAsked]).await, 1);
}

#[apply(on_both!)]
async fn owners_are_reminded_after_three_and_seven_days_by_one_node(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.with("Olav", "olav@example.com", Access::Owner).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    name(&bakery, Some(mei), 0).await.unwrap();
    take_over(&bakery, mei, 14 * DAYS, 0).await.unwrap();
    told(&bakery, 0).await;
    let ahead = Store::open(&db.url).await.unwrap();
    let due = async |seconds| db.store.accounts_to_remind(None, 9, at(seconds)).await.unwrap();
    assert_eq!(due(3 * DAYS - 1).await, []);
    assert_eq!(db.store.remind_of_takeovers(bakery.id, at(3 * DAYS - 1)).await, Ok(0));
    for day in [3, 7] {
        let then = day * DAYS;
        assert_eq!(due(then).await, [bakery.id]);
        let (id, here, ahead) = (bakery.id, db.store.clone(), ahead.clone());
        let reminded = at_once(50, |place| {
            let (store, late) = match place % 2 {
                0 => (here.clone(), 0),
                _ => (ahead.clone(), 60),
            };
            async move { store.remind_of_takeovers(id, at(then + late)).await.unwrap() }
        })
        .await;
        assert_eq!(reminded.into_iter().sum::<usize>(), 1, "day {day}");
        let news = told(&bakery, then + 60).await;
        assert_eq!(names(&news), ["ingrid", "olav"], "not whoever asked");
        assert!(
            news.iter()
                .all(|(_, news)| { matches!(news, OwnerNews::TakeoverAsked { again: true, .. }) })
        );
        assert_eq!(due(then + 60).await, []);
    }
    assert_eq!(due(13 * DAYS).await, []);
}

#[apply(on_both!)]
async fn what_passed_unnoticed_is_reminded_of_once_and_what_is_over_never(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    name(&bakery, Some(mei), 0).await.unwrap();
    let first = take_over(&bakery, mei, 14 * DAYS, 0).await.unwrap();
    assert_eq!(db.store.remind_of_takeovers(bakery.id, at(8 * DAYS)).await, Ok(1));
    assert_eq!(db.store.remind_of_takeovers(bakery.id, at(8 * DAYS)).await, Ok(0));
    end(&bakery, bakery.ingrid, first, stopping(), 9 * DAYS).await.unwrap();
    take_over(&bakery, mei, 16 * DAYS, 9 * DAYS).await.unwrap();
    told(&bakery, 9 * DAYS).await;
    // Due before the second reminder was: it is true by then, and there is nothing to say no to.
    assert_eq!(db.store.remind_of_takeovers(bakery.id, at(16 * DAYS)).await, Ok(0));
    assert_eq!(owners(&bakery).await, ["Ingrid Berg", "Mei"]);
}

#[apply(on_both!)]
async fn a_takeover_waits_longer_than_an_offer_but_not_for_good(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingPay])).await;
    name(&bakery, Some(mei), 1).await.unwrap();
    let id = take_over(&bakery, mei, 60 * DAYS, 2).await.unwrap();
    db.store.sweep(DAY, DAY, at(10)).await.unwrap();
    let found = db.store.owner_change(bakery.id, id).await.unwrap().unwrap();
    assert_eq!(found.due_at, Some(at(60 * DAYS)));
    let seen = db.store.membership(mei, bakery.number, None, at(10)).await.unwrap().unwrap();
    assert_eq!(seen.owners_due_at, Some(at(60 * DAYS)), "owners go on seeing it");
    end(&bakery, bakery.ingrid, id, stopping(), 20).await.unwrap();
    // By a clock that ran ahead.
    take_over(&bakery, mei, 400 * DAYS, 30).await.unwrap();
    db.store.sweep(DAY, DAY, at(40)).await.unwrap();
    assert!(!bakery.acting(mei, 60 * DAYS + 39).await.keys.is_owner());
    assert!(bakery.acting(mei, 60 * DAYS + 40).await.keys.is_owner());
}
