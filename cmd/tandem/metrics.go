package main

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/nodes"
	"tandem/postgres"
	"tandem/rabbit"
	"tandem/routing"
	"tandem/webhooks"
)

const namespace = "tandem"

// meters count what nobody else keeps.
type meters struct {
	decisions *prometheus.CounterVec
	takeovers *prometheus.CounterVec
	noticed   *prometheus.HistogramVec
	silent    *prometheus.HistogramVec
	phones    *prometheus.CounterVec
	messages  *prometheus.CounterVec // of webhooks
	waiting   prometheus.Gauge
	oldest    prometheus.Gauge
	overdue   prometheus.Gauge
}

func newMeters() *meters {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	}
	gap := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: gapBuckets()}, []string{"node"})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
	}
	m := &meters{
		messages:  counter("webhook_attempts_total", "Messages that this worker sent to webhooks, by what came of them: delivered, failed (given up), retried (another attempt follows).", "outcome"),
		waiting:   gauge("webhook_waiting", "Messages of the whole platform that wait to be sent to webhooks, for the first time or again; 100,000 at most are counted. Of workers with the role jobs."),
		oldest:    gauge("webhook_oldest_seconds", "Age of the oldest message that waits to be sent to a webhook."),
		overdue:   gauge("webhook_overdue_seconds", "How long the message that should have been sent first has been due."),
		phones:    counter("phone_files_total", "Phones' requests for files, by answer: given, nothing (404), locked (404, of a source that guesses), away (503).", "answer"),
		decisions: counter("route_decisions_total", "Routing requests that this worker decided, by verdict and SIP code (0: routed).", "verdict", "code"),
		takeovers: counter("node_takeovers_total", "How often this worker became a node's owner, by what it came after: handover, death, silence, or start (it did not stand by).", "node", "how"),
		noticed:   gap("node_takeover_gap_seconds", "From noticing that a node's owner was gone to this worker's first command for something that the owner had left undone."),
		silent:    gap("node_takeover_silence_seconds", "From the last sign of a node's old owner to this worker's first command for something that the owner had left undone."),
	}
	for _, outcome := range outcomes() {
		m.messages.WithLabelValues(outcome) // there from the start, so that its rise is seen
	}
	return m
}

// outcomes are what can come of a message that was sent to a webhook, as metrics call it.
func outcomes() map[webhooks.State]string {
	return map[webhooks.State]string{webhooks.Delivered: "delivered", webhooks.Failed: "failed", webhooks.Waiting: "retried"}
}

// sent counts a message to a webhook.
func (m *meters) sent(s webhooks.State) { m.messages.WithLabelValues(outcomes()[s]).Inc() }

// queue shows what waits for webhooks.
func (m *meters) queue(w postgres.WaitingRow) {
	m.waiting.Set(float64(w.Count))
	m.oldest.Set(w.Oldest.Seconds())
	m.overdue.Set(w.Overdue.Seconds())
}

// gapBuckets are finest around what is promised: 50 ms.
func gapBuckets() []float64 {
	return []float64{.001, .002, .005, .01, .02, .03, .05, .075, .1, .2, .3, .5, .75, 1, 2, 5}
}

// decision counts one.
func (m *meters) decision(d routing.Decision) {
	m.decisions.WithLabelValues(string(d.Verdict), strconv.Itoa(d.Code)).Inc()
}

// TookOver counts a takeover.
func (m *meters) TookOver(node, how string) { m.takeovers.WithLabelValues(node, how).Inc() }

// Gap keeps the length of one.
func (m *meters) Gap(node string, sinceNoticed, sinceSign time.Duration) {
	m.noticed.WithLabelValues(node).Observe(sinceNoticed.Seconds())
	m.silent.WithLabelValues(node).Observe(sinceSign.Seconds())
}

