//! "Did you mean …?"

/// Below this two words are no slip of each other (Jaro-Winkler: 0 nothing in common, 1 equal).
const LIKENESS_MIN: f64 = 0.8;

/// The nearest of `known` to `name`, or all of them when none is near.
pub(crate) fn hint<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> String {
    let known: Vec<&str> = known.collect();
    let name = name.to_lowercase();
    let nearest = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(&name, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match nearest {
        Some((_, near)) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there are none here".to_owned(),
        None => format!("known here: {}", known.join(", ")),
    }
}
