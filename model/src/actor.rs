//! Who asks, and the questions about what they may do: about the account, about one thing in it, or
//! about which things there are for them.

use crate::{
    AccountId, Area, Conflict, Draft, Eyes, Failure, GrantId, Permission, PermissionSet, Terms,
    UserId,
};

/// A grant that hasn't lapsed, as a request is checked by it: which things it names is asked of the
/// things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The grant.
    pub grant: GrantId,
    /// Its permissions.
    pub permissions: PermissionSet,
    /// Whether they reach all services, also those to come.
    pub all_services: bool,
    /// Whether they reach all domains, also those to come.
    pub all_domains: bool,
}

impl Key {
    /// What a grant with these terms opens.
    #[must_use]
    pub fn of(grant: GrantId, terms: &Terms) -> Self {
        Self {
            grant,
            permissions: terms.permissions,
            all_services: terms.services.is_all(),
            all_domains: terms.domains.is_all(),
        }
    }

    /// Whether it reaches all of what the area's permissions are about.
    const fn reaches_all(&self, area: Area) -> bool {
        match area {
            Area::Services => self.all_services,
            Area::Domains => self.all_domains,
            Area::Billing | Area::Support | Area::Account => true,
        }
    }
}

/// What somebody may do in an account at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Everything, always (rule 1).
    Owner,
    /// What these open and nothing else (rule 2).
    Granted(Vec<Key>),
}

impl Keys {
    /// Whether they are an owner's.
    #[must_use]
    pub const fn is_owner(&self) -> bool {
        matches!(self, Self::Owner)
    }

    /// The permissions that are open on something: what the navigation shows, and what can be chosen
    /// from where it isn't said on what.
    #[must_use]
    pub fn open(&self) -> PermissionSet {
        match self {
            Self::Owner => PermissionSet::all(),
            Self::Granted(keys) => keys.iter().flat_map(|key| key.permissions.iter()).collect(),
        }
    }

    /// The grants that they come from; an owner needs none.
    pub fn grants(&self) -> impl Iterator<Item = GrantId> {
        let keys: &[Key] = match self {
            Self::Owner => &[],
            Self::Granted(keys) => keys.as_slice(),
        };
        keys.iter().map(|key| key.grant)
    }

    /// What they would be with a draft: its key comes in the place of that of the grant that it changes.
    /// An owner has everything already.
    #[must_use]
    pub fn with_draft(self, draft: Draft, key: Option<Key>) -> Self {
        let Self::Granted(mut keys) = self else { return self };
        keys.retain(|held| draft.changes != Some(held.grant));
        keys.extend(key);
        Self::Granted(keys)
    }

    /// Whether one of them has the permission and reaches what `named_by` was read with; none for the
    /// account as a whole.
    fn may(&self, permission: Permission, named_by: Option<&NamedBy>) -> bool {
        let Self::Granted(keys) = self else { return true };
        let names = |key: &Key| named_by.is_some_and(|named_by| named_by.0.contains(&key.grant));
        let opens = |key: &Key| {
            let reaches = key.reaches_all(permission.area()) || names(key);
            key.permissions.contains(permission) && reaches
        };
        keys.iter().any(opens)
    }

    /// The grants by which the permission reaches things; none where it reaches all.
    ///
    /// # Errors
    /// [`Failure::NotAllowed`] naming the permission when none of them has it.
    fn reach(&self, permission: Permission) -> Result<Option<Vec<GrantId>>, Failure> {
        let Self::Granted(keys) = self else { return Ok(None) };
        let with_it = || keys.iter().filter(|key| key.permissions.contains(permission));
        if with_it().next().is_none() {
            return Err(Failure::NotAllowed(permission));
        }
        if with_it().any(|key| key.reaches_all(permission.area())) {
            return Ok(None);
        }
        Ok(Some(with_it().map(|key| key.grant).collect()))
    }
}

/// Those of somebody's grants that name a thing. It is read with the thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedBy(pub Vec<GrantId>);

/// What a permission is asked about.
#[derive(Clone, Copy, Debug)]
pub enum On<'a> {
    /// The account as a whole.
    Account,
    /// A service, which these of the actor's grants name.
    Service(&'a NamedBy),
    /// A domain, which these of the actor's grants name.
    Domain(&'a NamedBy),
}

/// Which things of an area a permission opens: what lists of them are read by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of the account's.
    All,
    /// Those that these grants name.
    Through(Vec<GrantId>),
    /// Those that one of the first and one of the second grants name: what is seen through somebody
    /// else's eyes.
    Both(Vec<GrantId>, Vec<GrantId>),
}

impl Scope {
    /// What a thing has to be named by, as two conditions: one of these grants. None is fulfilled by
    /// all.
    #[must_use]
    pub fn conditions(&self) -> [Option<&[GrantId]>; 2] {
        match self {
            Self::All => [None, None],
            Self::Through(grants) => [Some(grants), None],
            Self::Both(first, second) => [Some(first), Some(second)],
        }
    }
}

