//! Digests of the log: once a day it is signed how an account's chain stands, for its owners to
//! keep. A log that was rewritten later doesn't fit a digest that somebody has kept.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{Actor, Day, Failure, On, Permission, Secret, Timestamp};
pub use store::{DigestFacts, LogDigest};

use crate::{Latchkey, Random};

/// How many digests the log's page shows.
const SHOWN: usize = 10;

/// How many accounts are signed for between two questions to the database.
const BATCH: usize = 100;

/// The key that digests are signed with: Ed25519 (RFC 8032).
#[derive(Clone, Debug)]
pub struct LogKey(SigningKey);

/// The half of a [`LogKey`] that everybody may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// The text isn't a key of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it holds no Ed25519 key")]
pub struct NoKey;

/// Why a digest proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestFault {
    /// It wasn't signed with a key that is trusted.
    ForeignKey,
    /// The signature isn't one of what it says.
    Forged,
    /// The log isn't the one that was signed: the row that it names is gone or another.
    DoesNotFit,
}

impl LogKey {
    /// A new key.
    #[must_use]
    pub fn new(random: &dyn Random) -> Self {
        let mut secret = [0; 32];
        random.fill(&mut secret);
        Self(SigningKey::from_bytes(&secret))
    }

    /// Reads a key from PKCS#8 in PEM (RFC 8410 section 7), as `openssl genpkey` writes it too.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn from_pem(pem: &str) -> Result<Self, NoKey> {
        SigningKey::from_pkcs8_pem(pem).map(Self).map_err(|_| NoKey)
    }

    /// The key as PKCS#8 in PEM. The public half is left out, as older versions of OpenSSL can't
    /// read a key that has it.
    ///
    /// # Errors
    /// [`NoKey`], which doesn't happen: any 32 bytes are a key.
    pub fn to_pem(&self) -> Result<Secret, NoKey> {
        let key = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|_| NoKey)?;
        Ok(Secret::from(pem.to_string()))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    fn sign(&self, facts: DigestFacts) -> LogDigest {
        let signature = self.0.sign(statement(&facts).as_bytes()).to_vec();
        LogDigest { facts, public_key: self.public().0.to_bytes().to_vec(), signature }
    }
}

impl PublicKey {
    /// What stands before the key's 32 bytes in its DER form (RFC 8410 section 4).
    const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 3, 0x21, 0];

    /// Reads what [`PublicKey::to_text`] writes.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn parse(text: &str) -> Result<Self, NoKey> {
        let der = BASE64_STANDARD.decode(text.trim()).map_err(|_| NoKey)?;
        let bytes = der.strip_prefix(&Self::PREFIX).ok_or(NoKey)?;
        Self::from_stored(bytes)
    }

    /// The key that the database holds: its 32 bytes.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn from_stored(bytes: &[u8]) -> Result<Self, NoKey> {
        let bytes = <&[u8; 32]>::try_from(bytes).map_err(|_| NoKey)?;
        VerifyingKey::from_bytes(bytes).map(Self).map_err(|_| NoKey)
    }

    /// The key as the database holds it.
    #[must_use]
    pub fn to_stored(self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }

    /// The key for other programs: SubjectPublicKeyInfo (RFC 8410 section 4) in base64, which is a
    /// `PUBLIC KEY` file of OpenSSL's without its first and last line.
    #[must_use]
    pub fn to_text(self) -> String {
        BASE64_STANDARD.encode([&Self::PREFIX[..], self.0.as_bytes()].concat())
    }
}

/// What is signed, byte by byte: these lines, each with a line feed at its end.
#[must_use]
pub fn statement(facts: &DigestFacts) -> String {
    format!(
        "latchkey log digest 1\naccount {}\nday {}\nrows {}\nhash {}\nsigned at {}\n",
        facts.number,
        write_day(facts.day),
        facts.sequence,
        write_hash(&facts.hash),
        write_moment(facts.signed_at)
    )
}

