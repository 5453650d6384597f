package claim

import (
	"context"
	"errors"
	"fmt"

	"tandem/esl"
)

// The global variables that hold the two places of a node.
const (
	OwnerVariable   = "tandem_owner"
	StandbyVariable = "tandem_standby"
)

// ErrUnset: the node has no such variable. It is still starting, or its configuration lacks the seed.
var ErrUnset = errors.New("claim: the node's variable is not set")

// Node is what a claim needs of a media node. A call's commands are executed in the order of the calls that follow each
// other, if they reach the node at all.
type Node interface {
	// Get reads a variable; ErrUnset when there is none.
	Get(ctx context.Context, name string) (string, error)
	// Swap sets a variable if it holds old. Without an error the command was executed, which does not say that the variable
	// held old; with one it may have been executed, or be executed later.
	Swap(ctx context.Context, name, new, old string) error
}

// atOnce is a Node that swaps and reads what there is then in one round trip. An error says nothing about the swap.
type atOnce interface {
	SwapGet(ctx context.Context, name, new, old string) (string, error)
}

// OnNode is the node at the other end of an event socket. The connection's own bounds apply, and those of the contexts.
func OnNode(conn *esl.Conn) Node { return eventSocket{conn} }

type eventSocket struct{ conn *esl.Conn }

// noReply is what FreeSWITCH answers for an api command without output, such as an unset variable's value.
const noReply = "-ERR no reply"

func (s eventSocket) Get(ctx context.Context, name string) (string, error) {
	reply, err := s.conn.Send(ctx, esl.GlobalGetvar(name))
	return s.value(name, reply, err)
}

// SwapGet is Swap and Get in one write. FreeSWITCH looks for a listener's commands every 20 ms, and takes all that are there
// in turn (mod_event_socket.c, listener_run): so the second waits for nothing.
func (s eventSocket) SwapGet(ctx context.Context, name, value, old string) (string, error) {
	swap, reply, err := s.conn.SendTogether(ctx, esl.GlobalSetvarCAS(name, value, old), esl.GlobalGetvar(name))
	if err == nil {
		err = swap.Err()
	}
	return s.value(name, reply, err)
}

func (eventSocket) value(name string, reply esl.Reply, err error) (string, error) {
	if err != nil {
		return "", fmt.Errorf("claim: read %s: %w", name, err)
	}
	if reply.Text == noReply || reply.Text == "" {
		return "", fmt.Errorf("%w: %s", ErrUnset, name)
	}
	if err := reply.Err(); err != nil {
		return "", fmt.Errorf("claim: read %s: %w", name, err)
	}
	return reply.Text, nil
}

func (s eventSocket) Swap(ctx context.Context, name, value, old string) error {
	reply, err := s.conn.Send(ctx, esl.GlobalSetvarCAS(name, value, old))
	if err == nil {
		err = reply.Err()
	}
	if err != nil {
		return fmt.Errorf("claim: swap %s: %w", name, err)
	}
	return nil
}
