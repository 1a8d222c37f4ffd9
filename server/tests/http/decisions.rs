//! Decisions: what programs of the provider's are answered, beside what pages answer people.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use domain::demo::{AMIRA, BJORN, DemoPerson, INGRID, MEI, OLAV, PEOPLE, TOM};
use domain::tokens::{self, Order};
use http_body_util::BodyExt;
use model::{
    AccountId, AccountNumber, Actor, DoorArea, DoorKey, Keys, ListPlace, Permission, Reach,
    ResourceKind, Scope, Terms,
};
use serde_json::{Value, json};
use test_database::{TestDatabase, apply};
use tower::ServiceExt;
use uuid::Uuid;

use crate::story::{BAKERY, Browser, TestApp};

const EVALUATION: &str = "/access/v1/evaluation";
const EVALUATIONS: &str = "/access/v1/evaluations";
const SUBJECTS: &str = "/access/v1/search/subject";
const RESOURCES: &str = "/access/v1/search/resource";
const ACTIONS: &str = "/access/v1/search/action";

const BAKERY_NUMBER: i64 = 100_001;
const AGENCY_NUMBER: i64 = 100_002;

/// A system of the provider's.
pub struct Program {
    router: Router,
    token: String,
}

/// What it is answered.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    #[track_caller]
    fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    #[track_caller]
    fn json(&self) -> Value {
        self.is(200);
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/json");
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Program {
    async fn send(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: head.status, headers: head.headers, body }
    }

    fn request(&self, path: &str, body: impl Into<Body>) -> Request<Body> {
        Request::post(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.into())
            .unwrap()
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(self.request(path, body)).await
    }

    pub async fn ask(&self, path: &str, body: &Value) -> Value {
        self.post(path, body.to_string()).await.json()
    }

    /// Whether somebody may do something, and why.
    async fn evaluate(&self, who: &str, action: &str, kind: &str, id: &str) -> (bool, Value) {
        self.evaluate_at(who, action, kind, id, None).await
    }

    async fn evaluate_at(
        &self,
        who: &str,
        action: &str,
        kind: &str,
        id: &str,
        time: Option<&str>,
    ) -> (bool, Value) {
        let mut question = question(who, action, kind, id);
        if let Some(time) = time {
            question["context"] = json!({ "time": time });
        }
        let answer = self.ask(EVALUATION, &question).await;
        (answer["decision"].as_bool().unwrap(), answer["context"].clone())
    }

    /// Every result of a search, of which each page has so many.
    async fn search(&self, path: &str, question: &Value, limit: u64) -> Vec<Value> {
        let (mut results, mut token) = (Vec::new(), String::new());
        loop {
            let mut question = question.clone();
            question["page"] = match token.as_str() {
                "" => json!({ "limit": limit }),
                token => json!({ "token": token }),
            };
            let answer = self.ask(path, &question).await;
            let page = answer["results"].as_array().unwrap();
            assert_eq!(answer["page"]["count"], page.len());
            assert!(page.len() as u64 <= limit, "{answer}");
            results.extend(page.iter().cloned());
            let next = answer["page"]["next_token"].as_str().unwrap();
            if next.is_empty() {
                return results;
            }
            assert_ne!(next, token);
            token = next.to_owned();
        }
    }
}

fn question(who: &str, action: &str, kind: &str, id: &str) -> Value {
    json!({
        "subject": { "type": "user", "id": who },
        "action": { "name": action },
        "resource": { "type": kind, "id": id },
    })
}

fn reason(context: &Value) -> &str {
    context["reason"]["id"].as_str().unwrap()
}

/// A token that opens decisions, also of one account only.
pub async fn program(app: &TestApp, account: Option<i64>) -> Program {
    let scopes = [DoorArea::Access.read()].into_iter().collect();
    let account = account.map(AccountNumber::from_stored);
    let order = Order { name: "Panel", scopes, account, until: None };
    let token = tokens::create(&app.latchkey, order).await.unwrap();
    Program { router: app.router(), token: token.expose().to_owned() }
}

/// A thing as it is named by our id.
pub fn ours(id: Uuid) -> String {
    DoorKey::Id(id).to_string()
}

async fn account(app: &TestApp, owner: DemoPerson, number: i64) -> AccountId {
    let (user, number) = (app.id_of(owner).await, AccountNumber::from_stored(number));
    let (user, now) = (user.parse().unwrap(), app.latchkey.now());
    app.latchkey.store.membership(user, number, None, now).await.unwrap().unwrap().account
}

/// Its owner as they act in an account.
async fn owner_of(app: &TestApp, owner: DemoPerson, number: i64) -> Actor {
    let account = account(app, owner, number).await;
    let user = app.id_of(owner).await.parse().unwrap();
    Actor { user, account, keys: Keys::Owner, at: app.latchkey.now(), eyes: None }
}

/// A service's password.
async fn password(app: &TestApp, owner: DemoPerson, number: i64, service: Uuid) -> String {
    let actor = owner_of(app, owner, number).await;
    let found = app.latchkey.store.service(&actor, &Scope::All, service).await;
    found.unwrap().unwrap().login_password.expose().to_owned()
}

/// The ids of an account's things, by kind.
async fn things(app: &TestApp, owner: DemoPerson, number: i64) -> Vec<(ResourceKind, Uuid)> {
    let actor = owner_of(app, owner, number).await;
    let (store, account) = (&app.latchkey.store, actor.account);
    let services = store.services(&actor, &Scope::All, &ListPlace::First, 99).await.unwrap();
    let domains = store.domains(&actor, &Scope::All, &ListPlace::First, 99).await.unwrap();
    let invoices = store.invoices(account, 99).await.unwrap();
    let requests = store.support_requests(account, 99).await.unwrap();
    let mut things = vec![(ResourceKind::Account, account.into())];
    things.extend(services.iter().map(|one| (ResourceKind::Service, one.id)));
    things.extend(domains.iter().map(|one| (ResourceKind::Domain, one.id)));
    things.extend(invoices.iter().map(|one| (ResourceKind::Invoice, one.id)));
    things.extend(requests.iter().map(|one| (ResourceKind::Request, one.id)));
    things
}

async fn service_id(app: &TestApp, name: &str) -> Uuid {
    app.services().await.iter().find(|service| service.name == name).unwrap().id
}

