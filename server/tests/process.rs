//! The binary as the operator runs it: every command, and the server from start to stop.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on fails, and says where"
)]

use std::fs::File;
use std::io::PipeReader;
use std::process::Stdio;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use test_database::{TestDatabase, apply, on_both};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
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
            r#"{"account":100001,"owners":[{"email":"kari@nordlys.example","name":"Kari Nordmann"}]}"#,
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

#[tokio::test]
async fn every_commands_help_has_an_example() {
    let operator = Operator::new("sqlite:none");
    for words in [
        "serve",
        "migrate",
        "backup",
        "restore",
        "account create",
        "account list",
        "account owners",
        "account add-owner",
        "account remove-owner",
        "account invite-owner",
        "account sso-off",
        "account release-domain",
        "user show",
        "user reset-link",
        "user sign-out",
        "user remove-factors",
        "log verify",
        "feedback list",
        "report list",
        "report lift",
        "demo seed",
        "doctor",
    ] {
        let (code, said) = operator.run(&format!("{words} --help")).await;
        let example = said.split("Example").nth(1).unwrap_or_default();
        assert!(code == 0 && example.contains(&format!("latchkey {words}")), "{words}: {said}");
    }
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

/// The limit on the size of files stands in for a full disk: what SQLite is told is the same.
#[cfg(target_os = "linux")]
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
