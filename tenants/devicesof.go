package tenants

// The devices of a user are nearly always few and next to each other, in memory that no cache holds. So the slot of a user's
// id says between which places they are, first<<16 | last, where those are small enough; others are looked for everywhere.
const (
	maxWithin  = 1<<16 - 1
	withinBits = 16
	everywhere = nowhere
	none       = nowhere - 1 // of a user without devices: no first is larger than its last
)

func (t *Tenant) indexDevicesOf() {
	unknown := uint32(none)
	if t.people.devices.count() >= maxWithin {
		unknown = everywhere
	}
	for i := range t.users.slots {
		t.users.slots[i].leads = unknown
	}
	for i := range t.people.devices.count() {
		s := t.users.find(t.people.devices.part(i, deviceUser), t.userID)
		if s == nil || s.leads == everywhere {
			continue
		}
		first := uint32(i)
		if s.leads != none {
			first = s.leads >> withinBits
		}
		s.leads = first<<withinBits | uint32(i)
	}
}

// devicesWithin says between which places all devices of a user are.
func (t *Tenant) devicesWithin(userID string) (from, until int) {
	s := t.users.find(userID, t.userID)
	if s == nil || s.leads == everywhere {
		return 0, t.people.devices.count()
	}
	if s.leads == none {
		return 0, 0
	}
	return int(s.leads >> withinBits), int(s.leads&maxWithin) + 1
}
