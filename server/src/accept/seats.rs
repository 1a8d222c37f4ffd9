//! The places for connections: who has one, what it waits for, and who gives way to whom.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// A number of places, of which one client gets a share.
pub(super) struct Seats {
    most: usize,
    per_client: usize,
    /// How long a client may keep us waiting with a request in hand until it can be sent away.
    pause: Duration,
    taken: Mutex<Vec<Arc<Seat>>>,
}

/// A place that is given back when it is dropped.
pub(super) struct Place {
    seat: Arc<Seat>,
    seats: Arc<Seats>,
}

/// What is known of a connection.
pub(super) struct Seat {
    /// Whose share it counts in; none for a proxy, who has no share.
    network: Option<String>,
    progress: Mutex<Progress>,
    go: Notify,
}

struct Progress {
    state: State,
    /// Whether a request is in hand, until its answer is on its way.
    in_hand: bool,
    /// What has come of the next request.
    begun: Begun,
}

#[derive(Clone, Copy)]
enum State {
    /// It waits for its client's next request.
    Idle(Instant),
    /// We work.
    Busy,
    /// It waits for its client to send or take more.
    Stalled(Instant),
}

/// How far a connection's client has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    /// It hasn't sent anything yet.
    Nothing,
    /// It sends the headers of a request.
    Headers,
    /// It has sent a request before, which is answered or being answered.
    Request,
}

impl Seats {
    pub(super) fn new(most: usize, per_client: usize, pause: Duration) -> Self {
        Self { most, per_client, pause, taken: Mutex::default() }
    }

    /// A place, if there is one or somebody gives way. In a network that has its share it is one
    /// of its own who does.
    pub(super) fn take(self: &Arc<Self>, network: Option<String>) -> Option<Place> {
        let mut taken = self.taken();
        let neighbours = |seat: &Seat| network.is_some() && seat.network == network;
        if taken.iter().filter(|seat| neighbours(seat)).count() >= self.per_client {
            self.send_away(&mut taken, neighbours)?;
        } else if taken.len() >= self.most {
            self.send_away(&mut taken, |_| true)?;
        }
        let seat = Arc::new(Seat::new(network));
        taken.push(Arc::clone(&seat));
        Some(Place { seat, seats: Arc::clone(self) })
    }

    /// Has somebody give way; answers whether there is such a one.
    pub(super) fn make_room(&self) -> bool {
        self.send_away(&mut self.taken(), |_| true).is_some()
    }

    /// Sends away who waits for their client, those without a request first, and of them who has
    /// waited longest.
    fn send_away(&self, taken: &mut Vec<Arc<Seat>>, among: impl Fn(&Seat) -> bool) -> Option<()> {
        let waiting = taken.iter().enumerate().filter(|(_, seat)| among(seat));
        let waiting = waiting.filter_map(|(n, seat)| Some((seat.would_give_way(self.pause)?, n)));
        let (_, longest) = waiting.min()?;
        taken.remove(longest).go.notify_one();
        Some(())
    }

    fn taken(&self) -> MutexGuard<'_, Vec<Arc<Seat>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    pub(super) fn seat(&self) -> &Arc<Seat> {
        &self.seat
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.seats.taken().retain(|seat| !Arc::ptr_eq(seat, &self.seat));
    }
}

