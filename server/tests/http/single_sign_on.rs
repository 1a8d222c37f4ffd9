//! An account's own identity provider: proving a domain, signing in, and requiring it.

use domain::demo::{AMIRA, BJORN, DemoPerson, INGRID, MEI, OLAV, PASSWORD};
use model::AccountNumber;
use test_database::{TestDatabase, apply};

use crate::authenticator::Authenticator;
use crate::identity_provider::{IdentityProvider, Mood, SECRET, Way};
use crate::name_server::NameServer;
use crate::passkeys;
use crate::story::{AGENCY, BAKERY, Browser, Page, TestApp};

const PAGE: &str = "/accounts/100001/single-sign-on";
const LINK: &str = "/sign-in/link";
const DOMAIN: &str = "nordlys.example";
const RECORD: &str = "_latchkey-challenge.nordlys.example";

/// The application, an identity provider, and a name server.
struct Company {
    app: TestApp,
    idp: IdentityProvider,
    dns: NameServer,
}

impl Company {
    async fn new(db: test_database::TestDatabase) -> Self {
        let (idp, dns) = (IdentityProvider::start().await, NameServer::start().await);
        let settings = [
            ("DNS_SERVER", &*dns.address),
            ("SSO_PRIVATE_ADDRESSES", "true"),
            ("SUPPORT_EMAIL", "help@provider.example"),
        ];
        let app = TestApp::with(db, &settings).await;
        Self { app, idp, dns }
    }

    /// The bakery has proven its domain, and has a provider. Answers Ingrid's browser.
    async fn set_up(db: test_database::TestDatabase) -> (Self, Browser) {
        let company = Self::new(db).await;
        let mut ingrid = company.app.as_person(INGRID).await;
        company.prove(&mut ingrid).await;
        company.set_provider(&mut ingrid, SECRET).await.is(303);
        (company, ingrid)
    }

    /// The same, and it is required.
    async fn required(db: test_database::TestDatabase) -> (Self, Browser) {
        let (company, mut ingrid) = Self::set_up(db).await;
        company.link(&mut ingrid, INGRID).await;
        send(&mut ingrid, "require").await.is(303);
        (company, ingrid)
    }

    async fn prove(&self, owner: &mut Browser) {
        with_domain(owner, "add-domain", DOMAIN).await.is(303);
        self.dns.holds(RECORD, &[&token(owner).await]);
        with_domain(owner, "prove-domain", DOMAIN).await.is(303);
    }

    async fn set_provider(&self, owner: &mut Browser, secret: &str) -> Page {
        set_provider(owner, self.idp.issuer(), "latchkey", secret).await
    }

    /// Signs in with the company, as this person there, and comes back.
    async fn visit(&self, browser: &mut Browser, person: DemoPerson, subject: &str) -> Page {
        let way = Way::begin_at_company(browser, person.email, "/accounts").await;
        let claims = self.idp.claims(&self.app, &way, subject, person.email);
        way.back(browser, &self.idp.code(&way, &self.idp.sign(&claims))).await
    }

    /// Links the person's identity in a browser in which they are signed in.
    async fn link(&self, browser: &mut Browser, person: DemoPerson) {
        let page = self.visit(browser, person, person.email).await;
        assert_eq!(page.is(303).leads_to(), LINK);
        browser.get(LINK).await.is(200).says("opens Nordlys Bakeri AS for you");
        browser.post(LINK, "sign-in/link", &[("about", "")]).await.is(303);
    }

    /// A browser in which the person signed in with the company alone.
    async fn vouched(&self, person: DemoPerson) -> Browser {
        self.link(&mut self.app.as_person(person).await, person).await;
        let mut browser = self.app.browser();
        let page = self.visit(&mut browser, person, person.email).await;
        assert_eq!(page.is(303).leads_to(), BAKERY);
        browser
    }
}

async fn send(browser: &mut Browser, what: &str) -> Page {
    browser.post(PAGE, &format!("single-sign-on/{what}"), &[("account", "100001")]).await
}

async fn with_domain(browser: &mut Browser, what: &str, domain: &str) -> Page {
    let fields = [("account", "100001"), ("domain", domain)];
    browser.post(PAGE, &format!("single-sign-on/{what}"), &fields).await
}

async fn set_provider(browser: &mut Browser, issuer: &str, client: &str, secret: &str) -> Page {
    let fields = [
        ("account", "100001"),
        ("issuer", issuer),
        ("client_id", client),
        ("client_secret", secret),
    ];
    browser.post(PAGE, "single-sign-on/set-provider", &fields).await
}

/// Has sessions open the bakery for half an hour.
async fn bound(owner: &mut Browser) {
    let policy = format!("{BAKERY}/policy");
    let spans = [("session_idle", ""), ("session_absolute", "30")];
    owner.open_and_fill_in(&policy, "policies/bound-sessions", &spans).await.is(303);
}

/// What the page says that the record must hold.
async fn token(browser: &mut Browser) -> String {
    value(browser.get(PAGE).await.is(200))
}

fn value(page: &Page) -> String {
    let mut codes = page.body.split("<code translate=\"no\">").skip(1);
    codes.find(|code| code.starts_with(RECORD)).expect("the record's name");
    codes.next().expect("its value").split('<').next().unwrap().to_owned()
}

/// How the bakery answers.
async fn opens(browser: &mut Browser) -> u16 {
    browser.get(BAKERY).await.status.as_u16()
}

