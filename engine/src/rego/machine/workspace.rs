//! Stacks that one evaluation leaves to the next: making them anew would be most of what a small policy costs.

use super::calls::Calls;
use super::scene::Known;
use crate::value::Value;

/// The empty stacks of a thread. While they are here they hold nothing, whatever their types say.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    slots: Vec<Option<Value<'static>>>,
    results: Vec<Value<'static>>,
    known: Vec<Known<'static>>,
    calls: Calls<'static>,
}

/// The stacks of one evaluation.
#[derive(Debug, Default)]
pub(super) struct Stacks<'a> {
    pub(super) slots: Vec<Option<Value<'a>>>,
    pub(super) results: Vec<Value<'a>>,
    pub(super) known: Vec<Known<'a>>,
    pub(super) calls: Calls<'a>,
}

/// Stacks longer than this are given back to the allocator: one large evaluation is no reason to keep its memory.
const KEPT: usize = 16 * 1024;

impl Workspace {
    pub(super) fn take<'a>(&mut self) -> Stacks<'a> {
        Stacks {
            slots: emptied(std::mem::take(&mut self.slots)),
            results: emptied(std::mem::take(&mut self.results)),
            known: emptied(std::mem::take(&mut self.known)),
            calls: std::mem::take(&mut self.calls).emptied(),
        }
    }

    pub(super) fn give(&mut self, stacks: Stacks<'_>) {
        *self = Self {
            slots: emptied(stacks.slots),
            results: emptied(stacks.results),
            known: emptied(stacks.known),
            calls: stacks.calls.emptied(),
        };
    }
}

/// The memory of a list, without its elements, for elements of another type. Where the two have one layout the
/// standard library collects in place; else this is a new list, which is right too.
pub(super) fn emptied<A, B>(mut items: Vec<A>) -> Vec<B> {
    if items.capacity() > KEPT {
        return Vec::new();
    }
    items.clear();
    items.into_iter().filter_map(|_| None).collect()
}

#[cfg(test)]
mod tests {
    use super::emptied;
    use crate::value::Value;

    #[test]
    fn an_emptied_list_keeps_its_memory() {
        let mut items: Vec<Option<Value<'_>>> = Vec::with_capacity(100);
        items.push(Some(Value::Null));
        let place = items.as_ptr().addr();
        let others: Vec<Option<Value<'static>>> = emptied(items);
        assert!(others.is_empty());
        assert_eq!((others.as_ptr().addr(), others.capacity()), (place, 100));
        let large: Vec<Value<'_>> = Vec::with_capacity(100_000);
        assert_eq!(emptied::<_, Value<'static>>(large).capacity(), 0);
    }
}
