//! Moments as people read them. The server puts them into words, so that server and browser show
//! the same text; the browser only shows them.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// A moment, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment {
    /// For machines (RFC 3339).
    machine: String,
    /// To the minute, in UTC.
    exact: String,
    /// As seen from now.
    relative: String,
}

impl Moment {
    /// As seen from now, such as "in 6 days".
    pub(crate) fn relative(&self) -> &str {
        &self.relative
    }

    /// To the minute.
    pub(crate) fn exact(&self) -> &str {
        &self.exact
    }
}

/// A moment as seen from now, the exact one in its title.
#[component]
pub(crate) fn Relative(
    /// The moment.
    moment: Moment,
) -> impl IntoView {
    view! { <time datetime=moment.machine title=moment.exact>{moment.relative}</time> }
}

/// The day of a moment.
#[component]
pub(crate) fn Day(
    /// The moment.
    moment: Moment,
) -> impl IntoView {
    let day = moment.exact.split(',').next().unwrap_or_default().to_owned();
    view! { <time datetime=moment.machine title=moment.exact>{day}</time> }
}

#[cfg(feature = "ssr")]
pub(crate) mod server {
    use model::Timestamp;

    use super::Moment;

    impl Moment {
        /// Puts a moment into words, as seen from `now`.
        pub(crate) fn new(at: Timestamp, now: Timestamp) -> Self {
            let machine = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
            let utc = machine.to_zoned_datetime(jiff::tz::TimeZone::UTC);
            Self {
                machine: machine.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                exact: utc.strftime("%-d %B %Y, %H:%M UTC").to_string(),
                relative: relative(at, now),
            }
        }
    }

    /// The moment to the minute, for mails.
    pub(crate) fn exact(at: Timestamp) -> String {
        Moment::new(at, at).exact
    }

    fn relative(at: Timestamp, now: Timestamp) -> String {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;
        let ahead = at.since(now).as_secs();
        let past = now.since(at).as_secs();
        match (ahead, past) {
            (0..MINUTE, 0..MINUTE) => words!(when.now),
            (0, MINUTE..120) => words!(when.minute_ago),
            (0, 120..HOUR) => words!(when.minutes_ago, n = past / MINUTE),
            (0, HOUR..7_200) => words!(when.hour_ago),
            (0, 7_200..DAY) => words!(when.hours_ago, n = past / HOUR),
            (0, DAY..172_800) => words!(when.day_ago),
            (0, _) => words!(when.days_ago, n = past / DAY),
            (MINUTE..120, _) => words!(when.in_minute),
            (120..HOUR, _) => words!(when.in_minutes, n = ahead / MINUTE),
            (HOUR..7_200, _) => words!(when.in_hour),
            (7_200..DAY, _) => words!(when.in_hours, n = ahead / HOUR),
            (DAY..172_800, _) => words!(when.in_day),
            (_, _) => words!(when.in_days, n = (ahead + HOUR) / DAY),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn moments_are_told_as_seen_from_now() {
            let now = Timestamp::from_micros(1_000_000_000_000_000);
            let secs = |s: i64| Timestamp::from_micros(now.as_micros() + s * 1_000_000);
            let cases = [
                (0, "just now"),
                (-59, "just now"),
                (-61, "1 minute ago"),
                (-7_100, "1 hour ago"),
                (-90_000, "yesterday"),
                (-200_000, "2 days ago"),
                (61, "in 1 minute"),
                (7 * 86_400 - 5, "in 7 days"),
                (86_400, "tomorrow"),
            ];
            for (seconds, words) in cases {
                assert_eq!(relative(secs(seconds), now), words, "{seconds}");
            }
        }
    }
}
