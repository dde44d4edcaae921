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
/// What a cursor begins with, and what a place in a list that is followed: one is not the other.
const PAGED: &str = "1";
const FOLLOWED: &str = "f1";

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

/// What a program asks for that follows a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follow {
    /// Most items to give: 1 to [`LIMIT_MAX`].
    pub limit: u32,
    /// Where to begin.
    pub from: FollowFrom,
}

/// From where on a list is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowFrom {
    /// With the oldest item that is kept.
    Oldest,
    /// With what comes after now.
    Newest,
    /// Behind this place. It is a [`Followed::after`] of the same list, but it went through the caller's hands, so it may
    /// be anything.
    After(String),
}

/// What came in a list that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed<T> {
    /// The items, oldest first.
    pub items: Vec<T>,
    /// Where to go on, in the gateway's own words; the caller sees it wrapped.
    pub after: String,
    /// Whether there is more already.
    pub is_more: bool,
}

/// The words with which a list begins to be followed.
const OLDEST: &str = "oldest";
const NEWEST: &str = "newest";

/// A list that is paged. Its name is inside each of its cursors, so that one list's cursor does not work on another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List(pub(crate) &'static str);

impl List {
    /// Checks what the caller asked for.
    pub(crate) fn request(self, limit: u32, cursor: Option<String>) -> Result<PageRequest, Failure> {
        let after = cursor.map(|cursor| self.open(&cursor)).transpose()?;
        Ok(PageRequest { limit, after })
    }

    /// Checks what a caller asked for who follows the list; `None` for one who does not.
    pub(crate) fn follow(
        self,
        limit: u32,
        cursor: Option<&String>,
        after: Option<String>,
    ) -> Result<Option<Follow>, Failure> {
        let Some(after) = after else { return Ok(None) };
        if cursor.is_some() {
            let detail = "parameter `after`: it goes on by itself, leave `cursor` out";
            return Err(Failure::new(Code::InvalidParameter, detail));
        }
        let from = match &after[..] {
            OLDEST => FollowFrom::Oldest,
            NEWEST => FollowFrom::Newest,
            place => FollowFrom::After(self.opened(FOLLOWED, place).ok_or_else(|| {
                Failure::new(
                    Code::InvalidParameter,
                    "parameter `after`: not a place in this list; pass `after` of the answer before unchanged, or \
                     `oldest` or `newest` to begin",
                )
            })?),
        };
        Ok(Some(Follow { limit, from }))
    }

    /// Wraps a place so that nobody is tempted to make one, as [`Self::cursor`].
    pub(crate) fn after(self, place: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("{FOLLOWED}:{}:{place}", self.0))
    }

    /// Wraps a key so that nobody is tempted to make one: `1:<list>:<key>` in base64url, where 1 is the version.
    pub(crate) fn cursor(self, key: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("{PAGED}:{}:{key}", self.0))
    }

    fn open(self, cursor: &str) -> Result<String, Failure> {
        self.opened(PAGED, cursor).ok_or_else(|| {
            Failure::new(
                Code::InvalidParameter,
                "parameter `cursor`: not a cursor of this list; pass `next_cursor` of the page before unchanged, \
                 or leave it out for the first page",
            )
        })
    }

    fn opened(self, what: &str, wrapped: &str) -> Option<String> {
        Some(wrapped)
            .filter(|wrapped| wrapped.len() <= CURSOR_BYTES_MAX)
            .and_then(|wrapped| URL_SAFE_NO_PAD.decode(wrapped).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| {
                let rest = text.strip_prefix(what)?.strip_prefix(':')?.strip_prefix(self.0)?;
                rest.strip_prefix(':').map(str::to_owned)
            })
    }
}

/// The default of `limit`, in the form the macro wants it.
pub(crate) fn limit_default() -> u32 {
    LIMIT_DEFAULT
}

#[cfg(test)]
mod tests;
