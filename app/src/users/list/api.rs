//! What User management lists: the users, and the invitations that wait for an answer.

// Not on the function: what `#[server]` makes of it in the browser's half has as many.
#![allow(clippy::too_many_arguments, reason = "one for each part of the query")]

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::frame::PersonView;
use crate::owners::api::BecomingRow;
use crate::page::Page;
use crate::problem::Problem;
use crate::ui::state::Mood;
use crate::users::requests::RequestRow;
use crate::when::Moment;

#[cfg(feature = "ssr")]
use {
    crate::address::{escape_query, read_cursor, write_cursor},
    crate::formats,
    crate::owners::api::{becoming_rows, mark},
    crate::request,
    crate::users::requests::request_row,
    crate::wire,
    crate::words,
    domain::areas::Totals,
    domain::listing::{ActiveChoice, Asked, Beside, FactorChoice, Found, UserSort},
    domain::owner_changes::OwnerChange,
    domain::users::Member,
    model::{AccessOutline, Cursor, Delivery, Failure, InvitationState, ListPlace, Outline},
};

/// What User management shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UsersView {
    /// The users of this page.
    pub(crate) users: Vec<UserRow>,
    /// What is searched for and chosen, where there is anybody to choose from.
    pub(crate) tools: Option<ToolsView>,
    /// How many there are on all pages, in words.
    pub(crate) found: String,
    /// Whether the last active come first.
    pub(crate) by_activity: bool,
    /// Whether another order is offered: there is more than fits one page, or not everybody is listed.
    pub(crate) sortable: bool,
    /// The queries of the other orders and pages.
    pub(crate) queries: Queries,
    /// Invitations that wait for an answer.
    pub(crate) pending: Vec<PendingRow>,
    /// After which of them this page of them begins, as it was asked for.
    pub(crate) pending_here: String,
    /// Requests that wait for one.
    pub(crate) requests: Vec<RequestRow>,
    /// Those who were asked to become owners, or wait for it.
    pub(crate) becoming: Vec<BecomingRow>,
    /// How many have a second factor, for whoever can require one and hasn't.
    pub(crate) factors: Option<String>,
}

/// What is searched for and chosen in the list of users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToolsView {
    /// What was searched for.
    pub(crate) search: String,
    /// What their access must be: an id, or nothing.
    pub(crate) access: String,
    /// Whether they must have a second factor: an id, or nothing.
    pub(crate) second_factor: String,
    /// When they must have been active last: an id, or nothing.
    pub(crate) last_active: String,
    /// What there is to choose of that, with its words.
    pub(crate) activities: Vec<(String, String)>,
    /// Whether that leaves anybody out.
    pub(crate) narrowed: bool,
}

/// Where the two tables lead: each query keeps what the others chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Queries {
    /// Everybody, in the present order.
    pub(crate) everybody: String,
    /// The same people by name.
    pub(crate) by_name: String,
    /// The same people by last activity.
    pub(crate) by_activity: String,
    /// All who are listed, as a file.
    pub(crate) export: String,
    /// The page of users before this one.
    pub(crate) previous: Option<String>,
    /// The next page of users.
    pub(crate) next: Option<String>,
    /// The first page of invitations, on a later one.
    pub(crate) pending_first: Option<String>,
    /// The next page of invitations.
    pub(crate) pending_next: Option<String>,
}

/// A user in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UserRow {
    /// Who it is.
    pub(crate) person: PersonView,
    /// Whether it is the reader.
    pub(crate) you: bool,
    /// Whether they own the account.
    pub(crate) owner: bool,
    /// "Owner", or the permissions in one line; none when all of them lapsed.
    pub(crate) access: Option<String>,
    /// Since when it is paused, what lapsed of it, and what ends soon.
    pub(crate) states: Vec<(Mood, String)>,
    /// Whether something lapsed, so that it can be given anew.
    pub(crate) lapsed: bool,
    /// Whether they sign in with a second factor.
    pub(crate) second_factor: bool,
    /// When they were last active here.
    pub(crate) last_active: Option<Moment>,
    /// What the link to their page says, and its accessible name.
    pub(crate) link: (String, String),
    /// What the button that removes them says, and its accessible name; none where nobody can.
    pub(crate) remove: Option<(String, String)>,
}

