//! Outdoor scenes: sea, city, night sky, mountains, meadow.

use std::fmt::Write as _;

use super::dice::Dice;
use super::palette::Palette;

/// Rows of waves under a low sun.
pub(super) fn waves(palette: &Palette, dice: &mut Dice) -> String {
    let Palette { far, near, accent, ground_low, .. } = palette;
    let mut svg = format!(
        "<defs><radialGradient id=\"sun\"><stop stop-color=\"{accent}\" stop-opacity=\".55\"/>\
         <stop offset=\"1\" stop-color=\"{accent}\" stop-opacity=\"0\"/></radialGradient>\
         <linearGradient id=\"swell\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\"><stop stop-color=\"{near}\"/>\
         <stop offset=\".55\" stop-color=\"{far}\"/><stop offset=\"1\" stop-color=\"{ground_low}\"/></linearGradient></defs>\
         <circle cx=\"420\" cy=\"448\" r=\"250\" fill=\"url(#sun)\"/><circle cx=\"420\" cy=\"448\" r=\"84\" fill=\"{accent}\"/>"
    );
    for swell in 0..7_u32 {
        let y = 430.0 + f64::from(swell) * 38.0;
        let rise = 16.0 + f64::from(swell) * 4.5;
        let shift = dice.between(0.0, 200.0);
        let _ = write!(
            svg,
            "<path d=\"M{:.0} {y:.0}q50 -{rise:.0} 100 0t100 0t100 0t100 0t100 0t100 0t100 0t100 0t100 0V800H-240z\" \
             fill=\"url(#swell)\" opacity=\"{:.2}\"/>",
            -shift - 40.0,
            0.42 + f64::from(swell) * 0.08,
        );
    }
    let _ = write!(
        svg,
        "<defs><linearGradient id=\"deep\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\"><stop stop-color=\"{ground_low}\" stop-opacity=\"0\"/>\
         <stop offset=\".6\" stop-color=\"{ground_low}\"/></linearGradient></defs><rect y=\"560\" width=\"600\" height=\"240\" fill=\"url(#deep)\"/>"
    );
    svg
}

/// A moon with a halo over two rows of houses with lit windows.
pub(super) fn skyline(palette: &Palette, dice: &mut Dice) -> String {
    let Palette { far, near, accent, ground, ground_low, .. } = palette;
    let mut svg = format!(
        "<defs><radialGradient id=\"halo\"><stop offset=\".25\" stop-color=\"{accent}\" stop-opacity=\".6\"/>\
         <stop offset=\"1\" stop-color=\"{accent}\" stop-opacity=\"0\"/></radialGradient>\
         <linearGradient id=\"dusk\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\"><stop stop-color=\"{ground}\" stop-opacity=\"0\"/>\
         <stop offset=\"1\" stop-color=\"{near}\" stop-opacity=\".6\"/></linearGradient>\
         <linearGradient id=\"street\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\"><stop stop-color=\"{ground_low}\" stop-opacity=\"0\"/>\
         <stop offset=\".28\" stop-color=\"{ground_low}\" stop-opacity=\".94\"/></linearGradient>\
         <pattern id=\"lit\" width=\"26\" height=\"34\" patternUnits=\"userSpaceOnUse\"><path d=\"M5 6h6v9H5zM17 20h5v8h-5z\" \
         fill=\"{accent}\" opacity=\".85\"/></pattern></defs>\
         <rect y=\"120\" width=\"600\" height=\"340\" fill=\"url(#dusk)\"/>\
         <circle cx=\"404\" cy=\"206\" r=\"220\" fill=\"url(#halo)\"/><circle cx=\"404\" cy=\"206\" r=\"84\" fill=\"{accent}\"/>\
         <g fill=\"{ground}\" opacity=\".1\"><circle cx=\"376\" cy=\"182\" r=\"17\"/><circle cx=\"428\" cy=\"226\" r=\"24\"/>\
         <circle cx=\"436\" cy=\"168\" r=\"10\"/></g>"
    );
    for _ in 0..28 {
        let _ = write!(
            svg,
            "<circle cx=\"{:.0}\" cy=\"{:.0}\" r=\"{:.1}\" fill=\"#fff\" opacity=\"{:.2}\"/>",
            dice.between(0.0, 600.0),
            dice.between(90.0, 330.0),
            dice.between(0.6, 1.8),
            dice.between(0.3, 0.9),
        );
    }
    for (colour, low, high, lit) in [(*far, 350.0, 262.0, 0.2), (*ground_low, 410.0, 312.0, 0.8)] {
        let mut path = String::from("M0 800");
        let mut x = 0.0;
        while x < 600.0 {
            let width = dice.pick(&[40.0, 52.0, 66.0, 78.0]);
            let y = dice.between(high, low);
            let _ = write!(path, "V{y:.0}");
            if dice.between(0.0, 1.0) < 0.25 {
                let _ = write!(path, "h{:.0}v-26h3v26", width / 2.0);
            }
            x += width;
            let _ = write!(path, "H{x:.0}");
        }
        let _ = write!(
            svg,
            "<path d=\"{path}V800z\" fill=\"{colour}\"/><path d=\"{path}V800z\" fill=\"url(#lit)\" opacity=\"{lit}\"/>"
        );
    }
    svg.push_str("<rect y=\"350\" width=\"600\" height=\"450\" fill=\"url(#street)\"/>");
    svg
}

