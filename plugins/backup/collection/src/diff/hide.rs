//! A difference that can be told to others: without secrets.

use serde_json::value::RawValue;

use super::{Change, Diff, FieldChange, fields::raw};
use crate::{
    place::Place,
    secrets::{Role, Siblings, hidden, judge, replaced, without_tokens},
    tree::segments,
};

impl Diff {
    /// The same changes with `[redacted]` in place of every secret in them. It is for people: it cannot be applied.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let changes = self.changes.iter().map(Change::without_secrets).collect();
        Self { changes, counted: self.counted.clone() }
    }
}

impl Change {
    /// The same with `[redacted]` in place of every secret in it.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let (place, role) = stands(self.to.as_deref().or(self.from.as_deref()).unwrap_or_default());
        let names = |names: &[String]| names.iter().map(|name| without_tokens(name)).collect();
        let siblings =
            Siblings { name: self.place.last().map(String::as_str), kind: self.secret.then_some("secret") };
        Self {
            how: self.how,
            what: self.what,
            place: names(&self.place),
            was: self.was.as_deref().map(names),
            from: self.from.clone(),
            to: self.to.clone(),
            secret: self.secret,
            fields: self.fields.iter().map(|field| without_secrets_in(field, place, siblings)).collect(),
            value: self.value.as_ref().and_then(|value| raw(hidden(value.get(), place, role))),
        }
    }
}

/// The place and role of a part.
fn stands(pointer: &str) -> (Place, Role) {
    let mut at = (Place::Collection, Role::Plain);
    for (step, segment) in segments(pointer).enumerate() {
        at = if step % 2 == 0 { below(at, &segment) } else { (at.0.element(), at.1.element()) };
    }
    at
}

fn below((place, role): (Place, Role), key: &str) -> (Place, Role) {
    (place.object().member(key), role.member(place, key))
}

fn without_secrets_in(field: &FieldChange, part: Place, siblings: Siblings<'_>) -> FieldChange {
    let steps: Vec<_> = segments(&field.path).collect();
    let Some((key, way)) = steps.split_last() else { return field.clone() };
    let owner = way.iter().fold((part, Role::Plain), |at, key| below(at, key));
    let hide = |value: &RawValue| {
        let text = value.get();
        match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            Some(inside) => {
                let spans = judge(inside, owner.0, owner.1, key, siblings).into_iter();
                let spans = spans.map(|(_, span, _)| span.start + 1..span.end + 1).collect();
                raw(String::from_utf8_lossy(&replaced(text.as_bytes(), spans)))
            }
            None => {
                let (place, role) = below(owner, key);
                raw(hidden(text, place, role))
            }
        }
    };
    FieldChange {
        path: without_tokens(&field.path),
        before: field.before.as_deref().and_then(hide),
        after: field.after.as_deref().and_then(hide),
    }
}
