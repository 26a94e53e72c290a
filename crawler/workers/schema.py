"""The tables that the workers of a job share, in the schema of the job beside its ledger.

Nothing in them has to outlive a run: the ledger alone says what was crawled. Times are those of the
database's clock.
"""

# The second of PostgreSQL's two kinds of advisory locks; the first number stands for this program.
TAKING, CREATING = 0x6E65_6968, 0x6E65_6969

CREATE = (
    """
    CREATE TABLE IF NOT EXISTS workers (
        worker bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        -- "process 4711 on alpha, since ...", as in the table hold.
        process text NOT NULL,
        run integer NOT NULL,
        asked text NOT NULL,
        began timestamptz NOT NULL DEFAULT clock_timestamp(),
        alive_until timestamptz NOT NULL,
        -- Whether it has been told to stop, and when it did; null while it works.
        is_leaving boolean NOT NULL DEFAULT false,
        left_at timestamptz,
        delivered bigint NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS leases (
        lease bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        -- The id by which the article was requested, or an address; and how many requests of this
        -- run for it came before.
        page text COLLATE "C" NOT NULL,
        step integer NOT NULL,
        -- The host that is asked; empty if none is.
        host text COLLATE "C" NOT NULL,
        request bytea NOT NULL,
        worker bigint,
        tries integer NOT NULL DEFAULT 0
    )
    """,
    "CREATE UNIQUE INDEX IF NOT EXISTS leases_page ON leases (md5(page), step)",
    # A delivery that is lost with a crash of the database is fetched again. Its content is
    # compressed already.
    """
    CREATE UNLOGGED TABLE IF NOT EXISTS deliveries (
        lease bigint PRIMARY KEY,
        content bytea NOT NULL
    )
    """,
    "ALTER TABLE deliveries ALTER COLUMN content SET STORAGE EXTERNAL",
    """
    CREATE TABLE IF NOT EXISTS hosts (
        host text COLLATE "C" PRIMARY KEY,
        -- Before this time, nobody may send the next request.
        next_at timestamptz NOT NULL DEFAULT '-infinity',
        -- A request is on its way until then, unless it is reported as sent before.
        sending_until timestamptz NOT NULL DEFAULT '-infinity',
        -- The worker that was the last to have a page of the host, and since when it has none.
        worker bigint,
        free_since timestamptz NOT NULL DEFAULT '-infinity'
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS robots (
        site text COLLATE "C" PRIMARY KEY,
        worker bigint NOT NULL,
        asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        -- Null until the file has been requested.
        answered_at timestamptz,
        -- Null if there are no rules.
        body bytea,
        reason text,
        fault text
    )
    """,
)

# A page is free if nobody has delivered it and no living worker has it. The workers share the pages
# that can be taken, and the limit of requests to a host. If that is one, the worker that had the
# last page of a host is preferred, since it is connected to it. Of the hosts, which may be very
# many, only those of pages that would be taken are looked up. Rows of hosts are locked in the order
# of their names, so that no two workers wait for each other.
TAKE = """
    WITH alive AS MATERIALIZED (
        SELECT worker FROM workers WHERE alive_until >= clock_timestamp()
    ), share AS (
        SELECT ceil(%(most)s::numeric / greatest(count(*), 1)) AS pages FROM alive
    ), wanted AS MATERIALIZED (
        SELECT l.lease, l.host, alive.worker
        FROM leases l LEFT JOIN alive ON alive.worker = l.worker
        WHERE NOT EXISTS (SELECT FROM deliveries d WHERE d.lease = l.lease)
    ), held AS (
        SELECT host, count(*) AS count, count(*) FILTER (WHERE worker = %(worker)s) AS own
        FROM wanted WHERE worker IS NOT NULL AND host <> '' GROUP BY host
    ), free AS (
        SELECT lease, host, row_number() OVER (PARTITION BY host ORDER BY lease) AS number
        FROM wanted WHERE worker IS NULL
    ), allowed AS (
        SELECT free.lease, free.host
        FROM free CROSS JOIN share LEFT JOIN held ON held.host = free.host
        WHERE free.host = '' OR (
            coalesce(held.count, 0) + free.number <= %(most)s
            AND coalesce(held.own, 0) + free.number <= share.pages
        )
    ), fair AS (
        SELECT greatest(0, ceil(
            ((SELECT count(*) FROM wanted WHERE worker IS NOT NULL) + count(*))::numeric
            / greatest((SELECT count(*) FROM alive), 1)
        ) - (SELECT count(*) FROM wanted WHERE worker = %(worker)s)) AS pages
        FROM allowed
    ), chosen AS (
        SELECT lease FROM leases
        WHERE lease IN (
            SELECT lease FROM (SELECT * FROM allowed ORDER BY lease OFFSET 0) AS next
            WHERE coalesce((
                SELECT h.next_at <= clock_timestamp() + interval '1 second' AND (
                    %(most)s > 1 OR h.worker IS NULL OR h.worker = %(worker)s
                    OR h.free_since < clock_timestamp() - interval '1 second'
                    OR NOT EXISTS (SELECT FROM alive WHERE alive.worker = h.worker)
                )
                FROM hosts h WHERE h.host = next.host
            ), true)
            ORDER BY lease LIMIT least(%(count)s, (SELECT pages FROM fair)::bigint)
        )
        ORDER BY lease FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE leases l SET worker = %(worker)s, tries = tries + 1
        FROM chosen WHERE l.lease = chosen.lease
        RETURNING l.lease, l.host, l.request, l.tries
    ), noted AS (
        INSERT INTO hosts (host, worker, free_since)
        SELECT DISTINCT host, %(worker)s::bigint, 'infinity'::timestamptz FROM taken
        WHERE host <> '' ORDER BY host
        ON CONFLICT (host) DO UPDATE
        SET worker = excluded.worker, free_since = excluded.free_since
    )
    SELECT lease, request, tries FROM taken ORDER BY lease
"""

