use super::fitting;

#[test]
fn clients_never_get_the_last_descriptors() {
    assert_eq!(fitting(Some(1024), 16_384), 768);
    assert_eq!(fitting(Some(1_000_000), 16_384), 16_384);
    assert_eq!(fitting(None, 16_384), 16_384);
    assert_eq!(fitting(Some(100), 16_384), 1);
}
