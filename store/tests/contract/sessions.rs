use model::{Failure, Field, FieldProblem};
use test_database::on_both;

use crate::story::{DAY, HOUR, at, at_once, new_session, secret, token, user};

on_both! {
    async fn a_session_leads_to_its_user(db: TestDatabase) {
        let kari = user(&db.store, "Kari", "kari@example.com").await;
        db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
        let session = db.store.session(&token(1), HOUR, DAY, at(1)).await.unwrap().unwrap();
        assert_eq!((session.user, session.full_name.as_str()), (kari, "Kari"));
        assert_eq!(session.email.as_str(), "kari@example.com");
        assert!(db.store.session(&token(2), HOUR, DAY, at(1)).await.unwrap().is_none());
    }

    async fn a_session_lives_as_long_as_it_is_used_and_no_longer_than_the_limit(db: TestDatabase) {
        let kari = user(&db.store, "Kari", "kari@example.com").await;
        db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
        let session = async |seconds| {
            db.store.session(&token(1), HOUR, 3 * HOUR, at(seconds)).await.unwrap().is_some()
        };
        assert!(session(3600).await, "just used often enough");
        assert!(session(7200).await, "its last use was noted");
        assert!(session(10_800).await);
        assert!(!session(10_801).await, "older than three hours");
    }

    async fn an_idle_session_is_over(db: TestDatabase) {
        let kari = user(&db.store, "Kari", "kari@example.com").await;
        db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
        assert!(db.store.session(&token(1), HOUR, DAY, at(3601)).await.unwrap().is_none());
    }

    async fn a_use_is_noted_at_most_once_a_minute(db: TestDatabase) {
        let kari = user(&db.store, "Kari", "kari@example.com").await;
        db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
        assert!(db.store.session(&token(1), HOUR, DAY, at(59)).await.unwrap().is_some());
        // Had the use after 59 seconds been noted, the session would live a second longer.
        assert!(db.store.session(&token(1), HOUR, DAY, at(3601)).await.unwrap().is_none());
    }

    async fn a_browser_has_one_session(db: TestDatabase) {
        let kari = user(&db.store, "Kari", "kari@example.com").await;
        db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
        db.store.begin_session(kari, &new_session(2), Some(&token(1)), at(1)).await.unwrap();
        assert!(db.store.session(&token(1), HOUR, DAY, at(2)).await.unwrap().is_none());
        assert!(db.store.session(&token(2), HOUR, DAY, at(2)).await.unwrap().is_some());
    }

    async fn no_session_begins_with_a_password_that_was_changed_meanwhile(db: TestDatabase) {
        let kari = user(&db.store, "Kari", "kari@example.com").await;
        db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
        db.store.change_password(kari, &secret("$second"), None).await.unwrap();
        let late = db.store.begin_session(kari, &new_session(2), Some(&token(1)), at(1)).await;
        assert_eq!(late, Err(Failure::field(Field::Password, FieldProblem::WrongPassword)));
        assert!(db.store.session(&token(2), HOUR, DAY, at(2)).await.unwrap().is_none());
    }

    async fn a_changed_password_leaves_no_session_begun_at_the_same_moment(db: TestDatabase) {
        let kari = user(&db.store, "Kari", "kari@example.com").await;
        let changing = async {
            tokio::task::yield_now().await;
            db.store.change_password(kari, &secret("$second"), None).await
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

    async fn an_ended_session_is_over(db: TestDatabase) {
        let kari = user(&db.store, "Kari", "kari@example.com").await;
        db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
        db.store.end_session(&token(1)).await.unwrap();
        db.store.end_session(&token(1)).await.unwrap();
        assert!(db.store.session(&token(1), HOUR, DAY, at(1)).await.unwrap().is_none());
    }

    async fn sweeping_deletes_what_is_over_and_nothing_else(db: TestDatabase) {
        let kari = user(&db.store, "Kari", "kari@example.com").await;
        let ola = user(&db.store, "Ola", "ola@example.com").await;
        db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
        db.store.begin_session(ola, &new_session(2), None, at(3000)).await.unwrap();
        db.store.issue_reset(kari, &token(3), at(100), None, at(0)).await.unwrap();
        db.store.issue_reset(ola, &token(4), at(9000), None, at(0)).await.unwrap();
        db.store.count_attempt("old", HOUR, at(0)).await.unwrap();
        db.store.count_attempt("new", HOUR, at(3000)).await.unwrap();

        assert_eq!(db.store.sweep(HOUR, DAY, at(4000)).await.unwrap(), 3);
        assert_eq!(db.store.sweep(HOUR, DAY, at(4000)).await.unwrap(), 0);
        assert!(db.store.session(&token(2), HOUR, DAY, at(4000)).await.unwrap().is_some());
        assert!(db.store.reset(&token(3)).await.unwrap().is_none());
        let used = db.store.use_reset(&token(4), &secret("$new"), at(4000)).await.unwrap();
        assert_eq!(used, Some(ola));
        assert_eq!(db.store.count_attempt("new", HOUR, at(4000)).await.unwrap().count, 2);
    }
}
