//! What a page's frame shows: who is signed in, and the account that they act in.

use model::{AccountNumber, Permission, PermissionSet, UserId};
use serde::{Deserialize, Serialize};

use crate::owners::strip::{ElsewhereView, WaitingView};

/// Header and navigation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// The provider's name.
    pub(crate) provider: String,
    /// Whether the provider has a mark of its own.
    pub(crate) mark: bool,
    /// Whether there is a mailbox that everybody can read.
    pub(crate) mailbox: bool,
    /// Who is signed in.
    pub(crate) user: Option<PersonView>,
    /// Whether there are accounts to switch between.
    pub(crate) several: bool,
    /// Those beside the one that they act in: number and name, the first of them by name; none of very many.
    pub(crate) others: Vec<(AccountNumber, String)>,
    /// Whether there are more.
    pub(crate) more: bool,
    /// The account that they act in; on a page outside of all, the one that they come from.
    pub(crate) account: Option<AccountFrame>,
    /// On a page outside of all: who becomes an owner of an account of theirs unless an owner stops it.
    pub(crate) waiting: Vec<ElsewhereView>,
}

/// Somebody, as the header and the tables show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PersonView {
    /// Their id: their avatar's colour comes from it.
    pub(crate) id: UserId,
    /// Their full name.
    pub(crate) name: String,
    /// Their address.
    pub(crate) email: String,
}

/// The account in the frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountFrame {
    /// Its number.
    pub(crate) number: AccountNumber,
    /// Its name.
    pub(crate) name: String,
    /// Whether the reader owns it.
    pub(crate) owner: bool,
    /// What a reader who doesn't may do there, on whatever it is.
    pub(crate) open: PermissionSet,
    /// That it will take a second factor which they don't have, and the words that lead to one.
    pub(crate) closes: Option<(String, String)>,
    /// The eyes that the reader sees it through, if they aren't their own.
    pub(crate) eyes: Option<EyesView>,
    /// Who becomes an owner unless the reader, who is one, stops it.
    pub(crate) waiting: Vec<WaitingView>,
}

/// Somebody else's eyes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EyesView {
    /// Their owner's name; none of somebody new.
    pub(crate) name: Option<String>,
    /// Whether they see nothing, as their owner's access is paused.
    pub(crate) closed: bool,
    /// The draft that they have: what a form would give that isn't sent.
    pub(crate) draft: Option<String>,
}

impl AccountFrame {
    /// Whether the permission is open to the reader, on whatever it is.
    pub(crate) fn opens(&self, permission: Permission) -> bool {
        self.owner || self.open.contains(permission)
    }
}
