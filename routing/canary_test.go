package routing

import (
	"fmt"
	"testing"

	"tandem/messages"
	"tandem/tenants"
)

// onTrial gives version 9 of red, which blocks +15550777 and leads 300 elsewhere, to a share of calls.
func onTrial(share int) func(*tenants.Data) {
	return func(d *tenants.Data) {
		t := &d.Tenants[0]
		p := t.Published
		p.Version, p.BlockedCallers = 9, []string{"+15550777"}
		t.Versions, t.Candidate = []tenants.Published{p}, tenants.Candidate{Version: 9, Share: share}
	}
}

// Which caller has which place must never change: workers of several releases decide side by side.
func TestACallersPlaceIsForEver(t *testing.T) {
	for caller, want := range map[string]int{"101": 42, "+15550199": 41, "": 80} {
		if got := Bucket("red", 9, caller); got != want {
			t.Errorf("%q is in place %d, and was in %d", caller, got, want)
		}
	}
}

func TestAShareOfCallersGetsTheCandidateAndKeepsIt(t *testing.T) {
	const callers = 4000
	had := map[int]bool{}
	for _, share := range []int{1, 5, 20, 50, 99} {
		s, got := world(t, onTrial(share)), map[int]bool{}
		for i := range callers {
			m := fromTrunk(fmt.Sprintf("+1202555%04d", i), "+15550100")
			d := decide(t, s, up("n1"), m)
			m.CallID, m.FromTag = "another", "t2"
			if other := decide(t, s, up("n1"), m); other.Version != d.Version || other.Call == d.Call {
				t.Fatalf("caller %d gets version %d and then %d", i, d.Version, other.Version)
			}
			switch d.Version {
			case 9:
				got[i] = true
				if why := allWords(t).Words(d.Because[1]); why != fmt.Sprintf("The call gets version 9 (canary, %d %% of calls).", share) {
					t.Fatal(why)
				}
			case 7:
				if had[i] {
					t.Errorf("caller %d had the candidate and has lost it at %d %%", i, share)
				}
			default:
				t.Fatalf("version %d", d.Version)
			}
		}
		if percent := float64(len(got)) * 100 / callers; percent < float64(share)-3 || percent > float64(share)+3 {
			t.Errorf("%.1f %% of callers have it, not %d", percent, share)
		}
		had = got
	}
}

func TestCallersWithoutANumberAreTakenOneByOne(t *testing.T) {
	s, versions := world(t, onTrial(50)), map[int64]int{}
	for i := range 200 {
		m := fromTrunk("anonymous", "+15550100")
		m.CallID, m.Privacy = fmt.Sprint("call ", i), "id"
		versions[decide(t, s, up("n1"), m).Version]++
	}
	if versions[7] < 60 || versions[9] < 60 {
		t.Errorf("got %v", versions)
	}
}

func TestTheCandidateDecidesAllThatIsVersionedAndNothingElse(t *testing.T) {
	for _, c := range []struct {
		from, to string
		share    int
		version  int64
		code     int
	}{
		{"+15550777", "+15550100", 99, 9, 603}, // blocked by the candidate alone
		{"+15550777", "+15550100", 0, 7, 0},
		{"+15550666", "+15550100", 99, 9, 0}, // and no longer
		{"+15550666", "+15550100", 0, 7, 603},
		{"+15550777", "112", 99, 7, 0}, // nothing of it is versioned
	} {
		d := decide(t, world(t, onTrial(c.share)), up("n1"), fromTrunk(c.from, c.to))
		if c.to == "112" {
			c.version = 0 // a call for help over a carrier's trunk is no tenant's
		}
		if d.Version != c.version || d.Code != c.code {
			t.Errorf("%s calls %s at %d %%: version %d, code %d", c.from, c.to, c.share, d.Version, d.Code)
		}
	}
	if d := decide(t, world(t, onTrial(99)), up("n1"), fromDevice(t, "desk@red.example", "112")); d.Version != 7 {
		t.Errorf("a call for help is on trial: version %d", d.Version)
	}
	if d := decide(t, world(t, onTrial(99)), up("n1"), fromDevice(t, "desk@blue.example", "101")); d.Version != 7 {
		t.Errorf("another tenant's call is on trial: version %d", d.Version)
	}
}

func TestACandidateThatIsNotThereIsGivenToNobody(t *testing.T) {
	s := world(t, func(d *tenants.Data) { d.Tenants[0].Candidate = tenants.Candidate{Version: 9, Share: 99} })
	if d := decide(t, s, up("n1"), fromTrunk("+12025550100", "+15550100")); d.Version != 7 || d.Verdict != messages.Route {
		t.Errorf("got %+v", d)
	}
}
