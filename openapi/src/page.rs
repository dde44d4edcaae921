//! Paging by cursor: newest first, and stable while new rows come in.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::problem::{Code, Failure};

/// Items on a page when the caller does not say.
pub const LIMIT_DEFAULT: u32 = 50;
/// Most items on a page.
pub const LIMIT_MAX: u32 = 500;
/// Longest cursor that is looked at, in bytes. Most of ours are shorter than 100; one that names a monitor takes as much as its
/// name and its id, which are bounded.
const CURSOR_BYTES_MAX: usize = 8 * 1024;

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Most items to give: 1 to [`LIMIT_MAX`].
    pub limit: u32,
    /// Give the items that come after this one; `None` for the first page. It is a [`Page::next`] of the same list, but
    /// it went through the caller's hands, so it may be anything.
    pub after: Option<String>,
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// The key of the last item when there are more, in the gateway's own words; the caller sees it wrapped.
    pub next: Option<String>,
}

/// A list that is paged. Its name is inside each of its cursors, so that one list's cursor does not work on another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List(pub(crate) &'static str);

impl List {
    /// Checks what the caller asked for.
    pub(crate) fn request(self, limit: u32, cursor: Option<String>) -> Result<PageRequest, Failure> {
        let after = cursor.map(|cursor| self.open(&cursor)).transpose()?;
        Ok(PageRequest { limit, after })
    }

    /// Wraps a key so that nobody is tempted to make one: `1:<list>:<key>` in base64url, where 1 is the version.
    pub(crate) fn cursor(self, key: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("1:{}:{key}", self.0))
    }

    fn open(self, cursor: &str) -> Result<String, Failure> {
        Some(cursor)
            .filter(|cursor| cursor.len() <= CURSOR_BYTES_MAX)
            .and_then(|cursor| URL_SAFE_NO_PAD.decode(cursor).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.strip_prefix("1:")?.strip_prefix(self.0)?.strip_prefix(':').map(str::to_owned))
            .ok_or_else(|| {
                Failure::new(
                    Code::InvalidParameter,
                    "parameter `cursor`: not a cursor of this list; pass `next_cursor` of the page before unchanged, \
                     or leave it out for the first page",
                )
            })
    }
}

/// The default of `limit`, in the form the macro wants it.
pub(crate) fn limit_default() -> u32 {
    LIMIT_DEFAULT
}

#[cfg(test)]
mod tests;
