//! The page to sign in with the identity provider of one's company, which the domain of one's address
//! finds.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use leptos_router::{LazyRoute, lazy_route};
use model::{Failure, Field};
use serde::{Deserialize, Serialize};

use crate::address::{ACCOUNTS, COMPANY, leading_on, same_site, sign_in_for};
use crate::endpoint::endpoint;
use crate::loading::{Loading, narrow};
use crate::page::Page;
use crate::problem::Problem;
use crate::request;
use crate::single_sign_on::api;
use crate::title::PageTitle;
use crate::ui::field::TextField;
use crate::ui::form::{Form, SubmitButton};

/// `/sign-in/single-sign-on`
pub(crate) struct CompanyPage(Loading<CompanyView>);

#[lazy_route]
impl LazyRoute for CompanyPage {
    fn data() -> Self {
        Self(load!(asked => FindCompany { next: asked.query("next") }))
    }

    fn view(this: Self) -> AnyView {
        narrow(this.0, |view, frame| {
            let CompanyView { action, next, email } = view;
            let heading = words!(sso.company);
            let back = sign_in_for(&next);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <h1>{heading}</h1>
                <p>{words!(sso.company_lead)}</p>
                <Form form={endpoint::<api::SignInWithCompany>()} action=action>
                    <input type="hidden" name="next" value=next />
                    <TextField
                        field=Field::Email
                        label=words!(sso.company_email)
                        kind="email"
                        autocomplete="username"
                        value=email
                    />
                    <div class="form-actions">
                        <SubmitButton words=words!(second_factor.button) />
                        <a href=back rel="external">{words!(sso.with_password)}</a>
                    </div>
                </Form>
            }
            .into_any()
        })
    }
}

/// What the page to sign in with one's company shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CompanyView {
    /// The page's own path.
    pub(crate) action: String,
    /// Where to go afterwards.
    pub(crate) next: String,
    /// The address in the field.
    pub(crate) email: String,
}

/// The page to sign in with one's company.
#[server(prefix = "/api", endpoint = "sign-in/company-page", input = GetUrl)]
pub(crate) async fn find_company(next: String) -> Result<Page<CompanyView>, Problem> {
    let next = same_site(&next).unwrap_or(ACCOUNTS).to_owned();
    let viewer = request::viewer_if_any()?;
    let email = viewer.as_ref().map(|viewer| viewer.email.to_string()).unwrap_or_default();
    let action = leading_on(COMPANY, &next);
    request::plain_page(viewer.as_ref(), CompanyView { action, next, email }).await
}

/// Whether any company's people can sign in that way. A database that doesn't answer leaves the
/// sign-in page standing, with what was typed.
pub(crate) async fn is_set_up() -> Result<bool, Failure> {
    match domain::single_sign_on::is_set_up(&request::latchkey()?).await {
        Err(Failure::Unavailable) => Ok(false),
        answer => answer,
    }
}
