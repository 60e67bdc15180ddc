//! The threads that judge: evaluation never runs on the threads that serve connections. Each worker has a
//! bump arena that it reuses, and a stack deep enough for the deepest value that the engine reads.

use bumpalo::Bump;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The engine walks values recursively, 256 levels deep at most; this leaves each level 30 KiB.
const STACK_BYTES: usize = 8 << 20;

/// An arena that has grown beyond this is given back after the task, so that one huge review does not stay in
/// memory for ever.
const KEPT_ARENA_BYTES: usize = 4 << 20;

/// What one task may take from its arena. The largest review that an API server can send needs a quarter; an
/// allocation beyond it panics, and the panic is answered like any other.
const ARENA_LIMIT: usize = 256 << 20;

type Task = Box<dyn FnOnce(&Bump) + Send>;

/// The pool. Dropping it ends the threads once their queue is empty.
pub(crate) struct WorkerPool {
    queue: SyncSender<Task>,
    stations: Arc<[Station]>,
    waiting: Arc<AtomicUsize>,
    started: Instant,
}

/// Milliseconds after the pool's start at which the worker's current task began, plus one; 0 if it has none.
#[derive(Default)]
struct Station(AtomicU64);

/// The queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueFull;

/// The task panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskPanicked;

/// A task's result to be.
pub(crate) struct Pending<T>(oneshot::Receiver<T>);

impl<T> Pending<T> {
    /// Waits for the result. Dropping the future drops a task that has not begun.
    pub(crate) async fn result(self) -> Result<T, TaskPanicked> {
        // The only way to lose the sender is to unwind past it.
        self.0.await.map_err(|_| TaskPanicked)
    }
}

impl WorkerPool {
    /// Starts `workers` threads with room for `waiting` tasks.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn start(workers: NonZeroUsize, waiting: usize) -> std::io::Result<Self> {
        let (queue, tasks) = sync_channel(waiting);
        let tasks = Arc::new(Mutex::new(tasks));
        let stations: Arc<[Station]> = (0..workers.get()).map(|_| Station::default()).collect();
        let waiting_now = Arc::<AtomicUsize>::default();
        let started = Instant::now();
        for index in 0..workers.get() {
            let (tasks, stations) = (Arc::clone(&tasks), Arc::clone(&stations));
            let waiting_now = Arc::clone(&waiting_now);
            std::thread::Builder::new()
                .name(format!("{WORKER_NAME}-{index}"))
                .stack_size(STACK_BYTES)
                .spawn(move || {
                    if let Some(station) = stations.get(index) {
                        work(&tasks, &waiting_now, station, started);
                    }
                })?;
        }
        Ok(Self { queue, stations, waiting: waiting_now, started })
    }

    /// Queues a task. A panic in it is caught: it costs its own result, never the thread.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Bump) -> T + Send + 'static,
    ) -> Result<Pending<T>, QueueFull> {
        let (sender, receiver) = oneshot::channel();
        let task = Box::new(move |arena: &Bump| {
            // Nobody waits any more: out of time, or the client has gone.
            if !sender.is_closed() {
                let _ = sender.send(task(arena));
            }
        });
        // Before it is sent: a worker may take it at once.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        if self.queue.try_send(task).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(QueueFull);
        }
        Ok(Pending(receiver))
    }

    /// Tasks that no worker has taken yet.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many workers there are, and how many of them have a task.
    pub(crate) fn workers(&self) -> (usize, usize) {
        let busy = self.stations.iter().filter(|station| station.0.load(Ordering::Relaxed) != 0);
        (self.stations.len(), busy.count())
    }

    /// Whether every worker has been busy with one task for longer than `limit`: nothing will be judged any
    /// more, only a restart helps.
    pub(crate) fn stuck(&self, limit: Duration) -> bool {
        let now = self.started.elapsed().as_millis();
        self.stations.iter().all(|station| match station.0.load(Ordering::Relaxed) {
            0 => false,
            began => now.saturating_sub(u128::from(began - 1)) > limit.as_millis(),
        })
    }
}

/// How worker threads are named, before their number.
pub(crate) const WORKER_NAME: &str = "wayguard-judge";

fn work(tasks: &Mutex<Receiver<Task>>, waiting: &AtomicUsize, station: &Station, started: Instant) {
    let mut arena = new_arena();
    loop {
        // The lock is held while waiting: exactly one idle worker waits on the channel, the others on the lock.
        let next = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(task) = next else { return };
        waiting.fetch_sub(1, Ordering::Relaxed);
        let now = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        station.0.store(now + 1, Ordering::Relaxed);
        // Of what the task could leave half-done it reaches only the arena, which is emptied next.
        let outcome = catch_unwind(AssertUnwindSafe(|| task(&arena)));
        if arena.allocated_bytes() > KEPT_ARENA_BYTES {
            arena = new_arena();
        } else {
            arena.reset();
        }
        station.0.store(0, Ordering::Relaxed);
        // The payload may quote the object: it is dropped here, unseen.
        drop(outcome);
    }
}

fn new_arena() -> Bump {
    let arena = Bump::new();
    arena.set_allocation_limit(Some(ARENA_LIMIT));
    arena
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(workers: usize, waiting: usize) -> WorkerPool {
        WorkerPool::start(NonZeroUsize::new(workers).unwrap(), waiting).unwrap()
    }

    #[tokio::test]
    async fn a_panic_costs_its_own_task_only() {
        let pool = pool(1, 4);
        let broken = pool.submit(|_| panic!("a fault, on purpose")).unwrap();
        let sound = pool.submit(|arena| arena.alloc_str("sound").len()).unwrap();
        assert_eq!(broken.result().await.map(|(): ()| ()), Err(TaskPanicked));
        assert_eq!(sound.result().await, Ok(5));
    }

    #[tokio::test]
    async fn an_arena_has_an_end() {
        let pool = pool(1, 1);
        let greedy = pool.submit(|arena| arena.alloc_slice_fill_copy(ARENA_LIMIT + 1, 0u8).len()).unwrap();
        assert_eq!(greedy.result().await, Err(TaskPanicked));
        let modest = pool.submit(|arena| arena.alloc_slice_fill_copy(1 << 20, 0u8).len()).unwrap();
        assert_eq!(modest.result().await, Ok(1 << 20));
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_a_stuck_pool_is_seen() {
        let pool = pool(1, 1);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (running, runs) = oneshot::channel();
        let first = pool.submit(move |_| {
            let _ = running.send(());
            let _ = held.recv();
        });
        runs.await.unwrap();
        let second = pool.submit(|_| ()).unwrap();
        assert_eq!(pool.submit(|_| ()).err(), Some(QueueFull));
        assert_eq!((pool.waiting(), pool.workers()), (1, (1, 1)), "what was refused does not wait");
        let deadline = Instant::now() + Duration::from_secs(5);
        while !pool.stuck(Duration::from_millis(5)) {
            assert!(Instant::now() < deadline, "a task of more than 5 ms must be seen");
            tokio::task::yield_now().await;
        }
        assert!(!pool.stuck(Duration::from_mins(1)));
        release.send(()).unwrap();
        first.unwrap().result().await.unwrap();
        second.result().await.unwrap();
    }
}
