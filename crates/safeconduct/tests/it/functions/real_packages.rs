//! Packages as people use them, from the index on the network that pip is set up for.

use serde_json::json;

use super::{FUNCTIONS, run};
use crate::support::TestServer;

const CODE: &str = r#"
import numpy, pandas, requests
from pydantic import BaseModel

class Sale(BaseModel):
    place: str
    amount: int

def handler(input, context):
    sales = [Sale.model_validate(one).model_dump() for one in input]
    total = pandas.DataFrame(sales).groupby("place")["amount"].sum()
    matrix = numpy.ones((300, 300)) @ numpy.ones((300, 300))
    answer = requests.get(context.api_url + "/api/v1/functions", timeout=5)
    return {"total": total.to_dict(), "cell": float(matrix[0, 0]), "door": answer.status_code}
"#;

/// Binary wheels, a tree of dependencies, threads of OpenBLAS, and a library that speaks HTTP at the jail's door.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pandas_pydantic_and_requests_work_in_a_function() {
    let (uv, index) = (testing::uv().display().to_string(), testing::index_url());
    let server = TestServer::start_with(
        testing::TestDatabase::sqlite(),
        &[("packages.uv", &uv), ("packages.index_url", &index), ("packages.allow", "all")],
    )
    .await;
    let owner = server.owner().await;
    let requirements = json!(["pandas>=2", "pydantic>=2", "requests>=2.32"]);
    let following = owner.with("accept", "text/event-stream");
    let told = following.post("/api/v1/environments", json!({ "requirements": requirements })).await;
    assert!(told.text.contains("event: environment"), "{}", told.text);
    let body = json!({ "namespace": "ops", "name": "sales", "code": CODE, "requirements": requirements, "timeout_seconds": 60 });
    let function = owner.post(FUNCTIONS, body).await.ok(201);
    let names: Vec<_> = function["version"]["package_lock"]["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert!(names.contains(&json!("numpy")) && names.contains(&json!("pydantic-core")), "{names:?}");
    let input = json!([{ "place": "Berlin", "amount": 2 }, { "place": "Berlin", "amount": 3 }]);
    let id = function["id"].as_str().unwrap();
    for _ in 0..2 {
        let ran = run(&owner, id, input.clone()).await;
        assert_eq!(ran["output"], json!({ "total": { "Berlin": 5 }, "cell": 300.0, "door": 401 }), "{ran:#}");
    }
    server.finish().await;
}
