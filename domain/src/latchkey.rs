//! What every action needs: the store, the clock, the random source, the settings.

use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Duration;

use model::{EmailAddress, Failure, Language, Limit, Limited, Timestamp};
use store::Store;
use uuid::Uuid;

use webauthn_rs::Webauthn;

use crate::identity_providers::{IdentityProviders, Nobody};
use crate::passwords::Hasher;
use crate::single_sign_on::{NoRecords, Records};
use crate::starts::Preset;
use crate::{Token, passkeys};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// This moment.
    fn now(&self) -> Timestamp;
}

/// Gives unpredictable bytes.
pub trait Random: Send + Sync {
    /// Fills the buffer from a source fit for keys.
    fn fill(&self, buffer: &mut [u8]);
}

/// Where people reach the product, how long things last, how often they may be tried, and who is
/// told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The public address without a slash at the end: passkeys belong to its host.
    pub public_url: String,
    /// The provider's name, as authenticators show it.
    pub provider: String,
    /// The time zone in which days end in accounts that have none of their own, by its name in the tz
    /// database.
    pub time_zone: String,
    /// How long an invitation can be accepted.
    pub invitation_lifetime: Duration,
    /// How long whoever accepted to become an owner waits for it, so that the owners can stop it.
    pub owner_wait: Duration,
    /// How long a link to choose a new password works.
    pub reset_lifetime: Duration,
    /// After how long without use a session ends.
    pub session_idle: Duration,
    /// After how long a session ends at any rate.
    pub session_absolute: Duration,
    /// For how long a sign-in counts as a fresh proof of who somebody is.
    pub confirmed_for: Duration,
    /// How many wrong sign-ins of one client in a day cost no waiting.
    pub sign_ins_per_client: u32,
    /// How many invitation mails one inviter may send in an hour, in all accounts together.
    pub invitations_per_inviter: u32,
    /// How many invitation mails one account may send in an hour.
    pub invitations_per_account: u32,
    /// How many invitation mails one account may send to one address in an hour.
    pub invitations_per_address: u32,
    /// How many invitation mails all accounts together may send to one address in a day.
    pub invitations_to_address: u32,
    /// Who gets a mail when an invited person doesn't know the inviter, and when a webhook is turned off.
    pub operator_email: Option<EmailAddress>,
    /// Whether accounts' own identity providers may have private addresses, and none of TLS.
    pub sso_private_addresses: bool,
    /// Whether webhooks may go to private addresses, and to this machine without TLS.
    pub webhook_private_addresses: bool,
    /// The names that the service goes by, besides ours: no password is made of them.
    pub service_names: Vec<String>,
    /// What forms for giving can begin with.
    pub presets: Vec<Preset>,
    /// How many requests one token may make in a minute, at each node.
    pub requests_per_token: u32,
    /// How many passwords are hashed at the same time, each in 19 MiB that are kept; more wait their turn.
    pub hashes_at_once: usize,
    /// How many wait; more are sent away. With 32, the last of them waits about a second.
    pub hashes_waiting: usize,
}

impl Default for Settings {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(60 * 60);
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            public_url: "http://localhost:3000".to_owned(),
            provider: "Latchkey".to_owned(),
            time_zone: "UTC".to_owned(),
            invitation_lifetime: 7 * DAY,
            owner_wait: DAY,
            reset_lifetime: HOUR / 2,
            session_idle: DAY,
            session_absolute: 30 * DAY,
            confirmed_for: HOUR / 6,
            sign_ins_per_client: 300,
            invitations_per_inviter: 50,
            invitations_per_account: 200,
            invitations_per_address: 10,
            invitations_to_address: 20,
            operator_email: None,
            sso_private_addresses: false,
            webhook_private_addresses: false,
            service_names: vec!["Latchkey".to_owned(), "localhost".to_owned()],
            presets: Preset::built_in(),
            requests_per_token: 600,
            hashes_at_once: std::thread::available_parallelism().map_or(1, |all| all.get().min(2)),
            hashes_waiting: 32,
        }
    }
}

/// Where a request comes from.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The network address, as text; empty for the command line.
    pub address: String,
    /// The `User-Agent`, at most 200 characters.
    pub user_agent: String,
    /// The language in which it is answered; none for the command line.
    pub language: Option<Language>,
    /// What the browser is recognised by, if somebody signed in with it before.
    pub device: Option<Token>,
}

impl Client {
    /// What a limit per client counts: the address, or the network of an IPv6 address, whose 64
    /// last bits are the client's own to choose (RFC 4291 section 2.5.4).
    #[must_use]
    pub fn network(&self) -> String {
        match self.address.parse::<Ipv6Addr>() {
            Ok(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            Err(_) => self.address.clone(),
        }
    }
}

/// The product, ready to act.
#[derive(Clone)]
pub struct Latchkey {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub random: Arc<dyn Random>,
    /// How long things last.
    pub settings: Arc<Settings>,
    /// The identity providers that people can sign in with.
    pub identity_providers: Arc<dyn IdentityProviders>,
    /// DNS, for proving that a domain is an account's.
    pub records: Arc<dyn Records>,
    pub(crate) hasher: Hasher,
    /// What makes and checks passkeys; none where the public address can't have any.
    pub(crate) webauthn: Option<Arc<Webauthn>>,
}

impl Latchkey {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: Settings,
    ) -> Self {
        let Settings { hashes_at_once, hashes_waiting, .. } = settings;
        let hasher = Hasher::new(hashes_at_once, hashes_waiting, random.as_ref());
        let webauthn = passkeys::of_site(&settings).map(Arc::new);
        Self {
            store,
            clock,
            random,
            settings: Arc::new(settings),
            identity_providers: Arc::new(Nobody),
            records: Arc::new(NoRecords),
            hasher,
            webauthn,
        }
    }

    /// The same with these identity providers.
    #[must_use]
    pub fn with_identity_providers(self, identity_providers: Arc<dyn IdentityProviders>) -> Self {
        Self { identity_providers, ..self }
    }

    /// The same with this DNS.
    #[must_use]
    pub fn with_records(self, records: Arc<dyn Records>) -> Self {
        Self { records, ..self }
    }

    /// This moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new id, in the order of time (UUID version 7, RFC 9562 section 5.7).
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        let mut random = [0; 10];
        self.random.fill(&mut random);
        let millis = u64::try_from(self.now().as_micros() / 1_000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    /// Counts one attempt and refuses it when there were too many.
    pub(crate) async fn limit(
        &self,
        key: &str,
        most: u32,
        window: Duration,
    ) -> Result<(), Failure> {
        let now = self.now();
        let attempts = self.store.count_attempt(key, window, now).await?;
        if attempts.count <= most {
            return Ok(());
        }
        Err(Failure::TooMany(Limit::until(Limited::Tries, attempts.until, now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_its_address_or_its_ipv6_network() {
        let network =
            |address: &str| Client { address: address.to_owned(), ..Client::default() }.network();
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2::7"), "2001:db8:1:2::/64");
        assert_eq!(network(""), "");
    }
}
