package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	freeswitchconf "tandem/freeswitch-conf"
	kamailioconf "tandem/kamailio-conf"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/provisioning/api"
	"tandem/stack"
	"tandem/tenants"
)

// system is a whole Tandem on one machine: an edge, media nodes and workers beside a stack's PostgreSQL and RabbitMQ. The
// demo and the end-to-end tests run it. Everything it starts belongs to the stack and ends with it.
type system struct {
	stack        *stack.Stack
	options      systemOptions
	postgresURL  string
	amqpURL      string
	nodePassword string
	edgePassword string
	operatorKey  string   // of all its workers
	secretKey    string   // of all workers
	control      string   // Kamailio's control socket
	engines      []string // the real ones, as they were started

	Edge         string // host:port for phones
	Inside       string // host:port of the edge for media nodes
	WebSocket    string // host:port for phones in browsers
	HTTPAddress  string
	firstHTTP    string // of the first worker that is started: the page of phones in browsers; empty: it was taken
	PhonesURL    string // where phones fetch their files
	Provisioning *provisioning.Service
	Store        *postgres.Store
}

// systemOptions say what the system is made of.
type systemOptions struct {
	Name             string    // tells systems on one stack apart
	Out              io.Writer // gets progress, a line at a time
	PostgresURL      string    // empty: the stack's own
	AMQPURL          string    // empty: the stack's own
	FreeSWITCH       string    // a FreeSWITCH's binary; empty: the stand-in
	Address          string    // where phones reach the edge; empty: 127.0.0.1
	PreferredPort    int       // for phones, if it is free
	EmergencyTrunk   string    // SIP URI; empty: emergency numbers get no special treatment at the edge
	EmergencyNumbers []string
	StandIn          []string // further arguments of the stand-in
	BanAfter         int      // failed logins; 0: the edge's default
}

// newSystem prepares the database and the passwords; nothing is started yet.
func newSystem(ctx context.Context, s *stack.Stack, o systemOptions) (*system, error) {
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Address == "" {
		o.Address = "127.0.0.1"
	}
	if o.Name == "" {
		o.Name = "tandem"
	}
	y := &system{stack: s, options: o, postgresURL: o.PostgresURL, amqpURL: o.AMQPURL, nodePassword: rand.Text(), edgePassword: rand.Text(),
		operatorKey: cmp.Or(os.Getenv("TANDEM_OPERATOR_KEY"), api.OperatorPrefix+rand.Text()), secretKey: newSecretKey()}
	if y.postgresURL == "" {
		y.postgresURL = s.PostgresURL
	}
	if y.amqpURL == "" {
		y.amqpURL = s.AMQPURL
	}
	if err := postgres.Migrate(ctx, y.postgresURL); err != nil {
		return nil, err
	}
	var err error
	if y.Store, err = postgres.Open(ctx, y.postgresURL); err != nil {
		return nil, err
	}
	y.Provisioning = &provisioning.Service{Store: y.Store}
	if err := y.Store.SetEdgePassword(ctx, y.edgePassword); err != nil {
		y.Store.Close()
		return nil, err
	}
	return y, nil
}

// addresses reserves the edge's ports.
func (y *system) addresses() error {
	outside, err := portFor(y.options.Address, y.options.PreferredPort)
	if err != nil {
		return err
	}
	inside, err := stack.FreeUDPPort()
	if err != nil {
		return err
	}
	if y.WebSocket, err = freeAddress(); err != nil {
		return err
	}
	if y.firstHTTP, err = freeAddress(); err != nil {
		return err
	}
	y.Edge, y.Inside = net.JoinHostPort(y.options.Address, strconv.Itoa(outside)), net.JoinHostPort("127.0.0.1", strconv.Itoa(inside))
	return nil
}

// portFor gives the preferred port if nobody has it, and a free one otherwise.
func portFor(address string, preferred int) (int, error) {
	if preferred != 0 {
		at := net.JoinHostPort(address, strconv.Itoa(preferred))
		udp, errUDP := net.ListenPacket("udp", at)
		if errUDP == nil {
			udp.Close()
		}
		tcp, errTCP := net.Listen("tcp", at)
		if errTCP == nil {
			tcp.Close()
		}
		if errUDP == nil && errTCP == nil {
			return preferred, nil
		}
	}
	return stack.FreeUDPPort()
}

// startEdge starts Kamailio.
func (y *system) startEdge(ctx context.Context) (*stack.Process, error) {
	dir, err := os.MkdirTemp(y.stack.Dir, "edge-")
	if err != nil {
		return nil, err
	}
	credentials, err := edgeURL(y.postgresURL, y.edgePassword)
	if err != nil {
		return nil, err
	}
	config, err := kamailioconf.Write(dir, kamailioconf.Values{
		Edge: "edge1.tandem.internal", Outside: y.Edge, Inside: y.Inside, AMQPURL: y.amqpURL, PostgresURL: credentials,
		EmergencyNumbers: y.options.EmergencyNumbers, EmergencyTrunk: y.options.EmergencyTrunk, BanAfter: y.options.BanAfter,
		WebSocket: y.WebSocket, Origins: []string{"http://" + y.firstHTTP},
	})
	if err != nil {
		return nil, err
	}
	y.control = filepath.Join(dir, "control")
	return y.stack.StartKamailio(ctx, stack.KamailioOptions{Config: config, Name: "kamailio-" + y.options.Name, Address: y.Edge})
}

