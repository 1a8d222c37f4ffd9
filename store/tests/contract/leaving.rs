use std::collections::BTreeSet;

use model::{
    Access, ActivityKind, Failure, InvitationId, InvitationState, Mail, MailKind, Permission,
    Reach, Terms, UserId,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection, query_as, query_scalar};
use store::{
    Answer, AnswerFacts, Joiner, Leaving, LeavingFacts, NewActivity, NewEyes, NewMail, OfferFacts,
    Offered, OwnReach, Store,
};
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::story::{
    Bakery, DAY, HOUR, accept, account, at, at_once, email, entry, granted, mail, new_session,
    offer, token, user,
};

use Permission::{AccountUsers, BillingView, DomainsView, ServicesManage, ServicesView};
use model::Access::Owner;

/// Found nowhere by chance.
const NAME: &str = "Zebedeus Qvist";
const ADDRESS: &str = "Zeb.Q@Unusual.Example";

/// Tables that hold nothing about anybody, or hang on rows of others and go with them. One that isn't
/// among them must have a row about whoever leaves in the test below.
const ABOUT_NOBODY: &[&str] = &[
    "account_domains",
    "account_policies",
    "account_providers",
    "account_visits",
    "accounts",
    "activity_heads",
    "changes",
    "database_stamp",
    "domains",
    "draft_domains",
    "draft_services",
    "feedback",
    "grant_domains",
    "grant_services",
    "identity_sign_ins",
    "invitation_domains",
    "invitation_services",
    "invitation_tokens",
    "invoices",
    "log_digests",
    "owner_change_domains",
    "owner_change_services",
    "resets_for_nobody",
    "services",
    "tokens",
    "webhook_endpoints",
];

/// What the provider's own programs were told or answered, which is swept within days.
const SWEPT_SOON: &[&str] =
    &["door_answers", "webhook_deliveries", "webhook_events", "webhook_lines"];

/// A column: its table, its name, its type.
type Column = (String, String, String);

/// A connection past the store.
enum Past {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Past {
    async fn the(db: &TestDatabase) -> Self {
        match db.url.starts_with("sqlite:") {
            true => Self::Sqlite(SqliteConnection::connect(&db.url).await.unwrap()),
            false => Self::Postgres(PgConnection::connect(&db.url).await.unwrap()),
        }
    }

    async fn columns(&mut self) -> Vec<Column> {
        match self {
            Self::Sqlite(connection) => query_as(
                "SELECT t.name, c.name, c.type \
                 FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
                 WHERE t.type = 'table' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\'",
            )
            .fetch_all(connection)
            .await
            .unwrap(),
            Self::Postgres(connection) => query_as(
                "SELECT table_name::text, column_name::text, data_type::text \
                 FROM information_schema.columns \
                 WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'",
            )
            .fetch_all(connection)
            .await
            .unwrap(),
        }
    }

