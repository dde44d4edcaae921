//! What a plugin does to files beside opening them.

use std::os::unix::{
    fs::{MetadataExt, chown},
    net::UnixDatagram,
};

use super::*;

/// A folder that everybody may use.
fn shared_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

/// A file in `folder` that belongs to the user of the plugin.
fn file_of(user: &str, folder: &Path) -> PathBuf {
    let path = folder.join("file");
    fs::write(&path, "x").unwrap();
    if user == "nobody" {
        chown(&path, Some(65534), Some(65534)).unwrap();
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    path
}

fn at(what: &str, path: &Path) -> &'static str {
    leaked(&format!("{what} {}", path.display()))
}

#[tokio::test]
async fn what_may_be_opened_keeps_its_rights_its_owner_and_its_times() {
    for (user, program, _script) in users() {
        let folder = shared_folder();
        let file = file_of(user, folder.path());
        let launch = Launch {
            config: json!({ "root": folder.path() }),
            ..hostile_launch(&OFFLINE, &program, Grant::default())
        };
        let process = Process::start(&launch).await.unwrap();
        assert_eq!(message(&process, at("open", &file)).await, "ok", "as {user}");
        let before = fs::metadata(&file).unwrap();
        for attack in ["mode", "owner", "attribute", "no-attribute", "flags", "lease", "times", "chmod"] {
            assert_eq!(message(&process, at(attack, &file)).await, "EPERM", "{attack} as {user}");
        }
        let after = fs::metadata(&file).unwrap();
        assert_eq!((after.mode(), after.mtime()), (before.mode(), before.mtime()));
    }
}

#[tokio::test]
async fn files_of_the_system_keep_their_rights() {
    if !geteuid().is_root() {
        return;
    }
    // Every plugin may read it, and it belongs to the user that this one runs as.
    let file = tempfile::NamedTempFile::new_in("/usr/local/lib").unwrap();
    let process = Process::start(&hostile_launch(&OFFLINE, &program(), Grant::default())).await.unwrap();
    assert_eq!(message(&process, at("open", file.path())).await, "ok");
    assert_eq!(message(&process, at("mode", file.path())).await, "EPERM");
}

#[tokio::test]
async fn files_that_were_not_granted_keep_their_times() {
    for (user, program, _script) in users() {
        let folder = shared_folder();
        let file = file_of(user, folder.path());
        let process = Process::start(&hostile_launch(&OFFLINE, &program, Grant::default())).await.unwrap();
        assert_eq!(message(&process, at("times", &file)).await, "EPERM", "as {user}");
        assert_ne!(fs::metadata(&file).unwrap().mtime(), 1, "as {user}");
    }
}

#[tokio::test]
async fn no_file_is_made_that_lends_rights_to_whoever_runs_it() {
    for (user, program, _script) in users() {
        let folder = shared_folder();
        let launch = Launch {
            config: json!({ "root": folder.path() }),
            ..hostile_launch(&OFFLINE, &program, Grant::default())
        };
        let process = Process::start(&launch).await.unwrap();
        for (attack, expected) in [
            ("make-setuid", "EPERM"),
            ("make-setgid", "EPERM"),
            ("node-setuid", "EPERM"),
            ("openat2", "ENOSYS"),
            ("make", "ok"),
        ] {
            let path = folder.path().join(attack);
            assert_eq!(message(&process, at(attack, &path)).await, expected, "{attack} as {user}");
            assert_eq!(path.exists(), expected == "ok", "{attack} as {user}");
        }
    }
}

#[tokio::test]
async fn no_service_of_the_machine_is_told_anything() {
    for (user, program, _script) in users() {
        let folder = shared_folder();
        let path = folder.path().join("log");
        let service = UnixDatagram::bind(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        service.set_nonblocking(true).unwrap();
        for plugin in [&OFFLINE, &ONLINE] {
            let process = Process::start(&hostile_launch(plugin, &program, Grant::default())).await.unwrap();
            assert_eq!(message(&process, at("datagram", &path)).await, "EPERM", "as {user}");
            assert!(service.recv(&mut [0; 16]).is_err(), "as {user}");
        }
    }
}

#[tokio::test]
async fn files_of_other_users_are_closed_to_root_too() {
    if !geteuid().is_root() {
        return;
    }
    let folder = shared_folder();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    chown(&file, Some(12345), Some(12345)).unwrap();
    let config = json!({ "root": folder.path() });
    let open = async |left_out: BTreeSet<Layer>| {
        let sandbox = Sandbox::default();
        let config = config.clone();
        let launch =
            Launch { config, sandbox, left_out, ..hostile_launch(&OFFLINE, &program(), Grant::default()) };
        message(&Process::start(&launch).await.unwrap(), at("open", &file)).await
    };
    assert_eq!(open([].into()).await, "EACCES");
    assert_eq!(open([Layer::NoCapabilities].into()).await, "ok");
}

#[tokio::test]
async fn a_file_that_is_granted_for_writing_is_made_as_a_file() {
    for (user, program, _script) in users() {
        let folder = shared_folder();
        let file = folder.path().join("logs/events.log");
        let launch = Launch {
            config: json!({ "file": file }),
            ..hostile_launch(&OFFLINE, &program, Grant::default())
        };
        let process = Process::start(&launch).await.unwrap();
        assert!(file.is_file(), "as {user}");
        assert_eq!(message(&process, at("write", &file)).await, "ok", "as {user}");
        assert_eq!(message(&process, at("write", &file.with_extension("new"))).await, "EACCES", "as {user}");
    }
}
