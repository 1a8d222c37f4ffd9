//! Server functions of user management.

// Not on the functions: what `#[server]` makes of them in the browser's half has as many.
#![allow(clippy::too_many_arguments, reason = "one for each field")]

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::PermissionSet;
use serde::{Deserialize, Serialize};

use crate::frame::PersonView;
use crate::owners::api::BecomingRow;
use crate::page::Page;
use crate::problem::Problem;
use crate::rejected::Rejected;
use crate::typed::Typed;
use crate::ui::state::Mood;
use crate::users::bounds::BoundsView;
use crate::users::grants::CardView;
use crate::users::requests::RequestRow;
use crate::users::starts::StartsView;
use crate::when::Moment;

#[cfg(feature = "ssr")]
use {
    crate::address::{DOMAIN, DOMAINS, INVITE, JOIN, MANAGE, SERVICE, SERVICES, USERS, address_of},
    crate::endpoint::endpoint,
    crate::eyes::{self, LOOK},
    crate::formats,
    crate::notice::Notice,
    crate::owners::api::{becoming_rows, mark},
    crate::request,
    crate::users::bounds::{ThingView, ThingsView, UntilView},
    crate::users::grants::card_view,
    crate::users::permission_groups::chosen,
    crate::users::starts::{START, server as starts},
    crate::wire,
    crate::words,
    domain::giving::{Bounds, Choice, Choices, Sought, Start, Wished},
    domain::owner_changes::OwnerChange,
    domain::reaching::ReachedThings,
    domain::users::{Managed, Member, Renewable, Saved, UserSort},
    model::{
        AccessOutline, Area, Cursor, Delivery, Failure, FieldErrors, InvitationState, On, Pause,
        Permission,
    },
};

/// What User management shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UsersView {
    /// The users of this page.
    pub(crate) users: Vec<UserRow>,
    /// What was searched for.
    pub(crate) search: String,
    /// Whether the last active come first.
    pub(crate) by_activity: bool,
    /// Whether there is more than fits one page, so that searching and sorting help.
    pub(crate) many: bool,
    /// The queries of the other orders and pages.
    pub(crate) queries: Queries,
    /// Invitations that wait for an answer.
    pub(crate) pending: Vec<PendingRow>,
    /// Requests that wait for one.
    pub(crate) requests: Vec<RequestRow>,
    /// Those who were asked to become owners, or wait for it.
    pub(crate) becoming: Vec<BecomingRow>,
    /// How many have a second factor, for whoever can require one and hasn't.
    pub(crate) factors: Option<String>,
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
    /// The first page of users, on a later one.
    pub(crate) first: Option<String>,
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
    /// When its mail was queued.
    pub(crate) sent: Moment,
    /// How it stands, and what to do if it stands badly.
    pub(crate) states: Vec<(Mood, String)>,
    /// Its link, in the moment after sending.
    pub(crate) link: Option<String>,
}

/// What the invite form needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InviteView {
    /// What the reader holds, and so can give.
    pub(crate) held: PermissionSet,
    /// What of it is ticked to begin with.
    pub(crate) ticked: PermissionSet,
    /// That it isn't on everything, or ends, and so is what they give; none if nothing bounds it.
    pub(crate) bounded: Option<String>,
    /// What the form can begin with.
    pub(crate) starts: StartsView,
    /// On what it can be given, and until when.
    pub(crate) bounds: BoundsView,
    /// For how long an invitation works, in a sentence.
    pub(crate) valid: String,
    /// What inviting somebody as an owner means; none for a reader who is none.
    pub(crate) as_owner: Option<String>,
    /// What was typed before one looked what it would give.
    pub(crate) back: Option<Rejected>,
}

/// User management.
#[server(prefix = "/api", endpoint = "users/page", input = GetUrl)]
pub(crate) async fn users_page(
    account: String,
    search: String,
    sort: String,
    after: String,
    pending_after: String,
) -> Result<Page<UsersView>, Problem> {
    let inside = request::inside(&account).await?;
    let content = users_view(&inside, search, &sort, &after, &pending_after).await;
    let mut page = inside.page(content).await?;
    if let (Ok(view), Some(notice)) = (&mut page.content, &mut page.notice) {
        notice.button_in_row = hand_link(&mut view.pending, notice.link.as_ref());
    }
    Ok(page)
}

