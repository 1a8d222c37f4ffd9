//! What the operator sets: defaults, then `latchkey.toml`, then the environment; the later wins.
//! A wrong value is told in one sentence that names the setting and where it stands.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use app::Locale;
use app::places::Places;
use app::request::Site;
use domain::Settings;
use domain::passkeys::{self, NoPasskeys};
use figment::error::Kind;
use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider, Source};
use ipnet::IpNet;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use model::{EmailAddress, Language, Secret};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Deserializer, de};
use store::{Place, percent_decode};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use url::Url;

use crate::identity_providers::is_here;
use crate::look::{self, Colour, Mark, Theme};

/// The file that is read when it lies in the working directory and none is named.
pub const FILE: &str = "latchkey.toml";

const PREFIX: &str = "LATCHKEY_";
/// The one variable without it: what many programs call their database.
const DATABASE_URL: &str = "DATABASE_URL";
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The settings. In `latchkey.toml` a setting has the name of its field here; in the environment
/// it is in capitals and begins with `LATCHKEY_`, and an empty value is none.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where people reach Latchkey: the links in mails begin with it, and cookies are for https
    /// only when it is https. Default `http://localhost:3000`.
    #[serde(deserialize_with = "public_url")]
    pub public_url: String,
    /// The address and port to listen on. Default `127.0.0.1:3000`.
    #[serde(deserialize_with = "listen")]
    pub listen: SocketAddr,
    /// The database: `sqlite:path` or `postgres://user:password@host/name`. `DATABASE_URL` in the
    /// environment sets it too. Default `sqlite:data/latchkey.db`.
    #[serde(deserialize_with = "database_url")]
    pub database_url: Secret,
    /// The file with the key that digests of the log are signed with; made when it is missing.
    /// Nodes must share it. Default `data/log-key.pem`.
    #[serde(deserialize_with = "log_key_file")]
    pub log_key_file: PathBuf,
    /// The mail server: `smtp://host:25` without TLS,
    /// `smtp://user:password@host:587?tls=required` with STARTTLS, or
    /// `smtps://user:password@host:465`. Default none: mails wait, or in the demo are kept in its
    /// mailbox.
    #[serde(deserialize_with = "smtp_url")]
    pub smtp_url: Option<SmtpUrl>,
    /// A PEM file with a certificate authority to trust besides the system's for the mail server.
    /// Default none.
    #[serde(deserialize_with = "smtp_ca_file")]
    pub smtp_ca_file: Option<CertificateFile>,
    /// The sender of every mail. Default `Latchkey <no-reply@localhost>`.
    #[serde(deserialize_with = "mail_from")]
    pub mail_from: Mailbox,
    /// The name of the company that runs Latchkey, on pages and in mails. Default `Latchkey`.
    #[serde(deserialize_with = "provider_name")]
    pub provider_name: String,
    /// The colour of buttons, links and what is chosen, such as `#005ea5`, on light pages and in
    /// mails. It must be readable there. Default none: the product's own teal.
    #[serde(deserialize_with = "accent_light")]
    pub accent_light: Option<Colour>,
    /// The same on dark pages.
    #[serde(deserialize_with = "accent_dark")]
    pub accent_dark: Option<Colour>,
    /// An SVG or PNG file with the mark beside the name. Default none: the product's key.
    #[serde(deserialize_with = "mark_file")]
    pub mark_file: Option<Mark>,
    /// The language of pages and mails for those who ask for none that Latchkey speaks: `en`, `nb`
    /// or `de`. Default `en`.
    #[serde(deserialize_with = "language")]
    pub language: Locale,
    /// Whether this is the demo: fictional people with a password that everybody knows, and a
    /// mailbox that everybody can read. Default `false`.
    #[serde(deserialize_with = "flag")]
    pub demo: bool,
    /// Days until an invitation expires. Default 7, at most 90.
    #[serde(deserialize_with = "whole::<_, 90>")]
    pub invitation_days: u32,
    /// Hours without use until a session ends. Default 24, at most 2160 (90 days).
    #[serde(deserialize_with = "whole::<_, 2160>")]
    pub session_idle_hours: u32,
    /// Days until a session ends at any rate. Default 30, at most 365.
    #[serde(deserialize_with = "whole::<_, 365>")]
    pub session_days: u32,
    /// Minutes after signing in until something sensitive takes the password again. Default 10.
    #[serde(deserialize_with = "whole::<_, 1440>")]
    pub confirm_minutes: u32,
    /// Wrong sign-ins from one client address in a day that cost no waiting. Default 300.
    #[serde(deserialize_with = "whole::<_, 1_000_000>")]
    pub sign_ins_per_client: u32,
    /// Invitation mails that one person may send in an hour, in all their accounts together.
    /// Default 50.
    #[serde(deserialize_with = "whole::<_, 1_000_000>")]
    pub invitations_per_inviter: u32,
    /// Invitation mails that one account may send in an hour. Default 200.
    #[serde(deserialize_with = "whole::<_, 1_000_000>")]
    pub invitations_per_account: u32,
    /// Invitation mails that one account may send to one address in an hour. Default 10.
    #[serde(deserialize_with = "whole::<_, 1_000_000>")]
    pub invitations_per_address: u32,
    /// Invitation mails that all accounts together may send to one address in a day. Default 20.
    #[serde(deserialize_with = "whole::<_, 1_000_000>")]
    pub invitations_to_address: u32,
    /// Who gets a mail when an invited person says that they don't know the inviter. Default none.
    #[serde(deserialize_with = "operator_email")]
    pub operator_email: Option<EmailAddress>,
    /// A GeoIP file (MaxMind DB) that says where addresses are: the device list and mails about new
    /// devices tell the place then. Default none.
    #[serde(deserialize_with = "geoip_file")]
    pub geoip_file: Option<Places>,
    /// The proxies in front: addresses or networks such as `10.0.0.0/8`, a list in the file,
    /// separated by commas in the environment. Only what they say in `X-Forwarded-For` is
    /// believed. Default none.
    #[serde(deserialize_with = "trusted_proxies")]
    pub trusted_proxies: Vec<IpNet>,
    /// The identity providers that people can sign in with (OpenID Connect): a list of tables in
    /// the file, and the same as one TOML value in the environment. Default none.
    #[serde(deserialize_with = "identity_providers")]
    pub identity_providers: Vec<IdentityProviderSettings>,
    /// The DNS server to ask whether a domain is an account's: an IP address and perhaps a port.
    /// Default none: those that the system asks.
    #[serde(deserialize_with = "dns_server")]
    pub dns_server: Option<SocketAddr>,
    /// Whether accounts' own identity providers may have private addresses, and http ones on this
    /// machine: an owner could have Latchkey ask them, then. Default `false`.
    #[serde(deserialize_with = "flag")]
    pub sso_private_addresses: bool,
    /// Connections served at the same time; of more, those that wait for their client give way.
    /// Default 1024.
    #[serde(deserialize_with = "whole::<_, 65_536>")]
    pub connections: u32,
    /// How log lines look: `text` or `json`. Default `text`.
    #[serde(deserialize_with = "log_format")]
    pub log_format: LogFormat,
    /// What is logged: a level, or levels per part such as `info,sqlx=debug`. Default `info`.
    #[serde(deserialize_with = "log")]
    pub log: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Where the mail server is, and how to speak to it.
