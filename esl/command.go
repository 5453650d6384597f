package esl

import (
	"strings"
)

// maxCommandBytes bounds one built command. FreeSWITCH itself would take 10 MiB.
const maxCommandBytes = 64 << 10

// Command is one finished order to FreeSWITCH. The set is closed: only the
// builders of this package make commands, and each checks every argument.
//
// Why arguments are refused: FreeSWITCH reads a command line by line
// (mod_event_socket.c, read_packet), expands ${...} and backslashes in what an
// application or a variable gets (switch_channel.c, expand_variables), splits
// arguments at blanks and dial strings at , | { } [ ] :_: with quotes and
// backslashes (switch_utils.c, separate_string), reads a leading ^^ as "here
// comes another separator" and a leading ARRAY:: as several values
// (switch_event.c). A builder renders so that the value arrives exactly as it
// was given, or refuses it with an *ArgumentError. It never changes it.
//
// A refused command still is a Command: its error comes out of Err, and out of
// Send before anything is written.
type Command interface {
	// Err is the refusal, or nil.
	Err() error
	// Name is the word for logs and metrics, such as "playback" or "uuid_kill".
	Name() string

	wire() (text string, api bool, err error)
}

// Message is a command for one channel (sendmsg) or an event to fire
// (sendevent). Its reply says that FreeSWITCH took it, not that it was done.
type Message struct {
	name, text string
	err        error
}

// Err is the refusal, or nil.
func (m Message) Err() error { return m.err }

// Name is the application's name, or "hangup", "sendevent", "event".
func (m Message) Name() string { return m.name }

func (m Message) wire() (string, bool, error) { return m.text, false, m.err }

// API is an api command. Send runs it on the connection's own thread, which
// answers nothing else meanwhile; Background runs it on a thread of its own.
type API struct {
	name, line string
	err        error
}

// Err is the refusal, or nil.
func (a API) Err() error { return a.err }

// Name is the api command's first word.
func (a API) Name() string { return a.name }

func (a API) wire() (string, bool, error) {
	if a.err != nil {
		return "", true, a.err
	}
	return "api " + a.line + "\n\n", true, nil
}

// builder collects the arguments of one command and the first refusal.
type builder struct {
	name string
	text strings.Builder
	err  error
}

func newBuilder(name string) *builder { return &builder{name: name} }

// check records an offence; ok says that there is none so far.
func (b *builder) check(argument string, o *offence) (ok bool) {
	if o != nil && b.err == nil {
		b.err = &ArgumentError{Command: b.name, Argument: argument, Offence: o.what, Position: o.at}
	}
	return b.err == nil
}

// add appends text that the package itself wrote, or that was checked.
func (b *builder) add(parts ...string) *builder {
	for _, part := range parts {
		b.text.WriteString(part)
	}
	return b
}

// arg appends a checked argument.
func (b *builder) arg(argument, value string, check func(string) *offence) *builder {
	if b.check(argument, check(value)) {
		b.text.WriteString(value)
	}
	return b
}

// finish is the last barrier: whatever a builder's checks let pass, a command
// has exactly the lines that the package wrote.
func (b *builder) finish(lines int) (string, error) {
	text := b.text.String()
	switch {
	case b.err != nil:
	case len(text) > maxCommandBytes:
		b.check("command", refuse("too long", -1))
	case strings.Count(text, "\n") != lines || strings.ContainsAny(text, "\r\x00"):
		b.check("command", refuse("line break", -1))
	default:
		b.check("command", checkUnload(strings.ToLower(text)))
	}
	if b.err != nil {
		return "", b.err
	}
	return text, nil
}

// checkUnload refuses the name of FreeSWITCH's own module for the event socket.
// Together with "unload" or "reload" anywhere in a command, arguments included,
// it makes the command "api bgapi unload mod_event_socket": read_packet keeps the
// whole packet as the header "Command", in which parse_command looks for both
// words (mod_event_socket.c). The other word is common, and may come from
// somebody else's argument of the same command, so this one alone is refused.
func checkUnload(lower string) *offence {
	if at := strings.Index(lower, "mod_event_socket"); at >= 0 {
		return refuse("name of the event socket's module", at)
	}
	return nil
}

func (b *builder) message(lines int) Message {
	text, err := b.finish(lines)
	return Message{name: b.name, text: text, err: err}
}

func (b *builder) api() API {
	line, err := b.finish(0)
	return API{name: b.name, line: line, err: err}
}
