//! The plots as SVG. Each is drawn twice, for light and dark pages, because the library writes colours into
//! the drawing.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use crate::result::{Latency, Run, float};
use crate::stats::Slice;

const SIZE: (u32, u32) = (760, 300);

/// The colours of a drawing.
#[derive(Clone, Copy)]
pub(super) struct Palette {
    ink: RGBColor,
    grid: RGBColor,
    winners: RGBColor,
    losers: RGBColor,
    errors: RGBColor,
}

pub(super) const LIGHT: Palette = Palette {
    ink: RGBColor(82, 82, 91),
    grid: RGBColor(228, 228, 231),
    winners: RGBColor(22, 134, 90),
    losers: RGBColor(199, 119, 0),
    errors: RGBColor(200, 40, 50),
};
pub(super) const DARK: Palette = Palette {
    ink: RGBColor(161, 161, 170),
    grid: RGBColor(55, 55, 62),
    winners: RGBColor(74, 214, 152),
    losers: RGBColor(250, 183, 60),
    errors: RGBColor(255, 110, 110),
};

type Points = Vec<(f64, f64)>;

/// Latency by percentile. Each step to the right leaves a tenth of the people of the step before.
pub(super) fn percentiles(run: &Run, palette: Palette) -> Result<String> {
    let nines = |percentile: f64| -(1.0 - percentile / 100.0).max(1e-4).log10();
    let points = |latency: &Latency| -> Points {
        latency.curve.iter().map(|(percentile, us)| (nines(*percentile), float(*us) / 1e3)).collect()
    };
    let lines =
        [(points(&run.latency.winners), palette.winners), (points(&run.latency.losers), palette.losers)];
    // Labels only at whole steps: 0, 90, 99, 99.9 and 99.99 %.
    let label = |x: &f64| {
        if x.fract().abs() > 0.01 {
            return String::new();
        }
        let percentile = ((100.0 - 100.0 / 10_f64.powf(*x)) * 100.0).round() / 100.0;
        format!("{percentile} %")
    };
    draw(palette, 4.0, "ms", &label, &lines, false)
}

/// Answers per second, by the time at which they came.
pub(super) fn answers(run: &Run, palette: Palette) -> Result<String> {
    let per_s = 1000.0 / float(run.slice_ms);
    let points = |of: fn(&Slice) -> u64| -> Points {
        let slices = run.slices.iter().zip(0_u64..);
        slices.map(|(slice, n)| (seconds(run, n), float(of(slice)) * per_s)).collect()
    };
    let lines = [
        (points(|slice| slice.confirmed), palette.winners),
        (points(|slice| slice.sold_out), palette.losers),
        (points(|slice| slice.errors), palette.errors),
    ];
    draw(palette, duration(run), "answers/s", &|x| format!("{x:.1} s"), &lines, false)
}

/// The number of decided bookings over time.
pub(super) fn decided(run: &Run, palette: Palette) -> Result<String> {
    let points = |of: fn(&Slice) -> u64| -> Points {
        let mut sum = 0;
        let mut points = vec![(0.0, 0.0)];
        for (slice, n) in run.slices.iter().zip(1_u64..) {
            sum += of(slice);
            points.push((seconds(run, n), float(sum)));
        }
        points
    };
    let lines = [
        (points(|slice| slice.confirmed), palette.winners),
        (points(|slice| slice.sold_out), palette.losers),
    ];
    draw(palette, duration(run), "people", &|x| format!("{x:.1} s"), &lines, true)
}

fn seconds(run: &Run, slices: u64) -> f64 {
    float(slices * run.slice_ms) / 1e3
}

fn duration(run: &Run) -> f64 {
    seconds(run, u64::try_from(run.slices.len()).unwrap_or(1)).max(0.1)
}

/// Draws lines, or areas if `filled`, from (0, 0) to `x_max` and the highest value.
fn draw(
    palette: Palette,
    x_max: f64,
    y_name: &str,
    x_label: &dyn Fn(&f64) -> String,
    lines: &[(Points, RGBColor)],
    filled: bool,
) -> Result<String> {
    let mut svg = String::new();
    let y_max = lines.iter().flat_map(|(points, _)| points).map(|(_, y)| *y).fold(1.0, f64::max) * 1.05;
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .margin_right(32)
            .x_label_area_size(28)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..x_max, 0.0..y_max)
            .map_err(|error| anyhow!("{error}"))?;
        chart
            .configure_mesh()
            .axis_style(palette.grid)
            .bold_line_style(palette.grid)
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", 12).into_font().color(&palette.ink))
            .x_labels(9)
            .x_label_formatter(x_label)
            .y_label_formatter(&|y| format!("{y:.0}"))
            .y_desc(y_name)
            .draw()
            .map_err(|error| anyhow!("{error}"))?;
        for (points, color) in lines.iter().filter(|(points, _)| points.iter().any(|(_, y)| *y > 0.0)) {
            let (points, line) = (points.iter().copied(), color.stroke_width(2));
            if filled {
                let series = AreaSeries::new(points, 0.0, color.mix(0.15)).border_style(line);
                chart.draw_series(series).map_err(|error| anyhow!("{error}"))?;
            } else {
                chart.draw_series(LineSeries::new(points, line)).map_err(|error| anyhow!("{error}"))?;
            }
        }
        area.present().map_err(|error| anyhow!("{error}"))?;
    }
    Ok(svg)
}
