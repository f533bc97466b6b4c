//! Groups as `people` makes them: by the facade of access, in a change with a fact.

use ledger::{Actor, Fact};
use types::{GroupId, OrgId};
use web::PrincipalId;

use super::TestServer;

const TESTS: db::SystemScope = db::SystemScope::new("tests");

impl TestServer {
    async fn change(&self, org: OrgId, made: impl FnOnce(db::Change) -> db::Change) {
        let house = self.house();
        let fact = Fact::new(&people::USER_CREATED, org, Actor::system("test"));
        let fact = fact.data(serde_json::json!({ "roles": [] }));
        let change = db::Change::new(TESTS, house.ledger.seal(fact).await.expect("a fact"));
        house.db.commit(made(change)).await.expect("the change");
    }

    /// A group with these members.
    pub(crate) async fn group(&self, org: OrgId, members: &[PrincipalId]) -> GroupId {
        let group: GroupId = self.house().world.id();
        let now = self.house().world.now();
        self.change(org, |change| access::found_group(change, org, group, now)).await;
        for member in members {
            self.join(org, group, *member).await;
        }
        group
    }

    pub(crate) async fn join(&self, org: OrgId, group: GroupId, member: PrincipalId) {
        let now = self.house().world.now();
        self.change(org, |change| access::join(change, org, group, member, "test", now)).await;
    }

    pub(crate) async fn leave(&self, org: OrgId, group: GroupId, member: PrincipalId) {
        self.change(org, |change| access::leave(change, org, group, member)).await;
    }

    pub(crate) async fn dissolve(&self, org: OrgId, group: GroupId) {
        self.change(org, |change| access::dissolve(change, org, group)).await;
    }
}
