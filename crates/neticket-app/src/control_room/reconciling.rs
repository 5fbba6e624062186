//! Reconciling by hand: the dry run says what differs, and applying it does that and nothing else.

use neticket_domain::{Epoch, EventId};
use serde_json::{Value, json};

use super::inventory::JOURNAL_LEN_MAX;
use crate::App;
use crate::error::AppError;
use crate::reconcile::{Look, SeatChange};
use crate::views::Principal;

/// What is wanted of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reconcile {
    /// To be told what differs.
    DryRun,
    /// To have it repaired.
    Apply,
    /// To have it repaired if it is still what one of these fingerprints was told with.
    ApplyOnly(Vec<String>),
}

/// What came of comparing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// Whether the ledger was loaded anew, because it differed or was outdated.
    pub applied: bool,
    /// What differed; empty: nothing.
    pub changes: Vec<SeatChange>,
    /// Of what was seen: the ledger's epoch, and what differed.
    pub fingerprint: String,
}

impl App {
    /// Compares the event's ledger with the store and, if that is wanted, loads it anew if they differ. Never says that they
    /// differ because something was on its way.
    ///
    /// # Errors
    /// `NotFound`. `LedgerNotLoaded`; `LedgerBusy`: there was no moment of rest to compare in, or it has been loaded anew
    /// meanwhile; `EditConflict`: it is another difference than the one that was to be repaired; then nothing was changed.
    /// `LedgerUnavailable` and `StoreUnavailable`: the ledger may have been loaded anew, or will be.
    pub async fn ledger_reconcile(
        &self,
        by: Principal,
        from_ip: Option<String>,
        event: EventId,
        wanted: &Reconcile,
    ) -> Result<Reconciliation, AppError> {
        let record = self.store.event(event).await?.ok_or(AppError::NotFound)?;
        if self.ledger.view(event).await?.is_some_and(|view| view.pending > JOURNAL_LEN_MAX) {
            return Err(AppError::LedgerBusy); // it will not rest soon enough to be worth reading
        }
        let look = self.reconciler.look(event).await?;
        let (epoch, changes, is_outdated) = match look {
            Look::Absent => return Err(AppError::LedgerNotLoaded),
            Look::Busy => return Err(AppError::LedgerBusy),
            Look::Consistent { epoch } => (epoch, Vec::new(), false),
            Look::Differs { epoch, changes } => (epoch, changes, false),
            // It will be replaced in a moment, and there is nothing to tell of it.
            Look::Outdated { .. } if *wanted == Reconcile::DryRun => return Err(AppError::LedgerBusy),
            Look::Outdated { epoch_min } => (epoch_min, Vec::new(), true),
        };
        let fingerprint = fingerprint(epoch, &changes);
        if let Reconcile::ApplyOnly(told) = wanted
            && (is_outdated || !told.contains(&fingerprint))
        {
            return Err(AppError::EditConflict);
        }
        if *wanted == Reconcile::DryRun || (changes.is_empty() && !is_outdated) {
            return Ok(Reconciliation { applied: false, changes, fingerprint });
        }
        let mut entry = self.entry(by, from_ip, "ledger_reconcile", &record);
        entry.before = Some(told(epoch, &changes, |change| change.from));
        entry.after = Some(told(epoch, &changes, |change| change.to));
        // A difference is repaired only while it is that very ledger's: whoever was quicker has done it already.
        let expected = (!is_outdated).then_some(epoch);
        let epoch_min = self.outdate(event, epoch, expected, entry).await?;
        self.loader.load(event, epoch_min).await?;
        if !changes.is_empty() {
            tracing::warn!(%event, %epoch, ?changes, "an administrator had a ledger that differs from the store made anew");
            self.metrics.repaired();
        }
        Ok(Reconciliation { applied: true, changes, fingerprint })
    }
}

fn fingerprint(epoch: Epoch, changes: &[SeatChange]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&epoch.0.to_be_bytes());
    for SeatChange { ticket_type, from, to } in changes {
        hasher.update(&ticket_type.0.to_be_bytes()).update(&from.to_be_bytes()).update(&to.to_be_bytes());
    }
    hex::encode(&hasher.finalize().as_bytes()[..16])
}

/// The seats of the grades that differ, for the audit log; of an outdated ledger, the epoch.
fn told(epoch: Epoch, changes: &[SeatChange], seats: impl Fn(&SeatChange) -> u32) -> Value {
    let left: Vec<Value> = changes
        .iter()
        .map(|change| json!({"ticket_type_id": change.ticket_type.0, "left": seats(change)}))
        .collect();
    json!({"epoch": epoch.0, "left": left})
}

#[cfg(test)]
mod tests {
    use neticket_domain::TicketTypeId;

    use super::*;

    #[test]
    fn a_fingerprint_is_of_the_epoch_and_of_every_number() {
        let change = |ticket_type, from, to| SeatChange { ticket_type: TicketTypeId(ticket_type), from, to };
        let all = [
            fingerprint(Epoch(1), &[]),
            fingerprint(Epoch(2), &[]),
            fingerprint(Epoch(1), &[change(1, 2, 3)]),
            fingerprint(Epoch(1), &[change(2, 2, 3)]),
            fingerprint(Epoch(1), &[change(1, 3, 3)]),
            fingerprint(Epoch(1), &[change(1, 2, 4)]),
            fingerprint(Epoch(1), &[change(1, 2, 3), change(2, 2, 3)]),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| other != one), "{at}");
        }
    }
}
