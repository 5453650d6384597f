package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"tandem/esl/fstest"
	"tandem/nodes/claim"
)

// standInCommand runs the stand-in for FreeSWITCH: real SIP and a real event socket, and no audio.
type standInCommand struct {
	SIPAddress  string        `name:"sip-address" required:"" help:"UDP address for SIP."`
	EventSocket string        `required:"" help:"TCP address of the event socket."`
	Password    string        `env:"TANDEM_NODE_PASSWORD" help:"Password of the event socket."`
	Name        string        `default:"stand-in" help:"Name on every event."`
	Heartbeat   time.Duration `default:"5s" help:"Time between HEARTBEAT events."`
	MaxChannels int           `default:"1000" help:"Channels at once."`
	Allow       []string      `help:"Address:port that SIP is taken from; everybody unless given."`
}

// Run serves until the context ends.
func (c *standInCommand) Run(ctx context.Context) error {
	if c.Password == "" {
		return errors.New("TANDEM_NODE_PASSWORD is not set: the event socket has no default password")
	}
	o := fstest.Options{SIPAddress: c.SIPAddress, EventSocketAddress: c.EventSocket, Password: c.Password, Name: c.Name, Heartbeat: c.Heartbeat, MaxChannels: c.MaxChannels,
		GlobalVariables: map[string]string{claim.OwnerVariable: claim.Seed, claim.StandbyVariable: claim.Seed}}
	for _, a := range c.Allow {
		address, err := netip.ParseAddrPort(a)
		if err != nil {
			return fmt.Errorf("--allow: %w", err)
		}
		o.AllowedSIPSources = append(o.AllowedSIPSources, address)
	}
	server, err := fstest.Start(ctx, o)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return server.Close()
}
