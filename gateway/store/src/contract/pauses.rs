//! A person's pauses.

use crate::{
    Pause, Store,
    testing::{at, destination},
};

pub(crate) async fn a_pause_is_kept_until_it_is_taken_back(store: &dyn Store) {
    assert!(store.pauses().await.unwrap().is_empty());
    let pause = |ms, by: &str| Pause { at: at(ms), by: by.to_owned() };
    for (name, pause) in [("b", pause(1, "ann")), ("a", pause(2, "ben")), ("b", pause(3, "eve"))] {
        store.set_pause(destination(name), Some(pause)).await.unwrap();
    }
    let both = [(destination("a"), pause(2, "ben")), (destination("b"), pause(3, "eve"))];
    assert_eq!(store.pauses().await.unwrap(), both);
    store.set_pause(destination("a"), None).await.unwrap();
    store.set_pause(destination("nobody"), None).await.unwrap();
    assert_eq!(store.pauses().await.unwrap(), both[1..]);
}
