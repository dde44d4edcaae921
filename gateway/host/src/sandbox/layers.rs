//! The layers of a sandbox, and which of them hold.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that keeps a plugin's process in bounds. In the order in which they are put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// No program that the process starts gains rights by it.
    NoNewPrivs,
    /// No other process of the user looks into it, and no core dump is written.
    NotDumpable,
    /// Bounds on memory and descriptors.
    Limits,
    /// No capabilities, also where the gateway runs as root.
    NoCapabilities,
    /// Files and TCP ports that were not granted are closed.
    Landlock,
    /// System calls that a plugin has no use for are refused.
    Seccomp,
}

impl Layer {
    const ALL: [Self; 6] = [
        Self::NoNewPrivs,
        Self::NotDumpable,
        Self::Limits,
        Self::NoCapabilities,
        Self::Landlock,
        Self::Seccomp,
    ];

    /// The word for it in logs and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoNewPrivs => "no_new_privs",
            Self::NotDumpable => "not_dumpable",
            Self::Limits => "limits",
            Self::NoCapabilities => "no_capabilities",
            Self::Landlock => "landlock",
            Self::Seccomp => "seccomp",
        }
    }

    pub(crate) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layer| layer.as_str() == word)
    }
}

/// Which layers hold in a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layers(Vec<(Layer, Option<String>)>);

impl Layers {
    /// Notes that a layer holds, or why it does not hold as a whole.
    pub(crate) fn note(&mut self, layer: Layer, missing: Option<String>) {
        self.0.push((layer, missing));
    }

    /// The layers that hold.
    pub fn active(&self) -> impl Iterator<Item = Layer> {
        self.0.iter().filter(|(_, missing)| missing.is_none()).map(|(layer, _)| *layer)
    }

    /// The layers that do not hold as a whole, and why.
    pub fn missing(&self) -> impl Iterator<Item = (Layer, &str)> {
        self.0.iter().filter_map(|(layer, missing)| Some((*layer, missing.as_deref()?)))
    }

    /// Every layer that was tried as a word, with why it is missing; "" for one that holds.
    pub(crate) fn words(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(layer, missing)| (layer.as_str(), missing.as_deref().unwrap_or_default()))
    }

    /// Reads [`Layers::words`]; `None` when there is a word that is no layer.
    pub(crate) fn of_words(words: Vec<(String, String)>) -> Option<Self> {
        let layer = |(word, missing): (String, String)| {
            Some((Layer::of_word(&word)?, Some(missing).filter(|missing| !missing.is_empty())))
        };
        words.into_iter().map(layer).collect::<Option<_>>().map(Self)
    }
}

impl fmt::Display for Layers {
    /// One line: the layers that hold, then what is missing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, layer) in self.active().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{}", layer.as_str())?;
        }
        for (layer, missing) in self.missing() {
            write!(f, ", without {}: {missing}", layer.as_str())?;
        }
        Ok(())
    }
}
