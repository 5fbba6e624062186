//! Histories as data, so that proptest can shorten them: a step that cannot be taken when its turn comes is passed over.

use proptest::collection::vec;
use proptest::prelude::*;

/// How many people book.
pub(crate) const USERS: usize = 3;
/// How many keys they use, among them.
const KEYS: u8 = 10;
pub(crate) const NODES: u8 = 3;
/// More than a booking and all that it may cause has of calls.
const STEPS_MAX: usize = 90;

/// An event, what happens to it, and how it ends.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// Of each grade.
    pub(crate) capacities: Vec<u32>,
    pub(crate) max_per_user: u32,
    pub(crate) steps: Vec<Step>,
    pub(crate) ending: Ending,
}

/// What becomes of what is unfinished when the last step has been taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    /// Whether the nodes finish what they do; otherwise they die.
    pub(crate) nodes_survive: bool,
    /// Whether delayed calls arrive after all; otherwise they are lost.
    pub(crate) calls_arrive: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// People ask one node at once: a batch of wishes.
    Ask { node: u8, wishes: Vec<Wanted> },
    /// A node takes up what it has admitted: a batch to commit.
    Commit { node: u8 },
    /// The owner of a key uses it for a booking of another event, which is confirmed there or rejected.
    BookElsewhere { key: u8, rejected: bool },
    /// Owners cancel what these keys stand for, all through one node.
    Cancel { node: u8, keys: Vec<u8> },
    /// A node begins a background task.
    Begin { node: u8, task: Task },
    /// One of the jobs under way makes its next call.
    Go { job: u8, fate: Fate },
    /// One of the jobs under way goes on to its end, all calls in order.
    Finish { job: u8 },
    /// A call that was delayed takes effect.
    Arrive { call: u8 },
    /// Someone has waited long enough, and is told what can be told.
    Deadline { waiting: u8 },
    /// A node dies between two calls: all that it was doing is gone.
    Crash { node: u8 },
    /// The ledger is lost.
    Lose,
    /// The ledger's server saves what it has.
    Save,
    /// The server restarts from what it saved: an old ledger, of another server run.
    RollBack,
    /// The next load goes wrong: its ledger believes in more seats than there are.
    Believe,
    /// From the next load on, the sale is paused, closed or open.
    Sale(Sale),
    /// From the next load on, nobody gets more than this; but those who have more keep it.
    Limit(u32),
}

/// A wish, as a key and what differs from what is usually wanted under it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) key: u8,
    pub(crate) other: Other,
    /// Whether it names a price, which is wrong.
    pub(crate) wrong_price: bool,
}

/// For what else the key is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Other {
    Nothing,
    Quantity,
    Grade,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    RecoverJournal,
    DrainOutbox,
    OpenSales,
    /// Loads anew, as after an edit.
    Reload,
    Reconcile,
    Evict,
    /// An administrator gives a grade a seat more, or takes one away.
    Seats {
        grade: u8,
        more: bool,
    },
    /// An administrator has the ledger made anew.
    PressLoad,
    /// An administrator pauses the sale, or resumes it.
    Pause(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Fine,
    /// It takes effect, the answer is lost.
    AnswerLost,
    /// It never gets there.
    Lost,
    /// It takes effect later; the caller is told that it failed.
    Delayed,
    /// It takes effect twice; the caller hears of the second time.
    Twice,
    /// It takes effect now, and once more later.
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

fn a_wish() -> impl Strategy<Value = Wanted> {
    let other = prop_oneof![18 => Just(Other::Nothing), 1 => Just(Other::Quantity), 1 => Just(Other::Grade)];
    (0..KEYS, other, prop::bool::weighted(0.05)).prop_map(|(key, other, wrong_price)| Wanted {
        key,
        other,
        wrong_price,
    })
}

fn a_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        14 => Just(Fate::Fine),
        1 => Just(Fate::AnswerLost),
        1 => Just(Fate::Lost),
        2 => Just(Fate::Delayed),
        1 => Just(Fate::Twice),
        1 => Just(Fate::TwiceLater),
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
        2 => (any::<u8>(), any::<bool>()).prop_map(|(grade, more)| Task::Seats { grade, more }),
        1 => Just(Task::PressLoad),
        1 => any::<bool>().prop_map(Task::Pause),
    ]
}

fn a_sale() -> impl Strategy<Value = Sale> {
    prop_oneof![Just(Sale::Open), Just(Sale::Paused), Just(Sale::Closed)]
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (a_node(), vec(a_wish(), 1..4)).prop_map(|(node, wishes)| Step::Ask { node, wishes }),
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
        3 => Just(Step::Believe),
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

const USUAL: Wanted = Wanted { key: 0, other: Other::Nothing, wrong_price: false };

/// A cancel, and its release, between the two halves of a load: too rare to wait for.
pub(crate) fn a_cancel_within_a_load() -> History {
    let (node, go) = (0, Step::Go { job: 0, fate: Fate::Fine });
    let steps = vec![
        Step::Ask { node, wishes: vec![USUAL] },
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

/// One node raises the epoch and is slow; another loads a higher one, sells the only seats and settles; then the ledger is
/// lost, and the slow node goes on where nothing says how old its snapshot is.
pub(crate) fn a_late_load_after_a_loss() -> History {
    let go = |job| Step::Go { job, fate: Fate::Fine };
    let ask = Step::Ask { node: 1, wishes: vec![USUAL] };
    let steps = vec![
        Step::Begin { node: 0, task: Task::Reload },
        go(0), // says that it begins
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
        go(0), // the snapshot has come, also of a node that says only now that it begins
        // The same key again: it is known, and the seats are not taken twice.
        ask,
        Step::Finish { job: 1 },
    ];
    let ending = Ending { nodes_survive: true, calls_arrive: true };
    History { capacities: vec![1], max_per_user: 4, steps, ending }
}
