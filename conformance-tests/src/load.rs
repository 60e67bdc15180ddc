//! Requests at a steady rate through the API server, of which each verdict is checked: one that should be admitted and
//! is refused has failed, one that should be refused and is admitted was not enforced.

use kube::api::{Api, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Error};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// What should become of a request.
#[derive(Debug, Clone)]
pub enum Expected {
    /// It is admitted, and the object has this in it (JSON pointer, value).
    Admitted(&'static str, Value),
    /// It is refused, with this in the message.
    Refused(&'static str),
}

/// One kind of request: this object is created, as a dry run.
#[derive(Debug, Clone)]
pub struct Shot {
    /// The object; its name is made by the API server.
    pub object: Value,
    /// What should become of it.
    pub expected: Expected,
}

/// What became of all.
#[derive(Debug, Default, Clone)]
pub struct Outcome {
    /// As expected.
    pub fine: usize,
    /// What happened instead to how many requests, by the words of the API server.
    pub failed: BTreeMap<String, usize>,
    /// Admitted though it should have been refused, or without the change that it should have.
    pub unenforced: usize,
    /// The slowest request.
    pub slowest: Duration,
}

impl Outcome {
    /// All requests.
    pub fn all(&self) -> usize {
        self.fine + self.unenforced + self.failures()
    }

    /// Requests without the verdict that they should have had, but for those that were not enforced.
    pub fn failures(&self) -> usize {
        self.failed.values().sum()
    }
}

/// Requests that go on until they are told to stop.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    outcome: Arc<Mutex<Outcome>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    /// So many requests a second, of each kind in turn, by `clients` that each wait for their answer. Who is late does
    /// not hurry: the rate is what the machine can bear at most.
    pub fn start(runtime: &Runtime, client: &Client, shots: &[Shot], rate: u32, clients: u32) -> Self {
        let (stop, outcome) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Outcome>>::default());
        let shots: Arc<[Shot]> = shots.into();
        let number = Arc::<AtomicUsize>::default();
        let pause = Duration::from_secs(1) * clients / rate;
        let one = |client: Client| {
            let (stop, outcome, shots, number) =
                (Arc::clone(&stop), Arc::clone(&outcome), Arc::clone(&shots), Arc::clone(&number));
            async move {
                let mut ticks = tokio::time::interval(pause);
                ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
                while !stop.load(Ordering::Relaxed) {
                    ticks.tick().await;
                    let turn = number.fetch_add(1, Ordering::Relaxed) % shots.len();
                    let Some(shot) = shots.get(turn) else { return };
                    let begun = Instant::now();
                    let answer = shoot(&client, shot).await;
                    let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
                    outcome.slowest = outcome.slowest.max(begun.elapsed());
                    match answer {
                        Ok(true) => outcome.fine += 1,
                        Ok(false) => outcome.unenforced += 1,
                        Err(what) => *outcome.failed.entry(what).or_default() += 1,
                    }
                }
            }
        };
        let tasks = (0..clients).map(|_| runtime.spawn(one(client.clone()))).collect();
        Self { stop, outcome, tasks }
    }

    /// What became of the requests so far.
    pub fn so_far(&self) -> Outcome {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops, waits for the last answers, and says what became of all.
    pub fn stop(self, runtime: &Runtime) -> Outcome {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            // One that panicked has no outcome to add.
            let _ = runtime.block_on(task);
        }
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// `true`: as expected. `false`: let through.
async fn shoot(client: &Client, shot: &Shot) -> Result<bool, String> {
    let text = |path: &str| shot.object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let (group, version) = text("/apiVersion").split_once('/').unwrap_or(("", text("/apiVersion")));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, text("/kind")));
    let api: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), text("/metadata/namespace"), &resource);
    let object = serde_json::from_value(shot.object.clone()).map_err(|error| error.to_string())?;
    let answer = api.create(&PostParams { dry_run: true, ..PostParams::default() }, &object).await;
    match (answer, &shot.expected) {
        (Ok(object), Expected::Admitted(path, value)) => {
            let object = serde_json::to_value(object).map_err(|error| error.to_string())?;
            Ok(object.pointer(path) == Some(value))
        }
        (Ok(_), Expected::Refused(_)) => Ok(false),
        (Err(Error::Api(status)), Expected::Refused(words)) if status.message.contains(words) => Ok(true),
        (Err(Error::Api(status)), _) => Err(status.message.clone()),
        (Err(error), _) => Err(error.to_string()),
    }
}
