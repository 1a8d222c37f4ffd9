//! "Start from": what a form for giving can begin with. Choosing fills the boxes and no more: with the
//! WASM at once, without it by a button that has the form come back filled in.

use leptos::prelude::*;
use maud::html;
use model::{AccountNumber, PermissionSet};
use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::ui::field::{hint, label};
use crate::ui::form::FormState;
use crate::ui::still::still;
use crate::users::bounds::Chosen;
use crate::users::permission_groups::Ticked;

/// What the choice is called in the form, and its button says to be wanted.
pub(crate) const START: &str = "start";

/// What there is to begin with, and what was begun with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StartsView {
    /// Presets, then people.
    pub(crate) offered: Vec<StartView>,
    /// What the form was to come back with, if it is there.
    pub(crate) begun: Option<BegunView>,
}

/// Something to begin with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StartView {
    /// Its id.
    pub(crate) id: String,
    /// What it is called.
    pub(crate) label: String,
    /// Whether that is somebody's name.
    pub(crate) is_person: bool,
}

/// What a form begins with, as far as the reader could give it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BegunView {
    /// The id of what was chosen.
    pub(crate) id: String,
    /// The permissions.
    pub(crate) permissions: PermissionSet,
    /// Which services.
    pub(crate) services: BegunThings,
    /// Which domains.
    pub(crate) domains: BegunThings,
    /// That somebody holds more than is begun with, in a sentence.
    pub(crate) rest: Option<String>,
}

/// Which things of an area a form begins with: none where it begins with no permission about them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BegunThings {
    /// Whether it is all of them, also those to come.
    pub(crate) all: bool,
    /// The ids, if it isn't.
    pub(crate) ids: Vec<String>,
}

/// What choosing came to.
#[derive(Clone, PartialEq, Eq)]
enum Outcome {
    Nothing,
    FilledIn(String, Option<String>),
    Failed,
}

/// What to begin with.
#[component]
pub(crate) fn StartFrom(
    /// The account's number.
    number: AccountNumber,
    /// What there is.
    starts: StartsView,
    /// The ticks, to be set.
    ticked: Ticked,
    /// What bounds them, to be set.
    chosen: Chosen,
    /// What is granted by now.
    granted: PermissionSet,
    /// What the reader can change of it.
    held: PermissionSet,
) -> impl IntoView {
    let StartsView { offered, begun } = starts;
    if offered.is_empty() {
        return ().into_any();
    }
    let begun = begun.map(|begun| (begun.id, begun.rest));
    let before = begun.as_ref().map(|(id, _)| id.clone());
    let before = before.or_else(|| FormState::here().value(START)).unwrap_or_default();
    let place = NodeRef::<leptos::html::Select>::new();
    let button = NodeRef::<leptos::html::Button>::new();
    let (asked, busy) = (RwSignal::new(before.clone()), RwSignal::new(false));
    let filled_in = |(id, rest)| Outcome::FilledIn(id, rest);
    let outcome = RwSignal::new(begun.map_or(Outcome::Nothing, filled_in));
    let fill_in = move |id: String| {
        asked.set(id.clone());
        outcome.set(Outcome::Nothing);
        busy.set(!id.is_empty());
        if id.is_empty() {
            return;
        }
        leptos::task::spawn_local(async move {
            let begun = ask(number, &id).await;
            // Something else was chosen meanwhile, or the form is gone.
            if asked.try_get_untracked().as_ref() != Some(&id) {
                return;
            }
            if let Ok(begun) = &begun
                && !chosen.shows(begun)
                && let Some(button) = button.get_untracked()
            {
                // The form comes back from the server, with the things that aren't shown here.
                button.click();
                return;
            }
            busy.set(false);
            if let Ok(begun) = begun {
                ticked.begin(begun.permissions, granted, held);
                chosen.begin(&begun);
                outcome.set(Outcome::FilledIn(id, begun.rest));
            } else {
                asked.set(String::new());
                if let Some(select) = place.get_untracked() {
                    select.set_value("");
                }
                outcome.set(Outcome::Failed);
            }
        });
    };
    let alive = RwSignal::new(false);
    Effect::new(move |_| alive.set(true));
    let option = |StartView { id, label, is_person }: &StartView| {
        let translate = is_person.then_some("no");
        still(html! {
            option value=(id) selected[*id == before] translate=[translate] { (label) }
        })
    };
    let options = offered.iter().map(option).collect_view();
    // What was chosen before the WASM came.
    Effect::new(move |_| {
        let now = place.get().map(|select| select.value());
        if let Some(now) = now.filter(|now| *now != before) {
            fill_in(now);
        }
    });
    let told = move || {
        let words = match outcome.get() {
            Outcome::Nothing => return None,
            Outcome::FilledIn(id, rest) => {
                let label = offered.iter().find(|start| start.id == id)?.label.clone();
                let filled_in = words!(start.filled_in, name = label);
                match rest {
                    Some(rest) => format!("{filled_in}. {rest}"),
                    None => filled_in,
                }
            }
            Outcome::Failed => words!(start.failed),
        };
        Some(still(html! { bdi { (words) } }))
    };
    view! {
        <div class="field">
            {label(START, &words!(start.from))}
            {hint("start-hint", &words!(start.hint))}
            <div class="control start">
                <select
                    id=START
                    name=START
                    node_ref=place
                    on:change=move |event| fill_in(event_target_value(&event))
                    aria-describedby="start-hint"
                    aria-busy=move || busy.get().then_some("true")
                    autocomplete="off"
                >
                    {still(html! { option value="" { (words!(start.choose)) } })}
                    {options}
                </select>
                <button
                    node_ref=button
                    type="submit"
                    class="button"
                    name="show"
                    value=START
                    hidden=move || alive.get()
                >
                    {words!(start.fill_in)}
                </button>
            </div>
            <p class="hint" aria-live="polite">
                {told}
            </p>
        </div>
    }
    .into_any()
}

