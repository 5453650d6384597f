package claim

import (
	"context"
	"time"
)

// Role is a worker's place at one node. The node says which.
type Role int

// The places at a node.
const (
	Watcher Role = iota
	Standby
	Owner
)

// View is what one worker knows of one node at one moment: all that its next move depends on.
type View struct {
	Worker, Link string // this worker; unique to this run of it
	Held         Holder // the claim on the node that this worker has a Lease for; vacant: none
	// OwnerClaim and StandbyClaim are what Read returned last.
	OwnerClaim, StandbyClaim Holder
	// Highest is the owner's claim with the highest epoch that this worker has ever seen at this node.
	Highest Holder
	// Tried is the highest epoch that this worker has ever asked for at this node, with whatever outcome: so that it asks
	// for the same claim at most once, also when the node restarts before it hears that it had it.
	Tried uint64
	// OwnerGone and StandbyGone: that process has ended, or says that it leaves. Its link was closed, or nothing listens
	// there.
	OwnerGone, StandbyGone bool
	// OwnerSilent and StandbySilent are the times since the last sign of life of that holder, or since this worker first
	// read its claim in that place (the same claim can be made in both), whichever is shorter.
	OwnerSilent, StandbySilent time.Duration
}

// Action is what a worker can do about a node.
type Action int

// The actions of a Move.
const (
	Stay          Action = iota
	ClaimNode            // Take
	ClaimStandby         // TakeStandby
	VacateStandby        // LeaveStandby, for oneself or for another
)

// Move is an action with its claims: Mine replaces Seen. VacateStandby has no Mine.
type Move struct {
	Action     Action
	Seen, Mine Holder
}

// Role is this worker's place according to the node. A claim in its name that it has no lease for (the claim came late, or
// is that of another run) makes nobody an owner.
func (v View) Role() Role {
	switch {
	case !v.Held.Vacant() && v.OwnerClaim == v.Held:
		return Owner
	case v.StandbyClaim.Worker == v.Worker:
		return Standby
	}
	return Watcher
}

// Next decides the next move, without I/O and without a clock.
//
//   - A node that nobody owns is claimed by its standby, and by everybody when there is none.
//   - A node whose owner's epoch is below Highest, or that of another, is claimed at once by whoever remembers: it has
//     restarted, or a claim of old came late.
//   - A node that holds a worker's name without its lease is claimed anew by that worker.
//   - An owner that is gone or silent is replaced by its standby alone.
//   - A standby's place that is vacant, or whose holder is gone or silent, is claimed by any watcher.
//   - An owner gives up the standby's place of its own, and vacates that of a standby that is gone or silent.
func (v View) Next() Move {
	owner, standby := v.OwnerClaim, v.StandbyClaim
	claimNode := Move{ClaimNode, owner, owner.By(v.Worker, v.Link, max(v.Highest.Epoch, v.Tried))}
	if v.stale() || owner.Worker == v.Worker && owner != v.Held {
		return claimNode
	}
	standbyLost := v.StandbyGone || v.StandbySilent >= ReplaceAfter
	switch v.Role() {
	case Owner:
		if standby.Worker == v.Worker || !standby.Vacant() && standbyLost {
			return Move{Action: VacateStandby, Seen: standby}
		}
	case Standby:
		if owner.Vacant() || v.OwnerGone || v.OwnerSilent >= ReplaceAfter {
			return claimNode
		}
	case Watcher:
		switch {
		case !standby.Vacant() && !standbyLost:
		case owner.Vacant():
			return claimNode
		default:
			return Move{ClaimStandby, standby, standby.By(v.Worker, v.Link, 0)}
		}
	}
	return Move{}
}

// stale says that the owner's claim is not the first with its epoch.
func (v View) stale() bool {
	owner, highest := v.OwnerClaim, v.Highest
	return owner.Epoch < highest.Epoch || owner.Epoch == highest.Epoch && !owner.Vacant() && !highest.Vacant() && owner != highest
}

// Make makes the move and returns the holder of the place after it; errors as for Take and Leave.
func (m Move) Make(ctx context.Context, n Node) (Holder, error) {
	switch m.Action {
	case ClaimNode:
		return Take(ctx, n, m.Seen, m.Mine)
	case ClaimStandby:
		return TakeStandby(ctx, n, m.Seen, m.Mine)
	case VacateStandby:
		return Holder{}, LeaveStandby(ctx, n, m.Seen)
	case Stay:
	}
	return Holder{}, nil
}
