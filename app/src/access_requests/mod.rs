//! Asking for what one lacks, and what becomes of that.

pub(crate) mod api;
pub(crate) mod ask;
pub(crate) mod decline;
pub(crate) mod lacks;
