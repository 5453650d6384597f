ALTER TABLE routes DROP prefix;
