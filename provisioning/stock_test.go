package provisioning_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/numbers"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/tenants"
)

// trade is a platform with a reseller and his customer, another reseller, and a customer of the platform's own.
func trade(t *testing.T) world {
	t.Helper()
	w := newWorld(t)
	for _, n := range []provisioning.NewTenant{{ID: "reseller", Kind: "reseller"}, {ID: "rival", Kind: "reseller"}, {ID: "customer", Parent: "reseller"}, {ID: "own"}} {
		n.Name, n.Domain = n.ID, n.ID+".example"
		_, err := w.CreateTenant(w.ctx, n)
		w.must(err)
	}
	return w
}

// sql does what no use case does.
func (w world) sql(statement string) {
	w.t.Helper()
	conn, err := pgx.Connect(w.ctx, w.url)
	w.must(err)
	defer conn.Close(w.ctx)
	_, err = conn.Exec(w.ctx, statement)
	w.must(err)
}

// row gives one value of the database.
func row[T any](w world, query string, args ...any) (v T) {
	w.t.Helper()
	conn, err := pgx.Connect(w.ctx, w.url)
	w.must(err)
	defer conn.Close(w.ctx)
	w.must(conn.QueryRow(w.ctx, query, args...).Scan(&v))
	return v
}

// as gives the world as a tenant's people see it over HTTP: through the role that row level security holds for.
func (w world) as(tenant string) world {
	w.t.Helper()
	store, err := postgres.OpenAPI(w.ctx, w.url)
	w.must(err)
	w.t.Cleanup(store.Close)
	w.Service = &provisioning.Service{Store: store}
	w.ctx = postgres.WithScope(w.ctx, postgres.Scope{Tenant: tenant, Actor: "key/" + strings.Trim(tenant, "*")})
	return w
}

func (w world) step(within string, step numbers.Step, number string, more ...func(*provisioning.NumberChange)) (postgres.Stock, error) {
	c := provisioning.NumberChange{Within: within, Step: step, Numbers: []string{number}}
	for _, m := range more {
		m(&c)
	}
	after, err := w.StepNumbers(w.ctx, c)
	if err != nil {
		return postgres.Stock{}, err
	}
	return after[0], nil
}

func to(tenant string) func(*provisioning.NumberChange) {
	return func(c *provisioning.NumberChange) { c.Tenant = tenant }
}

func into(holder string) func(*provisioning.NumberChange) {
	return func(c *provisioning.NumberChange) { c.Holder = holder }
}

// refused is a refusal's code, field and words in one line.
func refused(t *testing.T, err error, code provisioning.Code, words string) {
	t.Helper()
	var e *provisioning.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Error(), words) {
		t.Errorf("%v is no refusal %s with %q", err, code, words)
	}
}

const first, second = "+493012345601", "+493012345602"

