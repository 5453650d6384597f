package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"tandem/admin"
	"tandem/explain"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/provisioning/api"
	"tandem/sipptest"
	"tandem/stack"
)

// demoCommand shows everything on this machine.
type demoCommand struct {
	Once    bool   `help:"End after the call: 0 when it was answered and explained."`
	Address string `default:"127.0.0.1" env:"TANDEM_DEMO_ADDRESS" help:"IP address at which phones reach the demo; an address of the local network lets a real softphone register."`
}

// Bounds of the demo.
const (
	demoStart   = 3 * time.Minute  // for all that is started, the installation aside
	demoCall    = 40 * time.Second // for the call and its records
	demoTalk    = 2 * time.Second
	demoSIPPort = 5060
)

// demo is one run.
type demo struct {
	system *system
	tenant provisioning.DemoTenant
	began  time.Time
}

// Run installs, starts, calls, explains, and stays up until Ctrl-C.
func (c *demoCommand) Run(ctx context.Context) error {
	d := &demo{began: time.Now()}
	first := !allInstalled()
	if err := stack.Install(ctx, os.Stdout, demoPrograms()...); err != nil {
		return err
	}
	s, err := stack.Start(ctx, stack.Options{Out: os.Stdout, PostgreSQL: true, RabbitMQ: true})
	if err != nil {
		return err
	}
	err = d.show(ctx, s, c)
	if err == nil {
		fmt.Printf("figure %s %.1f\n", map[bool]string{true: "demo_first_s", false: "demo_again_s"}[first], time.Since(d.began).Seconds())
		if !c.Once {
			d.next()
			d.openAdmin(ctx)
			<-ctx.Done()
			fmt.Println("\nending everything that the demo started")
		}
	}
	if d.system != nil {
		d.system.Store.Close()
	}
	return errors.Join(err, s.Close())
}

func demoPrograms() []stack.Program {
	return []stack.Program{stack.PostgreSQL, stack.RabbitMQ, stack.Kamailio, stack.SIPTester}
}

func allInstalled() bool {
	for _, p := range demoPrograms() {
		if !p.Installed() {
			return false
		}
	}
	return true
}