#[derive(Clone)]
pub struct SmtpUrl {
    /// Its name or address.
    pub host: String,
    /// Its port; without one 25, 587 with STARTTLS, 465 with TLS from the start.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// User name and password, if it asks for them.
    pub credentials: Option<Credentials>,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// Not at all.
    None,
    /// By STARTTLS (RFC 3207); without it nothing is sent.
    Required,
    /// By TLS from the first byte (RFC 8314 section 3.3).
    FromTheStart,
}

/// An identity provider that people can sign in with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityProviderSettings {
    /// What it is called here: letters, digits and dashes.
    pub id: String,
    /// What people call it: the button says "Sign in with" and this.
    pub name: String,
    /// Its address, as it names itself but for a slash at the end.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// By which it knows us.
    pub client_secret: Secret,
}

/// A certificate authority, as read from its file.
#[derive(Clone)]
pub struct CertificateFile {
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub certificates: Vec<CertificateDer<'static>>,
}

/// Why the settings can't be used, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, tls, credentials } = self;
        let credentials = credentials.as_ref().map(|_| "***");
        f.debug_struct("SmtpUrl")
            .field("host", host)
            .field("port", port)
            .field("tls", tls)
            .field("credentials", &credentials)
            .finish()
    }
}

impl fmt::Debug for CertificateFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: "http://localhost:3000".to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            database_url: Secret::from("sqlite:data/latchkey.db".to_owned()),
            log_key_file: PathBuf::from("data/log-key.pem"),
            smtp_url: None,
            smtp_ca_file: None,
            mail_from: Mailbox {
                name: Some("Latchkey".to_owned()),
                email: lettre::Address::new_dangerous("no-reply", "localhost"),
            },
            provider_name: "Latchkey".to_owned(),
            accent_light: None,
            accent_dark: None,
            mark_file: None,
            language: Locale::default(),
            demo: false,
            invitation_days: 7,
            session_idle_hours: 24,
            session_days: 30,
            confirm_minutes: 10,
            sign_ins_per_client: 300,
            invitations_per_inviter: 50,
            invitations_per_account: 200,
            invitations_per_address: 10,
            invitations_to_address: 20,
            operator_email: None,
            geoip_file: None,
            trusted_proxies: Vec::new(),
            identity_providers: Vec::new(),
            dns_server: None,
            sso_private_addresses: false,
            connections: 1024,
            log_format: LogFormat::Text,
            log: "info".to_owned(),
        }
    }
}

impl Config {
    /// What is logged. One part is kept from the most talkative level: there it writes addresses
    /// whole, also those that are keys (OWASP ASVS 5.0 V16.2.5).
    #[must_use]
    pub fn log_filter(&self) -> EnvFilter {
        let filter = EnvFilter::new(&self.log);
        match "tower_http::csrf=debug".parse() {
            Ok(quiet) if self.log_is_talkative() => filter.add_directive(quiet),
            _ => filter,
        }
    }

