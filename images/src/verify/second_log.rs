//! Entries of the second version of the log (Rekor 2) by keys on P-384 or of RSA, which the library does not read.
//!
//! All that the library does for keys on P-256 is done here for the others: the entry is about this signature, by this
//! key, of this message; it is in the tree; and the tree's head is signed by a log of the trust root.

use crate::digest::Digest;
use crate::trust::{PublicKey, TrustRoot};
use crate::verify::Reason;
use crate::verify::item::{Item, Signed};
use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use jiff::Timestamp;
use serde::Deserialize;
use sigstore_verify::types::{KindVersion, SignatureBytes, TransparencyLogEntry};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    api_version: String,
    kind: String,
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(rename = "hashedRekordV002")]
    record: Record,
}

#[derive(Deserialize)]
struct Record {
    data: Data,
    signature: Signature,
}

#[derive(Deserialize)]
struct Data {
    algorithm: String,
    digest: SignatureBytes,
}

#[derive(Deserialize)]
struct Signature {
    content: SignatureBytes,
    verifier: Verifier,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verifier {
    public_key: Option<Key>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    raw_bytes: SignatureBytes,
}

/// Whether it is for here.
pub(super) fn is_one(entry: &TransparencyLogEntry, key: &PublicKey) -> bool {
    entry.kind_version == KindVersion::HashedRekordV002 && !key.is_p256()
}

/// Proves an entry, and says in which log it is.
pub(super) fn prove(
    entry: &TransparencyLogEntry,
    item: &Item,
    key: &PublicKey,
    root: &TrustRoot,
    now: Timestamp,
) -> Result<String, Reason> {
    let body: Body = serde_json::from_slice(entry.canonicalized_body.as_bytes())
        .map_err(|error| Reason::Entry(error.to_string()))?;
    about(&body, item, key).map_err(|cause| Reason::Entry(cause.to_owned()))?;
    let proof = entry.inclusion_proof.as_ref().ok_or(Reason::NoProof)?;
    let checkpoint =
        proof.checkpoint.checkpoint().ok_or_else(|| Reason::Checkpoint("there is none".to_owned()))?;
    let path = proof.hashes.iter().map(|hash| Digest::from_bytes(*hash.as_bytes()));
    let leaf = Digest::of(&[&[0], entry.canonicalized_body.as_bytes()].concat());
    let expected = Digest::from_bytes(*checkpoint.root_hash().as_bytes());
    if !is_in_tree(leaf, entry.log_index.get(), checkpoint.tree_size(), path, expected) {
        return Err(Reason::Proof("its path does not lead to the tree's head".to_owned()));
    }
    match root.log_of_checkpoint(checkpoint, now) {
        Some(log) => Ok(log.to_owned()),
        None if root.log_of_identifier(&entry.log_id.key_id).is_none() => Err(Reason::UnknownLog),
        None => Err(Reason::Checkpoint("no log of the trust root signed it".to_owned())),
    }
}

fn about(body: &Body, item: &Item, key: &PublicKey) -> Result<(), &'static str> {
    if (body.kind.as_str(), body.api_version.as_str()) != ("hashedrekord", "0.0.2") {
        return Err("it is of another kind than the bundle says");
    }
    let Record { data, signature } = &body.spec.record;
    if signature.content.as_bytes() != item.signature {
        return Err("it has another signature");
    }
    let logged = signature.verifier.public_key.as_ref().map(|key| key.raw_bytes.as_bytes());
    if logged != Some(key.der().as_bytes()) {
        return Err("it has another key");
    }
    let hash = match (data.algorithm.as_str(), item.message()) {
        ("SHA2_256", None) if matches!(item.signed, Signed::Digest(_)) => item.artifact.bytes().to_vec(),
        ("SHA2_256", Some(message)) => digest(&SHA256, &message).as_ref().to_vec(),
        ("SHA2_384", Some(message)) => digest(&SHA384, &message).as_ref().to_vec(),
        ("SHA2_512", Some(message)) => digest(&SHA512, &message).as_ref().to_vec(),
        _ => return Err("its hash is of a kind that cannot be compared"),
    };
    if data.digest.as_bytes() == hash { Ok(()) } else { Err("it is of another message") }
}

/// Whether a leaf is in a tree (RFC 9162, section 2.1.3.2).
fn is_in_tree(leaf: Digest, index: u64, size: u64, path: impl Iterator<Item = Digest>, root: Digest) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for beside in path {
        if last == 0 {
            return false;
        }
        let (left, right) = if at & 1 == 1 || at == last {
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
            (beside, hash)
        } else {
            (hash, beside)
        };
        hash = Digest::of(&[&[1], left.bytes().as_slice(), right.bytes()].concat());
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(left: Digest, right: Digest) -> Digest {
        Digest::of(&[&[1], &left.bytes()[..], right.bytes()].concat())
    }

    /// The head of a tree and the path of each leaf, by the definition (RFC 9162, section 2.1.1 and 2.1.3.1).
    fn tree(leaves: &[Digest]) -> (Digest, Vec<Vec<Digest>>) {
        let [leaf] = leaves else {
            let half = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(half);
            let ((left, mut paths), (right, right_paths)) = (tree(left), tree(right));
            paths.iter_mut().for_each(|path| path.push(right));
            paths.extend(right_paths.into_iter().map(|mut path| {
                path.push(left);
                path
            }));
            return (node(left, right), paths);
        };
        (*leaf, vec![Vec::new()])
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_found_at_its_place_alone() {
        for size in 1..20_u8 {
            let leaves: Vec<_> = (0..size).map(|leaf| Digest::of(&[leaf])).collect();
            let (root, paths) = tree(&leaves);
            for (index, (leaf, path)) in leaves.iter().zip(&paths).enumerate() {
                for place in 0..=u64::from(size) {
                    let found = is_in_tree(*leaf, place, size.into(), path.iter().copied(), root);
                    assert_eq!(found, place == index as u64, "{index} at {place} of {size}");
                }
                let other = Digest::of(b"other");
                assert!(!is_in_tree(other, index as u64, size.into(), path.iter().copied(), root));
                assert!(!is_in_tree(*leaf, index as u64, size.into(), path.iter().copied(), other));
                if size > 1 {
                    assert!(!is_in_tree(
                        *leaf,
                        index as u64,
                        size.into(),
                        path.iter().copied().skip(1),
                        root
                    ));
                }
                let longer = path.iter().copied().chain([other]);
                assert!(!is_in_tree(*leaf, index as u64, size.into(), longer, root));
            }
        }
    }
}
