//! Operations, fragments, selections.

use super::{Parsed, Parser};
use crate::lexer::Kind;
use crate::tree::{
    Field, Fragment, FragmentSpread, InlineFragment, Operation, OperationType, QueryDocument, Selection,
    VariableDefinition,
};

impl Parser<'_, '_> {
    pub(super) fn query_document(&mut self) -> Parsed<QueryDocument> {
        let mut document = QueryDocument::default();
        loop {
            let token = self.peek();
            match (token.kind, token.value.as_str()) {
                (Kind::End, _) => return Ok(document),
                (Kind::BraceLeft, _) | (Kind::Name, "query" | "mutation" | "subscription") => {
                    document.operations.push(self.operation()?);
                }
                (Kind::Name, "fragment") => document.fragments.push(self.fragment()?),
                _ => return self.unexpected(),
            }
        }
    }

    fn operation(&mut self) -> Parsed<Operation> {
        let position = self.position();
        if self.kind() == Kind::BraceLeft {
            let operation = OperationType::Query;
            // What stands before it is lost, as gqlparser loses it.
            return Ok(Operation {
                operation,
                position,
                selection_set: self.selections()?,
                ..Operation::default()
            });
        }
        let comment = self.comment();
        let operation = self.operation_type()?;
        let name = if self.kind() == Kind::Name { self.take().value } else { String::new() };
        Ok(Operation {
            operation,
            name,
            variable_definitions: self.variables()?,
            directives: self.directives(false)?,
            selection_set: self.selections()?,
            comment,
            position,
        })
    }

    pub(super) fn operation_type(&mut self) -> Parsed<OperationType> {
        let token = self.take();
        match OperationType::named(&token.value) {
            Some(operation) => Ok(operation),
            None => self.unexpected_token(&token),
        }
    }

    fn variables(&mut self) -> Parsed<Vec<VariableDefinition>> {
        Ok(self.some(Kind::ParenLeft, Kind::ParenRight, Self::variable_definition)?.0)
    }

    fn variable_definition(&mut self) -> Parsed<VariableDefinition> {
        let (position, comment) = (self.position(), self.comment());
        let variable = self.variable()?;
        self.expect(Kind::Colon)?;
        Ok(VariableDefinition {
            variable,
            of: self.type_reference()?,
            default_value: self.default_value()?,
            directives: self.directives(false)?,
            comment,
            used: false,
            position,
        })
    }

    /// What is selected; something must be.
    fn selections(&mut self) -> Parsed<Vec<Selection>> {
        let found = self.kind();
        if found != Kind::BraceLeft {
            return self.fail(format!("Expected {}, found {found}", Kind::BraceLeft));
        }
        self.nested(|parser| Ok(parser.some(Kind::BraceLeft, Kind::BraceRight, Self::selection)?.0))
    }

    fn selection(&mut self) -> Parsed<Selection> {
        if self.kind() == Kind::Spread { self.fragment_use() } else { self.field().map(Selection::Field) }
    }

    fn field(&mut self) -> Parsed<Field> {
        let (position, comment) = (self.position(), self.comment());
        let alias = self.name()?;
        let name = if self.skip(Kind::Colon) { self.name()? } else { alias.clone() };
        Ok(Field {
            alias,
            name,
            arguments: self.arguments(false)?,
            directives: self.directives(false)?,
            selection_set: if self.kind() == Kind::BraceLeft { self.selections()? } else { Vec::new() },
            comment,
            position,
        })
    }

    fn fragment_use(&mut self) -> Parsed<Selection> {
        let comment = self.comment();
        self.expect(Kind::Spread)?;
        let position = self.position();
        if self.kind() == Kind::Name && !self.is_word("on") {
            let (name, directives) = (self.name()?, self.directives(false)?);
            return Ok(Selection::Spread(FragmentSpread { name, directives, comment, position }));
        }
        let type_condition = if self.is_word("on") {
            self.take();
            self.name()?
        } else {
            String::new()
        };
        Ok(Selection::Inline(InlineFragment {
            type_condition,
            directives: self.directives(false)?,
            selection_set: self.selections()?,
            comment,
            position,
        }))
    }

    fn fragment(&mut self) -> Parsed<Fragment> {
        let (position, comment) = (self.position(), self.comment());
        self.keyword("fragment")?;
        if self.is_word("on") {
            return self.unexpected();
        }
        let name = self.name()?;
        let variable_definitions = self.variables()?;
        self.keyword("on")?;
        Ok(Fragment {
            name,
            variable_definitions,
            type_condition: self.name()?,
            directives: self.directives(false)?,
            selection_set: self.selections()?,
            comment,
            position,
        })
    }
}
