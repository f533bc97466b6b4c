//! `context.http`, against a real server over TLS.

use serde_json::{Value, json};
use testing::{TestDatabase, Upstream};

use super::{made, run};
use crate::secrets::secret;
use crate::support::{Caller, TestServer};

/// Makes each request of the input, and tells what came of it.
const CODE: &str = r#"
def handler(input, context):
    told = []
    for call in input:
        method, url, options = call
        if "auth" in options:
            options["auth"] = tuple(options["auth"])
        try:
            answer = context.http.request(method, url, **options)
            told.append([answer.status, answer.text, answer.url, dict(answer.headers)])
        except Exception as error:
            told.append([type(error).__name__, str(error)])
    return told
"#;

struct Ground {
    server: TestServer,
    owner: Caller,
    upstream: Upstream,
}

impl Ground {
    async fn open(database: TestDatabase) -> Self {
        Self::reaching(database, "127.0.0.0/8").await
    }

    async fn reaching(database: TestDatabase, networks: &str) -> Self {
        let upstream = Upstream::start();
        let authority = upstream.authority().display().to_string();
        let settings = [("egress.allow_private", networks), ("egress.ca_file", &authority)];
        let server = TestServer::start_with(database, &settings).await;
        let owner = server.owner().await;
        Self { server, owner, upstream }
    }

    fn at(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.upstream.tls)
    }

    /// A function with these rules and secrets.
    async fn function(&self, name: &str, egress: Value, secrets: Value) -> String {
        let body =
            json!({ "namespace": "ops", "name": name, "code": CODE, "egress": egress, "secrets": secrets });
        made(&self.owner, body).await
    }

    /// The usual rule: everything at `localhost` over TLS.
    fn everything(&self) -> Value {
        let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
        json!([{ "host": "localhost", "port": self.upstream.tls, "methods": methods }])
    }

    async fn told(&self, function: &str, calls: Value) -> Vec<Value> {
        let ran = run(&self.owner, function, calls).await;
        ran["output"].as_array().unwrap_or_else(|| panic!("{ran:#}")).clone()
    }
}

fn is(told: &Value, kind: &str, part: &str) {
    assert!(
        told[0] == kind && told[1].as_str().is_some_and(|text| text.contains(part)),
        "{kind}, {part}: {told:#}"
    );
}

