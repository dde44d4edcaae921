//! What readers of the stream cost the intake: the same load with nobody reading, and with many.

use super::Run;
use crate::{
    gateway::{Gateway, To},
    process,
    readers::Readers,
};

/// As many as the goal says.
const READERS: usize = 200;
const CONNECTIONS: usize = 64;

pub(super) fn measure(run: &mut Run) -> anyhow::Result<()> {
    let alone = Gateway::start(&run.folder("stream-alone"), To::Nowhere)?;
    let read = Gateway::start(&run.folder("stream-read"), To::Nowhere)?;
    let pair = [("stream_0", &alone, 0), ("stream_200", &read, READERS)];
    for round in 0..run.plan.rounds {
        crate::note(&format!("stream, round {} of {}", round + 1, run.plan.rounds));
        let (mut rates, mut tails) = ([0.0; 2], [0.0; 2]);
        // Each is first in turn.
        for turn in 0..pair.len() {
            let which = (round + turn) % pair.len();
            let (name, gateway, readers) = pair[which];
            let load = run.load(gateway.address, &Gateway::hook_path(), CONNECTIONS);
            let seconds = load.warm_up + load.seconds;
            let reading = (readers > 0).then(|| {
                process::readers(&Readers { readers, seconds, ..gateway.readers("/api/v1/stream") })
            });
            let reading = reading.transpose()?;
            let loaded = run.put(name, &load, gateway.gauge())?;
            (rates[which], tails[which]) = (loaded.rate(), loaded.p99_ms);
            if let Some(reading) = reading {
                let heard = reading.heard()?;
                let each = 1.0 / (seconds * READERS as f64);
                run.figures.add("stream_200_messages_per_reader_s", heard.messages as f64 * each);
                run.figures.add("stream_200_resyncs_per_reader_s", heard.resyncs as f64 * each);
                run.figures.add("stream_200_bytes_per_s", heard.bytes as f64 / seconds);
            }
        }
        // Of the same moments: a machine that others use too is not the same for a minute.
        run.figures.add("stream_200_ratio", rates[1] / rates[0]);
        run.figures.add("stream_200_p99_ratio", tails[1] / tails[0]);
    }
    for (name, gateway, _) in pair {
        if let Some(rss) = gateway.gauge().rss_mb() {
            run.figures.add(format!("{name}_rss_mb"), rss);
        }
    }
    run.figures.add_ratio("stream_200_cpu_ratio", "stream_200_cpu_us_c64", "stream_0_cpu_us_c64");
    Ok(())
}
