//! Names that the operator gives.

use super::{
    fault::Spot,
    read::{Context, Table},
};

const NAME_CHARS_MAX: usize = 128;
const HINT: &str = "give it a name of its own, like name = \"postman\"";

/// The `name` of a table that becomes part of a URL.
pub(super) fn in_url<'a>(cx: &mut Context<'_>, table: &mut Table<'a>) -> Option<&'a str> {
    named(cx, table, "letters, digits, \"-\", \"_\" and \".\", beginning with a letter or digit", |name| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    })
}

/// The `name` of a table that only people read.
pub(super) fn for_people<'a>(cx: &mut Context<'_>, table: &mut Table<'a>) -> Option<&'a str> {
    named(cx, table, "at least one visible character and no line break", |name| {
        !name.trim().is_empty() && !name.chars().any(char::is_control)
    })
}

fn named<'a>(
    cx: &mut Context<'_>,
    table: &mut Table<'a>,
    wanted: &str,
    fits: impl Fn(&str) -> bool,
) -> Option<&'a str> {
    let value = table.require(cx, "name", HINT)?;
    let name = value.text(cx)?;
    if name.chars().count() > NAME_CHARS_MAX {
        cx.faults
            .at(&value.spot, "the name is too long")
            .hint(format!("at most {NAME_CHARS_MAX} characters"));
        return None;
    }
    if !fits(name) {
        cx.faults.at(&value.spot, format!("{name:?} cannot be a name")).hint(format!("use {wanted}"));
        return None;
    }
    Some(name)
}

/// Adds a fault for each table whose name an earlier table of the same list has.
pub(super) fn refuse_repeated(cx: &mut Context<'_>, tables: &[Table<'_>]) {
    let mut seen: Vec<(&str, Spot)> = Vec::new();
    for table in tables {
        let Some((spot, name)) = table.peek_text("name") else { continue };
        match seen.iter().find(|(earlier, _)| *earlier == name) {
            None => seen.push((name, spot)),
            Some((_, first)) => {
                let line = cx.faults.position(first.span.start).line;
                cx.faults
                    .at(&spot, format!("the name \"{name}\" is taken"))
                    .hint(format!("line {line} has it; names tell things apart"));
            }
        }
    }
}
