use std::{fs, os::unix::fs::PermissionsExt};

use super::{Catalog, RejectReason, discover};
use crate::testing::{compile_to, manifest, source_with_manifest};

fn ids(catalog: &Catalog) -> Vec<(&str, &str)> {
    catalog.plugins().map(|plugin| (&*plugin.manifest.id, &*plugin.manifest.version)).collect()
}

#[test]
fn folders_are_searched_in_order_and_the_first_wins() {
    let root = tempfile::tempdir().unwrap();
    let (first, second) = (root.path().join("first"), root.path().join("second"));
    for (file, id, version) in [
        ("first/libb.so", "beta", "1.0.0"),
        ("first/libz.so", "beta", "2.0.0"),
        ("second/liba.so", "alpha", "1.0.0"),
        ("first/liby.so", "beta", "2.0.0"),
        ("second/libb.so", "beta", "2.0.0"),
        ("second/libc.so", "beta", "1.10.0"),
        ("second/libd.so", "beta", "1.9.0"),
        ("second/other.so", "gamma", "1.0.0"),
        ("second/libgamma.so.bak", "gamma", "1.0.0"),
    ] {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        compile_to(&path, &source_with_manifest(&manifest(id, version)), &["-shared", "-fPIC"]);
    }
    compile_to(&first.join("libforeign.so"), "int answer(void) { return 42; }", &["-shared", "-fPIC"]);
    fs::write(first.join("libfaulty.so"), "no library").unwrap();

    let catalog = discover(&[root.path().join("absent"), first.clone(), second.clone()]);

    let versions = ["2.0.0", "1.0.0", "1.10.0", "1.9.0"].map(|version| ("beta", version));
    assert_eq!(ids(&catalog), [&[("alpha", "1.0.0")], &versions[..]].concat());
    for (name, file) in [
        ("beta", "first/liby.so"),
        ("beta@2", "first/liby.so"),
        // In the first folder, though the second has newer ones.
        ("beta@1", "first/libb.so"),
        ("beta@1.10", "second/libc.so"),
        ("beta@1.9.0", "second/libd.so"),
    ] {
        assert_eq!(catalog.find(name).unwrap().path, root.path().join(file), "{name}");
    }
    for name in ["gamma", "beta@3", "beta@1.1", "beta@"] {
        assert_eq!(catalog.find(name), None, "{name}");
    }
    let rejected: Vec<_> = catalog.rejected().iter().map(|rejected| rejected.path.clone()).collect();
    assert_eq!(rejected, [first.join("libfaulty.so"), first.join("libz.so"), second.join("libb.so")]);
    let RejectReason::Duplicate { id, first: used } = &catalog.rejected()[1].reason else {
        panic!("{:?}", catalog.rejected()[1]);
    };
    assert_eq!((id.as_str(), used), ("beta", &first.join("liby.so")));
}

#[test]
fn a_plugin_that_others_can_change_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("libx.so");
    compile_to(&path, &source_with_manifest(&manifest("x", "1.0.0")), &["-shared", "-fPIC"]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let catalog = discover(&[root.path().to_owned()]);
    assert_eq!(catalog.find("x"), None);
    assert_eq!(
        catalog.rejected()[0].reason.to_string(),
        format!("others can write to {}: chmod go-w", path.display())
    );
}

#[test]
fn a_file_that_others_can_change_is_not_read() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("libx.so");
    fs::write(&path, "no library, which takes reading to know").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let catalog = discover(&[root.path().to_owned()]);
    let reason = catalog.rejected()[0].reason.to_string();
    assert_eq!(reason, format!("others can write to {}: chmod go-w", path.display()));
}

#[test]
fn a_search_path_that_is_no_folder_is_listed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let catalog = discover(&[file.path().to_owned()]);
    assert!(matches!(catalog.rejected()[0].reason, RejectReason::Folder(_)));
    assert_eq!(discover(&[]).plugins().count(), 0);
}
