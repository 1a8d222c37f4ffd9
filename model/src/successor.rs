//! Who may take an account over if none of its owners can be reached, and how long that waits.

use std::time::Duration;

use crate::{FieldProblem, legible, plain_digits};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How many days a successor waits who asked to take the account over: as many as its owners chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WaitDays(u32);

impl WaitDays {
    /// The fewest.
    pub const LEAST: u32 = 7;
    /// The most.
    pub const MOST: u32 = 60;

    /// Reads what was typed.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`], [`FieldProblem::Malformed`] for anything but a number within the bounds.
    pub fn parse(typed: &str) -> Result<Self, FieldProblem> {
        let text = plain_digits(&legible(typed));
        let text = text.trim();
        if text.is_empty() {
            return Err(FieldProblem::Missing);
        }
        let days = text.parse().ok().filter(|days| (Self::LEAST..=Self::MOST).contains(days));
        days.map(Self).ok_or(FieldProblem::Malformed)
    }

    /// Reads what the database holds.
    #[must_use]
    pub fn from_stored(days: i64) -> Self {
        let days = u32::try_from(days).unwrap_or(Self::LEAST);
        Self(days.clamp(Self::LEAST, Self::MOST))
    }

    /// How many.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// How long that is.
    #[must_use]
    pub fn span(self) -> Duration {
        DAY.saturating_mul(self.0)
    }
}

/// Two weeks.
impl Default for WaitDays {
    fn default() -> Self {
        Self(14)
    }
}

/// After how long an account's owners are reminded that somebody asked to take it over.
pub const TAKEOVER_REMINDERS: [Duration; 2] = [DAY.saturating_mul(3), DAY.saturating_mul(7)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_week_to_sixty_days() {
        for (typed, days) in [("7", 7), (" 14 ", 14), ("60", 60), ("٣٠", 30)] {
            assert_eq!(WaitDays::parse(typed).map(WaitDays::number), Ok(days), "{typed}");
        }
        assert_eq!(WaitDays::parse(" "), Err(FieldProblem::Missing));
        for typed in ["6", "61", "-14", "14.5", "two weeks", "99999999999"] {
            assert_eq!(WaitDays::parse(typed), Err(FieldProblem::Malformed), "{typed}");
        }
        assert_eq!(WaitDays::from_stored(WaitDays::default().number().into()).number(), 14);
        assert_eq!(WaitDays::from_stored(-1).number(), 7);
        assert_eq!(WaitDays::default().span(), DAY * 14);
    }
}
