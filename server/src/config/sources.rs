//! Where settings stand, the file and the environment, and how what is wrong with them is told: each in
//! one sentence that names the place, without the value.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use figment::error::Kind;
use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider, Source};

use super::Config;

pub(super) const PREFIX: &str = "LATCHKEY_";
/// The one variable without it: what many programs call their database.
pub(super) const DATABASE_URL: &str = "DATABASE_URL";
/// A variable with it that is no setting: a command reads it in place of an argument.
pub(crate) const WEBHOOK_SECRET: &str = "LATCHKEY_WEBHOOK_SECRET";

/// Something about the settings that can't be, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(pub(super) String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

/// Settings that can't be used.
#[derive(Clone, Debug)]
pub struct Unsound {
    /// All that is wrong.
    pub problems: Vec<Problem>,
    /// The names of the settings that are, as the file has them; of unknown ones, too.
    pub wrong: Vec<String>,
    /// The settings without these; none where nothing can be said of them.
    pub rest: Option<Box<Config>>,
}

impl From<Problem> for Unsound {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem], wrong: Vec::new(), rest: None }
    }
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems: Vec<_> = self.problems.iter().map(Problem::to_string).collect();
        f.write_str(&problems.join("; "))
    }
}

impl std::error::Error for Unsound {}

/// What whoever set the settings calls them.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The file, if there is one.
    file: Option<PathBuf>,
    /// The variables that set something, by their settings.
    variables: BTreeMap<String, String>,
}

impl Names {
    /// Those in this file and this environment.
    pub(super) fn of(file: Option<&Path>, environment: &[Environment]) -> Self {
        let variable = |set: &Environment| (set.setting.clone(), set.variable.clone());
        let variables = environment.iter().map(variable).collect();
        Self { file: file.map(Path::to_owned), variables }
    }

    /// What this one is called.
    pub(super) fn of_setting(&self, setting: &str) -> String {
        match (self.variables.get(setting), &self.file) {
            (Some(variable), _) => variable.clone(),
            (None, Some(file)) => format!("{setting} in {}", file.display()),
            (None, None) if setting == "database_url" => DATABASE_URL.to_owned(),
            (None, None) => format!("{PREFIX}{}", setting.to_uppercase()),
        }
    }
}

/// The file's text; figment's own provider would read the file again, and take a missing one for
/// empty.
pub(super) struct File<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Provider for File<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::from("file", Source::File(self.path.to_owned()))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Toml::string(self.text).data()
    }
}

/// A variable of the environment. Figment's own provider guesses types, and would take a name of
/// digits for a number; here every value is text, and each setting knows how to read it.
pub(super) struct Environment {
    variable: String,
    setting: String,
    value: String,
}

impl Environment {
    /// The variables that set something; of two that set the same, the later wins.
    pub(super) fn of(variables: impl IntoIterator<Item = (String, String)>) -> Vec<Self> {
        let variables: BTreeMap<_, _> = variables.into_iter().collect();
        let set = |(variable, value): (String, String)| {
            let setting = match variable.strip_prefix(PREFIX) {
                Some(_) if variable == WEBHOOK_SECRET => return None,
                Some(name) if !set_by_kubernetes(name, &value) => name.to_lowercase(),
                // It comes before all that have the prefix.
                None if variable == DATABASE_URL => "database_url".to_owned(),
                _ => return None,
            };
            (!value.is_empty()).then_some(Self { variable, setting, value })
        };
        variables.into_iter().filter_map(set).collect()
    }
}

/// Kubernetes, and Docker's links, tell every container of each service in variables that begin with
/// its name: where it is named `latchkey` or `latchkey-web`, they look like settings.
fn set_by_kubernetes(name: &str, value: &str) -> bool {
    let words: Vec<_> = name.split('_').collect();
    let protocol = |word: &str| matches!(word, "TCP" | "UDP" | "SCTP");
    let number = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let address = ["tcp://", "udp://", "sctp://"].iter().any(|start| value.starts_with(start));
    match words.as_slice() {
        [.., "SERVICE", "HOST"] => true,
        [.., "SERVICE", "PORT"] => number(value),
        [.., "PORT", port, kind] if number(port) && protocol(kind) => address,
        [.., "PORT", port, kind, "PROTO" | "PORT" | "ADDR"] if number(port) => protocol(kind),
        [.., "PORT"] => address,
        // A port's name may be anything.
        words => words.windows(2).any(|pair| pair == ["SERVICE", "PORT"]) && number(value),
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.variable.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let value = Value::from(self.value.as_str());
        Ok(Profile::Default.collect(Dict::from([(self.setting.clone(), value)])))
    }
}

