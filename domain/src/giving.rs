//! Giving: what a form asks to be given, read from what was typed, and what there is to choose from.
//! Whether it can be given is decided under lock, where it is done.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{
    Access, AccountId, Actor, Area, Eyes, Failure, Field, FieldErrors, FieldProblem, Permission,
    PermissionSet, Reach, Scope, Terms, Timestamp, Until, Which, Wish, one_line,
};
use sha2::{Digest as _, Sha256};
use store::Grant;
use uuid::Uuid;

use crate::digests::write_hash;
use crate::{Latchkey, zones};

/// How many services, and how many domains, can be chosen from at once: of more, those that are
/// searched for.
const MOST: usize = 200;

/// How many of the things are named on which the actor has a permission.
const MOST_NAMED: usize = 3;

/// How many characters a reason may have.
pub(crate) const LONGEST_WHY: usize = 200;

/// How far away an end may be: ten years.
pub(crate) const FARTHEST: Duration = Duration::from_secs(3653 * 24 * 60 * 60);

/// What a form for giving holds, as it was typed. A field that the form doesn't have, or that can't be
/// changed, is none.
#[derive(Clone, Debug, Default)]
pub struct Wished {
    /// The permissions whose boxes are ticked.
    pub permissions: Vec<String>,
    /// `all` services, also those to come, or `these`.
    pub services: Option<String>,
    /// The services whose boxes are ticked.
    pub service: Vec<String>,
    /// `all` domains, also those to come, or `these`.
    pub domains: Option<String>,
    /// The domains whose boxes are ticked.
    pub domain: Vec<String>,
    /// The last day, such as `2027-01-31`; empty is without end.
    pub until: Option<String>,
    /// Why it is given.
    pub why: Option<String>,
}

/// These permissions, of which no more is said.
impl From<&[Permission]> for Wished {
    fn from(permissions: &[Permission]) -> Self {
        let permissions = permissions.iter().map(|permission| permission.id().to_owned());
        Self { permissions: permissions.collect(), ..Self::default() }
    }
}

/// What was typed, read.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    /// What is wanted.
    pub(crate) wish: Wish,
    /// Why, if that was said; empty takes it back.
    pub(crate) why: Option<String>,
}

/// Reads what a form for giving something new holds; what is wrong is noted. None if that is something.
///
/// # Errors
/// [`Failure::Unavailable`].
pub(crate) async fn read(
    latchkey: &Latchkey,
    actor: &Actor,
    wished: &Wished,
    errors: &mut FieldErrors,
) -> Result<Option<Read>, Failure> {
    read_for(latchkey, actor, wished, None, errors).await
}

/// The same for changing what was given until then.
///
/// # Errors
/// [`Failure::Unavailable`].
pub(crate) async fn read_for(
    latchkey: &Latchkey,
    actor: &Actor,
    wished: &Wished,
    ends: Option<Timestamp>,
    errors: &mut FieldErrors,
) -> Result<Option<Read>, Failure> {
    let ticks = wished.permissions.iter().map(|id| id.parse::<Permission>());
    let ticks = ticks.collect::<Result<Vec<_>, _>>().map_err(|_| FieldProblem::Unknown);
    let ticks = errors.take(Field::Permissions, ticks);
    let services = which(wished.services.as_deref(), &wished.service);
    let services = errors.take(Field::WhichServices, services);
    let domains = which(wished.domains.as_deref(), &wished.domain);
    let domains = errors.take(Field::WhichDomains, domains);
    let until = match wished.until.as_deref() {
        None => Ok(Until::Unsaid),
        Some(text) if text.trim().is_empty() => Ok(Until::Endless),
        Some(text) => {
            day_or_same(text, ends, &zone(latchkey, actor.account).await?, latchkey.now())
        }
    };
    let until = errors.take(Field::Until, until);
    let why = match wished.why.as_deref().map(|why| one_line(why, LONGEST_WHY)) {
        None => Ok(None),
        Some(Err(FieldProblem::Missing)) => Ok(Some(String::new())),
        Some(why) => why.map(Some),
    };
    let why = errors.take(Field::Why, why);
    let (Some(ticks), Some(services), Some(domains), Some(until), Some(why)) =
        (ticks, services, domains, until, why)
    else {
        return Ok(None);
    };
    let services = still_there(latchkey, actor, Area::Services, services).await?;
    let domains = still_there(latchkey, actor, Area::Domains, domains).await?;
    Ok(Some(Read { wish: Wish { ticks, services, domains, until }, why }))
}

