//! What every form for giving asks: what to start from, which permissions, on what, until when and why.

use leptos::prelude::*;
use model::{AccountNumber, PermissionSet};

use crate::users::bounds::{BoundsView, Chosen, UntilAndWhy};
use crate::users::permission_groups::{PermissionGroups, Remarks, Ticked};
use crate::users::starts::{StartFrom, StartsView};

/// These fields.
#[component]
pub(crate) fn GivingFields(
    /// The account's number.
    number: AccountNumber,
    /// What there is to start from.
    starts: StartsView,
    /// What is ticked.
    ticked: Ticked,
    /// On what, and until when.
    chosen: Chosen,
    /// What is granted by now.
    granted: PermissionSet,
    /// What the reader can give and take: the rest is there, but can't be changed.
    held: PermissionSet,
    /// Why a permission can't be changed.
    locked: String,
    /// What else there is to choose.
    bounds: BoundsView,
) -> impl IntoView {
    let (holds, lacking) = (bounds.holds.clone(), bounds.lacking.clone());
    let remarks = Remarks { number, locked, holds, lacking };
    view! {
        <StartFrom
            number=number
            starts=starts
            ticked=ticked
            chosen=chosen
            granted=granted
            held=held
        />
        <PermissionGroups
            ticked=ticked
            chosen=chosen
            granted=granted
            held=held
            remarks=remarks
        />
        <UntilAndWhy chosen=chosen bounds=bounds />
    }
}

/// What they will be able to do, beside the form; and how that differs from what they can, told while one
/// ticks. Until it does, saving comes to nothing.
#[component]
pub(crate) fn Changes(
    /// What it is called.
    heading: String,
    /// What is ticked.
    ticked: Ticked,
    /// On what, and until when.
    chosen: Chosen,
    /// What is granted by now.
    granted: PermissionSet,
    /// The form's buttons.
    children: Children,
) -> impl IntoView {
    let changes = ticked.changes(chosen, granted);
    let lines = move || changes().into_iter().map(|line| view! { <p>{line}</p> }).collect_view();
    view! {
        <aside
            class="access-summary access-bar access-changes"
            data-unsaved=move || (!changes().is_empty()).then_some("")
        >
            <h2 class="follows-ticks">{heading}</h2>
            <p class="follows-ticks">{ticked.summary(chosen)}</p>
            <div class="access-foot">
                <div class="access-difference follows-ticks" aria-live="polite">
                    {lines}
                </div>
                <div class="form-actions">{children()}</div>
            </div>
        </aside>
    }
}
