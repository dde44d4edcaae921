//! Globs over names and ids.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};

/// A glob: `*` any text, `?` one character, `[ab]` one of, `{x,y}` either. Matches the whole text, case and all.
#[derive(Clone)]
pub struct Pattern(GlobMatcher);

/// A glob that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{glob}\" is not a pattern: {cause}")]
pub struct PatternError {
    glob: String,
    cause: String,
}

impl Pattern {
    /// Compiles `glob`.
    ///
    /// # Errors
    /// When brackets or braces do not close.
    pub fn new(glob: &str) -> Result<Self, PatternError> {
        GlobBuilder::new(glob)
            // Names are no paths: `*` takes a slash too.
            .literal_separator(false)
            .backslash_escape(true)
            .build()
            .map(|glob| Self(glob.compile_matcher()))
            .map_err(|error| PatternError { glob: glob.to_owned(), cause: error.kind().to_string() })
    }

    /// Whether the whole of `text` matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.glob().glob())
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({self})")
    }
}