// registry is all that this worker can be asked for at /metrics.
func (w *worker) registry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(w.meters.decisions, w.meters.takeovers, w.meters.noticed, w.meters.silent, w.meters.phones, w.meters.messages, w.meters.waiting, w.meters.oldest, w.meters.overdue, nodeMetrics{w.nodes.list, nodeDescriptions()})
	gauge := func(name, help string, value func() float64) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, value))
	}
	gauge("configuration_revision", "Revision of the configuration that decides.", func() float64 { return float64(w.source.Current().Revision()) })
	gauge("configuration_age_seconds", "Seconds since it was read from PostgreSQL.", func() float64 { return time.Since(w.source.Current().LoadedAt()).Seconds() })
	gauge("rabbitmq_up", "1 while RabbitMQ is connected.", func() float64 { return number(w.rabbit.Connected()) })
	gauge("calls", "Live calls on all nodes, as far as this worker has heard.", func() float64 { return float64(w.facts.liveCalls()) })
	gauge("directory_calls", "Live calls that this worker knows one by one, whoever drives them.", func() float64 { calls, _ := w.facts.calls.Count(); return float64(calls) })
	gauge("directory_dialogs", "Answered legs whose SIP dialog it holds.", func() float64 { _, dialogs := w.facts.calls.Count(); return float64(dialogs) })

	ledger := func(f func(rabbit.LedgerStats) float64) func() float64 {
		return func() float64 { return f(w.ledger.Stats()) }
	}
	gauge("ledger_held_cdrs", "CDRs that are not yet confirmed.", ledger(func(s rabbit.LedgerStats) float64 { return float64(s.HeldCDRs) }))
	gauge("ledger_held_entries", "Journal entries that are not yet confirmed.", ledger(func(s rabbit.LedgerStats) float64 { return float64(s.HeldEntries) }))
	gauge("ledger_lost_cdrs", "CDRs that could be neither sent nor spooled.", ledger(func(s rabbit.LedgerStats) float64 { return float64(s.LostCDRs) }))
	gauge("ledger_dropped_entries", "Journal entries dropped because too many waited.", ledger(func(s rabbit.LedgerStats) float64 { return float64(s.DroppedEntries) }))
	count := func(name, help string, value func() float64) {
		registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, value))
	}
	count("ledger_confirmed_cdrs_total", "CDRs that RabbitMQ has confirmed.", ledger(func(s rabbit.LedgerStats) float64 { return float64(s.ConfirmedCDRs) }))
	count("ledger_confirmed_entries_total", "Journal entries that RabbitMQ has confirmed.", ledger(func(s rabbit.LedgerStats) float64 { return float64(s.ConfirmedEntries) }))
	count("ledger_spooled_cdrs_total", "CDRs that went to the spool on disk because RabbitMQ was away or did not confirm.", ledger(func(s rabbit.LedgerStats) float64 { return float64(s.SpooledCDRs) }))
	count("ledger_drained_cdrs_total", "CDRs that were confirmed from the spool, those of earlier processes included.", ledger(func(s rabbit.LedgerStats) float64 { return float64(s.DrainedCDRs) }))

	broker := func(f func(rabbit.Stats) uint64) func() float64 {
		return func() float64 { return float64(f(w.rabbit.Stats())) }
	}
	count("route_late_total", "Routing answers that were not sent because their edge had given up.", broker(func(s rabbit.Stats) uint64 { return s.Late }))
	count("route_pauses_total", "How often a lane gave back the routing requests that it held, because this process had stood still.", broker(func(s rabbit.Stats) uint64 { return s.Pauses }))
	count("messages_refused_total", "Messages that could not be read, routing requests among them.", broker(func(s rabbit.Stats) uint64 { return s.Refused }))
	count("messages_dead_lettered_total", "Messages that this worker put aside in tandem.dead.", broker(func(s rabbit.Stats) uint64 { return s.DeadLettered }))
	count("handler_panics_total", "Messages on which this worker's code panicked.", broker(func(s rabbit.Stats) uint64 { return s.Panics }))
	count("rabbitmq_connects_total", "How often RabbitMQ was connected.", broker(func(s rabbit.Stats) uint64 { return s.Connects }))
	return registry
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// nodeMetrics read what this worker knows of each node when they are asked for.
type nodeMetrics struct {
	nodes func() []*nodes.Node
	descs []nodeMetric
}

