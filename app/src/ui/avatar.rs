//! How a person is shown: their initials on a colour of their own, their address.

use maud::{Markup, html};
use model::UserId;

use crate::frame::PersonView;

/// A person's initials. The colour comes from the id, so that it is the same on every page.
pub(crate) fn avatar(id: UserId, name: &str) -> Markup {
    let last = id.to_string().bytes().last().unwrap_or_default();
    let class = format!("avatar hue-{}", last % 12);
    html! { span class=(class) aria-hidden="true" translate="no" { (initials(name)) } }
}

/// An address that breaks after its at sign when it must, with this class.
pub(crate) fn email(address: &str, class: &str) -> Markup {
    html! {
        span class=(class) translate="no" {
            @match address.split_once('@') {
                Some((local, domain)) => { (local) "@" wbr; (domain) }
                None => (address)
            }
        }
    }
}

/// A person in a row: initials, name, address. `name` is that with what it leads to and what stands beside
/// it.
pub(crate) fn person(person: &PersonView, name: Markup) -> Markup {
    html! {
        div.person {
            (avatar(person.id, &person.name))
            div { (name) " " (email(&person.email, "person-email")) }
        }
    }
}

/// A name in a row whose button leads to the same page: whoever goes through it by keyboard goes there once.
pub(crate) fn linked_name(person: &PersonView, page: &str, is_reader: bool) -> Markup {
    html! {
        a.person-name dir="auto" translate="no" href=(page) tabindex="-1" { (person.name) }
        @if is_reader { " " span.tag.tag-you { (words!(users.you)) } }
    }
}

/// The first letters of the first and the last word.
fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_of_names() {
        let cases = [
            ("Ingrid Solberg", "IS"),
            ("åse", "Å"),
            ("Ada King Lovelace", "AL"),
            ("", ""),
            ("🦊 x", "🦊X"),
        ];
        for (name, expected) in cases {
            assert_eq!(initials(name), expected);
        }
    }
}
