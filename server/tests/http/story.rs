//! The tests' words: an application with the demo in it, and browsers without scripts.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use app::request::Site;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use domain::demo::{self, DemoPerson, INGRID};
use domain::mails::KeptMail;
use domain::{Clock, Latchkey};
use http_body_util::BodyExt;
use model::{ActivityKind, Actor, Keys, Mail, Scope, Terms, Timestamp, UserId};
use scraper::{ElementRef, Html, Selector};
use server::clock::SystemRandom;
use server::config::Config;
use server::identity_providers::OpenIdConnect;
use server::records::Dns;
use server::router::{Parts, router};
use server::webhooks::Courier;
use store::{ChangeFacts, Grant, Holding, MembershipChange, Store};
use test_database::{Kind, TestDatabase};
use tokio::sync::Semaphore;
use tower::ServiceExt;

pub const BAKERY: &str = "/accounts/100001";
pub const AGENCY: &str = "/accounts/100002";
const ORIGIN: &str = "https://my.provider.example";

/// When every test begins, in microseconds since 1970.
const START: i64 = 1_800_000_000_000_000;

/// A database with the demo in it.
pub async fn demo(kind: Kind) -> TestDatabase {
    test_database::filled(kind, |store| Box::pin(seed(store))).await
}

/// The demo's people invite each other: a test's narrow limits begin after them.
async fn seed(store: Store) {
    let (clock, random) = (Arc::new(TestClock(AtomicI64::new(START))), Arc::new(SystemRandom));
    let latchkey = Latchkey::new(store, clock, random, domain::Settings::default());
    demo::seed(&latchkey).await.unwrap();
}

/// A clock that the test moves.
pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// The application, on a database with the demo in it.
pub struct TestApp {
    pub latchkey: Latchkey,
    clock: Arc<TestClock>,
    config: Arc<Config>,
    router: Router,
    pub db: TestDatabase,
}

fn node(store: store::Store, clock: Arc<TestClock>, config: Arc<Config>) -> (Latchkey, Router) {
    let identity_providers = Arc::new(OpenIdConnect::new(&config).unwrap());
    let latchkey = Latchkey::new(store, clock, Arc::new(SystemRandom), config.settings())
        .with_identity_providers(identity_providers)
        .with_records(Arc::new(Dns::new(config.dns_server)));
    let parts = Parts {
        latchkey: latchkey.clone(),
        site: Arc::new(config.site()),
        config,
        assets: server::assets::load(),
        mail_waiting: Arc::default(),
        pages: Arc::new(Semaphore::new(1024)),
    };
    (latchkey, router(parts))
}

impl TestApp {
    pub async fn new(db: TestDatabase) -> Self {
        Self::with(db, &[]).await
    }

    /// The application with these settings besides.
    pub async fn with(db: TestDatabase, settings: &[(&str, &str)]) -> Self {
        let own = [("PUBLIC_URL", ORIGIN), ("DEMO", "true")];
        let settings = own.iter().chain(settings);
        let settings = settings.map(|(k, v)| (format!("LATCHKEY_{k}"), (*v).to_owned()));
        let config = Arc::new(Config::parse(Path::new("none"), "", settings).unwrap());
        let clock = Arc::new(TestClock(AtomicI64::new(START)));
        let (latchkey, router) = node(db.store.clone(), clock.clone(), config.clone());
        Self { latchkey, clock, config, router, db }
    }

    /// Everything that another node answers: it shares the database, and has its own connections.
    pub async fn another_node(&self, url: &str) -> Router {
        let store = store::Store::open(url).await.unwrap();
        node(store, self.clock.clone(), self.config.clone()).1
    }

    /// The same, with a clock that is this much ahead and stands still.
    pub async fn node_ahead(&self, url: &str, seconds: i64) -> Router {
        let store = store::Store::open(url).await.unwrap();
        let now = self.latchkey.now().as_micros() + seconds * 1_000_000;
        node(store, Arc::new(TestClock(AtomicI64::new(now))), self.config.clone()).1
    }

    pub fn forward_hours(&self, hours: i64) {
        self.forward_seconds(hours * 3_600);
    }

