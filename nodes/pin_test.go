package nodes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tandem/callflows"
	"tandem/tenants"
)

// edition is a version whose flow plays two prompts that name it: v3-one, v3-two.
func edition(version int64) tenants.Published {
	play := func(n string) []byte { return fmt.Appendf(nil, `{"prompt":"v%d-%s"}`, version, n) }
	return tenants.Published{Version: version, Flows: []tenants.Flow{{ID: "sales", Name: "Sales", Start: "first", Elements: map[string]tenants.Element{
		"first":  {Type: "play", Settings: play("one"), Exits: map[string]string{"next": "second"}},
		"second": {Type: "play", Settings: play("two")}}}}}
}

// editions are a configuration that changes: the first version is live, and the others are held besides.
type editions struct {
	t       *testing.T
	current atomic.Pointer[tenants.Snapshot]
	fetched chan int64    // versions that were asked for
	gives   chan struct{} // holds answers back until it is closed
	away    bool
}

func newEditions(t *testing.T, live int64, held ...int64) *editions {
	e := &editions{t: t, fetched: make(chan int64, 10), gives: make(chan struct{})}
	e.publish(live, held...)
	return e
}

func (e *editions) publish(live int64, held ...int64) {
	data := tenants.Data{Tenants: []tenants.Tenant{{ID: "office", Name: "Office", Domain: "office.example", TimeZone: "UTC", Published: edition(live)}}}
	for _, v := range held {
		data.Tenants[0].Versions = append(data.Tenants[0].Versions, edition(v))
	}
	s, faults := tenants.NextSnapshot(e.current.Load(), data, callflows.ParseSettings)
	if len(faults) > 0 {
		e.t.Error(faults)
	}
	e.current.Store(s)
}

