//! The grammar, and that nothing is ever granted beyond what is allowed.

use super::*;
use proptest::prelude::*;

fn parse(text: &str) -> Result<Vec<OciScope>, Invalid> {
    OciScope::parse_all([text].into_iter())
}

fn one(text: &str) -> OciScope {
    let mut scopes = parse(text).unwrap();
    assert_eq!(scopes.len(), 1, "{text}");
    scopes.remove(0)
}

fn granted(text: &str, permission: Permission) -> Vec<&'static str> {
    let granted = one(text).granted(permission, false);
    granted.map_or_else(Vec::new, |granted| granted.actions.into_iter().map(OciAction::name).collect())
}

#[test]
fn a_scope_is_governed_by_the_first_segment_of_its_name() {
    for (text, governing) in [
        ("repository:payments:pull", "payments"),
        ("repository:payments/api:pull", "payments"),
        ("repository:payments/api/v2__x:pull", "payments"),
        ("repository:payments-x:pull", "payments-x"),
        ("repository:payments.x/api:pull", "payments.x"),
        ("repository(plugin):payments/api:pull", "payments"),
    ] {
        let name = RepositoryName::parse(governing).unwrap();
        assert_eq!(one(text).resource, OciResource::Repository(name), "{text}");
    }
    for other in [
        "registry(plugin):catalog:*",
        "repository:new:pull",
        "repository:new/api:pull",
        "repository:localhost:5000/payments:pull",
        "repository:Registry.example.org/payments:pull",
        "repository:a--b:pull",
        "registry:other:*",
        "registry:catalog/x:*",
        "image:payments:pull",
    ] {
        assert_eq!(one(other).resource, OciResource::Other, "{other}");
        assert_eq!(one(other).granted(Permission::Write, true), None, "{other}");
    }
}

#[test]
fn what_breaks_the_grammar_is_refused() {
    for text in [
        "repository",
        "repository:payments",
        "repository::pull",
        ":payments:pull",
        "Repository:payments:pull",
        "repository():payments:pull",
        "repository(plugin)(x):payments:pull",
        "(plugin):payments:pull",
        "repository(plugin:payments:pull",
        "repository:/payments:pull",
        "repository:payments/:pull",
        "repository:payments//api:pull",
        "repository:payments/../other:pull",
        "repository:../payments:pull",
        "repository:payments/API:pull",
        "repository:payments/a___b:pull",
        "repository:payments/a._b:pull",
        "repository:-payments:pull",
        "repository:payments%2fapi:pull",
        "repository:payments:PULL",
        "repository:payments:pull,**",
        "repository:payments:pull;push",
        "repository:payments\tx:pull",
        "repository:zahlungen\u{e4}:pull",
        "repository:host:/payments:pull",
        "repository:host:5000:pull",
        "repository:a..b/payments:pull",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
    assert!(parse(&format!("repository:{}:pull", "a".repeat(256))).is_err());
}

#[test]
fn scopes_longer_than_4_kb_together_are_refused() {
    let many = |count: usize| vec!["repository:payments:pull"; count].join(" ");
    assert_eq!(parse(&many(150)).unwrap().len(), 1);
    assert!(parse(&many(180)).is_err());
    let several = many(60);
    assert!(OciScope::parse_all([several.as_str(); 3].into_iter()).is_err());
    assert_eq!(parse("").unwrap(), []);
    assert_eq!(parse("  ").unwrap(), []);
}

#[test]
fn scope_with_a_class_is_granted_with_its_class() {
    let scopes = parse("repository(plugin):a:pull,push repository:a:pull repository(plugin):a:pull").unwrap();
    let texts = |permission| {
        let granted = scopes.iter().filter_map(|scope| scope.granted(permission, false));
        granted.map(|granted| granted.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(texts(Permission::Write), ["repository(plugin):a:pull,push", "repository:a:pull"]);
    assert_eq!(texts(Permission::Read), ["repository(plugin):a:pull", "repository:a:pull"]);
    assert_eq!(texts(Permission::None), [""; 0]);
    assert_eq!(scopes[0].granted(Permission::Read, false).unwrap().class.as_deref(), Some("plugin"));
}

#[test]
fn reading_pulls_and_writing_does_the_rest() {
    let all = "repository:payments:pull,push,delete,*,mount,,pull";
    assert_eq!(granted(all, Permission::None), [""; 0]);
    assert_eq!(granted(all, Permission::Read), ["pull"]);
    assert_eq!(granted(all, Permission::Write), ["pull", "push", "delete", "*"]);
    assert_eq!(granted("repository:payments:push,delete,*", Permission::Read), [""; 0]);
}

#[test]
fn the_catalog_has_one_action_and_a_right_of_its_own() {
    let catalog = one("registry:catalog:*");
    assert_eq!(catalog.granted(Permission::Write, false), None);
    assert_eq!(catalog.granted(Permission::None, true).unwrap().actions, [OciAction::All]);
    assert_eq!(one("registry:catalog:pull").granted(Permission::Write, true), None);
    assert_eq!(one("repository:catalog:*").granted(Permission::Read, true), None);
}

#[test]
fn the_same_thing_asked_for_twice_is_one_entry() {
    let scopes = parse("repository:a/b:pull repository:c:pull repository:a/b:push,pull").unwrap();
    assert_eq!(scopes.len(), 2);
    let first = scopes[0].granted(Permission::Write, false).unwrap();
    assert_eq!((first.name.as_str(), first.actions), ("a/b", vec![OciAction::Pull, OciAction::Push]));
}

fn kinds() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["repository", "repository(plugin)", "registry", "image", ""])
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]{1,2}(/[a-c]){0,2}", "[a-z:/._-]{0,12}", Just("catalog".to_owned()), Just("a/../b".to_owned())]
}

