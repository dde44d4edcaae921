use super::*;

#[test]
fn an_id_is_words_in_lower_case() {
    let check = |id: &str, holds: bool| assert_eq!(Names::parse(id).is_ok(), holds, "{id:?}");
    check("pager", true);
    check("com.example.pager-2", true);
    for id in
        ["", "Pager", "pager_2", "-pager", "pager.", "a..b", "../pager", "\u{e9}t\u{e9}", &"a".repeat(65)]
    {
        check(id, false);
    }
}

/// Every place where the example says what it is called is another in a new project.
#[test]
fn nothing_in_a_new_project_is_called_as_in_the_template() {
    let names = Names::parse("com.example.my-pager").unwrap();
    let rust = project::in_rust(&names, Path::new("/sdk \"quoted\""));
    let c = project::in_c(&names);
    for file in rust.iter().chain(c.iter().filter(|file| file.path != "postroom_plugin.h")) {
        let text = String::from_utf8(file.content.clone()).unwrap();
        for placeholder in ["@id@", "@name@", "@lib@", "@crate@", "@sdk@"] {
            assert!(!text.contains(placeholder), "{}: {text}", file.path);
        }
    }
    let text = |files: &[File], path: &str| {
        let file = files.iter().find(|file| file.path == path).unwrap();
        String::from_utf8(file.content.clone()).unwrap()
    };
    let manifest: toml::Table = text(&rust, "Cargo.toml").parse().unwrap();
    assert_eq!(manifest["package"]["name"].as_str(), Some("postroom-plugin-com-example-my-pager"));
    assert_eq!(manifest["dependencies"]["postroom-sdk"]["path"].as_str(), Some("/sdk \"quoted\""));
    assert!(text(&rust, "src/lib.rs").contains("id = \"com.example.my-pager\""));

    let source = text(&c, "plugin.c");
    assert!(
        source.contains(r#"\"id\":\"com.example.my-pager\",\"name\":\"Com example my pager\""#),
        "{source}"
    );
    assert!(source.contains("libpostroom_plugin_com_example_my_pager.so"), "{source}");
    assert!(!source.contains("\"hello\"") && !source.contains("hello.c"), "{source}");
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let files = project::in_c(&Names::parse("pager").unwrap());
    let fresh = folder.path().join("a/b");
    write(&fresh, &files).unwrap();
    assert!(fresh.join("plugin.c").exists());
    assert_eq!(write(&fresh, &files).unwrap_err().exit(), Exit::Failed);
    assert_eq!(write(folder.path(), &files).unwrap_err().exit(), Exit::Failed);
}

#[test]
fn an_sdk_that_is_not_there_is_told() {
    assert_eq!(sdk(Some(Path::new("/nowhere"))).unwrap_err().exit(), Exit::NotFound);
    assert!(sdk(None).unwrap().ends_with("sdk/rust"));
}
