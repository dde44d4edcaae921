//! The way of a plugin's author, from `plugin new` to deliveries: the tutorial itself is run, command by command.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use postroom_tests::harness::{Answer, Config, Finished, Program, Serving, body, eventually};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::program;

const TUTORIAL: &str = include_str!("../../docs/plugin-author.md");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// Where new projects are built: what they have in common is compiled once and not for every run of the tests.
const BUILT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/plugin-author");
const BUNDLED: [&str; 3] = ["backup", "forward", "itoc360"];

/// What lies between the fences of a block of the tutorial.
#[derive(Debug, Clone, Copy)]
struct Block {
    language: &'static str,
    text: &'static str,
}

/// The blocks below a heading, up to the next heading of the same level.
fn blocks_below(heading: &str) -> Vec<Block> {
    let (_, below) = TUTORIAL.split_once(&format!("\n## {heading}\n")).unwrap();
    let below = below.split("\n## ").next().unwrap();
    let blocks = below.split("```").skip(1).step_by(2);
    let blocks = blocks.map(|block| block.split_once('\n').unwrap());
    blocks.map(|(language, text)| Block { language, text }).collect()
}

/// A terminal of an author who has installed Postroom.
struct Terminal {
    /// Removed at the end, with all that was made.
    _home: TempDir,
    folder: PathBuf,
    /// Where `postroom` is installed.
    bin: PathBuf,
    /// The gateway that runs, which listens where no tutorial says.
    gateway: Option<String>,
}

impl Terminal {
    /// Opens it in an empty folder. `postroom` and the bundled plugins lie side by side, as they are installed.
    fn open() -> Self {
        let home = TempDir::with_prefix("postroom-author-").unwrap();
        let (bin, folder) = (home.path().join("bin"), home.path().join("work"));
        fs::create_dir(&bin).unwrap();
        fs::create_dir(&folder).unwrap();
        let put = |from: &Path, name: &str| {
            let to = bin.join(name);
            // A copy only where a link is not possible: the program of a test is large.
            fs::hard_link(from, &to).or_else(|_| fs::copy(from, &to).map(drop)).unwrap();
        };
        put(Path::new(env!("CARGO_BIN_EXE_postroom-under-test")), "postroom");
        for plugin in BUNDLED {
            let library = format!("libpostroom_plugin_{plugin}.so");
            put(&program().plugins().join(&library), &library);
        }
        Self { _home: home, folder, bin, gateway: None }
    }

    /// Types one line; gives what it printed.
    #[track_caller]
    fn run(&mut self, line: &str) -> Finished {
        let began = Instant::now();
        let output = self.command(line).output().unwrap();
        let finished = Finished::from(output);
        assert_eq!(finished.code, Some(0), "{line}\n{}\n{}", finished.stdout, finished.stderr);
        // No token belongs into a log, be it one of a test.
        let shown = line.split("?token=").next().unwrap_or_default();
        note(format_args!("{:>6} ms  {shown}", began.elapsed().as_millis()));
        if let Some(folder) = line.strip_prefix("cd ") {
            self.folder = self.folder.join(folder).canonicalize().unwrap();
            if self.folder.join("Cargo.toml").exists() {
                share_build(&self.folder);
            }
        }
        finished
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("sh");
        // Without the settings of the person who runs the tests.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("POSTROOM_") {
                command.env_remove(name);
            }
        }
        command.envs(self.gateway.as_ref().map(|url| ("POSTROOM_URL", url)));
        command
            .args(["-ec", line])
            .current_dir(&self.folder)
            .env("PATH", format!("{}:{}", self.bin.display(), std::env::var("PATH").unwrap()))
            .env("NO_COLOR", "1")
            .env("CARGO_NET_OFFLINE", "true")
            // The tutorial says where cargo puts things.
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("CARGO_BUILD_TARGET_DIR");
        command
    }

    /// The installed program.
    fn postroom(&self) -> Program {
        Program::new(self.bin.join("postroom").to_str().unwrap())
    }
}

