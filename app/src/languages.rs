//! Which languages there are, and which of them a reader gets. A language is a file in `locales/`.

pub(crate) mod choose;

#[cfg(feature = "hydrate")]
use leptos::prelude::document;
use leptos_i18n::Locale as _;
use model::Language;

use crate::Locale;

/// The language file for these readers: by its own name, or by one of the tags that it says it is
/// for (`no` and `nn` get `nb`).
#[must_use]
pub fn spoken(language: &Language) -> Option<Locale> {
    let fits = |locale: &&Locale, tag: &str| {
        let mut tags = leptos_i18n::td_string!(**locale, language.tags).split(' ');
        locale.as_str().eq_ignore_ascii_case(tag) || tags.any(|known| known == tag)
    };
    let all = Locale::get_all();
    let found = all.iter().find(|locale| fits(locale, language.tag()));
    found.or_else(|| all.iter().find(|locale| fits(locale, language.primary()))).copied()
}

/// The languages as (tag, own name).
#[cfg(feature = "ssr")]
#[must_use]
pub fn all() -> Vec<(&'static str, String)> {
    let named = |locale: &Locale| {
        (locale.as_str(), leptos_i18n::td_string!(*locale, language.name).to_string())
    };
    Locale::get_all().iter().map(named).collect()
}

/// The language that the document is in, as the server chose it.
#[cfg(feature = "hydrate")]
pub(crate) fn of_document() -> Locale {
    let tag = document().document_element().and_then(|html| html.get_attribute("lang"));
    tag.and_then(|tag| tag.parse().ok()).unwrap_or_default()
}

#[cfg(feature = "ssr")]
pub(crate) mod server {
    use axum::http::{HeaderMap, header};
    use model::{Failure, Field, FieldProblem, Language};

    use super::spoken;
    use crate::Locale;
    use crate::headers::weighed;

    /// One of the product's languages.
    pub(crate) fn known(tag: &str) -> Result<Language, Failure> {
        let language = Language::parse(tag).filter(|language| spoken(language).is_some());
        language.ok_or(Failure::field(Field::Form, FieldProblem::Malformed))
    }

    /// The first that the product speaks: the reader's own, the one chosen earlier in this
    /// browser, those that the browser asks for (RFC 9110 section 12.5.4).
    pub(crate) fn first(
        own: Option<&Language>,
        earlier: Option<Language>,
        headers: &HeaderMap,
    ) -> Option<Locale> {
        let wishes = own.cloned().into_iter().chain(earlier).chain(wishes(headers));
        wishes.into_iter().find_map(|language| spoken(&language))
    }

    /// The languages that the browser asks for, dearest first. A quality of 0 means: not this.
    fn wishes(headers: &HeaderMap) -> Vec<Language> {
        let wish = |(tag, quality)| Some((quality, Language::parse(tag)?));
        let wishes = weighed(headers, header::ACCEPT_LANGUAGE);
        let mut wishes: Vec<(f32, _)> =
            wishes.filter(|(_, quality)| *quality > 0.0).filter_map(wish).collect();
        wishes.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        wishes.into_iter().map(|(_, language)| language).collect()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_first_language_that_the_product_speaks_is_taken() {
            let of = |own: Option<&str>, earlier: Option<&str>, asked: &str| {
                let mut headers = HeaderMap::new();
                headers.insert(header::ACCEPT_LANGUAGE, asked.parse().unwrap());
                let language = |tag| Language::parse(tag).unwrap();
                first(own.map(language).as_ref(), earlier.map(language), &headers)
            };
            assert_eq!(of(Some("de"), Some("nb"), "en"), Some(Locale::de));
            assert_eq!(of(None, Some("nb"), "en"), Some(Locale::nb));
            assert_eq!(of(Some("tlh"), None, "de-CH"), Some(Locale::de));
            let cases = [
                ("fr,de;q=0.4,nb;q=0.7", Some(Locale::nb)),
                ("no", Some(Locale::nb)),
                ("nn-NO, de;q=0.1", Some(Locale::nb)),
                ("en-US,en;q=0.9", Some(Locale::en)),
                ("de;q=0, en;q=0.1", Some(Locale::en)),
                ("fr-FR", None),
                ("", None),
                ("de;q=nonsense", None),
            ];
            for (asked, expected) in cases {
                assert_eq!(of(None, None, asked), expected, "{asked}");
            }
        }
    }
}
