//! An account's policy: what its owners require of everybody who enters it.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ActivityKind, EmailDomains, Timestamp};

/// A time that owners can choose for how long a session opens their account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SessionSpan {
    /// Half an hour.
    #[serde(rename = "30")]
    HalfHour,
    /// An hour.
    #[serde(rename = "60")]
    Hour,
    /// Eight hours: a day at work.
    #[serde(rename = "480")]
    EightHours,
    /// A day.
    #[serde(rename = "1440")]
    Day,
    /// A week.
    #[serde(rename = "10080")]
    Week,
}

/// The text names no span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSessionSpan;

impl SessionSpan {
    /// Every span, the shortest first.
    pub const ALL: [Self; 5] =
        [Self::HalfHour, Self::Hour, Self::EightHours, Self::Day, Self::Week];

    /// Its minutes.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        match self {
            Self::HalfHour => 30,
            Self::Hour => 60,
            Self::EightHours => 8 * 60,
            Self::Day => 24 * 60,
            Self::Week => 7 * 24 * 60,
        }
    }

    /// How long it is.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.minutes() as u64 * 60)
    }

    /// The span of so many minutes. What a version doesn't know is read as the next shorter one
    /// that it does: what was meant to close doesn't open.
    #[must_use]
    pub fn from_stored(minutes: i64) -> Self {
        let fitting = Self::ALL.into_iter().rev().find(|span| i64::from(span.minutes()) <= minutes);
        fitting.unwrap_or(Self::HalfHour)
    }
}

impl FromStr for SessionSpan {
    type Err = NoSessionSpan;

    /// Reads its minutes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|span| span.minutes().to_string() == text).ok_or(NoSessionSpan)
    }
}

/// For how long a session opens an account, where that is shorter than the provider has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionSpans {
    /// After so long without use of the account, its reader is asked who they are.
    pub idle: Option<SessionSpan>,
    /// So long after they last proved who they are, at any rate.
    pub absolute: Option<SessionSpan>,
}

/// An account's own identity provider, as far as the log tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSetting {
    /// Its address, as it names itself; without blanks.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// Whether nothing changed but the secret by which it knows us.
    pub new_secret: bool,
}

/// What isn't set, in the log.
const NONE: &str = "-";
/// What is required, in the log.
const REQUIRED: &str = "demanded";
/// What was replaced, in the log.
const RENEWED: &str = "renewed";

/// One rule of an account's policy, as it was or is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyRule {
    /// From when on entering the account takes a second factor; none when it takes none.
    SecondFactor(Option<Timestamp>),
    /// For how long a session opens the account.
    Sessions(SessionSpans),
    /// The domains that invitations go to.
    Domains(EmailDomains),
    /// The domains that the account has proven to be its own.
    ProvenDomains(EmailDomains),
    /// The account's own identity provider; none when it has none.
    IdentityProvider(Option<ProviderSetting>),
    /// Whether everybody with an address of a proven domain signs in with it.
    SingleSignOn(bool),
}

impl PolicyRule {
    /// The kind of the log's row that tells of a change of this rule.
    #[must_use]
    pub const fn kind(&self) -> ActivityKind {
        match self {
            Self::SecondFactor(_) => ActivityKind::SecondFactorRule,
            Self::Sessions(_) => ActivityKind::SessionRule,
            Self::Domains(_) => ActivityKind::DomainRule,
            Self::ProvenDomains(_) => ActivityKind::ProvenDomainRule,
            Self::IdentityProvider(_) => ActivityKind::IdentityProviderRule,
            Self::SingleSignOn(_) => ActivityKind::SingleSignOnRule,
        }
    }

    /// Reads what [`PolicyRule::to_stored`] wrote; none for a row that isn't about a rule.
    #[must_use]
    pub fn from_stored(kind: ActivityKind, text: &str) -> Option<Self> {
        match kind {
            ActivityKind::SecondFactorRule => {
                Some(Self::SecondFactor(text.parse().ok().map(Timestamp::from_micros)))
            }
            ActivityKind::SessionRule => {
                let (idle, absolute) = text.split_once(' ').unwrap_or_default();
                let span = |text: &str| text.parse().ok().map(SessionSpan::from_stored);
                Some(Self::Sessions(SessionSpans { idle: span(idle), absolute: span(absolute) }))
            }
            ActivityKind::DomainRule => Some(Self::Domains(domains(text))),
            ActivityKind::ProvenDomainRule => Some(Self::ProvenDomains(domains(text))),
            ActivityKind::IdentityProviderRule => {
                let mut parts = text.splitn(3, ' ');
                let setting = match (parts.next(), parts.next(), parts.next()) {
                    (Some(issuer), Some(secret), Some(client_id)) => Some(ProviderSetting {
                        issuer: issuer.to_owned(),
                        client_id: client_id.to_owned(),
                        new_secret: secret == RENEWED,
                    }),
                    _ => None,
                };
                Some(Self::IdentityProvider(setting))
            }
            ActivityKind::SingleSignOnRule => Some(Self::SingleSignOn(text == REQUIRED)),
            _ => None,
        }
    }

