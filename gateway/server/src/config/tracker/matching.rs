//! For which monitors a rule holds.

use postroom_core::{monitor::Matching, route::Pattern};

use crate::config::{
    read::{Context, Table, Value},
    route,
};

pub(super) fn read(cx: &mut Context<'_>, table: &mut Table<'_>) -> Option<Matching> {
    let mut globs = |cx: &mut Context<'_>, key| match table.get(key) {
        None => Some(Vec::new()),
        Some(value) => patterns(cx, &value),
    };
    let monitor = globs(cx, "monitor");
    let collection = globs(cx, "collection");
    let environment = globs(cx, "environment");
    let labels = route::labels(cx, table.get("labels"));
    Some(Matching { monitor: monitor?, collection: collection?, environment: environment?, labels: labels? })
}

/// One pattern, or a list of them.
pub(super) fn patterns(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Vec<Pattern>> {
    if let Some(text) = value.value.as_str() {
        return Some(vec![route::pattern(cx, &value.spot, text)?]);
    }
    route::items(cx, Some(value.clone()), route::pattern)
}
