//! A connection with a thread of its own.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::time::Duration;

/// A complete response in a buffer.
pub struct ReceivedResponse {
    pub status: u16,
    pub body: Range<usize>,
    /// Whether the server closes the connection, as moto does after each response.
    pub closes_connection: bool,
}

impl ReceivedResponse {
    /// Parses what was received so far. Returns `None` if it isn't complete.
    pub fn parse(received: &[u8]) -> Option<Self> {
        let end = received.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&received[..end]).expect("text");
        let length = head.lines().filter_map(|line| line.split_once(": ")).find_map(|(name, value)| {
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().expect("a length"))
        });
        let body = end + 4..end + 4 + length.expect("a length");
        let closes_connection = || head.lines().any(|line| line.eq_ignore_ascii_case("connection: close"));
        (received.len() >= body.end).then(|| Self {
            status: head[9..12].parse().expect("a status"),
            body,
            closes_connection: closes_connection(),
        })
    }
}

/// A connection that is kept open between requests.
pub struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    busy_polls: bool,
    buffer: Vec<u8>,
    is_closed: bool,
}

impl Connection {
    pub fn open(address: SocketAddr, busy_polls: bool) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("TCP_NODELAY is set");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a read timeout is set");
        stream.set_nonblocking(busy_polls).expect("the blocking mode is set");
        Self { address, stream, busy_polls, buffer: vec![0; 64 * 1024], is_closed: false }
    }

    /// Sends a request and returns the status and body of the response.
    pub fn round_trip(&mut self, request: &[u8]) -> (u16, Vec<u8>) {
        if self.is_closed {
            *self = Self::open(self.address, self.busy_polls);
        }
        self.stream.write_all(request).expect("the request is sent");
        let mut received_count = 0;
        loop {
            let read = loop {
                match self.stream.read(&mut self.buffer[received_count..]) {
                    Err(error) if self.busy_polls && error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
                    read => break read.expect("a response"),
                }
            };
            assert!(read > 0, "the server closed the connection");
            received_count += read;
            if let Some(response) = ReceivedResponse::parse(&self.buffer[..received_count]) {
                self.is_closed = response.closes_connection;
                return (response.status, self.buffer[response.body].to_vec());
            }
        }
    }
}
