//! Server functions of signing in and out.

use domain::sessions::SignedIn;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::{Conflict, Failure};
use serde::{Deserialize, Serialize};

use crate::address::{ACCOUNTS, COMPANY, LINK, escape_query, same_site, sign_in_for};
use crate::identities::{self, Choice};
use crate::page::Page;
use crate::problem::Problem;
use crate::ui::factor::given;
use crate::{request, single_sign_on};

/// What the sign-in page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignInView {
    /// The page's own path.
    pub(crate) action: String,
    /// Where to go after signing in.
    pub(crate) next: String,
    /// The address in the field.
    pub(crate) email: String,
    /// The password in the field: only ever the demo's public one.
    pub(crate) password: String,
    /// Whether a passkey can be used here.
    pub(crate) passkeys: bool,
    /// Why to sign in here, on the way to link an identity; empty otherwise.
    pub(crate) lead: String,
    /// Whom else the reader can sign in with.
    pub(crate) choices: Vec<Choice>,
    /// Where they can sign in with their company; empty where no company can.
    pub(crate) company: String,
    /// The demo's people; none outside the demo.
    pub(crate) demo: Vec<DemoLogin>,
}

/// Somebody whom the demo lets you be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DemoLogin {
    /// Their name.
    pub(crate) name: String,
    /// What they are.
    pub(crate) role: String,
    /// The link that fills the form.
    pub(crate) href: String,
    /// The password of all of them.
    pub(crate) password: String,
}

/// The sign-in page.
#[server(prefix = "/api", endpoint = "sign-in/page", input = GetUrl)]
pub(crate) async fn sign_in_page(next: String, r#as: String) -> Result<Page<SignInView>, Problem> {
    let next = same_site(&next).unwrap_or(ACCOUNTS).to_owned();
    let demo = if request::site().demo { demo_logins(&next) } else { Vec::new() };
    let chosen = domain::demo::PEOPLE.iter().find(|person| person.email == r#as);
    let chosen = chosen.filter(|_| !demo.is_empty());
    let mut view = SignInView {
        action: sign_in_for(&next),
        email: chosen.map(|person| person.email.to_owned()).unwrap_or_default(),
        password: chosen.map(|_| domain::demo::PASSWORD.to_owned()).unwrap_or_default(),
        passkeys: request::latchkey()?.has_passkeys(),
        lead: String::new(),
        choices: identities::choices()?,
        company: if single_sign_on::sign_in::is_set_up().await? {
            format!("{}?next={}", COMPANY, escape_query(&next))
        } else {
            String::new()
        },
        demo,
        next,
    };
    if view.next == LINK
        && let Some(offered) = identities::offered_here().await?
    {
        let email = offered.email.to_string();
        view.lead =
            words!(identity.sign_in_lead, provider = offered.provider, email = email.clone());
        view.email = email;
        view.choices = Vec::new();
        view.company = String::new();
    }
    request::plain_page(None, view).await
}

fn demo_logins(next: &str) -> Vec<DemoLogin> {
    use domain::demo::{AMIRA, BJORN, INGRID, MEI, OLAV, TOM};
    let roles = [
        (INGRID, words!(sign_in.demo_ingrid)),
        (OLAV, words!(sign_in.demo_olav)),
        (AMIRA, words!(sign_in.demo_amira)),
        (BJORN, words!(sign_in.demo_bjorn)),
        (MEI, words!(sign_in.demo_mei)),
        (TOM, words!(sign_in.demo_tom)),
    ];
    let page = sign_in_for(next);
    let login = |(person, role): (domain::demo::DemoPerson, String)| DemoLogin {
        name: person.name.to_owned(),
        role,
        href: format!("{page}&as={}", escape_query(person.email)),
        password: domain::demo::PASSWORD.to_owned(),
    };
    roles.into_iter().map(login).collect()
}

/// Signs in and goes on to where the reader was heading.
#[server(prefix = "/api", endpoint = "sign-in")]
pub(crate) async fn sign_in(
    email: String,
    password: String,
    #[server(default)] next: String,
) -> Result<(), Problem> {
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let before = request::session();
    let next = same_site(&next).unwrap_or(ACCOUNTS);
    match domain::sessions::sign_in(&latchkey, &email, &password, &client, before.as_ref()).await? {
        SignedIn::Wholly(begun) => {
            request::begin_session(&begun)?;
            request::redirect(next);
        }
        SignedIn::HalfWay(sign_in) => request::ask_for_second_factor(&sign_in, next),
    }
    Ok(())
}

/// Asks the browser for any passkey, to sign in with.
#[server(prefix = "/api", endpoint = "sign-in/ask-for-passkey")]
pub(crate) async fn ask_for_passkey() -> Result<String, Problem> {
    Ok(domain::passkeys::ask_to_sign_in(&request::latchkey()?, &request::client()?).await?)
}

/// Signs in with a passkey and goes on to where the reader was heading.
#[server(prefix = "/api", endpoint = "sign-in/passkey")]
pub(crate) async fn sign_in_with_passkey(
    #[server(default)] credential: String,
    #[server(default)] next: String,
) -> Result<(), Problem> {
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let before = request::session();
    let begun = domain::passkeys::sign_in(&latchkey, &credential, &client, before.as_ref());
    request::begin_session(&begun.await?)?;
    request::redirect(same_site(&next).unwrap_or(ACCOUNTS));
    Ok(())
}

/// What the page for the second factor shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecondFactorView {
    /// Where to go after signing in.
    pub(crate) next: String,
    /// Whether a sign-in waits for it; else it begins anew.
    pub(crate) waits: bool,
    /// Whether a code of an authenticator app can be given.
    pub(crate) app: bool,
    /// Whether a passkey can be given.
    pub(crate) passkey: bool,
}