#[apply(on_both!)]
async fn a_domain_is_proven_by_its_record(db: TestDatabase) {
    let company = Company::new(db).await;
    let mut ingrid = company.app.as_person(INGRID).await;
    for (typed, says) in [("", "Enter one domain"), ("http://nordlys.example", "Enter one domain")]
    {
        let page = with_domain(&mut ingrid, "add-domain", typed).await;
        page.is(422).says(says);
    }
    with_domain(&mut ingrid, "add-domain", " @Nordlys.Example").await.is(303);
    let page = with_domain(&mut ingrid, "add-domain", DOMAIN).await;
    page.is(422).says("This domain is in the list already");
    ingrid.get(PAGE).await.is(200).says("Not proven yet");
    let token = token(&mut ingrid).await;
    assert_eq!(token.len(), 43);

    let page = with_domain(&mut ingrid, "prove-domain", DOMAIN).await;
    page.is(409).says("The record of nordlys.example isn't there");
    company.dns.holds(RECORD, &["another"]);
    with_domain(&mut ingrid, "prove-domain", DOMAIN).await.is(409).says("isn't there");
    company.dns.holds(DOMAIN, &[&token]);
    with_domain(&mut ingrid, "prove-domain", DOMAIN).await.is(409).says("isn't there");
    // A long text stands there in pieces.
    company.dns.holds(RECORD, &[&token[..20], &token[20..]]);
    with_domain(&mut ingrid, "prove-domain", DOMAIN).await.is(303);
    ingrid.get(PAGE).await.is(200).says("Proven on");
    assert_eq!(company.app.mails_to(OLAV.email).await[0], "policy_changed");
    let log = ingrid.get("/accounts/100001/log").await;
    log.is(200).says("proven domains: nordlys.example");
    with_domain(&mut ingrid, "prove-domain", "elsewhere.example").await.is(404);
}

#[apply(on_both!)]
async fn dns_that_does_not_answer_is_no_proof(db: TestDatabase) {
    let nobody = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    let app = TestApp::with(db, &[("DNS_SERVER", &address)]).await;
    let mut ingrid = app.as_person(INGRID).await;
    with_domain(&mut ingrid, "add-domain", DOMAIN).await.is(303);
    let page = with_domain(&mut ingrid, "prove-domain", DOMAIN).await;
    page.is(502).says("The name servers of nordlys.example don't answer as they should");
}

#[apply(on_both!)]
async fn a_domain_is_one_accounts(db: TestDatabase) {
    let company = Company::new(db).await;
    let (app, agency) = (&company.app, "/accounts/100002/single-sign-on");
    let mut ingrid = app.as_person(INGRID).await;
    let mut mei = app.as_person(MEI).await;
    let fields = [("account", "100002"), ("domain", DOMAIN)];
    mei.post(agency, "single-sign-on/add-domain", &fields).await.is(303);
    let page = mei.get(agency).await;
    let theirs = value(&page);
    with_domain(&mut ingrid, "add-domain", DOMAIN).await.is(303);
    let own = token(&mut ingrid).await;
    assert_ne!(own, theirs, "whoever holds the domain proves it for one account");
    company.dns.holds(RECORD, &[&own]);
    mei.post(agency, "single-sign-on/prove-domain", &fields).await.is(409).says("isn't there");
    with_domain(&mut ingrid, "prove-domain", DOMAIN).await.is(303);
    company.dns.holds(RECORD, &[&theirs]);
    let page = mei.post(agency, "single-sign-on/prove-domain", &fields).await;
    page.is(409).says("Another account has proven this domain. If it is yours, ask us.");
    page.says("You reach us at help@provider.example.");

    let released = domain::single_sign_on::release_domain(&app.latchkey, DOMAIN).await;
    assert_eq!(released, Ok(true));
    mei.post(agency, "single-sign-on/prove-domain", &fields).await.is(303);
    ingrid.get("/accounts/100001/log").await.is(200).says("no proven domain");
    let again = domain::single_sign_on::release_domain(&app.latchkey, "other.example").await;
    assert_eq!(again, Ok(false));
}

#[apply(on_both!)]
async fn a_provider_must_answer_and_its_secret_is_not_shown(db: TestDatabase) {
    let company = Company::new(db).await;
    let mut ingrid = company.app.as_person(INGRID).await;
    let page = set_provider(&mut ingrid, "id.example", "", "").await;
    page.is(422).says("Enter an address that begins with https://");
    page.says("Fill this in");
    let page = set_provider(&mut ingrid, "http://127.0.0.1:1", "latchkey", SECRET).await;
    page.is(422).says("Nothing answers there");
    assert!(page.body.contains("http://127.0.0.1:1") && !page.body.contains(SECRET));
    company.set_provider(&mut ingrid, SECRET).await.is(303);
    let page = ingrid.get(PAGE).await;
    assert!(page.is(200).body.contains(company.idp.issuer()));
    assert!(!page.body.contains(SECRET));
    page.says("https://my.provider.example/sign-in/callback/100001");
    assert_eq!(company.app.mails_to(OLAV.email).await[0], "policy_changed");
}

