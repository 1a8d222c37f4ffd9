//! Everything that somebody reaches of an area, by name.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use maud::html;

use crate::address::{MANAGE, REACHED, address_of};
use crate::loading::{Loading, framed};
use crate::reaching::api::{self, ReachedView};
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::page_head::{back_to, page_head};
use crate::ui::pages::pages;
use crate::ui::table::{Caption, Cell, empty, table};

/// `/accounts/{n}/users/{id}/reaches/{area}`
pub(crate) struct ReachedPage(Loading<ReachedView>);

#[lazy_route]
impl LazyRoute for ReachedPage {
    fn data() -> Self {
        Self(load!(asked => api::ReachedPage {
            account: asked.account(),
            user: asked.part("user"),
            area: asked.part("area"),
            before: asked.query("before"),
            after: asked.query("after"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Users, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let number = account.number;
            let back = address_of(MANAGE, &[&number, &view.person.id]);
            let base = address_of(REACHED, &[&number, &view.person.id, &view.area]);
            let none = view.things.is_empty().then(|| empty(words!(manage.reaches_none)));
            let (found, pages) = pages(&base, &view.pages_name, view.pages);
            let row = |(href, name): (String, String)| {
                vec![Cell::new(html! { a href=(href) translate="no" { bdi { (name) } } })]
            };
            let rows = view.things.into_iter().map(row).collect();
            view! {
                <PageTitle title=view.heading.clone() provider=frame.provider />
                {back_to(&back, &view.person.name)}
                {page_head(&view.heading, Some(&words!(reaching.things_lead)))}
                {found}
                {table(Caption::Quiet(view.heading), vec![words!(reaching.name)], rows)}
                {none}
                {pages}
            }
            .into_any()
        })
    }
}
