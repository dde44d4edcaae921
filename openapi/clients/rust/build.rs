//! Makes the operations, the types and the lists of this crate from the gateway's OpenAPI document.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

use progenitor_impl::{GenerationSettings, Generator, InterfaceStyle};
use serde_json::Value;

const DOCUMENT: &str = "postroom.json";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    let document: Value = serde_json::from_str(&fs::read_to_string(DOCUMENT)?)?;
    let folder = env::var_os("OUT_DIR").ok_or("cargo says where to write")?;
    let folder = Path::new(&folder);
    fs::write(folder.join("api.rs"), generate(&document)?)?;
    fs::write(folder.join("lists.rs"), lists(&document))?;
    Ok(())
}

fn generate(document: &Value) -> Result<String, Box<dyn Error>> {
    let mut settings = GenerationSettings::new();
    settings.with_interface(InterfaceStyle::Builder);
    let tokens = Generator::new(&settings).generate_tokens(&serde_json::from_value(document.clone())?)?;
    // Its examples name no values, so they are nothing to try.
    Ok(prettyplease::unparse(&syn::parse2(tokens)?).replace("```ignore", "```text"))
}

/// A line for each operation whose answer is a page of items, so that a list that is new is a `List` by itself.
fn lists(document: &Value) -> String {
    let mut lines = String::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    for operation in paths.map(|(_, path)| &path["get"]) {
        if let (Some(id), Some(item)) = (operation["operationId"].as_str(), item_of_page(document, operation))
        {
            // Operations are named in lower camel case, their types in upper.
            let name = id[..1].to_uppercase() + &id[1..];
            writeln!(lines, "list!({name} of {item});").expect("writing to a string cannot fail");
        }
    }
    lines
}

/// The schema of the items, if an operation takes a cursor and always answers with items.
fn item_of_page<'a>(document: &'a Value, operation: &'a Value) -> Option<&'a str> {
    let parameters = operation["parameters"].as_array()?;
    let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    let page = &document["components"]["schemas"][named(answer)?];
    let is_paged = parameters.iter().any(|parameter| parameter["name"] == "cursor")
        && page["properties"]["next_cursor"].is_object()
        && page["required"].as_array()?.contains(&"items".into());
    if is_paged { named(&page["properties"]["items"]["items"]) } else { None }
}

/// The name of the schema that is referred to.
fn named(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}