async fn domain_id(app: &TestApp, name: &str) -> Uuid {
    app.domains().await.iter().find(|domain| domain.name == name).unwrap().id
}

fn on(permissions: &[Permission], services: &[Uuid], domains: &[Uuid]) -> Terms {
    let [services, domains] = [services, domains].map(|ids| Reach::of(false, ids.iter().copied()));
    Terms { services, domains, ..Terms::whole(permissions.iter().copied().collect()) }
}

/// What the page for asking says of a permission: that it is held already, or not.
async fn is_held(
    browser: &mut Browser,
    number: i64,
    permission: Permission,
    kind: ResourceKind,
    id: Uuid,
) -> bool {
    let (service, domain) = match kind {
        ResourceKind::Service => (id.to_string(), String::new()),
        ResourceKind::Domain => (String::new(), id.to_string()),
        _ => (String::new(), String::new()),
    };
    let query = format!("account={number}&permission={permission}");
    let path = format!("/api/access-requests/ask-page?{query}&service={service}&domain={domain}");
    let status = browser.get(&path).await.status.as_u16();
    assert!([200, 403, 404, 409].contains(&status), "{path}: {status}");
    status == 409
}

/// The page that a permission opens, where there is one.
fn page_of(number: i64, permission: Permission, kind: ResourceKind, id: Uuid) -> Option<String> {
    let page = match (permission, kind) {
        (Permission::ServicesView, ResourceKind::Service) => format!("services/{id}"),
        (Permission::DomainsView, ResourceKind::Domain) => format!("domains/{id}"),
        (Permission::BillingView, _) => "billing".to_owned(),
        (Permission::SupportView, _) => "support".to_owned(),
        (Permission::AccountProfile, _) => "account".to_owned(),
        (Permission::AccountUsers, _) => "users".to_owned(),
        (Permission::AccountLog, _) => "log".to_owned(),
        _ => return None,
    };
    Some(format!("/accounts/{number}/{page}"))
}

/// Asks about every permission on everything in both accounts, for everybody, and looks what their pages
/// say. Answers how many of the decisions were a yes.
async fn compare(app: &TestApp, program: &Program) -> usize {
    let mut permitted = 0;
    for (owner, number) in [(INGRID, BAKERY_NUMBER), (MEI, AGENCY_NUMBER)] {
        let things = things(app, owner, number).await;
        for (place, person) in PEOPLE.into_iter().enumerate() {
            let mut browser = app.as_person(person).await;
            let subject = match place % 2 {
                0 => app.id_of(person).await,
                _ => person.email.to_uppercase(),
            };
            for (kind, id) in &things {
                let takes = |permission: &Permission| kind.takes(*permission);
                let asked: Vec<_> = Permission::ALL.into_iter().filter(takes).collect();
                let questions: Vec<_> =
                    asked.iter().map(|one| json!({ "action": { "name": one.id() } })).collect();
                let questions = json!({
                    "subject": { "type": "user", "id": subject },
                    "resource": { "type": kind.id(), "id": ours(*id) },
                    "evaluations": questions,
                });
                let answer = program.ask(EVALUATIONS, &questions).await;
                let answers = answer["evaluations"].as_array().unwrap();
                assert_eq!(answers.len(), asked.len());
                for (permission, answer) in asked.into_iter().zip(answers) {
                    let decision = answer["decision"].as_bool().unwrap();
                    let told =
                        format!("{permission} on {} for {}: {answer}", kind.id(), person.name);
                    let held = is_held(&mut browser, number, permission, *kind, *id).await;
                    assert_eq!(decision, held, "{told}");
                    if let Some(page) = page_of(number, permission, *kind, *id) {
                        let status = browser.get(&page).await.status.as_u16();
                        assert!([200, 403, 404].contains(&status), "{told}: {status}");
                        assert_eq!(decision, status == 200, "{told}");
                    }
                    if permission == Permission::ServicesCredentials {
                        let page = browser.get(&format!("/accounts/{number}/services/{id}")).await;
                        let password = password(app, owner, number, *id).await;
                        assert_eq!(decision, page.body.contains(&password), "{told}");
                    }
                    permitted += usize::from(decision);
                }
            }
        }
    }
    permitted
}

#[apply(on_both!)]
async fn a_decision_is_what_every_page_says(db: TestDatabase) {
    use Permission::{
        AccountLog, BillingPay, DomainsManage, DomainsView, ServicesCredentials, ServicesManage,
        ServicesSignIn, ServicesView, SupportView,
    };
    let app = TestApp::new(db).await;
    let program = program(&app, None).await;
    let as_given = compare(&app, &program).await;

    let [shop, mail] = ["Webshop", "Order mail"].map(|name| service_id(&app, name));
    let (shop, mail) = (shop.await, mail.await);
    let own = domain_id(&app, "nordlysbakeri.example").await;
    let until = Some(app.latchkey.now().after(Duration::from_secs(60 * 60)));
    let soon_over = Terms { until, ..on(&[ServicesManage, ServicesSignIn], &[mail], &[]) };
    let amira = on(&[ServicesView, ServicesCredentials, DomainsView], &[shop], &[own]);
    app.hold(AMIRA, [amira, soon_over.clone()]).await;
    app.hold(BJORN, [on(&[BillingPay, AccountLog, SupportView], &[], &[])]).await;
    app.hold(
        MEI,
        [on(&[DomainsManage], &[], &[own]), Terms { until, ..on(&[BillingPay], &[], &[]) }],
    )
    .await;
    let changed = compare(&app, &program).await;
    app.forward_hours(1);
    let lapsed = compare(&app, &program).await;
    // Otherwise nothing of it was seen.
    assert!(lapsed < changed && as_given != changed, "{as_given}, {changed}, {lapsed}");

    let mut ingrid = app.as_person(INGRID).await;
    for person in [AMIRA, BJORN] {
        let path = format!("{BAKERY}/users/{}", app.id_of(person).await);
        ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    }
    assert!(compare(&app, &program).await < lapsed);
}

