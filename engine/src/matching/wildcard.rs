//! `*` and `?` in names.

/// Whether `text` matches `pattern`, where `*` stands for any run of characters and `?` for any one.
/// Linear in `text` per `*`; no backtracking beyond the last one.
pub fn wildcard_matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || Some(byte) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::wildcard_matches;

    #[test]
    fn stars_and_question_marks() {
        assert!(wildcard_matches("*", ""));
        assert!(wildcard_matches("team-*-prod", "team-a-b-prod"));
        assert!(wildcard_matches("a?c", "abc"));
        assert!(!wildcard_matches("a?c", "ac"));
        assert!(!wildcard_matches("team-*-prod", "team-a-dev"));
        assert!(!wildcard_matches("abc", "abcd"));
        assert!(wildcard_matches("**a*", "xay"));
    }
}
