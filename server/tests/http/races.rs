//! What several requests at the same moment could break, asked through the router.

use domain::demo::{AMIRA, BJORN, INGRID, OLAV};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, Browser, Page, TestApp};

/// Somebody who is invited: their link's path and token, and the invitation's id.
struct Invited {
    link: String,
    token: String,
    id: String,
}

impl Invited {
    async fn by(app: &TestApp, inviter: &mut Browser, email: &str) -> Self {
        inviter.invite(email, &["billing.view"]).await.is(303);
        let link = app.invitation_link(email).await;
        let token = link.rsplit('/').next().unwrap().to_owned();
        let page = inviter.get(&format!("{BAKERY}/users")).await;
        let name = email.split('@').next().unwrap();
        let id = page.row_of(&format!("{name}@")).split("name=\"invitation\" value=\"").nth(1);
        let id = id.unwrap().split('"').next().unwrap().to_owned();
        Self { link, token, id }
    }

    async fn join(&self, browser: Browser) -> u16 {
        join(browser, &self.link, "Kari Nordmann").await
    }

    async fn decline(&self, mut browser: Browser) -> u16 {
        let (path, fields) = (format!("{}/decline", self.link), [("token", self.token.as_str())]);
        browser.post(&path, "invitations/decline", &fields).await.status.as_u16()
    }

    async fn cancel(&self, mut inviter: Browser) -> u16 {
        let path = format!("{BAKERY}/invitations/{}/cancel", self.id);
        inviter.post(&path, "users/cancel", &self.fields()).await.status.as_u16()
    }

    async fn resend(&self, mut inviter: Browser) -> u16 {
        let path = format!("{BAKERY}/users");
        inviter.post(&path, "users/resend", &self.fields()).await.status.as_u16()
    }

    fn fields(&self) -> [(&str, &str); 2] {
        [("account", "100001"), ("invitation", self.id.as_str())]
    }
}

/// Joins with a new login. Whom the queue for hashing sends away asks again, as a person would.
async fn join(mut browser: Browser, link: &str, name: &str) -> u16 {
    let token = link.rsplit('/').next().unwrap();
    let fields = [("token", token), ("full_name", name), ("password", "a password of mine")];
    loop {
        let page = browser.post(link, "invitations/join-with-new-login", &fields).await;
        match page.status.as_u16() {
            503 if page.headers.contains_key("retry-after") => tokio::task::yield_now().await,
            status => return status,
        }
    }
}

/// One of two was done, and the other was told so. Answers whether it was the first.
#[track_caller]
fn first_won(statuses: (u16, u16)) -> bool {
    let (won, lost) = if statuses.0 == 303 { statuses } else { (statuses.1, statuses.0) };
    assert!(won == 303 && [409, 410].contains(&lost), "{statuses:?}");
    statuses.0 == 303
}

/// Ingrid leaves Amira no more than this.
async fn narrow_amira(app: &TestApp, mut ingrid: Browser, permission: &str) -> Page {
    let amira = app.id_of(AMIRA).await;
    let fields = [("account", "100001"), ("user", amira.as_str()), ("permissions[]", permission)];
    let path = format!("{BAKERY}/users/{amira}");
    ingrid.post(&path, "users/change-permissions", &fields).await
}

/// Whether the log has the one before the other.
async fn came_first(ingrid: &mut Browser, one: &str, other: &str) -> bool {
    let log = ingrid.get(&format!("{BAKERY}/log")).await.words();
    let at = |words: &str| log.find(words).unwrap_or_else(|| panic!("{words:?} isn't in {log}"));
    at(one) > at(other)
}

#[apply(on_both!)]
async fn fifty_simultaneous_joins_make_one_membership(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.as_person(INGRID).await.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let mut joins = tokio::task::JoinSet::new();
    for n in 0..50 {
        let (browser, link) = (app.browser(), link.clone());
        joins.spawn(async move { join(browser, &link, &format!("Kari {n}")).await });
    }
    let statuses = joins.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [303, 410].contains(status)), "{statuses:?}");
    let page = app.as_person(INGRID).await.get(&format!("{BAKERY}/users")).await;
    assert_eq!(page.words().matches("kari@ nordlys.example").count(), 1);
}

