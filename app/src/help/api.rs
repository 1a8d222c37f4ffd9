//! Server functions of the guides.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::problem::Problem;
use crate::ui::state::Mood;

#[cfg(feature = "ssr")]
use {
    crate::address::{HELP, same_site},
    crate::help::checks,
    crate::notice::Notice,
    crate::request,
    domain::viewer::Viewer,
    model::Failure,
};

/// What a live check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Whether something must be done.
    pub(crate) mood: Mood,
    /// What it is, in a line.
    pub(crate) verdict: String,
    /// What follows from it, and what to do.
    pub(crate) advice: Vec<String>,
}

/// What was found out about an address that gets no invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FoundMail {
    /// How it stands.
    pub(crate) found: Found,
    /// What to search the junk folder for: names and values.
    pub(crate) facts: Vec<(String, String)>,
    /// The invitation, where it can be sent again.
    pub(crate) resend: Option<String>,
}

/// What the guide to managing users says about the reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HelpView {
    /// Whether the reader can invite people, and who can help if not.
    pub(crate) inviting: Found,
    /// The address that was asked about.
    pub(crate) email: String,
    /// What became of it; none when nothing was asked.
    pub(crate) mail: Option<FoundMail>,
    /// Whether the reader may ask.
    pub(crate) may_ask: bool,
    /// The accounts from which the reader can look: name and number. Empty inside one.
    pub(crate) accounts: Vec<(String, String)>,
}

/// The guide to managing users, as seen from an account: the one that is named, or the only one that
/// the reader reaches.
#[server(prefix = "/api", endpoint = "help/page", input = GetUrl)]
pub(crate) async fn help_page(account: String, email: String) -> Result<Page<HelpView>, Problem> {
    let viewer = request::viewer_if_any()?;
    // Whom one account's provider vouched for isn't told of the others.
    let confined_to = viewer.as_ref().and_then(Viewer::confined_to);
    let reachable = match &viewer {
        Some(viewer) if account.is_empty() && confined_to.is_none() => {
            domain::accounts::reachable(&request::latchkey()?, viewer, None).await?.accounts
        }
        _ => Vec::new(),
    };
    let only = match reachable.as_slice() {
        [only] => Some(only.number),
        _ => confined_to,
    };
    let inside = match only {
        _ if !account.is_empty() => Some(request::inside(&account).await?),
        // The guide is open to those, too, whose only account isn't at the moment.
        Some(only) => request::inside(&only.to_string()).await.ok(),
        None => None,
    };
    let Some(inside) = inside else {
        let accounts = reachable.into_iter().map(|row| (row.name, row.number.to_string()));
        let view = checks::anywhere(accounts.collect());
        return outside(view).await;
    };
    let content = checks::page(&inside, email).await;
    inside.page(content).await
}

/// A guide in the list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GuideRow {
    /// The end of its address.
    pub(crate) guide: String,
    /// Its heading.
    pub(crate) heading: String,
    /// What it is about.
    pub(crate) lead: String,
}

/// All guides, the one to managing users first.
#[server(prefix = "/api", endpoint = "help/guides", input = GetUrl)]
pub(crate) async fn guides_page(account: String) -> Result<Page<Vec<GuideRow>>, Problem> {
    let rows = domain::feedback::GUIDES.into_iter().filter_map(|guide| {
        let (heading, lead) = match crate::help::guide::written(guide.to_owned(), None) {
            Some(written) => (written.heading, written.lead),
            None if guide == "users" => (words!(help.heading), words!(help.lead)),
            None => return None,
        };
        Some(GuideRow { guide: guide.to_owned(), heading, lead })
    });
    let rows = rows.collect();
    if account.is_empty() {
        return outside(rows).await;
    }
    request::inside(&account).await?.page(Ok(rows)).await
}

/// A guide for whoever reads it outside of any account. The one that they come from stays around it.
#[cfg(feature = "ssr")]
async fn outside<T>(content: T) -> Result<Page<T>, Problem> {
    match request::viewer_if_any()? {
        Some(viewer) => request::own_page(&viewer, content).await,
        None => request::plain_page(None, content).await,
    }
}

/// One of the short guides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GuideView {
    /// The end of its address.
    pub(crate) guide: String,
    /// Its heading.
    pub(crate) heading: String,
    /// What it is about.
    pub(crate) lead: String,
    /// Its sections: id, heading and text.
    pub(crate) sections: Vec<(String, String, String)>,
    /// The page that it is about: words and address.
    pub(crate) open: Option<(String, String)>,
}

/// A short guide: to security, account details or billing.
#[server(prefix = "/api", endpoint = "help/guide", input = GetUrl)]
pub(crate) async fn guide_page(guide: String, account: String) -> Result<Page<GuideView>, Problem> {
    if account.is_empty() {
        return outside(crate::help::guide::written(guide, None).ok_or(Failure::NotFound)?).await;
    }
    let inside = request::inside(&account).await?;
    let view = crate::help::guide::written(guide, Some(inside.acting.number));
    inside.page(view.ok_or(Failure::NotFound)).await
}

/// Keeps what a reader says of a guide.
#[server(prefix = "/api", endpoint = "help/feedback")]
pub(crate) async fn give_feedback(
    guide: String,
    #[server(default)] helped: String,
    #[server(default)] comment: String,
    #[server(default)] next: String,
) -> Result<(), Problem> {
    let helped = match helped.as_str() {
        "yes" => true,
        "no" => false,
        _ => return Err(Failure::field(model::Field::Helped, model::FieldProblem::Missing).into()),
    };
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    domain::feedback::give(&latchkey, &guide, helped, &comment, &client).await?;
    request::done(same_site(&next).unwrap_or(HELP), Notice::FeedbackGiven);
    Ok(())
}
