//! Tokens of the provider's own systems: making, listing and revoking them, and knowing whoever comes
//! with one.

use model::{AccountId, AccountNumber, DoorScope, DoorScopes, Failure, Secret, Timestamp, TokenId};
use sha2::{Digest, Sha256};
pub use store::TokenRow;
use store::{NewToken, StoredToken, TokenHash};
use subtle::ConstantTimeEq;

use crate::{Latchkey, Random, Token as Chance};

/// What every token begins with: whoever searches for leaked secrets finds it by that.
const MARK: &str = "lk_";
/// The letters and digits of a prefix (RFC 4648 section 6, in lower case).
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// How long a prefix is: 60 bits, so that no two are the same.
const PREFIX: usize = 12;
/// How long a token's name can be.
const LONGEST_NAME: usize = 100;

/// A token that somebody came with and that is good: for one request, as the next one asks anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// What the operator calls it.
    pub name: String,
    /// What it opens.
    pub scopes: DoorScopes,
    /// The one account that it sees; none for all.
    pub account: Option<AccountId>,
}

/// The token doesn't open what it was shown for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lacks(pub DoorScope);

impl Token {
    /// Asks for a scope that it must have.
    ///
    /// # Errors
    /// [`Lacks`] when it hasn't.
    pub fn must(&self, scope: DoorScope) -> Result<(), Lacks> {
        if self.scopes.open(scope) { Ok(()) } else { Err(Lacks(scope)) }
    }

    /// Whether it sees this account.
    #[must_use]
    pub fn sees(&self, account: AccountId) -> bool {
        self.account.is_none_or(|only| only == account)
    }
}

/// A token that is to be made.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// What the operator calls it.
    pub name: &'a str,
    /// What it opens.
    pub scopes: DoorScopes,
    /// The one account that it sees; none for all.
    pub account: Option<AccountNumber>,
    /// When it ends; none if it doesn't.
    pub until: Option<Timestamp>,
}

/// Why a token wasn't made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmade {
    /// It has no name, or one of more than 100 characters.
    Name,
    /// It would open nothing.
    NoScope,
    /// There is no such account.
    NoAccount(AccountNumber),
    /// Its end is over already.
    Over,
    /// The database didn't do it.
    Failed(Failure),
}

impl From<Failure> for Unmade {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Makes a token. It is answered this once: only the hash of its secret is kept.
///
/// # Errors
/// [`Unmade`].
pub async fn create(latchkey: &Latchkey, order: Order<'_>) -> Result<Secret, Unmade> {
    let now = latchkey.now();
    let name = model::one_line(order.name, LONGEST_NAME).map_err(|_| Unmade::Name)?;
    if order.scopes.is_empty() {
        return Err(Unmade::NoScope);
    }
    if order.until.is_some_and(|until| until <= now) {
        return Err(Unmade::Over);
    }
    let account = match order.account {
        None => None,
        Some(number) => match latchkey.store.account(number).await {
            Err(Failure::NotFound) => return Err(Unmade::NoAccount(number)),
            found => Some(found?),
        },
    };
    let prefix = prefix(latchkey.random.as_ref());
    let secret = Chance::new(latchkey.random.as_ref());
    let token = NewToken {
        id: latchkey.new_id().into(),
        name,
        prefix: prefix.clone(),
        secret_hash: secret.hash(),
        scopes: order.scopes,
        account,
        until: order.until,
    };
    latchkey.store.add_token(&token, now).await?;
    Ok(Secret::from(format!("{MARK}{prefix}_{}", secret.secret().expose())))
}

/// Every token that was ever made, the oldest first.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn list(latchkey: &Latchkey) -> Result<Vec<TokenRow>, Failure> {
    latchkey.store.tokens().await
}

/// Makes a token void from the next request on. It is named by its prefix, or as a whole where it was
/// found.
///
/// # Errors
/// [`Failure::NotFound`] when there is none that isn't void already, [`Failure::Unavailable`].
pub async fn revoke(latchkey: &Latchkey, named: &str) -> Result<(), Failure> {
    let named = named.trim();
    let named = named.strip_prefix(MARK).unwrap_or(named);
    let prefix = named.split_once('_').map_or(named, |(prefix, _)| prefix);
    latchkey.store.revoke_token(prefix, latchkey.now()).await
}

