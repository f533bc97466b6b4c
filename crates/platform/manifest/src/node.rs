//! A document as a tree whose every part knows where it stands.

use serde_json::{Map, Number, Value};

/// Both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub place: Place,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Member>),
}

/// A name and what stands behind it.
#[derive(Clone, Debug)]
pub struct Member {
    pub name: String,
    pub place: Place,
    pub value: Node,
}

impl Node {
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(value) => Value::Number(value.clone()),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(Self::to_value).collect(),
            Kind::Map(members) => {
                let pair = |member: &Member| (member.name.clone(), member.value.to_value());
                Value::Object(members.iter().map(pair).collect::<Map<_, _>>())
            }
        }
    }

    pub fn members(&self) -> Option<&[Member]> {
        match &self.kind {
            Kind::Map(members) => Some(members),
            _ => None,
        }
    }

    pub fn get(&self, name: &str) -> Option<&Self> {
        self.members()?.iter().find(|member| member.name == name).map(|member| &member.value)
    }

    pub fn items(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Where a JSON pointer (RFC 6901) leads: to the name of a member, to an item; as far as there is something.
    pub fn place_of(&self, pointer: &str) -> Place {
        let (mut node, mut place) = (self, self.place);
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            match &node.kind {
                Kind::Map(members) => match members.iter().find(|member| member.name == token) {
                    Some(member) => (node, place) = (&member.value, member.place),
                    None => break,
                },
                Kind::List(items) => match token.parse().ok().and_then(|at: usize| items.get(at)) {
                    Some(item) => (node, place) = (item, item.place),
                    None => break,
                },
                _ => break,
            }
        }
        place
    }
}