#[apply(on_both!)]
async fn owners_who_leave_at_once_leave_one_behind(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (ingrid, olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    let mut leaves = tokio::task::JoinSet::new();
    for n in 0..50 {
        let mut browser = if n % 2 == 0 { ingrid.clone() } else { olav.clone() };
        leaves.spawn(async move {
            let path = format!("{BAKERY}/leave");
            let page = browser.post(&path, "account/leave", &[("account", "100001")]).await;
            page.status.as_u16()
        });
    }
    let statuses = leaves.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    let (mut ingrid, mut olav) = (ingrid, olav);
    let left = [ingrid.get(BAKERY).await, olav.get(BAKERY).await];
    assert_eq!(left.iter().filter(|page| page.status.as_u16() == 200).count(), 1);
}

#[apply(on_both!)]
async fn joining_and_cancelling_at_once_have_one_outcome(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    for email in ["kari@nordlys.example", "ola@nordlys.example", "per@nordlys.example"] {
        let invited = Invited::by(&app, &mut ingrid, email).await;
        let joined =
            first_won(tokio::join!(invited.join(app.browser()), invited.cancel(ingrid.clone()),));
        let outcome = if joined { "was used" } else { "was cancelled" };
        app.browser().get(&invited.link).await.is(410).says(outcome);
    }
}

#[apply(on_both!)]
async fn declining_and_cancelling_at_once_have_one_outcome(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let invited = Invited::by(&app, &mut ingrid, "kari@nordlys.example").await;
    let declined =
        first_won(tokio::join!(invited.decline(app.browser()), invited.cancel(ingrid.clone()),));
    let outcome = if declined { "was declined" } else { "was cancelled" };
    app.browser().get(&invited.link).await.is(410).says(outcome);
}

#[apply(on_both!)]
async fn joining_and_declining_at_once_have_one_outcome(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    for email in ["kari@nordlys.example", "ola@nordlys.example", "per@nordlys.example"] {
        let invited = Invited::by(&app, &mut ingrid, email).await;
        let joined =
            first_won(tokio::join!(invited.join(app.browser()), invited.decline(app.browser()),));
        let outcome = if joined { "was used" } else { "was declined" };
        app.browser().get(&invited.link).await.is(410).says(outcome);
    }
}

#[apply(on_both!)]
async fn answering_and_resending_at_once_have_one_outcome(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let invited = Invited::by(&app, &mut ingrid, "kari@nordlys.example").await;
    let joined =
        first_won(tokio::join!(invited.join(app.browser()), invited.resend(ingrid.clone()),));
    let outcome = if joined { "was used" } else { "a newer invitation" };
    app.browser().get(&invited.link).await.is(410).says(outcome);
    let invited = Invited::by(&app, &mut ingrid, "ola@nordlys.example").await;
    let declined =
        first_won(tokio::join!(invited.decline(app.browser()), invited.resend(ingrid.clone()),));
    let outcome = if declined { "was declined" } else { "a newer invitation" };
    app.browser().get(&invited.link).await.is(410).says(outcome);
}

#[apply(on_both!)]
async fn a_right_that_is_taken_away_while_its_holder_grants_is_granted_before_or_not_at_all(
    db: TestDatabase,
) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let mut amira = app.as_person(AMIRA).await;
    let (invited, narrowed) = tokio::join!(
        amira.invite("kari@nordlys.example", &["billing.view"]),
        narrow_amira(&app, ingrid.clone(), "account.users"),
    );
    narrowed.is(303);
    if invited.status.as_u16() == 303 {
        let (granted, taken) = ("kari@nordlys.example", "Permissions changed: Amira Haddad");
        assert!(came_first(&mut ingrid, granted, taken).await);
    } else {
        invited.is(403).says("See invoices");
        let page = ingrid.get(&format!("{BAKERY}/users")).await;
        assert!(!page.words().contains("kari@ nordlys.example"));
    }
    amira.invite("ola@nordlys.example", &["billing.view"]).await.is(403);
}

#[apply(on_both!)]
async fn a_right_that_is_taken_away_while_its_holder_begins_to_look_shows_nothing(
    db: TestDatabase,
) {
    let app = TestApp::new(db).await;
    let ingrid = app.as_person(INGRID).await;
    let mut amira = app.as_person(AMIRA).await;
    let path = format!("{BAKERY}/users/invite");
    let fields = [("account", "100001"), ("permissions[]", "billing.view"), ("show", "look")];
    let (begun, narrowed) = tokio::join!(
        amira.post(&path, "users/invite", &fields),
        narrow_amira(&app, ingrid, "account.users"),
    );
    narrowed.is(303);
    assert!([303, 403].contains(&begun.status.as_u16()), "{}", begun.words());
    // She manages users still, and sees no invoices any more: neither by herself nor in a draft.
    amira.get(&format!("{BAKERY}/billing")).await.is(403);
    amira.post(&path, "users/invite", &fields).await.is(403);
}

#[apply(on_both!)]
async fn a_right_that_is_taken_away_while_an_invitee_accepts_is_given_before_or_not_at_all(
    db: TestDatabase,
) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let mut amira = app.as_person(AMIRA).await;
    let invited = Invited::by(&app, &mut amira, "kari@nordlys.example").await;
    let mut kari = app.browser();
    let (joined, narrowed) = tokio::join!(
        invited.join(kari.clone()),
        narrow_amira(&app, ingrid.clone(), "account.users"),
    );
    narrowed.is(303);
    if joined == 303 {
        let (given, taken) = ("Kari Nordmann", "Permissions changed: Amira Haddad");
        assert!(came_first(&mut ingrid, given, taken).await);
        kari.sign_in("kari@nordlys.example", "a password of mine").await.is(303);
        kari.get(&format!("{BAKERY}/billing")).await.is(200);
    } else {
        assert!([409, 410].contains(&joined), "{joined}");
        let page = ingrid.get(&format!("{BAKERY}/users")).await;
        assert!(!page.words().contains("Kari Nordmann"));
    }
}

