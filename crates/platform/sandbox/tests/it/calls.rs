//! What a call gets and gives.

use serde_json::json;

use crate::fixture::{answer, outcome, sandbox};

#[tokio::test]
async fn the_handlers_answer_comes_back() {
    let sandbox = sandbox();
    let code = "def handler(input, context):\n    return {'input': input, 'run': context.run_id}\n";
    assert_eq!(answer(outcome(&sandbox, code).await), json!({"input": null, "run": "run_1"}));
}
