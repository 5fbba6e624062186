//! What a list of administration shows, as written in the address.

use leptos_router::params::ParamsMap;
use neticket_domain::EventStatus;

use crate::api::encode;

/// Rows on a page.
const PAGE_SIZE: u32 = 20;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListQuery {
    pub(crate) q: String,
    pub(crate) status: Option<EventStatus>,
    pub(crate) drifted: bool,
    /// From 1. A request sends 0 as 1.
    pub(crate) page: u32,
}

impl ListQuery {
    pub(crate) fn read(map: &ParamsMap) -> Self {
        Self::read_with(|name| map.get(name))
    }

    /// Reads an address. Invalid parameters are ignored.
    fn read_with(get: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            q: get("q").unwrap_or_default().trim().to_owned(),
            status: get("status").and_then(|word| EventStatus::parse(&word)),
            drifted: get("drifted").is_some_and(|word| word == "true"),
            page: get("page").and_then(|page| page.parse().ok()).unwrap_or(1).clamp(1, 1_000_000),
        }
    }

    /// The address of the page at `path`, without default values.
    pub(crate) fn at(&self, path: &str) -> String {
        let mut parts = self.parts(encode);
        if self.page > 1 {
            parts.push(format!("page={}", self.page));
        }
        if parts.is_empty() { path.to_owned() } else { format!("{path}?{}", parts.join("&")) }
    }

    /// The query string of the API request.
    pub(crate) fn request(&self) -> String {
        let mut parts = self.parts(encode);
        parts.push(format!("page={}&size={PAGE_SIZE}", self.page.max(1)));
        parts.join("&")
    }

    fn parts(&self, encode: impl Fn(&str) -> String) -> Vec<String> {
        let mut parts = Vec::new();
        if !self.q.is_empty() {
            parts.push(format!("q={}", encode(&self.q)));
        }
        if let Some(status) = self.status {
            parts.push(format!("status={status}"));
        }
        if self.drifted {
            parts.push("drifted=true".to_owned());
        }
        parts
    }

    /// The same list at another page.
    pub(crate) fn turned_to(&self, page: u64) -> Self {
        Self { page: u32::try_from(page).unwrap_or(u32::MAX), ..self.clone() }
    }

    /// Whether a filter is set.
    pub(crate) fn narrowed(&self) -> bool {
        !self.q.is_empty() || self.status.is_some() || self.drifted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> ListQuery {
        ListQuery::read_with(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_address_of_an_admin_list_round_trips() {
        let query = ListQuery { q: "ham".into(), status: Some(EventStatus::Paused), drifted: true, page: 3 };
        assert_eq!(query.parts(str::to_owned), ["q=ham", "status=paused", "drifted=true"]);
        let read = read(&[("q", " ham "), ("status", "paused"), ("drifted", "true"), ("page", "3")]);
        assert_eq!(read, query);
    }

    #[test]
    fn invalid_parts_of_an_admin_list_address_are_ignored() {
        let read = read(&[("status", "open"), ("page", "0"), ("drifted", "perhaps")]);
        assert_eq!(read, ListQuery { page: 1, ..ListQuery::default() });
        assert_eq!(read.at("/admin/events"), "/admin/events");
        assert_eq!(read.turned_to(2).at("/admin/events"), "/admin/events?page=2");
        assert!(!read.narrowed());
    }
}
