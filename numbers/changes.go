package numbers

import (
	"fmt"
	"slices"
	"strings"

	"tandem/tenants"
)

// The columns of a sheet of changes besides the number and the tenant, in any order.
const (
	ColumnStep = "step"
	ColumnFlow = "flow"
)

// ChangeColumns lists the columns of a sheet of changes. The number and the step are needed.
func ChangeColumns() []string { return []string{ColumnNumber, ColumnStep, ColumnTenant, ColumnFlow} }

// SheetSteps lists the steps that a sheet of changes can ask for. Route and Unroute are about the drafts of whose the number is: which flow
// it starts, or none.
func SheetSteps() []Step {
	return []Step{Assign, Retake, Release, Withdraw, Reserve, Free, Block, Unblock, Route, Unroute}
}

// ChangeRow is one row of a sheet of changes that is as it should be by itself.
type ChangeRow struct {
	Line   int
	Number string // E.164 with "+"
	Step   Step   // one of SheetSteps
	Tenant string // Assign, Retake, Reserve: whose it is to be; Reserve: may be empty
	Flow   string // Route: where it leads; Assign, Retake: the same at once, or empty
}

// ChangeSheet is what a sheet of changes says.
type ChangeSheet struct {
	Encoding Encoding
	Rows     []ChangeRow // those without fault
	Lines    int         // how many rows there are, with and without fault
	Faults   Faults
}

// The codes of faults that sheets of changes have besides those of all sheets.
const (
	StepUnknown   = "step_unknown"   // none of SheetSteps
	StepRefused   = "step_refused"   // it does not fit the number as it is
	CellMissing   = "cell_missing"   // the step needs a tenant or a flow
	CellNeedless  = "cell_needless"  // the step takes none
	FlowUnknown   = "flow_unknown"   // none of whose the number is
	FlowForbidden = "flow_forbidden" // the asker may not change flows
	NumberUsed    = "number_used"    // something refers to it
)

// ReadChanges reads a sheet of changes, as ReadSheet reads one of numbers.
func ReadChanges(raw []byte, d tenants.Dialling) ChangeSheet {
	s := Sheet{Encoding: UTF8}
	var rows []ChangeRow
	if len(raw) > MaxSheetBytes {
		s.Faults.Add(0, "", SheetTooLarge, fmt.Sprintf("The sheet has more than %d bytes: send it in parts.", MaxSheetBytes))
		return ChangeSheet{Encoding: s.Encoding, Faults: s.Faults}
	}
	text, encoding := decode(raw)
	s.Encoding = encoding
	separator, text, skipped := separatorOf(text)
	r := newReader(text, separator, skipped, &s, d, ChangeColumns())
	switch {
	case !r.head():
	case !slices.Contains(r.columns, ColumnStep):
		r.fault(1+skipped, "", ColumnMissing, `There is no column "step": it says what happens to each number.`)
	default:
		r.rows(func(line int, cells []string) {
			if row, ok := r.change(line, cells); ok {
				rows = append(rows, row)
			}
		})
	}
	return ChangeSheet{Encoding: s.Encoding, Rows: rows, Lines: s.Lines, Faults: s.Faults}
}

// change reads one row, and says whether it is as it should be.
func (r *reader) change(line int, cells []string) (row ChangeRow, ok bool) {
	before := r.sheet.Faults.Count
	row.Line = line
	if len(cells) > len(r.columns) {
		r.fault(line, "", CellCount, fmt.Sprintf("The row has %d cells, and there are %d columns.", len(cells), len(r.columns)))
		return row, false
	}
	written := Row{Line: line}
	number := ""
	for i, cell := range cells {
		column := r.columns[i]
		if column == "" {
			continue
		}
		cell, readable := r.cell(line, column, cell)
		if !readable {
			continue
		}
		switch column {
		case ColumnNumber:
			number = cell
		case ColumnStep:
			row.Step = Step(strings.ToLower(cell))
		case ColumnTenant:
			row.Tenant = cell
		case ColumnFlow:
			row.Flow = cell
		}
	}
	if r.sheet.Faults.Count == before { // a cell that cannot be read is no cell that is missing
		r.asked(row)
		r.numbered(&written, number)
		row.Number = written.Number
	}
	return row, r.sheet.Faults.Count == before
}

// asked checks what a row asks for.
func (r *reader) asked(row ChangeRow) {
	if !slices.Contains(SheetSteps(), row.Step) {
		var names []string
		for _, s := range SheetSteps() {
			names = append(names, string(s))
		}
		r.fault(row.Line, ColumnStep, StepUnknown, "The step is none of "+strings.Join(names, ", ")+".")
		return
	}
	gives := row.Step == Assign || row.Step == Retake
	switch {
	case row.Tenant == "" && gives:
		r.fault(row.Line, ColumnTenant, CellMissing, "The row does not say whose the number is to be.")
	case row.Tenant != "" && !gives && row.Step != Reserve:
		r.fault(row.Line, ColumnTenant, CellNeedless, "This step takes no tenant: the number's own is meant.")
	case row.Tenant != "" && !idForm.MatchString(row.Tenant):
		r.fault(row.Line, ColumnTenant, TenantUnknown, "There is no such customer.")
	}
	switch {
	case row.Flow == "" && row.Step == Route:
		r.fault(row.Line, ColumnFlow, CellMissing, "The row does not say which flow the number starts.")
	case row.Flow != "" && !gives && row.Step != Route:
		r.fault(row.Line, ColumnFlow, CellNeedless, "This step takes no flow.")
	case row.Flow != "" && !idForm.MatchString(row.Flow):
		r.fault(row.Line, ColumnFlow, FlowUnknown, "There is no such flow.")
	}
}
