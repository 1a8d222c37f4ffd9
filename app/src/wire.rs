//! How values travel from the server's half to the browser's: as text that stands well in the
//! document, and that takes little code to read. JSON is read by three times as much code, which
//! every browser would fetch.

use leptos::prelude::*;
use leptos::server::codee::{Decoder, Encoder};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads what `write` wrote.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, postcard::Error> {
    // Some bytes were written as the character whose number is 256 higher: cutting it to its lowest
    // eight bits gives the byte back.
    let bytes: Vec<_> = text.chars().map(|character| character as u32 as u8).collect();
    postcard::from_bytes(&bytes)
}

/// Writes a value, every byte as one character: mostly the one with the byte's number. Where that is a
/// control character, `<` or another that would be escaped in a script of the document, it is the one
/// whose number is 256 higher: Leptos escapes a `<` as it reads in JSON, which this isn't.
pub(crate) fn write<T: Serialize>(value: &T) -> Result<String, postcard::Error> {
    let character = |byte: u8| match byte {
        0..0x20 | b'<' | 0x7f..0xa1 | 0xad => {
            char::from_u32(0x100 + u32::from(byte)).unwrap_or_default()
        }
        byte => char::from(byte),
    };
    Ok(postcard::to_allocvec(value)?.into_iter().map(character).collect())
}

/// What the server found out, also in the browser when it takes over the server's page.
pub(crate) fn shared<T: Serialize + DeserializeOwned>(find: impl FnOnce() -> T) -> T {
    SharedValue::<T, Wire>::new_with_encoding(find).into_inner()
}

/// The same for what Leptos hands over by itself.
struct Wire;

impl<T: Serialize> Encoder<T> for Wire {
    type Error = postcard::Error;
    type Encoded = String;

    fn encode(value: &T) -> Result<String, postcard::Error> {
        write(value)
    }
}

impl<T: DeserializeOwned> Decoder<T> for Wire {
    type Error = postcard::Error;
    type Encoded = str;

    fn decode(text: &str) -> Result<T, postcard::Error> {
        read(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_arrives() {
        let bytes: Vec<u8> = (0..=255).collect();
        let written = write(&bytes).unwrap();
        assert_eq!(read::<Vec<u8>>(&written).unwrap(), bytes);
        assert!(!format!("{written:?}").contains("\\u"), "nothing is escaped in a script");
        assert!(!written.contains('<'));
        let words = ("Blåbærsyltetøy 🫐".to_owned(), Some(7_u32));
        assert_eq!(read::<(String, Option<u32>)>(&write(&words).unwrap()).unwrap(), words);
        assert!(read::<String>("no such length").is_err());
    }
}
