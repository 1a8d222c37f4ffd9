use std::sync::Mutex;
use std::time::Duration;

use model::{
    Access, ActivityKind, EndStage, GrantId, Keys, Pause, Permission, PermissionSet, Terms,
    Timestamp, UserId,
};
use store::{
    AccountMembership, ChangeFacts, EndingFacts, Grant, Holding, MembershipChange, NewPause,
    PauseChange, Reachable, Store,
};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{
    Bakery, DAY, accept, at, at_once, change, email, entry, grant, granted, mail, offer, token,
    user,
};

use Permission::{AccountUsers, BillingView, SupportView};

/// These permissions on everything, until so many seconds after the tests begin.
fn until(permissions: &[Permission], seconds: u64) -> Terms {
    let permissions: PermissionSet = permissions.iter().copied().collect();
    Terms { until: Some(at(seconds)), ..Terms::whole(permissions) }
}

fn pause(by: UserId, why: &str) -> PauseChange {
    PauseChange {
        pause: Some(NewPause { by, why: why.to_owned() }),
        entry: entry(ActivityKind::AccessPaused),
        mail: mail("paused@example.com"),
    }
}

fn resume() -> PauseChange {
    PauseChange {
        pause: None,
        entry: entry(ActivityKind::AccessResumed),
        mail: mail("paused@example.com"),
    }
}

/// Ingrid pauses or resumes somebody's access.
async fn apply_to(bakery: &Bakery, user: UserId, change: PauseChange, seconds: u64) {
    let (store, id, ingrid) = (&bakery.store, bakery.id, bakery.ingrid);
    let decide = |_: &ChangeFacts| Ok(Some(change));
    store.change_pause(id, ingrid, user, at(seconds), decide).await.unwrap();
}

/// Somebody's membership as a request finds it.
async fn found(bakery: &Bakery, user: UserId, seconds: u64) -> AccountMembership {
    let found = bakery.store.membership(user, bakery.number, None, at(seconds)).await;
    found.unwrap().unwrap()
}

/// Whether somebody is among those who may see what is billed.
async fn reaches(bakery: &Bakery, user: UserId, seconds: u64) -> bool {
    let what = Reachable::Permission(BillingView);
    let found = bakery.store.reaching(bakery.id, what, None, 9, at(seconds)).await.unwrap();
    found.iter().any(|one| one.member.user == user)
}

/// Has somebody hold these grants and no others.
async fn hold(bakery: &Bakery, user: UserId, grants: &[Grant], seconds: u64) {
    let holding = Some(Holding::Granted(grants.to_vec()));
    let change = MembershipChange { holding, ..change(None) };
    let decide = |_: &ChangeFacts| Ok(Some(change));
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    bakery.store.change_membership(id, ingrid, user, at(seconds), decide).await.unwrap();
}

#[apply(on_both!)]
async fn what_is_paused_opens_nothing_and_says_why_until_it_is_resumed(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let access = granted(&[AccountUsers, BillingView]);
    let amira = bakery.with("Amira", "amira@example.com", access.clone()).await;
    apply_to(&bakery, amira, pause(bakery.ingrid, "On leave"), 5).await;
    let by = Some("Ingrid Berg".to_owned());
    let paused = Some(Pause::ByHand { since: at(5), by, why: "On leave".to_owned() });
    let membership = found(&bakery, amira, 6).await;
    assert_eq!(membership.keys, Keys::Granted(Vec::new()));
    assert_eq!(membership.pause, paused);
    let member = db.store.member(bakery.id, amira).await.unwrap().unwrap();
    assert_eq!(member.paused, paused);
    assert_eq!(member.held.outline(), access.outline(), "they keep what they hold");
    let listed = db.store.memberships(amira, None, 9, at(0)).await.unwrap();
    assert_eq!(listed[0].paused_since(at(6)), Some(at(5)));
    assert!(!reaches(&bakery, amira, 6).await);
    let decide = |facts: &ChangeFacts| {
        assert_eq!(facts.by.access, Access::NONE);
        assert_eq!(facts.by.actor.keys, Keys::Granted(Vec::new()));
        Ok(None)
    };
    db.store.change_membership(bakery.id, amira, bakery.ingrid, at(6), decide).await.unwrap();

    apply_to(&bakery, amira, resume(), 7).await;
    let membership = found(&bakery, amira, 8).await;
    assert_eq!((membership.keys.open(), membership.pause), (access.permissions(), None));
    assert!(reaches(&bakery, amira, 8).await);
}

