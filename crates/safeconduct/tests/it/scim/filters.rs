//! Lists: filters, order, pages, chosen attributes – and the same answer from the database as from memory.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{AGENT, GROUP, Setting, id, refused, user};
use crate::support::Caller;

async fn find(by: &Caller, kind: &str, parameters: &[(&str, &str)]) -> Value {
    let query = serde_urlencoded::to_string(parameters).unwrap();
    by.get(&format!("/scim/v2/{kind}?{query}")).await.ok(200)
}

/// The first words of the names, in order.
fn names(list: &Value) -> Vec<&str> {
    let all = list["Resources"].as_array().unwrap();
    all.iter()
        .map(|one| one["displayName"].as_str().and_then(|text| text.split(' ').next()).unwrap())
        .collect()
}

async fn furnished(database: testing::TestDatabase) -> Setting {
    let setting = Setting::of(database).await;
    for name in ["ada", "Bob", "eve", "zoë"] {
        let mut body = user(&name.replace('ë', "e"));
        body["displayName"] = json!(format!("{name} Example"));
        body["active"] = json!(name != "eve");
        setting.server.clock.advance(std::time::Duration::from_secs(60));
        setting.directory.post("/scim/v2/Users", body).await.ok(201);
    }
    setting
}

/// The ids of all users that match.
async fn found(by: &Caller, filter: &str) -> BTreeSet<String> {
    let list = find(by, "Users", &[("filter", filter), ("attributes", "id")]).await;
    list["Resources"].as_array().unwrap().iter().map(|one| id(one).to_owned()).collect()
}

/// The same throws each time (xorshift).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn compose(
        &mut self,
        parts: &[(&str, BTreeSet<String>)],
        all: &BTreeSet<String>,
        depth: usize,
    ) -> (String, BTreeSet<String>) {
        let kind = if depth == 0 { 3 } else { self.throw(4) };
        if kind == 3 {
            let (text, set) = &parts[self.throw(parts.len())];
            return ((*text).to_owned(), set.clone());
        }
        let (left, one) = self.compose(parts, all, depth - 1);
        if kind == 2 {
            return (format!("not ({left})"), all - &one);
        }
        let (right, other) = self.compose(parts, all, depth - 1);
        match kind {
            0 => (format!("({left}) and ({right})"), &one & &other),
            _ => (format!("({left} or {right})"), &one | &other),
        }
    }
}

