//! Open connections: how many, what each is doing, and which of them must go.
//!
//! One sweeper looks at all of them instead of a timer per request. It drops connections that are slow with a
//! request's head, closes those unused for too long or too old, and, when there is no room for a new one, the
//! cap makes room by the one that has been unused longest: first those that never sent a request.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A connection that has been told to close and has not, for this long, is dropped.
const CLOSING_FOR: Duration = Duration::from_secs(30);

/// A request that is busy for longer than any deadline has a client that does not read its answer.
const BUSY_FOR: Duration = Duration::from_mins(1);

/// How long a connection may be in each state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    pub(crate) header: Duration,
    pub(crate) idle: Duration,
    pub(crate) age: Duration,
}

/// All open connections of one port.
#[derive(Debug)]
pub(crate) struct Connections {
    limits: Limits,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    next: AtomicU64,
    epoch: Instant,
    closing: AtomicBool,
    emptied: Notify,
    /// How many were dropped or closed to make room, and how many came when nothing could make room.
    pub(crate) evicted: AtomicU64,
    pub(crate) refused: AtomicU64,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// TLS handshake.
    Handshake = 0,
    /// Between requests.
    Idle = 1,
    /// A request's head has begun to arrive.
    Head = 2,
    /// A request is being served.
    Busy = 3,
}

/// What a connection is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    /// Go on.
    None = 0,
    /// Finish the request that has begun, then close.
    Close = 1,
    /// Close now.
    Drop = 2,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    id: u64,
    epoch: Instant,
    /// Milliseconds since `epoch`, as all times here.
    opened: u64,
    /// When the phase began, shifted left by two, and the phase.
    state: AtomicU64,
    served: AtomicBool,
    order: AtomicU8,
    ordered_at: AtomicU64,
    wake: Notify,
}

/// Takes the connection off the list on drop.
#[derive(Debug)]
pub(crate) struct Open {
    connections: Arc<Connections>,
    pub(crate) connection: Arc<Connection>,
}

/// A request is being served, until this is dropped.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Connection>);

