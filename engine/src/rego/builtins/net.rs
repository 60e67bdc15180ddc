//! `net.cidr_*`: addresses and networks as Go's `net` package reads and writes them.

use super::{Body, Builtin, BuiltinError, Call, Limit, Outcome, Type, deprecated, function, operand};
use crate::value::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const TWO: &[Type] = &[Type::String, Type::String];
const NAMED: Type = Type::OneOf(&[Type::String, Type::ARRAY]);
const NETWORKS: Type = Type::OneOf(&[
    Type::String,
    Type::Array(&[], Some(&NAMED)),
    Type::Object(&[], Some((&Type::String, &NAMED))),
    Type::Set(&NAMED),
]);
const PAIRS: Type = Type::Set(&Type::Array(&[Type::Any, Type::Any], None));
const STRING_SET: Type = Type::Set(&Type::String);
const SOME_STRINGS: Type = Type::OneOf(&[Type::STRINGS, STRING_SET]);

pub(super) const TABLE: &[Builtin] = &[
    function("net.cidr_contains", TWO, Type::Boolean, contains),
    deprecated("net.cidr_overlap", TWO, Type::Boolean, contains),
    function("net.cidr_contains_matches", &[NETWORKS, NETWORKS], PAIRS, contains_matches),
    function("net.cidr_intersects", TWO, Type::Boolean, intersects),
    function("net.cidr_expand", &[Type::String], STRING_SET, expand),
    function("net.cidr_merge", &[SOME_STRINGS], STRING_SET, merge),
    function("net.cidr_is_valid", &[Type::String], Type::Boolean, is_valid),
    Builtin {
        body: Body::Refused("policies may not look names up: an admission decision must not depend on DNS"),
        nondeterministic: true,
        ..function("net.lookup_ip_addr", &[Type::String], STRING_SET, |_, _| Ok(None))
    },
];

/// A network: its first address and the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    first: IpAddr,
    prefix: u8,
}

/// An address as Go reads one: no zones, IPv4 without leading zeros.
fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok()
}

/// IPv4 written as IPv6 is IPv4, as in Go.
fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(four) => (u128::from(four.to_bits()), 32),
        IpAddr::V6(six) => (six.to_bits(), 128),
    }
}

