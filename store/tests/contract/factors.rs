use model::{Conflict, Failure, Field, FieldProblem, UserId};
use store::{FactorChange, FactorProof, NewPassword, NewSession, Store};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{
    Bakery, DAY, HOUR, at, at_once, first_password, granted, mail, new_session, second_password,
    secret, token, user,
};

fn change(session: u8) -> FactorChange {
    FactorChange { session: token(session), by_factor: true, mail: mail("kari@example.com") }
}

/// Kari, signed in with session 1, whose app's last code was of step 100 and whose recovery codes
/// are 101 and 102.
async fn kari_with_app(store: &Store) -> UserId {
    let kari = user(store, "Kari", "kari@example.com").await;
    store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    store.begin_authenticator_setup(kari, &secret("KEY"), at(100)).await.unwrap();
    let codes = [token(101), token(102)];
    store
        .add_authenticator_app(kari, &secret("KEY"), 100, &codes, &change(1), at(1))
        .await
        .unwrap();
    kari
}

fn wrong() -> Result<(), Failure> {
    Err(Failure::field(Field::Code, FieldProblem::WrongCode))
}

fn over() -> Result<(), Failure> {
    Err(Failure::Conflict(Conflict::SignInOver))
}

#[apply(on_both!)]
async fn an_app_counts_once_it_was_set_up(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    db.store.begin_session(kari, &new_session(2), None, at(0)).await.unwrap();
    db.store.begin_authenticator_setup(kari, &secret("OLD"), at(100)).await.unwrap();
    db.store.begin_authenticator_setup(kari, &secret("KEY"), at(100)).await.unwrap();
    let add = async |key, when| {
        let key = secret(key);
        db.store.add_authenticator_app(kari, &key, 1, &[], &change(1), when).await.map(|_| ())
    };
    let setup_over = Err(Failure::Conflict(Conflict::SetupOver));
    assert_eq!(add("OLD", at(1)).await, setup_over, "another set-up took its place");
    assert_eq!(add("KEY", at(100)).await, setup_over, "it took too long");
    assert!(!db.store.login_of(kari).await.unwrap().unwrap().second_factor);
    add("KEY", at(2)).await.unwrap();
    assert_eq!(add("KEY", at(3)).await, setup_over, "a second click");
    assert!(db.store.login_of(kari).await.unwrap().unwrap().second_factor);
    let session = db.store.session(&token(1), HOUR, DAY, at(4)).await.unwrap().unwrap();
    assert!(session.second_factor, "the session in which it was set up goes on");
    assert!(db.store.session(&token(2), HOUR, DAY, at(4)).await.unwrap().is_none());
    let app = db.store.authenticator_app(kari).await.unwrap().unwrap();
    assert_eq!((app.secret.expose(), app.since), ("KEY", at(2)));
}

#[apply(on_both!)]
async fn a_password_alone_opens_nothing_beside_an_app(db: TestDatabase) {
    let kari = kari_with_app(&db.store).await;
    let alone = db.store.begin_session(kari, &new_session(2), None, at(5)).await;
    assert_eq!(alone, Err(Failure::field(Field::Password, FieldProblem::WrongPassword)));
}

#[apply(on_both!)]
async fn a_sign_in_is_finished_once(db: TestDatabase) {
    let kari = kari_with_app(&db.store).await;
    db.store.begin_sign_in(kari, &token(50), &first_password(), at(600)).await.unwrap();
    assert_eq!(db.store.sign_in_of(&token(50), at(5)).await.unwrap(), Some(kari));
    let finished = at_once(20, |number| {
        let store = db.store.clone();
        let session = NewSession { second_factor: true, ..new_session(150 + number) };
        async move {
            let proof = FactorProof::App(101);
            store.finish_sign_in(&token(50), kari, proof, &session, None, at(5)).await
        }
    })
    .await;
    assert_eq!(finished.iter().filter(|one| one.is_ok()).count(), 1, "{finished:?}");
    assert!(finished.iter().all(|one| one.is_ok() || *one == over()), "{finished:?}");
}

