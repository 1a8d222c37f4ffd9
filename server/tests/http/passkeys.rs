//! Signing in with a passkey, and adding, using and removing one.

use axum::http::header;
use domain::demo::{BJORN, INGRID, PASSWORD, TOM};
use test_database::{TestDatabase, apply};

use crate::authenticator::{Authenticator, IS_COPIED, MAY_BE_COPIED};
use crate::story::{BAKERY, Browser, Page, TestApp, post};

const STEP: &str = "/sign-in/second-factor";
const ADD: &str = "/security/passkeys/add";

/// What software does to an answer, in words.
type Oddity = (&'static str, fn(&mut serde_json::Value));

/// What the server function answers when it is to ask the browser, as the page's script calls it.
async fn ask(browser: &mut Browser, by: &str, fields: &[(&str, &str)]) -> Page {
    let mut body = form_urlencoded::Serializer::new(String::new());
    let body = body.extend_pairs(fields).finish();
    let mut request = post(&format!("/api/{by}"), body);
    request.headers_mut().insert(header::ACCEPT, "application/json".parse().unwrap());
    browser.send(request).await
}

/// What it asks the browser.
pub async fn question(browser: &mut Browser, by: &str, fields: &[(&str, &str)]) -> String {
    let answer = ask(browser, by, fields).await;
    serde_json::from_str(&answer.is(200).body).unwrap()
}

/// Adds this device's passkey; answers the page and the recovery codes on it.
pub async fn add(
    browser: &mut Browser,
    device: &mut Authenticator,
    name: &str,
) -> (Page, Vec<String>) {
    browser.submit("/security", "security/begin-passkey", &[]).await.is(200);
    let asked = question(browser, "security/ask-to-make-passkey", &[("name", name)]).await;
    let fields = [("name", name), ("credential", &device.make(&asked))];
    let page = browser.submit(ADD, "security/add-passkey", &fields).await;
    page.is(200).says("Passkey added");
    let codes = page.body.split("<ul class=\"recovery-codes\">").nth(1).unwrap_or_default();
    let codes = codes.split("</ul>").next().unwrap_or_default().replace("<!>", "");
    let codes =
        codes.split("<code translate=\"no\">").skip(1).map(|code| code[..29].to_owned()).collect();
    (page, codes)
}

async fn sign_in(browser: &mut Browser, device: &mut Authenticator) -> Page {
    let asked = question(browser, "sign-in/ask-for-passkey", &[]).await;
    give(browser, &device.sign(&asked)).await
}

async fn give(browser: &mut Browser, credential: &str) -> Page {
    let fields = [("credential", credential), ("next", BAKERY)];
    let path = format!("/sign-in?next={BAKERY}");
    browser.post(&path, "sign-in/passkey", &fields).await
}

/// Gives the right password, in a browser of its own.
async fn half_way(app: &TestApp) -> Browser {
    let mut browser = app.browser();
    let page = browser.sign_in(BJORN.email, PASSWORD).await;
    page.is(303);
    assert_eq!(page.leads_to(), "/sign-in/second-factor?next=/accounts");
    browser
}

async fn second_step(browser: &mut Browser, device: &mut Authenticator) -> Page {
    let asked = question(browser, "sign-in/ask-for-second-step", &[]).await;
    let fields = [("by", "passkey"), ("credential", &device.sign(&asked)), ("next", BAKERY)];
    browser.post(STEP, "sign-in/second-factor", &fields).await
}

/// The path of the page of the passkey with this name.
async fn path_of(browser: &mut Browser, name: &str) -> String {
    let page = browser.get("/security").await;
    let row = page.row_of(name);
    let path = row.split("href=\"").nth(1).unwrap();
    path.split(['"', '?']).next().unwrap().to_owned()
}

fn id_in(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[apply(on_sqlite!)]
async fn a_passkey_signs_in_without_a_password(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let mut phone = Authenticator::new(1);
    let (page, codes) = add(&mut bjorn, &mut phone, "My phone").await;
    assert_eq!(codes.len(), 10);
    assert!(page.row_of("My phone").contains("Never"));
    page.says("10 left");
    assert_eq!(app.mails_to(BJORN.email).await[0], "factor_changed");

    let mut browser = app.browser();
    let page = browser.get("/sign-in").await;
    page.is(200).says("Sign in with a passkey");
    let hint = page.between("<span class=\"without-script\">", "</span>");
    assert_eq!(hint, "This takes JavaScript.", "a script takes it away");
    assert!(page.body.contains("src=\"/passkeys.js\""));
    assert!(page.input("id=\"email\"").contains("autocomplete=\"username webauthn\""));
    let page = sign_in(&mut browser, &mut phone).await;
    page.is(303);
    assert_eq!(page.leads_to(), BAKERY);
    browser.get(BAKERY).await.is(200);
    assert!(!browser.get("/security").await.row_of("My phone").contains("Never"));
    browser.submit("/security", "security/begin-app", &[]).await.says("Scan this code");
}

#[apply(on_sqlite!)]
async fn a_passkey_goes_on_when_its_software_begins_to_keep_copies(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut phone = Authenticator::new(1);
    add(&mut app.as_person(BJORN).await, &mut phone, "Phone").await;
    phone.copies = IS_COPIED;
    for _ in 0..2 {
        let mut browser = app.browser();
        sign_in(&mut browser, &mut phone).await.is(303);
        browser.get(BAKERY).await.is(200);
    }
    second_step(&mut half_way(&app).await, &mut phone).await.is(303);
    phone.copies = MAY_BE_COPIED;
    sign_in(&mut app.browser(), &mut phone).await.is(303);
    phone.copies = 0;
    let page = sign_in(&mut app.browser(), &mut phone).await;
    page.is(422).says("it was in several before");
    // Copies of what can't be copied.
    phone.copies = IS_COPIED & !MAY_BE_COPIED;
    sign_in(&mut app.browser(), &mut phone).await.is(422);
    phone.copies = IS_COPIED;
    sign_in(&mut app.browser(), &mut phone).await.is(303);
}

#[apply(on_sqlite!)]
async fn nobody_elses_signature_says_that_there_are_copies(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut phone = Authenticator::new(1);
    add(&mut app.as_person(BJORN).await, &mut phone, "Phone").await;
    let asked = question(&mut app.browser(), "sign-in/ask-for-passkey", &[]).await;
    let mut forged: serde_json::Value = serde_json::from_str(&phone.sign(&asked)).unwrap();
    let mut copied = phone.clone();
    copied.copies = IS_COPIED;
    let other: serde_json::Value = serde_json::from_str(&copied.sign(&asked)).unwrap();
    forged["response"]["authenticatorData"] = other["response"]["authenticatorData"].clone();
    give(&mut app.browser(), &forged.to_string()).await.is(422);
    sign_in(&mut app.browser(), &mut phone).await.is(303);
}

#[apply(on_sqlite!)]
async fn answers_are_taken_as_odd_software_writes_them(db: TestDatabase) {
    use serde_json::{Value, json};
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let mut phone = Authenticator::new(1);
    bjorn.submit("/security", "security/begin-passkey", &[]).await.is(200);
    let asked = question(&mut bjorn, "security/ask-to-make-passkey", &[("name", "Phone")]).await;
    let mut made: Value = serde_json::from_str(&phone.make(&asked)).unwrap();
    made["response"]["transports"] = json!(["smart-card", 7, null]);
    made["clientExtensionResults"] = json!({ "credProps": { "rk": "perhaps" } });
    let fields = [("name", "Phone"), ("credential", &*made.to_string())];
    bjorn.submit(ADD, "security/add-passkey", &fields).await.is(200).says("Passkey added");

    let odd: [Oddity; 7] = [
        ("whose it is, with nothing", |answer| answer["response"]["userHandle"] = json!("")),
        ("whose it is, not at all", |answer| {
            answer["response"].as_object_mut().unwrap().remove("userHandle");
        }),
        ("extensions that are none", |answer| answer["clientExtensionResults"] = Value::Null),
        ("extensions of another type", |answer| answer["extensions"] = json!({ "appid": "x" })),
        ("no type and no id in bytes", |answer| {
            answer.as_object_mut().unwrap().remove("type");
            answer.as_object_mut().unwrap().remove("rawId");
        }),
        ("padding", |answer| {
            let id = format!("{}==", answer["rawId"].as_str().unwrap());
            answer["rawId"] = json!(id);
        }),
        ("the other alphabet", |answer| {
            let data = answer["response"]["authenticatorData"].as_str().unwrap();
            let data = data.replace('-', "+").replace('_', "/");
            answer["response"]["authenticatorData"] = json!(data);
        }),
    ];
    for (what, change) in odd {
        let asked = question(&mut app.browser(), "sign-in/ask-for-passkey", &[]).await;
        let mut answer: Value = serde_json::from_str(&phone.sign(&asked)).unwrap();
        change(&mut answer);
        let mut browser = app.browser();
        let page = give(&mut browser, &answer.to_string()).await;
        assert_eq!(page.status, 303, "{what}: {}", page.words());
        browser.get(BAKERY).await.is(200).says(BJORN.name);
    }
    // What says that it is somebody else's isn't theirs, nor is a passkey that nobody has.
    let asked = question(&mut app.browser(), "sign-in/ask-for-passkey", &[]).await;
    let mut answer: Value = serde_json::from_str(&phone.sign(&asked)).unwrap();
    answer["response"]["userHandle"] = json!("AAAAAAAAAAAAAAAAAAAAAA");
    give(&mut app.browser(), &answer.to_string()).await.is(422).says("doesn't open anything here");
    let mut other = Authenticator::new(2);
    other.says_whose = false;
    sign_in(&mut app.browser(), &mut other).await.is(422).says("doesn't open anything here");
    phone.says_whose = false;
    second_step(&mut half_way(&app).await, &mut phone).await.is(303);
}

#[apply(on_sqlite!)]
async fn an_answer_opens_once_also_of_many_at_once(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut phone = Authenticator::new(1);
    add(&mut app.as_person(BJORN).await, &mut phone, "Phone").await;
    let mut browser = app.browser();
    let asked = question(&mut browser, "sign-in/ask-for-passkey", &[]).await;
    let answer = phone.sign(&asked);
    let running: Vec<_> = (0..10)
        .map(|_| {
            let (mut browser, answer) = (app.browser(), answer.clone());
            tokio::spawn(async move { give(&mut browser, &answer).await })
        })
        .collect();
    let mut opened = 0;
    for one in running {
        let page = one.await.unwrap();
        match page.status.as_u16() {
            303 => opened += 1,
            _ => page.is(409).says("That took too long or was sent already"),
        }
    }
    assert_eq!(opened, 1);
}

#[apply(on_sqlite!)]
async fn two_nodes_share_what_was_asked(db: TestDatabase) {
    let url = db.url.clone();
    let app = TestApp::new(db).await;
    let mut phone = Authenticator::new(1);
    add(&mut app.as_person(BJORN).await, &mut phone, "Phone").await;
    let mut browser = app.browser();
    let asked = question(&mut browser, "sign-in/ask-for-passkey", &[]).await;
    let mut elsewhere = browser.at(&app.another_node(&url).await);
    give(&mut elsewhere, &phone.sign(&asked)).await.is(303);
}

#[apply(on_sqlite!)]
async fn an_answer_counts_for_minutes_and_for_what_was_asked(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut phone = Authenticator::new(1);
    let mut bjorn = app.as_person(BJORN).await;
    add(&mut bjorn, &mut phone, "Phone").await;
    let mut browser = app.browser();
    let asked = question(&mut browser, "sign-in/ask-for-passkey", &[]).await;
    app.forward_seconds(300);
    give(&mut browser, &phone.sign(&asked)).await.is(409).says("That took too long");
    let proof = question(&mut bjorn, "security/ask-for-proof", &[]).await;
    give(&mut browser, &phone.sign(&proof)).await.is(409);
}

#[apply(on_sqlite!)]
async fn what_the_browser_didnt_give_is_said_in_words(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.browser();
    for (answer, words) in [
        ("", "This takes JavaScript"),
        ("NotAllowedError", "No passkey was used"),
        ("NotSupportedError", "can't use passkeys here"),
        ("{\"no\": \"credential\"}", "doesn't open anything here"),
    ] {
        let page = give(&mut browser, answer).await;
        page.is(422).says(words);
        assert!(page.title().starts_with("Error: "), "{}", page.title());
        assert!(page.input("name=\"next\"").contains(BAKERY));
    }
}

#[apply(on_sqlite!)]
async fn what_isnt_signed_right_opens_nothing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut phone = Authenticator::new(1);
    add(&mut app.as_person(BJORN).await, &mut phone, "Phone").await;
    let mut tom = Authenticator::new(2);
    add(&mut app.as_person(TOM).await, &mut tom, "Tom's").await;
    let mut browser = app.browser();
    let refused = |page: Page| page.is(422).says("doesn't open anything here");

    let mut elsewhere = phone.clone();
    elsewhere.origin = "https://my.provider.example.evil.example".to_owned();
    refused(sign_in(&mut browser, &mut elsewhere).await);
    let mut unlocked = phone.clone();
    unlocked.verifies = false;
    refused(sign_in(&mut browser, &mut unlocked).await);
    let asked = question(&mut browser, "sign-in/ask-for-passkey", &[]).await;
    let (mine, theirs) = (phone.sign(&asked), tom.sign(&asked));
    let signature = |answer: &str| {
        let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
        answer["response"]["signature"].as_str().unwrap().to_owned()
    };
    let forged = mine.replace(&signature(&mine), &signature(&theirs));
    refused(give(&mut browser, &forged).await);
    let asked = question(&mut browser, "sign-in/ask-for-passkey", &[]).await;
    let handle = |answer: &str| {
        let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
        answer["response"]["userHandle"].as_str().unwrap().to_owned()
    };
    let mine = phone.sign(&asked);
    refused(give(&mut browser, &mine.replace(&handle(&mine), &handle(&theirs))).await);
    refused(sign_in(&mut browser, &mut Authenticator::new(3)).await);
    browser.get(BAKERY).await.is(302);
}

#[apply(on_sqlite!)]
async fn a_copy_is_noticed_by_its_counter(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut phone = Authenticator::new(1);
    let mut bjorn = app.as_person(BJORN).await;
    phone.counter = 4;
    add(&mut bjorn, &mut phone, "Phone").await;
    let copy = phone.clone();
    phone.counter = 6;
    sign_in(&mut app.browser(), &mut phone).await.is(303);
    for counter in [0, 4, 5, 6] {
        let mut copy = copy.clone();
        copy.counter = counter;
        sign_in(&mut app.browser(), &mut copy).await.is(422).says("there may be a copy of it");
    }
    phone.counter = 7;
    sign_in(&mut app.browser(), &mut phone).await.is(303);
}

#[apply(on_sqlite!)]
async fn a_password_alone_opens_nothing_beside_a_passkey(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let mut phone = Authenticator::new(1);
    let (_, codes) = add(&mut bjorn, &mut phone, "Phone").await;
    let mut browser = half_way(&app).await;
    browser.get(BAKERY).await.is(302);
    let page = browser.get(STEP).await;
    page.is(200).says("Use a passkey");
    page.says("One of your recovery codes");
    let page = browser.post(STEP, "sign-in/second-factor", &[("by", "passkey")]).await;
    page.is(422).says("This takes JavaScript");
    assert_eq!(page.words().matches("There is a problem").count(), 1);
    second_step(&mut browser, &mut phone).await.is(303);
    browser.get(BAKERY).await.is(200);

    let fields = [("by", "code"), ("code", codes[0].as_str())];
    half_way(&app).await.post(STEP, "sign-in/second-factor", &fields).await.is(303);
}

#[apply(on_sqlite!)]
async fn the_second_step_takes_only_the_login_s_own_passkey(db: TestDatabase) {
    let app = TestApp::new(db).await;
    add(&mut app.as_person(BJORN).await, &mut Authenticator::new(1), "Phone").await;
    let mut toms = Authenticator::new(2);
    add(&mut app.as_person(TOM).await, &mut toms, "Tom's").await;
    let mut browser = half_way(&app).await;
    let page = second_step(&mut browser, &mut toms).await;
    page.is(422).says("doesn't open anything here");
    ask(&mut app.browser(), "sign-in/ask-for-second-step", &[]).await.is(409);
}

#[apply(on_sqlite!)]
async fn a_passkey_that_was_removed_ends_what_is_half_way(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (mut phone, mut key) = (Authenticator::new(1), Authenticator::new(2));
    add(&mut bjorn, &mut phone, "Phone").await;
    add(&mut bjorn, &mut key, "Key").await;
    let (mut by_password, mut by_passkey) = (half_way(&app).await, app.browser());
    let step = question(&mut by_password, "sign-in/ask-for-second-step", &[]).await;
    let first = question(&mut by_passkey, "sign-in/ask-for-passkey", &[]).await;
    let path = path_of(&mut bjorn, "Phone").await;
    let passkey = [("passkey", id_in(&path))];
    bjorn.submit(&path, "security/remove-passkey", &passkey).await.says("Passkey removed");

    let fields = [("by", "passkey"), ("credential", &phone.sign(&step))];
    let page = by_password.post(STEP, "sign-in/second-factor", &fields).await;
    page.is(409).says("Sign in again");
    let page = give(&mut by_passkey, &phone.sign(&first)).await;
    page.is(422).says("doesn't open anything here");
    sign_in(&mut app.browser(), &mut key).await.is(303);
}

#[apply(on_sqlite!)]
async fn a_passkey_confirms_who_one_is(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let mut phone = Authenticator::new(1);
    add(&mut ingrid, &mut phone, "Phone").await;
    app.forward_hours(1);
    let path = format!("{BAKERY}/users/invite");
    let page = ingrid.invite("kari@elsewhere.example", &["billing.view"]).await;
    page.is(401).says("Use a passkey");
    let kept = [
        ("kept_form", "users/invite"),
        ("kept.account", "100001"),
        ("kept.email", "kari@elsewhere.example"),
        ("kept.permissions[]", "billing.view"),
    ];
    let with = |credential| [&[("by", "passkey"), ("credential", credential)], &kept[..]].concat();
    let confirm = "sign-in/confirm-by-factor";
    let page = ingrid.post(&path, confirm, &with("NotAllowedError")).await;
    page.is(422).says("No passkey was used");
    assert!(page.body.contains("name=\"kept.email\" value=\"kari@elsewhere.example\""));
    let asked = question(&mut ingrid, "security/ask-for-proof", &[]).await;
    let answer = phone.sign(&asked);
    let page = ingrid.submit(&path, confirm, &with(&answer)).await;
    page.is(200).says("Invitation sent to kari@elsewhere.example");
    app.forward_hours(1);
    ingrid.post(&path, confirm, &with(&answer)).await.is(409);
}

#[apply(on_sqlite!)]
async fn another_session_s_answer_confirms_nothing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let mut phone = Authenticator::new(1);
    add(&mut ingrid, &mut phone, "Phone").await;
    let mut elsewhere = app.browser();
    sign_in(&mut elsewhere, &mut phone).await.is(303);
    let asked = question(&mut elsewhere, "security/ask-for-proof", &[]).await;
    let answer = phone.sign(&asked);
    let fields = [("by", "passkey"), ("credential", answer.as_str()), ("kept_form", "x")];
    let page = ingrid.post("/security", "sign-in/confirm-by-factor", &fields).await;
    page.is(409);
}

