//! The activity log: reading it. Everything that changes something writes to it as it does so.

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{
    ActivityKind, Actor, Cursor, Failure, Field, FieldErrors, FieldProblem, On, PAGE_SIZE,
    Permission, Timestamp,
};
use store::ActivityFilter;
pub use store::{ActivityRow, NewActivity};

use crate::Latchkey;
use crate::giving::{begin, day_of};

/// How much of the text that a person is looked for by counts, in characters: no address is longer
/// (RFC 5321 section 4.5.3.1.3), and SQLite takes no pattern over 50,000 bytes.
const LONGEST_PERSON: usize = 254;

/// How many days up to today can be asked for: a year.
const MOST_DAYS: i32 = 366;

/// Which rows are asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Those that name somebody so.
    pub person: String,
    /// Those of this kind.
    pub kind: Option<ActivityKind>,
    /// Those of these days.
    pub days: Days,
}

/// The days whose rows are asked for, the first and the last of them; none is without bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub to: Option<Date>,
}

impl Days {
    /// So many days up to today in this time zone, if `last` is a number of them; else the days from one
    /// to the other, as they were typed, such as `2027-01-31`, or empty.
    ///
    /// # Errors
    /// What is wrong with which field: one is no day, or the last day is before the first.
    pub fn read(
        (from, to, last): (&str, &str, &str),
        zone: &TimeZone,
        now: Timestamp,
    ) -> Result<Self, FieldErrors> {
        match last.parse() {
            Ok(days @ 1..=MOST_DAYS) => Ok(Self::last(days, zone, now)),
            _ => Self::typed(from, to),
        }
    }

    fn typed(from: &str, to: &str) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut day = |field, typed: &str| {
            let day = match typed.trim() {
                "" => Ok(None),
                text => Date::strptime("%Y-%m-%d", text).map(Some),
            };
            // The first and the last ones of the calendar don't begin and end everywhere.
            let day = day.ok().filter(|day| day.is_none_or(|day| (1..9999).contains(&day.year())));
            errors.take(field, day.ok_or(FieldProblem::Malformed)).flatten()
        };
        let days = Self { from: day(Field::FromDay, from), to: day(Field::ToDay, to) };
        if days.from.zip(days.to).is_some_and(|(from, to)| to < from) {
            errors.note(Field::ToDay, FieldProblem::Past);
        }
        if errors.0.is_empty() { Ok(days) } else { Err(errors) }
    }

    fn last(days: i32, zone: &TimeZone, now: Timestamp) -> Self {
        let today = day_of(now, zone);
        Self { from: Some(today.saturating_sub((days - 1).days())), to: Some(today) }
    }

    /// What a file with these rows is named after: its first day, if it has one, and its last.
    #[must_use]
    pub fn name(&self, zone: &TimeZone, now: Timestamp) -> String {
        let to = self.to.unwrap_or_else(|| day_of(now, zone));
        match self.from {
            Some(from) => format!("{from}-{to}"),
            None => to.to_string(),
        }
    }

    /// The moments between which they lie in this time zone.
    fn bounds(&self, zone: &TimeZone) -> (Option<Timestamp>, Option<Timestamp>) {
        let end = |day: Date| begin(day.tomorrow().ok()?, zone);
        (self.from.and_then(|day| begin(day, zone)), self.to.and_then(end))
    }
}

/// The day that a moment is in.
#[must_use]
pub fn day(at: Timestamp, zone: &TimeZone) -> Date {
    day_of(at, zone)
}

/// One page of the log.
#[derive(Clone, Debug)]
pub struct ActivityPage {
    /// The rows, newest first.
    pub rows: Vec<ActivityRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// The rows that are asked for, newest first, with days as in this time zone.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn page(
    latchkey: &Latchkey,
    actor: &Actor,
    asked: &Asked,
    zone: &TimeZone,
    after: Option<Cursor>,
) -> Result<ActivityPage, Failure> {
    rows(latchkey, actor, asked, zone, after, PAGE_SIZE).await
}

/// The next piece of the log for exporting it: like [`page`], in larger pieces.
///
/// # Errors
/// As [`page`].
pub async fn export(
    latchkey: &Latchkey,
    actor: &Actor,
    asked: &Asked,
    zone: &TimeZone,
    after: Option<Cursor>,
) -> Result<ActivityPage, Failure> {
    rows(latchkey, actor, asked, zone, after, 1_000).await
}

