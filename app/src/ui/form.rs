//! Forms: plain posts to the page's own path that get better with the WASM. Without it the server
//! renders the page again with errors and values; with it the answer is shown in place.

use leptos::prelude::*;
use model::Field;

use crate::address::from_here;
use crate::endpoint::Endpoint;
use crate::eyes::ReadOnly;
#[cfg(feature = "hydrate")]
use crate::made_for::MADE_FOR_HEADER;
use crate::made_for::{MADE_FOR, made_for};
#[cfg(not(feature = "ssr"))]
use crate::problem::Problem;
use crate::problem::{Told, Way};
use crate::rejected::{Rejected, Taken};
use crate::title::HasErrors;
use crate::wire::shared;

/// The field that holds what a form was made of.
pub(crate) const BEFORE: &str = "before";

/// How a form stands: what its fields and its summary show.
#[derive(Clone, Copy)]
pub(crate) struct FormState {
    problem: RwSignal<Option<Told>>,
    values: StoredValue<Vec<(String, String)>>,
    rejected: StoredValue<bool>,
    busy: RwSignal<bool>,
}

impl FormState {
    /// The form around the present component.
    pub(crate) fn here() -> Self {
        use_context::<Self>().unwrap_or_else(|| Self::new(None, None))
    }

    fn new(rejected: Option<Rejected>, before: Option<&str>) -> Self {
        let (problem, values) =
            rejected.map_or((None, None), |back| (Some(back.told), Some(back.values)));
        // What was typed into a form that is out of date gives way to how it stands now.
        let fresh = |values: &Vec<(String, String)>| {
            let was = values.iter().find(|(name, _)| name == BEFORE).map(|(_, was)| was.as_str());
            was.is_none() || was == before
        };
        let values = values.filter(fresh);
        Self {
            rejected: StoredValue::new(values.is_some()),
            problem: RwSignal::new(problem),
            values: StoredValue::new(values.unwrap_or_default()),
            busy: RwSignal::new(false),
        }
    }

    /// What is wrong with a field, in words.
    pub(crate) fn error(self, field: Field) -> Option<String> {
        let of_field = |(target, _): &&(String, String)| target == field.name();
        self.problem
            .with(|told| told.as_ref()?.0.iter().find(of_field).map(|(_, words)| words.clone()))
    }

    /// What was typed before the form came back.
    pub(crate) fn value(self, name: &str) -> Option<String> {
        self.values.with_value(|values| {
            values.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone())
        })
    }

    /// Everything that was chosen under one name; none when the form didn't come back.
    pub(crate) fn chosen(self, name: &str) -> Option<Vec<String>> {
        self.rejected.get_value().then(|| {
            self.values.with_value(|values| {
                let chosen = values.iter().filter(|(found, _)| found == name);
                chosen.map(|(_, value)| value.clone()).collect()
            })
        })
    }

    fn errors(self) -> Vec<(String, String)> {
        self.problem.with(|told| told.as_ref().map(|told| told.0.clone()).unwrap_or_default())
    }
}

/// A form that posts to the page's own path.
#[component]
pub(crate) fn Form(
    /// Its server function.
    form: Endpoint,
    /// The path that it posts to: the one of the page that shows it. The account around it stays.
    #[prop(into)]
    action: String,
    /// Its class; `form` when none is given.
    #[prop(optional)]
    class: Option<&'static str>,
    /// Whether the error summary stands here; false for a form of one button beside others.
    #[prop(default = true)]
    summary: bool,
    /// One of its values, where a page has several forms of the kind: which of them came back.
    #[prop(optional)]
    target: Option<String>,
    /// What it was made of, as its server function compares it: it isn't saved over what somebody
    /// else changed meanwhile.
    #[prop(optional, into)]
    before: Option<String>,
    /// What was typed into it before one looked what it would give.
    #[prop(default = None)]
    back: Option<Rejected>,
    /// Where what may be wrong with it leads.
    #[prop(optional)]
    ways: Vec<(Way, String)>,
    /// Its fields and buttons.
    children: Children,
) -> impl IntoView {
    let mine = move || {
        let rejected = use_context::<Rejected>().filter(|rejected| rejected.form == form.name())?;
        let targeted = |target: String| rejected.values.iter().any(|(_, value)| *value == target);
        let mine = target.is_none_or(targeted);
        if let Some(taken) = use_context::<Taken>().filter(|_| mine) {
            taken.take();
        }
        mine.then_some(rejected)
    };
    let state = FormState::new(shared(mine).or(back), before.as_deref());
    let action = from_here(&action);
    let send = {
        let errors = use_context::<HasErrors>();
        let sender = Sender::new(state, errors, action.clone());
        move |event| sender.send(event)
    };
    view! {
        <leptos::context::Provider value=state>
            <form
                class=class.unwrap_or("form")
                method="post"
                action=action
                novalidate
                aria-busy=move || state.busy.get().then_some("true")
                on:submit=send
            >
                {summary.then(|| view! { <ErrorSummary state=state ways=ways /> })}
                <input type="hidden" name="form" value=form.name() />
                <input type="hidden" name=MADE_FOR value=made_for() />
                {before.map(|before| view! { <input type="hidden" name=BEFORE value=before /> })}
                {children()}
            </form>
        </leptos::context::Provider>
    }
}

