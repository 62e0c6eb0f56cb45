//! The handler's port: one that nobody else comes upon while no handler listens on it.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::net::TcpListener;

/// Where the handlers' ports begin, and how many there are.
///
/// They lie below those that systems give to whoever asks for any: between the end of a handler and its next start
/// nobody else comes upon its port.
const HANDLER_PORTS: (u16, u16) = (20_000, 10_000);

/// A port that is free now; the host too picks one this way, once, and keeps it for every restart.
pub(super) async fn free_port() -> std::io::Result<u16> {
    static TURN: AtomicU64 = AtomicU64::new(0);
    let (first, count) = HANDLER_PORTS;
    // Neighbouring processes begin far apart.
    let begin = u64::from(std::process::id()).wrapping_mul(997);
    for _ in 0..count {
        let turn = begin.wrapping_add(TURN.fetch_add(1, Ordering::Relaxed)) % u64::from(count);
        let port = first + u16::try_from(turn).unwrap_or_default();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
            return Ok(port);
        }
    }
    Err(std::io::ErrorKind::AddrInUse.into())
}
