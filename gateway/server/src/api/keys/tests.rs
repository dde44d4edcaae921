use postroom_core::secret::Secret;

use super::*;

fn keys() -> ApiKeys {
    let key =
        |name: &str, key: &str, role| config::ApiKey { name: name.to_owned(), role, key: Secret::new(key) };
    ApiKeys::new(&[
        key("ann", "key-of-ann", config::Role::Admin),
        key("bob", "key-of-bob", config::Role::Viewer),
    ])
}

#[test]
fn a_key_opens_the_door_for_its_owner() {
    assert_eq!(keys().owner("key-of-bob"), Some(Caller { name: "bob".to_owned(), role: Role::Viewer }));
    assert_eq!(keys().owner("key-of-ann").map(|caller| caller.role), Some(Role::Admin));
}

#[test]
fn nobody_owns_a_wrong_key() {
    for key in ["", "key-of-eve", "KEY-OF-ANN"] {
        assert_eq!(keys().owner(key), None);
    }
}

#[test]
fn debug_output_shows_no_key() {
    assert!(!format!("{:?}", keys()).contains("key-of"));
}
