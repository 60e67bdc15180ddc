//! Inputs and data: mostly as the schema has them, and sometimes not.

use super::super::dice::Dice;
use serde_json::{Value as Json, json};

const WORDS: [&str; 12] = ["", "a", "b", "ab", "abc", "A", "x-y", "é", "1", "10", "a b", "true"];

fn number(dice: &mut Dice) -> Json {
    match dice.below(12) {
        0 => json!(0),
        1 => json!(-1),
        2 => json!(1.5),
        3 => json!(0.1),
        4 => json!(1e3),
        5 => json!(9_007_199_254_740_993_i64),
        6 => json!(-2.25),
        _ => json!(dice.below(12)),
    }
}

fn text(dice: &mut Dice) -> Json {
    json!(*dice.one(&WORDS))
}

fn list(dice: &mut Dice, element: fn(&mut Dice) -> Json) -> Json {
    let length = dice.below(5);
    Json::Array((0..length).map(|_| element(dice)).collect())
}

fn item(dice: &mut Dice) -> Json {
    let mut item =
        json!({"name": text(dice), "n": number(dice), "tags": list(dice, text), "on": dice.chance(50)});
    let members = item.as_object_mut().unwrap();
    for key in ["name", "n", "tags", "on"] {
        if dice.chance(12) {
            members.remove(key);
        }
    }
    item
}

fn scores(dice: &mut Dice) -> Json {
    let mut members = serde_json::Map::new();
    for _ in 0..dice.below(4) {
        let key = (*dice.one(&WORDS)).to_owned();
        members.insert(key, number(dice));
    }
    Json::Object(members)
}

/// Anything.
fn stray(dice: &mut Dice) -> Json {
    match dice.below(8) {
        0 => Json::Null,
        1 => json!(dice.chance(50)),
        2 => number(dice),
        3 => text(dice),
        4 => list(dice, number),
        5 => list(dice, text),
        6 => scores(dice),
        _ => item(dice),
    }
}

/// An input.
pub fn input(dice: &mut Dice) -> Option<String> {
    if dice.chance(2) {
        return None;
    }
    if dice.chance(2) {
        return Some(stray(dice).to_string());
    }
    let mut members = serde_json::Map::new();
    #[expect(clippy::type_complexity, reason = "a table of fields and who makes them")]
    let fields: [(&str, fn(&mut Dice) -> Json); 8] = [
        ("n", number),
        ("m", number),
        ("s", text),
        ("nums", |dice| list(dice, number)),
        ("words", |dice| list(dice, text)),
        ("scores", scores),
        ("items", |dice| list(dice, item)),
        ("flag", |dice| json!(dice.chance(50))),
    ];
    for (name, make) in fields {
        if dice.chance(92) {
            let value = if dice.chance(6) { stray(dice) } else { make(dice) };
            members.insert(name.to_owned(), value);
        }
    }
    members.insert("item".to_owned(), item(dice));
    Some(Json::Object(members).to_string())
}

/// The base document.
pub fn data(dice: &mut Dice) -> String {
    let data = json!({
        "cfg": {"limit": number(dice), "names": list(dice, text), "on": dice.chance(50)},
        "table": {"a": item(dice), "b": item(dice), "1": item(dice)},
        "nums": list(dice, number),
        "inventory": {"namespace": {
            "a": {"v1": {"Pod": {"a": item(dice), "b": item(dice)}}},
            "b": {"v1": {"Pod": {"x-y": item(dice)}, "Service": {"a": item(dice)}}},
        }},
    });
    data.to_string()
}
