//! `/api`: the API for readers.

use crate::support::{Portal, on_both};

on_both![
    everybody_may_read_it,
    every_operation_of_the_document_is_on_it,
    a_search_works_without_javascript,
    it_repeats_nothing_unescaped,
];

fn everybody_may_read_it(portal: Portal) {
    let visitor = portal.visitor();
    let page = visitor.page("/api");
    page.says("List the repositories that the token reaches");
    page.says("Repositories: Read and write");
    let browser = portal.user("ada").sign_in();
    assert!(browser.open("/api").with(200).text().contains("ada of Tokenhouse"));
    browser.open("/api/").with(404);
    browser.open("/api/v2").with(404);
}

fn every_operation_of_the_document_is_on_it(portal: Portal) {
    let document = portal.request("GET", "/api/v1/openapi.json").send().with(200).json();
    let answer = portal.visitor().open("/api").with(200);
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let head = format!("<strong>{}</strong> {path}</code>", method.to_uppercase());
            assert!(answer.text().contains(&head), "{head}");
            let id = operation["operationId"].as_str().expect("a name");
            assert_eq!(answer.text().matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        }
    }
    for (name, _) in document["components"]["schemas"].as_object().expect("schemas") {
        assert_eq!(answer.text().matches(&format!("id=\"schema-{name}\"")).count(), 1, "{name}");
    }
    for link in answer.text().split("href=\"#").skip(1) {
        let id = link.split('"').next().expect("an end");
        assert!(answer.text().contains(&format!("id=\"{id}\"")), "{id}");
    }
}

fn a_search_works_without_javascript(portal: Portal) {
    let visitor = portal.visitor();
    let page = visitor.page("/api?q=ROTATE+account");
    page.says("Rotate the API token that asks");
    page.does_not_say("List the repositories that the token reaches");
    visitor.page("/api?q=xyzzy").says("Nothing found");
}

fn it_repeats_nothing_unescaped(portal: Portal) {
    let answer = portal.visitor().open("/api?q=%3Cscript%3Ealert(1)%3C/script%3E").with(200);
    assert!(!answer.text().contains("<script>alert"));
}
