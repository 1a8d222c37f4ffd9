//! What pages cost of much over little, on both databases.

use std::time::Duration;

use model::{AccountId, UserId};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use uuid::Uuid;

use super::{Filled, Stage, add_user, login, median, ratio, sign_in};

/// How many rows the log of an account has, and in how many accounts somebody is: little, and much.
const LOGGED: [u32; 2] = [100, 1_000_000];
const ACCOUNTS: [u32; 2] = [100, 1_000];

/// A page with little on it and with much, asked for by whoever has these cookies.
struct Page {
    what: &'static str,
    most: f64,
    asked: [(String, String); 2],
}

/// What each took on a database.
type Took = [Duration; 2];

/// Prints the figures of an account with 100 users and one with 10,000, on SQLite and on Postgres.
pub(crate) async fn tell(stages: [&Stage; 2]) {
    let mut table: Vec<(Page, Vec<Took>)> = Vec::new();
    for stage in stages {
        for (place, page) in pages(stage).await.into_iter().enumerate() {
            let [(little, its), (much, whose)] = &page.asked;
            let little = median(&stage.app, little, its).await;
            let took = [little, median(&stage.app, much, whose).await];
            match table.get_mut(place) {
                Some((_, all)) => all.push(took),
                None => table.push((page, vec![took])),
            }
        }
    }
    println!("{:41}{:>10}{:>12}", "pages of much over little", "SQLite", "Postgres");
    for (Page { what, most, .. }, took) in table {
        let ratios: String =
            took.iter().map(|[little, much]| format!("{:>9.2} ×", ratio(*much, *little))).collect();
        println!("{what:40}{ratios}  (at most {most})");
        println!("    {took:?}");
    }
}

async fn pages(stage: &Stage) -> Vec<Page> {
    let accounts = [&stage.small, &stage.large];
    for (account, rows) in accounts.into_iter().zip(LOGGED) {
        log(&stage.url, account.account, rows).await;
    }
    let mut people = Vec::new();
    for count in ACCOUNTS {
        let email = format!("in-{count}@accounts.example");
        let hash = login(&stage.latchkey, domain::demo::INGRID.email).await.password_hash;
        let person = add_user(&stage.latchkey, &email, "Somebody", &hash).await;
        bring_in(&stage.url, person, count).await;
        people.push(sign_in(&stage.latchkey, &email).await);
    }
    settle(&stage.url).await;

    let of_both = |path: &str| {
        accounts.map(|Filled { number, .. }| {
            (format!("/accounts/{number}{path}"), stage.cookie.clone())
        })
    };
    let of_people = |paths: [String; 2]| {
        let [little, much] = paths;
        [(little, people[0].clone()), (much, people[1].clone())]
    };
    // Eleven are found in either.
    let as_many = ["person+7", "person+777"];
    let as_many = [0, 1].map(|place| {
        let number = &accounts[place].number;
        (format!("/accounts/{number}/users?search={}", as_many[place]), stage.cookie.clone())
    });
    let page = |what, most, asked| Page { what, most, asked };
    vec![
        page("users, 10,000 over 100", 1.05, of_both("/users")),
        page("a search of them", 1.3, as_many),
        page("a search by two common words", 1.3, of_both("/users?search=north+south")),
        page("the log, 1,000,000 rows over 100", 1.3, of_both("/log")),
        page("accounts, 1,000 over 100", 1.3, of_people(["/accounts".into(), "/accounts".into()])),
        page(
            "a page in one of them",
            1.3,
            of_people(ACCOUNTS.map(|count| format!("/accounts/{}", first_number(count)))),
        ),
    ]
}

/// Rows of an account's log, older than all others and behind them in its chain.
async fn log(url: &str, account: AccountId, rows: u32) {
    let (id, account) = match is_sqlite(url) {
        true => ("unhex(printf('%032x', n))", format!("x'{}'", Uuid::from(account).simple())),
        false => (
            "CAST(lpad(to_hex(n), 32, '0') AS UUID)",
            format!("CAST('{}' AS UUID)", Uuid::from(account)),
        ),
    };
    let hash = if is_sqlite(url) { "zeroblob(32)" } else { "CAST('' AS BYTEA)" };
    let first = if rows == LOGGED[0] { 1 } else { LOGGED[0] + 1 };
    let numbers = numbers(first, first + rows - 1);
    run(
        url,
        &format!(
            "{numbers} INSERT INTO activity (id, account_id, at, kind, actor_name, subject_name, \
                 address, person_key, sequence, hash) \
             SELECT {id}, {account}, n, 'invitation.sent', 'Person ' || n % 100, 'guest@new.example', '', \
                 'person ' || n % 100 || ' guest@new.example', 10000000 + n, {hash} FROM numbers"
        ),
    )
    .await;
}

/// Makes somebody the owner of so many accounts.
async fn bring_in(url: &str, person: UserId, count: u32) {
    let (id, person) = match is_sqlite(url) {
        true => ("unhex(printf('ac%030x', n))", format!("x'{}'", Uuid::from(person).simple())),
        false => (
            "CAST('ac' || lpad(to_hex(n), 30, '0') AS UUID)",
            format!("CAST('{}' AS UUID)", Uuid::from(person)),
        ),
    };
    let yes = if is_sqlite(url) { "1" } else { "TRUE" };
    let first = first_number(count);
    let numbers = numbers(first, first + count - 1);
    for rows in [
        format!(
            "INSERT INTO accounts (id, number, name, street, postal_code, town, country, created_at) \
             SELECT {id}, n, 'Account ' || n, '', '', '', '', 0 FROM numbers"
        ),
        format!(
            "INSERT INTO memberships (account_id, user_id, owner, since, name_key) \
             SELECT {id}, {person}, {yes}, 0, 'somebody' FROM numbers"
        ),
    ] {
        run(url, &format!("{numbers} {rows}")).await;
    }
}

/// The number of the first of so many accounts.
fn first_number(count: u32) -> u32 {
    500_000 + count * 10
}

fn numbers(first: u32, last: u32) -> String {
    format!(
        "WITH RECURSIVE numbers (n) AS \
             (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})"
    )
}

pub(crate) fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

/// Has a database that was filled know what is in it, and end what it does about that.
pub(crate) async fn settle(url: &str) {
    run(url, if is_sqlite(url) { "ANALYZE" } else { "VACUUM ANALYZE" }).await;
}

/// Runs a statement beside the store.
pub(crate) async fn run(url: &str, statement: &str) {
    let statement = AssertSqlSafe(statement.to_owned());
    if is_sqlite(url) {
        let connection = SqliteConnection::connect(url).await;
        connection.expect("a connection").execute(statement).await.expect("a statement");
    } else {
        let connection = PgConnection::connect(url).await;
        connection.expect("a connection").execute(statement).await.expect("a statement");
    }
}
