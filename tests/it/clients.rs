//! The client in Rust, as its users meet it, and what is said of all clients. Those in other languages need more than cargo
//! to be tried: `cargo xtask clients`.

use std::{ffi::OsStr, process::Command};

use postroom_tests::stories::Stage;

use crate::support::program;

#[tokio::test]
async fn the_rust_client_tells_the_whole_story_and_understands_a_gateway_of_tomorrow() {
    let stage = Stage::start(&program()).await;
    stage.tell(OsStr::new(env!("CARGO_BIN_EXE_story-in-rust")), &[]).await.unwrap();
}

#[tokio::test]
async fn a_program_that_fails_has_not_told_the_story() {
    let stage = Stage::start(&program()).await;
    let mut shell = ["-c", "test $# = 0 || { echo \"$1\"; exit 3; }", "story"].map(OsStr::new).to_vec();
    let fault = stage.tell(OsStr::new("sh"), &shell).await.unwrap_err();
    assert_eq!(fault, "tomorrow: exit status: 3: tomorrow");
    shell.push(OsStr::new("today"));
    assert_eq!(stage.tell(OsStr::new("sh"), &shell).await.unwrap_err(), "today: exit status: 3: today");
}

/// Whoever builds the package has nothing but what is in it.
#[test]
fn the_package_of_the_rust_client_has_the_document() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/clients/rust/Cargo.toml");
    let listed = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline", "--manifest-path", manifest])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.lines().any(|file| file == "postroom.json"), "{listed}");
    let packaged = std::fs::read(manifest.replace("Cargo.toml", "postroom.json")).unwrap();
    assert!(packaged == include_bytes!("../../openapi/postroom.json"), "a copy, not a link");
}

/// Each section of the guide with a program, and that program.
const STORIES: [(&str, &str); 6] = [
    ("## Rust", include_str!("../../openapi/clients/rust/examples/story.rs")),
    ("## TypeScript with openapi-fetch", include_str!("../../openapi/clients/stories/typescript/story.ts")),
    ("## TypeScript with hey-api", include_str!("../../openapi/clients/stories/hey-api/story.ts")),
    ("## Python", include_str!("../../openapi/clients/stories/python/story.py")),
    ("## Go", include_str!("../../openapi/clients/stories/go/main.go")),
    ("## Java", include_str!("../../openapi/clients/stories/java/Story.java")),
];

/// The blocks in a language that is none of these are commands and settings.
const LANGUAGES: [&str; 5] = ["rust", "ts", "python", "go", "java"];

fn blocks(section: &str) -> impl Iterator<Item = (&str, &str)> {
    section.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap())
}

#[test]
fn the_guide_shows_what_is_in_the_programs_and_nothing_else() {
    let sections = include_str!("../../docs/clients.md").split("\n## ").skip(1);
    let mut shown = 0;
    for section in
        sections.filter(|section| blocks(section).any(|(language, _)| LANGUAGES.contains(&language)))
    {
        let heading = format!("## {}", section.lines().next().unwrap());
        let (_, program) = STORIES.iter().find(|(of, _)| *of == heading).unwrap();
        for (_, block) in blocks(section).filter(|(language, _)| LANGUAGES.contains(language)) {
            let mut rest = *program;
            for part in block.trim_end().split("\n\n").map(|part| part.trim_matches('\n')) {
                (_, rest) = rest
                    .split_once(part)
                    .unwrap_or_else(|| panic!("{heading}: not there, or before:\n{part}"));
            }
            shown += 1;
        }
    }
    assert_eq!(shown, STORIES.len());
}

/// What a reader gives a generator is what `cargo xtask clients` gives it.
#[test]
fn the_commands_of_the_guide_are_those_that_are_tried() {
    let task = include_str!("../../xtask/src/clients/generated.rs");
    let task: String = task.split("\\\n").map(str::trim_start).collect();
    let mut count = 0;
    for (_, commands) in
        blocks(include_str!("../../docs/clients.md")).filter(|(language, _)| *language == "sh")
    {
        let words = commands.split_whitespace().filter(|word| word.starts_with("--") || word.contains('='));
        for word in words {
            assert!(task.contains(word), "{word} is not in xtask");
            count += 1;
        }
    }
    assert!(count >= 15, "only {count} words were compared");
}
