//! The browser clients. One lists events, books tickets and shows reservations. The other is for
//! administrators. Both use only the REST API. One crate builds both, so that they share their common code
//! and each loads only what it needs.
#![allow(unreachable_pub, reason = "the component macro writes `pub`")]

mod admin;
mod api;
mod app;
mod availability_feed;
mod booking;
mod browser;
mod clock;
mod components;
mod countdown;
mod format;
mod home_query;
mod i18n;
mod ics;
mod load;
mod operations;
mod pages;
mod problem_text;
mod qr;
mod sale;
mod session;
mod sign_in;
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

/// Removes the splash screen that the page has shown so far.
fn lift_splash() {
    if let Some(splash) = document().get_element_by_id("splash") {
        splash.remove();
    }
}
