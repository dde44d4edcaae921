//! What is probably meant by a name that does not exist.

use super::facts;

/// What to say of `name`; `None` when it looks like nothing there is.
pub(super) fn of_fact(name: &str) -> Option<String> {
    let (first, rest) = name.split_once('.').unwrap_or((name, ""));
    if first == "body" || name == "event.body" || name.starts_with("event.body.") {
        return Some("conditions never see the body; `event.body_bytes` is its length".to_owned());
    }
    let meant =
        |names: Vec<&str>| (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or ")));
    let below = format!("{name}.");
    let thing = facts::names().filter(|fact| fact.starts_with(&below)).take(1).collect();
    let last = facts::names().filter(|fact| fact.rsplit('.').next() == Some(name)).collect();
    meant(thing).or_else(|| meant(last)).or_else(|| {
        let whole = format!("event.{first}");
        let below = if rest.is_empty() { String::new() } else { format!(".{rest}") };
        facts::type_of(&whole).map(|_| format!("did you mean {whole}{below}?"))
    })
}
