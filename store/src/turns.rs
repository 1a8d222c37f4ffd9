//! Whose turn it is to wait for a lock. Who waits for a row's lock in Postgres has a connection
//! meanwhile, and the connections are few: of those who want the same account or user, one waits
//! there, and the others here, without one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use uuid::Uuid;

#[derive(Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<HashMap<Uuid, Weak<Turn<()>>>>>);

/// What lasts as long as the turn.
pub(crate) type Taken = Vec<OwnedMutexGuard<()>>;

impl Turns {
    /// Waits for the turn at each of these. Everybody takes them in the same order and before a
    /// connection, so that nobody waits in a circle.
    pub(crate) async fn take(&self, ids: impl IntoIterator<Item = Uuid>) -> Taken {
        let mut ids: Vec<Uuid> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let mut taken = Taken::new();
        for id in ids {
            taken.push(self.at(id).lock_owned().await);
        }
        taken
    }

    fn at(&self, id: Uuid) -> Arc<Turn<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = turns.get(&id).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        turns.insert(id, Arc::downgrade(&turn));
        turn
    }
}
