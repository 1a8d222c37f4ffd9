//! Server functions of accounts.

// Not on the functions: what `#[server]` makes of them in the browser's half has as many.
#![allow(clippy::too_many_arguments, reason = "one for each field")]

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::access_requests::lacks::LackView;
use crate::owners::strip::ElsewhereView;
use crate::page::Page;
use crate::problem::Problem;
use crate::typed::Typed;
use crate::when::Moment;

#[cfg(feature = "ssr")]
use {
    crate::access_requests::lacks::closed_areas,
    crate::address::{
        ACCOUNT, ACCOUNTS, DETAILS, JOIN, OWNER_CHANGE, TAKE_OVER, address_of, escape_query,
        read_cursor, write_cursor,
    },
    crate::frame::Frame,
    crate::notice::Notice,
    crate::owners::api::{elsewhere_view, mark},
    crate::request,
    crate::successors::api::way_to_take_over,
    crate::words,
    model::Permission,
};

/// An account that the reader reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReachableAccount {
    /// Its number.
    pub(crate) number: String,
    /// Its name.
    pub(crate) name: String,
    /// "Owner", or the permissions in one line.
    pub(crate) access: String,
    /// Whether the reader owns it.
    pub(crate) owner: bool,
    /// When they were last there.
    pub(crate) last_visit: Option<Moment>,
    /// That it is closed to them at present, and since when, if it is.
    pub(crate) paused: Option<String>,
    /// That they were asked to become an owner, or become one, and the page about it.
    pub(crate) becoming: Option<Becoming>,
    /// Whether they are its successor.
    pub(crate) successor: bool,
    /// Where they ask for the account then, if it is open to them and they haven't yet.
    pub(crate) take_over: Option<String>,
    /// Who becomes an owner of it unless the reader, who is one, stops it.
    pub(crate) waiting: Vec<ElsewhereView>,
}

/// An account that waits for the reader to take what they were given there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WaitingAccount {
    /// What it is named by.
    pub(crate) invitation: String,
    /// The account's number.
    pub(crate) number: String,
    /// Its name.
    pub(crate) name: String,
    /// What they would hold there, in one line.
    pub(crate) access: String,
}

/// That the reader was asked to become an owner, or becomes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Becoming {
    /// How that stands, in words.
    pub(crate) words: String,
    /// The page about it.
    pub(crate) page: String,
    /// Whether it waits for their answer.
    pub(crate) asked: bool,
}

#[cfg(feature = "ssr")]
fn becoming(
    number: model::AccountNumber,
    change: model::OwnerChangeId,
    due_at: Option<model::Timestamp>,
) -> Becoming {
    let page = address_of(OWNER_CHANGE, &[&number, &change]);
    Becoming { words: mark(due_at), page, asked: due_at.is_none() }
}

/// The accounts to choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountsView {
    /// Those that wait for them.
    pub(crate) waiting: Vec<WaitingAccount>,
    /// Those of this page.
    pub(crate) accounts: Vec<ReachableAccount>,
    /// What was looked for.
    pub(crate) search: String,
    /// Whether there are so many that looking for one helps.
    pub(crate) many: bool,
    /// Where the first page is, on a later one.
    pub(crate) first: Option<String>,
    /// Where the next page is.
    pub(crate) next: Option<String>,
}

