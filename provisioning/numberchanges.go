package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tandem/callflows"
	"tandem/numbers"
	"tandem/postgres"
	"tandem/tenants"
)

// ChangeNumbers is the kind of order that does what a sheet of changes says: steps of numbers, and which flows they start.
const ChangeNumbers = "number_change"

// ChangeRequest is what an order of changes needs besides its sheet.
type ChangeRequest struct {
	Dialling tenants.Dialling `json:"dialling"`          // how numbers are written that are not international
	Flows    bool             `json:"flows,omitempty"`   // the asker may change flows
	Publish  bool             `json:"publish,omitempty"` // the drafts of tenants whose routes change are published, all of them
}

// ChangeResult is what came of an order of changes; of a dry run: what would.
type ChangeResult struct {
	Changed   int      `json:"changed"` // numbers
	Routed    int      `json:"routed"`  // of these, whose flow changes
	Published []string `json:"published,omitempty"`
	Encoding  string   `json:"encoding"`
}

// numberChanges are changes under way.
type numberChanges struct {
	*orderWork
	tx      *postgres.Tx
	now     time.Time
	request ChangeRequest
	sheet   numbers.ChangeSheet
	stock   map[string]postgres.Stock
	changed map[numbers.Step][]postgres.Stock // as they are to be
	routes  map[string][]numbers.ChangeRow    // by tenant

	within map[[2]string]bool // tenant, ancestor
	until  map[string]time.Time
	flows  map[string]callflows.Around // of tenants
}

// changeNumbers does what a sheet says, all of it, or nothing when anything is wrong with any row.
func (w *orderWork) changeNumbers(ctx context.Context, tx *postgres.Tx) (postgres.OrderEnd, error) {
	c := numberChanges{orderWork: w, tx: tx, now: time.Now().UTC().Truncate(time.Microsecond), stock: map[string]postgres.Stock{}, changed: map[numbers.Step][]postgres.Stock{},
		routes: map[string][]numbers.ChangeRow{}, within: map[[2]string]bool{}, until: map[string]time.Time{}, flows: map[string]callflows.Around{}}
	if err := json.Unmarshal(w.order.Request, &c.request); err != nil {
		return postgres.OrderEnd{}, invalid("request", "cannot be read")
	}
	c.sheet = numbers.ReadChanges(w.order.Body, c.request.Dialling)
	w.total.Store(int64(c.sheet.Lines))
	end := postgres.OrderEnd{State: numbers.Failed, Total: c.sheet.Lines}
	result := ChangeResult{Encoding: string(c.sheet.Encoding)}
	if err := c.lock(ctx); err != nil {
		return end, err
	}
	if err := c.check(ctx); err != nil {
		return end, err
	}
	good := c.sheet.Faults.Count == 0
	if good && !w.order.DryRun {
		if err := c.write(ctx, &result); err != nil {
			return end, err
		}
	}
	if good || w.order.DryRun {
		end.State, end.Done = numbers.Done, end.Total
	}
	if good {
		result.Changed = len(c.sheet.Rows)
		for _, rows := range c.routes {
			result.Routed += len(rows)
		}
	}
	c.sheet.Faults.Sort()
	end.Faults, end.Result = c.sheet.Faults, result
	return end, nil
}

func (c *numberChanges) fault(row numbers.ChangeRow, column, code, detail string) {
	c.sheet.Faults.Add(row.Line, column, code, detail)
}

// lock locks the tenants that the sheet concerns, and then the numbers: the order in which everybody locks.
func (c *numberChanges) lock(ctx context.Context) error {
	locked := map[string]bool{}
	if err := c.read(ctx, false); err != nil {
		return err
	}
	for _, n := range c.stock {
		if n.Tenant != "" {
			locked[n.Tenant] = true
		}
	}
	for _, row := range c.sheet.Rows {
		if row.Tenant == "" || locked[row.Tenant] {
			continue
		}
		is, err := c.isWithin(ctx, row.Tenant, c.order.Tenant)
		if err != nil {
			return err
		}
		locked[row.Tenant] = is
	}
	maps.DeleteFunc(locked, func(_ string, is bool) bool { return !is })
	if len(locked) > MaxImportTenants {
		return invalid("sheet", fmt.Sprintf("concerns more than %d customers: send it in parts", MaxImportTenants))
	}
	if err := lockTenants(ctx, c.tx, locked); errors.As(err, new(*Error)) {
		return errMeanwhile // one went since it was looked for
	} else if err != nil {
		return err
	}
	if err := c.read(ctx, true); err != nil {
		return err
	}
	for _, n := range c.stock {
		if n.Tenant != "" && !locked[n.Tenant] {
			return errMeanwhile
		}
	}
	clear(c.within) // tenants may have been moved before they were locked
	return nil
}

