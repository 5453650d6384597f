package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tandem/numbers"
	"tandem/postgres"
)

// Bounds of an import.
const (
	MaxImportTenants = 1000 // that get numbers by one sheet
	importChunk      = 5000 // numbers in one statement
)

// ImportResult is what came of an import.
type ImportResult struct {
	Added    int    `json:"added"`    // numbers that are in the stock now; of a dry run: that would be
	Assigned int    `json:"assigned"` // of these, at tenants
	Encoding string `json:"encoding"` // as which the sheet was read
}

// numberImport is an import under way.
type numberImport struct {
	*orderWork
	tx    *postgres.Tx
	now   time.Time
	sheet numbers.Sheet
}

// importNumbers brings the numbers of a sheet into the stock of whose order it is: all of them, or, when anything is wrong with any, none.
func (w *orderWork) importNumbers(ctx context.Context, tx *postgres.Tx) (postgres.OrderEnd, error) {
	var request ImportRequest
	if err := json.Unmarshal(w.order.Request, &request); err != nil {
		return postgres.OrderEnd{}, invalid("request", "cannot be read")
	}
	i := numberImport{orderWork: w, tx: tx, now: time.Now().UTC().Truncate(time.Microsecond), sheet: numbers.ReadSheet(w.order.Body, request.Dialling)}
	w.total.Store(int64(i.sheet.Lines))
	end := postgres.OrderEnd{State: numbers.Failed, Total: i.sheet.Lines}
	if err := i.check(ctx); err != nil {
		return end, err
	}
	result := ImportResult{Encoding: string(i.sheet.Encoding)}
	if i.sheet.Faults.Count == 0 && !w.order.DryRun {
		if err := i.write(ctx); err != nil {
			return end, err
		}
	}
	i.sheet.Faults.Sort()
	if end.Faults = i.sheet.Faults; end.Faults.Count == 0 {
		result.Added = len(i.sheet.Rows)
		for _, r := range i.sheet.Rows {
			if r.Tenant != "" {
				result.Assigned++
			}
		}
		end.State, end.Done = numbers.Done, end.Total
	} else if w.order.DryRun {
		end.State, end.Done = numbers.Done, end.Total
	}
	end.Result = result
	return end, nil
}

// check finds what is wrong with rows that are as they should be by themselves.
func (i *numberImport) check(ctx context.Context) error {
	if err := i.checkTenants(ctx); err != nil {
		return err
	}
	if err := i.checkTrunks(ctx); err != nil {
		return err
	}
	for rows := range slices.Chunk(i.sheet.Rows, importChunk) {
		if err := i.checkKnown(ctx, rows); err != nil {
			return err
		}
		if i.order.DryRun {
			i.done.Add(int64(len(rows)))
		}
	}
	return nil
}

// rowsBy gives the lines of rows by something that they name, sorted.
func (i *numberImport) rowsBy(name func(numbers.Row) string) (names []string, lines map[string][]int) {
	lines = map[string][]int{}
	for _, r := range i.sheet.Rows {
		if n := name(r); n != "" {
			if lines[n] == nil {
				names = append(names, n)
			}
			lines[n] = append(lines[n], r.Line)
		}
	}
	slices.Sort(names)
	return names, lines
}

// checkTenants locks those that get numbers, and finds the ones that the asker has no numbers to give to.
func (i *numberImport) checkTenants(ctx context.Context) error {
	names, lines := i.rowsBy(func(r numbers.Row) string { return r.Tenant })
	if len(names) > MaxImportTenants {
		i.sheet.Faults.Add(0, numbers.ColumnTenant, numbers.TenantUnknown, fmt.Sprintf("The sheet names more than %d customers: send it in parts.", MaxImportTenants))
		return nil
	}
	for _, tenant := range names {
		within, err := i.tx.IsWithin(ctx, tenant, i.order.Tenant)
		if err == nil && within {
			if _, err = i.tx.LockTenant(ctx, tenant); err == nil { // it may have been moved in between
				within, err = i.tx.IsWithin(ctx, tenant, i.order.Tenant)
			}
		}
		if err != nil {
			return err
		}
		for _, line := range lines[tenant] {
			if !within {
				i.sheet.Faults.Add(line, numbers.ColumnTenant, numbers.TenantUnknown, "You have no such customer.")
			}
		}
	}
	return nil
}

func (i *numberImport) checkTrunks(ctx context.Context) error {
	names, lines := i.rowsBy(func(r numbers.Row) string { return r.Trunk })
	for _, trunk := range names {
		may, err := i.tx.MayNameTrunk(ctx, trunk, i.order.Tenant)
		if err != nil {
			return err
		}
		for _, line := range lines[trunk] {
			if !may {
				i.sheet.Faults.Add(line, numbers.ColumnTrunk, numbers.TrunkUnknown, "You have no such trunk.")
			}
		}
	}
	return nil
}

// checkKnown finds numbers that are in the inventory already. Of those that are not the asker's it does not say whose they are.
func (i *numberImport) checkKnown(ctx context.Context, rows []numbers.Row) error {
	lines := make(map[string]int, len(rows))
	of := make([]string, 0, len(rows))
	for _, r := range rows {
		lines[r.Number] = r.Line
		of = append(of, r.Number)
	}
	known, err := i.tx.Stock(ctx, of, false)
	if err != nil {
		return err
	}
	for _, n := range known {
		if n.Holder == i.order.Tenant || i.order.Tenant == "" {
			i.sheet.Faults.Add(lines[n.Number.Number], numbers.ColumnNumber, numbers.NumberKnown, "The number is in the inventory already: take the row out.")
			continue
		}
		i.sheet.Faults.Add(lines[n.Number.Number], numbers.ColumnNumber, numbers.NumberNotToBeHad, "The number is not to be had.")
	}
	return nil
}

// write brings the numbers in: first into the stock, which no worker reads; then to their tenants, in one statement, since from that on until the
// commit no other change of the platform's configuration can be made.
func (i *numberImport) write(ctx context.Context) error {
	var given []postgres.Stock
	for rows := range slices.Chunk(i.sheet.Rows, importChunk) {
		added := make([]postgres.Stock, 0, len(rows))
		for _, r := range rows {
			n, err := newStock(i.order.Tenant, NewNumber{Number: r.Number, Country: r.Country, Kind: r.Kind, Trunk: r.Trunk, Note: r.Note}, i.now)
			if err != nil {
				return err
			}
			added = append(added, n)
			if r.Tenant != "" {
				if n.Number, err = n.Do(numbers.Ask{Step: numbers.Assign, Tenant: r.Tenant, Now: i.now}); err != nil {
					return refusedStep(r.Number, err)
				}
				given = append(given, n)
			}
		}
		count, err := i.tx.InsertStock(ctx, added, numbers.Add)
		if err != nil {
			return err
		}
		if count < len(added) {
			return errMeanwhile
		}
		i.done.Add(int64(count))
	}
	if len(given) == 0 {
		return nil
	}
	return i.tx.SaveStock(ctx, given, numbers.Assign)
}

// errMeanwhile says that somebody has added one of the numbers since they were looked at. The next attempt will say which.
var errMeanwhile = errors.New("provisioning: a number has come into the inventory meanwhile")
