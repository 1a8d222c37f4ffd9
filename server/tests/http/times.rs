//! In which time zone days and times are told, and the log by days.

use domain::demo::{BJORN, INGRID, MEI};
use model::FullName;
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, Browser, TestApp};

/// The cookie in which scripts say in which time zone the browser is.
const ZONE: &str = "__Host-latchkey-zone";

fn log(query: &str) -> String {
    format!("{BAKERY}/log?person=&kind={query}")
}

async fn choose(browser: &mut Browser, zone: &str) -> crate::story::Page {
    let fields = [("full_name", "Ingrid Solberg"), ("language", "en"), ("time_zone", zone)];
    browser.open_and_fill_in("/profile", "profile/save", &fields).await
}

#[apply(on_sqlite!)]
async fn the_logins_zone_comes_before_the_browsers_and_that_before_the_accounts(db: TestDatabase) {
    let app = TestApp::with(db, &[("TIME_ZONE", "America/St_Johns")]).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let page = ingrid.get(&log("")).await;
    page.is(200).says("Days and times are as in America/St_Johns.");
    page.says("Friday, 15 January 2027");
    page.says("04:30 UTC−3:30 just now");
    assert!(page.body.contains("<time datetime=\"2027-01-15T08:00:00Z\""), "{}", page.body);

    let oslo = [("account_name", "Nordlys"), ("time_zone", "Europe/Oslo")];
    let form = "account/change-details";
    ingrid.open_and_fill_in(&format!("{BAKERY}/account"), form, &oslo).await.is(303);
    ingrid.get(&log("")).await.says("09:00 UTC+1 just now");

    ingrid.take_cookie(ZONE, "Pacific/Kiritimati");
    let page = ingrid.get(&log("")).await;
    page.says("Days and times are as in Pacific/Kiritimati.");
    page.says("22:00 just now");

    choose(&mut ingrid, "asia/tokyo").await.is(303);
    let page = ingrid.get(&log("")).await;
    page.says("Days and times are as in Asia/Tokyo.");
    page.says("17:00 just now");
    let profile = ingrid.get("/profile").await;
    assert!(profile.body.contains("<option value=\"Asia/Tokyo\" selected"), "{}", profile.body);

    let unsaid = [("full_name", "Ingrid Solberg"), ("language", "en")];
    ingrid.post("/profile", "profile/save", &unsaid).await.is(303);
    ingrid.get(&log("")).await.says("17:00 just now");
    choose(&mut ingrid, "").await.is(303);
    ingrid.get(&log("")).await.says("22:00 just now");
}

#[apply(on_sqlite!)]
async fn a_zone_that_there_isnt_is_passed_over_or_refused_at_its_field(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let long = "Europe/Oslo".repeat(300);
    for odd in ["Mars/Olympus", "../../etc/passwd", "<script>", "Etc/Unknown", "undefined", &long] {
        ingrid.take_cookie(ZONE, odd);
        ingrid.get(&log("")).await.is(200).says("Days and times are as in UTC.");
        ingrid.get(&format!("{BAKERY}/log.csv")).await.is(200);
        let page = choose(&mut ingrid, odd).await;
        page.is(422).says("Enter the name of a time zone such as Europe/Oslo");
        let shown = odd.replace('<', "&lt;").replace('>', "&gt;");
        let stays = format!("<option value=\"{shown}\" selected");
        assert!(page.body.contains(&stays) || page.body.contains(&stays.replace("&gt;", ">")));
    }
    // Another version of the product knew it.
    let user = app.id_of(INGRID).await.parse().unwrap();
    let name = FullName::parse("Ingrid Solberg").unwrap();
    let store = &app.latchkey.store;
    store
        .change_profile(user, &name, None, Some("Europe/Atlantis"), app.latchkey.now())
        .await
        .unwrap();
    ingrid.get(&log("")).await.is(200).says("Days and times are as in UTC.");
    let profile = ingrid.get("/profile").await;
    assert!(profile.is(200).body.contains("<option value=\"Europe/Atlantis\" selected"));
}

