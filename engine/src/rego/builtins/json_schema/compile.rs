//! A schema's document to its compiled form; what is wrong with it in gojsonschema's words, the first thing first.

use super::bound::Decimal;
use super::node::{Additional, Dependency, Node, Pattern, Place, Schema, TYPES, canonical};
use super::references::{Found, References};
use super::{MAX_SCHEMA_DEPTH, too_deep};
use crate::rego::builtins::{BuiltinError, Call};
use crate::rego::pattern::PatternError;
use crate::value::{Number, Object, Value};
use std::collections::HashMap;

type Compiled<T> = Result<T, BuiltinError>;

/// The drafts; `Any` is where none is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Draft {
    Four,
    Six,
    Seven,
    Any,
}

struct Compiler<'a, 'l, 'c> {
    call: &'l mut Call<'a, 'c>,
    schema: Schema<'a>,
    references: References<'a>,
    draft: Draft,
    /// What was referred to already.
    referred: HashMap<String, Place>,
    depth: usize,
}

fn failed<T>(words: impl Into<String>) -> Compiled<T> {
    Err(BuiltinError::failed(words.into()))
}

fn invalid_type<T>(expected: &str, given: &str) -> Compiled<T> {
    failed(format!("Invalid type. Expected: {expected}, given: {given}"))
}

/// Compiles a schema.
///
/// # Errors
/// What is wrong with it; a reference to elsewhere or a limit ends the evaluation.
pub(super) fn compile<'a>(call: &mut Call<'a, '_>, document: Value<'a>) -> Compiled<Schema<'a>> {
    let draft = draft(document)?;
    let references = References::of(document).map_err(BuiltinError::failed)?;
    let mut compiler = Compiler {
        call,
        schema: Schema { nodes: Vec::new() },
        references,
        draft,
        referred: HashMap::new(),
        depth: 0,
    };
    compiler.part(document)?;
    Ok(compiler.schema)
}

fn draft(document: Value<'_>) -> Compiled<Draft> {
    let object = match document {
        Value::Bool(_) => return Ok(Draft::Any),
        Value::Object(object) => object,
        _ => return failed("schema is invalid"),
    };
    let named = match object.get("$schema") {
        None => return Ok(Draft::Any),
        Some(Value::String(named)) => named,
        Some(_) => return failed("$schema must be of type string"),
    };
    super::super::uris::Reference::parse(named).map_err(BuiltinError::failed)?;
    Ok(match named.strip_suffix('#').unwrap_or(named) {
        "http://json-schema.org/draft-04/schema" => Draft::Four,
        "http://json-schema.org/draft-06/schema" => Draft::Six,
        "http://json-schema.org/draft-07/schema" => Draft::Seven,
        _ => Draft::Any,
    })
}

/// A member that must be a string.
fn string<'a>(object: Object<'a>, key: &str) -> Compiled<Option<&'a str>> {
    match object.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => invalid_type("string", key),
    }
}

/// A member that must be an array.
fn array<'a>(object: Object<'a>, key: &str) -> Compiled<Option<&'a [Value<'a>]>> {
    match object.get(key) {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(_) => failed(format!("{key} must be of an array")),
    }
}

fn decimal(value: Value<'_>) -> Compiled<Option<Decimal>> {
    let Value::Number(number) = value else { return Ok(None) };
    match Decimal::new(number) {
        Some(decimal) => Ok(Some(decimal)),
        None => Err(BuiltinError::Halt("JSON schemas with numbers beyond 10^30000 are not read here".into())),
    }
}

/// A member that must be an integer of 64 bits, not negative.
fn natural(object: Object<'_>, key: &str) -> Compiled<Option<i64>> {
    let Some(value) = object.get(key) else { return Ok(None) };
    // Go reads the text: `1.0` is an integer, but not one that it can read.
    match value {
        Value::Number(Number::Int(size @ 0..)) => Ok(Some(size)),
        Value::Number(Number::Int(_)) => failed(format!("{key} must be greater than or equal to 0")),
        _ => failed(format!("{key} must be of an integer")),
    }
}

fn in_order(least: Option<i64>, most: Option<i64>, names: [&str; 2]) -> Compiled<()> {
    match (least, most) {
        (Some(least), Some(most)) if least > most => {
            failed(format!("{} cannot be greater than {}", names[0], names[1]))
        }
        _ => Ok(()),
    }
}

impl<'a> Compiler<'a, '_, '_> {
    /// A part of the schema, and its place.
    fn part(&mut self, document: Value<'a>) -> Compiled<Place> {
        let place = self.schema.nodes.len();
        self.schema.nodes.push(Node::default());
        self.fill(document, place)?;
        Ok(place)
    }

