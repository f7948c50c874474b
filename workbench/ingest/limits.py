"""Every limit of reading in one place, each a guard against a hostile or broken file."""

CHUNK = 8 * 1024 * 1024
"""Bytes read at a time."""
LINE = 16 * 1024 * 1024
"""Longest line; longer ones are refused without being kept in memory."""
RECORD = 64 * 1024 * 1024
"""Longest record of a binary log."""
WHOLE = 1024 * 1024
"""Largest file that is read as a whole (parameters)."""
DOCUMENT = 32 * 1024 * 1024
"""Largest log that is read as a whole."""
HEAD = 64 * 1024
"""Bytes that detection may look at."""
EXCERPT = 4096
"""Bytes kept of a refused line."""
DEPTH = 24
"""Folders below the project."""
FILES = 200_000
"""Files looked at below one project."""
SETTLED = 10.0
"""Seconds without a change after which a last line that lacks nothing but its end counts as complete."""
ABANDONED = 3600.0
"""Seconds without a change after which a last line without its end is taken as it is: nobody writes there any more."""
SKIPPED = 500
"""Files shown in Sources although no reader understood them."""
BATCH_POINTS = 491_520
"""Points gathered before they are committed: four whole row groups, whose checkpoint rewrites no half-filled one."""
BATCH_SECONDS = 1.5
"""Longest time points of a long pass wait for company; a pass that has read all commits at once."""
