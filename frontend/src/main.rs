//! The browser client: lists events, books tickets and shows bookings, through the REST API only.
#![allow(unreachable_pub, reason = "the component macro writes `pub`")]

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

fn main() {
    // What `index.html` shows until now.
    if let Some(splash) = document().get_element_by_id("splash") {
        splash.remove();
    }
    mount_to_body(app::App);
}
