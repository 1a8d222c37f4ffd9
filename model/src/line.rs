//! Text as people mean it: without what nobody sees, and of one line where it is a name.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;

use crate::FieldProblem;

/// Takes a line as typed, of at most `longest` characters, as [`legible`] has it; space around it and
/// runs of space inside it are folded.
///
/// # Errors
/// [`FieldProblem::Missing`], also when nothing of it is to be seen; [`FieldProblem::TooLong`].
pub fn one_line(text: &str, longest: usize) -> Result<String, FieldProblem> {
    let line = legible(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        Err(FieldProblem::Missing)
    } else if line.chars().count() > longest {
        Err(FieldProblem::TooLong)
    } else {
        Ok(line)
    }
}

/// The text without the characters that come along unseen when text is copied, and could do something
/// to the text around it: zero-width ones, control characters, direction marks (Unicode UAX #9),
/// fillers, tags. Every space becomes the plain one, its letters are put together (Unicode NFC). What
/// joins letters of some scripts, or parts of a picture, or says which form of a character is meant,
/// stays where it does that.
///
/// Two texts that differ in nothing else become the same one.
#[must_use]
pub fn legible(text: &str) -> String {
    let composed = ComposingNormalizerBorrowed::new_nfc();
    let classes = CanonicalCombiningClassMapBorrowed::new();
    let is_mark = |character| classes.get_u8(character) != 0;
    let mut legible = String::with_capacity(text.len());
    // The letter or sign that is there last, with a vowel taken away from it or not: its marks may
    // still change places.
    let (mut before, mut without_vowel, mut joiner) = (None, false, None);
    for character in composed.normalize(text).chars() {
        if is_joiner(character) {
            joiner.get_or_insert(character);
        } else if is_selector(character) {
            let of_last = joiner.is_none() && legible.chars().next_back() == before;
            if of_last && before.is_some_and(|before| has_forms(before, character)) {
                legible.push(character);
                before = Some(character);
            }
        } else if !is_unseen(character) {
            let shown = if is_space(character) { ' ' } else { character };
            let does_something = |joiner: &char| {
                without_vowel
                    || !is_mark(shown) && before.is_some_and(|before| joins(before, *joiner, shown))
            };
            legible.extend(joiner.take().filter(does_something));
            legible.push(shown);
            without_vowel = is_virama(shown) || without_vowel && is_mark(shown);
            if !is_mark(shown) {
                before = Some(shown);
            }
        }
    }
    legible.extend(joiner.filter(|_| without_vowel));
    composed.normalize(&legible).into_owned()
}

/// The text with ASCII's letters and signs in their usual width, where they were typed as wide as East
/// Asian ones.
pub(crate) fn plain_width(text: &str) -> String {
    text.chars().map(|character| wide(character).unwrap_or(character)).collect()
}

/// The same, and the digits of other scripts as ours.
#[must_use]
pub fn plain_digits(text: &str) -> String {
    plain_width(text).chars().map(digit).collect()
}

/// Unicode's fullwidth forms of ASCII.
fn wide(character: char) -> Option<char> {
    let offset = u32::from(character).checked_sub(0xfee0)?;
    char::from_u32(offset).filter(char::is_ascii_graphic)
}

/// Decimal digits of the scripts that people number in every day.
fn digit(character: char) -> char {
    const ZEROS: [u32; 16] = [
        0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50,
        0xed0, 0x1040, 0x17e0,
    ];
    let value =
        ZEROS.iter().find_map(|zero| u32::from(character).checked_sub(*zero).filter(|d| *d < 10));
    value.and_then(|value| char::from_digit(value, 10)).unwrap_or(character)
}

/// Spaces, and what looks like one: the blank of Braille, the fillers of Hangul that take room.
fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{2800}' | '\u{3164}' | '\u{ffa0}')
}

fn is_unseen(character: char) -> bool {
    character.is_control() && !character.is_whitespace()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff0}'..='\u{fffc}'
                | '\u{fffe}'
                | '\u{ffff}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d159}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// The zero-width joiner and non-joiner, and Mongolian's separator of vowels.
