//! Values: of the type that is expected.

use super::suggestions::did_you_mean;
use super::{Checked, ValueNote, Walk};
use crate::problem::Failure;
use crate::tree::{Definition, DefinitionKind, InputValue, Type, ValueKind};
use std::collections::HashSet;

/// The scalars whose values are looked at; others take anything.
const SCALARS: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];

impl<'d> Walk<'d, '_> {
    pub(super) fn unique_input_fields(&mut self, value: &'d InputValue) -> Checked {
        if value.kind != ValueKind::Object {
            return Ok(());
        }
        let mut seen = HashSet::new();
        for child in &value.children {
            if !seen.insert(child.name.as_str()) {
                let words = format!("There can be only one input field named \"{}\".", child.name);
                self.problem(child.position, words)?;
            }
        }
        Ok(())
    }

    pub(super) fn value_of_correct_type(&mut self, value: &'d InputValue) -> Checked {
        let ValueNote { definition: Some(of), expected: Some(expected), .. } = self.value_note(value) else {
            return Ok(());
        };
        if value.kind == ValueKind::Null && expected.non_null {
            let words = format!("Expected value of type \"{expected}\", found {}.", self.shown(value));
            self.problem(value.position, words)?;
        }
        let name = of.name.as_str();
        if of.kind == DefinitionKind::Scalar && !SCALARS.contains(&name) {
            return Ok(());
        }
        if !self.is_computable(value, 0)? {
            self.unexpected(value, of, expected)?;
        }
        let is_known = match value.kind {
            ValueKind::Null | ValueKind::Variable => true,
            ValueKind::List => expected.elem.is_some(),
            ValueKind::Int => ["Int", "Float", "ID"].contains(&name),
            ValueKind::Float => name == "Float",
            ValueKind::String | ValueKind::Block if of.kind == DefinitionKind::Enum => {
                return self.no_enum_value(value, of, expected);
            }
            ValueKind::String | ValueKind::Block => ["String", "ID"].contains(&name),
            ValueKind::Boolean => name == "Boolean",
            ValueKind::Enum => return self.enum_value(value, of, expected),
            ValueKind::Object => return self.object_value(value, of),
        };
        if is_known { Ok(()) } else { self.unexpected(value, of, expected) }
    }

    fn no_enum_value(&mut self, value: &'d InputValue, of: &'d Definition, expected: &Type) -> Checked {
        let mut words =
            format!("Enum \"{expected}\" cannot represent non-enum value: {}.", self.shown(value));
        self.suggest_enum_values(&mut words, value, of, true)?;
        self.problem(value.position, words)
    }

    fn enum_value(&mut self, value: &'d InputValue, of: &'d Definition, expected: &Type) -> Checked {
        if of.kind != DefinitionKind::Enum {
            // There is nothing to suggest: what is expected is no enum.
            return self.unexpected(value, of, expected);
        }
        self.host.spend(1 + of.enum_values.len() / 4)?;
        if of.enum_values.iter().any(|known| known.name == value.raw) {
            return Ok(());
        }
        let mut words = format!("Value \"{}\" does not exist in \"{expected}\" enum.", self.shown(value));
        self.suggest_enum_values(&mut words, value, of, true)?;
        self.problem(value.position, words)
    }

    fn suggest_enum_values(
        &mut self,
        words: &mut String,
        value: &InputValue,
        of: &'d Definition,
        quoted: bool,
    ) -> Checked {
        let known = of.enum_values.iter().map(|known| known.name.as_str());
        did_you_mean(self.host, words, "Did you mean the enum value", &value.raw, known, quoted)
    }

    fn object_value(&mut self, value: &'d InputValue, of: &'d Definition) -> Checked {
        let name = &of.name;
        self.host.spend(1 + of.fields.len().saturating_mul(1 + value.children.len()) / 4)?;
        for field in &of.fields {
            if field.of.non_null && field.default_value.is_none() && value.child(&field.name).is_none() {
                let words = format!(
                    "Field \"{name}.{}\" of required type \"{}\" was not provided.",
                    field.name, field.of
                );
                self.problem(value.position, words)?;
            }
        }
        for _ in of.directives.iter().filter(|directive| directive.name == "oneOf") {
            match value.children.as_slice() {
                [only] if only.value.kind == ValueKind::Null => {
                    // gqlparser names the first field, whichever was given.
                    let first = of.fields.first().map_or("", |field| &field.name);
                    let words = format!("Field \"{name}.{first}\" must be non-null.");
                    self.problem(only.value.position, words)?;
                }
                [_] => {}
                _ => {
                    let words = format!("OneOf Input Object \"{name}\" must specify exactly one key.");
                    self.problem(value.position, words)?;
                }
            }
        }
        for child in &value.children {
            if of.field(&child.name).is_none() {
                let mut words = format!("Field \"{}\" is not defined by type \"{name}\".", child.name);
                let known = of.fields.iter().map(|field| field.name.as_str());
                did_you_mean(self.host, &mut words, "Did you mean", &child.name, known, true)?;
                self.problem(child.position, words)?;
            }
        }
        Ok(())
    }

    fn unexpected(&mut self, value: &'d InputValue, of: &Definition, expected: &Type) -> Checked {
        let shown = self.shown(value);
        let expected = expected.to_string();
        let words = match expected.as_str() {
            "Int" | "Int!" if is_beyond(&value.raw, i64::from(i32::MIN), i64::from(i32::MAX)) => {
                format!("Int cannot represent non 32-bit signed integer value: {shown}")
            }
            "Int" | "Int!" => format!("Int cannot represent non-integer value: {shown}"),
            "String" | "String!" | "[String]" => {
                format!("String cannot represent a non string value: {shown}")
            }
            "Boolean" | "Boolean!" => format!("Boolean cannot represent a non boolean value: {shown}"),
            "Float" | "Float!" => format!("Float cannot represent non numeric value: {shown}"),
            "ID" | "ID!" => format!("ID cannot represent a non-string and non-integer value: {shown}"),
            _ if of.kind == DefinitionKind::Enum => {
                format!("Enum \"{expected}\" cannot represent non-enum value: {shown}.")
            }
            _ => format!("Expected value of type \"{expected}\", found {shown}."),
        };
        self.problem(value.position, words)
    }

    /// Whether all numbers in a value, and in the defaults of its variables, are within 64 bits.
    fn is_computable(&mut self, value: &'d InputValue, depth: usize) -> Result<bool, Failure> {
        self.host.spend(1)?;
        if depth > 100 {
            return Err(Failure::TooLarge(
                "GraphQL variables whose defaults need each other are not read here",
            ));
        }
        Ok(match value.kind {
            ValueKind::Int => value.raw.parse::<i64>().is_ok(),
            // Digits of any number are read as the nearest number; what is beyond all is not.
            ValueKind::Float => value.raw.parse::<f64>().is_ok_and(f64::is_finite),
            ValueKind::Boolean => BOOLEANS.contains(&value.raw.as_str()),
            ValueKind::Variable => {
                match self.value_note(value).variable.and_then(|variable| variable.default_value.as_ref()) {
                    Some(default) => self.is_computable(default, depth + 1)?,
                    None => true,
                }
            }
            ValueKind::List | ValueKind::Object => {
                for child in &value.children {
                    if !self.is_computable(&child.value, depth + 1)? {
                        return Ok(false);
                    }
                }
                true
            }
            _ => true,
        })
    }
}

/// What Go's `strconv.ParseBool` reads; trees can hold more than `true` and `false`.
const BOOLEANS: [&str; 12] =
    ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"];

/// Whether a text is an integer that is not between two others.
fn is_beyond(text: &str, least: i64, most: i64) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_integer = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_integer && !text.parse::<i64>().is_ok_and(|value| (least..=most).contains(&value))
}
