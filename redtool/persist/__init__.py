"""Files of a store in Redis's formats: RDB snapshots and the multi-part AOF, read and written."""
