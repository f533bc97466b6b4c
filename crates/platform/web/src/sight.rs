//! Lists use the same predicate as single objects, compiled to SQL here and nowhere else: every hop of the chain and the
//! token's scope must let a row through.

use authority::{Authority, Permission, Reach, Required};
use db::{Select, Value};
use types::{GroupId, Id, Uuid};

use crate::{Allowance, Caller, PrincipalId};

/// Where a table keeps what rights depend on.
#[derive(Clone, Copy)]
pub struct Columns {
    pub selector: SelectorColumn,
    /// The user or agent that owns the row.
    pub owner: Option<&'static str>,
    /// The row itself, if it is a principal.
    pub is: Option<&'static str>,
    /// A text column with the typed id of the principal that the row belongs to.
    pub named: Option<&'static str>,
    /// The group that the row belongs to: a UUID column or an expression that gives one.
    pub group: Option<&'static str>,
    /// A column that says who may read the row besides: `organization` and `public` everybody, `group` those in its group.
    pub visible: Option<&'static str>,
}

/// What a permission's selector means for a row.
#[derive(Clone, Copy)]
pub enum SelectorColumn {
    /// An SQL expression that gives a path, such as `namespace || '/' || name`.
    Path(&'static str),
    /// A UUID column; selectors are ids of this kind.
    Id { column: &'static str, read: fn(&str) -> Option<Uuid> },
}

impl SelectorColumn {
    /// A column of ids of the type `I`.
    pub const fn id<I: Id>(column: &'static str) -> Self {
        Self::Id { column, read: |text| text.parse::<I>().ok().map(Id::uuid) }
    }
}

/// A page of a list, for protocols whose clients filter, sort and count. Conditions and orders are put together from fixed
/// parts; what a client wrote is only ever a value.
#[derive(Clone, Debug, Default)]
pub struct Search {
    pub condition: Option<(String, Vec<Value>)>,
    /// An expression, with `DESC` behind it or not; the rows' ids come second.
    pub order: Option<String>,
    pub offset: i64,
    pub limit: i64,
}

impl Search {
    #[must_use]
    pub fn filtered(&self, select: Select) -> Select {
        match &self.condition {
            Some((text, values)) => select.and_text(text.clone(), values.iter().cloned()),
            None => select,
        }
    }

    #[must_use]
    pub fn paged(&self, select: Select, id: &'static str) -> Select {
        let order = self.order.iter().map(String::as_str).chain([id]).collect::<Vec<_>>().join(", ");
        select.order(order).limit(self.limit).offset(self.offset)
    }
}

impl Allowance {
    /// Narrows a SELECT to the rows that the caller may do this operation to.
    pub fn narrow(&self, select: Select, columns: &Columns) -> Select {
        match self.spec.required() {
            Some(required) => self.narrow_for(&required, select, columns),
            None => select,
        }
    }

    /// The same for another permission than the operation's own.
    pub fn narrow_for(&self, required: &Required, select: Select, columns: &Columns) -> Select {
        narrow(&self.caller, required, select, columns)
    }
}

fn narrow(caller: &Caller, required: &Required, select: Select, columns: &Columns) -> Select {
    let hops = caller.links().map(|link| (&*link.grants, link));
    let scope = caller.scope.as_deref().map(|scope| (scope, &caller.subject));
    hops.chain(scope).fold(select, |select, (authority, link)| {
        let viewer = Viewer { principal: link.principal, groups: &link.groups };
        match condition(authority, viewer, required, columns) {
            None => select,
            Some((text, values)) => select.and_text(text, values),
        }
    })
}

/// Against whom reaches are resolved.
#[derive(Clone, Copy)]
struct Viewer<'a> {
    principal: PrincipalId,
    groups: &'a [GroupId],
}

/// What one authority lets through; `None` means every row.
fn condition(
    authority: &Authority,
    viewer: Viewer<'_>,
    required: &Required,
    columns: &Columns,
) -> Option<(String, Vec<Value>)> {
    let (mut texts, mut values) = (Vec::new(), Vec::new());
    for grant in authority.grants_for(required) {
        let (text, of_grant) = alternative(grant, viewer, required, columns);
        if text.is_empty() {
            return None;
        }
        texts.push(text);
        values.extend(of_grant);
    }
    if texts.is_empty() {
        return Some(("1 = 0".into(), values));
    }
    Some((texts.join(" OR "), values))
}

/// The rows of one permission; the empty text means every row.
fn alternative(
    grant: &Permission,
    viewer: Viewer<'_>,
    required: &Required,
    columns: &Columns,
) -> (String, Vec<Value>) {
    let (mut texts, mut values) = (Vec::new(), Vec::<Value>::new());
    if !grant.selector.is_every() {
        let pattern = grant.selector.as_str();
        match columns.selector {
            SelectorColumn::Path(path) => {
                texts.push(format!("selector_covers({{}}, {path})"));
                values.push(pattern.into());
            }
            SelectorColumn::Id { .. } if matches!(pattern, "*" | "**") => {}
            SelectorColumn::Id { column, read } => match read(pattern) {
                Some(id) => {
                    texts.push(format!("{column} = {{}}"));
                    values.push(id.into());
                }
                None => texts.push("1 = 0".into()),
            },
        }
    }
    if grant.ceiling() != Reach::All {
        let (text, ids) = within_reach(grant.ceiling(), viewer, required, columns);
        texts.push(text);
        values.extend(ids);
    }
    if texts.is_empty() { (String::new(), values) } else { (format!("({})", texts.join(" AND ")), values) }
}

/// The rows that are the viewer's own, where the reach says so those of its groups, and those that are shown to it.
fn within_reach(
    reach: Reach,
    viewer: Viewer<'_>,
    required: &Required,
    columns: &Columns,
) -> (String, Vec<Value>) {
    let principal = viewer.principal;
    let by_id = columns.owner.iter().chain(&columns.is).map(|column| (column, principal.uuid().into()));
    let by_name = columns.named.iter().map(|column| (column, principal.to_string().into()));
    let (mut texts, mut values): (Vec<String>, Vec<Value>) =
        by_id.chain(by_name).map(|(column, id)| (format!("{column} = {{}}"), id)).unzip();
    let column = columns.group.filter(|_| reach == Reach::Group && !viewer.groups.is_empty());
    if let Some(column) = column {
        texts.push(format!("{column} IN ({})", vec!["{}"; viewer.groups.len()].join(", ")));
        values.extend(viewer.groups.iter().map(|group| Value::from(group.uuid())));
    }
    if let Some(visible) = columns.visible.filter(|_| required.action == authority::Action::Read) {
        texts.push(format!("{visible} IN ('organization', 'public')"));
        if let Some(column) = columns.group.filter(|_| reach != Reach::Group && !viewer.groups.is_empty()) {
            let places = vec!["{}"; viewer.groups.len()].join(", ");
            texts.push(format!("({visible} = 'group' AND {column} IN ({places}))"));
            values.extend(viewer.groups.iter().map(|group| Value::from(group.uuid())));
        }
    }
    if texts.is_empty() { ("1 = 0".into(), values) } else { (format!("({})", texts.join(" OR ")), values) }
}

#[cfg(test)]
mod tests {
    use types::UserId;

