use super::chosen;

#[test]
fn languages_are_chosen_by_their_name() {
    let names = |arguments: &[&str]| {
        chosen(arguments).map(|clients| clients.iter().map(|client| client.name).collect::<Vec<_>>()).ok()
    };
    let all = ["rust", "typescript", "hey-api", "python", "go", "java"];
    assert_eq!(names(&[]), Some(all.to_vec()));
    assert_eq!(names(&["--only", "typescript,rust"]), Some(vec!["rust", "typescript", "hey-api"]));
    for slip in [&["--only"][..], &["--only", ""], &["--only", "rust,cobol"], &["rust"]] {
        assert_eq!(names(slip), None, "{slip:?}");
    }
}