/// Who comes with this token. Asked anew for every request: what is revoked opens nothing at the next
/// one.
///
/// # Errors
/// [`Failure::SignedOut`] for one that was never made, has another secret, is revoked or over: all the
/// same. [`Failure::Unavailable`].
pub async fn authenticate(
    latchkey: &Latchkey,
    bearer: &str,
    now: Timestamp,
) -> Result<Token, Failure> {
    let shown = Shown::parse(bearer).ok_or(Failure::SignedOut)?;
    let found = latchkey.store.token(shown.prefix).await?;
    shown.admit(latchkey, found, now).await
}

/// A token as somebody shows it: its prefix, and the hash of its secret. A fast hash will do: there is
/// nothing to guess in 256 random bits (OWASP ASVS 5.0 V6.5.2 and V11.4.2, NIST SP 800-63B section
/// 3.1.2.2 ask for slow ones below 112).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown<'a> {
    pub(crate) prefix: &'a str,
    secret_hash: TokenHash,
}

impl<'a> Shown<'a> {
    /// None of what isn't written as a token is.
    pub(crate) fn parse(bearer: &'a str) -> Option<Self> {
        let (prefix, secret) = bearer.strip_prefix(MARK)?.split_once('_')?;
        let all_known = prefix.bytes().all(|byte| ALPHABET.contains(&byte));
        Chance::parse(secret).filter(|_| prefix.len() == PREFIX && all_known)?;
        Some(Self { prefix, secret_hash: Sha256::digest(secret).into() })
    }

    /// Who that is, of the token with its prefix, if there is one.
    pub(crate) async fn admit(
        self,
        latchkey: &Latchkey,
        found: Option<StoredToken>,
        now: Timestamp,
    ) -> Result<Token, Failure> {
        // As long for a prefix that nobody has.
        let expected = found.as_ref().map_or([0; 32], |token| token.secret_hash);
        let is_it = bool::from(self.secret_hash.ct_eq(&expected));
        let token = found.filter(|_| is_it).ok_or(Failure::SignedOut)?;
        if token.revoked_at.is_some() || token.until.is_some_and(|until| until <= now) {
            return Err(Failure::SignedOut);
        }
        latchkey.store.note_token(&token, now).await;
        Ok(Token { id: token.id, name: token.name, scopes: token.scopes, account: token.account })
    }
}

fn prefix(random: &dyn Random) -> String {
    let mut bytes = [0; PREFIX];
    random.fill(&mut bytes);
    let letter = |byte: u8| ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'a');
    bytes.into_iter().map(|byte| char::from(letter(byte))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl Random for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.iter_mut().zip(1..).for_each(|(byte, number)| *byte = number);
        }
    }

    #[test]
    fn a_token_is_taken_apart_as_it_was_put_together() {
        let (prefix, secret) = (prefix(&Counting), Chance::new(&Counting));
        let text = format!("{MARK}{prefix}_{}", secret.secret().expose());
        let shown = Shown { prefix: &prefix, secret_hash: secret.hash() };
        assert_eq!(Shown::parse(&text), Some(shown));
        let secret = secret.secret().expose();
        for other in [
            String::new(),
            secret.to_owned(),
            format!("{prefix}_{secret}"),
            format!("LK_{prefix}_{secret}"),
            format!("lk_{prefix}{secret}"),
            format!("lk_{prefix}_{secret}="),
            format!("lk_{prefix}a_{secret}"),
            format!("lk_{}_{secret}", prefix.to_uppercase()),
            format!("lk_{}é_{secret}", &prefix[..10]),
            format!("lk__{secret}"),
            format!("lk_{prefix}_"),
            format!("{text} "),
        ] {
            assert_eq!(Shown::parse(&other), None, "{other}");
        }
    }
}
