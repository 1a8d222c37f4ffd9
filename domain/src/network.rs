//! Which addresses may be gone to: without TLS on this machine alone, and without being asked for to
//! public ones only.

use std::net::IpAddr;

use url::{Host, Url};

/// Whether an address that somebody names may be asked; `plain` says whether http is as good as https on
/// this machine, and `private` whether it may be in a network of one's own. A host's name is looked at
/// when it is resolved.
#[must_use]
pub fn may_go_to(url: &Url, plain: bool, private: bool) -> bool {
    let allowed = private
        || match url.host() {
            Some(Host::Domain(_)) => true,
            Some(Host::Ipv4(address)) => is_public(address.into()),
            Some(Host::Ipv6(address)) => is_public(address.into()),
            None => false,
        };
    allowed && is_protected(url, plain)
}

/// Whether what goes to this address can't be read on the way; `plain` as for [`may_go_to`].
#[must_use]
pub fn is_protected(url: &Url, plain: bool) -> bool {
    url.scheme() == "https" || plain && is_here(url)
}

/// Whether the address is this machine's own, where http is as good as https.
#[must_use]
pub fn is_here(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

/// Whether the address is one that everybody reaches (IANA's registries of special-purpose addresses,
/// RFC 6890).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b))
                || (a, b, c) == (192, 0, 0))
        }
        // Of the global unicast addresses, not those that stand for others (6to4, Teredo) or for
        // none: NAT64 and unique local ones are outside anyway.
        IpAddr::V6(address) => {
            let [a, b, ..] = address.segments();
            a & 0xe000 == 0x2000 && a != 0x2002 && !(a == 0x2001 && (b < 0x200 || b == 0xdb8))
        }
    }
}
