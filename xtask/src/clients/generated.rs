//! How the client of each language is made and compiled. The commands are those of docs/clients.md.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

use super::Folders;
use crate::tools::{self, Trouble, need, run};

/// The language of the generated code begins with 3.11.
const PYTHON: &str = "sys.version_info >= (3, 11)";
/// hey-api's generator needs it.
const NODE: &str = "process.versions.node.localeCompare('20.19', 'en', { numeric: true }) >= 0";
/// Of openapi-generator, for every language: the code, and no tests and documents of it.
const ONLY_CODE: &str =
    "apis,models,supportingFiles,apiTests=false,modelTests=false,apiDocs=false,modelDocs=false";

/// The types of openapi-typescript under the fetch of openapi-fetch.
pub(super) fn openapi_fetch(folders: &Folders) -> Result<Vec<OsString>, Trouble> {
    let (folder, programs) = node_project(folders, "typescript")?;
    let mut types = Command::new(programs.join("openapi-typescript"));
    run(types.arg(&folders.document).args(["--output", "schema.d.ts"]).current_dir(&folder))?;
    compile_typescript(&folder, &programs)
}

pub(super) fn hey_api(folders: &Folders) -> Result<Vec<OsString>, Trouble> {
    let (folder, programs) = node_project(folders, "hey-api")?;
    let mut generator = Command::new(programs.join("openapi-ts"));
    run(generator.arg("--input").arg(&folders.document).arg("--no-log-file").current_dir(&folder))?;
    compile_typescript(&folder, &programs)
}

/// The folder of a client with its story and the packages; and where the programs of those are.
fn node_project(folders: &Folders, name: &str) -> Result<(PathBuf, PathBuf), Trouble> {
    let (lock, packages) = (folders.ours.join("tools/npm"), folders.tools.join("npm"));
    tools::npm(&packages, &lock, NODE)?;
    let folder = fresh(folders, name)?;
    for file in ["package.json", "tsconfig.json", "openapi-ts.config.js"] {
        copy(&lock.join(file), &folder)?;
    }
    let modules = packages.join("node_modules");
    symlink(&modules, folder.join("node_modules")).context("cannot link the packages")?;
    Ok((folder, modules.join(".bin")))
}

fn compile_typescript(folder: &Path, programs: &Path) -> Result<Vec<OsString>, Trouble> {
    run(Command::new(programs.join("tsc")).current_dir(folder))?;
    Ok(vec!["node".into(), folder.join("out/story.js").into()])
}

pub(super) fn python(folders: &Folders) -> Result<Vec<OsString>, Trouble> {
    let ours = folders.ours.join("tools/python");
    let programs = tools::python(&folders.tools.join("python"), &ours.join("python.txt"), PYTHON)?;
    let folder = fresh(folders, "python")?;
    let mut generator = Command::new(programs.join("openapi-python-client"));
    generator.args(["generate", "--meta", "none", "--output-path", "postroom_client", "--fail-on-warning"]);
    generator.arg("--config").arg(ours.join("client.yml")).arg("--path").arg(&folders.document);
    // It formats what it made with another program of its environment.
    let others = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([programs.clone()].into_iter().chain(env::split_paths(&others)));
    run(generator.env("PATH", path.context("no path can be made")?).current_dir(&folder))?;
    let mut types = Command::new(programs.join("mypy"));
    types.arg("--config-file").arg(ours.join("mypy.ini")).args(["story.py", "postroom_client"]);
    run(types.current_dir(&folder))?;
    Ok(vec![programs.join("python").into(), folder.join("story.py").into()])
}

