//! Histories as data, so that proptest can shorten them. A step that is impossible when its turn comes is
//! skipped.

use proptest::collection::vec;
use proptest::prelude::*;

/// How many users book.
pub(crate) const USERS: usize = 3;
/// How many idempotency keys the users have in total.
const KEYS: u8 = 10;
pub(crate) const NODES: u8 = 3;
/// More than the number of calls that one booking and everything it causes can make.
const STEPS_MAX: usize = 90;

/// An event, what happens to it, and how the history ends.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// The capacity of each ticket type.
    pub(crate) capacities: Vec<u32>,
    pub(crate) max_per_user: u32,
    pub(crate) steps: Vec<Step>,
    pub(crate) ending: Ending,
}

/// What happens to unfinished work after the last step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    /// Whether the nodes finish their work; otherwise they die.
    pub(crate) nodes_survive: bool,
    /// Whether delayed calls arrive after all; otherwise they are lost.
    pub(crate) calls_arrive: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Users send requests to one node at the same time: one batch.
    Ask { node: u8, bookings: Vec<RequestSpec> },
    /// A node takes a batch of admitted bookings and commits it.
    Commit { node: u8 },
    /// The owner of a key uses it for a booking of another event, which the store confirms or rejects.
    BookElsewhere { key: u8, rejected: bool },
    /// Owners cancel the reservations of these keys, all through one node.
    Cancel { node: u8, keys: Vec<u8> },
    /// A node begins a background task.
    Begin { node: u8, task: Task },
    /// One of the jobs in progress makes its next call.
    Go { job: u8, fate: CallFate },
    /// One of the jobs in progress runs to its end. All its calls succeed, in order.
    Finish { job: u8 },
    /// A call that was delayed takes effect.
    Arrive { call: u8 },
    /// A user has waited for the maximum time, and gets the best answer that is known.
    Deadline { waiting: u8 },
    /// A node dies between two calls and loses all its work in progress.
    Crash { node: u8 },
    /// The ledger is lost.
    Lose,
    /// The ledger's server saves its data.
    Save,
    /// The server restarts from its saved data: an old ledger, of another server run.
    RollBack,
    /// The next load is wrong: its ledger has more seats than there are.
    InflateNextLoad,
    /// From the next load on, the sale is paused, closed or open.
    Sale(Sale),
    /// From the next load on, this is the limit of tickets per user. Users who hold more keep them.
    Limit(u32),
}

/// A request: its key, and how it differs from the usual request with that key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestSpec {
    pub(crate) key: u8,
    pub(crate) other: Variation,
    /// Whether it names a price. That price is wrong.
    pub(crate) wrong_price: bool,
}

/// How a repeated key differs from its usual booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variation {
    Nothing,
    Quantity,
    TicketType,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    RecoverJournal,
    DrainOutbox,
    OpenSales,
    /// Loads the ledger again, as after an edit.
    Reload,
    Reconcile,
    Evict,
    /// An administrator raises or lowers the capacity of a ticket type by one seat.
    ChangeCapacity {
        ticket_type: u8,
        more: bool,
    },
    /// An administrator has the ledger loaded again.
    LoadLedger,
    /// An administrator pauses the sale, or resumes it.
    Pause(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallFate {
    Fine,
    /// The call takes effect, but its answer is lost.
    AnswerLost,
    /// The call never arrives.
    Lost,
    /// The call takes effect later. The caller sees a failure now.
    Delayed,
    /// The call takes effect twice. The caller gets the second answer.
    Twice,
    /// The call takes effect now, and again later.
    TwiceLater,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sale {
    Open,
    Paused,
    Closed,
}

fn a_node() -> impl Strategy<Value = u8> {
    0..NODES
}

fn a_booking() -> impl Strategy<Value = RequestSpec> {
    let other = prop_oneof![
        18 => Just(Variation::Nothing),
        1 => Just(Variation::Quantity),
        1 => Just(Variation::TicketType),
    ];
    (0..KEYS, other, prop::bool::weighted(0.05)).prop_map(|(key, other, wrong_price)| RequestSpec {
        key,
        other,
        wrong_price,
    })
}

fn a_fate() -> impl Strategy<Value = CallFate> {
    prop_oneof![
        14 => Just(CallFate::Fine),
        1 => Just(CallFate::AnswerLost),
        1 => Just(CallFate::Lost),
        2 => Just(CallFate::Delayed),
        1 => Just(CallFate::Twice),
        1 => Just(CallFate::TwiceLater),
    ]
}

fn a_task() -> impl Strategy<Value = Task> {
    prop_oneof![
        3 => Just(Task::RecoverJournal),
        2 => Just(Task::DrainOutbox),
        1 => Just(Task::OpenSales),
        2 => Just(Task::Reload),
        1 => Just(Task::Reconcile),
        1 => Just(Task::Evict),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(ticket_type, more)| Task::ChangeCapacity { ticket_type, more }),
        1 => Just(Task::LoadLedger),
        1 => any::<bool>().prop_map(Task::Pause),
    ]
}

fn a_sale() -> impl Strategy<Value = Sale> {
    prop_oneof![Just(Sale::Open), Just(Sale::Paused), Just(Sale::Closed)]
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (a_node(), vec(a_booking(), 1..4)).prop_map(|(node, bookings)| Step::Ask { node, bookings }),
        1 => (0..KEYS, any::<bool>()).prop_map(|(key, rejected)| Step::BookElsewhere { key, rejected }),
        6 => a_node().prop_map(|node| Step::Commit { node }),
        3 => (a_node(), vec(0..KEYS, 1..3)).prop_map(|(node, keys)| Step::Cancel { node, keys }),
        3 => (a_node(), a_task()).prop_map(|(node, task)| Step::Begin { node, task }),
        20 => (any::<u8>(), a_fate()).prop_map(|(job, fate)| Step::Go { job, fate }),
        9 => any::<u8>().prop_map(|job| Step::Finish { job }),
        3 => any::<u8>().prop_map(|call| Step::Arrive { call }),
        1 => any::<u8>().prop_map(|waiting| Step::Deadline { waiting }),
        1 => a_node().prop_map(|node| Step::Crash { node }),
        2 => a_misfortune(),
    ]
}

