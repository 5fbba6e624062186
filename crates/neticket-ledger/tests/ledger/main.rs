//! What every ledger has to do, asked of each of them; what only a server can do to its ledger; and random histories
//! that both have to answer alike.

#[cfg(test)]
mod admitting;
#[cfg(test)]
mod board;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod forgetting;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod listing;
#[cfg(test)]
mod loading;
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
