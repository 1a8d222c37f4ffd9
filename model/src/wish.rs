//! What somebody wants to give, before it is known whether they can.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::{Area, Permission, Timestamp};

/// Which things of an area are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// It isn't said: as it is, or as much as can be given.
    #[default]
    Unsaid,
    /// All of them, also those to come.
    All,
    /// These, of those that can be chosen from.
    These(BTreeSet<Uuid>),
}

/// Until when something is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Until {
    /// It isn't said: as it is, or for as long as can be given.
    #[default]
    Unsaid,
    /// Without end.
    Endless,
    /// Until the end of a day.
    Day {
        /// The day's first moment.
        begin: Timestamp,
        /// The first moment after it.
        end: Timestamp,
    },
}

impl Until {
    /// The moment that is meant, where it was `before` so far and can be `longest`. A day on which
    /// one of these comes stands for that moment.
    pub(crate) fn moment(
        self,
        before: Option<Timestamp>,
        longest: Option<Timestamp>,
    ) -> Option<Timestamp> {
        match self {
            Self::Unsaid => before,
            Self::Endless => None,
            Self::Day { begin, end } => {
                let known = before.into_iter().chain(longest);
                Some(known.into_iter().find(|at| begin < *at && *at <= end).unwrap_or(end))
            }
        }
    }
}

/// What somebody wants to give: the permissions whose boxes are ticked, as the boxes of a form without
/// scripts, which don't follow each other; on what, and until when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The ticks.
    pub ticks: Vec<Permission>,
    /// On which services.
    pub services: Which,
    /// On which domains.
    pub domains: Which,
    /// Until when.
    pub until: Until,
}

impl Wish {
    /// These permissions, of which no more is said.
    #[must_use]
    pub fn of(ticks: impl IntoIterator<Item = Permission>) -> Self {
        Self { ticks: ticks.into_iter().collect(), ..Self::default() }
    }

    /// Which things of the area are wanted; nothing is said of an area that has none.
    pub(crate) const fn which(&self, area: Area) -> &Which {
        match area {
            Area::Services => &self.services,
            Area::Domains => &self.domains,
            Area::Billing | Area::Support | Area::Account => &Which::Unsaid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_stands_for_the_end_that_comes_on_it() {
        let at = |micros| Some(Timestamp::from_micros(micros));
        let [begin, end] = [10, 20].map(Timestamp::from_micros);
        let day = Until::Day { begin, end };
        let cases = [
            (Until::Unsaid, at(3), at(15), at(3)),
            (Until::Endless, at(3), at(15), None),
            (day, None, None, at(20)),
            (day, at(12), at(15), at(12)),
            (day, at(10), at(15), at(15)),
            (day, at(3), at(21), at(20)),
        ];
        for (wanted, before, longest, expected) in cases {
            assert_eq!(wanted.moment(before, longest), expected, "{wanted:?} {before:?}");
        }
    }
}
