//! Node-RED, from npm: a flow that answers a hook and posts it on. It keeps nothing.

use std::{fs, process::Command};

use serde_json::json;

use super::{Peer, Place, free_port, until_fine};
use crate::{
    http,
    process::{Process, find},
};

pub(super) fn start(place: &Place<'_>) -> anyhow::Result<Option<Peer>> {
    let Some(node_red) = find("node-red", place.programs) else { return Ok(None) };
    let port = free_port()?;
    let settings = json!({
        "uiHost": "127.0.0.1",
        "uiPort": port,
        "flowFile": "flows.json",
        "httpAdminRoot": false,
        "logging": { "console": { "level": "error" } },
    });
    let file = place.folder.join("settings.js");
    fs::write(&file, format!("module.exports = {settings}\n"))?;
    let sink = format!("http://{}/", place.sink);
    let flow = json!([
        { "id": "tab", "type": "tab", "label": "bench" },
        { "id": "alive", "type": "http in", "z": "tab", "url": "/alive", "method": "get", "wires": [["answer"]] },
        { "id": "hook", "type": "http in", "z": "tab", "url": "/hook", "method": "post", "wires": [["answer", "plain"]] },
        { "id": "answer", "type": "http response", "z": "tab", "statusCode": "202", "headers": {}, "wires": [] },
        // Without this the header of the hook would be sent on.
        { "id": "plain", "type": "change", "z": "tab", "rules": [{ "t": "delete", "p": "headers", "pt": "msg" }], "wires": [["post"]] },
        { "id": "post", "type": "http request", "z": "tab", "method": "POST", "ret": "txt", "url": sink, "persist": true, "wires": [[]] },
    ]);
    fs::write(place.folder.join("flows.json"), flow.to_string())?;
    let mut command = Command::new(node_red);
    command.arg("--userDir").arg(&place.folder).arg("--settings").arg(&file);
    let process = Process::start_quiet(&mut command)?;
    let address = ([127, 0, 0, 1], port).into();
    until_fine(|| http::get(address, "/alive", None))?;
    Ok(Some(Peer { address, path: "/hook".to_owned(), _processes: vec![process] }))
}
