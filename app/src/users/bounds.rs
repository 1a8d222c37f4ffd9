//! What bounds what is given: which services and domains, and until when; and why it is given. Which
//! of it is shown is the style's to say, so that it works without scripts; with the WASM the list of
//! things can be searched as one types, and the sentence that sums it up follows.

use leptos::prelude::*;
use maud::html;
use model::{Area, Field, Permission, PermissionSet};
use serde::{Deserialize, Serialize};

use crate::eyes::ReadOnly;
use crate::ui::field::{TextField, hint, label, wrong};
use crate::ui::form::FormState;
use crate::ui::still::still;
use crate::users::starts::{BegunThings, BegunView};
use crate::words;

/// From how many things on there is a field to search them.
const MANY: usize = 10;

/// How many things the sentence calls by name.
const NAMED: usize = 3;

/// What there is to choose besides permissions, and what is chosen by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BoundsView {
    /// What bounds permissions that the reader has, a sentence for each.
    pub(crate) holds: Vec<(Permission, String)>,
    /// The permissions that they have on nothing at all, and can ask for.
    pub(crate) lacking: Vec<Permission>,
    /// The services.
    pub(crate) services: ThingsView,
    /// The domains.
    pub(crate) domains: ThingsView,
    /// Until when.
    pub(crate) until: UntilView,
    /// Why.
    pub(crate) why: String,
}

/// What there is to choose from in an area.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ThingsView {
    /// The things that are shown.
    pub(crate) things: Vec<ThingView>,
    /// How many there are, whether they are shown or not.
    pub(crate) total: usize,
    /// Whether there are more than are shown.
    pub(crate) more: bool,
    /// How many are reached that the reader doesn't see.
    pub(crate) unseen: usize,
    /// That these stay, in a sentence; none if there are none.
    pub(crate) unseen_stay: Option<String>,
    /// Whether all are reached, also those to come.
    pub(crate) all: bool,
    /// Whether all can be chosen.
    pub(crate) can_all: bool,
    /// Whether some can be chosen.
    pub(crate) can_these: bool,
    /// Whether all can be given with some of the reader's permissions only.
    pub(crate) mixed: bool,
}

impl ThingsView {
    /// What came back with the form, or what is given by now: whether it is these, and whether each of
    /// them is ticked.
    fn chosen(&self, names: &Names) -> (bool, Vec<bool>) {
        let form = FormState::here();
        let these = form.value(names.which).map(|which| which == THESE);
        let these = these.unwrap_or_else(|| self.is_these());
        (these, self.ticks(form.chosen(names.thing).as_deref()))
    }

    /// Whether it is these by now, or has to be.
    fn is_these(&self) -> bool {
        let some = self.unseen > 0 || self.things.iter().any(|thing| thing.reached);
        !self.all && (some || !self.can_all || self.mixed)
    }

    /// The same when one begins with these things; none where that changes nothing.
    fn begun_with(&self, begun: &BegunThings) -> Option<(bool, Vec<bool>)> {
        if begun.all {
            return self.can_all.then(|| (false, self.ticks(None)));
        }
        let these = self.can_these && !begun.ids.is_empty();
        these.then(|| (true, self.ticks(Some(&begun.ids))))
    }

    /// The ticks: these, if there are such, where they can be changed.
    fn ticks(&self, ids: Option<&[String]>) -> Vec<bool> {
        let ticks = self.things.iter().map(|thing| match ids {
            Some(ids) if thing.movable => ids.contains(&thing.id),
            _ => thing.reached,
        });
        ticks.collect()
    }
}

/// A service or a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ThingView {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Whether it is reached by now.
    pub(crate) reached: bool,
    /// Whether that can be changed.
    pub(crate) movable: bool,
}

/// Until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UntilView {
    /// The last day, such as `2027-01-31`; empty is without end.
    pub(crate) day: String,
    /// Whether it can be changed.
    pub(crate) movable: bool,
    /// The last day that can be chosen, if there is one.
    pub(crate) latest: Option<String>,
    /// Whether the day is that of what the reader has shortest.
    pub(crate) soonest: bool,
    /// A week, a month and a year from today.
    pub(crate) ahead: [String; 3],
}

/// What is chosen so far.
#[derive(Clone, Copy)]
pub(crate) struct Chosen {
    services: Things,
    domains: Things,
    until: RwSignal<String>,
    why: RwSignal<String>,
    /// Until when it is, and why, as they are saved.
    saved: StoredValue<(String, String)>,
}

