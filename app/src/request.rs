//! The present request, as server functions see it: who asks, in which account, what to answer
//! besides the content.

use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use domain::accounts::{Acting, Others};
use domain::owner_changes::WaitingElsewhere;
use domain::sessions::Begun;
use domain::viewer::Viewer;
use domain::{Client, Latchkey, Token, zones};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_i18n::Locale as _;
use model::{Failure, Language, PermissionSet};
use serde::{Deserialize, Serialize};

use crate::address::{ACCOUNTS, SECOND_FACTOR, beside, leading_on, same_site};
use crate::formats::Zones;
use crate::frame::{AccountFrame, EyesView, Frame};
use crate::notice::{Notice, Said};
use crate::owners::api::{elsewhere_view, waiting_view};
use crate::owners::strip::WaitingView;
use crate::page::{OwnerToAsk, Page, Refused};
use crate::problem::{Problem, Told, set_status};
pub use crate::site::{Site, SiteLink};
use crate::{Assets, Locale, contact, cookies, languages, words};

/// How long the browser keeps what it is recognised by, in seconds.
const A_YEAR: i64 = 31_536_000;

/// How long a sign-in may be under way, in seconds.
const TEN_MINUTES: i64 = 600;

/// What is known of a request before it is answered. The server has no way to it but finding it out, and
/// without it nothing is carried out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestFacts {
    /// Where it comes from.
    pub client: Client,
    /// Its id, for the log and for pages that tell of a failure.
    pub id: String,
    /// Who is signed in: asked once, at the request's beginning.
    pub viewer: Result<Viewer, Failure>,
    /// The language in which it is answered.
    pub locale: Locale,
    /// What its browser holds that looks through somebody else's eyes.
    pub eyes: Option<Token>,
    /// The time zone that its browser is in, by its name in the tz database, if a script of an earlier
    /// page said so.
    pub time_zone: Option<String>,
}

impl RequestFacts {
    /// Finds out who is signed in, and in which language they read.
    pub async fn find(
        latchkey: &Latchkey,
        site: &Site,
        headers: &HeaderMap,
        client: Client,
        id: String,
    ) -> Self {
        let viewer = match session_of(headers, site) {
            Some(session) => domain::sessions::viewer(latchkey, &session).await,
            None => Err(Failure::SignedOut),
        };
        let own = viewer.as_ref().ok().and_then(|viewer| viewer.language.as_ref());
        let earlier = cookies::find(headers, &site.language_cookie(), Language::parse);
        let locale = languages::server::first(own, earlier, headers).unwrap_or(site.language);
        let device = cookies::find(headers, &site.device_cookie(), Token::parse);
        let client = Client { language: Language::parse(locale.as_str()), device, ..client };
        let eyes = cookies::find(headers, &site.eyes_cookie(), Token::parse);
        let time_zone = cookies::find(headers, &site.zone_cookie(), zones::name);
        Self { client, id, viewer, locale, eyes, time_zone }
    }

    /// The reader's time zone by name: that of their login, that of their browser.
    fn own_zones(&self) -> impl Iterator<Item = &str> {
        let chosen = self.viewer.as_ref().ok().and_then(|viewer| viewer.time_zone.as_deref());
        chosen.into_iter().chain(self.time_zone.as_deref())
    }

    /// The time zone in which an account's log is told by days, whose own time zone is this one.
    #[must_use]
    pub fn zone_in(&self, account: Option<&str>, site: &Site) -> jiff::tz::TimeZone {
        zones::first(self.own_zones().chain(account).chain([site.time_zone.as_str()]))
    }
}

/// All that server functions and pages find of ours in their context. It is there as a whole, or it
/// isn't.
#[derive(Clone)]
pub struct RequestContext {
    /// The product.
    pub latchkey: Latchkey,
    /// What pages show of the configuration.
    pub site: Arc<Site>,
    /// The built files' addresses.
    pub assets: Arc<Assets>,
    /// What is known of the request.
    pub facts: RequestFacts,
}

impl RequestContext {
    /// Puts it where server functions and pages look for it, and the language where words do.
    pub fn provide(self: Arc<Self>) {
        provide_context(self.facts.locale);
        self.zones(None).provide();
        provide_context(self);
    }

