//! The provider's own look: an accent colour for each theme, and a mark beside the name. Whether
//! the colours can be read is settled at the start.

use std::fmt::{self, Write};
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::assets;
use crate::router::Parts;

/// The largest file taken as a mark, in bytes.
const LARGEST_MARK: usize = 64 * 1024;

/// What text needs against what is behind it (WCAG 2.2, success criterion 1.4.3).
const TEXT: f64 = 4.5;
/// What a sign or an outline needs (WCAG 2.2, success criterion 1.4.11).
const SIGN: f64 = 3.0;

/// A colour in sRGB, as it stands in the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// The text is no colour of six hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoColour;

/// A theme, with the colours of `style/tokens.css` that an accent meets in it, in OKLCH.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Its name.
    pub name: &'static str,
    grounds: [Oklch; 5],
    text: Oklch,
    on_accent: Oklch,
    /// Lightness and chroma of the ground that has the accent's hue.
    soft: (f64, f64),
}

/// Lightness, chroma, hue in degrees.
type Oklch = [f64; 3];

/// The light theme: canvas, surface, raised, tint, hover.
pub const LIGHT: Theme = Theme {
    name: "light",
    grounds: [
        [0.984, 0.003, 247.0],
        [1.0, 0.0, 0.0],
        [1.0, 0.0, 0.0],
        [0.972, 0.004, 247.0],
        [0.955, 0.006, 247.0],
    ],
    text: [0.235, 0.022, 258.0],
    on_accent: [1.0, 0.0, 0.0],
    soft: (0.945, 0.028),
};

/// The dark theme, in the same order.
pub const DARK: Theme = Theme {
    name: "dark",
    grounds: [
        [0.168, 0.01, 255.0],
        [0.203, 0.012, 255.0],
        [0.235, 0.014, 255.0],
        [0.228, 0.013, 255.0],
        [0.262, 0.015, 255.0],
    ],
    text: [0.945, 0.006, 250.0],
    on_accent: [0.19, 0.03, 215.0],
    soft: (0.3, 0.045),
};

/// Lightness and two opponent colours (Björn Ottosson, "A perceptual color space for image
/// processing"; CSS Color 4 section 9.3).
#[derive(Clone, Copy)]
struct Oklab([f64; 3]);

impl FromStr for Colour {
    type Err = NoColour;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('#').ok_or(NoColour)?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NoColour);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| NoColour)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('#')?;
        self.0.iter().try_for_each(|part| write!(f, "{part:02x}"))
    }
}

impl Colour {
    /// Whether everything that pages make of this accent can be read in the theme.
    ///
    /// # Errors
    /// The contrast that it falls short with, and the one that it would need there.
    pub fn check(self, theme: &Theme) -> Result<(), (f64, f64)> {
        let (accent, text) = (Oklab::from(self), Oklab::from(theme.text));
        let hue = accent.hue();
        let soft = Oklab::from([theme.soft.0, theme.soft.1, hue]);
        // As `--accent-hover` and `--accent-text` are mixed.
        let (hover, words) = (accent.mix(text, 0.86), accent.mix(text, 0.88));
        let on_accent = Oklab::from(theme.on_accent);
        let grounds = theme.grounds.map(Oklab::from);
        let on_grounds = grounds
            .iter()
            .flat_map(|ground| [(accent.contrast(*ground), SIGN), (words.contrast(*ground), TEXT)]);
        let others = [
            (accent.contrast(grounds[0]), TEXT),
            (words.contrast(soft), TEXT),
            (on_accent.contrast(accent), TEXT),
            (on_accent.contrast(hover), TEXT),
        ];
        match on_grounds.chain(others).find(|(found, needed)| found < needed) {
            None => Ok(()),
            Some(short) => Err(short),
        }
    }
}

impl From<Colour> for Oklab {
    fn from(Colour(parts): Colour) -> Self {
        let linear = parts.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        let cones = times(&TO_CONES, linear).map(f64::cbrt);
        Self(times(&TO_LAB, cones))
    }
}

impl From<Oklch> for Oklab {
    fn from([lightness, chroma, hue]: Oklch) -> Self {
        let (sin, cos) = hue.to_radians().sin_cos();
        Self([lightness, chroma * cos, chroma * sin])
    }
}

impl Oklab {
    fn hue(self) -> f64 {
        let [_, a, b] = self.0;
        b.atan2(a).to_degrees()
    }

