-- The relay's books: up to where the facts of the log were published, and to which topic.

CREATE SCHEMA relay;

-- One row a topic. Without it, nothing was published; a row that is lost costs the facts' being sent
-- again, and a row that lies ahead would cost facts, so it is moved only past what is acknowledged.
CREATE TABLE relay.position (
    topic text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,  -- every fact up to it is in the topic
    moved_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT topic_fits CHECK (octet_length(topic) BETWEEN 1 AND 249),
    CONSTRAINT position_counts CHECK (position >= 0)
) WITH (fillfactor = 50);

CREATE FUNCTION relay.refuse_going_back() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the topic % has the log up to %, and does not go back to %',
        OLD.topic, OLD.position, NEW.position
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER only_forward BEFORE UPDATE OF position ON relay.position FOR EACH ROW
    WHEN (NEW.position < OLD.position) EXECUTE FUNCTION relay.refuse_going_back();

-- Who reads the log and keeps what follows from it is the projector; the relay is one more of them.
GRANT USAGE ON SCHEMA relay TO claims_projector, claims_reader;
GRANT SELECT ON relay.position TO claims_projector, claims_reader;
GRANT INSERT, UPDATE ON relay.position TO claims_projector;
