//! What the door says of itself: the OpenAPI document, made of the types that are answered, and a page
//! for people, made of that document.

use std::fmt::Write;
use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use domain::door::{
    DoorAccount, DoorDomain, DoorInvoice, DoorService, DoorSupportRequest, MOST_ROWS,
};
use model::{DoorArea, DoorScope};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::activity::Activity;
use crate::invitations::Invitation;
use crate::members::{Member, MemberGrant};
use crate::problem::{Fault, Kind, ProblemBody};
use crate::support_requests::Message;
use crate::things::{BatchOutcome, DryRun, Outcome, Resource, RowOutcome};
use crate::webhooks::{Webhook, WebhookSecret};

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);
static JSON: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_string());
static PAGE: LazyLock<String> = LazyLock::new(|| page(&DOCUMENT));

/// `GET …/openapi.json`
pub(crate) async fn json() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], JSON.as_str())
}

/// `GET …/docs`
pub(crate) async fn docs() -> impl IntoResponse {
    let policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                  frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, PAGE.as_str())
}

/// `GET …/docs.css`
pub(crate) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("docs.css"))
}

/// A kind of thing, as the document tells of it.
struct Told {
    path: &'static str,
    schema: String,
    one: &'static str,
    many: &'static str,
    area: DoorArea,
    is_account: bool,
    is_deletable: bool,
}

fn told<R: Resource>(one: &'static str, many: &'static str, is_deletable: bool) -> Told {
    Told {
        path: R::PATH,
        schema: R::Shown::name().into_owned(),
        one,
        many,
        area: R::AREA,
        is_account: R::IS_ACCOUNT,
        is_deletable,
    }
}

fn document() -> Value {
    let kinds = [
        told::<DoorAccount>("an account", "accounts", false),
        told::<DoorService>("a service", "services", true),
        told::<DoorDomain>("a domain", "domains", true),
        told::<DoorInvoice>("an invoice", "invoices", false),
        told::<DoorSupportRequest>("a support request", "support requests", false),
    ];
    let mut paths = Map::new();
    for kind in &kinds {
        kind.describe(&mut paths);
    }
    describe_messages(&mut paths);
    describe_members(&mut paths);
    describe_invitations(&mut paths);
    describe_activity(&mut paths);
    describe_webhooks(&mut paths);
    let tags = kinds.iter().map(|kind| kind.many).chain(["members", "activity", "webhooks"]);
    let tags: Vec<_> = tags.map(|name| json!({ "name": name })).collect();
    let scopes: Vec<_> = DoorScope::all().map(|scope| scope.to_string()).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Latchkey",
            "version": "1",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            "description": "For the provider's own systems. Each request carries a token \
                (`Authorization: Bearer lk_…`) that `latchkey token create` made. Things are named by \
                your own id (`ref`: 1 to 200 characters, percent-encoded in addresses), or by ours \
                behind `id:`. Times are RFC 3339, money is whole numbers of the currency's smallest \
                unit.",
        },
        "servers": [{ "url": crate::PATH }],
        "security": [{ "token": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description": format!("A token with some of the scopes {}.", scopes.join(", ")),
            } },
            "parameters": parameters(),
            "responses": responses(),
        },
    })
}

/// The types that are answered.
fn schemas() -> Map<String, Value> {
    let mut found: Vec<(String, RefOr<Schema>)> = Vec::new();
    fn add<T: ToSchema>(found: &mut Vec<(String, RefOr<Schema>)>) {
        found.push((T::name().into_owned(), T::schema()));
        T::schemas(found);
    }
    add::<<DoorAccount as Resource>::Shown>(&mut found);
    add::<<DoorService as Resource>::Shown>(&mut found);
    add::<<DoorDomain as Resource>::Shown>(&mut found);
    add::<<DoorInvoice as Resource>::Shown>(&mut found);
    add::<<DoorSupportRequest as Resource>::Shown>(&mut found);
    add::<Message>(&mut found);
    add::<Member>(&mut found);
    add::<MemberGrant>(&mut found);
    add::<Invitation>(&mut found);
    add::<Activity>(&mut found);
    add::<Webhook>(&mut found);
    add::<WebhookSecret>(&mut found);
    add::<ProblemBody>(&mut found);
    add::<Fault>(&mut found);
    add::<Outcome>(&mut found);
    add::<DryRun>(&mut found);
    add::<RowOutcome>(&mut found);
    add::<BatchOutcome>(&mut found);
    found
        .into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default()))
        .collect()
}

