//! Who asks, and the questions about what they may do: about the account, about one thing in it, or
//! about which things there are for them.

use crate::{
    AccountId, Area, Conflict, Draft, Eyes, Failure, Permission, PermissionSet, Terms, Timestamp,
    UserId,
};

/// What a grant that hasn't lapsed opens, as a request is checked by it, and all that are alike in this:
/// however many grants somebody holds, few keys tell what they may do. Which things they name is asked
/// of the things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The permissions.
    pub permissions: PermissionSet,
    /// Whether they reach all services, also those to come.
    pub all_services: bool,
    /// Whether they reach all domains, also those to come.
    pub all_domains: bool,
}

impl Key {
    /// What a grant with these terms opens.
    #[must_use]
    pub fn of(terms: &Terms) -> Self {
        Self {
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

    /// What they would be with a draft's key besides. An owner has everything already.
    #[must_use]
    pub fn with_draft(self, key: Option<Key>) -> Self {
        let Self::Granted(mut keys) = self else { return self };
        keys.extend(key);
        Self::Granted(keys)
    }

    /// Whether one of them has the permission and reaches all that it is about, or a grant with it names
    /// the thing: those that name it open `named`.
    fn may(&self, permission: Permission, named: PermissionSet) -> bool {
        let Self::Granted(keys) = self else { return true };
        let reaches = |key: &Key| named.contains(permission) || key.reaches_all(permission.area());
        keys.iter().any(|key| key.permissions.contains(permission) && reaches(key))
    }

    /// Whether the permission reaches all that it is about.
    ///
    /// # Errors
    /// [`Failure::NotAllowed`] naming the permission when none of them has it.
    fn reach_all(&self, permission: Permission) -> Result<bool, Failure> {
        let Self::Granted(keys) = self else { return Ok(true) };
        let with_it = || keys.iter().filter(|key| key.permissions.contains(permission));
        if with_it().next().is_none() {
            return Err(Failure::NotAllowed(permission));
        }
        Ok(with_it().any(|key| key.reaches_all(permission.area())))
    }
}

/// What those grants open that name a thing. It is read with the thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NamedBy {
    /// The actor's grants.
    pub own: PermissionSet,
    /// The grants, and the draft, of the eyes that the actor looks through.
    pub theirs: PermissionSet,
}

/// What a permission is asked about.
#[derive(Clone, Copy, Debug)]
pub enum On<'a> {
    /// The account as a whole.
    Account,
    /// A service, which those of the actor's grants name that open this.
    Service(&'a NamedBy),
    /// A domain, which those of the actor's grants name that open this.
    Domain(&'a NamedBy),
}

/// Which things of an area a permission opens: what lists of them are read by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of the account's.
    All,
    /// Those that these grants name.
    Through(Through),
    /// Those that one of the first and one of the second grants name: what is seen through somebody
    /// else's eyes.
    Both(Through, Through),
}

/// Grants that things have to be named by, not by their ids but by what they have in common: they are
/// somebody's, open something, and haven't lapsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Through {
    /// Whose they are.
    pub user: UserId,
    /// What they open: one of these permissions.
    pub permissions: Vec<Permission>,
    /// What is among them besides, or in the place of one of them, if it opens that.
    pub draft: Option<Draft>,
    /// The moment at which they haven't lapsed.
    pub at: Timestamp,
}