    async fn count(&mut self, condition: &str, table: &str) -> i64 {
        let text = AssertSqlSafe(format!("SELECT count(*) FROM {table} WHERE {condition}"));
        match self {
            Self::Sqlite(connection) => query_scalar(text).fetch_one(connection).await.unwrap(),
            Self::Postgres(connection) => query_scalar(text).fetch_one(connection).await.unwrap(),
        }
    }
}

/// The tables that say something of a user in any column: their name, or a word of it, their address,
/// or their id.
async fn tables_about(db: &TestDatabase, user: UserId) -> BTreeSet<String> {
    let mut past = Past::the(db).await;
    let id = Uuid::from(user);
    let words = ["zebedeus", "qvist", "zeb.q", "unusual.example", &id.to_string()]
        .map(|word| format!("lower(CAST({{column}} AS TEXT)) LIKE '%{word}%'"))
        .join(" OR ");
    let mut found = BTreeSet::new();
    for (table, column, kind) in past.columns().await {
        let column = format!("\"{column}\"");
        let condition = match kind.as_str() {
            "TEXT" | "text" | "uuid" => words.replace("{column}", &column),
            "BLOB" => format!("{column} = x'{}'", id.simple()),
            "bytea" => format!("{column} = '\\x{}'", id.simple()),
            _ => continue,
        };
        if past.count(&condition, &table).await > 0 {
            found.insert(table);
        }
    }
    found
}

async fn tables(db: &TestDatabase) -> BTreeSet<String> {
    Past::the(db).await.columns().await.into_iter().map(|(table, ..)| table).collect()
}

/// Runs statements in which `{me}` and `{ingrid}` are ids, `{id}` is a new one and `{hash}` a new hash.
async fn run(db: &TestDatabase, statements: &str) {
    let sqlite = db.url.starts_with("sqlite:");
    let (id, hash) = match sqlite {
        true => ("randomblob(16)", "randomblob(32)"),
        false => ("gen_random_uuid()", "decode(repeat(md5(random()::text), 2), 'hex')"),
    };
    let of = |key: &str| format!("(SELECT id FROM users WHERE email_key = '{key}')");
    let statements = statements
        .replace("{id}", id)
        .replace("{hash}", hash)
        .replace("{me}", &of("zeb.q@unusual.example"))
        .replace("{ingrid}", &of("ingrid@example.com"));
    db.run(&statements).await;
}

fn row(facts: &LeavingFacts, kind: ActivityKind) -> NewActivity {
    NewActivity::by(Some(facts.user), &facts.full_name, kind, "192.0.2.1")
}

/// What the product decides.
pub(crate) fn unless_alone(facts: &LeavingFacts) -> Result<Leaving, Failure> {
    let alone = facts.accounts.iter().filter(|(account, _)| account.would_be_left_alone());
    let alone: Vec<_> = alone.map(|(account, _)| account.name.clone()).collect();
    if !alone.is_empty() {
        return Err(Failure::OnlyOwner(alone));
    }
    let left = facts.accounts.iter().map(|(account, holding)| {
        (account.account, row(facts, ActivityKind::LoginDeleted).before(holding))
    });
    let (user_agent, address) = ("Browser".to_owned(), "192.0.2.1".to_owned());
    let mail = Mail::LoginDeleted { at: at(50), user_agent, address };
    Ok(Leaving { entries: left.collect(), mail: NewMail::to(facts.email.clone(), mail) })
}

async fn delete(store: &Store, user: UserId) -> Result<(), Failure> {
    store.delete_login(user, at(50), unless_alone).await
}

/// Somebody offers an address a membership in their account.
async fn invite(
    store: &Store,
    account: model::AccountId,
    by: UserId,
    address: &str,
    number: u8,
) -> InvitationId {
    let to = mail(address);
    let decide =
        |_: &OfferFacts| Ok(store::Offer { mail: to, ..offer(number, granted(&[BillingView])) });
    let to = email(address);
    match store.offer_invitation(account, by, &to, at(1), decide).await.unwrap() {
        Offered::New(id) | Offered::Updated(id) => id,
    }
}

/// Zebedeus, of whom every table holds something that can.
async fn known_everywhere(db: &TestDatabase, bakery: &Bakery) -> UserId {
    let store = &db.store;
    let me = user(store, NAME, ADDRESS).await;
    // Invited by Ingrid, and in the bakery since; invited to the agency, and silent.
    invite(store, bakery.id, bakery.ingrid, ADDRESS, 10).await;
    let join = |_: &AnswerFacts| Ok(accept(Joiner::Existing(me), granted(&[AccountUsers])));
    store.answer_invitation(&token(10), at(2), join).await.unwrap();
    let (agency, _) = account(store, "Agency").await;
    store.add_member(agency, bakery.ingrid, Owner, at(0)).await.unwrap();
    invite(store, agency, bakery.ingrid, ADDRESS, 11).await;
    // He invites, one who joins and one who is silent.
    invite(store, bakery.id, me, "silent@example.com", 12).await;
    let mei = user(store, "Mei", "mei@example.com").await;
    invite(store, bakery.id, me, "mei@example.com", 13).await;
    let join = |_: &AnswerFacts| Ok(accept(Joiner::Existing(mei), granted(&[ServicesView])));
    store.answer_invitation(&token(13), at(3), join).await.unwrap();
    // Seen through each other's eyes.
    store.begin_session(me, &new_session(1), None, at(0)).await.unwrap();
    store.begin_session(bakery.ingrid, &new_session(2), None, at(0)).await.unwrap();
    for (number, target) in [(1, mei), (2, me)] {
        let session = store.session(&token(number), HOUR, DAY, at(0)).await.unwrap().unwrap();
        let (by, session) = (session.user, session.session);
        let eyes = NewEyes { session, token_hash: token(number), expires_at: at(1800) };
        store.begin_eyes(bakery.id, by, target, eyes, at(0), |_| Ok(None)).await.unwrap();
    }
    for key in [format!("code:{me}"), format!("invite:to:{}", email(ADDRESS).key())] {
        store.count_attempt(&key, HOUR, at(0)).await.unwrap();
    }
    run(
        db,
        "UPDATE memberships SET invited_by = {me}, paused_at = 5, paused_by = {me}
             WHERE user_id = (SELECT id FROM users WHERE email_key = 'mei@example.com');
         UPDATE grants SET given_by = {me};
         INSERT INTO guesses (login, network, tries, until)
             VALUES ('zeb.q@unusual.example', '192.0.2.0', 1, 9000000000000000);
         INSERT INTO known_networks (user_id, network_hash, last_at) VALUES ({me}, {hash}, 1);
         INSERT INTO resets (token_hash, user_id, expires_at) VALUES ({hash}, {me}, 1);
         INSERT INTO reports (id, at, account_id, email, email_key, inviter_name, inviter_email)
             SELECT {id}, 1, id, 'Zeb.Q@Unusual.Example', 'zeb.q@unusual.example', 'Ola',
                 'ola@example.com' FROM accounts WHERE name = 'Agency';
         INSERT INTO reports (id, at, account_id, email, email_key, inviter_name, inviter_email)
             SELECT {id}, 1, id, 'other@example.com', 'other@example.com', 'Zebedeus Qvist',
                 'Zeb.Q@Unusual.Example' FROM accounts WHERE name = 'Bakery';
         INSERT INTO authenticator_apps (user_id, secret, last_step, since)
             VALUES ({me}, 'KEY', 1, 1);
         INSERT INTO authenticator_setups (user_id, secret, expires_at) VALUES ({me}, 'KEY', 1);
         INSERT INTO recovery_codes (user_id, code_hash, made_at) VALUES ({me}, {hash}, 1);
         INSERT INTO passkeys (id, user_id, credential_id, name, key, counter, since)
             VALUES ({id}, {me}, {hash}, 'Phone', '{}', 0, 1);
         INSERT INTO sign_ins (token_hash, user_id, password_hash, tries, expires_at)
             VALUES ({hash}, {me}, '$', 0, 1);
         INSERT INTO passkey_challenges (challenge_hash, purpose, bound_to, state, expires_at)
             SELECT {hash}, 'proof', token_hash, 'Zebedeus Qvist', 1 FROM sessions
             WHERE user_id = {me};
         INSERT INTO email_changes (token_hash, user_id, old_email, old_email_key, new_email,
                 new_email_key, asked_at, expires_at)
             VALUES ({hash}, {me}, 'Zeb.Q@Unusual.Example', 'zeb.q@unusual.example',
                 'new@example.com', 'new@example.com', 1, 2);
         INSERT INTO identities (id, user_id, issuer, subject, email, since)
             VALUES ({id}, {me}, 'https://id.example', 'zq', 'zeb.q@unusual.example', 1);
         INSERT INTO identity_offers (token_hash, issuer, subject, email, email_key, expires_at)
             VALUES ({hash}, 'https://id.example', 'other', 'Zeb.Q@Unusual.Example',
                 'zeb.q@unusual.example', 1);
         INSERT INTO factor_reminders (account_id, user_id, round)
             SELECT account_id, user_id, 1 FROM memberships WHERE user_id = {me};
         INSERT INTO access_requests (id, account_id, user_id, permission, why, state, words, told,
                 asked_at)
             SELECT {id}, account_id, user_id, 'billing.pay', 'Why', 'open', '', 'Ingrid Berg', 1
             FROM memberships WHERE user_id = {me};
         INSERT INTO access_requests (id, account_id, user_id, permission, why, state, words, told,
                 asked_at, answered_at, answered_by)
             SELECT {id}, account_id, user_id, 'billing.pay', 'Why', 'declined', '',
                 'Ingrid Berg' || chr(10) || 'Zebedeus Qvist' || chr(10) || 'Amira', 1, 2, {me}
             FROM memberships WHERE user_id <> {me} AND user_id <> {ingrid};
         INSERT INTO successors (account_id, user_id, named_by, named_at)
             SELECT account_id, user_id, {me}, 1 FROM memberships WHERE user_id = {me};
         INSERT INTO owner_changes (id, account_id, user_id, kind, state, made_by, made_by_name,
                 all_services, all_domains, why, asked_at, over_at, stopped_by, stopped_by_id)
             SELECT {id}, account_id, user_id, 'made', 'stopped', {me}, 'Zebedeus Qvist', FALSE, FALSE,
                 '', 1, 2, 'Zebedeus Qvist', {me}
             FROM memberships WHERE user_id <> {me} AND user_id <> {ingrid};
         INSERT INTO drafts (id, session_id, account_id, permissions, all_services, all_domains, page,
                 typed, expires_at)
             SELECT {id}, s.id, a.id, '', FALSE, FALSE, '/', 'email=Zeb.Q%40Unusual.Example', 1800000000
             FROM sessions s, accounts a WHERE s.user_id = {me} AND a.name = 'Bakery';
         INSERT INTO support_requests (id, account_id, number, subject, state, opened_by, updated_at)
             SELECT {id}, id, 'T-1', 'Help', 'open', 'Zebedeus Qvist', 1 FROM accounts
             WHERE name = 'Bakery';
         INSERT INTO support_messages (id, request_id, by_provider, author, words, at)
             SELECT {id}, id, FALSE, 'Zebedeus Qvist', 'Please', 1 FROM support_requests"
            .replace("chr(10)", if db.url.starts_with("sqlite:") { "char(10)" } else { "chr(10)" })
            .as_str(),
    )
    .await;
    me
}

#[apply(on_both!)]
async fn nothing_names_whoever_left_but_the_log(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let me = known_everywhere(&db, &bakery).await;
    let about_nobody: BTreeSet<_> = ABOUT_NOBODY.iter().map(|name| (*name).to_owned()).collect();
    let about_me = tables_about(&db, me).await;
    let swept_soon = SWEPT_SOON.iter().map(|name| (*name).to_owned());
    let mut every: BTreeSet<_> = about_nobody.union(&about_me).cloned().chain(swept_soon).collect();
    // Here only their leaving is logged.
    every.insert("activity".to_owned());
    // A table that is new here: either nobody is in it, or leaving deletes them from it.
    let new: Vec<_> = tables(&db).await.difference(&every).cloned().collect();
    assert_eq!(new, Vec::<String>::new());
    assert!(about_nobody.is_disjoint(&about_me), "{about_me:?}");

    delete(&db.store, me).await.unwrap();
    let log_and_mail = ["activity".to_owned(), "outbox".to_owned()].into();
    assert_eq!(tables_about(&db, me).await, log_and_mail);
    // The last mail goes out with the address, and leaves none behind.
    let mut kinds = Vec::new();
    while let Some(mail) = db.store.take_mail(HOUR, at(60)).await.unwrap() {
        if mail.to == email(ADDRESS) {
            kinds.push(mail.mail.kind());
        }
        db.store.mail_sent(mail.id, "250 ok", at(60)).await.unwrap();
    }
    assert_eq!(kinds, [MailKind::LoginDeleted]);
    assert_eq!(tables_about(&db, me).await, ["activity".to_owned()].into());
    assert!(db.store.login(&email(ADDRESS)).await.unwrap().is_none());
    assert!(db.store.session(&token(1), HOUR, DAY, at(60)).await.unwrap().is_none());
    assert_eq!(delete(&db.store, me).await, Err(Failure::NotFound));
}

#[apply(on_both!)]
async fn what_others_have_stays_without_the_name_of_whoever_left(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let me = known_everywhere(&db, &bakery).await;
    delete(&db.store, me).await.unwrap();
    let mei = db.store.login(&email("mei@example.com")).await.unwrap().unwrap().id;
    let member = db.store.member(bakery.id, mei).await.unwrap().unwrap();
    assert_eq!((member.invited_by, member.held.grants().len()), (None, 1));
    assert_eq!(member.held.grants()[0].given_by, None);
    assert_eq!(member.paused.map(|pause| pause.since()), Some(model::Timestamp::from_micros(5)));
    let asked = db.store.access_requests_of(bakery.id, mei, 9).await.unwrap();
    assert_eq!(asked[0].told, ["Ingrid Berg", "Amira"]);
    assert_eq!(asked[0].answered_by, None);
    // Ingrid looks through nobody's eyes any more, and stays signed in.
    let ingrid = db.store.session(&token(2), HOUR, DAY, at(60)).await.unwrap().unwrap();
    assert!(db.store.eyes(ingrid.session, &token(2), bakery.id, at(60)).await.unwrap().is_none());
    let requests = db.store.support_requests(bakery.id, 9).await.unwrap();
    assert_eq!((requests[0].subject.as_str(), requests[0].opened_by.as_str()), ("Help", ""));
}

/// What the bakery's support requests and owner changes name: who opened one, who said something in it, who
/// stopped one.
async fn named_in(db: &TestDatabase, bakery: &Bakery) -> Vec<String> {
    let requests = db.store.support_requests(bakery.id, 9).await.unwrap();
    let mut named: Vec<_> = requests.iter().map(|request| request.opened_by.clone()).collect();
    for request in &requests {
        let said = db.store.newest_support_messages(request.id, 9).await.unwrap();
        named.extend(said.into_iter().map(|said| said.message.author));
    }
    let mut past = Past::the(db).await;
    for name in [NAME, "Nils Nygård"] {
        let stopped = past.count(&format!("stopped_by = '{name}'"), "owner_changes").await;
        named.extend((0..stopped).map(|_| name.to_owned()));
    }
    named.sort();
    named
}

/// In the bakery somebody of this name opens a support request, says something in it, and stops that the
/// one with this address becomes an owner.
async fn does_much(db: &TestDatabase, name: &str, number: &str, about: &str, stopper: &str) {
    run(
        db,
        &format!(
            "INSERT INTO support_requests (id, account_id, number, subject, state, opened_by,
                     updated_at)
                 SELECT {{id}}, id, '{number}', 'Help', 'open', '{name}', 1 FROM accounts
                 WHERE name = 'Bakery';
             INSERT INTO support_messages (id, request_id, by_provider, author, words, at)
                 SELECT {{id}}, id, FALSE, '{name}', 'Please', 1 FROM support_requests
                 WHERE number = '{number}';
             INSERT INTO owner_changes (id, account_id, user_id, kind, state, made_by_name,
                     all_services, all_domains, why, asked_at, over_at, stopped_by, stopped_by_id)
                 SELECT {{id}}, m.account_id, m.user_id, 'made', 'stopped', '', FALSE, FALSE, '', 1, 2,
                     '{name}', {stopper}
                 FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.email_key = '{about}'"
        ),
    )
    .await;
}

