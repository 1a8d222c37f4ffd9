//! Invitations from both ends.

use domain::demo::{AMIRA, BJORN, INGRID, MEI, PASSWORD, TOM};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp};

const NEW_PASSWORD: &str = "a password of mine";

#[apply(on_both!)]
async fn a_new_person_joins_and_finds_exactly_what_was_granted(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let sent = ingrid.invite("Kari@Nordlys.example", &["billing.pay", "domains.view"]).await;
    sent.is(303);
    let page = ingrid.get(sent.leads_to()).await;
    page.says("Invitation sent to Kari@Nordlys.example");
    page.says("Pending invitations");
    let again = ingrid.get(sent.leads_to()).await;
    assert!(!again.words().contains("Invitation sent to"), "a notice is said once");

    let link = app.invitation_link("Kari@Nordlys.example").await;
    let mut kari = app.browser();
    let page = kari.get(&link).await;
    page.is(200).says("Join Nordlys Bakeri AS");
    page.says("Ingrid Solberg invites you");
    page.says("The inviter's email address is ingrid@nordlys.example.");
    page.says("see domains and pay invoices");
    kari.get(&link).await.is(200);
    let fields = [("full_name", "Kari Nordmann"), ("password", NEW_PASSWORD)];
    let answer = kari.fill_in(&page, "invitations/join-with-new-login", &fields).await;
    kari.go_on(&answer).await.is(200).says("You joined Nordlys Bakeri AS");
    for (area, status) in [("billing", 200), ("domains", 200), ("services", 403), ("users", 403)] {
        kari.get(&format!("{BAKERY}/{area}")).await.is(status);
    }
    assert_eq!(app.mails_to(INGRID.email).await.first(), Some(&"invitation_accepted"));
    let page = app.browser().get(&link).await;
    page.is(410).says("This invitation was used");
    app.browser().sign_in("kari@nordlys.example", NEW_PASSWORD).await.is(303);
}

#[apply(on_both!)]
async fn somebody_with_a_login_joins_with_it(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite(TOM.email, &["support.open"]).await.is(303);
    let link = app.invitation_link(TOM.email).await;
    let mut tom = app.browser();
    let page = tom.get(&link).await;
    page.is(200).says("You already have a login");
    assert!(page.input("id=\"password\"").contains("autofocus"), "it alone is asked for");
    let wrong = [("password", "wrong password")];
    let page = tom.fill_in(&page, "invitations/join-with-password", &wrong).await;
    page.is(422).says("This password is wrong");
    let right = [("password", PASSWORD)];
    let answer = tom.fill_in(&page, "invitations/join-with-password", &right).await;
    tom.go_on(&answer).await.is(200).says("You joined Nordlys Bakeri AS");
    tom.get(&format!("{BAKERY}/support")).await.is(200);
}

#[apply(on_both!)]
async fn joining_after_the_session_ended_says_why_it_came_to_nothing(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.as_person(INGRID).await.invite(TOM.email, &["support.open"]).await.is(303);
    let link = app.invitation_link(TOM.email).await;
    let fields = [("token", link.rsplit('/').next().unwrap())];
    let page = app.browser().post(&link, "invitations/join", &fields).await;
    page.is(401).says("You have been signed out. Sign in again");
    page.says("You already have a login");
}

#[apply(on_both!)]
async fn somebody_signed_in_joins_with_one_click_and_others_sign_out_first(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite(TOM.email, &["support.open"]).await.is(303);
    let link = app.invitation_link(TOM.email).await;
    let token = link.rsplit('/').next().unwrap();
    let page = ingrid.get(&link).await;
    page.is(200).says("but the invitation is for tom@fjordpixel.example");
    let page = ingrid.post(&link, "invitations/join", &[("token", token)]).await;
    page.is(409);
    let mut tom = app.as_person(TOM).await;
    let page = tom.get(&link).await;
    page.is(200).says("Join Nordlys Bakeri AS");
    let answer = tom.fill_in(&page, "invitations/join", &[]).await;
    tom.go_on(&answer).await.says("You joined");
}

