DROP TABLE setting_changes, hot_desks, speed_dials, user_forwards, user_settings;
ALTER TABLE routes DROP prefix;
