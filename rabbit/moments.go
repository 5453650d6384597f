package rabbit

import (
	"context"
	"errors"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
)

// MomentStore keeps what nodes tell of live calls. Keeping an event twice, late or out of order must do no harm.
type MomentStore interface {
	SaveCallEvents(context.Context, []messages.CallEvent) error
}

// ConsumeMoments collects up to batch call events, or those of wait after the first, stores them together and acknowledges them
// together, until ctx ends (then nil) or the client is closed (then ErrClosed). While the store fails they are held and tried again.
// One that cannot be read or stored is dead-lettered.
func (c *Client) ConsumeMoments(ctx context.Context, batch int, wait time.Duration, store MomentStore) error {
	batch = min(max(batch, 1), MaxIntakeBatch)
	return c.eachSession(ctx, "consume "+QueueMoments, func(ctx context.Context, s *session) error {
		ch, deliveries, err := s.consume(QueueMoments, 2*batch, nil)
		if err != nil {
			return err
		}
		alive, lost := context.WithCancel(ctx)
		defer lost()
		closed := ch.NotifyClose(make(chan *amqp.Error, 1))
		var group sync.WaitGroup
		group.Go(func() {
			in := moments{intake{client: c, alive: alive}, store}
			for {
				held := collect(ctx, deliveries, batch, wait)
				if len(held) == 0 || !in.keep(ctx, held) {
					return
				}
				_ = held[len(held)-1].Ack(true) // fails when the channel is lost; all of it comes again
			}
		})
		go func() { // ends with the channel
			<-closed
			lost()
		}()
		return finish(ctx, ch, &group)
	})
}

// moments stores what one channel has delivered.
type moments struct {
	intake
	store MomentStore
}

// keep returns true when every delivery is stored or dead-lettered, false when the channel is lost or ctx has ended.
func (in *moments) keep(ctx context.Context, held []amqp.Delivery) bool {
	var events []messages.CallEvent
	var from []*amqp.Delivery
	for i := range held {
		m, err := messages.ParseAs[*messages.CallEvent](held[i].Body)
		if err != nil {
			if !in.deadLetter(ctx, &held[i], err) {
				return false
			}
			continue
		}
		events, from = append(events, *m), append(from, &held[i])
	}
	if len(events) == 0 {
		return true
	}
	refusal, ok := in.save(ctx, events)
	if !ok || refusal == nil {
		return ok
	}
	for i := range events { // one of them is at fault
		refusal, ok := in.save(ctx, events[i:i+1])
		if !ok || refusal != nil && !in.deadLetter(ctx, from[i], refusal) {
			return false
		}
	}
	return true
}

func (in *moments) save(ctx context.Context, events []messages.CallEvent) (refusal *messages.Refusal, ok bool) {
	ok = in.try(ctx, "store moments of calls", func() error {
		err := in.client.guard("moments store", func() error { return in.store.SaveCallEvents(ctx, events) })
		if errors.As(err, &refusal) {
			return nil
		}
		return err
	})
	return refusal, ok
}

func (in *moments) deadLetter(ctx context.Context, d *amqp.Delivery, err error) bool {
	var refusal *messages.Refusal
	if !errors.As(err, &refusal) {
		refusal = &messages.Refusal{Reason: "not_json", Detail: err.Error()}
	}
	in.client.counts.refused.Add(1)
	return in.try(ctx, "dead-letter", func() error { return in.client.deadLetter(ctx, QueueMoments, d, *refusal) })
}
