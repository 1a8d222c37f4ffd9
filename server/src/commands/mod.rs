//! The command line. A command says what it did on standard output, and what went wrong in one
//! sentence on standard error; the exit code is 0, 1 when it couldn't be done, or 2 when it was
//! asked in a wrong way.

mod account;
mod copies;
mod demo;
mod doctor;
mod feedback;
mod log;
mod migrate;
mod report;
mod serve;
mod user;

use std::io::{self, IsTerminal, Write};
use std::panic;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{ArgGroup, Parser, Subcommand};
use domain::Latchkey;
use domain::digests::PublicKey;
use jiff::tz::TimeZone;
use model::{AccountNumber, Failure, Field, FieldProblem, Timestamp};
use store::Store;

use crate::clock::{SystemClock, SystemRandom};
use crate::config::{Config, LogFormat, Problem};
use crate::spool::Spool;

/// How long what was said last may take to be written.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A customer area that you host yourself: who may enter an account, and what they may do there.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version)]
struct CommandLine {
    /// The file with the settings [default: latchkey.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the pages and send the mails, until it is stopped
    Serve,
    /// Bring the database up to date
    Migrate,
    /// Copy the database into a file, while a server goes on
    Backup {
        /// The file, which mustn't be there yet
        file: PathBuf,
        /// Overwrite it
        #[arg(long)]
        force: bool,
    },
    /// Put a backup in place of the database, which nobody must have open
    #[command(group = ArgGroup::new("from").required(true))]
    Restore {
        /// The backup
        #[arg(group = "from")]
        file: Option<PathBuf>,
        /// The database was put back in another way: only end what came back to life with it
        #[arg(long, group = "from")]
        in_place: bool,
        /// Send the mails that wait in it; most were probably sent already
        #[arg(long)]
        keep_mails: bool,
    },
    /// Set up and list accounts
    #[command(subcommand)]
    Account(AccountCommand),
    /// Help people with their login
    #[command(subcommand)]
    User(UserCommand),
    /// Check that the accounts' activity logs are as they were written
    #[command(subcommand)]
    Log(LogCommand),
    /// Read what people say of the guides
    #[command(subcommand)]
    Feedback(FeedbackCommand),
    /// See which inviters were reported, and lift what follows from it
    #[command(subcommand)]
    Report(ReportCommand),
    /// Prepare the demo
    #[command(subcommand)]
    Demo(DemoCommand),
    /// Check settings, database, mail server and files, and say what to do
    Doctor,
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// Set up an account and invite its first owner
    Create {
        /// The account's name
        #[arg(long)]
        name: String,
        /// The first owner's e-mail address
        #[arg(long, value_name = "EMAIL")]
        owner_email: String,
    },
    /// List every account
    List,
    /// Let an account's own people in again who can't sign in with its identity provider
    SsoOff {
        /// The account's number
        #[arg(value_parser = account_number)]
        number: AccountNumber,
    },
    /// Take a proven domain away from the account that holds it
    ReleaseDomain {
        /// The domain
        domain: String,
    },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Make a link with which somebody chooses a new password
    ResetLink {
        /// Their e-mail address
        email: String,
    },
    /// Sign somebody out on all their devices, or everybody
    #[command(group = ArgGroup::new("who").required(true))]
    SignOut {
        /// Their e-mail address
        #[arg(group = "who")]
        email: Option<String>,
        /// Everybody, whoever they are
        #[arg(long, group = "who")]
        everybody: bool,
    },
    /// Remove the second factors of somebody who lost them, once you know that it is them
    RemoveFactors {
        /// Their e-mail address
        email: String,
    },
}

#[derive(Debug, Subcommand)]
enum LogCommand {
    /// Follow each log's chain of rows and compare it with its signed digests
    Verify {
        /// The log of this account only
        #[arg(long, value_name = "NUMBER", value_parser = account_number)]
        account: Option<AccountNumber>,
        /// A digest that somebody downloaded, and the log that it is of
        #[arg(long, value_name = "FILE", conflicts_with = "account")]
        digest: Option<PathBuf>,
        /// The public key of an earlier log_key_file, in base64; may be given several times
        #[arg(long, value_parser = PublicKey::parse)]
        key: Vec<PublicKey>,
    },
}