fn from_bits(bits: u128, width: u8) -> IpAddr {
    match u32::try_from(bits) {
        Ok(four) if width == 32 => IpAddr::V4(Ipv4Addr::from_bits(four)),
        _ => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}

/// The bits that a prefix leaves free, all set.
fn free(prefix: u8, width: u8) -> u128 {
    1_u128.checked_shl(u32::from(width - prefix)).map_or(u128::MAX, |one| one - 1)
}

impl Network {
    fn parse(text: &str) -> Result<Self, BuiltinError> {
        let invalid = || BuiltinError::failed(format!("invalid CIDR address: {text}"));
        let (ip, prefix) = text.split_once('/').ok_or_else(invalid)?;
        let ip = address(ip).ok_or_else(invalid)?;
        let digits = !prefix.is_empty() && prefix.bytes().all(|digit| digit.is_ascii_digit());
        let prefix: u8 = prefix.parse().ok().filter(|_| digits).ok_or_else(invalid)?;
        let (value, width) = bits(ip);
        if prefix > width {
            return Err(invalid());
        }
        Ok(Self { first: from_bits(value & !free(prefix, width), width), prefix })
    }

    fn last(&self) -> IpAddr {
        let (first, width) = bits(self.first);
        from_bits(first | free(self.prefix, width), width)
    }

    /// Whether an address is in the network. What is written as IPv6 but is IPv4 counts as IPv4, on both sides.
    fn contains(&self, address: IpAddr) -> bool {
        let (address, width) = bits(unmapped(address));
        let (mut first, own_width) = bits(self.first);
        let mut mask = !free(self.prefix, own_width);
        let mut own_width = own_width;
        if let (IpAddr::V6(_), IpAddr::V4(four)) = (self.first, unmapped(self.first)) {
            // Go then compares the last four bytes under the last four bytes of the mask.
            (first, own_width, mask) = (u128::from(four.to_bits()), 32, mask & u128::from(u32::MAX));
        }
        width == own_width && address & mask == first & mask
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", unmapped(self.first), self.prefix)
    }
}

/// A network in an operand; OPA calls every operand the first here.
fn network(value: Value<'_>) -> Result<Network, BuiltinError> {
    match value {
        Value::String(text) => Network::parse(text),
        other => Err(BuiltinError::expected(1, &["string"], other)),
    }
}

fn is_contained(outer: Value<'_>, inner: Value<'_>) -> Result<bool, BuiltinError> {
    let outer = network(outer)?;
    let Value::String(text) = inner else { return Err(BuiltinError::expected(1, &["string"], inner)) };
    if let Some(address) = address(text) {
        return Ok(outer.contains(address));
    }
    let inner = Network::parse(text).map_err(|_| {
        BuiltinError::failed(format!("not a valid textual representation of an IP address or CIDR: {text}"))
    })?;
    if let (IpAddr::V6(_), IpAddr::V6(_)) = (unmapped(outer.first), unmapped(inner.first)) {
        // Both are IPv6 and stay so, also where their last address would be written as IPv4.
        let (first, width) = bits(inner.first);
        let masked = first & !free(outer.prefix, width);
        return Ok(outer.prefix <= inner.prefix && masked == bits(outer.first).0);
    }
    Ok(outer.contains(inner.first) && outer.contains(inner.last()))
}

fn contains<'a>(_: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    is_contained(operand::at(arguments, 1), operand::at(arguments, 2))
        .map(|contained| Some(Value::Bool(contained)))
}

fn intersects<'a>(_: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (left, right) = (network(operand::at(arguments, 1))?, network(operand::at(arguments, 2))?);
    Ok(Some(Value::Bool(left.contains(right.first) || right.contains(left.first))))
}

/// The networks of an operand, each with what it is known by.
fn named<'a>(arguments: &[Value<'a>], position: usize) -> Result<Vec<(Value<'a>, Value<'a>)>, BuiltinError> {
    let cidr = |value: Value<'a>| match value {
        Value::String(_) => Ok(value),
        Value::Array([first, ..]) => Ok(*first),
        _ => Err(BuiltinError::failed(format!(
            "operand {position}: element must be string or non-empty array"
        ))),
    };
    match operand::at(arguments, position) {
        text @ Value::String(_) => Ok(vec![(text, text)]),
        Value::Array(items) => {
            let index = |at: usize| Value::int(i64::try_from(at).unwrap_or(i64::MAX));
            items.iter().enumerate().map(|(at, item)| Ok((cidr(*item)?, index(at)))).collect()
        }
        Value::Set(set) => set.iter().map(|item| Ok((cidr(item)?, item))).collect(),
        other => other.entries().into_iter().flatten().map(|(key, value)| Ok((cidr(value)?, key))).collect(),
    }
}

fn contains_matches<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let outer = named(arguments, 1)?;
    if outer.is_empty() {
        return Ok(Some(Value::EMPTY_SET));
    }
    let inner = named(arguments, 2)?;
    let mut pairs = Vec::new();
    for (network, known_by) in &outer {
        for (contained, other_known_by) in &inner {
            call.spend(4)?;
            if is_contained(*network, *contained)? {
                pairs.push(call.array(&[*known_by, *other_known_by]));
            }
        }
    }
    Ok(Some(call.set(pairs)))
}

