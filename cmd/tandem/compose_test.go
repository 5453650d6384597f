package main

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"tandem/stack"
)

// composeFile is what the test needs of docker-compose.yml.
type composeFile struct {
	Services map[string]struct {
		Image       string
		Command     []string
		Environment map[string]string
	}
}

// variable is ${NAME}, ${NAME:?message} or ${NAME:-default}.
var variable = regexp.MustCompile(`\$\{([A-Z_]+)(:\?[^}]*|:-[^}]*)?\}`)

func readCompose(t *testing.T, settings map[string]string) composeFile {
	t.Helper()
	text, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	filled := variable.ReplaceAllStringFunc(string(text), func(s string) string {
		found := variable.FindStringSubmatch(s)
		if value := settings[found[1]]; value != "" {
			return value
		}
		if strings.HasPrefix(found[2], ":-") {
			return found[2][2:]
		}
		t.Fatalf("docker-compose.yml needs %s, which deploy/env.example does not name", found[1])
		return ""
	})
	var c composeFile
	if err := yaml.Unmarshal([]byte(filled), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// exampleSettings fills every line of deploy/env.example that asks for a value.
func exampleSettings(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/env.example")
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, _, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			settings[name] = ""
			if strings.HasSuffix(name, "_PASSWORD") {
				settings[name] = "test" + strings.ToLower(strings.ReplaceAll(name, "_", ""))
			}
		}
	}
	settings["TANDEM_ADDRESS"] = "127.0.0.1"
	return settings
}

// composeRun runs the services of docker-compose.yml beside a stack instead of in containers: the same commands and
// environments, with the addresses of one machine replaced by free ones.
type composeRun struct {
	t        *testing.T
	ctx      context.Context
	stack    *stack.Stack
	file     composeFile
	replaced *strings.Replacer
}

func newComposeRun(t *testing.T) *composeRun {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	s, err := stack.Start(ctx, stack.Options{PostgreSQL: true, RabbitMQ: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	settings := exampleSettings(t)
	r := &composeRun{t: t, ctx: ctx, stack: s, file: readCompose(t, settings)}
	postgres, amqp := mustParse(t, s.PostgresURL), mustParse(t, s.AMQPURL)
	r.replaced = strings.NewReplacer(
		"tandem:"+settings["TANDEM_POSTGRES_PASSWORD"]+"@127.0.0.1:5432", postgres.User.String()+"@"+postgres.Host,
		"tandem:"+settings["TANDEM_AMQP_PASSWORD"]+"@127.0.0.1:5672", amqp.User.String()+"@"+amqp.Host,
		"127.0.0.1:8080", r.tcp(), "127.0.0.1:8021", r.tcp(), "127.0.0.1:5060", r.udp(), "127.0.0.1:5070", r.udp(), "127.0.0.1:5090", r.udp(),
		"/var/lib/tandem", filepath.Join(s.Dir, "worker"), "/run/tandem", filepath.Join(s.Dir, "run"),
		"/media/tandem", filepath.Join(s.Dir, "media"),
	)
	return r
}

func mustParse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (r *composeRun) tcp() string { return r.address(stack.FreePort) }
func (r *composeRun) udp() string { return r.address(stack.FreeUDPPort) }

func (r *composeRun) address(free func() (int, error)) string {
	r.t.Helper()
	port, err := free()
	if err != nil {
		r.t.Fatal(err)
	}
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port)).String()
}

// setting is one value of a service's environment, as it is run here.
func (r *composeRun) setting(service, name string) string {
	r.t.Helper()
	value, ok := r.file.Services[service].Environment[name]
	if !ok {
		r.t.Fatalf("the service %s has no %s", service, name)
	}
	return r.replaced.Replace(value)
}

