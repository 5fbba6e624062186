//! The browser clients: one lists events, books tickets and shows bookings, the other is for administrators. Both speak
//! to the REST API only, and are built from here, so that they share what they have in common and load nothing else.
#![allow(unreachable_pub, reason = "the component macro writes `pub`")]

mod admin;
mod api;
mod app;
mod booking;
mod clock;
mod components;
mod countdown;
mod format;
mod i18n;
mod ics;
mod js;
mod live;
mod load;
mod pages;
mod problem_text;
mod qr;
mod sale;
mod session;
mod storage;
mod theme;
mod title;

use leptos::prelude::*;

/// The client for everyone: `index.html`.
pub fn client() {
    lift_splash();
    mount_to_body(app::App);
}

/// The client for administrators: `admin.html`.
pub fn admin() {
    lift_splash();
    mount_to_body(admin::AdminApp);
}

/// What the page shows until now.
fn lift_splash() {
    if let Some(splash) = document().get_element_by_id("splash") {
        splash.remove();
    }
}
