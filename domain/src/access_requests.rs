//! Requests: what somebody lacks they ask for, and whoever could give it decides. Asking gives nothing
//! by itself (rule 15); what is given is given by `users`, as if it came from whoever gives it.

use std::time::Duration;

use model::{
    Access, AccessRequestId, AccessRequestState, ActivityKind, Actor, Area, AskedFor, Conflict,
    Failure, Field, FieldErrors, FieldProblem, Limited, Mail, Noted, NotedGrant, On, Permission,
    Terms, Timestamp, Until, UserId, one_line,
};
pub use store::{AccessRequest, Thing};
use store::{
    AccessRequestAnswer, AccessRequestFacts, AskFacts, Bound, Giver, LockedActor, NewAccessRequest,
    NewActivity, NewMail,
};
use uuid::Uuid;

use crate::giving::{self, LONGEST_WHY, Start};
use crate::{Client, Latchkey, areas};

/// How many requests somebody can make in an account,
const MOST: u32 = 10;
/// in a time of this length.
const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// How many people are told of a request.
const MOST_TOLD: usize = 20;

/// How many of them whoever asks is shown by name.
const NAMED: usize = 3;

/// Of how many of their requests somebody is told how they stand.
const REMEMBERED: usize = 50;

/// How many requests User management shows.
const SHOWN: usize = 50;

/// How long the words to somebody whose request is declined can be, in characters.
pub const LONGEST_WORDS: usize = 200;

/// What somebody asks for, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The permission's id.
    pub permission: String,
    /// The service's id; empty for none.
    pub service: String,
    /// The domain's id; empty for none.
    pub domain: String,
    /// Why.
    pub why: String,
    /// The last day, such as `2027-01-31`; empty is without end.
    pub until: String,
}

impl Wanted {
    /// The service or domain that is named, which must be of the permission's area.
    fn thing(&self, permission: Permission) -> Result<Option<Uuid>, Failure> {
        let (service, domain) = (self.service.as_str(), self.domain.as_str());
        let (named, others) = match permission.area() {
            Area::Services => (service, [domain, ""]),
            Area::Domains => (domain, [service, ""]),
            Area::Billing | Area::Support | Area::Account => ("", [service, domain]),
        };
        if others.iter().any(|other| !other.is_empty()) {
            return Err(Failure::NotFound);
        }
        if named.is_empty() {
            return Ok(None);
        }
        named.parse().map(Some).map_err(|_| Failure::NotFound)
    }
}

/// What a form for asking is made of.
#[derive(Clone, Debug)]
pub struct Asking {
    /// The permission that is asked for.
    pub permission: Permission,
    /// The permissions of its area that the actor lacks there.
    pub lacking: Vec<Permission>,
    /// The service or domain that it is about; none for all.
    pub thing: Option<Thing>,
    /// The request for it, as [`own`] finds it.
    pub newest: Option<AccessRequest>,
}

/// What the actor can ask for who wants this.
///
/// # Errors
/// [`Failure::NotFound`] for what is no permission, and for a thing that isn't there or is out of the
/// actor's reach; [`Conflict::HeldAlready`] for what they can do already; [`Failure::Unavailable`].
pub async fn asking(
    latchkey: &Latchkey,
    actor: &Actor,
    wanted: &Wanted,
) -> Result<Asking, Failure> {
    let permission: Permission = wanted.permission.parse().map_err(|_| Failure::NotFound)?;
    let area = permission.area();
    let unseen = |failure| match failure {
        Failure::NotAllowed(_) => Failure::NotFound,
        failure => failure,
    };
    let (thing, lacking) = match (wanted.thing(permission)?, area) {
        (Some(id), Area::Services) => {
            let found = areas::find_service(latchkey, actor, &id.to_string()).await;
            let found = found.map_err(unseen)?;
            let lacking = lacking(actor, area, Some(On::Service(&found.named_by)));
            (Some(Thing { id: found.id, name: found.name }), lacking)
        }
        (Some(id), _) => {
            let found = areas::domain(latchkey, actor, &id.to_string()).await.map_err(unseen)?;
            let lacking = lacking(actor, area, Some(On::Domain(&found.named_by)));
            (Some(Thing { id: found.id, name: found.name }), lacking)
        }
        (None, _) => (None, lacking(actor, area, None)),
    };
    if !lacking.contains(&permission) {
        return Err(Failure::Conflict(Conflict::HeldAlready));
    }
    let newest = own(latchkey, actor, permission).await?;
    Ok(Asking { permission, lacking, thing, newest })
}

