//! Server functions of owners.

// Not on the functions: what `#[server]` makes of them in the browser's half has as many.
#![allow(clippy::too_many_arguments, reason = "one for each field")]

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::PermissionSet;
use serde::{Deserialize, Serialize};

use crate::frame::PersonView;
use crate::page::Page;
use crate::problem::Problem;
use crate::typed::Typed;
use crate::users::bounds::BoundsView;
use crate::users::starts::StartsView;

#[cfg(feature = "ssr")]
use {
    crate::address::{ACCOUNT, OWNER_CHANGE, USERS, address_of},
    crate::notice::Notice,
    crate::owners::strip::{ElsewhereView, WaitingView},
    crate::rejected::Rejected,
    crate::users::api::{bounds_view, come_back_if_asked, sought},
    crate::users::list::api::person,
    crate::users::permission_groups::chosen,
    crate::users::starts::server as starts,
    crate::when::server::exact,
    crate::{formats, request, words},
    domain::giving::{Sought, Start, Wished},
    domain::owner_changes::{Leftover, OwnerChange, WaitingElsewhere},
    model::{Access, Afterwards, Failure, OwnerChangeKind, OwnerChangeState, Timestamp},
};

/// In a form that hands the account over: that its giver stays as a user.
pub(crate) const USER: &str = "user";

/// The same: that they leave.
pub(crate) const OUT: &str = "out";

/// What the page for making somebody an owner shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MakeOwnerView {
    /// Whom.
    pub(crate) person: PersonView,
    /// What has to happen first, in a sentence.
    pub(crate) waits: String,
}

/// What a form for giving needs in which owners choose what they hold themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GivingView {
    /// What they can choose from.
    pub(crate) held: PermissionSet,
    /// What the form can begin with.
    pub(crate) starts: StartsView,
    /// On what, and until when.
    pub(crate) bounds: BoundsView,
}

/// What the page for handing the account over shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HandOverView {
    /// To whom.
    pub(crate) person: PersonView,
    /// What has to happen first, in a sentence.
    pub(crate) waits: String,
    /// What the reader can become.
    pub(crate) giving: GivingView,
}

/// What the page for stepping down shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepDownView {
    /// What the reader can become; none for the last owner.
    pub(crate) giving: Option<GivingView>,
}

/// What the reader of a change's page can do about it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OwnerStepView {
    /// Accept or decline: it is about them.
    Answer,
    /// Stop it.
    Stop,
    /// Nothing.
    None,
    /// Nothing, as nothing is known of it any more but what the log tells.
    Gone,
}

/// What a change's page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnerChangeView {
    /// The change.
    pub(crate) change: String,
    /// How it stands, or what is asked.
    pub(crate) heading: String,
    /// More about it.
    pub(crate) lines: Vec<String>,
    /// What there is to do.
    pub(crate) step: OwnerStepView,
}

/// Somebody who was asked to become an owner, or waits for it, on User management.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BecomingRow {
    /// The change.
    pub(crate) change: String,
    /// Who, by whom, and when, in a sentence.
    pub(crate) sentence: String,
    /// Whether the reader can stop it here: what waits, they stop in the strip above.
    pub(crate) can_stop: bool,
}

/// The page for making somebody an owner.
#[server(prefix = "/api", endpoint = "owners/make-page", input = GetUrl)]
pub(crate) async fn make_owner_page(
    account: String,
    user: String,
) -> Result<Page<MakeOwnerView>, Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let heir = domain::owner_changes::heir(latchkey, actor, &user).await;
    let content = heir.map(|heir| MakeOwnerView {
        waits: waits(&inside, &heir.full_name),
        person: person(&heir),
    });
    inside.page(content).await
}

/// What has to happen before somebody is an owner.
#[cfg(feature = "ssr")]
fn waits(inside: &request::Inside, name: &str) -> String {
    match hours(inside) {
        0 => words!(owners.waits_for_yes, name = name.to_owned()),
        hours => words!(owners.waits, name = name.to_owned(), count = hours),
    }
}

