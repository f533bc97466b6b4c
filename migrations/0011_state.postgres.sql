-- In the order of bytes, as on SQLite: cursors and prefixes go by it.
ALTER TABLE state_entries ALTER COLUMN key TYPE text COLLATE "C";

-- SQLite has a function of this name. `wanted` empty: whatever stands there.
CREATE FUNCTION json_matches(document text, pointer text, wanted text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    here jsonb := document::jsonb;
    token text;
BEGIN
    IF pointer <> '' THEN
        FOREACH token IN ARRAY (string_to_array(pointer, '/'))[2:] LOOP
            token := replace(replace(token, '~1', '/'), '~0', '~');
            IF jsonb_typeof(here) = 'object' THEN
                here := here -> token;
            ELSIF jsonb_typeof(here) = 'array' AND token ~ '^(0|[1-9][0-9]{0,8})$' THEN
                here := here -> token::integer;
            ELSE
                RETURN false;
            END IF;
            IF here IS NULL THEN
                RETURN false;
            END IF;
        END LOOP;
    END IF;
    IF wanted = '' THEN
        RETURN true;
    END IF;
    RETURN here = wanted::jsonb;
END $$;

-- A path as selectors write it (authority::Selector): bytes beyond A-Z a-z 0-9 . _ ~ - percent-encoded. Keys hold any
-- character, so patterns are held against this form, as on SQLite.
CREATE FUNCTION selector_path(path text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN path !~ '[^A-Za-z0-9._~/-]' THEN path ELSE (
        SELECT string_agg(CASE
            WHEN letter ~ '[A-Za-z0-9._~/-]' THEN letter
            ELSE upper(regexp_replace(encode(convert_to(letter, 'UTF8'), 'hex'), '(..)', '%\1', 'g'))
        END, '' ORDER BY place)
        FROM regexp_split_to_table(path, '') WITH ORDINALITY AS letters (letter, place)
    ) END
$$;
CREATE OR REPLACE FUNCTION selector_covers(pattern text, path text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT selector_path(path) ~
        ('^' || replace(replace(replace(replace(pattern, '.', '\.'), '**', '!'), '*', '[^/]+'), '!', '.+') || '$')
$$;

CALL safeconduct_isolate('state_namespaces');
CALL safeconduct_isolate('state_usage');
CALL safeconduct_isolate('state_entries');
CALL safeconduct_isolate('state_history');
