use model::{Conflict, Failure, FullName, Language};
use store::{UserSort, UsersQuery};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{
    Bakery, DAY, at, email, first_password, granted, new_session, new_user, second_password,
    secret, token, user,
};

#[apply(on_both!)]
async fn a_login_is_found_by_its_address_however_it_is_written(db: TestDatabase) {
    let id = user(&db.store, "Kari Nordmann", "Kari@Bücher.example").await;
    let login = db.store.login(&email("kari@xn--bcher-kva.example")).await.unwrap().unwrap();
    assert_eq!((login.id, login.full_name.as_str()), (id, "Kari Nordmann"));
    assert_eq!(login.email.as_str(), "Kari@Bücher.example");
    assert_eq!(login.password_hash.expose(), "$argon2id$first");
    assert_eq!(db.store.login_of(id).await.unwrap().unwrap().email, login.email);
    assert!(db.store.login(&email("ola@example.com")).await.unwrap().is_none());
    assert!(db.store.login_of(uuid::Uuid::nil().into()).await.unwrap().is_none());
}

#[apply(on_both!)]
async fn one_address_has_one_login(db: TestDatabase) {
    user(&db.store, "Kari", "kari@example.com").await;
    let again = db.store.add_user(&new_user("Other", "KARI@example.com"), at(0)).await;
    assert_eq!(again, Err(Failure::Conflict(Conflict::LoginExists)));
}

#[apply(on_both!)]
async fn a_new_name_is_sorted_and_found_in_every_account(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let agency = Bakery { id: crate::story::account(&db.store, "Agency").await.0, ..bakery };
    let mei = agency.with("Mei Tanaka", "mei@example.com", granted(&[])).await;
    db.store.add_member(bakery.id, mei, granted(&[]), at(0)).await.unwrap();
    db.store
        .change_profile(mei, &FullName::parse("Aiko Sato").unwrap(), None, None, at(1))
        .await
        .unwrap();

    assert_eq!(db.store.login_of(mei).await.unwrap().unwrap().full_name, "Aiko Sato");
    for account in [bakery.id, agency.id] {
        let search =
            |text: &str| UsersQuery { search: Some(text.to_owned()), ..UsersQuery::default() };
        assert!(db.store.users(account, &search("tanaka"), 9).await.unwrap().is_empty());
        assert_eq!(db.store.users(account, &search("sato"), 9).await.unwrap()[0].user, mei);
        assert_eq!(db.store.users(account, &search("mei@"), 9).await.unwrap()[0].user, mei);
        let all = db.store.users(account, &UsersQuery::default(), 9).await.unwrap();
        assert_eq!(all[0].user, mei);
        assert_eq!(all[0].cursor(UserSort::Name).key, "aiko sato");
    }
    let nobody = uuid::Uuid::nil().into();
    let renamed =
        db.store.change_profile(nobody, &FullName::parse("X").unwrap(), None, None, at(1)).await;
    assert_eq!(renamed, Err(Failure::NotFound));
}

#[apply(on_both!)]
async fn a_user_has_the_time_zone_that_they_chose(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    let name = FullName::parse("Kari").unwrap();
    let cases = [
        (None, None),
        (Some("Europe/Oslo"), Some("Europe/Oslo")),
        (None, Some("Europe/Oslo")),
        (Some("Asia/Tokyo"), Some("Asia/Tokyo")),
        (Some(""), None),
    ];
    for (chosen, zone) in cases {
        db.store.change_profile(kari, &name, None, chosen, at(1)).await.unwrap();
        let session = db.store.session(&token(1), DAY, DAY, at(1)).await.unwrap().unwrap();
        assert_eq!(session.time_zone.as_deref(), zone, "{chosen:?}");
    }
}

#[apply(on_both!)]
async fn a_user_has_the_language_that_they_chose(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    db.store.begin_session(kari, &new_session(1), None, at(0)).await.unwrap();
    let language = async || {
        let session = db.store.session(&token(1), DAY, DAY, at(1)).await.unwrap().unwrap();
        session.language.map(|language| language.to_string())
    };
    assert_eq!(language().await, None);
    db.store.set_language(kari, &Language::parse("nb").unwrap()).await.unwrap();
    assert_eq!(language().await.as_deref(), Some("nb"));
    let (name, german) = (FullName::parse("Kari").unwrap(), Language::parse("de").unwrap());
    db.store.change_profile(kari, &name, Some(&german), None, at(1)).await.unwrap();
    assert_eq!(language().await.as_deref(), Some("de"));
    db.store.change_profile(kari, &name, None, None, at(1)).await.unwrap();
    assert_eq!(language().await.as_deref(), Some("de"));
}

#[apply(on_both!)]
async fn a_new_password_ends_every_other_session(db: TestDatabase) {
    let kari = user(&db.store, "Kari", "kari@example.com").await;
    let ola = user(&db.store, "Ola", "ola@example.com").await;
    for (user, number) in [(kari, 1), (kari, 2), (ola, 3)] {
        db.store.begin_session(user, &new_session(number), None, at(0)).await.unwrap();
    }
    db.store
        .change_password(kari, &first_password(), &second_password(false), Some(&token(1)), at(50))
        .await
        .unwrap();
    let login = db.store.login_of(kari).await.unwrap().unwrap();
    assert_eq!(login.password_hash.expose(), "$second");
    for (number, there) in [(1, true), (2, false), (3, true)] {
        let session = db.store.session(&token(number), DAY, DAY, at(1)).await.unwrap();
        assert_eq!(session.is_some(), there, "session {number}");
    }
    let third = store::NewPassword { hash: secret("$third"), short: false, told: None };
    db.store.change_password(kari, &secret("$second"), &third, None, at(50)).await.unwrap();
    assert!(db.store.session(&token(1), DAY, DAY, at(1)).await.unwrap().is_none());
}
