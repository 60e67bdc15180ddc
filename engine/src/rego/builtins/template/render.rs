//! Templates to text.

use super::functions;
use super::item::Item;
use super::parser::{Branches, Constant, MAIN, Node, Pipeline, Templates, Term};
use super::{MAX_NESTING, failed, too_deep};
use crate::rego::builtins::{BuiltinError, Call};
use crate::value::Value;

/// The text of the main template.
///
/// # Errors
/// What cannot be done, and when a limit is reached.
pub(super) fn render<'a>(
    call: &mut Call<'a, '_>,
    templates: &Templates,
    data: Value<'a>,
) -> Result<String, BuiltinError> {
    let mut state = State { call, templates, out: String::new(), variables: Vec::new(), depth: 0 };
    state.template(MAIN, Item::Data(data))?;
    Ok(state.out)
}

/// What becomes of the loop around a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

pub(super) struct State<'t, 'a, 'l, 'c> {
    pub(super) call: &'l mut Call<'a, 'c>,
    templates: &'t Templates,
    out: String,
    variables: Vec<(&'t str, Item<'a>)>,
    depth: usize,
}

type Done<T> = Result<T, BuiltinError>;

impl<'t, 'a> State<'t, 'a, '_, '_> {
    fn template(&mut self, name: &str, dot: Item<'a>) -> Done<()> {
        let templates = self.templates;
        let Some(nodes) = templates.get(name) else {
            return failed(format!("template {name:?} not defined"));
        };
        let variables = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        self.list(nodes, &dot)?;
        self.variables = variables;
        Ok(())
    }

    fn list(&mut self, nodes: &'t [Node], dot: &Item<'a>) -> Done<Flow> {
        if self.depth >= MAX_NESTING {
            return Err(too_deep());
        }
        self.depth += 1;
        let mut flow = Flow::On;
        for node in nodes {
            flow = self.node(node, dot)?;
            if flow != Flow::On {
                break;
            }
        }
        self.depth -= 1;
        Ok(flow)
    }

    fn write(&mut self, text: &str) -> Done<()> {
        self.call.spend(1 + text.len() / 64)?;
        self.call.claim(self.out.len().saturating_add(text.len()).saturating_mul(2))?;
        self.out.push_str(text);
        Ok(())
    }

    fn node(&mut self, node: &'t Node, dot: &Item<'a>) -> Done<Flow> {
        self.call.spend(2)?;
        match node {
            Node::Text(text) => self.write(text)?,
            Node::Action(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    let mut text = String::new();
                    match value {
                        Item::Nothing => text.push_str("<no value>"),
                        value => value.write(&mut text),
                    }
                    self.write(&text)?;
                }
            }
            Node::If(branches) | Node::With(branches) => {
                let kept = self.variables.len();
                let value = self.pipeline(&branches.pipeline, dot)?;
                let flow = match (value.is_true(), &branches.otherwise) {
                    (true, _) if matches!(node, Node::With(_)) => self.list(&branches.then, &value)?,
                    (true, _) => self.list(&branches.then, dot)?,
                    (false, Some(otherwise)) => self.list(otherwise, dot)?,
                    (false, None) => Flow::On,
                };
                self.variables.truncate(kept);
                return Ok(flow);
            }
            Node::Range(branches) => return self.range(branches, dot),
            Node::Template(name, pipeline) => {
                let value = match pipeline {
                    Some(pipeline) => self.pipeline(pipeline, dot)?,
                    None => Item::Nothing,
                };
                self.template(name, value)?;
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn range(&mut self, branches: &'t Branches, dot: &Item<'a>) -> Done<Flow> {
        let kept = self.variables.len();
        let over = self.pipeline(&branches.pipeline, dot)?;
        let mut ran = false;
        match &over {
            Item::Int(most) => {
                if branches.pipeline.variables.len() > 1 {
                    return failed(format!("can't use {most} to iterate over more than one variable"));
                }
                for at in 0..*most {
                    ran = true;
                    if self.turn(branches, Item::Nothing, Item::Int(at))? {
                        break;
                    }
                }
            }
            Item::Data(Value::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    ran = true;
                    let index = Item::Int(i64::try_from(at).unwrap_or(i64::MAX));
                    if self.turn(branches, index, Item::Data(*item))? {
                        break;
                    }
                }
            }
            Item::Data(Value::Object(object)) => {
                for (key, value) in object.iter() {
                    ran = true;
                    if self.turn(branches, Item::Data(Value::String(key)), Item::Data(value))? {
                        break;
                    }
                }
            }
            Item::Nothing => {}
            other => return failed(format!("range can't iterate over a {}", other.kind())),
        }
        let mut flow = Flow::On;
        if let (false, Some(otherwise)) = (ran, &branches.otherwise) {
            flow = self.list(otherwise, dot)?;
        }
        self.variables.truncate(kept);
        Ok(flow)
    }

    /// One turn of a loop; whether it is the last.
    fn turn(&mut self, branches: &'t Branches, index: Item<'a>, item: Item<'a>) -> Done<bool> {
        self.call.spend(2)?;
        let kept = self.variables.len();
        let declared = &branches.pipeline.variables;
        let values = match declared.len() {
            0 => Vec::new(),
            1 => vec![item.clone()],
            _ => vec![index, item.clone()],
        };
        if branches.pipeline.assigns {
            for (name, value) in declared.iter().zip(values) {
                self.assign(name, value)?;
            }
        } else {
            let first = kept - declared.len().min(kept);
            for (slot, value) in self.variables.iter_mut().skip(first).zip(values) {
                slot.1 = value;
            }
        }
        let flow = self.list(&branches.then, &item)?;
        self.variables.truncate(kept);
        Ok(flow == Flow::Break)
    }

    fn assign(&mut self, name: &str, value: Item<'a>) -> Done<()> {
        match self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            Some(slot) => {
                slot.1 = value;
                Ok(())
            }
            None => failed(format!("undefined variable: {name}")),
        }
    }

