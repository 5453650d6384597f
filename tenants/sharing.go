package tenants

import (
	"encoding/json"
	"maps"
	"slices"
)

// sharing lets what is equal in many flows be there once: settings and what they are parsed to, exits, names of types. Ten
// thousand tenants have few that are their own. Nobody changes any of it once a snapshot is made.
type sharing struct {
	of       ParseSettings
	types    map[string]string
	settings map[string]map[string]sharedSettings // by type, by settings
	exits    map[string]map[string]string
	kept     int
}

type sharedSettings struct {
	settings json.RawMessage
	parsed   any
}

// Bounds of what is kept while a snapshot is made. What comes later is not shared.
const (
	maxShared      = 1 << 16
	maxSharedBytes = 512 // of settings, or of the names of exits
)

func newSharing(parse ParseSettings) *sharing {
	return &sharing{of: parse, types: map[string]string{}, settings: map[string]map[string]sharedSettings{}, exits: map[string]map[string]string{}}
}

// element gives an element with its settings parsed, and in place of what it has in common with those before it theirs.
func (s *sharing) element(e Element) (Element, error) {
	known, there := s.settings[e.Type]
	if !there && len(s.settings) < maxShared {
		known = map[string]sharedSettings{}
		s.settings[e.Type], s.types[e.Type] = known, e.Type
	}
	if there {
		e.Type = s.types[e.Type]
	}
	e.Exits = s.sharedExits(e.Exits)
	if kept, there := known[string(e.Settings)]; there {
		e.Settings, e.Parsed = kept.settings, kept.parsed
		return e, nil
	}
	var err error
	if e.Parsed, err = s.of(e.Type, e.Settings); err == nil && known != nil && s.kept < maxShared && len(e.Settings) <= maxSharedBytes {
		known[string(e.Settings)] = sharedSettings{e.Settings, e.Parsed}
		s.kept++
	}
	return e, err
}

func (s *sharing) sharedExits(exits map[string]string) map[string]string {
	const usual = 128
	if len(exits) == 0 {
		return exits
	}
	var room [8]string
	names := slices.AppendSeq(room[:0], maps.Keys(exits))
	slices.Sort(names)
	key := make([]byte, 0, usual)
	for _, name := range names {
		key = append(append(append(append(key, name...), 0), exits[name]...), 0)
	}
	if known, there := s.exits[string(key)]; there {
		return known
	}
	if s.kept < maxShared && len(key) <= maxSharedBytes {
		s.exits[string(key)] = exits
		s.kept++
	}
	return exits
}
