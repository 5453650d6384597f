package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"tandem/explain"
	"tandem/messages"
	"tandem/provisioning"
	"tandem/sipptest"
	"tandem/tenants"
)

// Calls that move at once: as many as TANDEM_MOVE_CALLS says (make move-test), some otherwise.
const (
	movedAtOnce   = 8
	boundMoveGap  = time.Second
	boundRescue   = 5 * time.Second
	talkAfterMove = 2 * time.Second
	// sessionExpires is what callers say when they refresh their sessions at the new node, in seconds: the least that RFC 4028 5 allows.
	sessionExpires = 90
)

// movingCall is one of them.
type movingCall struct {
	kind   string // talk, menu, message, hold
	phones []*sipptest.Running
	byes   []int // that each phone is to get
}

// addressOf is an address for one of many phones: the edge counts what comes from one.
func addressOf(i int) string { return fmt.Sprintf("127.0.%d.%d", 64+i/200, 1+i%200) }

// manyUsers makes users with a phone each, who are called by their extensions.
func (c *company) manyUsers(t *testing.T, n int) (users []string) {
	t.Helper()
	for i := range n {
		id := fmt.Sprintf("many%d", i)
		_, err := c.w.Provisioning.CreateUser(within(t), c.id, provisioning.NewUser{ID: id, Name: "User " + id, Extension: strconv.Itoa(300 + i)})
		must(t, err)
		_, password, err := c.w.Provisioning.CreateDevice(within(t), c.id, provisioning.NewDevice{ID: id + "-phone", UserID: id, Name: id, Username: id})
		must(t, err)
		c.users[id] = &sipptest.Phone{Edge: c.w.Edge, User: id, Domain: c.domain, Password: password, Address: addressOf(2 * i)}
		users = append(users, id)
	}
	return users
}

// begin begins the call number i of n.
func (c *company) begin(t *testing.T, i int) movingCall {
	t.Helper()
	patience := 2 * time.Minute
	call := sipptest.Call{Moved: true, SessionExpires: sessionExpires, Talk: talkAfterMove, Within: patience}
	m := movingCall{kind: []string{"talk", "menu", "message", "hold"}[i%4], byes: []int{0}}
	number := map[string]string{"menu": "601", "message": "602"}[m.kind]
	if m.kind == "hold" {
		call.ReInvite, call.Hold = true, true
	}
	if number == "" {
		m.phones, m.byes = append(m.phones, c.listen(t, fmt.Sprintf("many%d", i), sipptest.Behaviour{Moved: true, Patience: patience})), []int{0, 1}
		number = strconv.Itoa(300 + i)
	}
	caller := *c.users["one"]
	caller.Port, caller.Address = 0, addressOf(2*i+1)
	m.phones = append([]*sipptest.Running{dial(t, &caller, number, call)}, m.phones...)
	return m
}

// settled waits until all calls are where they are to move from.
func (c *company) settled(t *testing.T, n int) {
	t.Helper()
	awaitThat(t, "not all calls are up", func(ctx context.Context) (bool, error) {
		var answer struct{ Calls []callView }
		if err := c.w.get(ctx, "/v1/tenants/"+c.id+"/calls?live", &answer); err != nil || len(answer.Calls) != n {
			return false, err
		}
		for _, call := range answer.Calls {
			x, err := explainCall(ctx, c.w.Store, c.w.words, call.Call)
			if err != nil || !slices.ContainsFunc(x.Lines, func(l explain.Line) bool {
				return slices.Contains([]string{"talking", "menu_asked", "voicemail_records"}, l.Code)
			}) {
				return false, nil
			}
		}
		return true, nil
	})
}

