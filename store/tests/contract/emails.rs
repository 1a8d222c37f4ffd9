use std::time::Duration;

use model::{Access, Conflict, Failure, Identity, PasskeyName, Permission, UserId};
use store::{
    EmailChange, EmailFacts, IdentityOffer, Joiner, NewEmailChange, NewPasskey, NewPassword,
    NewReset, NewSession, NewUndo, NewUser, Store, UsersQuery,
};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{
    Bakery, DAY, HOUR, accept, at, at_once, email, first_password, granted, mail, new_session,
    new_user, offer, reset_to, second_password, secret, token, user,
};

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Asks for another address; the link that confirms it has the token of this number.
pub(crate) async fn ask(store: &Store, user: UserId, to: &str, number: u8) -> EmailFacts {
    let change =
        NewEmailChange { user, after: email(to), token_hash: token(number), expires_at: at(3600) };
    let mut seen = None;
    let decide = |facts: &EmailFacts| {
        seen = Some(facts.clone());
        Ok(vec![mail(to)])
    };
    store.ask_email_change(&change, at(10), decide).await.unwrap();
    seen.unwrap()
}

/// Confirms with session 1 kept; the link that undoes it has a token 100 higher.
pub(crate) async fn confirm(
    store: &Store,
    user: UserId,
    number: u8,
    seconds: u64,
) -> Result<EmailChange, Failure> {
    let undo = NewUndo { token_hash: token(number + 100), until: at(seconds).after(WEEK) };
    let (link, keep) = (token(number), token(1));
    let mails = |change: &EmailChange| vec![mail(change.before.as_str())];
    store.confirm_email_change(&link, user, &keep, &undo, at(seconds), mails).await
}

/// Undoes what was confirmed by this link; the password may be chosen by a token 150 higher then.
pub(crate) async fn undo(
    store: &Store,
    number: u8,
    seconds: u64,
) -> Result<Option<EmailChange>, Failure> {
    let unknown = NewPassword { hash: secret("$nobody's"), short: false, told: None };
    let reset =
        NewReset { token_hash: token(number + 150), expires_at: at(seconds + 99), mailed: true };
    let link = token(number + 100);
    store.undo_email_change(&link, &unknown, &reset, at(seconds), |_| Vec::new()).await
}

async fn address(store: &Store, user: UserId) -> String {
    store.login_of(user).await.unwrap().unwrap().email.to_string()
}

async fn is_signed_in(store: &Store, number: u8) -> bool {
    store.session(&token(number), DAY, DAY, at(20)).await.unwrap().is_some()
}

async fn kari(store: &Store) -> UserId {
    let kari = user(store, "Kari", "kari@old.example").await;
    for number in [1, 2] {
        store.begin_session(kari, &new_session(number), None, at(0)).await.unwrap();
    }
    kari
}

/// The user sets an app up in session 1.
pub(crate) async fn with_app(store: &Store, user: UserId, seconds: u64) {
    let change =
        store::FactorChange { session: token(1), by_factor: true, mail: mail("kari@old.example") };
    store.begin_authenticator_setup(user, &secret("KEY"), at(seconds + 600)).await.unwrap();
    let (key, codes) = (secret("KEY"), [token(77)]);
    store.add_authenticator_app(user, &key, 1, &codes, &change, at(seconds)).await.unwrap();
}

async fn with_passkey(store: &Store, user: UserId, seconds: u64) {
    let passkey = NewPasskey {
        id: uuid::Uuid::new_v4().into(),
        credential_id: format!("{user}").into_bytes(),
        name: PasskeyName::parse("Key").unwrap(),
        key: "{}".to_owned(),
    };
    let change =
        store::FactorChange { session: token(1), by_factor: true, mail: mail("kari@old.example") };
    store.add_passkey(user, &passkey, &[token(88)], &change, at(seconds)).await.unwrap();
}