#[derive(Debug, Subcommand)]
enum FeedbackCommand {
    /// List the newest of it
    List {
        /// How much of it
        #[arg(long, default_value_t = 100)]
        most: usize,
    },
}

#[derive(Debug, Subcommand)]
enum ReportCommand {
    /// List the newest reports
    List {
        /// How many of them
        #[arg(long, default_value_t = 100)]
        most: usize,
    },
    /// Let an account invite an address again
    Lift {
        /// The account's number
        #[arg(value_name = "ACCOUNT")]
        number: String,
        /// The address that it may invite again
        email: String,
    },
}

#[derive(Debug, Subcommand)]
enum DemoCommand {
    /// Fill an empty database with the demo's people and accounts
    Seed,
}

/// Runs the command that this process was started with.
pub async fn run() -> ExitCode {
    let CommandLine { config, command } = CommandLine::parse();
    let errors = match Spool::new(io::stderr()) {
        Ok(errors) => errors,
        Err(error) => {
            // Where even this can't be written, nobody listens.
            let _ = writeln!(io::stderr(), "latchkey: the system gives no thread: {error}");
            return ExitCode::FAILURE;
        }
    };
    let _last_words = LastWords(errors.clone());
    carry_out(Config::load(config.as_deref()), command, &errors).await
}

/// Has what was said written before the process ends, also when a panic ends it.
struct LastWords(Spool);

impl Drop for LastWords {
    fn drop(&mut self) {
        self.0.finish(LAST_WORDS);
    }
}

async fn carry_out(config: Result<Config, Problem>, command: Command, errors: &Spool) -> ExitCode {
    if let Command::Doctor = command {
        return done(doctor::run(config).await, errors);
    }
    let config = match config {
        Ok(config) => config,
        Err(problem) => {
            complain(&problem.to_string(), errors);
            return ExitCode::from(2);
        }
    };
    begin_logging(&config, errors.clone());
    done(obey(config, command).await.map(|()| ExitCode::SUCCESS), errors)
}

async fn obey(config: Config, command: Command) -> Result<()> {
    match command {
        Command::Serve => serve::run(Arc::new(config)).await,
        Command::Migrate => migrate::run(&config).await,
        Command::Backup { file, force } => copies::back_up(&config, &file, force).await,
        Command::Restore { file: Some(file), keep_mails, .. } => {
            copies::restore(&config, &file, keep_mails).await
        }
        Command::Restore { file: None, keep_mails, .. } => {
            copies::settle(&config, keep_mails).await
        }
        Command::Account(AccountCommand::Create { name, owner_email }) => {
            account::create(&config, &name, &owner_email).await
        }
        Command::Account(AccountCommand::List) => account::list(&config).await,
        Command::Account(AccountCommand::SsoOff { number }) => {
            account::sso_off(&config, number).await
        }
        Command::Account(AccountCommand::ReleaseDomain { domain }) => {
            account::release_domain(&config, &domain).await
        }
        Command::User(UserCommand::ResetLink { email }) => user::reset_link(&config, &email).await,
        Command::User(UserCommand::SignOut { email: Some(email), .. }) => {
            user::sign_out(&config, &email).await
        }
        Command::User(UserCommand::SignOut { email: None, .. }) => {
            user::sign_everybody_out(&config).await
        }
        Command::User(UserCommand::RemoveFactors { email }) => {
            user::remove_factors(&config, &email).await
        }
        Command::Log(LogCommand::Verify { digest: Some(file), key, .. }) => {
            log::verify_kept(&config, &file, key).await
        }
        Command::Log(LogCommand::Verify { account, digest: None, key }) => {
            log::verify(&config, account, key).await
        }
        Command::Feedback(FeedbackCommand::List { most }) => feedback::list(&config, most).await,
        Command::Report(ReportCommand::List { most }) => report::list(&config, most).await,
        Command::Report(ReportCommand::Lift { number, email }) => {
            report::lift(&config, &number, &email).await
        }
        Command::Demo(DemoCommand::Seed) => demo::seed(&config).await,
        Command::Doctor => Ok(()),
    }
}

