//! Goes through a collection once and judges its strings.

use std::{borrow::Cow, fmt::Write as _, ops::Range};

use super::{
    Confidence, Finding, Siblings, judge,
    places::{Role, of_member, of_object},
    tokens::{ends_in_key_title, key_line},
    without_tokens,
};
use crate::{
    json::{Next, Reader, Unreadable, lossy},
    place::Place,
    tree::escaped,
};

/// A finding whose place is not whole yet.
struct Open {
    rule: &'static str,
    confidence: Confidence,
    path: String,
    /// What people call the things around it, from the inside out.
    around: Vec<String>,
    start: usize,
}

/// So many findings are told, and more are only replaced: a text of nothing but tokens must not take all memory.
pub(super) const FINDINGS_MAX: usize = 1000;

#[derive(Default)]
pub(super) struct Walk<'a> {
    open: Vec<Open>,
    spans: Vec<Range<usize>>,
    /// Where the walk is.
    way: Vec<Step<'a>>,
    /// Whether the line before belongs to a key in PEM: scripts are lists of lines.
    in_key: bool,
}

enum Step<'a> {
    Key(Cow<'a, str>),
    Position(usize),
}

/// A string of an object, which is judged when the rest of the object is known.
struct Text<'a> {
    key: Cow<'a, str>,
    token: &'a str,
    start: usize,
}

impl<'a> Walk<'a> {
    /// What was found, in the order of the text, and where.
    pub(super) fn finish(mut self) -> (Vec<Finding>, Vec<Range<usize>>) {
        self.open.sort_by_key(|found| found.start);
        let findings = self.open.into_iter().map(|mut found| {
            found.around.reverse();
            let place = match found.around.is_empty() {
                true => "collection".to_owned(),
                false => found.around.join(" › "),
            };
            Finding { rule: found.rule, path: found.path, place, confidence: found.confidence }
        });
        (findings.collect(), self.spans)
    }

    pub(super) fn value(
        &mut self,
        reader: &mut Reader<'a>,
        place: Place,
        role: Role,
    ) -> Result<(), Unreadable> {
        match reader.next()? {
            Next::Object => self.object(reader, place.object(), role),
            Next::Array => {
                let mut at = 0;
                reader.array(|reader| {
                    self.way.push(Step::Position(at));
                    at += 1;
                    self.value(reader, place.element(), role.element())?;
                    self.way.pop();
                    Ok(())
                })?;
                self.in_key = false;
                Ok(())
            }
            Next::String => {
                let start = reader.at();
                let token = reader.scalar()?;
                self.string(token, start, place, role, "", Siblings::default());
                self.in_key |= ends_in_key_title(token.as_bytes());
                Ok(())
            }
            Next::Other => reader.scalar().map(|_| ()),
        }
    }

    fn object(&mut self, reader: &mut Reader<'a>, place: Place, role: Role) -> Result<(), Unreadable> {
        self.in_key = false;
        let first = self.open.len();
        let mut texts: Vec<Text<'a>> = Vec::new();
        let mut is_folder = false;
        reader.object(|reader, key| {
            let key = lossy(key).unwrap_or_default();
            let next = reader.next()?;
            if next == Next::String {
                let start = reader.at();
                texts.push(Text { key, token: reader.scalar()?, start });
                return Ok(());
            }
            is_folder |= place == Place::Item && key == "item" && next == Next::Array;
            let before = self.open.len();
            let inside = (place.member(&key), role.member(place, &key));
            self.way.push(Step::Key(key));
            self.value(reader, inside.0, inside.1)?;
            if let Some(Step::Key(key)) = self.way.pop() {
                self.around(before, || of_member(place, role, &key));
            }
            Ok(())
        })?;
        let named: &[&str] = match place {
            Place::Script => &["listen"],
            Place::Variable | Place::PathVariable => &["key", "id", "name"],
            _ if role == Role::Plain => &["name"],
            _ => &["key", "name"],
        };
        let text =
            |key: &str| texts.iter().rev().find(|text| text.key == key).and_then(|text| lossy(text.token));
        let name = named.iter().find_map(|key| text(key)).filter(|name| !name.is_empty());
        let kind = text("type");
        let siblings = Siblings { name: name.as_deref(), kind: kind.as_deref() };
        for Text { key, token, start } in &texts {
            let before = self.open.len();
            let inner = role.member(place, key);
            // A parameter of format v2.0 is told by its own key.
            let role = if inner == Role::Plain { role } else { inner };
            self.way.push(Step::Key(key.clone()));
            self.string(token, *start, place, role, key, siblings);
            self.way.pop();
            self.around(before, || of_member(place, role, key));
        }
        // A name may have a token in it, and is told to people.
        self.around(first, || {
            of_object(place, role, name.as_deref().map(without_tokens).as_deref(), is_folder)
        });
        Ok(())
    }

    fn string(
        &mut self,
        token: &str,
        start: usize,
        place: Place,
        role: Role,
        key: &str,
        siblings: Siblings<'_>,
    ) {
        let inside = &token[1..token.len() - 1];
        if self.in_key {
            self.in_key = false;
            if let Some(line) = key_line(inside.as_bytes()) {
                self.in_key = true;
                self.found(("private-key", line, Confidence::High), start);
                return;
            }
        }
        for judgement in judge(inside, place, role, key, siblings) {
            self.found(judgement, start);
        }
    }

    fn found(&mut self, (rule, span, confidence): (&'static str, Range<usize>, Confidence), start: usize) {
        let span = start + 1 + span.start..start + 1 + span.end;
        if self.open.len() < FINDINGS_MAX {
            let mut path = String::new();
            for step in &self.way {
                // Nothing fails that writes to a string.
                let _ = match step {
                    Step::Key(key) => write!(path, "/{}", escaped(key)),
                    Step::Position(position) => write!(path, "/{position}"),
                };
            }
            self.open.push(Open { rule, confidence, path, around: Vec::new(), start: span.start });
        }
        self.spans.push(span);
    }

    /// Says what is around everything that was found since.
    fn around(&mut self, since: usize, name: impl FnOnce() -> Option<String>) {
        let found = &mut self.open[since..];
        if !found.is_empty()
            && let Some(name) = name()
        {
            found.iter_mut().for_each(|found| found.around.push(name.clone()));
        }
    }
}