#[apply(on_both!)]
async fn a_code_opens_once(db: TestDatabase) {
    let kari = kari_with_app(&db.store).await;
    let finish = async |number: u8, proof| {
        let sign_in = token(number);
        db.store.begin_sign_in(kari, &sign_in, &first_password(), at(600)).await.unwrap();
        let session = NewSession { second_factor: true, ..new_session(number) };
        db.store.finish_sign_in(&sign_in, kari, proof, &session, None, at(5)).await
    };
    assert_eq!(finish(51, FactorProof::App(100)).await, wrong(), "it set the app up");
    assert_eq!(finish(52, FactorProof::App(102)).await, Ok(()));
    assert_eq!(finish(53, FactorProof::App(102)).await, wrong(), "used");
    assert_eq!(finish(54, FactorProof::App(101)).await, wrong(), "older than one used");
    // None of now is that old: the last one was taken by a clock that ran ahead.
    assert_eq!(finish(58, FactorProof::App(99)).await, Ok(()));
    assert_eq!(finish(59, FactorProof::App(99)).await, wrong(), "used");
    assert_eq!(finish(55, FactorProof::RecoveryCode(token(101))).await, Ok(()));
    assert_eq!(finish(56, FactorProof::RecoveryCode(token(101))).await, wrong());
    assert_eq!(finish(57, FactorProof::RecoveryCode(token(99))).await, wrong());
    assert_eq!(db.store.recovery_codes_left(kari).await.unwrap(), 1);
}

#[apply(on_both!)]
async fn a_wrong_code_leaves_the_sign_in_waiting(db: TestDatabase) {
    let kari = kari_with_app(&db.store).await;
    db.store.begin_sign_in(kari, &token(50), &first_password(), at(600)).await.unwrap();
    let session = NewSession { second_factor: true, ..new_session(2) };
    let finish = async |step| {
        let proof = FactorProof::App(step);
        db.store.finish_sign_in(&token(50), kari, proof, &session, None, at(5)).await
    };
    assert_eq!(finish(100).await, wrong());
    assert_eq!(finish(101).await, Ok(()));
}

#[apply(on_both!)]
async fn what_changes_meanwhile_ends_a_sign_in(db: TestDatabase) {
    let kari = kari_with_app(&db.store).await;
    let begin = async |number| {
        let sign_in = token(number);
        db.store.begin_sign_in(kari, &sign_in, &first_password(), at(600)).await.unwrap();
    };
    let finish = async |number: u8, step, when| {
        let session = NewSession { second_factor: true, ..new_session(number) };
        let proof = FactorProof::App(step);
        db.store.finish_sign_in(&token(number), kari, proof, &session, None, when).await
    };
    begin(50).await;
    assert_eq!(finish(50, 101, at(600)).await, over(), "it took too long");
    begin(51).await;
    let (before, after) = (first_password(), second_password(false));
    db.store.change_password(kari, &before, &after, Some(&token(1)), at(50)).await.unwrap();
    assert_eq!(finish(51, 101, at(5)).await, over(), "the password was changed");
    let first = NewPassword { hash: first_password(), short: false, told: None };
    db.store.change_password(kari, &after.hash, &first, Some(&token(1)), at(50)).await.unwrap();
    begin(52).await;
    let proof = FactorProof::App(102);
    db.store.remove_authenticator_app(kari, proof, &change(1), at(5)).await.unwrap();
    assert_eq!(finish(52, 103, at(5)).await, over(), "the app was turned off");
    assert_eq!(db.store.begin_session(kari, &new_session(60), None, at(6)).await, Ok(()));
}

