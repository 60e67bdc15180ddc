//! Writing at a location: the way down, the tests on it, and what is created where something is missing.

use super::location::{Location, Step};
use crate::value::{Object, Value, from_serde};
use bumpalo::Bump;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What a step of the location must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub(crate) enum Condition {
    MustExist,
    MustNotExist,
}

/// What is done at the end of a location.
pub(crate) trait Setter<'a> {
    /// The new value of the member; `None`: nothing is done.
    fn member(&self, arena: &'a Bump, old: Option<Value<'a>>) -> Result<Option<Value<'a>>, String>;

    /// The value of an element of a list, where the location ends at one.
    fn element(&self, arena: &'a Bump) -> Result<Value<'a>, String>;
}

/// A location with the tests along it, by step.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) location: Location,
    pub(crate) tests: BTreeMap<usize, Condition>,
}

impl Route {
    fn may_exist(&self, depth: usize) -> bool {
        self.tests.get(&depth) != Some(&Condition::MustNotExist)
    }

    fn may_lack(&self, depth: usize) -> bool {
        self.tests.get(&depth) != Some(&Condition::MustExist)
    }

    /// The object after the setter; `None`: nothing is to be done.
    ///
    /// # Errors
    /// If something on the way is of another type.
    pub(crate) fn apply<'a>(
        &self,
        arena: &'a Bump,
        object: Value<'a>,
        setter: &impl Setter<'a>,
    ) -> Result<Option<Value<'a>>, String> {
        self.walk(arena, object, 0, setter)
    }

    fn walk<'a>(
        &self,
        arena: &'a Bump,
        here: Value<'a>,
        depth: usize,
        setter: &impl Setter<'a>,
    ) -> Result<Option<Value<'a>>, String> {
        let last = depth + 1 == self.location.steps.len();
        match self.location.steps.get(depth) {
            None => Ok(None),
            Some(Step::Member(name)) => {
                let object = here.as_object().ok_or_else(|| self.mismatch(depth, "an object", here))?;
                let old = object.get(name);
                if !(if old.is_some() { self.may_exist(depth) } else { self.may_lack(depth) }) {
                    return Ok(None);
                }
                let new = if last {
                    setter.member(arena, old)?
                } else {
                    let next = match old {
                        Some(next) => next,
                        None => self.missing(arena, depth)?,
                    };
                    self.walk(arena, next, depth + 1, setter)?
                };
                Ok(new.map(|value| Value::Object(object.with(&arena, arena.alloc_str(name), value))))
            }
            Some(Step::Element { key, value }) => {
                let items = here.as_array().ok_or_else(|| self.mismatch(depth, "a list", here))?;
                match value {
                    _ if last => self.set_element(arena, items, depth, setter),
                    None => self.walk_all(arena, items, depth, setter),
                    Some(wanted) => self.walk_keyed(arena, items, (key, wanted), depth, setter),
                }
            }
        }
    }

    fn walk_all<'a>(
        &self,
        arena: &'a Bump,
        items: &'a [Value<'a>],
        depth: usize,
        setter: &impl Setter<'a>,
    ) -> Result<Option<Value<'a>>, String> {
        if !self.may_exist(depth) {
            return Ok(None);
        }
        let mut items = items.to_vec();
        let mut any = false;
        for item in &mut items {
            if let Some(changed) = self.walk(arena, *item, depth + 1, setter)? {
                *item = changed;
                any = true;
            }
        }
        Ok(any.then(|| Value::Array(arena.alloc_slice_copy(&items))))
    }

    fn walk_keyed<'a>(
        &self,
        arena: &'a Bump,
        items: &'a [Value<'a>],
        (key, wanted): (&str, &Json),
        depth: usize,
        setter: &impl Setter<'a>,
    ) -> Result<Option<Value<'a>>, String> {
        let wanted = from_serde(&arena, wanted);
        let mut items = items.to_vec();
        let (mut any, mut found) = (false, false);
        for item in items.iter_mut().filter(|item| item.get(key) == Some(wanted)) {
            if !self.may_exist(depth) {
                return Ok(None);
            }
            found = true;
            if let Some(changed) = self.walk(arena, *item, depth + 1, setter)? {
                *item = changed;
                any = true;
            }
        }
        if !found {
            if !self.may_lack(depth) {
                return Ok(None);
            }
            let created = self.missing(arena, depth)?;
            if let Some(changed) = self.walk(arena, created, depth + 1, setter)? {
                items.push(changed);
                any = true;
            }
        }
        Ok(any.then(|| Value::Array(arena.alloc_slice_copy(&items))))
    }

    /// The location ends at an element: it is replaced, or added.
    fn set_element<'a>(
        &self,
        arena: &'a Bump,
        items: &'a [Value<'a>],
        depth: usize,
        setter: &impl Setter<'a>,
    ) -> Result<Option<Value<'a>>, String> {
        let Some(Step::Element { key, value: Some(wanted) }) = self.location.steps.get(depth) else {
            return Err("the last step cannot be `*`".into());
        };
        let element = setter.element(arena)?;
        let wanted = from_serde(&arena, wanted);
        let mut items = items.to_vec();
        let position = items.iter().position(|item| item.get(key) == Some(wanted));
        match position.and_then(|at| items.get_mut(at)) {
            Some(_) if element.get(key) != Some(wanted) => {
                return Err(format!("the value must keep the element's `{key}`"));
            }
            Some(_) if !self.may_exist(depth) => return Ok(None),
            Some(slot) => *slot = element,
            None if !self.may_lack(depth) => return Ok(None),
            None => items.push(element),
        }
        Ok(Some(Value::Array(arena.alloc_slice_copy(&items))))
    }

    /// What is created where a step finds nothing: an object, or a list, as the next step wants it.
    fn missing<'a>(&self, arena: &'a Bump, depth: usize) -> Result<Value<'a>, String> {
        let next_is_list = matches!(self.location.steps.get(depth + 1), Some(Step::Element { .. }));
        match self.location.steps.get(depth) {
            Some(Step::Element { key, value: Some(value) }) if !next_is_list => {
                let members = vec![(&*arena.alloc_str(key), from_serde(&arena, value))];
                Ok(Value::Object(Object::new(&arena, members)))
            }
            Some(Step::Element { .. }) => Err("an element of a list cannot be a list".into()),
            _ if next_is_list => Ok(Value::Array(&[])),
            _ => Ok(Value::EMPTY),
        }
    }

    fn mismatch(&self, depth: usize, wanted: &str, found: Value<'_>) -> String {
        let path: Vec<String> = self
            .location
            .steps
            .iter()
            .take(depth)
            .map(|step| match step {
                Step::Member(name) => format!(".{name}"),
                Step::Element { key, value } => {
                    let value = value.as_ref().map_or_else(|| "*".to_owned(), ToString::to_string);
                    format!("[{key}: {value}]")
                }
            })
            .collect();
        let path = path.concat();
        format!("`{}` is a {}, not {wanted}", path.trim_start_matches('.'), found.type_name())
    }
}
