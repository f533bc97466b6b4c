-- Which secrets runs of a version are given, and what it may call: JSON.
ALTER TABLE function_versions ADD COLUMN secrets text NOT NULL DEFAULT '[]';
ALTER TABLE function_versions ADD COLUMN egress text NOT NULL DEFAULT '[]';
