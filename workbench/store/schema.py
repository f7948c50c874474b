"""Tables and views of a store, version 2.

Tables end in `_log` and are only appended to; views show what holds now. No keys, constraints, indexes, sequences or
computed defaults: ids are hashes, and a row with a higher `commit_id` replaces those before it.
"""

from workbench.core.formats import preference_sql

TABLES = """
CREATE TABLE schema_version (version INTEGER, applied_at DOUBLE, application VARCHAR);

CREATE TABLE source_log (
    commit_id BIGINT, source_id UBIGINT, path VARCHAR, format VARCHAR, reader_version INTEGER,
    run_id VARCHAR, key_prefix VARCHAR, inode UBIGINT, generation INTEGER,
    from_offset BIGINT, to_offset BIGINT, bytes BIGINT, mtime_ns BIGINT,
    head_length INTEGER, head_hash VARCHAR, tail_hash VARCHAR,
    accepted BIGINT, rejected BIGINT, status VARCHAR, message VARCHAR, state VARCHAR,
    first_step BIGINT, data_at DOUBLE, longest_gap DOUBLE, second_gap DOUBLE, seen_at DOUBLE);

CREATE TABLE point_log (
    series_id UBIGINT, source_id UBIGINT, generation INTEGER, byte_offset BIGINT,
    step BIGINT, wall_time DOUBLE, value DOUBLE);

CREATE TABLE series_log (series_id UBIGINT, run_id VARCHAR, key VARCHAR, format VARCHAR);

CREATE TABLE histogram_log (
    series_id UBIGINT, source_id UBIGINT, generation INTEGER, byte_offset BIGINT,
    step BIGINT, wall_time DOUBLE, edges DOUBLE[], counts DOUBLE[]);

CREATE TABLE console_log (
    run_id VARCHAR, source_id UBIGINT, generation INTEGER, byte_offset BIGINT,
    wall_time DOUBLE, stream VARCHAR, text VARCHAR);

CREATE TABLE summary_log (
    commit_id BIGINT, series_id UBIGINT, run_id VARCHAR, source_id UBIGINT, generation INTEGER,
    n BIGINT, not_finite BIGINT, first DOUBLE, first_step BIGINT, first_wall DOUBLE,
    last DOUBLE, last_step BIGINT, last_wall DOUBLE, last_offset BIGINT, min DOUBLE, max DOUBLE);

CREATE TABLE run_log (commit_id BIGINT, run_id VARCHAR, path VARCHAR, format VARCHAR, seen_at DOUBLE);

CREATE TABLE fact_log (
    commit_id BIGINT, run_id VARCHAR, source_id UBIGINT, generation INTEGER, byte_offset BIGINT,
    kind VARCHAR, key VARCHAR, value VARCHAR, wall_time DOUBLE, precedence INTEGER);

CREATE TABLE reject_log (
    source_id UBIGINT, generation INTEGER, byte_offset BIGINT, length BIGINT, reason VARCHAR, excerpt BLOB);

CREATE TABLE cut_log (source_id UBIGINT, generation INTEGER, from_step BIGINT, before_offset BIGINT);

CREATE TABLE monitor_log (commit_id BIGINT, monitor VARCHAR, spec VARCHAR, inputs VARCHAR, message VARCHAR);

CREATE TABLE window_log (
    commit_id BIGINT, monitor VARCHAR, spec VARCHAR, segment VARCHAR,
    window_start DOUBLE, window_end DOUBLE, rows BIGINT, slot BIGINT);

CREATE TABLE export_log (
    commit_id BIGINT, monitor VARCHAR, spec VARCHAR, kind VARCHAR, path VARCHAR, inode UBIGINT, generation INTEGER,
    position BIGINT, rows BIGINT, bytes BIGINT, mtime_ns BIGINT, marked BIGINT, head_length INTEGER,
    head_hash VARCHAR, tail_hash VARCHAR, rejected BIGINT, unended BOOLEAN, waits BOOLEAN, whole BOOLEAN,
    message VARCHAR);

CREATE TABLE part_log (
    commit_id BIGINT, monitor VARCHAR, spec VARCHAR, kind VARCHAR, source VARCHAR, generation INTEGER,
    from_position BIGINT, to_position BIGINT, first_row BIGINT, rows BIGINT, file VARCHAR, begins DOUBLE, ends DOUBLE,
    untimed BIGINT, features VARCHAR, scored BOOLEAN, void BOOLEAN);

CREATE TABLE knowledge_log (commit_id BIGINT, monitor VARCHAR, spec VARCHAR, through BIGINT, known VARCHAR);

CREATE TABLE window_metric_log (
    commit_id BIGINT, monitor VARCHAR, spec VARCHAR, segment VARCHAR, window_start DOUBLE, key VARCHAR, value DOUBLE);

CREATE TABLE window_column_log (
    commit_id BIGINT, monitor VARCHAR, spec VARCHAR, segment VARCHAR, window_start DOUBLE, position INTEGER,
    column_name VARCHAR, type VARCHAR, status VARCHAR, method VARCHAR, score DOUBLE, threshold DOUBLE,
    drifted BOOLEAN, n_reference BIGINT, n_current BIGINT, reason VARCHAR, noise_p95 DOUBLE, p_value DOUBLE,
    effect DOUBLE, findings VARCHAR);

CREATE TABLE profile_log (
    commit_id BIGINT, monitor VARCHAR, spec VARCHAR, segment VARCHAR, window_start DOUBLE, column_name VARCHAR,
    labels VARCHAR[], reference DOUBLE[], current DOUBLE[]);

CREATE TABLE finding_log (
    commit_id BIGINT, monitor VARCHAR, spec VARCHAR, engine INTEGER, position INTEGER, kind VARCHAR, subject VARCHAR,
    severity VARCHAR, sentence VARCHAR, since DOUBLE, until DOUBLE, confidence DOUBLE, evidence VARCHAR,
    segment VARCHAR, run VARCHAR);

CREATE TABLE judgement_log (commit_id BIGINT, monitor VARCHAR, spec VARCHAR, engine INTEGER, findings BIGINT);

-- What runs' own curves tell: `judgement` numbers the writes, `commit_id` is the last that had been read.
CREATE TABLE run_judgement_log (
    judgement BIGINT, run_id VARCHAR, commit_id BIGINT, engine INTEGER, points BIGINT, findings BIGINT,
    severity VARCHAR, headline VARCHAR, gap DOUBLE, pace DOUBLE);

CREATE TABLE run_finding_log (
    judgement BIGINT, run_id VARCHAR, engine INTEGER, position INTEGER, kind VARCHAR, subject VARCHAR,
    severity VARCHAR, sentence VARCHAR, since DOUBLE, until DOUBLE, confidence DOUBLE, evidence VARCHAR);
"""


