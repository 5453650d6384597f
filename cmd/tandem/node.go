package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"syscall"

	freeswitchconf "tandem/freeswitch-conf"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/tenants"
)

// nodeCommands manage media nodes.
type nodeCommands struct {
	List   nodeListCommand   `cmd:"" help:"List media nodes: state, calls, load, owner."`
	Show   nodeShowCommand   `cmd:"" help:"Show one media node and its calls."`
	Drain  nodeDrainCommand  `cmd:"" help:"Let a media node take no new calls. Its live calls go on."`
	Resume nodeResumeCommand `cmd:"" help:"Let a media node that was drained take calls again."`
	Add    nodeAddCommand    `cmd:"" help:"Make a media node known, or change it. Workers and edges learn it within a second."`
	Run    nodeRunCommand    `cmd:"" help:"Write FreeSWITCH's configuration from the environment and become FreeSWITCH."`
}

// nodeAddCommand adds one.
type nodeAddCommand struct {
	Name        string `arg:"" help:"Name, unique among the nodes."`
	SIPURI      string `required:"" name:"sip-uri" env:"TANDEM_NODE_SIP_URI" help:"Where edges send calls: sip:ADDRESS:PORT."`
	EventSocket string `required:"" env:"TANDEM_NODE_EVENT_SOCKET" help:"Its event socket: ADDRESS:PORT."`
	MaxCalls    int    `env:"TANDEM_NODE_MAX_CALLS" help:"Past this many live calls it gets no new ones; 0 for no limit."`
	PostgresURL string `required:"" env:"TANDEM_POSTGRES_URL" help:"PostgreSQL."`
}

// Run adds the node.
func (c *nodeAddCommand) Run(ctx context.Context) error {
	store, err := postgres.Open(ctx, c.PostgresURL)
	if err != nil {
		return err
	}
	defer store.Close()
	service := &provisioning.Service{Store: store}
	return service.AddNode(ctx, tenants.Node{Name: c.Name, SIPURI: c.SIPURI, EventSocket: c.EventSocket, MaxCalls: c.MaxCalls})
}

// nodeRunCommand is what a media node's container runs.
type nodeRunCommand struct {
	Name         string           `arg:"" help:"The node's name."`
	SIPAddress   netip.AddrPort   `required:"" name:"sip-address" env:"TANDEM_NODE_SIP_ADDRESS" help:"IP:port for SIP from edges."`
	EventSocket  netip.AddrPort   `required:"" env:"TANDEM_NODE_EVENT_SOCKET" help:"IP:port of the event socket."`
	Password     string           `required:"" env:"TANDEM_NODE_PASSWORD" help:"Password of the event socket."`
	MediaAddress netip.Addr       `required:"" env:"TANDEM_NODE_MEDIA_ADDRESS" help:"IP address for media."`
	Edges        []netip.AddrPort `required:"" env:"TANDEM_NODE_EDGES" help:"Inside addresses of the edges: SIP is taken from them alone."`
	Workers      []netip.Prefix   `env:"TANDEM_NODE_WORKERS" help:"Networks of the workers that may use the event socket; loopback unless given."`
	StateDir     string           `required:"" env:"TANDEM_STATE_DIR" help:"Folder for configuration, logs and databases." type:"path"`
	FreeSWITCH   string           `env:"TANDEM_FREESWITCH" default:"freeswitch" help:"The program."`
}

// Run does not return when it succeeds: the process becomes FreeSWITCH, so that signals reach it.
func (c *nodeRunCommand) Run(context.Context) error {
	values := freeswitchconf.Values{Name: c.Name, SIP: c.SIPAddress, EventSocket: c.EventSocket, Password: c.Password,
		RTP: c.MediaAddress, Workers: c.Workers}
	for _, e := range c.Edges {
		values.Edges = append(values.Edges, netip.PrefixFrom(e.Addr(), e.Addr().BitLen()))
		values.EdgePorts = append(values.EdgePorts, e.Port())
	}
	// FreeSWITCH writes a copy of its configuration, password included, beside its log.
	syscall.Umask(0o077)
	if err := freeswitchconf.Write(c.StateDir, values); err != nil {
		return err
	}
	path, err := exec.LookPath(c.FreeSWITCH)
	if err != nil {
		return fmt.Errorf("freeswitch is not installed: %w", err)
	}
	return fmt.Errorf("start freeswitch: %w", syscall.Exec(path, append([]string{"freeswitch"}, freeswitchconf.Arguments(c.StateDir)...), os.Environ()))
}
