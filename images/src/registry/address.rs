//! Which addresses are dialled. A reference, a redirect or a token's realm is somebody else's text; none of them may
//! make the gate talk to the cloud's metadata service or to itself.

use super::{Problem, RegistryError};
use hyper_util::client::legacy::connect::dns::Name;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use tower::Service;

/// What an address is, if it is one that is never dialled.
fn refused(address: IpAddr, loopback: bool) -> Option<&'static str> {
    match embedded(address) {
        IpAddr::V4(v4) => refused_v4(v4, loopback),
        IpAddr::V6(v6) => refused_v6(v6, loopback),
    }
}

/// The IPv4 address within an IPv6 one: mapped (RFC 4291 §2.5.5.2), or translated (RFC 6052 §2.1, RFC 3056 §2).
fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return v4.into();
    }
    let from = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => from(high, low),
        [0x2002, high, low, ..] => from(high, low),
        _ => address,
    }
}

fn refused_v4(address: Ipv4Addr, loopback: bool) -> Option<&'static str> {
    match address.octets() {
        [169, 254, ..] => Some("link-local"),
        [0, ..] => Some("unspecified"),
        [255, 255, 255, 255] => Some("a broadcast address"),
        _ if address.is_multicast() => Some("a multicast address"),
        _ if address.is_loopback() && !loopback => Some("this machine itself"),
        _ => None,
    }
}

fn refused_v6(address: Ipv6Addr, loopback: bool) -> Option<&'static str> {
    match address.segments() {
        [0xfe80..=0xfebf, ..] => Some("link-local"),
        // The metadata service of AWS over IPv6.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => Some("a metadata service"),
        _ if address.is_unspecified() => Some("unspecified"),
        _ if address.is_multicast() => Some("a multicast address"),
        _ if address.is_loopback() && !loopback => Some("this machine itself"),
        _ => None,
    }
}

/// Whether a host says itself that it is this machine; only then may it be.
pub(super) fn names_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Checks a host that is an address; names are checked by [`Resolver`] when they are looked up, so that what was
/// checked is what is dialled.
///
/// # Errors
/// [`Problem::Address`].
pub(super) fn check(registry: &str, host: &str, loopback: bool) -> Result<(), RegistryError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => match refused(address, loopback) {
            Some(kind) => {
                Err(RegistryError::new(registry, Problem::Address { address: bare.to_owned(), kind }))
            }
            None => Ok(()),
        },
        Err(_) => Ok(()),
    }
}

/// Looks names up, and keeps only addresses that are dialled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolver {
    pub(super) loopback: bool,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, io::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let loopback = self.loopback;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let mut refusal = None;
            let mut kept = Vec::with_capacity(found.len());
            for address in found {
                match refused(address.ip(), loopback) {
                    None => kept.push(address),
                    Some(kind) => refusal = Some((address.ip(), kind)),
                }
            }
            match refusal {
                Some((address, kind)) if kept.is_empty() => Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    format!("its address {address} is {kind}, which is never asked"),
                )),
                _ => Ok(kept.into_iter()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_services_and_this_machine_are_not_dialled() {
        let cases = [
            ("169.254.169.254", Some("link-local")),
            ("::ffff:169.254.169.254", Some("link-local")),
            ("64:ff9b::a9fe:a9fe", Some("link-local")),
            ("2002:a9fe:a9fe::1", Some("link-local")),
            ("fe80::1", Some("link-local")),
            ("fd00:ec2::254", Some("a metadata service")),
            ("0.0.0.0", Some("unspecified")),
            ("::", Some("unspecified")),
            ("255.255.255.255", Some("a broadcast address")),
            ("224.0.0.1", Some("a multicast address")),
            ("ff02::1", Some("a multicast address")),
            ("127.0.0.1", Some("this machine itself")),
            ("::1", Some("this machine itself")),
            ("10.0.0.1", None),
            ("192.168.1.1", None),
            ("140.82.121.34", None),
            ("2606:50c0:8000::154", None),
        ];
        for (address, kind) in cases {
            assert_eq!(refused(address.parse().unwrap(), false), kind, "{address}");
        }
        assert_eq!(refused("127.0.0.1".parse().unwrap(), true), None);
        assert_eq!(refused("169.254.1.1".parse().unwrap(), true), Some("link-local"));
    }

    #[test]
    fn only_a_host_that_says_so_is_this_machine() {
        for host in ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "LOCALHOST"] {
            assert!(names_loopback(host), "{host}");
        }
        for host in ["localhost.example.com", "127.0.0.1.nip.io", "10.0.0.1", "registry"] {
            assert!(!names_loopback(host), "{host}");
        }
    }

    #[tokio::test]
    async fn a_name_for_this_machine_is_not_dialled_by_another_registry() {
        let name = || "localhost".parse::<Name>().unwrap();
        let error = Resolver { loopback: false }.call(name()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("this machine itself"), "{error}");
        assert!(Resolver { loopback: true }.call(name()).await.unwrap().count() > 0);
    }
}
