//! Who gets what of services and domains: everything that the product answers, asked by everybody that
//! it matters for. A server function or a page that there is no answer for here fails the first test.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::header;
use domain::demo::{AMIRA, BJORN, DemoPerson, INGRID, MEI, OLAV, TOM};
use model::{Permission, PermissionSet, Reach, Terms};
use serde_json::json;
use test_database::{TestDatabase, apply};
use uuid::Uuid;

use crate::decisions::{ours, program};
use crate::eyes::COOKIE;
use crate::markup::markup;
use crate::story::{BAKERY, Browser, Page, TestApp, post};

/// Joined in the tests: has no service and no domain.
const KARI: DemoPerson = DemoPerson { name: "Kari Lie", email: "kari@nordlys.example" };
const NEW_PASSWORD: &str = "three small grey boats";

/// The service and the domain that all of it is about,
const SHOP: &str = "Webshop";
const BAKERY_DOMAIN: &str = "nordlysbakeri.example";
/// and those that are in the reach of whoever doesn't reach these.
const OTHERS: [&str; 2] = ["Order mail", "nordlys.example"];

/// What whoever asks doesn't reach, whether they reach the others or not.
const NOBODYS: &str = "Recipe archive";

/// Who asks, in the order of the answers: somebody who may do everything with the two things; who may do
/// as much with others; who might until it lapsed, and sees support requests still; who might while their
/// access wasn't paused; somebody who isn't in the account; and nobody who is signed in.
const ASKING: [&str; 6] = ["in reach", "out of reach", "lapsed", "paused", "a stranger", "nobody"];

/// The statuses of the answers to [`ASKING`].
type Answers = [u16; 6];

/// What a request of the browser's half is answered that isn't signed in; a page leads to sign in.
const SIGNED_OUT: u16 = 401;
/// About one thing, which is as if it weren't there for whoever doesn't reach it.
const ONE: Answers = [200, 404, 403, 403, 404, SIGNED_OUT];
/// About whatever whoever asks reaches.
const LIST: Answers = [200, 200, 403, 403, 404, SIGNED_OUT];
/// For owners alone, who aren't among those who ask.
const OWNERS: Answers = [403, 403, 403, 403, 404, SIGNED_OUT];
/// About what whoever asks reaches, where there is something to see for everybody in the account.
const OPEN: Answers = [200, 200, 200, 403, 404, SIGNED_OUT];

/// About whoever asks themselves, whichever accounts they are in.
const OWN: Answers = [200, 200, 200, 200, 200, SIGNED_OUT];

/// How much of the things' names an answer tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// None: it counts.
    None,
    /// These, to whoever reaches them, and to nobody else.
    InReach(&'static [&'static str]),
    /// Whatever the log holds: its permission is about the account, and has no reach.
    OfTheLog,
}

use Names::{InReach, OfTheLog};

/// Something that is read: its server function and the query that it takes, and the page that shows it.
/// Files have no server function, and what fills a form in has no page.
struct Read {
    function: &'static str,
    query: &'static str,
    page: &'static str,
    answers: Answers,
    names: Names,
}

const fn read(
    function: &'static str,
    query: &'static str,
    page: &'static str,
    answers: Answers,
    names: Names,
) -> Read {
    Read { function, query, page, answers, names }
}

