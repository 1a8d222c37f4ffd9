//! A text of one line, as people type names.

use crate::FieldProblem;

/// Takes a line as typed, of at most `longest` characters; space around it and runs of space inside
/// it are folded.
///
/// # Errors
/// [`FieldProblem::Missing`], [`FieldProblem::TooLong`], or [`FieldProblem::Malformed`] for control
/// characters.
pub(crate) fn one_line(text: &str, longest: usize) -> Result<String, FieldProblem> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        Err(FieldProblem::Missing)
    } else if line.chars().any(char::is_control) {
        Err(FieldProblem::Malformed)
    } else if line.chars().count() > longest {
        Err(FieldProblem::TooLong)
    } else {
        Ok(line)
    }
}
