//! Restate, from npm: keeps each hook in its log before it answers, and calls a service of ours, which posts it on.

use std::{fs, os::unix::fs::symlink, process::Command};

use super::{Peer, Place, free_port, until_fine};
use crate::{
    http,
    process::{Process, find},
};

pub(super) fn start(place: &Place<'_>) -> anyhow::Result<Option<Peer>> {
    let (Some(server), Some(node)) = (find("restate-server", place.programs), find("node", &[])) else {
        return Ok(None);
    };
    // The service needs Restate's library, which npm puts beside the server.
    let Some(modules) =
        server.parent().and_then(|bin| bin.parent()).filter(|modules| modules.join(SDK).is_dir())
    else {
        return Ok(None);
    };
    let (ingress, admin, fabric, service) = (free_port()?, free_port()?, free_port()?, free_port()?);
    symlink(modules, place.folder.join("node_modules"))?;
    let script = place.folder.join("service.mjs");
    fs::write(&script, service_code(service, &place.sink.to_string()))?;
    let service_process = Process::start_quiet(Command::new(node).arg(&script).current_dir(&place.folder))?;

    let mut command = Command::new(&server);
    command.arg("--base-dir").arg(place.folder.join("data")).current_dir(&place.folder);
    let settings = [
        ("RESTATE_BIND_ADDRESS", fabric),
        ("RESTATE_INGRESS__BIND_ADDRESS", ingress),
        ("RESTATE_ADMIN__BIND_ADDRESS", admin),
    ];
    for (name, port) in settings {
        command.env(name, format!("127.0.0.1:{port}"));
    }
    command.env("RESTATE_LOG_FILTER", "error").env("RESTATE_DISABLE_TELEMETRY", "true");
    let server_process = Process::start_quiet(&mut command)?;
    let registration = format!("{{\"uri\":\"http://127.0.0.1:{service}\"}}");
    let admin = ([127, 0, 0, 1], admin).into();
    until_fine(|| http::request(admin, "POST", "/deployments", None, Some(&registration)))?;
    let address = ([127, 0, 0, 1], ingress).into();
    until_fine(|| http::request(address, "POST", PATH, None, Some("{}")))?;
    Ok(Some(Peer { address, path: PATH.to_owned(), _processes: vec![server_process, service_process] }))
}

const SDK: &str = "@restatedev/restate-sdk";
const PATH: &str = "/hooks/forward/send";

fn service_code(port: u16, sink: &str) -> String {
    // The library wants a method of promises that Node.js has from version 22 on.
    format!(
        "Promise.withResolvers ??= function () {{\n\
         \x20 const all = {{}};\n\
         \x20 all.promise = new Promise((resolve, reject) => Object.assign(all, {{ resolve, reject }}));\n\
         \x20 return all;\n\
         }};\n\
         const restate = await import(\"{SDK}\");\n\
         const forward = async (context, hook) => {{\n\
         \x20 await context.run(async () => {{\n\
         \x20   await fetch(\"http://{sink}/\", {{ method: \"POST\", body: JSON.stringify(hook) }});\n\
         \x20 }});\n\
         }};\n\
         const hooks = restate.service({{ name: \"hooks\", handlers: {{ forward }} }});\n\
         restate.serve({{ services: [hooks], port: {port} }});\n"
    )
}