#[apply(on_sqlite!)]
async fn another_factor_takes_the_one_that_there_is(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (key, codes) = app.turn_app_on(&mut bjorn).await;
    app.forward_seconds(601);
    let begin = "security/begin-passkey";
    let page = bjorn.post("/security", begin, &[]).await;
    page.is(401).says("Your login has a second factor");
    assert!(!page.body.contains("name=\"password\""), "the password isn't asked for");
    let by_password = [("password", PASSWORD), ("kept_form", begin)];
    let page = bjorn.post("/security", "sign-in/confirm", &by_password).await;
    page.is(401).says("Your login has a second factor");
    ask(&mut bjorn, "security/ask-to-make-passkey", &[("name", "Phone")]).await.is(401);
    bjorn.post("/security", "security/begin-app", &[]).await.is(401);

    let by_code =
        |code| [("by", "code"), ("code", code), ("takes_factor", "true"), ("kept_form", begin)];
    let confirm = "sign-in/confirm-by-factor";
    let page = bjorn.post("/security", confirm, &by_code("123456")).await;
    page.is(422).says("Your login has a second factor");
    let code = app.next_code(&key);
    bjorn.submit("/security", confirm, &by_code(&code)).await.is(200).says("Create passkey");
    add(&mut bjorn, &mut Authenticator::new(1), "Phone").await;
    app.forward_seconds(601);
    let page = bjorn.submit("/security", confirm, &by_code(&codes[0])).await;
    page.is(200).says("Create passkey");
}

