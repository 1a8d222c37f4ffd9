use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use model::{
    ActivityKind, DeliveryId, DeliveryState, EndpointId, EventAccess, EventKind, EventKinds,
    Failure, FullName, Mail, Permission, UserId,
};
use store::{
    ActivityFilter, Answer, Delivery, Endpoint, InvitationStep, NewActivity, NewEndpoint, NewMail,
    Store, Trial,
};
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::story::{
    Bakery, DAY, HOUR, account, at, at_once, change, email, entry, first_password, granted, offer,
    second_password, secret, token, user,
};

use DeliveryState::{Delivered, GivenUp, Held, Waiting};

const MINUTE: Duration = Duration::from_secs(60);
/// A day in seconds, for [`at`].
const TOMORROW: u64 = 24 * 60 * 60;

/// An endpoint that is told of these kinds, or of all.
async fn endpoint(store: &Store, kinds: &[EventKind]) -> EndpointId {
    let id = EndpointId::from(Uuid::new_v4());
    let endpoint = NewEndpoint {
        id,
        url: "https://crm.example/hooks".to_owned(),
        kinds: EventKinds::of(kinds.iter().copied()),
        secret: secret("whsec_first"),
    };
    store.add_endpoint(&endpoint, at(0)).await.unwrap();
    id
}

async fn one(store: &Store, id: EndpointId) -> Endpoint {
    let all = store.endpoints().await.unwrap();
    all.into_iter().find(|endpoint| endpoint.id == id).unwrap()
}

async fn take(store: &Store, seconds: u64) -> Option<Delivery> {
    store.take_delivery(MINUTE, &[], at(seconds)).await.unwrap()
}

/// Takes what is due, one after the other, and has each delivered.
async fn deliver_all(store: &Store, seconds: u64) -> Vec<Delivery> {
    let mut all = Vec::new();
    while let Some(delivery) = take(store, seconds).await {
        store.delivered(delivery.id, 204, at(seconds)).await.unwrap();
        all.push(delivery);
    }
    all
}

fn kinds(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| delivery.kind.as_str()).collect()
}

async fn states(store: &Store) -> Vec<DeliveryState> {
    let rows = store.deliveries(false, 99).await.unwrap();
    rows.iter().rev().map(|row| row.state).collect()
}

/// Something happens to somebody in the bakery, which the log tells with a row of this kind.
async fn happens(bakery: &Bakery, kind: ActivityKind, to: UserId, seconds: u64) {
    let entry = NewActivity::by(Some(bakery.ingrid), "Ingrid Berg", kind, "").about(Some(to), "");
    let change = store::MembershipChange { entry, ..change(Some(model::Access::Owner)) };
    let (store, id, ingrid) = (&bakery.store, bakery.id, bakery.ingrid);
    store.change_membership(id, ingrid, ingrid, at(seconds), |_| Ok(Some(change))).await.unwrap();
}

async fn changes(bakery: &Bakery, seconds: u64) {
    happens(bakery, ActivityKind::PermissionsChanged, bakery.ingrid, seconds).await;
}

async fn renamed(store: &Store, who: UserId, name: &str, seconds: u64) {
    store
        .change_profile(who, &FullName::parse(name).unwrap(), None, None, at(seconds))
        .await
        .unwrap();
}

fn trial(why: &str) -> Trial {
    Trial { status: Some(500), why: why.to_owned() }
}

fn off_mail() -> NewMail {
    let mail = Mail::WebhookOff {
        endpoint: "endpoint".to_owned(),
        url: "https://crm.example/hooks".into(),
        why: "HTTP 500".into(),
        tried_since: at(0),
    };
    NewMail::to(email("operator@provider.example"), mail)
}

/// How many mails to the operator wait.
async fn mails(store: &Store, seconds: u64) -> usize {
    let mut mails = 0;
    while let Some(mail) = store.take_mail(HOUR, at(seconds)).await.unwrap() {
        mails += usize::from(mail.to == email("operator@provider.example"));
    }
    mails
}

