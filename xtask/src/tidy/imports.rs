//! Reads which names a source file imports: words, not a syntax tree.
//!
//! Code that only tests compile, bodies of macros and the visibility of items do not count.

/// The names of a path, or of a module below the root of its crate.
pub(super) type Path<'a> = Vec<&'a str>;

#[derive(Default)]
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    /// The modules that it declares and that have a file.
    pub(super) children: Vec<&'a str>,
    pub(super) uses: Vec<Use<'a>>,
    /// The rest of the code.
    body: Vec<&'a str>,
}

/// One name that a `use` brings into the file.
pub(super) struct Use<'a> {
    pub(super) path: Path<'a>,
    pub(super) name: &'a str,
    pub(super) is_public: bool,
}

impl<'a> Source<'a> {
    /// The paths in the code outside of `use`.
    pub(super) fn inline_paths(&self) -> impl Iterator<Item = Path<'a>> {
        (0..self.body.len()).filter_map(move |at| {
            let (before, code) = self.body.split_at(at);
            let is_start = !before.ends_with(&["::"]) && !before.ends_with(&["(", "in"]);
            let names = code[1..]
                .chunks_exact(2)
                .take_while(|pair| pair[0] == "::" && pair[1].starts_with(is_of_word));
            let path: Path<'a> = code[..1].iter().copied().chain(names.map(|pair| pair[1])).collect();
            (is_start && path.len() > 1).then_some(path)
        })
    }

    /// Whether the code uses the type, constant or function `name`. A field or variable does not count.
    pub(super) fn names(&self, name: &str) -> bool {
        self.body.windows(3).any(|code| {
            let is_call = code[2] == "(" || name.starts_with(char::is_uppercase);
            code[1] == name && is_call && !matches!(code[0], "." | "::" | "fn")
        })
    }
}

pub(super) fn read<'a>(file: &'a str, text: &'a str) -> Source<'a> {
    let tokens = tokens(text);
    let mut source = Source { file, ..Source::default() };
    let mut at = 0;
    while let Some(&token) = tokens.get(at) {
        let next = |distance: usize| tokens.get(at + distance).copied().unwrap_or_default();
        at = match token {
            "#" if is_test_attribute(&tokens[at..]) => item_end(&tokens, at),
            "macro_rules" => item_end(&tokens, at),
            "mod" if next(2) == ";" => {
                source.children.push(next(1));
                at + 3
            }
            // `use<>` names what a type captures.
            "use" if next(1) != "<" => {
                let is_public = at > 0 && matches!(tokens[at - 1], "pub" | ")");
                use_tree(&tokens, at + 1, &[], is_public, &mut source.uses)
            }
            _ => {
                source.body.push(token);
                at + 1
            }
        };
    }
    source
}

/// The words and signs of the code, without comments and literals.
fn tokens(text: &str) -> Vec<&str> {
    let (mut tokens, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        let until =
            |from: usize, end: &str| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
        let raw =
            rest.strip_prefix('r').map(|it| it.trim_start_matches('#')).filter(|it| it.starts_with('"'));
        let (len, is_code) = if let Some(quoted) = raw {
            let open = rest.len() - quoted.len() + 1;
            (until(open, &format!("\"{}", "#".repeat(open - 2))), false)
        } else if rest.starts_with("//") {
            (until(0, "\n"), false)
        } else if rest.starts_with("/*") {
            (until(0, "*/"), false)
        } else if first == '"' {
            let mut is_escaped = true;
            let end = rest.find(|c| {
                let ends = c == '"' && !is_escaped;
                is_escaped = c == '\\' && !is_escaped;
                ends
            });
            (end.map_or(rest.len(), |at| at + 1), false)
        } else if rest.starts_with("'\\") {
            (until(3, "'"), false)
        } else if first == '\'' && rest.chars().nth(2) == Some('\'') {
            (until(1, "'"), false)
        } else if is_of_word(first) {
            (rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len()), true)
        } else {
            (if rest.starts_with("::") { 2 } else { first.len_utf8() }, !first.is_whitespace())
        };
        let (token, after) = rest.split_at(len);
        tokens.extend(is_code.then_some(token));
        rest = after;
    }
    tokens
}

