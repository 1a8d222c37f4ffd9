//! Looking at an account as somebody else in it would: the forms that begin and end it, the strip that
//! says so on every page meanwhile, and the buttons that do nothing through somebody else's eyes.

use leptos::prelude::*;
use model::{AccountNumber, UserId};

use crate::address::{ACCOUNT, MANAGE, address_of};
use crate::endpoint::endpoint;
use crate::frame::{AccountFrame, EyesView};
use crate::problem::Problem;
use crate::ui::form::Form;
#[cfg(feature = "ssr")]
use {crate::request, model::Failure};

/// Begins to look at the account through a user's eyes.
#[server(prefix = "/api", endpoint = "eyes/begin")]
pub(crate) async fn begin_eyes(account: String, user: String) -> Result<(), Problem> {
    let inside = request::inside(&account).await?;
    let (latchkey, viewer) = (&inside.latchkey, &inside.viewer);
    let token = domain::eyes::begin(latchkey, viewer, &inside.acting, &user).await?;
    request::put_eyes_on(&token);
    request::redirect(&address_of(ACCOUNT, &[&inside.acting.number]));
    Ok(())
}

/// Goes back to the reader's own view. It is the one form inside an account that works through
/// somebody else's eyes, so that it doesn't enter the account.
#[server(prefix = "/api", endpoint = "eyes/end")]
pub(crate) async fn end_eyes(account: String) -> Result<(), Problem> {
    let (latchkey, viewer) = (request::latchkey()?, request::viewer()?);
    let number: AccountNumber = account.parse().map_err(|_| Failure::NotFound)?;
    domain::eyes::end(&latchkey, &viewer).await?;
    request::take_eyes_off();
    request::redirect(&address_of(ACCOUNT, &[&number]));
    Ok(())
}

/// Why the forms of a page do nothing: it is seen through somebody else's eyes. Provided to the page's
/// content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadOnly(Option<String>);

impl ReadOnly {
    /// Of the pages of this account.
    pub(crate) fn of(account: Option<&AccountFrame>) -> Self {
        let eyes = account.and_then(|account| account.eyes.as_ref());
        Self(eyes.map(|eyes| words!(eyes.read_only, name = eyes.name.clone())))
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

/// Whose eyes these are, and the way back.
#[component]
pub(crate) fn EyesStrip(
    /// The account.
    number: AccountNumber,
    /// The eyes.
    eyes: EyesView,
) -> impl IntoView {
    let EyesView { name, closed } = eyes;
    let sentence = match closed {
        true => words!(eyes.closed, name = name.clone()),
        false => words!(eyes.seen, name = name.clone()),
    };
    let (heading, stop) =
        (words!(eyes.heading, name = name.clone()), words!(eyes.stop, name = name));
    view! {
        <section class="eyes" aria-label=heading>
            <p role="status"><bdi>{sentence}</bdi></p>
            <Form
                form={endpoint::<EndEyes>()}
                action=address_of(ACCOUNT, &[&number])
                class="eyes-back"
            >
                <input type="hidden" name="account" value=number.to_string() />
                <button type="submit" role="link" class="button">
                    <bdi>{stop}</bdi>
                </button>
            </Form>
        </section>
    }
}