const READ: &[Read] = &[
    read("account/overview", "account={account}", "/accounts/{account}", OPEN, Names::None),
    read(
        "services/page",
        "account={account}",
        "/accounts/{account}/services",
        LIST,
        InReach(&[SHOP]),
    ),
    read(
        "services/service-page",
        "account={account}&service={service}",
        "/accounts/{account}/services/{service}",
        ONE,
        InReach(&[SHOP]),
    ),
    read(
        "services/reaching-page",
        "account={account}&service={service}&after=",
        "/accounts/{account}/services/{service}/access",
        ONE,
        InReach(&[SHOP]),
    ),
    read(
        "domains/page",
        "account={account}",
        "/accounts/{account}/domains",
        LIST,
        InReach(&[BAKERY_DOMAIN]),
    ),
    read(
        "domains/domain-page",
        "account={account}&domain={domain}",
        "/accounts/{account}/domains/{domain}",
        ONE,
        InReach(&[BAKERY_DOMAIN]),
    ),
    read(
        "domains/reaching-page",
        "account={account}&domain={domain}&after=",
        "/accounts/{account}/domains/{domain}/access",
        ONE,
        InReach(&[BAKERY_DOMAIN]),
    ),
    read(
        "users/page",
        "account={account}&search=&sort=&after=&pending_after=",
        "/accounts/{account}/users",
        LIST,
        Names::None,
    ),
    read("users/invitations-standing", "account={account}&pending_after=", "", LIST, Names::None),
    read("", "", "/accounts/{account}/users.csv", LIST, Names::None),
    read(
        "users/having-page",
        "account={account}&permission={permission}&after=",
        "/accounts/{account}/users/permissions/{permission}",
        LIST,
        Names::None,
    ),
    read(
        "users/invite-page",
        "account={account}",
        "/accounts/{account}/users/invite",
        LIST,
        InReach(&[SHOP, BAKERY_DOMAIN]),
    ),
    read(
        "users/manage-page",
        "account={account}&user={user}",
        "/accounts/{account}/users/{user}",
        LIST,
        InReach(&[SHOP, BAKERY_DOMAIN]),
    ),
    read(
        "users/extra-page",
        "account={account}&user={user}&grant={grant}&request=",
        "/accounts/{account}/users/{user}/extra/{grant}",
        LIST,
        InReach(&[SHOP, BAKERY_DOMAIN]),
    ),
    read(
        "users/reached-page",
        "account={account}&user={owner}&area={services}",
        "/accounts/{account}/users/{owner}/reaches/{services}",
        LIST,
        InReach(&[SHOP]),
    ),
    read(
        "users/reached-page",
        "account={account}&user={owner}&area={domains}",
        "/accounts/{account}/users/{owner}/reaches/{domains}",
        LIST,
        InReach(&[BAKERY_DOMAIN]),
    ),
    read("users/start", "account={account}&start={user}", "", LIST, Names::None),
    read(
        "access-requests/ask-page",
        "account={account}&permission=services.manage&service={service}&domain=",
        "/accounts/{account}/ask?permission=services.manage&service={service}",
        ASKING_FOR_ONE,
        Names::None,
    ),
    read(
        "owners/hand-over-page",
        "account={account}&user={user}",
        "/accounts/{account}/users/{user}/hand-over",
        OWNERS,
        Names::None,
    ),
    read(
        "owners/step-down-page",
        "account={account}",
        "/accounts/{account}/step-down",
        OWNERS,
        Names::None,
    ),
    read(
        "log/page",
        "account={account}&person=&kind=&from=&to=&last=&after=",
        "/accounts/{account}/log",
        LIST,
        OfTheLog,
    ),
    read("", "", "/accounts/{account}/log.csv", LIST, OfTheLog),
    read("", "", "/profile/data.json", OWN, InReach(&[SHOP, BAKERY_DOMAIN])),
];

/// Something that is done: the form, the page that shows it, and its fields besides the account.
struct Done {
    form: &'static str,
    page: &'static str,
    fields: &'static [(&'static str, &'static str)],
    answers: Answers,
}

/// With one thing, which is as if it weren't there for whoever doesn't reach it.
const WITH_ONE: Answers = [303, 404, 403, 403, 404, SIGNED_OUT];
/// Asking for more on one thing, which isn't there for whoever doesn't see it.
const ASKING_FOR_ONE: Answers = [409, 404, 404, 403, 404, SIGNED_OUT];
/// Giving, which is refused to whoever doesn't hold what they give.
const GIVING: Answers = [303, 403, 403, 403, 404, SIGNED_OUT];

