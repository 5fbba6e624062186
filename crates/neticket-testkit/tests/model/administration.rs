//! The actions of administrators (`neticket-app`'s `events/admin.rs` and `inventory/actions.rs`),
//! call by call, like the protocol.

use neticket_testkit::domain::Epoch;
use neticket_testkit::store::{
    CommitRequest, EditOutcome, EpochRaiseOutcome, EventEdit, EventRecord, PauseOutcome,
};

use crate::calls::{Answer, Call, CallFailed};
use crate::protocol::{ATTEMPTS_MAX, Node};
use crate::shared::to_commit_request;

/// The highest capacity that administrators give a ticket type.
const CAPACITY_MAX: u32 = 6;

impl Node {
    /// Raises or lowers the capacity of a ticket type by one seat.
    pub(crate) async fn change_capacity(self, ticket_type: usize, more: bool) {
        if self.await_read().await.is_err() {
            return;
        }
        let before = self.shared.backends.store.event(self.shared.event).await.unwrap().unwrap();
        let Some(edit) = with_seats(&before, ticket_type % before.ticket_types.len(), more) else { return };
        let journal = if more { Ok(Vec::new()) } else { self.journal_of().await };
        let Ok(journal) = journal else { return };
        let edited = self.send(Call::Edit(Box::new(edit), journal)).await;
        if let Ok(Answer::Edit(EditOutcome::Edited { epoch: Some(epoch), .. })) = edited {
            let _ = self.load(epoch).await;
        }
    }

    /// The bookings in flight, as far as the ledger knows them.
    async fn journal_of(&self) -> Result<Vec<CommitRequest>, CallFailed> {
        let event = self.shared.event;
        for _ in 0..ATTEMPTS_MAX {
            self.await_read().await?;
            if let Some(state) = self.shared.backends.ledger.examine(event).await.unwrap() {
                let entries = state.journal.iter();
                return Ok(entries
                    .map(|e| to_commit_request(event, &e.request, e.admission, e.epoch))
                    .collect());
            }
            if self.begin_load().await?.current_epoch == Epoch(0) {
                return Ok(Vec::new());
            }
            self.load(Epoch(0)).await?;
        }
        Err(CallFailed)
    }

    pub(crate) async fn load_ledger(self) {
        let Ok(start) = self.begin_load().await else { return };
        let raised = self.send(Call::RaiseEpoch { current_epoch: start.current_epoch }).await;
        if let Ok(Answer::EpochRaised(EpochRaiseOutcome::Raised { epoch })) = raised {
            let _ = self.load(epoch).await;
        }
    }

    pub(crate) async fn set_paused(self, paused: bool) {
        let answer = self.send(Call::Pause(paused)).await;
        if let Ok(Answer::Pause(PauseOutcome::Changed { epoch } | PauseOutcome::Already { epoch })) = answer {
            let _ = self.load(epoch).await;
        }
    }
}

/// The event with one seat more, or one fewer, of a ticket type; `None` if the capacity would be 0, or higher
/// than the end of a history can sell out.
fn with_seats(event: &EventRecord, ticket_type: usize, more: bool) -> Option<EventEdit> {
    let mut edit = EventEdit::of(event);
    let capacity = &mut edit.ticket_types[ticket_type].capacity;
    *capacity = if more { *capacity + 1 } else { *capacity - 1 };
    (1..=CAPACITY_MAX).contains(capacity).then_some(edit)
}