#[apply(on_both!)]
async fn an_issuer_is_taken_as_people_paste_it(db: TestDatabase) {
    let company = Company::new(db).await;
    let mut ingrid = company.app.as_person(INGRID).await;
    company.prove(&mut ingrid).await;
    let own = company.idp.issuer().to_owned();
    for (mood, kept) in [(Mood::Well, own.clone()), (Mood::Slashed, format!("{own}/"))] {
        company.idp.is(mood);
        for pasted in [
            own.clone(),
            format!("{own}/"),
            format!(" {own}/.well-known/openid-configuration "),
            format!("\u{200b}{own}/.well-known/openid-configuration/\u{a0}"),
        ] {
            set_provider(&mut ingrid, &pasted, "\u{feff}latchkey ", SECRET).await.is(303);
            let stored = company.app.account_of(INGRID).await;
            let stored = company.app.latchkey.store.account_provider(stored).await.unwrap();
            let stored = stored.unwrap();
            assert_eq!((stored.issuer, &*stored.client_id), (kept.clone(), "latchkey"));
        }
        // The same one, so its secret is kept.
        set_provider(&mut ingrid, &own, "latchkey", "").await.is(303);
        company.link(&mut ingrid, INGRID).await;
        company.app.forward_seconds(600);
        ingrid = company.app.as_person(INGRID).await;
    }
    for (mood, words) in [
        (Mood::Down, "Nothing answers there"),
        (Mood::Endless, "Nothing answers there"),
        (Mood::Elsewhere, "doesn't describe itself as an identity provider"),
        (Mood::TakesKeys, "must take a client secret"),
        (Mood::CallsItselfOtherwise, "calls itself by another address"),
    ] {
        company.idp.is(mood);
        company.app.forward_seconds(6);
        let page = set_provider(&mut ingrid, &own, "another", SECRET).await;
        page.is(422).says(words);
    }
}

#[apply(on_both!)]
async fn an_owner_who_tries_it_reads_what_is_wrong(db: TestDatabase) {
    let (company, mut ingrid) = Company::set_up(db).await;
    company.idp.is(Mood::KnowsNobody);
    let page = company.visit(&mut ingrid, INGRID, INGRID.email).await;
    page.is(409).says("compare the client ID and enter a new client secret");
    company.idp.is(Mood::Well);
    let way = Way::begin_at_company(&mut ingrid, INGRID.email, "/accounts").await;
    let error = [("error", "invalid_request"), ("error_description", "redirect_uri")];
    way.back_with(&mut ingrid, &error).await.is(409).says("compare the client ID, the redirect");
    company.link(&mut ingrid, INGRID).await;
}

#[apply(on_both!)]
async fn what_is_private_is_not_asked(db: TestDatabase) {
    let idp = IdentityProvider::start().await;
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let port = idp.issuer().rsplit(':').next().unwrap();
    for issuer in [idp.issuer().to_owned(), format!("http://localhost:{port}")] {
        let page = set_provider(&mut ingrid, &issuer, "latchkey", SECRET).await;
        page.is(422).says("begins with https://");
    }
    for host in ["127.0.0.1", "localhost", "[::1]", "169.254.169.254"] {
        let issuer = format!("https://{host}:{port}");
        let page = set_provider(&mut ingrid, &issuer, "latchkey", SECRET).await;
        page.is(422).says("Nothing answers there");
    }
}

#[apply(on_both!)]
async fn a_companys_people_sign_in_with_it_once_linked(db: TestDatabase) {
    let (company, _) = Company::set_up(db).await;
    let mut browser = company.app.browser();
    browser.get("/sign-in").await.is(200).says("Sign in with your company");
    let path = "/sign-in/single-sign-on";
    browser.get(path).await.is(200).says("Enter your email address at work");
    for (email, says) in [
        (BJORN.email, "No company here"),
        ("", "Enter the email address"),
        ("nobody@", "in the form"),
    ] {
        let fields = [("email", email), ("next", "/accounts")];
        browser.post(path, "sign-in/with-company", &fields).await.is(422).says(says);
    }

    let page = company.visit(&mut browser, AMIRA, "a").await;
    assert_eq!(page.is(303).leads_to(), "/sign-in?next=/sign-in/link");
    assert_eq!(opens(&mut browser).await, 302, "the address alone opens nothing");
    let fields = [("email", AMIRA.email), ("password", PASSWORD), ("next", LINK)];
    browser.post("/sign-in", "sign-in", &fields).await.is(303);
    let page = browser.post(LINK, "sign-in/link", &[("about", "")]).await;
    assert_eq!(page.is(303).leads_to(), "/accounts");
    assert_eq!(company.app.mails_to(AMIRA.email).await[0], "identity_changed");

    let mut other = company.app.browser();
    let page = company.visit(&mut other, AMIRA, "a").await;
    assert_eq!(page.is(303).leads_to(), BAKERY);
    other.get(BAKERY).await.is(200).says(AMIRA.name);
}

#[apply(on_both!)]
async fn what_an_accounts_provider_says_counts_there_alone(db: TestDatabase) {
    let (company, mut ingrid) = Company::set_up(db).await;
    let mut mei = company.app.as_person(MEI).await;
    let fields = [("account", "100002"), ("email", AMIRA.email), ("permissions[]", "billing.view")];
    mei.post("/accounts/100002/users/invite", "users/invite", &fields).await.is(303);
    let link = company.app.invitation_link(AMIRA.email).await;
    let mut amira = company.vouched(AMIRA).await;
    assert_eq!(opens(&mut amira).await, 200);
    amira.get(&format!("{BAKERY}/users")).await.is(200);
    for path in ["/security", "/profile", "/profile/email"] {
        amira.get(path).await.is(401).says("opens your company's account only");
    }
    amira.get("/accounts").await.is(302);
    let token = link.rsplit('/').next().unwrap();
    amira.post(&link, "invitations/join", &[("token", token)]).await.is(401);
    let password = [("current_password", PASSWORD), ("new_password", "a quite other one, long")];
    amira.post("/security", "security/change-password", &password).await.is(401);
    amira.post("/security", "security/begin-app", &[]).await.is(401);
    // What is sensitive takes the password here, too.
    amira.invite("kari@elsewhere.example", &["billing.view"]).await.is(401);

    let kept = [("password", PASSWORD), ("kept_form", "invitations/join"), ("kept.token", token)];
    amira.post(&link, "sign-in/confirm", &kept).await.is(303);
    amira.get(AGENCY).await.is(200);
    amira.get("/security").await.is(200);
    amira.get("/accounts").await.is(200).says("Fjord");
    // The agency isn't the bakery's provider's to open.
    let mut again = company.app.browser();
    company.visit(&mut again, AMIRA, AMIRA.email).await.is(303);
    again.get(AGENCY).await.is(401);
    again.get("/accounts").await.is(401);
    assert_eq!(opens(&mut ingrid).await, 200);
}

