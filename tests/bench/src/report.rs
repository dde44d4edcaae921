//! The table.

use std::fmt::Write as _;

use crate::{figures::Figures, plan::Plan, say};

/// Prints what was measured.
pub(crate) fn print(figures: &Figures, plan: &Plan) -> anyhow::Result<()> {
    say(&compared(figures, plan))?;
    say(&single(figures))?;
    for line in figures.skipped() {
        say(line)?;
    }
    Ok(())
}

/// What depends on the number of connections.
fn compared(figures: &Figures, plan: &Plan) -> String {
    const COLUMNS: [(&str, &str, usize); 10] = [
        ("no-op/s", "noop_rps", 0),
        ("intake/s", "intake_rps", 0),
        ("ratio", "intake_ratio", 2),
        ("end-to-end/s", "end_to_end_rps", 0),
        ("ratio", "end_to_end_ratio", 2),
        ("no-op p99", "noop_p99_ms", 2),
        ("ack p50", "intake_p50_ms", 2),
        ("ack p99", "intake_p99_ms", 2),
        ("ack p99.9", "intake_p999_ms", 2),
        ("flushes/s", "flushes_per_s", 0),
    ];
    let mut table = format!("medians of {} rounds; times in ms\n{:>11}", plan.rounds, "connections");
    for (title, ..) in COLUMNS {
        cell(&mut table, title.len(), title);
    }
    for connections in plan.connections {
        write!(table, "\n{connections:>11}").expect("writing to a string cannot fail");
        for (title, name, decimals) in COLUMNS {
            let value = figures.median(&format!("{name}_c{connections}"));
            let text = value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"));
            cell(&mut table, title.len(), &text);
        }
    }
    table
}

fn cell(table: &mut String, width: usize, text: &str) {
    let width = width.max(7);
    write!(table, "  {text:>width$}").expect("writing to a string cannot fail");
}

/// What does not, a line each, with the goal where there is one.
fn single(figures: &Figures) -> String {
    const LINES: [(&str, &str, &str); 22] = [
        ("one fsync of 4 KiB, p50 ms", "fsync_p50_ms", ""),
        ("bare responder at 256 connections, /s", "bare_rps_c256", ""),
        ("written bytes per event at 64 connections", "written_bytes_per_event_c64", ""),
        ("written bytes per event at 256 connections", "written_bytes_per_event_c256", ""),
        ("backlog after an end-to-end round at 256 connections", "end_to_end_backlog_c256", ""),
        ("backups of 1 MiB, /s", "backup_1mib_rps", ""),
        ("backups of 1 MiB, p50 ms", "backup_1mib_p50_ms", ""),
        ("backups of 1 MiB, p99 ms", "backup_1mib_p99_ms", ""),
        ("backups of 16 MiB, /s", "backup_16mib_rps", ""),
        ("backups of 16 MiB, p50 ms", "backup_16mib_p50_ms", ""),
        ("backups of 16 MiB, p99 ms", "backup_16mib_p99_ms", ""),
        ("memory one backup of 50 MB adds, MB", "backup_50mb_extra_mb", "< 32"),
        ("memory when idle, MB", "idle_rss_mb", "< 40"),
        ("memory of the plugin's process when idle, MB", "idle_plugin_rss_mb", ""),
        ("memory after the end-to-end rounds, MB", "load_rss_mb", ""),
        ("memory with 1 M waiting, MB", "waiting_1m_rss_mb", ""),
        ("memory after a restart with 1 M waiting, MB", "restart_1m_rss_mb", ""),
        ("intake with 200 readers of the stream, to intake without", "stream_200_ratio", "> 0.95"),
        ("the same of ack p99", "stream_200_p99_ratio", ""),
        ("messages of the stream for each reader, /s", "stream_200_messages_per_reader_s", ""),
        ("restart with 1 M waiting, ready, s", "restart_1m_ready_s", ""),
        ("restart with 1 M waiting, first delivery, s", "restart_1m_s", "< 5"),
    ];
    let mut lines = String::new();
    for (title, name, goal) in LINES {
        if let Some(value) = figures.median(name) {
            writeln!(lines, "{title:<56}{value:>12.2}  {goal}").expect("writing to a string cannot fail");
        }
    }
    lines
}
