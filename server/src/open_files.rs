//! How many files the system lets this process have open: every connection is one, and so is every
//! socket to the database and to the mail server, which mustn't be the ones that go short.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::accept::BEYOND;

/// What there is to open besides connections: database, mail server, name servers, identity
/// providers, files.
const OTHERS: usize = 200;

/// Sees to it that so many connections can be open, if need be by raising the limit to what the
/// system allows at most. Answers for how many there is room.
#[must_use]
pub fn make_room(connections: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let needed = (connections + BEYOND + OTHERS) as u64;
    let mut limit = current;
    if current.is_some_and(|current| current < needed) {
        let raised = Some(maximum.map_or(needed, |maximum| maximum.min(needed)));
        if setrlimit(Resource::Nofile, Rlimit { current: raised, maximum }).is_ok() {
            limit = raised;
        }
    }
    let room = room(connections, limit);
    if room < connections {
        tracing::warn!(
            "of {connections} connections {room} are served at the same time, as the system lets \
             this process open {} files only: raise its limit (LimitNOFILE, ulimit -n)",
            limit.unwrap_or_default()
        );
    }
    room
}

/// How many connections there is room for under a limit. However low it is, some are served.
fn room(connections: usize, limit: Option<u64>) -> usize {
    let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    connections.min(limit.saturating_sub(BEYOND + OTHERS).max(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_everything_else() {
        assert_eq!(room(1024, None), 1024);
        assert_eq!(room(1024, Some(8192)), 1024);
        assert_eq!(room(1024, Some(1024)), 1024 - BEYOND - OTHERS);
        assert_eq!(room(8, Some(1024)), 8);
        assert_eq!(room(1024, Some(64)), 16);
    }
}