const DONE: &[Done] = &[
    Done {
        form: "services/show-passwords",
        page: "/accounts/{account}/services/{service}",
        fields: &[("service", "{service}")],
        answers: WITH_ONE,
    },
    Done {
        form: "users/invite",
        page: "/accounts/{account}/users/invite",
        fields: &[
            ("email", "ola@nordlys.example"),
            ("permissions[]", "services.view"),
            ("services", "these"),
            ("service[]", "{service}"),
        ],
        answers: GIVING,
    },
    Done {
        form: "users/invite",
        page: "/accounts/{account}/users/invite",
        fields: &[
            ("email", "ola@nordlys.example"),
            ("permissions[]", "domains.view"),
            ("domains", "these"),
            ("domain[]", "{domain}"),
        ],
        answers: GIVING,
    },
    Done {
        form: "users/change-permissions",
        page: "/accounts/{account}/users/{user}",
        fields: &[
            ("user", "{user}"),
            ("permissions[]", "billing.view"),
            ("permissions[]", "services.view"),
            ("services", "these"),
            ("service[]", "{service}"),
        ],
        answers: GIVING,
    },
    Done {
        form: "users/change-permissions",
        page: "/accounts/{account}/users/{user}",
        fields: &[
            ("user", "{user}"),
            ("permissions[]", "billing.view"),
            ("permissions[]", "domains.view"),
            ("domains", "these"),
            ("domain[]", "{domain}"),
        ],
        answers: GIVING,
    },
    Done {
        form: "users/resend",
        page: "/accounts/{account}/users",
        fields: &[("invitation", "{invitation}")],
        answers: GIVING,
    },
    Done {
        form: "users/renew-access",
        page: "/accounts/{account}/users/{lapsed}",
        fields: &[("user", "{lapsed}"), ("grant", "{ended}")],
        answers: GIVING,
    },
    Done {
        form: "users/give-extra",
        page: "/accounts/{account}/users/{user}/extra/{grant}",
        fields: &[
            ("user", "{user}"),
            ("permissions[]", "services.manage"),
            ("services", "these"),
            ("service[]", "{service}"),
        ],
        answers: GIVING,
    },
    Done {
        form: "users/change-extra",
        page: "/accounts/{account}/users/{user}/extra/{extra}",
        fields: &[
            ("user", "{user}"),
            ("grant", "{extra}"),
            ("permissions[]", "services.view"),
            ("services", "these"),
            ("service[]", "{service}"),
        ],
        answers: GIVING,
    },
    Done {
        form: "users/take-back",
        page: "/accounts/{account}/users/{lapsed}",
        fields: &[("user", "{lapsed}"), ("grant", "{ended}")],
        answers: GIVING,
    },
    Done {
        form: "owners/hand-over",
        page: "/accounts/{account}/users/{user}/hand-over",
        fields: &[
            ("user", "{user}"),
            ("becomes", "user"),
            ("permissions[]", "services.view"),
            ("services", "these"),
            ("service[]", "{service}"),
        ],
        answers: OWNERS,
    },
    Done {
        form: "owners/step-down",
        page: "/accounts/{account}/step-down",
        fields: &[
            ("permissions[]", "domains.view"),
            ("domains", "these"),
            ("domain[]", "{domain}"),
        ],
        answers: OWNERS,
    },
    Done {
        form: "users/invite",
        page: "/accounts/{account}/users/invite",
        fields: &[
            ("permissions[]", "services.view"),
            ("services", "these"),
            ("service[]", "{service}"),
            ("show", "look"),
        ],
        answers: GIVING,
    },
    Done {
        form: "users/change-permissions",
        page: "/accounts/{account}/users/{user}",
        fields: &[
            ("user", "{user}"),
            ("permissions[]", "billing.view"),
            ("permissions[]", "domains.view"),
            ("domains", "these"),
            ("domain[]", "{domain}"),
            ("show", "look"),
        ],
        answers: GIVING,
    },
    Done {
        form: "users/give-extra",
        page: "/accounts/{account}/users/{user}/extra/{grant}",
        fields: &[
            ("user", "{user}"),
            ("permissions[]", "services.manage"),
            ("services", "these"),
            ("service[]", "{service}"),
            ("show", "look"),
        ],
        answers: GIVING,
    },
    Done {
        form: "users/change-extra",
        page: "/accounts/{account}/users/{user}/extra/{extra}",
        fields: &[
            ("user", "{user}"),
            ("grant", "{extra}"),
            ("permissions[]", "services.view"),
            ("services", "these"),
            ("service[]", "{service}"),
            ("show", "look"),
        ],
        answers: GIVING,
    },
    Done {
        form: "access-requests/ask",
        page: "/accounts/{account}/ask",
        fields: &[("permission", "services.manage"), ("service", "{service}"), ("why", "Repairs")],
        answers: ASKING_FOR_ONE,
    },
];