// read reads the sheet's numbers, as far as they are the asker's to see.
func (c *numberChanges) read(ctx context.Context, lock bool) error {
	clear(c.stock)
	sees := NumberChange{Within: c.order.Tenant}
	of := make([]string, 0, len(c.sheet.Rows))
	for _, row := range c.sheet.Rows {
		of = append(of, row.Number)
	}
	slices.Sort(of)
	for chunk := range slices.Chunk(of, importChunk) {
		stock, err := c.tx.Stock(ctx, chunk, lock)
		if err != nil {
			return err
		}
		for _, n := range stock {
			below, err := c.below(ctx, n)
			if err != nil {
				return err
			}
			if sees.sees(n) || below {
				c.stock[n.Number.Number] = n
			}
		}
	}
	return nil
}

// below says whether a number is live at a tenant of the asker's.
func (c *numberChanges) below(ctx context.Context, n postgres.Stock) (bool, error) {
	if n.Tenant == "" || c.order.Tenant == "" || n.Tenant == c.order.Tenant {
		return n.Tenant != "", nil
	}
	return c.isWithin(ctx, n.Tenant, c.order.Tenant)
}

func (c *numberChanges) isWithin(ctx context.Context, tenant, ancestor string) (is bool, err error) {
	key := [2]string{tenant, ancestor}
	if is, known := c.within[key]; known {
		return is, nil
	}
	if is, err = c.tx.IsWithin(ctx, tenant, ancestor); err == nil {
		c.within[key] = is
	}
	return is, err
}

// check works out what becomes of each number, and finds what is wrong.
func (c *numberChanges) check(ctx context.Context) error {
	for _, row := range c.sheet.Rows {
		n, seen := c.stock[row.Number]
		if !seen {
			c.fault(row, numbers.ColumnNumber, numbers.NumberNotToBeHad, "The number is not in your inventory.")
			continue
		}
		var err error
		if row.Step == numbers.Route || row.Step == numbers.Unroute {
			err = c.checkRoute(ctx, row, n.Tenant, n.State.Live())
		} else {
			err = c.checkStep(ctx, row, n)
		}
		if err != nil {
			return err
		}
		if c.order.DryRun {
			c.done.Add(1)
		}
	}
	return c.checkUses(ctx)
}

func (c *numberChanges) checkRoute(ctx context.Context, row numbers.ChangeRow, tenant string, live bool) error {
	if !live {
		c.fault(row, numbers.ColumnStep, numbers.StepRefused, "The number is live at nobody: nothing can lead from it.")
		return nil
	}
	may, err := c.isWithin(ctx, tenant, c.order.Tenant)
	if err != nil {
		return err
	}
	switch {
	case !may:
		c.fault(row, numbers.ColumnNumber, numbers.NumberNotToBeHad, "The number is live at nobody of yours.")
		return nil
	case !c.request.Flows:
		c.fault(row, numbers.ColumnFlow, numbers.FlowForbidden, "Changing flows needs the scope flows:write.")
		return nil
	}
	around, known := c.flows[tenant]
	if !known {
		d, err := readDrafts(ctx, c.tx, tenant)
		if err != nil {
			return err
		}
		around = d.around()
		c.flows[tenant] = around
	}
	if row.Flow != "" && !around.Has(callflows.RefersToFlow, row.Flow) {
		c.fault(row, numbers.ColumnFlow, numbers.FlowUnknown, "Whose number it is has no such flow.")
		return nil
	}
	c.routes[tenant] = append(c.routes[tenant], row)
	return nil
}

func (c *numberChanges) checkStep(ctx context.Context, row numbers.ChangeRow, n postgres.Stock) error {
	holds := c.order.Tenant == "" || n.Holder == c.order.Tenant
	if !holds && (!slices.Contains(tenantSteps(), row.Step) || row.Tenant != "" && row.Tenant != c.order.Tenant || row.Tenant == "" && n.Tenant != c.order.Tenant) {
		c.fault(row, numbers.ColumnStep, numbers.StepRefused, "The number is not in your stock: whoever holds it can do this.")
		return nil
	}
	if row.Tenant != "" {
		if may, err := c.isWithin(ctx, row.Tenant, n.Holder); err != nil || !may {
			c.fault(row, numbers.ColumnTenant, numbers.TenantUnknown, "You have no such customer.")
			return err
		}
	}
	ask := numbers.Ask{Step: row.Step, Tenant: row.Tenant, Now: c.now}
	switch row.Step {
	case numbers.Reserve:
		ask.Until = c.now.AddDate(0, 0, DefaultReserveDays)
	case numbers.Release, numbers.Withdraw:
		if _, known := c.until[n.Holder]; !known {
			days, err := c.tx.AgeingDays(ctx, n.Holder)
			if err != nil {
				return err
			}
			c.until[n.Holder] = c.now.AddDate(0, 0, days)
		}
		ask.Until = c.until[n.Holder]
	}
	after, err := n.Do(ask)
	var refused *numbers.Refusal
	switch {
	case errors.As(err, &refused):
		c.fault(row, numbers.ColumnStep, numbers.StepRefused, "The number "+refused.Words+".")
		return nil
	case err != nil:
		return err
	}
	n.Number = after
	c.changed[row.Step] = append(c.changed[row.Step], n)
	if row.Flow != "" {
		return c.checkRoute(ctx, row, row.Tenant, true)
	}
	return nil
}

