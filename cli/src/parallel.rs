//! The same work on many items, on all cores, with a progress bar; results in the items' order.

use crate::progress::Progress;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread::{available_parallelism, scope};

/// Does `work` on each item. `verb` and `about` are for the progress bar.
pub(crate) fn on_all_cores<'i, Item: Sync, Done: Send>(
    verb: &'static str,
    items: &'i [Item],
    about: impl Fn(&'i Item) -> &'i str,
    work: impl Fn(&Item) -> Done + Sync,
) -> Vec<Done> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = channel();
    let take = || {
        let index = next.fetch_add(1, Ordering::Relaxed);
        items.get(index).map(|item| (index, item))
    };
    let workers = available_parallelism().map_or(1, NonZeroUsize::get).min(items.len());
    let mut done: Vec<(usize, Done)> = scope(|scope| {
        for _ in 0..workers {
            let (sender, take, work) = (sender.clone(), &take, &work);
            scope.spawn(move || {
                while let Some((index, item)) = take() {
                    // The receiver outlives the scope.
                    let _ = sender.send((index, work(item)));
                }
            });
        }
        drop(sender);
        let mut progress = Progress::new(verb, items.len());
        receiver.iter().inspect(|(index, _)| progress.step(items.get(*index).map_or("", &about))).collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_items_order() {
        let items: Vec<u32> = (0..100).collect();
        assert_eq!(
            on_all_cores("doubling", &items, |_| "", |item| item * 2),
            items.iter().map(|item| item * 2).collect::<Vec<_>>()
        );
        assert_eq!(on_all_cores("nothing", &[0_u32; 0], |_| "", |item| *item), [0_u32; 0]);
    }
}