    fn node(&mut self, place: Place) -> Compiled<&mut Node<'a>> {
        self.schema.nodes.get_mut(place).ok_or_else(|| BuiltinError::failed("there is no such part"))
    }

    /// Compiles a part into a place that is there already, so that it can be referred to from within.
    fn fill(&mut self, document: Value<'a>, place: Place) -> Compiled<()> {
        self.call.spend(20)?;
        if self.depth > MAX_SCHEMA_DEPTH {
            return Err(too_deep());
        }
        self.depth += 1;
        let outcome = self.fill_within(document, place);
        self.depth -= 1;
        outcome
    }

    fn fill_within(&mut self, document: Value<'a>, place: Place) -> Compiled<()> {
        if let Value::Bool(always) = document
            && self.draft >= Draft::Six
        {
            self.node(place)?.always = Some(always);
            return Ok(());
        }
        let Value::Object(object) = document else {
            return failed("Expected: Valid Schema, given: Invalid JSON");
        };
        let id = match self.draft {
            Draft::Four => "id",
            Draft::Any if object.get("id").is_some() => "id",
            _ => "$id",
        };
        if let Some(id) = string(object, id)? {
            super::super::uris::Reference::parse(id).map_err(BuiltinError::failed)?;
        }
        self.definitions(object)?;
        string(object, "title")?;
        string(object, "description")?;
        if let Some(written) = string(object, "$ref")? {
            super::super::uris::Reference::parse(written).map_err(BuiltinError::failed)?;
            if self.refer(document, written, place)? {
                return Ok(());
            }
        }
        let mut node = Node { reference: self.node(place)?.reference, ..Node::default() };
        Self::types(object, &mut node)?;
        self.members(object, &mut node)?;
        self.items(object, &mut node)?;
        self.numbers(object, &mut node)?;
        self.strings(object, &mut node)?;
        self.sizes(object, &mut node)?;
        self.values(object, &mut node)?;
        self.combinations(object, &mut node)?;
        *self.node(place)? = node;
        Ok(())
    }

    fn definitions(&mut self, object: Object<'a>) -> Compiled<()> {
        let wrong = || invalid_type("Array Of Schemas", "definitions");
        match object.get("definitions") {
            None => Ok(()),
            Some(Value::Object(definitions)) => {
                for (_, definition) in definitions.iter() {
                    if !matches!(definition, Value::Bool(_) | Value::Object(_)) {
                        return wrong();
                    }
                    self.part(definition)?;
                }
                Ok(())
            }
            Some(_) => wrong(),
        }
    }

    /// Follows a `$ref`; whether the rest of its object is not looked at: only where it is met for the first time.
    fn refer(&mut self, document: Value<'a>, written: &str, place: Place) -> Compiled<bool> {
        let address = self.references.meant(document, written);
        if let Some(known) = self.referred.get(&address).copied() {
            self.node(place)?.reference = Some(known);
            return Ok(false);
        }
        let referred = self.schema.nodes.len();
        self.schema.nodes.push(Node::default());
        self.referred.insert(address.clone(), referred);
        let part = match self.references.find(&address) {
            Found::Here(part) => part,
            Found::Nowhere(why) => return failed(why),
            Found::Elsewhere => {
                let words =
                    format!("`$ref` to `{address}` is not followed: nothing is fetched for a JSON schema");
                return Err(BuiltinError::Halt(words.into()));
            }
        };
        if !matches!(part, Value::Bool(_) | Value::Object(_)) {
            return failed("Valid Schema must be of type object");
        }
        self.fill(part, referred)?;
        self.node(place)?.reference = Some(referred);
        Ok(true)
    }

    fn types(object: Object<'a>, node: &mut Node<'a>) -> Compiled<()> {
        let wrong = || invalid_type("type", "string/Array Of Strings");
        let single;
        let types = match object.get("type") {
            None => return Ok(()),
            Some(Value::Array(types)) => types,
            Some(one @ Value::String(_)) => {
                single = [one];
                &single
            }
            Some(_) => return wrong(),
        };
        for item in types {
            let Value::String(name) = item else { return wrong() };
            if !TYPES.contains(name) {
                return failed(format!(
                    "has a primitive type that is NOT VALID -- given: /{name}/ Expected valid values are:[{}]",
                    TYPES.join(" ")
                ));
            }
            if node.types.contains(name) {
                return failed(format!("{name} type is duplicated"));
            }
            node.types.push(name);
        }
        Ok(())
    }

    fn members(&mut self, object: Object<'a>, node: &mut Node<'a>) -> Compiled<()> {
        match object.get("properties") {
            None => {}
            Some(Value::Object(properties)) => {
                for (name, property) in properties.iter() {
                    let place = self.part(property)?;
                    node.properties.push((name, place));
                }
            }
            Some(_) => return failed("Properties must be of type object"),
        }
        node.additional_properties = self.additional(object, "additionalProperties")?;
        match object.get("patternProperties") {
            None => {}
            Some(Value::Object(properties)) => {
                for (text, property) in properties.iter() {
                    let wrong = || format!("Invalid regex pattern '{text}'");
                    let pattern = self.pattern(text, wrong)?;
                    let place = self.part(property)?;
                    node.pattern_properties.push((pattern, place));
                }
            }
            Some(_) => return invalid_type("Valid Schema", "patternProperties"),
        }
        if let Some(names) = object.get("propertyNames")
            && self.draft >= Draft::Six
        {
            if !matches!(names, Value::Bool(_) | Value::Object(_)) {
                return invalid_type("Valid Schema", "patternProperties");
            }
            node.property_names = Some(self.part(names)?);
        }
        self.dependencies(object, node)
    }

    fn dependencies(&mut self, object: Object<'a>, node: &mut Node<'a>) -> Compiled<()> {
        let dependencies = match object.get("dependencies") {
            None => return Ok(()),
            Some(Value::Object(dependencies)) => dependencies,
            Some(_) => return failed("dependencies must be of type object"),
        };
        for (name, needed) in dependencies.iter() {
            let dependency = match needed {
                Value::Array(names) => {
                    let names: Option<Vec<_>> = names.iter().map(|name| name.as_str()).collect();
                    names.map(Dependency::Members)
                }
                Value::Bool(_) | Value::Object(_) => Some(Dependency::Fitting(self.part(needed)?)),
                _ => None,
            };
            let Some(dependency) = dependency else {
                return failed("Dependency must be of type Schema Or Array Of Strings");
            };
            node.dependencies.push((name, dependency));
        }
        Ok(())
    }

    fn additional(&mut self, object: Object<'a>, key: &str) -> Compiled<Additional> {
        Ok(match object.get(key) {
            None | Some(Value::Bool(true)) => Additional::Any,
            Some(Value::Bool(false)) => Additional::None,
            Some(schema @ Value::Object(_)) => Additional::Fitting(self.part(schema)?),
            Some(_) => return invalid_type("boolean/Valid Schema", key),
        })
    }

    fn items(&mut self, object: Object<'a>, node: &mut Node<'a>) -> Compiled<()> {
        let wrong = || invalid_type("Valid Schema/Array Of Schemas", "items");
        match object.get("items") {
            None => {}
            Some(Value::Array(items)) => {
                for item in items {
                    if !matches!(item, Value::Bool(_) | Value::Object(_)) {
                        return wrong();
                    }
                    let place = self.part(*item)?;
                    node.items.push(place);
                }
            }
            Some(item @ (Value::Bool(_) | Value::Object(_))) => node.every_item = Some(self.part(item)?),
            Some(_) => return wrong(),
        }
        node.additional_items = self.additional(object, "additionalItems")?;
        Ok(())
    }

    fn numbers(&mut self, object: Object<'a>, node: &mut Node<'a>) -> Compiled<()> {
        if let Some(value) = object.get("multipleOf") {
            let Some(multiple) = decimal(value)? else { return invalid_type("Number", "multipleOf") };
            if !multiple.is_positive() {
                return failed("multipleOf must be strictly greater than 0");
            }
            node.multiple_of = Some(multiple);
        }
        (node.minimum, node.exclusive_minimum) = self.limits(object, ["minimum", "exclusiveMinimum"])?;
        (node.maximum, node.exclusive_maximum) = self.limits(object, ["maximum", "exclusiveMaximum"])?;
        Ok(())
    }

    /// A limit, and one that is not reached: a number of its own, or (in draft 4) whether the first is one.
    fn limits(
        &self,
        object: Object<'a>,
        [limit, exclusive]: [&str; 2],
    ) -> Compiled<(Option<Decimal>, Option<Decimal>)> {
        let mut inclusive = None;
        if let Some(value) = object.get(limit) {
            inclusive = decimal(value)?;
            if inclusive.is_none() {
                return failed(format!("{limit} must be of a Number"));
            }
        }
        Ok(match (object.get(exclusive), self.draft) {
            (None, _) => (inclusive, None),
            (Some(Value::Bool(is_exclusive)), Draft::Four | Draft::Any) => match inclusive {
                None => return failed(format!("{exclusive} cannot be used without {limit}")),
                Some(limit) if is_exclusive => (None, Some(limit)),
                Some(limit) => (Some(limit), None),
            },
            (Some(value @ Value::Number(_)), Draft::Six | Draft::Seven | Draft::Any) => {
                (inclusive, decimal(value)?)
            }
            (Some(_), Draft::Four) => return invalid_type("boolean", exclusive),
            (Some(_), Draft::Any) => return invalid_type("boolean/number", exclusive),
            (Some(_), Draft::Six | Draft::Seven) => return invalid_type("number", exclusive),
        })
    }

    fn pattern(&mut self, text: &'a str, wrong: impl FnOnce() -> String) -> Compiled<Pattern<'a>> {
        self.call.spend(64 + text.len())?;
        match self.call.caches.regular(text) {
            Ok(regular) => Ok(Pattern { text, regular }),
            Err(PatternError::Syntax(_)) => failed(wrong()),
            Err(PatternError::Refused(why)) => Err(BuiltinError::Halt(why.into())),
        }
    }

    fn strings(&mut self, object: Object<'a>, node: &mut Node<'a>) -> Compiled<()> {
        node.min_length = natural(object, "minLength")?;
        node.max_length = natural(object, "maxLength")?;
        in_order(node.min_length, node.max_length, ["minLength", "maxLength"])?;
        if let Some(text) = string(object, "pattern")? {
            node.pattern = Some(self.pattern(text, || "pattern must be a valid regex".to_owned())?);
        }
        node.format = string(object, "format")?.unwrap_or_default();
        Ok(())
    }

    /// How many members and items there may be, and which there must be.
    fn sizes(&mut self, object: Object<'a>, node: &mut Node<'a>) -> Compiled<()> {
        node.min_properties = natural(object, "minProperties")?;
        node.max_properties = natural(object, "maxProperties")?;
        in_order(node.min_properties, node.max_properties, ["minProperties", "maxProperties"])?;
        let mut seen = std::collections::HashSet::new();
        for name in array(object, "required")?.unwrap_or_default() {
            self.call.spend(1)?;
            let Value::String(name) = name else { return invalid_type("string", "required") };
            if !seen.insert(*name) {
                return failed("required items must be unique");
            }
            node.required.push(name);
        }
        node.min_items = natural(object, "minItems")?;
        node.max_items = natural(object, "maxItems")?;
        match object.get("uniqueItems") {
            None => {}
            Some(Value::Bool(unique)) => node.unique_items = unique,
            Some(_) => return failed("uniqueItems must be of a boolean"),
        }
        if let Some(contained) = object.get("contains")
            && self.draft >= Draft::Six
        {
            node.contains = Some(self.part(contained)?);
        }
        Ok(())
    }

    fn values(&mut self, object: Object<'a>, node: &mut Node<'a>) -> Compiled<()> {
        let text = |value: Value<'_>| {
            canonical(value).ok_or_else(|| BuiltinError::failed("a number is beyond floats of 64 bits"))
        };
        if let Some(constant) = object.get("const")
            && self.draft >= Draft::Six
        {
            node.constant = Some(text(constant)?);
        }
        if let Some(values) = array(object, "enum")? {
            let (mut known, mut seen) = (Vec::new(), std::collections::HashSet::new());
            for value in values {
                let value = text(*value)?;
                self.call.spend(1 + value.len() / 16)?;
                if !seen.insert(value.clone()) {
                    return failed("enum items must be unique");
                }
                known.push(value);
            }
            node.values = Some(known);
        }
        Ok(())
    }

    fn combinations(&mut self, object: Object<'a>, node: &mut Node<'a>) -> Compiled<()> {
        node.one_of = self.each(object, "oneOf")?;
        node.any_of = self.each(object, "anyOf")?;
        node.all_of = self.each(object, "allOf")?;
        node.not = self.one(object, "not")?;
        if self.draft >= Draft::Seven {
            node.condition = self.one(object, "if")?;
            node.then = self.one(object, "then")?;
            node.otherwise = self.one(object, "else")?;
        }
        Ok(())
    }

    fn each(&mut self, object: Object<'a>, key: &str) -> Compiled<Vec<Place>> {
        array(object, key)?.unwrap_or_default().iter().map(|schema| self.part(*schema)).collect()
    }

    fn one(&mut self, object: Object<'a>, key: &str) -> Compiled<Option<Place>> {
        match object.get(key) {
            None => Ok(None),
            Some(schema @ (Value::Bool(_) | Value::Object(_))) => self.part(schema).map(Some),
            Some(_) => failed(format!("{key} must be of an object")),
        }
    }
}
