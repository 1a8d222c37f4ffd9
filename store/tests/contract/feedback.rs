use model::Language;
use store::Feedback;
use test_database::{TestDatabase, apply, on_both};

use crate::story::at;

#[apply(on_both!)]
async fn what_readers_say_is_listed_newest_first(db: TestDatabase) {
    let nb = Language::parse("nb").unwrap();
    db.store.add_feedback("users", true, "", Some(&nb), at(1)).await.unwrap();
    db.store.add_feedback("billing", false, "Where is it?", None, at(2)).await.unwrap();
    let said = db.store.feedback(10).await.unwrap();
    let expected = Feedback {
        guide: "billing".to_owned(),
        helped: false,
        comment: "Where is it?".to_owned(),
        language: String::new(),
        at: at(2),
    };
    assert_eq!(said.len(), 2);
    assert_eq!(said[0], expected);
    assert!(said[1].helped && said[1].language == "nb");
    assert_eq!(db.store.feedback(1).await.unwrap().len(), 1);
}
