//! Choosing a language: a form on pages of one narrow column.

use leptos::prelude::*;

use crate::problem::Problem;
#[cfg(feature = "ssr")]
use {
    crate::endpoint::endpoint,
    crate::languages::all,
    crate::made_for::{MADE_FOR, made_for},
    crate::request,
    leptos_i18n::Locale as _,
    leptos_router::hooks::use_location,
};

/// The languages to choose from, each in its own words. A plain form: the page comes back whole,
/// in the language that was chosen.
#[cfg(feature = "ssr")]
#[component]
pub(crate) fn Languages() -> impl IntoView {
    let location = use_location();
    let (path, query) = (location.pathname.get_untracked(), location.search.get_untracked());
    let here = if query.is_empty() { path } else { format!("{path}?{query}") };
    let present = crate::words::locale().as_str();
    let choices = all().into_iter().map(|(tag, name)| {
        view! {
            <li>
                <button
                    class="link-button"
                    name="language"
                    value=tag
                    lang=tag
                    aria-current=(tag == present).then_some("true")
                >
                    {name}
                </button>
            </li>
        }
    });
    let action = here.clone();
    view! {
        <form class="languages" method="post" action=action>
            <input type="hidden" name="form" value={endpoint::<ChooseLanguage>().name()} />
            <input type="hidden" name="next" value=here />
            <input type="hidden" name=MADE_FOR value=made_for() />
            <ul aria-label=words!(language.choose)>{choices.collect_view()}</ul>
        </form>
    }
}

/// Has the reader's pages in this language from now on: in this browser, and for whoever is
/// signed in everywhere.
#[server(prefix = "/api", endpoint = "language/choose")]
pub(crate) async fn choose_language(
    language: String,
    #[server(default)] next: String,
) -> Result<(), Problem> {
    let language = crate::languages::server::known(&language)?;
    if let Some(viewer) = request::viewer_if_any()? {
        let latchkey = request::latchkey()?;
        domain::sessions::choose_language(&latchkey, &viewer, &language).await?;
    }
    request::remember_language(&language);
    request::redirect(&next);
    Ok(())
}
