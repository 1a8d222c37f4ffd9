//! Who reaches what: asked about a permission, a service or a domain, and the other way round about
//! somebody's things.

use model::{
    Actor, Area, Cursor, Failure, ListPlace, On, PAGE_SIZE, Permission, Reached, Scope, Through,
};
use store::Reachable;
pub use store::{GrantRow, ReachedThings, Reaching, Thing};
use uuid::Uuid;

use crate::Latchkey;
use crate::areas::{self, ThingsPage};
use crate::listing::UserSort;
use crate::users::{self, Member};

/// How many things of an area somebody's page names; a list of its own has all.
const MOST_NAMED: usize = 20;

/// One page of those who reach something.
#[derive(Clone, Debug)]
pub struct ReachingPage {
    /// The users, by name.
    pub users: Vec<Reaching>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// A thing, and who reaches it.
#[derive(Clone, Debug)]
pub struct ReachedThing {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Who reaches it.
    pub page: ReachingPage,
}

/// Who has this permission on anything.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`] for what is no permission;
/// [`Failure::Unavailable`].
pub async fn having(
    latchkey: &Latchkey,
    actor: &Actor,
    permission: &str,
    after: Option<&Cursor>,
) -> Result<(Permission, ReachingPage), Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let permission: Permission = permission.parse().map_err(|_| Failure::NotFound)?;
    let page = reaching(latchkey, actor, Reachable::Permission(permission), after).await?;
    Ok((permission, page))
}

/// Who reaches one of the services that the actor may see.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`] for one that isn't there, or is out of the actor's
/// reach; [`Failure::Unavailable`].
pub async fn service(
    latchkey: &Latchkey,
    actor: &Actor,
    service: &str,
    after: Option<&Cursor>,
) -> Result<ReachedThing, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let found = areas::find_service(latchkey, actor, service).await?;
    let page = reaching(latchkey, actor, Reachable::Service(found.id), after).await?;
    Ok(ReachedThing { id: found.id, name: found.name, page })
}

/// Who reaches one of the domains that the actor may see.
///
/// # Errors
/// As [`service`].
pub async fn domain(
    latchkey: &Latchkey,
    actor: &Actor,
    domain: &str,
    after: Option<&Cursor>,
) -> Result<ReachedThing, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let found = areas::domain(latchkey, actor, domain).await?;
    let page = reaching(latchkey, actor, Reachable::Domain(found.id), after).await?;
    Ok(ReachedThing { id: found.id, name: found.name, page })
}

async fn reaching(
    latchkey: &Latchkey,
    actor: &Actor,
    what: Reachable,
    after: Option<&Cursor>,
) -> Result<ReachingPage, Failure> {
    let (account, now) = (actor.account, latchkey.now());
    let mut users = latchkey.store.reaching(account, what, after, PAGE_SIZE + 1, now).await?;
    let more = users.len() > PAGE_SIZE;
    users.truncate(PAGE_SIZE);
    let next = users.last().filter(|_| more).map(|last| last.member.cursor(UserSort::Name));
    Ok(ReachingPage { users, next })
}

/// What somebody reaches of the services and domains that the actor may see, by area. An area is left
/// out where the actor sees nothing of it, or the other has no permission about it.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn things_of(
    latchkey: &Latchkey,
    actor: &Actor,
    member: &Member,
) -> Result<Vec<(Area, ReachedThings)>, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let mut found = Vec::new();
    for area in [Area::Services, Area::Domains] {
        let Ok(own) = actor.reach(seeing(area)?) else { continue };
        let Some(theirs) = scope(latchkey, member, area) else { continue };
        let (scopes, place) = ([&own, &theirs], ListPlace::First);
        found.push((area, reached(latchkey, actor, area, scopes, &place, MOST_NAMED).await?));
    }
    Ok(found)
}

/// What somebody reaches of an area's things that the actor may see: one page by name.
#[derive(Clone, Debug)]
pub struct ThingsOf {
    /// Whose it is.
    pub member: Member,
    /// The area.
    pub area: Area,
    /// The things.
    pub things: ThingsPage<Thing>,
}

/// What somebody reaches of the services or domains that the actor may see, a page of it.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`] for whoever isn't in this account, and for an area
/// without things; [`Failure::Unavailable`].
pub async fn page_of(
    latchkey: &Latchkey,
    actor: &Actor,
    (user, area): (&str, &str),
    mut place: ListPlace,
) -> Result<ThingsOf, Failure> {
    let member = users::member(latchkey, actor, user).await?;
    let area = Area::ALL.into_iter().find(|known| known.id() == area).ok_or(Failure::NotFound)?;
    let own = actor.reach(seeing(area)?)?;
    let found = match scope(latchkey, &member, area) {
        None => ReachedThings::default(),
        Some(theirs) => {
            let scopes = [&own, &theirs];
            let found = reached(latchkey, actor, area, scopes, &place, PAGE_SIZE + 1).await?;
            // What stood there has gone.
            if found.things.is_empty() && place != ListPlace::First {
                place = ListPlace::First;
                reached(latchkey, actor, area, scopes, &place, PAGE_SIZE + 1).await?
            } else {
                found
            }
        }
    };
    let ReachedThings { things, count } = found;
    let page = place.page(things, PAGE_SIZE, |thing| areas::standing(thing.id, &thing.name));
    Ok(ThingsOf { member, area, things: ThingsPage { page, count } })
}

/// The permission to see an area's things.
fn seeing(area: Area) -> Result<Permission, Failure> {
    match area {
        Area::Services => Ok(Permission::ServicesView),
        Area::Domains => Ok(Permission::DomainsView),
        Area::Billing | Area::Support | Area::Account => Err(Failure::NotFound),
    }
}

/// The things of an area that both scopes open.
async fn reached(
    latchkey: &Latchkey,
    actor: &Actor,
    area: Area,
    scopes: [&Scope; 2],
    place: &ListPlace,
    most: usize,
) -> Result<ReachedThings, Failure> {
    let (store, account) = (&latchkey.store, actor.account);
    match area {
        Area::Domains => store.reached_domains(account, scopes, place, most).await,
        _ => store.reached_services(account, scopes, place, most).await,
    }
}

/// What somebody's grants that haven't lapsed open in an area, which is nothing while their access is
/// paused; none if they have no permission there.
fn scope(latchkey: &Latchkey, member: &Member, area: Area) -> Option<Scope> {
    let (held, now) = (&member.held, latchkey.now());
    if held.is_owner() {
        return Some(Scope::All);
    }
    let opens = held.grants().iter().filter(|grant| {
        let live = grant.outline.until.is_none_or(|until| now < until);
        live && grant.outline.permissions.in_area(area).next().is_some()
    });
    let opens: Vec<_> = opens.collect();
    let through = |permissions| {
        let (user, at) = (member.user, now);
        let scope = Scope::Through(Through { user, permissions, draft: None, at });
        (!opens.is_empty()).then_some(scope)
    };
    if member.paused.is_some() {
        return through(Vec::new());
    }
    let reached = |outline: &model::Outline| match area {
        Area::Services => outline.services,
        _ => outline.domains,
    };
    if opens.iter().any(|grant| reached(&grant.outline) == Reached::All) {
        return Some(Scope::All);
    }
    let of_area = Permission::ALL.into_iter().filter(|permission| permission.area() == area);
    through(of_area.collect())
}