#[apply(on_sqlite!)]
async fn a_day_of_the_log_begins_and_ends_where_its_reader_is(db: TestDatabase) {
    let app = TestApp::new(db).await;
    // It is 17:00 in Tokyo: a second before midnight, and at midnight.
    app.forward_seconds(7 * 3_600 - 1);
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.take_cookie(ZONE, "Asia/Tokyo");
    ingrid.invite("late@nordlys.example", &["billing.view"]).await.is(303);
    app.forward_seconds(1);
    ingrid.invite("early@nordlys.example", &["billing.view"]).await.is(303);
    let page = ingrid.get(&log("")).await;
    page.says("Saturday, 16 January 2027");
    page.says("Friday, 15 January 2027");
    let [early, late] = ["early@", "late@"].map(|email| page.body.find(email).unwrap());
    let friday = page.body.find("Friday, 15 January").unwrap();
    assert!(early < friday && friday < late, "each stands under its day");
    let groups = page.body.matches("scope=\"rowgroup\"").count();
    assert_eq!(groups, page.body.matches("<tbody").count(), "a group for each day");

    for (days, shown, hidden) in [
        ("&from=2027-01-16&to=2027-01-16", "early@", "late@"),
        ("&from=2027-01-16&to=", "early@", "late@"),
        ("&from=&to=2027-01-15", "late@", "early@"),
        ("&from=2027-01-15&to=2027-01-15", "late@", "early@"),
    ] {
        for (path, query) in [("log", days), ("log.csv", days)] {
            let page = ingrid.get(&format!("{BAKERY}/{path}?person=&kind={query}")).await;
            assert!(page.is(200).body.contains(shown), "{path}{query}");
            assert!(!page.body.contains(hidden), "{path}{query}");
        }
    }
    let page = ingrid.get(&log("&from=2027-01-17&to=")).await;
    page.is(200).says("Nothing fits this filter.");
}

#[apply(on_sqlite!)]
async fn the_last_seven_days_are_asked_for_by_a_button(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    app.forward_hours(7 * 24);
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&log("&from=&to=")).await;
    page.says("kari@nordlys.example");
    assert!(page.body.contains("name=\"last\" value=\"7\""), "{}", page.body);
    let page = ingrid.get(&log("&from=x&to=2020-01-01&last=7")).await;
    assert!(!page.is(200).body.contains("kari@nordlys.example"));
    assert!(page.input("name=\"from\"").contains("value=\"2027-01-16\""));
    assert!(page.input("name=\"to\"").contains("value=\"2027-01-22\""));
    let csv = page.between("href=\"/accounts/100001/log.csv", "\"").replace("&amp;", "&");
    let file = ingrid.get(&format!("{BAKERY}/log.csv{csv}")).await;
    let name = file.is(200).headers["content-disposition"].to_str().unwrap();
    assert_eq!(name, "attachment; filename=\"activity-100001-2027-01-16-2027-01-22.csv\"");
    let name = ingrid.get(&format!("{BAKERY}/log.csv?to=2027-01-20")).await;
    let name = name.headers["content-disposition"].to_str().unwrap().to_owned();
    assert_eq!(name, "attachment; filename=\"activity-100001-2027-01-20.csv\"");
}

