package provisioning_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/numbers"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/tenants"
)

func (w world) order(tenant, sheet string, more ...func(*provisioning.NewOrder)) postgres.Order {
	w.t.Helper()
	n := provisioning.NewOrder{Tenant: tenant, Kind: provisioning.ImportNumbers, Body: []byte(sheet), By: "key/k"}
	for _, m := range more {
		m(&n)
	}
	o, err := w.CreateOrder(w.ctx, n)
	w.must(err)
	return o
}

// carriedOut is an order after a worker has worked.
func (w world) carriedOut(o postgres.Order) postgres.Order {
	w.t.Helper()
	worked, err := w.WorkOrder(w.ctx)
	if err != nil || !worked {
		w.t.Fatalf("worked %v: %v", worked, err)
	}
	after, err := w.Order(w.ctx, o.Tenant, o.ID)
	w.must(err)
	return after
}

func (w world) faults(o postgres.Order) (all []string) {
	w.t.Helper()
	faults, err := w.OrderErrors(w.ctx, o.Tenant, o.ID, 1, 1000)
	w.must(err)
	for _, f := range faults {
		all = append(all, fmt.Sprintf("%d %s %s", f.Line, f.Column, f.Code))
	}
	return all
}

func TestASheetOfNumbersComesIntoAStockAndToCustomersInOneRevision(t *testing.T) {
	w := trade(t)
	w.must(w.SetDialling(w.ctx, "reseller", "", tenants.Dialling{Country: "DE"}))
	before := row[int64](w, `SELECT revision FROM revision`)
	reseller := w.as("reseller")
	o := reseller.order("reseller", "number;tenant;note\n030 123456-01;;Büro\n+493012345602;customer;\n+493012345603;reseller;\n")
	if o.State != numbers.Queued {
		t.Errorf("an order begins %s", o.State)
	}
	o = w.carriedOut(o)
	if o.State != numbers.Done || o.Total != 3 || o.Done != 3 || string(o.Result) != `{"added": 3, "assigned": 2, "encoding": "utf-8"}` {
		t.Errorf("%+v %s", o, o.Result)
	}
	if after := row[int64](w, `SELECT revision FROM revision`); after != before+1 {
		t.Errorf("%d revisions", after-before)
	}
	got := row[[]string](w, `SELECT array_agg(concat_ws(' ', number, state, holder_id, tenant_id, country, note) ORDER BY number) FROM number_stock`)
	want := []string{"+493012345601 available reseller DE Büro", "+493012345602 assigned reseller customer  ", "+493012345603 assigned reseller reseller  "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if w.snapshot().TenantByNumber("+493012345602").ID != "customer" {
		t.Error("workers do not know whose it is")
	}
	if by := row[string](w, `SELECT string_agg(DISTINCT by, ' ') FROM number_steps`); by != "key/k" {
		t.Errorf("the history says that %q did it", by)
	}
	if left := row[int](w, `SELECT count(*) FROM order_bodies`); left != 0 {
		t.Error("what was sent is kept")
	}
	if worked, err := w.WorkOrder(w.ctx); worked || err != nil {
		t.Errorf("it is carried out again: %v %v", worked, err)
	}
}

func TestASheetWithOneFaultDoesNothingAndTellsAll(t *testing.T) {
	w := trade(t)
	_, err := w.AddStock(w.ctx, "rival", []provisioning.NewNumber{{Number: first}})
	w.must(err)
	_, err = w.AddStock(w.ctx, "reseller", []provisioning.NewNumber{{Number: second}})
	w.must(err)
	w.must(w.AddTrunk(w.ctx, tenants.Trunk{ID: "carrier", Name: "C"}))
	before := row[int64](w, `SELECT revision FROM revision`)
	sheet := "number,tenant,trunk,note\n+493012345610,customer,,\n" + first + ",,,\n" + second + ",,,\n+493012345611,own,,\n+493012345612,,carrier,\n+493012345613,nobody,,=1\n+4930,,,\n"
	want := []string{"3 number number_unavailable", "4 number number_known", "5 tenant tenant_unknown", "6 trunk trunk_unknown", "7 note cell_formula", "8 number number_invalid"}
	for _, dry := range []bool{false, true} {
		o := w.carriedOut(w.order("reseller", sheet, func(n *provisioning.NewOrder) { n.DryRun = dry }))
		state := map[bool]numbers.OrderState{false: numbers.Failed, true: numbers.Done}[dry]
		if diff := cmp.Diff(want, w.faults(o)); diff != "" || o.State != state || o.Errors != len(want) {
			t.Errorf("dry run %v: %s, %d errors\n%s", dry, o.State, o.Errors, diff)
		}
	}
	faults, err := w.OrderErrors(w.ctx, "reseller", row[string](w, `SELECT min(id) FROM orders`), 1, 1)
	w.must(err)
	if strings.Contains(faults[0].Detail, "rival") || faults[0].Detail != "The number is not to be had." {
		t.Errorf("it says whose the number is: %s", faults[0].Detail)
	}
	o := w.carriedOut(w.order("reseller", "number\n+493012345610\n", func(n *provisioning.NewOrder) { n.DryRun = true }))
	if o.State != numbers.Done || o.Errors != 0 || !strings.Contains(string(o.Result), `"added": 1`) {
		t.Errorf("a dry run without fault: %+v", o)
	}
	if n := row[int](w, `SELECT count(*) FROM number_stock`); n != 2 || row[int64](w, `SELECT revision FROM revision`) != before {
		t.Errorf("something is half done: %d numbers", n)
	}
}

func TestAnOrderOfADeadWorkerIsTakenUpAndItsOwnerIsTooLate(t *testing.T) {
	w := trade(t)
	o := w.order("reseller", "number\n"+first+"\n")
	const lease = 50 * time.Millisecond
	_, err := w.Store.ClaimOrder(w.ctx, "dead", lease)
	w.must(err)
	if _, err := w.Store.ClaimOrder(w.ctx, "too soon", time.Minute); !errors.Is(err, postgres.ErrNotFound) {
		t.Errorf("an order that somebody has is claimed: %v", err)
	}
	w.sql(`UPDATE orders SET lease_until = now() - interval '1 second'`)
	if o = w.carriedOut(o); o.State != numbers.Done {
		t.Fatalf("%+v", o)
	}
	// The dead one wakes, and wants to commit what it has done.
	err = w.Store.Change(w.ctx, func(tx *postgres.Tx) error {
		now := time.Now()
		if _, err := tx.InsertStock(w.ctx, []postgres.Stock{{Number: numbers.Number{Number: second, State: numbers.Available, Since: now}}}, numbers.Add); err != nil {
			return err
		}
		return tx.FinishOrder(w.ctx, o.ID, "dead", postgres.OrderEnd{State: numbers.Done})
	})
	if !errors.Is(err, postgres.ErrOrderLost) || row[int](w, `SELECT count(*) FROM number_stock`) != 1 {
		t.Errorf("who was thought dead has committed: %v", err)
	}
	if err := w.Store.RenewOrder(w.ctx, o.ID, "dead", lease, 1, 1); !errors.Is(err, postgres.ErrOrderLost) {
		t.Errorf("and keeps it: %v", err)
	}
}

func TestAnOrderThatKillsItsWorkersIsGivenUp(t *testing.T) {
	w := trade(t)
	o := w.order("reseller", "number\n"+first+"\n")
	w.sql(fmt.Sprintf(`UPDATE orders SET attempts = %d`, provisioning.MaxOrderAttempts))
	o = w.carriedOut(o)
	if diff := cmp.Diff([]string{"0  gave_up"}, w.faults(o)); diff != "" || o.State != numbers.Failed {
		t.Errorf("%+v\n%s", o, diff)
	}
}

func TestACancelledOrderDoesNothing(t *testing.T) {
	w := trade(t)
	o := w.order("reseller", "number\n"+first+"\n")
	reseller, rival := w.as("reseller"), w.as("rival")
	_, err := rival.CancelOrder(rival.ctx, "rival", o.ID)
	refused(t, err, provisioning.NotFound, "no such order")
	_, err = rival.Order(rival.ctx, "reseller", o.ID) // whatever path he has found
	refused(t, err, provisioning.NotFound, "no such order")
	c, err := w.Store.ClaimOrder(w.ctx, "busy", time.Minute)
	w.must(err)
	o, err = reseller.CancelOrder(reseller.ctx, "reseller", o.ID)
	if err != nil || o.State != numbers.Cancelled {
		t.Fatalf("%+v %v", o, err)
	}
	err = w.Store.Change(w.ctx, func(tx *postgres.Tx) error {
		return tx.FinishOrder(w.ctx, c.ID, "busy", postgres.OrderEnd{State: numbers.Done})
	})
	if !errors.Is(err, postgres.ErrOrderLost) {
		t.Errorf("the worker commits all the same: %v", err)
	}
	_, err = reseller.CancelOrder(reseller.ctx, "reseller", o.ID)
	refused(t, err, provisioning.Conflict, "is over")
}

func TestOrdersAreRefusedAtOnceWhereThatIsKnownAtOnce(t *testing.T) {
	w := trade(t)
	for name, c := range map[string]struct {
		change func(*provisioning.NewOrder)
		code   provisioning.Code
		words  string
	}{
		"no kind":         {func(n *provisioning.NewOrder) { n.Kind = "eat" }, provisioning.Invalid, "kind"},
		"no body":         {func(n *provisioning.NewOrder) { n.Body = nil }, provisioning.Invalid, "body"},
		"too long":        {func(n *provisioning.NewOrder) { n.Body = make([]byte, numbers.MaxSheetBytes+1) }, provisioning.Invalid, "body"},
		"no such country": {func(n *provisioning.NewOrder) { n.Country = "XX" }, provisioning.Invalid, "country"},
		"no reseller":     {func(n *provisioning.NewOrder) { n.Tenant = "customer" }, provisioning.Conflict, "none"},
	} {
		n := provisioning.NewOrder{Tenant: "reseller", Kind: provisioning.ImportNumbers, Body: []byte("number\n"), By: "k"}
		c.change(&n)
		_, err := w.CreateOrder(w.ctx, n)
		t.Run(name, func(t *testing.T) { refused(t, err, c.code, c.words) })
	}
	for range provisioning.MaxOpenOrders {
		w.order("reseller", "number\n")
	}
	_, err := w.CreateOrder(w.ctx, provisioning.NewOrder{Tenant: "reseller", Kind: provisioning.ImportNumbers, Body: []byte("number\n"), By: "k"})
	refused(t, err, provisioning.Conflict, "not over")
	w.order("rival", "number\n")
}

// The largest sheet, as a whole. It says how long that takes, and for how long no other change can be made.
func TestAHundredThousandNumbersComeAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	w := trade(t)
	var sheet strings.Builder
	sheet.WriteString("number,tenant\n")
	for i := range numbers.MaxSheetRows {
		fmt.Fprintf(&sheet, "+4930%07d,%s\n", i, []string{"", "customer"}[i%2])
	}
	before := row[int64](w, `SELECT revision FROM revision`)
	begun := time.Now()
	o := w.carriedOut(w.order("reseller", sheet.String()))
	if o.State != numbers.Done || o.Done != numbers.MaxSheetRows || row[int](w, `SELECT count(*) FROM numbers`) != numbers.MaxSheetRows/2 || row[int64](w, `SELECT revision FROM revision`) != before+1 {
		t.Errorf("%+v", o)
	}
	t.Logf("%d numbers in %v", o.Done, time.Since(begun))
}
