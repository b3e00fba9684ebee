//! `/oauth/revoke` (RFC 7009): whoever holds a token ends it.

use tokenhouse::domain::secret::{Secret, SecretKind};
use tokenhouse::randomness;

use crate::support::{Portal, at_once, on_both, rounds};

on_both![
    what_is_no_token_of_ours_is_answered_alike_and_changes_nothing,
    requests_that_make_no_sense_are_errors_of_oauth,
    nothing_is_taken_over_plain_http,
    token_with_whitespace_around_it_is_revoked,
    an_api_token_is_dead_at_the_very_next_check_of_every_door,
    its_owner_is_told_without_looking_for_it,
    what_waits_to_be_shown_is_withdrawn,
    a_replaced_secret_ends_alone,
    a_disabled_token_is_ended_too,
    a_repository_gets_another_token_in_the_place_of_the_revoked_one,
    with_tokens_shown_once_the_repository_asks_for_a_new_one,
    a_replaced_token_of_a_repository_ends_at_once,
    a_service_is_cut_off_until_it_is_given_another_token,
    dismissed_notice_of_api_token_is_not_shown_again,
    dismissed_notice_of_repository_token_is_not_shown_again,
    twenty_revocations_at_once_end_it_once,
    revoking_and_rotating_at_once_leave_whole_things,
];

const REVOKE: &str = "/oauth/revoke";

fn generated(kind: SecretKind) -> String {
    Secret::generate(kind, &mut randomness::system()).reveal().to_owned()
}

/// How many events of this name there are.
fn told(portal: &Portal, action: &str) -> usize {
    portal.actions().iter().filter(|own| *own == action).count()
}

/// That the repository has exactly one current token.
#[track_caller]
fn assert_one_current(portal: &Portal) {
    use diesel::prelude::*;
    use tokenhouse::storage::schema::{repositories, repository_tokens as tokens};
    let (all, current) = portal.read(|connection| {
        let current = tokens::table.filter(tokens::valid_until.is_null()).count().get_result::<i64>(connection)?;
        Ok((repositories::table.count().get_result::<i64>(connection)?, current))
    });
    assert_eq!(all, current, "every repository has one current token");
}

fn what_is_no_token_of_ours_is_answered_alike_and_changes_nothing(portal: Portal) {
    let ada = portal.user("ada");
    let revoked = portal.token_named(&ada, "revoked");
    portal.revoke(&revoked);
    let manager = portal.user_with("mia", "repository-manager").sign_in();
    let former = manager.create_repository("alpha");
    manager.generate_new("alpha", "at once");
    let replaced = portal.token_named(&ada, "replaced");
    let browser = ada.sign_in();
    browser.submit(&browser.page(&replaced.page("rotation")).form("Rotate token")).with(303);
    let good = portal.token_named(&ada, "good").secret;
    portal.unchanged("nothing to revoke", || {
        for token in [
            generated(SecretKind::ApiToken),
            generated(SecretKind::RepositoryToken),
            generated(SecretKind::ServiceToken),
            revoked.secret.clone(),
            replaced.secret.clone(),
            former.clone(),
            "nonsense".into(),
            good.to_uppercase(),
            format!("ghp_{}", &good[4..]),
            "x".repeat(60_000),
        ] {
            portal.revoke_held(&token);
        }
    });
    assert!(portal.accepts(&good));
}

fn requests_that_make_no_sense_are_errors_of_oauth(portal: Portal) {
    let token = portal.token(&portal.user("ada"), |_| {});
    let secret = token.secret.as_str();
    let post = || portal.request("POST", REVOKE);
    portal.unchanged("a request that makes no sense", || {
        for fields in [&[("", ""); 0][..], &[("token", "")], &[("token", secret), ("token", secret)]] {
            assert_eq!(post().form(fields).send().with(400).json()["error"], "invalid_request");
        }
        post().header("content-type", "application/json").body(format!("{{\"token\":\"{secret}\"}}")).send().with(415);
        post().form(&[("token", "x".repeat(65 * 1024))]).send().with(413);
        let in_address = portal.request("POST", &format!("{REVOKE}?token={secret}"));
        in_address.form(&[("token", secret)]).send().with(400);
        for method in ["GET", "HEAD", "PUT"] {
            assert_eq!(portal.request(method, REVOKE).send().with(405).header("allow"), Some("POST"));
        }
    });
    assert!(portal.accepts(secret));
    let fields = [("token", secret), ("token_type_hint", "refresh_token"), ("client_id", "x")];
    post().form(&fields).send().with(200);
    assert!(!portal.accepts(secret));
}

