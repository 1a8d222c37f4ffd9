//! The command line. A command says what it did on standard output, and what went wrong in one
//! sentence on standard error, or both as JSON; the exit code is 0, 1 when it couldn't be done, or 2 when
//! it was asked in a wrong way.

mod account;
mod copies;
mod demo;
mod doctor;
mod export;
mod feedback;
mod import;
mod listen;
mod log;
mod migrate;
mod report;
mod serve;
mod token;
mod told;
mod user;
mod user_record;
mod webhook;

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
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
use model::{AccountNumber, DoorScope, EmailAddress, Failure, Field, FieldProblem, Timestamp};
use store::Store;

use self::told::{Audience, Told, complain};
use crate::clock::{SystemClock, SystemRandom};
use crate::config::{Config, LogFormat, Problem, Unsound};
use crate::spool::Spool;

/// How long what was said last may take to be written.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A customer area that you host yourself: who may enter an account, and what they may do there.
#[derive(Debug, Parser)]
#[command(
    name = "latchkey",
    version,
    after_help = "\
Examples:
  latchkey serve
  latchkey --config /etc/latchkey/latchkey.toml doctor
  latchkey user show kari@nordlys.example
  latchkey account list --json

Each command's --help has examples of its own."
)]
struct CommandLine {
    /// The file with the settings [default: latchkey.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Say everything as JSON, for other programs: one object, and errors as one on standard error
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the pages and send the mails, until it is stopped
    #[command(after_help = "\
Examples:
  latchkey serve
  LATCHKEY_LISTEN=127.0.0.1:8080 latchkey serve
  latchkey serve --config /etc/latchkey/latchkey.toml")]
    Serve,
    /// Bring the database up to date
    #[command(after_help = "Example:\n  latchkey migrate")]
    Migrate,
    /// Copy the database into a file, while a server goes on
    #[command(after_help = "\
Examples:
  latchkey backup /backup/latchkey.db
  latchkey backup --force /backup/latchkey.db")]
    Backup {
        /// The file, which mustn't be there yet
        file: PathBuf,
        /// Overwrite it
        #[arg(long)]
        force: bool,
    },
    /// Put a backup in place of the database, which nobody must have open
    #[command(group = ArgGroup::new("from").required(true), after_help = "\
Examples:
  latchkey restore /backup/latchkey.db
  latchkey restore --in-place")]
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
    /// Set up and list accounts, and help those whose owners can't
    #[command(subcommand)]
    Account(AccountCommand),
    /// See why somebody can't do something, and help them with their login
    #[command(subcommand)]
    User(UserCommand),
    /// Let your own systems in at the API
    #[command(subcommand)]
    Token(TokenCommand),
    /// Bring accounts, services, domains or members in from a CSV table: all of it, or nothing
    #[command(after_help = "\
The first line names the columns, which say what it is. Rows with a ref that is there change it.
  accounts  ref,name; and if you like street,postal_code,town,country,time_zone,owner_email
  services  ref,account,name,renews_at; and plan,state,login_name,login_password,open_link,renew_link
  domains   ref,account,name,expires_at; and state,locked,renew_link
  members   account,email; and ref,name,owner,permissions,services,domains,until,why,invite

Examples:
  latchkey import accounts.csv --dry-run
  latchkey import accounts.csv
  latchkey import - < services.csv")]
    Import {
        /// The table, or - for standard input
        file: PathBuf,
        /// Only tell what would come of it
        #[arg(long)]
        dry_run: bool,
    },
    /// Write all of an account as JSON, in the shapes of the API
    #[command(after_help = "\
Examples:
  latchkey export --account 100001 > nordlys.json
  latchkey export --account 100001 --with-passwords --file nordlys.json")]
    Export {
        /// The account's number
        #[arg(long, value_name = "NUMBER", value_parser = account_number)]
        account: AccountNumber,
        /// With the passwords at services
        #[arg(long)]
        with_passwords: bool,
        /// The file, which mustn't be there yet [default: standard output]
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Check that the accounts' activity logs are as they were written
    #[command(subcommand)]
    Log(LogCommand),
    /// Read what people say of the guides
    #[command(subcommand)]
    Feedback(FeedbackCommand),
    /// See which inviters were reported, and lift what follows from it
    #[command(subcommand)]
    Report(ReportCommand),
    /// Tell programs of yours of events
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Prepare the demo
    #[command(subcommand)]
    Demo(DemoCommand),
    /// Check settings, database, mail server and files, and say what to do
    #[command(after_help = "\
Examples:
  latchkey doctor
  latchkey doctor --json | jq '.checks[] | select(.state == \"problem\")'")]
    Doctor,
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// Set up an account and invite its first owner
    #[command(after_help = "\
Example:
  latchkey account create --name 'Nordlys Bakeri AS' --owner-email ingrid@nordlys.example")]
    Create {
        /// The account's name
        #[arg(long)]
        name: String,
        /// The first owner's e-mail address
        #[arg(long, value_name = "EMAIL")]
        owner_email: String,
    },
    /// List every account
    #[command(after_help = "\
Examples:
  latchkey account list
  latchkey account list --json | jq '.accounts[] | select(.owners == 0)'")]
    List,
    /// List an account's owners, who may become one, and its successor
    #[command(after_help = "Example:\n  latchkey account owners 100001")]
    Owners {
        /// The account's number
        #[arg(value_parser = account_number)]
        number: AccountNumber,
    },
    /// Make somebody who has a login an owner of an account, at once
    #[command(after_help = "\
Every owner, and whoever becomes one, gets a mail with your provider's name and the reason.
What they had been given before ends; whoever isn't in the account joins.

Example:
  latchkey account add-owner 100001 kari@nordlys.example --reason 'Ingrid Berg left the company'")]
    AddOwner {
        /// The account's number
        #[arg(value_parser = account_number)]
        number: AccountNumber,
        /// The e-mail address of their login
        email: String,
        /// Why, for the account's log and the mails
        #[arg(long)]
        reason: String,
    },
    /// End an owner's access to an account, at once; the last one can only be replaced
    #[command(after_help = "\
Every owner before and after gets a mail with your provider's name and the reason.

Examples:
  latchkey account remove-owner 100001 ingrid@nordlys.example --reason 'She left the company'
  latchkey account remove-owner 100001 ingrid@nordlys.example \\
      --replace-with kari@nordlys.example --reason 'She left the company'")]
    RemoveOwner {
        /// The account's number
        #[arg(value_parser = account_number)]
        number: AccountNumber,
        /// Their e-mail address
        email: String,
        /// The e-mail address of who shall own it instead, and has a login
        #[arg(long, value_name = "EMAIL")]
        replace_with: Option<String>,
        /// Why, for the account's log and the mails
        #[arg(long)]
        reason: String,
    },
    /// Invite somebody to own an account, also anew when an invitation expired
    #[command(
        after_help = "Example:\n  latchkey account invite-owner 100001 ingrid@nordlys.example"
    )]
    InviteOwner {
        /// The account's number
        #[arg(value_parser = account_number)]
        number: AccountNumber,
        /// Their e-mail address
        email: String,
    },
    /// Let an account's own people in again who can't sign in with its identity provider
    #[command(after_help = "Example:\n  latchkey account sso-off 100001")]
    SsoOff {
        /// The account's number
        #[arg(value_parser = account_number)]
        number: AccountNumber,
    },
    /// Take a proven domain away from the account that holds it
    #[command(after_help = "Example:\n  latchkey account release-domain nordlys.example")]
    ReleaseDomain {
        /// The domain
        domain: String,
    },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Show why somebody can or can't do something: accounts, access, factors, waits, invitations
    #[command(after_help = "\
