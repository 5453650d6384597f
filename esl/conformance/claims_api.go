package conformance

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"tandem/esl"
)

func apiClaims() []Claim {
	return []Claim{
		{"uuid_dump as json is one object of strings and lists of them", dumpJSON},
		{"a variable that was pushed to is a list in such an object", dumpList},
		{"variables are set and read from outside", setvar},
		{"show channels lists a call, and none", showChannels},
		{"show calls lists a bridge once", showCalls},
		{"a global variable is changed only from what it was", globalSwap},
		{"a key of the hash is inserted once and deleted by its owner", hashOwner},
		{"a paused engine refuses new calls and keeps the old", paused},
		{"originate parks the leg that answers", originate},
		{"of several that are originated the first that answers parks, and the others are let go", originateSeveral},
		{"a failed originate says why", originateFails},
		{"uuid_kill of a parked call is a BYE", killBye},
		{"status and version answer", statusVersion},
	}
}

func dumpJSON(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	var dump map[string]string
	if err := json.Unmarshal([]byte(e.text(esl.UUIDDump(uuid))), &dump); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Unique-ID": uuid, "Event-Name": "CHANNEL_DATA", "Answer-State": "answered", "Caller-Destination-Number": "1000",
		"variable_sip_call_id": d.invite.CallID().Value(), "variable_sip_req_user": "1000", "Channel-State": "CS_EXECUTE",
	} {
		equal(t, name, dump[name], want)
	}
	if !strings.Contains(dump["variable_switch_r_sdp"], "\r\nm=audio ") {
		t.Errorf("switch_r_sdp: %q", dump["variable_switch_r_sdp"])
	}
	d.Bye()
}

func dumpList(t *testing.T, target Target) {
	e := open(t, target)
	p, q, r := e.phone(), e.phone(), e.phone()
	a, caller := e.answered(p)
	one, two := fresh(a), fresh(a)
	dial := legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: one})
	dial.Legs = append(dial.Legs, legTo(target, r, "carol", esl.Var{Name: "origination_uuid", Value: two}).Legs...)
	e.send(esl.Bridge(a, "bridge", dial))
	bob, carol := q.Await(), r.Await()
	bob.Respond(180, "Ringing", false)
	carol.Respond(180, "Ringing", false)
	e.event(one, "CHANNEL_PROGRESS")
	e.event(two, "CHANNEL_PROGRESS")
	var dump struct {
		Legs []string `json:"variable_originated_legs"`
	}
	if err := json.Unmarshal([]byte(e.text(esl.UUIDDump(a))), &dump); err != nil {
		t.Fatal(err)
	}
	if len(dump.Legs) != 2 || !strings.HasPrefix(dump.Legs[0], one) || !strings.HasPrefix(dump.Legs[1], two) {
		t.Errorf("originated_legs: %q", dump.Legs)
	}
	caller.Bye()
	receive(t, bob.Cancels, target.Patience, "a CANCEL")
	receive(t, carol.Cancels, target.Patience, "a CANCEL")
}

func setvar(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	equal(t, "uuid_setvar", e.text(esl.UUIDSetvar(uuid, "claim_a", "one two")), "+OK")
	equal(t, "uuid_getvar", e.text(esl.UUIDGetvar(uuid, "claim_a")), "one two")
	equal(t, "uuid_setvar_multi", e.text(esl.UUIDSetvarMulti(uuid, esl.Var{Name: "claim_b", Value: "2"}, esl.Var{Name: "claim_c", Value: "3"})), "+OK")
	equal(t, "b", e.text(esl.UUIDGetvar(uuid, "claim_b")), "2")
	equal(t, "c", e.text(esl.UUIDGetvar(uuid, "claim_c")), "3")
	equal(t, "unset", e.text(esl.UUIDUnsetvar(uuid, "claim_a")), "+OK")
	equal(t, "then", e.text(esl.UUIDGetvar(uuid, "claim_a")), "_undef_")
	d.Bye()
	equal(t, "in the last event", e.event(uuid, "CHANNEL_HANGUP_COMPLETE").Variable("claim_c"), "3")
}

// table is the answer of "show ... as json".
type table struct {
	RowCount int                 `json:"row_count"`
	Rows     []map[string]string `json:"rows"`
}

func (e *engine) show(cmd esl.API) table {
	e.t.Helper()
	var answer table
	if err := json.Unmarshal([]byte(e.text(cmd)), &answer); err != nil {
		e.t.Fatal(err)
	}
	return answer
}

// row finds the row of a uuid.
func (answer table) row(uuid string) map[string]string {
	for _, row := range answer.Rows {
		if row["uuid"] == uuid {
			return row
		}
	}
	return nil
}

