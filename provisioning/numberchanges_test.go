package provisioning_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tandem/numbers"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/tenants"
)

// changing is a trade whose reseller holds numbers, of which his customer has some; the customer has the flow main and the user ada.
func changing(t *testing.T) world {
	w := trade(t)
	_, err := w.AddStock(w.ctx, "reseller", []provisioning.NewNumber{{Number: "+493012345601"}, {Number: "+493012345602", Tenant: "customer"}, {Number: "+493012345603", Tenant: "customer"}, {Number: "+493012345604"}})
	w.must(err)
	_, err = w.AddStock(w.ctx, "rival", []provisioning.NewNumber{{Number: "+493012345699"}})
	w.must(err)
	_, err = w.CreateUser(w.ctx, "customer", provisioning.NewUser{ID: "ada", Name: "Ada", Extension: "101", Number: "+493012345603"})
	w.must(err)
	w.must(w.SaveFlow(w.ctx, "customer", tenants.Flow{ID: "main", Name: "Main", Start: "r", Elements: map[string]tenants.Element{"r": {Type: "ring", Settings: json.RawMessage(`{"users":["ada"]}`)}}}))
	return w
}

func changes(more ...func(*provisioning.NewOrder)) func(*provisioning.NewOrder) {
	return func(n *provisioning.NewOrder) {
		n.Kind, n.Flows = provisioning.ChangeNumbers, true
		for _, m := range more {
			m(n)
		}
	}
}

func publishing(n *provisioning.NewOrder) { n.Publish = true }
func looking(n *provisioning.NewOrder)    { n.DryRun = true }

// have gives the inventory as it is, and the drafts of routes.
func (w world) have() (all []string) {
	w.t.Helper()
	return row[[]string](w, `SELECT array_agg(concat_ws(' ', s.number, s.state, s.tenant_id, r.flow_id, r.user_id) ORDER BY s.number)
		FROM number_stock s LEFT JOIN routes r ON r.number = s.number AND r.tenant_id = s.tenant_id`)
}

func TestASheetOfChangesIsDoneAsAWhole(t *testing.T) {
	w := changing(t)
	w.must(w.SaveRoute(w.ctx, "customer", tenants.Route{Dialled: "+493012345602", FlowID: "main"}))
	o := w.carriedOut(w.as("reseller").order("reseller", "number,step,tenant,flow\n+493012345601,assign,customer,user-ada\n+493012345602,route,,user-ada\n+493012345603,withdraw,,\n+493012345604,block,,\n",
		changes(publishing)))
	if o.State != numbers.Done || o.Done != 4 || string(o.Result) != `{"routed": 2, "changed": 4, "encoding": "utf-8", "published": ["customer"]}` {
		t.Fatalf("%+v %s %v", o, o.Result, w.faults(o))
	}
	want := []string{"+493012345601 in_use customer ada", "+493012345602 in_use customer ada", "+493012345603 ageing", "+493012345604 blocked", "+493012345699 available"}
	if diff := cmp.Diff(want, w.have()); diff != "" {
		t.Error(diff)
	}
	if flow := w.snapshot().TenantByNumber("+493012345601").Published; flow.Version != 1 {
		t.Errorf("version %d runs", flow.Version)
	}
	if who := row[string](w, `SELECT string_agg(DISTINCT actor, ' ') FROM audit WHERE object = 'routes'`); who != "key/k" {
		t.Errorf("the audit says that %q has changed the routes", who)
	}
}

