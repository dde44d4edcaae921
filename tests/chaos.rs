//! Everything goes wrong at once, and the books must still balance.
//!
//! A world is a gateway with its plugins on a disk that can fail, two targets, and senders that post numbered runs of
//! many monitors without a pause. Round after round some trouble comes over it while the load goes on. Then the trouble
//! ends, the gateway gets time to deliver what it has, and the round is judged: whatever was acknowledged has arrived,
//! each lane in order, nothing arrived that was not sent, and nothing arrived twice unless something crashed.
//!
//! All choices follow from a seed. What the scheduler and the disk make of them does not, so a seed brings a failure
//! back often, not always; the folder of a world that failed is kept.

mod books;
mod lanes;
mod lives;
mod operate;
mod settle;
mod tally;
mod target;
mod trouble;
mod world;

use std::{path::Path, time::Duration};

use postroom_faulty_disk::Random;
use tempfile::TempDir;
use tokio::time::Instant;

pub use self::tally::Tally;
use self::{tally::Round, world::World};
use crate::harness::Program;

/// Rounds before a world is given up for a fresh one: enough for a database with a past, and a bound on what the books
/// hold.
const ROUNDS_OF_A_WORLD: u64 = 12;

/// How long, and from which seed.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Where the choices of the first world follow from; the next worlds take the next numbers.
    pub seed: u64,
    /// New rounds begin for so long.
    pub length: Duration,
}

/// Runs worlds until the time is over, and says a line for each round and what failed.
///
/// # Panics
/// When no folder can be made for a world.
pub async fn run(program: &Program, settings: Settings, mut say: impl FnMut(&str)) -> Tally {
    let end = Instant::now() + settings.length;
    let mut total = Tally::default();
    let mut seed = settings.seed;
    while Instant::now() < end {
        say(&format!("world {seed}"));
        let folder = TempDir::with_prefix("postroom-chaos-").expect("a folder can be made");
        if !live(program, folder.path(), seed, end, &mut total, &mut say).await {
            say(&format!("  kept in {}", folder.keep().display()));
            say(&format!("  to try it again: cargo xtask chaos --seed {seed} --seconds 60"));
        }
        total.add_world();
        seed += 1;
    }
    total
}

/// Lives one world to its end, and says whether all was well. It ends early when something failed: what follows would
/// only repeat it.
async fn live(
    program: &Program,
    folder: &Path,
    seed: u64,
    end: Instant,
    total: &mut Tally,
    say: &mut impl FnMut(&str),
) -> bool {
    let mut random = Random::new(seed);
    let mut world = World::begin(program, folder, seed).await;
    for number in 1..=ROUNDS_OF_A_WORLD {
        // In a task of its own: a gateway that does not answer or start ends the round by a panic, and the books of all
        // other rounds are to be shown all the same.
        let round = tokio::spawn(async move {
            let round = world.round(&mut random).await;
            (world, random, round)
        });
        let round = match round.await {
            Ok((world_after, random_after, round)) => {
                (world, random) = (world_after, random_after);
                round
            }
            Err(error) => {
                let round = Round::broken_off(&error.to_string());
                say(&format!("  round {number}: {round}"));
                total.add(&round);
                return false;
            }
        };
        say(&format!("  round {number}: {round}"));
        total.add(&round);
        if round.failed() || Instant::now() >= end {
            return !round.failed();
        }
    }
    true
}
