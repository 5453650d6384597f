package tenants

import (
	"encoding/json"
	"time"
)

// sharing is what the tenants of a snapshot have in common while it is made: settings that have been tried already, and time zones.
type sharing struct {
	of     ParseSettings
	recent *recent
	tried  map[string]map[string]error // settings by type, that are alike in many flows
	kept   int
	zones  map[string]*time.Location
}

// Bounds of what is kept while a snapshot is made. What comes later is tried again.
const (
	maxTried      = 1 << 16
	maxTriedBytes = 512 // of settings
)

func newSharing(parse ParseSettings, recent *recent) *sharing {
	return &sharing{of: parse, recent: recent, tried: map[string]map[string]error{}, zones: map[string]*time.Location{}}
}

// parses says whether a type takes settings.
func (s *sharing) parses(elementType string, settings json.RawMessage) error {
	tried := s.tried[elementType]
	if err, there := tried[string(settings)]; there {
		return err
	}
	_, err := s.of(elementType, settings)
	if s.kept < maxTried && len(settings) <= maxTriedBytes && len(elementType) <= maxTriedBytes {
		if tried == nil {
			tried = map[string]error{}
			s.tried[elementType] = tried
		}
		tried[string(settings)] = err
		s.kept++
	}
	return err
}

// zone finds a time zone by its IANA name, once for all tenants.
func (s *sharing) zone(name string) (*time.Location, error) {
	if known := s.zones[name]; known != nil {
		return known, nil
	}
	found, err := zone(name)
	if err == nil {
		s.zones[name] = found
	}
	return found, err
}
