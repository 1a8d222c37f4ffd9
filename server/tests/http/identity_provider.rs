//! An identity provider that a test makes say what it likes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::story::{BAKERY, Browser, Page, TestApp};

pub const SECRET: &str = "the-secret-of-the-client";
const CLIENT: &str = "latchkey";

/// How it behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// It announces that it sends `iss` along (RFC 9207).
    NamesItself,
    /// It answers 503 to everything.
    Down,
    /// It sends whoever asks on to somebody else.
    Elsewhere,
    /// It answers more than anybody wants to read.
    Endless,
    /// It writes its own address with a slash at the end.
    Slashed,
    /// It takes the client's secret in the body alone.
    TakesBody,
    /// It takes the client's secret either way.
    TakesBoth,
    /// It knows clients by their keys alone.
    TakesKeys,
    /// It calls itself by another address altogether.
    CallsItselfOtherwise,
    /// It knows no such client.
    KnowsNobody,
}

/// What a code is good for.
#[derive(Clone)]
struct Grant {
    challenge: String,
    callback: String,
    tokens: Value,
    person: Value,
}

struct Inside {
    issuer: String,
    secret: Mutex<String>,
    mood: Mutex<Mood>,
    key: Mutex<SigningKey>,
    grants: Mutex<HashMap<String, Grant>>,
    people: Mutex<HashMap<String, Value>>,
}

/// The provider; it ends with this value.
pub struct IdentityProvider {
    inside: Arc<Inside>,
    server: JoinHandle<()>,
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl IdentityProvider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inside = Arc::new(Inside {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            secret: Mutex::new(SECRET.to_owned()),
            mood: Mutex::new(Mood::Well),
            key: Mutex::new(SigningKey::from_bytes(&[1; 32])),
            grants: Mutex::default(),
            people: Mutex::default(),
        });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(description))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/person", get(person))
            .with_state(Arc::clone(&inside));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { inside, server }
    }

    /// The application that people can sign in to with it.
    pub async fn app(&self, db: test_database::TestDatabase) -> TestApp {
        self.app_with(db, self.issuer(), SECRET).await
    }

    /// The same with its address as somebody wrote it, and another secret.
    pub async fn app_with(
        &self,
        db: test_database::TestDatabase,
        issuer: &str,
        secret: &str,
    ) -> TestApp {
        secret.clone_into(&mut self.inside.secret.lock().unwrap());
        let settings = format!(
            "[{{ id = 'acme', name = 'Acme Login', issuer = '{issuer}', client_id = '{CLIENT}', \
             client_secret = '{secret}' }}]",
        );
        TestApp::with(db, &[("IDENTITY_PROVIDERS", &settings)]).await
    }

    pub fn issuer(&self) -> &str {
        &self.inside.issuer
    }

    pub fn is(&self, mood: Mood) {
        *self.inside.mood.lock().unwrap() = mood;
    }

    pub fn has_key(&self, number: u8) {
        *self.inside.key.lock().unwrap() = SigningKey::from_bytes(&[number; 32]);
    }

    /// What it says of a person who is here on this way.
    pub fn claims(&self, app: &TestApp, way: &Way, subject: &str, email: &str) -> Value {
        let now = app.latchkey.now().as_micros() / 1_000_000;
        json!({
            "iss": self.issuer(), "sub": subject, "aud": CLIENT, "nonce": way.nonce,
            "iat": now, "exp": now + 300, "auth_time": now,
            "email": email, "email_verified": true,
        })
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_as(&json!({ "alg": "EdDSA", "kid": self.kid() }), claims)
    }

    fn kid(&self) -> String {
        kid(&self.inside.key.lock().unwrap())
    }

    /// An ID token with this header.
    pub fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.inside.key.lock().unwrap().sign(signed.as_bytes());
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// A code for this ID token.
    pub fn code(&self, way: &Way, id_token: &str) -> String {
        let tokens = json!({
            "access_token": "the-access-token", "token_type": "Bearer", "id_token": id_token,
        });
        self.code_for(way, tokens, Value::Null)
    }

    /// A code for these tokens; the person is what their access token shows.
    pub fn code_for(&self, way: &Way, tokens: Value, person: Value) -> String {
        let mut grants = self.inside.grants.lock().unwrap();
        let code = format!("code-{}", grants.len());
        let (challenge, callback) = (way.challenge.clone(), way.callback.clone());
        grants.insert(code.clone(), Grant { challenge, callback, tokens, person });
        code
    }

    /// Signs in there as this person, and comes back.
    pub async fn visit(
        &self,
        app: &TestApp,
        browser: &mut Browser,
        subject: &str,
        email: &str,
    ) -> Page {
        let way = Way::begin(browser).await;
        let code = self.code(&way, &self.sign(&self.claims(app, &way, subject, email)));
        way.back(browser, &code).await
    }
}

/// A browser's way there, as the provider sees it.
#[derive(Clone)]
pub struct Way {
    /// Where the provider sends it back to.
    pub callback: String,
    pub state: String,
    pub nonce: String,
    pub challenge: String,
}

impl Way {
    /// Chooses the provider on the sign-in page, to go to the bakery then.
    pub async fn begin(browser: &mut Browser) -> Self {
        Self::begin_to(browser, BAKERY).await
    }

    pub async fn begin_to(browser: &mut Browser, next: &str) -> Self {
        let fields = [("provider", "acme"), ("next", next)];
        let page = browser.submit("/sign-in", "sign-in/with", &fields).await;
        page.is(200).says("On to Acme Login");
        let way = Self::of(&page);
        assert_eq!(way.callback, "/sign-in/callback");
        way
    }

