//! Server functions of a user's own login.

use domain::Latchkey;
use domain::viewer::Viewer;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::{Conflict, Failure, Secret, Timestamp};
use serde::{Deserialize, Serialize};

use crate::address::{ADD_PASSKEY, AUTHENTICATOR, FORGOT_SENT, SECURITY, SIGN_IN};
use crate::browsers::browser;
use crate::identities::LinkedView;
use crate::notice::Notice;
use crate::page::Page;
use crate::problem::Problem;
use crate::request;
use crate::ui::factor::given;
use crate::when::Moment;

/// What the page about security shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecurityView {
    /// The reader's address, for their password manager.
    pub(crate) email: String,
    /// Since when they have an authenticator app, and when they last used it.
    pub(crate) app: Option<(Moment, Option<Moment>)>,
    /// Their passkeys, the oldest first.
    pub(crate) passkeys: Vec<PasskeyRow>,
    /// Whether passkeys can be used here.
    pub(crate) has_passkeys: bool,
    /// How many recovery codes are left, in words; none without a second factor.
    pub(crate) codes: Option<String>,
    /// The identities that open their login.
    pub(crate) linked: LinkedView,
    /// Where they are signed in.
    pub(crate) devices: Vec<DeviceRow>,
}

/// A passkey of the reader's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PasskeyRow {
    /// Its id.
    pub(crate) id: String,
    /// What the reader calls it.
    pub(crate) name: String,
    /// When it was added.
    pub(crate) since: Moment,
    /// When it was last used.
    pub(crate) used: Option<Moment>,
}

/// A browser that the reader is signed in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeviceRow {
    /// The session's id.
    pub(crate) id: String,
    /// The browser and its system.
    pub(crate) browser: String,
    /// The address that it signed in from, and the place.
    pub(crate) address: String,
    /// When it signed in.
    pub(crate) since: Moment,
    /// When it was last used.
    pub(crate) last_seen: Moment,
    /// Whether it is this one.
    pub(crate) present: bool,
}

/// The reader's second factors and devices.
#[server(prefix = "/api", endpoint = "security/page", input = GetUrl)]
pub(crate) async fn security_page() -> Result<Page<SecurityView>, Problem> {
    let viewer = request::signed_in()?;
    let session = request::session().ok_or(Failure::SignedOut)?;
    let latchkey = request::latchkey()?;
    let now = latchkey.now();
    let factors = domain::factors::overview(&latchkey, &viewer).await?;
    let passkeys = domain::passkeys::overview(&latchkey, &viewer).await?;
    let devices = domain::sessions::devices(&latchkey, &viewer, &session).await?;
    let moment = |at: Timestamp| Moment::new(at, now);
    let site = request::site();
    let device = |device: domain::sessions::SignedInDevice| DeviceRow {
        id: device.id.to_string(),
        browser: browser(&device.user_agent),
        address: crate::places::with_place(&device.address, site.places.as_ref()),
        since: moment(device.since),
        last_seen: moment(device.last_seen_at),
        present: device.present,
    };
    let passkey = |passkey: domain::passkeys::Passkey| PasskeyRow {
        id: passkey.id.to_string(),
        name: passkey.name,
        since: moment(passkey.since),
        used: passkey.last_used_at.map(moment),
    };
    let some = factors.app.is_some() || !passkeys.is_empty();
    let view = SecurityView {
        email: viewer.email.to_string(),
        app: factors.app.map(|(since, used)| (moment(since), used.map(moment))),
        passkeys: passkeys.into_iter().map(passkey).collect(),
        has_passkeys: latchkey.has_passkeys(),
        codes: some.then(|| words!(security.codes_left, count = factors.codes_left)),
        linked: crate::identities::linked(&viewer).await?,
        devices: devices.into_iter().map(device).collect(),
    };
    request::own_page(&viewer, view).await
}

/// Signs the reader out on one of their devices.
#[server(prefix = "/api", endpoint = "security/end-device")]
pub(crate) async fn end_device(device: String) -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    domain::sessions::end_device(&request::latchkey()?, &viewer, &device).await?;
    request::done(SECURITY, Notice::DeviceEnded);
    Ok(())
}

