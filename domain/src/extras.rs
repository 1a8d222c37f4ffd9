//! Extra access: what somebody is given besides their first grant, with a reach and an end of its own.

use model::{
    Access, Actor, Conflict, Failure, Field, FieldErrors, FieldProblem, GrantId, MOST_GRANTS,
    PermissionSet, Timestamp,
};
use store::{ChangeFacts, Grant, GrantRow, Member};

use crate::giving::{self, Read, Sought, Wished};
use crate::users::{
    self, Managed, Meant, Saved, holding_now, managed, member, must_be_made_of, terms_of,
};
use crate::{Client, Latchkey};

/// Extra access of somebody, as their page shows it.
#[derive(Clone, Debug)]
pub struct Extra {
    /// The grant.
    pub row: GrantRow,
    /// Whether the actor can take it back (rule 10).
    pub can_take_back: bool,
    /// What the form that takes it back is made of, for comparing when it is sent.
    pub made_of: String,
}

/// A user's further grants that haven't lapsed; none of the actor's own, which they can't change.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn list(
    latchkey: &Latchkey,
    actor: &Actor,
    target: &Member,
) -> Result<Vec<Extra>, Failure> {
    let now = latchkey.now();
    let is_live = |row: &&GrantRow| row.outline.until.is_none_or(|until| now < until);
    let rows: Vec<_> = target.held.grants().iter().skip(1).filter(is_live).collect();
    if rows.is_empty() || target.user == actor.seen_as() {
        return Ok(Vec::new());
    }
    let own = giving::own(latchkey, actor).await?;
    let holding = latchkey.store.holding(actor.account, target.user, false).await?;
    let extra = |row: &GrantRow| {
        let grant = holding.grants().iter().find(|grant| grant.id == row.id)?;
        let can_take_back = own.lacks_to_change(&grant.terms, &terms_of(None)).is_none();
        Some(Extra { row: row.clone(), can_take_back, made_of: giving::made_of(Some(grant)) })
    };
    Ok(rows.into_iter().filter_map(extra).collect())
}

/// The user whom the actor wants to give extra access.
///
/// # Errors
/// As [`member`] and [`Actor::must_manage`].
pub async fn receiver(latchkey: &Latchkey, actor: &Actor, user: &str) -> Result<Member, Failure> {
    let member = member(latchkey, actor, user).await?;
    actor.must_manage(member.user, member.held.is_owner())?;
    Ok(member)
}

/// A user of the account, and what the form for this extra access of theirs is made of.
///
/// # Errors
/// As [`receiver`]; [`Failure::NotFound`] also when they don't hold it.
pub async fn manage(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
    grant: &str,
    sought: &Sought,
) -> Result<Managed, Failure> {
    let member = receiver(latchkey, actor, user).await?;
    let holding = latchkey.store.holding(actor.account, member.user, false).await?;
    let grant = Meant::Extra(grant).of(holding.grants())?;
    managed(latchkey, actor, member, grant, sought).await
}

/// The permissions that the actor can add to this extra access, or take out of it.
///
/// # Errors
/// As [`manage`].
pub async fn changeable(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
    grant: &str,
) -> Result<PermissionSet, Failure> {
    let member = receiver(latchkey, actor, user).await?;
    let holding = latchkey.store.holding(actor.account, member.user, false).await?;
    let terms = terms_of(Meant::Extra(grant).of(holding.grants())?);
    Ok(giving::own(latchkey, actor).await?.changeable(&terms))
}

/// Gives a user of the account what is wished besides what they hold. To give again what they hold in
/// the same way already changes nothing.
///
/// # Errors
/// As [`Actor::must_manage`] and [`model::Access::give`]; [`Failure::Invalid`];
/// [`Conflict::TooManyGrants`]; [`Failure::NotFound`]; [`Failure::Unavailable`].
pub async fn give(
    latchkey: &Latchkey,
    actor: &Actor,
    user: &str,
    wished: &Wished,
    client: &Client,
) -> Result<Member, Failure> {
    let target = receiver(latchkey, actor, user).await?;
    let mut errors = FieldErrors::default();
    if wished.permissions.is_empty() {
        errors.note(Field::Permissions, FieldProblem::Missing);
    }
    let read = giving::read(latchkey, actor, wished, &mut errors).await?;
    let (Some(Read { wish, why }), true) = (read, errors.0.is_empty()) else {
        return Err(errors.into_failure());
    };
    let (account, now, why) = (actor.account, latchkey.now(), why.unwrap_or_default());
    let id = GrantId::from(latchkey.new_id());
    let decide = |facts: &ChangeFacts| {
        let by = &facts.by;
        by.actor.must_manage(facts.target.user, facts.target.held.is_owner())?;
        let terms = by.access.give(&wish)?;
        let grants = facts.holding.grants();
        let mut further = grants.iter().skip(1).filter(|grant| grant.terms.is_live(now));
        if further.any(|grant| grant.terms == terms && grant.why == why) {
            return Ok(None);
        }
        let mut grants = with_room(&by.access, grants, now)?;
        let id = id.behind(grants.iter().map(|grant| grant.id));
        let (why, given_by) = (why.clone(), Some(by.actor.user));
        grants.push(Grant { id, terms, why, given_by, given_at: now });
        Ok(Some(holding_now(facts, grants, now, client)))
    };
    latchkey.store.change_membership(account, actor.user, target.user, now, decide).await?;
    Ok(target)
}

