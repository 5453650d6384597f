package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"tandem/messages"
	"tandem/rabbit"
)

// askRetry is the pause between two attempts to ask while the broker is away.
const askRetry = 200 * time.Millisecond

// askCalls asks the owners of all nodes for their live calls, until the broker has taken the question.
func (f *facts) askCalls(ctx context.Context) {
	for !f.ask(ctx, &messages.NodeAsk{}) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(askRetry):
		}
	}
}

func (f *facts) ask(ctx context.Context, m *messages.NodeAsk) bool {
	m.Type, m.Worker = messages.NodeAskV1, f.worker.settings.Name
	err := f.worker.rabbit.Publish(ctx, rabbit.ExchangeEvents, string(m.Type), m)
	if err != nil {
		f.worker.log.DebugContext(ctx, "owners were not asked for what this worker lacks", slog.Any("error", err))
	}
	return err == nil
}

// Several workers that have just started lack the same dialogs, and the answer to one serves all: so each asks at moments of
// its own.
const (
	askDialogsEvery  = 250 * time.Millisecond
	askDialogsJitter = 250 * time.Millisecond
)

// askDialogs asks for dialogs that were announced and have not come, until ctx ends.
func (f *facts) askDialogs(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(askDialogsEvery + rand.N(askDialogsJitter)):
		}
		for node, legs := range f.calls.TakeLacking(messages.MaxAskLegs) {
			f.ask(ctx, &messages.NodeAsk{Node: node, Legs: legs})
		}
	}
}

// answer puts another worker's question to the nodes that this one owns.
func (f *facts) answer(m *messages.NodeAsk) {
	if m.Worker != f.worker.settings.Name {
		f.worker.nodes.ask(m)
	}
}

// keys are the events that this worker follows. Dialogs are for those who may have to carry calls on.
func (f *facts) keys() []string {
	keys := []string{string(messages.RegistrationV1), string(messages.CallEventV1), string(messages.NodeEventV1), string(messages.EdgeHelloV1),
		string(messages.NodeCallsV1), string(messages.NodeNewsV1)}
	if f.carries() {
		keys = append(keys, string(messages.CallMoveV1), string(messages.CallMovedV1), string(messages.CallOrderV1), string(messages.CallStartV1), string(messages.NodeDialogsV1), string(messages.NodeAskV1),
			string(messages.TransferRefusedV1), string(messages.EdgeFencedV1), string(messages.EdgeByeV1))
	}
	return keys
}

// carries says whether this worker may have to carry calls on.
func (f *facts) carries() bool { return slices.Contains(f.worker.settings.Roles, roleCalls) }
