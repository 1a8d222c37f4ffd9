//! The binary as the operator runs it: every command, and the server from start to stop.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on fails, and says where"
)]

use std::collections::BTreeSet;
use std::fs::{File, Permissions};
use std::io::PipeReader;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use sqlx::{Connection, SqliteConnection};
use test_database::{TestDatabase, apply, on_both};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// Long enough for anything that isn't stuck.
const IN_TIME: Duration = Duration::from_secs(60);

/// The binary on this database, in a folder without settings.
struct Operator {
    folder: tempfile::TempDir,
    url: String,
    listen: String,
}

impl Operator {
    fn new(url: &str) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = free.local_addr().unwrap().to_string();
        Self { folder: tempfile::tempdir().unwrap(), url: url.to_owned(), listen }
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command.args(words.split(' '));
        self.in_place(command)
    }

    fn in_place(&self, mut command: Command) -> Command {
        command
            .current_dir(self.folder.path())
            .env("DATABASE_URL", &self.url)
            .env("LATCHKEY_LISTEN", &self.listen)
            .env("LATCHKEY_PUBLIC_URL", format!("http://{}", self.listen))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end. Answers its exit code and what it said.
    async fn run(&self, words: &str) -> (i32, String) {
        let ended = timeout(IN_TIME, self.command(words).output()).await.expect("an end in time");
        let ended = ended.unwrap();
        let said = [ended.stdout, ended.stderr].concat();
        (ended.status.code().unwrap(), String::from_utf8(said).unwrap())
    }

    /// Waits until somebody answers, where nothing that the server says can be read.
    async fn is_up(&self) {
        let up = async {
            while TcpStream::connect(&self.listen).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(IN_TIME, up).await.expect("a start in time");
    }

    async fn signal(&self, process: &Child, signal: &str) {
        let process = process.id().unwrap().to_string();
        Command::new("kill").args(["-s", signal, &process]).status().await.unwrap();
    }

    async fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path}"), "").await
    }

    /// Sends a form; the answer's head and body.
    async fn post(&self, path: &str, form: &str) -> String {
        self.ask(&format!("POST {path}"), form).await
    }

    async fn ask(&self, line: &str, form: &str) -> String {
        let mut stream = TcpStream::connect(&self.listen).await.unwrap();
        let request = format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\naccept: text/html\r\n\
             sec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n\r\n{form}",
            form.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(IN_TIME, stream.read_to_end(&mut answer)).await.expect("an answer").unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// Starts a server and waits until it serves.
async fn serving(mut command: Command) -> Child {
    let mut server = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let line = timeout(IN_TIME, lines.next_line()).await.expect("a start").unwrap();
    assert!(line.is_some(), "it serves");
    server
}

#[tokio::test]
async fn a_backup_is_put_in_place_by_a_command_and_by_no_other_way() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("latchkey.db");
    let operator = Operator::new(&format!("sqlite:{}", database.display()));
    let mut server = serving(operator.command("serve")).await;
    operator.run("account create --name Before --owner-email kari@nordlys.example").await;
    let (code, said) = operator.run("backup copy.db").await;
    assert!(code == 0 && said.contains("The database is backed up in copy.db"), "{said}");
    let (code, said) = operator.run("backup copy.db").await;
    assert!(code == 1 && said.contains("copy.db is there already"), "{said}");
    assert_eq!(operator.run("backup --force copy.db").await.0, 0);
    operator.run("account create --name After --owner-email kari@nordlys.example").await;
    let (code, said) = operator.run("restore copy.db").await;
    assert!(code == 1 && said.contains("is open: stop the server"), "{said}");

    // The server dies, and somebody copies the backup over the file.
    server.kill().await.unwrap();
    let copy = operator.folder.path().join("copy.db");
    std::fs::copy(&copy, &database).unwrap();
    for command in ["serve", "account list", "doctor"] {
        let (code, said) = operator.run(command).await;
        assert!(code == 1 && said.contains("don't belong together"), "{command}: {said}");
    }
    let (code, said) = operator.run("restore copy.db").await;
    assert!(code == 0 && said.contains("The database is as it was on "), "{said}");
    assert!(said.contains("What was there before is in "), "{said}");
    assert!(said.contains("waiting mails given up, as they were probably sent: 1;"), "{said}");
    let mut server = serving(operator.command("serve")).await;
    let (_, said) = operator.run("account list").await;
    assert!(said.contains("Before") && !said.contains("After"), "{said}");
    server.kill().await.unwrap();

    // Copied over a database that was closed, it is taken for what it is.
    assert_eq!(operator.run("account list").await.0, 0);
    std::fs::copy(&copy, &database).unwrap();
    let mut server = operator.command("serve").stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut told = String::new();
    while !told.contains("replaced by a backup") {
        let line = timeout(IN_TIME, lines.next_line()).await.expect("a line").unwrap();
        told = line.expect("a warning");
    }
    assert!(told.contains("waiting mails given up, as they were probably sent: 1;"), "{told}");
    server.kill().await.unwrap();
    assert_eq!(operator.run("restore").await.0, 2);
    assert_eq!(operator.run("restore --in-place copy.db").await.0, 2);
}

#[tokio::test]
async fn postgres_is_backed_up_and_restored_with_its_own_tools() {
    let url = test_database::empty_postgres_url().await;
    let operator = Operator::new(&url);
    let (code, said) = operator.run("backup copy.dump").await;
    let told = "run `pg_dump --format=custom --file=copy.dump \"$DATABASE_URL\"`";
    assert!(code == 1 && said.contains(told), "{said}");
    let (code, said) = operator.run("restore copy.dump").await;
    assert!(code == 1 && said.contains("run `pg_restore --clean"), "{said}");
    assert!(said.contains("then `latchkey restore --in-place`"), "{said}");
    let (code, said) = operator.run("restore --in-place").await;
    assert!(code == 0 && said.contains("Sessions ended: 0;"), "{said}");
}

#[apply(on_both!)]
async fn every_command_does_its_work_beside_a_server_that_stops_when_told(db: TestDatabase) {
    let operator = Operator::new(&db.url);
    let (code, said) = operator.run("migrate").await;
    assert!(code == 0 && said.starts_with("The database is up to date.\n"), "{said}");

    let mut server = operator.command("serve").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let line = timeout(IN_TIME, lines.next_line()).await.expect("a start").unwrap().unwrap();
    assert_eq!(line, format!("Latchkey serves http://{}", operator.listen));
    assert!(operator.get("/readyz").await.starts_with("HTTP/1.1 200"));

    let create = "account create --name Nordlys --owner-email ingrid@nordlys.example";
    let (code, said) = operator.run(create).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Account 100001 is set up."), "{said}");
    let link = said.lines().find_map(|line| line.split(&operator.listen).nth(1)).unwrap();
    assert!(operator.get(link).await.contains("ingrid@nordlys.example"));
    let (code, said) = operator.run("account list").await;
    assert!(code == 0 && said.contains("100001") && said.contains("Nordlys"), "{said}");

    let (code, said) = operator.run("user reset-link ingrid@nordlys.example").await;
    assert!(code == 1 && said.contains("there is no login"), "{said}");
    let (code, said) = operator.run("account create --name x --owner-email nobody").await;
    assert!(code == 1 && said.contains("'nobody' isn't an e-mail address, such as"), "{said}");
    let (code, said) = operator.run("demo seed").await;
    assert!(code == 1 && said.contains("LATCHKEY_DEMO = true"), "{said}");
    let (code, said) = operator.run("feedback list").await;
    assert_eq!(code, 0, "{said}");
    let (code, said) = operator.run("doctor").await;
    assert!(code == 1 && said.contains("database: ok"), "{said}");
    assert!(said.contains("mail server: problem"), "{said}");
    assert!(said.contains("nobody gets a mail: set LATCHKEY_SMTP_URL"), "{said}");
    assert!(said.contains("passkeys: ok, but there are none: they belong to a name"), "{said}");
    assert!(said.contains("places: ok, addresses are shown without a place"), "{said}");
    std::fs::write(operator.folder.path().join("places.mmdb"), "no database").unwrap();
    for words in ["doctor", "account list"] {
        let mut command = operator.command(words);
        let ended = command.env("LATCHKEY_GEOIP_FILE", "places.mmdb").output().await.unwrap();
        let said = String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap();
        let told =
            "LATCHKEY_GEOIP_FILE in the environment must be the path of a readable GeoIP file";
        assert!(!ended.status.success() && said.contains(told), "{said}");
    }

    operator.signal(&server, "TERM").await;
    let ended = timeout(IN_TIME, server.wait()).await.expect("an end in time").unwrap();
    assert_eq!(ended.code(), Some(0));
}

