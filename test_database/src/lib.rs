//! Throw-away databases for tests: every test has its own, migrated and empty, and a failing test
//! names the kind of database it failed on.
//!
//! Postgres comes from the server named by `TEST_POSTGRES_URL` or else from a cluster of the test
//! process's own, which ends with the process however that ends.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "this crate serves tests: what it can't get ready fails the test, with the reason"
)]

mod cluster;
mod line;

use std::path::PathBuf;
use std::pin::Pin;

pub use line::Line;
pub use macro_rules_attribute::apply;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use store::Store;
use tempfile::TempDir;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// A migrated, empty database of a test's own. It is deleted with this value.
pub struct TestDatabase {
    /// The store that it is opened as.
    pub store: Store,
    /// Its URL, for opening it once more.
    pub url: String,
    _place: Place,
}

/// Another process in the middle of writing: what it locked stays so as long as this value.
pub struct BeingWritten {
    _connection: Box<dyn std::any::Any + Send>,
}

impl TestDatabase {
    /// Locks the database as another process would that writes and doesn't come to an end: SQLite
    /// as a whole, on Postgres every account and every user.
    pub async fn being_written(&self) -> BeingWritten {
        let connection: Box<dyn std::any::Any + Send> = if self.url.starts_with("sqlite:") {
            let connection = SqliteConnection::connect(&self.url).await;
            let mut connection = connection.expect("connecting to the test's SQLite");
            connection.execute("BEGIN IMMEDIATE").await.expect("locking the test's SQLite");
            Box::new(connection)
        } else {
            let connection = PgConnection::connect(&self.url).await;
            let mut connection = connection.expect("connecting to the test's Postgres");
            for statement in
                ["BEGIN", "SELECT FROM accounts FOR UPDATE", "SELECT FROM users FOR UPDATE"]
            {
                connection.execute(statement).await.expect("locking the test's Postgres");
            }
            Box::new(connection)
        };
        BeingWritten { _connection: connection }
    }
}

impl TestDatabase {
    /// Has writing to a table fail from now on, as on a disk that is full or broken: SQLite takes
    /// the whole transaction back by itself, and Postgres does nothing more in it.
    pub async fn break_writing_to(&self, table: &str) {
        self.run(&if self.url.starts_with("sqlite:") {
            format!(
                "CREATE TRIGGER fault_insert BEFORE INSERT ON {table} \
                     BEGIN SELECT RAISE(ROLLBACK, 'the disk is broken'); END; \
                 CREATE TRIGGER fault_update BEFORE UPDATE ON {table} \
                     BEGIN SELECT RAISE(ROLLBACK, 'the disk is broken'); END"
            )
        } else {
            format!(
                "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS \
                     $$ BEGIN RAISE EXCEPTION 'the disk is broken' USING ERRCODE = '58030'; END $$; \
                 CREATE TRIGGER fault BEFORE INSERT OR UPDATE ON {table} \
                     EXECUTE FUNCTION fault()"
            )
        })
        .await;
    }

    /// Ends what [`TestDatabase::break_writing_to`] began.
    pub async fn mend_writing(&self) {
        self.run(if self.url.starts_with("sqlite:") {
            "DROP TRIGGER fault_insert; DROP TRIGGER fault_update"
        } else {
            "DROP FUNCTION fault CASCADE"
        })
        .await;
    }

    /// Runs statements as another process would.
    pub async fn run(&self, statements: &str) {
        let statements = AssertSqlSafe(statements.to_owned());
        if self.url.starts_with("sqlite:") {
            let connection = SqliteConnection::connect(&self.url).await;
            let mut connection = connection.expect("connecting to the test's SQLite");
            connection.execute(statements).await.expect("running statements on SQLite");
        } else {
            let connection = PgConnection::connect(&self.url).await;
            let mut connection = connection.expect("connecting to the test's Postgres");
            connection.execute(statements).await.expect("running statements on Postgres");
        }
    }

