//! What an invitation offers, as its row holds it: a grant in columns of its own, or several in one text.
//! The things that they name stand in tables either way, and leave these with what becomes of them.

use std::collections::BTreeSet;

use model::{Area, Failure, GivenAccess, GivenGrant, PermissionSet, Reach, Terms};
use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::db::unreadable;
use crate::grants::{TermsRow, ids_of};

/// What is read of it.
#[derive(FromRow)]
pub(crate) struct OfferedRow {
    owner: bool,
    #[sqlx(flatten)]
    terms: TermsRow,
    why: String,
    grants: String,
}

impl OfferedRow {
    pub(crate) fn read(self) -> GivenAccess {
        let Self { owner, terms, why, grants } = self;
        if owner {
            return GivenAccess::Owner;
        }
        // Whoever doesn't know of several grants wrote one over them.
        if grants.is_empty() || !terms.permissions.is_empty() {
            return std::iter::once(GivenGrant { terms: terms.into(), why }).collect();
        }
        let there =
            [&terms.services, &terms.domains].map(|ids| Reach::of(false, ids_of(ids.as_deref())));
        let left = |mut grant: GivenGrant| {
            for (reach, there) in
                [&mut grant.terms.services, &mut grant.terms.domains].into_iter().zip(&there)
            {
                if !reach.is_all() {
                    *reach = reach.within(there);
                }
            }
            grant
        };
        several(&grants).into_iter().map(left).collect()
    }
}

/// All that is offered, on whatever it is.
pub(crate) fn permissions(of_one: &str, of_several: &str) -> PermissionSet {
    let one = PermissionSet::from_stored(of_one);
    match one.is_empty() {
        true => {
            several(of_several).iter().flat_map(|grant| grant.terms.permissions.iter()).collect()
        }
        false => one,
    }
}

/// What can't be read offers nothing.
fn several(text: &str) -> Vec<GivenGrant> {
    serde_json::from_str(text).unwrap_or_default()
}

/// What is written of it.
pub(crate) struct OfferedColumns {
    pub(crate) owner: bool,
    /// A grant's terms; of several what they name, and when the last of them ends.
    pub(crate) terms: Terms,
    pub(crate) why: String,
    pub(crate) grants: String,
}

impl OfferedColumns {
    pub(crate) fn of(offered: &GivenAccess) -> Result<Self, Failure> {
        let owner = offered.is_owner();
        let (terms, why, grants) = match offered.grants() {
            [] => (Terms::whole(PermissionSet::EMPTY), String::new(), String::new()),
            [GivenGrant { terms, why }] => (terms.clone(), why.clone(), String::new()),
            several => {
                let terms = Terms {
                    permissions: PermissionSet::EMPTY,
                    services: named(several, Area::Services),
                    domains: named(several, Area::Domains),
                    until: offered.access().ends(),
                };
                (terms, String::new(), serde_json::to_string(several).map_err(unreadable)?)
            }
        };
        Ok(Self { owner, terms, why, grants })
    }
}

/// The things of an area that any of these grants names.
fn named(grants: &[GivenGrant], area: Area) -> Reach {
    let mut all = BTreeSet::<Uuid>::new();
    for grant in grants {
        if let Some(Reach::These(ids)) = grant.terms.reach_in(area) {
            all.extend(ids);
        }
    }
    Reach::These(all)
}
