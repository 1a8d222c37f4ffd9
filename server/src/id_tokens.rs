//! Checking what an identity provider signed, ID tokens above all (OpenID Connect Core 1.0 section
//! 3.1.3.7). The library's keys check the signature. The claims are read here: the library refuses a
//! whole token for a claim that nobody asked for, if that isn't of the type that it should be.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model::{NotIdentified, Timestamp};
use openidconnect::core::{CoreJsonWebKey, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{
    AccessToken, AccessTokenHash, JsonWebKey, JsonWebKeyAlgorithm, JsonWebKeyId, JsonWebKeyUse,
    JwsSigningAlgorithm,
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// How far a provider's clock may be from ours, in seconds.
const SKEW: i64 = 120;

/// What is wrong with a token; the words are for the log.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// No key of the provider's has the ID that the token names: it may have new ones.
    NoKey,
    /// It can't be trusted.
    Because(NotIdentified, String),
}

fn wrong<T>(kind: NotIdentified, what: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Because(kind, what.into()))
}

/// Whose keys may have signed a token, and how.
pub(crate) struct Signer<'a> {
    /// The provider's keys.
    pub(crate) keys: &'a CoreJsonWebKeySet,
    /// The algorithms that it may use.
    pub(crate) algorithms: Vec<CoreJwsSigningAlgorithm>,
}

/// What an ID token has to say.
pub(crate) struct Expected<'a> {
    /// Who issued it.
    pub(crate) issuer: &'a str,
    /// For whom.
    pub(crate) client_id: &'a str,
    /// In answer to what.
    pub(crate) nonce: &'a str,
    /// Together with what.
    pub(crate) access_token: &'a AccessToken,
    /// When.
    pub(crate) now: Timestamp,
}

/// The claims of a token or of an answer, of which none is looked at that isn't needed.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Claims(Map<String, Value>);

impl Claims {
    /// A claim that is there.
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A claim that is text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// A moment in seconds since 1970, which some providers write as text or with a fraction.
    pub(crate) fn seconds(&self, name: &str) -> Option<i64> {
        let number = match self.get(name)? {
            Value::Number(number) => number.to_string(),
            value => value.as_str()?.trim().to_owned(),
        };
        let whole = number.split_once('.').map_or(&*number, |(whole, _)| whole);
        whole.parse().ok()
    }

    /// The person's address.
    pub(crate) fn email(&self) -> Option<&str> {
        self.text("email").filter(|email| !email.trim().is_empty())
    }

    /// Whether the address is verified, if that is said; some providers write it as text.
    pub(crate) fn email_verified(&self) -> Option<bool> {
        match self.get("email_verified")? {
            Value::Bool(verified) => Some(*verified),
            value => value.as_str()?.trim().to_ascii_lowercase().parse().ok(),
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: CoreJwsSigningAlgorithm,
    kid: Option<JsonWebKeyId>,
    typ: Option<String>,
    cty: Option<Value>,
    crit: Option<Value>,
}

/// The claims of an ID token, once all is checked.
pub(crate) fn check(
    token: &str,
    signer: &Signer<'_>,
    expected: &Expected<'_>,
) -> Result<Claims, Wrong> {
    let (claims, alg, key) = signed(token, signer)?;
    if !is_same_issuer(claims.text("iss").unwrap_or_default(), expected.issuer) {
        let issuer = claims.get("iss");
        return wrong(NotIdentified::Issuer, format!("the ID token's issuer is {issuer:?}"));
    }
    is_for(&claims, expected.client_id)?;
    let now = expected.now.as_micros() / 1_000_000;
    match claims.seconds("exp") {
        Some(end) if now < end.saturating_add(SKEW) => {}
        end => return wrong(NotIdentified::Clock, format!("the ID token ended at {end:?}")),
    }
    if claims.seconds("nbf").is_some_and(|begin| begin.saturating_sub(SKEW) > now) {
        return wrong(NotIdentified::Clock, "the ID token isn't valid yet");
    }
    if claims.text("nonce") != Some(expected.nonce) {
        return wrong(NotIdentified::Untrusted, "the ID token answers another question");
    }
    if let Some(hash) = claims.get("at_hash") {
        let of_token = AccessTokenHash::from_token(expected.access_token, &alg, key).ok();
        if of_token.is_none_or(|expected| hash.as_str() != Some(expected.as_str())) {
            return wrong(NotIdentified::Untrusted, "the access token isn't the ID token's");
        }
    }
    Ok(claims)
}

/// The claims of a token that one of these keys signed; nothing else of them is checked.
pub(crate) fn signed<'k>(
    token: &str,
    signer: &Signer<'k>,
) -> Result<(Claims, CoreJwsSigningAlgorithm, &'k CoreJsonWebKey), Wrong> {
    let read = || {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        let header: Header = serde_json::from_slice(&part(header)?).ok()?;
        let claims: Claims = serde_json::from_slice(&part(claims)?).ok()?;
        Some((signed, part(signature)?, header, claims))
    };
    let Some((signed, signature, header, claims)) = read() else {
        return wrong(NotIdentified::Untrusted, "it is no signed token");
    };
    let Header { alg, kid, typ, cty, crit } = header;
    // An access token isn't one, nor is what takes more than is known here (RFC 7515 sections 4.1.9 to
    // 4.1.11).
    let typ = typ.map(|typ| typ.to_ascii_lowercase());
    let known = typ.is_none_or(|typ| {
        matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "jose")
    });
    if !known || cty.is_some() || crit.is_some() {
        return wrong(NotIdentified::Untrusted, "the token is of another type");
    }
    if !signer.algorithms.contains(&alg) {
        return wrong(NotIdentified::Untrusted, format!("the token is signed with {alg:?}"));
    }
    let mut fitting =
        signer.keys.keys().iter().filter(|key| fits(key, kid.as_ref(), &alg)).peekable();
    if fitting.peek().is_none() {
        return Err(Wrong::NoKey);
    }
    // A token that doesn't name its key may be signed with any of them.
    match fitting.find(|key| key.verify_signature(&alg, signed.as_bytes(), &signature).is_ok()) {
        Some(key) => Ok((claims, alg, key)),
        None => wrong(NotIdentified::Untrusted, "the signature is wrong"),
    }
}