LAST = "(last_step, coalesce(last_wall, '-infinity'::DOUBLE), generation, last_offset, source_id)"
FIRST = "(first_step, generation, source_id, last_offset)"
"""Which of several summaries holds the last and the first value: told by the points alone, whatever was folded when."""

EVERY_SERIES = f"""
    SELECT s.run_id, s.key, s.format, m.* EXCLUDE (series_id), m.series_id FROM (
        SELECT series_id, sum(n)::BIGINT AS n, arg_max(last, {LAST}) AS last,
            max(last_step) AS last_step, min(min) AS min, max(max) AS max, arg_min(first, {FIRST}) AS first,
            sum(not_finite)::BIGINT AS not_finite, arg_max_null(last_wall, {LAST}) AS last_wall,
            min(first_step) AS first_step, min(first_wall) AS first_wall, max(commit_id) AS commit_id
        FROM summary_log {{where}} GROUP BY series_id
    ) m JOIN (SELECT DISTINCT * FROM series_log {{where}}) s USING (series_id)"""
"""Series folded from their deltas, one a format; `{where}` narrows both logs before they are."""

_PLACE = f"row_number() OVER (PARTITION BY run_id, key ORDER BY {preference_sql('format', 'n')})"

RANKED = f"SELECT *, {_PLACE} AS place FROM ({EVERY_SERIES})"
"""Series with their place among the formats that have the metric; the first speaks for it."""

SERIES = f"SELECT * EXCLUDE (place) FROM ({RANKED}) WHERE place = 1"
"""Series as they are shown."""

FACTS = """
    SELECT f.* FROM (SELECT * FROM fact_log {where}) f
        ANTI JOIN replaced r ON r.source_id = f.source_id AND r.generation = f.generation
    QUALIFY row_number() OVER (
        PARTITION BY run_id, kind, key
        ORDER BY CASE kind WHEN 'started' THEN -try_cast(value AS DOUBLE) ELSE coalesce(wall_time, 0) END DESC,
            precedence DESC, generation DESC, byte_offset DESC, f.source_id, commit_id DESC) = 1"""
"""Facts that hold now: the latest said, and among those without a time the one that takes precedence.

The order in which sources happened to be read decides nothing, and a run that was taken up again started when it first
did. `{where}` narrows the log before the latest is sought.
"""


def by_hash(sql: str) -> str:
    """The same query with windows over hashes: quicker for all runs, but a filter on a run does not reach inside."""
    for names in ("run_id, kind, key", "run_id, key"):
        sql = sql.replace(f"PARTITION BY {names}", f"PARTITION BY hash({names})")
    return sql


