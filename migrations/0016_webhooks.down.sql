DELETE FROM audit WHERE object = 'webhooks'; -- an undo would look for the table
DROP TABLE delivery_attempts, deliveries, webhook_health, webhooks, events, outbox;
DROP FUNCTION tell_outbox(), tell_events();
ALTER TABLE calls DROP answered_at, DROP sip_code, DROP cause, DROP q850, DROP fault, DROP on_node, DROP over, DROP told;