func showChannels(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	var row map[string]string
	// The engine fills its table behind the events.
	e.until("the call in the table", func() bool {
		row = e.show(esl.ShowChannels()).row(uuid)
		return row != nil && row["callstate"] == "ACTIVE"
	})
	for name, want := range map[string]string{
		"direction": "inbound", "dest": "1000", "cid_num": "alice", "cid_name": "Alice", "state": "CS_EXECUTE", "read_codec": "PCMU", "ip_addr": "127.0.0.1",
	} {
		equal(t, name, row[name], want)
	}
	d.Bye()
	e.event(uuid, "CHANNEL_DESTROY")
	e.until("the call out of the table", func() bool { return e.show(esl.ShowChannels()).row(uuid) == nil })
	e.until("an empty table", func() bool { return e.text(esl.ShowChannels()) == `{"row_count": 0}` })
}

func showCalls(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, _ := e.bridged("")
	e.until("the bridge in the table", func() bool {
		row := e.show(esl.ShowCalls()).row(a)
		return row != nil && row["b_uuid"] == b
	})
	if row := e.show(esl.ShowCalls()).row(b); row != nil {
		t.Error("the B-leg has a row of its own")
	}
	caller.Bye()
	e.event(b, "CHANNEL_DESTROY")
}

// seededGlobal is set by the configuration (freeswitch-conf) and by the
// stand-in's options.
const seededGlobal = "tandem_owner"

func globalSwap(t *testing.T, target Target) {
	e := open(t, target)
	before := e.text(esl.GlobalGetvar(seededGlobal))
	if strings.HasPrefix(before, "-ERR") {
		t.Fatalf("%s is not seeded: %s", seededGlobal, before)
	}
	equal(t, "from a wrong value", e.text(esl.GlobalSetvarCAS(seededGlobal, "thief", "not-"+before)), "+OK")
	equal(t, "it is still", e.text(esl.GlobalGetvar(seededGlobal)), before)
	equal(t, "from the right value", e.text(esl.GlobalSetvarCAS(seededGlobal, "worker-7", before)), "+OK")
	equal(t, "it is", e.text(esl.GlobalGetvar(seededGlobal)), "worker-7")
	e.text(esl.GlobalSetvarCAS(seededGlobal, before, "worker-7"))
	e.text(esl.GlobalSetvarCAS("never_set_claim", "x", "y"))
	equal(t, "a variable that is not set stays so", e.text(esl.GlobalGetvar("never_set_claim")), "-ERR no reply")
}

func hashOwner(t *testing.T, target Target) {
	e := open(t, target)
	equal(t, "insert", e.text(esl.HashInsertIfEmpty("claims", "owner", "one")), "+OK")
	equal(t, "again", e.text(esl.HashInsertIfEmpty("claims", "owner", "two")), "-ERR key already exists")
	equal(t, "select", e.text(esl.HashSelect("claims", "owner")), "one")
	equal(t, "delete by another", e.text(esl.HashDeleteIfMatch("claims", "owner", "two")), "-ERR Doesn't match")
	equal(t, "delete by the owner", e.text(esl.HashDeleteIfMatch("claims", "owner", "one")), "+OK")
	equal(t, "delete again", e.text(esl.HashDeleteIfMatch("claims", "owner", "one")), "-ERR Not found")
	equal(t, "select", e.text(esl.HashSelect("claims", "owner")), "-ERR no reply")
}

func paused(t *testing.T, target Target) {
	e := open(t, target)
	p := e.phone()
	uuid, d := e.answered(p)
	t.Cleanup(func() { openRaw(t, target).command("api fsctl resume inbound") })
	equal(t, "pause", e.text(esl.PauseInbound()), "+OK")
	equal(t, "check", e.text(esl.InboundPaused()), "true")
	res, _ := p.Call(target.SIP, "1000").Final()
	equal(t, "a new call", res.StatusCode, 503)
	if h := res.GetHeader("Retry-After"); h == nil || h.Value() != "300" {
		t.Errorf("Retry-After: %v", h)
	}
	equal(t, "the old call", e.text(esl.UUIDExists(uuid)), "true")
	equal(t, "resume", e.text(esl.ResumeInbound()), "+OK")
	equal(t, "check", e.text(esl.InboundPaused()), "false")
	next := p.Call(target.SIP, "1000")
	e.text(esl.UUIDKill(e.parked(next), "NORMAL_CLEARING"))
	next.Final()
	d.Bye()
}