/// What inviting somebody as an owner means.
#[cfg(feature = "ssr")]
pub(crate) fn as_owner(inside: &request::Inside) -> String {
    match hours(inside) {
        0 => words!(invite.as_owner_at_once),
        hours => words!(invite.as_owner_hint, count = hours),
    }
}

#[cfg(feature = "ssr")]
fn hours(inside: &request::Inside) -> u64 {
    inside.latchkey.settings.owner_wait.as_secs() / (60 * 60)
}

/// What an owner can choose to hold as a user.
#[cfg(feature = "ssr")]
async fn giving_view(inside: &request::Inside, sought: &Sought) -> Result<GivingView, Failure> {
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let (begun, sought) = starts::begun(inside, sought).await?;
    let start = Start::default();
    let bounds = domain::giving::bounds_of_new(latchkey, actor, &start, &sought).await?;
    let starts = starts::offer(inside, Some(actor.seen_as()), begun).await?;
    Ok(GivingView { held: actor.open(), starts, bounds: bounds_view(bounds, actor) })
}

/// The page for handing the account over.
#[server(prefix = "/api", endpoint = "owners/hand-over-page", input = GetUrl)]
pub(crate) async fn hand_over_page(
    account: String,
    user: String,
) -> Result<Page<HandOverView>, Problem> {
    let sought = sought(use_context::<Rejected>().as_ref());
    let inside = request::inside(&account).await?;
    let content = hand_over_view(&inside, &user, &sought).await;
    inside.page(content).await
}

#[cfg(feature = "ssr")]
async fn hand_over_view(
    inside: &request::Inside,
    user: &str,
    sought: &Sought,
) -> Result<HandOverView, Failure> {
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let heir = domain::owner_changes::heir(latchkey, actor, user).await?;
    let giving = giving_view(inside, sought).await?;
    Ok(HandOverView { waits: waits(inside, &heir.full_name), person: person(&heir), giving })
}

/// The page for stepping down.
#[server(prefix = "/api", endpoint = "owners/step-down-page", input = GetUrl)]
pub(crate) async fn step_down_page(account: String) -> Result<Page<StepDownView>, Problem> {
    let sought = sought(use_context::<Rejected>().as_ref());
    let inside = request::inside(&account).await?;
    let content = step_down_view(&inside, &sought).await;
    inside.page(content).await
}

#[cfg(feature = "ssr")]
async fn step_down_view(
    inside: &request::Inside,
    sought: &Sought,
) -> Result<StepDownView, Failure> {
    let actor = &inside.acting.actor;
    actor.must_own()?;
    let giving = match domain::accounts::is_last_owner(&inside.latchkey, actor).await? {
        true => None,
        false => Some(giving_view(inside, sought).await?),
    };
    Ok(StepDownView { giving })
}

/// Asks somebody to become an owner.
#[server(prefix = "/api", endpoint = "owners/make")]
pub(crate) async fn make_owner(account: String, user: String) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let client = request::client()?;
    let asked = domain::owner_changes::make_owner(latchkey, actor, &user, &client).await?;
    let users = address_of(USERS, &[&inside.acting.number]);
    request::done(&users, Notice::OwnerAsked { name: asked.full_name });
    Ok(())
}

/// Asks somebody to own the account in the reader's place.
#[server(prefix = "/api", endpoint = "owners/hand-over")]
pub(crate) async fn hand_over(
    account: String,
    user: String,
    #[server(default)] becomes: String,
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
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let leftover = match becomes.as_str() {
        USER => Some(Leftover::User(Wished {
            permissions: chosen(&permissions, &areas, &areas_before, actor.open()),
            services: services.0,
            service,
            domains: domains.0,
            domain,
            until: until.0,
            why: why.0,
        })),
        OUT => Some(Leftover::Out),
        _ => None,
    };
    let client = request::client()?;
    let asked =
        domain::owner_changes::hand_over(latchkey, actor, &user, leftover.as_ref(), &client)
            .await?;
    let users = address_of(USERS, &[&inside.acting.number]);
    request::done(&users, Notice::HandingAsked { name: asked.full_name });
    Ok(())
}

