//! The protocol of `neticket-app`'s `booking/` and `tasks/`, written again call by call, so that
//! a history can put a step between any two calls. A change there needs the same change here.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use neticket_testkit::domain::{Epoch, ReservationId};
use neticket_testkit::ledger::{
    AdmitAnswer, AdmitRequest, LedgerView, LoadAnswer, LoadStart, Release, Verdict,
};
use neticket_testkit::store::{
    CancelOutcome, CancelRequest, CommitOutcome, CommitRequest, OutboxRecord, ReservationRecord,
    ReservationStatus,
};

use crate::calls::{Answer, Call, CallFailed, Gate, to_snapshot};
use crate::checks;
use crate::history::CallFate;
use crate::reference::BookingAnswer;
use crate::shared::{Admitted, BookingRequest, Shared, Variant, Work, to_commit_request};

pub(crate) const ATTEMPTS_MAX: u32 = 5;

/// A node's connection to the backends, for one piece of work.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) shared: Rc<Shared>,
    pub(crate) gate: Gate,
    pub(crate) name: u8,
}

/// The calls to the backends.
impl Node {
    pub(crate) async fn send(&self, call: Call) -> Result<Answer, CallFailed> {
        let fate = self.gate.pass().await;
        let repeats = call.may_repeat();
        match fate {
            CallFate::Lost => {
                self.shared.reference.borrow_mut().trouble();
                Err(CallFailed)
            }
            CallFate::Delayed => {
                self.shared.reference.borrow_mut().trouble();
                self.shared.delayed_calls.borrow_mut().push(call);
                Err(CallFailed)
            }
            CallFate::AnswerLost => {
                self.shared.reference.borrow_mut().trouble();
                self.shared.apply(&call).await;
                Err(CallFailed)
            }
            CallFate::Twice if repeats => {
                self.shared.reference.borrow_mut().trouble();
                self.shared.apply(&call).await;
                Ok(self.shared.apply(&call).await)
            }
            CallFate::TwiceLater if repeats => {
                let answer = self.shared.apply(&call).await;
                self.shared.delayed_calls.borrow_mut().push(call);
                Ok(answer)
            }
            CallFate::Fine | CallFate::Twice | CallFate::TwiceLater => Ok(self.shared.apply(&call).await),
        }
    }

    /// Waits for the fate of a call that changes nothing.
    pub(crate) async fn await_read(&self) -> Result<(), CallFailed> {
        match self.gate.pass().await {
            CallFate::Lost | CallFate::AnswerLost | CallFate::Delayed => Err(CallFailed),
            CallFate::Fine | CallFate::Twice | CallFate::TwiceLater => Ok(()),
        }
    }

    async fn view(&self) -> Result<Option<LedgerView>, CallFailed> {
        self.await_read().await?;
        Ok(self.shared.backends.ledger.view(self.shared.event).await.unwrap())
    }

    async fn stored(
        &self,
        ids: Vec<ReservationId>,
    ) -> Result<BTreeMap<ReservationId, ReservationRecord>, CallFailed> {
        self.await_read().await?;
        let records = self.shared.backends.store.reservations(&ids).await.unwrap();
        Ok(records.into_iter().map(|record| (record.id, record)).collect())
    }

    fn begin(&self, work: impl FnOnce(Self) -> Work + 'static) {
        self.shared.begun.borrow_mut().push((self.name, Box::new(work)));
    }
}

/// Admission (`booking/admission.rs`).
impl Node {
    pub(crate) async fn ask(self, bookings: Vec<BookingRequest>) {
        let admitted = self.offer_until_seen(bookings).await;
        self.shared.commit_queues.borrow_mut().entry(self.name).or_default().extend(admitted);
    }

