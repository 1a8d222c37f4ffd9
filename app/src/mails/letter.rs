//! A mail as it is read: as plain text, and as HTML. What mail programs know of HTML is old: tables, and styles at
//! each element.

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use crate::site::Site;

/// The product's own accent colours: those of `style/tokens.css` in sRGB.
const ACCENT: &str = "#007277";
const ACCENT_DARK: &str = "#64c3c8";

const PAPER: &str = "background:#f4f6f7";
const SHEET: &str =
    "width:100%;max-width:560px;background:#ffffff;border:1px solid #d9dfe2;border-radius:8px";
const HEAD: &str = "padding:24px 32px 0;font:600 16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;color:#1b2428";
const BODY: &str = "padding:16px 32px 24px;font:400 16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;color:#1b2428";
const LINE: &str = "margin:0 0 16px";
const QUIET: &str = "margin:0 0 16px;font-size:14px;color:#55646b";
const FOOT: &str =
    "margin:16px 0 0;font:400 14px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;color:#55646b";
const BUTTON: &str = "display:inline-block;padding:12px 24px;\
                      font:600 16px/1.25 system-ui,-apple-system,'Segoe UI',sans-serif;color:#ffffff;text-decoration:none";

/// What every mail is made of: sentences, at most one button, and more sentences.
#[derive(Debug, Default)]
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) lead: Vec<String>,
    pub(super) button: Option<(String, String)>,
    pub(super) after: Vec<String>,
}

/// What stands around that in each of them.
pub(super) struct Around<'a> {
    pub(super) greeting: String,
    pub(super) sent_by: String,
    pub(super) contact: Option<String>,
    pub(super) site: &'a Site,
}

/// The plain text part. Its foot begins as signatures do (RFC 3676 section 4.3).
pub(super) fn text(letter: &Letter, around: &Around<'_>) -> String {
    let button = letter.button.iter().map(|(label, href)| format!("{label}:\n{href}"));
    let paragraphs: Vec<_> = std::iter::once(&around.greeting)
        .chain(&letter.lead)
        .cloned()
        .chain(button)
        .chain(letter.after.iter().cloned())
        .collect();
    let links = around.site.links.iter().map(|link| format!("{}: {}", link.words, link.href));
    let foot: Vec<_> =
        std::iter::once(&around.sent_by).chain(&around.contact).cloned().chain(links).collect();
    format!("{}\n\n-- \n{}", paragraphs.join("\n\n"), foot.join("\n"))
}

/// The HTML part.
pub(super) fn html(letter: &Letter, around: &Around<'_>, language: &str) -> String {
    let Around { greeting, sent_by, contact, site } = around;
    let accent = site.accent_light.as_deref().unwrap_or(ACCENT);
    let link = format!("color:{accent}");
    let whole = markup! {
        (DOCTYPE) "\n"
        html lang=(language) {
            (head(&letter.subject, site.accent_dark.as_deref().unwrap_or(ACCENT_DARK))) "\n"
            body.paper style={ "margin:0;padding:0;" (PAPER) } {
                table.paper role="presentation" width="100%" cellpadding="0" cellspacing="0" style=(PAPER) {
                    tr { td align="center" style="padding:24px 12px" {
                        table.sheet role="presentation" width="560" cellpadding="0" cellspacing="0" style=(SHEET) {
                            tr { td.text style=(HEAD) { (site.provider) } } "\n"
                            tr { td.text style=(BODY) {
                                @for line in std::iter::once(greeting).chain(&letter.lead) {
                                    p style=(LINE) { (line) } "\n"
                                }
                                @if let Some((label, href)) = &letter.button {
                                    (button(label, href, accent))
                                }
                                @for line in &letter.after { p.quiet style=(QUIET) { (line) } "\n" }
                            } }
                        }
                        p.quiet style=(FOOT) {
                            (sent_by)
                            @if let Some(contact) = contact { br; (contact) }
                            @for one in &site.links {
                                br; a.link href=(one.href) style=(link) { (one.words) }
                            }
                        }
                    } }
                }
            }
        }
        "\n"
    };
    whole.into_string()
}

fn head(subject: &str, accent_dark: &str) -> Markup {
    markup! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width";
            meta name="color-scheme" content="light dark";
            meta name="supported-color-schemes" content="light dark";
            title { (subject) }
            style {
                (PreEscaped("
@media (prefers-color-scheme: dark) {
  .paper { background: #14191c !important; }
  .sheet { background: #1c2327 !important; border-color: #343d42 !important; }
  .text { color: #e6ebed !important; }
  .quiet { color: #a3b0b6 !important; }
  .link { color: ")) (accent_dark) (PreEscaped(" !important; }
}
"))
            }
        }
    }
}

/// A button, and where it leads for whoever sees none.
fn button(label: &str, href: &str, accent: &str) -> Markup {
    let (paint, link) = (
        format!("background:{accent};border-radius:6px"),
        format!("color:{accent};word-break:break-all"),
    );
    markup! {
        table role="presentation" cellpadding="0" cellspacing="0" style="margin:8px 0 24px" {
            tr { td style=(paint) { a href=(href) style=(BUTTON) { (label) } } }
        }
        "\n"
        p.quiet style=(QUIET) {
            (words!(mail.button_hint)) br; a.link href=(href) style=(link) { (href) }
        }
        "\n"
    }
}
