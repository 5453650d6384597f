package esl

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

func event(tb testing.TB, lines ...string) *Event {
	tb.Helper()
	e, err := parseEvent(&block{}, []byte(strings.Join(lines, "\n")+"\n\n"))
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func TestHeaderNamesKeepTheirCaseAndCompareWithoutIt(t *testing.T) {
	e := event(t, "Event-Name: CHANNEL_PARK", "variable_sip_h_X-Tandem-Call: 7", "variable_[odd]/(n@me){,}: x", "variable_ünï: y", "variable_a:b: z")
	var names []string
	for name := range e.All() {
		names = append(names, name)
	}
	want := []string{"Event-Name", "variable_sip_h_X-Tandem-Call", "variable_[odd]/(n@me){,}", "variable_ünï", "variable_a:b"}
	if !slices.Equal(names, want) {
		t.Fatalf("got %q", names)
	}
	for header, value := range map[string]string{
		"event-NAME": "CHANNEL_PARK", "variable_SIP_H_x-tandem-call": "7", "variable_[odd]/(n@me){,}": "x", "variable_ünï": "y", "variable_a:b": "z", "absent": "",
	} {
		if got := e.Get(header); got != value {
			t.Errorf("%s: got %q, want %q", header, got, value)
		}
	}
	if e.Variable("sip_h_X-Tandem-Call") != "7" || e.Variable("a:b") != "z" || e.Variable("a") != "" {
		t.Error("variables")
	}
	if e.Name() != "CHANNEL_PARK" || e.Len() != 5 {
		t.Error(e.Name(), e.Len())
	}
}

func TestEveryNameIsFoundHoweverShort(t *testing.T) {
	const long = "abcdefghijklmnopqrstuvwxyz"
	for _, start := range []string{"", "v", "V", "variable_", "Variable-", "Event", "Caller-"} {
		for n := range len(long) {
			name := start + long[:n]
			if name == "" {
				continue
			}
			// The same with another character at each place must not be taken for it.
			lines := []string{"Event-Name: X"}
			for i := range name {
				lines = append(lines, name[:i]+"#"+name[i+1:]+": wrong")
			}
			e := event(t, append(lines, name+"x: wrong", name[:len(name)-1]+": wrong", name+": right", name+": second")...)
			for _, asked := range []string{name, strings.ToUpper(name), strings.ToLower(name)} {
				if got := e.Get(asked); got != "right" {
					t.Fatalf("%s: got %q", asked, got)
				}
			}
			if e := event(t, lines...); e.Get(name) != "" {
				t.Fatalf("%s is found where it is not", name)
			}
		}
	}
}

func TestPunctuationIsNotLetterCase(t *testing.T) {
	// '@' and '`', '[' and '{' differ by the bit that letter case differs by.
	if e := event(t, "a[: 1", "b@: 2"); e.Get("a{") != "" || e.Get("b`") != "" || e.Get("A[") != "1" {
		t.Fatal("compared as letters")
	}
}

func TestValuesAreDecodedAndBadEscapesStay(t *testing.T) {
	for wire, want := range map[string]string{
		"plain": "plain", "a%20b": "a b", "%41%4a%4A": "AJJ", "100%": "100%", "%": "%", "%4": "%4", "%zz%20": "%zz ",
		"%%20": "% ", "%e2%82%ac": "€", "": "", " lead": " lead", "a+b": "a+b", "%0A%00": "\n\x00",
	} {
		if got := event(t, "X: "+wire).Get("X"); got != want {
			t.Errorf("%q: got %q, want %q", wire, got, want)
		}
	}
}

func TestAnEmptyHeaderIsNotAnAbsentOne(t *testing.T) {
	e := event(t, "Empty: ", "Bare:", "not a header", "Last: 1")
	for name, present := range map[string]bool{"Empty": true, "Bare": true, "not a header": false, "Other": false} {
		if value, ok := e.Lookup(name); ok != present || value != "" {
			t.Errorf("%s: %q %v", name, value, ok)
		}
	}
	if e.Get("Last") != "1" {
		t.Error("what follows a strange line is lost")
	}
}

func TestTheFirstOfTwoEqualHeadersCounts(t *testing.T) {
	if got := event(t, "A: 1", "a: 2").Get("A"); got != "1" {
		t.Fatal(got)
	}
}

func TestTimeIsMicrosecondsInUTC(t *testing.T) {
	e := event(t, "Event-Date-Timestamp: 1795332500232430")
	if want := time.Date(2026, 11, 22, 7, 28, 20, 232430000, time.UTC); !e.Time().Equal(want) || e.Time().Location() != time.UTC {
		t.Fatal(e.Time())
	}
	for _, bad := range []string{"", "x", "-5", "99999999999999999999"} {
		if !event(t, "Event-Date-Timestamp: "+bad).Time().IsZero() {
			t.Error(bad)
		}
	}
}

func TestABodyEndsWhereTheEventSays(t *testing.T) {
	for wire, want := range map[string]string{
		"Event-Name: BACKGROUND_JOB\nContent-Length: 3\n\n+OK":         "+OK",
		"Event-Name: BACKGROUND_JOB\nContent-Length: 3\n\n+OK\n\nmore": "+OK",
		"Event-Name: BACKGROUND_JOB\nContent-Length: 99\n\n+OK":        "+OK",
		"Event-Name: BACKGROUND_JOB\nContent-Length: -9\n\n+OK":        "+OK",
		"Event-Name: BACKGROUND_JOB\n\n+OK":                            "+OK",
		"Event-Name: BACKGROUND_JOB":                                   "",
	} {
		e, err := parseEvent(&block{}, []byte(wire))
		if err != nil || string(e.Body()) != want || e.Name() != "BACKGROUND_JOB" {
			t.Errorf("%q: %q %v", wire, e.Body(), err)
		}
	}
}

func TestHeadersAreBoundedAndBodiesAreNotCountedAsHeaders(t *testing.T) {
	if _, err := parseEvent(&block{}, []byte(strings.Repeat("a: b\n", maxEventHeaders+1))); err == nil {
		t.Error("too many headers were taken")
	}
	e, err := parseEvent(&block{}, []byte("Event-Name: BACKGROUND_JOB\n\n"+strings.Repeat("line\n", maxEventHeaders+1)))
	if err != nil || e.Len() != 1 {
		t.Error(err)
	}
}

func TestIndexingAllocatesNothingPerHeader(t *testing.T) {
	allocations := func(headers int) float64 {
		b, wire := &block{}, []byte(strings.Repeat("variable_name: some%20value\n", headers)+"\n")
		return testing.AllocsPerRun(100, func() {
			b.lines, b.keys = b.lines[:0], b.keys[:0] // as when it is reused
			if _, err := parseEvent(b, wire); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := allocations(1), allocations(400); many > few || many > 1 {
		t.Fatalf("%v allocations for 1 header, %v for 400", few, many)
	}
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte("Event-Name: CUSTOM\nEvent-Subclass: tandem%3A%3Aepoch\n\nbody"))
	f.Add([]byte("a:\r\nb: %4\r\n\r\n"))
	f.Add([]byte(": \n:\n\n"))
	f.Add([]byte("Content-Length: 2\n\nabc"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		before := bytes.Clone(wire)
		e, err := parseEvent(&block{}, wire)
		if err != nil {
			return
		}
		n := 0
		for name, value := range e.All() {
			n++
			if strings.Contains(name, "\n") || len(value) > len(wire) {
				t.Fatalf("%q %q", name, value)
			}
			if _, ok := e.Lookup(name); !ok {
				t.Fatalf("listed but not found: %q", name)
			}
		}
		if n != e.Len() || len(e.Body()) > len(wire) || !bytes.Equal(before, wire) {
			t.Fatal("inconsistent event")
		}
		e.Time()
	})
}