#[apply(on_both!)]
async fn an_owners_access_is_never_paused(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let olav = bakery.with("Olav", "olav@example.com", Access::Owner).await;
    apply_to(&bakery, olav, pause(bakery.ingrid, ""), 5).await;
    let membership = found(&bakery, olav, 6).await;
    assert_eq!((membership.keys, membership.pause), (Keys::Owner, None));
    assert_eq!(db.store.member(bakery.id, olav).await.unwrap().unwrap().paused, None);
}

#[apply(on_both!)]
async fn a_pause_tells_by_whom_as_long_as_that_is_known(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let amira = bakery.with("Amira", "amira@example.com", granted(&[BillingView])).await;
    apply_to(&bakery, amira, pause(bakery.ingrid, ""), 5).await;
    db.run("UPDATE memberships SET paused_by = NULL").await;
    let paused = Some(Pause::ByHand { since: at(5), by: None, why: String::new() });
    assert_eq!(found(&bakery, amira, 6).await.pause, paused);
}

#[apply(on_both!)]
async fn whose_last_grant_ended_is_paused_from_that_very_moment(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let both: Access = [until(&[BillingView], 10), until(&[SupportView], 20)].into_iter().collect();
    let amira = bakery.with("Amira", "amira@example.com", both).await;
    let lasting: Access =
        [until(&[BillingView], 10), Terms::whole([SupportView].into_iter().collect())]
            .into_iter()
            .collect();
    let mei = bakery.with("Mei", "mei@example.com", lasting).await;
    let tom = bakery.with("Tom", "tom@example.com", Access::Granted(Vec::new())).await;
    let lapsed = |since| Some(Pause::Lapsed { since });
    for (user, seconds, pause) in [
        (amira, 9, None),
        (amira, 10, None),
        (amira, 19, None),
        (amira, 20, lapsed(at(20))),
        (amira, 99, lapsed(at(20))),
        (mei, 99, None),
        (tom, 99, None),
        (bakery.ingrid, 99, None),
    ] {
        let found = found(&bakery, user, seconds).await;
        assert_eq!(found.pause, pause, "{seconds}");
        let member = db.store.member(bakery.id, user).await.unwrap().unwrap();
        assert_eq!(member.pause(at(seconds)), pause, "{seconds}");
        let listed = db.store.memberships(user, None, 9, at(0)).await.unwrap();
        let since = pause.map(|pause| pause.since());
        assert_eq!(listed[0].paused_since(at(seconds)), since, "{seconds}");
    }
}

#[apply(on_both!)]
async fn what_lapses_during_a_pause_doesnt_come_back_with_it(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let held: Access = [until(&[BillingView], 10), until(&[SupportView], 20)].into_iter().collect();
    let amira = bakery.with("Amira", "amira@example.com", held).await;
    apply_to(&bakery, amira, pause(bakery.ingrid, ""), 5).await;
    apply_to(&bakery, amira, resume(), 15).await;
    let open = found(&bakery, amira, 15).await.keys.open();
    assert_eq!(open, [SupportView].into_iter().collect());
}

