//! The binary's parts: configuration, router, workers, command line. No product rules.

pub mod accept;
pub mod assets;
pub mod clock;
pub mod commands;
pub mod config;
mod decisions;
pub mod digests;
pub mod export;
pub mod forms;
mod guarded_http;
mod id_tokens;
pub mod identity_providers;
pub mod log_key;
pub mod look;
pub mod mail_server;
pub mod mailer;
pub mod open_files;
pub mod own_data;
pub mod records;
mod replies;
pub mod router;
mod shape;
pub mod spool;
pub mod webhooks;
