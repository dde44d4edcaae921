use super::{Kind, ROOT, Tree, escaped, segments};
use crate::{
    Counts,
    json::collection,
    scan,
    testing::{HALF, corpus},
};

#[test]
fn has_the_parts_that_a_scan_counts() {
    for (name, bytes) in corpus() {
        let tree = Tree::parse(&bytes).unwrap();
        let count = |kind: Kind| {
            let nodes = tree.preorder().into_iter().filter(|&index| tree.node(index).kind == kind);
            u32::try_from(nodes.count()).unwrap()
        };
        let scanned = scan(&bytes).unwrap().summary.counts;
        let counts = Counts {
            folders: count(Kind::Folder),
            requests: count(Kind::Request),
            examples: count(Kind::Example),
            // In format v1 scripts are members of a request.
            scripts: if tree.node(ROOT).list("requests").is_some() {
                scanned.scripts
            } else {
                count(Kind::Script)
            },
            variables: count(Kind::Variable),
        };
        assert_eq!(counts, scanned, "{name}");
    }
}

#[test]
fn pointers_lead_to_the_parts() {
    for (name, bytes) in corpus() {
        let tree = Tree::parse(&bytes).unwrap();
        let text = collection(&bytes).unwrap().replace(HALF, "");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        for index in tree.preorder() {
            let part = value.pointer(&tree.pointer(index)).unwrap();
            let text = tree.node(index).text.replace(HALF, "");
            assert_eq!(*part, serde_json::from_str::<serde_json::Value>(&text).unwrap(), "{name}");
        }
    }
}

#[test]
fn what_is_no_object_is_a_part_too() {
    let tree =
        Tree::parse(br#"{"item": [1, {"name": "a", "item": []}, [{}], "x"], "event": {"listen": "test"}}"#);
    let tree = tree.unwrap();
    let kinds: Vec<Kind> = tree.preorder().into_iter().map(|index| tree.node(index).kind).collect();
    assert_eq!(kinds, [Kind::Collection, Kind::Odd, Kind::Folder, Kind::Odd, Kind::Odd]);
}

#[test]
fn keys_pass_through_pointers() {
    for key in ["a", "", "a/b", "~", "~1", "/~0/"] {
        let pointer = format!("/{}/0", escaped(key));
        assert_eq!(segments(&pointer).collect::<Vec<_>>(), [key, "0"]);
    }
}