/// What the form would begin with.
#[cfg(not(feature = "ssr"))]
async fn ask(number: AccountNumber, id: &str) -> Result<BegunView, Problem> {
    let address = <crate::users::api::FillIn as leptos::server_fn::ServerFn>::PATH;
    let values = [("account", number.to_string()), (START, id.to_owned())];
    let written = crate::loading::ask(address, &values).await?;
    crate::wire::read(&written).map_err(|_| Problem::Unreachable)
}

/// The server's form comes back filled in.
#[cfg(feature = "ssr")]
async fn ask(_number: AccountNumber, _id: &str) -> Result<BegunView, Problem> {
    Err(Problem::Unreachable)
}

#[cfg(feature = "ssr")]
pub(crate) mod server {
    use domain::giving::Sought;
    use domain::starts::{Begun, PresetName, StartPerson, start, starts};
    use model::{Failure, Reach, UserId};

    use super::{BegunThings, BegunView, StartView, StartsView};
    use crate::request::Inside;

    /// What a form begins with by this id.
    pub(crate) async fn begin(inside: &Inside, id: &str) -> Result<BegunView, Failure> {
        begun_by(inside, id).await.map(|(begun, _)| begun)
    }

    /// The same, and whose access it is, if it is somebody's.
    async fn begun_by(
        inside: &Inside,
        id: &str,
    ) -> Result<(BegunView, Option<StartPerson>), Failure> {
        let begun = start(&inside.latchkey, &inside.acting.actor, id).await?;
        let Begun { terms, person, others } = begun;
        let rest = person.as_ref().filter(|_| others);
        let rest = rest.map(|one| words!(start.rest_left_out, name = one.full_name.clone()));
        let view = BegunView {
            id: id.to_owned(),
            permissions: terms.permissions,
            services: things(&terms.services),
            domains: things(&terms.domains),
            rest,
        };
        Ok((view, person))
    }

    /// What a form that comes back begins with, and what is sought in it, so that the things that it
    /// begins with are shown. What isn't there to begin with changes nothing: no ticks are lost.
    pub(crate) async fn begun(
        inside: &Inside,
        sought: &Sought,
    ) -> Result<(Option<BegunBy>, Sought), Failure> {
        let mut sought = sought.clone();
        if sought.start.is_empty() {
            return Ok((None, sought));
        }
        let (begun, person) = match begun_by(inside, &sought.start).await {
            Err(Failure::NotFound) => return Ok((None, sought)),
            begun => begun?,
        };
        for id in begun.services.ids.iter().chain(&begun.domains.ids) {
            if let Ok(id) = id.parse() {
                sought.ticked.insert(id);
            }
        }
        Ok((Some((begun, person)), sought))
    }

    /// What a form begins with, and whose access that is, if it is somebody's.
    pub(crate) type BegunBy = (BegunView, Option<StartPerson>);

    /// What there is to begin with in a form that gives something to this user, or to somebody new.
    pub(crate) async fn offer(
        inside: &Inside,
        user: Option<UserId>,
        begun: Option<BegunBy>,
    ) -> Result<StartsView, Failure> {
        let mut there = starts(&inside.latchkey, &inside.acting.actor, user).await?;
        let (begun, person) = begun.map_or((None, None), |(begun, person)| (Some(begun), person));
        // Of very many people not all are offered: whoever was chosen is.
        let offers = |one: &StartPerson| there.people.iter().any(|known| known.user == one.user);
        let further = person.filter(|person| !offers(person));
        there.people.extend(further);
        let presets = there.presets.iter().map(|preset| StartView {
            id: preset.id(),
            label: name(&preset.name),
            is_person: false,
        });
        let people = there.people.into_iter().map(|person| StartView {
            id: person.user.to_string(),
            label: words!(start.same_as, name = person.full_name),
            is_person: true,
        });
        Ok(StartsView { offered: presets.chain(people).collect(), begun })
    }

    fn name(preset: &PresetName) -> String {
        match preset {
            PresetName::Bookkeeper => words!(start.bookkeeper),
            PresetName::WebAgency => words!(start.web_agency),
            PresetName::Developer => words!(start.developer),
            PresetName::SupportContact => words!(start.support_contact),
            PresetName::Administrator => words!(start.administrator),
            PresetName::Own(name) => name.clone(),
        }
    }

    fn things(reach: &Reach) -> BegunThings {
        match reach {
            Reach::All => BegunThings { all: true, ids: Vec::new() },
            Reach::These(ids) => {
                BegunThings { all: false, ids: ids.iter().map(ToString::to_string).collect() }
            }
        }
    }
}
