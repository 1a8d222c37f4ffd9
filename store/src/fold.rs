//! How text is looked for: as people type it who have another keyboard, or are in a hurry.

use std::collections::BTreeSet;

use icu_normalizer::DecomposingNormalizerBorrowed;
use model::{EmailAddress, legible, plain_digits};

/// The text without case, accents and the like: "Bjørn", "BJORN" and "bjorn" are one. What begins
/// alike is folded alike, so that the beginning of a word finds it.
pub(crate) fn fold(text: &str) -> String {
    let apart = DecomposingNormalizerBorrowed::new_nfkd();
    let apart = apart.normalize(&plain_digits(&legible(text))).into_owned();
    let mut folded = String::with_capacity(apart.len());
    for character in apart.chars().flat_map(char::to_lowercase) {
        match character {
            // An å is an a with a mark by now; where it can't be typed it is written twice.
            'a' if folded.ends_with('a') => {}
            'æ' => folded.push_str(if folded.ends_with('a') { "e" } else { "ae" }),
            'œ' => folded.push_str("oe"),
            'ß' => folded.push_str("ss"),
            'þ' => folded.push_str("th"),
            mark if is_mark(mark) => {}
            letter => folded.push(plain_letter(letter)),
        }
    }
    folded
}

/// The words that a text is found by: as they stand between spaces, and every run of letters and
/// digits in them.
pub(crate) fn words_of(text: &str) -> BTreeSet<String> {
    let text = legible(text).to_lowercase();
    // As letters are spelt out in German and Danish, and Persian words with a space in them.
    let spelt = [('ä', "ae"), ('ö', "oe"), ('ü', "ue"), ('ø', "oe"), ('\u{200c}', " ")];
    let spelt = spelt.iter().fold(text.clone(), |text, (letter, as_)| text.replace(*letter, as_));
    let mut words = BTreeSet::new();
    for text in [fold(&text), fold(&spelt)] {
        let whole = text.split_whitespace();
        let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
        words.extend(whole.chain(parts).map(str::to_owned));
    }
    words
}

/// The letter that is typed for one that isn't a letter and a mark, but has no key on most keyboards.
const fn plain_letter(letter: char) -> char {
    match letter {
        'ø' => 'o',
        'ł' => 'l',
        'đ' | 'ð' => 'd',
        'ħ' => 'h',
        'ı' => 'i',
        'ŧ' => 't',
        'ŋ' => 'n',
        'ə' => 'e',
        'ς' => 'σ',
        // Arabic's, for which a Persian keyboard has its own.
        'ي' | 'ى' => 'ی',
        'ك' => 'ک',
        letter => letter,
    }
}

/// Marks that are left out when people are in a hurry, and what joins and selects forms. Not the
/// vowels of India's scripts, which are marks to Unicode as well.
const fn is_mark(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{36f}'
            | '\u{483}'..='\u{487}'
            | '\u{591}'..='\u{5bd}'
            | '\u{5bf}'
            | '\u{5c1}'..='\u{5c2}'
            | '\u{5c4}'..='\u{5c5}'
            | '\u{5c7}'
            | '\u{610}'..='\u{61a}'
            | '\u{640}'
            | '\u{64b}'..='\u{65f}'
            | '\u{670}'
            | '\u{6d6}'..='\u{6dc}'
            | '\u{180b}'..='\u{180f}'
            | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}'
            | '\u{200c}'..='\u{200d}'
            | '\u{20d0}'..='\u{20ff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{fe20}'..='\u{fe2f}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

/// The words that a user is found by: those of their name, and of their address in both its forms.
pub(crate) fn found_by(full_name: &str, email: &EmailAddress) -> BTreeSet<String> {
    words_of(&format!("{full_name} {} {}", email.as_str(), email.key()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_for_the_same_is_the_same() {
        for (typed, meant) in [
            ("bjorn", "Bjørn"),
            ("BJØRN", "bjørn"),
            ("Bjo\u{308}rn", "Bj\u{f6}rn"),
            ("A\u{30a}se", "\u{c5}se"),
            ("Aase", "Åse"),
            ("Hakon", "Haakon"),
            ("strasse", "Straße"),
            ("STRASSE", "STRAẞE"),
            ("saether", "Sæther"),
            ("Lukasz Walesa", "Łukasz Wałęsa"),
            ("Dorde", "Đorđe"),
            ("istanbul", "İstanbul"),
            ("isik", "ışık"),
            ("nguyen", "Nguyễn"),
            ("οδυσσευς", "ΟΔΥΣΣΕΎΣ"),
            ("еж", "Ёж"),
            ("שלום", "שָׁלוֹם"),
            ("محمد", "مُحَمَّد"),
            ("علی", "علي"),
            ("میخواهم", "می\u{200c}خواهم"),
            ("kari 12", "Ｋａｒｉ １２"),
            ("fin", "ﬁn"),
            ("kari", "ka\u{200b}ri\u{fe0f}"),
        ] {
            assert_eq!(fold(typed), fold(meant), "{typed} {meant}");
        }
        for (one, other) in [("Ida", "Ina"), ("हिन्दी", "हन्द"), ("か", "き")]
        {
            assert_ne!(fold(one), fold(other));
        }
    }

    #[test]
    fn the_beginning_of_a_word_is_folded_as_in_the_word() {
        for word in ["Haakon", "Straße", "Sæther", "Åæa", "Łukasz", "مُحَمَّد", "ﬁn"]
        {
            for (place, _) in word.char_indices() {
                let (beginning, _) = word.split_at(place);
                assert!(fold(word).starts_with(&fold(beginning)), "{word} {beginning}");
            }
        }
    }

    #[test]
    fn what_a_user_is_found_by() {
        let words = words_of("Jean-Luc O'Brien Jo.Lie@Bücher.example jo.lie@xn--bcher-kva.example");
        let expected = [
            "bcher",
            "brien",
            "bucher",
            "buecher",
            "example",
            "jean",
            "jean-luc",
            "jo",
            "jo.lie@bucher.example",
            "jo.lie@buecher.example",
            "jo.lie@xn--bcher-kva.example",
            "kva",
            "lie",
            "luc",
            "o",
            "o'brien",
            "xn",
        ];
        assert_eq!(words.iter().collect::<Vec<_>>(), expected);
    }
}
