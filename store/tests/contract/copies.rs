use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use model::InvitationState;
use sqlx::{Connection, SqliteConnection, query};
use store::{CopyError, OpenError, Settled, Store, restore};
use test_database::{TestDatabase, apply, on_both};

use crate::story::{Bakery, DAY, HOUR, at, email, new_session, token, user};

/// A SQLite database in a folder of its own, and what lies beside it.
struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.file("latchkey.db").display())
    }

    async fn open(&self) -> Result<Store, OpenError> {
        Store::open(&self.url()).await
    }

    /// As a server begins.
    async fn serve(&self) -> Store {
        let store = self.open().await.unwrap();
        store.migrate().await.unwrap();
        store.renew_stamp().await.unwrap();
        store
    }

    /// What would be left if the server died this very moment.
    fn as_if_it_died(&self) -> Self {
        let left = Self::new();
        for name in ["latchkey.db", "latchkey.db-wal", "latchkey.db-stamp"] {
            std::fs::copy(self.file(name), left.file(name)).unwrap();
        }
        assert!(std::fs::metadata(left.file("latchkey.db-wal")).unwrap().len() > 32);
        left
    }

    fn put(&self, copy: &Path) {
        std::fs::copy(copy, self.file("latchkey.db")).unwrap();
    }

    async fn restore(&self, copy: &Path) -> Result<store::Restored, CopyError> {
        let (database, aside) = (self.file("latchkey.db"), self.file("aside.db"));
        restore(&database, copy, &aside, false, at(100)).await
    }
}

async fn has_login(store: &Store, address: &str) -> bool {
    store.login(&email(address)).await.unwrap().is_some()
}

fn is_a_mixture(opened: Result<Store, OpenError>) -> bool {
    matches!(opened, Err(OpenError::Mixture { .. }))
}

#[tokio::test]
async fn a_copy_is_made_beside_a_server_for_its_owner_alone_and_overwrites_nothing() {
    let here = Folder::new();
    let store = here.serve().await;
    user(&store, "Kari", "kari@example.com").await;
    let copy = here.file("copy.db");
    store.back_up(&copy, false, at(10)).await.unwrap();
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);

    user(&store, "Ola", "ola@example.com").await;
    let again = store.back_up(&copy, false, at(20)).await;
    assert!(matches!(again, Err(CopyError::Taken(_))), "{again:?}");
    store.back_up(&copy, true, at(20)).await.unwrap();
    for name in ["latchkey.db", "latchkey.db-wal", "latchkey.db-stamp", "./latchkey.db"] {
        let itself = store.back_up(&here.file(name), true, at(20)).await;
        assert!(matches!(itself, Err(CopyError::Itself(_))), "{name}: {itself:?}");
    }
    let nowhere = store.back_up(&here.file("missing/copy.db"), false, at(20)).await;
    assert!(matches!(nowhere, Err(CopyError::File { .. })), "{nowhere:?}");
    let names = std::fs::read_dir(here.folder.path()).unwrap();
    let left = names
        .filter(|name| name.as_ref().unwrap().file_name().to_string_lossy().contains("partial"));
    assert_eq!(left.count(), 0);

    let there = Folder::new();
    there.restore(&copy).await.unwrap();
    assert!(has_login(&there.open().await.unwrap(), "ola@example.com").await);
}

#[tokio::test]
async fn a_restored_copy_is_as_it_was_and_what_was_there_is_kept() {
    let here = Folder::new();
    let store = here.serve().await;
    user(&store, "Kari", "kari@example.com").await;
    let copy = here.file("copy.db");
    store.back_up(&copy, false, at(10)).await.unwrap();
    user(&store, "Ola", "ola@example.com").await;
    let open = here.restore(&copy).await;
    assert!(matches!(open, Err(CopyError::InUse(_))), "{open:?}");

    let here = here.as_if_it_died();
    let restored = here.restore(&copy).await.unwrap();
    assert_eq!(restored.copied_at, Some(at(10)));
    let aside = restored.aside.unwrap();
    let store = here.open().await.unwrap();
    assert!(!has_login(&store, "ola@example.com").await);
    assert!(has_login(&store, "kari@example.com").await);
    assert!(store.is_current().await.unwrap() && !store.is_a_copy().await.unwrap());
    let before = Store::open(&format!("sqlite:{}", aside.display())).await.unwrap();
    assert!(has_login(&before, "ola@example.com").await, "with what stood in its log alone");

    // What it holds from now on survives a server's death.
    store.renew_stamp().await.unwrap();
    user(&store, "Mei", "mei@example.com").await;
    assert!(has_login(&here.as_if_it_died().open().await.unwrap(), "mei@example.com").await);
}

