//! The second step of signing in: a passkey, a code of the authenticator app, or a recovery code.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::address::{SECOND_FACTOR, guide, leading_on, sign_in_for};
use crate::contact;
use crate::endpoint::endpoint;
use crate::loading::{Loading, narrow};
use crate::sign_in::api::{self, SecondFactorView};
use crate::title::PageTitle;
use crate::ui::factor::FactorForms;

/// `/sign-in/second-factor`
pub(crate) struct SecondFactorPage(Loading<SecondFactorView>);

#[lazy_route]
impl LazyRoute for SecondFactorPage {
    fn data() -> Self {
        Self(load!(asked => api::SecondFactorPage { next: asked.query("next") }))
    }

    fn view(this: Self) -> AnyView {
        narrow(this.0, |view, frame| {
            let heading = words!(second_factor.heading);
            let again = sign_in_for(&view.next);
            if !view.waits {
                return view! {
                    <PageTitle title=heading.clone() provider=frame.provider />
                    <h1>{heading}</h1>
                    <p>{words!(failure.sign_in_over)}</p>
                    <p>
                        <a class="button button-primary" href=again rel="external">
                            {words!(second_factor.again)}
                        </a>
                    </p>
                }
                .into_any();
            }
            view! {
                <PageTitle title=heading.clone() provider=frame.provider.clone() />
                <h1>{heading}</h1>
                <p>{words!(second_factor.lead)}</p>
                {FactorForms {
                    form: endpoint::<api::SecondFactor>(),
                    action: leading_on(SECOND_FACTOR, &view.next),
                    kept: vec![("next".to_owned(), view.next)],
                    app: view.app,
                    passkey: view.passkey,
                    class: "button-primary",
                    button: words!(second_factor.button),
                    passkey_button: words!(second_factor.by_passkey),
                    away: (again, words!(second_factor.again)),
                }
                    .show()}
                {lost(view.app, frame.provider)}
            }
            .into_any()
        })
    }
}

/// The ways in for whoever hasn't what they are asked for with them.
fn lost(app: bool, provider: String) -> AnyView {
    let summary =
        if app { words!(second_factor.without_app) } else { words!(second_factor.without_passkey) };
    let ways = contact::ways().into_iter().map(|way| view! { <p>{way}</p> }).collect_view();
    view! {
        <details class="asked prose">
            <summary>{summary}</summary>
            <ul>
                <li>{words!(second_factor.by_code)}</li>
                <li>{words!(second_factor.elsewhere)}</li>
                <li>{words!(second_factor.ask, provider = provider)} {ways}</li>
            </ul>
            <p>
                <a href=guide("security", None, "#lost")>{words!(guide_security.heading)}</a>
            </p>
        </details>
    }
    .into_any()
}
