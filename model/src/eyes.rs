//! Eyes: those of somebody else in an account, through which one looks at it (rule 14).

use crate::{GrantId, Keys, UserId};

/// Somebody's eyes. Whoever looks through them sees at most what both may see, and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eyes {
    /// Whose they are. Those of somebody new have an id that nobody has.
    pub user: UserId,
    /// What their owner may do in the account at this moment, or would with the draft.
    pub keys: Keys,
    /// What they have besides what their owner holds, or in its place.
    pub draft: Option<Draft>,
}

impl Eyes {
    /// Whether they see nothing at all, as their owner's access is paused.
    #[must_use]
    pub fn are_closed(&self) -> bool {
        self.keys.open().is_empty()
    }
}

/// A grant that a form would give if it were sent. It is nobody's: eyes alone have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its id, which no grant has.
    pub id: GrantId,
    /// The grant that it would change; none for one more.
    pub changes: Option<GrantId>,
}
