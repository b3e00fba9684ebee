//! All open connections: how many one address may have, and how they end when the program stops.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::watch;

use crate::auth::throttle::network;

/// Connections that one address may have at the same time. Trusted proxies may have as many as they need.
pub const MAX_CONNECTIONS_PER_ADDRESS: usize = 256;
/// How often a condition that has no signal of its own is checked.
const CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// What connections may still do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Open,
    /// No new connection can arrive; each worker takes those that were accepted.
    Sealed,
    /// Requests that have arrived are finished. Connections between two requests close.
    Closing,
}

#[derive(Debug)]
pub struct Connections {
    trusted_proxies: Vec<IpNet>,
    by_address: Mutex<HashMap<IpAddr, usize>>,
    open: AtomicUsize,
    phase: watch::Sender<Phase>,
    /// Workers that have taken all connections that were accepted before [`Phase::Sealed`].
    sealed_workers: AtomicUsize,
}

impl Connections {
    pub fn new(trusted_proxies: Vec<IpNet>) -> Self {
        Self {
            trusted_proxies,
            by_address: Mutex::default(),
            open: AtomicUsize::new(0),
            phase: watch::Sender::new(Phase::Open),
            sealed_workers: AtomicUsize::new(0),
        }
    }

    /// Counts a new connection until the returned value is dropped; `None` if its address has too many.
    pub fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Admission> {
        let peer = peer.to_canonical();
        let trusted = self.trusted_proxies.iter().any(|proxies| proxies.contains(&peer));
        let address = (!trusted).then(|| network(peer));
        if let Some(address) = address {
            let mut counts = self.by_address();
            let count = counts.entry(address).or_insert(0);
            if *count >= MAX_CONNECTIONS_PER_ADDRESS {
                return None;
            }
            *count += 1;
        }
        self.open.fetch_add(1, Ordering::SeqCst);
        Some(Admission { connections: self.clone(), address })
    }

    /// The number of open connections.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// To be run by each worker. Workers run their tasks in order, so a worker that gets here has taken every connection that
    /// was handed to it before.
    pub async fn confirm_sealed(self: Arc<Self>) {
        if self.phase.subscribe().wait_for(|phase| *phase >= Phase::Sealed).await.is_ok() {
            self.sealed_workers.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Returns when `workers` workers have taken all accepted connections. No new ones may arrive when this is called.
    pub async fn seal(&self, workers: usize) {
        self.phase.send_replace(Phase::Sealed);
        while self.sealed_workers.load(Ordering::SeqCst) < workers {
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
    }

    /// Returns when each connection has answered what it received, and is closed.
    pub async fn close(&self) {
        self.phase.send_replace(Phase::Closing);
        while self.open() > 0 {
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
    }

    fn by_address(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The permission of one connection to be open.
#[derive(Debug)]
pub struct Admission {
    connections: Arc<Connections>,
    /// The address that it counts for.
    address: Option<IpAddr>,
}

impl Admission {
    pub fn is_closing(&self) -> bool {
        *self.connections.phase.borrow() == Phase::Closing
    }

    /// Resolves when connections must close.
    pub fn closing(&self) -> impl Future<Output = ()> + use<> {
        let mut phase = self.connections.phase.subscribe();
        async move {
            let _ = phase.wait_for(|phase| *phase == Phase::Closing).await;
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if let Some(address) = self.address
            && let Entry::Occupied(mut count) = self.connections.by_address().entry(address)
        {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        self.connections.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections() -> Arc<Connections> {
        Arc::new(Connections::new(vec!["10.0.0.0/8".parse().unwrap()]))
    }

    #[test]
    fn admit_beyond_the_limit_of_an_address_returns_none_until_one_closes() {
        let (connections, address) = (connections(), "203.0.113.7".parse().unwrap());
        let mut open: Vec<_> = (0..MAX_CONNECTIONS_PER_ADDRESS).map(|_| connections.admit(address).unwrap()).collect();
        assert!(connections.admit(address).is_none());
        assert!(connections.admit("203.0.113.8".parse().unwrap()).is_some());
        open.pop();
        open.push(connections.admit(address).unwrap());
        assert!(connections.admit("::ffff:203.0.113.7".parse().unwrap()).is_none());
        drop(open);
        assert_eq!((connections.open(), connections.by_address().len()), (0, 0));
    }

    #[test]
    fn admit_from_one_ipv6_network_counts_for_one_address() {
        let connections = connections();
        let address = |number: usize| format!("2001:db8::{number:x}").parse().unwrap();
        let open: Vec<_> = (0..MAX_CONNECTIONS_PER_ADDRESS).map(|n| connections.admit(address(n)).unwrap()).collect();
        assert!(connections.admit(address(4_000)).is_none());
        drop(open);
    }

    #[test]
    fn admit_from_a_trusted_proxy_has_no_limit() {
        let (connections, address) = (connections(), "10.1.2.3".parse().unwrap());
        let open: Vec<_> = (0..2 * MAX_CONNECTIONS_PER_ADDRESS).map(|_| connections.admit(address).unwrap()).collect();
        assert_eq!(connections.open(), open.len());
    }
}
