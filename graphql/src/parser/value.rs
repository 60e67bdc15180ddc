//! Values, arguments, directives, types.

use super::{Parsed, Parser};
use crate::lexer::Kind;
use crate::tree::{Argument, ChildValue, Directive, InputValue, Type, ValueKind};

impl Parser<'_, '_> {
    pub(super) fn variable(&mut self) -> Parsed<String> {
        self.expect(Kind::Dollar)?;
        self.name()
    }

    pub(super) fn arguments(&mut self, constant: bool) -> Parsed<Vec<Argument>> {
        let argument = |parser: &mut Self| {
            let (position, comment) = (parser.position(), parser.comment());
            let name = parser.name()?;
            parser.expect(Kind::Colon)?;
            Ok(Argument { name, value: parser.value(constant)?, comment, position })
        };
        Ok(self.some(Kind::ParenLeft, Kind::ParenRight, argument)?.0)
    }

    /// `= value`, if it is there.
    pub(super) fn default_value(&mut self) -> Parsed<Option<InputValue>> {
        if self.skip(Kind::Equals) { self.value(true).map(Some) } else { Ok(None) }
    }

    /// A value; if it is constant, without variables.
    pub(super) fn value(&mut self, constant: bool) -> Parsed<InputValue> {
        let token = self.peek();
        let position = Some(token.position);
        let kind = match (token.kind, token.value.as_str()) {
            (Kind::BracketLeft, _) => return self.nested(|parser| parser.list(constant)),
            (Kind::BraceLeft, _) => return self.nested(|parser| parser.object(constant)),
            (Kind::Dollar, _) if !constant => {
                let raw = self.variable()?;
                return Ok(InputValue { raw, position, ..InputValue::default() });
            }
            (Kind::Int, _) => ValueKind::Int,
            (Kind::Float, _) => ValueKind::Float,
            (Kind::String, _) => ValueKind::String,
            (Kind::BlockString, _) => ValueKind::Block,
            (Kind::Name, "true" | "false") => ValueKind::Boolean,
            (Kind::Name, "null") => ValueKind::Null,
            (Kind::Name, _) => ValueKind::Enum,
            _ => return self.unexpected(),
        };
        Ok(InputValue { raw: self.take().value, kind, position, ..InputValue::default() })
    }

    fn list(&mut self, constant: bool) -> Parsed<InputValue> {
        let (position, comment) = (self.position(), self.comment());
        self.take();
        let mut children = Vec::new();
        while self.kind() != Kind::BracketRight {
            children.push(ChildValue { value: self.value(constant)?, ..ChildValue::default() });
        }
        self.take();
        Ok(InputValue { children, kind: ValueKind::List, position, comment, ..InputValue::default() })
    }

    fn object(&mut self, constant: bool) -> Parsed<InputValue> {
        let (position, comment) = (self.position(), self.comment());
        self.take();
        let mut children = Vec::new();
        while self.kind() != Kind::BraceRight {
            let (position, comment) = (self.position(), self.comment());
            let name = self.name()?;
            self.expect(Kind::Colon)?;
            children.push(ChildValue { name, value: self.value(constant)?, comment, position });
        }
        self.take();
        Ok(InputValue { children, kind: ValueKind::Object, position, comment, ..InputValue::default() })
    }

    pub(super) fn directives(&mut self, constant: bool) -> Parsed<Vec<Directive>> {
        let mut directives = Vec::new();
        while self.skip(Kind::At) {
            let position = self.position();
            let (name, arguments) = (self.name()?, self.arguments(constant)?);
            directives.push(Directive { name, arguments, location: String::new(), position });
        }
        Ok(directives)
    }

    pub(super) fn type_reference(&mut self) -> Parsed<Type> {
        let mut found = if self.skip(Kind::BracketLeft) {
            let position = self.position();
            let inner = self.nested(Self::type_reference)?;
            self.expect(Kind::BracketRight)?;
            Type { elem: Some(Box::new(inner)), position, ..Type::default() }
        } else {
            let position = self.position();
            Type { named_type: self.name()?, position, ..Type::default() }
        };
        found.non_null = self.skip(Kind::Bang);
        Ok(found)
    }
}
