//! Versions of plugins: which is newer, and which one a destination means.

use std::cmp::Ordering;

/// Whether `version` is the wanted one, or one of those: `1.2` is every `1.2.x`.
pub(super) fn is(version: &str, wanted: &str) -> bool {
    match version.strip_prefix(wanted) {
        Some("") => true,
        Some(rest) => rest.starts_with('.'),
        None => false,
    }
}

/// Which of two versions is newer, by the rules of semantic versions as far as the texts follow them: numbers count as
/// numbers, `1.2.0-rc.1` comes before `1.2.0`, and what follows a `+` says nothing.
pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (Parts::of(one), Parts::of(other));
    one.numbers.cmp(&other.numbers).then_with(|| match (one.before.is_empty(), other.before.is_empty()) {
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ => one.before.cmp(&other.before),
    })
}

struct Parts<'a> {
    numbers: Vec<Part<'a>>,
    /// What it is a version before: `rc.1`.
    before: Vec<Part<'a>>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Number(u64),
    Word(&'a str),
}

impl<'a> Parts<'a> {
    fn of(version: &'a str) -> Self {
        let version = version.split_once('+').map_or(version, |(version, _)| version);
        let (numbers, before) = version.split_once('-').unwrap_or((version, ""));
        let part = |part: &'a str| part.parse().map_or(Part::Word(part), Part::Number);
        let parts = |text: &'a str| text.split('.').filter(|part| !part.is_empty()).map(part).collect();
        Self { numbers: parts(numbers), before: parts(before) }
    }
}

#[cfg(test)]
mod tests;
