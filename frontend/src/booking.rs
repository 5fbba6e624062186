//! Booking: one press is one booking, however bad the network is and however long the queue.

mod attempt;
mod prices;
mod retry;
mod run;

pub(crate) use attempt::{Attempt, forget_all};
pub(crate) use prices::{Prices, prices_of};
pub(crate) use retry::WaitReason;
pub(crate) use run::{Booking, Stage};
