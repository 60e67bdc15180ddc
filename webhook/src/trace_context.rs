//! Whose trace a request belongs to: the W3C header `traceparent`, by which the API server names its own.
//! Format: <https://www.w3.org/TR/trace-context/#traceparent-header>.

use axum::http::HeaderMap;

/// The id of the trace that the headers name: 32 hexadecimal digits, not all zero. Anything else is no trace.
pub(crate) fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut fields = headers.get("traceparent")?.to_str().ok()?.split('-');
    let (version, trace, span, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let named = |text: &str| text.bytes().any(|byte| byte != b'0');
    // Version 255 is forbidden; version 0 ends here, later ones may say more.
    let fits = hex(version, 2) && version != "ff" && (version != "00" || fields.next().is_none());
    (fits && hex(trace, 32) && named(trace) && hex(span, 16) && named(span) && hex(flags, 2)).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_format_allows_is_a_trace() {
        let id = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", text.parse().unwrap());
            trace_id(&headers).map(str::to_owned)
        };
        let known = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(id(&format!("00-{known}-00f067aa0ba902b7-01")).as_deref(), Some(known));
        assert_eq!(id(&format!("01-{known}-00f067aa0ba902b7-01-more")).as_deref(), Some(known));
        for wrong in [
            "",
            "00",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(id(wrong), None, "{wrong}");
        }
        assert_eq!(trace_id(&HeaderMap::new()), None);
    }
}