/// What is wrong, with a link to each field. It takes the focus.
#[component]
fn ErrorSummary(state: FormState, ways: Vec<(Way, String)>) -> impl IntoView {
    let place = NodeRef::<leptos::html::Div>::new();
    Effect::new(move |_| {
        if state.problem.with(Option::is_some)
            && let Some(summary) = place.get()
        {
            // It is made before it stands in the page, and only there can it take the focus.
            request_animation_frame(move || {
                let _focused = summary.focus();
            });
        }
    });
    move || {
        let errors = state.errors();
        (!errors.is_empty()).then(|| {
            let lines = errors
                .into_iter()
                .filter_map(|(target, words)| {
                    if let Some((way, whom)) = Way::read(&target) {
                        let (_, to) = ways.iter().find(|(known, _)| *known == way)?;
                        let href = whom.map_or_else(|| to.clone(), |whom| format!("{to}/{whom}"));
                        return Some(view! { <li><a href=href>{words}</a></li> }.into_any());
                    }
                    if target == "main" {
                        return Some(view! { <li>{words}</li> }.into_any());
                    }
                    let href = format!("#{target}");
                    Some(view! { <li><a href=href rel="external">{words}</a></li> }.into_any())
                })
                .collect_view();
            view! {
                <div class="error-summary" role="alert" tabindex="-1" autofocus node_ref=place>
                    <h2>{words!(form.problem)}</h2>
                    <ul>{lines}</ul>
                </div>
            }
        })
    }
}

/// The button that sends the form. It does so once: until the answer is there it is busy. Through
/// somebody else's eyes it does nothing.
#[component]
pub(crate) fn SubmitButton(
    /// Its class besides `button`.
    #[prop(default = "button-primary")]
    class: &'static str,
    /// Its accessible name, where that says more than the words on it.
    #[prop(optional, into)]
    label: Option<String>,
    /// The words on it.
    #[prop(into)]
    words: String,
) -> impl IntoView {
    let state = FormState::here();
    let read_only = ReadOnly::here();
    view! {
        <button
            type="submit"
            class=format!("button {class}")
            aria-label=label
            disabled=read_only.is_some()
            title=read_only
            aria-busy=move || state.busy.get().then_some("true")
        >
            {words}
        </button>
    }
}

/// Sends a form by `fetch` and shows the answer in place.
#[derive(Clone)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "the server sends no forms"))]
struct Sender {
    state: FormState,
    errors: Option<HasErrors>,
    action: String,
    navigate: StoredValue<Option<crate::ui::go::Go>>,
}

impl Sender {
    fn new(state: FormState, errors: Option<HasErrors>, action: String) -> Self {
        let navigate = StoredValue::new(use_context::<crate::ui::go::Go>());
        Self { state, errors, action, navigate }
    }

    #[cfg(not(feature = "hydrate"))]
    #[expect(clippy::unused_self, reason = "the browser's half uses it")]
    fn send(&self, _event: leptos::ev::SubmitEvent) {}

