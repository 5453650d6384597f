package provisioning_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/numbers"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/tenants"
)

func portText(of ...string) provisioning.PortingText {
	return provisioning.PortingText{Carrier: "Other Telecom", Account: "4711", Subscriber: "Customer Ltd", Address: "1 High Street\nTown", Numbers: of}
}

// port does a step as the customer, or as who deals with the other carrier, through the role of the API.
func (w world) port(id string, step numbers.PortStep, more ...func(*provisioning.PortingAsk)) (postgres.Porting, error) {
	a := provisioning.PortingAsk{Step: step, By: "person/p", Decider: step != numbers.Submit && step != numbers.Cancel}
	for _, m := range more {
		m(&a)
	}
	asker := w.as("customer")
	return asker.StepPorting(asker.ctx, "customer", id, a)
}

func on(day time.Time) func(*provisioning.PortingAsk) {
	return func(a *provisioning.PortingAsk) { a.On = day }
}

func saying(why string) func(*provisioning.PortingAsk) {
	return func(a *provisioning.PortingAsk) { a.Comment = why }
}

func (w world) stateOf(number string) string {
	w.t.Helper()
	return row[string](w, `SELECT coalesce((SELECT state FROM number_stock WHERE number = $1), '')`, number)
}

func TestNumbersArePortedInAndAreLiveWithTheLastStep(t *testing.T) {
	w := trade(t)
	customer := w.as("customer")
	p, err := customer.CreatePorting(customer.ctx, "customer", numbers.In, portText(second, first, first), "person/p")
	w.must(err)
	if p.State != numbers.PortDraft || !slices.Equal(p.Numbers, []string{first, second}) || w.stateOf(first) != "" {
		t.Errorf("a draft: %+v", p)
	}
	today := time.Now().UTC()
	for _, s := range []struct {
		step   numbers.PortStep
		more   func(*provisioning.PortingAsk)
		number string
	}{
		{numbers.Submit, saying(""), "porting_in"},
		{numbers.Reject, saying("the account number is wrong"), ""},
		{numbers.Submit, saying("4712 now"), "porting_in"},
		{numbers.Accept, saying(""), "porting_in"},
		{numbers.Schedule, on(today.AddDate(0, 0, 1)), "porting_in"},
		{numbers.Schedule, on(today), "porting_in"},
		{numbers.Ported, saying(""), "assigned"},
	} {
		if s.step == numbers.Ported {
			if w.snapshot().TenantByNumber(first) != nil {
				t.Error("it is live before it is here")
			}
		}
		if _, err := w.port(p.ID, s.step, s.more); err != nil || w.stateOf(first) != s.number || w.stateOf(second) != s.number {
			t.Fatalf("%s: %q, %q: %v", s.step, w.stateOf(first), w.stateOf(second), err)
		}
	}
	if owner := w.snapshot().TenantByNumber(first); owner == nil || owner.ID != "customer" {
		t.Error("a number that is here is not live")
	}
	if holder := row[string](w, `SELECT DISTINCT holder_id FROM number_stock`); holder != "reseller" {
		t.Errorf("the numbers are in the stock of %s", holder)
	}
	whole, err := customer.Porting(customer.ctx, "customer", p.ID)
	w.must(err)
	var history []string
	for _, s := range whole.History {
		if s.By != "person/p" || s.At.IsZero() {
			t.Errorf("nobody knows who or when: %+v", s)
		}
		history = append(history, strings.TrimSpace(s.Step+" "+string(s.To)+" "+s.Comment))
	}
	want := []string{"create draft", "submit submitted", "reject rejected the account number is wrong", "submit submitted 4712 now", "accept accepted", "schedule scheduled", "schedule scheduled", "ported ported"}
	if diff := cmp.Diff(want, history); diff != "" {
		t.Error(diff)
	}
}