fn nothing_is_taken_over_plain_http(portal: Portal) {
    let token = portal.token(&portal.user("ada"), |_| {});
    let request = portal.request("POST", REVOKE).header("x-forwarded-proto", "http");
    request.form(&[("token", &token.secret)]).send().with(403);
    assert!(portal.accepts(&token.secret));
}

fn token_with_whitespace_around_it_is_revoked(portal: Portal) {
    let ada = portal.user("ada");
    for (index, (before, after)) in
        [("", "\n"), ("", "\r\n"), (" ", ""), ("\t", " "), ("\n\n ", "\n")].iter().enumerate()
    {
        let token = portal.token_named(&ada, &format!("token {index}"));
        portal.revoke_held(&format!("{before}{}{after}", token.secret));
        assert!(!portal.accepts(&token.secret), "{before:?} and {after:?}");
        portal.revoke(&token);
    }
}

fn an_api_token_is_dead_at_the_very_next_check_of_every_door(portal: Portal) {
    portal.repository("alpha");
    let (_, service) = portal.service("wiki");
    let ada = portal.user("ada");
    for round in 0..5 {
        let token = portal.token_named(&ada, &format!("token {round}"));
        assert!(portal.accepts(&token.secret));
        portal.revoke_held(&token.secret);
        for door in ["/api/v1/me", "/api/v1/repositories", "/api/v1/repositories/alpha"] {
            portal.api(&token.secret, door).with(401);
            portal.request("GET", door).basic("ada", &token.secret).send().with(401);
        }
        assert_eq!(portal.introspect(&service, &token.secret).text(), "{\"active\":false}");
    }
}

fn its_owner_is_told_without_looking_for_it(portal: Portal) {
    let (ada, eve) = (portal.user("ada"), portal.user("eve").sign_in());
    let (token, browser) = (portal.token(&ada, |_| {}), ada.sign_in());
    portal.request("POST", REVOKE).at("203.0.113.7").form(&[("token", &token.secret)]).send().with(200);
    let sentence = "Token “ci” was revoked on 21 Nov 2026, 14:06 UTC by somebody who held it, from 203.0.113.7.";
    for path in ["/profile/api-tokens", "/profile/api-tokens?status=revoked", &token.path()] {
        browser.page(path).says(sentence);
    }
    eve.page("/profile/api-tokens").does_not_say("by somebody who held it");
    let rows = browser.page("/profile/api-tokens?status=revoked").rows();
    assert_eq!(rows[0].cell("Status"), "Revoked");
    portal.advance(30 * 86_400);
    browser.open("/profile/api-tokens");
    let later = ada.sign_in();
    later.page("/profile/api-tokens").says(sentence);
    portal.advance(1);
    later.page("/profile/api-tokens").does_not_say("by somebody who held it");
    // Whoever revokes a token of their own is told nothing.
    let own = portal.token_named(&ada, "own");
    later.submit(&later.page(&own.page("revocation")).form("Revoke token")).with(303);
    later.page("/profile/api-tokens").does_not_say("by somebody who held it");
}

fn what_waits_to_be_shown_is_withdrawn(portal: Portal) {
    let ada = portal.user("ada");
    let (token, browser) = (portal.token(&ada, |_| {}), ada.sign_in());
    let form = browser.page(&token.page("rotation")).form("Rotate token");
    browser.submit(&form.choose("Old token stops working", "after 1 hour")).with(303);
    assert_eq!(portal.count("reveals"), 1);
    // The old secret still works, and ends alone: the new one is still to be shown.
    portal.revoke_held(&token.secret);
    let new = browser.page(&token.path()).secret().expect("it still waits");
    browser.submit(&browser.page(&token.page("rotation")).form("Rotate token")).with(303);
    assert!(!portal.accepts(&new));
    let other = portal.user_with("root", "administrator").sign_in();
    let old = other.create_repository("alpha");
    other.post("/repositories/alpha/token/reveal", &[("", ""); 0]).with(303);
    portal.revoke_held(&old);
    assert_eq!(other.page("/repositories/alpha/configure").secret(), None);
}

