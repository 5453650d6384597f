package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/explain"
	"tandem/provisioning"
	"tandem/sipptest"
	"tandem/tenants"
)

// standing is how long a victim's calls stand, at most.
const standing = 4 * time.Minute

// victim is a tenant whose phones talk, ring and are parked while others try to get at them. Its user "hidden" has the extension 555,
// which nobody else has.
type victim struct {
	*company
	t      *testing.T
	db     *pgx.Conn
	stream *listener

	two, three             *talker
	talk, rung             *talk             // of two, talking to one; of three, not answered
	caller, ringer, parked *sipptest.Running // who talks to two; who rings three; who is parked in slot 701
	mobile                 *sipptest.Phone   // of who rings
	over                   int               // calls that have stood and ended
	calls                  map[string]string // ids of these calls, by what their story tells
	before                 map[string]string // all that was heard of, as of the last look
}

func (w *world) victim(t *testing.T, parent string) *victim {
	t.Helper()
	c := w.company(t, func(n *provisioning.NewTenant) { n.Parent, n.Name = parent, foreignMark+" "+n.Name })
	v := &victim{company: c, t: t, calls: map[string]string{}}
	v.furnish()
	ctx, cancel := context.WithTimeout(t.Context(), standing)
	t.Cleanup(cancel)
	var err error
	v.db, err = pgx.Connect(ctx, w.postgresURL)
	must(t, err)
	t.Cleanup(func() { _ = v.db.Close(context.WithoutCancel(ctx)) })
	v.leave(t, "two")
	v.stream = w.follow(ctx, t, c.id)
	t.Cleanup(cancel) // before the stream is waited for
	v.callUp(ctx)
	return v
}

func (v *victim) furnish() {
	t, p := v.t, v.w.Provisioning
	_, err := p.CreateUser(within(t), v.id, provisioning.NewUser{ID: "hidden", Name: foreignMark + " Hidden", Extension: "555"})
	must(t, err)
	_, _, err = p.CreateDevice(within(t), v.id, provisioning.NewDevice{ID: "hidden-phone", UserID: "hidden", Name: foreignMark, Username: "hidden"})
	must(t, err)
	v.flow(t, "400", "box", box("two", map[string]any{"greeting": "silence:100", "silence_seconds": 20}))
	v.flow(t, "210", "ring", map[string]tenants.Element{"ring": ringing("at_once", 60, "three")})
	v.flow(t, v.number, "ring", map[string]tenants.Element{"ring": ringing("at_once", 10, "two", "three")})
	v.flow(t, parks, "park", map[string]tenants.Element{"park": element("park", map[string]any{"first": 701, "seconds": int(standing / time.Second)}, nil)})
	v.flow(t, fetches, "unpark", map[string]tenants.Element{"unpark": element("unpark", map[string]any{"slot": "701"}, nil)})
	v.publish(t)
	must(t, p.SetPIN(within(t), v.id, "two", "4711"))
}

// begin begins a call that stands, and waits until it tells of what it is known by.
func (v *victim) begin(ctx context.Context, p *sipptest.Phone, number, tells string) *sipptest.Running {
	v.t.Helper()
	running, err := p.Call(ctx, number, sipptest.Call{CalleeEnds: true, Within: standing})
	must(v.t, err)
	awaitThat(v.t, "the victim's call does not tell of "+tells, func(ctx context.Context) (bool, error) {
		id := callIDOf(running.Seen())
		if id == "" {
			return false, nil
		}
		x, err := explainCall(ctx, v.w.Store, v.w.words, id)
		if err != nil {
			return false, nil //nolint:nilerr // it is not in the ledger yet
		}
		v.calls[tells] = x.Call
		return slices.ContainsFunc(x.Lines, func(l explain.Line) bool { return l.Code == tells }), nil
	})
	return running
}

