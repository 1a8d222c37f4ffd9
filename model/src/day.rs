//! Days of the calendar, counted. The words for them are elsewhere: the calendar is heavy.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A day in UTC: days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(i64);

impl Day {
    const LENGTH: Duration = Duration::from_secs(24 * 60 * 60);

    /// The day that this moment is in.
    #[must_use]
    pub const fn of(moment: Timestamp) -> Self {
        Self(moment.as_micros().div_euclid(Self::LENGTH.as_micros() as i64))
    }

    /// The newest day that was over at this moment.
    #[must_use]
    pub const fn finished_at(now: Timestamp) -> Self {
        Self(Self::of(now).0 - 1)
    }

    /// The day that the database holds.
    #[must_use]
    pub const fn from_stored(day: i64) -> Self {
        Self(day)
    }

    /// The day as the database holds it.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Its first moment.
    #[must_use]
    pub const fn begin(self) -> Timestamp {
        Timestamp::from_micros(self.0.saturating_mul(Self::LENGTH.as_micros() as i64))
    }

    /// The first moment after it.
    #[must_use]
    pub fn end(self) -> Timestamp {
        self.begin().after(Self::LENGTH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_lasts_from_its_first_moment_to_the_next_days() {
        let day = Day::from_stored(20_781);
        let last = Timestamp::from_micros(day.end().as_micros() - 1);
        for moment in [day.begin(), last] {
            assert_eq!(Day::of(moment), day);
            assert_eq!(Day::finished_at(moment).get(), 20_780);
        }
        assert_eq!(Day::of(day.end()).get(), 20_782);
        assert_eq!(Day::of(Timestamp::from_micros(-1)).get(), -1, "before 1970, too");
    }
}