pub(super) fn go(folders: &Folders) -> Result<Vec<OsString>, Trouble> {
    need("go", &["version"])?;
    let generator = openapi_generator(folders)?;
    let folder = fresh(folders, "go")?;
    let mut generate = generate(&generator, folders, "go", "PostmanWebhook=PostmanWebhook");
    generate.args(["--output", "postroom", "--additional-properties"]);
    generate.arg("packageName=postroom,withGoMod=false,disallowAdditionalPropertiesIfNotPresent=false");
    run(generate.current_dir(&folder))?;
    copy(&folders.ours.join("tools/go/postman_webhook.go"), &folder.join("postroom"))?;
    let mut compiler = Command::new("go");
    // Nothing but the standard library is used, so nothing is to be fetched.
    compiler.args(["build", "-o", "story", "."]).env("GOPROXY", "off").env("GOFLAGS", "-mod=mod");
    compiler.env("GOCACHE", folders.tools.join("go-cache"));
    run(compiler.current_dir(&folder))?;
    Ok(vec![folder.join("story").into()])
}

pub(super) fn java(folders: &Folders) -> Result<Vec<OsString>, Trouble> {
    need("javac", &["--version"])?;
    let generator = openapi_generator(folders)?;
    let folder = fresh(folders, "java")?;
    let mut generate = generate(&generator, folders, "java", "PostmanWebhook=Object");
    generate.args(["--library", "native", "--output", "generated", "--additional-properties"]);
    generate.arg(
        "openApiNullable=false,useSingleRequestParameter=true,hideGenerationTimestamp=true,\
         invokerPackage=postroom,apiPackage=postroom.api,modelPackage=postroom.model",
    );
    run(generate.current_dir(&folder))?;
    let mut compiler = Command::new("javac");
    // The generator's own archive has the libraries that its clients use.
    compiler.args(["-nowarn", "-d", "classes", "-classpath"]).arg(&generator).arg("Story.java");
    for sources in [folder.join("generated/src/main/java"), folders.ours.join("tools/java")] {
        compiler.args(files(&sources)?);
    }
    run(compiler.current_dir(&folder))?;
    let paths = |paths: &[&Path]| env::join_paths(paths).context("no path can be made");
    let classes = paths(&[&folder.join("classes"), &generator])?;
    Ok(vec!["java".into(), "-classpath".into(), classes, "Story".into()])
}

/// Installs openapi-generator; gives its archive.
fn openapi_generator(folders: &Folders) -> Result<PathBuf, Trouble> {
    need("java", &["-version"])?;
    let requirements = folders.ours.join("tools/python/generator.txt");
    let programs = tools::python(&folders.tools.join("generator"), &requirements, "True")?;
    let ask = "import openapi_generator_cli as it, pathlib; print(pathlib.Path(it.__file__).parent)";
    let said =
        Command::new(programs.join("python")).args(["-c", ask]).output().context("cannot run python")?;
    let package = String::from_utf8(said.stdout).context("a path that is no text")?;
    let archive = Path::new(package.trim()).join("openapi-generator.jar");
    if archive.is_file() { Ok(archive) } else { Err(anyhow::anyhow!("no {}", archive.display()).into()) }
}

/// The generator, with what `mapping` says in the place of the one union: a body of Postman's, which is no client's to check.
fn generate(archive: &Path, folders: &Folders, language: &str, mapping: &str) -> Command {
    let mut generate = Command::new("java");
    generate.arg("-jar").arg(archive).args(["generate", "--generator-name", language, "--input-spec"]);
    generate.arg(&folders.document).args(["--global-property", ONLY_CODE, "--schema-mappings", mapping]);
    generate
}

/// A folder with nothing in it but the story.
fn fresh(folders: &Folders, name: &str) -> anyhow::Result<PathBuf> {
    let folder = folders.clients.join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let story = folders.ours.join("stories").join(name);
    for file in fs::read_dir(&story).with_context(|| format!("cannot read {}", story.display()))? {
        copy(&file.context("cannot read a folder")?.path(), &folder)?;
    }
    Ok(folder)
}

/// Every file below a folder.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry.context("cannot read a folder")?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

fn copy(file: &Path, folder: &Path) -> anyhow::Result<()> {
    let name = file.file_name().context("a file has a name")?;
    fs::copy(file, folder.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(())
}
