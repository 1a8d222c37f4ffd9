//! Who may take an account over if none of its owners can be reached: naming them, and asking for it.

pub(crate) mod api;
pub(crate) mod name;
pub(crate) mod take_over;