#[apply(on_both!)]
async fn whoever_left_an_account_before_is_named_there_no_more_and_namesakes_are(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.with("Mei", "mei@example.com", granted(&[BillingView])).await;
    let me = bakery.with(NAME, ADDRESS, granted(&[BillingView])).await;
    does_much(&db, NAME, "T-1", "mei@example.com", "{me}").await;
    // He leaves the bakery, is called otherwise from then on, and another of his name comes.
    let leave = |_: &store::ChangeFacts| Ok(Some(crate::story::change(None)));
    db.store.change_membership(bakery.id, me, me, at(5), leave).await.unwrap();
    let other = model::FullName::parse("Nils Nygård").unwrap();
    db.store.change_profile(me, &other, None, None, at(6)).await.unwrap();
    let namesake = bakery.with(NAME, "namesake@example.com", granted(&[BillingView])).await;
    let id = "(SELECT id FROM users WHERE email_key = 'namesake@example.com')";
    does_much(&db, NAME, "T-2", "mei@example.com", id).await;
    assert_eq!(named_in(&db, &bakery).await, [NAME; 6]);

    delete(&db.store, me).await.unwrap();
    assert_eq!(named_in(&db, &bakery).await, ["", "", NAME, NAME, NAME]);
    // And the other one, whom the rest is about.
    delete(&db.store, namesake).await.unwrap();
    assert_eq!(named_in(&db, &bakery).await, [""; 4]);
}

