//! Uses per day of the last 30 days as bars.

use super::listing::grouped;
use crate::domain::timestamp::{DAY, Timestamp};

const PITCH: u32 = 20;
const HEIGHT: u32 = 96;

/// Bars in the coordinates of an SVG of `width` times `height`.
pub struct Chart {
    pub bars: Vec<Bar>,
    pub bar_width: u32,
    pub width: u32,
    pub height: u32,
    /// Whether there is any use to draw.
    pub used: bool,
    /// The same in words.
    pub summary: String,
}

pub struct Bar {
    pub x: u32,
    pub y: u32,
    pub height: u32,
    pub label: String,
}

impl Chart {
    /// `per_day` ends with today.
    pub fn new(per_day: &[i64], now: Timestamp) -> Self {
        let most = per_day.iter().copied().max().unwrap_or(0).max(1);
        let days = i64::try_from(per_day.len()).unwrap_or_default();
        let bars = (0_u32..).zip(per_day).map(|(index, &uses)| {
            // A day with any use shows at least a line.
            let scaled = u32::try_from(uses * i64::from(HEIGHT) / most).unwrap_or(HEIGHT);
            let height = if uses > 0 { scaled.max(2) } else { 0 };
            let date = now.minus((days - 1 - i64::from(index)) * DAY).for_people();
            let label = [date.as_str().split(',').next().unwrap_or_default(), ": ", &uses.to_string()].concat();
            Bar { x: index * PITCH + 2, y: HEIGHT - height, height, label }
        });
        let total: i64 = per_day.iter().sum();
        let busy = per_day.iter().filter(|&&uses| uses > 0).count();
        let plural = |count: i64| if count == 1 { "" } else { "s" };
        let summary = match total {
            0 => "Not used in the last 30 days.".into(),
            _ => {
                let days = i64::try_from(busy).unwrap_or_default();
                format!(
                    "Used {} time{} on {busy} of the last 30 day{}.",
                    grouped(total),
                    plural(total),
                    plural(days.max(2))
                )
            }
        };
        let width = PITCH * u32::try_from(per_day.len()).unwrap_or_default();
        Self { bars: bars.collect(), bar_width: PITCH - 4, width, height: HEIGHT, used: total > 0, summary }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_day_fills_the_height_and_a_quiet_one_still_shows() {
        let mut per_day = [0; 30];
        per_day[29] = 1_000;
        per_day[0] = 1;
        let chart = Chart::new(&per_day, Timestamp::from_unix(1_795_270_000));
        assert_eq!((chart.bars[29].height, chart.bars[29].y), (96, 0));
        assert_eq!((chart.bars[0].height, chart.bars[1].height), (2, 0));
        assert_eq!(chart.bars[29].label, "21 Nov 2026: 1000");
        assert_eq!(chart.bars[0].label, "23 Oct 2026: 1");
        assert_eq!(chart.summary, "Used 1,001 times on 2 of the last 30 days.");
    }
}