// callUp begins the talk and the parked call. The third call rings no longer than a minute: each of those who try finds another one.
func (v *victim) callUp(ctx context.Context) {
	t := v.t
	v.parked = v.begin(ctx, v.secondPhone(t, "one"), parks, "parked_in")
	v.two, v.three, v.mobile = v.talker(t, "two"), v.talker(t, "three"), v.secondPhone(t, "two")
	v.three.waits.Store(true)
	v.caller = v.begin(ctx, v.users["one"], "102", "talking")
	v.talk = v.two.answered()
}

// rings begins the call that rings.
func (v *victim) rings(ctx context.Context) {
	v.ringer = v.begin(ctx, v.mobile, "210", "leg_rang")
	v.rung = <-v.three.rings
	v.settle()
}

// rangOn answers the call that rings, and ends it.
func (v *victim) rangOn() {
	v.t.Helper()
	v.rung.pickUp()
	v.three.answered()
	v.rung.bye()
	v.ended(v.ringer, "leg_rang", []string{"route_found", "leg_rang", "leg_answered", "talking"}, cleared("two-mobile"), cleared("three-phone"))
}

// ended checks that a call that stood has ended as if nobody had tried anything.
func (v *victim) ended(running *sipptest.Running, first string, tells []string, legs ...leg) {
	v.t.Helper()
	x := v.w.story(v.t, succeed(v.t, running), len(legs))
	expected{Verdict: "The call was answered", Tells: tells, Legs: legs}.check(v.t, x)
	if x.Call != v.calls[first] {
		v.t.Errorf("the call is %s, and was %s", x.Call, v.calls[first])
	}
	v.over++
}

// settle waits until all that was done is told everywhere, and takes it as what is to stay.
func (v *victim) settle() {
	v.t.Helper()
	awaitThat(v.t, "what there is to tell of the victim is not told", func(ctx context.Context) (bool, error) {
		var waiting int
		err := v.db.QueryRow(ctx, `SELECT count(*) FROM outbox WHERE tenant_id = $1`, v.id).Scan(&waiting)
		was := v.before
		v.before = v.look()
		return err == nil && waiting == 0 && maps.Equal(was, v.before), err
	})
}

// look is all that is to be seen of the victim: its rows, what its phones have got, what its stream has told.
func (v *victim) look() map[string]string {
	v.t.Helper()
	seen := stateOf(within(v.t), v.t, v.db, v.id)
	seen["what its phone two got"], seen["what its phone three got"] = strings.Join(v.two.all(), "\n"), strings.Join(v.three.all(), "\n")
	seen["what its caller saw"], seen["what its ringing caller saw"], seen["what its parked caller saw"] = v.caller.Seen(), v.ringer.Seen(), v.parked.Seen()
	v.stream.mu.Lock()
	defer v.stream.mu.Unlock()
	seen["what its stream told"] = fmt.Sprint(v.stream.events)
	return seen
}

// touched is what has changed of the victim since the last look.
func (v *victim) touched() (what []string) {
	v.t.Helper()
	now := v.look()
	for name, was := range v.before {
		if now[name] != was {
			what = append(what, fmt.Sprintf("%s:\n%s\nwas:\n%s", name, now[name], was))
		}
	}
	v.before = now
	slices.Sort(what)
	return what
}

// goesOn ends the talk and the parked call, which nobody has noticed anything of.
func (v *victim) goesOn() {
	t, w := v.t, v.w
	t.Helper()
	v.talk.bye()
	v.ended(v.caller, "talking", []string{"caller_device", "route_found", "nodes_chosen", "talking"}, cleared("one-phone"), cleared("two-phone"))
	succeed(t, v.secondFetch())
	v.ended(v.parked, "parked_in", []string{"parked_in", "taken_unpark", "joined"}, cleared("one-mobile"))
	calls, err := w.callsOf(within(t), v.id)
	must(t, err)
	if want := v.over + 2; len(calls) != want { // that which left the message, and that which fetched the parked one
		t.Errorf("the victim has had %d calls, and made %d", len(calls), want)
	}
	if m := v.awaitMessages(t, "two", 1); m[0].HeardAt != nil {
		t.Errorf("somebody has heard the victim's message: %+v", m[0])
	}
}

