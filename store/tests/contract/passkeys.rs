use model::{Conflict, Failure, Field, FieldProblem, PasskeyName, UserId};
use store::{
    AskedFor, FactorChange, FactorProof, NewPasskey, NewPassword, NewSession, PasskeyChallenge,
    PasskeyUse, Store,
};
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::story::{
    Bakery, DAY, HOUR, at, at_once, first_password, granted, mail, new_session, second_password,
    secret, token, user,
};

fn change(session: u8) -> FactorChange {
    FactorChange { session: token(session), by_factor: true, mail: mail("kari@example.com") }
}

/// A passkey; equal numbers are the same credential.
fn passkey(number: u8) -> NewPasskey {
    NewPasskey {
        id: Uuid::new_v4().into(),
        credential_id: vec![number; 16],
        name: PasskeyName::parse("Phone").unwrap(),
        key: "{}".to_owned(),
    }
}

fn used(passkey: &NewPasskey, counter: u32) -> PasskeyUse {
    PasskeyUse { passkey: passkey.id, counter }
}

/// Kari, signed in with session 1, with one passkey and recovery codes 101 and 102.
async fn kari_with_passkey(store: &Store) -> (UserId, NewPasskey) {
    let kari = user(store, "Kari", "kari@example.com").await;
    store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    let passkey = passkey(7);
    let codes = [token(101), token(102)];
    assert!(store.add_passkey(kari, &passkey, &codes, &change(1), at(1)).await.unwrap());
    (kari, passkey)
}

fn with_factor(number: u8) -> NewSession {
    NewSession { second_factor: true, ..new_session(number) }
}

fn wrong<T>() -> Result<T, Failure> {
    Err(Failure::field(Field::Passkey, FieldProblem::WrongPasskey))
}

async fn ask(store: &Store, number: u8, asked_for: AskedFor) {
    let challenge = PasskeyChallenge {
        challenge_hash: token(number),
        asked_for,
        state: format!("state {number}"),
        expires_at: at(300),
    };
    store.ask_for_passkey(&challenge).await.unwrap();
}

#[apply(on_both!)]
async fn what_was_asked_is_answered_once_and_for_nothing_else(db: TestDatabase) {
    let take = async |number, asked_for, when| {
        db.store.take_passkey_answer(&token(number), &asked_for, when).await.unwrap()
    };
    ask(&db.store, 1, AskedFor::Proof(token(50))).await;
    for other in [
        AskedFor::SignIn,
        AskedFor::SecondStep(token(50)),
        AskedFor::NewPasskey(token(50)),
        AskedFor::Proof(token(51)),
    ] {
        assert_eq!(take(1, other, at(1)).await, None, "{other:?}");
    }
    assert_eq!(take(1, AskedFor::Proof(token(50)), at(300)).await, None, "too late");
    assert_eq!(take(2, AskedFor::SignIn, at(1)).await, None, "never asked");
    ask(&db.store, 3, AskedFor::SignIn).await;
    let taken = at_once(20, |_| {
        let store = db.store.clone();
        async move { store.take_passkey_answer(&token(3), &AskedFor::SignIn, at(1)).await }
    })
    .await;
    let taken: Vec<_> = taken.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(taken, ["state 3"]);
}

#[apply(on_both!)]
async fn what_nobody_answers_is_swept(db: TestDatabase) {
    ask(&db.store, 1, AskedFor::SignIn).await;
    assert_eq!(db.store.sweep(HOUR, DAY, at(299)).await.unwrap(), 0);
    assert_eq!(db.store.sweep(HOUR, DAY, at(300)).await.unwrap(), 1);
}

#[apply(on_both!)]
async fn the_first_factor_brings_recovery_codes_and_ends_other_sessions(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    db.store.begin_session(kari, &new_session(2), None, at(0)).await.unwrap();
    let add = async |number, codes: &[[u8; 32]]| {
        db.store.add_passkey(kari, &passkey(number), codes, &change(1), at(1)).await.unwrap()
    };
    assert!(add(7, &[token(101), token(102)]).await);
    assert_eq!(db.store.recovery_codes_left(kari).await.unwrap(), 2);
    let session = db.store.session(&token(1), HOUR, DAY, at(2)).await.unwrap().unwrap();
    assert!(session.second_factor);
    assert!(db.store.session(&token(2), HOUR, DAY, at(2)).await.unwrap().is_none());
    assert!(!add(8, &[token(103)]).await, "the second passkey brings none");
    db.store.begin_authenticator_setup(kari, &secret("KEY"), at(100)).await.unwrap();
    let codes = [token(104)];
    let key = secret("KEY");
    let app = db.store.add_authenticator_app(kari, &key, 1, &codes, &change(1), at(3)).await;
    assert_eq!(app, Ok(false), "nor does an app beside a passkey");
    assert_eq!(db.store.recovery_codes_left(kari).await.unwrap(), 2);
    assert_eq!(db.store.passkeys(kari).await.unwrap().len(), 2);
}

