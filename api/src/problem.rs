//! Problems as RFC 9457 writes them, with types that stay as they are.

use axum::Json;
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::tokens::Lacks;
use model::Failure;
use serde::Serialize;
use utoipa::ToSchema;

/// Where the types of problems are told of.
const DOCS: &str = "/api/v1/docs#";

/// Declares the kinds once: name, stable id, status and title.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $status:ident, $title:literal;)*) => {
        /// What went wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            /// Every kind, in the order in which the documentation tells of them.
            pub(crate) const ALL: [Self; [$($id),*].len()] = [$(Self::$name),*];

            /// The stable id, with which its type ends.
            pub(crate) const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// The HTTP status.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// What it is, in a few words.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

kinds! {
    /// It isn't JSON, isn't UTF-8, or names something in a way that can't be.
    BadRequest = "bad-request", BAD_REQUEST, "The request can't be read";
    /// A parameter of the address that there isn't, or with a value that it can't have.
    BadParameter = "bad-parameter", BAD_REQUEST, "A parameter of the address can't be taken";
    /// No token, or none that is good.
    NoToken = "no-token", UNAUTHORIZED, "There is no token that works";
    /// The token lacks a scope.
    Scope = "scope", FORBIDDEN, "The token lacks a scope";
    /// There is no such thing, or none that the token sees.
    NotFound = "not-found", NOT_FOUND, "There is no such thing";
    /// The address doesn't take this method.
    Method = "method", METHOD_NOT_ALLOWED, "The address doesn't take this method";
    /// The body didn't come in time.
    TooSlow = "too-slow", REQUEST_TIMEOUT, "The request took too long to arrive";
    /// Somebody else was faster.
    Conflict = "conflict", CONFLICT, "Somebody else changed it at the same moment";
    /// The same request is under way.
    UnderWay = "under-way", CONFLICT, "The same request is under way";
    /// `If-Match` or `If-None-Match` says otherwise.
    Precondition = "precondition", PRECONDITION_FAILED, "It isn't as the request wants it to be";
    /// The body is too large.
    TooLarge = "too-large", PAYLOAD_TOO_LARGE, "The request is too large";
    /// The body is something else than JSON.
    MediaType = "media-type", UNSUPPORTED_MEDIA_TYPE, "The request isn't JSON";
    /// What the body says can't be taken.
    Invalid = "invalid", UNPROCESSABLE_ENTITY, "What was sent can't be taken";
    /// The `Idempotency-Key` was used for another request.
    KeyUsed = "key-used", UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another request";
    /// Too many requests with this token.
    TooMany = "too-many", TOO_MANY_REQUESTS, "There were too many requests with this token";
    /// A defect.
    Broken = "broken", INTERNAL_SERVER_ERROR, "Something broke on our side";
    /// The database can't answer now; nothing was changed.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Latchkey can't answer now; nothing was changed";
}

/// What is wrong with one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Fault {
    /// Where it stands in the body (a JSON Pointer, RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/name")]
    pub(crate) pointer: Option<String>,
    /// Which parameter of the address it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parameter: Option<String>,
    /// What is wrong with it, for programs: `missing`, `unknown_field`, `read_only`, `wrong_type`,
    /// `too_long`, `malformed`, `unknown`, `out_of_range`, `too_many`; of members `without_permission`,
    /// `with_owner`, `owner_stays`, `last_owner`, `other_domain`, `reported`.
    #[schema(example = "too_long")]
    pub(crate) code: &'static str,
    /// The same, for people.
    #[schema(example = "It has more than 200 characters.")]
    pub(crate) detail: String,
}

impl Fault {
    pub(crate) fn at(pointer: impl Into<String>, code: &'static str, detail: String) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, code, detail }
    }

    pub(crate) fn of(parameter: &str, code: &'static str, detail: impl Into<String>) -> Self {
        let (parameter, detail) = (Some(parameter.to_owned()), detail.into());
        Self { pointer: None, parameter, code, detail }
    }
}

/// A problem (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ProblemBody {
    /// What went wrong: a path of this documentation.
    #[schema(example = "/api/v1/docs#invalid")]
    pub(crate) r#type: String,
    /// The same in a few words.
    pub(crate) title: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What to do about it, if more is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    /// The request's id, as in `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<String>,
    /// What is wrong with which value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<Fault>,
}

/// What went wrong, and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    detail: Option<String>,
    errors: Vec<Fault>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn detailed(kind: Kind, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..kind.into() }
    }

    pub(crate) fn invalid(errors: Vec<Fault>) -> Self {
        Self { errors, ..Kind::Invalid.into() }
    }

    pub(crate) fn parameters(errors: Vec<Fault>) -> Self {
        Self { errors, ..Kind::BadParameter.into() }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// As it is written, for the request with this id.
    pub(crate) fn body(self, request: Option<String>) -> ProblemBody {
        ProblemBody {
            r#type: format!("{DOCS}{}", self.kind.id()),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: self.detail,
            instance: request,
            errors: self.errors,
        }
    }

    /// The answer to the request with this id.
    pub(crate) fn answer(self, request: Option<String>) -> Response {
        let (status, headers) = (self.kind.status(), self.headers.clone());
        let mut response = (status, Json(self.body(request))).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response.headers_mut().extend(headers);
        response
    }
}

impl From<Kind> for Problem {
    fn from(kind: Kind) -> Self {
        Self { kind, detail: None, errors: Vec::new(), headers: Vec::new() }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::SignedOut => Self::from(Kind::NoToken)
                .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            Failure::NotFound => Kind::NotFound.into(),
            Failure::Conflict(_) => {
                Self::detailed(Kind::Conflict, "Nothing was changed. Ask once more.")
            }
            Failure::Unavailable => Self::from(Kind::Unavailable)
                .with(header::RETRY_AFTER, HeaderValue::from_static("2")),
            failure => {
                tracing::error!(?failure, "a failure that the door has no words for");
                Kind::Broken.into()
            }
        }
    }
}

impl From<Lacks> for Problem {
    fn from(Lacks(scope): Lacks) -> Self {
        Self::detailed(Kind::Scope, format!("It takes the scope {scope}."))
    }
}

/// The request's id comes to it where all answers pass.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Kind {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_kinds_have_one_id() {
        let mut ids = Kind::ALL.map(Kind::id).to_vec();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Kind::ALL.len());
    }
}
