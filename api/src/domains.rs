//! Domains at the door.

use domain::door::{DoorDomain, Kept};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::accounts::name_of;
use crate::fields::{Fields, written};
use crate::things::{Resource, link, reference};

/// How a domain can stand.
const STATES: [&str; 3] = ["active", "transferring", "expired"];
/// How long a domain name can be (RFC 1035 section 2.3.4).
const NAME: usize = 253;

/// A domain that you keep for an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Domain {
    /// Our id.
    #[schema(read_only)]
    id: uuid::Uuid,
    /// Your id.
    #[schema(read_only, min_length = 1, max_length = 200)]
    r#ref: Option<String>,
    /// The account whose it is: your id of it, or its number behind `id:`.
    #[schema(example = "customer-4711")]
    account: String,
    /// The name, as people are to see it.
    #[schema(min_length = 1, max_length = 253, example = "nordlys.example")]
    name: String,
    /// `active`, `transferring` or `expired`.
    #[schema(required = false, example = "active", default = "active")]
    state: String,
    /// When it runs out.
    #[schema(format = DateTime)]
    expires_at: String,
    /// Whether transfers away are locked.
    #[schema(required = false, default = false)]
    locked: bool,
    /// Buttons on the pages of the domain.
    #[schema(required = false)]
    links: DomainLinks,
    /// When it changed last.
    #[schema(read_only, format = DateTime)]
    updated_at: String,
}

/// Where people do something with a domain: an address of https.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DomainLinks {
    /// Where it is renewed, for `domains.manage`.
    #[schema(required = false, max_length = 2000, format = "uri")]
    renew: Option<String>,
}

impl Resource for DoorDomain {
    type Shown = Domain;
    const READ_ONLY: &'static [&'static str] = &["id", "ref", "updated_at"];
    const PATH: &'static str = "domains";

    fn show(kept: &Kept<Self>) -> Domain {
        let domain = &kept.thing;
        Domain {
            id: kept.id,
            r#ref: reference(kept.reference.as_ref()),
            account: name_of(kept),
            name: domain.name.clone(),
            state: domain.state.clone(),
            expires_at: written(domain.expires_at),
            locked: domain.locked,
            links: DomainLinks { renew: link(domain.renew_link.as_ref()) },
            updated_at: written(kept.changed),
        }
    }

    fn writable(&self) -> Map<String, Value> {
        let value = json!({
            "name": self.name, "state": self.state, "expires_at": written(self.expires_at),
            "locked": self.locked, "links": { "renew": link(self.renew_link.as_ref()) },
        });
        value.as_object().cloned().unwrap_or_default()
    }

    fn read(fields: &mut Fields<'_>, _present: Option<&Self>) -> Option<Self> {
        let (name, state) = (fields.line("name", NAME), fields.choice("state", &STATES));
        let (expires_at, locked) = (fields.moment("expires_at"), fields.truth("locked", false));
        let links = fields.links("links", ["renew"]);
        let [renew_link] = links?;
        Some(Self {
            name: name?,
            state: state?,
            expires_at: expires_at?,
            locked: locked?,
            renew_link,
        })
    }
}