// start runs a service's own command in its own environment.
func (r *composeRun) start(service string, ready func(context.Context) error, more ...string) *stack.Process {
	r.t.Helper()
	self, err := os.Executable()
	if err != nil {
		r.t.Fatal(err)
	}
	environment := append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.stack.Dir, asTandem}, more...)
	for name := range r.file.Services[service].Environment {
		environment = append(environment, name+"="+r.setting(service, name))
	}
	p, err := r.stack.Launch(r.ctx, stack.Command{Name: service, Path: self, Arguments: r.file.Services[service].Command, Environment: environment, Ready: ready})
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// finish runs a service that ends by itself.
func (r *composeRun) finish(service string) {
	r.t.Helper()
	p := r.start(service, nil)
	select {
	case <-p.Done():
		if log, err := os.ReadFile(p.Log()); err != nil || len(log) > 0 {
			r.t.Fatalf("the service %s said: %s %v", service, log, err)
		}
	case <-r.ctx.Done():
		r.t.Fatalf("the service %s did not end", service)
	}
}

// TestComposeCommands: every service's command and environment does what docker-compose.yml means it to, as far as that
// can be shown without containers: the worker drives the node that node-add made known, through the edge's own
// configuration.
func TestComposeCommands(t *testing.T) {
	r := newComposeRun(t)
	r.finish("migrate")
	r.finish("node-add")
	r.start("kamailio", nil)
	if where, found := stack.FindFreeSWITCH(); found && !stack.IsAddress(where) {
		r.start("freeswitch", connects(r.setting("freeswitch", "TANDEM_NODE_EVENT_SOCKET")), "TANDEM_FREESWITCH="+where)
	} else {
		t.Log("no FreeSWITCH on this machine: the stand-in takes its place, and the command `node run` is not run")
		y := &system{stack: r.stack, nodePassword: r.setting("worker", "TANDEM_NODE_PASSWORD"), Inside: r.setting("kamailio", "TANDEM_EDGE_INSIDE")}
		if _, err := y.startStandIn(r.ctx, "node1", r.setting("freeswitch", "TANDEM_NODE_SIP_ADDRESS"), r.setting("freeswitch", "TANDEM_NODE_EVENT_SOCKET")); err != nil {
			t.Fatal(err)
		}
	}
	http := r.setting("worker", "TANDEM_HTTP_ADDRESS")
	r.start("worker", serving("http://"+http+"/health"))
	y := &system{HTTPAddress: http, control: filepath.Join(r.setting("kamailio", "TANDEM_STATE_DIR"), "control")}
	if err := y.awaitReady(r.ctx, "node1"); err != nil {
		t.Fatal(err)
	}
}

// TestComposeServersFitTheirURLs: the two servers are given the users that the others log in as, and listen on loopback.
func TestComposeServersFitTheirURLs(t *testing.T) {
	settings := exampleSettings(t)
	c := readCompose(t, settings)
	postgres := mustParse(t, c.Services["worker"].Environment["TANDEM_POSTGRES_URL"])
	amqp := mustParse(t, c.Services["worker"].Environment["TANDEM_AMQP_URL"])
	for _, u := range []*url.URL{postgres, amqp} {
		if host, _, err := net.SplitHostPort(u.Host); err != nil || host != "127.0.0.1" {
			t.Errorf("%s is not on loopback", u.Host)
		}
	}
	want := map[string]map[string]string{
		"postgres": {"POSTGRES_USER": postgres.User.Username(), "POSTGRES_DB": strings.TrimPrefix(postgres.Path, "/"), "POSTGRES_PASSWORD": settings["TANDEM_POSTGRES_PASSWORD"]},
		"rabbitmq": {"RABBITMQ_DEFAULT_USER": amqp.User.Username(), "RABBITMQ_DEFAULT_PASS": settings["TANDEM_AMQP_PASSWORD"]},
	}
	for service, values := range want {
		for name, value := range values {
			if got := c.Services[service].Environment[name]; got != value {
				t.Errorf("%s: %s is %q, want %q", service, name, got, value)
			}
		}
	}
}
