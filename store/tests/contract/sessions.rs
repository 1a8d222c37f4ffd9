use model::{Failure, Field, FieldProblem};
use store::NewSession;
use test_database::{TestDatabase, apply, on_both};

use crate::story::{
    DAY, HOUR, at, at_once, first_password, mail, new_session, reset_to, second_password, secret,
    token, user,
};

#[apply(on_both!)]
async fn a_session_leads_to_its_user(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    let session = db.store.session(&token(1), HOUR, DAY, at(1)).await.unwrap().unwrap();
    assert_eq!((session.user, session.full_name.as_str()), (kari, "Kari"));
    assert_eq!(session.email.as_str(), "kari@example.com");
    assert!(db.store.session(&token(2), HOUR, DAY, at(1)).await.unwrap().is_none());
}

#[apply(on_both!)]
async fn a_session_lives_as_long_as_it_is_used_and_no_longer_than_the_limit(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    let session = async |seconds| {
        let user = db.store.session(&token(1), HOUR, 3 * HOUR, at(seconds)).await.unwrap();
        db.store.noted().await;
        user.is_some()
    };
    assert!(session(3600).await, "just used often enough");
    assert!(session(7200).await, "its last use was noted");
    assert!(session(10_800).await);
    assert!(!session(10_801).await, "older than three hours");
}

#[apply(on_both!)]
async fn an_idle_session_is_over(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    assert!(db.store.session(&token(1), HOUR, DAY, at(3601)).await.unwrap().is_none());
}

#[apply(on_both!)]
async fn a_use_is_noted_at_most_once_a_minute(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    assert!(db.store.session(&token(1), HOUR, DAY, at(59)).await.unwrap().is_some());
    // Had the use after 59 seconds been noted, the session would live a second longer.
    assert!(db.store.session(&token(1), HOUR, DAY, at(3601)).await.unwrap().is_none());
}

#[apply(on_both!)]
async fn a_browser_has_one_session(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    db.store.begin_session(kari, &new_session(2), Some(&token(1)), at(1)).await.unwrap();
    assert!(db.store.session(&token(1), HOUR, DAY, at(2)).await.unwrap().is_none());
    assert!(db.store.session(&token(2), HOUR, DAY, at(2)).await.unwrap().is_some());
}

#[apply(on_both!)]
async fn no_session_begins_with_a_password_that_was_changed_meanwhile(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    db.store
        .change_password(kari, &first_password(), &second_password(false), None, at(50))
        .await
        .unwrap();
    let late = db.store.begin_session(kari, &new_session(2), Some(&token(1)), at(1)).await;
    assert_eq!(late, Err(Failure::field(Field::Password, FieldProblem::WrongPassword)));
    assert!(db.store.session(&token(2), HOUR, DAY, at(2)).await.unwrap().is_none());
}

#[apply(on_both!)]
async fn a_changed_password_leaves_no_session_begun_at_the_same_moment(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    let changing = async {
        tokio::task::yield_now().await;
        db.store
            .change_password(kari, &first_password(), &second_password(false), None, at(50))
            .await
    };
    let signing_in = at_once(20, |number| {
        let store = db.store.clone();
        async move { store.begin_session(kari, &new_session(number), None, at(0)).await }
    });
    let (changed, _) = tokio::join!(changing, signing_in);
    changed.unwrap();
    for number in 0..20 {
        assert!(db.store.session(&token(number), HOUR, DAY, at(1)).await.unwrap().is_none());
    }
}

#[apply(on_both!)]
async fn an_ended_session_is_over(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    db.store.end_session(&token(1)).await.unwrap();
    db.store.end_session(&token(1)).await.unwrap();
    assert!(db.store.session(&token(1), HOUR, DAY, at(1)).await.unwrap().is_none());
}

#[apply(on_both!)]
async fn sweeping_deletes_what_is_over_and_nothing_else(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    let ola = user(&db.store, "Ola", "ola@example.com").await;
    db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    db.store.begin_session(ola, &new_session(2), None, at(3000)).await.unwrap();
    db.store.issue_reset(kari, &token(3), at(100), None, at(0)).await.unwrap();
    db.store.issue_reset(ola, &token(4), at(7000), None, at(0)).await.unwrap();
    db.store.count_attempt("old", HOUR, at(0)).await.unwrap();
    db.store.count_attempt("new", HOUR, at(3000)).await.unwrap();

    assert_eq!(db.store.sweep(HOUR, DAY, at(4000)).await.unwrap(), 3);
    assert_eq!(db.store.sweep(HOUR, DAY, at(4000)).await.unwrap(), 0);
    assert!(db.store.session(&token(2), HOUR, DAY, at(4000)).await.unwrap().is_some());
    assert!(db.store.reset(&token(3)).await.unwrap().is_none());
    let used = db.store.use_reset(&token(4), &reset_to("$new"), at(4000)).await.unwrap();
    assert_eq!(used, Some(ola));
    assert_eq!(db.store.count_attempt("new", HOUR, at(4000)).await.unwrap().count, 2);
}