    pub fn forward_seconds(&self, seconds: i64) {
        // What is being noted beside requests belongs to the time before.
        let runtime = tokio::runtime::Handle::current();
        if runtime.runtime_flavor() == tokio::runtime::RuntimeFlavor::MultiThread {
            let noted = || runtime.block_on(self.latchkey.store.noted());
            tokio::task::block_in_place(noted);
        }
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// What an authenticator app with this key shows half a minute later: a code that is new.
    pub fn next_code(&self, key: &str) -> String {
        self.forward_seconds(30);
        let key = totp_rs::Secret::try_from_base32(key).expect(key);
        let app = totp_rs::Builder::new().with_secret(key).with_account_name("test");
        let seconds = self.latchkey.now().as_micros() / 1_000_000;
        app.build().unwrap().generate(seconds.try_into().unwrap()).to_string()
    }

    /// Turns an authenticator app on in this browser; answers its key and the recovery codes.
    pub async fn turn_app_on(&self, browser: &mut Browser) -> (String, Vec<String>) {
        let page = browser.submit("/security", "security/begin-app", &[]).await;
        let key = page.between("<code translate=\"no\" class=\"key\">", "</code>").replace(' ', "");
        let code = self.next_code(&key);
        let path = "/security/authenticator";
        let page = browser.submit(path, "security/turn-app-on", &[("code", &code)]).await;
        page.is(200).says("Your authenticator app is on");
        // Beside another factor there are codes already.
        let list = page.body.split("<ul class=\"recovery-codes\">").nth(1).unwrap_or_default();
        let codes =
            list.split("</ul>").next().unwrap_or_default().split("<code translate=\"no\">").skip(1);
        (key, codes.map(|code| code[..29].to_owned()).collect())
    }

    /// Everything that the application answers.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// What pages and mails show of the provider.
    pub fn site(&self) -> Site {
        self.config.site()
    }

    /// A browser that nobody is signed in with.
    pub fn browser(&self) -> Browser {
        let (cookies, address) = (Vec::new(), "192.0.2.1".into());
        Browser { router: self.router.clone(), cookies, given: Vec::new(), address }
    }

    /// A browser in another network.
    pub fn browser_at(&self, address: &str) -> Browser {
        Browser { address: address.to_owned(), ..self.browser() }
    }

    /// A browser that this person is signed in with.
    pub async fn as_person(&self, person: DemoPerson) -> Browser {
        let mut browser = self.browser();
        let page = browser.sign_in(person.email, demo::PASSWORD).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        browser
    }

    /// The id of a person, for the address of their page.
    pub async fn id_of(&self, person: DemoPerson) -> String {
        let email = model::EmailAddress::parse(person.email).unwrap();
        self.latchkey.store.login(&email).await.unwrap().unwrap().id.to_string()
    }

    /// The account that a person owns.
    pub async fn account_of(&self, person: DemoPerson) -> model::AccountId {
        let email = model::EmailAddress::parse(person.email).unwrap();
        let user = self.latchkey.store.login(&email).await.unwrap().unwrap().id;
        let number = model::AccountNumber::from_stored(100_001);
        let now = self.latchkey.now();
        self.latchkey.store.membership(user, number, None, now).await.unwrap().unwrap().account
    }

    /// Ingrid as she acts in the bakery.
    pub async fn ingrid(&self) -> Actor {
        let user = self.id_of(INGRID).await.parse().unwrap();
        let (account, at) = (self.account_of(INGRID).await, self.latchkey.now());
        Actor { user, account, keys: Keys::Owner, at, eyes: None }
    }

    /// The bakery's services.
    pub async fn services(&self) -> Vec<store::Service> {
        self.latchkey.store.services(&self.ingrid().await, &Scope::All, 9).await.unwrap()
    }

    /// The bakery's domains.
    pub async fn domains(&self) -> Vec<store::Domain> {
        self.latchkey.store.domains(&self.ingrid().await, &Scope::All, 9).await.unwrap()
    }

    /// Has somebody in the bakery hold grants with these terms and no others.
    pub async fn hold<const N: usize>(&self, person: DemoPerson, terms: [Terms; N]) {
        let (ingrid, user) = (self.ingrid().await, self.id_of(person).await);
        let (user, now) = (user.parse::<UserId>().unwrap(), self.latchkey.now());
        let mut ids = [(); N].map(|()| self.latchkey.new_id());
        ids.sort_unstable();
        let mut ids = ids.into_iter();
        let grants = terms.map(|terms| Grant {
            id: ids.next().unwrap().into(),
            terms,
            why: String::new(),
            given_by: Some(ingrid.user),
            given_at: now,
        });
        let decide = |facts: &ChangeFacts| {
            let entry = facts.by.entry(ActivityKind::PermissionsChanged, "");
            let holding = Some(Holding::Granted(grants.to_vec()));
            Ok(Some(MembershipChange { holding, entry, mail: None }))
        };
        let changed =
            self.latchkey.store.change_membership(ingrid.account, ingrid.user, user, now, decide);
        changed.await.unwrap();
    }

    /// The path of the link in the newest invitation mail to this address.
    pub async fn invitation_link(&self, email: &str) -> String {
        self.keep_all_mail().await;
        let mails = self.latchkey.store.kept_mails(200).await.unwrap();
        let token = mails.iter().find_map(|kept| match &kept.mail {
            Mail::Invitation { token, .. } if kept.to.as_str() == email => Some(token.clone()),
            _ => None,
        });
        format!("/invitations/{}", token.expect("an invitation mail").expose())
    }

    /// The path of the link about an address in the newest such mail to this one.
    pub async fn email_link(&self, email: &str) -> String {
        self.keep_all_mail().await;
        let mails = self.latchkey.store.kept_mails(200).await.unwrap();
        let mut mails = mails.iter().filter(|kept| kept.to.as_str() == email);
        let link = mails.find_map(|kept| match &kept.mail {
            Mail::EmailProof { token, .. } | Mail::EmailChange { token, .. } => {
                Some(format!("/email/confirm/{}", token.expose()))
            }
            Mail::EmailUndo { token, .. } => Some(format!("/email/undo/{}", token.expose())),
            _ => None,
        });
        link.expect("a link")
    }

    /// The path of the link in the newest mail to choose a new password.
    pub async fn reset_link(&self, email: &str) -> String {
        self.reset_links(email).await.into_iter().next().expect("a reset link")
    }

    /// The links of all mails with one to this address, newest first.
    pub async fn reset_links(&self, email: &str) -> Vec<String> {
        self.keep_all_mail().await;
        let mails = self.latchkey.store.kept_mails(200).await.unwrap();
        let mails = mails.iter().filter(|kept| kept.to.as_str() == email);
        let link = |kept: &KeptMail| match &kept.mail {
            Mail::PasswordReset { token, .. } => Some(format!("/reset/{}", token.expose())),
            _ => None,
        };
        mails.filter_map(link).collect()
    }

    /// The link of the newest mail that says what waits for this address.
    pub async fn waiting_link(&self, email: &str) -> Option<String> {
        self.keep_all_mail().await;
        let mails = self.latchkey.store.kept_mails(200).await.unwrap();
        let mut mails = mails.iter().filter(|kept| kept.to.as_str() == email);
        mails.find_map(|kept| match &kept.mail {
            Mail::AccessWaits { token, .. } => Some(format!("/invitations/{}", token.expose())),
            _ => None,
        })
    }

    /// The kinds of the mails to this address, newest first.
    pub async fn mails_to(&self, email: &str) -> Vec<&'static str> {
        self.keep_all_mail().await;
        let mails = self.latchkey.store.kept_mails(200).await.unwrap();
        let mails = mails.iter().filter(|kept| kept.to.as_str() == email);
        mails.map(|kept| kept.mail.kind().id()).collect()
    }

