//! Pages' words for whoever runs Latchkey: what its commands tell of access and of policies is said as
//! owners see it, in English.

use domain::zones;
use leptos::prelude::*;
use model::{AccessOutline, PolicyRule};

use crate::site::Site;
use crate::{Locale, formats, words};

/// What access opens, on what and until when, a line for each grant; days are as in this time zone, or
/// else in the provider's. Nothing for who holds nothing.
#[must_use]
pub fn access(access: &AccessOutline, time_zone: Option<&str>, site: &Site) -> Vec<String> {
    spoken(time_zone, site, || match access {
        AccessOutline::Owner => vec![words!(access.owner)],
        AccessOutline::Granted(outlines) => outlines.iter().map(words::reaching_line).collect(),
    })
}

/// A rule of an account's policy.
#[must_use]
pub fn rule(rule: &PolicyRule, time_zone: Option<&str>, site: &Site) -> String {
    spoken(time_zone, site, || words::rule(rule))
}

fn spoken<T>(time_zone: Option<&str>, site: &Site, say: impl FnOnce() -> T) -> T {
    Owner::new().with(|| {
        provide_context(Locale::en);
        let days = zones::first(time_zone.into_iter().chain([site.time_zone.as_str()]));
        formats::Zones::of_page([], days).provide();
        say()
    })
}
