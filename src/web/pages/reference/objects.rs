//! The objects of the OpenAPI document: what is sent or answered, field by field.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// A parameter, or a field of an object.
pub struct Field {
    pub name: String,
    pub kind: String,
    pub required: bool,
    pub description: String,
}

/// An object that is sent or answered.
pub struct Schema {
    pub name: String,
    pub fields: Vec<Field>,
}

/// The schemas of these names, and those that their fields are made of, in the order of the names.
pub(super) fn schemas(document: &Value, names: impl IntoIterator<Item = String>) -> Vec<Schema> {
    let all = &document["components"]["schemas"];
    let mut open: Vec<String> = names.into_iter().collect();
    let mut found = BTreeMap::new();
    while let Some(name) = open.pop() {
        let schema = &all[&name];
        if !schema.is_object() || found.contains_key(&name) {
            continue;
        }
        let required: Vec<String> = parts(schema).flat_map(|part| list(&part["required"]).map(text)).collect();
        let rows = properties(schema).into_iter().map(|(name, property)| {
            let required = required.contains(&name);
            open.extend([named(&property), named(&property["items"])]);
            Field { required, ..field(&name, &property) }
        });
        let fields = rows.collect();
        found.insert(name.clone(), Schema { name, fields });
    }
    found.into_values().collect()
}

/// A schema, and the ones it is put together from.
fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
    let several = list(&schema["allOf"]).chain(list(&schema["oneOf"]));
    std::iter::once(schema).chain(several)
}

pub(super) fn properties(schema: &Value) -> Map<String, Value> {
    let mut all = Map::new();
    for part in parts(schema) {
        let own = part["properties"].as_object().into_iter().flatten();
        all.extend(own.map(|(name, property)| (name.clone(), property.clone())));
    }
    all
}

pub(super) fn field(name: &str, value: &Value) -> Field {
    let schema = if value["schema"].is_object() { &value["schema"] } else { value };
    Field {
        name: name.to_owned(),
        kind: kind(schema),
        required: value["required"] == json!(true),
        description: text(&value["description"]).replace('`', ""),
    }
}

/// "string, date-time, or null", "array of Repository".
fn kind(schema: &Value) -> String {
    let name = named(schema);
    if !name.is_empty() {
        return name;
    }
    let types: Vec<String> = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect(),
        single => vec![text(single)],
    };
    let mut kind = types.iter().filter(|own| *own != "null").cloned().collect::<Vec<_>>().join(" or ");
    if kind == "array" {
        kind = format!("array of {}", self::kind(&schema["items"]));
    }
    if let Some(format) = schema["format"].as_str().filter(|format| !format.starts_with("int")) {
        kind = format!("{kind}, {format}");
    }
    if types.iter().any(|own| own == "null") { format!("{kind}, or null") } else { kind }
}

/// The name of the schema that is referred to, in whatever way; empty where it is written out.
pub(super) fn named(schema: &Value) -> String {
    let direct = schema["$ref"].as_str();
    let among = || list(&schema["oneOf"]).find_map(|one| one["$ref"].as_str());
    direct.or_else(among).and_then(|reference| reference.rsplit('/').next()).unwrap_or_default().to_owned()
}

pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
