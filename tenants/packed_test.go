package tenants

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"testing"
)

func TestAPackedVersionIsTheDocumentThatItWas(t *testing.T) {
	long := make([]byte, 70_000)
	for i := range long {
		long[i] = 'x'
	}
	for name, flows := range map[string][]Flow{
		"none":                    nil,
		"an empty list":           {},
		"without elements":        {{ID: "f", Start: "a"}},
		"no map and an empty one": {{ID: "f", Elements: map[string]Element{}}, {ID: "g"}},
		"one with everything": {{ID: "f", Name: "Größe \x00", Start: "a", Elements: map[string]Element{
			"a": {Type: "x", Settings: json.RawMessage(`{"a":[1,2]}`), Exits: map[string]string{"next": "b", "": "a"}}, "b": {Type: "y"}, "": {}}}},
		"long texts": {{ID: string(long), Elements: map[string]Element{string(long): {Settings: json.RawMessage(`"` + string(long) + `"`)}}}, {ID: "g"}},
	} {
		p := Published{Version: 3, Flows: flows}
		type document Published // which is written as Go writes it
		want, _ := json.Marshal(document(p))
		packed := p
		packed.Pack()
		if got, err := json.Marshal(packed); err != nil || string(got) != string(want) {
			t.Errorf("%s: %.200s, want %.200s (%v)", name, got, want, err)
		}
		if got := packed.AllFlows(); len(flows) > 0 && !reflect.DeepEqual(got, flows) {
			t.Errorf("%s: %.200v, want %.200v", name, got, flows)
		}
		read, err := ReadPublished(want)
		if again, _ := json.Marshal(read); err != nil || string(again) != string(want) || len(read.Flows) > 0 {
			t.Errorf("%s, as it is read: %.200s (%v)", name, again, err)
		}
	}
}

// flowsOf is a snapshot of so many flows, each led to by a number.
func flowsOf(t *testing.T, count int, parse ParseSettings) *Snapshot {
	t.Helper()
	a := Tenant{ID: "a", Domain: "a", TimeZone: "UTC"}
	for i := range count {
		id, number := fmt.Sprint("f", i), fmt.Sprint("+1555", i)
		a.Numbers = append(a.Numbers, number)
		a.Published.Flows = append(a.Published.Flows, Flow{ID: id, Name: "Flow " + id, Start: "a", Elements: map[string]Element{"a": {Type: "x", Settings: json.RawMessage(fmt.Sprint(i))}}})
		a.Published.Routes = append(a.Published.Routes, Route{Dialled: number, FlowID: id})
	}
	s, faults := NewSnapshot(Data{Tenants: []Tenant{a}}, parse)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return s
}

func TestOfManyFlowsSomeAreReadAndAllAreThere(t *testing.T) {
	const count = MaxReadFlows + 100
	s := flowsOf(t, count, func(_ string, settings json.RawMessage) (any, error) { return string(settings), nil })
	a := s.Tenant("a")
	for range 2 {
		for i := range count {
			id := fmt.Sprint("f", i)
			if f := a.Flow(id); f.ID != id || f.Elements["a"].Parsed != fmt.Sprint(i) {
				t.Fatalf("flow %s is %+v", id, f)
			}
			if owner, head := s.NumberLeads(fmt.Sprint("+1555", i)); owner != a || head != (FlowHead{ID: id, Name: "Flow " + id}) || a.FlowHead(id) != head {
				t.Fatalf("number %d leads to %+v", i, head)
			}
		}
	}
	read := 0
	for i := range a.Published.packed.read {
		if a.Published.packed.read[i].Load() != nil {
			read++
		}
	}
	if read != MaxReadFlows || len(s.recent.held) != MaxReadFlows {
		t.Errorf("%d flows are in memory, and %d are known to be, want %d", read, len(s.recent.held), MaxReadFlows)
	}
	if next, _ := s.With(Change{}, parseAny); next.recent != s.recent || next.Tenant("a").Flow("f7") != a.Flow("f7") {
		t.Error("the snapshot that follows reads its flows anew")
	}
}

func TestAFlowThatIsReadByManyAtOnceIsThereOnce(t *testing.T) {
	a := flowsOf(t, 50, parseAny).Tenant("a")
	got := make([][]*Flow, 8)
	var readers sync.WaitGroup
	for r := range got {
		readers.Go(func() {
			for i := range 50 {
				got[r] = append(got[r], a.Flow(fmt.Sprint("f", i)))
			}
		})
	}
	readers.Wait()
	for r := range got {
		if !reflect.DeepEqual(got[r], got[0]) {
			t.Fatal("two readers have different flows")
		}
		for i := range got[r] {
			if got[r][i] != got[0][i] {
				t.Fatal("a flow is there twice")
			}
		}
	}
}
