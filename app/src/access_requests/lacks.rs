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
    /// The same as the name of the button that leads to asking for it.
    pub(crate) label: String,
    /// The page on which it is asked for.
    pub(crate) page: String,
    /// What that page takes to know what is asked for: names and values of its query.
    pub(crate) query: Vec<(String, String)>,
    /// How the request for it stands that waits for an answer.
    pub(crate) state: Option<String>,
}

/// The list; nothing for whoever lacks nothing.
pub(crate) fn lacks(views: Vec<LackView>) -> Option<AnyView> {
    let line = |view: LackView| {
        let way = match view.state {
            Some(state) => {
                let query = view.query.iter().map(|(name, value)| format!("{name}={value}"));
                let href = format!("{}?{}", view.page, query.collect::<Vec<_>>().join("&"));
                view! { <a class="quiet" href=href><bdi>{state}</bdi></a> }.into_any()
            }
            None => {
                let query = view.query.into_iter();
                let query = query.map(|(name, value)| {
                    view! { <input type="hidden" name=name value=value /> }
                });
                view! {
                    <form method="get" action=view.page>
                        {query.collect_view()}
                        <button class="button button-quiet" aria-label=view.label>
                            {words!(asking.button)}
                        </button>
                    </form>
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
            page: address_of(ASK, &[&inside.acting.number]),
            query: query(permission, thing),
            label: words!(asking.ask_for, what = label),
            state: open.iter().find(is_it).and_then(|open| standing(open, permission)),
            what,
        }
    };
    Ok(lacking.into_iter().map(view).collect())
}

#[cfg(feature = "ssr")]
fn query(permission: Permission, thing: Option<&str>) -> Vec<(String, String)> {
    let of = match permission.area() {
        Area::Domains => "domain",
        _ => "service",
    };
    let permission = ("permission".to_owned(), permission.id().to_owned());
    let thing = thing.map(|id| (of.to_owned(), id.to_owned()));
    std::iter::once(permission).chain(thing).collect()
}
