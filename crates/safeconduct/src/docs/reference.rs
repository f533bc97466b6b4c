//! The API reference as a page: every operation with its parameters, body, answers and refusals, then every shape.

use serde_json::Value;

use super::escape;

pub(super) fn page(document: &Value) -> String {
    let mut operations: Vec<Operation<'_>> = Vec::new();
    for (path, methods) in members(&document["paths"]) {
        operations.extend(members(methods).map(|(method, spec)| Operation { path, method, spec }));
    }
    operations.sort_by_key(Operation::id);
    let mut nouns: Vec<&str> = operations.iter().map(Operation::noun).collect();
    nouns.dedup();
    let mut html = String::from(
        "<h1>API reference</h1><p>The machine-readable form is <a href=\"/api/v1/openapi.json\">openapi.json</a>. \
         Errors are problem details (RFC 9457); each code has a page. Open an operation to see what it takes and \
         gives.</p><nav>",
    );
    for noun in &nouns {
        html.push_str(&format!("<a href=\"#{noun}\">{noun}</a> "));
    }
    html.push_str("<a href=\"#shapes\">shapes</a></nav>");
    for noun in nouns {
        html.push_str(&format!("<h2 id=\"{noun}\">{noun}</h2>"));
        operations.iter().filter(|one| one.noun() == noun).for_each(|one| html.push_str(&one.html(document)));
    }
    html.push_str("<h2 id=\"shapes\">Shapes</h2>");
    for (name, schema) in members(&document["components"]["schemas"]) {
        html.push_str(&shape(name, schema));
    }
    html
}

struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    spec: &'a Value,
}

impl<'a> Operation<'a> {
    fn id(&self) -> &'a str {
        text(&self.spec["operationId"])
    }

    fn noun(&self) -> &'a str {
        self.id().split('.').next().unwrap_or_default()
    }

    fn html(&self, document: &Value) -> String {
        let id = self.id();
        let mut html = format!(
            "<details id=\"{id}\"><summary><code><b>{}</b> {}</code><br>{}</summary>",
            self.method.to_uppercase(),
            escape(self.path),
            escape(text(&self.spec["summary"])),
        );
        let permission = text(&self.spec["x-permission"]);
        let needs = if permission.is_empty() {
            String::new()
        } else {
            format!(" · needs <code>{}</code>", escape(permission))
        };
        html.push_str(&format!("<p>Operation <code>{id}</code>{needs}</p>"));
        html.push_str(&table("Parameters", self.parameters(document)));
        html.push_str(&self.body());
        html.push_str(&table("Answers", self.answers()));
        let facts: Vec<String> =
            items(&self.spec["x-facts"]).map(|fact| format!("<code>{}</code>", escape(text(fact)))).collect();
        if !facts.is_empty() {
            html.push_str(&format!("<p>Leaves in the ledger: {}</p>", facts.join(", ")));
        }
        html + "</details>"
    }

    fn parameters(&self, document: &Value) -> Vec<[String; 3]> {
        let row = |parameter: &Value| {
            let name = text(&parameter["name"]);
            let place = text(&parameter["in"]);
            let required = if parameter["required"] == true { ", required" } else { "" };
            let kind = kind(&parameter["schema"]);
            [
                format!("<code>{}</code>", escape(name)),
                format!("{kind}<br><small>{place}{required}</small>"),
                said(parameter),
            ]
        };
        items(&self.spec["parameters"])
            .map(|parameter| {
                row(parameter["$ref"]
                    .as_str()
                    .and_then(|path| document.pointer(&path[1..]))
                    .unwrap_or(parameter))
            })
            .collect()
    }

    fn body(&self) -> String {
        members(&self.spec["requestBody"]["content"]).fold(String::new(), |html, (media, content)| {
            let example = &content["example"];
            let example = if example.is_null() {
                String::new()
            } else {
                // A value from a document always serialises.
                format!("<pre>{}</pre>", escape(&serde_json::to_string_pretty(example).unwrap_or_default()))
            };
            format!(
                "{html}<h3>Body</h3><p>{} as <code>{}</code></p>{example}",
                kind(&content["schema"]),
                escape(media)
            )
        })
    }

    fn answers(&self) -> Vec<[String; 3]> {
        let row = |(status, answer): (&str, &Value)| {
            let codes: Vec<String> = items(&answer["x-codes"])
                .map(|code| format!("<a href=\"/docs/errors/{0}\"><code>{0}</code></a>", escape(text(code))))
                .collect();
            let shapes: Vec<String> =
                members(&answer["content"]).map(|(_, content)| kind(&content["schema"])).collect();
            match codes.is_empty() {
                true => [escape(status), shapes.join(", "), said(answer)],
                false => [escape(status), "problem".to_owned(), codes.join(", ")],
            }
        };
        members(&self.spec["responses"]).map(row).collect()
    }
}

fn shape(name: &str, schema: &Value) -> String {
    let required: Vec<&str> = items(&schema["required"]).map(text).collect();
    let row = |(field, of): (&str, &Value)| {
        let must = if required.contains(&field) { "<br><small>required</small>" } else { "" };
        [format!("<code>{}</code>", escape(field)), format!("{}{must}", kind(of)), said(of)]
    };
    let fields = table("", members(&schema["properties"]).map(row).collect());
    let whole = if fields.is_empty() { format!("<p>{}</p>", kind(schema)) } else { fields };
    format!("<section id=\"shape-{0}\"><h3>{0}</h3><p>{1}</p>{whole}</section>", escape(name), said(schema))
}

/// A schema in one phrase.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#shape-{0}\">{0}</a>", escape(name));
    }
    for (word, glue) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        let parts: Vec<String> = items(&schema[word]).map(kind).collect();
        if !parts.is_empty() {
            return parts.join(glue);
        }
    }
    let values: Vec<String> =
        items(&schema["enum"]).map(|value| format!("<code>{}</code>", escape(&plain(value)))).collect();
    if !values.is_empty() {
        return values.join(" or ");
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::Array(names) => names.iter().map(text).collect(),
        name => vec![text(name)],
    };
    let one = |name: &&str| match *name {
        "" => "any".to_owned(),
        "array" => format!("list of {}", kind(&schema["items"])),
        other => escape(other),
    };
    names.iter().map(one).collect::<Vec<_>>().join(" or ") + &bounds(schema)
}

fn bounds(schema: &Value) -> String {
    let known = ["format", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"];
    let said = |name: &&str| {
        let value = &schema[*name];
        (!value.is_null()).then(|| format!(" <small>{name} {}</small>", escape(&plain(value))))
    };
    known.iter().filter_map(said).collect()
}

fn said(of: &Value) -> String {
    escape(text(&of["description"]))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn table(title: &str, rows: Vec<[String; 3]>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let rows: String =
        rows.iter().map(|[one, two, three]| format!("<tr><td>{one}<td>{two}<td>{three}</tr>")).collect();
    let title = if title.is_empty() { String::new() } else { format!("<h3>{title}</h3>") };
    format!("{title}<table>{rows}</table>")
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
