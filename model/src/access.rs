//! What somebody holds in an account, by name, and the rules about giving it to others.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::grant::Opened;
use crate::{
    Area, Failure, Field, FieldProblem, Outlines, Permission, PermissionSet, Reach, Terms,
    Timestamp, Which, Wish, foremost,
};

/// What a membership opens, by name: everything, or the terms of its grants. What somebody may give is
/// measured by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Full access, always (rule 1).
    Owner,
    /// The terms of these grants and nothing else (rule 2).
    Granted(Vec<Terms>),
}

/// What somebody lacks to give or to take back what they wanted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// The permission, on whatever it is.
    Permission(Permission),
    /// The permission is theirs, but not on all that it was to reach.
    Reach(Permission),
    /// It is theirs on all of that, but ends earlier.
    End(Permission),
}

impl Lack {
    /// The permission that it is about.
    #[must_use]
    pub const fn permission(self) -> Permission {
        match self {
            Self::Permission(permission) | Self::Reach(permission) | Self::End(permission) => {
                permission
            }
        }
    }
}

impl From<Lack> for Failure {
    fn from(lack: Lack) -> Self {
        match lack {
            Lack::Permission(permission) => Self::NotAllowed(permission),
            Lack::Reach(permission) => Self::OutOfReach(permission),
            Lack::End(permission) => Self::EndsEarlier(permission),
        }
    }
}

impl Access {
    /// No access.
    pub const NONE: Self = Self::Granted(Vec::new());

    /// These permissions on everything, without end.
    #[must_use]
    pub fn granted(permissions: PermissionSet) -> Self {
        std::iter::once(Terms::whole(permissions)).collect()
    }

    /// Whether this is an owner's access.
    #[must_use]
    pub const fn is_owner(&self) -> bool {
        matches!(self, Self::Owner)
    }

    /// Everything that this access opens, on whatever it is.
    #[must_use]
    pub fn permissions(&self) -> PermissionSet {
        match self {
            Self::Owner => PermissionSet::all(),
            Self::Granted(held) => held.iter().flat_map(|terms| terms.permissions.iter()).collect(),
        }
    }

    /// The same in numbers.
    #[must_use]
    pub fn outline(&self) -> AccessOutline {
        match self {
            Self::Owner => AccessOutline::Owner,
            Self::Granted(held) => {
                AccessOutline::Granted(held.iter().map(Terms::outline).collect())
            }
        }
    }

    /// What of it still opens something by this clock.
    #[must_use]
    pub fn live(self, now: Timestamp) -> Self {
        match self {
            Self::Owner => Self::Owner,
            Self::Granted(held) => held.into_iter().filter(|terms| terms.is_live(now)).collect(),
        }
    }

    /// Whether nothing of it opens anything any more by this clock.
    #[must_use]
    pub fn has_lapsed(&self, now: Timestamp) -> bool {
        matches!(self, Self::Granted(held) if !held.iter().any(|terms| terms.is_live(now)))
    }

    /// Whether they have the permission on this service or domain; on anything, where none is named.
    #[must_use]
    pub fn opens(&self, permission: Permission, thing: Option<Uuid>) -> bool {
        let Some(opened) = self.of(permission, AT_ONCE) else { return false };
        match (opened, thing) {
            (opened, None) => !opened.is_nothing(),
            (Opened::Things(reach), Some(thing)) => reach.covers(&Reach::of(false, [thing])),
            (Opened::Account, Some(_)) => false,
        }
    }

