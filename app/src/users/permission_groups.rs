//! The permissions as five groups of checkboxes. With the WASM, ticking a right ticks what it
//! implies, and the sentence that sums it up changes as one ticks; the server does both anyway.

use leptos::prelude::*;
use maud::html;
use model::{AccountNumber, Area, Field, Permission, PermissionSet};

use crate::address::{ASK, address_of};
use crate::ui::field::{hint, label, wrong};
use crate::ui::form::FormState;
use crate::ui::still::still;
use crate::users::bounds::{Chosen, Things, WhichThings};
use crate::users::starts::BegunView;
use crate::words;

/// What a form without scripts asks for. The box "All of …" counts where it was changed: `before`
/// holds the areas whose box was ticked when the page was made.
/// It never stands for more than the reader holds.
pub(crate) fn chosen(
    permissions: &[String],
    areas: &[String],
    before: &[String],
    held: PermissionSet,
) -> Vec<String> {
    let mut ids = permissions.to_vec();
    for area in Area::ALL {
        let is = |list: &[String]| list.iter().any(|id| id == area.id());
        let of_area = area.permissions().filter(|permission| held.contains(*permission));
        let of_area: Vec<_> = of_area.map(|permission| permission.id().to_owned()).collect();
        match (is(before), is(areas)) {
            (false, true) => ids.extend(of_area),
            (true, false) => ids.retain(|id| !of_area.contains(id)),
            _ => {}
        }
    }
    ids
}

/// The permissions ticked so far.
#[derive(Clone, Copy)]
pub(crate) struct Ticked(RwSignal<PermissionSet>);

impl Ticked {
    /// Ticked to begin with: what was begun with, what came back with the form, or what is granted.
    /// Made inside the form.
    pub(crate) fn new(
        granted: PermissionSet,
        held: PermissionSet,
        begun: Option<&BegunView>,
    ) -> Self {
        let form = FormState::here();
        let back = form.chosen("permissions[]").map(|permissions| {
            let of = |name| form.chosen(name).unwrap_or_default();
            chosen(&permissions, &of("areas[]"), &of("areas_before[]"), held)
        });
        let shown = match begun {
            Some(begun) => begun_with(begun.permissions, granted, held),
            None => back.map_or(granted, |ids| follow(granted, &ids, held)),
        };
        let ticked = RwSignal::new(shown);
        // What was ticked before the WASM came: the boxes first stand as the server sent them.
        #[cfg(feature = "hydrate")]
        if crate::ui::go::is_hydrating() {
            let now = follow(shown, &live::chosen(shown, held), held);
            Effect::new(move |_| ticked.set(now));
        }
        Self(ticked)
    }

    /// Begins anew with these permissions, as far as their boxes can be changed.
    pub(crate) fn begin(self, begun: PermissionSet, granted: PermissionSet, held: PermissionSet) {
        self.0.set(begun_with(begun, granted, held));
    }

    /// What the person will be able to do, as a sentence that changes as one ticks.
    pub(crate) fn summary(self, chosen: Chosen) -> impl Fn() -> String + Copy {
        move || chosen.summary(|| self.0.get())
    }

    /// What differs from what is granted, a line each: what is new, what is no more, and what else is
    /// chosen otherwise. Nothing where all is as it is saved.
    pub(crate) fn changes(
        self,
        chosen: Chosen,
        granted: PermissionSet,
    ) -> impl Fn() -> Vec<String> + Copy {
        move || {
            let ticked = self.0.get();
            let gained = words::phrases(model::foremost(ticked.difference(granted)));
            let lost = words::phrases(granted.difference(ticked));
            let gained = gained.map(|gained| words!(manage.gains, gained = gained));
            let lost = lost.map(|lost| words!(manage.loses_now, lost = lost));
            gained.into_iter().chain(lost).chain(chosen.changes(ticked)).collect()
        }
    }

    fn contains(self, permission: Permission) -> bool {
        self.0.with(|ticked| ticked.contains(permission))
    }

    /// How many permissions of the area are ticked, out of how many.
    fn count(self, area: Area) -> (usize, usize) {
        (self.0.get().in_area(area).count(), area.permissions().count())
    }

    fn set(self, permission: Permission, to: bool) {
        self.0.update(
            |ticked| {
                if to { ticked.insert(permission) } else { ticked.remove(permission) }
            },
        );
    }
}

/// What the boxes with these ids make of the permissions, ticked by somebody without the WASM.
fn follow(before: PermissionSet, ids: &[String], held: PermissionSet) -> PermissionSet {
    let ticks: Vec<Permission> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    before.with_ticks(&ticks, held)
}

