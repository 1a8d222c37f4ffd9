//! `latchkey doctor`: one line per check, and what to do where there is a problem.

use anyhow::Result;
use app::places::Places;
use domain::digests;
use domain::operator_commands::command;
use lettre::Address;
use serde_json::json;
use store::Unready;

use super::told::Told;
use super::{demo, exact, open, open_as_it_is, plain, webhook};
use crate::assets;
use crate::config::{Config, IdentityProviderSettings, SmtpTls, Unsound};
use crate::identity_providers::OpenIdConnect;
use crate::log_key;
use crate::mail_server::SmtpServer;
use crate::mailer::{Patience, Transport};

/// What a check found.
enum Finding {
    /// All is well.
    Ok(String),
    /// It works, but.
    Note(String),
    /// It doesn't work; what to do.
    Problem(String),
    /// Nobody looked: a setting that it goes by is wrong.
    Unknown(String),
}

use Finding::{Note, Ok as Fine, Problem as Trouble, Unknown};

/// What was checked, in its order.
#[derive(Default)]
struct Findings {
    /// The settings that are wrong.
    wrong: Vec<String>,
    found: Vec<(String, Finding)>,
}

impl Findings {
    /// Notes what a check found.
    fn note(&mut self, check: impl Into<String>, finding: Finding) {
        self.found.push((check.into(), finding));
    }

    /// Notes what a check finds that goes by these of the settings, if they are as they can be; settings
    /// have the names in it by which they were set.
    async fn check(
        &mut self,
        config: &Config,
        check: &str,
        by: &[&str],
        look: impl Future<Output = Finding>,
    ) {
        self.check_each(config, check, by, async { vec![look.await] }).await;
    }

    /// The same of a check that may find several things.
    async fn check_each(
        &mut self,
        config: &Config,
        check: &str,
        by: &[&str],
        look: impl Future<Output = Vec<Finding>>,
    ) {
        let found = match self.goes_by_wrong(by) {
            Some(unknown) => vec![unknown],
            None => look.await,
        };
        for finding in found {
            self.note(check, finding.with_words(|words| config.with_names(&words)));
        }
    }

    /// That what goes by these settings can't be checked, if one of them is wrong.
    fn goes_by_wrong(&self, by: &[&str]) -> Option<Finding> {
        let is_wrong = |setting: &&&str| self.wrong.iter().any(|wrong| wrong == **setting);
        let wrong: Vec<_> = by.iter().filter(is_wrong).copied().collect();
        match *wrong {
            [] => None,
            [one] => Some(Unknown(format!("{one} is wrong"))),
            _ => Some(Unknown(format!("{} are wrong", wrong.join(", ")))),
        }
    }

    fn tell(self) -> Told {
        let healthy = self.found.iter().all(|(_, finding)| finding.is_healthy());
        let checks = self.found.iter().map(|(check, finding)| {
            json!({ "check": check, "state": finding.state(), "words": finding.words() })
        });
        let checks: Vec<_> = checks.collect();
        let told = Told::new(json!({ "is_healthy": healthy, "checks": checks }));
        let lines = self.found.iter().map(|(check, finding)| finding.line(check));
        let told = told.lines(lines);
        if healthy { told } else { told.but("") }
    }
}

impl Finding {
    const fn is_healthy(&self) -> bool {
        matches!(self, Fine(_) | Note(_))
    }

    const fn state(&self) -> &'static str {
        match self {
            Fine(_) => "ok",
            Note(_) => "note",
            Trouble(_) => "problem",
            Unknown(_) => "unknown",
        }
    }

    fn words(&self) -> &str {
        let (Fine(words) | Note(words) | Trouble(words) | Unknown(words)) = self;
        words
    }

    fn with_words(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Fine(words) => Fine(change(words)),
            Note(words) => Note(change(words)),
            Trouble(words) => Trouble(change(words)),
            Unknown(words) => Unknown(change(words)),
        }
    }

    /// The check's line.
    fn line(&self, check: &str) -> String {
        let words = self.words();
        match self {
            Fine(_) if words.is_empty() => format!("{check}: ok"),
            Fine(_) => format!("{check}: ok, {words}"),
            Note(_) => format!("{check}: ok, but {words}"),
            Trouble(_) => format!("{check}: problem: {words}"),
            Unknown(_) => format!("{check}: not checked: {words}"),
        }
    }
}