fn which(which: Option<&str>, ids: &[String]) -> Result<Which, FieldProblem> {
    match which {
        None => Ok(Which::Unsaid),
        Some("all") => Ok(Which::All),
        Some("these") => {
            let ids = ids.iter().map(|id| Uuid::parse_str(id));
            ids.collect::<Result<_, _>>().map(Which::These).map_err(|_| FieldProblem::Unknown)
        }
        Some(_) => Err(FieldProblem::Unknown),
    }
}

/// Without what was deleted since the form was shown. To somebody who doesn't reach all, what isn't
/// there is like what they don't reach: that is decided on later.
async fn still_there(
    latchkey: &Latchkey,
    actor: &Actor,
    area: Area,
    which: Which,
) -> Result<Which, Failure> {
    match which {
        Which::These(ids) if matches!(scope(actor, area), Some(Scope::All)) => {
            latchkey.store.there(actor.account, area, &ids).await.map(Which::These)
        }
        which => Ok(which),
    }
}

/// Which things of the area the actor sees; none if they see nothing of it.
fn scope(actor: &Actor, area: Area) -> Option<Scope> {
    let seeing = match area {
        Area::Services => Permission::ServicesView,
        Area::Domains => Permission::DomainsView,
        Area::Billing | Area::Support | Area::Account => return None,
    };
    actor.reach(seeing).ok()
}