    fn log_is_talkative(&self) -> bool {
        EnvFilter::new(&self.log).max_level_hint() == Some(LevelFilter::TRACE)
    }

    /// Reads the settings: from `file`, or else from [`FILE`] if there is one, and from this
    /// process's environment.
    ///
    /// # Errors
    /// [`Problem`] for a file that can't be read, an unknown setting, or a value that can't be.
    pub fn load(file: Option<&Path>) -> Result<Self, Problem> {
        let (path, needed) = file.map_or((Path::new(FILE), false), |file| (file, true));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !needed => String::new(),
            Err(error) => {
                return Err(Problem(format!("{} can't be read: {error}", path.display())));
            }
        };
        // A name that isn't UTF-8 is none of ours.
        let mut environment = Vec::new();
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => environment.push((name, value)),
                (Ok(name), Err(_)) if name.starts_with(PREFIX) || name == DATABASE_URL => {
                    return Err(Problem(format!("{name} in the environment must be UTF-8")));
                }
                _ => {}
            }
        }
        Self::parse(path, &text, environment)
    }

    /// Reads the settings from the text of the file and the variables of an environment.
    ///
    /// # Errors
    /// [`Problem`] for an unknown setting or a value that can't be.
    pub fn parse(
        path: &Path,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Problem> {
        // Some editors begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let settings = Figment::new().merge(File { path, text });
        let settings = Environment::of(environment).into_iter().fold(settings, Figment::merge);
        settings.extract().map_err(|error| explain(&settings, error, path))
    }

    /// What pages and mails need to know.
    #[must_use]
    pub fn site(&self) -> Site {
        Site {
            provider: self.provider_name.clone(),
            public_url: self.public_url.clone(),
            demo: self.demo,
            mailbox: self.demo && self.smtp_url.is_none(),
            mail_from: self.mail_from.to_string(),
            secure: self.public_url.starts_with("https:"),
            accent_light: self.accent_light.map(|colour| colour.to_string()),
            accent_dark: self.accent_dark.map(|colour| colour.to_string()),
            mark: self.mark_file.is_some(),
            language: self.language,
            places: self.geoip_file.clone(),
        }
    }

    /// What the product's rules need to know.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            public_url: self.public_url.clone(),
            provider: self.provider_name.clone(),
            invitation_lifetime: self.invitation_days * DAY,
            session_idle: self.session_idle_hours * HOUR,
            session_absolute: self.session_days * DAY,
            confirmed_for: self.confirm_minutes * HOUR / 60,
            sign_ins_per_client: self.sign_ins_per_client,
            invitations_per_inviter: self.invitations_per_inviter,
            invitations_per_account: self.invitations_per_account,
            invitations_per_address: self.invitations_per_address,
            invitations_to_address: self.invitations_to_address,
            operator_email: self.operator_email.clone(),
            sso_private_addresses: self.sso_private_addresses,
            service_names: vec![self.provider_name.clone(), self.host()],
            ..Settings::default()
        }
    }

    /// The host's name in the public address.
    fn host(&self) -> String {
        let url = Url::parse(&self.public_url).ok();
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Whose request it is: the peer, or behind trusted proxies the last address in
    /// `X-Forwarded-For` (several such headers joined by commas) that isn't one of theirs. What
    /// stands left of it anybody can have written.
    #[must_use]
    pub fn client_address(&self, peer: IpAddr, forwarded_for: Option<&str>) -> IpAddr {
        let trusted =
            |address: IpAddr| self.trusted_proxies.iter().any(|net| net.contains(&address));
        let mut client = peer.to_canonical();
        let mut hops = forwarded_for.unwrap_or_default().rsplit(',');
        while trusted(client) {
            let Some(hop) = hops.next().and_then(hop) else { break };
            client = hop.to_canonical();
        }
        client
    }

    /// Whether the public address is this machine's own, where http is as good as https.
    #[must_use]
    pub fn is_local(&self) -> bool {
        Url::parse(&self.public_url).is_ok_and(|url| match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        })
    }

    /// Why nobody can use passkeys here, and what to do; none where they can.
    #[must_use]
    pub fn why_no_passkeys(&self) -> Option<String> {
        let url = &self.public_url;
        match passkeys::are_possible(url) {
            Ok(()) => None,
            Err(NoPasskeys::NoName) => Some(format!(
                "they belong to a name, and {url} is an IP address: set public_url to an address \
                 with a name"
            )),
            Err(NoPasskeys::NoHttps) => Some(format!(
                "browsers take them over https only, and {url} isn't: put https in front, and set \
                 it in public_url"
            )),
        }
    }

    /// Where the SQLite file is; none for another database.
    #[must_use]
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        match Place::parse(self.database_url.expose()) {
            Ok(Place::Sqlite(file)) => Some(file),
            _ => None,
        }
    }
}

/// One hop of `X-Forwarded-For`: an address, which some proxies give with the port.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse().ok();
    address
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

/// The file's text; figment's own provider would read the file again, and take a missing one for
/// empty.
struct File<'a> {
    path: &'a Path,
    text: &'a str,
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
struct Environment {
    variable: String,
    setting: String,
    value: String,
}

