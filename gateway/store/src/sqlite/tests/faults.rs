//! The store on a disk that fails, fills up and loses power, against plain books.
//!
//! Each seed is one store that lives several times. A life is a process of its own, this test binary once more, on a
//! [`Disk`]: it opens the store, tells what is in it, does random things and notes each before it is begun and when it is
//! answered. It ends well, or by an abort, or inside some call of the disk; then perhaps the power goes. The
//! [`Books`](books::Books) say what the next life may find.
//!
//! `POSTROOM_STORE_SEEDS=first..end` runs these seeds instead of the few that every run of the tests takes.

mod books;
mod following;
mod life;
mod notes;

use std::{
    env,
    ops::Range,
    path::Path,
    process::{Command, Stdio},
    sync::Mutex,
    thread,
};

use postroom_faulty_disk::{Call, Disk, Effect, Keep, Random};

use self::{books::Books, life::Life, notes::Note};

const SEEDS: Range<u64> = 0..12;
const LIVES: u64 = 6;
const STORES_AT_ONCE: usize = 4;
const THIS_TEST: &str = "sqlite::tests::faults::what_was_answered_is_there_whatever_the_disk_does";

#[test]
fn what_was_answered_is_there_whatever_the_disk_does() {
    if let Some(life) = Life::of_this_process() {
        return life.run();
    }
    let seeds = Mutex::new(seeds());
    thread::scope(|scope| {
        for _ in 0..STORES_AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(seed) = seeds.lock().unwrap().next() else { return };
                    if let Err(fault) = live_and_compare(seed) {
                        panic!("seed {seed}: {fault}\nonce more: POSTROOM_STORE_SEEDS={seed}..{}", seed + 1);
                    }
                }
            });
        }
    });
}

/// The folder of the database is made by the first start, and what the second one puts there must not go with it.
#[test]
fn a_first_start_that_fails_costs_a_later_one_nothing() {
    for (call, effect) in [
        (Call::SyncFolder, Effect::BrokenDisk),
        (Call::SyncFolder, Effect::Kill),
        (Call::Create, Effect::NoSpace),
    ] {
        for after in 0..4 {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().join("root");
            std::fs::create_dir(&root).unwrap();
            let disk = Disk::new(&root, &folder.path().join("disk"), 1).unwrap();
            let mut books = Books::default();
            for (number, actions, ends_well) in [(0, 0, true), (1, 20, false), (2, 0, true)] {
                if number == 0 {
                    disk.fail(call, after, Some(1), effect).unwrap();
                }
                let notes = folder.path().join(format!("notes-{number}"));
                let first_event = number * life::EVENTS_MAX;
                let (root, kept) = (root.clone(), notes.clone());
                begin(&Life { seed: 1, first_event, root, notes: kept, actions, ends_well }, &disk);
                disk.heal().unwrap();
                let read = Note::read_all(&std::fs::read_to_string(&notes).unwrap_or_default());
                assert!(number == 0 || !read.is_empty(), "{call:?} {effect:?} after {after}: no start");
                books
                    .compare(&read)
                    .unwrap_or_else(|fault| panic!("{call:?} {effect:?} after {after}: {fault}"));
                if number == 1 {
                    disk.cut_power(Keep::Nothing, &mut Random::new(1)).unwrap();
                }
            }
        }
    }
}

fn seeds() -> Range<u64> {
    let Ok(text) = env::var("POSTROOM_STORE_SEEDS") else { return SEEDS };
    let range = text.split_once("..").and_then(|(first, end)| Some(first.parse().ok()?..end.parse().ok()?));
    range.expect("POSTROOM_STORE_SEEDS is first..end")
}

/// Lets a store live, and says what was wrong. Its files are kept then.
fn live_and_compare(seed: u64) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let compared = live_in(folder.path(), seed);
    compared.map_err(|fault| format!("{fault}\nkept in {}", folder.keep().display()))
}

fn live_in(folder: &Path, seed: u64) -> Result<(), String> {
    let root = folder.join("root");
    std::fs::create_dir(&root).unwrap();
    let disk = Disk::new(&root, &folder.join("disk"), seed).unwrap();
    disk.delay_syncs(500).unwrap();
    let mut random = Random::new(seed);
    let mut books = Books::default();
    for number in 0..LIVES {
        // The last life meets no fault: what it finds is the proof.
        let last = number == LIVES - 1;
        if !last {
            arm(&disk, &mut random);
        }
        let notes = folder.join(format!("notes-{number}"));
        let life = Life {
            seed: random.number(),
            first_event: number * life::EVENTS_MAX,
            root: root.clone(),
            notes: notes.clone(),
            actions: if last { 0 } else { random.below(50) },
            ends_well: last || random.chance(1, 3),
        };
        let ended_well = begin(&life, &disk);
        disk.heal().unwrap();
        let text = std::fs::read_to_string(&notes).unwrap_or_default();
        let read = Note::read_all(&text);
        books.compare(&read).map_err(|fault| format!("life {number}: {fault}"))?;
        if last && !read.iter().any(|note| matches!(note, Note::Shown)) {
            return Err("the last life could not open the store".to_owned());
        }
        if !ended_well && random.chance(2, 3) {
            let keep = *random.pick(&[Keep::Nothing, Keep::Some, Keep::Some, Keep::All]);
            disk.cut_power(keep, &mut random).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// Lets one or two kinds of calls fail, somewhere in the next life.
fn arm(disk: &Disk, random: &mut Random) {
    disk.forget_after_failed_sync(random.chance(1, 2)).unwrap();
    for _ in 0..random.below(3) {
        let call = *random.pick(&Call::ALL);
        let effect =
            *random.pick(&[Effect::NoSpace, Effect::BrokenDisk, Effect::Short, Effect::Kill, Effect::Kill]);
        let calls = match call {
            Call::Write => 400,
            Call::Sync => 60,
            Call::SyncFolder | Call::Create | Call::Rename | Call::Resize => 12,
        };
        disk.fail(call, random.below(calls), Some(1 + random.below(6)), effect).unwrap();
    }
}

/// Runs a life to its end, and says whether it ended well.
fn begin(life: &Life, disk: &Disk) -> bool {
    let this = env::current_exe().unwrap();
    let mut process = Command::new(this);
    process.args(["--exact", THIS_TEST, "--nocapture", "--test-threads", "1"]);
    process.envs(disk.variables()).envs(life.variables());
    process.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    process.status().unwrap().success()
}

/// Where a life keeps its store.
fn database(root: &Path) -> std::path::PathBuf {
    root.join("data").join("postroom.db")
}
