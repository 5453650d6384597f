package fstest

import (
	"strconv"
	"strings"
)

// Hangup causes that the stand-in itself decides on. The numbers up to 127 are
// Q.850's, the others FreeSWITCH's own (switch_types.h, switch_call_cause_t).
const (
	causeNone                  = 0
	causeUnallocatedNumber     = 1
	causeNoRouteDestination    = 3
	causeNormalClearing        = 16
	causeUserBusy              = 17
	causeNoUserResponse        = 18
	causeNoAnswer              = 19
	causeSubscriberAbsent      = 20
	causeCallRejected          = 21
	causeNumberChanged         = 22
	causeExchangeRoutingError  = 25
	causeDestinationOutOfOrder = 27
	causeInvalidNumberFormat   = 28
	causeNormalUnspecified     = 31
	causeNetworkOutOfOrder     = 38
	causeTemporaryFailure      = 41
	causeServiceUnavailable    = 63
	causeChanNotImplemented    = 66
	causeServiceNotImplemented = 79
	causeIncompatible          = 88
	causeMandatoryIEMissing    = 96
	causeRecoveryOnTimer       = 102
	causeInterworking          = 127
	causeSuccess               = 142
	causeOriginatorCancel      = 487
	causeSystemShutdown        = 701
	causeLoseRace              = 702
	causeManagerRequest        = 703
	causeAttendedTransfer      = 801
	causeAllottedTimeout       = 802
	causeProgressTimeout       = 807
	causePickedOff             = 805
	causeUserNotRegistered     = 806
	causeInvalidProfile        = 811
	causeUnwanted              = 819
	causeFirstOwn              = 128 // from here on FreeSWITCH's own, not Q.850's
)

// causeNames is switch_channel.c, CAUSE_CHART.
var causeNames = map[int]string{
	0: "NONE", 1: "UNALLOCATED_NUMBER", 2: "NO_ROUTE_TRANSIT_NET", 3: "NO_ROUTE_DESTINATION",
	6: "CHANNEL_UNACCEPTABLE", 7: "CALL_AWARDED_DELIVERED", 16: "NORMAL_CLEARING", 17: "USER_BUSY",
	18: "NO_USER_RESPONSE", 19: "NO_ANSWER", 20: "SUBSCRIBER_ABSENT", 21: "CALL_REJECTED",
	22: "NUMBER_CHANGED", 23: "REDIRECTION_TO_NEW_DESTINATION", 25: "EXCHANGE_ROUTING_ERROR",
	27: "DESTINATION_OUT_OF_ORDER", 28: "INVALID_NUMBER_FORMAT", 29: "FACILITY_REJECTED",
	30: "RESPONSE_TO_STATUS_ENQUIRY", 31: "NORMAL_UNSPECIFIED", 34: "NORMAL_CIRCUIT_CONGESTION",
	38: "NETWORK_OUT_OF_ORDER", 41: "NORMAL_TEMPORARY_FAILURE", 42: "SWITCH_CONGESTION",
	43: "ACCESS_INFO_DISCARDED", 44: "REQUESTED_CHAN_UNAVAIL", 45: "PRE_EMPTED",
	50: "FACILITY_NOT_SUBSCRIBED", 52: "OUTGOING_CALL_BARRED", 54: "INCOMING_CALL_BARRED",
	57: "BEARERCAPABILITY_NOTAUTH", 58: "BEARERCAPABILITY_NOTAVAIL", 63: "SERVICE_UNAVAILABLE",
	65: "BEARERCAPABILITY_NOTIMPL", 66: "CHAN_NOT_IMPLEMENTED", 69: "FACILITY_NOT_IMPLEMENTED",
	79: "SERVICE_NOT_IMPLEMENTED", 81: "INVALID_CALL_REFERENCE", 88: "INCOMPATIBLE_DESTINATION",
	95: "INVALID_MSG_UNSPECIFIED", 96: "MANDATORY_IE_MISSING", 97: "MESSAGE_TYPE_NONEXIST",
	98: "WRONG_MESSAGE", 99: "IE_NONEXIST", 100: "INVALID_IE_CONTENTS", 101: "WRONG_CALL_STATE",
	102: "RECOVERY_ON_TIMER_EXPIRE", 103: "MANDATORY_IE_LENGTH_ERROR", 111: "PROTOCOL_ERROR",
	127: "INTERWORKING", 142: "SUCCESS", 487: "ORIGINATOR_CANCEL", 700: "CRASH",
	701: "SYSTEM_SHUTDOWN", 702: "LOSE_RACE", 703: "MANAGER_REQUEST", 800: "BLIND_TRANSFER",
	801: "ATTENDED_TRANSFER", 802: "ALLOTTED_TIMEOUT", 803: "USER_CHALLENGE", 804: "MEDIA_TIMEOUT",
	805: "PICKED_OFF", 806: "USER_NOT_REGISTERED", 807: "PROGRESS_TIMEOUT", 808: "INVALID_GATEWAY",
	809: "GATEWAY_DOWN", 810: "INVALID_URL", 811: "INVALID_PROFILE", 812: "NO_PICKUP",
	813: "SRTP_READ_ERROR", 814: "BOWOUT", 815: "BUSY_EVERYWHERE", 816: "DECLINE",
	817: "DOES_NOT_EXIST_ANYWHERE", 818: "NOT_ACCEPTABLE", 819: "UNWANTED", 820: "NO_IDENTITY",
	821: "BAD_IDENTITY_INFO", 822: "UNSUPPORTED_CERTIFICATE", 823: "INVALID_IDENTITY",
	824: "STALE_DATE", 825: "REJECT_ALL",
}