/// Who asks: a user acting in one account, with what they may do there at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user who asks.
    pub user: UserId,
    /// The account they act in.
    pub account: AccountId,
    /// What they may do there by themselves.
    pub keys: Keys,
    /// The eyes that they look through, if they do: what isn't open to both is open to nobody then.
    pub eyes: Option<Eyes>,
}

impl Actor {
    /// Whether the actor may do this to that: one of their grants has the permission and reaches it.
    /// What a permission isn't about it never opens, not even for an owner: whoever asks that asks
    /// the wrong question.
    #[must_use]
    pub fn may(&self, permission: Permission, on: On<'_>) -> bool {
        let named_by = match (permission.area(), on) {
            (Area::Billing | Area::Support | Area::Account, On::Account) => None,
            (Area::Services, On::Service(named_by)) | (Area::Domains, On::Domain(named_by)) => {
                Some(named_by)
            }
            _ => return false,
        };
        self.all_keys().all(|keys| keys.may(permission, named_by))
    }

    /// What has to open something: the actor's own keys, and those of the eyes that they look through.
    fn all_keys(&self) -> impl Iterator<Item = &Keys> {
        std::iter::once(&self.keys).chain(self.eyes.as_ref().map(|eyes| &eyes.keys))
    }

    /// The permissions that are open on something, as [`Keys::open`].
    #[must_use]
    pub fn open(&self) -> PermissionSet {
        let open = self.all_keys().map(Keys::open);
        open.fold(PermissionSet::all(), PermissionSet::intersection)
    }

    /// Whether everything is open, as to an owner.
    #[must_use]
    pub fn owns(&self) -> bool {
        self.all_keys().all(Keys::is_owner)
    }

    /// The grants that a thing is read with: all that [`Actor::may`] asks it about.
    pub fn grants(&self) -> impl Iterator<Item = GrantId> {
        self.all_keys().flat_map(Keys::grants)
    }

    /// For whom pages are shown: the owner of the eyes, or the actor.
    #[must_use]
    pub fn seen_as(&self) -> UserId {
        self.eyes.as_ref().map_or(self.user, |eyes| eyes.user)
    }

    /// The actor must have a permission on that.
    ///
    /// # Errors
    /// [`Failure::NotAllowed`] naming the permission when the actor lacks it there.
    pub fn must(&self, permission: Permission, on: On<'_>) -> Result<(), Failure> {
        if self.may(permission, on) { Ok(()) } else { Err(Failure::NotAllowed(permission)) }
    }

    /// What the permission opens: the only way to a list of things. Of a permission about the account
    /// that is all or nothing.
    ///
    /// # Errors
    /// [`Failure::NotAllowed`] naming the permission when none of the actor's grants has it.
    pub fn reach(&self, permission: Permission) -> Result<Scope, Failure> {
        let own = self.keys.reach(permission)?;
        let theirs = match &self.eyes {
            Some(eyes) => eyes.keys.reach(permission)?,
            None => None,
        };
        Ok(match (own, theirs) {
            (Some(own), Some(theirs)) => Scope::Both(own, theirs),
            (own, theirs) => own.or(theirs).map_or(Scope::All, Scope::Through),
        })
    }

    /// The actor must own the account: what no permission opens is an owner's alone.
    ///
    /// # Errors
    /// [`Failure::OwnersOnly`].
    pub fn must_own(&self) -> Result<(), Failure> {
        if self.owns() { Ok(()) } else { Err(Failure::OwnersOnly) }
    }

