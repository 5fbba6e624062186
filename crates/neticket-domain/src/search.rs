//! What people enter in the search field.

/// The longest query, in characters. The API refuses longer ones.
pub const SEARCH_LEN_MAX: u64 = 100;
/// The most words of a query that are used. Further words are ignored.
pub const SEARCH_WORDS_MAX: usize = 8;

/// The words of a query: lower case, none empty, at most [`SEARCH_WORDS_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchWords(Vec<String>);

impl SearchWords {
    /// Splits `query` at white space.
    pub fn parse(query: &str) -> Self {
        Self(query.split_whitespace().take(SEARCH_WORDS_MAX).map(str::to_lowercase).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The text of an event in which the words are searched.
    pub fn haystack(title: &str, place: &str) -> String {
        format!("{title}\n{place}").to_lowercase()
    }

    /// A `LIKE` pattern that finds `word` anywhere in a text. The escape character is `!`.
    pub fn like_pattern(word: &str) -> String {
        let mut pattern = String::with_capacity(word.len() + 2);
        pattern.push('%');
        for c in word.chars() {
            if matches!(c, '%' | '_' | '!') {
                pattern.push('!');
            }
            pattern.push(c);
        }
        pattern.push('%');
        pattern
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_words_are_split_lower_cased_and_limited() {
        let words = SearchWords::parse("  Hamlet\t서울   100% ");
        assert_eq!(words.iter().collect::<Vec<_>>(), ["hamlet", "서울", "100%"]);
        assert_eq!(SearchWords::parse(&"a ".repeat(50)).iter().count(), SEARCH_WORDS_MAX);
        assert!(SearchWords::parse(" \n ").is_empty());
    }

    #[test]
    fn wildcards_in_a_search_word_are_literal() {
        assert_eq!(SearchWords::like_pattern("100%_!"), "%100!%!_!!%");
    }
}
