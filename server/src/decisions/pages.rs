//! Tokens by which a search goes on. They are opaque, hold no secret and open nothing: each page is
//! decided anew. One is refused by any search but its own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::decisions::ResourceCursor;
use model::{Permission, UserId};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::asked::{Search, Sought};

/// How much of the hash of what is searched for a token holds, in bytes.
const FINGERPRINT: usize = 16;
/// The length of an id, in bytes.
const ID: usize = 16;

/// Where a page of a search begins.
pub(super) trait Cursor: Copy {
    /// It as bytes.
    fn write(self) -> Vec<u8>;

    /// It from those bytes; none if they are another's.
    fn read(bytes: &[u8]) -> Option<Self>;
}

impl Cursor for UserId {
    fn write(self) -> Vec<u8> {
        Uuid::from(self).as_bytes().to_vec()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Uuid::from_slice(bytes).ok().map(Self::from)
    }
}

impl Cursor for ResourceCursor {
    fn write(self) -> Vec<u8> {
        let account = Uuid::from(self.account);
        [account, self.thing].iter().flat_map(|id| *id.as_bytes()).collect()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (account, thing) = bytes.split_at_checked(ID)?;
        let [account, thing] = [account, thing].map(|id| Uuid::from_slice(id).ok());
        Some(Self { account: account?.into(), thing: thing? })
    }
}

impl Cursor for Permission {
    fn write(self) -> Vec<u8> {
        self.id().as_bytes().to_vec()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        str::from_utf8(bytes).ok()?.parse().ok()
    }
}

/// How many results a page has at most, and where it begins; none for the first one. None at all if the
/// token is another search's, or none of ours.
pub(super) fn begun<C: Cursor>(search: &Search, sought: Sought) -> Option<(usize, Option<C>)> {
    let Some(token) = &search.token else { return Some((search.usual_limit(), None)) };
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (found, rest) = bytes.split_at_checked(FINGERPRINT)?;
    let (limit, cursor) = rest.split_first()?;
    let limit = usize::from(*limit);
    let is_its_own = found == fingerprint(search, sought)
        && limit > 0
        && search.limit.is_none_or(|asked| asked == limit);
    is_its_own.then_some((limit, Some(C::read(cursor)?)))
}

/// The token of the page that begins there; empty behind the last one.
pub(super) fn token<C: Cursor>(
    search: &Search,
    sought: Sought,
    limit: usize,
    next: Option<C>,
) -> String {
    let Some(next) = next else { return String::new() };
    let mut bytes = fingerprint(search, sought).to_vec();
    bytes.push(u8::try_from(limit).unwrap_or(u8::MAX));
    bytes.extend(next.write());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What tells a search from others.
fn fingerprint(search: &Search, sought: Sought) -> [u8; FINGERPRINT] {
    let question = &search.question;
    let time = question.time.map_or_else(String::new, |time| time.as_micros().to_string());
    let parts = [
        sought.id(),
        &question.subject.kind,
        &question.subject.id,
        &question.action,
        &question.resource.kind,
        &question.resource.id,
        &time,
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut fingerprint = [0; FINGERPRINT];
    let hash = hash.finalize();
    fingerprint.copy_from_slice(hash.get(..FINGERPRINT).unwrap_or_default());
    fingerprint
}

#[cfg(test)]
mod tests {
    use domain::decisions::{Named, Question};
    use model::Timestamp;

    use super::*;

    fn named(kind: &str, id: &str) -> Named {
        Named { kind: kind.to_owned(), id: id.to_owned() }
    }

    fn search(question: Question, token: Option<String>) -> Search {
        Search { question, token, limit: None }
    }

    #[test]
    fn a_token_goes_on_with_its_own_search_and_no_other() {
        let question = Question {
            subject: named("user", "a"),
            action: "services.view".to_owned(),
            resource: named("service", ""),
            time: Some(Timestamp::from_micros(5)),
        };
        let user = UserId::from(Uuid::from_u128(7));
        let first = search(question.clone(), None);
        assert_eq!(begun::<UserId>(&first, Sought::Resource), Some((50, None)));
        assert_eq!(token::<UserId>(&first, Sought::Resource, 50, None), "");

        let token = token(&first, Sought::Resource, 9, Some(user));
        let next = search(question.clone(), Some(token.clone()));
        assert_eq!(begun(&next, Sought::Resource), Some((9, Some(user))));
        let same = Search { limit: Some(9), ..next.clone() };
        assert_eq!(begun(&same, Sought::Resource), Some((9, Some(user))));
        let other = Search { limit: Some(8), ..next.clone() };
        assert_eq!(begun::<UserId>(&other, Sought::Resource), None);
        assert_eq!(begun::<UserId>(&next, Sought::Subject), None);
        assert_eq!(begun::<ResourceCursor>(&next, Sought::Resource), None);
        for other in [
            Question { subject: named("user", "b"), ..question.clone() },
            // The parts' lengths count.
            Question { subject: named("usera", ""), ..question.clone() },
            Question { action: "services.manage".to_owned(), ..question.clone() },
            Question { resource: named("domain", ""), ..question.clone() },
            Question { time: None, ..question.clone() },
        ] {
            let other = search(other, Some(token.clone()));
            assert_eq!(begun::<UserId>(&other, Sought::Resource), None, "{other:?}");
        }
        for odd in ["", "x", "%", &token[1..], &token[..token.len() - 1], &format!("{token}AA")] {
            let odd = search(question.clone(), Some(odd.to_owned()));
            assert_eq!(begun::<UserId>(&odd, Sought::Resource), None, "{odd:?}");
        }
    }

    #[test]
    fn a_place_in_a_search_is_read_as_it_is_written() {
        let cursor = ResourceCursor {
            account: Uuid::from_u128(1).into(),
            thing: Uuid::from_u128(u128::MAX),
        };
        assert_eq!(ResourceCursor::read(&cursor.write()), Some(cursor));
        for permission in Permission::ALL {
            assert_eq!(Permission::read(&permission.write()), Some(permission));
        }
        assert_eq!(Permission::read(b"services"), None);
    }
}
