//! A form as a browser holds it: filled in by labels, sent with what it holds.

use scraper::{ElementRef, Selector};

use super::page::text_of;

#[derive(Debug, Clone)]
#[must_use = "it has to be submitted"]
pub struct Form {
    pub action: String,
    controls: Vec<Control>,
}

#[derive(Debug, Clone)]
struct Control {
    label: String,
    /// The legend of the group it belongs to.
    group: String,
    kind: String,
    name: String,
    value: String,
    /// Whether it is sent.
    on: bool,
}

impl Form {
    pub(super) fn read(form: ElementRef<'_>) -> Self {
        assert_eq!(form.attr("method"), Some("post"), "a form posts");
        let inputs = Selector::parse("input").expect("a selector");
        let selects = Selector::parse("select").expect("a selector");
        let mut controls: Vec<Control> = form.select(&inputs).filter_map(|input| Control::read(form, input)).collect();
        controls.extend(form.select(&selects).map(Control::read_select));
        Self { action: form.attr("action").expect("a form has an action").to_owned(), controls }
    }

    /// Types into the field with this label.
    #[track_caller]
    pub fn fill(mut self, label: &str, value: &str) -> Self {
        let control = self.controls.iter_mut().find(|control| control.label == label && !control.is_choice());
        let control = control.unwrap_or_else(|| panic!("no field {label}"));
        value.clone_into(&mut control.value);
        self
    }

    /// Chooses the radio button or ticks the checkbox with this label in the group with this legend.
    #[track_caller]
    pub fn choose(mut self, group: &str, label: &str) -> Self {
        let fits = |control: &Control| control.is_choice() && control.group == group && control.label == label;
        let chosen = self.controls.iter().position(fits);
        let chosen = chosen.unwrap_or_else(|| panic!("no choice {label} in {group}: {:#?}", self.controls));
        let (kind, name) = (self.controls[chosen].kind.clone(), self.controls[chosen].name.clone());
        if kind == "radio" {
            for other in self.controls.iter_mut().filter(|control| control.name == name) {
                other.on = false;
            }
        }
        self.controls[chosen].on = true;
        self
    }

    /// Puts a value where no control would let one put it.
    pub fn tampered(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.and(name, value)
    }

    /// Adds a field, beside any of the same name.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.controls.push(Control {
            label: String::new(),
            group: String::new(),
            kind: "hidden".into(),
            name: name.into(),
            value: value.into(),
            on: true,
        });
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.controls.retain(|control| control.name != name);
        self
    }

    /// What is sent.
    pub fn fields(&self) -> Vec<(String, String)> {
        let sent = self.controls.iter().filter(|control| control.on && !control.name.is_empty());
        sent.map(|control| (control.name.clone(), control.value.clone())).collect()
    }

    /// The one value of a field.
    #[track_caller]
    pub fn value(&self, name: &str) -> String {
        let values: Vec<_> = self.fields().into_iter().filter(|(own, _)| own == name).map(|(_, value)| value).collect();
        assert_eq!(values.len(), 1, "{name} has one value: {:#?}", self.controls);
        values[0].clone()
    }

    /// The labels of the choices in a group, and whether each is chosen.
    pub fn choices(&self, group: &str) -> Vec<(String, bool)> {
        let choices = self.controls.iter().filter(|control| control.is_choice() && control.group == group);
        choices.map(|control| (control.label.clone(), control.on)).collect()
    }

    /// The label of the chosen radio button in a group.
    #[track_caller]
    pub fn chosen(&self, group: &str) -> String {
        let mut chosen = self.choices(group).into_iter().filter(|(_, on)| *on).map(|(label, _)| label);
        let first = chosen.next().unwrap_or_else(|| panic!("nothing is chosen in {group}: {:#?}", self.controls));
        assert!(chosen.next().is_none(), "one is chosen in {group}");
        first
    }

    pub fn has_field(&self, label: &str) -> bool {
        self.controls.iter().any(|control| control.label == label)
    }
}

impl Control {
    fn read(form: ElementRef<'_>, input: ElementRef<'_>) -> Option<Self> {
        let kind = input.attr("type").unwrap_or("text").to_owned();
        let name = input.attr("name").unwrap_or_default().to_owned();
        let ancestors = || input.ancestors().filter_map(ElementRef::wrap);
        let legends = Selector::parse("legend").expect("a selector");
        let group = ancestors().find(|element| element.value().name() == "fieldset");
        let around = ancestors().find(|element| element.value().name() == "label");
        let label = around.or_else(|| {
            let labels = Selector::parse(&format!("label[for='{}']", input.attr("id")?)).expect("a selector");
            form.select(&labels).next()
        });
        Some(Self {
            label: label.map(text_of).unwrap_or_default(),
            group: group.and_then(|group| group.select(&legends).next()).map(text_of).unwrap_or_default(),
            on: !matches!(kind.as_str(), "radio" | "checkbox") || input.attr("checked").is_some(),
            value: input.attr("value").unwrap_or_default().to_owned(),
            kind,
            name,
        })
    }

    fn read_select(select: ElementRef<'_>) -> Self {
        let selected = Selector::parse("option[selected]").expect("a selector");
        let value = select.select(&selected).next().and_then(|option| option.attr("value"));
        Self {
            label: select.attr("aria-label").unwrap_or_default().to_owned(),
            group: String::new(),
            kind: "select".into(),
            name: select.attr("name").unwrap_or_default().to_owned(),
            value: value.unwrap_or_default().to_owned(),
            on: true,
        }
    }

    fn is_choice(&self) -> bool {
        matches!(self.kind.as_str(), "radio" | "checkbox")
    }
}
