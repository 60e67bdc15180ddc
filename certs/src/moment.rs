//! Points in time as people and Secrets write them: RFC 3339, UTC, whole seconds.

use jiff::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `2026-11-22T15:04:05Z`. A time that the calendar cannot hold is shown as seconds since 1970.
pub(crate) fn written(time: SystemTime) -> String {
    let seconds = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
    };
    Timestamp::from_second(seconds).map_or_else(|_| format!("@{seconds}"), |stamp| stamp.to_string())
}

/// The inverse of [`written`] for times since 1970; `None` for anything else.
pub(crate) fn read(text: &[u8]) -> Option<SystemTime> {
    let stamp: Timestamp = std::str::from_utf8(text).ok()?.trim().parse().ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(stamp.as_second()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_to_the_second() {
        let time = UNIX_EPOCH + Duration::from_millis(1_793_000_000_750);
        assert_eq!(written(time), "2026-10-26T07:33:20Z");
        assert_eq!(read(written(time).as_bytes()), Some(UNIX_EPOCH + Duration::from_secs(1_793_000_000)));
    }

    #[test]
    fn nonsense_is_not_a_time() {
        for text in [&b""[..], b"soon", b"1969-12-31T00:00:00Z", b"\xff", b"2026-13-01T00:00:00Z"] {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert_eq!(written(UNIX_EPOCH - Duration::from_secs(1)), "1969-12-31T23:59:59Z");
        assert!(written(UNIX_EPOCH + Duration::from_secs(1 << 40)).starts_with('@'));
    }
}