func originate(t *testing.T, target Target) {
	e := open(t, target)
	q := e.phone()
	b := fresh("cafe0001")
	ctx, cancel := context.WithTimeout(context.Background(), target.Patience)
	defer cancel()
	result := make(chan esl.Reply, 1)
	go func() {
		reply, err := e.conn.Background(ctx, esl.Originate(legTo(target, q, "bob",
			esl.Var{Name: "origination_uuid", Value: b}, esl.Var{Name: "origination_caller_id_number", Value: "+4930"})))
		if err != nil {
			t.Error(err)
		}
		result <- reply
	}()
	callee := q.Await()
	callee.Respond(180, "Ringing", false)
	callee.Respond(200, "OK", true)
	equal(t, "job", receive(t, result, target.Patience, "the job's result").Text, "+OK "+b)
	ev := e.event(b, "CHANNEL_PARK")
	equal(t, "direction", ev.Get("Call-Direction"), "outbound")
	e.inOrder(b, "CHANNEL_CREATE", "CHANNEL_PROGRESS", "CHANNEL_ANSWER", "CHANNEL_EXECUTE park", "CHANNEL_PARK")
	e.text(esl.UUIDKill(b, "NORMAL_CLEARING"))
	receive(t, callee.Byes, target.Patience, "a BYE")
}

func originateSeveral(t *testing.T, target Target) {
	e := open(t, target)
	p, q, r := e.phone(), e.phone(), e.phone()
	one := fresh("cafe0002")
	two, three := fresh(one), fresh(one)
	dial := legTo(target, p, "bob", esl.Var{Name: "origination_uuid", Value: one})
	dial.Legs = append(dial.Legs, legTo(target, q, "carol", esl.Var{Name: "origination_uuid", Value: two}).Legs...)
	dial.Mode = esl.Simultaneous
	dial.Global = []esl.Var{{Name: "ignore_early_media", Value: "true"}, {Name: "originate_timeout", Value: "10"}, {Name: "tandem_call", Value: "eyJpZCI6IjEifQ"}}
	if reply := e.send(esl.Detached(esl.Originate(dial))); reply.Err() != nil {
		t.Fatal(reply.Err())
	}
	bob, carol := p.Await(), q.Await()
	bob.Respond(180, "Ringing", false)
	carol.Respond(200, "OK", true)
	ev := e.event(two, "CHANNEL_PARK")
	equal(t, "answer state", ev.Get("Answer-State"), "answered")
	equal(t, "variable of all", ev.Variable("tandem_call"), "eyJpZCI6IjEifQ")
	equal(t, "cause of the other", e.event(one, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "LOSE_RACE")
	// The leg that waits dials on like a caller's.
	e.send(esl.Bridge(two, two+"/bridge", legTo(target, r, "dave", esl.Var{Name: "origination_uuid", Value: three})))
	dave := r.Await()
	dave.Respond(200, "OK", true)
	e.event(two, "CHANNEL_BRIDGE")
	carol.Bye()
	receive(t, dave.Byes, target.Patience, "a BYE")
}

func originateFails(t *testing.T, target Target) {
	r := openRaw(t, target)
	equal(t, "a dead port", r.command("api originate {originate_timeout=5}sofia/"+target.Profile+"/sip:x@"+deadAddr(t)+" &park()"), "-ERR NORMAL_TEMPORARY_FAILURE")
	e := open(t, target)
	q := e.phone()
	answer := make(chan string, 1)
	go func() {
		answer <- r.command("api originate {originate_timeout=20}sofia/" + target.Profile + "/" + q.URI("bob") + " &park()")
	}()
	q.Await().Respond(486, "Busy Here", false)
	equal(t, "a busy phone", receive(t, answer, target.Patience, "the answer"), "-ERR USER_BUSY")
}

func killBye(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	equal(t, "reply", e.text(esl.UUIDKill(uuid, "NORMAL_CLEARING")), "+OK")
	receive(t, d.Byes, target.Patience, "a BYE")
	e.event(uuid, "CHANNEL_DESTROY")
	e.inOrder(uuid, "CHANNEL_HANGUP", "CHANNEL_EXECUTE_COMPLETE park", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY")
}

func statusVersion(t *testing.T, target Target) {
	e := open(t, target)
	if got := e.text(esl.Status()); !strings.HasPrefix(got, "UP 0 years") || !strings.Contains(got, "is ready") || !strings.Contains(got, "session(s) max") {
		t.Errorf("status:\n%s", got)
	}
	if got := e.text(esl.Version()); !strings.HasPrefix(got, "FreeSWITCH Version ") {
		t.Errorf("version: %s", got)
	}
}