/// A day as it was typed, in this time zone. The last one before the end that there is, as the form
/// showed it, says nothing: also when it is over.
fn day_or_same(
    text: &str,
    ends: Option<Timestamp>,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Until, FieldProblem> {
    match ends {
        Some(end) if text.trim() == last_day(end, zone) => Ok(Until::Unsaid),
        _ => day(text, zone, now),
    }
}

/// A day as it was typed, in this time zone.
pub(crate) fn day(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Until, FieldProblem> {
    let day = Date::strptime("%Y-%m-%d", text.trim()).map_err(|_| FieldProblem::Malformed)?;
    let begin = begin(day, zone).ok_or(FieldProblem::TooFar)?;
    let next = day.tomorrow().ok().and_then(|next| self::begin(next, zone));
    let end = next.ok_or(FieldProblem::TooFar)?;
    if end <= now {
        Err(FieldProblem::Past)
    } else if end > now.after(FARTHEST) {
        Err(FieldProblem::TooFar)
    } else {
        Ok(Until::Day { begin, end })
    }
}

/// A day's first moment.
pub(crate) fn begin(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let begin = day.to_zoned_datetime(zone.clone()).ok()?;
    Some(Timestamp::from_micros(begin.timestamp().as_microsecond()))
}

/// The day that a moment is in.
pub(crate) fn day_of(at: Timestamp, zone: &TimeZone) -> Date {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    at.to_zoned_datetime(zone.clone()).date()
}

/// The end of the day that a moment is in.
pub(crate) fn end_of_day(at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    begin(day_of(at, zone).tomorrow().ok()?, zone)
}

/// The last day before an end, as a form holds it.
fn last_day(end: Timestamp, zone: &TimeZone) -> String {
    day_of(Timestamp::from_micros(end.as_micros().saturating_sub(1)), zone).to_string()
}

/// The time zone in which the account's days end: its own, or else the provider's.
pub(crate) async fn zone(latchkey: &Latchkey, account: AccountId) -> Result<TimeZone, Failure> {
    let own = latchkey.store.time_zone(account).await?;
    Ok(zones::first(own.iter().chain([&latchkey.settings.time_zone]).map(String::as_str)))
}

/// What a form for giving was made of, to notice that somebody else changed it: its terms, and behind
/// a hash sign what no outline tells.
#[must_use]
pub fn made_of(grant: Option<&Grant>) -> String {
    grant.map_or_else(String::new, |grant| made_of_terms(&grant.terms, &grant.why))
}

/// The same of terms, given or offered for this reason.
pub(crate) fn made_of_terms(terms: &Terms, why: &str) -> String {
    let mut untold = Sha256::new();
    for reach in [&terms.services, &terms.domains] {
        let Reach::These(ids) = reach else { continue };
        ids.iter().for_each(|id| untold.update(id.as_bytes()));
        untold.update([0]);
    }
    untold.update(why);
    let outline = terms.outline();
    if outline.is_whole() && why.is_empty() {
        return outline.to_string();
    }
    let hash: Vec<u8> = untold.finalize().into_iter().take(8).collect();
    format!("{outline} #{}", write_hash(&hash))
}

/// What somebody looks for and has ticked, in a form that comes back to them.
#[derive(Clone, Debug, Default)]
pub struct Sought {
    /// What names of services are to hold.
    pub services: String,
    /// What names of domains are to hold.
    pub domains: String,
    /// The ids of the things that are ticked.
    pub ticked: BTreeSet<Uuid>,
    /// What they choose to begin with; empty if they don't.
    pub start: String,
}

/// A service or domain that can be chosen, or not.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Whether it is reached by now.
    pub reached: bool,
    /// Whether that can be changed.
    pub movable: bool,
}

/// What there is to choose from in an area.
#[derive(Clone, Debug)]
pub struct Choices {
    /// The things that are shown.
    pub things: Vec<Choice>,
    /// How many there are for the actor, whether they are shown or not.
    pub total: u32,
    /// Whether there are more of what is looked for than are shown.
    pub more: bool,
    /// How many are reached that the actor doesn't see.
    pub unseen: usize,
    /// Whether all are reached, also those to come.
    pub all: bool,
    /// Whether all can be chosen.
    pub can_all: bool,
    /// Whether some can be chosen.
    pub can_these: bool,
    /// Whether all can be given with some of the permissions only that the actor holds about them.
    pub mixed: bool,
}

/// What the actor has a permission on that they don't have on everything, or that ends.
#[derive(Clone, Debug)]
pub struct Hold {
    /// The permission.
    pub permission: Permission,
    /// How many things, and the first of them by name; none for all.
    pub things: Option<(usize, Vec<String>)>,
    /// When it ends, if it does.
    pub until: Option<Timestamp>,
}

/// What a form for giving is made of, besides permissions.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// The services.
    pub services: Choices,
    /// The domains.
    pub domains: Choices,
    /// What bounds the permissions that the actor holds.
    pub holds: Vec<Hold>,
    /// The last day before the end, such as `2027-01-31`; empty is without end.
    pub until: String,
    /// Whether the end can be changed.
    pub until_movable: bool,
    /// The last day that the actor can choose, if there is one.
    pub latest: Option<String>,
    /// Whether the end is that of what the actor holds shortest, and of other permissions a later one, or
    /// none, can be chosen.
    pub soonest: bool,
    /// A week, a month and a year from today.
    pub ahead: [String; 3],
    /// Why it was given.
    pub why: String,
}

/// What a form for giving something new begins with, as far as it can be given: nothing stays linked to
/// where it comes from.
#[derive(Clone, Debug)]
pub struct Start {
    /// The terms. An end that has come is refused until another is chosen.
    pub terms: Terms,
    /// Why.
    pub why: String,
}

impl Default for Start {
    fn default() -> Self {
        Self { terms: Terms::whole(PermissionSet::EMPTY), why: String::new() }
    }
}

/// What the actor holds at this moment, by name: what they can give is measured by it. Through somebody
/// else's eyes it is what both hold.
pub(crate) async fn own(latchkey: &Latchkey, actor: &Actor) -> Result<Access, Failure> {
    let (account, now) = (actor.account, latchkey.now());
    let own = latchkey.store.holding(account, actor.user, actor.keys.is_owner()).await?;
    let own = own.access().live(now);
    let Some(eyes) = &actor.eyes else { return Ok(own) };
    if eyes.are_closed() {
        return Ok(Access::NONE);
    }
    let theirs = held_by(latchkey, account, eyes).await?;
    Ok(own.within(&theirs.live(now)))
}

