//! The provider's own colours and mark.

use axum::body::Body;
use axum::http::{Request, header};
use test_database::{TestDatabase, apply};

use crate::story::TestApp;

#[apply(on_sqlite!)]
async fn the_providers_accent_and_mark_are_on_every_page(db: TestDatabase) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mark.svg");
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M0 0h9v9z\"/></svg>";
    std::fs::write(&file, svg).unwrap();
    let settings = [("ACCENT_LIGHT", "#005EA5"), ("MARK_FILE", file.to_str().unwrap())];
    let app = TestApp::with(db, &settings).await;
    let mut browser = app.browser();
    let page = browser.get("/sign-in").await;
    assert!(page.body.contains("<link rel=\"stylesheet\" href=\"/provider.css\""), "{}", page.body);
    assert!(page.body.contains("src=\"/provider-mark\""));
    let policy = page.headers["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("style-src 'self'") && policy.contains("img-src 'self'"));

    let css = browser.get("/provider.css").await;
    css.is(200);
    assert!(css.body.contains("light) { :root { --accent: #005ea5; } }"), "{}", css.body);
    assert!(!css.body.contains("dark"), "dark pages keep their accent");
    let mark = browser.get("/provider-mark").await;
    assert_eq!(mark.is(200).body, svg);
    for (file, kind) in [(&css, "text/css; charset=utf-8"), (&mark, "image/svg+xml")] {
        assert_eq!(file.headers["content-type"], kind);
        assert_eq!(file.headers["cache-control"], "public, max-age=3600");
        assert_eq!(file.headers["x-content-type-options"], "nosniff");
        let policy = file.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"));
    }
    let known = Request::get("/provider-mark").header(header::IF_NONE_MATCH, &mark.headers["etag"]);
    browser.send(known.body(Body::empty()).unwrap()).await.is(304);

    app.browser()
        .post(
            "/forgot-password",
            "security/request-reset",
            &[("email", domain::demo::INGRID.email)],
        )
        .await
        .is(303);
    app.keep_all_mail().await;
    let mails = app.latchkey.store.kept_mails(1).await.unwrap();
    let path = format!("/demo/mailbox/{}/html", mails[0].id);
    let mail = browser.get(&path).await;
    assert!(mail.body.contains("background:#005ea5") && !mail.body.contains("#007277"));
}

/// The two values of a colour in `style/tokens.css`, on light and on dark pages, as mails write colours: in
/// sRGB (CSS Color 4, sections 9.3 and 10.9).
fn token(name: &str) -> [String; 2] {
    let tokens = include_str!("../../../style/tokens.css");
    let value = tokens.split(&format!("{name}: light-dark(")).nth(1).unwrap();
    let mut colours = value.split("oklch(").skip(1).map(|colour| {
        let numbers = colour.split(')').next().unwrap().split(' ');
        let [lightness, chroma, hue] =
            numbers.map(|number| number.parse().unwrap()).collect::<Vec<f64>>()[..]
        else {
            panic!("{colour} isn't three numbers");
        };
        let (a, b) = (chroma * hue.to_radians().cos(), chroma * hue.to_radians().sin());
        let long = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
        let middle = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
        let short = (lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
        let linear = [
            4.076_741_662_1 * long - 3.307_711_591_3 * middle + 0.230_969_929_2 * short,
            -1.268_438_004_6 * long + 2.609_757_401_1 * middle - 0.341_319_396_5 * short,
            -0.004_196_086_3 * long - 0.703_418_614_7 * middle + 1.707_614_701 * short,
        ];
        let part = |linear: f64| {
            let part = if linear <= 0.003_130_8 {
                12.92 * linear
            } else {
                1.055 * linear.powf(1.0 / 2.4) - 0.055
            };
            format!("{:02x}", (part.clamp(0.0, 1.0) * 255.0).round() as u8)
        };
        format!("#{}", linear.map(part).concat())
    });
    [colours.next().unwrap(), colours.next().unwrap()]
}

#[apply(on_sqlite!)]
async fn mails_have_the_accent_of_the_pages(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let fields = [("email", domain::demo::INGRID.email)];
    app.browser().post("/forgot-password", "security/request-reset", &fields).await.is(303);
    app.keep_all_mail().await;
    let mails = app.latchkey.store.kept_mails(1).await.unwrap();
    let mail = app.browser().get(&format!("/demo/mailbox/{}/html", mails[0].id)).await;
    let [light, dark] = token("--accent");
    assert!(mail.body.contains(&format!("background:{light};")), "{light}: {}", mail.body);
    assert!(mail.body.contains(&format!("color:{light};")), "{light}: {}", mail.body);
    let on_dark = format!(".link {{ color: {dark} !important; }}");
    assert!(mail.body.contains(&on_dark), "{dark}: {}", mail.body);
}

#[apply(on_sqlite!)]
async fn without_them_pages_have_the_products_own(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut browser = app.browser();
    let page = browser.get("/sign-in").await;
    assert!(!page.body.contains("/provider.css") && !page.body.contains("/provider-mark"));
    browser.get("/provider.css").await.is(404);
    browser.get("/provider-mark").await.is(404);
}