Examples:
  latchkey user show kari@nordlys.example
  latchkey user show kari@nordlys.example --json | jq '.accounts[].is_open'")]
    Show {
        /// Their e-mail address
        email: String,
    },
    /// Make a link with which somebody chooses a new password
    #[command(after_help = "Example:\n  latchkey user reset-link kari@nordlys.example")]
    ResetLink {
        /// Their e-mail address
        email: String,
    },
    /// Sign somebody out on all their devices, or everybody
    #[command(group = ArgGroup::new("who").required(true), after_help = "\
Examples:
  latchkey user sign-out kari@nordlys.example
  latchkey user sign-out --everybody")]
    SignOut {
        /// Their e-mail address
        #[arg(group = "who")]
        email: Option<String>,
        /// Everybody, whoever they are
        #[arg(long, group = "who")]
        everybody: bool,
    },
    /// Remove the second factors of somebody who lost them, once you know that it is them
    #[command(after_help = "Example:\n  latchkey user remove-factors kari@nordlys.example")]
    RemoveFactors {
        /// Their e-mail address
        email: String,
    },
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token, and show it this once
    #[command(after_help = "\
Examples:
  latchkey token create --name 'Control panel' --scope services:write
  latchkey token create --name Reports --scope accounts:read --account 100001 \\
      --until 2027-06-30")]
    Create {
        /// What it is for: it is told in the accounts' logs
        #[arg(long)]
        name: String,
        /// What it opens, such as services:write; may be given several times
        #[arg(long = "scope", value_name = "SCOPE", required = true, value_parser = door_scope)]
        scopes: Vec<DoorScope>,
        /// The number of the one account that it sees
        #[arg(long, value_name = "NUMBER", value_parser = account_number)]
        account: Option<AccountNumber>,
        /// The day in UTC, such as 2027-06-30, with whose end it ends, or the moment
        #[arg(long, value_name = "DAY", value_parser = end)]
        until: Option<Timestamp>,
    },
    /// List every token
    #[command(after_help = "\
