//! What every page is made of: its frame, a notice, its content or why it can't be shown.

use leptos::prelude::*;
use leptos::server::codee::{Decoder, Encoder};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
#[cfg(not(feature = "ssr"))]
use leptos_router::hooks::use_query_map;
use model::{Access, AccountNumber, UserId};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::problem::{Problem, Told};
use crate::ui::frame::{Content, Here};
use crate::wire::{self, shared};

/// A page as the server sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    /// What stands around the content.
    pub(crate) frame: Frame,
    /// What the last form came to.
    pub(crate) notice: Option<Said>,
    /// The content, or what is missing to see it.
    pub(crate) content: Result<T, Refused>,
}

/// Header and navigation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// The provider's name.
    pub(crate) provider: String,
    /// Whether the provider has a mark of its own.
    pub(crate) mark: bool,
    /// Whether there is a mailbox that everybody can read.
    pub(crate) mailbox: bool,
    /// Who is signed in.
    pub(crate) user: Option<Person>,
    /// Whether there are accounts to switch between.
    pub(crate) several: bool,
    /// The account that they act in.
    pub(crate) account: Option<AccountFrame>,
}

/// Somebody, as the header and the tables show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    /// Their id: their avatar's colour comes from it.
    pub(crate) id: UserId,
    /// Their full name.
    pub(crate) name: String,
    /// Their address.
    pub(crate) email: String,
}

/// The account in the frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountFrame {
    /// Its number.
    pub(crate) number: AccountNumber,
    /// Its name.
    pub(crate) name: String,
    /// What the reader may do there.
    pub(crate) access: Access,
    /// That it will take a second factor which they don't have, and the words that lead to one.
    pub(crate) closes: Option<(String, String)>,
}

/// What is missing to see a page, and whom to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refused {
    /// What is missing, in words.
    pub(crate) label: String,
    /// What follows from it, in a sentence.
    pub(crate) sentence: String,
    /// What the reader may do, in a sentence.
    pub(crate) yours: String,
    /// The owners, who can give it.
    pub(crate) owners: Vec<OwnerToAsk>,
}

/// An owner, to be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnerToAsk {
    /// Their name.
    pub(crate) name: String,
    /// Their address.
    pub(crate) email: String,
}

/// A notice in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    /// What it says.
    pub(crate) words: String,
    /// The invited address and its link, in the moment after sending.
    pub(crate) link: Option<(String, String)>,
    /// Recovery codes, in the moment after making them.
    pub(crate) codes: Vec<String>,
    /// Whether the button that copies the link stands in the invitation's row.
    pub(crate) button_in_row: bool,
}

/// What the last form came to; said once, on the page where one lands.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Notice {
    /// An invitation went out.
    InvitationSent { email: String, link: String },
    /// A pending invitation was changed and sent again.
    InvitationUpdated { email: String, link: String },
    /// A pending invitation was sent again.
    InvitationResent { email: String, link: String },
    /// An invitation was taken back.
    InvitationCancelled { email: String },
    /// The reader doesn't know who invited them.
    InvitationReported { account: String, provider: String },
    /// Something was saved.
    ChangesSaved,
    /// Everybody in the account will need a second factor.
    FactorDemanded,
    /// Nobody in the account needs a second factor any more.
    FactorNotDemanded,
    /// Those without a second factor were reminded.
    Reminded,
    /// A domain is to be proven.
    DomainAdded { domain: String },
    /// A domain is the account's.
    DomainProven { domain: String },
    /// A domain is the account's no longer.
    DomainRemoved { domain: String },
    /// The account has an identity provider of its own.
    ProviderSaved,
    /// It has none any more.
    ProviderRemoved,
    /// Signing in with it is required.
    SingleSignOnRequired,
    /// It isn't required any more.
    SingleSignOnLifted,
    /// Somebody's access ended.
    AccessRemoved { name: String },
    /// The reader left an account.
    Left { account: String },
    /// The reader joined an account.
    Joined { account: String },
    /// A password was chosen by a link.
    PasswordChanged,
    /// The reader changed their password.
    OwnPasswordChanged,
    /// The reader signed out.
    SignedOut,
    /// The reader turned an authenticator app on; these are their recovery codes.
    AppOn { codes: Vec<String> },
    /// The reader turned their authenticator app off; whether another factor is left.
    AppOff { left: bool },
    /// The reader made new recovery codes.
    CodesRenewed { codes: Vec<String> },
    /// The reader added a passkey; these are the recovery codes that their first factor brings.
    PasskeyAdded { codes: Vec<String> },
    /// The reader removed a passkey; whether another factor is left.
    PasskeyRemoved { left: bool },
    /// The reader signed out on another device.
    DeviceEnded,
    /// The reader signed out on all other devices.
    OtherDevicesEnded,
    /// A link is on its way to the address that the reader wants for their login.
    EmailAsked { email: String },
    /// The reader confirmed the address of their login.
    EmailConfirmed { email: String },
    /// The address of the reader's login was put back.
    EmailUndone { email: String },
    /// An identity opens the reader's login from now on.
    IdentityLinked { provider: String },
    /// An identity opens the reader's login no more.
    IdentityUnlinked { provider: String },
    /// The reader signed in with their company, too.
    IdentityVouched { provider: String },
    /// The reader said what they think of a guide.
    FeedbackGiven,
}