#[apply(on_both!)]
async fn an_endpoint_comes_back_as_it_was_added(db: TestDatabase) {
    let id = endpoint(&db.store, &[EventKind::OwnerChanged, EventKind::MemberAdded]).await;
    let found = one(&db.store, id).await;
    assert_eq!(found.url, "https://crm.example/hooks");
    assert_eq!(found.kinds.to_stored(), "member.added owner.changed");
    assert_eq!((found.secret.expose(), found.old_secret), ("whsec_first", None));
    assert_eq!((found.made_at, found.off), (at(0), None));
    assert_eq!((found.waiting, found.given_up), (0, 0));
    db.store.remove_endpoint(id).await.unwrap();
    assert!(db.store.endpoints().await.unwrap().is_empty());
    assert_eq!(db.store.remove_endpoint(id).await, Err(Failure::NotFound));
    let rotated = db.store.rotate_secret(id, &secret("whsec_second"), at(1)).await;
    assert_eq!(rotated, Err(Failure::NotFound));
    assert_eq!(db.store.turn_endpoint_on(id, at(1)).await, Err(Failure::NotFound));
    assert_eq!(db.store.redeliver(Uuid::new_v4().into(), at(1)).await, Err(Failure::NotFound));
}

#[apply(on_both!)]
async fn what_nobody_wants_to_be_told_isnt_written(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    changes(&bakery, 1).await;
    assert!(take(&db.store, 2).await.is_none(), "there is no endpoint");
    let owners = endpoint(&db.store, &[EventKind::OwnerChanged]).await;
    changes(&bakery, 3).await;
    assert!(take(&db.store, 4).await.is_none(), "nobody became an owner");
    let all = endpoint(&db.store, &[]).await;
    changes(&bakery, 5).await;
    let told = deliver_all(&db.store, 6).await;
    assert_eq!(kinds(&told), ["member.changed"]);
    assert_eq!(told[0].endpoint, all);
    let entry = entry(ActivityKind::AccountLeft).before(model::Noted::Owner);
    let change = store::MembershipChange { entry, ..change(None) };
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    db.store.change_membership(id, ingrid, ingrid, at(7), |_| Ok(Some(change))).await.unwrap();
    let told = deliver_all(&db.store, 8).await;
    let of = |endpoint| -> Vec<_> {
        let told = told.iter().filter(|delivery| delivery.endpoint == endpoint);
        told.map(|delivery| delivery.kind.as_str()).collect()
    };
    assert_eq!(of(all), ["member.removed", "owner.changed"]);
    assert_eq!(of(owners), ["owner.changed"]);
}

#[apply(on_both!)]
async fn an_event_is_written_with_what_it_tells_or_neither_is(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    endpoint(&db.store, &[]).await;
    let rows = || async {
        bakery.store.activity(bakery.id, &ActivityFilter::default(), 99).await.unwrap().len()
    };
    let before = rows().await;
    let no = |_: &store::ChangeFacts| Err(Failure::NotFound);
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let refused = db.store.change_membership(id, ingrid, ingrid, at(1), no).await;
    assert_eq!(refused, Err(Failure::NotFound));
    assert!(take(&db.store, 2).await.is_none());
    db.break_writing_to("webhook_deliveries").await;
    let change = change(Some(granted(&[Permission::BillingView])));
    let broken = db.store.change_membership(id, ingrid, ingrid, at(3), |_| Ok(Some(change))).await;
    assert_eq!(broken, Err(Failure::Unavailable));
    assert_eq!(rows().await, before);
    assert!(bakery.access(ingrid).await.is_owner());
    let name = FullName::parse("Somebody Else").unwrap();
    let broken = db.store.change_profile(ingrid, &name, None, None, at(4)).await;
    assert_eq!(broken, Err(Failure::Unavailable));
    let login = db.store.login_of(ingrid).await.unwrap().unwrap();
    assert_eq!(login.full_name, "Ingrid Berg");
}

