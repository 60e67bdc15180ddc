//! The layout of the one Secret that all replicas share, as plain data.
//!
//! | key | holds |
//! |---|---|
//! | `ca.crt`, `ca.key` | the active authority: the only one that signs |
//! | `next-ca.crt`, `next-ca.key` | the authority to come: trusted, but not signing until its bundle has been seen |
//! | `next-ca-published-at` | since when every caBundle has held the next one |
//! | `previous-ca.crt` | authorities that signed before, still trusted; without keys, they sign nothing any more |
//! | `previous-ca-since` | when they stopped signing |
//! | `rotate-now` | anything: a person asks for the next authority before it is due; taken out once it is made |
//!
//! Times are RFC 3339. Keys that are not in this table are left alone. Reading is lenient where nothing is lost: a
//! broken next or previous part is dropped, only a broken active part makes the Secret unusable.

use crate::authority::{Authority, AuthorityError};
use crate::bundle::CaBundle;
use crate::certificate::Certificate;
use crate::moment::{read, written};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// A Secret's `data`, after base64.
pub type SecretData = BTreeMap<String, Vec<u8>>;

pub(crate) const CA_CERTIFICATE: &str = "ca.crt";
pub(crate) const CA_KEY: &str = "ca.key";
pub(crate) const NEXT_CERTIFICATE: &str = "next-ca.crt";
pub(crate) const NEXT_KEY: &str = "next-ca.key";
pub(crate) const NEXT_PUBLISHED_AT: &str = "next-ca-published-at";
pub(crate) const PREVIOUS_CERTIFICATES: &str = "previous-ca.crt";
pub(crate) const PREVIOUS_SINCE: &str = "previous-ca-since";
pub(crate) const ROTATE_NOW: &str = "rotate-now";
const OURS: [&str; 7] = [
    CA_CERTIFICATE,
    CA_KEY,
    NEXT_CERTIFICATE,
    NEXT_KEY,
    NEXT_PUBLISHED_AT,
    PREVIOUS_CERTIFICATES,
    PREVIOUS_SINCE,
];

/// Why a Secret holds no authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing is in it: as the chart creates it.
    #[error("the Secret has no data yet")]
    Empty,
    /// It holds other things and nothing of ours: another's certificate must never be overwritten.
    #[error("the Secret holds `{}` and none of our keys; it belongs to something else, name another one", keys.join("`, `"))]
    Foreign {
        /// The keys that it holds.
        keys: Vec<String>,
    },
    /// The active part is incomplete.
    #[error("the Secret has no `{key}`")]
    Missing {
        /// The key that is not there.
        key: &'static str,
    },
    /// The active part cannot be read or used.
    #[error("`ca.crt` and `ca.key` of the Secret cannot be used: {0}")]
    Authority(#[from] AuthorityError),
}

/// An authority that is being published.
#[derive(Debug)]
pub struct NextAuthority {
    /// The authority; it must not sign yet.
    pub authority: Authority,
    /// Since when every caBundle has held it; `None` until that has been seen.
    pub published_at: Option<SystemTime>,
}

/// What the Secret says.
#[derive(Debug, Default)]
pub struct AuthoritySecret {
    /// The one that signs. `None` only while a lost authority is being replaced: see
    /// [`Step::Create`](crate::Step::Create).
    pub active: Option<Authority>,
    /// The one to come.
    pub next: Option<NextAuthority>,
    /// Those that signed before.
    pub previous: CaBundle,
    /// When they stopped; `None` if there are none, or if it is not written down.
    pub previous_since: Option<SystemTime>,
    /// A person asks for the next one before it is due.
    pub rotate_now: bool,
}

