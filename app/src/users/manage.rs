//! Managing one user's access.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};
use model::{AccountNumber, Field, UserId};

use crate::address::{
    HAND_OVER, INVITE, LEAVE, LOG, MAKE_OWNER, MANAGE, REMOVE, STEP_DOWN, USERS, address_of,
    escape_query,
};
use crate::endpoint::endpoint;
use crate::eyes::{LookButton, SeeItAs};
use crate::loading::{Loading, framed};
use crate::problem::Way;
use crate::title::PageTitle;
use crate::ui::avatar::avatar;
use crate::ui::field::TextField;
use crate::ui::form::{Form, SubmitButton};
use crate::ui::frame::Here;
use crate::ui::page_head::back_to;
use crate::ui::state::{Mood, state};
use crate::ui::still::still;
use crate::users::api::{self, LapsedView, ManageView, ReachesView};
use crate::users::bounds::{Chosen, EnterSends};
use crate::users::giving::{Changes, GivingFields};
use crate::users::grants::{cards, give_extra_link};
use crate::users::permission_groups::Ticked;
use crate::when::{day, relative_or_never};

/// `/accounts/{n}/users/{id}`
pub(crate) struct ManagePage(Loading<ManageView>);

#[lazy_route]
impl LazyRoute for ManagePage {
    fn data() -> Self {
        Self(load!(asked => api::ManagePage {
            account: asked.account(),
            user: asked.part("user"),
            draft: asked.query("draft"),
        }))
    }

    fn view(this: Self) -> AnyView {
        framed(this.0, Here::Users, |view, frame| {
            let Some(account) = frame.account else { return ().into_any() };
            let number = account.number;
            let heading = view.heading.clone();
            let back = address_of(USERS, &[&number]);
            let own = account.eyes.is_none() && !view.you;
            let see_it_as = own.then(|| {
                let (user, name) = (view.person.id, view.person.name.clone());
                view! { <SeeItAs number=number user=user name=name /> }
            });
            let activity = view.log.then(|| {
                let name = escape_query(&view.person.name);
                let href = format!("{}?person={name}", address_of(LOG, &[&number]));
                let words = match view.you {
                    true => words!(log.your_activity),
                    false => words!(log.their_activity),
                };
                view! { <a class="button" href=href>{words}</a> }
            });
            let content = content(number, view.clone());
            let managed = view.tip.is_none();
            let give_same = view.can_be_copied.then(|| {
                let href = format!("{}?start={}", address_of(INVITE, &[&number]), view.person.id);
                view! { <a class="button" href=href>{words!(manage.give_same)}</a> }
            });
            let give_extra = managed.then(|| give_extra_link(number, view.person.id));
            let owning = owning(number, &view);
            let remove = managed.then(|| remove_button(number, view.person.id));
            let reached = view.reaches.iter().cloned().map(reaches).collect_view();
            view! {
                <PageTitle title=heading.clone() provider=frame.provider />
                {back_to(&back, &words!(manage.back))}
                <div class="page-head">
                    <div class="person">
                        {still(avatar(view.person.id, &view.person.name))}
                        <h1><bdi>{heading}</bdi></h1>
                    </div>
                    <div class="page-actions">{activity} {see_it_as} {give_same} {give_extra} {remove}</div>
                </div>
                <Facts view=view />
                {content}
                {reached}
                {owning}
            }
            .into_any()
        })
    }
}

/// What leads an owner to making another one, or to stepping down: beside what is done daily.
fn owning(number: AccountNumber, view: &ManageView) -> Option<AnyView> {
    let (user, name) = (view.person.id, view.person.name.clone());
    let link = |href: String, words: String| {
        view! { <a class="button" href=href><bdi>{words}</bdi></a> }
    };
    let links = if view.owning.can_make {
        let make = words!(owners.make, name = name.clone());
        let make = link(address_of(MAKE_OWNER, &[&number, &user]), make);
        let hand = words!(owners.hand, name = name);
        let hand = link(address_of(HAND_OVER, &[&number, &user]), hand);
        view! { {make} {hand} }.into_any()
    } else if view.owning.can_step_down {
        link(address_of(STEP_DOWN, &[&number]), words!(owners.step_down)).into_any()
    } else {
        return None;
    };
    let section = view! {
        <section>
            <h2>{words!(owners.section)}</h2>
            <div class="form-actions">{links}</div>
        </section>
    };
    Some(section.into_any())
}

