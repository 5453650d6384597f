package rabbit

import (
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
)

// Exchanges.
const (
	ExchangeRequests = "tandem.requests" // edges -> route workers
	ExchangeAnswers  = "targeted"        // route workers -> one edge; the name is the kazoo module's choice
	ExchangeEvents   = "tandem.events"   // whoever knows -> all who follow
	ExchangeEdges    = "tandem.edges"    // workers -> every edge
	ExchangeLedger   = "tandem.ledger"   // call workers -> whoever writes the ledger
	ExchangeDead     = "tandem.dead"     // what nobody could use
)

// Durable queues. Each worker has an exclusive one for events besides (SubscribeEvents).
const (
	QueueRoute         = "tandem.route"
	QueueRegistrations = "tandem.registrations"
	QueueLedger        = "tandem.ledger"
	QueueMoments       = "tandem.moments" // of calls, for whoever tells tenants of them
	QueueDead          = "tandem.dead"
)

// KeyRouteAgain is the routing key of a route.request.v1 that nobody has answered for a while. Each route worker has an
// exclusive queue for them (ServeRoutes).
const KeyRouteAgain = string(messages.RouteRequestV1) + ".again"

// Bounds of the queues.
const (
	// RouteTTL is how long a request may wait for a worker. With RouteBudget it stays below the 1500 ms after which
	// the edge answers by itself: a late answer can only do harm there, and a worker that works through requests
	// which are already lost has no time for those that are not.
	RouteTTL = 1000 * time.Millisecond
	// MaxRouteQueued is what three seconds of the busiest hour bring; beyond it the oldest requests, nearest to their
	// deadline, make room.
	MaxRouteQueued = 8192
	// MaxLedgerQueued is what the ledger's queue takes while PostgreSQL is away. Beyond it the broker refuses and
	// publishers keep CDRs in their spool.
	MaxLedgerQueued = 2_000_000
	// MaxRegistrationsQueued bounds registrations waiting for PostgreSQL; the oldest make room, as phones refresh.
	MaxRegistrationsQueued = 500_000
	// MaxMomentsQueued bounds moments of calls waiting for PostgreSQL; the oldest make room. What is lost so is told with the call's
	// end, from its record.
	MaxMomentsQueued = 500_000
	// MaxRedeliveries is RabbitMQ's delivery limit on quorum queues. Newer brokers drop after 20 when none is given;
	// an outage of PostgreSQL with restarting workers must not use it up.
	MaxRedeliveries = 1_000_000
	// MaxDeadMessages, MaxDeadBytes and DeadTTL bound what waits for an operator's look; the oldest make room.
	MaxDeadMessages = 10_000
	MaxDeadBytes    = 256 << 20
	DeadTTL         = 14 * 24 * time.Hour
	// MaxEventsQueued bounds the queue of a worker that cannot follow; the oldest events make room.
	MaxEventsQueued = 50_000
)

type exchange struct {
	name, kind string
	durable    bool
	arguments  amqp.Table
}

type queue struct {
	name      string
	arguments amqp.Table
}

type binding struct{ queue, key, exchange string }

// Topology is all that Tandem declares on the broker. Declaring is idempotent; a difference to what is there is an error
// that names the entity (AMQP 0-9-1, precondition-failed).
type Topology struct {
	exchanges []exchange
	queues    []queue
	bindings  []binding
}