#[apply(on_both!)]
async fn one_credential_is_added_once(db: TestDatabase) {
    let (kari, _) = kari_with_passkey(&db.store).await;
    let ola = user(&db.store, "Ola", "ola@example.com").await;
    let known = Err(Failure::field(Field::Passkey, FieldProblem::PasskeyKnown));
    let added = db.store.add_passkey(ola, &passkey(7), &[], &change(9), at(2)).await;
    assert_eq!(added, known, "somebody else has it");
    assert!(!db.store.login_of(ola).await.unwrap().unwrap().second_factor);
    let added = at_once(20, |_| {
        let store = db.store.clone();
        async move { store.add_passkey(kari, &passkey(8), &[], &change(1), at(2)).await }
    })
    .await;
    assert_eq!(added.iter().filter(|one| one.is_ok()).count(), 1, "{added:?}");
    assert!(added.iter().all(|one| one.is_ok() || *one == known), "{added:?}");
}

#[apply(on_both!)]
async fn a_user_has_twenty_passkeys_at_most(db: TestDatabase) {
    let (kari, _) = kari_with_passkey(&db.store).await;
    for number in 100..119 {
        let added = db.store.add_passkey(kari, &passkey(number), &[], &change(1), at(2)).await;
        assert_eq!(added, Ok(false));
    }
    let one_more = db.store.add_passkey(kari, &passkey(119), &[], &change(1), at(2)).await;
    assert_eq!(one_more, Err(Failure::Conflict(Conflict::TooManyPasskeys)));
}

#[apply(on_both!)]
async fn a_password_alone_opens_nothing_beside_a_passkey(db: TestDatabase) {
    let (kari, passkey) = kari_with_passkey(&db.store).await;
    assert!(db.store.login_of(kari).await.unwrap().unwrap().second_factor);
    let alone = db.store.begin_session(kari, &new_session(2), None, at(5)).await;
    assert_eq!(alone, Err(Failure::field(Field::Password, FieldProblem::WrongPassword)));
    db.store.begin_sign_in(kari, &token(50), &first_password(), at(600)).await.unwrap();
    let proof = FactorProof::Passkey(used(&passkey, 0));
    let finished =
        db.store.finish_sign_in(&token(50), kari, proof, &with_factor(3), None, at(5)).await;
    assert_eq!(finished, Ok(()));
    let used_at = db.store.passkeys(kari).await.unwrap()[0].last_used_at;
    assert_eq!(used_at, Some(at(5)));
}

#[apply(on_both!)]
async fn a_password_alone_loses_against_a_passkey_that_is_being_added(db: TestDatabase) {
    for round in 0..10 {
        let kari = user(&db.store, "Kari", &format!("kari{round}@example.com")).await;
        let mine = token(200 + round);
        let session = NewSession { token_hash: mine, ..new_session(1) };
        db.store.begin_session(kari, &session, None, at(0)).await.unwrap();
        let change = FactorChange { session: mine, ..change(1) };
        let (adding, signing_in) = (db.store.clone(), db.store.clone());
        let added = tokio::spawn(async move {
            adding.add_passkey(kari, &passkey(round), &[], &change, at(1)).await
        });
        let alone = NewSession { token_hash: token(100 + round), ..new_session(2) };
        let begun =
            tokio::spawn(async move { signing_in.begin_session(kari, &alone, None, at(1)).await });
        added.await.unwrap().unwrap();
        let _ = begun.await.unwrap();
        let left = db.store.session(&token(100 + round), HOUR, DAY, at(2)).await.unwrap();
        assert!(left.is_none(), "either it came too late, or it was ended");
    }
}

