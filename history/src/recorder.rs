//! From the request path to a sink, without waiting: a bounded queue, and a task that writes batches.
//!
//! The store may be slow, gone, or full: the queue then fills, what does not fit is counted and told (`not stored`),
//! and no request waits for it.

use crate::record::{AuditPart, DecisionRecord};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{self, OwnedPermit};

/// Whatever takes batches: a database, or the service that owns one.
pub trait Sink: Send + Sync + 'static {
    /// Takes decisions: when it says yes, they are stored for good.
    fn write<'s>(
        &'s self,
        batch: &'s [DecisionRecord],
    ) -> Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 's>>;

    /// Takes a part of the audit's state, likewise.
    fn write_state<'s>(
        &'s self,
        part: &'s AuditPart,
    ) -> Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 's>>;
}

/// Why a batch was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// It may be taken later.
    #[error("{0}")]
    NotNow(String),
    /// It will never be taken.
    #[error("{0}")]
    Never(String),
}

impl Sink for crate::Store {
    fn write<'s>(
        &'s self,
        batch: &'s [DecisionRecord],
    ) -> Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 's>> {
        Box::pin(async move { Self::write(self, batch).await.map_err(|error| SinkError::from(&error)) })
    }

    fn write_state<'s>(
        &'s self,
        part: &'s AuditPart,
    ) -> Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 's>> {
        Box::pin(async move { Self::write_state(self, part).await.map_err(|error| SinkError::from(&error)) })
    }
}

impl From<&crate::StoreError> for SinkError {
    fn from(error: &crate::StoreError) -> Self {
        if error.may_pass() { Self::NotNow(error.to_string()) } else { Self::Never(error.to_string()) }
    }
}

/// Sizes and times.
#[derive(Clone, Copy, Debug)]
pub struct RecorderOptions {
    /// Decisions that may wait. Default 4,096.
    pub waiting: usize,
    /// Bytes of text that may wait. Default 32 MiB.
    pub waiting_bytes: usize,
    /// Decisions in one batch. Default 256.
    pub batch: usize,
    /// How long a batch may fill before it is written. Default 200 ms.
    pub linger: Duration,
    /// How long one attempt to write may take. Default 10 s.
    pub attempt: Duration,
    /// The pause after a failure; it doubles up to thirty times as much. Default 1 s.
    pub pause: Duration,
}

impl Default for RecorderOptions {
    fn default() -> Self {
        Self {
            waiting: 4096,
            waiting_bytes: 32 << 20,
            batch: 256,
            linger: Duration::from_millis(200),
            attempt: Duration::from_secs(10),
            pause: Duration::from_secs(1),
        }
    }
}

/// What became of decisions since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Stored, as the sink said.
    pub stored: AtomicU64,
    /// Not stored because the queue was full.
    pub dropped: AtomicU64,
    /// Not stored because the sink refused them for good.
    pub refused: AtomicU64,
    /// Attempts that failed.
    pub failures: AtomicU64,
    waiting: AtomicUsize,
    waiting_bytes: AtomicUsize,
}

impl Counts {
    /// Decisions that wait to be stored.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// The request path's end of the queue.
#[derive(Clone)]
pub struct Recorder {
    sender: mpsc::Sender<DecisionRecord>,
    counts: Arc<Counts>,
    waiting_bytes: usize,
}

/// A place in the queue, given back when dropped unused.
pub struct Reserved {
    place: Option<(OwnedPermit<DecisionRecord>, Box<DecisionRecord>)>,
    bytes: usize,
    counts: Arc<Counts>,
}

impl Recorder {
    /// Starts the task that writes; it ends, having tried to write what waits once more, when all recorders are gone.
    pub fn start(sink: Arc<dyn Sink>, options: RecorderOptions) -> (Self, tokio::task::JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(options.waiting.max(1));
        let counts = Arc::<Counts>::default();
        let writer = Writer { sink, options, counts: Arc::clone(&counts) };
        let task = tokio::spawn(writer.run(receiver));
        (Self { sender, counts, waiting_bytes: options.waiting_bytes }, task)
    }

