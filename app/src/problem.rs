//! What a server function answers when it comes to nothing.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use model::{Failure, Field, FieldProblem};
use serde::{Deserialize, Serialize};

use crate::words;

/// Why a server function came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// The server says why.
    Failure(Failure),
    /// The server couldn't be reached or understood.
    Unreachable,
}

impl Problem {
    /// What happened and what to do.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Failure(failure) => words::failure(failure),
            Self::Unreachable => words!(failure.unreachable),
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
    /// On the server the response gets the failure's status on the way.
    fn from(failure: Failure) -> Self {
        #[cfg(feature = "ssr")]
        crate::request::set_status(&failure);
        Self::Failure(failure)
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
}
