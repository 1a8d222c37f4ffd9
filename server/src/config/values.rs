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

/// Reads a value that is one line of text and no secret: where it can't be, it is told which it is.
pub(super) fn read_open<'de, D: Deserializer<'de>, T>(
    from: D,
    wanted: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error> {
    let text = read_text(from, wanted, |text| Some(text.to_owned()))?;
    parse(&text).ok_or_else(|| isnt(wanted, &text))
}

/// That this isn't what a setting must be.
pub(super) fn isnt<E: de::Error>(wanted: &str, value: &str) -> E {
    E::custom(format!("{wanted}: '{value}' isn't"))
}

impl Given {
    /// The value in one line, if it is one.
    fn line(&self) -> Option<String> {
        match self {
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.trim())
                .filter(|text| !text.chars().any(char::is_control))
                .map(str::to_owned),
            Self::Flag(_) | Self::List(_) => None,
        }
    }
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
    let wanted = format!("a whole number from {least} to {most}");
    let given = read(from, &wanted, |given| given.line())?;
    let number = given.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| isnt(&wanted, &given))
}

/// A truth, in one of the words that people have for it.
pub(super) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    const WANTED: &str = "true or false";
    let given = read(from, WANTED, |given| match given {
        Given::Flag(flag) => Some(flag.to_string()),
        given => given.line(),
    })?;
    flag_of(&given.to_lowercase()).ok_or_else(|| isnt(WANTED, &given))
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
    use crate::config::tests::{parse, problem, refuses, with_proxies};

    #[test]
    fn what_is_refused_is_told_unless_it_may_hold_a_secret() {
        for (name, value) in [
            ("ACCENT_LIGHT", "teal"),
            ("DEMO", "perhaps"),
            ("DNS_SERVER", "ns.provider.example"),
            ("GEOIP_FILE", "/there/is/none.mmdb"),
            ("LANGUAGE", "fr"),
            ("LISTEN", "3000"),
            ("LOG", "loud"),
            ("LOG_FORMAT", "xml"),
            ("MAIL_FROM", "Latchkey"),
            ("MARK_FILE", "/there/is/none.svg"),
            ("OPERATOR_EMAIL", "the operator"),
            ("SESSION_DAYS", "many"),
            ("SMTP_CA_FILE", "/there/is/none.pem"),
            ("SUPPORT_EMAIL", "the helpers"),
            ("TIME_ZONE", "Oslo"),
        ] {
            let told = problem("", &[(&format!("LATCHKEY_{name}"), value)]);
            assert!(told.contains(&format!(": '{value}' isn't")), "{told}");
        }
        let told = problem("", &[("LATCHKEY_TRUSTED_PROXIES", "10.0.0.0/8, proxy.local")]);
        assert!(told.contains(": 'proxy.local' isn't"), "{told}");
        for (name, value) in [
            ("PUBLIC_URL", "https://me:geheim@provider.example"),
            ("SUPPORT_URL", "https://me:geheim@provider.example"),
            ("LINKS", "Imprint: https://me:geheim@provider.example"),
            ("SMTP_URL", "http://me:geheim@provider.example"),
        ] {
            let told = problem("", &[(&format!("LATCHKEY_{name}"), value)]);
            assert!(!told.contains("geheim"), "{told}");
        }
    }

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
