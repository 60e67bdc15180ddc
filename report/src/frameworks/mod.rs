//! The controls of public frameworks: ids as policies name them, and what each asks for in our own words. What no
//! admission policy can see is listed too, so that its absence is not taken for a pass.

mod cis;
mod nsa;
mod pss;

/// A framework.
pub(crate) struct Catalogue {
    /// Short name.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) about: &'static str,
    /// In its order.
    pub(crate) controls: &'static [Entry<'static>],
}

/// A control.
pub(crate) struct Entry<'e> {
    /// As policies name it.
    pub(crate) id: &'e str,
    /// What it asks for.
    pub(crate) title: &'e str,
    /// Why policies about objects cannot test it; empty: they can.
    pub(crate) beyond: &'e str,
}

const fn entry(id: &'static str, title: &'static str) -> Entry<'static> {
    Entry { id, title, beyond: "" }
}

const fn beyond(id: &'static str, title: &'static str, beyond: &'static str) -> Entry<'static> {
    Entry { id, title, beyond }
}

/// All of them.
pub(crate) const ALL: [&Catalogue; 3] = [&cis::CIS, &nsa::NSA, &pss::PSS];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use wayguard_engine::policy::library::Library;
    use wayguard_engine::policy::metadata;

    #[test]
    fn ids_are_unique_and_titles_there() {
        let mut seen = BTreeSet::new();
        for entry in ALL.iter().flat_map(|catalogue| catalogue.controls) {
            assert!(seen.insert(entry.id), "{} twice", entry.id);
            assert!(!entry.title.is_empty(), "{}", entry.id);
        }
    }

    /// A control that the library names and that stands in no catalogue would be missing from compliance.
    #[test]
    fn every_control_of_the_library_is_in_a_catalogue() {
        let known: BTreeSet<&str> =
            ALL.iter().flat_map(|catalogue| catalogue.controls).map(|entry| entry.id).collect();
        let library = Library::embedded();
        for id in library.policy_ids() {
            let module = library.policy(&id).unwrap();
            for control in metadata::read(&module).unwrap().custom.controls {
                let ours = ["CIS-", "NSA-", "PSS-"].iter().any(|prefix| control.starts_with(prefix));
                assert!(!ours || known.contains(control.as_str()), "{control} of {id}");
            }
        }
    }
}
