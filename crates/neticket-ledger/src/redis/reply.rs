//! Reads what the scripts answer. What each may say is in its header.

use std::str::FromStr;
use std::vec;

use neticket_domain::{Epoch, EventId, Quantity, ReservationId, TicketTypeId, Timestamp, UserId};
use redis::Value;
use uuid::Uuid;

use crate::{
    Admission, AdmitAnswer, AdmitRequest, JournalEntry, LedgerError, LedgerState, LedgerView, LoadAnswer,
    TicketTypeView, Verdict,
};

/// The values of an answer, read from the first to the last.
pub(super) struct Reply {
    /// Of what command or script it is.
    name: &'static str,
    values: vec::IntoIter<Value>,
}

impl Reply {
    pub(super) fn new(name: &'static str, value: Value) -> Self {
        let values = match value {
            Value::Array(values) => values,
            Value::Nil => Vec::new(),
            value => vec![value],
        };
        Self { name, values: values.into_iter() }
    }

    fn protocol(&self, what: &str) -> LedgerError {
        LedgerError::Protocol(format!("{}: {what}", self.name))
    }

    fn is_empty(&self) -> bool {
        self.values.as_slice().is_empty()
    }

    /// The next value as text.
    pub(super) fn text(&mut self) -> Result<String, LedgerError> {
        match self.values.next() {
            Some(Value::BulkString(bytes)) => {
                String::from_utf8(bytes).map_err(|_| self.protocol("text is not UTF-8"))
            }
            Some(Value::VerbatimString { text, .. }) => Ok(text),
            other => Err(self.protocol(&format!("text expected, not {other:?}"))),
        }
    }

