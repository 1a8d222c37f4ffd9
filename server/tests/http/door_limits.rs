//! Bad input at the door: every address and every field that its own document tells of, with what can't be
//! taken; names of all sorts; and what comes at the same moment.

use axum::body::Body;
use axum::http::Request;
use domain::demo::{BJORN, INGRID};
use model::{Permission, Terms};
use serde_json::{Map, Value, json};
use test_database::{TestDatabase, apply};

use crate::door::{Answer, System};
use crate::story::{BAKERY, TestApp};

const AT: &str = "2027-06-30T12:00:00Z";
const ORIGIN: &str = "https://my.provider.example/api/v1";

/// What there is one of at the door: where it is, the type that the document calls it, and a good body.
fn things() -> [(&'static str, &'static str, Value); 6] {
    let of_bakery = |mut body: Value| {
        body["account"] = json!("id:100001");
        body
    };
    [
        ("/accounts/one", "Account", json!({ "name": "One" })),
        ("/services/one", "Service", of_bakery(json!({ "name": "One", "renews_at": AT }))),
        ("/domains/one", "Domain", of_bakery(json!({ "name": "one.example", "expires_at": AT }))),
        (
            "/invoices/one",
            "Invoice",
            of_bakery(json!({ "number": "1", "issued_at": AT, "due_at": AT, "total_minor": 1,
                "currency": "NOK" })),
        ),
        (
            "/support-requests/one",
            "SupportRequest",
            of_bakery(json!({ "number": "1", "subject": "One", "last_said_at": AT })),
        ),
        ("/support-requests/one/messages/one", "Message", json!({ "words": "One", "at": AT })),
    ]
}

/// Everything of [`things`], and what the document says of all of it.
async fn prepared(app: &TestApp) -> (System, Value) {
    let system = System::new(app).await;
    for (path, _, body) in things() {
        system.put(path, body).await.is(201);
    }
    let document = system.get("/openapi.json").await.body;
    (system, document)
}

/// The fields of a type that can be written, with what the document says of each.
fn fields_of(document: &Value, name: &str) -> Map<String, Value> {
    let fields = document["components"]["schemas"][name]["properties"].as_object().unwrap();
    let written = fields.iter().filter(|(_, about)| about["readOnly"] != true);
    written.map(|(name, about)| (name.clone(), about.clone())).collect()
}

/// A name in an address.
fn encoded(name: &str) -> String {
    name.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[apply(on_both!)]
async fn every_address_refuses_a_body_that_cannot_be_read(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (system, document) = prepared(&app).await;
    let hook = system.post("/webhooks", json!({ "url": "https://crm.example/" })).await;
    let hook = format!("id:{}", hook.is(201).body["id"].as_str().unwrap());
    let send = async |method: &str, path: &str, kind: &str, body: Vec<u8>| {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request = request.header("authorization", format!("Bearer {}", system.token));
        let request = request.header("content-type", kind);
        system.send(request.body(Body::from(body)).unwrap()).await
    };
    let mut addresses = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let account = path.starts_with("/accounts/{ref}/");
        let reference = match path.as_str() {
            path if path.starts_with("/webhooks") => hook.as_str(),
            _ if account => "id:100001",
            _ => "one",
        };
        let path = path.replace("{ref}", reference).replace("{message}", "one");
        let path = path.replace("{member}", BJORN.email);
        for (method, about) in item.as_object().unwrap() {
            let Some(kind) = about["requestBody"]["content"].as_object() else { continue };
            let (kind, method) = (kind.keys().next().unwrap(), method.to_uppercase());
            let (name, is_batch) = (format!("{method} {path}"), path.ends_with(":batch"));
            addresses += 1;
            let answer = send(&method, &path, "text/plain", b"{}".to_vec()).await;
            assert_eq!(answer.is(415).kind(), "media-type", "{name}");
            for unreadable in [&b"{\"name\": \"\xc3\"}"[..], b"{", b"{} {}"] {
                let answer = send(&method, &path, kind, unreadable.to_vec()).await;
                assert_eq!(answer.is(400).kind(), "bad-request", "{name}");
            }
            let answer = send(&method, &path, kind, b"[]".to_vec()).await;
            assert_eq!(answer.is(422).faults(), [" wrong_type"], "{name}");
            let strange =
                if is_batch { json!({ "items": [], "odd~/x": 1 }) } else { json!({ "odd~/x": 1 }) };
            let answer = send(&method, &path, kind, strange.to_string().into()).await;
            let told = answer.is(422).faults();
            assert!(told.contains(&"/odd~0~1x unknown_field".to_owned()), "{name} {told:?}");
            let most = if is_batch { 4 * 1024 * 1024 } else { 64 * 1024 };
            let answer = send(&method, &path, kind, vec![b' '; most + 1]).await;
            assert_eq!(answer.is(413).kind(), "too-large", "{name}");
            // As long as it may be, it is read.
            let answer = send(&method, &path, kind, vec![b' '; most]).await;
            assert_eq!(answer.is(400).kind(), "bad-request", "{name}");
        }
    }
    assert!(addresses > 15, "{addresses}");
}

