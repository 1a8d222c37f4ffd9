//! What goes wrong around the database, and that it ends with its cause.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use model::{Failure, FullName, Mail, UserId};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use store::{AccountDetails, OpenError, Store, Unready};
use test_database::{Line, TestDatabase, apply, on_both};
use tokio::time::timeout;

use crate::story::{
    Bakery, DAY, HOUR, account, at, at_once, change, email, new_session, secret, token, user,
};

/// Long enough for anything that isn't stuck.
const IN_TIME: Duration = Duration::from_secs(60);

async fn rename(store: &Store, user: UserId) -> Result<(), Failure> {
    let name = FullName::parse("Ingrid Solberg").unwrap();
    timeout(IN_TIME, store.change_profile(user, &name, None, None, at(1))).await.expect("an answer")
}

async fn change_details(
    store: &Store,
    account: model::AccountId,
    by: UserId,
) -> Result<(), Failure> {
    let details = AccountDetails { town: "Bergen".to_owned(), ..AccountDetails::default() };
    let entry = crate::story::entry(model::ActivityKind::AccountChanged);
    let decide = |_: &_, _: &_| Ok(Some((details, entry)));
    store.change_account_details(account, by, at(1), decide).await
}

#[apply(on_both!)]
async fn a_write_that_fails_ends_no_other(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for _ in 0..3 {
        db.break_writing_to("users").await;
        for _ in 0..12 {
            assert_eq!(rename(&db.store, bakery.ingrid).await, Err(Failure::Unavailable));
        }
        let language = model::Language::parse("de").unwrap();
        let alone = db.store.set_language(bakery.ingrid, &language).await;
        assert_eq!(alone, Err(Failure::Unavailable), "outside of a transaction, too");
        db.mend_writing().await;
        assert_eq!(rename(&db.store, bakery.ingrid).await, Ok(()));
        assert_eq!(db.store.is_ready().await, Ok(()));
    }
}

#[apply(on_both!)]
async fn a_write_that_is_refused_leaves_nothing_open(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for _ in 0..30 {
        let (id, ingrid) = (bakery.id, bakery.ingrid);
        let no = |_: &_, _: &_| Err(Failure::NotFound);
        let refused = db.store.change_account_details(id, ingrid, at(1), no).await;
        assert_eq!(refused, Err(Failure::NotFound));
    }
    assert_eq!(rename(&db.store, bakery.ingrid).await, Ok(()));
}

#[apply(on_both!)]
async fn requests_that_are_given_up_in_the_middle_take_nothing_along(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for round in 0..60_u64 {
        let (store, ingrid) = (db.store.clone(), bakery.ingrid);
        let asking = tokio::spawn(async move { rename(&store, ingrid).await });
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        asking.abort();
    }
    assert_eq!(rename(&db.store, bakery.ingrid).await, Ok(()));
    assert_eq!(
        at_once(20, |_| {
            let (store, ingrid) = (db.store.clone(), bakery.ingrid);
            async move { rename(&store, ingrid).await }
        })
        .await,
        vec![Ok(()); 20]
    );
}

#[apply(on_both!)]
async fn a_database_is_ready_when_it_can_be_written(db: TestDatabase) {
    assert_eq!(db.store.is_ready().await, Ok(()));
    let answers = at_once(30, |_| {
        let store = db.store.clone();
        async move { store.is_ready().await }
    });
    assert_eq!(answers.await, vec![Ok(()); 30]);
    db.break_writing_to("attempts").await;
    assert_eq!(db.store.is_ready().await, Err(Unready::Unwritable));
    db.mend_writing().await;
    assert_eq!(db.store.is_ready().await, Ok(()));
    db.store.close().await;
    assert_eq!(db.store.is_ready().await, Err(Unready::Silent));
}

#[apply(on_both!)]
async fn reading_waits_for_no_writing(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    db.store.begin_session(bakery.ingrid, &new_session(1), None, at(0)).await.unwrap();
    let other = db.being_written().await;
    let reading = async {
        for seconds in [100, 200, 300] {
            let session = db.store.session(&token(1), 30 * DAY, 30 * DAY, at(seconds)).await;
            assert!(session.unwrap().is_some());
            let found = db.store.membership(bakery.ingrid, bakery.number, None, at(0)).await;
            let (session, found) = (uuid::Uuid::nil().into(), found.unwrap().unwrap());
            db.store.note_visit(bakery.ingrid, session, &found, at(seconds)).await;
        }
    };
    tokio::select! {
        biased;
        () = reading => {}
        written = rename(&db.store, bakery.ingrid) => {
            panic!("reading took longer than writing, which came to {written:?}")
        }
    }
    drop(other);
    db.store.noted().await;
    bakery.visit(bakery.ingrid, 400).await;
    let seen = bakery.visit(bakery.ingrid, 400).await;
    assert_eq!(seen.last_active_at, Some(at(400)), "a later request makes the note");
}

