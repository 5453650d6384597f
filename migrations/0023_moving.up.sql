-- Calls that move between media nodes.
--
-- moving says that a drained node's calls are to go to other nodes; like draining it outlives workers. segments of a CDR are the nodes
-- that a leg was on, as cdr.v1 has them; null: one.
ALTER TABLE media_nodes ADD COLUMN moving boolean NOT NULL DEFAULT false;
ALTER TABLE cdrs ADD COLUMN segments jsonb;