/// The permissions of an area that the actor lacks on this; on anything, where nothing is named.
#[must_use]
pub fn lacking(actor: &Actor, area: Area, on: Option<On<'_>>) -> Vec<Permission> {
    let lacks = |permission: &Permission| match on {
        Some(on) => !actor.may(*permission, on),
        None => actor.reach(*permission).is_err(),
    };
    area.permissions().filter(lacks).collect()
}

/// The actor's request for the permission, or for one that brings it: the one that waits for an answer,
/// or else the newest.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn own(
    latchkey: &Latchkey,
    actor: &Actor,
    permission: Permission,
) -> Result<Option<AccessRequest>, Failure> {
    // What was asked for with these eyes, and what was said to it, is between two others.
    if actor.eyes.is_some() {
        return Ok(None);
    }
    let found = latchkey.store.access_requests_of(actor.account, actor.user, REMEMBERED).await?;
    let mut meant: Vec<_> =
        found.into_iter().filter(|request| brings(request, permission)).collect();
    meant.sort_by_key(|request| request.state != AccessRequestState::Open);
    meant.truncate(1);
    without_unseen(latchkey, actor, &mut meant).await?;
    Ok(meant.pop())
}

/// Whether somebody would have the permission if they were given what they ask for.
#[must_use]
pub fn brings(request: &AccessRequest, permission: Permission) -> bool {
    request.terms().permissions.contains(permission)
}

/// The actor's open requests, at most one for each permission.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn own_open(latchkey: &Latchkey, actor: &Actor) -> Result<Vec<AccessRequest>, Failure> {
    if actor.eyes.is_some() {
        return Ok(Vec::new());
    }
    let mut open = latchkey.store.open_access_requests_of(actor.account, actor.user).await?;
    without_unseen(latchkey, actor, &mut open).await?;
    Ok(open)
}

/// Takes the things out of the actor's own requests that they don't see any more: their names may have
/// changed since.
async fn without_unseen(
    latchkey: &Latchkey,
    actor: &Actor,
    requests: &mut [AccessRequest],
) -> Result<(), Failure> {
    if requests.iter().all(|request| request.thing.is_none()) {
        return Ok(());
    }
    let access = giving::own(latchkey, actor).await?;
    for request in requests {
        let thing = request.thing.as_ref().map(|thing| thing.id);
        if thing.is_some() && !sees(&access, request.permission.area(), thing) {
            request.thing = None;
        }
    }
    Ok(())
}

