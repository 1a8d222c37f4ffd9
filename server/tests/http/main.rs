//! The real router, asked as a browser without script would: every behaviour of forms and pages that
//! others rely on. What two requests at once could break, and what programs are answered, is told on
//! both databases.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a test that can't go on says where"
)]

/// Makes one test for each kind of database, with the demo in it, out of a function.
macro_rules! on_both {
    ($($test:tt)*) => { test_database::on_both! { of crate::story::demo; $($test)* } };
}

/// Makes one test on SQLite, with the demo in it: what pages say there they say on Postgres, too, as the
/// store's contract promises the same of both.
macro_rules! on_sqlite {
    ($($test:tt)*) => { test_database::on_sqlite! { of crate::story::demo; $($test)* } };
}

mod access_requests;
mod account;
mod authenticator;
mod bad_input;
mod clocks;
mod confirm;
mod connections;
mod contact;
mod decisions;
mod demo;
mod devices;
mod digests;
mod door;
mod door_members;
mod door_people;
mod door_webhooks;
mod emails;
mod extras;
mod eyes;
mod factors;
mod faults;
mod frame;
mod giving;
mod grants;
mod headers;
mod help;
mod identities;
mod identity_provider;
mod invitations;
mod languages;
mod leaving;
mod links;
mod log;
mod look;
mod mails;
mod markup;
mod matrix;
mod name_server;
mod owners;
mod owners_by_provider;
mod passkeys;
mod passwords;
mod pauses;
mod policies;
mod presets;
mod races;
mod reaching;
mod receiver;
mod reset;
mod sign_in;
mod single_sign_on;
mod story;
mod successors;
mod tables;
mod tabs;
mod times;
mod timing;
mod tokens;
mod users;
mod webhooks;
