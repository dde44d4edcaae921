use proc_macro2::TokenStream;
use syn::ItemImpl;

use crate::{args::Args, check, expand, manifest};

const GOOD: &str = r#"id = "com.example.pager", name = "Pager", kinds = ["monitor_run"]"#;

/// What an error says, and the text it points at; nothing when it points at the whole attribute.
#[track_caller]
fn refused(source: &str) -> (String, String) {
    let error = syn::parse_str::<Args>(source).err().expect(source);
    let (from, to) = (error.span().start(), error.span().end());
    assert_eq!((from.line, to.line), (1, 1), "{source}");
    let pointed: String = source.chars().skip(from.column).take(to.column - from.column).collect();
    (error.to_string(), pointed)
}

/// Adds `argument` to good ones; the message begins with `message` and points at `pointed`.
#[track_caller]
fn check(argument: &str, pointed: &str, message: &str) {
    let source = format!("{GOOD}, {argument}");
    let (said, at) = refused(&source);
    assert!(said.starts_with(message), "{source}\nsays: {said}");
    assert_eq!(at, pointed, "{source}\nsays: {said}");
}

#[track_caller]
fn json(source: &str) -> String {
    let args: Args = syn::parse_str(source).unwrap();
    format!("{}1.2.3{}}}", manifest::before_version(&args), manifest::after_version(&args))
}

#[test]
fn a_fault_is_pointed_at_where_it_stands() {
    check("concurrency = 0", "0", "must be a whole number from 1 to 1024");
    check("concurrency = 1025", "1025", "must be a whole number from 1 to 1024");
    check("concurrency = \"8\"", "\"8\"", "expected integer literal");
    check("network = \"all\"", "\"all\"", "write \"none\", or a list");
    check("network = [\"a.example:443\", \"b.example\"]", "\"b.example\"", "an address is");
    check("network = [\"https://a.example:443\"]", "\"https://a.example:443\"", "an address is");
    check("network = [\"a.example:0\"]", "\"a.example:0\"", "an address is");
    check("network = [\"a.example:65536\"]", "\"a.example:65536\"", "an address is");
    check("capabilities = [state, camera]", "camera", "there is no capability `camera`: there are log,");
    check("capabilities = [clock, clock]", "clock", "`clock` is there twice");
    check("filesystem = [execute(\"/\")]", "execute", "not an access");
    check("filesystem = [file(\"/\")]", "file", "not an access");
    for path in ["", "data", "./data", "{config.}", "{config.a..b}", "{config.root", "{root}"] {
        let literal = format!("\"{path}\"");
        check(&format!("filesystem = [read({literal})]"), &literal, "a place is an absolute path");
    }
    check("memory_mb = 0", "0", "must be a whole number from 1");
    check("memory_mb = 4294967296", "4294967296", "must be a whole number from 1 to 4294967295");
    check("threads = 4294967296", "4294967296", "must be a whole number from 1 to 4294967295");
    check("colour = \"red\"", "colour", "there is no `colour`: there are id, name,");
    check("id = \"again\"", "id", "`id` is there twice");
    check("description = \"\"", "\"\"", "empty");
    check("description", "", "expected `=`");
}

#[test]
fn id_name_and_kinds_must_be_there_and_fit() {
    let check = |source: &str, pointed: &str, message: &str| {
        let (said, at) = refused(source);
        assert!(said.starts_with(message), "{source}\nsays: {said}");
        assert_eq!(at, pointed, "{source}");
    };
    check("", "", "missing: id");
    check("id = \"a\"", "", "missing: name");
    check("id = \"a\", name = \"A\"", "", "missing: kinds");
    check("id = \"a\", name = \"A\", kinds = []", "[", "a plugin without kinds");
    check("id = \"a\", name = \"A\", kinds = [\"a b\"]", "\"a b\"", "a kind is a name");
    check("name = \"\"", "\"\"", "a name has 1 to 80 bytes");
    check("name = \"a\\tb\"", "\"a\\tb\"", "a name has 1 to 80 bytes and no control characters");
    for id in ["", "A", "a.", ".a", "-a", "a--b", "a.-b", "a b", "a_b"] {
        check(&format!("id = \"{id}\""), &format!("\"{id}\""), "an id is lower-case words");
    }
}

#[test]
fn the_least_is_an_id_a_name_and_kinds() {
    assert_eq!(
        json(GOOD),
        r#"{"manifest":1,"abi":"1.1","id":"com.example.pager","name":"Pager","version":"1.2.3","capabilities":["log","secrets","clock"],"kinds":["monitor_run"],"network":"none","filesystem":[]}"#
    );
}

#[test]
fn everything_is_written_in_the_order_of_the_manifest() {
    let source = r#"
        kinds = ["*"], id = "all", name = "A \"B\" \\ C", description = "line\nbreak – ä",
        license = "MIT", homepage = "https://example.com", capabilities = [state, log],
        concurrency = 8, network = ["*:443"], filesystem = [read("/a"), write("{config.root}"), read_file("/b"), write_file("{config.log}")],
        memory_mb = 64, threads = 4,
    "#;
    assert_eq!(
        json(source),
        r#"{"manifest":1,"abi":"1.1","id":"all","name":"A \"B\" \\ C","description":"line\u000abreak – ä","version":"1.2.3","license":"MIT","homepage":"https://example.com","capabilities":["log","secrets","clock","state"],"kinds":["*"],"concurrency":8,"network":["*:443"],"filesystem":[{"path":"/a","access":"read"},{"path":"{config.root}","access":"write"},{"path":"/b","access":"read","file":true},{"path":"{config.log}","access":"write","file":true}],"limits":{"memory_mb":64,"threads":4}}"#
    );
}

/// What the attribute makes of `item`, or what it says against it.
fn expanded(args: &str, item: &str) -> Result<TokenStream, String> {
    let args: Args = syn::parse_str(args).unwrap();
    let item: ItemImpl = syn::parse_str(item).unwrap();
    expand::expand(&args, item).map_err(|error| error.to_string())
}

#[test]
fn only_an_impl_of_one_type_is_a_plugin() {
    let check = |item: &str, message: &str| {
        let said = expanded(GOOD, item).map(|_| ()).unwrap_err();
        assert!(said.contains(message), "{item}\nsays: {said}");
    };
    check("impl Pager {}", "impl Plugin for");
    check("impl<T> Plugin for Pager<T> {}", "without parameters");
}

#[test]
fn a_missing_schema_says_how_to_get_one() {
    let said = expanded(&format!("{GOOD}, config_schema = \"no.json\""), "impl Plugin for Pager {}");
    let said = said.map(|_| ()).unwrap_err();
    assert!(said.contains("POSTROOM_UPDATE_SCHEMA=1 cargo test"), "{said}");
}

#[test]
fn only_a_schema_in_a_file_has_a_test() {
    let tests = |args: &str| {
        let code = expanded(args, "impl Plugin for Pager {}").unwrap().to_string();
        code.matches("cfg (test)").count()
    };
    assert_eq!(tests(GOOD), 0);
    assert_eq!(tests(&format!("{GOOD}, config_schema = \"Cargo.toml\"")), 1);
    assert_eq!(tests(&format!("{GOOD}, config_schema = \"Cargo.toml\", actions = \"Cargo.toml\"")), 2);
}

#[test]
fn a_version_is_one_that_the_gateway_takes() {
    assert_eq!(check::version("1.0.0"), Ok(()));
    assert_eq!(check::version(&"1".repeat(64)), Ok(()));
    let long = check::version(&"1".repeat(65)).unwrap_err();
    assert!(long.starts_with("the version in Cargo.toml has 65 bytes"), "{long}");
}
