//! Budgets count each kind of change and each owner apart, end with their window, and take bounded memory.

use super::*;

const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);
const LIMITS: BudgetLimits = BudgetLimits { token_creations: 2, rotations: 3, writes: 4 };

fn user(number: u8) -> BudgetOwner {
    BudgetOwner::User(format!("{number}").parse().unwrap())
}

fn count(budgets: &ChangeBudgets, owner: BudgetOwner, kind: ChangeKind, privileges: Privileges) -> usize {
    (0..5_000).take_while(|_| budgets.charge(owner, kind, privileges, NOW).is_ok()).count()
}

#[test]
fn budget_of_each_kind_and_owner_is_separate() {
    let budgets = ChangeBudgets::new(LIMITS);
    let BudgetOwner::User(id) = user(1) else { panic!() };
    for owner in [user(1), user(2), BudgetOwner::TokensOf(id)] {
        assert_eq!(count(&budgets, owner, ChangeKind::TokenCreation, Privileges::NONE), 2);
        assert_eq!(count(&budgets, owner, ChangeKind::Rotation, Privileges::NONE), 3);
        assert_eq!(count(&budgets, owner, ChangeKind::Write, Privileges::NONE), 4);
        assert_eq!(count(&budgets, owner, ChangeKind::Ending, Privileges::NONE), 4);
    }
}

#[test]
fn managers_have_a_thousand_of_each_kind() {
    for privilege in [Privilege::RepositoryManagement, Privilege::UserManagement] {
        let budgets = ChangeBudgets::new(LIMITS);
        let privileges = Privileges::NONE.with(privilege);
        assert_eq!(count(&budgets, user(1), ChangeKind::Write, privileges), 1_000);
    }
}

#[test]
fn exhausted_budget_names_the_seconds_until_the_next_window() {
    let budgets = ChangeBudgets::new(LIMITS);
    count(&budgets, user(1), ChangeKind::Write, Privileges::NONE);
    let charge = |at| budgets.charge(user(1), ChangeKind::Write, Privileges::NONE, at);
    assert_eq!(charge(NOW.plus(600)).unwrap_err(), RetryAfter(HOUR - 600));
    assert!(charge(NOW.plus(HOUR)).is_ok());
    assert!(charge(NOW).is_ok(), "a clock that was set back does not lock out");
}

#[test]
fn refund_returns_a_charge_of_the_same_window_only() {
    let budgets = ChangeBudgets::new(LIMITS);
    let charge = |at| budgets.charge(user(1), ChangeKind::TokenCreation, Privileges::NONE, at);
    let first = charge(NOW).unwrap();
    charge(NOW).unwrap();
    budgets.refund(first);
    charge(NOW).unwrap();
    assert!(charge(NOW).is_err());
    charge(NOW.plus(HOUR)).unwrap();
    charge(NOW.plus(HOUR)).unwrap();
    budgets.refund(first);
    assert!(charge(NOW.plus(HOUR)).is_err());
}

#[test]
fn failure_events_are_limited_for_each_account_and_address_and_in_all() {
    let budgets = ChangeBudgets::new(LIMITS);
    let BudgetOwner::User(id) = user(1) else { panic!() };
    let allowed = |user, host: u8| {
        let address = IpAddr::from([192, 0, 2, host]);
        (0..50).filter(|_| budgets.allows_failure_event(user, address, NOW)).count()
    };
    assert_eq!(allowed(None, 1), 5);
    assert_eq!((2..100).map(|host| allowed(None, host)).sum::<usize>(), 55);
    // Names that no user has take nothing from those of users.
    assert_eq!(allowed(Some(id), 1), 5);
    assert_eq!((2..=255).map(|host| allowed(Some(id), host)).sum::<usize>(), 595);
}

#[test]
fn session_events_are_limited_for_each_user_and_address() {
    let budgets = ChangeBudgets::new(LIMITS);
    let BudgetOwner::User(id) = user(1) else { panic!() };
    let allowed = |action, host: u8| {
        let address = IpAddr::from([192, 0, 2, host]);
        (0..100).filter(|_| budgets.allows_session_event(action, id, address, NOW)).count()
    };
    for (action, host) in [(Action::SignedIn, 1), (Action::SignedOut, 1), (Action::SignedIn, 2)] {
        assert_eq!(allowed(action, host), 60);
    }
}
