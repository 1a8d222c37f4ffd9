//! A Postgres cluster that lives in a temporary folder and no longer than this process.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// Starts the cluster, says where, and ends and deletes it when standard input is closed. That
/// happens when the test process is gone, also when it was killed. Nothing is written to the disk
/// on purpose (-F), and nobody but this machine's tests can connect: there is only a socket.
const SCRIPT: &str = r#"
trap : INT TERM HUP
# The path of its socket must be short.
[ "$TMPDIR" = /dev/shm ] && place=/dev/shm || place=/tmp
folder=$(mktemp -d "$place/latchkey-postgres-XXXXXX") || exit 1
cd "$folder"
if {
    "$1/initdb" -D data -U postgres -A trust -E UTF8 --no-locale --no-sync &&
    "$1/pg_ctl" -D data -l log -w start -o "-F -c full_page_writes=off -c max_connections=500 \
        -c listen_addresses= -c unix_socket_directories=$folder"
} < /dev/null > started 2>&1
then echo "$folder"
else cat started log >&2
fi
read -r _
"$1/pg_ctl" -D data -m immediate stop > stopped 2>&1
rm -rf "$folder"
"#;

/// Starts the process's cluster and answers the folder of its socket.
#[expect(clippy::zombie_processes, reason = "the shell is to outlive this process, and cleans up")]
pub(crate) fn start() -> String {
    /// Closed by the operating system when the process ends.
    static UNTIL_THE_END: OnceLock<ChildStdin> = OnceLock::new();

    let mut command = shell();
    command.arg("sh").arg(binaries()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("starting the shell that starts Postgres");
    UNTIL_THE_END.get_or_init(|| child.stdin.take().expect("the shell's standard input"));
    let mut folder = String::new();
    let mut answers = BufReader::new(child.stdout.take().expect("the shell's standard output"));
    answers.read_line(&mut folder).expect("reading where Postgres is");
    assert!(!folder.is_empty(), "Postgres didn't start; the reason is above");
    folder.trim_end().to_owned()
}

/// The shell with the script; Postgres refuses to run as root.
fn shell() -> Command {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    let mut command = Command::new(if is_root { "runuser" } else { "sh" });
    if is_root {
        command.args(["-u", "postgres", "--", "sh"]);
    }
    command.args(["-c", SCRIPT]);
    command
}

/// The folder of Postgres's programs, of the newest version where there are several.
fn binaries() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(|folder| has_postgres(folder));
    on_path.or_else(debian).or_else(by_pg_config).unwrap_or_else(|| {
        panic!(
            "the tests need Postgres 15 or newer: install it (Debian: apt install postgresql; \
             macOS: brew install postgresql), put its initdb on the PATH, or name a server by \
             TEST_POSTGRES_URL"
        )
    })
}

fn debian() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let version = |folder: &PathBuf| folder.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    versions
        .map(|entry| entry.path().join("bin"))
        .filter(|folder| has_postgres(folder))
        .max_by_key(version)
}

fn by_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    has_postgres(&folder).then_some(folder)
}

fn has_postgres(folder: &Path) -> bool {
    folder.join("initdb").is_file() && folder.join("pg_ctl").is_file()
}