    /// The time zones in which the page is told, in an account with this time zone of its own.
    fn zones(&self, account: Option<&str>) -> Zones {
        let days = zones::first(account.into_iter().chain([self.site.time_zone.as_str()]));
        Zones::of_page(self.facts.own_zones(), days).read_at(self.latchkey.now())
    }
}

/// The present request's context. A task that outlives its request, as when the reader leaves before
/// the page is done, finds none any more: to it the product is unavailable.
pub(crate) fn context() -> Result<Arc<RequestContext>, Failure> {
    use_context().ok_or_else(|| {
        tracing::debug!("nothing is known of the request any more");
        Failure::Unavailable
    })
}

/// The product.
pub(crate) fn latchkey() -> Result<Latchkey, Failure> {
    Ok(context()?.latchkey.clone())
}

/// The client that sent the request.
pub(crate) fn client() -> Result<Client, Failure> {
    Ok(context()?.facts.client.clone())
}

/// The request's id, for pages that tell of a failure.
pub(crate) fn id() -> Option<String> {
    Some(context().ok()?.facts.id.clone())
}

/// The provider's configuration. What is rendered without it is seen by nobody.
pub(crate) fn site() -> Arc<Site> {
    let of_request = use_context::<Arc<RequestContext>>().map(|context| Arc::clone(&context.site));
    of_request.or_else(use_context::<Arc<Site>>).unwrap_or_default()
}

/// The token of the session that the request claims.
pub(crate) fn session() -> Option<Token> {
    session_of(&use_context::<Parts>()?.headers, &site())
}

/// The token of the session that these headers claim.
fn session_of(headers: &HeaderMap, site: &Site) -> Option<Token> {
    cookies::find(headers, &site.session_cookie(), Token::parse)
}

/// Who is signed in, whether they proved it by themselves or an account's own provider vouched for them.
pub(crate) fn viewer() -> Result<Viewer, Failure> {
    context()?.facts.viewer.clone()
}

