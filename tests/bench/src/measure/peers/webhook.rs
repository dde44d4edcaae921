//! `webhook`, from Debian: starts a command for each hook. It answers first and keeps nothing.

use std::{fs, process::Command};

use serde_json::json;

use super::{Peer, Place, free_port, until_fine};
use crate::{
    http,
    process::{Process, find},
};

pub(super) fn start(place: &Place<'_>) -> anyhow::Result<Option<Peer>> {
    let (Some(webhook), Some(curl)) = (find("webhook", place.programs), find("curl", &[])) else {
        return Ok(None);
    };
    let (hooks, script) = (place.folder.join("hooks.json"), place.folder.join("forward.sh"));
    let (curl, sink) = (curl.display(), place.sink);
    fs::write(&script, format!("exec {curl} -s -o /dev/null --data-binary \"$1\" http://{sink}/\n"))?;
    let hook = json!([{
        "id": "hook",
        "execute-command": "/bin/sh",
        "pass-arguments-to-command": [
            { "source": "string", "name": script.display().to_string() },
            { "source": "entire-payload" },
        ],
        "success-http-response-code": 202,
    }]);
    fs::write(&hooks, hook.to_string())?;
    let port = free_port()?;
    let mut command = Command::new(webhook);
    command.args(["-ip", "127.0.0.1", "-port", &port.to_string(), "-hooks"]).arg(&hooks);
    let process = Process::start_quiet(&mut command)?;
    let address = ([127, 0, 0, 1], port).into();
    until_fine(|| http::get(address, "/", None))?;
    Ok(Some(Peer { address, path: "/hooks/hook".to_owned(), _processes: vec![process] }))
}
