//! How tokens are judged.

use super::*;
use crate::storage::token_secrets::KnownRepository;

const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

fn known() -> KnownApiToken {
    KnownApiToken::good(NOW)
}

#[test]
fn a_good_token_is_its_owners() {
    let Caller::ApiToken(caller) = judge(&known(), None, NOW).unwrap().caller else { panic!("another kind") };
    assert_eq!(caller.username, "ada");
    assert!(judge(&known(), Some("ADA"), NOW).is_ok());
}

#[test]
fn each_way_of_being_bad_is_refused_at_its_very_moment() {
    let id = known().id;
    for (bad, reason) in [
        (KnownApiToken { revoked: true, ..known() }, Reason::Revoked(id)),
        (KnownApiToken { expires_at: Some(NOW), ..known() }, Reason::Expired(id)),
        (KnownApiToken { secret_ends_at: Some(NOW), ..known() }, Reason::Replaced(id)),
        (KnownApiToken { disabled: true, ..known() }, Reason::Disabled(id)),
        (KnownApiToken { owner_disabled: true, ..known() }, Reason::OwnerDisabled(id)),
        (KnownApiToken { owner_privileges: Privileges::NONE, ..known() }, Reason::NoApiAccess(id)),
    ] {
        assert_eq!(judge(&bad, None, NOW).unwrap_err(), reason);
    }
    assert_eq!(judge(&known(), Some("eve"), NOW).unwrap_err(), Reason::WrongUsername(id));
    assert!(judge(&known(), Some(""), NOW).is_ok());
    assert!(judge(&KnownApiToken { expires_at: Some(NOW.plus(1)), ..known() }, None, NOW).is_ok());
}

#[test]
fn a_right_is_what_token_selection_and_owner_have_in_common() {
    use Permission::{None as Nothing, Read, Write};
    let repository: RepositoryId = "4".parse().unwrap();
    for (permission, selected_only, selected, grant, expected) in [
        (Write, false, false, Some(Write), Some(Write)),
        (Write, false, false, Some(Read), Some(Read)),
        (Read, false, false, Some(Write), Some(Read)),
        (Write, false, false, None, None),
        (Nothing, false, false, Some(Write), None),
        (Write, true, true, Some(Write), Some(Write)),
        (Write, true, false, Some(Write), None),
    ] {
        let at = Some(KnownRepository { id: repository, grant, selected });
        let permissions = Permissions { repositories: permission, ..Permissions::default() };
        let right = judge(&KnownApiToken { permissions, selected_only, at, ..known() }, None, NOW).unwrap().right;
        assert_eq!(
            right.map(|right| right.permission),
            expected,
            "{permission:?} {selected_only} {selected} {grant:?}"
        );
    }
}

#[test]
fn a_repositorys_token_is_good_until_the_very_second_of_its_end_and_under_its_own_name() {
    let known = KnownRepositoryToken {
        id: "3".parse().unwrap(),
        repository: "4".parse().unwrap(),
        name: RepositoryName::parse("payments").unwrap(),
        created_at: NOW,
        ends_at: None,
        first_use_pending: false,
    };
    let ending = |end| KnownRepositoryToken { ends_at: Some(end), ..known.clone() };
    assert!(judge_repository(&known, None, None, NOW).is_ok());
    assert!(judge_repository(&ending(NOW.plus(1)), Some("payments"), None, NOW).is_ok());
    assert!(matches!(judge_repository(&ending(NOW), None, None, NOW), Err(Reason::RepositoryTokenReplaced(_))));
    for name in ["", "Payments", "payment", "payments-x"] {
        let refusal = judge_repository(&known, Some(name), None, NOW);
        assert!(matches!(refusal, Err(Reason::WrongRepositoryName(_))), "{name}");
    }
    let at = |name| RepositoryName::parse(name).unwrap();
    let right = |name| judge_repository(&known, None, Some(&at(name)), NOW).unwrap().right;
    assert_eq!(right("payments").map(|right| right.permission), Some(Permission::Write));
    assert_eq!(right("payments-x"), None);
}
