//! Where a panic happened goes to the log; what it says may quote an object, and does not.

use crate::workers::WORKER_NAME;

/// Replaces the process's panic hook: a panic is logged with its thread and place, and with its words only if
/// they are a literal of the program (a formatted message can carry values of the request). To be called once,
/// by the binary.
pub fn log_panics_without_values() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let words = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("(values withheld)");
        let answered = thread.starts_with(WORKER_NAME);
        tracing::error!(thread, place, words, answered, "panicked");
    }));
}
