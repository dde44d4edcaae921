use super::{FRAME_BYTES_MAX, Frame, Frames, TooLong};

#[test]
fn frames_are_whole_however_they_are_cut() {
    let text = "retry: 2000\nid: 1\n\nid: 2\nevent: events\ndata: {\"a\":\"ü\"}\n\n: still here\n\n";
    for size in 1..text.len() {
        let (mut frames, mut found) = (Frames::default(), Vec::new());
        for piece in text.as_bytes().chunks(size) {
            frames.add(piece).unwrap();
            found.extend(std::iter::from_fn(|| frames.next()));
        }
        let id = |id: &str| Some(id.to_owned());
        let message = Frame {
            id: id("2"),
            topic: Some("events".to_owned()),
            data: "{\"a\":\"ü\"}".to_owned(),
            retry_ms: None,
        };
        let begin = Frame { id: id("1"), retry_ms: Some(2000), ..Frame::default() };
        assert_eq!(found, [begin, message, Frame::default()]);
    }
}

#[test]
fn a_message_without_an_end_is_given_up() {
    let mut frames = Frames::default();
    assert_eq!(frames.add(&vec![b'x'; FRAME_BYTES_MAX]), Ok(()));
    assert_eq!(frames.next(), None);
    assert_eq!(frames.add(b"x"), Err(TooLong));
}
