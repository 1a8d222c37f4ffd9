//! How identity providers and webhooks' endpoints are asked over HTTP. Every answer is small and soon
//! there, or counts as none; redirects aren't followed, so that nobody who is asked can have us ask
//! somewhere else. Which providers accounts have is their owners' to say, and names may come to lead
//! elsewhere: those must be public, and so must endpoints.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use domain::network::{is_protected, is_public, may_go_to};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The largest answer taken, in bytes: a provider's keys are the largest there is.
const LARGEST: usize = 128 * 1024;

/// The client that they are asked with, at private addresses too or not: the TLS of the mail server's
/// connection, and the system's certificate authorities.
pub(crate) fn client(private: bool) -> Result<reqwest::Client> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS can't be set up")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = reqwest::Client::builder();
    let builder = if private { builder } else { builder.dns_resolver(PublicOnly) };
    builder
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(ANSWER_WITHIN)
        .user_agent("Latchkey")
        .build()
        .context("the client for requests of ours can't be set up")
}

/// Finds public addresses only: nobody is to have Latchkey ask what it alone reaches (OWASP ASVS
/// 5.0 V1.3.6, V13.2.4).
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let all = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<_> = all.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                let error = io::Error::other("it has no public address");
                return Err(Box::<dyn std::error::Error + Send + Sync>::from(error));
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Asks one provider or endpoint.
#[derive(Clone)]
pub(crate) struct Http {
    pub(crate) client: reqwest::Client,
    /// Whether it is on this machine, without TLS.
    pub(crate) plain: bool,
    /// Whether it may have a private address.
    pub(crate) private: bool,
}

impl Http {
    /// Whether what goes to this address can't be read on the way.
    pub(crate) fn is_protected(&self, url: &Url) -> bool {
        is_protected(url, self.plain)
    }

    /// Whether an address that somebody names may be asked. A host's name is looked at when it is
    /// resolved.
    pub(crate) fn may_go_to(&self, url: &Url) -> bool {
        may_go_to(url, self.plain, self.private)
    }

    /// Asks, if the address may be asked. The answer's body is still to be read, as far as is bearable.
    pub(crate) async fn ask(&self, request: reqwest::Request) -> io::Result<reqwest::Response> {
        if !self.may_go_to(request.url()) {
            let url = request.url();
            return Err(io::Error::other(format!("{url} isn't https, or isn't public")));
        }
        self.client.execute(request).await.map_err(io::Error::other)
    }

    /// Asks, and takes no more of the answer than is bearable.
    pub(crate) async fn fetch(&self, request: HttpRequest) -> io::Result<HttpResponse> {
        let request = reqwest::Request::try_from(request).map_err(io::Error::other)?;
        let mut answer = self.ask(request).await?;
        let mut response = HttpResponse::new(Vec::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        while let Some(piece) = answer.chunk().await.map_err(io::Error::other)? {
            if response.body().len() + piece.len() > LARGEST {
                return Err(io::Error::other("the answer is too large"));
            }
            response.body_mut().extend_from_slice(&piece);
        }
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<HttpResponse>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.fetch(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_on_this_machine_is_asked_without_tls() {
        let goes = |plain: bool, url: &str| {
            let http = Http { client: client(true).unwrap(), plain, private: true };
            http.may_go_to(&Url::parse(url).unwrap())
        };
        for url in ["https://id.example/keys", "https://127.0.0.1/keys"] {
            assert!(goes(false, url) && goes(true, url), "{url}");
        }
        for url in ["http://127.0.0.1:9000/keys", "http://[::1]/keys", "http://localhost/keys"] {
            assert!(!goes(false, url) && goes(true, url), "{url}");
        }
        for url in ["http://id.example/keys", "http://10.0.0.1/keys", "file:///etc/passwd"] {
            assert!(!goes(false, url) && !goes(true, url), "{url}");
        }
    }

    #[test]
    fn what_others_name_is_asked_at_public_addresses_only() {
        let http = Http { client: client(false).unwrap(), plain: false, private: false };
        let goes = |url: &str| http.may_go_to(&Url::parse(url).unwrap());
        for url in ["https://id.example", "https://8.8.8.8/", "https://[2606:4700::1111]/"] {
            assert!(goes(url), "{url}");
        }
        for url in [
            "https://127.0.0.1/",
            "https://0x7f000001/",
            "https://0.0.0.0/",
            "https://10.1.2.3/",
            "https://172.16.0.1/",
            "https://192.168.1.1/",
            "https://100.64.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
        ] {
            assert!(!goes(url), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_for_a_private_address_is_not_resolved() {
        let found = PublicOnly.resolve("localhost".parse().unwrap()).await;
        assert!(found.is_err());
    }
}
