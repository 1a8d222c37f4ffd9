//! The door for the provider's own systems: HTTP and JSON around what `domain` does. A token stands for
//! whoever comes; there are no cookies here and no pages, and so nothing that guards browsers.

mod accounts;
mod activity;
mod document;
mod domains;
mod entry;
pub mod export;
mod fields;
pub mod import;
mod invitations;
mod invoices;
mod members;
mod page;
mod problem;
mod services;
mod support_requests;
mod things;
mod webhooks;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};
use domain::Latchkey;
use domain::door::{DoorAccount, DoorDomain, DoorInvoice, DoorService, DoorSupportRequest};

use crate::entry::Door;
pub use crate::entry::RequestId;
use crate::problem::Kind;
use crate::things::Resource;

/// Where the door stands.
pub const PATH: &str = "/api/v1";

/// Everything that is answered at the door, to be nested below [`PATH`].
pub fn router(latchkey: Latchkey) -> Router {
    let door = Door::new(latchkey);
    let inside = Router::new()
        .merge(kept::<DoorAccount>())
        .merge(deletable::<DoorService>())
        .merge(deletable::<DoorDomain>())
        .merge(kept::<DoorInvoice>())
        .merge(kept::<DoorSupportRequest>())
        .route("/support-requests/{ref}/messages", get(support_requests::messages))
        .route(
            "/support-requests/{ref}/messages/{message}",
            get(support_requests::message).put(support_requests::say),
        )
        .route("/accounts/{ref}/activity", get(activity::list))
        .route("/accounts/{ref}/members", get(members::list))
        .route(
            "/accounts/{ref}/members/{member}",
            get(members::one).put(members::put).patch(members::patch).delete(members::delete),
        )
        .route("/accounts/{ref}/invitations", get(invitations::list))
        .route(
            "/accounts/{ref}/invitations/{invitation}",
            get(invitations::one).delete(invitations::cancel),
        )
        .route("/webhooks", get(webhooks::list).post(webhooks::add))
        .route(
            "/webhooks/{ref}",
            get(webhooks::one).put(webhooks::put).patch(webhooks::patch).delete(webhooks::remove),
        )
        .route("/webhooks/{ref}/rotate", post(webhooks::rotate))
        .fallback(async || Kind::NotFound)
        .method_not_allowed_fallback(async || Kind::Method)
        // How large a body may be is looked at as it comes in.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(door.clone(), entry::enter))
        .with_state(door);
    // What it says of itself is for everybody: nothing of it is anybody's.
    Router::new()
        .route("/openapi.json", get(document::json))
        .route("/docs", get(document::docs))
        .route("/docs.css", get(document::style))
        .method_not_allowed_fallback(async || Kind::Method)
        .fallback_service(inside)
        .layer(from_fn(entry::speak))
}

/// What there is for a kind of thing that stays once it is there.
fn kept<R: Resource>() -> Router<Door> {
    let path = R::PATH;
    Router::new()
        .route(&format!("/{path}"), get(things::list::<R>))
        .route(
            &format!("/{path}/{{ref}}"),
            get(things::one::<R>).put(things::put::<R>).patch(things::patch::<R>),
        )
        .route(&format!("/{path}:batch"), post(things::batch::<R>))
}

/// The same for one that can be deleted.
fn deletable<R: Resource>() -> Router<Door> {
    let path = format!("/{}/{{ref}}", R::PATH);
    kept::<R>().route(&path, delete(things::delete::<R>))
}