    /// The next value as a number, whether it comes as one or as text.
    pub(super) fn number<T: FromStr + TryFrom<i64>>(&mut self) -> Result<T, LedgerError> {
        let number = match self.values.next() {
            Some(Value::Int(number)) => T::try_from(number).ok(),
            Some(Value::BulkString(bytes)) => str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok()),
            _ => None,
        };
        number.ok_or_else(|| self.protocol("number expected, of the right size"))
    }

    /// The next value as a yes (1) or a no (0).
    fn flag(&mut self) -> Result<bool, LedgerError> {
        self.number::<i64>().map(|number| number == 1)
    }

    fn timestamp(&mut self) -> Result<Timestamp, LedgerError> {
        self.number().map(Timestamp::from_millis)
    }

    fn reservation_id(&mut self) -> Result<ReservationId, LedgerError> {
        let id = Uuid::parse_str(&self.text()?).map_err(|_| self.protocol("reservation id expected"))?;
        Ok(ReservationId(id))
    }

    pub(super) fn admit_answer(mut self, requests_len: usize) -> Result<AdmitAnswer, LedgerError> {
        match self.text()?.as_str() {
            "absent" => Ok(AdmitAnswer::Absent),
            "stale" => Ok(AdmitAnswer::Stale),
            "verdicts" => {
                let (epoch, now) = (Epoch(self.number()?), self.timestamp()?);
                let verdicts = (0..requests_len).map(|_| self.verdict()).collect::<Result<_, _>>()?;
                if self.is_empty() {
                    Ok(AdmitAnswer::Verdicts { epoch, now, verdicts })
                } else {
                    Err(self.protocol("more verdicts than requests"))
                }
            }
            other => Err(self.protocol(other)),
        }
    }

    fn verdict(&mut self) -> Result<Verdict, LedgerError> {
        Ok(match self.text()?.as_str() {
            "admitted" => Verdict::Admitted(Admission {
                unit_price: self.number()?,
                admitted_at: self.timestamp()?,
                repeated: self.flag()?,
            }),
            "known" => Verdict::Known,
            "mismatch" => Verdict::Mismatch,
            "no_such_ticket_type" => Verdict::NoSuchTicketType,
            "not_open" => Verdict::NotOpen { opens_at: self.timestamp()? },
            "closed" => Verdict::Closed,
            "paused" => Verdict::Paused,
            "sold_out" => Verdict::SoldOut { left: self.number()? },
            "over_limit" => Verdict::OverLimit { max_per_user: self.number()?, already_held: self.number()? },
            "journal_full" => Verdict::JournalFull,
            other => return Err(self.protocol(other)),
        })
    }

    pub(super) fn release_answer(mut self) -> Result<Option<Epoch>, LedgerError> {
        if !self.present()? {
            return Ok(None);
        }
        self.number().map(|epoch| Some(Epoch(epoch)))
    }

    pub(super) fn load_answer(mut self) -> Result<LoadAnswer, LedgerError> {
        match self.text()?.as_str() {
            "kept" => Ok(LoadAnswer { replaced: false, epoch: Epoch(self.number()?), dropped: Vec::new() }),
            "replaced" => {
                let (epoch, epoch_before) = (Epoch(self.number()?), Epoch(self.number()?));
                Ok(LoadAnswer { replaced: true, epoch, dropped: self.entries(epoch_before)? })
            }
            // The server lost some of them since, or the load took longer than they are kept.
            "incomplete" => Err(LedgerError::Unavailable("the staged snapshot is not complete".into())),
            other => Err(self.protocol(other)),
        }
    }

    /// Whether the first word says that the ledger is there.
    fn present(&mut self) -> Result<bool, LedgerError> {
        match self.text()?.as_str() {
            "absent" => Ok(false),
            "present" => Ok(true),
            other => Err(self.protocol(other)),
        }
    }

    /// `None`: it stays. `Some`: it is gone, and whether it was there.
    pub(super) fn evict_answer(mut self) -> Result<Option<bool>, LedgerError> {
        match self.text()?.as_str() {
            "kept" => Ok(None),
            "absent" => Ok(Some(false)),
            "evicted" => Ok(Some(true)),
            other => Err(self.protocol(other)),
        }
    }

    pub(super) fn event_ids(mut self) -> Result<Vec<EventId>, LedgerError> {
        let mut events = Vec::new();
        while !self.is_empty() {
            events.push(EventId(self.number()?));
        }
        Ok(events)
    }

    pub(super) fn view_answer(mut self) -> Result<Option<LedgerView>, LedgerError> {
        if self.present()? { self.view().map(Some) } else { Ok(None) }
    }

    fn view(&mut self) -> Result<LedgerView, LedgerError> {
        let (epoch, paused) = (Epoch(self.number()?), self.flag()?);
        let (pending, ticket_types_len) = (self.number()?, self.number::<usize>()?);
        let mut ticket_types = Vec::new();
        for _ in 0..ticket_types_len {
            ticket_types.push(TicketTypeView { id: TicketTypeId(self.number()?), left: self.number()? });
        }
        ticket_types.sort_unstable_by_key(|ticket_type| ticket_type.id);
        Ok(LedgerView { epoch, paused, pending, ticket_types })
    }

    pub(super) fn examine_answer(mut self) -> Result<Option<LedgerState>, LedgerError> {
        if !self.present()? {
            return Ok(None);
        }
        let (revision, view) = (self.number()?, self.view()?);
        let journal = self.entries(view.epoch)?;
        Ok(Some(LedgerState { view, revision, journal }))
    }

    pub(super) fn journal_answer(mut self) -> Result<Vec<JournalEntry>, LedgerError> {
        if !self.present()? {
            return Ok(Vec::new());
        }
        let epoch = Epoch(self.number()?);
        self.entries(epoch)
    }

    /// All that is left, as ids and their journal entries; oldest first, of the same age by id.
    fn entries(&mut self, epoch: Epoch) -> Result<Vec<JournalEntry>, LedgerError> {
        let mut entries = Vec::new();
        while !self.is_empty() {
            let id = self.reservation_id()?;
            entries.push(self.entry(id, epoch)?);
        }
        entries.sort_unstable_by_key(|entry| (entry.admission.admitted_at, entry.request.id));
        Ok(entries)
    }

    pub(super) fn journal_entry(mut self, id: ReservationId) -> Result<Option<JournalEntry>, LedgerError> {
        if !self.present()? {
            return Ok(None);
        }
        let epoch = Epoch(self.number()?);
        self.entry(id, epoch).map(Some)
    }

    /// The next value as a journal entry: user:ticket type:quantity:unit price:admitted at.
    fn entry(&mut self, id: ReservationId, epoch: Epoch) -> Result<JournalEntry, LedgerError> {
        let text = self.text()?;
        parse_entry(&text, id, epoch).ok_or_else(|| self.protocol(&format!("no journal entry: {text}")))
    }
}

fn parse_entry(text: &str, id: ReservationId, epoch: Epoch) -> Option<JournalEntry> {
    let mut fields = text.split(':');
    let request = AdmitRequest {
        id,
        user: UserId(fields.next()?.parse().ok()?),
        ticket_type: TicketTypeId(fields.next()?.parse().ok()?),
        quantity: Quantity::new(fields.next()?.parse().ok()?)?,
    };
    let unit_price = fields.next()?.parse().ok()?;
    let admitted_at = Timestamp::from_millis(fields.next()?.parse().ok()?);
    fields.next().is_none().then_some(JournalEntry {
        request,
        admission: Admission { unit_price, admitted_at, repeated: true },
        epoch,
    })
}