// show starts the system, makes one call and explains it.
func (d *demo) show(ctx context.Context, s *stack.Stack, c *demoCommand) error {
	starting, cancel := context.WithTimeout(ctx, demoStart)
	defer cancel()
	if err := d.start(starting, s, c); err != nil {
		return err
	}
	calling, cancel := context.WithTimeout(ctx, demoCall)
	defer cancel()
	sipCallID, err := d.call(calling)
	if err != nil {
		return err
	}
	return d.explain(calling, sipCallID)
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// start brings everything up.
func (d *demo) start(ctx context.Context, s *stack.Stack, c *demoCommand) error {
	o := systemOptions{Out: os.Stdout, Address: c.Address, PreferredPort: demoSIPPort}
	where, found := stack.FindFreeSWITCH()
	if found && !stack.IsAddress(where) {
		o.FreeSWITCH = where
		say("media node: FreeSWITCH (%s)", where)
	} else {
		say("media node: the stand-in. It signals as FreeSWITCH does and carries NO AUDIO; install FreeSWITCH to hear something.")
	}
	y, err := newSystem(ctx, s, o)
	if err != nil {
		return err
	}
	d.system = y
	if d.tenant, err = y.Provisioning.Demo(ctx); err != nil {
		return err
	}
	say("demo tenant: %d phones, numbers %s, version %d", len(d.tenant.Phones), strings.Join(d.tenant.Tenant.Numbers, " and "), d.tenant.Published.Version)
	if err := y.addresses(); err != nil {
		return err
	}
	if _, err := y.startNode(ctx, "node1"); err != nil {
		return err
	}
	if _, err := y.startEdge(ctx); err != nil {
		return err
	}
	say("Kamailio takes phones at %s", y.Edge)
	if _, err := y.startWorker(ctx, "worker1"); err != nil {
		return err
	}
	if err := y.awaitReady(ctx); err != nil {
		return err
	}
	say("worker drives node1; health at http://%s/health", y.HTTPAddress)
	return nil
}

// call registers two phones and lets the first call the second.
func (d *demo) call(ctx context.Context) (sipCallID string, err error) {
	caller, callee := d.phone(0), d.phone(1)
	for _, p := range []*sipptest.Phone{caller, callee} {
		if err := p.Register(ctx, sipptest.Registration{}); err != nil {
			return "", fmt.Errorf("the demo's phone %s could not register: %w", p.User, err)
		}
	}
	say("phones %s and %s are registered", caller.User, callee.User)
	if err := d.system.awaitRegistered(ctx, callee.User, callee.Domain); err != nil {
		return "", err
	}
	listening, err := callee.Listen(ctx, sipptest.Behaviour{})
	if err != nil {
		return "", err
	}
	extension := d.tenant.Phones[1].Extension
	say("%s calls %s", caller.User, extension)
	calling, err := caller.Call(ctx, extension, sipptest.Call{Talk: demoTalk})
	if err != nil {
		return "", err
	}
	if err := errors.Join(calling.Wait(ctx), listening.Wait(ctx)); err != nil {
		return "", fmt.Errorf("the demo's call failed: %w", err)
	}
	return callIDOf(calling.Messages()), nil
}

func (d *demo) phone(i int) *sipptest.Phone {
	p := d.tenant.Phones[i]
	return &sipptest.Phone{Edge: d.system.Edge, User: p.Device.Username, Domain: p.Domain, Password: p.Password}
}

// callIDOf finds the SIP Call-ID in a phone's messages.
func callIDOf(text string) string {
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(name), "Call-ID") {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// explain waits for the call's records and prints why it went as it did.
func (d *demo) explain(ctx context.Context, sipCallID string) error {
	words, err := explain.Catalog()
	if err != nil {
		return err
	}
	const legs = 2
	var x explain.Explanation
	err = await(ctx, errNoCDR.Error(), func(ctx context.Context) (bool, error) {
		x, err = explainCall(ctx, d.system.Store, words, sipCallID)
		if errors.Is(err, errNoCall) {
			return false, nil
		}
		return len(x.Legs) >= legs && x.Complete(), err
	})
	if err != nil {
		return err
	}
	say("\nwhy the call went there (tandem explain %s):", x.Call)
	fmt.Print(x.Text())
	say("\nits CDRs:")
	for _, leg := range x.Legs {
		say("  %-6s  %s -> %s  %s  %.1f s  %s", leg.Role, leg.From, leg.To, leg.StartedAt.Format(time.TimeOnly), leg.EndedAt.Sub(leg.StartedAt).Seconds(), leg.Cause)
	}
	if x.Legs[0].AnsweredAt == nil {
		return errors.New("the demo's call was not answered: " + x.Verdict)
	}
	return nil
}

// openAdmin makes somebody who can sign in at the web admin, with a password of this run's.
func (d *demo) openAdmin(ctx context.Context) {
	password := strings.ToLower(rand.Text())
	who := provisioning.NewPerson{Password: password, Person: postgres.Person{Name: "Demo", Email: "admin@" + provisioning.DemoDomain, Role: api.RolePlatformAdmin}}
	if _, err := d.system.Provisioning.AddPerson(ctx, who); err != nil {
		say("\nNobody could be let in to the web admin: %v", err)
		return
	}
	say("\nThe web admin: http://%s%s/", d.system.HTTPAddress, admin.Path)
	say("  e-mail %s  password %s", who.Email, password)
}

// next says what to try.
func (d *demo) next() {
	say("\nThe demo stays up until Ctrl-C. To try next, in another terminal:")
	say("  export TANDEM_POSTGRES_URL='%s'", d.system.postgresURL)
	say("  go run ./cmd/tandem explain --from %s@%s --to %s", d.tenant.Phones[0].Device.Username, provisioning.DemoDomain, provisioning.DemoMenu)
	say("  go run ./cmd/tandem explain --from %s@%s --to %s --digits 1", d.tenant.Phones[0].Device.Username, provisioning.DemoDomain, provisioning.DemoMenu)
	say("  export TANDEM_API=http://%s TANDEM_API_KEY=%s", d.system.HTTPAddress, d.system.operatorKey)
	say("  go run ./cmd/tandem call list")
	say("  curl -s -H \"Authorization: Bearer $TANDEM_API_KEY\" $TANDEM_API/v1/tenants/%s/users", d.tenant.Tenant.ID)
	say("  the API's document: http://%s/v1/openapi.json, to read: http://%s/docs", d.system.HTTPAddress, d.system.HTTPAddress)
	say("\nA softphone registers with (UDP or TCP, proxy %s):", d.system.Edge)
	for _, p := range d.tenant.Phones {
		say("  user %-10s domain %s  password %s  extension %s", p.Device.Username, p.Domain, p.Password, p.Extension)
	}
	say("  Calls: an extension, %s (ring group), %s (menu). Calls to the outside are refused: there is no trunk.", provisioning.DemoGroup, provisioning.DemoMenu)
	if strings.HasPrefix(d.system.Edge, "127.") {
		say("  For a phone on another machine run: go run ./cmd/tandem demo --address IP-OF-THIS-MACHINE")
	}
}

// edgeURL is the database as the edge's role reaches it.
func edgeURL(postgresURL, password string) (string, error) {
	u, err := url.Parse(postgresURL)
	if err != nil {
		return "", errors.New("the PostgreSQL URL cannot be read")
	}
	u.User = url.UserPassword(postgres.EdgeRole, password)
	return u.String(), nil
}
