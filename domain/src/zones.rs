//! Time zones by their names in the tz database. What a browser or a form says may be anything.

use jiff::tz::TimeZone;
use model::FieldProblem;

/// The time zone with this name, if there is one.
#[must_use]
pub fn known(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok().filter(|zone| !zone.is_unknown())
}

/// The first of these names that is a time zone's; UTC if none is.
#[must_use]
pub fn first<'a>(names: impl IntoIterator<Item = &'a str>) -> TimeZone {
    names.into_iter().find_map(known).unwrap_or(TimeZone::UTC)
}

/// The time zone's name as the tz database writes it; none if it has no such one.
#[must_use]
pub fn name(name: &str) -> Option<String> {
    known(name)?.iana_name().map(str::to_owned)
}

/// The names to choose from: those of places, and UTC.
#[must_use]
pub fn names() -> Vec<String> {
    let is_place = |name: &str| name.contains('/') && !name.starts_with("Etc/");
    let names = jiff::tz::db().available().map(|name| name.as_str().to_owned());
    let mut names: Vec<_> = names.filter(|name| is_place(name)).collect();
    names.sort_unstable();
    names.dedup();
    names.push("UTC".to_owned());
    names
}

/// What was typed as a time zone's name, as the tz database writes it; nothing is taken, too.
pub(crate) fn typed(text: &str) -> Result<String, FieldProblem> {
    match text.trim() {
        "" => Ok(String::new()),
        text => name(text).ok_or(FieldProblem::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_or_passed_over() {
        let cases = [
            ("Europe/Oslo", Some("Europe/Oslo")),
            ("asia/kathmandu", Some("Asia/Kathmandu")),
            ("Pacific/Kiritimati", Some("Pacific/Kiritimati")),
            ("UTC", Some("UTC")),
            ("Etc/Unknown", None),
            ("Bergen", None),
            ("", None),
            ("../../etc/passwd", None),
            ("/etc/localtime", None),
            ("Europe/Oslo\0", None),
            ("<script>", None),
            ("Europe/Øslo", None),
        ];
        for (typed, expected) in cases {
            assert_eq!(name(typed).as_deref(), expected, "{typed:?}");
        }
        assert_eq!(name(&"Europe/Oslo".repeat(10_000)), None);
        let zone = first(["Mars/Olympus", "", "Asia/Tokyo", "Europe/Oslo"]);
        assert_eq!(zone.iana_name(), Some("Asia/Tokyo"));
        assert_eq!(first([]).iana_name(), Some("UTC"));
    }

    #[test]
    fn whatever_can_be_chosen_is_known() {
        let names = names();
        for chosen in ["Europe/Oslo", "America/St_Johns", "Asia/Kolkata", "UTC"] {
            assert!(names.iter().any(|name| name == chosen), "{chosen}");
        }
        for chosen in names {
            assert!(known(&chosen).is_some(), "{chosen}");
        }
    }
}
