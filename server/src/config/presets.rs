//! What forms for giving can begin with, where the provider has presets of its own.

use domain::starts::{Preset, PresetName};
use model::{FieldProblem, PermissionSet, one_line};
use serde::{Deserializer, de};

use super::values::{Given, read};

/// How many there are at most: they stand in one list to choose from.
const MOST: usize = 20;

/// How many characters a name may have.
const LONGEST_NAME: usize = 60;

const WANTED: &str =
    "names with permissions behind a colon, such as Bookkeeper: billing.view billing.pay";

pub(super) fn presets<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Preset>, D::Error> {
    let entries: Vec<String> = read(from, WANTED, |given| match given {
        Given::Text(text) => Some(text.split(';').map(str::to_owned).collect()),
        Given::List(entries) => Some(entries),
        Given::Flag(_) | Given::Number(_) => None,
    })?;
    let own = parse(&entries).map_err(de::Error::custom)?;
    Ok(if own.is_empty() { Preset::built_in() } else { own })
}

/// Reads all of them, or says what they must be and which isn't.
fn parse(entries: &[String]) -> Result<Vec<Preset>, String> {
    let mut presets: Vec<Preset> = Vec::new();
    let mut names = Vec::new();
    let entries = entries.iter().map(|entry| entry.trim()).filter(|entry| !entry.is_empty());
    for (number, entry) in (1..).zip(entries) {
        let (name, permissions) = preset(entry).map_err(|wrong| wrong.told(number))?;
        let folded = name.to_lowercase();
        if names.contains(&folded) {
            return Err(format!(
                "names that all differ: the one of preset {number} was there before"
            ));
        }
        names.push(folded);
        presets.push(Preset { name: PresetName::Own(name), permissions });
    }
    if presets.len() > MOST { Err(format!("at most {MOST} presets")) } else { Ok(presets) }
}

/// What is wrong with one of them.
enum Wrong {
    Shape,
    Name,
    NoPermission,
    UnknownPermission,
}

impl Wrong {
    fn told(&self, number: usize) -> String {
        match self {
            Self::Shape => format!("{WANTED}: preset {number} has no colon"),
            Self::Name => format!(
                "names of 1 to {LONGEST_NAME} characters with permissions behind a colon: preset \
                 {number} has no such name"
            ),
            Self::NoPermission => {
                format!("names with one permission each at least: preset {number} has none")
            }
            Self::UnknownPermission => format!(
                "names with permissions that there are, such as billing.view: preset {number} has \
                 another"
            ),
        }
    }
}

fn preset(entry: &str) -> Result<(String, PermissionSet), Wrong> {
    let (name, ids) = entry.rsplit_once(':').ok_or(Wrong::Shape)?;
    let name = one_line(name, LONGEST_NAME).map_err(|_: FieldProblem| Wrong::Name)?;
    let ids = ids.split([' ', ',', '\t', '\n', '\r']).filter(|id| !id.is_empty());
    let permissions = PermissionSet::parse(ids).map_err(|_| Wrong::UnknownPermission)?;
    if permissions.is_empty() { Err(Wrong::NoPermission) } else { Ok((name, permissions)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{parse, problem, refuses};

    fn named(presets: &[Preset]) -> Vec<(&str, String)> {
        presets
            .iter()
            .map(|preset| match &preset.name {
                PresetName::Own(name) => (name.as_str(), preset.permissions.to_stored()),
                _ => ("built in", preset.permissions.to_stored()),
            })
            .collect()
    }

    #[test]
    fn presets_are_a_list_in_the_file_and_one_line_in_the_environment() {
        let file = r#"presets = ["Bookkeeper: billing.pay", " Shop:  the till :services.manage"]"#;
        let line = "Bookkeeper: billing.view,billing.pay; Shop: the till: services.manage;\r";
        let expected = [
            ("Bookkeeper", "billing.view billing.pay".to_owned()),
            ("Shop: the till", "services.view services.manage".to_owned()),
        ];
        assert_eq!(named(&parse(file, &[]).unwrap().presets), expected);
        let config = parse(file, &[("LATCHKEY_PRESETS", line)]).unwrap();
        assert_eq!(named(&config.presets), expected);
        assert_eq!(config.settings().presets, config.presets);
    }

    #[test]
    fn without_any_there_are_the_products_own() {
        for file in ["", "presets = []", "presets = ''"] {
            assert_eq!(parse(file, &[]).unwrap().presets, Preset::built_in(), "{file}");
        }
    }

    #[test]
    fn what_is_no_preset_is_refused() {
        let long = format!("{}: billing.view", "x".repeat(61));
        let many: Vec<_> = (0..21).map(|number| format!("{number}: billing.view")).collect();
        refuses(&[
            ("PRESETS", "Bookkeeper", "names with permissions behind a colon, such as"),
            ("PRESETS", ": billing.view", "names of 1 to 60 characters"),
            ("PRESETS", &long, "names of 1 to 60 characters"),
            (
                "PRESETS",
                "Bookkeeper:",
                "names with one permission each at least: preset 1 has none",
            ),
            (
                "PRESETS",
                "A: billing.view; B: billing.veiw",
                "names with permissions that there are, such as billing.view: preset 2 has another",
            ),
            (
                "PRESETS",
                "A: billing.view; a: support.open",
                "names that all differ: the one of preset 2",
            ),
            ("PRESETS", &many.join(";"), "at most 20 presets"),
        ]);
        assert!(parse("", &[("LATCHKEY_PRESETS", &many[1..].join(";"))]).is_ok());
        let wanted = "presets in latchkey.toml must be names with permissions behind a colon";
        for file in ["presets = 5", "[presets]\nBookkeeper = ['billing.view']", "presets = [['a']]"]
        {
            let told = problem(file, &[]);
            assert!(told.starts_with(wanted), "{file}: {told}");
        }
    }
}
