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

/// Something that is lacking, and how it is told.
#[cfg(feature = "ssr")]
struct Lack<'a> {
    permission: Permission,
    /// The service or domain that it is about.
    thing: Option<&'a str>,
    /// What it is, in a few words.
    what: String,
    /// What the button asks for.
    label: String,
}

/// The pages that the reader can't open yet.
#[cfg(feature = "ssr")]
pub(crate) async fn closed_areas(inside: &request::Inside) -> Result<Vec<LackView>, Failure> {
    use Permission::{
        AccountLog, AccountProfile, AccountUsers, BillingView, DomainsView, ServicesView,
        SupportView,
    };
    let actor = &inside.acting.actor;
    let pages = [
        (ServicesView, words::area(Area::Services)),
        (DomainsView, words::area(Area::Domains)),
        (BillingView, words::area(Area::Billing)),
        (SupportView, words::area(Area::Support)),
        (AccountUsers, words!(frame.user_management)),
        (AccountProfile, words!(frame.account_details)),
        (AccountLog, words!(frame.log)),
    ];
    let closed = pages.into_iter().filter(|(permission, _)| actor.reach(*permission).is_err());
    let lack = |(permission, what): (_, String)| Lack {
        permission,
        thing: None,
        label: what.clone(),
        what,
    };
    views(inside, closed.map(lack).collect()).await
}

/// What the reader can't do on the page of an area: in one of things, on none of them.
#[cfg(feature = "ssr")]
pub(crate) async fn lacks_in(
    inside: &request::Inside,
    area: Area,
) -> Result<Vec<LackView>, Failure> {
    not_here(inside, lacking(&inside.acting.actor, area, None), None).await
}

/// What the reader can't do on a service or a domain of this area.
#[cfg(feature = "ssr")]
pub(crate) async fn lacks_on(
    inside: &request::Inside,
    area: Area,
    id: &str,
    on: On<'_>,
) -> Result<Vec<LackView>, Failure> {
    not_here(inside, lacking(&inside.acting.actor, area, Some(on)), Some(id)).await
}

/// These permissions, which the reader lacks on this thing, or on the whole page.
#[cfg(feature = "ssr")]
async fn not_here(
    inside: &request::Inside,
    lacking: Vec<Permission>,
    thing: Option<&str>,
) -> Result<Vec<LackView>, Failure> {
    let lack = |permission: Permission| Lack {
        permission,
        thing,
        what: words!(asking.not_here, phrase = words::phrase(permission)),
        label: words::label(permission),
    };
    views(inside, lacking.into_iter().map(lack).collect()).await
}

/// Each with the way to ask for it.
#[cfg(feature = "ssr")]
async fn views(inside: &request::Inside, lacking: Vec<Lack<'_>>) -> Result<Vec<LackView>, Failure> {
    if lacking.is_empty() {
        return Ok(Vec::new());
    }
    let open = own_open(&inside.latchkey, &inside.acting.actor).await?;
    let view = |Lack { permission, thing, what, label }: Lack<'_>| {
        let is_it = |request: &&AccessRequest| brings(request, permission);
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
