package claim

import (
	"testing"
	"time"
)

func TestNextMove(t *testing.T) {
	const silent = ReplaceAfter
	me := func(epoch uint64) Holder { return Holder{epoch, "me", "h:1"} }
	other := func(epoch uint64) Holder { return Holder{epoch, "other", "h:2"} }
	third := func(epoch uint64) Holder { return Holder{epoch, "third", "h:3"} }
	vacant := func(epoch uint64) Holder { return Holder{Epoch: epoch} }
	for _, c := range []struct {
		name string
		view View
		role Role
		want Move
	}{
		{"a new node is claimed", View{}, Watcher, Move{ClaimNode, Holder{}, me(1)}},
		{"a node whose owner left, without standby, is claimed", View{OwnerClaim: vacant(7), StandbyClaim: vacant(3), Highest: other(7)}, Watcher, Move{ClaimNode, vacant(7), me(8)}},
		{"it is left to its standby", View{OwnerClaim: vacant(7), StandbyClaim: other(3)}, Watcher, Move{}},
		{"unless that is gone", View{OwnerClaim: vacant(7), StandbyClaim: other(3), StandbyGone: true}, Watcher, Move{ClaimNode, vacant(7), me(8)}},
		{"or silent", View{OwnerClaim: vacant(7), StandbyClaim: other(3), StandbySilent: silent}, Watcher, Move{ClaimNode, vacant(7), me(8)}},

		{"a vacant standby's place is claimed, with its own epoch", View{OwnerClaim: other(7), StandbyClaim: vacant(3), Highest: other(7)}, Watcher, Move{ClaimStandby, vacant(3), me(4)}},
		{"so is that of a standby that is gone", View{OwnerClaim: other(7), StandbyClaim: third(3), StandbyGone: true}, Watcher, Move{ClaimStandby, third(3), me(4)}},
		{"or silent", View{OwnerClaim: other(7), StandbyClaim: third(3), StandbySilent: silent}, Watcher, Move{ClaimStandby, third(3), me(4)}},
		{"a watcher leaves a dead owner to the standby", View{OwnerClaim: other(7), StandbyClaim: third(3), OwnerGone: true}, Watcher, Move{}},
		{"both dead: the standby's place comes first", View{OwnerClaim: other(7), StandbyClaim: third(3), OwnerGone: true, StandbyGone: true}, Watcher, Move{ClaimStandby, third(3), me(4)}},

		{"a standby stands by", View{OwnerClaim: other(7), StandbyClaim: me(3), Highest: other(7)}, Standby, Move{}},
		{"a silence that is not long enough changes nothing", View{OwnerClaim: other(7), StandbyClaim: me(3), OwnerSilent: silent - 1}, Standby, Move{}},
		{"a standby replaces a silent owner", View{OwnerClaim: other(7), StandbyClaim: me(3), OwnerSilent: silent}, Standby, Move{ClaimNode, other(7), me(8)}},
		{"and one that is gone", View{OwnerClaim: other(7), StandbyClaim: me(3), OwnerGone: true}, Standby, Move{ClaimNode, other(7), me(8)}},
		{"and one that left", View{OwnerClaim: vacant(7), StandbyClaim: me(3)}, Standby, Move{ClaimNode, vacant(7), me(8)}},

		{"an owner goes on", View{Held: me(8), OwnerClaim: me(8), StandbyClaim: other(4), Highest: me(8), OwnerSilent: time.Hour}, Owner, Move{}},
		{"an owner gives up the standby's place", View{Held: me(8), OwnerClaim: me(8), StandbyClaim: me(3), Highest: me(8)}, Owner, Move{Action: VacateStandby, Seen: me(3)}},
		{"an owner vacates the place of a standby that is gone", View{Held: me(8), OwnerClaim: me(8), StandbyClaim: other(4), StandbyGone: true}, Owner, Move{Action: VacateStandby, Seen: other(4)}},
		{"or silent", View{Held: me(8), OwnerClaim: me(8), StandbyClaim: other(4), StandbySilent: silent}, Owner, Move{Action: VacateStandby, Seen: other(4)}},
		{"an owner without standby goes on", View{Held: me(8), OwnerClaim: me(8), StandbyClaim: vacant(4), StandbySilent: time.Hour}, Owner, Move{}},

		{"after a restart the claim is above what is remembered", View{Highest: other(9)}, Watcher, Move{ClaimNode, Holder{}, me(10)}},
		{"and above what was tried", View{Highest: other(9), Tried: 12}, Watcher, Move{ClaimNode, Holder{}, me(13)}},
		{"what was tried and not seen makes no owner a stranger", View{OwnerClaim: other(7), StandbyClaim: third(3), Highest: other(7), Tried: 9}, Watcher, Move{}},
		{"an owner without memory is replaced by whoever remembers", View{OwnerClaim: other(1), StandbyClaim: third(1), Highest: other(9)}, Watcher, Move{ClaimNode, other(1), me(10)}},
		{"so is one with an epoch that was another's", View{OwnerClaim: other(9), StandbyClaim: vacant(1), Highest: third(9)}, Watcher, Move{ClaimNode, other(9), me(10)}},
		{"a claim of its own that came late is no ownership", View{OwnerClaim: me(2), Highest: other(9)}, Watcher, Move{ClaimNode, me(2), me(10)}},
		{"nor is one that it did not know to have been made", View{OwnerClaim: me(8), StandbyClaim: other(3), Highest: other(7)}, Watcher, Move{ClaimNode, me(8), me(9)}},
		{"nor one of another run with its name", View{Held: me(8), OwnerClaim: Holder{9, "me", "h:9"}, Highest: other(9)}, Watcher, Move{ClaimNode, Holder{9, "me", "h:9"}, me(10)}},
		{"a standby that was made owner claims anew", View{OwnerClaim: me(8), StandbyClaim: me(3), Highest: me(8)}, Standby, Move{ClaimNode, me(8), me(9)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.view.Worker, c.view.Link = "me", "h:1"
			if got := c.view.Role(); got != c.role {
				t.Errorf("role %d", got)
			}
			if got := c.view.Next(); got != c.want {
				t.Errorf("got %+v", got)
			}
		})
	}
}