/// What is ticked when somebody who holds `held` begins with these permissions: what they can't change
/// of what is granted stays.
fn begun_with(begun: PermissionSet, granted: PermissionSet, held: PermissionSet) -> PermissionSet {
    let ticks: Vec<_> = begun.intersection(held).iter().collect();
    granted.with_ticks(&ticks, held)
}

/// The boxes as they stand in the browser.
#[cfg(feature = "hydrate")]
mod live {
    use leptos::prelude::document;
    use leptos::wasm_bindgen::JsCast as _;
    use model::{Area, Permission, PermissionSet};

    /// What they ask for, after the server sent them with `shown` ticked.
    pub(super) fn chosen(shown: PermissionSet, held: PermissionSet) -> Vec<String> {
        let of = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let permissions = Permission::ALL.into_iter().map(Permission::id);
        let permissions = of(permissions.filter(|id| is_ticked(id)).collect());
        let areas = Area::ALL.into_iter().filter(|area| is_ticked(&super::all_of(*area)));
        let before = Area::ALL.into_iter().filter(|area| super::is_whole(shown, *area));
        let (areas, before) =
            (of(areas.map(Area::id).collect()), of(before.map(Area::id).collect()));
        super::chosen(&permissions, &areas, &before, held)
    }

    fn is_ticked(id: &str) -> bool {
        let found = document().get_element_by_id(id);
        found
            .and_then(|found| found.dyn_into::<web_sys::HtmlInputElement>().ok())
            .is_some_and(|input| input.checked())
    }
}

/// Whether every permission of the area is in the set.
fn is_whole(set: PermissionSet, area: Area) -> bool {
    area.permissions().all(|permission| set.contains(permission))
}

/// The id of the box "All of …".
fn all_of(area: Area) -> String {
    format!("all-{}", area.id())
}

/// What is said beside a permission's box.
#[derive(Clone)]
pub(crate) struct Remarks {
    /// The account's number.
    pub(crate) number: AccountNumber,
    /// Why a permission can't be changed.
    pub(crate) locked: String,
    /// What bounds those that the reader has.
    pub(crate) holds: Vec<(Permission, String)>,
    /// Those that they can ask for.
    pub(crate) lacking: Vec<Permission>,
}

impl Remarks {
    /// Why this one can't be changed, and where to ask for it if it is lacking.
    fn locked(&self, permission: Permission) -> Locked {
        let page = || format!("{}?permission={permission}", address_of(ASK, &[&self.number]));
        let ask = self.lacking.contains(&permission).then(page);
        Locked { reason: self.locked.clone(), ask }
    }

    fn hold(&self, permission: Permission) -> Option<String> {
        let found = self.holds.iter().find(|(held, _)| *held == permission);
        found.map(|(_, hold)| hold.clone())
    }
}

/// Why a permission can't be changed.
#[derive(Clone)]
struct Locked {
    reason: String,
    ask: Option<String>,
}

/// The five groups.
#[component]
pub(crate) fn PermissionGroups(
    /// What is ticked.
    ticked: Ticked,
    /// On what, and until when.
    chosen: Chosen,
    /// What is granted by now.
    granted: PermissionSet,
    /// What the reader holds: the rest is there, but can't be changed.
    held: PermissionSet,
    /// What is said of them.
    remarks: Remarks,
) -> impl IntoView {
    let state = FormState::here();
    let error =
        move || state.error(Field::Permissions).map(|error| wrong("permissions-error", &error));
    let groups = Area::ALL
        .into_iter()
        .map(|area| {
            let things = chosen.things(area);
            view! {
                <Group
                    area=area
                    ticked=ticked
                    things=things
                    granted=granted
                    held=held
                    remarks=remarks.clone()
                />
            }
        })
        .collect_view();
    view! {
        <div
            id="permissions"
            tabindex="-1"
            class:field-invalid=move || state.error(Field::Permissions).is_some()
        >
            {error}
            {groups}
        </div>
    }
}

