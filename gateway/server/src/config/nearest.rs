//! "Did you mean …?"

/// One measure for names in the file and names in requests.
pub(super) use postroom_openapi::nearest as of;

/// A hint for `name`, which is none of `known`: the nearest of them, or all of them when none is near.
pub(crate) fn hint<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    let mut known: Vec<&str> = known.into_iter().collect();
    let mut seen = std::collections::HashSet::new();
    known.retain(|name| seen.insert(*name));
    if known.is_empty() {
        return None;
    }
    Some(match of(name, known.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("known here: {}", known.join(", ")),
    })
}

#[cfg(test)]
mod tests;
