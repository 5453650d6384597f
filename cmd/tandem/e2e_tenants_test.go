package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem/explain"
	"tandem/provisioning"
	"tandem/sipptest"
	"tandem/tenants"
)

// company is a tenant of one test's own, so that tests do not meet: the users "one", "two" and "three" with the
// extensions 101, 102 and 103, one phone each, at an address of the company's own.
type company struct {
	w       *world
	id      string
	domain  string
	name    string
	number  string // an outside number
	address string // of its phones
	users   map[string]*sipptest.Phone
}

const companyUsers = 3

// company makes a tenant, with what else there is to say of it. Nothing of it is published yet.
func (w *world) company(t *testing.T, says ...func(*provisioning.NewTenant)) *company {
	t.Helper()
	w.mu.Lock()
	w.tenants++
	n := w.tenants
	w.mu.Unlock()
	id := fmt.Sprintf("company%d", n)
	c := &company{w: w, id: id, domain: id + ".example", name: "Company " + strconv.Itoa(n), number: fmt.Sprintf("+1202555%04d", 1000+n),
		address: fmt.Sprintf("127.0.1.%d", n), users: map[string]*sipptest.Phone{}}
	ctx, p := within(t), w.Provisioning
	tenant := provisioning.NewTenant{ID: id, Name: c.name, Domain: c.domain}
	for _, say := range says {
		say(&tenant)
	}
	c.name = tenant.Name
	_, err := p.CreateTenant(ctx, tenant)
	must(t, err)
	must(t, p.AddNumber(ctx, id, c.number))
	for i, user := range []string{"one", "two", "three"}[:companyUsers] {
		_, err := p.CreateUser(ctx, id, provisioning.NewUser{ID: user, Name: "User " + user, Extension: strconv.Itoa(101 + i), Number: c.number})
		must(t, err)
		_, password, err := p.CreateDevice(ctx, id, provisioning.NewDevice{ID: c.device(user), UserID: user, Name: "Phone " + user, Username: user})
		must(t, err)
		c.users[user] = &sipptest.Phone{Edge: w.Edge, User: user, Domain: c.domain, Password: password, Address: c.address}
	}
	return c
}

// device is the id of a user's phone.
func (*company) device(user string) string { return user + "-phone" }

// flow adds a flow and the route that leads to it.
func (c *company) flow(t *testing.T, dialled string, start string, elements map[string]tenants.Element) {
	t.Helper()
	f := tenants.Flow{ID: "flow" + strings.TrimPrefix(dialled, "+"), Name: "Flow " + dialled, Start: start, Elements: elements}
	must(t, c.w.Provisioning.SaveFlow(within(t), c.id, f))
	must(t, c.w.Provisioning.SaveRoute(within(t), c.id, tenants.Route{Dialled: dialled, FlowID: f.ID}))
}

// element writes an element's settings from pairs of a Go map.
func element(kind string, settings map[string]any, exits map[string]string) tenants.Element {
	text, err := json.Marshal(settings)
	if err != nil {
		panic(err)
	}
	return tenants.Element{Type: kind, Settings: text, Exits: exits}
}

// ringing is an element that rings users.
func ringing(strategy string, seconds int, users ...string) tenants.Element {
	return element("ring", map[string]any{"users": users, "strategy": strategy, "seconds": seconds}, nil)
}

// publish makes the drafts live and waits until the worker decides by them.
func (c *company) publish(t *testing.T) {
	t.Helper()
	_, err := c.w.Provisioning.Publish(within(t), c.id, "test", "")
	must(t, err)
	c.w.awaitRevision(t)
}

// awaitRevision waits until the worker has the configuration as it is now.
func (w *world) awaitRevision(t *testing.T) {
	t.Helper()
	revision, err := w.Store.Revision(within(t))
	must(t, err)
	awaitThat(t, "the worker did not get the new configuration", func(ctx context.Context) (bool, error) {
		var health struct{ Revision int64 }
		err := w.get(ctx, "/health", &health)
		return health.Revision >= revision, err
	})
}

// register registers users' phones and waits until the worker knows where they are.
func (c *company) register(t *testing.T, users ...string) {
	t.Helper()
	for _, user := range users {
		must(t, c.users[user].Register(within(t), sipptest.Registration{}))
	}
	for _, user := range users {
		must(t, c.w.awaitRegistered(within(t), user, c.domain))
	}
}

// listen lets a registered user's phone wait for one call.
func (c *company) listen(t *testing.T, user string, b sipptest.Behaviour) *sipptest.Running {
	t.Helper()
	return listen(t, c.users[user], b)
}

func listen(t *testing.T, p *sipptest.Phone, b sipptest.Behaviour) *sipptest.Running {
	t.Helper()
	running, err := p.Listen(within(t), b)
	must(t, err)
	return running
}

// call lets a user's phone call.
func (c *company) call(t *testing.T, user, number string, call sipptest.Call) *sipptest.Running {
	t.Helper()
	return dial(t, c.users[user], number, call)
}

func dial(t *testing.T, p *sipptest.Phone, number string, call sipptest.Call) *sipptest.Running {
	t.Helper()
	running, err := p.Call(within(t), number, call)
	must(t, err)
	return running
}

// succeed waits until phones have seen all that they were to see. It gives the SIP Call-ID of the first one's call.
func succeed(t *testing.T, phones ...*sipptest.Running) string {
	t.Helper()
	for i, phone := range phones {
		if err := phone.Wait(within(t)); err != nil {
			t.Errorf("phone %d: %v\n%s", i, err, phone.Messages())
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return callIDOf(phones[0].Messages())
}

// silent ends a phone that must not have been called.
func silent(t *testing.T, phone *sipptest.Running) {
	t.Helper()
	must(t, phone.Stop(within(t)))
	if strings.Contains(phone.Messages(), "INVITE sip:") {
		t.Errorf("a phone that nobody called was called:\n%s", phone.Messages())
	}
}

// awaitTold waits until a call of the company's tells of a code, and gives its id. It is how a test knows how far a call
// that is still up has come.
func (c *company) awaitTold(t *testing.T, code string) (call string) {
	t.Helper()
	awaitThat(t, "no call tells of "+code, func(ctx context.Context) (bool, error) {
		calls, err := c.w.callsOf(ctx, c.id)
		if err != nil {
			return false, err
		}
		for _, one := range calls {
			x, err := explainCall(ctx, c.w.Store, c.w.words, one.Call)
			if err != nil {
				return false, err
			}
			if slices.ContainsFunc(x.Lines, func(l explain.Line) bool { return l.Code == code }) {
				call = one.Call
				return true, nil
			}
		}
		return false, nil
	})
	return call
}

func addresses(texts ...string) []netip.Addr {
	out := make([]netip.Addr, 0, len(texts))
	for _, text := range texts {
		out = append(out, netip.MustParseAddr(text))
	}
	return out
}

// allWeek is open at any time.
func allWeek() []tenants.Hours {
	return []tenants.Hours{{Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, From: 0, Until: 24 * 60}}
}
