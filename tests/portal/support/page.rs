//! A page, read as a person reads it: by headings, labels and messages.

use scraper::{ElementRef, Html, Selector};

use super::answer::Answer;
use super::form::Form;

pub struct Page {
    pub answer: Answer,
    html: Html,
}

impl Page {
    pub fn new(answer: Answer) -> Self {
        let html = Html::parse_document(answer.text());
        Self { answer, html }
    }

    /// Itself, if it came with this status.
    #[track_caller]
    pub fn with(self, status: u16) -> Self {
        assert_eq!(self.answer.status, status, "{:?}", self.answer);
        self
    }

    /// All elements that fit the selector.
    pub fn all(&self, selector: &str) -> Vec<ElementRef<'_>> {
        let selector = Selector::parse(selector).expect("a selector");
        self.html.select(&selector).collect()
    }

    /// The texts of all elements that fit the selector.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        self.all(selector).into_iter().map(text_of).collect()
    }

    #[track_caller]
    pub fn heading(&self) -> String {
        let headings = self.texts("h1");
        assert_eq!(headings.len(), 1, "a page has one heading: {:?}", self.answer);
        headings[0].clone()
    }

    pub fn title(&self) -> String {
        self.texts("title").concat()
    }

    /// All that stands in the main part.
    pub fn main(&self) -> String {
        self.texts("main").concat()
    }

    #[track_caller]
    pub fn says(&self, sentence: &str) -> &Self {
        assert!(self.main().contains(sentence), "“{sentence}” is not on the page: {:?}", self.answer);
        self
    }

    #[track_caller]
    pub fn does_not_say(&self, sentence: &str) -> &Self {
        assert!(!self.answer.text().contains(sentence), "“{sentence}” is on the page: {:?}", self.answer);
        self
    }

    /// What the last change did.
    pub fn notice(&self) -> Option<String> {
        self.texts("main > p[role=status]").into_iter().next()
    }

    /// What was refused, in the summary on top.
    pub fn alerts(&self) -> Vec<String> {
        self.texts("[role=alert] h2, [role=alert] a")
    }

    /// The sentence at the field or group with this label. It must be told in the summary too, and the summary must lead to it.
    #[track_caller]
    pub fn error_at(&self, label: &str) -> String {
        let control = self.labelled(label);
        let described = control.attr("aria-describedby").unwrap_or_default();
        let error = described.split(' ').find(|id| id.ends_with("-error"));
        let error = error.unwrap_or_else(|| panic!("no error at {label}: {:?}", self.answer));
        let sentence = self.texts(&format!("[id='{error}']")).concat();
        if control.value().name() == "input" {
            assert_eq!(control.attr("aria-invalid"), Some("true"), "{label} is marked: {:?}", self.answer);
        }
        let links = self.all("[role=alert] a");
        let link = links.iter().find(|link| text_of(**link) == sentence).expect("the summary tells it too");
        let target = link.attr("href").expect("it leads somewhere").trim_start_matches('#').to_owned();
        assert_eq!(self.all(&format!("[id='{target}']")).len(), 1, "the summary leads to {target}");
        assert!(self.title().starts_with("Error: "), "{}", self.title());
        sentence
    }

    /// The control, or the group of controls, with this label.
    #[track_caller]
    fn labelled(&self, label: &str) -> ElementRef<'_> {
        let label_element = self.all("label[for]").into_iter().find(|element| text_of(*element) == label);
        if let Some(id) = label_element.and_then(|element| element.attr("for")) {
            return self.all(&format!("[id='{id}']")).into_iter().next().expect("the label's control is there");
        }
        let legends = self.all("fieldset > legend").into_iter().filter(|element| text_of(*element) == label);
        let mut groups = legends.filter_map(|element| element.parent().and_then(ElementRef::wrap));
        let group = groups.clone().find(|group| group.attr("aria-describedby").is_some()).or_else(|| groups.next());
        group.unwrap_or_else(|| panic!("nothing is labelled {label}: {:?}", self.answer))
    }

    /// The form with this button.
    #[track_caller]
    pub fn form(&self, button: &str) -> Form {
        self.find_form(button).unwrap_or_else(|| panic!("no button {button}: {:?}", self.answer))
    }

    pub fn find_form(&self, button: &str) -> Option<Form> {
        let forms = self.all("form");
        let form = forms.iter().find(|form| {
            let buttons = Selector::parse("button[type=submit]").expect("a selector");
            form.select(&buttons).any(|element| text_of(element) == button)
        })?;
        Some(Form::read(*form))
    }

    /// All forms that post.
    pub fn forms(&self) -> Vec<Form> {
        self.all("form[method=post]").into_iter().map(Form::read).collect()
    }

    /// Where the link with this text leads.
    pub fn link(&self, text: &str) -> Option<String> {
        let links = self.all("a[href]");
        let link = links.iter().find(|link| text_of(**link) == text)?;
        link.attr("href").map(str::to_owned)
    }

    /// The definitions of a list such as "Settings", by term.
    #[track_caller]
    pub fn definition(&self, term: &str) -> String {
        let position = self.texts("dt").iter().position(|own| own == term);
        let position = position.unwrap_or_else(|| panic!("no {term}: {:?}", self.answer));
        self.texts("dd")[position].clone()
    }

    /// The rows of the first table: the texts of their cells, by the heading of the column.
    pub fn rows(&self) -> Vec<Row> {
        let headings = self.texts("table thead th");
        let cells = Selector::parse("th, td").expect("a selector");
        let row = |element: ElementRef<'_>| Row {
            greyed: element.attr("class") == Some("greyed"),
            cells: headings.iter().cloned().zip(element.select(&cells).map(text_of)).collect(),
        };
        self.all("table tbody tr").into_iter().map(row).collect()
    }

    /// The secret, where the page shows one.
    pub fn secret(&self) -> Option<String> {
        let value = self.all("input#token[data-secret]").into_iter().next()?.attr("value")?;
        Some(value.to_owned())
    }
}

#[derive(Debug, Clone)]
pub struct Row {
    pub greyed: bool,
    cells: Vec<(String, String)>,
}

impl Row {
    #[track_caller]
    pub fn cell(&self, heading: &str) -> &str {
        let cell = self.cells.iter().find(|(own, _)| own == heading);
        cell.map(|(_, text)| text.as_str()).unwrap_or_else(|| panic!("no column {heading}: {self:?}"))
    }
}

/// The text of an element, with single spaces.
pub fn text_of(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}
