use model::{Conflict, EmailAddress, Failure, Identity, IdentityId, Timestamp, UserId};
use store::{FactorChange, IdentityOffer, NewPassword, Provider, Store};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{
    DAY, HOUR, at, at_once, email, first_password, mail, new_session, second_password, secret,
    token, user,
};

const KARI: &str = "kari@example.com";

fn identity(subject: &str) -> Identity {
    Identity::parse("https://id.example", subject).unwrap()
}

fn acme() -> Provider {
    Provider::Operators("acme".to_owned())
}

fn over<T>() -> Result<T, Failure> {
    Err(Failure::Conflict(Conflict::SignInOver))
}

fn change(session: u8) -> FactorChange {
    FactorChange { session: token(session), by_factor: true, mail: mail(KARI) }
}

/// An identity with this subject and address came back to the browser with token 70.
async fn offered(store: &Store, subject: &str, address: EmailAddress) {
    let offer = IdentityOffer { account: None, identity: identity(subject), email: address };
    store.offer_identity(&token(70), &offer, at(600)).await.unwrap();
}

/// Kari, signed in with session 1, whose login the identity "1" opens.
async fn kari_with_identity(store: &Store) -> UserId {
    let kari = user(store, "Kari", KARI).await;
    store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    offered(store, "1", email(KARI)).await;
    store.link_identity(&token(70), kari, &token(1), false, &mail(KARI), at(1)).await.unwrap();
    kari
}

async fn link_of(store: &Store, user: UserId) -> IdentityId {
    store.linked_identities(user).await.unwrap()[0].id
}

async fn sign_in(store: &Store, user: UserId, number: u8, now: Timestamp) -> Result<(), Failure> {
    let session = new_session(number);
    store.begin_session_by_identity(None, &identity("1"), user, &session, at(3), None, now).await
}

#[apply(on_both!)]
async fn a_browser_comes_back_once(db: TestDatabase) {
    db.store.begin_identity_sign_in(&token(60), &acme(), at(600)).await.unwrap();
    let under_way = db.store.identity_sign_in(&token(60), at(599)).await.unwrap();
    assert_eq!(under_way, Some(acme()));
    assert_eq!(db.store.identity_sign_in(&token(60), at(600)).await.unwrap(), None);
    assert_eq!(db.store.identity_sign_in(&token(61), at(1)).await.unwrap(), None);
    let back = at_once(20, |_| {
        let store = db.store.clone();
        async move { store.return_from_identity_provider(&token(60), at(5)).await.unwrap() }
    });
    let back: Vec<_> = back.await.into_iter().flatten().collect();
    assert_eq!(back, [acme()]);
    db.store.begin_identity_sign_in(&token(62), &acme(), at(600)).await.unwrap();
    let late = db.store.return_from_identity_provider(&token(62), at(600)).await;
    assert_eq!(late.unwrap(), None);
}

#[apply(on_both!)]
async fn an_identity_is_linked_to_the_login_with_its_address(db: TestDatabase) {
    let kari = user(&db.store, "Kari", KARI).await;
    let tom = user(&db.store, "Tom", "tom@example.com").await;
    offered(&db.store, "1", email("Kari@Example.com")).await;
    let offer = db.store.offered_identity(&token(70), at(1)).await.unwrap().unwrap();
    assert_eq!((offer.identity, offer.email.as_str()), (identity("1"), "Kari@Example.com"));
    assert!(db.store.offered_identity(&token(70), at(600)).await.unwrap().is_none());
    let link = async |user, now| {
        db.store.link_identity(&token(70), user, &token(1), false, &mail(KARI), now).await
    };
    assert_eq!(link(tom, at(1)).await, Err(Failure::Conflict(Conflict::OtherLogin)));
    assert_eq!(link(kari, at(600)).await, over(), "it took too long");
    assert_eq!(db.store.user_of_identity(None, &identity("1")).await.unwrap(), None);
    link(kari, at(1)).await.unwrap();
    assert_eq!(link(kari, at(1)).await, over(), "a second click");
    assert_eq!(db.store.user_of_identity(None, &identity("1")).await.unwrap(), Some(kari));
    assert_eq!(db.store.user_of_identity(None, &identity("2")).await.unwrap(), None);
    let elsewhere = Identity::parse("https://other.example", "1").unwrap();
    assert_eq!(db.store.user_of_identity(None, &elsewhere).await.unwrap(), None);
    let linked = db.store.linked_identities(kari).await.unwrap();
    assert_eq!((linked.len(), linked[0].since, linked[0].last_used_at), (1, at(1), None));
    assert_eq!(linked[0].email, "Kari@Example.com");
    assert!(db.store.linked_identities(tom).await.unwrap().is_empty());
}

#[apply(on_both!)]
async fn beside_a_second_factor_an_identity_is_linked_by_that(db: TestDatabase) {
    let kari = user(&db.store, "Kari", KARI).await;
    db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    db.store.begin_authenticator_setup(kari, &secret("KEY"), at(100)).await.unwrap();
    let (key, codes) = (secret("KEY"), []);
    db.store.add_authenticator_app(kari, &key, 100, &codes, &change(1), at(1)).await.unwrap();
    offered(&db.store, "1", email(KARI)).await;
    let link = async |by_factor| {
        db.store.link_identity(&token(70), kari, &token(1), by_factor, &mail(KARI), at(2)).await
    };
    assert_eq!(link(false).await, Err(Failure::FactorUnconfirmed));
    link(true).await.unwrap();
}

