//! Moments as people read them. The server puts them into words, so that server and browser show
//! the same text; the browser only shows them.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

/// A moment, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment {
    /// For machines (RFC 3339).
    machine: String,
    /// To the minute.
    exact: String,
    /// The day.
    day: String,
    /// As seen from now.
    relative: String,
}

impl Moment {
    /// As seen from now, such as "in 6 days".
    pub(crate) fn relative(&self) -> &str {
        &self.relative
    }
}

/// A moment as seen from now, the exact one in its title.
pub(crate) fn relative(moment: &Moment) -> Markup {
    time(moment, &moment.relative)
}

/// When something was, as seen from now, or that it never was.
pub(crate) fn relative_or_never(moment: Option<&Moment>) -> Markup {
    moment.map_or_else(|| html! { span { (words!(users.never)) } }, relative)
}

/// The day of a moment.
pub(crate) fn day(moment: &Moment) -> Markup {
    time(moment, &moment.day)
}

/// The time of day of a moment, and beside it the moment as seen from now.
pub(crate) fn time_of_day(moment: &Moment, time_of_day: &str) -> Markup {
    html! {
        (time(moment, time_of_day))
        " "
        span.quiet { (moment.relative) }
    }
}

fn time(moment: &Moment, words: &str) -> Markup {
    html! { time datetime=(moment.machine) title=(moment.exact) { (words) } }
}

#[cfg(feature = "ssr")]
pub(crate) mod server {
    use model::Timestamp;

    use super::Moment;
    use crate::formats;

    impl Moment {
        /// Puts a moment into words, as seen from `now`.
        pub(crate) fn new(at: Timestamp, now: Timestamp) -> Self {
            let machine = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
            Self {
                machine: machine.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                exact: exact(at),
                day: formats::day(at),
                relative: relative(at, now),
            }
        }

        /// The same for a day of the calendar, which is stored as its beginning in UTC and is no other
        /// day in other time zones.
        pub(crate) fn of_calendar(at: Timestamp, now: Timestamp) -> Self {
            let day = formats::calendar_day(at);
            Self { exact: day.clone(), day, ..Self::new(at, now) }
        }
    }

    /// The moment to the minute.
    pub(crate) fn exact(at: Timestamp) -> String {
        formats::minute(at)
    }

    fn relative(at: Timestamp, now: Timestamp) -> String {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;
        let ahead = at.since(now).as_secs();
        let past = now.since(at).as_secs();
        match (ahead, past) {
            (0..MINUTE, 0..MINUTE) => words!(when.now),
            (0, MINUTE..HOUR) => words!(when.minutes_ago, count = past / MINUTE),
            (0, HOUR..DAY) => words!(when.hours_ago, count = past / HOUR),
            (0, _) => words!(when.days_ago, count = past / DAY),
            (MINUTE..HOUR, _) => words!(when.in_minutes, count = ahead / MINUTE),
            (HOUR..DAY, _) => words!(when.in_hours, count = ahead / HOUR),
            (_, _) => words!(when.in_days, count = (ahead + HOUR) / DAY),
        }
    }

    /// How long to wait: "in 8 seconds". What is longer than a unit is rounded up to it.
    pub(crate) fn wait(seconds: u32) -> String {
        const MINUTE: u32 = 60;
        const HOUR: u32 = 60 * MINUTE;
        match seconds {
            0..MINUTE => words!(when.in_seconds, count = seconds),
            MINUTE..HOUR => words!(when.in_minutes, count = seconds.div_ceil(MINUTE)),
            HOUR.. => words!(when.in_hours, count = seconds.div_ceil(HOUR)),
        }
    }

    #[cfg(test)]
    mod tests {
        use leptos::prelude::*;

        use super::*;
        use crate::Locale;

        fn told(locale: Locale, seconds: i64) -> String {
            let now = Timestamp::from_micros(1_000_000_000_000_000);
            let at = Timestamp::from_micros(now.as_micros() + seconds * 1_000_000);
            Owner::new().with(|| {
                provide_context(locale);
                relative(at, now)
            })
        }

        #[test]
        fn moments_are_told_as_seen_from_now() {
            let cases = [
                (0, "just now"),
                (-59, "just now"),
                (-61, "1 minute ago"),
                (-3_000, "50 minutes ago"),
                (-7_100, "1 hour ago"),
                (-90_000, "1 day ago"),
                (-200_000, "2 days ago"),
                (61, "in 1 minute"),
                (7 * 86_400 - 5, "in 7 days"),
                (86_400, "in 1 day"),
            ];
            for (seconds, words) in cases {
                assert_eq!(told(Locale::en, seconds), words, "{seconds}");
            }
        }

        #[test]
        fn a_wait_is_never_told_shorter_than_it_is() {
            let cases = [
                (1, "in 1 second"),
                (59, "in 59 seconds"),
                (60, "in 1 minute"),
                (61, "in 2 minutes"),
                (3_599, "in 60 minutes"),
                (3_601, "in 2 hours"),
                (86_400, "in 24 hours"),
            ];
            for (seconds, words) in cases {
                let told = Owner::new().with(|| {
                    provide_context(Locale::en);
                    wait(seconds)
                });
                assert_eq!(told, words, "{seconds}");
            }
        }

        #[test]
        fn each_language_has_its_own_dates() {
            let at = Timestamp::from_micros(1_795_514_700_000_000);
            let cases = [
                (Locale::en, "24 November 2026 at 10:05 UTC"),
                (Locale::nb, "24. november 2026 kl. 10:05 UTC"),
                (Locale::de, "24. November 2026 um 10:05 UTC"),
            ];
            for (locale, words) in cases {
                let written = Owner::new().with(|| {
                    provide_context(locale);
                    exact(at)
                });
                assert_eq!(written, words);
            }
        }
    }
}
