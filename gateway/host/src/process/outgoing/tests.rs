use std::{fs::File, io::Read, os::unix::net::UnixStream, thread};

use tokio::sync::mpsc;

use super::write_frames;
use crate::{
    body::PluginBody,
    child::Frames,
    process::socket::split,
    testing::{delivery_of, file_delivery},
    wire::{Frame, ToChild},
};

/// Small bodies, large ones and files, so that every way out is taken next to every other.
fn bodies() -> Vec<Vec<u8>> {
    (0..200_usize).map(|at| vec![u8::try_from(at).unwrap(); 1 + at * at * at % 150_000]).collect()
}

#[tokio::test]
async fn frames_and_descriptors_come_in_the_order_they_were_sent_in() {
    let (gateway, child) = UnixStream::pair().unwrap();
    gateway.set_nonblocking(true).unwrap();
    let reader = thread::spawn(move || {
        let mut frames = Frames::new(child);
        for (token, body) in (1..).zip(bodies()) {
            match frames.next().unwrap() {
                ToChild::Deliver(offer) => assert_eq!((offer.token, &*offer.body), (token, &*body)),
                ToChild::DeliverFile { offer, bytes } => {
                    let mut read = Vec::new();
                    File::from(frames.descriptor().unwrap()).read_to_end(&mut read).unwrap();
                    assert_eq!((offer.token, bytes), (token, body.len() as u64));
                    assert_eq!(read, body);
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(frames.next().is_err(), "the writer is gone");
    });
    let (outgoing, frames) = mpsc::channel(8);
    let (_replies, state_replies) = mpsc::channel(8);
    let (incoming, writer) = split(gateway).unwrap();
    let writing = tokio::spawn(write_frames(writer, frames, state_replies));
    for (token, body) in (1..).zip(bodies()) {
        let delivery = match token % 3 {
            0 => file_delivery(&body),
            _ => delivery_of(PluginBody::Bytes(body.into())),
        };
        outgoing.send(Frame::deliver(token, &delivery)).await.unwrap();
    }
    drop(outgoing);
    writing.await.unwrap();
    drop(incoming);
    tokio::task::spawn_blocking(|| reader.join().unwrap()).await.unwrap();
}