#[apply(on_both!)]
async fn an_answer_names_its_reason(db: TestDatabase) {
    use Permission::{BillingPay, ServicesView};
    let app = TestApp::new(db).await;
    let program = program(&app, None).await;
    let [shop, mail] = ["Webshop", "Order mail"].map(|name| service_id(&app, name));
    let (shop, mail) = (shop.await, ours(mail.await));
    let until = Some(app.latchkey.now().after(Duration::from_secs(24 * 60 * 60)));
    let terms = Terms { until, ..on(&[ServicesView], &[shop], &[]) };
    app.hold(BJORN, [terms, on(&[BillingPay], &[], &[])]).await;
    let shop = ours(shop);

    let (decision, context) =
        program.evaluate(INGRID.email, "services.manage", "service", &shop).await;
    assert!(decision);
    assert_eq!(
        context,
        json!({ "reason": { "id": "owner", "reason_admin": { "en": "They own the account." } } })
    );

    let (decision, context) =
        program.evaluate(BJORN.email, "services.view", "service", &shop).await;
    assert!(decision);
    assert_eq!(reason(&context), "grant");
    let grant = &context["reason"]["grant"];
    assert_eq!(grant["given_by"], INGRID.name);
    assert_eq!(grant["given_at"], "2027-01-15T08:00:00Z");
    assert_eq!(grant["until"], "2027-01-16T08:00:00Z");
    assert!(grant["id"].as_str().unwrap().parse::<Uuid>().is_ok());
    assert_eq!(
        context["reason"]["reason_admin"]["en"],
        "Given by Ingrid Solberg at 2027-01-15T08:00:00Z, until 2027-01-16T08:00:00Z."
    );
    let (decision, context) =
        program.evaluate(BJORN.email, "billing.pay", "account", "id:100001").await;
    assert!(decision);
    assert_eq!(context["reason"]["grant"].get("until"), None);

    for (who, action, kind, id, expected, missing) in [
        (BJORN.email, "services.view", "service", mail.as_str(), "out_of_reach", "services.view"),
        (BJORN.email, "account.users", "account", "id:100001", "no_permission", "account.users"),
        (TOM.email, "services.view", "service", &shop, "not_in_account", ""),
        ("nobody@nordlys.example", "services.view", "service", &shop, "not_in_account", ""),
        ("no address", "services.view", "service", &shop, "not_in_account", ""),
        (INGRID.email, "services.fly", "service", &shop, "unknown_action", ""),
        (INGRID.email, "services.view", "ship", &shop, "unknown_resource", ""),
        (INGRID.email, "services.view", "service", "id:999", "unknown_resource", ""),
        (INGRID.email, "domains.view", "domain", &shop, "unknown_resource", ""),
        (INGRID.email, "billing.pay", "account", "id:999999", "unknown_resource", ""),
        (INGRID.email, "services.view", "account", "id:100001", "wrong_resource", ""),
        (INGRID.email, "billing.pay", "service", &shop, "wrong_resource", ""),
        (INGRID.email, "billing.view", "request", &shop, "wrong_resource", ""),
    ] {
        let (decision, context) = program.evaluate(who, action, kind, id).await;
        assert!(!decision, "{who} {action} {kind} {id}");
        assert_eq!(reason(&context), expected, "{who} {action} {kind} {id}");
        assert_eq!(context["reason"]["missing"].as_str().unwrap_or_default(), missing);
        assert!(context["reason"]["reason_admin"]["en"].as_str().unwrap().ends_with('.'));
    }
    let group = json!({
        "subject": { "type": "group", "id": INGRID.email },
        "action": { "name": "services.view" },
        "resource": { "type": "service", "id": shop },
    });
    let answer = program.ask(EVALUATION, &group).await;
    assert_eq!(
        (&answer["decision"], reason(&answer["context"])),
        (&json!(false), "not_in_account")
    );
}

#[apply(on_both!)]
async fn a_question_may_be_about_a_moment_to_come(db: TestDatabase) {
    use Permission::ServicesView;
    let app = TestApp::new(db).await;
    let program = program(&app, None).await;
    let shop = service_id(&app, "Webshop").await;
    // From Friday on for a day.
    let until = Some(app.latchkey.now().after(Duration::from_secs(24 * 60 * 60)));
    app.hold(BJORN, [Terms { until, ..on(&[ServicesView], &[shop], &[]) }]).await;
    let shop = ours(shop);
    let at = async |time: &str| {
        let (who, action) = (BJORN.email, "services.view");
        let (decision, context) =
            program.evaluate_at(who, action, "service", &shop, Some(time)).await;
        (decision, reason(&context).to_owned())
    };
    let yes = (true, "grant".to_owned());
    let no = (false, "lapsed".to_owned());
    assert_eq!(at("2027-01-15T08:00:00Z").await, yes);
    assert_eq!(at("2027-01-16T07:59:59.999999Z").await, yes);
    assert_eq!(at("2027-01-16T08:00:00Z").await, no);
    assert_eq!(at("2027-01-16T01:22-07:00").await, no);
    assert_eq!(at("2027-01-16T00:22-07:00").await, yes);
    assert_eq!(at("9999-12-30T00:00:00Z").await, no);
    // What is over is over, whatever the clock of whoever asks shows.
    app.forward_hours(24);
    assert_eq!(at("2027-01-15T08:00:00Z").await, no);
    assert_eq!(at("1985-10-26T01:22-07:00").await, no);
    let owner = program.evaluate_at(
        INGRID.email,
        "services.view",
        "service",
        &shop,
        Some("1985-10-26T01:22-07:00"),
    );
    assert!(owner.await.0);
}

