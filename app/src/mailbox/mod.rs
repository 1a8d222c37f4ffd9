//! The demo's mailbox: the mails that it would send.

pub(crate) mod api;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::address::{MAIL, MAILBOX, address_of, from_here};
use crate::loading::{Loading, narrow};
use crate::mailbox::api::{MailView, MailboxRow};
use crate::title::PageTitle;
use crate::ui::still::still;
use crate::when::relative;

/// `/demo/mailbox`
pub(crate) struct MailboxPage(Loading<Vec<MailboxRow>>);

#[lazy_route]
impl LazyRoute for MailboxPage {
    fn data() -> Self {
        Self(load!(_asked => api::MailboxPage {}))
    }

    fn view(this: Self) -> AnyView {
        narrow(this.0, |mails, frame| {
            let heading = words!(mailbox.heading);
            let empty = mails.is_empty().then(|| {
                view! { <div class="empty"><p>{words!(mailbox.empty)}</p></div> }
            });
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <h1>{heading}</h1>
                <p>{words!(mailbox.lead)}</p>
                <ul class="mail-list">{mails.into_iter().map(row).collect_view()}</ul>
                {empty}
            }
            .into_any()
        })
    }
}

fn row(mail: MailboxRow) -> impl IntoView {
    view! {
        <li>
            <a href=from_here(&address_of(MAIL, &[&mail.id])) rel="external">
                <span class="mail-subject">{mail.subject}</span>
                " "
                <span class="mail-recipient">{words!(mailbox.to, email = mail.to)}</span>
                " "
                {still(relative(&mail.at))}
            </a>
        </li>
    }
}

/// `/demo/mailbox/{id}`
pub(crate) struct MailPage(Loading<MailView>);

#[lazy_route]
impl LazyRoute for MailPage {
    fn data() -> Self {
        Self(load!(asked => api::MailPage { mail: asked.part("mail") }))
    }

    fn view(this: Self) -> AnyView {
        narrow(this.0, |mail, frame| {
            let source = address_of(MAIL, &[&mail.id]) + "/html";
            let text = mail
                .text
                .into_iter()
                .map(|piece| {
                    if piece.link {
                        let href = piece.text.trim_end().to_owned();
                        view! { <a href=href rel="external">{piece.text}</a> }.into_any()
                    } else {
                        piece.text.into_any()
                    }
                })
                .collect_view();
            view! {
                <PageTitle title=mail.subject.clone() provider=frame.provider />
                <p class="back">
                    <a href=from_here(MAILBOX) rel="external">{words!(mailbox.back)}</a>
                </p>
                <article class="mail">
                    <h1>{mail.subject}</h1>
                    <p>{words!(mailbox.to, email = mail.to)} " " {still(relative(&mail.at))}</p>
                    <h2>{words!(mailbox.text)}</h2>
                    <pre class="mail-text">{text}</pre>
                    <h2>{words!(mailbox.html)}</h2>
                    <iframe
                        class="mail-html"
                        title=words!(mailbox.preview)
                        sandbox=""
                        src=source
                    ></iframe>
                    <h2>{words!(mailbox.headers)}</h2>
                    <pre class="mail-headers" tabindex="0">{mail.headers}</pre>
                </article>
            }
            .into_any()
        })
    }
}
