//! Which parts of a list keep their order.

/// For each number whether it belongs to a longest row of growing numbers: those stay, and the others go around them.
pub(super) fn keeps_order(numbers: &[usize]) -> Vec<bool> {
    // `tails[n]` is where the smallest number stands that ends a growing row of n + 1 numbers.
    let mut tails: Vec<usize> = Vec::new();
    let mut earlier = vec![None; numbers.len()];
    for (at, number) in numbers.iter().enumerate() {
        let length = tails.partition_point(|&tail| numbers[tail] < *number);
        earlier[at] = length.checked_sub(1).map(|shorter| tails[shorter]);
        match tails.get_mut(length) {
            Some(tail) => *tail = at,
            None => tails.push(at),
        }
    }
    let mut keeps = vec![false; numbers.len()];
    let mut last = tails.last().copied();
    while let Some(at) = last {
        keeps[at] = true;
        last = earlier[at];
    }
    keeps
}

#[cfg(test)]
mod tests {
    use super::keeps_order;

    #[track_caller]
    fn check(numbers: &[usize], expected: &[bool]) {
        assert_eq!(keeps_order(numbers), expected);
    }

    #[test]
    fn as_few_as_can_be_move() {
        check(&[], &[]);
        check(&[0, 1, 2], &[true, true, true]);
        check(&[1, 2, 3, 0], &[true, true, true, false]);
        check(&[3, 0, 1, 2], &[false, true, true, true]);
        check(&[0, 3, 1, 2, 4], &[true, false, true, true, true]);
    }
}