impl Connections {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            open: Mutex::default(),
            next: AtomicU64::new(0),
            epoch: Instant::now(),
            closing: AtomicBool::new(false),
            emptied: Notify::new(),
            evicted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }

    /// Takes up a new connection; `None` if all others are busy.
    pub(crate) fn open(self: &Arc<Self>) -> Option<Open> {
        let mut open = self.lock();
        if open.len() >= self.limits.connections {
            let Some(victim) = open.values().filter_map(|other| Some((other.rank()?, other.id))).min() else {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return None;
            };
            if let Some(victim) = open.remove(&victim.1) {
                victim.tell(Order::Drop);
            }
            self.evicted.fetch_add(1, Ordering::Relaxed);
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection {
            id,
            epoch: self.epoch,
            opened: millis(self.epoch.elapsed()),
            state: AtomicU64::new(0),
            served: AtomicBool::new(false),
            order: AtomicU8::new(Order::None as u8),
            ordered_at: AtomicU64::new(0),
            wake: Notify::new(),
        });
        connection.enter(Phase::Handshake);
        open.insert(id, Arc::clone(&connection));
        Some(Open { connections: Arc::clone(self), connection })
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// From now on every response says `Connection: close`.
    pub(crate) fn announce_close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Whether a response on this connection says `Connection: close`.
    pub(crate) fn must_close(&self, connection: &Connection) -> bool {
        self.closing.load(Ordering::Relaxed) || connection.now() - connection.opened > millis(self.limits.age)
    }

    /// Closes all as soon as they have finished what they have begun.
    pub(crate) fn close_all(&self) {
        self.announce_close();
        self.tell_all(Order::Close);
    }

    /// Closes all, whatever they are doing.
    pub(crate) fn drop_all(&self) {
        self.tell_all(Order::Drop);
    }

    fn tell_all(&self, order: Order) {
        for connection in self.lock().values() {
            connection.tell(order);
        }
    }

    /// Waits until none is open.
    pub(crate) async fn emptied(&self) {
        loop {
            let notified = self.emptied.notified();
            if self.count() == 0 {
                return;
            }
            notified.await;
        }
    }

    /// Looks after all connections for as long as it is polled.
    pub(crate) async fn sweep(&self) {
        let shortest = self.limits.header.min(self.limits.idle).min(self.limits.age);
        let pause = (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
        let mut ticks = tokio::time::interval(pause);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for connection in self.lock().values() {
                connection.tell(connection.due(&self.limits, connection.now()));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        open.remove(&self.connection.id);
        if open.is_empty() {
            self.connections.emptied.notify_waiters();
        }
    }
}

impl Connection {
    /// The handshake is done.
    pub(crate) fn established(&self) {
        self.enter(Phase::Idle);
    }

    /// Bytes have arrived: between requests, they begin a request's head.
    pub(crate) fn bytes_arrived(&self) {
        let state = self.state.load(Ordering::Relaxed);
        if state & 3 == Phase::Idle as u64 {
            let head = self.state_of(Phase::Head);
            // Lost only to this connection's own task, which then knows better.
            let _ = self.state.compare_exchange(state, head, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// A request's head has arrived whole.
    pub(crate) fn busy(self: &Arc<Self>) -> Busy {
        self.enter(Phase::Busy);
        Busy(Arc::clone(self))
    }

    /// Waits for an order that is not [`Order::None`] and not `known` already.
    pub(crate) async fn order_after(&self, known: Order) -> Order {
        loop {
            let notified = self.wake.notified();
            let order = self.order();
            if order > known {
                return order;
            }
            notified.await;
        }
    }

    fn order(&self) -> Order {
        match self.order.load(Ordering::Relaxed) {
            0 => Order::None,
            1 => Order::Close,
            _ => Order::Drop,
        }
    }

    fn tell(&self, order: Order) {
        if self.order.fetch_max(order as u8, Ordering::Relaxed) < order as u8 {
            self.ordered_at.store(self.now(), Ordering::Relaxed);
            self.wake.notify_one();
        }
    }

    /// What must be done about it at `now`.
    fn due(&self, limits: &Limits, now: u64) -> Order {
        let (phase, since) = self.phase();
        let lasts = |longest: Duration| now.saturating_sub(since) > millis(longest);
        let told = now.saturating_sub(self.ordered_at.load(Ordering::Relaxed));
        let overdue = self.order() == Order::Close && told > millis(CLOSING_FOR);
        let old = now.saturating_sub(self.opened) > millis(limits.age);
        match phase {
            Phase::Head if lasts(limits.header) => Order::Drop,
            Phase::Busy if lasts(BUSY_FOR) => Order::Drop,
            // The task that shakes hands has its own time-out.
            Phase::Busy | Phase::Handshake => Order::None,
            _ if overdue => Order::Drop,
            Phase::Idle if lasts(limits.idle) || old => Order::Close,
            _ => Order::None,
        }
    }

    /// Who goes first when there is no room: not those that are busy, last those that have been of use.
    fn rank(&self) -> Option<(bool, u64)> {
        let state = self.state.load(Ordering::Relaxed);
        (state & 3 != Phase::Busy as u64).then(|| (self.served.load(Ordering::Relaxed), state >> 2))
    }

    fn phase(&self) -> (Phase, u64) {
        let state = self.state.load(Ordering::Relaxed);
        let phase = match state & 3 {
            0 => Phase::Handshake,
            1 => Phase::Idle,
            2 => Phase::Head,
            _ => Phase::Busy,
        };
        (phase, state >> 2)
    }

    fn enter(&self, phase: Phase) {
        self.state.store(self.state_of(phase), Ordering::Relaxed);
    }

    fn state_of(&self, phase: Phase) -> u64 {
        self.now() << 2 | phase as u64
    }

    fn now(&self) -> u64 {
        millis(self.epoch.elapsed())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.served.store(true, Ordering::Relaxed);
        self.0.enter(Phase::Idle);
    }
}

/// Whole milliseconds; half a billion years fit.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(connections: usize) -> Limits {
        let long = Duration::from_hours(1);
        Limits { connections, header: long, idle: long, age: long }
    }

    #[test]
    fn room_is_made_by_the_least_useful_connection() {
        let all = Connections::new(limits(3));
        let useful = all.open().unwrap();
        useful.connection.established();
        drop(useful.connection.busy());
        let busy = all.open().unwrap();
        let _request = busy.connection.busy();
        let silent = all.open().unwrap();
        silent.connection.established();

        let first = all.open().unwrap();
        assert_eq!(
            silent.connection.order(),
            Order::Drop,
            "a connection that never sent a request goes first"
        );
        let _first_request = first.connection.busy();
        let second = all.open().unwrap();
        assert_eq!(useful.connection.order(), Order::Drop, "then one that is idle");
        let _second_request = second.connection.busy();
        assert!(all.open().is_none(), "one that is busy never goes");
        assert_eq!(busy.connection.order(), Order::None);
        assert_eq!((all.evicted.load(Ordering::Relaxed), all.refused.load(Ordering::Relaxed)), (2, 1));
        assert_eq!(all.count(), 3);
    }

    #[test]
    fn slow_heads_are_dropped_and_idle_connections_closed() {
        let all = Connections::new(limits(8));
        let open = all.open().unwrap();
        let connection = &open.connection;
        let none =
            Limits { connections: 8, header: Duration::ZERO, idle: Duration::ZERO, age: Duration::ZERO };
        let long = limits(8);
        let soon = || connection.now() + 5;
        assert_eq!(connection.due(&none, soon()), Order::None, "the handshake has its own time-out");
        connection.established();
        assert_eq!(connection.due(&long, soon()), Order::None);
        assert_eq!(connection.due(&Limits { age: Duration::ZERO, ..long }, soon()), Order::Close);
        connection.bytes_arrived();
        assert_eq!(connection.due(&long, soon()), Order::None);
        assert_eq!(connection.due(&Limits { header: Duration::ZERO, ..long }, soon()), Order::Drop);
        let busy = connection.busy();
        connection.bytes_arrived();
        assert_eq!(connection.due(&none, soon()), Order::None, "a body is no head");
        assert_eq!(connection.due(&none, soon() + 61_000), Order::Drop, "a client that does not read");
        drop(busy);
        assert_eq!(connection.due(&Limits { idle: Duration::ZERO, ..long }, soon()), Order::Close);
        connection.tell(Order::Close);
        assert_eq!(connection.due(&long, soon() + 31_000), Order::Drop, "a client that does not close");
    }

    #[tokio::test]
    async fn closing_all_tells_each_and_waits_for_the_last() {
        let all = Connections::new(limits(8));
        let open = all.open().unwrap();
        assert!(!all.must_close(&open.connection));
        all.close_all();
        assert!(all.must_close(&open.connection));
        assert_eq!(open.connection.order_after(Order::None).await, Order::Close);
        let waiting = tokio::spawn({
            let all = Arc::clone(&all);
            async move { all.emptied().await }
        });
        drop(open);
        tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
    }
}
