//! Accounts: choosing one, its overview, its details, leaving it.

pub(crate) mod api;
pub(crate) mod details;
pub(crate) mod leave;
pub(crate) mod list;
pub(crate) mod overview;
