//! Signing in with an identity provider: what links, what opens, and what doesn't.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Request;
use domain::demo::{BJORN, INGRID, PASSWORD, TOM};
use serde_json::{Value, json};
use test_database::{TestDatabase, apply};

use crate::identity_provider::{IdentityProvider, Mood, SECRET, Way};
use crate::story::{BAKERY, Browser, Page, TestApp};

const LINK: &str = "/sign-in/link";

/// Links the identity "b" to Bjørn's login, in a browser of its own.
async fn bjorn_links(idp: &IdentityProvider, app: &TestApp) -> Browser {
    let mut browser = app.browser();
    let page = idp.visit(app, &mut browser, "b", BJORN.email).await;
    assert_eq!(page.is(303).leads_to(), "/sign-in?next=/sign-in/link");
    sign_in_to_link(&mut browser).await.is(303);
    browser.submit(LINK, "sign-in/link", &[("about", "")]).await.is(200);
    browser
}

/// What the provider sends Bjørn back with on this way.
fn bjorns_code(idp: &IdentityProvider, app: &TestApp, way: &Way) -> String {
    idp.code(way, &idp.sign(&idp.claims(app, way, "b", BJORN.email)))
}

async fn sign_in_to_link(browser: &mut Browser) -> Page {
    let fields = [("email", BJORN.email), ("password", PASSWORD), ("next", LINK)];
    browser.post("/sign-in", "sign-in", &fields).await
}

/// Where the first link on the security page to take an identity away leads.
async fn unlink_path(browser: &mut Browser) -> String {
    let page = browser.get("/security").await;
    let rest = page.is(200).between("href=\"/security/identities/", "\"");
    let rest = rest.split('?').next().unwrap();
    format!("/security/identities/{rest}")
}

async fn unlink(browser: &mut Browser, path: &str) -> Page {
    let id = path.rsplit('/').next().unwrap();
    browser.post(path, "security/unlink", &[("about", id)]).await
}

/// Signed in as somebody whom the bakery lets in.
async fn is_in(browser: &mut Browser) -> bool {
    browser.get(BAKERY).await.status == 200
}

#[apply(on_both!)]
async fn an_identity_opens_the_login_that_it_was_linked_to(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    let mut browser = app.browser();
    browser.get("/sign-in").await.is(200).says("Sign in with Acme Login");

    let page = idp.visit(&app, &mut browser, "b", "Bjorn@Ledger.example").await;
    assert_eq!(page.is(303).leads_to(), "/sign-in?next=/sign-in/link");
    assert!(!is_in(&mut browser).await, "the address alone opens nothing");
    let page = browser.get(page.leads_to()).await;
    page.is(200).says("At Acme Login you are Bjorn@Ledger.example");
    assert!(!page.words().contains("Sign in with Acme Login"));
    let page = sign_in_to_link(&mut browser).await;
    assert_eq!(page.is(303).leads_to(), LINK);
    browser.get(LINK).await.is(200).says("Link Acme Login to your login?");
    let page = browser.post(LINK, "sign-in/link", &[("about", "")]).await;
    assert_eq!(page.is(303).leads_to(), BAKERY);
    browser.get(BAKERY).await.is(200).says("Acme Login is linked to your login");
    assert_eq!(app.mails_to(BJORN.email).await[0], "identity_changed");
    browser.get("/security").await.is(200).says("Bjorn@Ledger.example");

    let mut other = app.browser();
    let page = idp.visit(&app, &mut other, "b", BJORN.email).await;
    assert_eq!(page.is(303).leads_to(), BAKERY);
    other.get(BAKERY).await.is(200).says(BJORN.name);
    assert_eq!(app.mails_to(BJORN.email).await[0], "new_device");
}

