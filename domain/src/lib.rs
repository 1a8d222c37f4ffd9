//! What the product does. A function checks the actor, applies the rules, calls the store, and
//! leaves mail in the outbox. No HTTP and no HTML; clock and randomness are handed in.

mod blocklist;
mod challenges;
mod codes;
mod latchkey;
mod token;

pub mod access_requests;
pub mod accounts;
pub mod activity;
pub mod answers;
pub mod areas;
pub mod chain;
pub mod decisions;
pub mod demo;
pub mod digests;
pub mod door;
pub mod emails;
pub mod ends;
pub mod extras;
pub mod eyes;
pub mod factors;
pub mod feedback;
pub mod giving;
pub mod guesses;
pub mod identities;
pub mod identity_providers;
pub mod invitations;
pub mod leaving;
pub mod links;
pub mod listing;
pub mod mails;
pub mod members_by_provider;
pub mod network;
pub mod operator_commands;
pub mod own_data;
pub mod owner_changes;
pub mod owners_by_provider;
pub mod passkeys;
pub mod passwords;
pub mod policies;
pub mod reaching;
pub mod reports;
pub mod second_step;
pub mod sessions;
pub mod single_sign_on;
pub mod starts;
pub mod successors;
pub mod tokens;
pub mod user_records;
pub mod users;
pub mod viewer;
pub mod webhooks;
pub mod zones;

pub use latchkey::{Client, Clock, Latchkey, Random, Settings};
pub use token::Token;
