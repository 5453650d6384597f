package link

import "sync/atomic"

// Stats count what happened at a server since it began. All are for ever growing.
type Stats struct {
	Standbys   uint64 // standbys admitted
	Refused    uint64 // connections that failed the handshake: no proof, not the protocol, too slow
	Evicted    uint64 // connections closed because MaxHandshakes others came after them
	Declined   uint64 // proven standbys that were not admitted: node not owned here, another epoch, being handed over
	Lost       uint64 // links that ended because the standby's process ended
	Silent     uint64 // links given up because the standby said nothing
	CutOff     uint64 // links given up because the standby did not keep up, or broke the protocol
	Replaced   uint64 // links given up for the standby's next connection
	HandedOver uint64 // nodes handed over
	WrongKeys  uint64 // records refused because their key is empty or too long
}

type counters struct {
	standbys, refused, evicted, declined, lost, silent, cutOff, replaced, handedOver, wrongKeys atomic.Uint64
}

// Stats gives the counts so far.
func (s *Server) Stats() Stats {
	c := &s.counters
	return Stats{Standbys: c.standbys.Load(), Refused: c.refused.Load(), Evicted: c.evicted.Load(), Declined: c.declined.Load(),
		Lost: c.lost.Load(), Silent: c.silent.Load(), CutOff: c.cutOff.Load(), Replaced: c.replaced.Load(),
		HandedOver: c.handedOver.Load(), WrongKeys: c.wrongKeys.Load()}
}