/// Has the reader be a user of the account from now on.
#[server(prefix = "/api", endpoint = "owners/step-down")]
pub(crate) async fn step_down(
    account: String,
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
    let inside = request::inside_confirmed(&account).await?;
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
    let client = request::client()?;
    domain::owner_changes::step_down(latchkey, actor, &wished, &client).await?;
    let overview = address_of(ACCOUNT, &[&inside.acting.number]);
    request::done(&overview, Notice::SteppedDown { account: inside.acting.name });
    Ok(())
}

/// A change of who owns the account.
#[server(prefix = "/api", endpoint = "owners/change-page", input = GetUrl)]
pub(crate) async fn owner_change_page(
    account: String,
    change: String,
) -> Result<Page<OwnerChangeView>, Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let content = match domain::owner_changes::find(latchkey, actor, &change).await {
        Ok(change) => Ok(change_view(&inside, &change)),
        Err(Failure::NotFound) if domain::owner_changes::may_be_gone(actor, &change) => {
            request::gone();
            Ok(gone_view(change))
        }
        Err(failure) => Err(failure),
    };
    inside.page(content).await
}

/// What owners read whose mail leads to a change of which nothing is known any more.
#[cfg(feature = "ssr")]
fn gone_view(change: String) -> OwnerChangeView {
    OwnerChangeView {
        change,
        heading: words!(owners.gone_heading),
        lines: vec![words!(owners.gone)],
        step: OwnerStepView::Gone,
    }
}

#[cfg(feature = "ssr")]
fn change_view(inside: &request::Inside, change: &OwnerChange) -> OwnerChangeView {
    let actor = &inside.acting.actor;
    let yours = actor.eyes.is_none() && change.user == actor.user;
    let (heading, lines) = match yours {
        true => to_person(inside, change),
        false => to_owner(change),
    };
    OwnerChangeView {
        change: change.id.to_string(),
        heading,
        lines,
        step: match change.state {
            OwnerChangeState::Offered if yours => OwnerStepView::Answer,
            // What waits is stopped in the strip above.
            OwnerChangeState::Offered if actor.owns() => OwnerStepView::Stop,
            _ => OwnerStepView::None,
        },
    }
}

/// A change as whoever it is about reads it.
#[cfg(feature = "ssr")]
fn to_person(inside: &request::Inside, change: &OwnerChange) -> (String, Vec<String>) {
    let (account, by) = (inside.acting.name.clone(), change.made_by_name.clone());
    match change.state {
        OwnerChangeState::Offered => {
            let asked = match change.is_handed() {
                true => words!(owners.asked_handed, by = by.clone(), account = account.clone()),
                false => words!(owners.asked, by = by.clone(), account = account.clone()),
            };
            let waits = match hours(inside) {
                0 => words!(owners.you_wait_for_yes),
                hours => words!(owners.you_wait, count = hours),
            };
            let means = words!(owners.you_can_all, account = account.clone());
            let lines = vec![asked, means, words!(owners.you_always, by = by), waits];
            (words!(owners.become_heading, account = account), lines)
        }
        OwnerChangeState::Waiting => {
            let when = exact(change.due_at.unwrap_or(change.asked_at));
            let asked = formats::own_day(change.asked_at);
            let line = match change.is_takeover() {
                true => words!(successor.you_waiting, asked = asked, when = when),
                false => words!(owners.you_waiting, when = when),
            };
            (words!(owners.you_become, account = account), vec![line])
        }
        OwnerChangeState::Done => (words!(owners.you_are, account = account), Vec::new()),
        OwnerChangeState::Declined => (words!(owners.you_declined), Vec::new()),
        OwnerChangeState::Stopped | OwnerChangeState::Lapsed => {
            let heading = match change.is_handed() {
                true => words!(owners.not_handed_you, account = account),
                false => words!(owners.you_become_none, account = account),
            };
            (heading, vec![over(change)])
        }
    }
}

