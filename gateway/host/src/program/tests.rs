use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use crate::testing::{PLUGIN, program_file};

#[test]
fn a_gateway_whose_file_was_replaced_starts_plugins_from_what_it_runs() {
    let program = program_file();
    // Beside the program, because a link cannot leave its file system.
    let folder = tempfile::tempdir_in(program.parent().unwrap()).unwrap();
    let file = folder.path().join("gateway");
    fs::hard_link(program, &file).unwrap();
    let gateway = Command::new(&file)
        .arg("check-at-end-of-input")
        .arg(&PLUGIN.path)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();

    fs::remove_file(&file).unwrap();
    fs::write(&file, "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    // Ends the input.
    let ended = gateway.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}