Examples:
  latchkey token list
  latchkey token list --json | jq '.tokens[] | select(.last_used_at == null)'")]
    List,
    /// Make a token void at once
    #[command(after_help = "Example:\n  latchkey token revoke lk_abcdefghijkl")]
    Revoke {
        /// Its beginning, as `token list` shows it, such as lk_abcdefghijkl
        #[arg(value_name = "TOKEN")]
        named: String,
    },
}

#[derive(Debug, Subcommand)]
enum LogCommand {
    /// Follow each log's chain of rows and compare it with its signed digests
    #[command(after_help = "\
Examples:
  latchkey log verify
  latchkey log verify --account 100001
  latchkey log verify --digest activity-log-100001-2026-11-23.json")]
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
    #[command(after_help = "Example:\n  latchkey feedback list --most 20")]
    List {
        /// How much of it
        #[arg(long, default_value_t = 100)]
        most: usize,
    },
}

#[derive(Debug, Subcommand)]
enum ReportCommand {
    /// List the newest reports
    #[command(after_help = "Example:\n  latchkey report list --most 20")]
    List {
        /// How many of them
        #[arg(long, default_value_t = 100)]
        most: usize,
    },
    /// Let an account invite an address again
    #[command(after_help = "Example:\n  latchkey report lift 100001 kari@nordlys.example")]
    Lift {
        /// The account's number
        #[arg(value_name = "ACCOUNT")]
        number: String,
        /// The address that it may invite again
        email: String,
    },
}

#[derive(Debug, Subcommand)]
enum WebhookCommand {
    /// Tell an address of events, and show the secret that signs them
    #[command(after_help = "\
Examples:
  latchkey webhook add https://crm.example/hooks
  latchkey webhook add https://crm.example/hooks --kind member.added --kind member.removed")]
    Add {
        /// The address, which must be https
        url: String,
        /// A kind of events, such as member.added; may be given several times [default: all]
        #[arg(long)]
        kind: Vec<String>,
    },
    /// List the endpoints
    #[command(after_help = "\
Examples:
  latchkey webhook list
  latchkey webhook list --json | jq '.endpoints[] | select(.off_since != null)'")]
    List,
    /// Tell an endpoint nothing any more
    #[command(
        after_help = "Example:\n  latchkey webhook remove 018f6f4e-7d3a-7cc1-9d1e-3f2f0c9a4b11"
    )]
    Remove {
        /// The endpoint's id
        id: String,
    },
    /// Give an endpoint another secret
    #[command(after_help = "\