/// Asks for a permission. Whoever could give exactly that is told by mail; answers who, by name, the
/// first of them.
///
/// # Errors
/// [`Failure::Invalid`]; [`Failure::NotFound`] for a thing that isn't there or is out of the actor's
/// reach; [`Conflict::HeldAlready`]; [`Conflict::AskedAlready`]; [`Failure::TooMany`];
/// [`Conflict::ChangedMeanwhile`] when the actor's access was paused just now;
/// [`Failure::Unavailable`].
pub async fn ask(
    latchkey: &Latchkey,
    actor: &Actor,
    wanted: &Wanted,
    client: &Client,
) -> Result<Vec<String>, Failure> {
    let mut errors = FieldErrors::default();
    let permission = wanted.permission.parse::<Permission>().map_err(|_| FieldProblem::Unknown);
    let permission = errors.take(Field::Permission, permission);
    let why = errors.take(Field::Why, one_line(&wanted.why, LONGEST_WHY));
    let until = match wanted.until.trim() {
        "" => Ok(None),
        day => {
            let zone = giving::zone(latchkey, actor.account).await?;
            giving::day(day, &zone, latchkey.now()).map(end_of)
        }
    };
    let until = errors.take(Field::Until, until);
    let (Some(permission), Some(why), Some(until)) = (permission, why, until) else {
        return Err(errors.into_failure());
    };
    let thing = wanted.thing(permission)?;
    let (account, now) = (actor.account, latchkey.now());
    let mut told = Vec::new();
    let decide = |facts: &AskFacts| {
        may_ask(facts, permission, thing)?;
        let terms = Terms::one(permission, thing, until);
        let givers = givers(facts, &terms);
        let names = givers.iter().map(|giver| giver.person.full_name.clone());
        told = names.take(NAMED).collect();
        let mail = asking_mail(facts, permission, until, &why);
        let mail = |giver: &&Giver| {
            NewMail::to(giver.person.email.clone(), mail.clone()).language(client.language.clone())
        };
        Ok(NewAccessRequest {
            until,
            told: told.clone(),
            entry: entry(&facts.by, ActivityKind::AccessRequested, &terms, &why, client),
            mails: givers.iter().map(mail).collect(),
            bounds: vec![bound(actor)],
            why,
        })
    };
    latchkey.store.ask_for_access(account, actor.user, permission, thing, now, decide).await?;
    Ok(told)
}

fn end_of(until: Until) -> Option<Timestamp> {
    match until {
        Until::Day { end, .. } => Some(end),
        Until::Unsaid | Until::Endless => None,
    }
}

/// Whether somebody may ask for a permission on this, or on all: they lack it, and see the thing.
fn may_ask(facts: &AskFacts, permission: Permission, thing: Option<Uuid>) -> Result<(), Failure> {
    if facts.paused {
        return Err(Failure::Conflict(Conflict::ChangedMeanwhile));
    }
    let access = &facts.by.access;
    if thing.is_some() && (facts.thing.is_none() || !sees(access, permission.area(), thing)) {
        return Err(Failure::NotFound);
    }
    if access.opens(permission, thing) {
        return Err(Failure::Conflict(Conflict::HeldAlready));
    }
    if facts.waits {
        return Err(Failure::Conflict(Conflict::AskedAlready));
    }
    Ok(())
}

/// Whether somebody with this access sees a service or a domain.
fn sees(access: &Access, area: Area, thing: Option<Uuid>) -> bool {
    let seeing = match area {
        Area::Services => Permission::ServicesView,
        Area::Domains => Permission::DomainsView,
        Area::Billing | Area::Support | Area::Account => return false,
    };
    access.opens(seeing, thing)
}

/// Who could give exactly that, and so is told that it is asked for.
fn givers<'a>(facts: &'a AskFacts, terms: &Terms) -> Vec<&'a Giver> {
    let could = |giver: &&Giver| giver.access.lacks(terms).is_none();
    facts.givers.iter().filter(could).take(MOST_TOLD).collect()
}

fn asking_mail(
    facts: &AskFacts,
    permission: Permission,
    until: Option<Timestamp>,
    why: &str,
) -> Mail {
    let asked = AskedFor {
        name: facts.by.name.clone().into(),
        email: (&facts.email).into(),
        permission,
        thing: facts.thing.as_ref().map(|thing| thing.name.clone().into()),
        until,
        why: why.into(),
    };
    let account = facts.by.account_name.clone().into();
    Mail::AccessRequested { account, account_number: facts.number, asked: vec![asked] }
}