#[apply(on_both!)]
async fn an_event_holds_ids_and_what_changed(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    endpoint(&db.store, &[]).await;
    let bjorn = user(&db.store, "Bjørn", "bjorn@example.com").await;
    let entry = NewActivity::by(
        Some(bakery.ingrid),
        "Ingrid Berg",
        ActivityKind::PermissionsChanged,
        "192.0.2.1",
    )
    .about(Some(bjorn), "Bjørn")
    .before(model::Noted::Owner);
    let change = store::MembershipChange { entry, ..change(Some(model::Access::Owner)) };
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    db.store.change_membership(id, ingrid, ingrid, at(5), |_| Ok(Some(change))).await.unwrap();
    let taken = take(&db.store, 6).await.unwrap();
    assert_eq!((taken.kind.as_str(), taken.at), ("member.changed", at(5)));
    assert_eq!((taken.attempts, taken.tried_since), (0, at(6)));
    let facts = taken.facts;
    assert_eq!(facts.account, Some(bakery.number));
    assert_eq!((facts.user, facts.by), (Some(bjorn), Some(ingrid)));
    assert_eq!(facts.change, "permissions.changed");
    assert_eq!((facts.before, facts.after), (Some(EventAccess::Owner), None));
    assert_eq!((facts.invitation, facts.request), (None, None));
}

#[apply(on_both!)]
async fn an_accounts_events_go_out_one_after_the_other_and_hold_up_no_others(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (other, _) = account(&db.store, "Other").await;
    db.store.add_member(other, bakery.ingrid, model::Access::Owner, at(0)).await.unwrap();
    let agency = Bakery { id: other, store: db.store.clone(), ..bakery };
    let (first, second) = (endpoint(&db.store, &[]).await, endpoint(&db.store, &[]).await);
    for seconds in [1, 2, 3] {
        changes(&bakery, seconds).await;
        changes(&agency, seconds).await;
    }
    let mut taken = Vec::new();
    while let Some(delivery) = take(&db.store, 9).await {
        taken.push(delivery);
    }
    let lines: HashSet<_> =
        taken.iter().map(|taken| (taken.endpoint, taken.facts.account)).collect();
    assert_eq!((taken.len(), lines.len()), (4, 4), "one of each account for each endpoint");
    assert!(taken.iter().all(|taken| taken.at == at(1)));
    // One that is put off holds up what is behind it; one that is delivered doesn't.
    db.store.delivery_put_off(taken[0].id, &trial("HTTP 500"), at(50)).await.unwrap();
    db.store.delivered(taken[1].id, 204, at(10)).await.unwrap();
    let next = take(&db.store, 10).await.unwrap();
    assert_eq!(next.at, at(2));
    assert_eq!((next.endpoint, next.facts.account), (taken[1].endpoint, taken[1].facts.account));
    assert!(take(&db.store, 11).await.is_none());
    // Who has much to do isn't given more.
    let busy = [taken[0].endpoint];
    assert!(db.store.take_delivery(MINUTE, &busy, at(50)).await.unwrap().is_none());
    let again = db.store.take_delivery(MINUTE, &[], at(50)).await.unwrap().unwrap();
    assert_eq!((again.id, again.attempts, again.tried_since), (taken[0].id, 1, at(9)));
    assert!([first, second].contains(&again.endpoint));
}

#[apply(on_both!)]
async fn a_delivery_whose_worker_died_is_taken_again_after_its_lease(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    endpoint(&db.store, &[]).await;
    changes(&bakery, 1).await;
    changes(&bakery, 1).await;
    let first = take(&db.store, 2).await.unwrap();
    assert!(take(&db.store, 61).await.is_none());
    let again = take(&db.store, 62).await.unwrap();
    assert_eq!((again.id, again.event, again.attempts), (first.id, first.event, 1));
    assert!(take(&db.store, 63).await.is_none());
}

