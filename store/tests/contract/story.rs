//! The people, accounts and moments that the tests tell of.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::{
    Access, AccountId, AccountNumber, ActivityKind, Actor, EmailAddress, Failure, FullName,
    GivenAccess, InvitationId, Mail, Permission, Secret, SessionId, Terms, Timestamp, UserId,
};
use store::{
    AccountMembership, Answer, AnswerFacts, Grant, Holding, Joiner, MembershipChange, NewAccount,
    NewActivity, NewMail, NewPassword, NewSession, NewUser, Offer, Offered, Store, TokenHash,
};
use uuid::Uuid;

pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The moment so many seconds after the tests begin.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000).after(Duration::from_secs(seconds))
}

pub(crate) fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

/// A token's hash; equal numbers are equal tokens.
pub(crate) fn token(number: u8) -> TokenHash {
    [number; 32]
}

pub(crate) fn granted(permissions: &[Permission]) -> Access {
    Access::granted(permissions.iter().copied().collect())
}

pub(crate) fn entry(kind: ActivityKind) -> NewActivity {
    NewActivity::by(None, "Ingrid Berg", kind, "192.0.2.1")
}

pub(crate) fn mail(to: &str) -> NewMail {
    let mail = Mail::AccessRemoved { account: "Bakery".into(), removed_by: None };
    NewMail::to(email(to), mail)
}

pub(crate) fn new_user(name: &str, address: &str) -> NewUser {
    NewUser {
        id: Uuid::new_v4().into(),
        email: email(address),
        full_name: FullName::parse(name).unwrap(),
        password_hash: secret("$argon2id$first"),
        language: None,
    }
}

pub(crate) fn new_session(number: u8) -> NewSession {
    NewSession {
        token_hash: token(number),
        password_hash: secret("$argon2id$first"),
        second_factor: false,
        identity: None,
        device_hash: token(number),
        new_device: None,
        address: "192.0.2.1".to_owned(),
        user_agent: "Browser".to_owned(),
    }
}

/// The password that replaces the first.
pub(crate) fn second_password(short: bool) -> NewPassword {
    NewPassword { hash: secret("$second"), short, told: None }
}

/// The password that is chosen by a link.
pub(crate) fn reset_to(hash: &str) -> NewPassword {
    NewPassword { hash: secret(hash), short: false, told: None }
}

/// The password that every login begins with.
pub(crate) fn first_password() -> Secret {
    secret("$argon2id$first")
}

/// An offer whose link has this token and works for a day from [`at`] 0.
pub(crate) fn offer(number: u8, access: Access) -> Offer {
    Offer {
        offered: GivenAccess::new(access, ""),
        as_owner: false,
        tells_owners: false,
        token_hash: token(number),
        copy_hash: None,
        expires_at: at(0).after(DAY),
        entry: entry(ActivityKind::InvitationSent),
        mail: mail("invited@example.com"),
        bounds: Vec::new(),
    }
}

pub(crate) fn change(access: Option<Access>) -> MembershipChange {
    let entry = entry(ActivityKind::PermissionsChanged);
    MembershipChange { holding: access.map(holding), entry, mail: None }
}

/// A grant that nobody had before, behind all that there are.
pub(crate) fn grant(terms: Terms) -> Grant {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (count, chance) = (COUNT.fetch_add(1, Ordering::Relaxed), Uuid::new_v4().as_u64_pair().1);
    let id = Uuid::from_u64_pair(count, chance).into();
    Grant { id, terms, why: String::new(), given_by: None, given_at: at(0) }
}

fn holding(access: Access) -> Holding {
    match access {
        Access::Owner => Holding::Owner,
        Access::Granted(held) => Holding::Granted(held.into_iter().map(grant).collect()),
    }
}

/// A login, in no account.
pub(crate) async fn user(store: &Store, name: &str, address: &str) -> UserId {
    let user = new_user(name, address);
    store.add_user(&user, at(0)).await.unwrap();
    user.id
}

/// An account and its number, with an invitation (token 255) that nobody accepts.
pub(crate) async fn account(store: &Store, name: &str) -> (AccountId, AccountNumber) {
    let id = AccountId::from(Uuid::new_v4());
    let mut token_hash = token(255);
    token_hash[..16].copy_from_slice(Uuid::from(id).as_bytes());
    let mail = mail("founder@example.com");
    let offer = Offer { token_hash, mail, ..offer(255, Access::Owner) };
    let account =
        NewAccount { id, name: name.to_owned(), owner: email("founder@example.com"), offer };
    (id, store.create_account(account, at(0)).await.unwrap())
}