/// Puts the link of an invitation that was just sent into its row, if that is on this page.
#[cfg(feature = "ssr")]
fn hand_link(rows: &mut [PendingRow], fresh: Option<&(String, String)>) -> bool {
    let Some((email, link)) = fresh else { return false };
    let row = rows.iter_mut().find(|row| row.email == *email);
    row.map(|row| row.link = Some(link.clone())).is_some()
}

#[cfg(feature = "ssr")]
async fn users_view(
    inside: &request::Inside,
    search: String,
    sort: &str,
    after: &str,
    pending_after: &str,
) -> Result<UsersView, Failure> {
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let by_activity = sort == "activity";
    let order = if by_activity { UserSort::LastActive } else { UserSort::Name };
    let (from, pending_from) = (read_cursor(after), read_cursor(pending_after));
    let page = domain::users::list(latchkey, actor, &search, order, from.clone()).await?;
    let pending = domain::invitations::pending(latchkey, actor, pending_from.as_ref()).await?;
    let requests = crate::users::requests::rows(inside).await?;
    let becoming = domain::owner_changes::open(latchkey, actor).await?;
    let successor = domain::successors::marked(latchkey, actor).await?;
    let factors = domain::policies::factors_in_use(latchkey, actor).await?;
    let now = latchkey.now();
    let activity = if by_activity { "activity" } else { "" };
    let (here, pending_here) = (from.as_ref(), pending_from.as_ref());
    let pending_first = pending_here.map(|_| query(&search, activity, here, None));
    let pending_next = pending.next.as_ref().map(|next| query(&search, activity, here, Some(next)));
    let queries = Queries {
        everybody: query("", activity, None, pending_here),
        by_name: query(&search, "", None, pending_here),
        by_activity: query(&search, "activity", None, pending_here),
        first: here.map(|_| query(&search, activity, None, pending_here)),
        next: page.next.as_ref().map(|next| query(&search, activity, Some(next), pending_here)),
        pending_first,
        pending_next,
    };
    let row = |member: Member| {
        let is_successor = successor == Some(member.user);
        let mut row = user_row(member, &becoming, actor.seen_as(), now);
        row.states.extend(is_successor.then(|| (Mood::Quiet, words!(successor.mark))));
        row
    };
    let users = page.users.into_iter().map(row).collect();
    let pending = pending.invitations.into_iter().map(|row| pending_row(row, now)).collect();
    Ok(UsersView {
        users,
        many: queries.next.is_some() || from.is_some() || by_activity || !search.trim().is_empty(),
        search,
        by_activity,
        queries,
        pending,
        requests,
        becoming: becoming_rows(actor.owns(), &becoming),
        factors: factors.map(|(users, with)| words!(users.factors, with = with, count = users)),
    })
}