OFFER = """
    INSERT INTO leases (page, step, host, request) VALUES (%s, %s, %s, %s)
    ON CONFLICT (md5(page), step) DO NOTHING
"""
OFFERED = """
    SELECT l.lease, l.page, l.step
    FROM leases l JOIN unnest(%s::text[]) AS given (page)
        ON md5(l.page) = md5(given.page) AND l.page = given.page
"""
COLLECT = "SELECT lease, content FROM deliveries WHERE lease = ANY(%s) ORDER BY lease LIMIT %s"
FORGET = (
    "DELETE FROM deliveries WHERE lease = ANY(%s)",
    "DELETE FROM leases WHERE lease = ANY(%s)",
)
# The server would do this by itself only once a minute. By then, the deliveries would take up more
# than a gigabyte, and a look through the leases several times as long.
REUSE_SPACE = "VACUUM (SKIP_LOCKED, INDEX_CLEANUP on, TRUNCATE off) leases, deliveries"
# Locks the leases, so that nobody can take the pages over meanwhile.
DELIVER = """
    WITH held AS (
        SELECT lease, host FROM leases
        WHERE lease = ANY(%(leases)b::bigint[]) AND worker = %(worker)s
        ORDER BY lease FOR UPDATE
    ), stored AS (
        INSERT INTO deliveries (lease, content)
        SELECT given.lease, given.content
        FROM unnest(%(leases)b::bigint[], %(contents)b::bytea[]) AS given (lease, content)
            JOIN held ON held.lease = given.lease
        ON CONFLICT (lease) DO NOTHING RETURNING lease
    ), own_hosts AS (
        SELECT host FROM hosts WHERE worker = %(worker)s AND host IN (SELECT host FROM held)
        ORDER BY host FOR UPDATE
    ), freed AS (
        UPDATE hosts SET free_since = clock_timestamp()
        WHERE host IN (SELECT host FROM own_hosts)
    ), counted AS (
        UPDATE workers SET delivered = delivered + (SELECT count(*) FROM stored)
        WHERE worker = %(worker)s
    )
    SELECT count(*) FROM stored
"""
# The tries count the workers that were lost with a page, and not those that gave it back.
RELEASE = """
    UPDATE leases SET worker = NULL, tries = tries - 1 WHERE worker = %s AND lease = ANY(%s)
"""
FREE_HOSTS = """
    UPDATE hosts SET free_since = clock_timestamp()
    WHERE worker = %s AND host IN (SELECT host FROM leases WHERE lease = ANY(%s))
"""

