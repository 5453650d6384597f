package explain

import (
	"cmp"
	"slices"
	"strings"

	"tandem/because"
)

// Bounds of a summary, so that any number of calls fits.
const (
	MaxGroups   = 1000 // of each kind; calls of further ones are counted as Ungrouped
	MaxExamples = 3    // of each group: the earliest
)

// Summary gathers what came of replaying many calls. It may be filled in any order and is the same. Make one with NewSummary.
type Summary struct {
	Calls      int      `json:"calls"`
	Same       int      `json:"same"`
	Different  int      `json:"different"`
	Unfaithful int      `json:"unfaithful"`
	Ungrouped  int      `json:"ungrouped,omitempty"`
	Groups     []*Group `json:"groups"` // filled by Sort

	words because.Catalog
	byKey map[string]*Group
	kinds map[Outcome]int
}

// Group is the calls of which the same is to be said.
type Group struct {
	Outcome  Outcome    `json:"outcome"` // different or unfaithful
	Calls    int        `json:"calls"`
	Dialled  string     `json:"dialled,omitempty"` // by all of them, unless they are unfaithful; hostile
	Element  string     `json:"element,omitempty"`
	Words    string     `json:"words"` // hostile
	Examples []Replayed `json:"examples"`
}

// NewSummary makes an empty summary. words is Catalog.
func NewSummary(words because.Catalog) *Summary {
	return &Summary{words: words, byKey: map[string]*Group{}, kinds: map[Outcome]int{}}
}

// Add takes in what came of one call.
func (s *Summary) Add(r Replayed) {
	s.Calls++
	g := Group{Outcome: r.Outcome}
	switch r.Outcome {
	case Same:
		s.Same++
		return
	case Different:
		s.Different++
		g.Dialled, g.Element, g.Words = r.Dialled, r.Difference.Element, r.Difference.Words
	case Unfaithful:
		s.Unfaithful++
		g.Words = s.words.Words(r.Unfaithful)
	}
	key := strings.Join([]string{string(g.Outcome), g.Dialled, g.Element, g.Words}, "\x00")
	there := s.byKey[key]
	if there == nil && s.kinds[r.Outcome] == MaxGroups {
		s.Ungrouped++
		return
	}
	if there == nil {
		s.kinds[r.Outcome]++
		there = &g
		s.byKey[key], s.Groups = there, append(s.Groups, there)
	}
	there.add(r)
}

// add counts a call of the group, and keeps it if it is among the earliest.
func (g *Group) add(r Replayed) {
	g.Calls++
	at, _ := slices.BinarySearchFunc(g.Examples, r, func(a, b Replayed) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Call, b.Call)) })
	if at < MaxExamples {
		g.Examples = slices.Insert(g.Examples, at, r)
		g.Examples = g.Examples[:min(len(g.Examples), MaxExamples)]
	}
}

// Sort brings the groups into order: those that would go differently first, and of each kind those of most calls.
func (s *Summary) Sort() {
	slices.SortFunc(s.Groups, func(a, b *Group) int {
		return cmp.Or(cmp.Compare(a.Outcome, b.Outcome), b.Calls-a.Calls, cmp.Compare(a.Dialled, b.Dialled), cmp.Compare(a.Element, b.Element),
			cmp.Compare(a.Words, b.Words))
	})
}