#[cfg(feature = "ssr")]
impl Notice {
    /// Puts it into words.
    pub(crate) fn say(&self) -> Said {
        let link = self.link().map(|(email, link)| (email.to_owned(), link.to_owned()));
        let codes = match self {
            Self::AppOn { codes } | Self::CodesRenewed { codes } | Self::PasskeyAdded { codes } => {
                codes.clone()
            }
            _ => Vec::new(),
        };
        Said { words: self.words(), link, button_in_row: false, codes }
    }

    fn words(&self) -> String {
        match self.clone() {
            Self::InvitationSent { email, .. } => words!(notice.invitation_sent, email = email),
            Self::InvitationUpdated { email, .. } => {
                words!(notice.invitation_updated, email = email)
            }
            Self::InvitationResent { email, .. } => {
                words!(notice.invitation_resent, email = email)
            }
            Self::InvitationCancelled { email } => {
                words!(notice.invitation_cancelled, email = email)
            }
            Self::InvitationReported { account, provider } => {
                words!(notice.invitation_reported, account = account, provider = provider)
            }
            Self::ChangesSaved => words!(notice.changes_saved),
            Self::FactorDemanded => words!(notice.factor_demanded),
            Self::FactorNotDemanded => words!(notice.factor_not_demanded),
            Self::Reminded => words!(notice.reminded),
            Self::DomainAdded { domain } => words!(notice.domain_added, domain = domain),
            Self::DomainProven { domain } => words!(notice.domain_proven, domain = domain),
            Self::DomainRemoved { domain } => words!(notice.domain_removed, domain = domain),
            Self::ProviderSaved => words!(notice.provider_saved),
            Self::ProviderRemoved => words!(notice.provider_removed),
            Self::SingleSignOnRequired => words!(notice.sso_required),
            Self::SingleSignOnLifted => words!(notice.sso_lifted),
            Self::AccessRemoved { name } => words!(notice.access_removed, name = name),
            Self::Left { account } => words!(notice.left, account = account),
            Self::Joined { account } => words!(notice.joined, account = account),
            Self::PasswordChanged => words!(notice.password_changed),
            Self::OwnPasswordChanged => words!(notice.own_password_changed),
            Self::SignedOut => words!(notice.signed_out),
            Self::AppOn { codes } if codes.is_empty() => words!(notice.app_on_beside),
            Self::AppOn { .. } => words!(notice.app_on),
            Self::AppOff { left: true } => words!(notice.app_off_beside),
            Self::AppOff { left: false } => words!(notice.app_off),
            Self::CodesRenewed { .. } => words!(notice.codes_renewed),
            Self::PasskeyAdded { codes } if codes.is_empty() => words!(notice.passkey_added_beside),
            Self::PasskeyAdded { .. } => words!(notice.passkey_added),
            Self::PasskeyRemoved { left: true } => words!(notice.passkey_removed_beside),
            Self::PasskeyRemoved { left: false } => words!(notice.passkey_removed),
            Self::DeviceEnded => words!(notice.device_ended),
            Self::OtherDevicesEnded => words!(notice.other_devices_ended),
            Self::EmailAsked { email } => words!(notice.email_asked, email = email),
            Self::EmailConfirmed { email } => words!(notice.email_confirmed, email = email),
            Self::EmailUndone { email } => words!(notice.email_undone, email = email),
            Self::IdentityLinked { provider } => {
                words!(notice.identity_linked, provider = provider)
            }
            Self::IdentityUnlinked { provider } => {
                words!(notice.identity_unlinked, provider = provider)
            }
            Self::IdentityVouched { provider } => {
                words!(notice.identity_vouched, provider = provider)
            }
            Self::FeedbackGiven => words!(notice.feedback_given),
        }
    }

