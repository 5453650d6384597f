package main

import (
	"context"
	"testing"
	"time"

	"tandem/sipptest"
	"tandem/stack"
)

// TestRealFreeSWITCH makes five of the calls on a real FreeSWITCH. It is not parallel: an engine with real media needs the
// machine.
func TestRealFreeSWITCH(t *testing.T) {
	where, found := stack.FindFreeSWITCH()
	if !found || stack.IsAddress(where) {
		t.Skip("no FreeSWITCH on this machine: set TANDEM_FREESWITCH to the path of its binary to make these calls on the real engine")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	w, err := newWorld(ctx, t, stack.ForTest(t), worldOptions{Name: "freeswitch", Nodes: 1, FreeSWITCH: where})
	must(t, err)
	for name, call := range map[string]func(*testing.T){
		"answered":            func(t *testing.T) { answered().make(t, w) },
		"busy":                func(t *testing.T) { busy().make(t, w) },
		"BYE from the callee": func(t *testing.T) { endedByCallee().make(t, w) },
		"menu with RFC 4733 digits": func(t *testing.T) {
			throughMenu(t, w, sipptest.Call{Digits: "1"}, viaMenu("answering", "menu_asked", "menu_chosen"))
		},
		"ring group, first to answer":        func(t *testing.T) { firstToAnswer(t, w) },
		"transfer by the callee":             func(t *testing.T) { calleeTransfers(t, w) },
		"transfer by the caller":             func(t *testing.T) { callerTransfers(t, w) },
		"attended transfer by the callee":    func(t *testing.T) { attendedByCallee(t, w) },
		"attended transfer by the caller":    func(t *testing.T) { attendedByCaller(t, w) },
		"attended transfer to an absent one": func(t *testing.T) { attendedInVain(t, w) },
		"a ringing call picked up":           func(t *testing.T) { pickUp(t, w) },
		"a call parked and fetched":          func(t *testing.T) { parkAndFetch(t, w) },
		"a ringing call replaced":            func(t *testing.T) { replaceRinging(t, w) },
		"a phone that talks replaced":        func(t *testing.T) { replaceTalking(t, w) },
		"a call taken by a key":              func(t *testing.T) { accepts(t, w) },
		"an announcement to two phones":      func(t *testing.T) { pages(t, w) },
		"a talk listened to":                 func(t *testing.T) { listenIn(t, w) },
	} {
		t.Run(name, func(t *testing.T) {
			w.tellOnFailure(t)
			call(t)
		})
	}
}

// TestAttendedTransferAcrossRealNodes lets two real engines meet.
func TestAttendedTransferAcrossRealNodes(t *testing.T) {
	where, found := stack.FindFreeSWITCH()
	if !found || stack.IsAddress(where) {
		t.Skip("no FreeSWITCH on this machine: set TANDEM_FREESWITCH to the path of its binary to make these calls on the real engine")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	w, err := newWorld(ctx, t, stack.ForTest(t), worldOptions{Name: "freeswitches", Nodes: 2, FreeSWITCH: where})
	must(t, err)
	w.tellOnFailure(t)
	attendedAcross(t, joining(t, w))
}

// TestCallsMoveBetweenRealNodes lets one real engine take over a talk that another has begun.
func TestCallsMoveBetweenRealNodes(t *testing.T) {
	where, found := stack.FindFreeSWITCH()
	if !found || stack.IsAddress(where) {
		t.Skip("no FreeSWITCH on this machine: set TANDEM_FREESWITCH to the path of its binary to make these calls on the real engine")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	w, err := newWorld(ctx, t, stack.ForTest(t), worldOptions{Name: "freeswitchmoves", Nodes: 2, FreeSWITCH: where})
	must(t, err)
	w.tellOnFailure(t)
	talkMoves(t, joining(t, w))
}
