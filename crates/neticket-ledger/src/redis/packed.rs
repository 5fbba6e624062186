//! Data of which there is one per reservation, as bytes. The layouts are those of `lua/prelude.lua`, with
//! big-endian numbers.

use neticket_domain::{Epoch, Quantity, ReservationId, TicketTypeId, Timestamp, UserId};
use uuid::Uuid;

use crate::{Admission, AdmitRequest, JournalEntry, Release, SnapshotReservation, SnapshotTicketType};

const ID_LEN: usize = 16;
pub(super) const ENTRY_LEN: usize = 36;
/// An id and its journal entry.
pub(super) const ENTRY_WITH_ID_LEN: usize = ID_LEN + ENTRY_LEN;
/// The price in a request that accepts any price.
const ANY_PRICE: u64 = u64::MAX;
/// The length of the longest item, so that the buffer is allocated once.
const PACKED_LEN_MAX: usize = 44;

/// Packs many items into one argument.
pub(super) fn packed<'a, T: 'a>(
    items: impl IntoIterator<Item = &'a T, IntoIter: ExactSizeIterator>,
    pack: impl Fn(&mut Vec<u8>, &T),
) -> Vec<u8> {
    let items = items.into_iter();
    let mut bytes = Vec::with_capacity(items.len() * PACKED_LEN_MAX);
    items.for_each(|item| pack(&mut bytes, item));
    bytes
}

pub(super) fn id(bytes: &mut Vec<u8>, id: &ReservationId) {
    bytes.extend_from_slice(id.0.as_bytes());
}

pub(super) fn request(bytes: &mut Vec<u8>, request: &AdmitRequest) {
    let AdmitRequest { id: reservation, user, ticket_type, quantity, unit_price } = *request;
    id(bytes, &reservation);
    content(bytes, user, ticket_type, quantity);
    bytes.extend_from_slice(&unit_price.unwrap_or(ANY_PRICE).to_be_bytes());
}

/// The part of a request that its id stands for.
fn content(bytes: &mut Vec<u8>, user: UserId, ticket_type: TicketTypeId, quantity: Quantity) {
    bytes.extend_from_slice(&user.0.to_be_bytes());
    bytes.extend_from_slice(&ticket_type.0.to_be_bytes());
    bytes.extend_from_slice(&quantity.get().to_be_bytes());
}

pub(super) fn release(bytes: &mut Vec<u8>, release: &Release) {
    let Release { id: reservation, user, ticket_type, quantity, epoch } = *release;
    id(bytes, &reservation);
    content(bytes, user, ticket_type, quantity);
    bytes.extend_from_slice(&epoch.0.to_be_bytes());
}

pub(super) fn reservation(bytes: &mut Vec<u8>, reservation: &SnapshotReservation) {
    id(bytes, &reservation.id);
    bytes.extend_from_slice(&reservation.user.0.to_be_bytes());
    bytes.extend_from_slice(&reservation.held.to_be_bytes());
}

pub(super) fn ticket_type(bytes: &mut Vec<u8>, ticket_type: &SnapshotTicketType) {
    bytes.extend_from_slice(&ticket_type.id.0.to_be_bytes());
    bytes.extend_from_slice(&ticket_type.price.to_be_bytes());
    bytes.extend_from_slice(&ticket_type.left.to_be_bytes());
}

/// Reads packed bytes in order. Each method returns `None` if too few bytes are left.
pub(super) struct Unpack<'a>(&'a [u8]);

impl<'a> Unpack<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    pub(super) fn id(&mut self) -> Option<ReservationId> {
        self.take().map(|bytes| ReservationId(Uuid::from_bytes(bytes)))
    }

    /// A journal entry without its id, which the caller knows already.
    pub(super) fn entry(&mut self, id: ReservationId, epoch: Epoch) -> Option<JournalEntry> {
        let request = AdmitRequest {
            id,
            user: UserId(self.i64()?),
            ticket_type: TicketTypeId(self.i64()?),
            quantity: Quantity::new(self.u32()?)?,
            unit_price: None,
        };
        Some(JournalEntry { request, admission: self.admitted_before()?, epoch })
    }

    /// Unit price and time of admission of an entry in the journal.
    pub(super) fn admitted_before(&mut self) -> Option<Admission> {
        let (unit_price, admitted_at) = (self.u64()?, Timestamp::from_millis(self.i64()?));
        Some(Admission { unit_price, admitted_at, repeated: true })
    }
}
