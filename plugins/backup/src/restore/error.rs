//! Why a version was not restored, with what can be done about it. No message has the key or the content of a collection.

use std::time::Duration;

use thiserror::Error;

use crate::collection::{ConvertError, Unreadable};

#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("the collection cannot be read: {0}")]
    Unreadable(#[from] Unreadable),
    #[error("the collection cannot be converted to v2.1, the format that Postman's API takes: {0}")]
    NoCollection(#[from] ConvertError),
    #[error("the version does not say which collection it is of: name the one to replace by `target`")]
    NoId,
    #[error(
        "for Postman the collection has {bytes} bytes, and Postman's API takes 100 MB at most: write it to a file, and \
         import it in Postman or divide it"
    )]
    TooLarge { bytes: usize },
    #[error(
        "Postman does not know the key that `postman.api_key` names: make one in Postman, in the account settings under \
         \"API keys\", and put it there"
    )]
    Key,
    #[error(
        "Postman does not let the key of `postman.api_key` {doing}: its user has to be an editor of the workspace and of \
         the collection{said}"
    )]
    Forbidden { doing: &'static str, said: Said },
    #[error(
        "the key of `postman.api_key` sees no collection {uid} in Postman: if it was deleted, restore it as a new one; if \
         it has another owner, set `postman.owner` or name it with the owner before its id"
    )]
    NotThere { uid: String },
    #[error(
        "the key of `postman.api_key` sees no workspace {workspace} in Postman: check `postman.workspace`, or the workspace \
         that was asked for"
    )]
    NoWorkspace { workspace: String },
    #[error(
        "there is no Postman API at `postman.base_url`: it answered {status}; redirects are not followed"
    )]
    NotPostman { status: u16 },
    #[error("Postman's API cannot be asked: {0}")]
    Misconfigured(String),
    #[error("Postman does not take the collection ({status}){said}")]
    Refused { status: u16, said: Said },
    #[error("Postman's API takes no more requests of this key for {} s: try again then", wait.as_secs())]
    RateLimited { wait: Duration },
    #[error(
        "the requests that Postman's plan allows this month are used up: write the version to a file and import it"
    )]
    Month,
    #[error("Postman's API cannot be reached: {why}")]
    Unavailable { why: String },
    #[error("the time was up: {doing}; give the action more time")]
    OutOfTime { doing: &'static str },
    #[error(
        "it is not known whether Postman made the collection ({why}): look for {name:?} in Postman before you restore it again"
    )]
    MayBeThere { name: String, why: String },
    #[error("Postman took the collection and could not replace it, in its task {task}{why}")]
    TaskFailed { task: String, why: Said },
    #[error("the work was interrupted")]
    Interrupted,
}

/// What Postman said about it, if anything.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said(pub(super) Option<String>);

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(said) => write!(f, ": {said}"),
            None => Ok(()),
        }
    }
}
