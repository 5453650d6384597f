package callflows

import (
	"fmt"
	"strings"
)

// otherCall is the call that a script's other legs belong to.
const otherCall = "other-call"

// otherLeg is a leg of another call: X, Y ...
func otherLeg(name string) string {
	return "bbbbbbbb-0000-4000-8000-00000000000" + strings.ToLower(name)
}

// parseJoin reads what is told of another call's legs.
func (s *script) parseJoin(e *Event, arg func() string, number func() int, words *[]string) {
	s.t.Helper()
	if e.Kind == CallFound {
		e.Command = number()
		if len(*words) == 0 {
			return
		}
		if slot, is := strings.CutPrefix((*words)[0], "slot="); is {
			e.Found = &Found{Slot: slot}
			return
		}
		e.Found = &Found{Party: Party{Leg: otherLeg(arg()), Call: otherCall, Number: "105"}, Node: "node2"}
		for _, w := range *words {
			switch w {
			case "local":
				e.Found.Local, e.Found.Node = true, "node1"
			case "answered":
				e.Found.Answered = true
			default:
				s.t.Fatalf("%s is not known of what was found", w)
			}
		}
		return
	}
	e.Leg = s.leg(arg())
	e.Other = &Party{Leg: otherLeg(arg()), Call: otherCall, Number: "102"}
	switch e.Kind {
	case Taken:
		e.For = Purpose(arg())
	case Overheard:
		e.Mode = EavesdropMode(arg())
	}
}

// sayJoin writes what is ordered of another call's legs.
func (s *script) sayJoin(c Command, add func(bool, ...string)) {
	if c.Other != nil {
		add(true, s.legName(c.Leg)+" with "+c.Other.Leg+" for "+string(c.For)+string(c.Mode))
	}
	if w := c.Wanted; w != nil {
		add(true, string(w.What))
		add(w.Slot != "", "slot "+w.Slot)
		add(w.First > 0, fmt.Sprintf("%d to %d", w.First, w.Last))
		add(len(w.Devices) > 0, w.Devices...)
		add(w.Leg != "", w.Call+" "+w.Leg)
	}
}
