//! Scenes with objects: a record, piano keys, a ribbon, a flower.

use std::fmt::Write as _;

use super::dice::Dice;
use super::palette::Palette;

/// A record with grooves, sheen and a coloured label, cut by the right edge.
pub(super) fn vinyl(palette: &Palette) -> String {
    let Palette { far, near, accent, ground, ground_low, .. } = palette;
    let mut svg = format!(
        "<defs><linearGradient id=\"sheen\" x1=\"0\" y1=\"0\" x2=\"1\" y2=\"1\"><stop stop-color=\"{near}\" stop-opacity=\".75\"/>\
         <stop offset=\"1\" stop-color=\"{near}\" stop-opacity=\"0\"/></linearGradient>\
         <radialGradient id=\"room\"><stop stop-color=\"{far}\"/><stop offset=\"1\" stop-color=\"{far}\" stop-opacity=\"0\"/></radialGradient>\
         <linearGradient id=\"foot\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\"><stop stop-color=\"{ground_low}\" stop-opacity=\"0\"/>\
         <stop offset=\".5\" stop-color=\"{ground_low}\"/></linearGradient></defs>\
         <circle cx=\"372\" cy=\"312\" r=\"420\" fill=\"url(#room)\"/><circle cx=\"372\" cy=\"322\" r=\"272\" fill=\"{ground_low}\" opacity=\".5\"/>\
         <circle cx=\"372\" cy=\"308\" r=\"262\" fill=\"#0c0c10\"/><g fill=\"none\" stroke=\"#fff\">"
    );
    for groove in 0..17_u32 {
        let _ = write!(
            svg,
            "<circle cx=\"372\" cy=\"308\" r=\"{}\" opacity=\"{}\"/>",
            112 + groove * 9,
            if groove % 5 == 4 { ".3" } else { ".1" },
        );
    }
    let _ = write!(
        svg,
        "</g><path d=\"M372 308L150 168A262 262 0 0 1 262 70z\" fill=\"url(#sheen)\" opacity=\".55\"/>\
         <path d=\"M372 308L594 448A262 262 0 0 1 482 546z\" fill=\"{near}\" opacity=\".22\"/>\
         <circle cx=\"372\" cy=\"308\" r=\"94\" fill=\"{accent}\"/><path d=\"M278 308a94 94 0 0 1 188 0z\" fill=\"{near}\" opacity=\".75\"/>\
         <circle cx=\"372\" cy=\"308\" r=\"60\" fill=\"none\" stroke=\"{ground}\" stroke-width=\"2\" opacity=\".5\"/>\
         <circle cx=\"372\" cy=\"308\" r=\"11\" fill=\"{ground_low}\"/>\
         <path d=\"M84 96v150l64 92\" fill=\"none\" stroke=\"#d7d7df\" stroke-width=\"9\" stroke-linejoin=\"round\"/>\
         <circle cx=\"84\" cy=\"104\" r=\"24\" fill=\"#d7d7df\"/><circle cx=\"84\" cy=\"104\" r=\"10\" fill=\"{ground_low}\"/>\
         <path d=\"M140 322l26 38 16 -10 -26 -40z\" fill=\"#d7d7df\"/>\
         <rect y=\"380\" width=\"600\" height=\"420\" fill=\"url(#foot)\"/>"
    );
    svg
}