func TestNumbersArePortedOutAndLeaveNothingBehind(t *testing.T) {
	w := trade(t)
	_, err := w.AddStock(w.ctx, "reseller", []provisioning.NewNumber{{Number: first, Tenant: "customer"}})
	w.must(err)
	_, err = w.CreateUser(w.ctx, "customer", provisioning.NewUser{ID: "u", Name: "u", Extension: "101", Number: first})
	w.must(err)
	w.must(w.SaveRoute(w.ctx, "customer", tenants.Route{Dialled: first, FlowID: "user-u"}))
	w.publish("customer")
	p, err := w.CreatePorting(w.ctx, "customer", numbers.Out, portText(first), "person/p")
	w.must(err)
	for range 2 { // the first time they stay after all
		_, err = w.port(p.ID, numbers.Submit)
		w.must(err)
		if w.stateOf(first) != "porting_out" || w.snapshot().TenantByNumber(first) == nil {
			t.Error("a number that is still here is not live")
		}
		_, err = w.port(p.ID, numbers.Reject, saying("wrong form"))
		w.must(err)
		if w.stateOf(first) != "in_use" {
			t.Errorf("a number that stays is %s", w.stateOf(first))
		}
	}
	for _, s := range []numbers.PortStep{numbers.Submit, numbers.Accept, numbers.Schedule, numbers.Ported} {
		if _, err := w.port(p.ID, s, on(time.Now())); err != nil {
			t.Fatal(s, err)
		}
	}
	if w.stateOf(first) != "" || w.snapshot().TenantByNumber(first) != nil || row[int](w, `SELECT count(*) FROM routes`) != 0 {
		t.Error("a number that has gone is here still")
	}
	if last := row[string](w, `SELECT step || ' ' || tenant_id FROM number_steps ORDER BY id DESC LIMIT 1`); last != "ported_out customer" {
		t.Errorf("its history ends with %q", last)
	}
}

func TestWhatCannotBePorted(t *testing.T) {
	w := trade(t)
	_, err := w.AddStock(w.ctx, "rival", []provisioning.NewNumber{{Number: first, Tenant: "rival"}})
	w.must(err)
	customer := w.as("customer")
	for name, direction := range map[string]numbers.Direction{"into another's": numbers.In, "another's out": numbers.Out} {
		p, err := customer.CreatePorting(customer.ctx, "customer", direction, portText(first, second), "person/p")
		w.must(err)
		_, err = w.StepPorting(w.ctx, "customer", p.ID, provisioning.PortingAsk{Step: numbers.Submit, By: "p"}) // by the rules alone
		refused(t, err, provisioning.Conflict, "one of them is")
		_, err = w.port(p.ID, numbers.Submit)
		refused(t, err, provisioning.Conflict, "one of them is")
		if err != nil && strings.Contains(err.Error(), "rival") {
			t.Errorf("%s: it says whose it is: %v", name, err)
		}
		if w.stateOf(second) != "" || w.stateOf(first) != "assigned" {
			t.Errorf("%s: something is half done", name)
		}
	}
	p, err := w.CreatePorting(w.ctx, "customer", numbers.Out, portText(first), "person/p")
	w.must(err)
	_, err = w.StepPorting(w.ctx, "customer", p.ID, provisioning.PortingAsk{Step: numbers.Submit, By: "p"})
	refused(t, err, provisioning.Conflict, "is not yours")
	p, err = customer.CreatePorting(customer.ctx, "customer", numbers.In, portText(second), "person/p")
	w.must(err)
	_, err = w.port(p.ID, numbers.Accept)
	refused(t, err, provisioning.Conflict, "is draft")
	_, err = w.port(p.ID, numbers.Submit)
	w.must(err)
	_, err = w.port(p.ID, numbers.Accept, func(a *provisioning.PortingAsk) { a.Decider = false })
	refused(t, err, provisioning.Conflict, "other carrier")
	_, err = w.port(p.ID, numbers.Reject)
	refused(t, err, provisioning.Invalid, "reason")
	_, err = customer.EditPorting(customer.ctx, "customer", p.ID, portText(first), "person/p", nil)
	refused(t, err, provisioning.Conflict, "submitted")
	other, err := w.CreatePorting(w.ctx, "own", numbers.In, portText(second), "person/p")
	w.must(err)
	_, err = w.StepPorting(w.ctx, "own", other.ID, provisioning.PortingAsk{Step: numbers.Submit, By: "p"})
	refused(t, err, provisioning.Conflict, "on its way")
	rival := w.as("rival")
	_, err = rival.Porting(rival.ctx, "rival", p.ID)
	refused(t, err, provisioning.NotFound, "no such porting order")
	_, err = w.port(p.ID, numbers.Cancel)
	w.must(err)
	if w.stateOf(second) != "" {
		t.Error("a cancelled order keeps its number")
	}
	for field, text := range map[string]provisioning.PortingText{
		"carrier": {Subscriber: "S", Numbers: []string{first}}, "subscriber": {Carrier: "C", Numbers: []string{first}}, "numbers": {Carrier: "C", Subscriber: "S"},
		"address": {Carrier: "C", Subscriber: "S", Numbers: []string{first}, Address: "a\rb"},
	} {
		_, err := w.CreatePorting(w.ctx, "customer", numbers.In, text, "p")
		refused(t, err, provisioning.Invalid, field)
	}
}