/// The accounts to choose from, or those that were looked for; with just one that is open, and none that
/// waits, straight to it.
#[server(prefix = "/api", endpoint = "accounts/page", input = GetUrl)]
pub(crate) async fn accounts_page(
    after: String,
    search: String,
) -> Result<Page<AccountsView>, Problem> {
    let search = search.trim().to_owned();
    let viewer = request::viewer()?;
    let latchkey = request::latchkey()?;
    let after = read_cursor(&after);
    let page = domain::accounts::found(&latchkey, &viewer, &search, after.as_ref()).await?;
    let (part, now) = (after.is_some() || !search.is_empty(), latchkey.now());
    let waiting = match part {
        true => Vec::new(),
        false => domain::invitations::waiting(&latchkey, &viewer).await?,
    };
    if let (false, [only]) = (part, page.accounts.as_slice())
        && only.paused_since(now).is_none()
        && waiting.is_empty()
    {
        request::redirect(&address_of(ACCOUNT, &[&only.number]));
        // The notice stays for the page that this one leads to.
        let frame = request::frame(Some(&viewer), None, false);
        return Ok(Page { frame, notice: None, content: Ok(AccountsView::default()) });
    }
    domain::viewer::must_be_proven(&viewer)?;
    let waits = request::waiting_anywhere(&latchkey, &viewer).await?;
    let listed: Vec<_> = page.accounts.iter().map(|account| account.number).collect();
    // What is marked below isn't told twice.
    let unlisted = waits.iter().filter(|change| !listed.contains(&change.number));
    let unlisted: Vec<_> = unlisted.map(elsewhere_view).collect();
    let view = |account: domain::accounts::MembershipRow| {
        // Each account's days are its own.
        request::in_zone_of(account.time_zone.as_deref());
        let waiting = waits.iter().filter(|change| change.number == account.number);
        // Whose access is paused or has ended takes nothing over.
        let successor = account.successor && account.paused_since(now).is_none();
        ReachableAccount {
            number: account.number.to_string(),
            paused: account.paused_since(now).map(words::paused_since),
            take_over: (successor && account.becoming.is_none())
                .then(|| address_of(TAKE_OVER, &[&account.number])),
            waiting: waiting.map(elsewhere_view).collect(),
            becoming: account.becoming.map(|(id, due_at)| becoming(account.number, id, due_at)),
            successor,
            name: account.name,
            access: words::access_line(&account.held.outline().live(now)),
            owner: account.held.is_owner(),
            last_visit: account.last_active_at.map(|at| Moment::new(at, now)),
        }
    };
    let searched = match search.as_str() {
        "" => ACCOUNTS.to_owned(),
        search => format!("{ACCOUNTS}?search={}", escape_query(search)),
    };
    let next = page.next.as_ref().map(|next| {
        let sign = if search.is_empty() { '?' } else { '&' };
        format!("{searched}{sign}after={}", write_cursor(next))
    });
    let first = after.is_some().then_some(searched);
    let accounts: Vec<_> = page.accounts.into_iter().map(view).collect();
    request::in_zone_of(None);
    let many = part || accounts.len() > domain::accounts::NAMED_OTHERS;
    let given = |waiting: domain::invitations::WaitingAccess| WaitingAccount {
        invitation: waiting.id.to_string(),
        number: waiting.account_number.to_string(),
        name: waiting.account_name,
        access: words::access_line(&waiting.access),
    };
    let waiting = waiting.into_iter().map(given).collect();
    let view = AccountsView { waiting, accounts, search, many, first, next };
    let page = request::plain_page(Some(&viewer), view).await?;
    Ok(Page { frame: Frame { waiting: unlisted, ..page.frame }, ..page })
}

/// Leads to what waits for the reader in an account, which takes a yes of theirs there.
#[server(prefix = "/api", endpoint = "accounts/see")]
pub(crate) async fn see_waiting(invitation: String) -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    let token = domain::invitations::link(&request::latchkey()?, &viewer, &invitation).await?;
    request::redirect(&address_of(JOIN, &[&token.secret().expose()]));
    Ok(())
}

/// One area on the overview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AreaCard {
    /// Which page it leads to, inside the account.
    pub(crate) path: String,
    /// How that stands, in a sentence.
    pub(crate) sentence: String,
    /// Whether somebody should look.
    pub(crate) trouble: bool,
}

