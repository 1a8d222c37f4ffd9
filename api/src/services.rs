//! Services at the door.

use domain::door::{DoorService, Kept};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::accounts::name_of;
use crate::fields::{Fields, written};
use crate::things::{Resource, link, reference};

/// How a service can stand.
const STATES: [&str; 3] = ["active", "suspended", "ended"];

/// A service that you run for an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Service {
    /// Our id.
    #[schema(read_only)]
    id: uuid::Uuid,
    /// Your id.
    #[schema(read_only, min_length = 1, max_length = 200)]
    r#ref: Option<String>,
    /// The account whose it is: your id of it, or its number behind `id:`.
    #[schema(example = "customer-4711")]
    account: String,
    /// Its name.
    #[schema(min_length = 1, max_length = 200, example = "Webshop")]
    name: String,
    /// What was ordered.
    #[schema(required = false, max_length = 200, example = "Managed hosting M")]
    plan: String,
    /// `active`, `suspended` or `ended`.
    #[schema(required = false, example = "active", default = "active")]
    state: String,
    /// When it renews.
    #[schema(format = DateTime)]
    renews_at: String,
    /// The login name at the service.
    #[schema(required = false, max_length = 200)]
    login_name: String,
    /// The password at the service. People who may see it do; the API never answers it.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(write_only, required = false, max_length = 1000)]
    login_password: String,
    /// Buttons on the pages of the service.
    #[schema(required = false)]
    links: ServiceLinks,
    /// When it changed last.
    #[schema(read_only, format = DateTime)]
    updated_at: String,
}

/// Where people do something with a service: addresses of https. They are shown to whoever may do it
/// there, and the answer of the API holds them all.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceLinks {
    /// Where it is signed in to, for `services.sign_in`.
    #[schema(required = false, max_length = 2000, format = "uri")]
    open: Option<String>,
    /// Where it is renewed, for `services.order`.
    #[schema(required = false, max_length = 2000, format = "uri")]
    renew: Option<String>,
}

impl Resource for DoorService {
    type Shown = Service;
    const READ_ONLY: &'static [&'static str] = &["id", "ref", "updated_at"];
    const PATH: &'static str = "services";

    fn show(kept: &Kept<Self>) -> Service {
        let service = &kept.thing;
        Service {
            id: kept.id,
            r#ref: reference(kept.reference.as_ref()),
            account: name_of(kept),
            name: service.name.clone(),
            plan: service.plan.clone(),
            state: service.state.clone(),
            renews_at: written(service.renews_at),
            login_name: service.login_name.clone(),
            login_password: String::new(),
            links: ServiceLinks {
                open: link(service.open_link.as_ref()),
                renew: link(service.renew_link.as_ref()),
            },
            updated_at: written(kept.changed),
        }
    }

    fn writable(&self) -> Map<String, Value> {
        let value = json!({
            "name": self.name, "plan": self.plan, "state": self.state,
            "renews_at": written(self.renews_at), "login_name": self.login_name,
            "login_password": self.login_password.expose(),
            "links": {
                "open": link(self.open_link.as_ref()), "renew": link(self.renew_link.as_ref()),
            },
        });
        value.as_object().cloned().unwrap_or_default()
    }

    fn read(fields: &mut Fields<'_>, _present: Option<&Self>) -> Option<Self> {
        let (name, plan) = (fields.line("name", 200), fields.line_or_none("plan", 200));
        let (state, renews_at) = (fields.choice("state", &STATES), fields.moment("renews_at"));
        let login_name = fields.line_or_none("login_name", 200);
        let login_password = fields.secret("login_password", 1_000);
        let links = fields.links("links", ["open", "renew"]);
        let [open_link, renew_link] = links?;
        Some(Self {
            name: name?,
            plan: plan?,
            state: state?,
            renews_at: renews_at?,
            login_name: login_name?,
            login_password: login_password?,
            open_link,
            renew_link,
        })
    }
}
