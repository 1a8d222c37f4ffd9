use std::collections::HashSet;

use test_database::{TestDatabase, on_both};
use uuid::Uuid;

use crate::story::{Bakery, HOUR, at, at_once, change, mail};

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

on_both! {
    async fn mails_are_taken_oldest_first_and_once(db: TestDatabase) {
        queue(&db, &["a@example.com", "b@example.com"]).await;
        let (first, second) = (take(&db, 1).await.unwrap(), take(&db, 1).await.unwrap());
        assert_eq!((first.to.as_str(), second.to.as_str()), ("a@example.com", "b@example.com"));
        assert_eq!((first.attempts, first.queued_at), (0, at(0)));
        assert_eq!(first.mail, mail("a@example.com").mail);
        assert!(take(&db, 1).await.is_none());
    }

    async fn a_mail_is_in_the_recipients_language_or_else_in_the_senders(db: TestDatabase) {
        let language = |tag| model::Language::parse(tag).unwrap();
        let bakery = Bakery::new(&db.store).await;
        let first = db.store.take_mail(HOUR, at(0)).await.unwrap().unwrap();
        assert_eq!(first.language, None, "the provider's");
        let mei = crate::story::user(&db.store, "Mei", "mei@example.com").await;
        db.store.set_language(mei, &language("de")).await.unwrap();
        for address in ["mei@example.com", "stranger@example.com"] {
            let mail = store::NewMail { language: Some(language("nb")), ..mail(address) };
            let change =
                store::MembershipChange { mail: Some(mail), ..change(Some(model::Access::Owner)) };
            let (id, ingrid) = (bakery.id, bakery.ingrid);
            db.store.change_membership(id, ingrid, ingrid, at(0), |_| Ok(Some(change))).await.unwrap();
        }
        assert_eq!(take(&db, 1).await.unwrap().language, Some(language("de")));
        assert_eq!(take(&db, 1).await.unwrap().language, Some(language("nb")));
    }

    async fn a_mail_whose_worker_died_is_taken_again_after_its_lease(db: TestDatabase) {
        queue(&db, &["a@example.com"]).await;
        let first = take(&db, 1).await.unwrap();
        assert!(take(&db, 3600).await.is_none());
        let again = take(&db, 3601).await.unwrap();
        assert_eq!((again.id, again.attempts), (first.id, 1));
    }

    async fn a_mail_put_off_is_tried_again_then(db: TestDatabase) {
        queue(&db, &["a@example.com"]).await;
        let first = take(&db, 1).await.unwrap();
        db.store.mail_deferred(first.id, "451 later", at(60)).await.unwrap();
        assert!(take(&db, 59).await.is_none());
        assert_eq!(take(&db, 60).await.unwrap().attempts, 1);
    }

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
}
