//! Eyes: those of somebody else in an account, through which one looks at it (rule 14).

use crate::{Keys, UserId};

/// Somebody's eyes. Whoever looks through them sees at most what both may see, and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eyes {
    /// Whose they are.
    pub user: UserId,
    /// What their owner may do in the account at this moment.
    pub keys: Keys,
}

impl Eyes {
    /// Whether they see nothing at all, as their owner's access is paused.
    #[must_use]
    pub fn are_closed(&self) -> bool {
        self.keys.open().is_empty()
    }
}
