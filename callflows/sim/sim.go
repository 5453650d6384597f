package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"tandem/because"
	"tandem/callflows"
	"tandem/tenants"
)

// StepFunc is callflows.Step, or what a planted fault makes of it.
type StepFunc func(callflows.Config, callflows.State, callflows.Event) callflows.Outcome

// Options say how to run worlds. The zero value runs them as they are.
type Options struct {
	Plant Plant             // a fault to plant, for tests of the simulator itself
	Trace func(line string) // is told the story
	Words because.Catalog   // for the story; callflows.Reasons
}

// Violation is one broken invariant.
type Violation struct {
	Invariant Invariant
	Seed      uint64
	At        time.Duration // virtual time since the world began
	Call      string
	Detail    string
}

// String is the one line that a person needs: what is broken, and how to see it again.
func (v Violation) String() string {
	return fmt.Sprintf("%s: %s (call %s, after %s): tandem sim --seed %d --trace", v.Invariant, v.Detail, v.Call, v.At.Round(time.Millisecond), v.Seed)
}

// Result is what came of one world.
type Result struct {
	Seed       uint64
	Calls      int            // calls that reached the node
	Refused    int            // calls that routing refused
	Steps      int            // steps of the engine
	Visited    map[string]int // elements entered, by type
	Happened   map[string]int // faults and other turns, by name
	Violations []Violation
}

// stream is the second half of every generator's seed.
const (
	stream        = 0x7a6e64656d
	versionStream = 0x65646974
)

// Worlds makes worlds. What all of them share is made once.
type Worlds struct {
	options Options
	kinds   []elementKind
	lasts   []elementKind // those that callers stay in
	meets   []elementKind // those by which calls of a tenant come to meet
}

// New prepares worlds. Several goroutines may Run at once, if Options.Trace and the plant allow it.
func New(o Options) *Worlds {
	all := &Worlds{options: o, kinds: elementKinds()}
	for _, k := range all.kinds {
		switch k.Type {
		case "ring", "park", "unpark", "pickup", "pull", "eavesdrop":
			all.meets = append(all.meets, k)
		case "play", "menu", "collect", "sleep", "voicemail", "say", "record", "voicemail_check", "directory", "webhook", "hot_desk":
			all.lasts = append(all.lasts, k)
		}
	}
	return all
}

// Run lives through the world of one seed.
func Run(seed uint64, o Options) Result { return New(o).Run(seed) }

// Run lives through the world of one seed.
func (all *Worlds) Run(seed uint64) Result {
	o := all.options
	w := &world{
		seed: seed, rng: rand.New(rand.NewPCG(seed, stream)), trace: o.Trace, words: o.Words, plant: o.Plant, step: callflows.Step,
		phones: map[string]*phone{}, byID: map[string]*simCall{}, legs: map[string]*legFate{}, kinds: all.kinds, meets: all.meets, lasts: all.lasts, ledger: newLedger(), tapes: map[string]*tape{},
		editor: rand.New(rand.NewPCG(seed, versionStream)), versions: map[string]int64{}, archive: map[edition]tenants.Published{},
		result: Result{Seed: seed, Visited: map[string]int{}, Happened: map[string]int{}},
	}
	if o.Plant.Step != nil {
		w.step = o.Plant.Step(w)
	}
	w.weather = w.drawWeather()
	w.roads = w.drawRoads()
	w.build()
	w.settle()
	w.employ()
	w.expectCallers()
	w.expectVersions()
	w.expectFaults()
	w.expectMoves()
	w.run()
	w.judge()
	return w.result
}
