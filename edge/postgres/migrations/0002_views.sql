-- The projector's books: where each view stands, which files it had to set aside, and two places
-- beside the live views: one where the next build is made, one where the last build is kept.

CREATE SCHEMA views_next AUTHORIZATION claims_projector;
CREATE SCHEMA views_previous AUTHORIZATION claims_projector;
GRANT USAGE ON SCHEMA views_next, views_previous TO claims_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE claims_projector IN SCHEMA views_next, views_previous
    GRANT SELECT ON TABLES TO claims_reader;

SET LOCAL ROLE claims_projector;

CREATE SEQUENCE views.edition AS bigint;

-- A ledger that was used before this migration has it: its projector made it.
CREATE TABLE IF NOT EXISTS views.position (
    view text COLLATE "C" PRIMARY KEY,
    version int NOT NULL,
    position bigint NOT NULL,  -- every fact up to it is in the view, or its file is parked
    tables text[] NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
) WITH (fillfactor = 50);
-- Another one whenever the view becomes another by anything but its next page: a page that was
-- folded for an earlier edition is not written.
ALTER TABLE views.position
    ADD COLUMN edition bigint NOT NULL DEFAULT pg_catalog.nextval('views.edition');

-- One row a file that a view could not take further: the fact it stopped at, and why. The file's
-- later facts wait in the log, which has them all.
CREATE TABLE views.parked (
    view text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    version int NOT NULL,
    position bigint NOT NULL,
    code text COLLATE "C" NOT NULL,  -- of a named error, otherwise empty
    why text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (view, stream)
);

CREATE FUNCTION views.refuse_going_back() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the view % stands at %, and does not go back to %',
        OLD.view, OLD.position, NEW.position
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TABLE views_next.position (LIKE views.position INCLUDING ALL) WITH (fillfactor = 50);
CREATE TABLE views_next.parked (LIKE views.parked INCLUDING ALL);
CREATE TABLE views_previous.position (LIKE views.position INCLUDING ALL) WITH (fillfactor = 50);
CREATE TABLE views_previous.parked (LIKE views.parked INCLUDING ALL);

CREATE TRIGGER only_forward BEFORE UPDATE OF position ON views.position FOR EACH ROW
    WHEN (NEW.position < OLD.position) EXECUTE FUNCTION views.refuse_going_back();
CREATE TRIGGER only_forward BEFORE UPDATE OF position ON views_next.position FOR EACH ROW
    WHEN (NEW.position < OLD.position) EXECUTE FUNCTION views.refuse_going_back();
CREATE TRIGGER only_forward BEFORE UPDATE OF position ON views_previous.position FOR EACH ROW
    WHEN (NEW.position < OLD.position) EXECUTE FUNCTION views.refuse_going_back();

RESET ROLE;
