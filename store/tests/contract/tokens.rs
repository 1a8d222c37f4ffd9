use std::collections::BTreeSet;

use model::{DoorArea, DoorScopes, Failure};
use store::{NewToken, StoredToken, TokenRow};
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::story::{Bakery, at, at_once, token};

fn new_token(prefix: &str) -> NewToken {
    NewToken {
        id: Uuid::new_v4().into(),
        name: "Billing".to_owned(),
        prefix: prefix.to_owned(),
        secret_hash: token(7),
        scopes: [DoorArea::Invoices.write(), DoorArea::Accounts.read()].into_iter().collect(),
        account: None,
        until: None,
    }
}

async fn found(db: &TestDatabase, prefix: &str) -> StoredToken {
    db.store.noted().await;
    db.store.token(prefix).await.unwrap().unwrap()
}

#[apply(on_both!)]
async fn a_token_is_found_by_its_prefix_and_listed(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let whole = new_token("aaaaaaaaaaaa");
    let bound = NewToken {
        account: Some(bakery.id),
        until: Some(at(60)),
        scopes: [DoorArea::Access.read()].into_iter().collect(),
        ..new_token("bbbbbbbbbbbb")
    };
    db.store.add_token(&whole, at(1)).await.unwrap();
    db.store.add_token(&bound, at(2)).await.unwrap();
    assert!(db.store.token("cccccccccccc").await.unwrap().is_none());
    assert!(db.store.token("AAAAAAAAAAAA").await.unwrap().is_none());
    let one = found(&db, "bbbbbbbbbbbb").await;
    assert_eq!((one.id, one.account, one.until), (bound.id, Some(bakery.id), Some(at(60))));
    assert_eq!((one.secret_hash, &one.scopes), (token(7), &bound.scopes));
    let listed = db.store.tokens().await.unwrap();
    let row = |token: &NewToken, made_at, account| TokenRow {
        name: token.name.clone(),
        prefix: token.prefix.clone(),
        scopes: token.scopes.clone(),
        account,
        made_at,
        until: token.until,
        last_used_at: None,
        revoked_at: None,
    };
    let expected = [row(&whole, at(1), None), row(&bound, at(2), Some(bakery.number))];
    for row in &expected {
        assert!(listed.contains(row), "{listed:?}");
    }
    assert_eq!(listed.len(), 2);
}

#[apply(on_both!)]
async fn no_two_tokens_have_one_prefix(db: TestDatabase) {
    db.store.add_token(&new_token("aaaaaaaaaaaa"), at(1)).await.unwrap();
    let again = db.store.add_token(&new_token("aaaaaaaaaaaa"), at(1)).await;
    assert_eq!(again, Err(Failure::Unavailable));
    assert_eq!(db.store.tokens().await.unwrap().len(), 1);
}

#[apply(on_both!)]
async fn a_token_is_revoked_once(db: TestDatabase) {
    db.store.add_token(&new_token("aaaaaaaaaaaa"), at(1)).await.unwrap();
    let revoked = at_once(20, |number| {
        let store = db.store.clone();
        async move { store.revoke_token("aaaaaaaaaaaa", at(10 + u64::from(number))).await }
    })
    .await;
    assert_eq!(revoked.iter().filter(|revoked| revoked.is_ok()).count(), 1);
    assert!(found(&db, "aaaaaaaaaaaa").await.revoked_at.is_some());
    assert_eq!(db.store.revoke_token("bbbbbbbbbbbb", at(9)).await, Err(Failure::NotFound));
}

#[apply(on_both!)]
async fn the_use_of_a_token_is_noted_to_the_minute(db: TestDatabase) {
    db.store.add_token(&new_token("aaaaaaaaaaaa"), at(1)).await.unwrap();
    let used = async |seconds| {
        let token = found(&db, "aaaaaaaaaaaa").await;
        db.store.note_token(&token, at(seconds)).await;
        found(&db, "aaaaaaaaaaaa").await.last_used_at
    };
    assert_eq!(used(10).await, Some(at(10)));
    assert_eq!(used(69).await, Some(at(10)));
    assert_eq!(used(70).await, Some(at(70)));
    // By a clock that ran ahead.
    assert_eq!(used(9_999_999).await, Some(at(9_999_999)));
    assert_eq!(used(80).await, Some(at(80)));
}

#[apply(on_both!)]
async fn no_token_comes_back_to_life_with_a_copy(db: TestDatabase) {
    db.store.add_token(&new_token("aaaaaaaaaaaa"), at(1)).await.unwrap();
    db.store.add_token(&new_token("bbbbbbbbbbbb"), at(1)).await.unwrap();
    db.store.revoke_token("bbbbbbbbbbbb", at(2)).await.unwrap();
    assert_eq!(db.store.settle(false, at(10)).await.unwrap().tokens, 1);
    let revoked: BTreeSet<_> =
        db.store.tokens().await.unwrap().iter().map(|token| token.revoked_at).collect();
    assert_eq!(revoked, BTreeSet::from([Some(at(2)), Some(at(10))]));
}

#[apply(on_both!)]
async fn scopes_of_a_newer_version_open_nothing(db: TestDatabase) {
    db.store.add_token(&new_token("aaaaaaaaaaaa"), at(1)).await.unwrap();
    db.run("UPDATE tokens SET scopes = 'everything:write accounts:read'").await;
    let scopes: DoorScopes = [DoorArea::Accounts.read()].into_iter().collect();
    assert_eq!(found(&db, "aaaaaaaaaaaa").await.scopes, scopes);
}
