//! A dozen small components over native HTML.

pub(crate) mod avatar;
pub(crate) mod copy;
#[cfg(feature = "ssr")]
pub(crate) mod factor;
pub(crate) mod failed;
pub(crate) mod field;
pub(crate) mod form;
pub(crate) mod frame;
pub(crate) mod go;
pub(crate) mod icon;
pub(crate) mod link_button;
pub(crate) mod notice;
pub(crate) mod page_head;
pub(crate) mod pages;
pub(crate) mod refused;
pub(crate) mod state;
pub(crate) mod still;
pub(crate) mod table;