fn spent<T>() -> Result<T, Failure> {
    Err(Failure::Conflict(Conflict::LinkSpent))
}

/// A login that was made by a link of the invitation with token 5, which copies to token 6.
async fn join(bakery: &Bakery, number: u8, user: &NewUser) -> Result<(), Failure> {
    let joiner = Joiner::New(user.clone());
    let decide = |_: &_| Ok(accept(joiner, granted(&[])));
    bakery.store.answer_invitation(&token(number), at(11), decide).await.map(|_| ())
}

async fn invited(store: &Store, to: &str) -> Bakery {
    let bakery = Bakery::new(store).await;
    let access = granted(&[Permission::BillingPay]);
    let both = store::Offer { copy_hash: Some(token(6)), ..offer(5, access) };
    let decide = |_: &_| Ok(both);
    store.offer_invitation(bakery.id, bakery.ingrid, &email(to), at(0), decide).await.unwrap();
    bakery
}

#[apply(on_both!)]
async fn an_address_changes_once_its_link_is_used(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let kari = kari(&db.store).await;
    db.store.add_member(bakery.id, kari, granted(&[]), at(0)).await.unwrap();
    db.store.issue_reset(kari, &token(9), at(999), None, at(1)).await.unwrap();
    db.store.begin_sign_in(kari, &token(50), &first_password(), at(999)).await.unwrap();
    let facts = ask(&db.store, kari, "Kari@New.example", 3).await;
    assert_eq!(
        (facts.present, facts.proven, facts.taken),
        (email("kari@old.example"), true, false)
    );
    assert_eq!(address(&db.store, kari).await, "kari@old.example");
    let asked = db.store.email_standing(kari, at(11)).await.unwrap().asked.unwrap();
    assert_eq!(asked.after, email("kari@new.example"));
    let opened = db.store.asked_email_change(&token(3), at(11)).await.unwrap().unwrap();
    assert_eq!((opened.user, opened.before), (kari, email("kari@old.example")));

    let changed = confirm(&db.store, kari, 3, 12).await.unwrap();
    assert_eq!(changed.after, email("kari@new.example"));
    assert_eq!(address(&db.store, kari).await, "Kari@New.example");
    assert!(db.store.login(&email("kari@old.example")).await.unwrap().is_none());
    assert!(is_signed_in(&db.store, 1).await && !is_signed_in(&db.store, 2).await);
    assert!(db.store.reset(&token(9)).await.unwrap().is_none(), "old reset links are dead");
    assert_eq!(db.store.sign_in_of(&token(50), at(12)).await.unwrap(), None);
    let found = async |text: &str| {
        let search = UsersQuery { search: Some(text.to_owned()), ..UsersQuery::default() };
        db.store.users(bakery.id, &search, 9).await.unwrap().len()
    };
    assert_eq!((found("old.example").await, found("kari@new").await), (0, 1));
    assert_eq!(confirm(&db.store, kari, 3, 13).await.map(drop), spent(), "used");
}

#[apply(on_both!)]
async fn a_link_that_is_too_old_replaced_or_somebody_elses_changes_nothing(db: TestDatabase) {
    let kari = kari(&db.store).await;
    let ola = user(&db.store, "Ola", "ola@example.com").await;
    ask(&db.store, kari, "first@new.example", 3).await;
    ask(&db.store, kari, "kari@new.example", 4).await;
    assert_eq!(confirm(&db.store, kari, 3, 12).await.map(drop), spent(), "replaced");
    assert_eq!(confirm(&db.store, kari, 9, 12).await.map(drop), spent(), "unknown");
    assert_eq!(confirm(&db.store, ola, 4, 12).await.map(drop), spent(), "somebody else's");
    assert_eq!(confirm(&db.store, kari, 4, 3600).await.map(drop), spent(), "too old");
    assert!(confirm(&db.store, kari, 4, 3599).await.is_ok());
}