// The way of a number through stocks and hands, asked by each over the role of the API, and as workers see it.
func TestANumberGoesFromThePlatformOverAResellerToHisCustomerAndBack(t *testing.T) {
	w := trade(t)
	platform, reseller, customer := w.as("*"), w.as("reseller"), w.as("customer")
	_, err := platform.AddStock(platform.ctx, "", []provisioning.NewNumber{{Number: first, Country: "DE", Kind: "geographic", Note: "block of ten"}})
	w.must(err)
	live := func() bool {
		return slices.Contains(row[[]string](w, `SELECT coalesce(array_agg(number), '{}') FROM numbers WHERE tenant_id = 'customer'`), first)
	}

	_, err = reseller.step("reseller", numbers.Assign, first, to("customer"))
	refused(t, err, provisioning.NotFound, "not in your inventory")
	_, err = platform.step("", numbers.Hand, first, into("reseller"))
	w.must(err)
	_, err = reseller.step("reseller", numbers.Reserve, first, to("customer"))
	w.must(err)
	if live() {
		t.Error("a reserved number is live")
	}
	n, err := reseller.step("reseller", numbers.Assign, first, to("customer"))
	w.must(err)
	if n.State != numbers.Assigned || n.Tenant != "customer" || n.Country != "DE" || n.Note != "block of ten" || !live() {
		t.Errorf("assigned: %+v, live %v", n, live())
	}
	w.user("customer", "u", "101")
	w.must(w.SaveRoute(w.ctx, "customer", tenants.Route{Dialled: first, FlowID: "user-u"}))
	w.publish("customer")
	if state := row[string](w, `SELECT state FROM number_stock WHERE number = $1`, first); state != "in_use" {
		t.Errorf("with a published route it is %s", state)
	}
	if tenant := w.snapshot().TenantByNumber(first); tenant == nil || tenant.ID != "customer" {
		t.Error("workers do not know whose it is")
	}
	_, err = customer.step("customer", numbers.Release, first)
	refused(t, err, provisioning.Conflict, "is in use")
	w.sql(`DELETE FROM routes`)
	w.publish("customer")
	n, err = customer.step("customer", numbers.Release, first)
	w.must(err)
	if n.State != numbers.Ageing || n.Holder != "reseller" || live() {
		t.Errorf("released: %+v, live %v", n, live())
	}
	_, err = reseller.step("reseller", numbers.Assign, first, to("reseller"))
	refused(t, err, provisioning.Conflict, "resting")

	for _, at := range []struct {
		when time.Time
		aged int
	}{{n.Until.Add(-time.Microsecond), 0}, {n.Until, 1}, {n.Until, 0}} {
		if aged, err := w.Store.AgeNumbers(w.ctx, at.when, 10); err != nil || aged != at.aged {
			t.Errorf("at %v %d were aged: %v", at.when, aged, err)
		}
	}
	n, err = reseller.step("reseller", numbers.Assign, first, to("reseller"))
	w.must(err)
	steps := row[[]string](w, `SELECT array_agg(step || ' ' || to_state || ' ' || by ORDER BY id) FROM number_steps WHERE number = $1`, first)
	want := []string{"add available key/", "hand available key/", "reserve reserved key/reseller", "assign assigned key/reseller", "route in_use ", "unroute assigned ",
		"release ageing key/customer", "age available ", "assign assigned key/reseller"}
	if !slices.Equal(steps, want) {
		t.Errorf("its history is %q", steps)
	}
}

func TestWhatIsSomebodyElsesIsNotThere(t *testing.T) {
	w := trade(t)
	_, err := w.AddStock(w.ctx, "reseller", []provisioning.NewNumber{{Number: first}, {Number: second, Tenant: "customer"}})
	w.must(err)
	rival, own, customer := w.as("rival"), w.as("own"), w.as("customer")
	for _, step := range provisioning.AskedSteps() {
		for _, by := range []struct {
			name  string
			asker world
		}{{"rival", rival}, {"own", own}, {"rival", w}, {"own", w}} { // with row level security, and by the rules alone
			name, asker := by.name, by.asker
			for _, number := range []string{first, second, "+493099999999"} {
				_, err := asker.step(name, step, number, to(name), into(name))
				refused(t, err, provisioning.NotFound, number+" is not in your inventory")
			}
		}
		if _, err := customer.step("customer", step, first, to("customer")); err == nil {
			t.Errorf("a customer does %s with what is in a stock", step)
		}
	}
	for _, c := range []struct {
		name string
		err  error
	}{
		{"a rival adds it", second1(rival.AddStock(rival.ctx, "rival", []provisioning.NewNumber{{Number: first}}))},
		{"a rival adds what is live", second1(rival.AddStock(rival.ctx, "rival", []provisioning.NewNumber{{Number: second}}))},
		{"a customer makes it his", own.AddNumber(own.ctx, "own", first)},
		{"a customer makes up a number", own.AddNumber(own.ctx, "own", "+493099999999")},
		{"a reseller's customer takes it", customer.AddNumber(customer.ctx, "customer", first)},
	} {
		var e *provisioning.Error
		if !errors.As(c.err, &e) || e.Code != provisioning.Conflict || strings.Contains(e.Error(), "reseller") || strings.Contains(e.Error(), "customer") {
			t.Errorf("%s: %v", c.name, c.err)
		}
	}
	for name, do := range map[string]func(*postgres.Tx) error{ // as an undo of the table's audit would
		"adds to what workers read": func(tx *postgres.Tx) error { return tx.InsertNumber(own.ctx, "own", "+493099999999") },
		"takes what is in a stock":  func(tx *postgres.Tx) error { return tx.InsertNumber(own.ctx, "own", first) },
	} {
		if err := own.Store.Change(own.ctx, do); postgres.Violated(err) != "numbers_by_inventory" {
			t.Errorf("an asker %s: %v", name, err)
		}
	}
	reseller := w.as("reseller")
	for _, tenant := range []string{"own", "rival", "nobody"} {
		_, err := reseller.step("reseller", numbers.Assign, first, to(tenant))
		refused(t, err, provisioning.NotFound, "no such tenant")
		_, err = reseller.step("reseller", numbers.Hand, first, into(tenant))
		refused(t, err, provisioning.NotFound, "no such reseller")
	}
	if live := row[int](w, `SELECT count(*) FROM numbers`); live != 1 {
		t.Errorf("%d numbers are live", live)
	}
}

