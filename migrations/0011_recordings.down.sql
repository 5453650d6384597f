ALTER TABLE tenants DROP music_on_hold;
DROP TABLE voicemail_boxes;
DROP TABLE recordings;
