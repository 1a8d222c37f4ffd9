//! How people reach the provider, and its own pages: at the foot of every page and mail, and where a text
//! says to ask.

use leptos::prelude::*;

use crate::request;
use crate::site::Site;

/// Where people ask the provider, in a sentence; none if it says nowhere.
pub(crate) fn sentence(site: &Site) -> Option<String> {
    let email = site.support_email.as_ref().map(ToString::to_string);
    match (email, site.support_url.clone()) {
        (Some(email), Some(url)) => Some(words!(contact.either, email = email, url = url)),
        (Some(email), None) => Some(words!(contact.by_email, email = email)),
        (None, Some(url)) => Some(words!(contact.at, url = url)),
        (None, None) => None,
    }
}

/// The sentence with where it says to ask behind it.
pub(crate) fn ask(sentence: String) -> String {
    match self::sentence(&request::site()) {
        Some(contact) => format!("{sentence} {contact}"),
        None => sentence,
    }
}

/// The ways to ask the provider, as links; nothing if it says none.
pub(crate) fn ways() -> Vec<AnyView> {
    let site = request::site();
    let email = site.support_email.as_ref().map(|email| {
        let email = email.to_string();
        let href = format!("mailto:{email}");
        view! { <a href=href rel="external" translate="no">{email}</a> }.into_any()
    });
    let page = site
        .support_url
        .clone()
        .map(|href| view! { <a href=href rel="external">{words!(contact.page)}</a> }.into_any());
    email.into_iter().chain(page).collect()
}

/// The foot of every page. It stands beside the page's element, where the browser's half never looks.
pub(crate) fn foot() -> Option<AnyView> {
    let mut ways = ways().into_iter();
    let first =
        ways.next().map(|way| view! { <li>{words!(contact.questions)} " " {way}</li> }.into_any());
    let links = request::site().links.clone().into_iter().map(|link| {
        view! { <li><a href=link.href rel="external" dir="auto">{link.words}</a></li> }.into_any()
    });
    let ways = ways.map(|way| view! { <li>{way}</li> }.into_any());
    let lines: Vec<_> = first.into_iter().chain(ways).chain(links).collect();
    (!lines.is_empty())
        .then(|| view! { <footer class="site-footer"><ul>{lines}</ul></footer> }.into_any())
}
