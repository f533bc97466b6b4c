-- Whose runs are open is asked within an organization, among all that are pending there.
DROP INDEX runs_open;
