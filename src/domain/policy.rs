//! Policies: the limits that administrators set for all tokens.

use super::timestamp::{DAY, HOUR};

/// How long an old secret still works after a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grace {
    AtOnce,
    OneHour,
    OneDay,
    SevenDays,
}

impl Grace {
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

#[derive(Debug, Clone, PartialEq, Eq)]
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
