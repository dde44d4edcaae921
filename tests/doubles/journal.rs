use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::{sync::watch, time};

use super::Request;
use crate::harness::PATIENCE;

/// Every request to a double, in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Journal {
    requests: Mutex<Vec<Request>>,
    count: watch::Sender<usize>,
}

impl Journal {
    pub(super) fn add(&self, request: Request) {
        let mut requests = self.lock();
        requests.push(request);
        self.count.send_replace(requests.len());
    }

    pub(super) fn all(&self) -> Vec<Request> {
        self.lock().clone()
    }

    /// Waits until there are `count` requests or more, and gives all there are.
    pub(super) async fn at_least(&self, count: usize) -> Vec<Request> {
        let mut arrived = self.count.subscribe();
        if time::timeout(PATIENCE, arrived.wait_for(|arrived| *arrived >= count)).await.is_err() {
            panic!("waited in vain for {count} requests, got these: {:#?}", self.all());
        }
        self.all()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
