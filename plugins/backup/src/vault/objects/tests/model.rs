//! Two gateways, a pruner and a packer on one storage, in any order of their steps, and each may die after any of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use proptest::prelude::*;

use super::*;

/// What happens next.
#[derive(Debug, Clone)]
enum Move {
    /// A gateway gets a backup: which gateway, and which of a few bodies.
    Keep {
        gateway: usize,
        body: u32,
    },
    /// A gateway packs, or prunes.
    Pack {
        gateway: usize,
    },
    Prune {
        gateway: usize,
    },
    /// One of those that are at work goes on for so many steps of the storage.
    Step {
        task: usize,
        steps: usize,
    },
    /// A gateway dies, with all that it is at.
    Crash {
        gateway: usize,
    },
    /// Somebody who knows nothing looks.
    Look,
    /// Time passes: a little at any time, much when nobody is at work.
    Pass {
        ms: u64,
    },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let gateway = 0..2_usize;
    let one = prop_oneof![
        6 => (gateway.clone(), 0..5_u32).prop_map(|(gateway, body)| Move::Keep { gateway, body }),
        2 => gateway.clone().prop_map(|gateway| Move::Pack { gateway }),
        2 => gateway.clone().prop_map(|gateway| Move::Prune { gateway }),
        16 => (0..8_usize, 1..14_usize).prop_map(|(task, steps)| Move::Step { task, steps }),
        1 => gateway.prop_map(|gateway| Move::Crash { gateway }),
        2 => Just(Move::Look),
        4 => prop_oneof![Just(1), Just(30_000), Just(3 * MINUTE), Just(DAY), Just(3 * DAY)]
            .prop_map(|ms| Move::Pass { ms }),
    ];
    prop::collection::vec(one, 1..160)
}

/// What came of a task.
enum Done {
    /// Which body, and the version that it is said to be, if any.
    Kept {
        body: u32,
        version: Option<String>,
    },
    Pruned(Vec<String>),
    Packed,
}

type Task = Pin<Box<dyn Future<Output = Result<Done, Error>>>>;

struct World {
    memory: Memory,
    gateways: [Objects; 2],
    tasks: Vec<(usize, Task)>,
    now: u64,
    /// The versions that somebody was told are kept, with what they say.
    acknowledged: BTreeMap<String, u32>,
    /// Those that a pruner may have marked, from when it began.
    pruned: BTreeSet<String>,
}

const RETENTION: Retention = Retention {
    last: 2,
    hourly: 0,
    daily: 0,
    weekly: 0,
    monthly: 0,
    yearly: 0,
    min_age: std::time::Duration::ZERO,
};

/// A gateway that packs often.
fn started(memory: &Memory) -> Objects {
    let packing = Packing { loose: 3, fanout: 2 };
    Objects::new(Shelf::Memory(memory.clone()), Settings { packing, ..settings() })
}

impl World {
    fn new() -> Self {
        let memory = Memory::default();
        let gateways = [0, 1].map(|_| started(&memory));
        Self {
            memory,
            gateways,
            tasks: Vec::new(),
            now: RECEIVED,
            acknowledged: BTreeMap::new(),
            pruned: BTreeSet::new(),
        }
    }

