//! What a form for giving can begin with: presets, and what somebody else in the account holds. Either
//! fills a form in, as far as whoever fills it in could give that; nothing stays linked to it.

use model::{
    Access, Actor, Failure, On, Permission, PermissionSet, Reach, Terms, Timestamp, UserId, Wish,
};
pub use store::StartPerson;

use crate::giving;
use crate::{Latchkey, users};

/// How many people are offered at most.
const MOST: usize = 50;

/// What the id of a preset begins with: that of a person is their own.
const PRESET: &str = "preset:";

/// What a preset is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresetName {
    /// Sees invoices and pays them.
    Bookkeeper,
    /// Looks after services and domains for the customer.
    WebAgency,
    /// Works in the services themselves.
    Developer,
    /// Writes to the provider's support.
    SupportContact,
    /// May do everything.
    Administrator,
    /// What the provider calls it.
    Own(String),
}

/// Permissions to begin with, by a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What it is called.
    pub name: PresetName,
    /// The permissions.
    pub permissions: PermissionSet,
}

impl Preset {
    /// The product's own, each with no more than its work takes: who needs more is given more.
    #[must_use]
    pub fn built_in() -> Vec<Self> {
        use Permission::{
            BillingPay, DomainsManage, DomainsView, ServicesCredentials, ServicesManage,
            ServicesSignIn, SupportOpen,
        };
        let preset = |name, permissions: &[Permission]| Self {
            name,
            permissions: permissions.iter().copied().collect(),
        };
        let agency = [ServicesManage, ServicesSignIn, DomainsManage, SupportOpen];
        let developer = [ServicesManage, ServicesCredentials, ServicesSignIn, DomainsView];
        vec![
            preset(PresetName::Bookkeeper, &[BillingPay]),
            preset(PresetName::WebAgency, &agency),
            preset(PresetName::Developer, &developer),
            preset(PresetName::SupportContact, &[SupportOpen]),
            preset(PresetName::Administrator, &Permission::ALL),
        ]
    }

    /// The id by which a form chooses it.
    #[must_use]
    pub fn id(&self) -> String {
        let name = match &self.name {
            PresetName::Bookkeeper => "bookkeeper",
            PresetName::WebAgency => "web-agency",
            PresetName::Developer => "developer",
            PresetName::SupportContact => "support-contact",
            PresetName::Administrator => "administrator",
            PresetName::Own(name) => name,
        };
        format!("{PRESET}{name}")
    }
}

/// What there is to begin with.
#[derive(Clone, Debug)]
pub struct Starts {
    /// The presets of which the actor holds something.
    pub presets: Vec<Preset>,
    /// People of the account by name; of very many, the first.
    pub people: Vec<StartPerson>,
}

/// What a form begins with.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The terms, without an end.
    pub terms: Terms,
    /// Whose they are, if they are somebody's.
    pub person: Option<StartPerson>,
    /// Whether that person holds something besides, which isn't begun with.
    pub others: bool,
}

/// What there is to begin with for the actor, who gives something to `except` if that is somebody of
/// the account already.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn starts(
    latchkey: &Latchkey,
    actor: &Actor,
    except: Option<UserId>,
) -> Result<Starts, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let held = actor.open();
    let fills = |preset: &&Preset| !preset.permissions.intersection(held).is_empty();
    let presets = latchkey.settings.presets.iter().filter(fills).cloned().collect();
    let but = [actor.seen_as(), except.unwrap_or(actor.seen_as())];
    let (store, now) = (&latchkey.store, latchkey.now());
    let people = store.people_to_start_from(actor.account, but, MOST, now).await?;
    Ok(Starts { presets, people })
}

/// What a form begins with by this id, as far as the actor could give it. By none it begins with
/// nothing. Somebody may be begun with whether they are among those that [`starts`] offers or not.
///
/// # Errors
/// [`Failure::NotAllowed`]; [`Failure::NotFound`] for what isn't there to begin with;
/// [`Failure::Unavailable`].
pub async fn start(latchkey: &Latchkey, actor: &Actor, chosen: &str) -> Result<Begun, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let of_preset =
        |permissions| Begun { terms: Terms::whole(permissions), person: None, others: false };
    if chosen.is_empty() {
        return Ok(of_preset(PermissionSet::EMPTY));
    }
    let begun = if chosen.starts_with(PRESET) {
        let mut presets = latchkey.settings.presets.iter();
        let preset = presets.find(|preset| preset.id() == chosen);
        of_preset(preset.ok_or(Failure::NotFound)?.permissions)
    } else {
        of_person(latchkey, actor, chosen).await?
    };
    let own = giving::own(latchkey, actor).await?;
    Ok(Begun { terms: as_far_as(&own, &begun.terms), ..begun })
}

/// What somebody of the account holds. Nobody begins with what an owner holds, nor with what opens
/// nothing at present.
async fn of_person(latchkey: &Latchkey, actor: &Actor, user: &str) -> Result<Begun, Failure> {
    let member = users::member(latchkey, actor, user).await?;
    if member.user == actor.seen_as() || member.held.is_owner() || member.paused.is_some() {
        return Err(Failure::NotFound);
    }
    let holding = latchkey.store.holding(actor.account, member.user, false).await?;
    let (now, terms) = (latchkey.now(), holding.grants().iter().map(|grant| grant.terms.clone()));
    let open: Vec<_> = opening(terms, now).collect();
    let others = open.len() > 1;
    let person = StartPerson { user: member.user, full_name: member.full_name };
    let terms = most_of(open.into_iter()).ok_or(Failure::NotFound)?;
    Ok(Begun { terms, person: Some(person), others })
}

