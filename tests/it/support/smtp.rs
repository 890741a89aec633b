//! A mail server on loopback that takes what it is given, or refuses it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

/// What the server says to a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Takes,
    /// 451: later.
    Busy,
    /// 550, with the words of a server that repeats too much.
    Refuses(&'static str),
}

/// A mail as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    /// `AUTH` line with its argument, still in base64.
    pub auth: String,
    pub text: String,
}

pub struct SmtpServer {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl SmtpServer {
    /// Serves connections one after the other until the test process ends.
    pub fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (kept, noted) = (Arc::clone(&received), Arc::clone(&heard));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that breaks off ends its own conversation only.
                let _ = stream.and_then(|stream| converse(stream, mood, &kept, &noted));
            }
        });
        Self { address, received, heard }
    }

    /// Every command of every client, as it came.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

fn converse(
    mut stream: std::net::TcpStream,
    mood: Mood,
    kept: &Mutex<Vec<Received>>,
    noted: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut mail = Received::default();
    stream.write_all(b"220 test\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        noted.lock().unwrap().push(line.clone());
        let command = line.to_ascii_uppercase();
        let answer = if command.starts_with("EHLO") {
            "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n".to_owned()
        } else if command.starts_with("AUTH") {
            mail.auth = line;
            "235 welcome\r\n".to_owned()
        } else if command.starts_with("MAIL FROM:") {
            mail.from = line["MAIL FROM:".len()..].to_owned();
            match mood {
                Mood::Takes => "250 ok\r\n".to_owned(),
                Mood::Busy => "451 try later\r\n".to_owned(),
                Mood::Refuses(words) => format!("550 {words}\r\n"),
            }
        } else if command.starts_with("RCPT TO:") {
            mail.to.push(line["RCPT TO:".len()..].to_owned());
            "250 ok\r\n".to_owned()
        } else if command == "DATA" {
            stream.write_all(b"354 go on\r\n")?;
            for line in lines.by_ref() {
                let line = line?;
                if line == "." {
                    break;
                }
                mail.text.push_str(&line);
                mail.text.push('\n');
            }
            kept.lock().unwrap().push(std::mem::take(&mut mail));
            "250 taken\r\n".to_owned()
        } else if command == "QUIT" {
            stream.write_all(b"221 bye\r\n")?;
            return Ok(());
        } else {
            "250 ok\r\n".to_owned()
        };
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}
