//! The page that asks whether an identity shall open the reader's login.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::address::LINK;
use crate::endpoint::endpoint;
use crate::identities::api;
use crate::identities::{StepView, step};
use crate::loading::{Loading, narrow};

/// `/sign-in/link`
pub(crate) struct LinkPage(Loading<StepView>);

#[lazy_route]
impl LazyRoute for LinkPage {
    fn data() -> Self {
        Self(load!(_asked => api::LinkPage {}))
    }

    fn view(this: Self) -> AnyView {
        narrow(this.0, |view, frame| {
            step(
                view,
                frame,
                Some(endpoint::<api::LinkIdentity>()),
                LINK.to_owned(),
                "button-primary",
            )
        })
    }
}