    /// What the permission opens to them until this moment, of all that they hold together.
    fn of(&self, permission: Permission, until: Option<Timestamp>) -> Option<Opened> {
        let Self::Granted(held) = self else {
            return Terms::whole(PermissionSet::all()).of(permission);
        };
        let lasts = |terms: &&Terms| match (terms.until, until) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(theirs), Some(until)) => theirs >= until,
        };
        let opened = held.iter().filter(lasts).filter_map(|terms| terms.of(permission));
        opened.reduce(|one, other| match (one, other) {
            (Opened::Things(one), Opened::Things(other)) => Opened::Things(one.with(&other)),
            (one, _) => one,
        })
    }

    /// What is lacking for one permission on this until then.
    fn lack(
        &self,
        permission: Permission,
        opened: &Opened,
        until: Option<Timestamp>,
    ) -> Option<Lack> {
        if opened.is_nothing() {
            return None;
        }
        let long_enough = self.of(permission, until).is_some_and(|held| held.covers(opened));
        if long_enough {
            return None;
        }
        Some(match self.of(permission, AT_ONCE) {
            None => Lack::Permission(permission),
            Some(held) if held.covers(opened) => Lack::End(permission),
            Some(_) => Lack::Reach(permission),
        })
    }

    /// What they lack to give these terms (rule 9): the permission that was asked for, not what it
    /// implies. None if they hold it all.
    #[must_use]
    pub fn lacks(&self, terms: &Terms) -> Option<Lack> {
        self.lacks_to_change(&Terms { permissions: PermissionSet::EMPTY, ..terms.clone() }, terms)
    }

    /// What they lack to make `after` of `before`: all that is added, taken back, extended or
    /// narrowed must be theirs (rules 9 and 10).
    #[must_use]
    pub fn lacks_to_change(&self, before: &Terms, after: &Terms) -> Option<Lack> {
        let lack = |permission: Permission| {
            let (was, is) = (before.of(permission), after.of(permission));
            let same_end = before.until == after.until;
            let lack = |opened: Option<Opened>, until| self.lack(permission, &opened?, until);
            match (was, is) {
                (Some(was), Some(is)) if same_end => lack(is.beyond(&was), after.until)
                    .or_else(|| lack(was.beyond(&is), before.until)),
                (was, is) => lack(is, after.until).or_else(|| lack(was, before.until)),
            }
        };
        let lacking: Vec<_> = Permission::ALL.into_iter().filter_map(lack).collect();
        let foremost = foremost(lacking.iter().map(|lack| lack.permission())).next()?;
        lacking.into_iter().find(|lack| lack.permission() == foremost)
    }

    /// What is left of offered terms, cut to what they could still give (rule 12): one grant of each
    /// of theirs that it has something in common with, none of which says what another says already.
    #[must_use]
    pub fn cut(&self, offered: &Terms) -> Vec<Terms> {
        let Self::Granted(held) = self else { return vec![offered.clone().opening()] };
        let mut left: Vec<Terms> = Vec::new();
        let cut = held.iter().map(|terms| terms.within(offered));
        for terms in cut.filter(|terms| !terms.is_nothing()) {
            if Self::Granted(left.clone()).lacks(&terms).is_none() {
                continue;
            }
            left.retain(|earlier| Self::Granted(vec![terms.clone()]).lacks(earlier).is_some());
            left.push(terms);
        }
        left
    }

    /// What both open.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        match other {
            Self::Owner => self.clone(),
            Self::Granted(theirs) => theirs.iter().flat_map(|terms| self.cut(terms)).collect(),
        }
    }

    /// Whether all of an offer could still be given in the name of whoever has this access (rule 12).
    #[must_use]
    pub fn covers(&self, offered: &Self) -> bool {
        let may_give = self.permissions().contains(Permission::AccountUsers);
        match offered {
            Self::Owner => self.is_owner(),
            Self::Granted(offered) => {
                may_give && offered.iter().all(|terms| self.lacks(terms).is_none())
            }
        }
    }

    /// What is left of an offer that somebody with this access made: none if that is nothing.
    #[must_use]
    pub fn left_of(&self, offered: &Self) -> Option<Self> {
        let may_give = self.permissions().contains(Permission::AccountUsers);
        let left: Self = match offered {
            Self::Owner => return self.is_owner().then_some(Self::Owner),
            Self::Granted(_) if !may_give => return None,
            Self::Granted(offered) => offered.iter().flat_map(|terms| self.cut(terms)).collect(),
        };
        Some(left).filter(|left| *left != Self::NONE)
    }

    /// They must be able to give these terms now (rules 3 and 9).
    ///
    /// # Errors
    /// [`Failure::NotAllowed`] naming [`Permission::AccountUsers`], or what [`Access::lacks`] answers.
    pub fn must_give(&self, terms: &Terms) -> Result<(), Failure> {
        self.must_change(&Terms::whole(PermissionSet::EMPTY), terms)
    }

    /// They must be able to make `after` of `before` now (rules 3, 9 and 10).
    ///
    /// # Errors
    /// [`Failure::NotAllowed`] naming [`Permission::AccountUsers`], or what
    /// [`Access::lacks_to_change`] answers.
    fn must_change(&self, before: &Terms, after: &Terms) -> Result<(), Failure> {
        if !self.permissions().contains(Permission::AccountUsers) {
            return Err(Failure::NotAllowed(Permission::AccountUsers));
        }
        self.lacks_to_change(before, after).map_or(Ok(()), |lack| Err(lack.into()))
    }

    /// What is wanted, as terms of a new grant. What isn't said is as far as they can give it: for as
    /// long as they can, and on what all permissions of an area reach for so long.
    ///
    /// # Errors
    /// As [`Access::must_give`]; [`Failure::Invalid`] when nothing is chosen that permissions of an
    /// area are to reach.
    pub fn give(&self, wish: &Wish) -> Result<Terms, Failure> {
        let permissions: PermissionSet = wish.ticks.iter().copied().collect();
        let longest = self.longest(permissions);
        let until = wish.until.moment(longest, longest);
        let nothing = Terms { until, ..Terms::whole(PermissionSet::EMPTY) };
        self.reshape(&nothing, permissions, until, wish)
    }

    /// The end of what they hold longest of each of these permissions: they can give them together no
    /// longer.
    #[must_use]
    pub fn longest(&self, permissions: PermissionSet) -> Option<Timestamp> {
        let Self::Granted(held) = self else { return None };
        let longest = |permission| {
            let with_it = held.iter().filter(|held| held.permissions.contains(permission));
            with_it.map(|terms| terms.until).reduce(later)
        };
        permissions.iter().filter_map(longest).fold(None, sooner)
    }

    /// What they have a permission on, all that they hold of it together, and when the last of that ends.
    /// Of a permission about the account as a whole that is everything; none for what they lack.
    #[must_use]
    pub fn held(&self, permission: Permission) -> Option<(Reach, Option<Timestamp>)> {
        let reach = match self.of(permission, AT_ONCE)? {
            Opened::Things(reach) => reach,
            Opened::Account => Reach::All,
        };
        Some((reach, self.longest(std::iter::once(permission).collect())))
    }

    /// The soonest end of what they hold longest of each permission: until then they can give all that
    /// they hold together.
    #[must_use]
    pub fn soonest(&self) -> Option<Timestamp> {
        self.longest(self.permissions())
    }

    /// The end of all that they hold, if it ends.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        let Self::Granted(held) = self else { return None };
        held.iter().map(|terms| terms.until).reduce(later)?
    }

    /// The terms as they are wanted. What isn't said stays as it is; an area that is new to them
    /// reaches as far as it can be given. Permissions and things that can't be changed stay: a form
    /// can neither grant nor take away what its sender couldn't tick.
    ///
    /// # Errors
    /// [`Failure::NotAllowed`] naming [`Permission::AccountUsers`], or what is lacking for what is
    /// added, taken back, extended or narrowed; [`Failure::Invalid`] when nothing is chosen that
    /// permissions of an area are to reach.
    pub fn change(&self, before: &Terms, wish: &Wish) -> Result<Terms, Failure> {
        let permissions = before.permissions.with_ticks(&wish.ticks, self.changeable(before));
        let until = wish.until.moment(before.until, self.longest(permissions));
        self.reshape(before, permissions, until, wish)
    }

    /// The things of an area that they can add to what these terms reach, or take out of it: those
    /// that they reach with all that the terms have about it. Where that is nothing yet, those that
    /// they reach with anything about it.
    #[must_use]
    pub fn movable(&self, terms: &Terms, area: Area) -> Reach {
        let things = |opened| match opened {
            Some(Opened::Things(reach)) => reach,
            Some(Opened::Account) | None => Reach::NOTHING,
        };
        let mut given = terms.permissions.in_area(area).peekable();
        if given.peek().is_none() {
            let any = area.permissions().map(|permission| things(self.of(permission, AT_ONCE)));
            return any.fold(Reach::NOTHING, |reach, more| reach.with(&more));
        }
        let all = given.map(|permission| things(self.of(permission, terms.until)));
        all.fold(Reach::All, |reach, more| reach.within(&more))
    }

    /// The permissions that they can add to these terms, or take out of them.
    #[must_use]
    pub fn changeable(&self, terms: &Terms) -> PermissionSet {
        let can_change = |permission: &Permission| {
            let opened = match terms.reach_in(permission.area()) {
                None => Opened::Account,
                Some(reach) if reach.is_nothing() => {
                    let widest = self.of(*permission, terms.until);
                    return widest.is_some_and(|opened| !opened.is_nothing());
                }
                Some(reach) => Opened::Things(reach.clone()),
            };
            self.lack(*permission, &opened, terms.until).is_none()
        };
        Permission::ALL.into_iter().filter(can_change).collect()
    }

    fn reshape(
        &self,
        before: &Terms,
        permissions: PermissionSet,
        until: Option<Timestamp>,
        wish: &Wish,
    ) -> Result<Terms, Failure> {
        let reach = |area: Area| match (wish.which(area), before.reach_in(area)) {
            (Which::All, _) => Reach::All,
            (Which::These(chosen), reached) => {
                let chosen = Reach::These(chosen.clone());
                // Those that can't be moved stay, wherever they were.
                match reached {
                    Some(reached @ Reach::These(_)) => {
                        chosen.with(&reached.beyond(&self.movable(before, area)))
                    }
                    _ => chosen,
                }
            }
            (Which::Unsaid, Some(reached)) if !reached.is_nothing() => reached.clone(),
            (Which::Unsaid, _) => self.reach_of_all(permissions.in_area(area), until),
        };
        let (services, domains) = (reach(Area::Services), reach(Area::Domains));
        let after = Terms { permissions, services, domains, until };
        for (area, field) in
            [(Area::Services, Field::WhichServices), (Area::Domains, Field::WhichDomains)]
        {
            let reaches_nothing = after.reach_in(area).is_some_and(Reach::is_nothing);
            let needed = permissions.in_area(area).next().is_some();
            if needed && reaches_nothing && matches!(wish.which(area), Which::These(_)) {
                return Err(Failure::field(field, FieldProblem::Missing));
            }
        }
        self.must_change(before, &after)?;
        let after = after.opening();
        // Each of them reaches something, and they reach nothing together.
        let mut left_out = foremost(permissions.difference(after.permissions));
        left_out.next().map_or(Ok(after), |permission| Err(Lack::Reach(permission).into()))
    }

    /// What all of these permissions reach until then. One that isn't held bounds nothing here: it
    /// can't be given anyway.
    fn reach_of_all(
        &self,
        permissions: impl Iterator<Item = Permission>,
        until: Option<Timestamp>,
    ) -> Reach {
        let opened = permissions.filter_map(|permission| {
            self.of(permission, until).or_else(|| self.of(permission, AT_ONCE))
        });
        opened.fold(Reach::All, |reach, opened| match opened {
            Opened::Things(opened) => reach.within(&opened),
            Opened::Account => reach,
        })
    }
}

