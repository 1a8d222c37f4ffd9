//! Who asks: one of the provider's own systems, by its token.

use axum::http::{HeaderMap, HeaderValue, header};
use domain::Latchkey;
use domain::tokens::{self, Token};
use model::{AccountId, DoorArea, Failure};

use super::Refusal;

/// The token that whoever sent a request comes with (RFC 6750 section 2.1).
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut lines = headers.get_all(header::AUTHORIZATION).into_iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err(Refusal::Unauthorized);
    };
    let line = HeaderValue::to_str(line).map_err(|_| Refusal::Unauthorized)?;
    let (scheme, token) = line.split_once(' ').ok_or(Refusal::Unauthorized)?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    if is_bearer { Ok(token.trim()) } else { Err(Refusal::Unauthorized) }
}

/// Why somebody isn't known by their token.
pub(super) fn refused(failure: Failure) -> Refusal {
    match failure {
        Failure::Unavailable => Refusal::Unavailable,
        _ => Refusal::Unauthorized,
    }
}

/// The only account that whoever comes with this token may know of, if they are bound to one.
pub(super) fn bound_to(token: &Token) -> Result<Option<AccountId>, Refusal> {
    token.must(DoorArea::Access.read()).map_err(|_| Refusal::Forbidden)?;
    Ok(token.account)
}

/// The same by the token as it was shown.
pub(super) async fn known(latchkey: &Latchkey, bearer: &str) -> Result<Option<AccountId>, Refusal> {
    let token = tokens::authenticate(latchkey, bearer, latchkey.now()).await;
    bound_to(&token.map_err(refused)?)
}

/// The same of whoever sent a request.
pub(super) async fn within(
    latchkey: &Latchkey,
    headers: &HeaderMap,
) -> Result<Option<AccountId>, Refusal> {
    known(latchkey, bearer(headers)?).await
}
