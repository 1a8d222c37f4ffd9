//! The list of an account's users: what is asked for, a page of it, and all of it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use model::{
    Actor, Cursor, Failure, ListPlace, On, PAGE_SIZE, Paged, Permission, Timestamp, UserId,
};
pub use store::UserSort;
use store::{AccessFilter, ActiveFilter, Glance, Member, UsersFilter, UsersQuery};

use crate::access_requests::{self, Waiting};
use crate::invitations::{self, PendingPage};
use crate::owner_changes::{self, OwnerChange};
use crate::{Latchkey, successors};

/// How far users are counted: with more, that there are more is all that one wants to know.
const MOST_COUNTED: usize = 1_000;

/// How many users a piece has of all that are exported.
const PIECE: usize = 500;

/// Which users are asked for. What is chosen is none where it isn't, or is nothing that there is.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Words of names and addresses.
    pub search: String,
    /// What their access must be.
    pub access: Option<AccessChoice>,
    /// Whether they must have a second factor, or none.
    pub second_factor: Option<FactorChoice>,
    /// When they must have been active last.
    pub last_active: Option<ActiveChoice>,
    /// How they are sorted.
    pub sort: UserSort,
}

/// What somebody's access must be, as it is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessChoice {
    /// They own the account.
    Owner,
    /// It opens nothing at the moment.
    Paused,
    /// It opens what this permission is about, on anything.
    Having(Permission),
}

/// Whether somebody must have a second factor, as it is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorChoice {
    /// They must.
    On,
    /// They must have none.
    Off,
}

/// When somebody must have been active last, as it is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActiveChoice {
    /// In the last so many days.
    Within(u16),
    /// Not for so many days, or never.
    NotFor(u16),
    /// Never.
    Never,
}

impl ActiveChoice {
    /// What there is to choose.
    pub const ALL: [Self; 5] =
        [Self::Within(7), Self::Within(30), Self::NotFor(30), Self::NotFor(90), Self::Never];
}

impl fmt::Display for AccessChoice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner => out.write_str("owner"),
            Self::Paused => out.write_str("paused"),
            Self::Having(permission) => out.write_str(permission.id()),
        }
    }
}

impl FromStr for AccessChoice {
    type Err = Failure;

    fn from_str(id: &str) -> Result<Self, Failure> {
        match id {
            "owner" => Ok(Self::Owner),
            "paused" => Ok(Self::Paused),
            _ => id.parse().map(Self::Having).map_err(|_| Failure::NotFound),
        }
    }
}

impl fmt::Display for FactorChoice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::On => "on",
            Self::Off => "off",
        })
    }
}

impl FromStr for FactorChoice {
    type Err = Failure;

    fn from_str(id: &str) -> Result<Self, Failure> {
        match id {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err(Failure::NotFound),
        }
    }
}

impl fmt::Display for ActiveChoice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(days) => write!(out, "{days}"),
            Self::NotFor(days) => write!(out, "not_{days}"),
            Self::Never => out.write_str("never"),
        }
    }
}

impl FromStr for ActiveChoice {
    type Err = Failure;

    fn from_str(id: &str) -> Result<Self, Failure> {
        let found = Self::ALL.into_iter().find(|choice| choice.to_string() == id);
        found.ok_or(Failure::NotFound)
    }
}

impl Asked {
    /// Whether not everybody is asked for.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        let chosen = self.access.is_some() || self.second_factor.is_some();
        chosen || self.last_active.is_some() || !self.search.trim().is_empty()
    }

    fn query(&self, place: ListPlace, now: Timestamp) -> UsersQuery {
        let search = Some(self.search.trim().to_owned()).filter(|search| !search.is_empty());
        let access = self.access.map(|access| match access {
            AccessChoice::Owner => AccessFilter::Owner,
            AccessChoice::Paused => AccessFilter::Paused(now),
            AccessChoice::Having(permission) => AccessFilter::Having(permission, now),
        });
        let before = |days| now.before(Duration::from_secs(24 * 60 * 60) * u32::from(days));
        let last_active = self.last_active.map(|active| match active {
            ActiveChoice::Within(days) => ActiveFilter::Since(before(days)),
            ActiveChoice::NotFor(days) => ActiveFilter::NotSince(before(days)),
            ActiveChoice::Never => ActiveFilter::Never,
        });
        let second_factor = self.second_factor.map(|factor| factor == FactorChoice::On);
        let filter = UsersFilter { access, second_factor, last_active };
        UsersQuery { search, filter, sort: self.sort, place }
    }
}

/// How many users fit what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// So many.
    All(u32),
    /// More than so many.
    MoreThan(u32),
}

/// One page of an account's users.
#[derive(Clone, Debug)]
pub struct UsersPage {
    /// The users.
    pub users: Vec<Member>,
    /// Before which row the previous page lies, if there is one.
    pub before: Option<Cursor>,
    /// After which row the next page lies, if there is one.
    pub after: Option<Cursor>,
    /// How many there are on all pages.
    pub found: Found,
}