#[apply(on_both!)]
async fn a_delivery_that_a_clock_ahead_put_off_is_due(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    endpoint(&db.store, &[]).await;
    changes(&bakery, 1).await;
    let first = take(&db.store, 2).await.unwrap();
    let trial = trial("HTTP 500");
    db.store.delivery_put_off(first.id, &trial, at(2 * 60 * 60)).await.unwrap();
    assert!(take(&db.store, 3).await.is_none());
    db.store.delivery_put_off(first.id, &trial, at(99 * TOMORROW)).await.unwrap();
    assert_eq!(take(&db.store, 3).await.unwrap().id, first.id);
}

#[apply(on_both!)]
async fn twenty_workers_never_take_the_same_nor_two_of_one_line(db: TestDatabase) {
    endpoint(&db.store, &[]).await;
    for number in 0..10 {
        let who = user(&db.store, "Mei", &format!("{number}@example.com")).await;
        renamed(&db.store, who, "Mei Tanaka", 1).await;
        renamed(&db.store, who, "Mei Sato", 2).await;
    }
    let taken = at_once(20, |_| {
        let store = db.store.clone();
        async move {
            let mut taken = Vec::new();
            while let Some(delivery) = store.take_delivery(MINUTE, &[], at(3)).await.unwrap() {
                taken.push((delivery.facts.user.unwrap(), delivery.at));
            }
            taken
        }
    })
    .await
    .concat();
    assert_eq!(taken.len(), 10);
    assert_eq!(taken.iter().map(|(who, _)| *who).collect::<HashSet<_>>().len(), 10);
    assert!(taken.iter().all(|(_, when)| *when == at(1)));
}

#[apply(on_both!)]
async fn events_at_once_are_in_the_order_of_the_log(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    endpoint(&db.store, &[]).await;
    at_once(20, |number| {
        let bakery = Bakery { store: db.store.clone(), ..bakery };
        // The nodes' clocks differ, and so do the moments that they write.
        let seconds = 100 - u64::from(number);
        async move {
            let who = Uuid::from_u128(u128::from(number)).into();
            happens(&bakery, ActivityKind::PermissionsChanged, who, seconds).await;
        }
    })
    .await;
    let rows = db.store.linked_rows(bakery.id, 0, 99).await.unwrap();
    let log = db.store.activity(bakery.id, &ActivityFilter::default(), 99).await.unwrap();
    let subject = |id: Uuid| log.iter().find(|row| row.id == id).unwrap().entry.subject;
    let in_log: Vec<_> = rows.iter().filter_map(|row| subject(row.id)).collect();
    let told = deliver_all(&db.store, 101).await;
    let told: Vec<_> = told.iter().filter_map(|delivery| delivery.facts.user).collect();
    assert_eq!((told.len(), &told), (20, &in_log));
}

