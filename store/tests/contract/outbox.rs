use std::collections::HashSet;

use model::{
    AccessOutline, AccountId, EmailNews, EndStage, FactorNews, IdentityNews, Mail, MailBound,
    MailKind, OwnerNews, OwnerNewsReader, Permission, PermissionSet, PolicyRule, StoredMail,
    UserId,
};
use serde_json::{Value, json};
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::story::{Bakery, HOUR, at, at_once, change, email, mail};

/// Queues mails to these addresses, the first first.
async fn queue(db: &TestDatabase, addresses: &[&str]) {
    let bakery = Bakery::new(&db.store).await;
    // Not the founder's invitation.
    let first = db.store.take_mail(HOUR, at(0)).await.unwrap().unwrap();
    db.store.mail_sent(first.id, "250 OK", at(0)).await.unwrap();
    for address in addresses {
        let change = store::MembershipChange {
            mail: Some(mail(address)),
            ..change(Some(model::Access::Owner))
        };
        let (id, ingrid) = (bakery.id, bakery.ingrid);
        db.store.change_membership(id, ingrid, ingrid, at(0), |_| Ok(Some(change))).await.unwrap();
    }
}

async fn take(db: &TestDatabase, seconds: u64) -> Option<store::QueuedMail> {
    db.store.take_mail(HOUR, at(seconds)).await.unwrap()
}

#[apply(on_both!)]
async fn mails_are_taken_oldest_first_and_once(db: TestDatabase) {
    queue(&db, &["a@example.com", "b@example.com"]).await;
    let (first, second) = (take(&db, 1).await.unwrap(), take(&db, 1).await.unwrap());
    assert_eq!((first.to.as_str(), second.to.as_str()), ("a@example.com", "b@example.com"));
    assert_eq!((first.attempts, first.queued_at), (0, at(0)));
    assert_eq!(first.mail, mail("a@example.com").mail);
    assert!(take(&db, 1).await.is_none());
}

#[apply(on_both!)]
async fn a_mail_is_in_the_recipients_language_or_else_in_the_senders(db: TestDatabase) {
    let language = |tag| model::Language::parse(tag).unwrap();
    let bakery = Bakery::new(&db.store).await;
    let first = db.store.take_mail(HOUR, at(0)).await.unwrap().unwrap();
    assert_eq!(first.language, None, "the provider's");
    let mei = crate::story::user(&db.store, "Mei", "mei@example.com").await;
    db.store.set_language(mei, &language("de")).await.unwrap();
    for address in ["mei@example.com", "stranger@example.com"] {
        let mail = mail(address).language(Some(language("nb")));
        let change =
            store::MembershipChange { mail: Some(mail), ..change(Some(model::Access::Owner)) };
        let (id, ingrid) = (bakery.id, bakery.ingrid);
        db.store.change_membership(id, ingrid, ingrid, at(0), |_| Ok(Some(change))).await.unwrap();
    }
    assert_eq!(take(&db, 1).await.unwrap().language, Some(language("de")));
    assert_eq!(take(&db, 1).await.unwrap().language, Some(language("nb")));
}

#[apply(on_both!)]
async fn a_mail_that_tells_of_an_account_knows_its_time_zone(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let first = take(&db, 1).await.unwrap();
    assert_eq!(first.time_zone, None, "the provider's");
    let (oslo, _) = crate::story::account(&db.store, "Oslo").await;
    db.store.add_member(oslo, bakery.ingrid, model::Access::Owner, at(0)).await.unwrap();
    let details = store::AccountDetails {
        name: "Oslo".to_owned(),
        time_zone: "Europe/Oslo".to_owned(),
        ..store::AccountDetails::default()
    };
    db.store.set_account_details(oslo, &details).await.unwrap();
    send_all(&db, 2).await;
    cause_in(&db, oslo, bakery.ingrid, "b@example.com", sample(MailKind::AccessEnds, 1), 3).await;
    let mail = take(&db, 3).await.unwrap();
    assert_eq!(mail.time_zone.as_deref(), Some("Europe/Oslo"));
    db.store.mail_kept(mail.id, at(4)).await.unwrap();
    let kept = db.store.kept_mail(mail.id).await.unwrap().unwrap();
    assert_eq!((kept.mail, kept.time_zone), (mail.mail, mail.time_zone));
}