func TestDocumentsAreKeptOnceAndGivenBackToTheirOwnerAlone(t *testing.T) {
	w := trade(t)
	customer, rival := w.as("customer"), w.as("rival")
	p, err := customer.CreatePorting(customer.ctx, "customer", numbers.In, portText(first), "person/p")
	w.must(err)
	pdf := []byte("%PDF-1.7\nhello")
	d, err := customer.AddDocument(customer.ctx, "customer", p.ID, "letter.pdf", pdf, "person/p")
	w.must(err)
	again, err := customer.AddDocument(customer.ctx, "customer", p.ID, "letter (1).pdf", pdf, "person/p")
	w.must(err)
	if kept := row[int](w, `SELECT count(*) FROM documents`); kept != 1 || again.Hash != d.Hash {
		t.Errorf("%d are kept", kept)
	}
	got, content, err := customer.Document(customer.ctx, "customer", p.ID, d.ID)
	if err != nil || !bytes.Equal(content, pdf) || got != d || got.ContentType != "application/pdf" {
		t.Errorf("%+v %q %v", got, content, err)
	}
	for _, tenant := range []string{"rival", "customer"} { // whatever path he has found
		_, _, err = rival.Document(rival.ctx, tenant, p.ID, d.ID)
		refused(t, err, provisioning.NotFound, "no such document")
	}
	for name, c := range map[string]struct {
		name    string
		content []byte
	}{
		"a page":          {"a.html", []byte("<html>")},
		"a page as a PDF": {"a.pdf", []byte("<script>%PDF-")},
		"nothing":         {"a.pdf", nil},
		"too much":        {"a.pdf", append([]byte("%PDF-"), make([]byte, provisioning.MaxDocumentBytes)...)},
		"a path":          {"../a.pdf", pdf},
		"a header":        {"a.pdf\r\nX: y", pdf},
		"a quote":         {`a".pdf`, pdf},
		"no name":         {"", pdf},
		"dots":            {"..", pdf},
	} {
		if _, err := customer.AddDocument(customer.ctx, "customer", p.ID, c.name, c.content, "p"); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for i := 2; i < provisioning.MaxDocuments; i++ {
		_, err := customer.AddDocument(customer.ctx, "customer", p.ID, "x.png", []byte("\x89PNG\r\n\x1A\n"), "p")
		w.must(err)
	}
	_, err = customer.AddDocument(customer.ctx, "customer", p.ID, "one more.pdf", pdf, "p")
	refused(t, err, provisioning.Conflict, "documents already")
	for _, id := range []string{d.ID, again.ID} {
		w.must(customer.DeleteDocument(customer.ctx, "customer", p.ID, id, "p"))
	}
	if kept := row[int](w, `SELECT count(*) FROM documents`); kept != 1 {
		t.Errorf("%d are kept after the last reference went", kept)
	}
	refused(t, customer.DeleteDocument(customer.ctx, "customer", p.ID, d.ID, "p"), provisioning.NotFound, "no such document")
}
