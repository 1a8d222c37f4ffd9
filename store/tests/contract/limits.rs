use store::Attempts;
use test_database::on_both;

use crate::story::{HOUR, at, at_once};

on_both! {
    async fn attempts_are_counted_until_their_window_ends(db: TestDatabase) {
        let first = db.store.count_attempt("sign-in", HOUR, at(0)).await.unwrap();
        assert_eq!(first, Attempts { count: 1, until: at(3600) });
        let second = db.store.count_attempt("sign-in", HOUR, at(3599)).await.unwrap();
        assert_eq!(second, Attempts { count: 2, until: at(3600) });
        let anew = db.store.count_attempt("sign-in", HOUR, at(3600)).await.unwrap();
        assert_eq!(anew, Attempts { count: 1, until: at(7200) });
    }

    async fn each_key_is_counted_on_its_own_and_can_be_forgotten(db: TestDatabase) {
        for _ in 0..3 {
            db.store.count_attempt("a", HOUR, at(0)).await.unwrap();
        }
        assert_eq!(db.store.count_attempt("b", HOUR, at(0)).await.unwrap().count, 1);
        db.store.forget_attempts("a").await.unwrap();
        assert_eq!(db.store.count_attempt("a", HOUR, at(0)).await.unwrap().count, 1);
        assert_eq!(db.store.count_attempt("b", HOUR, at(0)).await.unwrap().count, 2);
    }

    async fn counted_attempts_can_be_looked_at(db: TestDatabase) {
        assert_eq!(db.store.attempts("a", at(0)).await.unwrap(), None);
        let counted = db.store.count_attempt("a", HOUR, at(0)).await.unwrap();
        assert_eq!(db.store.attempts("a", at(3599)).await.unwrap(), Some(counted));
        assert_eq!(db.store.attempts("a", at(3600)).await.unwrap(), None, "the window is over");
    }

    async fn attempts_at_once_are_all_counted(db: TestDatabase) {
        let mut counts = at_once(20, |_| {
            let store = db.store.clone();
            async move { store.count_attempt("a", HOUR, at(0)).await.unwrap().count }
        })
        .await;
        counts.sort_unstable();
        assert_eq!(counts, (1..=20).collect::<Vec<_>>());
    }
}
