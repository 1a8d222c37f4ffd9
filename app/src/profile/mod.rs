//! The reader's name, address, language and time zone, and the ways to what is known of them and out.

pub(crate) mod api;
pub(crate) mod delete;
pub(crate) mod email;

use domain::zones;
use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::Field;

use crate::address::{DELETE_LOGIN, EMAIL, OWN_DATA, PROFILE, from_here};
use crate::endpoint::endpoint;
use crate::languages;
use crate::loading::{Loading, framed};
use crate::profile::api::ProfileView;
use crate::title::PageTitle;
use crate::ui::field::TextField;
use crate::ui::form::{Form, FormState, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::page_head::page_head;

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
                {page_head(&heading, Some(&words!(profile.lead)))}
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
                    <p><a href=from_here(EMAIL)>{words!(email.heading)}</a></p>
                    {language_field(&view.language)}
                    {time_zone_field(view.time_zone)}
                    <div class="form-actions">
                        <SubmitButton words=words!(form.save) />
                    </div>
                </Form>
                <section>
                    <h2>{words!(profile.data_heading)}</h2>
                    <p>{words!(profile.data_text)}</p>
                    <p><a href=OWN_DATA rel="external">{words!(profile.data_link)}</a></p>
                    <p><a href=from_here(DELETE_LOGIN)>{words!(leaving.heading)}</a></p>
                </section>
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

fn time_zone_field(present: String) -> impl IntoView + use<> {
    let (state, name) = (FormState::here(), Field::TimeZone.name());
    let typed = state.value(name).unwrap_or(present);
    let mut names = zones::names();
    // What was typed stays, and so does a zone that another version knew.
    if !typed.is_empty() && !names.contains(&typed) {
        names.insert(0, typed.clone());
    }
    let option = |zone: String| {
        let selected = zone == typed;
        view! { <option value=zone.clone() selected=selected>{zone.clone()}</option> }
    };
    let options = names.into_iter().map(option).collect_view();
    let error = state.error(Field::TimeZone);
    let described_by = match error {
        Some(_) => "time_zone-hint time_zone-error",
        None => "time_zone-hint",
    };
    let invalid = error.is_some();
    let error = error.map(|error| {
        view! { <p class="field-error" id="time_zone-error">{error}</p> }
    });
    view! {
        <div class="field" class:field-invalid=invalid>
            <label for=name>{words!(form.time_zone)}</label>
            <p class="hint" id="time_zone-hint">{words!(profile.time_zone_hint)}</p>
            {error}
            <select
                id=name
                name=name
                translate="no"
                aria-describedby=described_by
                aria-invalid=invalid.then_some("true")
            >
                <option value="" translate="yes" selected=typed.is_empty()>
                    {words!(profile.time_zone_none)}
                </option>
                {options}
            </select>
        </div>
    }
}
