//! `/api`: the API for readers.

use crate::support::{Portal, on_both};

on_both![
    everybody_may_read_it,
    every_operation_of_the_document_is_on_it,
    a_search_works_without_javascript,
    it_repeats_nothing_unescaped,
];

/// The page of one group of operations.
struct Group {
    name: String,
    path: String,
    text: String,
}

impl Group {
    fn read(portal: &Portal, name: &str) -> Self {
        let path = format!("/api?of={}", name.to_lowercase().replace(' ', "-"));
        let answer = portal.visitor().open(&path).with(200);
        Self { name: name.to_owned(), text: answer.text().replace("&#39;", "'").replace("&#34;", "\""), path }
    }
}

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
    let index = portal.visitor().open("/api").with(200);
    let tags = document["tags"].as_array().expect("tags").iter();
    let groups: Vec<Group> = tags.map(|tag| Group::read(&portal, tag["name"].as_str().expect("a name"))).collect();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let head = format!("<strong>{}</strong> {path}</code>", method.to_uppercase());
            let group = groups.iter().find(|group| operation["tags"][0] == *group.name).expect("a group");
            assert_eq!(group.text.matches(&head).count(), 1, "{head}");
            let id = operation["operationId"].as_str().expect("a name");
            assert_eq!(group.text.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
            let link = format!("<a href=\"{}#{id}\">", group.path);
            assert_eq!((index.text().matches(&link).count(), index.text().matches(&head).count()), (1, 1), "{link}");
            for (status, answer) in operation["responses"].as_object().expect("answers") {
                let words = answer["description"].as_str().expect("words").replace('`', "");
                let answer = format!("<dt>{status}</dt><dd>{words}");
                let told = group.text.contains(&answer) || index.text().contains(&answer);
                assert!(told, "{id}: {status} {words}");
            }
        }
    }
    for (name, _) in document["components"]["schemas"].as_object().expect("schemas") {
        let id = format!("id=\"schema-{name}\"");
        assert!(groups.iter().all(|group| group.text.matches(&id).count() <= 1), "{name}");
        assert!(groups.iter().any(|group| group.text.contains(&id)) || index.text().contains(&id), "{name}");
    }
    for group in &groups {
        assert!(index.text().contains(&format!("href=\"{}\"", group.path)), "{}", group.name);
        for link in group.text.split("href=\"#").skip(1) {
            let id = link.split('"').next().expect("an end");
            assert!(group.text.contains(&format!("id=\"{id}\"")), "{}: {id}", group.path);
        }
    }
    portal.visitor().open("/api?of=nothing").with(404);
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
