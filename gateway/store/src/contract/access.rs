//! API keys that were made at run time.

use crate::{
    Store,
    access::{KeyRole, KeyUse, StoredKey},
    testing::at,
};

fn key(name: &str, byte: u8) -> StoredKey {
    StoredKey {
        name: name.to_owned(),
        role: KeyRole::Operator,
        sha256: [byte; 32],
        created_at: at(1_000),
        created_by: "ann".to_owned(),
        expires_at: None,
    }
}

fn used(name: &str, configured: bool, ms: i64) -> KeyUse {
    KeyUse { name: name.to_owned(), configured, at: at(ms) }
}

pub(crate) async fn keys_read_back_by_name_until_they_are_removed(store: &dyn Store) {
    assert!(store.api_keys().await.unwrap().is_empty());
    let (b, a) =
        (key("b", 1), StoredKey { role: KeyRole::Admin, expires_at: Some(at(9_000)), ..key("a", 2) });
    for new in [&b, &a] {
        assert!(store.add_api_key(new.clone()).await.unwrap());
    }
    assert_eq!(store.api_keys().await.unwrap(), [a, b.clone()]);
    assert!(store.remove_api_key("a".to_owned()).await.unwrap());
    assert!(!store.remove_api_key("a".to_owned()).await.unwrap());
    assert_eq!(store.api_keys().await.unwrap(), [b]);
}

pub(crate) async fn a_name_has_one_key(store: &dyn Store) {
    assert!(store.add_api_key(key("a", 1)).await.unwrap());
    assert!(!store.add_api_key(key("a", 2)).await.unwrap());
    assert_eq!(store.api_keys().await.unwrap(), [key("a", 1)], "the first one stays");
}

pub(crate) async fn the_last_use_of_a_key_goes_with_it(store: &dyn Store) {
    store.add_api_key(key("a", 1)).await.unwrap();
    let both = [used("a", false, 5), used("a", true, 6)];
    store.keep_key_uses(vec![used("a", false, 1)]).await.unwrap();
    store.keep_key_uses(both.to_vec()).await.unwrap();
    assert_eq!(store.key_uses().await.unwrap(), both);
    store.remove_api_key("a".to_owned()).await.unwrap();
    assert_eq!(store.key_uses().await.unwrap(), both[1..], "one of the configuration has the same name");
}