/// An invitation in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingRow {
    /// Its id.
    pub(crate) id: String,
    /// The invited address.
    pub(crate) email: String,
    /// What is offered, in one line.
    pub(crate) access: String,
    /// Who invites.
    pub(crate) inviter: String,
    /// What the provider calls whoever is invited; empty if nobody says.
    pub(crate) name: String,
    /// When its mail was queued; none if there was none.
    pub(crate) sent: Option<Moment>,
    /// What the button says that sends it, and its accessible name.
    pub(crate) resend: (String, String),
    /// How it stands.
    pub(crate) standing: StandingView,
    /// Whether what it offers can be chosen anew.
    pub(crate) correctable: bool,
}

/// How an invitation stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StandingView {
    /// The worst of it, and what to do about that; until when it works; that it is for an owner.
    pub(crate) states: Vec<(Mood, String)>,
    /// Whether its mail is on its way, so that this soon changes.
    pub(crate) moves: bool,
}

/// User management.
#[server(prefix = "/api", endpoint = "users/page", input = GetUrl)]
pub(crate) async fn users_page(
    account: String,
    search: String,
    #[server(default)] access: String,
    #[server(default)] second_factor: String,
    #[server(default)] last_active: String,
    sort: String,
    #[server(default)] before: String,
    after: String,
    pending_after: String,
) -> Result<Page<UsersView>, Problem> {
    let inside = request::inside(&account).await?;
    let asked = asked(search, [&access, &second_factor, &last_active], &sort);
    let place = ListPlace::between(read_cursor(&before), read_cursor(&after));
    let content = users_view(&inside, &asked, place, pending_after).await;
    inside.page(content).await
}

/// Which users are asked for, by what a query says; what it chooses that isn't there it doesn't choose.
#[cfg(feature = "ssr")]
pub(crate) fn asked(search: String, chosen: [&str; 3], sort: &str) -> Asked {
    let [access, second_factor, last_active] = chosen;
    Asked {
        search,
        access: access.parse().ok(),
        second_factor: second_factor.parse().ok(),
        last_active: last_active.parse().ok(),
        sort: UserSort::of_query(sort),
    }
}

/// How the invitations of a page of the list stand now: a list of their ids and [`StandingView`]s as it
/// travels.
#[server(prefix = "/api", endpoint = "users/invitations-standing", input = GetUrl)]
pub(crate) async fn invitations_standing(
    account: String,
    pending_after: String,
) -> Result<String, Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let after = read_cursor(&pending_after);
    let page = domain::invitations::pending(latchkey, actor, after.as_ref()).await?;
    let (totals, now) = (Totals::default(), latchkey.now());
    let rows = page.invitations.into_iter().map(|row| pending_row(row, totals, now));
    let standing: Vec<_> = rows.map(|row| (row.id, row.standing)).collect();
    wire::write(&standing).map_err(|_| Problem::Unreachable)
}

