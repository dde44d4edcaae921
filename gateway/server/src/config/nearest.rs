//! "Did you mean …?"

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

/// Below this two words are no slip of each other (Jaro-Winkler: 0 nothing in common, 1 equal).
const LIKENESS_MIN: f64 = 0.8;

/// The one of `known` that `name` is a slip of.
pub(super) fn of<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&name, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests;
