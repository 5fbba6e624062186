//! Scenes of the stage: curtain, beams, sound bars, arena.

use std::fmt::Write as _;

use super::dice::Dice;
use super::palette::Palette;

/// Folds of cloth drawn to both sides, a scalloped border, and a pool of light on the boards.
pub(super) fn curtain(palette: &Palette) -> String {
    let Palette { far, near, accent, ground_low, .. } = palette;
    let mut svg = format!(
        "<defs><linearGradient id=\"fold\"><stop stop-color=\"{ground_low}\"/><stop offset=\".45\" stop-color=\"{near}\"/>\
         <stop offset=\"1\" stop-color=\"{far}\" stop-opacity=\".9\"/></linearGradient>\
         <linearGradient id=\"cone\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\"><stop stop-color=\"{accent}\" stop-opacity=\".5\"/>\
         <stop offset=\"1\" stop-color=\"{accent}\" stop-opacity=\".06\"/></linearGradient>\
         <radialGradient id=\"pool\"><stop stop-color=\"{accent}\" stop-opacity=\".55\"/>\
         <stop offset=\"1\" stop-color=\"{accent}\" stop-opacity=\"0\"/></radialGradient>\
         <linearGradient id=\"shade\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\"><stop offset=\".35\" stop-color=\"{ground_low}\" stop-opacity=\"0\"/>\
         <stop offset=\".85\" stop-color=\"{ground_low}\"/></linearGradient></defs>\
         <path d=\"M270 0h60L520 700H80z\" fill=\"url(#cone)\" opacity=\".55\"/><g id=\"half\">"
    );
    for fold in 0..7_u32 {
        let head = f64::from(fold) * 40.0;
        let (waist, foot) = (f64::from(fold) * 13.0 - 4.0, f64::from(fold) * 17.0);
        let _ = write!(
            svg,
            "<path d=\"M{head} 0C{head} 250 {waist} 330 {waist} 470S{foot} 700 {foot} 800h22\
             C{a} 700 {b} 600 {b} 470S{c} 250 {c} 0z\" fill=\"url(#fold)\"/>",
            a = foot + 20.0,
            b = waist + 15.0,
            c = head + 43.0,
        );
    }
    svg.push_str("</g><use href=\"#half\" transform=\"matrix(-1 0 0 1 600 0)\"/>");
    for swag in 0..6_u32 {
        let x = f64::from(swag) * 100.0 + 50.0;
        let _ = write!(
            svg,
            "<path d=\"M{l} -4Q{x} 96 {r} -4z\" fill=\"{far}\"/><path d=\"M{l} -2Q{x} 98 {r} -2\" fill=\"none\" \
             stroke=\"{accent}\" stroke-width=\"3\" opacity=\".8\"/>",
            l = x - 56.0,
            r = x + 56.0,
        );
    }
    svg.push_str("<rect width=\"600\" height=\"800\" fill=\"url(#shade)\"/><ellipse cx=\"300\" cy=\"632\" rx=\"300\" ry=\"58\" fill=\"url(#pool)\"/>");
    svg
}

