//! The document around every page: head, styles, and the scripts that bring the page to life.

use std::sync::{Arc, LazyLock};

use axum::http::{HeaderName, HeaderValue, header};
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos::tachys::html::InertElement;
use leptos_axum::ResponseOptions;
use leptos_i18n::Locale as _;
use leptos_meta::MetaTags;

use crate::address::{asks_for_passkeys, comes_to_life, path};
use crate::assets::Assets;
use crate::words::locale;
use crate::{App, PAGE};

/// The document.
pub fn shell(assets: Arc<Assets>) -> impl IntoView {
    let path = path();
    let nonce = use_nonce();
    let language = locale().as_str();
    let site = crate::request::site();
    let zone = format!("const zone={:?};{}", site.zone_cookie(), *ZONE);
    let lost = in_script(&serde_json::json!(words!(form.lost)));
    let script = format!(
        "import init,{{hydrate}} from {:?};const wasm={:?};const lost={lost};{zone}{}",
        assets.js, assets.wasm, *LIVING
    );
    // The page that asks who one is stands at another page's address, where the browser's half would
    // look for that one; so does the one that says whose form it was.
    let asks_first = use_context::<crate::rejected::Confirming>().is_some()
        || use_context::<crate::rejected::OfAnother>().is_some();
    let lives = comes_to_life(&path) && !asks_first;
    protect(language, nonce.as_deref().unwrap_or_default(), lives);
    let scripts = if lives {
        let besides = assets.besides(&path).iter().map(|file| {
            let is_script = file.ends_with(".js");
            view! {
                <link
                    rel=if is_script { "modulepreload" } else { "preload" }
                    href=file.clone()
                    r#as=(!is_script).then_some("fetch")
                    r#type=(!is_script).then_some("application/wasm")
                    crossorigin=(!is_script).then_some("anonymous")
                />
            }
        });
        let besides = besides.collect_view();
        view! {
            <link rel="modulepreload" href=assets.js.clone() />
            <link
                rel="preload"
                href=assets.wasm.clone()
                r#as="fetch"
                r#type="application/wasm"
                crossorigin="anonymous"
            />
            {besides}
            <script type="module" nonce=nonce.clone()>
                {script}
            </script>
        }
        .into_any()
    } else {
        view! {
            <link rel="prefetch" href=assets.js.clone() />
            <link
                rel="prefetch"
                href=assets.wasm.clone()
                r#as="fetch"
                crossorigin="anonymous"
            />
        }
        .into_any()
    };
    let passkeys = (asks_for_passkeys(&path) || asks_first).then(|| {
        view! { <script type="module" src="/passkeys.js" nonce=nonce.clone()></script> }
    });
    let accent = (site.accent_light.is_some() || site.accent_dark.is_some()).then(|| {
        view! { <link rel="stylesheet" href="/provider.css" /> }
    });
    let foot = crate::contact::foot();
    let dead = lives.then(dead_notice);
    let still = (!lives).then(|| still_script(nonce, &zone));
    view! {
        <!DOCTYPE html>
        <html
            lang=language
            data-provider=site.provider.clone()
            data-mark=site.mark.then_some("")
            data-made-for=crate::made_for::made_for()
        >
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="stylesheet" href=assets.css.clone() />
                {accent}
                {scripts}
                {passkeys}
                <MetaTags />
            </head>
            <body>
                {InertElement::new("<!--email_off-->")}
                <div id=PAGE data-shape="?"><App /></div>
                {foot}
                {InertElement::new("<!--/email_off-->")}
                {dead}
                {still}
            </body>
        </html>
    }
}

/// What looks after the browser's half, as it stands in the document.
static LIVING: LazyLock<String> = LazyLock::new(|| without_comments(include_str!("living.js")));

/// What pages need that don't come to life, as it stands in the document.
static STILL: LazyLock<String> = LazyLock::new(|| without_comments(include_str!("still.js")));

/// What says in which time zone the browser is.
static ZONE: LazyLock<String> = LazyLock::new(|| without_comments(include_str!("zone.js")));

fn without_comments(script: &str) -> String {
    let lines = script.lines().map(str::trim);
    let code = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// Words as they stand in a script, where nothing but this sign could end it.
fn in_script(words: &serde_json::Value) -> String {
    words.to_string().replace('<', "\\u003c")
}

/// On a page that doesn't come to life: says in which time zone the browser is, sends a form once, and
/// lets people see the password that they type (OWASP ASVS 5.0 V6.2.6). It stands in the document and not in a file beside `passkeys.js`, as
/// its words are in the reader's language, and as a form may be sent before a file has come: it would
/// be sent twice then.
fn still_script(nonce: Option<leptos::nonce::Nonce>, zone: &str) -> impl IntoView + use<> {
    let words = serde_json::json!([
        [words!(form.hide), words!(form.hide_password)],
        [words!(form.show), words!(form.show_password)],
    ]);
    let words = in_script(&words);
    let script = format!("{{{zone}const words={words};{}}}", *STILL);
    view! { <script nonce=nonce>{script}</script> }
}

/// What the reader is told when the page's WASM has died. It stands outside of what that knows.
fn dead_notice() -> impl IntoView {
    view! {
        <div class="notice notice-warning notice-dead" id="dead" role="alert" hidden>
            <p>{words!(failed.dead)}</p>
            <a class="button" href="" rel="external">{words!(failed.load_again)}</a>
        </div>
    }
}

/// The page's language, the Content Security Policy with its nonce, and no copy of it kept
/// anywhere: it shows what only its reader may see (OWASP ASVS 5.0 V3.4.3, V14.3.2). Nor should a
/// proxy change it (RFC 9111 section 5.2.2.6). Where nothing comes to life, no script runs but those
/// that were written into this very page.
fn protect(language: &'static str, nonce: &str, lives: bool) {
    let Some(response) = use_context::<ResponseOptions>() else { return };
    // Leptos makes elements of text, which trusted types forbid.
    let (alive, still) = if lives {
        (" 'self' 'wasm-unsafe-eval'", "")
    } else {
        ("", "; require-trusted-types-for 'script'; trusted-types 'none'")
    };
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'{alive}; \
         style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
         manifest-src 'self'; frame-src 'self'; object-src 'none'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'{still}"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(HeaderName::from_static("content-security-policy"), policy);
    }
    response.insert_header(header::CONTENT_LANGUAGE, HeaderValue::from_static(language));
    response
        .insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
}
