//! The decimal text of a binary float: the fewest digits that read back as the same float.

use num_bigint::BigUint;

/// Decimal digits and where the point stands: `0.d₁d₂d₃… · 10^point`; no trailing zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digits {
    digits: Vec<u8>,
    point: i64,
}

/// The fewest digits within half a unit of the last bit of `mantissa · 2^exponent`, nearest to it where there is
/// a choice. The mantissa has its top bit (of 64 or 53) set, or is 0.
///
/// The bounds are taken symmetrically also at powers of two, and digit positions are compared from each
/// number's own first digit, as Go's `big.Float` does: its answers are the ones that count.
pub(super) fn shortest(mantissa: u64, exponent: i64) -> Digits {
    if mantissa == 0 {
        return Digits { digits: Vec::new(), point: 0 };
    }
    let doubled = u128::from(mantissa) << 1;
    let exact = |mantissa: u128| Digits::exact(&BigUint::from(mantissa), exponent - 1);
    let (lower, value, upper) = (exact(doubled - 1), exact(doubled), exact(doubled + 1));
    let inclusive = mantissa.is_multiple_of(2);
    for (at, digit) in value.digits.iter().copied().enumerate() {
        let (low, high) = (lower.at(at), upper.at(at));
        let down = low != digit || (inclusive && at + 1 == lower.digits.len());
        let up = digit != high && (inclusive || digit + 1 < high || at + 1 < upper.digits.len());
        let length = at + 1;
        match (down, up) {
            (true, true) => return value.rounded(length),
            (true, false) => return value.rounded_down(length),
            (false, true) => return value.rounded_up(length),
            (false, false) => {}
        }
    }
    value
}

impl Digits {
    /// All digits of `mantissa · 2^exponent`.
    fn exact(mantissa: &BigUint, exponent: i64) -> Self {
        let zeros = mantissa.trailing_zeros().unwrap_or(0);
        let mantissa = mantissa >> zeros;
        let exponent = exponent.saturating_add_unsigned(zeros);
        let (integer, behind) = match u32::try_from(exponent.unsigned_abs()) {
            Ok(places) if exponent < 0 => (mantissa * BigUint::from(5_u8).pow(places), i64::from(places)),
            _ => (mantissa << exponent.unsigned_abs(), 0),
        };
        let mut digits = integer.to_string().into_bytes();
        let point = i64::try_from(digits.len()).unwrap_or(i64::MAX) - behind;
        trim(&mut digits);
        Self { digits, point }
    }

    fn at(&self, position: usize) -> u8 {
        self.digits.get(position).copied().unwrap_or(b'0')
    }

    /// To `length` digits, to nearest; exactly half-way to even.
    fn rounded(self, length: usize) -> Self {
        let next = self.at(length);
        let up = if next == b'5' && length + 1 == self.digits.len() {
            length > 0 && self.at(length - 1) % 2 == 1
        } else {
            next >= b'5'
        };
        if up { self.rounded_up(length) } else { self.rounded_down(length) }
    }

    fn rounded_down(mut self, length: usize) -> Self {
        self.digits.truncate(length);
        trim(&mut self.digits);
        self
    }

    fn rounded_up(mut self, length: usize) -> Self {
        if length >= self.digits.len() {
            return self;
        }
        self.digits.truncate(length);
        while let Some(last) = self.digits.pop() {
            if last < b'9' {
                self.digits.push(last + 1);
                return self;
            }
        }
        Self { digits: vec![b'1'], point: self.point + 1 }
    }

    /// Without exponent, padded with zeros to the point.
    pub(super) fn plain(&self) -> String {
        let mut text = String::with_capacity(self.digits.len() + 8);
        if self.point <= 0 {
            text.push('0');
        }
        let mut position = 0;
        while position < self.point {
            text.push(char::from(usize::try_from(position).map_or(b'0', |position| self.at(position))));
            position += 1;
        }
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        if length > self.point {
            text.push('.');
            for position in self.point..length {
                text.push(char::from(usize::try_from(position).map_or(b'0', |position| self.at(position))));
            }
        }
        text
    }

    /// With an exponent if the number is below 10^-4 or not below 10^6 (more digits before the point do not
    /// count), as Go's `g`.
    pub(super) fn general(&self) -> String {
        let exponent = self.point - 1;
        if (-4..6).contains(&exponent) {
            return self.plain();
        }
        let mut text = String::with_capacity(self.digits.len() + 6);
        text.push(char::from(self.at(0)));
        if self.digits.len() > 1 {
            text.push('.');
            text.extend(self.digits.iter().skip(1).copied().map(char::from));
        }
        text.push_str(if exponent < 0 { "e-" } else { "e+" });
        text.push_str(&format!("{:02}", exponent.unsigned_abs()));
        text
    }
}

fn trim(digits: &mut Vec<u8>) {
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
}
