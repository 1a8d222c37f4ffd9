//! A text of one line, as people type names.

use crate::FieldProblem;

/// Takes a line as typed, of at most `longest` characters; space around it and runs of space inside
/// it are folded.
///
/// # Errors
/// [`FieldProblem::Missing`], also when nothing of it is to be seen; [`FieldProblem::TooLong`], or
/// [`FieldProblem::Malformed`] for characters that disturb.
pub(crate) fn one_line(text: &str, longest: usize) -> Result<String, FieldProblem> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !is_seen(&line) {
        Err(FieldProblem::Missing)
    } else if line.chars().any(disturbs) {
        Err(FieldProblem::Malformed)
    } else if line.chars().count() > longest {
        Err(FieldProblem::TooLong)
    } else {
        Ok(line)
    }
}

/// Whether the character does something to the text around it: a control character, or one that turns
/// the direction of what follows (Unicode UAX #9 sections 2.1 to 2.3), in whosever sentence it stands.
#[must_use]
pub fn disturbs(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether there is a character in it that leaves a mark.
#[must_use]
pub fn is_seen(text: &str) -> bool {
    text.chars().any(|character| {
        !character.is_whitespace()
            && !matches!(
                character,
                '\u{ad}'
                    | '\u{34f}'
                    | '\u{61c}'
                    | '\u{115f}'
                    | '\u{1160}'
                    | '\u{17b4}'
                    | '\u{17b5}'
                    | '\u{180b}'..='\u{180f}'
                    | '\u{200b}'..='\u{200f}'
                    | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}'
                    | '\u{3164}'
                    | '\u{fe00}'..='\u{fe0f}'
                    | '\u{feff}'
                    | '\u{ffa0}'
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_no_name() {
        for text in ["", " ", "\u{200b}", "\u{feff} \u{2060}", "\u{3164}"] {
            assert_eq!(one_line(text, 200), Err(FieldProblem::Missing), "{text:?}");
        }
        for text in ["Nordlys \u{202e}Bakeri", "a\u{2066}b", "a\u{7}b"] {
            assert_eq!(one_line(text, 200), Err(FieldProblem::Malformed), "{text:?}");
        }
        // Joiners are a part of words in some scripts, and of some pictures.
        for text in
            ["\u{645}\u{6cc}\u{200c}\u{62e}", "\u{1f469}\u{200d}\u{1f4bb}", "\u{5d0}\u{5d1}"]
        {
            assert_eq!(one_line(text, 200).as_deref(), Ok(text));
        }
    }
}
