//! Webhooks: which endpoints there are, what they are told, how that is signed (Standard Webhooks,
//! specification 1.0), when it is tried again, and when an endpoint is turned off.

use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use model::{
    DoorRef, EndpointId, EventAccess, EventFacts, EventGrant, EventKind, EventKinds, EventReach,
    Failure, Mail, Permission, Secret, Timestamp, TypedName,
};
use serde_json::{Map, Value, json};
use sha2::Sha256;
pub use store::{Delivery, DeliveryRow, Endpoint};
use store::{EndpointStep, LONGEST_PUT_OFF, NewEndpoint, NewMail, Trial};
pub use url::Url;

use crate::network::may_go_to;
use crate::{Latchkey, Random};

/// How long a node may take to hand over one delivery; after that another may try it.
pub const LEASE: Duration = Duration::from_secs(60);
/// For how long what is sent is signed with the secret before, too, unless somebody says otherwise.
pub const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest address, in bytes.
pub const LONGEST_URL: usize = 1000;

/// For how long a delivery is tried again.
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// How long is waited at first, and at most but for what an endpoint itself asks for.
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);
/// Of how many invitations it is noted at once that they ran out.
const EXPIRED_AT_ONCE: usize = 200;

/// How far a receiver's clock may be from when a message says that it was sent: what is older may have
/// been recorded, and sent again by somebody else.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);
/// What a signature begins with.
const VERSION: &str = "v1,";
/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// Of how many random bytes it is made (24 to 64 are allowed).
const SECRET_BYTES: usize = 32;
/// The type of what an endpoint is tried with. It is no event's.
const PING: &str = "ping";

/// What came of handing a delivery over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint took it, with this status.
    Taken(u16),
    /// It didn't.
    Refused {
        /// The status of the answer, if there was one.
        status: Option<u16>,
        /// Why, for the operator.
        why: String,
        /// How long the endpoint asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The endpoint wants nothing any more (410).
    Gone,
}

/// What became of a delivery that was noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It is delivered.
    Delivered,
    /// It is tried again.
    PutOff,
    /// It is given up, and its endpoint is off.
    GivenUp,
}

/// A message as it goes over the wire.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id, the same at every try: header `webhook-id`.
    pub id: String,
    /// When it is tried, in seconds since 1970: header `webhook-timestamp`.
    pub timestamp: i64,
    /// What proves that it is ours: header `webhook-signature`.
    pub signature: String,
    /// The JSON.
    pub body: String,
}

/// Why a message isn't taken for ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsigned {
    /// What it was to be checked with is no secret.
    NoSecret,
    /// It was signed with another secret, or changed on the way.
    Otherwise,
    /// It says that it was sent at another time.
    NotNow,
}

/// Why an address can't be told of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoDestination {
    /// It is no address, or a longer one than [`LONGEST_URL`].
    NoAddress,
    /// It holds a user, a password or a fragment.
    NotBare,
    /// It isn't https, or isn't public.
    NotPublic,
}

/// Reads an address that is to be told of events. `private` says whether it may be in a network of the
/// provider's own.
///
/// # Errors
/// [`NoDestination`].
pub fn destination(text: &str, private: bool) -> Result<Url, NoDestination> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST_URL);
    let url = url.filter(|url| url.host_str().is_some_and(|host| !host.is_empty()));
    let url = url.ok_or(NoDestination::NoAddress)?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(NoDestination::NotBare);
    }
    if may_go_to(&url, private, private) { Ok(url) } else { Err(NoDestination::NotPublic) }
}

/// Adds an endpoint, which is told of these kinds of events, or of all. Answers its id and the secret that
/// its receiver checks signatures with.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn add(
    latchkey: &Latchkey,
    url: &Url,
    kinds: EventKinds,
) -> Result<(EndpointId, Secret), Failure> {
    let id = EndpointId::from(latchkey.new_id());
    let secret = new_secret(latchkey.random.as_ref());
    let endpoint = NewEndpoint { id, url: url.to_string(), kinds, secret: secret.clone() };
    latchkey.store.add_endpoint(&endpoint, latchkey.now()).await?;
    Ok((id, secret))
}

/// All endpoints, the oldest first.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn endpoints(latchkey: &Latchkey) -> Result<Vec<Endpoint>, Failure> {
    latchkey.store.endpoints().await
}

