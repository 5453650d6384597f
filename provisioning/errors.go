package provisioning

import (
	"cmp"
	"errors"
	"net/http"

	"tandem/callflows"
	"tandem/postgres"
)

// Code says what kind of refusal an Error is.
type Code string

const (
	Invalid  Code = "invalid"   // a value that can never be right
	NotFound Code = "not_found" // it names something that is not there
	Conflict Code = "conflict"  // right by itself, but something else stands against it
	Stale    Code = "stale"     // it was made of what has changed since
)

// HTTPStatus is the one place where a code becomes an HTTP status (RFC 9110 15.5).
func (c Code) HTTPStatus() int {
	switch c {
	case Invalid:
		return http.StatusUnprocessableEntity
	case NotFound:
		return http.StatusNotFound
	case Conflict:
		return http.StatusConflict
	case Stale:
		return http.StatusPreconditionFailed
	}
	return http.StatusInternalServerError
}

// Error is a refusal in words fit for whoever asked.
type Error struct {
	Code   Code
	Field  string // JSON member or path at fault, such as extension or flows/main/elements/menu
	Detail string
	// Faults are all that is wrong when it is a flow that is refused, warnings included; paths are within the flow, or within the
	// document when flows are published.
	Faults []callflows.FlowFault
}

func (e *Error) Error() string { return e.Field + ": " + e.Detail }

func invalid(field, detail string) error { return &Error{Code: Invalid, Field: field, Detail: detail} }
func conflict(field, detail string) error {
	return &Error{Code: Conflict, Field: field, Detail: detail}
}
func missing(field, detail string) error { return &Error{Code: NotFound, Field: field, Detail: detail} }

// refusals are the words for the constraints that a use case can run into although its values are valid.
func refusals(constraint string) error {
	switch constraint {
	case "tenants_pkey", "users_pkey", "devices_pkey", "webhooks_pkey", "people_pkey", "api_keys_pkey":
		return conflict("id", "is taken")
	case "media_place_key":
		return conflict("name", "is taken, in this language")
	case "media_box_fkey":
		return missing("box", "there is no such user in this tenant")
	case "phones_mac_key":
		return conflict("mac", "belongs to another device")
	case "brands_domain_key":
		return conflict("domain", "belongs to another brand")
	case "tenants_domain_key":
		return conflict("domain", "belongs to another tenant")
	case "people_email_key":
		return conflict("email", "belongs to somebody already")
	case "people_user_fkey":
		return missing("user", "there is no such user in this tenant")
	case "tenants_parent_id_fkey", "tenants_parent_is_reseller":
		return conflict("parent", "is no reseller")
	case "tenants_no_circle":
		return conflict("parent", "is below this tenant itself")
	case "numbers_pkey":
		return conflict("number", "belongs to a tenant already")
	case "numbers_by_inventory":
		return conflict("number", "comes and goes by the steps of the inventory alone")
	case "users_extension_key":
		return conflict("extension", "belongs to another user of this tenant")
	case "users_number_fkey":
		return conflict("number", "does not belong to this tenant")
	case "devices_username_key":
		return conflict("username", "belongs to another device of this tenant")
	case "devices_user_id_fkey":
		return missing("user_id", "there is no such user in this tenant")
	case "hot_desks_device_id_fkey", "phones_device_id_fkey":
		return missing("device", "there is no such device in this tenant")
	case "routes_flow_id_fkey":
		return missing("flow_id", "there is no such flow in this tenant")
	case "routes_user_id_fkey":
		return missing("flow_id", "there is no such user in this tenant")
	case "routes_number_fkey":
		return conflict("dialled", "the number does not belong to this tenant")
	case "tenants_main_number_fkey":
		return conflict("main_number", "does not belong to this tenant")
	case "trunks_tenant_id_fkey":
		return missing("tenant", "there is no such tenant")
	case "trunks_device_id_fkey", "whereabouts_device_id_fkey":
		return missing("device", "there is no such device in this tenant")
	case "trunks_pkey":
		return conflict("trunks", "the id of a trunk is taken")
	case "trunks_device_id_key":
		return conflict("device", "another trunk registers as this device")
	case "whereabouts_number_fkey":
		return conflict("number", "does not belong to this tenant")
	case "trunk_logins_trunk_id_fkey":
		return missing("trunk", "there is no such trunk")
	case "trunk_addresses_pkey":
		return conflict("addresses", "an address belongs to another trunk")
	case "media_nodes_sip_uri_key":
		return conflict("sip_uri", "belongs to another node")
	case "media_nodes_event_socket_key":
		return conflict("event_socket", "belongs to another node")
	}
	return nil
}

// explained turns what the database refused into an Error; everything else stays as it is.
func explained(err error) error {
	var already *Error
	if err == nil || errors.As(err, &already) {
		return err
	}
	if refused := refusals(postgres.Violated(err)); refused != nil {
		return refused
	}
	if postgres.IsForeign(err) {
		return conflict("id", "is taken")
	}
	if postgres.IsRefused(err) {
		// The checks here are meant to be no weaker than the schema's; this is the net below them.
		return invalid(cmp.Or(postgres.Violated(err), "request"), "is refused by the database")
	}
	return err
}