    fn mix(self, other: Self, share: f64) -> Self {
        let mut mixed = self.0;
        for (part, other) in mixed.iter_mut().zip(other.0) {
            *part = *part * share + other * (1.0 - share);
        }
        Self(mixed)
    }

    /// The relative luminance (WCAG 2.2). What a screen can't show is cut to what it can.
    fn luminance(self) -> f64 {
        let cones = times(&FROM_LAB, self.0).map(|part| part.powi(3));
        let [red, green, blue] = times(&FROM_CONES, cones).map(|part| part.clamp(0.0, 1.0));
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast ratio (WCAG 2.2).
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }
}

/// The matrices of CSS Color 4 section 18, between linear sRGB, cone responses and OKLab.
const TO_CONES: [[f64; 3]; 3] = [
    [0.412_221_469_5, 0.536_332_537_3, 0.051_445_993_3],
    [0.211_903_495_8, 0.680_699_550_6, 0.107_396_953_5],
    [0.088_302_459_2, 0.281_718_838_9, 0.629_978_701_8],
];
const TO_LAB: [[f64; 3]; 3] = [
    [0.210_454_268_3, 0.793_617_774_7, -0.004_072_043_0],
    [1.977_998_532_4, -2.428_592_242_0, 0.450_593_709_6],
    [0.025_904_042_5, 0.782_771_712_5, -0.808_675_754_9],
];
const FROM_LAB: [[f64; 3]; 3] = [
    [1.0, 0.396_337_777_4, 0.215_803_757_3],
    [1.0, -0.105_561_345_8, -0.063_854_172_8],
    [1.0, -0.089_484_177_5, -1.291_485_548_0],
];
const FROM_CONES: [[f64; 3]; 3] = [
    [4.076_741_662_0, -3.307_711_591_0, 0.230_969_929_0],
    [-1.268_438_004_6, 2.609_757_401_1, -0.341_319_396_5],
    [-0.004_196_086_3, -0.703_418_614_7, 1.707_614_701_0],
];

fn times(matrix: &[[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(vector).map(|(one, other)| one * other).sum())
}

/// A mark, as read from its file.
#[derive(Clone)]
pub struct Mark {
    kind: &'static str,
    bytes: Arc<[u8]>,
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mark").field(&self.kind).finish()
    }
}

impl Mark {
    /// Takes what is in a file; none for anything but an SVG or PNG of 64 KiB at most.
    #[must_use]
    pub fn parse(bytes: Vec<u8>) -> Option<Self> {
        const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
        let is_svg = || {
            let text = std::str::from_utf8(&bytes).unwrap_or_default().trim_start();
            let text = text.trim_start_matches('\u{feff}');
            (text.starts_with("<svg") || text.starts_with("<?xml") || text.starts_with("<!--"))
                && text.contains("<svg")
        };
        let kind = if bytes.starts_with(PNG) {
            "image/png"
        } else if is_svg() {
            "image/svg+xml"
        } else {
            return None;
        };
        (bytes.len() <= LARGEST_MARK).then(|| Self { kind, bytes: bytes.into() })
    }
}

/// `GET /provider.css`: the accent colours, in place of the product's own.
pub async fn css(State(parts): State<Parts>, headers: HeaderMap) -> Response {
    let config = &parts.config;
    let Some(css) = style_sheet(config.accent_light, config.accent_dark) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    assets::own(css.into_bytes(), "text/css; charset=utf-8", &headers)
}