#[apply(on_both!)]
async fn what_was_acknowledged_is_there_after_the_process_was_killed(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mut acknowledged = Vec::new();
    for kill in 1..=4_usize {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "faults::accounts_are_made_one_after_the_other", "--nocapture"])
            .env("WRITE_TO", &db.url)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let made = lines.filter_map(|line| {
            line.split("acknowledged ").nth(1).and_then(|number| number.parse::<i64>().ok())
        });
        acknowledged.extend(made.take(5 * kill));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(acknowledged.len(), 50);
    let there = db.store.accounts(None, 10_000, at(0)).await.unwrap();
    for number in acknowledged {
        assert!(there.iter().any(|account| account.number.get() == number), "{number}");
    }
    assert_eq!(rename(&db.store, bakery.ingrid).await, Ok(()));
}

/// By itself three of them; as the process that is to be killed, until it is.
#[tokio::test]
async fn accounts_are_made_one_after_the_other() {
    let own = test_database::sqlite().await;
    let (url, times) = match std::env::var("WRITE_TO") {
        Ok(url) => (url, usize::MAX),
        Err(_) => (own.url.clone(), 3),
    };
    let store = Store::open(&url).await.unwrap();
    for _ in 0..times {
        let (_, number) = account(&store, "Bakery").await;
        writeln!(std::io::stdout(), "acknowledged {}", number.get()).unwrap();
    }
    assert!(store.accounts(None, 10, at(0)).await.unwrap().len() >= 3);
}

#[tokio::test]
async fn a_sqlite_file_that_is_deleted_or_replaced_is_written_no_more() {
    let db = test_database::sqlite().await;
    let bakery = Bakery::new(&db.store).await;
    for file in db.files() {
        let away = file.with_extension("away");
        std::fs::rename(&file, &away).unwrap();
        assert_eq!(rename(&db.store, bakery.ingrid).await, Err(Failure::Unavailable));
        assert_eq!(db.store.is_ready().await, Err(Unready::Moved));
        let read = db.store.glance(bakery.id, 9, true).await.map(drop);
        assert_eq!(read, Err(Failure::Unavailable), "what others changed wouldn't be seen");
        std::fs::copy(&away, &file).unwrap();
        assert_eq!(rename(&db.store, bakery.ingrid).await, Err(Failure::Unavailable), "a copy");
        assert_eq!(db.store.is_ready().await, Err(Unready::Moved));
        std::fs::rename(&away, &file).unwrap();
        assert_eq!(rename(&db.store, bakery.ingrid).await, Ok(()), "it is back");
        assert_eq!(db.store.is_ready().await, Ok(()));
    }
}

#[tokio::test]
async fn a_file_that_is_missing_beside_its_company_is_not_made_anew() {
    for end in ["-wal", "-shm", "-journal"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latchkey.db");
        let company = folder.path().join(format!("latchkey.db{end}"));
        std::fs::write(&company, "what was written last").unwrap();
        let opened = Store::open(&format!("sqlite:{}", path.display())).await;
        assert!(matches!(opened, Err(OpenError::Orphaned { .. })), "{opened:?}");
        assert!(!path.exists() && company.exists());
        if end != "-journal" {
            std::fs::write(&path, "").unwrap();
            let emptied = Store::open(&format!("sqlite:{}", path.display())).await;
            assert!(matches!(emptied, Err(OpenError::Orphaned { .. })), "{emptied:?}");
            std::fs::remove_file(&path).unwrap();
        }
        std::fs::remove_file(&company).unwrap();
        Store::open(&format!("sqlite:{}", path.display())).await.unwrap();
    }
}