#[apply(on_both!)]
async fn a_link_to_choose_a_password_is_made_for_a_login(db: TestDatabase) {
    let operator = Operator::new(&db.url);
    login(&db, "Kari Nordmann", "kari@nordlys.example").await;
    let (code, said) = operator.run("user reset-link kari@nordlys.example").await;
    assert!(code == 0 && said.contains("/reset/"), "{said}");
    let (code, said) = operator.run("user sign-out kari@nordlys.example").await;
    assert!(code == 0 && said.contains("sessions ended: 0"), "{said}");
    let (code, said) = operator.run("user sign-out tom@nordlys.example").await;
    assert!(code == 1 && said.contains("no login with the address tom@"), "{said}");
    let (code, said) = operator.run("user sign-out --everybody").await;
    assert!(code == 0 && said.contains("Everybody is signed out"), "{said}");
    assert_eq!(operator.run("user sign-out").await.0, 2);
    assert_eq!(operator.run("user sign-out --everybody kari@nordlys.example").await.0, 2);
    let (code, said) = operator.run("user remove-factors kari@nordlys.example").await;
    assert!(code == 1 && said.contains("no login with a second factor"), "{said}");
}

#[apply(on_both!)]
async fn an_accounts_single_sign_on_is_in_the_operators_hands_too(db: TestDatabase) {
    let operator = Operator::new(&db.url);
    let (code, said) = operator.run("account sso-off 100001").await;
    assert!(code == 1 && said.contains("there is no account 100001"), "{said}");
    let (code, _) = operator.run("account sso-off nordlys").await;
    assert_eq!(code, 2);
    operator.run("account create --name Bakery --owner-email kari@nordlys.example").await;
    let (code, said) = operator.run("account sso-off 100001").await;
    assert!(code == 0 && said.contains("doesn't require"), "{said}");
    let (code, said) = operator.run("account release-domain nordlys.example").await;
    assert!(code == 0 && said.contains("No account has proven nordlys.example"), "{said}");
    let (code, said) = operator.run("account release-domain a@b").await;
    assert!(code == 1 && said.contains("'a@b' isn't a domain, such as"), "{said}");
}

/// A login of somebody with this name, in no account.
async fn login(db: &TestDatabase, name: &str, email: &str) {
    let user = store::NewUser {
        id: model::UserId::from(uuid::Uuid::now_v7()),
        email: model::EmailAddress::parse(email).unwrap(),
        full_name: model::FullName::parse(name).unwrap(),
        password_hash: model::Secret::from(String::new()),
        language: None,
    };
    db.store.add_user(&user, model::Timestamp::from_micros(0)).await.unwrap();
}

#[apply(on_both!)]
async fn who_may_come_to_own_an_account_is_told_with_its_owners(db: TestDatabase) {
    use model::{Access, AccountNumber, ActivityKind, EmailAddress, PermissionSet, Timestamp};
    let operator = Operator::new(&db.url);
    let create = "account create --name Nordlys --owner-email ingrid@nordlys.example";
    assert_eq!(operator.run(create).await.0, 0);
    let account = db.store.account(AccountNumber::from_stored(100_001)).await.unwrap();
    let (before, later) =
        (Timestamp::from_micros(0), Timestamp::from_micros(4_102_444_800_000_000));
    let mut ids = Vec::new();
    for (name, address, access) in [
        ("Kari Nordmann", "kari@nordlys.example", Access::Owner),
        ("Ingrid Solberg", "ingrid@nordlys.example", Access::granted(PermissionSet::all())),
        ("Tom Becker", "tom@nordlys.example", Access::granted(PermissionSet::all())),
    ] {
        login(&db, name, address).await;
        let found = db.store.login(&EmailAddress::parse(address).unwrap()).await.unwrap().unwrap();
        db.store.add_member(account, found.id, access, before).await.unwrap();
        ids.push(found.id);
    }
    let (kari, ingrid, tom) = (ids[0], ids[1], ids[2]);
    let entry = |kind| store::NewActivity::by(Some(kari), "Kari Nordmann", kind, "192.0.2.1");
    let offer = |_: &store::OwnerOfferFacts| {
        let entry = entry(ActivityKind::OwnerOffered);
        Ok(store::NewOwnerChange { afterwards: None, entry, bounds: Vec::new() })
    };
    let change = db.store.offer_ownership(account, kari, ingrid, before, offer).await.unwrap();
    let name = |_: &store::SuccessorFacts| {
        Ok(store::SuccessorChange {
            wait: Some(model::WaitDays::default()),
            entry: entry(ActivityKind::SuccessorNamed),
            stopped: entry(ActivityKind::OwnerStopped),
            bounds: Vec::new(),
        })
    };
    db.store.change_successor(account, kari, Some(tom), before, name).await.unwrap();
    let (code, said) = operator.run("account owners 100001").await;
    let told = "Kari Nordmann <kari@nordlys.example>\n\
                Ingrid Solberg <ingrid@nordlys.example> was asked by Kari Nordmann to become an \
                owner\n\
                Tom Becker <tom@nordlys.example> is the successor\n";
    assert_eq!((code, said.as_str()), (0, told));
    let accept = |_: &store::OwnerChangeFacts| {
        Ok(store::OwnerStep::Accept(later, entry(ActivityKind::OwnerAccepted)))
    };
    db.store.step_owner_change(account, ingrid, change, before, accept).await.unwrap();
    let (code, said) = operator.run("account owners 100001").await;
    let told = "becomes an owner, as Kari Nordmann offered: from 1 January 2100, 00:00 UTC\n";
    assert!(code == 0 && said.contains(told), "{said}");
    let (code, said) = operator.run("account owners 100001 --json").await;
    assert_eq!(code, 0, "{said}");
    for told in [
        r#""becomes_owner_at":"2100-01-01T00:00:00"#,
        r#""way":"made""#,
        r#""successor":{"can_take_over":true,"email":"tom@nordlys.example","name":"Tom Becker""#,
    ] {
        assert!(said.contains(told), "{said}");
    }
}

