use clap::CommandFactory;

use super::*;
use crate::output::Colour;

/// Runs with these arguments; gives the exit code and what went to standard output and standard error.
fn postroom(args: &[&str]) -> (Exit, String, String) {
    let cli = Cli::try_parse_from(std::iter::once("postroom").chain(args.iter().copied())).unwrap();
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let mut output = Output::new(&mut data, &mut talk, Colour::default());
    let ended = dispatch(cli.command, &mut output);
    let exit = exit::report(ended, &mut output);
    (exit, String::from_utf8(data).unwrap(), String::from_utf8(talk).unwrap())
}

#[test]
fn the_arguments_are_sound() {
    Cli::command().debug_assert();
}

#[test]
fn help_names_every_exit_code() {
    let help = Cli::command().render_long_help().to_string();
    for exit in [
        Exit::Done,
        Exit::Failed,
        Exit::Usage,
        Exit::Config,
        Exit::Unreachable,
        Exit::NotFound,
        Exit::Refused,
        Exit::PluginFailed,
        Exit::Interrupted,
    ] {
        assert!(help.contains(&format!("\n  {}  ", exit as u8)), "{exit:?} is not in\n{help}");
    }
}

#[test]
fn a_configuration_that_is_not_there_is_a_fault_of_the_configuration() {
    let (exit, data, talk) = postroom(&["check", "--config", "/nowhere/postroom.toml"]);
    assert_eq!((exit, data.as_str()), (Exit::Config, ""));
    insta::assert_snapshot!(talk, @r#"
error: cannot read /nowhere/postroom.toml: No such file or directory (os error 2)
    hint: name the file with --config, or write a first one with `postroom init`
"#);
}

#[test]
fn check_tells_faults_of_the_file_and_of_the_search_path_together() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("postroom.toml");
    let text =
        "[plugins]\npath = [\"none\"]\n[[destination]]\nname = \"a\"\nplugin = \"backup\"\nretry = 5\n";
    std::fs::write(&file, text).unwrap();
    let (exit, data, _) = postroom(&["check", "--json", "--config", file.to_str().unwrap()]);
    assert_eq!(exit, Exit::Config);
    let report: serde_json::Value = serde_json::from_str(&data).unwrap();
    let faults: Vec<_> = report["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (&fault["line"], &fault["message"]))
        .collect();
    assert_eq!(
        serde_json::json!(faults),
        serde_json::json!([[5, "there is no plugin \"backup\""], [6, "expected a list, found an integer"]])
    );
}

#[test]
fn a_written_configuration_has_no_fault_but_the_missing_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("postroom.toml");
    let (exit, _, _) = postroom(&["init", "--path", file.to_str().unwrap()]);
    assert_eq!(exit, Exit::Done);
    let (exit, data, _) =
        postroom(&["check", "--json", "--plugins-path", "/nowhere", "--config", file.to_str().unwrap()]);
    assert_eq!(exit, Exit::Config);
    let report: serde_json::Value = serde_json::from_str(&data).unwrap();
    assert_eq!(report["faults"].as_array().unwrap().len(), 1, "{data}");
    assert_eq!(report["faults"][0]["path"], "destination[0].plugin");
}

#[test]
fn a_plugin_that_is_not_there_is_not_found() {
    let (exit, ..) = postroom(&["plugin", "inspect", "./no-such-file.so"]);
    assert_eq!(exit, Exit::NotFound);
}

#[test]
fn a_file_that_is_no_plugin_is_a_failed_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("libx.so");
    std::fs::write(&file, "not a library").unwrap();
    let (exit, ..) = postroom(&["plugin", "inspect", file.to_str().unwrap()]);
    assert_eq!(exit, Exit::PluginFailed);
}

#[test]
fn send_never_shows_the_token() {
    // Port 1 of this machine: nobody listens there.
    for url in ["http://127.0.0.1:1/hooks/postman?token=planted", "no url?token=planted"] {
        let (exit, data, talk) = postroom(&["send", "monitor", "--to", url]);
        assert!(matches!(exit, Exit::Unreachable | Exit::Usage), "{exit:?}");
        assert!(!data.contains("planted") && !talk.contains("planted"), "{data}{talk}");
        assert!(!talk.is_empty());
    }
}