#[apply(on_both!)]
async fn the_identity_decides_and_never_its_address(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    bjorn_links(&idp, &app).await;
    let mut browser = app.browser();
    idp.visit(&app, &mut browser, "b", INGRID.email).await.is(303);
    browser.get(BAKERY).await.is(200).says(BJORN.name);
    let mut browser = app.browser();
    let page = idp.visit(&app, &mut browser, "another", BJORN.email).await;
    assert_eq!(page.is(303).leads_to(), "/sign-in?next=/sign-in/link");
    assert!(!is_in(&mut browser).await);
}

#[apply(on_both!)]
async fn a_second_factor_is_still_asked_for(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    let mut bjorn = bjorn_links(&idp, &app).await;
    let (key, _) = app.turn_app_on(&mut bjorn).await;
    let mut browser = app.browser();
    let page = idp.visit(&app, &mut browser, "b", BJORN.email).await;
    assert_eq!(page.is(303).leads_to(), format!("/sign-in/second-factor?next={BAKERY}"));
    assert!(!is_in(&mut browser).await);
    let code = app.next_code(&key);
    let fields = [("code", &*code), ("next", BAKERY)];
    browser.post("/sign-in/second-factor", "sign-in/second-factor", &fields).await.is(303);
    assert!(is_in(&mut browser).await);
}

#[apply(on_both!)]
async fn what_cannot_be_trusted_opens_nothing(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    bjorn_links(&idp, &app).await;
    let now = app.latchkey.now().as_micros() / 1_000_000;
    let wrong = [
        ("another issuer", "iss", json!("https://id.elsewhere.example")),
        ("another nonce", "nonce", json!("another")),
        ("no nonce", "nonce", Value::Null),
        ("another audience", "aud", json!("another")),
        ("one audience more", "aud", json!(["latchkey", "another"])),
        ("another party", "azp", json!("another")),
        ("expired", "exp", json!(now - 120)),
        ("no end", "exp", json!("soon")),
        ("not valid yet", "nbf", json!(now + 121)),
        ("a hash that is none", "at_hash", json!(["c29tZXRoaW5n"])),
        ("another access token's", "at_hash", json!("c29tZXRoaW5nIGVsc2U")),
    ];
    for (what, name, value) in wrong {
        let mut browser = app.browser();
        let way = Way::begin(&mut browser).await;
        let mut claims = idp.claims(&app, &way, "b", BJORN.email);
        claims[name] = value;
        let page = way.back(&mut browser, &idp.code(&way, &idp.sign(&claims))).await;
        assert_eq!(page.status, 409, "{what}");
        page.says("Signing in there came to nothing");
        assert!(page.title().starts_with("Error: "), "{}", page.title());
        assert!(!is_in(&mut browser).await, "{what}");
    }
    let mut browser = app.browser();
    let way = Way::begin(&mut browser).await;
    let claims = idp.claims(&app, &way, "b", BJORN.email);
    let unsigned = idp.sign_as(&json!({ "alg": "none" }), &claims);
    let unsigned = format!("{}.", unsigned.rsplit_once('.').unwrap().0);
    let by_secret = idp.sign_as(&json!({ "alg": "HS256" }), &claims);
    let signed = idp.sign(&claims);
    let broken = format!("{}AAAA", &signed[..signed.len() - 4]);
    for token in [unsigned, by_secret, broken, "no token".to_owned()] {
        let mut browser = app.browser();
        let way = Way::begin(&mut browser).await;
        let page = way.back(&mut browser, &idp.code(&way, &token)).await;
        assert!([409, 502].contains(&page.status.as_u16()), "{token}: {}", page.status);
        assert!(!is_in(&mut browser).await, "{token}");
    }
    way.back(&mut browser, &idp.code(&way, &signed)).await.is(303);
}

