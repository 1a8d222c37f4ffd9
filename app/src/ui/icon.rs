//! Icons: drawn in the text's colour, silent to screen readers, never alone.

use maud::{Markup, html};
use model::Area;

/// A picture beside a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    /// The overview.
    Home,
    /// Services.
    Server,
    /// Domains.
    Globe,
    /// Billing.
    Invoice,
    /// Support requests.
    Speech,
    /// Users.
    People,
    /// Account details.
    Card,
    /// The log.
    Clock,
    /// Something worth knowing.
    Info,
    /// The provider's mark.
    Key,
    /// No entry.
    Lock,
    /// There is more below.
    Down,
    /// Close.
    Cross,
    /// Add.
    Plus,
}

impl From<Area> for Icon {
    fn from(area: Area) -> Self {
        match area {
            Area::Services => Self::Server,
            Area::Domains => Self::Globe,
            Area::Billing => Self::Invoice,
            Area::Support => Self::Speech,
            Area::Account => Self::Card,
        }
    }
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Self::Home => "M3 10.5 12 3l9 7.5M5.5 9v11h13V9M10 20v-6h4v6",
            Self::Server => "M4 4h16v6H4zM4 14h16v6H4zM8 7h.01M8 17h.01",
            Self::Globe => {
                "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18"
            }
            Self::Invoice => "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
            Self::Speech => "M4 5h16v11h-9l-4 4v-4H4z",
            Self::People => {
                "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-4 3-6 6.5-6s6.5 2 6.5 6M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5c2.2.8 3.5 2.6 3.5 5.5"
            }
            Self::Card => "M3 5h18v14H3zM7 10h4M7 14h10",
            Self::Clock => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.5 2",
            Self::Info => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5M12 8h.01",
            Self::Key => {
                "M14.5 3a6.5 6.5 0 0 0-6.2 8.5L3 16.8V21h4.2v-2.6h2.6v-2.6l1.7-.6A6.5 6.5 0 1 0 14.5 3zM16 8h.01"
            }
            Self::Lock => "M5 11h14v10H5zM8 11V8a4 4 0 0 1 8 0v3",
            Self::Down => "m6 9 6 6 6-6",
            Self::Cross => "M6 6l12 12M18 6 6 18",
            Self::Plus => "M12 5v14M5 12h14",
        }
    }
}

/// Draws an icon.
pub(crate) fn icon(icon: Icon) -> Markup {
    html! {
        svg
            class="icon"
            viewBox="0 0 24 24"
            width="20"
            height="20"
            fill="none"
            stroke="currentColor"
            stroke-width="1.75"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
        {
            path d=(icon.path()) {}
        }
    }
}
