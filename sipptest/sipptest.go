// Package sipptest is the phones of the tests: SIPp scenarios with a few knobs, each run bounded in calls and time and
// on loopback alone.
//
//	Phone.Register ------------> nil or why not
//	Phone.Call / Phone.Listen -> *Running -> Wait -> nil, or the last lines of what SIPp complained about
//
// It guarantees that a phone which reports success has seen exactly the messages that were asked for, in their order:
// the codes, the header patterns, who hung up. What it saw is kept as text (Running.Messages).
//
// It refuses to judge anything else. SIPp listens to no audio; the digits that it sends by RFC 4733 need root. Sound is audio
// of its own, for phones that are no SIPp.
package sipptest

import (
	"context"
	"embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"tandem/stack"
)

//go:embed scenarios/*.xml
var scenarios embed.FS

// Bounds of a run.
const (
	// runWithin is how long one run may take when its call says nothing else.
	runWithin = 30 * time.Second
	// runMargin is what signalling may add to the times that a call names.
	runMargin = 15 * time.Second
	// loopback is the phones' address unless they have one of their own.
	loopback = "127.0.0.1"
	agent    = "SIPp"
)

// Phone is a phone, or with NoLogin calls a carrier. The zero value of all but Edge and Domain is useful. Its address
// must be one of loopback: other addresses than 127.0.0.1 make phones that an edge tells apart, as for bans.
type Phone struct {
	Edge     string // host:port of the edge's outside socket
	User     string
	Domain   string
	Password string
	Address  string // 127.0.0.1 when empty
	Port     int    // chosen at the first use when 0; the same one for registering and listening
	TCP      bool
}

// Check is a POSIX extended regular expression that a header of the message must match.
type Check struct{ Header, Pattern string }

// Running is a phone at work.
type Running struct {
	run      *stack.SIPpRun
	scenario string
	media    io.Closer // its media ports, kept from other phones
	result   stack.SIPpResult
}

// Port is the phone's SIP port.
func (r *Running) Port() int { return r.run.Port }

// Wait waits for the phone to have done what it was asked to. The error holds the last lines of SIPp's error log.
func (r *Running) Wait(ctx context.Context) error {
	result, err := r.run.Wait(ctx)
	return r.done(result, err)
}

// Stop ends a phone that need not finish, such as one that is never called.
func (r *Running) Stop(ctx context.Context) error {
	result, err := r.run.Stop(ctx)
	r.over(result)
	return err
}

// Seen is the text of the messages so far, while the phone is at work.
func (r *Running) Seen() string { return r.run.Seen() }

// Messages is the text of all messages sent and received; after Wait or Stop.
func (r *Running) Messages() string { return r.result.Messages }

func (r *Running) done(result stack.SIPpResult, err error) error {
	r.over(result)
	if err != nil {
		return fmt.Errorf("sipptest: %w", err)
	}
	if err := result.Err(); err != nil {
		return fmt.Errorf("sipptest: %w", err)
	}
	return nil
}

// over keeps what the phone saw and gives back what it had.
func (r *Running) over(result stack.SIPpResult) {
	r.result = result
	_ = os.Remove(r.scenario)
	_ = r.media.Close()
}

// choosePort keeps one port for the phone's life.
func (p *Phone) choosePort() error {
	if p.Port != 0 {
		return nil
	}
	port, err := stack.FreeUDPPort()
	if err != nil {
		return fmt.Errorf("sipptest: %w", err)
	}
	p.Port = port
	return nil
}

// start renders a scenario and runs it. SIPp wants a file; it is removed when the run is over.
func (p *Phone) start(ctx context.Context, name string, data any, remote string, within time.Duration) (*Running, error) {
	if err := p.choosePort(); err != nil {
		return nil, err
	}
	path, err := render(name, data)
	if err != nil {
		return nil, fmt.Errorf("sipptest: %w", err)
	}
	address := p.Address
	if address == "" {
		address = loopback
	}
	media, held, err := mediaPorts(address)
	if err != nil {
		_ = os.Remove(path)
		return nil, fmt.Errorf("sipptest: %w", err)
	}
	arguments := []string{"-i", address, "-mi", address}
	if p.TCP {
		arguments = append(arguments, "-t", "t1")
	}
	if p.User != "" {
		arguments = append(arguments, "-s", p.User, "-au", p.User, "-ap", p.Password)
	}
	run, err := stack.SIPp{
		Scenario: path, Remote: remote, LocalPort: p.Port, MediaPort: media, Calls: 1, Timeout: within, Arguments: arguments,
	}.Start(ctx)
	if err != nil {
		_ = os.Remove(path)
		_ = held.Close()
		return nil, fmt.Errorf("sipptest: %w", err)
	}
	return &Running{run: run, scenario: path, media: held}, nil
}

func render(name string, data any) (path string, err error) {
	t, err := template.New("").Funcs(template.FuncMap{"attribute": attribute}).ParseFS(scenarios, "scenarios/*.xml")
	if err != nil {
		return "", err
	}
	var text strings.Builder
	if err := t.ExecuteTemplate(&text, name, data); err != nil {
		return "", err
	}
	file, err := os.CreateTemp("", "tandem-scenario-*.xml")
	if err != nil {
		return "", err
	}
	defer file.Close()
	_, err = file.WriteString(text.String())
	return filepath.Clean(file.Name()), err
}

// attribute escapes a text for an XML attribute.
func attribute(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}

// lines makes whole header lines. A header may hold folded lines itself.
func lines(headers []string) string {
	var b strings.Builder
	for _, h := range headers {
		b.WriteString(h)
		b.WriteString("\n")
	}
	return b.String()
}

// contact is where the phone can be reached; SIPp fills in the address.
func (p *Phone) contact() string {
	transport := ""
	if p.TCP {
		transport = ";transport=tcp"
	}
	return fmt.Sprintf("<sip:%s@[local_ip]:[local_port]%s>", p.User, transport)
}
