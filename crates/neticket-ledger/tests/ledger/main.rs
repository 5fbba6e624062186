//! Tests of what every ledger must do, run on each of them; tests of faults that only a server can have; and
//! random histories that both ledgers must answer in the same way.

#[cfg(test)]
mod admitting;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod deleting;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod listing;
#[cfg(test)]
mod loading;
#[cfg(test)]
mod node_registry;
#[cfg(test)]
mod old_scripts;
#[cfg(test)]
mod prices;
#[cfg(test)]
mod promotion;
#[cfg(test)]
mod server;
#[cfg(test)]
mod support;
