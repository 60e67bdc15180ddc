//! What a report says of objects and the audit's results do not hold: when they were made, and which images they name.

use crate::command::audit::gathering::Witness;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use wayguard_audit::{Host, KindName};
use wayguard_engine::facts::{Fact, FactKey, Facts};
use wayguard_engine::images::images_of;
use wayguard_engine::value::Value;
use wayguard_report::{Image, ObjectName};

/// Fills while objects are judged.
#[derive(Default)]
pub(super) struct Inventory {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    created: BTreeMap<ObjectName, Timestamp>,
    images: BTreeMap<String, Uses>,
}

/// Where an image is named.
#[derive(Default)]
struct Uses {
    objects: u64,
    namespaces: BTreeSet<String>,
    digests: BTreeSet<String>,
}

impl Witness for Inventory {
    fn met(&self, kind: &KindName, object: Value<'_>) {
        let metadata = object.get("metadata").unwrap_or_default();
        let namespace = metadata.str_or_empty("namespace");
        let created = metadata.str_or_empty("creationTimestamp").parse().ok();
        let images = images_of(object);
        let running = running(object);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(created) = created {
            let name = ObjectName {
                api_version: kind.api_version(),
                kind: kind.kind.clone(),
                namespace: namespace.to_owned(),
                name: metadata.str_or_empty("name").to_owned(),
            };
            known.created.insert(name, created);
        }
        for image in images {
            let uses = known.images.entry(image.to_owned()).or_default();
            uses.objects += 1;
            uses.namespaces.insert(namespace.to_owned());
            uses.digests.extend(running.get(image).into_iter().flatten().map(|digest| (*digest).to_owned()));
            if let Some((_, digest)) = image.rsplit_once('@') {
                uses.digests.insert(digest.to_owned());
            }
        }
    }
}

/// The digests that a Pod's containers run, by the image that its spec names.
fn running(pod: Value<'_>) -> BTreeMap<&str, BTreeSet<&str>> {
    const LISTS: [(&str, &str); 3] = [
        ("containers", "containerStatuses"),
        ("initContainers", "initContainerStatuses"),
        ("ephemeralContainers", "ephemeralContainerStatuses"),
    ];
    let mut digests: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let (spec, status) = (pod.get("spec").unwrap_or_default(), pod.get("status").unwrap_or_default());
    for (list, told) in LISTS {
        let told = status.get(told).and_then(Value::as_array).unwrap_or_default();
        for container in spec.get(list).and_then(Value::as_array).unwrap_or_default() {
            let name = container.str_or_empty("name");
            let own = told.iter().filter(|status| status.str_or_empty("name") == name);
            let found = own.filter_map(|status| Some(status.str_or_empty("imageID").rsplit_once('@')?.1));
            digests.entry(container.str_or_empty("image")).or_default().extend(found);
        }
    }
    digests
}

impl Inventory {
    /// When objects were made; and the images, with what `host` knows of them.
    pub(super) fn take(&self, host: &dyn Host) -> (BTreeMap<ObjectName, Timestamp>, Vec<Image>) {
        let known = std::mem::take(&mut *self.known.lock().unwrap_or_else(PoisonError::into_inner));
        let image = |(reference, uses): (String, Uses)| {
            let namespaces: Vec<String> =
                uses.namespaces.into_iter().filter(|name| !name.is_empty()).collect();
            let mut image = Image {
                digests: uses.digests.into_iter().collect(),
                objects: uses.objects,
                namespaces,
                ..Image::default()
            };
            tell(&mut image, &reference, host);
            Image { reference, ..image }
        };
        (known.created, known.images.into_iter().map(image).collect())
    }
}

/// Adds what is known of signatures and scans.
fn tell(image: &mut Image, reference: &str, host: &dyn Host) {
    let namespace = image.namespaces.first().cloned().unwrap_or_default();
    let key = FactKey::Image { reference: reference.to_owned(), namespace };
    let mut facts = Facts::new();
    host.answer(vec![key.clone()], &mut facts);
    match facts.get(&key) {
        Some(Fact::Known(document)) => {
            let known = document.value();
            if known.get("unasked").is_some() {
                "no authority speaks of it, and it is not among those that may be asked"
                    .clone_into(&mut image.problem);
                return;
            }
            let digest = known.str_or_empty("digest");
            if !digest.is_empty() && !image.digests.iter().any(|known| known == digest) {
                image.digests.push(digest.to_owned());
            }
            let list = |name: &str| known.get(name).and_then(Value::as_array).unwrap_or_default();
            image.signatures = Some(list("signatures").iter().map(|it| signature(*it)).collect());
            image.scans = Some(list("scans").iter().map(|it| scan(*it)).collect());
        }
        Some(Fact::Absent) => "its registry has no such image".clone_into(&mut image.problem),
        Some(Fact::Unavailable(why)) => image.problem.clone_from(why),
        // Nobody was named who could be asked.
        Some(Fact::OutOfReach(_)) | None => {}
    }
}

/// Who signed: the authority by which it counts, and the identity or the key.
fn signature(told: Value<'_>) -> String {
    let authority = told.str_or_empty("imageAuthority");
    let subject = told.get("identity").unwrap_or_default().str_or_empty("subject");
    let who = if subject.is_empty() { told.str_or_empty("key") } else { subject };
    if who.is_empty() { authority.to_owned() } else { format!("{who} (by {authority})") }
}

/// What a scan found: counts, when, and whether somebody vouches for it.
fn scan(told: Value<'_>) -> String {
    let scanner = match told.str_or_empty("scanner") {
        "" => "a scanner that does not say its name",
        name => name,
    };
    let when = told.str_or_empty("finishedAt").get(..10).map(|day| format!(" of {day}")).unwrap_or_default();
    let counts = told.get("counts").and_then(Value::as_object).map(|counts| {
        let part = |(name, count): (&str, Value<'_>)| Some(format!("{} {name}", count.to_serde().as_u64()?));
        counts.iter().filter_map(part).collect::<Vec<_>>().join(", ")
    });
    let signed = if told.get("signed").and_then(Value::as_bool) == Some(true) { "" } else { "; not signed" };
    format!("{scanner}{when}: {}{signed}", counts.unwrap_or_else(|| "its counts cannot be read".to_owned()))
}