#[apply(on_both!)]
async fn of_two_with_one_name_nobody_knows_who_it_was(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.with("Mei", "mei@example.com", granted(&[BillingView])).await;
    let me = bakery.with(NAME, ADDRESS, granted(&[BillingView])).await;
    bakery.with(NAME, "namesake@example.com", granted(&[BillingView])).await;
    // As the provider writes it, and as an earlier version did.
    does_much(&db, NAME, "T-1", "mei@example.com", "NULL").await;
    delete(&db.store, me).await.unwrap();
    assert_eq!(named_in(&db, &bakery).await, [NAME; 3], "perhaps it was the other");
}

#[apply(on_both!)]
async fn what_an_earlier_version_wrote_is_found_by_name_in_ones_accounts(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.with("Mei", "mei@example.com", granted(&[BillingView])).await;
    does_much(&db, NAME, "T-1", "mei@example.com", "NULL").await;
    let me = bakery.with(NAME, ADDRESS, granted(&[BillingView])).await;
    delete(&db.store, me).await.unwrap();
    assert_eq!(named_in(&db, &bakery).await, ["", ""]);
}

#[apply(on_both!)]
async fn the_other_owners_hear_that_one_deleted_their_login(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.with("Olav", "olav@example.com", Owner).await;
    let me = bakery.with(NAME, ADDRESS, Owner).await;
    delete(&db.store, me).await.unwrap();
    let mut told = Vec::new();
    while let Some(mail) = db.store.take_mail(HOUR, at(60)).await.unwrap() {
        if let Mail::OwnerNews { name, news, .. } = mail.mail {
            assert_eq!((name, news), (NAME.into(), model::OwnerNews::Left));
            told.push(mail.to.to_string());
        }
    }
    told.sort();
    assert_eq!(told, ["ingrid@example.com", "olav@example.com"]);
}

