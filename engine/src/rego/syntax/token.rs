//! The words of Rego.

use super::tree::Span;

/// What a token is. Whether the later keywords (`in`, `if` …) are keywords depends on the imports before them, which
/// the parser decides; the lexer reports all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tok {
    /// Not a token; the lexer has said so.
    Illegal,
    Eof,
    Ident,
    Package,
    Import,
    As,
    Default,
    Else,
    Not,
    Some,
    With,
    Null,
    True,
    False,
    In,
    Every,
    Contains,
    If,
    LogicalAnd,
    LogicalOr,
    Number,
    String,
    RawString,
    /// `$"…{` or `}…{`
    TemplatePart,
    /// `$"…"` or `}…"`
    TemplateEnd,
    RawTemplatePart,
    RawTemplateEnd,
    LeftBracket,
    RightBracket,
    LeftBrace,
    RightBrace,
    LeftParen,
    RightParen,
    Comma,
    Colon,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Ampersand,
    Pipe,
    Unify,
    Equal,
    Assign,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Dot,
    Semicolon,
}

impl Tok {
    /// The keyword that a word may be.
    pub(super) fn keyword(word: &str) -> Option<Tok> {
        Some(match word {
            "package" => Tok::Package,
            "import" => Tok::Import,
            "as" => Tok::As,
            "default" => Tok::Default,
            "else" => Tok::Else,
            "not" => Tok::Not,
            "some" => Tok::Some,
            "with" => Tok::With,
            "null" => Tok::Null,
            "true" => Tok::True,
            "false" => Tok::False,
            "in" => Tok::In,
            "every" => Tok::Every,
            "contains" => Tok::Contains,
            "if" => Tok::If,
            "and" => Tok::LogicalAnd,
            "or" => Tok::LogicalOr,
            _ => return None,
        })
    }

    /// Whether it is a keyword where it stands, asked of what the parser decided.
    pub(super) fn is_keyword(self) -> bool {
        use Tok::{
            As, Contains, Default, Else, Every, False, If, Import, In, LogicalAnd, LogicalOr, Not, Null,
            Package, Some, True, With,
        };
        matches!(
            self,
            Package
                | Import
                | As
                | Default
                | Else
                | Not
                | Some
                | With
                | Null
                | True
                | False
                | In
                | Every
                | Contains
                | If
                | LogicalAnd
                | LogicalOr
        )
    }

    /// How an error names it.
    pub(super) fn shown(self) -> &'static str {
        match self {
            Tok::Illegal => "illegal character",
            Tok::Eof => "end of file",
            Tok::Ident => "identifier",
            Tok::Package => "`package` keyword",
            Tok::Import => "`import` keyword",
            Tok::As => "`as` keyword",
            Tok::Default => "`default` keyword",
            Tok::Else => "`else` keyword",
            Tok::Not => "`not` keyword",
            Tok::Some => "`some` keyword",
            Tok::With => "`with` keyword",
            Tok::Null => "`null`",
            Tok::True => "`true`",
            Tok::False => "`false`",
            Tok::In => "`in` keyword",
            Tok::Every => "`every` keyword",
            Tok::Contains => "`contains` keyword",
            Tok::If => "`if` keyword",
            Tok::LogicalAnd => "`and` keyword",
            Tok::LogicalOr => "`or` keyword",
            Tok::Number => "number",
            Tok::String | Tok::RawString => "string",
            Tok::TemplatePart | Tok::TemplateEnd | Tok::RawTemplatePart | Tok::RawTemplateEnd => {
                "template string"
            }
            Tok::LeftBracket => "`[`",
            Tok::RightBracket => "`]`",
            Tok::LeftBrace => "`{`",
            Tok::RightBrace => "`}`",
            Tok::LeftParen => "`(`",
            Tok::RightParen => "`)`",
            Tok::Comma => "`,`",
            Tok::Colon => "`:`",
            Tok::Plus => "`+`",
            Tok::Minus => "`-`",
            Tok::Star => "`*`",
            Tok::Slash => "`/`",
            Tok::Percent => "`%`",
            Tok::Ampersand => "`&`",
            Tok::Pipe => "`|`",
            Tok::Unify => "`=`",
            Tok::Equal => "`==`",
            Tok::Assign => "`:=`",
            Tok::NotEqual => "`!=`",
            Tok::Greater => "`>`",
            Tok::Less => "`<`",
            Tok::GreaterOrEqual => "`>=`",
            Tok::LessOrEqual => "`<=`",
            Tok::Dot => "`.`",
            Tok::Semicolon => "`;`",
        }
    }
}

/// A token with its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) tok: Tok,
    pub(super) span: Span,
    /// The line ended between the token before and this one.
    pub(super) after_newline: bool,
}