#[apply(on_both!)]
async fn what_a_paused_inviter_offered_opens_nothing(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let access = granted(&[AccountUsers, BillingView]);
    let amira = bakery.with("Amira", "amira@example.com", access.clone()).await;
    let (id, to) = (bakery.id, email("mei@example.com"));
    let decide = |_: &_| Ok(offer(1, granted(&[BillingView])));
    db.store.offer_invitation(id, amira, &to, at(0), decide).await.unwrap();
    apply_to(&bakery, amira, pause(bakery.ingrid, ""), 5).await;
    let opened = db.store.open_invitation(&token(1), at(6)).await.unwrap().unwrap();
    assert_eq!(opened.inviter_access, None);
    let pending = db.store.pending_invitations(id, None, 9, at(6)).await.unwrap();
    assert_eq!(pending[0].inviter_access, None);
    apply_to(&bakery, amira, resume(), 7).await;
    let mei = user(&db.store, "Mei", "mei@example.com").await;
    let decide = |facts: &store::AnswerFacts| {
        assert_eq!(facts.opened.inviter_access, Some(access.clone()));
        Ok(accept(store::Joiner::Existing(mei), facts.opened.invitation.offered.access()))
    };
    db.store.answer_invitation(&token(1), at(8), decide).await.unwrap();
}

#[apply(on_both!)]
async fn a_pause_and_an_extension_at_once_are_both_in_force(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let held: Access = std::iter::once(until(&[BillingView], 100)).collect();
    let amira = bakery.with("Amira", "amira@example.com", held).await;
    let olav = bakery.with("Olav", "olav@example.com", Access::Owner).await;
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let done = at_once(20, |number| {
        let store = db.store.clone();
        async move {
            if number % 2 == 0 {
                let decide = |facts: &ChangeFacts| {
                    let paused = facts.target.paused.is_some();
                    Ok((!paused).then(|| pause(ingrid, "")))
                };
                return store.change_pause(id, ingrid, amira, at(1), decide).await;
            }
            let decide = |facts: &ChangeFacts| {
                let mut grants = facts.holding.grants().to_vec();
                grants[0].terms.until =
                    grants[0].terms.until.map(|until| until.after(Duration::from_secs(1)));
                let holding = Some(Holding::Granted(grants));
                Ok(Some(MembershipChange { holding, ..change(None) }))
            };
            store.change_membership(id, olav, amira, at(1), decide).await
        }
    })
    .await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    let member = db.store.member(id, amira).await.unwrap().unwrap();
    assert!(member.paused.is_some());
    assert_eq!(bakery.access(amira).await, std::iter::once(until(&[BillingView], 110)).collect());
}

/// Tells of the ends in the bakery; answers which grants, and in which stages.
async fn told(store: &Store, bakery: &Bakery, seconds: u64) -> Vec<EndStage> {
    let waiting = store.ending_accounts(None, 9, at(seconds)).await.unwrap();
    let told = Mutex::new(Vec::new());
    let note = |facts: &EndingFacts| {
        assert_eq!((facts.account.as_str(), facts.number), ("Bakery", bakery.number));
        told.lock().unwrap().extend(facts.ending.iter().map(|ending| ending.stage));
        Vec::new()
    };
    let count = store.tell_of_ends(bakery.id, 9, at(seconds), note).await.unwrap();
    let told = told.into_inner().unwrap();
    assert_eq!(count, told.len());
    assert_eq!(waiting.contains(&bakery.id), count > 0);
    told
}

const DAYS: u64 = DAY.as_secs();

fn ends(id: GrantId, until: Option<Timestamp>) -> Grant {
    let terms = Terms { until, ..Terms::whole([BillingView].into_iter().collect()) };
    Grant { id, ..grant(terms) }
}

