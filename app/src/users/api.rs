//! Server functions of user management.

// Not on the functions: what `#[server]` makes of them in the browser's half has as many.
#![allow(clippy::too_many_arguments, reason = "one for each field")]

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::PermissionSet;
use serde::{Deserialize, Serialize};

use crate::frame::PersonView;
use crate::page::Page;
use crate::problem::Problem;
use crate::rejected::Rejected;
use crate::typed::Typed;
use crate::users::bounds::BoundsView;
use crate::users::grants::CardView;
use crate::users::starts::StartsView;
use crate::when::Moment;

#[cfg(feature = "ssr")]
use {
    crate::address::{DOMAIN, INVITE, JOIN, MANAGE, REACHED, SERVICE, USERS, address_of},
    crate::endpoint::endpoint,
    crate::eyes::{self, LOOK},
    crate::formats,
    crate::notice::Notice,
    crate::request,
    crate::users::bounds::{ThingView, ThingsView, UntilView},
    crate::users::grants::card_view,
    crate::users::list::api::person,
    crate::users::permission_groups::chosen,
    crate::users::starts::{START, server as starts},
    crate::wire,
    crate::words,
    domain::areas::Totals,
    domain::giving::{Bounds, Choice, Choices, Sought, Start, Wished},
    domain::reaching::ReachedThings,
    domain::users::{Managed, Member, Renewable, Saved},
    model::{AccessOutline, Actor, Area, Failure, FieldErrors, On, Pause, Permission, UserId},
};

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
    /// The invitation that is corrected, if it isn't a new one.
    pub(crate) again: Option<AgainView>,
    /// What was typed before one looked what it would give.
    pub(crate) back: Option<Rejected>,
}

#[cfg(feature = "ssr")]
async fn invite_view(
    inside: &request::Inside,
    again: &str,
    rejected: Option<Rejected>,
    draft: &str,
    start_from: String,
) -> Result<InviteView, Failure> {
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    actor.must(Permission::AccountUsers, On::Account)?;
    let (form, page) = (endpoint::<Invite>(), address_of(INVITE, &[&inside.acting.number]));
    let back = eyes::came_back(inside, rejected.as_ref(), form, &page, draft).await?;
    // A form that comes back says itself which one it corrects.
    let sent = rejected.as_ref().or(back.as_ref()).map(|back| back.values.as_slice());
    let sent = sent.unwrap_or_default().iter().find(|(name, _)| name == "again");
    let (start, again) = match sent.map_or(again, |(_, id)| id.as_str()) {
        "" => (Start::default(), None),
        id => match domain::invitations::offered_again(latchkey, actor, id).await {
            Ok((invitation, start)) => (start, Some(again_view(&invitation))),
            // It waits no longer. What was typed is kept, for a new one.
            Err(Failure::NotFound) if sent.is_some() => (Start::default(), None),
            Err(failure) => return Err(failure),
        },
    };
    let back = match &again {
        Some(again) => back.map(|back| back.made_of(&again.before)),
        None => back,
    };
    let own = domain::accounts::own_access(latchkey, actor).await?;
    let bounded = || words!(help.inviting_held, held = words::access_line(&own));
    let lifetime = latchkey.settings.invitation_lifetime;
    let last = rejected.as_ref().or(back.as_ref());
    let mut sought = sought(last);
    // What the address says to begin with is for a form that nobody typed into yet.
    if last.is_none() {
        sought.start = start_from;
    }
    let (begun, sought) = starts::begun(inside, &sought).await?;
    let bounds = domain::giving::bounds_of_new(latchkey, actor, &start, &sought).await?;
    let held = actor.open();
    Ok(InviteView {
        back,
        again,
        held,
        ticked: start.terms.permissions.intersection(held),
        bounded: own.is_bounded().then(bounded),
        starts: starts::offer(inside, None, begun).await?,
        bounds: bounds_view(bounds, actor),
        valid: words!(invite.valid, count = lifetime.as_secs() / (24 * 60 * 60)),
        as_owner: actor.owns().then(|| crate::owners::api::as_owner(inside)),
    })
}

/// An invitation that is corrected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AgainView {
    /// Its id.
    pub(crate) invitation: String,
    /// The invited address.
    pub(crate) email: String,
    /// What the form is made of, for comparing when it is sent.
    pub(crate) before: String,
    /// What is said of it if it offers more than the one grant that the form begins with.
    pub(crate) several: Option<String>,
}

#[cfg(feature = "ssr")]
fn again_view(invitation: &domain::invitations::Invitation) -> AgainView {
    let offered = &invitation.offered;
    let several = || {
        let (provider, access) =
            (&request::site().provider, words::access_line(&offered.outline()));
        words!(invite.again_several, provider = provider.clone(), access = access)
    };
    AgainView {
        invitation: invitation.id.to_string(),
        email: invitation.email.to_string(),
        before: domain::invitations::made_of(invitation),
        several: (offered.grants().len() > 1).then(several),
    }
}

