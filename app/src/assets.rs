//! The built files that pages are made of.

/// The addresses of the built files. All begin with a hash of their content.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    /// The hash of all of them: which build this is.
    pub build: String,
    /// The JavaScript that loads the WASM.
    pub js: String,
    /// The WASM.
    pub wasm: String,
    /// The styles.
    pub css: String,
    /// The pages that take more than that: the path of each as the route table has it, and what it takes.
    pub pages: Vec<(String, Vec<String>)>,
}

impl Assets {
    /// What else the page at this path takes, so that it comes beside the WASM and not after it.
    pub(crate) fn besides(&self, path: &str) -> &[String] {
        let page = self.pages.iter().find(|(pattern, _)| fits(pattern, path));
        page.map_or(&[], |(_, files)| files)
    }
}

/// Whether a path is one of those that the route table means.
fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (Some(wanted), Some(found))
                if wanted == found || wanted.starts_with(':') && !found.is_empty() => {}
            (end, other) => return end.is_none() && other.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_takes_besides_is_found_by_its_path() {
        let page = |path: &str, file: &str| (path.to_owned(), vec![file.to_owned()]);
        let pages = vec![page("/accounts", "all"), page("/accounts/:number/users", "users")];
        let assets = Assets { pages, ..Assets::default() };
        assert_eq!(assets.besides("/accounts"), ["all"]);
        assert_eq!(assets.besides("/accounts/100001/users"), ["users"]);
        for other in [
            "",
            "/",
            "/accounts/100001",
            "/accounts/100001/users/",
            "/accounts//users",
            "/accounts/1/2/users",
        ] {
            assert!(assets.besides(other).is_empty(), "{other}");
        }
    }
}