#[apply(on_both!)]
async fn only_the_accounts_people_with_its_addresses_are_vouched_for(db: TestDatabase) {
    let (company, _) = Company::set_up(db).await;
    for email in [BJORN.email, MEI.email, "nobody@nordlys.example"] {
        let mut browser = company.app.browser();
        let way = Way::begin_at_company(&mut browser, AMIRA.email, "/accounts").await;
        let claims = company.idp.claims(&company.app, &way, "x", email);
        let code = company.idp.code(&way, &company.idp.sign(&claims));
        way.back(&mut browser, &code).await.is(409).says("belongs to nobody in the account");
    }
    let mut browser = company.app.browser();
    let way = Way::begin_at_company(&mut browser, AMIRA.email, "/accounts").await;
    let mut claims = company.idp.claims(&company.app, &way, "x", AMIRA.email);
    claims["email_verified"] = serde_json::json!(false);
    let code = company.idp.code(&way, &company.idp.sign(&claims));
    let page = way.back(&mut browser, &code).await;
    page.is(409).says("doesn't say that your email address is verified");
}

#[apply(on_both!)]
async fn what_another_provider_sends_back_is_not_taken(db: TestDatabase) {
    let (company, _) = Company::set_up(db).await;
    company.link(&mut company.app.as_person(AMIRA).await, AMIRA).await;
    for callback in ["/sign-in/callback", "/sign-in/callback/100002", "/sign-in/callback/x"] {
        let mut browser = company.app.browser();
        let way = Way::begin_at_company(&mut browser, AMIRA.email, "/accounts").await;
        let claims = company.idp.claims(&company.app, &way, AMIRA.email, AMIRA.email);
        let code = company.idp.code(&way, &company.idp.sign(&claims));
        let astray = Way { callback: callback.to_owned(), ..way };
        let page = astray.back(&mut browser, &code).await;
        assert!([404, 409].contains(&page.status.as_u16()), "{callback}: {}", page.status);
        assert_eq!(opens(&mut browser).await, 302);
    }
}

#[apply(on_both!)]
async fn a_second_factor_is_still_asked_for_and_proves_no_more(db: TestDatabase) {
    let (company, _) = Company::set_up(db).await;
    let mut amira = company.app.as_person(AMIRA).await;
    let (key, _) = company.app.turn_app_on(&mut amira).await;
    company.link(&mut amira, AMIRA).await;
    let mut browser = company.app.browser();
    let page = company.visit(&mut browser, AMIRA, AMIRA.email).await;
    let step = "/sign-in/second-factor";
    assert_eq!(page.is(303).leads_to(), format!("{step}?next={BAKERY}"));
    assert_eq!(opens(&mut browser).await, 302);
    let code = company.app.next_code(&key);
    let fields = [("code", &*code), ("next", BAKERY)];
    browser.post(step, "sign-in/second-factor", &fields).await.is(303);
    assert_eq!(opens(&mut browser).await, 200);
    browser.get("/security").await.is(401);
    // A code alone doesn't stand in for the password.
    let code = company.app.next_code(&key);
    let fields = [
        ("by", "code"),
        ("code", &*code),
        ("kept_form", "sign-in/go-on"),
        ("kept.next", "/security"),
    ];
    browser.post("/security", "sign-in/confirm-by-factor", &fields).await;
    browser.get("/security").await.is(401);
    let fields =
        [("password", PASSWORD), ("kept_form", "sign-in/go-on"), ("kept.next", "/security")];
    browser.post("/security", "sign-in/confirm", &fields).await.is(303);
    browser.get("/security").await.is(200);
}

#[apply(on_both!)]
async fn it_is_required_of_the_companys_people_alone(db: TestDatabase) {
    let (company, mut ingrid) = Company::set_up(db).await;
    let mut amira = company.app.as_person(AMIRA).await;
    let mut bjorn = company.app.as_person(BJORN).await;
    send(&mut ingrid, "require").await.is(409).says("Sign in with it yourself first");
    company.link(&mut ingrid, INGRID).await;
    ingrid.get(PAGE).await.is(200).says("so it works");
    send(&mut ingrid, "require").await.is(303);
    ingrid.get(PAGE).await.is(200).says("only after signing in with 127.0.0.1");
    assert_eq!(company.app.mails_to(OLAV.email).await[0], "policy_changed");

    // In force at the next request, of whoever was signed in already, too.
    assert_eq!(opens(&mut ingrid).await, 200);
    assert_eq!(opens(&mut bjorn).await, 200);
    let page = amira.get(&format!("{BAKERY}/users")).await;
    page.is(403).says("This account opens with your company's sign-in");
    let href = format!("/sign-in/single-sign-on?next={BAKERY}/users");
    assert!(page.body.contains(&href), "{}", page.body);
    amira.invite("kari@nordlys.example", &["billing.view"]).await.is(403);
    amira.get("/api/account/overview?account=100001").await.is(403);
    amira.get(&format!("{BAKERY}/log.csv")).await.is(403);
    amira.get("/security").await.is(200);

    company.link(&mut amira, AMIRA).await;
    assert_eq!(opens(&mut amira).await, 200);
    let mut anew = company.app.as_person(AMIRA).await;
    assert_eq!(opens(&mut anew).await, 403);
    let page = company.visit(&mut anew, AMIRA, AMIRA.email).await;
    assert_eq!(page.is(303).leads_to(), BAKERY);
    assert_eq!(opens(&mut anew).await, 200);
    anew.get("/security").await.is(200).says("Linked sign-ins");

    send(&mut ingrid, "lift").await.is(303);
    assert_eq!(opens(&mut company.app.as_person(AMIRA).await).await, 200);
}