impl Scope {
    /// What a thing has to be named by, as two conditions: one of these grants. None is fulfilled by
    /// all.
    #[must_use]
    pub const fn conditions(&self) -> [Option<&Through>; 2] {
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
    /// The moment at which that is so.
    pub at: Timestamp,
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
            (Area::Billing | Area::Support | Area::Account, On::Account) => NamedBy::default(),
            (Area::Services, On::Service(named_by)) | (Area::Domains, On::Domain(named_by)) => {
                *named_by
            }
            _ => return false,
        };
        let theirs = self.eyes.as_ref().map(|eyes| &eyes.keys);
        self.keys.may(permission, named_by.own)
            && theirs.is_none_or(|keys| keys.may(permission, named_by.theirs))
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
        let through = |user, draft| {
            let permissions = permission.brought_by().collect();
            Through { user, permissions, draft, at: self.at }
        };
        let own = (!self.keys.reach_all(permission)?).then(|| through(self.user, None));
        let theirs = match &self.eyes {
            Some(eyes) if !eyes.keys.reach_all(permission)? => Some(through(eyes.user, eyes.draft)),
            _ => None,
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
    use crate::GrantId;
    use Permission::{
        AccountUsers, BillingPay, BillingView, DomainsManage, DomainsTransfer, DomainsView,
        ServicesManage, ServicesView,
    };

    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    /// A grant that hasn't lapsed, and whether it names the thing that is asked about.
    #[derive(Clone, Copy, Debug)]
    struct Held {
        number: u128,
        key: Key,
        names: bool,
    }

    fn user(n: u128) -> UserId {
        UserId::from(Uuid::from_u128(n))
    }

    fn grant(n: u128) -> GrantId {
        GrantId::from(Uuid::from_u128(n))
    }

    /// Named by grants of the actor's that open these.
    fn named_by(permissions: &[Permission]) -> NamedBy {
        NamedBy { own: permissions.iter().copied().collect(), ..NamedBy::default() }
    }

    fn actor(keys: Keys) -> Actor {
        let account = AccountId::from(Uuid::from_u128(9));
        Actor { user: user(1), account, keys, at: NOW, eyes: None }
    }

    fn key(permissions: &[Permission], all: bool) -> Key {
        let permissions = permissions.iter().copied().collect();
        Key { permissions, all_services: all, all_domains: all }
    }

    fn granted(keys: &[Key]) -> Actor {
        actor(Keys::Granted(keys.to_vec()))
    }

    fn through(user: UserId, permissions: &[Permission], draft: Option<Draft>) -> Through {
        Through { user, permissions: permissions.to_vec(), draft, at: NOW }
    }

    #[test]
    fn a_permission_opens_what_one_grant_with_it_reaches() {
        let agency = granted(&[
            key(&[ServicesView, BillingView], true),
            key(&[ServicesManage], false),
            key(&[DomainsView], false),
        ]);
        let (unnamed, second, third) =
            (named_by(&[]), named_by(&[ServicesManage]), named_by(&[DomainsView]));
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
        let named = NamedBy { own: PermissionSet::all(), theirs: PermissionSet::all() };
        let everything = [Key { permissions: PermissionSet::all(), ..key(&[], true) }];
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
    fn whose_keys_are_none_is_opened_nothing_by_what_names_a_thing() {
        let named = named_by(&[ServicesManage]);
        let paused = granted(&[]);
        assert!(!paused.may(ServicesManage, On::Service(&named)));
        let eyes = Some(Eyes { user: user(2), keys: Keys::Granted(Vec::new()), draft: None });
        let both = NamedBy { theirs: named.own, ..named };
        let looker = Actor { eyes, ..granted(&[key(&[ServicesManage], true)]) };
        assert!(!looker.may(ServicesManage, On::Service(&both)));
    }

    #[test]
    fn a_list_shows_what_the_permission_reaches() {
        let agency = granted(&[
            key(&[ServicesView], true),
            key(&[ServicesManage], false),
            key(&[ServicesManage, BillingView], false),
        ]);
        let cases = [
            (ServicesView, Ok(Scope::All)),
            (ServicesManage, Ok(Scope::Through(through(user(1), &[ServicesManage], None)))),
            (BillingView, Ok(Scope::All)),
            (DomainsView, Err(Failure::NotAllowed(DomainsView))),
        ];
        for (permission, scope) in cases {
            assert_eq!(agency.reach(permission), scope, "{permission}");
            assert_eq!(agency.reach(permission).is_ok(), agency.keys.open().contains(permission));
            assert_eq!(actor(Keys::Owner).reach(permission), Ok(Scope::All));
        }
        assert_eq!(granted(&[]).reach(ServicesView), Err(Failure::NotAllowed(ServicesView)));

        // What implies a permission brings it, in both.
        let draft = Some(Draft { id: grant(20), changes: Some(grant(1)) });
        let some = Keys::Granted(vec![key(&[DomainsManage], false)]);
        let eyes = Some(Eyes { user: user(2), keys: some.clone(), draft });
        let looker = Actor { eyes, ..actor(some) };
        let seeing = [DomainsView, DomainsManage, DomainsTransfer];
        let both = Scope::Both(through(user(1), &seeing, None), through(user(2), &seeing, draft));
        assert_eq!(looker.reach(DomainsView), Ok(both));
    }

    #[test]
    fn no_permission_makes_an_owner() {
        assert_eq!(actor(Keys::Owner).must_own(), Ok(()));
        let everything = [Key { permissions: PermissionSet::all(), ..key(&[], true) }];
        assert_eq!(granted(&everything).must_own(), Err(Failure::OwnersOnly));
    }

    #[test]
    fn nobody_changes_an_owner_and_nobody_else_their_own_permissions() {
        let administrator = granted(&[key(&[AccountUsers], false)]);
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
            held in any_grants(0),
            permission in proptest::sample::select(Permission::ALL.to_vec()),
        ) {
            let actor = actor(keys(&held));
            let named_by = NamedBy { own: named(&held), ..NamedBy::default() };
            let may = actor.may(permission, asked(permission, &named_by));
            prop_assert_eq!(may, one_opens(permission, &held));
            prop_assert_eq!(may, is_listed(&actor, permission, &[(user(1), &held[..])]));
        }

        #[test]
        fn through_somebody_elses_eyes_one_sees_what_both_may_see(
            (own, theirs) in (any_grants(0), any_grants(5)),
            owners in any::<(bool, bool)>(),
            permission in proptest::sample::select(Permission::ALL.to_vec()),
        ) {
            let keys = |owner, held: &[Held]| if owner { Keys::Owner } else { keys(held) };
            let (looker, other) = (actor(keys(owners.0, &own)), actor(keys(owners.1, &theirs)));
            let eyes = Some(Eyes { user: user(2), keys: other.keys.clone(), draft: None });
            let through = Actor { eyes, ..looker.clone() };
            let alone = |held: &[Held]| NamedBy { own: named(held), ..NamedBy::default() };
            let may = |actor: &Actor, named_by| actor.may(permission, asked(permission, &named_by));
            let both = may(&looker, alone(&own)) && may(&other, alone(&theirs));
            let named_by = NamedBy { own: named(&own), theirs: named(&theirs) };
            prop_assert_eq!(may(&through, named_by), both);
            let all = [(user(1), &own[..]), (user(2), &theirs[..])];
            prop_assert_eq!(is_listed(&through, permission, &all), both);
            prop_assert_eq!(through.reach(permission).is_ok(), through.open().contains(permission));
            prop_assert_eq!(
                through.open(),
                looker.keys.open().intersection(other.keys.open())
            );
            let both_own = looker.keys.is_owner() && other.keys.is_owner();
            prop_assert_eq!(through.must_own().is_ok(), both_own);
        }

        #[test]
        fn a_draft_opens_what_it_says_and_never_more_than_the_looker_sees(
            (own, theirs) in (any_grants(0), any_grants(5)),
            owners in any::<(bool, bool)>(),
            drafted in any_grant(20),
            changes in proptest::option::of(5..10_u128),
            permission in proptest::sample::select(Permission::ALL.to_vec()),
        ) {
            let draft = Draft { id: grant(drafted.number), changes: changes.map(grant) };
            // What is read of the eyes' owner is without the grant in whose place the draft comes.
            let kept: Vec<_> =
                theirs.iter().copied().filter(|held| Some(held.number) != changes).collect();
            let would: Vec<_> = kept.iter().copied().chain([drafted]).collect();
            let keys = |owner, held: &[Held]| if owner { Keys::Owner } else { keys(held) };
            let with_draft = keys(owners.1, &kept).with_draft(Some(drafted.key));
            let eyes = Some(Eyes { user: user(2), keys: with_draft, draft: Some(draft) });
            let looker = actor(keys(owners.0, &own));
            let through = Actor { eyes, ..looker.clone() };
            let named_by = NamedBy { own: named(&own), theirs: named(&would) };
            let on = asked(permission, &named_by);
            let expected = looker.may(permission, on) && (owners.1 || one_opens(permission, &would));
            prop_assert_eq!(through.may(permission, on), expected);
            let drafted = [drafted];
            let all = [(user(1), &own[..]), (user(2), &theirs[..]), (user(2), &drafted[..])];
            prop_assert_eq!(is_listed(&through, permission, &all), expected);
            prop_assert!(through.open().difference(looker.keys.open()).next().is_none());
            prop_assert!(!through.owns() || looker.owns());
        }
    }

    fn keys(held: &[Held]) -> Keys {
        Keys::Granted(held.iter().map(|held| held.key).collect())
    }

    /// What those of these grants open that name the thing.
    fn named(held: &[Held]) -> PermissionSet {
        let naming = held.iter().filter(|held| held.names);
        naming.flat_map(|held| held.key.permissions.iter()).collect()
    }

    /// Whether one of these grants has the permission and reaches the thing.
    fn one_opens(permission: Permission, held: &[Held]) -> bool {
        let reaches = |held: &Held| held.names || held.key.reaches_all(permission.area());
        held.iter().any(|held| held.key.permissions.contains(permission) && reaches(held))
    }

    /// The right question about a thing that is named by grants that open this.
    fn asked(permission: Permission, named_by: &NamedBy) -> On<'_> {
        match permission.area() {
            Area::Services => On::Service(named_by),
            Area::Domains => On::Domain(named_by),
            Area::Billing | Area::Support | Area::Account => On::Account,
        }
    }