/// The button that leads to where removing them is asked once more. With scripts that is a dialog over
/// the page.
fn remove_button(number: AccountNumber, user: UserId) -> AnyView {
    let action = address_of(REMOVE, &[&number, &user]);
    view! {
        <form method="get" action=action data-asks="">
            <button class="button button-loss">{words!(manage.remove)}</button>
        </form>
    }
    .into_any()
}

#[component]
fn Facts(view: ManageView) -> impl IntoView {
    let inviter = view.invited_by.map(|name| {
        view! {
            <dt>{words!(manage.invited_by)}</dt>
            <dd translate="no"><bdi>{name}</bdi></dd>
        }
    });
    let active = still(relative_or_never(view.last_active.as_ref()));
    view! {
        <dl class="facts">
            <dt>{words!(manage.email)}</dt>
            <dd>{view.person.email}</dd>
            <dt>{words!(manage.since)}</dt>
            <dd>{still(day(&view.since))}</dd>
            {inviter}
            <dt>{words!(manage.last_active)}</dt>
            <dd>{active}</dd>
        </dl>
    }
}

/// The things of an area that they reach, by name.
fn reaches(reached: ReachesView) -> AnyView {
    let heading = words!(manage.reaches, area = reached.area);
    if reached.first.is_empty() {
        return view! {
            <section class="reaches">
                <h2>{heading}</h2>
                <p>{words!(manage.reaches_none)}</p>
            </section>
        }
        .into_any();
    }
    let names = reached.first.into_iter().map(|(href, name)| {
        view! { <li><a href=href translate="no"><bdi>{name}</bdi></a></li> }
    });
    let more = (reached.more > 0).then(|| {
        let words = words!(manage.reaches_more, count = reached.more);
        view! { <li><a href=reached.list>{words}</a></li> }
    });
    view! {
        <section class="reaches">
            <h2>{heading}</h2>
            <ul>{names.collect_view()} {more}</ul>
        </section>
    }
    .into_any()
}

/// The form, or why there is none.
fn content(number: AccountNumber, view: ManageView) -> AnyView {
    if let Some(tip) = view.tip.clone() {
        let yours = Some(view.yours).filter(|yours| !yours.is_empty());
        let leave = view.you.then(|| leave_link(number));
        return view! {
            <p class="tip">{tip}</p>
            {yours.map(|yours| view! { <p>{yours}</p> })}
            {leave}
        }
        .into_any();
    }
    let action = address_of(MANAGE, &[&number, &view.person.id]);
    let (before, back) = (view.before.clone(), view.back.clone());
    let ways = vec![(Way::Remove, address_of(REMOVE, &[&number, &view.person.id]))];
    let (person, lapsed, extras) = (view.person.id, view.lapsed.clone(), view.extras.clone());
    let paused = view.paused.clone().map(|paused| (paused, view.pause.clone()));
    view! {
        {lapsed_grants(number, person, lapsed)}
        {cards(number, person, extras)}
        <h2>{words!(extra.first)}</h2>
        <Form
            form={endpoint::<api::ChangePermissions>()}
            action=action
            before=before
            back=back
            ways=ways
        >
            <input type="hidden" name="account" value=number.to_string() />
            <input type="hidden" name="user" value=view.person.id.to_string() />
            <ManageFields number=number view=view />
        </Form>
        {pause_section(number, person, paused)}
    }
    .into_any()
}