#[apply(on_both!)]
async fn tokens_are_taken_as_providers_write_them(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    bjorn_links(&idp, &app).await;
    let now = app.latchkey.now().as_micros() / 1_000_000;
    let odd = [
        (
            "one audience more, and we asked",
            json!({ "aud": ["api", "latchkey"], "azp": "latchkey" }),
        ),
        ("a clock that is a minute ahead", json!({ "iat": now + 60, "nbf": now + 60 })),
        ("a clock that is a minute behind", json!({ "exp": now - 60 })),
        ("a slash at the issuer's end", json!({ "iss": format!("{}/", idp.issuer()) })),
        ("moments with a fraction", json!({ "exp": (now + 60) as f64 + 0.5, "auth_time": "soon" })),
        ("whether it is verified, as text", json!({ "email_verified": "true" })),
        (
            "claims that nobody asked for",
            json!({
                "name": ["Bj\u{f8}rn"], "locale": 7, "address": "Storgata 1", "phone_number": 12,
                "updated_at": "yesterday", "picture": {}, "birthdate": 1980, "zoneinfo": [],
                "phone_number_verified": "perhaps", "gender": null, "amr": "pwd", "acr": 1,
                "groups": [{ "id": 1 }], "name#": "x",
            }),
        ),
    ];
    for (what, claims) in odd {
        let mut browser = app.browser();
        let way = Way::begin(&mut browser).await;
        let mut all = idp.claims(&app, &way, "b", BJORN.email);
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        let tokens = json!({
            "access_token": "the-access-token", "token_type": "bearer",
            "id_token": idp.sign(&all), "expires_in": "3600", "scope": ["openid", "email"],
        });
        let page = way.back(&mut browser, &idp.code_for(&way, tokens, Value::Null)).await;
        assert_eq!(page.status, 303, "{what}: {}", page.words());
        assert!(is_in(&mut browser).await, "{what}");
    }
}

#[apply(on_both!)]
async fn people_read_what_was_wrong_there(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    bjorn_links(&idp, &app).await;
    let now = app.latchkey.now().as_micros() / 1_000_000;
    for (name, value, words) in [
        ("aud", json!("another"), "for another client ID"),
        ("iss", json!("https://id.elsewhere.example"), "names another issuer"),
        ("exp", json!(now - 600), "by our clock"),
        ("nonce", json!("another"), "make sure that its answer is about you"),
    ] {
        let mut browser = app.browser();
        let way = Way::begin(&mut browser).await;
        let mut claims = idp.claims(&app, &way, "b", BJORN.email);
        claims[name] = value;
        let page = way.back(&mut browser, &idp.code(&way, &idp.sign(&claims))).await;
        page.is(409).says(words);
    }
    for (error, words) in [
        ("access_denied", "it was cancelled, or you aren't let in there"),
        ("temporarily_unavailable", "can't do it at the moment"),
        ("invalid_scope", "compare the client ID, the redirect address and the scopes"),
        ("unauthorized_client", "enter a new client secret"),
        ("login_required", "took too long or was sent twice"),
        ("<b>\r\n", "doesn't take what we ask"),
    ] {
        let mut browser = app.browser();
        let way = Way::begin(&mut browser).await;
        way.back_with(&mut browser, &[("error", error)]).await.is(409).says(words);
        // Some send an error without the state.
        let mut browser = app.browser();
        let way = Way::begin(&mut browser).await;
        let query: String = form_urlencoded::byte_serialize(error.as_bytes()).collect();
        let page = browser.get(&format!("{}?error={query}", way.callback)).await;
        page.is(409).says(words);
        // It ends nobody's way.
        let code = bjorns_code(&idp, &app, &way);
        way.back(&mut browser, &code).await.is(303);
    }
    idp.is(Mood::KnowsNobody);
    let page = idp.visit(&app, &mut app.browser(), "b", BJORN.email).await;
    page.is(409).says("doesn't take our client ID with its client secret");
}

#[apply(on_both!)]
async fn the_secret_is_sent_as_the_provider_takes_it(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let secret = "s%cr:t+/ =\u{e9}&";
    let app = idp.app_with(db, idp.issuer(), secret).await;
    for mood in [Mood::Well, Mood::TakesBody, Mood::TakesBoth] {
        idp.is(mood);
        app.forward_seconds(600);
        let page = idp.visit(&app, &mut app.browser(), "b", BJORN.email).await;
        page.is(303);
    }
    idp.is(Mood::TakesKeys);
    app.forward_seconds(600);
    let fields = [("provider", "acme"), ("next", BAKERY)];
    app.browser().post("/sign-in", "sign-in/with", &fields).await.is(502);
}