#[apply(on_both!)]
async fn a_password_change_loses_to_one_that_was_faster(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.issue_reset(kari, &token(9), at(100), None, at(0)).await.unwrap();
    db.store.use_reset(&token(9), &reset_to("$reset"), at(1)).await.unwrap();
    let late = db
        .store
        .change_password(kari, &first_password(), &second_password(false), None, at(50))
        .await;
    assert_eq!(late, Err(Failure::field(Field::Password, FieldProblem::WrongPassword)));
    let login = db.store.login_of(kari).await.unwrap().unwrap();
    assert_eq!(login.password_hash.expose(), "$reset");
}

#[apply(on_both!)]
async fn signing_in_anew_never_waits_for_a_changed_password(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.begin_session(kari, &new_session(0), None, at(0)).await.unwrap();
    for number in 1..20 {
        let (fresh, earlier) = (new_session(number), token(number - 1));
        let (before, after) = (first_password(), second_password(false));
        let back = store::NewPassword { hash: first_password(), short: false, told: None };
        let (begun, changed) = tokio::join!(
            db.store.begin_session(kari, &fresh, Some(&earlier), at(0)),
            db.store.change_password(kari, &before, &after, Some(&earlier), at(50)),
        );
        changed.unwrap();
        assert_ne!(begun, Err(Failure::Unavailable));
        db.store.change_password(kari, &after.hash, &back, Some(&earlier), at(50)).await.unwrap();
    }
}

#[apply(on_both!)]
async fn a_new_browser_is_news_and_the_first_is_not(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    let from = |number: u8, device: u8| NewSession {
        device_hash: token(device),
        new_device: Some(mail("kari@example.com")),
        ..new_session(number)
    };
    let waiting = async || {
        let mut mails = 0;
        while let Some(taken) = db.store.take_mail(HOUR, at(10)).await.unwrap() {
            db.store.mail_kept(taken.id, at(10)).await.unwrap();
            mails += 1;
        }
        mails
    };
    db.store.begin_session(kari, &from(1, 1), None, at(0)).await.unwrap();
    assert_eq!(waiting().await, 0, "the first browser");
    db.store.begin_session(kari, &from(2, 1), None, at(1)).await.unwrap();
    assert_eq!(waiting().await, 0, "the same browser");
    db.store.begin_session(kari, &from(3, 2), None, at(2)).await.unwrap();
    assert_eq!(waiting().await, 1, "another browser");
}

#[apply(on_both!)]
async fn devices_are_listed_and_ended_by_their_owner_alone(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    let ola = user(&db.store, "Ola", "ola@example.com").await;
    for number in 1..4 {
        let when = at(u64::from(number));
        db.store.begin_session(kari, &new_session(number), None, when).await.unwrap();
    }
    db.store.begin_session(ola, &new_session(9), None, at(1)).await.unwrap();
    let devices =
        async || db.store.signed_in_devices(kari, &token(2), HOUR, DAY, at(4)).await.unwrap();
    let all = devices().await;
    assert_eq!(all.iter().map(|one| one.since).collect::<Vec<_>>(), [at(3), at(2), at(1)]);
    assert_eq!(all.iter().map(|one| one.present).collect::<Vec<_>>(), [false, true, false]);

    assert!(!db.store.end_session_of(ola, all[0].id).await.unwrap());
    assert!(db.store.end_session_of(kari, all[0].id).await.unwrap());
    assert!(db.store.session(&token(3), HOUR, DAY, at(4)).await.unwrap().is_none());
    db.store.end_other_sessions(kari, &token(2)).await.unwrap();
    assert_eq!(devices().await.len(), 1);
    assert!(db.store.session(&token(9), HOUR, DAY, at(4)).await.unwrap().is_some());
}

#[apply(on_both!)]
async fn a_session_is_confirmed_by_the_present_password_only(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    let confirm = async |hash, when| db.store.confirm_session(&token(1), &hash, when).await;
    assert!(!confirm(secret("$other"), at(5)).await.unwrap());
    assert!(confirm(first_password(), at(6)).await.unwrap());
    let session = db.store.session(&token(1), HOUR, DAY, at(7)).await.unwrap().unwrap();
    assert_eq!(session.authenticated_at, at(6));
}
