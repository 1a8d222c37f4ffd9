//! The list of the guides.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::address::guide;
use crate::help::api::{self, GuideRow};
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::frame::Here;

/// `/help`
pub(crate) struct GuidesPage(Loading<Vec<GuideRow>>);

#[lazy_route]
impl LazyRoute for GuidesPage {
    fn data() -> Self {
        Self(load!(asked => api::GuidesPage { account: asked.query("account") }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |guides, frame| {
            let heading = words!(frame.help);
            let number = frame.account.as_ref().map(|account| account.number);
            let rows = guides.into_iter().map(|row| {
                let href = guide(&row.guide, number, "");
                view! {
                    <h2><a href=href>{row.heading}</a></h2>
                    <p>{row.lead}</p>
                }
            });
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <article class="prose">
                    <h1>{heading}</h1>
                    <p class="lead">{words!(help.all_lead)}</p>
                    {rows.collect_view()}
                </article>
            }
            .into_any()
        })
    }
}
