-- Where a blob stands that is kept in a bucket; one without is a file of the server that took it.
ALTER TABLE blobs ADD COLUMN object text;
CREATE UNIQUE INDEX blobs_object ON blobs (object) WHERE object IS NOT NULL;
