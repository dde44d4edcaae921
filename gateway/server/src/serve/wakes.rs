//! Wakes that come from other threads, gathered.
//!
//! The store answers all requests of a commit at once, from a thread of its own. To wake a task on another thread's
//! runtime costs it a system call each, and that thread a look at its descriptors. So only the first of many wakes the
//! runtime; the others are noted, and a task of the runtime passes them on.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    mem,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
    thread::{self, ThreadId},
};

/// The wakes for the tasks of one thread.
#[derive(Debug, Default)]
pub(super) struct Wakes(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    tasks: Vec<Waker>,
    /// Wakes the task that passes them on; absent while it is woken already.
    passing_on: Option<Waker>,
}

impl Wakes {
    /// Wakes the tasks that were noted, for ever. Belongs on the thread that they run on.
    pub(super) async fn pass_on(self: Arc<Self>) -> Infallible {
        let mut tasks = Vec::new();
        poll_fn(move |context| {
            let mut noted = self.lock();
            noted.passing_on = Some(context.waker().clone());
            mem::swap(&mut noted.tasks, &mut tasks);
            drop(noted);
            tasks.drain(..).for_each(Waker::wake);
            Poll::Pending
        })
        .await
    }

    /// Runs `future`, a task of this thread, so that other threads wake it by a note.
    pub(super) async fn gather<F: Future>(self: Arc<Self>, future: F) -> F::Output {
        let mut future = pin!(future);
        let mut known: Option<(Waker, Waker)> = None;
        poll_fn(|context| {
            let task = context.waker();
            let gathering = match &known {
                Some((of, gathering)) if of.will_wake(task) => gathering,
                _ => &known.insert((task.clone(), self.gathering(task.clone()))).1,
            };
            future.as_mut().poll(&mut Context::from_waker(gathering))
        })
        .await
    }

    fn gathering(self: &Arc<Self>, task: Waker) -> Waker {
        Arc::new(Gathering { task, thread: thread::current().id(), wakes: Arc::clone(self) }).into()
    }

    fn note(&self, task: Waker) {
        let mut noted = self.lock();
        noted.tasks.push(task);
        let passing_on = noted.passing_on.take();
        drop(noted);
        if let Some(waker) = passing_on {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        // Nothing in here can panic half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes a task: at once on its own thread, by a note from any other.
struct Gathering {
    task: Waker,
    thread: ThreadId,
    wakes: Arc<Wakes>,
}

impl Wake for Gathering {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if thread::current().id() == self.thread {
            self.task.wake_by_ref();
        } else {
            self.wakes.note(self.task.clone());
        }
    }
}

#[cfg(test)]
mod tests;