/// What the overview shows: only what the reader may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OverviewView {
    /// The areas' cards.
    pub(crate) cards: Vec<AreaCard>,
    /// What the reader may do here, in a sentence.
    pub(crate) yours: String,
    /// Whether the reader owns the account.
    pub(crate) owner: bool,
    /// That they were asked to become one, or become one.
    pub(crate) becoming: Option<Becoming>,
    /// Where they ask for the account whose successor they are, if they haven't yet.
    pub(crate) take_over: Option<String>,
    /// The areas that they can't open yet.
    pub(crate) closed: Vec<LackView>,
}

/// An account's overview.
#[server(prefix = "/api", endpoint = "account/overview", input = GetUrl)]
pub(crate) async fn overview_page(account: String) -> Result<Page<OverviewView>, Problem> {
    let inside = request::inside(&account).await?;
    let content = overview(&inside).await;
    inside.page(content).await
}

#[cfg(feature = "ssr")]
async fn overview(inside: &request::Inside) -> Result<OverviewView, model::Failure> {
    use domain::areas;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let mut cards = Vec::new();
    let mut card = |path: &str, sentence: String, trouble: bool| {
        cards.push(AreaCard { path: path.to_owned(), sentence, trouble });
    };
    let open = |permission| actor.reach(permission).is_ok();
    if open(Permission::ServicesView) {
        let standing = areas::services_standing(latchkey, actor).await?;
        let suspended = standing.trouble;
        let count = words!(overview.services, count = standing.all);
        let sentence = match suspended {
            0 => count,
            some => format!("{count}, {}", words!(overview.suspended, count = some)),
        };
        card("/services", sentence, suspended > 0);
    }
    if open(Permission::DomainsView) {
        let soon = latchkey.now().after(crate::domains::api::SOON);
        let standing = areas::domains_standing(latchkey, actor, soon).await?;
        let expiring = standing.trouble;
        let count = words!(overview.domains, count = standing.all);
        let sentence = match expiring {
            0 => count,
            some => format!("{count}, {}", words!(overview.expiring, count = some)),
        };
        card("/domains", sentence, expiring > 0);
    }
    if open(Permission::BillingView) {
        let invoices = areas::invoices(latchkey, actor).await?;
        let due = invoices.iter().filter(|invoice| invoice.state != "paid").count();
        let overdue = invoices.iter().any(|invoice| invoice.state == "overdue");
        let sentence = match due {
            0 => words!(overview.invoices_paid),
            some => words!(overview.invoices_due, count = some),
        };
        card("/billing", sentence, overdue);
    }
    if open(Permission::SupportView) {
        let requests = areas::support_requests(latchkey, actor).await?;
        let open = requests.iter().filter(|request| request.state != "closed").count();
        let sentence = match open {
            0 => words!(overview.support_quiet),
            some => words!(overview.support_open, count = some),
        };
        card("/support", sentence, false);
    }
    if open(Permission::AccountUsers) {
        card("/users", words!(overview.users), false);
    }
    if open(Permission::AccountProfile) {
        card("/account", words!(overview.details), false);
    }
    if open(Permission::AccountLog) {
        card("/log", words!(overview.log), false);
    }
    let yours = words::your_access(&domain::accounts::own_access(latchkey, actor).await?);
    let closed = closed_areas(inside).await?;
    let number = inside.acting.number;
    let own = domain::owner_changes::own(latchkey, actor).await?;
    let becoming = own.map(|change| becoming(number, change.id, change.due_at));
    let take_over = match becoming {
        Some(_) => None,
        None => way_to_take_over(inside).await?,
    };
    Ok(OverviewView { cards, yours, owner: actor.owns(), becoming, take_over, closed })
}

/// The account's details as the form shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DetailsView {
    /// Its name.
    pub(crate) name: String,
    /// Street and number.
    pub(crate) street: String,
    /// Postal code.
    pub(crate) postal_code: String,
    /// Town.
    pub(crate) town: String,
    /// Country.
    pub(crate) country: String,
    /// The time zone in which its days end; empty for the provider's.
    pub(crate) time_zone: String,
    /// Which that is, in a sentence.
    pub(crate) time_zone_hint: String,
    /// All of it, for comparing when it is saved.
    pub(crate) before: String,
}

