//! Why an operation failed.

use progenitor_client::Error as Generated;
use reqwest::StatusCode;

use crate::types::Problem;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The gateway says no, and why.
    #[error("{}: {}", .0.code.as_str(), .0.detail)]
    Problem(Box<Problem>),
    /// A parameter was given what it cannot be.
    #[error("a parameter is not as it must be: {0}")]
    Parameter(String),
    /// The API key has characters that no header may have.
    #[error("the API key has characters that a key never has")]
    KeyUnfit,
    /// There is no whole answer.
    #[error("no answer of the gateway")]
    Transport(#[source] reqwest::Error),
    /// An answer is not what the document says, maybe because it is not of a gateway.
    #[error("an answer that is none of a gateway")]
    Unreadable(#[source] serde_json::Error),
    /// A status without a problem, as something that stands before a gateway gives it.
    #[error("an answer with status {0} that is none of a gateway")]
    Status(StatusCode),
}

impl Error {
    /// What the gateway says that went wrong, for programs: a word such as `not_found`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.problem().map(|problem| problem.code.as_str())
    }

    /// What the gateway says about it.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        if let Self::Problem(problem) = self { Some(problem) } else { None }
    }

    /// Whether the same may well succeed later: the gateway was not reached, or says that it cannot serve just now.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Problem(problem) => matches!(problem.status, 408 | 429 | 502..=504),
            Self::Status(status) => matches!(status.as_u16(), 408 | 429 | 502..=504),
            Self::Transport(_) => true,
            Self::Parameter(_) | Self::KeyUnfit | Self::Unreadable(_) => false,
        }
    }

    /// Without the URL, which may hold a password of its server.
    pub(crate) fn transport(error: reqwest::Error) -> Self {
        Self::Transport(error.without_url())
    }
}

impl From<Generated<Problem>> for Error {
    fn from(error: Generated<Problem>) -> Self {
        match error {
            Generated::ErrorResponse(problem) => Self::Problem(Box::new(problem.into_inner())),
            Generated::InvalidRequest(what) | Generated::Custom(what) => Self::Parameter(what),
            Generated::CommunicationError(error)
            | Generated::InvalidUpgrade(error)
            | Generated::ResponseBodyError(error) => match error.status() {
                Some(status) => Self::Status(status),
                None => Self::transport(error),
            },
            Generated::InvalidResponsePayload(_, error) => Self::Unreadable(error),
            Generated::UnexpectedResponse(response) => Self::Status(response.status()),
        }
    }
}

#[cfg(test)]
mod tests;