fn parameters() -> Value {
    let query = |name: &str, schema: Value, description: &str| json!({ "name": name, "in": "query", "schema": schema, "description": description });
    let header = |name: &str, schema: Value, description: &str| json!({ "name": name, "in": "header", "schema": schema, "description": description });
    let text = json!({ "type": "string" });
    json!({
        "ref": {
            "name": "ref", "in": "path", "required": true, "schema": text,
            "description": "Your id, percent-encoded, or ours behind `id:`.",
        },
        "limit": query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }),
            "How many a page holds."),
        "cursor": query("cursor", text.clone(), "Where the page begins: `next` names the whole address."),
        "updated_since": query("updated_since", json!({ "type": "string", "format": "date-time" }),
            "Only what changed at this moment or later. Whoever asks with `as_of` of the answer before \
             misses nothing."),
        "account": query("account", text.clone(), "Only those of this account: your id, or ours behind `id:`."),
        "dry_run": query("dry_run", json!({ "type": "boolean", "default": false }),
            "Change nothing, and answer what would come of it."),
        "if_match": header("If-Match", text.clone(), "Only if it stands as its `ETag` says."),
        "if_none_match": header("If-None-Match", text.clone(), "`*`: only if there is none yet."),
        "idempotency_key": header("Idempotency-Key", json!({ "type": "string", "maxLength": 255 }),
            "A name for the request: asked again within 24 hours, it is answered as it was, and done once."),
    })
}