impl Environment {
    /// The variables that set something; of two that set the same, the later wins.
    fn of(variables: impl IntoIterator<Item = (String, String)>) -> Vec<Self> {
        let variables: BTreeMap<_, _> = variables.into_iter().collect();
        let set = |(variable, value): (String, String)| {
            let setting = match variable.strip_prefix(PREFIX) {
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

/// The first thing that is wrong, in one sentence without the value, which may be a secret.
fn explain(settings: &Figment, error: figment::Error, path: &Path) -> Problem {
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

/// A value as the file or the environment gives it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Flag(bool),
    Number(i64),
    Text(String),
    List(Vec<String>),
}

/// Reads a value, or says what it must be.
fn read<'de, D: Deserializer<'de>, T>(
    from: D,
    wanted: &str,
    parse: impl FnOnce(Given) -> Option<T>,
) -> Result<T, D::Error> {
    let wrong = || de::Error::custom(wanted);
    Given::deserialize(from).ok().and_then(parse).ok_or_else(wrong)
}

/// Reads a value that is one line of text in the file too.
fn read_text<'de, D: Deserializer<'de>, T>(
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

fn whole<'de, D: Deserializer<'de>, const MOST: u32>(from: D) -> Result<u32, D::Error> {
    read(from, &format!("a whole number from 1 to {MOST}"), |given| {
        let number = match given {
            Given::Number(number) => u32::try_from(number).ok()?,
            Given::Text(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        (1..=MOST).contains(&number).then_some(number)
    })
}

fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
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

fn public_url<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    const WANTED: &str =
        "an http or https address without a path, such as https://my.provider.example";
    read_text(from, WANTED, |text| {
        let url = Url::parse(text).ok()?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        plain.then(|| url.origin().ascii_serialization())
    })
}

fn listen<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    read_text(from, "an IP address and a port, such as 127.0.0.1:3000 or [::]:3000", |text| {
        text.parse().ok()
    })
}

fn database_url<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    let url = read_text(from, "sqlite:path or postgres://user:password@host/name", |text| {
        Some(text.to_owned())
    })?;
    Place::parse(&url).map_err(de::Error::custom)?;
    Ok(Secret::from(url))
}

fn log_key_file<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    read_text(from, "the path of a file", |text| {
        let names_one = Path::new(text).file_name().is_some() && !text.ends_with('/');
        (names_one && !Path::new(text).is_dir()).then(|| text.into())
    })
}

fn smtp_url<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SmtpUrl>, D::Error> {
    const WANTED: &str = "smtp://host:port, smtp://user:password@host:port?tls=required or \
                          smtps://user:password@host:port, with special characters of user and \
                          password percent-encoded";
    read_text(from, WANTED, |text| SmtpUrl::parse(text).map(Some))
}

impl SmtpUrl {
    /// Takes what stands in the setting; none for what it can't be.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let (tls, port) = match (url.scheme(), url.query()) {
            ("smtp", None) => (SmtpTls::None, 25),
            ("smtp", Some("tls=required")) => (SmtpTls::Required, 587),
            ("smtps", None | Some("tls=required")) => (SmtpTls::FromTheStart, 465),
            _ => return None,
        };
        // Host names aren't parsed for schemes that browsers don't know: an address in brackets
        // keeps them, and the resolver wouldn't take it.
        let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() => {
                Some(Credentials::new(percent_decode(user)?, percent_decode(password)?))
            }
            _ => return None,
        };
        let plain = !host.is_empty() && url.fragment().is_none() && matches!(url.path(), "" | "/");
        let port = url.port().unwrap_or(port);
        plain.then_some(Self { host, port, tls, credentials })
    }
}

fn smtp_ca_file<'de, D: Deserializer<'de>>(from: D) -> Result<Option<CertificateFile>, D::Error> {
    read_text(from, "the path of a readable PEM file with a certificate", |text| {
        let pem = std::fs::read(text).ok()?;
        let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.ok().filter(|found| !found.is_empty())?;
        Some(Some(CertificateFile { path: text.into(), certificates }))
    })
}

fn mail_from<'de, D: Deserializer<'de>>(from: D) -> Result<Mailbox, D::Error> {
    read_text(from, "a sender such as \"My Provider <no-reply@provider.example>\"", |text| {
        text.parse().ok()
    })
}

fn provider_name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    read_text(from, "a name of 1 to 100 characters on one line", |text| {
        (1..=100).contains(&text.chars().count()).then(|| text.to_owned())
    })
}

fn accent_light<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Colour>, D::Error> {
    accent(from, &look::LIGHT)
}

fn accent_dark<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Colour>, D::Error> {
    accent(from, &look::DARK)
}

/// A colour that can be read in this theme. Which contrast it lacks is no secret.
fn accent<'de, D: Deserializer<'de>>(from: D, theme: &Theme) -> Result<Option<Colour>, D::Error> {
    let colour: Colour = read_text(from, "a colour such as #005ea5", |text| text.parse().ok())?;
    match colour.check(theme) {
        Ok(()) => Ok(Some(colour)),
        Err((found, needed)) => Err(de::Error::custom(format!(
            "a colour that can be read on {} pages: {colour} has a contrast of {found:.1}:1 where \
             {needed}:1 is needed",
            theme.name
        ))),
    }
}

