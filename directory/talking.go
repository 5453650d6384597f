package directory

import "sync"

// Talking are the devices that are in a call, as this worker's nodes tell of them at once. Of other workers' nodes the announced
// calls say the same, some seconds later (Calls.Talking). The zero value is empty and ready.
type Talking struct {
	mu      sync.Mutex
	calls   map[string][]string       // by call id: devices
	devices map[string]map[string]int // by tenant: how many calls each device is in
}

// Talks says which devices are in a call from now on; none once it is over.
func (t *Talking) Talks(call, tenant string, devices []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.calls == nil {
		t.calls, t.devices = map[string][]string{}, map[string]map[string]int{}
	}
	in := t.devices[tenant]
	for _, d := range t.calls[call] {
		if in[d]--; in[d] <= 0 {
			delete(in, d)
		}
	}
	delete(t.calls, call)
	if len(devices) > 0 {
		if in == nil {
			in = map[string]int{}
			t.devices[tenant] = in
		}
		t.calls[call] = devices
		for _, d := range devices {
			in[d]++
		}
	}
	if len(in) == 0 {
		delete(t.devices, tenant)
	}
}

// Among gives those of a tenant's devices that are in another call than the one that asks.
func (t *Talking) Among(call, tenant string, devices []string) (talking []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range devices {
		n := t.devices[tenant][d]
		for _, own := range t.calls[call] {
			if own == d {
				n--
			}
		}
		if n > 0 {
			talking = append(talking, d)
		}
	}
	return talking
}
