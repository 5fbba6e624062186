//! The positions of the points of a chart. Pure.

use std::fmt::Write as _;

use super::history::SPAN_MS;
use crate::browser::number;

/// The size of the drawing. It is stretched to the available space.
pub(crate) const WIDTH: f64 = 300.0;
pub(crate) const HEIGHT: f64 = 80.0;

/// A round number that is at least `max`, so that the scale does not change with every point.
pub(crate) fn ceiling(max: f64) -> f64 {
    if max <= 1.0 {
        return 1.0;
    }
    let power = 10_f64.powf(max.log10().floor());
    for step in [1.0, 2.0, 5.0, 10.0] {
        if step * power >= max {
            return step * power;
        }
    }
    max
}

/// An SVG path through the points of all lines: `(how long ago in milliseconds, value)`.
pub(crate) fn path(lines: &[Vec<(i64, f64)>], ceiling: f64) -> String {
    let mut path = String::new();
    for line in lines {
        for (index, (ago_ms, value)) in line.iter().enumerate() {
            let x = WIDTH * (1.0 - number(*ago_ms) / number(SPAN_MS));
            let y = HEIGHT * (1.0 - (value / ceiling).clamp(0.0, 1.0));
            let word = if index == 0 { 'M' } else { 'L' };
            // Writing into a string always succeeds.
            let _ = write!(path, "{word}{x:.1} {y:.1}");
        }
        if let [(ago_ms, _)] = line.as_slice() {
            // A single point is drawn as a dash.
            let x = WIDTH * (1.0 - number(*ago_ms) / number(SPAN_MS));
            let _ = write!(path, "H{:.1}", x + 1.0);
        }
    }
    path
}

/// The largest value of all lines.
pub(crate) fn top(lines: &[Vec<(i64, f64)>]) -> f64 {
    lines.iter().flatten().map(|(_, value)| *value).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_numbers() {
        for (max, expected) in [(0.0, 1.0), (1.2, 2.0), (3.0, 5.0), (7.0, 10.0), (1_100.0, 2_000.0)] {
            assert!((ceiling(max) - expected).abs() < 1e-9, "{max}: {}", ceiling(max));
        }
    }

    #[test]
    fn the_newest_point_is_on_the_right_and_the_largest_at_the_top() {
        let lines = [vec![(SPAN_MS, 0.0), (0, 10.0)]];
        assert_eq!(path(&lines, 10.0), "M0.0 80.0L300.0 0.0");
        assert!((top(&lines) - 10.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_single_point_is_visible() {
        assert_eq!(path(&[vec![(0, 0.0)]], 1.0), "M300.0 80.0H301.0");
    }
}