#[apply(on_both!)]
async fn a_new_password_takes_the_wish_for_another_address_back(db: TestDatabase) {
    let kari = kari(&db.store).await;
    ask(&db.store, kari, "kari@new.example", 3).await;
    let keep = token(1);
    db.store
        .change_password(kari, &first_password(), &second_password(false), Some(&keep), at(50))
        .await
        .unwrap();
    assert_eq!(confirm(&db.store, kari, 3, 12).await.map(drop), spent());
}

#[apply(on_both!)]
async fn another_logins_address_is_taken(db: TestDatabase) {
    let kari = kari(&db.store).await;
    let ola = user(&db.store, "Ola", "ola@example.com").await;
    assert!(ask(&db.store, kari, "OLA@example.com", 3).await.taken);
    assert!(!ask(&db.store, kari, "free@example.com", 4).await.taken);
    db.store.add_user(&new_user("Other", "free@example.com"), at(11)).await.unwrap();
    let late = confirm(&db.store, kari, 4, 12).await.map(drop);
    assert_eq!(late, Err(Failure::Conflict(Conflict::AddressTaken)));
    assert_eq!(address(&db.store, kari).await, "kari@old.example");
    assert!(is_signed_in(&db.store, 2).await, "nothing came of it");
    assert_eq!(address(&db.store, ola).await, "ola@example.com");
}

#[apply(on_both!)]
async fn an_address_that_was_changed_is_held_for_its_login(db: TestDatabase) {
    let kari = kari(&db.store).await;
    let bakery = invited(&db.store, "kari@old.example").await;
    ask(&db.store, kari, "kari@new.example", 3).await;
    confirm(&db.store, kari, 3, 12).await.unwrap();
    let opened = db.store.open_invitation(&token(5), at(13)).await.unwrap().unwrap();
    assert_eq!((opened.login, opened.held_until), (None, Some(at(12).after(WEEK))));
    let held = Err(Failure::Conflict(Conflict::AddressHeld));
    assert_eq!(join(&bakery, 5, &new_user("Else", "kari@old.example")).await, held);
    let ola = user(&db.store, "Ola", "ola@example.com").await;
    assert!(ask(&db.store, ola, "kari@old.example", 4).await.taken);
    let taken = Err(Failure::Conflict(Conflict::AddressTaken));
    assert_eq!(confirm(&db.store, ola, 4, 14).await.map(drop), taken);
    ask(&db.store, kari, "kari@old.example", 7).await;
    assert!(confirm(&db.store, kari, 7, 15).await.is_ok(), "its own login may go back");
}

#[apply(on_both!)]
async fn an_undone_change_leaves_nothing_of_whoever_made_it(db: TestDatabase) {
    let kari = kari(&db.store).await;
    ask(&db.store, kari, "thief@new.example", 3).await;
    confirm(&db.store, kari, 3, 12).await.unwrap();
    with_app(&db.store, kari, 13).await;
    with_passkey(&db.store, kari, 13).await;
    db.store.begin_authenticator_setup(kari, &secret("NEXT"), at(9999)).await.unwrap();
    db.store.issue_reset(kari, &token(9), at(999), None, at(13)).await.unwrap();
    db.store.begin_sign_in(kari, &token(50), &first_password(), at(999)).await.unwrap();
    ask(&db.store, kari, "thief@other.example", 4).await;
    let opened = db.store.done_email_change(&token(103), at(14)).await.unwrap().unwrap();
    assert_eq!(
        (opened.before, opened.after),
        (email("kari@old.example"), email("thief@new.example"))
    );

    let undone = undo(&db.store, 3, 14).await.unwrap().unwrap();
    assert_eq!((undone.user, undone.after), (kari, email("thief@new.example")));
    let login = db.store.login_of(kari).await.unwrap().unwrap();
    assert_eq!(login.email.as_str(), "kari@old.example");
    assert_eq!(login.password_hash.expose(), "$nobody's");
    assert!(!login.second_factor);
    assert!(!is_signed_in(&db.store, 1).await && !is_signed_in(&db.store, 2).await);
    assert_eq!(db.store.recovery_codes_left(kari).await.unwrap(), 0);
    assert!(db.store.authenticator_setup(kari, at(15)).await.unwrap().is_none());
    assert!(db.store.reset(&token(9)).await.unwrap().is_none());
    assert_eq!(db.store.sign_in_of(&token(50), at(15)).await.unwrap(), None);
    assert_eq!(confirm(&db.store, kari, 4, 15).await.map(drop), spent());
    assert!(undo(&db.store, 3, 15).await.unwrap().is_none(), "used");
    let chosen = db.store.use_reset(&token(153), &reset_to("$mine"), at(16)).await.unwrap();
    assert_eq!(chosen, Some(kari));
    let free = user(&db.store, "Anybody", "thief@new.example").await;
    assert_eq!(address(&db.store, free).await, "thief@new.example");
}