fn mark_file<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Mark>, D::Error> {
    read_text(from, "the path of a readable SVG or PNG file of at most 64 KiB", |text| {
        Mark::parse(std::fs::read(text).ok()?).map(Some)
    })
}

fn language<'de, D: Deserializer<'de>>(from: D) -> Result<Locale, D::Error> {
    read_text(from, "one of the languages, such as en", |text| {
        Language::parse(text).and_then(|language| app::spoken(&language))
    })
}

fn operator_email<'de, D: Deserializer<'de>>(from: D) -> Result<Option<EmailAddress>, D::Error> {
    read_text(from, "an e-mail address such as abuse@provider.example", |text| {
        EmailAddress::parse(text).ok().map(Some)
    })
}

fn geoip_file<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Places>, D::Error> {
    read_text(from, "the path of a readable GeoIP file in the MaxMind DB format", |text| {
        Places::read(Path::new(text)).ok().map(Some)
    })
}

fn trusted_proxies<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    read(from, "IP addresses or networks such as 10.0.0.0/8, separated by commas", |given| {
        let entries = match given {
            Given::Text(text) => text.split(',').map(str::to_owned).collect(),
            Given::List(entries) => entries,
            _ => return None,
        };
        let entries = entries.iter().map(|entry| entry.trim()).filter(|entry| !entry.is_empty());
        entries.map(network).collect()
    })
}

fn dns_server<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    const PORT: u16 = 53;
    read_text(from, "an IP address and perhaps a port, such as 192.0.2.53", |text| {
        let alone = text.parse().ok().map(|address: IpAddr| SocketAddr::new(address, PORT));
        alone.or_else(|| text.parse().ok()).map(Some)
    })
}

fn network(text: &str) -> Option<IpNet> {
    let address = text.parse().ok().map(|address: IpAddr| IpNet::from(address.to_canonical()));
    address.or_else(|| text.parse().ok())
}

fn identity_providers<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<IdentityProviderSettings>, D::Error> {
    const WANTED: &str = "a list of identity providers, each with an id of letters, digits and \
                          dashes, a name, an https issuer, a client_id and a client_secret, no id \
                          and no issuer twice";
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        List(Vec<IdentityProviderSettings>),
        Text(String),
    }
    let wrong = || de::Error::custom(WANTED);
    let mut list = match Given::deserialize(from).map_err(|_| wrong())? {
        Given::List(list) => list,
        // In the environment it is one TOML value.
        Given::Text(text) => Figment::from(Toml::string(&format!("list = {text}")))
            .extract_inner("list")
            .map_err(|_| wrong())?,
    };
    for one in &mut list {
        one.issuer = domain::single_sign_on::meant_issuer(&one.issuer);
    }
    let sound = list.iter().enumerate().all(|(place, one)| {
        let others = || list.iter().take(place);
        one.is_sound() && others().all(|other| other.id != one.id && other.issuer != one.issuer)
    });
    if sound { Ok(list) } else { Err(wrong()) }
}