/// The bakery, whose owner is Ingrid.
pub(crate) struct Bakery {
    pub(crate) store: Store,
    pub(crate) id: AccountId,
    pub(crate) number: AccountNumber,
    pub(crate) ingrid: UserId,
}

impl Bakery {
    pub(crate) async fn new(store: &Store) -> Self {
        Self::of(store, "ingrid@example.com").await
    }

    /// Another beside those of earlier rounds, whose owner is another Ingrid.
    pub(crate) async fn another(store: &Store, round: u8) -> Self {
        Self::of(store, &format!("ingrid{round}@example.com")).await
    }

    async fn of(store: &Store, address: &str) -> Self {
        let (id, number) = account(store, "Bakery").await;
        let ingrid = user(store, "Ingrid Berg", address).await;
        store.add_member(id, ingrid, Access::Owner, at(0)).await.unwrap();
        Self { store: store.clone(), id, number, ingrid }
    }

    /// Somebody else who is in the bakery.
    pub(crate) async fn with(&self, name: &str, address: &str, access: Access) -> UserId {
        let user = user(&self.store, name, address).await;
        self.store.add_member(self.id, user, access, at(0)).await.unwrap();
        user
    }

    /// What somebody in the bakery holds, by name.
    pub(crate) async fn access(&self, user: UserId) -> Access {
        let member = self.store.member(self.id, user).await.unwrap().unwrap();
        let owner = member.held.is_owner();
        let holding = self.store.holding(self.id, user, owner).await.unwrap();
        assert_eq!(holding.access().outline(), member.held.outline());
        holding.access()
    }

    /// Somebody as they act in the bakery so many seconds after the tests begin.
    pub(crate) async fn acting(&self, user: UserId, seconds: u64) -> Actor {
        let (account, at) = (self.id, at(seconds));
        let found = self.store.membership(user, self.number, None, at).await;
        Actor { user, account, keys: found.unwrap().unwrap().keys, at, eyes: None }
    }

    /// Somebody enters the bakery so many seconds after the tests begin; answers what was known of
    /// them before.
    pub(crate) async fn visit(&self, user: UserId, seconds: u64) -> AccountMembership {
        let session = SessionId::from(Uuid::nil());
        let found = self.store.membership(user, self.number, Some(session), at(seconds)).await;
        let found = found.unwrap().unwrap();
        self.store.note_visit(user, session, &found, at(seconds)).await;
        self.store.noted().await;
        found
    }

    /// Ingrid invites an address; the link has this token.
    pub(crate) async fn invite(&self, address: &str, number: u8) -> InvitationId {
        let access = granted(&[Permission::BillingPay]);
        let decide = |_: &_| Ok(offer(number, access));
        let to = email(address);
        let offered =
            self.store.offer_invitation(self.id, self.ingrid, &to, at(0), decide).await.unwrap();
        match offered {
            Offered::New(id) | Offered::Updated(id) => id,
        }
    }
}

pub(crate) fn accept(joiner: Joiner, access: Access) -> Answer {
    Answer::Accept {
        joiner,
        given: GivenAccess::new(access, ""),
        owner: None,
        session: None,
        entry: entry(ActivityKind::InvitationAccepted),
        mail: None,
    }
}

/// What the product decides: a link that isn't current or pending any more opens nothing.
pub(crate) fn still_open(facts: &AnswerFacts) -> Result<(), Failure> {
    use model::{Conflict, InvitationState};
    match facts.opened.invitation.state {
        _ if facts.opened.replaced => Err(Failure::Conflict(Conflict::LinkReplaced)),
        InvitationState::Pending => Ok(()),
        ended => Err(Failure::Conflict(Conflict::Invitation(ended))),
    }
}

/// Runs so many of the same at once and answers what each came to.
pub(crate) async fn at_once<T, F>(times: u8, mut run: impl FnMut(u8) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let running: Vec<_> = (0..times).map(|number| tokio::spawn(run(number))).collect();
    let mut answers = Vec::new();
    for one in running {
        answers.push(one.await.unwrap());
    }
    answers
}