    /// Whether the thing is in the list, of all who hold grants.
    fn is_listed(actor: &Actor, permission: Permission, all: &[(UserId, &[Held])]) -> bool {
        let Ok(scope) = actor.reach(permission) else { return false };
        let names = |through: &Through| {
            let theirs = all.iter().filter(|(user, _)| *user == through.user);
            let replaced = through.draft.and_then(|draft| draft.changes);
            let left = |held: &&Held| Some(grant(held.number)) != replaced;
            let mut left = theirs.flat_map(|(_, held)| held.iter()).filter(left);
            let opens = |held: &Held| {
                through.permissions.iter().any(|one| held.key.permissions.contains(*one))
            };
            left.any(|held| held.names && opens(held))
        };
        scope.conditions().into_iter().flatten().all(names)
    }

    /// Grants with numbers from this one on.
    fn any_grants(first: u128) -> impl Strategy<Value = Vec<Held>> {
        let numbered = move |held: Vec<Held>| {
            let numbers = (first..).zip(held);
            numbers.map(|(number, held)| Held { number, ..held }).collect()
        };
        proptest::collection::vec(any_grant(0), 0..5).prop_map(numbered)
    }

    fn any_grant(number: u128) -> impl Strategy<Value = Held> {
        let permissions = proptest::sample::select(Permission::ALL.to_vec());
        let permissions = proptest::collection::vec(permissions, 0..6);
        (permissions, any::<bool>(), any::<bool>()).prop_map(move |(permissions, all, names)| {
            Held { number, key: key(&permissions, all), names }
        })
    }
}