#[apply(on_both!)]
async fn another_address_is_no_way_around_the_company(db: TestDatabase) {
    let (company, mut ingrid) = Company::required(db).await;
    let app = &company.app;
    let mut amira = app.as_person(AMIRA).await;
    company.link(&mut amira, AMIRA).await;
    let move_to = async |amira: &mut Browser, address: &str| {
        amira.post("/profile/email", "profile/change-email", &[("email", address)]).await.is(303);
        let link = app.email_link(address).await;
        let page = amira.get(&link).await.is(200).words();
        amira.follow(&link, "profile/confirm-email").await.is(303);
        page
    };
    let page = move_to(&mut amira, "amira@home.example").await;
    assert!(page.contains("Nordlys Bakeri AS won't open for you any more"), "{page}");
    let page = amira.get(BAKERY).await;
    page.is(403).says("You changed the address of your login");
    assert!(!page.body.contains("href=\"/sign-in/single-sign-on"), "that would lead nowhere");
    amira.get("/profile").await.is(200).says("amira@home.example");
    let page = move_to(&mut amira, AMIRA.email).await;
    assert!(!page.contains("won't open"), "{page}");
    assert_eq!(opens(&mut amira).await, 403, "as before, she is to sign in there");
    company.link(&mut amira, AMIRA).await;
    assert_eq!(opens(&mut amira).await, 200);

    move_to(&mut amira, "amira@away.example").await;
    send(&mut ingrid, "lift").await.is(303);
    assert_eq!(opens(&mut amira).await, 200);
}

#[apply(on_both!)]
async fn an_owner_who_cant_come_in_is_none_who_is_left(db: TestDatabase) {
    let (company, mut ingrid) = Company::required(db).await;
    let app = &company.app;
    let mut olav = app.as_person(OLAV).await;
    company.link(&mut olav, OLAV).await;
    let move_to = async |browser: &mut Browser, address: &str| {
        let wanted = [("email", address)];
        browser.post("/profile/email", "profile/change-email", &wanted).await.is(303);
        let link = app.email_link(address).await;
        browser.follow(&link, "profile/confirm-email").await
    };
    let number = AccountNumber::from_stored(100_001);
    let remove = async || {
        let email = model::EmailAddress::parse(INGRID.email).unwrap();
        let latchkey = &app.latchkey;
        domain::owners_by_provider::remove(latchkey, number, &email, None, "Left").await.map(drop)
    };
    move_to(&mut olav, "olav@home.example").await.is(303);
    assert_eq!(opens(&mut olav).await, 403);
    let (leave, down) = (format!("{BAKERY}/leave"), format!("{BAKERY}/step-down"));
    let page = ingrid.get(&leave).await;
    page.is(200).says("You are the only owner of Nordlys Bakeri AS who can sign in to it");
    let account = [("account", "100001"), ("permissions[]", "billing.view")];
    for (path, form) in [(&leave, "account/leave"), (&down, "owners/step-down")] {
        let page = ingrid.post(path, form, &account).await;
        page.is(409).says("You are the only owner who can sign in here");
    }
    ingrid.get(&down).await.is(200).says("You are the only owner who can sign in here");
    ingrid.get("/profile/delete").await.is(200).says("You are its only owner");
    let own = [("email", INGRID.email)];
    let page = ingrid.post("/profile/delete", "profile/delete", &own).await;
    page.is(409).says("Nobody else who can sign in there owns Nordlys Bakeri AS");
    let refused = remove().await;
    assert_eq!(refused, Err(domain::owners_by_provider::OwnersStay::LastOwner));
    let page = move_to(&mut ingrid, "ingrid@home.example").await;
    page.is(409).says("With this address you couldn't enter an account of yours any more");
    assert_eq!(opens(&mut ingrid).await, 200);
    // He comes back, and each of them may go.
    move_to(&mut olav, OLAV.email).await.is(303);
    ingrid.get("/profile/delete").await.is(200).says("1 other owner remains");
    assert_eq!(remove().await, Ok(()));
}

#[apply(on_both!)]
async fn a_session_that_is_over_for_the_account_begins_there_again(db: TestDatabase) {
    let (company, mut ingrid) = Company::required(db).await;
    let mut amira = company.vouched(AMIRA).await;
    bound(&mut ingrid).await;
    assert_eq!(opens(&mut amira).await, 200);
    company.app.forward_seconds(1_801);
    amira.get(BAKERY).await.is(403).says("This account opens with your company's sign-in");
    let page = company.visit(&mut amira, AMIRA, AMIRA.email).await;
    assert_eq!(page.is(303).leads_to(), BAKERY);
    assert_eq!(opens(&mut amira).await, 200);
    amira.get("/security").await.is(401);
    // A password opens what isn't required of its owner, but doesn't stand in for the company.
    let page = ingrid.get(BAKERY).await;
    page.is(403).says("Sign in with your company again");
    let fields =
        [("password", PASSWORD), ("kept_form", "sign-in/go-on"), ("kept.next", "/security")];
    ingrid.post("/security", "sign-in/confirm", &fields).await.is(303);
    assert_eq!(opens(&mut ingrid).await, 403);
    company.visit(&mut ingrid, INGRID, INGRID.email).await.is(303);
    assert_eq!(opens(&mut ingrid).await, 200);
}

