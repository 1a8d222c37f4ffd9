//! Where Latchkey is reached and listens, what stands in front of it, and whom it asks about names.

use std::net::{IpAddr, SocketAddr};

use domain::passkeys::{self, NoPasskeys};
use ipnet::IpNet;
use serde::Deserializer;
use url::Url;

use super::Config;
use super::values::{Given, isnt, read, read_open, read_text};

impl Config {
    /// The host's name in the public address.
    pub(super) fn host(&self) -> String {
        let url = Url::parse(&self.public_url).ok();
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Whose request it is: the peer, or behind trusted proxies the last address in
    /// `X-Forwarded-For` (several such headers joined by commas) that isn't one of theirs. What
    /// stands left of it anybody can have written.
    #[must_use]
    pub fn client_address(&self, peer: IpAddr, forwarded_for: Option<&str>) -> IpAddr {
        let trusted =
            |address: IpAddr| self.trusted_proxies.iter().any(|net| net.contains(&address));
        let mut client = peer.to_canonical();
        let mut hops = forwarded_for.unwrap_or_default().rsplit(',');
        while trusted(client) {
            let Some(hop) = hops.next().and_then(hop) else { break };
            client = hop.to_canonical();
        }
        client
    }

    /// Whether the public address is this machine's own, where http is as good as https.
    #[must_use]
    pub fn is_local(&self) -> bool {
        Url::parse(&self.public_url).is_ok_and(|url| match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        })
    }

    /// Why nobody can use passkeys here, and what to do; none where they can.
    #[must_use]
    pub fn why_no_passkeys(&self) -> Option<String> {
        let url = &self.public_url;
        match passkeys::are_possible(url) {
            Ok(()) => None,
            Err(NoPasskeys::NoName) => Some(format!(
                "they belong to a name, and {url} is an IP address: set public_url to an address \
                 with a name"
            )),
            Err(NoPasskeys::NoHttps) => Some(format!(
                "browsers take them over https only, and {url} isn't: put https in front, and set \
                 it in public_url"
            )),
        }
    }
}

/// One hop of `X-Forwarded-For`: an address, which some proxies give with the port.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse().ok();
    address
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

pub(super) fn public_url<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    const WANTED: &str =
        "an http or https address without a path, such as https://my.provider.example";
    read_text(from, WANTED, |text| {
        let url = Url::parse(text).ok()?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        plain.then(|| url.origin().ascii_serialization())
    })
}

pub(super) fn listen<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    read_open(from, "an IP address and a port, such as 127.0.0.1:3000 or [::]:3000", |text| {
        text.parse().ok()
    })
}

pub(super) fn trusted_proxies<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    const WANTED: &str = "IP addresses or networks such as 10.0.0.0/8, separated by commas";
    let entries: Vec<String> = read(from, WANTED, |given| match given {
        Given::Text(text) => Some(text.split(',').map(str::to_owned).collect()),
        Given::List(entries) => Some(entries),
        _ => None,
    })?;
    let entries = entries.iter().map(|entry| entry.trim()).filter(|entry| !entry.is_empty());
    entries
        .map(|entry| network(entry).ok_or_else(|| isnt(WANTED, &entry.escape_debug().to_string())))
        .collect()
}

pub(super) fn dns_server<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<SocketAddr>, D::Error> {
    const PORT: u16 = 53;
    read_open(from, "an IP address and perhaps a port, such as 192.0.2.53", |text| {
        let alone = text.parse().ok().map(|address: IpAddr| SocketAddr::new(address, PORT));
        alone.or_else(|| text.parse().ok()).map(Some)
    })
}