    /// The invited address and its link, in the moment after sending.
    fn link(&self) -> Option<(&str, &str)> {
        match self {
            Self::InvitationSent { email, link }
            | Self::InvitationUpdated { email, link }
            | Self::InvitationResent { email, link } => Some((email, link)),
            _ => None,
        }
    }
}

/// A form that the server refused and sends back with what was typed. Provided to the page that
/// is rendered in answer to a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The form's server function.
    pub form: String,
    /// What was typed, by field name. Passwords are left out.
    pub values: Vec<(String, String)>,
    /// Why it was refused.
    pub told: Told,
}

/// A form whose sender has to prove first who they are. Provided to the page that asks for that,
/// which sends the form on.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirming {
    /// The path that the form was posted to.
    pub action: String,
    /// The form's server function.
    pub form: String,
    /// What was typed, by field name.
    pub values: Vec<(String, String)>,
    /// What it takes as a proof.
    pub takes: ProofTaken,
    /// Whether the sender has a passkey to prove it with.
    pub passkey: bool,
}

/// A form that was made for somebody else than who is signed in now. Provided to the page that
/// says so in its place.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfAnother {
    /// For whom it was made, in words.
    pub whose: String,
    /// The path that it was posted to.
    pub action: String,
    /// What was typed, by field name. Passwords are left out.
    pub values: Vec<(String, String)>,
}

/// What proves who the sender of a form is.
#[cfg(feature = "ssr")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofTaken {
    /// Their password, or a passkey in its place.
    Password,
    /// A second factor.
    Factor {
        /// Whether an authenticator app gives codes; else there are only recovery codes.
        app: bool,
    },
}

/// Whether a form took back what was refused; if its form isn't on the page any more, the page
/// says on top what is wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken(std::sync::Arc<std::sync::atomic::AtomicBool>);

