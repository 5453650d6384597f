package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/nodes"
	"tandem/tenants"
)

// Names in the configuration of the measurement of memory.
const (
	parkedTenant  = "office"
	parkedMenu    = "menu" // flow of every second call: waits for a digit
	parkedRing    = "ring" // flow of the others: rings parkedDevices
	parkedDevices = 3
)

// parkedWorld is what a worker needs besides the node. It counts, and keeps nothing.
type parkedWorld struct {
	menus, rings atomic.Int64 // calls that have come to their menu; legs that ring
	other        atomic.Int64 // steps that end a call
}

func (w *parkedWorld) AddCDR(messages.CDR) { w.other.Add(1) }

// AddRecording has nothing to do: nobody records.
func (w *parkedWorld) AddRecording(messages.Recording) {}

func (w *parkedWorld) AddJournal(e messages.JournalEntry) {
	for _, r := range e.Because {
		switch r.Code {
		case "menu_asked":
			w.menus.Add(1)
		case "leg_rang":
			w.rings.Add(1)
		}
	}
}

func (w *parkedWorld) AnnounceCall(messages.CallEvent) {}
func (w *parkedWorld) AnnounceNode(messages.NodeEvent) {}

func (w *parkedWorld) AnnounceCalls(*messages.NodeCalls) error { return nil }
func (w *parkedWorld) AnnounceDialogs(*messages.NodeDialogs)   {}
func (w *parkedWorld) NoteNews(*messages.NodeNews)             {}
func (w *parkedWorld) AnnounceNews(*messages.NodeNews)         {}

func (w *parkedWorld) Contacts(_ *tenants.Tenant, device string, _ time.Time) []callflows.Contact {
	return []callflows.Contact{{Device: device, URI: "sip:" + device + "@192.0.2.17:5060;alias=198.51.100.9~49152~1", Edge: "sip:192.0.2.9:5060"}}
}

// memory brings calls into a menu, or to ringing, by package nodes and looks at what this process holds more than before.
// The node is a process of its own; ledger, contacts and announcements keep nothing.
func (c *benchEslCommand) memory(ctx context.Context, plan eslPlan) (figures []figure, err error) {
	child, err := startEslChild(ctx, "parked", "--captures", c.Captures, "--calls", strconv.Itoa(plan.calls))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, child.stop()) }()
	snapshot, err := parkedSnapshot()
	if err != nil {
		return nil, err
	}
	before, err := holding()
	if err != nil {
		return nil, err
	}
	w := &parkedWorld{}
	owning, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		nodes.Own(owning, nodes.Options{Node: tenants.Node{Name: "node1", SIPURI: "sip:192.0.2.10:5060", EventSocket: child.address},
			Password: eslPassword, Profile: "internal", Worker: "bench", Snapshot: func() *tenants.Snapshot { return snapshot },
			Ledger: w, Contacts: w, Announcer: w, Live: w, Prompts: nodes.Prompts(nodes.Sounds{Folder: "/sounds"})})
	}()
	defer func() { stop(); <-ended }()
	if err := w.parked(ctx, plan.calls); err != nil {
		return nil, err
	}
	after, err := holding()
	if err != nil {
		return nil, err
	}
	calls := uint64(plan.calls)
	heap, resident := (after.heap-before.heap)/calls, (after.resident-before.resident)/calls
	fmt.Printf("%d live calls, half in a menu, half ringing %d phones each\n", plan.calls, parkedDevices)
	fmt.Printf("  heap and stacks %d bytes a call, resident memory %d bytes a call, %d goroutines\n", heap, resident, after.goroutines)
	return []figure{{"bytes_per_call", float64(max(heap, resident))}}, nil
}

// parked waits until all calls are where they stay.
func (w *parkedWorld) parked(ctx context.Context, calls int) error {
	ctx, cancel := context.WithTimeout(ctx, eslPatience)
	defer cancel()
	return await(ctx, "the calls did not come to rest", func(context.Context) (bool, error) {
		if n := w.other.Load(); n > 0 {
			return false, fmt.Errorf("%d legs ended", n)
		}
		return int(w.menus.Load()) == (calls+1)/2 && int(w.rings.Load()) == calls/2*parkedDevices, nil
	})
}

// parkedSnapshot is a tenant with the two flows.
func parkedSnapshot() (*tenants.Snapshot, error) {
	t := tenants.Tenant{ID: parkedTenant, Name: "Office", Domain: "office.example", TimeZone: "UTC",
		Users: []tenants.User{{ID: "u1", Name: "Sales", Extension: "102"}},
		Published: tenants.Published{Version: 3, Flows: []tenants.Flow{
			{ID: parkedMenu, Name: "Menu", Start: "ask", Elements: map[string]tenants.Element{
				"ask":  {Type: "menu", Settings: json.RawMessage(`{"prompt":"welcome","attempts":3,"seconds":5}`), Exits: map[string]string{"1": "ring", "timeout": "ring", "invalid": "ring"}},
				"ring": {Type: "ring", Settings: json.RawMessage(`{"users":["u1"],"seconds":60}`)}}},
			{ID: parkedRing, Name: "Ring", Start: "ring", Elements: map[string]tenants.Element{
				"ring": {Type: "ring", Settings: json.RawMessage(`{"users":["u1"],"seconds":60}`)}}},
		}}}
	for i := range parkedDevices {
		name := fmt.Sprintf("phone%d", i+1)
		t.Devices = append(t.Devices, tenants.Device{ID: name, UserID: "u1", Name: "Sales " + name, Username: name})
	}
	snapshot, faults := tenants.NewSnapshot(tenants.Data{Tenants: []tenants.Tenant{t}}, callflows.ParseSettings)
	if len(faults) > 0 {
		return nil, fmt.Errorf("configuration: %v", faults)
	}
	return snapshot, nil
}

// held is what this process holds, in bytes.
type held struct {
	heap       uint64 // spans in use of heap and stacks
	resident   uint64
	goroutines int
}

// holding looks after garbage has been collected and given back.
func holding() (held, error) {
	runtime.GC()
	debug.FreeOSMemory() // collects once more
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	text, err := os.ReadFile("/proc/self/statm") // proc(5): the second field, in pages
	if err != nil {
		return held{}, err
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return held{}, errors.New("/proc/self/statm is not as proc(5) says")
	}
	pages, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		return held{}, err
	}
	return held{m.HeapInuse + m.StackInuse, pages * uint64(os.Getpagesize()), runtime.NumGoroutine()}, nil
}
