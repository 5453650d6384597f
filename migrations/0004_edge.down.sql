-- The role stays: other databases of the same server may grant to it.
DROP VIEW edge.credentials;
DROP SCHEMA edge;
