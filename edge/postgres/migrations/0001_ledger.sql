-- The log of facts, the answers given, and who may do what with them.
--
-- Everything is named in full, so that no search path has a say. A migration that was applied is
-- never changed: the next one changes what it made.

-- Roles belong to the whole server, so they may be there already, made for another database of it,
-- perhaps at this moment. They cannot log in: a login is made a member of one of them.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['claims_writer', 'claims_projector', 'claims_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;  -- somebody was quicker
            END;
        END IF;
    END LOOP;
    -- A superuser may act as any role; another owner has to be a member to give a schema away.
    IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER) THEN
        GRANT claims_writer, claims_projector, claims_reader TO CURRENT_USER;
    END IF;
END
$$;

CREATE SEQUENCE ledger.position AS bigint;

-- The wide columns come last and the fixed ones first, which saves the padding between them.
CREATE TABLE ledger.facts (
    notification_id bigint NOT NULL DEFAULT pg_catalog.nextval('ledger.position'),
    originator_version bigint NOT NULL,
    originator_id text COLLATE "C" NOT NULL,
    topic text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (originator_id, originator_version),
    CONSTRAINT version_starts_at_one CHECK (originator_version >= 1),
    -- A claim's reference has up to 64 characters, of up to four bytes, and a prefix before it.
    CONSTRAINT originator_fits CHECK (octet_length(originator_id) BETWEEN 1 AND 300),
    CONSTRAINT topic_fits CHECK (octet_length(topic) BETWEEN 1 AND 100),
    CONSTRAINT state_fits CHECK (octet_length(state) BETWEEN 1 AND 1048576)
) WITH (
    fillfactor = 100,  -- rows never grow
    toast_tuple_target = 8160,  -- a fact stays in its row: readers of the log always want it
    -- Rows never die, so only inserts count; freezing them the first time spares the second visit.
    autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02,
    autovacuum_freeze_min_age = 0
);
CREATE UNIQUE INDEX facts_notification_id_idx ON ledger.facts (notification_id)
    WITH (fillfactor = 100);  -- grows at its right edge only
ALTER SEQUENCE ledger.position OWNED BY ledger.facts.notification_id;

-- The eventsourcing library hands facts over as an array of this type, by this name.
CREATE TYPE ledger.stored_event_text AS (
    originator_id text,
    originator_version bigint,
    topic text,
    state bytea
);

CREATE TABLE ledger.answers (
    recorded_at timestamptz NOT NULL,
    command_id text COLLATE "C" PRIMARY KEY,
    stream text COLLATE "C" NOT NULL,
    body_sha256 bytea NOT NULL,
    receipt bytea NOT NULL,
    CONSTRAINT command_id_fits CHECK (octet_length(command_id) BETWEEN 1 AND 200),
    CONSTRAINT stream_fits CHECK (octet_length(stream) <= 300),
    CONSTRAINT body_sha256_is_one CHECK (octet_length(body_sha256) = 32),
    CONSTRAINT receipt_fits CHECK (octet_length(receipt) BETWEEN 1 AND 1048576)
) WITH (
    fillfactor = 100,
    toast_tuple_target = 8160,
    autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02,
    autovacuum_freeze_min_age = 0
);
-- Verifying one file looks for the receipts given about it.
CREATE INDEX answers_stream ON ledger.answers (stream);

-- What was recorded stays, whoever asks. Privileges stop the ledger's own roles; this stops the
-- owner and the superuser too, also where ordinary triggers do not fire (ENABLE ALWAYS). Whoever
-- drops the trigger first is found by the digests.
CREATE FUNCTION ledger.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '%.% only grows: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'Record a correction as a new fact.';
END
$$;

CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.facts
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.answers
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.facts ENABLE ALWAYS TRIGGER only_grows;
ALTER TABLE ledger.answers ENABLE ALWAYS TRIGGER only_grows;

GRANT USAGE ON SCHEMA ledger TO claims_writer, claims_projector, claims_reader;
GRANT SELECT ON ledger.migrations, ledger.facts, ledger.answers
    TO claims_writer, claims_projector, claims_reader;
GRANT INSERT ON ledger.facts, ledger.answers TO claims_writer;
GRANT USAGE ON SEQUENCE ledger.position TO claims_writer;

-- The read models are the projector's own: it makes, swaps and drops them; others read them.
CREATE SCHEMA views AUTHORIZATION claims_projector;
GRANT USAGE ON SCHEMA views TO claims_reader, claims_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE claims_projector IN SCHEMA views
    GRANT SELECT ON TABLES TO claims_reader;
