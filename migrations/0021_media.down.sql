DROP TABLE media;
DROP TABLE media_dropped;
DROP FUNCTION note_dropped_media();
