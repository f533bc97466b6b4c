//! Documents of `sinas.co/v1`, `kind: SinasConfig`, entry by entry as those of our own. Every part keeps its place, so that what
//! is found later still names the line; what cannot be carried over is said, and what would be wrong without it is refused.

use authority::Permission;
use manifest::{Kind, Member, Node, Place};

use crate::model::Finding;

pub(crate) const VERSION: &str = "sinas.co/v1";
const KIND: &str = "SinasConfig";

/// What became of a document.
#[derive(Default)]
pub(crate) struct Converted {
    /// `metadata.name`, as our names are written.
    pub(crate) manager: Option<(String, Place)>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) warnings: Vec<Finding>,
    pub(crate) errors: Vec<Finding>,
}

pub(crate) struct Entry {
    pub(crate) section: &'static str,
    /// Where it stood.
    pub(crate) pointer: String,
    pub(crate) node: Node,
}

/// What becomes of a field.
#[derive(Clone, Copy)]
enum Fate {
    As(&'static str),
    /// Looked at by the section itself.
    Own,
    Dropped(&'static str),
    Refused(&'static str),
}
use Fate::{As, Dropped, Own, Refused};

type Fields = &'static [(&'static str, Fate)];

const HOSTED: &str = "agents are not hosted by this version; they are registered, and run elsewhere";
const OF_GROUP: &str = "what it says of a group is not carried over";
const PICTURES: &str = "pictures are not kept";

const ROLE: Fields = &[("name", Own), ("description", Own), ("emailDomain", Own), ("permissions", Own)];

const FUNCTION: Fields = &[
    ("namespace", Own),
    ("name", Own),
    ("description", Own),
    ("code", As("code")),
    ("inputSchema", As("input_schema")),
    ("outputSchema", As("output_schema")),
    ("tags", As("tags")),
    ("requirements", Refused("packages are not installed by this version; take them out of code and file")),
    ("enabledNamespaces", Dropped("which namespaces may call it is said by permissions")),
    ("icon", Dropped(PICTURES)),
    ("groupName", Dropped(OF_GROUP)),
];

const AGENT: Fields = &[
    ("namespace", Own),
    ("name", Own),
    ("description", As("description")),
    ("enabledFunctions", Own),
    ("stateNamespacesReadonly", Own),
    ("stateNamespacesReadwrite", Own),
    ("llmProviderName", Dropped(HOSTED)),
    ("model", Dropped(HOSTED)),
    ("temperature", Dropped(HOSTED)),
    ("maxTokens", Dropped(HOSTED)),
    ("systemPrompt", Dropped(HOSTED)),
    ("inputSchema", Dropped(HOSTED)),
    ("outputSchema", Dropped(HOSTED)),
    ("functionParameters", Dropped(HOSTED)),
    ("mcpToolParameters", Dropped(HOSTED)),
    ("enabledMcpTools", Dropped(HOSTED)),
    ("enabledAgents", Dropped(HOSTED)),
    ("enabledSkills", Dropped(HOSTED)),
    ("enabledWebhooks", Dropped(HOSTED)),
    ("enabledQueries", Dropped(HOSTED)),
    ("queryParameters", Dropped(HOSTED)),
    ("enabledCollections", Dropped(HOSTED)),
    ("enabledComponents", Dropped(HOSTED)),
    ("isDefault", Dropped(HOSTED)),
    ("icon", Dropped(PICTURES)),
    ("groupName", Dropped(OF_GROUP)),
];

const WEBHOOK: Fields = &[
    ("path", Own),
    ("functionNamespace", Own),
    ("functionName", Own),
    ("httpMethod", Own),
    ("description", As("description")),
    ("requiresAuth", Own),
    ("defaultValues", Own),
    ("isActive", As("active")),
    ("groupName", Dropped(OF_GROUP)),
];

const SCHEDULE: Fields = &[
    ("name", As("name")),
    ("functionNamespace", Own),
    ("functionName", Own),
    ("scheduleType", Own),
    ("agentName", Refused("schedules of agents are not there yet: this version cannot apply them")),
    ("content", Refused("schedules of agents are not there yet: this version cannot apply them")),
    ("description", As("description")),
    ("cronExpression", Own),
    ("timezone", As("time_zone")),
    ("inputData", As("input")),
    ("isActive", As("active")),
    ("groupName", Dropped(OF_GROUP)),
];

/// Sections whose counterpart has no domain yet.
const LATER: [(&str, &str); 3] =
    [("users", "users"), ("llmProviders", "model_providers"), ("mcpServers", "mcp_servers")];

pub(crate) fn is_one(document: &Node) -> bool {
    document.get("apiVersion").and_then(Node::text) == Some(VERSION)
}

pub(crate) fn convert(document: &Node) -> Converted {
    let mut out = Converted::default();
    for member in document.members().unwrap_or_default() {
        match member.name.as_str() {
            "apiVersion" => {}
            "kind" if member.value.text() == Some(KIND) => {}
            "kind" => out.refuse("/kind", member.value.place, format!("must be `{KIND}`")),
            "metadata" => out.metadata(&member.value),
            "spec" => out.spec(&member.value),
            other => out.refuse(&format!("/{other}"), member.place, "is not known here"),
        }
    }
    for name in ["kind", "metadata", "spec"] {
        if document.get(name).is_none() {
            out.refuse(&format!("/{name}"), document.place, "is missing");
        }
    }
    out
}

impl Converted {
    fn refuse(&mut self, path: &str, place: Place, message: impl Into<String>) {
        self.errors.push(Finding::at(path, place, message));
    }

