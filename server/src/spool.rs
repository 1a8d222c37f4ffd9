//! Lines on their way out of the process. A thread of its own writes them, so that whoever says
//! something neither waits for a reader who has stopped reading nor breaks on a disk that is full.
//! What can't be kept until it can be written is counted, and told of when writing goes on.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How much waits to be written, in bytes: some thousand lines.
const MOST: usize = 1024 * 1024;

/// A way out for lines that holds nobody up.
#[derive(Clone, Debug)]
pub struct Spool(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Whole lines that wait.
    waiting: Vec<u8>,
    /// Whether the thread has lines in hand.
    writing: bool,
    /// How many lines were lost since that was told.
    lost: usize,
}

impl Spool {
    /// A way to where `out` leads. It is written to past the standard library's lock, which a
    /// write that stalls would keep from everybody else.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn new(out: impl AsFd) -> io::Result<Self> {
        let out = File::from(out.as_fd().try_clone_to_owned()?);
        let shared = Arc::new(Shared::default());
        let spool = Self(Arc::clone(&shared));
        thread::Builder::new().name("spool".to_owned()).spawn(move || shared.write_to(out))?;
        Ok(spool)
    }

    /// Has a whole line written, or counts it as lost.
    pub fn add(&self, line: &[u8]) {
        let mut state = self.0.state();
        if state.waiting.len() + line.len() > MOST {
            state.lost += 1;
        } else {
            state.waiting.extend_from_slice(line);
            self.0.changed.notify_all();
        }
    }

    /// Waits until everything is written, but not for ever: its reader may have stalled.
    pub fn finish(&self, limit: Duration) {
        let under_way = |state: &mut State| state.writing || !state.waiting.is_empty();
        drop(self.0.changed.wait_timeout_while(self.0.state(), limit, under_way));
    }
}

impl Shared {
    /// What waits is whole at any moment, also when a thread broke off.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut out: File) {
        let mut in_hand = Vec::new();
        loop {
            in_hand.clear();
            let state = self.changed.wait_while(self.state(), |state| state.waiting.is_empty());
            let mut state = state.unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut state.waiting, &mut in_hand);
            state.writing = true;
            drop(state);

            let left = write(&mut out, &in_hand);
            let lost_now = lines(in_hand.get(in_hand.len() - left..).unwrap_or_default());
            let mut state = self.state();
            state.lost += lost_now;
            let lost = if left == 0 { std::mem::take(&mut state.lost) } else { 0 };
            drop(state);
            if lost > 0 {
                tracing::warn!(lost, "lines are lost that couldn't be written");
            }
            self.state().writing = false;
            self.changed.notify_all();
        }
    }
}

/// Writes the text. Answers how many bytes at its end couldn't be written.
fn write(out: &mut File, text: &[u8]) -> usize {
    let mut rest = text;
    while !rest.is_empty() {
        match out.write(rest) {
            Ok(written) if written > 0 => rest = rest.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Somebody who shares the pipe has made it so that a write doesn't wait.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(50));
            }
            // The disk is full, or the reader is gone.
            _ => break,
        }
    }
    if rest.len() < text.len() && !rest.is_empty() {
        // A line that was cut off isn't to run on in the next one.
        let _ = out.write(b"\n");
    }
    rest.len()
}

fn lines(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}

impl Write for &Spool {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Spool {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read};

    use tracing_subscriber::fmt;

    use super::*;

    const IN_TIME: Duration = Duration::from_secs(60);

    #[test]
    fn lines_come_out_whole_and_in_order() {
        let (mut reader, writer) = io::pipe().unwrap();
        let spool = Spool::new(&writer).unwrap();
        drop(writer);
        spool.add(b"one\n");
        spool.add(b"two\n");
        spool.finish(IN_TIME);
        let mut read = [0; 8];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"one\ntwo\n");
    }

    #[test]
    fn a_reader_who_stalls_holds_nobody_up() {
        // There is room for five while five more are in hand.
        const LINES: usize = 12;
        let (reader, writer) = io::pipe().unwrap();
        let spool = Spool::new(&writer).unwrap();
        drop(writer);
        // More than a pipe takes.
        let long = [vec![b'x'; 200_000], b"\n".to_vec()].concat();
        for _ in 0..LINES {
            spool.add(&long);
        }
        spool.finish(Duration::ZERO);
        let lost = spool.0.state().lost;
        assert!(lost > 0, "no more is kept than there is room for");
        let read = BufReader::new(reader).lines().take(LINES - lost);
        assert!(read.map(Result::unwrap).all(|line| line.len() == 200_000));
    }

    #[test]
    fn a_full_disk_is_counted_and_told_of_when_there_is_room_again() {
        let shared = Arc::new(Shared::default());
        let spool = Spool(Arc::clone(&shared));
        let full = File::options().write(true).open("/dev/full").unwrap();
        assert_eq!(write(&mut full.try_clone().unwrap(), b"one\ntwo\n"), 8);
        spool.0.state().lost = lines(b"one\ntwo\n");
        let (reader, writer) = io::pipe().unwrap();
        spool.add(b"three\n");
        let log = fmt().with_writer(spool.clone()).with_ansi(false).finish();
        thread::spawn(move || {
            let _ours = tracing::subscriber::set_default(log);
            shared.write_to(File::from(std::os::fd::OwnedFd::from(writer)));
        });
        let mut read = BufReader::new(reader).lines();
        assert_eq!(read.next().unwrap().unwrap(), "three");
        let told = read.next().unwrap().unwrap();
        assert!(told.ends_with("lines are lost that couldn't be written lost=2"), "{told}");
    }
}
