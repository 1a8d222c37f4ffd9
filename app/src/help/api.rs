//! Server functions of the guide.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::problem::Problem;

#[cfg(feature = "ssr")]
use {crate::request, model::Permission};

/// What the guide says about the reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HelpView {
    /// Whether the reader can invite people, and who can help if not.
    pub(crate) can_invite: String,
}

/// The guide, as seen from an account if one is named.
#[server(prefix = "/api", endpoint = "help/page", input = GetUrl)]
pub(crate) async fn help_page(account: String) -> Result<Page<HelpView>, Problem> {
    if account.is_empty() {
        let viewer = request::viewer_if_any().await?;
        let view = HelpView { can_invite: words!(help.trouble_invite_general) };
        return Ok(request::plain_page(viewer.as_ref(), view));
    }
    let inside = request::inside(&account).await?;
    let (name, actor) = (inside.acting.name.clone(), &inside.acting.actor);
    let can_invite = if actor.access.is_owner() {
        words!(help.trouble_invite_owner, account = name)
    } else if actor.may(Permission::AccountUsers) {
        words!(help.trouble_invite_yes, account = name)
    } else {
        let owners = domain::accounts::owners(&inside.latchkey, actor).await?;
        let owners: Vec<_> = owners.into_iter().map(|owner| owner.full_name).collect();
        words!(help.trouble_invite_no, account = name, owners = owners.join(", "))
    };
    inside.page(Ok(HelpView { can_invite })).await
}
