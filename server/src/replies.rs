//! What mail servers answer, made readable: lettre takes replies in UTF-8 only, with text behind every
//! code. A mail that was taken mustn't go out again because that was told in another way.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The longest line of a reply that is kept, in bytes (RFC 5321 section 4.5.3.1.5 has 512; lettre
/// refuses more than a thousand).
const LONGEST_LINE: usize = 500;
/// The most lines of a reply that are kept.
const MOST_LINES: usize = 100;

/// A line to a mail server, whose replies are brought into the form of RFC 5321 section 4.2.
#[derive(Debug)]
pub(crate) struct Replies<S> {
    line: S,
    peer: SocketAddr,
    reader: Reader,
}

/// Puts replies together from what comes.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// What came of a line that hasn't ended.
    part: Vec<u8>,
    /// The code and the texts of a reply that hasn't ended.
    code: Option<[u8; 3]>,
    texts: Vec<String>,
    /// What is readable.
    whole: VecDeque<u8>,
    ended: bool,
}

impl<S> Replies<S> {
    /// The replies on this line, after `said`, which was said on it before.
    pub(crate) fn after(said: &str, line: S, peer: SocketAddr) -> Self {
        let mut reader = Reader::default();
        reader.take(said.as_bytes());
        Self { line, peer, reader }
    }
}

impl Reader {
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => self.end_line(),
                byte if self.part.len() < LONGEST_LINE => self.part.push(*byte),
                _ => {}
            }
        }
    }

    /// What has ended, as text; taken away.
    pub(crate) fn whole(&mut self) -> String {
        String::from_utf8_lossy(&self.whole.drain(..).collect::<Vec<_>>()).into_owned()
    }

    /// Nothing more comes: what is there is all of it.
    fn end(&mut self) {
        self.ended = true;
        if !self.part.is_empty() {
            self.end_line();
        }
        self.end_reply();
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.part);
        // What isn't UTF-8 is taken for Latin-1, in which every byte is a character.
        let text = String::from_utf8(line).unwrap_or_else(|error| {
            error.into_bytes().iter().map(|byte| char::from(*byte)).collect()
        });
        let text = text.trim_matches(|c: char| c.is_control() || c.is_whitespace());
        match code_of(text) {
            Some((code, more, text)) => {
                self.code = Some(code);
                self.keep(text);
                if !more {
                    self.end_reply();
                }
            }
            None if text.is_empty() => {}
            // A line between others that lacks its code.
            None if self.code.is_some() => self.keep(text),
            None => self.whole.extend(format!("{text}\r\n").into_bytes()),
        }
    }

    fn keep(&mut self, text: &str) {
        if self.texts.len() < MOST_LINES {
            self.texts.push(text.to_owned());
        }
    }

    /// All lines with the code of the last.
    fn end_reply(&mut self) {
        let Some([severity, category, detail]) = self.code.take() else { return };
        let texts = std::mem::take(&mut self.texts);
        let last = texts.len().saturating_sub(1);
        for (place, text) in texts.iter().enumerate() {
            // RFC 5321 section 4.2.1 knows no category beyond 5, and lettre takes none.
            let known = if category > b'5' { b'0' } else { category };
            self.whole.extend([severity, known, detail]);
            self.whole.push_back(if place < last { b'-' } else { b' ' });
            if known != category {
                self.whole.extend([severity, category, detail, b' ']);
            }
            let text = if text.is_empty() { "(no text)" } else { text };
            self.whole.extend(text.bytes());
            self.whole.extend(*b"\r\n");
        }
    }
}

/// The code that a line begins with, whether more lines follow, and the text behind.
fn code_of(line: &str) -> Option<([u8; 3], bool, &str)> {
    let code: [u8; 3] = line.as_bytes().get(..3)?.try_into().ok()?;
    let in_form = code.iter().all(u8::is_ascii_digit) && matches!(code, [b'2'..=b'5', ..]);
    let rest = line.get(3..).filter(|_| in_form)?;
    let more = rest.starts_with('-');
    (!rest.starts_with(|c: char| c.is_ascii_digit()))
        .then(|| (code, more, rest.strip_prefix('-').unwrap_or(rest).trim()))
}

impl<S: AsyncRead + Unpin> AsyncRead for Replies<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { line, reader, .. } = self.get_mut();
        while reader.whole.is_empty() && !reader.ended {
            let mut space = [0; 1024];
            let mut came = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut *line).poll_read(context, &mut came)) {
                Ok(()) if came.filled().is_empty() => reader.end(),
                Ok(()) => reader.take(came.filled()),
                // Some hang up without a farewell as soon as they have answered.
                Err(error) => {
                    reader.end();
                    if reader.whole.is_empty() {
                        return Poll::Ready(Err(error));
                    }
                }
            }
        }
        let most = reader.whole.len().min(buffer.remaining());
        let readable: Vec<u8> = reader.whole.drain(..most).collect();
        buffer.put_slice(&readable);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Replies<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().line).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().line).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().line).poll_shutdown(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Debug + Send + Sync + Unpin> AsyncTokioStream for Replies<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> String {
        let mut reader = Reader::default();
        // However it is cut.
        for byte in bytes {
            reader.take(&[*byte]);
        }
        reader.end();
        reader.whole()
    }

    #[test]
    fn odd_replies_become_readable() {
        let cases: [(&[u8], &str); 16] = [
            (b"250 2.0.0 Taken\r\n", "250 2.0.0 Taken\r\n"),
            (b"250\r\n", "250 (no text)\r\n"),
            (b"250 \r\n", "250 (no text)\r\n"),
            (b"250-\r\n250\r\n", "250-(no text)\r\n250 (no text)\r\n"),
            (
                b"250 Bestillingen er mottatt, p\xe5 gjensyn\r\n",
                "250 Bestillingen er mottatt, på gjensyn\r\n",
            ),
            ("250 på gjensyn\r\n".as_bytes(), "250 på gjensyn\r\n"),
            (b"250 bare line end\n", "250 bare line end\r\n"),
            (b"\r\n250 after a blank line\r\n", "250 after a blank line\r\n"),
            (b"250\ttab\r\n", "250 tab\r\n"),
            (b"250ok\r\n", "250 ok\r\n"),
            (b"250-one\r\n 250 two\r\n", "250-one\r\n250 two\r\n"),
            (
                b"250-one\r\nwithout code\r\n250 three\r\n",
                "250-one\r\n250-without code\r\n250 three\r\n",
            ),
            (b"250-one\r\n550 no after all\r\n", "550-one\r\n550 no after all\r\n"),
            (b"571 5.7.1 Blocked\r\n", "501 571 5.7.1 Blocked\r\n"),
            (b"250 no line end", "250 no line end\r\n"),
            (b"HTTP/1.1 400 Bad Request\r\n", "HTTP/1.1 400 Bad Request\r\n"),
        ];
        for (bytes, readable) in cases {
            assert_eq!(read(bytes), readable, "{bytes:?}");
        }
    }

    #[test]
    fn what_never_ends_takes_no_room() {
        let long = read(format!("250 {}\r\n", "x".repeat(100_000)).as_bytes());
        assert!(long.starts_with("250 xxx") && long.len() <= LONGEST_LINE + 2, "{}", long.len());
        let many = read(format!("{}250 ok\r\n", "250-more\r\n".repeat(10_000)).as_bytes());
        assert_eq!(many.lines().count(), MOST_LINES);
        assert!(many.lines().last().is_some_and(|line| line.starts_with("250 ")));
    }
}
