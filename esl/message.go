package esl

import (
	"strings"
)

// eventHeaderPrefix begins every header of an event that Tandem fires, so that
// none can be one that FreeSWITCH acts upon (Content-Length, Unique-ID ...).
const eventHeaderPrefix = "Tandem-"

// SendEvent fires a CUSTOM event that every subscribed client of this
// FreeSWITCH sees in the same place of its stream. subclass is like
// "tandem::epoch"; the names of headers begin with "Tandem-".
func SendEvent(subclass string, headers ...Var) Message {
	b := newBuilder("sendevent").add("sendevent CUSTOM\nEvent-Subclass: ").arg("subclass", subclass, checkSubclass)
	for i, h := range headers {
		b.add("\n").arg("header name", h.Name, checkEventHeader)
		b.add(": ").arg("header value", h.Value, checkEventValue)
		for _, earlier := range headers[:i] {
			if strings.EqualFold(earlier.Name, h.Name) {
				b.check("header name", refuse("given twice", -1))
			}
		}
	}
	return b.add("\n\n").message(3 + len(headers))
}

// subscribe asks for events. After the word CUSTOM FreeSWITCH reads every
// further word as a subclass, so these come last.
func subscribe(events []string) (Message, error) {
	b := newBuilder("event").add("event plain BACKGROUND_JOB")
	var subclasses []string
	for _, event := range events {
		name, rest, _ := strings.Cut(event, " ")
		b.check("event name", checkChars(name, maxTokenBytes, func(c byte) bool { return c >= 'A' && c <= 'Z' || c == '_' || isDigit(c) }))
		if name != "CUSTOM" {
			if rest != "" {
				b.check("event name", refuse("subclass without CUSTOM", len(name)))
			}
			if name != "BACKGROUND_JOB" {
				b.add(" ", name)
			}
			continue
		}
		subclasses = append(subclasses, strings.Fields(rest)...)
	}
	if len(subclasses) > 0 {
		b.add(" CUSTOM")
	}
	for _, subclass := range subclasses {
		b.add(" ").arg("subclass", subclass, checkSubclass)
	}
	m := b.add("\n\n").message(2)
	return m, m.err
}

// authCommand answers auth/request.
func authCommand(user, password string) (string, error) {
	b := newBuilder("auth")
	notEmpty := func(s string) *offence {
		if s == "" {
			return refuse("empty", -1)
		}
		return checkText(s, maxTokenBytes)
	}
	if user == "" {
		b.add("auth ").arg("password", password, notEmpty)
	} else {
		// "userauth name@domain:password": the user holds one @ and no colon.
		b.add("userauth ").arg("user", user, func(s string) *offence {
			name, domain, ok := strings.Cut(s, "@")
			if !ok || name == "" || domain == "" || strings.ContainsAny(s, ": ") {
				return refuse("not name@domain", -1)
			}
			return notEmpty(s)
		})
		b.add(":").arg("password", password, notEmpty)
	}
	return b.add("\n\n").finish(2)
}

func checkSubclass(s string) *offence {
	if !strings.Contains(s, "::") {
		return refuse("not like module::name", -1)
	}
	if strings.HasPrefix(s, arrayPrefix) {
		return refuse("array prefix", 0)
	}
	return checkChars(s, maxTokenBytes, func(c byte) bool { return isAlnum(c) || strings.IndexByte("-_.:", c) >= 0 })
}

func checkEventHeader(s string) *offence {
	if !strings.HasPrefix(s, eventHeaderPrefix) || s == eventHeaderPrefix {
		return refuse("does not begin with "+eventHeaderPrefix, 0)
	}
	return checkChars(s, maxTokenBytes, func(c byte) bool { return isAlnum(c) || c == '-' })
}

func checkEventValue(s string) *offence {
	switch {
	case s == "":
		return refuse("empty", -1)
	case strings.HasPrefix(s, arrayPrefix):
		return refuse("array prefix", 0)
	case s[0] == ' ':
		return refuse("blank at the beginning, which is not carried", 0)
	}
	for i := range len(s) - 2 {
		// FreeSWITCH does not escape what looks escaped already, so that
		// subscribers would decode it.
		if s[i] == '%' && unhex(s[i+1])|unhex(s[i+2]) < 16 {
			return refuse("percent escape", i)
		}
	}
	return checkText(s, maxValueBytes)
}
