package callflows

import (
	"slices"
	"strings"

	"tandem/messages"
)

// causeOfBrokenFlow ends a call whose flow cannot go on, and one whose targets failed. It is 480 on the wire. No tenant's
// doing may end in a cause that FreeSWITCH makes 503 of: the edge would try the call on every other node, and a carrier
// would take its trunk out of service.
const causeOfBrokenFlow = "NORMAL_UNSPECIFIED"

// KnownCause says whether a flow may hang up with this cause. The names are FreeSWITCH's (switch_types.h), the numbers
// Q.850's. None of them is a 503 on the wire.
func KnownCause(name string) bool { return slices.Contains(offeredCauses(), any(name)) }

func offeredCauses() []any {
	return []any{"NORMAL_CLEARING", "USER_BUSY", "NO_ANSWER", "CALL_REJECTED", "UNALLOCATED_NUMBER", "USER_NOT_REGISTERED",
		"NORMAL_UNSPECIFIED", "EXCHANGE_ROUTING_ERROR", "NUMBER_CHANGED", "INVALID_NUMBER_FORMAT"}
}

// exitOfCause says which exit a ring element takes when nobody answered for this cause.
func exitOfCause(cause string) string {
	switch cause {
	case "USER_BUSY", "CALL_REJECTED":
		return "busy"
	case "NO_ANSWER", "ALLOTTED_TIMEOUT", "PROGRESS_TIMEOUT", "ORIGINATOR_CANCEL", "NO_USER_RESPONSE":
		return "no_answer"
	case "USER_NOT_REGISTERED", "SUBSCRIBER_ABSENT", "NO_ROUTE_DESTINATION", "UNALLOCATED_NUMBER":
		return "unavailable"
	}
	return "failed"
}

// faultOfCause says whose doing it is that a dialled leg ended without an answer.
func faultOfCause(cause string, trunk bool) messages.Fault {
	switch cause {
	case "NORMAL_CLEARING", "LOSE_RACE", "PICKED_OFF", "ATTENDED_TRANSFER":
		return messages.FaultNone
	case "ORIGINATOR_CANCEL":
		return messages.FaultCaller
	case "MANAGER_REQUEST", "SYSTEM_SHUTDOWN":
		return messages.FaultPlatform
	case "USER_BUSY", "CALL_REJECTED", "NO_ANSWER", "ALLOTTED_TIMEOUT", "UNALLOCATED_NUMBER":
		return messages.FaultCallee
	}
	if trunk {
		return messages.FaultCarrier
	}
	if cause == "EXCHANGE_ROUTING_ERROR" || cause == "DESTINATION_OUT_OF_ORDER" {
		return messages.FaultPlatform // the way to our own device
	}
	return messages.FaultCallee
}

// causeOfNode says whether a node gives this cause to a leg by itself. The end of a talk has any other: that of the called
// side, which a phone may choose with a Reason header (RFC 3326).
func causeOfNode(cause string) bool {
	switch cause {
	case "MANAGER_REQUEST", "SYSTEM_SHUTDOWN", "MEDIA_TIMEOUT", "DESTINATION_OUT_OF_ORDER", "RECOVERY_ON_TIMER_EXPIRE", "ALLOTTED_TIMEOUT",
		"CRASH", "EXCHANGE_ROUTING_ERROR":
		return true
	}
	return false
}

// SIPCodeOf is the status that an unanswered leg is refused with for a cause (mod_sofia.c, hangup_cause_to_sip).
func SIPCodeOf(cause string) int {
	switch cause {
	case "USER_BUSY":
		return 486
	case "CALL_REJECTED":
		return 603
	case "INCOMING_CALL_BARRED", "OUTGOING_CALL_BARRED":
		return 403
	case "UNALLOCATED_NUMBER", "NO_ROUTE_DESTINATION", "NO_ROUTE_TRANSIT_NET":
		return 404
	case "NO_ANSWER", "USER_NOT_REGISTERED", "NORMAL_CLEARING", "NORMAL_UNSPECIFIED", "SUBSCRIBER_ABSENT":
		return 480
	case "NO_USER_RESPONSE":
		return 408
	case "NUMBER_CHANGED", "REDIRECTION_TO_NEW_DESTINATION":
		return 410
	case "INVALID_NUMBER_FORMAT":
		return 484
	case "ORIGINATOR_CANCEL":
		return 487
	case "DESTINATION_OUT_OF_ORDER":
		return 502
	case "EXCHANGE_ROUTING_ERROR":
		return 483
	case "NORMAL_TEMPORARY_FAILURE", "SWITCH_CONGESTION", "NORMAL_CIRCUIT_CONGESTION", "NETWORK_OUT_OF_ORDER":
		return 503
	}
	return 480
}

// MaxCallerNumber is the longest caller's number that is passed on, in bytes.
const MaxCallerNumber = 64

// cleanNumber makes a caller's number or user name fit to be passed on, in the same way.
func cleanNumber(number string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("+*#._-", r) {
			return r
		}
		return -1
	}, number)
	return clean[:min(len(clean), MaxCallerNumber)]
}
