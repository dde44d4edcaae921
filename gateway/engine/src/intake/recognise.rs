//! Tells what a body is, wherever it lies.

use std::{io, sync::Arc};

use postroom_core::{
    classify::{self, Classification},
    id::SourceName,
};
use postroom_store::{KeptBody, NewBody, StoreError};

/// Recognises a body.
///
/// # Errors
/// When a body that was kept cannot be read again.
pub(super) async fn recognise(body: &NewBody, source: &SourceName) -> Result<Classification, StoreError> {
    match body {
        NewBody::Inline(body) => Ok(classify::classify(body, source.as_str())),
        NewBody::Kept(body) => {
            let (body, source) = (body.clone(), source.clone());
            let reading = tokio::task::spawn_blocking(move || read(&body, &source));
            // The task ends early only when the runtime does.
            let read = reading.await.unwrap_or_else(|error| Err(error.into()));
            read.map_err(unreadable)
        }
    }
}

fn read(body: &KeptBody, source: &SourceName) -> io::Result<Classification> {
    classify::classify_reader(body.open()?, source.as_str())
}

fn unreadable(error: io::Error) -> StoreError {
    StoreError::Unavailable { action: "read back", path: "a large body".into(), source: Arc::new(error) }
}
