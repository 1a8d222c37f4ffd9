//! The log's chain and its digests: what is found when somebody changes the log behind the
//! product's back, and who gets a proof that nobody did.

use std::path::Path;
use std::process::Output;

use axum::http::header;
use domain::chain::{self, Examined, Fault};
use domain::demo::{BJORN, INGRID, MEI, OLAV, TOM};
use domain::digests::{self, DigestFault, LogKey, PublicKey};
use model::{AccountNumber, Day};
use server::clock::SystemRandom;
use server::digests::DigestFile;
use sqlx::{PgPool, SqlitePool};
use test_database::{TestDatabase, apply};

use crate::story::{AGENCY, BAKERY, TestApp};

/// The application a day after the demo was set up, with that day's digests signed.
struct Signed {
    app: TestApp,
    url: String,
    key: LogKey,
    day: Day,
}

impl Signed {
    async fn new(db: TestDatabase) -> Self {
        let url = db.url.clone();
        let app = TestApp::new(db).await;
        let day = Day::of(app.latchkey.now());
        app.forward_hours(24);
        let key = LogKey::new(&SystemRandom);
        assert_eq!(digests::sign_finished(&app.latchkey, &key).await.unwrap(), 2);
        Self { app, url, key, day }
    }

    /// What is found in the bakery's log.
    async fn examine(&self) -> Examined {
        self.examine_with(&[self.key.public()]).await
    }

    async fn examine_with(&self, trusted: &[PublicKey]) -> Examined {
        let account = self.app.latchkey.store.account(AccountNumber::from_stored(100_001)).await;
        chain::examine(&self.app.latchkey, account.unwrap(), trusted).await.unwrap()
    }

    /// What is wrong with the bakery's log after this, done by somebody who has the database.
    async fn fault_after(&self, statement: &'static str) -> Option<Fault> {
        self.tamper(statement, statement).await;
        self.examine().await.fault
    }

    /// Takes the guards away and does what the product never does.
    async fn tamper(&self, sqlite: &'static str, postgres: &'static str) {
        if self.url.starts_with("sqlite:") {
            let pool = SqlitePool::connect(&self.url).await.unwrap();
            let guards = "DROP TRIGGER IF EXISTS activity_is_never_changed; \
                          DROP TRIGGER IF EXISTS activity_is_never_deleted; \
                          DROP TRIGGER IF EXISTS activity_is_always_linked; \
                          DROP TRIGGER IF EXISTS log_digests_are_never_changed; \
                          DROP TRIGGER IF EXISTS log_digests_are_never_deleted;";
            sqlx::raw_sql(guards).execute(&pool).await.unwrap();
            sqlx::raw_sql(sqlite).execute(&pool).await.unwrap();
            pool.close().await;
        } else {
            let pool = PgPool::connect(&self.url).await.unwrap();
            let guards = "DROP TRIGGER IF EXISTS activity_is_never_changed ON activity; \
                          ALTER TABLE activity \
                              DROP CONSTRAINT IF EXISTS activity_is_always_linked; \
                          DROP TRIGGER IF EXISTS log_digests_are_never_changed ON log_digests;";
            sqlx::raw_sql(guards).execute(&pool).await.unwrap();
            sqlx::raw_sql(postgres).execute(&pool).await.unwrap();
            pool.close().await;
        }
    }

    /// The path of the digest's file.
    fn file(&self, account: &str) -> String {
        format!("{account}/log/digests/{}", digests::write_day(self.day))
    }