/// Checks everything, also what is left of settings of which some are wrong. What it tells is trouble if
/// there is a problem.
pub(super) async fn run(config: Result<Config, Unsound>) -> Told {
    let mut findings = Findings::default();
    let config = match config {
        Ok(config) => {
            findings.note("settings", Fine(String::new()));
            config
        }
        Err(Unsound { problems, wrong, rest }) => {
            for problem in problems {
                findings.note("settings", Trouble(problem.to_string()));
            }
            findings.wrong = wrong;
            match rest {
                Some(rest) => *rest,
                None => return findings.tell(),
            }
        }
    };
    let config = &config;
    let by = ["public_url", "listen"];
    findings.check(config, "public address", &by, async { public_address(config) }).await;
    findings.check(config, "passkeys", &["public_url"], async { passkeys(config) }).await;
    findings.check(config, "files", &[], async { files() }).await;
    findings.check(config, "database", &["database_url"], database(config)).await;
    let by = ["log_key_file", "database_url"];
    findings.check_each(config, "log key", &by, log_key(config)).await;
    let by = ["smtp_url", "smtp_ca_file", "mail_from", "public_url"];
    findings.check(config, "mail server", &by, mail_server(config)).await;
    findings.check(config, "waiting mails", &["database_url"], waiting_mails(config)).await;
    findings.check_each(config, "webhooks", &["database_url"], webhooks(config)).await;
    findings.check(config, "sender", &["mail_from", "smtp_url"], async { sender(config) }).await;
    findings.check(config, "places", &["geoip_file"], async { places(config) }).await;
    match findings.goes_by_wrong(&["identity_providers"]) {
        Some(unknown) => {
            let unknown = unknown.with_words(|words| config.with_names(&words));
            findings.note("identity providers", unknown);
        }
        None => {
            for (provider, finding) in identity_providers(config).await {
                findings.note(format!("identity provider {provider}"), finding);
            }
        }
    }
    findings.tell()
}

fn public_address(config: &Config) -> Finding {
    let url = &config.public_url;
    if url.starts_with("https:") || config.is_local() && config.listen.ip().is_loopback() {
        Fine(url.clone())
    } else if config.is_local() {
        Note(format!(
            "{url} leads nobody but this machine here, while {} listens for others: set \
             public_url to the address that people use",
            config.listen
        ))
    } else {
        Note(format!("{url} lets passwords travel readable: put https in front, and set it here"))
    }
}

fn passkeys(config: &Config) -> Finding {
    config
        .why_no_passkeys()
        .map_or_else(|| Fine(String::new()), |words| Note(format!("there are none: {words}")))
}

fn files() -> Finding {
    if assets::are_there() {
        Fine(String::new())
    } else {
        Trouble("those for the browser aren't built: build with `make build`".to_owned())
    }
}

async fn database(config: &Config) -> Finding {
    if let Some(file) = config.sqlite_file()
        && !file.exists()
    {
        let file = file.display();
        return Trouble(format!(
            "{file} isn't there yet: check database_url, or run `latchkey migrate`"
        ));
    }
    let latchkey = match open_as_it_is(config).await {
        Ok(latchkey) => latchkey,
        Err(error) => return Trouble(format!("{error:#}: check database_url and the database")),
    };
    let finding = match latchkey.store.is_ready().await {
        Ok(()) => match demo::is_there(&latchkey).await {
            Ok(true) if !config.demo => Trouble(
                "it holds the demo's people, whose password everybody knows: use another \
                 database_url"
                    .to_owned(),
            ),
            Ok(_) => Fine("up to date".to_owned()),
            Err(_) => Trouble(Unready::Silent.to_string()),
        },
        Err(why) => Trouble(why.to_string()),
    };
    latchkey.store.close().await;
    finding
}

async fn log_key(config: &Config) -> Vec<Finding> {
    let path = &config.log_key_file;
    let key = match log_key::read(path) {
        Ok(Some(key)) => key.public(),
        Ok(None) => {
            return vec![Note(format!(
                "{} isn't there yet: `latchkey serve` makes it, unless you bring another node's",
                path.display()
            ))];
        }
        Err(error) => return vec![Trouble(error.to_string())],
    };
    let mut found = Vec::new();
    if log_key::is_exposed(path) {
        let path = path.display().to_string();
        found.push(Note(format!(
            "others can read {path}: run `{}`",
            command("chmod 600", &[&path])
        )));
    }
    if !is_in_use(config, key).await {
        found.push(Note(format!(
            "the newest digest was signed with another key: if another node did it, bring its \
             file to {}",
            path.display()
        )));
    }
    if found.is_empty() {
        found.push(Fine(path.display().to_string()));
    }
    found
}

