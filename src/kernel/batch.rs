//! Gather, then commit: concurrent writers share one transaction, and each is answered after it.
//!
//! A commit costs a disk flush whether it holds one row or hundreds. So producers put their row into a bounded
//! queue; one task takes all that wait, up to a maximum, writes them in one transaction and answers each. A
//! producer that gets its answer knows that its row is on disk. A full queue is refused at once: the caller
//! answers 503, and nothing waits without bound.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

/// Why a row was not written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BatchFault {
    /// Too many rows wait already.
    #[error("too many writes are waiting")]
    Full,
    /// The transaction failed; nothing of the batch was kept.
    #[error("the batch was not written: {0}")]
    Failed(Arc<str>),
    /// The gathering task has ended.
    #[error("the batch writer has stopped")]
    Stopped,
}

/// What writes a gathered batch: one answer per item, in the items' order.
pub type Flush<T, R> =
    Arc<dyn Fn(Vec<T>) -> BoxFuture<'static, Result<Vec<R>, String>> + Send + Sync>;

/// How a batch gathers.
#[derive(Debug, Clone, Copy)]
pub struct BatchOptions {
    /// Items that may wait.
    pub queue_max: usize,
    /// Items in one transaction.
    pub batch_max: usize,
    /// How long to wait for company; zero where somebody waits for the answer.
    pub linger: Duration,
}

/// A handle for producers. Cheap to clone; the gathering task ends when the last one is dropped.
#[derive(Debug)]
pub struct Batch<T, R> {
    queue: mpsc::Sender<Waiting<T, R>>,
}

impl<T, R> Clone for Batch<T, R> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
        }
    }
}

#[derive(Debug)]
struct Waiting<T, R> {
    item: T,
    answer: Option<oneshot::Sender<Result<R, BatchFault>>>,
}

impl<T: Send + 'static, R: Send + 'static> Batch<T, R> {
    /// Starts the gathering task. Await the returned handle at shutdown, after dropping every producer.
    pub fn start(options: BatchOptions, flush: Flush<T, R>) -> (Self, tokio::task::JoinHandle<()>) {
        let (queue, receiver) = mpsc::channel(options.queue_max);
        (
            Self { queue },
            tokio::spawn(gather(options, receiver, flush)),
        )
    }

    /// Writes `item` and waits until its transaction has committed.
    pub async fn write(&self, item: T) -> Result<R, BatchFault> {
        let (answer, answered) = oneshot::channel();
        self.queue
            .try_send(Waiting {
                item,
                answer: Some(answer),
            })
            .map_err(|error| refused(&error))?;
        answered.await.map_err(|_| BatchFault::Stopped)?
    }

    /// Leaves `item` to be written without waiting. `Err` means it was dropped, and the caller counts that.
    pub fn leave(&self, item: T) -> Result<(), BatchFault> {
        self.queue
            .try_send(Waiting { item, answer: None })
            .map_err(|error| refused(&error))
    }
}

fn refused<T>(error: &mpsc::error::TrySendError<T>) -> BatchFault {
    match error {
        mpsc::error::TrySendError::Full(_) => BatchFault::Full,
        mpsc::error::TrySendError::Closed(_) => BatchFault::Stopped,
    }
}

/// Cuts `items` into groups of at most `max`, each as long as a power of two, the longest first. A driver keeps a
/// prepared text for every length of a multi-row insert that it meets: so there are few lengths.
pub fn groups<T>(items: &[T], max: usize) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let fitting = rest.len().min(max).checked_ilog2()?;
        let (group, after) = rest.split_at_checked(1 << fitting)?;
        rest = after;
        Some(group)
    })
}

async fn gather<T, R>(
    options: BatchOptions,
    mut queue: mpsc::Receiver<Waiting<T, R>>,
    flush: Flush<T, R>,
) {
    let mut waiting = Vec::with_capacity(options.batch_max);
    while queue.recv_many(&mut waiting, options.batch_max).await > 0 {
        if !options.linger.is_zero() {
            tokio::time::sleep(options.linger).await;
            while waiting.len() < options.batch_max
                && let Ok(more) = queue.try_recv()
            {
                waiting.push(more);
            }
        }
        let (items, answers): (Vec<T>, Vec<_>) =
            waiting.drain(..).map(|w| (w.item, w.answer)).unzip();
        match flush(items).await {
            Ok(results) => {
                for (answer, result) in answers.into_iter().zip(results) {
                    if let Some(answer) = answer {
                        // The producer may have gone away; its row is kept all the same.
                        let _gone = answer.send(Ok(result));
                    }
                }
            }
            Err(reason) => {
                let reason: Arc<str> = reason.into();
                for answer in answers.into_iter().flatten() {
                    let _gone = answer.send(Err(BatchFault::Failed(Arc::clone(&reason))));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn writers_share_a_transaction_and_each_gets_its_own_answer() {
        let flushes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&flushes);
        let flush: Flush<u32, u32> = Arc::new(move |items| {
            counted.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok(items.into_iter().map(|item| item * 2).collect())
            })
        });
        let options = BatchOptions {
            queue_max: 100,
            batch_max: 64,
            linger: Duration::ZERO,
        };
        let (batch, _task) = Batch::start(options, flush);
        let answers = futures_util::future::join_all((0..50).map(|item| batch.write(item))).await;
        for (item, answer) in (0..50).zip(answers) {
            assert_eq!(answer.unwrap(), item * 2);
        }
        assert!(flushes.load(Ordering::SeqCst) <= 3);
    }

    #[test]
    fn groups_keep_every_item_in_order_and_have_few_lengths() {
        let items: Vec<usize> = (0..10_007).collect();
        let mut lengths = std::collections::BTreeSet::new();
        for end in [0, 1, 7, 1024, 1025, 10_007] {
            let groups: Vec<&[usize]> = groups(&items[..end], 1024).collect();
            assert_eq!(groups.concat(), items[..end]);
            lengths.extend(groups.iter().map(|group| group.len()));
        }
        assert!(lengths.len() <= 11 && lengths.last() == Some(&1024));
        assert_eq!(groups(&items, 0).count(), 0);
    }

    #[tokio::test]
    async fn a_failed_batch_acknowledges_nobody() {
        let flush: Flush<u32, u32> = Arc::new(|_| Box::pin(async { Err("disk full".to_owned()) }));
        let options = BatchOptions {
            queue_max: 10,
            batch_max: 10,
            linger: Duration::ZERO,
        };
        let (batch, _task) = Batch::start(options, flush);
        assert!(matches!(batch.write(1).await, Err(BatchFault::Failed(_))));
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let flush: Flush<u32, u32> = Arc::new(|_| Box::pin(std::future::pending()));
        let options = BatchOptions {
            queue_max: 1,
            batch_max: 1,
            linger: Duration::ZERO,
        };
        let (batch, _task) = Batch::start(options, flush);
        batch.leave(1).unwrap();
        tokio::task::yield_now().await;
        batch.leave(2).unwrap();
        assert!(matches!(batch.leave(3), Err(BatchFault::Full)));
    }
}