/// The grants with room for one more: if it takes that, without the further one that lapsed first of
/// those that somebody with this access could take back (rule 10).
///
/// # Errors
/// [`Conflict::TooManyGrants`].
fn with_room(own: &Access, grants: &[Grant], now: Timestamp) -> Result<Vec<Grant>, Failure> {
    let mut grants = grants.to_vec();
    if grants.len() < MOST_GRANTS {
        return Ok(grants);
    }
    let further = grants.iter().enumerate().skip(1);
    let can_go = |grant: &Grant| own.lacks_to_change(&grant.terms, &terms_of(None)).is_none();
    let lapsed = further.filter(|(_, grant)| !grant.terms.is_live(now) && can_go(grant));
    let first = lapsed.min_by_key(|(_, grant)| grant.terms.until).map(|(at, _)| at);
    grants.remove(first.ok_or(Failure::Conflict(Conflict::TooManyGrants))?);
    Ok(grants)
}

/// Gives a user of the account what is wished, by this extra access of theirs. `before` is what the form
/// was made of when the actor was shown it, if that is known.
///
/// # Errors
/// As [`users::change_permissions`]; [`Failure::NotFound`] also when they don't hold it.
pub async fn change(
    latchkey: &Latchkey,
    actor: &Actor,
    (user, grant): (&str, &str),
    wished: &Wished,
    before: Option<&str>,
    client: &Client,
) -> Result<Saved, Failure> {
    users::change(latchkey, actor, user, Meant::Extra(grant), wished, before, client).await
}

/// Takes extra access back from a user of the account. `before` is what the form was made of when the
/// actor was shown it, if that is known.
///
/// # Errors
/// As [`Actor::must_manage`]; what is lacking for all of it (rule 10); [`Failure::Invalid`] when nothing
/// else would be open to them; [`Conflict::ChangedMeanwhile`] when it isn't as it was `before`;
/// [`Failure::NotFound`] also when they don't hold it; [`Failure::Unavailable`].
pub async fn take_back(
    latchkey: &Latchkey,
    actor: &Actor,
    (user, grant): (&str, &str),
    before: Option<&str>,
    client: &Client,
) -> Result<Member, Failure> {
    let target = receiver(latchkey, actor, user).await?;
    let (account, now) = (actor.account, latchkey.now());
    let decide = |facts: &ChangeFacts| {
        let by = &facts.by;
        by.actor.must_manage(facts.target.user, facts.target.held.is_owner())?;
        let grants = facts.holding.grants();
        let extra = Meant::Extra(grant).of(grants)?;
        must_be_made_of(extra, before)?;
        if let Some(lack) = by.access.lacks_to_change(&terms_of(extra), &terms_of(None)) {
            return Err(lack.into());
        }
        let is_kept = |kept: &&Grant| extra.is_none_or(|extra| extra.id != kept.id);
        let left: Vec<_> = grants.iter().filter(is_kept).cloned().collect();
        if !left.iter().any(|grant| grant.terms.is_live(now) && !grant.terms.is_nothing()) {
            return Err(Failure::field(Field::Permissions, FieldProblem::NothingLeft));
        }
        Ok(Some(holding_now(facts, left, now, client)))
    };
    latchkey.store.change_membership(account, actor.user, target.user, now, decide).await?;
    Ok(target)
}

#[cfg(test)]
mod tests {
    use model::{Permission, Terms};
    use uuid::Uuid;

    use super::*;

    /// A grant that ends at that moment.
    fn until(number: u128, until: Option<i64>) -> Grant {
        let permissions = [Permission::BillingView].into_iter().collect();
        let until = until.map(Timestamp::from_micros);
        Grant {
            id: Uuid::from_u128(number).into(),
            terms: Terms { until, ..Terms::whole(permissions) },
            why: String::new(),
            given_by: None,
            given_at: Timestamp::from_micros(0),
        }
    }

    #[test]
    fn of_many_grants_the_extra_one_that_lapsed_first_makes_room() {
        let now = Timestamp::from_micros(10);
        let full = |ends: [Option<i64>; 3]| -> Vec<_> {
            let more = std::iter::repeat_n(None, MOST_GRANTS - ends.len());
            let ends = ends.into_iter().chain(more).zip(1..);
            ends.map(|(end, number)| until(number, end)).collect()
        };
        let grants = full([Some(1), Some(9), Some(8)]);
        let left = with_room(&Access::Owner, &grants, now).unwrap();
        assert_eq!(left.len(), MOST_GRANTS - 1);
        assert!(!left.contains(&grants[2]) && left[0] == grants[0]);
        assert_eq!(with_room(&Access::Owner, &left, now), Ok(left.clone()));
        let none = with_room(&Access::Owner, &full([Some(1), Some(11), None]), now);
        assert_eq!(none, Err(Failure::Conflict(Conflict::TooManyGrants)));
    }

    #[test]
    fn what_lapsed_out_of_the_givers_hold_stays() {
        let now = Timestamp::from_micros(10);
        let more = std::iter::repeat_n(None, MOST_GRANTS - 3);
        let ends = [None, Some(8), Some(9)].into_iter().chain(more);
        let mut grants: Vec<_> = (1..).zip(ends).map(|(number, end)| until(number, end)).collect();
        grants[1].terms.permissions.insert(Permission::AccountLog);
        let seeing = Access::granted([Permission::BillingView].into_iter().collect());
        let left = with_room(&seeing, &grants, now).unwrap();
        assert!(left.contains(&grants[1]) && !left.contains(&grants[2]));
        let none = with_room(&seeing, &[&left[..], &grants[..1]].concat(), now);
        assert_eq!(none, Err(Failure::Conflict(Conflict::TooManyGrants)));
    }
}
