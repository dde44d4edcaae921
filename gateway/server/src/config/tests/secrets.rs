use std::fs;

use rustix::fs::{CWD, Mode, mkfifoat};

use super::*;
use crate::config::{load, schema};

const PLANTED: &str = "planted-secret-0123456789";

#[test]
fn references_are_resolved_everywhere_and_lines_trimmed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("token"), format!("{PLANTED}\r\n")).unwrap();
    let file = folder.path().join("postroom.toml");
    fs::write(
        &file,
        r#"
        [[source]]
        name = "postman"
        tokens = [{ env = "TOKEN" }, { file = "token" }]
        [[destination]]
        name = "out"
        plugin = "forward"
        config.url = "https://example.com"
        config.headers = { Authorization = { file = "token" }, "X.Y" = { env = "TOKEN" }, Accept = "a" }
        config.items = [{ env = "TOKEN" }]
        "#,
    )
    .unwrap();
    let env = |name: &str| (name == "TOKEN").then(|| "from-the-environment".into());
    let surroundings = Surroundings { env: &env, program_folder: None };
    let config = load(&file, Overrides::default(), &surroundings).unwrap();

    let tokens: Vec<&str> = config.sources[0].tokens.iter().map(|token| token.expose()).collect();
    assert_eq!(tokens, ["from-the-environment", PLANTED]);
    let destination = &config.destinations[0];
    assert_eq!(
        destination.config.json,
        serde_json::json!({
            "url": "https://example.com",
            "headers": {
                "Authorization": { "$secret": "headers.Authorization" },
                "X.Y": { "$secret": "headers.\"X.Y\"" },
                "Accept": "a",
            },
            "items": [{ "$secret": "items.0" }],
        })
    );
    let secrets: Vec<(&str, &str)> =
        destination.config.secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose())).collect();
    assert_eq!(
        secrets,
        [
            ("headers.\"X.Y\"", "from-the-environment"),
            ("headers.Authorization", PLANTED),
            ("items.0", "from-the-environment"),
        ]
    );
}

#[test]
fn an_empty_secret_is_a_fault() {
    let text = "[[destination]]\nname = \"a\"\nplugin = \"b\"\nconfig = { token = { env = \"EMPTY\" } }";
    let faults = parse_with(text, &[("EMPTY", "")], Overrides::default()).unwrap_err();
    insta::assert_snapshot!(faults, @r#"
postroom.toml:4: destination[0].config.token: the secret in this env is empty
    hint: give it a value, or leave the setting out
"#);
}

#[test]
fn only_a_regular_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
    for path in [&pipe, folder.path(), Path::new("/dev/zero")] {
        let text = format!("[[source]]\nname = \"a\"\ntokens = [{{ file = {path:?} }}]");
        let message = format!("cannot read the secret file {}: not a regular file", path.display());
        assert_eq!(faults_of(&text).faults[0].message, message);
    }
}

#[test]
fn debug_shows_no_secret() {
    let text = format!(
        "[[api_key]]\nname = \"me\"\nrole = \"admin\"\nkey = \"{PLANTED}\"\n\
         [[source]]\nname = \"postman\"\ntokens = [\"{PLANTED}\"]\n\
         [[destination]]\nname = \"a\"\nplugin = \"b\"\nconfig = {{ literal = \"{PLANTED}\", token = {{ env = \"T\" }} }}"
    );
    let mut config = parse_with(&text, &[("T", PLANTED)], Overrides::default()).unwrap();
    assert!(!format!("{config:?}").contains("planted"), "{config:?}");
    let schema = serde_json::json!({ "properties": { "literal": { "writeOnly": true } } });
    schema::apply(&mut config.destinations[0].config, &schema, Path::new("/"));
    assert!(!format!("{config:?}").contains("planted"), "{config:?}");
}

#[test]
fn faults_show_no_secret() {
    let text = format!(
        "[server]\npublic_url = \"https://me:{PLANTED}@example.com\"\n\
         [store]\nurl = \"postgres://me:{PLANTED}@db\"\n\
         [[api_key]]\nname = \"me\"\nrole = \"admin\"\nkey = [\"{PLANTED}\"]\n\
         [[source]]\nname = \"postman\"\ntokens = \"{PLANTED}\"\n\
         [[destination]]\nname = \"a\"\nplugin = \"b\"\nconfig = \"{PLANTED}\""
    );
    let faults = faults_of(&text);
    assert_eq!(faults.faults.len(), 5);
    assert!(!format!("{faults} {faults:?}").contains("planted"), "{faults}");
}
