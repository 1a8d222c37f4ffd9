//! `latchkey doctor`: one line per check, and what to do where there is a problem.

use std::process::ExitCode;

use anyhow::Result;
use app::places::Places;
use domain::digests;
use domain::operator_commands::command;
use lettre::Address;
use store::Unready;

use super::{demo, open, open_as_it_is, say};
use crate::assets;
use crate::config::{Config, IdentityProviderSettings, Problem, SmtpTls};
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
}

use Finding::{Note, Ok as Fine, Problem as Trouble};

/// Checks everything. Answers 1 if there is a problem.
pub(super) async fn run(config: Result<Config, Problem>) -> Result<ExitCode> {
    let config = match config {
        Ok(config) => config,
        Err(problem) => {
            tell("settings", &Trouble(problem.to_string()))?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut healthy = tell("settings", &Fine(String::new()))?;
    healthy &= tell("public address", &public_address(&config))?;
    healthy &= tell("passkeys", &passkeys(&config))?;
    healthy &= tell("files", &files())?;
    healthy &= tell("database", &database(&config).await)?;
    healthy &= tell("log key", &log_key(&config).await)?;
    healthy &= tell("mail server", &mail_server(&config).await)?;
    healthy &= tell("waiting mails", &waiting_mails(&config).await)?;
    healthy &= tell("sender", &sender(&config))?;
    healthy &= tell("places", &places(&config))?;
    for (provider, finding) in identity_providers(&config).await {
        healthy &= tell(&format!("identity provider {provider}"), &finding)?;
    }
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints a check's line. Answers whether there is no problem.
fn tell(check: &str, finding: &Finding) -> Result<bool> {
    say(&match finding {
        Fine(words) if words.is_empty() => format!("{check}: ok"),
        Fine(words) => format!("{check}: ok, {words}"),
        Note(words) => format!("{check}: ok, but {words}"),
        Trouble(words) => format!("{check}: problem: {words}"),
    })?;
    Ok(!matches!(finding, Trouble(_)))
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
        return Trouble(format!("{file} isn't there yet: run `latchkey migrate`"));
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

async fn log_key(config: &Config) -> Finding {
    let path = &config.log_key_file;
    let key = match log_key::read(path) {
        Ok(Some(key)) => key.public(),
        Ok(None) => {
            return Note(format!(
                "{} isn't there yet: `latchkey serve` makes it, unless you bring another node's",
                path.display()
            ));
        }
        Err(error) => return Trouble(error.to_string()),
    };
    if log_key::is_exposed(path) {
        let path = path.display().to_string();
        return Note(format!("others can read {path}: run `{}`", command("chmod 600", &[&path])));
    }
    if !is_in_use(config, key).await {
        return Note(format!(
            "the newest digest was signed with another key: if another node did it, bring its \
             file to {}",
            path.display()
        ));
    }
    Fine(path.display().to_string())
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