fn responses() -> Map<String, Value> {
    let problem = json!({ "application/problem+json": { "schema": reference("ProblemBody") } });
    Kind::ALL
        .into_iter()
        .map(|kind| {
            let response = json!({ "description": kind.title(), "content": problem });
            (kind.id().to_owned(), response)
        })
        .collect()
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn parameter(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

/// An operation: who may, what it takes, and what it answers if all goes well, and if it doesn't.
fn operation(
    (id, summary, tag): (String, String, &str),
    scope: DoorScope,
    taken: &[&str],
    good: Value,
    bad: &[Kind],
) -> Value {
    let mut answers = good.as_object().cloned().unwrap_or_default();
    let always = [Kind::BadParameter, Kind::NoToken, Kind::Scope, Kind::TooMany, Kind::Unavailable];
    for kind in always.iter().chain(bad) {
        let status = kind.status().as_u16().to_string();
        answers
            .entry(status)
            .or_insert_with(|| json!({ "$ref": format!("#/components/responses/{}", kind.id()) }));
    }
    json!({
        "operationId": id,
        "summary": summary,
        "description": format!("Takes the scope `{scope}`."),
        "tags": [tag],
        "parameters": taken.iter().map(|name| parameter(name)).collect::<Vec<_>>(),
        "responses": answers,
    })
}

fn with_body(mut operation: Value, schema: Value, kind: &str) -> Value {
    operation["requestBody"] = json!({
        "required": true,
        "content": { kind: { "schema": schema } },
    });
    operation
}

fn answer(description: &str, schema: Value) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

/// What every writing request can come to.
const WRITING: [Kind; 8] = [
    Kind::BadRequest,
    Kind::NotFound,
    Kind::TooSlow,
    Kind::Conflict,
    Kind::Precondition,
    Kind::TooLarge,
    Kind::MediaType,
    Kind::Invalid,
];

impl Told {
    fn describe(&self, paths: &mut Map<String, Value>) {
        let Self { path, schema, one, many, area, .. } = self;
        let id = |verb: &str| format!("{verb}_{}", path.replace('-', "_"));
        let shown = reference(schema);
        let done =
            |description| answer(description, json!({ "anyOf": [shown, reference("DryRun")] }));
        let page = json!({
            "type": "object",
            "required": ["items", "next", "as_of"],
            "properties": {
                "items": { "type": "array", "items": shown },
                "next": { "type": ["string", "null"], "description": "The address of the next page." },
                "as_of": { "type": "string", "format": "date-time",
                    "description": "What to ask next time as `updated_since`." },
            },
        });
        let mut lists = vec!["limit", "cursor", "updated_since"];
        if !self.is_account {
            lists.push("account");
        }
        let list = operation(
            (id("list"), format!("List {many}, in the order in which they changed last"), many),
            area.read(),
            &lists,
            json!({ "200": answer("A page", page) }),
            &[Kind::NotFound],
        );
        let get = operation(
            (id("get"), format!("Read {one}"), many),
            area.read(),
            &["ref"],
            json!({ "200": answer("As it stands", shown.clone()),
                "304": { "description": "It stands as `If-None-Match` says" } }),
            &[Kind::BadRequest, Kind::NotFound],
        );
        let writes = ["ref", "dry_run", "if_match", "if_none_match", "idempotency_key"];
        let put = operation(
            (id("put"), format!("Make or change {one}, whole: twice is once"), many),
            area.write(),
            &writes,
            json!({ "200": done("It is so now"), "201": answer("It came about", shown.clone()) }),
            &WRITING,
        );
        let patch = operation(
            (id("patch"), format!("Change some of {one} (RFC 7396)"), many),
            area.write(),
            &["ref", "dry_run", "if_match", "idempotency_key"],
            json!({ "200": done("It is so now") }),
            &WRITING,
        );
        let mut item = json!({
            "get": get,
            "put": with_body(put, shown.clone(), "application/json"),
            "patch": with_body(patch, json!({ "type": "object" }), "application/merge-patch+json"),
        });
        if self.is_deletable {
            item["delete"] = operation(
                (id("delete"), format!("Delete {one}: it leaves every reach that names it"), many),
                area.write(),
                &["ref", "dry_run", "if_match", "idempotency_key"],
                json!({ "200": answer("What would come of it", reference("DryRun")),
                    "204": { "description": "It is gone" } }),
                &[Kind::BadRequest, Kind::NotFound, Kind::Conflict, Kind::Precondition],
            );
        }
        let rows = json!({
            "type": "object",
            "required": ["items"],
            "properties": { "items": {
                "type": "array",
                "maxItems": MOST_ROWS,
                "items": { "allOf": [shown, {
                    "type": "object", "required": ["ref"], "properties": { "ref": { "type": "string" } },
                }] },
            } },
        });
        let summary = format!(
            "Make or change up to {MOST_ROWS} {many}, one after the other: all, or nothing"
        );
        let batch = operation(
            (id("batch"), summary, many),
            area.write(),
            &["dry_run", "idempotency_key"],
            json!({ "200": answer("What came of each", reference("BatchOutcome")),
                "422": { "description": "Nothing was written: one can't be taken, or the body as a whole",
                    "content": {
                        "application/json": { "schema": reference("BatchOutcome") },
                        "application/problem+json": { "schema": reference("ProblemBody") },
                    } } }),
            &[Kind::BadRequest, Kind::TooSlow, Kind::Conflict, Kind::TooLarge, Kind::MediaType],
        );
        paths.insert(format!("/{path}"), json!({ "get": list }));
        paths.insert(format!("/{path}/{{ref}}"), item);
        let batch = json!({ "post": with_body(batch, rows, "application/json") });
        paths.insert(format!("/{path}:batch"), batch);
    }
}

fn describe_messages(paths: &mut Map<String, Value>) {
    let (area, tag, shown) = (DoorArea::Support, "support requests", reference("Message"));
    let page = json!({
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": { "type": "array", "items": shown },
            "next": { "type": ["string", "null"], "description": "The address of the next page." },
        },
    });
    let list = operation(
        ("list_messages".into(), "List what was said in a support request".into(), tag),
        area.read(),
        &["ref", "limit", "cursor", "updated_since"],
        json!({ "200": answer("A page", page) }),
        &[Kind::BadRequest, Kind::NotFound],
    );
    let get = operation(
        ("get_message".into(), "Read what was said once".into(), tag),
        area.read(),
        &["ref"],
        json!({ "200": answer("As it stands", shown.clone()) }),
        &[Kind::BadRequest, Kind::NotFound],
    );
    let put = operation(
        ("put_message".into(), "Say something in a support request, or change it".into(), tag),
        area.write(),
        &["ref", "dry_run", "idempotency_key"],
        json!({
            "200": answer("It is so now", json!({ "anyOf": [shown, reference("DryRun")] })),
            "201": answer("It was said", shown.clone()),
        }),
        &WRITING,
    );
    let of_message = json!([{
        "name": "message", "in": "path", "required": true, "schema": { "type": "string" },
        "description": "Your id of the message, percent-encoded, or ours behind `id:`.",
    }]);
    paths.insert("/support-requests/{ref}/messages".into(), json!({ "get": list }));
    paths.insert(
        "/support-requests/{ref}/messages/{message}".into(),
        json!({
            "parameters": of_message,
            "get": get,
            "put": with_body(put, shown, "application/json"),
        }),
    );
}

fn describe_members(paths: &mut Map<String, Value>) {
    let (area, tag, shown) = (DoorArea::Members, "members", reference("Member"));
    let page = json!({
        "type": "object",
        "required": ["items", "next", "as_of"],
        "properties": {
            "items": { "type": "array", "items": shown },
            "next": { "type": ["string", "null"], "description": "The address of the next page." },
            "as_of": { "type": "string", "format": "date-time",
                "description": "What to ask next time as `updated_since`." },
        },
    });
    let summary = "List an account's users, and who hasn't come yet, in the order in which what is told of \
                   them changed last";
    let list = operation(
        ("list_members".into(), summary.into(), tag),
        area.read(),
        &["ref", "limit", "cursor", "updated_since"],
        json!({ "200": answer("A page", page) }),
        &[Kind::BadRequest, Kind::NotFound],
    );
    let get = operation(
        ("get_member".into(), "Read what somebody in an account holds".into(), tag),
        area.read(),
        &["ref"],
        json!({ "200": answer("As it stands", shown.clone()),
            "304": { "description": "It stands as `If-None-Match` says" } }),
        &[Kind::BadRequest, Kind::NotFound],
    );
    let done = answer("It is so now", json!({ "anyOf": [shown, reference("DryRun")] }));
    let summary = "Have somebody hold these grants and no others, or own the account, as soon as they come: twice \
         is once";
    let put = operation(
        ("put_member".into(), summary.into(), tag),
        area.write(),
        &["ref", "dry_run", "if_match", "if_none_match", "idempotency_key"],
        json!({ "200": done.clone(),
            "201": answer("It waits for them until they come", shown.clone()),
            "202": answer("Their address is invited", reference("Invitation")) }),
        &WRITING,
    );
    let patch = operation(
        ("patch_member".into(), "Change some of that (RFC 7396)".into(), tag),
        area.write(),
        &["ref", "dry_run", "if_match", "idempotency_key"],
        json!({ "200": done,
            "202": answer("Their address is invited", reference("Invitation")) }),
        &WRITING,
    );
    let mut delete = operation(
        ("delete_member".into(), "End somebody's access to an account".into(), tag),
        area.write(),
        &["ref", "dry_run", "if_match", "idempotency_key"],
        json!({ "200": answer("What would come of it", reference("DryRun")),
            "204": { "description": "They aren't in the account any more" } }),
        &[Kind::BadRequest, Kind::NotFound, Kind::Conflict, Kind::Precondition, Kind::Invalid],
    );
    if let Some(taken) = delete["parameters"].as_array_mut() {
        taken.push(json!({
            "name": "owner", "in": "query", "schema": { "type": "boolean", "default": false },
            "description": "Whether it may be an owner who goes; the last one never does.",
        }));
    }
    let of_member = json!([{
        "name": "member", "in": "path", "required": true, "schema": { "type": "string" },
        "description": "Your id of them or their e-mail address, percent-encoded, or our id behind `id:`.",
    }]);
    paths.insert("/accounts/{ref}/members".into(), json!({ "get": list }));
    paths.insert(
        "/accounts/{ref}/members/{member}".into(),
        json!({
            "parameters": of_member,
            "get": get,
            "put": with_body(put, shown, "application/json"),
            "patch": with_body(patch, json!({ "type": "object" }), "application/merge-patch+json"),
            "delete": delete,
        }),
    );
}

fn describe_invitations(paths: &mut Map<String, Value>) {
    let (area, tag) = (DoorArea::Members, "members");
    let page = json!({
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": { "type": "array", "items": reference("Invitation") },
            "next": { "type": ["string", "null"], "description": "The address of the next page." },
        },
    });
    let summary = "List an account's invitations that wait or ran out, the newest first";
    let list = operation(
        ("list_invitations".into(), summary.into(), tag),
        area.read(),
        &["ref", "limit", "cursor"],
        json!({ "200": answer("A page", page) }),
        &[Kind::BadRequest, Kind::NotFound],
    );
    let get = operation(
        ("get_invitation".into(), "Read one of them".into(), tag),
        area.read(),
        &["ref"],
        json!({ "200": answer("As it stands", reference("Invitation")),
            "304": { "description": "It stands as `If-None-Match` says" } }),
        &[Kind::BadRequest, Kind::NotFound],
    );
    let cancel = operation(
        ("delete_invitation".into(), "Take an invitation back: its link is dead".into(), tag),
        area.write(),
        &["ref", "dry_run", "if_match", "idempotency_key"],
        json!({ "200": answer("What would come of it", reference("DryRun")),
            "204": { "description": "It is taken back" } }),
        &[Kind::BadRequest, Kind::NotFound, Kind::Conflict, Kind::Precondition],
    );
    let of_invitation = json!([{
        "name": "invitation", "in": "path", "required": true, "schema": { "type": "string" },
        "description": "Our id of the invitation, behind `id:`.",
    }]);
    paths.insert("/accounts/{ref}/invitations".into(), json!({ "get": list }));
    paths.insert(
        "/accounts/{ref}/invitations/{invitation}".into(),
        json!({ "parameters": of_invitation, "get": get, "delete": cancel }),
    );
}