impl Chosen {
    /// Chosen to begin with: what was begun with, what came back with the form, or what is given by
    /// now. Made inside the form.
    pub(crate) fn new(view: &BoundsView, begun: Option<&BegunView>) -> Self {
        let form = FormState::here();
        let until = Some(form).filter(|_| view.until.movable);
        let until = until.and_then(|form| form.value(Field::Until.name()));
        let until = RwSignal::new(until.unwrap_or_else(|| view.until.day.clone()));
        #[cfg(feature = "hydrate")]
        if crate::ui::go::is_hydrating()
            && let Some(typed) = live::input(Field::Until.name())
        {
            let now = typed.value();
            Effect::new(move |_| until.set(now.clone()));
        }
        let begun_services = begun.map(|begun| &begun.services);
        let services = Things::new(Area::Services, view.services.clone(), begun_services);
        let begun_domains = begun.map(|begun| &begun.domains);
        let domains = Things::new(Area::Domains, view.domains.clone(), begun_domains);
        let why = form.value(Field::Why.name()).unwrap_or_else(|| view.why.clone());
        let saved = StoredValue::new((view.until.day.clone(), view.why.clone()));
        Self { services, domains, until, why: RwSignal::new(why), saved }
    }

    /// What is chosen otherwise than it is saved, with these permissions, a line each.
    pub(crate) fn changes(self, permissions: PermissionSet) -> Vec<String> {
        let is_about = |area| permissions.in_area(area).next().is_some();
        let (until, why) = self.saved.get_value();
        let others = [
            (is_about(Area::Services) && self.services.is_changed())
                .then(|| words!(manage.other_services)),
            (is_about(Area::Domains) && self.domains.is_changed())
                .then(|| words!(manage.other_domains)),
            (self.until.get() != until).then(|| words!(manage.other_end)),
            (self.why.get() != why).then(|| words!(manage.other_reason)),
        ];
        others.into_iter().flatten().collect()
    }

    /// Whether all of these things are among those that are shown: of very many, only some are.
    pub(crate) fn shows(self, begun: &BegunView) -> bool {
        self.services.shows(&begun.services) && self.domains.shows(&begun.domains)
    }

    /// Begins anew with these things, as far as they can be changed.
    pub(crate) fn begin(self, begun: &BegunView) {
        self.services.begin(&begun.services);
        self.domains.begin(&begun.domains);
    }

    /// The things of an area that has some.
    pub(crate) const fn things(self, area: Area) -> Option<Things> {
        match area {
            Area::Services => Some(self.services),
            Area::Domains => Some(self.domains),
            Area::Billing | Area::Support | Area::Account => None,
        }
    }

    /// What the person will be able to do with these permissions, as a sentence that changes as one
    /// chooses.
    pub(crate) fn summary(self, permissions: impl Fn() -> PermissionSet) -> String {
        let bound = |area| self.things(area).and_then(Things::bound);
        let until = Some(self.until.get()).filter(|day| !day.is_empty());
        let until = until.map(|day| words!(access.until, when = day_in_words(&day)));
        words::access_summary(permissions(), bound, until)
    }
}

/// What is chosen of an area's things.
#[derive(Clone, Copy)]
pub(crate) struct Things {
    area: Area,
    view: StoredValue<ThingsView>,
    these: RwSignal<bool>,
    /// Whether they are ticked, in the order in which they are shown.
    ticked: RwSignal<Vec<bool>>,
}

impl Things {
    fn new(area: Area, view: ThingsView, begun: Option<&BegunThings>) -> Self {
        let names = Names::of(area);
        let begun = begun.and_then(|begun| view.begun_with(begun));
        let (these, ticked) = begun.unwrap_or_else(|| view.chosen(&names));
        let ticked = RwSignal::new(ticked);
        let these = RwSignal::new(these);
        // What was chosen before the WASM came.
        #[cfg(feature = "hydrate")]
        if crate::ui::go::is_hydrating()
            && let Some(chosen) = live::input(names.these)
        {
            let ids = view.things.iter().map(|thing| thing_id(&thing.id));
            let is_ticked = |id: String| live::input(&id).is_some_and(|input| input.checked());
            let (now, chosen): (Vec<_>, _) = (ids.map(is_ticked).collect(), chosen.checked());
            Effect::new(move |_| {
                ticked.set(now.clone());
                these.set(chosen);
            });
        }
        Self { area, view: StoredValue::new(view), these, ticked }
    }

