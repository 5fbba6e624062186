//! Reconciling on request. A dry run reports what differs; applying repairs that difference and nothing else.

use neticket_domain::{Epoch, EventId};
use serde_json::{Value, json};

use super::inspector::{Inspection, SeatChange};
use super::list::JOURNAL_LEN_MAX;
use crate::App;
use crate::error::AppError;
use crate::views::Principal;

/// What a comparison is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reconcile {
    /// Report what differs.
    DryRun,
    /// Repair what differs.
    Apply,
    /// Repair the difference if its fingerprint is one of these, which an earlier run has reported.
    ApplyOnly(Vec<String>),
}

/// The result of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// Whether the ledger was loaded anew, because it differed from the store or was stale.
    pub applied: bool,
    /// What differed. Empty if nothing did.
    pub changes: Vec<SeatChange>,
    /// Hash of the ledger's epoch and of every difference.
    pub fingerprint: String,
}

impl App {
    /// Compares the event's ledger with the store and, unless it is a dry run, loads it anew if they differ.
    /// Bookings that are in flight are never reported as a difference.
    ///
    /// # Errors
    /// `NotFound`; `LedgerNotLoaded`; `LedgerBusy`: the ledger was never at rest while it was compared, or
    /// has been loaded anew meanwhile, or is about to be replaced because it is stale (dry run only);
    /// `EditConflict`: the difference is not the one that was to be repaired. Nothing was changed then.
    /// `LedgerUnavailable` and `StoreUnavailable`: the ledger may have been loaded anew, or will be.
    pub async fn ledger_reconcile(
        &self,
        by: Principal,
        from_ip: Option<String>,
        event: EventId,
        wanted: &Reconcile,
    ) -> Result<Reconciliation, AppError> {
        let record = self.store.event(event).await?.ok_or(AppError::NotFound)?;
        if self.ledger.view(event).await?.is_some_and(|view| view.journal_len > JOURNAL_LEN_MAX) {
            return Err(AppError::LedgerBusy); // so long a journal will not be at rest soon enough
        }
        let inspection = self.inspector.inspect_until_at_rest(event).await?;
        let (epoch, changes, is_stale) = match inspection {
            Inspection::Absent => return Err(AppError::LedgerNotLoaded),
            Inspection::Busy => return Err(AppError::LedgerBusy),
            Inspection::Consistent { epoch } => (epoch, Vec::new(), false),
            Inspection::Differs { epoch, changes } => (epoch, changes, false),
            // A stale ledger will be replaced in a moment, and there are no differences to report.
            Inspection::Stale { .. } if *wanted == Reconcile::DryRun => return Err(AppError::LedgerBusy),
            Inspection::Stale { epoch_min } => (epoch_min, Vec::new(), true),
        };
        let fingerprint = fingerprint(epoch, &changes);
        if let Reconcile::ApplyOnly(fingerprints) = wanted
            && (is_stale || !fingerprints.contains(&fingerprint))
        {
            return Err(AppError::EditConflict);
        }
        if *wanted == Reconcile::DryRun || (changes.is_empty() && !is_stale) {
            return Ok(Reconciliation { applied: false, changes, fingerprint });
        }
        let mut entry = self.entry(by, from_ip, "ledger_reconcile", &record);
        entry.before = Some(audit_value(epoch, &changes, |change| change.from));
        entry.after = Some(audit_value(epoch, &changes, |change| change.to));
        // A difference is repaired only while the ledger is still of the compared epoch. If it is not,
        // another caller has loaded the ledger anew already.
        let expected = (!is_stale).then_some(epoch);
        let epoch_min = self.raise_epoch(event, epoch, expected, entry).await?;
        self.loader.load(event, epoch_min).await?;
        if !changes.is_empty() {
            tracing::warn!(%event, %epoch, ?changes, "an administrator reloaded a ledger that differed from the store");
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

/// The value for the audit log: the epoch, and the seats of the ticket types that differ. A stale ledger has
/// only the epoch.
fn audit_value(epoch: Epoch, changes: &[SeatChange], seats: impl Fn(&SeatChange) -> u32) -> Value {
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
    fn a_fingerprint_depends_on_the_epoch_and_on_every_number() {
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
