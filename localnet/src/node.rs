//! The ledger's thread. The host calls contracts on the stack, and nested
//! calls need more of it than the server's threads have; and one thread means
//! one order of events.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::anyhow;
use tokio::sync::oneshot;

use crate::ledger::Ledger;

const STACK_SIZE: usize = 256 * 1024 * 1024;

/// None ends the thread.
type Job = Option<Box<dyn FnOnce(&mut Ledger) + Send>>;

/// Sends jobs to the ledger's thread.
#[derive(Clone)]
pub struct Node {
    jobs: Sender<Job>,
}

/// A job that did not come to its end; what it did is undone.
#[derive(Debug)]
pub struct Panicked;

impl Node {
    /// Starts the thread. The ledger is made on it, as it cannot be moved.
    pub fn start(
        make: impl FnOnce() -> anyhow::Result<Ledger> + Send + 'static,
    ) -> anyhow::Result<(Self, JoinHandle<()>)> {
        let (jobs, queue) = channel();
        let (made, outcome) = channel();
        let thread =
            thread::Builder::new().name("ledger".into()).stack_size(STACK_SIZE).spawn(move || match make() {
                Ok(ledger) => {
                    let _ = made.send(Ok(()));
                    work(ledger, queue);
                }
                Err(error) => {
                    let _ = made.send(Err(error));
                }
            })?;
        outcome.recv().map_err(|_| anyhow!("the ledger's thread panicked"))??;
        Ok((Self { jobs }, thread))
    }

    /// Runs a job on the ledger, after all that were there before it.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Ledger) -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Some(Box::new(move |ledger| {
            // Whoever asked may have gone away meanwhile.
            let _ = reply.send(guarded(ledger, job));
        }));
        self.jobs.send(job).map_err(|_| Panicked)?;
        answer.await.unwrap_or(Err(Panicked))
    }

    /// Ends the thread after the jobs that are there.
    pub fn stop(&self) {
        let _ = self.jobs.send(None);
    }
}

/// Does the jobs, and closes the ledgers that close by time.
fn work(mut ledger: Ledger, queue: Receiver<Job>) {
    loop {
        let due_in = ledger.due_in();
        if due_in == Some(Duration::ZERO) {
            if let Ok(Err(error)) = guarded(&mut ledger, Ledger::close) {
                eprintln!("error: {error:#}");
            }
            continue;
        }
        match due_in.map_or_else(|| queue.recv().map_err(RecvTimeoutError::from), |due_in| queue.recv_timeout(due_in)) {
            Ok(Some(job)) => job(&mut ledger),
            Err(RecvTimeoutError::Timeout) => {}
            Ok(None) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn guarded<T>(ledger: &mut Ledger, job: impl FnOnce(&mut Ledger) -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(|| job(ledger))).map_err(|_: Box<dyn Any + Send>| {
        ledger.abandon();
        Panicked
    })
}
