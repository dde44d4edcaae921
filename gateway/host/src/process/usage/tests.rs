use super::Usage;

#[test]
fn what_the_kernel_says_is_read() {
    let status = "Name:\tx\nVmRSS:\t  900 kB\nRssAnon:\t     312 kB\nRssFile:\t 588 kB\nThreads:\t3\n";
    assert_eq!(Usage::read(status), Some(Usage { memory_bytes: 312 * 1024, threads: 3 }));
    let status = format!("{status}VmPTE:\t   8 kB\nVmSwap:\t    40 kB\n");
    assert_eq!(Usage::read(&status), Some(Usage { memory_bytes: 360 * 1024, threads: 3 }));
    // A process that has ended and was not waited for has no memory.
    assert_eq!(Usage::read("Name:\tx\nThreads:\t1\n"), None);
    let own = Usage::of(std::process::id()).unwrap();
    assert!(own.memory_bytes > 0 && own.threads > 0, "{own:?}");
}
