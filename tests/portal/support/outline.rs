//! A page as text: title, headings, links, forms, fields, buttons, table headings and notices, in the order of the
//! page. Nothing of the layout.

use scraper::ElementRef;

use super::page::{Page, text_of};

const PARTS: &str = "title, h1, h2, h3, h4, a[href], summary, form, legend, input, select, textarea, button, caption, \
                     thead, dt, .notice, [role=status], .hint:not([id]), .error";

/// One line for each part of the page; a field takes a second line for its hint.
pub fn outline(page: &Page) -> String {
    let lines = page.all(PARTS).into_iter().flat_map(|element| lines(page, element));
    lines.collect::<Vec<_>>().join("\n")
}

fn lines(page: &Page, element: ElementRef<'_>) -> Vec<String> {
    let text = text_of(element);
    match element.value().name() {
        name @ ("title" | "h1" | "h2" | "h3" | "h4" | "summary" | "legend" | "caption") => {
            vec![format!("{name}: {text}")]
        }
        "dt" => vec![format!("term: {text}")],
        "a" => vec![format!("link: {text} -> {}", attribute(element, "href"))],
        "form" => vec![format!("form: {} {}", attribute(element, "method"), attribute(element, "action"))],
        "thead" => vec![format!("columns: {}", cells(element).join(" | "))],
        "button" => vec![format!("button: {text}{}", button_details(element))],
        "input" | "select" | "textarea" => field(page, element),
        _ if element.attr("class").is_some_and(|class| class.contains("error")) => vec![format!("error: {text}")],
        _ if element.attr("class").is_some_and(|class| class.contains("hint")) => vec![format!("hint: {text}")],
        _ => vec![format!("notice: {text}")],
    }
}

fn attribute<'e>(element: ElementRef<'e>, name: &str) -> &'e str {
    element.attr(name).unwrap_or_default()
}

fn cells(head: ElementRef<'_>) -> Vec<String> {
    head.descendants().filter_map(ElementRef::wrap).filter(|cell| cell.value().name() == "th").map(text_of).collect()
}

fn button_details(button: ElementRef<'_>) -> String {
    let mut details = format!(" [{}]", button.attr("type").unwrap_or("submit"));
    for name in ["name", "value", "formaction"] {
        if let Some(value) = button.attr(name) {
            details += &format!(" {name}={value}");
        }
    }
    details
}

/// Label, name, type and whether it is required; then the hint.
fn field(page: &Page, element: ElementRef<'_>) -> Vec<String> {
    let kind = match element.value().name() {
        "input" => element.attr("type").unwrap_or("text"),
        other => other,
    };
    let mut line = format!("field: {} [{kind} {}]", label(page, element), attribute(element, "name"));
    if matches!(kind, "radio" | "checkbox") {
        line += &format!(" value={}", attribute(element, "value"));
    }
    for flag in ["checked", "required", "readonly", "disabled"] {
        if element.attr(flag).is_some() {
            line += &format!(" {flag}");
        }
    }
    for name in ["min", "max", "minlength", "maxlength", "pattern", "placeholder", "aria-invalid"] {
        if let Some(value) = element.attr(name) {
            line += &format!(" {name}={value}");
        }
    }
    let mut lines = vec![line];
    if kind == "select" {
        let options = element.descendants().filter_map(ElementRef::wrap).filter(|e| e.value().name() == "option");
        lines.extend(options.map(|option| format!("  option: {} [{}]", text_of(option), attribute(option, "value"))));
    }
    lines.extend(hints(page, element).into_iter().map(|hint| format!("  hint: {hint}")));
    lines
}

fn label(page: &Page, element: ElementRef<'_>) -> String {
    let around = element.ancestors().filter_map(ElementRef::wrap).find(|parent| parent.value().name() == "label");
    let by_id = || page.all("label[for]").into_iter().find(|label| label.attr("for") == element.attr("id"));
    let label = around.or_else(by_id).map(text_of);
    label.or_else(|| element.attr("aria-label").map(str::to_owned)).unwrap_or_default()
}

/// What describes a field or the group that it belongs to, errors excepted: those have lines of their own.
fn hints(page: &Page, element: ElementRef<'_>) -> Vec<String> {
    let ids = attribute(element, "aria-describedby").split(' ').filter(|id| !id.is_empty() && !id.ends_with("-error"));
    ids.flat_map(|id| page.texts(&format!("[id='{id}']"))).collect()
}
