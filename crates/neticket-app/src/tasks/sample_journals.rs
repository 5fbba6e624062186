//! Samples the journals of the loaded events for the metrics, once per interval, however often the metrics
//! are read.

use std::sync::PoisonError;
use std::time::Duration;

use neticket_domain::EventId;

use super::context::TaskContext;
use crate::error::AppError;
use crate::metrics::JournalSample;

/// Most entries that are read to find the oldest one. In a journal that does not make progress, all entries
/// are old.
const ENTRIES_READ_MAX: usize = 100;

/// One run. An event whose journal cannot be read has no metrics until the next run; the others have.
pub(super) async fn run(context: &TaskContext) -> Result<(), AppError> {
    let mut samples = Vec::new();
    let mut outcome = Ok(());
    for event in context.ledger.loaded().await?.events {
        match sample(context, event).await {
            Ok(sample) => samples.extend(sample),
            Err(error) => outcome = Err(error),
        }
    }
    context.stats.set_journal_len(samples.iter().map(|journal| journal.entries).sum());
    let mut last = context.samples.lock().unwrap_or_else(PoisonError::into_inner);
    context.metrics.set_journals(&samples, &last);
    *last = samples;
    outcome
}

async fn sample(context: &TaskContext, event: EventId) -> Result<Option<JournalSample>, AppError> {
    let Some(view) = context.ledger.view(event).await? else { return Ok(None) };
    let oldest = if view.journal_len == 0 {
        None
    } else {
        let entries = context.ledger.journal_older_than(event, 0, ENTRIES_READ_MAX).await?;
        entries.iter().map(|entry| entry.admission.admitted_at).min()
    };
    let age_ms = oldest.map_or(0, |admitted_at| context.clock.now().millis_since(admitted_at));
    let oldest_age = Duration::from_millis(u64::try_from(age_ms).unwrap_or(0));
    Ok(Some(JournalSample { event, entries: view.journal_len, oldest_age }))
}
