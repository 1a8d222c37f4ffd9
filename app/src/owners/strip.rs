//! What waits: the strip that owners see on every page of the account, and the button that stops it.

use leptos::prelude::*;
use model::AccountNumber;
use serde::{Deserialize, Serialize};

use crate::address::{OWNER_CHANGE, address_of};
use crate::endpoint::endpoint;
use crate::owners::api;
use crate::successors;
use crate::ui::form::{Form, SubmitButton};

/// Somebody who becomes an owner unless it is stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WaitingView {
    /// The change.
    pub(crate) change: String,
    /// Who, and when, in a sentence.
    pub(crate) sentence: String,
    /// Whether it is the successor, to whom it is enough that an owner is here.
    pub(crate) takeover: bool,
}

/// The same in an account that the reader isn't in at this moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ElsewhereView {
    /// Who, of which account, and when, in a sentence.
    pub(crate) sentence: String,
    /// The page about it, with the strip that stops it.
    pub(crate) page: String,
}

/// The button that stops a change, in a form of its own.
#[component]
pub(crate) fn StopForm(
    /// The account.
    number: AccountNumber,
    /// The change.
    change: String,
) -> impl IntoView {
    let action = address_of(OWNER_CHANGE, &[&number, &change]);
    view! {
        <Form
            form={endpoint::<api::StopOwnerChange>()}
            action=action
            class="inline-form"
            target=change.clone()
        >
            <input type="hidden" name="account" value=number.to_string() />
            <input type="hidden" name="change" value=change />
            <SubmitButton class="button-danger" words=words!(owners.stop) />
        </Form>
    }
}

/// The button for an owner who only says that they are here, in a form of its own.
fn here_form(number: AccountNumber, change: String) -> AnyView {
    let action = address_of(OWNER_CHANGE, &[&number, &change]);
    view! {
        <Form
            form={endpoint::<successors::api::Answer>()}
            action=action
            class="inline-form"
            target=change.clone()
        >
            <input type="hidden" name="account" value=number.to_string() />
            <input type="hidden" name="change" value=change />
            <SubmitButton class="" words=words!(successor.here) />
        </Form>
    }
    .into_any()
}

/// A strip for each of those who wait.
pub(crate) fn strips(number: AccountNumber, waiting: Vec<WaitingView>) -> impl IntoView {
    let strip = move |WaitingView { change, sentence, takeover }: WaitingView| {
        let here = takeover.then(|| here_form(number, change.clone()));
        view! {
            <div class="notice notice-warning">
                <p><bdi>{sentence}</bdi></p>
                <StopForm number=number change=change />
                {here}
            </div>
        }
    };
    waiting.into_iter().map(strip).collect_view()
}

/// A strip for each of those who wait in accounts that the reader isn't in at this moment.
pub(crate) fn strips_elsewhere(waiting: Vec<ElsewhereView>) -> impl IntoView {
    let strip = |ElsewhereView { sentence, page }: ElsewhereView| {
        view! {
            <div class="notice notice-warning">
                <p><bdi>{sentence}</bdi></p>
                <a class="button" href=page>{words!(owners.show)}</a>
            </div>
        }
    };
    waiting.into_iter().map(strip).collect_view()
}