/// Who is signed in, if anybody.
pub(crate) fn viewer_if_any() -> Result<Option<Viewer>, Failure> {
    match viewer() {
        Ok(viewer) => Ok(Some(viewer)),
        Err(Failure::SignedOut) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// How somebody is named where it matters who they are.
pub(crate) fn shown(viewer: &Viewer) -> String {
    format!("{} ({})", viewer.full_name, viewer.email)
}

/// What the form holds that is being carried out, by field name: what there is to keep of it.
#[derive(Clone, Debug)]
pub struct Posted(pub Arc<Vec<(String, String)>>);

/// The same of the present request, as a text.
pub(crate) fn posted() -> Option<String> {
    let Posted(values) = use_context::<Parts>()?.extensions.get::<Posted>()?.clone();
    serde_json::to_string(&*values).ok()
}

/// Somebody signed in who acts in an account.
pub(crate) struct Inside {
    /// The product.
    pub(crate) latchkey: Latchkey,
    /// Who is signed in.
    pub(crate) viewer: Viewer,
    /// Who they are in the account.
    pub(crate) acting: Acting,
}

/// Enters the account with this number.
pub(crate) async fn inside(number: &str) -> Result<Inside, Failure> {
    let (latchkey, viewer, eyes) = (latchkey()?, viewer()?, eyes()?);
    let acting = domain::eyes::act(&latchkey, &viewer, number, eyes.as_ref()).await?;
    in_zone_of(acting.time_zone.as_deref());
    looking(Inside { latchkey, viewer, acting })
}

/// Has days that end in an account told from now on as they are in this time zone of its, or else in
/// the provider's; so is all else to readers of whom it isn't known in which they are.
pub(crate) fn in_zone_of(time_zone: Option<&str>) {
    match context() {
        Ok(context) => context.zones(time_zone).provide(),
        Err(_) => Zones::of_page([], zones::first(time_zone)).provide(),
    }
}

/// Enters the account with this number to leave it, which is possible while one's access is paused, and
/// takes a fresh proof of who an owner is.
pub(crate) async fn inside_to_leave(number: &str) -> Result<Inside, Failure> {
    let (latchkey, viewer, eyes) = (latchkey()?, viewer()?, eyes()?);
    let acting = domain::eyes::act_to_leave(&latchkey, &viewer, number, eyes.as_ref()).await?;
    let inside = looking(Inside { latchkey, viewer, acting })?;
    if inside.acting.actor.owns() && !only_reads() {
        domain::viewer::must_be_confirmed(&inside.latchkey, &inside.viewer)?;
    }
    Ok(inside)
}

/// What the browser holds that looks through somebody else's eyes.
fn eyes() -> Result<Option<Token>, Failure> {
    Ok(context()?.facts.eyes.clone())
}

/// Whoever enters an account looks through somebody else's eyes or doesn't. Every form inside an
/// account comes by here, and through those eyes none changes anything (rule 14).
fn looking(inside: Inside) -> Result<Inside, Failure> {
    if inside.acting.actor.eyes.is_none() {
        // The look is over, or at another account: the browser holds its token for nothing.
        if eyes()?.is_some() {
            take_eyes_off();
        }
        return Ok(inside);
    }
    if only_reads() { Ok(inside) } else { Err(Failure::ThroughEyes(inside.acting.eyes_of)) }
}

/// Whether the request changes nothing, as no form does.
fn only_reads() -> bool {
    use_context::<Parts>().is_some_and(|parts| parts.method.is_safe())
}

/// Has the browser recognised while its reader looks through somebody else's eyes.
pub(crate) fn put_eyes_on(token: &Token) {
    let seconds = domain::eyes::LOOKED_FOR.as_secs().try_into().ok();
    cookies::set(&site().eyes_cookie(), token.secret().expose(), seconds);
}

/// The reader sees with their own eyes again.
pub(crate) fn take_eyes_off() {
    cookies::end(&site().eyes_cookie());
}

/// Who is signed in, who must have proved by themselves who they are: all that isn't inside one
/// account, whose own provider may have vouched for them, is for nobody else.
pub(crate) fn signed_in() -> Result<Viewer, Failure> {
    let viewer = viewer()?;
    domain::viewer::must_be_proven(&viewer)?;
    Ok(viewer)
}

impl Inside {
    /// The page: its frame, its notice, and its content or why it is refused.
    pub(crate) async fn page<T>(self, content: Result<T, Failure>) -> Result<Page<T>, Problem> {
        let content = match content {
            Ok(content) => Ok(content),
            Err(failure @ (Failure::NotAllowed(_) | Failure::OwnersOnly)) => {
                set_status(&failure);
                Err(self.refused(failure).await?)
            }
            Err(failure) => return Err(failure.into()),
        };
        let waiting = self.waiting().await?;
        Ok(Page { frame: self.frame(waiting), notice: take_notice(), content })
    }

    /// Who becomes an owner unless an owner, as the reader is, stops it.
    async fn waiting(&self) -> Result<Vec<WaitingView>, Failure> {
        if !self.acting.owner_waits {
            return Ok(Vec::new());
        }
        let waiting = domain::owner_changes::waiting(&self.latchkey, &self.acting.actor).await?;
        Ok(waiting.iter().map(waiting_view).collect())
    }

    async fn refused(&self, failure: Failure) -> Result<Refused, Failure> {
        let (latchkey, actor) = (&self.latchkey, &self.acting.actor);
        let owners = domain::accounts::owners(latchkey, actor).await?;
        let yours = domain::accounts::own_access(latchkey, actor).await?;
        let to_ask = |owner: domain::accounts::Owner| OwnerToAsk {
            name: owner.full_name,
            email: owner.email.to_string(),
        };
        let owners = owners.into_iter().map(to_ask).collect();
        let asking = crate::access_requests::api::instead(self, &failure).await?;
        Ok(Refused {
            label: match failure {
                Failure::NotAllowed(permission) => words::label(permission),
                _ => words!(access.owner),
            },
            sentence: words::failure(&failure),
            yours: words::your_access(&yours),
            owners,
            asking,
        })
    }

    fn frame(self, waiting: Vec<WaitingView>) -> Frame {
        let actor = &self.acting.actor;
        let eyes = actor.eyes.as_ref().map(|eyes| EyesView {
            name: self.acting.eyes_of.clone(),
            closed: eyes.are_closed(),
            draft: eyes.draft.map(|draft| draft.id.to_string()),
        });
        let closes = self.acting.closes_at.map(words::closes);
        let account = AccountFrame { closes, eyes, waiting, ..account_frame(&self.acting) };
        frame_in(&self.viewer, self.acting, account)
    }
}

/// The account as its reader passes it by: without what only concerns whoever acts there.
fn account_frame(acting: &Acting) -> AccountFrame {
    let owner = acting.actor.owns();
    AccountFrame {
        number: acting.number,
        name: acting.name.clone(),
        owner,
        open: if owner { PermissionSet::EMPTY } else { acting.actor.open() },
        closes: None,
        eyes: None,
        waiting: Vec::new(),
    }
}

/// The frame with an account in it, and with the ways to the reader's others.
fn frame_in(viewer: &Viewer, acting: Acting, account: AccountFrame) -> Frame {
    let Others { are_any, named, more } = acting.others;
    Frame { others: named, more, ..frame(Some(viewer), Some(account), are_any) }
}

/// The frame around a page outside any account that its reader comes to from one: that account stays in
/// it, so that header and navigation lead back.
async fn frame_outside(viewer: &Viewer) -> Result<Frame, Failure> {
    let latchkey = latchkey()?;
    let waiting = waiting_anywhere(&latchkey, viewer).await?;
    let waiting = waiting.iter().map(elsewhere_view).collect();
    let frame = match domain::accounts::left(&latchkey, viewer, &account_left()).await? {
        Some(acting) => {
            let account = account_frame(&acting);
            frame_in(viewer, acting, account)
        }
        None => {
            let several = domain::accounts::has_several(&latchkey, viewer).await?;
            frame(Some(viewer), None, several)
        }
    };
    Ok(Frame { waiting, ..frame })
}

/// Who becomes an owner of an account that the viewer owns, unless an owner stops it. Whom only an
/// account's own identity provider vouches for isn't told of others.
pub(crate) async fn waiting_anywhere(
    latchkey: &Latchkey,
    viewer: &Viewer,
) -> Result<Vec<WaitingElsewhere>, Failure> {
    match domain::viewer::must_be_proven(viewer) {
        Ok(()) => domain::owner_changes::waiting_anywhere(latchkey, viewer).await,
        Err(_) => Ok(Vec::new()),
    }
}

/// Where a form was posted to that is being carried out: the address of its page.
#[derive(Clone, Debug)]
pub struct PostedTo(pub Uri);

/// The number of the account that the page's address names; empty if it names none.
fn account_left() -> String {
    let Some(parts) = use_context::<Parts>() else { return String::new() };
    let posted = parts.extensions.get::<PostedTo>();
    let uri = posted.map_or(&parts.uri, |PostedTo(uri)| uri);
    let mut path = uri.path().split('/').skip(1);
    if let (Some("accounts"), Some(number)) = (path.next(), path.next()) {
        return number.to_owned();
    }
    let query = uri.query().unwrap_or_default();
    let mut query = form_urlencoded::parse(query.as_bytes());
    let number = query.find(|(name, _)| name == "account");
    number.map(|(_, number)| number.into_owned()).unwrap_or_default()
}

/// The frame around a page that stands in another's place: nothing that isn't the reader's own stands in
/// it, so that it is the same wherever they looked (rule 8).
pub(crate) async fn frame_in_place() -> Frame {
    let outside = match viewer() {
        Ok(viewer) => frame_outside(&viewer).await,
        Err(failure) => Err(failure),
    };
    outside.unwrap_or_else(|_| frame(None, None, false))
}

/// The frame around the page that asks who its reader is: with the account that its address names. There
/// is none around it where that account is closed until the reader has answered.
pub(crate) async fn frame_of_question() -> Frame {
    let (around, named) = (frame_in_place().await, account_left());
    let is_named = |account: &AccountFrame| account.number.to_string() == named;
    match named.is_empty() || around.account.as_ref().is_some_and(is_named) {
        true => around,
        false => frame(viewer().ok().as_ref(), None, false),
    }
}

/// The frame of a page, without the ways to other accounts.
pub(crate) fn frame(
    viewer: Option<&Viewer>,
    account: Option<AccountFrame>,
    several: bool,
) -> Frame {
    let site = site();
    Frame {
        provider: site.provider.clone(),
        mark: site.mark,
        mailbox: site.mailbox,
        user: viewer.map(|viewer| crate::frame::PersonView {
            id: viewer.user,
            name: viewer.full_name.clone(),
            email: viewer.email.to_string(),
        }),
        several,
        others: Vec::new(),
        more: false,
        account,
        waiting: Vec::new(),
    }
}

/// A page outside any account for whoever is signed in, about what is theirs in all of them. The account
/// that they come from stays around it.
pub(crate) async fn own_page<T>(viewer: &Viewer, content: T) -> Result<Page<T>, Problem> {
    let frame = frame_outside(viewer).await?;
    Ok(Page { frame, notice: take_notice(), content: Ok(content) })
}

/// A page outside any account.
pub(crate) async fn plain_page<T>(viewer: Option<&Viewer>, content: T) -> Result<Page<T>, Problem> {
    let several = match viewer {
        Some(viewer) => domain::accounts::has_several(&latchkey()?, viewer).await?,
        None => false,
    };
    Ok(Page { frame: frame(viewer, None, several), notice: take_notice(), content: Ok(content) })
}

/// The address as it is gone to from the page that was asked for, or that a form was posted to.
pub(crate) fn from_here(address: &str) -> String {
    beside(address, account_left().parse().ok())
}

/// Leads the browser to another page of this site. The account that it comes from stays around it.
pub(crate) fn redirect(path: &str) {
    leptos_axum::redirect(&from_here(same_site(path).unwrap_or("/")));
}

/// Ends a form: tells the next page what to say, and leads there.
pub(crate) fn done(path: &str, notice: Notice) {
    leave_notice(&notice);
    redirect(path);
}

/// Gives the browser its session, and what it is recognised by for a year.
pub(crate) fn begin_session(begun: &Begun) -> Result<(), Failure> {
    let context = context()?;
    let site = &context.site;
    let seconds = context.latchkey.settings.session_absolute.as_secs().try_into().ok();
    cookies::set(&site.session_cookie(), begun.session.secret().expose(), seconds);
    cookies::set(&site.device_cookie(), begun.device.secret().expose(), Some(A_YEAR));
    cookies::end(&site.sign_in_cookie());
    Ok(())
}

/// Leads on to the second factor of a sign-in, and from there to `next`.
pub(crate) fn ask_for_second_factor(sign_in: &Token, next: &str) {
    cookies::set(&site().sign_in_cookie(), sign_in.secret().expose(), Some(TEN_MINUTES));
    redirect(&leading_on(SECOND_FACTOR, next));
}

/// The sign-in that waits for a second factor in this browser.
pub(crate) fn sign_in() -> Option<Token> {
    let headers = use_context::<Parts>()?.headers;
    cookies::find(&headers, &site().sign_in_cookie(), Token::parse)
}

/// Has the browser recognised when it comes back from an identity provider, and on the way to link
/// what it comes back with. It holds where to go then, too: that may be an invitation's link, which
/// is stored nowhere readable.
pub(crate) fn keep_identity_way(token: &Token, next: &str) {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    const LONGEST: usize = 1000;
    let next = if next.len() > LONGEST { ACCOUNTS } else { next };
    let value = format!("{}.{}", token.secret().expose(), BASE64_URL_SAFE_NO_PAD.encode(next));
    cookies::set(&site().identity_cookie(), &value, Some(TEN_MINUTES));
}

/// What this browser is recognised by on the way over an identity provider, and where it goes then.
pub(crate) fn identity_way() -> Option<(Token, String)> {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    let headers = use_context::<Parts>()?.headers;
    cookies::find(&headers, &site().identity_cookie(), |value| {
        let (token, next) = value.split_once('.')?;
        let next = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(next).ok()?).ok()?;
        let next = same_site(&next).unwrap_or(ACCOUNTS).to_owned();
        Some((Token::parse(token)?, next))
    })
}

/// The way over an identity provider is over.
pub(crate) fn end_identity_way() {
    cookies::end(&site().identity_cookie());
}

/// Has the browser go on to another site by itself, which it doesn't take for part of a form.
pub(crate) fn refresh(address: &str) {
    if let (Some(response), Ok(value)) =
        (use_context::<ResponseOptions>(), HeaderValue::from_str(&format!("0; url={address}")))
    {
        response.insert_header(header::REFRESH, value);
    }
}

/// Enters the account with this number to do what takes a fresh proof of who one is.
pub(crate) async fn inside_confirmed(number: &str) -> Result<Inside, Failure> {
    let inside = inside(number).await?;
    domain::viewer::must_be_confirmed(&inside.latchkey, &inside.viewer)?;
    Ok(inside)
}

/// Takes the browser's session away.
pub(crate) fn end_session() {
    cookies::end(&site().session_cookie());
    if eyes().is_ok_and(|eyes| eyes.is_some()) {
        take_eyes_off();
    }
}

/// What the next page says. It travels in a cookie of a minute and not in the database, as it may
/// hold an invitation's link, which is stored nowhere readable.
#[derive(Serialize, Deserialize)]
struct NoticeCookie(Notice);

fn leave_notice(notice: &Notice) {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    let json = serde_json::to_vec(&NoticeCookie(notice.clone())).unwrap_or_default();
    cookies::set(&site().notice_cookie(), &BASE64_URL_SAFE_NO_PAD.encode(json), Some(60));
}

/// The notice that the last form left for this page.
pub(crate) fn take_notice() -> Option<Said> {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    let headers = use_context::<Parts>()?.headers;
    cookies::find(&headers, &site().notice_cookie(), |_| Some(()))?;
    cookies::end(&site().notice_cookie());
    cookies::find(&headers, &site().notice_cookie(), |value| {
        let json = BASE64_URL_SAFE_NO_PAD.decode(value).ok()?;
        serde_json::from_slice(&json).ok().map(|NoticeCookie(notice)| notice.say())
    })
}

/// Has the pages that follow in this language, for a year.
pub(crate) fn remember_language(language: &Language) {
    cookies::set(&site().language_cookie(), language.tag(), Some(A_YEAR));
}

/// Says to programs that what was here is over (RFC 9110 section 15.5.11).
pub(crate) fn gone() {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(StatusCode::GONE);
    }
}

