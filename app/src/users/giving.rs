//! What every form for giving asks: what to start from, which permissions, on what, until when and why.

use leptos::prelude::*;
use model::{AccountNumber, PermissionSet};

use crate::users::bounds::{BoundsView, Chosen, UntilAndWhy};
use crate::users::permission_groups::{PermissionGroups, Ticked};
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
            locked=locked
        />
        <UntilAndWhy chosen=chosen bounds=bounds />
    }
}
