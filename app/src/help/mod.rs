//! The guide to managing users and permissions.

mod api;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Area;

use crate::help::api::{HelpView, help_page};
use crate::page::{Loading, PageTitle, framed};
use crate::ui::frame::Here;
use crate::words;

/// `/help/users`
pub(crate) struct HelpPage(Loading<HelpView>);

#[lazy_route]
impl LazyRoute for HelpPage {
    fn data() -> Self {
        Self(load!("help/page", asked => help_page(account = asked.query("account"))))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let heading = words!(help.heading);
            let areas = Area::ALL
                .into_iter()
                .map(|area| {
                    view! { <li><strong>{words::area(area)}</strong> ": " {words::area_hint(area)}</li> }
                })
                .collect_view();
            let open = frame.account.as_ref().map(|account| {
                let href = format!("/accounts/{}/users", account.number);
                view! { <p><a class="button" href=href>{words!(help.open)}</a></p> }
            });
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <article class="prose">
                    <h1>{heading}</h1>
                    <p>{words!(help.lead)}</p>
                    <h2>{words!(help.before)}</h2>
                    <ul>
                        <li>{words!(help.before_1)}</li>
                        <li>{words!(help.before_2)}</li>
                    </ul>
                    <h2>{words!(help.step_1)}</h2>
                    <p>{words!(help.step_1_text)}</p>
                    {open}
                    <p class="tip"><span>{words!(help.step_1_tip)}</span></p>
                    <h2>{words!(help.step_2)}</h2>
                    <ol>
                        <li>{words!(help.step_2_1)}</li>
                        <li>{words!(help.step_2_2)}</li>
                        <li>{words!(help.step_2_3)}</li>
                    </ol>
                    <p>{words!(help.step_2_login)}</p>
                    <h2>{words!(help.step_3)}</h2>
                    <p>{words!(help.step_3_text)}</p>
                    <ul>{areas}</ul>
                    <p class="tip"><span>{words!(help.step_3_tip)}</span></p>
                    <h2>{words!(help.trouble)}</h2>
                    <h3>{words!(help.trouble_invite)}</h3>
                    <p class="check">{view.can_invite}</p>
                    <h3>{words!(help.trouble_mail)}</h3>
                    <p>{words!(help.trouble_mail_text)}</p>
                    <h3>{words!(help.trouble_find)}</h3>
                    <p>{words!(help.trouble_find_text)}</p>
                    <h2>{words!(help.related)}</h2>
                    <ul>
                        <li><a href="/security">{words!(frame.security)}</a></li>
                        <li><a href="/profile">{words!(frame.profile)}</a></li>
                    </ul>
                    <h2>{words!(help.summary)}</h2>
                    <p>{words!(help.summary_text)}</p>
                </article>
            }
            .into_any()
        })
    }
}
