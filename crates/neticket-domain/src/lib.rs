//! The terms and rules of NETicket. Pure: no I/O, no clock, no async. The server and the browser share this
//! crate.

mod account;
mod event;
mod ids;
mod quantity;
mod schedule;
mod search;
mod timestamp;

pub use account::{
    EMAIL_LEN_MAX, Email, FieldError, NICKNAME_LEN_MAX, NICKNAME_LEN_MIN, Nickname, PASSWORD_LEN_MAX,
    PASSWORD_LEN_MIN, Password, Role,
};
pub use event::{EventStatus, SaleState, SaleWindow, cancellable};
pub use ids::{Epoch, EventId, ReservationId, TicketTypeId, UserId};
pub use quantity::{MAX_PER_USER_DEFAULT, QUANTITY_MAX, Quantity};
pub use schedule::{Schedule, ScheduleFault};
pub use search::{SEARCH_LEN_MAX, SEARCH_WORDS_MAX, SearchWords};
pub use timestamp::Timestamp;
