//! "Did this answer your question?"

use leptos::prelude::*;
use model::Field;

use crate::endpoint::endpoint;
use crate::help::api;
use crate::title::escape_text;
use crate::ui::form::{Form, FormState, SubmitButton};

/// The question at the end of a guide.
#[component]
pub(crate) fn Feedback(
    /// The guide, by the end of its address.
    guide: String,
    /// The page that shows it.
    here: String,
) -> impl IntoView {
    view! {
        <section class="feedback">
            <h2 id="feedback">{words!(feedback.heading)}</h2>
            <Form form={endpoint::<api::GiveFeedback>()} action=here.clone()>
                <input type="hidden" name="guide" value=guide />
                <input type="hidden" name="next" value=here />
                <Answers />
                <div class="form-actions">
                    <SubmitButton class="" words=words!(feedback.button) />
                </div>
            </Form>
        </section>
    }
}

#[component]
fn Answers() -> impl IntoView {
    let state = FormState::here();
    let given = state.value("helped").unwrap_or_default();
    // Leptos escapes no text inside a `textarea`.
    let typed = escape_text(&state.value("comment").unwrap_or_default());
    let error = move |field: Field| {
        let id = format!("{}-error", field.name());
        state.error(field).map(|error| view! { <p class="field-error" id=id>{error}</p> })
    };
    let invalid = move |field| state.error(field).is_some().then_some("true");
    let answers = [("yes", words!(feedback.yes)), ("no", words!(feedback.no))];
    let answers = answers.map(|(value, words)| {
        // The first of them is where the error summary leads.
        let id = if value == "yes" { "helped" } else { "helped-no" };
        view! {
            <label class="answer">
                <input id=id type="radio" name="helped" value=value checked=given == value />
                {words}
            </label>
        }
    });
    view! {
        <fieldset
            class="field"
            role="radiogroup"
            class:field-invalid=move || state.error(Field::Helped).is_some()
            aria-invalid=move || invalid(Field::Helped)
            aria-describedby=move || invalid(Field::Helped).map(|_| "helped-error")
        >
            <legend>{words!(feedback.question)}</legend>
            {move || error(Field::Helped)}
            <div class="answers">{answers.into_iter().collect_view()}</div>
        </fieldset>
        <div class="field" class:field-invalid=move || state.error(Field::Comment).is_some()>
            <label for="comment">{words!(feedback.comment)}</label>
            <p class="hint" id="comment-hint">{words!(feedback.comment_hint)}</p>
            {move || error(Field::Comment)}
            <textarea
                id="comment"
                name="comment"
                rows="3"
                aria-describedby=move || match invalid(Field::Comment) {
                    Some(_) => "comment-hint comment-error",
                    None => "comment-hint",
                }
                aria-invalid=move || invalid(Field::Comment)
                inner_html=typed
            ></textarea>
        </div>
    }
}