#[apply(on_sqlite!)]
async fn adding_and_removing_take_a_fresh_proof(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let mut phone = Authenticator::new(1);
    let make = "security/ask-to-make-passkey";
    let made = phone.make(&question(&mut ingrid, make, &[("name", "Phone")]).await);
    app.forward_seconds(601);
    ingrid.post("/security", "security/begin-passkey", &[]).await.is(401).says("Confirm");
    ask(&mut ingrid, make, &[("name", "Phone")]).await.is(401);
    let fields = [("name", "Phone"), ("credential", made.as_str())];
    ingrid.post(ADD, "security/add-passkey", &fields).await.is(401);
    let kept = [("password", PASSWORD), ("kept_form", "security/begin-passkey")];
    let page = ingrid.submit("/security", "sign-in/confirm", &kept).await;
    page.is(200).says("Create passkey");
    add(&mut ingrid, &mut phone, "Phone").await;
    app.forward_seconds(601);
    let path = path_of(&mut ingrid, "Phone").await;
    let passkey = [("passkey", id_in(&path))];
    ingrid.post(&path, "security/remove-passkey", &passkey).await.is(401);
}

#[apply(on_sqlite!)]
async fn a_passkey_has_a_name(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let mut phone = Authenticator::new(1);
    let make = "security/ask-to-make-passkey";
    ask(&mut ingrid, make, &[("name", " ")]).await.is(422);
    let page = ingrid.post(ADD, "security/add-passkey", &[("name", ""), ("credential", "")]).await;
    page.is(422).says("Enter a name for the passkey");
    add(&mut ingrid, &mut phone, "Ph<b>one").await;
    let path = path_of(&mut ingrid, "Ph&lt;b").await;
    let rename = |name| [("passkey", id_in(&path)), ("name", name)];
    let long = "x".repeat(101);
    let page = ingrid.post(&path, "security/rename-passkey", &rename(&long)).await;
    page.is(422).says("Shorten the name");
    assert!(page.input("id=\"name\"").contains(&long));
    let page = ingrid.submit(&path, "security/rename-passkey", &rename("Work phone")).await;
    page.says("Work phone");
    let mut tom = app.as_person(TOM).await;
    tom.get(&path).await.is(404);
    tom.post(&path, "security/rename-passkey", &rename("Tom's")).await.is(404);
    let passkey = [("passkey", id_in(&path))];
    tom.post(&path, "security/remove-passkey", &passkey).await.is(404);
}