fn is_joiner(character: char) -> bool {
    matches!(character, '\u{180e}' | '\u{200c}' | '\u{200d}')
}

/// Whether the joiner does something between these two (as RFC 5892 appendix A has it for names in
/// DNS, more or less).
fn joins(before: char, joiner: char, after: char) -> bool {
    let between = |kind: fn(char) -> bool| kind(before) && kind(after);
    match joiner {
        '\u{180e}' => between(is_mongolian),
        '\u{200d}' if between(is_picture) => true,
        _ => between(is_of_joining_script),
    }
}

fn is_mongolian(character: char) -> bool {
    matches!(character, '\u{1820}'..='\u{18aa}')
}

/// Letters whose shape depends on the next one, as in Arabic and in the scripts of India.
fn is_of_joining_script(character: char) -> bool {
    character.is_alphabetic()
        && matches!(
            character,
            '\u{600}'..='\u{109f}'
                | '\u{1780}'..='\u{18aa}'
                | '\u{fb50}'..='\u{fdff}'
                | '\u{fe70}'..='\u{fefc}'
                | '\u{10a00}'..='\u{11fff}'
                | '\u{1e900}'..='\u{1e95f}'
        )
}

/// Takes a vowel away from a letter of a script of India and its kin; what follows says in which form.
fn is_virama(character: char) -> bool {
    matches!(
        character,
        '\u{94d}'
            | '\u{9cd}'
            | '\u{a4d}'
            | '\u{acd}'
            | '\u{b4d}'
            | '\u{bcd}'
            | '\u{c4d}'
            | '\u{ccd}'
            | '\u{d4d}'
            | '\u{dca}'
            | '\u{1039}'
            | '\u{17d2}'
    )
}

/// Signs that stand for a picture, and the selector behind one.
fn is_picture(character: char) -> bool {
    matches!(
        character,
        '\u{203c}'..='\u{2bff}' | '\u{3030}'..='\u{303d}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}'
    )
}

fn is_selector(character: char) -> bool {
    matches!(
        character,
        '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
    )
}

