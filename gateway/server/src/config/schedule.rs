//! Weekly windows: `schedule` and `timezone` of a destination, when deliveries may start; `maintenance` of a monitor.

use postroom_core::schedule::Schedule;

use super::read::{Context, Table, Value};

/// The zone of a schedule that names none.
const ZONE: &str = "UTC";
/// A window that is good, to try a zone with.
const ANY_WINDOW: &str = "mon 00:00-24:00";

/// Reads both; `Some(None)` when there is no schedule, `None` after a fault.
pub(super) fn read(cx: &mut Context<'_>, table: &mut Table<'_>) -> Option<Option<Schedule>> {
    let (windows, zone) = (table.get("schedule"), table.get("timezone"));
    of(cx, windows, zone)
}

/// Reads windows and the time zone that they are in; `Some(None)` when there are neither, `None` after a fault.
pub(super) fn of<'a>(
    cx: &mut Context<'_>,
    windows: Option<Value<'a>>,
    zone: Option<Value<'a>>,
) -> Option<Option<Schedule>> {
    let Some(windows) = windows else {
        let Some(zone) = zone else { return Some(None) };
        cx.faults
            .at(&zone.spot, "a time zone without a schedule")
            .hint("add a schedule, like [\"mon-fri 08:00-18:00\"]");
        return None;
    };
    let zone = match &zone {
        None => Some(ZONE),
        Some(value) => time_zone(cx, value),
    };
    let windows = windows_of(cx, &windows)?;
    // Its parts are good, so nothing can be wrong with the whole.
    Schedule::parse(&windows, zone?).ok().map(Some)
}

/// The windows of a schedule that is good but for its zone.
fn windows_of<'a>(cx: &mut Context<'_>, value: &Value<'a>) -> Option<Vec<&'a str>> {
    let items = value.texts(cx)?;
    let mut good = true;
    for (spot, window) in &items {
        if let Err(error) = Schedule::parse(&[window], ZONE) {
            cx.faults.at(spot, error.to_string());
            good = false;
        }
    }
    let windows: Vec<&str> = items.iter().map(|(_, window)| *window).collect();
    if good && let Err(error) = Schedule::parse(&windows, ZONE) {
        cx.faults.at(&value.spot, error.to_string());
        good = false;
    }
    good.then_some(windows)
}

fn time_zone<'a>(cx: &mut Context<'_>, value: &Value<'a>) -> Option<&'a str> {
    let zone = value.text(cx)?;
    match Schedule::parse(&[ANY_WINDOW], zone) {
        Ok(_) => Some(zone),
        Err(error) => {
            cx.faults.at(&value.spot, error.to_string());
            None
        }
    }
}