#[cfg(feature = "ssr")]
async fn users_view(
    inside: &request::Inside,
    asked: &Asked,
    place: ListPlace,
    pending_here: String,
) -> Result<UsersView, Failure> {
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let glance = domain::listing::glance(latchkey, actor, asked).await?;
    let page = domain::listing::page(latchkey, actor, &glance, asked, place.clone()).await?;
    let pending_after = read_cursor(&pending_here);
    let beside = domain::listing::beside(latchkey, actor, &glance, pending_after.as_ref()).await?;
    let Beside { pending, requests, becoming, successor } = beside;
    // Of one it isn't told.
    let with_factor = glance.with_factor.filter(|_| glance.users > 1);
    let now = latchkey.now();
    let requests = requests.into_iter().map(|waiting| request_row(waiting, now)).collect();
    let query = Query { asked, place, pending: pending_after };
    let many = page.after.is_some() || page.before.is_some() || query.place != ListPlace::First;
    let queries = Queries {
        everybody: query.everybody(),
        by_name: query.sorted(UserSort::Name),
        by_activity: query.sorted(UserSort::LastActive),
        export: query.all(),
        previous: page.before.map(|row| query.at(ListPlace::Before(row))),
        next: page.after.map(|row| query.at(ListPlace::After(row))),
        pending_first: query.pending.is_some().then(|| query.pending_at(None)),
        pending_next: pending.next.map(|row| query.pending_at(Some(row))),
    };
    let held = page.users.iter().flat_map(|member| member.held.grants());
    let held: Vec<Outline> = held.map(|row| row.outline).collect();
    let offered = pending.invitations.iter().filter_map(|waiting| {
        match waiting.row.invitation.offered.outline() {
            AccessOutline::Granted(outlines) => Some(outlines),
            AccessOutline::Owner => None,
        }
    });
    let offered: Vec<Outline> =
        offered.flat_map(|outlines| outlines.iter().copied().collect::<Vec<_>>()).collect();
    let shown = held.iter().chain(&offered);
    let totals = domain::areas::totals(latchkey, actor, shown).await?;
    let row = |member: Member| {
        let is_successor = successor == Some(member.user);
        let mut row = user_row(member, &becoming, actor.seen_as(), totals, now);
        row.states.extend(is_successor.then(|| (Mood::Quiet, words!(successor.mark))));
        row
    };
    let pending = pending.invitations.into_iter();
    let pending = pending.map(|row| pending_row(row, totals, now)).collect();
    let is_alone = page.found == Found::All(1);
    let by_activity = asked.sort == UserSort::LastActive;
    Ok(UsersView {
        tools: (asked.is_narrowed() || many || !is_alone).then(|| tools(asked)),
        found: found(page.found, asked.is_narrowed()),
        users: page.users.into_iter().map(row).collect(),
        sortable: many || by_activity || asked.is_narrowed(),
        by_activity,
        queries,
        pending,
        pending_here,
        requests,
        becoming: becoming_rows(actor.owns(), &becoming),
        factors: with_factor.map(|with| words!(users.factors, with = with, count = glance.users)),
    })
}

#[cfg(feature = "ssr")]
fn tools(asked: &Asked) -> ToolsView {
    let id = |chosen: Option<String>| chosen.unwrap_or_default();
    let words = |active: ActiveChoice| match active {
        ActiveChoice::Within(days) => words!(users.active_within, days = days),
        ActiveChoice::NotFor(days) => words!(users.active_not_for, days = days),
        ActiveChoice::Never => words!(users.never),
    };
    ToolsView {
        search: asked.search.clone(),
        access: id(asked.access.map(|access| access.to_string())),
        second_factor: id(asked.second_factor.map(|factor: FactorChoice| factor.to_string())),
        last_active: id(asked.last_active.map(|active| active.to_string())),
        activities: ActiveChoice::ALL.map(|active| (active.to_string(), words(active))).to_vec(),
        narrowed: asked.is_narrowed(),
    }
}

#[cfg(feature = "ssr")]
fn found(found: Found, narrowed: bool) -> String {
    match (found, narrowed) {
        (Found::All(count), false) => words!(users.count, count = count),
        (Found::All(count), true) => words!(users.found, count = count),
        (Found::MoreThan(count), _) => words!(users.more_than, count = count),
    }
}

/// The page's query: its links keep all of it but what they are about.
#[cfg(feature = "ssr")]
struct Query<'a> {
    asked: &'a Asked,
    place: ListPlace,
    pending: Option<Cursor>,
}

#[cfg(feature = "ssr")]
impl Query<'_> {
    /// The list from its beginning, with nobody left out.
    fn everybody(&self) -> String {
        let asked = Asked { sort: self.asked.sort, ..Asked::default() };
        write_query(&asked, &ListPlace::First, self.pending.as_ref())
    }

    fn sorted(&self, sort: UserSort) -> String {
        let asked = Asked { sort, ..self.asked.clone() };
        write_query(&asked, &ListPlace::First, self.pending.as_ref())
    }

    /// All who are asked for, in an order of its own.
    fn all(&self) -> String {
        let asked = Asked { sort: UserSort::Name, ..self.asked.clone() };
        write_query(&asked, &ListPlace::First, None)
    }

    fn at(&self, place: ListPlace) -> String {
        write_query(self.asked, &place, self.pending.as_ref())
    }

    fn pending_at(&self, after: Option<Cursor>) -> String {
        write_query(self.asked, &self.place, after.as_ref())
    }
}

