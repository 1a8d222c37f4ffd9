//! The page in place of what a form led to that was made for somebody else: a tab of before, sent
//! after others signed in beside it. What was typed waits there until they are back.

use leptos::prelude::*;

use crate::address::{ACCOUNTS, sign_in_for};
use crate::rejected::OfAnother;
use crate::request;
use crate::title::PageTitle;
use crate::ui::failed::send_again;
use crate::ui::frame::Narrow;

/// The page, in the frame of who is signed in now.
pub(crate) fn of_another_page(form: OfAnother) -> AnyView {
    let viewer = request::viewer().ok();
    let frame = request::frame(viewer.as_ref(), None, false);
    let heading = words!(of_another.heading);
    let OfAnother { whose, action, values } = form;
    let lead = request::of_another_words(whose, viewer.as_ref());
    let sign_in = sign_in_for(&action);
    view! {
        <PageTitle title=heading.clone() provider=frame.provider.clone() />
        <Narrow frame=frame>
            <h1>{heading}</h1>
            <p>{lead}</p>
            <p>
                <a class="button button-primary" href=sign_in target="_blank" rel="external">
                    {words!(failed.sign_in_beside)}
                </a>
            </p>
            {send_again(values, None)}
            <p><a href=ACCOUNTS rel="external">{words!(failed.home)}</a></p>
        </Narrow>
    }
    .into_any()
}
