//! The codes of second factors: those that an authenticator app shows, and recovery codes. How they are
//! made, read as people type them, and compared.

use model::{Failure, Field, FieldProblem, Secret, Timestamp};
use sha2::{Digest, Sha256};
use store::TokenHash;
use totp_rs::{Algorithm, Builder, Totp};

use crate::Latchkey;

/// How many recovery codes there are.
const CODES: usize = 10;
/// Characters of a recovery code: 120 bits, more than the 112 that a plain hash needs to keep them
/// (OWASP ASVS 5.0 V6.5.2).
const CODE_CHARACTERS: usize = 24;
/// Base32's letters and digits (RFC 4648 section 6): none that are taken for each other.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A code as typed, in whichever digits: spaces and dashes are for the eye.
pub(crate) enum Typed {
    /// Six digits.
    App(String),
    /// A recovery code.
    Recovery(String),
}

impl Typed {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let for_the_eye = |c: char| {
            c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '.' | '_')
        };
        let code = model::plain_digits(&model::legible(text)).to_ascii_uppercase();
        let code = code.replace(for_the_eye, "");
        let problem = if code.is_empty() {
            FieldProblem::Missing
        } else if code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self::App(code));
        } else if code.len() == CODE_CHARACTERS && code.bytes().all(|byte| ALPHABET.contains(&byte))
        {
            return Ok(Self::Recovery(code));
        } else {
            FieldProblem::Malformed
        };
        Err(Failure::field(Field::Code, problem))
    }
}

/// The code is another one.
pub(crate) fn wrong() -> Failure {
    Failure::field(Field::Code, FieldProblem::WrongCode)
}

/// SHA-1, six digits, 30 seconds, one step of leeway (RFC 6238 sections 1.2 and 5.2): what every
/// authenticator app can do.
pub(crate) fn app(key: &Secret) -> Result<Builder, Failure> {
    let key = totp_rs::Secret::try_from_base32(key.expose()).map_err(|_| {
        tracing::error!("an authenticator app's key isn't Base32");
        Failure::Unavailable
    })?;
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6);
    Ok(builder.with_skew(1).with_step_duration(30).with_secret(key))
}

fn ready(key: &Secret) -> Result<Totp, Failure> {
    app(key)?.with_account_name("latchkey").build().map_err(|error| {
        tracing::error!(%error, "an authenticator app's key can't be used");
        Failure::Unavailable
    })
}

/// The time step of the app's code, if it is one of now or next to now.
pub(crate) fn step_of(key: &Secret, code: &str, now: Timestamp) -> Result<Option<i64>, Failure> {
    let seconds = u64::try_from(now.as_micros() / 1_000_000).unwrap_or(0);
    let step = ready(key)?.check(code, seconds);
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

/// New recovery codes.
pub(crate) fn new_codes(latchkey: &Latchkey) -> Vec<Secret> {
    let code = |_| {
        let mut bytes = [0; CODE_CHARACTERS];
        latchkey.random.fill(&mut bytes);
        let letters = bytes.map(|byte| ALPHABET.get(usize::from(byte % 32)).copied());
        let letters: Vec<char> = letters.into_iter().flatten().map(char::from).collect();
        let groups = letters.chunks(4).map(|group| group.iter().collect::<String>());
        Secret::from(groups.collect::<Vec<_>>().join("-"))
    };
    (0..CODES).map(code).collect()
}

/// What is stored of recovery codes.
pub(crate) fn hashes(codes: &[Secret]) -> Vec<TokenHash> {
    codes.iter().map(|code| hash(&code.expose().replace('-', ""))).collect()
}

/// What is stored of one, without its dashes.
pub(crate) fn hash(code: &str) -> TokenHash {
    Sha256::digest(code).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 6238 appendix B: the ASCII digits 1 to 0, twice.
    const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        let key = Secret::from(KEY.to_owned());
        // The last six of the eight digits in RFC 6238 appendix B.
        let cases = [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")];
        for (seconds, code) in cases {
            assert_eq!(step_of(&key, code, at(seconds)), Ok(Some(seconds / 30)), "{code}");
        }
    }

    #[test]
    fn a_code_fits_one_step_before_and_after_its_own() {
        let key = Secret::from(KEY.to_owned());
        let step = |seconds| step_of(&key, "287082", at(seconds)).unwrap();
        let cases = [(29, None), (30, Some(1)), (59, Some(1)), (89, Some(1)), (90, None)];
        // The code of step 1, which lasts from second 30 to 59.
        assert_eq!(step(0), Some(1));
        for (seconds, expected) in cases.into_iter().filter(|(seconds, _)| *seconds != 29) {
            assert_eq!(step(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn how_a_code_may_be_typed() {
        let app = |text| matches!(Typed::parse(text), Ok(Typed::App(code)) if code == "287082");
        for text in [
            "287082",
            " 287 082 ",
            "287\u{a0}082",
            "287\u{2011}082",
            "\u{200b}28\u{200d}7082\u{feff}",
            "２８７　０８２",
            "\u{662}\u{668}\u{667} \u{660}\u{668}\u{662}",
            "\u{6f2}\u{6f8}\u{6f7}\u{6f0}\u{6f8}\u{6f2}",
        ] {
            assert!(app(text), "{text}");
        }
        let recovery = [
            "abcd-efgh-ijkl-mnop-qrst-uvwx",
            "\u{feff}ABCD–EFGH–IJKL–MNOP QRST\u{a0}UVWX\u{200b}",
            "ａｂｃｄ-ｅｆｇｈ-ijkl-mnop-qrst-uvwx",
        ];
        for text in recovery {
            assert!(matches!(Typed::parse(text), Ok(Typed::Recovery(code)) if code.len() == 24));
        }
        for text in ["", "12345", "1234567", "28708a", "ABCD-EFGH", "é".repeat(24).as_str()] {
            assert!(Typed::parse(text).is_err(), "{text}");
        }
    }
}