/// One endpoint.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn endpoint(latchkey: &Latchkey, id: &str) -> Result<Endpoint, Failure> {
    let id: EndpointId = parse(id)?;
    let mut all = latchkey.store.endpoints().await?.into_iter();
    all.find(|endpoint| endpoint.id == id).ok_or(Failure::NotFound)
}

/// What an endpoint becomes.
#[derive(Clone, Debug)]
pub enum Becomes {
    /// It is told of these kinds, at this address.
    This(Url, EventKinds),
    /// It is removed, and what was on its way to it.
    Nothing,
}

/// Has an endpoint become what `becomes` says, which is told how it stands. Without `write` it is found out
/// what would come of it. Answers how it stood and how it stands, or why it stays as it is.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn change<E: Send>(
    latchkey: &Latchkey,
    id: &str,
    write: bool,
    becomes: impl FnOnce(&Endpoint) -> Result<Becomes, E> + Send,
) -> Result<Result<(Endpoint, Option<Endpoint>), E>, Failure> {
    let decide = |endpoint: &Endpoint| {
        Ok(match becomes(endpoint)? {
            Becomes::Nothing => EndpointStep::Remove,
            Becomes::This(url, kinds)
                if endpoint.url == url.as_str() && endpoint.kinds == kinds =>
            {
                EndpointStep::Leave
            }
            Becomes::This(url, kinds) => EndpointStep::Change { url: url.to_string(), kinds },
        })
    };
    latchkey.store.step_endpoint(parse(id)?, write, decide).await
}

/// Removes an endpoint, and what was on its way to it.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn remove(latchkey: &Latchkey, id: &str) -> Result<(), Failure> {
    latchkey.store.remove_endpoint(parse(id)?).await
}

/// Gives an endpoint another secret. For as long as `overlap` what is sent is signed with the one before,
/// too. Answers the secret.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn rotate(latchkey: &Latchkey, id: &str, overlap: Duration) -> Result<Secret, Failure> {
    let id = parse(id)?;
    let secret = new_secret(latchkey.random.as_ref());
    latchkey.store.rotate_secret(id, &secret, latchkey.now().after(overlap)).await?;
    Ok(secret)
}

/// Turns an endpoint on again. Answers how many deliveries were held for it; none when it was on.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn turn_on(latchkey: &Latchkey, id: &str) -> Result<Option<u64>, Failure> {
    latchkey.store.turn_endpoint_on(parse(id)?, latchkey.now()).await
}

/// The newest deliveries, or only those of which a try came to nothing.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn deliveries(
    latchkey: &Latchkey,
    failed: bool,
    most: usize,
) -> Result<Vec<DeliveryRow>, Failure> {
    latchkey.store.deliveries(failed, most).await
}

/// Has an event delivered once more that was delivered or given up. Answers false when it waits already.
///
/// # Errors
/// [`Failure::NotFound`], [`Failure::Unavailable`].
pub async fn redeliver(latchkey: &Latchkey, id: &str) -> Result<bool, Failure> {
    latchkey.store.redeliver(parse(id)?, latchkey.now()).await
}

fn parse<T: FromStr>(id: &str) -> Result<T, Failure> {
    id.parse().map_err(|_| Failure::NotFound)
}

/// Takes the next delivery that is due, but for those to endpoints that are busy.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn take(latchkey: &Latchkey, busy: &[EndpointId]) -> Result<Option<Delivery>, Failure> {
    latchkey.store.take_delivery(LEASE, busy, latchkey.now()).await
}

/// Notes what came of a delivery. One that was tried for a day turns its endpoint off, and so does an
/// endpoint that wants nothing any more: the operator gets a mail.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn note(
    latchkey: &Latchkey,
    delivery: &Delivery,
    outcome: &Outcome,
) -> Result<Noted, Failure> {
    let (store, now) = (&latchkey.store, latchkey.now());
    let (trial, again) = match outcome {
        Outcome::Taken(status) => {
            store.delivered(delivery.id, *status, now).await?;
            return Ok(Noted::Delivered);
        }
        Outcome::Refused { status, why, retry_after } => {
            let mut chance = [0];
            latchkey.random.fill(&mut chance);
            let wait = wait(delivery.attempts, *retry_after, chance[0]);
            let at = Some(now.after(wait)).filter(|at| is_in_time(delivery.tried_since, *at));
            (Trial { status: *status, why: why.clone() }, at)
        }
        Outcome::Gone => {
            let why = "it wants nothing any more (410 Gone)".to_owned();
            (Trial { status: Some(410), why }, None)
        }
    };
    if let Some(at) = again {
        store.delivery_put_off(delivery.id, &trial, at).await?;
        return Ok(Noted::PutOff);
    }
    let told = Mail::WebhookOff {
        endpoint: delivery.endpoint.to_string(),
        url: TypedName::from(shown(&delivery.url).as_str()),
        why: TypedName::from(trial.why.as_str()),
        tried_since: delivery.tried_since,
    };
    let operator = latchkey.settings.operator_email.clone();
    let mail = operator.map(|operator| NewMail::to(operator, told));
    if store.give_up_delivery(delivery, &trial, mail.as_ref(), now).await? {
        let (endpoint, why) = (delivery.endpoint, trial.why.as_str());
        tracing::error!(
            %endpoint, why,
            "an endpoint of a webhook is off: see `latchkey webhook list`"
        );
    }
    Ok(Noted::GivenUp)
}