#[apply(on_both!)]
async fn where_it_is_not_required_either_proof_opens_the_account_again(db: TestDatabase) {
    let (company, mut ingrid) = Company::set_up(db).await;
    company.link(&mut ingrid, INGRID).await;
    bound(&mut ingrid).await;
    company.app.forward_seconds(1_801);
    assert_eq!(opens(&mut ingrid).await, 401);
    company.visit(&mut ingrid, INGRID, INGRID.email).await.is(303);
    assert_eq!(opens(&mut ingrid).await, 200);
    company.app.forward_seconds(1_801);
    let fields = [("password", PASSWORD), ("kept_form", "sign-in/go-on"), ("kept.next", BAKERY)];
    ingrid.post(BAKERY, "sign-in/confirm", &fields).await.is(303);
    assert_eq!(opens(&mut ingrid).await, 200);
}

#[apply(on_both!)]
async fn a_code_does_not_stand_in_for_the_company(db: TestDatabase) {
    let (company, mut ingrid) = Company::set_up(db).await;
    bound(&mut ingrid).await;
    let mut amira = company.app.as_person(AMIRA).await;
    let (key, _) = company.app.turn_app_on(&mut amira).await;
    company.link(&mut amira, AMIRA).await;
    let mut browser = company.app.browser();
    company.visit(&mut browser, AMIRA, AMIRA.email).await.is(303);
    let code = company.app.next_code(&key);
    let fields = [("code", &*code), ("next", BAKERY)];
    browser.post("/sign-in/second-factor", "sign-in/second-factor", &fields).await.is(303);
    assert_eq!(opens(&mut browser).await, 200);
    company.app.forward_seconds(1_801);
    let code = company.app.next_code(&key);
    let fields =
        [("by", "code"), ("code", &*code), ("kept_form", "sign-in/go-on"), ("kept.next", BAKERY)];
    browser.post(BAKERY, "sign-in/confirm-by-factor", &fields).await;
    assert_eq!(opens(&mut browser).await, 403);
}

#[apply(on_both!)]
async fn a_passkey_proves_more_than_the_company_does(db: TestDatabase) {
    let (company, _) = Company::set_up(db).await;
    let mut amira = company.app.as_person(AMIRA).await;
    let mut phone = Authenticator::new(1);
    passkeys::add(&mut amira, &mut phone, "Phone").await;
    company.link(&mut amira, AMIRA).await;
    let mut browser = company.app.browser();
    company.visit(&mut browser, AMIRA, AMIRA.email).await.is(303);
    let asked = passkeys::question(&mut browser, "sign-in/ask-for-second-step", &[]).await;
    let fields = [("by", "passkey"), ("credential", &*phone.sign(&asked)), ("next", BAKERY)];
    browser.post("/sign-in/second-factor", "sign-in/second-factor", &fields).await.is(303);
    browser.get("/security").await.is(401).says("Use a passkey");
    let asked = passkeys::question(&mut browser, "security/ask-for-proof", &[]).await;
    let credential = phone.sign(&asked);
    let fields = [
        ("by", "passkey"),
        ("credential", &*credential),
        ("kept_form", "sign-in/go-on"),
        ("kept.next", "/security"),
    ];
    browser.post("/security", "sign-in/confirm-by-factor", &fields).await.is(303);
    browser.get("/security").await.is(200);
}

#[apply(on_both!)]
async fn a_provider_makes_no_room_for_guesses(db: TestDatabase) {
    let (company, _) = Company::set_up(db).await;
    company.link(&mut company.app.as_person(AMIRA).await, AMIRA).await;
    let mut elsewhere = company.app.browser_at("198.51.100.7");
    for _ in 0..3 {
        elsewhere.sign_in(AMIRA.email, "wrong password").await.is(422);
    }
    elsewhere.sign_in(AMIRA.email, "wrong password").await.is(429);
    let page = company.visit(&mut elsewhere, AMIRA, AMIRA.email).await;
    assert_eq!(page.is(303).leads_to(), BAKERY);
    elsewhere.sign_in(AMIRA.email, "wrong password").await.is(429);
    // Nor is a browser known that got in by it alone.
    company.app.forward_seconds(60);
    let news = async || {
        let mails = company.app.mails_to(AMIRA.email).await;
        mails.into_iter().filter(|kind| *kind == "new_device").count()
    };
    assert_eq!(news().await, 1);
    company.visit(&mut elsewhere, AMIRA, AMIRA.email).await.is(303);
    assert_eq!(news().await, 1, "the company's people aren't told each time");
    elsewhere.sign_in(AMIRA.email, PASSWORD).await.is(303);
    assert_eq!(news().await, 2);
}