func TestASheetWithOneFaultChangesNothing(t *testing.T) {
	w := changing(t)
	w.must(w.SaveRoute(w.ctx, "customer", tenants.Route{Dialled: "+493012345602", FlowID: "main"}))
	before := w.have()
	for name, c := range map[string]struct {
		who, sheet string
		more       []func(*provisioning.NewOrder)
		want       []string
	}{
		"by a reseller": {"reseller", "number,step,tenant,flow\n+493012345601,assign,customer,\n+493012345604,release,,\n+493012345602,release,,\n+493012345699,block,,\n+493012345603,route,,nothing\n", nil,
			[]string{"3 step step_refused", "4 step number_used", "5 number number_unavailable", "6 flow flow_unknown"}},
		"to nobody of his":     {"reseller", "number,step,tenant\n+493012345601,assign,rival\n+493012345604,assign,own\n", nil, []string{"2 tenant tenant_unknown", "3 tenant tenant_unknown"}},
		"to what is not there": {"", "number,step,tenant\n+493012345601,assign,ghost\n", nil, []string{"2 tenant tenant_unknown"}},
		"by a customer": {"customer", "number,step,tenant,flow\n+493012345602,block,,\n+493012345601,assign,customer,\n+493012345603,release,,\n", nil,
			[]string{"2 step step_refused", "3 number number_unavailable", "4 step number_used"}},
		"without the right to flows": {"customer", "number,step,flow\n+493012345602,unroute,\n+493012345603,route,main\n", []func(*provisioning.NewOrder){func(n *provisioning.NewOrder) { n.Flows = false }},
			[]string{"2 flow flow_forbidden", "3 flow flow_forbidden"}},
		"from nobody's number":  {"reseller", "number,step,flow\n+493012345601,route,main\n", nil, []string{"2 step step_refused"}},
		"with the sheet itself": {"reseller", "number,step\n+493012345601,grant\n+493012345604,block\n", nil, []string{"2 step step_unknown"}},
		"in a dry run":          {"reseller", "number,step,tenant\n+493012345601,assign,customer\n+493012345699,block,\n", []func(*provisioning.NewOrder){looking}, []string{"3 number number_unavailable"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := w
			w.t = t
			asker := w.as(map[bool]string{true: "*", false: c.who}[c.who == ""])
			o := w.carriedOut(asker.order(c.who, c.sheet, changes(c.more...)))
			if want := map[bool]numbers.OrderState{true: numbers.Done, false: numbers.Failed}[o.DryRun]; o.State != want {
				t.Errorf("it is %s", o.State)
			}
			if diff := cmp.Diff(c.want, w.faults(o)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, w.have()); diff != "" {
				t.Errorf("something is changed:\n%s", diff)
			}
		})
	}
}

// Drafts that cannot be published take all of the sheet back.
func TestASheetWhoseDraftsCannotBePublishedChangesNothing(t *testing.T) {
	w := changing(t)
	before := w.have()
	w.sql(`INSERT INTO flows (tenant_id, id, name, definition) SELECT tenant_id, 'broken', 'Broken', replace(definition::text, 'ada', 'ghost')::jsonb FROM flows WHERE id = 'main'`)
	o := w.carriedOut(w.as("reseller").order("reseller", "number,step,tenant,flow\n+493012345601,assign,customer,main\n", changes(publishing)))
	if o.State != numbers.Failed || len(w.faults(o)) != 1 || w.faults(o)[0] != "0  refused" {
		t.Errorf("%+v %v", o, w.faults(o))
	}
	if diff := cmp.Diff(before, w.have()); diff != "" {
		t.Errorf("something is changed:\n%s", diff)
	}
}

// Five thousand numbers go to a customer, and start a flow of his, by one sheet.
func TestALargeSheetOfChanges(t *testing.T) {
	w := changing(t)
	const count = 5000
	var sheet strings.Builder
	sheet.WriteString("number,step,tenant,flow\n")
	var added []postgres.Stock
	for i := range count {
		number := fmt.Sprintf("+4940%07d", i)
		sheet.WriteString(number + ",assign,customer,main\n")
		added = append(added, postgres.Stock{Number: numbers.Number{Number: number, Holder: "reseller", State: numbers.Available}})
	}
	w.must(w.Store.Change(w.ctx, func(tx *postgres.Tx) error {
		_, err := tx.InsertStock(w.ctx, added, numbers.Add)
		return err
	}))
	o := w.carriedOut(w.as("reseller").order("reseller", sheet.String(), changes(publishing)))
	if o.State != numbers.Done || o.Done != count {
		t.Fatalf("%+v %v", o, w.faults(o))
	}
	if n := row[int](w, `SELECT count(*) FROM number_stock WHERE state = 'in_use' AND tenant_id = 'customer'`); n != count {
		t.Errorf("%d numbers are in use", n)
	}
}