/// What is asked for, or was, and why that, in the log.
fn entry(
    by: &LockedActor,
    kind: ActivityKind,
    terms: &Terms,
    why: &str,
    client: &Client,
) -> NewActivity {
    let noted: Noted = std::iter::once(NotedGrant::of(terms, why)).collect();
    by.entry(kind, &client.address).after(noted)
}

/// How many requests the actor can make in the account.
fn bound(actor: &Actor) -> Bound {
    let (account, user) = (Uuid::from(actor.account), Uuid::from(actor.user));
    let key = format!("access_requests:{account}:{user}");
    Bound { key, most: MOST, window: WINDOW, of: Limited::AccessRequests }
}

/// A request that waits for an answer.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The request. It doesn't name a thing that the actor doesn't see.
    pub request: AccessRequest,
    /// Whether it is about a thing that the actor doesn't see.
    pub unseen: bool,
    /// Whether it is the actor's own.
    pub own: bool,
    /// Why the actor can't give it; none if they can.
    pub lacks: Option<Failure>,
}

/// The open requests of the account, oldest first, the first of them.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn waiting(latchkey: &Latchkey, actor: &Actor) -> Result<Vec<Waiting>, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let found = latchkey.store.open_access_requests(actor.account, SHOWN, latchkey.now()).await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let access = giving::own(latchkey, actor).await?;
    Ok(found.into_iter().map(|request| seen_by(actor, &access, request)).collect())
}

/// The request as the actor, who holds this, is shown it.
fn seen_by(actor: &Actor, access: &Access, mut request: AccessRequest) -> Waiting {
    let own = request.user == actor.seen_as();
    let lacks = match own {
        true => Some(Failure::Conflict(Conflict::OwnPermissions)),
        false => access.lacks(&request.terms()).map(Failure::from),
    };
    let thing = request.thing.as_ref().map(|thing| thing.id);
    let unseen = thing.is_some() && !sees(access, request.permission.area(), thing);
    if unseen {
        request.thing = None;
    }
    Waiting { request, unseen, own, lacks }
}

/// A request that waits for an answer, as the page for declining shows it.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`] for one that isn't the account's;
/// [`Conflict::OwnPermissions`] for the actor's own; [`Conflict::RequestOver`] for one that isn't open
/// any more; [`Failure::Unavailable`].
pub async fn find(latchkey: &Latchkey, actor: &Actor, id: &str) -> Result<Waiting, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let found = latchkey.store.access_request(actor.account, parse(id)?).await?;
    let found = found.ok_or(Failure::NotFound)?;
    if found.user == actor.user {
        return Err(Failure::Conflict(Conflict::OwnPermissions));
    }
    if found.state != AccessRequestState::Open {
        return Err(Failure::Conflict(Conflict::RequestOver));
    }
    Ok(seen_by(actor, &giving::own(latchkey, actor).await?, found))
}

fn parse(id: &str) -> Result<AccessRequestId, Failure> {
    id.parse::<Uuid>().map(AccessRequestId::from).map_err(|_| Failure::NotFound)
}

/// Declines a request, with words to whoever asked, who is told by mail. Answers their name.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::Invalid`] for words that can't be such; [`Failure::NotFound`]
/// for one that isn't the account's; [`Conflict::OwnPermissions`] for the actor's own;
/// [`Conflict::RequestOver`] for one that isn't open any more; [`Failure::Unavailable`].
pub async fn decline(
    latchkey: &Latchkey,
    actor: &Actor,
    id: &str,
    words: &str,
    client: &Client,
) -> Result<String, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let id = parse(id)?;
    let words = match one_line(words, LONGEST_WORDS) {
        Err(FieldProblem::Missing) => String::new(),
        words => words.map_err(|problem| Failure::field(Field::Words, problem))?,
    };
    let mut name = String::new();
    let decide = |facts: &AccessRequestFacts| {
        let (by, request) = (&facts.by, &facts.request);
        by.actor.must(Permission::AccountUsers, On::Account)?;
        if request.user == by.actor.user {
            return Err(Failure::Conflict(Conflict::OwnPermissions));
        }
        name.clone_from(&request.person.full_name);
        let kind = ActivityKind::AccessRequestDeclined;
        let entry = entry(by, kind, &request.terms(), &words, client);
        Ok(AccessRequestAnswer {
            state: AccessRequestState::Declined,
            entry: Some(entry.about(Some(request.user), &request.person.full_name)),
            mail: Some(declining_mail(facts, &words, client)),
            words,
        })
    };
    let (account, now) = (actor.account, latchkey.now());
    latchkey.store.answer_access_request(account, actor.user, id, now, decide).await?;
    Ok(name)
}