/// The form for inviting, as a page.
#[server(prefix = "/api", endpoint = "users/invite-page", input = GetUrl)]
pub(crate) async fn invite_page(
    account: String,
    #[server(default)] draft: String,
    #[server(default)] again: String,
    #[server(default)] start: String,
) -> Result<Page<InviteView>, Problem> {
    let rejected = use_context::<Rejected>();
    let inside = request::inside(&account).await?;
    let content = invite_view(&inside, &again, rejected, &draft, start).await;
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
    #[server(default)] again: String,
    #[server(default)] before: Option<String>,
) -> Result<(), Problem> {
    come_back_if_asked(&show)?;
    let inside = eyes::inside_to_give(&account, &show).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let before = before.as_deref();
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
    let sent = match (as_owner, again.as_str()) {
        (true, _) => domain::invitations::send_to_owner(latchkey, actor, &email, &client).await?,
        (false, "") => domain::invitations::send(latchkey, actor, &email, &wished, &client).await?,
        (false, id) => {
            domain::invitations::correct(latchkey, actor, id, &wished, before, &client).await?
        }
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
    /// Whether somebody else can be given the same.
    pub(crate) can_be_copied: bool,
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
    /// The list of all of them.
    pub(crate) list: String,
    /// The pages of the first of them, with their names.
    pub(crate) first: Vec<(String, String)>,
    /// How many more there are.
    pub(crate) more: usize,
}

#[cfg(feature = "ssr")]
fn reaches(
    number: model::AccountNumber,
    user: UserId,
    area: Area,
    things: ReachedThings,
) -> ReachesView {
    let page = match area {
        Area::Services => SERVICE,
        _ => DOMAIN,
    };
    let more = (things.count as usize).saturating_sub(things.things.len());
    let first =
        things.things.into_iter().map(|one| (address_of(page, &[&number, &one.id]), one.name));
    ReachesView {
        area: words::area(area),
        list: address_of(REACHED, &[&number, &user, &area.id()]),
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
    let held: Vec<_> = member.held.grants().iter().map(|row| row.outline).collect();
    let totals = domain::areas::totals(latchkey, actor, held.iter()).await?;
    let user = member.user;
    let reaches = |(area, things)| reaches(number, user, area, things);
    let yours = |member: &Member| words::your_access(&member.held.outline().live(now));
    let (owned, own) = (member.held.is_owner(), member.user == actor.seen_as());
    let loses = loses(&member, now);
    let can_be_copied =
        !owned && !own && member.paused.is_none() && member.held.lapsed_at(now).is_none();
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
        bounds: bounds.map(|bounds| bounds_view(bounds, actor)),
        back: back.map(|back| back.made_of(&made_of)),
        before: made_of,
        since: Moment::new(member.since, now),
        invited_by: member.invited_by,
        last_active: member.last_active_at.map(|at| Moment::new(at, now)),
        paused: member.paused.as_ref().map(paused_by),
        pause: member.paused.as_ref().map(domain::users::pause_id).unwrap_or_default(),
        loses,
        extras: extras.into_iter().map(|extra| card_view(extra, totals)).collect(),
        lapsed: lapsed.into_iter().map(|lapsed| lapsed_view(&lapsed, totals)).collect(),
        reaches: things.into_iter().map(reaches).collect(),
        log: actor.may(Permission::AccountLog, On::Account),
        can_be_copied,
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
fn lapsed_view(lapsed: &Renewable, totals: Totals) -> LapsedView {
    LapsedView {
        grant: lapsed.grant.to_string(),
        ended: words!(pause.ended, day = formats::last_day(lapsed.ended)),
        can_give: lapsed.gives.is_some(),
        access: words::access_line_of(lapsed.gives.as_ref().unwrap_or(&lapsed.gave), totals),
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
    #[server(default)] pause_reason: String,
    #[server(default)] before: Option<String>,
) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let (before, client) = (before.as_deref(), request::client()?);
    let resumed =
        domain::users::resume(latchkey, actor, &user, &pause_reason, before, &client).await?;
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

/// What there is to choose for the actor, in words.
#[cfg(feature = "ssr")]
pub(crate) fn bounds_view(bounds: Bounds, actor: &Actor) -> BoundsView {
    // Nobody asks through somebody else's eyes.
    let lacking = match actor.eyes {
        Some(_) => Vec::new(),
        None => PermissionSet::all().difference(actor.open()).collect(),
    };
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
        mixed: choices.mixed,
    };
    BoundsView {
        holds: bounds.holds.iter().map(|hold| (hold.permission, words::hold(hold))).collect(),
        lacking,
        services: things(bounds.services),
        domains: things(bounds.domains),
        until: UntilView {
            day: bounds.until,
            movable: bounds.until_movable,
            latest: bounds.latest,
            soonest: bounds.soonest,
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
