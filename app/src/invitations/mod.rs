//! Answering an invitation.

pub(crate) mod api;
pub(crate) mod decline;
pub(crate) mod join;
pub(crate) mod report;