fn declining_mail(facts: &AccessRequestFacts, words: &str, client: &Client) -> NewMail {
    let AccessRequestFacts { by, request } = facts;
    let mail = Mail::AccessRequestDeclined {
        account: by.account_name.clone().into(),
        declined_by: by.name.clone().into(),
        permission: request.permission,
        thing: request.thing.as_ref().map(|thing| thing.name.clone().into()),
        words: words.into(),
    };
    NewMail::to(request.person.email.clone(), mail).language(client.language.clone())
}

/// Takes the actor's own request back.
///
/// # Errors
/// [`Failure::NotFound`] for one that isn't theirs; [`Conflict::RequestOver`] for one that isn't open
/// any more; [`Failure::Unavailable`].
pub async fn withdraw(latchkey: &Latchkey, actor: &Actor, id: &str) -> Result<(), Failure> {
    let decide = |facts: &AccessRequestFacts| {
        if facts.request.user != facts.by.actor.user {
            return Err(Failure::NotFound);
        }
        let state = AccessRequestState::Withdrawn;
        Ok(AccessRequestAnswer { state, words: String::new(), entry: None, mail: None })
    };
    let (account, id, now) = (actor.account, parse(id)?, latchkey.now());
    latchkey.store.answer_access_request(account, actor.user, id, now, decide).await
}

/// What the form for giving begins with when somebody's request is to be given.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`] when it isn't an open request of that user in this
/// account; [`Failure::Unavailable`].
pub async fn start(
    latchkey: &Latchkey,
    actor: &Actor,
    user: UserId,
    id: &str,
) -> Result<Start, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let found = latchkey.store.access_request(actor.account, parse(id)?).await?;
    let now = latchkey.now();
    let is_open = |found: &AccessRequest| {
        found.state == AccessRequestState::Open && found.until.is_none_or(|until| now < until)
    };
    let is_meant = |found: &AccessRequest| found.user == user && is_open(found);
    let found = found.filter(is_meant).ok_or(Failure::NotFound)?;
    Ok(Start { terms: found.terms(), why: found.why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_of_the_permissions_area_or_isnt_there() {
        let id = Uuid::from_u128(7);
        let text = id.to_string();
        let thing = |permission, service: &str, domain: &str| {
            let (service, domain) = (service.to_owned(), domain.to_owned());
            Wanted { service, domain, ..Wanted::default() }.thing(permission)
        };
        let (manage, dns, pay) =
            (Permission::ServicesManage, Permission::DomainsManage, Permission::BillingPay);
        for permission in [manage, dns, pay] {
            assert_eq!(thing(permission, "", ""), Ok(None));
            assert_eq!(thing(permission, &text, &text), Err(Failure::NotFound));
        }
        assert_eq!(thing(manage, &text, ""), Ok(Some(id)));
        assert_eq!(thing(dns, "", &text), Ok(Some(id)));
        for (permission, service, domain) in [
            (manage, "", text.as_str()),
            (dns, text.as_str(), ""),
            (pay, text.as_str(), ""),
            (pay, "", text.as_str()),
            (manage, "webshop", ""),
        ] {
            assert_eq!(thing(permission, service, domain), Err(Failure::NotFound), "{permission}");
        }
    }
}
