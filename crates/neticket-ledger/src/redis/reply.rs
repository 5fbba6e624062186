//! Parses the replies of the scripts. The header of each script says what it may return.

use std::str::FromStr;
use std::vec;

use neticket_domain::{Epoch, EventId, ReservationId, TicketTypeId, Timestamp};
use redis::Value;
use uuid::Uuid;

use super::packed::{ENTRY_LEN, ENTRY_WITH_ID_LEN, Unpack};
use crate::{
    Admission, AdmitAnswer, AdmitRequest, JournalEntry, LedgerError, LedgerState, LedgerView, LoadAnswer,
    LoadStart, LoadToken, TicketTypeView, Verdict,
};

/// The values of a reply, read in order.
pub(super) struct Reply {
    /// The command or script that the reply is from.
    name: &'static str,
    values: vec::IntoIter<Value>,
}

/// The part of an `admit` reply that is common to the whole batch.
struct Batch {
    now: Timestamp,
    opens_at: Timestamp,
    max_per_user: u32,
    prices: Vec<(TicketTypeId, u64)>,
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

    fn bytes(&mut self) -> Result<Vec<u8>, LedgerError> {
        match self.values.next() {
            Some(Value::BulkString(bytes)) => Ok(bytes),
            Some(Value::VerbatimString { text, .. }) => Ok(text.into_bytes()),
            other => Err(self.protocol(&format!("expected bytes, got {other:?}"))),
        }
    }

    /// The next value as text.
    pub(super) fn text(&mut self) -> Result<String, LedgerError> {
        String::from_utf8(self.bytes()?).map_err(|_| self.protocol("text is not UTF-8"))
    }