// startNode starts a media node and makes it known.
func (y *system) startNode(ctx context.Context, name string) (*stack.Process, error) {
	sip, err := stack.FreeUDPPort()
	if err != nil {
		return nil, err
	}
	socket, err := stack.FreePort()
	if err != nil {
		return nil, err
	}
	sipAddress, socketAddress := net.JoinHostPort("127.0.0.1", strconv.Itoa(sip)), net.JoinHostPort("127.0.0.1", strconv.Itoa(socket))
	p, err := y.startNodeAt(ctx, name, sipAddress, socketAddress)
	if err != nil {
		return nil, err
	}
	return p, y.Provisioning.AddNode(ctx, tenants.Node{Name: name, SIPURI: "sip:" + sipAddress, EventSocket: socketAddress})
}

func (y *system) startNodeAt(ctx context.Context, name, sipAddress, socketAddress string) (*stack.Process, error) {
	if y.options.FreeSWITCH != "" {
		return y.startFreeSWITCH(ctx, name, sipAddress, socketAddress)
	}
	return y.startStandIn(ctx, name, sipAddress, socketAddress)
}

func (y *system) startStandIn(ctx context.Context, name, sipAddress, socketAddress string) (*stack.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return y.stack.Launch(ctx, stack.Command{
		Name: "stand-in " + name, Path: self,
		Arguments:   append([]string{"stand-in", "--sip-address", sipAddress, "--event-socket", socketAddress, "--name", name, "--allow", y.Inside}, y.options.StandIn...),
		Environment: append(os.Environ(), "TANDEM_NODE_PASSWORD="+y.nodePassword, asTandem),
		Ready:       connects(socketAddress),
	})
}

// A FreeSWITCH takes a port for media without a look whether it is free, and refuses the call (488) when it is not. So its
// ports are apart from those of the phones (package sipptest), of the kernel, and of the other nodes.
const (
	rtpFirst = 30000
	rtpLast  = 32766
	rtpNodes = 4 // more of them share
)

// rtpPorts are those of a node: the same ones when it is started again.
func (y *system) rtpPorts(node string) (first, last uint16) {
	const each = (rtpLast - rtpFirst + 1) / rtpNodes / 2 * 2
	i := slices.Index(y.engines, node)
	if i < 0 {
		i = len(y.engines)
		y.engines = append(y.engines, node)
	}
	first = uint16(rtpFirst + i%rtpNodes*each) //nolint:gosec // a port
	return first, first + each - 1
}

func (y *system) startFreeSWITCH(ctx context.Context, name, sipAddress, socketAddress string) (*stack.Process, error) {
	dir, err := os.MkdirTemp(y.stack.Dir, name+"-")
	if err != nil {
		return nil, err
	}
	inside := netip.MustParseAddrPort(y.Inside)
	first, last := y.rtpPorts(name)
	err = freeswitchconf.Write(dir, freeswitchconf.Values{
		Name: name, SIP: netip.MustParseAddrPort(sipAddress), EventSocket: netip.MustParseAddrPort(socketAddress), Password: y.nodePassword,
		Edges: []netip.Prefix{netip.PrefixFrom(inside.Addr(), inside.Addr().BitLen())}, EdgePorts: []uint16{inside.Port()},
		RTP: netip.MustParseAddr(y.options.Address), RTPStart: first, RTPEnd: last,
	})
	if err != nil {
		return nil, err
	}
	return y.stack.StartFreeSWITCH(ctx, stack.FreeSWITCHOptions{Bin: y.options.FreeSWITCH, ConfigDir: filepath.Join(dir, "conf"), Name: name,
		EventSocket: socketAddress, Password: y.nodePassword})
}

// startWorker starts a worker process with every role and waits until it answers.
func (y *system) startWorker(ctx context.Context, name string) (*stack.Process, error) {
	command, err := y.workerCommand(name)
	if err != nil {
		return nil, err
	}
	command.Ready = serving("http://" + y.HTTPAddress + "/health")
	return y.stack.Launch(ctx, command)
}