JOIN = """
    INSERT INTO workers (process, run, asked, alive_until)
    VALUES (%s, %s, %s, clock_timestamp() + %s * interval '1 second') RETURNING worker
"""
RENEW = """
    UPDATE workers SET alive_until = clock_timestamp() + %s * interval '1 second'
    WHERE worker = %s
"""
# Whatever the worker does not know of, it has lost: a delivery in a crash of the database, or a
# lease whose taking it was not told of.
DROP_UNKNOWN = """
    UPDATE leases l SET worker = NULL, tries = tries - 1
    WHERE l.worker = %s AND NOT l.lease = ANY(%s)
        AND NOT EXISTS (SELECT FROM deliveries d WHERE d.lease = l.lease)
"""
BEGIN_TO_LEAVE = "UPDATE workers SET is_leaving = true WHERE worker = %s"
LEAVE = """
    UPDATE workers SET left_at = clock_timestamp(), alive_until = clock_timestamp()
    WHERE worker = %s
"""
OTHERS = """
    SELECT process, run, asked, is_leaving FROM workers
    WHERE alive_until >= clock_timestamp() AND worker <> %s ORDER BY worker
"""
LAST_HOLDER = "SELECT process FROM hold"
IS_WORKER = "SELECT 1 FROM workers WHERE process = %s LIMIT 1"
WORK_ON = "UPDATE workers SET run = %s WHERE worker = %s"
BEGIN_RUN = "UPDATE workers SET run = %s WHERE process = %s AND left_at IS NULL"
# Whether a run has members that may go on with it, of which the asking process may be one.
HAS_MEMBERS = """
    SELECT EXISTS (
        SELECT FROM workers WHERE run = %s AND left_at IS NULL
            AND (alive_until >= clock_timestamp() OR process = %s)
    )
"""
HOLDER_IS_SILENT = """
    SELECT NOT EXISTS (
        SELECT FROM workers w, hold h
        WHERE w.process = h.process AND w.alive_until >= clock_timestamp()
    ) AND EXISTS (
        SELECT FROM workers w, hold h
        WHERE w.process = h.process AND w.left_at IS NULL
    )
"""

ADD_HOST = "INSERT INTO hosts (host) VALUES (%s) ON CONFLICT (host) DO NOTHING"
TAKE_TURN = """
    UPDATE hosts SET next_at = clock_timestamp() + %s * interval '1 second',
        sending_until = clock_timestamp() + %s * interval '1 second'
    WHERE host = %s AND next_at <= clock_timestamp() AND sending_until <= clock_timestamp()
    RETURNING 0
"""
TURN_AT = """
    SELECT greatest(0, extract(epoch FROM greatest(next_at, 'epoch') - clock_timestamp())),
        sending_until > clock_timestamp()
    FROM hosts WHERE host = %s
"""
SENT = """
    UPDATE hosts SET sending_until = '-infinity',
        next_at = greatest(next_at, clock_timestamp() + %s * interval '1 second')
    WHERE host = %s
"""
PAUSE = """
    INSERT INTO hosts (host, next_at)
    VALUES (%s, clock_timestamp() + %s * interval '1 second')
    ON CONFLICT (host) DO UPDATE SET next_at = greatest(hosts.next_at, excluded.next_at)
"""

CLAIM_ROBOTS = """
    INSERT INTO robots AS r (site, worker) VALUES (%s, %s)
    ON CONFLICT (site) DO UPDATE
    SET worker = excluded.worker, asked_at = clock_timestamp(), answered_at = NULL
    WHERE r.answered_at < clock_timestamp() - %s * interval '1 second'
        OR r.answered_at IS NULL AND NOT EXISTS (
            SELECT FROM workers w
            WHERE w.worker = r.worker AND w.alive_until >= clock_timestamp()
        )
    RETURNING 1
"""
STORE_ROBOTS = """
    UPDATE robots SET answered_at = clock_timestamp(), body = %s, reason = %s, fault = %s
    WHERE site = %s
"""
ROBOTS = "SELECT body, reason, fault FROM robots WHERE site = %s AND answered_at IS NOT NULL"

HAS_WORKERS = "SELECT 1 WHERE to_regclass('workers') IS NOT NULL"
STATUS = """
    SELECT w.process, w.run, w.began, w.alive_until, w.left_at, w.delivered,
        w.alive_until >= clock_timestamp() AS is_alive,
        extract(epoch FROM least(w.alive_until, clock_timestamp()) - w.began) AS seconds,
        h.process = w.process AS is_writer,
        (
            SELECT count(*) FROM leases l WHERE l.worker = w.worker
                AND NOT EXISTS (SELECT FROM deliveries d WHERE d.lease = l.lease)
        ) AS leases
    FROM workers w, hold h
    WHERE w.run = (SELECT max(run) FROM workers) ORDER BY w.worker
"""