#[apply(on_both!)]
async fn a_slash_at_the_end_of_the_address_is_the_providers_to_say(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app_with(db, &format!("{}/", idp.issuer()), SECRET).await;
    let mut bjorn = bjorn_links(&idp, &app).await;
    bjorn.get("/security").await.is(200).says("Acme Login");
    idp.is(Mood::CallsItselfOtherwise);
    app.forward_seconds(600);
    let fields = [("provider", "acme"), ("next", BAKERY)];
    app.browser().post("/sign-in", "sign-in/with", &fields).await.is(502);
}

#[apply(on_both!)]
async fn coming_back_once_more_leads_to_what_it_came_to(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    let mut browser = app.browser();
    let way = Way::begin(&mut browser).await;
    let code = bjorns_code(&idp, &app, &way);
    let link = "/sign-in?next=/sign-in/link";
    assert_eq!(way.back(&mut browser, &code).await.is(303).leads_to(), link);
    assert_eq!(way.back(&mut browser, &code).await.is(303).leads_to(), link, "still offered");
    sign_in_to_link(&mut browser).await.is(303);
    browser.submit(LINK, "sign-in/link", &[("about", "")]).await.is(200);

    let mut browser = app.browser();
    let way = Way::begin(&mut browser).await;
    let code = bjorns_code(&idp, &app, &way);
    assert_eq!(way.back(&mut browser, &code).await.is(303).leads_to(), BAKERY);
    assert_eq!(way.back(&mut browser, &code).await.is(303).leads_to(), "/accounts");
    assert!(is_in(&mut browser).await);
}

#[apply(on_both!)]
async fn fetching_the_way_back_ahead_ends_nothing(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    bjorn_links(&idp, &app).await;
    let mut browser = app.browser();
    let way = Way::begin(&mut browser).await;
    let code = bjorns_code(&idp, &app, &way);
    let path = format!("{}?state={}&code={code}", way.callback, way.state);
    for (name, value) in
        [("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch"), ("x-moz", "prefetch")]
    {
        let ahead = Request::get(&path).header(name, value).body(Body::empty()).unwrap();
        browser.send(ahead).await.is(503);
    }
    let looking = Request::head(&path).body(Body::empty()).unwrap();
    browser.send(looking).await.is(503);
    way.back(&mut browser, &code).await.is(303);
    assert!(is_in(&mut browser).await);
}

#[apply(on_both!)]
async fn only_the_browser_that_asked_comes_back_and_once(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    bjorn_links(&idp, &app).await;
    let mut browser = app.browser();
    let way = Way::begin(&mut browser).await;
    let token = idp.sign(&idp.claims(&app, &way, "b", BJORN.email));
    let code = idp.code(&way, &token);

    way.back(&mut app.browser(), &code).await.is(409).says("took too long");
    let mut other = app.browser();
    Way::begin(&mut other).await;
    way.back(&mut other, &code).await.is(409).says("took too long");
    let page = browser.get(&format!("/sign-in/callback?code={code}")).await;
    page.is(409);
    let forged = Way { state: "A".repeat(43), ..way.clone() };
    forged.back(&mut browser, &code).await.is(409);

    // None of that spoiled it.
    let before = browser.clone();
    way.back(&mut browser, &code).await.is(303);
    assert!(is_in(&mut browser).await);
    way.back(&mut before.clone(), &code).await.is(409).says("took too long");
    let page = way.back(&mut before.clone(), &idp.code(&way, &token)).await;
    page.is(409);

    let mut slow = app.browser();
    let way = Way::begin(&mut slow).await;
    app.forward_seconds(600);
    let code = bjorns_code(&idp, &app, &way);
    way.back(&mut slow, &code).await.is(409).says("took too long");
    slow.get("/sign-in/onward").await.is(200).says("Sign in again");
}

