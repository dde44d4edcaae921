use super::*;

#[test]
fn a_key_has_a_prefix_and_a_checksum() {
    let key = written(&[0xa5; 32]);
    assert_eq!(key, format!("postroom_{}fc8b6400", "a5".repeat(32)));
}

#[test]
fn no_key_is_made_twice() {
    assert_ne!(key().unwrap().expose(), key().unwrap().expose());
}