#[apply(on_both!)]
async fn a_passkey_from_before_a_change_outlives_its_undoing(db: TestDatabase) {
    let kari = kari(&db.store).await;
    with_passkey(&db.store, kari, 5).await;
    ask(&db.store, kari, "kari@new.example", 3).await;
    confirm(&db.store, kari, 3, 12).await.unwrap();
    undo(&db.store, 3, 14).await.unwrap().unwrap();
    assert!(db.store.login_of(kari).await.unwrap().unwrap().second_factor);
    assert_eq!(db.store.recovery_codes_left(kari).await.unwrap(), 1);
}

#[apply(on_both!)]
async fn factors_from_before_a_change_outlive_its_undoing(db: TestDatabase) {
    let kari = kari(&db.store).await;
    with_app(&db.store, kari, 5).await;
    ask(&db.store, kari, "kari@new.example", 3).await;
    confirm(&db.store, kari, 3, 12).await.unwrap();
    let (proof, codes) = (store::FactorProof::App(2), [token(78), token(79)]);
    let news = mail("kari@new.example");
    db.store.renew_recovery_codes(kari, proof, &codes, &news, at(13)).await.unwrap();
    undo(&db.store, 3, 14).await.unwrap().unwrap();
    assert!(db.store.login_of(kari).await.unwrap().unwrap().second_factor);
    assert_eq!(db.store.recovery_codes_left(kari).await.unwrap(), 0, "made since then");
}

#[apply(on_both!)]
async fn an_identity_linked_since_a_change_was_asked_for_goes_with_it(db: TestDatabase) {
    let kari = kari(&db.store).await;
    let link = async |subject, address, seconds| {
        let identity = Identity::parse("https://id.example", subject).unwrap();
        let offer = IdentityOffer { account: None, identity, email: email(address) };
        db.store.offer_identity(&token(70), &offer, at(600)).await.unwrap();
        let (here, news) = (token(1), mail(address));
        db.store.link_identity(&token(70), kari, &here, false, &news, at(seconds)).await.unwrap();
    };
    link("hers", "kari@old.example", 5).await;
    ask(&db.store, kari, "thief@new.example", 3).await;
    confirm(&db.store, kari, 3, 20).await.unwrap();
    link("the thief's", "thief@new.example", 30).await;
    undo(&db.store, 3, 40).await.unwrap().unwrap();
    let linked = db.store.linked_identities(kari).await.unwrap();
    let subjects: Vec<_> = linked.iter().map(|one| one.identity.subject()).collect();
    assert_eq!(subjects, ["hers"]);
}

#[apply(on_both!)]
async fn undoing_a_change_undoes_what_came_after_it(db: TestDatabase) {
    let kari = kari(&db.store).await;
    ask(&db.store, kari, "second@new.example", 3).await;
    confirm(&db.store, kari, 3, 12).await.unwrap();
    ask(&db.store, kari, "third@new.example", 4).await;
    confirm(&db.store, kari, 4, 13).await.unwrap();
    undo(&db.store, 3, 14).await.unwrap().unwrap();
    assert_eq!(address(&db.store, kari).await, "kari@old.example");
    assert!(undo(&db.store, 4, 15).await.unwrap().is_none(), "the thief's own link");
}

