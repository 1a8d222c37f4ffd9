//! A device that makes and uses passkeys, as a browser would answer for it (Web Authentication Level
//! 3): one ES256 key, discoverable, its user verified.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const ORIGIN: &str = "https://my.provider.example";
/// User present and user verified; with a credential in it (Web Authentication Level 3 section 6.1).
const VERIFIED: u8 = 0b0000_0101;
const WITH_CREDENTIAL: u8 = 0b0100_0000;

/// One of somebody's devices, with one passkey in it.
#[derive(Clone)]
pub struct Authenticator {
    key: SigningKey,
    id: Vec<u8>,
    user: Value,
    /// Its signature counter; 0 for one that doesn't count.
    pub counter: u32,
    /// Whether it asks for the fingerprint, face or PIN.
    pub verifies: bool,
    /// The page that it answers.
    pub origin: String,
    /// Whether there are copies of it, or may be (flags BE and BS).
    pub copies: u8,
    /// Whether it says whose the passkey is.
    pub says_whose: bool,
}

/// Copies there may be, and copies there are.
pub const MAY_BE_COPIED: u8 = 0b0000_1000;
pub const IS_COPIED: u8 = 0b0001_1000;

impl Authenticator {
    /// Equal numbers are the same device.
    pub fn new(number: u8) -> Self {
        Self {
            key: SigningKey::from_slice(&[number; 32]).unwrap(),
            id: vec![number; 16],
            user: Value::Null,
            counter: 0,
            verifies: true,
            origin: ORIGIN.to_owned(),
            copies: 0,
            says_whose: true,
        }
    }

    /// What the browser answers when it is asked to make a passkey.
    pub fn make(&mut self, question: &str) -> String {
        let question: Value = serde_json::from_str(question).unwrap();
        assert_eq!(question["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(question["authenticatorSelection"]["userVerification"], "required");
        self.user = question["user"]["id"].clone();
        let mut data = self.data(&question["rp"]["id"], WITH_CREDENTIAL);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.public_key());
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData".to_vec();
        object.extend(bytes(&data));
        let response = json!({
            "attestationObject": encode(&object),
            "clientDataJSON": encode(&self.client_data("webauthn.create", &question)),
            "transports": ["internal"],
        });
        self.answer(response)
    }

    /// What the browser answers when it is asked for a passkey.
    pub fn sign(&mut self, question: &str) -> String {
        let question: Value = serde_json::from_str(question).unwrap();
        assert_eq!(question["userVerification"], "required");
        let data = self.data(&question["rpId"], 0);
        let client_data = self.client_data("webauthn.get", &question);
        let signed = [&data[..], &Sha256::digest(&client_data)[..]].concat();
        let signature: Signature = self.key.sign(&signed);
        let response = json!({
            "authenticatorData": encode(&data),
            "clientDataJSON": encode(&client_data),
            "signature": encode(signature.to_der().as_bytes()),
            "userHandle": if self.says_whose { self.user.clone() } else { Value::Null },
        });
        self.answer(response)
    }

    fn answer(&self, response: Value) -> String {
        json!({
            "id": encode(&self.id),
            "rawId": encode(&self.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        })
        .to_string()
    }

    /// Authenticator data up to the credential.
    fn data(&self, site: &Value, more: u8) -> Vec<u8> {
        let verified = if self.verifies { VERIFIED } else { 1 };
        let mut data = Sha256::digest(site.as_str().unwrap()).to_vec();
        data.push(verified | more | self.copies);
        data.extend(self.counter.to_be_bytes());
        data
    }

    fn client_data(&self, kind: &str, question: &Value) -> Vec<u8> {
        let data = json!({
            "type": kind,
            "challenge": question["challenge"],
            "origin": self.origin,
            "crossOrigin": false,
        });
        data.to_string().into_bytes()
    }

    /// The key in COSE (RFC 9053 section 7.1): EC2, ES256, P-256, x, y.
    fn public_key(&self) -> Vec<u8> {
        let point = self.key.verifying_key().to_sec1_point(false);
        let (x, y) = (point.x().unwrap(), point.y().unwrap());
        let mut key = b"\xa5\x01\x02\x03\x26\x20\x01\x21".to_vec();
        key.extend(bytes(x));
        key.push(0x22);
        key.extend(bytes(y));
        key
    }
}

/// A byte string in CBOR (RFC 8949 section 3.1), shorter than 256 bytes.
fn bytes(content: &[u8]) -> Vec<u8> {
    let mut string = vec![0x58, u8::try_from(content.len()).unwrap()];
    string.extend(content);
    string
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
