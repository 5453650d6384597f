DROP TABLE cdrs, journal, calls;
