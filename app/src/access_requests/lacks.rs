//! What the reader lacks, in a quiet list: each with the way to ask for it, or how that stands.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use {
    crate::access_requests::api::standing,
    crate::address::{ASK, address_of},
    crate::{request, words},
    domain::access_requests::{AccessRequest, brings, lacking, own_open},
    model::{Area, Failure, On, Permission},
};

/// Something that the reader lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LackView {
    /// What it is, in a few words.
    pub(crate) what: String,
    /// The same as the name of the link that leads to asking for it.
    pub(crate) label: String,
    /// Where it is asked for.
    pub(crate) href: String,
    /// How the request for it stands that waits for an answer.
    pub(crate) state: Option<String>,
}

/// The list; nothing for whoever lacks nothing.
pub(crate) fn lacks(views: Vec<LackView>) -> Option<AnyView> {
    let line = |view: LackView| {
        let way = match view.state {
            Some(state) => {
                view! { <a class="quiet" href=view.href><bdi>{state}</bdi></a> }.into_any()
            }
            None => {
                let (href, label) = (view.href, view.label);
                view! {
                    <a class="button button-quiet" href=href aria-label=label>
                        {words!(asking.button)}
                    </a>
                }
                .into_any()
            }
        };
        view! { <li><span>{view.what}</span> " " {way}</li> }
    };
    (!views.is_empty()).then(|| {
        let lines = views.into_iter().map(line).collect_view();
        view! { <ul class="lacks">{lines}</ul> }.into_any()
    })
}

/// The areas that the reader can't open yet.
#[cfg(feature = "ssr")]
pub(crate) async fn closed_areas(inside: &request::Inside) -> Result<Vec<LackView>, Failure> {
    use Permission::{BillingView, DomainsView, ServicesView, SupportView};
    let actor = &inside.acting.actor;
    let seeing = [ServicesView, DomainsView, BillingView, SupportView];
    let closed = seeing.into_iter().filter(|permission| actor.reach(*permission).is_err());
    let view = |permission: Permission| (permission, words::area(permission.area()), None);
    views(inside, closed.map(view).collect()).await
}

/// What the reader can't do on a service or a domain.
#[cfg(feature = "ssr")]
pub(crate) async fn lacks_on(
    inside: &request::Inside,
    id: &str,
    on: On<'_>,
) -> Result<Vec<LackView>, Failure> {
    let area = match on {
        On::Service(_) => Area::Services,
        On::Domain(_) => Area::Domains,
        On::Account => return Ok(Vec::new()),
    };
    let lacking = lacking(&inside.acting.actor, area, Some(on));
    let view = |permission: Permission| {
        let what = words!(asking.not_here, phrase = words::phrase(permission));
        (permission, what, Some(id))
    };
    views(inside, lacking.into_iter().map(view).collect()).await
}

/// These permissions, each with what it is in words and the thing that it is about.
#[cfg(feature = "ssr")]
async fn views(
    inside: &request::Inside,
    lacking: Vec<(Permission, String, Option<&str>)>,
) -> Result<Vec<LackView>, Failure> {
    if lacking.is_empty() {
        return Ok(Vec::new());
    }
    let open = own_open(&inside.latchkey, &inside.acting.actor).await?;
    let view = |(permission, what, thing): (Permission, String, Option<&str>)| {
        let is_it = |request: &&AccessRequest| brings(request, permission);
        let label = match thing {
            Some(_) => words::label(permission),
            None => what.clone(),
        };
        LackView {
            href: href(inside, permission, thing),
            label: words!(asking.ask_for, what = label),
            state: open.iter().find(is_it).and_then(|open| standing(open, permission)),
            what,
        }
    };
    Ok(lacking.into_iter().map(view).collect())
}

#[cfg(feature = "ssr")]
fn href(inside: &request::Inside, permission: Permission, thing: Option<&str>) -> String {
    let ask = address_of(ASK, &[&inside.acting.number]);
    let thing = thing.map(|id| match permission.area() {
        Area::Domains => format!("&domain={id}"),
        _ => format!("&service={id}"),
    });
    format!("{ask}?permission={permission}{}", thing.unwrap_or_default())
}