/// Signs the reader out everywhere but here.
#[server(prefix = "/api", endpoint = "security/end-other-devices")]
pub(crate) async fn end_other_devices() -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    let session = request::session().ok_or(Failure::SignedOut)?;
    domain::sessions::end_other_devices(&request::latchkey()?, &viewer, &session).await?;
    request::done(SECURITY, Notice::OtherDevicesEnded);
    Ok(())
}

/// Begins to set an authenticator app up.
#[server(prefix = "/api", endpoint = "security/begin-app")]
pub(crate) async fn begin_app() -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    domain::factors::begin_app(&request::latchkey()?, &viewer).await?;
    request::redirect(AUTHENTICATOR);
    Ok(())
}

/// What the page for setting an authenticator app up shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AppSetupView {
    /// The reader's address.
    pub(crate) email: String,
    /// The key, in groups of four.
    pub(crate) key: String,
    /// The key as apps take it from a link on the same phone.
    pub(crate) address: String,
    /// The QR code; none where a set-up has to begin anew.
    pub(crate) code: Option<QrCode>,
}

/// A QR code (ISO/IEC 18004), to be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QrCode {
    /// Its width and height in modules, the quiet zone of four around it included.
    pub(crate) size: usize,
    /// Its dark modules as an SVG path.
    pub(crate) path: String,
}

impl QrCode {
    fn draw(text: &str) -> Option<Self> {
        const QUIET: usize = 4;
        let code = qrcode::QrCode::new(text).ok()?;
        let width = code.width();
        let dark = |(place, color): (usize, qrcode::Color)| {
            let (x, y) = (place % width + QUIET, place / width + QUIET);
            (color == qrcode::Color::Dark).then(|| format!("M{x} {y}h1v1h-1z"))
        };
        let path = code.into_colors().into_iter().enumerate().filter_map(dark).collect();
        Some(Self { size: width + 2 * QUIET, path })
    }
}

/// The key of the authenticator app that is being set up.
#[server(prefix = "/api", endpoint = "security/app-setup-page", input = GetUrl)]
pub(crate) async fn app_setup_page() -> Result<Page<AppSetupView>, Problem> {
    let viewer = request::signed_in()?;
    let provider = request::site().provider.clone();
    let email = viewer.email.to_string();
    let view = match domain::factors::app_setup(&request::latchkey()?, &viewer, &provider).await {
        Ok(setup) => AppSetupView {
            email,
            key: in_groups(&setup.key),
            address: setup.address.expose().to_owned(),
            code: QrCode::draw(setup.address.expose()),
        },
        Err(Failure::Unconfirmed | Failure::Conflict(Conflict::SetupOver)) => {
            AppSetupView { email, key: String::new(), address: String::new(), code: None }
        }
        Err(failure) => return Err(failure.into()),
    };
    request::own_page(&viewer, view).await
}

fn in_groups(key: &Secret) -> String {
    let letters: Vec<char> = key.expose().chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

fn plain(codes: Vec<Secret>) -> Vec<String> {
    codes.iter().map(|code| code.expose().to_owned()).collect()
}

/// Turns the authenticator app on that was set up.
#[server(prefix = "/api", endpoint = "security/turn-app-on")]
pub(crate) async fn turn_app_on(#[server(default)] code: String) -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    let session = request::session().ok_or(Failure::SignedOut)?;
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let codes = domain::factors::turn_app_on(&latchkey, &viewer, &session, &code, &client).await?;
    request::done(SECURITY, Notice::AppOn { codes: plain(codes) });
    Ok(())
}

/// Turns the authenticator app off.
#[server(prefix = "/api", endpoint = "security/turn-app-off")]
pub(crate) async fn turn_app_off(
    #[server(default)] by: String,
    #[server(default)] code: String,
    #[server(default)] credential: String,
) -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    let session = request::session().ok_or(Failure::SignedOut)?;
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let given = given(&by, &code, &credential);
    let left = domain::factors::turn_app_off(&latchkey, &viewer, &session, given, &client).await?;
    request::done(SECURITY, Notice::AppOff { left });
    Ok(())
}