#[apply(on_sqlite!)]
async fn one_passkey_is_added_once(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let mut phone = Authenticator::new(1);
    add(&mut ingrid, &mut phone, "Phone").await;
    let make = "security/ask-to-make-passkey";
    let asked = question(&mut ingrid, make, &[("name", "Again")]).await;
    assert!(asked.contains("excludeCredentials"), "{asked}");
    let fields = [("name", "Again"), ("credential", &phone.make(&asked))];
    let page = ingrid.post(ADD, "security/add-passkey", &fields).await;
    assert!(page.status == 422, "{}", page.words());
    let fields = [("name", "Again"), ("credential", "InvalidStateError")];
    let page = ingrid.post(ADD, "security/add-passkey", &fields).await;
    page.is(422).says("There is a passkey for your login on this device already");
    assert!(page.input("id=\"name\"").contains("Again"));

    let asked = question(&mut ingrid, make, &[("name", "Key")]).await;
    let made = Authenticator::new(2).make(&asked);
    let running: Vec<_> = (0..5)
        .map(|_| {
            let (mut ingrid, made) = (ingrid.clone(), made.clone());
            tokio::spawn(async move {
                let fields = [("name", "Key"), ("credential", made.as_str())];
                ingrid.post(ADD, "security/add-passkey", &fields).await.status.as_u16()
            })
        })
        .collect();
    let mut added = Vec::new();
    for one in running {
        added.push(one.await.unwrap());
    }
    added.sort_unstable();
    assert_eq!(added, [303, 409, 409, 409, 409]);
}

