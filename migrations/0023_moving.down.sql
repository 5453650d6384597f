ALTER TABLE cdrs DROP COLUMN segments;
ALTER TABLE media_nodes DROP COLUMN moving;