/// A query of the page: what is empty isn't in it.
#[cfg(feature = "ssr")]
fn query(search: &str, sort: &str, after: Option<&Cursor>, pending: Option<&Cursor>) -> String {
    let cursor = |cursor: Option<&Cursor>| cursor.map(write_cursor).unwrap_or_default();
    let parts = [
        ("search", crate::address::escape_query(search)),
        ("sort", sort.to_owned()),
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
            None => Some(words::access_line(&member.held.outline().live(now))),
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
fn pending_row(row: domain::invitations::Waiting, now: model::Timestamp) -> PendingRow {
    let domain::invitations::Waiting { row, opens_all, fits_domains } = row;
    let invitation = row.invitation;
    let expired = invitation.state == InvitationState::Expired;
    let delivery = match row.delivery {
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
    let to_own = invitation.as_owner.then(|| (Mood::Waiting, words!(pending.as_owner)));
    let foreign = (!fits_domains).then(|| (Mood::Trouble, words!(pending.other_domain)));
    let expires = Moment::new(invitation.expires_at, now);
    let life = if expired {
        (Mood::Trouble, words!(pending.expired, when = expires.relative()))
    } else {
        (
            Mood::Quiet,
            words!(
                pending.expires,
                when = expires.relative(),
                day = formats::end(invitation.expires_at)
            ),
        )
    };
    PendingRow {
        id: invitation.id.to_string(),
        email: invitation.email.to_string(),
        access: words::access_line(&invitation.access.outline()),
        inviter,
        sent: Moment::new(invitation.sent_at, now),
        states: [delivery, life]
            .into_iter()
            .chain(to_own)
            .chain(powerless)
            .chain(foreign)
            .collect(),
        link: None,
    }
}

#[cfg(feature = "ssr")]
async fn invite_view(
    inside: &request::Inside,
    start: &Start,
    rejected: Option<Rejected>,
    draft: &str,
) -> Result<InviteView, Failure> {
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    actor.must(Permission::AccountUsers, On::Account)?;
    let (form, page) = (endpoint::<Invite>(), address_of(INVITE, &[&inside.acting.number]));
    let back = eyes::came_back(inside, rejected.as_ref(), form, &page, draft).await?;
    let own = domain::accounts::own_access(latchkey, actor).await?;
    let bounded = || words!(help.inviting_held, held = words::access_line(&own));
    let lifetime = latchkey.settings.invitation_lifetime;
    let sought = sought(rejected.as_ref().or(back.as_ref()));
    let (begun, sought) = starts::begun(inside, &sought).await?;
    let bounds = domain::giving::bounds_of_new(latchkey, actor, start, &sought).await?;
    let held = actor.open();
    Ok(InviteView {
        back,
        held,
        ticked: start.terms.permissions.intersection(held),
        bounded: own.is_bounded().then(bounded),
        starts: starts::offer(inside, None, begun).await?,
        bounds: bounds_view(bounds),
        valid: words!(invite.valid, count = lifetime.as_secs() / (24 * 60 * 60)),
        as_owner: actor.owns().then(|| crate::owners::api::as_owner(inside)),
    })
}

/// The form for inviting, as a page.
#[server(prefix = "/api", endpoint = "users/invite-page", input = GetUrl)]
pub(crate) async fn invite_page(
    account: String,
    #[server(default)] draft: String,
) -> Result<Page<InviteView>, Problem> {
    let rejected = use_context::<Rejected>();
    let inside = request::inside(&account).await?;
    let content = invite_view(&inside, &Start::default(), rejected, &draft).await;
    inside.page(content).await
}

/// What a form for giving begins with, when that is chosen in the browser: a [`BegunView`] as it
/// travels.
///
/// [`BegunView`]: crate::users::starts::BegunView
#[server(prefix = "/api", endpoint = "users/start", input = GetUrl)]
pub(crate) async fn fill_in(
    account: String,
    #[server(default)] start: String,
) -> Result<String, Problem> {
    let inside = request::inside(&account).await?;
    let begun = starts::begin(&inside, &start).await?;
    wire::write(&begun).map_err(|_| Problem::Unreachable)
}

/// Sends an invitation.
#[server(prefix = "/api", endpoint = "users/invite")]
pub(crate) async fn invite(
    account: String,
    #[server(default)] email: String,
    #[server(default)] as_owner: bool,
    #[server(default)] permissions: Vec<String>,
    #[server(default)] areas: Vec<String>,
    #[server(default)] areas_before: Vec<String>,
    #[server(default)] services: Typed,
    #[server(default)] service: Vec<String>,
    #[server(default)] domains: Typed,
    #[server(default)] domain: Vec<String>,
    #[server(default)] until: Typed,
    #[server(default)] why: Typed,
    #[server(default)] show: String,
) -> Result<(), Problem> {
    come_back_if_asked(&show)?;
    let inside = eyes::inside_to_give(&account, &show).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let wished = Wished {
        permissions: chosen(&permissions, &areas, &areas_before, actor.open()),
        services: services.0,
        service,
        domains: domains.0,
        domain,
        until: until.0,
        why: why.0,
    };
    if show == LOOK {
        let page = address_of(INVITE, &[&inside.acting.number]);
        let unsent = eyes::unsent(&wished, None, page)?;
        let (viewer, acting) = (&inside.viewer, &inside.acting);
        let token = domain::eyes::begin_as_new(latchkey, viewer, acting, &unsent).await?;
        eyes::begun(&inside, &token);
        return Ok(());
    }
    let client = request::client()?;
    let sent = match as_owner {
        true => domain::invitations::send_to_owner(latchkey, actor, &email, &client).await?,
        false => domain::invitations::send(latchkey, actor, &email, &wished, &client).await?,
    };
    let (email, link) = (sent.email.to_string(), invitation_link(&sent));
    let notice = if sent.updated {
        Notice::InvitationUpdated { email, link }
    } else {
        Notice::InvitationSent { email, link }
    };
    request::done(&users_path(&inside), notice);
    Ok(())
}

/// Sends an invitation again.
#[server(prefix = "/api", endpoint = "users/resend")]
pub(crate) async fn resend(
    account: String,
    invitation: String,
    #[server(default)] next: String,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let sent =
        domain::invitations::resend(latchkey, actor, &invitation, &request::client()?).await?;
    let (email, link) = (sent.email.to_string(), invitation_link(&sent));
    let users = users_path(&inside);
    let next = crate::address::same_site(&next).unwrap_or(&users);
    request::done(next, Notice::InvitationResent { email, link });
    Ok(())
}

/// What the page for cancelling shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CancelView {
    /// The invitation.
    pub(crate) invitation: String,
    /// The invited address.
    pub(crate) email: String,
}

/// The page that asks once more before cancelling.
#[server(prefix = "/api", endpoint = "users/cancel-page", input = GetUrl)]
pub(crate) async fn cancel_page(
    account: String,
    invitation: String,
) -> Result<Page<CancelView>, Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let found = domain::invitations::find(latchkey, actor, &invitation).await;
    let view = |found: domain::invitations::Invitation| CancelView {
        invitation: found.id.to_string(),
        email: found.email.to_string(),
    };
    inside.page(found.map(view)).await
}

/// Takes an invitation back.
#[server(prefix = "/api", endpoint = "users/cancel")]
pub(crate) async fn cancel(account: String, invitation: String) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let email =
        domain::invitations::cancel(latchkey, actor, &invitation, &request::client()?).await?;
    let notice = Notice::InvitationCancelled { email: email.to_string() };
    request::done(&users_path(&inside), notice);
    Ok(())
}