    use super::*;

    const AGENTS: Columns = Columns {
        selector: SelectorColumn::Path("namespace || '/' || name"),
        owner: Some("owner"),
        is: Some("id"),
        named: None,
        group: Some("group_id"),
        visible: None,
    };

    fn of(scope: &str) -> Option<(String, Vec<Value>)> {
        seen_by(scope, &[])
    }

    fn seen_by(scope: &str, groups: &[GroupId]) -> Option<(String, Vec<Value>)> {
        let authority: Authority = scope.parse().unwrap();
        let viewer = Viewer { principal: PrincipalId::User(UserId::from_uuid(Uuid::nil())), groups };
        condition(&authority, viewer, &Required::parse("agents:read"), &AGENTS)
    }

    #[test]
    fn group_reaches_the_rows_of_every_group_of_the_viewer() {
        let groups = [1, 2].map(|number| GroupId::from_uuid(Uuid::from_u128(number)));
        let (text, values) = seen_by("agents:read:group", &groups).unwrap();
        assert_eq!(text, "((owner = {} OR id = {} OR group_id IN ({}, {})))");
        assert_eq!(values[2..], groups.map(|group| Value::from(group.uuid())));
        // In no group it reaches no further than `own`; `own` never reaches a group.
        assert_eq!(seen_by("agents:read:group", &[]).unwrap().0, "((owner = {} OR id = {}))");
        assert_eq!(seen_by("agents:read:own", &groups).unwrap().0, "((owner = {} OR id = {}))");
    }

    #[test]
    fn wide_permissions_need_no_condition() {
        assert_eq!(of("agents:read:all"), None);
        assert_eq!(of("*:*:all"), None);
        assert_eq!(of("agents:read:own agents:manage:all"), None);
    }

    #[test]
    fn reach_and_selector_become_conditions() {
        let (text, values) = of("agents:read:own").unwrap();
        assert_eq!(text, "((owner = {} OR id = {}))");
        assert_eq!(values.len(), 2);
        let (text, values) = of("agents/ops/*:read:all").unwrap();
        assert_eq!(text, "(selector_covers({}, namespace || '/' || name))");
        assert_eq!(values, vec![Value::from("ops/*")]);
    }

    #[test]
    fn nothing_held_lets_nothing_through() {
        assert_eq!(of("functions:read:all").unwrap().0, "1 = 0");
    }
}
