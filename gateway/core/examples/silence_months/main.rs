//! Simulated months of a thousand monitors: which silences are found, and which are false alarms.
//!
//! `cargo run -p postroom-core --release --example silence_months -- --months 60 --seed 1` plays 60 months, one line each;
//! `--world harsh` has the gateway away every day and for whole weekends, and `--only 836` follows a single monitor.

mod absences;
mod month;
mod plan;
mod play;
mod random;
#[cfg(test)]
mod tests;
mod verdict;

use std::{env, num::NonZero, thread};

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use self::{
    absences::World,
    month::{Month, month},
    random::Random,
};

/// Clocks are set by an hour in most, by half an hour in one, and never in two.
const ZONES: [&str; 8] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Sydney",
    "Asia/Kolkata",
    "America/Santiago",
    "Europe/London",
    "Australia/Lord_Howe",
    "Etc/UTC",
];

const USAGE: &str = "--months N --seed S [--world realistic|harsh] [--only MONITOR]";

fn main() -> Result<(), String> {
    let (mut months, mut seed, mut world, mut only) = (60, 1, World::Realistic, None);
    let mut words = env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or(USAGE)?;
        let number = || value.parse::<u64>().map_err(|_| format!("{word} {value}: {USAGE}"));
        match (word.as_str(), value.as_str()) {
            ("--months", _) => months = number()?,
            ("--seed", _) => seed = number()?,
            ("--world", "realistic") => world = World::Realistic,
            ("--world", "harsh") => world = World::Harsh,
            ("--only", _) => only = Some(usize::try_from(number()?).map_err(|error| error.to_string())?),
            _ => return Err(USAGE.to_owned()),
        }
    }
    let seeds: Vec<u64> = (seed..seed.saturating_add(months)).collect();
    let mut sum = Month::default();
    let together = thread::available_parallelism().map_or(1, NonZero::get);
    for some in seeds.chunks(together) {
        let played: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> =
                some.iter().map(|seed| scope.spawn(move || played(*seed, world, only))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a month that is played ends")).collect()
        });
        for (title, month) in played {
            say(&title, &month);
            sum.add(month);
        }
    }
    say("all", &sum);
    Ok(())
}

/// The month of a seed, and where and when it was.
fn played(seed: u64, world: World, only: Option<usize>) -> (String, Month) {
    let (zone, first) = when(seed);
    (format!("{zone} {first} seed {seed}"), month(zone, first, seed, world, only))
}

/// Zone and first day. In two months of three clocks are set, forward and back by turns.
fn when(seed: u64) -> (&'static str, Date) {
    let mut random = Random::new(seed);
    let number = usize::try_from(seed).unwrap_or_default();
    let zone = ZONES[number % ZONES.len()];
    let year = Timestamp::from_second(1_767_225_600).expect("2026 is within the calendar");
    let tz = TimeZone::get(zone).expect("the zone is known");
    let any_day = tz.to_datetime(year).date().checked_add(random.below(700).days());
    let any_day = any_day.expect("2028 is within the calendar");
    let round = number / ZONES.len();
    let change = tz.following(year).nth(round % 3).filter(|_| round % 3 < 2);
    let first = change.map(|change| tz.to_datetime(change.timestamp()).date());
    let first = first.and_then(|date| date.checked_sub((2 + random.below(32)).days()).ok());
    (zone, first.unwrap_or(any_day))
}

#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn say(title: &str, month: &Month) {
    let Month { monitors, judged, late, false_alarms } = month;
    println!(
        "{title}: {monitors} monitors, {judged} stops judged, {} found in time, {} late, {} false alarms",
        judged - late.len(),
        late.len(),
        false_alarms.len()
    );
    if title != "all" {
        late.iter().for_each(|late| println!("  late: {late}"));
        false_alarms.iter().for_each(|alarm| println!("  false alarm: {alarm}"));
    }
}
