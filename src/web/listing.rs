//! Long lists: search, order and pages, all of it in the address.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::form::Typed;
use crate::domain::text::{nfc, search_key};

/// Rows of a page.
pub const PAGE: i64 = 25;
/// Pages beyond are not offered.
const LAST_PAGE: i64 = 10_000;
/// Longest search in characters after NFC, and most words in it.
const LONGEST: usize = 60;
/// Characters that are read of it: NFC makes one of at most 4.
const MAX_TYPED: usize = 4 * LONGEST;
const MOST_WORDS: usize = 4;

/// What part of a list is asked for. `C` names the columns that it can be ordered by.
#[derive(Debug, Clone)]
pub struct Listing<C: 'static> {
    base: &'static str,
    columns: &'static [(&'static str, C)],
    /// As typed.
    pub search: String,
    pub order: C,
    pub descending: bool,
    /// From 1.
    pub page: i64,
}

/// The header of a column that the list can be ordered by.
#[derive(Debug, Clone)]
pub struct Sort {
    pub label: &'static str,
    /// Orders by this column, or turns its order round.
    pub href: String,
    /// `ascending` or `descending`, where the list is ordered by it now.
    pub direction: Option<&'static str>,
}

/// The way through the pages of a list.
#[derive(Debug, Clone)]
pub struct Pages {
    pub previous: Option<String>,
    pub next: Option<String>,
    /// `26 to 50 of 1,000`
    pub summary: String,
}

/// Leaves the rows of one page, of which one more was asked for; whether there are more.
pub fn shorten<T>(rows: &mut Vec<T>) -> bool {
    let page = usize::try_from(PAGE).unwrap_or_default();
    let more = rows.len() > page;
    rows.truncate(page);
    more
}

/// What a query searches for in `q`, as it is shown again.
pub fn searched(query: &Typed) -> String {
    // PostgreSQL cannot hold NUL in a text.
    let typed: String = query.text("q").trim().chars().filter(|c| !c.is_control()).take(MAX_TYPED).collect();
    nfc(&typed).chars().take(LONGEST).collect()
}

/// The words of a search, in lower case.
pub fn words(search: &str) -> Vec<String> {
    let mut words: Vec<String> = search.split_whitespace().map(search_key).collect();
    words.sort_unstable();
    words.dedup();
    words.truncate(MOST_WORDS);
    words
}

impl<C: Copy + PartialEq> Listing<C> {
    /// Reads `q`, `sort` and `page`. Links may come from anywhere: what makes no sense counts as not there.
    /// `columns` are the names in addresses; the first is the order of an address that names none.
    pub fn of(query: &Typed, base: &'static str, columns: &'static [(&'static str, C)]) -> Self {
        let sort = query.text("sort");
        let name = sort.strip_prefix('-').unwrap_or(sort);
        let found = columns.iter().find(|(own, _)| *own == name);
        Self {
            base,
            columns,
            search: searched(query),
            order: found.unwrap_or(&columns[0]).1,
            descending: found.is_some() && sort.starts_with('-'),
            page: query.text("page").parse().unwrap_or(1).clamp(1, LAST_PAGE),
        }
    }

    /// The words that are searched for.
    pub fn words(&self) -> Vec<String> {
        words(&self.search)
    }

    /// How many rows lie before this page.
    pub const fn offset(&self) -> i64 {
        (self.page - 1) * PAGE
    }

    pub fn sort(&self, column: C, label: &'static str) -> Sort {
        let current = self.order == column;
        Sort {
            label,
            href: self.address(column, current && !self.descending, 1),
            direction: current.then_some(if self.descending { "descending" } else { "ascending" }),
        }
    }

    /// The way from this page, of `total` rows.
    pub fn pages(&self, total: i64) -> Pages {
        let to = |page| self.address(self.order, self.descending, page);
        let (first, last) = (self.offset() + 1, (self.offset() + PAGE).min(total));
        let summary = match total {
            0 => "None".into(),
            _ if first > total => format!("Nothing on this page; there are {}", grouped(total)),
            _ => format!("{} to {} of {}", grouped(first), grouped(last), grouped(total)),
        };
        let beyond = self.offset() >= total;
        Pages {
            previous: (self.page > 1)
                .then(|| to(if beyond { 1.max((total + PAGE - 1) / PAGE) } else { self.page - 1 })),
            next: (self.offset() + PAGE < total && self.page < LAST_PAGE).then(|| to(self.page + 1)),
            summary,
        }
    }

    fn address(&self, column: C, descending: bool, page: i64) -> String {
        let mut address = self.base.to_owned();
        let mut add = |name: &str, value: &str| {
            address.push(if address.contains('?') { '&' } else { '?' });
            address.push_str(name);
            address.push('=');
            address.push_str(value);
        };
        if !self.search.is_empty() {
            add("q", &utf8_percent_encode(&self.search, NON_ALPHANUMERIC).to_string());
        }
        if let Some((name, _)) = self.columns.iter().find(|(_, own)| *own == column)
            && (descending || column != self.columns[0].1)
        {
            add("sort", &format!("{}{name}", if descending { "-" } else { "" }));
        }
        if page > 1 {
            add("page", &page.to_string());
        }
        address
    }
}

/// `1,234,567`
pub fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + 4);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Column {
        Name,
        Age,
    }

    const COLUMNS: &[(&str, Column)] = &[("name", Column::Name), ("age", Column::Age)];

    fn listing(query: &str) -> Listing<Column> {
        let request = actix_web::test::TestRequest::with_uri(&format!("/things?{query}")).to_http_request();
        Listing::of(&Typed::of_any_query(&request).ok().unwrap(), "/things", COLUMNS)
    }

    #[test]
    fn an_address_is_read_and_written_again() {
        let listing = listing("q=a%20b%26c&sort=-age&page=2");
        assert_eq!((listing.order, listing.descending, listing.offset()), (Column::Age, true, 25));
        assert_eq!(listing.words(), ["a", "b&c"]);
        assert_eq!(listing.pages(60).next.unwrap(), "/things?q=a%20b%26c&sort=-age&page=3");
        assert_eq!(listing.pages(60).previous.unwrap(), "/things?q=a%20b%26c&sort=-age");
        assert_eq!(listing.sort(Column::Age, "Age").href, "/things?q=a%20b%26c&sort=age");
        assert_eq!(listing.sort(Column::Name, "Name").href, "/things?q=a%20b%26c");
    }

    #[test]
    fn what_makes_no_sense_counts_as_not_there() {
        for query in ["", "sort=size", "sort=-", "page=0", "page=x", "page=-1", "page=99999999999999999999"] {
            let listing = listing(query);
            assert_eq!((listing.order, listing.descending, listing.page), (Column::Name, false, 1), "{query}");
        }
    }

    #[test]
    fn the_summary_tells_where_one_is() {
        assert_eq!(listing("page=2").pages(1_234).summary, "26 to 50 of 1,234");
        assert_eq!(listing("").pages(7).summary, "1 to 7 of 7");
        let beyond = listing("page=9").pages(30);
        assert_eq!((beyond.next, beyond.previous.as_deref()), (None, Some("/things?page=2")));
        assert_eq!(grouped(1_000_000), "1,000,000");
        assert_eq!((grouped(0).as_str(), grouped(999).as_str(), grouped(-1_000).as_str()), ("0", "999", "-1,000"));
    }
}