#[apply(on_both!)]
async fn an_account_whose_first_owner_never_came_gets_one(db: TestDatabase) {
    let operator = Operator::new(&db.url);
    let create = "account create --name Nordlys --owner-email ingrid@nordlys.example";
    assert_eq!(operator.run(create).await.0, 0);
    let (code, said) = operator.run("account owners 100001").await;
    assert!(code == 0 && said.contains("account invite-owner 100001 EMAIL"), "{said}");
    let (code, said) = operator.run("account invite-owner 100001 ingrid@nordlys.example").await;
    assert!(code == 0 && said.contains("takes the place of their pending"), "{said}");
    assert!(said.contains("/invitations/"), "{said}");
    let missing = "account add-owner 100001 kari@nordlys.example --reason New";
    let (code, said) = operator.run(missing).await;
    let told = "`latchkey account invite-owner 100001 kari@nordlys.example`";
    assert!(code == 1 && said.contains(told), "{said}");
    login(&db, "Kari Nordmann", "kari@nordlys.example").await;
    login(&db, "Ingrid Solberg", "ingrid@nordlys.example").await;
    let (code, said) = operator.run(missing).await;
    let told = "Kari Nordmann <kari@nordlys.example> joined account 100001, Nordlys, and owns it.";
    assert!(code == 0 && said.contains(told) && said.contains("1 mail tells of it"), "{said}");
    let (code, said) = operator.run("account owners 100001").await;
    assert!(code == 0 && said == "Kari Nordmann <kari@nordlys.example>\n", "{said}");
    let remove = "account remove-owner 100001 kari@nordlys.example --reason Left";
    let (code, said) = operator.run(remove).await;
    assert!(code == 1 && said.contains("with --replace-with"), "{said}");
    let (code, said) =
        operator.run(&format!("{remove} --replace-with ingrid@nordlys.example")).await;
    assert!(code == 0 && said.contains("owns account 100001, Nordlys no more"), "{said}");
    let (code, said) = operator.run("account remove-owner 100001 x@y.example --reason Left").await;
    assert!(code == 1 && said.contains("x@y.example is no owner of account 100001"), "{said}");
    let (code, said) = operator.run("account owners 100009").await;
    assert!(code == 1 && said.contains("there is no account 100009"), "{said}");
    assert_eq!(operator.run("account remove-owner 100001 ingrid@nordlys.example").await.0, 2);
}

#[apply(on_both!)]
async fn what_there_is_of_somebody_is_shown(db: TestDatabase) {
    let operator = Operator::new(&db.url);
    let create = "account create --name Nordlys --owner-email ingrid@nordlys.example";
    assert_eq!(operator.run(create).await.0, 0);
    let (code, said) = operator.run("user show ingrid@nordlys.example").await;
    assert!(code == 0 && said.contains("ingrid@nordlys.example has no login"), "{said}");
    assert!(said.contains("Invitation to account 100001 Nordlys"), "{said}");
    assert!(said.contains("offers: Owner") && said.contains("waits to be sent"), "{said}");
    let (code, said) = operator.run("user show nobody@nordlys.example").await;
    assert!(code == 1 && said.contains("there is no login"), "{said}");
    login(&db, "Ingrid Solberg", "ingrid@nordlys.example").await;
    let add = "account add-owner 100001 ingrid@nordlys.example --reason New";
    assert_eq!(operator.run(add).await.0, 0);
    let (code, said) = operator.run("user show ingrid@nordlys.example").await;
    assert!(code == 0 && said.starts_with("Ingrid Solberg <ingrid@nordlys.example>\n"), "{said}");
    assert!(said.contains("second factors: none\n") && said.contains("sessions: none"), "{said}");
    assert!(said.contains("Account 100001 Nordlys\n  access: Owner"), "{said}");
    assert!(!said.contains("closed:") && !said.contains("Invitation"), "{said}");
}

/// What a command tells programs: on standard output, and on standard error.
async fn as_json(operator: &Operator, words: &str) -> (i32, String, String) {
    let ended = operator.command(&format!("{words} --json")).env("LATCHKEY_LOG", "off").output();
    let ended = timeout(IN_TIME, ended).await.expect("an end in time").unwrap();
    let [said, wrong] = [ended.stdout, ended.stderr].map(|words| String::from_utf8(words).unwrap());
    (ended.status.code().unwrap(), said, wrong)
}

