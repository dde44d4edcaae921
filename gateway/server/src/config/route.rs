//! `[[route]]`: which events go to which destinations.

use std::{collections::BTreeMap, str::FromStr};

use postroom_core::{
    event::{Kind, Verdict},
    id::{DestinationName, RouteName, SourceName},
    route::{Conditions, Expression, ExpressionError, Pattern, Route},
};

use super::{
    fault::{Position, Spot},
    names, nearest,
    read::{Context, Table, Value},
};

/// The names that a route may refer to.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) sources: Vec<String>,
    pub(super) destinations: Vec<String>,
}

/// A kind that a route names and that is not one of the gateway's own. Whether a plugin makes it is known once the plugins
/// are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedKind {
    /// Its name.
    pub name: String,
    /// The route's setting, like `route[0].kinds`.
    pub path: String,
    /// Where it stands in the file.
    pub position: Position,
}

impl NamedKind {
    fn of(cx: &Context<'_>, spot: &Spot, name: &str) -> Option<Self> {
        let is_own = name.is_empty() || Kind::NAMES.contains(&name);
        let position = cx.faults.position(spot.span.start);
        (!is_own).then(|| Self { name: name.to_owned(), path: spot.path.clone(), position })
    }
}

/// Also adds the kinds that only plugins can make to `named`.
pub(super) fn read(
    cx: &mut Context<'_>,
    mut table: Table<'_>,
    declared: &Declared,
    named: &mut Vec<NamedKind>,
) -> Option<Route> {
    let name = names::for_people(cx, &mut table);
    let kinds = items(cx, table.get("kinds"), |cx, spot, text| {
        let kind = one_of(cx, spot, "kind", text, &Kind::NAMES)?;
        named.extend(NamedKind::of(cx, spot, text));
        Some(kind)
    });
    let sources = items(cx, table.get("sources"), |cx, spot, text| {
        declared_name(cx, spot, "source", text, &declared.sources).then(|| SourceName::new(text))
    });
    let labels = labels(cx, table.get("labels"));
    let monitor = items(cx, table.get("monitor"), pattern);
    let collection = items(cx, table.get("collection"), pattern);
    let environment = items(cx, table.get("environment"), pattern);
    let verdict = items(cx, table.get("verdict"), |cx, spot, text| {
        one_of(cx, spot, "verdict", text, &Verdict::ALL.map(Verdict::as_str))
    });
    let action = items(cx, table.get("action"), pattern);
    let model = items(cx, table.get("model"), pattern);
    let when = expression(cx, table.get("when"), declared, named);
    let to =
        table.require(cx, "to", "the names of destinations, like to = [\"backups\"]").and_then(|value| {
            items(cx, Some(value), |cx, spot, text| {
                declared_name(cx, spot, "destination", text, &declared.destinations)
                    .then(|| DestinationName::new(text))
            })
        });
    table.finish(cx);
    let conditions = Conditions {
        kinds: kinds?,
        sources: sources?,
        labels: labels?,
        monitor: monitor?,
        collection: collection?,
        environment: environment?,
        verdict: verdict?,
        action: action?,
        model: model?,
        when: when?,
    };
    Some(Route { name: RouteName::new(name?), conditions, to: to? })
}

/// The items of a list of strings; an absent list is empty, an empty one a fault: it would read as "nothing" and
/// mean "anything".
pub(super) fn items<T>(
    cx: &mut Context<'_>,
    value: Option<Value<'_>>,
    mut read: impl FnMut(&mut Context<'_>, &Spot, &str) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(value) = value else { return Some(Vec::new()) };
    let texts = value.texts(cx)?;
    if texts.is_empty() {
        cx.faults.at(&value.spot, "the list is empty").hint("leave the setting out, or name at least one");
        return None;
    }
    let items: Vec<T> = texts.iter().filter_map(|(spot, text)| read(cx, spot, text)).collect();
    (items.len() == texts.len()).then_some(items)
}

pub(super) fn pattern(cx: &mut Context<'_>, spot: &Spot, text: &str) -> Option<Pattern> {
    Pattern::new(text)
        .map_err(|error| {
            cx.faults
                .at(spot, error.to_string())
                .hint("put a backslash before * ? [ { to mean the character itself");
        })
        .ok()
}

/// `None` when there is a fault, `Some(None)` when there is no expression.
fn expression(
    cx: &mut Context<'_>,
    value: Option<Value<'_>>,
    declared: &Declared,
    named: &mut Vec<NamedKind>,
) -> Option<Option<Expression>> {
    let Some(value) = value else { return Some(None) };
    let error = match Expression::new(value.text(cx)?) {
        Ok(expression) => {
            named.extend(expression.kinds().iter().filter_map(|name| NamedKind::of(cx, &value.spot, name)));
            let sources = expression.sources();
            let known = sources
                .iter()
                .filter(|name| declared_name(cx, &value.spot, "source", name, &declared.sources))
                .count();
            return (known == sources.len()).then_some(Some(expression));
        }
        Err(error) => error,
    };
    let hint = error.remedy().or_else(|| match &error {
        ExpressionError::UnknownFact { name } => nearest::hint(name, Expression::facts()),
        ExpressionError::UnknownFunction { name } => nearest::hint(name, Expression::functions()),
        ExpressionError::UnknownWord { word, known, .. } => nearest::hint(word, known.iter().copied()),
        _ => None,
    });
    cx.faults.at(&value.spot, error.to_string()).hint = hint;
    None
}

pub(super) fn labels(cx: &mut Context<'_>, value: Option<Value<'_>>) -> Option<BTreeMap<String, Pattern>> {
    let Some(value) = value else { return Some(BTreeMap::new()) };
    let mut labels = BTreeMap::new();
    let mut complete = true;
    for (name, value) in value.table(cx)?.entries() {
        match value.text(cx).and_then(|text| pattern(cx, &value.spot, text)) {
            Some(pattern) => drop(labels.insert(name.to_owned(), pattern)),
            None => complete = false,
        }
    }
    complete.then_some(labels)
}

fn one_of<T: FromStr>(
    cx: &mut Context<'_>,
    spot: &Spot,
    what: &str,
    text: &str,
    words: &[&str],
) -> Option<T> {
    let parsed = text.parse().ok();
    if parsed.is_none() {
        let hint = nearest::hint(text, words.iter().copied());
        cx.faults.at(spot, format!("unknown {what} \"{text}\"")).hint = hint;
    }
    parsed
}

/// Whether the file declares a `[[what]]` called `name`.
fn declared_name(cx: &mut Context<'_>, spot: &Spot, what: &str, name: &str, names: &[String]) -> bool {
    let declared = names.iter().any(|declared| declared == name);
    let near = nearest::of(name, names.iter().map(String::as_str));
    if !declared && (cx.whole || near.is_some()) {
        let hint = nearest::hint(name, names.iter().map(String::as_str))
            .unwrap_or_else(|| format!("the file has no [[{what}]]"));
        cx.faults.at(spot, format!("unknown {what} \"{name}\"")).hint(hint);
    }
    declared
}
