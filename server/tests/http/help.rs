use domain::demo::{AMIRA, BJORN, INGRID, MEI};
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp};

const GUIDE: &str = "/help/users?account=100001";

#[apply(on_sqlite!)]
async fn the_guide_says_who_can_invite(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let page = app.as_person(INGRID).await.get(GUIDE).await;
    page.is(200).says("You can invite people to Nordlys Bakeri AS");
    page.says("every permission");
    let page = app.as_person(AMIRA).await.get(GUIDE).await;
    page.says("You can give them what you hold yourself: Services: see and manage");
    let page = app.as_person(BJORN).await.get(GUIDE).await;
    page.is(200).says("you lack the permission “Manage users and permissions”");
    page.says("Ingrid Solberg and Olav Solberg");
    app.browser().get(GUIDE).await.is(302);
    app.browser().get("/help/users").await.is(200).says("from inside an account");
}

#[apply(on_sqlite!)]
async fn without_an_account_in_its_address_the_guide_finds_those_of_the_reader(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let page = app.as_person(INGRID).await.get("/help/users").await;
    page.is(200).says("You can invite people to Nordlys Bakeri AS");
    let page = app.as_person(MEI).await.get("/help/users").await;
    page.is(200).says("Choose the account that it is about: Fjord & Pixel Nordlys Bakeri AS");
    assert!(page.body.contains("href=\"/help/users?account=100001\""));
}

#[apply(on_sqlite!)]
async fn the_guides_are_listed(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let page = app.browser().get("/help").await;
    page.is(200).says("Managing users and permissions Let a colleague");
    for guide in domain::feedback::GUIDES {
        assert!(page.body.contains(&format!("href=\"/help/{guide}\"")), "{guide}");
    }
    let mut bjorn = app.as_person(BJORN).await;
    let page = bjorn.get("/help?account=100001").await;
    assert!(page.is(200).body.contains("href=\"/help/security?account=100001\""));
    bjorn.get("/help?account=100002").await.is(404);
    let guide = bjorn.get("/help/users?account=100001").await;
    assert!(guide.body.contains("href=\"/help?account=100001\""));
}

#[apply(on_sqlite!)]
async fn the_guide_says_when_the_mails_are_used_up(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let account = app.account_of(INGRID).await;
    let key = format!("invite:{}", uuid::Uuid::from(account));
    let hour = std::time::Duration::from_secs(3_600);
    for _ in 0..200 {
        let now = app.latchkey.now();
        app.latchkey.store.count_attempt(&key, hour, now).await.unwrap();
    }
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(GUIDE).await;
    page.says("has used up the 200 invitation emails");
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(429);
    app.forward_hours(1);
    ingrid.get(GUIDE).await.says("You can invite people");
}

#[apply(on_sqlite!)]
async fn the_guide_knows_where_an_invitation_is(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let ask = |email: &str| format!("{GUIDE}&email={}", email.replace('@', "%40"));
    let kari = ask("kari@nordlys.example");
    ingrid.get(&kari).await.is(200).says("wasn't invited to this account");
    ingrid.get(&ask(BJORN.email)).await.says("is in the account already");
    ingrid.get(&ask("nonsense")).await.says("in the form name@example.com");

    app.keep_all_mail().await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    ingrid.get(&kari).await.says("is on its way to the mail server");
    let mail = domain::mails::take(&app.latchkey).await.unwrap().unwrap();
    let busy = domain::mails::Reply::NotNow("451 later, please".to_owned());
    domain::mails::note(&app.latchkey, &mail, &busy).await.unwrap();
    ingrid.get(&kari).await.says("451 later, please");
    app.forward_hours(1);
    let mail = domain::mails::take(&app.latchkey).await.unwrap().unwrap();
    let taken = domain::mails::Reply::Taken("250 OK".to_owned());
    domain::mails::note(&app.latchkey, &mail, &taken).await.unwrap();
    let page = ingrid.get(&kari).await;
    page.says("The mail server took the email to kari@nordlys.example");
    page.says("Works until");
    page.says("Ingrid Solberg invites you to Nordlys Bakeri AS");

    let row = page.body.split("name=\"invitation\" value=\"").nth(1).unwrap();
    let id = row.split('"').next().unwrap().to_owned();
    ingrid.sign_in(INGRID.email, domain::demo::PASSWORD).await.is(303);
    let answer = ingrid.open_and_fill_in(&kari, "users/resend", &[]).await;
    let page = ingrid.go_on(&answer).await;
    page.says("Invitation sent to kari@nordlys.example again");
    page.says("If something doesn't work");

    let mail = domain::mails::take(&app.latchkey).await.unwrap().unwrap();
    let never = domain::mails::Reply::Never("550 no such mailbox".to_owned());
    domain::mails::note(&app.latchkey, &mail, &never).await.unwrap();
    ingrid.get(&kari).await.says("550 no such mailbox");
    app.forward_hours(24 * 8);
    let mut ingrid = app.as_person(INGRID).await;
    let told = ingrid.get(&kari).await.words();
    let (_, day) = told.split_once("expired on ").unwrap();
    assert!(day.starts_with("Friday, 22 January."), "a day, as everywhere: {day}");
    let cancel = format!("{BAKERY}/invitations/{id}/cancel");
    ingrid.open_and_fill_in(&cancel, "users/cancel", &[]).await.is(303);
    ingrid.get(&kari).await.says("was cancelled on");
}

