//! Documents that ask: operations, fragments, selections.

use super::json::selections;
use super::value::{Argument, CommentGroup, Directive, InputValue, Type};
use crate::problem::Position;
use serde::{Deserialize, Serialize};

/// A document of operations and fragments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct QueryDocument {
    /// What is asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Operation>,
    /// What is used in several places.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fragments: Vec<Fragment>,
    /// Never in what was parsed.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub comment: Option<CommentGroup>,
}

impl QueryDocument {
    /// The first fragment of that name.
    pub(crate) fn fragment(&self, name: &str) -> Option<&Fragment> {
        self.fragments.iter().find(|fragment| fragment.name == name)
    }
}

/// What an operation does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationType {
    /// Not said: a query.
    #[default]
    #[serde(rename = "")]
    Unsaid,
    /// Reads.
    Query,
    /// Writes.
    Mutation,
    /// Waits for events.
    Subscription,
}

impl OperationType {
    /// Its keyword.
    pub(crate) fn keyword(self) -> &'static str {
        match self {
            Self::Unsaid => "",
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }

    /// What a keyword stands for.
    pub(crate) fn named(keyword: &str) -> Option<Self> {
        [Self::Query, Self::Mutation, Self::Subscription].into_iter().find(|known| known.keyword() == keyword)
    }
}

/// One operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Operation {
    /// What it does.
    pub operation: OperationType,
    /// Its name, if it has one.
    pub name: String,
    /// Its variables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variable_definitions: Vec<VariableDefinition>,
    /// Its directives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<Directive>,
    /// What it asks for.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "selections")]
    pub selection_set: Vec<Selection>,
    /// Before it.
    #[serde(skip_serializing_if = "CommentGroup::is_empty", skip_deserializing)]
    pub comment: Option<CommentGroup>,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

impl Operation {
    /// The variable of that name.
    pub(crate) fn variable(&self, name: &str) -> Option<&VariableDefinition> {
        self.variable_definitions.iter().find(|variable| variable.variable == name)
    }
}

/// A variable of an operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VariableDefinition {
    /// Its name, without the `$`.
    pub variable: String,
    /// Its type.
    #[serde(rename = "Type")]
    pub of: Type,
    /// What it is if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_value: Option<InputValue>,
    /// Its directives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<Directive>,
    /// Before it.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub comment: Option<CommentGroup>,
    /// Always false in what was parsed.
    pub used: bool,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

/// What is asked of an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Selection {
    /// A field.
    Field(Field),
    /// A fragment by its name.
    Spread(FragmentSpread),
    /// A fragment in its place.
    Inline(InlineFragment),
}

/// A field that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Field {
    /// The name of its answer: its own unless another is given.
    pub alias: String,
    /// Its name.
    pub name: String,
    /// Its arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<Argument>,
    /// Its directives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<Directive>,
    /// What is asked of it.
    #[serde(skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub selection_set: Vec<Selection>,
    /// Before it.
    #[serde(skip_serializing_if = "CommentGroup::is_empty", skip_deserializing)]
    pub comment: Option<CommentGroup>,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

impl Field {
    /// The name of its answer.
    pub(crate) fn response_name(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }
}

/// `...name`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FragmentSpread {
    /// The fragment's name.
    pub name: String,
    /// Its directives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<Directive>,
    /// Before it.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub comment: Option<CommentGroup>,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

/// `... on Type {…}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct InlineFragment {
    /// The type that it is for; empty: any.
    pub type_condition: String,
    /// Its directives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<Directive>,
    /// What is asked.
    #[serde(skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub selection_set: Vec<Selection>,
    /// Before it.
    #[serde(skip_serializing_if = "CommentGroup::is_empty", skip_deserializing)]
    pub comment: Option<CommentGroup>,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

/// A fragment with a name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Fragment {
    /// Its name.
    pub name: String,
    /// Its variables, an experiment of the specification's.
    #[serde(rename = "VariableDefinition", skip_serializing_if = "Vec::is_empty")]
    pub variable_definitions: Vec<VariableDefinition>,
    /// The type that it is for.
    pub type_condition: String,
    /// Its directives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<Directive>,
    /// What is asked.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "selections")]
    pub selection_set: Vec<Selection>,
    /// Before it.
    #[serde(skip_serializing_if = "CommentGroup::is_empty", skip_deserializing)]
    pub comment: Option<CommentGroup>,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}
