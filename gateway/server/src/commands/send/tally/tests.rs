use super::*;

fn tally(statuses: &[u16], unanswered: usize) -> Tally {
    let mut tally = Tally::default();
    for (number, status) in statuses.iter().enumerate() {
        let took = Duration::from_micros(1000 * (number as u64 + 1));
        tally.add(&Reply::Answered { status: *status, said: String::new() }, took);
    }
    for _ in 0..unanswered {
        tally.add(&Reply::Unanswered { cause: "refused".to_owned() }, Duration::from_secs(9));
    }
    tally
}

#[test]
fn the_exit_code_tells_the_worst() {
    let check = |statuses: &[u16], unanswered, expected| {
        assert_eq!(tally(statuses, unanswered).exit(), expected, "{statuses:?} {unanswered}");
    };
    check(&[202, 202], 0, Exit::Done);
    check(&[202, 503], 0, Exit::Failed);
    check(&[302], 0, Exit::Failed);
    check(&[202, 503], 1, Exit::Unreachable);
    check(&[401], 0, Exit::Refused);
    check(&[403, 202], 1, Exit::Refused);
}

#[test]
fn the_summary_counts_and_ranks() {
    let statuses: Vec<u16> = std::iter::repeat_n(202, 98).chain([429, 503]).collect();
    assert_eq!(
        tally(&statuses, 2).summary(Duration::from_secs(4)),
        [
            "98 answered 202",
            "1 answered 429",
            "1 answered 503",
            "2 not answered",
            "p50 50.0 ms, p99 99.0 ms",
            "25.0 a second over 4.00 s",
        ]
    );
}

#[test]
fn a_summary_of_nothing_is_empty() {
    assert!(Tally::default().summary(Duration::ZERO).is_empty());
}
