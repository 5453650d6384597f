package sim

import (
	"testing"

	"tandem/messages"
)

// Seeds whose worlds once broke an invariant. What they showed has tests of its own in package nodes; a world changes when the code that
// makes it does, so that these are kept for what they may show next.
func keptSeeds() map[uint64]string {
	return map[uint64]string{
		343:   "a phone was put through by REFER with Replaces while no worker was there",
		7380:  "a successor that was itself late took legs for gone of which it was told later",
		31817: "an owner that was late died before it had read of a leg's end, which its standby had not been there to hear",
		36785: "a transferred call out was adopted under the newest version",
		48934: "the same", 49733: "the same", 57818: "the same", 67809: "the same", 79878: "the same", 84228: "the same", 87176: "the same",
		51816:  "a leg was answered and transferred in one gap by a caller who then left",
		58904:  "the same",
		100967: "a leg that was being moved at a takeover parked before the node was asked for it",
		4625:   "a talk was hung up that somebody had wanted to take over, and then did not",
		102742: "a page was talked over under another version",
		162459: "a caller's version was on its way when his silence was looked at",
		170738: "a leg came and went in a gap of the owner's, and its standby died when it took over",
		7342:   "a mark was written before what was ordered with it, and its worker died",
		18865:  "a timer fired at a takeover before it was known that its call's prompt had never been ordered",
		42492:  "a leg that nothing was known of talked on with another call's, and was passed on by that",
		20642:  "a timer of a call that is over waited for ever for what became of the last owner's orders, which is nothing",
		75709:  "a record was written again by a successor that could not get the call's version",
	}
}

func TestWorldsThatOnceBrokeAreWhole(t *testing.T) {
	worlds := New(story(t))
	for seed, showed := range keptSeeds() {
		for _, v := range worlds.Run(seed).Violations {
			t.Errorf("%s (it once showed: %s)", v, showed)
		}
	}
}

// A record that is written again says the same as the first, but for the version that a successor could not get.
func TestRecordsOfALegAreAlike(t *testing.T) {
	record := func(version int64, cause string) heldRecord {
		c := &messages.CDR{Leg: "leg", Call: "call", Cause: cause, Version: version}
		return heldRecord{call: c.Call, key: c.Leg, cdr: c, body: pack(c)}
	}
	for _, c := range []struct {
		excused bool
		again   heldRecord
		alike   bool
	}{
		{false, record(1, "USER_BUSY"), true},
		{false, record(2, "USER_BUSY"), false},
		{true, record(2, "USER_BUSY"), true},
		{true, record(2, "NO_ANSWER"), false},
	} {
		w := &world{byID: map[string]*simCall{"call": {excused: c.excused}}}
		if w.alike(record(1, "USER_BUSY"), c.again) != c.alike {
			t.Errorf("excused %t: %s is taken for %s", c.excused, c.again.body, record(1, "USER_BUSY").body)
		}
	}
}