fn describe_activity(paths: &mut Map<String, Value>) {
    let page = json!({
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": { "type": "array", "items": reference("Activity") },
            "next": { "type": ["string", "null"], "description": "The address of the next page." },
        },
    });
    let mut list = operation(
        (
            "list_activity".into(),
            "Read an account's activity log, the oldest first".into(),
            "activity",
        ),
        DoorArea::Activity.read(),
        &["ref", "limit"],
        json!({ "200": answer("A page", page) }),
        &[Kind::BadRequest, Kind::NotFound],
    );
    if let Some(taken) = list["parameters"].as_array_mut() {
        taken.push(json!({
            "name": "after", "in": "query", "schema": { "type": "integer", "minimum": 0, "default": 0 },
            "description": "Only rows with a greater number.",
        }));
    }
    paths.insert("/accounts/{ref}/activity".into(), json!({ "get": list }));
}

fn describe_webhooks(paths: &mut Map<String, Value>) {
    let (area, tag, shown) = (DoorArea::Webhooks, "webhooks", reference("Webhook"));
    let page = json!({
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": { "type": "array", "items": shown },
            "next": { "type": ["string", "null"], "description": "Always null: it is one page." },
        },
    });
    let list = operation(
        ("list_webhooks".into(), "List the addresses that are told of events".into(), tag),
        area.read(),
        &[],
        json!({ "200": answer("All of them, the oldest first", page) }),
        &[Kind::NotFound],
    );
    let add = operation(
        ("add_webhook".into(), "Have an address told of events".into(), tag),
        area.write(),
        &["dry_run", "idempotency_key"],
        json!({ "200": answer("What would come of it", reference("DryRun")),
            "201": answer("It is told, from now on", shown.clone()) }),
        &[Kind::BadRequest, Kind::NotFound, Kind::TooLarge, Kind::MediaType, Kind::Invalid],
    );
    let get = operation(
        ("get_webhook".into(), "Read one of them".into(), tag),
        area.read(),
        &["ref"],
        json!({ "200": answer("As it stands", shown.clone()),
            "304": { "description": "It stands as `If-None-Match` says" } }),
        &[Kind::BadRequest, Kind::NotFound],
    );
    let done = answer("It is so now", json!({ "anyOf": [shown, reference("DryRun")] }));
    let writing: Vec<_> = WRITING.into_iter().filter(|kind| *kind != Kind::Conflict).collect();
    let summary = "Have it told of these kinds, at this address; its secret stays";
    let put = operation(
        ("put_webhook".into(), summary.into(), tag),
        area.write(),
        &["ref", "dry_run", "if_match", "if_none_match", "idempotency_key"],
        json!({ "200": done.clone() }),
        &writing,
    );
    let patch = operation(
        ("patch_webhook".into(), "Change some of that (RFC 7396)".into(), tag),
        area.write(),
        &["ref", "dry_run", "if_match", "idempotency_key"],
        json!({ "200": done }),
        &writing,
    );
    let remove = operation(
        ("delete_webhook".into(), "Have it told of nothing any more".into(), tag),
        area.write(),
        &["ref", "dry_run", "if_match", "idempotency_key"],
        json!({ "200": answer("What would come of it", reference("DryRun")),
            "204": { "description": "It is gone, with what waited for it" } }),
        &[Kind::BadRequest, Kind::NotFound, Kind::Precondition],
    );
    let overlap = json!({
        "type": "object",
        "properties": { "overlap_hours": {
            "type": "integer", "minimum": 0, "maximum": 8760, "default": 24,
            "description": "For how long what is sent is signed with the secret before, too.",
        } },
    });
    let rotate = operation(
        ("rotate_webhook".into(), "Give it another secret".into(), tag),
        area.write(),
        &["ref", "dry_run", "idempotency_key"],
        json!({ "200": answer("The secret", json!({
            "anyOf": [reference("WebhookSecret"), reference("DryRun")],
        })) }),
        &[Kind::BadRequest, Kind::NotFound, Kind::TooLarge, Kind::MediaType, Kind::Invalid],
    );
    let mut rotate = with_body(rotate, overlap, "application/json");
    rotate["requestBody"]["required"] = json!(false);
    let put = with_body(put, shown.clone(), "application/json");
    let patch = with_body(patch, json!({ "type": "object" }), "application/merge-patch+json");
    let add = with_body(add, shown, "application/json");
    paths.insert("/webhooks".into(), json!({ "get": list, "post": add }));
    paths.insert(
        "/webhooks/{ref}".into(),
        json!({ "get": get, "put": put, "patch": patch, "delete": remove }),
    );
    paths.insert("/webhooks/{ref}/rotate".into(), json!({ "post": rotate }));
}

