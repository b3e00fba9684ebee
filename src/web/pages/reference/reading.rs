//! From the OpenAPI document to what the page shows of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::domain::permission::{Area, Permission};

/// One way to call the API.
pub struct Operation {
    pub id: String,
    pub tag: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    pub description: String,
    /// "Repositories: Read", "Any good token" or "None".
    pub needs: String,
    pub parameters: Vec<Field>,
    /// Name of the body's schema, and whether it may be left out.
    pub body: Option<(String, bool)>,
    pub answers: Vec<Answer>,
    /// Runs as pasted, once the token is in its variable.
    pub example: String,
}

/// A parameter, or a field of an object.
pub struct Field {
    pub name: String,
    pub kind: String,
    pub required: bool,
    pub description: String,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: String,
    pub description: String,
    /// Name of the schema; empty where there is none.
    pub schema: String,
}

/// An object that is sent or answered.
pub struct Schema {
    pub name: String,
    pub fields: Vec<Field>,
}

impl Operation {
    /// The names of what it takes and answers.
    pub fn schemas(&self) -> impl Iterator<Item = String> {
        let answered = self.answers.iter().map(|answer| answer.schema.clone());
        answered.chain(self.body.iter().map(|(name, _)| name.clone()))
    }

    /// Whether all of these words are in it.
    pub fn holds(&self, words: &[String]) -> bool {
        let all = [&self.tag, &self.method, &self.path, &self.summary, &self.description, &self.needs];
        let all = all.map(|text| text.to_lowercase()).join(" ");
        words.iter().all(|word| all.contains(word.as_str()))
    }
}

/// Name and description of each group.
pub fn tags(document: &Value) -> Vec<(String, String)> {
    list(&document["tags"]).map(|tag| (text(&tag["name"]), text(&tag["description"]))).collect()
}

/// All operations, by path; `base` is where they are called.
pub fn operations(document: &Value, base: &str) -> Vec<Operation> {
    let order = ["get", "post", "put", "patch", "delete"];
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, operations)| {
            let known = order.iter().filter_map(|method| Some((*method, operations.get(*method)?)));
            known.map(|(method, operation)| read(document, base, path, method, operation))
        })
        .collect()
}

fn read(document: &Value, base: &str, path: &str, method: &str, operation: &Value) -> Operation {
    let body = &operation["requestBody"];
    let schema = named(&body["content"]["application/json"]["schema"]);
    let responses = operation["responses"].as_object().into_iter().flatten();
    Operation {
        id: text(&operation["operationId"]),
        tag: text(&operation["tags"][0]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]).replace('`', ""),
        needs: needs(&operation["security"][0]),
        parameters: list(&operation["parameters"])
            .map(|parameter| field(&text(&parameter["name"]), parameter))
            .collect(),
        example: example(document, &format!("{base}{path}"), method, operation, &schema),
        body: (!schema.is_empty()).then(|| (schema, body["required"] != json!(true))),
        answers: responses
            .map(|(status, answer)| Answer {
                status: status.clone(),
                description: text(&answer["description"]).replace('`', ""),
                schema: content(answer).map_or_else(String::new, named),
            })
            .collect(),
    }
}

fn content(answer: &Value) -> Option<&Value> {
    Some(&answer["content"].as_object()?.values().next()?["schema"])
}

fn needs(security: &Value) -> String {
    let Some(scopes) = security["bearer"].as_array() else { return "No token".into() };
    let Some((area, permission)) = scopes.first().and_then(Value::as_str).and_then(|scope| scope.split_once(':'))
    else {
        return "Any good token".into();
    };
    let area = Area::ALL.into_iter().find(|known| known.label().eq_ignore_ascii_case(area));
    let permission = Permission::from_name(permission).unwrap_or_default();
    area.map_or_else(String::new, |area| format!("{}: {}", area.label(), permission.label()))
}

/// A call with curl. The token stands in a variable and on no command line.
fn example(document: &Value, address: &str, method: &str, operation: &Value, schema: &str) -> String {
    let mut address = address.to_owned();
    for parameter in list(&operation["parameters"]).filter(|parameter| parameter["in"] == "path") {
        let name = text(&parameter["name"]);
        let value = parameter["example"].as_str().map_or_else(|| format!("${}", name.to_uppercase()), str::to_owned);
        address = address.replace(&format!("{{{name}}}"), &value);
    }
    let mut call = "curl".to_owned();
    if method != "get" {
        call.push_str(&format!(" --request {}", method.to_uppercase()));
    }
    if !schema.is_empty() {
        let body = sample(&document["components"]["schemas"][schema]);
        call.push_str(&format!(" --header 'Content-Type: application/json' --data '{body}'"));
    }
    if operation["security"][0]["bearer"].is_array() {
        call = call.replacen("curl", "printf 'Authorization: Bearer %s' \"$TOKENHOUSE_TOKEN\" | curl --header @-", 1);
    }
    format!("{call} \"{address}\"")
}

/// The object that the examples of its fields make.
fn sample(schema: &Value) -> Value {
    let fields = properties(schema).into_iter();
    let given = fields.filter_map(|(name, field)| Some((name, field.get("example")?.clone())));
    Value::Object(given.collect())
}

/// What at least every fourth operation may answer, word by word.
pub fn common_answers(operations: &[Operation]) -> Vec<Answer> {
    let having = |answer: &Answer| operations.iter().filter(|operation| operation.answers.contains(answer)).count();
    let mut common: Vec<Answer> = Vec::new();
    for answer in operations.iter().flat_map(|operation| &operation.answers) {
        if !common.contains(answer) && having(answer) * 4 >= operations.len() {
            common.push(answer.clone());
        }
    }
    common.sort_by(|a, b| a.status.cmp(&b.status));
    common
}

/// The schemas of these names, and those that their fields are made of, in the order of the names.
pub fn schemas(document: &Value, names: impl IntoIterator<Item = String>) -> Vec<Schema> {
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

fn properties(schema: &Value) -> Map<String, Value> {
    let mut all = Map::new();
    for part in parts(schema) {
        let own = part["properties"].as_object().into_iter().flatten();
        all.extend(own.map(|(name, property)| (name.clone(), property.clone())));
    }
    all
}

fn field(name: &str, value: &Value) -> Field {
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
fn named(schema: &Value) -> String {
    let direct = schema["$ref"].as_str();
    let among = || list(&schema["oneOf"]).find_map(|one| one["$ref"].as_str());
    direct.or_else(among).and_then(|reference| reference.rsplit('/').next()).unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
