//! Links that open one version to whoever has them, until they expire. A link carries its own proof – an HMAC over
//! organization, link, version and expiry – so that a made-up one costs no look at the database. That it still opens is
//! asked at each use: the version must be there, and whoever made the link must act and may read the file.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use db::{Bookkeeping, Change, OrgScope};
use serde_json::json;
use types::{FileLinkId, FileVersionId, Id, OrgId, Timestamp, Uuid};
use web::{Allowance, Decided};

use crate::model::{Collection, Content, File, Link};
use crate::service::READ;
use crate::words::{CollectionRef, FileName};
use crate::{Files, FilesError, facts, store};

/// Before the proof: organization, link, version, expiry.
const SAID: usize = 16 * 3 + 8;
const PROOF: usize = 32;
/// Characters of base64 of both.
const LENGTH: usize = (SAID + PROOF).div_ceil(3) * 4 - (3 - (SAID + PROOF) % 3) % 3;

/// A link and the address that it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) link: Link,
    pub(crate) file: File,
    pub(crate) collection: Collection,
    pub(crate) url: Option<String>,
}

/// What a link opens.
pub(crate) struct Opened {
    pub(crate) scope: OrgScope,
    pub(crate) name: FileName,
    pub(crate) content: Content,
}

impl Files {
    pub(crate) async fn make_link(
        &self,
        by: &Allowance,
        of: &CollectionRef,
        name: &FileName,
        version: Option<FileVersionId>,
        lasts: Duration,
    ) -> Result<Decided<Shown>, FilesError> {
        let (inner, now) = (self.inner(), self.inner().world.now());
        let (collection, file) = self.find(by, of, name).await?;
        // Nobody shares what they may not read themselves.
        by.check_for(&READ, &file.object(&collection))?;
        let content = self.content(by, &collection, &file, version).await?;
        let link = Link {
            id: inner.world.id(),
            version: content.version,
            maker: by.caller().principal(),
            created_at: now,
            expires_at: now.plus(lasts),
            uses: 0,
            last_used_at: None,
        };
        let data = json!({
            "collection": collection.name,
            "name": file.name,
            "version": link.version,
            "expires_at": link.expires_at,
        });
        let fact = by.fact(&facts::LINK_CREATED);
        let fact = fact.target("file", file.id, file.path(&collection)).data(data);
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?).statement(store::insert_link(
            collection.org,
            &file,
            &link,
        ));
        let url = Some(self.url_of(collection.org, &link));
        Ok(Decided::new(change, Shown { link, file, collection, url }))
    }

    /// Whoever made it and whoever may change the file ends a link.
    pub(crate) async fn revoke_link(
        &self,
        by: &Allowance,
        id: FileLinkId,
    ) -> Result<Decided<Shown>, FilesError> {
        let inner = self.inner();
        let found = store::link(&inner.db, &by.scope(), id).await?;
        let (link, file, of) = found.ok_or(FilesError::UnknownLink)?;
        let collection = self.collection(by, &CollectionRef::Id(of)).await?;
        if link.maker != by.caller().principal() {
            by.check_for(&UPDATE, &file.object(&collection))?;
        }
        let data = json!({
            "collection": collection.name,
            "name": file.name,
            "version": link.version,
            "uses": link.uses,
        });
        let fact = by.fact(&facts::LINK_REVOKED);
        let fact = fact.target("file", file.id, file.path(&collection)).data(data);
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::remove_link(collection.org, id));
        Ok(Decided::new(change, Shown { link, file, collection, url: None }))
    }

    fn url_of(&self, org: OrgId, link: &Link) -> String {
        let said = said(org, link.id, link.version, link.expires_at);
        let proof = self.inner().links.tag(&[&said]);
        format!("{}/files/{}", self.inner().public_url, URL_SAFE_NO_PAD.encode([&said[..], &proof].concat()))
    }

    /// One answer for every link that does not open: that it is made up, has expired, was ended, or that its maker may not
    /// read the file any more.
    pub(crate) async fn open_link(&self, text: &str) -> Result<Opened, FilesError> {
        let inner = self.inner();
        let (org, id, version) = self.proven_link(text).ok_or(FilesError::UnknownLink)?;
        let scope = OrgScope::proven(org);
        let found = store::link(&inner.db, &scope, id).await?;
        let (link, file, of) = found.ok_or(FilesError::UnknownLink)?;
        let maker = inner.access.acting(org, link.maker).await?.ok_or(FilesError::UnknownLink)?;
        let collection = store::collection(&inner.db, &scope, &CollectionRef::Id(of)).await?;
        let collection = collection.ok_or(FilesError::UnknownLink)?;
        let found = store::version(&inner.db, &scope, file.id, version).await?;
        let version = found.filter(|found| found.content.version == link.version);
        let version = version.ok_or(FilesError::UnknownLink)?;
        let is_present = version.content.version == file.content.version;
        let may_read = maker.may(&READ, &file.object(&collection))
            && (is_present || maker.may(&READ, &version.object(file.path(&collection))));
        if !may_read {
            return Err(FilesError::UnknownLink);
        }
        let used = Bookkeeping::new(scope).statement(store::use_link(org, id, inner.world.now()));
        inner.db.keep(used).await?;
        metrics::counter!("safeconduct_files_links_opened_total").increment(1);
        Ok(Opened { scope, name: file.name, content: version.content })
    }

    /// What the link says, if it is one of ours and has not expired.
    fn proven_link(&self, text: &str) -> Option<(OrgId, FileLinkId, FileVersionId)> {
        if text.len() != LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (said, proof) = bytes.split_at_checked(SAID)?;
        // In constant time, before anything that it says is believed.
        if !self.inner().links.verify(&[said], proof) {
            return None;
        }
        let id = |at: usize| Uuid::from_slice(said.get(at..at + 16)?).ok();
        let expires_at = i64::from_be_bytes(said.get(48..)?.try_into().ok()?);
        if self.inner().world.now() >= Timestamp::from_millis(expires_at) {
            return None;
        }
        Some((OrgId::from_uuid(id(0)?), FileLinkId::from_uuid(id(16)?), FileVersionId::from_uuid(id(32)?)))
    }
}

const UPDATE: authority::Required = authority::Required::parse("files:update");

fn said(org: OrgId, link: FileLinkId, version: FileVersionId, expires_at: Timestamp) -> [u8; SAID] {
    let mut said = [0; SAID];
    said[..16].copy_from_slice(org.uuid().as_bytes());
    said[16..32].copy_from_slice(link.uuid().as_bytes());
    said[32..48].copy_from_slice(version.uuid().as_bytes());
    said[48..].copy_from_slice(&expires_at.millis().to_be_bytes());
    said
}
