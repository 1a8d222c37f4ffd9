//! Pages, components and server functions.
//!
//! A page comes whole from the server, works as plain HTML, and gets better when the WASM arrives.
//! Words live in `locales`, rules in `model` and `domain`; neither is here.

#![recursion_limit = "512"]
#![allow(unreachable_pub, reason = "the component macro makes the props of every component public")]

#[macro_use]
mod words;
#[macro_use]
mod loading;
mod address;
#[cfg(feature = "ssr")]
mod assets;
#[cfg(feature = "ssr")]
mod browsers;
#[cfg(feature = "ssr")]
mod contact;
#[cfg(feature = "ssr")]
mod cookies;
mod endpoint;
mod eyes;
#[cfg(feature = "ssr")]
mod formats;
#[cfg(feature = "ssr")]
pub mod forms;
mod frame;
#[cfg(feature = "ssr")]
pub mod headers;
mod languages;
mod lazy_page;
mod made_for;
mod notice;
mod page;
#[cfg(feature = "ssr")]
pub mod places;
mod problem;
mod rejected;
mod routes;
#[cfg(feature = "ssr")]
mod shell;
mod sign_out;
#[cfg(feature = "ssr")]
mod site;
mod title;
mod typed;
mod ui;
mod when;
mod wire;

mod access_requests;
mod account;
mod activity;
mod billing;
mod domains;
mod help;
mod owners;
mod policies;
mod reaching;
mod services;
mod single_sign_on;
mod successors;
mod support;
mod users;

// Pages that need no script: the browser's half knows nothing of them.
#[cfg(feature = "ssr")]
mod identities;
#[cfg(feature = "ssr")]
mod invitations;
#[cfg(feature = "ssr")]
mod mailbox;
#[cfg(feature = "ssr")]
mod profile;
#[cfg(feature = "ssr")]
mod security;
#[cfg(feature = "ssr")]
mod sign_in;

#[cfg(feature = "ssr")]
pub mod mails;
#[cfg(feature = "ssr")]
pub mod operator_words;
#[cfg(feature = "ssr")]
pub mod request;

#[cfg(feature = "ssr")]
pub use address::{
    BUILT, CALLBACK, CALLBACK_OF_ACCOUNT, FILES, OWN_DATA, PROVIDER_MARK, PROVIDER_STYLE, SIGN_OUT,
    is_same_for_all, logged, same_site,
};
#[cfg(feature = "ssr")]
pub use assets::Assets;
#[cfg(feature = "ssr")]
pub use languages::all as all_languages;
pub use languages::spoken;
pub use locales::Locale;
#[cfg(feature = "ssr")]
pub use made_for::server::{made_for_another, made_for_now};
pub use made_for::{MADE_FOR, MADE_FOR_HEADER};
pub use problem::{Problem, Told};
pub use rejected::Rejected;
#[cfg(feature = "ssr")]
pub use rejected::{Confirming, OfAnother, ProofTaken};
pub use routes::App;
#[cfg(feature = "hydrate")]
pub use routes::fetch_what_is_shown;
#[cfg(feature = "ssr")]
pub use routes::pages;
#[cfg(feature = "ssr")]
pub use shell::shell;
#[cfg(feature = "ssr")]
pub use sign_in::confirm::{GO_ON, TAKES_FACTOR};

/// The id of the element around the page: what the browser's half brings to life. What others add
/// to the document beside it is none of its business.
pub const PAGE: &str = "page";