// TandemTopology is the topology of this release.
func TandemTopology() Topology {
	return Topology{
		exchanges: []exchange{
			{ExchangeDead, amqp.ExchangeFanout, true, nil},
			// Edges declare the following four as well, so that either side may come first: their arguments must equal
			// those in kamailio-conf/broker.cfg, or the broker refuses whoever comes second.
			{ExchangeRequests, amqp.ExchangeDirect, true, nil},
			{ExchangeAnswers, amqp.ExchangeDirect, false, nil},
			{ExchangeEvents, amqp.ExchangeTopic, true, nil},
			{ExchangeEdges, amqp.ExchangeFanout, true, nil},
			// A message with a key that no queue is bound to, one of a newer release, is dead-lettered rather than
			// dropped in silence.
			{ExchangeLedger, amqp.ExchangeDirect, true, amqp.Table{"alternate-exchange": ExchangeDead}},
		},
		queues: []queue{
			// Classic: a request lives for a second, replication would only delay it.
			{QueueRoute, amqp.Table{
				amqp.QueueMessageTTLArg:  RouteTTL.Milliseconds(),
				amqp.QueueMaxLenArg:      int64(MaxRouteQueued),
				amqp.QueueOverflowArg:    amqp.QueueOverflowDropHead,
				"x-dead-letter-exchange": ExchangeDead,
			}},
			// Quorum: survives the loss of a broker node. reject-publish: a CDR is refused, never dropped.
			{QueueLedger, amqp.Table{
				amqp.QueueTypeArg:        amqp.QueueTypeQuorum,
				amqp.QueueMaxLenArg:      int64(MaxLedgerQueued),
				amqp.QueueOverflowArg:    amqp.QueueOverflowRejectPublish,
				"x-delivery-limit":       int64(MaxRedeliveries),
				"x-dead-letter-exchange": ExchangeDead,
			}},
			{QueueRegistrations, amqp.Table{
				amqp.QueueTypeArg:        amqp.QueueTypeQuorum,
				amqp.QueueMaxLenArg:      int64(MaxRegistrationsQueued),
				amqp.QueueOverflowArg:    amqp.QueueOverflowDropHead,
				"x-delivery-limit":       int64(MaxRedeliveries),
				"x-dead-letter-exchange": ExchangeDead,
			}},
			{QueueMoments, amqp.Table{
				amqp.QueueTypeArg:        amqp.QueueTypeQuorum,
				amqp.QueueMaxLenArg:      int64(MaxMomentsQueued),
				amqp.QueueOverflowArg:    amqp.QueueOverflowDropHead,
				"x-delivery-limit":       int64(MaxRedeliveries),
				"x-dead-letter-exchange": ExchangeDead,
			}},
			{QueueDead, amqp.Table{
				amqp.QueueMaxLenArg:      int64(MaxDeadMessages),
				amqp.QueueMaxLenBytesArg: int64(MaxDeadBytes),
				amqp.QueueMessageTTLArg:  DeadTTL.Milliseconds(),
				amqp.QueueOverflowArg:    amqp.QueueOverflowDropHead,
			}},
		},
		bindings: []binding{
			{QueueRoute, string(messages.RouteRequestV1), ExchangeRequests},
			{QueueRoute, string(messages.TransferRequestV1), ExchangeRequests},
			{QueueRegistrations, string(messages.RegistrationV1), ExchangeEvents},
			{QueueMoments, string(messages.CallEventV1), ExchangeEvents},
			{QueueLedger, string(messages.CDRV1), ExchangeLedger},
			{QueueLedger, string(messages.JournalV1), ExchangeLedger},
			{QueueLedger, string(messages.RecordingV1), ExchangeLedger},
			{QueueDead, "", ExchangeDead},
		},
	}
}

// declare makes the broker hold the topology. It uses a channel of its own, which a refusal closes.
func (t Topology) declare(conn *amqp.Connection) error {
	ch, err := conn.Channel()
	if err != nil {
		return fmt.Errorf("open a channel to declare the topology: %w", err)
	}
	for _, e := range t.exchanges {
		if err := ch.ExchangeDeclare(e.name, e.kind, e.durable, false, false, false, e.arguments); err != nil {
			return fmt.Errorf("declare exchange %s: %w", e.name, err)
		}
	}
	for _, q := range t.queues {
		if _, err := ch.QueueDeclare(q.name, true, false, false, false, q.arguments); err != nil {
			return fmt.Errorf("declare queue %s: %w", q.name, err)
		}
	}
	for _, b := range t.bindings {
		if err := ch.QueueBind(b.queue, b.key, b.exchange, false, nil); err != nil {
			return fmt.Errorf("bind queue %s to %s: %w", b.queue, b.exchange, err)
		}
	}
	if err := ch.Close(); err != nil && !errors.Is(err, amqp.ErrClosed) {
		return fmt.Errorf("close the declaring channel: %w", err)
	}
	return nil
}