#[tokio::test]
async fn what_is_no_whole_copy_of_ours_is_not_put_in_place() {
    let here = Folder::new();
    let store = here.serve().await;
    user(&store, "Kari", "kari@example.com").await;
    let copy = here.file("copy.db");
    store.back_up(&copy, false, at(10)).await.unwrap();
    store.close().await;
    drop(store);

    let text = here.file("notes.txt");
    std::fs::write(&text, "no database").unwrap();
    let empty = here.file("empty.db");
    std::fs::write(&empty, "").unwrap();
    let half = here.file("half.db");
    let whole = std::fs::read(&copy).unwrap();
    std::fs::write(&half, &whole[..whole.len() / 2]).unwrap();
    for broken in [text, empty, half] {
        let restored = here.restore(&broken).await;
        assert!(matches!(restored, Err(CopyError::Broken(_))), "{broken:?}: {restored:?}");
    }
    let other = here.file("other.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new();
    let options = options.filename(&other).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    query("CREATE TABLE memberships (id INTEGER)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let foreign = here.restore(&other).await;
    assert!(matches!(foreign, Err(CopyError::Foreign(_))), "{foreign:?}");
    let newer = here.file("newer.db");
    std::fs::copy(&copy, &newer).unwrap();
    let url = format!("sqlite:{}", newer.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    query("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 14")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let of_a_newer_version = here.restore(&newer).await;
    assert!(matches!(of_a_newer_version, Err(CopyError::Open(OpenError::Migration(_)))));
    let missing = here.restore(&here.file("missing.db")).await;
    assert!(matches!(missing, Err(CopyError::File { .. })), "{missing:?}");
    let itself = here.restore(&here.file("latchkey.db")).await;
    assert!(matches!(itself, Err(CopyError::Itself(_))), "{itself:?}");
    assert!(has_login(&here.open().await.unwrap(), "kari@example.com").await, "still there");
    assert!(!here.file("latchkey.db.restoring").exists());
}

#[tokio::test]
async fn a_database_whose_server_died_opens_with_all_that_was_written() {
    let here = Folder::new();
    let store = here.serve().await;
    user(&store, "Kari", "kari@example.com").await;
    let died = here.as_if_it_died();
    let opened = died.open().await.unwrap();
    assert!(has_login(&opened, "kari@example.com").await && !opened.is_a_copy().await.unwrap());

    // Also when the death came before any stamp was known, or between two of them.
    let early = Folder::new();
    let store = early.open().await.unwrap();
    store.migrate().await.unwrap();
    early.as_if_it_died().open().await.unwrap();
    store.renew_stamp().await.unwrap();
    user(&store, "Kari", "kari@example.com").await;
    let stamps = std::fs::read_to_string(early.file("latchkey.db-stamp")).unwrap();
    let died = early.as_if_it_died();
    let next = format!("{stamps}{} {}\n", uuid::Uuid::new_v4(), 1);
    std::fs::write(died.file("latchkey.db-stamp"), next).unwrap();
    assert!(has_login(&died.open().await.unwrap(), "kari@example.com").await);
}

#[tokio::test]
async fn a_copy_beside_another_states_log_is_refused() {
    let here = Folder::new();
    let store = here.serve().await;
    user(&store, "Kari", "kari@example.com").await;
    let (ours, theirs) = (here.file("ours.db"), here.file("theirs.db"));
    store.back_up(&ours, false, at(10)).await.unwrap();
    let mut other = SqliteConnection::connect(&here.url()).await.unwrap();
    query("VACUUM INTO $1").bind(theirs.to_str().unwrap()).execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    // The file itself, as it stood after everything had been written into it.
    store.renew_stamp().await.unwrap();
    let file = here.file("file.db");
    std::fs::copy(here.file("latchkey.db"), &file).unwrap();
    user(&store, "Ola", "ola@example.com").await;
    store.renew_stamp().await.unwrap();
    user(&store, "Mei", "mei@example.com").await;

    for copy in [&ours, &theirs, &file] {
        let died = here.as_if_it_died();
        died.put(copy);
        assert!(is_a_mixture(died.open().await), "{copy:?}");
        let untouched = std::fs::read(copy).unwrap();
        assert_eq!(std::fs::read(died.file("latchkey.db")).unwrap(), untouched, "{copy:?}");
        // Moved away together, they don't become one either.
        let there = Folder::new();
        let moved = there.restore(&died.file("latchkey.db")).await;
        if copy == &ours {
            moved.unwrap();
            assert!(!has_login(&there.open().await.unwrap(), "mei@example.com").await);
        } else {
            assert!(matches!(moved, Err(CopyError::Open(OpenError::Mixture { .. }))), "{moved:?}");
        }
        // As it says to.
        died.restore(copy).await.unwrap();
        let restored = died.open().await.unwrap();
        assert!(has_login(&restored, "kari@example.com").await, "{copy:?}");
        assert!(!has_login(&restored, "mei@example.com").await, "{copy:?}");
    }
    let died = here.as_if_it_died();
    std::fs::remove_file(died.file("latchkey.db")).unwrap();
    let opened = died.open().await;
    assert!(matches!(opened, Err(OpenError::Orphaned { .. })), "a log without its file");
}

#[tokio::test]
async fn a_copy_put_in_place_by_hand_is_noticed() {
    let here = Folder::new();
    let store = here.serve().await;
    let (ours, file) = (here.file("ours.db"), here.file("file.db"));
    store.back_up(&ours, false, at(10)).await.unwrap();
    store.renew_stamp().await.unwrap();
    std::fs::copy(here.file("latchkey.db"), &file).unwrap();
    store.renew_stamp().await.unwrap();
    store.close().await;
    drop(store);
    assert!(!here.open().await.unwrap().is_a_copy().await.unwrap());
    for copy in [&ours, &file] {
        here.put(copy);
        let store = here.open().await.unwrap();
        assert!(store.is_a_copy().await.unwrap(), "{copy:?}");
        store.renew_stamp().await.unwrap();
        assert!(!store.is_a_copy().await.unwrap(), "{copy:?}");
        store.close().await;
    }
    // A new one in its place is none.
    std::fs::remove_file(here.file("latchkey.db")).unwrap();
    let store = here.open().await.unwrap();
    store.migrate().await.unwrap();
    assert!(!store.is_a_copy().await.unwrap());
}

#[apply(on_both!)]
async fn what_may_have_ended_since_a_copy_was_made_does_not_come_back(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    db.store.begin_session(bakery.ingrid, &new_session(1), None, at(0)).await.unwrap();
    db.store.issue_reset(bakery.ingrid, &token(2), at(3600), None, at(0)).await.unwrap();
    bakery.invite("kari@example.com", 3).await;
    let settled = db.store.settle(false, at(10)).await.unwrap();
    // The founder's invitation counts, too.
    assert_eq!(
        settled,
        Settled { sessions: 1, mails: 2, invitations: 2, tokens: 0, deliveries: 0 }
    );
    assert!(db.store.session(&token(1), HOUR, DAY, at(10)).await.unwrap().is_none());
    assert!(db.store.reset(&token(2)).await.unwrap().is_none());
    assert!(db.store.take_mail(HOUR, at(10)).await.unwrap().is_none());
    let to = email("kari@example.com");
    let tracked = db.store.track_invitation(bakery.id, &to, at(10)).await.unwrap().unwrap();
    assert_eq!(tracked.invitation.state, InvitationState::Expired);
    assert_eq!(db.store.settle(false, at(20)).await, Ok(Settled::default()));
}

#[apply(on_both!)]
async fn mails_that_wait_in_a_copy_are_sent_if_one_wants_them(db: TestDatabase) {
    Bakery::new(&db.store).await;
    let settled = db.store.settle(true, at(10)).await.unwrap();
    assert_eq!(settled, Settled::default());
    assert!(db.store.take_mail(HOUR, at(10)).await.unwrap().is_some());
}
