//! What comes over a world.

use std::time::Duration;

use postroom_faulty_disk::{Call, Effect, Keep, Random};
use tokio::time;

use super::{lanes::LANES, lives::End, target::Mood, world::World};

/// Something bad, with what it needs to be done again in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing at all.
    Peace,
    /// SIGKILL for the gateway.
    Kill,
    /// SIGKILL, and the disk is left with this of what was not synced.
    PowerCut(Keep),
    /// SIGKILL inside such a call, and then perhaps a power cut.
    DieIn(Call, Option<Keep>),
    /// SIGKILL for the plugin's process.
    KillPlugin,
    /// SIGTERM, and a new start.
    Restart,
    /// No space for a while; writes fall short first.
    FullDisk { short: bool },
    /// Such calls fail for a while with an input/output error.
    BrokenDisk(Call),
    /// A sync fails, its pages are not written, and soon after the gateway dies, perhaps by a power cut.
    FailedSync { forget: bool, end: End },
    /// The wall clock jumps by so many minutes.
    ClockJump(i64),
    /// The target is slow, fails, limits.
    Mood(Mood),
    /// The target refuses connections, and breaks off those it has.
    TargetDown,
    /// A person pauses the destination, the gateway starts anew, the person resumes it.
    Pause { end: End },
    /// A person replays what a lane had before the round.
    Replay(u64),
}

impl Trouble {
    /// One that follows from `random`.
    pub(super) fn any(random: &mut Random) -> Self {
        let keep = *random.pick(&[Keep::Nothing, Keep::Some, Keep::Some, Keep::All]);
        let end = *random.pick(&[End::Kill, End::PowerCut(keep)]);
        match random.below(20) {
            0 => Self::Peace,
            1 | 2 => Self::Kill,
            3 | 4 => Self::PowerCut(keep),
            5 | 6 => {
                let keep = random.chance(2, 3).then_some(keep);
                Self::DieIn(*random.pick(&Call::ALL), keep)
            }
            7 | 8 => Self::KillPlugin,
            9 => Self::Restart,
            10 => Self::FullDisk { short: random.chance(1, 2) },
            11 => Self::BrokenDisk(*random.pick(&Call::ALL)),
            12 | 13 => Self::FailedSync { forget: random.chance(1, 2), end },
            14 => Self::ClockJump(i64::try_from(random.below(4000)).expect("a small number") - 2000),
            15 => Self::Mood(Mood::Slow(Duration::from_millis(random.below(300)))),
            16 => Self::Mood(*random.pick(&[Mood::Failing(2), Mood::Failing(10), Mood::Limiting])),
            17 => Self::TargetDown,
            18 => Self::Pause { end: *random.pick(&[End::None, End::Term, End::Kill, End::PowerCut(keep)]) },
            _ => Self::Replay(random.below(LANES)),
        }
    }

    /// Whether a target may get something twice: an attempt may end without anybody to note how.
    pub(super) fn may_repeat(self) -> bool {
        match self {
            Self::Kill | Self::PowerCut(_) | Self::DieIn(..) | Self::KillPlugin => true,
            Self::FailedSync { .. } | Self::TargetDown => true,
            Self::Pause { end } => end.is_kill(),
            _ => false,
        }
    }

    /// Whether the gateway may die without having noted what it refused.
    pub(super) fn kills(self) -> bool {
        match self {
            Self::Kill | Self::PowerCut(_) | Self::DieIn(..) | Self::FailedSync { .. } => true,
            Self::Pause { end } => end.is_kill(),
            _ => false,
        }
    }
}

impl World {
    /// Lets it come, waits while it lasts, and ends it.
    pub(super) async fn suffer(&mut self, trouble: Trouble, random: &mut Random) {
        let a_while = Duration::from_millis(100 + random.below(500));
        match trouble {
            Trouble::Peace => time::sleep(2 * a_while).await,
            Trouble::Kill => self.end_and_start(End::Kill, random).await,
            Trouble::PowerCut(keep) => self.end_and_start(End::PowerCut(keep), random).await,
            Trouble::DieIn(call, keep) => {
                self.disk.fail(call, random.below(60), Some(2), Effect::Kill).expect(DISK);
                if time::timeout(2 * a_while, self.serving.ended()).await.is_err() {
                    // No such call came. What follows then is a plain kill.
                    self.disk.heal().expect(DISK);
                }
                self.end_and_start(keep.map_or(End::Kill, End::PowerCut), random).await;
            }
            Trouble::KillPlugin => self.kill_plugin().await,
            Trouble::Restart => self.end_and_start(End::Term, random).await,
            Trouble::FullDisk { short } => {
                let effect = if short { Effect::Short } else { Effect::NoSpace };
                for call in [Call::Write, Call::Resize, Call::Create] {
                    self.disk.fail(call, 0, None, effect).expect(DISK);
                }
                self.pass_with_bad_disk(a_while).await;
            }
            Trouble::BrokenDisk(call) => {
                self.disk.fail(call, random.below(10), None, Effect::BrokenDisk).expect(DISK);
                self.pass_with_bad_disk(a_while).await;
            }
            Trouble::FailedSync { forget, end } => {
                self.disk.forget_after_failed_sync(forget).expect(DISK);
                let count = 1 + random.below(3);
                self.disk.fail(Call::Sync, random.below(20), Some(count), Effect::BrokenDisk).expect(DISK);
                self.pass_with_bad_disk(a_while).await;
                self.end_and_start(end, random).await;
            }
            Trouble::ClockJump(minutes) => {
                self.round.counts.other_troubles += 1;
                self.disk.set_clock_offset(minutes * 60_000).expect(DISK);
                time::sleep(a_while).await;
            }
            Trouble::Mood(mood) => {
                self.round.counts.other_troubles += 1;
                self.notes[0].set_mood(mood);
                time::sleep(a_while).await;
                self.notes[0].set_mood(Mood::Well);
            }
            Trouble::TargetDown => {
                self.round.counts.other_troubles += 1;
                self.target.down().await;
                time::sleep(a_while).await;
                self.target.up();
            }
            Trouble::Pause { end } => self.pause_and_resume(end, random).await,
            // Begun before the round, so that it is known what it replays.
            Trouble::Replay(_) => time::sleep(a_while).await,
        }
    }

    async fn pass_with_bad_disk(&mut self, a_while: Duration) {
        self.round.counts.other_troubles += 1;
        time::sleep(a_while).await;
        self.disk.heal().expect(DISK);
    }

    /// Nothing may arrive while a person has paused the destination, whatever happens to the gateway meanwhile.
    async fn pause_and_resume(&mut self, end: End, random: &mut Random) {
        self.round.counts.other_troubles += 1;
        self.steer("pause").await;
        self.nothing_in_flight().await;
        let before = self.notes[0].requests();
        self.end_and_start(end, random).await;
        time::sleep(Duration::from_millis(200)).await;
        let arrived = self.notes[0].requests() - before;
        if arrived > 0 {
            self.round.faults.push(format!("{arrived} requests came to a paused destination"));
        }
        self.steer("resume").await;
    }
}

pub(super) const DISK: &str = "the faulty disk's own files can be read and written";
