use std::path::PathBuf;

use super::*;

const FILE: &str = r#"
[server]
listen = "127.0.0.1:1111"
public_url = "https://file.example.com/"
[store]
url = "sqlite:file.db"
[plugins]
path = ["file", "/abs"]
"#;

const ENV: [(&str, &str); 4] = [
    ("POSTROOM_SERVER_LISTEN", "127.0.0.1:2222"),
    ("POSTROOM_SERVER_PUBLIC_URL", "https://env.example.com"),
    ("POSTROOM_STORE_URL", "sqlite:///env.db"),
    ("POSTROOM_PLUGINS_PATH", "/env1:/env2"),
];

/// Port, public URL, database and plugin folders.
type Seen = (u16, String, PathBuf, Vec<PathBuf>);

fn seen(config: Config) -> Seen {
    (
        config.server.listen.port(),
        config.server.public_url.unwrap_or_default(),
        config.store.path,
        config.plugins.path,
    )
}

fn expected(port: u16, host: &str, store: &str, plugins: [&str; 2]) -> Seen {
    let url = format!("https://{host}.example.com");
    (port, url, store.into(), plugins.map(PathBuf::from).to_vec())
}

#[test]
fn relative_paths_of_the_file_start_from_its_folder() {
    let config = parse_with(FILE, &[], Overrides::default()).unwrap();
    assert_eq!(seen(config), expected(1111, "file", "/etc/postroom/file.db", ["/etc/postroom/file", "/abs"]));
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = parse_with(FILE, &ENV, Overrides::default()).unwrap();
    assert_eq!(seen(config), expected(2222, "env", "/env.db", ["/env1", "/env2"]));
}

#[test]
fn flags_win_over_the_environment() {
    let flags = Overrides {
        listen: Some(([127, 0, 0, 1], 3333).into()),
        public_url: Some("https://flag.example.com".to_owned()),
        store: Some("flag.db".into()),
        plugins_path: Some(vec!["/flag1".into(), "/flag2".into()]),
    };
    let config = parse_with(FILE, &ENV, flags).unwrap();
    assert_eq!(seen(config), expected(3333, "flag", "flag.db", ["/flag1", "/flag2"]));
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let env = ENV.map(|(name, _)| (name, ""));
    let config = parse_with(FILE, &env, Overrides::default()).unwrap();
    assert_eq!(config.server.listen.port(), 1111);
}

#[test]
fn faults_of_the_environment_name_the_variable() {
    let env = [("POSTROOM_SERVER_LISTEN", "everywhere"), ("POSTROOM_STORE_URL", "mysql:db")];
    let faults = parse_with("[server]\nx = 1", &env, Overrides::default()).unwrap_err();
    insta::assert_snapshot!(faults, @r#"
postroom.toml:2: server.x: unknown key
    hint: known here: listen, public_url, drain
POSTROOM_SERVER_LISTEN: not an address with a port
    hint: like "127.0.0.1:8080", or "0.0.0.0:8080" for every interface
POSTROOM_STORE_URL: not a store that this version knows
    hint: like "sqlite:data/postroom.db"
"#);
}
