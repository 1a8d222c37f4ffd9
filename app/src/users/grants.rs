//! Somebody's extra access on their page: a small card for each grant besides the first.

use leptos::prelude::*;
use model::{AccountNumber, UserId};
use serde::{Deserialize, Serialize};

use crate::address::{EXTRA, MANAGE, address_of};
use crate::endpoint::endpoint;
use crate::ui::form::{Form, SubmitButton};
use crate::users::extra::{NEW, api};

#[cfg(feature = "ssr")]
use {
    crate::formats, crate::words, domain::areas::Totals, domain::extras::Extra,
    model::AccessOutline,
};

/// Extra access of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CardView {
    /// The grant.
    pub(crate) grant: String,
    /// What it is called.
    pub(crate) heading: String,
    /// What it opens, in one line.
    pub(crate) line: String,
    /// Who gave it, and when.
    pub(crate) given: String,
    /// Why; empty if nobody said.
    pub(crate) why: String,
    /// Whether the reader can take it back.
    pub(crate) can_take_back: bool,
    /// What the form that takes it back is made of.
    pub(crate) before: String,
}

/// Extra access as its card shows it.
#[cfg(feature = "ssr")]
pub(crate) fn card_view(extra: Extra, totals: Totals) -> CardView {
    let Extra { row, can_take_back, made_of } = extra;
    let outline = AccessOutline::Granted(std::iter::once(row.outline).collect());
    let day = formats::day(row.given_at);
    CardView {
        grant: row.id.to_string(),
        heading: match row.outline.until {
            Some(until) => words!(extra.card_until, when = formats::end(until)),
            None => words!(extra.card),
        },
        line: words::access_line_of(&outline, totals),
        given: match row.given_by {
            Some(name) => words!(reaching.given_by, name = name, day = day),
            None => words!(reaching.given, day = day),
        },
        why: row.why,
        can_take_back,
        before: made_of,
    }
}

/// The link to the form that gives extra access.
pub(crate) fn give_extra_link(number: AccountNumber, user: UserId) -> impl IntoView {
    let href = address_of(EXTRA, &[&number, &user, &NEW]);
    view! { <a class="button" href=href>{words!(extra.give)}</a> }
}

/// The cards, if there are any.
pub(crate) fn cards(number: AccountNumber, user: UserId, cards: Vec<CardView>) -> Option<AnyView> {
    if cards.is_empty() {
        return None;
    }
    let cards = cards.into_iter().map(|card| self::card(number, user, card)).collect_view();
    Some(view! { <div class="grants">{cards}</div> }.into_any())
}

fn card(number: AccountNumber, user: UserId, card: CardView) -> impl IntoView {
    let change = address_of(EXTRA, &[&number, &user, &card.grant]);
    let change_line = words!(extra.change_line, line = card.line.clone());
    let take_back = if card.can_take_back {
        let label = words!(extra.take_back_line, line = card.line.clone());
        view! {
            <Form
                form={endpoint::<api::TakeBack>()}
                action=address_of(MANAGE, &[&number, &user])
                class="inline-form"
                target=card.grant.clone()
                before=card.before
            >
                <input type="hidden" name="account" value=number.to_string() />
                <input type="hidden" name="user" value=user.to_string() />
                <input type="hidden" name="grant" value=card.grant />
                <SubmitButton class="button-quiet" label=label words=words!(extra.take_back) />
            </Form>
        }
        .into_any()
    } else {
        view! { <p class="hint">{words!(extra.cannot_take_back)}</p> }.into_any()
    };
    let why = (!card.why.is_empty())
        .then(|| view! { <p class="hint"><bdi>{words!(access.why, why = card.why)}</bdi></p> });
    view! {
        <section class="grant">
            <h2>{card.heading}</h2>
            <p>{card.line}</p>
            <p class="hint"><bdi>{card.given}</bdi></p>
            {why}
            <div class="grant-actions">
                <a class="button button-quiet" href=change aria-label=change_line>
                    {words!(extra.change)}
                </a>
                {take_back}
            </div>
        </section>
    }
}
