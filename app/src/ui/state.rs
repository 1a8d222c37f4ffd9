//! How something stands, in a word with a mark: never by colour alone.

use maud::{Markup, html};
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

/// A state in a word or a sentence.
pub(crate) fn state(mood: Mood, words: &str) -> Markup {
    let class = match mood {
        Mood::Ok => "state state-ok",
        Mood::Waiting => "state state-waiting",
        Mood::Trouble => "state state-trouble",
        Mood::Quiet => "state",
    };
    html! { span class=(class) { (words) } }
}