#[apply(on_both!)]
async fn tries_are_counted(db: TestDatabase) {
    let kari = kari_with_app(&db.store).await;
    db.store.begin_sign_in(kari, &token(50), &first_password(), at(600)).await.unwrap();
    let counted = at_once(10, |_| {
        let store = db.store.clone();
        async move { store.try_sign_in(&token(50), at(5)).await.unwrap().unwrap().tries }
    });
    let mut counted = counted.await;
    counted.sort_unstable();
    assert_eq!(counted, (1..=10).collect::<Vec<_>>());
    db.store.drop_sign_in(&token(50)).await.unwrap();
    assert_eq!(db.store.try_sign_in(&token(50), at(5)).await.unwrap(), None);
}

#[apply(on_both!)]
async fn turning_the_app_off_takes_a_factor_and_a_long_password(db: TestDatabase) {
    let kari = kari_with_app(&db.store).await;
    let off = async |step| {
        let proof = FactorProof::App(step);
        db.store.remove_authenticator_app(kari, proof, &change(1), at(5)).await.map(|_| ())
    };
    assert_eq!(off(100).await, wrong());
    let (before, short) = (first_password(), second_password(true));
    db.store.change_password(kari, &before, &short, Some(&token(1)), at(50)).await.unwrap();
    assert_eq!(off(101).await, Err(Failure::Conflict(Conflict::ShortPassword)));
    let long = NewPassword { hash: secret("$long"), short: false, told: None };
    db.store.change_password(kari, &short.hash, &long, Some(&token(1)), at(50)).await.unwrap();
    assert_eq!(off(101).await, Ok(()), "the code wasn't used up in vain");
    assert_eq!(db.store.recovery_codes_left(kari).await.unwrap(), 0);
    let alone = NewPassword { hash: secret("$short"), short: true, told: None };
    let refused = db.store.change_password(kari, &long.hash, &alone, None, at(50)).await;
    assert_eq!(refused, Err(Failure::field(Field::NewPassword, FieldProblem::TooShort)));
}

#[apply(on_both!)]
async fn new_recovery_codes_replace_the_earlier_ones(db: TestDatabase) {
    let kari = kari_with_app(&db.store).await;
    let renew = async |proof, codes: &[[u8; 32]]| {
        let mail = mail("kari@example.com");
        db.store.renew_recovery_codes(kari, proof, codes, &mail, at(5)).await
    };
    let codes = [token(201), token(202), token(203)];
    assert_eq!(renew(FactorProof::App(100), &codes).await, wrong());
    renew(FactorProof::RecoveryCode(token(101)), &codes).await.unwrap();
    assert_eq!(db.store.recovery_codes_left(kari).await.unwrap(), 3);
    assert_eq!(renew(FactorProof::RecoveryCode(token(102)), &[]).await, wrong());
}

#[apply(on_both!)]
async fn an_accounts_users_show_who_has_a_second_factor(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let kari = kari_with_app(&db.store).await;
    db.store.add_member(bakery.id, kari, granted(&[]), at(0)).await.unwrap();
    for (user, expected) in [(kari, true), (bakery.ingrid, false)] {
        let member = db.store.member(bakery.id, user).await.unwrap().unwrap();
        assert_eq!(member.second_factor, expected);
    }
}

#[apply(on_both!)]
async fn the_operator_removes_what_was_lost(db: TestDatabase) {
    let kari = kari_with_app(&db.store).await;
    db.store.begin_sign_in(kari, &token(9), &first_password(), at(100)).await.unwrap();
    let remove = async || {
        db.store
            .remove_factors(kari, &second_password(false), &mail("kari@example.com"), at(5))
            .await
    };
    assert_eq!(remove().await, Ok(true));
    let login = db.store.login_of(kari).await.unwrap().unwrap();
    assert!(!login.second_factor);
    assert_eq!(login.password_hash.expose(), "$second");
    assert_eq!(db.store.recovery_codes_left(kari).await, Ok(0));
    assert!(db.store.session(&token(1), HOUR, DAY, at(6)).await.unwrap().is_none());
    assert_eq!(db.store.sign_in_of(&token(9), at(6)).await, Ok(None));
    assert_eq!(remove().await, Ok(false), "there is nothing left");
}
