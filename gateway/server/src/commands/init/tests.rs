use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use tempfile::TempDir;

use super::*;
use crate::{
    config::{Config, Overrides, Surroundings, load},
    output::Colour,
};

/// Runs `init` for `postroom.toml` in `folder`; gives what it printed as data.
fn init(folder: &TempDir, force: bool) -> Result<String, Failure> {
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let args = Args { path: folder.path().join("postroom.toml"), public_url: None, force };
    run(&args, &mut Output::new(&mut data, &mut talk, Colour::default()))?;
    Ok(String::from_utf8(data).unwrap())
}

fn read(folder: &TempDir) -> Config {
    let surroundings = Surroundings { env: &|_| None, program_folder: None };
    load(&folder.path().join("postroom.toml"), Overrides::default(), &surroundings).unwrap()
}

#[test]
fn the_written_file_is_a_good_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let printed = init(&folder, false).unwrap();
    let config = read(&folder);
    let token = config.sources[0].tokens[0].expose();
    assert_eq!(printed, format!("{}?token={token}\n", config.server.hook_url("postman")));
    assert_eq!(token.len(), 64);
    assert_ne!(token, config.api_keys[0].key.expose());
    assert_eq!(config.destinations[0].plugin.name, "backup");
    assert_eq!(config.routes.len(), 1);
}

#[test]
fn the_public_url_stands_in_the_file_and_in_what_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let public_url = Some("https://hooks.example.net".to_owned());
    let args =
        Args { path: folder.path().join("postroom.toml"), public_url: public_url.clone(), force: false };
    run(&args, &mut Output::new(&mut data, &mut talk, Colour::default())).unwrap();
    assert!(String::from_utf8(data).unwrap().starts_with("https://hooks.example.net/hooks/postman?token="));
    assert_eq!(read(&folder).server.public_url, public_url);
}

#[test]
fn what_it_says_to_uncomment_is_good_too() {
    let text = TEMPLATE.replace(SOURCE_TOKEN, &"s".repeat(64)).replace(API_KEY, &"k".repeat(64));
    let (before, commented) = text.split_once("# Incidents in ITOC360.").unwrap();
    let uncommented: String = commented.lines().skip(2).map(|line| format!("{}\n", &line[1..])).collect();
    let env = |name: &str| (name == "ITOC360_TOKEN").then(|| "t".into());
    let surroundings = Surroundings { env: &env, program_folder: None };
    let text = format!("{before}{uncommented}");
    let draft =
        crate::config::parse(&text, Path::new("x"), Path::new("/"), Overrides::default(), &surroundings);
    assert_eq!(draft.faults, []);
    assert_eq!(draft.config.routes.len(), 2);
}

#[test]
fn only_the_owner_can_read_the_file() {
    let folder = tempfile::tempdir().unwrap();
    for force in [false, true] {
        init(&folder, force).unwrap();
        let mode = fs::metadata(folder.path().join("postroom.toml")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_file_that_is_there_is_kept_unless_forced() {
    let folder = tempfile::tempdir().unwrap();
    init(&folder, false).unwrap();
    let first = read(&folder).sources[0].tokens[0].clone();
    assert_eq!(init(&folder, false).unwrap_err().exit(), Exit::Failed);
    assert_eq!(read(&folder).sources[0].tokens[0], first);
    init(&folder, true).unwrap();
    assert_ne!(read(&folder).sources[0].tokens[0], first);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left lying about");
}
