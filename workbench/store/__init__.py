"""The only SQL: one DuckDB file per project, shared by any number of processes through short leases."""
