//! The reference model: what users were told, and what the store must therefore contain. It knows nothing of
//! ledgers, epochs and batches.

use std::collections::{BTreeMap, BTreeSet};

use neticket_testkit::domain::{ReservationId, UserId};
use neticket_testkit::ledger::AdmitRequest;
use neticket_testkit::store::{ReservationRecord, ReservationStatus};

/// What a user is told about a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BookingAnswer {
    /// 201: it is in the store.
    Confirmed,
    /// 202: its seats are taken, and the store will decide.
    Pending,
    /// It will not be booked.
    Refused,
    /// The key was used for something else before.
    OtherContent,
    /// 503: the outcome is unknown; the user has to ask again.
    Unknown,
}

#[derive(Default)]
pub(crate) struct Reference {
    /// Every request that was ever made, by id.
    pub(crate) asked: BTreeMap<ReservationId, Vec<AdmitRequest>>,
    /// How many requests are in progress for an id.
    under_way: BTreeMap<ReservationId, usize>,
    confirmed: BTreeSet<ReservationId>,
    pending: BTreeSet<ReservationId>,
    refused: BTreeSet<ReservationId>,
    cancel_asked: BTreeSet<ReservationId>,
    cancelled: BTreeSet<ReservationId>,
    /// The store has these ids as bookings of another event, so they can never become bookings of this one.
    elsewhere: BTreeSet<ReservationId>,
    /// Entries that a load dropped. The node that loads records them as rejected.
    dropped: BTreeSet<ReservationId>,
    /// Whether a node may have failed to do so, because it died or lost an answer.
    troubled: bool,
}

impl Reference {
    pub(crate) fn ask(&mut self, request: AdmitRequest) {
        self.asked.entry(request.id).or_default().push(request);
        *self.under_way.entry(request.id).or_default() += 1;
        // A user who asks again may get the booking after all.
        self.refused.remove(&request.id);
    }

    /// The request has ended, or was dropped.
    pub(crate) fn end(&mut self, id: ReservationId) {
        *self.under_way.entry(id).or_default() -= 1;
    }

    /// `may_come`: an earlier request for the same id may still reach the ledger.
    pub(crate) fn tell(&mut self, id: ReservationId, answer: BookingAnswer, may_come: bool) {
        let alone = !may_come && self.under_way.get(&id) == Some(&1);
        match answer {
            BookingAnswer::Confirmed => drop(self.confirmed.insert(id)),
            BookingAnswer::Pending => drop(self.pending.insert(id)),
            BookingAnswer::Refused if alone => drop(self.refused.insert(id)),
            BookingAnswer::Refused | BookingAnswer::OtherContent | BookingAnswer::Unknown => {}
        }
    }

    pub(crate) fn book_elsewhere(&mut self, id: ReservationId) {
        self.elsewhere.insert(id);
    }

    pub(crate) fn ask_to_cancel(&mut self, id: ReservationId) {
        self.cancel_asked.insert(id);
    }

    pub(crate) fn tell_cancelled(&mut self, id: ReservationId) {
        self.cancelled.insert(id);
    }

    /// A 202 rests on the journal alone, so it promises nothing after this.
    pub(crate) fn ledger_lost(&mut self) {
        self.pending.clear();
    }

    pub(crate) fn dropped(&mut self, ids: impl Iterator<Item = ReservationId>) {
        self.dropped.extend(ids);
    }

    pub(crate) fn trouble(&mut self) {
        self.troubled = true;
    }

    /// The one exception to the rule that a refusal is final (`load.lua`): a server that restarts from an old
    /// file may bring back an entry that was refused since.
    pub(crate) fn journal_restored(&mut self, ids: &[ReservationId]) {
        self.pending.clear();
        self.refused.retain(|id| !ids.contains(id));
    }

    /// What must hold after every transaction.
    pub(crate) fn check(
        &self,
        stored: &BTreeMap<ReservationId, ReservationRecord>,
        max_per_user: u32,
    ) -> Result<(), String> {
        let mut held: BTreeMap<UserId, u32> = BTreeMap::new();
        for record in stored.values() {
            let content = (record.user, record.ticket_type, record.quantity);
            let wanted = |asked: &AdmitRequest| (asked.user, asked.ticket_type, asked.quantity) == content;
            if !self.asked.get(&record.id).is_some_and(|asked| asked.iter().any(wanted)) {
                return Err(format!("no request asked for {record:?}"));
            }
            match record.status {
                ReservationStatus::Confirmed => {
                    *held.entry(record.user).or_default() += record.quantity.get();
                    if self.cancelled.contains(&record.id) {
                        return Err(format!("answered as cancelled, but confirmed: {record:?}"));
                    }
                    if self.refused.contains(&record.id) {
                        return Err(format!("answered as refused, but booked: {record:?}"));
                    }
                }
                ReservationStatus::Cancelled if !self.cancel_asked.contains(&record.id) => {
                    return Err(format!("cancelled without a cancel request: {record:?}"));
                }
                ReservationStatus::Cancelled | ReservationStatus::Rejected => {}
            }
        }
        if let Some((user, held)) = held.iter().find(|(_, held)| **held > max_per_user) {
            return Err(format!("user {user} holds {held}, more than {max_per_user}"));
        }
        let is_booked =
            |id| stored.get(id).is_some_and(|record| record.status != ReservationStatus::Rejected);
        match self.confirmed.iter().find(|id| !is_booked(id)) {
            Some(id) => Err(format!("answered that {id} is confirmed, but the store does not have it")),
            None => Ok(()),
        }
    }

    /// What must hold when nothing is in progress any more.
    pub(crate) fn check_at_rest(
        &self,
        stored: &BTreeMap<ReservationId, ReservationRecord>,
    ) -> Result<(), String> {
        if let Some((id, _)) = self.under_way.iter().find(|(_, requests)| **requests > 0) {
            return Err(format!("the test has lost a request for {id}"));
        }
        // The one case that docs/decisions/0013 leaves open.
        let may_be_unrecorded = |id| self.troubled && self.dropped.contains(id);
        // A user has used the key for two events at once, and the other event was first.
        let is_decided = |id| stored.contains_key(id) || self.elsewhere.contains(id);
        match self.pending.iter().find(|id| !is_decided(*id) && !may_be_unrecorded(id)) {
            Some(id) => Err(format!("answered that {id} is pending, but the store has never decided it")),
            None => Ok(()),
        }
    }
}
