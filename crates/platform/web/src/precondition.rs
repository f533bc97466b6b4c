//! What a request expects of the thing as it stands: `If-Match` and `If-None-Match` (RFC 9110 §13.1).

use axum::http::{HeaderMap, header};
use problem::{MALFORMED_REQUEST, Problem, STALE_REVISION};

/// What must be true of a thing before it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    #[default]
    Nothing,
    /// `If-Match: *`: it is there.
    Present,
    /// `If-Match: "7"`: it has this revision.
    Revision(i64),
    /// `If-None-Match: *`: it is not there.
    Absent,
}

impl Precondition {
    /// Of a request that writes. A read's `If-None-Match` asks for something else.
    pub(crate) fn of(headers: &HeaderMap, writes: bool) -> Result<Self, Problem> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default().trim());
        let (wanted, unwanted) = (text(header::IF_MATCH), text(header::IF_NONE_MATCH).filter(|_| writes));
        match (wanted, unwanted) {
            (None, None) => Ok(Self::Nothing),
            (None, Some("*")) => Ok(Self::Absent),
            (None, Some(_)) => {
                Err(Problem::new(&MALFORMED_REQUEST, "A write understands `If-None-Match: *` alone."))
            }
            (Some(_), Some(_)) => {
                Err(Problem::new(&MALFORMED_REQUEST, "Send If-Match or If-None-Match, not both."))
            }
            (Some("*"), None) => Ok(Self::Present),
            (Some(tag), None) => {
                let number = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                number.and_then(|number| number.parse().ok()).map(Self::Revision).ok_or_else(|| {
                    let detail = "If-Match must be an ETag of this thing, such as \"3\".";
                    Problem::new(&STALE_REVISION, detail)
                })
            }
        }
    }

    /// Refuses with 412 unless it holds for a thing at revision `current`, or for none.
    ///
    /// # Errors
    /// `stale_revision`, with the revision that it has.
    pub fn hold(self, current: Option<i64>) -> Result<(), Problem> {
        let stale = |detail: String| {
            Err(Problem::new(&STALE_REVISION, detail).with_member("current_revision", current))
        };
        match (self, current) {
            (Self::Nothing, _) | (Self::Present, Some(_)) | (Self::Absent, None) => Ok(()),
            (Self::Revision(wanted), Some(current)) if wanted == current => Ok(()),
            (Self::Revision(_), Some(current)) => {
                stale(format!("It is at revision {current} now. Read it again and repeat the change."))
            }
            (Self::Revision(_) | Self::Present, None) => {
                stale("It is not there. Leave If-Match out to make it.".into())
            }
            (Self::Absent, Some(current)) => {
                stale(format!("It is there already, at revision {current}. Read it and decide again."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> Result<Precondition, u16> {
        let pairs = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Precondition::of(&pairs.collect(), true).map_err(|problem| problem.status())
    }

    #[test]
    fn headers_become_what_is_expected() {
        assert_eq!(of(&[]), Ok(Precondition::Nothing));
        assert_eq!(of(&[("if-match", "\"7\"")]), Ok(Precondition::Revision(7)));
        assert_eq!(of(&[("if-match", "*")]), Ok(Precondition::Present));
        assert_eq!(of(&[("if-none-match", "*")]), Ok(Precondition::Absent));
        assert_eq!(of(&[("if-match", "7")]), Err(412));
        assert_eq!(of(&[("if-none-match", "\"7\"")]), Err(400));
        assert_eq!(of(&[("if-none-match", "*"), ("if-match", "*")]), Err(400));
    }

    #[test]
    fn each_holds_where_it_should() {
        for (precondition, nothing, seven, eight) in [
            (Precondition::Nothing, true, true, true),
            (Precondition::Present, false, true, true),
            (Precondition::Revision(7), false, true, false),
            (Precondition::Absent, true, false, false),
        ] {
            let held = [None, Some(7), Some(8)].map(|current| precondition.hold(current).is_ok());
            assert_eq!(held, [nothing, seven, eight], "{precondition:?}");
        }
    }
}