/// Without what opens nothing.
impl FromIterator<Terms> for Access {
    fn from_iter<I: IntoIterator<Item = Terms>>(held: I) -> Self {
        let opening = held.into_iter().map(Terms::opening);
        Self::Granted(opening.filter(|terms| !terms.permissions.is_empty()).collect())
    }
}

/// The soonest end there is: whatever somebody holds lasts until it.
const AT_ONCE: Option<Timestamp> = Some(Timestamp::from_micros(i64::MIN));

/// The later of two ends; no end is later than any.
fn later(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.zip(other).map(|(one, other)| one.max(other))
}

/// The sooner of two ends.
fn sooner(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Access in outline: as it is told where it doesn't matter which things it reaches. In its text an
/// owner's is one word, and what others hold a line for each grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessOutline {
    /// Full access, always.
    Owner,
    /// These grants.
    Granted(Outlines),
}

impl AccessOutline {
    /// No access.
    pub const NONE: Self = Self::Granted(Outlines::NONE);

    /// Whether this is an owner's access.
    #[must_use]
    pub const fn is_owner(&self) -> bool {
        matches!(self, Self::Owner)
    }

    /// Everything that this access opens, on whatever it is.
    #[must_use]
    pub fn permissions(&self) -> PermissionSet {
        match self {
            Self::Owner => PermissionSet::all(),
            Self::Granted(outlines) => outlines.permissions(),
        }
    }