// workerCommand is how a worker is started. Its folder is that of the name, so that a worker that is started again finds
// its snapshots and its spool.
func (y *system) workerCommand(name string) (command stack.Command, err error) {
	self, err := os.Executable()
	if err != nil {
		return command, err
	}
	y.HTTPAddress, y.firstHTTP = y.firstHTTP, ""
	if y.HTTPAddress == "" {
		if y.HTTPAddress, err = freeAddress(); err != nil {
			return command, err
		}
	}
	phones, err := freeAddress()
	if err != nil {
		return command, err
	}
	y.PhonesURL = "http://" + phones
	return stack.Command{
		Name: "worker-" + y.options.Name + "-" + name, Path: self, Arguments: []string{"serve"},
		Environment: append(os.Environ(), "TANDEM_POSTGRES_URL="+y.postgresURL, "TANDEM_AMQP_URL="+y.amqpURL,
			"TANDEM_STATE_DIR="+filepath.Join(y.stack.Dir, "state-"+y.options.Name+"-"+name), "TANDEM_HTTP_ADDRESS="+y.HTTPAddress,
			// The machine does other work: builds, and the load of the tests themselves.
			"TANDEM_IGNORE_NODE_CPU=true", "TANDEM_FETCH_ALLOW=127.0.0.0/8", "TANDEM_WORKER="+name, "TANDEM_NODE_PASSWORD="+y.nodePassword, "TANDEM_OPERATOR_KEY="+y.operatorKey, "TANDEM_MEDIA_DIR="+y.mediaDir(),
			"TANDEM_SECRET_KEY="+y.secretKey, "TANDEM_PHONES_ADDRESS="+phones, "TANDEM_PHONES_URL="+y.PhonesURL, "TANDEM_PHONES_PLAIN=true", "TANDEM_PHONES_SERVER="+y.Edge,
			"TANDEM_PHONES_WEBSOCKETS=ws://"+y.WebSocket+"/sip", asTandem),
	}, nil
}

// newSecretKey makes a key as TANDEM_SECRET_KEY has it.
func newSecretKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	return base64.StdEncoding.EncodeToString(key)
}

// mediaDir is the folder that workers and media nodes share.
func (y *system) mediaDir() string { return filepath.Join(y.stack.Dir, "media-"+y.options.Name) }

// awaitReady waits until the worker knows the nodes (any one, if none is named) to be up, the edge knows their addresses,
// and the edge hears the broker, without which it asks nobody.
func (y *system) awaitReady(ctx context.Context, nodes ...string) error {
	var addresses []string
	err := await(ctx, "no media node came up", func(ctx context.Context) (bool, error) {
		var health struct {
			Nodes []struct {
				Name   string
				State  string
				SIPURI string `json:"sip_uri"`
			}
		}
		if err := y.get(ctx, "/health", &health); err != nil {
			return false, err
		}
		addresses = nil
		for _, n := range health.Nodes {
			if n.State == "up" && (len(nodes) == 0 || slices.Contains(nodes, n.Name)) {
				addresses = append(addresses, strings.TrimPrefix(n.SIPURI, "sip:"))
			}
		}
		return len(addresses) >= max(1, len(nodes)), nil
	})
	if err != nil {
		return err
	}
	return await(ctx, "the edge is not ready", func(ctx context.Context) (bool, error) {
		known, err := y.askEdge(ctx, "htable.dump", "nodes")
		if err != nil {
			return false, err
		}
		for _, a := range addresses {
			if !strings.Contains(known, a) {
				return false, nil
			}
		}
		heard, err := y.askEdge(ctx, "pv.shvGet", "heard")
		return err == nil && !strings.Contains(heard, "value: 0"), err
	})
}

// askEdge sends a command to Kamailio's control socket.
func (y *system) askEdge(ctx context.Context, command ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "kamcmd", append([]string{"-s", "unix:" + y.control}, command...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("kamcmd %s: %w: %s", command[0], err, out)
	}
	return string(out), nil
}

// awaitRegistered waits until the worker knows a contact of a device.
func (y *system) awaitRegistered(ctx context.Context, username, domain string) error {
	return await(ctx, "the registration of "+username+" did not arrive", func(ctx context.Context) (bool, error) {
		var found struct{ Contacts []json.RawMessage }
		err := y.get(ctx, "/v1/contacts?"+url.Values{"username": {username}, "domain": {domain}}.Encode(), &found)
		return len(found.Contacts) > 0, err
	})
}

// get reads JSON from the worker's API.
func (y *system) get(ctx context.Context, path string, into any) error {
	return fetch(ctx, "http://"+y.HTTPAddress+path, y.operatorKey, into)
}

// asTandem makes a test binary behave as the tandem binary; the real one does not look at it.
const asTandem = "TANDEM_TEST_AS_TANDEM=1"

func freeAddress() (string, error) {
	port, err := stack.FreePort()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), err
}

// connects is ready when a TCP address takes connections.
func connects(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return c.Close()
	}
}

// serving is ready when a URL answers 200.
func serving(url string) func(context.Context) error {
	return func(ctx context.Context) error { return fetch(ctx, url, "", new(json.RawMessage)) }
}

// fetch reads JSON from a URL, with a key if one is given.
func fetch(ctx context.Context, url, key string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// errNoCDR says that a call was made and its records did not come.
var errNoCDR = errors.New("the call's records did not arrive")

// await polls until the condition holds or ctx ends. It is for what no event tells this process.
func await(ctx context.Context, what string, condition func(context.Context) (bool, error)) error {
	const every = 20 * time.Millisecond
	for {
		ok, err := condition(ctx)
		if err != nil || ok {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, ctx.Err())
		case <-time.After(every):
		}
	}
}
