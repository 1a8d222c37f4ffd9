//! What people typed, where it is told to others.

use serde::{Deserialize, Serialize};

use crate::EmailAddress;

/// Declares a text that somebody typed. It has no `Display`: whoever tells it says how.
macro_rules! typed {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// As it was typed.
            #[must_use]
            pub fn as_typed(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

typed! {
    /// The name of a person, an account or an identity provider.
    TypedName
}

typed! {
    /// An e-mail address, as a text among others.
    TypedAddress
}

impl From<&EmailAddress> for TypedAddress {
    fn from(address: &EmailAddress) -> Self {
        address.as_str().into()
    }
}
