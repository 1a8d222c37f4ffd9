//! Places by network address, from a file that the provider keeps (MaxMind DB format, version 2):
//! for recognising one's own devices. Looked up when they are shown; nothing of it is stored.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use leptos_i18n::Locale as _;
use maxminddb::{MaxMindDbError, Reader};
use serde::Deserialize;

use crate::words::locale;

/// The file, as read at the start.
#[derive(Clone)]
pub struct Places(Arc<Reader<Vec<u8>>>);

/// What of an address's record is shown.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Record {
    city: Named,
    country: Named,
}

/// Something with names by language.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    names: BTreeMap<String, String>,
}

impl Named {
    /// Its name in the reader's language, else in English.
    fn name(&self) -> Option<String> {
        let own = self.names.get(locale().as_str());
        own.or_else(|| self.names.get("en")).cloned()
    }
}

impl Places {
    /// Reads the file.
    ///
    /// # Errors
    /// [`MaxMindDbError`] when it can't be read or isn't one of its kind.
    pub fn read(file: &Path) -> Result<Self, MaxMindDbError> {
        Reader::open_readfile(file).map(|reader| Self(Arc::new(reader)))
    }

    /// Looks through all of the file for what is broken in it.
    ///
    /// # Errors
    /// [`MaxMindDbError`], which says where.
    pub fn check(&self) -> Result<(), MaxMindDbError> {
        self.0.verify()
    }

    /// Where an address is, such as "Oslo, Norway"; none for what is in no file: networks of one's
    /// own (RFC 1918, RFC 4193, RFC 6598) and whatever this one doesn't know.
    fn place(&self, address: &str) -> Option<String> {
        let address: IpAddr = address.parse().ok()?;
        let address = address.to_canonical();
        if is_private(address) {
            return None;
        }
        let found = self.0.lookup(address).and_then(|found| found.decode::<Record>());
        let record = found
            .inspect_err(|error| tracing::warn!(%error, "the GeoIP file can't be read there"))
            .ok()
            .flatten()?;
        match (record.city.name(), record.country.name()) {
            (Some(city), Some(country)) => {
                Some(words!(device.place, city = city, country = country))
            }
            (one, other) => one.or(other),
        }
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.metadata().database_type)
    }
}

/// The address, and behind it the place if that is known: "192.0.2.1 (Oslo, Norway)".
pub(crate) fn with_place(address: &str, places: Option<&Places>) -> String {
    match places.and_then(|places| places.place(address)) {
        Some(place) => words!(device.at, address = address, place = place),
        None => address.to_owned(),
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let shared = first == 100 && (64..128).contains(&second);
            shared || address.is_private() || address.is_loopback() || address.is_link_local()
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_ones_own_are_nowhere() {
        let private = ["10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "100.64.0.1", "::1"];
        for address in private.iter().chain(&["fd00::1", "fe80::1", "169.254.0.1"]) {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in ["192.0.2.1", "100.63.0.1", "100.128.0.1", "2001:db8::1"] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }
}
