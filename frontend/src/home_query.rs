//! What the list shows, as written in the address.

use leptos_router::params::ParamsMap;
use neticket_contract::EventListQuery;
use neticket_domain::EventStatus;

use crate::api::encode;

/// Cards on a page. Divisible by the usual numbers of columns.
const PAGE_SIZE: u32 = 12;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HomeQuery {
    pub(crate) q: String,
    pub(crate) status: Option<EventStatus>,
    pub(crate) include_past: bool,
    /// From 1. A request sends 0 as 1.
    pub(crate) page: u32,
}

impl HomeQuery {
    pub(crate) fn read(map: &ParamsMap) -> Self {
        Self::read_with(|name| map.get(name))
    }

    /// Reads an address. Invalid parameters are ignored.
    fn read_with(get: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            q: get("q").unwrap_or_default().trim().to_owned(),
            status: get("status").and_then(|word| EventStatus::parse(&word)),
            include_past: get("include_past").is_some_and(|word| word == "true"),
            page: get("page").and_then(|page| page.parse().ok()).unwrap_or(1).clamp(1, 1_000_000),
        }
    }

    /// The address, without default values.
    pub(crate) fn path(&self) -> String {
        self.path_with(encode)
    }

    fn path_with(&self, encode: impl Fn(&str) -> String) -> String {
        let mut parts = Vec::new();
        if !self.q.is_empty() {
            parts.push(format!("q={}", encode(&self.q)));
        }
        if let Some(status) = self.status {
            parts.push(format!("status={status}"));
        }
        if self.include_past {
            parts.push("include_past=true".to_owned());
        }
        if self.page > 1 {
            parts.push(format!("page={}", self.page));
        }
        if parts.is_empty() { "/".to_owned() } else { format!("/?{}", parts.join("&")) }
    }

    pub(crate) fn request(&self) -> EventListQuery {
        EventListQuery {
            q: (!self.q.is_empty()).then(|| self.q.clone()),
            status: self.status,
            include_past: self.include_past,
            page: self.page.max(1),
            size: PAGE_SIZE,
        }
    }

    /// Whether a search or a status filter is set.
    pub(crate) fn narrowed(&self) -> bool {
        !self.q.is_empty() || self.status.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> HomeQuery {
        HomeQuery::read_with(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_address_of_the_home_page_round_trips() {
        let query =
            HomeQuery { q: "ham".into(), status: Some(EventStatus::OnSale), include_past: true, page: 3 };
        let path = query.path_with(str::to_owned);
        assert_eq!(path, "/?q=ham&status=on_sale&include_past=true&page=3");
        let read = read(&[("q", "ham"), ("status", "on_sale"), ("include_past", "true"), ("page", "3")]);
        assert_eq!(read, query);
    }

    #[test]
    fn invalid_parts_of_a_home_page_address_are_ignored() {
        let read = read(&[("status", "open"), ("page", "-1"), ("include_past", "perhaps")]);
        assert_eq!(read, HomeQuery { page: 1, ..HomeQuery::default() });
        assert_eq!(read.path_with(str::to_owned), "/");
    }
}