/// Notes of invitations that they ran out, and has it told. Answers how many.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn tell_of_expired_invitations(latchkey: &Latchkey) -> Result<u64, Failure> {
    latchkey.store.note_expired_invitations(EXPIRED_AT_ONCE, latchkey.now()).await
}

/// The address without what may be a key in it.
#[must_use]
pub fn shown(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.chars().take(200).collect()
}

/// A delivery as it goes over the wire at this moment.
#[must_use]
pub fn message(delivery: &Delivery, now: Timestamp) -> Message {
    let secrets = [Some(&delivery.secret), delivery.old_secret.as_ref()];
    let data = data(&delivery.facts);
    signed(&delivery.event.to_string(), &secrets, &delivery.kind, delivery.at, data, now)
}

/// What an endpoint is tried with.
#[must_use]
pub fn ping(latchkey: &Latchkey, endpoint: &Endpoint) -> Message {
    let now = latchkey.now();
    let old = endpoint.old_secret.as_ref().filter(|(_, until)| *until > now);
    let secrets = [Some(&endpoint.secret), old.map(|(secret, _)| secret)];
    signed(&latchkey.new_id().to_string(), &secrets, PING, now, json!({}), now)
}

fn signed(
    id: &str,
    secrets: &[Option<&Secret>],
    kind: &str,
    at: Timestamp,
    data: Value,
    now: Timestamp,
) -> Message {
    let body = json!({ "type": kind, "timestamp": rfc3339(at), "data": data }).to_string();
    let timestamp = now.as_micros().div_euclid(1_000_000);
    let text = format!("{id}.{timestamp}.{body}");
    let signatures = secrets.iter().flatten().filter_map(|secret| sign(secret, &text));
    let signature = signatures.collect::<Vec<_>>().join(" ");
    Message { id: id.to_owned(), timestamp, signature, body }
}

/// A signature: HMAC-SHA256 (RFC 2104) with what the secret stands for. None for what is no secret.
fn sign(secret: &Secret, text: &str) -> Option<String> {
    let code = code(secret, text)?.finalize().into_bytes();
    Some(format!("{VERSION}{}", BASE64_STANDARD.encode(code)))
}

fn code(secret: &Secret, text: &str) -> Option<Hmac<Sha256>> {
    let key = BASE64_STANDARD.decode(secret.expose().strip_prefix(PREFIX)?).ok()?;
    let mut code = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    code.update(text.as_bytes());
    Some(code)
}

/// Whether something can be signed with this.
#[must_use]
pub fn is_secret(secret: &Secret) -> bool {
    code(secret, "").is_some()
}

/// Checks the signature of a message as its receiver does.
///
/// # Errors
/// [`Unsigned`].
pub fn check(message: &Message, secret: &Secret, now: Timestamp) -> Result<(), Unsigned> {
    let Message { id, timestamp, signature, body } = message;
    let code = code(secret, &format!("{id}.{timestamp}.{body}")).ok_or(Unsigned::NoSecret)?;
    let fits = |signature: &str| {
        let sent =
            signature.strip_prefix(VERSION).and_then(|sent| BASE64_STANDARD.decode(sent).ok());
        sent.is_some_and(|sent| code.clone().verify_slice(&sent).is_ok())
    };
    if !signature.split(' ').any(fits) {
        return Err(Unsigned::Otherwise);
    }
    let at = Timestamp::from_micros(timestamp.saturating_mul(1_000_000));
    match at.since(now).max(now.since(at)) <= TOLERANCE {
        true => Ok(()),
        false => Err(Unsigned::NotNow),
    }
}