    fn shows(self, begun: &BegunThings) -> bool {
        self.view.with_value(|view| {
            let is_shown = |id: &String| view.things.iter().any(|thing| thing.id == *id);
            begun.ids.iter().all(is_shown)
        })
    }

    fn begin(self, begun: &BegunThings) {
        if let Some((these, ticked)) = self.view.with_value(|view| view.begun_with(begun)) {
            self.these.set(these);
            self.ticked.set(ticked);
        }
    }

    /// How many of how many, and which, unless it is all.
    fn bound(self) -> Option<String> {
        if !self.these.get() {
            return None;
        }
        self.view.with_value(|view| {
            let ticked = self.ticked.get();
            let chosen = view.things.iter().zip(&ticked).filter(|(_, ticked)| **ticked);
            let names: Vec<_> = chosen.map(|(thing, _)| thing.name.as_str()).collect();
            let some = names.len() + view.unseen;
            let count = words!(area.count, some = some, all = view.total.max(some));
            let named = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            let rest = some - names.len().min(NAMED);
            Some(match (named.is_empty(), rest) {
                (true, _) => count,
                (false, 0) => format!("{count}: {named}"),
                (false, _) => {
                    format!("{count}: {}", words!(bounds.more, names = named, count = rest))
                }
            })
        })
    }

    /// Whether other things are chosen than those that are reached by now.
    fn is_changed(self) -> bool {
        let (these, ticked) = (self.these.get(), self.ticked.get());
        self.view
            .with_value(|view| these != view.is_these() || (these && ticked != view.ticks(None)))
    }

    fn can_search(self) -> bool {
        self.view.with_value(|view| view.more || view.things.len() > MANY)
            || self.sought().is_some()
    }

    /// What was searched for without the WASM.
    fn sought(self) -> Option<String> {
        FormState::here().value(Names::of(self.area).search).filter(|sought| !sought.is_empty())
    }
}

const THESE: &str = "these";

/// What the fields about an area's things are called.
struct Names {
    /// The choice between all and these.
    which: &'static str,
    /// Its group.
    group: &'static str,
    /// Its button for these.
    these: &'static str,
    /// A thing's box.
    thing: &'static str,
    /// The search.
    search: &'static str,
    field: Field,
}

impl Names {
    const fn of(area: Area) -> Self {
        match area {
            Area::Domains => Self {
                which: "domains",
                group: Field::WhichDomains.name(),
                these: "these-domains",
                thing: "domain[]",
                search: "search_domains",
                field: Field::WhichDomains,
            },
            Area::Services | Area::Billing | Area::Support | Area::Account => Self {
                which: "services",
                group: Field::WhichServices.name(),
                these: "these-services",
                thing: "service[]",
                search: "search_services",
                field: Field::WhichServices,
            },
        }
    }
}

fn thing_id(id: &str) -> String {
    format!("thing-{id}")
}

/// A day such as `2027-01-31` as people write it.
#[cfg(feature = "ssr")]
fn day_in_words(day: &str) -> String {
    crate::formats::civil_day(day)
}

/// The same by the browser's own calendar.
#[cfg(feature = "hydrate")]
fn day_in_words(day: &str) -> String {
    use leptos::wasm_bindgen::JsValue;
    let date = js_sys::Date::new(&JsValue::from_str(day));
    let part = |wanted: &[(&str, &str)]| -> String {
        let options = js_sys::Object::new();
        for (name, value) in [("timeZone", "UTC")].iter().chain(wanted) {
            let _set = js_sys::Reflect::set(&options, &(*name).into(), &(*value).into());
        }
        date.to_locale_date_string(&words!(language.conventions), &options).into()
    };
    let long = [("day", "numeric"), ("month", "long"), ("year", "numeric")];
    let this_year = date.get_utc_full_year() == js_sys::Date::new_0().get_full_year();
    let (without_year, _) = long.split_at(2);
    let written = part(if this_year { without_year } else { &long });
    words!(when.weekday, weekday = part(&[("weekday", "long")]), day = written)
}

/// The same without a calendar: neither a server nor a browser.
#[cfg(not(any(feature = "hydrate", feature = "ssr")))]
fn day_in_words(day: &str) -> String {
    day.to_owned()
}

/// The form as it stands in the browser.
#[cfg(feature = "hydrate")]
mod live {
    use leptos::prelude::document;
    use leptos::wasm_bindgen::JsCast as _;

