//! The documents tell the truth: what they show is run, and what they list is compared with the program.
//!
//! What a fenced block is follows from its language and its first line. `toml` that begins with `# postroom.toml` is a
//! whole configuration, `# part of postroom.toml` one that lacks what other parts of the file have, `# Cargo.toml` is
//! cargo's. A `json` block of the user guide is a body whose kind, and verdict if it has one, the line before it names.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Answer, Config, Finished, Serving, body, eventually},
};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use self::reading::{Document, first_names, names, rows};
use crate::support::{program, retry, start};

mod reading;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const README: Document = Document { path: "README.md", text: include_str!("../../README.md") };
const USER_GUIDE: Document =
    Document { path: "docs/user-guide.md", text: include_str!("../../docs/user-guide.md") };
const ITOC360: Document = Document { path: "docs/itoc360.md", text: include_str!("../../docs/itoc360.md") };
const OPERATING: Document =
    Document { path: "docs/operating.md", text: include_str!("../../docs/operating.md") };
const PLUGIN_AUTHOR: Document =
    Document { path: "docs/plugin-author.md", text: include_str!("../../docs/plugin-author.md") };
const MONITORS: Document =
    Document { path: "docs/monitors.md", text: include_str!("../../docs/monitors.md") };
const BACKUPS: Document = Document { path: "docs/backups.md", text: include_str!("../../docs/backups.md") };
const CLIENTS: Document = Document { path: "docs/clients.md", text: include_str!("../../docs/clients.md") };
const DOCUMENTS: [Document; 8] =
    [README, USER_GUIDE, ITOC360, BACKUPS, OPERATING, PLUGIN_AUTHOR, MONITORS, CLIENTS];

/// Stands for every secret of an example: long enough for a token, and an address where one is wanted.
const ANY_SECRET: &str = "https://example.com/0123456789abcdef";

/// Runs the program in `folder`, with every variable that `config` takes a secret from.
fn run(folder: &Path, config: &str, args: &[&str]) -> Finished {
    let mut command = program().command(args.iter().copied());
    for reference in config.split("env = \"").skip(1) {
        command.env(reference.split('"').next().unwrap(), ANY_SECRET);
    }
    command.current_dir(folder).output().unwrap().into()
}

/// A part of a configuration, together with the sources and destinations that its routes name and that it lacks.
fn with_the_rest(part: &str) -> String {
    let document: toml::Table = toml::from_str(part).unwrap_or_else(|error| panic!("{error}\n{part}"));
    let tables = |name: &str| document.get(name).and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
    let declared =
        |name: &str| tables(name).iter().map(|table| text(&table["name"])).collect::<BTreeSet<_>>();
    let wanted = |key: &str| -> BTreeSet<String> {
        let lists = tables("route").into_iter().filter_map(|route| route.get(key).cloned());
        lists.flat_map(|list| list.as_array().unwrap().iter().map(text).collect::<Vec<_>>()).collect()
    };
    let mut whole = part.to_owned();
    for name in &wanted("sources") - &declared("source") {
        whole.push_str(&format!("\n[[source]]\nname = \"{name}\"\ntokens = [\"{ANY_SECRET}\"]\n"));
    }
    for name in &wanted("to") - &declared("destination") {
        let settings = format!("plugin = \"forward\"\nconfig = {{ url = \"{ANY_SECRET}\" }}");
        whole.push_str(&format!("\n[[destination]]\nname = \"{name}\"\n{settings}\n"));
    }
    whole
}

#[test]
fn configurations_pass_check() {
    let folder = TempDir::new().unwrap();
    let (built, ours) = (program().plugins(), compile_hello(folder.path()));
    let mut count = 0;
    for document in DOCUMENTS {
        for block in document.blocks_in("toml") {
            let config = match block.text.lines().next() {
                Some("# postroom.toml") => block.text.to_owned(),
                Some("# part of postroom.toml") => with_the_rest(block.text),
                Some("# Cargo.toml") => {
                    block.text.parse::<toml::Table>().unwrap();
                    continue;
                }
                _ => panic!("{}: the first line does not say what this is: {block:?}", document.path),
            };
            fs::write(folder.path().join("postroom.toml"), &config).unwrap();
            let paths = [&built, &ours].map(|path| path.to_str().unwrap());
            let args = ["check", "--json", "--plugins-path", paths[0], "--plugins-path", paths[1]];
            let report: Value = serde_json::from_str(&run(folder.path(), &config, &args).stdout).unwrap();
            // The plugin of the tutorial is an example of the SDK, which the tests of that crate build.
            let faults = report["faults"].as_array().unwrap().iter();
            let faults: Vec<_> =
                faults.filter(|fault| fault["message"] != "there is no plugin \"ntfy\"").collect();
            assert!(faults.is_empty(), "{}: {faults:#?}\n{config}", document.path);
            count += 1;
        }
    }
    assert!(count >= 10, "only {count} configurations were checked");
}