/// Whether the digest says what it was signed with, by a key that is trusted.
///
/// # Errors
/// [`DigestFault`].
pub fn check(digest: &LogDigest, trusted: &[PublicKey]) -> Result<(), DigestFault> {
    let key = PublicKey::from_stored(&digest.public_key).map_err(|_| DigestFault::ForeignKey)?;
    if !trusted.contains(&key) {
        return Err(DigestFault::ForeignKey);
    }
    let signature = Signature::from_slice(&digest.signature).map_err(|_| DigestFault::Forged)?;
    let statement = statement(&digest.facts);
    key.0.verify_strict(statement.as_bytes(), &signature).map_err(|_| DigestFault::Forged)
}

/// Signs how the log stood at the end of the newest day that is over, for every account that has
/// rows of that day or an earlier one which no digest covers. Answers how many digests that made.
/// Several nodes may do so at once.
///
/// # Errors
/// [`Failure::Unavailable`]; what was signed until then stays.
pub async fn sign_finished(latchkey: &Latchkey, key: &LogKey) -> Result<u32, Failure> {
    let now = latchkey.now();
    let day = Day::finished_at(now);
    let (mut after, mut signed) = (None, 0);
    loop {
        let logs = latchkey.store.unsigned_logs(day.end(), after, BATCH).await?;
        after = logs.last().map(|last| last.account);
        let more = logs.len() == BATCH;
        for log in logs {
            let digest = key.sign(DigestFacts {
                number: log.number,
                day,
                sequence: log.sequence,
                hash: log.hash,
                signed_at: now,
            });
            signed += u32::from(latchkey.store.keep_digest(log.account, &digest).await?);
        }
        if !more {
            return Ok(signed);
        }
    }
}

/// Whether the newest digest of all was signed with this key, or there is none: nodes that don't
/// share their key sign with several.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn is_the_key_in_use(latchkey: &Latchkey, key: PublicKey) -> Result<bool, Failure> {
    let newest = latchkey.store.newest_digest_key().await?;
    Ok(newest.is_none_or(|newest| newest == key.to_stored()))
}

/// The account's newest digests, for its owners.
///
/// # Errors
/// [`Failure::NotAllowed`] without the permission to see the log, [`Failure::NotFound`] for everybody
/// else who isn't an owner, [`Failure::Unavailable`].
pub async fn newest(latchkey: &Latchkey, actor: &Actor) -> Result<Vec<LogDigest>, Failure> {
    must_reach(actor)?;
    latchkey.store.newest_digests(actor.account, SHOWN).await
}

/// The account's digest of a day such as "2026-11-23", for its owners.
///
/// # Errors
/// As [`newest`]; [`Failure::NotFound`] too when there is none, or the text is no day.
pub async fn of_day(latchkey: &Latchkey, actor: &Actor, day: &str) -> Result<LogDigest, Failure> {
    must_reach(actor)?;
    let day = read_day(day).ok_or(Failure::NotFound)?;
    latchkey.store.digest_of(actor.account, day).await?.ok_or(Failure::NotFound)
}

/// Whoever may see the log and isn't an owner isn't told what they lack: for them there are no
/// digests.
fn must_reach(actor: &Actor) -> Result<(), Failure> {
    actor.must(Permission::AccountLog, On::Account)?;
    actor.must_own().map_err(|_| Failure::NotFound)
}

/// A day as it stands in addresses and digests, such as "2026-11-23" (RFC 3339, full-date).
#[must_use]
pub fn write_day(day: Day) -> String {
    utc(day.begin()).date().to_string()
}

/// Reads what [`write_day`] writes, and nothing else: one day has one address.
#[must_use]
pub fn read_day(text: &str) -> Option<Day> {
    let date: Date = text.parse().ok()?;
    let begin = date.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp();
    let day = Day::of(Timestamp::from_micros(begin.as_microsecond()));
    (write_day(day) == text).then_some(day)
}

