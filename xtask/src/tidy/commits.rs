//! Every commit has a subject `area: Verb what` and a body.

use super::finding::Finding;

/// The rule began with this commit: older ones keep their messages.
pub(super) const SINCE: &str = "6dd524cde13e";
/// `git log --format`: one record for each commit.
pub(super) const FORMAT: &str = "%h%x1f%s%x1f%b%x1e";

/// Checks what `git log` printed in [`FORMAT`]; merges are not asked for.
pub(super) fn check(log: &str) -> Vec<Finding> {
    let records = log.split('\u{1e}').map(str::trim).filter(|record| !record.is_empty());
    records.flat_map(check_commit).collect()
}

fn check_commit(record: &str) -> Vec<Finding> {
    let mut fields = record.split('\u{1f}');
    let mut field = || fields.next().unwrap_or_default();
    let (hash, subject, body) = (field(), field(), field());
    let mut findings = Vec::new();
    let mut found = |message: &str| {
        findings.push(Finding::new(format!("commit {hash}"), format!("{message}: {subject}")));
    };
    let is_well_formed = subject.split_once(": ").is_some_and(|(area, what)| {
        !area.is_empty() && !area.contains(' ') && what.starts_with(char::is_uppercase)
    });
    if !is_well_formed {
        found("the subject is not `area: Verb what`");
    }
    if subject.contains(';') {
        found("the subject joins two things with `;`");
    }
    if body.trim().is_empty() {
        found("the message has no body that explains why");
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(subject: &str, body: &str) -> usize {
        check(&format!("abc\u{1f}{subject}\u{1f}{body}\u{1e}\n")).len()
    }

    #[test]
    fn a_subject_with_a_body_is_accepted() {
        assert_eq!(messages("app: Sell tickets", "People want them.\n\nVerified by tests.\n"), 0);
        assert_eq!(check(""), []);
    }

    #[test]
    fn a_commit_without_a_body_or_of_another_form_is_found() {
        assert_eq!(messages("app: Sell tickets", "\n"), 1);
        assert_eq!(messages("Sell tickets", "Why."), 1);
        assert_eq!(messages("app: sell tickets", "Why."), 1);
        assert_eq!(messages("app: Sell tickets; refund them", "Why."), 1);
    }
}