#[apply(on_both!)]
async fn a_mail_knows_the_time_zone_that_its_recipient_chose_when_it_was_queued(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    send_all(&db, 0).await;
    let name = model::FullName::parse("Ingrid").unwrap();
    let email = db.store.login_of(bakery.ingrid).await.unwrap().unwrap().email;
    for zone in [None, Some("Asia/Tokyo")] {
        db.store.change_profile(bakery.ingrid, &name, None, zone, at(3)).await.unwrap();
        let mail = sample(MailKind::AccessEnds, 1);
        cause_in(&db, bakery.id, bakery.ingrid, email.as_str(), mail, 3).await;
        let mail = take(&db, 3).await.unwrap();
        assert_eq!(mail.own_zone.as_deref(), zone);
        db.store.mail_kept(mail.id, at(4)).await.unwrap();
        assert_eq!(db.store.kept_mail(mail.id).await.unwrap().unwrap().own_zone, mail.own_zone);
    }
}

#[apply(on_both!)]
async fn what_ends_at_one_moment_is_one_mail_however_often_it_is_noted(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    send_all(&db, 0).await;
    let ends = |text: &str| Mail::AccessEnds {
        account: "Bakery".into(),
        ending: model::Outlines::from_stored(text),
        stage: EndStage::Day,
    };
    let (first, second) = ("billing.view until:7", "support.view until:8");
    for text in [first, second] {
        cause(&db, &bakery, "a@example.com", ends(text), 1).await;
    }
    assert_eq!(send_all(&db, 1).await, [ends(&format!("{first}\n{second}"))]);
    // Of another moment, it is another mail.
    cause(&db, &bakery, "a@example.com", ends(first), 2).await;
    cause(&db, &bakery, "a@example.com", ends(second), 3).await;
    assert_eq!(send_all(&db, 3).await.len(), 2);
}

#[apply(on_both!)]
async fn a_mail_whose_worker_died_is_taken_again_after_its_lease(db: TestDatabase) {
    queue(&db, &["a@example.com"]).await;
    let first = take(&db, 1).await.unwrap();
    assert!(take(&db, 3600).await.is_none());
    let again = take(&db, 3601).await.unwrap();
    assert_eq!((again.id, again.attempts), (first.id, 1));
}

#[apply(on_both!)]
async fn a_mail_put_off_is_tried_again_then(db: TestDatabase) {
    queue(&db, &["a@example.com"]).await;
    let first = take(&db, 1).await.unwrap();
    db.store.mail_deferred(first.id, "451 later", at(60)).await.unwrap();
    assert!(take(&db, 59).await.is_none());
    assert_eq!(take(&db, 60).await.unwrap().attempts, 1);
}

#[apply(on_both!)]
async fn a_mail_that_is_out_or_given_up_is_gone_for_good(db: TestDatabase) {
    queue(&db, &["a@example.com", "b@example.com"]).await;
    let (first, second) = (take(&db, 1).await.unwrap(), take(&db, 1).await.unwrap());
    db.store.mail_sent(first.id, "250 OK", at(2)).await.unwrap();
    db.store.mail_failed(second.id, "550 no such user", at(2)).await.unwrap();
    // What comes too late changes nothing.
    db.store.mail_deferred(first.id, "late", at(3)).await.unwrap();
    db.store.mail_kept(second.id, at(3)).await.unwrap();
    db.store.mail_sent(Uuid::new_v4(), "deleted meanwhile", at(3)).await.unwrap();
    assert!(take(&db, 99_999).await.is_none());
    assert!(db.store.kept_mails(9).await.unwrap().is_empty());
}