    /// Whoever delivers this application's events.
    pub fn courier(&self) -> Courier {
        Courier::new(self.latchkey.clone(), &self.config).unwrap()
    }

    pub async fn keep_all_mail(&self) {
        while let Some(mail) = domain::mails::take(&self.latchkey).await.unwrap() {
            domain::mails::keep(&self.latchkey, &mail).await.unwrap();
        }
    }
}

/// A browser without scripts: it keeps cookies, posts forms, and shows the answer.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    cookies: Vec<(String, String)>,
    /// What every cookie that it ever got held.
    pub given: Vec<String>,
    pub address: String,
}

/// What came back.
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Page {
    pub fn leads_to(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |location| location.to_str().unwrap())
    }

    /// The words of the page, its markup left out.
    pub fn words(&self) -> String {
        let body = self.body.split("<body").nth(1).unwrap_or(&self.body);
        let mut words = String::new();
        let mut tag = false;
        let mut script = false;
        let mut rest = body;
        while let Some(c) = rest.chars().next() {
            if c == '<' {
                tag = true;
                script = rest.starts_with("<script") || (script && !rest.starts_with("</script"));
            } else if c == '>' {
                tag = false;
                words.push(' ');
            } else if !tag && !script {
                words.push(c);
            }
            rest = &rest[c.len_utf8()..];
        }
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        words.replace("&#39;", "'").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    }

    /// The markup of the table's row with this text in it.
    pub fn row_of(&self, text: &str) -> &str {
        let rows = self.body.split("<tr").skip(1);
        let mut rows = rows.map(|row| row.split("</tr>").next().unwrap_or(row));
        rows.find(|row| row.contains(text)).expect("the row")
    }

    /// The markup between these two.
    pub fn between(&self, start: &str, end: &str) -> String {
        let rest = self.body.split(start).nth(1).expect("the start");
        rest.split(end).next().expect("the end").replace("<!>", "")
    }

    /// The markup of the first input with this text in it.
    pub fn input(&self, text: &str) -> &str {
        let inputs = self.body.split("<input").skip(1);
        let mut inputs = inputs.map(|input| input.split('>').next().unwrap_or_default());
        inputs.find(|input| input.contains(text)).expect("the input")
    }

    /// What an input carries unseen, as a browser would send it.
    pub fn hidden(&self, name: &str) -> String {
        let input = self.input(&format!("name=\"{name}\""));
        let value = input.split("value=\"").nth(1).unwrap_or_default();
        let value = value.split('"').next().unwrap_or_default();
        let value = value.replace("&quot;", "\"").replace("&#39;", "'");
        value.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }

    /// Where a form of this page posts to, and what its inputs carry unseen. Where there are several of
    /// the kind, it is the one that carries what these fields say.
    fn unseen(&self, form: &str, fields: &[(&str, &str)]) -> (String, Vec<(String, String)>) {
        let document = Html::parse_document(&self.body);
        let [forms, inputs] = ["form[method=post]", "input[type=hidden][name]"]
            .map(|selector| Selector::parse(selector).unwrap());
        let attribute = |of: ElementRef<'_>, name| of.attr(name).unwrap_or_default().to_owned();
        let mut shown = document.select(&forms).map(|shown| {
            let unseen = shown.select(&inputs);
            let unseen = unseen.map(|input| (attribute(input, "name"), attribute(input, "value")));
            (attribute(shown, "action"), unseen.collect::<Vec<_>>())
        });
        let is_meant = |unseen: &[(String, String)]| {
            let says = |name: &str, value: &str| {
                let mut known = unseen.iter().filter(|(known, _)| known == name);
                known.all(|(_, known)| known == value)
            };
            unseen.iter().any(|(name, value)| name == "form" && value == form)
                && fields.iter().all(|(name, value)| says(name, value))
        };
        let found = shown.find(|(_, unseen)| is_meant(unseen));
        found.unwrap_or_else(|| panic!("there is no form {form} in {}", self.words()))
    }

    pub fn title(&self) -> &str {
        let title = self.body.split("<title>").nth(1).unwrap_or_default();
        title.split("</title>").next().unwrap_or_default()
    }

    #[track_caller]
    pub fn says(&self, words: &str) {
        assert!(self.words().contains(words), "{words:?} is missing in {}", self.words());
    }

    /// The sentence holds the request's id.
    #[track_caller]
    pub fn names_the_request(&self) {
        self.says(self.headers["x-request-id"].to_str().unwrap());
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.words());
        self
    }
}