    fn warn(&mut self, path: &str, place: Place, message: impl Into<String>) {
        self.warnings.push(Finding::at(path, place, message));
    }

    fn metadata(&mut self, metadata: &Node) {
        let Some(name) = metadata.get("name") else {
            return self.refuse("/metadata", metadata.place, "`name` is missing: it says which file this is");
        };
        let slug = slugged(name.text().unwrap_or_default());
        if name.text().is_none_or(|text| text != slug) {
            self.warn("/metadata/name", name.place, format!("what it makes is managed by `{slug}`"));
        }
        self.manager = Some((slug, name.place));
        let labels = metadata.members().unwrap_or_default().iter().find(|member| member.name == "labels");
        if let Some(labels) = labels.filter(|labels| !is_empty(&labels.value)) {
            self.warn("/metadata/labels", labels.place, "are left out: files have none here");
        }
    }

    fn spec(&mut self, spec: &Node) {
        for section in spec.members().unwrap_or_default() {
            let path = format!("/spec/{}", section.name);
            let items = section.value.items().unwrap_or_default();
            let each = |out: &mut Self, fields: Fields, make: fn(&mut Self, &Part<'_>)| {
                for (at, item) in items.iter().enumerate() {
                    let pointer = format!("{path}/{at}");
                    let members = out.sorted(&pointer, item, fields);
                    make(out, &Part { pointer, node: item, members });
                }
            };
            match section.name.as_str() {
                "roles" | "groups" => each(self, ROLE, Self::role),
                "functions" => each(self, FUNCTION, Self::function),
                "agents" => each(self, AGENT, Self::agent),
                "webhooks" => each(self, WEBHOOK, Self::webhook),
                "schedules" => each(self, SCHEDULE, Self::schedule),
                _ if is_empty(&section.value) => {}
                name => match LATER.iter().find(|(theirs, _)| *theirs == name) {
                    Some((theirs, ours)) => self.later(theirs, ours, section, &path),
                    None => {
                        self.refuse(
                            &path,
                            section.place,
                            "is not carried over: there is nothing like it here",
                        );
                    }
                },
            }
        }
    }

    fn later(&mut self, theirs: &str, ours: &str, section: &Member, path: &str) {
        let message =
            format!("`{theirs}` are `{ours}` here, which are not there yet: this version cannot apply them");
        self.refuse(path, section.place, message);
        for (at, server) in section.value.items().unwrap_or_default().iter().enumerate() {
            let Some(url) = server.get("url") else { continue };
            let is_socket = |text: &str| text.starts_with("ws://") || text.starts_with("wss://");
            let by_name = server.get("protocol").and_then(Node::text) == Some("websocket");
            if by_name || url.text().is_some_and(is_socket) {
                let message = "MCP is not spoken over websockets; give the server's streamable HTTP address";
                self.refuse(&format!("{path}/{at}/url"), url.place, message);
            }
        }
    }

