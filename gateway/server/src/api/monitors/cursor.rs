//! Places in the list of monitors, as they go through the hands of callers.

use postroom_openapi::port::ReadError;
use postroom_store::MonitorPlace;

/// The length of the name, then the name, then the id: either may hold any character.
pub(super) fn write(place: &MonitorPlace) -> String {
    let MonitorPlace { list_name, uid } = place;
    format!("{}.{list_name}{uid}", list_name.len())
}

pub(super) fn read(text: &str) -> Result<MonitorPlace, ReadError> {
    let place = || {
        let (length, rest) = text.split_once('.')?;
        let (list_name, uid) = rest.split_at_checked(length.parse().ok()?)?;
        Some(MonitorPlace { list_name: list_name.to_owned(), uid: uid.to_owned() })
    };
    place().ok_or(ReadError::BadParameter { name: "cursor", reason: "not a cursor of this list".to_owned() })
}

#[cfg(test)]
mod tests;
