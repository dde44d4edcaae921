//! The page that people look at.

use chrono::{DateTime, SecondsFormat};

use crate::{double::Reply, incident::Incident};

/// Most that are shown.
const ROWS_MAX: usize = 200;
const HEAD: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta http-equiv=\"refresh\" content=\"2\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>Incidents</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1b1f24; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #d0d7de; padding: .4rem .8rem .4rem 0; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; }
.open { color: #b3261e; font-weight: 600; }
.resolved { color: #1a7f37; }
small { color: #57606a; }
@media (prefers-color-scheme: dark) {
  body { background: #0d1117; color: #e6edf3; } th, td { border-color: #30363d; } small { color: #8d96a0; }
  .open { color: #ff7b72; } .resolved { color: #3fb950; }
}
</style>
";

/// The incidents, open ones first, then the newest.
pub(crate) fn of(incidents: &[Incident]) -> Reply {
    let open = incidents.iter().filter(|incident| incident.is_open()).count();
    let mut sorted: Vec<&Incident> = incidents.iter().rev().collect();
    sorted.sort_by_key(|incident| !incident.is_open());
    let mut page = format!(
        "{HEAD}<h1>Incidents</h1>\n<p>{open} open, {} in all. <small>A stand-in for ITOC360: nobody is called.</small></p>\n",
        incidents.len()
    );
    if incidents.is_empty() {
        page.push_str("<p>Nothing has failed so far.</p>\n");
    } else {
        page.push_str("<table>\n<tr><th>State<th>Title<th>Priority<th>Opened<th>Resolved<th>Alerts\n");
        sorted.iter().take(ROWS_MAX).for_each(|incident| page.push_str(&row(incident)));
        page.push_str("</table>\n");
    }
    Reply { status: 200, content_type: "text/html; charset=utf-8", body: page }
}

fn row(incident: &Incident) -> String {
    let state = if incident.is_open() { "open" } else { "resolved" };
    format!(
        "<tr><td class=\"{state}\">{state}<td>{}<br><small>{}</small><td>{}<td>{}<td>{}<td>{}\n",
        escaped(&incident.title),
        escaped(&incident.fingerprint),
        incident.priority.unwrap_or("-"),
        time(incident.opened_unix_ms),
        incident.resolved_unix_ms.map_or_else(|| "-".to_owned(), time),
        incident.alerts,
    )
}

fn time(unix_ms: u64) -> String {
    let time = i64::try_from(unix_ms).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Titles come from whoever sends events.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
