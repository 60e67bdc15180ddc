//! Inputs made worse: values deleted, replaced, retyped; quantities in every notation.

use super::dice::Dice;
use serde_json::{Value as Json, json};

/// A copy of the input with one to three changes.
pub fn mutated(input: &Json, dice: &mut Dice) -> Json {
    let mut changed = input.clone();
    for _ in 0..=dice.below(3) {
        let places = pointers(&changed);
        if places.is_empty() {
            break;
        }
        let place = dice.one(&places).clone();
        change(&mut changed, &place, dice);
    }
    changed
}

/// All places within a value, as JSON Pointers.
fn pointers(value: &Json) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, String::new(), &mut found);
    found
}

fn collect(value: &Json, here: String, found: &mut Vec<String>) {
    match value {
        Json::Object(members) => {
            for (key, member) in members {
                let place = format!("{here}/{}", key.replace('~', "~0").replace('/', "~1"));
                found.push(place.clone());
                collect(member, place, found);
            }
        }
        Json::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let place = format!("{here}/{at}");
                found.push(place.clone());
                collect(item, place, found);
            }
        }
        _ => {}
    }
}

fn change(root: &mut Json, place: &str, dice: &mut Dice) {
    match dice.below(10) {
        0..=2 => delete(root, place),
        3 | 4 => {
            // What stands elsewhere fits better than what is made up.
            let places = pointers(root);
            let place_of_other = dice.one(&places).clone();
            let other = root.pointer(&place_of_other).cloned();
            if let (Some(value), Some(other)) = (root.pointer_mut(place), other) {
                *value = other;
            }
        }
        5 => {
            if let Some(Json::Array(items)) = root.pointer_mut(place)
                && let Some(first) = items.first().cloned()
            {
                items.push(first);
                return;
            }
            delete(root, place);
        }
        _ => {
            if let Some(value) = root.pointer_mut(place) {
                *value = retyped(value, dice);
            }
        }
    }
}

fn delete(root: &mut Json, place: &str) {
    let (parent, last) = place.rsplit_once('/').unwrap_or(("", place));
    match root.pointer_mut(parent) {
        Some(Json::Object(members)) => {
            members.remove(&last.replace("~1", "/").replace("~0", "~"));
        }
        Some(Json::Array(items)) => {
            if let Ok(at) = last.parse::<usize>()
                && at < items.len()
            {
                items.remove(at);
            }
        }
        _ => {}
    }
}

/// Another value, near to the one that was there.
fn retyped(value: &Json, dice: &mut Dice) -> Json {
    match (value, dice.below(12)) {
        (Json::String(text), 0) => json!(text.to_uppercase()),
        (Json::String(text), 1) => json!(format!("{text}x")),
        (Json::String(text), 2) => json!(format!(" {text}")),
        (Json::String(text), 3) => json!(text.chars().skip(1).collect::<String>()),
        (Json::Bool(value), 0..=4) => json!(!value),
        (Json::Number(number), 0..=3) => json!(number.as_f64().unwrap_or_default() + 1.0),
        (Json::Number(number), 4) => json!(number.as_f64().unwrap_or_default() / 3.0),
        (other, 5) => json!([other]),
        (other, 6) => json!({"a": other}),
        (_, 7) => Json::Null,
        (_, 8) => json!(dice.chance(50)),
        (_, 9) => json!(dice.below(100)),
        (_, 10) => json!(*dice.one(&["", "a", "*", "0", "true", "../x", "é"])),
        _ => match dice.below(3) {
            0 => json!([]),
            1 => json!({}),
            _ => json!(""),
        },
    }
}

/// A copy of the input in which what stands under the names of resources is a quantity in a random notation.
pub fn requantified(input: &Json, dice: &mut Dice) -> Json {
    const RESOURCES: [&str; 6] = ["cpu", "memory", "ephemeral-storage", "ratio", "cpuRatio", "storage"];
    let mut changed = input.clone();
    for place in pointers(input) {
        let name = place.rsplit('/').next().unwrap_or_default();
        if RESOURCES.contains(&name)
            && let Some(value) = changed.pointer_mut(&place)
            && !value.is_object()
            && dice.chance(70)
        {
            *value = quantity(dice);
        }
    }
    changed
}

fn quantity(dice: &mut Dice) -> Json {
    const NUMBERS: [&str; 18] = [
        "0",
        "1",
        "2",
        "100",
        "200",
        "500",
        "1000",
        "1024",
        "0.1",
        "0.001",
        ".5",
        "1.5",
        "2.",
        "-1",
        "+1",
        "00",
        "1e3",
        "9007199254740993",
    ];
    const SUFFIXES: [&str; 20] = [
        "", "", "m", "k", "K", "Ki", "M", "Mi", "G", "Gi", "T", "Ti", "P", "Pi", "E", "Ei", "u", "n", "e2",
        "x",
    ];
    match dice.below(14) {
        0 => json!(dice.below(5000)),
        1 => json!(0.5),
        2 => json!(1.1),
        3 => Json::Null,
        4 => json!(""),
        5 => json!(format!("{}{}", dice.below(100_000), dice.one(&SUFFIXES))),
        6 => json!(format!("{}.{}{}", dice.below(20), dice.below(1000), dice.one(&SUFFIXES))),
        _ => json!(format!("{}{}", dice.one(&NUMBERS), dice.one(&SUFFIXES))),
    }
}