#[component]
fn Group(
    area: Area,
    ticked: Ticked,
    things: Option<Things>,
    granted: PermissionSet,
    held: PermissionSet,
    remarks: Remarks,
) -> impl IntoView {
    let id = all_of(area);
    let can_change = move |permission: &Permission| held.can_change(*permission, granted);
    let can_any = area.permissions().any(|permission| can_change(&permission));
    let all = move || {
        let (some, all) = ticked.count(area);
        some == all
    };
    let mixed = move || {
        let (some, all) = ticked.count(area);
        some > 0 && some < all
    };
    let tick_all = move |event| {
        let to = event_target_checked(&event);
        for permission in area.permissions().filter(can_change) {
            ticked.set(permission, to);
        }
    };
    let rows = area
        .permissions()
        .map(|permission| {
            let locked = (!can_change(&permission)).then(|| remarks.locked(permission));
            let hold = remarks.hold(permission);
            view! { <Row permission=permission ticked=ticked locked=locked hold=hold /> }
        })
        .collect_view();
    let invalid = FormState::here();
    // With the WASM the permissions' own boxes say it all.
    let alive = RwSignal::new(false);
    Effect::new(move |_| alive.set(true));
    let before = is_whole(ticked.0.get_untracked(), area);
    let before = (before && can_any).then(|| {
        view! {
            <input
                type="hidden"
                name="areas_before[]"
                value=area.id()
                disabled=move || alive.get()
            />
        }
    });
    view! {
        <fieldset
            class="permission-group"
            aria-describedby=move || {
                invalid.error(Field::Permissions).is_some().then_some("permissions-error")
            }
        >
            {still(html! { legend { (words::area(area)) } })}
            <div class="permission-group-all">
                <input
                    type="checkbox"
                    id=id.clone()
                    disabled=!can_any
                    checked=all()
                    prop:checked=all
                    prop:indeterminate=mixed
                    on:change=tick_all
                    name=move || (!alive.get()).then_some("areas[]")
                    value=area.id()
                    autocomplete="off"
                />
                {label(&id, &words!(area.all_of, area = words::area(area)))}
                <span class="permission-count">
                    {move || {
                        let (some, all) = ticked.count(area);
                        words!(area.count, some = some, all = all)
                    }}
                </span>
            </div>
            {before}
            {rows}
            {things.map(|things| view! { <WhichThings things=things /> })}
        </fieldset>
    }
}

#[component]
fn Row(
    permission: Permission,
    ticked: Ticked,
    locked: Option<Locked>,
    hold: Option<String>,
) -> impl IntoView {
    let id = permission.id();
    let hint_id = format!("{id}-hint");
    let reason_id = locked.is_some().then(|| format!("{id}-reason"));
    let hold_id = hold.as_ref().map(|_| format!("{id}-hold"));
    let described_by = [Some(&hint_id), hold_id.as_ref(), reason_id.as_ref()];
    let described_by: Vec<_> = described_by.into_iter().flatten().cloned().collect();
    let described_by = described_by.join(" ");
    let is_locked = locked.is_some();
    let class = if is_locked { "permission permission-locked" } else { "permission" };
    let locked = locked.map(|locked| {
        still(html! {
            p.permission-reason id=[reason_id] {
                (locked.reason)
                @if let Some(page) = locked.ask {
                    " "
                    a
                        href=(page)
                        aria-label=(words!(asking.ask_for, what = words::label(permission)))
                    { (words!(asking.button)) }
                }
            }
        })
    });
    let hold = hold.map(|hold| still(html! { p.hint id=[hold_id] { bdi { (hold) } } }));
    view! {
        <div class=class>
            <input
                type="checkbox"
                id=id
                name="permissions[]"
                value=id
                disabled=is_locked
                checked=ticked.0.with_untracked(|ticked| ticked.contains(permission))
                prop:checked=move || ticked.contains(permission)
                on:change=move |event| ticked.set(permission, event_target_checked(&event))
                aria-describedby=described_by
                autocomplete="off"
            />
            {label(id, &words::label(permission))}
            {hint(&hint_id, &words::hint(permission))}
            {hold}
            {locked}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn beginning_leaves_what_cannot_be_changed() {
        let set = PermissionSet::from_stored;
        let all = PermissionSet::all().to_stored();
        let cases = [
            ("billing.pay", "", &*all, "billing.view billing.pay"),
            ("billing.pay", "support.view", &*all, "billing.view billing.pay"),
            ("billing.pay", "", "billing.view support.view", "billing.view"),
            (
                "billing.pay",
                "domains.view support.view",
                "billing.view support.view",
                "domains.view billing.view",
            ),
            ("", "billing.view billing.pay", "billing.view", "billing.view billing.pay"),
        ];
        for (begun, granted, held, expected) in cases {
            let got = begun_with(set(begun), set(granted), set(held));
            assert_eq!(got, set(expected), "{begun} on {granted} by {held}");
        }
    }

    #[test]
    fn the_box_of_an_area_counts_where_it_was_changed() {
        let all = "support.view support.open";
        let cases = [
            ("support.view", "", "", "support.view"),
            ("", "support", "", all),
            (all, "support", "support", all),
            ("support.view", "support", "support", "support.view"),
            ("support.view support.open billing.view", "", "support", "billing.view"),
        ];
        for (permissions, areas, before, expected) in cases {
            let all = PermissionSet::all();
            let got = chosen(&list(permissions), &list(areas), &list(before), all);
            assert_eq!(got, list(expected), "{permissions} / {areas} / {before}");
        }
    }
}