    fn make(&mut self, next: Move) -> Result<(), TestCaseError> {
        match next {
            Move::Keep { gateway, body: says } => {
                self.now += 1;
                let (vault, now) = (self.gateways[gateway].clone(), self.now);
                let snapshot = snapshot(&body(&format!("r{says}"), 1), now);
                self.begin(gateway, async move {
                    let version = match vault.keep(snapshot, now).await? {
                        Kept::New(fresh) => Some(fresh.version.id),
                        Kept::Again(version) | Kept::Unchanged(version) => Some(version.id),
                        Kept::Gone(_) => None,
                    };
                    Ok(Done::Kept { body: says, version })
                });
            }
            Move::Pack { gateway } => {
                let (vault, now) = (self.gateways[gateway].clone(), self.now);
                self.begin(gateway, async move {
                    vault.pack(ID, now).await?;
                    Ok(Done::Packed)
                });
            }
            Move::Prune { gateway } => {
                let (vault, now) = (self.gateways[gateway].clone(), self.now);
                self.begin(gateway, async move {
                    let pruned = vault.prune(ID, Some(&RETENTION), now, false).await?;
                    Ok(Done::Pruned(pruned.gone.into_iter().map(|version| version.id).collect()))
                });
            }
            Move::Step { task, steps } => self.step(task, steps)?,
            Move::Crash { gateway } => {
                self.tasks.retain(|(of, _)| *of != gateway);
                self.gateways[gateway] = started(&self.memory);
            }
            Move::Look => self.look()?,
            Move::Pass { ms } => {
                if ms < MINUTE || self.tasks.is_empty() {
                    self.now += ms;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, gateway: usize, work: impl Future<Output = Result<Done, Error>> + 'static) {
        self.tasks.push((gateway, Box::pin(work)));
    }

    fn step(&mut self, task: usize, steps: usize) -> Result<(), TestCaseError> {
        if self.tasks.is_empty() {
            return Ok(());
        }
        let place = task % self.tasks.len();
        for _ in 0..steps {
            let polled = self.tasks[place].1.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            self.note_marks();
            if let Poll::Ready(done) = polled {
                drop(self.tasks.remove(place));
                return self.finish(done);
            }
        }
        Ok(())
    }

    /// Marks that are on the storage, of pruners that may die before they tell.
    fn note_marks(&mut self) {
        let folder = names::versions_folder(ID);
        let files = self.memory.files();
        let marks = files.keys().filter_map(|path| path.strip_prefix(&folder)?.strip_suffix(".gone.json"));
        let marks = marks.filter_map(|mark| mark.rsplit_once('.')).map(|(id, _)| id);
        self.pruned.extend(marks.map(|mark| mark.trim_start_matches('/').to_owned()));
    }

    fn finish(&mut self, done: Result<Done, Error>) -> Result<(), TestCaseError> {
        match done {
            // Nothing fails here but a list that changes too fast; the gateway would try again.
            Err(Error::Unsteady) => {}
            Err(error) => return Err(TestCaseError::fail(format!("{error:?}"))),
            Ok(Done::Kept { body, version: Some(version) }) => drop(self.acknowledged.insert(version, body)),
            Ok(Done::Kept { version: None, .. } | Done::Packed) => {}
            Ok(Done::Pruned(gone)) => self.pruned.extend(gone),
        }
        Ok(())
    }

    /// Everything that was acknowledged is there unless it was pruned, the newest always, and all that is shown is whole.
    fn look(&self) -> Result<(), TestCaseError> {
        let looked = async {
            let vault = reopened(&self.memory);
            let mut shown = BTreeMap::new();
            for version in vault.versions(ID).await? {
                let whole = vault.body(ID, &version).await?;
                shown.insert(version.id, String::from_utf8(whole.to_vec()).unwrap());
            }
            Ok::<_, Error>(shown)
        };
        let shown = run(looked).map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        for (id, says) in &self.acknowledged {
            match shown.get(id) {
                Some(whole) => prop_assert_eq!(whole, &body(&format!("r{says}"), 1)),
                None => prop_assert!(self.pruned.contains(id), "{} is lost", id),
            }
        }
        prop_assert!(
            shown.is_empty() == self.acknowledged.is_empty() || !shown.is_empty(),
            "the last one is gone"
        );
        Ok(())
    }

    /// Everybody ends what he is at.
    fn end(&mut self) -> Result<(), TestCaseError> {
        while !self.tasks.is_empty() {
            self.step(0, 1000)?;
        }
        self.look()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_version_is_lost_and_none_is_seen_half(moves in moves()) {
        let mut world = World::new();
        for next in moves {
            world.make(next)?;
        }
        world.end()?;
        // A day later, when what may go has gone, it is still so.
        for days in [1, 3] {
            world.now += days * DAY;
            world.make(Move::Pack { gateway: 0 })?;
            world.make(Move::Prune { gateway: 1 })?;
            world.end()?;
        }
        let verified = run(reopened(&world.memory).verify(ID));
        let damaged = verified.map_err(|error| TestCaseError::fail(format!("{error:?}")))?.damaged;
        prop_assert!(damaged.is_empty(), "{:?}", damaged);
    }
}