#[apply(on_both!)]
async fn a_provider_wastes_no_codes_that_its_people_need_elsewhere(db: TestDatabase) {
    let (company, _) = Company::set_up(db).await;
    let mut amira = company.app.as_person(AMIRA).await;
    let (key, _) = company.app.turn_app_on(&mut amira).await;
    company.link(&mut amira, AMIRA).await;
    let step = "/sign-in/second-factor";
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let mut browser = company.app.browser();
        company.visit(&mut browser, AMIRA, AMIRA.email).await.is(303);
        for _ in 0..5 {
            let fields = [("code", "000000"), ("next", BAKERY)];
            let page = browser.post(step, "sign-in/second-factor", &fields).await;
            statuses.push(page.status.as_u16());
        }
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    let mut own = company.app.browser();
    own.sign_in(AMIRA.email, PASSWORD).await.is(303);
    let code = company.app.next_code(&key);
    let fields = [("code", &*code), ("next", BAKERY)];
    own.post(step, "sign-in/second-factor", &fields).await.is(303);
}

#[apply(on_both!)]
async fn whom_a_provider_vouched_for_is_told_of_no_other_account(db: TestDatabase) {
    let (company, _) = Company::set_up(db).await;
    let mut mei = company.app.as_person(MEI).await;
    let fields = [("account", "100002"), ("email", AMIRA.email), ("permissions[]", "billing.view")];
    mei.post("/accounts/100002/users/invite", "users/invite", &fields).await.is(303);
    let link = company.app.invitation_link(AMIRA.email).await;
    let mut amira = company.app.as_person(AMIRA).await;
    amira.open_and_fill_in(&link, "invitations/join", &[]).await.is(303);
    amira.get("/help/users").await.is(200).says("Fjord");
    let mut vouched = company.vouched(AMIRA).await;
    vouched.get("/help/users").await.is(200).says("Nordlys");
    for path in ["/help/users", "/api/help/page?account=&email="] {
        assert!(!vouched.get(path).await.body.contains("Fjord"), "{path}");
    }
    let answers = [AGENCY, "/accounts/999999"].map(|path| (path, 401));
    for (path, status) in answers {
        vouched.get(path).await.is(status).says("opens your company's account only");
    }
    let page = vouched.get("/accounts").await;
    assert!(!page.is(401).body.contains("Fjord"));
    assert!(page.body.contains(&format!("href=\"{BAKERY}\"")), "the way back to the account");
}

#[apply(on_both!)]
async fn owners_with_a_second_factor_get_in_when_the_provider_fails(db: TestDatabase) {
    let (company, mut ingrid) = Company::required(db).await;
    let mut olav = company.app.as_person(OLAV).await;
    assert_eq!(opens(&mut olav).await, 403);
    company.app.forward_seconds(60);
    company.app.turn_app_on(&mut olav).await;
    assert_eq!(opens(&mut olav).await, 403, "a password was enough for this factor");
    send(&mut ingrid, "lift").await.is(303);
    send(&mut ingrid, "require").await.is(303);
    assert_eq!(opens(&mut olav).await, 200);
    let mut amira = company.app.as_person(AMIRA).await;
    company.app.turn_app_on(&mut amira).await;
    assert_eq!(opens(&mut amira).await, 403, "for others it is no way around");
    send(&mut olav, "lift").await.is(303);
    assert_eq!(opens(&mut amira).await, 200);
}

#[apply(on_both!)]
async fn whoever_joins_with_such_an_address_signs_in_with_the_company(db: TestDatabase) {
    let (company, mut ingrid) = Company::required(db).await;
    let kari = "kari@nordlys.example";
    ingrid.invite(kari, &["billing.view"]).await.is(303);
    let link = company.app.invitation_link(kari).await;
    let mut browser = company.app.browser();
    let fields = [("full_name", "Kari"), ("password", "a password of its own")];
    let form = "invitations/join-with-new-login";
    browser.open_and_fill_in(&link, form, &fields).await.is(303);
    assert_eq!(opens(&mut browser).await, 403);
}

#[apply(on_both!)]
async fn requiring_it_takes_the_records(db: TestDatabase) {
    let (company, mut ingrid) = Company::set_up(db).await;
    company.link(&mut ingrid, INGRID).await;
    company.dns.holds_nothing();
    send(&mut ingrid, "require").await.is(409).says("isn't there");
    let mut fresh = company.app.as_person(OLAV).await;
    fresh.get(PAGE).await.is(200).says("Sign in with it yourself first");
    let mut mei = company.app.as_person(MEI).await;
    let page = mei
        .post("/accounts/100002/single-sign-on", "single-sign-on/require", &[("account", "100002")])
        .await;
    page.is(409).says("Prove a domain and save an identity provider first");
    company.dns.silent();
    send(&mut ingrid, "require").await.is(502).says("name servers of nordlys.example");
}

#[apply(on_both!)]
async fn what_it_hangs_on_stays_as_long_as_it_is_required(db: TestDatabase) {
    let (company, mut ingrid) = Company::required(db).await;
    let says = "Single sign-on is required";
    let other = IdentityProvider::start().await;
    let page = set_provider(&mut ingrid, other.issuer(), "latchkey", SECRET).await;
    page.is(409).says(says);
    let page = set_provider(&mut ingrid, company.idp.issuer(), "another", SECRET).await;
    page.is(409).says(says);
    send(&mut ingrid, "remove-provider").await.is(409).says(says);
    with_domain(&mut ingrid, "remove-domain", DOMAIN).await.is(409).says(says);
    // A secret expires, and its successor changes nothing for anybody.
    company.set_provider(&mut ingrid, "the next secret").await.is(303);
    assert_eq!(opens(&mut ingrid).await, 200);
    let log = format!("{BAKERY}/log");
    ingrid.get(&log).await.is(200).says("client ID latchkey, new client secret");
    let mails = company.app.mails_to(OLAV.email).await.len();
    company.set_provider(&mut ingrid, "").await.is(303);
    assert_eq!(company.app.mails_to(OLAV.email).await.len(), mails, "nothing changed");
    company.set_provider(&mut ingrid, SECRET).await.is(303);
    assert_eq!(opens(&mut company.vouched(AMIRA).await).await, 200);
}

