//! What is asked of the writer, and the way back to whoever waits for it.

use tokio::sync::oneshot::{self, Receiver, Sender};

use super::change::{ChangeError, Changes, EventRow};
use crate::{
    error::StoreError,
    records::{Accepted, FreshDelivery},
};

/// One request's part of a transaction.
pub(super) trait Job: Send {
    /// Writes. An error means that nothing of this is to be committed; a request that makes no sense is not an error, it
    /// keeps its refusal for itself. What was rolled back may be applied again.
    fn apply(&mut self, changes: &mut Changes<'_>, fresh: &mut Vec<FreshDelivery>) -> rusqlite::Result<()>;

    /// Tells that what was applied is durable, or why it is not. Whoever asked may have stopped waiting; what was
    /// committed stays committed.
    fn answer(&mut self, durable: Result<(), StoreError>);

    /// Takes back what was committed but answered with an error, as far as it would be a surprise. An outcome is none:
    /// it is true, and will be recorded again. Neither is what retention removes or how far a replay has come. May be
    /// called more than once.
    fn take_back(&self, changes: &mut Changes<'_>) -> rusqlite::Result<()>;
}

/// A job of any kind, and the place where its answer appears.
pub(super) type Asked<T> = (Box<dyn Job>, Receiver<Result<T, StoreError>>);

/// The way to whoever waits, until they are answered.
type Answer<T> = Option<Sender<Result<T, StoreError>>>;

/// Makes a job of `write`; what it gives is answered once it is durable. Refused, it may have happened.
pub(super) fn change<T, W>(write: W) -> Asked<T>
where
    T: Send + 'static,
    W: FnMut(&mut Changes<'_>, &mut Vec<FreshDelivery>) -> Result<T, ChangeError> + Send + 'static,
{
    change_or_undo(write, |_, _| Ok(()))
}

/// Makes a job of `write`, and of `undo`, which takes back what `write` gave if that is refused.
pub(super) fn change_or_undo<T, W, U>(write: W, undo: U) -> Asked<T>
where
    T: Send + 'static,
    W: FnMut(&mut Changes<'_>, &mut Vec<FreshDelivery>) -> Result<T, ChangeError> + Send + 'static,
    U: Fn(&mut Changes<'_>, &T) -> rusqlite::Result<()> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    (Box::new(Change { write, undo, given: None, answer: Some(answer) }), answered)
}

struct Change<T, W, U> {
    write: W,
    undo: U,
    given: Option<Result<T, StoreError>>,
    answer: Answer<T>,
}

impl<T, W, U> Job for Change<T, W, U>
where
    T: Send,
    W: FnMut(&mut Changes<'_>, &mut Vec<FreshDelivery>) -> Result<T, ChangeError> + Send,
    U: Fn(&mut Changes<'_>, &T) -> rusqlite::Result<()> + Send,
{
    fn apply(&mut self, changes: &mut Changes<'_>, fresh: &mut Vec<FreshDelivery>) -> rusqlite::Result<()> {
        self.given = Some(refusal_apart((self.write)(changes, fresh))?);
        Ok(())
    }

    fn answer(&mut self, durable: Result<(), StoreError>) {
        // What was refused is kept to be taken back.
        let given = durable.and_then(|()| self.given.take().unwrap_or(Err(StoreError::Stopped)));
        if let Some(answer) = self.answer.take() {
            drop(answer.send(given));
        }
    }

    fn take_back(&self, changes: &mut Changes<'_>) -> rusqlite::Result<()> {
        match &self.given {
            Some(Ok(given)) => (self.undo)(changes, given),
            _ => Ok(()),
        }
    }
}

/// Makes a job of an event to accept. The row comes back with the answer, so that the file of its body stays until
/// both are durable.
pub(super) fn accept(row: Box<EventRow>) -> Asked<(Accepted, Box<EventRow>)> {
    let (answer, answered) = oneshot::channel();
    (Box::new(Accept { row: Some(row), given: None, answer: Some(answer) }), answered)
}

struct Accept {
    row: Option<Box<EventRow>>,
    given: Option<Result<Accepted, StoreError>>,
    answer: Answer<(Accepted, Box<EventRow>)>,
}

impl Job for Accept {
    fn apply(&mut self, changes: &mut Changes<'_>, fresh: &mut Vec<FreshDelivery>) -> rusqlite::Result<()> {
        if let Some(row) = &self.row {
            self.given = Some(refusal_apart(changes.accept(row, fresh))?);
        }
        Ok(())
    }

    fn answer(&mut self, durable: Result<(), StoreError>) {
        let Some(answer) = self.answer.take() else { return };
        let given = match (durable, self.given.take(), self.row.take()) {
            (Ok(()), Some(Ok(accepted)), Some(row)) => Ok((accepted, row)),
            (Ok(()), Some(Err(error)), _) => Err(error),
            (Ok(()), ..) => Err(StoreError::Stopped),
            (Err(error), given, row) => {
                // Kept to be taken back.
                (self.given, self.row) = (given, row);
                Err(error)
            }
        };
        drop(answer.send(given));
    }

    fn take_back(&self, changes: &mut Changes<'_>) -> rusqlite::Result<()> {
        match (&self.given, &self.row) {
            // A repeat has written nothing.
            (Some(Ok(Accepted { repeated: false, .. })), Some(row)) => changes.take_back(row),
            _ => Ok(()),
        }
    }
}

fn refusal_apart<T>(written: Result<T, ChangeError>) -> rusqlite::Result<Result<T, StoreError>> {
    match written {
        Ok(given) => Ok(Ok(given)),
        Err(ChangeError::Refused(error)) => Ok(Err(error)),
        Err(ChangeError::Failed(error)) => Err(error),
    }
}
