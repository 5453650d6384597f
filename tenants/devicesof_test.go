package tenants

import (
	"fmt"
	"slices"
	"testing"
)

func TestDevicesOfAUserAreFoundWhereverTheyStand(t *testing.T) {
	for _, count := range []int{0, 7, maxWithin - 1, maxWithin + 5} {
		a := Tenant{ID: "a", Domain: "a", TimeZone: "UTC", Users: []User{{ID: "u0"}, {ID: "u1"}, {ID: "u2"}, {ID: "idle"}}}
		want := map[string][]string{}
		for i := range count {
			user := []string{"u0", "u1", "", "gone", "u1", "u2"}[i*i%6]
			if i == count-1 {
				user = "u0"
			}
			d := Device{ID: fmt.Sprint("d", i), Username: fmt.Sprint("d", i), UserID: user}
			a.Devices, want[user] = append(a.Devices, d), append(want[user], d.ID)
		}
		s, _ := NewSnapshot(Data{Tenants: []Tenant{a}}, parseAny)
		for _, user := range []string{"u0", "u1", "u2", "idle", "", "gone", "nobody"} {
			var got []string
			for _, d := range s.Tenant("a").DevicesOf(user) {
				got = append(got, d.ID)
			}
			if !slices.Equal(got, want[user]) {
				t.Errorf("of %d devices %q has %d, want %d", count, user, len(got), len(want[user]))
			}
		}
	}
}
