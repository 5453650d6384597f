package tenants

import (
	"slices"
	"strings"
)

// texts puts texts together, each once, in one piece of memory: the collector of garbage has one thing to look at rather than
// hundreds, and what belongs together stands together. It is used twice for the same texts: first they are counted, then placed.
type texts struct {
	known map[string]string // "" until it is placed
	size  int
	room  strings.Builder
}

func (x *texts) count(s *string) {
	if _, there := x.known[*s]; !there && *s != "" {
		x.known[*s] = ""
		x.size += len(*s)
	}
}

func (x *texts) place(s *string) {
	if *s == "" {
		return
	}
	known := x.known[*s]
	if known == "" {
		from := x.room.Len()
		x.room.WriteString(*s) // which does not move what is there: it has been counted
		known = x.room.String()[from:]
		x.known[*s] = known
	}
	*s = known
}

// gather puts the texts that each names together.
func (s *sharing) gather(each func(do func(*string))) {
	clear(s.texts.known)
	x := texts{known: s.texts.known}
	each(x.count)
	x.room.Grow(x.size)
	each(x.place)
}

// gather puts the tenant's own texts together, in slices of its own that are no larger than they need to be.
func (t *Tenant) gather(same *sharing) {
	t.Users, t.Devices, t.Numbers = slices.Clip(slices.Clone(t.Users)), slices.Clip(slices.Clone(t.Devices)), slices.Clip(slices.Clone(t.Numbers))
	same.gather(func(do func(*string)) {
		for _, s := range []*string{&t.Name, &t.Domain, &t.TimeZone, &t.Language, &t.MainNumber} {
			do(s)
		}
		for i := range t.Users {
			u := &t.Users[i]
			do(&u.ID)
			do(&u.Name)
			do(&u.Extension)
			do(&u.Number)
		}
		for i := range t.Devices {
			d := &t.Devices[i]
			do(&d.ID)
			do(&d.UserID)
			do(&d.Name)
			do(&d.Username)
		}
		for i := range t.Numbers {
			do(&t.Numbers[i])
		}
	})
}
