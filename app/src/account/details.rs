//! The account's name and address.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::{Area, Field};

use crate::account::api::{self, DetailsView};
use crate::address::{DETAILS, address_of};
use crate::endpoint::endpoint;
use crate::loading::{Loading, framed};
use crate::title::PageTitle;
use crate::ui::field::TextField;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::page_head::page_head;

/// `/accounts/{n}/account`
pub(crate) struct DetailsPage(Loading<DetailsView>);

#[lazy_route]
impl LazyRoute for DetailsPage {
    fn data() -> Self {
        Self(load!(asked => api::DetailsPage { account: asked.account() }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Area(Area::Account), |details, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let heading = words!(details.heading);
            let number = account.number.to_string();
            let action = address_of(DETAILS, &[&number]);
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {page_head(&heading, Some(&words!(details.lead)))}
                <Form form={endpoint::<api::ChangeDetails>()} action=action before=details.before>
                    <input type="hidden" name="account" value=number />
                    <TextField
                        field=Field::AccountName
                        label=words!(form.account_name)
                        autocomplete="organization"
                        value=details.name
                    />
                    <TextField
                        field=Field::Street
                        label=words!(form.street)
                        autocomplete="address-line1"
                        value=details.street
                    />
                    <TextField
                        field=Field::PostalCode
                        label=words!(form.postal_code)
                        autocomplete="postal-code"
                        value=details.postal_code
                    />
                    <TextField
                        field=Field::Town
                        label=words!(form.town)
                        autocomplete="address-level2"
                        value=details.town
                    />
                    <TextField
                        field=Field::Country
                        label=words!(form.country)
                        autocomplete="country-name"
                        value=details.country
                    />
                    <TextField
                        field=Field::TimeZone
                        label=words!(form.time_zone)
                        hint=details.time_zone_hint
                        autocomplete="off"
                        value=details.time_zone
                    />
                    <div class="form-actions">
                        <SubmitButton words=words!(form.save) />
                    </div>
                </Form>
            }
            .into_any()
        })
    }
}