#[apply(on_both!)]
async fn what_the_account_requires_closes_it_or_is_told(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let program = program(&app, None).await;
    let mut ingrid = app.as_person(INGRID).await;
    app.turn_app_on(&mut ingrid).await;
    let path = format!("{BAKERY}/policy");
    ingrid.open_and_fill_in(&path, "policies/demand-factor", &[("days", "3")]).await.is(303);
    let spans = [("session_idle", "30"), ("session_absolute", "480")];
    ingrid.open_and_fill_in(&path, "policies/bound-sessions", &spans).await.is(303);
    let asked = async || program.evaluate(BJORN.email, "billing.pay", "account", "id:100001").await;
    let (decision, context) = asked().await;
    assert!(decision);
    let requires = context["requires"].as_array().unwrap();
    assert_eq!(
        requires[0],
        json!({ "id": "session", "idle_minutes": 30, "absolute_minutes": 480 })
    );
    assert_eq!(requires[1]["id"], "second_factor");
    let from = requires[1]["from"].as_str().unwrap().to_owned();
    let (decision, context) =
        program.evaluate_at(BJORN.email, "billing.pay", "account", "id:100001", Some(&from)).await;
    assert_eq!((decision, reason(&context)), (false, "second_factor"));
    let asked_then = json!({
        "subject": { "type": "user" },
        "action": { "name": "billing.pay" },
        "resource": { "type": "account", "id": "id:100001" },
        "context": { "time": from },
    });
    let found = program.search(SUBJECTS, &asked_then, 9).await;
    let ingrid = json!([{ "type": "user", "id": app.id_of(INGRID).await }]);
    assert_eq!(json!(found), ingrid, "she alone has a second factor");
    // The last of the days ends at midnight, sixteen hours after they did.
    app.forward_hours(3 * 24 + 16);
    let (decision, context) = asked().await;
    assert_eq!((decision, reason(&context)), (false, "second_factor"));
    assert_eq!(context["reason"]["since"], from);
    let services = json!({
        "subject": { "type": "user", "id": AMIRA.email },
        "action": { "name": "services.view" },
        "resource": { "type": "service" },
    });
    assert_eq!(program.search(RESOURCES, &services, 9).await, [] as [Value; 0]);
    let own = program.evaluate(INGRID.email, "billing.pay", "account", "id:100001").await;
    assert!(own.0);
}