    async fn offer_until_seen(&self, mut bookings: Vec<BookingRequest>) -> Vec<Admitted> {
        for _ in 0..=ATTEMPTS_MAX {
            bookings.retain(|booking| !booking.is_abandoned());
            if bookings.is_empty() {
                return Vec::new();
            }
            match self.offer(bookings).await {
                Ok(admitted) => return admitted,
                Err(again) => bookings = again,
            }
            let epoch_min = epoch_min(&bookings);
            if bookings.is_empty() || self.load(epoch_min).await.is_err() {
                break;
            }
        }
        left_to_recovery(&bookings);
        Vec::new()
    }

    /// `Err`: the ledger must be loaded first. If the ledger did not answer, no request is left and the
    /// result is `Ok`.
    async fn offer(&self, bookings: Vec<BookingRequest>) -> Result<Vec<Admitted>, Vec<BookingRequest>> {
        let requests: Vec<AdmitRequest> = bookings.iter().map(|booking| booking.request).collect();
        let call = Call::Admit { epoch_min: epoch_min(&bookings), requests };
        match self.send(call).await {
            Ok(Answer::Admit(AdmitAnswer::Verdicts { epoch, verdicts, .. })) => {
                Ok(self.sort_verdicts(epoch, bookings, verdicts).await)
            }
            Ok(_) => Err(bookings),
            Err(CallFailed) => {
                tell_all(&bookings, BookingAnswer::Unknown);
                Ok(Vec::new())
            }
        }
    }

    async fn sort_verdicts(
        &self,
        epoch: Epoch,
        bookings: Vec<BookingRequest>,
        verdicts: Vec<Verdict>,
    ) -> Vec<Admitted> {
        let event = self.shared.event;
        let mut admitted = Vec::new();
        let mut known = Vec::new();
        let mut unheard = Vec::new();
        for (booking, verdict) in bookings.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Admitted(admission) => {
                    admitted.push(Admitted::new(event, booking, admission, epoch));
                }
                Verdict::Known => known.push(booking),
                Verdict::Mismatch => booking.tell(BookingAnswer::OtherContent),
                Verdict::JournalFull => unheard.extend(booking.refuse_for_now()),
                _ => unheard.extend(booking.refuse()),
            }
        }
        let _ = self.record_rejections(unheard).await;
        if !known.is_empty() {
            self.begin(|node| Box::pin(node.answer_known(known)));
        }
        admitted
    }

    /// Records the requests as rejected, if there are any.
    async fn record_rejections(&self, requests: Vec<CommitRequest>) -> Result<(), CallFailed> {
        if !requests.is_empty() && self.shared.variant != Variant::RecordNoRejections {
            self.send(Call::Reject(requests)).await?;
        }
        Ok(())
    }

    async fn answer_known(self, bookings: Vec<BookingRequest>) {
        let Ok(stored) = self.stored(bookings.iter().map(|booking| booking.request.id).collect()).await
        else {
            return tell_all(&bookings, BookingAnswer::Unknown);
        };
        for booking in bookings {
            match stored.get(&booking.request.id) {
                Some(record) => booking.tell_record(record),
                None => {
                    self.shared
                        .fault(format!("the ledger has {}, but the store does not", booking.request.id));
                }
            }
        }
    }
}

/// Committing (`booking/commit.rs`).
impl Node {
    pub(crate) async fn commit(self, mut batch: Vec<Admitted>) {
        for _ in 0..ATTEMPTS_MAX {
            if batch.is_empty() {
                return;
            }
            if self.shared.variant == Variant::SettleBeforeCommit {
                let settled = batch.iter().map(|a| (a.epoch, a.booking.request.id));
                self.clone().settle(by_epoch(settled)).await;
            }
            let requests =
                batch.iter().map(|admitted| admitted.to_commit_request(self.shared.event)).collect();
            let Ok(Answer::Commit(outcomes)) = self.send(Call::Commit(requests)).await else {
                return left_to_recovery(batch.iter().map(|admitted| &admitted.booking));
            };
            let sorted = sort_outcomes(&self.shared, batch, outcomes);
            if !sorted.settled.is_empty() {
                let settled = by_epoch(sorted.settled.into_iter());
                self.begin(|node| Box::pin(node.settle(settled)));
            }
            if !sorted.conflicting.is_empty() {
                self.release_conflicting(sorted.conflicting).await;
            }
            if !sorted.refused.is_empty() {
                self.refuse(sorted.refused).await;
            }
            batch = self.admit_again(sorted.raised).await;
        }
        left_to_recovery(batch.iter().map(|admitted| &admitted.booking));
    }