impl Browser {
    /// The same browser, led to another node.
    pub fn at(self, node: &Router) -> Self {
        Self { router: node.clone(), ..self }
    }

    /// What a cookie holds.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let known = self.cookies.iter().find(|(known, _)| known == name);
        known.map(|(_, value)| value.as_str())
    }

    /// Has the browser hold a cookie that it wasn't given.
    pub fn take_cookie(&mut self, name: &str, value: &str) {
        self.cookies.retain(|(known, _)| known != name);
        self.cookies.push((name.to_owned(), value.to_owned()));
    }

    pub async fn send(&mut self, mut request: Request<Body>) -> Page {
        let cookies: Vec<_> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        if !cookies.is_empty() {
            let cookies = cookies.join("; ").parse().unwrap();
            request.headers_mut().insert(header::COOKIE, cookies);
        }
        let peer: SocketAddr = format!("{}:4711", self.address).parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        for cookie in head.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.given.push(value.to_owned());
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        Page { status: head.status, headers: head.headers, body }
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let request = Request::get(path).header(header::ACCEPT, "text/html");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Posts a form to the page that shows it.
    pub async fn post(&mut self, path: &str, form: &str, fields: &[(&str, &str)]) -> Page {
        let body = {
            let mut body = form_urlencoded::Serializer::new(String::new());
            body.append_pair("form", form).extend_pairs(fields).finish()
        };
        self.send(post(path, body)).await
    }

    /// Posts a form and goes where it leads.
    pub async fn submit(&mut self, path: &str, form: &str, fields: &[(&str, &str)]) -> Page {
        let answer = self.post(path, form, fields).await;
        self.go_on(&answer).await
    }

    /// Goes where the answer to a form leads.
    pub async fn go_on(&mut self, answer: &Page) -> Page {
        self.get(answer.is(303).leads_to()).await
    }

    /// Sends a form of a page as it was shown, with what it carries unseen. Of what can be filled in
    /// and ticked, it is these fields.
    pub async fn fill_in(&mut self, page: &Page, form: &str, fields: &[(&str, &str)]) -> Page {
        let (action, mut unseen) = page.unseen(form, fields);
        unseen.retain(|(name, _)| fields.iter().all(|(filled_in, _)| filled_in != name));
        let body = {
            let mut body = form_urlencoded::Serializer::new(String::new());
            body.extend_pairs(unseen).extend_pairs(fields).finish()
        };
        self.send(post(&action, body)).await
    }

    /// Opens the page that shows a form, and fills it in.
    pub async fn open_and_fill_in(
        &mut self,
        path: &str,
        form: &str,
        fields: &[(&str, &str)],
    ) -> Page {
        let page = self.get(path).await;
        self.fill_in(&page, form, fields).await
    }

    pub async fn sign_in(&mut self, email: &str, password: &str) -> Page {
        let fields = [("email", email), ("password", password), ("next", "/accounts")];
        self.post("/sign-in", "sign-in", &fields).await
    }

    /// Sends the form of the page that a mail's link opens.
    pub async fn follow(&mut self, link: &str, form: &str) -> Page {
        let token = link.rsplit('/').next().unwrap();
        self.post(link, form, &[("token", token), ("next", link)]).await
    }

    pub async fn invite(&mut self, email: &str, permissions: &[&str]) -> Page {
        let mut fields = vec![("account", "100001"), ("email", email)];
        fields.extend(permissions.iter().map(|id| ("permissions[]", *id)));
        self.post(&format!("{BAKERY}/users/invite"), "users/invite", &fields).await
    }
}

/// A form post as a browser of this site sends it.
pub fn post(path: &str, body: String) -> Request<Body> {
    Request::post(path)
        .header(header::ACCEPT, "text/html,application/xhtml+xml")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::HOST, "my.provider.example")
        .header(header::ORIGIN, ORIGIN)
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(body))
        .unwrap()
}