#[test]
fn bodies_are_of_the_kind_that_the_text_says() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("postroom.toml"), Config::new().text(&program().plugins())).unwrap();
    let mut kinds = BTreeSet::new();
    for block in USER_GUIDE.blocks_in("json") {
        fs::write(folder.path().join("body.json"), block.text).unwrap();
        let args = ["routes", "explain", "--file", "body.json", "--source", Config::SOURCE, "--json"];
        let explained: Value = serde_json::from_str(&run(folder.path(), "", &args).stdout).unwrap();
        let said: Vec<&str> = block.before.split('`').skip(1).step_by(2).collect();
        let is: Vec<&str> = ["kind", "verdict"].iter().filter_map(|key| explained[key].as_str()).collect();
        assert_eq!(is, said, "{}", block.text);
        kinds.insert(is.join(" "));
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    for document in [README, OPERATING, PLUGIN_AUTHOR, MONITORS] {
        for block in document.blocks_in("json") {
            serde_json::from_str::<Value>(block.text).unwrap_or_else(|error| panic!("{error}: {block:?}"));
        }
    }
}

#[test]
fn the_guide_shows_what_routes_explain_prints() {
    let blocks = USER_GUIDE.blocks();
    let config = blocks.iter().find(|block| block.text.starts_with("# postroom.toml\n")).unwrap();
    let body = blocks.iter().find(|block| block.language == "json").unwrap();
    let at = blocks.iter().position(|block| block.text.starts_with("postroom routes explain")).unwrap();
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("postroom.toml"), config.text).unwrap();
    fs::write(folder.path().join("run.json"), body.text).unwrap();
    let args = commands_of(blocks[at].text).remove(0);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let explained = run(folder.path(), config.text, &args);
    assert_eq!(explained.stdout, blocks[at + 1].text, "{explained:#?}");
}

/// The arguments of every `postroom` in a shell text, for the few signs of a shell that the documents use.
fn commands_of(text: &str) -> Vec<Vec<String>> {
    let mut commands = vec![vec![]];
    let (mut word, mut quote) = (None::<String>, None);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('"' | '\'', None) => quote = Some(character),
            (_, Some(open)) if character == open => quote = None,
            ('#', None) if word.is_none() => while characters.next_if(|next| *next != '\n').is_some() {},
            (' ' | '\n' | '|' | '&' | ';', None) => {
                commands.last_mut().unwrap().extend(word.take());
                if character != ' ' {
                    commands.push(vec![]);
                }
                continue;
            }
            _ => word.get_or_insert_default().push(character),
        }
    }
    commands.last_mut().unwrap().extend(word);
    let is_ours = |command: &Vec<String>| {
        command
            .first()
            .is_some_and(|program| Path::new(program).file_name().is_some_and(|name| name == "postroom"))
    };
    commands.into_iter().filter(is_ours).map(|command| command[1..].to_vec()).collect()
}

#[test]
fn command_lines_are_understood() {
    let folder = TempDir::new().unwrap();
    let mut lines: BTreeSet<Vec<String>> = BTreeSet::new();
    for document in DOCUMENTS {
        lines.extend(document.blocks_in("sh").flat_map(|block| commands_of(block.text)));
        let units = document.blocks_in("ini").flat_map(|block| block.text.lines());
        lines.extend(units.filter_map(|line| line.strip_prefix("ExecStart=")).flat_map(commands_of));
        lines.extend(document.quoted().filter(|text| text.starts_with("postroom ")).flat_map(commands_of));
    }
    // Run by the gateway alone, which gives it a socket.
    lines.retain(|line| line != &["plugin-host"]);
    for line in &lines {
        // Arguments are read in order, so whatever stands before `--help` is understood when the help comes.
        let args = line.iter().map(String::as_str).chain(["--help"]);
        let output = program().command(args).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "postroom {}\n{output:?}", line.join(" "));
    }
    assert!(lines.len() >= 15, "only {} command lines were found", lines.len());
}

