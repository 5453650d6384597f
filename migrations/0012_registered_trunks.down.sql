DROP TRIGGER note_credential ON devices;
DROP FUNCTION note_credential();
DROP TABLE credential_changes, whereabouts, edges;
DROP VIEW edge.trunk_registrations;
ALTER TABLE tenants DROP shown_numbers, DROP withheld;
ALTER TABLE trunks DROP device_id, DROP registrar, DROP register_seconds;
