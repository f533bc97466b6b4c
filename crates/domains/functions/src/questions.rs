//! What a call asks on its way to the engine, within bounds; and how its attempt ends if it cannot go on in its process.

use std::time::Duration;

use runs::{Ending, Interview, Question, RunError, Said};
use sandbox::{Asked, AskedQuestion, Told};
use schema::Schema;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Characters of a prompt.
const LONGEST_PROMPT: usize = 4_000;
/// Bytes of a schema.
const LARGEST_SCHEMA: usize = 16 << 10;
/// How long a question is open if its function does not say.
const OPEN: Duration = Duration::from_secs(7 * 24 * 3600);
const LONGEST_OPEN: Duration = Duration::from_secs(30 * 24 * 3600);

/// Has each question answered until the call is over. A call that must not go on is stopped; then this is how its attempt
/// ends.
pub(crate) async fn attend(
    mut asked: mpsc::Receiver<Asked>,
    interview: Interview,
    stop: CancellationToken,
) -> Option<Ending> {
    while let Some(Asked { question, answer }) = asked.recv().await {
        let told = match within_bounds(question) {
            Ok((question, open)) => match interview.ask(&question, open).await {
                Ok(Said::Answer(json)) => Told::Answer(json),
                Ok(Said::TooMany) => {
                    Told::Refused(format!("a run asks at most {} questions", Question::MOST))
                }
                unanswered => {
                    // Before the answer's end goes: the call hears nothing more.
                    stop.cancel();
                    return Some(ending(unanswered));
                }
            },
            Err(why) => Told::Refused(why),
        };
        // A call that ended meanwhile hears nothing any more.
        let _heard = answer.send(told);
    }
    None
}

fn ending(said: Result<Said, runs::RunsError>) -> Ending {
    match said {
        Ok(Said::NotYet) => Ending::Waits,
        Ok(Said::Changed { number }) => Ending::Failed(RunError::new(
            "question_changed",
            format!(
                "Question {number} was answered in an earlier attempt, and is another one now. A function must ask the same \
                 questions in the same order whenever its run is begun: nothing in them may depend on time or chance."
            ),
        )),
        Ok(Said::Gone | Said::Answer(_) | Said::TooMany) => Ending::Cancelled,
        Err(error) => Ending::Again(error.to_string()),
    }
}

/// The question as it is kept and how long it is open, or why not.
fn within_bounds(asked: AskedQuestion) -> Result<(Question, Duration), String> {
    let AskedQuestion { prompt, schema, expires_in } = asked;
    if prompt.trim().is_empty() || prompt.chars().count() > LONGEST_PROMPT {
        return Err(format!("a prompt has 1 to {LONGEST_PROMPT} characters"));
    }
    if let Some(schema) = &schema {
        if schema.to_string().len() > LARGEST_SCHEMA {
            return Err(format!("the schema of an answer has at most {LARGEST_SCHEMA} bytes"));
        }
        Schema::compile(schema, "/schema").map_err(|errors| {
            let told: Vec<String> =
                errors.iter().map(|error| format!("{}: {}", error.field, error.reason)).collect();
            format!("the schema of the answer is not valid: {}", told.join("; "))
        })?;
    }
    let open = match expires_in {
        None => OPEN,
        Some(seconds) if (1.0..=LONGEST_OPEN.as_secs_f64()).contains(&seconds) => {
            Duration::from_secs_f64(seconds)
        }
        Some(_) => return Err(format!("expires_in is 1 to {} seconds", LONGEST_OPEN.as_secs())),
    };
    Ok((Question::new(&prompt, schema), open))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn questions_are_bounded_and_their_words_are_harmless() {
        let of = |prompt: &str, schema, expires_in| {
            within_bounds(AskedQuestion { prompt: prompt.into(), schema, expires_in })
        };
        let (question, open) =
            of("Deploy\nnow?\u{1b}[31m\u{202e}", Some(json!({"type": "boolean"})), None).unwrap();
        assert_eq!((question.prompt.as_str(), open), ("Deploy\nnow? [31m ", OPEN));
        assert_eq!(of("a", None, Some(1.5)).unwrap().1, Duration::from_millis(1500));
        for (refused, word) in [
            (of("", None, None), "prompt"),
            (of(" \n", None, None), "prompt"),
            (of(&"x".repeat(4_001), None, None), "prompt"),
            (of("a", Some(json!({"type": "colour"})), None), "/schema/type"),
            (of("a", Some(json!({"$ref": "https://example.test/schema"})), None), "/schema"),
            (of("a", Some(json!({"description": "x".repeat(20_000)})), None), "bytes"),
            (of("a", None, Some(0.0)), "expires_in"),
            (of("a", None, Some(f64::NAN)), "expires_in"),
            (of("a", None, Some(1e300)), "expires_in"),
        ] {
            assert!(refused.as_ref().is_err_and(|why| why.contains(word)), "{refused:?}");
        }
    }
}