#[apply(on_sqlite!)]
async fn what_is_no_day_is_said_at_its_field(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let long = format!("&from={}&to=", "9".repeat(5_000));
    for (days, words, field, kept) in [
        ("&from=yesterday&to=", "Enter a day such as", "from", "yesterday"),
        ("&from=&to=2027-02-30", "Enter a day such as", "to", "2027-02-30"),
        ("&from=&to=9999-12-31", "Enter a day such as", "to", "9999-12-31"),
        ("&from=%22%3E%3Cb%3E&to=", "Enter a day such as", "from", "&gt;&lt;b"),
        (
            "&from=2027-01-15&to=2027-01-14",
            "Choose a day that isn't before the first one",
            "to",
            "2027-01-14",
        ),
        (&long, "Enter a day such as", "from", "999"),
    ] {
        for path in ["log", "log.csv"] {
            let page = ingrid.get(&format!("{BAKERY}/{path}?person=&kind={days}")).await;
            page.is(422).says(words);
            let input = page.body.split(&format!("<input id=\"{field}\"")).nth(1).unwrap();
            let input = input.split("aria-invalid").next().unwrap();
            assert!(input.replace('<', "&lt;").replace('>', "&gt;").contains(kept), "{input}");
            assert!(!page.body.contains("<b>"), "{days}");
        }
    }
    app.as_person(BJORN).await.get(&log("&from=x&to=")).await.is(403);
}

#[apply(on_sqlite!)]
async fn their_activity_is_linked_for_who_may_see_the_log(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&format!("{BAKERY}/users/{}", app.id_of(MEI).await)).await;
    page.is(200).says("Their activity");
    let link = page.between("href=\"/accounts/100001/log?", "\"");
    let page = ingrid.get(&format!("{BAKERY}/log?{link}")).await;
    page.is(200).says("Mei Tanaka");
    assert!(page.input("name=\"person\"").contains("value=\"Mei Tanaka\""));
    assert!(!page.words().contains("Bjørn Lie"), "{}", page.words());

    let whole = model::Terms::whole([model::Permission::AccountUsers].into_iter().collect());
    app.hold(MEI, [whole]).await;
    let mut mei = app.as_person(MEI).await;
    let page = mei.get(&format!("{BAKERY}/users/{}", app.id_of(BJORN).await)).await;
    page.is(200);
    assert!(!page.words().contains("Their activity"), "{}", page.words());
}

#[apply(on_sqlite!)]
async fn an_invitation_works_until_the_end_of_its_last_day(db: TestDatabase) {
    let app = TestApp::with(db, &[("TIME_ZONE", "Europe/Oslo")]).await;
    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let words = "works until Friday, 22 January";
    app.browser().get(&link).await.is(200).says(words);
    let users = ingrid.get(&format!("{BAKERY}/users")).await;
    assert!(users.row_of("kari@").contains(words), "{}", users.words());
    let mails = app.latchkey.store.kept_mails(200).await.unwrap();
    let mail = mails.iter().find(|mail| mail.to.as_str() == "kari@nordlys.example").unwrap();
    let mail = ingrid.get(&format!("/demo/mailbox/{}", mail.id)).await;
    mail.says("The invitation works until Friday, 22 January.");
    // It is 9 there: 15 hours are left on the last day.
    app.forward_seconds((7 * 24 + 15) * 3_600 - 1);
    app.browser().get(&link).await.is(200).says(words);
    app.forward_seconds(1);
    app.browser().get(&link).await.is(410).says("This invitation has expired");
}

#[apply(on_sqlite!)]
async fn mails_tell_times_as_their_recipient_chose(db: TestDatabase) {
    let app = TestApp::with(db, &[("TIME_ZONE", "Europe/Oslo")]).await;
    let mut ingrid = app.as_person(INGRID).await;
    let reset = [("email", INGRID.email)];
    for (zone, time) in [("", "at 09:30 UTC+1"), ("Asia/Kathmandu", "at 14:15 UTC+5:45")] {
        choose(&mut ingrid, zone).await.is(303);
        app.browser().post("/forgot-password", "security/request-reset", &reset).await.is(303);
        let link = app.reset_link(INGRID.email).await;
        let mails = app.latchkey.store.kept_mails(200).await.unwrap();
        let mail = mails.iter().find(|mail| mail.to.as_str() == INGRID.email).unwrap();
        let mail = ingrid.get(&format!("/demo/mailbox/{}", mail.id)).await;
        mail.says(&link);
        mail.says(time);
    }
}