/// What there is in the account, for those who see its users; owners are told how many have a second
/// factor, where the list is of everybody.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn glance(latchkey: &Latchkey, actor: &Actor, asked: &Asked) -> Result<Glance, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let factors = actor.owns() && !asked.is_narrowed();
    latchkey.store.glance(actor.account, MOST_COUNTED + 1, factors).await
}

/// A page of the account's users, in which there is as much as was seen at a glance.
///
/// # Errors
/// [`Failure::NotAllowed`], [`Failure::Unavailable`].
pub async fn page(
    latchkey: &Latchkey,
    actor: &Actor,
    glance: &Glance,
    asked: &Asked,
    place: ListPlace,
) -> Result<UsersPage, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let mut query = asked.query(place, latchkey.now());
    let (store, account) = (&latchkey.store, actor.account);
    let mut users = store.users(account, &query, PAGE_SIZE + 1).await?;
    // Whoever stood there has gone.
    if users.is_empty() && query.place != ListPlace::First {
        query.place = ListPlace::First;
        users = store.users(account, &query, PAGE_SIZE + 1).await?;
    }
    let more = users.len() > PAGE_SIZE;
    let page = query.place.page(users, PAGE_SIZE, |member| member.cursor(asked.sort));
    let Paged { rows: users, before, after } = page;
    let found = match (&query.place, more) {
        // All of them are here.
        (ListPlace::First, false) => u32::try_from(users.len()).unwrap_or(u32::MAX),
        _ if asked.is_narrowed() => store.count_users(account, &query, MOST_COUNTED + 1).await?,
        _ => glance.users,
    };
    let most = u32::try_from(MOST_COUNTED).unwrap_or(u32::MAX);
    let found = if found > most { Found::MoreThan(most) } else { Found::All(found) };
    Ok(UsersPage { users, before, after, found })
}

/// What stands beside the list of an account's users.
#[derive(Clone, Debug)]
pub struct Beside {
    /// A page of the invitations that wait for an answer.
    pub pending: PendingPage,
    /// The first of the requests that do.
    pub requests: Vec<Waiting>,
    /// Those who were asked to become owners, or wait for it.
    pub becoming: Vec<OwnerChange>,
    /// The successor, if they could ask for the account at this moment.
    pub successor: Option<UserId>,
}

/// What stands beside the list of an account's users, asked of what there is any at a glance: mostly there
/// is little of it.
///
/// # Errors
/// As [`page`].
pub async fn beside(
    latchkey: &Latchkey,
    actor: &Actor,
    glance: &Glance,
    pending_after: Option<&Cursor>,
) -> Result<Beside, Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    Ok(Beside {
        pending: match glance.invitations {
            true => invitations::pending(latchkey, actor, pending_after).await?,
            false => PendingPage::default(),
        },
        requests: match glance.requests {
            true => access_requests::waiting(latchkey, actor).await?,
            false => Vec::new(),
        },
        becoming: match glance.owner_changes {
            true => owner_changes::open(latchkey, actor).await?,
            false => Vec::new(),
        },
        successor: match glance.successor {
            true => successors::marked(latchkey, actor).await?,
            false => None,
        },
    })
}

/// The next piece of the account's users, for exporting all that are asked for; and where the one after it
/// begins, if there is one. They come by name, whatever the list is sorted by: who is active meanwhile
/// would move from a piece to come into one that has gone.
///
/// # Errors
/// As [`page`].
pub async fn export(
    latchkey: &Latchkey,
    actor: &Actor,
    asked: &Asked,
    after: Option<Cursor>,
) -> Result<(Vec<Member>, Option<Cursor>), Failure> {
    actor.must(Permission::AccountUsers, On::Account)?;
    let place = after.map_or(ListPlace::First, ListPlace::After);
    let asked = Asked { sort: UserSort::Name, ..asked.clone() };
    let query = asked.query(place, latchkey.now());
    let users = latchkey.store.users(actor.account, &query, PIECE + 1).await?;
    let piece = query.place.page(users, PIECE, |member| member.cursor(UserSort::Name));
    Ok((piece.rows, piece.after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_read_as_it_is_written() {
        let permissions = Permission::ALL.iter().copied().map(AccessChoice::Having);
        for choice in [AccessChoice::Owner, AccessChoice::Paused].into_iter().chain(permissions) {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        for choice in [FactorChoice::On, FactorChoice::Off] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        for choice in ActiveChoice::ALL {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        for nothing in ["", "8", "not_", "Owner", "\0", "services"] {
            assert_eq!(nothing.parse::<AccessChoice>(), Err(Failure::NotFound), "{nothing}");
            assert_eq!(nothing.parse::<FactorChoice>(), Err(Failure::NotFound), "{nothing}");
            assert_eq!(nothing.parse::<ActiveChoice>(), Err(Failure::NotFound), "{nothing}");
        }
    }
}