#[apply(on_sqlite!)]
async fn only_those_who_may_see_invitations_learn_of_them(db: TestDatabase) {
    let app = TestApp::new(db).await;
    app.as_person(INGRID).await.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let ask = format!("{GUIDE}&email=kari%40nordlys.example");
    let page = app.as_person(BJORN).await.get(&ask).await;
    page.is(200).says("Whoever may manage users finds out here");
    assert!(!page.words().contains("on its way to the mail server"));
}

#[apply(on_sqlite!)]
async fn an_answer_is_kept_for_the_operator(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let fields = [("guide", "users"), ("comment", "What is a scope?"), ("next", GUIDE)];
    let page = bjorn.post(GUIDE, "help/feedback", &fields).await;
    page.is(422).says("Choose yes or no");
    assert!(page.body.contains("What is a scope?"), "what was typed stays");
    assert!(page.body.contains("aria-describedby=\"helped-error\""));
    let markup = [fields[0], ("comment", "</textarea><b>&amp;</b>"), fields[2]];
    let page = bjorn.post(GUIDE, "help/feedback", &markup).await;
    assert!(page.body.contains("&lt;/textarea>&lt;b>&amp;amp;&lt;/b>"), "it stays text");
    let mut answer = fields.to_vec();
    answer.push(("helped", "no"));
    bjorn.submit(GUIDE, "help/feedback", &answer).await.says("Thank you for your answer");
    let long = "x".repeat(1_001);
    answer[1].1 = &long;
    bjorn.post(GUIDE, "help/feedback", &answer).await.is(422).says("1,000 characters at most");
    let said = domain::feedback::newest(&app.latchkey, 10).await.unwrap();
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].helped, said[0].comment.as_str()), (false, "What is a scope?"));
    answer[1].1 = "";
    for _ in 0..9 {
        bjorn.post(GUIDE, "help/feedback", &answer).await.is(303);
    }
    bjorn.post(GUIDE, "help/feedback", &answer).await.is(429);
}

#[apply(on_sqlite!)]
async fn an_answer_with_signs_that_mean_nothing_is_kept_without_them(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let fields = [("guide", "users"), ("helped", "no"), ("comment", "a\0b\u{1b}[31m\nc")];
    app.as_person(BJORN).await.post(GUIDE, "help/feedback", &fields).await.is(303);
    let said = domain::feedback::newest(&app.latchkey, 10).await.unwrap();
    assert_eq!(said[0].comment, "ab[31m\nc");
}

#[apply(on_sqlite!)]
async fn an_unreachable_mail_server_is_told_in_words(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    app.keep_all_mail().await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let ask = format!("{GUIDE}&email=kari%40nordlys.example");
    let mail = domain::mails::take(&app.latchkey).await.unwrap().unwrap();
    let ours = domain::mails::Reply::NotNow("the mail server can't be reached: os".into());
    domain::mails::note(&app.latchkey, &mail, &ours).await.unwrap();
    ingrid.get(&ask).await.says("The email to kari@nordlys.example waits");
    let list = ingrid.get(&format!("{BAKERY}/users")).await;
    list.says("The mail server can't be reached at the moment");
    assert!(!list.words().contains("os”"));
    domain::mails::note(
        &app.latchkey,
        &mail,
        &domain::mails::Reply::Never("the mail server can't be reached: os".into()),
    )
    .await
    .unwrap();
    ingrid.get(&ask).await.says("couldn't be delivered within a day");
}

#[apply(on_sqlite!)]
async fn there_are_four_guides(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    for guide in ["security", "account", "billing"] {
        bjorn.get(&format!("/help/{guide}")).await.is(200);
        bjorn.get(&format!("/help/{guide}?account=100001")).await.is(200);
    }
    bjorn.get("/help/nonsense").await.is(404);
    bjorn.get("/help/billing?account=100002").await.is(404);
}