/// What the page for managing somebody shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ManageView {
    /// Who it is.
    pub(crate) person: PersonView,
    /// Whether it is the reader.
    pub(crate) you: bool,
    /// What the page is called.
    pub(crate) heading: String,
    /// Why there is nothing to manage, of an owner and of the reader; none where there is.
    pub(crate) tip: Option<String>,
    /// What they may do, in a sentence to themselves; empty on somebody else's page and on an owner's.
    pub(crate) yours: String,
    /// The permissions that the form changes.
    pub(crate) granted: PermissionSet,
    /// What the reader can give and take.
    pub(crate) held: PermissionSet,
    /// What the form can begin with.
    pub(crate) starts: StartsView,
    /// What else there is to choose; none of an owner.
    pub(crate) bounds: Option<BoundsView>,
    /// What the form is made of, for comparing when it is saved.
    pub(crate) before: String,
    /// What was typed into it before one looked what it would give.
    pub(crate) back: Option<Rejected>,
    /// Since when they are here.
    pub(crate) since: Moment,
    /// Who invited them.
    pub(crate) invited_by: Option<String>,
    /// When they were last active here.
    pub(crate) last_active: Option<Moment>,
    /// That their access is paused, since when, by whom and why; none when nobody paused it.
    pub(crate) paused: Option<String>,
    /// Which pause that is, for comparing when it is resumed.
    pub(crate) pause: String,
    /// What they lose with their access, a line an area.
    pub(crate) loses: Vec<String>,
    /// What they hold besides what the form changes.
    pub(crate) extras: Vec<CardView>,
    /// What they were given until a day that has passed.
    pub(crate) lapsed: Vec<LapsedView>,
    /// What they reach of the services and domains that the reader sees.
    pub(crate) reaches: Vec<ReachesView>,
    /// What the reader, who is an owner, can do about who else is one.
    pub(crate) owning: OwningView,
    /// Whether the reader may see the log, for what this person did.
    pub(crate) log: bool,
}

/// What an owner can do about who else is one, on the page of a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwningView {
    /// Make them an owner, or hand the account to them.
    pub(crate) can_make: bool,
    /// Step down: it is their own page.
    pub(crate) can_step_down: bool,
}

/// Something that a user was given until a day that has passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LapsedView {
    /// The grant.
    pub(crate) grant: String,
    /// That it ended, and when.
    pub(crate) ended: String,
    /// What would be given anew, or what it was, in one line.
    pub(crate) access: String,
    /// Whether the reader can give it.
    pub(crate) can_give: bool,
}

/// Things of an area that somebody reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReachesView {
    /// The area's name.
    pub(crate) area: String,
    /// The page with all of them.
    pub(crate) list: String,
    /// The pages of the first of them, with their names.
    pub(crate) first: Vec<(String, String)>,
    /// How many more there are.
    pub(crate) more: usize,
}

