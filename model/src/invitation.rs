//! Invitations: an offer of a membership to one e-mail address.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An invitation's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InvitationId(Uuid);

impl From<Uuid> for InvitationId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<InvitationId> for Uuid {
    fn from(id: InvitationId) -> Self {
        id.0
    }
}

impl std::fmt::Display for InvitationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for InvitationId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Where an invitation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// It can be accepted.
    Pending,
    /// It became a membership.
    Accepted,
    /// The invited person said no.
    Declined,
    /// Somebody in the account took it back.
    Cancelled,
    /// Its time ran out while it was pending.
    Expired,
}

/// What became of the invitation's mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// It waits for its turn; `answer` is what the mail server said to an earlier try.
    Queued {
        /// The mail server's words, when it put us off.
        answer: Option<String>,
    },
    /// The mail server took it.
    Sent,
    /// It was kept for the demo's mailbox, as there is no mail server.
    Kept,
    /// The mail server refused it for good, in these words.
    Failed {
        /// The mail server's words.
        answer: String,
    },
}
