//! A value that owns its memory: what outlives a request (parameters, namespaces, inventory).

use super::{JsonError, Value, parse_json, serde_bridge};
use bumpalo_herd::Herd;
use std::sync::atomic::{AtomicU64, Ordering};

self_cell::self_cell!(
    struct Cell {
        owner: Herd,
        #[covariant]
        dependent: Value,
    }
);

/// An immutable JSON value with its own arena; `Send`, `Sync`, shared by `Arc`.
pub struct Document {
    cell: Cell,
    id: u64,
}

/// The id of the next document.
static NEXT: AtomicU64 = AtomicU64::new(1);

impl Document {
    /// Parses JSON text into a document of its own.
    ///
    /// # Errors
    /// As [`parse_json`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, JsonError> {
        let cell = Cell::try_new(Herd::new(), |herd| {
            let member = herd.get();
            let text: &[u8] = member.alloc_slice_copy(bytes);
            parse_json(&member, text)
        })?;
        Ok(Self::of(cell))
    }

    /// Copies a value out of a request's arena.
    pub fn from_value(value: Value<'_>) -> Self {
        Self::of(Cell::new(Herd::new(), |herd| value.copy_into(&herd.get())))
    }

    /// Copies a `serde_json` value.
    pub fn from_serde(value: &serde_json::Value) -> Self {
        Self::of(Cell::new(Herd::new(), |herd| serde_bridge::from_serde(&herd.get(), value)))
    }

    fn of(cell: Cell) -> Self {
        Self { cell, id: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// A number that no other document of this process has: two documents with one id are one.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The value.
    pub fn value(&self) -> Value<'_> {
        *self.cell.borrow_dependent()
    }
}

impl Clone for Document {
    fn clone(&self) -> Self {
        Self::from_value(self.value())
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Document({})", self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlives_its_source_and_crosses_threads() {
        fn shared<T: Send + Sync>(value: T) -> T {
            value
        }
        let text = String::from(r#"{"a":["b\n",1.5]}"#);
        let document = shared(Document::from_json(text.as_bytes()).unwrap());
        drop(text);
        assert_eq!(document.clone().value().to_string(), r#"{"a":["b\n",1.5]}"#);
        assert!(Document::from_json(b"{").is_err());
    }
}
