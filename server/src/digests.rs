//! Digests of the log as files: for an account's owners to keep, for the operator to compare.

use app::request::RequestFacts;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{Extensions, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::digests::{self, DigestFacts, LogDigest, PublicKey};
use model::Failure;
use serde::{Deserialize, Serialize};

use crate::forms;
use crate::router::Parts;

/// How digests are signed (RFC 8032).
const ALGORITHM: &str = "Ed25519";

/// What stands in the file, in this order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DigestFile {
    account: String,
    day: String,
    rows: i64,
    hash: String,
    signed_at: String,
    algorithm: String,
    public_key: String,
    signature: String,
    /// The very text that was signed: whoever checks the signature needs nothing else.
    signed: String,
}

impl From<&LogDigest> for DigestFile {
    fn from(digest: &LogDigest) -> Self {
        let facts = &digest.facts;
        Self {
            account: facts.number.to_string(),
            day: digests::write_day(facts.day),
            rows: facts.sequence,
            hash: digests::write_hash(&facts.hash),
            signed_at: digests::write_moment(facts.signed_at),
            algorithm: ALGORITHM.to_owned(),
            public_key: PublicKey::from_stored(&digest.public_key)
                .map(PublicKey::to_text)
                .unwrap_or_default(),
            signature: BASE64_STANDARD.encode(&digest.signature),
            signed: digests::statement(facts),
        }
    }
}

impl DigestFile {
    /// The digest in the text of a file; none when it isn't one, or contradicts itself.
    #[must_use]
    pub fn parse(text: &str) -> Option<LogDigest> {
        let file: Self = serde_json::from_str(text).ok()?;
        let facts = DigestFacts {
            number: file.account.parse().ok()?,
            day: digests::read_day(&file.day)?,
            sequence: file.rows,
            hash: digests::read_hash(&file.hash)?,
            signed_at: digests::read_moment(&file.signed_at)?,
        };
        let whole = file.algorithm == ALGORITHM && file.signed == digests::statement(&facts);
        let public_key = PublicKey::parse(&file.public_key).ok()?.to_stored();
        let signature = BASE64_STANDARD.decode(&file.signature).ok()?;
        whole.then_some(LogDigest { facts, public_key, signature })
    }
}

/// `GET /accounts/{n}/log/digests/{day}`
pub async fn download(
    State(parts): State<Parts>,
    Path((account, day)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let failure = match find(&parts, &account, &day, &head.extensions).await {
        Ok(digest) => return send(&digest),
        Err(failure) => failure,
    };
    let mut page = Request::from_parts(head, Body::empty());
    // What isn't there has no page; what else is wrong the log's page knows how to say.
    if failure != Failure::NotFound {
        let path = page.uri().path();
        let log = path.split_once("/digests/").map_or(path, |(log, _)| log).to_owned();
        *page.uri_mut() = log.parse().unwrap_or_default();
    }
    forms::page(State(parts), page).await
}

async fn find(
    parts: &Parts,
    account: &str,
    day: &str,
    extensions: &Extensions,
) -> Result<LogDigest, Failure> {
    let facts = extensions.get::<RequestFacts>().ok_or(Failure::SignedOut)?;
    let viewer = facts.viewer.clone()?;
    let acting = domain::eyes::act(&parts.latchkey, &viewer, account, facts.eyes.as_ref()).await?;
    digests::of_day(&parts.latchkey, &acting.actor, day).await
}

fn send(digest: &LogDigest) -> Response {
    let file = DigestFile::from(digest);
    let name = format!("activity-log-{}-{}.json", file.account, file.day);
    let headers = [
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, Json(file)).into_response()
}
