-- A route by prefix serves all that begins with what is dialled, such as a feature code with a number after it. Numbers
-- outside have none.
ALTER TABLE routes
    ADD prefix boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT routes_prefix_check CHECK (NOT prefix OR dialled ~ '^[0-9*#]{1,20}$');
