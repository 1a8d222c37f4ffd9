//! Owners: making somebody one, handing the account over, stepping down, and what waits meanwhile.

pub(crate) mod api;
pub(crate) mod change;
pub(crate) mod hand_over;
pub(crate) mod make;
pub(crate) mod step_down;
pub(crate) mod strip;
