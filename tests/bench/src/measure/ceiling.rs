//! How fast the load generator is where nothing holds it up: figures near to it say nothing about a gateway.

use super::Run;
use crate::{gauge::Gauge, process::Listening};

pub(super) fn measure(run: &mut Run) -> anyhow::Result<()> {
    let bare = Listening::sink(run.plan.load_threads)?;
    for connections in [64, 256] {
        crate::note(&format!("bare responder, {connections} connections"));
        let load = run.load(bare.address, "/", connections);
        run.put("bare", &load, Gauge(bare.process.id()))?;
    }
    Ok(())
}