testing::on_both_databases! {
    async fn filters_find_what_they_say(database: TestDatabase) {
        let setting = furnished(database).await;
        let directory = &setting.directory;
        let ada = find(directory, "Users", &[("filter", "userName eq \"ADA@PROVED.example\"")]).await;
        assert_eq!((names(&ada), &ada["totalResults"]), (vec!["ada"], &json!(1)));
        let ada = ada["Resources"][0].clone();
        let created = ada["meta"]["created"].as_str().unwrap().to_owned();
        let after = format!("meta.created gt \"{created}\" and userName pr and externalId pr");
        let ours = "userName ew \"@proved.example\"";
        for (filter, expected) in [
            (format!("id eq \"{}\"", id(&ada)), vec!["ada"]),
            ("externalId eq \"00u-Bob\"".into(), vec!["Bob"]),
            ("externalId eq \"00U-BOB\"".into(), vec![]),
            ("displayName sw \"B\" or displayName sw \"z\"".into(), vec!["Bob", "zoë"]),
            ("displayName eq \"zoë Example\"".into(), vec!["zoë"]),
            (format!("{ours} and active eq false"), vec!["eve"]),
            (format!("{ours} and not (active eq false or displayName co \"d\")"), vec!["Bob", "zoë"]),
            ("emails[type eq \"work\" and value co \"eve\"]".into(), vec!["eve"]),
            ("emails[type eq \"work\"].value eq \"eve@proved.example\"".into(), vec!["eve"]),
            ("emails[type eq \"home\"]".into(), vec![]),
            ("name.familyName eq \"example\" and name.givenName ne \"ada\" and active eq true".into(), vec!["Bob", "zoë"]),
            (format!("{ours} and roles.value eq \"owner\""), vec![]),
            (after, vec!["Bob", "eve", "zoë"]),
            (format!("{ours} and locale pr"), vec![]),
            ("displayName co \"%\"".into(), vec![]),
            ("displayName co \"_\"".into(), vec![]),
            ("userName eq \"x' OR 1=1 --\"".into(), vec![]),
        ] {
            let found = find(directory, "Users", &[("filter", &filter), ("sortBy", "displayName")]).await;
            assert_eq!(names(&found), expected, "{filter}");
            assert_eq!(found["totalResults"], expected.len(), "{filter}");
        }
        let owners = find(directory, "Users", &[("filter", "roles[value eq \"owner\"]")]).await;
        assert_eq!(owners["totalResults"], 1);
        let group = json!({ "schemas": [GROUP], "displayName": "Ops", "members": [{ "value": id(&ada) }] });
        let group = directory.post("/scim/v2/Groups", group).await.ok(201);
        directory.post("/scim/v2/Groups", json!({ "schemas": [GROUP], "displayName": "Empty" })).await.ok(201);
        for (filter, count) in [
            (format!("id eq \"{}\" and members eq \"{}\"", id(&group), id(&ada)), 1),
            (format!("members[value eq \"{}\" and type eq \"User\"]", id(&ada)), 1),
            (format!("members[value eq \"{}\" and type eq \"Agent\"]", id(&ada)), 0),
            ("members pr".into(), 1),
            ("not (members pr)".into(), 1),
        ] {
            assert_eq!(find(directory, "Groups", &[("filter", &filter)]).await["totalResults"], count, "{filter}");
        }
        let agent = json!({ "schemas": [AGENT], "name": "lab:bot", "owner": { "value": id(&ada) } });
        directory.post("/scim/v2/Agents", agent).await.ok(201);
        for filter in ["name eq \"lab:bot\"", &format!("owner.value eq \"{}\"", id(&ada)), "agentType eq \"custom\" and name sw \"lab:\""] {
            assert_eq!(find(directory, "Agents", &[("filter", filter)]).await["totalResults"], 1, "{filter}");
        }
        setting.server.finish().await;
    }

    /// Compound filters choose what set algebra says of their parts, however they are put together.
    async fn any_composition_chooses_what_its_parts_say(database: TestDatabase) {
        let setting = furnished(database).await;
        let directory = &setting.directory;
        let all = found(directory, "id pr").await;
        let parts = [
            "userName sw \"a\"", "displayName co \"example\"", "externalId pr", "active eq true", "emails co \"b\"", "locale pr",
            "emails[type eq \"work\" and not (value sw \"e\")]", "roles eq \"owner\"", "name.givenName gt \"b\"",
            "meta.created gt \"2020-01-01T00:00:00Z\"", "externalId ne \"00u-eve\"", "name pr",
        ];
        let mut known = Vec::new();
        for part in parts {
            known.push((part, found(directory, part).await));
        }
        let mut dice = Dice(0x5EED);
        for _ in 0..60 {
            let (filter, expected) = dice.compose(&known, &all, 3);
            assert_eq!(found(directory, &filter).await, expected, "{filter}");
        }
        setting.server.finish().await;
    }

    async fn pages_follow_each_other_in_the_order_asked_for(database: TestDatabase) {
        let setting = furnished(database).await;
        let directory = &setting.directory;
        let ours = ("filter", "externalId pr");
        let page = find(directory, "Users", &[ours, ("sortBy", "userName"), ("startIndex", "2"), ("count", "2")]).await;
        assert_eq!(names(&page), ["Bob", "eve"]);
        assert_eq!((&page["totalResults"], &page["startIndex"], &page["itemsPerPage"]), (&json!(4), &json!(2), &json!(2)));
        let down = find(directory, "Users", &[ours, ("sortBy", "meta.created"), ("sortOrder", "descending")]).await;
        assert_eq!(names(&down), ["zoë", "eve", "Bob", "ada"]);
        let none = find(directory, "Users", &[ours, ("count", "0")]).await;
        assert_eq!((&none["totalResults"], &none["Resources"]), (&json!(4), &json!([])));
        let behind = find(directory, "Users", &[ours, ("startIndex", "9223372036854775807")]).await;
        assert_eq!((&behind["totalResults"], &behind["Resources"]), (&json!(4), &json!([])));
        let only = find(directory, "Users", &[ours, ("sortBy", "userName"), ("attributes", "userName,emails.value"), ("count", "1")]).await;
        let mut keys: Vec<_> = only["Resources"][0].as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["emails", "id", "schemas", "userName"]);
        let without = find(directory, "Users", &[ours, ("excludedAttributes", "emails,meta"), ("count", "1")]).await;
        assert!(without["Resources"][0].get("emails").is_none() && without["Resources"][0].get("userName").is_some());
        // Through all kinds, one behind the other.
        let search = |more: Value| {
            let mut body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"] });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        directory.post("/scim/v2/Groups", json!({ "schemas": [GROUP], "displayName": "Ops", "externalId": "g" })).await.ok(201);
        let all = directory.post("/scim/v2/.search", search(json!({ "filter": "externalId pr" }))).await.ok(200);
        assert_eq!(all["totalResults"], 5);
        let last = directory.post("/scim/v2/.search", search(json!({ "filter": "externalId pr", "startIndex": 4, "count": 9 }))).await.ok(200);
        let kinds: Vec<_> = last["Resources"].as_array().unwrap().iter().map(|one| one["meta"]["resourceType"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["User", "Group"]);
        let agents = directory.post("/scim/v2/.search", search(json!({ "filter": "agentType pr" }))).await.ok(200);
        assert_eq!(agents["totalResults"], 1);
        let unknown = search(json!({ "filter": "nothing pr" }));
        refused(&directory.post("/scim/v2/.search", unknown).await, 400, Some("invalidFilter"), "invalid_filter");
        setting.server.finish().await;
    }
}

#[tokio::test]
async fn deep_long_and_foolish_filters_are_refused_before_they_cost_anything() {
    let setting = Setting::of(testing::TestDatabase::sqlite()).await;
    let get = |parameter: &str, text: &str| {
        let query = serde_urlencoded::to_string([(parameter, text)]).unwrap();
        let path = format!("/scim/v2/Users?{query}");
        let directory = setting.directory.clone();
        async move { directory.get(&path).await }
    };
    let deep = format!("{}active eq true{}", "(".repeat(600), ")".repeat(600));
    let wide = vec!["active eq true"; 25].join(" or ");
    let long = format!("userName eq \"{}\"", "x".repeat(3_000));
    for filter in [
        deep.as_str(),
        &wide,
        &long,
        "userName",
        "nothing eq 1",
        "groups.value eq \"x\"",
        "userName eq \"\u{0}\"",
    ] {
        let answer = get("filter", filter).await;
        assert_eq!(answer.status.as_u16(), 400, "{filter}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/scim+json");
    }
    refused(&get("sortBy", "groups").await, 400, Some("invalidFilter"), "invalid_filter");
    refused(&get("sortOrder", "sideways").await, 400, Some("invalidValue"), "invalid_value");
    setting.server.finish().await;
}
