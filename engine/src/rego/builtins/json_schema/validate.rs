//! A document held against a schema: all problems, in gojsonschema's words and order.

use super::bound::Decimal;
use super::formats::has_format;
use super::node::{Additional, Dependency, Node, Place, Schema, canonical};
use super::{MAX_SCHEMA_DEPTH, too_deep};
use crate::rego::builtins::{BuiltinError, Call};
use crate::value::{Object, Value};
use std::cmp::Ordering;
use std::collections::HashMap;

/// One problem.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    /// What kind of problem it is.
    pub(super) kind: &'static str,
    /// In words.
    pub(super) description: String,
    /// Where: `(Root)` and the keys from there, with dots.
    context: String,
}

impl Problem {
    /// Where, without the root.
    pub(super) fn field(&self) -> &str {
        field(&self.context)
    }
}

fn field(context: &str) -> &str {
    context.strip_prefix("(Root).").unwrap_or(context)
}

/// What holding a value against a part gave: problems, and how well it fits, to choose among those that do not.
#[derive(Debug, Default)]
struct Outcome {
    problems: Vec<Problem>,
    score: i64,
}

impl Outcome {
    fn is_valid(&self) -> bool {
        self.problems.is_empty()
    }

    fn add(&mut self, context: &str, kind: &'static str, description: impl Into<String>) {
        self.problems.push(Problem { kind, description: description.into(), context: context.to_owned() });
        self.score -= 2;
    }

    fn merge(&mut self, other: Outcome) {
        self.problems.extend(other.problems);
        self.score += other.score;
    }
}

/// The most problems that are listed, and the most bytes that describe them.
const MAX_WORDS: usize = 4 << 20;

struct Validator<'s, 'a, 'l, 'c> {
    call: &'l mut Call<'a, 'c>,
    schema: &'s Schema<'a>,
    depth: usize,
    words: usize,
}

type Checked<T> = Result<T, BuiltinError>;

/// The problems of a document.
///
/// # Errors
/// When a limit is reached.
pub(super) fn validate<'a>(
    call: &mut Call<'a, '_>,
    schema: &Schema<'a>,
    document: Value<'a>,
) -> Checked<Vec<Problem>> {
    let mut validator = Validator { call, schema, depth: 0, words: 0 };
    let outcome = validator.fits(0, document, "(Root)")?;
    Ok(outcome.problems)
}