/// A keyboard running up to the right, its end in shadow.
pub(super) fn keys(palette: &Palette) -> String {
    let Palette { far, near, accent, ground, ground_low, .. } = palette;
    let mut svg = format!(
        "<defs><linearGradient id=\"ivory\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\"><stop stop-color=\"#cfc8bd\"/><stop offset=\".2\" stop-color=\"#fbf8f2\"/>\
         <stop offset=\"1\" stop-color=\"#efe9df\"/></linearGradient><linearGradient id=\"ebony\"><stop stop-color=\"#3a3a42\"/>\
         <stop offset=\".3\" stop-color=\"#101014\"/><stop offset=\"1\" stop-color=\"#000\"/></linearGradient>\
         <linearGradient id=\"dim\"><stop stop-color=\"{ground}\" stop-opacity=\"0\"/><stop offset=\"1\" stop-color=\"{far}\" stop-opacity=\".5\"/></linearGradient>\
         <radialGradient id=\"lamp\"><stop stop-color=\"{near}\" stop-opacity=\".65\"/><stop offset=\"1\" stop-color=\"{near}\" stop-opacity=\"0\"/></radialGradient>\
         <linearGradient id=\"foot\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\"><stop stop-color=\"{ground_low}\" stop-opacity=\"0\"/>\
         <stop offset=\".45\" stop-color=\"{ground_low}\"/></linearGradient></defs>\
         <circle cx=\"470\" cy=\"300\" r=\"360\" fill=\"url(#lamp)\"/>\
         <g transform=\"translate(-60 540) rotate(-17)\"><rect x=\"-20\" y=\"-34\" width=\"860\" height=\"30\" fill=\"{accent}\"/>\
         <rect x=\"-20\" y=\"-8\" width=\"860\" height=\"14\" fill=\"#17171b\"/>"
    );
    for key in 0..13_u32 {
        let x = f64::from(key) * 58.0;
        let _ = write!(
            svg,
            "<rect x=\"{x}\" y=\"4\" width=\"55\" height=\"290\" rx=\"5\" fill=\"url(#ivory)\"/>"
        );
    }
    for key in 0..13_u32 {
        if !matches!(key % 7, 2 | 6) {
            let x = f64::from(key) * 58.0 + 38.0;
            let _ = write!(
                svg,
                "<rect x=\"{x}\" y=\"4\" width=\"36\" height=\"178\" rx=\"4\" fill=\"url(#ebony)\"/>\
                 <rect x=\"{}\" y=\"8\" width=\"5\" height=\"156\" rx=\"2\" fill=\"#fff\" opacity=\".22\"/>",
                x + 5.0,
            );
        }
    }
    svg.push_str(
        "<rect x=\"-20\" y=\"4\" width=\"860\" height=\"300\" fill=\"url(#dim)\"/></g>\
         <rect y=\"540\" width=\"600\" height=\"260\" fill=\"url(#foot)\"/>",
    );
    svg
}

/// Lines between two curves, which look like silk in the light.
pub(super) fn ribbon(palette: &Palette, dice: &mut Dice) -> String {
    let Palette { far, near, accent, .. } = palette;
    let mut svg = format!(
        "<defs><linearGradient id=\"silk\"><stop stop-color=\"{far}\"/><stop offset=\".5\" stop-color=\"{near}\"/>\
         <stop offset=\"1\" stop-color=\"{accent}\"/></linearGradient></defs><g fill=\"none\" stroke=\"url(#silk)\" stroke-width=\"1.6\">"
    );
    let mut curve = || -> Vec<f64> {
        [(60.0, 420.0), (-60.0, 240.0), (300.0, 620.0), (-40.0, 260.0), (120.0, 480.0)]
            .iter()
            .map(|(low, high)| dice.between(*low, *high))
            .collect()
    };
    let (one, other) = (curve(), curve());
    for thread in 0..46_u32 {
        let t = f64::from(thread) / 45.0;
        let at = |place: usize| one[place] + (other[place] - one[place]) * t;
        let swing = (t - 0.5) * 120.0;
        let _ = write!(
            svg,
            "<path d=\"M-30 {:.0}C{:.0} {:.0} {:.0} {:.0} 330 {:.0}S{:.0} {:.0} 640 {:.0}\" opacity=\"{:.2}\"/>",
            at(0),
            110.0 + swing,
            at(1),
            200.0 - swing,
            at(2),
            at(4) * 0.55 + 120.0,
            480.0 + swing,
            at(3) - 40.0,
            at(4) - 60.0,
            0.35 + 0.6 * (t * std::f64::consts::PI).sin(),
        );
    }
    svg.push_str("</g>");
    svg
}

/// Three rings of petals around a centre.
pub(super) fn bloom(palette: &Palette, dice: &mut Dice) -> String {
    let Palette { far, near, accent, .. } = palette;
    let turn = dice.between(0.0, 30.0);
    let mut svg = format!(
        "<defs><linearGradient id=\"petal\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\"><stop stop-color=\"{near}\"/>\
         <stop offset=\"1\" stop-color=\"{far}\" stop-opacity=\".55\"/></linearGradient>\
         <path id=\"p\" d=\"M0 0C-74 -70 -62 -190 0 -226C62 -190 74 -70 0 0z\" fill=\"url(#petal)\" opacity=\".62\"/></defs>\
         <g transform=\"translate(300 274) scale(.84) rotate({turn:.0})\">"
    );
    for (ring, scale) in [(0_u32, 1.0), (1, 0.74), (2, 0.48)] {
        for petal in 0..10_u32 {
            let _ = write!(
                svg,
                "<use href=\"#p\" transform=\"rotate({}) scale({scale})\"/>",
                petal * 36 + ring * 18
            );
        }
    }
    let _ = write!(svg, "<circle r=\"30\" fill=\"{accent}\"/><g fill=\"{far}\">");
    for seed in 0..12_u32 {
        let _ = write!(svg, "<circle cy=\"-43\" r=\"4.5\" transform=\"rotate({})\"/>", seed * 30);
    }
    svg.push_str("</g></g>");
    svg
}