fn new_secret(random: &dyn Random) -> Secret {
    let mut bytes = [0; SECRET_BYTES];
    random.fill(&mut bytes);
    Secret::from(format!("{PREFIX}{}", BASE64_STANDARD.encode(bytes)))
}

/// What an event's `data` holds: ids and what changed.
fn data(facts: &EventFacts) -> Value {
    let named = |id: Option<Value>, reference: &Option<DoorRef>| {
        let id = id?;
        Some(match reference {
            Some(reference) => json!({ "id": id, "ref": reference }),
            None => json!({ "id": id }),
        })
    };
    let members = [
        ("account", named(facts.account.map(|number| json!(number)), &facts.account_ref)),
        ("user", named(facts.user.map(|id| json!(id)), &facts.user_ref)),
        ("by", named(facts.by.map(|id| json!(id)), &facts.by_ref)),
        ("invitation", named(facts.invitation.map(|id| json!(id)), &facts.invitation_ref)),
        ("request", named(facts.request.map(|id| json!(id)), &None)),
        ("change", Some(json!(facts.change))),
        ("before", facts.before.as_ref().map(access)),
        ("after", facts.after.as_ref().map(access)),
    ];
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(members.collect::<Map<_, _>>())
}

fn access(access: &EventAccess) -> Value {
    match access {
        EventAccess::Owner => json!({ "owner": true, "grants": [] }),
        EventAccess::Granted(grants) => {
            let grants: Vec<_> = grants.iter().map(grant).collect();
            json!({ "owner": false, "grants": grants })
        }
    }
}

fn grant(grant: &EventGrant) -> Value {
    let permissions: Vec<_> = grant.permissions.iter().map(Permission::id).collect();
    let mut told = json!({ "permissions": permissions, "until": grant.until.map(rfc3339) });
    for (area, reach) in [("services", &grant.services), ("domains", &grant.domains)] {
        if let Some(reach) = reach {
            told[area] = match reach {
                EventReach::All => json!("all"),
                EventReach::These(ids) => json!(ids),
            };
        }
    }
    told
}

fn rfc3339(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// How long to wait after this many tries: ten seconds, doubled each time, an hour at most, and up to a
/// fifth more by chance, so that what failed together isn't tried together. As long as the endpoint asks
/// for, if that is longer and bearable.
fn wait(attempts: u32, retry_after: Option<Duration>, chance: u8) -> Duration {
    let grown = FIRST_WAIT.saturating_mul(1 << attempts.min(16)).min(LONGEST_WAIT);
    let wait = grown + grown * u32::from(chance) / (5 * 256);
    wait.max(retry_after.unwrap_or_default()).min(LONGEST_PUT_OFF)
}

/// Whether a delivery is still tried then that was first tried at that moment.
fn is_in_time(tried_since: Timestamp, at: Timestamp) -> bool {
    at.since(tried_since) < GIVE_UP_AFTER
}

/// The kinds that were chosen by their ids.
///
/// # Errors
/// The id that is none.
pub fn kinds<'a>(ids: impl IntoIterator<Item = &'a str>) -> Result<EventKinds, &'a str> {
    let kinds = ids.into_iter().map(|id| id.parse::<EventKind>().map_err(|_| id));
    Ok(EventKinds::of(kinds.collect::<Result<Vec<_>, _>>()?))
}

#[cfg(test)]
mod tests {
    use model::{AccountNumber, PermissionSet, UserId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_signature_is_the_specifications() {
        // The example of the specification's own libraries.
        let secret = Secret::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let text = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign(&secret, text).as_deref(), Some(signature));
        for broken in ["whsec_!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert_eq!(sign(&Secret::from(broken.to_owned()), text), None);
        }
    }