#[apply(on_both!)]
async fn a_code_that_was_redeemed_opens_nothing(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    bjorn_links(&idp, &app).await;
    let mut browser = app.browser();
    let way = Way::begin(&mut browser).await;
    way.back(&mut browser, "redeemed").await.is(409).says("came to nothing");
    // A code that somebody else's browser asked for: its proof doesn't fit.
    let (mut one, mut other) = (app.browser(), app.browser());
    let (theirs, own) = (Way::begin(&mut one).await, Way::begin(&mut other).await);
    let stolen = idp.code(&theirs, &idp.sign(&idp.claims(&app, &theirs, "b", BJORN.email)));
    own.back(&mut other, &stolen).await.is(409).says("came to nothing");
    assert!(!is_in(&mut other).await);
    let way = Way::begin(&mut browser).await;
    let page = way.back_with(&mut browser, &[("error", "access_denied")]).await;
    page.is(409).says("it was cancelled");
}

#[apply(on_both!)]
async fn the_same_way_back_twice_at_once_opens_once(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    bjorn_links(&idp, &app).await;
    let mut browser = app.browser();
    let way = Way::begin(&mut browser).await;
    let code = bjorns_code(&idp, &app, &way);
    let (mut one, mut other) = (browser.clone(), browser);
    let pages = tokio::join!(way.back(&mut one, &code), way.back(&mut other, &code));
    let mut came = [pages.0.status.as_u16(), pages.1.status.as_u16()];
    came.sort_unstable();
    assert_eq!(came, [303, 409]);
}

#[apply(on_both!)]
async fn it_is_checked_which_provider_sent_the_browser_back(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    idp.is(Mood::NamesItself);
    let app = idp.app(db).await;
    let issuer = idp.issuer().to_owned();
    for (iss, status) in
        [(None, 409), (Some("https://id.elsewhere.example"), 409), (Some(&*issuer), 303)]
    {
        let mut browser = app.browser();
        let way = Way::begin(&mut browser).await;
        let code = bjorns_code(&idp, &app, &way);
        let mut query = vec![("code", &*code)];
        query.extend(iss.map(|iss| ("iss", iss)));
        way.back_with(&mut browser, &query).await.is(status);
    }
}

#[apply(on_both!)]
async fn only_a_verified_address_leads_to_a_login(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    for verified in [json!(false), Value::Null] {
        let mut browser = app.browser();
        let way = Way::begin(&mut browser).await;
        let mut claims = idp.claims(&app, &way, "b", BJORN.email);
        claims["email_verified"] = verified;
        let page = way.back(&mut browser, &idp.code(&way, &idp.sign(&claims))).await;
        page.is(409).says("hasn't verified your email address");
    }
    // What the ID token leaves open, the provider may say when it is asked.
    for (person, status) in [
        (json!({ "sub": "b", "email": BJORN.email, "email_verified": "true" }), 303),
        (json!({ "sub": "b", "email": BJORN.email, "locale": 7 }), 409),
        (json!({ "sub": "c", "email": BJORN.email, "email_verified": true }), 409),
        (json!("nothing"), 409),
    ] {
        let mut browser = app.browser();
        let way = Way::begin(&mut browser).await;
        let mut claims = idp.claims(&app, &way, "b", BJORN.email);
        claims.as_object_mut().unwrap().remove("email_verified");
        let tokens = json!({ "access_token": "the-access-token", "id_token": idp.sign(&claims) });
        let page = way.back(&mut browser, &idp.code_for(&way, tokens, person.clone())).await;
        assert_eq!(page.status.as_u16(), status, "{person}");
    }
    let mut browser = app.browser();
    let page = idp.visit(&app, &mut browser, "k", "kari@elsewhere.example").await;
    page.is(409).says("A login begins with an invitation");
    browser.get(LINK).await.is(302);
}

