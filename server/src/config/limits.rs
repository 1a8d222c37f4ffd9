//! How long and how often: the numbers that the product's rules take, and what else they need to
//! know.

use std::time::Duration;

use domain::Settings;
use serde::Deserializer;

use super::Config;
use super::values::read_open;

const HOUR: Duration = Duration::from_secs(60 * 60);
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Config {
    /// What the product's rules need to know.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            public_url: self.public_url.clone(),
            provider: self.provider_name.clone(),
            time_zone: self.time_zone.clone(),
            invitation_lifetime: self.invitation_days * DAY,
            owner_wait: self.owner_wait_hours * HOUR,
            session_idle: self.session_idle_hours * HOUR,
            session_absolute: self.session_days * DAY,
            confirmed_for: self.confirm_minutes * HOUR / 60,
            sign_ins_per_client: self.sign_ins_per_client,
            invitations_per_inviter: self.invitations_per_inviter,
            invitations_per_account: self.invitations_per_account,
            invitations_per_address: self.invitations_per_address,
            invitations_to_address: self.invitations_to_address,
            requests_per_token: self.requests_per_token,
            operator_email: self.operator_email.clone(),
            sso_private_addresses: self.sso_private_addresses,
            webhook_private_addresses: self.webhook_private_addresses,
            presets: self.presets.clone(),
            service_names: vec![self.provider_name.clone(), self.host()],
            ..Settings::default()
        }
    }
}

pub(super) fn time_zone<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let wanted = "the name of a time zone such as Europe/Oslo";
    read_open(from, wanted, domain::zones::name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::config::tests::{parse, refuses};

    #[test]
    fn owners_need_not_wait() {
        let config = parse("", &[("LATCHKEY_OWNER_WAIT_HOURS", "0")]).unwrap();
        assert_eq!(config.settings().owner_wait, Duration::ZERO);
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        refuses(&[
            ("INVITATION_DAYS", "0", "a whole number from 1 to 90"),
            ("INVITATION_DAYS", "a week", "a whole number from 1 to 90"),
            ("OWNER_WAIT_HOURS", "169", "a whole number from 0 to 168"),
            ("OWNER_WAIT_HOURS", "a day", "a whole number from 0 to 168"),
            ("SESSION_IDLE_HOURS", "-1", "a whole number from 1 to 2160"),
            ("SESSION_DAYS", "7 days", "a whole number from 1 to 365"),
            ("SESSION_DAYS", "1_0", "a whole number from 1 to 365"),
            ("SESSION_DAYS", " ", "a whole number from 1 to 365"),
            ("SESSION_DAYS", "1.5", "a whole number from 1 to 365"),
            ("SIGN_INS_PER_CLIENT", "many", "a whole number from 1 to 1000000"),
            ("INVITATIONS_PER_INVITER", "0", "a whole number from 1 to 1000000"),
            ("INVITATIONS_PER_ACCOUNT", "0", "a whole number from 1 to 1000000"),
            ("INVITATIONS_PER_ADDRESS", "0", "a whole number from 1 to 1000000"),
            ("INVITATIONS_TO_ADDRESS", "0", "a whole number from 1 to 1000000"),
            ("REQUESTS_PER_TOKEN", "0", "a whole number from 1 to 1000000"),
            ("TIME_ZONE", "Bergen", "the name of a time zone such as Europe/Oslo"),
            ("CONNECTIONS", "100000", "a whole number from 1 to 65536"),
        ]);
    }
}