#[test]
fn settings_of_plugins_are_those_of_their_schemas() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("postroom.toml"), Config::new().text(&program().plugins())).unwrap();
    for plugin in ["itoc360", "backup", "forward"] {
        let inspected = run(folder.path(), "", &["plugin", "inspect", plugin, "--json"]);
        let inspected: Value = serde_json::from_str(&inspected.stdout).unwrap();
        let schema = &inspected["manifest"]["config_schema"];
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let settings = schema["properties"].as_object().unwrap();
        let settings: BTreeMap<_, _> =
            settings.keys().map(|name| (name.clone(), required.contains(&json!(name)))).collect();
        let table = rows(USER_GUIDE.section(&format!("### {plugin}")), "setting").into_iter();
        let table: BTreeMap<_, _> = table
            .flat_map(|row| names(row[0]).map(move |name| (name, row[1].starts_with("required"))))
            .collect();
        assert_eq!(table, settings, "name and whether it is required, of {plugin}");
    }
}

#[test]
fn names_of_the_api_are_all_in_the_tables() {
    let document: Value = serde_json::from_str(include_str!("../../openapi/postroom.json")).unwrap();
    let check = |table: BTreeSet<String>, schema: &str| {
        let words = document["components"]["schemas"][schema]["x-extensible-enum"].as_array().unwrap().iter();
        let words: BTreeSet<String> = words.map(|word| word.as_str().unwrap().to_owned()).collect();
        assert_eq!(table, words, "of {schema}");
    };
    let codes = rows(USER_GUIDE.text, "status").into_iter().flat_map(|row| names(row[1]));
    check(codes.collect(), "ProblemCode");
    let mut kinds = first_names(USER_GUIDE.section("## What Postman sends"), "kind");
    kinds.extend(first_names(MONITORS.text, "kind"));
    check(kinds, "Kind");
    check(first_names(USER_GUIDE.section("### What becomes of a delivery"), "outcome"), "OutcomeKind");
    check(first_names(PLUGIN_AUTHOR.section("## Outcomes"), "outcome"), "OutcomeKind");
    check(first_names(OPERATING.text, "state"), "DestinationState");
}

#[test]
fn paths_of_the_api_are_offered() {
    let document: Value = serde_json::from_str(include_str!("../../openapi/postroom.json")).unwrap();
    let offered: Vec<Vec<&str>> =
        document["paths"].as_object().unwrap().keys().map(|path| path.split('/').collect()).collect();
    let mut count = 0;
    for text in DOCUMENTS.iter().flat_map(|document| document.text.split("/api/v1/").skip(1)) {
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "/{}$_-".contains(c)));
        let path = format!("/api/v1/{}", &text[..end.unwrap_or(text.len())]);
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |offered: &Vec<&str>| {
            offered.len() == parts.len()
                && offered.iter().zip(&parts).all(|(wanted, part)| wanted.starts_with('{') || wanted == part)
        };
        assert!(offered.iter().any(fits), "nothing is offered at {path}");
        count += 1;
    }
    assert!(count >= 10, "only {count} paths were found");
}

#[tokio::test]
async fn every_metric_is_in_the_table() {
    let (target, down) = (Double::start(Receiver), Double::start_down(Receiver));
    let config = Config::new()
        .forward("target", &target.url("/"), "")
        .forward("down", &down.url("/"), &retry(1, "1h"))
        .route("all", "", "target")
        .route("too", "", "down");
    let gateway = start(config).await;
    // Enough different failures for the breaker, and each event twice.
    for monitor in ["a", "b", "c", "d", "e"].repeat(2) {
        let run = gateway.hook().header("idempotency-key", monitor).body(body::monitor_run(monitor, 0));
        assert_eq!(Answer::to(run).await.status, 202);
    }
    // Deliveries are counted a moment after they are shown.
    let text = eventually("deliveries to be counted", async || {
        let text = gateway.ask("/metrics").await.text();
        let samples = [
            "postroom_deliveries_finished_total{",
            "postroom_breaker_openings_total{",
            "postroom_monitor_runs_total{",
        ];
        samples.iter().all(|sample| text.contains(sample)).then_some(text)
    })
    .await;
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let types: BTreeSet<String> = types.map(str::to_owned).collect();
    let table = rows(OPERATING.section("## Metrics"), "name").into_iter();
    let table: BTreeSet<String> =
        table.flat_map(|row| names(row[0]).map(move |name| format!("{name} {}", row[1]))).collect();
    assert_eq!(table, types);
}

