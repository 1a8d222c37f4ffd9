//! Answering an invitation.

mod api;
pub(crate) mod decline;
pub(crate) mod join;
pub(crate) mod report;
