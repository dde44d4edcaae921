//! The files of a new project.

use std::path::Path;

use crate::commands::send::bodies::{self, Spelling};

const HEADER: &str = include_str!("../../../../../../sdk/c/postroom_plugin.h");
const HELLO: &str = include_str!("../../../../../../sdk/c/examples/hello.c");

/// One file.
#[derive(Debug)]
pub(super) struct File {
    /// From the project's folder.
    pub(super) path: &'static str,
    pub(super) content: Vec<u8>,
}

/// What the plugin is called where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// In configurations.
    pub(super) id: String,
    /// For people.
    name: String,
    /// In the name of the library, between `libpostroom_plugin_` and `.so`.
    library: String,
}

impl Names {
    /// Takes an id.
    pub(super) fn parse(id: &str) -> Result<Self, &'static str> {
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if id.len() > 64 || !id.split(['.', '-']).all(word) {
            return Err("expected lower-case words of letters and digits, joined by - or ., like pager");
        }
        let mut name = id.replace(['.', '-'], " ");
        name[..1].make_ascii_uppercase();
        Ok(Self { id: id.to_owned(), name, library: id.replace(['.', '-'], "_") })
    }

    fn fill(&self, template: &str) -> String {
        template
            .replace("@id@", &self.id)
            .replace("@name@", &self.name)
            .replace("@lib@", &self.library)
            // Cargo takes no point in the name of a crate.
            .replace("@crate@", &self.id.replace('.', "-"))
    }

    fn file(&self, path: &'static str, template: &str) -> File {
        File { path, content: self.fill(template).into_bytes() }
    }
}

/// A project in Rust, for the SDK in the folder `sdk`.
pub(super) fn in_rust(names: &Names, sdk: &Path) -> Vec<File> {
    // The quotes and escapes of JSON are those of TOML.
    let sdk = serde_json::Value::from(sdk.to_string_lossy()).to_string();
    let cargo = include_str!("../../../../../../sdk/template/rust/Cargo.toml.in").replace("@sdk@", &sdk);
    let source = include_str!("../../../../../../sdk/template/rust/src/lib.rs.in");
    let schema = include_str!("../../../../../../sdk/template/rust/config.schema.json.in");
    let actions = include_str!("../../../../../../sdk/template/rust/actions.json.in");
    let readme = include_str!("../../../../../../sdk/template/rust/README.md.in");
    vec![
        names.file("Cargo.toml", &cargo),
        names.file("src/lib.rs", source),
        names.file("config.schema.json", schema),
        names.file("actions.json", actions),
        names.file("README.md", readme),
        names.file(".gitignore", "/target\n"),
        event(),
    ]
}

/// A project in C: the example of the SDK under another name.
pub(super) fn in_c(names: &Names) -> Vec<File> {
    let source = HELLO
        .replace("libpostroom_plugin_hello.so", "libpostroom_plugin_@lib@.so")
        .replace("-I .. hello.c", "plugin.c")
        .replace(
            "\\\"id\\\":\\\"hello\\\",\\\"name\\\":\\\"Hello\\\"",
            "\\\"id\\\":\\\"@id@\\\",\\\"name\\\":\\\"@name@\\\"",
        )
        .replace("POSTROOM_STR(\"hello\")", "POSTROOM_STR(\"@id@\")");
    let makefile = include_str!("../../../../../../sdk/template/c/Makefile.in");
    let readme = include_str!("../../../../../../sdk/template/c/README.md.in");
    vec![
        names.file("plugin.c", &source),
        File { path: "postroom_plugin.h", content: HEADER.into() },
        names.file("Makefile", makefile),
        names.file("README.md", readme),
        names.file(".gitignore", "*.so\n"),
        event(),
    ]
}

/// A webhook to try the plugin with.
fn event() -> File {
    let body = bodies::monitor_run("Checkout smoke test", true, Spelling::Documented, 1);
    File { path: "event.json", content: body }
}
