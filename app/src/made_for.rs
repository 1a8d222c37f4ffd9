//! For whom a page was made, and by which build: its document says it, and so do its forms and the
//! answers to the browser's half. So what a tab of before sends or asks for is told from the present.

/// The hidden field in which a form says it.
pub const MADE_FOR: &str = "made_for";

/// The header in which an answer to the browser's half says it, all but the reader's name.
pub const MADE_FOR_HEADER: &str = "x-made-for";

/// What the present page was made for. It isn't secret: the reader's id stands in addresses, too.
pub(crate) fn made_for() -> String {
    #[cfg(feature = "ssr")]
    return server::here();
    #[cfg(not(feature = "ssr"))]
    leptos::prelude::document()
        .document_element()
        .and_then(|html| html.get_attribute("data-made-for"))
        .unwrap_or_default()
}

#[cfg(feature = "ssr")]
pub(crate) mod server {
    use domain::sessions::Viewer;
    use model::Failure;

    use super::MADE_FOR;
    use crate::assets::Assets;
    use crate::request::{RequestFacts, context, shown};

    /// In the id's place when nobody is signed in.
    const NOBODY: &str = "nobody";

    /// Forms that act for nobody who is signed in: they bring the proof of whom they act for, or
    /// take none.
    const FOR_ANYBODY: [&str; 16] = [
        "invitations/decline",
        "invitations/join-with-new-login",
        "invitations/join-with-password",
        "invitations/report",
        "profile/confirm-email",
        "profile/undo-email",
        "security/request-reset",
        "security/reset",
        "sign-in",
        "sign-in/ask-for-passkey",
        "sign-in/ask-for-second-step",
        "sign-in/passkey",
        "sign-in/second-factor",
        "sign-in/with",
        "sign-in/with-company",
        "sign-out",
    ];

    pub(super) fn here() -> String {
        let Ok(context) = context() else { return String::new() };
        let viewer = context.facts.viewer.as_ref().ok();
        start(&context.assets, viewer) + &viewer.map(shown).unwrap_or_default()
    }

    /// What an answer to this request says; nothing when it isn't known who asks.
    #[must_use]
    pub fn made_for_now(assets: &Assets, facts: &RequestFacts) -> Option<String> {
        match &facts.viewer {
            Ok(viewer) => Some(start(assets, Some(viewer))),
            Err(Failure::SignedOut) => Some(start(assets, None)),
            Err(_) => None,
        }
    }

    /// For whom a form was made, if that isn't who sends it. The form itself says the name, so that
    /// nobody is told whose an id is.
    #[must_use]
    pub fn made_for_another(
        form: &str,
        values: &[(String, String)],
        facts: &RequestFacts,
    ) -> Option<String> {
        let viewer = facts.viewer.as_ref().ok()?;
        let (_, said) = values.iter().find(|(name, _)| name == MADE_FOR)?;
        let (_build, whose) = said.split_once('/')?;
        let (id, name) = whose.split_once('/')?;
        let fits = id == NOBODY || id == viewer.user.to_string() || FOR_ANYBODY.contains(&form);
        (!fits).then(|| name.to_owned())
    }

    fn start(assets: &Assets, viewer: Option<&Viewer>) -> String {
        let id = viewer.map_or_else(|| NOBODY.to_owned(), |viewer| viewer.user.to_string());
        format!("{}/{id}/", assets.build)
    }
}