#[apply(on_both!)]
async fn programs_are_told_everything_as_json(db: TestDatabase) {
    let operator = Operator::new(&db.url);
    login(&db, "Kari Nordmann", "kari@nordlys.example").await;
    for (words, told) in [
        ("migrate", r#"{"is_current":true}"#),
        (
            "account create --name Nordlys --owner-email ingrid@nordlys.example",
            r#""account":100001"#,
        ),
        (
            "account list",
            r#"{"accounts":[{"account":100001,"name":"Nordlys","owners":0,"users":0}]}"#,
        ),
        ("account add-owner 100001 kari@nordlys.example --reason New", r#""was":"outside""#),
        (
            "account owners 100001",
            r#"{"account":100001,"becoming":[],"owners":[{"email":"kari@nordlys.example","name":"Kari Nordmann"}],"successor":null}"#,
        ),
        ("account invite-owner 100001 ingrid@nordlys.example", r#""replaced":"pending""#),
        ("account sso-off 100001", r#"{"account":100001,"lifted":false}"#),
        ("account release-domain nordlys.example", r#""released":false"#),
        ("user show kari@nordlys.example", r#""is_open":true"#),
        ("user reset-link kari@nordlys.example", r#""link":"http://"#),
        ("user sign-out kari@nordlys.example", r#""sessions_ended":0"#),
        ("user sign-out --everybody", r#""everybody":true"#),
        ("log verify", r#""is_whole":true"#),
        ("feedback list", r#"{"feedback":[]}"#),
        ("report list", r#"{"reports":[]}"#),
    ] {
        let (code, said, wrong) = as_json(&operator, words).await;
        assert!(code == 0 && wrong.is_empty(), "{words}: {wrong}");
        assert!(said.contains(told), "{words}: {said}");
        let read: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert!(read.is_object() && said.lines().count() == 1, "{words}: {said}");
    }
    for (words, code, told) in [
        ("account owners 100009", 1, "there is no account 100009"),
        ("account owners nordlys", 2, "it is no account number, such as 100001"),
        ("user show nobody", 1, "'nobody' isn't an e-mail address"),
        ("account frobnicate", 2, "unrecognized subcommand"),
    ] {
        let (ended, said, wrong) = as_json(&operator, words).await;
        assert!(ended == code && said.is_empty(), "{words}: {ended} {said}");
        let read: serde_json::Value = serde_json::from_str(&wrong).unwrap();
        assert!(read["error"].as_str().unwrap().contains(told), "{words}: {wrong}");
    }
    let (code, said, wrong) = as_json(&operator, "doctor").await;
    let read: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(code == 1 && wrong.is_empty() && read["is_healthy"] == false, "{said} {wrong}");
    let checks = read["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["check"] == "database" && check["state"] == "ok"));
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_under_the_name_that_it_was_set_by() {
    let db = test_database::sqlite().await;
    let operator = Operator::new(&db.url);
    let wrong = [("LATCHKEY_LANGUAGE", "fr"), ("LATCHKEY_SESSION_DAYS", "many")];
    let settings = "smtp_url = 'http://mail'\nprovider_name = 'Acme'\n";
    std::fs::write(operator.folder.path().join("latchkey.toml"), settings).unwrap();
    for words in ["doctor", "account list"] {
        let ended = operator.command(words).envs(wrong).output().await.unwrap();
        let said = String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap();
        assert!(said.contains("LATCHKEY_LANGUAGE in the environment must be one of en"), "{said}");
        assert!(said.contains(": 'fr' isn't"), "{said}");
        assert!(
            said.contains("LATCHKEY_SESSION_DAYS in the environment must be a whole"),
            "{said}"
        );
        assert!(said.contains("smtp_url in latchkey.toml must be smtp://"), "{said}");
        assert_eq!(said.contains("database: ok, up to date"), words == "doctor", "{said}");
        assert_eq!(said.contains("mail server: not checked"), words == "doctor", "{said}");
        assert_eq!(ended.status.code(), Some(if words == "doctor" { 1 } else { 2 }));
    }
}

#[tokio::test]
async fn a_command_that_looks_for_a_database_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not-there.db");
    let operator = Operator::new(&format!("sqlite:{}", file.display()));
    for words in [
        "account list",
        "account owners 100001",
        "user show kari@nordlys.example",
        "log verify",
        "report list",
        "feedback list",
        "user sign-out --everybody",
        "restore --in-place",
        "backup copy.db",
        "doctor",
    ] {
        let (code, said) = operator.run(words).await;
        assert!(code == 1 && said.contains("not-there.db"), "{words}: {said}");
        assert!(said.contains("check DATABASE_URL"), "{words}: {said}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{words}");
    }
    assert_eq!(operator.run("migrate").await.0, 0);
    assert!(file.exists());
}

/// The commands that do something, as the binary's own help names them: what is typed for each.
async fn commands(operator: &Operator) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![String::new()]);
    while let Some(typed) = open.pop() {
        let (code, help) = operator.run(format!("{typed} --help").trim_start()).await;
        assert_eq!(code, 0, "{help}");
        let below = help.split("\nCommands:\n").nth(1).unwrap_or_default();
        let below = below.lines().take_while(|line| !line.is_empty());
        let below = below.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        let below: Vec<_> = below.filter(|name| !name.is_empty() && *name != "help").collect();
        if below.is_empty() {
            found.insert(typed.clone());
        }
        open.extend(
            below.into_iter().map(|name| format!("{typed} {name}").trim_start().to_owned()),
        );
    }
    found
}

/// What a command that does its work tells programs.
async fn told(operator: &Operator, words: &str) -> serde_json::Value {
    let (code, said, wrong) = as_json(operator, words).await;
    assert!(code == 0 && wrong.is_empty(), "{words}: {wrong}");
    let read: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(read.is_object() && said.lines().count() == 1, "{words}: {said}");
    read
}

#[tokio::test]
async fn no_command_has_only_words_for_people() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("latchkey.db").display());
    let operator = Operator::new(&url);
    let settings = "demo = true\nwebhook_private_addresses = true\n";
    std::fs::write(operator.folder.path().join("latchkey.toml"), settings).unwrap();
    std::fs::write(operator.folder.path().join("accounts.csv"), "ref,name\nc-1,Nordlys\n").unwrap();
    assert_eq!(operator.run("migrate").await.0, 0);
    assert_eq!(told(&operator, "demo seed").await["seeded"], true);
    let mut serving = operator.command("serve --json").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(serving.stdout.take().unwrap()).lines();
    let line = timeout(IN_TIME, lines.next_line()).await.expect("a start").unwrap().unwrap();
    let served: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(served["serves"], format!("http://{}", operator.listen));
    operator.signal(&serving, "TERM").await;
    timeout(IN_TIME, serving.wait()).await.expect("an end").unwrap();
    let mut done = BTreeSet::from(["demo seed", "serve"].map(str::to_owned));

    let mut database = SqliteConnection::connect(&url).await.unwrap();
    for statement in [
        "INSERT INTO passkeys SELECT id, id, id, 'Phone', '{}', 0, created_at, NULL FROM users
             WHERE email_key = 'ingrid@nordlys.example'",
        "INSERT INTO reports SELECT id, 1, id, 'kari@nordlys.example', 'kari@nordlys.example',
             'Ingrid', 'ingrid@nordlys.example', NULL FROM accounts WHERE number = 100001",
    ] {
        sqlx::raw_sql(statement).execute(&mut database).await.unwrap();
    }
    database.close().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = format!("http://{}/hooks", listener.local_addr().unwrap());
    let added = told(&operator, &format!("webhook add {hook}")).await;
    let (endpoint, secret) =
        (added["endpoint"].as_str().unwrap(), added["secret"].as_str().unwrap());
    let test = format!("webhook test {endpoint}");
    let (tested, _) = tokio::join!(told(&operator, &test), take_signed(&listener, secret));
    assert_eq!(tested["status"], 200);
    let made = told(&operator, "token create --name Panel --scope accounts:read").await;
    let token = &made["token"].as_str().unwrap()[..15];
    done.extend(["webhook add", "webhook test", "token create"].map(str::to_owned));

    for (words, key) in [
        ("migrate", "is_current"),
        ("account create --name Fjell --owner-email mei@fjordpixel.example", "account"),
        ("account list", "accounts"),
        ("account owners 100001", "owners"),
        ("account add-owner 100001 mei@fjordpixel.example --reason New", "added"),
        ("account remove-owner 100001 mei@fjordpixel.example --reason Left", "account"),
        ("account invite-owner 100001 per@nordlys.example", "account"),
        ("account sso-off 100001", "lifted"),
        ("account release-domain nordlys.example", "released"),
        ("user show mei@fjordpixel.example", "accounts"),
        ("user reset-link mei@fjordpixel.example", "link"),
        ("user sign-out mei@fjordpixel.example", "sessions_ended"),
        ("user remove-factors ingrid@nordlys.example", "factors_removed"),
        ("token list", "tokens"),
        (&*format!("token revoke {token}"), "revoked"),
        ("log verify", "is_whole"),
        ("feedback list", "feedback"),
        ("report list", "reports"),
        ("report lift 100001 kari@nordlys.example", "lifted"),
        ("webhook list", "endpoints"),
        ("webhook deliveries", "deliveries"),
        (&*format!("webhook rotate {endpoint}"), "former_secret_until"),
        (&*format!("webhook on {endpoint}"), "was_off"),
        ("backup copy.db", "file"),
        ("import accounts.csv", "created"),
        ("export --account 100001 --file account.json", "file"),
    ] {
        let told = told(&operator, words).await;
        assert!(!told[key].is_null(), "{words}: {told}");
        done.insert(words.split(' ').take(2).collect::<Vec<_>>().join(" "));
    }
    let mut listening = operator.command("webhook listen 127.0.0.1:0 --json");
    let mut listening = listening.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(listening.stdout.take().unwrap()).lines();
    let line = timeout(IN_TIME, lines.next_line()).await.expect("a start").unwrap().unwrap();
    let listens: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(listens["listens"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{line}");
    listening.kill().await.unwrap();
    done.insert("webhook listen".to_owned());
    let deliveries = told(&operator, "webhook deliveries").await;
    let delivery = deliveries["deliveries"][0]["delivery"].as_str().unwrap();
    for (words, key) in [
        (format!("webhook redeliver {delivery}"), "waited_already"),
        (format!("webhook remove {endpoint}"), "endpoint"),
        ("restore copy.db".to_owned(), "sessions_ended"),
    ] {
        let told = told(&operator, &words).await;
        assert!(!told[key].is_null(), "{words}: {told}");
        done.insert(words.split(' ').take(2).collect::<Vec<_>>().join(" "));
    }
    let (_, said, _) = as_json(&operator, "doctor").await;
    let read: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(read["checks"].is_array(), "{said}");
    done.insert("doctor".to_owned());
    let done: BTreeSet<_> = done
        .iter()
        .map(|words| match words.split(' ').next().unwrap() {
            alone @ ("backup" | "restore" | "import" | "export") => alone.to_owned(),
            _ => words.clone(),
        })
        .collect();
    assert_eq!(done, commands(&operator).await);
}

#[tokio::test]
async fn doctor_tells_everything_that_it_finds() {
    let db = test_database::sqlite().await;
    let operator = Operator::new(&db.url);
    let settings = "webhook_private_addresses = true\n";
    std::fs::write(operator.folder.path().join("latchkey.toml"), settings).unwrap();
    for end in ["crm", "shop", "third"] {
        let add = format!("webhook add http://127.0.0.1:1/{end}");
        assert_eq!(operator.run(&add).await.0, 0);
    }
    let create = "account create --name Nordlys --owner-email ingrid@nordlys.example";
    assert_eq!(operator.run(create).await.0, 0);
    let mut server = serving(operator.command("serve")).await;
    operator.signal(&server, "TERM").await;
    timeout(IN_TIME, server.wait()).await.expect("an end").unwrap();
    let key = operator.folder.path().join("data/log-key.pem");
    std::fs::set_permissions(key, Permissions::from_mode(0o644)).unwrap();
    let mut database = SqliteConnection::connect(&db.url).await.unwrap();
    let digest =
        "INSERT INTO log_digests SELECT id, 1, 1, zeroblob(32), 1, zeroblob(32), zeroblob(64)
                      FROM accounts";
    sqlx::query(digest).execute(&mut database).await.unwrap();
    let off = "UPDATE webhook_endpoints SET off_since = 1, off_why = 'HTTP 500'
                   WHERE url NOT LIKE '%third'";
    sqlx::query(off).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    let wrong = [
        ("LATCHKEY_IDENTITY_PROVIDERS", "none"),
        ("LATCHKEY_MAIL_FROM", "us"),
        ("LATCHKEY_SMTP_URL", "mail"),
    ];
    let ended = operator.command("doctor").envs(wrong).output().await.unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    for end in ["crm", "shop"] {
        let line = format!("webhooks: ok, but http://127.0.0.1:1/{end} is off since");
        assert!(said.contains(&line), "{said}");
    }
    assert!(!said.contains("/third"), "{said}");
    assert!(said.contains("log key: ok, but others can read data/log-key.pem"), "{said}");
    assert!(said.contains("log key: ok, but the newest digest was signed with another"), "{said}");
    let told = "identity providers: not checked: LATCHKEY_IDENTITY_PROVIDERS is wrong";
    assert!(said.contains(told), "{said}");
    let told = "mail server: not checked: LATCHKEY_SMTP_URL, LATCHKEY_MAIL_FROM are wrong";
    assert!(said.contains(told), "{said}");
}

#[apply(on_both!)]
async fn a_token_is_shown_once_listed_and_revoked(db: TestDatabase) {
    let operator = Operator::new(&db.url);
    let (code, said) = operator.run("token list").await;
    assert!(code == 0 && said.contains("No token was made yet"), "{said}");
    operator.run("account create --name Bakery --owner-email kari@nordlys.example").await;
    let create = "token create --name Billing --scope invoices:write --scope accounts:read";
    let (code, said) = operator.run(&format!("{create} --account 100001 --until 2999-12-31")).await;
    assert_eq!(code, 0, "{said}");
    let token = said.lines().last().unwrap().to_owned();
    assert!(token.starts_with("lk_") && token.len() == 3 + 12 + 1 + 43, "{token}");
    let (_, said) = operator.run("token list").await;
    let beginning = &token[..15];
    assert!(said.contains(beginning) && !said.contains(&token[16..]), "{said}");
    let told = "Billing  account 100001, accounts:read invoices:write  made ";
    assert!(
        said.contains(told) && said.contains("never used, works until 1 January 3000"),
        "{said}"
    );

    let (code, said) = operator.run(&format!("token revoke {beginning}")).await;
    assert!(code == 0 && said.contains("void from now on"), "{said}");
    let (code, said) = operator.run(&format!("token revoke {token}")).await;
    assert!(code == 1 && said.contains("see `token list`") && !said.contains(&token), "{said}");
    let (_, said) = operator.run("token list").await;
    assert!(said.contains("never used, revoked "), "{said}");

    let (code, said) = operator.run(&format!("{create} --account 1")).await;
    assert!(code == 1 && said.contains("there is no account 1"), "{said}");
    let (code, said) = operator.run(&format!("{create} --until 1999-12-31")).await;
    assert!(code == 1 && said.contains("over already"), "{said}");
    let (code, said) = operator.run("token create --name Billing --scope invoices").await;
    assert!(code == 2 && said.contains("accounts:read, accounts:write"), "{said}");
    assert_eq!(operator.run("token create --name Billing").await.0, 2);
    assert_eq!(operator.run(&format!("{create} --until tomorrow")).await.0, 2);
}

/// Takes one request as a program that is told of events, and checks its signature with this secret, as
/// the specification's own library does, by the system's clock. Answers its body.
async fn take_signed(listener: &TcpListener, secret: &str) -> String {
    let (stream, _) = timeout(IN_TIME, listener.accept()).await.expect("somebody").unwrap();
    let mut stream = BufReader::new(stream);
    let mut headers = HeaderMap::new();
    loop {
        let mut line = String::new();
        timeout(IN_TIME, stream.read_line(&mut line)).await.expect("a head").unwrap();
        match line.trim_end().split_once(": ") {
            Some((name, value)) => {
                let name: HeaderName = name.parse().unwrap();
                headers.insert(name, value.parse().unwrap());
            }
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    let length = headers["content-length"].to_str().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    timeout(IN_TIME, stream.read_exact(&mut body)).await.expect("a body").unwrap();
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(answer).await.unwrap();
    standardwebhooks::Webhook::new(secret).unwrap().verify(&body, &headers).unwrap();
    String::from_utf8(body).unwrap()
}

#[apply(on_both!)]
async fn a_program_is_told_of_events_by_commands_and_the_server(db: TestDatabase) {
    let operator = Operator::new(&db.url);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    let (code, said) = operator.run("webhook list").await;
    assert!(code == 0 && said.contains("There are no endpoints yet"), "{said}");
    let (code, said) = operator.run(&format!("webhook add {url}")).await;
    assert!(code == 1 && said.contains("must be https, and public"), "{said}");
    let settings = operator.folder.path().join("latchkey.toml");
    std::fs::write(settings, "webhook_private_addresses = true").unwrap();
    let (code, said) = operator.run(&format!("webhook add {url} --kind moon.risen")).await;
    assert!(code == 1 && said.contains("moon.risen, but of these: member.added"), "{said}");
    let add = format!("webhook add {url} --kind invitation.sent --kind member.added");
    let (code, said) = operator.run(&add).await;
    assert_eq!(code, 0, "{said}");
    let id = said.split(' ').nth(1).unwrap().to_owned();
    let secret = said.lines().last().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"), "{said}");

    let test = format!("webhook test {id}");
    let (tested, ping) = tokio::join!(operator.run(&test), take_signed(&listener, &secret));
    assert!(tested.0 == 0 && tested.1.contains("HTTP 200"), "{}", tested.1);
    assert!(ping.contains("\"type\":\"ping\""), "{ping}");
    let (code, said) = operator.run(&format!("webhook rotate {id} --overlap-hours 1")).await;
    assert_eq!(code, 0, "{said}");
    let second = said.lines().find(|line| line.starts_with("whsec_")).unwrap().to_owned();
    for known in [&secret, &second] {
        let (tested, _) = tokio::join!(operator.run(&test), take_signed(&listener, known));
        assert_eq!(tested.0, 0, "{}", tested.1);
    }

    let mut server = serving(operator.command("serve")).await;
    operator.run("account create --name Nordlys --owner-email kari@nordlys.example").await;
    let event = take_signed(&listener, &second).await;
    assert!(event.contains("\"type\":\"invitation.sent\""), "{event}");
    operator.signal(&server, "TERM").await;
    assert!(timeout(IN_TIME, server.wait()).await.expect("an end").unwrap().success());
    let (_, said) = operator.run("webhook deliveries").await;
    assert!(said.contains("invitation.sent") && said.contains("tries: 1"), "{said}");
    let delivery = said.split(' ').next().unwrap().to_owned();
    let (code, said) = operator.run(&format!("webhook redeliver {delivery}")).await;
    assert!(code == 0 && said.contains("once more"), "{said}");
    let (code, said) = operator.run(&format!("webhook on {id}")).await;
    assert!(code == 0 && said.contains("is on already"), "{said}");
    let (_, said) = operator.run("webhook list").await;
    assert!(said.contains(&url) && said.contains("waiting: 1"), "{said}");
    assert!(!said.contains("whsec_"), "{said}");
    let (_, said) = operator.run("doctor").await;
    assert!(said.contains("webhooks: ok, endpoints that are told of events: 1"), "{said}");
    assert_eq!(operator.run(&format!("webhook remove {id}")).await.0, 0);
    for words in ["remove", "rotate", "on", "test", "redeliver"] {
        let (code, said) = operator.run(&format!("webhook {words} {id}")).await;
        assert!(code == 1 && said.contains("there is no "), "{words}: {said}");
    }
}

/// A shell in an empty folder, and with everything that it began to its end.
struct Shell {
    bash: Child,
    output: Lines<BufReader<ChildStdout>>,
    _folder: tempfile::TempDir,
}

impl Shell {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_latchkey"));
        let mut path = program.parent().unwrap().as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        let free = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        let [port, hook_port] = free.map(|free| free.local_addr().unwrap().port().to_string());
        let mut bash = Command::new("bash")
            .current_dir(folder.path())
            .envs([("PATH", path), ("PORT", port.into()), ("HOOK_PORT", hook_port.into())])
            .env("no_proxy", "*")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(bash.stdout.take().unwrap()).lines();
        Self { bash, output, _folder: folder }
    }

    /// Runs a command. Answers its exit code, and what was said meanwhile.
    async fn run(&mut self, command: &str) -> (i32, String) {
        let line = format!("{command}\nprintf '\\nended with %s\\n' $?\n");
        self.bash.stdin.as_mut().unwrap().write_all(line.as_bytes()).await.unwrap();
        let mut said = String::new();
        loop {
            let line = timeout(IN_TIME, self.output.next_line()).await;
            let line = line.ok().and_then(Result::ok).flatten();
            assert!(line.is_some(), "no end of {command}: {said}");
            let line = line.unwrap_or_default();
            match line.strip_prefix("ended with ") {
                Some(code) => return (code.parse().unwrap(), said),
                None => said = said + &line + "\n",
            }
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let group = self.bash.id().map(|id| format!("-{id}")).unwrap_or_default();
        let _ = std::process::Command::new("kill").args(["-s", "KILL", "--", &group]).status();
    }
}

/// The commands of a document's first block of them behind this heading.
fn commands_of(document: &str, heading: &str) -> Vec<String> {
    let behind = document.split(heading).nth(1).expect("the heading");
    let block = behind.split("```sh\n").nth(1).and_then(|block| block.split("```").next());
    let mut commands = vec![String::new()];
    for line in block.expect("a block").lines().filter(|line| !line.starts_with('#')) {
        let command = commands.last_mut().unwrap();
        *command += line;
        match line.ends_with('\\') {
            true => command.push('\n'),
            false => commands.push(String::new()),
        }
    }
    commands.retain(|command| !command.is_empty());
    commands
}

/// The first object in what was said; something else may be said behind it.
fn object_in(said: &str) -> serde_json::Value {
    let begin = said.find('{').expect("an object");
    let mut values = serde_json::Deserializer::from_str(&said[begin..]).into_iter();
    values.next().expect("an object").unwrap()
}

#[tokio::test]
async fn the_guides_ten_commands_lead_to_an_account_an_event_and_a_decision() {
    let commands = commands_of(include_str!("../../docs/connect.md"), "## In ten commands\n");
    assert_eq!(commands.len(), 10, "{commands:#?}");
    let mut shell = Shell::new();
    let mut said = Vec::new();
    for command in &commands {
        let (code, words) = shell.run(command).await;
        assert_eq!(code, 0, "{command}\n{words}");
        said.push(words);
    }
    let (account, event, decision) = (&said[5], &said[6], &said[9]);
    let made = object_in(account);
    assert_eq!((&made["ref"], &made["number"]), (&"customer-17".into(), &100_001.into()));
    // It may have come while the one before was under way.
    let heard = format!("{account}{event}");
    assert!(heard.contains("invitation.sent") && heard.contains("signature: good"), "{heard}");
    assert_eq!(object_in(decision)["decision"], true, "{decision}");
    // It is kept, and twice is once.
    let read = "curl -sS $LATCHKEY_PUBLIC_URL/api/v1/accounts/customer-17 -H \"Authorization: Bearer $TOKEN\"";
    assert_eq!(object_in(&shell.run(read).await.1), made);
    assert_eq!(object_in(&shell.run(&commands[5]).await.1), made);
}

#[tokio::test]
async fn events_are_shown_to_whoever_builds_a_receiver() {
    let db = test_database::sqlite().await;
    let operator = Operator::new(&db.url);
    let settings = operator.folder.path().join("latchkey.toml");
    std::fs::write(settings, "webhook_private_addresses = true").unwrap();
    let (code, said) = operator.run("webhook listen 192.0.2.1:4000").await;
    assert!(code == 2 && said.contains("it is no address and port of this machine"), "{said}");
    let (code, said) = operator.run("webhook listen 127.0.0.1:0 --secret geheim").await;
    assert!(code == 1 && said.contains("begins with whsec_"), "{said}");

    for (wrong, code) in [(false, 0), (true, 1)] {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (_, said) = operator.run(&format!("webhook add http://{free}/hooks")).await;
        let id = said.split(' ').nth(1).unwrap().to_owned();
        let secret = if wrong { "whsec_AAAA" } else { said.lines().last().unwrap() };
        let mut listen = operator.command(&format!("webhook listen {free} --once --json"));
        listen.env("LATCHKEY_WEBHOOK_SECRET", secret).stdout(Stdio::piped());
        let mut listen = listen.stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(listen.stdout.take().unwrap()).lines();
        let begun = timeout(IN_TIME, lines.next_line()).await.expect("a start").unwrap();
        assert_eq!(begun.unwrap(), format!("{{\"listens\":\"http://{free}\"}}"));
        let (tested, said) = operator.run(&format!("webhook test {id}")).await;
        assert_eq!((tested, said.contains("HTTP 204")), (code, !wrong), "{said}");
        let shown = timeout(IN_TIME, lines.next_line()).await.expect("an event").unwrap();
        let shown: serde_json::Value = serde_json::from_str(&shown.unwrap()).unwrap();
        let signature = if wrong { "bad" } else { "good" };
        assert_eq!((&shown["type"], &shown["signature"]), (&"ping".into(), &signature.into()));
        let ended = timeout(IN_TIME, listen.wait()).await.expect("an end").unwrap();
        assert_eq!(ended.code(), Some(code));
    }
}

/// The limit on the size of files stands in for a full disk: what SQLite is told is the same.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_whose_disk_was_full_writes_again_without_a_restart() {
    let db = test_database::sqlite().await;
    let operator = Operator::new(&db.url);
    let mut command = Command::new("sh");
    let deaf = ["-c", "trap '' XFSZ; exec \"$0\" serve", env!("CARGO_BIN_EXE_latchkey")];
    command.args(deaf).stderr(Stdio::null());
    let mut server = serving(operator.in_place(command)).await;
    let process = server.id().unwrap().to_string();
    let limit = async |size: &str| {
        let size = format!("--fsize={size}:");
        let limited = Command::new("prlimit").args(["--pid", &process, &size]).status().await;
        assert!(limited.unwrap().success());
    };
    // Each at another address: several tries at one would have to wait.
    let sign_in = async |name: String| {
        let form = format!("form=sign-in&email={name}%40x.example&password=some+password&next=%2F");
        operator.post("/sign-in", &form).await
    };
    for round in 0..3 {
        let before = sign_in(format!("before-{round}")).await;
        assert!(before.starts_with("HTTP/1.1 422"), "{before}");
        limit("512").await;
        let meanwhile = sign_in(format!("meanwhile-{round}")).await;
        assert!(meanwhile.starts_with("HTTP/1.1 503"), "{meanwhile}");
        let ready = operator.get("/readyz").await;
        assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
        limit("unlimited").await;
        assert!(operator.get("/readyz").await.starts_with("HTTP/1.1 200"));
    }
    assert!(sign_in("after".to_owned()).await.starts_with("HTTP/1.1 422"));
    server.kill().await.unwrap();
}

/// Somewhere that can't be written to, or not any more.
enum Out {
    FullDisk,
    NoReader,
    /// A pipe whose reader doesn't read.
    Stalled,
}

impl Out {
    /// Answers what keeps the pipe open, too.
    fn open(&self) -> (Stdio, Option<PipeReader>) {
        if let Self::FullDisk = self {
            return (File::options().write(true).open("/dev/full").unwrap().into(), None);
        }
        let (reader, writer) = std::io::pipe().unwrap();
        (writer.into(), matches!(self, Self::Stalled).then_some(reader))
    }
}

#[tokio::test]
async fn whatever_becomes_of_the_log_requests_are_answered_until_the_stop() {
    let db = test_database::sqlite().await;
    for out in [Out::FullDisk, Out::NoReader, Out::Stalled] {
        let operator = Operator::new(&db.url);
        let ((log, _log_reader), (said, _reader)) = (out.open(), out.open());
        let mut server = operator.command("serve");
        // So much is logged that any pipe is full soon.
        let server = server.env("LATCHKEY_LOG", "trace").stdout(said).stderr(log);
        let mut server = server.spawn().unwrap();
        operator.is_up().await;
        for _ in 0..100 {
            assert!(operator.get("/healthz").await.starts_with("HTTP/1.1 200"));
            assert!(operator.get("/").await.starts_with("HTTP/1.1 303"));
        }
        operator.signal(&server, "TERM").await;
        let ended = timeout(IN_TIME, server.wait()).await.expect("an end in time").unwrap();
        assert_eq!(ended.code(), Some(0));
    }
}

#[tokio::test]
async fn what_a_command_says_may_find_no_reader_but_not_no_room() {
    let db = test_database::sqlite().await;
    let operator = Operator::new(&db.url);
    for (out, code, words) in
        [(Out::NoReader, 0, ""), (Out::FullDisk, 1, "standard output can't be written to")]
    {
        for command in ["account list", "account list --json", "report list"] {
            let mut command = operator.command(command);
            let ended = command.stdout(out.open().0).stderr(Stdio::piped()).spawn().unwrap();
            let ended = timeout(IN_TIME, ended.wait_with_output()).await.expect("an end").unwrap();
            let said = String::from_utf8(ended.stderr).unwrap();
            assert_eq!(ended.status.code(), Some(code), "{said}");
            assert!(said.contains(words) && said.is_empty() == words.is_empty(), "{said}");
        }
    }
    for out in [Out::NoReader, Out::FullDisk] {
        let mut command = operator.command("account sso-off 100001");
        let ended = timeout(IN_TIME, command.stderr(out.open().0).status()).await.expect("an end");
        assert_eq!(ended.unwrap().code(), Some(1));
    }
}

#[tokio::test]
async fn the_second_stop_ends_at_once_what_the_first_one_waits_for() {
    let db = test_database::sqlite().await;
    let operator = Operator::new(&db.url);
    let mut command = operator.command("serve");
    command.stderr(Stdio::piped());
    let mut server = serving(command).await;
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut form = TcpStream::connect(&operator.listen).await.unwrap();
    let begun = "POST /sign-in HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n\
                 content-type: application/x-www-form-urlencoded\r\ncontent-length: 9\r\n\
                 sec-fetch-site: same-origin\r\n\r\n";
    form.write_all(begun.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    form.read_exact(&mut go_on).await.unwrap();
    let mut told = String::new();
    for signal in ["TERM", "INT"] {
        operator.signal(&server, signal).await;
        while let Some(line) = timeout(IN_TIME, log.next_line()).await.expect("a line").unwrap() {
            told += &line;
            if line.contains("told to stop") {
                break;
            }
        }
    }
    let ended = timeout(IN_TIME, server.wait()).await.expect("an end in time").unwrap();
    while let Some(line) = log.next_line().await.unwrap() {
        told += &line;
    }
    assert_eq!(ended.code(), Some(1), "{told}");
    assert!(told.contains("told to stop twice"), "{told}");
    assert!(!told.contains("didn't finish in time"), "{told}");
}

#[tokio::test]
async fn what_was_logged_last_is_there_after_a_stop() {
    let db = test_database::sqlite().await;
    let operator = Operator::new(&db.url);
    let mut command = operator.command("serve");
    command.stderr(Stdio::piped());
    let server = serving(command).await;
    operator.signal(&server, "TERM").await;
    let ended = timeout(IN_TIME, server.wait_with_output()).await.expect("an end in time").unwrap();
    let log = String::from_utf8(ended.stderr).unwrap();
    assert!(log.trim_end().ends_with("stopped"), "{log}");
}

#[tokio::test]
async fn too_few_open_files_for_the_connections_are_told() {
    let db = test_database::sqlite().await;
    let operator = Operator::new(&db.url);
    let mut shell = Command::new("sh");
    let limited = ["-c", "ulimit -n 400; exec \"$0\" serve", env!("CARGO_BIN_EXE_latchkey")];
    shell.args(limited).stderr(Stdio::piped());
    let server = serving(operator.in_place(shell)).await;
    operator.signal(&server, "TERM").await;
    let ended = timeout(IN_TIME, server.wait_with_output()).await.expect("an end in time").unwrap();
    let log = String::from_utf8(ended.stderr).unwrap();
    assert!(log.contains("of 1024 connections 72 are served"), "{log}");
    assert_eq!(ended.status.code(), Some(0));
}

/// A file by its path from the folder of the sources.
fn source(path: &str) -> String {
    std::fs::read_to_string(sources().join(path)).expect(path)
}

fn sources() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn the_image_is_built_as_all_else_and_runs_without_rights() {
    let recipe = source("deploy/Containerfile");
    let lines: Vec<_> = recipe.lines().filter(|line| !line.starts_with('#')).collect();
    let place = |begins: &str| lines.iter().rposition(|line| line.starts_with(begins)).unwrap();
    let of = |instruction: &str| -> Vec<_> {
        let said = lines.iter().filter_map(|line| line.strip_prefix(instruction));
        said.filter_map(|said| said.strip_prefix(' ')).collect()
    };
    let toolchain = source("rust-toolchain.toml");
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap();
    let channel = channel.trim_matches('"');
    let [build, run] = of("FROM")[..] else {
        panic!("it is built in one stage, and runs in another")
    };
    assert!(
        build.starts_with(&format!("rust:{channel}-")) && build.ends_with(" AS build"),
        "{build}"
    );
    assert!(!run.contains("rust"), "{run}");
    let copied = of("COPY --from=build");
    assert_eq!(copied, ["/build/target/release/latchkey /usr/local/bin/latchkey"]);

    let user = of("USER")[0];
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{user}");
    assert!(place("FROM ") < place("USER ") && place("USER ") < place("ENTRYPOINT "));
    let listen =
        recipe.split("LATCHKEY_LISTEN=").nth(1).unwrap().split_whitespace().next().unwrap();
    let port = listen.rsplit(':').next().unwrap();
    assert_eq!(of("EXPOSE"), [port]);
    let [health] = of("HEALTHCHECK")[..] else { panic!("it has no HEALTHCHECK") };
    assert!(health.contains(&format!("/dev/tcp/127.0.0.1/{port} ")), "{health}");
    assert!(health.contains("GET /readyz "), "{health}");
}

#[test]
fn all_that_the_debian_package_brings_is_there() {
    let manifest = source("server/Cargo.toml");
    let package = manifest.split("[package.metadata.deb]").nth(1).unwrap();
    let package = package.split("\n[").next().unwrap();
    let assets = package.split("assets = [").nth(1).unwrap().split("\n]").next().unwrap();
    let assets =
        assets.lines().filter_map(|line| line.trim().strip_prefix("[\"")?.split('"').next());
    let assets: Vec<_> = assets.collect();
    assert!(assets.len() > 3, "{assets:?}");
    for path in assets.iter().filter(|path| **path != "target/release/latchkey") {
        assert!(sources().join("server").join(path).is_file(), "{path}");
    }
    let named = |name: &str| {
        let value = package.split(name).nth(1).unwrap().split('"').nth(1).unwrap();
        sources().join("server").join(value)
    };
    assert!(named("license-file = [").is_file());
    for script in ["postinst", "postrm"] {
        assert!(named("maintainer-scripts = ").join(script).is_file(), "{script}");
    }
    assert!(named("unit-scripts = ").join("latchkey.service").is_file());
}

#[apply(on_both!)]
async fn a_table_is_imported_whole_or_not_at_all(db: TestDatabase) {
    let operator = Operator::new(&db.url);
    let write = |name: &str, text: &str| {
        std::fs::write(operator.folder.path().join(name), text).unwrap();
    };
    write(
        "accounts.csv",
        "ref,name,town,owner_email\n\
         c-1,Nordlys Bakeri AS,Bergen,ingrid@nordlys.example\n\
         \"c, 2\",Fjordpixel,,\n",
    );
    let (code, said) = operator.run("import accounts.csv --dry-run").await;
    assert!(code == 0 && said.contains("2 would come about, 0 would change"), "{said}");
    assert!(!operator.run("account list").await.1.contains("Nordlys"));
    let (code, said) = operator.run("import accounts.csv").await;
    assert!(code == 0 && said.contains("2 came about, 0 changed, and 0 were so already"), "{said}");
    let (_, said) = operator.run("account list").await;
    assert!(said.contains("Nordlys Bakeri AS") && said.contains("Fjordpixel"), "{said}");
    let (code, said) = operator.run("import accounts.csv").await;
    assert!(code == 0 && said.contains("2 were so already"), "twice is once: {said}");

    // As Excel writes it where commas stand in numbers.
    let head = "\u{feff}ref;account;name;renews_at;open_link\r\n";
    let good = "s-1;c-1;Webshop;2027-06-30T00:00:00Z;https://shop.example/in\r\n";
    let bad =
        "s-2;c-1;Mail;30.06.2027;http://mail.example\r\ns-3;c-9;Till;2027-06-30T00:00:00Z;\r\n";
    write("services.csv", &format!("{head}{good}{bad}"));
    let (code, said) = operator.run("import services.csv").await;
    assert_eq!(code, 1, "{said}");
    for told in [
        "line 3, column 4 (renews_at): It must be a moment such as",
        "line 3, column 5 (open_link): It must be an address of https",
        "line 4, column 2 (account): There is no such account.",
        "nothing was imported: 3 things are wrong with it",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let (code, told, wrong) = as_json(&operator, "import services.csv").await;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert!(code == 1 && wrong.contains("nothing was imported"), "{wrong}");
    assert_eq!(told["written"], false);
    assert_eq!(told["errors"][2]["line"], 4);
    assert_eq!(told["errors"][2]["name"], "account");
    let exported = async || {
        let (code, said) = operator.run("export --account 100001").await;
        assert_eq!(code, 0, "{said}");
        serde_json::from_str::<serde_json::Value>(&said).unwrap()
    };
    assert_eq!(exported().await["services"], serde_json::json!([]), "nothing of it is there");
    write("services.csv", &format!("{head}{good}"));
    assert_eq!(operator.run("import services.csv").await.0, 0);
    write(
        "domains.csv",
        "ref,account,name,expires_at,locked\nd-1,c-1,nordlys.example,2027-01-01T00:00:00Z,true\n",
    );
    assert_eq!(operator.run("import domains.csv").await.0, 0);
    let account = exported().await;
    assert_eq!(account["account"]["ref"], "c-1");
    assert_eq!(account["account"]["town"], "Bergen");
    assert_eq!(account["services"][0]["links"]["open"], "https://shop.example/in");
    assert_eq!(account["domains"][0]["locked"], true);
    assert_eq!(account["invitations"][0]["email"], "ingrid@nordlys.example");
    assert!(account["activity"].as_array().unwrap().iter().any(|row| {
        row["actor_name"].as_str().unwrap().ends_with("(import)") && row["kind"] == "service.added"
    }));

    let head = "account,email,ref,name,owner,permissions,services,invite\n";
    let good = "c-1,mei@fjordpixel.example,mei,Mei Tanaka,,services.manage billing.view,s-1,\n\
                c-1,bjorn@regnskap.example,,,,billing.pay,,now\n";
    write(
        "members.csv",
        &format!(
            "{head}{good}c-1,Mei@Fjordpixel.example,,,,billing.view,,\n\
             c-7,kari@nordlys.example,,,true,,,\n"
        ),
    );
    let (code, said) = operator.run("import members.csv").await;
    assert_eq!(code, 1, "{said}");
    for told in [
        "line 4, column 2 (email): Line 2 is about the same person.",
        "line 5, column 1 (account): There is no such account.",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    write(
        "members.csv",
        &format!("{head}{good}c-1,kari@nordlys.example,,,,services.view billing.fly,s-9,\n"),
    );
    let (code, said) = operator.run("import members.csv").await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("line 4, column 6 (permissions): It must be the id of a permission."));
    write("members.csv", &format!("{head}{good}c-1,kari@nordlys.example,,,,services.view,s-9,\n"));
    let (code, said) = operator.run("import members.csv").await;
    assert_eq!(code, 1, "{said}");
    let told = "line 4, column 7 (services): The account has no such service.";
    assert!(said.contains(told), "{said}");
    assert_eq!(exported().await["members"], serde_json::json!([]), "nobody came along");
    write("members.csv", &format!("{head}{good}"));
    let (code, said) = operator.run("import members.csv").await;
    assert!(code == 0 && said.contains("2 came about"), "{said}");
    let (code, said) = operator.run("import members.csv").await;
    assert!(code == 0 && said.contains("2 were so already"), "twice is once: {said}");
    let account = exported().await;
    assert_eq!(account["members"][0]["ref"], "mei");
    assert_eq!(account["members"][0]["claimed"], false);
    assert_eq!(account["members"][0]["grants"][0]["services"], serde_json::json!(["s-1"]));
    let invited = account["invitations"].as_array().unwrap();
    assert!(invited.iter().any(|one| one["email"] == "bjorn@regnskap.example"), "{invited:?}");

    write("nothing.csv", "colour,size\nred,9\n");
    let (code, said) = operator.run("import nothing.csv").await;
    assert!(code == 1 && said.contains("line 1: The columns are no table's"), "{said}");
    let (code, said) = operator.run("import nowhere.csv").await;
    assert!(code == 1 && said.contains("nowhere.csv can't be read"), "{said}");
}

#[apply(on_both!)]
async fn an_account_is_exported_into_a_file_of_the_operators_own(db: TestDatabase) {
    use std::os::unix::fs::PermissionsExt;

    let operator = Operator::new(&db.url);
    operator.run("account create --name Nordlys --owner-email ingrid@nordlys.example").await;
    let table = "ref,account,name,renews_at,login_password\n\
                 s-1,id:100001,Webshop,2027-06-30T00:00:00Z,\"open, sesame\"\n";
    std::fs::write(operator.folder.path().join("services.csv"), table).unwrap();
    assert_eq!(operator.run("import services.csv").await.0, 0);
    let (code, said) = operator.run("export --account 100001 --file nordlys.json").await;
    assert!(code == 0 && said.contains("Account 100001 is in nordlys.json."), "{said}");
    let file = operator.folder.path().join("nordlys.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!std::fs::read_to_string(&file).unwrap().contains("sesame"));
    let (code, said) = operator.run("export --account 100001 --file nordlys.json").await;
    assert!(code == 1 && said.contains("nordlys.json is there already"), "{said}");
    let (_, said) = operator.run("export --account 100001 --with-passwords").await;
    assert!(said.contains("open, sesame"), "{said}");
    let (code, said) = operator.run("export --account 100009 --file gone.json").await;
    assert!(code == 1 && said.contains("there is no account 100009"), "{said}");
    assert!(!operator.folder.path().join("gone.json").exists());
}