#[apply(on_both!)]
async fn invitations_that_nobody_answered_end_with_whoever_left(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let me = known_everywhere(&db, &bakery).await;
    let mut seen = Vec::new();
    let decide = |facts: &LeavingFacts| {
        seen.extend(facts.invitations.iter().map(|(_, invitation)| invitation.email.to_string()));
        unless_alone(facts)
    };
    db.store.delete_login(me, at(50), decide).await.unwrap();
    assert_eq!(seen, [ADDRESS, "silent@example.com"]);
    for (number, state) in [
        (10, InvitationState::Accepted),
        (11, InvitationState::Declined),
        (12, InvitationState::Cancelled),
        (13, InvitationState::Accepted),
    ] {
        let opened = db.store.open_invitation(&token(number), at(60)).await.unwrap().unwrap();
        assert_eq!(opened.invitation.state, state, "{number}");
        let his = number == 10 || number == 11;
        assert_eq!(opened.invitation.email.as_str().is_empty(), his, "{number}");
    }
    let pending = db.store.pending_invitations(bakery.id, None, 9, at(60)).await.unwrap();
    let pending: Vec<_> = pending.iter().map(|row| row.invitation.email.as_str()).collect();
    assert_eq!(pending, ["founder@example.com"]);
    // Whoever comes to have the address is somebody else.
    invite(&db.store, bakery.id, bakery.ingrid, ADDRESS, 20).await;
    let opened = db.store.open_invitation(&token(20), at(60)).await.unwrap().unwrap();
    assert_eq!((opened.invitation.state, opened.login), (InvitationState::Pending, None));
}