#[apply(on_both!)]
async fn every_field_is_taken_as_long_as_the_document_says_and_no_longer(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (system, document) = prepared(&app).await;
    let mut limits = 0;
    for (path, name, good) in things() {
        for (field, about) in fields_of(&document, name) {
            let Some(most) = about["maxLength"].as_u64() else { continue };
            let most = usize::try_from(most).unwrap();
            let letter = if about["pattern"].is_string() { "X" } else { "ø" };
            let with = |length: usize| {
                let mut body = good.clone();
                body[field.as_str()] = json!(letter.repeat(length));
                body
            };
            limits += 1;
            let taken = system.put(path, with(most)).await;
            let kept = &taken.is(200).body[field.as_str()];
            if about["writeOnly"] != true {
                assert_eq!(kept.as_str().unwrap().chars().count(), most, "{path} {field}");
            }
            let refused = system.put(path, with(most + 1)).await;
            assert_eq!(refused.is(422).faults(), [format!("/{field} too_long")], "{path}");
        }
    }
    assert!(limits > 12, "{limits}");
    let link = |length: usize| format!("https://x.example/{}", "x".repeat(length - 18));
    let renew = |length| json!({ "links": { "renew": link(length) } });
    system.patch("/domains/one", renew(2_000)).await.is(200);
    let refused = system.patch("/domains/one", renew(2_001)).await;
    assert_eq!(refused.is(422).faults(), ["/links/renew too_long"]);
    system.post("/webhooks", json!({ "url": link(1_000) })).await.is(201);
    let refused = system.post("/webhooks", json!({ "url": link(1_001) })).await;
    assert_eq!(refused.is(422).faults(), ["/url too_long"]);
}

#[apply(on_both!)]
async fn every_field_of_a_wrong_type_is_refused_by_its_name(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (system, document) = prepared(&app).await;
    let grant = json!({ "permissions": ["billing.view"] });
    let member = format!("/accounts/id:100001/members/{}", BJORN.email);
    let members = [(member.as_str(), "Member", json!({ "grants": [grant] }))];
    for (path, name, good) in things().into_iter().chain(members) {
        for (field, about) in fields_of(&document, name) {
            let types = about["type"].to_string();
            let wrong = match types.as_str() {
                types if types.contains("string") => vec![json!(7), json!({}), json!([""])],
                "\"boolean\"" => vec![json!("true"), json!(1)],
                types if types.contains("integer") => vec![json!("7"), json!(7.5), json!(1e30)],
                types if types.contains("array") => vec![json!("x"), json!({}), json!([7])],
                _ => vec![json!("x"), json!(7), json!([])],
            };
            for value in wrong {
                let mut body = good.clone();
                body[field.as_str()] = value.clone();
                let refused = system.put(path, body).await;
                let told = refused.is(422).faults();
                let at = format!("/{field}");
                assert!(
                    told.len() == 1
                        && told[0].starts_with(&at)
                        && [" wrong_type", " out_of_range"]
                            .iter()
                            .any(|code| told[0].ends_with(code)),
                    "{path} {field} {value}: {told:?}"
                );
            }
        }
    }
}