#[apply(on_both!)]
async fn the_address_may_stand_beside_the_token(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    for (person, status) in [
        (json!({ "sub": "b", "email": BJORN.email, "email_verified": true }), 303),
        (json!({ "sub": "b", "email": BJORN.email, "email_verified": false }), 409),
        (json!({ "sub": "c", "email": BJORN.email, "email_verified": true }), 409),
    ] {
        let mut browser = app.browser();
        let way = Way::begin(&mut browser).await;
        let mut claims = idp.claims(&app, &way, "b", BJORN.email);
        claims.as_object_mut().unwrap().remove("email");
        let tokens = json!({
            "access_token": "access", "token_type": "Bearer", "id_token": idp.sign(&claims),
        });
        let code = idp.code_for(&way, tokens, person.clone());
        let page = way.back(&mut browser, &code).await;
        assert_eq!(page.status.as_u16(), status, "{person}");
    }
}

#[apply(on_both!)]
async fn a_provider_that_does_not_answer_is_told_where_another_way_in_is(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    for mood in [Mood::Down, Mood::Elsewhere, Mood::Endless] {
        idp.is(mood);
        app.forward_seconds(601);
        let mut browser = app.browser();
        let fields = [("provider", "acme"), ("next", BAKERY)];
        let page = browser.post("/sign-in", "sign-in/with", &fields).await;
        page.is(502).says("doesn't answer as it should");
        page.says("Email address");
    }
    idp.is(Mood::Well);
    app.forward_seconds(10);
    for mood in [Mood::Down, Mood::Elsewhere, Mood::Endless] {
        idp.is(Mood::Well);
        let mut browser = app.browser();
        let way = Way::begin(&mut browser).await;
        let code = bjorns_code(&idp, &app, &way);
        idp.is(mood);
        let page = way.back(&mut browser, &code).await;
        page.is(502).says("doesn't answer as it should");
        page.says("Email address");
    }
    let page = app.browser().post("/sign-in", "sign-in/with", &[("provider", "other")]).await;
    page.is(404);
}

#[apply(on_both!)]
async fn new_keys_of_a_provider_are_asked_for(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    bjorn_links(&idp, &app).await;
    idp.has_key(2);
    // Keys are kept for a minute, whatever anybody shows.
    idp.visit(&app, &mut app.browser(), "b", BJORN.email).await.is(409);
    app.forward_seconds(61);
    idp.visit(&app, &mut app.browser(), "b", BJORN.email).await.is(303);
}

#[apply(on_both!)]
async fn only_the_login_with_the_address_is_linked(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    let mut tom = app.as_person(TOM).await;
    let page = idp.visit(&app, &mut tom, "b", BJORN.email).await;
    assert_eq!(page.is(303).leads_to(), "/sign-in?next=/sign-in/link");
    tom.get(LINK).await.is(200).says("at Acme Login you are bjorn@ledger.example");
    let page = tom.post(LINK, "sign-in/link", &[("about", "")]).await;
    page.is(409).says("You are signed in with another login");
    assert!(app.mails_to(TOM.email).await.iter().all(|kind| *kind != "identity_changed"));
    let mut other = app.browser();
    other.post(LINK, "sign-in/link", &[("about", "")]).await.is(401);
    sign_in_to_link(&mut other).await.is(303);
    let page = other.post(LINK, "sign-in/link", &[("about", "")]).await;
    page.is(409).says("took too long");
    other.get(LINK).await.is(200).says("Sign in again");
}

#[apply(on_both!)]
async fn linking_takes_a_fresh_proof(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    app.forward_seconds(601);
    let page = idp.visit(&app, &mut bjorn, "b", BJORN.email).await;
    assert_eq!(page.is(303).leads_to(), LINK);
    let page = bjorn.post(LINK, "sign-in/link", &[("about", "")]).await;
    page.is(401).says("Confirm that it is you");
    let kept = [("password", PASSWORD), ("kept_form", "sign-in/link"), ("kept.about", "")];
    let page = bjorn.submit(LINK, "sign-in/confirm", &kept).await;
    page.is(200).says("Acme Login is linked to your login");
}

