//! The panic barrier: nothing that unwinds may reach a C caller.

use std::{
    any::Any,
    future::Future,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

/// Calls `work`; a panic becomes an error with its message.
///
/// `AssertUnwindSafe` is right here: deliveries share only what the author put into the plugin, behind `&self`, and a
/// lock that the author's code held when it panicked is poisoned by the standard library as usual.
pub(crate) fn guard<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let message = message_of(&*payload);
        // Dropping a foreign payload could panic again. Leaking one costs a few bytes, and panics are rare.
        mem::forget(payload);
        message
    })
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}

/// A future that ends with an error when the one inside panics, in a poll or while it is dropped.
///
/// Boxed so that it can be dropped before its output is used, and without unsafe pinning.
pub(crate) struct Guarded<F> {
    inner: Option<Pin<Box<F>>>,
}

impl<F: Future> Guarded<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { inner: Some(Box::pin(future)) }
    }
}

impl<F> Guarded<F> {
    fn drop_inner(&mut self) -> Result<(), String> {
        let inner = self.inner.take();
        guard(|| drop(inner))
    }
}

impl<F: Future> Future for Guarded<F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(inner) = self.inner.as_mut() else {
            return Poll::Ready(Err("polled again after it had ended".to_owned()));
        };
        let polled = guard(|| inner.as_mut().poll(cx));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(self.drop_inner().map(|()| output)),
            Err(message) => {
                // The first panic is the one to report; what dropping adds to it is of no use.
                drop(self.drop_inner());
                Poll::Ready(Err(message))
            }
        }
    }
}

impl<F> Drop for Guarded<F> {
    fn drop(&mut self) {
        // Nobody is left to tell; the panic hook has printed it.
        drop(self.drop_inner());
    }
}