// gapOf is the time from a phone's answer to the new node until the call goes on there.
func gapOf(x explain.Explanation, m movingCall) (time.Duration, bool) {
	var first time.Time
	for _, p := range m.phones {
		if at, ok := sipptest.TakenOver(p.Messages()); ok && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	for _, l := range x.Lines {
		if l.Code == "moved" && !first.IsZero() {
			return l.At.Sub(first), true
		}
	}
	return 0, false
}

// toldAt is when a call told of something first; zero: never.
func toldAt(x explain.Explanation, code string) time.Time {
	for _, l := range x.Lines {
		if l.Code == code {
			return l.At
		}
	}
	return time.Time{}
}

// TestManyCallsMoveAtOnce: talks, callers in a menu, people who leave a message and people on hold go on at another node, and each of
// their phones has seen one dialog to its end.
func TestManyCallsMoveAtOnce(t *testing.T) {
	moveMany(t, apart(t, "movemany"), movedCalls(t, movedAtOnce), leaving{})
}

// movedCalls is how many calls are to leave their node at once.
func movedCalls(t *testing.T, usual int) int {
	t.Helper()
	text := os.Getenv("TANDEM_MOVE_CALLS")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	must(t, err)
	return n
}

// leaving is how calls come to leave their node.
type leaving struct {
	meanwhile func(from string) // what else happens, once they are to move
	die       func(from string) // instead of being told to move; nil: they are told
}

// TestCallsMoveOnWhenTheirWorkerDies: its standby asks for what is not answered, and hands over what has come.
func TestCallsMoveOnWhenTheirWorkerDies(t *testing.T) {
	c := apart(t, "movedeath")
	first := c.w.worker
	second, err := c.w.startWorker(within(t), "worker2")
	must(t, err)
	moveMany(t, c, 2*movedAtOnce, leaving{meanwhile: func(from string) {
		awaitThat(t, "no call is told of at another node", func(ctx context.Context) (bool, error) { // in the middle: one is there, the rest are on their way
			var answer struct{ Calls []callView }
			err := c.w.get(ctx, "/v1/tenants/"+c.id+"/calls?live", &answer)
			return slices.ContainsFunc(answer.Calls, func(v callView) bool { return v.Node != from }), err
		})
		must(t, first.Kill())
		c.w.worker = second
	}})
}

// TestManyCallsAreRescuedAtOnce: the same when their node is killed.
func TestManyCallsAreRescuedAtOnce(t *testing.T) {
	c := apart(t, "rescuemany")
	moveMany(t, c, movedCalls(t, movedAtOnce), leaving{die: func(from string) { must(t, c.w.nodes[from].Kill()) }})
}

// TestManyCallsAreRescuedByTheStandby: their worker is killed with their node.
func TestManyCallsAreRescuedByTheStandby(t *testing.T) {
	c := apart(t, "rescuedeath")
	first := c.w.worker
	second, err := c.w.startWorker(within(t), "worker2")
	must(t, err)
	moveMany(t, c, movedCalls(t, movedAtOnce), leaving{die: func(from string) {
		must(t, c.w.nodes[from].Kill())
		must(t, first.Kill())
		c.w.worker = second
	}})
}

// moveMany lets calls of all kinds leave their node at once.
func moveMany(t *testing.T, c *company, n int, how leaving) {
	t.Helper()
	c.flow(t, "601", "main", map[string]tenants.Element{
		"main": element("menu", map[string]any{"prompt": "welcome", "attempts": 1, "seconds": 60}, map[string]string{"1": "bye", "timeout": "bye", "invalid": "bye"}),
		"bye":  element("hangup", map[string]any{}, nil)})
	c.flow(t, "602", "box", box("two", map[string]any{"silence_seconds": 60, "max_seconds": 120}))
	users := c.manyUsers(t, n)
	c.publish(t)
	c.register(t, users...)

	var calls []movingCall
	for i := range n {
		calls = append(calls, c.begin(t, i))
	}
	c.settled(t, n)
	var answer struct{ Calls []callView }
	must(t, c.w.get(within(t), "/v1/tenants/"+c.id+"/calls?live", &answer))
	from := answer.Calls[0].Node
	began := time.Now()
	if how.die != nil {
		legs := 0
		for _, m := range calls {
			legs += len(m.phones)
		}
		c.w.awaitDialogs(t, legs)
		began = time.Now()
		how.die(from)
	} else {
		must(t, c.w.Provisioning.MoveCalls(within(t), from))
	}
	if how.meanwhile != nil {
		how.meanwhile(from)
	}

	moved, strays, wrong := 0, 0, 0
	var gaps []time.Duration
	for i, m := range calls {
		for j, p := range m.phones {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			if err := p.Wait(ctx); err != nil {
				t.Errorf("call %d (%s), phone %d: %v\n%s", i, m.kind, j, err, p.Messages())
			}
			cancel()
			if err := sipptest.CheckDialog(p.Messages()); err != nil {
				t.Errorf("call %d (%s), phone %d: %v", i, m.kind, j, err)
			}
			strays += max(0, sipptest.Requests(p.Messages(), "BYE")-m.byes[j])
		}
		x := c.w.story(t, callIDOf(m.phones[0].Messages()), len(m.phones))
		if !slices.ContainsFunc(x.Legs, func(l messages.CDR) bool { return len(l.Segments) < 2 }) {
			moved++
		}
		if gap, ok := gapOf(x, m); ok && how.die == nil {
			gaps = append(gaps, gap)
		} else if at := toldAt(x, "rescued"); !at.IsZero() {
			gaps = append(gaps, at.Sub(began))
		}
		wrong += max(0, len(x.Legs)-len(m.phones))
		for _, l := range x.Legs {
			if len(l.Segments) != 2 || l.Segments[0].Node != from || l.AnsweredAt == nil || l.Estimated || !l.Segments[1].Until.Equal(l.EndedAt) || !l.Segments[0].From.Equal(l.StartedAt) {
				wrong++
				t.Errorf("call %d (%s): the record is %+v", i, m.kind, l)
			}
		}
	}
	slices.Sort(gaps)
	p99 := time.Duration(0)
	if len(gaps) > 0 {
		p99 = percentile(gaps, 99)
	}
	named, within, bound := "moved", "move_gap_p99_ms", boundMoveGap
	if how.die != nil {
		named, within, bound = "rescued", "rescue_p99_ms", boundRescue
	}
	for _, f := range []figure{{named + "_calls", float64(n)}, {named + "_share", float64(moved) / float64(n)}, {within, milliseconds(p99)},
		{"stray_byes", float64(strays)}, {"cdrs_wrong", float64(wrong)}} {
		fmt.Println(f)
	}
	// The last entries of a dead worker's journal are lost, and with them when some calls moved.
	if moved != n || strays != 0 || wrong != 0 || len(gaps) != n && how.meanwhile == nil || p99 >= bound {
		t.Errorf("of %d calls %d moved, %d with a known gap; p99 of the gap is %v, stray BYEs %d, wrong records %d", n, moved, len(gaps), p99, strays, wrong)
	}
}