/// A change as an owner reads it.
#[cfg(feature = "ssr")]
fn to_owner(change: &OwnerChange) -> (String, Vec<String>) {
    let name = change.person.full_name.clone();
    let day = formats::own_day(change.asked_at);
    let by = change.made_by_name.clone();
    let asked = match change.is_handed() {
        true => words!(owners.handed_on, by = by.clone(), day = day),
        false => words!(owners.asked_on, by = by.clone(), day = day),
    };
    let asked = match change.is_takeover() {
        true => {
            words!(successor.asked_on, name = name.clone(), day = formats::own_day(change.asked_at))
        }
        false => asked,
    };
    let then = change.afterwards.as_ref().map(|afterwards| match afterwards {
        Afterwards::Out => words!(owners.giver_out, by = by),
        Afterwards::User(terms, _) => {
            let access: Access = std::iter::once(terms.clone()).collect();
            words!(owners.giver_user, by = by, access = words::access_line(&access.outline()))
        }
    });
    let open = change.state.is_open();
    let (heading, line) = match change.state {
        OwnerChangeState::Offered => {
            (words!(owners.was_asked, name = name.clone()), words!(owners.until_yes, name = name))
        }
        OwnerChangeState::Waiting => {
            let when = exact(change.due_at.unwrap_or(change.asked_at));
            let day = formats::own_day(change.due_at.unwrap_or(change.asked_at));
            (words!(owners.becomes_on, name = name, day = day), words!(owners.true_at, when = when))
        }
        OwnerChangeState::Done => {
            let day = formats::own_day(change.over_at.unwrap_or(change.asked_at));
            (words!(owners.is_owner, name = name), words!(owners.since, day = day))
        }
        OwnerChangeState::Declined | OwnerChangeState::Stopped | OwnerChangeState::Lapsed => {
            let heading = match change.is_handed() {
                true => words!(owners.not_handed, name = name),
                false => words!(owners.becomes_none, name = name),
            };
            (heading, over(change))
        }
    };
    let lines = [Some(asked), then.filter(|_| open), Some(line)];
    (heading, lines.into_iter().flatten().collect())
}

/// Why nothing came of a change, and since when.
#[cfg(feature = "ssr")]
fn over(change: &OwnerChange) -> String {
    let day = formats::own_day(change.over_at.unwrap_or(change.asked_at));
    match (change.state, &change.stopped_by) {
        (OwnerChangeState::Stopped, Some(by)) => {
            words!(owners.stopped_by, by = by.clone(), day = day)
        }
        (OwnerChangeState::Declined, _) => words!(owners.declined_on, day = day),
        _ if change.is_takeover() => words!(successor.lapsed_on, day = day),
        _ if change.is_handed() => {
            let name = change.person.full_name.clone();
            words!(owners.handed_lapsed_on, name = name, day = day)
        }
        _ => words!(owners.lapsed_on, day = day),
    }
}

/// Who becomes an owner, and when, for an owner's strip.
#[cfg(feature = "ssr")]
pub(crate) fn waiting_view(change: &OwnerChange) -> WaitingView {
    let name = change.person.full_name.clone();
    let due_at = change.due_at.unwrap_or(change.asked_at);
    let (by, when) = (change.made_by_name.clone(), exact(due_at));
    let sentence = match change.kind {
        OwnerChangeKind::Handed => words!(owners.strip_handed, name = name, by = by, when = when),
        OwnerChangeKind::Made => words!(owners.strip, name = name, by = by, when = when),
        OwnerChangeKind::TakenOver => words!(
            successor.strip,
            name = name,
            asked = formats::own_day(change.asked_at),
            day = formats::own_day(due_at)
        ),
    };
    let takeover = change.is_takeover();
    WaitingView { change: change.id.to_string(), sentence, takeover }
}