/// Beams from above, dust in the light, and the crowd's heads and hands.
pub(super) fn spotlights(palette: &Palette, dice: &mut Dice) -> String {
    let Palette { far, near, accent, ground_low, .. } = palette;
    let mut svg = String::from("<defs>");
    for (id, colour) in [("b0", far), ("b1", near), ("b2", accent)] {
        let _ = write!(
            svg,
            "<linearGradient id=\"{id}\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\"><stop stop-color=\"{colour}\" stop-opacity=\".85\"/>\
             <stop offset=\"1\" stop-color=\"{colour}\" stop-opacity=\"0\"/></linearGradient>"
        );
    }
    let _ = write!(
        svg,
        "<radialGradient id=\"haze\" cx=\".5\" cy=\"1\" r=\".7\"><stop stop-color=\"{near}\" stop-opacity=\".75\"/>\
         <stop offset=\"1\" stop-color=\"{near}\" stop-opacity=\"0\"/></radialGradient></defs>\
         <rect y=\"300\" width=\"600\" height=\"400\" fill=\"url(#haze)\"/>"
    );
    for beam in 0..7_u32 {
        let from = 30.0 + f64::from(beam) * 90.0;
        let to = dice.between(-60.0, 660.0);
        let spread = dice.between(50.0, 110.0);
        let _ = write!(
            svg,
            "<path d=\"M{a} -10h14L{b:.0} 660H{c:.0}z\" fill=\"url(#b{})\" opacity=\".6\"/>",
            beam % 3,
            a = from - 7.0,
            b = to + spread,
            c = to - spread,
        );
    }
    for _ in 0..34 {
        let _ = write!(
            svg,
            "<circle cx=\"{:.0}\" cy=\"{:.0}\" r=\"{:.1}\" fill=\"{accent}\" opacity=\"{:.2}\"/>",
            dice.between(0.0, 600.0),
            dice.between(20.0, 600.0),
            dice.between(0.8, 3.2),
            dice.between(0.25, 0.9),
        );
    }
    crowd(&mut svg, dice, ground_low);
    svg
}

fn crowd(svg: &mut String, dice: &mut Dice, colour: &str) {
    for (row, opacity) in [(0.0, 0.55), (1.0, 1.0)] {
        let _ = write!(
            svg,
            "<g fill=\"{colour}\" stroke=\"{colour}\" stroke-linecap=\"round\" opacity=\"{opacity}\">"
        );
        for head in 0..13_u32 {
            let x = f64::from(head) * 50.0 - row * 25.0 + dice.between(-8.0, 8.0);
            let y = 622.0 + row * 34.0 + dice.between(-10.0, 10.0);
            let _ = write!(
                svg,
                "<circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"19\"/><path d=\"M{:.0} 800v-{:.0}q33 -30 66 0V800z\"/>",
                x - 33.0,
                800.0 - y - 36.0,
            );
            if dice.between(0.0, 1.0) < 0.45 {
                let lean = dice.between(-16.0, 16.0);
                let _ = write!(
                    svg,
                    "<path d=\"M{:.0} {:.0}q{:.0} -40 {lean:.0} -82\" fill=\"none\" stroke-width=\"12\"/>",
                    x + 24.0,
                    y + 40.0,
                    lean / 2.0 + 6.0,
                );
            }
        }
        svg.push_str("</g>");
    }
    let _ = write!(svg, "<rect y=\"694\" width=\"600\" height=\"106\" fill=\"{colour}\"/>");
}

/// Mirrored sound bars on a dark background.
pub(super) fn equalizer(palette: &Palette, dice: &mut Dice) -> String {
    let Palette { far, near, accent, ground_low, .. } = palette;
    let mut svg = format!(
        "<defs><linearGradient id=\"bar\" gradientUnits=\"userSpaceOnUse\" x1=\"0\" y1=\"90\" x2=\"0\" y2=\"470\">\
         <stop stop-color=\"{accent}\"/><stop offset=\".5\" stop-color=\"{near}\"/><stop offset=\"1\" stop-color=\"{far}\"/>\
         </linearGradient><radialGradient id=\"halo\"><stop stop-color=\"{near}\" stop-opacity=\".5\"/>\
         <stop offset=\"1\" stop-color=\"{near}\" stop-opacity=\"0\"/></radialGradient><linearGradient id=\"foot\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\">\
         <stop stop-color=\"{ground_low}\" stop-opacity=\".3\"/><stop offset=\".5\" stop-color=\"{ground_low}\" stop-opacity=\".9\"/></linearGradient></defs>\
         <ellipse cx=\"300\" cy=\"280\" rx=\"420\" ry=\"290\" fill=\"url(#halo)\"/><g fill=\"url(#bar)\">"
    );
    for bar in 0..21_u32 {
        let x = 20.0 + f64::from(bar) * 27.0;
        let middle = 1.0 - ((f64::from(bar) - 10.0) / 11.5).powi(2);
        let half = 26.0 + dice.between(30.0, 158.0) * middle;
        let _ = write!(
            svg,
            "<rect x=\"{x:.0}\" y=\"{:.0}\" width=\"17\" height=\"{:.0}\" rx=\"8.5\"/>",
            280.0 - half,
            half * 2.0,
        );
    }
    let _ = write!(
        svg,
        "</g><path d=\"M0 280h600\" stroke=\"{ground_low}\" stroke-width=\"5\"/>\
         <rect y=\"283\" width=\"600\" height=\"400\" fill=\"url(#foot)\"/>"
    );
    svg
}