/// What the owner of eyes holds by name, or would with the draft.
pub(crate) async fn held_by(
    latchkey: &Latchkey,
    account: AccountId,
    eyes: &Eyes,
) -> Result<Access, Failure> {
    let holding = latchkey.store.holding(account, eyes.user, eyes.keys.is_owner()).await?;
    let Some(draft) = eyes.draft.filter(|_| !eyes.keys.is_owner()) else {
        return Ok(holding.access());
    };
    let kept = holding.grants().iter().filter(|grant| draft.changes != Some(grant.id));
    let kept = kept.map(|grant| grant.terms.clone());
    Ok(kept.chain(latchkey.store.draft_terms(draft.id).await?).collect())
}

/// What the actor can choose from who wants to give something new.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn bounds_of_new(
    latchkey: &Latchkey,
    actor: &Actor,
    start: &Start,
    sought: &Sought,
) -> Result<Bounds, Failure> {
    let own = own(latchkey, actor).await?;
    let nothing = Terms::whole(PermissionSet::EMPTY);
    let begun = [&start.terms.services, &start.terms.domains].into_iter().flat_map(named);
    let sought = Sought { ticked: begun.chain(sought.ticked.clone()).collect(), ..sought.clone() };
    let mut bounds = bounds(latchkey, actor, &own, &nothing, &start.why, &sought).await?;
    begin_with(&mut bounds.services, &start.terms.services);
    begin_with(&mut bounds.domains, &start.terms.domains);
    if let Some(until) = start.terms.until {
        let zone = zone(latchkey, actor.account).await?;
        // As long as what is begun with can be given together.
        let longest = own.longest(start.terms.permissions).or_else(|| own.ends());
        bounds.until = last_day(longest.map_or(until, |end| end.min(until)), &zone);
        bounds.soonest = false;
    }
    Ok(bounds)
}

/// The things that a reach names.
fn named(reach: &Reach) -> BTreeSet<Uuid> {
    match reach {
        Reach::These(ids) => ids.clone(),
        Reach::All => BTreeSet::new(),
    }
}

/// Has what can be chosen of these things chosen to begin with.
fn begin_with(choices: &mut Choices, reach: &Reach) {
    match reach {
        Reach::All => choices.all = choices.can_all,
        Reach::These(ids) => {
            for thing in &mut choices.things {
                thing.reached = thing.movable && ids.contains(&thing.id);
            }
        }
    }
}

/// What somebody with this access can choose from who wants to change these terms, given for this
/// reason.
pub(crate) async fn bounds(
    latchkey: &Latchkey,
    actor: &Actor,
    own: &Access,
    terms: &Terms,
    why: &str,
    sought: &Sought,
) -> Result<Bounds, Failure> {
    let zone = zone(latchkey, actor.account).await?;
    let latest = own.ends().map(|end| last_day(end, &zone));
    let soonest = own.soonest().filter(|_| terms.permissions.is_empty());
    let soonest = soonest.map(|end| last_day(end, &zone));
    let until = match terms.until {
        Some(until) => last_day(until, &zone),
        // Without end can't be given by somebody to whom some of it ends.
        None => soonest.clone().unwrap_or_default(),
    };
    let today = day_of(latchkey.now(), &zone);
    let ahead = [1.week(), 1.month(), 1.year()];
    let services = choices(latchkey, actor, own, terms, Area::Services, sought).await?;
    let domains = choices(latchkey, actor, own, terms, Area::Domains, sought).await?;
    Ok(Bounds {
        holds: holds(own, &services, &domains),
        services,
        domains,
        soonest: terms.until.is_none() && soonest.is_some() && soonest != latest,
        until,
        until_movable: own.lacks(terms).is_none(),
        latest,
        ahead: ahead.map(|span| today.saturating_add(span).to_string()),
        why: why.to_owned(),
    })
}

