//! One thread that drives all connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::connection::ReceivedResponse;

/// Sends a request repeatedly over each connection, and returns the latencies. Each connection has one request in
/// flight.
pub fn send_repeatedly(address: SocketAddr, request: &[u8], connections: usize, duration: Duration) -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let request: Arc<[u8]> = request.into();
    runtime.block_on(async {
        let mut senders = JoinSet::new();
        for _ in 0..connections {
            senders.spawn(send_over_connection(address, Arc::clone(&request), duration));
        }
        senders.join_all().await.concat()
    })
}

async fn send_over_connection(address: SocketAddr, request: Arc<[u8]>, duration: Duration) -> Vec<Duration> {
    let mut stream = open(address).await;
    let (start, mut latencies, mut buffer) = (Instant::now(), Vec::new(), vec![0; 16 * 1024]);
    while start.elapsed() < duration {
        let sent_at = Instant::now();
        stream.write_all(&request).await.expect("the request is sent");
        let mut received_count = 0;
        let response = loop {
            let read = stream.read(&mut buffer[received_count..]).await.expect("a response");
            assert!(read > 0, "the server closed the connection");
            received_count += read;
            if let Some(response) = ReceivedResponse::parse(&buffer[..received_count]) {
                break response;
            }
        };
        latencies.push(sent_at.elapsed());
        assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&buffer[response.body]));
        if response.closes_connection {
            stream = open(address).await;
        }
    }
    latencies
}

async fn open(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("TCP_NODELAY is set");
    stream
}
