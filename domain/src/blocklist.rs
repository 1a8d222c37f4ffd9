//! Passwords that would be guessed soon: the most used ones, what is close to them, and what anybody
//! would try who knows whose it is and where it opens (NIST SP 800-63B-4 section 3.1.1.2; OWASP ASVS
//! 5.0 V6.2.4, V6.2.11).
//!
//! zxcvbn brings the list: 30,000 passwords in the order of their use, 11,600 of them with the eight
//! characters that are enough beside a second factor, and besides them words, names, dates, rows of
//! keys and repeats, in the order in which a guesser would go through them.

use model::{EmailAddress, Guessable};
use zxcvbn::feedback::Warning;
use zxcvbn::{Entropy, zxcvbn};

/// So many guesses a password must outlast: those who try at a sign-in page, slowed down, don't come
/// that far, and hardly anything longer that isn't a well-known password falls below it.
const GUESSES: u64 = 1_000_000;

/// So many characters are weighed at either end. zxcvbn tries every way to read digits and signs as
/// letters at every place, which takes a second for the longest of those that somebody may send.
const WEIGHED: usize = 40;

/// The shortest word about somebody that is looked for: shorter ones are in any text by chance.
const SHORTEST_WORD: usize = 3;

/// What is expected in somebody's password: their name, their address, the service's name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected(Vec<String>);

impl Expected {
    pub(crate) fn new(full_name: &str, email: &EmailAddress, service: &[String]) -> Self {
        let texts = [full_name, email.as_str(), email.key(), "Latchkey"].into_iter();
        let texts = texts.chain(service.iter().map(String::as_str));
        let words = texts.flat_map(|text| {
            let parts = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
            parts.collect::<Vec<_>>()
        });
        let mut words: Vec<_> =
            words.filter(|word| word.chars().count() >= SHORTEST_WORD).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
        words.dedup();
        Self(words)
    }

    /// What is left of a password without it.
    fn taken_out_of(&self, password: &str) -> String {
        let all = password.to_lowercase();
        self.0.iter().fold(all, |left, word| left.replace(word.as_str(), ""))
    }
}

/// Refuses a password that would be guessed soon, and says why.
///
/// # Errors
/// What makes it easy to guess.
pub(crate) fn weigh(password: &str, expected: &Expected) -> Result<(), Guessable> {
    let whole = estimate(password);
    if whole.guesses() < GUESSES {
        return Err(reason(&whole));
    }
    let left = expected.taken_out_of(password);
    if left == password.to_lowercase() || estimate(&left).guesses() >= GUESSES {
        return Ok(());
    }
    Err(Guessable::Personal)
}

/// How soon a password would be guessed, by whichever of its ends is the harder one.
fn estimate(password: &str) -> Entropy {
    let characters: Vec<char> = password.chars().collect();
    let weigh = |end: &[char]| zxcvbn(&end.iter().collect::<String>(), &[]);
    let beyond = characters.len().saturating_sub(WEIGHED);
    let (start, _) = characters.split_at(characters.len() - beyond);
    let (_, end) = characters.split_at(beyond);
    let from_start = weigh(start);
    if beyond == 0 || from_start.guesses() >= GUESSES {
        return from_start;
    }
    let from_end = weigh(end);
    if from_end.guesses() > from_start.guesses() { from_end } else { from_start }
}

fn reason(estimate: &Entropy) -> Guessable {
    use Warning as W;
    match estimate.feedback().and_then(|feedback| feedback.warning()) {
        Some(
            W::ThisIsATop10Password
            | W::ThisIsATop100Password
            | W::ThisIsACommonPassword
            | W::ThisIsSimilarToACommonlyUsedPassword,
        ) => Guessable::Common,
        Some(W::StraightRowsOfKeysAreEasyToGuess | W::ShortKeyboardPatternsAreEasyToGuess) => {
            Guessable::Keys
        }
        Some(
            W::RepeatsLikeAaaAreEasyToGuess | W::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess,
        ) => Guessable::Repeats,
        Some(W::SequencesLikeAbcAreEasyToGuess) => Guessable::Sequence,
        Some(W::RecentYearsAreEasyToGuess | W::DatesAreOftenEasyToGuess) => Guessable::Date,
        Some(
            W::AWordByItselfIsEasyToGuess
            | W::NamesAndSurnamesByThemselvesAreEasyToGuess
            | W::CommonNamesAndSurnamesAreEasyToGuess,
        )
        | None => Guessable::Word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_kari() -> Expected {
        let email = EmailAddress::parse("kari.nordmann@bakeri.example").unwrap();
        Expected::new("Kari Nordmann Bø", &email, &["Fjord & Pixel".to_owned()])
    }

    #[test]
    fn what_would_be_guessed_soon_and_why() {
        use Guessable::{Common, Date, Keys, Repeats, Sequence, Word};
        let cases = [
            ("password", Common),
            ("PassWord", Common),
            ("p4ssw0rd", Common),
            ("drowssap", Common),
            ("iloveyou123", Common),
            ("1qaz2wsx3edc4rfv", Common),
            ("qwertyuiop123456", Common),
            ("passwordpassword", Repeats),
            ("aaaaaaaaaaaaaaaa", Repeats),
            ("abcabcabcabcabcabc", Repeats),
            ("abcdefghijklmnopqrstuvwxyz", Sequence),
            ("sdfghjkl;'", Keys),
            ("24.12.1999", Date),
            ("refrigerator", Word),
        ];
        for (password, why) in cases {
            assert_eq!(weigh(password, &of_kari()), Err(why), "{password}");
        }
    }

    #[test]
    fn what_is_expected_of_somebody_counts_for_nothing() {
        let refused = [
            "kari.nordmann@bakeri.example",
            "KARI.NORDMANN@bakeri",
            "NordmannKari1985",
            "kari nordmann 12345",
            "fjord&pixel fjord&pixel",
            "pixelfjordbakeri",
            "password nordmann",
        ];
        for password in refused {
            assert_eq!(weigh(password, &of_kari()), Err(Guessable::Personal), "{password}");
        }
        let taken = [
            "kari likes brown cheese most",
            "Bø is where I was born",
            "a lamp beside the window",
            "correct horse battery",
            "tr0ub4dor&3xq",
            "kV7#tqLz",
            "пароль из пяти слов",
            "🦊🐻🐼🦁🐸🐙🦄🐝",
            "                ø               å",
        ];
        for password in taken {
            assert_eq!(weigh(password, &of_kari()), Ok(()), "{password}");
        }
    }

    #[test]
    fn a_long_password_is_as_good_as_its_better_end() {
        let (dull, good) = ("a".repeat(60), "a lamp beside the window");
        for password in [format!("{dull}{good}"), format!("{good}{dull}"), good.repeat(5)] {
            assert_eq!(weigh(&password, &of_kari()), Ok(()), "{password}");
        }
        assert_eq!(weigh(&"a".repeat(128), &of_kari()), Err(Guessable::Repeats));
        assert_eq!(
            weigh(&format!("{dull}{}", "kari".repeat(15)), &of_kari()),
            Err(Guessable::Repeats)
        );
    }
}