    /// Releases admissions whose ids stand for something else in the store.
    async fn release_conflicting(&self, conflicting: Vec<(Admitted, ReservationRecord)>) {
        let release = |admitted: &Admitted| {
            let AdmitRequest { id, user, ticket_type, quantity, .. } = admitted.booking.request;
            Release { id, user, ticket_type, quantity, epoch: admitted.epoch }
        };
        let releases = conflicting.iter().map(|(admitted, _)| release(admitted)).collect();
        let _ = self.send(Call::Release(releases)).await;
        for (admitted, record) in conflicting {
            admitted.booking.tell_record(&record);
        }
    }

    async fn settle(self, settled: BTreeMap<Epoch, Vec<ReservationId>>) {
        for (epoch, ids) in settled {
            let _ = self.send(Call::Settle { epoch, ids }).await;
        }
    }

    async fn refuse(&self, refused: Vec<BookingRequest>) {
        if self.shared.variant == Variant::RefuseWithoutLoad {
            return tell_all(&refused, BookingAnswer::Refused);
        }
        let ids: Vec<ReservationId> = refused.iter().map(|booking| booking.request.id).collect();
        // Every request here has a key, and may have been told before that it is pending.
        let rejections = refused.iter().filter_map(|booking| booking.last).collect();
        let loaded = match self.record_rejections(rejections).await {
            Ok(()) => self.load_now(&ids).await,
            Err(CallFailed) => Err(CallFailed),
        };
        let Ok(stored) = loaded else {
            return left_to_recovery(&refused);
        };
        let mut unheard = Vec::new();
        for booking in refused {
            let id = booking.request.id;
            if !stored.contains(&id) {
                unheard.extend(booking.refuse());
                continue;
            }
            match self.stored(vec![id]).await.map(|mut found| found.remove(&id)) {
                Ok(Some(record)) => booking.tell_record(&record),
                Ok(None) => self.shared.fault(format!("{id} is not in the store any more")),
                Err(CallFailed) => booking.deadline(),
            }
        }
        let _ = self.record_rejections(unheard).await;
    }

    async fn admit_again(&self, raised: Vec<Admitted>) -> Vec<Admitted> {
        if self.shared.variant == Variant::CommitUnderNextEpoch {
            let next = |admitted: Admitted| Admitted { epoch: admitted.booking.epoch_min, ..admitted };
            return raised.into_iter().map(next).collect();
        }
        let bookings = raised.into_iter().map(|admitted| admitted.booking);
        let (recovered, asked): (Vec<BookingRequest>, Vec<BookingRequest>) =
            bookings.partition(|booking| booking.client.is_none());
        if let Some(epoch) = recovered.iter().map(|booking| booking.epoch_min).max() {
            let _ = self.load(epoch).await;
        }
        self.offer_until_seen(asked).await
    }
}

/// Loading (`booking/loader.rs`). The lease only saves work, so nothing here takes it.
impl Node {
    pub(crate) async fn load(&self, epoch_min: Epoch) -> Result<(), CallFailed> {
        if self.view().await?.is_some_and(|view| view.epoch >= epoch_min) {
            return Ok(());
        }
        self.load_now(&[]).await.map(drop)
    }

