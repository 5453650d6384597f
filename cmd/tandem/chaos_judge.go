package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// errChaos says that the counts are not what they must be.
var errChaos = errors.New("calls, commands or records were lost or doubled")

// judge waits for the records and prints what came of it all.
func (c *chaos) judge(ctx context.Context) error {
	for _, m := range c.companies {
		select {
		case <-m.over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	lost, doubled, estimated, err := c.records(ctx)
	if err != nil {
		return err
	}
	say("\ngaps in ms, from the fault to the first command for what the owner had left undone:")
	for _, key := range slices.Sorted(maps.Keys(c.byScene)) {
		took := c.byScene[key]
		say("  %-22s %4d  p50 %7.1f  p99 %7.1f  max %7.1f", key, len(took), milliseconds(percentile(took, 50)),
			milliseconds(percentile(took, 99)), milliseconds(slices.Max(took)))
	}
	twice := c.tap.twice()
	for _, command := range twice {
		say("twice: %s", command)
	}
	say("%d phones, %d legs at the node, %d of their records estimated; load average %s", c.dialogs, len(c.legs), estimated, loadAverage())
	var figures []figure
	for _, f := range []fault{faultKill, faultPause, faultCut} {
		took := c.gaps[f]
		if len(took) == 0 {
			continue
		}
		figures = append(figures, figure{"takeover_" + string(f) + "_p50_ms", milliseconds(percentile(took, 50))},
			figure{"takeover_" + string(f) + "_p99_ms", milliseconds(percentile(took, 99))},
			figure{"takeover_" + string(f) + "_max_ms", milliseconds(slices.Max(took))})
	}
	figures = append(figures, figure{"calls_dropped", float64(c.dropped)}, figure{"commands_doubled", float64(len(twice))},
		figure{"cdrs_lost", float64(lost)}, figure{"cdrs_doubled", float64(doubled)})
	figures = append(figures, figure{"takeovers_unprovoked", float64(c.unprovoked)})
	for _, f := range figures {
		fmt.Println(f)
	}
	if c.dropped+len(twice)+lost+doubled > 0 {
		return errChaos
	}
	return nil
}

// records compares the legs that the node has had with the ledger. A record is lost when its leg has none; it is doubled
// when another one tells of the same SIP dialog, or when the node never had its leg.
func (c *chaos) records(ctx context.Context) (lost, doubled, estimated int, err error) {
	db, err := pgx.Connect(ctx, c.system.postgresURL)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("the ledger: %w", err)
	}
	defer db.Close(ctx)
	settling, cancel := context.WithTimeout(ctx, chaosSettle)
	defer cancel()
	unwritten := map[string]bool{}
	_ = await(settling, "records are missing", func(ctx context.Context) (bool, error) {
		rows, err := db.Query(ctx, `SELECT leg, sip_call_id, estimated FROM cdrs WHERE node <> ''`)
		if err != nil {
			return false, err
		}
		c.mu.Lock()
		unwritten = maps.Clone(c.legs)
		c.mu.Unlock()
		known := maps.Clone(unwritten)
		doubled, estimated = 0, 0
		dialogs := map[string]bool{}
		var leg, dialog string
		var guess bool
		_, err = pgx.ForEachRow(rows, []any{&leg, &dialog, &guess}, func() error {
			delete(unwritten, leg)
			if !known[leg] || dialog != "" && dialogs[dialog] {
				doubled++
			}
			if guess {
				estimated++
			}
			dialogs[dialog] = true
			return nil
		})
		return len(unwritten) == 0, err
	})
	for leg := range unwritten {
		say("without a record: leg %s", leg)
	}
	return len(unwritten), doubled, estimated, ctx.Err()
}
