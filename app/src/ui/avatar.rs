//! How a person is shown: their initials on a colour of their own, their address.

use leptos::prelude::*;
use model::UserId;

/// A person's initials. The colour comes from the id, so that it is the same on every page.
#[component]
pub(crate) fn Avatar(
    /// Whose it is.
    id: UserId,
    /// Their full name.
    name: String,
) -> impl IntoView {
    let last = id.to_string().bytes().last().unwrap_or_default();
    let hue = last % 12;
    view! { <span class=format!("avatar hue-{hue}") aria-hidden="true" translate="no">{initials(&name)}</span> }
}

/// An address that breaks after its at sign when it must.
#[component]
pub(crate) fn Email(
    /// The address.
    address: String,
    /// Its class.
    #[prop(default = "person-email")]
    class: &'static str,
) -> impl IntoView {
    match address.split_once('@') {
        Some((local, domain)) => {
            let (local, domain) = (format!("{local}@"), domain.to_owned());
            view! { <span class=class translate="no">{local}<wbr />{domain}</span> }.into_any()
        }
        None => view! { <span class=class translate="no">{address}</span> }.into_any(),
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
