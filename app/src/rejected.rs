//! Forms that came back to their sender: refused, waiting for a proof of who sends them, or made for
//! somebody else.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::problem::Told;
#[cfg(feature = "ssr")]
use {
    crate::endpoint::Endpoint,
    crate::ui::form::BEFORE,
    model::{Conflict, Failure},
};

/// A form that the server refused and sends back with what was typed. Provided to the page that
/// is rendered in answer to a post; a part of the page that one goes back to from a look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The form's server function.
    pub form: String,
    /// What was typed, by field name. Passwords are left out.
    pub values: Vec<(String, String)>,
    /// Why it was refused.
    pub told: Told,
}

#[cfg(feature = "ssr")]
impl Rejected {
    /// A form that comes back to somebody who only looked what it would give, with what they typed.
    pub(crate) fn kept(form: Endpoint, typed: &str) -> Option<Self> {
        let (form, values) = (form.name().to_owned(), serde_json::from_str(typed).ok()?);
        Some(Self { form, values, told: Told(Vec::new()) })
    }

    /// The same, which says so if what it was made of was changed meanwhile: then what was typed gives
    /// way to how it stands now.
    pub(crate) fn made_of(mut self, now: &str) -> Self {
        if self.values.iter().any(|(name, was)| name == BEFORE && was != now) {
            let failure = Failure::Conflict(Conflict::ChangedMeanwhile);
            self.told = Told(vec![("main".to_owned(), crate::words::failure(&failure))]);
        }
        self
    }
}

/// A form whose sender has to prove first who they are. Provided to the page that asks for that,
/// which sends the form on.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirming {
    /// The path that the form was posted to.
    pub action: String,
    /// The form's server function.
    pub form: String,
    /// What was typed, by field name.
    pub values: Vec<(String, String)>,
    /// What it takes as a proof.
    pub takes: ProofTaken,
    /// Whether the sender has a passkey to prove it with.
    pub passkey: bool,
}

/// A form that was made for somebody else than who is signed in now. Provided to the page that
/// says so in its place.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfAnother {
    /// For whom it was made, in words.
    pub whose: String,
    /// The path that it was posted to.
    pub action: String,
    /// What was typed, by field name. Passwords are left out.
    pub values: Vec<(String, String)>,
}

/// What proves who the sender of a form is.
#[cfg(feature = "ssr")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofTaken {
    /// Their password, or a passkey in its place.
    Password,
    /// A second factor.
    Factor {
        /// Whether an authenticator app gives codes; else there are only recovery codes.
        app: bool,
    },
}

/// Whether a form took back what was refused; if its form isn't on the page any more, the page
/// says on top what is wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken(std::sync::Arc<std::sync::atomic::AtomicBool>);

impl Taken {
    /// A form took it.
    pub(crate) fn take(&self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    fn is_taken(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// What is wrong with a form that isn't on the page any more.
pub(crate) fn untaken() -> Option<Told> {
    let rejected = use_context::<Rejected>()?;
    (!use_context::<Taken>()?.is_taken()).then_some(rejected.told)
}