    /// Runs the program with this database and this key.
    async fn run(&self, folder: &Path, arguments: &[&str]) -> Output {
        let key = folder.join("log-key.pem");
        std::fs::write(&key, self.key.to_pem().unwrap().expose()).unwrap();
        tokio::process::Command::new(env!("CARGO_BIN_EXE_latchkey"))
            .args(arguments)
            .current_dir(folder)
            .env("LATCHKEY_DATABASE_URL", &self.url)
            .env("LATCHKEY_LOG_KEY_FILE", key)
            .output()
            .await
            .unwrap()
    }
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[apply(on_sqlite!)]
async fn a_log_that_nobody_touched_is_whole(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let before = signed.examine().await;
    assert_eq!((before.fault, before.older, before.digests), (None, 0, 1));
    assert!(before.rows > 10, "{before:?}");
    let mut ingrid = signed.app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    assert_eq!(signed.examine().await, Examined { rows: before.rows + 1, ..before });
    let again = digests::sign_finished(&signed.app.latchkey, &signed.key).await;
    assert_eq!(again, Ok(0), "every row of the day is covered");
}

#[apply(on_sqlite!)]
async fn a_changed_row_is_found(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let changed = "UPDATE activity SET after = 'billing.pay' WHERE sequence = 3";
    assert_eq!(signed.fault_after(changed).await, Some(Fault::Changed(3)));
}

#[apply(on_sqlite!)]
async fn a_row_that_was_changed_with_its_hash_breaks_the_next(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let account = signed.app.account_of(INGRID).await;
    let changed = "UPDATE activity SET actor_name = 'Nobody' WHERE sequence = 3";
    assert_eq!(signed.fault_after(changed).await, Some(Fault::Changed(3)));
    let rows = signed.app.latchkey.store.linked_rows(account, 1, 2).await.unwrap();
    let hash = rows[1].hash_behind(rows[0].hash.as_deref().unwrap());
    let statement = "UPDATE activity SET hash = $2 WHERE account_id = $1 AND sequence = 3";
    let account = uuid::Uuid::from(account);
    if signed.url.starts_with("sqlite:") {
        let pool = SqlitePool::connect(&signed.url).await.unwrap();
        sqlx::query(statement).bind(account).bind(&hash[..]).execute(&pool).await.unwrap();
    } else {
        let pool = PgPool::connect(&signed.url).await.unwrap();
        sqlx::query(statement).bind(account).bind(&hash[..]).execute(&pool).await.unwrap();
    }
    assert_eq!(signed.examine().await.fault, Some(Fault::Changed(4)));
}

#[apply(on_sqlite!)]
async fn a_removed_row_is_found(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let removed = "DELETE FROM activity WHERE sequence = 3";
    assert_eq!(signed.fault_after(removed).await, Some(Fault::Missing(3)));
}

#[apply(on_sqlite!)]
async fn an_end_that_was_cut_off_is_found(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let rows = signed.examine().await.rows;
    let cut = "DELETE FROM activity \
               WHERE sequence = (SELECT sequence FROM activity_heads h \
                                 WHERE h.account_id = activity.account_id)";
    assert_eq!(signed.fault_after(cut).await, Some(Fault::CutOff(rows)));
}

#[apply(on_sqlite!)]
async fn an_end_that_was_cut_off_with_its_note_does_not_fit_the_digest(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let cut = "DELETE FROM activity \
               WHERE sequence = (SELECT sequence FROM activity_heads h \
                                 WHERE h.account_id = activity.account_id); \
               UPDATE activity_heads SET sequence = sequence - 1, \
                   hash = (SELECT r.hash FROM activity r \
                           WHERE r.account_id = activity_heads.account_id \
                               AND r.sequence = activity_heads.sequence - 1)";
    let fault = Fault::Digest(signed.day, DigestFault::DoesNotFit);
    assert_eq!(signed.fault_after(cut).await, Some(fault));
}

#[apply(on_sqlite!)]
async fn a_note_that_was_changed_or_removed_is_found(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let rows = signed.examine().await.rows;
    let back = "UPDATE activity_heads SET sequence = sequence - 1";
    assert_eq!(signed.fault_after(back).await, Some(Fault::Inserted(rows)));
    let gone = "DELETE FROM activity_heads";
    assert_eq!(signed.fault_after(gone).await, Some(Fault::HeadGone));
}

#[apply(on_sqlite!)]
async fn a_row_that_was_put_in_beside_the_chain_is_found(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let put_in = "INSERT INTO activity (id, account_id, at, kind, actor_name, subject_name, \
                      address, person_key) \
                  SELECT account_id, account_id, at, kind, actor_name, subject_name, address, \
                      person_key FROM activity WHERE sequence = 3";
    let fault = Some(Fault::Unlinked(std::num::NonZeroU32::MIN));
    assert_eq!(signed.fault_after(put_in).await, fault);
}

#[apply(on_sqlite!)]
async fn a_forged_digest_is_found(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let forged = "UPDATE log_digests SET sequence = 3, \
                      hash = (SELECT r.hash FROM activity r \
                              WHERE r.account_id = log_digests.account_id AND r.sequence = 3)";
    let fault = Fault::Digest(signed.day, DigestFault::Forged);
    assert_eq!(signed.fault_after(forged).await, Some(fault));
}

#[apply(on_sqlite!)]
async fn a_digest_by_another_key_counts_only_if_that_is_trusted(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let newer = LogKey::new(&SystemRandom).public();
    let foreign = Some(Fault::Digest(signed.day, DigestFault::ForeignKey));
    assert_eq!(signed.examine_with(&[newer]).await.fault, foreign);
    assert_eq!(signed.examine_with(&[newer, signed.key.public()]).await.fault, None);
    let latchkey = &signed.app.latchkey;
    assert_eq!(digests::is_the_key_in_use(latchkey, newer).await, Ok(false));
    assert_eq!(digests::is_the_key_in_use(latchkey, signed.key.public()).await, Ok(true));
}

#[apply(on_sqlite!)]
async fn rows_from_before_there_was_a_chain_are_counted(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let rows = signed.examine().await.rows;
    let older = "DELETE FROM log_digests; \
                 UPDATE activity SET sequence = NULL, hash = NULL;";
    signed.tamper(older, older).await;
    signed
        .tamper(
            "UPDATE activity_heads SET sequence = 0, hash = zeroblob(32)",
            "UPDATE activity_heads SET sequence = 0, hash = decode(repeat('00', 32), 'hex')",
        )
        .await;
    let older = u32::try_from(rows).unwrap();
    let nothing_since = Examined { rows: 0, older, digests: 0, fault: None };
    assert_eq!(signed.examine().await, nothing_since);
    let mut ingrid = signed.app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["billing.view"]).await.is(303);
    assert_eq!(signed.examine().await, Examined { rows: 1, ..nothing_since });
    signed
        .tamper(
            "UPDATE activity SET id = x'ffffffffffffffffffffffffffffff00' \
         WHERE id = (SELECT min(id) FROM activity WHERE sequence IS NULL)",
            "UPDATE activity SET id = 'ffffffff-ffff-ffff-ffff-ffffffffff00' \
         WHERE id = (SELECT id FROM activity WHERE sequence IS NULL ORDER BY id LIMIT 1)",
        )
        .await;
    let moved = Some(Fault::Unlinked(std::num::NonZeroU32::MIN));
    assert_eq!(signed.examine().await.fault, moved, "newer than the chain's first row");
}

