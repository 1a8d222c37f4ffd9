//! Webhooks: the provider's own programs, at whose addresses events are delivered.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// Declares the type of an id.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id! {
    /// An endpoint's id: of an address that is told of events.
    EndpointId
}

id! {
    /// A delivery's id: of one event on its way to one endpoint.
    DeliveryId
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It goes out when it is due, and nothing earlier of the same account waits.
    Waiting,
    /// Its endpoint is off: it goes out when that is on again.
    Held,
    /// The endpoint took it.
    Delivered,
    /// It was tried for as long as anything is.
    GivenUp,
}

impl DeliveryState {
    /// Reads what the database holds.
    #[must_use]
    pub fn from_stored(id: &str) -> Self {
        match id {
            "waiting" => Self::Waiting,
            "held" => Self::Held,
            "delivered" => Self::Delivered,
            // A state that this version doesn't know has nothing go out.
            _ => Self::GivenUp,
        }
    }

    /// The stable id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_as_they_are_stored() {
        use DeliveryState::{Delivered, GivenUp, Held, Waiting};
        for state in [Waiting, Held, Delivered, GivenUp] {
            assert_eq!(DeliveryState::from_stored(state.id()), state);
        }
        assert_eq!(DeliveryState::from_stored("flying"), GivenUp);
    }
}
