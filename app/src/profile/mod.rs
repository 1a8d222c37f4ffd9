//! The reader's name, address and language.

pub(crate) mod api;
pub(crate) mod email;

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Field;

use crate::address::{EMAIL, PROFILE};
use crate::endpoint::endpoint;
use crate::languages;
use crate::loading::{Loading, framed};
use crate::profile::api::ProfileView;
use crate::title::PageTitle;
use crate::ui::field::TextField;
use crate::ui::form::{Form, FormState, SubmitButton};
use crate::ui::frame::Here;

/// `/profile`
pub(crate) struct ProfilePage(Loading<ProfileView>);

#[lazy_route]
impl LazyRoute for ProfilePage {
    fn data() -> Self {
        Self(load!(_asked => api::ProfilePage {}))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Elsewhere, |view, frame| {
            let heading = words!(profile.heading);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                <div class="page-head">
                    <div>
                        <h1>{heading}</h1>
                        <p class="lead">{words!(profile.lead)}</p>
                    </div>
                </div>
                <Form form={endpoint::<api::SaveProfile>()} action=PROFILE>
                    <TextField
                        field=Field::FullName
                        label=words!(form.full_name)
                        autocomplete="name"
                        value=view.name
                    />
                    <TextField
                        field=Field::Email
                        label=words!(form.email)
                        hint=view.email_hint
                        kind="email"
                        value=view.email
                        readonly=true
                    />
                    <p><a href=EMAIL>{words!(email.heading)}</a></p>
                    {language_field(&view.language)}
                    <div class="form-actions">
                        <SubmitButton words=words!(form.save) />
                    </div>
                </Form>
            }
            .into_any()
        })
    }
}

fn language_field(present: &str) -> impl IntoView + use<> {
    let typed = FormState::here().value("language").unwrap_or_else(|| present.to_owned());
    let options = languages::all().into_iter().map(move |(tag, name)| {
        view! { <option value=tag lang=tag selected=tag == typed>{name}</option> }
    });
    view! {
        <div class="field">
            <label for="language">{words!(language.choose)}</label>
            <p class="hint" id="language-hint">{words!(profile.language_hint)}</p>
            <select id="language" name="language" aria-describedby="language-hint">
                {options.collect_view()}
            </select>
        </div>
    }
}
