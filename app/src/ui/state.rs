//! How something stands, in a word with a mark: never by colour alone.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mood {
    /// All is well.
    Ok,
    /// It waits.
    Waiting,
    /// Somebody should look.
    Trouble,
    /// Neither good nor bad.
    Quiet,
}

/// A state in a word.
#[component]
pub(crate) fn State(
    /// Its mood.
    mood: Mood,
    /// Its word or sentence.
    #[prop(into)]
    words: String,
) -> impl IntoView {
    let class = match mood {
        Mood::Ok => "state state-ok",
        Mood::Waiting => "state state-waiting",
        Mood::Trouble => "state state-trouble",
        Mood::Quiet => "state",
    };
    view! { <span class=class>{words}</span> }
}
