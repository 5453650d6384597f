package nodes

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"tandem/callflows"
	"tandem/tenants"
)

// keeper keeps settings as the test says, and each order by its id.
type keeper struct {
	mu      sync.Mutex
	ids     []string
	refused string
	err     error
	wait    bool // until its time is over
}

func (k *keeper) SaveSetting(ctx context.Context, _ callflows.Call, id string, _ callflows.UserSetting) (string, error) {
	k.mu.Lock()
	k.ids = append(k.ids, id)
	k.mu.Unlock()
	if k.wait {
		<-ctx.Done()
		return "", ctx.Err()
	}
	return k.refused, k.err
}

func TestWhatComesOfSavingASetting(t *testing.T) {
	set := callflows.Command{Kind: callflows.SaveSetting, N: 4, Leg: callerLeg, Setting: &callflows.UserSetting{Name: callflows.SettingDoNotDisturb, User: "anna", On: true}}
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		claim string
		by    *keeper
		want  callflows.Event
	}{
		{"it is saved", &keeper{}, callflows.Event{}},
		{"it is refused, in words", &keeper{refused: "there is no such user"}, callflows.Event{Cause: "there is no such user"}},
		{"nobody is there", &keeper{err: errors.New("away")}, callflows.Event{Away: true}},
		{"nobody answers in time", &keeper{wait: true}, callflows.Event{Away: true}},
		{"nobody keeps settings here", nil, callflows.Event{Away: true}},
	} {
		t.Run(c.claim, func(t *testing.T) {
			t.Parallel()
			o := Options{Snapshot: func() *tenants.Snapshot { return nil }}
			if c.by != nil {
				o.Settings = c.by
			}
			n := New(o)
			var answer callflows.Event
			if c.by == nil {
				var ok bool
				if answer, ok = n.shards[0].inquire(&call{}, set, at); !ok {
					t.Fatal("it is not answered at once")
				}
			} else {
				answer = n.answer(callflows.Call{ID: "c", Tenant: "t"}, set, at)
				if len(c.by.ids) != 1 || c.by.ids[0] != "c/4" {
					t.Errorf("the order is named %v", c.by.ids)
				}
			}
			if answer.Kind != callflows.Saved || answer.Command != 4 || answer.Cause != c.want.Cause || answer.Away != c.want.Away {
				t.Errorf("got %+v", answer)
			}
		})
	}
}
