//! Answering what a run asks.

use db::Change;
use problem::{FieldError, Problem, RUN_NOT_AWAITING};
use runs::{Answer, Run, RunState};
use schema::Schema;
use serde_json::Value;
use types::RunId;
use web::{Allowance, Decided};

use crate::coerce::coerce;
use crate::{FunctionError, Functions};

/// Bytes of an answer.
const LARGEST: usize = 64 << 10;

impl Functions {
    /// The run goes on with this answer to its open question. `number`, if it is given, must be that question's: an answer to
    /// one is none to the next.
    pub(crate) async fn answer(
        &self,
        by: &Allowance,
        run: RunId,
        number: Option<i64>,
        input: &Value,
    ) -> Result<Decided<Run>, FunctionError> {
        let found = self.find_run(by, run).await?;
        by.expect_revision(found.revision)?;
        let contents = self.runs().contents(&by.scope(), &found).await?;
        let open = found.asks.filter(|_| found.state == RunState::AwaitingInput).zip(contents.question);
        let Some((asks, question)) = open else {
            let detail =
                format!("The run is {}; only one that is awaiting_input takes an answer.", found.state);
            return Err(Problem::new(&RUN_NOT_AWAITING, detail).into());
        };
        if number.is_some_and(|number| number != asks.number) {
            let detail = format!("The run asks its question {} by now. Read the run again.", asks.number);
            return Err(Problem::new(&RUN_NOT_AWAITING, detail).into());
        }
        let body = fitting(question.schema.as_ref(), input)?;
        let (actor, origin) = (by.caller().actor(), by.origin());
        let answer = Answer { number: asks.number, body, author: by.caller().principal().to_string() };
        let (fact, statements, run) =
            self.runs().continuing(&by.scope(), &found, &question, &answer, actor, origin).await?;
        let fact = self.inner().ledger.seal(fact).await?;
        Ok(Decided::new(Change::new(by.scope(), fact).statements(statements).wake_queue(), run))
    }
}

/// The answer as it is recorded.
fn fitting(schema: Option<&Value>, input: &Value) -> Result<Vec<u8>, FunctionError> {
    let mut input = input.clone();
    if let Some(schema) = schema {
        coerce(schema, &mut input);
        let compiled = Schema::compile(schema, "/schema").map_err(FunctionError::Schema)?;
        let misfits = compiled.violations(&input, "/input");
        if !misfits.is_empty() {
            return Err(FunctionError::Input(misfits));
        }
    }
    let body = serde_json::to_vec(&input).map_err(Problem::internal)?;
    if body.len() > LARGEST {
        let reason = format!("has more than {LARGEST} bytes");
        return Err(FunctionError::Input(vec![FieldError { field: "/input".into(), reason }]));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_understood_and_fits_or_says_where_not() {
        let schema =
            json!({"type": "object", "required": ["deploy"], "properties": {"deploy": {"type": "boolean"}}});
        let fits = fitting(Some(&schema), &json!({"deploy": "true"})).unwrap();
        assert_eq!(fits, br#"{"deploy":true}"#);
        let refused = fitting(Some(&schema), &json!({"deploy": "perhaps"}));
        assert!(matches!(refused, Err(FunctionError::Input(errors)) if errors[0].field == "/input/deploy"));
        assert_eq!(fitting(None, &Value::Null).unwrap(), b"null");
        let large = fitting(None, &json!("x".repeat(LARGEST)));
        assert!(matches!(large, Err(FunctionError::Input(errors)) if errors[0].field == "/input"));
    }
}
