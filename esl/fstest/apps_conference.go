package fstest

import (
	"slices"
	"strings"
	"time"
)

// conference is the members of one conference; there is no audio to mix.
type conference struct {
	members []*channel
	over    bool
}

// runConference is mod_conference as far as signalling goes: "NAME[@PROFILE][+flags{a|b}]". A member stays until it leaves, or until
// one with the flag endconf has left.
func runConference(c *channel, data string) {
	name, flags, _ := strings.Cut(data, "+flags{")
	name, _, _ = strings.Cut(name, "@")
	c.answer()
	room := c.srv.conferences[name]
	if room == nil {
		room = &conference{}
		if c.srv.conferences == nil {
			c.srv.conferences = map[string]*conference{}
		}
		c.srv.conferences[name] = room
	}
	room.members = append(room.members, c)
	c.idle(time.Time{}, func() bool {
		c.drainDigits()
		return room.over
	})
	room.members = slices.DeleteFunc(room.members, func(m *channel) bool { return m == c })
	if slices.Contains(strings.Split(strings.TrimSuffix(flags, "}"), "|"), "endconf") {
		room.over = true
		for _, m := range room.members {
			m.notify()
		}
	}
	if len(room.members) == 0 || room.over {
		delete(c.srv.conferences, name)
	}
}
