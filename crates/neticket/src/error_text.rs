//! Errors as an operator reads them.

/// Joins the error and its causes. Leaves out a cause whose text is already contained in the texts before it.
pub(crate) fn one_sentence(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |text, cause| {
        if text.contains(&cause) {
            text
        } else if text.is_empty() {
            cause
        } else {
            format!("{text}: {cause}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_cause_is_printed_once() {
        let error = anyhow::anyhow!("refused").context("no database: refused").context("cannot start");
        assert_eq!(one_sentence(&error), "cannot start: no database: refused");
    }
}