/// Lets a new project be built without a network: with the versions that are there, into a place that lasts.
fn share_build(project: &Path) {
    fs::copy(Path::new(ROOT).join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    fs::create_dir_all(BUILT).unwrap();
    symlink(BUILT, project.join("target")).unwrap();
}

#[expect(clippy::print_stderr, reason = "how long an author's way takes is told in the log of the test")]
fn note(line: std::fmt::Arguments<'_>) {
    eprintln!("{line}");
}

/// Starts the gateway of the folder, on any free port.
async fn serve(terminal: &Terminal) -> Serving {
    Serving::start(&terminal.postroom(), &terminal.folder, ["--listen", "127.0.0.1:0"]).await
}

#[tokio::test]
async fn the_tutorial_leads_to_deliveries() {
    let began = Instant::now();
    let mut terminal = Terminal::open();
    let (mut gateway, mut hook) = (None, String::new());
    let (mut ran, mut last) = (0, None);
    for block in blocks_below("From nothing to deliveries") {
        match block.language {
            "toml" => {
                let file = terminal.folder.join("postroom.toml");
                let config = fs::read_to_string(&file).unwrap();
                fs::write(&file, config + "\n" + block.text).unwrap();
            }
            "sh" => {
                for line in block.text.lines() {
                    ran += 1;
                    if line == "postroom serve" {
                        let serving = serve(&terminal).await;
                        terminal.gateway = Some(serving.client.url(""));
                        gateway = Some(serving);
                        continue;
                    }
                    let example = "http://127.0.0.1:8080/hooks/postman?token=…";
                    let finished = terminal.run(&line.replace(example, &hook_at(gateway.as_ref(), &hook)));
                    if line == "postroom init" {
                        hook = finished.stdout.trim().replace("http://127.0.0.1:8080", "");
                    }
                    if line.starts_with("postroom send ") {
                        let logs = gateway.as_ref().unwrap().logs();
                        logs.message("look: Checkout smoke test is failing").await;
                    }
                    last = Some(finished);
                }
            }
            // What the command before it prints, but for the time it took.
            "text" => {
                let without_time = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
                let printed = last.take().unwrap().stdout;
                assert_eq!(without_time(&printed), without_time(block.text));
            }
            other => panic!("what is to be done with {other}?"),
        }
    }
    assert!(ran >= 20, "only {ran} commands were run");

    let gateway = gateway.unwrap();
    gateway.logs().message("look: anybody there?").await;
    let config: toml::Table =
        fs::read_to_string(terminal.folder.join("postroom.toml")).unwrap().parse().unwrap();
    let key = config["api_key"][0]["key"].as_str().unwrap();
    eventually("the event to be delivered", async || {
        let path = "/api/v1/deliveries?destination=hello&state=delivered";
        let list = gateway.client.request(Method::GET, path).bearer_auth(key);
        (Answer::to(list).await.json()["items"].as_array()?.len() == 1).then_some(())
    })
    .await;
    note(format_args!("{:>6} ms  from nothing to a delivery", began.elapsed().as_millis()));
}

/// Prints how long the steps of an author's way took, and all of them together.
fn note_steps(steps: &[(&str, Duration)]) {
    for (step, took) in steps {
        note(format_args!("{:>7.1} s  {step}", took.as_secs_f64()));
    }
    let all: Duration = steps.iter().map(|(_, took)| *took).sum();
    note(format_args!(
        "{:>7.1} s  from `plugin new` to a delivery in a gateway that ran all the time",
        all.as_secs_f64()
    ));
}

#[tokio::test]
async fn a_new_plugin_delivers_in_a_gateway_that_runs_on() {
    let mut terminal = Terminal::open();
    let home = terminal.folder.clone();
    let plugins = home.join("plugins");
    fs::create_dir(&plugins).unwrap();
    let bundled = "libpostroom_plugin_backup.so";
    fs::hard_link(terminal.bin.join(bundled), plugins.join(bundled)).unwrap();
    let config = Config::new().backup("backups", "kept").route(
        "backups",
        "kinds = [\"collection_backup\"]",
        "backups",
    );
    let text = config.text(&plugins);
    fs::write(home.join("postroom.toml"), &text).unwrap();
    let gateway = serve(&terminal).await;
    let get = async |path: &str| {
        Answer::to(gateway.client.request(Method::GET, path).bearer_auth(config.api_key())).await.json()
    };
    let process = async || {
        eventually("the plugin of the backups to be ready", async || {
            let process = get("/api/v1/destinations/backups").await["process"]["pid"].clone();
            (!process.is_null()).then_some(process)
        })
        .await
    };
    let before = process().await;

    let mut steps = Vec::new();
    for (step, line) in [
        ("plugin new", "postroom plugin new pager"),
        ("into its folder", "cd pager"),
        ("build", "cargo build --release"),
        ("conformance", "postroom plugin conformance target/release/libpostroom_plugin_pager.so"),
    ] {
        let began = Instant::now();
        terminal.run(line);
        steps.push((step, began.elapsed()));
    }

    let began = Instant::now();
    terminal.run(&format!("cp target/release/libpostroom_plugin_pager.so {}", plugins.display()));
    let pager = "[[destination]]\nname = \"pager\"\nplugin = \"pager\"\n\n[[route]]\nname = \"all\"\nto = [\"pager\"]\n";
    fs::write(home.join("postroom.toml"), format!("{text}\n{pager}")).unwrap();
    let reload = gateway.client.request(Method::POST, "/api/v1/config/reload").bearer_auth(config.api_key());
    let reloaded = Answer::to(reload).await;
    assert_eq!(reloaded.status, 200, "{}", reloaded.text());
    let hook = format!("/hooks/{}?token={}", Config::SOURCE, config.token());
    let accepted =
        Answer::to(gateway.client.request(Method::POST, &hook).body(body::monitor_run("m", 1))).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    eventually("the new plugin to deliver", async || {
        let list = get("/api/v1/deliveries?destination=pager&state=delivered").await;
        (list["items"].as_array()?.len() == 1).then_some(())
    })
    .await;
    steps.push(("reload and delivery", began.elapsed()));
    note_steps(&steps);
    assert_eq!(process().await, before, "what was there runs on");
}

/// The URL that Postman would post to.
fn hook_at(gateway: Option<&Serving>, hook: &str) -> String {
    gateway.map_or_else(String::new, |gateway| gateway.client.url(hook))
}

#[tokio::test]
async fn a_new_project_in_c_builds_conforms_and_delivers() {
    let mut terminal = Terminal::open();
    let block = blocks_below("In C").into_iter().find(|block| block.text.starts_with("postroom plugin new"));
    block.unwrap().text.lines().for_each(|line| drop(terminal.run(line)));
    terminal.run("cd hello-c");
    let library = "libpostroom_plugin_hello_c.so";
    let tried = terminal.run(&format!("postroom plugin try {library} --event event.json --json"));
    let tried: Value = serde_json::from_str(&tried.stdout).unwrap();
    assert_eq!((&tried["outcome"], &tried["record"]["seen"]), (&"delivered".into(), &1.into()), "{tried}");
    let inspected = terminal.run(&format!("postroom plugin inspect {library} --json"));
    let inspected: Value = serde_json::from_str(&inspected.stdout).unwrap();
    assert_eq!(inspected["manifest"]["id"], "hello-c");

    let config = Config::new().destination("hello", "hello-c", "").route("everything", "", "hello");
    fs::write(terminal.folder.join("postroom.toml"), config.text(&terminal.folder)).unwrap();
    let gateway = serve(&terminal).await;
    let hook = format!("/hooks/{}?token={}", Config::SOURCE, config.token());
    let answer =
        Answer::to(gateway.client.request(Method::POST, &hook).body(body::monitor_run("m", 1))).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    eventually("the event to be delivered", async || {
        let path = "/api/v1/deliveries?destination=hello&state=delivered";
        let list = gateway.client.request(Method::GET, path).bearer_auth(config.api_key());
        (Answer::to(list).await.json()["items"].as_array()?.len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_plugin_that_aborts_is_told_by_exit_code_and_report() {
    let folder = TempDir::new().unwrap();
    let library = program().plugins().join("libpostroom_faulty_abort.so");
    let library = library.to_str().unwrap();
    fs::write(folder.path().join("event.json"), body::monitor_run("m", 1)).unwrap();
    let run = async |args: &[&str]| program().run(folder.path(), args.iter().copied()).await;

    let checked = run(&["plugin", "conformance", library, "--json"]).await;
    assert_eq!(checked.code, Some(7), "{checked:#?}");
    let report: Value = serde_json::from_str(&checked.stdout).unwrap();
    let finding = |name: &str| {
        let checks = report["checks"].as_array().unwrap();
        checks
            .iter()
            .find(|check| check["name"] == name)
            .unwrap_or_else(|| panic!("no {name:?} in {report:#}"))
    };
    assert_eq!(finding("starts")["holds"], true);
    assert_eq!(finding("delivers monitor_run")["holds"], false);
    assert!(finding("delivers monitor_run")["reason"].as_str().unwrap().contains("signal 6"), "{report:#}");

    let tried = run(&["plugin", "try", library, "--event", "event.json"]).await;
    assert_eq!(tried.code, Some(7), "{tried:#?}");
    assert!(tried.stdout.contains("plugin_crashed"), "{tried:#?}");
}

/// Compiles one of `tests/faulty` into `folder`, and gives the name of the library.
fn compile_faulty(name: &str, folder: &Path) -> String {
    let library = format!("libpostroom_plugin_{name}.so");
    let done = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()))
        .args([
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-shared",
            "-fPIC",
            "-fvisibility=hidden",
            "-pthread",
        ])
        .args(["-I", &format!("{ROOT}/sdk/c"), &format!("{ROOT}/tests/faulty/{name}.c"), "-o"])
        .arg(folder.join(&library))
        .output()
        .expect("the tests need a C compiler");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    library
}

#[tokio::test]
async fn a_trial_offers_the_event_until_it_is_taken_or_the_plugin_is_gone() {
    let folder = TempDir::new().unwrap();
    let library = format!("./{}", compile_faulty("hesitant", folder.path()));
    fs::write(folder.path().join("event.json"), body::monitor_run("m", 1)).unwrap();
    let args = ["plugin", "try", &library, "--event", "event.json"];
    let taken = program().run(folder.path(), args).await;
    assert_eq!(taken.code, Some(0), "{taken:#?}");
    assert!(taken.stdout.starts_with("delivered"), "{taken:#?}");

    let args = args.into_iter().chain(["--config", "{\"leave\":true}"]);
    let gone = program().run(folder.path(), args).await;
    assert_eq!(gone.code, Some(7), "{gone:#?}");
    assert!(format!("{}{}", gone.stdout, gone.stderr).contains("signal 6"), "{gone:#?}");
}

#[tokio::test]
async fn wrong_arguments_of_authors_have_the_codes_of_all_commands() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("text.so"), "no library").unwrap();
    let run = async |args: &[&str]| program().run(folder.path(), args.iter().copied()).await;
    let check = async |args: &[&str], code: i32| {
        let finished = run(args).await;
        assert_eq!(finished.code, Some(code), "{finished:#?}");
        finished
    };
    let backup = program().plugins().join("libpostroom_plugin_backup.so");
    let backup = backup.to_str().unwrap();
    check(&["plugin", "new", "Not An Id"], 2).await;
    check(&["plugin", "new", "pager", "--sdk", "nowhere"], 5).await;
    check(&["plugin", "conformance", "nowhere.so"], 5).await;
    check(&["plugin", "try", backup, "--event", "nowhere.json"], 5).await;
    check(&["plugin", "conformance", backup, "--config", "{"], 3).await;
    let refused = check(&["plugin", "conformance", "text.so", "--junit"], 7).await;
    assert!(refused.stdout.contains("<failure message=\"not a readable"), "{refused:#?}");
    fs::write(folder.path().join("event.json"), "{}").unwrap();
    let refused = check(&["plugin", "try", backup, "--event", "event.json"], 3).await;
    assert!(refused.stderr.contains("root"), "{refused:#?}");
}
