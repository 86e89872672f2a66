//! Work that is done side by side where it may be, and alone where it must.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does `job` for everything in `items` with so many `workers`; results come in the order of the items.
///
/// An item is taken as soon as a worker is free. A job that panics does so here, after the others have ended.
pub fn side_by_side<T: Sync, R: Send>(items: &[T], workers: usize, job: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..workers.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                while let Some((place, item)) = take(items, &next) {
                    let result = job(item);
                    done.lock().expect("no worker panics here").push((place, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no worker panics here");
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

fn take<'a, T>(items: &'a [T], next: &AtomicUsize) -> Option<(usize, &'a T)> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    items.get(place).map(|item| (place, item))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn every_item_is_done_once_and_results_keep_their_order() {
        let items: Vec<usize> = (0..100).collect();
        for workers in [0, 1, 2, 7, 1000] {
            assert_eq!(side_by_side(&items, workers, |item| item * 2), items.iter().map(|i| i * 2).collect::<Vec<_>>());
        }
        assert!(side_by_side(&[] as &[usize], 2, |item| *item).is_empty());
    }

    #[test]
    fn two_workers_are_at_work_at_once_and_one_is_not() {
        // Neither could go on if the other were not there too.
        let meeting = Barrier::new(2);
        side_by_side(&[(), ()], 2, |()| meeting.wait().is_leader());
        let (at_work, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        side_by_side(&[(); 20], 1, |()| {
            most.fetch_max(at_work.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            at_work.fetch_sub(1, Ordering::SeqCst);
        });
        assert_eq!(most.into_inner(), 1);
    }
}
