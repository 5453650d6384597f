package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"tandem/because"
	"tandem/tenants"
)

// Bounds of a world.
const (
	maxHappenings = 200_000 // a world with more runs in a circle
	maxViolations = 20      // more of one world say nothing new
	callsWithin   = 40 * time.Second
	faultsWithin  = 50 * time.Second
)

// began is where virtual time begins: a Monday morning, so that schedules are open and closed within a world.
func began() time.Time { return time.Date(2026, 3, 2, 8, 59, 40, 0, time.UTC) }

// world is one simulated installation and what happens in it.
type world struct {
	seed  uint64
	rng   *rand.Rand
	trace func(line string) // nil: nobody listens
	words because.Catalog
	plant Plant
	step  StepFunc

	queue happenings
	now   time.Duration // since began
	order uint64

	kinds    []elementKind
	lasts    []elementKind     // of kinds: in which callers stay
	meets    []elementKind     // of kinds: by which calls come to meet
	snapshot *tenants.Snapshot // as it is in the database, and as routing has it
	tenants  []*tenants.Tenant
	phones   map[string]*phone // by device id
	weather  weather
	roads    roads
	aimed    int // at workers while calls move

	nodes   []*node // calls begin at the first, as a rule
	workers []*worker
	calls   []*simCall
	byID    map[string]*simCall
	legs    map[string]*legFate
	ledger  *ledger
	tapes   map[string]*tape // by file: what the node has recorded
	deeds   int
	result  Result

	editor    *rand.Rand                    // draws versions
	versions  map[string]int64              // the last of each tenant
	archive   map[edition]tenants.Published // all that there were
	forgetful bool                          // snapshots hold no old versions
	away      bool                          // the database is away for a while
}

// span is a stretch of virtual time.
type span struct{ from, until time.Duration }

// happening is something that will happen, unless it is called off.
type happening struct {
	at  time.Duration
	n   uint64
	do  func()
	off bool
}

func (h *happening) callOff() {
	if h != nil {
		h.off = true
	}
}

type happenings []*happening

func (q happenings) Len() int { return len(q) }
func (q happenings) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].n < q[j].n
}
func (q happenings) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *happenings) Push(x any)   { *q = append(*q, x.(*happening)) }
func (q *happenings) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return last
}

// after books what happens after a while.
func (w *world) after(d time.Duration, do func()) *happening {
	w.order++
	h := &happening{at: w.now + max(0, d), n: w.order, do: do}
	heap.Push(&w.queue, h)
	return h
}

// at books what happens at a time.
func (w *world) at(t time.Duration, do func()) *happening { return w.after(t-w.now, do) }

// run lets everything happen.
func (w *world) run() {
	for n := 0; len(w.queue) > 0; n++ {
		h := heap.Pop(&w.queue).(*happening)
		if h.off {
			continue
		}
		if n > maxHappenings {
			w.violate(CallEnds, "", "after %d happenings the world still goes on", n)
			return
		}
		w.now = h.at
		h.do()
		if len(w.result.Violations) >= maxViolations {
			return
		}
	}
}

// chance is true in so many of a hundred cases.
func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

// between draws a duration.
func (w *world) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.rng.Int64N(int64(most-least)+1))
}

// pick draws one of several.
func pick[T any](w *world, of ...T) T { return of[w.rng.IntN(len(of))] }

// uuid draws one.
func (w *world) uuid() string {
	a, b := w.rng.Uint64(), w.rng.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff)
}

// tell adds a line to the story, if somebody listens.
func (w *world) tell(who, format string, args ...any) {
	if w.trace == nil {
		return
	}
	w.trace(fmt.Sprintf("%11s  %-9s %s", w.now.Round(10*time.Microsecond), who, fmt.Sprintf(format, args...)))
}

// happened counts a fault or another thing worth knowing.
func (w *world) happened(what string) { w.result.Happened[what]++ }

// violate notes that an invariant is broken.
func (w *world) violate(i Invariant, call, format string, args ...any) {
	if c := w.byID[call]; c != nil && c.excuses(i) {
		w.tell("excused", "%s: %s", i, fmt.Sprintf(format, args...))
		return
	}
	v := Violation{Invariant: i, Seed: w.seed, At: w.now, Call: call, Detail: fmt.Sprintf(format, args...)}
	w.result.Violations = append(w.result.Violations, v)
	w.tell("BROKEN", "%s: %s", i, v.Detail)
}

// said gives reasons in words, a line each.
func (w *world) said(reasons []because.Reason) string {
	var b strings.Builder
	for _, r := range reasons {
		b.WriteString(" | " + w.words.Words(r))
	}
	return b.String()
}
