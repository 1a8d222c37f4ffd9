use model::{DoorArea, TokenId};
use store::{AnswerStanding, KeptAnswer, NewToken};
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::story::{at, at_once, token};

async fn a_token(db: &TestDatabase, prefix: &str) -> TokenId {
    let id = Uuid::new_v4().into();
    let new = NewToken {
        id,
        name: "Billing".to_owned(),
        prefix: prefix.to_owned(),
        secret_hash: token(7),
        scopes: [DoorArea::Invoices.write()].into_iter().collect(),
        account: None,
        until: None,
    };
    db.store.add_token(&new, at(0)).await.unwrap();
    id
}

fn answer(body: &str) -> KeptAnswer {
    let headers = vec![("etag".to_owned(), "\"1\"".to_owned())];
    KeptAnswer { status: 201, headers, body: body.to_owned() }
}

#[apply(on_both!)]
async fn a_request_with_a_name_begins_once(db: TestDatabase) {
    let one = a_token(&db, "aaaaaaaaaaaa").await;
    let begun = at_once(50, |_| {
        let store = db.store.clone();
        async move { store.begin_answer(one, "key", &token(1), at(1)).await.unwrap() }
    })
    .await;
    assert_eq!(begun.iter().filter(|begun| **begun == AnswerStanding::Begun).count(), 1);
    assert_eq!(begun.iter().filter(|begun| **begun == AnswerStanding::UnderWay).count(), 49);
    let begin = async |token_id, hash, seconds| {
        db.store.begin_answer(token_id, "key", &token(hash), at(seconds)).await.unwrap()
    };
    assert_eq!(begin(one, 2, 2).await, AnswerStanding::Other);
    let other = a_token(&db, "bbbbbbbbbbbb").await;
    assert_eq!(begin(other, 2, 2).await, AnswerStanding::Begun);

    db.store.keep_answer(one, "key", at(1), &answer("done")).await.unwrap();
    assert_eq!(begin(one, 1, 3).await, AnswerStanding::Answered(answer("done")));
    assert_eq!(begin(one, 2, 3).await, AnswerStanding::Other);
    const DAY: u64 = 24 * 60 * 60;
    assert_eq!(begin(one, 1, DAY).await, AnswerStanding::Answered(answer("done")));
    assert_eq!(begin(one, 2, DAY + 1).await, AnswerStanding::Begun);
}

#[apply(on_both!)]
async fn a_request_that_came_to_nothing_begins_anew(db: TestDatabase) {
    let one = a_token(&db, "aaaaaaaaaaaa").await;
    let begin = async |hash, seconds| {
        db.store.begin_answer(one, "key", &token(hash), at(seconds)).await.unwrap()
    };
    assert_eq!(begin(1, 1).await, AnswerStanding::Begun);
    db.store.forget_answer(one, "key", at(1)).await.unwrap();
    assert_eq!(begin(2, 2).await, AnswerStanding::Begun);
    // Whoever began before has no say any more.
    db.store.keep_answer(one, "key", at(1), &answer("late")).await.unwrap();
    assert_eq!(begin(2, 3).await, AnswerStanding::UnderWay);
    // Its node died.
    assert_eq!(begin(2, 62).await, AnswerStanding::Begun);
    db.store.keep_answer(one, "key", at(62), &answer("done")).await.unwrap();
    db.store.forget_answer(one, "key", at(62)).await.unwrap();
    assert_eq!(begin(2, 63).await, AnswerStanding::Answered(answer("done")));
}

#[apply(on_both!)]
async fn answers_are_swept_after_a_day(db: TestDatabase) {
    let one = a_token(&db, "aaaaaaaaaaaa").await;
    db.store.begin_answer(one, "key", &token(1), at(1)).await.unwrap();
    db.store.keep_answer(one, "key", at(1), &answer("done")).await.unwrap();
    let day = crate::story::DAY;
    assert_eq!(db.store.sweep(day, day, at(0).after(day)).await, Ok(0));
    assert_eq!(db.store.sweep(day, day, at(2).after(day)).await, Ok(1));
}
