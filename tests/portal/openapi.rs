//! The OpenAPI document: there for everybody, and as true as the route table.

use std::collections::BTreeSet;

use serde_json::Value;
use tokenhouse::web::routes::{ROUTES, Scope};

use crate::support::{Portal, on_both};

on_both![
    anybody_may_read_it_and_ask_whether_it_has_changed,
    every_operation_is_a_route_and_every_route_of_the_api_is_an_operation,
    every_operation_says_what_it_is_and_how_it_ends,
    every_reference_in_it_leads_somewhere,
];

fn document(portal: &Portal) -> Value {
    portal.request("GET", "/api/v1/openapi.json").send().with(200).json()
}

fn anybody_may_read_it_and_ask_whether_it_has_changed(portal: Portal) {
    let answer = portal.request("GET", "/api/v1/openapi.json").send().with(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json()["openapi"], "3.1.0");
    assert!(answer.text().ends_with("}\n"));
    let tag = answer.header("etag").expect("a tag").to_owned();
    let again = |known: &str| portal.request("GET", "/api/v1/openapi.json").header("if-none-match", known).send();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".into()] {
        let answer = again(&known).with(304);
        assert!(answer.body.is_empty() && answer.header("etag") == Some(&tag), "{answer:?}");
    }
    again("\"x\"").with(200);
    // Whatever else the request holds, as long as no token is in its address.
    portal.request("GET", "/api/v1/openapi.json").bearer("nonsense").send().with(200);
    portal.request("GET", "/api/v1/openapi.json").bearer(&"x".repeat(200)).send().with(200);
}

fn every_operation_is_a_route_and_every_route_of_the_api_is_an_operation(portal: Portal) {
    let document = document(&portal);
    let paths = document["paths"].as_object().expect("paths");
    let described: BTreeSet<_> = paths
        .iter()
        .flat_map(|(path, operations)| {
            let methods = operations.as_object().expect("operations").keys();
            methods.map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let routes = ROUTES.iter().filter(|route| route.scope == Scope::Api);
    let routes: BTreeSet<_> = routes.map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    assert_eq!(described, routes);
}

fn every_operation_says_what_it_is_and_how_it_ends(portal: Portal) {
    let document = document(&portal);
    let tags: Vec<_> = document["tags"].as_array().expect("tags").iter().map(|tag| &tag["name"]).collect();
    let mut names = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let what = format!("{method} {path}");
            let name = operation["operationId"].as_str().expect("a name");
            assert!(names.insert(name.to_owned()), "{what}: there are two {name}");
            assert!(operation["summary"].is_string() && operation["description"].is_string(), "{what}");
            assert!(tags.contains(&&operation["tags"][0]), "{what}: the tag is described");
            let answers = operation["responses"].as_object().expect("responses");
            assert!(answers.keys().any(|status| status.starts_with('2')), "{what}");
            for (status, answer) in answers {
                assert!(answer["description"].as_str().is_some_and(|text| text.ends_with('.')), "{what} {status}");
            }
            let (public, scopes) = (&operation["security"][0], &operation["security"][0]["bearer"]);
            let area = scopes[0].as_str().map_or("", |scope| scope.split(':').next().unwrap_or_default());
            let known = ["", "repositories", "account", "administration"].contains(&area);
            assert!(known && (scopes.is_array() || public == &serde_json::json!({})), "{what}: {scopes}");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["description"].is_string(), "{what}: {parameter}");
            }
            for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
                let parameters = operation["parameters"].as_array().expect("parameters");
                assert!(parameters.iter().any(|own| own["name"] == part && own["in"] == "path"), "{what}: {part}");
            }
        }
    }
}

fn every_reference_in_it_leads_somewhere(portal: Portal) {
    let document = document(&portal);
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().expect("an end");
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}