fn is_test_attribute(tokens: &[&str]) -> bool {
    let attribute = tokens.split(|token| *token == "]").next().unwrap_or_default();
    attribute.starts_with(&["#", "[", "cfg"]) && attribute.contains(&"test") && !attribute.contains(&"not")
}

/// Where the item that begins at `at` ends.
fn item_end(tokens: &[&str], at: usize) -> usize {
    let mut depth = 0_usize;
    let end = tokens.iter().skip(at).position(|token| {
        match *token {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && matches!(*token, "}" | ";")
    });
    end.map_or(tokens.len(), |end| at + end + 1)
}

/// Adds the names of the tree of a `use` that begins at `at`. Returns where it ends.
fn use_tree<'a>(
    tokens: &[&'a str],
    mut at: usize,
    prefix: &[&'a str],
    is_public: bool,
    uses: &mut Vec<Use<'a>>,
) -> usize {
    let (mut path, mut alias) = (prefix.to_vec(), None);
    while let Some(&token) = tokens.get(at).filter(|token| !matches!(**token, "," | ";" | "}")) {
        at += 1;
        match token {
            "{" => {
                while tokens.get(at).is_some_and(|token| *token != "}") {
                    at = use_tree(tokens, at, &path, is_public, uses);
                    at += usize::from(tokens.get(at) == Some(&","));
                }
                return at + 1;
            }
            "as" => {
                alias = tokens.get(at).copied();
                at += 1;
            }
            "::" => {}
            "self" if !path.is_empty() => {}
            _ => path.push(token),
        }
    }
    let name = alias.or(path.last().copied()).unwrap_or_default();
    uses.push(Use { path, name, is_public });
    at
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imported(text: &str) -> Vec<String> {
        let source = read("a.rs", text);
        let mut paths: Vec<_> = source.uses.iter().map(|it| it.path.join("::")).collect();
        paths.extend(source.inline_paths().map(|it| it.join("::")));
        paths
    }

    #[test]
    fn nested_names_and_inline_paths_are_read() {
        let text =
            "pub(crate) use crate::{a::{self, B as C}, d};\nfn f() { let e = crate::e::f(super::g::H) }";
        assert_eq!(imported(text), ["crate::a", "crate::a::B", "crate::d", "crate::e::f", "super::g::H"]);
        let names: Vec<_> = read("a.rs", text).uses.iter().map(|it| (it.name, it.is_public)).collect();
        assert_eq!(names, [("a", true), ("C", true), ("d", true)]);
    }

    #[test]
    fn what_is_not_code_or_only_for_tests_is_left_out() {
        for text in [
            "// use crate::a;\n/* crate::a::b */",
            "const A: &str = \"\\\"crate::a\"; const B: &str = r#\"crate::a \" crate::b\"#;",
            "const C: [char; 2] = ['\"', '\\''];",
            "#[cfg(test)]\nmod tests { use super::*; fn f() { crate::a::b() } }",
            "#[cfg(all(test, unix))]\n#[path = \"b.rs\"]\nmod b;",
            "macro_rules! m { () => { crate::a::b() } }",
            "pub(in crate::a) struct A<'a>(impl Iterator<Item = &'a str> + use<'a>);",
        ] {
            assert_eq!(imported(text), [""; 0], "{text}");
        }
        assert_eq!(read("a.rs", "mod a;\n#[cfg(test)]\nmod b;\nmod c {}").children, ["a"]);
    }

    #[test]
    fn fields_and_variables_are_not_the_function_of_their_name() {
        assert!(read("a.rs", "fn g() { f(1) }").names("f"));
        assert!(read("a.rs", "struct A { b: B }").names("B"));
        assert!(!read("a.rs", "fn g(f: u8) { a.f(); c::f() }").names("f"));
    }
}