    pub(crate) async fn load_now(
        &self,
        refused: &[ReservationId],
    ) -> Result<BTreeSet<ReservationId>, CallFailed> {
        for _ in 0..ATTEMPTS_MAX {
            let mut start = self.begin_load().await?;
            let raise = Call::LoadEvent { current_epoch: start.current_epoch };
            let Answer::Loaded(loaded) = self.send(raise).await? else { unreachable!() };
            let mut snapshot = to_snapshot(&loaded, self.shared.settings.get(), refused);
            self.shared.distort(&mut snapshot);
            let stored: BTreeSet<_> = snapshot.reservations.iter().map(|r| r.id).collect();
            let call = |token| Call::Load(token, snapshot);
            if self.shared.variant == Variant::BeginLoadLate {
                self.await_read().await?;
                start = self.shared.backends.ledger.begin_load(self.shared.event).await.unwrap();
            }
            let Answer::Load(answer) = self.send(call(start.token)).await? else { unreachable!() };
            match answer {
                LoadAnswer::Replaced { dropped } => {
                    let event = self.shared.event;
                    let dropped =
                        dropped.iter().map(|e| to_commit_request(event, &e.request, e.admission, e.epoch));
                    let _ = self.record_rejections(dropped.collect()).await;
                }
                LoadAnswer::Kept { .. } if refused.is_empty() => {}
                LoadAnswer::Kept { .. } | LoadAnswer::Again => continue,
            }
            return Ok(refused.iter().copied().filter(|id| stored.contains(id)).collect());
        }
        Err(CallFailed)
    }

    pub(crate) async fn begin_load(&self) -> Result<LoadStart, CallFailed> {
        self.await_read().await?;
        Ok(self.shared.backends.ledger.begin_load(self.shared.event).await.unwrap())
    }
}

/// Cancelling (`booking/cancel.rs`).
impl Node {
    pub(crate) async fn cancel(self, requests: Vec<CancelRequest>) {
        let Ok(Answer::Cancel(outcomes)) = self.send(Call::Cancel(requests.clone())).await else { return };
        let mut outbox = Vec::new();
        for (request, outcome) in requests.iter().zip(outcomes) {
            match outcome {
                CancelOutcome::Cancelled { release, .. } => outbox.push(release),
                CancelOutcome::Already(_) => {}
                _ => continue,
            }
            self.shared.reference.borrow_mut().tell_cancelled(request.id);
        }
        if !outbox.is_empty() {
            self.begin(|node| {
                Box::pin(async move {
                    let _ = node.deliver(&outbox).await;
                })
            });
        }
    }

    /// Returns the rows that must stay because the ledger is stale.
    async fn deliver(&self, outbox: &[OutboxRecord]) -> Result<Vec<OutboxRecord>, CallFailed> {
        let releases = outbox.iter().map(to_release).collect();
        let Answer::Release(epoch) = self.send(Call::Release(releases)).await? else { unreachable!() };
        let any_epoch = self.shared.variant == Variant::ReleaseInAnyEpoch;
        let (done, stale): (Vec<OutboxRecord>, Vec<OutboxRecord>) =
            outbox.iter().partition(|row| any_epoch || epoch >= Some(row.epoch));
        self.send(Call::OutboxDone(done.iter().map(|row| row.id).collect())).await?;
        Ok(stale)
    }
}

/// Background tasks (`tasks/`).
impl Node {
    pub(crate) async fn recover_journal(self) {
        if self.await_read().await.is_err() {
            return;
        }
        let entries =
            self.shared.backends.ledger.journal_older_than(self.shared.event, 0, 1_000).await.unwrap();
        let batch = entries.into_iter().map(|entry| {
            let booking =
                BookingRequest { request: entry.request, epoch_min: entry.epoch, last: None, client: None };
            Admitted::new(self.shared.event, booking, entry.admission, entry.epoch)
        });
        let batch = batch.collect();
        self.commit(batch).await;
    }

    pub(crate) async fn drain_outbox(self) {
        let rows = self.outbox().await;
        if rows.is_empty() {
            return;
        }
        let Ok(stale) = self.deliver(&rows).await else { return };
        let Some(epoch) = stale.iter().map(|row| row.epoch).max() else { return };
        if self.load(Epoch(epoch.0 + 1)).await.is_ok() {
            let _ = self.deliver(&stale).await;
        }
    }

