//! Access that opens nothing at present, without having ended: paused by somebody, or because every
//! grant lapsed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{AccountNumber, Timestamp};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a membership opens nothing at present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// Somebody paused it.
    ByHand {
        /// When.
        since: Timestamp,
        /// Who did, by name, if that is known.
        by: Option<String>,
        /// Why; empty if they didn't say.
        why: String,
    },
    /// Its last grant ended, as it was given.
    Lapsed {
        /// When.
        since: Timestamp,
    },
}

impl Pause {
    /// Since when it opens nothing.
    #[must_use]
    pub const fn since(&self) -> Timestamp {
        match self {
            Self::ByHand { since, .. } | Self::Lapsed { since } => *since,
        }
    }
}

/// An account that is closed to somebody whose access is paused, and whom they can ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PausedAccess {
    /// The account's number.
    pub number: AccountNumber,
    /// The account's name.
    pub account: String,
    /// The time zone in which its days end; none for the provider's.
    pub time_zone: Option<String>,
    /// Since when, and why.
    pub pause: Pause,
    /// The owners, by name.
    pub owners: Vec<String>,
}

/// How near a grant's end is: what people are told of, stage by stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndStage {
    /// Seven days at most.
    Week,
    /// A day at most.
    Day,
    /// It has come.
    Ended,
}

impl EndStage {
    /// Every stage, the first one first.
    pub const ALL: [Self; 3] = [Self::Week, Self::Day, Self::Ended];

    /// How long before the end it begins.
    #[must_use]
    pub const fn ahead(self) -> Duration {
        match self {
            Self::Week => Duration::from_secs(7 * DAY.as_secs()),
            Self::Day => DAY,
            Self::Ended => Duration::ZERO,
        }
    }

    /// The stage in which such an end is at this moment; none if it is far off.
    #[must_use]
    pub fn of(until: Timestamp, now: Timestamp) -> Option<Self> {
        Self::ALL.into_iter().rfind(|stage| until <= now.after(stage.ahead()))
    }

    /// The number that the database holds. A later stage has a greater one, and none is 0.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Week => 1,
            Self::Day => 2,
            Self::Ended => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_of_a_week_and_a_day_before_and_when_it_comes() {
        let until = Timestamp::from_micros(1_800_000_000_000_000);
        let second = Duration::from_secs(1);
        let cases = [
            (until.before(7 * DAY + second), None),
            (until.before(7 * DAY), Some(EndStage::Week)),
            (until.before(DAY + second), Some(EndStage::Week)),
            (until.before(DAY), Some(EndStage::Day)),
            (until.before(second), Some(EndStage::Day)),
            (until, Some(EndStage::Ended)),
            (until.after(90 * DAY), Some(EndStage::Ended)),
        ];
        for (now, stage) in cases {
            assert_eq!(EndStage::of(until, now), stage, "{now:?}");
        }
        assert!(EndStage::ALL.is_sorted_by_key(|stage| stage.number()));
    }
}
