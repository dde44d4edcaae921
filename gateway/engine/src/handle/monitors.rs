//! What people want of the tracker.

use std::sync::Arc;

use postroom_core::monitor::{Monitor, Mute};
use tokio::sync::oneshot;

use super::Handle;
use crate::{
    steer::SteerError,
    tracker::{Command, Tracking, Wish},
};

impl Handle {
    /// Tells nobody about a monitor for a while; what happens is kept all the same. Gives the monitor as it is then, or
    /// `None` if there is none.
    ///
    /// # Errors
    /// Nothing has changed then, or the store cannot say whether it has.
    pub async fn mute(&self, uid: &str, mute: Mute) -> Result<Option<Monitor>, SteerError> {
        self.want(uid, Wish::Mute(Some(mute))).await
    }

    /// Tells about a monitor again, and of an incident that has opened meanwhile and is still open. Gives the monitor as
    /// it is then, or `None` if there is none.
    ///
    /// # Errors
    /// As [`Handle::mute`].
    pub async fn unmute(&self, uid: &str) -> Result<Option<Monitor>, SteerError> {
        self.want(uid, Wish::Mute(None)).await
    }

    /// Removes a monitor that is no more, with its runs. Its incident is resolved in the name of `by`, its silence ends, and
    /// whoever was told of them is told. Gives the monitor as it was, or `None` if there is none.
    ///
    /// # Errors
    /// As [`Handle::mute`].
    pub async fn forget_monitor(&self, uid: &str, by: &str) -> Result<Option<Monitor>, SteerError> {
        self.want(uid, Wish::Forget { by: by.to_owned() }).await
    }

    /// Goes on with other settings of the tracker. All monitors are judged by them anew: a silence to which they give more
    /// time is over, and whoever was told of it is told that.
    pub fn put_tracking(&self, tracking: Tracking) {
        self.tracking.send_replace(Arc::new(tracking));
    }

    /// What the tracker goes by.
    #[must_use]
    pub fn tracking(&self) -> Arc<Tracking> {
        Arc::clone(&self.tracking.borrow())
    }

    async fn want(&self, uid: &str, wish: Wish) -> Result<Option<Monitor>, SteerError> {
        let (answer, answered) = oneshot::channel();
        let command = Command { uid: uid.to_owned(), wish, answer };
        self.tracker.send(command).map_err(|_| SteerError::Stopped)?;
        Ok(answered.await.map_err(|_| SteerError::Stopped)??)
    }
}