fn fits(key: &CoreJsonWebKey, id: Option<&JsonWebKeyId>, alg: &CoreJwsSigningAlgorithm) -> bool {
    let named = id.is_none() || key.key_id() == id;
    let signs = key.key_use().is_none_or(JsonWebKeyUse::allows_signature);
    let for_alg = match key.signing_alg() {
        JsonWebKeyAlgorithm::Unspecified => true,
        JsonWebKeyAlgorithm::Algorithm(own) => own == alg,
        JsonWebKeyAlgorithm::Unsupported => false,
    };
    named && signs && for_alg && alg.key_type().as_ref() == Some(key.key_type())
}

/// Whether two addresses of a provider are the same but for the slash at their end.
pub(crate) fn is_same_issuer(one: &str, other: &str) -> bool {
    let plain = |issuer: &str| issuer.strip_suffix('/').unwrap_or(issuer).to_owned();
    plain(one) == plain(other)
}

/// Whether the token is ours: one of those that it is for, and when there are others, the one that
/// asked for it.
fn is_for(claims: &Claims, client_id: &str) -> Result<(), Wrong> {
    let audience = claims.get("aud");
    let all: Vec<&str> = match audience {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        one => one.and_then(Value::as_str).into_iter().collect(),
    };
    if !all.contains(&client_id) {
        return wrong(NotIdentified::Audience, format!("the ID token is for {audience:?}"));
    }
    match claims.get("azp") {
        Some(party) if party.as_str() != Some(client_id) => {
            wrong(NotIdentified::Audience, format!("the ID token was issued to {party}"))
        }
        None if all.iter().any(|one| *one != client_id) => {
            let what =
                format!("the ID token is for {audience:?}, and doesn't say who asked for it");
            wrong(NotIdentified::Audience, what)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(text: &str) -> Claims {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn claims_are_read_as_providers_write_them() {
        for (text, verified) in [
            (r#"{"email_verified": true}"#, Some(true)),
            (r#"{"email_verified": "true"}"#, Some(true)),
            (r#"{"email_verified": "True"}"#, Some(true)),
            (r#"{"email_verified": "false"}"#, Some(false)),
            (r#"{"email_verified": 1}"#, None),
            (r#"{"email_verified": null}"#, None),
            ("{}", None),
        ] {
            assert_eq!(claims(text).email_verified(), verified, "{text}");
        }
        for text in [r#"{"exp": 17}"#, r#"{"exp": 17.9}"#, r#"{"exp": "17"}"#] {
            assert_eq!(claims(text).seconds("exp"), Some(17), "{text}");
        }
        for text in [r#"{"exp": "soon"}"#, r#"{"exp": [17]}"#, r#"{"exp": null}"#, "{}"] {
            assert_eq!(claims(text).seconds("exp"), None, "{text}");
        }
    }

    #[test]
    fn whose_a_token_is() {
        for (text, ours) in [
            (r#"{"aud": "latchkey"}"#, true),
            (r#"{"aud": ["latchkey"]}"#, true),
            (r#"{"aud": ["latchkey", "latchkey"]}"#, true),
            (r#"{"aud": ["api", "latchkey"], "azp": "latchkey"}"#, true),
            (r#"{"aud": "latchkey", "azp": "latchkey"}"#, true),
            (r#"{"aud": ["api", "latchkey"]}"#, false),
            (r#"{"aud": ["api", "latchkey"], "azp": "api"}"#, false),
            (r#"{"aud": "latchkey", "azp": ["latchkey"]}"#, false),
            (r#"{"aud": ["api"], "azp": "latchkey"}"#, false),
            (r#"{"aud": {"latchkey": 1}}"#, false),
            ("{}", false),
        ] {
            assert_eq!(is_for(&claims(text), "latchkey").is_ok(), ours, "{text}");
        }
    }

    #[test]
    fn an_issuer_is_the_same_with_a_slash_behind_it() {
        assert!(is_same_issuer("https://id.example/", "https://id.example"));
        assert!(is_same_issuer("https://id.example/a", "https://id.example/a"));
        assert!(!is_same_issuer("https://id.example//", "https://id.example"));
        assert!(!is_same_issuer("https://id.example/a", "https://id.example/b"));
        assert!(!is_same_issuer("", "https://id.example"));
    }
}