fn a_replaced_secret_ends_alone(portal: Portal) {
    let ada = portal.user("ada");
    let (token, browser) = (portal.token(&ada, |_| {}), ada.sign_in());
    let form = browser.page(&token.page("rotation")).form("Rotate token");
    browser.submit(&form.choose("Old token stops working", "after 1 hour")).with(303);
    let new = browser.page(&token.path()).secret().expect("it is shown");
    assert!(portal.accepts(&token.secret));
    portal.revoke_held(&token.secret);
    assert!(!portal.accepts(&token.secret) && portal.accepts(&new));
    browser.page(&token.path()).says("A replaced secret of the token “ci” was revoked on 21 Nov 2026, 14:06 UTC");
    assert_eq!((told(&portal, "api_token.revoked"), told(&portal, "api_token.replaced_secret_revoked")), (0, 1));
}

fn a_disabled_token_is_ended_too(portal: Portal) {
    let ada = portal.user("ada");
    let token = portal.token(&ada, |_| {});
    portal.disable(&token);
    portal.revoke_held(&token.secret);
    ada.sign_in().open(&token.page("enablement")).with(409);
    assert_eq!(told(&portal, "api_token.revoked"), 1);
}

fn a_repository_gets_another_token_in_the_place_of_the_revoked_one(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager").sign_in();
    let old = ada.create_repository("alpha");
    let overtaken = ada.page("/repositories/alpha/token/new").form("OK");
    portal.request("POST", REVOKE).at("203.0.113.7").form(&[("token", &old)]).send().with(200);
    assert!(!portal.accepts(&old));
    assert_one_current(&portal);
    let page = ada.page("/repositories/alpha/configure");
    page.says(
        "The token of this repository was revoked on 21 Nov 2026, 14:06 UTC by somebody who held it, from 203.0.113.7.",
    );
    page.does_not_say(&old[..20]);
    ada.submit(&overtaken)
        .with(409)
        .page()
        .says("Somebody who held the old token revoked it at 21 Nov 2026, 14:06 UTC");
    let answer = ada.submit(&page.form("Show My Authentication Token"));
    let new = ada.follow(answer).secret().expect("it can be shown");
    assert!(new != old && portal.accepts(&new));
    let newest = ada.generate_new("alpha", "at once");
    assert!(portal.accepts(&newest) && !portal.accepts(&new));
    ada.page("/repositories/alpha/configure").does_not_say("by somebody who held it");
    ada.page("/repositories/alpha/activity").says("by somebody who held it");
}

fn with_tokens_shown_once_the_repository_asks_for_a_new_one(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager").sign_in();
    portal.set_policy("repository_tokens_shown_once", "true");
    let old = ada.create_repository("alpha");
    portal.revoke_held(&old);
    let page = ada.page("/repositories/alpha/configure");
    page.says("press Generate New for one that is shown");
    assert!(page.find_form("Show My Authentication Token").is_none());
    assert!(portal.accepts(&ada.generate_new("alpha", "at once")));
}

fn a_replaced_token_of_a_repository_ends_at_once(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager").sign_in();
    let old = ada.create_repository("alpha");
    let new = ada.generate_new("alpha", "after 7 days");
    assert!(portal.accepts(&old));
    portal.revoke_held(&old);
    assert!(!portal.accepts(&old) && portal.accepts(&new));
    portal.unchanged("once more", || portal.revoke_held(&old));
    assert_one_current(&portal);
    ada.page("/repositories/alpha/configure").does_not_say("by somebody who held it");
}

fn a_service_is_cut_off_until_it_is_given_another_token(portal: Portal) {
    let root = portal.user_with("root", "administrator").sign_in();
    let (id, token) = portal.service("wiki");
    let path = format!("/admin/services/{id}");
    portal.request("POST", REVOKE).at("203.0.113.7").form(&[("token", &token)]).send().with(200);
    portal.introspect(&token, "x").with(401);
    let page = root.page(&path);
    page.says("was revoked on 21 Nov 2026, 14:06 UTC by somebody who held it, from 203.0.113.7.");
    page.does_not_say(&token[..10]);
    portal.unchanged("once more", || portal.revoke_held(&token));
    root.submit(&root.page(&format!("{path}/rotation")).form("Rotate token")).with(303);
    let new = root.page(&path).secret().expect("it is shown");
    portal.introspect(&new, "x").with(200);
    root.page(&path).does_not_say("The service can no longer ask about tokens.");
}

