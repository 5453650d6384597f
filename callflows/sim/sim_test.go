package sim

import (
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tandem/callflows"
)

var (
	seeds = flag.Uint64("seeds", 200, "how many worlds TestNoWorldBreaksAnInvariant lives through")
	from  = flag.Uint64("from", 1, "the first seed")
)

// words are those of the engine.
func story(t testing.TB) Options {
	t.Helper()
	words, err := callflows.Reasons()
	if err != nil {
		t.Fatal(err)
	}
	return Options{Words: words}
}

func TestNoWorldBreaksAnInvariant(t *testing.T) {
	worlds := New(story(t))
	broken := 0
	for seed := *from; seed < *from+*seeds; seed++ {
		r := worlds.Run(seed)
		for _, v := range r.Violations {
			t.Error(v)
			broken++
			break
		}
	}
	if broken > 0 {
		t.Errorf("%d of %d worlds are broken", broken, *seeds)
	}
}

// findWithin is in how many worlds a planted fault must be found.
const findWithin = 300

// Each planted fault is found, as what it is, and the line that says so leads back to it.
func TestEachPlantedFaultIsFound(t *testing.T) {
	o := story(t)
	planted := map[Invariant]bool{}
	for _, plant := range Plants() {
		planted[plant.Breaks] = true
		t.Run(plant.Name, func(t *testing.T) {
			o.Plant = plant
			seed, found := find(o)
			if !found {
				t.Fatalf("%s is not found broken in %d worlds", plant.Breaks, findWithin)
			}
			if again := Run(seed, o); !breaks(again, plant.Breaks) {
				t.Errorf("seed %d does not show it again", seed)
			}
		})
	}
	for _, i := range Invariants() {
		if !planted[i] {
			t.Errorf("no planted fault breaks %s", i)
		}
	}
}

func find(o Options) (seed uint64, found bool) {
	worlds := New(o)
	for seed := range uint64(findWithin) {
		if breaks(worlds.Run(seed), o.Plant.Breaks) {
			return seed, true
		}
	}
	return 0, false
}

func breaks(r Result, i Invariant) bool {
	return slices.ContainsFunc(r.Violations, func(v Violation) bool { return v.Invariant == i })
}

// Workers may die as often as they like.
func TestManyDeathsBreakNothing(t *testing.T) {
	o := story(t)
	o.Plant = Plant{Name: "deadly", Deadly: true}
	worlds := New(o)
	for seed := range uint64(200) {
		for _, v := range worlds.Run(seed).Violations {
			t.Error(v)
		}
	}
}

func TestASeedTellsOneStory(t *testing.T) {
	tell := func(seed uint64) string {
		var b strings.Builder
		o := story(t)
		o.Trace = func(line string) { b.WriteString(line + "\n") }
		Run(seed, o)
		return b.String()
	}
	for seed := range uint64(20) {
		if once := tell(seed); once != tell(seed) || !strings.Contains(once, "worker 1") {
			t.Fatalf("seed %d tells two stories", seed)
		}
	}
}

// What worlds are for: all types of elements at work, all faults, calls that come to all kinds of ends.
func TestWorldsVisitEverything(t *testing.T) {
	visited, happened := map[string]int{}, map[string]int{}
	refused := 0
	worlds := New(Options{})
	for seed := range uint64(450) {
		r := worlds.Run(seed)
		refused += r.Refused
		for name, n := range r.Visited {
			visited[name] += n
		}
		for name, n := range r.Happened {
			happened[name] += n
		}
	}
	for _, name := range callflows.ElementTypes() {
		if visited[name] == 0 {
			t.Errorf("no call came to an element of type %s", name)
		}
	}
	for _, name := range []string{"death of the owner", "death of the standby", "takeover", "command sent again", "call adopted", "call resumed",
		"connection lost", "events late", "event doubled", "command refused", "node restart", "look-up without an answer", "recording", "calls joined", "phone replaced",
		"move begun", "leg fetched", "call moved", "legs joined again", "move failed", "move meets a re-INVITE", "phone forgets its dialog", "phone does not answer a move",
		"BYE in the middle of a move", "BYE stepped after a move", "message lost", "message doubled", "node death", "rescue", "ghost ended", "BYE in the gap",
		"transfer", "attended transfer", "attended transfer to the node", "attended transfer refused",
		"version published", "version tried", "version promoted", "version abandoned", "version fetched", "version not to be had"} {
		if happened[name] == 0 {
			t.Errorf("there was no %s", name)
		}
	}
	if refused == 0 {
		t.Error("routing refused nobody")
	}
}

// Settings are drawn from schemas rather than taken from examples, for every type.
func TestSettingsAreDrawn(t *testing.T) {
	w := &world{rng: rand.New(rand.NewPCG(1, stream)), result: Result{Happened: map[string]int{}}}
	for _, k := range elementKinds() {
		drawn := map[string]bool{}
		w.result.Happened["settings from the example"] = 0
		for range 100 {
			drawn[string(w.anySettings(&k, func(what callflows.Reference) string { return pick(w, "one", "two") }))] = true
		}
		if examples := w.result.Happened["settings from the example"]; examples > 20 {
			t.Errorf("%s: %d of 100 are the example", k.Type, examples)
		}
		if len(k.schema.Properties) > 0 && len(drawn) < 2 {
			t.Errorf("%s: all are %v", k.Type, drawn)
		}
	}
}
