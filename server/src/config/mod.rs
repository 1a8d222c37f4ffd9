//! What the operator sets: defaults, then `latchkey.toml`, then the environment; the later wins.
//! Each wrong value is told in one sentence that names the setting and where it stands. All settings
//! stand here; how one is read, and what is made of it, in the file of its section.

mod database;
mod identity_providers;
mod limits;
mod links;
mod logging;
mod mail;
mod network;
mod pages;
mod presets;
mod sources;
mod values;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use app::Locale;
use app::places::Places;
use app::request::SiteLink;
use domain::starts::Preset;
use figment::Figment;
use ipnet::IpNet;
use lettre::message::Mailbox;
use model::{EmailAddress, Secret};
use serde::Deserialize;

pub use self::identity_providers::IdentityProviderSettings;
pub use self::logging::LogFormat;
pub use self::mail::{CertificateFile, SmtpTls, SmtpUrl};
pub(crate) use self::sources::WEBHOOK_SECRET;
use self::sources::{DATABASE_URL, Environment, File, Names, PREFIX, explain, key_of, without};
pub use self::sources::{Problem, Unsound};
use crate::look::{Colour, Mark};

/// The file that is read when it lies in the working directory and none is named.
pub const FILE: &str = "latchkey.toml";

/// Declares the settings: what each is for, its type, its default, and what reads it.
macro_rules! settings {
    ($($(#[$about:meta])* $name:ident: $kind:ty = $default:expr, read by $read:literal;)*) => {
        /// The settings. In `latchkey.toml` a setting has the name of its field here; in the
        /// environment it is in capitals and begins with `LATCHKEY_`, and an empty value is none.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Config {
            $($(#[$about])* #[serde(deserialize_with = $read)] pub $name: $kind,)*
            /// What whoever set them calls them.
            #[serde(skip)]
            pub names: Names,
        }

        impl Config {
            /// The settings' names, as the file has them.
            const SETTINGS: &[&str] = &[$(stringify!($name)),*];
        }

        impl Default for Config {
            fn default() -> Self {
                Self { $($name: $default,)* names: Names::default() }
            }
        }
    };
}

settings! {
    /// Where people reach Latchkey: the links in mails begin with it, and cookies are for https
    /// only when it is https. Default `http://localhost:3000`.
    public_url: String = "http://localhost:3000".to_owned(), read by "network::public_url";
    /// The address and port to listen on. Default `127.0.0.1:3000`.
    listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 3000)), read by "network::listen";
    /// The database: `sqlite:path` or `postgres://user:password@host/name`. `DATABASE_URL` in the
    /// environment sets it too. Default `sqlite:data/latchkey.db`.
    database_url: Secret = Secret::from("sqlite:data/latchkey.db".to_owned()),
        read by "database::database_url";
    /// The file with the key that digests of the log are signed with; made when it is missing.
    /// Nodes must share it. Default `data/log-key.pem`.
    log_key_file: PathBuf = PathBuf::from("data/log-key.pem"), read by "database::log_key_file";
    /// The mail server: `smtp://host:25` without TLS,
    /// `smtp://user:password@host:587?tls=required` with STARTTLS, or
    /// `smtps://user:password@host:465`. Default none: mails wait, or in the demo are kept in its
    /// mailbox.
    smtp_url: Option<SmtpUrl> = None, read by "mail::smtp_url";
    /// A PEM file with a certificate authority to trust besides the system's for the mail server.
    /// Default none.
    smtp_ca_file: Option<CertificateFile> = None, read by "mail::smtp_ca_file";
    /// The sender of every mail. Default `Latchkey <no-reply@localhost>`.
    mail_from: Mailbox = Mailbox {
        name: Some("Latchkey".to_owned()),
        email: lettre::Address::new_dangerous("no-reply", "localhost"),
    }, read by "mail::mail_from";
    /// The name of the company that runs Latchkey, on pages and in mails. Default `Latchkey`.
    provider_name: String = "Latchkey".to_owned(), read by "pages::provider_name";
    /// The colour of buttons, links and what is chosen, such as `#005ea5`, on light pages and in
    /// mails. It must be readable there. Default none: the product's own teal.
    accent_light: Option<Colour> = None, read by "pages::accent_light";
    /// The same on dark pages.
    accent_dark: Option<Colour> = None, read by "pages::accent_dark";
    /// An SVG or PNG file with the mark beside the name. Default none: the product's key.
    mark_file: Option<Mark> = None, read by "pages::mark_file";
    /// The language of pages and mails for those who ask for none that Latchkey speaks: `en`, `nb`
    /// or `de`. Default `en`.
    language: Locale = Locale::default(), read by "pages::language";
    /// The time zone in which days end, such as `Europe/Oslo`: access that ends on a day lasts until
    /// then. Default `UTC`.
    time_zone: String = "UTC".to_owned(), read by "limits::time_zone";
    /// Whether this is the demo: fictional people with a password that everybody knows, and a
    /// mailbox that everybody can read. Default `false`.
    demo: bool = false, read by "values::flag";
    /// Days until an invitation expires. Default 7, at most 90.
    invitation_days: u32 = 7, read by "values::whole::<_, 90>";
    /// Hours that whoever accepted to become an owner waits for it, in which every owner can stop it.
    /// With 0 it is true at once. Default 24, at most 168 (7 days).
    owner_wait_hours: u32 = 24, read by "values::whole_or_none::<_, 168>";
    /// Hours without use until a session ends. Default 24, at most 2160 (90 days).
    session_idle_hours: u32 = 24, read by "values::whole::<_, 2160>";
    /// Days until a session ends at any rate. Default 30, at most 365.
    session_days: u32 = 30, read by "values::whole::<_, 365>";
    /// Minutes after signing in until something sensitive takes the password again. Default 10.
    confirm_minutes: u32 = 10, read by "values::whole::<_, 1440>";
    /// Wrong sign-ins from one client address in a day that cost no waiting. Default 300.
    sign_ins_per_client: u32 = 300, read by "values::whole::<_, 1_000_000>";
    /// Invitation mails that one person may send in an hour, in all their accounts together.
    /// Default 50.
    invitations_per_inviter: u32 = 50, read by "values::whole::<_, 1_000_000>";
    /// Invitation mails that one account may send in an hour. Default 200.
    invitations_per_account: u32 = 200, read by "values::whole::<_, 1_000_000>";
    /// Invitation mails that one account may send to one address in an hour. Default 10.
    invitations_per_address: u32 = 10, read by "values::whole::<_, 1_000_000>";
    /// Invitation mails that all accounts together may send to one address in a day. Default 20.
    invitations_to_address: u32 = 20, read by "values::whole::<_, 1_000_000>";
    /// Requests that one of the provider's own systems may make in a minute with one token, at each
    /// node. Default 600.
    requests_per_token: u32 = 600, read by "values::whole::<_, 1_000_000>";
    /// What forms for giving can begin with, in place of the product's own presets: names, each with
    /// the ids of permissions behind a colon, such as `Bookkeeper: billing.view billing.pay`. A list
    /// in the file, separated by semicolons in the environment; at most 20.
    presets: Vec<Preset> = Preset::built_in(), read by "presets::presets";
    /// The address at which people ask the provider, on pages and in mails. Default none.
    support_email: Option<EmailAddress> = None, read by "mail::support_email";
    /// The page on which they can, an http or https address. Default none.
    support_url: Option<String> = None, read by "pages::support_url";
    /// The provider's own pages at the foot of all pages and mails, such as
    /// `Imprint: https://provider.example/imprint`: words, each with an http, https or mailto address
    /// behind a colon. A list in the file, separated by semicolons in the environment; at most 10.
    /// Default none.
    links: Vec<SiteLink> = Vec::new(), read by "links::links";
    /// Who gets a mail when an invited person says that they don't know the inviter, and when a webhook is
    /// turned off. Default none.
    operator_email: Option<EmailAddress> = None, read by "mail::operator_email";
    /// A GeoIP file (MaxMind DB) that says where addresses are: the device list and mails about new
    /// devices tell the place then. Default none.
    geoip_file: Option<Places> = None, read by "pages::geoip_file";
    /// The proxies in front: addresses or networks such as `10.0.0.0/8`, a list in the file,
    /// separated by commas in the environment. Only what they say in `X-Forwarded-For` is
    /// believed. Default none.
    trusted_proxies: Vec<IpNet> = Vec::new(), read by "network::trusted_proxies";
    /// The identity providers that people can sign in with (OpenID Connect): a list of tables in
    /// the file, and the same as one TOML value in the environment. Default none.
    identity_providers: Vec<IdentityProviderSettings> = Vec::new(),
        read by "identity_providers::identity_providers";
    /// The DNS server to ask whether a domain is an account's: an IP address and perhaps a port.
    /// Default none: those that the system asks.
    dns_server: Option<SocketAddr> = None, read by "network::dns_server";
    /// Whether accounts' own identity providers may have private addresses, and http ones on this
    /// machine: an owner could have Latchkey ask them, then. Default `false`.
    sso_private_addresses: bool = false, read by "values::flag";
    /// Whether webhooks may have private addresses, and http ones on this machine: for a receiver in the
    /// same network. Default `false`.
    webhook_private_addresses: bool = false, read by "values::flag";
    /// Connections served at the same time; of more, those that wait for their client give way.
    /// Default 1024.
    connections: u32 = 1024, read by "values::whole::<_, 65_536>";
    /// How log lines look: `text` or `json`. Default `text`.
    log_format: LogFormat = LogFormat::Text, read by "logging::log_format";
    /// What is logged: a level, or levels per part such as `info,sqlx=debug`. Default `info`.
    log: String = "info".to_owned(), read by "logging::log";
}

impl Config {
    /// Reads the settings: from `file`, or else from [`FILE`] if there is one, and from this
    /// process's environment.
    ///
    /// # Errors
    /// [`Unsound`] for a file that can't be read, unknown settings, and values that can't be.
    pub fn load(file: Option<&Path>) -> Result<Self, Unsound> {
        let (path, needed) = file.map_or((Path::new(FILE), false), |file| (file, true));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !needed => String::new(),
            Err(error) => {
                let problem = format!("{} can't be read: {error}", path.display());
                return Err(Unsound::from(Problem(problem)));
            }
        };
        // A name that isn't UTF-8 is none of ours.
        let mut environment = Vec::new();
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => environment.push((name, value)),
                (Ok(name), Err(_)) if name.starts_with(PREFIX) || name == DATABASE_URL => {
                    let problem = format!("{name} in the environment must be UTF-8");
                    return Err(Unsound::from(Problem(problem)));
                }
                _ => {}
            }
        }
        Self::parse(path, &text, environment)
    }

    /// Reads the settings from the text of the file and the variables of an environment.
    ///
    /// # Errors
    /// [`Unsound`] for unknown settings and values that can't be: all of them.
    pub fn parse(
        path: &Path,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Unsound> {
        // Some editors begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let environment = Environment::of(environment);
        let names = Names::of((!text.is_empty()).then_some(path), &environment);
        let settings = Figment::new().merge(File { path, text });
        let settings = environment.into_iter().fold(settings, Figment::merge);
        let (mut left, mut problems, mut wrong) = (settings.clone(), Vec::new(), Vec::new());
        loop {
            // The first thing that is wrong hides the others.
            let error = match left.extract::<Self>() {
                Ok(config) if problems.is_empty() => return Ok(Self { names, ..config }),
                Ok(config) => {
                    let rest = Some(Box::new(Self { names, ..config }));
                    return Err(Unsound { problems, wrong, rest });
                }
                Err(error) => error,
            };
            let key = key_of(&error);
            problems.push(explain(&settings, error, path));
            let rest = key.as_deref().and_then(|key| without(&left, key));
            let (Some(key), Some(rest)) = (key, rest) else {
                return Err(Unsound { problems, wrong, rest: None });
            };
            wrong.push(key);
            left = rest;
        }
    }

    /// What whoever set this setting calls it: the variable, or the key in the file. One that isn't set
    /// has the name by which it would be, in the file if there is one.
    #[must_use]
    pub fn name_of(&self, setting: &str) -> String {
        self.names.of_setting(setting)
    }

    /// A sentence in which settings are called as in the file, with the names that whoever set them has
    /// for them. Those of one word are left alone: sentences have such words, too.
    #[must_use]
    pub fn with_names(&self, sentence: &str) -> String {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut named = String::with_capacity(sentence.len());
        let mut rest = sentence;
        while let Some(begin) = rest.find(is_part) {
            let (before, from) = rest.split_at(begin);
            let (word, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
            named.push_str(before);
            match word.contains('_') && Self::SETTINGS.contains(&word) {
                true => named.push_str(&self.name_of(word)),
                false => named.push_str(word),
            }
            rest = after;
        }
        named + rest
    }
}

#[cfg(test)]
mod tests {
    use domain::Settings;
    use figment::error::Kind;

    use super::limits::DAY;
    use super::*;

    pub(super) fn parse(file: &str, environment: &[(&str, &str)]) -> Result<Config, Unsound> {
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::parse(Path::new("latchkey.toml"), file, environment)
    }

    pub(super) fn problem(file: &str, environment: &[(&str, &str)]) -> String {
        parse(file, environment).map(drop).unwrap_err().to_string()
    }

    /// Each of these variables, but for what they begin with, is refused with what it must be, or
    /// where that is empty as no setting.
    pub(super) fn refuses(environment: &[(&str, &str, &str)]) {
        for &(name, value, wanted) in environment {
            let name = format!("LATCHKEY_{name}");
            let told = problem("", &[(&name, value)]);
            let expected = match wanted {
                "" => format!("{name} in the environment is no setting of Latchkey's"),
                wanted => format!("{name} in the environment must be {wanted}"),
            };
            assert!(told.starts_with(&expected), "{name}={value}: {told}");
            assert!(!told.contains('\n'), "{told}");
        }
    }

    pub(super) fn with_proxies(proxies: &str) -> Config {
        parse("", &[("LATCHKEY_TRUSTED_PROXIES", proxies)]).unwrap()
    }

    #[test]
    fn without_settings_the_defaults_hold() {
        let config = parse("", &[("PATH", "/bin"), ("LATCHKEY_SMTP_URL", "")]).unwrap();
        assert_eq!(config.public_url, "http://localhost:3000");
        assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
        assert_eq!(config.database_url.expose(), "sqlite:data/latchkey.db");
        assert_eq!(config.log_key_file, Path::new("data/log-key.pem"));
        assert_eq!(config.mail_from.to_string(), "Latchkey <no-reply@localhost>");
        assert!(config.smtp_url.is_none() && !config.demo && config.trusted_proxies.is_empty());
        let (ours, theirs) = (config.settings(), Settings::default());
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = r#"
            provider_name = "From the file"
            session_days = 10
            invitation_days = 3
            demo = true
            trusted_proxies = ["10.0.0.0/8", "::1"]
        "#;
        let environment = [("LATCHKEY_PROVIDER_NAME", "123"), ("LATCHKEY_SESSION_DAYS", "20")];
        let config = parse(file, &environment).unwrap();
        assert_eq!(config.provider_name, "123");
        assert_eq!((config.session_days, config.invitation_days, config.demo), (20, 3, true));
        assert_eq!(config.trusted_proxies, with_proxies("10.0.0.0/8, ::1").trusted_proxies);
        assert_eq!(config.settings().session_absolute, 20 * DAY);
    }

    #[test]
    fn a_file_of_another_editor_is_read_as_any() {
        let text = "\u{feff}provider_name = \"Nordlys\"\r\nsession_days = 20\r\n";
        let config = parse(text, &[]).unwrap();
        assert_eq!((&*config.provider_name, config.session_days), ("Nordlys", 20));
        let config = parse("", &[("DATABASE_URL", "sqlite:x.db\r")]).unwrap();
        assert_eq!(config.sqlite_file().unwrap(), Path::new("x.db"));
    }

    #[test]
    fn a_wrong_value_is_told_in_a_sentence_that_names_its_place() {
        let file = [
            ("invitation_days = 'a week'", "invitation_days in latchkey.toml must be a whole"),
            ("invitation_days = [7]", "invitation_days in latchkey.toml must be a whole"),
            ("demo = 2", "demo in latchkey.toml must be true or false"),
            ("demo = []", "demo in latchkey.toml must be true or false"),
            ("session_days = 7.0", "session_days in latchkey.toml must be a whole"),
            ("smtp_url = ''", "smtp_url in latchkey.toml must be smtp://host:port"),
            ("trusted_proxies = [1]", "trusted_proxies in latchkey.toml must be IP addresses"),
            ("provider_name = 5", "provider_name in latchkey.toml must be a name"),
            ("[log]\nlevel = 'info'", "log in latchkey.toml must be a log level"),
        ];
        for (text, expected) in file {
            let told = problem(text, &[]);
            assert!(told.starts_with(expected), "{text}: {told}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_and_the_rest_is_read() {
        let file = "session_days = 0\npublicurl = 'x'\ninvitation_days = 3\nlanguage = 'fr'";
        let environment = [("DATABASE_URL", "mysql://host"), ("LATCHKEY_DEMO", "yes")];
        let unsound = parse(file, &environment).unwrap_err();
        let told = unsound.to_string();
        let expected = [
            "session_days in latchkey.toml must be a whole number",
            "publicurl in latchkey.toml is no setting",
            ": 'fr' isn't",
            "DATABASE_URL in the environment must be sqlite:path",
        ];
        assert!(expected.iter().all(|problem| told.contains(problem)), "{told}");
        assert_eq!(unsound.problems.len(), expected.len(), "{told}");
        assert!(unsound.wrong.contains(&"database_url".to_owned()), "{:?}", unsound.wrong);
        let rest = unsound.rest.unwrap();
        assert_eq!((rest.invitation_days, rest.session_days, rest.demo), (3, 30, true));
        let unsound = parse("session_days = 0\n[", &[("LATCHKEY_DEMO", "perhaps")]).unwrap_err();
        assert!(unsound.rest.is_none() && unsound.to_string().contains("is no TOML"), "{unsound}");
    }

    #[test]
    fn a_setting_is_called_as_whoever_set_it_calls_it() {
        let sentence = "check database_url and smtp_url, then public_url.";
        let named =
            |file, environment: &[_]| parse(file, environment).unwrap().with_names(sentence);
        assert_eq!(
            named("", &[("LATCHKEY_SMTP_URL", "smtp://host")]),
            "check DATABASE_URL and LATCHKEY_SMTP_URL, then LATCHKEY_PUBLIC_URL."
        );
        let database = ("LATCHKEY_DATABASE_URL", "sqlite:x.db");
        let general = ("DATABASE_URL", "sqlite:y.db");
        assert_eq!(
            named("public_url = 'http://localhost:1'", &[database, general]),
            "check LATCHKEY_DATABASE_URL and smtp_url in latchkey.toml, then public_url in \
             latchkey.toml."
        );
    }

    #[test]
    fn a_named_file_must_be_there() {
        let told = Config::load(Some(Path::new("/there/is/none.toml"))).map(drop).unwrap_err();
        assert!(told.to_string().starts_with("/there/is/none.toml can't be read: "), "{told}");
    }

    #[test]
    fn secrets_are_never_printed() {
        let environment = [
            ("DATABASE_URL", "postgres://latchkey:geheim@localhost/latchkey"),
            ("LATCHKEY_SMTP_URL", "smtps://latchkey:geheim@mail.provider.example"),
        ];
        let config = parse("", &environment).unwrap();
        assert!(!format!("{config:?}").contains("geheim"));
        let told = problem("", &[("LATCHKEY_SMTP_URL", "http://me:geheim@mail.provider.example")]);
        assert!(!told.contains("geheim"), "{told}");
        let told = problem("", &[("DATABASE_URL", "mysql://me:geheim@localhost/latchkey")]);
        assert!(!told.contains("geheim"), "{told}");
    }

    #[test]
    fn the_operators_guide_tells_of_every_setting() {
        let unknown = Figment::from(("no_setting", 1)).extract::<Config>().unwrap_err();
        let Kind::UnknownField(_, settings) = unknown.kind else { panic!("{unknown}") };
        let guide = std::fs::read_to_string("../docs/operating.md").unwrap_or_default();
        let missing = |setting: &&&str| {
            let variable = match **setting {
                "database_url" => "`DATABASE_URL`".to_owned(),
                setting => format!("`{PREFIX}{}`", setting.to_uppercase()),
            };
            !guide.contains(&format!("`{setting}`")) || !guide.contains(&variable)
        };
        let missing: Vec<_> = settings.iter().filter(missing).collect();
        assert!(missing.is_empty(), "docs/operating.md doesn't tell of {missing:?}");
    }

    #[test]
    fn the_debian_package_brings_and_proposes_settings_that_there_are() {
        let brought = std::fs::read_to_string("../deploy/debian/latchkey.toml").unwrap();
        let config = parse(&brought, &[]).unwrap();
        assert_eq!(config.sqlite_file().unwrap(), Path::new("/var/lib/latchkey/latchkey.db"));
        let proposed = brought.lines().map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') => setting,
            _ => line,
        });
        let proposed = parse(&proposed.collect::<Vec<_>>().join("\n"), &[]).unwrap();
        assert_eq!(&*proposed.provider_name, "My Provider");
    }
}
