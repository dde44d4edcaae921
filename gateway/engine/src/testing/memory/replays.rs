//! How a replay goes on.

use postroom_core::{
    id::{DeliveryId, ReplayId},
    replay::ReplayState,
    time::Timestamp,
};
use postroom_store::{FreshDelivery, NewReplay, Replay};

use super::state::{Replaying, State};

impl State {
    /// Begins a replay of what there is up to the delivery `up_to`.
    pub(super) fn begin_replay(&mut self, new: NewReplay, up_to: Option<DeliveryId>) -> Replay {
        let NewReplay { filter, destinations, per_second, count, final_by, by, at } = new;
        let id = ReplayId::new(i64::try_from(self.replays.len()).unwrap() + 1);
        let replay = Replay {
            id,
            filter,
            destinations,
            per_second,
            count,
            made: 0,
            state: ReplayState::Running,
            by,
            created_at: at,
            finished_at: None,
        };
        let position = DeliveryId::new(0);
        self.replays.insert(id, Replaying { replay: replay.clone(), position, up_to, final_by });
        replay
    }

    /// Makes at most `limit` deliveries more, and gives them with the replay as it stands then.
    pub(super) fn advance_replay(
        &mut self,
        id: ReplayId,
        limit: usize,
        at: Timestamp,
    ) -> Option<(Replay, Vec<FreshDelivery>)> {
        let Replaying { mut replay, position, up_to, final_by } = self.replays.get(&id)?.clone();
        if replay.state != ReplayState::Running {
            return Some((replay, Vec::new()));
        }
        let next: Vec<_> = self
            .matching(&replay.filter)
            .filter(|(id, end)| *id > position && Some(*id) <= up_to && *end <= final_by)
            .map(|(id, _)| id)
            .take(limit)
            .collect();
        let fresh = next.iter().map(|original| self.again(*original, Some(id), at)).collect();
        replay.made += next.len() as u64;
        if next.len() < limit {
            replay.state = ReplayState::Done;
            replay.finished_at = Some(at);
        }
        let position = next.last().copied().unwrap_or(position);
        self.replays.insert(id, Replaying { replay: replay.clone(), position, up_to, final_by });
        Some((replay, fresh))
    }
}