/// What an answer that is no page says, in this language, with the request's id and where the provider is
/// asked about it; none for a status that says enough.
#[must_use]
pub fn plainly(status: StatusCode, locale: Locale, id: &str, site: &Site) -> Option<String> {
    Owner::new().with(|| {
        provide_context(locale);
        let words = match status {
            StatusCode::BAD_REQUEST => words!(failed.no_request),
            StatusCode::FORBIDDEN => words!(failed.other_site),
            StatusCode::NOT_FOUND => words!(failed.not_found),
            StatusCode::METHOD_NOT_ALLOWED => words!(failed.no_method),
            StatusCode::INTERNAL_SERVER_ERROR => words!(failed.broken),
            StatusCode::SERVICE_UNAVAILABLE => words!(failed.unavailable),
            _ => return None,
        };
        let contact = contact::sentence(site).map(|contact| format!(" {contact}"));
        let contact = contact.unwrap_or_default();
        Some(format!("{words} {}{contact}\n", words!(failed.request, id = id.to_owned())))
    })
}

/// What is wrong with a form that was sent without encryption where the public address has it: the
/// browser would drop the cookies that are for https only, and ask to sign in again and again.
#[must_use]
pub fn unencrypted(site: &Site, locale: Locale) -> Told {
    Told::about_form(locale, || words!(failed.unencrypted, url = site.public_url.clone()))
}