#[apply(on_both!)]
async fn undoing_the_newest_change_leaves_the_older_one_undoable(db: TestDatabase) {
    let kari = kari(&db.store).await;
    ask(&db.store, kari, "second@new.example", 3).await;
    confirm(&db.store, kari, 3, 12).await.unwrap();
    ask(&db.store, kari, "third@new.example", 4).await;
    confirm(&db.store, kari, 4, 13).await.unwrap();
    undo(&db.store, 4, 14).await.unwrap().unwrap();
    assert_eq!(address(&db.store, kari).await, "second@new.example");
    undo(&db.store, 3, 15).await.unwrap().unwrap();
    assert_eq!(address(&db.store, kari).await, "kari@old.example");
}

#[apply(on_both!)]
async fn after_a_week_a_change_stays(db: TestDatabase) {
    let kari = kari(&db.store).await;
    ask(&db.store, kari, "kari@new.example", 3).await;
    confirm(&db.store, kari, 3, 12).await.unwrap();
    let week = WEEK.as_secs();
    assert!(undo(&db.store, 3, 12 + week).await.unwrap().is_none());
    assert_eq!(db.store.sweep(HOUR, DAY, at(11 + week)).await.unwrap(), 1, "the session");
    assert_eq!(db.store.sweep(HOUR, DAY, at(12 + week)).await.unwrap(), 1, "the change");
    let other = NewUser { email: email("kari@old.example"), ..new_user("Else", "x@y.example") };
    assert_eq!(db.store.add_user(&other, at(12 + week)).await, Ok(()));
}

#[apply(on_both!)]
async fn of_many_confirming_at_once_one_wins(db: TestDatabase) {
    let kari = kari(&db.store).await;
    ask(&db.store, kari, "kari@new.example", 3).await;
    let won = at_once(20, |_| {
        let store = db.store.clone();
        async move { confirm(&store, kari, 3, 12).await.map(drop) }
    })
    .await;
    assert_eq!(won.iter().filter(|one| one.is_ok()).count(), 1, "{won:?}");
    assert!(won.iter().all(|one| one.is_ok() || *one == spent()), "{won:?}");
}

#[apply(on_both!)]
async fn of_many_undoing_at_once_one_wins(db: TestDatabase) {
    let kari = kari(&db.store).await;
    ask(&db.store, kari, "kari@new.example", 3).await;
    confirm(&db.store, kari, 3, 12).await.unwrap();
    let won = at_once(20, |_| {
        let store = db.store.clone();
        async move { undo(&store, 3, 13).await.unwrap().is_some() }
    })
    .await;
    assert_eq!(won.iter().filter(|one| **one).count(), 1);
}

#[apply(on_both!)]
async fn a_login_whose_address_changed_while_it_joined_stays_out(db: TestDatabase) {
    let bakery = invited(&db.store, "kari@old.example").await;
    let kari = kari(&db.store).await;
    ask(&db.store, kari, "kari@new.example", 1).await;
    confirm(&db.store, kari, 1, 12).await.unwrap();
    // As if it had been decided before.
    let joins = |_: &_| Ok(accept(Joiner::Existing(kari), granted(&[])));
    let answer = db.store.answer_invitation(&token(5), at(13), joins).await;
    assert_eq!(answer, Err(Failure::Conflict(Conflict::OtherAddress)));
    assert!(db.store.member(bakery.id, kari).await.unwrap().is_none());
}

