package callflows

import (
	"maps"
	"slices"
	"strings"

	"tandem/tenants"
)

// place is an element of a flow.
type place struct{ flow, element string }

// loops finds circles in which no element waits for the caller or for time: a call that gets into one passes MaxElements
// elements in no time, and ends. Jumps are followed into the tenant's other flows. Of the circles through an element one
// is told, the shortest; a circle is told once, at its first element in the order of the keys.
func loops(f tenants.Flow, others []tenants.Flow) []FlowFault {
	flows := map[string]tenants.Flow{}
	for _, o := range others {
		flows[o.ID] = o
	}
	flows[f.ID] = f
	w := &loopWalk{flows: flows, edges: map[place][]place{}}
	var faults []FlowFault
	told := map[place]bool{}
	for _, key := range slices.Sorted(maps.Keys(f.Elements)) {
		begin := place{f.ID, key}
		circle := w.circle(begin)
		if len(circle) == 0 || told[begin] {
			continue
		}
		words := make([]string, 0, len(circle)+1)
		for _, p := range append(circle, begin) {
			told[p] = true
			name := p.element
			if p.flow != f.ID {
				name = p.flow + "/" + name
			}
			words = append(words, name)
		}
		faults = append(faults, FlowFault{Path: "/elements/" + escape(key), Code: "loop_unbounded",
			Detail: "The call can run in a circle without waiting for the caller or for time: " + strings.Join(words, ", ") + ".",
			Mend:   "Let one of these exits lead elsewhere, or put an element in between that waits, such as sleep."})
	}
	return faults
}

// loopWalk walks over the exits that are taken without waiting.
type loopWalk struct {
	flows map[string]tenants.Flow
	edges map[place][]place
}

// circle is the shortest way from an element back to itself, without its end; nil for none.
func (w *loopWalk) circle(begin place) []place {
	from := map[place]place{}
	ahead := []place{begin}
	for len(ahead) > 0 {
		p := ahead[0]
		ahead = ahead[1:]
		for _, next := range w.next(p) {
			if next == begin {
				circle := []place{p}
				for circle[0] != begin {
					circle = slices.Insert(circle, 0, from[circle[0]])
				}
				return circle
			}
			if _, seen := from[next]; !seen {
				from[next] = p
				ahead = append(ahead, next)
			}
		}
	}
	return nil
}

// next lists where the call can be in the same moment.
func (w *loopWalk) next(p place) []place {
	if known, ok := w.edges[p]; ok {
		return known
	}
	var all []place
	e := w.flows[p.flow].Elements[p.element]
	kind := elementOf(e.Type)
	if kind == nil || kind.about().platform {
		return nil
	}
	settings, faults := kind.parse(e.Settings)
	if len(faults) > 0 {
		return nil
	}
	for _, exit := range exitsOf(kind, settings) {
		if next, ok := e.Exits[exit.Name]; ok && !exit.Waits {
			all = append(all, place{p.flow, next})
		}
	}
	if jump, ok := kind.(interface{ jumpsTo(settings any) string }); ok {
		if flow, there := w.flows[jump.jumpsTo(settings)]; there {
			all = append(all, place{flow.ID, flow.Start})
		}
	}
	w.edges[p] = all
	return all
}
