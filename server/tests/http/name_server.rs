//! A name server that a test makes hold what it likes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{RData, Record};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

type Texts = Arc<Mutex<HashMap<String, Vec<String>>>>;

/// The name server; it ends with this value.
pub struct NameServer {
    /// Its address and port.
    pub address: String,
    texts: Texts,
    server: JoinHandle<()>,
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl NameServer {
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let texts = Texts::default();
        let server = tokio::spawn(answer(socket, Arc::clone(&texts)));
        Self { address, texts, server }
    }

    /// Has the name hold one record, which is these strings together.
    pub fn holds(&self, name: &str, strings: &[&str]) {
        let strings = strings.iter().map(|text| (*text).to_owned()).collect();
        self.texts.lock().unwrap().insert(format!("{name}."), strings);
    }

    pub fn holds_nothing(&self) {
        self.texts.lock().unwrap().clear();
    }

    /// Has it answer nobody any more.
    pub fn silent(&self) {
        self.server.abort();
    }
}

async fn answer(socket: UdpSocket, texts: Texts) {
    let mut buffer = [0; 4096];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        let asked = Message::from_vec(&buffer[..length]).unwrap();
        let query = asked.queries[0].clone();
        let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
        answer.add_query(query.clone());
        match texts.lock().unwrap().get(&query.name().to_string()) {
            Some(strings) => {
                let text = RData::TXT(TXT::new(strings.clone()));
                answer.add_answer(Record::from_rdata(query.name().clone(), 60, text));
            }
            None => answer.metadata.response_code = ResponseCode::NXDomain,
        }
        socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
    }
}