#[apply(on_both!)]
async fn kept_mails_can_be_read_newest_first(db: TestDatabase) {
    queue(&db, &["a@example.com", "b@example.com", "c@example.com"]).await;
    for _ in 0..3 {
        let mail = take(&db, 1).await.unwrap();
        db.store.mail_kept(mail.id, at(2)).await.unwrap();
    }
    let kept = db.store.kept_mails(2).await.unwrap();
    let to: Vec<_> = kept.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["c@example.com", "b@example.com"]);
    let one = db.store.kept_mail(kept[0].id).await.unwrap().unwrap();
    assert_eq!((one.mail, one.queued_at), (mail("c@example.com").mail, at(0)));
    assert!(db.store.kept_mail(Uuid::new_v4()).await.unwrap().is_none());
    assert!(take(&db, 99_999).await.is_none());
}

#[apply(on_both!)]
async fn twenty_workers_never_take_the_same_mail(db: TestDatabase) {
    let addresses: Vec<_> = (0..30).map(|number| format!("{number}@example.com")).collect();
    queue(&db, &addresses.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let taken = at_once(20, |_| {
        let store = db.store.clone();
        async move {
            let mut taken = Vec::new();
            while let Some(mail) = store.take_mail(HOUR, at(1)).await.unwrap() {
                taken.push(mail.id);
            }
            taken
        }
    })
    .await
    .concat();
    assert_eq!(taken.len(), 30);
    assert_eq!(taken.into_iter().collect::<HashSet<_>>().len(), 30);
}

#[apply(on_both!)]
async fn every_kind_of_mail_is_bounded_and_the_last_of_it_is_true(db: TestDatabase) {
    const TIMES: u64 = 40;
    let bakery = Bakery::new(&db.store).await;
    send_all(&db, 0).await;
    for (number, kind) in MailKind::ALL.into_iter().enumerate() {
        let start = 100_000 * u64::try_from(number).unwrap();
        let to = format!("{}@example.com", kind.id());
        let mut sent = Vec::new();
        for n in 0..TIMES {
            cause(&db, &bakery, &to, sample(kind, n), start + n).await;
            sent.extend(send_all(&db, start + n).await);
        }
        let MailBound::Gathered { at_once } = kind.bound() else {
            assert_eq!(sent.len(), 40, "{kind:?}: what is refused instead isn't held back");
            assert_eq!(sent.last(), Some(&sample(kind, TIMES - 1)));
            continue;
        };
        assert_eq!(sent.len(), usize::try_from(at_once).unwrap(), "{kind:?}");
        let last = send_all(&db, start + 3600 + TIMES).await;
        let [Mail::Several { times, since, last }] = last.as_slice() else {
            panic!("{kind:?}: {last:?}")
        };
        assert_eq!(u64::from(*times), TIMES - u64::from(at_once), "{kind:?}");
        assert_eq!(*since, at(start + u64::from(at_once)), "{kind:?}");
        assert_eq!(**last, sample(kind, TIMES - 1), "{kind:?}");
    }
}

#[apply(on_both!)]
async fn mails_about_something_else_or_to_others_are_not_gathered(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    send_all(&db, 0).await;
    let (other, _) = crate::story::account(&db.store, "Bakery").await;
    db.store.add_member(other, bakery.ingrid, model::Access::Owner, at(0)).await.unwrap();
    send_all(&db, 0).await;
    let mail = || sample(MailKind::PermissionsChanged, 1);
    cause(&db, &bakery, "a@example.com", mail(), 1).await;
    cause(&db, &bakery, "b@example.com", mail(), 1).await;
    cause_in(&db, other, bakery.ingrid, "a@example.com", mail(), 1).await;
    assert_eq!(send_all(&db, 1).await.len(), 3);
    for news in [FactorNews::AppOn, FactorNews::AppOff, FactorNews::PasskeyAdded] {
        for _ in 0..9 {
            let mail = Mail::FactorChanged { news, at: at(2) };
            cause(&db, &bakery, "a@example.com", mail, 2).await;
        }
    }
    assert_eq!(send_all(&db, 2).await.len(), 9, "three at once of each");
}

#[apply(on_both!)]
async fn what_changes_while_a_mail_is_on_its_way_is_told_by_another(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    send_all(&db, 0).await;
    let change = |n| sample(MailKind::PermissionsChanged, n);
    cause(&db, &bakery, "a@example.com", change(0), 1).await;
    let first = take(&db, 1).await.unwrap();
    cause(&db, &bakery, "a@example.com", change(1), 2).await;
    db.store.mail_sent(first.id, "250 OK", at(3)).await.unwrap();
    assert!(take(&db, 599).await.is_none());
    let [Mail::Several { times: 2, last, .. }] = &send_all(&db, 602).await[..] else {
        panic!("the second change isn't told")
    };
    assert_eq!(**last, change(1));
}

#[apply(on_both!)]
async fn changes_while_no_mail_goes_out_are_told_when_one_does(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    send_all(&db, 0).await;
    for n in 0..100 {
        cause(&db, &bakery, "a@example.com", sample(MailKind::PermissionsChanged, n), 600 * n)
            .await;
        if let Some(mail) = take(&db, 600 * n).await {
            db.store.mail_deferred(mail.id, "451 later", at(600 * n + 60)).await.unwrap();
        }
    }
    let sent = send_all(&db, 70_000).await;
    let [Mail::Several { times: 100, last, .. }] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(**last, sample(MailKind::PermissionsChanged, 99));
}

#[apply(on_both!)]
async fn that_access_ended_is_told_at_once_and_in_place_of_earlier_changes(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    send_all(&db, 0).await;
    for n in 0..3 {
        cause(&db, &bakery, "a@example.com", sample(MailKind::PermissionsChanged, n), n).await;
        send_all(&db, n).await;
    }
    cause(&db, &bakery, "a@example.com", sample(MailKind::AccessRemoved, 0), 4).await;
    assert_eq!(send_all(&db, 4).await, [sample(MailKind::AccessRemoved, 0)]);
    assert!(send_all(&db, 99_999).await.is_empty());
}

#[apply(on_both!)]
async fn who_causes_many_mails_delays_nobody_elses(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    send_all(&db, 0).await;
    let (other, _) = crate::story::account(&db.store, "Other").await;
    send_all(&db, 0).await;
    db.store.add_member(other, bakery.ingrid, model::Access::Owner, at(0)).await.unwrap();
    for n in 0..60 {
        let to = format!("flood{n}@example.com");
        cause(&db, &bakery, &to, sample(MailKind::PermissionsChanged, n), 1).await;
    }
    for to in ["a@example.com", "b@example.com"] {
        cause_in(&db, other, bakery.ingrid, to, sample(MailKind::PermissionsChanged, 0), 2).await;
    }
    let mut to = Vec::new();
    while let Some(mail) = take(&db, 3).await {
        to.push(mail.to.to_string());
    }
    assert_eq!(to.len(), 62);
    let place = |of: &str| to.iter().position(|to| to == of).unwrap();
    assert!(place("a@example.com") < 4 && place("b@example.com") < 5, "{to:?}");
    // They are late together, and still take turns.
    for mail in 0..3 {
        let again = db.store.take_mail(HOUR, at(3603 + mail)).await.unwrap().unwrap();
        to.push(again.to.to_string());
    }
    assert!(to[62..].contains(&"a@example.com".to_owned()), "{:?}", &to[62..]);
}

#[test]
fn a_mail_is_stored_with_its_time_zone_and_read_without() {
    let mail = Mail::EmailTaken { at: at(7) };
    let alone = serde_json::to_string(&mail).unwrap();
    let zone = Some("Europe/Oslo".to_owned());
    let cases = [(None, None, true), (zone.clone(), None, false), (None, zone, false)];
    for (time_zone, own_zone, is_as_ever) in cases {
        let stored = StoredMail { mail: mail.clone(), time_zone, own_zone };
        let text = serde_json::to_string(&stored).unwrap();
        assert_eq!(text == alone, is_as_ever);
        assert_eq!(serde_json::from_str::<StoredMail>(&text).unwrap(), stored);
        // So do earlier versions, which may run beside this one.
        assert_eq!(serde_json::from_str::<Mail>(&text).unwrap(), mail);
    }
}

#[test]
fn what_earlier_versions_queued_tells_the_same() {
    let granted = |ids: &str| model::Outlines::from_stored(ids);
    let cases = [
        (json!("owner"), AccessOutline::Owner),
        (
            json!({ "granted": "billing.view billing.pay" }),
            AccessOutline::Granted(granted("billing.view billing.pay")),
        ),
    ];
    for (queued, access) in cases {
        assert_eq!(json!(access), queued);
        let mail: Mail = serde_json::from_value(json!({
            "kind": "invitation", "account": "Bakery", "inviter": null, "access": queued,
            "expires_at": 7, "token": "token",
        }))
        .unwrap();
        assert!(matches!(mail, Mail::Invitation { access: read, .. } if read == access));
    }
    let mail: Mail = serde_json::from_value(json!({
        "kind": "permissions_changed", "account": "Bakery", "changed_by": "Ingrid",
        "before": "", "after": "billing.view",
    }))
    .unwrap();
    let Mail::PermissionsChanged { before, after, .. } = mail else { panic!("another mail") };
    assert_eq!((before, after), (granted(""), granted("billing.view")));
}

/// Has a change in the bakery cause this mail.
async fn cause(db: &TestDatabase, bakery: &Bakery, to: &str, told: Mail, seconds: u64) {
    cause_in(db, bakery.id, bakery.ingrid, to, told, seconds).await;
}

async fn cause_in(
    db: &TestDatabase,
    account: AccountId,
    ingrid: UserId,
    to: &str,
    told: Mail,
    seconds: u64,
) {
    let mail = store::NewMail::to(email(to), told);
    let change = store::MembershipChange { mail: Some(mail), ..change(Some(model::Access::Owner)) };
    let decide = |_: &_| Ok(Some(change));
    db.store.change_membership(account, ingrid, ingrid, at(seconds), decide).await.unwrap();
}

/// Sends what is due, and answers what it told.
async fn send_all(db: &TestDatabase, seconds: u64) -> Vec<Mail> {
    let mut sent = Vec::new();
    while let Some(mail) = take(db, seconds).await {
        db.store.mail_sent(mail.id, "250 OK", at(seconds)).await.unwrap();
        sent.push(mail.mail);
    }
    sent
}

/// The mail of a kind that the change with this number causes, made of facts as the outbox holds them.
/// Before all of the changes it was the same.
fn sample(kind: MailKind, number: u64) -> Mail {
    let (name, email) = (format!("Name {number}"), format!("{number}@example.com"));
    let when = at(number);
    let of_change = |news: Value, before: Value, after: Value| {
        serde_json::from_value::<Mail>(json!({
            "kind": kind.id(),
            "access": AccessOutline::Owner,
            "account": "Bakery",
            "account_number": 100_001,
            "address": "192.0.2.1",
            "after": after.clone(),
            "asked": [],
            "at": when,
            "before": before,
            "by_link": true,
            "changed_by": name,
            "closed": false,
            "declined_by": name,
            "email": email,
            "ending": after,
            "endpoint": "endpoint",
            "expires_at": when,
            "from": when,
            "given": [],
            "inviter": name,
            "inviter_email": "ingrid@example.com",
            "name": name,
            "news": news,
            "owners": [],
            "paused": name,
            "permission": Permission::BillingView,
            "provider": "Acme",
            "reader": OwnerNewsReader::Owner,
            "removed_by": name,
            "stage": EndStage::Week,
            "thing": name,
            "token": "token",
            "tried_since": when,
            "url": "https://crm.example/hooks",
            "user_agent": name,
            "why": name,
            "words": name,
        }))
    };
    let odd = [Permission::BillingView, Permission::BillingPay];
    let permissions =
        if number % 2 == 1 { odd.into_iter().collect() } else { PermissionSet::EMPTY };
    let rule = PolicyRule::SecondFactor;
    // What changes is of other types in some kinds: the first that fit are taken.
    of_change(json!(FactorNews::AppOn), json!(PermissionSet::EMPTY), json!(permissions))
        .or_else(|_| {
            of_change(json!(IdentityNews::Linked), json!(rule(None)), json!(rule(Some(when))))
        })
        .or_else(|_| of_change(json!(EmailNews::Changed), json!("kari@example.com"), json!(email)))
        .or_else(|_| of_change(json!(OwnerNews::Declined), json!(""), json!("")))
        .unwrap_or_else(|error| panic!("{kind:?}: {error}"))
}