#[apply(on_both!)]
async fn a_passkey_begins_a_session_until_it_is_removed(db: TestDatabase) {
    let (kari, passkey) = kari_with_passkey(&db.store).await;
    let begin = async |number: u8, counter| {
        let used = used(&passkey, counter);
        let session = with_factor(number);
        db.store.begin_session_with_passkey(kari, used, &session, None, at(5)).await
    };
    assert_eq!(begin(2, 0).await, Ok(()), "it doesn't count");
    assert_eq!(begin(3, 0).await, Ok(()));
    assert_eq!(begin(4, 5).await, Ok(()), "now it does");
    assert_eq!(begin(5, 5).await, wrong(), "a counter goes on");
    assert_eq!(begin(5, 0).await, wrong());
    assert_eq!(begin(6, 6).await, Ok(()));
    let proof = Some(FactorProof::RecoveryCode(token(101)));
    db.store.remove_passkey(kari, passkey.id, proof, &change(1), at(6)).await.unwrap();
    assert_eq!(begin(7, 7).await, wrong(), "it was removed");
    assert!(db.store.session(&token(6), HOUR, DAY, at(7)).await.unwrap().is_none());
}

#[apply(on_both!)]
async fn somebody_elses_passkey_proves_nothing(db: TestDatabase) {
    let (kari, passkey) = kari_with_passkey(&db.store).await;
    let ola = user(&db.store, "Ola", "ola@example.com").await;
    let used = used(&passkey, 0);
    let session = with_factor(2);
    let begun = db.store.begin_session_with_passkey(ola, used, &session, None, at(5)).await;
    assert_eq!(begun, wrong());
    let renamed = PasskeyName::parse("Mine").unwrap();
    assert_eq!(db.store.rename_passkey(ola, passkey.id, &renamed).await, Ok(false));
    let removed = db.store.remove_passkey(ola, passkey.id, None, &change(9), at(5)).await;
    assert_eq!(removed, Err(Failure::NotFound));
    assert_eq!(db.store.rename_passkey(kari, passkey.id, &renamed).await, Ok(true));
    assert_eq!(db.store.passkeys(kari).await.unwrap()[0].name, "Mine");
}

#[apply(on_both!)]
async fn a_passkey_is_removed_or_signs_in_but_not_both(db: TestDatabase) {
    for round in 0..10 {
        let kari = user(&db.store, "Kari", &format!("kari{round}@example.com")).await;
        let passkey = passkey(round);
        let mine = token(200 + round);
        let session = NewSession { token_hash: mine, ..new_session(1) };
        db.store.begin_session(kari, &session, None, at(0)).await.unwrap();
        let change = FactorChange { session: mine, ..change(1) };
        let codes = [token(101)];
        db.store.add_passkey(kari, &passkey, &codes, &change, at(1)).await.unwrap();
        let (removing, signing_in) = (db.store.clone(), db.store.clone());
        let (id, used) = (passkey.id, used(&passkey, 1));
        let removed = tokio::spawn(async move {
            let proof = Some(FactorProof::RecoveryCode(token(101)));
            removing.remove_passkey(kari, id, proof, &change, at(2)).await
        });
        let session = NewSession { token_hash: token(100 + round), ..with_factor(2) };
        let begun = tokio::spawn(async move {
            signing_in.begin_session_with_passkey(kari, used, &session, None, at(2)).await
        });
        removed.await.unwrap().unwrap();
        let begun = begun.await.unwrap();
        assert!(begun.is_ok() || begun == wrong(), "{begun:?}");
        let left = db.store.session(&token(100 + round), HOUR, DAY, at(3)).await.unwrap();
        assert!(left.is_none(), "either it came too late, or it was ended");
    }
}

#[apply(on_both!)]
async fn removing_a_passkey_ends_sign_ins_that_are_half_way(db: TestDatabase) {
    let (kari, first) = kari_with_passkey(&db.store).await;
    let second = passkey(8);
    db.store.add_passkey(kari, &second, &[], &change(1), at(2)).await.unwrap();
    db.store.begin_sign_in(kari, &token(50), &first_password(), at(600)).await.unwrap();
    db.store.remove_passkey(kari, first.id, None, &change(1), at(3)).await.unwrap();
    let proof = FactorProof::Passkey(used(&second, 0));
    let finished =
        db.store.finish_sign_in(&token(50), kari, proof, &with_factor(2), None, at(5)).await;
    assert_eq!(finished, Err(Failure::Conflict(Conflict::SignInOver)));
    assert_eq!(db.store.recovery_codes_left(kari).await.unwrap(), 2, "a factor is left");
    let session = db.store.session(&token(1), HOUR, DAY, at(4)).await.unwrap().unwrap();
    assert!(session.second_factor);
}

