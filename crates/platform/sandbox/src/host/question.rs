//! A call's question on its way to whoever answers, and back.

use tokio::sync::{mpsc, oneshot};

use crate::call::{Asked, AskedQuestion, Told};
use crate::{Frame, Kind};

/// The one question that a call may have open.
#[derive(Default)]
pub(super) struct OpenQuestion(Option<oneshot::Receiver<Told>>);

/// The call spoke out of turn.
pub(super) struct OutOfTurn;

impl OpenQuestion {
    pub(super) fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Passes an ASK frame on. A call has one question at a time.
    pub(super) fn ask(&mut self, payload: &[u8], to: &mpsc::Sender<Asked>) -> Result<(), OutOfTurn> {
        if self.is_open() {
            return Err(OutOfTurn);
        }
        let (answer, told) = oneshot::channel();
        self.0 = Some(told);
        match serde_json::from_slice::<AskedQuestion>(payload) {
            // Where nobody listens, the sender of the answer goes with what was sent.
            Ok(question) => drop(to.try_send(Asked { question, answer })),
            Err(error) => drop(answer.send(Told::Refused(format!("this is no question: {error}")))),
        }
        Ok(())
    }

    /// The ANSWER frame, when there is one. Never without a question.
    pub(super) async fn answered(&mut self) -> Frame {
        let Some(told) = &mut self.0 else { return std::future::pending().await };
        let told = told.await.unwrap_or_else(|_| Told::Refused("nobody takes questions here".into()));
        self.0 = None;
        Frame::new(Kind::Answer, payload(told))
    }
}

/// `{"answer": …}` or `{"refused": "why"}`.
fn payload(told: Told) -> Vec<u8> {
    match told {
        Told::Answer(json) => [b"{\"answer\":".as_slice(), &json, b"}"].concat(),
        Told::Refused(why) => serde_json::json!({ "refused": why }).to_string().into_bytes(),
    }
}