/// Whether nothing speaks against this key; whether the database answers, another check tells.
async fn is_in_use(config: &Config, key: digests::PublicKey) -> bool {
    if config.sqlite_file().is_some_and(|file| !file.exists()) {
        return true;
    }
    let Ok(latchkey) = open(config).await else { return true };
    let in_use = digests::is_the_key_in_use(&latchkey, key).await;
    latchkey.store.close().await;
    in_use.unwrap_or(true)
}

async fn mail_server(config: &Config) -> Finding {
    match Transport::new(config) {
        Ok(Transport::Smtp(server)) => reach(config, &server).await,
        Ok(Transport::Keep) => Fine("mails stay in the demo's mailbox".to_owned()),
        Ok(Transport::Missing) => {
            Trouble("none is configured, so nobody gets a mail: set smtp_url".to_owned())
        }
        Err(error) => Trouble(format!("TLS can't be set up: {error:#}")),
    }
}

async fn reach(config: &Config, server: &SmtpServer) -> Finding {
    if let Err(words) = server.check(Patience::default().send).await {
        return Trouble(words);
    }
    let exposed = config.smtp_url.as_ref().filter(|url| {
        let local = ["localhost", "127.0.0.1", "::1"].contains(&url.host.as_str());
        url.tls == SmtpTls::None && !local
    });
    match exposed {
        Some(url) if url.credentials.is_some() => Note(
            "the password travels readable: use smtps:// or ?tls=required in smtp_url".to_owned(),
        ),
        Some(_) => Note(
            "the links in mails travel readable: use smtps:// or ?tls=required in smtp_url"
                .to_owned(),
        ),
        None => Fine(format!("it lets us send as {}", server.from.email)),
    }
}

/// What the mail server said of mails that wait; whether the database answers, another check tells.
async fn waiting_mails(config: &Config) -> Finding {
    let none = || Fine("none".to_owned());
    if config.sqlite_file().is_some_and(|file| !file.exists()) {
        return none();
    }
    let Ok(latchkey) = open(config).await else { return none() };
    let waiting = domain::mails::waiting(&latchkey).await;
    latchkey.store.close().await;
    match waiting {
        Ok(Some((mails, answer))) => Note(format!(
            "after a try that came to nothing there are {mails}; the newest was answered: {answer}"
        )),
        _ => none(),
    }
}

/// Which endpoints are off; whether the database answers, another check tells.
async fn webhooks(config: &Config) -> Vec<Finding> {
    let none = || vec![Fine("none".to_owned())];
    if config.sqlite_file().is_some_and(|file| !file.exists()) {
        return none();
    }
    let Ok(latchkey) = open(config).await else { return none() };
    let endpoints = domain::webhooks::endpoints(&latchkey).await;
    latchkey.store.close().await;
    let Ok(endpoints) = endpoints else { return none() };
    let off = endpoints.iter().filter_map(|endpoint| Some((endpoint, endpoint.off.as_ref()?)));
    let off = off.map(|(endpoint, (since, why))| {
        Note(format!(
            "{} is off since {}: {}; when its receiver works again, run `{}`",
            plain(&domain::webhooks::shown(&endpoint.url)),
            exact(*since),
            plain(why),
            webhook::on_command(endpoint)
        ))
    });
    let off: Vec<_> = off.collect();
    match endpoints.len() {
        _ if !off.is_empty() => off,
        0 => none(),
        all => vec![Fine(format!("endpoints that are told of events: {all}"))],
    }
}

/// What each identity provider says of itself.
async fn identity_providers(config: &Config) -> Vec<(String, Finding)> {
    let mut findings = Vec::new();
    for IdentityProviderSettings { id, issuer, .. } in &config.identity_providers {
        let asked = match OpenIdConnect::new(config) {
            Ok(providers) => providers.check(id).await,
            Err(error) => Err(error),
        };
        let finding = match asked {
            Ok(()) => Fine(format!("{issuer} answers")),
            Err(error) => Trouble(format!("{error:#}: check its issuer, {issuer}")),
        };
        findings.push((id.clone(), finding));
    }
    findings
}

fn sender(config: &Config) -> Finding {
    let address: &Address = &config.mail_from.email;
    if address.domain() == "localhost" && config.smtp_url.is_some() {
        return Note(format!(
            "other mail servers won't take mail from {address}: set mail_from to an address of \
             yours"
        ));
    }
    Fine(address.to_string())
}

fn places(config: &Config) -> Finding {
    match config.geoip_file.as_ref().map(Places::check) {
        None => Fine("addresses are shown without a place, as there is no geoip_file".to_owned()),
        Some(Ok(())) => Fine(String::new()),
        Some(Err(error)) => Trouble(format!("geoip_file is broken, fetch it again: {error}")),
    }
}
