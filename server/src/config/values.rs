//! A value as it is given, in the file or as text in the environment, and the kinds of values that
//! several settings have: one line of text, whole numbers, truths.

use serde::{Deserialize, Deserializer, de};

/// A value as the file or the environment gives it.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Given {
    Flag(bool),
    Number(i64),
    Text(String),
    List(Vec<String>),
}

/// Reads a value, or says what it must be.
pub(super) fn read<'de, D: Deserializer<'de>, T>(
    from: D,
    wanted: &str,
    parse: impl FnOnce(Given) -> Option<T>,
) -> Result<T, D::Error> {
    let wrong = || de::Error::custom(wanted);
    Given::deserialize(from).ok().and_then(parse).ok_or_else(wrong)
}

/// Reads a value that is one line of text in the file too.
pub(super) fn read_text<'de, D: Deserializer<'de>, T>(
    from: D,
    wanted: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error> {
    let text = read(from, wanted, |given| match given {
        // A file of variables with Windows' line ends leaves theirs at the end.
        Given::Text(text) if !text.trim().chars().any(char::is_control) => Some(text),
        _ => None,
    })?;
    let text = text.trim();
    // Files of variables are read by programs that leave them on.
    if text.len() > 1
        && ['"', '\''].iter().any(|mark| text.starts_with(*mark) && text.ends_with(*mark))
    {
        return Err(de::Error::custom(format!("{wanted}, without quotation marks around it")));
    }
    parse(text).ok_or_else(|| de::Error::custom(wanted))
}

/// A number from 1 to `MOST`.
pub(super) fn whole<'de, D: Deserializer<'de>, const MOST: u32>(from: D) -> Result<u32, D::Error> {
    whole_between(from, 1, MOST)
}

/// A number from 0 to `MOST`.
pub(super) fn whole_or_none<'de, D: Deserializer<'de>, const MOST: u32>(
    from: D,
) -> Result<u32, D::Error> {
    whole_between(from, 0, MOST)
}

fn whole_between<'de, D: Deserializer<'de>>(
    from: D,
    least: u32,
    most: u32,
) -> Result<u32, D::Error> {
    read(from, &format!("a whole number from {least} to {most}"), |given| {
        let number = match given {
            Given::Number(number) => u32::try_from(number).ok()?,
            Given::Text(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        (least..=most).contains(&number).then_some(number)
    })
}

/// A truth, in one of the words that people have for it.
pub(super) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    read(from, "true or false", |given| match given {
        Given::Flag(flag) => Some(flag),
        Given::Number(number) => flag_of(&number.to_string()),
        Given::Text(text) => flag_of(&text.trim().to_lowercase()),
        Given::List(_) => None,
    })
}

fn flag_of(text: &str) -> Option<bool> {
    match text {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{parse, refuses, with_proxies};

    #[test]
    fn truths_and_numbers_and_lists_are_taken_as_people_write_them() {
        for (text, demo) in
            [("yes", true), ("On", true), ("1", true), ("TRUE", true), (" no ", false)]
        {
            assert_eq!(parse("", &[("LATCHKEY_DEMO", text)]).unwrap().demo, demo, "{text}");
            assert_eq!(parse(&format!("demo = '{text}'"), &[]).unwrap().demo, demo, "{text}");
        }
        assert!(parse("demo = 1", &[]).unwrap().demo);
        assert_eq!(parse("", &[("LATCHKEY_SESSION_DAYS", " 20 ")]).unwrap().session_days, 20);
        assert_eq!(parse("session_days = '20'", &[]).unwrap().session_days, 20);
        assert_eq!(with_proxies("10.0.0.0/8, ::1,").trusted_proxies.len(), 2);
        assert!(parse("trusted_proxies = ''", &[]).unwrap().trusted_proxies.is_empty());
    }

    #[test]
    fn what_is_no_truth_is_refused() {
        refuses(&[("DEMO", "perhaps", "true or false"), ("DEMO", "2", "true or false")]);
    }
}