/// Server functions that have nothing to do with services and domains, by what they are about.
const OTHER_FUNCTIONS: &[(&str, &[&str])] = &[
    (
        "signing in",
        &[
            "sign-in",
            "sign-in/arrive",
            "sign-in/ask-for-passkey",
            "sign-in/ask-for-second-step",
            "sign-in/company-page",
            "sign-in/confirm",
            "sign-in/confirm-by-factor",
            "sign-in/go-on",
            "sign-in/link",
            "sign-in/link-page",
            "sign-in/onward-page",
            "sign-in/page",
            "sign-in/passkey",
            "sign-in/second-factor",
            "sign-in/second-factor-page",
            "sign-in/with",
            "sign-in/with-company",
            "sign-out",
        ],
    ),
    (
        "one's own login",
        &[
            "email/page",
            "profile/change-email",
            "profile/confirm-email",
            "profile/delete",
            "profile/delete/page",
            "profile/page",
            "profile/save",
            "profile/undo-email",
            "security/add-passkey",
            "security/app-setup-page",
            "security/ask-for-proof",
            "security/ask-to-make-passkey",
            "security/begin-app",
            "security/begin-passkey",
            "security/change-password",
            "security/end-device",
            "security/end-other-devices",
            "security/factor-page",
            "security/forgot-page",
            "security/new-passkey-page",
            "security/page",
            "security/passkey-page",
            "security/remove-passkey",
            "security/rename-passkey",
            "security/renew-codes",
            "security/request-reset",
            "security/reset",
            "security/reset-page",
            "security/turn-app-off",
            "security/turn-app-on",
            "security/unlink",
            "security/unlink-page",
        ],
    ),
    (
        "the account as a whole",
        &[
            "account/change-details",
            "account/details",
            "account/leave",
            "account/leave-page",
            "billing/page",
            "policies/bound-sessions",
            "policies/demand-factor",
            "policies/demand-no-factor",
            "policies/limit-domains",
            "policies/page",
            "policies/remind",
            "single-sign-on/add-domain",
            "single-sign-on/lift",
            "single-sign-on/page",
            "single-sign-on/prove-domain",
            "single-sign-on/remove-domain",
            "single-sign-on/remove-provider",
            "single-sign-on/require",
            "single-sign-on/set-provider",
            "support/page",
            "support/request-page",
        ],
    ),
    (
        "who owns the account",
        &[
            "owners/accept",
            "owners/change-page",
            "owners/decline",
            "owners/make",
            "owners/make-page",
            "owners/stop",
            "successors/answer",
            "successors/name",
            "successors/name-page",
            "successors/remove",
            "successors/take-over",
            "successors/take-over-page",
        ],
    ),
    (
        "somebody's access as a whole, which takes the right to manage users and no more",
        &[
            "users/cancel",
            "users/cancel-page",
            "users/pause-access",
            "users/remove-access",
            "users/resume-access",
        ],
    ),
    (
        "what somebody asks for: a thing that the reader doesn't see is told as such a one",
        &["access-requests/decline", "access-requests/decline-page", "access-requests/withdraw"],
    ),
    (
        "looking through somebody else's eyes, which shows what both may see",
        &["eyes/begin", "eyes/end"],
    ),
    (
        "what the reader holds or is offered, in numbers",
        &[
            "accounts/page",
            "accounts/see",
            "invitations/decline",
            "invitations/join",
            "invitations/join-with-new-login",
            "invitations/join-with-password",
            "invitations/page",
            "invitations/report",
        ],
    ),
    (
        "the product itself",
        &[
            "demo/mail",
            "demo/mailbox",
            "help/feedback",
            "help/guide",
            "help/guides",
            "help/page",
            "language/choose",
        ],
    ),
];