#[apply(on_sqlite!)]
async fn removing_the_last_factor_takes_one(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let mut phone = Authenticator::new(1);
    let (_, codes) = add(&mut bjorn, &mut phone, "Phone").await;
    let path = path_of(&mut bjorn, "Phone").await;
    let passkey = ("passkey", id_in(&path));
    let page = bjorn.get(&path).await;
    page.says("your only second factor");
    page.says("Remove with a passkey");
    let remove = "security/remove-passkey";
    bjorn.post(&path, remove, &[passkey]).await.is(422).says("Enter the code");
    let wrong = [passkey, ("by", "code"), ("code", "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA")];
    bjorn.post(&path, remove, &wrong).await.is(422).says("This code is wrong");
    let mut elsewhere = app.browser();
    sign_in(&mut elsewhere, &mut phone).await.is(303);
    let right = [passkey, ("by", "code"), ("code", codes[2].as_str())];
    bjorn.submit(&path, remove, &right).await.is(200).says("Passkey removed");
    assert_eq!(app.mails_to(BJORN.email).await[0], "factor_changed");
    elsewhere.get("/security").await.is(302);
    let page = app.browser().sign_in(BJORN.email, PASSWORD).await;
    assert_eq!(page.leads_to(), "/accounts");

    add(&mut bjorn, &mut phone, "Phone").await;
    let path = path_of(&mut bjorn, "Phone").await;
    let asked = question(&mut bjorn, "security/ask-for-proof", &[]).await;
    let answer = phone.sign(&asked);
    let by_itself = [("passkey", id_in(&path)), ("by", "passkey"), ("credential", answer.as_str())];
    bjorn.submit(&path, remove, &by_itself).await.is(200).says("Passkey removed");
}

