//! What the provider configured, as far as pages and mails show it.

use model::EmailAddress;

use crate::Locale;
use crate::places::Places;

/// What the provider configured, as far as pages show it.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The provider's name.
    pub provider: String,
    /// The public address without a slash at the end: where links in mails lead.
    pub public_url: String,
    /// Whether this is the demo, with its logins.
    pub demo: bool,
    /// Whether mails are kept in a mailbox that everybody can read: in the demo without a mail
    /// server.
    pub mailbox: bool,
    /// The sender of the mails.
    pub mail_from: String,
    /// Whether the public address is https: cookies are `Secure` then.
    pub secure: bool,
    /// The accent colour on light pages and in mails, if it isn't the product's own.
    pub accent_light: Option<String>,
    /// The same on dark pages.
    pub accent_dark: Option<String>,
    /// Whether the provider has a mark of its own.
    pub mark: bool,
    /// The language of those who ask for none that the product speaks.
    pub language: Locale,
    /// The time zone in which days end, and in which pages and mails tell moments, where neither an account
    /// nor its reader has another one, by its name in the tz database.
    pub time_zone: String,
    /// Where addresses are, if the provider has a file that says so.
    pub places: Option<Places>,
    /// Where people ask the provider, by mail.
    pub support_email: Option<EmailAddress>,
    /// The same, by a page.
    pub support_url: Option<String>,
    /// The provider's own pages that stand at the foot of all pages and mails.
    pub links: Vec<SiteLink>,
}

/// One of the provider's own pages, such as its imprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteLink {
    /// What it is called.
    pub words: String,
    /// Where it is: an http or https address, or one for mail.
    pub href: String,
}

impl Site {
    /// A cookie's name. Browsers send a host's cookies to all of its ports (RFC 6265 section 8.5), so
    /// that two installations on one host would sign each other's people out: the port is a part of
    /// it.
    fn cookie(&self, what: &str) -> String {
        let prefix = if self.secure { "__Host-" } else { "" };
        let port = self.public_url.rsplit_once(':').map_or("", |(_, port)| port);
        let port = port.parse::<u16>().map(|port| format!("-{port}")).unwrap_or_default();
        format!("{prefix}latchkey{port}{what}")
    }

    /// The session cookie's name. The `__Host-` prefix (RFC 6265bis section 4.1.3.2) binds it to
    /// this host; browsers take it over https only.
    #[must_use]
    pub fn session_cookie(&self) -> String {
        self.cookie("")
    }

    /// The name of the cookie that a browser is recognised by at the next sign-in.
    pub(crate) fn device_cookie(&self) -> String {
        self.cookie("-device")
    }

    /// The name of the cookie that carries a sign-in from the password to the second factor.
    pub(crate) fn sign_in_cookie(&self) -> String {
        self.cookie("-sign-in")
    }

    /// The name of the cookie that a browser is recognised by when it comes back from an identity
    /// provider.
    pub(crate) fn identity_cookie(&self) -> String {
        self.cookie("-identity")
    }

    /// The name of the cookie that a browser is recognised by while its reader looks through somebody
    /// else's eyes.
    pub(crate) fn eyes_cookie(&self) -> String {
        self.cookie("-eyes")
    }

    /// The name of the cookie that carries a notice to the next page.
    pub(crate) fn notice_cookie(&self) -> String {
        self.cookie("-notice")
    }

    /// The name of the cookie in which scripts say in which time zone the browser is.
    pub(crate) fn zone_cookie(&self) -> String {
        self.cookie("-zone")
    }

    /// The name of the cookie that holds the language chosen in this browser.
    pub(crate) fn language_cookie(&self) -> String {
        self.cookie("-language")
    }
}