#[apply(on_both!)]
async fn removing_the_last_factor_takes_a_proof_and_a_long_password(db: TestDatabase) {
    let (kari, passkey) = kari_with_passkey(&db.store).await;
    let remove =
        async |proof| db.store.remove_passkey(kari, passkey.id, proof, &change(1), at(5)).await;
    let missing = Err(Failure::field(Field::Code, FieldProblem::Missing));
    assert_eq!(remove(None).await, missing);
    assert_eq!(
        remove(Some(FactorProof::RecoveryCode(token(99)))).await,
        Err(Failure::field(Field::Code, FieldProblem::WrongCode))
    );
    let (before, short) = (first_password(), second_password(true));
    db.store.change_password(kari, &before, &short, Some(&token(1)), at(50)).await.unwrap();
    let proof = Some(FactorProof::Passkey(used(&passkey, 3)));
    assert_eq!(remove(proof).await, Err(Failure::Conflict(Conflict::ShortPassword)));
    let long = NewPassword { hash: secret("$long"), short: false, told: None };
    db.store.change_password(kari, &short.hash, &long, Some(&token(1)), at(50)).await.unwrap();
    assert_eq!(remove(proof).await, Ok(false), "the proof wasn't used up in vain");
    assert_eq!(db.store.recovery_codes_left(kari).await.unwrap(), 0);
    assert!(!db.store.login_of(kari).await.unwrap().unwrap().second_factor);
    let alone = NewSession { password_hash: secret("$long"), ..new_session(3) };
    assert_eq!(db.store.begin_session(kari, &alone, None, at(6)).await, Ok(()));
}

#[apply(on_both!)]
async fn an_app_is_turned_off_beside_a_passkey_without_more_ado(db: TestDatabase) {
    let (kari, _) = kari_with_passkey(&db.store).await;
    db.store.begin_authenticator_setup(kari, &secret("KEY"), at(100)).await.unwrap();
    let key = secret("KEY");
    db.store.add_authenticator_app(kari, &key, 1, &[], &change(1), at(2)).await.unwrap();
    let (before, short) = (first_password(), second_password(true));
    db.store.change_password(kari, &before, &short, Some(&token(1)), at(50)).await.unwrap();
    let proof = FactorProof::App(2);
    let off = db.store.remove_authenticator_app(kari, proof, &change(1), at(5)).await;
    assert_eq!(off, Ok(true), "another factor is left");
    assert_eq!(db.store.recovery_codes_left(kari).await.unwrap(), 2);
    let session = db.store.session(&token(1), HOUR, DAY, at(6)).await.unwrap().unwrap();
    assert!(session.second_factor);
}

#[apply(on_both!)]
async fn a_passkey_confirms_its_users_session(db: TestDatabase) {
    let (kari, passkey) = kari_with_passkey(&db.store).await;
    let confirm = async |session, counter, when| {
        let proof = FactorProof::Passkey(used(&passkey, counter));
        db.store.confirm_session_with_factor(kari, proof, &token(session), when).await
    };
    assert_eq!(confirm(1, 1, at(60)).await, Ok(true));
    let session = db.store.session(&token(1), HOUR, DAY, at(61)).await.unwrap().unwrap();
    assert_eq!(session.authenticated_at, at(60));
    assert_eq!(confirm(1, 1, at(90)).await, wrong());
    assert_eq!(confirm(2, 2, at(90)).await, Ok(false), "there is no such session");
}

#[apply(on_both!)]
async fn a_password_alone_brings_no_other_factor(db: TestDatabase) {
    let (kari, _) = kari_with_passkey(&db.store).await;
    let confirmed = db.store.confirm_session(&token(1), &first_password(), at(2)).await;
    assert_eq!(confirmed, Ok(true));
    let session = db.store.session(&token(1), HOUR, DAY, at(3)).await.unwrap().unwrap();
    assert!(!session.second_factor, "the last proof was the password");
    let by_password = FactorChange { by_factor: false, ..change(1) };
    let added = db.store.add_passkey(kari, &passkey(8), &[], &by_password, at(3)).await;
    assert_eq!(added, Err(Failure::FactorUnconfirmed));
    let key = secret("KEY");
    db.store.begin_authenticator_setup(kari, &key, at(100)).await.unwrap();
    let added = db.store.add_authenticator_app(kari, &key, 1, &[], &by_password, at(3)).await;
    assert_eq!(added, Err(Failure::FactorUnconfirmed));
    assert_eq!(db.store.passkeys(kari).await.unwrap().len(), 1);
}

#[apply(on_both!)]
async fn an_accounts_users_show_who_has_a_passkey(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (kari, _) = kari_with_passkey(&db.store).await;
    db.store.add_member(bakery.id, kari, granted(&[]), at(0)).await.unwrap();
    let member = db.store.member(bakery.id, kari).await.unwrap().unwrap();
    assert!(member.second_factor);
}
