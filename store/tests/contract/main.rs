//! What the store promises, each promise kept on SQLite and on Postgres.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on fails, and says where"
)]

mod access_requests;
mod accounts;
mod activity;
mod answers;
mod areas;
mod chain;
mod clocks;
mod copies;
mod database;
mod decisions;
mod digests;
mod door;
mod emails;
mod eyes;
mod factors;
mod faults;
mod feedback;
mod grants;
mod guesses;
mod identities;
mod invitations;
mod leaving;
mod limits;
mod members_by_provider;
mod memberships;
mod outbox;
mod owner_changes;
mod owners_by_provider;
mod passkeys;
mod pauses;
mod policies;
mod reaching;
mod reports;
mod resets;
mod sessions;
mod single_sign_on;
mod starts;
mod story;
mod successors;
mod tokens;
mod users;
mod webhooks;