#[apply(on_both!)]
async fn one_that_is_given_up_turns_its_endpoint_off_and_the_operator_is_told_once(
    db: TestDatabase,
) {
    let bakery = Bakery::new(&db.store).await;
    let (broken, well) = (endpoint(&db.store, &[]).await, endpoint(&db.store, &[]).await);
    mails(&db.store, 0).await;
    let who = user(&db.store, "Mei", "mei@example.com").await;
    changes(&bakery, 1).await;
    changes(&bakery, 2).await;
    renamed(&db.store, who, "Mei Tanaka", 3).await;
    let mut taken = Vec::new();
    while let Some(delivery) = take(&db.store, 4).await {
        match delivery.endpoint == broken {
            true => taken.push(delivery),
            false => db.store.delivered(delivery.id, 200, at(4)).await.unwrap(),
        }
    }
    assert_eq!(taken.len(), 2);
    let turned = at_once(2, |number| {
        let (store, delivery) = (db.store.clone(), taken[usize::from(number)].clone());
        async move {
            let mail = off_mail();
            store.give_up_delivery(&delivery, &trial("HTTP 500"), Some(&mail), at(5)).await.unwrap()
        }
    })
    .await;
    assert_eq!(turned.iter().filter(|turned| **turned).count(), 1);
    assert_eq!(mails(&db.store, 5).await, 1);
    let found = one(&db.store, broken).await;
    assert_eq!(found.off, Some((at(5), "HTTP 500".to_owned())));
    assert_eq!((found.waiting, found.given_up), (1, 2));
    assert_eq!(one(&db.store, well).await.off, None);

    // What happens from now on is held, and goes out in order when it is on again.
    changes(&bakery, 6).await;
    assert!(deliver_all(&db.store, 7).await.iter().all(|delivery| delivery.endpoint == well));
    assert_eq!(db.store.turn_endpoint_on(broken, at(3 * TOMORROW)).await, Ok(Some(2)));
    assert_eq!(db.store.turn_endpoint_on(broken, at(3 * TOMORROW)).await, Ok(None));
    let told = deliver_all(&db.store, 3 * TOMORROW).await;
    let told: Vec<_> = told.iter().map(|told| (told.at, told.attempts, told.tried_since)).collect();
    let fresh = |seconds| (at(seconds), 0, at(3 * TOMORROW));
    assert_eq!(told, [fresh(2), fresh(6)]);
    let failed = db.store.deliveries(true, 99).await.unwrap();
    assert_eq!(failed.len(), 2);
    assert!(failed.iter().all(|row| row.state == GivenUp && row.endpoint == broken));
    assert_eq!((failed[0].status, failed[0].answer.as_deref()), (Some(500), Some("HTTP 500")));
}

#[apply(on_both!)]
async fn nothing_is_held_for_an_endpoint_that_is_on(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let id = endpoint(&db.store, &[]).await;
    changes(&bakery, 1).await;
    let taken = take(&db.store, 2).await.unwrap();
    at_once(30, |number| {
        let bakery = Bakery { store: db.store.clone(), ..bakery };
        let taken = taken.clone();
        async move {
            match number % 3 {
                0 => changes(&bakery, 3).await,
                1 => {
                    let trial = trial("No");
                    let off = bakery.store.give_up_delivery(&taken, &trial, None, at(3));
                    off.await.unwrap();
                }
                _ => {
                    bakery.store.turn_endpoint_on(id, at(3)).await.unwrap();
                }
            }
        }
    })
    .await;
    let is_off = one(&db.store, id).await.off.is_some();
    let expected = if is_off { Held } else { Waiting };
    let states: BTreeSet<_> = states(&db.store).await.into_iter().map(|state| state.id()).collect();
    assert_eq!(states, [expected.id(), GivenUp.id()].into());
}

#[apply(on_both!)]
async fn after_a_rotation_both_secrets_are_known_for_a_while(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let id = endpoint(&db.store, &[]).await;
    for seconds in [1, 2, 3] {
        changes(&bakery, seconds).await;
    }
    db.store.rotate_secret(id, &secret("whsec_second"), at(100)).await.unwrap();
    let mut secrets = Vec::new();
    for seconds in [99, 100] {
        let taken = take(&db.store, seconds).await.unwrap();
        db.store.delivered(taken.id, 204, at(seconds)).await.unwrap();
        secrets.push((taken.secret.clone(), taken.old_secret.clone()));
    }
    let (first, second) = (secret("whsec_first"), secret("whsec_second"));
    assert_eq!(secrets, [(second.clone(), Some(first)), (second.clone(), None)]);
    db.store.rotate_secret(id, &secret("whsec_third"), at(200)).await.unwrap();
    let taken = take(&db.store, 101).await.unwrap();
    assert_eq!((taken.secret, taken.old_secret), (secret("whsec_third"), Some(second)));
}

