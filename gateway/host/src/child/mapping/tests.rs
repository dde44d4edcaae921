use super::body;
use crate::testing::read_only;

#[test]
fn a_mapped_body_is_the_file_and_outlives_its_descriptor_and_its_name() {
    let bytes: Vec<u8> = (0..100_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let mapped = body(read_only(&bytes).into(), 100_000).unwrap();
    assert_eq!(mapped, bytes);
    let part = mapped.slice(90_000..);
    drop(mapped);
    assert_eq!(part, bytes[90_000..]);
}

#[test]
fn an_empty_file_is_an_empty_body() {
    assert!(body(read_only(b"").into(), 0).unwrap().is_empty());
}

#[test]
fn a_file_of_another_length_is_refused() {
    for bytes in [0, 3, 5, u64::MAX] {
        let error = body(read_only(b"four").into(), bytes).unwrap_err().to_string();
        assert_eq!(error, format!("a body of {bytes} bytes came as a file of 4"));
    }
}