Examples:
  latchkey webhook rotate 018f6f4e-7d3a-7cc1-9d1e-3f2f0c9a4b11
  latchkey webhook rotate 018f6f4e-7d3a-7cc1-9d1e-3f2f0c9a4b11 --overlap-hours 72")]
    Rotate {
        /// The endpoint's id
        id: String,
        /// For how many hours what is sent is signed with the one before, too
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(..=8760))]
        overlap_hours: u32,
    },
    /// Turn an endpoint on again: what happened meanwhile goes out
    #[command(after_help = "Example:\n  latchkey webhook on 018f6f4e-7d3a-7cc1-9d1e-3f2f0c9a4b11")]
    On {
        /// The endpoint's id
        id: String,
    },
    /// List the newest deliveries
    #[command(after_help = "\
Examples:
  latchkey webhook deliveries
  latchkey webhook deliveries --failed --most 20")]
    Deliveries {
        /// Only those of which a try came to nothing
        #[arg(long)]
        failed: bool,
        /// How many of them
        #[arg(long, default_value_t = 100)]
        most: usize,
    },
    /// Deliver an event once more
    #[command(
        after_help = "Example:\n  latchkey webhook redeliver 018f6f4e-7d3a-7cc1-9d1e-3f2f0c9a4b11"
    )]
    Redeliver {
        /// The delivery's id
        id: String,
    },
    /// Try an endpoint with a ping
    #[command(
        after_help = "Example:\n  latchkey webhook test 018f6f4e-7d3a-7cc1-9d1e-3f2f0c9a4b11"
    )]
    Test {
        /// The endpoint's id
        id: String,
    },
    /// Take events on this machine and show them, while you build what is to take them
    #[command(after_help = "\
It shows each event, and whether its signature is good: then it answers 204, and else 400.
Endpoints can be on this machine where webhook_private_addresses is set.

Examples:
  latchkey webhook listen 127.0.0.1:4000
  latchkey webhook listen 127.0.0.1:4000 --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
  LATCHKEY_WEBHOOK_SECRET=$(cat secret) latchkey webhook listen 127.0.0.1:4000 --once")]
    Listen {
        /// The address and port to listen on, such as 127.0.0.1:4000
        #[arg(value_parser = listen::address)]
        address: SocketAddr,
        /// The endpoint's secret [default: what stands in LATCHKEY_WEBHOOK_SECRET]
        #[arg(long)]
        secret: Option<String>,
        /// End behind the first event
        #[arg(long)]
        once: bool,
    },
}

#[derive(Debug, Subcommand)]
enum DemoCommand {
    /// Fill an empty database with the demo's people and accounts
    #[command(after_help = "Example:\n  LATCHKEY_DEMO=true latchkey demo seed")]
    Seed,
}

/// Runs the command that this process was started with.
pub async fn run() -> ExitCode {
    let parsed = CommandLine::try_parse();
    let errors = match Spool::new(io::stderr()) {
        Ok(errors) => errors,
        Err(error) => {
            // Where even this can't be written, nobody listens.
            let _ = writeln!(io::stderr(), "latchkey: the system gives no thread: {error}");
            return ExitCode::FAILURE;
        }
    };
    let _last_words = LastWords(errors.clone());
    let CommandLine { config, json, command } = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return misunderstood(&error, &errors),
    };
    let audience = if json { Audience::Program } else { Audience::Person };
    carry_out(Config::load(config.as_deref()), command, audience, &errors).await
}