#[cfg(feature = "ssr")]
fn reaches(number: model::AccountNumber, area: Area, things: ReachedThings) -> ReachesView {
    let (list, page) = match area {
        Area::Services => (SERVICES, SERVICE),
        _ => (DOMAINS, DOMAIN),
    };
    let more = (things.count as usize).saturating_sub(things.first.len());
    let first =
        things.first.into_iter().map(|(id, name)| (address_of(page, &[&number, &id]), name));
    ReachesView {
        area: words::area(area),
        list: address_of(list, &[&number]),
        first: first.collect(),
        more,
    }
}

/// One user of the account.
#[server(prefix = "/api", endpoint = "users/manage-page", input = GetUrl)]
pub(crate) async fn manage_page(
    account: String,
    user: String,
    #[server(default)] draft: String,
) -> Result<Page<ManageView>, Problem> {
    let rejected = use_context::<Rejected>();
    let inside = request::inside(&account).await?;
    let content = manage_view(&inside, &user, rejected, &draft).await;
    inside.page(content).await
}

#[cfg(feature = "ssr")]
async fn manage_view(
    inside: &request::Inside,
    user: &str,
    rejected: Option<Rejected>,
    draft: &str,
) -> Result<ManageView, Failure> {
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let (number, now) = (inside.acting.number, latchkey.now());
    let (form, page) = (endpoint::<ChangePermissions>(), address_of(MANAGE, &[&number, &user]));
    let back = eyes::came_back(inside, rejected.as_ref(), form, &page, draft).await?;
    let sought = sought(rejected.as_ref().or(back.as_ref()));
    let (begun, sought) = starts::begun(inside, &sought).await?;
    let managed = domain::users::manage(latchkey, actor, user, &sought).await?;
    let Managed { member, granted, changeable, bounds, made_of } = managed;
    let starts = match &bounds {
        Some(_) if member.user != actor.seen_as() => {
            starts::offer(inside, Some(member.user), begun).await?
        }
        _ => StartsView::default(),
    };
    let lapsed = domain::users::lapsed(latchkey, actor, &member).await?;
    let extras = domain::extras::list(latchkey, actor, &member).await?;
    let things = domain::reaching::things_of(latchkey, actor, &member).await?;
    let yours = |member: &Member| words::your_access(&member.held.outline().live(now));
    let (owned, own) = (member.held.is_owner(), member.user == actor.seen_as());
    let loses = loses(&member, now);
    let asked = domain::owner_changes::open(latchkey, actor).await?;
    let asked = asked.iter().any(|change| change.user == member.user);
    let owning = OwningView {
        can_make: actor.owns() && !owned && !asked && member.paused.is_none(),
        can_step_down: actor.owns() && owned && own,
    };
    Ok(ManageView {
        owning,
        person: person(&member),
        you: own,
        heading: heading(&member, own),
        tip: tip(&member, own),
        yours: if own && !owned { yours(&member) } else { String::new() },
        granted,
        held: changeable,
        starts,
        bounds: bounds.map(bounds_view),
        back: back.map(|back| back.made_of(&made_of)),
        before: made_of,
        since: Moment::new(member.since, now),
        invited_by: member.invited_by,
        last_active: member.last_active_at.map(|at| Moment::new(at, now)),
        paused: member.paused.as_ref().map(paused_by),
        pause: member.paused.as_ref().map(domain::users::pause_id).unwrap_or_default(),
        loses,
        extras: extras.into_iter().map(card_view).collect(),
        lapsed: lapsed.into_iter().map(lapsed_view).collect(),
        reaches: things.into_iter().map(|(area, things)| reaches(number, area, things)).collect(),
        log: actor.may(Permission::AccountLog, On::Account),
    })
}

/// What somebody's page is called.
#[cfg(feature = "ssr")]
fn heading(member: &Member, own: bool) -> String {
    let name = member.full_name.clone();
    match (own, member.held.is_owner()) {
        (true, _) => words!(manage.your_heading),
        (false, true) => words!(manage.view_heading, name = name),
        (false, false) => words!(manage.heading, name = name),
    }
}

/// Why there is nothing to manage on somebody's page; none where there is.
#[cfg(feature = "ssr")]
fn tip(member: &Member, own: bool) -> Option<String> {
    match (own, member.held.is_owner()) {
        (true, true) => Some(words!(manage.owner_you)),
        (true, false) => Some(words!(manage.yourself)),
        (false, true) => Some(words!(manage.owner, name = member.full_name.clone())),
        (false, false) => None,
    }
}