#[apply(on_both!)]
async fn joining_and_changing_the_address_at_once_wait_for_each_other(db: TestDatabase) {
    let bakery = invited(&db.store, "kari@old.example").await;
    let kari = kari(&db.store).await;
    ask(&db.store, kari, "kari@new.example", 1).await;
    let joins = |_: &_| Ok(accept(Joiner::Existing(kari), granted(&[])));
    let link = token(5);
    let (joined, changed) = tokio::join!(
        bakery.store.answer_invitation(&link, at(11), joins),
        confirm(&db.store, kari, 1, 12),
    );
    changed.unwrap();
    let stays_out = Err(Failure::Conflict(Conflict::OtherAddress));
    assert!(joined.is_ok() || joined == stays_out, "{joined:?}");
}

#[apply(on_both!)]
async fn of_two_logins_that_want_one_address_one_gets_it(db: TestDatabase) {
    for round in 0..10 {
        let wanted = format!("wanted{round}@example.com");
        let mut users = Vec::new();
        for one in 0..4 {
            let name = format!("u{round}-{one}@example.com");
            users.push(user(&db.store, "Somebody", &name).await);
            ask(&db.store, users[usize::from(one)], &wanted, round * 4 + one).await;
        }
        let fresh = new_user("Fresh", &wanted);
        let inserting = async {
            tokio::task::yield_now().await;
            db.store.add_user(&fresh, at(12)).await
        };
        let confirming = at_once(4, |one| {
            let (store, user) = (db.store.clone(), users[usize::from(one)]);
            async move { confirm(&store, user, round * 4 + one, 12).await.map(drop) }
        });
        let (inserted, confirmed) = tokio::join!(inserting, confirming);
        let won =
            usize::from(inserted.is_ok()) + confirmed.iter().filter(|one| one.is_ok()).count();
        assert_eq!(won, 1, "{inserted:?} {confirmed:?}");
        let taken = Err(Failure::Conflict(Conflict::AddressTaken));
        assert!(confirmed.iter().all(|one| one.is_ok() || *one == taken), "{confirmed:?}");
    }
}

#[apply(on_both!)]
async fn confirming_and_changing_the_password_at_once_leave_one_story(db: TestDatabase) {
    for round in 2..12 {
        let kari = user(&db.store, "Kari", &format!("kari{round}@old.example")).await;
        db.store.begin_session(kari, &new_session(round), None, at(0)).await.unwrap();
        ask(&db.store, kari, &format!("kari{round}@new.example"), round).await;
        let (before, after) = (first_password(), second_password(false));
        let (confirmed, changed) = tokio::join!(
            confirm(&db.store, kari, round, 12),
            db.store.change_password(kari, &before, &after, None, at(50)),
        );
        assert_eq!(changed, Ok(()));
        let now = address(&db.store, kari).await;
        match confirmed.map(drop) {
            Ok(()) => assert!(now.ends_with("@new.example")),
            refused => {
                assert_eq!(refused, spent());
                assert!(now.ends_with("@old.example"));
            }
        }
        assert!(!is_signed_in(&db.store, round).await);
    }
}

#[apply(on_both!)]
async fn confirming_a_next_change_and_undoing_the_first_at_once_end_at_the_old(db: TestDatabase) {
    for round in 0..10 {
        let (first, next) = (2 * round, 2 * round + 1);
        let old = format!("kari{round}@old.example");
        let kari = user(&db.store, "Kari", &old).await;
        ask(&db.store, kari, &format!("kari{round}@new.example"), first).await;
        confirm(&db.store, kari, first, 12).await.unwrap();
        ask(&db.store, kari, &format!("kari{round}@next.example"), next).await;
        let (undone, confirmed) =
            tokio::join!(undo(&db.store, first, 13), confirm(&db.store, kari, next, 13));
        assert!(undone.unwrap().is_some());
        assert!(confirmed.is_ok() || confirmed.map(drop) == spent());
        assert_eq!(address(&db.store, kari).await, old);
        assert!(undo(&db.store, next, 14).await.unwrap().is_none());
    }
}