fn dismissed_notice_of_api_token_is_not_shown_again(portal: Portal) {
    let ada = portal.user("ada");
    let (first, second) = (portal.token_named(&ada, "first"), portal.token_named(&ada, "second"));
    let browser = ada.sign_in();
    for token in [&first, &second] {
        portal.revoke_held(&token.secret);
    }
    let list = browser.page("/profile/api-tokens");
    let dismissal = list.form("Dismiss the notice about first");
    browser
        .follow(browser.submit(&dismissal))
        .says("The notice was dismissed.")
        .says("“second”")
        .does_not_say("“first”");
    browser.page(&first.path()).does_not_say("by somebody who held it");
    browser.page(&second.path()).says("by somebody who held it");
    assert_eq!(told(&portal, "revocation_notice.dismissed"), 1);
    portal.unchanged("once more", || browser.submit(&dismissal).with(303));
    let live = portal.token_named(&ada, "live");
    let path = format!("{}/notice-dismissal", live.path());
    portal.unchanged("a token without a notice", || browser.post::<&str, &str>(&path, &[]).with(303));
}

fn dismissed_notice_of_repository_token_is_not_shown_again(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager").sign_in();
    let mia = portal.user_with("mia", "repository-manager").sign_in();
    let notice = "was revoked on 21 Nov 2026, 14:06 UTC by somebody who held it";
    portal.revoke_held(&ada.create_repository("alpha"));
    portal.revoke_held(&ada.create_repository("beta"));
    let dismissal = ada.page("/repositories/alpha/configure").form("Dismiss this notice");
    ada.follow(ada.submit(&dismissal)).says("The notice was dismissed.").does_not_say(notice);
    mia.page("/repositories/alpha/configure").does_not_say(notice);
    mia.page("/repositories/alpha/activity").says("dismissed the notice of the revocation");
    mia.page("/repositories/beta/configure").says(notice);
    portal.unchanged("once more", || ada.submit(&dismissal).with(303));
    // A later revocation is another notice.
    let shown = ada.submit(&ada.page("/repositories/alpha/configure").form("Show My Authentication Token"));
    let secret = ada.follow(shown).secret().expect("it is shown");
    portal.advance(1);
    portal.revoke_held(&secret);
    ada.page("/repositories/alpha/configure").says("was revoked on");
}

fn twenty_revocations_at_once_end_it_once(portal: Portal) {
    let ada = portal.user_with("ada", "repository-manager");
    let browser = ada.sign_in();
    for round in 0..rounds() {
        let api = portal.token_named(&ada, &format!("token {round}")).secret;
        let repository = browser.create_repository(&format!("alpha{round}"));
        let (_, service) = portal.service(&format!("wiki{round}"));
        for (token, action) in
            [(api, "api_token.revoked"), (repository, "repository_token.revoked"), (service, "service.token_revoked")]
        {
            at_once(20, |_| portal.revoke_held(&token));
            assert_eq!(told(&portal, action), round + 1, "{action}");
            assert!(!portal.accepts(&token));
        }
        assert_one_current(&portal);
    }
}

fn revoking_and_rotating_at_once_leave_whole_things(portal: Portal) {
    let root = portal.user_with("root", "administrator");
    let browser = root.sign_in();
    for round in 0..rounds() {
        let api = portal.token_named(&root, &format!("token {round}"));
        let repository = browser.create_repository(&format!("alpha{round}"));
        let (id, service) = portal.service(&format!("wiki{round}"));
        let rotations = [
            browser.page(&api.page("rotation")).form("Rotate token"),
            browser.page(&format!("/repositories/alpha{round}/token/new")).form("OK"),
            browser.page(&format!("/admin/services/{id}/rotation")).form("Rotate token"),
        ];
        for (token, rotation) in [&api.secret, &repository, &service].into_iter().zip(&rotations) {
            let statuses = at_once(6, |number| {
                if number % 2 == 0 {
                    portal.revoke_held(token);
                    return 0;
                }
                browser.submit(rotation).status
            });
            assert!(statuses.iter().all(|status| [0, 303, 409].contains(status)), "{statuses:?}");
            assert!(!portal.accepts(token), "the old token is dead, whoever was first");
        }
        assert_one_current(&portal);
    }
}
