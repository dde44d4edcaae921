use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use super::{Reply, Request};

/// Replies that a test has laid out in advance: for the requests about one monitor, or for whoever comes.
#[derive(Debug, Default)]
pub(super) struct Scripts(Mutex<HashMap<Option<String>, VecDeque<Reply>>>);

impl Scripts {
    pub(super) fn add(&self, monitor: Option<&str>, replies: impl IntoIterator<Item = Reply>) {
        let mut scripts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        scripts.entry(monitor.map(str::to_owned)).or_default().extend(replies);
    }

    /// The scripted reply to this request, if one is left.
    pub(super) fn take(&self, request: &Request) -> Option<Reply> {
        let mut scripts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = |key: &Option<String>| scripts.get_mut(key)?.pop_front();
        request.monitor().and_then(|monitor| next(&Some(monitor))).or_else(|| next(&None))
    }
}
