use super::*;

#[test]
fn one_key_does_not_take_the_places_of_others() {
    let places = Arc::new(Places::new(5, 2));
    let ann = [places.take("ann").unwrap(), places.take("ann").unwrap()];
    assert!(places.take("ann").is_none());
    let others = ["bob", "bob", "eve"].map(|whose| places.take(whose).unwrap());
    assert!(places.take("eve").is_none(), "in all");
    assert_eq!(places.taken(), 5);
    drop(others);
    assert!(places.take("ann").is_none() && places.take("bob").is_some());
    drop(ann);
    assert!(places.take("ann").is_some());
    assert_eq!(places.taken(), 0);
    assert!(places.lock().is_empty(), "a key that is gone is forgotten");
}
