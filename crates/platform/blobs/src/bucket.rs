//! The bucket backend: S3, and what speaks like it. Objects are written once under a name of their own – two that put the
//! same blob never write the same object – and the blob's row says which one counts. What is sealed is sealed here; the
//! bucket sees no key and no plain byte.
//!
//! Requests are signed in their address (AWS Signature Version 4, query form). Large objects go up in parts and come down
//! in ranges, so that each call is short and can be made again.

use std::fs::File;
use std::io::Read;
use std::time::Duration;

use bytes::Bytes;
use egress::header::{CONTENT_RANGE, ETAG, RANGE};
use egress::{Answer, Destination, Egress, Method, Request};
use rusty_s3::actions::{CreateMultipartUpload, ListObjectsV2};
use rusty_s3::{Credentials, S3Action, UrlStyle};
use types::{Id, OrgId, Secret, Timestamp, World};

use crate::BlobError;
use crate::blobs::blocking;

/// Bytes of a part; S3 wants five megabytes at least, of all but the last.
const PART: usize = 8 * 1024 * 1024;
/// How long the signature of one call is good.
const SIGNED_FOR: Duration = Duration::from_secs(300);
/// How often a call is made that meets a busy or silent bucket – 409 says that others are at the same place – and the wait
/// before the second time.
const TRIES: u32 = 4;
/// The object that says whose all others are.
const OWNER: &str = "installation";
const PATIENCE: Duration = Duration::from_millis(200);

/// Where the bucket is, and as whom it is asked.
#[derive(Clone)]
pub struct BucketSettings {
    /// `https://s3.eu-west-1.amazonaws.com`
    pub endpoint: String,
    pub name: String,
    pub region: String,
    /// Before the name of each object; ends with `/` if it is not empty.
    pub prefix: String,
    /// Whose bucket, or part of one, this is: what others keep there would be swept as nobody's.
    pub installation: String,
    pub key_id: String,
    pub secret: Secret<String>,
    /// The bucket's name stands in the path, not in the host.
    pub in_path: bool,
    /// Certificates (PEM) that are trusted for it besides the machine's own.
    pub authorities: Option<String>,
}

/// An open bucket.
pub struct Bucket {
    egress: Egress,
    bucket: rusty_s3::Bucket,
    credentials: Credentials,
    prefix: String,
    authorities: Option<String>,
}

/// An object as a listing shows it.
pub(crate) struct Listed {
    pub(crate) object: String,
    pub(crate) modified: Option<Timestamp>,
}