/// Stars, a milky way, a constellation, and hills below.
pub(super) fn stars(palette: &Palette, dice: &mut Dice) -> String {
    let Palette { far, near, accent, ground_low, .. } = palette;
    let mut svg = format!(
        "<defs><radialGradient id=\"milk\"><stop stop-color=\"{near}\" stop-opacity=\".6\"/><stop offset=\".5\" stop-color=\"{far}\" stop-opacity=\".4\"/>\
         <stop offset=\"1\" stop-color=\"{far}\" stop-opacity=\"0\"/></radialGradient>\
         <linearGradient id=\"hill\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\"><stop stop-color=\"{far}\"/><stop offset=\".7\" stop-color=\"{ground_low}\"/></linearGradient></defs>\
         <ellipse cx=\"300\" cy=\"400\" rx=\"560\" ry=\"170\" transform=\"rotate(-38 300 400)\" fill=\"url(#milk)\"/>"
    );
    for _ in 0..80 {
        let _ = write!(
            svg,
            "<circle cx=\"{:.0}\" cy=\"{:.0}\" r=\"{:.1}\" fill=\"#fff\" opacity=\"{:.1}\"/>",
            dice.between(0.0, 600.0),
            dice.between(0.0, 640.0),
            dice.between(0.5, 2.0),
            dice.between(0.3, 1.0),
        );
    }
    let mut line = String::new();
    let mut sparks = String::new();
    for star in 0..7_u32 {
        let (x, y) = (70.0 + f64::from(star) * 76.0 + dice.between(-14.0, 14.0), dice.between(440.0, 560.0));
        let _ = write!(line, "{}{x:.0} {y:.0}", if star == 0 { 'M' } else { 'L' });
        let _ = write!(sparks, "<path d=\"M{x:.0} {:.0}l3 9 9 3-9 3-3 9-3-9-9-3 9-3z\"/>", y - 12.0);
    }
    let _ = write!(
        svg,
        "<path d=\"{line}\" fill=\"none\" stroke=\"{accent}\" stroke-width=\"1.5\" opacity=\".6\"/><g fill=\"{accent}\">{sparks}</g>\
         <path d=\"M0 660C110 590 190 600 280 648S470 610 600 640V800H0z\" fill=\"url(#hill)\" opacity=\".8\"/>\
         <path d=\"M0 700C140 640 240 690 340 676S520 650 600 690V800H0z\" fill=\"{ground_low}\"/>"
    );
    svg
}

/// Ridges that fade with distance, a red sun, a few birds.
pub(super) fn peaks(palette: &Palette, dice: &mut Dice) -> String {
    let Palette { far, near, accent, ground_low, .. } = palette;
    let mut svg = format!(
        "<defs><linearGradient id=\"mist\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\"><stop stop-color=\"{far}\"/>\
         <stop offset=\".75\" stop-color=\"{ground_low}\"/></linearGradient></defs>\
         <circle cx=\"428\" cy=\"468\" r=\"88\" fill=\"{near}\"/>"
    );
    for ridge in 0..4_u32 {
        let base = 530.0 + f64::from(ridge) * 50.0;
        let mut path = format!("M-20 {base:.0}");
        let mut x = -20.0;
        while x < 620.0 {
            let (width, rise) =
                (dice.between(90.0, 170.0), dice.between(40.0, 128.0) - f64::from(ridge) * 12.0);
            let _ = write!(
                path,
                "q{:.0} -{:.0} {:.0} -{rise:.0}t{:.0} {rise:.0}",
                width * 0.22,
                rise * 0.2,
                width / 2.0,
                width / 2.0,
            );
            x += width;
        }
        let _ = write!(
            svg,
            "<path d=\"{path}V800H-20z\" fill=\"url(#mist)\" opacity=\"{:.2}\"/>",
            0.5 + f64::from(ridge) * 0.16
        );
    }
    let _ = write!(
        svg,
        "<g fill=\"none\" stroke=\"{accent}\" stroke-width=\"3\" stroke-linecap=\"round\"><path d=\"M262 446q12 -12 20 0q8 -12 20 0\
         M318 420q9 -9 15 0q6 -9 15 0M232 412q8 -8 13 0q5 -8 13 0\"/></g>"
    );
    svg
}