/// Whether the selector says in which of its forms this character is meant: pictures, Mongolian, and
/// the Han characters of which a name has its own.
fn has_forms(character: char, selector: char) -> bool {
    match selector {
        '\u{180b}'..='\u{180f}' => is_mongolian(character),
        '\u{fe0e}' | '\u{fe0f}' if is_picture(character) => !is_selector(character),
        _ => matches!(
            character,
            '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_nobody_sees_is_no_name() {
        for text in [
            "",
            " ",
            "\u{200b}",
            "\u{feff} \u{2060}",
            "\u{3164}",
            "\u{2800}",
            "\u{0}\u{7}",
            "\u{200d}",
            "\u{fe0f}",
            "\u{202e}\u{202c}",
            "\u{e0041}\u{e0042}",
            "\u{fffc}",
            "\u{115f}\u{1160}\u{ffa0}",
        ] {
            assert_eq!(one_line(text, 200), Err(FieldProblem::Missing), "{text:?}");
        }
    }

    #[test]
    fn what_comes_along_unseen_is_dropped() {
        for text in [
            "Kari \u{202e}Nordmann",
            "\u{feff}Kari Nordmann\u{200b}",
            "\u{202a}Kari\u{202c} Nord\u{ad}mann",
            "Kari\u{a0}Nordmann",
            "Kari\u{3000}\u{2009}Nordmann\u{2028}",
            "Kari\tNord\u{7}mann\r\n",
            "K\u{200d}ari N\u{200c}ordmann\u{fe0f}",
            "Kari\u{3164}Nordmann\u{e0061}\u{e0100}",
            "Kari Nord\u{fffc}mann\u{0}",
        ] {
            assert_eq!(one_line(text, 200).as_deref(), Ok("Kari Nordmann"), "{text:?}");
        }
        assert_eq!(one_line("Ase\u{200b}\u{30a}", 200).as_deref(), Ok("As\u{65}\u{30a}"));
        assert_eq!(one_line("A\u{200b}\u{30a}se", 200).as_deref(), Ok("\u{c5}se"));
    }

    #[test]
    fn what_joins_letters_and_parts_of_pictures_stays_there() {
        for text in [
            // Persian, Hindi with a form of a letter asked for, Malayalam at a word's end.
            "\u{645}\u{6cc}\u{200c}\u{62e}",
            "\u{915}\u{94d}\u{200d}\u{937}",
            "\u{d28}\u{d4d}\u{200d}",
            // A technician, the rainbow flag, a red heart.
            "\u{1f469}\u{200d}\u{1f4bb}",
            "\u{1f3f3}\u{fe0f}\u{200d}\u{1f308}",
            "\u{2764}\u{fe0f}",
            // Hebrew needs none; a Han character in the form that a family has.
            "\u{5d0}\u{5d1}",
            "\u{845b}\u{e0100}",
            "\u{182d}\u{180b}",
        ] {
            assert_eq!(one_line(text, 200).as_deref(), Ok(text));
        }
        let doubled = "\u{645}\u{200c}\u{200b}\u{200d}\u{200c}\u{62e}";
        assert_eq!(legible(doubled), "\u{645}\u{200c}\u{62e}");
        assert_eq!(legible("\u{645}\u{200c}"), "\u{645}");
    }

    #[test]
    fn digits_and_signs_of_other_keyboards_are_read() {
        assert_eq!(plain_width("１２３　Ａｚ＠"), "123\u{3000}Az@");
        assert_eq!(plain_width("\u{660}"), "\u{660}");
        assert_eq!(plain_digits("\u{660}\u{669} \u{6f1}\u{6f5} \u{967} ７"), "09 15 1 7");
        assert_eq!(plain_digits("Kari Ø 京"), "Kari Ø 京");
    }

    /// Letters and what disturbs them, in every mixture.
    fn any_mixture() -> impl Strategy<Value = String> {
        let unseen = "[\u{0}-\u{20}\u{7f}-\u{a0}\u{ad}\u{200b}-\u{200f}\u{2028}-\u{202f}\u{2060}-\u{2069}\u{180b}-\u{180f}\u{fe00}-\u{fe0f}\u{feff}\u{fffc}\u{3164}\u{e0020}-\u{e0030}\u{e0100}-\u{e0110}]";
        let seen = "[a-cA-C=<0-2\u{e5}\u{300}\u{301}\u{30a}\u{338}\u{645}\u{64e}\u{6cc}\u{915}\u{94d}\u{1820}\u{2126}\u{2190}\u{2764}\u{1f469}\u{1f308}\u{845b}\u{f900}\u{1100}\u{1161}]";
        prop::collection::vec(prop_oneof![unseen, seen, Just("\u{200d}".to_owned())], 0..24)
            .prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_legible_text_stays_as_it_is(text in any_mixture()) {
            let once = legible(&text);
            prop_assert_eq!(legible(&once), once.clone(), "{:?}", text);
            let line = one_line(&text, 200);
            if let Ok(line) = line {
                prop_assert_eq!(one_line(&line, 200), Ok(line.clone()));
            }
        }

        #[test]
        fn texts_that_differ_in_what_nobody_sees_are_the_same(
            text in "[a-z\u{e5}\u{f8}\u{4e2d} ]{1,20}",
            unseen in "[\u{1}-\u{8}\u{ad}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{fff9}-\u{fffc}\u{e0001}-\u{e00ff}]{1,3}",
            place in 0..20_usize,
        ) {
            let place = text.char_indices().map(|(place, _)| place).nth(place).unwrap_or(0);
            let (head, tail) = text.split_at(place);
            prop_assert_eq!(legible(&format!("{head}{unseen}{tail}")), legible(&text));
        }
    }
}