/// A query of the page: what is empty isn't in it.
#[cfg(feature = "ssr")]
fn write_query(asked: &Asked, place: &ListPlace, pending: Option<&Cursor>) -> String {
    let id = |chosen: Option<String>| chosen.unwrap_or_default();
    let (before, after) = match place {
        ListPlace::First => (None, None),
        ListPlace::Before(row) => (Some(row), None),
        ListPlace::After(row) => (None, Some(row)),
    };
    let cursor = |row: Option<&Cursor>| row.map(write_cursor).unwrap_or_default();
    let parts = [
        ("search", escape_query(&asked.search)),
        ("access", id(asked.access.map(|access| access.to_string()))),
        ("second_factor", id(asked.second_factor.map(|factor| factor.to_string()))),
        ("last_active", id(asked.last_active.map(|active| active.to_string()))),
        ("sort", asked.sort.id().to_owned()),
        ("before", cursor(before)),
        ("after", cursor(after)),
        ("pending_after", cursor(pending)),
    ];
    let parts = parts.iter().filter(|(_, value)| !value.is_empty());
    let parts: Vec<_> = parts.map(|(name, value)| format!("{name}={value}")).collect();
    format!("?{}", parts.join("&"))
}

#[cfg(feature = "ssr")]
fn user_row(
    member: Member,
    becoming: &[OwnerChange],
    actor: model::UserId,
    totals: Totals,
    now: model::Timestamp,
) -> UserRow {
    let becoming = becoming.iter().find(|change| change.user == member.user);
    let becoming = becoming.map(|change| (Mood::Waiting, mark(change.due_at)));
    let (you, owner) = (member.user == actor, member.held.is_owner());
    let name = member.full_name.clone();
    UserRow {
        you,
        owner,
        link: link_to(&member, you),
        remove: (!you && !owner)
            .then(|| (words!(users.remove_short), words!(users.remove, name = name))),
        access: match member.held.lapsed_at(now) {
            Some(_) => None,
            None => Some(words::access_line_of(&member.held.outline().live(now), totals)),
        },
        states: states(&member, now).into_iter().chain(becoming).collect(),
        lapsed: last_lapsed(&member, now).is_some(),
        second_factor: member.second_factor,
        last_active: member.last_active_at.map(|at| Moment::new(at, now)),
        person: person(&member),
    }
}

/// What the link to somebody's page says, and its accessible name: nobody manages an owner's access, or
/// their own.
#[cfg(feature = "ssr")]
pub(crate) fn link_to(member: &Member, you: bool) -> (String, String) {
    let name = member.full_name.clone();
    if you {
        return (words!(users.view_yours), words!(users.view_yours));
    }
    match member.held.is_owner() {
        true => (words!(users.view_short), words!(users.view, name = name)),
        false => (words!(users.manage_short), words!(users.manage, name = name)),
    }
}

/// How near an end is that is pointed out.
#[cfg(feature = "ssr")]
const SOON: std::time::Duration = model::EndStage::Week.ahead();

/// How somebody's access stands: paused, ended, about to end.
#[cfg(feature = "ssr")]
fn states(member: &Member, now: model::Timestamp) -> Vec<(Mood, String)> {
    let paused = member.paused.as_ref();
    let paused = paused.map(|pause| (Mood::Trouble, words::paused_since(pause.since())));
    let ended = |end| (Mood::Trouble, words!(pause.ended, day = formats::last_day(end)));
    let soon = |end: &model::Timestamp| now < *end && *end <= now.after(SOON);
    let soon = ends(member).filter(soon).min();
    let soon = soon.map(|end| (Mood::Waiting, words!(access.until, when = formats::last_day(end))));
    let lapsed = last_lapsed(member, now).map(ended);
    paused.into_iter().chain(lapsed).chain(soon).collect()
}

