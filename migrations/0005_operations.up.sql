-- What operators set while the platform runs.
--
-- draining outlives workers: a node that is being emptied stays so whichever worker owns it, and although the node or its
-- entry is added again. max_calls_per_second is always current, as max_calls is.
ALTER TABLE media_nodes ADD COLUMN draining boolean NOT NULL DEFAULT false;
ALTER TABLE tenants ADD COLUMN max_calls_per_second integer NOT NULL DEFAULT 0
    CONSTRAINT tenants_max_calls_per_second_check CHECK (max_calls_per_second >= 0); -- 0: no limit