VIEWS = """
CREATE OR REPLACE VIEW source AS
    SELECT * FROM source_log
    QUALIFY row_number() OVER (PARTITION BY source_id ORDER BY commit_id DESC) = 1;

CREATE OR REPLACE VIEW series AS
{series};

CREATE OR REPLACE VIEW alias AS
    SELECT run_id, key, format, n FROM ({ranked}) WHERE place > 1;

CREATE OR REPLACE VIEW visible_point AS
    SELECT p.* FROM point_log p WHERE NOT EXISTS (
        SELECT 1 FROM cut_log c WHERE c.source_id = p.source_id AND c.generation = p.generation
        AND p.step >= c.from_step AND p.byte_offset < c.before_offset);

CREATE OR REPLACE VIEW replaced AS
    SELECT DISTINCT source_id, generation FROM cut_log WHERE from_step = -9223372036854775808;

CREATE OR REPLACE VIEW point AS
    SELECT s.run_id, s.key, p.step, p.wall_time, p.value, p.source_id, p.generation, p.byte_offset
    FROM visible_point p JOIN (SELECT series_id, run_id, key FROM series) s USING (series_id);

CREATE OR REPLACE VIEW histogram AS
    SELECT s.run_id, s.key, h.step, h.wall_time, h.edges, h.counts, h.source_id, h.generation, h.byte_offset
    FROM histogram_log h
        JOIN (
            SELECT s.* FROM (SELECT series_id, count(*) AS n FROM histogram_log GROUP BY series_id) h
                JOIN (SELECT DISTINCT * FROM series_log) s USING (series_id)
            QUALIFY {place} = 1) s ON s.series_id = h.series_id
    WHERE NOT EXISTS (
        SELECT 1 FROM cut_log t WHERE t.source_id = h.source_id AND t.generation = h.generation
        AND h.step >= t.from_step AND h.byte_offset < t.before_offset);

CREATE OR REPLACE VIEW console AS
    SELECT c.* FROM console_log c
        ANTI JOIN replaced g ON g.source_id = c.source_id AND g.generation = c.generation;

CREATE OR REPLACE VIEW fact AS
{facts};

CREATE OR REPLACE VIEW reject AS
    SELECT s.path, r.* FROM reject_log r JOIN source s ON s.source_id = r.source_id
        ANTI JOIN replaced g ON g.source_id = r.source_id AND g.generation = r.generation;

CREATE OR REPLACE VIEW monitor AS
    SELECT * FROM monitor_log
    QUALIFY row_number() OVER (PARTITION BY monitor ORDER BY commit_id DESC) = 1;

CREATE OR REPLACE VIEW "window" AS
    -- A window is known by its slot: its number in time or in rows, or its file. One without rows in the log is gone.
    WITH latest AS (
        SELECT w.* FROM window_log w SEMI JOIN monitor m ON m.monitor = w.monitor AND m.spec = w.spec
        QUALIFY row_number() OVER (PARTITION BY w.monitor, w.segment, w.slot ORDER BY w.commit_id DESC) = 1)
    SELECT * FROM latest WHERE rows IS NOT NULL;

CREATE OR REPLACE VIEW export AS
    SELECT * FROM export_log
    QUALIFY row_number() OVER (PARTITION BY monitor, spec, kind, path ORDER BY commit_id DESC) = 1;

CREATE OR REPLACE VIEW part AS
    SELECT * FROM part_log
    QUALIFY row_number() OVER (
        PARTITION BY monitor, spec, kind, source, generation, from_position ORDER BY commit_id DESC) = 1;

CREATE OR REPLACE VIEW window_metric AS
    SELECT v.* FROM window_metric_log v JOIN "window" w
        ON (w.monitor, w.spec, w.segment, w.window_start, w.commit_id)
         = (v.monitor, v.spec, v.segment, v.window_start, v.commit_id);

CREATE OR REPLACE VIEW window_column AS
    SELECT v.* FROM window_column_log v JOIN "window" w
        ON (w.monitor, w.spec, w.segment, w.window_start, w.commit_id)
         = (v.monitor, v.spec, v.segment, v.window_start, v.commit_id);

CREATE OR REPLACE VIEW run_judgement AS
    SELECT * FROM run_judgement_log
    QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY judgement DESC) = 1;

CREATE OR REPLACE VIEW finding AS
    WITH judged AS (
        SELECT * FROM judgement_log
        QUALIFY row_number() OVER (PARTITION BY monitor ORDER BY commit_id DESC, engine DESC) = 1)
    SELECT f.* FROM finding_log f JOIN judged j
        ON (j.monitor, j.spec, j.commit_id, j.engine) = (f.monitor, f.spec, f.commit_id, f.engine)
        JOIN monitor m ON (m.monitor, m.spec) = (f.monitor, f.spec)
    UNION ALL BY NAME
    SELECT j.commit_id, '' AS monitor, '' AS spec, '' AS segment, r.run_id AS run, r.* EXCLUDE (judgement, run_id)
    FROM run_finding_log r JOIN run_judgement j USING (run_id, judgement);

CREATE OR REPLACE VIEW profile AS
    SELECT v.* FROM profile_log v JOIN "window" w
        ON (w.monitor, w.spec, w.segment, w.window_start, w.commit_id)
         = (v.monitor, v.spec, v.segment, v.window_start, v.commit_id);
"""
for _name, _sql in (("{series}", SERIES), ("{facts}", FACTS), ("{ranked}", RANKED), ("{place}", _PLACE)):
    VIEWS = VIEWS.replace(_name, _sql.replace("{where}", ""))