    pub(super) fn input(id: &str) -> Option<web_sys::HtmlInputElement> {
        document().get_element_by_id(id)?.dyn_into().ok()
    }
}

/// Which things of an area, under its permissions.
#[component]
pub(crate) fn WhichThings(
    /// The things.
    things: Things,
) -> impl IntoView {
    let Names { which, group, these, thing: sent_as, search, field } = Names::of(things.area);
    let state = FormState::here();
    let error_id = format!("{group}-error");
    let error = {
        let id = error_id.clone();
        move || state.error(field).map(|error| wrong(&id, &error))
    };
    let described_by = move || state.error(field).is_some().then(|| error_id.clone());
    let (legend, searching) = match things.area {
        Area::Domains => (words!(bounds.which_domains), words!(bounds.search_domains)),
        _ => (words!(bounds.which_services), words!(bounds.search_services)),
    };
    let query = RwSignal::new(String::new());
    let alive = RwSignal::new(false);
    Effect::new(move |_| alive.set(true));
    let can_search = things.can_search();
    let sought = things.sought().unwrap_or_default();
    let view = things.view.get_value();
    let ThingsView { more, can_all, can_these, mixed, .. } = view;
    let is_these = things.these.get_untracked();
    let locked = view.things.iter().any(|thing| !thing.movable);
    let reason_id = format!("{group}-reason");
    let stay_id = format!("{group}-stay");
    let reason = (!can_all || mixed).then(|| {
        let words = match (can_all, can_these) {
            (true, _) => words!(bounds.mixed),
            (false, true) => words!(bounds.not_all),
            (false, false) => words!(bounds.not_changed),
        };
        hint(&reason_id, &words)
    });
    let reason_of = |open: bool| (!open).then(|| reason_id.clone());
    let rows = view
        .things
        .into_iter()
        .enumerate()
        .map(|(at, thing)| {
            let ticked =
                move || things.ticked.with(|ticked| ticked.get(at).copied().unwrap_or_default());
            let folded = thing.name.to_lowercase();
            let hidden = move || {
                let found = query.with(|query| folded.contains(query.as_str()));
                !found && !ticked()
            };
            let tick = move |event| {
                let to = event_target_checked(&event);
                things.ticked.update(|ticked| {
                    if let Some(ticked) = ticked.get_mut(at) {
                        *ticked = to;
                    }
                });
            };
            let id = thing_id(&thing.id);
            let name = html! { label for=(id) translate="no" { bdi { (thing.name) } } };
            view! {
                <div class="which-thing" hidden=hidden>
                    <input
                        type="checkbox"
                        id=id
                        name=sent_as
                        value=thing.id
                        checked=untrack(ticked)
                        prop:checked=ticked
                        disabled=!thing.movable
                        on:change=tick
                        aria-describedby=(!thing.movable).then(|| stay_id.clone())
                        autocomplete="off"
                    />
                    {still(name)}
                </div>
            }
        })
        .collect_view();
    let search = can_search.then(|| {
        view! {
            <div class="field">
                {label(search, &searching)}
                <div class="control">
                    <input
                        id=search
                        name=search
                        type="search"
                        value=sought
                        autocomplete="off"
                        on:input=move |event| query.set(event_target_value(&event).to_lowercase())
                    />
                    <button
                        type="submit"
                        class="button"
                        name="show"
                        value=which
                        hidden=move || alive.get() && !more
                    >
                        {words!(bounds.show)}
                    </button>
                </div>
            </div>
        }
    });
    let told = |words: String| still(html! { p.hint { (words) } });
    view! {
        <div class="which">
            <fieldset
                role="radiogroup"
                id=group
                tabindex="-1"
                class:field-invalid=move || state.error(field).is_some()
                aria-describedby=described_by
            >
                {still(html! { legend { (legend) } })}
                {error}
                <label class="answer">
                    <input
                        type="radio"
                        name=which
                        value="all"
                        checked=!is_these
                        prop:checked=move || !things.these.get()
                        disabled=!can_all
                        on:change=move |_| things.these.set(false)
                        aria-describedby=reason_of(can_all && !mixed)
                        autocomplete="off"
                    />
                    {words!(bounds.all)}
                </label>
                <label class="answer">
                    <input
                        type="radio"
                        id=these
                        name=which
                        value=THESE
                        checked=is_these
                        prop:checked=move || things.these.get()
                        disabled=!can_these
                        on:change=move |_| things.these.set(true)
                        aria-describedby=reason_of(can_these)
                        autocomplete="off"
                    />
                    {words!(bounds.these)}
                </label>
                {reason}
            </fieldset>
            <div class="which-things">
                {search} <div class="which-list">{rows}</div>
                {more.then(|| told(words!(bounds.not_all_shown)))}
                {locked.then(|| hint(&stay_id, &words!(bounds.stays)))}
                {view.unseen_stay.map(told)}
            </div>
        </div>
    }
}

