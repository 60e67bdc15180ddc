//! Many ways through a body, told by a few of them.

use super::{ExprTrace, Line, Way};
use std::sync::Arc;

/// The ways that are told in any case.
const TOLD: usize = 5;
/// The most that are told: further ones that came to something else.
const MOST: usize = 20;

/// Adds a way, or counts it with one that went the same.
pub(super) fn add(ways: &mut Vec<Way>, way: Way) {
    if ways.len() >= TOLD {
        let end = end_of(&way.body);
        let same = |known: &&mut Way| known.held == way.held && same_place(end_of(&known.body), end);
        if let Some(known) = ways.iter_mut().find(same) {
            known.alike += 1;
            return;
        }
    }
    if ways.len() >= MOST {
        if let Some(last) = ways.last_mut() {
            last.alike += 1;
        }
        return;
    }
    ways.push(way);
}

/// Where a way ended.
fn end_of(body: &[ExprTrace]) -> Option<&Arc<Line>> {
    let last = body.last()?;
    last.ways.first().and_then(|way| end_of(&way.body)).or(Some(&last.at))
}

fn same_place(one: Option<&Arc<Line>>, other: Option<&Arc<Line>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(at: &Arc<Line>, held: bool) -> Way {
        let expr = ExprTrace {
            at: at.clone(),
            held,
            why: String::new(),
            values: Vec::new(),
            calls: Vec::new(),
            inside: Vec::new(),
            ways: Vec::new(),
        };
        Way { bindings: Vec::new(), held, alike: 0, body: vec![expr] }
    }

    #[test]
    fn what_goes_the_same_way_is_counted() {
        let (here, there) = (Arc::new(Line::default()), Arc::new(Line::default()));
        let mut ways = Vec::new();
        for _ in 0..40 {
            add(&mut ways, way(&here, false));
        }
        add(&mut ways, way(&there, false));
        add(&mut ways, way(&here, true));
        let told: Vec<_> = ways.iter().map(|way| (way.held, way.alike)).collect();
        let failed = (false, 0);
        assert_eq!(told, [(false, 35), failed, failed, failed, failed, failed, (true, 0)]);
    }
}