fn type_of(value: Value<'_>, is_integer: bool) -> &'static str {
    match value {
        Value::Number(_) if is_integer => "integer",
        Value::Set(_) => "array",
        other => other.type_name(),
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

impl<'s, 'a> Validator<'s, 'a, '_, '_> {
    /// Holds a value against a part, for itself.
    fn fits(&mut self, place: Place, value: Value<'a>, context: &str) -> Checked<Outcome> {
        let mut outcome = Outcome::default();
        self.check(place, value, context, &mut outcome)?;
        Ok(outcome)
    }

    /// Holds a value against a part, for what is being put together.
    fn check(&mut self, place: Place, value: Value<'a>, context: &str, outcome: &mut Outcome) -> Checked<()> {
        self.call.spend(8 + context.len() / 32)?;
        if self.depth > MAX_SCHEMA_DEPTH {
            return Err(too_deep());
        }
        let before = outcome.problems.len();
        self.depth += 1;
        let checked = self.check_within(place, value, context, outcome);
        self.depth -= 1;
        checked?;
        let new = outcome.problems.get(before..).unwrap_or_default();
        let words: usize = new.iter().map(|problem| problem.description.len() + problem.context.len()).sum();
        self.words = self.words.saturating_add(words);
        self.call.spend(words / 64)?;
        if self.words > MAX_WORDS {
            return Err(BuiltinError::Halt("a document with so many problems is not judged here".into()));
        }
        Ok(())
    }

    fn check_within(
        &mut self,
        place: Place,
        value: Value<'a>,
        context: &str,
        outcome: &mut Outcome,
    ) -> Checked<()> {
        let schema = self.schema;
        let Some(node) = schema.nodes.get(place) else { return Ok(()) };
        if let Some(always) = node.always {
            if !always {
                outcome.add(context, "false", "False always fails validation");
            }
            return Ok(());
        }
        if let Some(referred) = node.reference {
            return self.check(referred, value, context, outcome);
        }
        let number = match value {
            Value::Number(number) => Some(Decimal::new(number).ok_or_else(|| {
                BuiltinError::Halt("numbers beyond 10^30000 are not held against JSON schemas".into())
            })?),
            _ => None,
        };
        let is_integer = number.as_ref().is_some_and(Decimal::is_integer);
        let given = type_of(value, is_integer);
        let fits = node.types.contains(&given) || given == "integer" && node.types.contains(&"number");
        if !node.types.is_empty() && !fits {
            let expected = match node.types.as_slice() {
                [one] => (*one).to_owned(),
                several => format!("[{}]", several.join(",")),
            };
            outcome.add(
                context,
                "invalid_type",
                format!("Invalid type. Expected: {expected}, given: {given}"),
            );
            return Ok(());
        }
        self.combinations(node, value, context, outcome)?;
        match value {
            Value::Array(items) => self.array(node, items, context, outcome)?,
            Value::Object(object) => self.object(node, object, context, outcome)?,
            _ => {}
        }
        if let Some(number) = &number {
            Self::number(node, number, context, outcome);
        }
        self.common(node, value, context, outcome)?;
        if let Value::String(text) = value {
            self.string(node, text, context, outcome)?;
        }
        if let Value::Object(object) = value {
            for (name, property) in &node.properties {
                if let Some(member) = object.get(name) {
                    self.check(*property, member, &format!("{context}.{name}"), outcome)?;
                }
            }
        }
        outcome.score += 1;
        Ok(())
    }

    fn combinations(
        &mut self,
        node: &'s Node<'a>,
        value: Value<'a>,
        context: &str,
        outcome: &mut Outcome,
    ) -> Checked<()> {
        if !node.any_of.is_empty() {
            let (valid, best) = self.best(&node.any_of, value, context, true)?;
            if valid == 0 {
                outcome.add(context, "number_any_of", "Must validate at least one schema (anyOf)");
                best.into_iter().for_each(|best| outcome.merge(best));
            }
        }
        if !node.one_of.is_empty() {
            let (valid, best) = self.best(&node.one_of, value, context, false)?;
            if valid != 1 {
                outcome.add(context, "number_one_of", "Must validate one and only one schema (oneOf)");
                if valid == 0 {
                    best.into_iter().for_each(|best| outcome.merge(best));
                }
            }
        }
        if !node.all_of.is_empty() {
            let mut all = true;
            for place in &node.all_of {
                let found = self.fits(*place, value, context)?;
                all &= found.is_valid();
                outcome.merge(found);
            }
            if !all {
                outcome.add(context, "number_all_of", "Must validate all the schemas (allOf)");
            }
        }
        if let Some(not) = node.not
            && self.fits(not, value, context)?.is_valid()
        {
            outcome.add(context, "number_not", "Must not validate the schema (not)");
        }
        if let Value::Object(object) = value {
            self.dependencies(node, object, context, outcome)?;
        }
        if let Some(condition) = node.condition {
            let holds = self.fits(condition, value, context)?.is_valid();
            let (then, kind, words) = if holds {
                (node.then, "condition_then", "Must validate \"then\" as \"if\" was valid")
            } else {
                (node.otherwise, "condition_else", "Must validate \"else\" as \"if\" was not valid")
            };
            if let Some(then) = then {
                let found = self.fits(then, value, context)?;
                if !found.is_valid() {
                    outcome.add(context, kind, words);
                    outcome.merge(found);
                }
            }
        }
        outcome.score += 1;
        Ok(())
    }

    /// How many parts a value fits, and what it lacks of the one that it fits best, if it fits none before.
    fn best(
        &mut self,
        places: &[Place],
        value: Value<'a>,
        context: &str,
        one_is_enough: bool,
    ) -> Checked<(usize, Option<Outcome>)> {
        let (mut valid, mut best): (usize, Option<Outcome>) = (0, None);
        for place in places {
            let found = self.fits(*place, value, context)?;
            if found.is_valid() {
                valid += 1;
                if one_is_enough {
                    break;
                }
            } else if valid == 0 && best.as_ref().is_none_or(|best| found.score > best.score) {
                best = Some(found);
            }
        }
        Ok((valid, best))
    }

    fn dependencies(
        &mut self,
        node: &'s Node<'a>,
        object: Object<'a>,
        context: &str,
        outcome: &mut Outcome,
    ) -> Checked<()> {
        for (name, dependency) in &node.dependencies {
            self.call.spend(1)?;
            if object.get(name).is_none() {
                continue;
            }
            match dependency {
                Dependency::Members(needed) => {
                    for needed in needed.iter().filter(|needed| object.get(needed).is_none()) {
                        let words = format!("Has a dependency on {needed}");
                        outcome.add(context, "missing_dependency", words);
                    }
                }
                Dependency::Fitting(place) => self.check(*place, Value::Object(object), context, outcome)?,
            }
        }
        Ok(())
    }

    fn common(
        &mut self,
        node: &'s Node<'a>,
        value: Value<'a>,
        context: &str,
        outcome: &mut Outcome,
    ) -> Checked<()> {
        if node.constant.is_some() || node.values.is_some() {
            let text = self.canonical(value)?;
            if let Some(constant) = &node.constant
                && *constant != text
            {
                outcome.add(context, "const", format!("{} does not match: {constant}", field(context)));
            }
            if let Some(values) = &node.values {
                self.call.spend(values.len() / 4)?;
                if !values.contains(&text) {
                    let allowed = values.join(", ");
                    let words = format!("{} must be one of the following: {allowed}", field(context));
                    outcome.add(context, "enum", words);
                }
            }
        }
        if let Value::String(text) = value
            && !node.format.is_empty()
        {
            self.call.spend(16 + text.len())?;
            if !has_format(self.call, node.format, text)? {
                outcome.add(context, "format", format!("Does not match format '{}'", node.format));
            }
        }
        outcome.score += 1;
        Ok(())
    }

    fn canonical(&mut self, value: Value<'a>) -> Checked<String> {
        let text =
            canonical(value).ok_or_else(|| BuiltinError::failed("a number is beyond floats of 64 bits"))?;
        self.call.spend(text.len() / 8)?;
        Ok(text)
    }

    fn array(
        &mut self,
        node: &'s Node<'a>,
        items: &'a [Value<'a>],
        context: &str,
        outcome: &mut Outcome,
    ) -> Checked<()> {
        let within = |at: usize| format!("{context}.{at}");
        if let Some(place) = node.every_item {
            for (at, item) in items.iter().enumerate() {
                let found = self.fits(place, *item, &within(at))?;
                outcome.merge(found);
            }
        } else if !node.items.is_empty() {
            for (at, (place, item)) in node.items.iter().zip(items).enumerate() {
                let found = self.fits(*place, *item, &within(at))?;
                outcome.merge(found);
            }
            if let Some(further) = items.get(node.items.len()..).filter(|further| !further.is_empty()) {
                match node.additional_items {
                    Additional::Any => {}
                    Additional::None => {
                        let words = "No additional items allowed on array";
                        outcome.add(context, "array_no_additional_items", words);
                    }
                    Additional::Fitting(place) => {
                        for (at, item) in further.iter().enumerate() {
                            let found = self.fits(place, *item, &within(node.items.len() + at))?;
                            outcome.merge(found);
                        }
                    }
                }
            }
        }
        let length = count(items.len());
        if let Some(least) = node.min_items.filter(|least| length < *least) {
            outcome.add(context, "array_min_items", format!("Array must have at least {least} items"));
        }
        if let Some(most) = node.max_items.filter(|most| length > *most) {
            outcome.add(context, "array_max_items", format!("Array must have at most {most} items"));
        }
        if node.unique_items {
            let mut seen: HashMap<String, usize> = HashMap::new();
            for (at, item) in items.iter().enumerate() {
                let text = self.canonical(*item)?;
                if let Some(before) = seen.insert(text, at) {
                    let words = format!("array items[{before},{at}] must be unique");
                    outcome.add(context, "unique", words);
                }
            }
        }
        if let Some(place) = node.contains {
            let (mut contained, mut best): (bool, Option<Outcome>) = (false, None);
            for (at, item) in items.iter().enumerate() {
                let found = self.fits(place, *item, &within(at))?;
                if found.is_valid() {
                    contained = true;
                    break;
                }
                if best.as_ref().is_none_or(|best| found.score > best.score) {
                    best = Some(found);
                }
            }
            if !contained {
                outcome.add(context, "contains", "At least one of the items must match");
                best.into_iter().for_each(|best| outcome.merge(best));
            }
        }
        outcome.score += 1;
        Ok(())
    }

    fn object(
        &mut self,
        node: &'s Node<'a>,
        object: Object<'a>,
        context: &str,
        outcome: &mut Outcome,
    ) -> Checked<()> {
        let length = count(object.len());
        if let Some(least) = node.min_properties.filter(|least| length < *least) {
            outcome.add(context, "array_min_properties", format!("Must have at least {least} properties"));
        }
        if let Some(most) = node.max_properties.filter(|most| length > *most) {
            outcome.add(context, "array_max_properties", format!("Must have at most {most} properties"));
        }
        for name in &node.required {
            self.call.spend(1)?;
            if object.get(name).is_some() {
                outcome.score += 1;
            } else {
                outcome.add(context, "required", format!("{name} is required"));
            }
        }
        for (name, value) in object.iter() {
            // Sorted, as the members are.
            let described = node.properties.binary_search_by(|(known, _)| (*known).cmp(name)).is_ok();
            let mut fits_pattern = false;
            for (pattern, place) in &node.pattern_properties {
                self.call.spend(2 + name.len() / 8)?;
                if pattern.regular.is_match(name) {
                    fits_pattern = true;
                    let found = self.fits(*place, value, &format!("{context}.{name}"))?;
                    outcome.merge(found);
                }
            }
            outcome.score += i64::from(fits_pattern);
            if described || fits_pattern {
                continue;
            }
            match node.additional_properties {
                Additional::Any => {}
                Additional::None => {
                    let words = format!("Additional property {name} is not allowed");
                    outcome.add(context, "additional_property_not_allowed", words);
                }
                Additional::Fitting(place) => {
                    let found = self.fits(place, value, &format!("{context}.{name}"))?;
                    outcome.merge(found);
                }
            }
        }
        if let Some(place) = node.property_names {
            for (name, _) in object.iter() {
                let found = self.fits(place, Value::String(name), context)?;
                if !found.is_valid() {
                    let words = format!("Property name of \"{name}\" does not match");
                    outcome.add(context, "invalid_property_name", words);
                    outcome.merge(found);
                }
            }
        }
        outcome.score += 1;
        Ok(())
    }

    fn string(
        &mut self,
        node: &'s Node<'a>,
        text: &str,
        context: &str,
        outcome: &mut Outcome,
    ) -> Checked<()> {
        if node.min_length.is_some() || node.max_length.is_some() {
            self.call.spend(text.len() / 16)?;
        }
        let length = || count(text.chars().count());
        if let Some(least) = node.min_length.filter(|least| length() < *least) {
            let words = format!("String length must be greater than or equal to {least}");
            outcome.add(context, "string_gte", words);
        }
        if let Some(most) = node.max_length.filter(|most| length() > *most) {
            let words = format!("String length must be less than or equal to {most}");
            outcome.add(context, "string_lte", words);
        }
        if let Some(pattern) = &node.pattern {
            self.call.spend(1 + text.len() / 8)?;
            if !pattern.regular.is_match(text) {
                outcome.add(context, "pattern", format!("Does not match pattern '{}'", pattern.text));
            }
        }
        outcome.score += 1;
        Ok(())
    }

    fn number(node: &'s Node<'a>, number: &Decimal, context: &str, outcome: &mut Outcome) {
        if let Some(multiple) = node.multiple_of.as_ref().filter(|multiple| !number.is_multiple_of(multiple))
        {
            outcome.add(context, "multiple_of", format!("Must be a multiple of {}", multiple.shown()));
        }
        let beyond = |limit: &Option<Decimal>, wrong: &[Ordering]| {
            limit
                .as_ref()
                .filter(|limit| wrong.contains(&number.compare(limit)))
                .map(|limit| limit.shown().to_owned())
        };
        let (less, equal, greater) = (Ordering::Less, Ordering::Equal, Ordering::Greater);
        if let Some(limit) = beyond(&node.maximum, &[greater]) {
            outcome.add(context, "number_lte", format!("Must be less than or equal to {limit}"));
        }
        if let Some(limit) = beyond(&node.exclusive_maximum, &[greater, equal]) {
            outcome.add(context, "number_lt", format!("Must be less than {limit}"));
        }
        if let Some(limit) = beyond(&node.minimum, &[less]) {
            outcome.add(context, "number_gte", format!("Must be greater than or equal to {limit}"));
        }
        if let Some(limit) = beyond(&node.exclusive_minimum, &[less, equal]) {
            outcome.add(context, "number_gt", format!("Must be greater than {limit}"));
        }
        outcome.score += 1;
    }
}
