//! User management: the users of an account, what each may do, and inviting new ones.

pub(crate) mod api;
pub(crate) mod bounds;
pub(crate) mod cancel;
pub(crate) mod extra;
pub(crate) mod giving;
pub(crate) mod grants;
pub(crate) mod invite;
pub(crate) mod list;
pub(crate) mod manage;
pub(crate) mod permission_groups;
pub(crate) mod remove;
pub(crate) mod requests;
pub(crate) mod starts;