/// Sun with rays, clouds, rolling hills with trees, and balloons.
pub(super) fn meadow(palette: &Palette, dice: &mut Dice) -> String {
    let Palette { far, near, accent, ground_low, .. } = palette;
    let mut svg = String::from(
        "<g transform=\"translate(486 462) scale(.78)\"><g stroke=\"#ffb627\" stroke-width=\"9\" stroke-linecap=\"round\">",
    );
    for ray in 0..12_u32 {
        let _ = write!(svg, "<path d=\"M0 -92v-24\" transform=\"rotate({})\"/>", ray * 30);
    }
    svg.push_str(
        "</g><circle r=\"74\" fill=\"#ffc93c\"/><g fill=\"#7a4a00\"><circle cx=\"-24\" cy=\"-8\" r=\"6\"/><circle cx=\"24\" cy=\"-8\" r=\"6\"/></g>\
         <path d=\"M-24 16q24 26 48 0\" fill=\"none\" stroke=\"#7a4a00\" stroke-width=\"6\" stroke-linecap=\"round\"/></g>\
         <g fill=\"#fff\" opacity=\".9\"><path id=\"cloud\" d=\"M40 470a30 30 0 0 1 30 -46a44 44 0 0 1 82 -4a32 32 0 0 1 22 50z\"/>\
         <use href=\"#cloud\" transform=\"translate(330 330) scale(.6)\" opacity=\".8\"/></g>",
    );
    for (path, colour, opacity) in [
        ("M0 570C120 500 260 520 360 560S540 560 600 520V800H0z", near, 0.55),
        ("M0 630C150 560 300 600 420 620S560 590 600 600V800H0z", near, 0.95),
    ] {
        let _ = write!(svg, "<path d=\"{path}\" fill=\"{colour}\" opacity=\"{opacity}\"/>");
    }
    for x in [60.0, 300.0, 372.0, 546.0] {
        let (y, r) = (dice.between(566.0, 590.0), dice.between(24.0, 36.0));
        let _ = write!(
            svg,
            "<path d=\"M{x} {y:.0}v60\" stroke=\"#8a5a34\" stroke-width=\"9\"/><circle cx=\"{x}\" cy=\"{:.0}\" r=\"{r:.0}\" fill=\"{near}\"/>\
             <circle cx=\"{:.0}\" cy=\"{:.0}\" r=\"{:.0}\" fill=\"#fff\" opacity=\".25\"/>",
            y - 14.0,
            x - 9.0,
            y - 24.0,
            r / 2.6,
        );
    }
    for (x, colour) in [(190.0, *accent), (236.0, *far), (150.0, "#ff7f6b")] {
        let y = dice.between(440.0, 500.0);
        let _ = write!(
            svg,
            "<path d=\"M{x} {:.0}Q{:.0} 580 196 640\" fill=\"none\" stroke=\"#5b6470\" stroke-width=\"2\"/>\
             <ellipse cx=\"{x}\" cy=\"{y:.0}\" rx=\"29\" ry=\"36\" fill=\"{colour}\"/>\
             <ellipse cx=\"{:.0}\" cy=\"{:.0}\" rx=\"7\" ry=\"11\" fill=\"#fff\" opacity=\".5\"/>",
            y + 36.0,
            x + 12.0,
            x - 10.0,
            y - 12.0,
        );
    }
    let _ = write!(svg, "<path d=\"M0 690C160 650 420 664 600 676V800H0z\" fill=\"{ground_low}\"/>");
    svg
}