#[cfg(feature = "ssr")]
fn ends(member: &Member) -> impl Iterator<Item = model::Timestamp> {
    member.held.grants().iter().filter_map(|row| row.outline.until)
}

/// The latest end that has come.
#[cfg(feature = "ssr")]
fn last_lapsed(member: &Member, now: model::Timestamp) -> Option<model::Timestamp> {
    ends(member).filter(|end| *end <= now).max()
}

#[cfg(feature = "ssr")]
pub(crate) fn person(member: &Member) -> PersonView {
    PersonView { id: member.user, name: member.full_name.clone(), email: member.email.to_string() }
}

#[cfg(feature = "ssr")]
fn pending_row(
    row: domain::invitations::Waiting,
    totals: Totals,
    now: model::Timestamp,
) -> PendingRow {
    let domain::invitations::Waiting { row, opens_all, fits_domains } = row;
    let invitation = row.invitation;
    let waits = invitation.waits;
    let moves = !waits && matches!(row.delivery, Delivery::Queued { .. });
    let delivery = match row.delivery {
        _ if waits => (Mood::Waiting, words!(pending.waits)),
        Delivery::Queued { answer: None } => (Mood::Waiting, words!(pending.queued)),
        Delivery::Queued { answer: Some(answer) } if words::said_by_mail_server(&answer) => {
            (Mood::Waiting, words!(pending.deferred, answer = answer))
        }
        Delivery::Queued { answer: Some(_) } => (Mood::Waiting, words!(pending.unreached)),
        Delivery::Sent | Delivery::Kept => (Mood::Ok, words!(pending.delivered)),
        Delivery::Failed { answer } if answer.starts_with('5') => {
            (Mood::Trouble, words!(pending.failed, answer = answer))
        }
        Delivery::Failed { answer } if words::said_by_mail_server(&answer) => {
            (Mood::Trouble, words!(pending.put_off, answer = answer))
        }
        Delivery::Failed { .. } => (Mood::Trouble, words!(pending.given_up)),
    };
    let inviter = row.inviter_name.unwrap_or_else(|| request::site().provider.clone());
    let powerless = invitation.inviter.is_some() && !opens_all;
    let powerless =
        powerless.then(|| (Mood::Trouble, words!(pending.powerless, inviter = inviter.clone())));
    let foreign = (!fits_domains).then(|| (Mood::Trouble, words!(pending.other_domain)));
    let expires = Moment::new(invitation.expires_at, now);
    let expired = (invitation.state == InvitationState::Expired)
        .then(|| (Mood::Trouble, words!(pending.expired, when = expires.relative())));
    let lives = (expired.is_none() && !waits).then(|| {
        let day = formats::end(invitation.expires_at);
        (Mood::Quiet, words!(pending.expires, when = expires.relative(), day = day))
    });
    let to_own = invitation.as_owner.then(|| (Mood::Waiting, words!(pending.as_owner)));
    let offered = invitation.offered.access();
    let lapsed = offered.has_lapsed(now);
    let lapsed = lapsed.then(|| (Mood::Trouble, words!(pending.lapsed)));
    // What is worst says what there is to do first: what follows is refused, or in vain, until that is done.
    let worst = foreign.or(lapsed).or(expired).or(powerless).unwrap_or(delivery);
    let email = invitation.email.to_string();
    PendingRow {
        resend: match waits {
            true => (words!(pending.mail), words!(pending.mail_to, email = email.clone())),
            false => (words!(pending.resend), words!(pending.resend_to, email = email.clone())),
        },
        id: invitation.id.to_string(),
        name: invitation.full_name,
        email,
        access: words::access_line_of(&offered.outline(), totals),
        inviter,
        sent: (!waits).then(|| Moment::new(invitation.sent_at, now)),
        standing: StandingView {
            states: std::iter::once(worst).chain(lives).chain(to_own).collect(),
            moves,
        },
        correctable: !invitation.as_owner && !offered.is_owner(),
    }
}
