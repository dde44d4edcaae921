//! A request to the API now and then, where speed does not matter.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, bail};

use crate::answer;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Gets `path` and gives the body of an answer that is fine.
pub(crate) fn get(address: SocketAddr, path: &str, key: Option<&str>) -> anyhow::Result<String> {
    request(address, "GET", path, key, None)
}

/// Sends a request and gives the body of an answer that is fine. `json` is its body.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    key: Option<&str>,
    json: Option<&str>,
) -> anyhow::Result<String> {
    let authorization = key.map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
    let body = json.unwrap_or_default();
    let length = body.len();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\n{authorization}content-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    let context = || format!("cannot {method} {path} at {address}");
    let mut stream = TcpStream::connect(address).with_context(context)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(text.as_bytes()).with_context(context)?;
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let read = stream.read(&mut buffer).with_context(context)?;
        bytes.extend_from_slice(&buffer[..read]);
        if let Some(answer) = answer::find(&bytes).with_context(context)? {
            let body = String::from_utf8_lossy(&bytes[answer.body..answer.end]).into_owned();
            if !(200..300).contains(&answer.status) {
                bail!("{method} {path} was answered {}: {body}", answer.status);
            }
            return Ok(body);
        }
        if read == 0 {
            bail!("{method} {path}: the answer broke off");
        }
    }
}
