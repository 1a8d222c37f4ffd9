//! The file with the key that digests of the log are signed with.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use domain::Random;
use domain::digests::LogKey;

/// Reads and writes for its owner, nothing for others.
const PRIVATE: u32 = 0o600;

/// Reads the key; none when there is no such file.
///
/// # Errors
/// A sentence for the operator when the file can't be read or holds something else.
pub fn read(path: &Path) -> Result<Option<LogKey>> {
    let pem = match std::fs::read_to_string(path) {
        Ok(pem) => pem,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(anyhow!("log_key_file: {} can't be read: {error}", path.display()));
        }
    };
    LogKey::from_pem(&pem).map(Some).map_err(|problem| {
        anyhow!(
            "log_key_file: {} is broken, {problem}: put the right file back, or move this one \
             away and a new key is made",
            path.display()
        )
    })
}

/// Reads the key, or makes one when there is no such file.
///
/// # Errors
/// As [`read`], or when the file can't be made.
pub fn read_or_make(path: &Path, random: &dyn Random) -> Result<LogKey> {
    if let Some(key) = read(path)? {
        return Ok(key);
    }
    let key = LogKey::new(random);
    write(path, key.to_pem()?.expose())
        .with_context(|| format!("log_key_file: {} can't be made", path.display()))?;
    tracing::info!(file = %path.display(), "made the key that digests of the log are signed with");
    Ok(key)
}

/// Whether others than the file's owner may read or write it.
#[must_use]
pub fn is_exposed(path: &Path) -> bool {
    let mode = std::fs::metadata(path).map(|found| found.permissions().mode());
    mode.is_ok_and(|mode| mode & 0o077 != 0)
}

/// Writes a file that isn't there yet. One that another process made meanwhile isn't overwritten:
/// what it signed would be a stranger's.
fn write(path: &Path, pem: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path)?;
    fill(&mut file, pem).inspect_err(|_| {
        // Half a key would stop the next start.
        let _ = std::fs::remove_file(path);
    })
}

fn fill(file: &mut File, pem: &str) -> std::io::Result<()> {
    // Whatever the process's umask takes away or a folder's defaults add.
    file.set_permissions(Permissions::from_mode(PRIVATE))?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;

    #[test]
    fn a_missing_key_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/log-key.pem");
        assert!(read(&path).unwrap().is_none());
        let made = read_or_make(&path, &SystemRandom).unwrap();
        assert!(!is_exposed(&path));
        let again = read_or_make(&path, &SystemRandom).unwrap();
        assert_eq!(made.public(), again.public());
        assert_eq!(read(&path).unwrap().unwrap().public(), made.public());
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(is_exposed(&path));
    }

    #[test]
    fn a_key_that_cannot_be_used_is_told_in_a_sentence_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log-key.pem");
        for text in ["", "-----BEGIN PRIVATE KEY-----\ngeheim\n-----END PRIVATE KEY-----\n"] {
            std::fs::write(&path, text).unwrap();
            let told = format!("{:#}", read_or_make(&path, &SystemRandom).unwrap_err());
            assert!(told.starts_with("log_key_file: /") && told.contains("is broken"), "{told}");
            assert!(!told.contains("geheim") && !told.contains('\n'), "{told}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        let told = format!("{:#}", read_or_make(folder.path(), &SystemRandom).unwrap_err());
        assert!(told.contains("can't be read"), "{told}");
        let under_a_file = path.join("log-key.pem");
        let told = format!("{:#}", read_or_make(&under_a_file, &SystemRandom).unwrap_err());
        assert!(told.starts_with("log_key_file: /"), "{told}");
    }
}
