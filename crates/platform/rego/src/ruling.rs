//! What a policy says about one question. It can only narrow: an empty ruling lets the question pass.

use regorus::Value;

use crate::evaluate::Failure;

/// Reasons that are kept of one ruling, and characters of each.
const MOST: usize = 32;
const LONGEST: usize = 500;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruling {
    /// Why not; sorted, without repetition.
    pub denials: Vec<String>,
    /// Who must approve, if nothing denies; sorted, without repetition.
    pub approvers: Vec<String>,
}

/// The rules that speak. All may stand in `package safeconduct` and in `package safeconduct.<slice>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Voice {
    /// `allow`: where a package has it, anything but `true` is a refusal.
    Allow,
    /// `deny contains reason`.
    Deny,
    /// `require_approval contains approver`.
    RequireApproval,
}

impl Voice {
    pub(crate) const ALL: [Self; 3] = [Self::Allow, Self::Deny, Self::RequireApproval];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::RequireApproval => "require_approval",
        }
    }
}

impl Ruling {
    pub fn allows(&self) -> bool {
        self.denials.is_empty() && self.approvers.is_empty()
    }

    /// Both must be satisfied.
    pub fn join(&mut self, other: Self) {
        self.denials.extend(other.denials);
        self.approvers.extend(other.approvers);
        for list in [&mut self.denials, &mut self.approvers] {
            list.sort();
            list.dedup();
            list.truncate(MOST);
        }
    }

    /// Takes what `voice` of `package` said.
    pub(crate) fn hear(&mut self, voice: Voice, package: &str, said: &Value) -> Result<(), Failure> {
        match voice {
            Voice::Allow if *said == Value::Bool(true) => {}
            Voice::Allow => self.denials.push(format!("{package} does not allow it")),
            Voice::Deny => match said {
                Value::Undefined | Value::Bool(false) => {}
                Value::Bool(true) => self.denials.push(format!("{package} denies it")),
                said => self.denials.extend(texts(voice, package, said)?),
            },
            Voice::RequireApproval => match said {
                Value::Undefined | Value::Bool(false) => {}
                said => self.approvers.extend(texts(voice, package, said)?),
            },
        }
        Ok(())
    }
}

/// Texts, or objects with a `reason` (`msg`, as some write it).
pub(crate) fn texts(voice: Voice, package: &str, said: &Value) -> Result<Vec<String>, Failure> {
    let of = |item: &Value| {
        let text = match item {
            Value::String(text) => Some(text.to_string()),
            Value::Object(members) => ["reason", "msg"].iter().find_map(|name| {
                members
                    .get(&Value::from(*name))
                    .and_then(|text| text.as_string().ok())
                    .map(|text| text.to_string())
            }),
            _ => None,
        };
        let text =
            text.ok_or_else(|| Failure::Shape(format!("{package}.{} holds what is no text", voice.name())))?;
        Ok(text.chars().take(LONGEST).collect())
    };
    match said {
        Value::Set(items) => items.iter().take(MOST).map(of).collect(),
        Value::Array(items) => items.iter().take(MOST).map(of).collect(),
        single => Ok(vec![of(single)?]),
    }
}