/// Makes new recovery codes.
#[server(prefix = "/api", endpoint = "security/renew-codes")]
pub(crate) async fn renew_codes(
    #[server(default)] by: String,
    #[server(default)] code: String,
    #[server(default)] credential: String,
) -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    let session = request::session().ok_or(Failure::SignedOut)?;
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let given = given(&by, &code, &credential);
    let codes = domain::factors::renew_codes(&latchkey, &viewer, &session, given, &client).await?;
    request::done(SECURITY, Notice::CodesRenewed { codes: plain(codes) });
    Ok(())
}

/// What the pages that ask for a second factor show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FactorView {
    /// Whether the reader has an authenticator app.
    pub(crate) app: bool,
    /// Whether they have a passkey that can be used here.
    pub(crate) passkey: bool,
    /// Which accounts close without the app, in a sentence; none while there are passkeys.
    pub(crate) closing: Option<String>,
}

/// Which second factors the reader can give.
#[server(prefix = "/api", endpoint = "security/factor-page", input = GetUrl)]
pub(crate) async fn factor_page() -> Result<Page<FactorView>, Problem> {
    let viewer = request::signed_in()?;
    let latchkey = request::latchkey()?;
    let app = domain::factors::overview(&latchkey, &viewer).await?.app.is_some();
    let passkey = domain::passkeys::can_be_used(&latchkey, viewer.user).await?;
    let beside = !domain::passkeys::overview(&latchkey, &viewer).await?.is_empty();
    let closing = if beside { None } else { closing(&latchkey, &viewer).await? };
    request::own_page(&viewer, FactorView { app, passkey, closing }).await
}

/// Which accounts close to the viewer without a second factor, in a sentence.
async fn closing(latchkey: &Latchkey, viewer: &Viewer) -> Result<Option<String>, Failure> {
    let accounts = domain::policies::requiring(latchkey, viewer).await?;
    let sentence =
        || words!(authenticator.off_closes, accounts = crate::words::list(accounts.clone()));
    Ok((!accounts.is_empty()).then(sentence))
}

/// Asks the reader's browser for a passkey of theirs, as a proof of who they are.
#[server(prefix = "/api", endpoint = "security/ask-for-proof")]
pub(crate) async fn ask_for_proof() -> Result<String, Problem> {
    let viewer = request::viewer()?;
    let session = request::session().ok_or(Failure::SignedOut)?;
    Ok(domain::passkeys::ask_for_proof(&request::latchkey()?, &viewer, &session).await?)
}

/// Begins to add a passkey.
#[server(prefix = "/api", endpoint = "security/begin-passkey")]
pub(crate) async fn begin_passkey() -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    domain::viewer::must_be_confirmed_by_factor(&request::latchkey()?, &viewer).await?;
    request::redirect(ADD_PASSKEY);
    Ok(())
}

/// What the page for adding a passkey shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewPasskeyView {
    /// What it may be called: the browser that makes it.
    pub(crate) name: String,
}

/// The page for adding a passkey.
#[server(prefix = "/api", endpoint = "security/new-passkey-page", input = GetUrl)]
pub(crate) async fn new_passkey_page() -> Result<Page<NewPasskeyView>, Problem> {
    let viewer = request::signed_in()?;
    let name = browser(&request::client()?.user_agent);
    request::own_page(&viewer, NewPasskeyView { name }).await
}

/// Asks the reader's browser to make a passkey.
#[server(prefix = "/api", endpoint = "security/ask-to-make-passkey")]
pub(crate) async fn ask_to_make_passkey(
    #[server(default)] name: String,
) -> Result<String, Problem> {
    let viewer = request::signed_in()?;
    let session = request::session().ok_or(Failure::SignedOut)?;
    Ok(domain::passkeys::ask_to_make(&request::latchkey()?, &viewer, &session, &name).await?)
}

/// Adds the passkey that the reader's browser made.
#[server(prefix = "/api", endpoint = "security/add-passkey")]
pub(crate) async fn add_passkey(
    #[server(default)] name: String,
    #[server(default)] credential: String,
) -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    let session = request::session().ok_or(Failure::SignedOut)?;
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let codes =
        domain::passkeys::add(&latchkey, &viewer, &session, &name, &credential, &client).await?;
    request::done(SECURITY, Notice::PasskeyAdded { codes: plain(codes) });
    Ok(())
}

