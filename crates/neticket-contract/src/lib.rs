//! The contract of the REST API, version 1: request and response types, and the table of problem codes.
//!
//! The server, the browser client and other clients use these types. They contain no logic but validation.

mod account;
mod admin;
mod event;
mod page;
mod problem;
mod reservation;
mod rules;

pub use account::{LoginRequest, PasswordChangeRequest, ProfileUpdateRequest, SignupRequest, Token, User};
pub use admin::{
    AdminEvent, AdminEventListQuery, AuditActor, AuditEntry, EventCreateRequest, EventUpdateRequest,
    IMAGE_BYTES_MAX, IMAGE_PIXELS_MAX, InventoryEntry, InventoryLedger, InventoryListQuery,
    InventoryTicketType, ProblemCount, ReconcileQuery, Reconciliation, SeatChange, Stats,
    TicketTypeCreateRequest, TicketTypeUpdateRequest, UploadedImage,
};
pub use event::{
    Availability, CURRENCY, EventDetail, EventListQuery, EventQuery, EventSummary, TicketType, TicketTypeLeft,
};
pub use page::{PAGE_SIZE_MAX, Page, PageQuery};
pub use problem::{FieldProblem, PROBLEM_CONTENT_TYPE, Problem, ProblemCode};
pub use reservation::{
    Reservation, ReservationCreateRequest, ReservationEvent, ReservationStatus, ReservationTicketType,
};