    #[cfg(feature = "hydrate")]
    fn send(&self, event: leptos::ev::SubmitEvent) {
        use leptos::wasm_bindgen::JsCast as _;
        // Who only searches in the form gets it back whole, from the server, and who only looks what it
        // would give gets the account as it would be seen.
        if event.submitter().and_then(|by| by.get_attribute("name")).is_some_and(|by| by == "show")
        {
            return;
        }
        event.prevent_default();
        if self.state.busy.get_untracked() {
            return;
        }
        let Some(form) =
            event.target().and_then(|target| target.dyn_into::<web_sys::HtmlFormElement>().ok())
        else {
            return;
        };
        let Some(body) = encode(&form) else { return };
        self.state.busy.set(true);
        let sender = self.clone();
        leptos::task::spawn_local(async move {
            let outcome = post(&sender.action, body).await;
            match outcome {
                // Busy until the next page is there: a second click would send once more.
                Ok(location) => {
                    set_timeout(
                        move || {
                            sender.state.busy.try_set(false);
                        },
                        std::time::Duration::from_secs(10),
                    );
                    sender.state.problem.try_set(None);
                    if let Some(errors) = sender.errors {
                        errors.0.try_set(false);
                    }
                    if let Some(Some(go)) = sender.navigate.try_get_value() {
                        go.to(&location);
                    }
                }
                // The page that asks who the sender is comes from the server, whole, and sends the
                // form on; so do the one that shows how things stand now, and the one of those who
                // signed in, or of the build that came, since this tab was opened.
                Err(Refusal { told, outdated, of_before })
                    if told.asks_to_confirm() || of_before || (outdated && has_before(&form)) =>
                {
                    let _sent = form.submit();
                }
                Err(Refusal { told: problem, .. }) => {
                    sender.state.busy.try_set(false);
                    if let Some(errors) = sender.errors {
                        errors.0.try_set(true);
                    }
                    sender.state.problem.try_set(Some(problem));
                }
            }
        });
    }
}

/// The form's values as a browser without scripts would send them.
#[cfg(feature = "hydrate")]
fn encode(form: &web_sys::HtmlFormElement) -> Option<String> {
    let values = web_sys::FormData::new_with_form(form).ok()?;
    let values = web_sys::UrlSearchParams::new_with_str_sequence_sequence(&values).ok()?;
    Some(values.to_string().into())
}

/// Whether the form says what it was made of.
#[cfg(feature = "hydrate")]
fn has_before(form: &web_sys::HtmlFormElement) -> bool {
    web_sys::FormData::new_with_form(form).is_ok_and(|values| values.has(BEFORE))
}

/// Why a form was refused.
#[cfg(feature = "hydrate")]
struct Refusal {
    told: Told,
    /// Whether things don't stand any more as the form took them to.
    outdated: bool,
    /// Whether the tab itself is of before.
    of_before: bool,
}

#[cfg(feature = "hydrate")]
impl Refusal {
    fn unreachable() -> Self {
        Self { told: Told::unreachable(), outdated: false, of_before: false }
    }
}

/// Posts the form; answers where to go, or what is wrong.
#[cfg(feature = "hydrate")]
async fn post(action: &str, body: String) -> Result<String, Refusal> {
    let request = gloo_net::http::Request::post(action)
        .header("Accept", "application/json")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
        .map_err(|_| Refusal::unreachable())?;
    let answer = request.send().await.map_err(|_| Refusal::unreachable())?;
    let of_before = is_of_before(&answer);
    if answer.ok() {
        let location = answer.headers().get("location").ok_or_else(Refusal::unreachable)?;
        if of_before {
            let _loading = window().location().assign(&location);
            return std::future::pending().await;
        }
        return Ok(location);
    }
    let outdated = answer.status() == 409;
    let text = answer.text().await.map_err(|_| Refusal::unreachable())?;
    let told = Told::read(&text).unwrap_or_else(Told::unreachable);
    Err(Refusal { told, outdated, of_before })
}

/// Whether others signed in, or another build came, since this tab was opened.
#[cfg(feature = "hydrate")]
fn is_of_before(answer: &gloo_net::http::Response) -> bool {
    let now = answer.headers().get(MADE_FOR_HEADER);
    now.is_some_and(|now| !made_for().starts_with(&now))
}

/// Asks for a page's content; answers it as it was written, or what is wrong. What isn't for this
/// tab, the server shows whole.
#[cfg(feature = "hydrate")]
pub(crate) async fn get(address: String) -> Result<String, Problem> {
    let request = gloo_net::http::Request::get(&address).header("Accept", "application/json");
    let answer = request.send().await.map_err(|_| Problem::Unreachable)?;
    if is_of_before(&answer) {
        return Err(Problem::of_status(409));
    }
    let text = answer.text().await.map_err(|_| Problem::Unreachable)?;
    // A page is a text, also one that is refused; a problem isn't.
    let page = js_sys::JSON::parse(&text).ok().and_then(|page| page.as_string());
    page.ok_or_else(|| Problem::of_status(answer.status()))
}

/// Nothing to ask with: neither a server nor a browser.
#[cfg(not(any(feature = "hydrate", feature = "ssr")))]
pub(crate) async fn get(_address: String) -> Result<String, Problem> {
    Err(Problem::Unreachable)
}