    fn pipeline(&mut self, pipeline: &'t Pipeline, dot: &Item<'a>) -> Done<Item<'a>> {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, dot, value)?.settled());
        }
        let value = value.unwrap_or(Item::Nothing);
        for name in &pipeline.variables {
            if pipeline.assigns {
                self.assign(name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }

    /// A command, given what the one before it gave.
    fn command(&mut self, terms: &'t [Term], dot: &Item<'a>, last: Option<Item<'a>>) -> Done<Item<'a>> {
        self.call.spend(1)?;
        let Some((first, operands)) = terms.split_first() else { return Ok(Item::Nothing) };
        if let Term::Function(name) = first {
            return functions::call(self, name, operands, dot, last);
        }
        if !operands.is_empty() || last.is_some() {
            return failed("can't give argument to non-function");
        }
        if let Term::Nil = first {
            return failed("nil is not a command");
        }
        self.term(first, dot)
    }

    /// What an operand gives.
    pub(super) fn term(&mut self, term: &'t Term, dot: &Item<'a>) -> Done<Item<'a>> {
        match term {
            Term::Dot => Ok(dot.clone()),
            Term::Nil => Ok(Item::Nothing),
            Term::Bool(value) => Ok(Item::Bool(*value)),
            Term::Number(Constant::Int(value)) => Ok(Item::Int(*value)),
            Term::Number(Constant::Float(value)) => Ok(Item::Float(*value)),
            Term::Text(text) => Ok(Item::Text(text.clone())),
            Term::Field(names) => fields(dot.clone(), names),
            Term::Variable(names) => {
                let Some((name, rest)) = names.split_first() else { return Ok(Item::Nothing) };
                match self.variables.iter().rev().find(|(known, _)| known == name) {
                    Some((_, value)) => fields(value.clone(), rest),
                    None => failed(format!("undefined variable: {name}")),
                }
            }
            Term::Function(name) => functions::call(self, name, &[], dot, None),
            Term::Pipeline(pipeline) => self.pipeline(pipeline, dot),
            Term::Chain(inner, names) => {
                let value = self.term(inner, dot)?;
                fields(value, names)
            }
        }
    }
}

/// The field of a field of a value.
fn fields<'a>(value: Item<'a>, names: &[String]) -> Done<Item<'a>> {
    let mut value = value;
    for name in names {
        value = match value {
            Item::Nothing => Item::Nothing,
            Item::Data(Value::Object(object)) => object.get(name).map_or(Item::Nothing, Item::Data),
            Item::Data(Value::Null) => {
                return failed(format!("nil pointer evaluating interface {{}}.{name}"));
            }
            other => return failed(format!("can't evaluate field {name} in type {}", other.kind())),
        };
    }
    Ok(value)
}