#[apply(on_both!)]
async fn no_reset_link_goes_to_an_address_that_the_login_has_no_more(db: TestDatabase) {
    let kari = kari(&db.store).await;
    ask(&db.store, kari, "kari@new.example", 3).await;
    confirm(&db.store, kari, 3, 12).await.unwrap();
    let to_old = Some(mail("kari@old.example"));
    let late = db.store.issue_reset(kari, &token(9), at(999), to_old, at(13)).await;
    assert_eq!(late, Err(Failure::NotFound));
    assert!(db.store.reset(&token(9)).await.unwrap().is_none());
}

#[apply(on_both!)]
async fn joining_proves_the_address_by_the_mails_link_alone(db: TestDatabase) {
    let proven = async |number: u8, to: &str| {
        let bakery = invited(&db.store, to).await;
        let new = new_user("New", to);
        join(&bakery, number, &new).await.unwrap();
        let standing = db.store.email_standing(new.id, at(12)).await.unwrap().proven;
        (bakery, new.id, standing)
    };
    let (bakery, new, by_copy) = proven(6, "copied@example.com").await;
    assert!(!by_copy, "whoever was shown the link may be anybody");
    let again = store::Offer { copy_hash: Some(token(61)), ..offer(60, Access::Owner) };
    let another = crate::story::account(&db.store, "Another").await.0;
    db.store.add_member(another, bakery.ingrid, Access::Owner, at(0)).await.unwrap();
    let to = email("copied@example.com");
    db.store.offer_invitation(another, bakery.ingrid, &to, at(0), |_| Ok(again)).await.unwrap();
    let joins = |_: &_| Ok(accept(Joiner::Existing(new), granted(&[])));
    db.store.answer_invitation(&token(60), at(12), joins).await.unwrap();
    assert!(db.store.email_standing(new, at(12)).await.unwrap().proven, "by the mail's link");
}

#[apply(on_both!)]
async fn a_copied_link_is_replaced_with_the_mails(db: TestDatabase) {
    let bakery = invited(&db.store, "new@example.com").await;
    let opened = async |number: u8| {
        let found = db.store.open_invitation(&token(number), at(1)).await.unwrap().unwrap();
        (found.by_mail, found.replaced)
    };
    assert_eq!((opened(5).await, opened(6).await), ((true, false), (false, false)));
    let newer = store::Offer { copy_hash: Some(token(8)), ..offer(7, granted(&[])) };
    let to = email("new@example.com");
    db.store.offer_invitation(bakery.id, bakery.ingrid, &to, at(1), |_| Ok(newer)).await.unwrap();
    assert_eq!((opened(5).await, opened(6).await), ((true, true), (false, true)));
    assert_eq!((opened(7).await, opened(8).await), ((true, false), (false, false)));
}

#[apply(on_both!)]
async fn whoever_proves_an_address_gets_a_login_that_somebody_else_made(db: TestDatabase) {
    let bakery = invited(&db.store, "kari@old.example").await;
    let planted = new_user("Thief", "kari@old.example");
    join(&bakery, 6, &planted).await.unwrap();
    let thief = planted.id;
    db.store.begin_session(thief, &new_session(1), None, at(12)).await.unwrap();
    with_app(&db.store, thief, 12).await;
    with_passkey(&db.store, thief, 12).await;
    db.store.begin_sign_in(thief, &token(50), &first_password(), at(999)).await.unwrap();
    ask(&db.store, thief, "kari@old.example", 3).await;

    db.store.issue_reset(thief, &token(8), at(999), None, at(13)).await.unwrap();
    db.store.use_reset(&token(8), &reset_to("$handed over"), at(13)).await.unwrap();
    assert!(!db.store.email_standing(thief, at(13)).await.unwrap().proven);
    assert!(db.store.login_of(thief).await.unwrap().unwrap().second_factor, "no proof, no loss");

    let mailed = Some(mail("kari@old.example"));
    db.store.issue_reset(thief, &token(9), at(999), mailed, at(14)).await.unwrap();
    db.store.use_reset(&token(9), &reset_to("$kari's"), at(14)).await.unwrap();
    let login = db.store.login_of(thief).await.unwrap().unwrap();
    assert!(!login.second_factor && login.password_hash.expose() == "$kari's");
    assert!(db.store.email_standing(thief, at(14)).await.unwrap().proven);
    assert!(!is_signed_in(&db.store, 1).await);
    assert_eq!(db.store.recovery_codes_left(thief).await.unwrap(), 0);
    assert_eq!(db.store.sign_in_of(&token(50), at(14)).await.unwrap(), None);
    assert_eq!(confirm(&db.store, thief, 3, 14).await.map(drop), spent());
    with_app(&db.store, thief, 15).await;
    db.store
        .issue_reset(thief, &token(10), at(999), Some(mail("kari@old.example")), at(16))
        .await
        .unwrap();
    db.store.use_reset(&token(10), &reset_to("$next"), at(16)).await.unwrap();
    assert!(
        db.store.login_of(thief).await.unwrap().unwrap().second_factor,
        "once proven, factors stay"
    );
}