/// What somebody who is no owner holds at this moment, a line an area.
#[cfg(feature = "ssr")]
fn loses(member: &Member, now: model::Timestamp) -> Vec<String> {
    match member.held.outline().live(now) {
        AccessOutline::Owner => Vec::new(),
        AccessOutline::Granted(outlines) => words::access_lines(&outlines),
    }
}

/// That somebody's access is paused, since when, by whom and why.
#[cfg(feature = "ssr")]
fn paused_by(pause: &Pause) -> String {
    let since = words::paused_since(pause.since());
    let Pause::ByHand { by, why, .. } = pause else { return since };
    let by = by.as_ref().map(|by| words!(pause.by, by = by.clone()));
    let why = Some(why).filter(|why| !why.is_empty());
    let why = why.map(|why| words!(log.reason, reason = why.clone()));
    std::iter::once(since).chain(by).chain(why).collect::<Vec<_>>().join(" · ")
}

#[cfg(feature = "ssr")]
fn lapsed_view(lapsed: Renewable) -> LapsedView {
    LapsedView {
        grant: lapsed.grant.to_string(),
        ended: words!(pause.ended, day = formats::last_day(lapsed.ended)),
        can_give: lapsed.gives.is_some(),
        access: words::access_line(lapsed.gives.as_ref().unwrap_or(&lapsed.gave)),
    }
}

/// Changes what somebody may do.
#[server(prefix = "/api", endpoint = "users/change-permissions")]
pub(crate) async fn change_permissions(
    account: String,
    user: String,
    #[server(default)] permissions: Vec<String>,
    #[server(default)] areas: Vec<String>,
    #[server(default)] areas_before: Vec<String>,
    #[server(default)] services: Typed,
    #[server(default)] service: Vec<String>,
    #[server(default)] domains: Typed,
    #[server(default)] domain: Vec<String>,
    #[server(default)] until: Typed,
    #[server(default)] why: Typed,
    #[server(default)] show: String,
    #[server(default)] before: Option<String>,
) -> Result<(), Problem> {
    come_back_if_asked(&show)?;
    let inside = eyes::inside_to_give(&account, &show).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let held = domain::users::changeable(latchkey, actor, &user).await?;
    let wished = Wished {
        permissions: chosen(&permissions, &areas, &areas_before, held),
        services: services.0,
        service,
        domains: domains.0,
        domain,
        until: until.0,
        why: why.0,
    };
    let before = before.as_deref();
    if show == LOOK {
        let page = address_of(MANAGE, &[&inside.acting.number, &user]);
        let unsent = eyes::unsent(&wished, before, page)?;
        let (viewer, acting, meant) = (&inside.viewer, &inside.acting, (user.as_str(), None));
        let token =
            domain::eyes::begin_with_change(latchkey, viewer, acting, meant, &unsent).await?;
        eyes::begun(&inside, &token);
        return Ok(());
    }
    let client = request::client()?;
    let saved =
        domain::users::change_permissions(latchkey, actor, &user, &wished, before, &client).await?;
    request::done(&users_path(&inside), saved_notice(saved));
    Ok(())
}

/// What saving somebody's access came to.
#[cfg(feature = "ssr")]
pub(crate) fn saved_notice(saved: Saved) -> Notice {
    let Saved { member, changed, told } = saved;
    let name = member.full_name;
    match changed {
        None => Notice::AccessUnchanged { name },
        // Whoever is paused can do nothing of it yet.
        Some(change) => {
            let change = Some(change).filter(|_| member.paused.is_none());
            Notice::AccessSaved { name, change, told }
        }
    }
}

/// Pauses somebody's access.
#[server(prefix = "/api", endpoint = "users/pause-access")]
pub(crate) async fn pause_access(
    account: String,
    user: String,
    #[server(default)] pause_reason: String,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let client = request::client()?;
    let paused = domain::users::pause(latchkey, actor, &user, &pause_reason, &client).await?;
    request::done(&manage_path(&inside, &paused), Notice::AccessPaused { name: paused.full_name });
    Ok(())
}

