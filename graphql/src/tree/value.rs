//! What both kinds of documents share: values, types, directives, comments.

use crate::problem::Position;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One comment, with its `#`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Comment {
    /// From `#` to the end of the line.
    pub value: String,
}

/// Comments that stand together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CommentGroup {
    /// In their order.
    pub list: Vec<Comment>,
}

impl CommentGroup {
    /// Whether a group is left out of JSON.
    #[expect(clippy::ref_option, reason = "what serde hands over")]
    pub(super) fn is_empty(group: &Option<CommentGroup>) -> bool {
        group.as_ref().is_none_or(|group| group.list.is_empty())
    }
}

/// The kinds of values, in the order of gqlparser's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum ValueKind {
    /// `$name`
    #[default]
    Variable,
    /// `1`
    Int,
    /// `1.5`
    Float,
    /// `"text"`
    String,
    /// `"""text"""`
    Block,
    /// `true`, `false`
    Boolean,
    /// `null`
    Null,
    /// Any other name.
    Enum,
    /// `[…]`
    List,
    /// `{…}`
    Object,
}

const KINDS: [ValueKind; 10] = [
    ValueKind::Variable,
    ValueKind::Int,
    ValueKind::Float,
    ValueKind::String,
    ValueKind::Block,
    ValueKind::Boolean,
    ValueKind::Null,
    ValueKind::Enum,
    ValueKind::List,
    ValueKind::Object,
];

impl From<ValueKind> for u8 {
    fn from(kind: ValueKind) -> Self {
        KINDS.iter().position(|known| *known == kind).and_then(|at| u8::try_from(at).ok()).unwrap_or_default()
    }
}

impl TryFrom<u8> for ValueKind {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        KINDS.get(usize::from(number)).copied().ok_or_else(|| format!("there is no kind of values {number}"))
    }
}

/// A value, as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct InputValue {
    /// A scalar's text; a variable's name.
    pub raw: String,
    /// The items of a list, the members of an object.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<ChildValue>,
    /// What it is.
    pub kind: ValueKind,
    /// Before a list or an object.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub comment: Option<CommentGroup>,
    /// Always false in what was parsed.
    pub expected_type_has_default: bool,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

impl InputValue {
    /// The member of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&InputValue> {
        self.children.iter().find(|child| child.name == name).map(|child| &child.value)
    }

    /// The value as a document would have it, strings as `quote` quotes them.
    pub(crate) fn write(&self, out: &mut String, quote: &dyn Fn(&str) -> String) {
        match self.kind {
            ValueKind::Variable => {
                out.push('$');
                out.push_str(&self.raw);
            }
            ValueKind::String | ValueKind::Block => out.push_str(&quote(&self.raw)),
            ValueKind::List => {
                out.push('[');
                for (at, child) in self.children.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    child.value.write(out, quote);
                }
                out.push(']');
            }
            ValueKind::Object => {
                out.push('{');
                for (at, child) in self.children.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    out.push_str(&child.name);
                    out.push(':');
                    child.value.write(out, quote);
                }
                out.push('}');
            }
            _ => out.push_str(&self.raw),
        }
    }
}

/// An item of a list (without a name) or a member of an object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ChildValue {
    /// A member's name.
    pub name: String,
    /// The value.
    pub value: InputValue,
    /// Before a member.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub comment: Option<CommentGroup>,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

/// The type of a field, argument or variable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Type {
    /// Its name, unless it is a list.
    pub named_type: String,
    /// What it is a list of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elem: Option<Box<Type>>,
    /// Whether it has a `!`.
    pub non_null: bool,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

impl Type {
    /// The name of the innermost type.
    pub(crate) fn name(&self) -> &str {
        let mut this = self;
        while let (true, Some(inner)) = (this.named_type.is_empty(), &this.elem) {
            this = inner;
        }
        &this.named_type
    }

    /// Whether what has this type may stand where `other` is expected.
    pub(crate) fn is_compatible(&self, other: &Type) -> bool {
        self.is_compatible_nullable(other, other.non_null)
    }

    /// As [`Type::is_compatible`], where the expected type's own `!` is told apart from it.
    pub(crate) fn is_compatible_nullable(&self, other: &Type, non_null: bool) -> bool {
        let inner = match (&self.elem, &other.elem) {
            (Some(_), None) => false,
            (Some(this), Some(other)) => this.is_compatible(other),
            (None, _) => true,
        };
        self.named_type == other.named_type && inner && (!non_null || self.non_null)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.elem {
            Some(inner) if self.named_type.is_empty() => write!(out, "[{inner}]")?,
            _ => out.write_str(&self.named_type)?,
        }
        if self.non_null { out.write_str("!") } else { Ok(()) }
    }
}

/// An argument of a field or a directive.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: InputValue,
    /// Before it.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub comment: Option<CommentGroup>,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

/// A directive where it is used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Directive {
    /// Its name, without the `@`.
    pub name: String,
    /// Its arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<Argument>,
    /// Always empty in what was parsed.
    pub location: String,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

impl Directive {
    /// The argument of that name.
    pub(crate) fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }
}