    /// The fields that are only called otherwise; what becomes of all others is said.
    fn sorted(&mut self, pointer: &str, item: &Node, fields: Fields) -> Vec<Member> {
        let mut members = Vec::new();
        for member in item.members().unwrap_or_default() {
            let path = format!("{pointer}/{}", member.name);
            let fate = fields.iter().find(|(name, _)| *name == member.name).map(|(_, fate)| *fate);
            match fate {
                None => self.refuse(&path, member.place, "is not known here"),
                Some(Own) => {}
                Some(As(_)) if matches!(member.value.kind, Kind::Null) => {}
                Some(As(name)) => members.push(Member { name: name.to_owned(), ..member.clone() }),
                Some(_) if is_empty(&member.value) => {}
                Some(Dropped(why)) => self.warn(&path, member.place, format!("is left out: {why}")),
                Some(Refused(why)) => self.refuse(&path, member.place, why),
            }
        }
        members
    }

    fn put(&mut self, section: &'static str, part: &Part<'_>, members: Vec<Member>) {
        let node = Node { place: part.node.place, kind: Kind::Map(members) };
        self.entries.push(Entry { section, pointer: part.pointer.clone(), node });
    }

    /// Theirs are groups of people with permissions of their own: a role with these, and a group where a domain fills it.
    fn role(&mut self, part: &Part<'_>) {
        let Some((name, place)) = part.text("name") else { return self.nameless(part) };
        let slug = slugged(name);
        let mut members = vec![word("name", place, &slug)];
        members.extend(part.described(name, &slug));
        let mut permissions = Vec::new();
        for (at, permission) in part.items("permissions").iter().enumerate() {
            let path = format!("{}/permissions/{at}", part.pointer);
            let key = permission.get("key").and_then(Node::text).unwrap_or_default();
            let given = !matches!(permission.get("value").map(|value| &value.kind), Some(Kind::Bool(false)));
            match permission_of(key) {
                _ if !given => {
                    let message = format!("`{key}` is taken away there; roles only give, so it is left out");
                    self.warn(&path, permission.place, message);
                }
                Some(ours) => permissions.push(text(permission.place, &ours)),
                None => {
                    let message = format!("`{key}` is left out: there is no such permission here");
                    self.warn(&path, permission.place, message);
                }
            }
        }
        members.push(list("permissions", part.node.place, permissions));
        self.put("roles", part, members);
        if let Some((domain, at)) = part.text("emailDomain") {
            let path = format!("{}/emailDomain", part.pointer);
            let message = format!("makes a group as well; give it the role `{slug}` once");
            self.warn(&path, at, message);
            self.put("groups", part, vec![word("name", place, name), word("email_domain", at, domain)]);
        }
    }

    fn function(&mut self, part: &Part<'_>) {
        let Some((name, place)) = part.text("name") else { return self.nameless(part) };
        let identifier = identified(name);
        let mut members = part.members.clone();
        members.push(word("name", place, &identifier));
        members.extend(part.described(name, &identifier));
        members
            .extend(part.text("namespace").map(|(text, place)| word("namespace", place, &identified(text))));
        self.put("functions", part, members);
    }

    fn agent(&mut self, part: &Part<'_>) {
        let Some((name, place)) = part.text("name") else { return self.nameless(part) };
        let mut members = part.members.clone();
        members.push(word("name", place, &slugged(name)));
        members.push(word("display_name", place, name));
        members.extend(part.text("namespace").map(|(text, place)| word("namespace", place, &slugged(text))));
        let named = |field: &str| -> Vec<(String, Place)> {
            let name = |item: &Node| Some((item.text()?.to_owned(), item.place));
            part.items(field).iter().filter_map(name).collect()
        };
        let functions = named("enabledFunctions").into_iter();
        let functions =
            functions.map(|(name, at)| text(at, &format!("functions/{}:execute", referred(&name))));
        let read = named("stateNamespacesReadonly").into_iter();
        let read = read.map(|(name, at)| text(at, &format!("state/{}/**:read", slugged(&name))));
        let both = named("stateNamespacesReadwrite").into_iter();
        let both = both.flat_map(|(name, at)| {
            ["read", "write", "delete"].map(|verb| text(at, &format!("state/{}/**:{verb}", slugged(&name))))
        });
        let permissions: Vec<Node> = functions.chain(read).chain(both).collect();
        if !permissions.is_empty() {
            members.push(list("permissions", part.node.place, permissions));
        }
        self.put("agents", part, members);
    }