    /// The files of a test's SQLite: the database, and what lies beside it.
    pub fn files(&self) -> [PathBuf; 3] {
        let path = self.url.strip_prefix("sqlite:").expect("a SQLite file");
        ["", "-wal", "-shm"].map(|end| format!("{path}{end}").into())
    }
}

/// What is deleted with a test's database.
enum Place {
    Folder { _folder: TempDir },
    Server { _database: PostgresDatabase },
}

/// Which kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A SQLite file in a folder of its own.
    Sqlite,
    /// A database on the test process's Postgres.
    Postgres,
}

/// What fills a database.
pub type Filling = fn(Store) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// A database of this kind with nothing in it.
pub async fn empty(kind: Kind) -> TestDatabase {
    match kind {
        Kind::Sqlite => sqlite().await,
        Kind::Postgres => postgres().await,
    }
}

/// A SQLite file in a folder of its own.
pub async fn sqlite() -> TestDatabase {
    sqlite_file(&[]).await
}

/// A database on the test process's Postgres.
pub async fn postgres() -> TestDatabase {
    let server = server().await;
    postgres_database(server, server.template.as_deref()).await
}

/// A database of this kind with what this fills it with. A process fills one of each kind, in one way,
/// and copies it: that takes a hundredth of the time.
pub async fn filled(kind: Kind, fill: Filling) -> TestDatabase {
    /// The file, and the one that knows its stamp.
    static SQLITE: OnceCell<[(&str, Vec<u8>); 2]> = OnceCell::const_new();
    /// Its name on the server.
    static POSTGRES: OnceCell<String> = OnceCell::const_new();
    match kind {
        Kind::Sqlite => {
            let files = SQLITE.get_or_init(|| async {
                let TestDatabase { store, url, _place } = sqlite().await;
                fill(store.clone()).await;
                store.close().await;
                let path = url.strip_prefix("sqlite:").expect("a SQLite file");
                ["", "-stamp"].map(|end| {
                    (end, std::fs::read(format!("{path}{end}")).expect("reading the filled file"))
                })
            });
            sqlite_file(files.await).await
        }
        Kind::Postgres if server().await.template.is_some() => {
            let name = POSTGRES.get_or_init(|| async {
                let TestDatabase { store, _place, .. } = postgres().await;
                fill(store.clone()).await;
                store.close().await;
                let Place::Server { _database: database } = _place else { unreachable!() };
                let name = database.name.clone();
                std::mem::forget(database);
                name
            });
            postgres_database(server().await, Some(name.await)).await
        }
        // A server that outlives the process has no template: nothing would delete it.
        Kind::Postgres => {
            let database = postgres().await;
            fill(database.store.clone()).await;
            database
        }
    }
}

async fn sqlite_file(files: &[(&str, Vec<u8>)]) -> TestDatabase {
    let folder = TempDir::with_prefix("latchkey-sqlite-").expect("making a temporary folder");
    let path = folder.path().join("latchkey.db").display().to_string();
    for (end, bytes) in files {
        std::fs::write(format!("{path}{end}"), bytes).expect("writing a filled file");
    }
    let url = format!("sqlite:{path}");
    TestDatabase { store: migrated(&url).await, url, _place: Place::Folder { _folder: folder } }
}

async fn postgres_database(server: &Server, template: Option<&str>) -> TestDatabase {
    let database = PostgresDatabase::create(server, template).await;
    let url = database.url.clone();
    TestDatabase { store: migrated(&url).await, url, _place: Place::Server { _database: database } }
}

/// The URL of an empty database, not migrated, on the process's Postgres; it stays as long as the
/// process.
pub async fn empty_postgres_url() -> String {
    let database = PostgresDatabase::create(server().await, None).await;
    let url = database.url.clone();
    std::mem::forget(database);
    url
}

