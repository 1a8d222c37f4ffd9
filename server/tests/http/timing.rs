//! How long an answer takes tells nobody whether an address has a login.

use std::time::{Duration, Instant};

use domain::demo::INGRID;

use test_database::Kind;

use crate::story::{TestApp, demo};

/// Pairs of tries: one at a known address, one at an unknown one.
const PAIRS: usize = 100;

/// How long one wrong try takes, the waits for wrong tries out of the way.
async fn one_try(app: &TestApp, email: &str) -> Duration {
    let mut browser = app.browser();
    let begun = Instant::now();
    browser.sign_in(email, "a wrong password").await.is(422);
    let took = begun.elapsed();
    app.forward_hours(25);
    took
}

/// By which part of the longer one two medians differ.
fn apart(mut one: Vec<Duration>, mut other: Vec<Duration>) -> f64 {
    one.sort_unstable();
    other.sort_unstable();
    let (one, other) = (one[one.len() / 2].as_secs_f64(), other[other.len() / 2].as_secs_f64());
    (one - other).abs() / one.max(other)
}

/// Two hundred tries in turn, so that whatever else the machine does slows both alike. Hashing is
/// nine tenths of the work: were it left out for unknown addresses, the medians would be that far
/// apart. What else differs is a row that is found or not.
#[tokio::test]
async fn a_known_and_an_unknown_address_take_equally_long() {
    let settings = [("SIGN_INS_PER_CLIENT", "1000000")];
    let app = TestApp::with(demo(Kind::Sqlite).await, &settings).await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let nobody = format!("nobody{pair}@nordlys.example");
        // Neither always comes first.
        if pair % 2 == 0 {
            known.push(one_try(&app, INGRID.email).await);
            unknown.push(one_try(&app, &nobody).await);
        } else {
            unknown.push(one_try(&app, &nobody).await);
            known.push(one_try(&app, INGRID.email).await);
        }
    }
    let apart = apart(known, unknown);
    assert!(apart < 0.3, "the medians are {:.0} % apart", apart * 100.0);
}
