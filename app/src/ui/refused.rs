//! The page for somebody who is in the account but lacks the right: what is missing, whom to ask,
//! and what they can reach.

use leptos::prelude::*;

use crate::access_requests::ask::asking;
use crate::address::{ACCOUNT, address_of, guide};
use crate::eyes::ReadOnly;
use crate::frame::Frame;
use crate::page::Refused;
use crate::title::PageTitle;
use crate::ui::frame::Here;
use crate::ui::icon::{Icon, icon};
use crate::ui::still::still;

/// Fetches what [`refused`] takes, if this page shows it.
#[cfg(feature = "hydrate")]
pub(crate) async fn fetch_if_shown() {
    if let Ok(Some(_)) = document().query_selector(".refused") {
        // What `lazy_preload!` calls, which can't be awaited.
        __preload_refused().await;
    }
}

/// What stands in place of the content. It comes when it is needed: most pages are never refused, and
/// what asking takes isn't on them.
#[lazy]
pub(crate) fn refused(refused: Refused, here: Here, frame: Frame) -> AnyView {
    ReadOnly::of(frame.account.as_ref()).around(move || content(refused, here, frame))
}

fn content(refused: Refused, here: Here, frame: Frame) -> AnyView {
    let heading = words!(refused.heading, area = here.name());
    let account = frame.account.as_ref().map(|account| account.name.clone()).unwrap_or_default();
    let back = frame.account.as_ref().map(|account| address_of(ACCOUNT, &[&account.number]));
    let help = frame
        .account
        .as_ref()
        .filter(|_| here == Here::Users)
        .map(|account| guide("users", Some(account.number), "#cannot-invite"));
    let owners = refused
        .owners
        .into_iter()
        .map(|owner| {
            let href = format!("mailto:{}", owner.email);
            view! { <li translate="no">{owner.name} " " <a href=href rel="external">{owner.email}</a></li> }
        })
        .collect_view();
    let asking = refused.asking.zip(frame.account).map(|(view, account)| {
        // Asked for here, the answer is shown here.
        let here = leptos_router::hooks::use_location().pathname.get_untracked();
        view! {
            <section>
                <h2>{words!(asking.button)}</h2>
                {asking(account.number, view, here)}
            </section>
        }
    });
    view! {
        <PageTitle title=heading.clone() provider=frame.provider />
        <div class="refused">
            {still(icon(Icon::Lock))}
            <h1>{heading}</h1>
            <p>{refused.sentence}</p>
            <dl class="facts">
                <dt>{words!(refused.missing)}</dt>
                <dd>{refused.label}</dd>
                <dt>{words!(refused.yours, account = account)}</dt>
                <dd>{refused.yours}</dd>
                <dt>{words!(refused.ask)}</dt>
                <dd><ul>{owners}</ul></dd>
            </dl>
            {asking}
            {help.map(|href| view! { <p><a href=href>{words!(refused.help)}</a></p> })}
            {back.map(|back| view! { <a class="button" href=back>{words!(refused.back)}</a> })}
        </div>
    }
    .into_any()
}
