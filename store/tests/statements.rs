//! What takes as long as something else, statement for statement. Alone in its binary: it counts what
//! the whole process asks of databases.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails, and says where")]

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use model::{
    AccountId, ActivityKind, EmailAddress, FullName, GivenAccess, Mail, Secret, Timestamp, UserId,
};
use store::{
    AskedMember, KeyedThings, MemberName, NewAccount, NewActivity, NewEmailChange, NewLink,
    NewMail, NewUser, NewWaiting, Offer, ProvidersMemberFacts, ProvidersMemberStep, Store,
    ThingKeys,
};
use test_database::TestDatabase;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static STATEMENTS: AtomicUsize = AtomicUsize::new(0);

/// Counts what sqlx logs: every statement, but for what a new connection begins with. Whether one is
/// opened depends on how soon the one before came back, and tells nothing.
struct Counter(AtomicU64);

#[derive(Default)]
struct IsBeginning(bool);

impl Visit for IsBeginning {
    fn record_str(&mut self, field: &Field, text: &str) {
        self.0 |=
            field.name() == "summary" && ["SET ", "PRAGMA "].iter().any(|of| text.starts_with(of));
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl Subscriber for Counter {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut beginning = IsBeginning::default();
        event.record(&mut beginning);
        if event.metadata().target() == "sqlx::query" && !beginning.0 {
            STATEMENTS.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

async fn counted<T>(work: impl Future<Output = T>) -> usize {
    let before = STATEMENTS.load(Ordering::SeqCst);
    work.await;
    STATEMENTS.load(Ordering::SeqCst) - before
}

fn reset(to: &str) -> NewMail {
    let expires_at = Timestamp::from_micros(1_800_000_000);
    let mail = Mail::PasswordReset { expires_at, token: Secret::from("token".to_owned()) };
    NewMail::to(EmailAddress::parse(to).unwrap(), mail)
}

async fn asked(store: &Store, number: u8) -> [usize; 3] {
    let (now, expires_at) = (Timestamp::from_micros(0), Timestamp::from_micros(1_800_000_000));
    let kari = reset("kari@example.com");
    let login = store.login(&kari.to).await.unwrap().unwrap();
    let token = [number; 32];
    let known = counted(store.issue_reset(login.id, &token, expires_at, Some(kari), now)).await;
    let tokens = [token, [number + 100; 32]];
    let nobody = reset("nobody@example.com");
    let nobody = counted(store.issue_reset_to_nobody(tokens, expires_at, &nobody, now)).await;
    let waits = EmailAddress::parse("waits@example.com").unwrap();
    let found = store.waiting_for(&waits, 1, now).await.unwrap().remove(0);
    let link = NewLink { token_hash: [number + 50; 32], expires_at };
    let mail = Some(reset("waits@example.com"));
    [known, nobody, counted(store.issue_link(found.invitation.id, &link, mail, now)).await]
}

/// Has something wait for an address that has no login.
async fn wait(store: &Store) {
    let (id, now) = (AccountId::from(uuid::Uuid::from_u128(9)), Timestamp::from_micros(0));
    let row = NewActivity::by_provider(ActivityKind::InvitationSent);
    let offer = Offer {
        offered: GivenAccess::Owner,
        as_owner: false,
        tells_owners: false,
        token_hash: [251; 32],
        copy_hash: None,
        expires_at: now,
        entry: row.clone(),
        mail: reset("founder@example.com"),
        bounds: Vec::new(),
    };
    let owner = EmailAddress::parse("founder@example.com").unwrap();
    let account = NewAccount { id, name: "Bakery".to_owned(), owner, offer };
    store.create_account(account, now).await.unwrap();
    let asked = AskedMember::named(MemberName::Ref("waits@example.com".parse().unwrap()));
    let want = |_: &ProvidersMemberFacts| Ok::<_, ()>(((), ThingKeys::default()));
    let decide = |_: &ProvidersMemberFacts, (): (), _: &KeyedThings| {
        let waiting = NewWaiting {
            offered: GivenAccess::Owner,
            full_name: String::new(),
            token_hash: [252; 32],
            entry: Some(row),
        };
        Ok(ProvidersMemberStep::Wait(waiting, Vec::new()))
    };
    let done = store.change_member_by_provider(id, &asked, true, now, want, decide).await;
    done.unwrap().unwrap();
}

async fn wished(store: &Store, address: &str, number: u8) -> usize {
    let user = UserId::from(uuid::Uuid::from_u128(1));
    let change = NewEmailChange {
        user,
        after: EmailAddress::parse(address).unwrap(),
        token_hash: [number; 32],
        expires_at: Timestamp::from_micros(1_800_000_000),
    };
    let mails = |_: &_| Ok(vec![reset(address)]);
    counted(store.ask_email_change(&change, Timestamp::from_micros(0), mails)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_of_statements_tells_whether_an_address_has_a_login() {
    tracing::subscriber::set_global_default(Counter(AtomicU64::new(0))).unwrap();
    for TestDatabase { store, .. } in
        [&test_database::sqlite().await, &test_database::postgres().await]
    {
        for (number, address) in [(1, "kari@example.com"), (2, "ola@example.com")] {
            let user = NewUser {
                id: UserId::from(uuid::Uuid::from_u128(number)),
                email: EmailAddress::parse(address).unwrap(),
                full_name: FullName::parse("Kari").unwrap(),
                password_hash: Secret::from("$hash".to_owned()),
                language: None,
            };
            store.add_user(&user, Timestamp::from_micros(0)).await.unwrap();
        }
        wait(store).await;
        // The first time, statements are prepared.
        asked(store, 1).await;
        let [known, nobody, waits] = asked(store, 2).await;
        assert!(known >= 5, "{known}");
        assert_eq!((known, known), (nobody, waits));
        wished(store, "free@example.com", 1).await;
        let (taken, free) =
            (wished(store, "ola@example.com", 2).await, wished(store, "free@example.com", 3).await);
        assert!(taken >= 5, "{taken}");
        assert_eq!(taken, free);
    }
}
