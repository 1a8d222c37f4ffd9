//! The browsers that somebody is signed in with.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, header};
use domain::demo::{BJORN, INGRID, PASSWORD};
use maxminddb_writer::Database;
use maxminddb_writer::metadata::IpVersion;
use maxminddb_writer::paths::IpAddrWithMask;
use test_database::{TestDatabase, apply};

use crate::story::{BAKERY, TestApp};

type Names = BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>;

/// A record as GeoIP files have it: city and country with their names by language.
fn record(
    parts: &[(&'static str, &[(&'static str, &'static str)])],
) -> BTreeMap<&'static str, Names> {
    let names = |names: &[(&'static str, &'static str)]| {
        Names::from([("names", names.iter().copied().collect())])
    };
    parts.iter().map(|(part, of)| (*part, names(of))).collect()
}

/// A GeoIP file that knows three networks. The folder goes with what is answered.
fn geoip_file() -> (tempfile::TempDir, String) {
    let mut database = Database::default();
    database.metadata.ip_version = IpVersion::V6;
    database.metadata.binary_format_major_version = 2;
    database.metadata.database_type = "Test-City".to_owned();
    database.metadata.description.insert("en".to_owned(), "Test".to_owned());
    let munich = [("en", "Munich"), ("de", "München")];
    let germany = [("en", "Germany"), ("de", "Deutschland")];
    let places = [
        ("::203.0.113.0/120", record(&[("city", &munich), ("country", &germany)])),
        ("2001:db8:1::/48", record(&[("country", &[("en", "Norway")])])),
        ("::10.0.0.0/104", record(&[("country", &[("en", "Nowhere")])])),
    ];
    for (network, place) in places {
        let place = database.insert_value(place).unwrap();
        database.insert_node(network.parse::<IpAddrWithMask>().unwrap(), place);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("places.mmdb");
    database.write_to(std::fs::File::create(&file).unwrap()).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (folder, file)
}

#[apply(on_sqlite!)]
async fn a_lost_device_is_signed_out_from_another(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut lost = app.as_person(BJORN).await;
    let mut bjorn = app.as_person(BJORN).await;
    let page = bjorn.get("/security").await;
    page.is(200).says("Signed-in devices");
    page.says("This device");
    let device = page.between("name=\"device\" value=\"", "\"");
    let mut ingrid = app.as_person(INGRID).await;
    let end = [("device", device.as_str())];
    ingrid.post("/security", "security/end-device", &end).await.is(404);
    lost.get(BAKERY).await.is(200);
    bjorn.submit("/security", "security/end-device", &end).await.says("Signed out on that device");
    lost.get(BAKERY).await.is(302);
    bjorn.get(BAKERY).await.is(200);
    bjorn.post("/security", "security/end-device", &end).await.is(404);
}

#[apply(on_sqlite!)]
async fn everywhere_else_is_signed_out_at_once(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut one, mut two) = (app.as_person(BJORN).await, app.as_person(BJORN).await);
    let mut bjorn = app.as_person(BJORN).await;
    let page = bjorn.submit("/security", "security/end-other-devices", &[]).await;
    page.says("Signed out everywhere else");
    one.get(BAKERY).await.is(302);
    two.get(BAKERY).await.is(302);
    bjorn.get(BAKERY).await.is(200);
}

#[apply(on_sqlite!)]
async fn the_operator_signs_somebody_or_everybody_out(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let (mut one, mut two) = (app.as_person(BJORN).await, app.as_person(BJORN).await);
    let mut ingrid = app.as_person(INGRID).await;
    let address = |text: &str| model::EmailAddress::parse(text).unwrap();
    let sign_out =
        async |email: &str| domain::sessions::sign_out_for(&app.latchkey, &address(email)).await;
    let nobody = sign_out("nobody@nordlys.example").await;
    assert_eq!(nobody, Err(model::Failure::NotFound));
    assert_eq!(sign_out(BJORN.email).await, Ok(2));
    one.get(BAKERY).await.is(302);
    two.get(BAKERY).await.is(302);
    ingrid.get(BAKERY).await.is(200);
    assert_eq!(domain::sessions::sign_everybody_out(&app.latchkey).await, Ok(1));
    ingrid.get(BAKERY).await.is(302);
    app.as_person(BJORN).await.get(BAKERY).await.is(200);
}

#[apply(on_sqlite!)]
async fn a_new_browser_is_told_by_mail_and_a_known_one_is_not(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let news = async || {
        let mails = app.mails_to(BJORN.email).await;
        mails.iter().filter(|kind| **kind == "new_device").count()
    };
    assert_eq!(news().await, 0, "the first");
    bjorn.sign_in(BJORN.email, domain::demo::PASSWORD).await.is(303);
    assert_eq!(news().await, 0, "the same again");
    app.as_person(BJORN).await;
    assert_eq!(news().await, 1, "another");
}

#[apply(on_sqlite!)]
async fn a_browser_is_called_by_its_name(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let mut request = crate::story::post(
        "/sign-in",
        format!("form=sign-in&email={}&password={}", BJORN.email, "correct+horse+battery"),
    );
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
    request.headers_mut().insert(header::USER_AGENT, firefox.parse().unwrap());
    bjorn.send(request).await.is(303);
    let request = Request::get("/security").header(header::ACCEPT, "text/html");
    bjorn.send(request.body(Body::empty()).unwrap()).await.is(200).says("Firefox on Linux");
}

#[apply(on_sqlite!)]
async fn the_place_of_an_address_is_told_if_the_provider_has_a_file(db: TestDatabase) {
    let (_folder, file) = geoip_file();
    let app = TestApp::with(db, &[("GEOIP_FILE", &file)]).await;
    let cases = [
        ("203.0.113.7", "203.0.113.7 (Munich, Germany)"),
        ("[2001:db8:1::7]", "2001:db8:1::7 (Norway)"),
        ("198.51.100.7", "198.51.100.7 "),
        ("10.0.0.7", "10.0.0.7 "),
    ];
    for (address, shown) in cases {
        let mut bjorn = app.browser_at(address);
        bjorn.sign_in(BJORN.email, PASSWORD).await.is(303);
        let page = bjorn.get("/security").await;
        page.is(200).says(shown);
        assert!(!page.words().contains("Nowhere") && !page.words().contains("198.51.100.7 ("));
    }
    let mut german = app.browser_at("203.0.113.7");
    let request = crate::story::post(
        "/sign-in",
        format!("form=sign-in&email={}&password={}", INGRID.email, "correct+horse+battery"),
    );
    german.send(request).await.is(303);
    let request = Request::get("/security").header(header::ACCEPT_LANGUAGE, "de");
    let page = german.send(request.body(Body::empty()).unwrap()).await;
    page.is(200).says("203.0.113.7 (München, Deutschland)");

    app.keep_all_mail().await;
    let mails = app.latchkey.store.kept_mails(200).await.unwrap();
    let news = mails.iter().filter(|kept| kept.mail.kind().id() == "new_device");
    let config = server::config::Config::parse(
        std::path::Path::new("none"),
        "",
        [("LATCHKEY_GEOIP_FILE".to_owned(), file)],
    );
    let site = config.unwrap().site();
    let german = model::Language::parse("de");
    let texts: Vec<_> = news
        .map(|kept| {
            let told = app::mails::Told::at(kept.queued_at);
            app::mails::write(&kept.mail, german.as_ref(), told, &site).text
        })
        .collect();
    assert!(!texts.is_empty());
    assert!(texts.iter().any(|text| text.contains("2001:db8:1::7 (Norway)")), "{texts:?}");
    assert!(texts.iter().all(|text| !text.contains("10.0.0.7 (")));
}

#[apply(on_sqlite!)]
async fn addresses_are_shown_alone_without_such_a_file(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut bjorn = app.as_person(BJORN).await;
    let page = bjorn.get("/security").await;
    page.says("192.0.2.1");
    assert!(!page.words().contains("192.0.2.1 ("));
}