    fn webhook(&mut self, part: &Part<'_>) {
        let mut members = part.members.clone();
        if let Some((path, place)) = part.text("path") {
            members.push(word("path", place, path.trim_matches('/')));
        }
        members.extend(part.function());
        let (method, place) = part.text("httpMethod").unwrap_or(("POST", part.node.place));
        members.push(list("methods", place, vec![text(place, &method.to_ascii_uppercase())]));
        if matches!(part.node.get("requiresAuth").map(|node| &node.kind), Some(Kind::Bool(false))) {
            let path = format!("{}/requiresAuth", part.pointer);
            let message =
                "a hook that asks for no proof has a path that nobody knows before: make it by hand";
            self.refuse(&path, part.node.place_of("/requiresAuth"), message);
        }
        let place = part.node.place;
        members.push(map("authentication", place, vec![word("kind", place, "token")]));
        if let Some(defaults) = part.node.get("defaultValues").filter(|defaults| !is_empty(defaults)) {
            let defaults = Member { name: "defaults".into(), place: defaults.place, value: defaults.clone() };
            members.push(map("input", place, vec![defaults]));
        }
        self.put("hooks", part, members);
    }

    fn schedule(&mut self, part: &Part<'_>) {
        let mut members = part.members.clone();
        members.extend(part.function());
        if let Some((cron, place)) = part.text("cronExpression") {
            members.push(map("timing", place, vec![word("cron", place, cron)]));
        }
        if let Some((kind, place)) = part.text("scheduleType").filter(|(kind, _)| *kind != "function") {
            let message =
                format!("schedules of kind `{kind}` are not there yet: this version cannot apply them");
            self.refuse(&format!("{}/scheduleType", part.pointer), place, message);
        }
        self.put("schedules", part, members);
    }

    fn nameless(&mut self, part: &Part<'_>) {
        self.refuse(&format!("{}/name", part.pointer), part.node.place, "is missing, or no text");
    }
}

/// An entry of theirs, and what of it is only called otherwise.
struct Part<'n> {
    pointer: String,
    node: &'n Node,
    members: Vec<Member>,
}

impl Part<'_> {
    fn text(&self, name: &str) -> Option<(&str, Place)> {
        let value = self.node.get(name)?;
        Some((value.text().filter(|text| !text.is_empty())?, value.place))
    }

    fn items(&self, name: &str) -> &[Node] {
        self.node.get(name).and_then(Node::items).unwrap_or_default()
    }

    /// The description; before it what the thing was called, if it has another name now.
    fn described(&self, name: &str, ours: &str) -> Option<Member> {
        let said = self.text("description").map(|(said, _)| said);
        let description = match (name == ours, said) {
            (true, said) => said?.to_owned(),
            (false, Some(said)) => format!("{name}: {said}"),
            (false, None) => name.to_owned(),
        };
        Some(word("description", self.node.place_of("/description"), &description))
    }

    fn function(&self) -> Option<Member> {
        let (name, place) = self.text("functionName")?;
        let full = match self.text("functionNamespace") {
            Some((namespace, _)) => format!("{}/{}", identified(namespace), identified(name)),
            None => referred(name),
        };
        Some(word("function", place, &full))
    }
}

/// `sinas.functions/ops/greet.execute:all`, as our grammar writes it; none of what this server has no word for.
fn permission_of(key: &str) -> Option<String> {
    let key = key.strip_prefix("sinas.")?;
    let (path, reach) = key.rsplit_once(':').map_or((key, None), |(path, reach)| (path, Some(reach)));
    let (object, action) = path.rsplit_once('.').unwrap_or((path, "*"));
    let (resource, selector) = object.split_once('/').map_or((object, ""), |(one, of)| (one, of));
    let resource = match resource {
        "webhooks" => "hooks",
        "states" => "state",
        "collections" => "files",
        "executions" => "runs",
        "mcp" => "mcp_servers",
        "llm_providers" => "models",
        other => other,
    };
    let action = match action {
        "get" | "list" | "view" => "read",
        "put" | "patch" => "update",
        "post" => "create",
        other => other,
    };
    let mut ours = resource.to_owned();
    if !selector.is_empty() {
        ours.push('/');
        ours.push_str(selector);
    }
    ours.push(':');
    ours.push_str(action);
    if let Some(reach) = reach {
        ours.push(':');
        ours.push_str(reach);
    }
    let permission: Permission = ours.parse().ok()?;
    Some(permission.to_string())
}

