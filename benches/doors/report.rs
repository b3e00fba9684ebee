//! From runs to a table: medians over the rounds, and ratios to the bare handler of the same run.

use std::time::Duration;

use crate::load::{self, Asked, Requests};
use crate::process::Server;

/// A line of the table: what is asked of whom, and how each round went.
pub struct Case<'a> {
    pub name: &'static str,
    server: &'a Server,
    requests: Requests<'a>,
    /// Requests ahead of each round.
    ahead: usize,
    rounds: Vec<Round>,
}

struct Round {
    per_second: f64,
    /// Milliseconds.
    p50: f64,
    p99: f64,
    /// Microseconds of the server's processor time for each request, what it does within 20 seconds afterwards included.
    cpu: f64,
    unwanted: usize,
}

impl<'a> Case<'a> {
    pub fn new(name: &'static str, server: &'a Server, requests: Requests<'a>) -> Self {
        Self { name, server, requests, ahead: 0, rounds: Vec::new() }
    }

    /// The same with tokens that are in use: each was used before, whatever else was in use meanwhile.
    pub fn in_use(name: &'static str, server: &'a Server, requests: Requests<'a>) -> Self {
        Self { ahead: requests.in_use(), ..Self::new(name, server, requests) }
    }

    pub fn run(&mut self, connections: usize, time: Duration) {
        if self.ahead > 0 {
            load::count(self.server.address(), &self.requests, connections, self.ahead);
        }
        self.server.settle();
        let before = self.server.cpu();
        let asked = load::run(self.server.address(), &self.requests, connections, time);
        self.server.settle();
        self.rounds.push(Round::new(asked, self.server.cpu() - before));
    }

    fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(of).collect())
    }
}

impl Round {
    fn new(mut asked: Asked, cpu: f64) -> Self {
        let count = asked.latencies.len();
        asked.latencies.sort_unstable();
        let share = |percent: usize| asked.latencies.get(count * percent / 100).map_or(0.0, |&us| f64::from(us) / 1e3);
        Self {
            per_second: asked.per_second(),
            p50: share(50),
            p99: share(99),
            cpu: cpu * 1e6 / count as f64,
            unwanted: asked.unwanted,
        }
    }
}

/// Prints the table; the first case is the bare handler.
pub fn table(cases: &[Case<'_>]) {
    println!(
        "{:<40}{:>10}{:>9}{:>15}{:>9}{:>9}{:>9}",
        "", "per s", "x hello", "(of rounds)", "p50 ms", "p99 ms", "CPU us"
    );
    let hello: Vec<f64> = cases[0].rounds.iter().map(|round| round.per_second).collect();
    for case in cases {
        let ratios: Vec<f64> = case.rounds.iter().zip(&hello).map(|(round, hello)| round.per_second / hello).collect();
        let (least, most) =
            ratios.iter().fold((f64::MAX, 0.0_f64), |(least, most), &one| (least.min(one), most.max(one)));
        println!(
            "{:<40}{:>10.0}{:>9.2}{:>15}{:>9.2}{:>9.2}{:>9.1}{}",
            case.name,
            case.median(|round| round.per_second),
            median(ratios),
            format!("{least:.2} to {most:.2}"),
            case.median(|round| round.p50),
            case.median(|round| round.p99),
            case.median(|round| round.cpu),
            if case.rounds.iter().any(|round| round.unwanted > 0) { "  some answers were refusals" } else { "" },
        );
    }
    println!();
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The median of five.
pub fn milliseconds(times: impl Iterator<Item = Duration>) -> String {
    let times = times.take(5).map(|time| time.as_secs_f64() * 1e3).collect();
    format!("{:.0}", median(times))
}
