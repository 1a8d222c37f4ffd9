//! The browsers that somebody is signed in with.

use axum::body::Body;
use axum::http::{Request, header};
use domain::demo::{BJORN, INGRID};
use test_database::on_both;

use crate::story::{BAKERY, TestApp};

on_both! {
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
}
