package fstest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Server is one stand-in: one "FreeSWITCH" with one SIP profile and one event
// socket. Start makes it; Close or Kill ends it.
type Server struct {
	options  Options
	coreUUID string
	hostname string
	started  time.Time

	applications map[string]application
	commands     map[string]apiCommand

	sip      *sipStack
	sipHost  string
	sipPort  int
	listener net.Listener

	done      chan struct{}  // closed when everything must stop
	destroyed chan struct{}  // a channel is gone
	unwatch   func() bool    // forgets the context of Start
	wg        sync.WaitGroup // every goroutine of the server

	mu          sync.Mutex
	dead        bool // killed: nothing leaves any more
	closing     bool // no new calls
	draining    bool // close with the last call
	sequence    uint64
	channels    map[string]*channel
	conferences map[string]*conference
	order       []*channel // the same, by age
	listeners   map[*connection]struct{}
	globals     variables
	hash        map[string]string
	paused      struct{ inbound, outbound bool }
	sessions    struct{ total, peak, lastSecond, peakSecond, second int }
	rtpNext     uint16
	jobs        int
}

// Start listens on both addresses and serves until Close, Kill, or the end of
// ctx, which is a Close. The addresses are bound when it returns.
func Start(ctx context.Context, options Options) (*Server, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	hostname, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("fstest: name of this host: %w", err)
	}
	s := &Server{
		options:   options,
		coreUUID:  uuid.NewString(),
		hostname:  hostname,
		started:   time.Now(),
		done:      make(chan struct{}),
		destroyed: make(chan struct{}, 1),
		channels:  map[string]*channel{},
		listeners: map[*connection]struct{}{},
		hash:      map[string]string{},
		rtpNext:   options.RTPPortMin,

		applications: newApplications(),
		commands:     newAPICommands(),
	}
	for name, value := range options.GlobalVariables {
		s.globals.set(name, value)
	}
	s.globals.set("core_uuid", s.coreUUID)
	s.globals.set("hostname", hostname)
	if err := s.listen(ctx); err != nil {
		return nil, err
	}
	s.run(ctx)
	return s, nil
}

// listen binds the UDP and the TCP address.
func (s *Server) listen(ctx context.Context) error {
	var config net.ListenConfig
	packets, err := config.ListenPacket(ctx, "udp", s.options.SIPAddress)
	if err != nil {
		return fmt.Errorf("fstest: SIP: %w", err)
	}
	s.listener, err = config.Listen(ctx, "tcp", s.options.EventSocketAddress)
	if err != nil {
		packets.Close()
		return fmt.Errorf("fstest: event socket: %w", err)
	}
	udp := packets.(*net.UDPConn)
	local := udp.LocalAddr().(*net.UDPAddr).AddrPort()
	s.sipHost, s.sipPort = local.Addr().Unmap().String(), int(local.Port())
	s.globals.set("local_ip_v4", s.sipHost)
	s.sip = newSIPStack(s, udp)
	return nil
}

// run starts the goroutines that live as long as the server.
func (s *Server) run(ctx context.Context) {
	s.spawn(s.sip.read)
	s.spawn(s.accept)
	s.spawn(s.heartbeat)
	s.mu.Lock() // which Close takes before it reads unwatch
	defer s.mu.Unlock()
	s.unwatch = context.AfterFunc(ctx, func() { s.Close() })
}

// spawn runs f as a goroutine that Close waits for. It does not need the lock.
func (s *Server) spawn(f func()) {
	s.wg.Go(f)
}

// after runs f under the lock when d has passed, unless the server has ended or
// the timer was stopped.
func (s *Server) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		select {
		case <-s.done:
		default:
			f()
		}
	})
}

// SIPAddr is the UDP address of the SIP profile.
func (s *Server) SIPAddr() netip.AddrPort {
	addr, err := netip.ParseAddr(s.sipHost)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr, uint16(s.sipPort))
}

// EventSocketAddr is the TCP address of the event socket, as host:port.
func (s *Server) EventSocketAddr() string { return s.listener.Addr().String() }

// closeGrace bounds how long Close waits for channels to say their farewell.
const closeGrace = 2 * time.Second

// Close hangs up every call with SYSTEM_SHUTDOWN, fires SHUTDOWN, says goodbye
// to the listeners and returns when every goroutine has ended.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closing {
		s.closing = true
		for _, c := range s.order {
			c.hangup(causeSystemShutdown)
		}
		s.fire(s.newEvent("SHUTDOWN", ""))
	}
	s.mu.Unlock()
	s.awaitChannels()
	s.mu.Lock()
	for c := range s.listeners {
		c.disconnect()
	}
	s.mu.Unlock()
	s.stop()
	return nil
}

// awaitChannels waits until the last channel is destroyed, or closeGrace.
func (s *Server) awaitChannels() {
	deadline := time.NewTimer(closeGrace)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		left := len(s.channels)
		s.mu.Unlock()
		if left == 0 {
			return
		}
		select {
		case <-s.destroyed:
		case <-deadline.C:
			return
		case <-s.done:
			return
		}
	}
}

// Kill drops everything at once, as kill -9 of a FreeSWITCH does: no BYE, no
// event, no farewell.
func (s *Server) Kill() {
	s.mu.Lock()
	s.dead, s.closing = true, true
	s.mu.Unlock()
	s.stop()
}

// stop ends every goroutine and closes every socket.
func (s *Server) stop() {
	s.mu.Lock()
	select {
	case <-s.done:
	default:
		close(s.done)
		s.listener.Close()
		s.sip.conn.Close()
		for c := range s.listeners {
			c.close(s.dead)
		}
		for _, c := range s.order {
			c.stopSockets()
		}
		s.dead = true
	}
	s.mu.Unlock()
	s.unwatch()
	s.wg.Wait()
}

// heartbeat fires HEARTBEAT events (switch_core.c, send_heartbeat).
func (s *Server) heartbeat() {
	beat := time.NewTicker(s.options.Heartbeat)
	defer beat.Stop()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-second.C:
			s.mu.Lock()
			s.sessions.lastSecond, s.sessions.second = s.sessions.second, 0
			s.mu.Unlock()
		case <-beat.C:
			s.mu.Lock()
			s.fireHeartbeat()
			s.mu.Unlock()
		}
	}
}

func (s *Server) fireHeartbeat() {
	if !s.wanted("HEARTBEAT", "") {
		return
	}
	e := s.newEvent("HEARTBEAT", "")
	e.add("Event-Info", "System Ready")
	e.add("Up-Time", s.upTime())
	e.add("FreeSWITCH-Version", version)
	e.add("Uptime-msec", strconv.FormatInt(time.Since(s.started).Milliseconds(), 10))
	e.add("Session-Count", strconv.Itoa(len(s.channels)))
	e.add("Max-Sessions", strconv.Itoa(s.options.MaxChannels))
	e.add("Session-Per-Sec", "1000")
	e.add("Session-Per-Sec-Last", strconv.Itoa(s.sessions.lastSecond))
	e.add("Session-Per-Sec-Max", strconv.Itoa(s.sessions.peakSecond))
	e.add("Session-Per-Sec-FiveMin", strconv.Itoa(s.sessions.peakSecond))
	e.add("Session-Since-Startup", strconv.Itoa(s.sessions.total))
	e.add("Session-Peak-Max", strconv.Itoa(s.sessions.peak))
	e.add("Session-Peak-FiveMin", strconv.Itoa(s.sessions.peak))
	e.add("Idle-CPU", "100.000000")
	s.fire(e)
}
