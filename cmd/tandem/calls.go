package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"tandem/messages"
	"tandem/nodes"
	"tandem/rabbit"
	"tandem/tenants"
)

// nodesLook is how often the configuration is compared with the nodes that are owned.
const nodesLook = 500 * time.Millisecond

// calls owns every configured media node, those that are added later included.
func (w *worker) calls(ctx context.Context) error {
	var owned sync.WaitGroup
	defer owned.Wait()
	stop := map[tenants.Node]context.CancelFunc{}
	tick := time.NewTicker(nodesLook)
	defer tick.Stop()
	var seen *tenants.Snapshot
	for {
		if now := w.source.Current(); now != seen {
			seen = now
			w.own(ctx, &owned, stop, now.Nodes())
			w.configureEdges(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// own starts owning nodes that are new and gives up those that are gone. A node whose addresses changed is both.
func (w *worker) own(ctx context.Context, owned *sync.WaitGroup, stop map[tenants.Node]context.CancelFunc, wanted []tenants.Node) {
	there := map[tenants.Node]bool{}
	for _, n := range wanted {
		there[n] = true
		if stop[n] != nil {
			continue
		}
		nodeCtx, cancel := context.WithCancel(ctx)
		stop[n] = cancel
		w.log.InfoContext(ctx, "owning a media node", slog.String("node", n.Name), slog.String("event_socket", n.EventSocket))
		owned.Go(func() {
			nodes.Own(nodeCtx, nodes.Options{
				Node: n, Password: w.settings.NodePassword, Profile: w.settings.NodeProfile, Worker: w.settings.Name,
				Snapshot: w.source.Current, Ledger: w.ledger, Contacts: w.facts, Announcer: announcer{w},
				Prompts: nodes.Prompts(w.settings.Sounds), Logger: w.log,
			})
		})
	}
	for n, cancel := range stop {
		if !there[n] {
			cancel()
			delete(stop, n)
		}
	}
}

// announcer publishes events, and keeps this worker's own facts right even while the broker is away.
type announcer struct{ worker *worker }

// AnnounceCall tells of a call.
func (a announcer) AnnounceCall(e messages.CallEvent) {
	a.worker.facts.calls.Apply(&e, time.Now())
	a.publish(&e)
}

// AnnounceNode tells of a node.
func (a announcer) AnnounceNode(e messages.NodeEvent) {
	a.worker.facts.nodes.Apply(&e, time.Now())
	a.publish(&e)
}

func (a announcer) publish(m messages.Message) {
	err := a.worker.rabbit.Publish(context.Background(), rabbit.ExchangeEvents, string(m.MessageType()), m)
	if err != nil {
		a.worker.log.Debug("an event was not announced", slog.String("type", string(m.MessageType())), slog.Any("error", err))
	}
}
