//! Why a use case failed: one error type for the whole application, without HTTP terms. The API maps each
//! error to a response.

use neticket_domain::{ScheduleFault, Timestamp};
use neticket_ledger::LedgerError;
use neticket_media::{MediaError, PrepareError, Refused};
use neticket_store::StoreError;

/// Why a use case failed: a refusal or a fault.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// There is no access token, or it is invalid or expired.
    #[error("not signed in")]
    Unauthenticated,
    #[error("unknown e-mail or wrong password")]
    BadCredentials,
    /// It does not exist, or it belongs to another user.
    #[error("not found")]
    NotFound,
    #[error("only {left} seats are left")]
    SoldOut { left: u32 },
    #[error("the user holds {already_held} tickets of at most {max_per_user}")]
    PurchaseLimitExceeded { max_per_user: u32, already_held: u32 },
    #[error("the sale opens at {opens_at}")]
    SaleNotOpen { opens_at: Timestamp, server_time: Timestamp },
    #[error("the sale is closed")]
    SaleClosed,
    #[error("the sale is paused")]
    SalePaused,
    /// The price differs from the price in the request. No seats were taken.
    #[error("the price is now {unit_price}")]
    PriceChanged { unit_price: u64 },
    #[error("the event started at {starts_at}")]
    NotCancellable { starts_at: Timestamp },
    #[error("the event is cancelled")]
    EventCancelled,
    /// The new capacity of a ticket type is lower than the number of seats that are sold or pending.
    #[error("{sold} tickets of this ticket type are sold or pending")]
    CapacityBelowSold { sold: u32 },
    /// The event, or a ticket type that the request removes, has reservations.
    #[error("the event or the ticket type has reservations")]
    EventHasReservations,
    /// Somebody has changed it since the caller read it.
    #[error("the event was changed after it was read")]
    EditConflict,
    /// Reservations are pending, or the ledger is changing. Nothing was changed.
    #[error("the ledger is changing or has pending bookings")]
    LedgerBusy,
    #[error("the ledger is not loaded")]
    LedgerNotLoaded,
    #[error("the e-mail address is taken")]
    EmailTaken,
    #[error("the nickname is taken")]
    NicknameTaken,
    #[error("the idempotency key was used for another booking")]
    IdempotencyKeyReused,
    /// All fields whose values are invalid.
    #[error("{} fields are invalid", .0.len())]
    Invalid(Vec<InvalidField>),
    /// The file is not of an accepted image type.
    #[error("the image type is not supported")]
    UnsupportedImage,
    /// A queue is full, or the deadline has passed. A booking may have been admitted: repeat it with the same
    /// key.
    #[error("a queue is full or the deadline has passed")]
    Overloaded,
    /// The ledger did not answer. A booking may have been admitted: repeat it with the same key.
    #[error("the ledger is unavailable")]
    LedgerUnavailable(#[source] Option<LedgerError>),
    /// The store did not answer. A booking may have been admitted: repeat it with the same key.
    #[error("the store is unavailable")]
    StoreUnavailable(#[source] Option<StoreError>),
    /// The image storage did not answer. An image is stored completely or not at all.
    #[error("the image storage is unavailable")]
    ImageStoreUnavailable(#[source] Option<MediaError>),
    /// A bug, or a state that should not occur.
    #[error("internal error: {0}")]
    Internal(String),
}

impl AppError {
    /// A copy for another caller that gets the same answer. The copy has no `source`.
    pub(crate) fn without_source(&self) -> Self {
        match self {
            Self::NotFound => Self::NotFound,
            Self::SaleClosed => Self::SaleClosed,
            Self::Overloaded => Self::Overloaded,
            Self::SaleNotOpen { opens_at, server_time } => {
                Self::SaleNotOpen { opens_at: *opens_at, server_time: *server_time }
            }
            Self::LedgerUnavailable(_) => Self::LedgerUnavailable(None),
            Self::StoreUnavailable(_) => Self::StoreUnavailable(None),
            Self::ImageStoreUnavailable(_) => Self::ImageStoreUnavailable(None),
            other => Self::Internal(other.with_cause()),
        }
    }

    /// Whether it is a refusal and not a fault.
    pub(crate) fn is_refusal(&self) -> bool {
        !matches!(
            self,
            Self::LedgerUnavailable(_)
                | Self::StoreUnavailable(_)
                | Self::ImageStoreUnavailable(_)
                | Self::Internal(_)
        )
    }

    /// The error and all its causes, for a log.
    pub fn with_cause(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        text
    }
}

/// Why the value of one field is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    pub field: String,
    pub code: &'static str,
    pub message: String,
    /// Other fields on whose values this error depends. If one of them could not be parsed, it is not known
    /// whether this field is invalid.
    pub because_of: &'static [&'static str],
}

impl InvalidField {
    pub(crate) fn new(field: &str, code: &'static str, message: &str) -> Self {
        Self { field: field.to_owned(), code, message: message.to_owned(), because_of: &[] }
    }
}

impl From<ScheduleFault> for InvalidField {
    fn from(fault: ScheduleFault) -> Self {
        let because_of = fault.because_of;
        Self { because_of, ..Self::new(fault.field, fault.error.code, fault.error.message) }
    }
}

impl From<LedgerError> for AppError {
    fn from(error: LedgerError) -> Self {
        Self::LedgerUnavailable(Some(error))
    }
}

impl From<MediaError> for AppError {
    fn from(error: MediaError) -> Self {
        Self::ImageStoreUnavailable(Some(error))
    }
}

impl From<PrepareError> for AppError {
    fn from(error: PrepareError) -> Self {
        let invalid = |code, message| Self::Invalid(vec![InvalidField::new("file", code, message)]);
        match error {
            PrepareError::Busy => Self::Overloaded,
            PrepareError::Refused(Refused::UnsupportedType) => Self::UnsupportedImage,
            PrepareError::Refused(Refused::Invalid) => invalid("invalid_image", "is damaged or incomplete"),
            PrepareError::Refused(Refused::TooManyPixels) => {
                invalid("too_many_pixels", "must have at most 50 megapixels")
            }
        }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Internal(cause) => {
                Self::Internal(format!("unexpected answer from the store: {cause}"))
            }
            StoreError::Unavailable(_) => Self::StoreUnavailable(Some(error)),
        }
    }
}
