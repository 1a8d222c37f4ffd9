//! Tokens: 256 random bits that open something. Only their hash is ever stored.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model::Secret;
use sha2::{Digest, Sha256};
use store::TokenHash;

use crate::Random;

/// A token as it stands in a link or a cookie: 43 characters of base64url, 256 bits (OWASP ASVS
/// 5.0 V7.2.3 asks for at least 128).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token(Secret);

impl Token {
    const BYTES: usize = 32;

    /// A new token.
    #[must_use]
    pub fn new(random: &dyn Random) -> Self {
        let mut bytes = [0; Self::BYTES];
        random.fill(&mut bytes);
        Self(Secret::from(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads a token from a link or cookie; none when it has no token's form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == Self::BYTES).then(|| Self(Secret::from(text.to_owned())))
    }

    /// The token itself, for the link or cookie.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.0
    }

    /// What is stored of it. A fast hash will do: there is nothing to guess in 256 random bits.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        Sha256::digest(self.0.expose()).into()
    }
}