func second1[T any](_ T, err error) error { return err }

func TestAllNumbersOfAStepOrNone(t *testing.T) {
	w := trade(t)
	_, err := w.AddStock(w.ctx, "reseller", []provisioning.NewNumber{{Number: first}, {Number: second, Tenant: "customer"}})
	w.must(err)
	before := row[int64](w, `SELECT revision FROM revision`)
	_, err = w.StepNumbers(w.ctx, provisioning.NumberChange{Within: "reseller", Step: numbers.Assign, Numbers: []string{first, second}, Tenant: "customer"})
	refused(t, err, provisioning.Conflict, second+" is assigned")
	_, err = w.AddStock(w.ctx, "reseller", []provisioning.NewNumber{{Number: "+493012345603"}, {Number: first}})
	refused(t, err, provisioning.Conflict, "already")
	if n := row[int](w, `SELECT count(*) FROM number_stock`); n != 2 || row[int64](w, `SELECT revision FROM revision`) != before {
		t.Errorf("something is half done: %d numbers", n)
	}
}

// A number that goes although things refer to it takes them along.
func TestAWithdrawnNumberLeavesNothingBehind(t *testing.T) {
	w := trade(t)
	_, err := w.AddStock(w.ctx, "reseller", []provisioning.NewNumber{{Number: first, Tenant: "customer"}})
	w.must(err)
	_, err = w.CreateUser(w.ctx, "customer", provisioning.NewUser{ID: "u", Name: "u", Extension: "101", Number: first})
	w.must(err)
	w.must(w.SetDialling(w.ctx, "customer", first, tenants.Dialling{}))
	_, err = w.step("customer", numbers.Release, first)
	refused(t, err, provisioning.Conflict, "the user u shows it")
	w.must(w.SaveRoute(w.ctx, "customer", tenants.Route{Dialled: first, FlowID: "user-u"}))
	w.publish("customer")
	asker := w.as("customer")
	if _, err = asker.step("customer", numbers.Withdraw, first); err != nil {
		t.Fatal(err)
	}
	if w.snapshot().TenantByNumber(first) != nil {
		t.Error("it is live still")
	}
	// The one who had it gets it back, with the route that is published still.
	n, err := w.step("reseller", numbers.Retake, first, to("customer"))
	w.must(err)
	if state := row[string](w, `SELECT state FROM number_stock`); state != "in_use" {
		t.Errorf("%+v is %s in the inventory", n, state)
	}
	if _, err := w.step("reseller", numbers.Retake, first, to("reseller")); err == nil {
		t.Error("it is taken back twice")
	}
}

func TestNumbersRestAsLongAsTheirHolderSays(t *testing.T) {
	w := trade(t)
	rest := func() int {
		number := row[string](w, `SELECT '+4930' || (10000000 + count(*)) FROM number_stock`)
		_, err := w.AddStock(w.ctx, "reseller", []provisioning.NewNumber{{Number: number, Tenant: "customer"}})
		w.must(err)
		asker := w.as("customer") // who does not see what his reseller has said
		n, err := asker.step("customer", numbers.Release, number)
		w.must(err)
		return int(n.Until.Sub(n.Since).Hours()+0.5) / 24
	}
	if days := rest(); days != 30 {
		t.Errorf("%d days when nobody has said anything", days)
	}
	w.must(w.SetAgeingDays(w.ctx, "", 90))
	if days := rest(); days != 90 {
		t.Errorf("%d days as the platform says", days)
	}
	reseller := w.as("reseller")
	w.must(reseller.SetAgeingDays(reseller.ctx, "reseller", 0))
	if days := rest(); days != 0 {
		t.Errorf("%d days as the reseller says", days)
	}
	refused(t, w.SetAgeingDays(w.ctx, "customer", 5), provisioning.Conflict, "none")
	refused(t, w.SetAgeingDays(w.ctx, "", -1), provisioning.Invalid, "ageing_days")
}