/// A moment to the microsecond, such as "2026-11-24T00:00:07.123456Z" (RFC 3339).
#[must_use]
pub fn write_moment(at: Timestamp) -> String {
    utc(at).strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// A hash in hexadecimal.
#[must_use]
pub fn write_hash(hash: &[u8]) -> String {
    hash.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads what [`write_moment`] writes.
#[must_use]
pub fn read_moment(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_micros(at.as_microsecond()))
}

/// Reads what [`write_hash`] writes.
#[must_use]
pub fn read_hash(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let hash: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    hash.filter(|_| rest.is_empty())
}

fn utc(at: Timestamp) -> jiff::ZonedDateTime {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    at.to_zoned_datetime(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source whose bytes the test knows.
    struct Always(u8);

    impl Random for Always {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    fn facts() -> DigestFacts {
        DigestFacts {
            number: model::AccountNumber::from_stored(100_001),
            day: Day::from_stored(20_780),
            sequence: 14,
            hash: [0xab; 32].to_vec(),
            signed_at: Timestamp::from_micros(1_795_478_407_000_120),
        }
    }

    #[test]
    fn what_is_signed_is_the_documented_text() {
        let hash = "ab".repeat(32);
        let lines = [
            "latchkey log digest 1",
            "account 100001",
            "day 2026-11-23",
            "rows 14",
            &format!("hash {hash}"),
            "signed at 2026-11-24T00:00:07.000120Z",
            "",
        ];
        assert_eq!(statement(&facts()), lines.join("\n"));
    }

    #[test]
    fn a_digest_holds_as_it_was_signed_and_only_so() {
        let key = LogKey::new(&Always(7));
        let trusted = [LogKey::new(&Always(8)).public(), key.public()];
        let digest = key.sign(facts());
        assert_eq!(check(&digest, &trusted), Ok(()));
        assert_eq!(check(&digest, &trusted[..1]), Err(DigestFault::ForeignKey));
        let changes: [fn(&mut LogDigest); 7] = [
            |digest| digest.facts.number = model::AccountNumber::from_stored(100_002),
            |digest| digest.facts.day = Day::from_stored(20_781),
            |digest| digest.facts.sequence = 13,
            |digest| digest.facts.hash[31] ^= 1,
            |digest| digest.facts.signed_at = Timestamp::from_micros(0),
            |digest| digest.signature[0] ^= 1,
            |digest| digest.signature.clear(),
        ];
        for (place, change) in changes.into_iter().enumerate() {
            let mut forged = digest.clone();
            change(&mut forged);
            assert_eq!(check(&forged, &trusted), Err(DigestFault::Forged), "change {place}");
        }
        let mut foreign = digest;
        foreign.public_key.clear();
        assert_eq!(check(&foreign, &trusted), Err(DigestFault::ForeignKey));
    }

    #[test]
    fn a_key_comes_back_from_its_file() {
        let key = LogKey::new(&Always(7));
        let pem = key.to_pem().unwrap();
        assert!(pem.expose().starts_with("-----BEGIN PRIVATE KEY-----\n"), "{}", pem.expose());
        assert_eq!(LogKey::from_pem(pem.expose()).unwrap().public(), key.public());
        for text in ["", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"] {
            assert_eq!(LogKey::from_pem(text).map(drop), Err(NoKey), "{text}");
        }
    }

    /// The keys of RFC 8410 sections 10.1 and 10.3.
    #[test]
    fn a_key_of_another_program_is_read_and_its_public_half_written_alike() {
        let pem = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                   -----END PRIVATE KEY-----\n";
        let public = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        let key = LogKey::from_pem(pem).unwrap().public();
        assert_eq!(key.to_text(), public);
        assert_eq!(PublicKey::parse(public), Ok(key));
        for text in ["", "AAAA", &public[4..]] {
            assert_eq!(PublicKey::parse(text), Err(NoKey), "{text}");
        }
    }

    #[test]
    fn moments_and_hashes_come_back_from_their_text() {
        let facts = facts();
        assert_eq!(read_moment(&write_moment(facts.signed_at)), Some(facts.signed_at));
        assert_eq!(read_hash(&write_hash(&facts.hash)), Some(facts.hash));
        for text in ["abc", "zz", "é"] {
            assert_eq!(read_hash(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_has_one_text() {
        assert_eq!(read_day("2026-11-23"), Some(Day::from_stored(20_780)));
        for text in ["", "20261123", "2026-11-23T00:00", "2026-11-31", " 2026-11-23", "yesterday"] {
            assert_eq!(read_day(text), None, "{text}");
        }
    }
}
