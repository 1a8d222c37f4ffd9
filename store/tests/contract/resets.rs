use model::{Failure, Mail};
use store::NewMail;
use test_database::{TestDatabase, apply, on_both};

use crate::story::{DAY, HOUR, at, at_once, email, new_session, reset_to, secret, token, user};

fn link(to: &str) -> NewMail {
    let mail = Mail::PasswordReset { expires_at: at(3600), token: secret("token") };
    NewMail::to(email(to), mail)
}

#[apply(on_both!)]
async fn a_link_sets_the_password_and_ends_every_session(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    db.store.issue_reset(kari, &token(2), at(3600), None, at(0)).await.unwrap();
    let opened = db.store.reset(&token(2)).await.unwrap().unwrap();
    assert_eq!((opened.user, opened.expires_at, opened.used), (kari, at(3600), false));

    let used = db.store.use_reset(&token(2), &reset_to("$new"), at(10)).await.unwrap();
    assert_eq!(used, Some(kari));
    let login = db.store.login_of(kari).await.unwrap().unwrap();
    assert_eq!(login.password_hash.expose(), "$new");
    assert!(db.store.session(&token(1), HOUR, DAY, at(10)).await.unwrap().is_none());
    assert!(db.store.reset(&token(2)).await.unwrap().unwrap().used);
}

#[apply(on_both!)]
async fn a_link_that_is_used_unknown_or_too_old_changes_nothing(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.issue_reset(kari, &token(2), at(3600), None, at(0)).await.unwrap();
    let use_reset = async |number, seconds| {
        db.store.use_reset(&token(number), &reset_to("$new"), at(seconds)).await.unwrap()
    };
    assert_eq!(use_reset(9, 1).await, None, "unknown");
    assert_eq!(use_reset(2, 3600).await, None, "too old");
    assert_eq!(use_reset(2, 3599).await, Some(kari));
    assert_eq!(use_reset(2, 3599).await, None, "used");
    assert!(db.store.reset(&token(9)).await.unwrap().is_none());
}

#[apply(on_both!)]
async fn what_is_written_for_nobody_is_swept_when_it_would_have_expired(db: TestDatabase) {
    let tokens = [token(1), token(2)];
    let mail = link("nobody@example.com");
    db.store.issue_reset_to_nobody(tokens, at(1800), &mail, at(0)).await.unwrap();
    assert!(db.store.reset(&token(1)).await.unwrap().is_none());
    assert!(db.store.take_mail(HOUR, at(10)).await.unwrap().is_none());
    assert_eq!(db.store.sweep(DAY, DAY, at(1799)).await, Ok(0));
    assert_eq!(db.store.sweep(DAY, DAY, at(1800)).await, Ok(2));
}

#[apply(on_both!)]
async fn a_new_link_replaces_the_earlier_ones_and_their_mail(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    let ola = user(&db.store, "Ola", "ola@example.com").await;
    for (user, number, to) in
        [(kari, 1, "kari@example.com"), (ola, 2, "ola@example.com"), (kari, 3, "kari@example.com")]
    {
        let (hash, mail) = (token(number), Some(link(to)));
        db.store.issue_reset(user, &hash, at(3600), mail, at(number.into())).await.unwrap();
    }
    assert!(db.store.reset(&token(1)).await.unwrap().is_none());
    assert!(db.store.reset(&token(3)).await.unwrap().is_some());
    let mut sent = Vec::new();
    while let Some(mail) = db.store.take_mail(HOUR, at(10)).await.unwrap() {
        sent.push(mail.to.to_string());
    }
    assert_eq!(sent, ["ola@example.com", "kari@example.com"]);
    let nobody = uuid::Uuid::nil().into();
    let issued = db.store.issue_reset(nobody, &token(4), at(9), None, at(0)).await;
    assert_eq!(issued, Err(Failure::NotFound));
}

#[apply(on_both!)]
async fn of_fifty_uses_at_once_one_wins(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.issue_reset(kari, &token(2), at(3600), None, at(0)).await.unwrap();
    let won = at_once(50, |number| {
        let store = db.store.clone();
        let password = reset_to(&format!("$new {number}"));
        async move { store.use_reset(&token(2), &password, at(1)).await.unwrap() }
    })
    .await;
    assert_eq!(won.iter().flatten().count(), 1);
    let winner = won.iter().position(Option::is_some).unwrap();
    let login = db.store.login_of(kari).await.unwrap().unwrap();
    assert_eq!(login.password_hash.expose(), format!("$new {winner}"));
}

#[apply(on_both!)]
async fn links_issued_at_once_leave_one(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    at_once(20, |number| {
        let store = db.store.clone();
        async move { store.issue_reset(kari, &token(number), at(9), None, at(0)).await }
    })
    .await;
    let mut left = 0;
    for number in 0..20 {
        left += usize::from(db.store.reset(&token(number)).await.unwrap().is_some());
    }
    assert_eq!(left, 1);
}