/// Shows the help that was asked for, or says what is wrong with a command line; to programs in their way,
/// if it seems to come from one.
fn misunderstood(error: &clap::Error, errors: &Spool) -> ExitCode {
    let is_for_program = std::env::args_os().any(|argument| argument == OsStr::new("--json"));
    if error.use_stderr() && is_for_program {
        let told = error.render().to_string();
        let sentence = told.split("\n\n").next().unwrap_or_default();
        let sentence = sentence.strip_prefix("error: ").unwrap_or(sentence);
        let words = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
        complain(&[words], Audience::Program, errors);
    } else {
        // Where it can't be written, nobody listens.
        let _ = error.print();
    }
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

/// Has what was said written before the process ends, also when a panic ends it.
struct LastWords(Spool);

impl Drop for LastWords {
    fn drop(&mut self) {
        self.0.finish(LAST_WORDS);
    }
}

async fn carry_out(
    config: Result<Config, Unsound>,
    command: Command,
    audience: Audience,
    errors: &Spool,
) -> ExitCode {
    if let Command::Doctor = command {
        return done(Ok(doctor::run(config).await), audience, errors);
    }
    let config = match config {
        Ok(config) => config,
        Err(Unsound { problems, .. }) => {
            let problems: Vec<_> = problems.iter().map(Problem::to_string).collect();
            complain(&problems, audience, errors);
            return ExitCode::from(2);
        }
    };
    begin_logging(&config, errors.clone());
    let config = Arc::new(config);
    let result = obey(&config, command, audience).await;
    let named =
        result.map_err(|error| anyhow::Error::msg(config.with_names(&format!("{error:#}"))));
    done(named, audience, errors)
}

async fn obey(config: &Arc<Config>, command: Command, audience: Audience) -> Result<Told> {
    match command {
        Command::Serve => serve::run(Arc::clone(config), audience).await,
        Command::Migrate => migrate::run(config).await,
        Command::Backup { file, force } => copies::back_up(config, &file, force).await,
        Command::Restore { file: Some(file), keep_mails, .. } => {
            copies::restore(config, &file, keep_mails).await
        }
        Command::Restore { file: None, keep_mails, .. } => copies::settle(config, keep_mails).await,
        Command::Account(command) => obey_about_account(config, command).await,
        Command::User(command) => obey_about_user(config, command).await,
        Command::Token(command) => obey_about_tokens(config, command).await,
        Command::Import { file, dry_run } => import::run(config, &file, dry_run).await,
        Command::Export { account, with_passwords, file } => {
            export::run(config, account, with_passwords, file.as_deref()).await
        }
        Command::Log(LogCommand::Verify { digest: Some(file), key, .. }) => {
            log::verify_kept(config, &file, key).await
        }
        Command::Log(LogCommand::Verify { account, digest: None, key }) => {
            log::verify(config, account, key).await
        }
        Command::Feedback(FeedbackCommand::List { most }) => feedback::list(config, most).await,
        Command::Report(ReportCommand::List { most }) => report::list(config, most).await,
        Command::Report(ReportCommand::Lift { number, email }) => {
            report::lift(config, &number, &email).await
        }
        Command::Webhook(command) => obey_about_webhooks(config, command, audience).await,
        Command::Demo(DemoCommand::Seed) => demo::seed(config).await,
        Command::Doctor => Ok(doctor::run(Ok(Config::clone(config))).await),
    }
}

async fn obey_about_tokens(config: &Config, command: TokenCommand) -> Result<Told> {
    match command {
        TokenCommand::Create { name, scopes, account, until } => {
            token::create(config, &name, scopes, account, until).await
        }
        TokenCommand::List => token::list(config).await,
        TokenCommand::Revoke { named } => token::revoke(config, &named).await,
    }
}

async fn obey_about_webhooks(
    config: &Config,
    command: WebhookCommand,
    audience: Audience,
) -> Result<Told> {
    match command {
        WebhookCommand::Add { url, kind } => webhook::add(config, &url, &kind).await,
        WebhookCommand::List => webhook::list(config).await,
        WebhookCommand::Remove { id } => webhook::remove(config, &id).await,
        WebhookCommand::Rotate { id, overlap_hours } => {
            webhook::rotate(config, &id, overlap_hours).await
        }
        WebhookCommand::On { id } => webhook::turn_on(config, &id).await,
        WebhookCommand::Deliveries { failed, most } => {
            webhook::deliveries(config, failed, most).await
        }
        WebhookCommand::Redeliver { id } => webhook::redeliver(config, &id).await,
        WebhookCommand::Test { id } => webhook::test(config, &id).await,
        WebhookCommand::Listen { address, secret, once } => {
            listen::run(address, secret, once, audience).await
        }
    }
}

async fn obey_about_account(config: &Config, command: AccountCommand) -> Result<Told> {
    match command {
        AccountCommand::Create { name, owner_email } => {
            account::create(config, &name, &owner_email).await
        }
        AccountCommand::List => account::list(config).await,
        AccountCommand::Owners { number } => account::owners(config, number).await,
        AccountCommand::AddOwner { number, email, reason } => {
            account::add_owner(config, number, &email, &reason).await
        }
        AccountCommand::RemoveOwner { number, email, replace_with, reason } => {
            let replaced_by = replace_with.as_deref();
            account::remove_owner(config, number, &email, replaced_by, &reason).await
        }
        AccountCommand::InviteOwner { number, email } => {
            account::invite_owner_of(config, number, &email).await
        }
        AccountCommand::SsoOff { number } => account::sso_off(config, number).await,
        AccountCommand::ReleaseDomain { domain } => account::release_domain(config, &domain).await,
    }
}

fn door_scope(text: &str) -> Result<DoorScope, String> {
    text.parse().map_err(|_| {
        let scopes: Vec<_> = DoorScope::all().map(|scope| scope.to_string()).collect();
        format!("it is none of {}", scopes.join(", "))
    })
}

/// The end of a day in UTC, or a moment.
fn end(text: &str) -> Result<Timestamp, &'static str> {
    let day = domain::digests::read_day(text).map(|day| day.end());
    let moment = || text.parse::<jiff::Timestamp>().ok();
    day.or_else(|| moment().map(|at| Timestamp::from_micros(at.as_microsecond()))).ok_or(
        "it is neither a day, such as 2027-06-30, nor a moment, such as 2027-06-30T12:00:00Z",
    )
}

