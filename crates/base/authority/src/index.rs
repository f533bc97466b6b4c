//! Finds the widest reach without reading every grant: by resource, then by action, then along the path.

use std::collections::{BTreeMap, HashMap};

use crate::action::BITS;
use crate::{Action, Known, Permission, Reach, Resource, Selector};

/// Grants by what they are about. Answers in the depth of the path, not in the number of grants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index(HashMap<Resource, Actions>);

#[derive(Clone, Debug, Default)]
struct Actions {
    /// One tree for each single action; `write` and `manage` stand in several.
    single: [Tree; BITS],
    any: Tree,
    custom: HashMap<Box<str>, Tree>,
}

/// Selectors that share a beginning share the way.
#[derive(Clone, Debug, Default)]
struct Tree {
    /// Grants whose path ends here; at the root: grants for every object.
    here: Option<Reach>,
    /// Grants whose path goes on with `**`.
    below: Option<Reach>,
    /// Grants whose path goes on with `*`.
    open: Option<Box<Tree>>,
    named: BTreeMap<Box<str>, Tree>,
}

impl Index {
    pub(crate) fn insert(&mut self, permission: &Permission) {
        let actions = self.0.entry(permission.resource.clone()).or_default();
        let (selector, reach) = (&permission.selector, permission.ceiling());
        match &permission.action {
            Action::Any => actions.any.insert(selector, reach),
            Action::Custom(name) => {
                actions.custom.entry((&**name).into()).or_default().insert(selector, reach)
            }
            named => {
                single_actions(named.bits()).for_each(|bit| actions.single[bit].insert(selector, reach));
            }
        }
    }

    /// The widest reach over `selector` (every object of it), if the action is allowed there at all.
    pub(crate) fn widest_reach(
        &self,
        resource: &Resource,
        action: &Action,
        selector: &Selector,
    ) -> Option<Reach> {
        let under_any = !matches!(resource, Resource::Any | Resource::Known(Known::System));
        let places = [self.0.get(resource), if under_any { self.0.get(&Resource::Any) } else { None }];
        let widest = |look: &dyn Fn(&Actions) -> Option<Reach>| {
            places.iter().flatten().filter_map(|at| look(at)).max()
        };
        match action {
            Action::Any => widest(&|at| at.any.reach(selector)),
            Action::Custom(name) => widest(&|at| {
                at.any.reach(selector).max(at.custom.get(&**name).and_then(|tree| tree.reach(selector)))
            }),
            // A composite goes as far as the least of its parts.
            named => single_actions(named.bits())
                .map(|bit| widest(&|at| at.any.reach(selector).max(at.single[bit].reach(selector))))
                .min()
                .flatten(),
        }
    }
}

impl Tree {
    fn insert(&mut self, selector: &Selector, reach: Reach) {
        let mut at = self;
        for segment in selector.segments() {
            match segment {
                "**" => {
                    at.below = at.below.max(Some(reach));
                    return;
                }
                "*" => at = at.open.get_or_insert_default(),
                name => at = at.named.entry(name.into()).or_default(),
            }
        }
        at.here = at.here.max(Some(reach));
    }

    fn reach(&self, selector: &Selector) -> Option<Reach> {
        if selector.is_every() { self.here } else { self.here.max(self.along(selector.as_str())) }
    }

    /// `path` is not empty. Each node of the tree is visited at most once.
    fn along(&self, path: &str) -> Option<Reach> {
        if self.below == Some(Reach::All) {
            return self.below;
        }
        let (segment, rest) = match path.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (path, None),
        };
        let named = if matches!(segment, "*" | "**") { None } else { self.named.get(segment) };
        let open = if segment == "**" { None } else { self.open.as_deref() };
        let onward = |tree: &Self| match rest {
            Some(rest) => tree.along(rest),
            None => tree.here,
        };
        self.below.max(named.and_then(onward)).max(open.and_then(onward))
    }
}

fn single_actions(bits: u8) -> impl Iterator<Item = usize> {
    (0..BITS).filter(move |bit| bits & (1 << bit) != 0)
}
