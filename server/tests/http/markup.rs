//! Text that people fill in stays text: every page has the same markup whatever their names are.

use domain::demo::{AMIRA, BJORN, INGRID, MEI, OLAV, TOM};
use scraper::{Html, Node};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use crate::authenticator::Authenticator;
use test_database::Kind;

use crate::story::{BAKERY, Browser, Page, TestApp, demo};

/// What ends everything that text can stand in, and begins what does something.
const HOSTILE: &str =
    "</title></textarea></script><form action=//x.example><input name=n>\"'><img src=x><!--HEAD-->";

/// Who reads a page.
type Readers = [(&'static str, Browser); 3];

/// The pages of an account.
const INSIDE: [&str; 21] = [
    "",
    "/users",
    "/users?search=nobody{odd}&sort=email",
    "/users/invite",
    "/users/permissions/services.view",
    "/ask?permission=domains.view",
    "/ask?permission=x{odd}",
    "/services",
    "/domains",
    "/billing",
    "/support",
    "/account",
    "/policy",
    "/single-sign-on",
    "/leave",
    "/step-down",
    "/owners/successor",
    "/owners/successor?search=nobody{odd}",
    "/take-over",
    "/log",
    "/log?person=nobody{odd}",
];

/// The other pages without a part that varies.
const OUTSIDE: [&str; 24] = [
    "/accounts",
    "/accounts/nothing{odd}",
    "/nothing{odd}",
    "/help/users?account=100001",
    "/help/users?account=100001&email=nobody{odd}",
    "/help?account=100001",
    "/help/security?account=100001",
    "/help/x{odd}",
    "/sign-in?next=/x{odd}&as=ingrid@nordlys.example",
    "/sign-in/second-factor?next=/x{odd}",
    "/sign-in/single-sign-on?next=/x{odd}",
    "/sign-in/link",
    "/sign-in/onward",
    "/forgot-password",
    "/forgot-password/sent",
    "/profile",
    "/profile/delete",
    "/profile/email",
    "/security",
    "/security/authenticator",
    "/security/authenticator/off",
    "/security/passkeys/add",
    "/security/recovery-codes",
    "/demo/mailbox",
];

/// A page, a form on it, its fields.
type Typed = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Forms that are refused with what was typed.
const REFUSED: [Typed; 17] = [
    ("/sign-in", "sign-in", &[("email", "x{odd}"), ("password", "x"), ("next", "/{odd}")]),
    ("/sign-in", "{odd}", &[("{odd}", "{odd}")]),
    ("/forgot-password", "security/request-reset", &[("email", "x{odd}")]),
    ("/sign-in/single-sign-on", "sign-in/with-company", &[("email", "x{odd}"), ("next", "/{odd}")]),
    (
        "/profile",
        "profile/save",
        &[("full_name", "{long}"), ("language", "en"), ("time_zone", "x{odd}")],
    ),
    ("/profile/delete", "profile/delete", &[("email", "x{odd}")]),
    ("/profile/email", "profile/change-email", &[("email", "x{odd}")]),
    ("/help/security", "help/feedback", &[("guide", "security"), ("comment", "x\n{odd}")]),
    (
        "/accounts/100001/users/invite",
        "users/invite",
        &[("account", "100001"), ("email", "x{odd}"), ("permissions[]", "x{odd}")],
    ),
    (
        "/accounts/100001/users/invite",
        "users/invite",
        &[("account", "100001"), ("email", "x{odd}"), ("show", "start"), ("start", "x{odd}")],
    ),
    (
        "/accounts/100001/ask",
        "access-requests/ask",
        &[
            ("account", "100001"),
            ("permission", "domains.view"),
            ("why", "{long}"),
            ("until", "x{odd}"),
            ("next", "/{odd}"),
        ],
    ),
    (
        "/accounts/100001/step-down",
        "owners/step-down",
        &[
            ("account", "100001"),
            ("permissions[]", "x{odd}"),
            ("until", "x{odd}"),
            ("why", "{long}"),
        ],
    ),
    (
        "/accounts/100001/owners/successor",
        "successors/name",
        &[("account", "100001"), ("successor", "x{odd}"), ("wait_days", "x{odd}")],
    ),
    ("/accounts/100001/users/invite", "users/resend", &[("account", "{odd}"), ("email", "{odd}")]),
    (
        "/accounts/100001/account",
        "account/change-details",
        &[("account", "100001"), ("account_name", "{long}"), ("street", "x{odd}")],
    ),
    (
        "/accounts/100001/policy",
        "policies/limit-domains",
        &[("account", "100001"), ("domains", "no domain{odd}")],
    ),
    (
        "/accounts/100001/single-sign-on",
        "single-sign-on/set-provider",
        &[("account", "100001"), ("issuer", "x{odd}"), ("client_id", "x{odd}")],
    ),
];

/// Puts something odd behind everything that people typed into what is shown.
async fn make_odd(app: &TestApp, odd: &str) {
    let mut database = SqliteConnection::connect(&app.db.url).await.unwrap();
    for (table, columns) in [
        ("users", &["full_name", "email"][..]),
        ("accounts", &["name", "street", "postal_code", "town"]),
        ("services", &["name", "plan", "login_name", "login_password", "open_link", "renew_link"]),
        ("domains", &["name", "renew_link"]),
        ("invoices", &["number", "pay_link", "pdf_link"]),
        ("support_requests", &["number", "subject", "opened_by", "open_link"]),
        ("support_messages", &["author", "words"]),
        ("sessions", &["address", "user_agent"]),
        ("invitations", &["email", "why", "full_name"]),
        ("grants", &["why"]),
        ("memberships", &["paused_why"]),
        ("access_requests", &["why", "words", "told"]),
        ("owner_changes", &["made_by_name", "why", "stopped_by"]),
        ("email_changes", &["new_email"]),
        ("identities", &["email"]),
        ("passkeys", &["name"]),
        ("account_providers", &["issuer", "client_id"]),
        ("outbox", &["email", "answer"]),
    ] {
        let columns: Vec<_> = columns.iter().map(|name| format!("{name} = {name} || $1")).collect();
        let update = format!("UPDATE {table} SET {}", columns.join(", "));
        let done = sqlx::query(AssertSqlSafe(update)).bind(odd).execute(&mut database).await;
        assert!(done.unwrap().rows_affected() > 0, "nothing in {table}");
    }
    let limited = "UPDATE account_policies SET domains = domains || ' x' || $1";
    sqlx::query(limited).bind(odd).execute(&mut database).await.unwrap();
    let domain = "INSERT INTO account_domains SELECT id, 'nordlys.example' || $1, 'token' || $1, NULL \
                  FROM accounts WHERE number = 100001";
    sqlx::query(domain).bind(odd).execute(&mut database).await.unwrap();
}

/// Everything of which there has to be some.
async fn fill(app: &TestApp, ingrid: &mut Browser) {
    let wish = [("email", "ingrid@elsewhere.example")];
    ingrid.post("/profile/email", "profile/change-email", &wish).await.is(303);
    let domains = [("domains", "nordlys.example")];
    let policy = format!("{BAKERY}/policy");
    ingrid.open_and_fill_in(&policy, "policies/limit-domains", &domains).await.is(303);
    for email in ["kari@nordlys.example", "ola@nordlys.example"] {
        ingrid.invite(email, &["billing.view"]).await.is(303);
    }
    let bjorn = app.id_of(BJORN).await;
    let more = [("account", "100001"), ("user", &*bjorn), ("permissions[]", "support.view")];
    let path = format!("{BAKERY}/users/{bjorn}/extra/new");
    ingrid.post(&path, "users/give-extra", &more).await.is(303);
    let mei = app.id_of(MEI).await;
    let asked = [("account", "100001"), ("user", &*mei)];
    ingrid.post(&format!("{BAKERY}/users/{mei}/owner"), "owners/make", &asked).await.is(303);
    crate::passkeys::add(ingrid, &mut Authenticator::new(1), "Phone").await;
    let mut database = SqliteConnection::connect(&app.db.url).await.unwrap();
    for statement in [
        "INSERT INTO account_providers
             SELECT id, 'https://id.example', 'client', 'secret', NULL FROM accounts",
        "INSERT INTO identities (id, user_id, issuer, subject, email, since)
             SELECT id, id, 'https://id.provider.example', hex(id), email, created_at FROM users",
        "UPDATE memberships SET paused_at = since, paused_by = invited_by
             WHERE user_id IN (SELECT id FROM users WHERE email_key = 'bjorn@ledger.example')",
        "INSERT INTO access_requests
             SELECT randomblob(16), account_id, user_id, 'services.credentials', NULL, NULL, NULL,
                 'Why', 'open', '', 'Ingrid', since, NULL, NULL FROM memberships WHERE NOT owner",
        "INSERT INTO access_requests
             SELECT randomblob(16), account_id, user_id, 'domains.view', NULL, NULL, NULL,
                 'Why', 'declined', 'No', 'Ingrid', since, since, NULL
             FROM memberships WHERE NOT owner",
        "INSERT INTO owner_changes
             SELECT randomblob(16), account_id, user_id, 'made', 'waiting', NULL, 'Ingrid', NULL, 1, 1,
                 NULL, 'Why', since, since, 1900000000000000, NULL, NULL, 0, NULL
             FROM memberships
             WHERE NOT owner AND user_id NOT IN (SELECT user_id FROM owner_changes)",
        "UPDATE accounts SET owners_due_at = 1900000000000000",
        "INSERT INTO successors (account_id, user_id, named_by, named_at)
             SELECT m.account_id, m.user_id, o.user_id, m.since
             FROM memberships m JOIN memberships o ON o.account_id = m.account_id AND o.owner
                 JOIN users u ON u.id = m.user_id
             WHERE u.email_key = 'amira@nordlys.example' LIMIT 1",
        "INSERT INTO support_messages (id, request_id, by_provider, author, words, at)
             SELECT randomblob(16), id, 1, 'Kari', 'We look into it', updated_at
             FROM support_requests",
        "UPDATE grants SET why = 'For the shop'",
        "UPDATE invitations SET full_name = 'Kari'",
        "UPDATE outbox SET state = 'failed', answer = '550 no' WHERE kind = 'invitation'
             AND email = 'ola@nordlys.example'",
    ] {
        sqlx::raw_sql(statement).execute(&mut database).await.unwrap();
    }
}

/// All pages, with something odd in all that people typed: what was asked for, and what came.
async fn walk(odd: &str) -> Vec<(String, Page)> {
    let settings = [
        ("PROVIDER_NAME", format!("Provider{odd}")),
        (
            "IDENTITY_PROVIDERS",
            format!(
                "[{{ id = 'acme', name = '''Acme{odd}''', issuer = 'https://id.provider.example', \
                 client_id = 'x', client_secret = 'x' }}]"
            ),
        ),
    ];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let app = TestApp::with(demo(Kind::Sqlite).await, &settings).await;
    let mut ingrid = app.as_person(INGRID).await;
    fill(&app, &mut ingrid).await;
    let link = app.invitation_link("kari@nordlys.example").await;
    let toms = [("email", TOM.email)];
    app.browser().post("/forgot-password", "security/request-reset", &toms).await.is(303);
    let reset = app.reset_link(TOM.email).await;
    let email = app.email_link("ingrid@elsewhere.example").await;
    make_odd(&app, odd).await;
    let mut readers: Readers =
        [("Ingrid", ingrid), ("Amira", app.as_person(AMIRA).await), ("nobody", app.browser())];
    let olav = format!("{BAKERY}/users/{}", app.id_of(OLAV).await);
    let bjorn = format!("{BAKERY}/users/{}", app.id_of(BJORN).await);
    let amira = format!("{BAKERY}/users/{}", app.id_of(AMIRA).await);
    let escaped: String = form_urlencoded::byte_serialize(odd.as_bytes()).collect();
    let escaped = escaped.replace('+', "%20");
    let mut paths: Vec<_> = INSIDE.map(|path| format!("{BAKERY}{path}")).into();
    paths.extend(OUTSIDE.map(str::to_owned));
    let (service, domain) = (app.services().await[0].id, app.domains().await[0].id);
    for thing in [format!("{BAKERY}/services/{service}"), format!("{BAKERY}/domains/{domain}")] {
        paths.extend([format!("{thing}/access"), thing]);
    }
    let account = app.account_of(INGRID).await;
    let requests = app.latchkey.store.support_requests(account, 1).await.unwrap();
    paths.push(format!("{BAKERY}/support/{}", requests[0].id));
    let extra = readers[0].1.get(&bjorn).await.hidden("grant");
    paths.extend(["new", &extra].map(|grant| format!("{bjorn}/extra/{grant}")));
    paths.extend(["services", "domains"].map(|area| format!("{olav}/reaches/{area}")));
    paths.push(format!("{BAKERY}/users/invite?start={}", bjorn.rsplit('/').next().unwrap()));
    paths.extend([olav.clone(), format!("{olav}/remove"), bjorn.clone(), link.clone()]);
    let mei = format!("{BAKERY}/users/{}", app.id_of(MEI).await);
    paths.extend(["owner", "hand-over"].map(|end| format!("{mei}/{end}")));
    // It is about one of the readers.
    let amiras = app.id_of(AMIRA).await.parse().unwrap();
    let waits = app.latchkey.store.open_owner_change_of(account, amiras).await.unwrap().unwrap();
    paths.push(format!("{BAKERY}/owners/{}", waits.id));
    paths.extend([reset, email]);
    paths.extend(["decline", "report"].map(|end| format!("{link}/{end}")));
    let requests = readers[0].1.get(&format!("{BAKERY}/users")).await;
    let meis = requests.row_of("mei@").split("/requests/").nth(1).unwrap();
    let meis = meis.split('/').next().unwrap();
    paths.push(format!("{BAKERY}/requests/{meis}/decline"));
    let passkey = link_to(&mut readers[0].1, "/security/passkeys/").await;
    let identity = link_to(&mut readers[0].1, "/security/identities/").await;
    paths.extend([passkey, identity]);
    let mut found = Vec::new();
    for (name, reader) in &mut readers {
        for path in &paths {
            let page = reader.get(&path.replace("{odd}", &escaped)).await;
            found.push((format!("{name} {}", known(path)), page));
        }
        let long = format!("{}{odd}", "x".repeat(300));
        for (path, form, fields) in REFUSED {
            let odd = |text: &str| text.replace("{odd}", odd).replace("{long}", &long);
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| (odd(name), odd(value))).collect();
            let fields: Vec<_> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let page = reader.post(path, &odd(form), &fields).await;
            found.push((format!("{name} {form} to {path}"), page));
        }
    }
    let asker = &mut readers[1].1;
    let why = format!("Why{odd}");
    let asked = [("account", "100001"), ("permission", "support.view"), ("why", why.as_str())];
    let answer = asker.post(&format!("{BAKERY}/ask"), "access-requests/ask", &asked).await;
    answer.is(303);
    found.push(("what follows on asking".to_owned(), asker.get(BAKERY).await));
    // What forms say on the page that follows, and in the log.
    let ingrid = &mut readers[0].1;
    let invited = [
        ("account", "100001"),
        ("email", "per@nordlys.example"),
        ("permissions[]", "billing.view"),
    ];
    let about = [("account", "100001"), ("user", olav.rsplit('/').next().unwrap())];
    let (long, odd_permission) = (format!("{}{odd}", "x".repeat(300)), format!("x{odd}"));
    let more = [
        ("account", "100001"),
        ("user", bjorn.rsplit('/').next().unwrap()),
        ("permissions[]", &*odd_permission),
        ("until", &*odd_permission),
        ("why", &*long),
    ];
    for (path, form, fields) in [
        (format!("{BAKERY}/users/invite"), "users/invite", &invited[..]),
        (format!("{bjorn}/extra/new"), "users/give-extra", &more),
        (format!("{olav}/remove"), "users/remove-access", &about),
    ] {
        let answer = ingrid.post(&path, form, fields).await;
        let target = answer.leads_to().to_owned();
        found.push((format!("{form} is answered"), answer));
        if !target.is_empty() {
            found.push((format!("{form} leads on"), ingrid.get(&target).await));
        }
    }
    found.push(("the log".to_owned(), ingrid.get(&format!("{BAKERY}/log")).await));
    // As somebody new would see it, and back at the form with what was typed.
    let typed = [&invited[..], &[("why", odd), ("show", "look")]].concat();
    let invite = format!("{BAKERY}/users/invite");
    let answer = ingrid.post(&invite, "users/invite", &typed).await;
    found.push(("the account as somebody new".to_owned(), ingrid.go_on(&answer).await));
    let answer = ingrid.open_and_fill_in(BAKERY, "eyes/end", &[]).await;
    let page = ingrid.go_on(&answer).await;
    assert!(page.input("id=\"email\"").contains("per@nordlys.example"));
    found.push(("the form after looking".to_owned(), page));
    // Bjørn's access is paused.
    for (name, path) in [("Amira", amira), ("Bjørn", bjorn)] {
        found.extend(through_eyes(ingrid, name, &path).await);
    }
    // A form waits until its sender has said who they are.
    app.forward_hours(3);
    let wish = [("email", "ingrid@third.example"), ("more", odd)];
    let waits = ingrid.post("/profile/email", "profile/change-email", &wish).await;
    waits.is(401);
    found.push(("a form that waits".to_owned(), waits));
    app.keep_all_mail().await;
    let mut mails = app.latchkey.store.kept_mails(200).await.unwrap();
    assert!(mails.len() > 5);
    mails.sort_by_key(|mail| (mail.mail.kind().id(), mail.to.as_str().to_owned()));
    for mail in mails {
        for end in ["", "/html"] {
            let page = ingrid.get(&format!("/demo/mailbox/{}{end}", mail.id)).await;
            page.is(200);
            found.push((format!("the mail {}{end}", mail.mail.kind().id()), page));
        }
    }
    found
}

/// Pages as somebody with this page would see them, and a form there.
async fn through_eyes(browser: &mut Browser, name: &str, path: &str) -> Vec<(String, Page)> {
    let about = [("account", "100001"), ("user", path.rsplit('/').next().unwrap())];
    browser.post(path, "eyes/begin", &about).await.is(303);
    let mut found = Vec::new();
    for end in ["", "/users", "/billing"] {
        let page = browser.get(&format!("{BAKERY}{end}")).await;
        page.says("You see this account as");
        found.push((format!("{end} as {name}"), page));
    }
    let refused = browser.post(path, "users/pause-access", &about).await;
    refused.is(403);
    found.push((format!("a form as {name}"), refused));
    browser.post(BAKERY, "eyes/end", &about[..1]).await.is(303);
    found
}

/// The first link on the security page that begins so.
async fn link_to(browser: &mut Browser, begins: &str) -> String {
    let page = browser.get("/security").await;
    let links = page.body.split("href=\"").skip(1);
    let mut links = links.filter_map(|rest| rest.split('"').next());
    links.find(|link| link.starts_with(begins) && !link.ends_with("/add")).unwrap().to_owned()
}

/// A path without what is another one each time.
fn known(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.len() > 20 { "…" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// The elements of a document, with what they would do: everything but the text in them. What happened
/// at the same moment stands in no order.
pub fn markup(page: &Page) -> Vec<String> {
    let document = Html::parse_document(&page.body);
    let nodes = document.tree.root().descendants();
    let found = nodes.filter_map(|node| {
        let depth = node.ancestors().count();
        match node.value() {
            Node::Element(element) => {
                let mut attributes: Vec<_> = element.attrs().map(attribute).collect();
                attributes.sort();
                Some(format!("{depth} <{} {}>", element.name(), attributes.join(" ")))
            }
            Node::Comment(comment) => Some(format!("{depth} <!--{}-->", comment.comment)),
            _ => None,
        }
    });
    let mut found: Vec<_> = found.collect();
    found.sort();
    found
}

/// An attribute, with its value where that is never anybody's text, and with where it leads where that
/// is an address.
fn attribute((name, value): (&str, &str)) -> String {
    match name {
        "method" | "type" | "role" | "rel" | "as" => format!("{name}={value}"),
        "href" | "src" | "action" | "formaction" => {
            let scheme = value.split_once(':').map_or("", |(scheme, _)| scheme);
            let scheme = if scheme.contains(['/', '?', '#']) { "" } else { scheme };
            format!("{name}={}", if value.starts_with("//") { "another site" } else { scheme })
        }
        name => name.to_owned(),
    }
}

/// The texts of a document outside of scripts, as they are read.
fn texts(page: &Page) -> Vec<String> {
    let document = Html::parse_document(&page.body);
    let nodes = document.tree.root().descendants();
    nodes
        .filter_map(|node| {
            let parent = node.parent().and_then(|parent| parent.value().as_element());
            let hidden = parent.is_some_and(|parent| ["script", "style"].contains(&parent.name()));
            let text = node.value().as_text().filter(|_| !hidden);
            let value = node.value().as_element().and_then(|element| element.attr("value"));
            text.map(|text| text.to_string()).or(value.map(str::to_owned))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_type_is_never_markup() {
    let (plain, hostile) = tokio::join!(walk(""), walk(HOSTILE));
    assert!(plain.len() > 150);
    let asked = |pages: &[(String, Page)]| -> Vec<_> {
        pages.iter().map(|(asked, page)| (asked.clone(), page.status)).collect()
    };
    assert_eq!(asked(&plain), asked(&hostile));
    let mut shown = 0;
    for ((asked, plain), (_, hostile)) in plain.iter().zip(&hostile) {
        let (expected, found) = (markup(plain), markup(hostile));
        // Where they part, and what stands around that.
        let odd = expected.iter().zip(&found).position(|(one, other)| one != other);
        let around = |all: &[String]| {
            let from = odd.unwrap_or_default().saturating_sub(9);
            all.iter().skip(from).take(14).cloned().collect::<Vec<_>>()
        };
        let odd = (around(&expected), around(&found));
        assert!(
            expected == found,
            "{asked}: {odd:?} in {} instead of {}",
            hostile.body,
            plain.body
        );
        for text in texts(hostile) {
            let escaped =
                ["&lt;", "&gt;", "&quot;", "&amp;", "&#"].iter().any(|one| text.contains(one));
            assert!(!escaped, "{asked}: escaped twice: {text}");
            shown += usize::from(text.contains(HOSTILE));
        }
        let is_page = hostile.body.contains("<html lang=\"en\" data-provider");
        if is_page && !hostile.status.is_redirection() {
            assert!(texts(hostile)[0].contains(HOSTILE), "{asked}: {}", hostile.title());
        }
    }
    assert!(shown > 300, "{shown}");
}
