package directory_test

import (
	"fmt"
	"testing"
	"time"

	"tandem/directory"
	"tandem/messages"
)

func TestCallsThatBeganWithinASecondAreCounted(t *testing.T) {
	var r directory.Rates
	ms := func(n int) time.Time { return at(0).Add(time.Duration(n) * time.Millisecond) }
	for i, begun := range []int{0, 400, 800} {
		r.Begun(fmt.Sprintf("c%d", i), "demo", ms(begun))
	}
	r.Begun("other", "two", ms(800))
	r.Begun("c0", "demo", ms(900)) // its node's owner tells of it: it is known
	for _, tt := range []struct {
		now  int
		but  string
		want int
	}{{900, "", 3}, {999, "", 3}, {1000, "", 2}, {1500, "", 1}, {1800, "", 0}, {900, "c1", 2}, {900, "unknown", 3}} {
		if got := r.Count("demo", tt.but, ms(tt.now)); got != tt.want {
			t.Errorf("after %d ms, but %q: %d, want %d", tt.now, tt.but, got, tt.want)
		}
	}
}

func TestACallIsCountedOnceHoweverLateItsOwnerTells(t *testing.T) {
	var r directory.Rates
	r.Begun("c", "demo", at(0))
	r.Begun("c", "demo", at(9)) // a second node took it
	if got := r.Count("demo", "", at(9)); got != 0 {
		t.Errorf("%d calls", got)
	}
	r.Sweep(at(0).Add(directory.TentativeFor))
	r.Begun("c", "demo", at(30))
	if got := r.Count("demo", "", at(30)); got != 1 {
		t.Errorf("%d calls", got)
	}
}

func TestACallThatIsAskedAboutIsNotCounted(t *testing.T) {
	var c directory.Calls
	c.Tentative("c", "demo", at(0))
	c.Tentative("live", "demo", at(0))
	c.Apply(news("live", messages.CallStarted, 0), at(0))
	gone := at(0).Add(directory.TentativeFor)
	for _, tt := range []struct {
		call, tenant string
		at           time.Time
		want         int
	}{{"", "demo", at(1), 2}, {"c", "demo", at(1), 1}, {"live", "demo", at(1), 1}, {"c", "two", at(1), 0}, {"other", "demo", at(1), 2}, {"c", "demo", gone, 1}} {
		if got := c.CountOthers(tt.tenant, tt.call, tt.at); got != tt.want {
			t.Errorf("beside %s, %s has %d calls, want %d", tt.call, tt.tenant, got, tt.want)
		}
	}
	uncertain := at(0).Add(directory.UncertainAfter + 1)
	if got := c.CountOthers("demo", "live", uncertain); got != c.CountTenant("demo", uncertain) {
		t.Errorf("an uncertain call is left out twice: %d", got)
	}
}