#[apply(on_both!)]
async fn what_ended_is_delivered_once_more_when_somebody_asks(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let id = endpoint(&db.store, &[]).await;
    changes(&bakery, 1).await;
    let taken = take(&db.store, 2).await.unwrap();
    assert_eq!(db.store.redeliver(taken.id, at(3)).await, Ok(false), "it waits");
    db.store.delivered(taken.id, 204, at(4)).await.unwrap();
    // What comes too late changes nothing.
    db.store.delivery_put_off(taken.id, &trial("late"), at(5)).await.unwrap();
    db.store.delivered(DeliveryId::from(Uuid::new_v4()), 204, at(5)).await.unwrap();
    let row = db.store.deliveries(false, 99).await.unwrap().remove(0);
    assert_eq!((row.state, row.status, row.answer), (Delivered, Some(204), None));
    assert_eq!((row.ended_at, row.attempts), (Some(at(4)), 1));
    assert!(db.store.deliveries(true, 99).await.unwrap().is_empty());

    assert_eq!(db.store.redeliver(taken.id, at(6)).await, Ok(true));
    let again = take(&db.store, 6).await.unwrap();
    assert_eq!((again.id, again.event, again.attempts), (taken.id, taken.event, 0));
    assert_eq!(again.tried_since, at(6));
    let given_up = db.store.give_up_delivery(&again, &trial("HTTP 500"), None, at(7)).await;
    assert_eq!(given_up, Ok(true));
    assert_eq!(db.store.redeliver(taken.id, at(8)).await, Ok(true));
    assert_eq!(states(&db.store).await, [Held], "its endpoint is off");
    assert_eq!(db.store.turn_endpoint_on(id, at(9)).await, Ok(Some(1)));
    assert_eq!(deliver_all(&db.store, 9).await.len(), 1);
}

#[apply(on_both!)]
async fn invitations_are_told_from_being_sent_to_their_end(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    endpoint(&db.store, &[]).await;
    let id = bakery.invite("kari@example.com", 1).await;
    let resend = |facts: &store::InvitationFacts| {
        let offer = offer(2, facts.invitation.offered.access());
        let entry = entry(ActivityKind::InvitationResent);
        Ok(InvitationStep::Resend(store::Offer { entry, ..offer }))
    };
    db.store.step_invitation(bakery.id, bakery.ingrid, id, at(1), resend).await.unwrap();
    let decline = |_: &store::AnswerFacts| {
        let entry = entry(ActivityKind::InvitationDeclined);
        Ok(Answer::Decline { entry, mail: None, report: None })
    };
    db.store.answer_invitation(&token(2), at(2), decline).await.unwrap();
    let told = deliver_all(&db.store, 3).await;
    assert_eq!(kinds(&told), ["invitation.sent", "invitation.sent", "invitation.declined"]);
    assert!(told.iter().all(|told| told.facts.invitation == Some(id)));
    let said: Vec<_> = told.iter().map(|told| told.facts.change.as_str()).collect();
    assert_eq!(said, ["invitation.sent", "invitation.resent", "invitation.declined"]);
}