    async fn outbox(&self) -> Vec<OutboxRecord> {
        if self.await_read().await.is_err() {
            return Vec::new();
        }
        let (store, later) = (&self.shared.backends.store, self.shared.now.plus_millis(86_400_000));
        let rows = store.outbox_before(later, 100_000).await.unwrap();
        rows.into_iter().filter(|row| row.event == self.shared.event).collect()
    }

    /// A dry run: it repairs nothing. Every difference that it finds is a fault of the protocol.
    pub(crate) async fn reconcile(self) {
        if let Err(drift) = checks::reconcile(&self).await.unwrap_or(Ok(())) {
            self.shared.fault(format!("a reconcile found a difference: {drift}"));
        }
    }

    pub(crate) async fn evict(self) {
        if let Ok(Some(view)) = self.view().await {
            let _ = self.send(Call::Evict(view.epoch)).await;
        }
    }
}

fn tell_all<'a>(bookings: impl IntoIterator<Item = &'a BookingRequest>, answer: BookingAnswer) {
    for booking in bookings {
        booking.tell(answer);
    }
}

/// Ends the wait of each request. A request whose entry is in the journal is told that it is pending.
fn left_to_recovery<'a>(bookings: impl IntoIterator<Item = &'a BookingRequest>) {
    for booking in bookings {
        booking.deadline();
    }
}

/// A batch after its commit, by outcome.
#[derive(Default)]
struct Sorted {
    settled: Vec<(Epoch, ReservationId)>,
    refused: Vec<BookingRequest>,
    /// Each with the record that the store has under its id.
    conflicting: Vec<(Admitted, ReservationRecord)>,
    raised: Vec<Admitted>,
}

fn sort_outcomes(shared: &Shared, batch: Vec<Admitted>, outcomes: Vec<CommitOutcome>) -> Sorted {
    let is_this_booking = |record: &ReservationRecord, request: &AdmitRequest| {
        shared.variant == Variant::SettleOtherBookings
            || record.status != ReservationStatus::Rejected
                && (record.event, record.user) == (shared.event, request.user)
                && (record.ticket_type, record.quantity) == (request.ticket_type, request.quantity)
    };
    let mut sorted = Sorted::default();
    for (mut admitted, outcome) in batch.into_iter().zip(outcomes) {
        match outcome {
            CommitOutcome::Confirmed => {
                sorted.settled.push((admitted.epoch, admitted.booking.request.id));
                admitted.booking.tell(BookingAnswer::Confirmed);
            }
            CommitOutcome::Existing(record) if !is_this_booking(&record, &admitted.booking.request) => {
                sorted.conflicting.push((admitted, record));
            }
            CommitOutcome::Existing(record) => {
                sorted.settled.push((admitted.epoch, record.id));
                admitted.booking.tell_record(&record);
            }
            CommitOutcome::StaleEpoch { epoch } => {
                admitted.booking.epoch_min = epoch.max(Epoch(admitted.epoch.0 + 1));
                sorted.raised.push(admitted);
            }
            _ => sorted.refused.push(admitted.booking),
        }
    }
    sorted
}

fn by_epoch(settled: impl Iterator<Item = (Epoch, ReservationId)>) -> BTreeMap<Epoch, Vec<ReservationId>> {
    let mut by_epoch: BTreeMap<Epoch, Vec<ReservationId>> = BTreeMap::new();
    for (epoch, id) in settled {
        by_epoch.entry(epoch).or_default().push(id);
    }
    by_epoch
}

fn epoch_min(bookings: &[BookingRequest]) -> Epoch {
    bookings.iter().map(|booking| booking.epoch_min).max().unwrap_or(Epoch(0))
}

fn to_release(row: &OutboxRecord) -> Release {
    let OutboxRecord { id, user, ticket_type, quantity, epoch, .. } = *row;
    Release { id, user, ticket_type, quantity, epoch }
}
