package fstest

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"
)

// The bounds of the stand-in. Each is named so that running into it is a
// defined outcome.
const (
	defaultMaxChannels  = 1000             // beyond: 503 with Retry-After, as FreeSWITCH's max-sessions
	maxQueuedMessages   = 256              // sendmsgs of one session (SWITCH_EVENT_QUEUE_LEN); beyond: -ERR memory error
	maxNesting          = 15               // applications inside applications (SWITCH_MAX_STACKS)
	maxEventSocketConns = 64               // beyond: the connection is closed unread
	maxQueuedFrames     = 20_000           // frames waiting for one listener; beyond: events dropped
	maxCommandLine      = 64 << 10         // bytes of one event-socket line
	maxCommandHeaders   = 256              // lines of one command
	maxCommandBody      = 1 << 20          // bytes of a sendevent body
	maxJobs             = 1000             // bgapi jobs at once; beyond: -ERR memory error
	maxReplyText        = 511              // FreeSWITCH cuts a reply at 512 bytes
	maxDatagram         = 65535            // bytes of one SIP message
	maxSDP              = 16 << 10         // bytes of a session description; beyond: 413
	maxTransactions     = 20_000           // SIP transactions at once; beyond: new requests are dropped
	maxVariables        = 512              // variables of one channel; beyond: not set
	maxVariableBytes    = 32 << 10         // bytes of one variable
	maxQueuedDigits     = 100              // digits waiting to be read on one channel; beyond: dropped
	maxBridgeTargets    = 128              // targets of one bridge (MAX_PEERS)
	maxHashEntries      = 10_000           // mod_hash entries
	writeTimeout        = 10 * time.Second // to a listener that does not read
	defaultHeartbeat    = 20 * time.Second
	defaultFileLength   = time.Second
	defaultDialTimeout  = 60 * time.Second // SWITCH_DEFAULT_TIMEOUT
)

// shippedPassword is the one that FreeSWITCH's own examples use.
const shippedPassword = "Clue" + "Con"

// Options say where the stand-in listens and how it behaves. The zero value
// lacks only the password.
type Options struct {
	// SIPAddress is the UDP address of the SIP profile; empty: a free port on 127.0.0.1.
	SIPAddress string
	// EventSocketAddress is the TCP address of the event socket; empty: a free port on 127.0.0.1.
	EventSocketAddress string
	// Password of the event socket. Required.
	Password string
	// Name is FreeSWITCH-Switchname on every event; empty: "stand-in".
	Name string
	// AllowedSIPSources are the addresses that SIP is accepted from; port 0
	// means any port. Empty: everybody. Others get 403.
	AllowedSIPSources []netip.AddrPort
	// Profiles are the sofia profiles that a dial string may name; empty: "internal".
	Profiles []string
	// RTPPortMin and RTPPortMax bound the UDP ports on which telephone-events
	// are read, one per leg; 0: any free port.
	RTPPortMin, RTPPortMax uint16
	// Heartbeat is the time between HEARTBEAT events; 0: 20 s.
	Heartbeat time.Duration
	// FileLengths are the lengths of sound files by path.Match pattern of the
	// whole name or of its last element.
	FileLengths map[string]time.Duration
	// DefaultFileLength is the length of every other file, but for WAV files that are there: those have their own; 0: 1 s.
	DefaultFileLength time.Duration
	// MissingFiles are path.Match patterns of names that do not exist;
	// nil: "/no/such*" and "/nonexistent/*".
	MissingFiles []string
	// GlobalVariables are set at start, as a configuration would.
	GlobalVariables map[string]string
	// StrictDTMF is liberal-dtmf=false in a profile: once RFC 4733 is agreed,
	// digits in SIP INFO are answered with 200 and ignored, unless the channel
	// has rtp_liberal_dtmf=true. Without it a phone that sends both ways is
	// heard twice, as by the engine.
	StrictDTMF bool
	// MaxChannels bounds the channels at once; 0: 1000.
	MaxChannels int
	// Logger hears what goes wrong; nil: nobody.
	Logger *slog.Logger
}

var errPassword = errors.New("fstest: a password is required, and not the one that FreeSWITCH ships with")

// complete returns the options with every default filled in.
func (o Options) complete() (Options, error) {
	if o.Password == "" || o.Password == shippedPassword {
		return o, errPassword
	}
	if o.RTPPortMax < o.RTPPortMin {
		return o, fmt.Errorf("fstest: RTP ports %d-%d", o.RTPPortMin, o.RTPPortMax)
	}
	if o.SIPAddress == "" {
		o.SIPAddress = "127.0.0.1:0"
	}
	if o.EventSocketAddress == "" {
		o.EventSocketAddress = "127.0.0.1:0"
	}
	if o.Name == "" {
		o.Name = "stand-in"
	}
	if len(o.Profiles) == 0 {
		o.Profiles = []string{"internal"}
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = defaultHeartbeat
	}
	if o.DefaultFileLength <= 0 {
		o.DefaultFileLength = defaultFileLength
	}
	if o.MissingFiles == nil {
		o.MissingFiles = []string{"/no/such*", "/nonexistent/*", "/nonexistent/*/*"}
	}
	if o.MaxChannels <= 0 {
		o.MaxChannels = defaultMaxChannels
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