impl IdentityProviderSettings {
    fn is_sound(&self) -> bool {
        let line = |text: &str, most: usize| {
            (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let issuer = Url::parse(&self.issuer).is_ok_and(|url| {
            (url.scheme() == "https" || is_here(&url))
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        line(&self.id, 40)
            && self.id.chars().all(plain)
            && line(&self.name, 100)
            && issuer
            && line(&self.client_id, 255)
            && line(self.client_secret.expose(), 1000)
    }
}

fn log_format<'de, D: Deserializer<'de>>(from: D) -> Result<LogFormat, D::Error> {
    read_text(from, "text or json", |text| match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    })
}

fn log<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    const WANTED: &str = "a log level such as info, or levels per part such as info,sqlx=debug";
    read_text(from, WANTED, |text| {
        let parts: Vec<_> =
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        // A misspelt level would be the name of a part, and nothing but that part's lines logged.
        let has_level = |part: &&str| {
            let mut name = part.chars().take_while(|c| !"[=".contains(*c));
            let level = part.rsplit('=').next().unwrap_or_default();
            name.all(|c| c.is_ascii_alphanumeric() || "_:-".contains(c))
                && !level.is_empty()
                && level.parse::<LevelFilter>().is_ok()
        };
        let text = parts.join(",");
        let sound = parts.iter().all(has_level) && EnvFilter::try_new(&text).is_ok();
        (sound && !parts.is_empty()).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(file: &str, environment: &[(&str, &str)]) -> Result<Config, Problem> {
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::parse(Path::new("latchkey.toml"), file, environment)
    }

    fn problem(file: &str, environment: &[(&str, &str)]) -> String {
        parse(file, environment).map(drop).unwrap_err().to_string()
    }

    fn with_proxies(proxies: &str) -> Config {
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
    fn the_database_has_two_names_and_latchkeys_own_wins() {
        let named = |environment: &[_]| {
            parse("database_url = 'sqlite:file'", environment).unwrap().database_url
        };
        let general = ("DATABASE_URL", "sqlite:general");
        assert_eq!(named(&[general]).expose(), "sqlite:general");
        let own = ("LATCHKEY_DATABASE_URL", "sqlite:own");
        assert_eq!(named(&[own, general]).expose(), "sqlite:own");
        let told = problem("", &[("DATABASE_URL", "mysql://host")]);
        assert!(told.starts_with("DATABASE_URL in the environment must be sqlite:path"), "{told}");
        let told = problem("", &[general, ("LATCHKEY_DATABASE_URL", "mysql://host")]);
        assert!(told.starts_with("LATCHKEY_DATABASE_URL in the environment must be"), "{told}");
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
    fn a_file_of_another_editor_is_read_as_any() {
        let text = "\u{feff}provider_name = \"Nordlys\"\r\nsession_days = 20\r\n";
        let config = parse(text, &[]).unwrap();
        assert_eq!((&*config.provider_name, config.session_days), ("Nordlys", 20));
        let config = parse("", &[("DATABASE_URL", "sqlite:x.db\r")]).unwrap();
        assert_eq!(config.sqlite_file().unwrap(), Path::new("x.db"));
    }

    #[test]
    fn a_wrong_value_is_told_in_a_sentence_that_names_its_place() {
        let environment = [
            ("PUBLIC_URL", "my.provider.example", "an http or https address without a path"),
            ("PUBLIC_URL", "ftp://provider.example", "an http or https address"),
            ("PUBLIC_URL", "https://provider.example/portal", "an http or https address"),
            ("PUBLIC_URL", "https://provider.example/?a", "an http or https address"),
            ("PUBLIC_URL", "https://me:pw@provider.example", "an http or https address"),
            ("LISTEN", "3000", "an IP address and a port"),
            ("LISTEN", "localhost:3000", "an IP address and a port"),
            ("DNS_SERVER", "ns.provider.example", "an IP address and perhaps a port"),
            ("DNS_SERVER", "192.0.2.53:", "an IP address and perhaps a port"),
            ("DATABASE_URL", "mysql://localhost/latchkey", "sqlite:path or postgres://"),
            ("DATABASE_URL", "sqlite:", "sqlite:path or postgres://"),
            ("DATABASE_URL", "file:x.db", "sqlite:path or postgres://"),
            ("LOG_KEY_FILE", " ", "the path of a file"),
            ("SMTP_URL", "mail.provider.example", "smtp://host:port"),
            ("SMTP_URL", "https://mail.provider.example", "smtp://host:port"),
            ("SMTP_URL", "smtp://mail.provider.example?tls=maybe", "smtp://host:port"),
            ("SMTP_URL", "smtp://user@mail.provider.example", "smtp://host:port"),
            ("SMTP_URL", "smtp://mail.provider.example/queue", "smtp://host:port"),
            ("SMTP_CA_FILE", "/there/is/none.pem", "the path of a readable PEM file"),
            ("SMTP_CA_FILE", "Cargo.toml", "the path of a readable PEM file"),
            ("MAIL_FROM", "Latchkey", "a sender such as"),
            ("MAIL_FROM", "Me <me@provider.example>\r\nBcc: all@provider.example", "a sender"),
            ("PROVIDER_NAME", "two\nlines", "a name of 1 to 100 characters on one line"),
            ("PROVIDER_NAME", " ", "a name of 1 to 100 characters on one line"),
            ("ACCENT_LIGHT", "teal", "a colour such as #005ea5"),
            ("ACCENT_LIGHT", "#ffcc00", "a colour that can be read on light pages: #ffcc00 has"),
            ("ACCENT_DARK", "#005ea5", "a colour that can be read on dark pages: #005ea5 has"),
            ("MARK_FILE", "/there/is/none.svg", "the path of a readable SVG or PNG file"),
            ("MARK_FILE", "Cargo.toml", "the path of a readable SVG or PNG file"),
            ("DEMO", "perhaps", "true or false"),
            ("DEMO", "2", "true or false"),
            ("LOG_KEY_FILE", "data/", "the path of a file"),
            ("LOG_KEY_FILE", "..", "the path of a file"),
            ("LOG_KEY_FILE", "src", "the path of a file"),
            ("MARK_FILE", "src", "the path of a readable SVG or PNG file"),
            (
                "PROVIDER_NAME",
                "\"Acme\"",
                "a name of 1 to 100 characters on one line, without quot",
            ),
            (
                "DATABASE_URL",
                "'sqlite:x.db'",
                "sqlite:path or postgres://user:password@host/name, w",
            ),
            ("DATABASE_URL", "sqlite:x.db?mode=ro", "sqlite:path without parameters"),
            ("DATABASE_URL", "sqlite::memory:", "sqlite:path of a file"),
            (
                "DATABASE_URL",
                "postgres://me:a#b@host/latchkey",
                "postgres://user:password@host/name w",
            ),
            ("SESSION_DAYS", "7 days", "a whole number from 1 to 365"),
            ("SESSION_DAYS", "1_0", "a whole number from 1 to 365"),
            ("SESSION_DAYS", " ", "a whole number from 1 to 365"),
            ("PORT", "3000", ""),
            ("SERVICE_NAME", "latchkey", ""),
            ("SSO_SERVICE_PORT_NAME", "https", ""),
            ("INVITATION_DAYS", "0", "a whole number from 1 to 90"),
            ("INVITATION_DAYS", "a week", "a whole number from 1 to 90"),
            ("SESSION_IDLE_HOURS", "-1", "a whole number from 1 to 2160"),
            ("SESSION_DAYS", "1.5", "a whole number from 1 to 365"),
            ("SIGN_INS_PER_CLIENT", "many", "a whole number from 1 to 1000000"),
            ("INVITATIONS_PER_INVITER", "0", "a whole number from 1 to 1000000"),
            ("INVITATIONS_PER_ACCOUNT", "0", "a whole number from 1 to 1000000"),
            ("INVITATIONS_PER_ADDRESS", "0", "a whole number from 1 to 1000000"),
            ("INVITATIONS_TO_ADDRESS", "0", "a whole number from 1 to 1000000"),
            ("OPERATOR_EMAIL", "the operator", "an e-mail address such as"),
            ("GEOIP_FILE", "/there/is/none.mmdb", "the path of a readable GeoIP file"),
            ("GEOIP_FILE", "Cargo.toml", "the path of a readable GeoIP file"),
            ("TRUSTED_PROXIES", "10.0.0.0/8, proxy.local", "IP addresses or networks"),
            ("IDENTITY_PROVIDERS", "acme", "a list of identity providers, each with an id"),
            ("IDENTITY_PROVIDERS", "[{ id = 'acme' }]", "a list of identity providers"),
            ("CONNECTIONS", "100000", "a whole number from 1 to 65536"),
            ("LOG_FORMAT", "xml", "text or json"),
            ("LOG", "info=loud=very", "a log level such as info"),
            ("LOG", "infos", "a log level such as info"),
            ("LOG", "info;sqlx=debug", "a log level such as info"),
            ("LOG", "info,sqlx", "a log level such as info"),
            ("LOG", "sqlx=", "a log level such as info"),
            ("LOG", "[{x=(((}]=info", "a log level such as info"),
            ("LOG", ",", "a log level such as info"),
        ];
        for (name, value, wanted) in environment {
            let name = format!("LATCHKEY_{name}");
            let told = problem("", &[(&name, value)]);
            let expected = match wanted {
                "" => format!("{name} in the environment is no setting of Latchkey's"),
                wanted => format!("{name} in the environment must be {wanted}"),
            };
            assert!(told.starts_with(&expected), "{name}={value}: {told}");
            assert!(!told.contains('\n'), "{told}");
        }
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
    fn a_name_server_is_asked_at_its_usual_port_unless_another_is_named() {
        for (text, address) in [
            ("192.0.2.53", "192.0.2.53:53"),
            ("192.0.2.53:5353", "192.0.2.53:5353"),
            ("2001:db8::53", "[2001:db8::53]:53"),
            ("[2001:db8::53]:5353", "[2001:db8::53]:5353"),
        ] {
            let config = parse("", &[("LATCHKEY_DNS_SERVER", text)]).unwrap();
            assert_eq!(config.dns_server.unwrap().to_string(), address, "{text}");
        }
        assert!(parse("", &[]).unwrap().dns_server.is_none());
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
    fn how_a_mail_server_is_named() {
        let read = |text: &str| {
            let url = SmtpUrl::parse(text)?;
            Some((url.host, url.port, url.tls, url.credentials))
        };
        let pair = Credentials::new("me@provider.example".to_owned(), "p:w/ü%".to_owned());
        let (none, required, start) = (SmtpTls::None, SmtpTls::Required, SmtpTls::FromTheStart);
        let cases = [
            ("smtp://localhost", "localhost", 25, none, None),
            ("smtp://127.0.0.1:2525/", "127.0.0.1", 2525, none, None),
            ("smtp://[::1]:2525", "::1", 2525, none, None),
            ("smtp://mail.example?tls=required", "mail.example", 587, required, None),
            (
                "smtps://me%40provider.example:p%3Aw%2F%C3%BC%25@mail.example",
                "mail.example",
                465,
                start,
                Some(pair),
            ),
        ];
        for (text, host, port, tls, credentials) in cases {
            assert_eq!(read(text), Some((host.to_owned(), port, tls, credentials)), "{text}");
        }
        for text in ["smtps://me:%zz@mail.example", "smtp://", "smtp:mail.example"] {
            assert!(SmtpUrl::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn identity_providers_are_named_in_the_file_or_in_one_value() {
        let file = r#"
            [[identity_providers]]
            id = "acme"
            name = "Acme Login"
            issuer = "https://id.acme.example/"
            client_id = "latchkey"
            client_secret = "geheim"
        "#;
        let value = "[{ id = 'acme', name = 'Acme Login', issuer = 'https://id.acme.example/', \
                     client_id = 'latchkey', client_secret = 'geheim' }]";
        let variable = "LATCHKEY_IDENTITY_PROVIDERS";
        for config in [parse(file, &[]).unwrap(), parse("", &[(variable, value)]).unwrap()] {
            let [acme] = &config.identity_providers[..] else { panic!("{config:?}") };
            assert_eq!((&*acme.id, &*acme.name), ("acme", "Acme Login"));
            assert_eq!((&*acme.issuer, &*acme.client_id), ("https://id.acme.example/", "latchkey"));
            assert_eq!(acme.client_secret.expose(), "geheim");
            assert!(!format!("{config:?}").contains("geheim"));
        }
        let takes = |from: &str, to: &str| {
            let changed = value.replacen(from, to, 1);
            assert_ne!(changed, value);
            parse("", &[(variable, &changed)]).is_ok()
        };
        assert!(takes("https://id.acme.example/", "http://127.0.0.1:9000"));
        let pasted = " https://id.acme.example/.well-known/openid-configuration ";
        let pasted = value.replacen("https://id.acme.example/", pasted, 1);
        let pasted = parse("", &[(variable, &pasted)]).unwrap();
        assert_eq!(pasted.identity_providers[0].issuer, "https://id.acme.example");
        for (from, to) in [
            ("https:", "http:"),
            ("https:", "ftp:"),
            ("example/", "example/?a=b"),
            ("https://", "https://me:geheim@"),
            ("'acme'", "'ac me'"),
            ("'latchkey'", "''"),
            ("'Acme Login'", "\"two\\nlines\""),
            ("client_id", "clientid"),
            ("id = 'acme'", "id = 'acme', scope = 'email'"),
        ] {
            assert!(!takes(from, to), "{to}");
        }
        let twice = format!("{file}{file}");
        let told = problem(&twice, &[]);
        assert!(told.starts_with("identity_providers in latchkey.toml must be a list"), "{told}");
        assert!(!told.contains("geheim"), "{told}");
    }

    #[test]
    fn the_public_address_ends_without_a_slash() {
        let public = |url| parse("", &[("LATCHKEY_PUBLIC_URL", url)]).unwrap();
        let config = public("https://My.Provider.Example:443/");
        assert_eq!(config.public_url, "https://my.provider.example");
        assert!(config.site().secure && !config.is_local());
        for url in ["http://localhost:8080", "http://127.0.0.1", "http://[::1]:3000"] {
            assert!(public(url).is_local(), "{url}");
        }
    }

    #[test]
    fn why_there_are_no_passkeys_is_said() {
        let why = |url: &str| {
            Config { public_url: url.to_owned(), ..Config::default() }.why_no_passkeys()
        };
        assert_eq!(why("http://localhost:3000"), None);
        assert_eq!(why("https://my.provider.example"), None);
        assert!(why("https://192.0.2.1").unwrap().contains("192.0.2.1 is an IP address"));
        assert!(why("http://my.provider.example").unwrap().contains("put https in front"));
    }

    #[test]
    fn only_trusted_proxies_say_who_the_client_is() {
        let cases = [
            ("", "203.0.113.9", Some("192.0.2.1"), "203.0.113.9"),
            ("10.0.0.0/8", "10.1.2.3", None, "10.1.2.3"),
            ("10.0.0.0/8", "10.1.2.3", Some("192.0.2.1"), "192.0.2.1"),
            ("10.0.0.0/8", "203.0.113.9", Some("192.0.2.1"), "203.0.113.9"),
            // Whoever sends the header themselves only adds to its left.
            ("10.0.0.0/8", "10.1.2.3", Some("127.0.0.1, 192.0.2.1"), "192.0.2.1"),
            ("10.0.0.0/8", "10.1.2.3", Some("192.0.2.1,10.9.9.9 , 10.8.8.8"), "192.0.2.1"),
            ("10.0.0.0/8", "10.1.2.3", Some("10.9.9.9, 10.8.8.8"), "10.9.9.9"),
            ("10.0.0.0/8", "10.1.2.3", Some("192.0.2.1, unknown, 10.8.8.8"), "10.8.8.8"),
            ("10.0.0.0/8", "10.1.2.3", Some(""), "10.1.2.3"),
            ("10.0.0.0/8", "10.1.2.3", Some("192.0.2.1:49152"), "192.0.2.1"),
            ("10.0.0.0/8", "10.1.2.3", Some("[2001:db8::1]:49152"), "2001:db8::1"),
            ("10.0.0.0/8", "10.1.2.3", Some("[2001:db8::1]"), "2001:db8::1"),
            // A socket for both families shows IPv4 peers as IPv6.
            ("10.0.0.0/8", "::ffff:10.1.2.3", Some("::ffff:192.0.2.1"), "192.0.2.1"),
            ("::ffff:10.1.2.3", "10.1.2.3", Some("192.0.2.1"), "192.0.2.1"),
            ("fd00::/8, 127.0.0.1", "fd00::7", Some("192.0.2.1, 127.0.0.1"), "192.0.2.1"),
        ];
        for (proxies, peer, header, client) in cases {
            let found = with_proxies_or_none(proxies).client_address(peer.parse().unwrap(), header);
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{proxies} {peer} {header:?}");
        }
    }

    fn with_proxies_or_none(proxies: &str) -> Config {
        if proxies.is_empty() { Config::default() } else { with_proxies(proxies) }
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
}