#[apply(on_both!)]
async fn the_providers_own_ids_may_hold_anything_but_control_characters(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    let long = "ø".repeat(200);
    let odd = ["a/b", "/", "..", " a b ", "a%2Fb", "?q=1&x#y", "'; --", "\u{202e}x", "*", &long];
    for name in odd {
        let path = encoded(name);
        system.put(&format!("/accounts/{path}"), json!({ "name": "Odd" })).await.is(201);
        for (place, _, mut body) in things().into_iter().skip(1).take(4) {
            body["account"] = json!(name);
            let place = place.replace("one", &path);
            let made = system.put(&place, body.clone()).await;
            let made = made.is(201).body.clone();
            assert_eq!((&made["ref"], &made["account"]), (&json!(name), &json!(name)), "{place}");
            assert_eq!(system.get(&place).await.is(200).body, made);
            assert_eq!(system.put(&place, body).await.is(200).body, made);
            let list = place.split('/').nth(1).unwrap();
            let listed = system.get(&format!("/{list}?account={path}")).await;
            assert_eq!(listed.is(200).body["items"], json!([made]));
        }
        let message = format!("/support-requests/{path}/messages/{path}");
        let said = system.put(&message, json!({ "words": "Odd", "at": AT })).await;
        assert_eq!(said.is(201).body["ref"], name);
        system.get(&message).await.is(200);
    }
    let [(_, _, account), (_, _, service), ..] = things();
    for name in ["a\nb", "\u{0}", "\u{85}", "id:", "id:x", &"x".repeat(201), &"x".repeat(300)] {
        let path = encoded(name);
        for (list, body) in [("accounts", &account), ("services", &service)] {
            let refused = system.put(&format!("/{list}/{path}"), body.clone()).await;
            assert_eq!(refused.is(404).kind(), "not-found", "{name:?}");
            let mut row = body.clone();
            row["ref"] = json!(name);
            let refused = system.post(&format!("/{list}:batch"), json!({ "items": [row] })).await;
            assert_eq!(refused.is(422).faults(), ["/items/0/ref malformed"], "{name:?}");
        }
        let mut body = service.clone();
        body["account"] = json!(name);
        let refused = system.put("/services/new", body).await;
        assert_eq!(refused.is(422).faults(), ["/account malformed"], "{name:?}");
        let refused = system.get(&format!("/services?account={path}")).await;
        assert_eq!(refused.is(400).faults(), ["account malformed"], "{name:?}");
    }
    system.put("/services/", service).await.is(404);
}

#[apply(on_both!)]
async fn a_cursor_fits_its_own_list_and_no_other(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (system, _) = prepared(&app).await;
    let page = system.get("/services?limit=1").await;
    let next = page.body["next"].as_str().unwrap().strip_prefix(ORIGIN).unwrap().to_owned();
    system.get(&next).await.is(200);
    let cursor = next.split("cursor=").nth(1).unwrap();
    for list in [
        "/accounts?",
        "/domains?",
        "/invoices?",
        "/support-requests?",
        "/support-requests/one/messages?",
        "/accounts/id:100001/members?",
        "/accounts/id:100001/invitations?",
        "/services?account=id:100001&",
        "/services?updated_since=2027-01-15T08:00:00Z&",
    ] {
        for cursor in [cursor, &cursor[..20], "", "x", "%FF"] {
            let refused = system.get(&format!("{list}cursor={cursor}")).await;
            assert_eq!(refused.is(400).faults(), ["cursor malformed"], "{list} {cursor}");
        }
    }
}

#[apply(on_both!)]
async fn whatever_changed_meanwhile_is_not_written_over(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (system, _) = prepared(&app).await;
    for (path, _, good) in things() {
        let old = system.get(path).await.etag();
        let mut changed = good.clone();
        let field = ["words", "subject", "name", "number"]
            .into_iter()
            .find(|field| good[*field].is_string());
        changed[field.unwrap()] = json!("Two");
        system.put(path, changed).await.is(200);
        let as_read = [("if-match", old.as_str())];
        assert_eq!(
            system.ask("PUT", path, &as_read, good.clone()).await.is(412).kind(),
            "precondition"
        );
        let new = [("if-none-match", "*")];
        assert_eq!(
            system.ask("PUT", path, &new, good.clone()).await.is(412).kind(),
            "precondition"
        );
        let now = system.get(path).await;
        assert_eq!(now.body[field.unwrap()], "Two", "{path}");
        let known = [("if-none-match", now.etag())];
        let known = known.each_ref().map(|(name, tag)| (*name, tag.as_str()));
        let unchanged = system.ask("GET", path, &known, None).await;
        assert_eq!((unchanged.is(304).etag(), &unchanged.body), (now.etag(), &Value::Null));
        system.ask("PUT", path, &[("if-match", &now.etag())], good).await.is(200);
    }
}

/// How many rows of a list of the page, or of the API, are of this plan.
fn planned(page: &str, plan: &str) -> usize {
    page.matches(plan).count()
}