/// What bounds the permissions that somebody with this access holds, who can choose from these things.
fn holds(own: &Access, services: &Choices, domains: &Choices) -> Vec<Hold> {
    let hold = |permission: Permission| {
        let (reach, until) = own.held(permission)?;
        let things = match &reach {
            Reach::All => None,
            Reach::These(ids) => {
                let from = if permission.area() == Area::Domains { domains } else { services };
                let named = from.things.iter().filter(|thing| ids.contains(&thing.id));
                let named = named.map(|thing| thing.name.clone()).take(MOST_NAMED).collect();
                Some((ids.len(), named))
            }
        };
        let bounded = things.is_some() || until.is_some();
        bounded.then_some(Hold { permission, things, until })
    };
    Permission::ALL.into_iter().filter_map(hold).collect()
}

async fn choices(
    latchkey: &Latchkey,
    actor: &Actor,
    own: &Access,
    terms: &Terms,
    area: Area,
    sought: &Sought,
) -> Result<Choices, Failure> {
    let movable = own.movable(terms, area);
    let named = terms.reach_in(area).map(named).unwrap_or_default();
    let all = terms.reach_in(area).is_some_and(Reach::is_all);
    let (mut things, mut total, mut more) = (Vec::new(), 0, false);
    if let Some(scope) = scope(actor, area) {
        let search = if area == Area::Services { &sought.services } else { &sought.domains };
        let first: BTreeSet<_> = named.union(&sought.ticked).copied().collect();
        let store = &latchkey.store;
        total = store.count_things(actor, &scope, area).await?;
        things = store.choices(actor, &scope, area, search, &first, MOST + 1).await?;
        let shown = things.iter().filter(|thing| first.contains(&thing.id)).count() + MOST;
        more = things.len() > shown;
        things.truncate(shown);
    }
    let is_new = terms.permissions.in_area(area).next().is_none();
    let is_bounded = |permission| own.held(permission).is_some_and(|(reach, _)| !reach.is_all());
    let seen = things.iter().filter(|thing| named.contains(&thing.id)).count();
    let choice = |thing: store::Thing| Choice {
        reached: named.contains(&thing.id),
        movable: movable.covers(&Reach::of(false, [thing.id])),
        id: thing.id,
        name: thing.name,
    };
    Ok(Choices {
        things: things.into_iter().map(choice).collect(),
        total,
        more,
        unseen: named.len() - seen,
        all,
        can_all: movable.is_all(),
        can_these: movable.is_all() || !all,
        mixed: is_new && movable.is_all() && area.permissions().any(is_bounded),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_where_the_account_is() {
        let oslo = TimeZone::get("Europe/Oslo").unwrap();
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let at = |text: &str| {
            let at: jiff::Timestamp = text.parse().unwrap();
            Timestamp::from_micros(at.as_microsecond())
        };
        let cases = [
            ("2027-01-31", Ok(("2027-01-30T23:00:00Z", "2027-01-31T23:00:00Z"))),
            // The day on which the clocks go forward is an hour shorter.
            ("2027-03-28", Ok(("2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z"))),
            ("2027-01-14", Err(FieldProblem::Past)),
            ("2037-02-01", Err(FieldProblem::TooFar)),
            ("9999-12-31", Err(FieldProblem::TooFar)),
            ("2027-02-30", Err(FieldProblem::Malformed)),
            ("31.1.2027", Err(FieldProblem::Malformed)),
            ("2027-01-31T10:00", Err(FieldProblem::Malformed)),
        ];
        for (text, expected) in cases {
            let expected =
                expected.map(|(begin, end)| Until::Day { begin: at(begin), end: at(end) });
            assert_eq!(day(text, &oslo, now), expected, "{text}");
        }
        let past = at("2027-01-10T23:00:00Z");
        let cases = [
            (Some(past), "2027-01-10", Ok(Until::Unsaid)),
            (Some(past.after(Duration::from_secs(1))), " 2027-01-11", Ok(Until::Unsaid)),
            (Some(past), "2027-01-09", Err(FieldProblem::Past)),
            (None, "2027-01-10", Err(FieldProblem::Past)),
        ];
        for (ends, text, expected) in cases {
            assert_eq!(day_or_same(text, ends, &oslo, now), expected, "{ends:?} {text}");
        }
        assert_eq!(last_day(at("2027-01-31T23:00:00Z"), &oslo), "2027-01-31");
        assert_eq!(last_day(at("2027-01-31T23:00:00Z"), &TimeZone::UTC), "2027-01-31");
    }
}