// causeName is switch_channel_cause2str: "UNKNOWN" for a number without a name.
func causeName(cause int) string {
	if name, ok := causeNames[cause]; ok {
		return name
	}
	return "UNKNOWN"
}

// causeByName is switch_channel_str2cause: a name in any case, or a number.
// Text that is neither means NORMAL_CLEARING, as in FreeSWITCH.
func causeByName(text string) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	for cause, name := range causeNames {
		if strings.EqualFold(name, text) {
			return cause
		}
	}
	return causeNormalClearing
}

// causeQ850 is what hangup_cause_q850 shows: FreeSWITCH's own causes become 16.
func causeQ850(cause int) int {
	if cause >= causeFirstOwn {
		return causeNormalClearing
	}
	return cause
}

// sipCode is mod_sofia.c, hangup_cause_to_sip.
func sipCode(cause int) int {
	switch cause {
	case 1, 2, 3:
		return 404
	case causeUserBusy:
		return 486
	case causeNoUserResponse:
		return 408
	case causeNoAnswer, causeSubscriberAbsent:
		return 480
	case causeCallRejected:
		return 603
	case causeNumberChanged, 23:
		return 410
	case causeDestinationOutOfOrder, causeInvalidProfile:
		return 502
	case causeInvalidNumberFormat, 810, 808:
		return 484
	case 29:
		return 501
	case causeNormalUnspecified:
		return 480
	case 44, 34, causeNetworkOutOfOrder, causeTemporaryFailure, 42, 809:
		return 503
	case 52, 54, 57:
		return 403
	case 58:
		return 503
	case 65, causeIncompatible:
		return 488
	case 69, causeServiceNotImplemented:
		return 501
	case causeRecoveryOnTimer:
		return 504
	case causeOriginatorCancel:
		return 487
	case causeExchangeRoutingError:
		return 483
	case 815:
		return 600
	case 816, 825:
		return 603
	case 817:
		return 604
	case 818:
		return 606
	case causeUnwanted:
		return 607
	case 820:
		return 428
	case 821:
		return 429
	case 822:
		return 437
	case 823:
		return 438
	case 824:
		return 403
	default:
		return 480
	}
}

// causeFromSIP is sofia_glue.c, sofia_glue_sip_cause_to_freeswitch.
func causeFromSIP(status int) int {
	switch status {
	case 200:
		return causeNormalClearing
	case 401, 402, 403, 407, 603, 608:
		return causeCallRejected
	case 607:
		return causeUnwanted
	case 404:
		return causeUnallocatedNumber
	case 485, 604:
		return causeNoRouteDestination
	case 408, 504:
		return causeRecoveryOnTimer
	case 410:
		return causeNumberChanged
	case 413, 414, 416, 420, 421, 423, 505, 513:
		return causeInterworking
	case 480:
		return causeNoUserResponse
	case 400, 481, 500, 503:
		return causeTemporaryFailure
	case 486, 600:
		return causeUserBusy
	case 484:
		return causeInvalidNumberFormat
	case 488, 606:
		return causeIncompatible
	case 502:
		return causeNetworkOutOfOrder
	case 405:
		return causeServiceUnavailable
	case 406, 415, 501:
		return causeServiceNotImplemented
	case 482, 483:
		return causeExchangeRoutingError
	case 487:
		return causeOriginatorCancel
	case 428:
		return 820
	case 429:
		return 821
	case 437:
		return 822
	case 438:
		return 823
	default:
		return causeNormalUnspecified
	}
}

// dialStatus is switch_ivr_originate.c, the switch over *cause before its end.
func dialStatus(cause int) string {
	switch cause {
	case causeOriginatorCancel:
		return "CANCEL"
	case causeUserBusy:
		return "BUSY"
	case causeNoAnswer:
		return "NOANSWER"
	case causeDestinationOutOfOrder, causeInvalidProfile:
		return "INVALIDARGS"
	case causeCallRejected:
		return "DONTCALL"
	default:
		return causeName(cause)
	}
}

// sipPhrases are the reason phrases of the codes that sipCode and respond use.
var sipPhrases = map[int]string{
	100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
	200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
	405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required",
	408: "Request Timeout", 410: "Gone", 413: "Request Entity Too Large", 415: "Unsupported Media Type",
	420: "Bad Extension", 428: "Use Identity Header", 429: "Provide Referrer Identity",
	437: "Unsupported Certificate", 438: "Invalid Identity Header", 480: "Temporarily Unavailable",
	481: "Call Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops", 484: "Address Incomplete",
	486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending",
	500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
	504: "Gateway Time-out", 600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere",
	606: "Not Acceptable", 607: "Unwanted",
}

// sipPhrase is the reason phrase of a status code.
func sipPhrase(status int) string {
	if phrase, ok := sipPhrases[status]; ok {
		return phrase
	}
	return "Because"
}