impl AuthoritySecret {
    /// Reads the Secret's data. An authority that has expired is read like any other.
    ///
    /// # Errors
    /// When it is empty, another's, or its active part is missing or unusable.
    pub fn from_data(data: &SecretData) -> Result<Self, SecretError> {
        if data.is_empty() {
            return Err(SecretError::Empty);
        }
        if !OURS.iter().any(|key| data.contains_key(*key)) {
            let keys = data.keys().map(|key| key.escape_debug().to_string()).collect();
            return Err(SecretError::Foreign { keys });
        }
        let next = authority(data, NEXT_CERTIFICATE, NEXT_KEY)
            .ok()
            .map(|authority| NextAuthority { authority, published_at: time(data, NEXT_PUBLISHED_AT) });
        let active = match authority(data, CA_CERTIFICATE, CA_KEY) {
            Ok(active) => Some(active),
            // Being replaced in order: there is a next one and, deliberately, nothing in the active place.
            Err(SecretError::Missing { .. })
                if next.is_some() && !data.contains_key(CA_CERTIFICATE) && !data.contains_key(CA_KEY) =>
            {
                None
            }
            Err(error) => return Err(error),
        };
        let previous = data
            .get(PREVIOUS_CERTIFICATES)
            .and_then(|text| CaBundle::from_pem(text).ok())
            .unwrap_or_default();
        let previous_since = if previous.is_empty() { None } else { time(data, PREVIOUS_SINCE) };
        let rotate_now = data.contains_key(ROTATE_NOW);
        Ok(Self { active, next, previous, previous_since, rotate_now })
    }

    /// The Secret's data for this state. What `current` holds beside our keys stays.
    pub fn to_data(&self, current: Option<&SecretData>) -> SecretData {
        let mut data = current.cloned().unwrap_or_default();
        data.retain(|key, _| !OURS.contains(&key.as_str()) && (self.rotate_now || key != ROTATE_NOW));
        let mut put = |key: &str, text: String| data.insert(key.to_owned(), text.into_bytes());
        if let Some(active) = &self.active {
            put(CA_CERTIFICATE, active.certificate().to_pem());
            put(CA_KEY, active.key().expose().to_owned());
        }
        if let Some(next) = &self.next {
            put(NEXT_CERTIFICATE, next.authority.certificate().to_pem());
            put(NEXT_KEY, next.authority.key().expose().to_owned());
            if let Some(at) = next.published_at {
                put(NEXT_PUBLISHED_AT, written(at));
            }
        }
        if !self.previous.is_empty() {
            put(PREVIOUS_CERTIFICATES, self.previous.to_pem());
            if let Some(since) = self.previous_since {
                put(PREVIOUS_SINCE, written(since));
            }
        }
        data
    }

    /// What every caBundle must hold: next, active and previous. The expired too, until they are dropped in order: a
    /// leader whose clock is wrong must not be able to withdraw trust in a leaf that is being served.
    pub fn bundle(&self) -> CaBundle {
        let next = self.next.iter().map(|next| next.authority.certificate());
        next.chain(self.active.iter().map(Authority::certificate))
            .fold(CaBundle::default(), CaBundle::with)
            .and(&self.previous)
    }

    /// The CA certificates that can still be read in a Secret, however broken the rest is: leaves that they signed
    /// may be in service.
    pub(crate) fn salvage(data: &SecretData) -> CaBundle {
        [CA_CERTIFICATE, PREVIOUS_CERTIFICATES]
            .iter()
            .filter_map(|key| Certificate::all_from_pem(data.get(*key)?).ok())
            .flatten()
            .filter(Certificate::is_ca)
            .fold(CaBundle::default(), |bundle, certificate| bundle.with(&certificate))
    }
}

fn authority(
    data: &SecretData,
    certificate: &'static str,
    key: &'static str,
) -> Result<Authority, SecretError> {
    let part = |key| data.get(key).ok_or(SecretError::Missing { key });
    Ok(Authority::parse(part(certificate)?, part(key)?)?)
}