#[apply(on_sqlite!)]
async fn a_short_password_stands_beside_a_passkey_and_not_alone(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let (_, codes) = add(&mut bjorn, &mut Authenticator::new(1), "Phone").await;
    let fields = [("password", PASSWORD), ("new_password", "8 chars!")];
    bjorn.submit("/security", "security/change-password", &fields).await.says("changed");
    let path = path_of(&mut bjorn, "Phone").await;
    let fields = [("passkey", id_in(&path)), ("by", "code"), ("code", codes[0].as_str())];
    let page = bjorn.post(&path, "security/remove-passkey", &fields).await;
    page.is(409).says("too short to stand alone");
}

#[apply(on_sqlite!)]
async fn a_passkey_gives_new_codes_and_turns_the_app_off(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let mut phone = Authenticator::new(1);
    let (_, earlier) = add(&mut bjorn, &mut phone, "Phone").await;
    let proof = async |bjorn: &mut Browser, phone: &mut Authenticator| {
        phone.sign(&question(bjorn, "security/ask-for-proof", &[]).await)
    };
    let path = "/security/recovery-codes";
    bjorn.get(path).await.says("Make new codes with a passkey");
    let answer = proof(&mut bjorn, &mut phone).await;
    let fields = [("by", "passkey"), ("credential", answer.as_str())];
    let page = bjorn.submit(path, "security/renew-codes", &fields).await;
    page.is(200).says("These are your new recovery codes");
    let fields = [("by", "code"), ("code", earlier[0].as_str())];
    half_way(&app).await.post(STEP, "sign-in/second-factor", &fields).await.is(422);

    let (_, none) = app.turn_app_on(&mut bjorn).await;
    assert!(none.is_empty(), "the codes stay as they are");
    let path = "/security/authenticator/off";
    bjorn.get(path).await.says("your second factor is a passkey or a recovery code");
    let answer = proof(&mut bjorn, &mut phone).await;
    let fields = [("by", "passkey"), ("credential", answer.as_str())];
    bjorn.submit(path, "security/turn-app-off", &fields).await.says("app is off");
    half_way(&app).await;
}