#[apply(on_both!)]
async fn beside_a_second_factor_linking_takes_it(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (_, codes) = app.turn_app_on(&mut bjorn).await;
    app.forward_seconds(601);
    let page = idp.visit(&app, &mut bjorn, "b", BJORN.email).await;
    assert_eq!(page.is(303).leads_to(), LINK);
    let page = bjorn.post(LINK, "sign-in/link", &[("about", "")]).await;
    page.is(401).says("Your login has a second factor");
    let kept = [("password", PASSWORD), ("kept_form", "sign-in/link"), ("kept.about", "")];
    let page = bjorn.post(LINK, "sign-in/confirm", &kept).await;
    page.is(401).says("Your login has a second factor");
    let by_code = |code| {
        [
            ("by", "code"),
            ("code", code),
            ("takes_factor", "true"),
            ("kept_form", "sign-in/link"),
            ("kept.about", ""),
        ]
    };
    let page = bjorn.submit(LINK, "sign-in/confirm-by-factor", &by_code(&codes[0])).await;
    page.is(200).says("Acme Login is linked to your login");
    app.forward_seconds(601);
    let path = unlink_path(&mut bjorn).await;
    unlink(&mut bjorn, &path).await.is(401).says("Your login has a second factor");
}

#[apply(on_both!)]
async fn a_sign_in_is_as_fresh_as_the_provider_says(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    bjorn_links(&idp, &app).await;
    let now = app.latchkey.now().as_micros() / 1_000_000;
    for (proven, status) in [
        (json!(now), 303),
        (json!(now - 601), 401),
        (Value::Null, 401),
        // Nobody proves anything in the future.
        (json!(now + 86_400), 303),
    ] {
        let mut browser = app.browser();
        let way = Way::begin(&mut browser).await;
        let mut claims = idp.claims(&app, &way, "b", BJORN.email);
        claims["auth_time"] = proven.clone();
        way.back(&mut browser, &idp.code(&way, &idp.sign(&claims))).await.is(303);
        let page = browser.post("/security", "security/begin-app", &[]).await;
        assert_eq!(page.status.as_u16(), status, "{proven}");
    }
    app.forward_seconds(601);
}

#[apply(on_both!)]
async fn a_link_is_removed_with_everything_that_began_by_it(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    let mut bjorn = bjorn_links(&idp, &app).await;
    let mut other = app.browser();
    idp.visit(&app, &mut other, "b", BJORN.email).await.is(303);
    assert!(is_in(&mut other).await);
    let path = unlink_path(&mut bjorn).await;
    app.as_person(TOM).await.get(&path).await.is(404);
    bjorn.get(&path).await.is(200).says("Remove the link to Acme Login?");
    app.forward_seconds(601);
    unlink(&mut bjorn, &path).await.is(401).says("Confirm that it is you");
    bjorn.post(&path, "sign-in/confirm", &[("password", PASSWORD)]).await.is(422);
    let page = unlink(&mut bjorn, &path).await;
    assert_eq!(page.is(303).leads_to(), "/security");
    bjorn.get("/security").await.is(200).says("Acme Login no longer opens your login");
    assert_eq!(app.mails_to(BJORN.email).await[0], "identity_changed");
    assert!(!is_in(&mut other).await);
    unlink(&mut bjorn, &path).await.is(404);
    let page = idp.visit(&app, &mut other, "b", BJORN.email).await;
    assert_eq!(page.is(303).leads_to(), "/sign-in?next=/sign-in/link");
    assert!(!is_in(&mut other).await);
}

