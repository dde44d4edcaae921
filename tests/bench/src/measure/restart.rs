//! A gateway with a million waiting deliveries: its memory, and how soon it delivers again after it was killed.

use super::Run;
use crate::{
    gateway::{Gateway, To},
    plan::WAITING,
    process,
};

/// Takes the gateway that was only taken in.
pub(super) fn measure(run: &mut Run, gateway: Gateway) -> anyhow::Result<()> {
    let mut waiting = gateway.waiting()?;
    let rate = run.figures.median("intake_rps_c256").unwrap_or(1.0);
    while waiting < WAITING {
        let seconds = (WAITING - waiting) as f64 / rate;
        if seconds > run.plan.filling_max.as_secs_f64() {
            let why = format!("filling the store would take another {seconds:.0} s");
            run.figures.skip("the restart with a million waiting deliveries", &why);
            return Ok(());
        }
        crate::note(&format!("{waiting} deliveries wait, {seconds:.0} s more until they are a million"));
        let mut load = run.load(gateway.address, &Gateway::hook_path(), 256);
        // At least a moment: an estimate that is a little short must not end in many tiny loads.
        (load.warm_up, load.seconds) = (0.0, seconds.max(0.5));
        process::load(&load)?;
        waiting = gateway.waiting()?;
    }
    if let Some(rss) = gateway.gauge().rss_mb() {
        run.figures.add("waiting_1m_rss_mb", rss);
    }
    drop(gateway);
    // Killed and started more than once: each time the log of the database is read back too.
    for _ in 0..3 {
        let gateway = Gateway::start(&run.folder("intake"), To::Nowhere)?;
        let first = gateway.first_delivery()?;
        run.figures.add("restart_1m_ready_s", (gateway.ready_at - gateway.started_at).as_secs_f64());
        run.figures.add("restart_1m_s", (first - gateway.started_at).as_secs_f64());
        if let Some(rss) = gateway.gauge().rss_mb() {
            run.figures.add("restart_1m_rss_mb", rss);
        }
    }
    run.figures.fact("waiting", waiting);
    Ok(())
}
