//! `semver.*`: versions as semver.org orders them, a leading `v` allowed.

use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::rego::text::quote::write_quoted;
use crate::value::Value;
use std::cmp::Ordering;

pub(super) const TABLE: &[Builtin] = &[
    function("semver.compare", &[Type::String, Type::String], Type::Number, compare),
    function("semver.is_valid", &[Type::Any], Type::Boolean, is_valid),
];

struct Version<'t> {
    numbers: [i64; 3],
    pre_release: &'t str,
}

impl<'t> Version<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = match text.split_once('+') {
            Some((rest, metadata)) if is_identifiers(metadata) => rest,
            Some(_) => return None,
            None => text,
        };
        let (text, pre_release) = match text.split_once('-') {
            Some((rest, pre_release)) if is_identifiers(pre_release) && no_leading_zeros(pre_release) => {
                (rest, pre_release)
            }
            Some(_) => return None,
            None => (text, ""),
        };
        let mut parts = text.split('.');
        let mut next = || number(parts.next()?);
        let numbers = [next()?, next()?, next()?];
        parts.next().is_none().then_some(Self { numbers, pre_release })
    }

    fn compare(&self, other: &Self) -> Ordering {
        let pre_releases = || match (self.pre_release, other.pre_release) {
            (left, right) if left == right => Ordering::Equal,
            // A version comes after its own pre-releases.
            ("", _) => Ordering::Greater,
            (_, "") => Ordering::Less,
            (left, right) => {
                let (mut left, mut right) = (left.split('.'), right.split('.'));
                loop {
                    match (left.next(), right.next()) {
                        (None, None) => return Ordering::Equal,
                        (None, _) => return Ordering::Less,
                        (_, None) => return Ordering::Greater,
                        (Some(left), Some(right)) => {
                            let order = compare_identifiers(left, right);
                            if order.is_ne() {
                                return order;
                            }
                        }
                    }
                }
            }
        };
        self.numbers.cmp(&other.numbers).then_with(pre_releases)
    }
}

fn is_numeric(text: &str) -> bool {
    text.bytes().all(|digit| digit.is_ascii_digit())
}

fn number(text: &str) -> Option<i64> {
    let leading_zero = text.len() > 1 && text.starts_with('0');
    (!text.is_empty() && !leading_zero && is_numeric(text)).then(|| text.parse().ok())?
}

fn is_identifiers(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    text.split('.').all(|identifier| !identifier.is_empty() && identifier.bytes().all(allowed))
}

fn no_leading_zeros(text: &str) -> bool {
    text.split('.')
        .all(|identifier| !(identifier.len() > 1 && identifier.starts_with('0') && is_numeric(identifier)))
}

fn compare_identifiers(left: &str, right: &str) -> Ordering {
    match (is_numeric(left), is_numeric(right)) {
        // Numbers beyond 64 bits count as the largest there is.
        (true, true) => {
            let value = |text: &str| text.parse::<i64>().unwrap_or(i64::MAX);
            value(left).cmp(&value(right))
        }
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => left.cmp(right),
    }
}

fn compare<'a>(_: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (left, right) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    let version = |position: usize, text: &'a str| {
        Version::parse(text).ok_or_else(|| {
            let mut quoted = String::new();
            write_quoted(&mut quoted, text, false);
            BuiltinError::failed(format!("operand {position}: string {quoted} is not a valid SemVer"))
        })
    };
    let order = version(1, left)?.compare(&version(2, right)?);
    Ok(Some(Value::int(i64::from(order as i8))))
}

fn is_valid<'a>(_: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let valid = operand::at(arguments, 1).as_str().is_some_and(|text| Version::parse(text).is_some());
    Ok(Some(Value::Bool(valid)))
}