/// `GET /provider-mark`
pub async fn mark(State(parts): State<Parts>, headers: HeaderMap) -> Response {
    let Some(mark) = &parts.config.mark_file else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = assets::own(mark.bytes.to_vec(), mark.kind, &headers);
    // Opened on its own, an SVG is a page: it may draw itself, and nothing else.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; object-src 'none'; \
                  base-uri 'none'; frame-ancestors 'none'";
    let policy = HeaderValue::from_static(policy);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Outside of any layer, so it wins over the tokens' own.
fn style_sheet(light: Option<Colour>, dark: Option<Colour>) -> Option<String> {
    let rule = |theme: &str, colour: Colour| {
        format!("@media (prefers-color-scheme: {theme}) {{ :root {{ --accent: {colour}; }} }}\n")
    };
    let light = light.map(|colour| rule(LIGHT.name, colour));
    let dark = dark.map(|colour| rule(DARK.name, colour));
    (light.is_some() || dark.is_some())
        .then(|| light.unwrap_or_default() + &dark.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        text.parse().unwrap()
    }

    #[test]
    fn a_colour_is_six_hexadecimal_digits() {
        assert_eq!(colour("#00687A").to_string(), "#00687a");
        for text in ["", "00687a", "#06a", "#00687g", "#00687a80", "teal", "#+0687a"] {
            assert_eq!(text.parse::<Colour>(), Err(NoColour), "{text}");
        }
    }

    #[test]
    fn contrasts_are_those_of_the_standard() {
        let contrast = |one: &str, two: &str| {
            let ratio = Oklab::from(colour(one)).contrast(colour(two).into());
            (ratio * 100.0).round() / 100.0
        };
        assert_eq!(contrast("#ffffff", "#000000"), 21.0);
        assert_eq!(contrast("#777777", "#ffffff"), 4.48);
        assert_eq!(contrast("#00687a", "#ffffff"), 6.44);
        assert_eq!(contrast("#336699", "#336699"), 1.0);
    }

    #[test]
    fn what_cannot_be_read_is_no_accent() {
        for accent in ["#00687a", "#005ea5", "#7a1f5c", "#4b4bd6"] {
            assert_eq!(colour(accent).check(&LIGHT), Ok(()), "{accent}");
        }
        for accent in ["#5cc0cd", "#7ab8ff", "#e6a5d2", "#c9c94b"] {
            assert_eq!(colour(accent).check(&DARK), Ok(()), "{accent}");
        }
        for accent in ["#5cc0cd", "#ffcc00", "#ffffff", "#808080"] {
            assert!(colour(accent).check(&LIGHT).is_err(), "{accent}");
        }
        for accent in ["#00687a", "#000000", "#808080"] {
            assert!(colour(accent).check(&DARK).is_err(), "{accent}");
        }
    }

    /// The colours here are those of the style sheet, and its own accents pass.
    #[test]
    fn the_tokens_are_those_of_the_style_sheet() {
        let tokens = std::fs::read_to_string("../style/tokens.css").unwrap();
        let written = |[l, c, h]: Oklch| match (c, h) {
            (0.0, 0.0) => format!("oklch({l} 0 0)"),
            _ => format!("oklch({l} {c} {h})"),
        };
        let token = |name: &str, light: Oklch, dark: Oklch| {
            let line = format!("{name}: light-dark({}, {});", written(light), written(dark));
            assert!(tokens.contains(&line), "{line}");
        };
        let names = ["--canvas", "--surface", "--raised", "--tint", "--hover"];
        for (place, name) in names.into_iter().enumerate() {
            token(name, LIGHT.grounds[place], DARK.grounds[place]);
        }
        token("--text", LIGHT.text, DARK.text);
        token("--on-accent", LIGHT.on_accent, DARK.on_accent);
        for mixed in ["var(--accent) 86%, var(--text)", "var(--accent) 88%, var(--text)"] {
            assert!(tokens.contains(mixed), "{mixed}");
        }
        let soft = "light-dark(oklch(from var(--accent) 0.945 0.028 h), oklch(from var(--accent) 0.3 0.045 h))";
        assert!(tokens.contains(soft));
    }

    #[test]
    fn only_pictures_are_marks() {
        for svg in [
            "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            "\u{feff}<?xml version=\"1.0\"?>\n<svg/>",
        ] {
            assert_eq!(Mark::parse(svg.into()).map(|mark| mark.kind), Some("image/svg+xml"));
        }
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        assert_eq!(Mark::parse(png).map(|mark| mark.kind), Some("image/png"));
        for text in ["", "GIF89a", "<html><svg></html>", "<?xml version=\"1.0\"?><rss/>"] {
            assert!(Mark::parse(text.into()).is_none(), "{text}");
        }
        let large = format!("<svg>{}</svg>", " ".repeat(LARGEST_MARK));
        assert!(Mark::parse(large.into_bytes()).is_none());
    }

    #[test]
    fn each_theme_keeps_its_accent_if_none_is_set() {
        assert_eq!(style_sheet(None, None), None);
        let both = style_sheet(Some(colour("#005ea5")), Some(colour("#7ab8ff"))).unwrap();
        assert!(both.contains("(prefers-color-scheme: light) { :root { --accent: #005ea5; } }"));
        let dark = style_sheet(None, Some(colour("#7ab8ff"))).unwrap();
        assert!(!dark.contains("light"));
    }
}
