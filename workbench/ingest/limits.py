"""Every limit of reading in one place, each a guard against a hostile or broken file."""

CHUNK = 8 * 1024 * 1024
"""Bytes read at a time."""
LINE = 16 * 1024 * 1024
"""Longest line; longer ones are refused without being kept in memory."""
RECORD = 64 * 1024 * 1024
"""Longest record of a binary log."""
WHOLE = 64 * 1024 * 1024
"""Largest file that is read as a whole."""
PARAMETERS = 1024 * 1024
"""Largest file of parameters beside a log."""
INFLATED = 20 * 1024**3
"""Bytes that a compressed file may hold."""
RATIO, RATIO_FROM = 1_000, 64 * 1024 * 1024
"""Bytes that a compressed byte may stand for, judged beyond so many."""
WINDOW_LOG = 27
"""Power of two of the memory that a zstd frame may ask for: 128 MiB."""
LEAST_FREE = 256 * 1024 * 1024
"""Bytes that must stay free on the store's disk; below, reading pauses and loses nothing."""
HEAD = 64 * 1024
"""Bytes that detection may look at."""
EXCERPT = 4096
"""Bytes kept of a refused line."""
DEPTH = 24
"""Folders below the project."""
FILES = 200_000
"""Files looked at below one project."""
HOT = 600.0
"""Seconds after its last write during which a source is looked at on every tick."""
SETTLED = 10.0
"""Seconds without a change after which a last line that lacks nothing but its end counts as complete."""
ABANDONED = 3600.0
"""Seconds without a change after which a last line without its end is taken as it is: nobody writes there any more."""
SKIPPED = 500
"""Files shown in Sources although no reader understood them."""
LOOK_AGAIN = 10.0
"""Seconds after which a file that nobody understood, and that grew, is looked at again."""
BATCH_POINTS = 491_520
"""Points gathered before they are committed: four whole row groups, whose checkpoint rewrites no half-filled one."""
SLICE = 0.25
"""Seconds of a backlog that are read before live files get their turn again."""
BATCH_SECONDS = 0.75
"""Longest time points of a long pass wait for company; a pass that has read all commits at once."""
FIRST_SECONDS, FIRST_POINTS = 0.1, 65_536
"""The same for the first ones of a process, where they are few: somebody waits for the first rows of a table."""
