package main

import (
	"context"
	"log/slog"
	"time"

	"tandem/messages"
	"tandem/tenants"
)

// registrarWait bounds what is asked of PostgreSQL before edges are told their configuration.
const registrarWait = time.Second

// sawEdge notes an edge for the choice of who registers at carriers. Every worker chooses alike, for all read the same notes.
func (w *worker) sawEdge(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(ctx, registrarWait)
	defer cancel()
	if err := w.store.SawEdge(ctx, name); err != nil {
		w.log.WarnContext(ctx, "an edge that was heard of could not be noted; who registers at carriers stays as it is", slog.Any("error", err))
	}
}

// nameRegistrar says which edge registers for which trunks. Where PostgreSQL does not say, nothing is said, and all stays as it is.
func (w *worker) nameRegistrar(ctx context.Context, s *tenants.Snapshot, config *messages.EdgeConfig) {
	ctx, cancel := context.WithTimeout(ctx, registrarWait)
	defer cancel()
	registrar, err := w.store.Registrar(ctx)
	if err != nil || registrar == "" {
		return
	}
	config.Registrar = registrar
	for _, t := range s.Trunks() {
		if t.Registrar != "" && !t.Disabled && len(config.Registers) < messages.MaxRegisters {
			config.Registers = append(config.Registers, t.ID)
		}
	}
}