/// The account's details.
#[server(prefix = "/api", endpoint = "account/details", input = GetUrl)]
pub(crate) async fn details_page(account: String) -> Result<Page<DetailsView>, Problem> {
    let inside = request::inside(&account).await?;
    let details = domain::accounts::details(&inside.latchkey, &inside.acting.actor).await;
    let view = |details: domain::accounts::AccountDetails| DetailsView {
        before: write_details(&details),
        name: details.name,
        street: details.street,
        postal_code: details.postal_code,
        town: details.town,
        country: details.country,
        time_zone: details.time_zone,
        time_zone_hint: words!(
            details.time_zone_hint,
            zone = inside.latchkey.settings.time_zone.clone()
        ),
    };
    let content = details.map(view);
    inside.page(content).await
}

/// Changes the account's details.
#[server(prefix = "/api", endpoint = "account/change-details")]
pub(crate) async fn change_details(
    account: String,
    account_name: String,
    #[server(default)] street: String,
    #[server(default)] postal_code: String,
    #[server(default)] town: String,
    #[server(default)] country: String,
    #[server(default)] time_zone: Typed,
    #[server(default)] before: String,
) -> Result<(), Problem> {
    let inside = request::inside(&account).await?;
    let typed = domain::accounts::TypedDetails {
        name: account_name,
        street,
        postal_code,
        town,
        country,
        time_zone: time_zone.0,
    };
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    let (before, client) = (read_details(&before), request::client()?);
    domain::accounts::change_details(latchkey, actor, &typed, before.as_ref(), &client).await?;
    let number = inside.acting.number;
    request::done(&address_of(DETAILS, &[&number]), Notice::ChangesSaved);
    Ok(())
}

/// The details as they travel in a form unseen.
#[cfg(feature = "ssr")]
fn write_details(details: &domain::accounts::AccountDetails) -> String {
    let domain::accounts::AccountDetails { name, street, postal_code, town, country, time_zone } =
        details;
    let details = [name, street, postal_code, town, country, time_zone];
    leptos::serde_json::to_string(&details).unwrap_or_default()
}

/// Reads them back; broken ones mean that they aren't compared.
#[cfg(feature = "ssr")]
fn read_details(text: &str) -> Option<domain::accounts::AccountDetails> {
    let read: Option<[String; 6]> = leptos::serde_json::from_str(text).ok();
    let [name, street, postal_code, town, country, time_zone] = read?;
    let details =
        domain::accounts::AccountDetails { name, street, postal_code, town, country, time_zone };
    Some(details)
}

/// What the page for leaving shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeaveView {
    /// The account's name.
    pub(crate) account: String,
    /// Whether the reader owns it.
    pub(crate) owner: bool,
    /// Whether nobody else does who can come in, so that they can't leave.
    pub(crate) last_owner: bool,
}

/// The page that asks once more before leaving.
#[server(prefix = "/api", endpoint = "account/leave-page", input = GetUrl)]
pub(crate) async fn leave_page(account: String) -> Result<Page<LeaveView>, Problem> {
    let inside = request::inside_to_leave(&account).await?;
    let actor = &inside.acting.actor;
    let last_owner = domain::accounts::is_last_owner(&inside.latchkey, actor).await?;
    let view = LeaveView { account: inside.acting.name.clone(), owner: actor.owns(), last_owner };
    inside.page(Ok(view)).await
}

/// Ends the reader's own access.
#[server(prefix = "/api", endpoint = "account/leave")]
pub(crate) async fn leave(account: String) -> Result<(), Problem> {
    let inside = request::inside_to_leave(&account).await?;
    let (latchkey, actor) = (&inside.latchkey, &inside.acting.actor);
    domain::users::leave(latchkey, actor, &request::client()?).await?;
    request::done(ACCOUNTS, Notice::Left { account: inside.acting.name });
    Ok(())
}
