//! Accounts at the door.

use domain::door::{DoorAccount, Kept};
use domain::zones;
use model::{DoorKey, EmailAddress};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::fields::{Fields, written};
use crate::things::{Resource, reference};

/// How long a line of an account's details can be, as on its page.
const LINE: usize = 200;

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Account {
    /// Our id.
    #[schema(read_only)]
    id: uuid::Uuid,
    /// Your id.
    #[schema(read_only, min_length = 1, max_length = 200)]
    r#ref: Option<String>,
    /// The number that people see, and that stands in addresses.
    #[schema(read_only, example = 100_001)]
    number: i64,
    /// Its name.
    #[schema(min_length = 1, max_length = 200, example = "Nordlys Bakeri AS")]
    name: String,
    /// Street and number.
    #[schema(required = false, max_length = 200)]
    street: String,
    /// Postal code.
    #[schema(required = false, max_length = 200)]
    postal_code: String,
    /// Town.
    #[schema(required = false, max_length = 200)]
    town: String,
    /// Country, as people write it.
    #[schema(required = false, max_length = 200)]
    country: String,
    /// The time zone in which its days end, by its name in the tz database; empty for the provider's.
    #[schema(required = false, example = "Europe/Oslo")]
    time_zone: String,
    /// Who is invited as the first owner when the account comes about; nobody, if it is left out. Not
    /// looked at afterwards.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(write_only, required = false, format = Email)]
    owner_email: String,
    /// When it changed last.
    #[schema(read_only, format = DateTime)]
    updated_at: String,
}

impl Resource for DoorAccount {
    type Shown = Account;
    const READ_ONLY: &'static [&'static str] = &["id", "ref", "number", "updated_at"];
    const PATH: &'static str = "accounts";

    fn show(kept: &Kept<Self>) -> Account {
        let account = &kept.thing;
        Account {
            id: kept.id,
            r#ref: reference(kept.reference.as_ref()),
            number: kept.account.number.get(),
            name: account.name.clone(),
            street: account.street.clone(),
            postal_code: account.postal_code.clone(),
            town: account.town.clone(),
            country: account.country.clone(),
            time_zone: account.time_zone.clone(),
            owner_email: String::new(),
            updated_at: written(kept.changed),
        }
    }

    fn writable(&self) -> Map<String, Value> {
        let Self { name, street, postal_code, town, country, time_zone } = self;
        let value = json!({
            "name": name, "street": street, "postal_code": postal_code, "town": town,
            "country": country, "time_zone": time_zone,
        });
        value.as_object().cloned().unwrap_or_default()
    }

    fn read(fields: &mut Fields<'_>, _present: Option<&Self>) -> Option<Self> {
        let name = fields.line("name", LINE);
        let [street, postal_code, town, country] = ["street", "postal_code", "town", "country"]
            .map(|name| fields.line_or_none(name, LINE));
        let time_zone = fields.line_or_none("time_zone", LINE).and_then(|zone| {
            let known = if zone.is_empty() { Some(zone) } else { zones::name(&zone) };
            if known.is_none() {
                let wanted = "It must be the name of a time zone such as Europe/Oslo.";
                fields.fault("time_zone", "unknown", wanted);
            }
            known
        });
        Some(Self {
            name: name?,
            street: street?,
            postal_code: postal_code?,
            town: town?,
            country: country?,
            time_zone: time_zone?,
        })
    }

    fn owner(fields: &mut Fields<'_>) -> Option<Option<EmailAddress>> {
        fields.email_or_none("owner_email")
    }
}

/// An account as what belongs to it names it: by your id, or else by its number behind `id:`.
pub(crate) fn name_of<T>(kept: &Kept<T>) -> String {
    match &kept.account.reference {
        Some(reference) => reference.to_string(),
        None => DoorKey::Number(kept.account.number).to_string(),
    }
}