fn actions() -> impl Strategy<Value = Vec<&'static str>> {
    let action = prop::sample::select(vec!["pull", "push", "delete", "*", "mount", ""]);
    prop::collection::vec(action, 1..5)
}

proptest! {
    #[test]
    fn granted_is_a_subset_of_what_is_asked_for_and_allowed(
        asked in prop::collection::vec((kinds(), names(), actions()), 0..6),
        allowed in prop::collection::hash_map("[a-c]{1,2}", prop::sample::select(Permission::ALL.to_vec()), 0..6),
        catalog in any::<bool>(),
    ) {
        let values: Vec<String> =
            asked.iter().map(|(kind, name, actions)| format!("{kind}:{name}:{}", actions.join(","))).collect();
        let Ok(scopes) = OciScope::parse_all(values.iter().map(String::as_str)) else { return Ok(()) };
        for scope in scopes {
            let right = match &scope.resource {
                OciResource::Repository(name) => allowed.get(name.as_str()).copied().unwrap_or_default(),
                _ => Permission::None,
            };
            let Some(granted) = scope.granted(right, catalog) else { continue };
            // Judged anew, from the texts alone.
            for action in &granted.actions {
                let class = granted.class.as_ref().map_or(String::new(), |class| format!("({class})"));
                let granted_kind = format!("{}{class}", granted.kind);
                let was_asked = asked.iter().any(|(kind, name, actions)| {
                    *kind == granted_kind && *name == granted.name && actions.contains(&action.name())
                });
                prop_assert!(was_asked, "{granted:?}");
                let first = granted.name.split('/').next().unwrap_or_default();
                let may = allowed.get(first).copied().unwrap_or_default();
                let is_allowed = match (granted.kind.as_str(), action) {
                    ("repository", OciAction::Pull) => may >= Permission::Read,
                    ("repository", _) => may == Permission::Write,
                    ("registry", OciAction::All) => granted.name == "catalog" && catalog,
                    _ => false,
                };
                prop_assert!(is_allowed, "{granted:?}");
            }
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,80}") {
        let _ = parse(&text);
    }
}
