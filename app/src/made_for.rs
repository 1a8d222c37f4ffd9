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
    use domain::viewer::Viewer;
    use model::Failure;

    use super::MADE_FOR;
    use crate::assets::Assets;
    use crate::endpoint::{Endpoint, endpoint};
    use crate::request::{RequestFacts, context, shown};
    use crate::{identities, invitations, profile, security, sign_in, sign_out, single_sign_on};

    /// In the id's place when nobody is signed in.
    const NOBODY: &str = "nobody";

    /// Forms that act for nobody who is signed in: they bring the proof of whom they act for, or
    /// take none.
    const FOR_ANYBODY: [Endpoint; 16] = [
        endpoint::<invitations::api::Decline>(),
        endpoint::<invitations::api::JoinWithNewLogin>(),
        endpoint::<invitations::api::JoinWithPassword>(),
        endpoint::<invitations::api::Report>(),
        endpoint::<profile::api::ConfirmEmail>(),
        endpoint::<profile::api::UndoEmail>(),
        endpoint::<security::api::RequestReset>(),
        endpoint::<security::api::Reset>(),
        endpoint::<sign_in::api::SignIn>(),
        endpoint::<sign_in::api::AskForPasskey>(),
        endpoint::<sign_in::api::AskForSecondStep>(),
        endpoint::<sign_in::api::SignInWithPasskey>(),
        endpoint::<sign_in::api::SecondFactor>(),
        endpoint::<identities::api::SignInWith>(),
        endpoint::<single_sign_on::api::SignInWithCompany>(),
        endpoint::<sign_out::SignOut>(),
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
        let is_for_anybody = || FOR_ANYBODY.iter().any(|known| known.name() == form);
        let fits = id == NOBODY || id == viewer.user.to_string() || is_for_anybody();
        (!fits).then(|| name.to_owned())
    }

    fn start(assets: &Assets, viewer: Option<&Viewer>) -> String {
        let id = viewer.map_or_else(|| NOBODY.to_owned(), |viewer| viewer.user.to_string());
        format!("{}/{id}/", assets.build)
    }
}
