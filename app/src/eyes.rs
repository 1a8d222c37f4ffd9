//! Looking at an account as somebody else in it would: the forms and buttons that begin and end it, the
//! strip that says so on every page meanwhile, and the buttons that do nothing through somebody else's
//! eyes.

use leptos::prelude::*;
use model::{AccountNumber, UserId};

use crate::address::{ACCOUNT, MANAGE, address_of};
use crate::endpoint::endpoint;
use crate::frame::{AccountFrame, EyesView};
use crate::problem::Problem;
use crate::ui::form::Form;
#[cfg(feature = "ssr")]
use {crate::address::escape_query, crate::request, model::Failure};

/// Begins to look at the account through a user's eyes.
#[server(prefix = "/api", endpoint = "eyes/begin")]
pub(crate) async fn begin_eyes(account: String, user: String) -> Result<(), Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, viewer) = (&inside.latchkey, &inside.viewer);
    let token = domain::eyes::begin(latchkey, viewer, &inside.acting, &user).await?;
    begun(&inside, &token);
    Ok(())
}

/// Goes back to the reader's own view: to the account, or to the form that they looked from, with what
/// they typed. It is the one form inside an account that works through somebody else's eyes, so that it
/// doesn't enter the account.
#[server(prefix = "/api", endpoint = "eyes/end")]
pub(crate) async fn end_eyes(
    account: String,
    #[server(default)] draft: String,
) -> Result<(), Problem> {
    let (latchkey, viewer) = (request::latchkey()?, request::viewer()?);
    let number: AccountNumber = account.parse().map_err(|_| Failure::NotFound)?;
    let page = domain::eyes::end(&latchkey, &viewer, &draft).await?;
    request::take_eyes_off();
    match page {
        Some(page) => request::redirect(&format!("{page}?draft={}", escape_query(&draft))),
        None => request::redirect(&address_of(ACCOUNT, &[&number])),
    }
    Ok(())
}

/// What the button of a form for giving says that has the account shown as it would be seen with what
/// the form gives.
pub(crate) const LOOK: &str = "look";

#[cfg(feature = "ssr")]
pub(crate) use server::{begun, came_back, inside_to_give, unsent};

#[cfg(feature = "ssr")]
mod server {
    use domain::Token;
    use domain::eyes::{Unsent, typed};
    use domain::giving::Wished;
    use model::Failure;

    use super::LOOK;
    use crate::address::{ACCOUNT, address_of};
    use crate::endpoint::Endpoint;
    use crate::rejected::Rejected;
    use crate::request::{self, Inside};

    /// Enters the account to give something, which takes a fresh proof of who one is, or only to look
    /// what that would be.
    pub(crate) async fn inside_to_give(number: &str, show: &str) -> Result<Inside, Failure> {
        match show {
            LOOK => request::inside(number).await,
            _ => request::inside_confirmed(number).await,
        }
    }

    /// The form that is being carried out, with all that was typed into it, to look what it would give.
    pub(crate) fn unsent<'a>(
        wished: &'a Wished,
        before: Option<&'a str>,
        page: String,
    ) -> Result<Unsent<'a>, Failure> {
        let typed = request::posted().ok_or(Failure::Unavailable)?;
        Ok(Unsent { wished, before, page, typed })
    }

    /// A look has begun: leads to the account.
    pub(crate) fn begun(inside: &Inside, token: &Token) {
        request::put_eyes_on(token);
        request::redirect(&address_of(ACCOUNT, &[&inside.acting.number]));
    }

    /// What was typed into the form on this page that somebody comes back to from a look, with this
    /// draft in the address. A form that was just refused has what was typed last.
    pub(crate) async fn came_back(
        inside: &Inside,
        rejected: Option<&Rejected>,
        form: Endpoint,
        page: &str,
        draft: &str,
    ) -> Result<Option<Rejected>, Failure> {
        if rejected.is_some() || draft.is_empty() {
            return Ok(None);
        }
        let (viewer, actor) = (&inside.viewer, &inside.acting.actor);
        let typed = typed(&inside.latchkey, viewer, actor, page, draft).await?;
        Ok(typed.and_then(|typed| Rejected::kept(form, &typed)))
    }
}

