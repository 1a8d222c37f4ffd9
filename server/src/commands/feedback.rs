//! `latchkey feedback list`.

use anyhow::Result;

use super::{exact, explain, open, plain, say};
use crate::config::Config;

/// Lists what readers said of the guides, newest first: when, which guide in which language,
/// whether it helped, and what they added.
pub(super) async fn list(config: &Config, most: usize) -> Result<()> {
    let latchkey = open(config).await?;
    let said = domain::feedback::newest(&latchkey, most).await.map_err(explain)?;
    latchkey.store.close().await;
    if said.is_empty() {
        return say("Nobody said anything of the guides yet.");
    }
    for one in said {
        let answer = if one.helped { "yes" } else { "no" };
        let comment = plain(&one.comment);
        say(&format!("{}  {} ({})  {answer}  {comment}", exact(one.at), one.guide, one.language))?;
    }
    Ok(())
}