/// The page for the second factor.
#[server(prefix = "/api", endpoint = "sign-in/second-factor-page", input = GetUrl)]
pub(crate) async fn second_factor_page(next: String) -> Result<Page<SecondFactorView>, Problem> {
    let next = same_site(&next).unwrap_or(ACCOUNTS).to_owned();
    let step = match request::sign_in() {
        Some(sign_in) => {
            match domain::second_step::second_step(&request::latchkey()?, &sign_in).await {
                Ok(step) => Some(step),
                Err(Failure::Conflict(_)) => None,
                Err(failure) => return Err(failure.into()),
            }
        }
        None => None,
    };
    let view = SecondFactorView {
        next,
        waits: step.is_some(),
        app: step.is_some_and(|step| step.app),
        passkey: step.is_some_and(|step| step.passkey),
    };
    request::plain_page(None, view).await
}

/// Asks the browser for a passkey, as the second step of a sign-in.
#[server(prefix = "/api", endpoint = "sign-in/ask-for-second-step")]
pub(crate) async fn ask_for_second_step() -> Result<String, Problem> {
    let sign_in = request::sign_in().ok_or(Failure::Conflict(Conflict::SignInOver))?;
    Ok(domain::passkeys::ask_for_second_step(&request::latchkey()?, &sign_in).await?)
}

/// Takes the second factor and goes on to where the reader was heading.
#[server(prefix = "/api", endpoint = "sign-in/second-factor")]
pub(crate) async fn second_factor(
    #[server(default)] by: String,
    #[server(default)] code: String,
    #[server(default)] credential: String,
    #[server(default)] next: String,
) -> Result<(), Problem> {
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let sign_in = request::sign_in().ok_or(Failure::Conflict(Conflict::SignInOver))?;
    let before = request::session();
    let given = given(&by, &code, &credential);
    let begun =
        domain::second_step::finish_sign_in(&latchkey, &sign_in, given, &client, before.as_ref());
    request::begin_session(&begun.await?)?;
    request::redirect(same_site(&next).unwrap_or(ACCOUNTS));
    Ok(())
}

/// Takes the reader's password as a fresh proof of who they are, on the way to something that
/// takes one.
#[server(prefix = "/api", endpoint = "sign-in/confirm")]
pub(crate) async fn confirm(#[server(default)] password: String) -> Result<(), Problem> {
    let viewer = request::viewer()?;
    let session = request::session().ok_or(Failure::SignedOut)?;
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    domain::sessions::confirm(&latchkey, &viewer, &session, &password, &client).await?;
    Ok(())
}

/// Takes a second factor of the reader's instead.
#[server(prefix = "/api", endpoint = "sign-in/confirm-by-factor")]
pub(crate) async fn confirm_by_factor(
    #[server(default)] by: String,
    #[server(default)] code: String,
    #[server(default)] credential: String,
) -> Result<(), Problem> {
    let viewer = request::viewer()?;
    let session = request::session().ok_or(Failure::SignedOut)?;
    let given = given(&by, &code, &credential);
    domain::second_step::confirm(&request::latchkey()?, &viewer, &session, given).await?;
    Ok(())
}

/// Leads on to a page that asked first who its reader is.
#[server(prefix = "/api", endpoint = "sign-in/go-on")]
pub(crate) async fn go_on(#[server(default)] next: String) -> Result<(), Problem> {
    request::viewer()?;
    request::redirect(&next);
    Ok(())
}