/// Those of them that open something at this moment.
fn opening(terms: impl Iterator<Item = Terms>, now: Timestamp) -> impl Iterator<Item = Terms> {
    terms.filter(move |terms| terms.is_live(now) && !terms.is_nothing())
}

/// Of several grants the one with most permissions, and of as many the first. They aren't put together:
/// that would open more than the grants do, where they reach different things.
fn most_of(terms: impl Iterator<Item = Terms>) -> Option<Terms> {
    terms.reduce(larger)
}

fn larger(first: Terms, other: Terms) -> Terms {
    if other.permissions.len() > first.permissions.len() { other } else { first }
}

/// The terms as far as somebody with this access could give them at once. Where they reach nothing
/// with all of the permissions together, the part of the terms that they could give most of, and without
/// an end.
pub(crate) fn as_far_as(own: &Access, terms: &Terms) -> Terms {
    let terms = Terms { until: None, ..terms.clone() };
    let permissions = terms.permissions.intersection(own.permissions());
    let begun = match own.give(&Wish::of(permissions.iter())) {
        Ok(most) => most.within(&terms),
        Err(_) => own.cut(&terms).into_iter().reduce(larger).unwrap_or(Terms {
            permissions: PermissionSet::EMPTY,
            services: Reach::NOTHING,
            domains: Reach::NOTHING,
            until: None,
        }),
    };
    Terms { until: None, ..begun }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;
    use Permission::{
        AccountUsers, BillingPay, BillingView, DomainsView, ServicesManage, ServicesView,
    };

    fn these(ids: &[u128]) -> Reach {
        Reach::of(false, ids.iter().map(|id| Uuid::from_u128(*id)))
    }

    fn on(permissions: &[Permission], services: Reach) -> Terms {
        let permissions: PermissionSet = permissions.iter().copied().collect();
        Terms { services, ..Terms::whole(permissions) }.opening()
    }

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn a_preset_brings_no_more_than_its_work_takes() {
        let presets = Preset::built_in();
        let ids: BTreeSet<_> = presets.iter().map(Preset::id).collect();
        assert_eq!(ids.len(), presets.len());
        for preset in presets {
            let administers = preset.name == PresetName::Administrator;
            assert_eq!(preset.permissions.contains(AccountUsers), administers, "{preset:?}");
            let costs = preset.permissions.contains(Permission::ServicesOrder);
            assert_eq!(costs, administers, "{preset:?}");
        }
        let own = PresetName::Own("bookkeeper".to_owned());
        let own = Preset { name: own, permissions: PermissionSet::EMPTY };
        assert_eq!(own.id(), "preset:bookkeeper");
    }

    #[test]
    fn a_start_is_cut_to_what_its_chooser_could_give() {
        let all = Terms::whole(PermissionSet::all());
        let users = Terms::whole([AccountUsers].into_iter().collect());
        let with = |held: Terms| -> Access { [users.clone(), held].into_iter().collect() };
        let wanted = on(&[ServicesManage, BillingPay], these(&[1, 2]));
        let split: Access =
            [users.clone(), on(&[ServicesManage], these(&[1])), on(&[DomainsView], Reach::NOTHING)]
                .into_iter()
                .collect();
        let apart = on(&[ServicesView], these(&[7]));
        let cases = [
            (Access::Owner, &wanted, wanted.clone()),
            (with(all.clone()), &wanted, wanted.clone()),
            (
                with(on(&[ServicesManage], Reach::All)),
                &wanted,
                on(&[ServicesManage], these(&[1, 2])),
            ),
            (
                with(on(&[ServicesManage], these(&[2, 3]))),
                &wanted,
                on(&[ServicesManage], these(&[2])),
            ),
            (
                with(on(&[ServicesView, BillingView], these(&[3]))),
                &wanted,
                on(&[BillingView], these(&[])),
            ),
            (with(on(&[ServicesManage], these(&[2]))), &apart, on(&[], these(&[]))),
            (
                split,
                &all,
                Terms {
                    domains: Reach::All,
                    ..on(&[ServicesManage, AccountUsers, DomainsView], these(&[1]))
                },
            ),
        ];
        for (own, terms, expected) in cases {
            let begun = as_far_as(&own, &Terms { until: Some(at(5)), ..terms.clone() });
            assert_eq!(begun, expected, "{own:?}");
            assert!(own.must_give(&begun).is_ok(), "{own:?}");
        }
    }

    #[test]
    fn without_a_thing_that_all_reach_it_is_the_largest_part() {
        let users = Terms::whole([AccountUsers].into_iter().collect());
        let own: Access = [
            users,
            on(&[ServicesManage], these(&[1])),
            on(&[Permission::ServicesOrder], these(&[2])),
        ]
        .into_iter()
        .collect();
        let wanted = on(&[ServicesManage, Permission::ServicesOrder], Reach::All);
        assert_eq!(as_far_as(&own, &wanted), on(&[ServicesManage], these(&[1])));
    }

    #[test]
    fn of_several_grants_it_is_the_live_one_with_most_permissions() {
        let small = on(&[BillingView], Reach::NOTHING);
        let large = on(&[BillingPay], Reach::NOTHING);
        let other = on(&[ServicesManage], these(&[1]));
        let over = Terms { until: Some(at(5)), ..on(&Permission::ALL, Reach::All) };
        let most =
            |terms: &[&Terms]| most_of(opening(terms.iter().map(|terms| (*terms).clone()), at(5)));
        assert_eq!(most(&[&small, &large, &other]), Some(large.clone()));
        assert_eq!(most(&[&over, &other, &large]), Some(other));
        assert_eq!(most(&[&over]), None);
        assert_eq!(most(&[]), None);
    }
}
