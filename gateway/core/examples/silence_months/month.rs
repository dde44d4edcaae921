//! A month of a thousand monitors: one in four of them stops.

use jiff::{civil::Date, tz::TimeZone};

use super::{
    absences::World,
    plan::{DAY, PLANS, WEEK, at_second},
    play::play,
    random::Random,
    verdict::deadline,
};

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Month {
    pub(super) monitors: usize,
    /// Monitors that stopped after they were known.
    pub(super) judged: usize,
    pub(super) late: Vec<String>,
    pub(super) false_alarms: Vec<String>,
}

impl Month {
    pub(super) fn add(&mut self, other: Self) {
        self.monitors += other.monitors;
        self.judged += other.judged;
        self.late.extend(other.late);
        self.false_alarms.extend(other.false_alarms);
    }
}

/// `first` is the first day of 35 in which monitors stop, by the clocks of `zone`. With `only` all but one are left out.
pub(super) fn month(zone: &str, first: Date, seed: u64, world: World, only: Option<usize>) -> Month {
    let zone = TimeZone::get(zone).expect("the zone is known");
    let start = zone.to_timestamp(first.at(0, 0, 0, 0)).expect("the day is within the calendar").as_second();
    let (stops_end, end) = (start + 35 * DAY, start + 42 * DAY);
    let mut random = Random::new(seed);
    let absences = world.absences(&mut random, start, end);
    let offset = |at: i64| i64::from(zone.to_offset(at_second(at)).seconds());
    let clocks_set = |at: i64| {
        let set = [WEEK, 2 * WEEK].map(|before| offset(at) - offset(at - before));
        (set[0].max(set[1]).max(0), -set[0].min(set[1]).min(0))
    };
    let plans = PLANS.iter().flat_map(|(count, plan)| std::iter::repeat_n(*plan, *count));
    let mut month = Month::default();
    for (number, plan) in plans.enumerate() {
        let (times, jitter) = plan.times(&zone, start, end, random.below(DAY));
        let mut arrivals: Vec<i64> = times.iter().map(|at| at + random.below(jitter + 1)).collect();
        let stop = start + random.below(stops_end - start);
        if only.is_some_and(|only| only != number) {
            continue;
        }
        month.monitors += 1;
        if !number.is_multiple_of(4) {
            let (told, _) = play(&arrivals, &absences, end);
            month
                .false_alarms
                .extend(told.iter().map(|at| format!("{plan:?} {number} at {}", at_second(*at))));
            continue;
        }
        let running = times.iter().filter(|at| **at < stop).count();
        arrivals.truncate(running);
        let is_heard = |at: &&i64| !absences.iter().any(|(away, back)| (away..back).contains(at));
        let mut heard = arrivals.iter().filter(is_heard);
        let Some((first, last)) = heard.next().zip(heard.next_back()) else { continue };
        let (told, resumed) = play(&arrivals, &absences, end);
        let named = || {
            let told: Vec<_> = told.iter().map(|at| at_second(*at)).collect();
            format!("{plan:?} {number}, which stops at {}, at {told:?}", at_second(*last))
        };
        if told.iter().any(|at| at <= last) || told.len() > 1 || resumed {
            month.false_alarms.push(named());
        }
        if plan.known_after().is_some_and(|known_after| last - first >= known_after) {
            let heard = arrivals.iter().rposition(|at| at == last).map_or(0, |number| number + 1);
            let until = deadline(&times, heard, running, jitter, &absences, clocks_set);
            month.judged += 1;
            if told.first().is_none_or(|told| *told > until) {
                month.late.push(format!("{}, and not until {}", named(), at_second(until)));
            }
        }
    }
    month
}