#[apply(on_both!)]
async fn a_link_removed_meanwhile_ends_a_sign_in_that_is_half_way(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    let mut bjorn = bjorn_links(&idp, &app).await;
    let (key, _) = app.turn_app_on(&mut bjorn).await;
    let (mut there, mut half_way) = (app.browser(), app.browser());
    let way = Way::begin(&mut there).await;
    idp.visit(&app, &mut half_way, "b", BJORN.email).await.is(303);
    let path = unlink_path(&mut bjorn).await;
    unlink(&mut bjorn, &path).await.is(303);
    let code = app.next_code(&key);
    let fields = [("code", &*code), ("next", BAKERY)];
    let step = "/sign-in/second-factor";
    half_way.post(step, "sign-in/second-factor", &fields).await.is(409);
    let code = bjorns_code(&idp, &app, &way);
    let page = way.back(&mut there, &code).await;
    assert_eq!(page.is(303).leads_to(), "/sign-in?next=/sign-in/link");
    assert!(!is_in(&mut there).await && !is_in(&mut half_way).await);
}

#[apply(on_both!)]
async fn nobody_is_led_to_another_site(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    bjorn_links(&idp, &app).await;
    for next in ["//evil.example", "https://evil.example", "/\\evil.example", ""] {
        let mut browser = app.browser();
        let way = Way::begin_to(&mut browser, next).await;
        let code = bjorns_code(&idp, &app, &way);
        let page = way.back(&mut browser, &code).await;
        assert_eq!(page.is(303).leads_to(), "/accounts", "{next}");
    }
}

#[apply(on_both!)]
async fn another_node_takes_the_browser_back(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    bjorn_links(&idp, &app).await;
    let mut browser = app.browser();
    let way = Way::begin(&mut browser).await;
    let node = app.another_node(&app.db.url).await;
    let mut browser = browser.at(&node);
    let code = bjorns_code(&idp, &app, &way);
    way.back(&mut browser, &code).await.is(303);
    assert!(is_in(&mut browser).await);
}

#[apply(on_both!)]
async fn an_invitation_is_come_back_to(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    bjorn_links(&idp, &app).await;
    let mut mei = app.as_person(domain::demo::MEI).await;
    let fields = [("account", "100002"), ("email", BJORN.email), ("permissions[]", "billing.view")];
    mei.post("/accounts/100002/users/invite", "users/invite", &fields).await.is(303);
    let link = app.invitation_link(BJORN.email).await;
    let mut browser = app.browser();
    browser.get(&link).await.is(200).says("Sign in with Acme Login");
    let fields = [("provider", "acme"), ("next", &*link)];
    browser.post(&link, "sign-in/with", &fields).await.is(303);
    let way = Way::begin_to(&mut browser, &link).await;
    let code = bjorns_code(&idp, &app, &way);
    let page = way.back(&mut browser, &code).await;
    assert_eq!(page.is(303).leads_to(), link);
    let page = browser.get(&link).await;
    page.is(200).says("You are signed in as bjorn@ledger.example");
    browser.fill_in(&page, "invitations/join", &[]).await.is(303);
}

#[apply(on_both!)]
async fn nothing_secret_is_logged_on_the_way(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = idp.app(db).await;
    let log = Log::default();
    let writer = {
        let log = log.clone();
        move || log.clone()
    };
    let subscriber = tracing_subscriber::fmt().with_writer(writer).finish();
    let _listening = tracing::subscriber::set_default(subscriber);
    let mut browser = bjorn_links(&idp, &app).await;
    let way = Way::begin(&mut browser).await;
    let token = idp.sign(&idp.claims(&app, &way, "b", BJORN.email));
    let code = idp.code(&way, &token);
    // Other tests, that listen to nothing, pass the same places at the same time.
    tracing::callsite::rebuild_interest_cache();
    way.back(&mut browser, &code).await.is(303);
    let failing = Way::begin(&mut browser).await;
    failing.back(&mut browser, "a-code-of-nobody").await.is(409);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("an identity provider vouched"), "{log}");
    assert!(log.contains("an identity provider didn't vouch for anybody"), "{log}");
    let secrets = [
        SECRET,
        &way.state,
        &way.nonce,
        &way.challenge,
        &token,
        &code,
        "a-code-of-nobody",
        "the-access-token",
        PASSWORD,
    ];
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
