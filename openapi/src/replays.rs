//! The resource `replays`: many finished deliveries once more, by a filter.

use poem_openapi::{
    Enum, Object, OpenApi, Tags,
    param::{Path, Query},
    payload::Json,
};

use crate::{
    auth::{ApiKey, OperatorKey},
    deliveries::DeliveryFilter,
    json_body::JsonBody,
    page::{self, List},
    port::Gateway,
    problem::Failure,
    time::Timestamp,
};

const LIST: List = List("replays");

/// What to do again.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields)]
pub struct NewReplay {
    /// Which finished deliveries; without any part all of them. Of a delivery and those that did it again only the newest
    /// counts.
    pub filter: DeliveryFilter,
    /// Only count them: ask this first.
    #[oai(default)]
    pub dry_run: bool,
    /// How many deliveries to make in a second; 50 when it is left out.
    #[oai(validator(minimum(value = "1"), maximum(value = "10000")))]
    pub per_second: Option<u32>,
}

/// What a replay is about to do.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ReplayStarted {
    /// The replay's id. Absent after a dry run, which makes none.
    pub id: Option<String>,
    /// How many deliveries match. Those that were done again already do not count, nor do those to destinations that the
    /// configuration no longer has.
    pub count: u64,
}

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ReplayState {
    /// Makes deliveries, also after a restart.
    Running,
    /// Has made all of them.
    Done,
    /// Was stopped by a person; what it had made goes on.
    Cancelled,
}

/// A replay: one new delivery for each finished one that matches and was not done again already.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Replay {
    /// The replay's id.
    pub id: String,
    /// How far it is.
    pub state: ReplayState,
    /// What it does again.
    pub filter: DeliveryFilter,
    /// How many deliveries it makes in a second.
    pub per_second: u32,
    /// How many deliveries matched when it was asked for.
    pub count: u64,
    /// How many deliveries it has made. In the end these may be fewer than `count`, when some were removed or done again
    /// by someone else meanwhile. They are more only if others became final at the very moment it was asked for, or if
    /// the clock was set back before.
    pub made: u64,
    /// What became of those. Absent in lists.
    pub progress: Option<ReplayProgress>,
    /// The name of the API key that began it.
    pub created_by: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it had made its last delivery, or was cancelled.
    pub finished_at: Option<Timestamp>,
}

/// What became of the deliveries that a replay made.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct ReplayProgress {
    /// Wait or are on their way.
    pub waiting: u64,
    /// The destination has them.
    pub delivered: u64,
    /// Given up.
    pub dead: u64,
    /// Skipped, superseded or cancelled.
    pub other: u64,
}

/// A page of replays, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ReplayPage {
    /// The replays.
    pub items: Vec<Replay>,
    /// Pass it as `cursor` to get the next page. Absent on the last page.
    pub next_cursor: Option<String>,
}

#[derive(Tags)]
enum Tag {
    /// Finished deliveries once more.
    Replays,
}

/// The operations on replays.
pub(crate) struct ReplaysApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1/replays")]
impl<G: Gateway> ReplaysApi<G> {
    /// Replay deliveries
    ///
    /// Needs the role operator. Makes a new delivery, with a full budget of attempts, for each one that matches, had
    /// finished when it was asked for, and was not done again already. So it does none of its own again, and the dead
    /// letters that one replay has taken are none of the next one's. They are made in the order of the first ones, wait
    /// their turn in their lanes, and keep a link to them. With `dry_run` nothing happens: the answer says how many it
    /// would be.
    #[oai(path = "/", method = "post", operation_id = "createReplay", tag = "Tag::Replays")]
    async fn create(
        &self,
        key: OperatorKey<G>,
        request: JsonBody<NewReplay>,
    ) -> Result<Json<ReplayStarted>, Failure> {
        let NewReplay { filter, dry_run, per_second } = request.0;
        if dry_run {
            key.0.note.changes_nothing();
            let count = self.0.count_replay(filter).await?;
            return Ok(Json(ReplayStarted { id: None, count }));
        }
        let replay = self.0.begin_replay(filter, per_second, &key.0).await?;
        Ok(Json(ReplayStarted { id: Some(replay.id), count: replay.count }))
    }

    /// List replays
    ///
    /// Gives replays, newest first.
    #[oai(path = "/", method = "get", operation_id = "listReplays", tag = "Tag::Replays")]
    async fn list(
        &self,
        _key: ApiKey<G>,
        /// Most replays on the page.
        #[oai(default = "page::limit_default", validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<u32>,
        /// `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> Result<Json<ReplayPage>, Failure> {
        let page = self.0.replays(LIST.request(limit.0, cursor.0)?).await?;
        let next_cursor = page.next.map(|key| LIST.cursor(&key));
        Ok(Json(ReplayPage { items: page.items, next_cursor }))
    }

    /// Get a replay
    ///
    /// Gives one replay with what became of its deliveries.
    #[oai(path = "/:id", method = "get", operation_id = "getReplay", tag = "Tag::Replays")]
    async fn get(
        &self,
        _key: ApiKey<G>,
        /// The replay's id.
        id: Path<String>,
    ) -> Result<Json<Replay>, Failure> {
        self.0.replay(&id).await?.map(Json).ok_or_else(|| Failure::not_found("replay"))
    }

    /// Cancel a replay
    ///
    /// Needs the role operator. It makes no more deliveries; those it has made go on. One that has ended stays as it is.
    #[oai(path = "/:id/cancel", method = "post", operation_id = "cancelReplay", tag = "Tag::Replays")]
    async fn cancel(
        &self,
        key: OperatorKey<G>,
        /// The replay's id.
        id: Path<String>,
    ) -> Result<Json<Replay>, Failure> {
        let replay = self.0.cancel_replay(&id, &key.0).await?;
        replay.map(Json).ok_or_else(|| Failure::not_found("replay"))
    }
}

#[cfg(test)]
mod tests;