fn a_misfortune() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Lose),
        2 => Just(Step::Save),
        2 => Just(Step::RollBack),
        3 => Just(Step::InflateNextLoad),
        1 => a_sale().prop_map(Step::Sale),
        1 => (1..=4_u32).prop_map(Step::Limit),
    ]
}

pub(crate) fn a_history() -> impl Strategy<Value = History> {
    let ending = (any::<bool>(), any::<bool>())
        .prop_map(|(nodes_survive, calls_arrive)| Ending { nodes_survive, calls_arrive });
    (vec(1..=5_u32, 1..=2), 1..=4_u32, vec(a_step(), 5..STEPS_MAX), ending).prop_map(
        |(capacities, max_per_user, steps, ending)| History { capacities, max_per_user, steps, ending },
    )
}

const USUAL: RequestSpec = RequestSpec { key: 0, other: Variation::Nothing, wrong_price: false };

/// A cancel, and its release, between the two halves of a load. Random histories produce this too rarely.
pub(crate) fn a_cancel_within_a_load() -> History {
    let (node, go) = (0, Step::Go { job: 0, fate: CallFate::Fine });
    let steps = vec![
        Step::Ask { node, bookings: vec![USUAL] },
        Step::Finish { job: 0 },
        Step::Commit { node },
        Step::Finish { job: 0 },
        Step::Finish { job: 0 }, // settles
        Step::Begin { node: 1, task: Task::Reload },
        go.clone(),
        go, // the epoch is raised
        Step::Cancel { node, keys: vec![0] },
        Step::Finish { job: 1 },
        Step::Finish { job: 1 }, // releases
        Step::Finish { job: 0 }, // the ledger is replaced
    ];
    let ending = Ending { nodes_survive: true, calls_arrive: true };
    History { capacities: vec![2], max_per_user: 4, steps, ending }
}

/// One node raises the epoch and is slow. Another node loads a higher epoch, sells the only seats and
/// settles. Then the ledger is lost. The slow node continues, and nothing shows how old its snapshot is.
pub(crate) fn a_late_load_after_a_loss() -> History {
    let go = |job| Step::Go { job, fate: CallFate::Fine };
    let ask = Step::Ask { node: 1, bookings: vec![USUAL] };
    let steps = vec![
        Step::Begin { node: 0, task: Task::Reload },
        go(0), // announces its begin
        go(0), // the epoch is raised
        Step::Begin { node: 1, task: Task::Reload },
        Step::Finish { job: 1 },
        ask.clone(),
        Step::Finish { job: 1 },
        Step::Commit { node: 1 },
        Step::Finish { job: 1 },
        Step::Finish { job: 1 }, // settles
        Step::Lose,
        go(0),
        go(0), // the snapshot has arrived, even in the variant that announces its begin late
        // The same key again: it is known, so its seats are not taken twice.
        ask,
        Step::Finish { job: 1 },
    ];
    let ending = Ending { nodes_survive: true, calls_arrive: true };
    History { capacities: vec![1], max_per_user: 4, steps, ending }
}
