//! Accounts: the customer relation, and the public number that stands in every path.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An account's internal id. The public one is [`AccountNumber`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(Uuid);

impl From<Uuid> for AccountId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<AccountId> for Uuid {
    fn from(id: AccountId) -> Self {
        id.0
    }
}

/// The public account number, as on an invoice: 1 to 9 999 999 999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountNumber(i64);

/// The text is no account number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAccountNumber;

impl AccountNumber {
    const LARGEST: i64 = 9_999_999_999;

    /// The number that the database holds.
    #[must_use]
    pub const fn from_stored(number: i64) -> Self {
        Self(number)
    }

    /// The number as the database holds it.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl FromStr for AccountNumber {
    type Err = NoAccountNumber;

    /// Takes digits only, without a leading zero: one account has one address.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        match text.parse() {
            Ok(number) if plain && number <= Self::LARGEST => Ok(Self(number)),
            _ => Err(NoAccountNumber),
        }
    }
}

impl fmt::Display for AccountNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_digits_without_a_leading_zero() {
        assert_eq!("100234".parse(), Ok(AccountNumber(100_234)));
        for text in
            ["", "0", "012", "+5", "-5", "1.0", "abc", "99999999999", "9".repeat(400).as_str()]
        {
            assert_eq!(text.parse::<AccountNumber>(), Err(NoAccountNumber), "{text}");
        }
    }
}