impl Bucket {
    /// Asks it once, so that a wrong name or key stops the start, and writes down whose it is.
    ///
    /// # Errors
    /// [`BlobError::Bucket`] says what it answered, or that it is another installation's.
    pub async fn open(egress: Egress, settings: BucketSettings) -> Result<Self, BlobError> {
        let endpoint =
            settings.endpoint.parse().map_err(|error| BlobError::Bucket(format!("endpoint: {error}")))?;
        let style = if settings.in_path { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let bucket = rusty_s3::Bucket::new(endpoint, style, settings.name, settings.region);
        let bucket = Self {
            egress,
            bucket: bucket.map_err(|error| BlobError::Bucket(error.to_string()))?,
            credentials: Credentials::new(settings.key_id, settings.secret.reveal().clone()),
            prefix: settings.prefix,
            authorities: settings.authorities,
        };
        bucket.list(None, 1).await?;
        bucket.claim(&settings.installation).await?;
        Ok(bucket)
    }

    /// Read again behind the write: of two that come at once, one finds the other's name.
    async fn claim(&self, installation: &str) -> Result<(), BlobError> {
        let object = format!("{}{OWNER}", self.prefix);
        let get = self.bucket.get_object(Some(&self.credentials), &object);
        let read = async || match self.call(&get, Method::GET, Bytes::new(), &[200]).await {
            Ok(answer) => Ok(Some(text(answer.body)?)),
            Err(BlobError::Missing) => Ok(None),
            Err(error) => Err(error),
        };
        if read().await?.is_none() {
            let put = self.bucket.put_object(Some(&self.credentials), &object);
            self.call(&put, Method::PUT, Bytes::copy_from_slice(installation.as_bytes()), &[200]).await?;
        }
        match read().await? {
            Some(owner) if owner == installation => Ok(()),
            owner => Err(BlobError::Bucket(format!(
                "{object:?} says that it belongs to {}; set a blobs.prefix of your own",
                owner.unwrap_or_default()
            ))),
        }
    }

    /// A name that no object has.
    pub(crate) fn name(&self, org: OrgId, sha256: &[u8; 32], world: &World) -> String {
        let (hash, mark) = (hex::encode(sha256), hex::encode(world.bytes::<8>()));
        format!("{}{}/{}/{hash}-{mark}", self.prefix, org.uuid().simple(), &hash[..2])
    }

    /// Whether it is a name as [`Bucket::name`] makes them: whatever else lies there is somebody's.
    pub(crate) fn is_ours(&self, object: &str) -> bool {
        let is_hex =
            |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let Some(name) = object.strip_prefix(&self.prefix) else { return false };
        let Some((hash, mark)) = name.rsplit('/').next().and_then(|name| name.split_once('-')) else {
            return false;
        };
        let place: Vec<&str> = name.split('/').collect();
        place.len() == 3
            && is_hex(place[0], 32)
            && hash.starts_with(place[1])
            && is_hex(hash, 64)
            && is_hex(mark, 16)
    }

    /// All of a file.
    pub(crate) async fn put(&self, object: &str, file: File, size: u64) -> Result<(), BlobError> {
        if size <= PART as u64 {
            let (_, body) = part(file).await?;
            self.call(&self.bucket.put_object(Some(&self.credentials), object), Method::PUT, body, &[200])
                .await?;
            return Ok(());
        }
        let begin = self.bucket.create_multipart_upload(Some(&self.credentials), object);
        let begun = self.call(&begin, Method::POST, Bytes::new(), &[200]).await?;
        let begun = CreateMultipartUpload::parse_response(&text(begun.body)?).map_err(odd)?;
        let placed = self.put_parts(object, begun.upload_id(), file).await;
        if placed.is_err() {
            let abort =
                self.bucket.abort_multipart_upload(Some(&self.credentials), object, begun.upload_id());
            // Parts that stay behind are the bucket's own rules to sweep.
            let _ = self.call(&abort, Method::DELETE, Bytes::new(), &[204]).await;
        }
        placed
    }

    async fn put_parts(&self, object: &str, upload: &str, mut file: File) -> Result<(), BlobError> {
        let mut tags = Vec::new();
        for number in 1.. {
            let (rest, body) = part(file).await?;
            if body.is_empty() {
                break;
            }
            file = rest;
            let put = self.bucket.upload_part(Some(&self.credentials), object, number, upload);
            let answer = self.call(&put, Method::PUT, body, &[200]).await?;
            let tag = answer.header(ETAG).ok_or_else(|| BlobError::Bucket("a part without ETag".into()))?;
            tags.push(tag.to_owned());
        }
        let tags = tags.iter().map(String::as_str);
        let end = self.bucket.complete_multipart_upload(Some(&self.credentials), object, upload, tags);
        let (url, body) = (end.sign(SIGNED_FOR), end.body());
        let answer = self.call_at(url.as_str(), Method::POST, body.into(), None, &[200]).await?;
        // S3 may answer 200 and say in the body that it failed.
        match text(answer.body)? {
            body if body.contains("<Error>") => Err(BlobError::Bucket(body)),
            _ => Ok(()),
        }
    }

    /// So many bytes from `from`.
    pub(crate) async fn range(&self, object: &str, from: u64, length: u64) -> Result<Vec<u8>, BlobError> {
        let range = format!("bytes={from}-{}", (from + length).saturating_sub(1));
        let body = self.get(object, &range).await?.body;
        match body.len() as u64 == length {
            true => Ok(body),
            false => Err(BlobError::Damaged("the object is shorter than its trailer says")),
        }
    }

    /// The last `length` bytes, and how many there are in all.
    pub(crate) async fn tail(&self, object: &str, length: usize) -> Result<(Vec<u8>, u64), BlobError> {
        let answer = self.get(object, &format!("bytes=-{length}")).await?;
        let total = answer.header(CONTENT_RANGE).and_then(|range| range.rsplit_once('/')?.1.parse().ok());
        let total = total.ok_or_else(|| BlobError::Bucket("a range without Content-Range".into()))?;
        match answer.body.len() == length {
            true => Ok((answer.body, total)),
            false => Err(BlobError::Damaged("the object is shorter than its trailer")),
        }
    }

    async fn get(&self, object: &str, range: &str) -> Result<Answer, BlobError> {
        let get = self.bucket.get_object(Some(&self.credentials), object);
        let url = get.sign(SIGNED_FOR);
        self.call_at(url.as_str(), Method::GET, Bytes::new(), Some(range), &[206]).await
    }

    /// An object that is gone already is as good as removed.
    pub(crate) async fn remove(&self, object: &str) -> Result<(), BlobError> {
        let remove = self.bucket.delete_object(Some(&self.credentials), object);
        match self.call(&remove, Method::DELETE, Bytes::new(), &[200, 204]).await {
            Ok(_) | Err(BlobError::Missing) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A page of the objects under the prefix, and where the next begins.
    pub(crate) async fn list(
        &self,
        after: Option<String>,
        most: usize,
    ) -> Result<(Vec<Listed>, Option<String>), BlobError> {
        let mut list = self.bucket.list_objects_v2(Some(&self.credentials));
        list.with_prefix(self.prefix.as_str());
        list.with_max_keys(most);
        if let Some(after) = after {
            list.with_continuation_token(after);
        }
        let answer = self.call(&list, Method::GET, Bytes::new(), &[200]).await?;
        let page = ListObjectsV2::parse_response(&text(answer.body)?).map_err(odd)?;
        let listed = page.contents.into_iter().map(|object| Listed {
            modified: object.last_modified.and_then(|modified| modified.parse().ok()),
            object: object.key,
        });
        Ok((listed.collect(), page.next_continuation_token))
    }

    async fn call<'a>(
        &self,
        action: &impl S3Action<'a>,
        method: Method,
        body: Bytes,
        good: &[u16],
    ) -> Result<Answer, BlobError> {
        self.call_at(action.sign(SIGNED_FOR).as_str(), method, body, None, good).await
    }

    /// Made again while the bucket is busy or silent: every call here may be made twice.
    async fn call_at(
        &self,
        url: &str,
        method: Method,
        body: Bytes,
        range: Option<&str>,
        good: &[u16],
    ) -> Result<Answer, BlobError> {
        let mut failure = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(PATIENCE * 2_u32.pow(attempt - 1)).await;
            }
            let mut request = Request::bytes(method.clone(), url, body.clone())
                .and_then(|request| match range {
                    Some(range) => request.with(RANGE, range),
                    None => Ok(request),
                })
                .map_err(|error| BlobError::Bucket(error.to_string()))?
                .answered_with(PART);
            if let Some(authorities) = &self.authorities {
                request = request.trusting(authorities);
            }
            match self.egress.call(Destination::Operator, request).await {
                Ok(answer) if good.contains(&answer.status) => return Ok(answer),
                Ok(Answer { status: 404, body, .. }) if !is_of_bucket(&body) => {
                    return Err(BlobError::Missing);
                }
                Ok(answer) if matches!(answer.status, 409 | 429 | 500 | 502 | 503 | 504) => {
                    failure = told(&answer)
                }
                Ok(answer) => return Err(BlobError::Bucket(told(&answer))),
                Err(error) => failure = error.to_string(),
            }
        }
        Err(BlobError::Bucket(failure))
    }
}

/// 404 about the bucket itself.
fn is_of_bucket(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).contains("NoSuchBucket")
}

/// Status and the S3 code, which says more.
fn told(answer: &Answer) -> String {
    let body = String::from_utf8_lossy(&answer.body);
    let between = |open: &str, close: &str| Some(body.split_once(open)?.1.split_once(close)?.0.to_owned());
    match between("<Code>", "</Code>") {
        Some(code) => format!("{} {code}", answer.status),
        None => answer.status.to_string(),
    }
}

/// The next part of a file; empty at its end.
async fn part(mut file: File) -> Result<(File, Bytes), BlobError> {
    blocking(move || {
        let mut body = Vec::new();
        file.by_ref().take(PART as u64).read_to_end(&mut body)?;
        Ok((file, body.into()))
    })
    .await
}

fn text(body: Vec<u8>) -> Result<String, BlobError> {
    String::from_utf8(body).map_err(odd)
}

fn odd(error: impl std::fmt::Display) -> BlobError {
    BlobError::Bucket(format!("an answer that cannot be read: {error}"))
}