/// What is wrong with a request that isn't even a form, or is larger than so many bytes, in this
/// language, and the request's id, with where the provider is asked about it.
#[must_use]
pub fn unreadable(
    status: StatusCode,
    largest: usize,
    locale: Locale,
    id: &str,
    site: &Site,
) -> Told {
    Told::about_form(locale, || {
        let words = match status {
            StatusCode::PAYLOAD_TOO_LARGE => {
                words!(failed.too_large, most = (largest / 1024).to_string())
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => words!(failed.no_form),
            StatusCode::REQUEST_TIMEOUT => words!(failed.too_slow),
            _ => words!(failed.unreadable),
        };
        let contact = contact::sentence(site).map(|contact| format!(" {contact}"));
        let contact = contact.unwrap_or_default();
        format!("{words} {}{contact}", words!(failed.request, id = id.to_owned()))
    })
}

/// That a form was made for somebody else than who is signed in now.
#[must_use]
pub fn of_another(whose: String, facts: &RequestFacts) -> Told {
    Told::about_form(facts.locale, || of_another_words(whose, facts.viewer.as_ref().ok()))
}

/// Whose form it was, and who is signed in now.
pub(crate) fn of_another_words(whose: String, reader: Option<&Viewer>) -> String {
    let reader = reader.map(shown).unwrap_or_default();
    words!(of_another.lead, whose = whose, reader = reader)
}
