//! The lives of the gateway in a world: how one ends and the next begins.

use postroom_faulty_disk::{Keep, Random};
use rustix::process::{Pid, Signal, kill_process};

use super::{
    trouble::DISK,
    world::{DESTINATION, World},
};

/// How a gateway ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It does not.
    None,
    /// SIGTERM.
    Term,
    /// SIGKILL.
    Kill,
    /// SIGKILL, and the disk keeps only what was synced, and this of the rest.
    PowerCut(Keep),
}

impl End {
    pub(super) fn is_kill(self) -> bool {
        matches!(self, Self::Kill | Self::PowerCut(_))
    }
}

impl World {
    /// Ends the gateway, if it lives, and starts it again.
    pub(super) async fn end_and_start(&mut self, end: End, random: &mut Random) {
        match end {
            End::None => return,
            End::Term => {
                let status = self.serving.terminate().await;
                if !status.success() {
                    self.round.faults.push(format!("SIGTERM: the gateway ended with {status}"));
                }
            }
            End::Kill | End::PowerCut(_) => {
                self.round.counts.gateway_kills += 1;
                self.serving.kill().await;
            }
        }
        self.disk.heal().expect(DISK);
        if let End::PowerCut(keep) = end {
            self.round.counts.power_cuts += 1;
            let cut = self.disk.cut_power(keep, random);
            if let Err(error) = cut {
                self.round.faults.push(format!("the power cut proves nothing: {error}"));
            }
        }
        self.start_again().await;
    }

    /// Kills the process of the destination's plugin. The gateway starts another.
    pub(super) async fn kill_plugin(&mut self) {
        // Between a start of the gateway and that of its plugin the log has none yet.
        let ready = self.serving.logs().message("plugin ready").await;
        let lines = self.serving.logs().lines().into_iter().rev();
        let lines = lines.filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok());
        let mut of_ours =
            lines.filter(|line| line["message"] == "plugin ready" && line["destination"] == DESTINATION);
        let pid = of_ours.next().unwrap_or(ready)["pid"].as_i64();
        let pid = pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        // It may be gone already, killed in this round before.
        if pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok()) {
            self.round.counts.plugin_kills += 1;
        }
    }
}
