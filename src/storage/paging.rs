//! Pages of long lists: what is searched for, and how much there is.

use super::error::Result;
use crate::domain::text::search_key;

/// How many rows there are on all pages, where this page, which begins after `offset` rows and has room for `limit`, has
/// `found` of them. A search looks at every row to count, so it is counted only where the page does not tell.
pub(super) fn total(found: usize, offset: i64, limit: i64, count: impl FnOnce() -> Result<i64>) -> Result<i64> {
    let found = i64::try_from(found).unwrap_or(limit);
    if (found > 0 && found < limit) || (found == 0 && offset == 0) { Ok(offset + found) } else { count() }
}

/// What is read for a page: `limit` rows after the first `offset`, in the order of the list or from its end on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub offset: i64,
    pub limit: i64,
    pub backwards: bool,
}

impl Slice {
    /// Where it is known how many rows there are, a page in the second half is read from the end: what lies before a page
    /// is passed over row by row.
    pub(super) fn of(offset: i64, limit: i64, total: Option<i64>) -> Self {
        match total {
            Some(total) if offset > total / 2 => Self {
                offset: (total - offset - limit).max(0),
                limit: (total - offset).clamp(0, limit),
                backwards: true,
            },
            _ => Self { offset, limit, backwards: false },
        }
    }
}

/// Narrows a boxed query to the rows whose `column` holds `word`.
macro_rules! holding {
    ($query:expr, $column:expr, $word:expr) => {{
        let pattern = $crate::storage::paging::containing($word);
        if pattern.contains('\\') {
            $query.filter($column.like(pattern).escape('\\'))
        } else {
            // SQLite asks for the escape at each row.
            $query.filter($column.like(pattern))
        }
    }};
}
pub(super) use holding;

/// A pattern for LIKE with backslash as its escape: anything around the word.
pub(super) fn containing(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len() + 2);
    pattern.push('%');
    for character in search_key(word).chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_like_understands_is_searched_for_as_it_is() {
        assert_eq!(containing("100%_\\Ä"), "%100\\%\\_\\\\ä%");
    }

    #[test]
    fn a_page_near_the_end_is_read_from_there() {
        let read = |offset, total| {
            let slice = Slice::of(offset, 25, total);
            (slice.offset, slice.limit, slice.backwards)
        };
        assert_eq!(read(75, None), (75, 25, false));
        assert_eq!(read(50, Some(100)), (50, 25, false));
        assert_eq!(read(75, Some(110)), (10, 25, true));
        assert_eq!(read(100, Some(110)), (0, 10, true), "the last page");
        assert_eq!(read(125, Some(110)), (0, 0, true), "after it");
    }

    #[test]
    fn a_page_that_is_not_full_tells_the_total() {
        let counted = || Ok(99);
        for (found, offset, total_of_all) in [(0, 0, 0), (7, 0, 7), (7, 50, 57), (25, 0, 99), (0, 25, 99)] {
            assert_eq!(total(found, offset, 25, counted).unwrap(), total_of_all, "{found} after {offset}");
        }
    }
}
