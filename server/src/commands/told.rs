//! What a command has to say: sentences for people, or with `--json` one object for programs, whose keys
//! stay as they are.

use std::io::{self, Write};

use anyhow::{Context, Result};
use model::Timestamp;
use serde_json::{Value, json};

use crate::spool::Spool;

/// Whom a command speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// Somebody at a terminal.
    Person,
    /// Another program.
    Program,
}

/// What a command found or did.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// None where there is nothing to say.
    facts: Option<Value>,
    lines: Vec<String>,
    trouble: Option<String>,
}

impl Told {
    /// These facts, and no sentence yet.
    pub(super) const fn new(facts: Value) -> Self {
        Self { facts: Some(facts), lines: Vec::new(), trouble: None }
    }

    /// Nothing.
    pub(super) const fn nothing() -> Self {
        Self { facts: None, lines: Vec::new(), trouble: None }
    }

    /// The same with one more sentence.
    pub(super) fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// The same with several more.
    pub(super) fn lines(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.lines.extend(lines);
        self
    }

    /// The same, and the command couldn't do, or found, what it should: this is why.
    pub(super) fn but(self, trouble: impl Into<String>) -> Self {
        Self { trouble: Some(trouble.into()), ..self }
    }

    /// Why the command failed, if it did.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Says it on standard output.
    ///
    /// # Errors
    /// When that can't be written to. That nobody reads it any more is no error.
    pub(super) fn say(&self, audience: Audience) -> Result<()> {
        let mut text = match audience {
            Audience::Person => self.lines.join("\n"),
            Audience::Program => self.facts.as_ref().map(Value::to_string).unwrap_or_default(),
        };
        if text.is_empty() {
            return Ok(());
        }
        text.push('\n');
        let mut output = io::stdout().lock();
        match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
            // `latchkey account list | head` is no error.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.context("standard output can't be written to"),
        }
    }
}

/// Says on standard error what went wrong: one sentence each.
pub(super) fn complain(sentences: &[String], audience: Audience, errors: &Spool) {
    match audience {
        Audience::Person => {
            for sentence in sentences {
                errors.add(format!("latchkey: {sentence}\n").as_bytes());
            }
        }
        Audience::Program => {
            let error = json!({ "error": sentences.join("; "), "errors": sentences });
            errors.add(format!("{error}\n").as_bytes());
        }
    }
}

/// A moment as programs read it (RFC 3339).
pub(super) fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_for_programs() {
        let at = Timestamp::from_micros(1_800_000_000_000_000);
        assert_eq!(moment(at), "2027-01-15T08:00:00Z");
    }
}