    /// The next value as a number. It may come as a number or as text.
    pub(super) fn number<T: FromStr + TryFrom<i64>>(&mut self) -> Result<T, LedgerError> {
        let number = match self.values.next() {
            Some(Value::Int(number)) => T::try_from(number).ok(),
            Some(Value::BulkString(bytes)) => str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok()),
            _ => None,
        };
        number.ok_or_else(|| self.protocol("expected a number in range"))
    }

    /// The next value as a flag: 1 is true, 0 is false.
    pub(super) fn flag(&mut self) -> Result<bool, LedgerError> {
        self.number::<i64>().map(|number| number == 1)
    }

    fn timestamp(&mut self) -> Result<Timestamp, LedgerError> {
        self.number().map(Timestamp::from_millis)
    }

    fn epoch(&mut self) -> Result<Epoch, LedgerError> {
        self.number().map(Epoch)
    }

    /// The next value as a packed list of items of `len` bytes each.
    fn list<T>(&mut self, len: usize, read: impl Fn(Unpack<'_>) -> Option<T>) -> Result<Vec<T>, LedgerError> {
        let bytes = self.bytes()?;
        // A remainder is too short for an item, so `read` returns `None` and the list is refused.
        let items = bytes.chunks(len).map(|chunk| read(Unpack::new(chunk)));
        items.collect::<Option<_>>().ok_or_else(|| self.protocol("unexpected byte layout"))
    }

    /// All remaining values as pairs of a node and its status.
    pub(super) fn statuses(mut self) -> Result<Vec<(Uuid, Vec<u8>)>, LedgerError> {
        let mut statuses = Vec::new();
        while !self.is_empty() {
            let node = Uuid::from_slice(&self.bytes()?)
                .map_err(|_| self.protocol("a node id must have 16 bytes"))?;
            statuses.push((node, self.bytes()?));
        }
        Ok(statuses)
    }

    pub(super) fn admit_answer(mut self, requests: &[AdmitRequest]) -> Result<AdmitAnswer, LedgerError> {
        match self.text()?.as_str() {
            "absent" => Ok(AdmitAnswer::Absent),
            "stale" => Ok(AdmitAnswer::Stale),
            "verdicts" => {
                let (epoch, now) = (self.epoch()?, self.timestamp()?);
                let (opens_at, max_per_user) = (self.timestamp()?, self.number()?);
                let status_codes = self.bytes()?;
                let price = |mut bytes: Unpack<'_>| Some((TicketTypeId(bytes.i64()?), bytes.u64()?));
                let batch = Batch { now, opens_at, max_per_user, prices: self.list(16, price)? };
                if status_codes.len() != requests.len() {
                    return Err(self.protocol("expected one status code per request"));
                }
                let verdicts = status_codes.iter().zip(requests);
                let verdicts = verdicts.map(|(code, request)| self.verdict(*code, request, &batch));
                let verdicts = verdicts.collect::<Result<_, _>>()?;
                Ok(AdmitAnswer::Verdicts { epoch, now, verdicts })
            }
            other => Err(self.protocol(other)),
        }
    }

    fn verdict(&mut self, code: u8, request: &AdmitRequest, batch: &Batch) -> Result<Verdict, LedgerError> {
        Ok(match code {
            b'a' => {
                let price = batch.prices.iter().find(|(id, _)| *id == request.ticket_type);
                let (_, unit_price) = *price.ok_or_else(|| self.protocol("admitted without a price"))?;
                Verdict::Admitted(Admission { unit_price, admitted_at: batch.now, repeated: false })
            }
            b'r' => {
                let admission = Unpack::new(&self.bytes()?).admitted_before();
                Verdict::Admitted(admission.ok_or_else(|| self.protocol("repeated without its admission"))?)
            }
            b'k' => Verdict::Known,
            b'm' => Verdict::Mismatch,
            b'n' => Verdict::NoSuchTicketType,
            b'o' => Verdict::NotOpen { opens_at: batch.opens_at },
            b'c' => Verdict::Closed,
            b'p' => Verdict::Paused,
            b'j' => Verdict::JournalFull,
            b's' => Verdict::SoldOut { left: self.number()? },
            b'd' => {
                let unit_price = Unpack::new(&self.bytes()?).u64();
                let unit_price =
                    unit_price.ok_or_else(|| self.protocol("a changed price without the price"))?;
                Verdict::PriceChanged { unit_price }
            }
            b'l' => Verdict::OverLimit { max_per_user: batch.max_per_user, already_held: self.number()? },
            other => return Err(self.protocol(&format!("unknown verdict {other}"))),
        })
    }

    pub(super) fn release_answer(mut self) -> Result<Option<Epoch>, LedgerError> {
        if self.present()? { self.epoch().map(Some) } else { Ok(None) }
    }

    pub(super) fn load_start(mut self) -> Result<LoadStart, LedgerError> {
        let token =
            Uuid::from_slice(&self.bytes()?).map_err(|_| self.protocol("a token must have 16 bytes"))?;
        Ok(LoadStart { token: LoadToken(token), current_epoch: self.epoch()? })
    }

    pub(super) fn load_answer(mut self) -> Result<LoadAnswer, LedgerError> {
        match self.text()?.as_str() {
            "kept" => Ok(LoadAnswer::Kept { epoch: self.epoch()? }),
            "replaced" => {
                let epoch_before = self.epoch()?;
                Ok(LoadAnswer::Replaced { dropped: self.entries(epoch_before)? })
            }
            "again" => Ok(LoadAnswer::Again),
            other => Err(self.protocol(other)),
        }
    }

    /// Whether the first word says that the ledger exists.
    fn present(&mut self) -> Result<bool, LedgerError> {
        match self.text()?.as_str() {
            "absent" => Ok(false),
            "present" => Ok(true),
            other => Err(self.protocol(other)),
        }
    }

    /// `None`: the ledger stays. `Some`: it is gone; the flag says whether it existed before.
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
        let (epoch, paused, journal_len) = (self.epoch()?, self.flag()?, self.number()?);
        let ticket_type = |mut bytes: Unpack<'_>| {
            Some(TicketTypeView { id: TicketTypeId(bytes.i64()?), left: bytes.u32()? })
        };
        let mut ticket_types = self.list(12, ticket_type)?;
        ticket_types.sort_unstable_by_key(|ticket_type| ticket_type.id);
        Ok(LedgerView { epoch, paused, journal_len, ticket_types })
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
        let epoch = self.epoch()?;
        self.entries(epoch)
    }

    /// The next value as ids and their journal entries, oldest first; entries of the same age by id.
    fn entries(&mut self, epoch: Epoch) -> Result<Vec<JournalEntry>, LedgerError> {
        let entry = |mut bytes: Unpack<'_>| {
            let id = bytes.id()?;
            bytes.entry(id, epoch)
        };
        let mut entries = self.list(ENTRY_WITH_ID_LEN, entry)?;
        entries.sort_unstable_by_key(|entry: &JournalEntry| (entry.admission.admitted_at, entry.request.id));
        Ok(entries)
    }

    pub(super) fn journal_entry(mut self, id: ReservationId) -> Result<Option<JournalEntry>, LedgerError> {
        if !self.present()? {
            return Ok(None);
        }
        let epoch = self.epoch()?;
        let entries = self.list(ENTRY_LEN, |mut bytes| bytes.entry(id, epoch))?;
        Ok(entries.first().copied())
    }
}
