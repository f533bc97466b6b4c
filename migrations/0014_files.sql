-- Files, kept as bytes under names. A collection says how its files are kept.
CREATE TABLE file_collections (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL,
    owner_kind text NOT NULL,
    owner uuid NOT NULL,
    default_visibility text NOT NULL,
    schema text,
    strict boolean NOT NULL,
    quota_files bigint NOT NULL,
    quota_bytes bigint NOT NULL,
    versions_kept bigint NOT NULL,
    largest_file bigint,
    content_types text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL,
    UNIQUE (org, id),
    UNIQUE (org, name)
);

-- How full a collection is, apart from it: whoever writes a file changes this, not what the collection says. `bytes` counts
-- every version, and uploads under way at their full size. `revision` is never below that of a file, living or gone.
CREATE TABLE file_usage (
    org uuid NOT NULL,
    collection uuid NOT NULL PRIMARY KEY,
    files bigint NOT NULL,
    bytes bigint NOT NULL,
    uploads bigint NOT NULL,
    revision bigint NOT NULL,
    FOREIGN KEY (org, collection) REFERENCES file_collections (org, id)
);

-- With what its present version holds.
CREATE TABLE files (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    collection uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    metadata text NOT NULL,
    tags text NOT NULL,
    is_valid boolean NOT NULL,
    visibility text NOT NULL,
    owner_kind text NOT NULL,
    owner uuid NOT NULL,
    group_id uuid,
    version uuid NOT NULL,
    number bigint NOT NULL,
    content_type text NOT NULL,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    updated_by text NOT NULL,
    revision bigint NOT NULL,
    UNIQUE (org, id),
    UNIQUE (org, collection, name),
    FOREIGN KEY (org, collection) REFERENCES file_collections (org, id)
);

-- Each version with who might read it while it was the present one; goes with its file.
CREATE TABLE file_versions (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    file uuid NOT NULL,
    number bigint NOT NULL,
    content_type text NOT NULL,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    visibility text NOT NULL,
    owner uuid NOT NULL,
    group_id uuid,
    written_at bigint NOT NULL,
    written_by text NOT NULL,
    UNIQUE (org, id),
    UNIQUE (org, file, number),
    FOREIGN KEY (org, file) REFERENCES files (org, id)
);

-- What a version is made of, in order; also of one that is still being uploaded, so there is no version to refer to yet.
CREATE TABLE file_chunks (
    org uuid NOT NULL,
    version uuid NOT NULL,
    start bigint NOT NULL,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    PRIMARY KEY (org, version, start)
);

-- `wish` and `expected` are JSON: what will be said of the file, and what it was expected to be.
CREATE TABLE file_uploads (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    collection uuid NOT NULL,
    version uuid NOT NULL,
    name text NOT NULL,
    content_type text NOT NULL,
    size bigint NOT NULL,
    sha256 bytea,
    received bigint NOT NULL,
    wish text NOT NULL,
    expected text NOT NULL,
    owner_kind text NOT NULL,
    owner uuid NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    FOREIGN KEY (org, collection) REFERENCES file_collections (org, id)
);
CREATE INDEX file_uploads_expiry ON file_uploads (expires_at);

-- A link opens one version to whoever has it; who made it must still be allowed to read that.
CREATE TABLE file_links (
    org uuid NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    file uuid NOT NULL,
    version uuid NOT NULL,
    maker_kind text NOT NULL,
    maker uuid NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    uses bigint NOT NULL,
    last_used_at bigint,
    FOREIGN KEY (org, file) REFERENCES files (org, id),
    FOREIGN KEY (org, version) REFERENCES file_versions (org, id)
);
CREATE INDEX file_links_file ON file_links (org, file, id);
CREATE INDEX file_links_version ON file_links (org, version);
CREATE INDEX file_links_expiry ON file_links (expires_at);
