//! What may have been meant.

use crate::limits::Host;
use crate::problem::Failure;

/// Adds "Did you mean …?" if something that is known is near to what was written.
pub(super) fn did_you_mean<'n>(
    host: &mut dyn Host,
    words: &mut String,
    begin: &str,
    written: &str,
    known: impl Iterator<Item = &'n str>,
    quoted: bool,
) -> Result<(), Failure> {
    // Two fifths of the letters may be wrong, and one.
    let threshold = written.len() * 2 / 5 + 1;
    let mut near = Vec::new();
    for name in known {
        host.spend(1 + written.len().saturating_mul(name.len()) / 16)?;
        let distance = distance(written, name);
        if distance <= threshold {
            near.push((distance, name));
        }
    }
    near.sort_by_key(|(distance, _)| *distance);
    if !near.is_empty() {
        let shown =
            |(_, name): &(usize, &str)| if quoted { format!("\"{name}\"") } else { (*name).to_owned() };
        let names = or_list(near.iter().map(shown).collect());
        words.push_str(&format!(" {begin} {names}?"));
    }
    Ok(())
}

/// `a`, `a or b`, `a, b, or c`; five at most.
pub(super) fn or_list(mut items: Vec<String>) -> String {
    items.truncate(5);
    match items.as_slice() {
        [one, two] => format!("{one} or {two}"),
        [first @ .., last] if !first.is_empty() => format!("{}, or {last}", first.join(", ")),
        _ => items.concat(),
    }
}

/// How many letters must be added, taken away or replaced; a change of case is one.
fn distance(one: &str, other: &str) -> usize {
    if one == other {
        return 0;
    }
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    if one == other {
        return 1;
    }
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut before = at;
        let mut left = at + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, known) in row.iter_mut().skip(1).zip(&other) {
            let replaced = before + usize::from(letter != *known);
            before = *cell;
            left = replaced.min(left + 1).min(before + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Free;

    #[test]
    fn what_is_near_is_suggested() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!((distance("", "abc"), distance("abc", ""), distance("Abc", "aBC")), (3, 3, 1));
        let mut words = String::from("?");
        did_you_mean(&mut Free, &mut words, "Did you mean", "nam", ["name", "nam2", "xyz"].into_iter(), true)
            .unwrap();
        assert_eq!(words, "? Did you mean \"name\" or \"nam2\"?");
    }

    #[test]
    fn lists_are_read_aloud() {
        let list = |items: &[&str]| or_list(items.iter().map(ToString::to_string).collect());
        assert_eq!(list(&[]), "");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b"]), "a or b");
        assert_eq!(list(&["a", "b", "c", "d", "e", "f"]), "a, b, c, d, or e");
    }
}