/// What the page of a passkey shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PasskeyView {
    /// Its id.
    pub(crate) id: String,
    /// What the reader calls it.
    pub(crate) name: String,
    /// Whether it is the reader's last second factor.
    pub(crate) last: bool,
    /// Whether it can be used here.
    pub(crate) usable: bool,
    /// Which accounts close without it, in a sentence.
    pub(crate) closing: Option<String>,
}

/// One of the reader's passkeys.
#[server(prefix = "/api", endpoint = "security/passkey-page", input = GetUrl)]
pub(crate) async fn passkey_page(passkey: String) -> Result<Page<PasskeyView>, Problem> {
    let viewer = request::signed_in()?;
    let latchkey = request::latchkey()?;
    let (passkey, last) = domain::passkeys::one(&latchkey, &viewer, &passkey).await?;
    let closing = if last { closing(&latchkey, &viewer).await? } else { None };
    let view = PasskeyView {
        closing,
        id: passkey.id.to_string(),
        name: passkey.name,
        last,
        usable: latchkey.has_passkeys(),
    };
    request::own_page(&viewer, view).await
}

/// Gives a passkey another name.
#[server(prefix = "/api", endpoint = "security/rename-passkey")]
pub(crate) async fn rename_passkey(
    passkey: String,
    #[server(default)] name: String,
) -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    domain::passkeys::rename(&request::latchkey()?, &viewer, &passkey, &name).await?;
    request::done(SECURITY, Notice::ChangesSaved);
    Ok(())
}

/// Removes a passkey.
#[server(prefix = "/api", endpoint = "security/remove-passkey")]
pub(crate) async fn remove_passkey(
    passkey: String,
    #[server(default)] by: String,
    #[server(default)] code: String,
    #[server(default)] credential: String,
) -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    let session = request::session().ok_or(Failure::SignedOut)?;
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    let given = given(&by, &code, &credential);
    let left =
        domain::passkeys::remove(&latchkey, &viewer, &session, &passkey, given, &client).await?;
    request::done(SECURITY, Notice::PasskeyRemoved { left });
    Ok(())
}

/// Changes the reader's password.
#[server(prefix = "/api", endpoint = "security/change-password")]
pub(crate) async fn change_password(
    #[server(default)] password: String,
    #[server(default)] new_password: String,
) -> Result<(), Problem> {
    let viewer = request::signed_in()?;
    let session = request::session().ok_or(model::Failure::SignedOut)?;
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    domain::passwords::change(&latchkey, &viewer, &password, &new_password, &session, &client)
        .await?;
    request::done(SECURITY, Notice::OwnPasswordChanged);
    Ok(())
}

/// A page without anything of its own.
#[server(prefix = "/api", endpoint = "security/forgot-page", input = GetUrl)]
pub(crate) async fn forgot_page() -> Result<Page<()>, Problem> {
    request::plain_page(None, ()).await
}

/// Sends a link to choose a new password; says the same whether or not there is such a login.
#[server(prefix = "/api", endpoint = "security/request-reset")]
pub(crate) async fn request_reset(#[server(default)] email: String) -> Result<(), Problem> {
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    domain::passwords::request_reset(&latchkey, &email, &client).await?;
    request::redirect(FORGOT_SENT);
    Ok(())
}

/// What the page of a reset link shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResetView {
    /// The link's token.
    pub(crate) token: String,
    /// Whether the link still works.
    pub(crate) works: bool,
}

/// The page of a reset link. Opening it changes nothing.
#[server(prefix = "/api", endpoint = "security/reset-page", input = GetUrl)]
pub(crate) async fn reset_page(token: String) -> Result<Page<ResetView>, Problem> {
    let works = match domain::passwords::open_reset(&request::latchkey()?, &token).await {
        Ok(_) => true,
        Err(model::Failure::Conflict(_)) => {
            request::gone();
            false
        }
        Err(failure) => return Err(failure.into()),
    };
    request::plain_page(None, ResetView { token, works }).await
}

/// Chooses a new password by a link.
#[server(prefix = "/api", endpoint = "security/reset")]
pub(crate) async fn reset(
    token: String,
    #[server(default)] new_password: String,
) -> Result<(), Problem> {
    let (latchkey, client) = (request::latchkey()?, request::client()?);
    domain::passwords::choose_by_reset(&latchkey, &token, &new_password, &client).await?;
    request::end_session();
    request::done(SIGN_IN, Notice::PasswordChanged);
    Ok(())
}