#[test]
fn variables_flags_and_exit_codes_are_those_of_the_help() {
    let folder = TempDir::new().unwrap();
    let help = run(folder.path(), "", &["serve", "--help"]).stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let variables = help.split("[env: ").skip(1).map(|rest| rest.split(']').next().unwrap().to_owned());
    let table = OPERATING.section("## Settings from outside the file");
    assert_eq!(first_names(table, "variable"), variables.collect());
    for row in rows(table, "variable") {
        let (variable, flag) = (names(row[0]).next().unwrap(), names(row[1]).next().unwrap());
        let (before, _) = help.split_once(&format!("[env: {variable}]")).unwrap();
        let nearest = before.split(' ').rfind(|word| word.starts_with("--"));
        assert_eq!(nearest, Some(flag.as_str()), "of {variable}");
    }

    let help = run(folder.path(), "", &["--help"]).stdout;
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    let codes: Vec<Vec<&str>> = codes.lines().map(|line| line.trim().splitn(2, "  ").collect()).collect();
    assert_eq!(rows(OPERATING.section("## Exit codes"), "code"), codes);
}

#[test]
fn messages_and_codes_of_the_gateway_stand_in_its_source() {
    let source = sources(&Path::new(ROOT).join("gateway")).concat();
    let mut texts = first_names(OPERATING.section("## Logs"), "message");
    texts.extend(first_names(OPERATING.section("## Plugins and their states"), "code"));
    for text in texts {
        assert!(source.contains(&format!("\"{text}\"")), "nothing says {text:?}");
    }
}

fn sources(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(fs::read_to_string(&path).unwrap());
        }
    }
    found
}

/// Cargo compiles that example and runs its tests with those of the SDK.
#[test]
fn the_rust_plugin_of_the_tutorial_is_the_example_of_the_sdk() {
    let blocks: Vec<&str> = PLUGIN_AUTHOR.blocks_in("rust").map(|block| block.text).collect();
    assert!(blocks.join("\n") == include_str!("../../sdk/rust/examples/ntfy.rs"), "the two differ");
}

/// Compiles the C plugin with the command of the tutorial into `folder`; gives the folder of the library.
fn compile_hello(folder: &Path) -> PathBuf {
    let commands = PLUGIN_AUTHOR.blocks_in("sh").find_map(|block| block.text.strip_prefix("cc "));
    let arguments = commands.unwrap().lines().next().unwrap();
    fs::create_dir(folder.join("plugins")).unwrap();
    let library = |word: &str| match word.strip_prefix("plugins/") {
        Some(file) => folder.join("plugins").join(file),
        None => PathBuf::from(word),
    };
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let compiled = Command::new(compiler).current_dir(ROOT).args(arguments.split(' ').map(library)).output();
    let compiled = compiled.expect("the tests need a C compiler");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    folder.join("plugins")
}

#[tokio::test]
async fn the_c_plugin_of_the_tutorial_delivers() {
    let block = PLUGIN_AUTHOR.blocks_in("c").next().unwrap();
    assert!(block.text == include_str!("../../sdk/c/examples/hello.c"), "the tutorial shows another hello.c");

    let folder = TempDir::new().unwrap();
    let plugins = compile_hello(folder.path());
    let config = Config::new().destination("hello", "hello", "").route("everything", "", "hello");
    fs::write(folder.path().join("postroom.toml"), config.text(&plugins)).unwrap();
    let gateway = Serving::start(&program(), folder.path(), []).await;
    let hook = format!("/hooks/{}?token={}", Config::SOURCE, config.token());
    let answer = Answer::to(gateway.client.request(Method::POST, &hook).body("hello")).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    eventually("the plugin to have it", async || {
        let path = "/api/v1/deliveries?state=delivered&destination=hello";
        let list = gateway.client.request(Method::GET, path).bearer_auth(config.api_key());
        (Answer::to(list).await.json()["items"].as_array()?.len() == 1).then_some(())
    })
    .await;
}

#[test]
fn links_lead_somewhere() {
    for document in DOCUMENTS {
        let folder = Path::new(ROOT).join(document.path).parent().unwrap().to_owned();
        let prose = document.text.split("```").step_by(2);
        let links = prose.flat_map(|prose| prose.split("](").skip(1));
        for link in links.map(|rest| rest.split(')').next().unwrap()) {
            if link.starts_with("https://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let path = if file.is_empty() { Path::new(ROOT).join(document.path) } else { folder.join(file) };
            assert!(path.exists(), "{}: {link}", document.path);
            let has_heading =
                || fs::read_to_string(&path).unwrap().lines().any(|line| anchor(line) == heading);
            assert!(heading.is_empty() || has_heading(), "{}: {link}", document.path);
        }
    }
}

/// The anchor of a heading, as it is made where the documents are shown.
fn anchor(line: &str) -> String {
    let heading = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}