/// Makes one test for each kind of database out of a function:
///
/// ```text
/// #[apply(on_both!)]
/// async fn a_new_account_has_no_users(db: TestDatabase) { … }
/// ```
///
/// gives `a_new_account_has_no_users::on_sqlite` and `a_new_account_has_no_users::on_postgres`. Where
/// the databases aren't to be empty, `of demo;` stands first, and names what makes one of a [`Kind`].
#[macro_export]
macro_rules! on_both {
    (of $made:path; $(#[$meta:meta])* async fn $name:ident $($story:tt)*) => {
        $(#[$meta])*
        #[cfg(test)]
        mod $name {
            use super::*;

            async fn story $($story)*

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                story($made($crate::Kind::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                story($made($crate::Kind::Postgres).await).await;
            }
        }
    };
    ($($test:tt)*) => { $crate::on_both! { of $crate::empty; $($test)* } };
}

/// Makes one test on SQLite out of a function that [`on_both!`] makes two of, where what it tells doesn't
/// hang on the database.
#[macro_export]
macro_rules! on_sqlite {
    (of $made:path; $(#[$meta:meta])* async fn $name:ident $($story:tt)*) => {
        $(#[$meta])*
        #[cfg(test)]
        mod $name {
            use super::*;

            async fn story $($story)*

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                story($made($crate::Kind::Sqlite).await).await;
            }
        }
    };
}

async fn migrated(url: &str) -> Store {
    let store = Store::open(url).await.expect("opening the test's database");
    store.migrate().await.expect("migrating the test's database");
    store
}

/// The Postgres that this process's tests share.
struct Server {
    /// Its URL up to the database's name, and what follows the name.
    url: (String, String),
    /// A migrated database to copy: faster than migrating each. A server that outlives the process
    /// has none, as nothing would delete it.
    template: Option<String>,
}

async fn server() -> &'static Server {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    SERVER
        .get_or_init(|| async {
            if let Ok(url) = std::env::var("TEST_POSTGRES_URL") {
                let (url, options) = url.split_once('?').unwrap_or((&url, ""));
                let scheme = url.find("://").map_or(0, |at| at + 3);
                let base = match url[scheme..].find('/') {
                    Some(at) => &url[..scheme + at],
                    None => url,
                };
                let url = (base.to_owned(), format!("?{options}"));
                return Server { url, template: None };
            }
            let folder = cluster::start();
            let url = ("postgres://postgres@localhost".to_owned(), format!("?host={folder}"));
            let server = Server { url, template: None };
            let template = PostgresDatabase::create(&server, None).await;
            migrated(&template.url).await.close().await;
            let name = template.name.clone();
            std::mem::forget(template);
            Server { template: Some(name), ..server }
        })
        .await
}

impl Server {
    fn url(&self, database: &str) -> String {
        format!("{}/{database}{}", self.url.0, self.url.1)
    }
}

/// A database that is dropped with this value.
struct PostgresDatabase {
    name: String,
    url: String,
    /// Of the database that is always there, for dropping this one.
    maintenance_url: String,
}

impl PostgresDatabase {
    async fn create(server: &Server, template: Option<&str>) -> Self {
        let name = format!("latchkey_{}", Uuid::new_v4().simple());
        let template = template.unwrap_or("template1");
        let maintenance_url = server.url("postgres");
        run(&maintenance_url, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self { url: server.url(&name), name, maintenance_url }
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let url = self.maintenance_url.clone();
        // Connections of a failed test may be left.
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        // A thread of its own, as the test's runtime can't be waited for from inside of it.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime for dropping a database").block_on(run(&url, statement));
        });
        // A database that stays is no reason to fail, least of all while a test panics.
        let _ = dropping.join();
    }
}

async fn run(url: &str, statement: String) {
    let mut connection = PgConnection::connect(url)
        .await
        .unwrap_or_else(|error| panic!("connecting to the test's Postgres: {error}"));
    connection
        .execute(AssertSqlSafe(statement))
        .await
        .unwrap_or_else(|error| panic!("making or dropping a test's database: {error}"));
}
