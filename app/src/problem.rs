//! What a server function answers when it comes to nothing.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use model::{Failure, Field, FieldProblem};
use serde::{Deserialize, Serialize};
#[cfg(feature = "ssr")]
use {
    axum::http::{HeaderValue, StatusCode, header},
    leptos::prelude::use_context,
    leptos::server_fn::Bytes,
    leptos_axum::ResponseOptions,
    std::sync::Arc,
};

/// Why a server function came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// The server says why.
    Failure(Failure),
    /// The server couldn't be reached or understood.
    Unreachable,
}

/// What is wrong with a form, in words. The server finds them, so that the browser's half needs
/// none of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told(
    /// The id of what it is about (`main` for the form as a whole), and the words.
    pub(crate) Vec<(String, String)>,
);

/// What a problem is about when it is solved by proving who one is.
const CONFIRM: &str = "confirm";

/// A page that leads on from what is wrong with a form. The form knows its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// What somebody who is a user already may do; the form knows the list that they are in.
    Manage,
    /// The question whether somebody's access is to be removed.
    Remove,
}

impl Way {
    /// What stands in place of the id of what a problem is about: no field is called so. Behind it may
    /// stand whom it leads to.
    const fn id(self) -> &'static str {
        match self {
            Self::Manage => "way:manage",
            Self::Remove => "way:remove",
        }
    }

    /// Which way this is the id of, if it is one's, and whom it leads to.
    pub(crate) fn read(id: &str) -> Option<(Self, Option<&str>)> {
        let known = |way: Self| Some((way, id.strip_prefix(way.id())?));
        let (way, whom) = [Self::Manage, Self::Remove].into_iter().find_map(known)?;
        Some((way, whom.strip_prefix('/')))
    }
}

impl Told {
    /// Reads the server's answer, which is JSON.
    #[cfg(feature = "hydrate")]
    pub(crate) fn read(answer: &str) -> Option<Self> {
        use leptos::wasm_bindgen::JsCast as _;
        let pairs = js_sys::JSON::parse(answer).ok()?.dyn_into::<js_sys::Array>().ok()?;
        let pair = |pair: js_sys::Array| Some((pair.get(0).as_string()?, pair.get(1).as_string()?));
        pairs.iter().map(|found| pair(found.dyn_into().ok()?)).collect::<Option<_>>().map(Self)
    }

    /// The server couldn't be reached or understood.
    #[cfg(feature = "hydrate")]
    pub(crate) fn unreachable() -> Self {
        Self(vec![("main".to_owned(), words!(failure.unreachable))])
    }

    /// Whether the server asks who the sender is before it takes the form.
    #[cfg(feature = "hydrate")]
    pub(crate) fn asks_to_confirm(&self) -> bool {
        self.0.iter().any(|(target, _)| target == CONFIRM)
    }

    /// Puts it into words in this language, with where the provider of this site is asked.
    #[cfg(feature = "ssr")]
    #[must_use]
    pub fn new(problem: &Problem, locale: crate::Locale, site: &Arc<crate::site::Site>) -> Self {
        let say = || match problem {
            Problem::Failure(Failure::Invalid(errors)) => {
                let wrong = errors.0.iter().map(|error| (target(error.field), told(*error)));
                wrong.chain(errors.0.iter().filter_map(|error| way(*error))).collect()
            }
            Problem::Failure(
                failure @ (Failure::SignedOut | Failure::Unconfirmed | Failure::FactorUnconfirmed),
            ) => vec![(CONFIRM.to_owned(), crate::words::failure(failure))],
            Problem::Failure(Failure::OtherDomain(_)) => {
                vec![(target(Field::Email), problem.words())]
            }
            problem => vec![("main".to_owned(), problem.words())],
        };
        Self(in_language(locale, || {
            leptos::prelude::provide_context(Arc::clone(site));
            say()
        }))
    }

    /// What is wrong with the form as a whole, in this language.
    #[cfg(feature = "ssr")]
    pub(crate) fn about_form(locale: crate::Locale, words: impl FnOnce() -> String) -> Self {
        Self(vec![("main".to_owned(), in_language(locale, words))])
    }
}

/// Outside of any page, words need to be told their language.
#[cfg(feature = "ssr")]
fn in_language<T>(locale: crate::Locale, say: impl FnOnce() -> T) -> T {
    leptos::prelude::Owner::new().with(|| {
        leptos::prelude::provide_context(locale);
        say()
    })
}

#[cfg(feature = "ssr")]
fn target(field: Field) -> String {
    match field {
        Field::Form | Field::Passkey => "main".to_owned(),
        field => field.name().to_owned(),
    }
}

/// What leads on from what is wrong with a field, and its words.
#[cfg(feature = "ssr")]
fn way(error: model::FieldError) -> Option<(String, String)> {
    match error.problem {
        FieldProblem::AlreadyInAccount(user) => {
            Some((format!("{}/{user}", Way::Manage.id()), words!(problem.way_manage)))
        }
        FieldProblem::NothingLeft => {
            Some((Way::Remove.id().to_owned(), words!(problem.way_remove)))
        }
        _ => None,
    }
}

#[cfg(feature = "ssr")]
fn told(error: model::FieldError) -> String {
    crate::words::field_problem(error.field, error.problem)
}

impl Problem {
    /// What happened and what to do.
    #[cfg(feature = "ssr")]
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Failure(failure) => crate::words::failure(failure),
            Self::Unreachable => words!(failure.unreachable),
        }
    }

    /// The status that says this much of it, also to the browser's half; none that it can't know.
    pub(crate) fn status(&self) -> u16 {
        self.failure().map_or(0, Failure::status)
    }

    /// Why there is no page, as far as the page in its place has to know.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Failure(Failure::SignedOut),
            404 => Self::Failure(Failure::NotFound),
            503 => Self::Failure(Failure::Unavailable),
            400..500 => Self::Failure(Failure::Invalid(Default::default())),
            _ => Self::Unreachable,
        }
    }

    /// The failure, if the server said one.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failure(failure) => Some(failure),
            Self::Unreachable => None,
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Gives the response the failure's status, and notes it in the log. It is called where a request is
/// answered with the failure, and nowhere before: not every failure comes to be one of the answer.
#[cfg(feature = "ssr")]
pub(crate) fn set_status(failure: &Failure) {
    let status = StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::BAD_REQUEST);
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(status);
        let retry_after = match failure {
            Failure::Unavailable => Some(5),
            Failure::TooMany(limit) => Some(limit.retry_after_seconds),
            _ => None,
        };
        if let Some(seconds) = retry_after {
            response.insert_header(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
    if !matches!(failure, Failure::SignedOut | Failure::NotFound) {
        tracing::info!(status = status.as_u16(), ?failure, "refused");
    }
}

impl FromServerFnError for Problem {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Deserialization(_) => {
                Failure::field(Field::Form, FieldProblem::Malformed).into()
            }
            _ => Self::Unreachable,
        }
    }

    /// What a server function answers with, to a form or to the browser's half. The answer gets its
    /// status here, since Leptos knows none but 500.
    #[cfg(feature = "ssr")]
    fn ser(&self) -> Bytes {
        if let Self::Failure(failure) = self {
            set_status(failure);
        }
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}
