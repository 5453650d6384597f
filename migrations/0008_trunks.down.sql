DROP VIEW edge.trunk_logins;
DROP TABLE trunk_logins, outbound_routes;

ALTER TABLE trunks
    DROP tenant_id, DROP disabled, DROP may_call_out, DROP incoming_form, DROP incoming_country, DROP incoming_strip, DROP incoming_add,
    DROP destinations, DROP number_form, DROP number_country, DROP number_strip, DROP number_add, DROP caller_show, DROP caller_number,
    DROP caller_carried, DROP max_calls, DROP calls_per_second, DROP failover, DROP progress_seconds, DROP from_domain;

ALTER TABLE tenants
    DROP CONSTRAINT tenants_main_number_fkey, DROP main_number, DROP country, DROP international_prefix, DROP national_prefix,
    DROP area_code, DROP may_call_out, DROP blocked_prefixes, DROP max_outgoing, DROP outgoing_per_second;