func TestACustomerWhoIsMovedTakesHisNumbersAlong(t *testing.T) {
	w := trade(t)
	_, err := w.AddStock(w.ctx, "reseller", []provisioning.NewNumber{{Number: first, Tenant: "customer"}, {Number: second}, {Number: "+493012345603"}})
	w.must(err)
	_, err = w.AddStock(w.ctx, "", []provisioning.NewNumber{{Number: "+493012345604", Tenant: "customer"}})
	w.must(err)
	_, err = w.step("reseller", numbers.Reserve, second, to("customer"))
	w.must(err)
	_, err = w.MoveTenant(w.ctx, "customer", "rival")
	w.must(err)
	got := row[[]string](w, `SELECT array_agg(concat_ws(' ', right(number, 1), state, coalesce(holder_id, '-'), tenant_id, reserved_for) ORDER BY number) FROM number_stock`)
	want := []string{"1 assigned rival customer", "2 available reseller", "3 available reseller", "4 assigned - customer"}
	if !slices.Equal(got, want) {
		t.Errorf("after the move there are %q", got)
	}
	if owner := w.snapshot().TenantByNumber(first); owner == nil || owner.ID != "customer" {
		t.Error("his number is not live any more")
	}
	_, err = w.step("reseller", numbers.Withdraw, first)
	refused(t, err, provisioning.NotFound, "not in your inventory")
}

// Whoever writes to the table that workers read, as the previous release does, finds the inventory in step.
func TestTheInventoryFollowsThoseWhoKnowNothingOfIt(t *testing.T) {
	w := trade(t)
	w.sql(`INSERT INTO numbers (number, tenant_id) VALUES ('+493012345601', 'customer')`)
	if got := row[string](w, `SELECT state || ' ' || tenant_id || ' ' || holder_id FROM number_stock`); got != "assigned customer reseller" {
		t.Errorf("a number that came: %s", got)
	}
	w.sql(`UPDATE numbers SET tenant_id = 'own'`)
	if got := row[string](w, `SELECT state || ' ' || tenant_id FROM number_stock`); got != "assigned own" {
		t.Errorf("a number that was moved: %s", got)
	}
	w.sql(`UPDATE numbers SET tenant_id = 'customer'`)
	w.sql(`DELETE FROM numbers`)
	if got := row[string](w, `SELECT state || ' ' || last_tenant_id FROM number_stock`); got != "ageing customer" {
		t.Errorf("a number that went: %s", got)
	}
	if err := w.AddNumber(w.ctx, "own", first); err == nil {
		t.Error("a number that rests is given to another")
	}
	w.must(w.AddNumber(w.ctx, "customer", first))
	w.must(w.AddNumber(w.ctx, "customer", first))
	if got := row[string](w, `SELECT state || ' ' || tenant_id || ' ' || (SELECT count(*) FROM numbers) FROM number_stock`); got != "assigned customer 1" {
		t.Errorf("a number that came back: %s", got)
	}
}

func TestTheSchemaRefusesWhatTheRulesRefuse(t *testing.T) {
	w := trade(t)
	for name, statement := range map[string]string{
		"live at nobody's":          `INSERT INTO number_stock (number, state, step) VALUES ('+493012345601', 'assigned', 'add')`,
		"available and somebody's":  `INSERT INTO number_stock (number, state, step, tenant_id) VALUES ('+493012345601', 'available', 'add', 'own')`,
		"at rest without an end":    `INSERT INTO number_stock (number, state, step, last_tenant_id) VALUES ('+493012345601', 'ageing', 'add', 'own')`,
		"blocked for somebody":      `INSERT INTO number_stock (number, state, step, reserved_for) VALUES ('+493012345601', 'blocked', 'add', 'own')`,
		"coming in for nobody":      `INSERT INTO number_stock (number, state, step) VALUES ('+493012345601', 'porting_in', 'announce')`,
		"a state that there is not": `INSERT INTO number_stock (number, state, step) VALUES ('+493012345601', 'lost', 'add')`,
		"no number":                 `INSERT INTO number_stock (number, state, step) VALUES ('=1+1', 'available', 'add')`,
	} {
		conn, err := pgx.Connect(w.ctx, w.url)
		w.must(err)
		if _, err := conn.Exec(w.ctx, statement); postgres.Violated(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		conn.Close(w.ctx)
	}
}