// usesAtOnce is how many numbers are asked about at once; each has few uses.
const usesAtOnce = 20

// checkUses finds what refers to numbers that are to be released.
func (c *numberChanges) checkUses(ctx context.Context) error {
	lines, of := map[string]numbers.ChangeRow{}, map[string][]string{}
	for _, row := range c.sheet.Rows {
		if n, known := c.stock[row.Number]; known && row.Step == numbers.Release && n.Tenant != "" {
			lines[row.Number] = row
			of[n.Tenant] = append(of[n.Tenant], row.Number)
		}
	}
	for _, tenant := range slices.Sorted(maps.Keys(of)) {
		for chunk := range slices.Chunk(of[tenant], usesAtOnce) {
			uses, err := c.tx.NumberUses(ctx, tenant, chunk)
			if err != nil {
				return err
			}
			by := map[string][]postgres.NumberUse{}
			for _, u := range uses {
				by[u.Number] = append(by[u.Number], u)
			}
			for _, number := range slices.Sorted(maps.Keys(by)) {
				c.fault(lines[number], numbers.ColumnStep, numbers.NumberUsed, "The number is used: "+usesWords(by[number])+". Take it out there, or withdraw the number.")
			}
		}
	}
	return nil
}

// write writes what was worked out. What takes numbers from tenants comes before what gives them, and the routes last: they refer to numbers.
func (c *numberChanges) write(ctx context.Context, result *ChangeResult) error {
	for _, step := range slices.Backward(numbers.SheetSteps()) {
		stock := c.changed[step]
		if len(stock) == 0 {
			continue
		}
		if step == numbers.Withdraw {
			of := map[string][]string{}
			for _, n := range stock {
				tenant := c.stock[n.Number.Number].Tenant
				of[tenant] = append(of[tenant], n.Number.Number)
			}
			for _, tenant := range slices.Sorted(maps.Keys(of)) {
				if err := c.tx.DropNumberUses(ctx, tenant, of[tenant]); err != nil {
					return err
				}
			}
		}
		if err := c.tx.SaveStock(ctx, stock, step); err != nil {
			return err
		}
		c.done.Add(int64(len(stock)))
	}
	if len(c.routes) == 0 {
		return nil
	}
	if err := c.tx.AuditAs(ctx, c.order.CreatedBy); err != nil {
		return err
	}
	for _, tenant := range slices.Sorted(maps.Keys(c.routes)) {
		if err := c.route(ctx, tenant, result); err != nil {
			return err
		}
	}
	return c.tx.AuditAs(ctx, "")
}

// route changes the drafts of a tenant's routes, and publishes them if they are to be.
func (c *numberChanges) route(ctx context.Context, tenant string, result *ChangeResult) error {
	var set []postgres.Route
	var gone []string
	for _, row := range c.routes[tenant] {
		if row.Step == numbers.Unroute {
			gone = append(gone, row.Number)
			continue
		}
		set = append(set, draftOf(tenants.Route{Dialled: row.Number, FlowID: row.Flow}))
	}
	if err := c.tx.SaveRoutes(ctx, tenant, set); err != nil {
		return err
	}
	if err := c.tx.DeleteRoutes(ctx, tenant, gone); err != nil {
		return err
	}
	for _, row := range c.routes[tenant] {
		if row.Step == numbers.Route || row.Step == numbers.Unroute {
			c.done.Add(1)
		}
	}
	if !c.request.Publish {
		return nil
	}
	t, err := c.tx.LockTenant(ctx, tenant)
	if err != nil {
		return err
	}
	document, refused, err := draftDocument(ctx, c.tx, tenant)
	switch {
	case err != nil:
		return err
	case refused == nil:
		refused = untried(t)
	}
	if refused != nil {
		return conflict("drafts of "+tenant, "cannot be published: "+strings.TrimSuffix(refused.Error(), "."))
	}
	done, err := publish(ctx, c.tx, t, document, c.order.CreatedBy, "Sheet of numbers, order "+c.order.ID)
	if err == nil && !done.Same {
		result.Published = append(result.Published, tenant)
	}
	return err
}