/// Who becomes an owner of which account, and when, for an owner who isn't in it at this moment.
#[cfg(feature = "ssr")]
pub(crate) fn elsewhere_view(change: &WaitingElsewhere) -> ElsewhereView {
    let WaitingElsewhere { id, number, due_at, asked_at, .. } = change;
    let (name, account) = (change.name.clone(), change.account_name.clone());
    let (by, when) = (change.made_by_name.clone(), exact(*due_at));
    let sentence = match change.kind {
        OwnerChangeKind::Handed => {
            words!(owners.elsewhere_handed, name = name, account = account, by = by, when = when)
        }
        OwnerChangeKind::Made => {
            words!(owners.elsewhere, name = name, account = account, by = by, when = when)
        }
        OwnerChangeKind::TakenOver => words!(
            successor.elsewhere,
            name = name,
            account = account,
            asked = formats::own_day(*asked_at),
            day = formats::own_day(*due_at)
        ),
    };
    ElsewhereView { sentence, page: address_of(OWNER_CHANGE, &[number, id]) }
}

/// Those who were asked or wait, for User management.
#[cfg(feature = "ssr")]
pub(crate) fn becoming_rows(owns: bool, open: &[OwnerChange]) -> Vec<BecomingRow> {
    let row = |change: &OwnerChange| {
        let (name, by) = (change.person.full_name.clone(), change.made_by_name.clone());
        BecomingRow {
            change: change.id.to_string(),
            sentence: match (change.due_at, change.is_handed()) {
                (Some(due_at), _) if change.is_takeover() => {
                    words!(successor.row, name = name, when = exact(due_at))
                }
                (Some(due_at), true) => {
                    words!(owners.row_handed_waits, name = name, by = by, when = exact(due_at))
                }
                (Some(due_at), false) => {
                    words!(owners.row_waits, name = name, by = by, when = exact(due_at))
                }
                (None, true) => words!(owners.row_handed, name = name, by = by),
                (None, false) => words!(owners.row_asked, name = name, by = by),
            },
            can_stop: owns && change.state == OwnerChangeState::Offered,
        }
    };
    open.iter().map(row).collect()
}

/// That somebody becomes an owner, and when, as a mark beside their name.
#[cfg(feature = "ssr")]
pub(crate) fn mark(due_at: Option<Timestamp>) -> String {
    match due_at {
        Some(due_at) => words!(owners.mark, day = formats::own_day(due_at)),
        None => words!(owners.mark_asked),
    }
}

/// Accepts to become an owner.
#[server(prefix = "/api", endpoint = "owners/accept")]
pub(crate) async fn accept_ownership(account: String, change: String) -> Result<(), Problem> {
    let inside = request::inside_confirmed(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let client = request::client()?;
    let accepted = domain::owner_changes::accept(latchkey, actor, &change, &client).await?;
    let page = address_of(OWNER_CHANGE, &[&inside.acting.number, &accepted.id]);
    request::done(&page, Notice::OwnershipAccepted);
    Ok(())
}

/// Declines to become an owner.
#[server(prefix = "/api", endpoint = "owners/decline")]
pub(crate) async fn decline_ownership(account: String, change: String) -> Result<(), Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let client = request::client()?;
    domain::owner_changes::decline(latchkey, actor, &change, &client).await?;
    let overview = address_of(ACCOUNT, &[&inside.acting.number]);
    request::done(&overview, Notice::OwnershipDeclined);
    Ok(())
}

/// Stops that somebody becomes an owner: at once, as it may be somebody who isn't who they say.
#[server(prefix = "/api", endpoint = "owners/stop")]
pub(crate) async fn stop_owner_change(account: String, change: String) -> Result<(), Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let client = request::client()?;
    let stopped = domain::owner_changes::stop(latchkey, actor, &change, &client).await?;
    let users = address_of(USERS, &[&inside.acting.number]);
    request::done(&users, Notice::OwnerStopped { name: stopped.person.full_name });
    Ok(())
}
