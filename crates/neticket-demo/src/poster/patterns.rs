//! Abstract scenes: tiles, arches, rays, circles of light.

use std::fmt::Write as _;

use super::dice::Dice;
use super::palette::Palette;

/// Squares of 100 × 100 with quarter circles, half circles, rings and stripes, in the area above the title.
pub(super) fn tiles(palette: &Palette, dice: &mut Dice) -> String {
    let Palette { far, near, accent, ink, .. } = palette;
    let mut svg = String::from("<g transform=\"translate(0 104)\">");
    for row in 0..3_u32 {
        for column in 0..6_u32 {
            let (x, y) = (column * 100, row * 100);
            let back = dice.pick(&[*far, *near, *accent, *ink, ""]);
            let front = loop {
                let colour = dice.pick(&[*far, *near, *accent, *ink]);
                if colour != back {
                    break colour;
                }
            };
            let turn = dice.pick(&[0, 90, 180, 270]);
            let shape = dice.pick(&[
                "<path d=\"M0 0h100A100 100 0 0 1 0 100z\"/>",
                "<path d=\"M0 50a50 50 0 0 1 100 0zM0 100a50 50 0 0 1 100 0z\"/>",
                "<circle cx=\"50\" cy=\"50\" r=\"37\"/>",
                "<path d=\"M0 0h100L0 100z\"/>",
                "<path d=\"M0 0h100v20H0zM0 40h100v20H0zM0 80h100v20H0z\"/>",
                "<path d=\"M0 0h50A50 50 0 0 1 0 50zM100 100h-50a50 50 0 0 1 50 -50z\"/>",
            ]);
            let _ = write!(svg, "<g transform=\"translate({x} {y})\">");
            if !back.is_empty() {
                let _ = write!(svg, "<rect width=\"100.5\" height=\"100.5\" fill=\"{back}\"/>");
            }
            let _ = write!(svg, "<g transform=\"rotate({turn} 50 50)\" fill=\"{front}\">{shape}</g></g>");
        }
    }
    svg.push_str("</g>");
    svg
}

/// Nested arches, with a disc that rises through them.
pub(super) fn arches(palette: &Palette) -> String {
    let Palette { far, near, accent, ground, .. } = palette;
    let mut svg = String::from("<g transform=\"translate(48 17) scale(.84)\">");
    for (arch, colour) in [near, ground, far, ground, accent, ground].iter().enumerate() {
        let r = 214.0 - f64::from(u32::try_from(arch).unwrap_or(0)) * 31.0;
        let _ = write!(
            svg,
            "<path d=\"M{:.0} 474V{y:.0}a{r:.0} {r:.0} 0 0 1 {:.0} 0V474z\" fill=\"{colour}\"/>",
            300.0 - r,
            r * 2.0,
            y = 322.0,
        );
    }
    let _ = write!(
        svg,
        "<circle cx=\"300\" cy=\"392\" r=\"46\" fill=\"{near}\"/><path d=\"M300 474v-36\" stroke=\"{far}\" stroke-width=\"5\"/>\
         <path d=\"M48 474h504\" stroke=\"{near}\" stroke-width=\"6\"/></g>"
    );
    svg
}

/// Rays from the centre, with a disc behind the title.
pub(super) fn sunburst(palette: &Palette) -> String {
    let Palette { far, near, accent, ground, ground_low, .. } = palette;
    let mut svg = format!("<g transform=\"translate(300 400)\" fill=\"{far}\" opacity=\".75\">");
    for ray in 0..18_u32 {
        let _ = write!(svg, "<path d=\"M0 0L-52 -560H52z\" transform=\"rotate({})\"/>", ray * 20);
    }
    let _ = write!(
        svg,
        "</g><g transform=\"translate(300 400)\"><circle r=\"276\" fill=\"{near}\"/><g fill=\"{accent}\">"
    );
    for bulb in 0..36_u32 {
        let _ = write!(svg, "<circle cy=\"-262\" r=\"5.5\" transform=\"rotate({})\"/>", bulb * 10);
    }
    let _ = write!(
        svg,
        "</g><circle r=\"246\" fill=\"{ground}\"/><circle r=\"236\" fill=\"none\" stroke=\"{accent}\" stroke-width=\"2\"/></g>\
         <path d=\"M0 690h600v110H0z\" fill=\"{ground_low}\"/><path d=\"M0 0h600v104H0z\" fill=\"{ground}\"/>"
    );
    svg
}

/// Circles of light: large and blurred in the background, small and sharp in the foreground.
pub(super) fn bokeh(palette: &Palette, dice: &mut Dice) -> String {
    let Palette { far, near, accent, ground_low, .. } = palette;
    let mut svg = String::from("<defs>");
    for (id, colour) in [("l0", far), ("l1", near), ("l2", accent)] {
        let _ = write!(
            svg,
            "<radialGradient id=\"{id}\"><stop offset=\".2\" stop-color=\"{colour}\" stop-opacity=\".5\"/>\
             <stop offset=\".9\" stop-color=\"{colour}\" stop-opacity=\".75\"/><stop offset=\"1\" stop-color=\"{colour}\" stop-opacity=\"0\"/></radialGradient>"
        );
    }
    let _ = write!(
        svg,
        "<linearGradient id=\"foot\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\"><stop stop-color=\"{ground_low}\" stop-opacity=\"0\"/>\
         <stop offset=\".5\" stop-color=\"{ground_low}\" stop-opacity=\".95\"/></linearGradient></defs>"
    );
    for (count, low, high) in [(9, 70.0, 150.0), (16, 26.0, 64.0), (22, 5.0, 20.0)] {
        for _ in 0..count {
            let _ = write!(
                svg,
                "<circle cx=\"{:.0}\" cy=\"{:.0}\" r=\"{:.0}\" fill=\"url(#{})\" opacity=\"{:.2}\"/>",
                dice.between(0.0, 600.0),
                dice.between(90.0, 560.0),
                dice.between(low, high),
                dice.pick(&["l0", "l1", "l1", "l2"]),
                dice.between(0.3, 0.85),
            );
        }
    }
    svg.push_str("<rect y=\"330\" width=\"600\" height=\"470\" fill=\"url(#foot)\"/>");
    svg
}