/// The page for people.
fn page(document: &Value) -> String {
    let mut html = String::from(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>The API of Latchkey</title>\
         <link rel=\"stylesheet\" href=\"/api/v1/docs.css\"></head><body><main>\
         <h1>The API of Latchkey</h1>",
    );
    let _ = write!(html, "<p>{}</p>", prose(&document["info"]["description"]));
    html.push_str(
        "<p>The same for programs: <a href=\"/api/v1/openapi.json\">the OpenAPI document</a>.</p>\
         <nav aria-label=\"Contents\"><ul><li><a href=\"#requests\">Requests</a></li>\
         <li><a href=\"#types\">Types</a></li><li><a href=\"#problems\">Problems</a></li></ul></nav>\
         <h2 id=\"requests\">Requests</h2>",
    );
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if method != "parameters" {
                describe_operation(&mut html, document, path, method, operation);
            }
        }
    }
    html.push_str("<h2 id=\"types\">Types</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        describe_schema(&mut html, name, schema);
    }
    html.push_str(
        "<h2 id=\"problems\">Problems</h2>\
        <p>What goes wrong is answered as <code>application/problem+json</code> (RFC 9457). Its \
        <code>type</code> leads here.</p><dl>",
    );
    for kind in Kind::ALL {
        let _ = write!(
            html,
            "<dt id=\"{0}\"><code>{0}</code></dt><dd>{1} · {2}</dd>",
            kind.id(),
            kind.status().as_u16(),
            escaped(kind.title())
        );
    }
    html.push_str("</dl></main></body></html>");
    html
}