/// Small letters, digits and single hyphens, as names of roles and agents are written.
fn slugged(name: &str) -> String {
    let mut slug = String::new();
    for sign in name.chars().flat_map(char::to_lowercase) {
        match sign {
            'a'..='z' | '0'..='9' | '_' => slug.push(sign),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug: String = slug.trim_end_matches('-').chars().take(63).collect();
    match slug.starts_with(|first: char| first.is_ascii_lowercase()) {
        true => slug,
        false => format!("x-{slug}").trim_end_matches('-').to_owned(),
    }
}

/// Letters, digits and `_`, as functions are written.
fn identified(name: &str) -> String {
    let plain = |sign: char| if sign.is_ascii_alphanumeric() { sign } else { '_' };
    let identifier: String = name.chars().map(plain).take(62).collect();
    match identifier.starts_with(|first: char| first.is_ascii_digit()) {
        true => format!("_{identifier}"),
        false => identifier,
    }
}

/// `namespace/name`, or a name in the namespace `default`.
fn referred(name: &str) -> String {
    let (namespace, name) = name.split_once('/').unwrap_or(("default", name));
    format!("{}/{}", identified(namespace), identified(name))
}

fn is_empty(node: &Node) -> bool {
    match &node.kind {
        Kind::Null => true,
        Kind::Text(text) => text.is_empty(),
        Kind::List(items) => items.is_empty(),
        Kind::Map(members) => members.is_empty(),
        Kind::Bool(is_set) => !is_set,
        Kind::Number(_) => false,
    }
}

fn text(place: Place, text: &str) -> Node {
    Node { place, kind: Kind::Text(text.to_owned()) }
}

fn word(name: &str, place: Place, value: &str) -> Member {
    Member { name: name.to_owned(), place, value: text(place, value) }
}

fn list(name: &str, place: Place, items: Vec<Node>) -> Member {
    Member { name: name.to_owned(), place, value: Node { place, kind: Kind::List(items) } }
}

fn map(name: &str, place: Place, members: Vec<Member>) -> Member {
    Member { name: name.to_owned(), place, value: Node { place, kind: Kind::Map(members) } }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn converted(spec: &str) -> Converted {
        let text = format!(
            "apiVersion: sinas.co/v1\nkind: SinasConfig\nmetadata:\n  name: Demo Data\nspec:\n{spec}"
        );
        convert(&manifest::read(&text).unwrap()[0])
    }

    fn entries(of: &Converted) -> Vec<(&'static str, serde_json::Value)> {
        of.entries.iter().map(|entry| (entry.section, entry.node.to_value())).collect()
    }

    fn found(findings: &[Finding]) -> Vec<(usize, &str)> {
        findings.iter().map(|one| (one.line.unwrap_or_default(), one.path.as_str())).collect()
    }

    #[test]
    fn groups_with_permissions_are_roles() {
        let of = converted(
            "  groups:\n    - name: Data Team\n      description: Reads\n      emailDomain: acme.example\n      permissions:\n        - {key: 'sinas.functions.execute:all', value: true}\n        - {key: 'sinas.ontology.read:all', value: true}\n        - {key: 'sinas.webhooks.read:own', value: false}\n",
        );
        assert_eq!(of.manager.as_ref().unwrap().0, "demo-data");
        assert_eq!(
            entries(&of),
            [
                (
                    "roles",
                    json!({ "name": "data-team", "description": "Data Team: Reads",
                            "permissions": ["functions:execute:all"] })
                ),
                ("groups", json!({ "name": "Data Team", "email_domain": "acme.example" })),
            ]
        );
        assert!(of.errors.is_empty());
        assert_eq!(
            found(&of.warnings),
            [
                (4, "/metadata/name"),
                (12, "/spec/groups/0/permissions/1"),
                (13, "/spec/groups/0/permissions/2"),
                (9, "/spec/groups/0/emailDomain"),
            ]
        );
    }

    #[test]
    fn functions_agents_hooks_and_schedules_are_told_in_our_words() {
        let of = converted(
            "  functions:\n    - name: send-mail\n      code: |\n        def send_mail(to): return to\n      inputSchema: {type: object}\n      requirements: []\n      icon: null\n  agents:\n    - name: CRM Assistant\n      systemPrompt: Be kind\n      enabledFunctions: [send-mail, ops/greet]\n      stateNamespacesReadonly: [notes]\n  webhooks:\n    - {path: /mail, functionName: send-mail, httpMethod: put, defaultValues: {to: a}}\n  schedules:\n    - {name: Nightly, functionNamespace: ops, functionName: greet, cronExpression: '0 2 * * *', timezone: UTC, inputData: {a: 1}, isActive: false}\n",
        );
        assert_eq!(
            entries(&of),
            [
                (
                    "functions",
                    json!({ "code": "def send_mail(to): return to\n", "input_schema": { "type": "object" },
                            "name": "send_mail", "description": "send-mail" })
                ),
                (
                    "agents",
                    json!({ "name": "crm-assistant", "display_name": "CRM Assistant",
                            "permissions": ["functions/default/send_mail:execute",
                                "functions/ops/greet:execute", "state/notes/**:read"] })
                ),
                (
                    "hooks",
                    json!({ "path": "mail", "function": "default/send_mail", "methods": ["PUT"],
                            "authentication": { "kind": "token" }, "input": { "defaults": { "to": "a" } } })
                ),
                (
                    "schedules",
                    json!({ "name": "Nightly", "time_zone": "UTC", "input": { "a": 1 }, "active": false,
                            "function": "ops/greet", "timing": { "cron": "0 2 * * *" } })
                ),
            ]
        );
        assert!(of.errors.is_empty());
        assert_eq!(found(&of.warnings), [(4, "/metadata/name"), (15, "/spec/agents/0/systemPrompt")]);
    }

    #[test]
    fn what_would_be_wrong_without_it_is_refused() {
        let of = converted(
            "  users: []\n  llmProviders:\n    - {name: openai}\n  mcpServers:\n    - {name: a, url: 'wss://a.example', protocol: websocket}\n  datasources:\n    - {name: a}\n  functions:\n    - {name: a, code: x, requirements: [requests], colour: red}\n  webhooks:\n    - {path: a, functionName: a, requiresAuth: false}\n  schedules:\n    - {name: a, scheduleType: agent, agentName: a, cronExpression: '@daily'}\n",
        );
        assert_eq!(
            found(&of.errors),
            [
                (7, "/spec/llmProviders"),
                (9, "/spec/mcpServers"),
                (10, "/spec/mcpServers/0/url"),
                (11, "/spec/datasources"),
                (14, "/spec/functions/0/requirements"),
                (14, "/spec/functions/0/colour"),
                (16, "/spec/webhooks/0/requiresAuth"),
                (18, "/spec/schedules/0/agentName"),
                (18, "/spec/schedules/0/scheduleType"),
            ]
        );
    }

    #[test]
    fn permissions_are_told_in_our_grammar_or_left_out() {
        for (theirs, ours) in [
            ("sinas.functions/ops/greet.execute:all", Some("functions/ops/greet:execute:all")),
            ("sinas.webhooks.create:own", Some("hooks:create:own")),
            ("sinas.*:all", Some("*:*:all")),
            ("sinas.ontology.read:all", None),
            ("other.functions.read:all", None),
        ] {
            assert_eq!(permission_of(theirs).as_deref(), ours, "{theirs}");
        }
    }

    proptest::proptest! {
        #[test]
        fn names_become_names_whatever_they_were(name in "\\PC{0,80}") {
            let (slug, identifier) = (slugged(&name), identified(&name));
            proptest::prop_assert!(slug.len() <= 65 && slug.starts_with(|one: char| one.is_ascii_lowercase()));
            proptest::prop_assert!(slug.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || "-_".contains(one)));
            proptest::prop_assert!(identifier.len() <= 63 && identifier.chars().all(|one| one.is_ascii_alphanumeric() || one == '_'));
        }
    }
}
