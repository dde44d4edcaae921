//! A gateway, its targets, its senders, and the disk under it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use postroom_faulty_disk::{Disk, Random};
use tokio::{sync::watch, time};

use super::{
    lanes::{Gateway, LANES, Ledger, Senders},
    tally::Round,
    target::Notes,
    trouble::{DISK, Trouble},
};
use crate::{
    doubles::Double,
    harness::{Config, Program, Serving},
};

/// The destination that troubles come over.
pub(super) const DESTINATION: &str = "target";
/// Gets the same events. Its target is always well, so what comes over the other one must not concern it.
pub(super) const WITNESS: &str = "witness";

/// Each sync takes up to this much longer, so that more gathers behind it and more dies with it.
const SYNC_DELAY_US_MAX: u64 = 3000;
/// Enough attempts that no run dies of a target that is away for a second or of a plugin that crashes.
const RETRY: &str = "\"20ms\", \"50ms\", \"100ms\"";
const RETRIES_MORE: usize = 60;

/// Everything of one run of the suite.
#[derive(Debug)]
pub(super) struct World {
    // Before the folder's owner removes it, the gateway has to end.
    pub(super) serving: Serving,
    program: Program,
    folder: PathBuf,
    pub(super) config: Config,
    pub(super) disk: Disk,
    pub(super) target: Double,
    _witness: Double,
    /// Of the target and of the witness.
    pub(super) notes: [Notes; 2],
    pub(super) gateway: watch::Sender<Gateway>,
    pub(super) ledger: Ledger,
    /// What is told about the round that runs.
    pub(super) round: Round,
    /// Replays of this round: id and lane.
    pub(super) replays: Vec<(String, u64)>,
    /// Lanes that were replayed in any round.
    replayed: BTreeSet<u64>,
}

impl World {
    /// Starts everything in `folder`.
    pub(super) async fn begin(program: &Program, folder: &Path, seed: u64) -> Self {
        let notes = [Notes::default(), Notes::default()];
        let (target, witness) = (Double::start(notes[0].clone()), Double::start(notes[1].clone()));
        let retry = format!("retry = [{RETRY}{}]", ", \"200ms\"".repeat(RETRIES_MORE));
        let config = Config::new()
            .forward(DESTINATION, &target.url("/"), &retry)
            .forward(WITNESS, &witness.url("/"), &retry)
            .route("to the target", "", DESTINATION)
            .route("to the witness", "", WITNESS);
        fs::write(folder.join("postroom.toml"), config.text(&program.plugins())).expect("a fresh folder");

        let data = folder.join("data");
        fs::create_dir(&data).expect("a fresh folder");
        let disk = Disk::new(&data, &folder.join("disk"), seed).expect(DISK);
        disk.delay_syncs(SYNC_DELAY_US_MAX).expect(DISK);
        let program = program.clone().with_variables(disk.variables());
        let serving = Serving::start(&program, folder, ["--config", "postroom.toml"]).await;
        let gateway = watch::Sender::new(address(&serving, &config));
        Self {
            serving,
            program,
            folder: folder.to_owned(),
            config,
            disk,
            target,
            _witness: witness,
            notes,
            gateway,
            ledger: Ledger::new(),
            round: Round::default(),
            replays: Vec::new(),
            replayed: BTreeSet::new(),
        }
    }

    pub(super) async fn start_again(&mut self) {
        self.keep_log();
        self.serving = Serving::start(&self.program, &self.folder, ["--config", "postroom.toml"]).await;
        self.gateway.send_replace(address(&self.serving, &self.config));
    }

    /// Lets one to three troubles come while the senders work, then waits for quiet and looks what is there.
    pub(super) async fn round(&mut self, random: &mut Random) -> Round {
        let troubles: Vec<Trouble> = (0..=random.below(3)).map(|_| Trouble::any(random)).collect();
        self.round = Round::default();
        self.round.troubles = troubles.iter().map(|trouble| format!("{trouble:?}")).collect();
        let before = self.ledger.answers.iter().map(|answers| answers.len() as u64).collect::<Vec<_>>();
        for trouble in &troubles {
            if let Trouble::Replay(lane) = trouble {
                self.replay_once(*lane).await;
            }
        }
        let senders = Senders::start(std::mem::take(&mut self.ledger), &self.gateway.subscribe(), random);
        for trouble in &troubles {
            time::sleep(time::Duration::from_millis(50 + random.below(400))).await;
            self.suffer(*trouble, random).await;
        }
        self.ledger = senders.stop().await;
        self.settle().await;
        self.judge(&troubles, &before).await;
        if self.round.failed() {
            self.keep_log();
        }
        std::mem::take(&mut self.round)
    }

    /// Replays a lane unless that was done before: what comes a third time would look like disorder.
    async fn replay_once(&mut self, lane: u64) {
        if self.replayed.insert(lane) {
            self.replay(lane).await;
        }
    }

    /// Puts the log of the gateway beside its data, for a person who looks for what went wrong.
    fn keep_log(&self) {
        let lines = self.serving.logs().lines().join("\n") + "\n";
        let file = fs::File::options().create(true).append(true).open(self.folder.join("log.jsonl"));
        let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, lines.as_bytes()));
        written.expect("the log can be kept");
    }
}

fn address(serving: &Serving, config: &Config) -> Gateway {
    let hook = format!("/hooks/{}?token={}", Config::SOURCE, config.token());
    Gateway { client: serving.client.clone(), hook: hook.into() }
}

/// All lanes.
pub(super) fn lanes() -> std::ops::Range<u64> {
    0..LANES
}