    /// The text that the log holds: microseconds; minutes without use and in all; domains; an
    /// address, "renewed" for a new secret, and a client ID; "demanded". What isn't set is a dash.
    #[must_use]
    pub fn to_stored(&self) -> String {
        let or_none = |number: Option<i64>| number.map_or(NONE.to_owned(), |n| n.to_string());
        let span = |span: Option<SessionSpan>| or_none(span.map(|span| i64::from(span.minutes())));
        match self {
            Self::SecondFactor(from) => or_none(from.map(Timestamp::as_micros)),
            Self::Sessions(spans) => format!("{} {}", span(spans.idle), span(spans.absolute)),
            Self::Domains(domains) | Self::ProvenDomains(domains) if domains.is_empty() => {
                NONE.to_owned()
            }
            Self::Domains(domains) | Self::ProvenDomains(domains) => domains.to_stored(),
            Self::IdentityProvider(None) => NONE.to_owned(),
            Self::IdentityProvider(Some(ProviderSetting { issuer, client_id, new_secret })) => {
                format!("{issuer} {} {client_id}", if *new_secret { RENEWED } else { NONE })
            }
            Self::SingleSignOn(true) => REQUIRED.to_owned(),
            Self::SingleSignOn(false) => NONE.to_owned(),
        }
    }
}

fn domains(text: &str) -> EmailDomains {
    if text == NONE { EmailDomains::default() } else { EmailDomains::from_stored(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_comes_back_from_the_log() {
        let spans = SessionSpans { idle: Some(SessionSpan::HalfHour), absolute: None };
        let rules = [
            (PolicyRule::SecondFactor(None), "-"),
            (PolicyRule::SecondFactor(Some(Timestamp::from_micros(5))), "5"),
            (PolicyRule::Sessions(SessionSpans::default()), "- -"),
            (PolicyRule::Sessions(spans), "30 -"),
            (PolicyRule::Domains(EmailDomains::default()), "-"),
            (
                PolicyRule::Domains(EmailDomains::parse("b.example a.example").unwrap()),
                "a.example b.example",
            ),
            (PolicyRule::ProvenDomains(EmailDomains::default()), "-"),
            (PolicyRule::ProvenDomains(EmailDomains::parse("a.example").unwrap()), "a.example"),
            (PolicyRule::IdentityProvider(None), "-"),
            (
                PolicyRule::IdentityProvider(Some(ProviderSetting {
                    issuer: "https://id.example/a".to_owned(),
                    client_id: "customer area".to_owned(),
                    new_secret: false,
                })),
                "https://id.example/a - customer area",
            ),
            (
                PolicyRule::IdentityProvider(Some(ProviderSetting {
                    issuer: "https://id.example".to_owned(),
                    client_id: "latchkey".to_owned(),
                    new_secret: true,
                })),
                "https://id.example renewed latchkey",
            ),
            (PolicyRule::SingleSignOn(false), "-"),
            (PolicyRule::SingleSignOn(true), "demanded"),
        ];
        for (rule, stored) in rules {
            assert_eq!(rule.to_stored(), stored);
            assert_eq!(PolicyRule::from_stored(rule.kind(), stored), Some(rule));
        }
        assert_eq!(PolicyRule::from_stored(ActivityKind::AccountLeft, "-"), None);
    }

    #[test]
    fn an_unknown_span_is_no_longer_than_it_was_meant() {
        let cases = [
            (5, SessionSpan::HalfHour),
            (30, SessionSpan::HalfHour),
            (59, SessionSpan::HalfHour),
            (480, SessionSpan::EightHours),
            (1_000_000, SessionSpan::Week),
        ];
        for (minutes, span) in cases {
            assert_eq!(SessionSpan::from_stored(minutes), span, "{minutes}");
        }
        assert_eq!("60".parse(), Ok(SessionSpan::Hour));
        for text in ["", "61", "060", "-60"] {
            assert_eq!(text.parse::<SessionSpan>(), Err(NoSessionSpan), "{text}");
        }
    }
}