async fn obey_about_user(config: &Config, command: UserCommand) -> Result<Told> {
    match command {
        UserCommand::Show { email } => user_record::show(config, &email).await,
        UserCommand::ResetLink { email } => user::reset_link(config, &email).await,
        UserCommand::SignOut { email: Some(email), .. } => user::sign_out(config, &email).await,
        UserCommand::SignOut { email: None, .. } => user::sign_everybody_out(config).await,
        UserCommand::RemoveFactors { email } => user::remove_factors(config, &email).await,
    }
}

fn account_number(text: &str) -> Result<AccountNumber, &'static str> {
    text.parse().map_err(|_| "it is no account number, such as 100001")
}

/// Says what a command came to. Where there is nothing to say of why it failed, what it found says it.
fn done(result: Result<Told>, audience: Audience, errors: &Spool) -> ExitCode {
    let said = result.and_then(|told| told.say(audience).map(|()| told));
    let trouble = match &said {
        Ok(told) => told.trouble().map(str::to_owned),
        Err(error) => Some(format!("{error:#}")),
    };
    match trouble {
        None => ExitCode::SUCCESS,
        Some(words) => {
            if !words.is_empty() {
                complain(&[words], audience, errors);
            }
            ExitCode::FAILURE
        }
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

/// Opens the database, which must be there and up to date.
async fn open(config: &Config) -> Result<Latchkey> {
    must_be_there(config)?;
    let latchkey = open_as_it_is(config).await?;
    if !latchkey.store.is_current().await.map_err(explain)? {
        bail!("the database isn't up to date: run `latchkey migrate` first");
    }
    Ok(latchkey)
}

/// A SQLite database that isn't there mustn't be made by whoever only looks for it.
fn must_be_there(config: &Config) -> Result<()> {
    match config.sqlite_file() {
        Some(file) if !file.exists() => bail!(
            "there is no database at {}: check database_url, or run `latchkey migrate` to make one",
            file.display()
        ),
        _ => Ok(()),
    }
}

/// Reads an e-mail address as it was given.
fn address(text: &str) -> Result<EmailAddress> {
    match EmailAddress::parse(text) {
        Ok(address) => Ok(address),
        Err(FieldProblem::Missing) => {
            bail!("an e-mail address is needed, such as kari@nordlys.example")
        }
        Err(FieldProblem::TooLong) => bail!("the e-mail address has more than 254 characters"),
        Err(_) => bail!("'{}' isn't an e-mail address, such as kari@nordlys.example", plain(text)),
    }
}

/// A failure in words for the operator.
fn explain(failure: Failure) -> anyhow::Error {
    let words = match failure {
        Failure::Invalid(errors) => {
            let error = errors.0.first();
            match error.map(|error| (error.field, error.problem)) {
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

    /// Each command that does something, with what is typed for it.
    fn leaves(command: &clap::Command, typed: &str) -> Vec<(String, clap::Command)> {
        if !command.has_subcommands() {
            return vec![(typed.to_owned(), command.clone())];
        }
        let below = command
            .get_subcommands()
            .map(|below| leaves(below, &format!("{typed} {}", below.get_name())));
        below.flatten().collect()
    }

    /// What stands in a line of a shell, which passes it on up to a pipe, or what is read and written in its place.
    fn typed(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
        for c in line.chars().chain([' ']) {
            match c {
                '\'' => quoted = !quoted,
                '|' | '<' | '>' if !quoted => break,
                ' ' if !quoted => {
                    let word = std::mem::take(&mut word);
                    words.extend(Some(word).filter(|word| !word.is_empty()));
                }
                c => word.push(c),
            }
        }
        words.into_iter().skip_while(|word| word != "latchkey").collect()
    }

    #[test]
    fn every_commands_help_has_examples_that_are_understood() {
        let leaves = leaves(&CommandLine::command(), "latchkey");
        assert!(leaves.len() > 30);
        for (name, mut command) in leaves {
            let help = command.render_long_help().to_string();
            let examples = help.split("Example").nth(1).unwrap_or_default();
            let examples = examples.replace("\\\n", " ");
            let examples: Vec<_> =
                examples.lines().map(typed).filter(|words| !words.is_empty()).collect();
            assert!(!examples.is_empty(), "{name} has no example");
            for words in examples {
                let line = words.join(" ");
                assert!(line.contains(name.trim_start_matches("latchkey ")), "{name}: {line}");
                let understood = CommandLine::try_parse_from(words);
                assert!(understood.is_ok(), "{line}: {}", understood.unwrap_err());
            }
        }
    }

    #[test]
    fn settings_may_be_named_before_and_after_the_command() {
        for line in ["latchkey --config a.toml serve", "latchkey serve --config a.toml"] {
            let parsed = CommandLine::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(parsed.config, Some(PathBuf::from("a.toml")));
        }
    }

    #[test]
    fn an_end_is_a_day_or_a_moment() {
        let moment = |text| end(text).map(exact);
        assert_eq!(moment("2027-06-30"), Ok("1 July 2027, 00:00 UTC".to_owned()));
        assert_eq!(moment("2027-06-30T12:00:00+02:00"), Ok("30 June 2027, 10:00 UTC".to_owned()));
        for text in ["", "tomorrow", "2027-13-01", "2027-06-30T12:00:00", "30.06.2027"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_is_written_as_in_the_mails() {
        let at = Timestamp::from_micros(1_800_000_000_000_000);
        assert_eq!(exact(at), "15 January 2027, 08:00 UTC");
    }
}