#[apply(on_both!)]
async fn a_page_comes_while_another_node_is_made(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let nodes = async {
        for _ in 0..10 {
            let _router = app.another_node(&app.db.url).await;
        }
    };
    let pages = async {
        for _ in 0..10 {
            ingrid.get(BAKERY).await.is(200);
        }
    };
    let both = async { tokio::join!(nodes, pages) };
    tokio::time::timeout(std::time::Duration::from_secs(60), both).await.expect("every page");
}

#[apply(on_both!)]
async fn of_fifty_changes_to_one_person_at_once_one_is_left_whole(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (ingrid, olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    let bjorn = app.id_of(BJORN).await;
    let path = format!("{BAKERY}/users/{bjorn}");
    let mut changes = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (mut browser, wanted) = match number % 2 {
            0 => (ingrid.clone(), ["domains.view", "support.view"]),
            _ => (olav.clone(), ["services.view", "billing.view"]),
        };
        let (path, bjorn) = (path.clone(), bjorn.clone());
        changes.spawn(async move {
            let [one, other] = wanted.map(|wanted| ("permissions[]", wanted));
            let fields = [("account", "100001"), ("user", bjorn.as_str()), one, other];
            browser.post(&path, "users/change-permissions", &fields).await.status.as_u16()
        });
    }
    let statuses = changes.join_all().await;
    assert!(statuses.iter().all(|status| *status == 303), "{statuses:?}");
    let mut bjorn = app.as_person(BJORN).await;
    let overview = bjorn.get(BAKERY).await.words();
    let said =
        ["You can see domains and see support requests.", "You can see services and see invoices."];
    assert!(said.iter().any(|said| overview.contains(said)), "{overview}");
}

#[apply(on_both!)]
async fn pausing_somebody_while_they_are_changed_fifty_times_leaves_both_or_tells(
    db: TestDatabase,
) {
    let app = TestApp::new(db).await;
    let (ingrid, olav) = (app.as_person(INGRID).await, app.as_person(OLAV).await);
    let bjorn = app.id_of(BJORN).await;
    let path = format!("{BAKERY}/users/{bjorn}");
    let log = ingrid.clone().get(&format!("{BAKERY}/log")).await.words();
    let changes = log.matches("Permissions changed: Bjørn Lie").count();
    let pages = (ingrid.clone().get(&path).await, olav.clone().get(&path).await);
    let pages = std::sync::Arc::new(pages);
    let mut done = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (mut ingrid, mut olav) = (ingrid.clone(), olav.clone());
        let pages = std::sync::Arc::clone(&pages);
        done.spawn(async move {
            let answer = match number % 2 {
                0 => ingrid.fill_in(&pages.0, "users/pause-access", &[]).await,
                _ => {
                    let wanted = [("permissions[]", "support.view"), ("until", "2027-03-31")];
                    olav.fill_in(&pages.1, "users/change-permissions", &wanted).await
                }
            };
            (number % 2 == 0, answer.status.as_u16())
        });
    }
    let (paused, changed): (Vec<_>, Vec<_>) =
        done.join_all().await.into_iter().partition(|(pauses, _)| *pauses);
    let count = |all: &[(bool, u16)], wanted| all.iter().filter(|(_, one)| *one == wanted).count();
    // One pauses, and the others are told that it is done, or to ask again where too many wait; to change
    // it to the same again is no change.
    let (told, asked_again) = (count(&paused, 409), count(&paused, 503));
    assert_eq!((count(&paused, 303), told + asked_again), (1, 24), "{paused:?}");
    let (done, asked_again) = (count(&changed, 303), count(&changed, 503));
    assert!(done > 0 && done + asked_again == 25, "{changed:?}");
    let mut ingrid = ingrid;
    let page = ingrid.get(&path).await;
    page.is(200).says("Paused since");
    assert!(page.input("id=\"support.view\"").contains("checked"));
    assert!(page.input("id=\"until\"").contains("2027-03-31"));
    let log = ingrid.get(&format!("{BAKERY}/log")).await.words();
    assert_eq!(log.matches("Access paused: Bjørn Lie").count(), 1, "{log}");
    assert_eq!(log.matches("Permissions changed: Bjørn Lie").count(), 1 + changes, "{log}");
    let mut bjorn = app.as_person(BJORN).await;
    bjorn.get(BAKERY).await.is(403).says("Your access is paused");
    ingrid.fill_in(&page, "users/resume-access", &[]).await.is(303);
    bjorn.get(&format!("{BAKERY}/support")).await.is(200);
    bjorn.get(&format!("{BAKERY}/billing")).await.is(403);
}