// secondFetch is the victim's own phone that fetches the parked call.
func (v *victim) secondFetch() *sipptest.Running {
	phone := *v.users["one"]
	phone.Port = 0
	return dial(v.t, &phone, fetches, sipptest.Call{})
}

// hostile is a tenant that tries to get at a victim's. It has the same extensions, users and feature codes, and knows all that can be
// known of the victim's calls.
type hostile struct {
	*company
	v       *victim
	saw     strings.Builder // all that it was told
	secrets []string        // what it may be told nothing of
}

func (w *world) hostile(t *testing.T, c *company, v *victim) *hostile {
	t.Helper()
	h := &hostile{company: c, v: v, secrets: []string{foreignMark}}
	for _, call := range v.calls {
		h.secrets = append(h.secrets, call)
	}
	c.joins(t)
	c.codes(t)
	must(t, w.Provisioning.SetPIN(within(t), c.id, "two", "2580"))
	c.register(t, "two", "three")
	return h
}

// dials lets a phone of its call a number. What came of it must tell of a code.
func (h *hostile) dials(t *testing.T, p *sipptest.Phone, number string, call sipptest.Call, tells string) {
	t.Helper()
	running := dial(t, p, number, call)
	h.ends(t, succeed(t, running), 1, tells)
	h.saw.WriteString(running.Messages())
}

// ends waits for the end of a call of its, which must tell of a code.
func (h *hostile) ends(t *testing.T, id string, legs int, tells string) {
	t.Helper()
	x := h.w.story(t, id, legs)
	entries, err := h.w.Store.JournalOf(within(t), x.Call)
	must(t, err)
	if !slices.ContainsFunc(x.Lines, func(l explain.Line) bool { return l.Code == tells }) || x.Tenant != h.id {
		t.Errorf("the call of %s does not tell of %q:\n%s", x.Tenant, tells, x.Text())
	}
	h.saw.WriteString(x.Text() + legsOf(x) + journalText(entries))
}

// talking gives the talk of its phone two, which its phone one has called.
func (h *hostile) talking(t *testing.T) (one *sipptest.Running, two *talk) {
	t.Helper()
	phone := talks(t, h.users["two"])
	one = h.call(t, "one", "102", sipptest.Call{CalleeEnds: true, Talk: patience})
	two = phone.answered()
	awaitThat(t, "the talk is not told of", func(ctx context.Context) (bool, error) {
		x, err := explainCall(ctx, h.w.Store, h.w.words, callIDOf(one.Seen()))
		return err == nil && slices.ContainsFunc(x.Lines, func(l explain.Line) bool { return l.Code == "talking" }), nil
	})
	return one, two
}

// asks sends one request outside of its own dialogs, and gives the answer's code.
func (h *hostile) asks(t *testing.T, p *sipptest.Phone, method, uri, headers string, dialog func(*talk)) string {
	t.Helper()
	phone := *p
	phone.Port = 0
	k := talks(t, &phone)
	d := k.newTalk(fmt.Sprintf("%d@%s", time.Now().UnixNano(), k.address()))
	d.local, d.remote, d.target = "<sip:"+p.User+"@"+p.Domain+">;tag=hostile", "<"+uri+">", uri
	if dialog != nil {
		dialog(d)
	}
	reply := d.ask(method, headers, "")
	if method == "INVITE" {
		d.send("ACK", d.number, "", "")
	}
	h.saw.WriteString(reply)
	return strings.Fields(reply)[1]
}

// told is which of its secrets the victim has told.
func (h *hostile) told() (secrets []string) {
	for _, secret := range h.secrets {
		if strings.Contains(h.saw.String(), secret) {
			secrets = append(secrets, secret)
		}
	}
	h.saw.Reset()
	return secrets
}
