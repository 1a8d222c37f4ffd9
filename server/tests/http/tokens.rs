use domain::tokens::{self, Lacks, Order, Unmade};
use model::{AccountNumber, DoorArea, DoorScopes, Failure};
use test_database::{TestDatabase, apply};

use crate::story::TestApp;

fn order(name: &str) -> Order<'_> {
    let scopes: DoorScopes = [DoorArea::Services.write()].into_iter().collect();
    Order { name, scopes, account: None, until: None }
}

#[apply(on_both!)]
async fn a_token_opens_what_it_was_made_for(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (latchkey, now) = (&app.latchkey, app.latchkey.now());
    let secret = tokens::create(latchkey, order("  Control   panel ")).await.unwrap();
    let token = tokens::authenticate(latchkey, secret.expose(), now).await.unwrap();
    assert_eq!((token.name.as_str(), token.account), ("Control panel", None));
    assert_eq!(token.must(DoorArea::Services.read()), Ok(()));
    assert_eq!(token.must(DoorArea::Services.write()), Ok(()));
    let other = DoorArea::Domains.read();
    assert_eq!(token.must(other), Err(Lacks(other)));

    let number = AccountNumber::from_stored(100_001);
    let bound = Order { account: Some(number), ..order("Bakery's own") };
    let secret = tokens::create(latchkey, bound).await.unwrap();
    let token = tokens::authenticate(latchkey, secret.expose(), now).await.unwrap();
    let bakery = latchkey.store.account(number).await.unwrap();
    let agency = latchkey.store.account(AccountNumber::from_stored(100_002)).await.unwrap();
    assert!(token.sees(bakery) && !token.sees(agency));
}

#[apply(on_both!)]
async fn a_token_that_is_wrong_revoked_or_over_is_none(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let latchkey = &app.latchkey;
    let good = tokens::create(latchkey, order("One")).await.unwrap();
    let other = tokens::create(latchkey, order("Other")).await.unwrap();
    let until = latchkey.now().after(std::time::Duration::from_secs(60));
    let short = Order { until: Some(until), ..order("Short") };
    let short = tokens::create(latchkey, short).await.unwrap();
    let knows = async |token: &str| tokens::authenticate(latchkey, token, latchkey.now()).await;
    let (beginning, secret) = good.expose().rsplit_once('_').unwrap();
    // A secret may hold the sign that stands before it.
    let beginning = if beginning.len() == 15 { beginning } else { &good.expose()[..15] };
    let mixed = format!("{beginning}_{}", &other.expose()[16..]);
    for wrong in ["", "lk_", beginning, secret, mixed.as_str()] {
        assert_eq!(knows(wrong).await, Err(Failure::SignedOut), "{wrong}");
    }
    assert!(knows(good.expose()).await.is_ok() && knows(short.expose()).await.is_ok());
    app.forward_seconds(60);
    assert_eq!(knows(short.expose()).await, Err(Failure::SignedOut));

    // Named by its beginning, or as a whole where it leaked.
    assert_eq!(tokens::revoke(latchkey, beginning).await, Ok(()));
    assert_eq!(tokens::revoke(latchkey, beginning).await, Err(Failure::NotFound));
    assert_eq!(knows(good.expose()).await, Err(Failure::SignedOut));
    assert!(knows(other.expose()).await.is_ok());
    assert_eq!(tokens::revoke(latchkey, other.expose()).await, Ok(()));
    assert_eq!(knows(other.expose()).await, Err(Failure::SignedOut));
}

#[apply(on_both!)]
async fn a_token_without_name_scope_account_or_time_is_not_made(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let latchkey = &app.latchkey;
    let long = "x".repeat(101);
    let nobody = AccountNumber::from_stored(1);
    for (order, unmade) in [
        (order(" \u{200b} "), Unmade::Name),
        (order(&long), Unmade::Name),
        (Order { scopes: DoorScopes::default(), ..order("One") }, Unmade::NoScope),
        (Order { account: Some(nobody), ..order("One") }, Unmade::NoAccount(nobody)),
        (Order { until: Some(latchkey.now()), ..order("One") }, Unmade::Over),
    ] {
        assert_eq!(tokens::create(latchkey, order).await, Err(unmade));
    }
    assert_eq!(tokens::list(latchkey).await, Ok(Vec::new()));
}