    /// What of it still opens something by this clock.
    #[must_use]
    pub fn live(&self, now: Timestamp) -> Self {
        match self {
            Self::Owner => Self::Owner,
            Self::Granted(outlines) => Self::Granted(outlines.live(now)),
        }
    }

    /// Whether some of it isn't on everything, or ends.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        match self {
            Self::Owner => false,
            Self::Granted(outlines) => outlines.iter().any(|outline| !outline.is_whole()),
        }
    }

    /// What opens these permissions, for telling what bounds them: the grants that have one of them.
    #[must_use]
    pub fn opening(&self, permissions: &[Permission]) -> Outlines {
        match self {
            Self::Owner => Outlines::NONE,
            Self::Granted(outlines) => {
                outlines.iter().map(|outline| outline.with_only(permissions)).collect()
            }
        }
    }

    /// What somebody with this access has beyond the other, named in this way: that they own the
    /// account is one thing, whatever it opens.
    #[must_use]
    pub fn beyond<T>(&self, other: &Self, owner: T, permission: fn(Permission) -> T) -> Vec<T> {
        match self {
            Self::Owner if other.is_owner() => Vec::new(),
            Self::Owner => vec![owner],
            Self::Granted(outlines) => {
                outlines.permissions().difference(other.permissions()).map(permission).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::Until;
    use Permission::{
        AccountUsers, BillingPay, BillingView, DomainsManage, DomainsView, ServicesCredentials,
        ServicesManage, ServicesView,
    };

    const THINGS: u128 = 4;

    fn these(ids: &[u128]) -> Reach {
        Reach::These(ids.iter().copied().map(Uuid::from_u128).collect())
    }

    fn end(day: i64) -> Option<Timestamp> {
        Some(Timestamp::from_micros(day))
    }

    fn terms(permissions: &[Permission], services: Reach, until: Option<Timestamp>) -> Terms {
        let permissions = permissions.iter().copied().collect();
        Terms { permissions, services, domains: Reach::All, until }
    }

    fn any_reach() -> impl Strategy<Value = Reach> {
        let some = proptest::collection::btree_set(0..THINGS, 0..4)
            .prop_map(|ids| Reach::These(ids.into_iter().map(Uuid::from_u128).collect()));
        prop_oneof![1 => Just(Reach::All), 3 => some]
    }

    fn any_terms() -> impl Strategy<Value = Terms> {
        let permissions = proptest::sample::select(Permission::ALL.to_vec());
        let permissions = proptest::collection::vec(permissions, 0..6)
            .prop_map(|permissions| permissions.into_iter().collect());
        let until = proptest::option::of((1_i64..4).prop_map(Timestamp::from_micros));
        (permissions, any_reach(), any_reach(), until).prop_map(
            |(permissions, services, domains, until)| Terms {
                permissions,
                services,
                domains,
                until,
            },
        )
    }

    fn any_access() -> impl Strategy<Value = Access> {
        let granted = proptest::collection::vec(any_terms(), 0..4).prop_map(Access::Granted);
        prop_oneof![1 => Just(Access::Owner), 9 => granted]
    }

    /// Everything that terms open, one by one: a permission, on what, on which day. The thing beyond
    /// all stands for those to come, the last day for no end.
    fn opened(terms: &Terms) -> BTreeSet<(Permission, Option<u128>, i64)> {
        let mut opened = BTreeSet::new();
        for permission in terms.permissions.iter() {
            let things: Vec<Option<u128>> = match terms.reach_in(permission.area()) {
                None => vec![None],
                Some(Reach::All) => (0..=THINGS).map(Some).collect(),
                Some(Reach::These(ids)) => ids.iter().map(|id| Some(id.as_u128())).collect(),
            };
            for day in (0..=9).filter(|day| terms.is_live(Timestamp::from_micros(*day))) {
                opened.extend(things.iter().map(|thing| (permission, *thing, day)));
            }
        }
        opened
    }

    fn held(hold: &Access) -> BTreeSet<(Permission, Option<u128>, i64)> {
        match hold {
            Access::Owner => opened(&Terms::whole(PermissionSet::all())),
            Access::Granted(held) => held.iter().flat_map(opened).collect(),
        }
    }

    #[test]
    fn a_permission_opens_what_some_grant_with_it_reaches() {
        let hold = Access::Granted(vec![
            terms(&[ServicesManage], these(&[1]), end(5)),
            terms(&[BillingView, DomainsView], these(&[]), None),
        ]);
        let thing = |id| Some(Uuid::from_u128(id));
        let cases = [
            (ServicesManage, None, true),
            (ServicesManage, thing(1), true),
            (ServicesView, thing(1), true),
            (ServicesManage, thing(2), false),
            (ServicesCredentials, None, false),
            (BillingView, None, true),
            (BillingView, thing(1), false),
            (BillingPay, None, false),
        ];
        for (permission, thing, opens) in cases {
            assert_eq!(hold.opens(permission, thing), opens, "{permission} {thing:?}");
            let owner = permission != BillingView || thing.is_none();
            assert_eq!(Access::Owner.opens(permission, thing), owner, "{permission}");
        }
        let unreached = Access::Granted(vec![terms(&[ServicesView], these(&[]), None)]);
        assert!(!unreached.opens(ServicesView, None));
    }

    #[test]
    fn nobody_gives_beyond_their_permissions_their_reach_or_their_end() {
        let hold = Access::Granted(vec![
            terms(&[ServicesManage], these(&[1, 2]), end(5)),
            terms(&[ServicesView, BillingView], these(&[3]), None),
        ]);
        let cases = [
            (terms(&[ServicesManage], these(&[1]), end(5)), None),
            (terms(&[ServicesManage], these(&[1]), end(6)), Some(Lack::End(ServicesManage))),
            (terms(&[ServicesManage], these(&[1]), None), Some(Lack::End(ServicesManage))),
            (terms(&[ServicesManage], these(&[3]), end(5)), Some(Lack::Reach(ServicesManage))),
            (terms(&[ServicesView], these(&[1, 2, 3]), end(5)), None),
            (terms(&[ServicesView], Reach::All, end(5)), Some(Lack::Reach(ServicesView))),
            (terms(&[BillingView], Reach::All, None), None),
            (terms(&[BillingPay], Reach::All, end(1)), Some(Lack::Permission(BillingPay))),
        ];
        for (given, lack) in cases {
            assert_eq!(hold.lacks(&given), lack, "{given:?}");
        }
    }

    #[test]
    fn seeing_all_and_managing_two_is_not_managing_all() {
        let hold = Access::Granted(vec![
            terms(&[ServicesView], Reach::All, None),
            terms(&[ServicesManage], these(&[1, 2]), None),
        ]);
        let all = terms(&[ServicesManage], Reach::All, None);
        assert_eq!(hold.lacks(&all), Some(Lack::Reach(ServicesManage)));
    }

    #[test]
    fn what_is_out_of_their_own_hold_is_taken_back_and_narrowed_by_nobody() {
        let hold = Access::Granted(vec![terms(&[ServicesView], these(&[1, 2]), end(5))]);
        let before = terms(&[ServicesView, DomainsManage], these(&[1, 3]), end(4));
        let same =
            |permissions: &[Permission], ids: &[u128]| terms(permissions, these(ids), end(4));
        let both = [ServicesView, DomainsManage];
        assert_eq!(hold.lacks_to_change(&before, &same(&both, &[1, 3])), None);
        assert_eq!(hold.lacks_to_change(&before, &same(&both, &[1, 2, 3])), None);
        assert_eq!(hold.lacks_to_change(&before, &same(&both, &[3])), None);
        let narrowed = hold.lacks_to_change(&before, &same(&both, &[1]));
        assert_eq!(narrowed, Some(Lack::Reach(ServicesView)));
        let taken = hold.lacks_to_change(&before, &same(&[ServicesView], &[1, 3]));
        assert_eq!(taken, Some(Lack::Permission(DomainsManage)));
    }

    #[test]
    fn an_offer_is_cut_to_what_its_inviter_could_still_give() {
        let offered = terms(&[ServicesManage, BillingPay], these(&[1, 2]), end(8));
        let cases = [
            (Access::Owner, vec![Terms { domains: Reach::NOTHING, ..offered.clone() }]),
            (Access::Granted(Vec::new()), vec![]),
            (
                Access::Granted(vec![terms(&[ServicesView], Reach::All, end(3))]),
                vec![Terms {
                    domains: Reach::NOTHING,
                    ..terms(&[ServicesView], these(&[1, 2]), end(3))
                }],
            ),
            (
                Access::Granted(vec![
                    terms(&[ServicesView], these(&[1]), end(3)),
                    terms(&[ServicesManage], these(&[1]), end(4)),
                ]),
                vec![Terms {
                    domains: Reach::NOTHING,
                    ..terms(&[ServicesManage], these(&[1]), end(4))
                }],
            ),
        ];
        for (hold, left) in cases {
            assert_eq!(hold.cut(&offered), left, "{hold:?}");
        }
    }

    fn administrator(held: impl IntoIterator<Item = Terms>) -> Access {
        [terms(&[AccountUsers], Reach::All, None)].into_iter().chain(held).collect()
    }

    fn set(permissions: &[Permission]) -> PermissionSet {
        permissions.iter().copied().collect()
    }

    fn wish(ticks: &[Permission]) -> Wish {
        Wish::of(ticks.iter().copied())
    }

    fn which(ids: &[u128]) -> Which {
        Which::These(ids.iter().copied().map(Uuid::from_u128).collect())
    }

    #[test]
    fn who_may_give_what() {
        let granted = |permissions: &[Permission]| Access::granted(set(permissions));
        let cases = [
            (Access::Owner, vec![BillingPay, DomainsView], Ok(())),
            (granted(&[AccountUsers, BillingPay]), vec![BillingPay], Ok(())),
            (
                granted(&[AccountUsers, BillingView]),
                vec![BillingPay],
                Err(Failure::NotAllowed(BillingPay)),
            ),
            (granted(&[BillingPay]), vec![BillingPay], Err(Failure::NotAllowed(AccountUsers))),
            (granted(&[]), vec![], Err(Failure::NotAllowed(AccountUsers))),
        ];
        for (access, wanted, expected) in cases {
            let wanted = Terms::whole(set(&wanted));
            assert_eq!(access.must_give(&wanted), expected, "{access:?} gives {wanted:?}");
        }
    }

    #[test]
    fn what_is_offered_goes_as_far_as_it_can_be_given() {
        let bounded = administrator([
            terms(&[ServicesManage], these(&[1, 2]), end(5)),
            terms(&[ServicesView, BillingView], these(&[3]), None),
            terms(&[ServicesCredentials], these(&[4]), None),
        ]);
        let opening = |terms: Terms| Ok(terms.opening());
        let cases = [
            (vec![ServicesManage], opening(terms(&[ServicesManage], these(&[1, 2]), end(5)))),
            (vec![ServicesView], opening(terms(&[ServicesView], these(&[3, 4]), None))),
            (vec![BillingView], Ok(Terms::whole(set(&[BillingView])))),
            (
                vec![ServicesManage, BillingView],
                opening(terms(&[ServicesManage, BillingView], these(&[1, 2]), end(5))),
            ),
            (vec![BillingPay], Err(Failure::NotAllowed(BillingPay))),
            (vec![DomainsView], Err(Failure::NotAllowed(DomainsView))),
            (vec![ServicesManage, ServicesCredentials], Err(Failure::OutOfReach(ServicesManage))),
        ];
        for (permissions, expected) in cases {
            assert_eq!(bounded.give(&Wish::of(permissions.clone())), expected, "{permissions:?}");
        }
        let all = PermissionSet::all();
        assert_eq!(Access::Owner.give(&Wish::of(all.iter())), Ok(Terms::whole(all)));
        let nobody = Access::granted(set(&[BillingView]));
        assert_eq!(nobody.give(&Wish::of([BillingView])), Err(Failure::NotAllowed(AccountUsers)));
    }

    #[test]
    fn a_change_of_permissions_keeps_what_the_terms_reach_and_until_when() {
        let bounded =
            administrator([terms(&[ServicesManage, BillingView], these(&[1, 2]), end(5))]);
        let before = Terms {
            domains: these(&[7]),
            ..terms(&[ServicesView, DomainsView], these(&[1]), end(4))
        };
        let ticked = |ticks: &[Permission]| bounded.change(&before, &wish(ticks));
        let both = ticked(&[ServicesView, ServicesManage, DomainsView]);
        let managed = Terms { permissions: set(&[ServicesManage, DomainsView]), ..before.clone() };
        assert_eq!(both, Ok(managed));
        // What can't be ticked isn't sent, and stays.
        let taken =
            Terms { permissions: set(&[DomainsView]), services: Reach::NOTHING, ..before.clone() };
        assert_eq!(ticked(&[]), Ok(taken));
        assert_eq!(ticked(&[BillingPay]), Err(Failure::NotAllowed(BillingPay)));

        let elsewhere = terms(&[ServicesView], these(&[3]), end(4)).opening();
        assert_eq!(bounded.changeable(&elsewhere), set(&[BillingView, AccountUsers]));
        assert_eq!(bounded.change(&elsewhere, &wish(&[])), Ok(elsewhere.clone()));
        let manage = bounded.change(&elsewhere, &wish(&[ServicesView, ServicesManage]));
        assert_eq!(manage, Err(Failure::OutOfReach(ServicesManage)));
        let longer = terms(&[ServicesView], these(&[1]), None).opening();
        let manage = bounded.change(&longer, &wish(&[ServicesView, ServicesManage]));
        assert_eq!(manage, Err(Failure::EndsEarlier(ServicesManage)));
        let new = bounded.change(&terms(&[], Reach::NOTHING, end(5)), &wish(&[ServicesView]));
        assert_eq!(new, Ok(terms(&[ServicesView], these(&[1, 2]), end(5)).opening()));
    }

    #[test]
    fn what_is_wanted_is_given_as_it_is_wanted_or_not_at_all() {
        let bounded = administrator([terms(&[ServicesManage], these(&[1, 2]), end(50))]);
        let day = |begin, end| Until::Day {
            begin: Timestamp::from_micros(begin),
            end: Timestamp::from_micros(end),
        };
        let view = |services, until| Wish { services, until, ..wish(&[ServicesView]) };
        let given = |ids: &[u128], until| Ok(terms(&[ServicesView], these(ids), until).opening());
        let out_of_reach = || Err(Failure::OutOfReach(ServicesView));
        let ends_earlier = || Err(Failure::EndsEarlier(ServicesView));
        let none = Failure::field(Field::WhichServices, FieldProblem::Missing);
        let cases = [
            (view(which(&[1]), day(20, 30)), given(&[1], end(30))),
            (view(which(&[1]), Until::Unsaid), given(&[1], end(50))),
            (view(Which::Unsaid, day(40, 60)), given(&[1, 2], end(50))),
            (view(which(&[1]), day(60, 70)), ends_earlier()),
            (view(which(&[1]), Until::Endless), ends_earlier()),
            (view(which(&[1, 3]), Until::Unsaid), out_of_reach()),
            (view(Which::All, Until::Unsaid), out_of_reach()),
            (view(which(&[]), Until::Unsaid), Err(none)),
        ];
        for (wanted, expected) in cases {
            assert_eq!(bounded.give(&wanted), expected, "{wanted:?}");
        }
    }

    #[test]
    fn things_that_cannot_be_moved_stay_where_they_are() {
        let bounded = administrator([terms(&[ServicesView], these(&[1, 2]), None)]);
        let before = terms(&[ServicesView], these(&[1, 3]), None).opening();
        assert_eq!(bounded.movable(&before, Area::Services), these(&[1, 2]));
        assert_eq!(bounded.movable(&before, Area::Domains), Reach::NOTHING);
        let changed =
            |services| bounded.change(&before, &Wish { services, ..wish(&[ServicesView]) });
        assert_eq!(changed(which(&[2])), Ok(Terms { services: these(&[2, 3]), ..before.clone() }));
        assert_eq!(changed(which(&[])), Ok(Terms { services: these(&[3]), ..before.clone() }));
        assert_eq!(changed(Which::All), Err(Failure::OutOfReach(ServicesView)));
        let all = terms(&[ServicesView], Reach::All, None).opening();
        let narrowed = Wish { services: which(&[1]), ..wish(&[ServicesView]) };
        assert_eq!(bounded.change(&all, &narrowed), Err(Failure::OutOfReach(ServicesView)));
    }

    #[test]
    fn an_offer_opens_no_more_than_its_inviter_could_still_give() {
        let offered = Access::granted(set(&[ServicesManage, BillingView]));
        let cases = [
            (Access::Owner, Some(offered.clone()), true),
            (administrator([]), None, false),
            (Access::granted(set(&[ServicesManage, BillingView])), None, false),
            (
                administrator([terms(&[ServicesManage], these(&[1]), None)]),
                Some([terms(&[ServicesManage], these(&[1]), None)].into_iter().collect()),
                false,
            ),
            (administrator([Terms::whole(PermissionSet::all())]), Some(offered.clone()), true),
        ];
        for (inviter, left, covers) in cases {
            assert_eq!(inviter.left_of(&offered), left, "{inviter:?}");
            assert_eq!(inviter.covers(&offered), covers, "{inviter:?}");
        }
        let everything = Access::granted(PermissionSet::all());
        assert_eq!(everything.left_of(&Access::Owner), None);
        assert_eq!(Access::Owner.left_of(&Access::Owner), Some(Access::Owner));
        assert!(!everything.covers(&Access::Owner) && Access::Owner.covers(&Access::Owner));
    }

    #[test]
    fn an_owner_has_one_thing_beyond_others() {
        let granted = |permissions: &[Permission]| Access::granted(set(permissions)).outline();
        let owner = AccessOutline::Owner;
        let everything = Access::granted(PermissionSet::all()).outline();
        let cases = [
            (&owner, &owner, vec![]),
            (&owner, &AccessOutline::NONE, vec!["owner"]),
            (&owner, &everything, vec!["owner"]),
            (&everything, &owner, vec![]),
            (&granted(&[BillingPay]), &AccessOutline::NONE, vec!["billing.view", "billing.pay"]),
            (&granted(&[BillingPay]), &granted(&[BillingView]), vec!["billing.pay"]),
        ];
        for (one, other, expected) in cases {
            let beyond = one.beyond(other, "owner", Permission::id);
            assert_eq!(beyond, expected, "{one:?} beyond {other:?}");
        }
    }

    proptest! {
        #[test]
        fn what_can_be_offered_can_be_given(hold in any_access(), wanted in any_terms()) {
            if let Ok(terms) = hold.give(&Wish::of(wanted.permissions.iter())) {
                prop_assert!(opened(&terms).is_subset(&held(&hold)));
                prop_assert_eq!(terms.permissions, wanted.permissions);
            }
        }

        #[test]
        fn giving_and_taking_back_leaves_everything_as_it_was(
            hold in any_access(), before in any_terms(), more in any_terms(),
        ) {
            let before = before.opening();
            let ticks = before.permissions.iter().chain(more.permissions.iter());
            if let Ok(given) = hold.change(&before, &Wish::of(ticks)) {
                let back = hold.change(&given, &Wish::of(before.permissions.iter()));
                prop_assert_eq!(back, Ok(before));
            }
        }

        #[test]
        fn ticks_move_nothing_but_what_their_sender_holds(
            hold in any_access(), before in any_terms(), ticked in any_terms(),
        ) {
            let before = before.opening();
            let ticks: Vec<_> = ticked.permissions.iter().collect();
            if let Ok(after) = hold.change(&before, &wish(&ticks)) {
                let (was, is) = (opened(&before), opened(&after));
                let moved: BTreeSet<_> = was.symmetric_difference(&is).copied().collect();
                prop_assert!(moved.is_subset(&held(&hold)));
            }
        }

        #[test]
        fn whatever_is_wanted_moves_nothing_but_what_its_giver_holds(
            hold in any_access(), before in any_terms(), wanted in any_terms(),
            day in proptest::option::of(0..4_i64),
        ) {
            let which = |reach: &Reach| match reach {
                Reach::All => Which::All,
                Reach::These(ids) => Which::These(ids.clone()),
            };
            let until = day.map_or(Until::Endless, |day| Until::Day {
                begin: Timestamp::from_micros(day),
                end: Timestamp::from_micros(day + 1),
            });
            let (services, domains) = (which(&wanted.services), which(&wanted.domains));
            let ticks = wanted.permissions.iter().collect();
            let wish = Wish { ticks, services, domains, until };
            if let Ok(given) = hold.give(&wish) {
                prop_assert!(opened(&given).is_subset(&held(&hold)));
            }
            let before = before.opening();
            if let Ok(after) = hold.change(&before, &wish) {
                let (was, is) = (opened(&before), opened(&after));
                let moved: BTreeSet<_> = was.symmetric_difference(&is).copied().collect();
                prop_assert!(moved.is_subset(&held(&hold)));
            }
        }

        #[test]
        fn what_can_be_changed_can_be_taken_back(hold in any_access(), before in any_terms()) {
            let before = before.opening();
            let held = hold.changeable(&before);
            let kept: Vec<_> = before.permissions.difference(held).collect();
            if hold.permissions().contains(AccountUsers) {
                prop_assert!(hold.change(&before, &wish(&kept)).is_ok());
            }
        }

        #[test]
        fn whoever_gives_held_it_all(hold in any_access(), given in any_terms()) {
            let within = opened(&given).is_subset(&held(&hold));
            match hold.lacks(&given) {
                None => prop_assert!(within),
                // Two grants one after the other last as long as one, but it isn't counted so.
                Some(_) => prop_assert!(!within || matches!(hold, Access::Granted(_))),
            }
        }

        #[test]
        fn a_change_moves_nothing_but_what_its_maker_holds(
            hold in any_access(), before in any_terms(), after in any_terms(),
        ) {
            if hold.lacks_to_change(&before, &after).is_none() {
                let (was, is) = (opened(&before), opened(&after));
                let moved: BTreeSet<_> = was.symmetric_difference(&is).copied().collect();
                prop_assert!(moved.is_subset(&held(&hold)));
            }
        }

        #[test]
        fn giving_and_taking_back_take_the_same(
            hold in any_access(), before in any_terms(), after in any_terms(),
        ) {
            let (there, back) =
                (hold.lacks_to_change(&before, &after), hold.lacks_to_change(&after, &before));
            prop_assert_eq!(there.is_none(), back.is_none());
        }

        #[test]
        fn a_cut_offer_opens_all_that_both_open_and_nothing_else(
            hold in any_access(), offered in any_terms(),
        ) {
            let left = Access::Granted(hold.cut(&offered));
            let both: BTreeSet<_> =
                opened(&offered).intersection(&held(&hold)).copied().collect();
            prop_assert_eq!(held(&left), both);
        }

        #[test]
        fn what_two_open_together_is_what_both_open(one in any_access(), other in any_access()) {
            let both: BTreeSet<_> = held(&one).intersection(&held(&other)).copied().collect();
            prop_assert_eq!(held(&one.within(&other)), both);
            let both_own = one.is_owner() && other.is_owner();
            prop_assert_eq!(one.within(&other).is_owner(), both_own);
        }

        #[test]
        fn what_opens_nothing_is_left_out(terms in any_terms()) {
            prop_assert_eq!(opened(&terms.clone().opening()), opened(&terms));
        }
    }
}
