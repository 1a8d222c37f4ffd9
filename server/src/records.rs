//! Asking DNS what a domain's owner wrote there. Nothing is kept: who just added a record wants it
//! found, and who took one away wants it gone.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use domain::single_sign_on::{Asked, NoAnswer, Records};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// DNS, by the server of the settings or else the system's; nobody where the system has none.
pub struct Dns(Option<TokioResolver>);

impl Dns {
    /// Asks this server, or else those that the system asks. A system that doesn't say whom it asks
    /// keeps owners from proving domains, and nothing else.
    #[must_use]
    pub fn new(server: Option<SocketAddr>) -> Self {
        let resolver = resolver(server).inspect_err(|error| {
            tracing::warn!("domains can't be proven, set dns_server: {error:#}");
        });
        Self(resolver.ok())
    }
}

fn resolver(server: Option<SocketAddr>) -> Result<TokioResolver> {
    let mut builder = match server {
        Some(server) => {
            let mut one = NameServerConfig::udp_and_tcp(server.ip());
            one.connections.iter_mut().for_each(|way| way.port = server.port());
            let config = ResolverConfig::from_name_servers(vec![one]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
        None => TokioResolver::builder_tokio().context("the system's DNS settings")?,
    };
    builder.options_mut().cache_size = 0;
    builder.build().context("DNS can't be asked")
}

impl Records for Dns {
    fn texts<'a>(&'a self, name: &'a str) -> Asked<'a> {
        Box::pin(async move {
            let resolver = self.0.as_ref().ok_or(NoAnswer)?;
            // The dot says that nothing is to be added.
            let asked = resolver.txt_lookup(format!("{name}."));
            let found = match tokio::time::timeout(ANSWER_WITHIN, asked).await {
                Ok(Ok(found)) => found,
                Ok(Err(error)) if error.is_no_records_found() => return Ok(Vec::new()),
                Ok(Err(error)) => {
                    tracing::warn!(name, %error, "DNS doesn't answer as it should");
                    return Err(NoAnswer);
                }
                Err(_) => {
                    tracing::warn!(name, "DNS doesn't answer");
                    return Err(NoAnswer);
                }
            };
            // One record may be several strings: together they are its text (RFC 7208 section 3.3).
            let text = |data: &RData| match data {
                RData::TXT(text) => {
                    let whole = text.txt_data.concat();
                    Some(String::from_utf8_lossy(&whole).into_owned())
                }
                _ => None,
            };
            Ok(found.answers().iter().filter_map(|record| text(&record.data)).collect())
        })
    }
}