testing::on_both_databases! {
    async fn what_a_rule_allows_is_called_and_told_of(database: TestDatabase) {
        let ground = Ground::open(database).await;
        let function = ground.function("calls", ground.everything(), json!([])).await;
        let calls = json!([
            ["GET", ground.at("/a?x=1"), { "params": { "q": "a b" }, "headers": { "X-Key": "k", "User-Agent": "mine" } }],
            ["POST", ground.at("/b"), { "json": { "é": [1] } }],
            ["PUT", ground.at("/c"), { "data": { "f": "a&b" } }],
            ["GET", ground.at("/status?is=404"), {}],
            ["HEAD", ground.at("/d"), {}],
        ]);
        let ran = run(&ground.owner, &function, calls).await;
        let told = &ran["output"];
        assert_eq!(told[0][0], 200, "{ran:#}");
        assert_eq!((&told[3][0], &told[3][1], &told[4][0], &told[4][1]), (&json!(404), &json!("said so"), &json!(200), &json!("")));
        let asked = ground.upstream.asked();
        assert_eq!((&asked[0]["path"], &asked[1]["body"]), (&json!("/a?x=1&q=a+b"), &json!("{\"\u{c3}\u{a9}\": [1]}")));
        assert_eq!(asked[2]["body"], "f=a%26b");
        let agents = asked[0]["headers"].as_array().unwrap().iter().filter(|pair| pair[0] == "user-agent").count();
        assert_eq!(agents, 1, "{asked:#?}");
        ground.server.house().ledger.drain().await.unwrap();
        let facts = ground.owner.get("/api/v1/audit/events?kind=run.succeeded").await.ok(200);
        let fact = format!("/api/v1/audit/events/{}", facts["items"][0]["id"].as_str().unwrap());
        let fact = ground.owner.get(&fact).await.ok(200).to_string();
        for part in ["\"requests\":5", "\"requests_blocked\":0", "\"requested_hosts\":[\"localhost\"]"] {
            assert!(fact.contains(part), "{part}: {fact}");
        }
        ground.server.finish().await;
    }

    async fn what_no_rule_allows_is_blocked_and_explained(database: TestDatabase) {
        let ground = Ground::open(database).await;
        let port = ground.upstream.tls;
        let rules = json!([{ "host": "localhost", "port": port, "path": "/v1" }]);
        let function = ground.function("blocked", rules, json!([])).await;
        let calls = json!([
            ["GET", ground.at("/v1/ok"), {}],
            ["POST", ground.at("/v1/ok"), {}],
            ["GET", ground.at("/v2"), {}],
            ["GET", ground.at("/v1/../v2"), {}],
            ["GET", ground.at("/v1/%2e%2e/v2"), {}],
            ["GET", ground.at("/v1/..%2fv2"), {}],
            ["GET", "https://localhost/v1", {}],
            ["GET", format!("https://127.0.0.1:{port}/v1"), {}],
            ["GET", format!("http://localhost:{}/v1", ground.upstream.plain), {}],
            ["GET", "https://example.com/v1", {}],
        ]);
        let ran = run(&ground.owner, &function, calls).await;
        let told = ran["output"].as_array().unwrap_or_else(|| panic!("{ran:#}"));
        assert_eq!(told[0][0], 200, "{ran:#}");
        for refused in &told[1..] {
            is(refused, "HttpBlocked", "no egress rule of this version allows");
        }
        assert_eq!(ground.upstream.asked().len(), 1, "nothing else arrived");
        let logs = ground.owner.get(&format!("/api/v1/runs/{}/logs", ran["id"].as_str().unwrap())).await;
        assert_eq!(logs.text.matches("context.http was refused").count(), 9, "{}", logs.text);
        assert!(logs.text.contains("POST https://localhost"), "{}", logs.text);
        // Without any rule nothing goes.
        let shut = ground.function("shut", json!([]), json!([])).await;
        is(&ground.told(&shut, json!([["GET", ground.at("/v1"), {}]])).await[0], "HttpBlocked", "no egress rule");
        ground.server.finish().await;
    }

    async fn a_placeholder_becomes_the_secret_at_its_own_hosts_only(database: TestDatabase) {
        let ground = Ground::open(database).await;
        let (tls, plain) = (ground.upstream.tls, ground.upstream.plain);
        secret(&ground.owner, "BOUND", "tangerine \"submarine\"", json!(["localhost"])).await;
        secret(&ground.owner, "ELSEWHERE", "never-at-localhost", json!(["api.example.com"])).await;
        secret(&ground.owner, "UNNAMED", "of-another-function", json!(["localhost"])).await;
        let rules = json!([
            { "host": "localhost", "port": tls, "methods": ["GET", "POST"] },
            { "host": "127.0.0.1", "port": tls, "methods": ["GET", "POST"] },
            { "host": "localhost", "port": plain, "scheme": "http" },
        ]);
        let function = ground.function("keys", rules, json!(["BOUND", "ELSEWHERE"])).await;
        let key = json!({ "headers": { "Authorization": "Bearer {{secret:BOUND}}", "X-Key": "{{secret:BOUND}}" } });
        let calls = json!([
            ["GET", ground.at("/a"), key],
            ["POST", ground.at("/b"), { "json": { "key": "{{secret:BOUND}}" }, "params": { "k": "{{secret:BOUND}}" } }],
            ["POST", ground.at("/c"), { "data": { "key": "{{secret:BOUND}}" } }],
            ["GET", ground.at("/d"), { "auth": ["me", "{{secret:BOUND}}"] }],
            ["GET", format!("https://127.0.0.1:{tls}/e"), key],
            ["GET", format!("http://localhost:{plain}/f"), key],
            ["GET", ground.at("/g"), { "headers": { "X-Key": "{{secret:ELSEWHERE}}" } }],
            ["GET", ground.at("/h"), { "headers": { "X-Key": "{{secret:UNNAMED}}" } }],
            ["GET", ground.at("/i/{{secret:BOUND}}"), {}],
            ["GET", ground.at(&format!("/redirect?to=https://127.0.0.1:{tls}/j")), key],
            ["GET", ground.at("/redirect?to=/k?x=%257B%257Bsecret:BOUND%257D%257D"), {}],
            ["POST", ground.at(&format!("/redirect?status=307%26to=https://127.0.0.1:{tls}/l").replace("%26", "&")), { "json": ["{{secret:BOUND}}"] }],
            ["POST", ground.at("/m"), { "json": ["{{secret:BOUND}}".repeat(65)] }],
        ]);
        let ran = run(&ground.owner, &function, calls).await;
        let told = ran["output"].as_array().unwrap_or_else(|| panic!("{ran:#}")).clone();
        assert!(!ran.to_string().contains("tangerine") && !ran.to_string().contains("bWU6dGFuZ2Vya"), "what the server says again is hidden: {ran:#}");
        for answered in [0, 1, 2, 3, 8, 9, 10] {
            assert_eq!(told[answered][0], 200, "{answered}: {ran:#}");
        }
        is(&told[4], "HttpBlocked", "the secret BOUND is not for https://127.0.0.1");
        is(&told[5], "HttpBlocked", "over https only");
        is(&told[6], "HttpBlocked", "the secret ELSEWHERE is not for https://localhost");
        is(&told[7], "HttpBlocked", "names the secret UNNAMED, which this version does not");
        is(&told[11], "HttpBlocked", "the secret BOUND is not for https://127.0.0.1");
        is(&told[12], "ValueError", "at most 64 placeholders");
        let asked = ground.upstream.asked();
        let at = |path: &str| asked.iter().find(|one| one["path"].as_str().unwrap().starts_with(path)).unwrap_or_else(|| panic!("{path}: {asked:#?}"));
        assert!(at("/a")["headers"].to_string().contains(r#"Bearer tangerine \"submarine\""#), "{asked:#?}");
        let json: Value = serde_json::from_str(at("/b")["body"].as_str().unwrap()).unwrap();
        assert_eq!(json, json!({ "key": "tangerine \"submarine\"" }));
        assert_eq!(at("/b")["path"], "/b?k=tangerine+%22submarine%22");
        assert_eq!(at("/c")["body"], "key=tangerine+%22submarine%22");
        assert!(at("/d")["headers"].to_string().contains("Basic bWU6dGFuZ2VyaW5lICJzdWJtYXJpbmUi"), "{asked:#?}");
        assert!(!at("/j")["headers"].to_string().contains("tangerine"), "headers with a secret do not follow to another host");
        for path in ["/i", "/k"] {
            assert!(!at(path)["path"].as_str().unwrap().contains("tangerine"), "neither paths nor redirects are filled in");
        }
        assert!(asked.iter().all(|one| one["path"] != "/l"));
        ground.server.house().ledger.drain().await.unwrap();
        let facts = ground.owner.get("/api/v1/audit/events?kind=secret.read").await.ok(200);
        assert_eq!(facts["items"].as_array().unwrap().len(), 1, "one for the run and the secret that was used: {facts:#}");
        ground.server.finish().await;
    }
}

#[tokio::test]
async fn redirects_are_asked_for_anew() {
    let ground = Ground::open(TestDatabase::sqlite()).await;
    let port = ground.upstream.tls;
    let function = ground.function("led", ground.everything(), json!([])).await;
    let to = |to: &str| ground.at(&format!("/redirect?to={to}"));
    let again = "/redirect%3Fto%3D".repeat(4);
    let calls = json!([
        ["GET", to("/there"), {}],
        ["POST", to("/there"), { "json": 1 }],
        ["GET", to("/there"), { "redirects": false }],
        ["GET", to(&format!("https://127.0.0.1:{port}/there")), {}],
        ["GET", to("http://169.254.169.254/latest/meta-data"), {}],
        ["GET", to("https://user:pass@localhost/"), {}],
        ["GET", to("file:///etc/passwd"), {}],
        ["GET", to(&format!("{again}/")), {}],
    ]);
    let told = ground.told(&function, calls).await;
    assert_eq!((&told[0][0], &told[1][0], &told[2][0]), (&json!(200), &json!(200), &json!(302)), "{told:#?}");
    is(&told[3], "HttpBlocked", "which was redirected to");
    is(&told[4], "HttpBlocked", "which was redirected to");
    is(&told[5], "HttpFailed", "an address with a user");
    is(&told[6], "HttpBlocked", "which was redirected to");
    assert!(told[7][0] == "HttpFailed" || told[7][0] == 200, "{told:#?}");
    let posted: Vec<Value> =
        ground.upstream.asked().into_iter().filter(|one| one["path"] == "/there").collect();
    assert_eq!(
        (&posted[1]["method"], &posted[1]["body"]),
        (&json!("GET"), &json!("")),
        "a POST that is led on becomes a GET"
    );
    ground.server.finish().await;
}

#[tokio::test]
async fn names_that_lead_inside_are_blocked_whatever_rules_say() {
    let ground = Ground::reaching(TestDatabase::sqlite(), "10.77.0.0/16").await;
    let hosts = [
        "localhost",
        "127.0.0.1",
        "169.254.169.254",
        "10.0.0.1",
        "[::1]",
        "[::ffff:7f00:1]",
        "[fd00:ec2::254]",
        "0.0.0.0",
    ];
    let rules: Vec<Value> =
        hosts.iter().map(|host| json!({ "host": host, "port": ground.upstream.tls })).collect();
    let function = ground.function("inside", json!(rules), json!([])).await;
    let spelt = [
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "127.1",
        "LOCALHOST",
        "localhost.",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
    ];
    let calls: Vec<Value> = hosts
        .iter()
        .chain(&spelt)
        .map(|host| json!(["GET", format!("https://{host}:{}/", ground.upstream.tls), {}]))
        .collect();
    for (told, host) in ground.told(&function, json!(calls)).await.iter().zip(hosts.iter().chain(&spelt)) {
        assert_eq!(told[0], "HttpBlocked", "{host}: {told:#}");
        assert!(told[1].as_str().unwrap().contains("may not be called from here"), "{host}: {told:#}");
    }
    assert!(ground.upstream.asked().is_empty());
    ground.server.finish().await;
}

/// The server's own listener, though its network is allowed: there a run has its door.
#[tokio::test]
async fn the_server_itself_is_not_called_from_inside() {
    let ground = Ground::open(TestDatabase::sqlite()).await;
    let url = ground.server.url();
    let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
    let rules = json!([{ "host": "127.0.0.1", "port": port, "scheme": "http" }, { "host": "localhost", "port": port, "scheme": "http" }]);
    let function = ground.function("own", rules, json!([])).await;
    let calls = json!([
        ["GET", format!("http://127.0.0.1:{port}/health"), {}],
        ["GET", format!("http://localhost:{port}/health"), {}]
    ]);
    for told in ground.told(&function, calls).await {
        is(&told, "HttpBlocked", "may not be called from here");
    }
    ground.server.finish().await;
}

#[tokio::test]
async fn what_is_no_request_is_refused_before_anything_is_sent() {
    let ground = Ground::open(TestDatabase::sqlite()).await;
    let function = ground.function("odd", ground.everything(), json!([])).await;
    let here = ground.at("/");
    let port = ground.upstream.tls;
    let odd = [
        json!(["GET", here, { "headers": { "X-A": "b\r\nX-Injected: c" } }]),
        json!(["GET", here, { "headers": { "X-A\r\nX-Injected": "c" } }]),
        json!(["GET", here, { "headers": { "Host": "evil.example" } }]),
        json!(["GET", here, { "headers": { "Content-Length": "3" } }]),
        json!(["GET", here, { "headers": { "transfer-encoding": "chunked" } }]),
        json!(["GET", format!("https://user:pass@localhost:{port}/"), {}]),
        json!(["GET", format!("https://example.com@localhost:{port}/"), {}]),
        json!(["GET", format!("https://localhost:{port}/a b"), {}]),
        json!(["GET", format!("https://localhost:{port}/\r\nX-Injected: c"), {}]),
        json!(["GET", format!("https:\\\\localhost:{port}/"), {}]),
        json!(["GET", "localhost/", {}]),
        json!(["CONNECT", here, {}]),
        json!(["GET / HTTP/1.1\r\nX-Injected: c\r\n\r\nGET", here, {}]),
        json!(["GET", here, { "timeout": 0 }]),
        json!(["GET", here, { "timeout": 100000 }]),
        json!(["POST", here, { "json": 1, "data": "x" }]),
    ];
    for (told, call) in ground.told(&function, json!(odd)).await.iter().zip(&odd) {
        assert_eq!(told[0], "ValueError", "{call}: {told:#}");
    }
    assert!(ground.upstream.asked().is_empty());
    ground.server.finish().await;
}

#[tokio::test]
async fn large_slow_and_broken_answers_end() {
    let ground = Ground::open(TestDatabase::sqlite()).await;
    let function = ground.function("ends", ground.everything(), json!([])).await;
    let calls = json!([
        ["GET", ground.at("/large?size=9000000"), {}],
        ["GET", ground.at("/slow"), { "timeout": 1 }],
        ["GET", ground.at("/nonsense"), {}],
        ["GET", "https://localhost:1/", {}],
        ["GET", ground.at("/status?is=200"), {}],
    ]);
    let told = ground.told(&function, calls).await;
    is(&told[0], "HttpFailed", "larger than 8388608 bytes");
    is(&told[1], "HttpFailed", "did not answer within");
    is(&told[2], "HttpFailed", "does not speak HTTP");
    is(&told[3], "HttpBlocked", "no egress rule");
    assert_eq!(told[4][0], 200);
    ground.server.finish().await;
}

#[tokio::test]
async fn a_run_that_spams_comes_to_its_bounds() {
    let ground = Ground::open(TestDatabase::sqlite()).await;
    let code = "def handler(input, context):
    counts = {}
    for n in range(1100):
        try:
            context.http.get(input['url'])
            kind = 'ok'
        except Exception as error:
            kind = str(error)[:40]
        counts[kind] = counts.get(kind, 0) + 1
    return counts
";
    let body = json!({ "name": "spams", "code": code, "egress": [] });
    let function = made(&ground.owner, body).await;
    let ran = run(&ground.owner, &function, json!({ "url": "https://blocked.example/" })).await;
    let counts = ran["output"].as_object().unwrap_or_else(|| panic!("{ran:#}"));
    assert_eq!(counts["this run has made its 1000 requests"], 100, "{ran:#}");
    let logs =
        ground.owner.get(&format!("/api/v1/runs/{}/logs?limit=200", ran["id"].as_str().unwrap())).await;
    assert_eq!(logs.text.matches("context.http was refused").count(), 100, "{}", logs.text);
    let large = ground.at("/large?size=8000000");
    let function = ground.function("carries", ground.everything(), json!([])).await;
    let code = "def handler(input, context):
    for n in range(10):
        try:
            context.http.get(input)
        except context.http.Blocked as error:
            return [n, str(error)]
";
    let more = json!({ "code": code });
    ground.owner.post(&format!("{}/{function}/versions", super::FUNCTIONS), more).await.ok(201);
    let ran = run(&ground.owner, &function, json!(large)).await;
    assert_eq!(ran["output"], json!([8, "this run has carried its 64 MB"]), "{ran:#}");
    ground.server.finish().await;
}