fn account_number(text: &str) -> Result<AccountNumber, &'static str> {
    text.parse().map_err(|_| "it is no account number, such as 100001")
}

fn done(result: Result<ExitCode>, errors: &Spool) -> ExitCode {
    result.unwrap_or_else(|error| {
        complain(&format!("{error:#}"), errors);
        ExitCode::FAILURE
    })
}

fn complain(sentence: &str, errors: &Spool) {
    errors.add(format!("latchkey: {sentence}\n").as_bytes());
}

/// Prints one line for whoever gave the command.
fn say(line: &str) -> Result<()> {
    match writeln!(io::stdout(), "{line}") {
        // `latchkey account list | head` is no error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("standard output can't be written to"),
    }
}

fn begin_logging(config: &Config, errors: Spool) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(config.log_filter())
        .with_ansi(io::stderr().is_terminal())
        .with_writer(errors)
        // It would be told on standard error, past the spool.
        .log_internal_errors(false);
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(tracing::field::display);
        tracing::error!(place, words = panic.payload_as_str(), "a defect: something panicked");
    }));
}

/// Opens the database as it is.
async fn open_as_it_is(config: &Config) -> Result<Latchkey> {
    let random = SystemRandom::new().context("the operating system gives no random bytes")?;
    let store = Store::open(config.database_url.expose()).await?;
    Ok(Latchkey::new(store, Arc::new(SystemClock), Arc::new(random), config.settings()))
}

/// Opens the database, which must be up to date.
async fn open(config: &Config) -> Result<Latchkey> {
    let latchkey = open_as_it_is(config).await?;
    if !latchkey.store.is_current().await.map_err(explain)? {
        bail!("the database isn't up to date: run `latchkey migrate` first");
    }
    Ok(latchkey)
}

/// A failure in words for the operator.
fn explain(failure: Failure) -> anyhow::Error {
    let words = match failure {
        Failure::Invalid(errors) => {
            let error = errors.0.first();
            match error.map(|error| (error.field, error.problem)) {
                Some((Field::Email, FieldProblem::Missing)) => "an e-mail address is needed",
                Some((Field::Email, FieldProblem::TooLong)) => {
                    "the e-mail address has more than 254 characters"
                }
                Some((Field::Email, _)) => "the e-mail address isn't one",
                Some((Field::Domain, _)) => "the domain isn't one",
                Some((Field::AccountName, FieldProblem::Missing)) => "the account needs a name",
                Some((Field::AccountName, FieldProblem::TooLong)) => {
                    "the account's name has more than 200 characters"
                }
                Some((Field::AccountName, _)) => "the account's name must be on one line",
                _ => "what was given can't be taken",
            }
        }
        Failure::NotFound => "there is no such thing",
        Failure::Unavailable => "the database couldn't do it; the log says why",
        _ => "that isn't possible now",
    };
    anyhow::Error::msg(words)
}

/// Somebody else's text on one line, with nothing in it that steers the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A moment as the mails write it, such as "7 December 2026, 12:00 UTC".
fn exact(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    at.to_zoned_datetime(TimeZone::UTC).strftime("%-d %B %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn settings_may_be_named_before_and_after_the_command() {
        for line in ["latchkey --config a.toml serve", "latchkey serve --config a.toml"] {
            let parsed = CommandLine::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(parsed.config, Some(PathBuf::from("a.toml")));
        }
    }

    #[test]
    fn a_moment_is_written_as_in_the_mails() {
        let at = Timestamp::from_micros(1_800_000_000_000_000);
        assert_eq!(exact(at), "15 January 2027, 08:00 UTC");
    }
}