/// The example of section 7.1.2.1: three things, of which the second isn't open.
#[apply(on_both!)]
async fn several_questions_are_answered_in_order_as_far_as_is_asked(db: TestDatabase) {
    use Permission::ServicesView;
    let app = TestApp::new(db).await;
    let program = program(&app, None).await;
    let mut ids = Vec::new();
    for name in ["Webshop", "Order mail", "Recipe archive"] {
        ids.push(service_id(&app, name).await);
    }
    app.hold(BJORN, [on(&[ServicesView], &[ids[0], ids[2]], &[])]).await;
    let evaluations: Vec<_> = ids
        .iter()
        .map(|id| json!({ "resource": { "type": "service", "id": ours(*id) } }))
        .collect();
    let asked = async |options: Value, evaluations: &[Value]| {
        let questions = json!({
            "subject": { "type": "user", "id": BJORN.email },
            "action": { "name": "services.view" },
            "options": options,
            "evaluations": evaluations,
        });
        let answer = program.ask(EVALUATIONS, &questions).await;
        assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
        let answers = answer["evaluations"].as_array().unwrap();
        answers.iter().map(|one| one["decision"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    let all = json!({ "evaluations_semantic": "execute_all", "another_option": "value" });
    let (deny, permit) = (
        json!({ "evaluations_semantic": "deny_on_first_deny" }),
        json!({ "evaluations_semantic": "permit_on_first_permit" }),
    );
    for options in [all, json!({}), Value::Null] {
        assert_eq!(asked(options, &evaluations).await, [true, false, true]);
    }
    assert_eq!(asked(deny.clone(), &evaluations).await, [true, false]);
    assert_eq!(asked(permit.clone(), &evaluations).await, [true]);
    let last = [evaluations[1].clone(), evaluations[1].clone(), evaluations[2].clone()];
    assert_eq!(asked(deny.clone(), &last).await, [false]);
    assert_eq!(asked(permit.clone(), &last).await, [false, false, true]);
    let same = [evaluations[0].clone(), evaluations[2].clone()];
    assert_eq!(asked(deny, &same).await, [true, true]);
    assert_eq!(asked(permit, &last[..2]).await, [false, false]);

    // What a question names itself stands before what all have, part by part.
    let questions = json!({
        "subject": { "type": "user", "id": BJORN.email },
        "action": { "name": "services.view" },
        "resource": { "type": "service", "id": ours(ids[0]) },
        "context": { "time": "9999-01-01T00:00:00Z" },
        "evaluations": [
            {},
            { "subject": { "type": "user", "id": TOM.email } },
            { "action": { "name": "services.manage" } },
            { "resource": { "type": "service", "id": ours(ids[1]) } },
            { "context": {}, "subject": { "type": "user", "id": OLAV.email } },
        ],
    });
    let answer = program.ask(EVALUATIONS, &questions).await;
    let answers = answer["evaluations"].as_array().unwrap().iter();
    let told: Vec<_> = answers.map(|one| reason(&one["context"])).collect();
    assert_eq!(told, ["grant", "not_in_account", "no_permission", "out_of_reach", "owner"]);

    // Without a list it is one question.
    for list in [Value::Null, json!([])] {
        let mut one = question(BJORN.email, "services.view", "service", &ours(ids[0]));
        one["evaluations"] = list;
        let answer = program.ask(EVALUATIONS, &one).await;
        assert_eq!(answer["decision"], true, "{answer}");
        assert_eq!(answer.get("evaluations"), None);
    }
}

#[apply(on_both!)]
async fn what_is_found_is_what_is_permitted(db: TestDatabase) {
    use Permission::{BillingPay, DomainsManage, ServicesManage, ServicesView};
    let app = TestApp::new(db).await;
    let program = program(&app, None).await;
    let [shop, mail] = ["Webshop", "Order mail"].map(|name| service_id(&app, name));
    let (shop, mail) = (shop.await, mail.await);
    let own = domain_id(&app, "nordlysbakeri.example").await;
    app.hold(AMIRA, [on(&[ServicesView], &[shop, mail], &[]), on(&[ServicesManage], &[shop], &[])])
        .await;
    app.hold(MEI, [on(&[DomainsManage], &[], &[own]), on(&[BillingPay], &[], &[])]).await;
    let mut all = things(&app, INGRID, BAKERY_NUMBER).await;
    all.extend(things(&app, MEI, AGENCY_NUMBER).await);
    let mut found = 0;
    for permission in Permission::ALL {
        for kind in ResourceKind::ALL.into_iter().filter(|kind| kind.takes(permission)) {
            let of_kind: Vec<_> = all.iter().filter(|(one, _)| *one == kind).collect();
            for person in PEOPLE {
                let asked = json!({
                    "subject": { "type": "user", "id": person.email },
                    "action": { "name": permission.id() },
                    "resource": { "type": kind.id() },
                });
                let whole = program.search(RESOURCES, &asked, 200).await;
                let by_two = program.search(RESOURCES, &asked, 2).await;
                assert_eq!(whole, by_two, "{permission} {}", kind.id());
                let mut permitted = 0;
                for (_, id) in &of_kind {
                    let (who, id) = (person.email, ours(*id));
                    let (decision, _) =
                        program.evaluate(who, permission.id(), kind.id(), &id).await;
                    permitted += usize::from(decision);
                }
                assert_eq!(whole.len(), permitted, "{permission} {} {}", kind.id(), person.name);
                for one in &whole {
                    assert_eq!(one["type"], kind.id());
                    let id = one["id"].as_str().unwrap();
                    let (decision, _) =
                        program.evaluate(person.email, permission.id(), kind.id(), id).await;
                    assert!(decision, "{permission} {one} {}", person.name);
                }
                found += whole.len();
            }
        }
    }
    assert!(found > 50, "{found}");

    for (kind, id) in &all {
        let id = ours(*id);
        let mut by_person: BTreeSet<(String, String)> = BTreeSet::new();
        for person in PEOPLE {
            let asked = json!({
                "subject": { "type": "user", "id": person.email },
                "resource": { "type": kind.id(), "id": id },
            });
            let whole = program.search(ACTIONS, &asked, 200).await;
            assert_eq!(whole, program.search(ACTIONS, &asked, 1).await);
            let user = app.id_of(person).await;
            let names = whole.iter().map(|one| one["name"].as_str().unwrap().to_owned());
            by_person.extend(names.map(|name| (name, user.clone())));
        }
        let mut by_permission = BTreeSet::new();
        for permission in Permission::ALL {
            let asked = json!({
                "subject": { "type": "user" },
                "action": { "name": permission.id() },
                "resource": { "type": kind.id(), "id": id },
            });
            let whole = program.search(SUBJECTS, &asked, 200).await;
            assert_eq!(whole, program.search(SUBJECTS, &asked, 1).await);
            for one in whole {
                assert_eq!(one["type"], "user");
                let user = one["id"].as_str().unwrap().to_owned();
                by_permission.insert((permission.id().to_owned(), user));
            }
        }
        assert_eq!(by_person, by_permission, "{kind:?} {id}");
    }
}

#[apply(on_both!)]
async fn what_there_is_nothing_of_is_found_nowhere(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let program = program(&app, None).await;
    let user = json!({ "type": "user", "id": INGRID.email });
    let shop = json!({ "type": "service", "id": ours(service_id(&app, "Webshop").await) });
    let view = json!({ "name": "services.view" });
    for (path, asked) in [
        (SUBJECTS, json!({ "subject": { "type": "group" }, "action": view, "resource": shop })),
        (SUBJECTS, json!({ "subject": user, "action": { "name": "x" }, "resource": shop })),
        (
            SUBJECTS,
            json!({ "subject": user, "action": view, "resource": { "type": "service", "id": "x" } }),
        ),
        (
            SUBJECTS,
            json!({ "subject": user, "action": { "name": "billing.pay" }, "resource": shop }),
        ),
        (RESOURCES, json!({ "subject": user, "action": view, "resource": { "type": "ship" } })),
        (RESOURCES, json!({ "subject": user, "action": view, "resource": { "type": "account" } })),
        (
            RESOURCES,
            json!({ "subject": { "type": "user", "id": "x" }, "action": view, "resource": shop }),
        ),
        (ACTIONS, json!({ "subject": user, "resource": { "type": "service", "id": "x" } })),
        (ACTIONS, json!({ "subject": { "type": "user", "id": TOM.email }, "resource": shop })),
    ] {
        let answer = program.ask(path, &asked).await;
        let nothing = json!({ "page": { "next_token": "", "count": 0 }, "results": [] });
        assert_eq!(answer, nothing, "{path} {asked}");
    }
}

#[apply(on_both!)]
async fn a_page_goes_on_with_its_own_search_alone(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let program = program(&app, None).await;
    let first = json!({
        "subject": { "type": "user", "id": INGRID.email },
        "action": { "name": "services.view" },
        "resource": { "type": "service" },
        "page": { "limit": 2 },
    });
    let answer = program.ask(RESOURCES, &first).await;
    let token = answer["page"]["next_token"].as_str().unwrap();
    let with = |part: &str, value: Value, token: &str| {
        let mut next = first.clone();
        next["page"] = json!({ "token": token });
        next[part] = value;
        next.to_string()
    };
    let user = json!({ "type": "user", "id": INGRID.email });
    program.post(RESOURCES, with("subject", user, token)).await.is(200);
    let other = json!({ "type": "user", "id": OLAV.email });
    program.post(RESOURCES, with("subject", other, token)).await.is(400);
    program
        .post(RESOURCES, with("action", json!({ "name": "services.manage" }), token))
        .await
        .is(400);
    program.post(RESOURCES, with("resource", json!({ "type": "domain" }), token)).await.is(400);
    let later = json!({ "time": "2028-01-01T00:00:00Z" });
    program.post(RESOURCES, with("context", later, token)).await.is(400);
    let page = json!({ "token": token, "limit": 3 });
    program.post(RESOURCES, with("page", page, token)).await.is(400);
    let page = json!({ "token": token, "limit": 2 });
    program.post(RESOURCES, with("page", page, token)).await.is(200);
    program.post(SUBJECTS, with("page", json!({ "token": token }), token)).await.is(400);
    for odd in ["x", "%", &token[1..], &format!("{token}A")] {
        let answer = program.post(RESOURCES, with("page", json!({ "token": odd }), odd)).await;
        assert_eq!(answer.is(400).body, "/page/token belongs to another search", "{odd}");
    }
}

#[apply(on_both!)]
async fn a_bad_request_is_told_what_is_wrong_with_it(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let program = program(&app, None).await;
    let good = question(INGRID.email, "billing.pay", "account", "id:100001");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut question = good.clone();
        change(&mut question);
        question.to_string()
    };
    let without = |pointer: &str, name: &str| {
        with(&|question| {
            question.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(name);
        })
    };
    let replaced = |pointer: &str, value: Value| {
        with(&|question| *question.pointer_mut(pointer).unwrap() = value.clone())
    };
    let added = |name: &str, value: Value| with(&|question| question[name] = value.clone());
    for (body, words) in [
        (without("", "subject"), "/subject is missing"),
        (without("", "action"), "/action is missing"),
        (without("", "resource"), "/resource is missing"),
        (without("/subject", "type"), "/subject/type is missing"),
        (without("/subject", "id"), "/subject/id is missing"),
        (without("/action", "name"), "/action/name is missing"),
        (without("/resource", "type"), "/resource/type is missing"),
        (without("/resource", "id"), "/resource/id is missing"),
        (replaced("/subject", json!(["user", "x"])), "/subject must be an object"),
        (replaced("/subject", Value::Null), "/subject is missing"),
        (replaced("/subject/id", json!(5)), "/subject/id must be a string"),
        (replaced("/resource/id", json!(100_001)), "/resource/id must be a string"),
        (replaced("/action", json!("billing.pay")), "/action must be an object"),
        (added("context", json!([])), "/context must be an object"),
        (added("context", json!({ "time": 5 })), "/context/time must be a string"),
        ("[]".to_owned(), "The request must be a JSON object"),
    ] {
        for path in [EVALUATION, EVALUATIONS] {
            let answer = program.post(path, body.clone()).await;
            assert_eq!(answer.is(400).body, words, "{body}");
            assert_eq!(answer.headers[header::CONTENT_TYPE], "text/plain; charset=utf-8");
        }
    }
    for time in ["", "now", "2027-01-30", "2027-01-30T18:00:00", "2027-02-30T18:00:00Z", "1e999Z"] {
        let answer = program.post(EVALUATION, added("context", json!({ "time": time }))).await;
        assert!(answer.is(400).body.starts_with("/context/time must be a moment"), "{time}");
    }
    for body in ["", "{", "null", "{\"subject\": {}, \"subject\": {}}", "\u{feff}{}"] {
        program.post(EVALUATION, body).await.is(400);
    }
    program.post(EVALUATION, vec![b'{', b'"', 0xff, b'"', b':', b'1', b'}']).await.is(400);
    program.post(EVALUATION, format!("{{\"a\": {}", "[".repeat(9_000))).await.is(400);
    // What is unknown is ignored, and what is odd in what is known is no user and no resource.
    let more = with(&|question| {
        question["more"] = json!([1, { "x": null }]);
        question["subject"]["properties"] = json!({ "department": "Sales" });
        question["context"] = json!({ "ip": "192.0.2.1" });
    });
    assert_eq!(program.post(EVALUATION, more).await.json()["decision"], true);
    for odd in ["", "\0", "' OR 1=1 --", "ø", &"9".repeat(9_000)] {
        for pointer in
            ["/subject/id", "/subject/type", "/resource/id", "/resource/type", "/action/name"]
        {
            let answer = program.post(EVALUATION, replaced(pointer, json!(odd))).await.json();
            assert_eq!(answer["decision"], false, "{pointer} {odd:?}");
        }
    }

    for (list, words) in [
        (json!({}), "/evaluations must be an array"),
        (json!([5]), "/evaluations/0 must be an object"),
        (json!([{}, { "subject": 5 }]), "/evaluations/1/subject must be an object"),
        (json!([{}, { "action": {} }]), "/evaluations/1/action/name is missing"),
        (json!(vec![json!({}); 201]), "/evaluations must hold at most 200 questions"),
    ] {
        let answer = program.post(EVALUATIONS, added("evaluations", list)).await;
        assert_eq!(answer.is(400).body, words);
    }
    let alone = json!({ "evaluations": [{}] }).to_string();
    let answer = program.post(EVALUATIONS, alone).await;
    assert_eq!(answer.is(400).body, "/evaluations/0/subject is missing");
    let semantic = with(&|question| {
        question["evaluations"] = json!([{}]);
        question["options"] = json!({ "evaluations_semantic": "all" });
    });
    let answer = program.post(EVALUATIONS, semantic).await;
    assert!(answer.is(400).body.starts_with("/options/evaluations_semantic must be"));

    for (page, words) in [
        (json!(5), "/page must be an object"),
        (json!({ "limit": 0 }), "/page/limit must be a whole number from 1 on"),
        (json!({ "limit": -1 }), "/page/limit must be a whole number from 1 on"),
        (json!({ "limit": 1.5 }), "/page/limit must be a whole number from 1 on"),
        (json!({ "limit": "5" }), "/page/limit must be a whole number from 1 on"),
        (json!({ "token": 5 }), "/page/token must be a string"),
    ] {
        for path in [SUBJECTS, RESOURCES, ACTIONS] {
            let answer = program.post(path, added("page", page.clone())).await;
            assert_eq!(answer.is(400).body, words, "{path}");
        }
    }
    program.post(ACTIONS, without("", "action")).await.is(200);
    program.post(SUBJECTS, without("/subject", "id")).await.is(200);
    program.post(RESOURCES, without("/resource", "id")).await.is(200);
    for path in [SUBJECTS, RESOURCES, ACTIONS] {
        let huge = added("page", json!({ "limit": u64::MAX }));
        program.post(path, huge).await.is(200);
        let answer = program.post(path, without("/subject", "type")).await;
        assert_eq!(answer.is(400).body, "/subject/type is missing", "{path}");
    }
}

#[apply(on_both!)]
async fn a_request_is_json_of_some_length_by_post(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let program = program(&app, None).await;
    let good = question(INGRID.email, "billing.pay", "account", "id:100001").to_string();
    for path in [EVALUATION, EVALUATIONS, SUBJECTS, RESOURCES, ACTIONS] {
        for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
            let mut request = program.request(path, good.clone());
            request.headers_mut().insert(header::CONTENT_TYPE, kind.parse().unwrap());
            program.send(request).await.is(415);
        }
        let mut request = program.request(path, good.clone());
        let kind = "Application/JSON; charset=utf-8".parse().unwrap();
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        program.send(request).await.is(200);
        let long = format!("{good}{}", " ".repeat(256 * 1024));
        program.post(path, long).await.is(413);
        for method in ["GET", "PUT", "DELETE"] {
            let mut request = program.request(path, Body::empty());
            *request.method_mut() = method.parse().unwrap();
            let answer = program.send(request).await;
            assert_eq!(answer.is(405).headers[header::ALLOW], "POST");
        }
    }
}

#[apply(on_both!)]
async fn an_answer_is_called_what_its_request_was(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let program = program(&app, None).await;
    let good = question(INGRID.email, "billing.pay", "account", "id:100001").to_string();
    let name = "bfe9eb29-ab87-4ca3-be83-a1d5d8305716 / \u{e6}";
    for (body, status) in [(good.clone(), 200), ("{}".to_owned(), 400)] {
        let mut request = program.request(EVALUATION, body);
        request.headers_mut().insert("x-request-id", name.parse().unwrap());
        let answer = program.send(request).await;
        assert_eq!(answer.is(status).headers["x-request-id"].as_bytes(), name.as_bytes());
    }
    let unnamed = program.post(EVALUATION, good).await;
    assert_eq!(unnamed.is(200).headers["x-request-id"].len(), 32);
    // A page is known by our name for it: its reader tells us that.
    let request = Request::get("/sign-in").header("x-request-id", "theirs");
    let page = program.send(request.body(Body::empty()).unwrap()).await;
    assert_ne!(page.headers["x-request-id"], "theirs");
}

#[apply(on_both!)]
async fn a_program_learns_where_everything_is(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let program = Program { router: app.router(), token: String::new() };
    let request = Request::get("/.well-known/authzen-configuration").body(Body::empty()).unwrap();
    let answer = program.send(request).await;
    assert_eq!(
        answer.json(),
        json!({
            "policy_decision_point": "https://my.provider.example",
            "access_evaluation_endpoint": "https://my.provider.example/access/v1/evaluation",
            "access_evaluations_endpoint": "https://my.provider.example/access/v1/evaluations",
            "search_subject_endpoint": "https://my.provider.example/access/v1/search/subject",
            "search_resource_endpoint": "https://my.provider.example/access/v1/search/resource",
            "search_action_endpoint": "https://my.provider.example/access/v1/search/action",
        })
    );
    assert_eq!(answer.headers[header::CACHE_CONTROL], "public, max-age=3600");
}

#[apply(on_both!)]
async fn who_is_bound_to_an_account_learns_of_no_other(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let program = program(&app, Some(AGENCY_NUMBER)).await;
    let own = things(&app, MEI, AGENCY_NUMBER).await;
    let others = things(&app, INGRID, BAKERY_NUMBER).await;
    for (kind, id) in own.iter().chain(&others) {
        let permission = Permission::ALL.into_iter().find(|one| kind.takes(*one)).unwrap();
        let is_own = own.contains(&(*kind, *id));
        let (kind, id) = (kind.id(), ours(*id));
        let (decision, context) = program.evaluate(MEI.email, permission.id(), kind, &id).await;
        let expected = if is_own { "owner" } else { "unknown_resource" };
        assert_eq!((decision, reason(&context)), (is_own, expected), "{kind} {id}");
        // Whoever isn't in it is as if they weren't there.
        for stranger in [INGRID.email, "nobody@nordlys.example"] {
            let (decision, context) = program.evaluate(stranger, permission.id(), kind, &id).await;
            let expected = if is_own { "not_in_account" } else { "unknown_resource" };
            assert_eq!((decision, reason(&context)), (false, expected), "{kind} {id}");
        }
        let asked = json!({
            "subject": { "type": "user", "id": MEI.email },
            "action": { "name": permission.id() },
            "resource": { "type": kind, "id": id },
        });
        assert_eq!(program.search(SUBJECTS, &asked, 9).await.is_empty(), !is_own);
        assert_eq!(program.search(ACTIONS, &asked, 9).await.is_empty(), !is_own);
        let found = program.search(RESOURCES, &asked, 1).await;
        let count = own.iter().filter(|(one, _)| one.id() == kind).count();
        assert_eq!(found.len(), count, "{kind}");
    }
    let (decision, context) =
        program.evaluate(MEI.email, "billing.pay", "account", "id:100001").await;
    assert_eq!((decision, reason(&context)), (false, "unknown_resource"));
}

#[apply(on_both!)]
async fn a_change_is_in_force_at_the_next_question(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let program = program(&app, None).await;
    let asked =
        async || program.evaluate(BJORN.email, "billing.pay", "account", "id:100001").await.0;
    assert!(asked().await);
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
    assert!(!asked().await);
    ingrid.open_and_fill_in(&path, "users/resume-access", &[]).await.is(303);
    assert!(asked().await);
    let remove = format!("{path}/remove");
    ingrid.open_and_fill_in(&remove, "users/remove-access", &[]).await.is(303);
    assert!(!asked().await);
}

#[apply(on_both!)]
async fn a_thing_goes_by_the_providers_id_for_it(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let program = program(&app, None).await;
    let odd = "cust/47 11 \"Ø\"";
    app.db
        .run(
            "UPDATE accounts SET ref = 'cust/47 11 \"Ø\"' WHERE number = 100001; \
             UPDATE services SET ref = 'shop' WHERE name = 'Webshop'; \
             UPDATE domains SET ref = 'shop' WHERE name = 'nordlys.example'; \
             UPDATE invoices SET ref = 'shop' WHERE number = '2026-1187'; \
             UPDATE support_requests SET ref = 'shop' WHERE number = 'S-5031';",
        )
        .await;
    for (action, kind, id) in [
        ("account.users", "account", odd),
        ("services.view", "service", "shop"),
        ("domains.view", "domain", "shop"),
        ("billing.view", "invoice", "shop"),
        ("support.view", "request", "shop"),
    ] {
        let (decision, context) = program.evaluate(INGRID.email, action, kind, id).await;
        assert!(decision, "{kind}: {context}");
        let asked = json!({
            "subject": { "type": "user", "id": INGRID.email },
            "action": { "name": action },
            "resource": { "type": kind },
        });
        let found = program.search(RESOURCES, &asked, 2).await;
        assert!(found.contains(&json!({ "type": kind, "id": id })), "{found:?}");
        let (decision, context) = program.evaluate(INGRID.email, action, kind, "shop2").await;
        assert_eq!((decision, reason(&context)), (false, "unknown_resource"));
    }
    let (decision, _) =
        program.evaluate(INGRID.email, "account.users", "account", "id:100001").await;
    assert!(decision);
    // Without what stands before ours it would be the provider's.
    let (decision, context) =
        program.evaluate(INGRID.email, "account.users", "account", "100001").await;
    assert_eq!((decision, reason(&context)), (false, "unknown_resource"));
}

#[apply(on_both!)]
async fn whoever_comes_without_a_token_for_it_is_answered_nothing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let program = program(&app, None).await;
    let good = question(INGRID.email, "billing.pay", "account", "id:100001").to_string();
    let others: Vec<_> =
        DoorArea::ALL.into_iter().filter(|area| *area != DoorArea::Access).collect();
    let scopes = others.iter().map(|area| area.write()).collect();
    let order = Order { name: "Other", scopes, account: None, until: None };
    let other = tokens::create(&app.latchkey, order).await.unwrap();
    let scopes = [DoorArea::Access.write()].into_iter().collect();
    let order = Order { name: "Writes", scopes, account: None, until: None };
    let writes = tokens::create(&app.latchkey, order).await.unwrap();
    let (token, other) = (program.token.as_str(), other.expose());
    let wrong = format!("{}x", &token[..token.len() - 1]);
    for path in [EVALUATION, EVALUATIONS, SUBJECTS, RESOURCES, ACTIONS] {
        for line in [
            None,
            Some(String::new()),
            Some("Bearer".to_owned()),
            Some("Bearer ".to_owned()),
            Some(token.to_owned()),
            Some(format!("Basic {token}")),
            Some(format!("Bearer {wrong}")),
            Some(format!("Bearer {token} {token}")),
        ] {
            // Nor is what is wrong with a request said to them.
            for body in [good.as_str(), "{"] {
                let mut request = program.request(path, body.to_owned());
                let headers = request.headers_mut();
                headers.remove(header::AUTHORIZATION);
                if let Some(line) = &line {
                    headers.insert(header::AUTHORIZATION, line.parse().unwrap());
                }
                headers.insert("x-request-id", "theirs".parse().unwrap());
                let answer = program.send(request).await;
                assert_eq!(answer.is(401).headers[header::WWW_AUTHENTICATE], "Bearer");
                assert_eq!(answer.headers["x-request-id"], "theirs");
                assert!(answer.body.starts_with("A token is needed"));
            }
        }
        let mut twice = program.request(path, good.clone());
        let line = twice.headers()[header::AUTHORIZATION].clone();
        twice.headers_mut().append(header::AUTHORIZATION, line);
        program.send(twice).await.is(401);
        for body in [good.as_str(), "{"] {
            let mut request = program.request(path, body.to_owned());
            let line = format!("Bearer {other}").parse().unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, line);
            let answer = program.send(request).await;
            assert_eq!(answer.is(403).body, "The token needs the scope access:read");
        }
        let mut request = program.request(path, good.clone());
        let line = format!("bearer  {}", writes.expose()).parse().unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, line);
        program.send(request).await.is(200);
        program.post(path, good.clone()).await.is(200);
    }
    tokens::revoke(&app.latchkey, token).await.unwrap();
    program.post(EVALUATION, good).await.is(401);
    // Somebody's session is none.
    let mut ingrid = app.as_person(INGRID).await;
    let mut request = program.request(EVALUATION, "{}");
    request.headers_mut().remove(header::AUTHORIZATION);
    assert_eq!(ingrid.send(request).await.status, 401);
}

