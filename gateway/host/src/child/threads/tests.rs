use super::all;
use crate::process::Usage;

#[test]
fn the_kernel_tells_threads_to_whoever_may_not_list_them() {
    let (ready, is_ready) = std::sync::mpsc::channel();
    let (end, ends) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        ready.send(()).unwrap();
        ends.recv().unwrap_err();
    });
    is_ready.recv().unwrap();
    // Other tests start threads and end them: the two looks are equal once they are made without one between them.
    let agree = (0..10_000).any(|_| {
        let counted = Usage::of(std::process::id()).unwrap().threads;
        all() == u64::from(counted) && counted >= 2
    });
    drop(end);
    thread.join().unwrap();
    assert!(agree, "{}", all());
}