func (e *editions) Version(ctx context.Context, tenant string, version int64) (*tenants.Tenant, error) {
	e.fetched <- version
	select {
	case <-e.gives:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if e.away {
		return nil, errors.New("PostgreSQL is away")
	}
	t, _ := e.current.Load().Tenant(tenant).Under(edition(version), callflows.ParseSettings)
	return t, nil
}

// asked waits until a version is asked for.
func (e *editions) asked() int64 {
	e.t.Helper()
	select {
	case v := <-e.fetched:
		return v
	case <-time.After(patience):
		e.t.Fatal("no version is asked for")
		return 0
	}
}

func (e *editions) use(o *Options) { o.Snapshot, o.Versions = e.current.Load, e }

// prompts waits for the next prompt, and lets it end.
func (f *fakeNode) prompt(name string, command int) {
	f.t.Helper()
	if played := f.ordered("execute-app-name: p"); !strings.Contains(played, name) {
		f.t.Fatalf("not %s but %s", name, played)
	}
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: playback", fmt.Sprintf("Application-UUID: %s/%d", callID, command), "Answer-State: answered")
}

// answered parks a call of version 3 and answers it.
func (f *fakeNode) answered() {
	f.t.Helper()
	f.event("CHANNEL_CREATE", callerLeg, "inbound")
	f.event("CHANNEL_PARK", callerLeg, "inbound")
	f.taken()
}

// taken answers the call.
func (f *fakeNode) taken() {
	f.t.Helper()
	f.ordered("execute-app-name: answer")
	f.event("CHANNEL_ANSWER", callerLeg, "inbound")
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: answer", "Application-UUID: "+callID+"/1", "Answer-State: answered")
}

// end hangs the caller up and gives the version of his record.
func (f *fakeNode) end(w *world) int64 {
	f.t.Helper()
	f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: NORMAL_CLEARING", "variable_hangup_cause_q850: 16")
	return w.cdr(f.t).Version
}

func ownEditions(t *testing.T, f *fakeNode, e *editions) *world {
	t.Helper()
	w := newWorld()
	o := options(t, f, w)
	e.use(&o)
	start(t, o)
	<-f.up
	return w
}

// A version that is published during a call is for the next one: the call ends as it began, although nothing else remembers
// its version any more.
func TestACallKeepsItsVersionWhileOthersArePublished(t *testing.T) {
	f, e := newFakeNode(t), newEditions(t, 3)
	w := ownEditions(t, f, e)
	f.answered()
	e.publish(4, 3)
	f.prompt("v3-one", 2)
	e.publish(5)
	f.prompt("v3-two", 3)
	if v := f.end(w); v != 3 || len(e.fetched) > 0 {
		t.Errorf("the record names version %d, and %d were fetched", v, len(e.fetched))
	}
}

// What routing decided with on a faster worker is fetched, and the call waits for it.
func TestACallWaitsForAVersionThatThisWorkerHasNotGotYet(t *testing.T) {
	f, e := newFakeNode(t), newEditions(t, 2)
	w := ownEditions(t, f, e)
	f.event("CHANNEL_CREATE", callerLeg, "inbound")
	f.event("CHANNEL_PARK", callerLeg, "inbound")
	if v := e.asked(); v != 3 {
		t.Fatalf("version %d is asked for", v)
	}
	select {
	case c := <-f.commands:
		if strings.Contains(c, "execute") {
			t.Fatalf("it does not wait: %s", c)
		}
	default:
	}
	close(e.gives)
	f.taken()
	f.prompt("v3-one", 2)
	if v := f.end(w); v != 3 {
		t.Errorf("the record names version %d", v)
	}
}

// One that cannot be had is said, and the call goes on.
func TestACallWhoseVersionCannotBeHadSaysSo(t *testing.T) {
	f, e := newFakeNode(t), newEditions(t, 2)
	e.away = true
	close(e.gives)
	w := ownEditions(t, f, e)
	f.answered()
	w.said(t, "version_missing")
	f.prompt("v2-one", 2)
	e.publish(3) // it comes too late, and is not changed to
	f.prompt("v2-two", 3)
	if v := f.end(w); v != 2 {
		t.Errorf("the record names version %d", v)
	}
}

// One that does not come in time is as one that cannot be had: nobody hears nothing for ever.
func TestAVersionIsNotWaitedForForEver(t *testing.T) {
	f, e := newFakeNode(t), newEditions(t, 2)
	w := ownEditions(t, f, e)
	f.answered()
	w.said(t, "version_missing")
	f.prompt("v2-one", 2)
}

// The standby, which may have never seen the version, has it by the time it takes over.
func TestAStandbyGoesOnUnderTheCallsVersion(t *testing.T) {
	f := newFakeNode(t)
	e, later := newEditions(t, 3), newEditions(t, 4)
	close(later.gives)
	first, stopFirst := workerThat(t, f, "worker1.a", e.use)
	first.up(t)
	second, _ := workerThat(t, f, "worker2.b", later.use)
	second.picture(t)
	f.answered()
	e.publish(4)
	first.said(t, "playing")
	if v := later.asked(); v != 3 {
		t.Fatalf("version %d is asked for", v)
	}
	stopFirst()
	second.up(t)
	f.prompt("v3-one", 2)
	f.prompt("v3-two", 3)
	if v := f.end(second); v != 3 {
		t.Errorf("the record names version %d", v)
	}
}

// Two gaps while it waits for its version are one: what it waits for is ordered anew once.
func TestACallThatWaitsForItsVersionIsTakenUpOnce(t *testing.T) {
	s := callflows.State{Phase: callflows.Running, FlowID: "sales", Element: "second", Entered: 2, Commands: 3, Awaited: 3, Stage: "playing", Answered: true}
	f := holding(t, encodeMark(s, 9), callerLeg)
	e := newEditions(t, 4)
	w := ownEditions(t, f, e)
	w.up(t)
	f.drop()
	<-f.up
	w.up(t)
	close(e.gives)
	f.prompt("v3-two", 4)
	f.end(w)
	resumed := 0
	for len(w.reasons) > 0 {
		if <-w.reasons == "resumed" {
			resumed++
		}
	}
	if resumed != 1 {
		t.Errorf("it is resumed %d times", resumed)
	}
}

// A call out that a transfer has led to a flow of its tenant's is adopted under the version of that moment, also when that is the one
// that routing decided with, which did not bind the call before.
func TestAnAdoptedCallOutGoesOnUnderTheVersionOfItsTransfer(t *testing.T) {
	s := callflows.State{Phase: callflows.Running, Version: 3, FlowID: "sales", Element: "second", Entered: 2, Commands: 3, Awaited: 3, Stage: "playing", Answered: true,
		Transfer: callflows.Transfer{Times: 1, Source: "order1", Parked: true, Target: "102"}}
	f := holding(t, encodeMark(s, 9), callerLeg)
	f.dump = strings.Replace(f.dump, `"variable_sip_h_X-Tandem-Flow":"sales"`, `"variable_sip_h_X-Tandem-Flow":"*outbound"`, 1)
	e := newEditions(t, 4)
	close(e.gives)
	w := ownEditions(t, f, e)
	w.said(t, "resumed")
	f.prompt("v3-two", 4)
	if v := f.end(w); v != 3 {
		t.Errorf("the record names version %d", v)
	}
}

// A worker that knows nothing but the channel adopts the call under its version.
func TestAnAdoptedCallGoesOnUnderItsVersion(t *testing.T) {
	s := callflows.State{Phase: callflows.Running, FlowID: "sales", Element: "second", Entered: 2, Commands: 3, Awaited: 3, Stage: "playing", Answered: true}
	f := holding(t, encodeMark(s, 9), callerLeg)
	e := newEditions(t, 4)
	close(e.gives)
	w := ownEditions(t, f, e)
	w.said(t, "resumed")
	f.prompt("v3-two", 4)
	if v := f.end(w); v != 3 {
		t.Errorf("the record names version %d", v)
	}
}