#[apply(on_sqlite!)]
async fn joining_by_password_takes_the_passkey_too(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut tom = app.as_person(TOM).await;
    let mut phone = Authenticator::new(1);
    add(&mut tom, &mut phone, "Phone").await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite(TOM.email, &["billing.view"]).await.is(303);
    let link = app.invitation_link(TOM.email).await;
    let mut browser = app.browser();
    let password = [("password", PASSWORD)];
    let form = "invitations/join-with-password";
    let page = browser.open_and_fill_in(&link, form, &password).await;
    page.is(303);
    assert!(page.leads_to().starts_with(STEP), "{}", page.leads_to());
    second_step(&mut browser, &mut phone).await.is(303);
}

#[apply(on_sqlite!)]
async fn users_see_who_has_a_passkey(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    add(&mut bjorn, &mut Authenticator::new(1), "Phone").await;
    let page = app.as_person(INGRID).await.get(&format!("{BAKERY}/users")).await;
    assert!(page.row_of(BJORN.name).contains("On"));
}

#[apply(on_sqlite!)]
async fn asking_without_end_has_to_wait(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.browser();
    for _ in 0..1200 {
        question(&mut browser, "sign-in/ask-for-passkey", &[]).await;
    }
    ask(&mut browser, "sign-in/ask-for-passkey", &[]).await.is(429);
    question(&mut app.browser_at("192.0.2.9"), "sign-in/ask-for-passkey", &[]).await;
}

#[apply(on_sqlite!)]
async fn answering_without_end_has_to_wait(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.browser();
    for _ in 0..600 {
        give(&mut browser, "").await.is(422);
    }
    give(&mut browser, "").await.is(429).says("tried too often");
    give(&mut app.browser_at("192.0.2.9"), "").await.is(422);
}

#[apply(on_sqlite!)]
async fn without_a_name_to_belong_to_there_are_no_passkeys(db: TestDatabase) {
    let app = TestApp::with(db, &[("PUBLIC_URL", "https://192.0.2.80")]).await;
    let mut browser = app.browser();
    let page = browser.get("/sign-in").await;
    assert!(!page.is(200).body.contains("sign-in/passkey"));
    assert!(page.input("id=\"email\"").contains("autocomplete=\"username\""));
    ask(&mut browser, "sign-in/ask-for-passkey", &[]).await.is(404);
}