fn describe_operation(
    html: &mut String,
    document: &Value,
    path: &str,
    method: &str,
    operation: &Value,
) {
    let (method, path) = (method.to_uppercase(), escaped(path));
    let _ = write!(
        html,
        "<section><h3 id=\"{}\"><code>{method} {}{path}</code></h3><p>{}. {}</p>",
        text(&operation["operationId"]),
        crate::PATH,
        prose(&operation["summary"]),
        prose(&operation["description"]),
    );
    let taken = operation["parameters"].as_array().into_iter().flatten().map(|taken| {
        let name = taken["$ref"].as_str().and_then(|place| place.rsplit('/').next());
        name.map_or(taken, |name| &document["components"]["parameters"][name])
    });
    let rows: String = taken
        .map(|taken| {
            let (name, about) = (text(&taken["name"]), prose(&taken["description"]));
            format!("<dt><code>{name}</code></dt><dd>{about}</dd>")
        })
        .collect();
    if !rows.is_empty() {
        let _ = write!(html, "<dl>{rows}</dl>");
    }
    html.push_str("<ul>");
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        let problem = answer["$ref"].as_str().and_then(|place| place.rsplit('/').next());
        let about = match problem {
            Some(problem) => format!("<a href=\"#{0}\">{0}</a>", escaped(problem)),
            None => prose(&answer["description"]),
        };
        let _ = write!(html, "<li><code>{}</code> {about}</li>", escaped(status));
    }
    html.push_str("</ul></section>");
}