impl Taken {
    /// A form took it.
    pub(crate) fn take(&self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    fn is_taken(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// What is wrong with a form that isn't on the page any more.
pub(crate) fn untaken() -> Option<Told> {
    let rejected = use_context::<Rejected>()?;
    (!use_context::<Taken>()?.is_taken()).then_some(rejected.told)
}

/// Whether the page under construction is the one that the server sent, coming to life.
#[cfg(feature = "hydrate")]
pub(crate) fn is_hydrating() -> bool {
    Owner::current_shared_context().is_some_and(|context| context.during_hydration())
}

/// Whether a page's content is on its way from the server.
#[derive(Clone, Copy)]
pub(crate) struct Waiting(pub(crate) RwSignal<bool>);

/// Counts the changes made on this page: its content is asked for anew with every one.
#[derive(Clone, Copy)]
pub(crate) struct Revision(pub(crate) RwSignal<u32>);

/// What an address asks for: its parameters and its query.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Asked {
    params: leptos_router::params::ParamsMap,
    query: Vec<(String, String)>,
}

impl Asked {
    /// A part of the path.
    pub(crate) fn part(&self, name: &str) -> String {
        self.params.get(name).unwrap_or_default()
    }

    /// The account's number in the path.
    pub(crate) fn account(&self) -> String {
        self.part("account")
    }

    /// A parameter of the query; empty when it isn't there.
    pub(crate) fn query(&self, name: &str) -> String {
        let last = self.query.iter().rfind(|(found, _)| found == name);
        last.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

/// A page is sent as one text, which the page's own piece of WASM reads: that keeps the reading of
/// each page out of the WASM that all load.
impl<T: Serialize> Serialize for Page<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = wire::write(&(&self.frame, &self.notice, &self.content));
        serializer.serialize_str(&written.map_err(serde::ser::Error::custom)?)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<T: DeserializeOwned> Page<T> {
    fn read(written: &str) -> Result<Self, postcard::Error> {
        let (frame, notice, content) = wire::read(written)?;
        Ok(Self { frame, notice, content })
    }
}

/// A page's content on its way from the server.
pub(crate) struct Loading<T> {
    written: Resource<Result<String, Problem>, Settled>,
    content: std::marker::PhantomData<fn() -> T>,
}

/// An answer on its way.
pub(crate) type Answer = std::pin::Pin<Box<dyn Future<Output = Result<String, Problem>> + Send>>;

/// `load!("users/page", asked => users_page(account = asked.account()))`: on the server a call of
/// the server function, in the browser a request to its address.
macro_rules! load {
    ($endpoint:literal, $asked:ident => $function:ident($($name:ident = $value:expr),* $(,)?)) => {
        $crate::page::load(|$asked| {
            #[cfg(feature = "ssr")]
            return Box::pin(async move {
                $crate::page::write($function($($value),*).await)
            });
            #[cfg(not(feature = "ssr"))]
            return {
                let _ = $function;
                let values = [$((stringify!($name).trim_start_matches("r#"), $value)),*];
                Box::pin($crate::page::ask($endpoint, &values))
            };
        })
    };
}

/// Asks for a page, and again whenever its address or its revision changes.
pub(crate) fn load<T>(fetch: fn(Asked) -> Answer) -> Loading<T> {
    Loading { written: written(fetch), content: std::marker::PhantomData }
}

/// How a page stands in the document, or why there is none: as much of it as the browser's half
/// has to know.
pub(crate) struct Settled;

impl Encoder<Result<String, Problem>> for Settled {
    type Error = ();
    type Encoded = String;

    fn encode(page: &Result<String, Problem>) -> Result<String, ()> {
        Ok(match page {
            Ok(written) => format!("+{written}"),
            Err(problem) => problem.status().to_string(),
        })
    }
}

impl Decoder<Result<String, Problem>> for Settled {
    type Error = ();
    type Encoded = str;

    fn decode(text: &str) -> Result<Result<String, Problem>, ()> {
        let status = || Problem::of_status(text.parse().unwrap_or_default());
        Ok(text.strip_prefix('+').map(str::to_owned).ok_or_else(status))
    }
}

fn written(fetch: fn(Asked) -> Answer) -> Resource<Result<String, Problem>, Settled> {
    let (params, query) = (use_params_map(), queried());
    let revision = use_context::<Revision>();
    Resource::new_with_options(
        move || {
            let revision = revision.map(|revision| revision.0.get());
            (Asked { params: params.get(), query: query() }, revision)
        },
        move |(asked, _)| fetch(asked),
        false,
    )
}

/// The page's path. On the server from the request itself: the page that asks who one is has no router.
pub(crate) fn path() -> String {
    #[cfg(feature = "ssr")]
    return use_context::<axum::http::request::Parts>()
        .map(|parts| parts.uri.path().to_owned())
        .unwrap_or_default();
    #[cfg(not(feature = "ssr"))]
    leptos_router::hooks::use_location().pathname.get_untracked()
}

/// The address's query. On the server from the request itself: the router decodes it twice, which
/// takes an address that stands in it apart.
#[cfg(feature = "ssr")]
fn queried() -> impl Fn() -> Vec<(String, String)> {
    let parts = use_context::<axum::http::request::Parts>();
    let query = parts.and_then(|parts| parts.uri.query().map(str::to_owned)).unwrap_or_default();
    move || form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// The address's query.
#[cfg(not(feature = "ssr"))]
fn queried() -> impl Fn() -> Vec<(String, String)> {
    let query = use_query_map();
    move || {
        let query = query.get().into_iter();
        query.map(|(name, value)| (name.into_owned(), value)).collect()
    }
}

/// The page as one text.
#[cfg(feature = "ssr")]
pub(crate) fn write<T: Serialize>(page: Result<Page<T>, Problem>) -> Result<String, Problem> {
    let Page { frame, notice, content } = page?;
    wire::write(&(frame, notice, content)).map_err(|_| Problem::Unreachable)
}

/// The answer of the server function at this address.
#[cfg(not(feature = "ssr"))]
pub(crate) fn ask(
    endpoint: &str,
    values: &[(&str, String)],
) -> impl Future<Output = Result<String, Problem>> + Send + use<> {
    let mut address = format!("/api/{endpoint}?");
    for (name, value) in values {
        address.push_str(&format!("{name}={}&", escape_query(value)));
    }
    send_wrapper::SendWrapper::new(crate::ui::form::get(address))
}

impl<T: DeserializeOwned> Loading<T> {
    /// The page, once it is there.
    async fn read(self) -> Result<Page<T>, Problem> {
        Page::read(&self.written.await?).map_err(|_| Problem::Unreachable)
    }
}

impl<T> Clone for Loading<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Loading<T> {}

/// Shows a page within its frame as soon as it is there.
pub(crate) fn framed<T>(loading: Loading<T>, here: Here, show: fn(T, Frame) -> AnyView) -> AnyView
where
    T: DeserializeOwned + Send + 'static,
{
    when_there(move || {
        Box::pin(async move {
            let page = loading.read().await?;
            let content = match page.content {
                Ok(content) => show(content, page.frame.clone()),
                Err(refused) => crate::ui::refused::refused(refused, here, page.frame.clone()),
            };
            Ok(in_frame(page.frame, here, page.notice, content))
        })
    })
}

fn in_frame(frame: Frame, here: Here, notice: Option<Said>, content: AnyView) -> AnyView {
    view! { <Content frame=frame here=here notice=notice>{content}</Content> }.into_any()
}

/// A view on its way.
type Coming = std::pin::Pin<Box<dyn Future<Output = Result<AnyView, Problem>> + Send>>;

fn when_there(view: impl Fn() -> Coming + Send + Sync + 'static) -> AnyView {
    let view: Box<dyn Fn() -> Coming + Send + Sync> = Box::new(view);
    let view = move || {
        let coming = view();
        Suspend::new(async move {
            match coming.await {
                Ok(view) => view,
                Err(problem) => crate::ui::failed::failed(problem),
            }
        })
    };
    // The server shows nobody that it waits, and what sets it there would read while others write: a
    // panic, now and then.
    #[cfg(feature = "ssr")]
    let shown = view! { <Transition>{view}</Transition> };
    #[cfg(not(feature = "ssr"))]
    let shown = {
        let waiting = use_context::<Waiting>().unwrap_or(Waiting(RwSignal::new(false)));
        view! { <Transition set_pending=waiting.0>{view}</Transition> }
    };
    shown.into_any()
}

/// Shows a page of one narrow column: sign-in, join, reset.
#[cfg(feature = "ssr")]
pub(crate) fn narrow<T>(loading: Loading<T>, show: fn(T, Frame) -> AnyView) -> AnyView
where
    T: DeserializeOwned + Send + 'static,
{
    when_there(move || {
        Box::pin(async move {
            let Page { frame, notice, content } = loading.read().await?;
            match content {
                Ok(content) => {
                    let content = show(content, frame.clone());
                    let languages = crate::languages::Languages();
                    Ok(view! {
                        <crate::ui::frame::Narrow frame=frame notice=notice>{content} {languages}</crate::ui::frame::Narrow>
                    }
                    .into_any())
                }
                // What takes a permission has a frame.
                Err(_) => Err(Problem::Unreachable),
            }
        })
    })
}

/// Whether a form on this page was refused: the title says so.
#[derive(Clone, Copy)]
pub(crate) struct HasErrors(pub(crate) RwSignal<bool>);

/// The page's title, in front of it "Error: " when a form was refused.
#[component]
pub(crate) fn PageTitle(
    /// The page's heading.
    #[prop(into)]
    title: String,
    /// The provider's name.
    #[prop(into)]
    provider: String,
) -> impl IntoView {
    let full = words!(title.page, page = title, provider = provider);
    let rejected = shared(|| use_context::<Rejected>().is_some());
    let errors = use_context::<HasErrors>();
    if let Some(errors) = errors {
        errors.0.set(rejected);
    }
    let error_title = words!(title.error, title = full.clone());
    // The server reads the title when the page is done and its signals are gone, and puts it into
    // the document as it is: names of people and accounts stand in it. The browser's half sets it as
    // the text that it is.
    #[cfg(feature = "ssr")]
    let text = escape_text(if rejected { &error_title } else { &full });
    #[cfg(not(feature = "ssr"))]
    let text = move || {
        let refused = errors.map_or(rejected, |errors| errors.0.get());
        if refused { error_title.clone() } else { full.clone() }
    };
    view! { <Title text=text /> }
}

/// A text as it may stand within an element that Leptos doesn't escape for, `title` and `textarea`:
/// nothing in it is markup.
pub(crate) fn escape_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// The path, if it leads to a page of this site and nowhere else.
#[cfg(any(feature = "ssr", test))]
#[must_use]
pub fn same_site(path: &str) -> Option<&str> {
    let inside = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.contains(|c: char| c.is_control() || !c.is_ascii());
    inside.then_some(path)
}

/// A text as it may stand in a query (RFC 3986 section 3.4).
pub(crate) fn escape_query(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                escaped.push(byte as char);
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_gone_to() {
        for path in ["/", "/accounts/1/users?search=a%20b", "/a/b"] {
            assert_eq!(same_site(path), Some(path));
        }
        for path in ["", "//evil.example", "https://evil.example", "/\\evil", "/a\nb", "/ø"] {
            assert_eq!(same_site(path), None, "{path}");
        }
    }

    #[test]
    fn text_is_never_markup() {
        assert_eq!(escape_text("</title>&lt;"), "&lt;/title>&amp;lt;");
    }

    #[test]
    fn a_query_is_escaped() {
        assert_eq!(escape_query("/a?b=c&d=é"), "/a%3Fb%3Dc%26d%3D%C3%A9");
    }
}
