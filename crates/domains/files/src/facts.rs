//! What the ledger hears of files: names, sizes and hashes, never a content.

ledger::fact_kinds! {
    pub COLLECTION_CREATED = "files.collection_created", Notice, "A collection for files was made.",
        { collection: Text, default_visibility: Text };
    pub COLLECTION_UPDATED = "files.collection_updated", Notice, "How a collection keeps its files was changed.",
        { collection: Text, fields: TextList };
    pub COLLECTION_DELETED = "files.collection_deleted", Warning, "An empty collection was removed.",
        { collection: Text };
    pub FILE_WRITTEN = "files.written", Info, "A file got a new version.", {
        collection: Text, name: Text, version: Text, number: Integer, size: Integer, sha256: Hash, content_type: Text,
        revision: Integer, visibility: Text, owner: Text, group: Optional(&Text),
    };
    pub FILE_UPDATED = "files.updated", Info, "What is said of a file was changed.", {
        collection: Text, name: Text, fields: TextList,
        revision: Integer, visibility: Text, owner: Text, group: Optional(&Text),
    };
    pub FILE_DELETED = "files.deleted", Notice, "A file was removed with every version.", {
        collection: Text, name: Text, versions: Integer,
        revision: Integer, visibility: Text, owner: Text, group: Optional(&Text),
    };
    pub UPLOAD_STARTED = "files.upload_started", Info, "Room was set aside for an upload.",
        { collection: Text, name: Text, size: Integer };
    pub UPLOAD_ENDED = "files.upload_ended", Info, "An upload ended without a file; what had come was thrown away.",
        { collection: Text, name: Text, size: Integer, received: Integer, reason: Text };
    pub LINK_CREATED = "files.link_created", Notice, "A link was made that opens a version of a file to whoever has it.",
        { collection: Text, name: Text, version: Text, expires_at: Time };
    pub LINK_REVOKED = "files.link_revoked", Notice, "A link to a file was ended.",
        { collection: Text, name: Text, version: Text, uses: Integer };
}
