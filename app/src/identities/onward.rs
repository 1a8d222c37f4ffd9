//! The page on the way to an identity provider. It leads on by itself; a form can't, because the
//! Content Security Policy lets none be sent on to another site (CSP Level 3 section 6.4.2).

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::identities::api;
use crate::identities::{StepView, step};
use crate::loading::{Loading, narrow};

/// `/sign-in/onward`
pub(crate) struct OnwardPage(Loading<StepView>);

#[lazy_route]
impl LazyRoute for OnwardPage {
    fn data() -> Self {
        Self(load!(_asked => api::OnwardPage {}))
    }

    fn view(this: Self) -> AnyView {
        narrow(this.0, |view, frame| step(view, frame, None, String::new(), ""))
    }
}
