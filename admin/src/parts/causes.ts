// What SIP codes and causes mean, in plain words. Both come from phones and carriers too, so any text may be there.
const codes: Record<number, string> = {
  400: 'not understood', 401: 'password asked', 403: 'forbidden', 404: 'no such number', 405: 'not allowed', 407: 'password asked', 408: 'no sign of life', 410: 'number gone',
  415: 'no common codec', 420: 'extension not known', 480: 'not to be reached now', 481: 'call not known', 482: 'goes round in a circle', 483: 'passed on too often', 484: 'number not whole',
  486: 'busy', 487: 'given up by the caller', 488: 'no common codec', 491: 'two requests crossed', 500: 'fault in a server', 501: 'not known there', 502: 'bad answer of a server further on', 503: 'server not available',
  504: 'no answer of a server further on', 600: 'busy everywhere', 603: 'declined', 604: 'exists nowhere', 606: 'not acceptable', 607: 'unwanted', 608: 'refused as unwanted',
};

export function codeWords(code: number | undefined): string {
  return code ? (codes[code] ?? '') : '';
}

const causes: Record<string, string> = {
  NORMAL_CLEARING: 'hung up', ORIGINATOR_CANCEL: 'caller gave up', USER_BUSY: 'busy', NO_ANSWER: 'nobody answered', NO_USER_RESPONSE: 'no answer at all', CALL_REJECTED: 'declined',
  UNALLOCATED_NUMBER: 'no such number', USER_NOT_REGISTERED: 'phone not registered', LOSE_RACE: 'somebody else answered', DESTINATION_OUT_OF_ORDER: 'cannot be reached', NETWORK_OUT_OF_ORDER: 'network out of order',
  NORMAL_TEMPORARY_FAILURE: 'fails for the moment', RECOVERY_ON_TIMER_EXPIRE: 'no sign of life', INCOMPATIBLE_DESTINATION: 'no common codec', BEARERCAPABILITY_NOTAVAIL: 'no common codec', EXCHANGE_ROUTING_ERROR: 'leads nowhere',
  INVALID_NUMBER_FORMAT: 'no valid number', NORMAL_UNSPECIFIED: 'ended', NORMAL_CIRCUIT_CONGESTION: 'no free line', SWITCH_CONGESTION: 'overloaded', SUBSCRIBER_ABSENT: 'not there', PICKED_OFF: 'picked up elsewhere', ATTENDED_TRANSFER: 'passed on',
  BLIND_TRANSFER: 'passed on', MANAGER_REQUEST: 'ended by order', MEDIA_TIMEOUT: 'no sound came any more', PROTOCOL_ERROR: 'protocol error', FACILITY_REJECTED: 'not allowed', OUTGOING_CALL_BARRED: 'not allowed', GATEWAY_DOWN: 'carrier is down',
  ALLOTTED_TIMEOUT: 'time limit reached', SYSTEM_SHUTDOWN: 'platform was stopped', CRASH: 'platform fault', USER_CHALLENGE: 'password refused',
};

export function causeWords(cause: string): string {
  // "__proto__" is a text like any other.
  return (Object.hasOwn(causes, cause) ? causes[cause] : undefined) ?? cause.toLowerCase().replaceAll('_', ' ');
}