#[apply(on_both!)]
async fn inviting_somebody_who_is_in_the_account_is_a_field_error(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let page = app.as_person(INGRID).await.invite("BJORN@ledger.example", &["billing.view"]).await;
    page.is(422).says("This person is in the account already");
    assert!(page.title().starts_with("Error: "));
    assert!(page.body.contains("value=\"BJORN@ledger.example\""));
    assert!(page.body.contains("aria-invalid=\"true\""));
    let summary = page.between("class=\"error-summary\"", "</ul>");
    let manage = format!("href=\"{BAKERY}/users/{}\"", app.id_of(BJORN).await);
    assert!(summary.contains(&manage) && summary.contains("Manage their access"), "{summary}");
}

#[apply(on_both!)]
async fn a_second_invitation_replaces_the_first_and_says_so(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let old = app.invitation_link("kari@nordlys.example").await;
    let sent = ingrid.invite("KARI@nordlys.example", &["domains.view"]).await;
    ingrid.get(sent.leads_to()).await.says("They were invited already");
    app.browser().get(&old).await.is(410).says("There is a newer invitation");
    let new = app.invitation_link("KARI@nordlys.example").await;
    app.browser().get(&new).await.is(200).says("see domains");
}

#[apply(on_both!)]
async fn links_that_are_no_longer_good_say_what_happened(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let truncated = &link[..link.len() - 3];
    app.browser().get(truncated).await.is(404).says("link isn't complete");
    app.browser().get("/invitations/x").await.is(404).says("link isn't complete");

    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    let row = page.row_of("kari@");
    let cancel = row.split("action=\"").find(|part| part.contains("/cancel\"")).unwrap();
    let cancel = cancel.split('"').next().unwrap().to_owned();
    let page = ingrid.get(&cancel).await;
    page.is(200).says("Cancel invitation to kari@nordlys.example?");
    let answer = ingrid.fill_in(&page, "users/cancel", &[]).await;
    ingrid.go_on(&answer).await.says("Invitation to kari@nordlys.example cancelled");
    app.browser().get(&link).await.is(410).says("This invitation was cancelled");
    let page = ingrid.fill_in(&page, "users/cancel", &[]).await;
    page.is(409).says("cancelled already");

    ingrid.invite("ola@nordlys.example", &["billing.view"]).await.is(303);
    let link = app.invitation_link("ola@nordlys.example").await;
    app.forward_hours(8 * 24);
    app.browser().get(&link).await.is(410).says("This invitation has expired");
}

#[apply(on_both!)]
async fn declining_asks_once_more_and_tells_the_inviter(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.as_person(INGRID).await.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let mut kari = app.browser();
    let path = format!("{link}/decline");
    let declining = kari.get(&path).await;
    declining.is(200).says("Decline the invitation to Nordlys Bakeri AS?");
    let joining = kari.get(&link).await;
    let answer = kari.fill_in(&declining, "invitations/decline", &[]).await;
    kari.go_on(&answer).await.is(410).says("This invitation was declined");
    assert_eq!(app.mails_to(INGRID.email).await.first(), Some(&"invitation_declined"));
    let fields = [("full_name", "Kari"), ("password", NEW_PASSWORD)];
    kari.fill_in(&joining, "invitations/join-with-new-login", &fields).await.is(410);
}