#[apply(on_both!)]
async fn a_report_keeps_its_account_from_inviting_whoever_left(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let me = known_everywhere(&db, &bakery).await;
    run(&db, "UPDATE reports SET account_id = (SELECT id FROM accounts WHERE name = 'Bakery')")
        .await;
    delete(&db.store, me).await.unwrap();
    let reported = async |address: &str| {
        let mut reported = None;
        let decide = |facts: &OfferFacts| {
            reported = Some(facts.reported);
            Err(Failure::NotFound)
        };
        let to = email(address);
        let (id, ingrid) = (bakery.id, bakery.ingrid);
        let offered = db.store.offer_invitation(id, ingrid, &to, at(60), decide).await;
        assert_eq!(offered.map(drop), Err(Failure::NotFound));
        reported.unwrap()
    };
    assert!(reported("zeb.q@unusual.example").await);
    assert!(!reported("anybody@example.com").await);
    let reports = db.store.reports(9).await.unwrap();
    assert!(reports.iter().any(|report| report.email.as_str().starts_with("sha256:")));
    db.store.lift_report(bakery.number, &email(ADDRESS), at(61)).await.unwrap();
    assert!(!reported(ADDRESS).await);
}

#[apply(on_both!)]
async fn nobody_leaves_an_account_without_an_owner(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (agency, _) = account(&db.store, "Agency").await;
    db.store.add_member(agency, bakery.ingrid, Owner, at(0)).await.unwrap();
    let (harbour, _) = account(&db.store, "Harbour").await;
    db.store.add_member(harbour, bakery.ingrid, granted(&[BillingView]), at(0)).await.unwrap();
    bakery.with("Olav", "olav@example.com", Owner).await;
    let alone = Failure::OnlyOwner(vec!["Agency".to_owned()]);
    assert_eq!(delete(&db.store, bakery.ingrid).await, Err(alone));
    assert!(db.store.login_of(bakery.ingrid).await.unwrap().is_some());
    assert!(db.store.is_in(harbour, bakery.ingrid).await.unwrap());

    let accounts = db.store.leaving_accounts(bakery.ingrid, at(0)).await.unwrap();
    let told: Vec<_> = accounts
        .iter()
        .map(|(account, held)| (account.name.as_str(), held.is_owner(), account.other_owners))
        .collect();
    assert_eq!(told, [("Agency", true, 0), ("Bakery", true, 1), ("Harbour", false, 0)]);
    let mei = user(&db.store, "Mei", "mei@example.com").await;
    db.store.add_member(agency, mei, Owner, at(0)).await.unwrap();
    delete(&db.store, bakery.ingrid).await.unwrap();
    assert_eq!(db.store.owners(bakery.id, 9).await.unwrap()[0].full_name, "Olav");
    assert_eq!(db.store.owners(agency, 9).await.unwrap()[0].full_name, "Mei");
}

#[apply(on_both!)]
async fn fifty_owners_deleting_their_logins_at_once_leave_one(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mut owners = vec![bakery.ingrid];
    for number in 1..50 {
        let address = format!("o{number}@example.com");
        owners.push(bakery.with(&format!("Owner {number}"), &address, Owner).await);
    }
    let results = at_once(50, |number| {
        let (store, owner) = (db.store.clone(), owners[usize::from(number)]);
        async move { delete(&store, owner).await }
    })
    .await;
    let stayed: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert_eq!(stayed, [Failure::OnlyOwner(vec!["Bakery".to_owned()])]);
    assert_eq!(db.store.owners(bakery.id, 99).await.unwrap().len(), 1);
}

#[apply(on_both!)]
async fn owners_of_several_accounts_leave_in_every_way_at_once_and_one_stays_in_each(
    db: TestDatabase,
) {
    let bakery = Bakery::new(&db.store).await;
    let mut accounts = vec![bakery.id];
    for name in ["Agency", "Harbour", "Mill"] {
        accounts.push(account(&db.store, name).await.0);
    }
    let mut owners = Vec::new();
    for number in 0..12 {
        let owner =
            user(&db.store, &format!("Owner {number}"), &format!("o{number}@example.com")).await;
        // Each in all accounts, in another order.
        for place in 0..accounts.len() {
            let account = accounts[(place + number) % accounts.len()];
            db.store.add_member(account, owner, Owner, at(0)).await.unwrap();
        }
        owners.push(owner);
    }
    delete(&db.store, bakery.ingrid).await.unwrap();
    // Half of them delete their login, the others leave one account.
    let results = at_once(12, |number| {
        let (store, owner) = (db.store.clone(), owners[usize::from(number)]);
        let account = accounts[usize::from(number / 2) % accounts.len()];
        async move {
            if number % 2 == 0 {
                return delete(&store, owner).await;
            }
            let decide = |facts: &store::ChangeFacts| match facts.other_owners {
                0 => Err(Failure::Conflict(model::Conflict::LastOwner)),
                _ => Ok(Some(crate::story::change(None))),
            };
            store.change_membership(account, owner, owner, at(50), decide).await
        }
    })
    .await;
    for result in &results {
        let settled = matches!(
            result,
            Ok(()) | Err(Failure::OnlyOwner(_) | Failure::Conflict(model::Conflict::LastOwner))
        );
        assert!(settled, "{results:?}");
    }
    for account in accounts {
        assert!(!db.store.owners(account, 99).await.unwrap().is_empty());
    }
}

