//! What nothing in it comes to life in: rows, lists of links, whole tables. It is written in one go, where a
//! view would be built, and in the browser looked for, element by element.

use leptos::prelude::*;
use leptos::tachys::html::InertElement;
use maud::Markup;

/// A view of one element, in which nothing listens and nothing changes by itself. When it is another, all
/// of it is replaced.
pub(crate) fn still(element: Markup) -> AnyView {
    InertElement::new(element.into_string()).into_any()
}