#[apply(on_both!)]
async fn an_identity_opens_one_login(db: TestDatabase) {
    let kari = kari_with_identity(&db.store).await;
    let tom = user(&db.store, "Tom", "tom@example.com").await;
    // Its provider gave it another address.
    offered(&db.store, "1", email("tom@example.com")).await;
    let news = mail("tom@example.com");
    let linked = db.store.link_identity(&token(70), tom, &token(1), false, &news, at(2)).await;
    assert_eq!(linked, over());
    assert_eq!(db.store.user_of_identity(None, &identity("1")).await.unwrap(), Some(kari));
}

#[apply(on_both!)]
async fn a_session_begins_by_an_identity_and_says_when_it_was_proved(db: TestDatabase) {
    let kari = kari_with_identity(&db.store).await;
    sign_in(&db.store, kari, 2, at(10)).await.unwrap();
    let session = db.store.session(&token(2), HOUR, DAY, at(11)).await.unwrap().unwrap();
    assert_eq!((session.user, session.authenticated_at), (kari, at(3)));
    assert!(!session.second_factor);
    assert_eq!(db.store.linked_identities(kari).await.unwrap()[0].last_used_at, Some(at(10)));
    let tom = user(&db.store, "Tom", "tom@example.com").await;
    assert_eq!(sign_in(&db.store, tom, 3, at(10)).await, over(), "it isn't his");
}

#[apply(on_both!)]
async fn what_changes_meanwhile_ends_a_sign_in_by_an_identity(db: TestDatabase) {
    let kari = kari_with_identity(&db.store).await;
    let (before, after) = (first_password(), second_password(false));
    db.store.change_password(kari, &before, &after, Some(&token(1)), at(50)).await.unwrap();
    assert_eq!(sign_in(&db.store, kari, 2, at(10)).await, over(), "the password was changed");
    let first = NewPassword { hash: first_password(), short: false, told: None };
    db.store.change_password(kari, &after.hash, &first, Some(&token(1)), at(50)).await.unwrap();
    db.store.begin_authenticator_setup(kari, &secret("KEY"), at(100)).await.unwrap();
    db.store
        .add_authenticator_app(kari, &secret("KEY"), 100, &[], &change(1), at(11))
        .await
        .unwrap();
    assert_eq!(sign_in(&db.store, kari, 2, at(12)).await, over(), "an app was turned on");
    assert!(db.store.session(&token(2), HOUR, DAY, at(13)).await.unwrap().is_none());
}

#[apply(on_both!)]
async fn a_removed_link_opens_nothing_more(db: TestDatabase) {
    let kari = kari_with_identity(&db.store).await;
    sign_in(&db.store, kari, 2, at(10)).await.unwrap();
    let identity = identity("1");
    let half_way = async |number| {
        let hash = first_password();
        db.store
            .begin_sign_in_by_identity(
                None,
                &identity,
                kari,
                &token(number),
                &hash,
                at(600),
                at(11),
            )
            .await
    };
    half_way(50).await.unwrap();
    let id = link_of(&db.store, kari).await;
    let tom = user(&db.store, "Tom", "tom@example.com").await;
    let unlink = async |user, now| db.store.unlink_identity(user, id, &change(1), now).await;
    assert_eq!(unlink(tom, at(12)).await, Err(Failure::NotFound), "it isn't his");
    unlink(kari, at(12)).await.unwrap();
    assert_eq!(unlink(kari, at(12)).await, Err(Failure::NotFound), "a second click");
    assert_eq!(sign_in(&db.store, kari, 3, at(13)).await, over());
    assert_eq!(half_way(51).await, over());
    assert_eq!(db.store.sign_in_of(&token(50), at(13)).await.unwrap(), None);
    let open =
        async |number| db.store.session(&token(number), HOUR, DAY, at(14)).await.unwrap().is_some();
    assert!(open(1).await, "the session in which it was removed goes on");
    assert!(!open(2).await, "the one that began by it is over");
}

#[apply(on_both!)]
async fn removing_a_link_and_signing_in_by_it_at_once_leaves_no_session(db: TestDatabase) {
    let kari = kari_with_identity(&db.store).await;
    let id = link_of(&db.store, kari).await;
    let came = at_once(20, |number| {
        let store = db.store.clone();
        async move {
            if number == 10 {
                return store.unlink_identity(kari, id, &change(1), at(10)).await;
            }
            let session = new_session(100 + number);
            let identity = identity("1");
            store
                .begin_session_by_identity(None, &identity, kari, &session, at(3), None, at(10))
                .await
        }
    });
    let came = came.await;
    assert_eq!(came[10], Ok(()));
    assert!(came.iter().all(|one| one.is_ok() || *one == over()), "{came:?}");
    for number in 100..120 {
        let session = db.store.session(&token(number), HOUR, DAY, at(11)).await.unwrap();
        assert!(session.is_none(), "{number}");
    }
}

#[apply(on_both!)]
async fn what_was_left_half_way_is_swept(db: TestDatabase) {
    db.store.begin_identity_sign_in(&token(60), &acme(), at(600)).await.unwrap();
    offered(&db.store, "1", email(KARI)).await;
    assert_eq!(db.store.sweep(HOUR, DAY, at(599)).await.unwrap(), 0);
    assert_eq!(db.store.sweep(HOUR, DAY, at(600)).await.unwrap(), 2);
}
