//! Everything that opens or closes something to somebody, for the operator who is asked why they can't.

use model::{
    AccessOutline, AccountNumber, EmailAddress, Failure, Language, PAGE_SIZE, Pause, Timestamp,
};
use store::{
    AccountMembership, AccountPolicy, InvitingAccount, LinkedIdentity, Login, MembershipRow,
    Passkey, SignedInDevice, Tracked,
};

use crate::guesses::{self, Tries};
use crate::{Latchkey, policies};

/// How many invitations are told.
const MOST_INVITATIONS: usize = 100;

/// What there is of somebody's address.
#[derive(Clone, Debug)]
pub struct UserRecord {
    /// The login that has it, if there is one.
    pub login: Option<LoginRecord>,
    /// Tries at signing in with it that came to nothing.
    pub tries: Tries,
    /// The accounts that its user is in, by name.
    pub accounts: Vec<AccountRecord>,
    /// The accounts that invite it, and how that stands.
    pub invitations: Vec<(InvitingAccount, Tracked)>,
}

/// A login with what signs in to it.
#[derive(Clone, Debug)]
pub struct LoginRecord {
    /// The user's name.
    pub full_name: String,
    /// Their address, as they write it.
    pub email: EmailAddress,
    /// Their language, if they chose one.
    pub language: Option<Language>,
    /// Since when they have an authenticator app, if they do.
    pub app_since: Option<Timestamp>,
    /// Their passkeys.
    pub passkeys: Vec<Passkey>,
    /// How many recovery codes are left.
    pub recovery_codes: u32,
    /// The identities that open it.
    pub identities: Vec<LinkedIdentity>,
    /// Where they are signed in, the last used first, at most a hundred.
    pub sessions: Vec<SignedInDevice>,
}

/// An account that somebody is in.
#[derive(Clone, Debug)]
pub struct AccountRecord {
    /// Its public number.
    pub number: AccountNumber,
    /// Its name.
    pub name: String,
    /// The time zone in which its days end; none for the provider's.
    pub time_zone: Option<String>,
    /// What they hold there, lapsed grants included.
    pub access: AccessOutline,
    /// What the account requires of everybody.
    pub policy: AccountPolicy,
    /// What keeps them out at this moment.
    pub closed: Vec<Closed>,
    /// From when on it will be closed to them, should they have no second factor by then.
    pub closes_at: Option<Timestamp>,
}

/// What keeps somebody out of an account that they are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Their access is paused, or all that they were given ended.
    Paused(Pause),
    /// They hold nothing there.
    HoldsNothing,
    /// It takes a second factor since this moment, and they have none.
    NoSecondFactor(Timestamp),
    /// Addresses like theirs sign in with the account's own identity provider alone.
    SingleSignOn,
    /// The same of an address that they gave up since: they can't.
    AddressGivenUp,
}

/// What there is of this address.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn find(latchkey: &Latchkey, email: &EmailAddress) -> Result<UserRecord, Failure> {
    let store = &latchkey.store;
    let (login, accounts) = match store.login(email).await? {
        Some(login) => {
            let accounts = accounts(latchkey, &login).await?;
            (Some(record(latchkey, login).await?), accounts)
        }
        None => (None, Vec::new()),
    };
    let mut invitations = Vec::new();
    for inviting in store.inviting_accounts(email, MOST_INVITATIONS).await? {
        let tracked = store.track_invitation(inviting.account, email, latchkey.now()).await?;
        invitations.extend(tracked.map(|tracked| (inviting, tracked)));
    }
    let tries = guesses::tries(latchkey, email).await?;
    Ok(UserRecord { login, tries, accounts, invitations })
}

async fn record(latchkey: &Latchkey, login: Login) -> Result<LoginRecord, Failure> {
    let (store, settings, user) = (&latchkey.store, &latchkey.settings, login.id);
    let (idle, absolute) = (settings.session_idle, settings.session_absolute);
    // None of them is the one that asks.
    let sessions = store.signed_in_devices(user, &[0; 32], idle, absolute, latchkey.now()).await?;
    Ok(LoginRecord {
        full_name: login.full_name,
        email: login.email,
        language: login.language,
        app_since: store.authenticator_app(user).await?.map(|app| app.since),
        passkeys: store.passkeys(user).await?,
        recovery_codes: store.recovery_codes_left(user).await?,
        identities: store.linked_identities(user).await?,
        sessions,
    })
}

async fn accounts(latchkey: &Latchkey, login: &Login) -> Result<Vec<AccountRecord>, Failure> {
    let (store, user, now) = (&latchkey.store, login.id, latchkey.now());
    let mut accounts = Vec::new();
    let mut after = None;
    loop {
        let rows = store.memberships(user, after.as_ref(), PAGE_SIZE, now).await?;
        for row in &rows {
            // Whoever left meanwhile isn't in it any more.
            if let Some(found) = store.membership(user, row.number, None, now).await? {
                accounts.push(account(row, found, now));
            }
        }
        match rows.last() {
            Some(last) if rows.len() == PAGE_SIZE => after = Some(last.cursor()),
            _ => return Ok(accounts),
        }
    }
}

fn account(row: &MembershipRow, found: AccountMembership, now: Timestamp) -> AccountRecord {
    let factor = found.policy.factor.filter(|_| !found.second_factor).map(|factor| factor.from);
    let access = row.held.outline();
    let by_themselves = policies::by_themselves(&found);
    let holds_nothing = found.pause.is_none() && access.live(now) == AccessOutline::NONE;
    let closed = [
        found.pause.map(Closed::Paused),
        holds_nothing.then_some(Closed::HoldsNothing),
        factor.filter(|from| *from <= now).map(Closed::NoSecondFactor),
        (found.single_sign_on && !by_themselves).then_some(Closed::SingleSignOn),
        (found.gave_address_up && !found.single_sign_on && !by_themselves)
            .then_some(Closed::AddressGivenUp),
    ];
    AccountRecord {
        number: found.number,
        name: found.name,
        time_zone: found.time_zone,
        access,
        policy: found.policy,
        closed: closed.into_iter().flatten().collect(),
        closes_at: factor.filter(|from| *from > now),
    }
}