#[apply(on_both!)]
async fn the_link_to_the_present_address_proves_it(db: TestDatabase) {
    let bakery = invited(&db.store, "kari@old.example").await;
    let new = new_user("Kari", "kari@old.example");
    join(&bakery, 6, &new).await.unwrap();
    db.store.begin_session(new.id, &new_session(1), None, at(12)).await.unwrap();
    db.store.begin_session(new.id, &new_session(2), None, at(12)).await.unwrap();
    assert!(!ask(&db.store, new.id, "kari@old.example", 3).await.proven);
    confirm(&db.store, new.id, 3, 13).await.unwrap();
    let standing = db.store.email_standing(new.id, at(13)).await.unwrap();
    assert!(standing.proven && standing.asked.is_none());
    assert!(is_signed_in(&db.store, 2).await);
}

#[apply(on_both!)]
async fn a_stronger_hash_replaces_the_compared_one_and_no_other(db: TestDatabase) {
    let kari = kari(&db.store).await;
    db.store.begin_sign_in(kari, &token(50), &first_password(), at(999)).await.unwrap();
    let renew = async |before: &str| {
        db.store.renew_password_hash(kari, &secret(before), &secret("$stronger")).await.unwrap()
    };
    assert!(!renew("$another").await);
    assert!(renew(first_password().expose()).await);
    assert!(!renew(first_password().expose()).await, "somebody was faster");
    assert!(is_signed_in(&db.store, 2).await, "it is the same password");
    let session = NewSession { password_hash: secret("$stronger"), ..new_session(4) };
    assert_eq!(db.store.begin_session(kari, &session, None, at(5)).await, Ok(()));
    let proof = store::FactorProof::App(1);
    let (link, session) = (token(50), new_session(5));
    let finished = db.store.finish_sign_in(&link, kari, proof, &session, None, at(5)).await;
    assert_ne!(finished, Err(Failure::Conflict(Conflict::SignInOver)), "it goes on");
}

#[apply(on_both!)]
async fn a_changed_password_is_never_renewed_over(db: TestDatabase) {
    for round in 0..10 {
        let kari = user(&db.store, "Kari", &format!("kari{round}@example.com")).await;
        let (before, after) = (first_password(), second_password(false));
        let stronger = secret("$stronger");
        let (renewed, changed) = tokio::join!(
            db.store.renew_password_hash(kari, &before, &stronger),
            db.store.change_password(kari, &before, &after, None, at(50)),
        );
        let hash = db.store.login_of(kari).await.unwrap().unwrap().password_hash;
        let expected = if changed.is_ok() { &after.hash } else { &stronger };
        assert_eq!(hash.expose(), expected.expose());
        assert_ne!(renewed.unwrap(), changed.is_ok(), "one of the two");
    }
}
