//! A clock that ran ahead for a while, as an operator's mistake or a broken battery makes it: what was
//! written then holds nobody up, and nothing lives longer for it.

use test_database::{TestDatabase, apply, on_both};

use crate::story::{Bakery, DAY, HOUR, at, mail, new_session, reset_to, token, user};

/// Seconds of 400 days.
const AHEAD: u64 = 400 * 24 * 60 * 60;

#[apply(on_both!)]
async fn a_mail_queued_or_put_off_ahead_is_due(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let first = db.store.take_mail(HOUR, at(AHEAD)).await.unwrap().unwrap();
    db.store.mail_deferred(first.id, "not now", at(AHEAD + 3600)).await.unwrap();
    let again = db.store.take_mail(HOUR, at(10)).await.unwrap().unwrap();
    assert_eq!((again.id, again.attempts), (first.id, 1));
    assert!(db.store.take_mail(HOUR, at(10)).await.unwrap().is_none(), "it is taken");
    db.store.mail_sent(again.id, "250 OK", at(10)).await.unwrap();

    let change = store::MembershipChange {
        mail: Some(mail("kari@example.com")),
        ..crate::story::change(Some(model::Access::Owner))
    };
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    db.store.change_membership(id, ingrid, ingrid, at(AHEAD), |_| Ok(Some(change))).await.unwrap();
    let taken = db.store.take_mail(HOUR, at(20)).await.unwrap().unwrap();
    assert_eq!(taken.queued_at, at(20), "or it would be tried for longer than any other");
    // What is put off by its rule waits.
    db.store.mail_deferred(taken.id, "not now", at(20 + 3600)).await.unwrap();
    assert!(db.store.take_mail(HOUR, at(20 + 3599)).await.unwrap().is_none());
    assert!(db.store.take_mail(HOUR, at(20 + 3600)).await.unwrap().is_some());
}

#[apply(on_both!)]
async fn a_window_of_attempts_begun_ahead_is_over(db: TestDatabase) {
    for _ in 0..3 {
        db.store.count_attempt("a", HOUR, at(AHEAD)).await.unwrap();
    }
    assert_eq!(db.store.attempts("a", HOUR, at(10)).await.unwrap(), None);
    let counted = db.store.count_attempt("a", HOUR, at(10)).await.unwrap();
    assert_eq!((counted.count, counted.until), (1, at(3610)));
    assert_eq!(db.store.attempts("a", HOUR, at(10)).await.unwrap(), Some(counted));
}

#[apply(on_both!)]
async fn a_link_made_ahead_opens_nothing(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.issue_reset(kari, &token(2), at(AHEAD + 1800), None, at(AHEAD)).await.unwrap();
    let used = db.store.use_reset(&token(2), &reset_to("$new"), at(10)).await.unwrap();
    assert_eq!(used, None);
    db.store.sweep(DAY, DAY, at(10)).await.unwrap();
    assert!(db.store.reset(&token(2)).await.unwrap().is_none());
    db.store.issue_reset(kari, &token(3), at(1800), None, at(0)).await.unwrap();
    db.store.sweep(DAY, DAY, at(10)).await.unwrap();
    let used = db.store.use_reset(&token(3), &reset_to("$new"), at(10)).await.unwrap();
    assert_eq!(used, Some(kari));
}

#[apply(on_both!)]
async fn a_session_used_ahead_lasts_as_long_as_any(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    let session = async |number, seconds| {
        db.store.session(&token(number), HOUR, DAY, at(seconds)).await.unwrap()
    };
    for number in [1, 2] {
        db.store.begin_session(kari, &new_session(number), None, at(AHEAD)).await.unwrap();
    }
    let found = session(1, 10).await.unwrap();
    assert_eq!(found.authenticated_at, at(10));
    assert!(session(1, 3610).await.is_some());
    assert!(session(1, 3610 + 3601).await.is_none(), "unused for too long");
    // Another one, which nobody comes with, is swept in its time.
    db.store.sweep(HOUR, DAY, at(20)).await.unwrap();
    assert!(session(2, 20 + 3601).await.is_none());
}
