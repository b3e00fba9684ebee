//! API Token Management.

use tokenhouse::domain::api_token::RepositorySelection;
use tokenhouse::domain::permission::{Permission, Permissions};

use super::{Form, Recording};
use crate::support::{Browser, Portal, Token, User};

const LIST: &str = "/profile/api-tokens";
const NEW: &str = "/profile/api-tokens/new";
const SHOW: &str = "/profile/api-tokens/{id}";

/// The pages below a token.
const BELOW: [(&str, &str); 5] = [
    ("/profile/api-tokens/{id}/name", "name"),
    ("/profile/api-tokens/{id}/rotation", "rotation"),
    ("/profile/api-tokens/{id}/disablement", "disablement"),
    ("/profile/api-tokens/{id}/enablement", "enablement"),
    ("/profile/api-tokens/{id}/revocation", "revocation"),
];

pub fn freeze(portal: &Portal) {
    let alpha = portal.repository("alpha");
    portal.repository("beta");
    let mut pages = Recording::new(portal);
    let ada = portal.user("ada");
    let browser = ada.sign_in();
    pages.open(LIST, "signed out", &portal.visitor(), LIST);
    pages.open(LIST, "without API Access", &portal.user_with("vera", "viewer").sign_in(), LIST);
    pages.open(LIST, "no token", &browser, LIST);
    pages.open(LIST, "no revoked token", &browser, "/profile/api-tokens?status=revoked");
    new(&mut pages, &browser, portal);

    let tokens = tokens(portal, &ada, alpha);
    pages.open(LIST, "tokens of every status", &browser, LIST);
    pages.open(LIST, "revoked tokens", &browser, "/profile/api-tokens?status=revoked");
    for (state, token) in &tokens {
        pages.open(SHOW, state, &browser, &token.path());
        for (route, name) in BELOW {
            pages.open(route, state, &browser, &token.page(name));
        }
    }
    pages.open(NEW, "in place of an expired token", &browser, &format!("{NEW}?recreates={}", tokens[1].1.id));
    pages.open(NEW, "in place of a revoked token", &browser, &format!("{NEW}?recreates={}", tokens[3].1.id));
    pages.open(NEW, "too many tokens", &browser, NEW);
    pages.open(SHOW, "of another user", &portal.user("eve").sign_in(), &tokens[0].1.path());
    changes(&mut pages, &browser, portal, &tokens);
    pages.finish();
}

fn new(pages: &mut Recording<'_>, browser: &Browser<'_>, portal: &Portal) {
    pages.open(NEW, "empty", browser, NEW);
    pages.open(NEW, "with values in the address", browser, "/profile/api-tokens/new?name=build&expiry=7");
    pages.open(NEW, "Administrator", &portal.user_with("root", "administrator").sign_in(), NEW);
    let nothing =
        [("name", ""), ("expiry", "custom"), ("expires_on", "yesterday"), ("repository_selection", "selected")];
    pages.submit(NEW, "every field wrong", browser, NEW, Form { action: LIST, values: &nothing });
    let grace = portal.user("grace").sign_in();
    pages.submit(NEW, "created", &grace, NEW, Form { action: LIST, values: &[("name", "build")] });
    let taken = Form { action: LIST, values: &[("name", "build")] };
    pages.submit(NEW, "name taken", &grace, NEW, taken);
}

/// A token of each status, the first one with several permissions and selected repositories.
fn tokens<'p>(
    portal: &'p Portal,
    ada: &User<'p>,
    alpha: tokenhouse::domain::id::RepositoryId,
) -> Vec<(&'static str, Token)> {
    let everything =
        Permissions { repositories: Permission::Write, account: Permission::Write, administration: Permission::Write };
    let named = |name: &str| tokenhouse::domain::name::TokenName::parse(name).expect("a name");
    let active = portal.token(ada, |token| {
        token.name = named("active");
        token.permissions = everything;
        token.repositories = RepositorySelection::Selected(vec![alpha]);
    });
    let expired = portal.token(ada, |token| {
        token.name = named("expired");
        token.expires_at = Some(portal.later(0));
    });
    let endless = portal.token(ada, |token| {
        token.name = named("endless");
        token.expires_at = None;
    });
    let (disabled, revoked) = (portal.token_named(ada, "disabled"), portal.token_named(ada, "revoked"));
    portal.disable(&disabled);
    portal.revoke(&revoked);
    let used = portal.token_named(ada, "used");
    portal.request("GET", "/api/v1/me").bearer(&used.secret).at("203.0.113.7").header("user-agent", "curl/8").send();
    portal.flush();
    vec![
        ("active", active),
        ("expired", expired),
        ("disabled", disabled),
        ("revoked", revoked),
        ("without expiry", endless),
        ("used", used),
    ]
}

fn changes(pages: &mut Recording<'_>, browser: &Browser<'_>, portal: &Portal, tokens: &[(&str, Token)]) {
    let (active, disabled, used) = (&tokens[0].1, &tokens[2].1, &tokens[5].1);
    let (name, rotation) = (BELOW[0].0, BELOW[1].0);
    let wrong = Form { action: "/name", values: &[("name", "")] };
    pages.submit(name, "nothing entered", browser, &active.page("name"), wrong);
    let taken = Form { action: "/name", values: &[("name", "used")] };
    pages.submit(name, "name taken", browser, &active.page("name"), taken);
    let renamed = Form { action: "/name", values: &[("name", "renamed")] };
    pages.submit(name, "renamed", browser, &active.page("name"), renamed);
    let grace = Form { action: "/rotation", values: &[("grace", "1h")] };
    pages.submit(rotation, "rotated", browser, &active.page("rotation"), grace);
    pages.open(SHOW, "rotated, the replaced secret still works", browser, &active.path());
    pages.open(rotation, "the replaced secret still works", browser, &active.page("rotation"));
    let wrong = Form { action: "/rotation", values: &[("grace", "never")] };
    pages.submit(rotation, "wrong grace", browser, &used.page("rotation"), wrong);
    let plain = |action| Form { action, values: &[] };
    pages.submit(BELOW[2].0, "disabled now", browser, &active.page("disablement"), plain("/disablement"));
    pages.submit(BELOW[3].0, "enabled now", browser, &disabled.page("enablement"), plain("/enablement"));
    pages.submit(BELOW[4].0, "revoked now", browser, &disabled.page("revocation"), plain("/revocation"));
    portal.revoke_held(&used.secret);
    pages.open(SHOW, "revoked by its holder", browser, &used.path());
    pages.open(LIST, "a token was revoked by its holder", browser, LIST);
}