#[apply(on_both!)]
async fn each_stage_of_an_end_is_told_once_and_another_end_anew(db: TestDatabase) {
    use EndStage::{Day, Ended, Week};
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", Access::NONE).await;
    let id = GrantId::from(uuid::Uuid::new_v4());
    hold(&bakery, mei, &[ends(id, Some(at(30 * DAYS)))], 0).await;
    for (seconds, stages) in [
        (23 * DAYS - 1, vec![]),
        (23 * DAYS, vec![Week]),
        (23 * DAYS + 1, vec![]),
        (29 * DAYS, vec![Day]),
        (30 * DAYS - 1, vec![]),
        (30 * DAYS, vec![Ended]),
        (90 * DAYS, vec![]),
    ] {
        assert_eq!(told(&db.store, &bakery, seconds).await, stages, "{seconds}");
    }
    // Another reach or reason isn't another end.
    let same = Grant { why: "For longer".to_owned(), ..ends(id, Some(at(30 * DAYS))) };
    hold(&bakery, mei, &[same], 90 * DAYS).await;
    assert!(told(&db.store, &bakery, 90 * DAYS).await.is_empty());
    hold(&bakery, mei, &[ends(id, Some(at(120 * DAYS)))], 90 * DAYS).await;
    assert!(told(&db.store, &bakery, 90 * DAYS).await.is_empty());
    assert_eq!(told(&db.store, &bakery, 113 * DAYS).await, [Week]);
    // Of several that are due, only the latest.
    assert_eq!(told(&db.store, &bakery, 121 * DAYS).await, [Ended]);
    hold(&bakery, mei, &[ends(id, None)], 121 * DAYS).await;
    assert!(told(&db.store, &bakery, 999 * DAYS).await.is_empty());
}

#[apply(on_both!)]
async fn what_is_given_for_a_few_days_isnt_told_of_as_if_it_were_news(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let short: Access = std::iter::once(until(&[BillingView], 3 * DAYS)).collect();
    bakery.with("Mei", "mei@example.com", short).await;
    assert!(told(&db.store, &bakery, 1).await.is_empty());
    assert_eq!(told(&db.store, &bakery, 2 * DAYS).await, [EndStage::Day]);
}

#[apply(on_both!)]
async fn who_gave_it_is_told_while_the_account_is_open_to_them(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let amira = bakery.with("Amira", "amira@example.com", granted(&[AccountUsers])).await;
    let mei = bakery.with("Mei", "mei@example.com", Access::NONE).await;
    let given = |seconds| {
        let new = ends(GrantId::from(uuid::Uuid::new_v4()), Some(at(seconds)));
        Grant { given_by: Some(amira), ..new }
    };
    hold(&bakery, mei, &[given(30 * DAYS), given(60 * DAYS)], 0).await;
    for (seconds, giver) in [(30 * DAYS, Some("amira@example.com")), (60 * DAYS, None)] {
        let seen = Mutex::new(None);
        let note = |facts: &EndingFacts| {
            let giver = facts.ending[0].giver.as_ref().map(|giver| giver.email.to_string());
            assert_eq!(facts.ending[0].person.full_name, "Mei");
            assert_eq!(facts.ending[0].outline.until, Some(at(seconds)));
            *seen.lock().unwrap() = Some((facts.ending.len(), giver));
            Vec::new()
        };
        db.store.tell_of_ends(bakery.id, 9, at(seconds), note).await.unwrap();
        assert_eq!(seen.into_inner().unwrap(), Some((1, giver.map(str::to_owned))));
        apply_to(&bakery, amira, pause(bakery.ingrid, ""), seconds).await;
    }
}

#[apply(on_both!)]
async fn nodes_that_tell_at_once_tell_once(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for number in 0..30 {
        let held: Access = std::iter::once(until(&[BillingView], 10 * DAYS)).collect();
        bakery.with(&format!("P{number}"), &format!("p{number}@example.com"), held).await;
    }
    let id = bakery.id;
    let told = at_once(10, |_| {
        let store = db.store.clone();
        async move {
            let mut told = 0;
            loop {
                let now = at(9 * DAYS);
                let batch = store.tell_of_ends(id, 7, now, |_| Vec::new()).await.unwrap();
                told += batch;
                if batch == 0 {
                    return told;
                }
            }
        }
    })
    .await;
    assert_eq!(told.into_iter().sum::<usize>(), 30);
}
