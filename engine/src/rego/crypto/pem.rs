//! PEM as Go's `encoding/pem` reads it: the first block, and what follows it.

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Such as `CERTIFICATE`.
    pub(crate) label: String,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// The first block of a text and what follows it; `None`: there is none. What is no block is passed over.
pub(crate) fn decode(text: &str) -> Option<(Block, &str)> {
    let mut rest = text;
    loop {
        let begin = start_of_line(rest, "-----BEGIN ")?;
        let after = rest.get(begin + "-----BEGIN ".len()..)?;
        rest = after;
        let (line, body) = after.split_once('\n')?;
        let Some(label) = line.trim_end().strip_suffix("-----") else { continue };
        let end_line = format!("-----END {label}-----");
        let Some(end) = start_of_line(body, &end_line) else { continue };
        let (inside, after) = body.split_at(end);
        let after = after.get(end_line.len()..).unwrap_or_default();
        let (tail, following) = after.split_once('\n').unwrap_or((after, ""));
        if !tail.trim().is_empty() {
            continue;
        }
        // Headers (`Proc-Type: …`) come before an empty line.
        let lines =
            inside.lines().skip_while(|line| line.contains(": ")).filter(|line| !line.trim().is_empty());
        let encoded: String = lines.flat_map(|line| line.chars().filter(|c| !c.is_whitespace())).collect();
        if let Ok(bytes) = crate::rego::builtins::encoding::from_base64_standard(&encoded) {
            return Some((Block { label: label.to_owned(), bytes }, following));
        }
    }
}

fn start_of_line(text: &str, start: &str) -> Option<usize> {
    if text.starts_with(start) {
        return Some(0);
    }
    text.find(&format!("\n{start}")).map(|at| at + 1)
}
