//! Policies: the limits that administrators set for all tokens.

use serde::{Deserialize, Serialize};

use super::Invalid;
use super::timestamp::{DAY, HOUR};

/// Most days of a maximum lifetime.
const LONGEST_LIFETIME: u32 = 3_650;
/// Most API tokens that a policy may let a user have.
const MOST_API_TOKENS: u32 = 100;

/// How long an old secret still works after a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Grace {
    AtOnce,
    OneHour,
    OneDay,
    SevenDays,
}

impl From<Grace> for &'static str {
    fn from(grace: Grace) -> Self {
        grace.name()
    }
}

impl TryFrom<String> for Grace {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        Self::from_name(&name).ok_or_else(|| Invalid(format!("no grace period is named {name}")))
    }
}

impl Grace {
    /// A replaced secret that works for longer there is none.
    pub const LONGEST: Self = Self::SevenDays;
    pub const ALL: [Self; 4] = [Self::AtOnce, Self::OneHour, Self::OneDay, Self::SevenDays];

    pub const fn seconds(self) -> i64 {
        match self {
            Self::AtOnce => 0,
            Self::OneHour => HOUR,
            Self::OneDay => DAY,
            Self::SevenDays => 7 * DAY,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::AtOnce => "now",
            Self::OneHour => "1h",
            Self::OneDay => "24h",
            Self::SevenDays => "7d",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::AtOnce => "at once",
            Self::OneHour => "after 1 hour",
            Self::OneDay => "after 24 hours",
            Self::SevenDays => "after 7 days",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grace| grace.name() == name)
    }
}

/// Each field is stored under its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Longest lifetime of a new API token in days.
    pub max_lifetime_days: Option<u32>,
    pub no_expiry_allowed: bool,
    /// Most API tokens a user may have; where unset, the program's own limit holds.
    pub max_api_tokens: Option<u32>,
    /// The graces offered at a rotation, never empty.
    pub graces: Vec<Grace>,
    /// Whether a repository token is shown when it is made and never again.
    pub repository_tokens_shown_once: bool,
}

impl Policy {
    /// Reads a maximum lifetime in days; where nothing is typed, there is none.
    pub fn parse_max_lifetime(text: &str) -> Result<Option<u32>, Invalid> {
        number_or_nothing(text, LONGEST_LIFETIME).ok_or_else(|| {
            Invalid::new(format!(
                "Maximum lifetime must be a whole number of days from 1 to {LONGEST_LIFETIME}. Leave it empty for none."
            ))
        })
    }

    /// Reads how many API tokens a user may have; where nothing is typed, the program's own limit holds.
    pub fn parse_max_api_tokens(text: &str) -> Result<Option<u32>, Invalid> {
        number_or_nothing(text, MOST_API_TOKENS).ok_or_else(|| {
            Invalid::new(format!(
                "Most API tokens must be a whole number from 1 to {MOST_API_TOKENS}. Leave it empty for the program's own limit."
            ))
        })
    }

    /// What is different in `new`, in words, with what it was; empty where nothing is.
    pub fn changes_to(&self, new: &Self) -> String {
        let [old, new] = [self, new].map(Self::in_words);
        let changed = old.into_iter().zip(new).filter(|(old, new)| old.1 != new.1);
        changed.map(|((what, old), (_, new))| format!("{what}: {new}, was {old}")).collect::<Vec<_>>().join("; ")
    }

    fn in_words(&self) -> [(&'static str, String); 5] {
        let lifetime = match self.max_lifetime_days {
            None => "none".into(),
            Some(1) => "1 day".into(),
            Some(days) => format!("{days} days"),
        };
        let graces: Vec<_> = self.graces.iter().map(|grace| grace.label()).collect();
        let most = self.max_api_tokens.map_or("the program's own".into(), |most| most.to_string());
        [
            ("maximum lifetime", lifetime),
            ("without expiry", if self.no_expiry_allowed { "allowed" } else { "not allowed" }.into()),
            ("most API tokens", most),
            ("old tokens stop working", graces.join(" or ")),
            ("repository tokens", if self.repository_tokens_shown_once { "shown once" } else { "shown again" }.into()),
        ]
    }

    /// The grace of this name, if it is offered; where none is named, the first that is.
    pub fn grace(&self, name: Option<&str>) -> Result<Grace, Invalid> {
        let mut offered = self.graces.iter().copied();
        let found = match name {
            Some(name) => offered.find(|grace| grace.name() == name),
            None => offered.next(),
        };
        found.ok_or_else(|| {
            let names: Vec<_> = self.graces.iter().map(|grace| grace.name()).collect();
            Invalid::new(format!("Choose when the old token stops working: {}.", names.join(" or ")))
        })
    }

    /// A token without an end would outlive any maximum.
    pub fn offers_no_expiry(&self) -> bool {
        self.no_expiry_allowed && self.max_lifetime_days.is_none()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_lifetime_days: None,
            no_expiry_allowed: true,
            max_api_tokens: None,
            graces: Grace::ALL.to_vec(),
            repository_tokens_shown_once: false,
        }
    }
}

/// Nothing, or a number from 1 to `most`; `None` for all else.
fn number_or_nothing(text: &str, most: u32) -> Option<Option<u32>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(None);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && (1..=most).contains(number))?;
    Some(Some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_within_its_bounds_and_nothing_is_none() {
        for (text, days) in [("", None), ("  ", None), ("1", Some(1)), (" 90 ", Some(90)), ("3650", Some(3_650))] {
            assert_eq!(Policy::parse_max_lifetime(text), Ok(days), "{text}");
        }
        for text in ["0", "3651", "-1", "+1", "1.5", "ten", "1e2", "٣", "99999999999999999999", "1 2"] {
            assert!(Policy::parse_max_lifetime(text).unwrap_err().0.contains("1 to 3650"), "{text}");
        }
        assert_eq!(Policy::parse_max_api_tokens("100"), Ok(Some(100)));
        assert!(Policy::parse_max_api_tokens("101").unwrap_err().0.contains("1 to 100"));
    }

    #[test]
    fn changes_are_told_with_what_was_before() {
        let before = Policy::default();
        assert_eq!(before.changes_to(&before), "");
        let after =
            Policy { max_lifetime_days: Some(90), graces: vec![Grace::AtOnce, Grace::OneDay], ..before.clone() };
        assert_eq!(
            before.changes_to(&after),
            "maximum lifetime: 90 days, was none; old tokens stop working: at once or after 24 hours, was at once or after 1 hour or after 24 hours or after 7 days"
        );
        let once = Policy { repository_tokens_shown_once: true, max_api_tokens: Some(1), ..before.clone() };
        assert_eq!(
            once.changes_to(&before),
            "most API tokens: the program's own, was 1; repository tokens: shown again, was shown once"
        );
    }
}