fn expand<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let network = Network::parse(operand::string(arguments, 1)?)?;
    let ((first, width), (last, _)) = (bits(network.first), bits(network.last()));
    let count = usize::try_from(last - first).ok().and_then(|count| count.checked_add(1));
    let count = count.ok_or(BuiltinError::Limit(Limit::Memory))?;
    call.spend(count.saturating_mul(4))?;
    call.claim(count.saturating_mul(64))?;
    let mut items = Vec::with_capacity(count);
    for value in first..=last {
        items.push(call.text(&unmapped(from_bits(value, width)).to_string()));
    }
    Ok(Some(call.set(items)))
}

fn is_valid<'a>(_: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let valid = operand::at(arguments, 1).as_str().is_some_and(|text| Network::parse(text).is_ok());
    Ok(Some(Value::Bool(valid)))
}

/// An item of `net.cidr_merge`: a network, or an IPv4 address in the class that it had before 1993.
fn mergeable(item: Value<'_>) -> Result<Network, BuiltinError> {
    let Value::String(text) = item else { return Err(BuiltinError::failed("element must be string")) };
    match address(text).map(unmapped) {
        None => Network::parse(text),
        Some(IpAddr::V6(_)) => Err(BuiltinError::failed("IPv6 invalid: needs prefix length")),
        Some(ip @ IpAddr::V4(four)) => {
            let [first, ..] = four.octets();
            let prefix = match first {
                0..0x80 => 8,
                0x80..0xc0 => 16,
                _ => 24,
            };
            Ok(Network { first: ip, prefix })
        }
    }
}

fn merge<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let items = match operand::at(arguments, 1) {
        Value::Array(items) => items,
        Value::Set(set) => set.items(),
        _ => return Err(BuiltinError::failed("operand must be an array")),
    };
    call.spend(items.len() * 4)?;
    // Both families in one: an IPv4 address stands where it does as IPv6.
    let mut ranges = Vec::with_capacity(items.len());
    for item in items {
        let network = mergeable(*item)?;
        let (first, width) = bits(network.first);
        let free = free(network.prefix, width);
        let first = first & !free;
        let first = if width == 32 { first | MAPPED } else { first };
        ranges.push((first, first | free, Some(network)));
    }
    ranges.sort_by_key(|(first, last, _)| (*last, *first));
    let mut at = ranges.len();
    while at > 1 {
        at -= 1;
        let (Some(&(first, last, _)), Some(&(before_first, before_last, _))) =
            (ranges.get(at), ranges.get(at - 1))
        else {
            break;
        };
        let before = if first == MAPPED { first } else { first.saturating_sub(1) };
        if before <= before_last {
            if let Some(joined) = ranges.get_mut(at - 1) {
                *joined = (first.min(before_first), last, None);
            }
            ranges.remove(at);
        }
    }
    let mut merged = Vec::new();
    for (first, last, whole) in ranges {
        match whole {
            Some(network) => merged.push(network),
            None => merged.extend(covering(first, last)),
        }
    }
    let texts: Vec<_> = merged.iter().map(|network| call.text(&network.to_string())).collect();
    Ok(Some(call.set(texts)))
}

/// Where IPv4 begins among IPv6 addresses.
const MAPPED: u128 = 0xffff << 32;

/// The fewest networks that make up a range of addresses as IPv6.
fn covering(first: u128, last: u128) -> Vec<Network> {
    let mut networks = Vec::new();
    let mut next = Some(first);
    while let Some(start) = next.filter(|start| *start <= last) {
        // The largest network that begins here and does not go beyond the end.
        let fits = |prefix: &u8| {
            let free = free(*prefix, 128);
            start & free == 0 && start.checked_add(free).is_some_and(|end| end <= last)
        };
        let prefix = (0..=128).find(fits).unwrap_or(128);
        let address = from_bits(start, 128);
        networks.push(match unmapped(address) {
            four @ IpAddr::V4(_) if prefix >= 96 => Network { first: four, prefix: prefix - 96 },
            _ => Network { first: address, prefix },
        });
        next = start.checked_add(free(prefix, 128)).and_then(|end| end.checked_add(1));
    }
    networks
}