    /// Takes a place for a decision; `None`, and counted, if there is none. Never waits.
    pub fn reserve(&self, record: DecisionRecord) -> Option<Reserved> {
        let record = record.trimmed();
        let bytes = record.bytes();
        let place = self.sender.clone().try_reserve_owned().ok();
        let before = self.counts.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        match place {
            Some(place) if before + bytes <= self.waiting_bytes => Some(Reserved {
                place: Some((place, Box::new(record))),
                bytes,
                counts: Arc::clone(&self.counts),
            }),
            _ => {
                self.counts.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
                self.counts.dropped.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    /// What became of decisions.
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }
}

impl Reserved {
    /// The decision was given as the answer: it is to be stored.
    pub fn record(mut self) {
        if let Some((place, record)) = self.place.take() {
            self.counts.waiting.fetch_add(1, Ordering::Relaxed);
            place.send(*record);
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if self.place.is_some() {
            self.counts.waiting_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

struct Writer {
    sink: Arc<dyn Sink>,
    options: RecorderOptions,
    counts: Arc<Counts>,
}

impl Writer {
    async fn run(self, mut receiver: mpsc::Receiver<DecisionRecord>) {
        let mut batch = Vec::new();
        while let Some(first) = receiver.recv().await {
            batch.push(first);
            let until = tokio::time::Instant::now() + self.options.linger;
            while batch.len() < self.options.batch {
                match tokio::time::timeout_at(until, receiver.recv()).await {
                    Ok(Some(next)) => batch.push(next),
                    Ok(None) | Err(_) => break,
                }
            }
            self.write(&batch, &receiver).await;
            batch.clear();
        }
    }

    /// Writes until it is written or refused, or until nobody is left to wait for.
    async fn write(&self, batch: &[DecisionRecord], receiver: &mpsc::Receiver<DecisionRecord>) {
        let mut pause = self.options.pause;
        let mut told = false;
        loop {
            let outcome = match tokio::time::timeout(self.options.attempt, self.sink.write(batch)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(SinkError::NotNow("no answer in time".to_owned())),
            };
            match outcome {
                Ok(()) => {
                    self.done(batch, &self.counts.stored);
                    if told {
                        tracing::info!("the history takes decisions again");
                    }
                    return;
                }
                Err(SinkError::Never(problem)) if batch.len() > 1 => {
                    // One that cannot be stored must not take the others with it.
                    tracing::debug!(%problem, "a batch was refused; storing one by one");
                    for one in batch.chunks(1) {
                        Box::pin(self.write(one, receiver)).await;
                    }
                    return;
                }
                Err(SinkError::Never(problem)) => {
                    tracing::warn!(%problem, "a decision cannot be stored");
                    self.done(batch, &self.counts.refused);
                    return;
                }
                Err(SinkError::NotNow(problem)) => {
                    self.counts.failures.fetch_add(1, Ordering::Relaxed);
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(%problem, waiting = self.counts.waiting(), "decisions are not stored for now");
                    }
                    if receiver.is_closed() {
                        self.done(batch, &self.counts.dropped);
                        return;
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(self.options.pause * 30);
                }
            }
        }
    }

    fn done(&self, batch: &[DecisionRecord], count: &AtomicU64) {
        count.fetch_add(batch.len() as u64, Ordering::Relaxed);
        self.counts.waiting.fetch_sub(batch.len(), Ordering::Relaxed);
        let bytes = batch.iter().map(DecisionRecord::bytes).sum();
        self.counts.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Takes what it is told to take.
    #[derive(Default)]
    struct Scripted {
        taken: Mutex<Vec<String>>,
        gone: Mutex<bool>,
    }

    impl Sink for Scripted {
        fn write<'s>(
            &'s self,
            batch: &'s [DecisionRecord],
        ) -> Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 's>> {
            Box::pin(async move {
                if *self.gone.lock().unwrap() {
                    return Err(SinkError::NotNow("gone".into()));
                }
                if batch.iter().any(|one| one.id == "bad") {
                    return Err(SinkError::Never("bad".into()));
                }
                self.taken.lock().unwrap().extend(batch.iter().map(|one| one.id.clone()));
                Ok(())
            })
        }

        fn write_state<'s>(
            &'s self,
            _: &'s AuditPart,
        ) -> Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 's>> {
            Box::pin(std::future::pending())
        }
    }

    /// Never answers.
    struct Hangs;

    impl Sink for Hangs {
        fn write<'s>(
            &'s self,
            _: &'s [DecisionRecord],
        ) -> Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 's>> {
            Box::pin(std::future::pending())
        }

        fn write_state<'s>(
            &'s self,
            _: &'s AuditPart,
        ) -> Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 's>> {
            Box::pin(std::future::pending())
        }
    }

    fn decision(id: &str) -> DecisionRecord {
        DecisionRecord { id: id.into(), ..DecisionRecord::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_cannot_be_stored_takes_no_other_with_it_and_an_outage_loses_nothing() {
        let sink = Arc::new(Scripted::default());
        let (recorder, task) =
            Recorder::start(Arc::clone(&sink) as Arc<dyn Sink>, RecorderOptions::default());
        for id in ["a", "bad", "b"] {
            recorder.reserve(decision(id)).unwrap().record();
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        *sink.gone.lock().unwrap() = true;
        recorder.reserve(decision("c")).unwrap().record();
        tokio::time::sleep(Duration::from_mins(10)).await;
        assert_eq!(recorder.counts().waiting(), 1);
        assert!(recorder.counts().failures.load(Ordering::Relaxed) > 10);
        *sink.gone.lock().unwrap() = false;
        tokio::time::sleep(Duration::from_mins(1)).await;
        let counts = Arc::clone(recorder.counts());
        drop(recorder);
        task.await.unwrap();
        assert_eq!(*sink.taken.lock().unwrap(), ["a", "b", "c"]);
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        assert_eq!((of(&counts.stored), of(&counts.refused), of(&counts.dropped)), (3, 1, 0));
        assert_eq!((counts.waiting(), counts.waiting_bytes.load(Ordering::Relaxed)), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_hangs_fills_the_queue_and_stops_nobody() {
        let options = RecorderOptions { waiting: 8, batch: 1, ..RecorderOptions::default() };
        let (recorder, task) = Recorder::start(Arc::new(Hangs), options);
        let mut kept = 0;
        for _ in 0..100 {
            if let Some(place) = recorder.reserve(decision("x")) {
                place.record();
                kept += 1;
            }
        }
        assert_eq!(kept, 8);
        assert_eq!(recorder.counts().dropped.load(Ordering::Relaxed), 92);
        task.abort();
    }

    #[tokio::test]
    async fn what_waits_is_bounded_in_bytes_and_a_place_not_used_is_given_back() {
        let options = RecorderOptions { waiting_bytes: 1000, ..RecorderOptions::default() };
        let (recorder, task) = Recorder::start(Arc::new(Hangs), options);
        let large = || DecisionRecord { message: "x".repeat(600), ..DecisionRecord::default() };
        let first = recorder.reserve(large()).unwrap();
        assert!(recorder.reserve(large()).is_none());
        drop(first);
        assert!(recorder.reserve(large()).is_some());
        task.abort();
    }
}