/// The requests that sections 5 to 8 show, with their subject, action and resource in the demo's words if
/// somebody is to be permitted something.
fn published(is_known: bool) -> Vec<(&'static str, Value)> {
    let alice = json!({ "type": "user", "id": "alice@example.com" });
    let reads = json!({ "name": "can_read", "properties": { "method": "GET" } });
    let account = json!({ "type": "account", "id": "123" });
    let at = json!({ "time": "1985-10-26T01:22-07:00" });
    let requests = [
        (
            EVALUATION,
            json!({ "subject": alice, "action": reads, "resource": account, "context": at }),
        ),
        (
            EVALUATION,
            json!({
                "subject": { "type": "user", "id": "alice@example.com", "properties": {
                    "department": "Sales", "ip_address": "172.217.22.14",
                    "device_id": "8:65:ee:17:7e:0b",
                } },
                "action": { "name": "can_read", "properties": { "period": "2W" } },
                "resource": { "type": "account", "id": "123", "properties": {
                    "library_record": { "title": "AuthZEN in Action", "isbn": "978-0593383322" },
                } },
                "context": {
                    "time": "1985-10-26T01:22-07:00",
                    "schema": "https://schema.example.com/access-request.schema.json",
                },
            }),
        ),
        (
            EVALUATIONS,
            json!({
                "subject": alice,
                "context": { "time": "2024-05-31T15:22-07:00" },
                "action": { "name": "can_read" },
                "evaluations": [
                    { "resource": account },
                    { "resource": account, "action": reads },
                    { "resource": account, "context": { "time": "2024-05-31T15:22-07:00", "more": 1 } },
                ],
                "options": { "evaluations_semantic": "execute_all", "another_option": "value" },
            }),
        ),
        (
            SUBJECTS,
            json!({ "subject": { "type": "user" }, "action": reads, "resource": account, "context": at }),
        ),
        (
            RESOURCES,
            json!({ "subject": alice, "action": reads, "resource": { "type": "account" },
                "page": { "limit": 10, "properties": { "sort": "id" } } }),
        ),
        (ACTIONS, json!({ "subject": alice, "resource": account, "context": at })),
    ];
    let in_demos_words = |body: Value| {
        let text = body.to_string().replace("alice@example.com", INGRID.email);
        let text =
            text.replace("\"can_read\"", "\"billing.view\"").replace("\"123\"", "\"id:100001\"");
        serde_json::from_str(&text).unwrap()
    };
    requests
        .into_iter()
        .map(|(path, body)| (path, if is_known { in_demos_words(body) } else { body }))
        .collect()
}

#[apply(on_both!)]
async fn the_standards_own_examples_are_understood(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let program = program(&app, None).await;
    for is_known in [false, true] {
        for (path, body) in published(is_known) {
            let answer = program.ask(path, &body).await;
            match path {
                EVALUATION => assert_eq!(answer["decision"], is_known, "{body} {answer}"),
                EVALUATIONS => {
                    let decisions = answer["evaluations"].as_array().unwrap();
                    assert_eq!(decisions.len(), 3);
                    assert!(decisions.iter().all(|one| one["decision"] == is_known), "{answer}");
                }
                _ => {
                    let results = answer["results"].as_array().unwrap();
                    assert_eq!(results.is_empty(), !is_known, "{path} {answer}");
                    assert_eq!(answer["page"]["next_token"], "", "{answer}");
                    assert!(
                        results
                            .iter()
                            .all(|one| one["type"].is_string() || one["name"].is_string())
                    );
                }
            }
        }
    }
}