impl Seat {
    fn new(network: Option<String>) -> Self {
        let state = State::Idle(Instant::now());
        let progress = Progress { state, in_hand: false, begun: Begun::Nothing };
        Self { network, progress: Mutex::new(progress), go: Notify::new() }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it can be sent away, and in which order.
    fn would_give_way(&self, pause: Duration) -> Option<(bool, Instant)> {
        match self.progress().state {
            State::Idle(since) => Some((false, since)),
            State::Stalled(since) if since.elapsed() >= pause => Some((true, since)),
            State::Busy | State::Stalled(_) => None,
        }
    }

    /// Ends when the place is another's.
    pub(super) async fn has_to_go(&self) {
        self.go.notified().await;
    }

    pub(super) fn begun(&self) -> Begun {
        let progress = self.progress();
        if progress.in_hand { Begun::Request } else { progress.begun }
    }

    /// The client sent something.
    pub(super) fn hears(&self) {
        let mut progress = self.progress();
        if !progress.in_hand {
            progress.begun = Begun::Headers;
        }
    }

    /// A request is there.
    pub(super) fn begins(&self) {
        *self.progress() = Progress { state: State::Busy, in_hand: true, begun: Begun::Request };
    }

    /// The client is waited for.
    pub(super) fn stalls(&self) {
        let mut progress = self.progress();
        if !matches!(progress.state, State::Stalled(_)) {
            progress.state = State::Stalled(Instant::now());
        }
    }

    /// The client isn't waited for any more.
    pub(super) fn goes_on(&self) {
        let mut progress = self.progress();
        progress.state = if progress.in_hand { State::Busy } else { State::Idle(Instant::now()) };
    }

    /// The answer is given, but for what of it the client has yet to take.
    pub(super) fn ends(&self) {
        let mut progress = self.progress();
        progress.in_hand = false;
        if let State::Busy = progress.state {
            progress.state = State::Idle(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn of(network: &str) -> Option<String> {
        Some(network.to_owned())
    }

    async fn is_sent_away(place: &Place) -> bool {
        tokio::time::timeout(Duration::ZERO, place.seat().has_to_go()).await.is_ok()
    }

    #[tokio::test]
    async fn who_waits_longest_for_a_request_gives_way() {
        let seats = Arc::new(Seats::new(3, 3, LONG));
        let busy = seats.take(of("a")).unwrap();
        busy.seat().begins();
        let first = seats.take(of("b")).unwrap();
        let second = seats.take(of("c")).unwrap();
        let third = seats.take(of("d")).unwrap();
        assert!(is_sent_away(&first).await && !is_sent_away(&second).await);
        second.seat().begins();
        third.seat().begins();
        assert!(seats.take(of("e")).is_none(), "all have requests in hand");
        drop(first);
        assert!(seats.take(of("e")).is_none(), "who gave way has no place to give back");
        drop(busy);
        assert!(seats.take(of("e")).is_some());
    }

    #[tokio::test]
    async fn a_client_with_its_share_takes_nobody_elses_place() {
        let seats = Arc::new(Seats::new(4, 2, LONG));
        let neighbour = seats.take(of("b")).unwrap();
        let own = [(); 2].map(|()| seats.take(of("a")).unwrap());
        own[0].seat().begins();
        let another = seats.take(of("a")).unwrap();
        assert!(is_sent_away(&own[1]).await && !is_sent_away(&neighbour).await);
        another.seat().begins();
        assert!(seats.take(of("a")).is_none());
        let proxied = [(); 3].map(|()| seats.take(None).unwrap());
        assert!(is_sent_away(&neighbour).await, "there are four places");
        assert!(is_sent_away(&proxied[0]).await && !is_sent_away(&proxied[2]).await);
    }

    #[tokio::test]
    async fn who_takes_nothing_of_an_answer_gives_way_in_the_end() {
        for (pause, gives_way) in [(LONG, false), (Duration::ZERO, true)] {
            let seats = Arc::new(Seats::new(1, 1, pause));
            let slow = seats.take(of("a")).unwrap();
            slow.seat().begins();
            slow.seat().stalls();
            // All is said, but not taken yet.
            slow.seat().ends();
            assert_eq!(seats.take(of("b")).is_some(), gives_way);
            assert_eq!(is_sent_away(&slow).await, gives_way);
        }
        let seats = Arc::new(Seats::new(1, 1, Duration::ZERO));
        let slow = seats.take(of("a")).unwrap();
        slow.seat().begins();
        slow.seat().stalls();
        slow.seat().goes_on();
        assert!(seats.take(of("b")).is_none(), "it went on, and we work");
        slow.seat().ends();
        assert!(seats.take(of("b")).is_some());
    }

    #[test]
    fn what_a_client_began_is_known() {
        let seat = Seat::new(None);
        assert!(seat.begun() == Begun::Nothing);
        seat.hears();
        assert!(seat.begun() == Begun::Headers);
        seat.begins();
        seat.hears();
        assert!(seat.begun() == Begun::Request, "what comes now is its body");
        seat.ends();
        assert!(seat.begun() == Begun::Request);
        seat.hears();
        assert!(seat.begun() == Begun::Headers, "it begins the next one");
    }
}
