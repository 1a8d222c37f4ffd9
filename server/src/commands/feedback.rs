//! `latchkey feedback list`.

use anyhow::Result;
use serde_json::json;

use super::told::{Told, moment};
use super::{exact, explain, open, plain};
use crate::config::Config;

/// Lists what readers said of the guides, newest first: when, which guide in which language,
/// whether it helped, and what they added.
pub(super) async fn list(config: &Config, most: usize) -> Result<Told> {
    let latchkey = open(config).await?;
    let said = domain::feedback::newest(&latchkey, most).await.map_err(explain)?;
    latchkey.store.close().await;
    let facts = said.iter().map(|one| {
        json!({
            "at": moment(one.at),
            "guide": one.guide,
            "language": one.language,
            "helped": one.helped,
            "comment": one.comment,
        })
    });
    let told = Told::new(json!({ "feedback": facts.collect::<Vec<_>>() }));
    if said.is_empty() {
        return Ok(told.line("Nobody said anything of the guides yet."));
    }
    Ok(told.lines(said.iter().map(|one| {
        let answer = if one.helped { "yes" } else { "no" };
        let comment = plain(&one.comment);
        format!("{}  {} ({})  {answer}  {comment}", exact(one.at), one.guide, one.language)
    })))
}