/// Until when, and why.
#[component]
pub(crate) fn UntilAndWhy(
    /// What is chosen so far.
    chosen: Chosen,
    /// What there is to choose.
    bounds: BoundsView,
) -> impl IntoView {
    let UntilView { movable, latest, soonest, ahead, .. } = bounds.until;
    let state = FormState::here();
    let alive = RwSignal::new(false);
    Effect::new(move |_| alive.set(true));
    let help = match (&latest, movable) {
        (_, false) => words!(bounds.until_locked),
        (_, true) if soonest => words!(bounds.until_soonest),
        (Some(_), true) => words!(bounds.until_latest),
        (None, true) => words!(bounds.until_hint),
    };
    let error = move || state.error(Field::Until).map(|error| wrong("until-error", &error));
    let described_by = move || match state.error(Field::Until) {
        Some(_) => "until-hint until-error",
        None => "until-hint",
    };
    let [week, month, year] = ahead;
    let quick = [
        (words!(bounds.week), week),
        (words!(bounds.month), month),
        (words!(bounds.year), year),
        (words!(bounds.no_end), String::new()),
    ];
    let quick = quick.map(|(words, day)| {
        // Days in this form are sorted as their texts are.
        let possible =
            movable && latest.as_ref().is_none_or(|latest| !day.is_empty() && day <= *latest);
        view! {
            <button
                type="button"
                class="button"
                disabled=!possible
                hidden=move || !alive.get()
                on:click=move |_| chosen.until.set(day.clone())
            >
                {words}
            </button>
        }
    });
    let typed = chosen.until;
    view! {
        <div class="field" class:field-invalid=move || state.error(Field::Until).is_some()>
            {label("until", &words!(bounds.until))}
            {hint("until-hint", &help)}
            {error}
            <div class="control until">
                <input
                    id="until"
                    name="until"
                    type="date"
                    value=typed.get_untracked()
                    prop:value=move || typed.get()
                    max=latest
                    disabled=!movable
                    on:input=move |event| typed.set(event_target_value(&event))
                    autocomplete="off"
                    aria-describedby=described_by
                    aria-invalid=move || state.error(Field::Until).is_some().then_some("true")
                />
                {quick.into_iter().collect_view()}
            </div>
        </div>
        <div on:input=move |event| chosen.why.set(event_target_value(&event))>
            <TextField
                field=Field::Why
                label=words!(bounds.why)
                hint=words!(bounds.why_hint)
                autocomplete="off"
                value=bounds.why
            />
        </div>
    }
}

/// What Enter presses in a form whose first button fills it in or searches: browsers press the first. It
/// has no words, as it is there for nobody else.
#[component]
pub(crate) fn EnterSends() -> impl IntoView {
    ReadOnly::here().is_none().then(|| {
        view! {
            <button type="submit" class="visually-hidden" tabindex="-1" aria-hidden="true"></button>
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginning_ticks_what_can_be_changed_and_leaves_the_rest() {
        let thing = |id: &str, reached, movable| ThingView {
            id: id.to_owned(),
            name: id.to_uppercase(),
            reached,
            movable,
        };
        let view = |can_all, can_these| ThingsView {
            things: vec![thing("a", true, true), thing("b", true, false), thing("c", false, true)],
            total: 3,
            more: false,
            unseen: 0,
            unseen_stay: None,
            all: false,
            can_all,
            can_these,
            mixed: false,
        };
        let all = BegunThings { all: true, ids: Vec::new() };
        let these = |ids: &str| BegunThings {
            all: false,
            ids: ids.split_whitespace().map(str::to_owned).collect(),
        };
        let cases = [
            (view(true, true), these("c x"), Some((true, vec![false, true, true]))),
            (view(true, true), these(""), None),
            (view(true, false), these("c"), None),
            (view(true, true), all.clone(), Some((false, vec![true, true, false]))),
            (view(false, true), all, None),
        ];
        for (view, begun, expected) in cases {
            assert_eq!(view.begun_with(&begun), expected, "{begun:?}");
        }
    }
}