#[apply(on_both!)]
async fn pages_show_all_of_a_thousand_rows_or_none_while_they_are_written(db: TestDatabase) {
    let app = TestApp::with(db, &[("REQUESTS_PER_TOKEN", "100000")]).await;
    let system = System::new(&app).await;
    let mut ingrid = app.as_person(INGRID).await;
    let services = format!("{BAKERY}/services");
    let rows = |plan: &str| {
        let row = |number: usize| {
            json!({ "ref": format!("row-{number}"), "account": "id:100001", "plan": plan,
                "name": format!("A row {number:04}"), "renews_at": AT })
        };
        json!({ "items": (0..1_000).map(row).collect::<Vec<_>>() })
    };
    let mut before = None;
    for plan in ["First plan", "Second plan"] {
        let (writer, body) =
            (System { router: app.router(), token: system.token.clone() }, rows(plan));
        let written = tokio::spawn(async move { writer.post("/services:batch", body).await });
        let mut seen = Vec::new();
        loop {
            let is_over = written.is_finished();
            let page = ingrid.get(&services).await;
            let list = system.get("/services?account=id:100001&limit=200").await;
            let list = list.is(200).body["items"].to_string();
            seen.push((page.is(200).body.clone(), list));
            if is_over {
                break;
            }
        }
        written.await.unwrap().is(200);
        let (page, list) = seen.last().unwrap();
        let all = (planned(page, plan), planned(list, plan));
        assert!(all.0 > 20 && all.1 > 20, "{all:?}");
        for (page, list) in &seen {
            for (text, all) in [(page, all.0), (list, all.1)] {
                let (now, former) =
                    (planned(text, plan), before.map_or(0, |one| planned(text, one)));
                let is_whole = now == all && former == 0;
                let is_before = now == 0 && (former > 20) == before.is_some();
                assert!(is_whole || is_before, "{now} of {all}, and {former} of before");
            }
        }
        before = Some(plan);
    }
}

#[apply(on_both!)]
async fn a_service_that_goes_while_it_is_given_is_in_no_reach(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (system, _) = prepared(&app).await;
    let mut ingrid = app.as_person(INGRID).await;
    let bjorn = app.id_of(BJORN).await;
    let (_, _, service) = &things()[1];
    for _ in 0..5 {
        app.hold(BJORN, [Terms::whole([Permission::BillingView].into_iter().collect())]).await;
        let made = system.put("/services/one", service.clone()).await;
        let id = made.body["id"].as_str().unwrap();
        let page = ingrid.get(&format!("{BAKERY}/users/{bjorn}")).await;
        let fields = [("permissions[]", "services.view"), ("services", "these"), ("service[]", id)];
        let (gone, given) = tokio::join!(
            system.delete("/services/one"),
            ingrid.fill_in(&page, "users/change-permissions", &fields)
        );
        gone.is(204);
        let given = given.status.as_u16();
        assert!([303, 409, 422].contains(&given), "{given}");
        let member = system.get(&format!("/accounts/id:100001/members/{}", BJORN.email)).await;
        let member = member.is(200).body.to_string();
        assert!(!member.contains("\"one\"") && !member.contains(id), "{member}");
        ingrid.get(&format!("{BAKERY}/users")).await.is(200);
    }
}

/// One of two was done, and the other was told so.
#[track_caller]
fn one_won(by_provider: &Answer, done: u16, on_page: u16) -> bool {
    let provider = by_provider.status.as_u16();
    let won = provider == done;
    assert_eq!(won, on_page != 303, "{provider} {on_page}");
    assert!(won || [404, 409].contains(&provider), "{provider}");
    won
}

#[apply(on_both!)]
async fn an_invitation_that_is_taken_back_while_it_is_accepted_has_one_outcome(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let system = System::new(&app).await;
    for email in ["kari@new.example", "ola@new.example", "per@new.example"] {
        let invite = json!({ "grants": [{ "permissions": ["billing.view"] }], "invite": "now" });
        let path = format!("/accounts/id:100001/members/{email}");
        let invited = system.put(&path, invite).await;
        let id = invited.is(202).body["id"].as_str().unwrap().to_owned();
        let link = app.invitation_link(email).await;
        let token = link.rsplit('/').next().unwrap();
        let fields = [("token", token), ("full_name", "Kari"), ("password", "a password of mine")];
        let mut kari = app.browser();
        let taken_back = format!("/accounts/id:100001/invitations/id:{id}");
        let (by_provider, joined) = tokio::join!(
            system.delete(&taken_back),
            kari.post(&link, "invitations/join-with-new-login", &fields)
        );
        let taken_back = one_won(&by_provider, 204, joined.status.as_u16());
        system.get(&path).await.is(if taken_back { 404 } else { 200 });
    }
}
