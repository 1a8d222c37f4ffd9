//! The page that asks whether an identity shall open the reader's login no more.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::address::{IDENTITY, address_of};
use crate::endpoint::endpoint;
use crate::identities::api;
use crate::identities::{StepView, step};
use crate::loading::{Loading, framed};
use crate::ui::frame::Here;

/// `/security/identities/{id}`
pub(crate) struct UnlinkPage(Loading<StepView>);

#[lazy_route]
impl LazyRoute for UnlinkPage {
    fn data() -> Self {
        Self(load!(asked => api::UnlinkPage { identity: asked.part("identity") }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let action = address_of(IDENTITY, &[&view.about]);
            step(view, frame, Some(endpoint::<api::Unlink>()), action, "button-danger")
        })
    }
}