#[apply(on_sqlite!)]
async fn the_command_line_tells_what_it_finds(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let folder = tempfile::tempdir().unwrap();
    let rows = signed.examine().await.rows;
    let mut ingrid = signed.app.as_person(INGRID).await;
    let digest = ingrid.get(&signed.file(BAKERY)).await;
    std::fs::write(folder.path().join("kept.json"), &digest.is(200).body).unwrap();

    let output = signed.run(folder.path(), &["log", "verify"]).await;
    let told = lines(&output);
    assert_eq!(told.len(), 2, "{output:?}");
    assert_eq!(told[0], format!("100001: ok, {rows} rows, 1 digest"));
    assert!(output.status.success() && told[1].starts_with("100002: ok, "), "{output:?}");
    let kept = ["log", "verify", "--digest", "kept.json"];
    let output = signed.run(folder.path(), &kept).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(lines(&output)[1], "kept.json: ok, it fits the log");

    signed.fault_after("UPDATE activity SET subject_name = 'Nobody' WHERE sequence = 11").await;
    let output = signed.run(folder.path(), &["log", "verify"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(lines(&output)[0], "100001: problem: row 11 was changed, or the one before it");
    assert!(String::from_utf8_lossy(&output.stderr).contains("problems in 1 of 2 logs"));
    let agency = ["log", "verify", "--account", "100002"];
    assert!(signed.run(folder.path(), &agency).await.status.success());
    for (arguments, code) in [(["--account", "100009"], 1), (["--account", "bakery"], 2)] {
        let arguments = [&["log", "verify"], &arguments[..]].concat();
        let output = signed.run(folder.path(), &arguments).await;
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
}

#[apply(on_sqlite!)]
async fn a_kept_digest_finds_what_was_rewritten_altogether(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let mut ingrid = signed.app.as_person(INGRID).await;
    let kept = DigestFile::parse(&ingrid.get(&signed.file(BAKERY)).await.body).unwrap();
    let account = signed.app.account_of(INGRID).await;
    let (latchkey, trusted) = (&signed.app.latchkey, [signed.key.public()]);
    let compared = chain::examine_kept(latchkey, account, &kept, &trusted).await.unwrap();
    assert_eq!(compared, Ok(()));
    // Whoever has the database takes the digests too: then the log looks whole.
    let rewritten = "DELETE FROM log_digests; \
                     DELETE FROM activity WHERE sequence > 5; \
                     UPDATE activity_heads SET sequence = 5, \
                         hash = (SELECT r.hash FROM activity r \
                                 WHERE r.account_id = activity_heads.account_id \
                                     AND r.sequence = 5)";
    assert_eq!(signed.fault_after(rewritten).await, None);
    let compared = chain::examine_kept(latchkey, account, &kept, &trusted).await.unwrap();
    assert_eq!(compared, Err(DigestFault::DoesNotFit));
}

#[apply(on_sqlite!)]
async fn owners_find_the_newest_digests_below_the_log(db: TestDatabase) {
    let app = TestApp::new(db).await;
    let mut ingrid = app.as_person(INGRID).await;
    let page = ingrid.get(&format!("{BAKERY}/log")).await;
    page.is(200).says("Signed digests");
    page.says("There is no digest yet.");
    let (day, key) = (Day::of(app.latchkey.now()), LogKey::new(&SystemRandom));
    for n in 0..12 {
        ingrid.invite(&format!("kari{n}@nordlys.example"), &["billing.view"]).await.is(303);
        app.forward_hours(24);
        digests::sign_finished(&app.latchkey, &key).await.unwrap();
        ingrid = app.as_person(INGRID).await;
    }
    let page = ingrid.get(&format!("{BAKERY}/log")).await;
    page.is(200).says("Download the digest of 26 January 2027");
    assert_eq!(page.words().matches("Download the digest of").count(), 10);
    assert!(!page.words().contains("There is no digest yet."));
    let oldest_shown = digests::write_day(Day::from_stored(day.get() + 2));
    assert!(page.body.contains(&format!("href=\"{BAKERY}/log/digests/{oldest_shown}\"")));
    let older = format!("{BAKERY}/log/digests/{}", digests::write_day(day));
    ingrid.get(&older).await.is(200);
}

#[apply(on_sqlite!)]
async fn a_digest_is_a_file_that_says_what_was_signed(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let file = signed.app.as_person(OLAV).await.get(&signed.file(BAKERY)).await;
    file.is(200);
    let header = |name| file.headers.get(name).unwrap().to_str().unwrap();
    assert_eq!(header(header::CONTENT_TYPE), "application/json");
    assert_eq!(
        header(header::CONTENT_DISPOSITION),
        "attachment; filename=\"activity-log-100001-2027-01-15.json\""
    );
    assert_eq!(header(header::CACHE_CONTROL), "no-store");
    let digest = DigestFile::parse(&file.body).unwrap();
    assert_eq!(digests::check(&digest, &[signed.key.public()]), Ok(()));
    let json: serde_json::Value = serde_json::from_str(&file.body).unwrap();
    assert_eq!(json["account"], "100001");
    assert_eq!(json["day"], "2027-01-15");
    assert_eq!(json["rows"], signed.examine().await.rows);
    assert_eq!(json["algorithm"], "Ed25519");
    assert_eq!(json["public_key"], signed.key.public().to_text());
    assert_eq!(json["signed"], digests::statement(&digest.facts));
    let forged = file.body.replace("\"rows\":", "\"rows\":1");
    assert!(DigestFile::parse(&forged).is_none(), "it contradicts what was signed");
}

#[apply(on_sqlite!)]
async fn digests_are_for_owners_only(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let (app, file) = (&signed.app, signed.file(BAKERY));
    let page = app.as_person(BJORN).await.get(&file).await;
    page.is(403).says("You don't have access to Activity log");
    app.as_person(MEI).await.get(&file).await.is(403);
    app.as_person(MEI).await.get(&signed.file(AGENCY)).await.is(200);
    let mut tom = app.as_person(TOM).await;
    tom.get(&file).await.is(404);
    tom.get(&signed.file("/accounts/100009")).await.is(404);
    let page = app.browser().get(&file).await;
    page.is(302);
    assert_eq!(page.leads_to(), format!("/sign-in?next={BAKERY}/log"));

    let mut ingrid = app.as_person(INGRID).await;
    ingrid.invite("kari@nordlys.example", &["account.log"]).await.is(303);
    let link = app.invitation_link("kari@nordlys.example").await;
    let fields = [("full_name", "Kari Nes"), ("password", "a password of mine")];
    let mut kari = app.browser();
    kari.open_and_fill_in(&link, "invitations/join-with-new-login", &fields).await.is(303);
    let page = kari.get(&format!("{BAKERY}/log")).await;
    page.is(200).says("Invitation accepted");
    assert!(!page.words().contains("Signed digests"));
    kari.get(&file).await.is(404);
}

#[apply(on_sqlite!)]
async fn a_day_without_a_digest_is_not_found(db: TestDatabase) {
    let signed = Signed::new(db).await;
    let mut ingrid = signed.app.as_person(INGRID).await;
    for day in ["2027-01-16", "2027-1-15", "20270115", "2027-02-30", "newest"] {
        ingrid.get(&format!("{BAKERY}/log/digests/{day}")).await.is(404);
    }
}