async fn rows(
    latchkey: &Latchkey,
    actor: &Actor,
    asked: &Asked,
    zone: &TimeZone,
    after: Option<Cursor>,
    most: usize,
) -> Result<ActivityPage, Failure> {
    actor.must(Permission::AccountLog, On::Account)?;
    let person: String = asked.person.trim().chars().take(LONGEST_PERSON).collect();
    let person = Some(person).filter(|person| !person.is_empty());
    let (from, until) = asked.days.bounds(zone);
    let filter = ActivityFilter { person, kind: asked.kind, from, until, after };
    let mut rows = latchkey.store.activity(actor.account, &filter, most + 1).await?;
    let more = rows.len() > most;
    rows.truncate(most);
    let cursor = |row: &ActivityRow| Cursor { key: String::new(), id: row.id };
    let next = rows.last().filter(|_| more).map(cursor);
    Ok(ActivityPage { rows, next })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zones;

    fn at(text: &str) -> Timestamp {
        let at: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_micros(at.as_microsecond())
    }

    #[test]
    fn days_are_read_as_they_are_typed_or_refused_at_their_field() {
        let cases = [
            ("", "", vec![]),
            (" 2027-01-10", "2027-01-10", vec![]),
            ("2027-01-10", "", vec![]),
            ("10.1.2027", "", vec![Field::FromDay]),
            ("2027-02-30", "x", vec![Field::FromDay, Field::ToDay]),
            ("2027-01-11", "2027-01-10", vec![Field::ToDay]),
            ("9999-12-31", "-9999-01-01", vec![Field::FromDay, Field::ToDay]),
        ];
        for (from, to, wrong) in cases {
            let fields = Days::typed(from, to).err().unwrap_or_default();
            let fields: Vec<_> = fields.0.iter().map(|error| error.field).collect();
            assert_eq!(fields, wrong, "{from:?} {to:?}");
        }
    }

    #[test]
    fn days_begin_and_end_where_their_reader_is() {
        let cases = [
            ("UTC", "2027-01-10T00:00:00Z", "2027-01-11T00:00:00Z"),
            ("Asia/Kathmandu", "2027-01-09T18:15:00Z", "2027-01-10T18:15:00Z"),
            ("Pacific/Kiritimati", "2027-01-09T10:00:00Z", "2027-01-10T10:00:00Z"),
        ];
        let days = Days::typed("2027-01-10", "2027-01-10").unwrap();
        for (zone, from, until) in cases {
            let bounds = days.bounds(&zones::known(zone).unwrap());
            assert_eq!(bounds, (Some(at(from)), Some(at(until))), "{zone}");
        }
        // The clocks go forward on the 28th: an hour less.
        let days = Days::typed("2027-03-28", "2027-03-28").unwrap();
        let (from, until) = days.bounds(&zones::known("Europe/Oslo").unwrap());
        assert_eq!(from, Some(at("2027-03-27T23:00:00Z")));
        assert_eq!(until, Some(at("2027-03-28T22:00:00Z")));
    }

    #[test]
    fn the_last_week_is_today_and_the_six_days_before() {
        let now = at("2026-11-28T10:30:00Z");
        let cases = [
            ("UTC", "2026-11-22-2026-11-28"),
            ("Pacific/Kiritimati", "2026-11-23-2026-11-29"),
            ("Pacific/Niue", "2026-11-21-2026-11-27"),
        ];
        for (zone, name) in cases {
            let zone = zones::known(zone).unwrap();
            assert_eq!(Days::last(7, &zone, now).name(&zone, now), name);
        }
        let utc = TimeZone::UTC;
        for no_number in ["", "0", "-1", "367", "7 days", "99999999999999999999"] {
            let days = Days::read(("2026-11-01", "", no_number), &utc, now).unwrap();
            assert_eq!(days.name(&utc, now), "2026-11-01-2026-11-28", "{no_number:?}");
        }
        assert_eq!(Days::read(("x", "y", "1"), &utc, now).unwrap(), Days::last(1, &utc, now));
        assert_eq!(Days::default().name(&utc, now), "2026-11-28");
        assert_eq!(Days::typed("2026-11-01", "").unwrap().name(&utc, now), "2026-11-01-2026-11-28");
        assert_eq!(Days::typed("", "2026-11-02").unwrap().name(&utc, now), "2026-11-02");
    }
}