    /// Has an address find the provider of its company.
    pub async fn begin_at_company(browser: &mut Browser, email: &str, next: &str) -> Self {
        let fields = [("email", email), ("next", next)];
        let path = "/sign-in/single-sign-on";
        let page = browser.submit(path, "sign-in/with-company", &fields).await;
        page.is(200).says("On to 127.0.0.1");
        let way = Self::of(&page);
        assert_eq!(way.callback, "/sign-in/callback/100001");
        way
    }

    fn of(page: &Page) -> Self {
        let refresh = page.headers["refresh"].to_str().unwrap();
        let address = refresh.strip_prefix("0; url=").unwrap();
        let query = address.split('?').nth(1).unwrap();
        let query: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["scope"], "openid email");
        let callback = query["redirect_uri"].strip_prefix("https://my.provider.example");
        Self {
            callback: callback.unwrap().to_owned(),
            state: query["state"].clone(),
            nonce: query["nonce"].clone(),
            challenge: query["code_challenge"].clone(),
        }
    }

    /// Comes back with a code.
    pub async fn back(&self, browser: &mut Browser, code: &str) -> Page {
        self.back_with(browser, &[("code", code)]).await
    }

    pub async fn back_with(&self, browser: &mut Browser, more: &[(&str, &str)]) -> Page {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("state", &self.state).extend_pairs(more);
        browser.get(&format!("{}?{}", self.callback, query.finish())).await
    }
}

fn kid(key: &SigningKey) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&key.verifying_key().to_bytes()[..8])
}

type Asked = State<Arc<Inside>>;

/// Its answer when it isn't well.
fn unwell(inside: &Inside) -> Option<Response> {
    match *inside.mood.lock().unwrap() {
        Mood::Well
        | Mood::NamesItself
        | Mood::Slashed
        | Mood::TakesBody
        | Mood::TakesBoth
        | Mood::TakesKeys
        | Mood::CallsItselfOtherwise
        | Mood::KnowsNobody => None,
        Mood::Down => Some(StatusCode::SERVICE_UNAVAILABLE.into_response()),
        Mood::Elsewhere => Some(Redirect::to("http://127.0.0.1:1/").into_response()),
        Mood::Endless => {
            let endless = format!("{{\"issuer\": \"{}\"}}", "x".repeat(1_000_000));
            Some(([(header::CONTENT_TYPE, "application/json")], endless).into_response())
        }
    }
}

async fn description(State(inside): Asked) -> Response {
    if let Some(answer) = unwell(&inside) {
        return answer;
    }
    let issuer = &inside.issuer;
    let mood = *inside.mood.lock().unwrap();
    let names_itself = mood == Mood::NamesItself;
    let own = match mood {
        Mood::Slashed => format!("{issuer}/"),
        Mood::CallsItselfOtherwise => format!("{issuer}/another"),
        _ => issuer.clone(),
    };
    let methods = match mood {
        Mood::TakesBody => json!(["client_secret_post"]),
        Mood::TakesBoth => json!(["client_secret_basic", "client_secret_post"]),
        Mood::TakesKeys => json!(["private_key_jwt"]),
        _ => json!(["client_secret_basic"]),
    };
    Json(json!({
        "issuer": own,
        "token_endpoint_auth_methods_supported": methods,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/person"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // More than it should.
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
        "authorization_response_iss_parameter_supported": names_itself,
    }))
    .into_response()
}

async fn keys(State(inside): Asked) -> Response {
    let key = inside.key.lock().unwrap().clone();
    let x = BASE64_URL_SAFE_NO_PAD.encode(key.verifying_key().to_bytes());
    Json(json!({ "keys": [
        { "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid(&key), "x": x },
    ] }))
    .into_response()
}

async fn token(
    State(inside): Asked,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    if let Some(answer) = unwell(&inside) {
        return answer;
    }
    let secret = inside.secret.lock().unwrap().clone();
    let in_header = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap());
    let in_body = form.get("client_secret").map(String::as_str);
    // Encoded as in a form (RFC 6749 section 2.3.1), but for Basic it isn't undone by this one when it
    // takes both.
    let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{CLIENT}:{encoded}")));
    let mood = *inside.mood.lock().unwrap();
    let is_known = match mood {
        Mood::KnowsNobody => false,
        Mood::TakesBody => in_header.is_none() && in_body == Some(&*secret),
        Mood::TakesBoth if encoded != secret => in_body == Some(&*secret),
        _ => in_header == Some(&*basic) && in_body.is_none(),
    };
    if !is_known {
        let unknown = Json(json!({ "error": "invalid_client" }));
        return (StatusCode::UNAUTHORIZED, unknown).into_response();
    }
    let refused = (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" })));
    // A code is redeemed once.
    let Some(grant) = inside.grants.lock().unwrap().remove(&form["code"]) else {
        return refused.into_response();
    };
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    let callback = form["redirect_uri"].strip_prefix("https://my.provider.example");
    if challenge != grant.challenge || callback != Some(&grant.callback) {
        return refused.into_response();
    }
    let access = grant.tokens["access_token"].as_str().unwrap().to_owned();
    inside.people.lock().unwrap().insert(access, grant.person);
    Json(grant.tokens).into_response()
}

async fn person(State(inside): Asked, headers: HeaderMap) -> Response {
    let access = headers[header::AUTHORIZATION].to_str().unwrap();
    let access = access.strip_prefix("Bearer ").unwrap();
    Json(inside.people.lock().unwrap()[access].clone()).into_response()
}
