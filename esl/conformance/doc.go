// Package conformance is one list of claims about a media engine, run by its
// test against the stand-in (esl/fstest) always, and against a real FreeSWITCH
// when there is one: what Tandem relies on must hold on both.
//
//	phone (sipgo) --SIP--> engine <--event socket-- esl.Conn, a raw socket, eslgo
//
// The phones speak SIP through sipgo's own transaction layer, which the
// stand-in does not use, and the claims read the engine through package esl and,
// for a smoke claim, through percipia/eslgo: nothing here shares its view of
// the protocols with what it tests.
//
// Claims wait for events and messages, never for time to pass; a real engine is
// given more patience.
//
// The real engine comes from the environment:
//
//	TANDEM_FREESWITCH           a binary, started with the configuration of
//	                            freeswitch-conf; or the host:port of an event socket
//	TANDEM_FREESWITCH_PASSWORD  its password, if it is an address
//	TANDEM_FREESWITCH_SIP       the host:port of its SIP profile "internal", if it is an address
package conformance