/// What ended, with a button for each that gives it anew.
fn lapsed_grants(
    number: AccountNumber,
    user: UserId,
    lapsed: Vec<LapsedView>,
) -> Option<impl IntoView> {
    let form = move |lapsed: LapsedView| {
        let action = address_of(MANAGE, &[&number, &user]);
        let button = if lapsed.can_give {
            view! {
                <Form
                    form={endpoint::<api::RenewAccess>()}
                    action=action
                    target=lapsed.grant.clone()
                >
                    <input type="hidden" name="account" value=number.to_string() />
                    <input type="hidden" name="user" value=user.to_string() />
                    <input type="hidden" name="grant" value=lapsed.grant />
                    <SubmitButton words=words!(manage.give_anew) />
                </Form>
            }
            .into_any()
        } else {
            view! { <p class="quiet">{words!(manage.cannot_give_anew)}</p> }.into_any()
        };
        view! {
            <p>
                {still(state(Mood::Trouble, &lapsed.ended))}
                " "
                {lapsed.access}
            </p>
            {button}
        }
    };
    (!lapsed.is_empty()).then(|| {
        let forms = lapsed.into_iter().map(form).collect_view();
        view! {
            <section id="anew" aria-labelledby="anew-heading">
                <h2 id="anew-heading">{words!(manage.ended)}</h2>
                {forms}
            </section>
        }
    })
}

/// Pausing, or resuming from this pause, apart from what is saved.
fn pause_section(number: AccountNumber, user: UserId, paused: Option<(String, String)>) -> AnyView {
    let action = address_of(MANAGE, &[&number, &user]);
    match paused {
        Some((paused, pause)) => view! {
            <section class="danger-zone">
                <p>{still(state(Mood::Trouble, &paused))}</p>
                <p>{words!(manage.resume_text)}</p>
                <Form form={endpoint::<api::ResumeAccess>()} action=action before=pause>
                    <input type="hidden" name="account" value=number.to_string() />
                    <input type="hidden" name="user" value=user.to_string() />
                    <TextField
                        field=Field::PauseReason
                        label=words!(manage.resume_reason)
                        hint=words!(manage.resume_reason_hint)
                        autocomplete="off"
                    />
                    <SubmitButton class="" words=words!(manage.resume) />
                </Form>
            </section>
        }
        .into_any(),
        None => view! {
            <section class="danger-zone">
                <p>{words!(manage.pause_text)}</p>
                <Form form={endpoint::<api::PauseAccess>()} action=action>
                    <input type="hidden" name="account" value=number.to_string() />
                    <input type="hidden" name="user" value=user.to_string() />
                    <TextField
                        field=Field::PauseReason
                        label=words!(manage.pause_reason)
                        hint=words!(manage.pause_reason_hint)
                        autocomplete="off"
                    />
                    <SubmitButton class="" words=words!(manage.pause) />
                </Form>
            </section>
        }
        .into_any(),
    }
}

/// Inside the form, as the ticks depend on whether it came back.
#[component]
fn ManageFields(number: AccountNumber, view: ManageView) -> impl IntoView {
    let Some(bounds) = view.bounds else { return ().into_any() };
    let look = words!(eyes.see_it_with_draft, name = view.person.name);
    let begun = view.starts.begun.as_ref();
    let ticked = Ticked::new(view.granted, view.held, begun);
    let chosen = Chosen::new(&bounds, begun);
    view! {
        <EnterSends />
        <div class="with-summary">
            <div class="fields">
                <GivingFields
                    number=number
                    starts=view.starts
                    ticked=ticked
                    chosen=chosen
                    granted=view.granted
                    held=view.held
                    locked=words!(manage.locked)
                    bounds=bounds
                />
            </div>
            <Changes
                heading=words!(manage.summary)
                ticked=ticked
                chosen=chosen
                granted=view.granted
            >
                <SubmitButton words=words!(manage.save) />
                <LookButton words=look />
            </Changes>
        </div>
    }
    .into_any()
}

fn leave_link(number: AccountNumber) -> impl IntoView {
    let href = address_of(LEAVE, &[&number]);
    view! { <p><a class="button" href=href>{words!(users.leave)}</a></p> }
}
