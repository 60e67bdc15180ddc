//! Code for terms: the expression that gives the value of one.

use super::Compiler;
use super::body::Generator;
use super::code::{Code, Comparison, Prepared, Step, Tool, X};
use crate::rego::builtins::{self, Builtin};
use crate::rego::front::form::{Body, Callee, DATA, INPUT, Kind, Term, Var};
use crate::rego::text::Format;
use crate::value::{Arena, Value};

impl<'p> Generator<'_, '_, 'p> {
    /// The value of a term whose variables are bound; iterates where a reference has operands that are not.
    pub(super) fn x(&mut self, term: &Term<'p>) -> X<'p> {
        match &term.kind {
            Kind::Scalar(value) => X::Constant(*value),
            Kind::Var(var) => self.variable(*var),
            Kind::Ref(parts) => self.reference(parts),
            Kind::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| self.x(item)).collect();
                match constants(&items) {
                    Some(values) => X::Constant(Value::Array(self.compiler.arena.array(&values))),
                    None => X::Array(items.into()),
                }
            }
            Kind::Set(items) => {
                let items: Vec<_> = items.iter().map(|item| self.x(item)).collect();
                match constants(&items) {
                    Some(values) => X::Constant(Value::set(self.compiler.arena, values)),
                    None => X::Set(items.into()),
                }
            }
            Kind::Object(pairs) => {
                let pairs: Vec<_> = pairs.iter().map(|(key, value)| (self.x(key), self.x(value))).collect();
                let literals: Option<Vec<_>> = pairs
                    .iter()
                    .map(|(key, value)| Some((key.as_constant()?, value.as_constant()?)))
                    .collect();
                match literals {
                    Some(pairs) => X::Constant(Value::object(self.compiler.arena, pairs)),
                    None => X::Object(pairs.into()),
                }
            }
            Kind::ArrayOf(of) => X::ArrayOf(Box::new(self.comprehension(&of.1, |it| {
                let x = it.x(&of.0);
                it.push(Step::Emit(x));
            }))),
            Kind::SetOf(of) => X::SetOf(Box::new(self.comprehension(&of.1, |it| {
                let x = it.x(&of.0);
                it.push(Step::Emit(x));
            }))),
            Kind::ObjectOf(of) => X::ObjectOf(Box::new(self.comprehension(&of.2, |it| {
                let key = it.x(&of.0);
                let value = it.x(&of.1);
                it.push(Step::EmitPair(key, value));
            }))),
            Kind::Call(callee, args) => self.call(callee, args),
            Kind::Template(_) => X::Undefined,
        }
    }

    pub(super) fn comprehension(&mut self, body: &Body<'p>, emit: impl FnOnce(&mut Self)) -> Code<'p> {
        self.closure(|it| {
            it.body(body);
            emit(it);
        })
    }

    pub(super) fn variable(&mut self, var: Var) -> X<'p> {
        match var {
            INPUT => return X::Input,
            DATA => return X::Node(0),
            _ => {}
        }
        if let Some(value) = self.constants.get(&var) {
            return X::Constant(*value);
        }
        if let Some(at) = self.pending.iter().position(|(pending, ..)| *pending == var) {
            return self.pending.remove(at).1;
        }
        X::Slot(self.slot(var))
    }

    pub(super) fn call(&mut self, callee: &Callee<'p>, args: &[Term<'p>]) -> X<'p> {
        let args: Vec<X<'p>> = args.iter().map(|arg| self.x(arg)).collect();
        if let Some(builtin) = callee.name().and_then(builtins::find) {
            return self.builtin(builtin, args);
        }
        match self.compiler.function(callee) {
            Some((id, true)) => X::Call(id, args.into()),
            Some((id, false)) => X::Rule(id),
            None => X::Undefined,
        }
    }

    pub(super) fn builtin(&mut self, builtin: &'static Builtin, args: Vec<X<'p>>) -> X<'p> {
        if self.compiler.is_mocked(builtin) {
            return X::Builtin(builtin, args.into());
        }
        if let Some(value) = self.compiler.fold(builtin, &args) {
            return X::Constant(value);
        }
        let mut args = args;
        if args.len() == 2 {
            let comparison = Comparison::named(builtin.name);
            let member = builtin.name == "internal.member_2";
            if (comparison.is_some() || member)
                && let (Some(right), Some(left)) = (args.pop(), args.pop())
            {
                let sides = Box::new((left, right));
                return match comparison {
                    Some(comparison) => X::Compare(comparison, sides),
                    None => X::Member(sides),
                };
            }
            if matches!(builtin.name, "regex.match" | "re_match")
                && let Some(X::Constant(Value::String(pattern))) = args.first()
                && let Some(regex) = Compiler::regex(pattern)
            {
                let tool = Tool::Regex(regex);
                return X::Prepared(Box::new(Prepared { builtin, tool, args: args.into() }));
            }
            // What is made of texts that are not shown is watched where builtins are called.
            if builtin.name == "sprintf"
                && !self.compiler.traced
                && let Some(X::Constant(Value::String(format))) = args.first()
            {
                let tool = Tool::Format(Format::new(format));
                return X::Prepared(Box::new(Prepared { builtin, tool, args: args.into() }));
            }
        }
        X::Builtin(builtin, args.into())
    }
}

fn constants<'p>(items: &[X<'p>]) -> Option<Vec<Value<'p>>> {
    items.iter().map(X::as_constant).collect()
}
