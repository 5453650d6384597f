// Package fstest is a stand-in for FreeSWITCH: it speaks the real event-socket
// protocol on TCP and the real SIP on UDP, as far as signalling goes, so that
// the whole way of a call can run where no FreeSWITCH is installed.
//
// It carries NO AUDIO. A playback lasts as long as the real one would and says
// so in the same events, but not one sample is sent; the only RTP that it reads
// is RFC 4733 telephone-events. It is never to be presented as a media engine,
// and a figure counts only once it was seen on the real engine too.
//
// # What it guarantees
//
//   - Events carry the names, order and headers of a real FreeSWITCH 1.11 with
//     "every call parks" as its dialplan; package conformance checks the same
//     claims on both.
//   - Every event has a place in one order: all state changes under one lock,
//     and every listener sees that order.
//   - SIP messages of one peer are handled in the order of their arrival.
//   - Everything is bounded, by the constants in options.go. A full queue
//     answers as the engine does (sendmsg: "-ERR memory error"; events of a
//     listener that does not read are dropped).
//
// # What it refuses
//
//   - SIP from addresses other than Options.AllowedSIPSources: 403.
//   - SIP over anything but UDP, media other than one audio stream in PCMU or
//     PCMA (488), reliable provisionals (420), registrations (405).
//   - The password that FreeSWITCH ships with, and an empty one.
//
// # The life of a channel
//
//	INVITE in          bridge / originate
//	   |                     |
//	CS_INIT               CS_INIT          CHANNEL_CREATE
//	   |                     |
//	CS_ROUTING            CS_ROUTING
//	   |                     |
//	CS_EXECUTE <-----+    CS_CONSUME_MEDIA   ringing, answered
//	 park, PARK      |       |
//	 sendmsg...      |    CS_EXCHANGE_MEDIA  bridged (A stays in CS_EXECUTE)
//	   |      uuid_transfer  |
//	   |             |       |
//	   +---- uuid_bridge: CS_HIBERNATE, CS_RESET, CS_SOFT_EXECUTE
//	   |                     |
//	CS_HANGUP ---------------+             CHANNEL_HANGUP
//	CS_REPORTING                           CHANNEL_HANGUP_COMPLETE
//	CS_DESTROY                             CHANNEL_DESTROY
//
// # One lock
//
// Server.mu guards everything behind the sockets. A channel has a goroutine
// that runs its applications in plain blocking style and gives the lock away
// only in channel.pause. Functions and methods without a capital letter expect
// the lock to be held unless their comment says otherwise.
package fstest