#[tokio::test]
async fn a_sqlite_file_under_a_link_is_known_again() {
    let db = test_database::sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link.db");
    let [file, ..] = db.files();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let store = Store::open(&format!("sqlite:{}", link.display())).await.unwrap();
    assert_eq!(store.is_ready().await, Ok(()));
    std::fs::remove_file(&link).unwrap();
    assert_eq!(store.is_ready().await, Err(Unready::Moved));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_sqlite_file_where_none_can_be_made_is_told_with_what_to_do() {
    let opened = Store::open("sqlite:/proc/self/latchkey.db").await;
    let error = opened.expect_err("no file can be made there");
    assert!(matches!(error, OpenError::Unwritable { .. }), "{error:?}");
    assert!(error.to_string().contains("must be whoever's runs Latchkey"), "{error}");
}

#[tokio::test]
async fn a_sqlite_that_another_process_writes_for_long_is_not_ready() {
    let db = test_database::sqlite().await;
    let other = db.being_written().await;
    assert_eq!(db.store.is_ready().await, Err(Unready::Unwritable));
    drop(other);
    assert_eq!(db.store.is_ready().await, Ok(()));
}

#[tokio::test]
async fn the_link_of_a_mail_that_was_sent_is_in_no_file() {
    let db = test_database::sqlite().await;
    let bakery = Bakery::new(&db.store).await;
    while let Some(mail) = db.store.take_mail(HOUR, at(0)).await.unwrap() {
        db.store.mail_sent(mail.id, "250 OK", at(0)).await.unwrap();
    }
    let is_somewhere = |token: &str| {
        db.files().iter().any(|file| {
            let bytes = std::fs::read(file).unwrap();
            bytes.windows(token.len()).any(|window| window == token.as_bytes())
        })
    };
    let tokens: Vec<String> =
        (0..60).map(|number| format!("link-{number:03}-{}", "k".repeat(30))).collect();
    for link in &tokens {
        let reset = Mail::PasswordReset { expires_at: at(60), token: secret(link) };
        let mail = store::NewMail::to(email("kari@example.com"), reset);
        let change =
            store::MembershipChange { mail: Some(mail), ..change(Some(model::Access::Owner)) };
        let (id, ingrid) = (bakery.id, bakery.ingrid);
        db.store.change_membership(id, ingrid, ingrid, at(0), |_| Ok(Some(change))).await.unwrap();
    }
    db.store.tidy().await.unwrap();
    assert!(tokens.iter().all(|token| is_somewhere(token)), "they wait to be sent");
    while let Some(mail) = db.store.take_mail(HOUR, at(1)).await.unwrap() {
        db.store.mail_sent(mail.id, "250 OK", at(1)).await.unwrap();
    }
    db.store.tidy().await.unwrap();
    let left: Vec<_> = tokens.iter().filter(|token| is_somewhere(token)).collect();
    assert_eq!(left, Vec::<&String>::new());
}

#[tokio::test]
async fn the_write_ahead_log_is_emptied_as_soon_as_nobody_reads_for_long() {
    let db = test_database::sqlite().await;
    let bakery = Bakery::new(&db.store).await;
    let [_, log, _] = db.files();
    let length = || std::fs::metadata(&log).unwrap().len();
    let mut reader = SqliteConnection::connect(&db.url).await.unwrap();
    reader.execute("BEGIN; SELECT count(*) FROM users").await.unwrap();
    for _ in 0..6 {
        assert_eq!(rename(&db.store, bakery.ingrid).await, Ok(()));
        db.store.tidy().await.unwrap();
    }
    assert!(length() > 0, "somebody reads what is in it");
    reader.execute("COMMIT").await.unwrap();
    db.store.tidy().await.unwrap();
    assert_eq!(length(), 0);
    assert_eq!(rename(&db.store, bakery.ingrid).await, Ok(()));
}

/// A store that reaches its Postgres over a line, all of its connections in use before.
async fn over_a_line() -> (TestDatabase, Line, Store, UserId) {
    let db = test_database::postgres().await;
    let line = Line::to(&db.url).await;
    let store = Store::open(&line.url).await.unwrap();
    let users = at_once(12, |number| {
        let store = store.clone();
        async move { user(&store, "Ingrid", &format!("ingrid-{number}@example.com")).await }
    });
    let ingrid = users.await[0];
    (db, line, store, ingrid)
}

async fn rename_many(store: &Store, user: UserId) -> Vec<Result<(), Failure>> {
    let many = at_once(20, |_| {
        let store = store.clone();
        async move { rename(&store, user).await }
    });
    many.await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_falls_silent_is_unavailable_and_comes_back() {
    let (_db, line, store, ingrid) = over_a_line().await;
    line.fall_silent();
    assert_eq!(rename_many(&store, ingrid).await, vec![Err(Failure::Unavailable); 20]);
    assert_eq!(store.is_ready().await, Err(Unready::Silent));
    line.speak();
    assert_eq!(rename_many(&store, ingrid).await, vec![Ok(()); 20]);
    assert_eq!(store.is_ready().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_are_replaced() {
    let (_db, line, store, ingrid) = over_a_line().await;
    for _ in 0..3 {
        line.cut().await;
        assert_eq!(rename_many(&store, ingrid).await, vec![Ok(()); 20]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_falls_silent_in_the_middle_loses_no_connection_for_good() {
    let (db, line, store, ingrid) = over_a_line().await;
    let other = db.being_written().await;
    let waiting: Vec<_> = (0..12)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { rename(&store, ingrid).await })
        })
        .collect();
    // One of them waits for the lock now.
    while waiting_for_locks(&db).await == 0 {
        tokio::task::yield_now().await;
    }
    line.fall_silent();
    for one in waiting {
        assert_eq!(one.await.unwrap(), Err(Failure::Unavailable));
    }
    drop(other);
    line.speak();
    assert_eq!(rename_many(&store, ingrid).await, vec![Ok(()); 20]);
}

async fn waiting_for_locks(db: &TestDatabase) -> i64 {
    let mut connection = PgConnection::connect(&db.url).await.unwrap();
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_postgres_that_takes_no_writing_is_not_ready() {
    let db = test_database::postgres().await;
    let bakery = Bakery::new(&db.store).await;
    let mut operator = PgConnection::connect(&db.url).await.unwrap();
    let name = db.url.split("/latchkey_").nth(1).unwrap().split('?').next().unwrap();
    let database = format!("ALTER DATABASE latchkey_{name}");
    let only_read = format!("{database} SET default_transaction_read_only = on");
    operator.execute(AssertSqlSafe(only_read)).await.unwrap();
    let store = Store::open(&db.url).await.unwrap();
    assert!(store.login_of(bakery.ingrid).await.unwrap().is_some());
    assert_eq!(store.is_ready().await, Err(Unready::ReadOnly));
    assert_eq!(rename(&store, bakery.ingrid).await, Err(Failure::Unavailable));
    let again = format!("{database} RESET default_transaction_read_only");
    operator.execute(AssertSqlSafe(again)).await.unwrap();
    assert_eq!(store.is_ready().await, Ok(()), "connections from before are replaced at once");
    assert_eq!(rename(&store, bakery.ingrid).await, Ok(()));
}

#[tokio::test]
async fn a_postgres_database_in_another_encoding_is_told_with_what_to_do() {
    let db = test_database::postgres().await;
    let other = format!("latchkey_latin_{}", uuid::Uuid::new_v4().simple());
    db.run(&format!(
        "CREATE DATABASE {other} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    ))
    .await;
    let start = db.url.find("/latchkey_").unwrap();
    let options = db.url.find('?').map_or("", |at| &db.url[at..]);
    let opened = Store::open(&format!("{}/{other}{options}", &db.url[..start])).await;
    let error = opened.expect_err("no UTF-8");
    assert!(error.to_string().contains("LATIN1 and must be UTF8"), "{error}");
    drop(error);
    db.run(&format!("DROP DATABASE {other} WITH (FORCE)")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lock_of_one_account_delays_no_other() {
    let db = test_database::postgres().await;
    let bakery = Bakery::new(&db.store).await;
    let (agency, _) = account(&db.store, "Agency").await;
    let mei = user(&db.store, "Mei", "mei@example.com").await;
    db.store.add_member(agency, mei, model::Access::Owner, at(0)).await.unwrap();
    let mut others = Vec::new();
    for number in 0..20 {
        let address = format!("{number}@example.com");
        others.push(bakery.with("Kari", &address, model::Access::Owner).await);
    }
    let mut other = PgConnection::connect(&db.url).await.unwrap();
    other.execute("BEGIN; SELECT FROM accounts WHERE name = 'Bakery' FOR UPDATE").await.unwrap();
    // Owners who change the account, and people in it who change what stands in every account.
    let mut waiting = tokio::task::JoinSet::new();
    for kari in others {
        let store = db.store.clone();
        let account = bakery.id;
        waiting.spawn(async move { change_details(&store, account, kari).await });
        let store = db.store.clone();
        waiting.spawn(async move { rename(&store, kari).await });
    }
    while waiting_for_locks(&db).await == 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        tokio::select! {
            biased;
            changed = change_details(&db.store, agency, mei) => assert_eq!(changed, Ok(())),
            Some(first) = waiting.join_next() => panic!("delayed until {first:?}"),
        }
    }
    while let Some(one) = waiting.join_next().await {
        assert_eq!(one.unwrap(), Err(Failure::Unavailable));
    }
}
