-- How far a run says it is: sealed JSON of the fraction, a message, and when.
ALTER TABLE runs ADD COLUMN progress bytea;