/// Resumes somebody's paused access.
#[server(prefix = "/api", endpoint = "users/resume-access")]
pub(crate) async fn resume_access(
    account: String,
    user: String,
    #[server(default)] before: Option<String>,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let (before, client) = (before.as_deref(), request::client()?);
    let resumed = domain::users::resume(latchkey, actor, &user, before, &client).await?;
    let path = manage_path(&inside, &resumed);
    request::done(&path, Notice::AccessResumed { name: resumed.full_name });
    Ok(())
}

/// Gives somebody anew what they were given until a day that has passed.
#[server(prefix = "/api", endpoint = "users/renew-access")]
pub(crate) async fn renew_access(
    account: String,
    user: String,
    grant: String,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let client = request::client()?;
    let renewed = domain::users::renew(latchkey, actor, &user, &grant, &client).await?;
    let path = manage_path(&inside, &renewed);
    request::done(&path, Notice::AccessRenewed { name: renewed.full_name });
    Ok(())
}

#[cfg(feature = "ssr")]
pub(crate) fn manage_path(inside: &request::Inside, member: &Member) -> String {
    address_of(MANAGE, &[&inside.acting.number, &member.user])
}

/// Ends somebody's access.
#[server(prefix = "/api", endpoint = "users/remove-access")]
pub(crate) async fn remove_access(account: String, user: String) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let removed = domain::users::remove_access(latchkey, actor, &user, &request::client()?).await?;
    request::done(&users_path(&inside), Notice::AccessRemoved { name: removed.full_name });
    Ok(())
}

/// Sends a form back to somebody who only searches in it, or has it filled in, which is no mistake of
/// theirs. Whoever looks what it would give gets that.
#[cfg(feature = "ssr")]
pub(crate) fn come_back_if_asked(show: &str) -> Result<(), Failure> {
    if ["", LOOK].contains(&show) { Ok(()) } else { Err(FieldErrors::default().into_failure()) }
}

/// What is searched for, ticked and begun with in a form that comes back.
#[cfg(feature = "ssr")]
pub(crate) fn sought(back: Option<&Rejected>) -> Sought {
    let values = back.map(|back| back.values.as_slice()).unwrap_or_default();
    let all = |wanted: &'static str| {
        values.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value)
    };
    let last = |name| all(name).next_back().cloned().unwrap_or_default();
    let ticked = all("service[]").chain(all("domain[]"));
    Sought {
        services: last("search_services"),
        domains: last("search_domains"),
        ticked: ticked.filter_map(|id| id.parse().ok()).collect(),
        start: if last("show") == START { last(START) } else { String::new() },
    }
}

#[cfg(feature = "ssr")]
pub(crate) fn bounds_view(bounds: Bounds) -> BoundsView {
    let thing = |thing: Choice| ThingView {
        id: thing.id.to_string(),
        name: thing.name,
        reached: thing.reached,
        movable: thing.movable,
    };
    let things = |choices: Choices| ThingsView {
        things: choices.things.into_iter().map(thing).collect(),
        total: usize::try_from(choices.total).unwrap_or(usize::MAX),
        more: choices.more,
        unseen: choices.unseen,
        unseen_stay: (choices.unseen > 0).then(|| words!(bounds.unseen, count = choices.unseen)),
        all: choices.all,
        can_all: choices.can_all,
        can_these: choices.can_these,
    };
    BoundsView {
        services: things(bounds.services),
        domains: things(bounds.domains),
        until: UntilView {
            day: bounds.until,
            movable: bounds.until_movable,
            latest: bounds.latest,
            ahead: bounds.ahead,
        },
        why: bounds.why,
    }
}

#[cfg(feature = "ssr")]
fn users_path(inside: &request::Inside) -> String {
    address_of(USERS, &[&inside.acting.number])
}

#[cfg(feature = "ssr")]
fn invitation_link(sent: &domain::invitations::Sent) -> String {
    let path = address_of(JOIN, &[&sent.token.secret().expose()]);
    format!("{}{path}", request::site().public_url)
}

/// A cursor as it stands in a query.
#[cfg(feature = "ssr")]
pub(crate) fn write_cursor(cursor: &Cursor) -> String {
    crate::address::escape_query(&format!("{}~{}", cursor.id, cursor.key))
}

/// Reads it back; a broken one means the first page.
#[cfg(feature = "ssr")]
pub(crate) fn read_cursor(text: &str) -> Option<Cursor> {
    let (id, key) = text.split_once('~')?;
    Some(Cursor { id: id.parse().ok()?, key: key.to_owned() })
}