    /// The actor must be one who may change somebody's grants (rules 1 and 4).
    ///
    /// # Errors
    /// [`Failure::NotAllowed`] without [`Permission::AccountUsers`]; [`Conflict::OwnersStay`] for an
    /// owner's membership and [`Conflict::OwnPermissions`] for one's own.
    pub fn must_manage(&self, target: UserId, owner: bool) -> Result<(), Failure> {
        self.must(Permission::AccountUsers, On::Account)?;
        if owner {
            return Err(Failure::Conflict(Conflict::OwnersStay));
        }
        if target == self.user {
            return Err(Failure::Conflict(Conflict::OwnPermissions));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use Permission::{
        AccountUsers, BillingPay, BillingView, DomainsView, ServicesManage, ServicesView,
    };

    fn user(n: u128) -> UserId {
        UserId::from(Uuid::from_u128(n))
    }

    fn grant(n: u128) -> GrantId {
        GrantId::from(Uuid::from_u128(n))
    }

    fn named_by(grants: &[u128]) -> NamedBy {
        NamedBy(grants.iter().copied().map(grant).collect())
    }

    fn actor(keys: Keys) -> Actor {
        Actor { user: user(1), account: AccountId::from(Uuid::from_u128(9)), keys, eyes: None }
    }

    fn key(n: u128, permissions: &[Permission], all: bool) -> Key {
        let permissions = permissions.iter().copied().collect();
        Key { grant: grant(n), permissions, all_services: all, all_domains: all }
    }

    fn granted(keys: &[Key]) -> Actor {
        actor(Keys::Granted(keys.to_vec()))
    }

    #[test]
    fn a_permission_opens_what_one_grant_with_it_reaches() {
        let agency = granted(&[
            key(1, &[ServicesView, BillingView], true),
            key(2, &[ServicesManage], false),
            key(3, &[DomainsView], false),
        ]);
        let (unnamed, second, third) = (named_by(&[]), named_by(&[2]), named_by(&[3]));
        let cases = [
            (ServicesView, On::Service(&unnamed), true),
            (ServicesManage, On::Service(&unnamed), false),
            (ServicesManage, On::Service(&second), true),
            (ServicesManage, On::Service(&third), false),
            (DomainsView, On::Domain(&third), true),
            (DomainsView, On::Domain(&unnamed), false),
            (BillingView, On::Account, true),
            (BillingPay, On::Account, false),
        ];
        for (permission, on, may) in cases {
            assert_eq!(agency.may(permission, on), may, "{permission} on {on:?}");
            assert_eq!(agency.must(permission, on).is_ok(), may);
        }
        let refused = agency.must(ServicesManage, On::Service(&third));
        assert_eq!(refused, Err(Failure::NotAllowed(ServicesManage)));
    }

    #[test]
    fn the_wrong_question_is_answered_with_no() {
        let named = named_by(&[1]);
        let everything = [Key { permissions: PermissionSet::all(), ..key(1, &[], true) }];
        for asked in [actor(Keys::Owner), granted(&everything)] {
            for (permission, on) in [
                (ServicesView, On::Account),
                (ServicesView, On::Domain(&named)),
                (DomainsView, On::Service(&named)),
                (BillingView, On::Service(&named)),
            ] {
                assert!(!asked.may(permission, on), "{permission} on {on:?}");
            }
        }
    }

    #[test]
    fn a_list_shows_what_the_permission_reaches() {
        let agency = granted(&[
            key(1, &[ServicesView], true),
            key(2, &[ServicesManage], false),
            key(3, &[ServicesManage, BillingView], false),
        ]);
        let cases = [
            (ServicesView, Ok(Scope::All)),
            (ServicesManage, Ok(Scope::Through(vec![grant(2), grant(3)]))),
            (BillingView, Ok(Scope::All)),
            (DomainsView, Err(Failure::NotAllowed(DomainsView))),
        ];
        for (permission, scope) in cases {
            assert_eq!(agency.reach(permission), scope, "{permission}");
            assert_eq!(agency.reach(permission).is_ok(), agency.keys.open().contains(permission));
            assert_eq!(actor(Keys::Owner).reach(permission), Ok(Scope::All));
        }
        assert_eq!(granted(&[]).reach(ServicesView), Err(Failure::NotAllowed(ServicesView)));
    }

    #[test]
    fn no_permission_makes_an_owner() {
        assert_eq!(actor(Keys::Owner).must_own(), Ok(()));
        let everything = [Key { permissions: PermissionSet::all(), ..key(1, &[], true) }];
        assert_eq!(granted(&everything).must_own(), Err(Failure::OwnersOnly));
    }

    #[test]
    fn nobody_changes_an_owner_and_nobody_else_their_own_permissions() {
        let administrator = granted(&[key(1, &[AccountUsers], false)]);
        let conflict = |conflict| Err(Failure::Conflict(conflict));
        let cases = [
            (&administrator, user(2), false, Ok(())),
            (&administrator, user(2), true, conflict(Conflict::OwnersStay)),
            (&administrator, user(1), false, conflict(Conflict::OwnPermissions)),
            (&actor(Keys::Owner), user(2), true, conflict(Conflict::OwnersStay)),
            (&actor(Keys::Owner), user(1), true, conflict(Conflict::OwnersStay)),
            (&granted(&[]), user(2), false, Err(Failure::NotAllowed(AccountUsers))),
        ];
        for (by, target, owner, expected) in cases {
            assert_eq!(by.must_manage(target, owner), expected, "{by:?} {target} {owner}");
        }
    }

    proptest! {
        #[test]
        fn a_thing_is_in_a_list_if_its_permission_opens_it(
            keys in proptest::collection::vec(any_key(), 0..5),
            named_by in proptest::collection::btree_set(0..5_u128, 0..5),
            permission in proptest::sample::select(Permission::ALL.to_vec()),
        ) {
            let named_by = NamedBy(named_by.into_iter().map(grant).collect());
            let actor = granted(&keys);
            let may = actor.may(permission, asked(permission, &named_by));
            prop_assert_eq!(may, is_listed(&actor, permission, &named_by));
        }

        #[test]
        fn through_somebody_elses_eyes_one_sees_what_both_may_see(
            own in any_keys(0),
            theirs in any_keys(5),
            named_by in proptest::collection::btree_set(0..10_u128, 0..10),
            permission in proptest::sample::select(Permission::ALL.to_vec()),
        ) {
            let named_by = NamedBy(named_by.into_iter().map(grant).collect());
            let on = asked(permission, &named_by);
            let (looker, other) = (actor(own.clone()), actor(theirs.clone()));
            let eyes = Some(Eyes { user: user(2), keys: theirs, draft: None });
            let through = Actor { eyes, ..actor(own) };
            let both = looker.may(permission, on) && other.may(permission, on);
            prop_assert_eq!(through.may(permission, on), both);
            prop_assert_eq!(is_listed(&through, permission, &named_by), both);
            prop_assert_eq!(through.reach(permission).is_ok(), through.open().contains(permission));
            prop_assert_eq!(
                through.open(),
                looker.keys.open().intersection(other.keys.open())
            );
            let both_own = looker.keys.is_owner() && other.keys.is_owner();
            prop_assert_eq!(through.must_own().is_ok(), both_own);
            // What a thing is read with answers for both.
            let read_with: Vec<_> = through.grants().collect();
            let read = named_by.0.iter().copied().filter(|grant| read_with.contains(grant));
            let read = NamedBy(read.collect());
            prop_assert_eq!(through.may(permission, asked(permission, &read)), both);
        }
    }

    proptest! {
        #[test]
        fn a_draft_opens_what_it_says_and_never_more_than_the_looker_sees(
            own in any_keys(0),
            theirs in any_keys(5),
            drafted in any_key(),
            changes in proptest::option::of(5..10_u128),
            named_by in proptest::collection::btree_set(0..21_u128, 0..21),
            permission in proptest::sample::select(Permission::ALL.to_vec()),
        ) {
            let named_by = NamedBy(named_by.into_iter().map(grant).collect());
            let on = asked(permission, &named_by);
            let draft = Draft { id: grant(20), changes: changes.map(grant) };
            let drafted = Key { grant: draft.id, ..drafted };
            let keys = theirs.clone().with_draft(draft, Some(drafted));
            let eyes = Some(Eyes { user: user(2), keys, draft: Some(draft) });
            let (looker, through) = (actor(own.clone()), Actor { eyes, ..actor(own) });
            let kept = match theirs {
                Keys::Owner => Keys::Owner,
                Keys::Granted(keys) => {
                    let kept = keys.into_iter().filter(|key| Some(key.grant) != draft.changes);
                    Keys::Granted(kept.collect())
                }
            };
            let would = actor(kept).may(permission, on) || granted(&[drafted]).may(permission, on);
            prop_assert_eq!(through.may(permission, on), looker.may(permission, on) && would);
            prop_assert_eq!(is_listed(&through, permission, &named_by), through.may(permission, on));
            prop_assert!(through.open().difference(looker.keys.open()).next().is_none());
            prop_assert!(!through.owns() || looker.owns());
        }
    }

    /// The right question about a thing that is named by these grants.
    fn asked(permission: Permission, named_by: &NamedBy) -> On<'_> {
        match permission.area() {
            Area::Services => On::Service(named_by),
            Area::Domains => On::Domain(named_by),
            Area::Billing | Area::Support | Area::Account => On::Account,
        }
    }

    /// Whether a thing that is named by these grants is in the list.
    fn is_listed(actor: &Actor, permission: Permission, named_by: &NamedBy) -> bool {
        let Ok(scope) = actor.reach(permission) else { return false };
        let names = |grants: &[GrantId]| grants.iter().any(|grant| named_by.0.contains(grant));
        scope.conditions().into_iter().flatten().all(names)
    }

    /// An owner's keys, or some whose grants have numbers from this one on.
    fn any_keys(first: u128) -> impl Strategy<Value = Keys> {
        let numbered = move |key: Key| {
            let number = Uuid::from(key.grant).as_u128() + first;
            Key { grant: grant(number), ..key }
        };
        let some = move |keys: Vec<Key>| Keys::Granted(keys.into_iter().map(numbered).collect());
        prop_oneof![
            1 => Just(Keys::Owner),
            6 => proptest::collection::vec(any_key(), 0..5).prop_map(some),
        ]
    }

    fn any_key() -> impl Strategy<Value = Key> {
        let permissions = proptest::sample::select(Permission::ALL.to_vec());
        let permissions = proptest::collection::vec(permissions, 0..6);
        (0..5_u128, permissions, any::<bool>())
            .prop_map(|(n, permissions, all)| key(n, &permissions, all))
    }
}