// nodeMetric is one series for each node.
type nodeMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(nodes.Stats) float64
	label func(nodes.Stats) string // of the second label, when there is one
}

func nodeDescriptions() []nodeMetric {
	one := func(kind prometheus.ValueType, name, help string, value func(nodes.Stats) float64) nodeMetric {
		return nodeMetric{prometheus.NewDesc(namespace+"_node_"+name, help, []string{"node"}, nil), kind, value, nil}
	}
	labelled := func(name, help, label string, text func(nodes.Stats) string) nodeMetric {
		return nodeMetric{prometheus.NewDesc(namespace+"_node_"+name, help, []string{"node", label}, nil), prometheus.GaugeValue,
			func(nodes.Stats) float64 { return 1 }, text}
	}
	busy := func(part, help string, value func(routing.Busy) int) nodeMetric {
		return one(prometheus.GaugeValue, part, help, func(s nodes.Stats) float64 { return float64(value(routing.BusyOf(s.Load))) })
	}
	const gauge, counter = prometheus.GaugeValue, prometheus.CounterValue
	return []nodeMetric{
		one(gauge, "up", "1 while this worker's event socket to the node is connected.", func(s nodes.Stats) float64 { return number(s.Connected) }),
		labelled("role", "1 with what this worker is to the node: owner, standby or watcher.", "role", func(s nodes.Stats) string { return s.Role }),
		labelled("owner_info", "1 with the process that owns the node, as this worker saw it last.", "owner", func(s nodes.Stats) string { return s.Owner }),
		one(gauge, "epoch", "Epoch of that ownership: it grows with every change of owner.", func(s nodes.Stats) float64 { return float64(s.Epoch) }),
		one(gauge, "calls", "Live calls on the node that this worker drives as its owner, or keeps as its standby.", func(s nodes.Stats) float64 { return float64(s.Calls) }),
		one(counter, "events_total", "Events of the node that this worker handled.", func(s nodes.Stats) float64 { return float64(s.Events) }),
		one(gauge, "event_lag_seconds", "Age of the newest event when it was handled, by the node's time; a difference of the clocks is in it.", func(s nodes.Stats) float64 { return s.Lag.Seconds() }),
		one(gauge, "events_queued", "Events that wait for their shard.", func(s nodes.Stats) float64 { return float64(s.Queued) }),
		one(gauge, "events_shed", "Events of low value that were dropped on this connection because their shard lagged.", func(s nodes.Stats) float64 { return float64(s.Shed) }),
		one(gauge, "commands_queued", "Commands that wait to be sent to the node.", func(s nodes.Stats) float64 { return float64(s.Orders) }),
		busy("sessions_percent", "The node's sessions in percent of its max-sessions, by its last HEARTBEAT.", func(b routing.Busy) int { return b.Sessions }),
		busy("rate_percent", "The node's new sessions a second in percent of its sessions-per-second, by its last HEARTBEAT.", func(b routing.Busy) int { return b.Rate }),
		busy("cpu_percent", "How busy the processors of the node's machine are, by its last HEARTBEAT.", func(b routing.Busy) int { return b.CPU }),
	}
}

// Describe names the series.
func (m nodeMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range m.descs {
		to <- d.desc
	}
}

// Collect reads them.
func (m nodeMetrics) Collect(to chan<- prometheus.Metric) {
	for _, n := range m.nodes() {
		stats := n.Stats()
		for _, d := range m.descs {
			labels := []string{n.Name()}
			if d.label != nil {
				labels = append(labels, d.label(stats))
			}
			to <- prometheus.MustNewConstMetric(d.desc, d.kind, d.value(stats), labels...)
		}
	}
}