fn network(text: &str) -> Option<IpNet> {
    let address = text.parse().ok().map(|address: IpAddr| IpNet::from(address.to_canonical()));
    address.or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{parse, refuses, with_proxies};

    #[test]
    fn what_is_no_address_is_refused() {
        refuses(&[
            ("PUBLIC_URL", "my.provider.example", "an http or https address without a path"),
            ("PUBLIC_URL", "ftp://provider.example", "an http or https address"),
            ("PUBLIC_URL", "https://provider.example/portal", "an http or https address"),
            ("PUBLIC_URL", "https://provider.example/?a", "an http or https address"),
            ("PUBLIC_URL", "https://me:pw@provider.example", "an http or https address"),
            ("LISTEN", "3000", "an IP address and a port"),
            ("LISTEN", "localhost:3000", "an IP address and a port"),
            ("DNS_SERVER", "ns.provider.example", "an IP address and perhaps a port"),
            ("DNS_SERVER", "192.0.2.53:", "an IP address and perhaps a port"),
            ("TRUSTED_PROXIES", "10.0.0.0/8, proxy.local", "IP addresses or networks"),
        ]);
    }

    #[test]
    fn a_name_server_is_asked_at_its_usual_port_unless_another_is_named() {
        for (text, address) in [
            ("192.0.2.53", "192.0.2.53:53"),
            ("192.0.2.53:5353", "192.0.2.53:5353"),
            ("2001:db8::53", "[2001:db8::53]:53"),
            ("[2001:db8::53]:5353", "[2001:db8::53]:5353"),
        ] {
            let config = parse("", &[("LATCHKEY_DNS_SERVER", text)]).unwrap();
            assert_eq!(config.dns_server.unwrap().to_string(), address, "{text}");
        }
        assert!(parse("", &[]).unwrap().dns_server.is_none());
    }

    #[test]
    fn the_public_address_ends_without_a_slash() {
        let public = |url| parse("", &[("LATCHKEY_PUBLIC_URL", url)]).unwrap();
        let config = public("https://My.Provider.Example:443/");
        assert_eq!(config.public_url, "https://my.provider.example");
        assert!(config.site().secure && !config.is_local());
        for url in ["http://localhost:8080", "http://127.0.0.1", "http://[::1]:3000"] {
            assert!(public(url).is_local(), "{url}");
        }
    }

    #[test]
    fn why_there_are_no_passkeys_is_said() {
        let why = |url: &str| {
            Config { public_url: url.to_owned(), ..Config::default() }.why_no_passkeys()
        };
        assert_eq!(why("http://localhost:3000"), None);
        assert_eq!(why("https://my.provider.example"), None);
        assert!(why("https://192.0.2.1").unwrap().contains("192.0.2.1 is an IP address"));
        assert!(why("http://my.provider.example").unwrap().contains("put https in front"));
    }

    #[test]
    fn only_trusted_proxies_say_who_the_client_is() {
        let cases = [
            ("", "203.0.113.9", Some("192.0.2.1"), "203.0.113.9"),
            ("10.0.0.0/8", "10.1.2.3", None, "10.1.2.3"),
            ("10.0.0.0/8", "10.1.2.3", Some("192.0.2.1"), "192.0.2.1"),
            ("10.0.0.0/8", "203.0.113.9", Some("192.0.2.1"), "203.0.113.9"),
            // Whoever sends the header themselves only adds to its left.
            ("10.0.0.0/8", "10.1.2.3", Some("127.0.0.1, 192.0.2.1"), "192.0.2.1"),
            ("10.0.0.0/8", "10.1.2.3", Some("192.0.2.1,10.9.9.9 , 10.8.8.8"), "192.0.2.1"),
            ("10.0.0.0/8", "10.1.2.3", Some("10.9.9.9, 10.8.8.8"), "10.9.9.9"),
            ("10.0.0.0/8", "10.1.2.3", Some("192.0.2.1, unknown, 10.8.8.8"), "10.8.8.8"),
            ("10.0.0.0/8", "10.1.2.3", Some(""), "10.1.2.3"),
            ("10.0.0.0/8", "10.1.2.3", Some("192.0.2.1:49152"), "192.0.2.1"),
            ("10.0.0.0/8", "10.1.2.3", Some("[2001:db8::1]:49152"), "2001:db8::1"),
            ("10.0.0.0/8", "10.1.2.3", Some("[2001:db8::1]"), "2001:db8::1"),
            // A socket for both families shows IPv4 peers as IPv6.
            ("10.0.0.0/8", "::ffff:10.1.2.3", Some("::ffff:192.0.2.1"), "192.0.2.1"),
            ("::ffff:10.1.2.3", "10.1.2.3", Some("192.0.2.1"), "192.0.2.1"),
            ("fd00::/8, 127.0.0.1", "fd00::7", Some("192.0.2.1, 127.0.0.1"), "192.0.2.1"),
        ];
        for (proxies, peer, header, client) in cases {
            let found = with_proxies_or_none(proxies).client_address(peer.parse().unwrap(), header);
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{proxies} {peer} {header:?}");
        }
    }

    fn with_proxies_or_none(proxies: &str) -> Config {
        if proxies.is_empty() { Config::default() } else { with_proxies(proxies) }
    }
}
