//! The panic hook is the process's own, so it has a test binary of its own.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::io::Write;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_panic_is_logged_by_its_place_and_never_by_a_value() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).init();
    wayguard_webhook::log_panics_without_values();
    let value = String::from("canary-5f3759df");
    let formatted = std::thread::spawn(move || panic!("found {value}")).join();
    let literal = std::thread::spawn(|| panic!("a literal of the program")).join();
    drop((formatted, literal));
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.matches("panic_log.rs:").count(), 2, "{text}");
    assert!(text.contains("a literal of the program") && text.contains("(values withheld)"), "{text}");
    assert!(!text.contains("canary"), "{text}");
}