fn describe_schema(html: &mut String, name: &str, schema: &Value) {
    let name = escaped(name);
    let _ = write!(html, "<section><h3 id=\"type-{name}\"><code>{name}</code></h3>");
    let _ = write!(html, "<p>{}</p><dl>", prose(&schema["description"]));
    for (field, about) in schema["properties"].as_object().into_iter().flatten() {
        let marks = [("readOnly", "read only"), ("writeOnly", "write only")];
        let marks = marks.iter().filter(|(mark, _)| about[*mark] == json!(true));
        let marks: String = marks.map(|(_, words)| format!(" · {words}")).collect();
        let _ = write!(
            html,
            "<dt><code>{}</code>{marks}</dt><dd>{}</dd>",
            escaped(field),
            prose(&about["description"])
        );
    }
    html.push_str("</dl></section>");
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

/// A text in which what stands between backticks is code.
fn prose(value: &Value) -> String {
    let parts = value.as_str().unwrap_or_default().split('`').enumerate();
    parts
        .map(|(index, part)| match index % 2 {
            0 => escaped(part),
            _ => format!("<code>{}</code>", escaped(part)),
        })
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::fields::Fields;

    use super::*;

    fn fields_of<R: Resource>() -> BTreeSet<String> {
        let object = Map::new();
        let mut fields = Fields::of(&object, "");
        let _ = (R::owner(&mut fields), R::read(&mut fields, None));
        let own = if R::IS_ACCOUNT { None } else { Some("account") };
        let known = fields.known().iter().copied().chain(R::READ_ONLY.iter().copied());
        known.chain(own).map(str::to_owned).collect()
    }

    fn told_of(schema: &str) -> BTreeSet<String> {
        let properties = &DOCUMENT["components"]["schemas"][schema]["properties"];
        properties.as_object().unwrap().keys().cloned().collect()
    }

    fn agrees<R: Resource>(write_only: &[&str]) {
        let name = R::Shown::name();
        assert_eq!(told_of(&name), fields_of::<R>(), "{name}");
        let schema = &DOCUMENT["components"]["schemas"][name.as_ref()];
        for (marks, names) in [("readOnly", R::READ_ONLY), ("writeOnly", write_only)] {
            for field in names {
                assert_eq!(schema["properties"][field][marks], json!(true), "{name} {field}");
            }
        }
    }

    #[test]
    fn what_is_read_is_what_is_told() {
        agrees::<DoorAccount>(&["owner_email"]);
        agrees::<DoorService>(&["login_password"]);
        agrees::<DoorDomain>(&[]);
        agrees::<DoorInvoice>(&[]);
        agrees::<DoorSupportRequest>(&[]);
        for (links, names) in [
            ("ServiceLinks", &["open", "renew"][..]),
            ("DomainLinks", &["renew"]),
            ("InvoiceLinks", &["pay", "pdf"]),
            ("SupportRequestLinks", &["open"]),
        ] {
            assert_eq!(told_of(links), names.iter().map(|name| (*name).to_owned()).collect());
        }
        let [member, grant] = crate::members::tests::fields();
        for (schema, names) in [("Member", member), ("MemberGrant", grant)] {
            let names = names.into_iter().map(str::to_owned).collect();
            assert_eq!(told_of(schema), names, "{schema}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn follow(value: &Value, all: &mut Vec<String>) {
            match value {
                Value::Object(object) => {
                    all.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
                    object.values().for_each(|value| follow(value, all));
                }
                Value::Array(items) => items.iter().for_each(|value| follow(value, all)),
                _ => {}
            }
        }
        let mut all = Vec::new();
        follow(&DOCUMENT, &mut all);
        assert!(all.len() > 50);
        for place in all {
            let pointer = place.strip_prefix('#').unwrap();
            assert!(DOCUMENT.pointer(pointer).is_some(), "{place}");
        }
    }

    #[test]
    fn no_two_requests_have_one_name_and_the_page_tells_of_all() {
        let mut ids = BTreeSet::new();
        for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
            for operation in item.as_object().unwrap().values().filter(|one| one.is_object()) {
                let id = operation["operationId"].as_str().unwrap();
                assert!(ids.insert(id), "{path} {id}");
                assert!(PAGE.contains(&format!("id=\"{id}\"")), "{id}");
            }
        }
        for kind in Kind::ALL {
            assert!(PAGE.contains(&format!("<dt id=\"{}\">", kind.id())));
        }
        assert!(!PAGE.contains("<script"));
    }
}