#[apply(on_both!)]
async fn that_an_invitation_ran_out_is_told_once_and_anew_when_it_was_sent_again(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    endpoint(&db.store, &[EventKind::InvitationExpired]).await;
    let id = bakery.invite("kari@example.com", 1).await;
    let early = db.store.note_expired_invitations(9, at(TOMORROW - 1)).await;
    assert_eq!(early, Ok(0));
    let noted = at_once(10, |_| {
        let store = db.store.clone();
        async move { store.note_expired_invitations(9, at(TOMORROW)).await.unwrap() }
    })
    .await;
    // The founder's, and Kari's.
    assert_eq!(noted.iter().sum::<u64>(), 2);
    let told = deliver_all(&db.store, TOMORROW).await;
    assert_eq!(kinds(&told), ["invitation.expired"; 2]);
    let karis =
        |told: &[Delivery]| told.iter().filter(|told| told.facts.invitation == Some(id)).count();
    assert_eq!(karis(&told), 1);
    assert_eq!(told[0].facts.account, Some(bakery.number));
    let resend = |facts: &store::InvitationFacts| {
        let access = facts.invitation.offered.access();
        let expires_at = at(2 * TOMORROW);
        Ok(InvitationStep::Resend(store::Offer { expires_at, ..offer(2, access) }))
    };
    let now = at(TOMORROW + 1);
    db.store.step_invitation(bakery.id, bakery.ingrid, id, now, resend).await.unwrap();
    assert_eq!(db.store.note_expired_invitations(9, at(TOMORROW + 2)).await, Ok(0));
    assert_eq!(db.store.note_expired_invitations(9, at(2 * TOMORROW)).await, Ok(1));
    assert_eq!(karis(&deliver_all(&db.store, 2 * TOMORROW).await), 1);
    // One that a clock ahead has open for longer than anything is over.
    let resend = |facts: &store::InvitationFacts| {
        let access = facts.invitation.offered.access();
        let expires_at = at(999 * TOMORROW);
        Ok(InvitationStep::Resend(store::Offer { expires_at, ..offer(3, access) }))
    };
    let now = at(2 * TOMORROW + 1);
    db.store.step_invitation(bakery.id, bakery.ingrid, id, now, resend).await.unwrap();
    assert_eq!(db.store.note_expired_invitations(9, now).await, Ok(1));
}

#[apply(on_both!)]
async fn a_login_that_changes_is_told_of_outside_accounts(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    endpoint(&db.store, &[]).await;
    let ingrid = bakery.ingrid;
    renamed(&db.store, ingrid, "Ingrid Berg", 1).await;
    assert!(take(&db.store, 1).await.is_none(), "it is the same name");
    renamed(&db.store, ingrid, "Ingrid Solberg", 2).await;
    let (first, second) = (first_password(), second_password(false));
    db.store.change_password(ingrid, &first, &second, None, at(3)).await.unwrap();
    let told = deliver_all(&db.store, 4).await;
    assert_eq!(kinds(&told), ["login.changed"; 2]);
    let said: Vec<_> = told.iter().map(|told| told.facts.change.as_str()).collect();
    assert_eq!(said, ["name", "password"]);
    assert!(told.iter().all(|told| told.facts.user == Some(ingrid)));
    assert!(told.iter().all(|told| told.facts.account.is_none() && told.facts.by.is_none()));
}

#[apply(on_both!)]
async fn events_are_kept_for_thirty_days_and_a_line_goes_on_behind_them(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let id = endpoint(&db.store, &[]).await;
    changes(&bakery, 1).await;
    changes(&bakery, 15 * TOMORROW).await;
    let sweep = |days: u64| db.store.sweep(DAY, DAY, at(days * TOMORROW));
    sweep(30).await.unwrap();
    assert_eq!(states(&db.store).await, [Waiting, Waiting]);
    sweep(31).await.unwrap();
    assert_eq!(states(&db.store).await, [Waiting]);
    sweep(50).await.unwrap();
    assert!(states(&db.store).await.is_empty());
    assert_eq!(one(&db.store, id).await.waiting, 0);
    changes(&bakery, 51 * TOMORROW).await;
    assert_eq!(kinds(&deliver_all(&db.store, 51 * TOMORROW).await), ["member.changed"]);
}

#[apply(on_both!)]
async fn what_waits_in_a_backup_isnt_told_again_unless_asked_for(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    endpoint(&db.store, &[]).await;
    changes(&bakery, 1).await;
    let settled = db.store.settle(true, at(2)).await.unwrap();
    assert_eq!((settled.deliveries, states(&db.store).await), (0, vec![Waiting]));
    let settled = db.store.settle(false, at(3)).await.unwrap();
    assert_eq!((settled.deliveries, states(&db.store).await), (1, vec![GivenUp]));
    let row = db.store.deliveries(true, 9).await.unwrap().remove(0);
    assert!(row.answer.unwrap().contains("restored from a backup"));
}
