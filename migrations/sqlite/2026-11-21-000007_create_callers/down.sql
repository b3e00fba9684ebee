DROP TABLE callers;