    #[test]
    fn what_is_signed_is_known_by_its_secret_whole_and_in_time() {
        let [secret, other] =
            ["whsec_AAAA", "whsec_BBBB"].map(|text| Secret::from(text.to_owned()));
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let message = signed("1", &[Some(&other), Some(&secret)], PING, now, json!({}), now);
        for known in [&secret, &other] {
            assert_eq!(check(&message, known, now), Ok(()));
        }
        let strange = Secret::from("whsec_CCCC".to_owned());
        assert_eq!(check(&message, &strange, now), Err(Unsigned::Otherwise));
        let none = Secret::from("geheim".to_owned());
        assert_eq!(check(&message, &none, now), Err(Unsigned::NoSecret));
        assert!(is_secret(&secret) && !is_secret(&none));
        for changed in [
            Message { id: "2".to_owned(), ..message.clone() },
            Message { timestamp: message.timestamp + 1, ..message.clone() },
            Message { body: format!("{} ", message.body), ..message.clone() },
            Message { signature: String::new(), ..message.clone() },
            Message { signature: message.signature.replace("v1,", "v2,"), ..message.clone() },
        ] {
            assert_eq!(check(&changed, &secret, now), Err(Unsigned::Otherwise));
        }
        let later = Duration::from_secs(301);
        for clock in [now.after(later), now.before(later)] {
            assert_eq!(check(&message, &secret, clock), Err(Unsigned::NotNow));
        }
    }

    #[test]
    fn waits_grow_to_an_hour_and_end_after_a_day() {
        let waits = [0, 1, 2, 8, 9, 40].map(|attempts| wait(attempts, None, 0).as_secs());
        assert_eq!(waits, [10, 20, 40, 2560, 3600, 3600]);
        let start = Timestamp::from_micros(0);
        let day = start.after(GIVE_UP_AFTER);
        assert!(is_in_time(start, day.before(Duration::from_secs(1))) && !is_in_time(start, day));
    }

    #[test]
    fn chance_adds_a_fifth_at_most() {
        for attempts in [0, 3, 40] {
            let (least, most) = (wait(attempts, None, 0), wait(attempts, None, 255));
            assert!(least < most && most < least + least / 5, "{least:?} {most:?}");
        }
    }

    #[test]
    fn what_an_endpoint_asks_for_is_heeded_within_bounds() {
        let asked = |seconds| wait(0, Some(Duration::from_secs(seconds)), 0).as_secs();
        assert_eq!([0, 5, 90, 7200, 7201, u64::MAX].map(asked), [10, 10, 90, 7200, 7200, 7200]);
    }

    #[test]
    fn events_hold_ids_and_what_changed() {
        let shop = Uuid::from_u128(7);
        let permissions: PermissionSet =
            [Permission::ServicesView, Permission::BillingView].into_iter().collect();
        let granted = EventGrant {
            permissions,
            services: Some(EventReach::These([shop].into())),
            domains: None,
            until: Some(Timestamp::from_micros(1_800_000_000_000_000)),
        };
        let facts = EventFacts {
            account: Some(AccountNumber::from_stored(100_001)),
            account_ref: "customer-17".parse().ok(),
            user: Some(UserId::from(Uuid::from_u128(1))),
            user_ref: "crm/1".parse().ok(),
            by: Some(UserId::from(Uuid::from_u128(2))),
            change: "permissions.changed".to_owned(),
            before: Some(EventAccess::Owner),
            after: Some(EventAccess::Granted(vec![granted])),
            ..EventFacts::default()
        };
        let told = json!({
            "account": { "id": 100_001, "ref": "customer-17" },
            "user": { "id": "00000000-0000-0000-0000-000000000001", "ref": "crm/1" },
            "by": { "id": "00000000-0000-0000-0000-000000000002" },
            "change": "permissions.changed",
            "before": { "owner": true, "grants": [] },
            "after": { "owner": false, "grants": [{
                "permissions": ["services.view", "billing.view"],
                "services": ["00000000-0000-0000-0000-000000000007"],
                "until": "2027-01-15T08:00:00.000000Z",
            }]},
        });
        assert_eq!(data(&facts), told);
        let stored = serde_json::to_string(&facts).unwrap();
        assert_eq!(serde_json::from_str::<EventFacts>(&stored).unwrap(), facts);
        // What a newer version notes besides is no hindrance.
        let newer = "{\"change\":\"name\",\"moon\":1}";
        assert_eq!(serde_json::from_str::<EventFacts>(newer).unwrap().change, "name");
    }

    #[test]
    fn kinds_are_chosen_by_their_ids() {
        assert_eq!(kinds([]), Ok(EventKinds::All));
        assert_eq!(kinds(["owner.changed"]), Ok(EventKinds::of([EventKind::OwnerChanged])));
        assert_eq!(kinds(["owner.changed", "ping"]), Err("ping"));
    }

    #[test]
    fn an_address_is_shown_without_its_keys() {
        assert_eq!(shown("https://crm.example/hooks?key=geheim#x"), "https://crm.example/hooks");
        assert_eq!(shown(&format!("https://{}", "x".repeat(900))).len(), 200);
    }
}