/// A floor of light that runs to the horizon, a hexagon above it, and shards at the sides.
pub(super) fn arena(palette: &Palette) -> String {
    let Palette { far, near, accent, ground_low, .. } = palette;
    let mut svg = format!(
        "<defs><linearGradient id=\"edge\" x1=\"0\" y1=\"0\" x2=\"1\" y2=\"1\"><stop stop-color=\"{accent}\"/>\
         <stop offset=\"1\" stop-color=\"{near}\"/></linearGradient>\
         <radialGradient id=\"glow\"><stop stop-color=\"{far}\"/><stop offset=\"1\" stop-color=\"{far}\" stop-opacity=\"0\"/>\
         </radialGradient><linearGradient id=\"fade\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\"><stop stop-color=\"{ground_low}\" stop-opacity=\"0\"/>\
         <stop offset=\".3\" stop-color=\"{ground_low}\" stop-opacity=\".72\"/><stop offset=\".75\" stop-color=\"{ground_low}\" stop-opacity=\".92\"/></linearGradient></defs>\
         <ellipse cx=\"300\" cy=\"268\" rx=\"430\" ry=\"320\" fill=\"url(#glow)\"/><g fill=\"none\" stroke=\"url(#edge)\">"
    );
    for ring in 0..5_u32 {
        let r = 84.0 + f64::from(ring) * 42.0;
        let (h, w) = (r / 2.0, r * 0.866);
        let _ = write!(
            svg,
            "<path d=\"M300 {:.0}l{w:.0} {h:.0}v{r:.0}l-{w:.0} {h:.0}l-{w:.0} -{h:.0}v-{r:.0}z\" stroke-width=\"{}\" opacity=\"{:.2}\"/>",
            268.0 - r,
            9 - ring,
            0.95 - f64::from(ring) * 0.19,
        );
    }
    svg.push_str("</g>");
    let _ = write!(svg, "<g stroke=\"{near}\" stroke-width=\"2\" opacity=\".75\">");
    for line in 0..17_u32 {
        let x = f64::from(line) * 150.0 - 900.0;
        let _ = write!(svg, "<path d=\"M{:.0} 480L{x} 800\"/>", 300.0 + (x - 300.0) * 0.18);
    }
    for line in 0..7_u32 {
        let _ = write!(svg, "<path d=\"M0 {:.0}h600\"/>", 480.0 + f64::from(line).powi(2) * 8.0);
    }
    let _ = write!(
        svg,
        "</g><path d=\"M0 120L96 330L0 520zM600 80L520 300L600 560z\" fill=\"{near}\" opacity=\".32\"/>\
         <path d=\"M0 250L54 400L0 600zM600 240L560 420L600 640z\" fill=\"{accent}\" opacity=\".5\"/>\
         <path d=\"M300 206l18 44 47 4 -36 31 11 46 -40 -25 -40 25 11 -46 -36 -31 47 -4z\" fill=\"{accent}\"/>\
         <rect y=\"380\" width=\"600\" height=\"420\" fill=\"url(#fade)\"/>"
    );
    svg
}