#[apply(on_both!)]
async fn what_began_by_a_provider_ends_with_it(db: TestDatabase) {
    let (company, mut ingrid) = Company::set_up(db).await;
    for what in ["provider", "client", "domain", "membership", "none"] {
        let mut amira = company.vouched(AMIRA).await;
        assert_eq!(opens(&mut amira).await, 200, "{what}");
        match what {
            "provider" => {
                let other = IdentityProvider::start().await;
                set_provider(&mut ingrid, other.issuer(), "latchkey", SECRET).await.is(303);
                company.set_provider(&mut ingrid, SECRET).await.is(303);
            }
            "client" => {
                let issuer = company.idp.issuer();
                set_provider(&mut ingrid, issuer, "another", SECRET).await.is(303);
                company.set_provider(&mut ingrid, SECRET).await.is(303);
            }
            "domain" => {
                with_domain(&mut ingrid, "remove-domain", DOMAIN).await.is(303);
                company.prove(&mut ingrid).await;
            }
            "none" => {
                send(&mut ingrid, "remove-provider").await.is(303);
                assert_eq!(opens(&mut amira).await, 302);
                amira.get("/security").await.is(302);
                let fields = [("email", AMIRA.email)];
                let path = "/sign-in/single-sign-on";
                let mut anybody = company.app.browser();
                anybody.post(path, "sign-in/with-company", &fields).await.is(422);
                break;
            }
            _ => {
                let user = company.app.id_of(AMIRA).await;
                let path = format!("{BAKERY}/users/{user}/remove");
                ingrid.open_and_fill_in(&path, "users/remove-access", &[]).await.is(303);
                assert_eq!(opens(&mut amira).await, 302, "nothing vouches for her any more");
                ingrid.invite(AMIRA.email, &["billing.view"]).await.is(303);
                let link = company.app.invitation_link(AMIRA.email).await;
                let mut back = company.app.as_person(AMIRA).await;
                back.open_and_fill_in(&link, "invitations/join", &[]).await.is(303);
            }
        }
        assert_eq!(opens(&mut amira).await, 302, "{what}");
    }
}

#[apply(on_both!)]
async fn a_provider_replaced_while_it_is_required_at_once(db: TestDatabase) {
    let (company, mut ingrid) = Company::set_up(db).await;
    company.link(&mut ingrid, INGRID).await;
    let mut olav = company.app.as_person(OLAV).await;
    let other = IdentityProvider::start().await;
    let (required, replaced) = tokio::join!(
        send(&mut ingrid, "require"),
        set_provider(&mut olav, other.issuer(), "latchkey", SECRET),
    );
    let came = [required.status.as_u16(), replaced.status.as_u16()];
    // Whoever comes second may be kept out by then.
    assert!([[303, 409], [303, 403], [409, 303]].contains(&came), "{came:?}: one of the two");
}

#[apply(on_both!)]
async fn the_operator_lets_people_in_whose_provider_is_gone(db: TestDatabase) {
    let (company, _) = Company::required(db).await;
    let mut olav = company.app.as_person(OLAV).await;
    assert_eq!(opens(&mut olav).await, 403);
    let lift = async |number| {
        let number = AccountNumber::from_stored(number);
        domain::single_sign_on::lift_for(&company.app.latchkey, number).await
    };
    assert_eq!(lift(100_001).await, Ok(true));
    assert_eq!(opens(&mut olav).await, 200);
    assert_eq!(company.app.mails_to(OLAV.email).await[0], "policy_changed");
    olav.get(&format!("{BAKERY}/log")).await.is(200).says("single sign-on not required");
    assert_eq!(lift(100_001).await, Ok(false));
    let mut ingrid = company.app.as_person(INGRID).await;
    company.visit(&mut ingrid, INGRID, INGRID.email).await.is(303);
    send(&mut ingrid, "require").await.is(303);
    assert_eq!(opens(&mut olav).await, 403);
    let released = domain::single_sign_on::release_domain(&company.app.latchkey, DOMAIN).await;
    assert_eq!(released, Ok(true));
    assert_eq!(opens(&mut olav).await, 200);
    olav.get(PAGE).await.is(200).says("Prove a domain first");
    let log = olav.get(&format!("{BAKERY}/log")).await;
    log.is(200).says("no proven domain");
    assert_eq!(log.words().matches("Now: single sign-on not required").count(), 2);
    assert_eq!(lift(999_999).await, Err(model::Failure::NotFound));
}

#[apply(on_both!)]
async fn only_owners_see_and_change_it(db: TestDatabase) {
    let (company, _) = Company::set_up(db).await;
    let mut amira = company.app.as_person(AMIRA).await;
    amira.get(PAGE).await.is(403).says("You don't have access to Single sign-on");
    for what in ["add-domain", "prove-domain", "remove-domain"] {
        with_domain(&mut amira, what, DOMAIN).await.is(403);
    }
    for what in ["remove-provider", "require", "lift"] {
        send(&mut amira, what).await.is(403);
    }
    company.set_provider(&mut amira, SECRET).await.is(403);
    let mut ingrid = company.app.as_person(INGRID).await;
    company.app.forward_seconds(601);
    with_domain(&mut ingrid, "remove-domain", DOMAIN).await.is(401).says("Confirm that it is you");
}