#[apply(on_both!)]
async fn a_login_is_deleted_once(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[BillingView])).await;
    let results = at_once(8, |_| {
        let store = db.store.clone();
        async move { delete(&store, mei).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    let late = results.iter().filter(|result| **result == Err(Failure::NotFound)).count();
    assert_eq!(late, 7, "{results:?}");
}

#[apply(on_both!)]
async fn whoever_joins_or_signs_in_while_their_login_is_deleted_is_in_nothing(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for round in 0..8_u8 {
        let address = format!("mei{round}@example.com");
        let mei = user(&db.store, "Mei", &address).await;
        invite(&db.store, bakery.id, bakery.ingrid, &address, round).await;
        let store = db.store.clone();
        let joining = tokio::spawn(async move {
            let join = |facts: &AnswerFacts| -> Result<Answer, Failure> {
                crate::story::still_open(facts)?;
                Ok(accept(Joiner::Existing(mei), granted(&[BillingView])))
            };
            store.answer_invitation(&token(round), at(49), join).await
        });
        let store = db.store.clone();
        let signing_in = tokio::spawn(async move {
            store.begin_session(mei, &new_session(100 + round), None, at(49)).await
        });
        delete(&db.store, mei).await.unwrap();
        // Each was before, or came to nothing.
        let _ = (joining.await.unwrap(), signing_in.await.unwrap());
        assert!(db.store.login_of(mei).await.unwrap().is_none());
        assert!(!db.store.is_in(bakery.id, mei).await.unwrap());
        let session = db.store.session(&token(100 + round), HOUR, DAY, at(50)).await.unwrap();
        assert!(session.is_none());
    }
}

#[apply(on_both!)]
async fn what_is_known_of_somebody_comes_whole_in_pieces(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let me = known_everywhere(&db, &bakery).await;
    for number in 30..35 {
        db.store.begin_session(me, &new_session(number), None, at(0)).await.unwrap_err();
    }
    run(&db, "DELETE FROM authenticator_apps; DELETE FROM passkeys").await;
    for number in 30..35 {
        db.store.begin_session(me, &new_session(number), None, at(0)).await.unwrap();
    }
    let (mut after, mut ids) = (Uuid::nil(), Vec::new());
    loop {
        let sessions = db.store.own_sessions(me, after, 2).await.unwrap();
        let Some(last) = sessions.last() else { break };
        after = store::Placed::place(last);
        ids.extend(sessions.iter().map(|session| session.id));
    }
    assert_eq!(ids.len(), 6);
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 6);

    let accounts = db.store.own_accounts(me, Uuid::nil(), 9, at(60)).await.unwrap();
    assert_eq!(accounts.len(), 1);
    assert_eq!((accounts[0].number, accounts[0].name.as_str()), (bakery.number, "Bakery"));
    let [grant] = &accounts[0].grants[..] else { panic!("{accounts:?}") };
    assert_eq!(grant.permissions, [AccountUsers].into_iter().collect());
    assert_eq!(grant.given_by.as_deref(), Some(NAME));
    assert!([OwnReach::These(Vec::new()), OwnReach::Closed(0)].contains(&grant.services));
    let (to, nil, now) = (email(ADDRESS), Uuid::nil(), at(60));
    let received = db.store.invitations_received(&to, nil, 9, now).await.unwrap();
    assert_eq!(
        received.iter().map(|one| one.state).collect::<Vec<_>>(),
        [InvitationState::Accepted, InvitationState::Pending]
    );
    let sent = db.store.invitations_sent(me, nil, 9, now).await.unwrap();
    let sent: Vec<_> = sent.iter().map(|one| one.email.as_str()).collect();
    assert_eq!(sent, ["silent@example.com", "mei@example.com"]);
    assert_eq!(db.store.own_requests(me, nil, 9, now).await.unwrap().len(), 1);
    let changes = db.store.own_owner_changes(me, nil, 9).await.unwrap();
    let changes: Vec<_> = changes.iter().map(|one| (one.about_them, one.state.as_str())).collect();
    assert_eq!(changes, [(false, "stopped")]);
    assert_eq!(db.store.reports_by(&to, nil, 9).await.unwrap()[0].inviter, "Ola");
    assert_eq!(db.store.mails_to(&to, nil, 9).await.unwrap().len(), 1);
    let login = db.store.own_login(me).await.unwrap();
    assert_eq!((login.email.as_str(), login.full_name.as_str()), (ADDRESS, NAME));
    assert_eq!((login.codes, login.identities.len(), login.email_changes.len()), ((1, 0), 1, 1));
    assert_eq!((login.networks.0, login.browsers.0), (1, 6));
}

#[apply(on_both!)]
async fn services_that_a_grant_names_are_told_by_name(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[ServicesView])).await;
    for name in ["Web \"shop\"", "Mail"] {
        db.store.add_service(bakery.id, &crate::areas::service(name)).await.unwrap();
    }
    run(
        &db,
        "UPDATE grants SET all_services = FALSE, all_domains = FALSE;
         INSERT INTO grant_services SELECT g.id, s.id FROM grants g, services s",
    )
    .await;
    let accounts = db.store.own_accounts(bjorn, Uuid::nil(), 9, at(60)).await.unwrap();
    let grant = &accounts[0].grants[0];
    let OwnReach::These(services) = grant.services.clone() else { panic!("{grant:?}") };
    let services: BTreeSet<_> = services.into_iter().collect();
    assert_eq!(services, ["Mail".to_owned(), "Web \"shop\"".to_owned()].into());
    assert_eq!(grant.domains, OwnReach::These(Vec::new()));
}

