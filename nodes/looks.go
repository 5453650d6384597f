package nodes

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Looks fetch what no event tells of a dialog: the local tag of a caller's leg, which is there after the ACK, and the
// node's description after a re-INVITE. They are paced, as they share the connection with the commands.
const (
	lookPause   = 10 * time.Millisecond // between two looks: at most 100 a second at one node
	maxLookedAt = 16384                 // legs that wait; those beyond are found by the next announcement
)

// lookAfter is how long after something has happened a leg is looked at: the time of an ACK's way, and of one that was lost
// (RFC 3261 17: T1 is 500 ms). A leg that has no tag then is looked at when the calls are announced.
func lookAfter() []time.Duration {
	return []time.Duration{200 * time.Millisecond, time.Second, 4 * time.Second}
}

// looks are legs that are to be looked at.
type looks struct {
	mu   sync.Mutex
	legs map[string]look
	came chan struct{} // one token: there are some
}

type look struct {
	due   time.Time
	tries int
	again bool // once more after this one, whatever it finds
}

func (l *looks) init() { l.legs, l.came = map[string]look{}, make(chan struct{}, 1) }

// add has a leg looked at in a moment.
func (l *looks) add(leg string) { l.at(leg, 0, false) }

// addTwice has it looked at in a moment and a while later: what it says of itself is about to change, and a node that is busy takes its time.
func (l *looks) addTwice(leg string) { l.at(leg, 0, true) }

func (l *looks) at(leg string, tries int, again bool) {
	l.mu.Lock()
	if had, waits := l.legs[leg]; waits {
		had.again = had.again || again
		l.legs[leg] = had
	} else if tries < len(lookAfter()) && len(l.legs) < maxLookedAt {
		l.legs[leg] = look{time.Now().Add(lookAfter()[tries]), tries, again}
	}
	l.mu.Unlock()
	select {
	case l.came <- struct{}{}:
	default:
	}
}

// next takes a leg that is due, or says how long to wait; 0 and no leg: there is none.
func (l *looks) next(now time.Time) (leg string, due look, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, waiting := range l.legs {
		if left := waiting.due.Sub(now); left > 0 {
			if wait == 0 || left < wait {
				wait = left
			}
			continue
		}
		delete(l.legs, name)
		return name, waiting, 0
	}
	return "", look{}, wait
}

// look looks at legs until ctx ends.
func (n *Node) look(ctx context.Context) {
	for {
		leg, due, wait := n.looks.next(time.Now())
		switch {
		case leg != "":
			n.lookAt(ctx, leg, due)
			wait = lookPause
		case wait == 0:
			select {
			case <-ctx.Done():
				return
			case <-n.looks.came:
			}
			continue
		}
		if !pause(ctx, wait) {
			return
		}
	}
}

// lookAt asks the node for a leg's variables, if this worker owns the node and the leg is there.
func (n *Node) lookAt(ctx context.Context, leg string, due look) {
	c, s := n.up.Load(), n.shardOf(leg)
	if c == nil || !n.speaks() || !s.has(leg) {
		return
	}
	d, err := dumpOf(ctx, c, leg)
	if err != nil {
		if !errors.Is(err, errNoChannel) {
			n.looks.at(leg, due.tries+1, false)
		}
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	call := s.calls[leg]
	if call == nil || d.Get("Answer-State") != "answered" {
		return
	}
	s.learnDialog(call, leg, d)
	if due.again || !complete(call.dialogs[leg]) {
		n.looks.at(leg, due.tries+1, false)
	}
}

// has says whether a leg belongs to a call.
func (s *shard) has(leg string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[leg] != nil
}