#[apply(on_both!)]
async fn an_invitation_opens_no_more_than_its_inviter_still_holds(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut amira = app.as_person(AMIRA).await;
    amira.invite("kari@nordlys.example", &["services.view", "billing.view"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let id = app.id_of(AMIRA).await;
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/users/{id}");
    let left = [("permissions[]", "billing.view"), ("permissions[]", "account.users")];
    ingrid.open_and_fill_in(&path, "users/change-permissions", &left).await.is(303);
    let page = app.browser().get(&link).await;
    page.is(200).says("You will be able to see invoices.");
    ingrid.open_and_fill_in(&path, "users/change-permissions", &left[..1]).await.is(303);
    let page = app.browser().get(&link).await;
    page.is(410).says("can no longer give access");
}

#[apply(on_both!)]
async fn joining_grants_no_more_than_the_inviter_still_holds(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut amira = app.as_person(AMIRA).await;
    amira.invite("kari@nordlys.example", &["services.view", "billing.view"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let mut kari = app.browser();
    let page = kari.get(&link).await;
    page.is(200).says("services");
    let id = app.id_of(AMIRA).await;
    let left = [("permissions[]", "account.users"), ("permissions[]", "billing.view")];
    let mut ingrid = app.as_person(INGRID).await;
    let path = format!("{BAKERY}/users/{id}");
    ingrid.open_and_fill_in(&path, "users/change-permissions", &left).await.is(303);
    let fields = [("full_name", "Kari Lie"), ("password", NEW_PASSWORD)];
    kari.fill_in(&page, "invitations/join-with-new-login", &fields).await.is(303);
    kari.get(&format!("{BAKERY}/billing")).await.is(200);
    kari.get(&format!("{BAKERY}/services")).await.is(403);
}

#[apply(on_both!)]
async fn resending_takes_the_right_to_give_what_is_offered(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.as_person(INGRID).await.invite("kari@nordlys.example", &["domains.transfer"]).await.is(303);
    let old = app.invitation_link("kari@nordlys.example").await;
    let mut amira = app.as_person(AMIRA).await;
    let page = amira.get(&format!("{BAKERY}/users")).await;
    let row = page.row_of("kari@");
    let id = row.split("name=\"invitation\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let fields = [("invitation", id)];
    let page = amira.fill_in(&page, "users/resend", &fields).await;
    page.is(403).says("Transfer domains away");
    app.browser().get(&old).await.is(200);
    let mut ingrid = app.as_person(INGRID).await;
    let users = format!("{BAKERY}/users");
    let answer = ingrid.open_and_fill_in(&users, "users/resend", &fields).await;
    ingrid.go_on(&answer).await.says("Invitation sent to kari@nordlys.example again");
    app.browser().get(&old).await.is(410).says("There is a newer invitation");
}

#[apply(on_both!)]
async fn who_resends_an_invitation_makes_it_theirs(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.as_person(AMIRA).await.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let mut ingrid = app.as_person(INGRID).await;
    let id = app.id_of(AMIRA).await;
    let path = format!("{BAKERY}/users/{id}/remove");
    ingrid.open_and_fill_in(&path, "users/remove-access", &[]).await.is(303);
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    page.says("Amira Haddad can no longer give all of this");
    let link = app.invitation_link("kari@nordlys.example").await;
    app.browser().get(&link).await.is(410).says("can no longer give access");

    let row = page.row_of("kari@");
    let id = row.split("name=\"invitation\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    ingrid.fill_in(&page, "users/resend", &[("invitation", id)]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    app.browser().get(&link).await.is(200).says("Ingrid Solberg invites you");
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(!page.words().contains("can no longer give all of this"));
}

#[apply(on_both!)]
async fn a_stale_resend_says_why_though_its_row_is_gone(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let page = ingrid.get(&format!("{BAKERY}/users")).await;
    let row = page.row_of("kari@");
    let id = row.split("name=\"invitation\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let cancel = format!("{BAKERY}/invitations/{id}/cancel");
    ingrid.open_and_fill_in(&cancel, "users/cancel", &[]).await.is(303);
    ingrid.get(&format!("{BAKERY}/users")).await;
    let page = ingrid.fill_in(&page, "users/resend", &[("invitation", id)]).await;
    page.is(409).says("The invitation was cancelled already");
}

#[apply(on_both!)]
async fn joining_ends_the_session_that_the_browser_had(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let token = link.rsplit('/').next().unwrap();
    let before = ingrid.clone();
    let fields =
        [("token", token), ("full_name", "Kari Nordmann"), ("password", "correct horse battery")];
    ingrid.post(&link, "invitations/join-with-new-login", &fields).await.is(303);
    ingrid.get(BAKERY).await.is(200).says("Kari Nordmann");
    before.clone().get(BAKERY).await.is(302);
}

#[apply(on_both!)]
async fn a_new_login_needs_a_name_and_a_long_password(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.as_person(INGRID).await.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let mut kari = app.browser();
    let form = "invitations/join-with-new-login";
    let fields = [("full_name", ""), ("password", "short")];
    let page = kari.open_and_fill_in(&link, form, &fields).await;
    page.is(422).says("Enter your full name");
    page.says("at least 15 characters");
    let unseen = "\u{202e}\u{200b}\u{3164}";
    let fields = [("full_name", unseen), ("password", NEW_PASSWORD)];
    let page = kari.fill_in(&page, form, &fields).await;
    page.is(422).says("Enter your full name");
    let name = "<script>alert(1)</script> 🦊";
    let fields = [("full_name", name), ("password", NEW_PASSWORD)];
    let answer = kari.fill_in(&page, form, &fields).await;
    kari.go_on(&answer).await.is(200);
    let page = app.as_person(INGRID).await.get(&format!("{BAKERY}/users")).await;
    assert!(!page.body.contains("<script>alert(1)"));
    page.says("<script>alert(1)</script>");
}

#[apply(on_both!)]
async fn members_of_other_accounts_are_invited_like_anybody(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut mei = app.as_person(MEI).await;
    let fields = [("account", "100002"), ("email", BJORN.email), ("permissions[]", "billing.view")];
    let page = mei.post("/accounts/100002/users/invite", "users/invite", &fields).await;
    page.is(303);
    let page = mei.get("/accounts/100002/users").await;
    assert!(!page.words().contains("Bjørn"), "an address doesn't tell a name");
}

#[apply(on_both!)]
async fn one_inviter_sends_so_many_mails_in_all_their_accounts(db: TestDatabase) {
    let app = TestApp::with(db, &[("INVITATIONS_PER_INVITER", "2")]).await;
    app.forward_hours(1);
    let mut ingrid = app.as_person(INGRID).await;
    for address in ["a@nordlys.example", "b@nordlys.example"] {
        ingrid.invite(address, &["billing.view"]).await.is(303);
    }
    let page = ingrid.invite("c@nordlys.example", &["billing.view"]).await;
    page.is(429).says("as one person can for now. Try again in 1 hour.");
    assert_eq!(page.headers.get("retry-after").unwrap(), "3600");
    assert!(page.body.contains("value=\"c@nordlys.example\""));
    let page = ingrid.get("/help/users?account=100001").await;
    page.is(200).says("You have used up the 2 invitation emails");
    app.as_person(AMIRA).await.invite("c@nordlys.example", &["billing.view"]).await.is(303);
    app.forward_hours(1);
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("d@nordlys.example", &["billing.view"]).await.is(303);
}

#[apply(on_both!)]
async fn one_address_gets_so_many_mails_from_all_accounts(db: TestDatabase) {
    let app = TestApp::with(db, &[("INVITATIONS_TO_ADDRESS", "2")]).await;
    let (mut ingrid, mut mei) = (app.as_person(INGRID).await, app.as_person(MEI).await);
    let from_agency = [
        ("account", "100002"),
        ("email", "KARI@nordlys.example"),
        ("permissions[]", "billing.view"),
    ];
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let page = mei.post("/accounts/100002/users/invite", "users/invite", &from_agency).await;
    page.is(303);
    let page = ingrid.invite("kari@nordlys.example", &["billing.pay"]).await;
    page.is(429).says("as it can get for now. Try again in 24 hours.");
    let page = mei.post("/accounts/100002/users/invite", "users/invite", &from_agency).await;
    page.is(429).says("as it can get for now");
    assert_eq!(app.mails_to("kari@nordlys.example").await.len(), 1);
    ingrid.invite("ola@nordlys.example", &["billing.view"]).await.is(303);
    app.forward_hours(24);
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.pay"]).await.is(303);
}

#[apply(on_both!)]
async fn what_comes_to_nothing_uses_up_nobodys_mails(db: TestDatabase) {
    let app = TestApp::with(db, &[("INVITATIONS_TO_ADDRESS", "1")]).await;
    app.forward_hours(24);
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite(BJORN.email, &["billing.view"]).await.is(422);
    let fields = [("account", "100002"), ("email", BJORN.email), ("permissions[]", "billing.view")];
    let mut mei = app.as_person(MEI).await;
    mei.post("/accounts/100002/users/invite", "users/invite", &fields).await.is(303);
}

#[apply(on_both!)]
async fn who_doesnt_know_the_inviter_says_so_and_gets_no_more_from_there(db: TestDatabase) {
    let app = TestApp::with(db, &[("OPERATOR_EMAIL", "abuse@provider.example")]).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let mut kari = app.browser();
    let page = kari.get(&link).await;
    page.is(200).says("I don't know this person");
    let path = format!("{link}/report");
    assert!(page.body.contains(&format!("action=\"{path}\"")));
    let reporting = kari.get(&path).await;
    reporting.is(200).says("You don't know Ingrid Solberg?");
    reporting.says("Ingrid Solberg only hears that you declined.");
    kari.get(&link).await.is(200);
    let answer = kari.fill_in(&reporting, "invitations/report", &[]).await;
    let page = kari.go_on(&answer).await;
    page.is(410).says("This invitation was declined");
    page.says("Nordlys Bakeri AS can't invite you again");

    assert_eq!(app.mails_to(INGRID.email).await.first(), Some(&"invitation_declined"));
    assert_eq!(app.mails_to("abuse@provider.example").await, ["invitation_reported"]);
    let mailbox = app.browser().get("/demo/mailbox").await;
    mailbox.says("Nordlys Bakeri AS (100001) invited somebody who doesn't know the inviter");
    let page = ingrid.get(&format!("{BAKERY}/log")).await;
    page.says("Invitation declined");
    assert!(!page.words().to_lowercase().contains("report"));
    let page = ingrid.invite("KARI@nordlys.example", &["billing.view"]).await;
    page.is(422).says("This address doesn't take invitations from this account");
    assert!(page.body.contains("aria-invalid=\"true\""));
    kari.fill_in(&reporting, "invitations/report", &[]).await.is(410);
    let mut mei = app.as_person(MEI).await;
    let fields = [
        ("account", "100002"),
        ("email", "kari@nordlys.example"),
        ("permissions[]", "billing.view"),
    ];
    mei.post("/accounts/100002/users/invite", "users/invite", &fields).await.is(303);

    let reports = domain::reports::newest(&app.latchkey, 9).await.unwrap();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].inviter_name, "Ingrid Solberg");
    let email = model::EmailAddress::parse("kari@nordlys.example").unwrap();
    let lifted = domain::reports::lift(&app.latchkey, reports[0].account_number, &email).await;
    lifted.unwrap();
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
}

#[apply(on_both!)]
async fn the_provider_is_nobody_to_be_reported(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let created = domain::accounts::create(&app.latchkey, "Fjell AS", "kari@nordlys.example").await;
    let token = created.unwrap().1.secret().expose().to_owned();
    let link = format!("/invitations/{token}");
    let mut kari = app.browser();
    let page = kari.get(&link).await;
    page.is(200).says("Decline invitation");
    assert!(!page.words().contains("I don't know this person"));
    let path = format!("{link}/report");
    kari.post(&path, "invitations/report", &[("token", &token)]).await.is(404);
    kari.get(&link).await.is(200);
}

#[apply(on_both!)]
async fn reporting_and_inviting_at_once_leave_nothing_pending_after_a_report(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let token = link.rsplit('/').next().unwrap().to_owned();
    let (mut kari, path) = (app.browser(), format!("{link}/report"));
    let fields = [("token", token.as_str())];
    let (reporting, inviting) = tokio::join!(
        kari.post(&path, "invitations/report", &fields),
        ingrid.invite("kari@nordlys.example", &["billing.pay"]),
    );
    // Either the report came first and the invitation is refused, or the link was replaced.
    let done = [reporting.status.as_u16(), inviting.status.as_u16()];
    assert!([[303, 422], [410, 303], [409, 303]].contains(&done), "{done:?}");
}
