//! What other domains ask the record: what an agent did, what a token did, and who acts by a token.

use ledger::{Event, FactKind};
use problem::Problem;
use serde_json::json;
use types::{AgentId, TokenId};
use web::{Allowance, Page, PrincipalId, page, page_size};

use crate::Audit;
use crate::index::Term;
use crate::routes::views::FactView;
use crate::store::{self, Filter};

impl Audit {
    /// What an agent did, newest first, also where it acted for somebody else; as far as `by` may read facts.
    pub async fn of_agent(
        &self,
        by: &Allowance,
        agent: AgentId,
        limit: Option<i64>,
        cursor: Option<&str>,
    ) -> Result<Page<FactView>, Problem> {
        let term = self.inner().index.term(by.org(), &Term::Agent(&agent.to_string()));
        let filter = Filter { terms: vec![term], ..Filter::default() };
        self.page(by, &filter, limit, cursor).await
    }

    /// What names a token, newest first: all of it. Whether `by` may see the token is the asker's to decide.
    pub async fn of_token(
        &self,
        by: &Allowance,
        jti: TokenId,
        limit: Option<i64>,
        cursor: Option<&str>,
    ) -> Result<Page<FactView>, Problem> {
        let inner = self.inner();
        let limit = page_size(limit)?;
        let before = by.keys_after(cursor)?.first().and_then(serde_json::Value::as_i64);
        let mut places = store::facts_of_token(&inner.db, &by.scope(), jti, before, limit + 1).await?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = places.len() > wanted;
        places.truncate(wanted);
        let ids: Vec<_> = places.iter().map(|(_, fact)| *fact).collect();
        // Purged facts are left out; the place of the last one still says where the next page begins.
        let events = inner.ledger.events(&by.scope(), &ids).await?;
        let last = places.last().filter(|_| more);
        let next_cursor = last.map(|(place, _)| by.cursor(&[json!(place)]));
        Ok(Page { items: events.into_iter().map(FactView::from).collect(), next_cursor, total: None })
    }

    /// Who acts by a token: the actor of its issue (a fact of the kind `issued`), or of the first thing done with it. What
    /// others did to it does not count.
    pub async fn holder_of_token(
        &self,
        by: &Allowance,
        jti: TokenId,
        issued: &FactKind,
    ) -> Result<Option<PrincipalId>, Problem> {
        let actor = store::first_actor(&self.inner().db, &by.scope(), jti, issued).await?;
        Ok(actor.and_then(|text| text.parse().ok()))
    }

    pub(crate) async fn page(
        &self,
        by: &Allowance,
        filter: &Filter,
        limit: Option<i64>,
        cursor: Option<&str>,
    ) -> Result<Page<FactView>, Problem> {
        let inner = self.inner();
        let limit = page_size(limit)?;
        let keys = by.keys_after(cursor)?;
        let before = match keys.as_slice() {
            [at, number] => at.as_i64().zip(number.as_i64()),
            _ => None,
        };
        let ids = store::facts(&inner.db, by, filter, before, limit + 1).await?;
        let events = inner.ledger.events(&by.scope(), &ids).await?;
        let cursor = |event: &Event| by.cursor(&[json!(event.occurred_at.millis()), json!(event.org_seq)]);
        Ok(page(events, limit, cursor, FactView::from))
    }
}
