//! The short guides beside the one to managing users.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::address::{GUIDES, beside, from_here, guide};
use crate::help::api::{self, GuideView};
use crate::help::feedback::Feedback;
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::frame::Here;

/// `/help/{guide}`
pub(crate) struct GuidePage(Loading<GuideView>);

#[lazy_route]
impl LazyRoute for GuidePage {
    fn data() -> Self {
        Self(load!(asked => api::GuidePage {
            guide: asked.part("guide"),
            account: asked.query("account"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let number = frame.account.as_ref().map(|account| account.number);
            let here = guide(&view.guide, number, "");
            let users = guide("users", number, "");
            let all = beside(GUIDES, number);
            let sections = view
                .sections
                .into_iter()
                .map(|(id, heading, text)| view! { <h2 id=id>{heading}</h2> <p>{text}</p> })
                .collect_view();
            let open = view.open.map(|(words, href)| {
                view! { <p><a class="button" href=from_here(&href)>{words}</a></p> }
            });
            view! {
                <PageTitle title=view.heading.clone() provider=frame.provider />
                <article class="prose">
                    <h1>{view.heading}</h1>
                    <p class="lead">{view.lead}</p>
                    {sections}
                    {open}
                    <h2>{words!(help.related)}</h2>
                    <ul>
                        <li><a href=users>{words!(help.heading)}</a></li>
                        <li><a href=all>{words!(help.all)}</a></li>
                    </ul>
                    <Feedback guide=view.guide here=here />
                </article>
            }
            .into_any()
        })
    }
}

/// The guide in words; none for one that there isn't.
#[cfg(feature = "ssr")]
pub(crate) fn written(guide: String, account: Option<model::AccountNumber>) -> Option<GuideView> {
    use crate::address::{BILLING, DETAILS, SECURITY, address_of};
    let inside =
        |page: &str, words: String| account.map(|number| (words, address_of(page, &[&number])));
    let section = |id: &str, heading: String, text: String| (id.to_owned(), heading, text);
    let (heading, lead, sections, open) = match guide.as_str() {
        "security" => (
            words!(guide_security.heading),
            words!(guide_security.lead),
            vec![
                section(
                    "password",
                    words!(guide_security.password),
                    words!(guide_security.password_text),
                ),
                section(
                    "forgotten",
                    words!(guide_security.forgotten),
                    words!(guide_security.forgotten_text),
                ),
                section(
                    "second",
                    words!(guide_security.second),
                    words!(guide_security.second_text),
                ),
                section(
                    "passkeys",
                    words!(guide_security.passkeys),
                    words!(guide_security.passkeys_text),
                ),
                section("codes", words!(guide_security.codes), words!(guide_security.codes_text)),
                section(
                    "lost",
                    words!(guide_security.lost),
                    crate::contact::ask(words!(guide_security.lost_text)),
                ),
                section(
                    "stranger",
                    words!(guide_security.stranger),
                    words!(guide_security.stranger_text),
                ),
                section("mails", words!(guide_security.mails), words!(guide_security.mails_text)),
            ],
            Some((words!(frame.security), SECURITY.to_owned())),
        ),
        "account" => (
            words!(guide_account.heading),
            words!(guide_account.lead),
            vec![
                section("change", words!(guide_account.change), words!(guide_account.change_text)),
                section(
                    "several",
                    words!(guide_account.several),
                    words!(guide_account.several_text),
                ),
                section("leave", words!(guide_account.leave), words!(guide_account.leave_text)),
                section("owners", words!(guide_account.owners), words!(guide_account.owners_text)),
                section(
                    "successor",
                    words!(guide_account.successor),
                    words!(guide_account.successor_text),
                ),
                section("log", words!(guide_account.log), words!(guide_account.log_text)),
            ],
            inside(DETAILS, words!(frame.account_details)),
        ),
        "billing" => (
            words!(guide_billing.heading),
            words!(guide_billing.lead),
            vec![
                section("see", words!(guide_billing.see), words!(guide_billing.see_text)),
                section("pay", words!(guide_billing.pay), words!(guide_billing.pay_text)),
                section(
                    "bookkeeper",
                    words!(guide_billing.bookkeeper),
                    words!(guide_billing.bookkeeper_text),
                ),
                section(
                    "overdue",
                    words!(guide_billing.overdue),
                    words!(guide_billing.overdue_text),
                ),
            ],
            inside(BILLING, crate::words::area(model::Area::Billing)),
        ),
        _ => return None,
    };
    Some(GuideView { guide, heading, lead, sections, open })
}
