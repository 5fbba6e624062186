//! One file per page.

mod event;
mod home;
mod login;
mod me;
mod not_found;
mod profile;
mod reservation;
mod signup;

pub(crate) use event::EventPage;
pub(crate) use home::HomePage;
pub(crate) use login::LoginPage;
pub(crate) use me::MePage;
pub(crate) use not_found::NotFoundPage;
pub(crate) use reservation::ReservationPage;
pub(crate) use signup::SignupPage;