/// Why the forms of a page do nothing: it is seen through somebody else's eyes. Provided to the page's
/// content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadOnly(Option<String>);

impl ReadOnly {
    /// Of the pages of this account.
    pub(crate) fn of(account: Option<&AccountFrame>) -> Self {
        let eyes = account.and_then(|account| account.eyes.as_ref());
        Self(eyes.map(|eyes| read_only(eyes.name.clone())))
    }

    /// A page's content, which finds out why by [`ReadOnly::here`].
    pub(crate) fn around(self, content: impl FnOnce() -> AnyView + Send + 'static) -> AnyView {
        view! { <leptos::context::Provider value=self>{content()}</leptos::context::Provider> }
            .into_any()
    }

    /// The reason, in words, where the present component is; none where forms work.
    pub(crate) fn here() -> Option<String> {
        use_context::<Self>()?.0
    }
}

/// That nothing can be changed through the eyes of somebody with this name, or of somebody new.
pub(crate) fn read_only(name: Option<String>) -> String {
    match name {
        Some(name) => words!(eyes.read_only, name = name),
        None => words!(eyes.read_only_new),
    }
}

/// What begins it, on the page of the user with this name. It leads to the account, and so is a link to
/// people; it is sent as a form, as no other site's link may begin it.
#[component]
pub(crate) fn SeeItAs(
    /// The account.
    number: AccountNumber,
    /// The user.
    user: UserId,
    /// Their name.
    name: String,
) -> impl IntoView {
    let action = address_of(MANAGE, &[&number, &user]);
    view! {
        <Form form={endpoint::<BeginEyes>()} action=action class="see-it-as">
            <input type="hidden" name="account" value=number.to_string() />
            <input type="hidden" name="user" value=user.to_string() />
            <button type="submit" role="link" class="link-button">
                <bdi>{words!(eyes.see_it_as, name = name)}</bdi>
            </button>
        </Form>
    }
}

/// What begins it in a form for giving, with what is chosen there and isn't sent: the form's second
/// button.
#[component]
pub(crate) fn LookButton(
    /// The words on it.
    words: String,
) -> impl IntoView {
    let read_only = ReadOnly::here();
    view! {
        <button
            type="submit"
            class="button look"
            name="show"
            value=LOOK
            disabled=read_only.is_some()
            title=read_only
        >
            <bdi>{words}</bdi>
        </button>
    }
}

/// Whose eyes these are, and the way back.
#[component]
pub(crate) fn EyesStrip(
    /// The account.
    number: AccountNumber,
    /// The eyes.
    eyes: EyesView,
) -> impl IntoView {
    let EyesView { name, closed, draft } = eyes;
    let (heading, sentence, stop) = match name {
        Some(name) => {
            let sentence = match (closed, draft.is_some()) {
                (true, _) => words!(eyes.closed, name = name.clone()),
                (false, true) => words!(eyes.seen_with_draft, name = name.clone()),
                (false, false) => words!(eyes.seen, name = name.clone()),
            };
            let heading = words!(eyes.heading, name = name.clone());
            (heading, sentence, words!(eyes.stop, name = name))
        }
        None => (words!(eyes.heading_new), words!(eyes.seen_new), words!(eyes.stop_new)),
    };
    let draft = draft.map(|draft| view! { <input type="hidden" name="draft" value=draft /> });
    view! {
        <section class="eyes" aria-label=heading>
            <p role="status"><bdi>{sentence}</bdi></p>
            <Form
                form={endpoint::<EndEyes>()}
                action=address_of(ACCOUNT, &[&number])
                class="eyes-back"
            >
                <input type="hidden" name="account" value=number.to_string() />
                {draft}
                <button type="submit" role="link" class="button">
                    <bdi>{stop}</bdi>
                </button>
            </Form>
        </section>
    }
}
