//! What the inventory page reads: ledger and store, side by side.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use neticket_domain::{EventId, SearchWords, TicketTypeId};
use neticket_store::{EventFilter, EventRecord};

use super::inspector::{INSPECTIONS_CONCURRENT_MAX, Inspected, Inspection};
use super::{InventoryTicketTypeView, InventoryView};
use crate::App;
use crate::error::AppError;
use crate::events::event_status;
use crate::views::PageView;

/// The time limit for all inspections of a page together.
const INSPECTIONS_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest journal, in entries, that an inspection reads. Only a rush makes a journal longer than this, and
/// then the event is not at rest, so that an inspection could not conclude anything.
pub(super) const JOURNAL_LEN_MAX: u64 = 1_000;
/// Most ledgers that are inspected to find those that differ from the store.
const DRIFT_INSPECTIONS_MAX: usize = 1_000;

impl App {
    /// A page of events, in the order of the administrators' list. Each has what its ledger and the store
    /// say. With `drifted`, the page has only events whose ledger differs from the store. It then inspects at
    /// most 1,000 loaded events, those with the lowest ids.
    ///
    /// # Errors
    /// `LedgerUnavailable`; `StoreUnavailable`; `Overloaded` if the inspections take longer than 5 s.
    pub async fn inventory_page(
        &self,
        query: &str,
        drifted: bool,
        page: u32,
        size: u32,
    ) -> Result<PageView<InventoryView>, AppError> {
        let words = SearchWords::parse(query);
        if drifted {
            return self.drifted_page(&words, page, size).await;
        }
        let filter = EventFilter { words, status: None, include_past: true };
        let (summaries, total_items) = self.store.events_page(&filter, self.now(), page, size).await?;
        let ids: Vec<EventId> = summaries.iter().map(|summary| summary.id).collect();
        let records = self.store.events(&ids).await?;
        let items = self.inspect_all(&records).await?;
        Ok(PageView { items: items.into_iter().map(|(view, _)| view).collect(), total_items })
    }

    async fn drifted_page(
        &self,
        words: &SearchWords,
        page: u32,
        size: u32,
    ) -> Result<PageView<InventoryView>, AppError> {
        let mut loaded = self.ledger.loaded().await?.events;
        loaded.sort_unstable();
        loaded.truncate(DRIFT_INSPECTIONS_MAX);
        let mut records = self.store.events(&loaded).await?;
        records.retain(|record| {
            let haystack = SearchWords::haystack(&record.title, &record.place);
            words.iter().all(|word| haystack.contains(word))
        });
        records.sort_by_key(|record| (record.starts_at, record.id));
        let inspections = self.inspect_all(&records).await?;
        let differing = inspections
            .into_iter()
            .filter(|(_, inspection)| matches!(inspection, Inspection::Differs { .. }));
        let items: Vec<InventoryView> = differing.map(|(view, _)| view).collect();
        let total_items = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let skipped = usize::try_from(u64::from(page.saturating_sub(1)) * u64::from(size));
        let items = items.into_iter().skip(skipped.unwrap_or(usize::MAX));
        Ok(PageView { items: items.take(usize::try_from(size).unwrap_or(usize::MAX)).collect(), total_items })
    }

    /// What the ledger and the store say about one event now.
    ///
    /// # Errors
    /// `NotFound`, `LedgerUnavailable`, `StoreUnavailable`; `Overloaded` if the inspection takes longer than
    /// 5 s.
    pub async fn inventory_entry(&self, event: EventId) -> Result<InventoryView, AppError> {
        let inspected = in_time(self.inspect(event)).await?;
        let record = self.store.event(event).await?.ok_or(AppError::NotFound)?;
        Ok(self.inventory_view(&record, &inspected))
    }

    /// Inspects each event once. Leaves out an event that was deleted meanwhile.
    async fn inspect_all(
        &self,
        records: &[EventRecord],
    ) -> Result<Vec<(InventoryView, Inspection)>, AppError> {
        let inspections = records.iter().map(|record| async move {
            match self.inspect(record.id).await {
                Ok(inspected) => Ok(Some((self.inventory_view(record, &inspected), inspected.inspection))),
                Err(AppError::NotFound) => Ok(None),
                Err(error) => Err(error),
            }
        });
        let inspected: Vec<_> =
            in_time(stream::iter(inspections).buffered(INSPECTIONS_CONCURRENT_MAX).try_collect::<Vec<_>>())
                .await?;
        Ok(inspected.into_iter().flatten().collect())
    }

    /// Runs one inspection in its own task to the end, even if the caller stops waiting: an inspection that
    /// is cancelled half-way costs the store a connection.
    async fn inspect(&self, event: EventId) -> Result<Inspected, AppError> {
        let inspector = Arc::clone(&self.inspector);
        let inspecting = tokio::spawn(async move { inspector.inspect(event, JOURNAL_LEN_MAX).await });
        inspecting.await.map_err(|panic| AppError::Internal(panic.to_string()))?
    }

    fn inventory_view(&self, record: &EventRecord, inspected: &Inspected) -> InventoryView {
        let view = inspected.view.as_ref();
        let ticket_types = record.ticket_types.iter().map(|ticket_type| InventoryTicketTypeView {
            id: ticket_type.id,
            name: ticket_type.name.clone(),
            capacity: ticket_type.capacity,
            store_left: stored_left(inspected, ticket_type.id).unwrap_or(ticket_type.left),
            ledger_left: view
                .and_then(|view| view.ticket_types.iter().find(|t| t.id == ticket_type.id))
                .map(|ticket_type| ticket_type.left),
            drift: drift(&inspected.inspection, ticket_type.id),
        });
        InventoryView {
            event: record.id,
            title: record.title.clone(),
            status: event_status(record, view, self.now()),
            paused: view.map_or(record.paused, |view| view.paused),
            epoch: view.map(|view| view.epoch),
            journal_len: view.map_or(0, |view| view.journal_len),
            ticket_types: ticket_types.collect(),
        }
    }
}

/// The seats left in the store, read by the same inspection.
fn stored_left(inspected: &Inspected, ticket_type: TicketTypeId) -> Option<u32> {
    let stored = inspected.stored.as_ref()?.ticket_types.iter().find(|t| t.id == ticket_type)?;
    u32::try_from(stored.left).ok()
}

fn drift(inspection: &Inspection, ticket_type: TicketTypeId) -> i64 {
    let Inspection::Differs { changes, .. } = inspection else { return 0 };
    let change = changes.iter().find(|change| change.ticket_type == ticket_type);
    change.map_or(0, |change| i64::from(change.from) - i64::from(change.to))
}

async fn in_time<T>(inspections: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    tokio::time::timeout(INSPECTIONS_TIMEOUT, inspections).await.unwrap_or(Err(AppError::Overloaded))
}