/// Pages that have nothing to do with services and domains, as their server functions have.
const OTHER_PAGES: &[&str] = &[
    "/accounts",
    "/accounts/{account}/account",
    "/accounts/{account}/billing",
    "/accounts/{account}/invitations/{invitation}/cancel",
    "/accounts/{account}/leave",
    "/accounts/{account}/owners/successor",
    "/accounts/{account}/owners/{change}",
    "/accounts/{account}/policy",
    "/accounts/{account}/requests/{request}/decline",
    "/accounts/{account}/single-sign-on",
    "/accounts/{account}/support",
    "/accounts/{account}/support/{request}",
    "/accounts/{account}/take-over",
    "/accounts/{account}/users/{user}/owner",
    "/accounts/{account}/users/{user}/remove",
    "/demo/mailbox",
    "/demo/mailbox/{mail}",
    "/email/{step}/{token}",
    "/forgot-password",
    "/forgot-password/sent",
    "/help",
    "/help/users",
    "/help/{guide}",
    "/invitations/{token}",
    "/invitations/{token}/decline",
    "/invitations/{token}/report",
    "/profile",
    "/profile/delete",
    "/profile/email",
    "/reset/{token}",
    "/security",
    "/security/authenticator",
    "/security/authenticator/off",
    "/security/identities/{identity}",
    "/security/passkeys/add",
    "/security/passkeys/{passkey}",
    "/security/recovery-codes",
    "/sign-in",
    "/sign-in/link",
    "/sign-in/onward",
    "/sign-in/second-factor",
    "/sign-in/single-sign-on",
];

/// What programs of the provider's ask about everybody: nobody's session opens it.
const ASKED_BY_PROGRAMS: &[&str] = &[
    "/access/v1/evaluation",
    "/access/v1/evaluations",
    "/access/v1/search/action",
    "/access/v1/search/resource",
    "/access/v1/search/subject",
];

/// What else is answered that tells of no services and domains, or hands on what is asked above.
const OTHER_PLAIN: &[&str] = &[
    "/",
    "/.well-known/authzen-configuration",
    "/accounts/{account}/log/digests/{day}",
    "/api/{*function}",
    "/demo/mailbox/{mail}/html",
    "/favicon.svg",
    "/healthz",
    "/passkeys.js",
    "/pkg/{*file}",
    "/provider-mark",
    "/provider.css",
    "/readyz",
    "/robots.txt",
    "/sign-in/callback",
    "/sign-in/callback/{account}",
    "/sign-out",
];

#[test]
fn all_that_is_answered_has_its_answers_here_or_needs_none() {
    let others = OTHER_FUNCTIONS.iter().flat_map(|(_, functions)| functions.iter().copied());
    let others: BTreeSet<_> = others.collect();
    let asked = READ.iter().map(|read| read.function).chain(DONE.iter().map(|done| done.form));
    let asked: BTreeSet<_> = asked.filter(|function| !function.is_empty()).collect();
    let known = leptos::server_fn::axum::server_fn_paths();
    let known: BTreeSet<_> = known.map(|(path, _)| path.trim_start_matches("/api/")).collect();
    assert!(asked.is_disjoint(&others));
    assert_eq!(known, asked.union(&others).copied().collect());

    let others: BTreeSet<_> = OTHER_PAGES.iter().chain(OTHER_PLAIN).copied().collect();
    let asked = READ.iter().map(|read| read.page.split('?').next().unwrap());
    let asked = asked.filter(|page| !page.is_empty());
    let asked: BTreeSet<_> =
        asked.chain(ASKED_BY_PROGRAMS.iter().copied()).map(bare_path).collect();
    let plain = server::router::plain_paths();
    let known = app::pages().iter().chain(&plain).map(|path| bare_path(path));
    let others: BTreeSet<_> = others.into_iter().map(bare_path).collect();
    assert!(asked.is_disjoint(&others));
    assert_eq!(known.collect::<BTreeSet<_>>(), asked.union(&others).cloned().collect());
}