fn time(data: &SecretData, key: &str) -> Option<SystemTime> {
    data.get(key).and_then(|text| read(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{assert_holds_nothing_of, now};

    fn authority() -> Authority {
        Authority::generate(now()).unwrap()
    }

    #[test]
    fn a_full_secret_is_read_back_as_it_was_written() {
        let state = AuthoritySecret {
            active: Some(authority()),
            next: Some(NextAuthority { authority: authority(), published_at: Some(now()) }),
            previous: CaBundle::default().with(authority().certificate()).with(authority().certificate()),
            previous_since: Some(now()),
            rotate_now: false,
        };
        let note = SecretData::from([("note".to_owned(), b"keep me".to_vec())]);
        let data = state.to_data(Some(&note));
        assert_eq!(data.len(), OURS.len() + 1);
        assert_eq!(data["note"], b"keep me");
        assert_eq!(data[NEXT_PUBLISHED_AT], b"2026-10-26T07:33:20Z");
        let read = AuthoritySecret::from_data(&data).unwrap();
        assert_eq!(read.to_data(Some(&note)), data);
        assert_eq!(read.bundle().certificates().len(), 4);
        for key in [CA_KEY, NEXT_KEY] {
            assert_holds_nothing_of(std::str::from_utf8(&data[key]).unwrap(), &format!("{read:?}"));
        }
        // A state with less leaves nothing behind of what was there before.
        let less = AuthoritySecret { active: Some(authority()), ..AuthoritySecret::default() };
        let keys: Vec<_> = less.to_data(Some(&data)).into_keys().collect();
        assert_eq!(keys, [CA_CERTIFICATE, CA_KEY, "note"]);
    }

    #[test]
    fn empty_foreign_and_broken_secrets_are_told_apart() {
        let refusal = |data: &SecretData| AuthoritySecret::from_data(data).unwrap_err();
        assert_eq!(refusal(&SecretData::new()), SecretError::Empty);
        let foreign = SecretData::from([("tls.crt".to_owned(), vec![]), ("tls.key".to_owned(), vec![])]);
        assert_eq!(
            refusal(&foreign).to_string(),
            "the Secret holds `tls.crt`, `tls.key` and none of our keys; it belongs to something else, \
             name another one"
        );
        let whole = AuthoritySecret { active: Some(authority()), ..AuthoritySecret::default() }.to_data(None);
        let mut data = whole.clone();
        data.remove(CA_KEY);
        assert_eq!(refusal(&data), SecretError::Missing { key: CA_KEY });
        let mut data = whole.clone();
        data.insert(CA_KEY.to_owned(), authority().key().expose().as_bytes().to_vec());
        assert!(matches!(refusal(&data), SecretError::Authority(AuthorityError::KeyMismatch { .. })));
        let mut data = whole;
        data.insert(CA_CERTIFICATE.to_owned(), vec![b'x'; 65_537]);
        assert_eq!(
            refusal(&data).to_string(),
            "`ca.crt` and `ca.key` of the Secret cannot be used: the CA certificate cannot be read: \
             the PEM text has 65537 bytes; at most 65536 are read"
        );
    }

    #[test]
    fn broken_next_and_previous_parts_do_not_take_the_active_one_down() {
        let mut data =
            AuthoritySecret { active: Some(authority()), ..AuthoritySecret::default() }.to_data(None);
        for key in [NEXT_CERTIFICATE, NEXT_KEY, NEXT_PUBLISHED_AT, PREVIOUS_CERTIFICATES, PREVIOUS_SINCE] {
            data.insert(key.to_owned(), b"\xffnonsense".to_vec());
        }
        let read = AuthoritySecret::from_data(&data).unwrap();
        assert!(read.active.is_some() && read.next.is_none());
        assert!(read.previous.is_empty() && read.previous_since.is_none());
    }

    #[test]
    fn certificates_are_salvaged_from_a_secret_that_lost_its_key() {
        let (old, lost) = (authority(), authority());
        let mut data = AuthoritySecret {
            active: Some(authority()),
            previous: CaBundle::default().with(old.certificate()),
            ..AuthoritySecret::default()
        }
        .to_data(None);
        data.insert(CA_CERTIFICATE.to_owned(), lost.certificate().to_pem().into_bytes());
        data.remove(CA_KEY);
        let expected = CaBundle::default().with(lost.certificate()).with(old.certificate());
        assert_eq!(AuthoritySecret::salvage(&data), expected);
        data.insert(CA_CERTIFICATE.to_owned(), b"nonsense".to_vec());
        assert_eq!(AuthoritySecret::salvage(&data), CaBundle::default().with(old.certificate()));
    }
}