#[apply(on_both!)]
async fn what_is_closed_to_somebody_is_told_to_them_without_names(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (shop, mail) = (crate::areas::service("Shop"), crate::areas::service("Mail"));
    let own = crate::areas::domain("a.example", true);
    for service in [&shop, &mail] {
        db.store.add_service(bakery.id, service).await.unwrap();
    }
    db.store.add_domain(bakery.id, &own).await.unwrap();
    let on = |ids: &[Uuid], until| Terms {
        services: Reach::of(false, ids.iter().copied()),
        domains: Reach::of(false, [own.id]),
        until,
        ..Terms::whole([ServicesView, DomainsView].into_iter().collect())
    };
    let held = vec![on(&[shop.id], None), on(&[shop.id, mail.id], Some(at(50)))];
    let held = Access::Granted(held);
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", held).await;
    for (permission, thing) in [
        (ServicesManage, shop.id),
        (Permission::ServicesCredentials, mail.id),
        (Permission::DomainsManage, own.id),
    ] {
        let decide = |_: &store::AskFacts| {
            Ok(store::NewAccessRequest {
                until: None,
                why: String::new(),
                told: Vec::new(),
                entry: entry(ActivityKind::AccessRequested),
                mails: Vec::new(),
                bounds: Vec::new(),
            })
        };
        let (store, id) = (&bakery.store, bakery.id);
        store.ask_for_access(id, bjorn, permission, Some(thing), at(1), decide).await.unwrap();
    }
    let told = async |seconds| {
        let (nil, now) = (Uuid::nil(), at(seconds));
        let accounts = db.store.own_accounts(bjorn, nil, 9, now).await.unwrap();
        let requests = db.store.own_requests(bjorn, nil, 9, now).await.unwrap();
        let mut asked: Vec<_> = requests.into_iter().filter_map(|request| request.thing).collect();
        asked.sort();
        let grants = accounts[0].grants.iter().map(|grant| grant.services.clone());
        (grants.collect::<Vec<_>>(), asked.join(" "))
    };
    let (grants, asked) = told(49).await;
    assert_eq!(grants[0], OwnReach::These(vec!["Shop".to_owned()]));
    assert!(matches!(&grants[1], OwnReach::These(names) if names.len() == 2));
    assert_eq!(asked, "Mail Shop a.example");
    let (grants, asked) = told(50).await;
    let shop_only = OwnReach::These(vec!["Shop".to_owned()]);
    assert_eq!(grants, [shop_only, OwnReach::Closed(2)]);
    assert_eq!(asked, "Shop a.example");
    crate::successors::pause(&bakery, bjorn, 51).await.unwrap();
    let (grants, asked) = told(52).await;
    assert_eq!(grants, [OwnReach::Closed(1), OwnReach::Closed(2)]);
    assert_eq!(asked, "");
}

#[apply(on_both!)]
async fn a_log_tells_its_own_what_they_did(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[ServicesView])).await;
    let did = |by: UserId, kind| NewActivity { actor: Some(by), ..entry(kind) };
    for (by, kind) in [
        (bjorn, ActivityKind::AccessRequested),
        (bakery.ingrid, ActivityKind::AccessPaused),
        (bjorn, ActivityKind::AccountChanged),
    ] {
        let target = bjorn;
        let change = store::MembershipChange {
            entry: did(by, kind),
            ..crate::story::change(Some(granted(&[ServicesView])))
        };
        let (id, ingrid) = (bakery.id, bakery.ingrid);
        let decide = |_: &store::ChangeFacts| Ok(Some(change));
        db.store.change_membership(id, ingrid, target, at(7), decide).await.unwrap();
    }
    let rows = db.store.own_activity(bjorn, Uuid::nil(), 9).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.at, row.account, row.kind.as_str())).collect();
    let expected =
        [(at(7), bakery.number, "access.requested"), (at(7), bakery.number, "account.changed")];
    assert_eq!(told, expected);
    assert_eq!(rows[0].address, "192.0.2.1");
}