/// A path whose parts that may be anything have no names.
fn bare_path(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// What everything is about, and everybody who asks.
struct Matrix {
    ids: Vec<(&'static str, String)>,
    asking: [Browser; 6],
}

impl Matrix {
    async fn new(app: &TestApp) -> Self {
        let mut ingrid = app.as_person(INGRID).await;
        ingrid.invite(KARI.email, &["billing.view"]).await.is(303);
        let link = app.invitation_link(KARI.email).await;
        let token = link.rsplit('/').next().unwrap();
        let fields = [("token", token), ("full_name", KARI.name), ("password", NEW_PASSWORD)];
        app.browser().post(&link, "invitations/join-with-new-login", &fields).await.is(303);

        let these = everything(app, [SHOP, BAKERY_DOMAIN]).await;
        let until = Some(app.latchkey.now().after(Duration::from_secs(60 * 60)));
        let support = Terms::whole([Permission::SupportView].into_iter().collect());
        app.hold(OLAV, [support, Terms { until, ..these.clone() }]).await;
        app.hold(AMIRA, [these.clone()]).await;
        let bills = Terms::whole([Permission::BillingView].into_iter().collect());
        let archive = Reach::of(false, [service_id(app, NOBODYS).await]);
        let sees = [Permission::ServicesView].into_iter().collect();
        app.hold(KARI, [bills, Terms { services: archive, ..Terms::whole(sees) }]).await;
        app.hold(MEI, [these]).await;
        app.hold(BJORN, [everything(app, OTHERS).await]).await;
        let path = format!("{BAKERY}/users/{}", app.id_of(MEI).await);
        ingrid.open_and_fill_in(&path, "users/pause-access", &[]).await.is(303);
        let ids = ids(app, &mut ingrid).await;
        app.forward_hours(1);
        let asking = [
            app.as_person(AMIRA).await,
            app.as_person(BJORN).await,
            app.as_person(OLAV).await,
            app.as_person(MEI).await,
            app.as_person(TOM).await,
            app.browser(),
        ];
        Self { ids, asking }
    }

    /// A text with the ids put in.
    fn fill(&self, text: &str) -> String {
        self.ids.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
    }

    /// The same about a service and a domain that there aren't.
    fn fill_missing(&self, text: &str) -> String {
        let missing = Uuid::from_u128(7).to_string();
        self.fill(&text.replace("{service}", &missing).replace("{domain}", &missing))
    }

    /// An answer without what is another one each time: the request's id, and the ids that were asked
    /// about.
    fn bare(&self, page: &Page, text: &str) -> String {
        let request = page.headers["x-request-id"].to_str().unwrap();
        let missing = Uuid::from_u128(7).to_string();
        let things = self.ids.iter().filter(|(name, _)| ["{service}", "{domain}"].contains(name));
        let ids = things.map(|(_, id)| id.as_str()).chain([request, missing.as_str()]);
        ids.fold(text.to_owned(), |text, id| text.replace(id, "…"))
    }

    #[track_caller]
    fn are_alike(&self, asked: &str, one: &Page, other: &Page) {
        assert_eq!(one.status, other.status, "{asked}");
        if one.headers[header::CONTENT_TYPE] == "application/json" {
            assert_eq!(self.bare(one, &one.body), self.bare(other, &other.body), "{asked}");
        } else {
            assert_eq!(one.title(), other.title(), "{asked}");
            assert_eq!(self.bare(one, &one.words()), self.bare(other, &other.words()), "{asked}");
            assert_eq!(markup(one), markup(other), "{asked}");
        }
    }
}

/// Every permission, on a service and a domain, without end.
async fn everything(app: &TestApp, [service, domain]: [&str; 2]) -> Terms {
    Terms {
        services: Reach::of(false, [service_id(app, service).await]),
        domains: Reach::of(false, [domain_id(app, domain).await]),
        ..Terms::whole(PermissionSet::all())
    }
}

async fn service_id(app: &TestApp, name: &str) -> Uuid {
    app.services().await.iter().find(|service| service.name == name).unwrap().id
}

async fn domain_id(app: &TestApp, name: &str) -> Uuid {
    app.domains().await.iter().find(|domain| domain.name == name).unwrap().id
}

/// What stands for the names in braces: the two things, an invitation that offers both, and a grant that
/// reached both.
async fn ids(app: &TestApp, ingrid: &mut Browser) -> Vec<(&'static str, String)> {
    let service = service_id(app, SHOP).await.to_string();
    let domain = domain_id(app, BAKERY_DOMAIN).await.to_string();
    let offer = [
        ("account", "100001"),
        ("email", "per@nordlys.example"),
        ("permissions[]", "services.view"),
        ("permissions[]", "domains.view"),
        ("services", "these"),
        ("service[]", service.as_str()),
        ("domains", "these"),
        ("domain[]", domain.as_str()),
    ];
    ingrid.post(&format!("{BAKERY}/users/invite"), "users/invite", &offer).await.is(303);
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    let invitation = users.row_of("per@").split("/invitations/").nth(1).expect("its id");
    let invitation = invitation.split('/').next().unwrap().to_owned();
    let (account, lapsed) = (app.account_of(INGRID).await, app.id_of(OLAV).await);
    let held = app.latchkey.store.holding(account, lapsed.parse().unwrap(), false).await.unwrap();
    let grant = held.grants().iter().find(|grant| grant.terms.until.is_some()).unwrap();
    let kari = app.id_of(KARI).await;
    let held = app.latchkey.store.holding(account, kari.parse().unwrap(), false).await.unwrap();
    let extra = held.grants()[1].id.to_string();
    vec![
        ("{account}", "100001".to_owned()),
        ("{service}", service),
        ("{domain}", domain),
        ("{services}", "services".to_owned()),
        ("{domains}", "domains".to_owned()),
        ("{permission}", Permission::ServicesView.id().to_owned()),
        ("{user}", kari),
        ("{owner}", app.id_of(INGRID).await),
        ("{extra}", extra),
        ("{invitation}", invitation),
        ("{grant}", "new".to_owned()),
        ("{ended}", grant.id.to_string()),
        ("{lapsed}", lapsed),
    ]
}

/// What is asked for, and whether it is a page.
fn addresses(read: &Read) -> Vec<(String, bool)> {
    let function = format!("/api/{}?{}", read.function, read.query);
    let function = (!read.function.is_empty()).then_some((function, false));
    let page = (!read.page.is_empty()).then(|| (read.page.to_owned(), true));
    function.into_iter().chain(page).collect()
}

/// Whether it is asked about one of the two things.
fn names_a_thing(template: &str) -> bool {
    ["{service}", "{domain}"].iter().any(|name| template.contains(name))
}

#[track_caller]
fn tells(names: Names, who: &str, asked: &str, page: &Page) {
    for name in [SHOP, BAKERY_DOMAIN] {
        let told = page.body.contains(name);
        match names {
            OfTheLog => assert_eq!(told, page.status == 200, "{asked}, {who}: {name}"),
            InReach(names) if who == ASKING[0] => {
                assert_eq!(told, names.contains(&name), "{asked}, {who}: {name}");
            }
            InReach(_) | Names::None => assert!(!told, "{asked}, {who}: {name}"),
        }
    }
}

#[apply(on_both!)]
async fn what_is_out_of_reach_is_read_nowhere(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut matrix = Matrix::new(&app).await;
    for read in READ {
        for (template, is_page) in addresses(read) {
            let address = matrix.fill(&template);
            for (place, who) in ASKING.into_iter().enumerate() {
                let page = matrix.asking[place].get(&address).await;
                let expected = match read.answers[place] {
                    SIGNED_OUT if is_page => 302,
                    status => status,
                };
                assert_eq!(page.status, expected, "{address}, {who}: {}", page.words());
                tells(read.names, who, &address, &page);
                if expected == 404 && names_a_thing(&template) {
                    let missing = matrix.fill_missing(&template);
                    let missing = matrix.asking[place].get(&missing).await;
                    matrix.are_alike(&address, &page, &missing);
                }
            }
        }
    }
}

impl Matrix {
    /// Sends a form as somebody, also as the browser's half does.
    async fn send(&mut self, place: usize, done: &Done, missing: bool, as_wasm: bool) -> Page {
        let fill = |text: &str| if missing { self.fill_missing(text) } else { self.fill(text) };
        let path = fill(done.page);
        let own = [("form", done.form.to_owned()), ("account", fill("{account}"))];
        let fields = done.fields.iter().map(|(name, value)| (*name, fill(value)));
        let mut body = form_urlencoded::Serializer::new(String::new());
        let mut request = post(&path, body.extend_pairs(own.into_iter().chain(fields)).finish());
        if as_wasm {
            request.headers_mut().insert(header::ACCEPT, "application/json".parse().unwrap());
        }
        self.asking[place].send(request).await
    }
}

#[apply(on_both!)]
async fn what_is_out_of_reach_is_neither_used_nor_given(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut matrix = Matrix::new(&app).await;
    // Who may do it comes last: it is done then.
    for place in (0..ASKING.len()).rev() {
        for done in DONE {
            let asked = format!("{} by somebody {}", done.form, ASKING[place]);
            let page = matrix.send(place, done, false, false).await;
            assert_eq!(page.status, done.answers[place], "{asked}: {}", page.words());
            if place == 0 {
                // Whoever looks through somebody else's eyes does nothing besides.
                matrix.asking[place].take_cookie(COOKIE, "");
                continue;
            }
            let answer = matrix.send(place, done, false, true).await;
            assert_eq!(answer.status, done.answers[place], "{asked}: {}", answer.body);
            for (name, shown) in [(SHOP, &page), (BAKERY_DOMAIN, &page), (SHOP, &answer)] {
                assert!(!shown.body.contains(name), "{asked}: {name}");
            }
            for (as_wasm, known) in [(false, &page), (true, &answer)] {
                let missing = matrix.send(place, done, true, as_wasm).await;
                matrix.are_alike(&asked, known, &missing);
            }
        }
    }
    let kari = app.id_of(KARI).await;
    let page = app.as_person(INGRID).await.get(&format!("{BAKERY}/users/{kari}")).await;
    page.is(200).says(BAKERY_DOMAIN);
}

#[apply(on_both!)]
async fn programs_are_told_of_everybody_what_they_reach(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut matrix = Matrix::new(&app).await;
    let program = program(&app, None).await;
    let (shop, domain) = (matrix.fill("{service}"), matrix.fill("{domain}"));
    let things = [("service", shop, "services.view"), ("domain", domain, "domains.view")];
    for (place, person) in [AMIRA, BJORN, OLAV, MEI, TOM].into_iter().enumerate() {
        let (who, in_reach) = (app.id_of(person).await, place == 0);
        let subject = json!({ "type": "user", "id": person.email });
        for (kind, id, action) in &things {
            let named = ours(id.parse().unwrap());
            let resource = json!({ "type": kind, "id": named });
            let action = json!({ "name": action });
            let mut asked = json!({ "subject": subject, "action": action, "resource": resource });
            let told = program.ask("/access/v1/evaluation", &asked).await;
            assert_eq!(told["decision"], in_reach, "{}: {told}", ASKING[place]);
            let several = json!({ "evaluations": [asked] });
            let told = program.ask("/access/v1/evaluations", &several).await;
            assert_eq!(told["evaluations"][0]["decision"], in_reach, "{}", ASKING[place]);
            // What is searched for isn't said, or only of which type.
            asked["resource"] = json!({ "type": kind });
            let told = program.ask("/access/v1/search/resource", &asked).await;
            assert_eq!(told.to_string().contains(id), in_reach, "{}: {told}", ASKING[place]);
            asked["resource"] = resource.clone();
            asked["subject"] = json!({ "type": "user" });
            let told = program.ask("/access/v1/search/subject", &asked).await;
            assert_eq!(told.to_string().contains(&who), in_reach, "{}: {told}", ASKING[place]);
            let asked = json!({ "subject": subject, "resource": resource });
            let told = program.ask("/access/v1/search/action", &asked).await;
            let some = !told["results"].as_array().unwrap().is_empty();
            assert_eq!(some, in_reach, "{}: {told}", ASKING[place]);
        }
    }
    for path in ASKED_BY_PROGRAMS {
        for browser in &mut matrix.asking {
            let answer = browser.send(post(path, String::new())).await;
            assert_eq!(answer.status, 401, "{path}");
        }
    }
}

#[apply(on_both!)]
async fn searching_in_a_form_finds_nothing_out_of_reach(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut matrix = Matrix::new(&app).await;
    let service = matrix.fill("{service}");
    let path = format!("{BAKERY}/users/invite");
    for (place, is_found) in [(0, true), (1, false)] {
        let fields = [
            ("account", "100001"),
            ("permissions[]", "services.view"),
            ("services", "these"),
            ("service[]", service.as_str()),
            ("search_services", "websho"),
            ("show", "services"),
        ];
        let page = matrix.asking[place].post(&path, "users/invite", &fields).await;
        page.is(422);
        assert_eq!(page.body.contains(SHOP), is_found);
        assert_eq!(page.body.contains(&format!("thing-{service}")), is_found);
    }
}