/// Settings that were read already, of which some are left out.
struct Rest(Map<Profile, Dict>);

impl Provider for Rest {
    fn metadata(&self) -> Metadata {
        Metadata::default()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(self.0.clone())
    }
}

/// The setting that is wrong, if it is one of those that are given.
pub(super) fn key_of(error: &figment::Error) -> Option<String> {
    match &error.kind {
        Kind::UnknownField(key, _) => Some(key.clone()),
        _ => error.path.first().cloned(),
    }
}

/// The settings without this one; none if they can't be read, or it isn't among them.
pub(super) fn without(settings: &Figment, key: &str) -> Option<Figment> {
    let mut data = settings.data().ok()?;
    let removed: Vec<_> = data.values_mut().filter_map(|dict| dict.remove(key)).collect();
    (!removed.is_empty()).then(|| Figment::from(Rest(data)))
}

/// The first thing that is wrong, in one sentence. It has the value in it only where the setting's reader
/// says it: it may be a secret.
pub(super) fn explain(settings: &Figment, error: figment::Error, path: &Path) -> Problem {
    let file = path.display();
    let place = |key: &str| match settings.find_metadata(key) {
        Some(set) if set.source.is_none() => format!("{} in the environment", set.name),
        _ => format!("{key} in {file}"),
    };
    Problem(match (error.path.first(), &error.kind) {
        (_, Kind::UnknownField(key, _)) => format!("{} is no setting of Latchkey's", place(key)),
        (Some(key), Kind::Message(wanted)) => format!("{} must be {wanted}", place(key)),
        (Some(key), _) => format!("{} can't be read", place(key)),
        (None, kind) => {
            // The parser shows the line in between, and with it perhaps a password.
            let told = kind.to_string();
            let mut lines = told.lines().filter(|line| !line.trim().is_empty());
            let first = lines.next().unwrap_or_default();
            match lines.next_back() {
                Some(last) => format!("{file} is no TOML: {first}: {last}"),
                None => format!("{file} is no TOML: {first}"),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{parse, problem, refuses};

    #[test]
    fn what_only_looks_set_by_kubernetes_is_an_unknown_setting() {
        refuses(&[
            ("PORT", "3000", ""),
            ("SERVICE_NAME", "latchkey", ""),
            ("SSO_SERVICE_PORT_NAME", "https", ""),
        ]);
    }

    #[test]
    fn an_unknown_setting_is_told_with_its_place() {
        assert_eq!(
            problem("publicurl = 'https://provider.example'", &[]),
            "publicurl in latchkey.toml is no setting of Latchkey's"
        );
        assert_eq!(
            problem("", &[("LATCHKEY_PUBLICURL", "https://provider.example")]),
            "LATCHKEY_PUBLICURL in the environment is no setting of Latchkey's"
        );
    }

    #[test]
    fn what_a_command_reads_by_itself_is_no_setting() {
        assert!(parse("", &[(super::WEBHOOK_SECRET, "whsec_AAAA")]).is_ok());
    }

    #[test]
    fn what_kubernetes_sets_is_no_setting() {
        let kubernetes = [
            ("LATCHKEY_PORT", "tcp://10.0.0.1:3000"),
            ("LATCHKEY_PORT_3000_TCP_ADDR", "10.0.0.1"),
            ("LATCHKEY_PORT_3000_TCP", "tcp://10.0.0.1:3000"),
            ("LATCHKEY_PORT_3000_TCP_PROTO", "tcp"),
            ("LATCHKEY_PORT_3000_TCP_PORT", "3000"),
            ("LATCHKEY_SERVICE_HOST", "10.0.0.1"),
            ("LATCHKEY_SERVICE_PORT", "3000"),
            ("LATCHKEY_SERVICE_PORT_HTTP", "3000"),
            ("LATCHKEY_WEB_SERVICE_HOST", "fd00::1"),
            ("LATCHKEY_WEB_SERVICE_PORT_HTTP_ALT", "3000"),
            ("LATCHKEY_WEB_PORT", "tcp://10.0.0.1:3000"),
            ("LATCHKEY_WEB_PORT_53_UDP_ADDR", "10.0.0.1"),
        ];
        assert!(parse("", &kubernetes).is_ok());
    }

    #[test]
    fn a_file_that_is_no_toml_is_told_without_what_stands_in_it() {
        let told = problem("smtp_url = smtp://user:geheim@mail.provider.example\n", &[]);
        assert!(told.starts_with("latchkey.toml is no TOML: "), "{told}");
        assert!(told.contains("line 1"), "{told}");
        assert!(!told.contains("geheim") && !told.contains('\n'), "{told}");
    }
}
