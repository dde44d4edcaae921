//! Text as values, for what changes them.

use serde_json::{Map, Value};

use super::{Next, Reader, Unreadable, collection, lossy};

/// Reads a collection as values, out of the object that it may be wrapped in. Half a surrogate pair, which no Rust string
/// holds, becomes `U+FFFD`.
///
/// # Errors
/// When the bytes are no JSON object in UTF-8, or one that is too deep, or have a number that is too large.
pub fn to_value(bytes: &[u8]) -> Result<Value, Unreadable> {
    let mut reader = Reader::new(collection(bytes)?);
    let value = value(&mut reader)?;
    reader.end()?;
    Ok(value)
}

fn value(reader: &mut Reader<'_>) -> Result<Value, Unreadable> {
    match reader.next()? {
        Next::Object => {
            let mut object = Map::new();
            reader.object(|reader, key| {
                let key = lossy(key).unwrap_or_default().into_owned();
                object.insert(key, value(reader)?);
                Ok(())
            })?;
            Ok(Value::Object(object))
        }
        Next::Array => {
            let mut list = Vec::new();
            reader.array(|reader| value(reader).map(|value| list.push(value)))?;
            Ok(Value::Array(list))
        }
        Next::String => Ok(Value::from(reader.scalar().map(lossy)?.unwrap_or_default())),
        Next::Other => {
            let at = reader.at();
            let token = reader.scalar()?;
            serde_json::from_str(token).map_err(|_| Unreadable::NotJson { at, expected: "a smaller number" })
        }
    }
}
